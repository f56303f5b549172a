//! A message in FCM's form.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::message::{Outgoing, Priority};
use crate::outcome::Outcome;

use super::FcmTarget;

/// FCM refuses more. Ours counts the whole message, so it is on the safe side.
const MESSAGE_BYTES_MAX: usize = 4096;
/// FCM keeps a message for four weeks at most.
const TIME_TO_LIVE_MAX: Duration = Duration::from_hours(28 * 24);

/// The body of the request; how it ended if there is nothing to ask.
pub(super) fn body(now: DateTime<Utc>, target: &FcmTarget, message: &Outgoing) -> Result<Value, Outcome> {
    let left = message.time_left(now, TIME_TO_LIVE_MAX).ok_or_else(|| Outcome::drop("expired"))?;
    let form = |body: &str| form(left, target, message, body);
    let fitting = message
        .fitting_body(MESSAGE_BYTES_MAX, |body| form(body).to_string().len())
        .ok_or_else(|| Outcome::drop("too_large"))?;
    Ok(json!({"message": form(&fitting)}))
}

/// A message for nobody, to be checked and thrown away: it shows whether key, project and right are there.
pub(super) fn trial() -> Value {
    json!({"validateOnly": true, "message": {"topic": "showdesk-test", "data": {"test": "1"}}})
}

fn form(left: Duration, target: &FcmTarget, message: &Outgoing, body: &str) -> Value {
    let mut data: Map<String, Value> =
        message.data.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    data.insert("id".to_owned(), message.id.to_string().into());
    data.insert("priority".to_owned(), message.priority.word().into());
    let mut form = json!({
        "notification": {"title": message.title, "body": body},
        "data": data,
        "android": android(left, message),
        "apns": apns(message),
        "webpush": {"headers": {
            "TTL": left.as_secs().to_string(),
            "Urgency": if message.priority.wakes() { "high" } else { "normal" },
        }},
    });
    match target {
        FcmTarget::Token(token) => form["token"] = token.reveal().into(),
        FcmTarget::Fid(fid) => form["fid"] = fid.reveal().into(),
    }
    form
}

fn android(left: Duration, message: &Outgoing) -> Value {
    let mut android = json!({
        "priority": if message.priority.wakes() { "HIGH" } else { "NORMAL" },
        "ttl": format!("{}s", left.as_secs()),
        "notification": {
            // One channel of the app for each loudness, so that people can tell their phone what to do with it.
            "channelId": format!("showdesk_{}", message.priority.word()),
            "notificationPriority": match message.priority {
                Priority::Normal => "PRIORITY_DEFAULT",
                Priority::High => "PRIORITY_HIGH",
                Priority::Urgent => "PRIORITY_MAX",
            },
            "defaultSound": message.priority.wakes(),
        },
    });
    if let Some(name) = message.collapse_name() {
        android["notification"]["tag"] = name.as_str().into();
        android["collapseKey"] = name.into();
    }
    android
}

fn apns(message: &Outgoing) -> Value {
    let mut apns = json!({"headers": {
        "apns-priority": if message.priority.wakes() { "10" } else { "5" },
        "apns-expiration": message.expires_at.timestamp().to_string(),
    }});
    if let Some(name) = message.collapse_name() {
        apns["headers"]["apns-collapse-id"] = name.into();
    }
    if message.priority.wakes() {
        apns["payload"] = json!({"aps": {"sound": "default", "interruption-level": "time-sensitive"}});
    }
    apns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{call, noon};
    use crate::secret::Secret;

    fn token() -> FcmTarget {
        FcmTarget::Token(Secret::new("phone-1"))
    }

    #[test]
    fn a_message_says_whom_how_long_and_how_loud() {
        let message = &body(noon(), &token(), &call(noon())).unwrap()["message"];
        assert_eq!(message["token"], "phone-1");
        assert_eq!(message["android"]["priority"], "HIGH");
        assert_eq!(message["android"]["ttl"], "600s");
        assert_eq!(message["android"]["collapseKey"], message["android"]["notification"]["tag"]);
        assert_eq!(message["apns"]["headers"]["apns-expiration"], "1795349400");
        assert_eq!(message["data"]["id"], "0f5e95b4-7c0e-4d7a-9a3e-1f6c7f000001");
        assert_eq!(message["data"]["open"], "#/classes/12");
        assert_eq!(message.get("fid"), None);
    }

    #[test]
    fn an_installation_id_stands_in_its_own_field() {
        let message = &body(noon(), &FcmTarget::Fid(Secret::new("fid-1")), &call(noon())).unwrap()["message"];
        assert_eq!(message["fid"], "fid-1");
        assert_eq!(message.get("token"), None);
    }

    #[test]
    fn a_quiet_message_wakes_nobody() {
        let quiet = Outgoing { priority: Priority::Normal, collapse_key: None, ..call(noon()) };
        let message = &body(noon(), &token(), &quiet).unwrap()["message"];
        assert_eq!(message["android"]["priority"], "NORMAL");
        assert_eq!(message["android"].get("collapseKey"), None);
        assert_eq!(message["apns"]["headers"]["apns-priority"], "5");
        assert_eq!(message["apns"].get("payload"), None);
        assert_eq!(message["webpush"]["headers"]["Urgency"], "normal");
    }

    #[test]
    fn a_long_message_is_cut_to_what_fcm_takes() {
        let long = Outgoing { body: "🐖 \"quoted\" ".repeat(5_000), ..call(noon()) };
        let message = &body(noon(), &token(), &long).unwrap()["message"];
        let size = message.to_string().len();
        assert!((MESSAGE_BYTES_MAX - 16..=MESSAGE_BYTES_MAX).contains(&size), "{size}");
        assert!(message["notification"]["body"].as_str().unwrap().ends_with('…'));
    }

    #[test]
    fn what_cannot_be_sent_is_not_asked() {
        let heavy = Outgoing { title: "x".repeat(5_000), ..call(noon()) };
        assert_eq!(body(noon(), &token(), &heavy), Err(Outcome::drop("too_large")));
        let late = Outgoing { expires_at: noon(), ..call(noon()) };
        assert_eq!(body(noon(), &token(), &late), Err(Outcome::drop("expired")));
        let long_lived = Outgoing { expires_at: noon() + chrono::TimeDelta::days(90), ..call(noon()) };
        assert_eq!(body(noon(), &token(), &long_lived).unwrap()["message"]["android"]["ttl"], "2419200s");
    }
}
