//! What holds for every rule and every sequence of readings.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::evaluate::{Event, EventKind, Phase, Reading, State, evaluate};
use super::rule::{Operator, Rule, seconds};
use super::tell::{Firing, GATHER, MessageKind, Moment, Told, tell};

fn rules() -> impl Strategy<Value = Rule> {
    let limits = (0..50_i32, 0..50_i32, any::<bool>());
    let times = (0..200_u32, 0..200_u32, 1..120_u32, prop::option::of(60..400_u32));
    (limits, times).prop_map(|((low, more, above), (wait, keep, missing_after, repeat))| {
        let (low, high) = (f64::from(low), f64::from(low + more));
        let (operator, threshold, recovery) =
            if above { (Operator::Above, high, low) } else { (Operator::Below, low, high) };
        let first = super::built_in().remove(0);
        Rule { operator, threshold, recovery, wait, keep, missing_after, repeat, samples_min: 1, ..first }
    })
}

/// Readings with the seconds since the one before; the clock is never set back here.
fn readings() -> impl Strategy<Value = Vec<(u32, Reading)>> {
    let reading = prop_oneof![
        8 => (-10..110_i32).prop_map(|value| Reading::Value(f64::from(value))),
        1 => Just(Reading::TooFew),
        2 => Just(Reading::Missing),
    ];
    prop::collection::vec((1..90_u32, reading), 1..120)
}

/// The state, the events and the moment after each reading.
fn play(rule: &Rule, readings: &[(u32, Reading)]) -> Vec<(State, Vec<Event>, DateTime<Utc>)> {
    let mut now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let mut state = State::default();
    let mut played = Vec::new();
    for (passed, reading) in readings {
        now += seconds(*passed);
        let (next, events) = evaluate(rule, state, *reading, now);
        state = next;
        played.push((state, events, now));
    }
    played
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn two_incidents_have_a_normal_between(rule in rules(), readings in readings()) {
        let mut open = false;
        for (state, events, _) in play(&rule, &readings) {
            for event in events {
                match event.kind {
                    EventKind::Fired => {
                        prop_assert!(!open, "fired twice without a normal between");
                        open = true;
                    }
                    EventKind::Resolved => {
                        prop_assert!(open, "resolved what had not fired");
                        prop_assert_eq!(state.phase, Phase::Normal);
                        open = false;
                    }
                    EventKind::DataMissing | EventKind::DataBack => {}
                }
            }
            prop_assert_eq!(state.fired_at.is_some(), open);
            prop_assert!(!open || matches!(state.phase, Phase::Firing | Phase::Recovering | Phase::NoData));
        }
    }

    #[test]
    fn trouble_fires_only_after_it_lasted(rule in rules(), readings in readings()) {
        let mut trouble_since = None;
        for ((_, reading), (_, events, now)) in readings.iter().zip(play(&rule, &readings)) {
            match reading {
                Reading::Value(value) if rule.is_trouble(*value) => trouble_since = trouble_since.or(Some(now)),
                Reading::Missing => {}
                Reading::Value(_) | Reading::TooFew => trouble_since = None,
            }
            if events.iter().any(|event| event.kind == EventKind::Fired) {
                let lasted = now - trouble_since.expect("it fires at trouble");
                prop_assert!(lasted >= seconds(rule.wait));
            }
        }
    }

    #[test]
    fn between_the_limits_nothing_changes(rule in rules(), before in readings(), inside in prop::collection::vec((1..90_u32, 0.0..1.0_f64), 1..40)) {
        let (low, high) = (rule.threshold.min(rule.recovery), rule.threshold.max(rule.recovery));
        prop_assume!(high > low);
        let between: Vec<_> = inside.into_iter().map(|(passed, share)| (passed, (high - low).mul_add(share, low)))
            .filter(|(_, value)| !rule.is_well(*value) && !rule.is_trouble(*value))
            .map(|(passed, value)| (passed, Reading::Value(value))).collect();
        prop_assume!(!between.is_empty());
        let played = play(&rule, &[before.as_slice(), &between].concat());
        // The first one may end a Pending or a NoData; from then on nothing may happen.
        let settled = played[before.len()].0.phase;
        for (state, events, _) in &played[before.len() + 1..] {
            prop_assert_eq!(state.phase, settled);
            prop_assert!(events.is_empty());
        }
        let was = played[before.len() - 1].0;
        prop_assert_eq!(was.fired_at.is_some(), played.last().unwrap().0.fired_at.is_some(), "an incident began or ended");
    }

    #[test]
    fn missing_readings_end_in_no_data_within_their_time(rule in rules(), before in readings()) {
        let step = 10;
        let missing = vec![(step, Reading::Missing); (rule.missing_after / step + 2) as usize];
        let played = play(&rule, &[before.as_slice(), &missing].concat());
        prop_assert_eq!(played.last().unwrap().0.phase, Phase::NoData);
        for window in played.windows(2) {
            let entered = window[0].0.phase != Phase::NoData && window[1].0.phase == Phase::NoData;
            if entered {
                let read_at = window[1].0.read_at.expect("it counts from the last reading");
                prop_assert!(window[1].2 - read_at >= seconds(rule.missing_after));
            }
        }
    }

    #[test]
    fn the_repeat_interval_is_kept_and_resolved_follows_every_message(
        rule in rules(), phones in prop::collection::vec(readings(), 1..5),
    ) {
        let mut told = Told::default();
        let mut last: Option<(DateTime<Utc>, MessageKind)> = None;
        let mut states = vec![State::default(); phones.len()];
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        for round in 0..200_i32 {
            let now = start + TimeDelta::seconds(15) * round;
            for (state, readings) in states.iter_mut().zip(&phones) {
                let (_, reading) = readings[usize::try_from(round).unwrap() % readings.len()];
                *state = evaluate(&rule, *state, reading, now).0;
            }
            let named = states.iter().enumerate().filter_map(|(phone, state)| Firing::of(&rule, &phone.to_string(), state));
            let firing: Vec<_> = named.collect();
            let (next, message) = tell(&rule, told.clone(), &firing, Moment { now, local: NaiveTime::MIN });
            if let Some(message) = &message {
                let (passed, before) = last.map_or((TimeDelta::MAX, MessageKind::Resolved), |(at, kind)| (now - at, kind));
                match message.kind {
                    MessageKind::StillFiring => {
                        prop_assert!(passed >= seconds(rule.repeat.expect("it repeats")));
                        prop_assert_ne!(before, MessageKind::Resolved);
                    }
                    MessageKind::Firing => {
                        prop_assert!(before == MessageKind::Resolved || passed >= GATHER);
                        prop_assert_eq!(message.subjects.len(), firing.len());
                    }
                    MessageKind::Resolved => {
                        prop_assert!(firing.is_empty());
                        prop_assert_ne!(before, MessageKind::Resolved);
                    }
                }
                last = Some((now, message.kind));
            }
            // Without silence nothing is kept back: something is told exactly while something fires.
            prop_assert_eq!(next.subjects.is_empty(), firing.is_empty());
            told = next;
        }
    }
}
