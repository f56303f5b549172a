//! Rows of the measurements become a value for each step.
//!
//! A step in which the desk ran and nothing happened has zero; one in which it did not run has no value.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;
use showdesk_charts::catalogue::Values;
use showdesk_store::Tx;
use showdesk_store::telemetry::measures::{self, MeasurePart};
use showdesk_store::telemetry::rollups::{self, Bucket};
use showdesk_telemetry::metric::Metric;
use showdesk_telemetry::rollup::{Resolution, Rollup, Step, Steps};
use uuid::Uuid;

use super::range::{DayBefore, Span};
use crate::Result;
use crate::telemetry::{is_of_the_laptop, rollup_of, tasks};

/// The requests of one task in one rollup.
pub(super) struct Asked {
    pub start: DateTime<Utc>,
    pub task: &'static str,
    pub rollup: Rollup,
}

/// The requests that the laptop answered from a moment to before another, in the order of time. What phones measured of
/// themselves is something else.
pub(super) async fn requests(tx: &mut Tx, step: Step, span: Span) -> Result<Vec<Asked>> {
    let rows = rollups::between(tx, bucket_of(step), (span.from, span.until), None, None).await?;
    let own = rows.into_iter().filter(|row| is_of_the_laptop(&row.endpoint));
    let asked = own.map(|row| Asked {
        start: row.start,
        task: tasks::task_of(&row.method, &row.endpoint),
        rollup: rollup_of(&row),
    });
    Ok(asked.collect())
}

/// When anything was measured first.
pub(super) async fn first_measured(tx: &mut Tx, span: Span) -> Result<Option<DateTime<Utc>>> {
    Ok(measures::first(tx, (span.from, span.until)).await?)
}

/// All requests of each step.
pub(super) fn added_up<'a>(
    count: usize,
    asked: impl Iterator<Item = &'a Asked>,
    step_of: impl Fn(DateTime<Utc>) -> Option<usize>,
) -> Vec<Rollup> {
    let mut steps = vec![Rollup::default(); count];
    for one in asked {
        if let Some(step) = step_of(one.start).and_then(|step| steps.get_mut(step)) {
            step.merge(&one.rollup);
        }
    }
    steps
}

/// The requests of the same steps a day earlier.
pub(super) async fn day_before(tx: &mut Tx, step: Step, steps: &Steps, zone: Tz) -> Result<Vec<Rollup>> {
    let before = DayBefore::of(steps, zone);
    let asked = requests(tx, step, before.span()).await?;
    Ok(added_up(steps.starts().len(), asked.iter(), |at| before.step_of(at)))
}

/// How many requests each step had in a minute. The last step may not be over.
pub(super) fn a_minute(rollups: &[Rollup], steps: &Steps, now: DateTime<Utc>, ran: &[bool]) -> Values {
    let rate = |(step, rollup): (usize, &Rollup)| {
        let count = rollup.count();
        let start = steps.starts().get(step)?;
        let end = steps.starts().get(step + 1).copied().unwrap_or_else(|| steps.until()).min(now);
        let minutes = as_f64((end - *start).num_seconds().max(60)) / 60.0;
        (count > 0 || ran.get(step) == Some(&true)).then(|| counted(count) / minutes)
    };
    rollups.iter().enumerate().map(rate).collect()
}

/// A percentile of each step, in milliseconds.
pub(super) fn quantile(rollups: &[Rollup], share: f64) -> Values {
    rollups.iter().map(|rollup| rollup.quantile_ms(share)).collect()
}

/// The p95 of each task and step.
pub(super) fn by_task(asked: &[Asked], steps: &Steps) -> Vec<(String, Values)> {
    let mut tasks: BTreeMap<&str, Vec<&Asked>> = BTreeMap::new();
    for one in asked {
        tasks.entry(one.task).or_default().push(one);
    }
    let row = |(task, asked): (&str, Vec<&Asked>)| {
        let rollups = added_up(steps.starts().len(), asked.into_iter(), |at| steps.of(at));
        (task.to_owned(), quantile(&rollups, 0.95))
    };
    tasks.into_iter().map(row).collect()
}

/// What was measured of one thing.
pub(super) struct Measures {
    parts: Vec<MeasurePart>,
}

impl Measures {
    pub(super) async fn of(tx: &mut Tx, metric: Metric, step: Step, span: Span) -> Result<Self> {
        let parts = measures::between(tx, bucket_of(step), metric.key(), (span.from, span.until)).await?;
        Ok(Self { parts })
    }

    /// In which steps anything was measured.
    pub(super) fn ran(&self, steps: &Steps) -> Vec<bool> {
        let mut ran = vec![false; steps.starts().len()];
        for step in self.parts.iter().filter_map(|part| steps.of(part.row.start)) {
            ran[step] = true;
        }
        ran
    }

    /// How a gauge stood at the end of each step: the whole of the show, as the desk that saw the most of it says.
    pub(super) fn last(&self, steps: &Steps) -> Values {
        let mut newest: Vec<BTreeMap<Uuid, f64>> = vec![BTreeMap::new(); steps.starts().len()];
        for (step, part) in self.wholes(steps) {
            newest[step].insert(part.desk, part.row.last);
        }
        newest.into_iter().map(|desks| desks.into_values().reduce(f64::max)).collect()
    }

    /// The most that a gauge was in each step.
    pub(super) fn most(&self, steps: &Steps) -> Values {
        self.furthest(steps, |part| part.row.max, f64::max)
    }

    /// The least that a gauge was in each step.
    pub(super) fn least(&self, steps: &Steps) -> Values {
        self.furthest(steps, |part| part.row.min, f64::min)
    }

    fn furthest(
        &self,
        steps: &Steps,
        value: impl Fn(&MeasurePart) -> f64,
        further: impl Fn(f64, f64) -> f64,
    ) -> Values {
        let mut values: Values = vec![None; steps.starts().len()];
        for (step, part) in self.wholes(steps) {
            let value = value(part);
            values[step] = Some(values[step].map_or(value, |known| further(known, value)));
        }
        values
    }

    /// What is about the whole show or the whole laptop, each with its step.
    fn wholes(&self, steps: &Steps) -> impl Iterator<Item = (usize, &MeasurePart)> {
        let whole = self.parts.iter().filter(|part| part.row.labels == NO_LABELS);
        whole.filter_map(|part| Some((steps.of(part.row.start)?, part)))
    }

    /// By how much a counter grew in each step, of those parts whose labels are meant.
    pub(super) fn grown(&self, steps: &Steps, ran: &[bool], is_meant: impl Fn(&Json) -> bool) -> Values {
        let zero = |ran: &bool| ran.then_some(0.0);
        let mut grown: Values = ran.iter().map(zero).collect();
        for part in &self.parts {
            let labels = serde_json::from_str(&part.row.labels).unwrap_or(Json::Null);
            if let Some(step) = steps.of(part.row.start).filter(|_| is_meant(&labels)) {
                *grown[step].get_or_insert(0.0) += part.row.sum;
            }
        }
        grown
    }

    /// Whether any part has such labels.
    pub(super) fn has(&self, is_meant: impl Fn(&Json) -> bool) -> bool {
        let labels = |part: &MeasurePart| serde_json::from_str(&part.row.labels).unwrap_or(Json::Null);
        self.parts.iter().any(|part| is_meant(&labels(part)))
    }
}

/// The labels of what is measured as a whole.
const NO_LABELS: &str = "{}";

/// The values, so many times smaller.
pub(super) fn divided(values: Values, by: f64) -> Values {
    values.into_iter().map(|value| value.map(|value| value / by)).collect()
}

pub(super) fn counted(count: u64) -> f64 {
    as_f64(i64::try_from(count).unwrap_or(i64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "what a chart shows has far less than 52 bits")]
fn as_f64(value: i64) -> f64 {
    value as f64
}

fn bucket_of(step: Step) -> Bucket {
    match step.resolution() {
        Resolution::Minute => Bucket::Minute,
        Resolution::Hour => Bucket::Hour,
        Resolution::Day => Bucket::Day,
    }
}
