//! Whether anything may be sent by a provider now. Pure: time and dice are arguments.
//!
//! Closed, everything goes. After some failures in a row it is open: nothing goes for a while. Then one message may
//! try; by its fate all go again, or the next while is longer. Settings that a provider refuses open it at once.
//!
//! Many messages are on their way at once. What comes of one that left before the last turn says nothing of how it is
//! now: it closes nothing, and it counts as no failure. Only a wish to be left alone is kept whoever brings it.

use chrono::{DateTime, TimeDelta, Utc};

use super::backoff::{longest, part_of};

/// Failures in a row that are no accident.
const FAILURES_MAX: u32 = 5;
/// An offline laptop is looked at again so soon: the internet comes back without saying so.
const SILENCE_MAX: TimeDelta = TimeDelta::seconds(30);
/// Settings that were refused are tried again, because somebody may mend them at the provider's.
pub(super) const SETTINGS_PAUSE: TimeDelta = TimeDelta::minutes(10);
/// A try of which nothing was heard for so long is as good as none.
const TRY_TIME: TimeDelta = TimeDelta::minutes(2);
/// Who comes while somebody tries looks again so soon.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(5);
/// No provider is left alone for longer, whatever it or the clock says.
const OPEN_MAX: TimeDelta = TimeDelta::hours(24);

/// What was heard of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It took a message, or said what is wrong with one: it works.
    Answer,
    /// It could not, and perhaps said how long it wants to be left alone.
    Busy(Option<TimeDelta>),
    /// It was not reached.
    Silence,
    /// It does not accept our settings.
    Refusal,
}

/// Between two changes of mind about a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn(u64);

/// Whether a message may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permit {
    /// It may, in this turn.
    Go(Turn),
    /// Not before then.
    NotBefore(DateTime<Utc>),
}

/// What stands between us and one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breaker {
    state: State,
    turn: Turn,
    /// How often it was opened since it was last closed.
    opened: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: DateTime<Utc>, refused: bool },
    Trying { since: DateTime<Utc>, refused: bool },
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed { failures: 0 }, turn: Turn(0), opened: 0 }
    }
}

impl Breaker {
    /// Asks for one message. Who may go must be heard of; once it was open, only one may go until then.
    pub(crate) fn permit(&mut self, now: DateTime<Utc>) -> Permit {
        match self.state {
            State::Closed { .. } => Permit::Go(self.turn),
            // An end that is too far away was said by a clock that was set back since.
            State::Open { until, .. } if now < until && until <= now + OPEN_MAX => Permit::NotBefore(until),
            State::Trying { since, .. } if (since..since + TRY_TIME).contains(&now) => {
                Permit::NotBefore((since + TRY_TIME).min(now + LOOK_AGAIN))
            }
            State::Open { refused, .. } | State::Trying { refused, .. } => {
                self.turn_to(State::Trying { since: now, refused });
                Permit::Go(self.turn)
            }
        }
    }

    /// Takes in what became of a message that went in that turn.
    pub(crate) fn hear(&mut self, turn: Turn, heard: Heard, now: DateTime<Utc>, dice: u32) {
        if let Heard::Busy(Some(wish)) = heard {
            let pause = wish.max(part_of(longest(self.opened), dice));
            return self.open(now + pause, false);
        }
        let is_open = matches!(self.state, State::Open { .. });
        if turn != self.turn {
            // Settings that are refused while it is open anyway: it waits as long as they need.
            if is_open && heard == Heard::Refusal {
                self.refuse(now);
            }
            return;
        }
        match (heard, &mut self.state) {
            (Heard::Answer, State::Closed { failures }) => *failures = 0,
            (Heard::Answer, State::Trying { .. }) => {
                self.opened = 0;
                self.turn_to(State::Closed { failures: 0 });
            }
            (Heard::Busy(None) | Heard::Silence, State::Closed { failures }) if *failures + 1 < FAILURES_MAX => {
                *failures += 1;
            }
            // Nobody goes in a turn in which it is open.
            (Heard::Answer | Heard::Busy(_) | Heard::Silence, State::Open { .. }) => {}
            (Heard::Busy(_), _) => self.open(now + part_of(longest(self.opened + 2), dice), false),
            (Heard::Silence, _) => self.open(now + part_of(longest(self.opened + 2).min(SILENCE_MAX), dice), false),
            (Heard::Refusal, _) => self.refuse(now),
        }
    }

    /// Whether nothing goes, or one message tries.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }

    /// Until when nothing may be claimed for it; none if something may.
    pub(crate) fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut copy = self.clone();
        match copy.permit(now) {
            Permit::Go(_) => None,
            Permit::NotBefore(at) => Some(at),
        }
    }

    fn refuse(&mut self, now: DateTime<Utc>) {
        if !matches!(self.state, State::Open { refused: true, .. }) {
            self.open(now + SETTINGS_PAUSE, true);
        }
    }

    fn open(&mut self, until: DateTime<Utc>, refused: bool) {
        self.opened = self.opened.saturating_add(1);
        match &mut self.state {
            State::Open { until: before, refused: was } => {
                *before = until.max(*before);
                *was |= refused;
            }
            State::Closed { .. } | State::Trying { .. } => self.turn_to(State::Open { until, refused }),
        }
    }

    fn turn_to(&mut self, state: State) {
        self.turn = Turn(self.turn.0.wrapping_add(1));
        self.state = state;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::backoff::PAUSE_MAX;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_348_800, 0).expect("a time")
    }

    fn opened_by(heard: Heard, times: u32) -> Breaker {
        let mut breaker = Breaker::default();
        // All were on their way before the first one was heard of.
        (0..times).for_each(|_| breaker.hear(Turn(0), heard, noon(), u32::MAX));
        breaker
    }

    /// The turn of one that may go now.
    fn go(breaker: &mut Breaker, now: DateTime<Utc>) -> Turn {
        match breaker.permit(now) {
            Permit::Go(turn) => turn,
            Permit::NotBefore(at) => panic!("not before {at}"),
        }
    }

    fn is_free(breaker: &mut Breaker, now: DateTime<Utc>) -> bool {
        matches!(breaker.permit(now), Permit::Go(_))
    }

    #[test]
    fn some_failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        assert!(!opened_by(Heard::Busy(None), FAILURES_MAX - 1).is_open());
        assert!(opened_by(Heard::Busy(None), FAILURES_MAX).is_open());
        assert!(opened_by(Heard::Silence, FAILURES_MAX).is_open());
        let mut breaker = opened_by(Heard::Silence, FAILURES_MAX - 1);
        breaker.hear(Turn(0), Heard::Answer, noon(), 0);
        (1..FAILURES_MAX).for_each(|_| breaker.hear(Turn(0), Heard::Silence, noon(), 0));
        assert!(!breaker.is_open());
    }

    #[test]
    fn settings_that_are_refused_open_it_at_once() {
        let mut breaker = opened_by(Heard::Refusal, 1);
        assert_eq!(breaker.permit(noon()), Permit::NotBefore(noon() + SETTINGS_PAUSE));
        breaker.hear(Turn(0), Heard::Refusal, noon() + TimeDelta::minutes(1), 0);
        assert_eq!(breaker.permit(noon()), Permit::NotBefore(noon() + SETTINGS_PAUSE), "late ones change nothing");
        let mut busy = opened_by(Heard::Busy(None), FAILURES_MAX);
        busy.hear(Turn(0), Heard::Refusal, noon(), 0);
        assert_eq!(busy.permit(noon()), Permit::NotBefore(noon() + SETTINGS_PAUSE));
    }

    #[test]
    fn a_wish_to_be_left_alone_is_kept_at_once_and_to_its_end() {
        let mut breaker = opened_by(Heard::Busy(Some(TimeDelta::minutes(20))), 1);
        let until = noon() + TimeDelta::minutes(20);
        assert_eq!(breaker.permit(until - TimeDelta::milliseconds(1)), Permit::NotBefore(until));
        breaker.hear(Turn(0), Heard::Busy(Some(TimeDelta::seconds(1))), noon(), 0);
        assert_eq!(breaker.permit(noon()), Permit::NotBefore(until), "a shorter wish does not shorten it");
        assert!(is_free(&mut breaker, until));
    }

    #[test]
    fn an_answer_to_what_left_before_does_not_end_a_wish_to_be_left_alone() {
        let mut breaker = Breaker::default();
        let (first, second, third) = (go(&mut breaker, noon()), go(&mut breaker, noon()), go(&mut breaker, noon()));
        breaker.hear(first, Heard::Busy(Some(TimeDelta::minutes(5))), noon(), 0);
        let until = noon() + TimeDelta::minutes(5);
        breaker.hear(second, Heard::Answer, noon() + TimeDelta::seconds(1), 0);
        assert_eq!(breaker.permit(noon() + TimeDelta::seconds(1)), Permit::NotBefore(until));
        let tries = go(&mut breaker, until);
        breaker.hear(third, Heard::Answer, until, 0);
        assert!(!is_free(&mut breaker, until), "it is the try that decides");
        breaker.hear(third, Heard::Silence, until, 0);
        breaker.hear(tries, Heard::Answer, until, 0);
        assert!(!breaker.is_open());
        (0..FAILURES_MAX * 2).for_each(|_| breaker.hear(third, Heard::Silence, until, 0));
        breaker.hear(third, Heard::Refusal, until, 0);
        assert!(!breaker.is_open(), "what left before it worked again says nothing of now");
    }

    #[test]
    fn a_wish_that_comes_while_one_tries_outlasts_the_answer_to_it() {
        let mut breaker = Breaker::default();
        let late = go(&mut breaker, noon());
        (0..FAILURES_MAX).for_each(|_| breaker.hear(late, Heard::Busy(None), noon(), 0));
        let tries = go(&mut breaker, noon() + PAUSE_MAX);
        let until = noon() + PAUSE_MAX + TimeDelta::minutes(30);
        breaker.hear(late, Heard::Busy(Some(TimeDelta::minutes(30))), noon() + PAUSE_MAX, 0);
        breaker.hear(tries, Heard::Answer, noon() + PAUSE_MAX, 0);
        assert_eq!(breaker.permit(noon() + PAUSE_MAX), Permit::NotBefore(until));
    }

    #[test]
    fn one_tries_and_its_fate_decides() {
        let mut breaker = opened_by(Heard::Busy(None), FAILURES_MAX);
        let late = noon() + PAUSE_MAX;
        let turn = go(&mut breaker, late);
        assert_eq!(breaker.permit(late), Permit::NotBefore(late + LOOK_AGAIN), "only one");
        breaker.hear(turn, Heard::Busy(None), late, u32::MAX);
        assert!(matches!(breaker.permit(late), Permit::NotBefore(at) if at > late + LOOK_AGAIN), "longer than before");
        let later = late + PAUSE_MAX;
        let turn = go(&mut breaker, later);
        breaker.hear(turn, Heard::Answer, later, 0);
        assert_eq!(breaker, Breaker { turn: breaker.turn, ..Breaker::default() });
    }

    #[test]
    fn a_try_that_nobody_hears_of_does_not_close_it_for_ever() {
        let mut breaker = opened_by(Heard::Refusal, 1);
        let late = noon() + SETTINGS_PAUSE;
        let first = go(&mut breaker, late);
        let second = go(&mut breaker, late + TRY_TIME);
        assert_ne!(first, second);
    }

    #[test]
    fn internet_that_comes_back_is_noticed_soon() {
        let mut breaker = opened_by(Heard::Silence, 50);
        for _ in 0..20 {
            let Permit::NotBefore(until) = breaker.permit(noon()) else { break };
            assert!(until <= noon() + SILENCE_MAX);
            let turn = go(&mut breaker, until);
            breaker.hear(turn, Heard::Silence, noon(), u32::MAX);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_close_it_for_years() {
        let mut breaker = opened_by(Heard::Busy(Some(TimeDelta::hours(1))), 1);
        assert!(is_free(&mut breaker, noon() - TimeDelta::days(400)));
    }

    fn anything() -> impl Strategy<Value = Heard> {
        prop_oneof![
            Just(Heard::Answer),
            Just(Heard::Busy(None)),
            (0_i64..4_000).prop_map(|seconds| Heard::Busy(Some(TimeDelta::seconds(seconds)))),
            Just(Heard::Silence),
            Just(Heard::Refusal),
        ]
    }

    proptest! {
        /// Whatever is heard, in whatever order, and whenever somebody asks: what is closed lets all through, what is
        /// open lets nobody through before its time and one at most between two pieces of news, a wish to be left alone
        /// is kept whatever else is heard, and it never ends for ever.
        #[test]
        fn it_never_lets_a_crowd_through_while_it_is_open(
            steps in prop::collection::vec(
                (anything(), 0_i64..2_000, any::<u32>(), 1_usize..5, any::<prop::sample::Index>()), 1..60,
            ),
        ) {
            let mut breaker = Breaker::default();
            let mut now = noon();
            let mut under_way = Vec::new();
            let mut left_alone_until = noon();
            for (heard, seconds, dice, askers, which) in steps {
                now += TimeDelta::seconds(seconds);
                let was_open = breaker.is_open();
                let permits: Vec<Permit> = (0..askers).map(|_| breaker.permit(now)).collect();
                let before = under_way.len();
                for permit in permits {
                    match permit {
                        Permit::Go(turn) => {
                            prop_assert!(now >= left_alone_until, "it wanted to be left alone");
                            under_way.push(turn);
                        }
                        Permit::NotBefore(at) => prop_assert!(at > now && at <= now + OPEN_MAX),
                    }
                }
                let through = under_way.len() - before;
                if was_open {
                    prop_assert!(through <= 1);
                } else {
                    prop_assert_eq!(through, askers);
                }
                if under_way.is_empty() {
                    continue;
                }
                let turn = under_way.swap_remove(which.index(under_way.len()));
                let is_of_now = turn == breaker.turn;
                let before = breaker.clone();
                breaker.hear(turn, heard, now, dice);
                match heard {
                    Heard::Answer if is_of_now => prop_assert!(!breaker.is_open()),
                    Heard::Refusal if is_of_now => prop_assert!(breaker.is_open()),
                    Heard::Busy(Some(wish)) => {
                        left_alone_until = left_alone_until.max(now + wish);
                        prop_assert!(breaker.is_open());
                    }
                    Heard::Busy(None) | Heard::Silence if is_of_now => {}
                    Heard::Answer | Heard::Busy(None) | Heard::Silence => prop_assert_eq!(&breaker, &before),
                    Heard::Refusal => prop_assert_eq!(breaker.is_open(), before.is_open()),
                }
                prop_assert!(matches!(breaker.clone().permit(now + OPEN_MAX + OPEN_MAX), Permit::Go(_)));
            }
        }

        #[test]
        fn of_our_own_accord_a_provider_in_trouble_is_left_alone_for_a_quarter_of_an_hour_at_most(
            failures in 1_u32..200, dice in any::<u32>(), silent in any::<bool>(),
        ) {
            let heard = if silent { Heard::Silence } else { Heard::Busy(None) };
            let mut breaker = Breaker::default();
            let mut now = noon();
            let mut turn = go(&mut breaker, now);
            for _ in 0..failures {
                breaker.hear(turn, heard, now, dice);
                turn = match breaker.permit(now) {
                    Permit::Go(turn) => turn,
                    Permit::NotBefore(at) => {
                        prop_assert!(at <= now + PAUSE_MAX);
                        now = at;
                        go(&mut breaker, now)
                    }
                };
            }
        }
    }
}
