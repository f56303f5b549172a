//! How often someone may ask, and how often they may be wrong (SECURITY.md §2, §5).
//!
//! One kind of bucket for everything. Time is an argument. A caller with a valid token or code is
//! never refused for what others did: requests with a token count against the token, wrong secrets
//! are counted after they were looked up.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use uuid::Uuid;

/// Requests with a token: 50 a second, 200 at once.
const TOKEN: Rate = Rate { per_second: 50.0, burst: 200.0 };
/// Requests without one, an address: 5 a second, 20 at once.
const ADDRESS: Rate = Rate { per_second: 5.0, burst: 20.0 };
/// Wrong codes, an address: 10 a minute.
const FAILURES_OF_ADDRESS: Rate = Rate { per_second: 10.0 / 60.0, burst: 10.0 };
/// Wrong codes in all: 30 a minute.
const FAILURES_IN_ALL: Rate = Rate { per_second: 30.0 / 60.0, burst: 30.0 };
/// Most keys remembered at once of each kind.
const KEYS_MAX: usize = 10_000;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy)]
struct Rate {
    per_second: f64,
    burst: f64,
}

/// All counters of one desk.
pub(crate) struct Limiter {
    on: bool,
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    tokens: Buckets<Uuid>,
    addresses: Buckets<IpAddr>,
    failures: Buckets<IpAddr>,
    all_failures: Buckets<()>,
}

impl Limiter {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, counters: Mutex::default() }
    }

    /// A request with a valid token of this device. The error is how long to wait.
    pub(crate) fn with_token(&self, device: Uuid, now: Instant) -> Result<(), Duration> {
        self.count(|counters| counters.tokens.take(device, TOKEN, now))
    }

    /// A request without a valid token.
    pub(crate) fn without_token(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        self.count(|counters| counters.addresses.take(address.to_canonical(), ADDRESS, now))
    }

    /// A secret that was looked up and is not known, or a short code that is about to be looked up.
    pub(crate) fn wrong_code(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        self.count(|counters| {
            let own = counters.failures.take(address.to_canonical(), FAILURES_OF_ADDRESS, now);
            let all = counters.all_failures.take((), FAILURES_IN_ALL, now);
            own.and(all)
        })
    }

    /// What was counted as wrong beforehand was right.
    pub(crate) fn was_right(&self, address: IpAddr, now: Instant) {
        let mut counters = self.counters.lock().expect("nobody panics while counting");
        counters.failures.give_back(&address.to_canonical(), FAILURES_OF_ADDRESS, now);
        counters.all_failures.give_back(&(), FAILURES_IN_ALL, now);
    }

    fn count(&self, take: impl FnOnce(&mut Counters) -> Result<(), Duration>) -> Result<(), Duration> {
        if !self.on {
            return Ok(());
        }
        take(&mut self.counters.lock().expect("nobody panics while counting"))
    }
}

struct Buckets<K>(HashMap<K, Bucket>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    fn take(&mut self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        if self.0.len() >= KEYS_MAX && !self.0.contains_key(&key) {
            self.0.retain(|_, bucket| bucket.level(rate, now) < rate.burst);
            if self.0.len() >= KEYS_MAX {
                return Err(Duration::from_secs(1));
            }
        }
        self.0.entry(key).or_insert(Bucket { level: rate.burst, at: now }).take(rate, now)
    }

    fn give_back(&mut self, key: &K, rate: Rate, now: Instant) {
        if let Some(bucket) = self.0.get_mut(key) {
            bucket.level = (bucket.level(rate, now) + 1.0).min(rate.burst);
            bucket.at = now;
        }
    }
}

struct Bucket {
    level: f64,
    at: Instant,
}

impl Bucket {
    fn level(&self, rate: Rate, now: Instant) -> f64 {
        let waited = now.saturating_duration_since(self.at).as_secs_f64();
        (self.level + waited * rate.per_second).min(rate.burst)
    }

    fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.level = self.level(rate, now);
        self.at = now;
        if self.level < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.level) / rate.per_second));
        }
        self.level -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 10));

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(number))
    }

    #[test]
    fn the_eleventh_wrong_code_in_a_minute_is_refused_and_an_eleventh_a_minute_later_is_not() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        for number in 0..10 {
            assert_eq!(limiter.wrong_code(ANA, start), Ok(()), "{number}");
        }
        let wait = limiter.wrong_code(ANA, start).expect_err("the eleventh");
        assert!(wait > Duration::from_secs(5) && wait <= Duration::from_secs(6), "{wait:?}");
        assert_eq!(limiter.wrong_code(ANA, start + Duration::from_mins(1)), Ok(()));
    }

    #[test]
    fn wrong_codes_from_everywhere_are_counted_together() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        for number in 0..30 {
            assert_eq!(limiter.wrong_code(address(number), start), Ok(()), "{number}");
        }
        assert!(limiter.wrong_code(ANA, start).is_err());
    }

    #[test]
    fn a_try_that_was_right_is_given_back() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        for number in 0..100 {
            assert_eq!(limiter.wrong_code(ANA, start), Ok(()), "{number}");
            limiter.was_right(ANA, start);
        }
        while limiter.wrong_code(ANA, start).is_ok() {}
        limiter.was_right(ANA, start);
        assert_eq!(limiter.wrong_code(ANA, start), Ok(()));
        assert!(limiter.wrong_code(ANA, start).is_err());
    }

    #[test]
    fn a_token_is_not_slowed_by_its_address() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        while limiter.without_token(ANA, start).is_ok() {}
        for number in 0..200 {
            assert_eq!(limiter.with_token(Uuid::from_u128(1), start), Ok(()), "{number}");
        }
        assert!(limiter.with_token(Uuid::from_u128(1), start).is_err());
        assert_eq!(limiter.with_token(Uuid::from_u128(2), start), Ok(()));
        assert_eq!(limiter.with_token(Uuid::from_u128(1), start + Duration::from_millis(20)), Ok(()));
    }

    #[test]
    fn nothing_is_limited_when_limits_are_off() {
        let (limiter, start) = (Limiter::new(false), Instant::now());
        assert!((0..1_000).all(|_| limiter.without_token(ANA, start).is_ok()));
    }

    #[test]
    fn the_memory_of_addresses_is_bounded_and_forgets_the_quiet_ones() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        for number in 0..u32::try_from(KEYS_MAX).expect("it fits") {
            assert_eq!(limiter.without_token(address(number), start), Ok(()));
        }
        assert!(limiter.without_token(address(u32::MAX), start).is_err());
        assert_eq!(limiter.without_token(address(0), start), Ok(()), "the known go on");
        let later = start + Duration::from_secs(10);
        assert_eq!(limiter.without_token(address(u32::MAX), later), Ok(()));
        assert!(limiter.counters.lock().expect("no panic").addresses.0.len() < 10);
    }
}
