//! What FCM's answers mean. The word that counts is `details[].errorCode`; the status alone says too little.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::network::Answer;
use crate::outcome::Outcome;
use crate::trial::Trial;

/// Google's quotas are counted by the minute.
const QUOTA_WAIT_MIN: Duration = Duration::from_mins(1);

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is decided.
    Settled(Outcome),
    /// Google does not know our pass any more.
    UnknownPass,
}

#[derive(Deserialize)]
struct Sent {
    name: String,
}

#[derive(Deserialize, Default)]
struct Refused {
    #[serde(default)]
    error: Fault,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fault {
    status: String,
    message: String,
    details: Vec<Detail>,
}

/// One of several kinds of details; each has its own fields.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: String,
    field_violations: Vec<Violation>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Violation {
    field: String,
}

impl Fault {
    /// FCM's own word; empty if the answer is not FCM's but of something before it.
    fn code(&self) -> &str {
        self.details.iter().map(|detail| detail.error_code.as_str()).find(|code| !code.is_empty()).unwrap_or_default()
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        self.details.iter().flat_map(|detail| &detail.field_violations).map(|violation| violation.field.as_str())
    }

    /// A wrong token is an invalid argument like any other: named as a field, or only in the sentence.
    fn is_about_the_target(&self) -> bool {
        let mut fields = self.fields().peekable();
        if fields.peek().is_none() {
            return self.message.contains("not a valid FCM registration token");
        }
        fields.all(|field| matches!(field, "message.token" | "message.fid"))
    }

    /// The best word there is for the log.
    fn word(&self, status: u16) -> String {
        let fields: Vec<&str> = self.fields().collect();
        let word = [self.code(), &self.status].into_iter().find(|word| !word.is_empty());
        let word = word.map_or_else(|| format!("status {status}"), str::to_owned);
        [word].into_iter().chain(fields.into_iter().map(str::to_owned)).collect::<Vec<_>>().join(" ")
    }
}

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: DateTime<Utc>) -> Reading {
    let after = answer.retry_after(now);
    if answer.status == 200 {
        // Without a name it is no acceptance, whoever answered.
        let sent = serde_json::from_slice::<Sent>(&answer.body);
        return Reading::Settled(match sent {
            Ok(Sent { name }) => Outcome::Accepted { provider_message_id: Some(name) },
            Err(_) => Outcome::retry("strange_answer", after),
        });
    }
    let fault = serde_json::from_slice::<Refused>(&answer.body).unwrap_or_default().error;
    let word = fault.word(answer.status);
    Reading::Settled(match (answer.status, fault.code()) {
        (404, "UNREGISTERED") | (403, "SENDER_ID_MISMATCH") => Outcome::dead(&word),
        (400, "INVALID_ARGUMENT" | "") if fault.is_about_the_target() => Outcome::dead(&word),
        (401, "THIRD_PARTY_AUTH_ERROR") | (403 | 404, _) => Outcome::config(&word),
        (401, _) => return Reading::UnknownPass,
        (429, _) => Outcome::retry_provider(&word, Some(after.unwrap_or_default().max(QUOTA_WAIT_MIN))),
        (408 | 500.., _) => Outcome::retry_provider(&word, after),
        (400 | 402 | 405..=499, _) => Outcome::drop(&word),
        _ => Outcome::retry_provider("strange_answer", after),
    })
}

/// What a checked message says about the settings.
pub(super) fn in_words(project: &str, outcome: &Outcome) -> Trial {
    let says = match outcome {
        Outcome::Accepted { .. } => {
            return Trial::works(format!(
                "Google took a test message for “{project}” and threw it away. Messages can go out."
            ));
        }
        Outcome::Retry { code, .. } => {
            return Trial::of_connection("Google", code.as_str()).unwrap_or_else(|| {
                Trial::fails(
                    code.as_str(),
                    format!("Google is busy ({code}). Messages wait; try this test again in a minute."),
                )
            });
        }
        Outcome::Config { code } => of_settings(project, code.as_str()),
        Outcome::Dead { code, .. } | Outcome::Strike { code } | Outcome::Drop { code } => {
            format!("Google refused the test message ({code}).")
        }
        Outcome::OtherEnvironment { .. } => "Google answered something that only Apple answers.".to_owned(),
    };
    Trial::fails(outcome.code(), says)
}

fn of_settings(project: &str, code: &str) -> String {
    match code {
        "clock" => "Google says that the time of this laptop is wrong. Set its clock and try again.".to_owned(),
        "invalid_grant" | "invalid_client" | "unauthorized_client" | "UNAUTHENTICATED" | "service_account_key" => {
            "Google does not accept this key file. The key may have been removed: make a new one in Firebase under Project settings, Service accounts.".to_owned()
        }
        "PERMISSION_DENIED" => format!(
            "Google knows the key, but it may not send messages for “{project}”. In the Google Cloud console turn on the Firebase Cloud Messaging API for this project."
        ),
        "NOT_FOUND" => format!("Google has no project “{project}”. Choose the key file of the project that your app belongs to."),
        "THIRD_PARTY_AUTH_ERROR" => {
            "Google cannot pass messages on to Apple: the key for Apple is missing or wrong in Firebase, under Project settings, Cloud Messaging.".to_owned()
        }
        other => format!("Google does not accept these settings ({other})."),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
    use serde_json::{Value, json};

    use super::*;
    use crate::message::tests::noon;
    use crate::outcome::{Code, Wait};

    fn answer(status: u16, body: &Value, retry_after: Option<&'static str>) -> Reading {
        let headers = retry_after.map(|text| (RETRY_AFTER, HeaderValue::from_static(text)));
        let headers = HeaderMap::from_iter(headers);
        read(&Answer { status, headers, body: body.to_string().into_bytes() }, noon())
    }

    fn fault(status: &str, code: Option<&str>, fields: &[&str]) -> Value {
        let mut details = Vec::new();
        if let Some(code) = code {
            details.push(json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}));
        }
        if !fields.is_empty() {
            let violations: Vec<_> = fields.iter().map(|field| json!({"field": field, "description": "x"})).collect();
            details.push(json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}));
        }
        json!({"error": {"status": status, "message": "Refused.", "details": details}})
    }

    #[test]
    fn each_row_of_the_table_has_its_action() {
        let argument = |fields: &[&str]| fault("INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), fields);
        let table = [
            (404, fault("NOT_FOUND", Some("UNREGISTERED"), &[]), Outcome::dead("UNREGISTERED")),
            (403, fault("PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), &[]), Outcome::dead("SENDER_ID_MISMATCH")),
            (400, argument(&["message.token"]), Outcome::dead("INVALID_ARGUMENT message.token")),
            (400, argument(&["message.fid"]), Outcome::dead("INVALID_ARGUMENT message.fid")),
            (400, argument(&["message.android.ttl"]), Outcome::drop("INVALID_ARGUMENT message.android.ttl")),
            (
                400,
                argument(&["message.token", "message.data[0].value"]),
                Outcome::drop("INVALID_ARGUMENT message.token message.data[0].value"),
            ),
            (400, argument(&[]), Outcome::drop("INVALID_ARGUMENT")),
            (404, fault("NOT_FOUND", None, &[]), Outcome::config("NOT_FOUND")),
            (404, json!("<html>"), Outcome::config("status 404")),
            (
                401,
                fault("UNAUTHENTICATED", Some("THIRD_PARTY_AUTH_ERROR"), &[]),
                Outcome::config("THIRD_PARTY_AUTH_ERROR"),
            ),
            (403, fault("PERMISSION_DENIED", None, &[]), Outcome::config("PERMISSION_DENIED")),
            (500, fault("INTERNAL", Some("INTERNAL"), &[]), Outcome::retry_provider("INTERNAL", None)),
            (503, fault("UNAVAILABLE", Some("UNAVAILABLE"), &[]), Outcome::retry_provider("UNAVAILABLE", None)),
            (502, json!("<html>"), Outcome::retry_provider("status 502", None)),
            (302, json!(null), Outcome::retry_provider("strange_answer", None)),
            (413, json!(null), Outcome::drop("status 413")),
        ];
        for (status, body, expected) in table {
            assert_eq!(answer(status, &body, None), Reading::Settled(expected), "{status} {body}");
        }
    }

    #[test]
    fn a_token_that_is_none_is_known_by_its_sentence() {
        let mut body = fault("INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), &[]);
        body["error"]["message"] = json!("The registration token is not a valid FCM registration token");
        assert_eq!(answer(400, &body, None), Reading::Settled(Outcome::dead("INVALID_ARGUMENT")));
    }

    #[test]
    fn an_unknown_pass_is_renewed() {
        assert_eq!(answer(401, &fault("UNAUTHENTICATED", None, &[]), None), Reading::UnknownPass);
        assert_eq!(answer(401, &json!("<html>"), None), Reading::UnknownPass);
    }

    #[test]
    fn a_full_quota_waits_a_minute_at_least() {
        let full = fault("RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"), &[]);
        for (wish, seconds) in [(None, 60), (Some("5"), 60), (Some("300"), 300)] {
            let expected = Outcome::retry_provider("QUOTA_EXCEEDED", Some(Duration::from_secs(seconds)));
            assert_eq!(answer(429, &full, wish), Reading::Settled(expected));
        }
        let busy = answer(503, &fault("UNAVAILABLE", Some("UNAVAILABLE"), &[]), Some("7"));
        let expected = Outcome::Retry {
            code: Code::new("UNAVAILABLE"),
            after: Some(Duration::from_secs(7)),
            wait: Wait::Provider,
            reached: true,
        };
        assert_eq!(busy, Reading::Settled(expected));
    }

    #[test]
    fn only_a_name_is_an_acceptance() {
        let taken = Outcome::Accepted { provider_message_id: Some("projects/p/messages/1".to_owned()) };
        assert_eq!(answer(200, &json!({"name": "projects/p/messages/1"}), None), Reading::Settled(taken));
        for body in [json!({}), json!("<html>"), json!(null), json!({"name": 5})] {
            assert_eq!(answer(200, &body, None), Reading::Settled(Outcome::retry("strange_answer", None)), "{body}");
        }
    }

    #[test]
    fn a_test_says_what_to_do() {
        let says = |outcome: &Outcome| in_words("county-show", outcome);
        assert!(says(&Outcome::Accepted { provider_message_id: None }).works);
        let table = [
            (Outcome::config("clock"), "the time of this laptop is wrong"),
            (Outcome::config("invalid_grant"), "make a new one"),
            (Outcome::config("PERMISSION_DENIED"), "turn on the Firebase Cloud Messaging API"),
            (Outcome::config("NOT_FOUND"), "no project “county-show”"),
            (Outcome::config("THIRD_PARTY_AUTH_ERROR"), "on to Apple"),
            (Outcome::config("other"), "(other)"),
            (Outcome::retry("unreachable", None), "on the internet"),
            (Outcome::retry("not_trusted", None), "sign in"),
            (Outcome::retry("QUOTA_EXCEEDED", None), "busy (QUOTA_EXCEEDED)"),
            (Outcome::drop("INVALID_ARGUMENT"), "refused the test message (INVALID_ARGUMENT)"),
        ];
        for (outcome, part) in table {
            let trial = says(&outcome);
            assert!(!trial.works && trial.says.contains(part), "{}", trial.says);
        }
    }
}
