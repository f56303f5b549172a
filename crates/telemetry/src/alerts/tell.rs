//! One message for all subjects of a rule: `(told, what fires, now) → (told, message)`.
//!
//! Five phones that go away with their router are one message that names five phones, not five messages.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::evaluate::{Phase, State};
use super::rule::{Rule, Severity, Sink, seconds};

/// How long after a message new subjects of the same rule wait, so that they come together.
pub const GATHER: TimeDelta = TimeDelta::seconds(60);

/// A subject that is in trouble, or of which nothing is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Firing {
    /// A device's id, a provider's name; empty for the laptop itself.
    pub subject: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The last value; None if nothing is known.
    pub value: Option<f64>,
}

impl Firing {
    /// The subject of a state, if there is anything to tell about it.
    ///
    /// While it recovers, the incident is not over yet.
    pub fn of(rule: &Rule, subject: &str, state: &State) -> Option<Self> {
        let since = match state.phase {
            Phase::Firing | Phase::Recovering => state.fired_at,
            Phase::NoData if rule.tell_missing || state.fired_at.is_some() => state.fired_at.or(state.since),
            Phase::NoData | Phase::Normal | Phase::Pending => None,
        };
        since.map(|since| Self { subject: subject.to_owned(), since, value: state.value })
    }
}

/// The moment of telling: by the laptop, and on the show's clock.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now.
    pub now: DateTime<Utc>,
    /// The time of the day at the show.
    pub local: NaiveTime,
}

/// What people know of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    /// The subjects that the last message named; empty when nothing is told or all is well again.
    pub subjects: BTreeSet<String>,
    /// When it was sent.
    pub at: Option<DateTime<Utc>>,
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Trouble, or more subjects in it.
    Firing,
    /// It still lasts.
    StillFiring,
    /// All of it is over.
    Resolved,
}

/// A message to people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The rule.
    pub rule: String,
    /// What it says.
    pub kind: MessageKind,
    /// All that are in trouble now; those that were, if it is over.
    pub subjects: Vec<Firing>,
    /// How bad it is.
    pub severity: Severity,
    /// Where it goes.
    pub sinks: Vec<Sink>,
}

/// What to say now, if anything.
///
/// Silence and quiet hours hold messages back; what still lasts after them is told then, and what began and ended in
/// them is never told.
pub fn tell(rule: &Rule, told: Told, firing: &[Firing], moment: Moment) -> (Told, Option<Message>) {
    // Who switches a rule off does not want to hear of its end, either.
    if !rule.enabled {
        return (Told::default(), None);
    }
    let Some(kind) = kind_of(rule, &told, firing, moment.now) else { return (told, None) };
    if is_hushed(rule, moment) {
        return (told, None);
    }
    let subjects = if kind == MessageKind::Resolved {
        let over = |subject: &String| Firing { subject: subject.clone(), since: moment.now, value: None };
        told.subjects.iter().map(over).collect()
    } else {
        firing.to_vec()
    };
    let message = Message { rule: rule.id.clone(), kind, subjects, severity: rule.severity, sinks: rule.sinks.clone() };
    let subjects = firing.iter().map(|firing| firing.subject.clone()).collect();
    (Told { subjects, at: Some(moment.now) }, Some(message))
}

fn kind_of(rule: &Rule, told: &Told, firing: &[Firing], now: DateTime<Utc>) -> Option<MessageKind> {
    if firing.is_empty() {
        return (!told.subjects.is_empty()).then_some(MessageKind::Resolved);
    }
    // A time in the future is one of a clock that was set back: no reason to wait for it.
    let passed = told.at.map_or(TimeDelta::MAX, |at| if at > now { TimeDelta::MAX } else { now - at });
    let is_known = |firing: &Firing| told.subjects.contains(&firing.subject);
    if told.subjects.is_empty() || (passed >= GATHER && !firing.iter().all(is_known)) {
        return Some(MessageKind::Firing);
    }
    let repeat = rule.repeat.map(seconds);
    repeat.is_some_and(|repeat| passed >= repeat).then_some(MessageKind::StillFiring)
}

/// Whether nobody is told anything of this rule now: it is silenced, or the hours are quiet.
pub fn is_hushed(rule: &Rule, moment: Moment) -> bool {
    let silenced = rule.silenced_until.is_some_and(|until| moment.now < until);
    let quiet = rule.severity < Severity::Critical && rule.quiet_hours.is_some_and(|hours| hours.hold(moment.local));
    silenced || quiet
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::super::rule::QuietHours;
    use super::*;

    const BEGINS: MessageKind = MessageKind::Firing;
    const OVER: MessageKind = MessageKind::Resolved;

    fn rule() -> Rule {
        let rule = built_in().into_iter().find(|rule| rule.id == "phone_away_unsent").unwrap();
        Rule { repeat: Some(600), ..rule }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn moment(second: i64) -> Moment {
        Moment { now: at(second), local: NaiveTime::from_hms_opt(12, 0, 0).unwrap() }
    }

    fn firing(subjects: &[&str]) -> Vec<Firing> {
        let one = |subject: &&str| Firing { subject: (*subject).to_owned(), since: at(0), value: Some(700.0) };
        subjects.iter().map(one).collect()
    }

    /// Plays what fires at which second, and tells what was said and how many subjects it named.
    fn play(rule: &Rule, rounds: &[(i64, &[&str])]) -> Vec<Option<(MessageKind, usize)>> {
        let mut told = Told::default();
        let mut said = Vec::new();
        for (second, subjects) in rounds {
            let (next, message) = tell(rule, told, &firing(subjects), moment(*second));
            told = next;
            said.push(message.map(|message| (message.kind, message.subjects.len())));
        }
        said
    }

    #[test]
    fn phones_that_go_away_together_are_one_message() {
        let said = play(
            &rule(),
            &[(0, &["a"]), (15, &["a", "b"]), (30, &["a", "b", "c"]), (60, &["a", "b", "c"]), (75, &["b"]), (90, &[])],
        );
        assert_eq!(said, [Some((BEGINS, 1)), None, None, Some((BEGINS, 3)), None, Some((OVER, 3))]);
    }

    #[test]
    fn it_is_said_again_while_it_lasts_and_once_that_it_is_over() {
        let said =
            play(&rule(), &[(0, &["a"]), (599, &["a"]), (600, &["a"]), (1_100, &["a"]), (1_110, &[]), (1_120, &[])]);
        assert_eq!(said, [Some((BEGINS, 1)), None, Some((MessageKind::StillFiring, 1)), None, Some((OVER, 1)), None]);
    }

    #[test]
    fn a_rule_that_does_not_repeat_says_it_once() {
        let said = play(&Rule { repeat: None, ..rule() }, &[(0, &["a"]), (100_000, &["a"])]);
        assert_eq!(said, [Some((MessageKind::Firing, 1)), None]);
    }

    #[test]
    fn what_lasts_longer_than_the_silence_is_told_after_it_and_what_ended_in_it_never() {
        let silent = Rule { silenced_until: Some(at(100)), ..rule() };
        assert_eq!(play(&silent, &[(0, &["a"]), (99, &["a"]), (100, &["a"])])[2], Some((MessageKind::Firing, 1)));
        assert_eq!(play(&silent, &[(0, &["a"]), (50, &[]), (200, &[])]), [None; 3]);
        let off = Rule { enabled: false, ..rule() };
        assert_eq!(play(&off, &[(0, &["a"]), (50, &[])]), [None; 2]);
    }

    #[test]
    fn quiet_hours_hold_back_all_but_the_critical() {
        let noon = moment(0).local;
        let quiet_hours = Some(QuietHours { from: noon, until: noon + TimeDelta::hours(1) });
        let quiet = Rule { quiet_hours, ..rule() };
        assert_eq!(play(&quiet, &[(0, &["a"])]), [None]);
        let critical = Rule { severity: Severity::Critical, ..quiet };
        assert_eq!(play(&critical, &[(0, &["a"])]), [Some((MessageKind::Firing, 1))]);
    }

    #[test]
    fn an_incident_is_told_until_it_is_over() {
        let rule = rule();
        let mut state = State { phase: Phase::Recovering, fired_at: Some(at(5)), ..State::default() };
        assert_eq!(Firing::of(&rule, "a", &state).unwrap().since, at(5));
        state.phase = Phase::NoData;
        assert_eq!(Firing::of(&rule, "a", &state).unwrap().since, at(5));
        state = State { phase: Phase::NoData, since: Some(at(7)), ..State::default() };
        assert_eq!(Firing::of(&Rule { tell_missing: false, ..rule.clone() }, "a", &state), None);
        assert_eq!(Firing::of(&Rule { tell_missing: true, ..rule.clone() }, "a", &state).unwrap().since, at(7));
        assert_eq!(Firing::of(&rule, "a", &State { phase: Phase::Pending, ..State::default() }), None);
    }
}
