//! What was measured lately, in memory: rules are judged by it, also while nothing can be written.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_telemetry::metric::Metric;
use showdesk_telemetry::rollup::{Key, Resolution, Rollup, Rollups};

use super::tasks;

/// How far back it goes.
const KEPT: TimeDelta = TimeDelta::minutes(60);
/// Minutes of requests that are kept, whatever clocks do.
const MINUTES_MAX: usize = 62;
/// Looks at the counters that are kept.
const LOOKS_MAX: usize = 300;

/// What a measurement is of: `channel` is `local`.
pub(crate) type Labels = BTreeMap<String, String>;

/// Labels of few words.
pub(super) fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// How far a counter is, or by how much it grew.
pub(super) type Count = (Metric, Labels, u64);

/// A gauge as it was last read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// What was read.
    pub metric: Metric,
    /// A phone's id, or a provider's word; empty for the laptop and the show. Readings of one subject are added up.
    pub subject: String,
    /// What it is of. The readings of one phone share them: there may be a thousand.
    pub labels: Arc<Labels>,
    /// The value.
    pub value: f64,
    /// When.
    pub at: DateTime<Utc>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct History {
    minutes: BTreeMap<DateTime<Utc>, BTreeMap<Key, Rollup>>,
    /// Since the start of the program.
    totals: BTreeMap<Key, Rollup>,
    looks: VecDeque<(DateTime<Utc>, Vec<Count>)>,
    counters: HashMap<(Metric, Labels), u64>,
    gauges: Vec<Measured>,
}

impl History {
    /// Takes requests in that were just counted. Minutes that are still to come were left by a clock that has been set
    /// back since: as the latest ones they would push out what is counted now.
    pub(super) fn add_requests(&mut self, rollups: &Rollups, now: DateTime<Utc>) {
        self.minutes.retain(|start, _| *start <= now);
        for ((start, key), rollup) in rollups {
            self.totals.entry(key.clone()).or_default().merge(rollup);
            self.minutes.entry(*start).or_default().entry(key.clone()).or_default().merge(rollup);
        }
        while self.minutes.len() > MINUTES_MAX {
            self.minutes.pop_first();
        }
    }

    /// Takes in how far the counters are; answers by how much each grew.
    pub(super) fn look_at_counters(
        &mut self,
        counters: Vec<(Metric, Labels, u64)>,
        now: DateTime<Utc>,
    ) -> Vec<(Metric, Labels, u64)> {
        let mut grown = Vec::new();
        for (metric, labels, value) in counters {
            let before = self.counters.insert((metric, labels.clone()), value).unwrap_or(0);
            if value > before {
                grown.push((metric, labels, value - before));
            }
        }
        self.looks.push_back((now, grown.clone()));
        while self.looks.len() > LOOKS_MAX {
            self.looks.pop_front();
        }
        grown
    }

    /// Takes the newest readings in, in the place of those before.
    pub(super) fn set_gauges(&mut self, gauges: Vec<Measured>) {
        self.gauges = gauges;
    }

    /// The newest readings.
    pub(super) fn gauges(&self) -> &[Measured] {
        &self.gauges
    }

    /// How far the counters are.
    pub(super) fn counters(&self) -> impl Iterator<Item = (Metric, &Labels, u64)> {
        self.counters.iter().map(|((metric, labels), value)| (*metric, labels, *value))
    }

    /// All requests since the start of the program.
    pub(super) fn totals(&self) -> &BTreeMap<Key, Rollup> {
        &self.totals
    }

    /// The requests of the last seconds, an hour at most, to the minute.
    pub(super) fn requests(&self, now: DateTime<Utc>, seconds: u32, filter: &Labels) -> Rollup {
        let from = now - TimeDelta::seconds(i64::from(seconds)).min(KEPT) - Resolution::Minute.length();
        let mut sum = Rollup::default();
        for keys in self.minutes.range(from..=now).map(|(_, keys)| keys) {
            keys.iter().filter(|(key, _)| is_meant(key, filter)).for_each(|(_, rollup)| sum.merge(rollup));
        }
        sum
    }

    /// By how much counters grew in the last seconds, an hour at most.
    pub(super) fn counted(&self, now: DateTime<Utc>, seconds: u32, metric: Metric, filter: &Labels) -> u64 {
        let from = now - TimeDelta::seconds(i64::from(seconds)).min(KEPT);
        let looks = self.looks.iter().filter(|(at, _)| *at > from && *at <= now);
        let grown = looks.flat_map(|(_, grown)| grown);
        let meant = grown.filter(|(known, labels, _)| {
            *known == metric && filter.iter().all(|(key, value)| labels.get(key) == Some(value))
        });
        meant.map(|(_, _, count)| count).sum()
    }
}

/// Whether requests of a route are meant. Without a filter that are the laptop's answers: not the pages' files, and
/// not what phones say.
pub(super) fn is_meant(key: &Key, filter: &Labels) -> bool {
    if filter.is_empty() {
        return is_of_the_laptop(&key.endpoint);
    }
    filter.iter().all(|(name, value)| match name.as_str() {
        "endpoint" => key.endpoint == *value,
        "method" => key.method == *value,
        "task" => !key.endpoint.starts_with(tasks::OF_PHONES) && tasks::task_of(&key.method, &key.endpoint) == value,
        _ => false,
    })
}

/// Whether the laptop's own routes are meant by this.
pub(crate) fn is_of_the_laptop(endpoint: &str) -> bool {
    !endpoint.starts_with(tasks::OF_PHONES) && endpoint != tasks::UNMATCHED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_040 + seconds, 0).expect("a time")
    }

    fn rollups(second: i64, endpoint: &'static str, took_us: u64) -> Rollups {
        let mut rollup = Rollup::default();
        rollup.histogram.record(took_us, 1);
        let key = Key { endpoint: endpoint.into(), method: "POST".into(), status_class: 2 };
        Rollups::from([((Resolution::Minute.start_of(at(second)), key), rollup)])
    }

    #[test]
    fn a_window_counts_the_laptops_answers_of_its_minutes() {
        let mut history = History::default();
        for second in [0, 61, 130, 4_000] {
            history.add_requests(&rollups(second, "/api/v1/sync/push", 1_000), at(second));
            history.add_requests(&rollups(second, "phone:/api/v1/sync/push", 1_000), at(second));
            history.add_requests(&rollups(second, "unmatched", 1_000), at(second));
        }
        let count = |now: i64, seconds: u32, filter: &Labels| history.requests(at(now), seconds, filter).count();
        assert_eq!(count(130, 60, &Labels::new()), 2);
        assert_eq!(count(130, 300, &Labels::new()), 3, "a clock that was set back left a later minute");
        assert_eq!(count(4_000, 300, &Labels::new()), 1);
        assert_eq!(count(4_000, u32::MAX, &Labels::new()), 1, "an hour at most");
        assert_eq!(count(130, 60, &labels([("task", "Send entries")])), 2);
        assert_eq!(count(130, 60, &labels([("endpoint", "phone:/api/v1/sync/push"), ("method", "POST")])), 2);
        assert_eq!(count(130, 60, &labels([("colour", "red")])), 0);
        assert_eq!(history.totals().len(), 3);
    }

    #[test]
    fn what_is_answered_after_the_clock_was_set_back_is_counted() {
        let mut history = History::default();
        for minute in 0..100 {
            history.add_requests(&rollups(minute * 60, "/api/v1/sync/push", 1_000), at(minute * 60));
        }
        let earlier = -7_200;
        history.add_requests(&rollups(earlier, "/api/v1/sync/push", 1_000), at(earlier));
        assert_eq!(history.requests(at(earlier), 300, &Labels::new()).count(), 1);
    }

    #[test]
    fn counters_are_told_by_how_much_they_grew() {
        let mut history = History::default();
        let applied = || labels([("verdict", "applied")]);
        let look = |history: &mut History, value: u64, second: i64| {
            let grown = history.look_at_counters(vec![(Metric::SyncOps, applied(), value)], at(second));
            grown.first().map(|(_, _, count)| *count)
        };
        assert_eq!(look(&mut history, 5, 0), Some(5));
        assert_eq!(look(&mut history, 5, 15), None);
        assert_eq!(look(&mut history, 12, 30), Some(7));
        let counted = |seconds| history.counted(at(30), seconds, Metric::SyncOps, &applied());
        assert_eq!((counted(15), counted(30), counted(31)), (7, 7, 12));
        assert_eq!(history.counted(at(30), 60, Metric::SyncOps, &labels([("verdict", "merged")])), 0);
    }
}
