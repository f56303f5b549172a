//! Web Push: RFC 8030 for the request, RFC 8291 for the content, RFC 8292 for who sends.

mod answers;
pub mod content;
mod refusals;
mod subscription;
mod vapid;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::json;
use url::Url;

pub use subscription::{WebTarget, service_of};
pub use vapid::VapidKey;

use crate::message::Outgoing;
use crate::network::{Network, exchange, lost};
use crate::outcome::{Outcome, Wait};
use crate::randomness::Randomness;
use crate::secret::Secret;
use crate::setup::SetupError;
use crate::trial::Trial;
use answers::Reading;
use refusals::Refusals;
use vapid::Passes;

/// Push services keep a message for four weeks at most.
const TIME_TO_LIVE_MAX: Duration = Duration::from_hours(28 * 24);
/// Apple's push service.
const APPLE: &str = "web.push.apple.com";
/// What is left of a message when a push service found it too large.
const SHORT_BYTES_MAX: usize = 1024;

/// Sends to browsers.
pub struct WebPush {
    client: Client,
    passes: Passes,
    refusals: Refusals,
    /// Push services to knock at in a test of the settings.
    services: Vec<String>,
}

impl fmt::Debug for WebPush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebPush").field("key", self.passes.key()).finish_non_exhaustive()
    }
}

/// Those of the browsers most people have, by name and address.
const SERVICES: [&str; 3] =
    ["https://fcm.googleapis.com/", "https://updates.push.services.mozilla.com/", "https://web.push.apple.com/"];

impl WebPush {
    /// A sender with this key. `contact` is a `mailto:` or `https:` address that push services may write to.
    pub fn new(network: &Network, key: VapidKey, contact: &str) -> Result<Self, SetupError> {
        Ok(Self {
            client: network.fenced_client()?,
            passes: Passes::new(key, contact)?,
            refusals: Refusals::default(),
            services: SERVICES.map(str::to_owned).to_vec(),
        })
    }

    /// Knocks at other push services in a test of the settings: at a stand-in.
    #[must_use]
    pub fn knocking_at(mut self, services: Vec<String>) -> Self {
        self.services = services;
        self
    }

    /// Sends the message once; a shorter one if the first was too large for the push service.
    pub async fn send(&self, now: DateTime<Utc>, fresh: Randomness, target: &WebTarget, message: &Outgoing) -> Outcome {
        if target.leads_nowhere() {
            return Outcome::dead("invalid_host");
        }
        let Some(left) = message.time_left(now, TIME_TO_LIVE_MAX) else {
            return Outcome::drop("expired");
        };
        let Some(body) = fitted(message, content::PLAIN_BYTES_MAX) else {
            return Outcome::drop("too_large");
        };
        let Some(sealed) = content::for_subscription(&fresh, target, body.as_bytes(), content::padded(body.len()))
        else {
            return Outcome::drop("no_randomness");
        };
        let reading = self.post(now, target, message, left, sealed).await;
        let reading = match (reading, fitted(message, SHORT_BYTES_MAX)) {
            // The text differs, so its key must: the salt does it. Nobody saw the first in full.
            (Reading::TooLarge, Some(short)) => {
                match content::for_subscription(&fresh.turned(), target, short.as_bytes(), short.len()) {
                    Some(sealed) => self.post(now, target, message, left, sealed).await,
                    None => Reading::TooLarge,
                }
            }
            (reading, _) => reading,
        };
        self.refusals.settle(target, reading)
    }

    /// Checks the key with itself, and whether the push services can be reached. No phone gets anything.
    pub async fn test(&self, now: DateTime<Utc>, fresh: &Randomness) -> Trial {
        if !self.passes.check(now) || !content::check(fresh) {
            return Trial::fails(
                "vapid_key",
                "The key for web messages does not work. Make a new one; people then have to allow messages again.",
            );
        }
        for service in &self.services {
            if let Err(error) = exchange(self.client.get(service)).await {
                let Outcome::Retry { code, .. } = lost(&error, Wait::Target) else { continue };
                let name = service.trim_start_matches("https://").trim_end_matches('/');
                return Trial::of_connection(name, code.as_str())
                    .unwrap_or_else(|| Trial::fails(code.as_str(), format!("{name} cannot be asked ({code}).")));
            }
        }
        Trial::works("The key works and the message services of Chrome, Firefox and Safari can be reached.")
    }

    async fn post(
        &self,
        now: DateTime<Utc>,
        target: &WebTarget,
        message: &Outgoing,
        left: Duration,
        sealed: Vec<u8>,
    ) -> Reading {
        let pass: Secret = self.passes.pass(now, target);
        let mut request = self
            .client
            .post(target.endpoint().clone())
            .header(AUTHORIZATION, pass.reveal())
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("TTL", left.as_secs())
            .header("Urgency", urgency(target.endpoint(), message))
            .body(sealed);
        if let Some(name) = message.collapse_name() {
            request = request.header("Topic", name);
        }
        match exchange(request).await {
            Ok(answer) => answers::read(&answer, now),
            Err(error) => Reading::Settled(lost(&error, Wait::Target)),
        }
    }
}

/// A sleeping iPhone shows only what is urgent; other phones keep their batteries for what is.
fn urgency(endpoint: &Url, message: &Outgoing) -> &'static str {
    if message.priority.wakes() || endpoint.host_str() == Some(APPLE) { "high" } else { "normal" }
}

/// The message as the page's worker reads it, in at most so many bytes.
fn fitted(message: &Outgoing, limit: usize) -> Option<String> {
    let form = |body: &str| {
        let mut form = json!({
            "expires_at": message.expires_at,
            "data": message.data,
        });
        let own = json!({
            "id": message.id,
            "title": message.title,
            "body": body,
            "priority": message.priority,
            "tag": message.collapse_name(),
        });
        let told = message.notice.iter().chain(own.as_object().into_iter().flatten());
        told.for_each(|(name, value)| form[name] = value.clone());
        form.to_string()
    };
    let body = message.fitting_body(limit, |body| form(body).len())?;
    Some(form(&body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Priority;
    use crate::message::tests::{call, noon};

    #[test]
    fn an_iphone_is_always_asked_urgently_and_others_only_when_it_is() {
        for (endpoint, priority, expected) in [
            ("https://web.push.apple.com/QGu", Priority::Normal, "high"),
            ("https://fcm.googleapis.com/fcm/send/a", Priority::Normal, "normal"),
            ("https://updates.push.services.mozilla.com/wpush/v2/a", Priority::Normal, "normal"),
            ("https://fcm.googleapis.com/fcm/send/a", Priority::High, "high"),
        ] {
            let endpoint = Url::parse(endpoint).unwrap();
            assert_eq!(urgency(&endpoint, &Outgoing { priority, ..call(noon()) }), expected, "{endpoint} {priority:?}");
        }
    }
}
