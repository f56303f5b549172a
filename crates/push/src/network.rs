//! Connections to providers: how long they may take, whom they may reach, and what a broken one means.
//!
//! No redirects, no proxy from the environment, and answers are read to a limit.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, redirect};
use rustls::crypto::CryptoProvider;

use crate::outcome::{Code, Outcome, Wait};
use crate::setup::SetupError;

const CONNECT_MAX: Duration = Duration::from_secs(10);
const EXCHANGE_MAX: Duration = Duration::from_secs(30);
/// A line that is quiet for so long while an answer is due is asked whether it is still there. With the time for the
/// answer it is found to be dead before the exchange would be given up: one given up says nothing about the line, and
/// the next message would go into it too.
const PING_EVERY: Duration = Duration::from_secs(15);
const PING_ANSWER_MAX: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const ADDRESSES_MAX: usize = 16;
/// A provider that asks for more is asked again after a day.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// Whom an address given by a phone may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// The open internet, by https: never this machine nor its neighbours.
    #[default]
    Public,
    /// This machine too, also by http: for tests with a stand-in.
    PublicAndLoopback,
}

impl Reach {
    /// Whether a connection may be made to it.
    pub fn allows(self, address: IpAddr) -> bool {
        is_public(address) || (self == Self::PublicAndLoopback && address.is_loopback())
    }
}

/// How this program reaches the internet.
#[derive(Debug, Clone, Default)]
pub struct Network {
    reach: Reach,
    roots: Vec<Certificate>,
}

impl Network {
    /// The product's: it trusts what the operating system trusts.
    pub fn new(reach: Reach) -> Self {
        Self { reach, roots: Vec::new() }
    }

    /// Trusts this authority as well, in PEM: that of a stand-in.
    pub fn trusting(mut self, authority: &[u8]) -> Result<Self, SetupError> {
        self.roots.push(Certificate::from_pem(authority).map_err(SetupError::Connections)?);
        Ok(self)
    }

    /// Whom phones' addresses may lead to.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// For a provider whose address stands in the settings.
    pub(crate) fn client(&self) -> Result<Client, SetupError> {
        self.build(|builder| builder)
    }

    /// HTTP/2 and nothing else from the first byte: all requests at once share one connection, while with a version
    /// still to be agreed on each would open its own.
    pub(crate) fn http2_client(&self) -> Result<Client, SetupError> {
        self.build(|builder| {
            // Apple wants connections kept: a ping keeps the router from forgetting one.
            builder.http2_prior_knowledge().http2_keep_alive_while_idle(true).pool_idle_timeout(None)
        })
    }

    /// For addresses that phones gave: a name is looked up once, by us, and connected to only where it may lead.
    pub(crate) fn fenced_client(&self) -> Result<Client, SetupError> {
        let fence = Arc::new(Fence { reach: self.reach });
        self.build(|builder| builder.dns_resolver(fence).https_only(self.reach == Reach::Public))
    }

    fn build(&self, choose: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client, SetupError> {
        // Without a provider reqwest panics.
        CryptoProvider::get_default().ok_or(SetupError::NoTls)?;
        let builder = Client::builder()
            .connect_timeout(CONNECT_MAX)
            .timeout(EXCHANGE_MAX)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_ANSWER_MAX)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .tls_certs_merge(self.roots.iter().cloned());
        choose(builder).build().map_err(SetupError::Connections)
    }
}

/// Looks names up and lets only those addresses through that may be reached. What it answers is what is connected to:
/// there is no second look-up between the check and the connection.
struct Fence {
    reach: Reach,
}

impl Resolve for Fence {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open: Vec<SocketAddr> =
                found.filter(|address| reach.allows(address.ip())).take(ADDRESSES_MAX).collect();
            if open.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// A name that leads only to this machine or its neighbours. The network that says so may be a Wi-Fi that wants people
/// to sign in first, so it is no news about the phone.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
struct NotPublic;

/// Whether an address is on the open internet. Source: the special-purpose registries of IANA (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let words = address.segments();
    // What stands for an address of the older kind is as public as that.
    let embedded = || {
        let [a, b] = words[6].to_be_bytes();
        let [c, d] = words[7].to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match words {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => is_public_v4(embedded()),
        // Teredo, benchmarks and the like; documentation; 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// What a provider answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// How long the provider wants to be left alone: seconds, or a date.
    pub(crate) fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?.trim();
        let wished = text.parse().map(Duration::from_secs).ok().or_else(|| {
            let date = DateTime::parse_from_rfc2822(text).ok()?;
            Some((date.to_utc() - now).to_std().unwrap_or(Duration::ZERO))
        })?;
        Some(wished.min(RETRY_AFTER_MAX))
    }

    /// A header, if it is there and text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Sends the request and reads the whole answer, to a limit.
pub(crate) async fn exchange(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    let mut response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_BYTES_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    Ok(Answer { status, headers, body })
}

/// What a broken exchange means: try again. What broke before a provider was reached counts as no attempt, and neither
/// does what went into a line that was dead.
pub(crate) fn lost(error: &reqwest::Error, wait: Wait) -> Outcome {
    let (word, reached) = if error.is_connect() {
        (why_unreachable(error), false)
    } else if is_dead_line(error) {
        ("unreachable", false)
    } else if error.is_timeout() {
        ("timed_out", true)
    } else {
        ("connection_lost", true)
    };
    Outcome::Retry { code: Code::new(word), after: None, wait, reached }
}

/// Whether the connection answered no ping. The library's own time-out is of another type than ours of an exchange.
fn is_dead_line(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout))
}

/// A connection is also refused by us: when its name leads to a neighbour, or its certificate is not to be trusted.
fn why_unreachable(error: &reqwest::Error) -> &'static str {
    for cause in causes(error) {
        let innermost = innermost(cause);
        if innermost.is::<NotPublic>() {
            return "not_public";
        }
        if innermost.is::<rustls::Error>() {
            return "not_trusted";
        }
    }
    "unreachable"
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    successors(error.source(), |&cause| cause.source())
}

/// An `io::Error` passes over the error it holds when asked for its source, and they stand one in another.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut error = error;
    while let Some(held) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        error = held;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::noon;

    #[test]
    fn only_addresses_of_the_open_internet_are_public() {
        let table = [
            ("8.8.8.8", true),
            ("100.63.255.255", true),
            ("172.32.0.1", true),
            ("192.0.1.1", true),
            ("198.20.0.1", true),
            ("223.255.255.254", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.1", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("2a00:1450:4001::1", true),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::192.168.1.1", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:127.0.0.1", false),
            ("::", false),
            ("::1", false),
            ("::127.0.0.1", false),
            ("2001::1", false),
            ("2001:1ff::1", false),
            ("2001:200::1", true),
            ("2001:db8::1", false),
            ("2002:7f00:1::1", false),
            ("3fff:fff::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ];
        for (text, expected) in table {
            assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn the_switch_for_tests_opens_this_machine_and_no_neighbour() {
        let reach = Reach::PublicAndLoopback;
        assert!(reach.allows("127.0.0.1".parse().unwrap()));
        assert!(reach.allows("::1".parse().unwrap()));
        assert!(!reach.allows("192.168.1.1".parse().unwrap()));
        assert!(!Reach::default().allows("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_wish_to_wait_is_read_in_seconds_and_as_a_date() {
        let wish = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, reqwest::header::HeaderValue::from_static(text))]);
            Answer { status: 503, headers, body: Vec::new() }.retry_after(noon())
        };
        assert_eq!(noon().to_rfc2822(), "Sun, 22 Nov 2026 12:00:00 +0000");
        let table = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 22 Nov 2026 12:00:30 GMT", Some(30)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", Some(0)),
            ("999999999", Some(86_400)),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some(86_400)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
        ];
        for (text, seconds) in table {
            assert_eq!(wish(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
