//! What this desk is on the network: its addresses and name, its certificates, the origins its pages had.
//!
//! It follows the laptop from network to network. It answers no request; `guard` and the routes ask it.

mod addresses;
mod announce;
mod authority;
mod follow;
mod hosts;
mod leaf;
mod origins;
mod profile;
mod reach;
mod trust;
mod warnings;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderValue;
use rustls::ServerConfig;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) use addresses::of_machine;
use announce::Announcer;
pub(crate) use follow::follow;
pub(crate) use hosts::{Host, Scheme};
use leaf::CurrentLeaf;
#[cfg(test)]
pub(crate) use leaf::server_config;
use origins::Known;
pub(crate) use profile::{groups, profile};
pub(crate) use reach::{Test, Tests};
pub(crate) use trust::RenewError;
use trust::Trust;
pub(crate) use warnings::{Warning, secrets_in_file};

/// Where the listeners are bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) http: SocketAddr,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) admin: SocketAddr,
}

impl Bound {
    /// Every address of the machine; those that a listener was given count also if no interface has them.
    fn on(&self, mut machine: Vec<IpAddr>) -> Vec<IpAddr> {
        let given = [Some(self.http), self.https].into_iter().flatten().map(|bound| bound.ip());
        machine.extend(given.filter(|address| !address.is_unspecified()));
        machine.sort();
        machine.dedup();
        machine
    }
}

/// How the machine's addresses of this moment are found out.
pub(crate) type Interfaces = Arc<dyn Fn() -> Vec<IpAddr> + Send + Sync>;

/// Why there is no HTTPS listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoHttps {
    /// It was not wanted.
    Off,
    /// Another program has its usual port.
    PortTaken(u16),
}

/// See the module.
pub(crate) struct Network {
    bound: Bound,
    no_https: Option<NoHttps>,
    interfaces: Interfaces,
    /// Without `.local`; none where nobody outside can connect.
    name: Option<String>,
    present: RwLock<Arc<Present>>,
    known: Known,
    policy: RwLock<HeaderValue>,
    leaf: Arc<CurrentLeaf>,
    trust: RwLock<Option<Arc<Trust>>>,
    announcer: Announcer,
    pub(crate) tests: Tests,
}

/// The addresses of this moment, and what follows from them.
struct Present {
    machine: Vec<IpAddr>,
    /// Hosts by which phones may ask for us, beside the names of loopback.
    hosts: Vec<String>,
}

impl Network {
    /// `desk` is the device of this desk: its name on the network follows from it and stays.
    pub(crate) fn new(bound: Bound, no_https: Option<NoHttps>, desk: Uuid, interfaces: Interfaces) -> Self {
        let name = (!bound.http.ip().is_loopback()).then(|| name_of(desk));
        let present = Arc::new(Present::of(bound.on(interfaces()), name.as_deref()));
        Self {
            bound,
            no_https,
            interfaces,
            name,
            present: RwLock::new(present),
            policy: RwLock::new(Known::default().policy(&bound)),
            known: Known::default(),
            leaf: Arc::default(),
            trust: RwLock::default(),
            announcer: Announcer::default(),
            tests: Tests::default(),
        }
    }

    /// How phones that come by TLS are spoken to.
    pub(crate) fn tls(&self) -> Arc<ServerConfig> {
        leaf::server_config(Arc::clone(&self.leaf))
    }

    /// `http://address:port` for each address that phones can use, best first. Never empty.
    ///
    /// Asked again each time, because a laptop changes its network.
    pub(crate) fn http_addresses(&self) -> Vec<String> {
        self.addresses_of(Scheme::Http)
    }

    /// Where phones that trust the laptop can go: by address, best first, then by name. Empty without HTTPS.
    pub(crate) fn https_urls(&self) -> Vec<String> {
        if self.leaf.get().is_none() {
            return Vec::new();
        }
        self.urls(Scheme::Https)
    }

    /// The same over plain HTTP.
    pub(crate) fn http_urls(&self) -> Vec<String> {
        self.urls(Scheme::Http)
    }

    /// `showdesk-1a2b3c.local`.
    pub(crate) fn local_name(&self) -> Option<String> {
        self.name.as_ref().map(|name| format!("{name}.local"))
    }

    /// Whether a listener of that kind answers to that host. A name of loopback may come with any port: a program of
    /// this machine passed the request on, and no page of elsewhere can use such a name.
    pub(crate) fn answers_to(&self, host: &Host, scheme: Scheme, is_admin: bool) -> bool {
        if host.is_loopback() || (is_admin && self.is_desks(host)) {
            return true;
        }
        let Some(port) = self.port(scheme, is_admin).filter(|_| !is_admin) else { return false };
        host.port_or(scheme) == port && self.present().hosts.iter().any(|known| known == host.name())
    }

    /// Whether the host names this machine as the desk's page does: by loopback, or by the address of loopback that the
    /// admin listener was given.
    fn is_desks(&self, host: &Host) -> bool {
        host.is_loopback() || host.name() == hosts::text_of(self.bound.admin.ip())
    }

    /// The content security policy of phones' pages.
    pub(crate) fn phone_policy(&self) -> HeaderValue {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether an address is one of this machine.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.present().machine.contains(&address)
    }

    fn urls(&self, scheme: Scheme) -> Vec<String> {
        let mut urls = self.addresses_of(scheme);
        if let (Some(name), Some(port)) = (self.local_name(), self.port(scheme, false)) {
            urls.push(format!("{}://{name}:{port}", scheme.as_str()));
        }
        urls
    }

    fn addresses_of(&self, scheme: Scheme) -> Vec<String> {
        let (Some(bound), Some(port)) = (self.bound_of(scheme), self.port(scheme, false)) else { return Vec::new() };
        let offered = addresses::offered(bound.ip(), &(self.interfaces)());
        let url = |address| format!("{}://{}", scheme.as_str(), SocketAddr::new(address, port));
        offered.into_iter().map(url).collect()
    }

    fn bound_of(&self, scheme: Scheme) -> Option<SocketAddr> {
        match scheme {
            Scheme::Http => Some(self.bound.http),
            Scheme::Https => self.bound.https,
        }
    }

    fn port(&self, scheme: Scheme, is_admin: bool) -> Option<u16> {
        if is_admin { Some(self.bound.admin.port()) } else { self.bound_of(scheme).map(|bound| bound.port()) }
    }

    fn present(&self) -> Arc<Present> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Present {
    fn of(machine: Vec<IpAddr>, name: Option<&str>) -> Self {
        let mut hosts: Vec<String> = machine.iter().map(|address| hosts::text_of(*address)).collect();
        hosts.extend(name.map(|name| format!("{name}.local")));
        Self { machine, hosts }
    }
}

/// Short enough to be typed, and another one for each desk of a database.
fn name_of(desk: Uuid) -> String {
    let digest = Sha256::digest(desk.as_bytes());
    format!("showdesk-{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(http: &str, https: Option<&str>) -> Network {
        let address = |text: &str| text.parse().expect("an address");
        let bound = Bound { http: address(http), https: https.map(address), admin: address("127.0.0.1:7421") };
        let network = Network::new(bound, None, Uuid::from_u128(7), Arc::new(of_machine));
        let machine = vec!["127.0.0.1".parse().expect("one"), "192.168.1.20".parse().expect("one")];
        let present = Present::of(machine, network.name.as_deref());
        *network.present.write().expect("no panic") = Arc::new(present);
        network
    }

    fn host(text: &str) -> Host {
        Host::parse(text).expect("a host")
    }

    #[test]
    fn a_listener_answers_to_its_own_hosts_only() {
        let network = network("0.0.0.0:7420", Some("0.0.0.0:7443"));
        let name = network.local_name().expect("a name");
        for (text, http, https, admin) in [
            ("192.168.1.20:7420", true, false, false),
            ("192.168.1.20:7443", false, true, false),
            ("192.168.1.20", false, false, false),
            ("192.168.1.21:7420", false, false, false),
            ("127.0.0.1:7421", true, true, true),
            ("localhost:9999", true, true, true),
            ("[::1]:7421", true, true, true),
            (&format!("{name}:7420"), true, false, false),
            (&format!("{}:7443", name.to_uppercase()), false, true, false),
            ("showdesk.local:7420", false, false, false),
            ("bank.example:7420", false, false, false),
            ("localhost.bank.example:7420", false, false, false),
            ("127.0.0.1.bank.example:7420", false, false, false),
        ] {
            let answers = |scheme, is_admin| network.answers_to(&host(text), scheme, is_admin);
            let all = (answers(Scheme::Http, false), answers(Scheme::Https, false), answers(Scheme::Http, true));
            assert_eq!(all, (http, https, admin), "{text}");
        }
    }

    #[test]
    fn an_address_that_a_listener_was_given_is_the_laptops() {
        let address = |text: &str| text.parse().expect("an address");
        let bound = Bound { http: address("127.0.0.2:7420"), https: None, admin: address("127.0.0.1:7421") };
        let network = Network::new(bound, None, Uuid::from_u128(7), Arc::new(of_machine));
        assert!(network.answers_to(&host("127.0.0.2:7420"), Scheme::Http, false));
        assert!(!network.answers_to(&host("127.0.0.3:7420"), Scheme::Http, false));
    }

    #[test]
    fn the_admin_listener_answers_at_the_address_of_loopback_that_it_was_given() {
        let address = |text: &str| text.parse().expect("an address");
        let bound = Bound { http: address("0.0.0.0:7420"), https: None, admin: address("127.0.0.2:7421") };
        let network = Network::new(bound, None, Uuid::from_u128(7), Arc::new(of_machine));
        let own = host("127.0.0.2:7421");
        assert!(network.answers_to(&own, Scheme::Http, true) && !network.answers_to(&own, Scheme::Http, false));
        assert!(network.is_known_to_desk("http://127.0.0.2:7421", &own));
        assert!(network.is_known_to_desk("http://127.0.0.2:7421", &host("localhost:7421")));
        assert!(!network.is_known_to_desk("http://127.0.0.2:7420", &own));
        for foreign in ["127.0.0.3:7421", "192.168.1.20:7421"] {
            assert!(!network.answers_to(&host(foreign), Scheme::Http, true), "{foreign}");
            assert!(!network.is_known_to_desk(&format!("http://{foreign}"), &own), "{foreign}");
        }
    }

    #[test]
    fn the_usual_ports_need_not_be_said() {
        let network = network("0.0.0.0:80", Some("0.0.0.0:443"));
        assert!(network.answers_to(&host("192.168.1.20"), Scheme::Http, false));
        assert!(network.answers_to(&host("192.168.1.20"), Scheme::Https, false));
        assert!(!network.answers_to(&host("192.168.1.20:443"), Scheme::Http, false));
    }

    #[test]
    fn a_desk_that_nobody_outside_can_reach_has_no_name() {
        assert_eq!(network("127.0.0.1:4711", None).local_name(), None);
        let name = network("0.0.0.0:7420", None).local_name().expect("a name");
        assert!(name.starts_with("showdesk-") && name.len() == "showdesk-1a2b3c.local".len());
    }

    #[test]
    fn a_phones_page_may_ask_any_address_but_only_at_our_ports() {
        let policy = network("0.0.0.0:7420", Some("0.0.0.0:7443")).phone_policy();
        let policy = policy.to_str().expect("text");
        assert!(policy.contains("connect-src 'self' http://*:7420 https://*:7443; "), "{policy}");
        assert!(policy.contains("script-src 'self'; "), "{policy}");
    }

    #[test]
    fn without_a_certificate_there_is_no_https_address() {
        let network = network("127.0.0.1:4711", Some("127.0.0.1:4712"));
        assert_eq!(
            (network.https_urls(), network.http_addresses()),
            (vec![], vec!["http://127.0.0.1:4711".to_owned()])
        );
    }
}
