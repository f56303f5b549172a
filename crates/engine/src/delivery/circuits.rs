//! What is known of each provider while the program runs: may anything be sent, who was refused, how many are on
//! their way. A browser's push service is a provider of its own, so that one that fails holds up no other; so are
//! Apple's two worlds, and Apple behind Firebase: a key may be good for one of them only.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_store::deliveries::Channel;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::breaker::{Breaker, Heard, Permit, SETTINGS_PAUSE, Turn};

/// Messages on their way at once by Firebase, by Apple, and by one push service of browsers.
const AT_ONCE_FCM: usize = 32;
const AT_ONCE_APNS: usize = 64;
const AT_ONCE_WEB: usize = 8;
/// There are about four push services. More names than this are somebody's trick.
const SERVICES_MAX: usize = 64;
/// More addresses than this are not remembered one by one.
const SUSPECTS_KEPT: usize = 64;
/// Refused settings are tried twice in this time, if anything is left to be sent by them.
const REFUSAL_AGE: TimeDelta = TimeDelta::minutes(2 * SETTINGS_PAUSE.num_minutes());
/// Refused after so long without a try, they are news again.
const REFUSAL_NEWS: TimeDelta = TimeDelta::hours(24);

/// One provider: what fails together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Circuit {
    /// Firebase.
    Fcm,
    /// Firebase that passes messages on to Apple.
    FcmIos,
    /// Apple, for apps of its store.
    Apns,
    /// Apple, for apps that a developer put on a phone.
    ApnsSandbox,
    /// A push service of browsers, by its origin.
    Web(String),
}

impl Circuit {
    /// The provider of that name; see [`Self::service`].
    pub(super) fn named(service: &str) -> Self {
        match service {
            "fcm" => Self::Fcm,
            "fcm:ios" => Self::FcmIos,
            "apns" => Self::Apns,
            "apns:sandbox" => Self::ApnsSandbox,
            service => Self::Web(service.to_owned()),
        }
    }

    /// The way it stands for.
    pub(super) fn channel(&self) -> Channel {
        match self {
            Self::Fcm | Self::FcmIos => Channel::Fcm,
            Self::Apns | Self::ApnsSandbox => Channel::Apns,
            Self::Web(_) => Channel::Web,
        }
    }

    /// Its name among those of its way.
    pub(super) fn service(&self) -> &str {
        match self {
            Self::Fcm => "fcm",
            Self::FcmIos => "fcm:ios",
            Self::Apns => "apns",
            Self::ApnsSandbox => "apns:sandbox",
            Self::Web(service) => service,
        }
    }

    /// Messages on their way at once.
    pub(super) fn at_once(&self) -> usize {
        match self {
            Self::Fcm | Self::FcmIos => AT_ONCE_FCM,
            Self::Apns | Self::ApnsSandbox => AT_ONCE_APNS,
            Self::Web(_) => AT_ONCE_WEB,
        }
    }
}

/// All of them. What was heard under settings that are others now says nothing of the present ones: whoever still sends
/// by the old ones speaks of a line that nobody asks any more.
#[derive(Default)]
pub(crate) struct Circuits(Mutex<HashMap<Circuit, Arc<Line>>>);

/// What is known of one provider under its present settings.
pub(super) struct Line {
    /// When the settings were entered.
    since: DateTime<Utc>,
    heard: Mutex<Memory>,
    /// For messages on their way.
    pub(super) places: Semaphore,
}

#[derive(Default)]
struct Memory {
    breaker: Breaker,
    /// Addresses that were refused since anything was taken.
    suspects: HashSet<Uuid>,
    /// For which address something was taken last, and when that left.
    taken: Option<(Uuid, DateTime<Utc>)>,
    /// Since when our settings are refused.
    refused_since: Option<DateTime<Utc>>,
    /// When they were refused last.
    refused_at: Option<DateTime<Utc>>,
}

impl Line {
    fn to(circuit: &Circuit, since: DateTime<Utc>) -> Self {
        Self { since, heard: Mutex::default(), places: Semaphore::new(circuit.at_once()) }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a message may go now. Who may must be heard of.
    pub(super) fn permit(&self, now: DateTime<Utc>) -> Permit {
        self.memory().breaker.permit(now)
    }

    /// Takes in what became of a message of that turn; tells whether it is news that our settings are refused.
    pub(super) fn hear(&self, turn: Turn, heard: Heard, now: DateTime<Utc>, dice: u32) -> bool {
        let mut memory = self.memory();
        memory.breaker.hear(turn, heard, now, dice);
        if heard != Heard::Refusal {
            return false;
        }
        let is_news = memory.refused_at.is_none_or(|at| now - at >= REFUSAL_NEWS);
        if is_news {
            memory.refused_since = Some(now);
        }
        memory.refused_at = Some(now);
        is_news
    }

    /// Since when our settings are refused, if nothing was taken since.
    pub(super) fn refused_since(&self) -> Option<DateTime<Utc>> {
        self.memory().refused_since
    }

    /// Whether our settings are refused as far as is known now. Who was refused may be gone: then nobody tries again.
    fn is_refused(&self, now: DateTime<Utc>) -> bool {
        let memory = self.memory();
        memory.breaker.is_open() && memory.refused_at.is_some_and(|at| (at..at + REFUSAL_AGE).contains(&now))
    }

    /// When the last message left that was taken for another address than this one, as far as is known.
    pub(super) fn others_taken(&self, token: Uuid, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut memory = self.memory();
        // The clock was set back since: nothing can be told from when that was.
        memory.taken.take_if(|(_, at)| *at > now);
        memory.taken.filter(|(taken, _)| *taken != token).map(|(_, at)| at)
    }

    /// An address was refused for a reason that may be ours; answers how many there are since anything was taken.
    pub(super) fn suspect(&self, token: Uuid) -> usize {
        let mut memory = self.memory();
        if memory.suspects.len() < SUSPECTS_KEPT {
            memory.suspects.insert(token);
        }
        memory.suspects.len()
    }

    /// Something that left then was taken for that address: nobody is suspected any more, and the settings are right.
    pub(super) fn taken(&self, token: Uuid, left_at: DateTime<Utc>) {
        let mut memory = self.memory();
        memory.suspects.clear();
        memory.taken = Some((token, left_at));
        (memory.refused_since, memory.refused_at) = (None, None);
    }

    fn is_open(&self) -> bool {
        self.memory().breaker.is_open()
    }
}

/// What may be claimed by a service now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimable {
    /// All that is due.
    All,
    /// One message, to try whether it works again.
    One,
    /// Nothing.
    Nothing,
}

impl Circuits {
    fn lock(&self) -> MutexGuard<'_, HashMap<Circuit, Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line to a provider, for settings that were entered then.
    pub(super) fn line(&self, circuit: &Circuit, since: DateTime<Utc>) -> Arc<Line> {
        let mut lines = self.lock();
        if let Some(line) = lines.get(circuit).filter(|line| line.since == since) {
            return Arc::clone(line);
        }
        if lines.len() >= SERVICES_MAX && !lines.contains_key(circuit) {
            // Who is sending by a line has it in hand.
            let is_kept =
                |known: &Circuit, line: &Arc<Line>| !matches!(known, Circuit::Web(_)) || Arc::strong_count(line) > 1;
            lines.retain(|known, line| is_kept(known, line) || line.is_open());
            if lines.len() >= SERVICES_MAX {
                lines.retain(|known, line| is_kept(known, line));
            }
        }
        let line = Arc::new(Line::to(circuit, since));
        lines.insert(circuit.clone(), Arc::clone(&line));
        line
    }

    /// Whether that line is the one that is asked now.
    pub(super) fn is_present(&self, circuit: &Circuit, line: &Arc<Line>) -> bool {
        self.lock().get(circuit).is_some_and(|known| Arc::ptr_eq(known, line))
    }

    /// What may be claimed now by a provider whose settings were entered then.
    pub(super) fn claimable(&self, circuit: &Circuit, since: DateTime<Utc>, now: DateTime<Utc>) -> Claimable {
        let lines = self.lock();
        let Some(line) = lines.get(circuit).filter(|line| line.since == since) else { return Claimable::All };
        let memory = line.memory();
        match (memory.breaker.is_open(), memory.breaker.closed_until(now)) {
            (false, _) => Claimable::All,
            (true, None) => Claimable::One,
            (true, Some(_)) => Claimable::Nothing,
        }
    }

    /// Whether something of this way is held up, whose settings were entered then.
    pub(super) fn is_open(&self, channel: Channel, since: DateTime<Utc>) -> bool {
        let is_held = |(circuit, line): (&Circuit, &Arc<Line>)| {
            circuit.channel() == channel && line.since == since && line.is_open()
        };
        self.lock().iter().any(is_held)
    }

    /// Whether our settings are refused by another service of this one's way, as far as is known now.
    pub(super) fn is_another_refused(&self, circuit: &Circuit, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let is_refused = |(known, line): (&Circuit, &Arc<Line>)| {
            known != circuit && known.channel() == circuit.channel() && line.since == since && line.is_refused(now)
        };
        self.lock().iter().any(is_refused)
    }

    /// What was known of a way counts no more: it is tried at once.
    pub(super) fn forget(&self, channel: Channel) {
        self.lock().retain(|circuit, _| circuit.channel() != channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_348_800, 0).expect("a time")
    }

    fn web(name: &str) -> Circuit {
        Circuit::Web(format!("https://{name}.example"))
    }

    /// A message went at that time, and this became of it.
    fn hear(line: &Line, heard: Heard, at: DateTime<Utc>) {
        if let Permit::Go(turn) = line.permit(at) {
            line.hear(turn, heard, at, 0);
        }
    }

    #[test]
    fn a_service_that_fails_holds_up_no_other() {
        let circuits = Circuits::default();
        let (one, other) = (web("a"), web("b"));
        hear(&circuits.line(&one, noon()), Heard::Refusal, noon());
        let is_another_refused = |circuit: &Circuit, at| circuits.is_another_refused(circuit, noon(), at);
        assert!(is_another_refused(&other, noon()) && !is_another_refused(&one, noon()));
        assert!(!is_another_refused(&other, noon() + REFUSAL_AGE), "nobody tries it any more");
        let claimable = |circuit: &Circuit, at| circuits.claimable(circuit, noon(), at);
        assert_eq!(claimable(&one, noon()), Claimable::Nothing);
        assert_eq!(claimable(&other, noon()), Claimable::All);
        assert!(circuits.is_open(Channel::Web, noon()) && !circuits.is_open(Channel::Fcm, noon()));
        let later = noon() + chrono::TimeDelta::hours(1);
        assert_eq!(claimable(&one, later), Claimable::One, "one tries whether it works again");
        assert!(matches!(circuits.line(&one, noon()).permit(later), Permit::Go(_)));
        assert_eq!(claimable(&one, later), Claimable::Nothing, "only one");
        circuits.forget(Channel::Web);
        assert_eq!(claimable(&one, noon()), Claimable::All);
    }

    #[test]
    fn a_refusal_is_news_until_it_is_tried_again() {
        let line = Line::to(&Circuit::Apns, noon());
        let is_news = |at: DateTime<Utc>| match line.permit(at) {
            Permit::Go(turn) => line.hear(turn, Heard::Refusal, at, 0),
            Permit::NotBefore(until) => panic!("not before {until}"),
        };
        let again = noon() + SETTINGS_PAUSE;
        assert!(is_news(noon()) && !is_news(again));
        assert_eq!(line.refused_since(), Some(noon()));
        assert!(is_news(again + REFUSAL_NEWS), "nobody tried for a day");
        line.taken(Uuid::from_u128(1), again + REFUSAL_NEWS);
        assert_eq!(line.refused_since(), None);
        assert!(is_news(again + REFUSAL_NEWS + SETTINGS_PAUSE));
    }

    #[test]
    fn what_was_taken_speaks_for_others_and_not_before_its_time() {
        let line = Line::to(&web("a"), noon());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        line.taken(one, noon());
        assert_eq!((line.others_taken(other, noon()), line.others_taken(one, noon())), (Some(noon()), None));
        assert_eq!(line.others_taken(other, noon() - TimeDelta::hours(24)), None, "the clock was set back");
        assert_eq!(line.others_taken(other, noon()), None);
    }

    #[test]
    fn what_is_heard_under_old_settings_says_nothing_of_the_new_ones() {
        let circuits = Circuits::default();
        let (before, after) = (noon(), noon() + chrono::TimeDelta::seconds(1));
        let old = circuits.line(&Circuit::Fcm, before);
        let new = circuits.line(&Circuit::Fcm, after);
        assert!(!circuits.is_present(&Circuit::Fcm, &old) && circuits.is_present(&Circuit::Fcm, &new));
        hear(&old, Heard::Refusal, after);
        assert_eq!(circuits.claimable(&Circuit::Fcm, after, after), Claimable::All);
        assert!(!circuits.is_open(Channel::Fcm, after));
        // A worker that comes late with the old ones holds up nobody either.
        hear(&circuits.line(&Circuit::Fcm, before), Heard::Refusal, after);
        assert_eq!(circuits.claimable(&Circuit::Fcm, after, after), Claimable::All);
    }

    #[test]
    fn strangers_cannot_fill_the_memory_with_names() {
        let circuits = Circuits::default();
        hear(&circuits.line(&Circuit::Apns, noon()), Heard::Refusal, noon());
        let in_hand = circuits.line(&web("in-hand"), noon());
        for number in 0..SERVICES_MAX * 4 {
            hear(&circuits.line(&web(&format!("p{number}")), noon()), Heard::Refusal, noon());
            circuits.line(&Circuit::Apns, noon()).suspect(Uuid::from_u128(number as u128));
        }
        assert!(circuits.lock().len() <= SERVICES_MAX);
        assert!(circuits.is_present(&web("in-hand"), &in_hand), "who sends by it goes on");
        let apple = circuits.claimable(&Circuit::Apns, noon(), noon());
        assert_eq!(apple, Claimable::Nothing, "Apple is not forgotten for it");
        assert_eq!(circuits.line(&Circuit::Apns, noon()).suspect(Uuid::from_u128(1)), SUSPECTS_KEPT);
    }

    #[test]
    fn a_circuit_is_known_by_the_name_of_its_service() {
        for circuit in [Circuit::Fcm, Circuit::FcmIos, Circuit::Apns, Circuit::ApnsSandbox, web("a")] {
            assert_eq!(Circuit::named(circuit.service()), circuit);
        }
    }
}
