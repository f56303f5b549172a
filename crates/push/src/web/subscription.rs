//! What a browser gave when its page subscribed: hostile until it was looked at.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::PublicKey;
use url::{Host, Url};

use crate::network::Reach;
use crate::setup::SetupError;

const ENDPOINT_LENGTH_MAX: usize = 2048;
const AUTH_BYTES: usize = 16;
const KEY_BYTES: usize = 65;

/// A subscription that was looked at. Its address and its secret let anybody send, so they are not printed.
#[derive(Clone)]
pub struct WebTarget {
    endpoint: Url,
    key: PublicKey,
    auth: [u8; AUTH_BYTES],
}

impl WebTarget {
    /// Looks at what a phone sent, when it sends it and whenever it is read again.
    ///
    /// An address by name is looked up only when a message goes there, each time anew.
    pub fn parse(endpoint: &str, p256dh: &str, auth: &str, reach: Reach) -> Result<Self, SetupError> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let key = bytes(p256dh)
            .filter(|bytes| bytes.len() == KEY_BYTES)
            .and_then(|bytes| PublicKey::from_sec1_bytes(&bytes).ok())
            .ok_or(SetupError::Subscription("p256dh is no point of the curve"))?;
        let auth = bytes(auth)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(SetupError::Subscription("auth is not 16 bytes"))?;
        Ok(Self { endpoint: address(endpoint, reach)?, key, auth })
    }

    /// Looks the push service's name up, and refuses one that leads only to this machine or its neighbours. A name that
    /// cannot be looked up now is no reason: the laptop may be offline, and it is looked up anew for each message.
    pub async fn look_up(&self, reach: Reach) -> Result<(), SetupError> {
        let Some(Host::Domain(name)) = self.endpoint.host() else { return Ok(()) };
        let Ok(found) = tokio::net::lookup_host((name, 0)).await else { return Ok(()) };
        let found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        if !found.is_empty() && !found.iter().any(|address| reach.allows(*address)) {
            return Err(SetupError::Subscription("the address is not on the open internet"));
        }
        Ok(())
    }

    /// Where to post.
    pub(super) fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(super) fn auth(&self) -> &[u8; AUTH_BYTES] {
        &self.auth
    }

    /// The push service it leads to.
    pub fn service(&self) -> String {
        service(&self.endpoint)
    }

    /// Chrome gives such a host to a subscription that was taken back.
    pub(super) fn leads_nowhere(&self) -> bool {
        self.endpoint.host_str().is_some_and(|host| host == "invalid" || host.ends_with(".invalid"))
    }
}

impl fmt::Debug for WebTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebTarget").field("service", &self.service()).finish_non_exhaustive()
    }
}

/// The push service of an address: the address without what is the phone's own.
pub fn service_of(endpoint: &str) -> Option<String> {
    Url::parse(endpoint).ok().map(|url| service(&url))
}

fn service(endpoint: &Url) -> String {
    endpoint.origin().ascii_serialization()
}

fn address(text: &str, reach: Reach) -> Result<Url, SetupError> {
    let refused = |why| Err(SetupError::Subscription(why));
    if text.len() > ENDPOINT_LENGTH_MAX {
        return refused("the address is too long");
    }
    let Ok(url) = Url::parse(text) else {
        return refused("the address is none");
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return refused("the address holds more than an address");
    }
    let number = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return refused("the address has no host"),
    };
    if number.is_some_and(|address| !reach.allows(address)) {
        return refused("the address is not on the open internet");
    }
    let own = url.host_str().is_some_and(|host| host.trim_end_matches('.').rsplit('.').next() == Some("localhost"));
    if own && reach == Reach::Public {
        return refused("the address is not on the open internet");
    }
    let here = own || number.is_some_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if here && reach == Reach::PublicAndLoopback => Ok(url),
        _ => refused("the address does not begin with https"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn parse(endpoint: &str, reach: Reach) -> Result<WebTarget, SetupError> {
        WebTarget::parse(endpoint, KEY, AUTH, reach)
    }

    #[test]
    fn addresses_of_push_services_are_taken() {
        for endpoint in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "https://web.push.apple.com/QGuQ?x=1",
            "https://push.example.org:8443/a",
            "https://8.8.8.8/a",
        ] {
            assert!(parse(endpoint, Reach::Public).is_ok(), "{endpoint}");
        }
    }

    #[test]
    fn addresses_that_lead_into_the_show_are_refused() {
        for endpoint in [
            "http://127.0.0.1",
            "http://169.254.169.254",
            "https://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
            "http://push.example.org/a",
            "ftp://push.example.org/a",
            "https://127.0.0.1/a",
            "https://127.1/a",
            "https://0x7f000001/a",
            "https://2130706433/a",
            "https://0177.0.0.1/a",
            "https://[::1]/a",
            "https://[::ffff:10.0.0.1]/a",
            "https://10.0.0.7:7421/a",
            "https://192.168.1.10/a",
            "https://localhost/a",
            "https://localhost./a",
            "https://desk.localhost/a",
            "https://user:word@push.example.org/a",
            "https://push.example.org/a#b",
            "javascript:alert(1)",
            "data:text/plain,a",
            "push.example.org",
            "",
        ] {
            assert!(parse(endpoint, Reach::Public).is_err(), "{endpoint}");
        }
        let long = format!("https://push.example.org/{}", "a".repeat(ENDPOINT_LENGTH_MAX));
        assert!(parse(&long, Reach::Public).is_err());
    }

    #[test]
    fn the_switch_for_tests_lets_this_machine_in_and_no_neighbour() {
        let open = |endpoint| parse(endpoint, Reach::PublicAndLoopback).is_ok();
        assert!(open("http://127.0.0.1:8090/notify/a"));
        assert!(open("http://localhost:8090/notify/a"));
        assert!(open("https://[::1]/a"));
        assert!(!open("http://192.168.1.10/a"));
        assert!(!open("https://192.168.1.10/a"));
        assert!(!open("http://push.example.org/a"));
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let endpoint = "https://push.example.org/a";
        let off_the_curve = KEY.replacen("BCVx", "BCVy", 1);
        let compressed = URL_SAFE_NO_PAD.encode([2; 33]);
        for key in ["", "AAAA", "!", off_the_curve.as_str(), compressed.as_str(), &KEY[..86]] {
            assert!(WebTarget::parse(endpoint, key, AUTH, Reach::Public).is_err(), "{key}");
        }
        for auth in ["", "AAAA", &AUTH[..21], "BTBZMqHH6r4Tts7J_aSIggAA"] {
            assert!(WebTarget::parse(endpoint, KEY, auth, Reach::Public).is_err(), "{auth}");
        }
        assert!(WebTarget::parse(endpoint, &format!("{KEY}="), &format!("{AUTH}=="), Reach::Public).is_ok());
    }

    #[test]
    fn what_lets_anybody_send_is_not_printed() {
        let target = parse("https://push.example.org/secret-path", Reach::Public).unwrap();
        assert_eq!(format!("{target:?}"), r#"WebTarget { service: "https://push.example.org", .. }"#);
    }

    #[test]
    fn a_subscription_taken_back_leads_nowhere() {
        let nowhere = |endpoint| parse(endpoint, Reach::Public).unwrap().leads_nowhere();
        assert!(nowhere("https://permanently-removed.invalid/fcm/send/a"));
        assert!(!nowhere("https://invalid.example.org/a"));
    }
}
