//! Follows the laptop through the networks of its day: new addresses, a new certificate, the name told anew.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use showdesk_engine::Engine;
use tokio::sync::watch;
use tokio::time::sleep;

use super::announce::Announcement;
use super::{Network, Present, addresses};
use crate::accept::stopped;

/// Between two looks at the machine's addresses.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// So many looks lie between two looks at what other desks of the database did.
const LOOKS_PER_COMPARISON: u64 = 5;
/// So many looks lie between two questions to a keychain that did not answer: each may ask the person for a password.
const LOOKS_PER_QUESTION: u64 = 10;
/// Origins are written down again so often while nothing changes.
const ORIGINS_EVERY: Duration = Duration::from_hours(1);

/// Follows until the desk stops, then says goodbye to the network. A look that hangs, at a keychain or a database that
/// does not answer, keeps nobody from stopping.
pub(crate) async fn follow(network: Arc<Network>, engine: Engine, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = stopped(&mut stop) => {}
        () = look_again_and_again(&network, &engine) => {}
    }
    network.announcer.stop();
}

async fn look_again_and_again(network: &Network, engine: &Engine) {
    let mut noted_at = Instant::now();
    let mut looks = 0;
    loop {
        sleep(LOOK_EVERY).await;
        looks += 1;
        let moved = network.note_addresses(network.bound.on((network.interfaces)()));
        if let Err(error) = engine.tend_vault().await {
            tracing::debug!(%error, "the vault's key could not be asked for or handed on");
        }
        if looks % LOOKS_PER_QUESTION == 0
            && let Err(error) = engine.look_for_key_again().await
        {
            tracing::debug!(%error, "the vault's key could not be looked for again");
        }
        network.keep_trust(engine, looks % LOOKS_PER_COMPARISON == 0).await;
        network.tell_name();
        network.announcer.hear();
        if moved || noted_at.elapsed() >= ORIGINS_EVERY {
            noted_at = Instant::now();
            network.note_origins(engine).await;
        }
    }
}

impl Network {
    /// Remembers where pages come from now, so that they may still ask when the laptop has moved on.
    pub(crate) async fn note_origins(&self, engine: &Engine) {
        if let Err(error) = engine.note_origins(&self.origins_now()).await {
            tracing::warn!(%error, "where phones' pages come from could not be written down");
        }
        self.read_origins(engine, Instant::now()).await;
    }

    /// Tells the laptop's name to the network, if anybody outside can connect.
    pub(crate) fn tell_name(&self) {
        let Some(name) = self.name.clone() else { return };
        let offered = addresses::offered(self.bound.http.ip(), &self.present().machine);
        let addresses: Vec<IpAddr> = offered.into_iter().filter(|address| !address.is_loopback()).collect();
        if addresses.is_empty() {
            return;
        }
        let served = self.bound.https.filter(|_| self.shown().is_some()).unwrap_or(self.bound.http);
        let fingerprint_prefix = self.fingerprint_prefix();
        self.announcer.announce(Announcement { name, addresses, port: served.port(), fingerprint_prefix });
    }

    /// Why the network does not know the name.
    pub(crate) fn name_fault(&self) -> Option<String> {
        self.announcer.fault()
    }

    /// Takes the machine's addresses as they are. Answers whether they have changed.
    pub(super) fn note_addresses(&self, machine: Vec<IpAddr>) -> bool {
        if self.present().machine == machine {
            return false;
        }
        tracing::info!(?machine, "the laptop's addresses have changed");
        let present = Arc::new(Present::of(machine, self.name.as_deref()));
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = present;
        true
    }
}
