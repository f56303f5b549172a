//! The server as this program runs it: in-process, its desk page on a free loopback port.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use showdesk_server::engine::{Engine, EngineError, Faults, Wake};
use showdesk_server::{RunningServer, Server, ServerOptions, StartError};
use tauri::Url;
use tokio::sync::broadcast;

use crate::options::Options;

/// Stage B: animals are there, about half of them are weighed.
const DEMO_STAGE: &str = "B";

/// The running server.
pub(crate) struct Desk {
    server: RunningServer,
}

impl Desk {
    /// Opens the show in the folder and serves it.
    pub(crate) async fn start(folder: &Path, options: &Options, faults: &Faults) -> Result<Self, StartError> {
        let mut server_options = ServerOptions::new(folder);
        server_options.engine.faults = faults.clone();
        server_options.admin = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        if let Some(http) = options.http {
            server_options.http = http;
        }
        let desk = Self { server: Server::start(server_options).await? };
        if let Some(size) = options.demo
            && let Err(error) = desk.fill(size.into()).await
        {
            desk.stop().await;
            return Err(error.into());
        }
        Ok(desk)
    }

    /// Fills a show that nobody has set up; one that somebody has stays as it is. A filling that was cut short left
    /// nothing behind.
    async fn fill(&self, size: showdesk_server::engine::DemoSize) -> Result<(), EngineError> {
        let engine = &self.server.engine;
        if engine.is_untouched().await? {
            engine.fill_demo(&engine.desk_actor().await?, size, DEMO_STAGE).await?;
        }
        Ok(())
    }

    /// The desk page, without the token.
    pub(crate) fn page(&self) -> Url {
        Url::parse(&format!("http://{}/", self.server.admin)).expect("an address and a port make a URL")
    }

    /// The token of this launch.
    pub(crate) fn token(&self) -> &str {
        &self.server.admin_token
    }

    /// Where phones reach this desk.
    pub(crate) fn joining_addresses(&self) -> Vec<String> {
        self.server.joining_addresses()
    }

    /// The opened show.
    pub(crate) fn engine(&self) -> Engine {
        self.server.engine.clone()
    }

    /// What changes from now on.
    pub(crate) fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.server.engine.wakes()
    }

    /// Finishes what was accepted and closes the show.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}
