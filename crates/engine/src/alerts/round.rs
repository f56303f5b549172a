//! One look at one rule: readings in, states and messages out. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use showdesk_domain::ids::DeviceId;
use showdesk_store::telemetry::alerts::StateRow;
use showdesk_telemetry::alerts::{
    EventKind, Firing, Message, MessageKind, Moment, Phase, Reading, Rule, State, Told, Window, evaluate, is_hushed,
    tell,
};

/// Subjects of one rule that are followed; the desk has room for fewer phones.
const SUBJECTS_MAX: usize = 2_000;

/// What was read for one rule.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// By subject.
    pub(super) windows: BTreeMap<String, Window>,
    /// Whether a subject that is not among them is gone, and with it its trouble.
    pub(super) is_all: bool,
}

/// Where a rule stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Stand {
    /// By subject.
    pub(super) states: BTreeMap<String, State>,
    /// What people know.
    pub(super) told: Told,
}

/// Something to be said, or to be noted because nobody may be told.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) message: Message,
    pub(super) quiet: bool,
}

/// What a look came to.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) stand: Stand,
    /// Whether anything but values is new.
    pub(super) has_changed: bool,
    pub(super) messages: Vec<Said>,
}

impl Stand {
    /// As stored. What cannot be read is as good as nothing: the rule begins anew.
    pub(super) fn of_row(row: &StateRow) -> Self {
        Self {
            states: serde_json::from_value(row.states.clone()).unwrap_or_default(),
            told: serde_json::from_value(row.told.clone()).unwrap_or_default(),
        }
    }

    /// As it is stored: of what stands well there is nothing to keep.
    pub(super) fn to_row(&self, desk: DeviceId, rule: &str) -> StateRow {
        let worth: BTreeMap<&String, &State> =
            self.states.iter().filter(|(_, state)| state.phase != Phase::Normal).collect();
        StateRow { desk, rule_id: rule.to_owned(), states: json!(worth), told: json!(self.told) }
    }

    /// Whether both are the same but for the last values.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.told == other.told && self.worth().eq(other.worth())
    }

    /// Nothing was missed before now.
    pub(super) fn read_now(mut self, now: DateTime<Utc>) -> Self {
        self.states.values_mut().for_each(|state| state.read_at = Some(now));
        self
    }

    fn worth(&self) -> impl Iterator<Item = (&String, Phase, Option<i64>, Option<i64>)> {
        // To the millisecond: that is what is stored.
        let ms = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_millis());
        let worth = self.states.iter().filter(|(_, state)| state.phase != Phase::Normal);
        worth.map(move |(subject, state)| (subject, state.phase, ms(state.since), ms(state.fired_at)))
    }

    /// The most serious phase of all subjects.
    pub(super) fn phase(&self) -> Phase {
        let rank = |phase: &Phase| match phase {
            Phase::Normal => 0,
            Phase::NoData => 1,
            Phase::Pending => 2,
            Phase::Recovering => 3,
            Phase::Firing => 4,
        };
        self.states.values().map(|state| state.phase).max_by_key(rank).unwrap_or_default()
    }

    /// What is in trouble.
    pub(super) fn firing(&self, rule: &Rule) -> Vec<Firing> {
        self.states.iter().filter_map(|(subject, state)| Firing::of(rule, subject, state)).collect()
    }
}

/// Follows a rule by one look.
pub(super) fn follow(rule: &Rule, before: &Stand, readings: &Readings, moment: Moment) -> Followed {
    if !rule.enabled {
        let has_changed = !before.is_same(&Stand::default());
        return Followed { stand: Stand::default(), has_changed, messages: Vec::new() };
    }
    let mut states = BTreeMap::new();
    let mut noted = Vec::new();
    for subject in before.states.keys().chain(readings.windows.keys()).take(SUBJECTS_MAX) {
        if states.contains_key(subject) {
            continue;
        }
        let reading = match readings.windows.get(subject) {
            Some(window) => window.read(rule, moment.now),
            // What is gone has no trouble any more.
            None if readings.is_all => Reading::TooFew,
            None => Reading::Missing,
        };
        let state = before.states.get(subject).copied().unwrap_or_default();
        let (state, events) = evaluate(rule, state, reading, moment.now);
        noted.extend(events.into_iter().map(|event| (subject.clone(), event)));
        // A subject that is gone and well is forgotten.
        if readings.windows.contains_key(subject) || state.phase != Phase::Normal {
            states.insert(subject.clone(), state);
        }
    }
    let mut stand = Stand { states, told: Told::default() };
    let firing = stand.firing(rule);
    let (told, message) = tell(rule, before.told.clone(), &firing, moment);
    stand.told = told;
    let mut messages: Vec<Said> = message.into_iter().map(|message| Said { message, quiet: false }).collect();
    if messages.is_empty() && is_hushed(rule, moment) {
        messages.extend(in_silence(rule, &noted).map(|message| Said { message, quiet: true }));
    }
    let has_changed = !stand.is_same(before);
    Followed { stand, has_changed, messages }
}

/// What would have been said if anybody might be told.
fn in_silence<'a>(
    rule: &'a Rule,
    noted: &'a [(String, showdesk_telemetry::alerts::Event)],
) -> impl Iterator<Item = Message> + 'a {
    [(EventKind::Fired, MessageKind::Firing), (EventKind::Resolved, MessageKind::Resolved)].into_iter().filter_map(
        move |(event, kind)| {
            let own = noted.iter().filter(|(_, noted)| noted.kind == event);
            let subjects: Vec<Firing> = own
                .map(|(subject, noted)| Firing { subject: subject.clone(), since: noted.at, value: noted.value })
                .collect();
            (!subjects.is_empty()).then(|| Message {
                rule: rule.id.clone(),
                kind,
                subjects,
                severity: rule.severity,
                sinks: Vec::new(),
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveTime, TimeDelta};
    use showdesk_telemetry::alerts::built_in;

    use super::*;

    fn rule(id: &str) -> Rule {
        built_in().into_iter().find(|rule| rule.id == id).expect("a built-in rule")
    }

    fn moment(seconds: i64) -> Moment {
        let now = DateTime::from_timestamp(1_790_000_000 + seconds, 0).expect("a moment");
        Moment { now, local: NaiveTime::from_hms_opt(12, 0, 0).expect("noon") }
    }

    fn read(at: Moment, values: &[(&str, f64)], is_all: bool) -> Readings {
        let window = |value: f64| Window { last: Some((at.now, value)), ..Window::default() };
        Readings { windows: values.iter().map(|(name, value)| ((*name).to_owned(), window(*value))).collect(), is_all }
    }

    fn kinds(followed: &Followed) -> Vec<(MessageKind, usize, bool)> {
        followed.messages.iter().map(|said| (said.message.kind, said.message.subjects.len(), said.quiet)).collect()
    }

    #[test]
    fn a_phone_that_goes_away_and_comes_back_is_told_once_each_also_across_a_restart() {
        let rule = rule("phone_away_unsent");
        let first = follow(&rule, &Stand::default(), &read(moment(0), &[("a", 300.0), ("b", 0.0)], true), moment(0));
        assert!(kinds(&first).is_empty() && !first.has_changed);
        let away = follow(&rule, &first.stand, &read(moment(10), &[("a", 610.0), ("b", 0.0)], true), moment(10));
        assert_eq!(kinds(&away), [(MessageKind::Firing, 1, false)]);
        assert!(away.has_changed);
        let kept = Stand::of_row(&away.stand.to_row(NO_DESK, &rule.id));
        assert!(kept.is_same(&away.stand), "what is stored says the same");
        let after = follow(&rule, &kept.read_now(moment(20).now), &read(moment(20), &[("a", 620.0)], true), moment(20));
        assert!(kinds(&after).is_empty() && !after.has_changed, "only a value is new");
        assert_eq!(after.stand.phase(), Phase::Firing);
        let back = follow(&rule, &after.stand, &read(moment(30), &[("a", 0.0)], true), moment(30));
        assert_eq!(kinds(&back), [(MessageKind::Resolved, 1, false)]);
        let quiet = follow(&rule, &back.stand, &read(moment(40), &[("a", 0.0)], true), moment(40));
        assert!(kinds(&quiet).is_empty() && !quiet.has_changed);
    }

    #[test]
    fn a_phone_that_was_removed_has_no_trouble_any_more_and_a_laptop_that_tells_nothing_may() {
        let away = rule("phone_away_unsent");
        let fired = follow(&away, &Stand::default(), &read(moment(0), &[("a", 700.0)], true), moment(0));
        let gone = follow(&away, &fired.stand, &read(moment(60), &[], true), moment(60));
        assert_eq!(kinds(&gone), [(MessageKind::Resolved, 1, false)]);
        assert!(gone.stand.states.is_empty(), "it is forgotten");
        let disk = Rule { missing_after: 30, ..rule("disk_low") };
        let fired = follow(&disk, &Stand::default(), &read(moment(0), &[("", 1.0)], false), moment(0));
        let unknown = follow(&disk, &fired.stand, &read(moment(40), &[], false), moment(40));
        assert_eq!((kinds(&unknown), unknown.stand.phase()), (vec![], Phase::NoData), "it is not over");
    }

    #[test]
    fn what_happens_in_silence_is_noted_and_told_only_if_it_lasts() {
        let silent = Rule { silenced_until: Some(moment(100).now), ..rule("phone_away_unsent") };
        let fired = follow(&silent, &Stand::default(), &read(moment(0), &[("a", 700.0)], true), moment(0));
        assert_eq!(kinds(&fired), [(MessageKind::Firing, 1, true)]);
        let lasts = follow(&silent, &fired.stand, &read(moment(50), &[("a", 700.0)], true), moment(50));
        assert!(kinds(&lasts).is_empty());
        let over = follow(&silent, &lasts.stand, &read(moment(60), &[("a", 0.0)], true), moment(60));
        assert_eq!(kinds(&over), [(MessageKind::Resolved, 1, true)]);
        let loud = follow(&silent, &lasts.stand, &read(moment(100), &[("a", 700.0)], true), moment(100));
        assert_eq!(kinds(&loud), [(MessageKind::Firing, 1, false)]);
    }

    #[test]
    fn a_rule_that_is_switched_off_forgets_what_it_knew() {
        let on = rule("on_battery");
        let fired = follow(&on, &Stand::default(), &read(moment(0), &[("", 1.0)], false), moment(0));
        let pending = fired.stand.clone();
        assert_eq!(pending.phase(), Phase::Pending);
        let off = Rule { enabled: false, ..on };
        let followed = follow(&off, &pending, &read(moment(10), &[("", 1.0)], false), moment(10));
        assert!(followed.has_changed && followed.stand == Stand::default() && followed.messages.is_empty());
        let again = follow(&off, &followed.stand, &read(moment(20), &[("", 1.0)], false), moment(20));
        assert!(!again.has_changed);
    }

    #[test]
    fn phones_that_go_together_are_one_message() {
        let rule = rule("phone_away_unsent");
        let names: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let values: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 601.0)).collect();
        let fired = follow(&rule, &Stand::default(), &read(moment(0), &values, true), moment(0));
        assert_eq!(kinds(&fired), [(MessageKind::Firing, 30, false)]);
        let one: Vec<(&str, f64)> =
            values.iter().map(|(name, _)| (*name, if *name == "7" { 700.0 } else { 0.0 })).collect();
        let later = moment(0).now + TimeDelta::seconds(30);
        let left = follow(&rule, &fired.stand, &read(moment(30), &one, true), Moment { now: later, ..moment(30) });
        assert!(kinds(&left).is_empty(), "one is still away");
    }

    const NO_DESK: DeviceId = DeviceId(uuid::Uuid::nil());
}
