//! How the desk measures itself: what happens to a measurement between being taken and being shown.
//!
//! Pure: no I/O, no clock, no dice. The engine takes the measurements, keeps the rows and sends the messages.
//! - [`histogram`]: durations in few bytes, added in any order.
//! - [`rollup`]: minutes become hours and days; the steps of a chart.
//! - [`sampling`] and [`retention`]: which rows are kept, and until when.
//! - [`errors`]: what is taken out of an error's text, and which errors are one problem.
//! - [`alerts`]: when somebody is told.
//! - [`prometheus`]: the same figures as text for a scraper.

#![forbid(unsafe_code)]

pub mod alerts;
pub mod errors;
pub mod histogram;
pub mod metric;
pub mod prometheus;
pub mod retention;
pub mod rollup;
pub mod sampling;
