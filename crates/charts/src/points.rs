//! What a read-out under the pointer and a screen reader need: every value in words, with its place.

use serde::Serialize;

use crate::amounts::said;
use crate::model::{Body, Chart, Frame, Panel, Series, Shape, Unit};
use crate::moments::Clock;

/// Series that the summary speaks of at most.
const SUMMED_MAX: usize = 6;

/// The values of a chart with their places, as the page's script reads them from `data-points`.
#[derive(Debug, Serialize)]
pub(crate) struct Points {
    /// Left, top, width and height of the plot.
    pub(crate) plot: [f64; 4],
    /// Where each step stands.
    pub(crate) x: Vec<f64>,
    /// What each step is called.
    pub(crate) times: Vec<String>,
    /// The series, in the order of the legend.
    pub(crate) series: Vec<PointSeries>,
}

/// The values of one series.
#[derive(Debug, Serialize)]
pub(crate) struct PointSeries {
    pub(crate) name: String,
    /// The CSS variable of its colour.
    pub(crate) colour: &'static str,
    /// In words; null where nothing was measured.
    pub(crate) values: Vec<Option<String>>,
    /// Where its mark stands; nothing for series that have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) y: Vec<Option<f64>>,
}

impl PointSeries {
    pub(crate) fn of(series: &Series, unit: Unit, y: Vec<Option<f64>>) -> Self {
        let unit = unit_of(series, unit);
        let values = series.values.iter().map(|value| value.map(|value| said(value, unit))).collect();
        Self { name: series.name.clone(), colour: series.role.variable(), values, y }
    }
}

/// Marks count, whatever the plot behind them measures.
pub(crate) fn unit_of(series: &Series, unit: Unit) -> Unit {
    if series.shape == Shape::Mark { Unit::Count } else { unit }
}

/// The clock of a frame.
pub(crate) fn clock_of(frame: &Frame) -> Clock {
    Clock { zone: frame.zone, hours_24: frame.hours_24 }
}

/// What each step of a chart is called.
pub(crate) fn times_of(chart: &Chart, frame: &Frame) -> Vec<String> {
    let clock = clock_of(frame);
    let starts = &chart.steps.starts;
    let day_long = (chart.steps.end(0) - chart.steps.from()).num_hours() >= 23;
    let one_day = (chart.steps.until - chart.steps.from()).num_hours() <= 24;
    let name = |at: &chrono::DateTime<chrono::Utc>| match (day_long, one_day) {
        (true, _) => clock.day(*at),
        (false, true) => clock.time(*at),
        (false, false) => clock.day_and_time(*at),
    };
    starts.iter().map(name).collect()
}

/// One sentence about the values.
pub(crate) fn summary(chart: &Chart, frame: &Frame) -> String {
    let clock = clock_of(frame);
    let (from, until) = (chart.steps.from(), chart.steps.until);
    let moment = |at| if (until - from).num_hours() < 24 { clock.time(at) } else { clock.day_and_time(at) };
    let mut text = format!("{} from {} to {}.", chart.title, moment(from), moment(until));
    let times = times_of(chart, frame);
    let parts: Vec<String> = match &chart.body {
        Body::Panels(panels) => {
            let all = panels.iter().flat_map(|panel| panel.told().into_iter().map(move |(_, series)| (panel, series)));
            all.filter(|(_, series)| series.shape != Shape::Before)
                .filter_map(|(panel, series)| of_series(panel, series, &times))
                .take(SUMMED_MAX)
                .collect()
        }
        Body::Heat(heat) => {
            let rows = heat.rows.iter().filter_map(|row| {
                let (step, value) = highest(&row.values)?;
                Some(format!("{}: highest {} at {}.", row.name, said(value, heat.unit), times.get(step)?))
            });
            rows.take(SUMMED_MAX).collect()
        }
    };
    if parts.is_empty() {
        text.push_str(" Nothing was measured.");
    }
    for part in parts {
        text.push(' ');
        text.push_str(&part);
    }
    text
}

fn of_series(panel: &Panel, series: &Series, times: &[String]) -> Option<String> {
    let unit = unit_of(series, panel.unit);
    let name = &series.name;
    let (step, most) = highest(&series.values)?;
    if matches!(series.shape, Shape::Column | Shape::Mark) {
        let all: f64 = series.values.iter().flatten().sum();
        return Some(format!("{name}: {} in all.", said(all, unit)));
    }
    let least = series.values.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    if (most - least).abs() < f64::EPSILON {
        return Some(format!("{name}: {} all the time.", said(most, unit)));
    }
    // Of a share, the worst is the lowest.
    let is_least = |value: &Option<f64>| *value == Some(least);
    let worst = if unit == Unit::Percent { series.values.iter().position(is_least)? } else { step };
    let word = if unit == Unit::Percent { "lowest" } else { "highest" };
    let (least, most) = (said(least, unit), said(most, unit));
    Some(format!("{name}: between {least} and {most}, {word} at {}.", times.get(worst)?))
}

/// The highest value, and where it is first.
fn highest(values: &[Option<f64>]) -> Option<(usize, f64)> {
    let known = values.iter().enumerate().filter_map(|(step, value)| value.map(|value| (step, value)));
    known.rev().max_by(|(_, a), (_, b)| a.total_cmp(b))
}
