//! Where phones reach this desk, and the pictures that bring them there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use qrcode::QrCode;
use qrcode::render::svg;

use crate::error::Problem;

/// Pixels of a QR code's side; it is a vector picture and can be drawn at any size.
const QR_SIDE: u32 = 240;

/// The phone listener's address, seen from outside.
pub(crate) struct Joining {
    http: SocketAddr,
}

impl Joining {
    pub(crate) fn new(http: SocketAddr) -> Self {
        Self { http }
    }

    /// `http://address:port` for each address that phones can use, best first. Never empty.
    ///
    /// Asked again each time, because a laptop changes its network.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let own = match self.http.ip() {
            address if !address.is_unspecified() => vec![address],
            _ => network_addresses(),
        };
        own.into_iter().map(|address| format!("http://{}", SocketAddr::new(address, self.http.port()))).collect()
    }

    /// The page that a phone opens with this code.
    pub(crate) fn join_url(&self, code: &str) -> String {
        let addresses = self.addresses();
        let address = addresses.first().expect("there is always loopback");
        format!("{address}/#/join/{code}")
    }
}

fn network_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the network interfaces cannot be listed");
        Vec::new()
    });
    let addresses = interfaces.iter().filter_map(|interface| match interface.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    });
    reachable(addresses.collect())
}

/// The private addresses, home and show networks first; loopback only if there is no other.
fn reachable(mut addresses: Vec<Ipv4Addr>) -> Vec<IpAddr> {
    addresses.retain(Ipv4Addr::is_private);
    addresses.sort_by_key(|address| (likely_order(*address), *address));
    addresses.dedup();
    if addresses.is_empty() {
        addresses.push(Ipv4Addr::LOCALHOST);
    }
    addresses.into_iter().map(IpAddr::V4).collect()
}

/// 192.168 is what small routers give out; 172.16–31 is often a bridge of virtual machines.
fn likely_order(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        192 => 0,
        10 => 1,
        _ => 2,
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

    #[test]
    fn only_private_addresses_are_offered_and_the_likely_ones_first() {
        let all = ["127.0.0.1", "172.17.0.1", "10.0.0.5", "8.8.8.8", "192.168.1.20", "192.168.1.20", "169.254.1.1"];
        let found = reachable(all.iter().map(|text| text.parse().expect("an address")).collect());
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["192.168.1.20", "10.0.0.5", "172.17.0.1"]);
    }

    #[test]
    fn a_machine_without_a_network_offers_loopback() {
        assert_eq!(reachable(vec![Ipv4Addr::LOCALHOST]), [IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    }

    #[test]
    fn a_listener_on_one_address_offers_only_that() {
        let joining = Joining::new("127.0.0.1:4711".parse().expect("an address"));
        assert_eq!(joining.addresses(), ["http://127.0.0.1:4711"]);
        assert_eq!(joining.join_url("abc"), "http://127.0.0.1:4711/#/join/abc");
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
