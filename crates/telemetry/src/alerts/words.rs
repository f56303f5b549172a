//! What the built-in rules say: as a sentence that can be edited, and as the headline of a message.
//!
//! Rules that people made have the metric's own words.

use super::rule::{Aggregate, Operator, Rule};
use super::tell::{Firing, Message, MessageKind};
use super::things::thing;
use crate::metric::Unit;

/// Subjects that a message names one by one.
const NAMED_MAX: usize = 3;

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

impl Part {
    /// As it is read.
    pub fn into_text(self) -> String {
        match self {
            Self::Words(text) | Self::Limit(text) | Self::Wait(text) => text,
        }
    }
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
        "problem_back",
        "a problem that was solved is back",
        "A problem that was solved is back",
        "{n} problems that were solved are back",
        "What had come back is looked after",
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
        let said: String = sentence(rule).into_iter().map(Part::into_text).collect();
        return match message.kind {
            MessageKind::Resolved => format!("Over: {said}"),
            MessageKind::StillFiring => format!("Still: {said}"),
            MessageKind::Firing => capital(&said),
        };
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

/// The second line of a message: whom or what it is about, and how far it has gone. `name` gives a subject its name;
/// the laptop has none.
pub fn detail(rule: &Rule, message: &Message, name: impl Fn(&Firing) -> Option<String>) -> Option<String> {
    let is_over = message.kind == MessageKind::Resolved;
    let told = |firing: &Firing| {
        let value =
            firing.value.filter(|_| !is_over && rule.metric.unit() != Unit::Flag).map(|value| said(rule, value));
        let nothing = !is_over && firing.value.is_none();
        match (name(firing), value) {
            (Some(name), Some(value)) => Some(format!("{name}: {value}")),
            (Some(name), None) if nothing => Some(format!("{name}: nothing is known")),
            (None, Some(value)) => Some(format!("{value} now, the limit is {}", limit(rule))),
            (None, None) if nothing => Some("Nothing is known about it just now".to_owned()),
            (name, None) => name,
        }
    };
    let mut parts: Vec<String> = message.subjects.iter().take(NAMED_MAX).filter_map(told).collect();
    match message.subjects.len().saturating_sub(NAMED_MAX) {
        0 => {}
        more => parts.push(format!("{more} more")),
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// What the limit of a rule is counted in: the unit in which a person edits it.
pub fn limit_unit(rule: &Rule) -> &'static str {
    match (rule.aggregate, rule.metric.unit()) {
        (Aggregate::Share, _) | (_, Unit::Percent) => "percent",
        (Aggregate::Count | Aggregate::Rate, _) | (_, Unit::Count) => "count",
        (_, Unit::Flag) => "flag",
        (_, Unit::Milliseconds) => "milliseconds",
        (_, Unit::Seconds) => "seconds",
        (_, Unit::Bytes) => "bytes",
    }
}

/// A sentence for a rule that somebody made.
fn own(rule: &Rule) -> String {
    let side = if rule.operator == Operator::Above { "over" } else { "under" };
    let lasting = if rule.wait == 0 { "" } else { " for {wait}" };
    format!("{} is {side} {{limit}}{lasting}", thing(rule))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn limit(rule: &Rule) -> String {
    said(rule, rule.threshold)
}

/// A value of a rule, in the unit of people.
fn said(rule: &Rule, value: f64) -> String {
    match limit_unit(rule) {
        "percent" => format!("{} %", number(value)),
        "milliseconds" => format!("{} ms", number(value)),
        "seconds" => time(value),
        "bytes" => bytes(value),
        _ => number(value),
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
    let (value, unit) = match value {
        value if value >= 1_073_741_824.0 => (value / 1_073_741_824.0, "GB"),
        value if value >= 1_048_576.0 => (value / 1_048_576.0, "MB"),
        value if value >= 1_024.0 => (value / 1_024.0, "KB"),
        value => (value, "bytes"),
    };
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
            // Of this one nothing can be chosen but whether it is told.
            let is_plain = rule.id == "problem_back";
            assert_eq!(text(rule).contains('['), !is_plain, "{}: {}", rule.id, text(rule));
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
        assert_eq!(text(&own), "the memory Showdesk uses is over [1.5 GB]", "at once is not said");
        let said = |kind| headline(&own, &message(&own, kind, &[Some(1.0)]));
        assert_eq!(said(MessageKind::Firing), "The memory Showdesk uses is over 1.5 GB");
        assert_eq!(said(MessageKind::Resolved), "Over: the memory Showdesk uses is over 1.5 GB");
        for (threshold, said) in [(512.0, "512 bytes"), (1_536.0, "1.5 KB"), (3_145_728.0, "3 MB")] {
            let rule = Rule { threshold, wait: 60, ..own.clone() };
            assert_eq!(text(&rule), format!("the memory Showdesk uses is over [{said}] for [[1 min]]"));
        }
    }

    #[test]
    fn a_headline_counts_the_subjects_and_says_when_it_is_over() {
        let rule = built_in().into_iter().find(|rule| rule.id == "phone_away_unsent").unwrap();
        let said = |kind, count| headline(&rule, &message(&rule, kind, &vec![Some(700.0); count]));
        assert_eq!(said(MessageKind::Firing, 1), "A phone is away with unsent work");
        assert_eq!(said(MessageKind::StillFiring, 3), "Still: 3 phones are away with unsent work");
        assert_eq!(said(MessageKind::Resolved, 3), "Phones with unsent work are back");
    }

    fn message(rule: &Rule, kind: MessageKind, values: &[Option<f64>]) -> Message {
        let firing = |(number, value): (usize, &Option<f64>)| Firing {
            subject: number.to_string(),
            since: chrono::DateTime::UNIX_EPOCH,
            value: *value,
        };
        let subjects = values.iter().enumerate().map(firing).collect();
        Message { rule: rule.id.clone(), kind, subjects, severity: Severity::Warning, sinks: Vec::new() }
    }

    #[test]
    fn the_second_line_names_a_few_and_says_how_far_it_has_gone() {
        let rules = built_in();
        let rule = |id: &str| rules.iter().find(|rule| rule.id == id).unwrap();
        let named = |firing: &Firing| Some(format!("Phone {}", firing.subject));
        let away = rule("phone_away_unsent");
        let said = |kind, values: &[Option<f64>]| detail(away, &message(away, kind, values), named).unwrap();
        assert_eq!(said(MessageKind::Firing, &[Some(720.0), Some(7_200.0)]), "Phone 0: 12 min · Phone 1: 2 h");
        assert_eq!(said(MessageKind::Firing, &[None; 5]).matches("nothing is known · ").count(), 3);
        assert!(said(MessageKind::Firing, &[None; 5]).ends_with(" · 2 more"));
        assert_eq!(said(MessageKind::Resolved, &[None]), "Phone 0");
        let alone = |rule: &Rule, value| detail(rule, &message(rule, MessageKind::Firing, &[value]), |_| None);
        assert_eq!(alone(rule("slow_answers"), Some(812.4)).as_deref(), Some("812.4 ms now, the limit is 500 ms"));
        assert_eq!(alone(rule("on_battery"), Some(1.0)), None, "the headline says it all");
        let old = rule("backup_old");
        assert_eq!(alone(old, None).as_deref(), Some("Nothing is known about it just now"));
        assert_eq!(detail(old, &message(old, MessageKind::Resolved, &[None]), |_| None), None);
    }

    #[test]
    fn a_limit_is_edited_in_the_unit_in_which_it_is_said() {
        let rules = built_in();
        let unit = |id: &str| limit_unit(rules.iter().find(|rule| rule.id == id).unwrap());
        let units = ["error_rate", "slow_answers", "clock_skew", "disk_low", "battery_low", "on_battery"].map(unit);
        assert_eq!(units, ["percent", "milliseconds", "seconds", "bytes", "percent", "flag"]);
    }
}
