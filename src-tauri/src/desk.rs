//! The server as this program runs it: in-process, its desk page on a free loopback port.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use showdesk_server::engine::{Engine, EngineError, Wake};
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
    pub(crate) async fn start(folder: &Path, options: &Options) -> Result<Self, StartError> {
        // Asked before the show is opened, which makes one in an empty folder.
        let was_empty = is_empty(folder);
        let mut server_options = ServerOptions::new(folder);
        server_options.admin = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        if let Some(http) = options.http {
            server_options.http = http;
        }
        let desk = Self { server: Server::start(server_options).await? };
        if let Some(size) = options.demo
            && was_empty
        {
            let filled = desk.fill(size.into()).await;
            if let Err(error) = filled {
                desk.stop().await;
                return Err(error.into());
            }
        }
        Ok(desk)
    }

    async fn fill(&self, size: showdesk_server::engine::DemoSize) -> Result<(), EngineError> {
        let engine = &self.server.engine;
        engine.fill_demo(&engine.desk_actor().await?, size, DEMO_STAGE).await
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

/// Whether the folder holds nothing, or is not there yet.
fn is_empty(folder: &Path) -> bool {
    folder.read_dir().map_or(true, |mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_file_is_not_empty() {
        assert!(!is_empty(Path::new(env!("CARGO_MANIFEST_DIR"))));
        assert!(is_empty(&Path::new(env!("CARGO_MANIFEST_DIR")).join("no such folder")));
    }
}
