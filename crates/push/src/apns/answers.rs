//! What APNs' answers mean.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::network::Answer;
use crate::outcome::{Code, Outcome};
use crate::trial::Trial;

use super::{ApnsTarget, message_id};

/// Apple allows a new pass every twenty minutes.
const PASS_UPDATES_WAIT: Duration = Duration::from_mins(20);

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is decided.
    Settled(Outcome),
    /// The token is none of this environment; it may be one of the other.
    WrongEnvironment,
    /// The pass is too old.
    StalePass,
    /// The body is too long, though we counted it.
    TooLong,
}

impl Reading {
    /// What it means once there is nothing more to try.
    pub(super) fn settled(self) -> Outcome {
        match self {
            Self::Settled(outcome) => outcome,
            Self::WrongEnvironment => Outcome::dead("BadDeviceToken"),
            Self::StalePass => Outcome::config("ExpiredProviderToken"),
            Self::TooLong => Outcome::drop("PayloadTooLarge"),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Refused {
    reason: String,
    /// Milliseconds since 1970: when Apple saw that the app was gone.
    timestamp: Option<i64>,
}

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: DateTime<Utc>, target: &ApnsTarget, id: Option<Uuid>) -> Reading {
    if answer.status == 200 {
        let provider_message_id = answer.header("apns-id").map(str::to_owned).or(id.map(message_id));
        return Reading::Settled(Outcome::Accepted { provider_message_id });
    }
    let refused = serde_json::from_slice::<Refused>(&answer.body).unwrap_or_default();
    let after = answer.retry_after(now);
    let status = format!("status {}", answer.status);
    let word = if refused.reason.is_empty() { status.as_str() } else { refused.reason.as_str() };
    Reading::Settled(match (answer.status, refused.reason.as_str()) {
        (400, "BadDeviceToken") => return Reading::WrongEnvironment,
        (400, "DeviceTokenNotForTopic") => Outcome::dead(word),
        (400, "IdleTimeout") | (408 | 500.., _) => Outcome::retry_provider(word, after),
        (400 | 402 | 404..=407 | 409 | 411 | 412 | 414..=428 | 430..=499, _) => Outcome::drop(word),
        (403, "ExpiredProviderToken") => return Reading::StalePass,
        (401 | 403, _) => Outcome::config(word),
        (410, "Unregistered" | "ExpiredToken") => gone(word, refused.timestamp, target),
        (410, _) => Outcome::strike(word),
        (413, _) => return Reading::TooLong,
        (429, "TooManyProviderTokenUpdates") => {
            Outcome::retry_provider(word, Some(after.unwrap_or_default().max(PASS_UPDATES_WAIT)))
        }
        (429, _) => Outcome::retry(word, after),
        _ => Outcome::retry_provider("strange_answer", after),
    })
}

/// The app was removed, unless the phone registered again since.
fn gone(word: &str, timestamp: Option<i64>, target: &ApnsTarget) -> Outcome {
    let since = timestamp.and_then(DateTime::from_timestamp_millis);
    if since.is_some_and(|since| target.registered_at > since) {
        return Outcome::retry(word, None);
    }
    Outcome::Dead { code: Code::new(word), since }
}

/// What the answer to a message for nobody says about the settings.
pub(super) fn in_words(topic: &str, reading: &Reading) -> Trial {
    let outcome = match reading {
        Reading::WrongEnvironment | Reading::Settled(Outcome::Accepted { .. }) => {
            return Trial::works(format!(
                "Apple knows this key and the app “{topic}”. Messages can go out. No phone got anything."
            ));
        }
        Reading::StalePass => {
            return Trial::fails(
                "ExpiredProviderToken",
                "Apple says that the time of this laptop is wrong. Set its clock and try again.",
            );
        }
        Reading::TooLong => return Trial::fails("PayloadTooLarge", "Apple found the test message too long."),
        Reading::Settled(outcome) => outcome,
    };
    let says = match outcome {
        Outcome::Retry { code, .. } => {
            return Trial::of_connection("Apple", code.as_str()).unwrap_or_else(|| {
                Trial::fails(
                    code.as_str(),
                    format!("Apple is busy ({code}). Messages wait; try this test again later."),
                )
            });
        }
        Outcome::Config { code } => of_settings(code.as_str()),
        Outcome::Drop { code } | Outcome::Dead { code, .. } | Outcome::Strike { code } => match code.as_str() {
            "BadTopic" | "MissingTopic" | "TopicDisallowed" | "DeviceTokenNotForTopic" => format!(
                "Apple does not let this team send to “{topic}”. Enter the app's bundle id as it stands in Xcode, and turn on Push Notifications for it."
            ),
            code => format!("Apple refused the test message ({code})."),
        },
        Outcome::Accepted { .. } | Outcome::OtherEnvironment { .. } => "Apple took a message for nobody.".to_owned(),
    };
    Trial::fails(outcome.code(), says)
}

fn of_settings(code: &str) -> String {
    match code {
        "InvalidProviderToken" | "MissingProviderToken" | "Forbidden" => {
            "Apple does not accept this key. Check that the key id and the team id belong to this .p8 file, and that the key was not revoked.".to_owned()
        }
        "BadEnvironmentKeyInToken" | "BadEnvironmentKeyIdInToken" | "BadCertificateEnvironment" => {
            "This key of Apple is for the other environment: one is for apps from the store, one for apps under development. Make a key for both.".to_owned()
        }
        other => format!("Apple does not accept these settings ({other})."),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;
    use crate::apns::Environment;
    use crate::message::tests::noon;
    use crate::secret::Secret;

    fn target() -> ApnsTarget {
        ApnsTarget {
            token: Secret::new("ab12"),
            environment: Environment::Production,
            topic: "org.show".to_owned(),
            registered_at: noon() - TimeDelta::hours(1),
        }
    }

    fn answer(status: u16, reason: &str, header: Option<(&'static str, &'static str)>) -> Reading {
        let header = header.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let body = json!({"reason": reason}).to_string().into_bytes();
        read(&Answer { status, headers: HeaderMap::from_iter(header), body }, noon(), &target(), Some(Uuid::nil()))
    }

    #[test]
    fn each_row_of_the_table_has_its_action() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        let settled = [
            (400, "DeviceTokenNotForTopic", Outcome::dead("DeviceTokenNotForTopic")),
            (400, "BadCollapseId", Outcome::drop("BadCollapseId")),
            (400, "BadExpirationDate", Outcome::drop("BadExpirationDate")),
            (400, "BadMessageId", Outcome::drop("BadMessageId")),
            (400, "BadPriority", Outcome::drop("BadPriority")),
            (400, "BadTopic", Outcome::drop("BadTopic")),
            (400, "DuplicateHeaders", Outcome::drop("DuplicateHeaders")),
            (400, "InvalidPushType", Outcome::drop("InvalidPushType")),
            (400, "MissingDeviceToken", Outcome::drop("MissingDeviceToken")),
            (400, "MissingTopic", Outcome::drop("MissingTopic")),
            (400, "PayloadEmpty", Outcome::drop("PayloadEmpty")),
            (400, "TopicDisallowed", Outcome::drop("TopicDisallowed")),
            (400, "", Outcome::drop("status 400")),
            (400, "IdleTimeout", Outcome::retry_provider("IdleTimeout", None)),
            (404, "BadPath", Outcome::drop("BadPath")),
            (405, "MethodNotAllowed", Outcome::drop("MethodNotAllowed")),
            (403, "InvalidProviderToken", Outcome::config("InvalidProviderToken")),
            (403, "MissingProviderToken", Outcome::config("MissingProviderToken")),
            (403, "Forbidden", Outcome::config("Forbidden")),
            (403, "BadCertificate", Outcome::config("BadCertificate")),
            (403, "BadCertificateEnvironment", Outcome::config("BadCertificateEnvironment")),
            (403, "UnrelatedKeyIdInToken", Outcome::config("UnrelatedKeyIdInToken")),
            (403, "BadEnvironmentKeyIdInToken", Outcome::config("BadEnvironmentKeyIdInToken")),
            (410, "Unregistered", Outcome::dead("Unregistered")),
            (410, "ExpiredToken", Outcome::dead("ExpiredToken")),
            (410, "", Outcome::strike("status 410")),
            (429, "TooManyProviderTokenUpdates", Outcome::retry_provider("TooManyProviderTokenUpdates", minutes(20))),
            (429, "TooManyRequests", Outcome::retry("TooManyRequests", None)),
            (500, "InternalServerError", Outcome::retry_provider("InternalServerError", None)),
            (503, "ServiceUnavailable", Outcome::retry_provider("ServiceUnavailable", None)),
            (503, "Shutdown", Outcome::retry_provider("Shutdown", None)),
            (302, "", Outcome::retry_provider("strange_answer", None)),
        ];
        for (status, reason, expected) in settled {
            assert_eq!(answer(status, reason, None), Reading::Settled(expected), "{status} {reason}");
        }
        assert_eq!(answer(400, "BadDeviceToken", None), Reading::WrongEnvironment);
        assert_eq!(answer(403, "ExpiredProviderToken", None), Reading::StalePass);
        assert_eq!(answer(413, "PayloadTooLarge", None), Reading::TooLong);
    }

    #[test]
    fn what_was_tried_in_vain_is_settled() {
        assert_eq!(Reading::WrongEnvironment.settled(), Outcome::dead("BadDeviceToken"));
        assert_eq!(Reading::StalePass.settled(), Outcome::config("ExpiredProviderToken"));
        assert_eq!(Reading::TooLong.settled(), Outcome::drop("PayloadTooLarge"));
    }

    #[test]
    fn a_wish_to_wait_is_kept() {
        let wait = answer(429, "TooManyRequests", Some(("retry-after", "30")));
        assert_eq!(wait, Reading::Settled(Outcome::retry("TooManyRequests", Some(Duration::from_secs(30)))));
        let long = answer(429, "TooManyProviderTokenUpdates", Some(("retry-after", "30")));
        let expected = Outcome::retry_provider("TooManyProviderTokenUpdates", Some(PASS_UPDATES_WAIT));
        assert_eq!(long, Reading::Settled(expected));
    }

    #[test]
    fn an_accepted_message_has_apples_id_or_ours() {
        let id = |reading| match reading {
            Reading::Settled(Outcome::Accepted { provider_message_id }) => provider_message_id,
            other => panic!("{other:?}"),
        };
        assert_eq!(id(answer(200, "", Some(("apns-id", "THEIRS")))).as_deref(), Some("THEIRS"));
        assert_eq!(id(answer(200, "", None)).as_deref(), Some("00000000-0000-0000-0000-000000000000"));
    }

    #[test]
    fn an_app_installed_again_lives() {
        let gone_at = |at: DateTime<Utc>| {
            let body = json!({"reason": "Unregistered", "timestamp": at.timestamp_millis()}).to_string();
            let answer = Answer { status: 410, headers: HeaderMap::new(), body: body.into_bytes() };
            read(&answer, noon(), &target(), None).settled()
        };
        let before = noon() - TimeDelta::hours(2);
        assert_eq!(gone_at(before), Outcome::retry("Unregistered", None));
        let after = noon() - TimeDelta::minutes(5);
        assert_eq!(gone_at(after), Outcome::Dead { code: Code::new("Unregistered"), since: Some(after) });
    }

    #[test]
    fn a_test_says_what_to_do() {
        let says = |reading: Reading| in_words("org.show", &reading);
        assert!(says(Reading::WrongEnvironment).works);
        let table = [
            (Reading::StalePass, "the time of this laptop is wrong"),
            (Reading::Settled(Outcome::config("InvalidProviderToken")), "key id and the team id"),
            (Reading::Settled(Outcome::config("BadEnvironmentKeyIdInToken")), "other environment"),
            (Reading::Settled(Outcome::config("Other")), "(Other)"),
            (Reading::Settled(Outcome::drop("TopicDisallowed")), "“org.show”"),
            (Reading::Settled(Outcome::drop("BadPriority")), "(BadPriority)"),
            (Reading::Settled(Outcome::retry("not_trusted", None)), "sign in"),
            (Reading::Settled(Outcome::retry("ServiceUnavailable", None)), "busy"),
        ];
        for (reading, part) in table {
            let trial = says(reading);
            assert!(!trial.works && trial.says.contains(part), "{}", trial.says);
        }
    }
}
