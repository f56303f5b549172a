//! How classes, times and weights are called in messages.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::record::Record;

/// How a show writes times and weights: where it is, and in which unit it weighs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// The name of its time zone.
    pub timezone: String,
    /// `lb` or `kg`.
    pub unit: String,
}

impl Manner {
    /// Of a row of `shows`.
    pub fn of(show: Option<&Record>) -> Self {
        let text =
            |path: &str, other: &str| show.and_then(|show| show.value(path).as_text()).unwrap_or(other).to_owned();
        Self { timezone: text("timezone", "UTC"), unit: text("weight_unit", "lb") }
    }

    /// The clock on the show's wall: `8:30`, and where weights are metric `08:30`.
    pub fn clock(&self, at: DateTime<Utc>) -> String {
        let zone: Tz = self.timezone.parse().unwrap_or(Tz::UTC);
        let form = if self.unit == "kg" { "%H:%M" } else { "%-I:%M" };
        at.with_timezone(&zone).format(form).to_string()
    }

    /// `1,262`, or `1,262.5`.
    pub fn weight(weight_x10: i64) -> String {
        let (whole, tenth) = (weight_x10 / 10, weight_x10 % 10);
        let mut text = whole.to_string();
        if whole >= 1_000 {
            text.insert(text.len() - 3, ',');
        }
        if tenth == 0 { text } else { format!("{text}.{tenth}") }
    }

    /// `Market Steers, 1,250–1,299 lb`: what a class is beside its number.
    pub fn about_class(&self, class: &Record) -> Option<String> {
        let name = class.value("code").as_text().and(class.value("name").as_text()).map(str::to_owned);
        let bound = |path: &str| class.value(path).as_int().map(Self::weight);
        let range = match (bound("min_x10"), bound("max_x10")) {
            (Some(min), Some(max)) => Some(format!("{min}–{max} {}", self.unit)),
            (Some(min), None) => Some(format!("from {min} {}", self.unit)),
            (None, Some(max)) => Some(format!("up to {max} {}", self.unit)),
            (None, None) => None,
        };
        let words: Vec<String> = [name, range].into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// `Class 14`, or its name if it has no number.
pub fn class_name(class: &Record) -> String {
    match class.value("code").as_text() {
        Some(code) => format!("Class {code}"),
        None => class.value("name").as_text().unwrap_or("A class").to_owned(),
    }
}

/// `Swine`: how a department begins a sentence.
pub fn department_name(department: &str) -> String {
    let mut letters = department.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1st`, `2nd`, `3rd`, `11th`.
pub fn ordinal(number: i64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The text cut to so many letters; what is cut off is told by `…`.
pub fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::record;

    #[test]
    fn times_are_those_of_the_wall() {
        let at = "2026-08-07T18:05:00Z".parse().expect("a moment");
        let manner = |timezone: &str, unit: &str| Manner { timezone: timezone.to_owned(), unit: unit.to_owned() };
        assert_eq!(manner("America/Chicago", "lb").clock(at), "1:05");
        assert_eq!(manner("Europe/London", "kg").clock(at), "19:05");
        assert_eq!(manner("nowhere", "lb").clock(at), "6:05");
    }

    #[test]
    fn classes_weights_and_places_have_their_words() {
        let lb = Manner::of(None);
        let steers = json!({"code": "14", "name": "Market Steers", "min_x10": 12_500, "max_x10": 12_990});
        let steers = record("classes", 1, &steers);
        assert_eq!(class_name(&steers), "Class 14");
        assert_eq!(lb.about_class(&steers).as_deref(), Some("Market Steers, 1,250–1,299 lb"));
        let plain = record("classes", 1, &json!({"name": "Showmanship"}));
        assert_eq!((class_name(&plain).as_str(), lb.about_class(&plain)), ("Showmanship", None));
        assert_eq!(Manner::weight(9_995), "999.5");
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 13, 21, 102].map(ordinal).join(" "),
            "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd"
        );
        let words = ["a", "b", "c"].map(str::to_owned);
        assert_eq!([listed(&words[..1]), listed(&words[..2]), listed(&words)], ["a", "a and b", "a, b and c"]);
        assert_eq!((cut("abc", 3).as_str(), cut("abcd", 3).as_str(), cut("🐖🐖🐖", 2).as_str()), ("abc", "ab…", "🐖…"));
        assert_eq!(department_name("swine"), "Swine");
    }
}
