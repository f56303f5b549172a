//! What every request can reach: the engine, the limits, the listener it came in by.

use std::sync::Arc;

use showdesk_engine::Engine;
use tokio::sync::watch;

use crate::desk_link::DeskLinks;
use crate::handlers::Handlers;
use crate::joining::Joining;
use crate::limiter::Limiter;
use crate::live::{Hub, Streams};
use crate::network::{Network, Scheme};

/// The state of one router.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) listener: Listener,
    /// How it came in there.
    pub(crate) scheme: Scheme,
}

/// Where a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    /// Anyone on the show's Wi-Fi can reach it.
    Phone,
    /// Loopback only.
    Admin,
}

/// What both listeners share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) network: Arc<Network>,
    pub(crate) joining: Joining,
    pub(crate) desk_links: DeskLinks,
    pub(crate) admin_token: String,
    pub(crate) limiter: Limiter,
    pub(crate) streams: Arc<Streams>,
    pub(crate) hub: Hub,
    phone_handlers: Arc<Handlers>,
    desk_handlers: Arc<Handlers>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn new(
        engine: Engine,
        network: Arc<Network>,
        admin_token: String,
        limits: bool,
        hub: Hub,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            engine,
            joining: Joining::new(Arc::clone(&network)),
            network,
            desk_links: DeskLinks::default(),
            admin_token,
            limiter: Limiter::new(limits),
            streams: Arc::default(),
            hub,
            phone_handlers: Arc::default(),
            desk_handlers: Arc::default(),
            stop,
        }
    }
}

impl App {
    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    /// Those of the listener that was asked: whatever phones do, the desk's own page is answered.
    pub(crate) fn handlers(&self) -> &Arc<Handlers> {
        match self.listener {
            Listener::Phone => &self.shared.phone_handlers,
            Listener::Admin => &self.shared.desk_handlers,
        }
    }
}
