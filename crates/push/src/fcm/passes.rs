//! The passes that Google gives for an hour: kept, and asked for again five minutes before they end.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::network::{Answer, exchange, lost};
use crate::outcome::{Outcome, Wait};
use crate::secret::Secret;

use super::account::ServiceAccount;

/// Whom the claims are for, wherever they are posted.
pub(super) const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const RENEW_EARLY: TimeDelta = TimeDelta::minutes(5);
/// Google says 3,600 s; more is not believed.
const SECONDS_MAX: u32 = 86_400;

/// Passes for one account.
pub(super) struct Passes {
    client: Client,
    address: Url,
    account: ServiceAccount,
    /// Held while one is asked for, so that there is one request, whoever waits for it.
    kept: Mutex<Kept>,
    /// How many requests have ended. Who sees this change while waiting takes that one's failure for his own.
    ended: AtomicU64,
}

#[derive(Default)]
struct Kept {
    pass: Option<(Secret, DateTime<Utc>)>,
    failure: Option<Outcome>,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: u32,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refused {
    error: String,
    error_description: String,
}

impl Passes {
    pub(super) fn new(client: Client, address: Url, account: ServiceAccount) -> Self {
        Self { client, address, account, kept: Mutex::default(), ended: AtomicU64::new(0) }
    }

    /// A pass that is good now.
    pub(super) async fn current(&self, now: DateTime<Utc>) -> Result<Secret, Outcome> {
        self.get(now, None).await
    }

    /// Another one, as Google does not know this one.
    pub(super) async fn instead_of(&self, now: DateTime<Utc>, refused: &Secret) -> Result<Secret, Outcome> {
        self.get(now, Some(refused)).await
    }

    async fn get(&self, now: DateTime<Utc>, refused: Option<&Secret>) -> Result<Secret, Outcome> {
        let ended = self.ended.load(Ordering::Acquire);
        let mut kept = self.kept.lock().await;
        if let Some((pass, renew_at)) = &kept.pass
            && now < *renew_at
            && refused != Some(pass)
        {
            return Ok(pass.clone());
        }
        if let Some(failure) = &kept.failure
            && self.ended.load(Ordering::Acquire) != ended
        {
            return Err(failure.clone());
        }
        let asked = self.ask(now).await;
        *kept = match &asked {
            Ok((pass, renew_at)) => Kept { pass: Some((pass.clone(), *renew_at)), failure: None },
            Err(failure) => Kept { pass: None, failure: Some(failure.clone()) },
        };
        self.ended.fetch_add(1, Ordering::AcqRel);
        asked.map(|(pass, _)| pass)
    }

    async fn ask(&self, now: DateTime<Utc>) -> Result<(Secret, DateTime<Utc>), Outcome> {
        let assertion = self
            .account
            .assertion(now.timestamp(), SCOPE, AUDIENCE)
            .ok_or_else(|| Outcome::config("service_account_key"))?;
        let request = self
            .client
            .post(self.address.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("{GRANT}&assertion={assertion}"));
        let answer = exchange(request).await.map_err(|error| lost(&error, Wait::Provider))?;
        read(&answer, now)
    }
}

fn read(answer: &Answer, now: DateTime<Utc>) -> Result<(Secret, DateTime<Utc>), Outcome> {
    match answer.status {
        200 => {
            let given: Given = serde_json::from_slice(&answer.body)
                .map_err(|_| Outcome::retry_provider("strange_answer", answer.retry_after(now)))?;
            let seconds = i64::from(given.expires_in.min(SECONDS_MAX));
            Ok((Secret::new(given.access_token), now + TimeDelta::seconds(seconds) - RENEW_EARLY))
        }
        400 | 401 | 403 => {
            let refused: Refused = serde_json::from_slice(&answer.body).unwrap_or_default();
            // Google refuses claims of another time with the same word as those of a key it does not know.
            let clock = refused.error == "invalid_grant" && refused.error_description.contains("timeframe");
            Err(match refused.error.as_str() {
                _ if clock => Outcome::config("clock"),
                "" => Outcome::config(&format!("oauth {}", answer.status)),
                word => Outcome::config(word),
            })
        }
        // Too many, broken, or something in between: no word about our account.
        status => Err(Outcome::retry_provider(&format!("oauth {status}"), answer.retry_after(now))),
    }
}
