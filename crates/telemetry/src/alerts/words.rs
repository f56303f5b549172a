//! What the built-in rules say: as a sentence that can be edited, and as the headline of a message.
//!
//! Rules that people made have the metric's own words.

use super::rule::{Aggregate, Operator, Rule};
use super::tell::{Message, MessageKind};
use crate::metric::Unit;

/// A piece of a rule's sentence.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "text")]
pub enum Part {
    /// Plain words.
    Words(String),
    /// The limit, as text; it can be edited.
    Limit(String),
    /// How long it must last, as text; it can be edited.
    Wait(String),
}

/// Sentence after "Tell me when", headline for one, headline for several, and when it is over.
/// `{limit}` and `{wait}` are the rule's, `{n}` is how many.
struct Words {
    id: &'static str,
    sentence: &'static str,
    one: &'static str,
    several: &'static str,
    over: &'static str,
}

const fn words(
    id: &'static str,
    sentence: &'static str,
    one: &'static str,
    several: &'static str,
    over: &'static str,
) -> Words {
    Words { id, sentence, one, several, over }
}

const WORDS: &[Words] = &[
    words(
        "error_rate",
        "over {limit} of all answers fail for {wait}",
        "Many answers fail",
        "Many answers fail",
        "Answers work again",
    ),
    words(
        "slow_answers",
        "slow answers (p95) take over {limit} for {wait}",
        "Answers are slow",
        "Answers are slow",
        "Answers are quick again",
    ),
    words(
        "phone_away_unsent",
        "a phone is away {limit} with unsent work",
        "A phone is away with unsent work",
        "{n} phones are away with unsent work",
        "Phones with unsent work are back",
    ),
    words(
        "queue_age",
        "an entry waits over {limit} on the laptop",
        "Entries wait to be worked on",
        "Entries wait to be worked on",
        "No entry waits any more",
    ),
    words(
        "conflicts_waiting",
        "something has needed checking for {limit}",
        "Entries need checking",
        "Entries need checking",
        "Nothing has waited long to be checked",
    ),
    words(
        "clock_skew",
        "a phone's clock is off by over {limit}",
        "A phone's clock is wrong",
        "{n} phones have a wrong clock",
        "The phones' clocks are right again",
    ),
    words(
        "provider_open",
        "messages cannot be passed on for {wait}",
        "A message service does not answer",
        "{n} message services do not answer",
        "Messages are passed on again",
    ),
    words(
        "backup_old",
        "the last backup is over {limit} old",
        "The last backup is too old",
        "The last backup is too old",
        "There is a new backup",
    ),
    words(
        "stick_missing",
        "the backup stick is not there for {wait}",
        "The backup stick is not there",
        "The backup stick is not there",
        "The backup stick is back",
    ),
    words(
        "disk_low",
        "the disk has less than {limit} left",
        "The disk is almost full",
        "The disk is almost full",
        "The disk has room again",
    ),
    words(
        "wal_large",
        "the database's log grows over {limit} for {wait}",
        "The database's log is large",
        "The database's log is large",
        "The database's log is small again",
    ),
    words(
        "on_battery",
        "the laptop runs on its battery for {wait}",
        "The laptop runs on its battery",
        "The laptop runs on its battery",
        "The laptop is plugged in again",
    ),
    words(
        "battery_low",
        "the laptop's battery is under {limit}",
        "The laptop's battery is almost empty",
        "The laptop's battery is almost empty",
        "The laptop's battery is charged again",
    ),
    words(
        "was_down",
        "Showdesk was off for over {limit} without being closed",
        "Showdesk had stopped and is back",
        "Showdesk had stopped and is back",
        "Showdesk has run since",
    ),
];

/// The rule as a sentence that follows "Tell me when".
pub fn sentence(rule: &Rule) -> Vec<Part> {
    let template =
        WORDS.iter().find(|words| words.id == rule.id).map_or_else(|| own(rule), |words| words.sentence.to_owned());
    let mut parts = Vec::new();
    let mut rest = template.as_str();
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        if !before.is_empty() {
            parts.push(Part::Words(before.to_owned()));
        }
        parts.push(if name == "wait" { Part::Wait(time(f64::from(rule.wait))) } else { Part::Limit(limit(rule)) });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest.to_owned()));
    }
    parts
}

/// The first line of a message.
pub fn headline(rule: &Rule, message: &Message) -> String {
    let Some(words) = WORDS.iter().find(|words| words.id == rule.id) else {
        let over = if message.kind == MessageKind::Resolved { "Over: " } else { "" };
        return format!("{over}{}", rule.metric.help().trim_end_matches('.'));
    };
    let several = message.subjects.len() > 1;
    let line = match message.kind {
        MessageKind::Resolved => words.over,
        MessageKind::Firing | MessageKind::StillFiring if several => words.several,
        MessageKind::Firing | MessageKind::StillFiring => words.one,
    };
    let line = line.replace("{n}", &message.subjects.len().to_string());
    if message.kind == MessageKind::StillFiring { format!("Still: {line}") } else { line }
}

/// A sentence for a rule that somebody made.
fn own(rule: &Rule) -> String {
    let aggregate = match rule.aggregate {
        Aggregate::P50 => ", the middle one,",
        Aggregate::P95 => " (p95)",
        Aggregate::P99 => " (p99)",
        Aggregate::Rate => " a minute",
        Aggregate::Share => ", those that failed,",
        Aggregate::Count | Aggregate::Last => "",
    };
    let side = if rule.operator == Operator::Above { "over" } else { "under" };
    format!("{}{aggregate} is {side} {{limit}} for {{wait}}", rule.metric.key().replace('_', " "))
}

fn limit(rule: &Rule) -> String {
    let value = rule.threshold;
    match (rule.aggregate, rule.metric.unit()) {
        (Aggregate::Share, _) | (_, Unit::Percent) => format!("{} %", number(value)),
        (Aggregate::Count | Aggregate::Rate, _) | (_, Unit::Count | Unit::Flag) => number(value),
        (_, Unit::Milliseconds) => format!("{} ms", number(value)),
        (_, Unit::Seconds) => time(value),
        (_, Unit::Bytes) => bytes(value),
    }
}

fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        hours if hours >= 7_200.0 => (hours / 3_600.0, "h"),
        minutes if minutes >= 60.0 => (minutes / 60.0, "min"),
        seconds => (seconds, "s"),
    };
    format!("{} {unit}", number(value))
}

fn bytes(value: f64) -> String {
    let (value, unit) =
        if value >= 1_073_741_824.0 { (value / 1_073_741_824.0, "GB") } else { (value / 1_048_576.0, "MB") };
    format!("{} {unit}", number(value))
}

/// With one digit behind the point where it is needed.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::super::rule::Severity;
    use super::super::tell::Firing;
    use super::*;
    use crate::metric::Metric;

    fn text(rule: &Rule) -> String {
        let part = |part: Part| match part {
            Part::Words(words) => words,
            Part::Limit(limit) => format!("[{limit}]"),
            Part::Wait(wait) => format!("[[{wait}]]"),
        };
        sentence(rule).into_iter().map(part).collect()
    }

    #[test]
    fn every_built_in_rule_has_words_of_its_own_and_no_other_has() {
        let rules = built_in();
        assert_eq!(rules.len(), WORDS.len());
        for rule in &rules {
            assert!(WORDS.iter().any(|words| words.id == rule.id), "{}", rule.id);
            assert!(text(rule).contains('['), "{}: {}", rule.id, text(rule));
        }
    }

    #[test]
    fn limits_are_said_in_the_units_of_people() {
        let rules = built_in();
        let said = |id: &str| text(rules.iter().find(|rule| rule.id == id).unwrap());
        assert_eq!(said("phone_away_unsent"), "a phone is away [10 min] with unsent work");
        assert_eq!(said("slow_answers"), "slow answers (p95) take over [500 ms] for [[5 min]]");
        assert_eq!(said("backup_old"), "the last backup is over [30 min] old");
        assert_eq!(said("disk_low"), "the disk has less than [2 GB] left");
        assert_eq!(said("error_rate"), "over [5 %] of all answers fail for [[2 min]]");
        let own = Rule {
            id: "mine".to_owned(),
            metric: Metric::Memory,
            threshold: 1.5 * 1_073_741_824.0,
            ..rules[2].clone()
        };
        assert_eq!(text(&own), "memory is over [1.5 GB] for [[0 s]]");
    }

    #[test]
    fn a_headline_counts_the_subjects_and_says_when_it_is_over() {
        let rule = built_in().into_iter().find(|rule| rule.id == "phone_away_unsent").unwrap();
        let phone = Firing { subject: "a".to_owned(), since: chrono::DateTime::UNIX_EPOCH, value: None };
        let message = |kind, count| Message {
            rule: rule.id.clone(),
            kind,
            subjects: vec![phone.clone(); count],
            severity: Severity::Warning,
            sinks: Vec::new(),
        };
        let said = |kind, count| headline(&rule, &message(kind, count));
        assert_eq!(said(MessageKind::Firing, 1), "A phone is away with unsent work");
        assert_eq!(said(MessageKind::StillFiring, 3), "Still: 3 phones are away with unsent work");
        assert_eq!(said(MessageKind::Resolved, 3), "Phones with unsent work are back");
    }
}
