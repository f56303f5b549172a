//! One environment of APNs, as Apple's documents and clients describe it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;

use super::keys::{APPLE_KEY_ID, APPLE_TEAM_ID, signed_by_apple_key};
use super::{Asked, Reply, StandIn};

pub(crate) const TOPIC: &str = "org.example.show";

/// What the world of this Apple is like; tests change it while it runs.
#[derive(Default)]
pub(crate) struct Mood {
    /// What time it is there; none takes the system's.
    pub(crate) now: Option<DateTime<Utc>>,
    /// How the next requests are answered, if not as it should be.
    pub(crate) next: Vec<Reply>,
    /// How all requests are answered, if not as it should be.
    pub(crate) all: Option<Reply>,
    /// Phones of this environment.
    pub(crate) phones: HashMap<String, Phone>,
    /// Passes that are called stale.
    pub(crate) stale: Vec<String>,
}

#[derive(Clone, Copy)]
pub(crate) enum Phone {
    Here,
    GoneSince(DateTime<Utc>),
    WithAnotherApp,
}

pub(crate) struct Apple {
    pub(crate) server: StandIn,
    mood: Arc<Mutex<Mood>>,
}

impl Apple {
    pub(crate) async fn start(tls: Option<TlsAcceptor>, mood: Mood) -> Self {
        let mood = Arc::new(Mutex::new(mood));
        let state = Arc::clone(&mood);
        let respond = move |asked: &Asked| state.lock().unwrap().answer(asked);
        let server = match tls {
            Some(tls) => StandIn::start_tls(tls, respond).await,
            None => StandIn::start(respond).await,
        };
        Self { server, mood }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.mood.lock().unwrap());
    }
}

impl Mood {
    /// With phones that are there.
    pub(crate) fn with(now: Option<DateTime<Utc>>, phones: &[&str]) -> Self {
        let phones = phones.iter().map(|phone| ((*phone).to_owned(), Phone::Here)).collect();
        Self { now, phones, ..Self::default() }
    }

    /// What is the matter with a phone from now on.
    pub(crate) fn set(&mut self, token: &str, phone: Phone) {
        self.phones.insert(token.to_owned(), phone);
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        if !self.next.is_empty() {
            return self.next.remove(0);
        }
        if let Some(reply) = &self.all {
            return reply.clone();
        }
        let id = asked.header("apns-id").to_owned();
        match self.look(asked) {
            Ok(()) => Reply::empty(200).with("apns-id", id),
            Err((status, reason, timestamp)) => {
                let mut body = json!({"reason": reason});
                if let Some(timestamp) = timestamp {
                    body["timestamp"] = Value::from(timestamp);
                }
                Reply::of(status, &body).with("apns-id", id)
            }
        }
    }

    fn look(&self, asked: &Asked) -> Result<(), (u16, &'static str, Option<i64>)> {
        let refused = |status, reason| Err((status, reason, None));
        if asked.method != "POST" {
            return refused(405, "MethodNotAllowed");
        }
        let Some(phone) = asked.path.strip_prefix("/3/device/") else {
            return refused(404, "BadPath");
        };
        self.look_at_pass(asked)?;
        look_at_headers(asked)?;
        if asked.body.is_empty() {
            return refused(400, "PayloadEmpty");
        }
        if asked.body.len() > 4096 {
            return refused(413, "PayloadTooLarge");
        }
        if !serde_json::from_slice::<Value>(&asked.body).is_ok_and(|body| body["aps"].is_object()) {
            return refused(400, "PayloadEmpty");
        }
        match self.phones.get(phone) {
            Some(Phone::Here) => Ok(()),
            Some(Phone::GoneSince(at)) => Err((410, "Unregistered", Some(at.timestamp_millis()))),
            Some(Phone::WithAnotherApp) => refused(400, "DeviceTokenNotForTopic"),
            None => refused(400, "BadDeviceToken"),
        }
    }

    fn look_at_pass(&self, asked: &Asked) -> Result<(), (u16, &'static str, Option<i64>)> {
        let refused = |reason| Err((403, reason, None));
        let Some(pass) = asked.header("authorization").strip_prefix("bearer ") else {
            return refused("MissingProviderToken");
        };
        let Some((header, claims)) = signed_by_apple_key(pass) else {
            return refused("InvalidProviderToken");
        };
        if header["alg"] != "ES256" || header["kid"] != APPLE_KEY_ID || claims["iss"] != APPLE_TEAM_ID {
            return refused("InvalidProviderToken");
        }
        let now = self.now.unwrap_or_else(Utc::now).timestamp();
        let age = now - claims["iat"].as_i64().unwrap_or_default();
        if !(-300..=3600).contains(&age) || self.stale.iter().any(|stale| stale == pass) {
            return refused("ExpiredProviderToken");
        }
        Ok(())
    }
}

fn look_at_headers(asked: &Asked) -> Result<(), (u16, &'static str, Option<i64>)> {
    let refused = |reason| Err((400, reason, None));
    match asked.header("apns-topic") {
        "" => return refused("MissingTopic"),
        TOPIC => (),
        _ => return refused("TopicDisallowed"),
    }
    if !["alert", "background"].contains(&asked.header("apns-push-type")) {
        return refused("InvalidPushType");
    }
    if !["", "1", "5", "10"].contains(&asked.header("apns-priority")) {
        return refused("BadPriority");
    }
    let id = asked.header("apns-id");
    if !id.is_empty() && uuid::Uuid::parse_str(id).is_err() {
        return refused("BadMessageId");
    }
    let expiration = asked.header("apns-expiration");
    if !expiration.is_empty() && expiration.parse::<u64>().is_err() {
        return refused("BadExpirationDate");
    }
    if asked.header("apns-collapse-id").len() > 64 {
        return refused("BadCollapseId");
    }
    Ok(())
}
