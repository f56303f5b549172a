//! A problem: errors with one fingerprint, and how it fares.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The first errors of a group that are kept with their text.
pub const SAMPLES_FIRST: u64 = 5;

/// The last ones that are kept.
pub const SAMPLES_LAST: u64 = 20;

/// How a problem stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has looked at it.
    Open,
    /// Somebody said that it is solved.
    Resolved,
    /// Somebody does not want to hear of it. It is still counted.
    Ignored,
    /// It was solved and came back.
    Regressed,
}

impl Status {
    /// The word of the database and of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
            Self::Regressed => "regressed",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Resolved, Self::Ignored, Self::Regressed].into_iter().find(|status| status.as_str() == word)
    }
}

/// A group as stored, without its title and its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// When it was first seen.
    pub first_seen: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen: DateTime<Utc>,
    /// How often.
    pub count: u64,
    /// How it stands.
    pub status: Status,
    /// When somebody said that it is solved.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// One error of a group.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence {
    /// When it happened, by the laptop's clock.
    pub at: DateTime<Utc>,
}

/// What an error meant for its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The first of a new problem.
    First,
    /// One more.
    Again,
    /// A solved problem is back.
    Regressed,
}

impl Group {
    /// Counts one error, for the group it belongs to or for a new one.
    pub fn see(known: Option<Self>, error: Occurrence) -> (Self, Seen) {
        let Some(mut group) = known else {
            let group =
                Self { first_seen: error.at, last_seen: error.at, count: 1, status: Status::Open, resolved_at: None };
            return (group, Seen::First);
        };
        group.count = group.count.saturating_add(1);
        group.first_seen = group.first_seen.min(error.at);
        group.last_seen = group.last_seen.max(error.at);
        // A phone that was away reports errors of before: these are no sign that the problem is back.
        let is_back = group.status == Status::Resolved && group.resolved_at.is_none_or(|at| error.at > at);
        if is_back {
            group.status = Status::Regressed;
        }
        (group, if is_back { Seen::Regressed } else { Seen::Again })
    }

    /// Somebody says how it stands.
    pub fn set(&mut self, status: Status, now: DateTime<Utc>) {
        self.resolved_at = (status == Status::Resolved).then_some(now);
        self.status = status;
    }
}

/// Which sample goes, by its number in the group from 1, when the error with this number comes: the first ones and the
/// last ones stay.
pub fn sample_to_drop(number: u64) -> Option<u64> {
    number.checked_sub(SAMPLES_LAST).filter(|old| *old > SAMPLES_FIRST)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn seen(group: Option<Group>, second: i64) -> (Group, Seen) {
        Group::see(group, Occurrence { at: at(second) })
    }

    #[test]
    fn a_solved_problem_that_is_seen_again_has_regressed_once() {
        let (mut group, first) = seen(None, 0);
        assert_eq!((first, group.status), (Seen::First, Status::Open));
        group.set(Status::Resolved, at(10));
        let (group, late) = seen(Some(group), 5);
        assert_eq!((late, group.status), (Seen::Again, Status::Resolved));
        let (group, back) = seen(Some(group), 11);
        assert_eq!((back, group.status), (Seen::Regressed, Status::Regressed));
        let (group, again) = seen(Some(group), 12);
        assert_eq!((again, group.status, group.count), (Seen::Again, Status::Regressed, 4));
        assert_eq!((group.first_seen, group.last_seen), (at(0), at(12)));
    }

    #[test]
    fn an_ignored_problem_is_counted_and_stays_ignored() {
        let (mut group, _) = seen(None, 0);
        group.set(Status::Ignored, at(1));
        let (group, again) = seen(Some(group), 2);
        assert_eq!((again, group.status, group.count), (Seen::Again, Status::Ignored, 2));
    }

    #[test]
    fn the_first_five_and_the_last_twenty_samples_stay() {
        let mut kept = BTreeSet::new();
        for number in 1..=1_000 {
            kept.insert(number);
            if let Some(old) = sample_to_drop(number) {
                assert!(kept.remove(&old));
            }
            assert!(kept.len() <= 25);
        }
        assert_eq!(kept, (1..=5).chain(981..=1_000).collect());
    }
}
