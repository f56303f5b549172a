//! One measurement over a time, step by step.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use chrono_tz::Tz;
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::telemetry::measures::{self, MeasurePart, MeasureRow};
use showdesk_store::telemetry::rollups;
use showdesk_telemetry::metric::{Kind, Metric};
use showdesk_telemetry::rollup::{Rollup, Step, Steps};

use super::history::{Labels, is_of_the_laptop};
use super::recorder::rollup_of;
use super::retention::bucket;
use crate::api::telemetry::{Series, SeriesAnswer, SeriesAsked};
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// Steps of one answer.
const STEPS_MAX: u16 = 750;
/// Steps where nobody chose their length.
const STEPS_USUAL: u16 = 240;
/// Longer nothing is kept.
const RANGE_MAX: TimeDelta = TimeDelta::days(92);
/// It is measured whenever anything is: a step without it is one in which the desk did not run.
const ALWAYS: Metric = Metric::QueueDepth;

/// What a series is made of.
type Values = Vec<Option<f64>>;

impl Engine {
    /// What a measurement was over a time.
    pub async fn series(&self, actor: &Actor, asked: SeriesAsked) -> Result<SeriesAnswer> {
        require(actor, Action::SeeHealth)?;
        let metric = Metric::ALL.iter().copied().find(|metric| metric.key() == asked.metric);
        let metric = metric.ok_or_else(|| bad("metric is none of those that are measured"))?;
        if asked.from >= asked.to || asked.to - asked.from > RANGE_MAX {
            return Err(bad("from must be before to, and no more than 92 days before it"));
        }
        let step = match asked.step_seconds {
            Some(seconds) => Step::ALL.into_iter().find(|step| step.length().num_seconds() == seconds),
            None => Some(Step::for_range(asked.from, asked.to, STEPS_USUAL)),
        };
        let step = step.ok_or_else(|| bad("step is 60, 300, 900, 1800, 3600 or 86400 seconds"))?;
        if asked.to - asked.from > step.length() * i32::from(STEPS_MAX) {
            return Err(bad("these are too many steps: choose a longer step or a shorter time"));
        }
        let steps = Steps::cut(asked.from, asked.to, step, self.show_zone().await?);
        let range = (steps.starts().first().copied().unwrap_or(asked.from), steps.until());
        let mut tx = self.begin_read_telemetry_as(actor).await?;
        let bucket = bucket(step.resolution());
        let series = if metric.kind() == Kind::Histogram {
            let endpoint = asked.endpoint.as_deref().map(|text| text.replace('\0', ""));
            let rows = rollups::between(&mut tx, bucket, range, endpoint.as_deref(), None).await?;
            let mut sums: Vec<Rollup> = vec![Rollup::default(); steps.starts().len()];
            let meant = rows.iter().filter(|row| endpoint.is_some() || is_of_the_laptop(&row.endpoint));
            for row in meant {
                if let Some(at) = steps.of(row.start) {
                    sums[at].merge(&rollup_of(row));
                }
            }
            let ran = measures::between(&mut tx, bucket, ALWAYS.key(), range).await?;
            of_requests(&sums, &ran_in(&steps, &ran))
        } else {
            let parts = measures::between(&mut tx, bucket, metric.key(), range).await?;
            let ran = if metric.kind() == Kind::Counter {
                ran_in(&steps, &measures::between(&mut tx, bucket, ALWAYS.key(), range).await?)
            } else {
                BTreeSet::new()
            };
            of_measures(metric, &steps, &parts, &ran, self.inner.desk_device.0)
        };
        let step_seconds = step.length().num_seconds();
        let (metric, unit, (from, to)) = (metric.key().to_owned(), metric.unit(), range);
        Ok(SeriesAnswer { metric, unit, from, to, step_seconds, series })
    }

    async fn show_zone(&self) -> Result<Tz> {
        let mut tx = self.begin_read_desk().await?;
        self.zone(&mut tx).await
    }
}

fn bad(detail: &str) -> EngineError {
    EngineError::BadQuery { code: "bad_filter", detail: detail.to_owned() }
}

/// The steps in which the desk ran.
fn ran_in(steps: &Steps, always: &[MeasurePart]) -> BTreeSet<usize> {
    always.iter().filter_map(|part| steps.of(part.row.start)).collect()
}

fn of_requests(sums: &[Rollup], ran: &BTreeSet<usize>) -> Vec<Series> {
    let line = |key: &str, value: &dyn Fn(&Rollup) -> Option<f64>| Series {
        key: key.to_owned(),
        labels: Labels::new(),
        values: sums.iter().map(value).collect(),
    };
    let counted = |key: &str, count: &dyn Fn(&Rollup) -> u64| Series {
        key: key.to_owned(),
        labels: Labels::new(),
        values: sums
            .iter()
            .enumerate()
            .map(|(at, sum)| (sum.count() > 0 || ran.contains(&at)).then(|| super::gauges::as_f64(count(sum))))
            .collect(),
    };
    vec![
        line("p50", &|sum| sum.quantile_ms(0.50)),
        line("p95", &|sum| sum.quantile_ms(0.95)),
        line("p99", &|sum| sum.quantile_ms(0.99)),
        counted("count", &Rollup::count),
        counted("errors", &|sum| sum.errors),
    ]
}

/// How values of a step become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joining {
    /// By how much it grew.
    Sum,
    /// The mean.
    Mean,
    /// What was worst is the largest.
    Largest,
    /// What was worst is the smallest.
    Smallest,
}

impl Joining {
    fn of(metric: Metric) -> Self {
        match metric {
            _ if metric.kind() == Kind::Counter => Self::Sum,
            Metric::Processor => Self::Mean,
            Metric::DiskFree | Metric::Battery => Self::Smallest,
            _ => Self::Largest,
        }
    }

    fn value(self, row: &MeasureRow) -> (f64, f64) {
        match self {
            Self::Sum => (row.sum, 1.0),
            Self::Mean => (row.sum, samples(row)),
            Self::Largest => (row.max, 1.0),
            Self::Smallest => (row.min, 1.0),
        }
    }

    fn join(self, (one, of_one): (f64, f64), (other, of_other): (f64, f64)) -> (f64, f64) {
        match self {
            Self::Sum => (one + other, 1.0),
            Self::Mean => (one + other, of_one + of_other),
            Self::Largest => (one.max(other), 1.0),
            Self::Smallest => (one.min(other), 1.0),
        }
    }
}

fn samples(row: &MeasureRow) -> f64 {
    super::gauges::as_f64(u64::try_from(row.samples).unwrap_or(0).max(1))
}

/// Whether each desk of a database measures its own.
fn is_of_a_laptop(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::CacheBytes
            | Metric::EventStreams
            | Metric::WalBytes
            | Metric::DiskFree
            | Metric::OnBattery
            | Metric::Battery
            | Metric::Processor
            | Metric::Memory
            | Metric::Downtime
    )
}

fn of_measures(
    metric: Metric,
    steps: &Steps,
    parts: &[MeasurePart],
    ran: &BTreeSet<usize>,
    own_desk: uuid::Uuid,
) -> Vec<Series> {
    let joining = Joining::of(metric);
    let mut lines: BTreeMap<&str, Vec<Option<(f64, f64)>>> = BTreeMap::new();
    let meant = parts.iter().filter(|part| !is_of_a_laptop(metric) || part.desk == own_desk);
    for MeasurePart { row, .. } in meant {
        let Some(at) = steps.of(row.start) else { continue };
        let line = lines.entry(row.labels.as_str()).or_insert_with(|| vec![None; steps.starts().len()]);
        let value = joining.value(row);
        line[at] = Some(line[at].map_or(value, |before| joining.join(before, value)));
    }
    let line = |(labels, values): (&str, Vec<Option<(f64, f64)>>)| {
        let labels: Labels = serde_json::from_str(labels).unwrap_or_default();
        let words: Vec<&str> = labels.values().map(String::as_str).collect();
        let key = if words.is_empty() { "value".to_owned() } else { words.join(" ") };
        let values: Values = values
            .into_iter()
            .enumerate()
            // A counter that did not grow is not stored.
            .map(|(at, value)| value.map(|(sum, of)| sum / of).or_else(|| ran.contains(&at).then_some(0.0)))
            .collect();
        Series { key, labels, values }
    };
    lines.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;

    const OWN: Uuid = Uuid::from_u128(1);

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_040 + minute * 60, 0).expect("a time")
    }

    fn part(desk: u128, minute: i64, labels: &str, (samples, sum, min, max): (i64, f64, f64, f64)) -> MeasurePart {
        let row = MeasureRow {
            start: at(minute),
            metric: String::new(),
            labels: labels.to_owned(),
            samples,
            sum,
            min,
            max,
            last: max,
        };
        MeasurePart { desk: Uuid::from_u128(desk), row }
    }

    fn values(metric: Metric, parts: &[MeasurePart], ran: &[usize]) -> Vec<(String, Values)> {
        let steps = Steps::cut(at(0), at(3), Step::Minutes(1), chrono_tz::UTC);
        let series = of_measures(metric, &steps, parts, &ran.iter().copied().collect(), OWN);
        series.into_iter().map(|line| (line.key, line.values)).collect()
    }

    #[test]
    fn a_counter_is_added_up_over_desks_and_is_nothing_where_no_desk_ran() {
        let parts = [
            part(1, 0, r#"{"verdict":"applied"}"#, (1, 3.0, 3.0, 3.0)),
            part(2, 0, r#"{"verdict":"applied"}"#, (2, 4.0, 1.0, 3.0)),
        ];
        let expected = [("applied".to_owned(), vec![Some(7.0), Some(0.0), None])];
        assert_eq!(values(Metric::SyncOps, &parts, &[0, 1]), expected);
    }

    #[test]
    fn a_gauge_shows_its_worst_and_a_laptops_only_this_ones() {
        let parts = [part(1, 0, "{}", (4, 40.0, 5.0, 20.0)), part(2, 0, "{}", (1, 90.0, 1.0, 90.0))];
        let one = |value: f64| [("value".to_owned(), vec![Some(value), None, None])];
        assert_eq!(values(Metric::QueueDepth, &parts, &[]), one(90.0));
        assert_eq!(values(Metric::Memory, &parts, &[]), one(20.0));
        assert_eq!(values(Metric::DiskFree, &parts, &[]), one(5.0));
        assert_eq!(values(Metric::Processor, &parts, &[]), one(10.0));
    }
}
