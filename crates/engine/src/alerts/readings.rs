//! What was measured, as a rule reads it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use showdesk_store::Tx;
use showdesk_store::telemetry::errors;
use showdesk_telemetry::alerts::{Rule, Window};
use showdesk_telemetry::metric::{Kind, Metric, Unit};

use super::round::Readings;
use crate::telemetry::Measured;
use crate::{Engine, Result};

/// Problems that came back, of which people are told.
const BACK_MAX: i64 = 100;

/// Whether a metric is about the show, whichever desk looks, and not about this laptop.
pub(super) fn is_of_show(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::QueueDepth
            | Metric::QueueAge
            | Metric::ConflictsOpen
            | Metric::ConflictAge
            | Metric::PhonesConnected
            | Metric::PhoneUnsent
            | Metric::PhoneAwayUnsent
            | Metric::PhoneLag
            | Metric::ClockSkew
            | Metric::DatabaseBytes
            | Metric::ProblemBack
    )
}

/// Whether all its subjects are read at each look, so that one that is missing is gone.
fn names_all(metric: Metric) -> bool {
    let of_phones =
        matches!(metric, Metric::PhoneUnsent | Metric::PhoneAwayUnsent | Metric::PhoneLag | Metric::ClockSkew);
    of_phones || matches!(metric, Metric::ProviderOpen | Metric::ProblemBack)
}

/// Whether nothing at all is read of what a rule is about, where other things are: a laptop without a battery, copies
/// that nobody makes.
pub(super) fn is_unmeasured(metric: Metric, measured: &BTreeSet<Metric>) -> bool {
    let is_read_with_others = metric.kind() == Kind::Gauge && !names_all(metric);
    is_read_with_others && !measured.is_empty() && !measured.contains(&metric)
}

/// Problems that were solved and came back, by their names.
pub(super) async fn problems_back(tx: &mut Tx) -> Result<Vec<String>> {
    let found = errors::regressed(tx, BACK_MAX).await?;
    Ok(found.into_iter().map(|group| group.fingerprint).collect())
}

impl Engine {
    /// What was read for a rule. `back` are the problems that came back.
    pub(super) fn readings_of(&self, rule: &Rule, back: &[String], now: DateTime<Utc>) -> Readings {
        let alone = |window: Window| BTreeMap::from([(String::new(), window)]);
        let windows = match rule.metric.kind() {
            Kind::Histogram => {
                let requests = self.requests_window(rule.window, &rule.filter);
                alone(Window { counted: requests.count(), requests, last: None })
            }
            Kind::Counter => {
                let counted = self.counted_lately(rule.metric, &rule.filter, rule.window);
                alone(Window { counted, ..Window::default() })
            }
            Kind::Gauge if rule.metric == Metric::ProblemBack => {
                back.iter().map(|name| (name.clone(), Window { last: Some((now, 1.0)), ..Window::default() })).collect()
            }
            Kind::Gauge => gauges(rule, &self.measured()),
        };
        Readings { windows, is_all: names_all(rule.metric) }
    }
}

/// The last values of a gauge, by subject. A reading without labels is the whole; else several of one subject are added
/// up, or the worst of them counts where a sum means nothing.
fn gauges(rule: &Rule, measured: &[Measured]) -> BTreeMap<String, Window> {
    let mut windows: BTreeMap<String, Window> = BTreeMap::new();
    let own = || measured.iter().filter(|one| one.metric == rule.metric);
    let has_whole = rule.filter.is_empty() && own().any(|one| one.labels.is_empty());
    let fits = |one: &&Measured| {
        if has_whole {
            return one.labels.is_empty();
        }
        rule.filter.iter().all(|(name, value)| one.labels.get(name) == Some(value))
    };
    for one in own().filter(fits) {
        let window = windows.entry(one.subject.clone()).or_default();
        let last = match (window.last, rule.metric.unit()) {
            (None, _) => one.value,
            (Some((_, value)), Unit::Count | Unit::Bytes) => value + one.value,
            (Some((_, value)), _) => value.max(one.value),
        };
        window.last = Some((window.last.map_or(one.at, |(at, _)| at.min(one.at)), last));
    }
    windows
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use showdesk_telemetry::alerts::built_in;

    use super::*;

    fn measured(metric: Metric, subject: &str, kind: &str, value: f64) -> Measured {
        let labels = BTreeMap::from([("kind".to_owned(), kind.to_owned())]);
        let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(1);
        Measured { metric, subject: subject.to_owned(), labels: labels.into(), value, at }
    }

    #[test]
    fn several_readings_of_one_subject_are_added_or_the_worst_counts() {
        let rule = built_in().into_iter().find(|rule| rule.id == "conflicts_waiting").expect("a built-in rule");
        let mut all = vec![
            measured(Metric::ConflictAge, "", "update_update", 60.0),
            measured(Metric::ConflictAge, "", "duplicate", 900.0),
            measured(Metric::ConflictsOpen, "", "update_update", 3.0),
            measured(Metric::ConflictsOpen, "", "duplicate", 4.0),
        ];
        let value_in = |all: &[Measured], rule: &Rule| {
            let windows = gauges(rule, all);
            windows.get("").and_then(|window| window.last).map(|(_, value)| value)
        };
        let value = |rule: &Rule| value_in(&all, rule);
        assert_eq!(value(&rule), Some(900.0));
        let open = Rule { metric: Metric::ConflictsOpen, ..rule };
        assert_eq!(value(&open), Some(7.0));
        let filter = BTreeMap::from([("kind".to_owned(), "duplicate".to_owned())]);
        assert_eq!(value(&Rule { filter, ..open.clone() }), Some(4.0));
        assert_eq!(value(&Rule { metric: Metric::DiskFree, ..open.clone() }), None);
        let whole = Measured { labels: BTreeMap::new().into(), value: 7.5, ..all[2].clone() };
        all.push(whole);
        assert_eq!(value_in(&all, &open), Some(7.5), "the whole was read by itself");
    }
}
