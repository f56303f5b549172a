//! The rules every desk begins with.

use std::collections::BTreeMap;

use super::rule::{Aggregate, Operator, Rule, Severity, Sink};
use crate::metric::Metric;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const GIB: f64 = 1_073_741_824.0;
const MIB: f64 = 1_048_576.0;

/// All built-in rules, as they are before anybody edits them.
pub fn built_in() -> Vec<Rule> {
    let mut rules = of_the_answers();
    rules.extend(of_phones_and_entries());
    rules.extend(of_messages_and_copies());
    rules.extend(of_the_laptop());
    rules
}

/// A gauge that is too high at once, said again each hour.
fn gauge(id: &str, metric: Metric, threshold: f64, recovery: f64) -> Rule {
    Rule {
        id: id.to_owned(),
        metric,
        filter: BTreeMap::new(),
        window: 2 * MINUTE,
        aggregate: Aggregate::Last,
        operator: Operator::Above,
        threshold,
        recovery,
        wait: 0,
        keep: 0,
        repeat: Some(HOUR),
        samples_min: 1,
        missing_after: 10 * MINUTE,
        tell_missing: false,
        severity: Severity::Warning,
        quiet_hours: None,
        sinks: vec![Sink::Desktop, Sink::Stream],
        silenced_until: None,
        enabled: true,
    }
}

/// Requests of five minutes, judged when there are enough of them.
fn requests(id: &str, aggregate: Aggregate, threshold: f64, recovery: f64) -> Rule {
    Rule {
        window: 5 * MINUTE,
        aggregate,
        keep: 5 * MINUTE,
        samples_min: 20,
        ..gauge(id, Metric::Requests, threshold, recovery)
    }
}

fn of_the_answers() -> Vec<Rule> {
    vec![
        Rule { wait: 2 * MINUTE, ..requests("error_rate", Aggregate::Share, 5.0, 2.0) },
        Rule { wait: 5 * MINUTE, ..requests("slow_answers", Aggregate::P95, 500.0, 400.0) },
    ]
}

fn of_phones_and_entries() -> Vec<Rule> {
    let ten_minutes = f64::from(10 * MINUTE);
    vec![
        // Its own seconds are the waiting: it fires at 10 minutes and is over as soon as the phone is there again.
        gauge("phone_away_unsent", Metric::PhoneAwayUnsent, ten_minutes, 45.0),
        Rule {
            wait: MINUTE,
            keep: MINUTE,
            severity: Severity::Critical,
            ..gauge("queue_age", Metric::QueueAge, 120.0, 30.0)
        },
        gauge("conflicts_waiting", Metric::ConflictAge, f64::from(30 * MINUTE), f64::from(25 * MINUTE)),
        Rule { wait: MINUTE, keep: MINUTE, ..gauge("clock_skew", Metric::ClockSkew, 120.0, 60.0) },
    ]
}

fn of_messages_and_copies() -> Vec<Rule> {
    let half_hour = f64::from(30 * MINUTE);
    vec![
        // The desktop hears of it by the message that the desk sends about its providers.
        Rule {
            wait: MINUTE,
            keep: MINUTE,
            sinks: vec![Sink::Stream],
            ..gauge("provider_open", Metric::ProviderOpen, 0.5, 0.5)
        },
        Rule { missing_after: 30 * MINUTE, ..gauge("backup_old", Metric::BackupAge, half_hour, half_hour) },
        Rule { wait: 5 * MINUTE, ..gauge("stick_missing", Metric::BackupStickMissing, 0.5, 0.5) },
    ]
}

fn of_the_laptop() -> Vec<Rule> {
    vec![
        Rule {
            operator: Operator::Below,
            keep: MINUTE,
            severity: Severity::Critical,
            ..gauge("disk_low", Metric::DiskFree, 2.0 * GIB, 3.0 * GIB)
        },
        Rule { wait: 5 * MINUTE, ..gauge("wal_large", Metric::WalBytes, 256.0 * MIB, 64.0 * MIB) },
        Rule { wait: 2 * MINUTE, repeat: None, ..gauge("on_battery", Metric::OnBattery, 0.5, 0.5) },
        Rule {
            operator: Operator::Below,
            severity: Severity::Critical,
            repeat: Some(15 * MINUTE),
            ..gauge("battery_low", Metric::Battery, 20.0, 30.0)
        },
        Rule { repeat: None, keep: 10 * MINUTE, ..gauge("was_down", Metric::Downtime, f64::from(MINUTE), 0.0) },
        Rule { repeat: None, ..gauge("problem_back", Metric::ProblemBack, 0.5, 0.5) },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_built_in_rule_can_be_followed_and_has_its_own_name() {
        let rules = built_in();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids.len(), rules.len());
        for rule in &rules {
            assert_eq!(rule.check(), Ok(()), "{}", rule.id);
            assert!(!rule.sinks.contains(&Sink::Push), "{}: works without internet", rule.id);
        }
    }
}
