//! Apple Push Notification service, with a key of the team (JWT).
//!
//! Source: Apple's "Sending notification requests to APNs" and "Handling notification responses from APNs".

mod answers;
mod key;
mod payload;

use std::fmt;
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

pub use key::AppleKey;

use crate::message::Outgoing;
use crate::network::{Network, exchange, lost};
use crate::outcome::{Outcome, Wait};
use crate::secret::Secret;
use crate::setup::SetupError;
use crate::trial::Trial;
use answers::Reading;
use payload::Form;

/// Which of Apple's two worlds an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Apps from the store, and `TestFlight`.
    Production,
    /// Apps that a developer put on a phone.
    Sandbox,
}

impl Environment {
    /// The one that it is not.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Production => Self::Sandbox,
            Self::Sandbox => Self::Production,
        }
    }
}

/// Where Apple is. A stand-in is somewhere else.
#[derive(Debug, Clone)]
pub struct ApnsEndpoints {
    /// By default `https://api.push.apple.com`.
    pub production: String,
    /// By default `https://api.sandbox.push.apple.com`.
    pub sandbox: String,
}

impl Default for ApnsEndpoints {
    fn default() -> Self {
        Self {
            production: "https://api.push.apple.com".to_owned(),
            sandbox: "https://api.sandbox.push.apple.com".to_owned(),
        }
    }
}

/// How Apple knows an app on a phone.
#[derive(Debug, Clone)]
pub struct ApnsTarget {
    /// The device token, in hexadecimal.
    pub token: Secret,
    /// Where it was registered, as far as we know.
    pub environment: Environment,
    /// The app's bundle id.
    pub topic: String,
    /// When the phone last told us this token.
    pub registered_at: DateTime<Utc>,
}

/// Sends by Apple.
pub struct Apns {
    network: Network,
    key: AppleKey,
    production: Line,
    sandbox: Line,
}

impl fmt::Debug for Apns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apns").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Apns {
    /// A sender with this key. Nothing is sent yet.
    pub fn new(network: &Network, key: AppleKey, endpoints: &ApnsEndpoints) -> Result<Self, SetupError> {
        Ok(Self {
            network: network.clone(),
            key,
            production: Line::new(network, &endpoints.production)?,
            sandbox: Line::new(network, &endpoints.sandbox)?,
        })
    }

    /// Sends the message once. What Apple says of a token, a stale pass or a long message is tried once the other way.
    pub async fn send(&self, now: DateTime<Utc>, target: &ApnsTarget, message: &Outgoing) -> Outcome {
        let form = match Form::new(now, target, message) {
            Ok(form) => form,
            Err(outcome) => return outcome,
        };
        let here = target.environment;
        let first = self.deliver(now, here, target, &form).await;
        if first != Reading::WrongEnvironment {
            return first.settled();
        }
        match self.deliver(now, here.other(), target, &form).await {
            Reading::Settled(Outcome::Accepted { provider_message_id }) => {
                Outcome::OtherEnvironment { environment: here.other(), provider_message_id }
            }
            // The key may be for one environment only: that says nothing about the phone.
            Reading::Settled(Outcome::Config { .. }) => Outcome::strike("BadDeviceToken"),
            other => other.settled(),
        }
    }

    /// Sends to a token that cannot exist. If that token is all Apple finds wrong, key, team and app are right.
    pub async fn test(&self, now: DateTime<Utc>, environment: Environment, topic: &str) -> Trial {
        let target =
            ApnsTarget { token: Secret::new("0".repeat(64)), environment, topic: topic.to_owned(), registered_at: now };
        let reading = match payload::check(&target) {
            Ok(()) => self.deliver(now, environment, &target, &Form::trial()).await,
            Err(_) => Reading::Settled(Outcome::drop("BadTopic")),
        };
        answers::in_words(topic, &reading)
    }

    /// One message to one environment, with what may be mended on the way: a pass, and a length.
    async fn deliver(&self, now: DateTime<Utc>, environment: Environment, target: &ApnsTarget, form: &Form) -> Reading {
        let pass = self.key.pass(now);
        let mut reading = self.post(now, environment, target, form, (&form.body, &pass)).await;
        if reading == Reading::StalePass {
            self.key.forget_pass(&pass);
            reading = self.post(now, environment, target, form, (&form.body, &self.key.pass(now))).await;
        }
        if reading == Reading::TooLong {
            reading = self.post(now, environment, target, form, (&form.shorter, &self.key.pass(now))).await;
        }
        reading
    }

    async fn post(
        &self,
        now: DateTime<Utc>,
        environment: Environment,
        target: &ApnsTarget,
        form: &Form,
        (body, pass): (&str, &Secret),
    ) -> Reading {
        let line = match environment {
            Environment::Production => &self.production,
            Environment::Sandbox => &self.sandbox,
        };
        let (generation, request) = line.request(&target.token);
        let request = form
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, value))
            .header(AUTHORIZATION, format!("bearer {}", pass.reveal()))
            .header("apns-topic", &target.topic)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        let (reading, broken) = match exchange(request).await {
            Ok(answer) => (answers::read(&answer, now, target, form.id), answer.status >= 500),
            Err(error) => (Reading::Settled(lost(&error, Wait::Provider)), true),
        };
        if broken {
            line.reconnect(&self.network, generation);
        }
        reading
    }
}

/// The connection to one environment.
struct Line {
    address: Url,
    /// Counted, so that many requests that broke together make one new connection.
    client: RwLock<(u64, Client)>,
}

impl Line {
    fn new(network: &Network, address: &str) -> Result<Self, SetupError> {
        let refused = || SetupError::Address(address.to_owned());
        let parsed = Url::parse(address).map_err(|_| refused())?;
        if parsed.cannot_be_a_base() {
            return Err(refused());
        }
        Ok(Self { address: parsed, client: RwLock::new((0, network.http2_client()?)) })
    }

    fn request(&self, token: &Secret) -> (u64, RequestBuilder) {
        let mut address = self.address.clone();
        address.set_path(&format!("/3/device/{}", token.reveal()));
        let kept = self.client.read().unwrap_or_else(PoisonError::into_inner);
        (kept.0, kept.1.post(address))
    }

    /// Leaves the connection that broke; who is still waiting for an answer on it may go on.
    fn reconnect(&self, network: &Network, broken: u64) {
        let mut kept = self.client.write().unwrap_or_else(PoisonError::into_inner);
        if kept.0 == broken
            && let Ok(client) = network.http2_client()
        {
            *kept = (broken + 1, client);
        }
    }
}

/// Apple takes our id for the message, and gives it back.
fn message_id(id: Uuid) -> String {
    id.hyphenated().to_string()
}
