//! Which pages may ask: those that came from this installation, now or in the last 30 days (SECURITY.md §4).

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use showdesk_engine::Engine;

use super::{Bound, Host, Network, Scheme};

/// An origin that is not known is looked up again, because another desk may have brought it; not more often than this.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Origins of former ports that a page's policy names.
const IN_POLICY_MAX: usize = 30;
/// Longer texts are no origin of ours and are not looked at.
const ORIGIN_BYTES_MAX: usize = 120;

/// The installation's origins as the database had them.
#[derive(Default)]
pub(super) struct Known(RwLock<Seen>);

#[derive(Default)]
struct Seen {
    /// The newest first.
    origins: Vec<String>,
    read_at: Option<Instant>,
}

impl Known {
    fn has(&self, origin: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).origins.iter().any(|known| known == origin)
    }

    fn is_fresh(&self, now: Instant) -> bool {
        let read_at = self.0.read().unwrap_or_else(PoisonError::into_inner).read_at;
        read_at.is_some_and(|at| now.saturating_duration_since(at) < LOOK_EVERY)
    }

    /// The content security policy of phones' pages. A page that was loaded before the laptop moved has the policy of
    /// that day: so it may ask any address, but only at our ports.
    pub(super) fn policy(&self, bound: &Bound) -> HeaderValue {
        let mut sources = format!("'self' http://*:{}", bound.http.port());
        let ports = bound.https.map(|https| format!("https://*:{}", https.port()));
        for source in ports.into_iter().chain(self.of_other_ports(bound)) {
            sources.push(' ');
            sources.push_str(&source);
        }
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
             media-src 'self' blob:; font-src 'self'; connect-src {sources}; manifest-src 'self'; worker-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).expect("origins are plain texts")
    }

    /// Those that a policy for our present ports does not cover, the newest.
    fn of_other_ports(&self, bound: &Bound) -> Vec<String> {
        let ports: HashSet<u16> = bound.https.iter().chain([&bound.http]).map(std::net::SocketAddr::port).collect();
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_other =
            |origin: &&String| !split(origin).is_some_and(|(scheme, host)| ports.contains(&host.port_or(scheme)));
        seen.origins.iter().filter(is_other).take(IN_POLICY_MAX).cloned().collect()
    }
}

impl Network {
    /// Reads where pages came from.
    pub(super) async fn read_origins(&self, engine: &Engine, now: Instant) {
        // Also after a failure: a database that does not answer is not asked by every request.
        self.known.0.write().unwrap_or_else(PoisonError::into_inner).read_at = Some(now);
        match engine.known_origins().await {
            Ok(origins) => {
                self.known.0.write().unwrap_or_else(PoisonError::into_inner).origins = origins;
                *self.policy.write().unwrap_or_else(PoisonError::into_inner) = self.known.policy(&self.bound);
            }
            Err(error) => tracing::warn!(%error, "the installation's origins could not be read"),
        }
    }

    /// Whether a page of this origin may ask the phone listener, which was asked by this host.
    pub(crate) async fn is_known_to_phones(&self, origin: &str, scheme: Scheme, host: &Host, engine: &Engine) -> bool {
        if origin.len() > ORIGIN_BYTES_MAX {
            return false;
        }
        if origin == host.origin(scheme) || self.is_present(origin) || self.known.has(origin) {
            return true;
        }
        let now = Instant::now();
        if self.known.is_fresh(now) {
            return false;
        }
        self.read_origins(engine, now).await;
        self.known.has(origin)
    }

    /// Whether a page of this origin may ask the admin listener: only its own page may.
    pub(crate) fn is_known_to_desk(&self, origin: &str, host: &Host) -> bool {
        let own = |(scheme, from): (Scheme, Host)| {
            scheme == Scheme::Http && self.is_desks(&from) && from.port_or(scheme) == self.bound.admin.port()
        };
        origin == host.origin(Scheme::Http) || split(origin).is_some_and(own)
    }

    /// Where pages come from now, to be remembered. Loopback means another machine on every machine: it is remembered
    /// only where nobody else can connect.
    pub(super) fn origins_now(&self) -> Vec<String> {
        let mut origins = self.urls(Scheme::Http);
        origins.extend(self.urls(Scheme::Https));
        if self.bound.http.ip().is_loopback() {
            let on_loopback = |scheme| {
                let port = self.port(scheme, false);
                port.map(|port| Host::parse(&format!("localhost:{port}")).expect("a host").origin(scheme))
            };
            origins.extend([Scheme::Http, Scheme::Https].into_iter().filter_map(on_loopback));
        }
        let is_lasting = |origin: &String| {
            let is_loopback = split(origin).is_some_and(|(_, host)| host.is_loopback());
            !is_loopback || self.bound.http.ip().is_loopback()
        };
        origins.retain(is_lasting);
        origins.iter().filter_map(|url| split(url)).map(|(scheme, host)| host.origin(scheme)).collect()
    }

    /// Whether a page of this origin comes from one of the phone listeners as they are bound now.
    fn is_present(&self, origin: &str) -> bool {
        let Some((scheme, host)) = split(origin) else { return false };
        let Some(port) = self.port(scheme, false) else { return false };
        let is_port = host.port_or(scheme) == port;
        is_port && (host.is_loopback() || self.answers_to(&host, scheme, false))
    }
}

/// The parts of an origin as browsers write it.
fn split(origin: &str) -> Option<(Scheme, Host)> {
    let (scheme, host) = origin.split_once("://")?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return None,
    };
    Some((scheme, Host::parse(host)?))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn network() -> Network {
        let address = |text: &str| text.parse().expect("an address");
        let bound = Bound {
            http: address("127.0.0.1:7420"),
            https: Some(address("127.0.0.1:7443")),
            admin: address("127.0.0.1:7421"),
        };
        Network::new(bound, None, Uuid::from_u128(7), std::sync::Arc::new(crate::network::of_machine))
    }

    #[test]
    fn the_desk_page_is_known_to_the_desk_and_nobody_else() {
        let network = network();
        let host = Host::parse("127.0.0.1:7421").expect("a host");
        for origin in ["http://127.0.0.1:7421", "http://localhost:7421", "http://[::1]:7421"] {
            assert!(network.is_known_to_desk(origin, &host), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://127.0.0.1:7420",
            "https://127.0.0.1:7421",
            "http://127.0.0.1:8080",
            "http://192.168.1.20:7421",
            "http://localhost.bank.example:7421",
            "file://",
            "tauri://localhost",
        ] {
            assert!(!network.is_known_to_desk(origin, &host), "{origin}");
        }
    }

    #[test]
    fn pages_of_the_phone_listeners_are_present() {
        let network = network();
        for origin in ["http://127.0.0.1:7420", "https://127.0.0.1:7443", "http://localhost:7420"] {
            assert!(network.is_present(origin), "{origin}");
        }
        for origin in ["http://127.0.0.1:7421", "http://127.0.0.1:7443", "https://127.0.0.1:7420", "null", "http://"] {
            assert!(!network.is_present(origin), "{origin}");
        }
    }

    #[test]
    fn former_ports_stand_in_the_policy_and_present_ones_need_not() {
        let network = network();
        network.known.0.write().expect("no panic").origins =
            vec!["http://192.168.1.20:7420".to_owned(), "http://192.168.1.20:8000".to_owned()];
        assert_eq!(network.known.of_other_ports(&network.bound), ["http://192.168.1.20:8000"]);
        let policy = network.known.policy(&network.bound);
        assert!(policy.to_str().expect("text").contains(" http://192.168.1.20:8000; "));
    }

    #[test]
    fn loopback_is_remembered_only_where_nobody_else_can_connect() {
        let origins = network().origins_now();
        assert_eq!(origins.len(), 4, "{origins:?}");
        assert!(origins.contains(&"http://127.0.0.1:7420".to_owned()));
        let address = |text: &str| text.parse().expect("an address");
        let bound = Bound { http: address("0.0.0.0:7420"), https: None, admin: address("127.0.0.1:7421") };
        let open = Network::new(bound, None, Uuid::from_u128(7), std::sync::Arc::new(crate::network::of_machine))
            .origins_now();
        assert!(open.iter().all(|origin| !origin.contains("127.0.0.1")), "{open:?}");
        assert!(open.iter().any(|origin| origin.contains(".local:7420")), "{open:?}");
    }
}
