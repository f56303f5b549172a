//! Tells the local network the laptop's name by multicast DNS: name, port and the fingerprint's first digits, nothing else.
//!
//! A network that refuses multicast costs the name, never the desk.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mdns_sd::{DaemonEvent, IfKind, Receiver, ServiceDaemon, ServiceInfo};

/// The kind of service.
const SERVICE: &str = "_showdesk._tcp.local.";
/// The key of the fingerprint's first digits.
const FINGERPRINT: &str = "fp";
/// Events read at once.
const EVENTS_MAX: usize = 200;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// Without `.local`.
    pub(crate) name: String,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) port: u16,
    pub(crate) fingerprint_prefix: Option<String>,
}

/// Tells it as long as it lives.
#[derive(Default)]
pub(crate) struct Announcer(Mutex<Told>);

#[derive(Default)]
struct Told {
    running: Option<Running>,
    announcement: Option<Announcement>,
    fault: Option<String>,
}

struct Running {
    daemon: ServiceDaemon,
    events: Receiver<DaemonEvent>,
}

impl Announcer {
    /// Tells this from now on.
    pub(crate) fn announce(&self, announcement: Announcement) {
        let mut told = self.lock();
        if told.announcement.as_ref() == Some(&announcement) {
            return;
        }
        told.fault = told.tell(&announcement).err().map(|error| error.to_string());
        if let Some(fault) = &told.fault {
            tracing::warn!(fault, "the laptop's name cannot be told to the network");
        }
        told.announcement = Some(announcement);
    }

    /// Why the name is not known to the network; none if it is, as far as one can tell.
    pub(crate) fn fault(&self) -> Option<String> {
        let mut told = self.lock();
        told.read_events();
        told.fault.clone()
    }

    /// Says goodbye, so that the name is forgotten at once.
    pub(crate) fn stop(&self) {
        if let Some(running) = self.lock().running.take() {
            // It ends with the program all the same.
            let _ = running.daemon.shutdown();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn tell(&mut self, announcement: &Announcement) -> Result<(), mdns_sd::Error> {
        let info = service(announcement)?;
        if self.running.is_none() {
            let daemon = ServiceDaemon::new()?;
            daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
            let events = daemon.monitor()?;
            self.running = Some(Running { daemon, events });
        }
        let Some(running) = &self.running else { return Ok(()) };
        // Registering the same name again replaces what was told before.
        running.daemon.register(info)
    }

    fn read_events(&mut self) {
        let Some(running) = &self.running else { return };
        for event in running.events.try_iter().take(EVENTS_MAX) {
            match event {
                DaemonEvent::Announce(..) => self.fault = None,
                DaemonEvent::Error(error) => self.fault = Some(error.to_string()),
                DaemonEvent::NameChange(change) => {
                    self.fault = Some(format!("another machine is called {}", change.original));
                }
                _ => {}
            }
        }
    }
}

fn service(announcement: &Announcement) -> Result<ServiceInfo, mdns_sd::Error> {
    let host = format!("{}.local.", announcement.name);
    let texts: Vec<(&str, &str)> =
        announcement.fingerprint_prefix.iter().map(|prefix| (FINGERPRINT, prefix.as_str())).collect();
    let addresses = announcement.addresses.as_slice();
    ServiceInfo::new(SERVICE, &announcement.name, &host, addresses, announcement.port, texts.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_but_name_port_and_the_fingerprints_first_digits() {
        let announcement = Announcement {
            name: "showdesk-1a2b3c".to_owned(),
            addresses: vec!["192.168.1.20".parse().expect("an address")],
            port: 7443,
            fingerprint_prefix: Some("ab12cd34".to_owned()),
        };
        let told = service(&announcement).expect("it can be told");
        assert_eq!(told.get_fullname(), "showdesk-1a2b3c._showdesk._tcp.local.");
        assert_eq!((told.get_hostname(), told.get_port()), ("showdesk-1a2b3c.local.", 7443));
        let texts: Vec<(&str, &str)> = told.get_properties().iter().map(|text| (text.key(), text.val_str())).collect();
        assert_eq!(texts, [("fp", "ab12cd34")]);
        assert_eq!(told.get_addresses().len(), 1);
    }
}
