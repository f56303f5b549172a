//! What the answers of push services mean. They agree on numbers and on little else.

use chrono::{DateTime, Utc};
use reqwest::header::LOCATION;

use crate::network::Answer;
use crate::outcome::{Code, Outcome};

const LOCATION_LENGTH_MAX: usize = 1024;

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is decided.
    Settled(Outcome),
    /// Refused, for this subscription or for us.
    Refused(Code),
    /// Too large for this service.
    TooLarge,
}

/// Reads an answer.
pub(super) fn read(answer: &Answer, now: DateTime<Utc>) -> Reading {
    let word = format!("status {}", answer.status);
    let after = answer.retry_after(now);
    Reading::Settled(match answer.status {
        200..=202 => {
            let location = answer.header(LOCATION.as_str()).filter(|text| text.len() <= LOCATION_LENGTH_MAX);
            Outcome::Accepted { provider_message_id: location.map(str::to_owned) }
        }
        404 | 410 => Outcome::dead(&word),
        413 => return Reading::TooLarge,
        // 406 is what Windows says when it has had enough.
        406 | 408 | 425 | 429 | 500.. => Outcome::retry(&word, after),
        // A service that moved: it is not followed, for it could lead anywhere.
        300..=403 => return Reading::Refused(Code::new(&word)),
        405..=499 => Outcome::drop(&word),
        _ => Outcome::retry("strange_answer", after),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::*;
    use crate::message::tests::noon;

    fn answer(status: u16, headers: HeaderMap) -> Reading {
        read(&Answer { status, headers, body: Vec::new() }, noon())
    }

    #[test]
    fn each_row_of_the_table_has_its_action() {
        let taken = Outcome::Accepted { provider_message_id: None };
        let table = [
            (200, taken.clone()),
            (201, taken.clone()),
            (202, taken),
            (404, Outcome::dead("status 404")),
            (410, Outcome::dead("status 410")),
            (429, Outcome::retry("status 429", None)),
            (500, Outcome::retry("status 500", None)),
            (502, Outcome::retry("status 502", None)),
            (503, Outcome::retry("status 503", None)),
            (406, Outcome::retry("status 406", None)),
            (415, Outcome::drop("status 415")),
            (204, Outcome::retry("strange_answer", None)),
        ];
        for (status, expected) in table {
            assert_eq!(answer(status, HeaderMap::new()), Reading::Settled(expected), "{status}");
        }
        for status in [301, 307, 400, 401, 402, 403] {
            let expected = Reading::Refused(Code::new(&format!("status {status}")));
            assert_eq!(answer(status, HeaderMap::new()), expected, "{status}");
        }
        assert_eq!(answer(413, HeaderMap::new()), Reading::TooLarge);
    }

    #[test]
    fn where_a_message_can_be_asked_for_is_kept() {
        let at = |text: &str| {
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(text).unwrap())]);
            match answer(201, headers) {
                Reading::Settled(Outcome::Accepted { provider_message_id }) => provider_message_id,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(at("https://push.example.org/m/1").as_deref(), Some("https://push.example.org/m/1"));
        assert_eq!(at(&"x".repeat(5_000)), None);
    }

    #[test]
    fn a_wish_to_wait_is_kept_in_both_forms() {
        for (text, seconds) in [("30", 30), ("Sun, 22 Nov 2026 12:01:00 GMT", 60)] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            let expected = Outcome::retry("status 429", Some(Duration::from_secs(seconds)));
            assert_eq!(answer(429, headers), Reading::Settled(expected));
        }
    }
}
