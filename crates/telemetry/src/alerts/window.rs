//! What was measured in a rule's window, and the one reading made of it.

use chrono::{DateTime, Utc};

use super::evaluate::Reading;
use super::rule::{Aggregate, Rule, seconds};
use crate::histogram::as_f64;
use crate::rollup::Rollup;

/// Measurements of the last while, for one rule and one subject.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// Requests, added up; their durations are microseconds.
    pub requests: Rollup,
    /// What was counted.
    pub counted: u64,
    /// The last value of a gauge, and when it was taken.
    pub last: Option<(DateTime<Utc>, f64)>,
}

impl Window {
    /// The reading. A gauge that was last taken before the window is missing; a count of nothing is 0.
    pub fn read(&self, rule: &Rule, now: DateTime<Utc>) -> Reading {
        let count = self.requests.count();
        let quantile = |share| self.requests.quantile_ms(share);
        let minutes = f64::from(rule.window) / 60.0;
        let value = match rule.aggregate {
            Aggregate::Last => {
                let fresh = self.last.filter(|(at, _)| now - *at <= seconds(rule.window));
                return fresh.map_or(Reading::Missing, |(_, value)| Reading::Value(value));
            }
            Aggregate::Count => return Reading::Value(as_f64(self.counted)),
            Aggregate::Rate => return Reading::Value(as_f64(self.counted) / minutes),
            Aggregate::P50 => quantile(0.50),
            Aggregate::P95 => quantile(0.95),
            Aggregate::P99 => quantile(0.99),
            Aggregate::Share => (count > 0).then(|| 100.0 * as_f64(self.requests.errors) / as_f64(count)),
        };
        match value {
            Some(value) if count >= rule.samples_min => Reading::Value(value),
            // Nobody waits for an answer that nobody asked for.
            _ => Reading::TooFew,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::built_in;
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn rule(aggregate: Aggregate) -> Rule {
        let rule = built_in().into_iter().find(|rule| rule.id == "slow_answers").unwrap();
        Rule { aggregate, samples_min: 20, window: 300, ..rule }
    }

    #[test]
    fn requests_are_judged_when_there_are_enough() {
        let mut window = Window::default();
        for _ in 0..19 {
            window.requests.histogram.record(600_000, 1);
        }
        window.requests.errors = 2;
        assert_eq!(window.read(&rule(Aggregate::P95), now()), Reading::TooFew);
        window.requests.histogram.record(600_000, 1);
        assert_eq!(window.read(&rule(Aggregate::P95), now()), Reading::Value(600.0));
        assert_eq!(window.read(&rule(Aggregate::Share), now()), Reading::Value(10.0));
    }

    #[test]
    fn a_gauge_is_as_old_as_the_window_at_most() {
        let mut window = Window::default();
        assert_eq!(window.read(&rule(Aggregate::Last), now()), Reading::Missing);
        window.last = Some((now() - TimeDelta::seconds(300), 7.0));
        assert_eq!(window.read(&rule(Aggregate::Last), now()), Reading::Value(7.0));
        assert_eq!(window.read(&rule(Aggregate::Last), now() + TimeDelta::seconds(1)), Reading::Missing);
    }

    #[test]
    fn nothing_counted_is_a_count() {
        let window = Window { counted: 10, ..Window::default() };
        assert_eq!(window.read(&rule(Aggregate::Rate), now()), Reading::Value(2.0));
        assert_eq!(Window::default().read(&rule(Aggregate::Count), now()), Reading::Value(0.0));
    }
}
