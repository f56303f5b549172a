//! The words of the report.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value as Json;
use showdesk_domain::conflict::{ConflictKind, ConflictStatus};

use super::{LAPTOPS, REMOVED};

/// What a clash was about, by numbers only.
pub(super) fn about(table: &str, subject: &Json) -> String {
    let text = |name: &str| match subject.get(name)? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let animal = text("tag").map(|tag| {
        let kind: Vec<String> =
            [text("breed"), text("sex").or_else(|| text("species"))].into_iter().flatten().collect();
        if kind.is_empty() { format!("Tag {tag}") } else { format!("Tag {tag}, {}", kind.join(" ")) }
    });
    let exhibitor = text("back_number").map(|number| format!("Back number {number}"));
    let class = text("class");
    animal.or(exhibitor).or(class).unwrap_or_else(|| rows_of(table).to_owned())
}

fn rows_of(table: &str) -> &'static str {
    match table {
        "shows" => "The show",
        "rings" => "A ring",
        "exhibitors" => "An exhibitor",
        "animals" => "An animal",
        "classes" => "A class",
        "entries" => "An entry",
        "weigh_ins" => "A weight",
        "placings" => "A placing",
        "class_calls" => "A call",
        _ => "A message",
    }
}

/// How many phones of a crew: `Scale crew: 2 phones`, `1 laptop`.
pub(super) fn of_crew(crew: &str, count: usize) -> String {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match crew {
        LAPTOPS => counted(count, "laptop"),
        REMOVED => counted(count, "removed phone"),
        crew => format!("{crew}: {}", counted(count, "phone")),
    }
}

fn counted(count: i64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// How a clash came about.
pub(super) fn kind(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::UpdateUpdate => "changed twice",
        ConflictKind::InsertInsert => "entered twice",
        ConflictKind::InsertDeleted => "entered again after it was removed",
        ConflictKind::UpdateMissing => "changed, but nobody knows it",
        ConflictKind::UpdateDeleted => "changed after it was removed",
        ConflictKind::DeleteUpdated => "removed after it was changed",
        ConflictKind::UniqueViolation => "a number used twice",
        ConflictKind::MissingReference => "belongs to something that is not there",
        ConflictKind::MergedInvalid => "two changes that do not go together",
        ConflictKind::RestoredServer => "from before a backup was put back",
        ConflictKind::Rule => "against a rule of the show",
    }
}

/// What became of a clash.
pub(super) fn decision(status: ConflictStatus, resolution: Option<&str>) -> &'static str {
    match (status, resolution) {
        (ConflictStatus::Superseded, _) => "settled by a later entry",
        (ConflictStatus::Withdrawn, _) => "taken back by its author",
        (ConflictStatus::MergedAutomatically, _) => "joined by itself",
        (ConflictStatus::Open, _) => "still to check",
        (ConflictStatus::Resolved, Some("client_wins")) => "the phone's entry was taken",
        (ConflictStatus::Resolved, Some("server_wins")) => "the laptop's value was kept",
        (ConflictStatus::Resolved, _) => "put right by hand",
    }
}

/// A field as people call it: `official weight`.
pub(super) fn field(path: &str) -> String {
    let last = path.rsplit('.').next().unwrap_or(path);
    let words = last.trim_end_matches("_x10").trim_end_matches("_id").trim_end_matches("_on").trim_end_matches("_at");
    words.replace('_', " ")
}

/// A department as people call it.
pub(super) fn department(word: Option<&str>) -> String {
    let Some(word) = word else { return "Other".to_owned() };
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `Fri 14 Aug, 9:05 am`.
pub(super) fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %-d %b, %-I:%M %P").to_string()
}

/// `13 to 16 August 2026`, `31 July to 2 August 2026`.
pub(super) fn days(from: Option<&str>, to: Option<&str>) -> Option<String> {
    let date = |text: Option<&str>| text.and_then(|text| text.parse::<NaiveDate>().ok());
    let (from, to) = (date(from)?, date(to));
    let whole = |date: NaiveDate| date.format("%-d %B %Y").to_string();
    let Some(to) = to.filter(|to| *to != from) else { return Some(whole(from)) };
    let is_same = |format: &str| from.format(format).to_string() == to.format(format).to_string();
    let first = match (is_same("%Y"), is_same("%Y %m")) {
        (true, true) => from.format("%-d").to_string(),
        (true, false) => from.format("%-d %B").to_string(),
        _ => whole(from),
    };
    Some(format!("{first} to {}", whole(to)))
}

/// `4 minutes`, `2 hours`.
pub(super) fn time(time: TimeDelta) -> String {
    match time.num_minutes() {
        ..1 => "less than a minute".to_owned(),
        minutes @ 1..90 => counted(minutes, "minute"),
        minutes @ 90..2_880 => counted((minutes + 30) / 60, "hour"),
        minutes => counted((minutes + 720) / 1_440, "day"),
    }
}

/// 12345 → `12,345`.
pub(super) fn number(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name as a part of a file's name: small letters, digits, and lines between them.
pub(super) fn for_file(name: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut text = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            text.push(letter);
        } else if !text.is_empty() && !text.ends_with('-') {
            text.push('-');
        }
    }
    text.truncate(CHARS_MAX);
    let text = text.trim_end_matches('-');
    if text.is_empty() { "show".to_owned() } else { text.to_owned() }
}
