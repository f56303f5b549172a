//! A message in APNs' form: headers, and a body of at most 4,096 bytes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::message::Outgoing;
use crate::outcome::Outcome;

use super::{ApnsTarget, message_id};

const BODY_BYTES_MAX: usize = 4096;
const TOKEN_LENGTH_MAX: usize = 200;
const TOPIC_LENGTH_MAX: usize = 255;
/// As long as Apple keeps one.
const TIME_TO_LIVE_MAX: Duration = Duration::from_hours(30 * 24);

/// What is posted.
pub(super) struct Form {
    pub(super) id: Option<Uuid>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// With half of its room, for when Apple finds the body too long all the same.
    pub(super) shorter: String,
}

impl Form {
    /// The message's form; how it ended if there is nothing to post.
    pub(super) fn new(now: DateTime<Utc>, target: &ApnsTarget, message: &Outgoing) -> Result<Self, Outcome> {
        let left = message.time_left(now, TIME_TO_LIVE_MAX).ok_or_else(|| Outcome::drop("expired"))?;
        check(target)?;
        let fitted = |limit| {
            let body = message.fitting_body(limit, |body| form(message, body).to_string().len())?;
            Some(form(message, &body).to_string())
        };
        let body = fitted(BODY_BYTES_MAX).ok_or_else(|| Outcome::drop("too_large"))?;
        let shorter = fitted(BODY_BYTES_MAX / 2).unwrap_or_else(|| form(message, "").to_string());
        let mut headers = vec![
            ("apns-push-type", "alert".to_owned()),
            ("apns-id", message_id(message.id)),
            ("apns-expiration", (now + left).timestamp().to_string()),
            ("apns-priority", if message.priority.wakes() { "10" } else { "5" }.to_owned()),
        ];
        headers.extend(message.collapse_name().map(|name| ("apns-collapse-id", name)));
        Ok(Self { id: Some(message.id), headers, body, shorter })
    }

    /// A silent message that nobody is to get.
    pub(super) fn trial() -> Self {
        let body = json!({"aps": {"content-available": 1}}).to_string();
        let headers = [("apns-push-type", "background"), ("apns-expiration", "0"), ("apns-priority", "5")];
        let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
        Self { id: None, headers, shorter: body.clone(), body }
    }
}

/// Both come from a phone: they become a path and a header.
pub(super) fn check(target: &ApnsTarget) -> Result<(), Outcome> {
    let token = target.token.reveal();
    if token.is_empty() || token.len() > TOKEN_LENGTH_MAX || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Outcome::dead("malformed_token"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    if target.topic.is_empty() || target.topic.len() > TOPIC_LENGTH_MAX || !target.topic.bytes().all(plain) {
        return Err(Outcome::drop("malformed_topic"));
    }
    Ok(())
}

fn form(message: &Outgoing, body: &str) -> Value {
    let mut aps = json!({"alert": {"title": message.title, "body": body}});
    if message.priority.wakes() {
        aps["sound"] = "default".into();
        aps["interruption-level"] = "time-sensitive".into();
    }
    json!({"aps": aps, "id": message.id, "priority": message.priority, "data": message.data})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apns::Environment;
    use crate::message::Priority;
    use crate::message::tests::{call, noon};
    use crate::secret::Secret;

    fn target(token: &str, topic: &str) -> ApnsTarget {
        ApnsTarget {
            token: Secret::new(token),
            environment: Environment::Production,
            topic: topic.to_owned(),
            registered_at: noon(),
        }
    }

    fn form_of(message: &Outgoing) -> Form {
        Form::new(noon(), &target("ab12", "org.show"), message).ok().unwrap()
    }

    #[test]
    fn a_message_has_every_header() {
        let form = form_of(&call(noon()));
        let collapse = call(noon()).collapse_name().unwrap();
        assert_eq!(
            form.headers,
            [
                ("apns-push-type", "alert".to_owned()),
                ("apns-id", "0f5e95b4-7c0e-4d7a-9a3e-1f6c7f000001".to_owned()),
                ("apns-expiration", "1795349400".to_owned()),
                ("apns-priority", "10".to_owned()),
                ("apns-collapse-id", collapse),
            ]
        );
        let body: Value = serde_json::from_str(&form.body).unwrap();
        assert_eq!(body["aps"]["alert"]["title"], "Class 12 to ring 2");
        assert_eq!(body["aps"]["interruption-level"], "time-sensitive");
        assert_eq!(body["data"]["open"], "#/classes/12");
        assert_eq!(body["priority"], "high");
    }

    #[test]
    fn a_quiet_message_saves_the_battery() {
        let form = form_of(&Outgoing { priority: Priority::Normal, collapse_key: None, ..call(noon()) });
        assert!(form.headers.contains(&("apns-priority", "5".to_owned())));
        assert!(!form.headers.iter().any(|(name, _)| *name == "apns-collapse-id"));
        assert!(!form.body.contains("sound"));
    }

    #[test]
    fn a_long_message_is_cut_and_there_is_a_shorter_one() {
        let form = form_of(&Outgoing { body: "🐄".repeat(5_000), ..call(noon()) });
        assert!((BODY_BYTES_MAX - 4..=BODY_BYTES_MAX).contains(&form.body.len()), "{}", form.body.len());
        assert!((BODY_BYTES_MAX / 2 - 4..=BODY_BYTES_MAX / 2).contains(&form.shorter.len()));
        let short = form_of(&call(noon()));
        assert_eq!(short.body, short.shorter);
    }

    #[test]
    fn what_a_phone_gave_cannot_leave_its_place() {
        let refused = |token: &str, topic: &str| Form::new(noon(), &target(token, topic), &call(noon())).err();
        for token in ["", "../3/device/ab", "ab?x", "ab cd", &"a".repeat(201)] {
            assert_eq!(refused(token, "org.show"), Some(Outcome::dead("malformed_token")), "{token}");
        }
        for topic in ["", "org.show\r\nx: y", "org/show", &"a".repeat(256)] {
            assert_eq!(refused("ab12", topic), Some(Outcome::drop("malformed_topic")), "{topic}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_not_posted() {
        let refused = |message: &Outgoing| Form::new(noon(), &target("ab12", "org.show"), message).err();
        let heavy = Outgoing { title: "x".repeat(5_000), ..call(noon()) };
        assert_eq!(refused(&heavy), Some(Outcome::drop("too_large")));
        let late = Outgoing { expires_at: noon(), ..call(noon()) };
        assert_eq!(refused(&late), Some(Outcome::drop("expired")));
    }
}
