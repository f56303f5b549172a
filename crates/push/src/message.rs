//! One message as the show means it, before a provider's own form.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A message for one person.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Ours; the phone tells by it that it had the message before, by another way.
    pub id: Uuid,
    /// The line in bold.
    pub title: String,
    /// What follows. It is cut when a provider has no room for all of it.
    pub body: String,
    /// For the program on the phone: what to open. Names that FCM keeps to itself (`from`, `message_type`, and those
    /// that begin with `google.` or `gcm.notification.`) and our own `id` and `priority` are not for use here.
    pub data: BTreeMap<String, String>,
    /// What else the show's own page is told, in the words of its own stream. Only a page gets it, sealed.
    pub notice: Map<String, Value>,
    /// How loud.
    pub priority: Priority,
    /// From then on nobody wants to read it.
    pub expires_at: DateTime<Utc>,
    /// A later message with the same key takes the place of an earlier one.
    pub collapse_key: Option<String>,
}

/// How loud a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Info: may wait until the phone wakes up.
    Normal,
    /// Important: now.
    High,
    /// Emergency: now, and loud.
    Urgent,
}

impl Priority {
    /// The word for it in what the phone gets.
    pub fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// Whether a sleeping phone is to be woken for it.
    pub(crate) fn wakes(self) -> bool {
        self != Self::Normal
    }
}

impl Outgoing {
    /// How long it may still wait, in whole seconds; none once it has expired.
    pub(crate) fn time_left(&self, now: DateTime<Utc>, most: Duration) -> Option<Duration> {
        let seconds = u64::try_from((self.expires_at - now).num_seconds()).ok().filter(|seconds| *seconds > 0)?;
        Some(Duration::from_secs(seconds).min(most))
    }

    /// The collapse key as a name of 32 letters: providers allow 32 to 64, and a key of ours may be longer.
    pub(crate) fn collapse_name(&self) -> Option<String> {
        let key = self.collapse_key.as_ref()?;
        Some(URL_SAFE_NO_PAD.encode(&Sha256::digest(key.as_bytes())[..24]))
    }

    /// The longest beginning of the body for which `size` says at most `limit` bytes; none if even no body fits.
    ///
    /// `size` must not shrink when the body grows.
    pub(crate) fn fitting_body(&self, limit: usize, size: impl Fn(&str) -> usize) -> Option<String> {
        if size(&self.body) <= limit {
            return Some(self.body.clone());
        }
        let ends: Vec<usize> = self.body.char_indices().map(|(at, _)| at).collect();
        let cut = |end: usize| if end == 0 { String::new() } else { format!("{}…", self.body[..end].trim_end()) };
        let fitting = ends.partition_point(|end| size(&cut(*end)) <= limit);
        ends.get(fitting.checked_sub(1)?).map(|end| cut(*end))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A call to the ring that expires ten minutes after `now`.
    pub(crate) fn call(now: DateTime<Utc>) -> Outgoing {
        Outgoing {
            id: Uuid::from_u128(0x0f5e_95b4_7c0e_4d7a_9a3e_1f6c_7f00_0001),
            title: "Class 12 to ring 2".to_owned(),
            body: "Market lambs, light. Please be there in 10 minutes.".to_owned(),
            data: BTreeMap::from([("open".to_owned(), "#/classes/12".to_owned())]),
            notice: Map::new(),
            priority: Priority::High,
            expires_at: now + chrono::TimeDelta::minutes(10),
            collapse_key: Some("class-call:12".to_owned()),
        }
    }

    pub(crate) fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_348_800, 0).unwrap()
    }

    #[test]
    fn time_left_ends_with_the_message_and_has_a_top() {
        let message = call(noon());
        let day = Duration::from_hours(24);
        assert_eq!(message.time_left(noon(), day), Some(Duration::from_mins(10)));
        assert_eq!(message.time_left(noon(), Duration::from_mins(1)), Some(Duration::from_mins(1)));
        assert_eq!(message.time_left(message.expires_at, day), None);
        assert_eq!(message.time_left(message.expires_at + chrono::TimeDelta::days(1), day), None);
    }

    #[test]
    fn a_collapse_name_is_short_and_its_own_for_each_key() {
        let mut message = call(noon());
        let first = message.collapse_name().unwrap();
        assert_eq!(first.len(), 32);
        message.collapse_key = Some("class-call:13".repeat(50));
        let second = message.collapse_name().unwrap();
        assert_eq!(second.len(), 32);
        assert_ne!(first, second);
        message.collapse_key = None;
        assert_eq!(message.collapse_name(), None);
    }

    #[test]
    fn a_body_is_cut_between_letters_and_says_so() {
        let mut message = call(noon());
        message.body = "🐑".repeat(10);
        let fits = |limit| message.fitting_body(limit, str::len);
        assert_eq!(fits(40).unwrap(), message.body);
        assert_eq!(fits(39).unwrap(), format!("{}…", "🐑".repeat(9)));
        assert_eq!(fits(7).unwrap(), "🐑…");
        assert_eq!(fits(6).unwrap(), "");
        assert_eq!(message.fitting_body(2, |body| body.len() + 3), None);
    }

    proptest::proptest! {
        #[test]
        fn a_cut_body_always_fits(body in "\\PC{0,60}", limit in 0_usize..80) {
            let message = Outgoing { body, ..call(noon()) };
            let size = |body: &str| serde_json::to_string(body).map_or(usize::MAX, |text| text.len());
            if let Some(cut) = message.fitting_body(limit, size) {
                proptest::prop_assert!(size(&cut) <= limit);
            } else {
                proptest::prop_assert!(limit < 2);
            }
        }
    }
}
