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
/// A renewal that failed is tried again so much later, while the pass is still good.
const RENEW_AGAIN: TimeDelta = TimeDelta::seconds(30);
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
    pass: Option<Pass>,
    failure: Option<Outcome>,
}

#[derive(Clone)]
struct Pass {
    secret: Secret,
    renew_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
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
        if let Some(pass) = &kept.pass
            && now < pass.renew_at
            && refused != Some(&pass.secret)
        {
            return Ok(pass.secret.clone());
        }
        if let Some(failure) = &kept.failure
            && self.ended.load(Ordering::Acquire) != ended
        {
            return Err(failure.clone());
        }
        let asked = self.ask(now).await;
        // One that Google still takes is not thrown away because there is no next one yet.
        let still_good = kept.pass.take().filter(|pass| now < pass.ends_at && refused != Some(&pass.secret));
        let answer = match (asked, still_good) {
            (Ok(fresh), _) => {
                *kept = Kept { pass: Some(fresh.clone()), failure: None };
                Ok(fresh.secret)
            }
            (Err(_), Some(pass)) => {
                let secret = pass.secret.clone();
                *kept = Kept { pass: Some(Pass { renew_at: now + RENEW_AGAIN, ..pass }), failure: None };
                Ok(secret)
            }
            (Err(failure), None) => {
                *kept = Kept { pass: None, failure: Some(failure.clone()) };
                Err(failure)
            }
        };
        self.ended.fetch_add(1, Ordering::AcqRel);
        answer
    }

    async fn ask(&self, now: DateTime<Utc>) -> Result<Pass, Outcome> {
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

fn read(answer: &Answer, now: DateTime<Utc>) -> Result<Pass, Outcome> {
    match answer.status {
        200 => {
            let given: Given = serde_json::from_slice(&answer.body)
                .map_err(|_| Outcome::retry_provider("strange_answer", answer.retry_after(now)))?;
            let ends_at = now + TimeDelta::seconds(i64::from(given.expires_in.min(SECONDS_MAX)));
            Ok(Pass { secret: Secret::new(given.access_token), renew_at: ends_at - RENEW_EARLY, ends_at })
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
