//! A chart as data, before it is drawn.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::ink::{Ink, Role};
use crate::png::{self, PngError};
use crate::table::{self, Table};
use crate::{draw, points};

/// Steps of time: where each begins, and where the last one ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// Ascending; at least one.
    pub starts: Vec<DateTime<Utc>>,
    /// After the last of them.
    pub until: DateTime<Utc>,
}

impl Steps {
    /// The first moment.
    pub(crate) fn from(&self) -> DateTime<Utc> {
        self.starts.first().copied().unwrap_or(self.until)
    }

    /// Where a step ends.
    pub(crate) fn end(&self, step: usize) -> DateTime<Utc> {
        self.starts.get(step + 1).copied().unwrap_or(self.until)
    }

    /// The middle of a step.
    pub(crate) fn middle(&self, step: usize) -> DateTime<Utc> {
        let start = self.starts.get(step).copied().unwrap_or(self.until);
        start + (self.end(step) - start) / 2
    }
}

/// What values are. They come in this unit already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// How many; whole on the axis.
    Count,
    /// 0 to 100.
    Percent,
    /// Megabytes.
    Megabytes,
    /// Gigabytes.
    Gigabytes,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A line, thick as said in tenths of a pixel.
    Line(u8),
    /// A line that stays level through each step: counts that change at once.
    Levels,
    /// A line with its colour down to the zero line.
    Area,
    /// A line with its colour down to another series of the panel.
    Band(usize),
    /// Columns, stacked in the order of the series.
    Column,
    /// Low columns on a scale of their own, in front: rare things beside what they belong to.
    Mark,
    /// Thin and dotted: the same series at another time.
    Before,
}

/// One row of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its class in the SVG.
    pub key: &'static str,
    /// Its name in the legend.
    pub name: String,
    /// Its colour.
    pub role: Role,
    /// How it is drawn.
    pub shape: Shape,
    /// A value for each step; None where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// A limit that is drawn when the values come near it.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// Where.
    pub value: f64,
    /// Its words: `Alert at 500 ms`.
    pub name: String,
}

/// One plot. Two of a chart stand above each other and share their time.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What its values are.
    pub unit: Unit,
    /// Its series, the furthest behind first.
    pub series: Vec<Series>,
    /// A limit.
    pub threshold: Option<Threshold>,
}

impl Panel {
    /// The series as they are told: lines from the front to the back, then columns from the bottom of the stack to its
    /// top and marks. Each with its place among the series.
    pub(crate) fn told(&self) -> Vec<(usize, &Series)> {
        let is_line = |(_, one): &(usize, &Series)| !matches!(one.shape, Shape::Column | Shape::Mark | Shape::Before);
        let (lines, others): (Vec<_>, Vec<_>) = self.series.iter().enumerate().partition(is_line);
        lines.into_iter().rev().chain(others).collect()
    }
}

/// One line of a heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatRow {
    /// What it is.
    pub name: String,
    /// A value for each step; None where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// A heat map: what, when, how much.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    /// What its values are.
    pub unit: Unit,
    /// Its lines, from the top.
    pub rows: Vec<HeatRow>,
    /// The full colour stands at least for this, so that a calm day is pale.
    pub full_min: f64,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Plots over time.
    Panels(Vec<Panel>),
    /// A heat map.
    Heat(Heat),
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The program started again.
    Restart,
    /// A copy was put back.
    Restore,
    /// A file was taken in.
    Import,
    /// Something else that explains a chart: a phone came back.
    Other,
}

/// Words of an event at most; the rest is in its read-out.
const WORDS_CHARS_MAX: usize = 32;

/// Something that happened, to be seen in every chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What kind of thing.
    pub kind: EventKind,
    /// Two or three words; without any, the kind's own.
    pub words: String,
}

impl Event {
    /// Its words, or those of its kind, cut to what has room in a chart.
    pub fn said(&self) -> String {
        let own = match self.kind {
            EventKind::Restart => "Showdesk restarted",
            EventKind::Restore => "Backup restored",
            EventKind::Import => "Entries imported",
            EventKind::Other => "",
        };
        let words = if self.words.trim().is_empty() { own } else { self.words.trim() };
        if words.chars().count() <= WORDS_CHARS_MAX {
            return words.to_owned();
        }
        words.chars().take(WORDS_CHARS_MAX - 1).chain(['…']).collect()
    }
}

/// Where a chart stands, and whose clock it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Pixels at the right of the title line that stay free for buttons.
    pub corner: u16,
    /// The show's zone.
    pub zone: Tz,
    /// 13:00 rather than 1:00.
    pub hours_24: bool,
    /// What happened meanwhile.
    pub events: Vec<Event>,
}

impl Frame {
    /// A tile of the desk.
    pub const fn tile(zone: Tz) -> Self {
        Self { width: 504, height: 200, corner: 44, zone, hours_24: false, events: Vec::new() }
    }

    /// A picture of the show's report.
    pub const fn report(zone: Tz) -> Self {
        Self { width: 900, height: 300, corner: 0, zone, hours_24: false, events: Vec::new() }
    }
}

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Its name in addresses and files.
    pub key: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Unit and step in words.
    pub subtitle: String,
    /// Its time.
    pub steps: Steps,
    /// What is drawn.
    pub body: Body,
}

impl Chart {
    /// The chart as SVG.
    ///
    /// `role=img` with one sentence about the values; `data-points` holds what a read-out under the pointer needs.
    pub fn svg(&self, frame: &Frame, ink: Ink) -> String {
        draw::svg(self, frame, ink)
    }

    /// The chart as a picture, so many times as large as its frame; [`Ink::Variables`] is drawn light.
    pub fn png(&self, frame: &Frame, ink: Ink, scale: u8) -> Result<Vec<u8>, PngError> {
        let ink = if ink == Ink::Variables { Ink::Light } else { ink };
        png::render(&self.svg(frame, ink), scale)
    }

    /// The values as a table, for screen readers and for a file.
    pub fn table(&self, frame: &Frame) -> Table {
        table::of(self, frame)
    }

    /// One sentence about the values, for who does not see the picture.
    pub fn summary(&self, frame: &Frame) -> String {
        points::summary(self, frame)
    }
}
