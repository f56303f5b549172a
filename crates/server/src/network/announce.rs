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
    /// What the network was told; none if that failed, so that the next look tells it again.
    announcement: Option<Announcement>,
    /// Another machine has the name; until something else is told.
    conflict: Option<String>,
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
        // What was heard of the announcement before says nothing of this one.
        told.hear();
        told.conflict = None;
        match told.tell(&announcement) {
            Ok(()) => {
                told.fault = None;
                told.announcement = Some(announcement);
            }
            Err(error) => {
                if matches!(error, mdns_sd::Error::DaemonShutdown) {
                    told.running = None;
                }
                told.announcement = None;
                told.fail(error.to_string());
            }
        }
    }

    /// Takes in what the daemon has to say, before its channel is full of what does not matter.
    pub(crate) fn hear(&self) {
        self.lock().hear();
    }

    /// Why the name is not known to the network; none if it is, as far as one can tell.
    pub(crate) fn fault(&self) -> Option<String> {
        let mut told = self.lock();
        told.hear();
        told.conflict.clone().or_else(|| told.fault.clone())
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

    fn hear(&mut self) {
        let Some(running) = &self.running else { return };
        let events: Vec<DaemonEvent> = running.events.try_iter().take(EVENTS_MAX).collect();
        for event in events {
            self.note(event);
        }
    }

    fn note(&mut self, event: DaemonEvent) {
        match event {
            // After a conflict it is the other name that is told.
            DaemonEvent::Announce(..) => self.fault = None,
            DaemonEvent::Error(error) => self.fail(error.to_string()),
            DaemonEvent::NameChange(change) => {
                self.conflict = Some(format!("another machine is called {}", change.original));
            }
            _ => {}
        }
    }

    /// The same fault is logged once, however often it is tried.
    fn fail(&mut self, fault: String) {
        if self.fault.as_ref() != Some(&fault) {
            tracing::warn!(fault, "the laptop's name cannot be told to the network");
            self.fault = Some(fault);
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
    use mdns_sd::{DnsNameChange, Error, RRType};

    use super::*;

    fn taken() -> DaemonEvent {
        DaemonEvent::NameChange(DnsNameChange {
            original: "showdesk-1a2b3c.local.".to_owned(),
            new_name: "showdesk-1a2b3c-2.local.".to_owned(),
            rr_type: RRType::A,
            intf_name: "wlan0".to_owned(),
        })
    }

    fn announced() -> DaemonEvent {
        DaemonEvent::Announce("showdesk-1a2b3c-2".to_owned(), "192.168.1.20".to_owned())
    }

    #[test]
    fn a_name_that_another_machine_has_stays_a_fault_when_the_next_name_is_told() {
        let announcer = Announcer::default();
        let hear = |event| announcer.lock().note(event);
        hear(DaemonEvent::Error(Error::Msg("no multicast".to_owned())));
        assert_eq!(announcer.fault().as_deref(), Some("no multicast"));
        hear(announced());
        assert_eq!(announcer.fault(), None);
        hear(taken());
        hear(announced());
        assert_eq!(announcer.fault().as_deref(), Some("another machine is called showdesk-1a2b3c.local."));
    }

    #[test]
    fn what_could_not_be_told_is_told_again() {
        let announcer = Announcer::default();
        let too_long = Some("a".repeat(300));
        let name = "showdesk-1a2b3c".to_owned();
        announcer.announce(Announcement { name, addresses: Vec::new(), port: 1, fingerprint_prefix: too_long });
        assert!(announcer.fault().is_some());
        assert_eq!(announcer.lock().announcement, None, "the next look tries once more");
    }

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
