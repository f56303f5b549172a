//! One rule for one subject: `(state, reading, now) → (state, events)`.
//!
//! ```text
//! Normal → Pending → Firing → Recovering → Normal      any → NoData → as before, or Normal
//! ```
//! Between the two limits nothing changes. Trouble while recovering is the same incident again, and so is trouble
//! after a time in which nothing was known: a new incident always begins at Normal.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::rule::{Rule, seconds};

/// What was read at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// A value.
    Value(f64),
    /// Too little was measured to complain of: as good as well.
    TooFew,
    /// Nothing came.
    Missing,
}

/// Where a rule stands for one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// All is well.
    #[default]
    Normal,
    /// Trouble, but not for long enough.
    Pending,
    /// Trouble.
    Firing,
    /// Well again, but not for long enough.
    Recovering,
    /// No reading came for a while.
    NoData,
}

/// What is kept from reading to reading.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// Where the rule stands.
    pub phase: Phase,
    /// Since when it has stood there; while it is recovering, since when all was well.
    pub since: Option<DateTime<Utc>>,
    /// When the incident began that is not over yet.
    pub fired_at: Option<DateTime<Utc>>,
    /// When the last reading came.
    pub read_at: Option<DateTime<Utc>>,
    /// What it was.
    pub value: Option<f64>,
}

/// Something to note down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: DateTime<Utc>,
    /// The value it happened at.
    pub value: Option<f64>,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An incident begins.
    Fired,
    /// It is over.
    Resolved,
    /// Nothing is known any more.
    DataMissing,
    /// It is known again.
    DataBack,
}

/// What a reading says about a rule.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Trouble,
    Between,
    Well,
}

/// Follows a rule by one reading.
pub fn evaluate(rule: &Rule, state: State, reading: Reading, now: DateTime<Utc>) -> (State, Vec<Event>) {
    let mut next = Step { rule, state, now, events: Vec::new() };
    match reading {
        Reading::Missing => next.miss(),
        Reading::TooFew => next.read(None, Verdict::Well),
        Reading::Value(value) if !value.is_finite() => next.miss(),
        Reading::Value(value) => {
            let verdict = if rule.is_trouble(value) {
                Verdict::Trouble
            } else if rule.is_well(value) {
                Verdict::Well
            } else {
                Verdict::Between
            };
            next.read(Some(value), verdict);
        }
    }
    (next.state, next.events)
}

struct Step<'a> {
    rule: &'a Rule,
    state: State,
    now: DateTime<Utc>,
    events: Vec<Event>,
}

impl Step<'_> {
    fn miss(&mut self) {
        let read_at = *self.state.read_at.get_or_insert(self.now);
        // A clock that was set back must not keep a rule waiting for the future.
        if read_at > self.now {
            self.state.read_at = Some(self.now);
        }
        if self.state.phase != Phase::NoData && self.now - read_at >= seconds(self.rule.missing_after) {
            self.state.value = None;
            self.enter(Phase::NoData);
            self.note(EventKind::DataMissing);
        }
    }

    fn read(&mut self, value: Option<f64>, verdict: Verdict) {
        self.state.value = value;
        self.state.read_at = Some(self.now);
        if self.state.phase == Phase::NoData {
            self.note(EventKind::DataBack);
            self.enter(if self.state.fired_at.is_some() { Phase::Firing } else { Phase::Normal });
        }
        match (self.state.phase, verdict) {
            (Phase::Normal, Verdict::Trouble) => {
                self.enter(Phase::Pending);
                self.fire_when_due();
            }
            (Phase::Pending, Verdict::Trouble) => self.fire_when_due(),
            (Phase::Pending, Verdict::Between | Verdict::Well) => self.enter(Phase::Normal),
            (Phase::Firing, Verdict::Well) => {
                self.enter(Phase::Recovering);
                self.resolve_when_due();
            }
            (Phase::Recovering, Verdict::Well) => self.resolve_when_due(),
            (Phase::Recovering, Verdict::Trouble) => self.enter(Phase::Firing),
            // Neither well nor trouble: being well has to begin anew.
            (Phase::Recovering, Verdict::Between) => self.state.since = Some(self.now),
            (Phase::Normal, Verdict::Between | Verdict::Well)
            | (Phase::Firing, Verdict::Trouble | Verdict::Between)
            | (Phase::NoData, _) => {}
        }
    }

    fn fire_when_due(&mut self) {
        if self.has_stood(self.rule.wait) {
            self.state.fired_at = Some(self.now);
            self.enter(Phase::Firing);
            self.note(EventKind::Fired);
        }
    }

    fn resolve_when_due(&mut self) {
        if self.has_stood(self.rule.keep) {
            self.state.fired_at = None;
            self.enter(Phase::Normal);
            self.note(EventKind::Resolved);
        }
    }

    fn has_stood(&mut self, for_seconds: u32) -> bool {
        let since = self.state.since.filter(|since| *since <= self.now).unwrap_or(self.now);
        self.state.since = Some(since);
        self.now - since >= seconds(for_seconds)
    }

    fn enter(&mut self, phase: Phase) {
        self.state.phase = phase;
        self.state.since = Some(self.now);
    }

    fn note(&mut self, kind: EventKind) {
        self.events.push(Event { kind, at: self.now, value: self.state.value });
    }
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    /// Trouble above 500, well at 400; 60 s until it fires, 120 s until it is over; unknown after 90 s.
    fn rule() -> Rule {
        let rule = built_in().into_iter().find(|rule| rule.id == "slow_answers").unwrap();
        Rule { threshold: 500.0, recovery: 400.0, wait: 60, keep: 120, missing_after: 90, ..rule }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    /// Plays readings, and tells after each where the rule stands and what happened.
    fn play(rule: &Rule, readings: &[(i64, Reading)]) -> Vec<(Phase, Vec<EventKind>)> {
        let mut state = State::default();
        let mut seen = Vec::new();
        for (second, reading) in readings {
            let (next, events) = evaluate(rule, state, *reading, at(*second));
            state = next;
            seen.push((state.phase, events.iter().map(|event| event.kind).collect()));
        }
        seen
    }

    const HIGH: Reading = Reading::Value(600.0);
    const BETWEEN: Reading = Reading::Value(450.0);
    const LOW: Reading = Reading::Value(100.0);

    #[test]
    fn trouble_that_lasts_fires_and_is_over_when_it_was_well_for_long_enough() {
        let played = play(
            &rule(),
            &[(0, LOW), (10, HIGH), (69, HIGH), (70, HIGH), (80, BETWEEN), (90, LOW), (209, LOW), (210, LOW)],
        );
        let expected = [
            (Phase::Normal, vec![]),
            (Phase::Pending, vec![]),
            (Phase::Pending, vec![]),
            (Phase::Firing, vec![EventKind::Fired]),
            (Phase::Firing, vec![]),
            (Phase::Recovering, vec![]),
            (Phase::Recovering, vec![]),
            (Phase::Normal, vec![EventKind::Resolved]),
        ];
        assert_eq!(played, expected);
    }

    #[test]
    fn short_trouble_is_not_told() {
        let played = play(&rule(), &[(0, HIGH), (50, BETWEEN), (60, HIGH), (110, HIGH)]);
        assert!(played.iter().all(|(_, events)| events.is_empty()));
        assert_eq!(played[3].0, Phase::Pending);
    }

    #[test]
    fn trouble_while_recovering_is_the_same_incident() {
        let played = play(
            &rule(),
            &[(0, HIGH), (60, HIGH), (70, LOW), (100, HIGH), (110, LOW), (150, BETWEEN), (240, LOW), (270, LOW)],
        );
        let phases: Vec<_> = played.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(phases[2..6], [Phase::Recovering, Phase::Firing, Phase::Recovering, Phase::Recovering]);
        assert_eq!(played[6], (Phase::Recovering, vec![]), "being between had to begin anew");
        assert_eq!(played[7], (Phase::Normal, vec![EventKind::Resolved]));
    }

    #[test]
    fn no_reading_for_long_is_no_data_and_the_incident_goes_on_after_it() {
        let missing = Reading::Missing;
        let played =
            play(&rule(), &[(0, HIGH), (60, HIGH), (149, missing), (150, missing), (200, missing), (210, HIGH)]);
        let expected = [
            (Phase::Firing, vec![EventKind::Fired]),
            (Phase::Firing, vec![]),
            (Phase::NoData, vec![EventKind::DataMissing]),
            (Phase::NoData, vec![]),
            (Phase::Firing, vec![EventKind::DataBack]),
        ];
        assert_eq!(played[1..], expected);
    }

    #[test]
    fn a_rule_that_never_read_anything_says_so() {
        let missing = Reading::Missing;
        let played = play(&rule(), &[(0, missing), (89, missing), (90, missing), (91, LOW)]);
        assert_eq!(played[2], (Phase::NoData, vec![EventKind::DataMissing]));
        assert_eq!(played[3], (Phase::Normal, vec![EventKind::DataBack]));
    }

    #[test]
    fn a_clock_that_is_set_back_neither_fires_nor_sticks() {
        let played = play(&rule(), &[(1_000, HIGH), (0, HIGH), (59, HIGH), (60, HIGH)]);
        let phases: Vec<_> = played.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(phases, [Phase::Pending, Phase::Pending, Phase::Pending, Phase::Firing]);
    }

    #[test]
    fn a_rule_without_waiting_fires_at_once() {
        let rule = Rule { wait: 0, keep: 0, ..rule() };
        let played = play(&rule, &[(0, HIGH), (1, LOW)]);
        assert_eq!(played, [(Phase::Firing, vec![EventKind::Fired]), (Phase::Normal, vec![EventKind::Resolved])]);
    }

    #[test]
    fn a_value_that_is_no_number_is_missing() {
        let played = play(&rule(), &[(0, LOW), (95, Reading::Value(f64::NAN))]);
        assert_eq!(played[1].0, Phase::NoData);
    }
}
