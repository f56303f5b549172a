//! Minutes become hours and days by adding, and a range of time becomes the steps of a chart.

mod steps;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::histogram::{Histogram, as_f64};

pub use steps::{Step, Steps};

/// Different routes, methods and results that one minute counts; a stranger's requests can't grow it further.
pub const KEYS_MAX: usize = 512;

/// What is counted where no room is left.
pub const OTHER: &str = "other";

/// How long one rollup is. All begin on whole ones of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of UTC. A chart by the show's days adds hours.
    Day,
}

impl Resolution {
    /// How long.
    pub const fn length(self) -> TimeDelta {
        match self {
            Self::Minute => TimeDelta::minutes(1),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    /// The start of the rollup that a moment belongs to.
    pub fn start_of(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let into = at.timestamp_millis().rem_euclid(self.length().num_milliseconds());
        let start = at.timestamp_millis() - into;
        DateTime::from_timestamp_millis(start).unwrap_or(at)
    }

    /// What is made of rollups of this one.
    pub const fn coarser(self) -> Option<Self> {
        match self {
            Self::Minute => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day => None,
        }
    }
}

/// What is counted together: the matched route, never the raw path, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The matched route.
    pub endpoint: String,
    /// The HTTP method.
    pub method: String,
    /// 2 for 200 to 299, and so on.
    pub status_class: u8,
}

/// The requests of one key in one rollup. Durations are microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Requests that failed, of those counted by the histogram.
    pub errors: u64,
    /// How long all of them took.
    pub histogram: Histogram,
}

impl Rollup {
    /// Adds another one. The order never matters.
    pub fn merge(&mut self, other: &Self) {
        self.errors = self.errors.saturating_add(other.errors);
        self.histogram.merge(&other.histogram);
    }

    /// How many requests.
    pub fn count(&self) -> u64 {
        self.histogram.count()
    }

    /// How long they took together, in milliseconds.
    pub fn sum_ms(&self) -> f64 {
        as_f64(self.histogram.sum()) / 1_000.0
    }

    /// The longest of them, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        as_f64(self.histogram.max().unwrap_or(0)) / 1_000.0
    }

    /// A percentile in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        self.histogram.quantile(share).map(|micros| micros / 1_000.0)
    }
}

/// Rollups by their start and key.
pub type Rollups = BTreeMap<(DateTime<Utc>, Key), Rollup>;

/// Counts requests into minutes until these are written.
#[derive(Debug, Default)]
pub struct Minutes {
    rollups: Rollups,
}

impl Minutes {
    /// Counts one request. Beyond [`KEYS_MAX`] keys a minute, new routes are counted together.
    pub fn record(&mut self, at: DateTime<Utc>, key: Key, failed: bool, took_us: u64) {
        let minute = Resolution::Minute.start_of(at);
        let mut place = (minute, key);
        if !self.rollups.contains_key(&place) && self.keys_of(minute) >= KEYS_MAX {
            place.1 = Key { endpoint: OTHER.to_owned(), method: OTHER.to_owned(), ..place.1 };
        }
        let rollup = self.rollups.entry(place).or_default();
        rollup.errors = rollup.errors.saturating_add(u64::from(failed));
        rollup.histogram.record(took_us, 1);
    }

    /// Takes out all that was counted since the last time. A minute may come in several parts; merging makes it whole.
    pub fn take(&mut self) -> Rollups {
        std::mem::take(&mut self.rollups)
    }

    fn keys_of(&self, minute: DateTime<Utc>) -> usize {
        let first = Key { endpoint: String::new(), method: String::new(), status_class: 0 };
        self.rollups.range((minute, first)..).take_while(|((start, _), _)| *start == minute).count()
    }
}

/// Adds rollups up to coarser ones.
pub fn coarsen(finer: impl IntoIterator<Item = ((DateTime<Utc>, Key), Rollup)>, to: Resolution) -> Rollups {
    let mut coarser = Rollups::new();
    for ((start, key), rollup) in finer {
        coarser.entry((to.start_of(start), key)).or_default().merge(&rollup);
    }
    coarser
}

/// Coarse rollups that one step of the work makes at most.
pub const DUE_MAX: i32 = 48;

/// How long a minute may still be written after it ended: the writer waits 5 seconds, and a slow disk longer.
const LATE: TimeDelta = TimeDelta::seconds(30);

/// The next whole rollups of a resolution that can be made: from one start to before another.
///
/// `made_until` is where the last step ended; without it `oldest`, the start of the first finer rollup, is where to
/// begin. None while the first of them is not over.
pub fn due(
    to: Resolution,
    made_until: Option<DateTime<Utc>>,
    oldest: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let from = to.start_of(made_until.unwrap_or(oldest));
    let over = to.start_of(now - LATE);
    let until = over.min(from + to.length() * DUE_MAX);
    (from < until).then_some((from, until))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn key(endpoint: &str) -> Key {
        Key { endpoint: endpoint.to_owned(), method: "GET".to_owned(), status_class: 2 }
    }

    #[test]
    fn a_rollup_begins_on_whole_ones_of_utc() {
        let moment = at("2026-08-14T15:42:31.5Z");
        assert_eq!(Resolution::Minute.start_of(moment), at("2026-08-14T15:42:00Z"));
        assert_eq!(Resolution::Hour.start_of(moment), at("2026-08-14T15:00:00Z"));
        assert_eq!(Resolution::Day.start_of(moment), at("2026-08-14T00:00:00Z"));
        assert_eq!(Resolution::Day.start_of(at("1969-12-31T23:00:00Z")), at("1969-12-31T00:00:00Z"));
    }

    #[test]
    fn strangers_cannot_grow_a_minute() {
        let mut minutes = Minutes::default();
        let moment = at("2026-08-14T15:42:31Z");
        for number in 0..KEYS_MAX * 3 {
            minutes.record(moment, key(&format!("/{number}")), false, 10);
        }
        minutes.record(moment, key("/0"), true, 10);
        let rollups = minutes.take();
        assert_eq!(rollups.len(), KEYS_MAX + 1);
        assert_eq!(rollups.values().map(Rollup::count).sum::<u64>(), KEYS_MAX as u64 * 3 + 1);
        let known = &rollups[&(Resolution::Minute.start_of(moment), key("/0"))];
        assert_eq!((known.count(), known.errors), (2, 1));
        assert!(minutes.take().is_empty());
    }

    #[test]
    fn whole_rollups_are_due_when_they_are_over_and_few_at_a_time() {
        let hour = |hours: i64| at("2026-08-14T06:00:00Z") + TimeDelta::hours(hours);
        let second = TimeDelta::seconds(1);
        let first = hour(0) + TimeDelta::minutes(12);
        assert_eq!(due(Resolution::Hour, None, first, hour(1) + LATE - second), None);
        assert_eq!(due(Resolution::Hour, None, first, hour(1) + LATE), Some((hour(0), hour(1))));
        assert_eq!(due(Resolution::Hour, Some(hour(1)), first, hour(1) + LATE), None);
        assert_eq!(due(Resolution::Hour, Some(hour(1)), first, hour(300)), Some((hour(1), hour(49))));
        // A clock that was set back makes nothing, and nothing twice.
        assert_eq!(due(Resolution::Hour, Some(hour(9)), first, hour(5)), None);
    }

    proptest! {
        #[test]
        fn days_from_hours_are_days_from_minutes(
            requests in prop::collection::vec((0..200_000_i64, 0..3_usize, any::<bool>(), 0..90_000_000_u64), 1..200),
        ) {
            let start = at("2026-08-14T00:00:00Z");
            let mut minutes = Minutes::default();
            let mut all = Rollup::default();
            for (second, endpoint, failed, took) in requests {
                let endpoint = ["/push", "/pull", "/me"][endpoint];
                minutes.record(start + TimeDelta::seconds(second), key(endpoint), failed, took);
                all.errors += u64::from(failed);
                all.histogram.record(took, 1);
            }
            let minutes = minutes.take();
            let days = coarsen(minutes.clone(), Resolution::Day);
            prop_assert_eq!(&coarsen(coarsen(minutes, Resolution::Hour), Resolution::Day), &days);
            let mut sum = Rollup::default();
            for day in days.values() {
                sum.merge(day);
            }
            prop_assert_eq!(sum, all);
        }
    }
}
