//! A rule as data: what is measured, when that is too much, and who hears of it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::metric::{Kind, Metric};

/// A reading looks back no further: what is older is not in memory.
const WINDOW_SECONDS_MAX: u32 = 3_600;

/// Labels that one filter names.
const FILTER_MAX: usize = 8;

/// Characters of a label's name or value.
const LABEL_CHARS_MAX: usize = 120;

/// Longer times in a rule are a mistake.
const SECONDS_MAX: u32 = 7 * 24 * 3_600;

/// A repeat interval below this would be noise.
const REPEAT_SECONDS_MIN: u32 = 60;

/// What one reading is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Half of all were at most this.
    P50,
    /// 95 of a hundred were at most this.
    P95,
    /// 99 of a hundred were at most this.
    P99,
    /// How many a minute.
    Rate,
    /// How many of a hundred failed.
    Share,
    /// How many.
    Count,
    /// The last value.
    Last,
}

impl Aggregate {
    /// Whether such a reading can be made of it.
    fn is_of(self, metric: Metric) -> bool {
        match metric.kind() {
            Kind::Histogram => self != Self::Last,
            Kind::Counter => matches!(self, Self::Count | Self::Rate),
            Kind::Gauge => self == Self::Last,
        }
    }
}

/// Which side of the threshold is trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// More than the threshold is trouble.
    Above,
    /// Less than the threshold is trouble.
    Below,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Somebody should look.
    Warning,
    /// Entries may be lost: told in quiet hours, too.
    Critical,
}

/// A way to the people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sink {
    /// A message of the laptop's desktop.
    Desktop,
    /// The open desks of admins.
    Stream,
    /// The phones of admins, by a provider.
    Push,
    /// An address that somebody set.
    Webhook,
}

/// Times of the day, by the show's clock, in which only critical messages are sent. They may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// The first quiet moment.
    #[serde(with = "clock")]
    pub from: NaiveTime,
    /// The first loud one.
    #[serde(with = "clock")]
    pub until: NaiveTime,
}

/// A time of the day as people write it: `22:00`.
mod clock {
    use chrono::NaiveTime;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    const FORM: &str = "%H:%M";

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format(FORM))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, FORM).map_err(|_| D::Error::custom("a time of the day looks like 22:00"))
    }
}

impl QuietHours {
    /// Whether a time of the day is quiet.
    pub fn hold(&self, time: NaiveTime) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            time >= self.from || time < self.until
        }
    }
}

/// When to tell whom of what. Times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, stable: `slow_answers`. A built-in rule keeps it when it is edited.
    pub id: String,
    /// What is measured.
    pub metric: Metric,
    /// Only measurements with these labels.
    pub filter: BTreeMap<String, String>,
    /// How far back one reading looks.
    pub window: u32,
    /// What the reading is.
    pub aggregate: Aggregate,
    /// Which side is trouble.
    pub operator: Operator,
    /// Beyond this it is trouble.
    pub threshold: f64,
    /// From here on all is well again; on the good side of the threshold, or equal to it.
    pub recovery: f64,
    /// How long it must be trouble before somebody is told.
    pub wait: u32,
    /// How long it must be well before it is over.
    pub keep: u32,
    /// How often people are told again while it lasts; None tells once.
    pub repeat: Option<u32>,
    /// With fewer measurements in the window there is nothing to complain of.
    pub samples_min: u64,
    /// Without any reading for so long, nothing is known.
    pub missing_after: u32,
    /// Whether not knowing is told like trouble.
    pub tell_missing: bool,
    /// How bad it is.
    pub severity: Severity,
    /// When it is not told unless it is critical.
    pub quiet_hours: Option<QuietHours>,
    /// Who hears of it.
    pub sinks: Vec<Sink>,
    /// Until then nobody does.
    pub silenced_until: Option<DateTime<Utc>>,
    /// Whether it is looked at.
    pub enabled: bool,
}

/// Why a rule is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// Its name is empty, too long, or of other signs than small letters, digits and `_`.
    #[error("the rule's name is not of small letters, digits and _")]
    Id,
    /// A threshold is no number.
    #[error("the limit must be a number")]
    NotANumber,
    /// All would be well on the wrong side.
    #[error("the value at which all is well again lies beyond the limit")]
    Recovery,
    /// A time is too long, or there is no window.
    #[error("a time must be between a second and seven days")]
    Time,
    /// It looks further back than anything is kept for it.
    #[error("at most the last hour can be looked at")]
    Window,
    /// What is measured has no such reading.
    #[error("this cannot be said of what is measured")]
    Aggregate,
    /// Too many labels, or too long ones.
    #[error("it is about too many things at once")]
    Filter,
    /// Repeating so often would be noise.
    #[error("it cannot be said again more than once a minute")]
    Repeat,
    /// Nobody would hear of it.
    #[error("nobody would hear of it: choose where it is said")]
    NoSink,
    /// Trouble with push cannot be told by push alone.
    #[error("trouble with messages to phones must be said on the laptop, too")]
    OnlyPush,
}

impl Rule {
    /// Whether it can be followed.
    pub fn check(&self) -> Result<(), BadRule> {
        let sign_ok = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(sign_ok) {
            return Err(BadRule::Id);
        }
        if !self.threshold.is_finite() || !self.recovery.is_finite() {
            return Err(BadRule::NotANumber);
        }
        let good_side = match self.operator {
            Operator::Above => self.recovery <= self.threshold,
            Operator::Below => self.recovery >= self.threshold,
        };
        if !good_side {
            return Err(BadRule::Recovery);
        }
        if self.window == 0
            || self.missing_after == 0
            || [self.window, self.wait, self.keep, self.missing_after].iter().any(|time| *time > SECONDS_MAX)
        {
            return Err(BadRule::Time);
        }
        if self.window > WINDOW_SECONDS_MAX {
            return Err(BadRule::Window);
        }
        if !self.aggregate.is_of(self.metric) {
            return Err(BadRule::Aggregate);
        }
        let is_long = |text: &String| text.chars().count() > LABEL_CHARS_MAX;
        if self.filter.len() > FILTER_MAX || self.filter.iter().any(|(name, value)| is_long(name) || is_long(value)) {
            return Err(BadRule::Filter);
        }
        if self.repeat.is_some_and(|repeat| !(REPEAT_SECONDS_MIN..=SECONDS_MAX).contains(&repeat)) {
            return Err(BadRule::Repeat);
        }
        if self.sinks.is_empty() {
            return Err(BadRule::NoSink);
        }
        let about_push = matches!(self.metric, Metric::ProviderOpen | Metric::Deliveries);
        if about_push && !self.sinks.iter().any(|sink| matches!(sink, Sink::Desktop | Sink::Stream)) {
            return Err(BadRule::OnlyPush);
        }
        Ok(())
    }

    /// Whether a value is trouble.
    pub fn is_trouble(&self, value: f64) -> bool {
        match self.operator {
            Operator::Above => value > self.threshold,
            Operator::Below => value < self.threshold,
        }
    }

    /// Whether a value says that all is well. Between the two limits it says neither.
    pub fn is_well(&self, value: f64) -> bool {
        match self.operator {
            Operator::Above => value <= self.recovery,
            Operator::Below => value >= self.recovery,
        }
    }
}

/// Seconds of a rule as a length of time.
pub(super) fn seconds(count: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(count))
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    fn rule() -> Rule {
        built_in().into_iter().find(|rule| rule.id == "slow_answers").unwrap()
    }

    #[test]
    fn a_rule_that_cannot_be_followed_is_refused() {
        type Spoil = fn(&mut Rule);
        let table: [(Spoil, BadRule); 13] = [
            (|rule| rule.id = "Slow answers".to_owned(), BadRule::Id),
            (|rule| rule.threshold = f64::NAN, BadRule::NotANumber),
            (|rule| rule.recovery = rule.threshold + 1.0, BadRule::Recovery),
            (|rule| rule.operator = Operator::Below, BadRule::Recovery),
            (|rule| rule.window = 0, BadRule::Time),
            (|rule| rule.wait = SECONDS_MAX + 1, BadRule::Time),
            (|rule| rule.window = WINDOW_SECONDS_MAX + 1, BadRule::Window),
            (|rule| rule.aggregate = Aggregate::Last, BadRule::Aggregate),
            (|rule| rule.metric = Metric::DiskFree, BadRule::Aggregate),
            (|rule| rule.filter = [("task".to_owned(), "x".repeat(200))].into(), BadRule::Filter),
            (|rule| rule.repeat = Some(10), BadRule::Repeat),
            (|rule| rule.sinks.clear(), BadRule::NoSink),
            (
                |rule| {
                    (rule.metric, rule.aggregate) = (Metric::ProviderOpen, Aggregate::Last);
                    rule.sinks = vec![Sink::Push, Sink::Webhook];
                },
                BadRule::OnlyPush,
            ),
        ];
        for (spoil, expected) in table {
            let mut rule = rule();
            spoil(&mut rule);
            assert_eq!(rule.check(), Err(expected));
        }
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let night = QuietHours { from: time(22), until: time(6) };
        let noon = QuietHours { from: time(12), until: time(13) };
        let quiet = |hours: QuietHours| (0..24).filter(|hour| hours.hold(time(*hour))).collect::<Vec<_>>();
        assert_eq!(quiet(night), [0, 1, 2, 3, 4, 5, 22, 23]);
        assert_eq!(quiet(noon), [12]);
    }

    #[test]
    fn a_rule_is_stored_as_it_is() {
        let text = serde_json::to_string(&rule()).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule());
        assert!(serde_json::from_str::<Rule>(&text.replace("\"keep\"", "\"keeps\"")).is_err());
        let hours = r#"{"from":"22:00","until":"06:30"}"#;
        let read: QuietHours = serde_json::from_str(hours).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), hours);
        assert!(serde_json::from_str::<QuietHours>(&hours.replace("22:00", "25:00")).is_err());
    }
}
