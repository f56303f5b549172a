//! A heat map: a line for each task, a cell for each step, the number on the hot ones.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{EDGE, PLOT_BOTTOM, Place, TITLE_Y, time_axis_words, words, write};
use crate::amounts::said;
use crate::ink::Role;
use crate::model::{Chart, Frame, Heat};
use crate::paper::{Paper, SIZE, drawn, fine};
use crate::points::{PointSeries, Points, times_of};
use crate::text::{Weight, width};

/// How strong the palest and the fullest cell are.
const PALE: f64 = 0.08;
const FULL: f64 = 0.92;

/// From this part of the full colour on, a cell says its number.
const HOT: f64 = 0.6;

/// From this strength on, words on a cell are dark in both themes.
const DARK_WORDS: f64 = 0.5;

/// Between two cells, and from the names to the cells.
const APART: f64 = 2.0;
const BESIDE_NAMES: f64 = 9.0;

/// Pixels of a line at most, and of the names.
const LINE_MAX: f64 = 36.0;
const NAMES_MAX: f64 = 140.0;

/// Between the top edge and the first line.
const BELOW_HEAD: f64 = 3.0;

/// From the last line to the words of the time.
const BELOW_CELLS: f64 = 17.0;

/// Cells of the legend.
const LEGEND_CELLS: u8 = 5;

/// The value of the full colour.
fn full(heat: &Heat) -> f64 {
    values(heat).fold(heat.full_min, f64::max)
}

fn values(heat: &Heat) -> impl Iterator<Item = f64> {
    heat.rows.iter().flat_map(|row| row.values.iter().flatten().copied()).filter(|value| value.is_finite())
}

fn strength(value: f64, full: f64) -> f64 {
    (FULL - PALE).mul_add((value / full).clamp(0.0, 1.0), PALE)
}

/// From nothing to the value of the full colour.
pub(super) fn legend(paper: &Paper, frame: &Frame, heat: &Heat) {
    let full = said(full(heat), heat.unit);
    let y = TITLE_Y - 1.0;
    let right = f64::from(frame.width) - EDGE - f64::from(frame.corner);
    let mut x = right - width(&full, SIZE, Weight::Regular);
    paper.open("legend", &[]);
    write(paper, &full, (x, y), &words(SIZE, Role::Quiet, HPos::Left));
    x -= 8.0 + 15.0 * f64::from(LEGEND_CELLS);
    paper.round_corners(2);
    for cell in 0..LEGEND_CELLS {
        let part = f64::from(cell) / f64::from(LEGEND_CELLS - 1);
        let left = x + 15.0 * f64::from(cell);
        let corners = [(fine(left), fine(y - 10.0)), (fine(left + 14.0), fine(y + 1.0))];
        let colour = Role::P95.carried().mix((FULL - PALE).mul_add(part, PALE)).filled();
        drawn(paper.area().draw(&Rectangle::new(corners, colour)));
    }
    paper.round_corners(0);
    write(paper, &said(0.0, heat.unit), (x - 8.0, y), &words(SIZE, Role::Quiet, HPos::Right));
    paper.close();
}

/// Names, cells and hours.
pub(super) fn draw(paper: &Paper, chart: &Chart, frame: &Frame, heat: &Heat, top: f64) -> Points {
    let names = heat.rows.iter().map(|row| width(&row.name, SIZE, Weight::Regular)).fold(0.0, f64::max);
    let bottom = (f64::from(frame.height) - PLOT_BOTTOM).max(top + super::LEAST_HEIGHT);
    let left = EDGE + names.min(NAMES_MAX) + BESIDE_NAMES;
    let lines = f64::from(u32::try_from(heat.rows.len().max(1)).unwrap_or(1));
    let line = ((bottom - top - BELOW_HEAD) / lines).min(LINE_MAX);
    let place = Place { left, right: f64::from(frame.width) - EDGE, top: top + BELOW_HEAD, bottom };
    let steps = chart.steps.starts.len();
    let cell = (place.right - place.left + APART) / f64::from(u32::try_from(steps.max(1)).unwrap_or(1));
    let across = |step: usize| cell.mul_add(f64::from(u32::try_from(step).unwrap_or(0)), place.left);
    let full = full(heat);
    for (index, row) in heat.rows.iter().enumerate() {
        let y = line.mul_add(f64::from(u32::try_from(index).unwrap_or(0)), place.top);
        paper.open("row", &[]);
        let name = fitted(&row.name);
        let middle = y + (line - APART) / 2.0;
        write(paper, &name, (place.left - BESIDE_NAMES, middle + 4.0), &words(SIZE, Role::Quiet, HPos::Right));
        paper.round_corners(2);
        for step in 0..steps {
            let corners = [(fine(across(step)), fine(y)), (fine(across(step) + cell - APART), fine(y + line - APART))];
            let value = row.values.get(step).copied().flatten().filter(|value| value.is_finite());
            let colour = value.map_or(Role::Surface.carried().filled(), |value| {
                Role::P95.carried().mix(strength(value, full)).filled()
            });
            drawn(paper.area().draw(&Rectangle::new(corners, colour)));
        }
        paper.round_corners(0);
        for (step, value) in row.values.iter().enumerate().take(steps) {
            let Some(value) = value.filter(|value| value.is_finite() && *value >= full * HOT) else { continue };
            let number = format!("{value:.0}");
            if width(&number, SIZE, Weight::SemiBold) + 4.0 <= cell - APART {
                let role = if strength(value, full) >= DARK_WORDS { Role::OnColour } else { Role::Ink };
                let at = (across(step) + (cell - APART) / 2.0, middle + 4.5);
                write(paper, &number, at, &strong(role));
            }
        }
        paper.close();
    }
    let centres: Vec<f64> = (0..steps).map(|step| across(step) + (cell - APART) / 2.0).collect();
    let below = (line.mul_add(lines, place.top) - APART + BELOW_CELLS).min(f64::from(frame.height) - super::TIME_Y);
    time_axis_words(paper, chart, frame, &centres, (cell, below));
    let series = heat.rows.iter().map(|row| PointSeries {
        name: row.name.clone(),
        colour: Role::P95.variable(),
        values: row.values.iter().map(|value| value.map(|value| said(value, heat.unit))).collect(),
        y: Vec::new(),
    });
    Points {
        plot: [place.left, place.top, place.right - place.left, line * lines - APART],
        x: centres,
        times: times_of(chart, frame),
        series: series.collect(),
    }
}

fn strong(role: Role) -> TextStyle<'static> {
    let mut style = words(SIZE, role, HPos::Center);
    style.font = style.font.style(FontStyle::Bold);
    style
}

/// A name that fits into its column.
fn fitted(name: &str) -> String {
    if width(name, SIZE, Weight::Regular) <= NAMES_MAX {
        return name.to_owned();
    }
    let mut short = String::new();
    for sign in name.chars() {
        if width(&short, SIZE, Weight::Regular) > NAMES_MAX - 20.0 {
            break;
        }
        short.push(sign);
    }
    short.trim_end().to_owned() + "…"
}
