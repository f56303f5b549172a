//! Notices a phone that was copied to another: two stores of one device that push in turn (PROTOCOL.md §3).
//!
//! Both are accepted; the desk shows the suspicion. A store made anew is no fork: the old one falls silent.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::DeviceId;
use uuid::Uuid;

/// Stores that push in turn within this time are two phones.
const IN_TURN: TimeDelta = TimeDelta::minutes(10);

#[derive(Debug, Clone, Copy)]
struct Push {
    incarnation: Uuid,
    at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
struct Turns {
    last: Push,
    /// The newest push of another store.
    other: Option<Push>,
    suspected_at: Option<DateTime<Utc>>,
}

/// What each device's stores pushed last. Bounded by the number of devices; forgotten at a restart.
#[derive(Debug, Default)]
pub(crate) struct Forks(Mutex<HashMap<DeviceId, Turns>>);

impl Forks {
    /// Notes a push.
    pub(crate) fn note(&self, device: DeviceId, incarnation: Uuid, at: DateTime<Utc>) {
        let push = Push { incarnation, at };
        let mut devices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turns = devices.entry(device).or_insert(Turns { last: push, other: None, suspected_at: None });
        if turns.last.incarnation != incarnation {
            let came_back = |other: Push| other.incarnation == incarnation && (at - other.at).abs() <= IN_TURN;
            if turns.other.is_some_and(came_back) {
                turns.suspected_at = Some(at);
            }
            turns.other = Some(turns.last);
        }
        turns.last = push;
    }

    /// Since when a device is suspected to be two.
    pub(crate) fn suspected(&self, device: DeviceId) -> Option<DateTime<Utc>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&device).and_then(|turns| turns.suspected_at)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn suspected(pushes: &[(u128, i64)]) -> bool {
        let forks = Forks::default();
        let device = DeviceId(Uuid::from_u128(1));
        for (incarnation, minute) in pushes {
            let at = Utc.timestamp_opt(minute * 60, 0).single().expect("a time");
            forks.note(device, Uuid::from_u128(*incarnation), at);
        }
        forks.suspected(device).is_some()
    }

    #[test]
    fn two_stores_that_push_in_turn_are_a_fork() {
        assert!(suspected(&[(1, 0), (2, 1), (1, 2)]));
    }

    #[test]
    fn a_store_made_anew_is_none() {
        assert!(!suspected(&[(1, 0), (1, 1), (2, 2), (2, 3), (2, 40)]));
    }

    #[test]
    fn long_pauses_are_none() {
        assert!(!suspected(&[(1, 0), (2, 30), (1, 60)]));
    }
}
