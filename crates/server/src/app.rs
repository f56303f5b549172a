//! What every request can reach: the engine, the limits, the listener it came in by.

use std::sync::Arc;

use showdesk_engine::Engine;
use tokio::sync::{Semaphore, watch};

use crate::desk_link::DeskLinks;
use crate::joining::Joining;
use crate::limiter::Limiter;
use crate::live::Streams;
use crate::network::{Network, Scheme};

/// Handlers at work at once (SECURITY.md §5).
const HANDLERS_MAX: usize = 256;

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
    pub(crate) handlers: Arc<Semaphore>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn new(
        engine: Engine,
        network: Arc<Network>,
        admin_token: String,
        limits: bool,
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
            handlers: Arc::new(Semaphore::new(HANDLERS_MAX)),
            stop,
        }
    }
}

impl App {
    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }
}
