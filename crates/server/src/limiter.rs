//! How often someone may ask, and how often they may be wrong (SECURITY.md §2, §5).
//!
//! One kind of bucket for everything. Time is an argument. A caller with a valid pass or long code is never refused for
//! what others did: requests with a pass count against the pass, wrong long codes are counted after they were looked
//! up. A typed code is counted before, because it can be guessed: an address that has used its own tries up takes none
//! from the tries of all, so it takes several addresses to keep typed codes from others for a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use showdesk_engine::counted_as;
use uuid::Uuid;

/// Requests with a token: 50 a second, 200 at once.
pub(crate) const TOKEN: Rate = Rate { per_second: 50.0, burst: 200.0 };
/// Requests without one, an address: 5 a second, 20 at once.
pub(crate) const ADDRESS: Rate = Rate { per_second: 5.0, burst: 20.0 };
/// The same for a network of IPv6, which counts as one address: everybody on a Wi-Fi is in it.
pub(crate) const NETWORK: Rate = Rate { per_second: 80.0, burst: 320.0 };
/// Wrong codes, an address: 10 a minute.
pub(crate) const FAILURES_OF_ADDRESS: Rate = Rate { per_second: 10.0 / 60.0, burst: 10.0 };
/// Wrong codes in all: 30 a minute.
pub(crate) const FAILURES_IN_ALL: Rate = Rate { per_second: 30.0 / 60.0, burst: 30.0 };
/// Most keys remembered at once of each kind.
const KEYS_MAX: usize = 10_000;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) burst: f64,
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
    /// Apart from the others: a crowd that scans a used code must not keep those from asking who wait to be let in.
    dead_codes: Buckets<IpAddr>,
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
        let address = counted_as(address);
        self.count(|counters| counters.addresses.take(address, rate_of(address), now))
    }

    /// A code that was known, and lets nobody in any more.
    pub(crate) fn dead_code(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let address = counted_as(address);
        self.count(|counters| counters.dead_codes.take(address, rate_of(address), now))
    }

    /// Whether the address has used up what strangers may ask, or be wrong. It is refused nothing for that here.
    pub(crate) fn has_been_wrong_too_often(&self, address: IpAddr, now: Instant) -> bool {
        let address = counted_as(address);
        let counters = self.counters.lock().expect("nobody panics while counting");
        self.on
            && (counters.addresses.is_empty(&address, rate_of(address), now)
                || counters.dead_codes.is_empty(&address, rate_of(address), now)
                || counters.failures.is_empty(&address, FAILURES_OF_ADDRESS, now))
    }

    /// A secret that was looked up and is not known, or a short code that is about to be looked up.
    pub(crate) fn wrong_code(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        self.count(|counters| {
            counters.failures.take(counted_as(address), FAILURES_OF_ADDRESS, now)?;
            counters.all_failures.take((), FAILURES_IN_ALL, now)
        })
    }

    /// What was counted as wrong beforehand was right.
    pub(crate) fn was_right(&self, address: IpAddr, now: Instant) {
        let mut counters = self.counters.lock().expect("nobody panics while counting");
        counters.failures.give_back(&counted_as(address), FAILURES_OF_ADDRESS, now);
        counters.all_failures.give_back(&(), FAILURES_IN_ALL, now);
    }

    fn count(&self, take: impl FnOnce(&mut Counters) -> Result<(), Duration>) -> Result<(), Duration> {
        if !self.on {
            return Ok(());
        }
        take(&mut self.counters.lock().expect("nobody panics while counting"))
    }
}

/// What strangers may ask from there.
fn rate_of(address: IpAddr) -> Rate {
    if address.is_ipv6() { NETWORK } else { ADDRESS }
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

    fn is_empty(&self, key: &K, rate: Rate, now: Instant) -> bool {
        self.0.get(key).is_some_and(|bucket| bucket.level(rate, now) < 1.0)
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
    fn one_address_alone_keeps_nobody_else_from_trying() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            for _ in 0..20 {
                // Refused most of the time, which costs nobody else anything.
                let _ = limiter.wrong_code(ANA, now);
            }
            assert_eq!(limiter.wrong_code(address(1), now).map(|()| limiter.was_right(address(1), now)), Ok(()));
        }
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
    fn a_network_of_ipv6_counts_as_one_address_with_more_to_ask() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let asked =
            (0..1_000_u32).filter(|number| limiter.without_token(at(&format!("fd00::{number:x}")), start).is_ok());
        assert_eq!(asked.count(), 320);
        assert!(limiter.without_token(at("fd00:0:0:1::1"), start).is_ok(), "another network");
        let wrong = (0..1_000_u32).filter(|number| limiter.wrong_code(at(&format!("fd00::{number:x}")), start).is_ok());
        assert_eq!(wrong.count(), 10, "as from one address");
        assert_eq!(limiter.without_token(at("::ffff:192.168.1.10"), start), Ok(()));
        while limiter.without_token(at("::ffff:192.168.1.10"), start).is_ok() {}
        assert!(limiter.without_token(ANA, start).is_err(), "the same by IPv4");
    }

    #[test]
    fn who_was_wrong_too_often_is_known_and_nobody_else() {
        let (limiter, start) = (Limiter::new(true), Instant::now());
        assert!(!limiter.has_been_wrong_too_often(ANA, start));
        while limiter.without_token(ANA, start).is_ok() {}
        while limiter.wrong_code(address(1), start).is_ok() {}
        let is_wrong = |address| limiter.has_been_wrong_too_often(address, start);
        assert!(is_wrong(ANA) && is_wrong(address(1)) && !is_wrong(address(2)));
        assert!(!limiter.has_been_wrong_too_often(ANA, start + Duration::from_secs(1)));
        assert!(!Limiter::new(false).has_been_wrong_too_often(ANA, start));
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
