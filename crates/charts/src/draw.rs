//! Draws a chart: title, subtitle and legend here, the plots in the modules below.

mod events;
mod heat;
mod panel;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::ink::{Ink, Role};
use crate::model::{Body, Chart, Frame, Panel, Shape};
use crate::moments::Moments;
use crate::paper::{FINE, Paper, SIZE, drawn, fine};
use crate::points::{PointSeries, Points, clock_of, summary, times_of};
use crate::text::{Weight, width};

/// From the edge of the tile to its words.
const EDGE: f64 = 16.0;

/// Where the lines of the title and of the subtitle stand.
const TITLE_Y: f64 = 25.0;
const SUBTITLE_Y: f64 = 44.0;

/// Where plots begin below a title of two lines, and end above the axis of time.
const PLOT_TOP: f64 = 60.0;
const PLOT_BOTTOM: f64 = 28.0;

/// A plot in a tile that is too low for it.
const LEAST_HEIGHT: f64 = 20.0;

/// A legend that stands on a line of its own.
const LEGEND_LINE: f64 = 20.0;

/// From the axis of time to the bottom.
const TIME_Y: f64 = 12.0;

/// Between two plots of a chart.
const BETWEEN_PLOTS: f64 = 18.0;

/// Between an axis of amounts and the plot.
const BESIDE_PLOT: f64 = 8.0;

/// The least room for an axis of amounts.
const AMOUNTS_WIDTH: f64 = 28.0;

const TITLE_SIZE: f64 = 15.0;
const SWATCH: f64 = 11.0;
const AFTER_SWATCH: f64 = 5.0;
const BETWEEN_ENTRIES: f64 = 14.0;

/// A plot's edges in pixels.
#[derive(Debug, Clone, Copy)]
struct Place {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// The whole SVG.
pub(crate) fn svg(chart: &Chart, frame: &Frame, ink: Ink) -> String {
    let paper = Paper::new(frame.width, frame.height, ink);
    let top = head(&paper, chart, frame);
    let points = match &chart.body {
        Body::Panels(panels) => over_time(&paper, chart, frame, panels, top),
        Body::Heat(map) => heat::draw(&paper, chart, frame, map, top),
    };
    let points = serde_json::to_string(&points).expect("words and finite numbers are JSON");
    let class = format!("chart {}", chart.key);
    let about = summary(chart, frame);
    let attributes =
        [("class", class.as_str()), ("role", "img"), ("aria-label", about.as_str()), ("data-points", points.as_str())];
    paper.finish(&attributes, chart.title)
}

/// How words look.
fn words(size: f64, role: Role, h_pos: HPos) -> TextStyle<'static> {
    let style = if (size - TITLE_SIZE).abs() < f64::EPSILON { FontStyle::Bold } else { FontStyle::Normal };
    TextStyle {
        font: ("Inter", size * FINE, style).into_font(),
        color: role.carried().to_backend_color(),
        pos: Pos::new(h_pos, VPos::Bottom),
    }
}

/// Writes words whose line stands at these pixels.
fn write(paper: &Paper, text: &str, (x, y): (f64, f64), style: &TextStyle<'_>) {
    drawn(paper.area().draw(&Text::new(text, (fine(x), fine(y)), style.clone())));
}

/// Title, subtitle and legend. Tells where the plots begin.
fn head(paper: &Paper, chart: &Chart, frame: &Frame) -> f64 {
    paper.open("head", &[]);
    write(paper, chart.title, (EDGE, TITLE_Y), &words(TITLE_SIZE, Role::Ink, HPos::Left));
    write(paper, &chart.subtitle, (EDGE, SUBTITLE_Y), &words(SIZE, Role::Quiet, HPos::Left));
    paper.close();
    let title = width(chart.title, TITLE_SIZE, Weight::SemiBold);
    let subtitle = width(&chart.subtitle, SIZE, Weight::Regular);
    match &chart.body {
        Body::Heat(map) => {
            heat::legend(paper, frame, map);
            PLOT_TOP
        }
        Body::Panels(panels) => legend(paper, frame, &entries(panels), title, subtitle),
    }
}

/// A line of the legend.
struct Entry {
    name: String,
    role: Role,
    shape: Shape,
}

fn entries(panels: &[Panel]) -> Vec<Entry> {
    let all = panels.iter().flat_map(Panel::told);
    all.map(|(_, one)| Entry { name: one.name.clone(), role: one.role, shape: one.shape }).collect()
}

/// Writes the legend where it has room: beside the title, beside the subtitle, or on a line of its own.
fn legend(paper: &Paper, frame: &Frame, entries: &[Entry], title: f64, subtitle: f64) -> f64 {
    let wide = |entry: &Entry| SWATCH + AFTER_SWATCH + width(&entry.name, SIZE, Weight::Regular);
    let all: f64 = entries.iter().map(wide).sum::<f64>() + BETWEEN_ENTRIES * gaps(entries.len());
    let right = f64::from(frame.width) - EDGE;
    let beside_title = right - f64::from(frame.corner) - all;
    let beside_subtitle = right - all;
    // One series is what the title says.
    if entries.len() < 2 {
        return PLOT_TOP;
    }
    let (mut x, mut y, mut top) = if beside_title >= EDGE + title + BETWEEN_ENTRIES {
        (beside_title, TITLE_Y - 1.0, PLOT_TOP)
    } else if beside_subtitle >= EDGE + subtitle + BETWEEN_ENTRIES {
        (beside_subtitle, SUBTITLE_Y, PLOT_TOP)
    } else {
        (EDGE, SUBTITLE_Y + LEGEND_LINE, PLOT_TOP + LEGEND_LINE)
    };
    paper.open("legend", &[]);
    for entry in entries {
        if x + wide(entry) > right && x > EDGE {
            (x, y, top) = (EDGE, y + LEGEND_LINE, top + LEGEND_LINE);
        }
        swatch(paper, entry, (x, y));
        write(paper, &entry.name, (x + SWATCH + AFTER_SWATCH, y), &words(SIZE, Role::Quiet, HPos::Left));
        x += wide(entry) + BETWEEN_ENTRIES;
    }
    paper.close();
    top
}

fn gaps(count: usize) -> f64 {
    f64::from(u32::try_from(count.saturating_sub(1)).unwrap_or(0))
}

fn swatch(paper: &Paper, entry: &Entry, (x, y): (f64, f64)) {
    let color = entry.role.carried();
    if matches!(entry.shape, Shape::Column | Shape::Mark) {
        paper.round_corners(2);
        let corners = [(fine(x + 1.0), fine(y - 9.0)), (fine(x + SWATCH), fine(y + 1.0))];
        drawn(paper.area().draw(&Rectangle::new(corners, color.filled())));
        paper.round_corners(0);
        return;
    }
    let ends = vec![(fine(x), fine(y - 4.0)), (fine(x + SWATCH), fine(y - 4.0))];
    let is_before = entry.shape == Shape::Before;
    if is_before {
        paper.open("before", &[("stroke-dasharray", panel::DOTS)]);
    }
    let thick = if is_before { 15 } else { 25 };
    drawn(paper.area().draw(&PathElement::new(ends, color.stroke_width(thick))));
    if is_before {
        paper.close();
    }
}

/// All plots over one axis of time, and what happened meanwhile.
fn over_time(paper: &Paper, chart: &Chart, frame: &Frame, panels: &[Panel], top: f64) -> Points {
    let bottom = (f64::from(frame.height) - PLOT_BOTTOM).max(top + LEAST_HEIGHT);
    let count = f64::from(u32::try_from(panels.len().max(1)).unwrap_or(1));
    let height = ((bottom - top - BETWEEN_PLOTS * (count - 1.0)) / count).max(1.0);
    let axes: Vec<_> = panels.iter().map(|one| panel::amounts(one, &chart.steps, height)).collect();
    let amounts_width = axes.iter().map(panel::labels_width).fold(AMOUNTS_WIDTH - BESIDE_PLOT, f64::max);
    let left = EDGE + amounts_width + BESIDE_PLOT;
    let whole = Place { left, right: f64::from(frame.width) - EDGE, top, bottom };
    let moments = Moments::over(chart.steps.from()..chart.steps.until, clock_of(frame), whole.right - whole.left);
    let mut series = Vec::new();
    let mut busy = Vec::new();
    let mut thresholds = Vec::new();
    let mut y = top;
    for (panel, axis) in panels.iter().zip(axes) {
        let place = Place { top: y, bottom: y + height, ..whole };
        let plot = panel::Drawing { paper, steps: &chart.steps, moments: &moments, axis, place };
        plot.grid();
        let places = plot.series(panel);
        busy.extend(plot.busy(panel, &places));
        thresholds.extend(plot.threshold(panel));
        let told = panel.told().into_iter();
        series.extend(told.map(|(index, one)| PointSeries::of(one, panel.unit, places[index].clone())));
        y += height + BETWEEN_PLOTS;
    }
    time_axis(paper, &moments, whole, frame);
    events::draw(paper, frame, &moments, whole, &events::Taken { limits: &thresholds, busy: &busy });
    Points {
        plot: [whole.left, whole.top, whole.right - whole.left, whole.bottom - whole.top],
        x: (0..chart.steps.starts.len()).map(|step| across(&moments, whole, chart.steps.middle(step))).collect(),
        times: times_of(chart, frame),
        series,
    }
}

/// Where a moment stands, in pixels.
fn across(moments: &Moments, place: Place, at: chrono::DateTime<chrono::Utc>) -> f64 {
    f64::from(moments.map(&at, (fine(place.left), fine(place.right)))) / FINE
}

/// The words below the steps of a heat map: as many as have room.
fn time_axis_words(paper: &Paper, chart: &Chart, frame: &Frame, centres: &[f64], (apart, y): (f64, f64)) {
    let (from, until) = (chart.steps.from(), chart.steps.until);
    let (left, right) = (centres.first().copied().unwrap_or(0.0), centres.last().copied().unwrap_or(0.0));
    let moments = Moments::over(from..until, clock_of(frame), right - left + apart);
    let ticks = moments.ticks();
    let style = words(SIZE, Role::Quiet, HPos::Center);
    paper.open("time-axis", &[]);
    for (start, x) in chart.steps.starts.iter().zip(centres) {
        if ticks.contains(start) {
            let label = moments.word(*start);
            write(paper, &label, (*x, y), &style);
        }
    }
    paper.close();
}

/// The words of the axis of time. One that would leave the tile is moved in.
fn time_axis(paper: &Paper, moments: &Moments, place: Place, frame: &Frame) {
    let y = f64::from(frame.height) - TIME_Y;
    let style = words(SIZE, Role::Quiet, HPos::Center);
    paper.open("time-axis", &[]);
    for at in moments.key_points(plotters::coord::ranged1d::BoldPoints(0)) {
        let label = moments.word(at);
        let half = width(&label, SIZE, Weight::Regular) / 2.0;
        let x = across(moments, place, at).clamp(half + 6.0, f64::from(frame.width) - half - 6.0);
        write(paper, &label, (x, y), &style);
    }
    paper.close();
}
