//! The values behind a chart: a table for screen readers, and the same as a file.

use std::fmt::Write as _;

use serde::Serialize;

use crate::amounts::said;
use crate::model::{Body, Chart, Frame, HeatRow, Panel, Series, Unit};
use crate::points::{clock_of, times_of, unit_of};

/// Signs with which a spreadsheet's formula begins.
const BEGINS_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A value of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// As a number; None where nothing was measured.
    pub value: Option<f64>,
    /// In words, with its unit; empty where nothing was measured.
    pub text: String,
}

/// A table with a heading for each line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What it is about.
    pub caption: String,
    /// The headings of all columns, the one of the lines' headings first.
    pub columns: Vec<String>,
    /// The same with units, for a file.
    #[serde(skip)]
    file_columns: Vec<String>,
    /// The lines: their headings as people read them, and their values.
    pub rows: Vec<(String, Vec<Cell>)>,
    /// The headings of the lines for a file: moments with their zone.
    #[serde(skip)]
    file_headings: Vec<String>,
}

/// The table of a chart.
pub(crate) fn of<'a>(chart: &'a Chart, frame: &Frame) -> Table {
    let times = times_of(chart, frame);
    let clock = clock_of(frame);
    let moments: Vec<String> = chart.steps.starts.iter().map(|at| clock.exact(*at)).collect();
    let caption = format!("{}: {}", chart.title, chart.subtitle);
    match &chart.body {
        Body::Panels(panels) => {
            let told = |panel: &'a Panel| panel.told().into_iter().map(|(_, one)| (one, unit_of(one, panel.unit)));
            let series: Vec<_> = panels.iter().flat_map(told).collect();
            let names = series.iter().map(|(one, _)| one.name.clone());
            let columns = std::iter::once("Time".to_owned()).chain(names).collect();
            let with_units = series.iter().map(|(one, unit)| with_unit(&one.name, *unit));
            let file_columns = std::iter::once("Time".to_owned()).chain(with_units).collect();
            let row = |(step, time): (usize, String)| {
                let value = |(one, unit): &(&Series, Unit)| cell(one.values.get(step).copied().flatten(), *unit);
                (time, series.iter().map(value).collect())
            };
            let rows = times.into_iter().enumerate().map(row).collect();
            Table { caption, columns, file_columns, rows, file_headings: moments }
        }
        Body::Heat(heat) => {
            let first = || std::iter::once("Task".to_owned());
            let file_columns = first().chain(moments.iter().map(|moment| with_unit(moment, heat.unit))).collect();
            let row = |row: &HeatRow| {
                let values = (0..times.len()).map(|step| cell(row.values.get(step).copied().flatten(), heat.unit));
                (row.name.clone(), values.collect())
            };
            let rows: Vec<_> = heat.rows.iter().map(row).collect();
            let file_headings = heat.rows.iter().map(|row| row.name.clone()).collect();
            Table { caption, columns: first().chain(times).collect(), file_columns, rows, file_headings }
        }
    }
}

fn cell(value: Option<f64>, unit: Unit) -> Cell {
    Cell { value, text: value.map_or_else(String::new, |value| said(value, unit)) }
}

fn with_unit(name: &str, unit: Unit) -> String {
    match unit {
        Unit::Milliseconds => format!("{name} (ms)"),
        Unit::Count => name.to_owned(),
        Unit::Percent => format!("{name} (%)"),
        Unit::Megabytes => format!("{name} (MB)"),
        Unit::Gigabytes => format!("{name} (GB)"),
    }
}

impl Table {
    /// The table as a file for spreadsheets: moments with their zone, plain numbers, nothing where nothing was measured.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        push_line(&mut text, self.file_columns.iter().map(|name| guarded(name)));
        for ((_, cells), heading) in self.rows.iter().zip(&self.file_headings) {
            let values = cells.iter().map(|cell| cell.value.map_or_else(String::new, rounded));
            push_line(&mut text, std::iter::once(guarded(heading)).chain(values));
        }
        text
    }

    /// The table as HTML, for the report.
    pub fn html(&self) -> String {
        let mut text = format!("<table><caption>{}</caption><thead><tr>", escaped(&self.caption));
        for column in &self.columns {
            write!(text, "<th scope=\"col\">{}</th>", escaped(column)).expect(NEVER_FAILS);
        }
        text.push_str("</tr></thead><tbody>");
        for (heading, cells) in &self.rows {
            write!(text, "<tr><th scope=\"row\">{}</th>", escaped(heading)).expect(NEVER_FAILS);
            for cell in cells {
                write!(text, "<td>{}</td>", if cell.value.is_some() { &cell.text } else { "–" }).expect(NEVER_FAILS);
            }
            text.push_str("</tr>");
        }
        text + "</tbody></table>"
    }
}

const NEVER_FAILS: &str = "a String takes every text";

/// A number with no more digits than were measured.
fn rounded(value: f64) -> String {
    format!("{}", (value * 1_000.0).round() / 1_000.0)
}

/// Text that no spreadsheet calculates.
fn guarded(text: &str) -> String {
    if text.starts_with(BEGINS_FORMULA) { format!("'{text}") } else { text.to_owned() }
}

fn push_line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            write!(text, "\"{}\"", cell.replace('"', "\"\"")).expect(NEVER_FAILS);
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
