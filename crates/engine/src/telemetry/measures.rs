//! Everything that is measured beside requests: read every fifteen seconds, kept in memory for the rules, and added up
//! until it is written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_store::telemetry::measures::MeasureRow;
use showdesk_store::telemetry::recorders::MarkerRow;
use showdesk_telemetry::metric::Metric;
use showdesk_telemetry::rollup::{Resolution, Rollup};
use tokio::time::{MissedTickBehavior, interval};

use super::gauges;
use super::history::{Labels, Measured, labels};
use crate::{Engine, Result};

/// How often all is read.
const READ_EVERY: Duration = Duration::from_secs(15);
/// Sums that wait to be written, at most; the oldest minute goes first.
const SUMS_MAX: usize = 20_000;
/// Markers that wait to be written.
const MARKERS_MAX: usize = 200;

/// What was measured in a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sum {
    samples: i64,
    all: f64,
    min: f64,
    max: f64,
    last: f64,
}

impl Sum {
    pub(super) fn of(value: f64) -> Self {
        Self { samples: 1, all: value, min: value, max: value, last: value }
    }

    /// Adds one that is later, or was measured elsewhere.
    pub(super) fn add(&mut self, later: Self) {
        self.samples += later.samples;
        self.all += later.all;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.last = later.last;
    }
}

/// Sums by their minute, metric and labels as they are stored.
pub(super) type Sums = BTreeMap<(DateTime<Utc>, Metric, String), Sum>;

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    sums: Sums,
    markers: Vec<MarkerRow>,
}

impl Waiting {
    /// Adds a value of this moment.
    pub(super) fn add(&mut self, at: DateTime<Utc>, metric: Metric, labels: &Labels, value: f64) {
        let key = (Resolution::Minute.start_of(at), metric, stored(labels));
        self.add_sum(key, Sum::of(value));
    }

    fn add_sum(&mut self, key: (DateTime<Utc>, Metric, String), later: Sum) {
        self.sums.entry(key).and_modify(|sum| sum.add(later)).or_insert(later);
        while self.sums.len() > SUMS_MAX {
            self.sums.pop_first();
        }
    }

    pub(super) fn add_marker(&mut self, marker: MarkerRow) {
        if self.markers.len() < MARKERS_MAX {
            self.markers.push(marker);
        }
    }

    /// Takes all out that waits.
    pub(super) fn take(&mut self) -> (Sums, Vec<MarkerRow>) {
        (std::mem::take(&mut self.sums), std::mem::take(&mut self.markers))
    }

    /// Gives back what could not be written: it is older than what came meanwhile.
    pub(super) fn give_back(&mut self, sums: Sums, mut markers: Vec<MarkerRow>) {
        let newer = std::mem::replace(&mut self.sums, sums);
        for (key, sum) in newer {
            self.add_sum(key, sum);
        }
        markers.append(&mut self.markers);
        markers.truncate(MARKERS_MAX);
        self.markers = markers;
    }
}

/// Labels as they are stored: JSON, by the order of keys.
pub(super) fn stored(labels: &Labels) -> String {
    serde_json::to_string(labels).unwrap_or_else(|_| "{}".to_owned())
}

/// Sums of minutes as rows of a resolution.
pub(super) fn rows(sums: &Sums, resolution: Resolution) -> Vec<MeasureRow> {
    let mut coarse: BTreeMap<(DateTime<Utc>, Metric, &str), Sum> = BTreeMap::new();
    for ((minute, metric, labels), sum) in sums {
        let key = (resolution.start_of(*minute), *metric, labels.as_str());
        coarse.entry(key).and_modify(|coarse| coarse.add(*sum)).or_insert(*sum);
    }
    let row = |((start, metric, labels), sum): ((DateTime<Utc>, Metric, &str), Sum)| {
        let Sum { samples, all: sum, min, max, last } = sum;
        MeasureRow { start, metric: metric.key().to_owned(), labels: labels.to_owned(), samples, sum, min, max, last }
    };
    coarse.into_iter().map(row).collect()
}

impl Engine {
    /// Keeps by how much the counters grew since the last time.
    pub(super) fn note_counters(&self) {
        let (telemetry, now) = (&self.inner.telemetry, self.now());
        let mut counters = telemetry.counters.read();
        let cache = self.cache_figures();
        counters.push((Metric::CacheHits, Labels::new(), cache.hits));
        counters.push((Metric::CacheMisses, Labels::new(), cache.misses));
        let (dropped, of_phones) = telemetry.intake.dropped();
        let of_errors = self.faults_dropped();
        for (of, count) in [("requests", dropped - of_phones), ("phones", of_phones), ("errors", of_errors)] {
            counters.push((Metric::TelemetryDropped, labels([("of", of)]), count));
        }
        let grown = telemetry.history().look_at_counters(counters, now);
        let mut waiting = telemetry.waiting();
        for (metric, labels, count) in grown {
            waiting.add(now, metric, &labels, gauges::as_f64(count));
        }
    }

    /// Takes all readings anew. What cannot be read is left out, so that whoever looks knows that it is not known.
    pub(crate) async fn take_readings(&self) -> Result<()> {
        let readings = self.read_gauges().await?;
        let telemetry = &self.inner.telemetry;
        let now = self.now();
        self.note_counters();
        if self.inner.epoch.take_restored() {
            self.add_marker("restore", Json::Object(serde_json::Map::new()));
        }
        {
            let mut waiting = telemetry.waiting();
            for (metric, labels, value) in gauges::kept(&readings) {
                waiting.add(now, metric, &labels, value);
            }
        }
        telemetry.history().set_gauges(readings);
        Ok(())
    }

    /// The newest readings of all gauges, each at most as old as the pause between two looks.
    pub(crate) fn measured(&self) -> Vec<Measured> {
        self.inner.telemetry.history().gauges().to_vec()
    }

    /// The requests of the last seconds at this laptop, an hour at most. The filter names `endpoint`, `method`, `task`.
    pub(crate) fn requests_window(&self, seconds: u32, filter: &Labels) -> Rollup {
        self.inner.telemetry.history().requests(self.now(), seconds, filter)
    }

    /// By how much a counter grew in the last seconds, an hour at most.
    pub(crate) fn counted_lately(&self, metric: Metric, filter: &Labels, seconds: u32) -> u64 {
        self.inner.telemetry.history().counted(self.now(), seconds, metric, filter)
    }

    /// Reads as long as the show is open.
    pub(super) fn measure_regularly(&self) {
        let inner = Arc::downgrade(&self.inner);
        let measuring = tokio::spawn(async move {
            let mut ticks = interval(READ_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                if let Err(error) = engine.take_readings().await {
                    tracing::debug!(%error, "the laptop could not be measured");
                }
            }
        });
        self.background().push(measuring.abort_handle());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).expect("a time")
    }

    #[test]
    fn values_of_a_minute_are_one_row_and_of_an_hour_one_more() {
        let mut waiting = Waiting::default();
        for (second, value) in [(0, 4.0), (15, 10.0), (90, 1.0)] {
            waiting.add(at(second), Metric::QueueDepth, &Labels::new(), value);
        }
        waiting.add(at(90), Metric::SyncOps, &labels([("verdict", "applied")]), 3.0);
        let (sums, _) = waiting.take();
        let depth = |rows: Vec<MeasureRow>| {
            let own = rows.into_iter().filter(|row| row.metric == "queue_depth");
            own.map(|row| (row.samples, row.sum, row.min, row.max, row.last)).collect::<Vec<_>>()
        };
        assert_eq!(depth(rows(&sums, Resolution::Minute)), [(2, 14.0, 4.0, 10.0, 10.0), (1, 1.0, 1.0, 1.0, 1.0)]);
        assert_eq!(depth(rows(&sums, Resolution::Hour)), [(3, 15.0, 1.0, 10.0, 1.0)]);
        assert_eq!(rows(&sums, Resolution::Day).len(), 2);
        assert!(rows(&sums, Resolution::Day).iter().any(|row| row.labels == r#"{"verdict":"applied"}"#));
        assert!(waiting.take().0.is_empty());
    }

    #[test]
    fn what_could_not_be_written_comes_before_what_came_meanwhile() {
        let mut waiting = Waiting::default();
        waiting.add(at(0), Metric::QueueDepth, &Labels::new(), 4.0);
        let (sums, markers) = waiting.take();
        waiting.add(at(1), Metric::QueueDepth, &Labels::new(), 9.0);
        waiting.give_back(sums, markers);
        let (sums, _) = waiting.take();
        assert_eq!(
            sums.values().copied().collect::<Vec<_>>(),
            [Sum { samples: 2, all: 13.0, min: 4.0, max: 9.0, last: 9.0 }]
        );
    }
}
