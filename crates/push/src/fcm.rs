//! Firebase Cloud Messaging, HTTP v1.
//!
//! Source: the discovery document `fcm:v1` of 2026-10-23 and Firebase's list of error codes.

mod account;
mod answers;
mod passes;
mod payload;

use std::fmt;

use chrono::{DateTime, Utc};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use url::Url;

pub use account::ServiceAccount;

use crate::message::Outgoing;
use crate::network::{Answer, Network, exchange, lost};
use crate::outcome::{Outcome, Wait};
use crate::secret::Secret;
use crate::setup::SetupError;
use crate::trial::Trial;
use answers::Reading;
use passes::Passes;

/// Where Google is. A stand-in is somewhere else.
#[derive(Debug, Clone)]
pub struct FcmEndpoints {
    /// Takes messages, by default `https://fcm.googleapis.com`.
    pub messages: String,
    /// Gives passes, by default `https://oauth2.googleapis.com/token`.
    pub passes: String,
}

impl Default for FcmEndpoints {
    fn default() -> Self {
        Self { messages: "https://fcm.googleapis.com".to_owned(), passes: passes::AUDIENCE.to_owned() }
    }
}

/// How Firebase knows an app on a phone.
#[derive(Debug, Clone)]
pub enum FcmTarget {
    /// A registration token, the older way.
    Token(Secret),
    /// A Firebase installation id.
    Fid(Secret),
}

/// Sends by Firebase.
pub struct Fcm {
    client: Client,
    messages: Url,
    project: String,
    passes: Passes,
}

impl fmt::Debug for Fcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fcm").field("project", &self.project).finish_non_exhaustive()
    }
}

impl Fcm {
    /// A sender with this account. Nothing is sent yet.
    pub fn new(network: &Network, account: ServiceAccount, endpoints: &FcmEndpoints) -> Result<Self, SetupError> {
        let address = |text: &str| Url::parse(text).map_err(|_| SetupError::Address(text.to_owned()));
        let project = account.project().to_owned();
        let mut messages = address(&endpoints.messages)?;
        messages
            .path_segments_mut()
            .map_err(|()| SetupError::Address(endpoints.messages.clone()))?
            .pop_if_empty()
            .extend(["v1", "projects", &project, "messages:send"]);
        let client = network.client()?;
        let passes = Passes::new(client.clone(), address(&endpoints.passes)?, account);
        Ok(Self { client, messages, project, passes })
    }

    /// Sends the message once; renews the pass and asks once more if Google does not know it any more.
    pub async fn send(&self, now: DateTime<Utc>, target: &FcmTarget, message: &Outgoing) -> Outcome {
        match payload::body(now, target, message) {
            Ok(body) => self.deliver(now, &body).await,
            Err(outcome) => outcome,
        }
    }

    /// Has Google check a message for nobody: it is looked at and thrown away.
    pub async fn test(&self, now: DateTime<Utc>) -> Trial {
        answers::in_words(&self.project, &self.deliver(now, &payload::trial()).await)
    }

    async fn deliver(&self, now: DateTime<Utc>, body: &Value) -> Outcome {
        let pass = match self.passes.current(now).await {
            Ok(pass) => pass,
            Err(outcome) => return outcome,
        };
        match self.post(now, &pass, body).await {
            Reading::Settled(outcome) => return outcome,
            Reading::UnknownPass => (),
        }
        let pass = match self.passes.instead_of(now, &pass).await {
            Ok(pass) => pass,
            Err(outcome) => return outcome,
        };
        match self.post(now, &pass, body).await {
            Reading::Settled(outcome) => outcome,
            Reading::UnknownPass => Outcome::config("UNAUTHENTICATED"),
        }
    }

    async fn post(&self, now: DateTime<Utc>, pass: &Secret, body: &Value) -> Reading {
        let request = self
            .client
            .post(self.messages.clone())
            .header(AUTHORIZATION, format!("Bearer {}", pass.reveal()))
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let answer: Result<Answer, _> = exchange(request).await;
        match answer {
            Ok(answer) => answers::read(&answer, now),
            Err(error) => Reading::Settled(lost(&error, Wait::Provider)),
        }
    }
}
