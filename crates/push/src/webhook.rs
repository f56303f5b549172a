//! A page of somebody's own that takes messages as JSON.
//!
//! Its address is a secret like a key: chat programs put the pass into it. It may lead to the show's own network, since
//! only those who run the show set it.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use url::Url;

use crate::network::Network;
use crate::secret::Secret;
use crate::setup::SetupError;

/// One message has so long, answer included.
const SEND_MAX: Duration = Duration::from_secs(10);
const ADDRESS_CHARS_MAX: usize = 2_000;
const PROGRAM: &str = concat!("showdesk/", env!("CARGO_PKG_VERSION"));

/// Why an address cannot be a webhook's, in the words for the person who entered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is no address of the web.
    #[error("This is not an address. It begins with https:// or http://.")]
    NotWeb,
    /// A name and a password stand in it.
    #[error("Leave the name and the password out of the address: they would be sent in clear.")]
    Credentials,
    /// It is longer than any address in use.
    #[error("This address is too long.")]
    TooLong,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The page took it.
    Taken,
    /// It may take it later: it was not reached, is busy, or has a fault.
    Later(Fault),
    /// It will not take it.
    Never(Fault),
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody answered there.
    Unreachable,
    /// The answer did not come in time.
    TimedOut,
    /// The page answered with this status.
    Status(u16),
}

impl Fault {
    /// In a sentence for the person who set it up. It never has the address in it.
    pub fn sentence(self) -> String {
        match self {
            Self::Unreachable => {
                "Nobody answered at this address. Check it, and whether the laptop has a connection to it.".to_owned()
            }
            Self::TimedOut => "No answer came within 10 seconds.".to_owned(),
            Self::Status(status @ (401 | 403)) => {
                format!("It answered {status}: the address or the pass in it is not right any more.")
            }
            Self::Status(status @ (404 | 410)) => format!("It answered {status}: there is nothing at this address."),
            Self::Status(status @ 300..=399) => {
                format!("It answered {status} and wants another address; enter that one.")
            }
            Self::Status(status) => format!("It answered {status} and did not take the message."),
        }
    }
}

/// A checked address.
#[derive(Debug, Clone)]
pub struct Webhook {
    url: Secret,
    shown: String,
}

impl Webhook {
    /// Takes an address of the web without a name and a password in it.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        if text.chars().count() > ADDRESS_CHARS_MAX {
            return Err(BadAddress::TooLong);
        }
        let mut url = Url::parse(text).map_err(|_| BadAddress::NotWeb)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(BadAddress::NotWeb);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadAddress::Credentials);
        }
        url.set_fragment(None);
        let shown = format!("{}/…", url.origin().ascii_serialization());
        Ok(Self { url: Secret::new(url.as_str()), shown })
    }

    /// What may be shown of it: where it is, and nothing of the rest.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// All of it, for the vault.
    pub fn reveal(&self) -> &str {
        self.url.reveal()
    }
}

/// Posts messages to webhooks.
pub struct WebhookSender(Client);

impl WebhookSender {
    /// With connections of its own: no redirects, no proxy.
    pub fn new(network: &Network) -> Result<Self, SetupError> {
        network.client().map(Self)
    }

    /// Posts one message.
    pub async fn send(&self, webhook: &Webhook, message: &Value) -> Sent {
        let request = self.0.post(webhook.url.reveal()).timeout(SEND_MAX).header(USER_AGENT, PROGRAM);
        let request = request.header(CONTENT_TYPE, "application/json").body(message.to_string());
        match request.send().await {
            Ok(answer) => of_status(answer.status()),
            Err(error) if error.is_timeout() => Sent::Later(Fault::TimedOut),
            Err(_) => Sent::Later(Fault::Unreachable),
        }
    }
}

fn of_status(status: StatusCode) -> Sent {
    let fault = Fault::Status(status.as_u16());
    match status {
        status if status.is_success() => Sent::Taken,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Sent::Later(fault),
        status if status.is_server_error() => Sent::Later(fault),
        _ => Sent::Never(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_web_and_has_no_password() {
        for (text, expected) in [
            (" https://hooks.example.org/T0/B1/secret?x=1#y ", Ok("https://hooks.example.org/…")),
            ("http://192.168.1.5:8123/api/webhook/abc", Ok("http://192.168.1.5:8123/…")),
            ("https://me:pw@example.org/", Err(BadAddress::Credentials)),
            ("https://me@example.org/", Err(BadAddress::Credentials)),
            ("file:///etc/passwd", Err(BadAddress::NotWeb)),
            ("javascript:alert(1)", Err(BadAddress::NotWeb)),
            ("ftp://example.org/", Err(BadAddress::NotWeb)),
            ("hooks.example.org", Err(BadAddress::NotWeb)),
            ("", Err(BadAddress::NotWeb)),
        ] {
            let parsed = Webhook::parse(text);
            assert_eq!(parsed.as_ref().map(Webhook::shown).map_err(|error| *error), expected, "{text}");
        }
        assert_eq!(Webhook::parse(&format!("https://a.b/{}", "x".repeat(2_000))).err(), Some(BadAddress::TooLong));
        let kept = Webhook::parse("https://hooks.example.org/T0/secret#y").unwrap();
        assert_eq!(kept.reveal(), "https://hooks.example.org/T0/secret");
        assert!(!format!("{kept:?}").contains("secret/") && !format!("{kept:?}").contains("T0"), "{kept:?}");
    }

    #[test]
    fn what_cannot_be_mended_by_waiting_is_not_tried_again() {
        let of = |status: u16| of_status(StatusCode::from_u16(status).unwrap());
        assert_eq!([of(200), of(204)], [Sent::Taken; 2]);
        for status in [408, 425, 429, 500, 503] {
            assert_eq!(of(status), Sent::Later(Fault::Status(status)));
        }
        for status in [301, 302, 400, 401, 404, 410] {
            assert_eq!(of(status), Sent::Never(Fault::Status(status)));
        }
    }
}
