//! The table of what was measured, beside what was aimed at.

use std::fmt;

/// One line.
pub(crate) struct Line {
    what: String,
    target: String,
    measured: String,
    is_met: Option<bool>,
}

/// What a number is measured against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Line {
    /// A number with its target.
    pub(crate) fn new(what: impl Into<String>, target: Target, measured: f64, unit: &str) -> Self {
        let (sign, limit, is_met) = match target {
            Target::AtLeast(limit) => ("≥", limit, measured >= limit),
            Target::AtMost(limit) => ("≤", limit, measured <= limit),
        };
        let target = format!("{sign} {}", with_unit(limit, unit));
        Self { what: what.into(), target, measured: with_unit(measured, unit), is_met: Some(is_met) }
    }

    /// A number that has no target of its own and helps to read the others.
    pub(crate) fn beside(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { what: what.into(), target: String::new(), measured: measured.into(), is_met: None }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, target, measured, is_met } = self;
        let word = match is_met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        write!(f, "| {what} | {target} | {measured} | {word} |")
    }
}

/// The lines as Markdown.
pub(crate) fn table(lines: &[Line]) -> String {
    let head = "| what | target | measured | |\n|---|---|---|---|".to_owned();
    std::iter::once(head).chain(lines.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n")
}

/// Two digits below ten, none from a hundred on.
fn with_unit(number: f64, unit: &str) -> String {
    let digits = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    let number = format!("{number:.digits$}");
    let number = number.strip_suffix(".00").unwrap_or(&number);
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}
