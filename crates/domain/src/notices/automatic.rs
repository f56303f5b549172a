//! Which messages the desk sends by itself, and what an admin chose about them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Kinds of messages that the desk sends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Automatic {
    /// A class is called to make-ready.
    ClassCall,
    /// A class is next, or two classes away.
    UpNext,
    /// A champion drive is called.
    DriveCall,
    /// A class has another ring.
    RingChange,
    /// A department starts at another time.
    Schedule,
    /// Weigh-in closes soon and animals are not weighed.
    WeighClosing,
    /// A department's classes are published.
    ClassesPosted,
    /// A class is official.
    Results,
    /// Something needs a decision.
    Conflict,
    /// A phone holds unsent work.
    Sync,
}

impl Automatic {
    /// All of them, as the desk lists them.
    pub const ALL: [Self; 10] = [
        Self::ClassCall,
        Self::UpNext,
        Self::DriveCall,
        Self::RingChange,
        Self::Schedule,
        Self::WeighClosing,
        Self::ClassesPosted,
        Self::Results,
        Self::Conflict,
        Self::Sync,
    ];

    /// The message's type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClassCall => "class_call",
            Self::UpNext => "up_next",
            Self::DriveCall => "drive_call",
            Self::RingChange => "ring_change",
            Self::Schedule => "schedule",
            Self::WeighClosing => "weigh_closing",
            Self::ClassesPosted => "classes_posted",
            Self::Results => "results",
            Self::Conflict => "conflict",
            Self::Sync => "sync",
        }
    }

    /// Minutes it counts with, where it has any: before weigh-in closes, a class in the ring, work not sent.
    pub fn minutes(self) -> Option<i64> {
        match self {
            Self::UpNext => Some(10),
            Self::WeighClosing => Some(30),
            Self::Sync => Some(12),
            _ => None,
        }
    }
}

/// What was chosen for one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Which kind.
    pub key: Automatic,
    /// Whether it is sent.
    pub on: bool,
    /// Minutes it counts with, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
    /// When weigh-in closes, by department.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closes: Vec<Closing>,
}

/// When a department's weigh-in closes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// swine, ….
    pub department: String,
    /// When.
    #[serde(with = "crate::value::instant")]
    pub at: DateTime<Utc>,
}

/// What was chosen for all kinds. A kind that is not named is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Json>")]
pub struct Choices(pub Vec<Choice>);

impl From<Vec<Json>> for Choices {
    /// What a newer desk of the same database chose about a kind that is not known here counts as not chosen.
    fn from(kept: Vec<Json>) -> Self {
        Self(kept.into_iter().filter_map(|choice| serde_json::from_value(choice).ok()).collect())
    }
}

impl Choices {
    /// Whether the desk sends messages of this kind.
    pub fn is_on(&self, key: Automatic) -> bool {
        self.of(key).is_none_or(|choice| choice.on)
    }

    /// The minutes of a kind.
    pub fn minutes(&self, key: Automatic) -> i64 {
        self.of(key).and_then(|choice| choice.minutes).or_else(|| key.minutes()).unwrap_or(0)
    }

    /// When weigh-in closes, by department.
    pub fn closings(&self) -> &[Closing] {
        self.of(Automatic::WeighClosing).map_or(&[], |choice| &choice.closes)
    }

    /// One choice a kind, also for those that were never chosen.
    pub fn complete(&self) -> Vec<Choice> {
        let choice = |key: Automatic| Choice {
            key,
            on: self.is_on(key),
            minutes: key.minutes().map(|_| self.minutes(key)),
            closes: if key == Automatic::WeighClosing { self.closings().to_vec() } else { Vec::new() },
        };
        Automatic::ALL.into_iter().map(choice).collect()
    }

    fn of(&self, key: Automatic) -> Option<&Choice> {
        self.0.iter().find(|choice| choice.key == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_chosen_is_sent_with_its_usual_minutes() {
        let choices = Choices(vec![
            Choice { key: Automatic::Sync, on: true, minutes: Some(5), closes: vec![] },
            Choice { key: Automatic::Results, on: false, minutes: None, closes: vec![] },
        ]);
        assert!(choices.is_on(Automatic::ClassCall) && !choices.is_on(Automatic::Results));
        assert_eq!((choices.minutes(Automatic::Sync), choices.minutes(Automatic::UpNext)), (5, 10));
        let complete = choices.complete();
        assert_eq!(complete.len(), Automatic::ALL.len());
        assert_eq!(Choices(complete.clone()).complete(), complete);
    }

    #[test]
    fn what_is_not_known_here_leaves_the_rest_as_it_was_chosen() {
        let kept = serde_json::json!([
            {"key": "tomorrow", "on": true, "colour": "red"},
            {"key": "weigh_closing", "on": true, "closes": [{"department": "swine", "at": "-262143-01-01T00:00:00Z"}]},
            {"key": "results", "on": false},
        ]);
        let choices: Choices = serde_json::from_value(kept).expect("it is read");
        assert_eq!(choices.0, [Choice { key: Automatic::Results, on: false, minutes: None, closes: vec![] }]);
        assert_eq!(serde_json::to_value(&choices).expect("JSON"), serde_json::json!([{"key": "results", "on": false}]));
    }

    #[test]
    fn a_kind_is_named_as_its_messages_are() {
        for key in Automatic::ALL {
            assert_eq!(serde_json::to_value(key).expect("a word"), key.as_str());
        }
    }
}
