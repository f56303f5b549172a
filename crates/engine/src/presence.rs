//! Which devices are there: heard of in which of the last sixty minutes, slow, or away.
//!
//! Kept in memory, one bit a minute. After a restart a device's last request is known from its row, and nothing of the
//! minutes before the desk was started.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::DeviceId;
use showdesk_store::absences::AbsenceRow;

/// A device that was not heard of for so long is away: three rounds of a phone that shows its page.
const AWAY_AFTER: TimeDelta = TimeDelta::seconds(45);
/// Shorter absences are not kept.
const ABSENCE_MIN: TimeDelta = TimeDelta::seconds(60);
/// Minutes that are told.
const BEATS: i64 = 60;

/// A moment by both clocks: the machine's, and the one that nobody sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub now: DateTime<Utc>,
    pub steady: DateTime<Utc>,
}

impl Moment {
    /// How long it is to a time that a person chose. It has come when both clocks say so, so that nobody is locked out
    /// because the machine's clock was set, or was wrong when the program was started.
    pub(crate) fn left_until(self, ends: DateTime<Utc>) -> TimeDelta {
        (ends - self.now).max(ends - self.steady)
    }

    /// Whether somebody whose stay ends then is still in the show.
    pub(crate) fn is_within(self, ends: Option<DateTime<Utc>>) -> bool {
        ends.is_none_or(|ends| self.left_until(ends) > TimeDelta::zero())
    }
}

/// What is stored of a device.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub device: DeviceId,
    pub joined_at: DateTime<Utc>,
    pub last_seen: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What every device was heard of. Bounded by the number of devices.
#[derive(Debug)]
pub(crate) struct Presence {
    began: DateTime<Utc>,
    traces: Mutex<HashMap<DeviceId, Trace>>,
}

/// Minutes as bits, the newest lowest.
#[derive(Debug, Clone, Copy)]
struct Trace {
    heard_at: DateTime<Utc>,
    minute: i64,
    heard: u64,
    slow: u64,
}

impl Trace {
    fn move_to(&mut self, minute: i64) {
        let passed = u32::try_from((minute - self.minute).max(0)).unwrap_or(u32::MAX);
        self.heard = self.heard.checked_shl(passed).unwrap_or(0);
        self.slow = self.slow.checked_shl(passed).unwrap_or(0);
        self.minute = self.minute.max(minute);
    }

    fn was(&self, bits: u64, minute: i64) -> bool {
        let back = u32::try_from(self.minute - minute).ok();
        back.and_then(|back| bits.checked_shr(back)).is_some_and(|bits| bits & 1 == 1)
    }
}

impl Presence {
    /// Nothing is known before that moment of the steady clock.
    pub(crate) fn new(began: DateTime<Utc>) -> Self {
        Self { began, traces: Mutex::default() }
    }

    /// Notes a request. Answers the absence that it ends; `last_seen` is what is stored of the device.
    pub(crate) fn heard(&self, device: DeviceId, last_seen: Option<DateTime<Utc>>, at: Moment) -> Option<AbsenceRow> {
        let mut traces = self.traces();
        let before = traces.get(&device).map(|trace| trace.heard_at);
        let minute = minute_of(at.steady);
        let trace = traces.entry(device).or_insert(Trace { heard_at: at.steady, minute, heard: 0, slow: 0 });
        trace.move_to(minute);
        trace.heard |= 1;
        trace.heard_at = at.steady;
        // Another desk may have heard of it meanwhile, and somebody may have set the clock: the shorter time counts.
        let unheard = [before.map(|before| at.steady - before), last_seen.map(|seen| at.now - seen)];
        let unheard = unheard.into_iter().flatten().min()?;
        let row = AbsenceRow { device, away_from: at.now - unheard, back_at: at.now };
        (unheard >= ABSENCE_MIN).then_some(row)
    }

    /// Notes that the device's requests take long on their way.
    pub(crate) fn slow(&self, device: DeviceId, at: Moment) {
        if let Some(trace) = self.traces().get_mut(&device) {
            trace.move_to(minute_of(at.steady));
            trace.slow |= 1;
        }
    }

    /// Whether the device is there now.
    pub(crate) fn is_connected(&self, known: Known, at: Moment) -> bool {
        let heard = self.traces().get(&known.device).map(|trace| at.steady - trace.heard_at);
        let unheard = [heard, known.last_seen.map(|seen| at.now - seen)].into_iter().flatten().min();
        known.revoked_at.is_none() && unheard.is_some_and(|unheard| unheard < AWAY_AFTER)
    }

    /// One letter a minute, oldest first: c heard of, s heard of and slow, a away, - not joined yet or the desk was off.
    pub(crate) fn beats(&self, known: Known, at: Moment) -> String {
        let trace = self.traces().get(&known.device).copied();
        let newest = minute_of(at.steady);
        // The desk's own minute of a moment that is told by the machine's clock.
        let minute_then = |then: DateTime<Utc>| minute_of(at.steady - (at.now - then));
        let seen = known.last_seen.map(minute_then);
        let first = minute_then(known.joined_at).max(minute_of(self.began));
        let is_new = trace.is_none() && seen.is_none();
        let letter = |minute: i64| match trace {
            Some(trace) if trace.was(trace.heard & trace.slow, minute) => 's',
            Some(trace) if trace.was(trace.heard, minute) => 'c',
            _ if seen == Some(minute) => 'c',
            _ if is_new || minute < first => '-',
            // A minute that has just begun is as the one before, while the device still counts as there.
            _ if minute == newest && self.is_connected(known, at) => 'c',
            _ => 'a',
        };
        (newest - BEATS + 1..=newest).map(letter).collect()
    }

    fn traces(&self) -> MutexGuard<'_, HashMap<DeviceId, Trace>> {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn minute_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const PHONE: DeviceId = DeviceId(Uuid::from_u128(1));

    fn moment(seconds: i64) -> Moment {
        let at = DateTime::from_timestamp(1_786_000_020 + seconds, 0).expect("a moment");
        Moment { now: at, steady: at }
    }

    fn known(last_seen: Option<i64>) -> Known {
        let at = |seconds: i64| moment(seconds).now;
        Known { device: PHONE, joined_at: at(0), last_seen: last_seen.map(at), revoked_at: None }
    }

    fn beats(presence: &Presence, known: Known, seconds: i64) -> String {
        let beats = presence.beats(known, moment(seconds));
        assert_eq!(beats.len(), 60);
        beats.trim_start_matches('-').to_owned()
    }

    #[test]
    fn a_minute_tells_whether_the_phone_was_heard_of() {
        let presence = Presence::new(moment(-600).steady);
        for seconds in [5, 20, 70] {
            presence.heard(PHONE, None, moment(seconds));
        }
        presence.slow(PHONE, moment(75));
        presence.heard(PHONE, None, moment(200));
        assert_eq!(beats(&presence, known(None), 210), "csac");
        assert_eq!(beats(&presence, known(None), 200 + 44), "csacc", "it still counts as there");
        assert_eq!(beats(&presence, known(None), 200 + 46), "csaca");
        assert_eq!(beats(&presence, known(None), 3_600 * 3), "a".repeat(60));
    }

    #[test]
    fn a_phone_that_never_came_has_no_minutes() {
        let presence = Presence::new(moment(0).steady);
        assert_eq!(beats(&presence, known(None), 300), "");
        assert!(!presence.is_connected(known(None), moment(300)));
    }

    #[test]
    fn after_a_restart_the_last_request_is_known_and_nothing_before_the_start() {
        let presence = Presence::new(moment(600).steady);
        assert_eq!(beats(&presence, known(Some(300)), 730), "c----aaa");
        assert!(presence.is_connected(known(Some(300)), moment(344)));
        assert!(!presence.is_connected(known(Some(300)), moment(345)));
    }

    #[test]
    fn a_removed_phone_is_away_at_once() {
        let presence = Presence::new(moment(0).steady);
        presence.heard(PHONE, None, moment(10));
        let removed = Known { revoked_at: Some(moment(11).now), ..known(None) };
        assert!(!presence.is_connected(removed, moment(12)));
    }

    #[test]
    fn coming_back_ends_an_absence_of_a_minute_or_more() {
        let presence = Presence::new(moment(0).steady);
        assert_eq!(presence.heard(PHONE, None, moment(0)), None, "it has just joined");
        assert_eq!(presence.heard(PHONE, None, moment(59)), None);
        let absence = presence.heard(PHONE, None, moment(359)).expect("five minutes");
        assert_eq!((absence.away_from, absence.back_at), (moment(59).now, moment(359).now));
        assert_eq!(presence.heard(PHONE, Some(moment(880).now), moment(900)), None, "another desk has heard of it");
    }

    #[test]
    fn an_absence_is_known_across_a_restart_and_a_clock_that_was_set_makes_none() {
        let presence = Presence::new(moment(1_000).steady);
        let absence = presence.heard(PHONE, Some(moment(500).now), moment(1_010)).expect("away while the desk was off");
        assert_eq!((absence.away_from, absence.back_at), (moment(500).now, moment(1_010).now));
        let set_ahead = Moment { now: moment(8_000).now, steady: moment(1_020).steady };
        assert_eq!(presence.heard(PHONE, Some(moment(500).now), set_ahead), None);
    }
}
