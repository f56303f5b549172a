//! FCM and the address that gives passes, as Google's documents and clients describe them.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::keys::{ACCOUNT, ACCOUNT_KEY_ID, PROJECT, signed_by_account};
use super::{Asked, Reply, StandIn};

/// What the world of this Google is like; tests change it while it runs.
pub(crate) struct Mood {
    /// What time it is there; none takes the system's.
    pub(crate) now: Option<DateTime<Utc>>,
    /// How passes are answered, if not as it should be.
    pub(crate) passes: Option<Reply>,
    /// How messages are answered, if not as it should be.
    pub(crate) messages: Option<Reply>,
    /// Passes that were given and are good.
    pub(crate) good: Vec<String>,
    given: usize,
    taken: usize,
}

pub(crate) struct Google {
    pub(crate) server: StandIn,
    mood: Arc<Mutex<Mood>>,
}

impl Google {
    pub(crate) async fn start(now: Option<DateTime<Utc>>) -> Self {
        let mood = Mood { now, passes: None, messages: None, good: Vec::new(), given: 0, taken: 0 };
        let mood = Arc::new(Mutex::new(mood));
        let state = Arc::clone(&mood);
        let server = StandIn::start(move |asked| {
            let mut mood = state.lock().unwrap();
            match (asked.method.as_str(), asked.path.as_str()) {
                ("POST", "/token") => mood.pass(asked),
                ("POST", path) if path.starts_with("/v1/projects/") => mood.message(asked),
                _ => Reply::empty(404),
            }
        })
        .await;
        Self { server, mood }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.mood.lock().unwrap());
    }

    /// Where passes are asked for.
    pub(crate) fn passes_url(&self) -> String {
        format!("{}/token", self.server.url())
    }

    /// How often a pass was asked for, and a message sent.
    pub(crate) fn asked(&self) -> (usize, usize) {
        let asked = self.server.asked();
        let passes = asked.iter().filter(|asked| asked.path == "/token").count();
        (passes, asked.len() - passes)
    }

    /// The last request for a message.
    pub(crate) fn last_message(&self) -> Value {
        let asked = self.server.asked();
        let last = asked.iter().rfind(|asked| asked.path != "/token").unwrap();
        serde_json::from_slice(&last.body).unwrap()
    }
}

impl Mood {
    fn pass(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = &self.passes {
            return reply.clone();
        }
        let field = |name: &str| {
            let mut fields = url::form_urlencoded::parse(&asked.body);
            fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let refused = |error: &str, text: &str| Reply::of(400, &json!({"error": error, "error_description": text}));
        if asked.header("content-type") != "application/x-www-form-urlencoded"
            || field("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer"
        {
            return refused("unsupported_grant_type", "Invalid grant_type: ");
        }
        let Some((header, claims)) = signed_by_account(&field("assertion")) else {
            return refused("invalid_grant", "Invalid JWT Signature.");
        };
        let real = claims["aud"] == "https://oauth2.googleapis.com/token";
        let here = claims["aud"].as_str().is_some_and(|aud| aud.ends_with("/token") && aud.contains("localhost"));
        let scope = claims["scope"].as_str().unwrap_or_default();
        let messaging = ["firebase.messaging", "cloud-platform"].iter().any(|word| scope.contains(word));
        if header["alg"] != "RS256" || header["kid"] != ACCOUNT_KEY_ID || claims["iss"] != ACCOUNT || !(real || here) {
            return refused("invalid_grant", "Invalid grant: account not found");
        }
        if !messaging {
            return refused("invalid_scope", "Some requested scopes were invalid.");
        }
        let now = self.now.unwrap_or_else(Utc::now).timestamp();
        let (from, to) = (claims["iat"].as_i64().unwrap_or_default(), claims["exp"].as_i64().unwrap_or_default());
        if (now - from).abs() > 300 || to <= now || to - from > 3600 {
            let text = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";
            return refused("invalid_grant", text);
        }
        self.given += 1;
        let pass = format!("ya29.{}", self.given);
        self.good.push(pass.clone());
        Reply::of(200, &json!({"access_token": pass, "expires_in": 3599, "token_type": "Bearer"}))
    }

    fn message(&mut self, asked: &Asked) -> Reply {
        if let Some(reply) = &self.messages {
            return reply.clone();
        }
        let pass = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        if !self.good.iter().any(|good| good == pass) {
            let reason = json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_EXPIRED",
                "domain": "googleapis.com",
            });
            return fault(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", &[reason]);
        }
        if asked.path != format!("/v1/projects/{PROJECT}/messages:send") {
            return fault(404, "NOT_FOUND", "Requested entity was not found.", &[]);
        }
        let Ok(body) = serde_json::from_slice::<Value>(&asked.body) else {
            return fault(400, "INVALID_ARGUMENT", "Invalid JSON payload received.", &[]);
        };
        if let Some(field) = wrong_field(&body) {
            return invalid(&field);
        }
        let message = &body["message"];
        if message.to_string().len() > 5_000 {
            return fault(400, "INVALID_ARGUMENT", "Message too big", &[fcm("INVALID_ARGUMENT")]);
        }
        let target = ["token", "fid", "topic"].iter().find_map(|name| message[*name].as_str()).unwrap_or_default();
        if let Some(refused) = refusal(target) {
            return refused;
        }
        self.taken += 1;
        let number = if body["validateOnly"] == true || body["validate_only"] == true {
            "fake_message_id".to_owned()
        } else {
            self.taken.to_string()
        };
        Reply::of(200, &json!({"name": format!("projects/{PROJECT}/messages/{number}")}))
    }
}

/// Phones are named for what is the matter with them.
fn refusal(target: &str) -> Option<Reply> {
    let sentence = "The registration token is not a valid FCM registration token";
    Some(match target {
        "gone" => fault(404, "NOT_FOUND", "Requested entity was not found.", &[fcm("UNREGISTERED")]),
        "of-another-project" => fault(403, "PERMISSION_DENIED", "SenderId mismatch", &[fcm("SENDER_ID_MISMATCH")]),
        "misspelt" => fault(400, "INVALID_ARGUMENT", sentence, &[fcm("INVALID_ARGUMENT")]),
        "named-as-wrong" => invalid("message.token"),
        "behind-apple" => {
            let text = "Auth error from APNS or Web Push Service";
            fault(401, "UNAUTHENTICATED", text, &[fcm("THIRD_PARTY_AUTH_ERROR")])
        }
        "too-often" => fault(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", &[fcm("QUOTA_EXCEEDED")]),
        "broken" => fault(500, "INTERNAL", "Internal error encountered.", &[fcm("INTERNAL")]),
        "busy" => fault(503, "UNAVAILABLE", "The service is currently unavailable.", &[fcm("UNAVAILABLE")])
            .with("retry-after", "7"),
        "forbidden" => fault(403, "PERMISSION_DENIED", "Permission denied on resource project.", &[]),
        _ => return None,
    })
}

fn fcm(code: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code})
}

fn fault(status: u16, word: &str, message: &str, details: &[Value]) -> Reply {
    Reply::of(status, &json!({"error": {"code": status, "message": message, "status": word, "details": details}}))
}

fn invalid(field: &str) -> Reply {
    let violations = json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": field, "description": "Invalid value"}],
    });
    let details = [fcm("INVALID_ARGUMENT"), violations];
    fault(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", &details)
}

/// The first field that is none of FCM's or has a wrong value.
fn wrong_field(body: &Value) -> Option<String> {
    let message = &body["message"];
    let targets = ["token", "fid", "topic", "condition"];
    if targets.iter().filter(|name| message.get(**name).is_some()).count() != 1 {
        return Some("message".to_owned());
    }
    let known = [
        (body, "", &["message", "validateOnly", "validate_only"][..]),
        (
            message,
            "message.",
            &["token", "fid", "topic", "condition", "notification", "data", "android", "apns", "webpush"],
        ),
        (&message["notification"], "message.notification.", &["title", "body", "image"]),
        (
            &message["android"],
            "message.android.",
            &["priority", "ttl", "collapseKey", "collapse_key", "notification", "data"],
        ),
    ];
    for (value, path, names) in known {
        let mut keys = value.as_object().into_iter().flat_map(|fields| fields.keys());
        if let Some(unknown) = keys.find(|key| !names.contains(&key.as_str())) {
            return Some(format!("{path}{unknown}"));
        }
    }
    let mut data = message["data"].as_object().into_iter().flatten();
    if let Some((key, _)) = data.find(|(key, value)| !value.is_string() || *key == "from" || key.starts_with("google."))
    {
        return Some(format!("message.data.{key}"));
    }
    let seconds = |ttl: &str| ttl.strip_suffix('s').is_some_and(|seconds| seconds.parse::<f64>().is_ok());
    message["android"]["ttl"].as_str().is_some_and(|ttl| !seconds(ttl)).then(|| "message.android.ttl".to_owned())
}
