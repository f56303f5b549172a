//! The simulated time: it stands still unless the simulator moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use showdesk_engine::Clock;

/// When every simulated show begins: 2026-08-07T06:00:00Z, in milliseconds since 1970.
pub(super) const BEGIN_MS: i64 = 1_786_082_400_000;

/// A clock that the simulator sets.
#[derive(Debug)]
pub(super) struct SimClock(AtomicI64);

impl SimClock {
    pub(super) fn at(now_ms: i64) -> Self {
        Self(AtomicI64::new(now_ms))
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(super) fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> DateTime<Utc> {
        instant(self.now_ms())
    }
}

/// Milliseconds since 1970 as a moment.
pub(super) fn instant(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).expect("the simulated time is a date")
}
