//! One plot: grid, columns, bands, lines, a limit. A series ends where nothing was measured, and begins anew after it.

use chrono::{DateTime, Utc};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{Place, words, write};
use crate::amounts::Amounts;
use crate::ink::Role;
use crate::model::{Panel, Series, Shape, Steps};
use crate::moments::Moments;
use crate::paper::{FINE, Paper, Plot, SIZE, drawn, fine};
use crate::text::{Weight, width};

/// Pixels between two lines of the grid, at least.
const LINES_APART: f64 = 26.0;

/// How strong the colour below a line is.
const BELOW: f64 = 0.12;

/// A limit is drawn when the values come up to this part of it: far away it would only flatten them.
const NEAR: f64 = 0.5;

/// A limit lower than this part of the plot would lie on the axis: the values are far above it.
const LOW: f64 = 0.1;

/// How much of the plot marks may fill.
const MARKS: f64 = 0.22;

/// The least height of a column of anything, in pixels: one refused entry among hundreds is seen.
const LEAST: f64 = 1.5;

/// Between the parts of a stack, and between two columns, in pixels.
const APART: f64 = 1.0;

/// Steps without any value that are worth a ground of their own.
const SILENT_STEPS_MIN: usize = 3;

/// The dashes of a limit, and the dots of yesterday.
const DASHES: &str = "5 4";
pub(super) const DOTS: &str = "1 4";

/// The axis of a panel.
pub(super) fn amounts(panel: &Panel, steps: &Steps, height: f64) -> Amounts {
    let stacked = (0..steps.starts.len()).map(|step| {
        let columns = panel.series.iter().filter(|one| one.shape == Shape::Column);
        columns.filter_map(|one| one.values.get(step).copied().flatten()).sum::<f64>()
    });
    let lines = panel.series.iter().filter(|one| !matches!(one.shape, Shape::Column | Shape::Mark));
    let values = lines.flat_map(|one| one.values.iter().flatten().copied());
    let largest = values.chain(stacked).filter(|value| value.is_finite()).fold(0.0, f64::max);
    let limit = panel.threshold.as_ref().map(|limit| limit.value).filter(|limit| largest >= limit * NEAR);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 2 and 6")]
    let steps_max = (height / LINES_APART).floor().clamp(2.0, 6.0) as u32;
    Amounts::up_to(largest.max(limit.unwrap_or(0.0)), steps_max, panel.unit)
}

/// How wide the widest number of an axis is.
pub(super) fn labels_width(axis: &Amounts) -> f64 {
    axis.lines().map(|value| width(&axis.label(value), SIZE, Weight::Regular)).fold(0.0, f64::max)
}

/// A plot that is being drawn.
pub(super) struct Drawing<'a> {
    pub(super) paper: &'a Paper,
    pub(super) steps: &'a Steps,
    pub(super) moments: &'a Moments,
    pub(super) axis: Amounts,
    pub(super) place: Place,
}

/// A way through the plot.
type Way = Vec<(DateTime<Utc>, f64)>;

impl Drawing<'_> {
    /// Horizontal lines with their numbers. They lie on whole pixels, so they are sharp.
    pub(super) fn grid(&self) {
        let style = words(SIZE, Role::Quiet, HPos::Right);
        self.paper.open("grid", &[]);
        for value in self.axis.lines() {
            let y = self.up(value).round() + 0.5;
            let ends = vec![(fine(self.place.left), fine(y)), (fine(self.place.right), fine(y))];
            drawn(self.paper.area().draw(&PathElement::new(ends, Role::Hairline.carried().stroke_width(10))));
            write(self.paper, &self.axis.label(value), (self.place.left - super::BESIDE_PLOT, y + 4.0), &style);
        }
        self.paper.close();
    }

    /// All series. Tells where the values of each stand, for the marks of a read-out.
    pub(super) fn series(&self, panel: &Panel) -> Vec<Vec<Option<f64>>> {
        self.silence(panel);
        let plot = self.plot();
        for one in panel.series.iter().filter(|one| matches!(one.shape, Shape::Area | Shape::Band(_))) {
            self.ground(&plot, one, panel);
        }
        self.columns(panel);
        for one in &panel.series {
            self.one(&plot, one);
        }
        self.nothing(panel);
        panel.series.iter().map(|one| self.places(one)).collect()
    }

    /// Where something is drawn, so that words keep clear of it: across, and how far down from its top.
    pub(super) fn busy(&self, panel: &Panel, places: &[Vec<Option<f64>>]) -> Vec<(f64, f64, f64)> {
        let steps = 0..self.steps.starts.len();
        let columns = steps.clone().map(|step| {
            let stack = panel.series.iter().filter(|one| one.shape == Shape::Column);
            let sum: f64 = stack.filter_map(|one| one.values.get(step).copied().flatten()).sum();
            (self.across(self.steps.middle(step)), self.up(sum), self.place.bottom)
        });
        let lines = places.iter().flat_map(|places| {
            let known = places.iter().zip(steps.clone()).filter_map(|(y, step)| Some(((*y)?, step)));
            known.map(|(y, step)| (self.across(self.steps.middle(step)), y, y))
        });
        columns.chain(lines).collect()
    }

    /// Words in the middle of a plot that has nothing else.
    fn nothing(&self, panel: &Panel) {
        let is_empty = panel.series.iter().all(|one| one.values.iter().flatten().next().is_none());
        if is_empty {
            let Place { left, right, top, bottom } = self.place;
            let middle = (f64::midpoint(left, right), f64::midpoint(top, bottom) + 4.0);
            write(self.paper, "Nothing was measured", middle, &words(SIZE, Role::Quiet, HPos::Center));
        }
    }

    /// A limit, if it is inside the plot. Tells where its words stand.
    pub(super) fn threshold(&self, panel: &Panel) -> Option<(f64, f64)> {
        let limit = panel
            .threshold
            .as_ref()
            .filter(|limit| limit.value <= self.axis.top && limit.value >= self.axis.top * LOW)?;
        let y = self.up(limit.value).round() + 0.5;
        self.paper.open("threshold", &[("stroke-dasharray", DASHES)]);
        let ends = vec![(fine(self.place.left), fine(y)), (fine(self.place.right), fine(y))];
        drawn(self.paper.area().draw(&PathElement::new(ends, Role::Quiet.carried().stroke_width(15))));
        self.paper.close();
        let ground = self.paper.paint(Role::Background);
        self.paper.open("threshold-name", &super::events::halo(&ground));
        write(self.paper, &limit.name, (self.place.right, y - 5.5), &words(SIZE, Role::Ink, HPos::Right));
        self.paper.close();
        Some((y - 5.5, self.place.right - width(&limit.name, SIZE, Weight::Regular)))
    }

    fn plot(&self) -> Plot<Moments, RangedCoordf64> {
        let axis: RangedCoordf64 = (0.0..self.axis.top).into();
        let Place { left, right, top, bottom } = self.place;
        self.paper.plot(self.moments.clone(), axis, (left, right), (bottom, top))
    }

    /// Where a value stands, in pixels.
    fn up(&self, value: f64) -> f64 {
        let Place { top, bottom, .. } = self.place;
        bottom - (bottom - top) * (value / self.axis.top)
    }

    /// A ground where nothing at all was measured for a while.
    fn silence(&self, panel: &Panel) {
        let is_silent = |step: usize| panel.series.iter().all(|one| one.values.get(step).copied().flatten().is_none());
        let steps = self.steps.starts.len();
        let mut from = 0;
        while from < steps {
            let until = (from..steps).find(|step| !is_silent(*step)).unwrap_or(steps);
            if until - from >= SILENT_STEPS_MIN {
                let (left, right) = (self.across(self.steps.starts[from]), self.across(self.steps.end(until - 1)));
                let corners = [(fine(left), fine(self.place.top)), (fine(right), fine(self.place.bottom))];
                self.paper.open("silence", &[]);
                self.paper.name_group("Nothing was measured");
                drawn(self.paper.area().draw(&Rectangle::new(corners, Role::Surface.carried().filled())));
                self.paper.close();
            }
            from = until.max(from) + 1;
        }
    }

    fn across(&self, at: DateTime<Utc>) -> f64 {
        super::across(self.moments, self.place, at)
    }

    /// The colour below a line, or between two.
    fn ground(&self, plot: &Plot<Moments, RangedCoordf64>, one: &Series, panel: &Panel) {
        let below = match one.shape {
            Shape::Band(other) => panel.series.get(other),
            _ => None,
        };
        self.paper.open(&format!("ground {}", one.key), &[]);
        let fill = one.role.carried().mix(BELOW).filled();
        for way in self.ways(one) {
            let floor = |at: &DateTime<Utc>| {
                let step = self.steps.starts.partition_point(|start| start <= at).saturating_sub(1);
                below.and_then(|other| other.values.get(step).copied().flatten()).unwrap_or(0.0)
            };
            let back: Way = way.iter().rev().map(|(at, _)| (*at, floor(at))).collect();
            if way.len() > 1 {
                drawn(plot.draw(&Polygon::new([way, back].concat(), fill)));
            }
        }
        self.paper.close();
    }

    /// All columns, from the bottom of each stack to its top.
    fn columns(&self, panel: &Panel) {
        let mut heights = vec![self.place.bottom; self.steps.starts.len()];
        for one in panel.series.iter().filter(|one| one.shape == Shape::Column) {
            self.paper.open(&format!("series {}", one.key), &[]);
            for (step, value) in one.values.iter().enumerate().take(heights.len()) {
                let Some(value) = value.filter(|value| *value > 0.0) else { continue };
                let height = (self.place.bottom - self.up(value)).max(LEAST);
                let foot = heights[step];
                // Thin parts touch: a gap would eat them.
                let gap = if height > 3.0 * APART && foot < self.place.bottom { APART } else { 0.0 };
                self.column(one.role, step, (foot - height, foot - gap));
                heights[step] = foot - height;
            }
            self.paper.close();
        }
    }

    fn column(&self, role: Role, step: usize, (top, bottom): (f64, f64)) {
        let (left, right) = (self.across(self.steps.starts[step]), self.across(self.steps.end(step)));
        let gap = APART.min((right - left) / 8.0) / 2.0;
        let corners = [(fine(left + gap), fine(top.max(self.place.top))), (fine(right - gap), fine(bottom))];
        drawn(self.paper.area().draw(&Rectangle::new(corners, role.carried().filled())));
    }

    fn one(&self, plot: &Plot<Moments, RangedCoordf64>, one: &Series) {
        let thick = match one.shape {
            Shape::Line(tenths) => u32::from(tenths),
            Shape::Levels | Shape::Area | Shape::Band(_) => 20,
            Shape::Before => 15,
            Shape::Mark => return self.marks(one),
            Shape::Column => return,
        };
        let dots = [("stroke-linejoin", "round"), ("stroke-linecap", "round"), ("stroke-dasharray", DOTS)];
        let attributes = if one.shape == Shape::Before { &dots[..] } else { &dots[..2] };
        self.paper.open(&format!("series {}", one.key), attributes);
        let color = one.role.carried();
        for way in self.ways(one) {
            if let [alone] = way[..] {
                drawn(plot.draw(&Circle::new(alone, 20, color.filled())));
            } else {
                drawn(plot.draw(&PathElement::new(way, color.stroke_width(thick))));
            }
        }
        self.paper.close();
    }

    /// Low columns on a scale of their own.
    fn marks(&self, one: &Series) {
        let most = one.values.iter().flatten().copied().fold(0.0, f64::max);
        let room = (self.place.bottom - self.place.top) * MARKS;
        self.paper.open(&format!("series {}", one.key), &[]);
        for (step, value) in one.values.iter().enumerate().take(self.steps.starts.len()) {
            let Some(value) = value.filter(|value| *value > 0.0) else { continue };
            let height = (room * value / most).max(4.0);
            self.column(one.role, step, (self.place.bottom - height, self.place.bottom));
        }
        self.paper.close();
    }

    /// The pieces of a series between its gaps. Levels have both ends of each step.
    fn ways(&self, one: &Series) -> Vec<Way> {
        let mut ways = vec![Way::new()];
        for (step, value) in one.values.iter().enumerate().take(self.steps.starts.len()) {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                ways.push(Way::new());
                continue;
            };
            let Some(way) = ways.last_mut() else { continue };
            if one.shape == Shape::Levels {
                way.extend([(self.steps.starts[step], value), (self.steps.end(step), value)]);
            } else {
                way.push((self.steps.middle(step), value));
            }
        }
        self.to_the_edges(&mut ways, one);
        ways.retain(|way| !way.is_empty());
        ways
    }

    /// A line of means stands in the middle of its steps: at both ends of the plot it goes on to the edge.
    fn to_the_edges(&self, ways: &mut [Way], one: &Series) {
        let is_known = |step: usize| one.values.get(step).copied().flatten().is_some_and(f64::is_finite);
        let last = self.steps.starts.len().saturating_sub(1);
        if one.shape == Shape::Levels {
            return;
        }
        if let (true, Some(way)) = (is_known(0), ways.first_mut()) {
            let first = way.first().map(|(_, value)| (self.steps.from(), *value));
            way.splice(0..0, first);
        }
        if let (true, Some(way)) = (is_known(last), ways.last_mut()) {
            way.extend(way.last().map(|(_, value)| (self.steps.until, *value)));
        }
    }

    /// Where each value of a line stands.
    fn places(&self, one: &Series) -> Vec<Option<f64>> {
        if matches!(one.shape, Shape::Column | Shape::Mark) {
            return Vec::new();
        }
        let place = |value: f64| (self.up(value) * FINE).round() / FINE;
        one.values.iter().map(|value| value.filter(|value| value.is_finite()).map(place)).collect()
    }
}
