//! Minutes become hours and days by adding, and a range of time becomes the steps of a chart.

mod steps;

use std::borrow::Cow;
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
    /// All, the finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

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
}

/// What is counted together: the matched route, never the raw path, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The matched route.
    pub endpoint: Cow<'static, str>,
    /// The HTTP method.
    pub method: Cow<'static, str>,
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
    fn record(&mut self, failed: bool, took_us: u64) {
        self.errors = self.errors.saturating_add(u64::from(failed));
        self.histogram.record(took_us, 1);
    }

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
        // Nearly every request is another one of what was counted before.
        if let Some(rollup) = self.rollups.get_mut(&place) {
            return rollup.record(failed, took_us);
        }
        if self.keys_of(minute) >= KEYS_MAX {
            place.1 = Key { endpoint: Cow::Borrowed(OTHER), method: Cow::Borrowed(OTHER), ..place.1 };
        }
        self.rollups.entry(place).or_default().record(failed, took_us);
    }

    /// Takes out all that was counted since the last time. A minute may come in several parts; merging makes it whole.
    pub fn take(&mut self) -> Rollups {
        std::mem::take(&mut self.rollups)
    }

    fn keys_of(&self, minute: DateTime<Utc>) -> usize {
        let first = Key { endpoint: Cow::Borrowed(""), method: Cow::Borrowed(""), status_class: 0 };
        self.rollups.range((minute, first)..).take_while(|((start, _), _)| *start == minute).count()
    }
}

/// Adds rollups up to coarser ones. What is added to a minute is added to its hour and its day in the same moment: so
/// these are never behind, and a minute that comes late, or twice because the clock was set back, is counted once.
pub fn coarsen(finer: impl IntoIterator<Item = ((DateTime<Utc>, Key), Rollup)>, to: Resolution) -> Rollups {
    let mut coarser = Rollups::new();
    for ((start, key), rollup) in finer {
        coarser.entry((to.start_of(start), key)).or_default().merge(&rollup);
    }
    coarser
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn key(endpoint: &str) -> Key {
        Key { endpoint: endpoint.to_owned().into(), method: "GET".into(), status_class: 2 }
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
