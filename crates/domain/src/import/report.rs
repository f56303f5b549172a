//! The sentences of the row report that need more than a word.

use super::Issue;
use super::line::EntryLine;
use super::slot::Clash;
use crate::value::Value;

/// A line says something else than an earlier one about the same exhibitor or animal.
pub(super) fn contradiction(line: &EntryLine, clash: &Clash) -> Issue {
    let column = match clash.field {
        "club_chapter" => "club",
        "init_weight_x10" => "init_weight",
        "init_weighed_on" => "init_date",
        "weight_x10" => "weight",
        field => field,
    };
    let value = match (&clash.value, clash.field) {
        (Value::Int(weight), "init_weight_x10" | "weight_x10") => shown_weight(*weight),
        (value, _) => value.as_text().map_or_else(|| value.to_json().to_string(), str::to_owned),
    };
    let message = format!("Line {} says “{value}” for the same {}.", clash.line, subject_of(clash.field));
    Issue::error(line.row, Some(column), "contradicts_row", message)
}

fn subject_of(field: &str) -> &'static str {
    match field {
        "first_name" | "last_name" | "club_chapter" | "county" | "program" => "exhibitor",
        _ => "animal",
    }
}

/// A weight as people write it.
pub(super) fn shown_weight(weight_x10: i64) -> String {
    if weight_x10 % 10 == 0 {
        (weight_x10 / 10).to_string()
    } else {
        format!("{}.{}", weight_x10 / 10, weight_x10 % 10)
    }
}
