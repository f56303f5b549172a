//! Where phones reach this desk, and the pictures that bring them there.

use std::sync::Arc;

use qrcode::QrCode;
use qrcode::render::svg;

use crate::error::Problem;
use crate::network::Network;

/// Pixels of a QR code's side; it is a vector picture and can be drawn at any size.
const QR_SIDE: u32 = 240;

/// The phone listener's address, seen from outside.
pub(crate) struct Joining {
    network: Arc<Network>,
}

impl Joining {
    pub(crate) fn new(network: Arc<Network>) -> Self {
        Self { network }
    }

    /// `http://address:port` for each address that phones can use, best first. Never empty.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.network.http_addresses()
    }

    /// The page that a phone opens with this code: plain HTTP, which every phone can use. Behind the code stands the
    /// fingerprint of what a phone may trust, so that it need not take it from the network.
    pub(crate) fn join_url(&self, code: &str) -> String {
        match self.network.trusted() {
            Some(trust) => self.url(&format!("#/join/{code}.{}", trust.fingerprint)),
            None => self.url(&format!("#/join/{code}")),
        }
    }

    /// The page that a phone opens to show that it reaches the laptop.
    pub(crate) fn test_url(&self, code: &str) -> String {
        self.url(&format!("test/{code}"))
    }

    fn url(&self, path: &str) -> String {
        let addresses = self.addresses();
        let address = addresses.first().expect("there is always loopback");
        format!("{address}/{path}")
    }
}

/// A QR code as an SVG picture.
pub(crate) fn qr_svg(text: &str) -> Result<String, Problem> {
    let code = QrCode::new(text).map_err(|error| Problem::invalid("too_large", error.to_string()))?;
    let mut picture = code.render::<svg::Color<'_>>();
    Ok(picture.min_dimensions(QR_SIDE, QR_SIDE).build())
}

/// What a phone's camera reads to join a Wi-Fi.
pub(crate) fn wifi_text(ssid: &str, password: Option<&str>) -> String {
    match password.filter(|password| !password.is_empty()) {
        Some(password) => format!("WIFI:T:WPA;S:{};P:{};;", escaped(ssid), escaped(password)),
        None => format!("WIFI:T:nopass;S:{};;", escaped(ssid)),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | ';' | ',' | ':' | '"') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Bound;

    #[test]
    fn a_listener_on_one_address_offers_only_that() {
        let address = |text: &str| text.parse().expect("an address");
        let bound = Bound { http: address("127.0.0.1:4711"), https: None, admin: address("127.0.0.1:4712") };
        let joining =
            Joining::new(Arc::new(Network::new(bound, None, uuid::Uuid::nil(), Arc::new(crate::network::of_machine))));
        assert_eq!(joining.addresses(), ["http://127.0.0.1:4711"]);
        assert_eq!(joining.join_url("abc"), "http://127.0.0.1:4711/#/join/abc");
        assert_eq!(joining.test_url("abc"), "http://127.0.0.1:4711/test/abc");
    }

    #[test]
    fn wifi_names_and_passwords_are_escaped() {
        assert_eq!(wifi_text("Barn;1", Some(r#"a\b:c,"d"#)), r#"WIFI:T:WPA;S:Barn\;1;P:a\\b\:c\,\"d;;"#);
        assert_eq!(wifi_text("Open", None), "WIFI:T:nopass;S:Open;;");
    }

    #[test]
    fn a_qr_code_is_an_svg_and_too_long_a_text_is_refused() {
        assert!(qr_svg("http://192.168.1.20:7420/#/join/x").expect("it fits").contains("<svg"));
        assert!(qr_svg(&"x".repeat(4_000)).is_err());
    }
}
