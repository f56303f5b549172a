//! The time of a test: it stands still until the test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// Where a clock stands unless a test says otherwise, and when every simulated show begins: 2026-08-07T06:00:00Z, in
/// milliseconds since 1970.
pub(crate) const BEGIN_MS: i64 = 1_786_082_400_000;

/// A clock that stands still until a test moves it.
///
/// The engine's unit tests are built with an engine that is not the one this crate knows: there the engine says once
/// more that this is a clock.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock at a moment like any other; the engine and its test look at the same one.
    pub fn new() -> Arc<Self> {
        Self::at_ms(BEGIN_MS)
    }

    /// A clock at that moment, in milliseconds since 1970.
    pub fn at_ms(now_ms: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now_ms)))
    }

    /// The moment.
    pub fn now(&self) -> DateTime<Utc> {
        instant(self.now_ms())
    }

    /// The moment, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets time pass, to the millisecond; backwards, too.
    pub fn pass(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }

    /// Lets so many seconds pass.
    pub fn pass_seconds(&self, seconds: i64) {
        self.pass(TimeDelta::seconds(seconds));
    }

    /// Goes to that moment, in milliseconds since 1970.
    pub fn set_ms(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl showdesk_engine::Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        self.now()
    }
}

/// Milliseconds since 1970 as a moment.
pub(crate) fn instant(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).expect("the test's time is a date")
}
