//! "Test this network": a code that a phone opens, and who came with it. Kept in memory; nothing of it is a secret.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use uuid::Uuid;

/// How long a test waits.
const TEST_TIME: TimeDelta = TimeDelta::minutes(10);
/// Tests at once; the oldest gives way.
const TESTS_MAX: usize = 16;
/// Arrivals of one test that are remembered, the first ones.
const ARRIVALS_MAX: usize = 20;
/// What a browser says of itself is cut there.
const AGENT_CHARS_MAX: usize = 200;
/// Characters that cannot be mistaken for one another.
const ALPHABET: &[u8] = b"0123456789abcdefghjkmnpqrstvwxyz";
const CODE_CHARS: usize = 10;

/// Someone opened the code's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) at: DateTime<Utc>,
    pub(crate) address: IpAddr,
    pub(crate) agent: String,
}

/// A test and who came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) id: Uuid,
    pub(crate) code: String,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) arrivals: Vec<Arrival>,
}

/// The tests of this desk.
#[derive(Default)]
pub(crate) struct Tests(Mutex<VecDeque<Test>>);

impl Tests {
    pub(crate) fn begin(&self, now: DateTime<Utc>) -> Test {
        let mut random = rand::rng();
        let code = (0..CODE_CHARS).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect();
        let test = Test { id: Uuid::new_v4(), code, expires_at: now + TEST_TIME, arrivals: Vec::new() };
        let mut tests = self.lock();
        if tests.len() == TESTS_MAX {
            tests.pop_front();
        }
        tests.push_back(test.clone());
        test
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<Test> {
        self.lock().iter().find(|test| test.id == id).cloned()
    }

    /// Notes an arrival. False if no test waits for that code.
    pub(crate) fn arrive(&self, code: &str, address: IpAddr, agent: &str, now: DateTime<Utc>) -> bool {
        let mut tests = self.lock();
        let Some(test) = tests.iter_mut().find(|test| test.code == code && test.expires_at > now) else { return false };
        if test.arrivals.len() < ARRIVALS_MAX {
            let agent = agent.chars().take(AGENT_CHARS_MAX).collect();
            test.arrivals.push(Arrival { at: now, address: address.to_canonical(), agent });
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Test>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 30));

    #[test]
    fn who_opens_the_code_has_arrived() {
        let (tests, now) = (Tests::default(), DateTime::UNIX_EPOCH);
        let (test, other) = (tests.begin(now), tests.begin(now));
        assert!(test.code != other.code && test.code.len() == CODE_CHARS);
        assert!(!tests.arrive("0000000000", PHONE, "a", now));
        assert!(tests.arrive(&test.code, PHONE, &"x".repeat(1_000), now));
        let arrivals = tests.get(test.id).expect("it is there").arrivals;
        assert_eq!((arrivals[0].address, arrivals[0].agent.len()), (PHONE, AGENT_CHARS_MAX));
        assert!(tests.get(other.id).expect("it is there").arrivals.is_empty());
    }

    #[test]
    fn a_test_ends_and_holds_only_so_much() {
        let (tests, now) = (Tests::default(), DateTime::UNIX_EPOCH);
        let test = tests.begin(now);
        assert!((0..100).all(|_| tests.arrive(&test.code, PHONE, "a", now)));
        assert_eq!(tests.get(test.id).expect("it is there").arrivals.len(), ARRIVALS_MAX);
        assert!(!tests.arrive(&test.code, PHONE, "a", now + TEST_TIME));
        (0..TESTS_MAX).for_each(|_| drop(tests.begin(now)));
        assert_eq!(tests.get(test.id), None);
    }
}
