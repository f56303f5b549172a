//! The desk's charts: what was measured becomes a picture, a table and a file.
//!
//! Pure: no I/O and no clock. The engine brings the figures, the server hands out what is drawn.
//!
//! ```
//! # use chrono::{DateTime, TimeDelta, Utc};
//! use showdesk_charts::{Frame, Ink, Steps, catalogue};
//!
//! let from: DateTime<Utc> = "2026-08-14T11:00:00Z".parse()?;
//! let steps = Steps { starts: vec![from, from + TimeDelta::minutes(5)], until: from + TimeDelta::minutes(10) };
//! let chart = catalogue::requests(steps, vec![Some(240.0), None]);
//! let svg = chart.svg(&Frame::tile(chrono_tz::America::Chicago), Ink::Variables);
//! assert!(svg.starts_with("<svg"));
//! # Ok::<(), chrono::ParseError>(())
//! ```
//!
//! One SVG serves light and dark: its colours are the page's CSS variables. As a file it has colours of its own
//! ([`Ink::Light`], [`Ink::Dark`]). plotters places everything; [`paper`] writes the SVG itself, since plotters' own
//! knows whole pixels, classes and variables not.

#![forbid(unsafe_code)]

mod amounts;
pub mod catalogue;
mod draw;
mod ink;
mod model;
mod moments;
mod paper;
mod png;
mod points;
mod table;
mod text;

#[cfg(test)]
mod tests;
#[cfg(test)]
extern crate self as showdesk_charts;

pub use ink::{CSS, Ink, Role};
pub use model::{Body, Chart, Event, EventKind, Frame, Heat, HeatRow, Panel, Series, Shape, Steps, Threshold, Unit};
pub use png::PngError;
pub use table::{Cell, Table};
pub use text::FONT_FILES;
