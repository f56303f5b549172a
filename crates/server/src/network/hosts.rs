//! Hosts as they stand in requests. A page that gave our address another name is not answered (SECURITY.md §4).

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;

use crate::error::Problem;

/// How a listener is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that need not be said.
    fn usual_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host and the port it was said with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// None if it is no host: a name, an IPv4 address or an IPv6 address in brackets, perhaps with a port.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let name = authority.host();
        let port = authority.port_u16();
        // Neither user names nor ports that are no numbers.
        let said = port.map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        (said == text && !name.is_empty()).then(|| Self { name: name.to_ascii_lowercase(), port })
    }

    /// The one host of a request: HTTP/2 names it in the address, HTTP/1 in a header, and both must be the same.
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        let mut headers = request.headers().get_all(HOST).iter();
        let (header, None) = (headers.next(), headers.next()) else { return Err(Problem::host_missing()) };
        let header = match header {
            Some(value) => Some(value.to_str().ok().and_then(Self::parse).ok_or_else(Problem::wrong_host)?),
            None => None,
        };
        let address = match request.uri().authority() {
            Some(authority) => Some(Self::parse(authority.as_str()).ok_or_else(Problem::wrong_host)?),
            None => None,
        };
        match (header, address) {
            (None, None) => Err(Problem::host_missing()),
            (Some(header), Some(address)) if header != address => Err(Problem::wrong_host()),
            (Some(host), _) | (None, Some(host)) => Ok(host),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn port_or(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or_else(|| scheme.usual_port())
    }

    pub(super) fn is_loopback(&self) -> bool {
        matches!(self.name.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }

    /// As it stands in an origin.
    pub(super) fn origin(&self, scheme: Scheme) -> String {
        let scheme_text = scheme.as_str();
        match self.port.filter(|port| *port != scheme.usual_port()) {
            Some(port) => format!("{scheme_text}://{}:{port}", self.name),
            None => format!("{scheme_text}://{}", self.name),
        }
    }
}

/// An address as it stands in a host.
pub(super) fn text_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for (text, name, port) in [
            ("192.168.1.20:7420", "192.168.1.20", Some(7420)),
            ("LOCALHOST", "localhost", None),
            ("[::1]:7420", "[::1]", Some(7420)),
            ("showdesk-1a2b3c.local:7443", "showdesk-1a2b3c.local", Some(7443)),
        ] {
            assert_eq!(Host::parse(text), Some(Host { name: name.to_owned(), port }), "{text}");
        }
        for text in ["", ":7420", "user@localhost", "localhost:", "localhost:x", "localhost:99999", "a b", "a/b"] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    fn status_of(uri: &str, hosts: &[&str]) -> Result<String, u16> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let request = request.body(Body::empty()).expect("a request");
        Host::of(&request).map(|host| host.name).map_err(|problem| problem.into_response().status().as_u16())
    }

    #[test]
    fn a_request_has_one_host() {
        assert_eq!(status_of("/", &["localhost:1"]).as_deref(), Ok("localhost"));
        assert_eq!(status_of("https://localhost:1/", &[]).as_deref(), Ok("localhost"), "HTTP/2 has no header");
        assert_eq!(status_of("http://localhost:1/", &["localhost:1"]).as_deref(), Ok("localhost"));
        assert_eq!(status_of("/", &[]), Err(400));
        assert_eq!(status_of("/", &["localhost", "localhost"]), Err(400));
        assert_eq!(status_of("/", &["loc alhost"]), Err(421));
        assert_eq!(status_of("http://bank.example/", &["localhost:1"]), Err(421));
    }

    #[test]
    fn an_origin_leaves_the_usual_port_out() {
        let origin = |text: &str, scheme| Host::parse(text).expect("a host").origin(scheme);
        assert_eq!(origin("10.0.0.5:80", Scheme::Http), "http://10.0.0.5");
        assert_eq!(origin("10.0.0.5:443", Scheme::Https), "https://10.0.0.5");
        assert_eq!(origin("10.0.0.5:443", Scheme::Http), "http://10.0.0.5:443");
    }
}
