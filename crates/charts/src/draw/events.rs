//! What happened meanwhile: a thin line through all plots, and words where they have room.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::{Place, across, words, write};
use crate::ink::Role;
use crate::model::{Event, EventKind, Frame};
use crate::moments::Moments;
use crate::paper::{Paper, SIZE, drawn, fine};
use crate::points::clock_of;
use crate::text::{Weight, width};

/// Between the line and its words.
const BESIDE: f64 = 6.0;

/// From the top of the plot to the first line of words, and from there to the next.
const FIRST_LINE: f64 = 10.0;
const LINE: f64 = 15.0;

/// Lines of words that events may take.
const LINES: u8 = 3;

/// How high letters stand.
const LETTERS: f64 = 10.0;

const DOTS: &str = "2 3";

/// Attributes for words that stand on a drawing: a rim in the colour of the page.
pub(super) fn halo(ground: &str) -> [(&'static str, &str); 4] {
    [("paint-order", "stroke"), ("stroke", ground), ("stroke-width", "3"), ("stroke-linejoin", "round")]
}

/// What words of events keep clear of.
pub(super) struct Taken<'a> {
    /// Words of limits: their line, and where they begin.
    pub(super) limits: &'a [(f64, f64)],
    /// What is drawn: across, from its top to its bottom.
    pub(super) busy: &'a [(f64, f64, f64)],
}

/// Draws all events of the range.
pub(super) fn draw(paper: &Paper, frame: &Frame, moments: &Moments, place: Place, taken: &Taken<'_>) {
    let range = moments.range();
    let mut events: Vec<&Event> = frame.events.iter().filter(|event| range.contains(&event.at)).collect();
    events.sort_by_key(|event| event.at);
    let lines: Vec<f64> = events.iter().map(|event| across(moments, place, event.at).round() + 0.5).collect();
    let limits = taken.limits.iter().map(|(y, left)| (*y, *left, place.right));
    let mut words_at: Vec<(f64, f64, f64)> = limits.collect();
    let ground = paper.paint(Role::Background);
    for (event, x) in events.iter().zip(&lines) {
        let time = clock_of(frame).time(event.at);
        let happened = event.said();
        let named = format!("{time} {happened}");
        paper.open(&format!("event {}", class(event.kind)), &[]);
        paper.name_group(&named);
        line(paper, *x, place);
        // The axis tells the time, too: better without it than without words.
        let fitting = [named, happened].into_iter().find_map(|text| {
            let wide = width(&text, SIZE, Weight::Regular);
            let (left, y) = room((*x, wide), place, &lines, &words_at, taken.busy)?;
            Some((text, wide, left, y))
        });
        if let Some((text, wide, left, y)) = fitting {
            paper.open("event-name", &halo(&ground));
            write(paper, &text, (left, y), &words(SIZE, Role::Quiet, HPos::Left));
            paper.close();
            words_at.push((y, left, left + wide));
        }
        paper.close();
    }
}

fn line(paper: &Paper, x: f64, place: Place) {
    paper.open("event-line", &[("stroke-dasharray", DOTS)]);
    let ends = vec![(fine(x), fine(place.top)), (fine(x), fine(place.bottom))];
    drawn(paper.area().draw(&PathElement::new(ends, Role::Line.carried().stroke_width(10))));
    paper.close();
}

/// Where words have room: to the right or the left of their line, clear of other words, other lines, and what is drawn.
fn room(
    (x, wide): (f64, f64),
    place: Place,
    lines: &[f64],
    words_at: &[(f64, f64, f64)],
    busy: &[(f64, f64, f64)],
) -> Option<(f64, f64)> {
    let sides = [x + BESIDE, x - BESIDE - wide];
    let places =
        (0..LINES).flat_map(|line| sides.map(|left| (left, LINE.mul_add(f64::from(line), place.top + FIRST_LINE))));
    let is_free = |(left, y): &(f64, f64)| {
        let right = left + wide;
        let apart =
            |(at, from, to): &(f64, f64, f64)| (at - y).abs() >= LINE - 1.0 || right < from - 4.0 || *left > to + 4.0;
        // Words that begin right behind another line would be read as its words.
        let beside = |line: &f64| (*line - x).abs() < 1.0 || *line < left - 2.5 * BESIDE || *line > right + 2.0;
        *left >= place.left && right <= place.right && words_at.iter().all(apart) && lines.iter().all(beside)
    };
    let is_clear = |(left, y): &(f64, f64)| {
        let hit = |(at, top, bottom): &(f64, f64, f64)| {
            *at >= left - 3.0 && *at <= left + wide + 3.0 && *top <= y + 5.0 && *bottom >= y - LETTERS
        };
        !busy.iter().any(hit)
    };
    let mut fitting = places.filter(is_free).filter(is_clear);
    fitting.next()
}

fn class(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Restart => "restart",
        EventKind::Restore => "restore",
        EventKind::Import => "import",
        EventKind::Other => "other",
    }
}
