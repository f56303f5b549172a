//! Which requests are kept as rows: every failed and every slow one, and one in so many of the rest.
//!
//! Rollups count all requests; rows are there to look at. A kept row has a weight: how many it stands for.

use std::num::NonZeroU32;
use std::time::Duration;

/// A request that took longer is kept in any case.
pub const SLOW: Duration = Duration::from_millis(500);

/// Rows of ordinary requests that may be kept in a minute. 30 days of them stay under 900,000 rows.
pub const ROWS_A_MINUTE_MAX: u32 = 20;

/// How many ordinary requests share one row, so that a minute like the last one keeps no more rows than allowed.
pub fn one_in(requests_last_minute: u32) -> NonZeroU32 {
    NonZeroU32::new(requests_last_minute.div_ceil(ROWS_A_MINUTE_MAX)).unwrap_or(NonZeroU32::MIN)
}

/// Takes one of each block of ordinary requests, at a random place in it.
///
/// Not every n-th: phones ask in turn, and every n-th could be the same phone for ever.
#[derive(Debug, Clone)]
pub struct Sampler {
    one_in: NonZeroU32,
    passed: u32,
    picked: u32,
}

impl Sampler {
    /// Begins a block. `dice` is any random number.
    pub fn new(one_in: NonZeroU32, dice: u32) -> Self {
        Self { one_in, passed: 0, picked: dice % one_in }
    }

    /// How many requests the row of this one stands for; None keeps no row.
    ///
    /// `next` and `dice` are taken when a block ends: how many share a row from then on, and any random number.
    pub fn weigh(&mut self, failed: bool, took: Duration, next: NonZeroU32, dice: u32) -> Option<NonZeroU32> {
        if failed || took >= SLOW {
            return Some(NonZeroU32::MIN);
        }
        let weight = (self.passed == self.picked).then_some(self.one_in);
        self.passed += 1;
        if self.passed == self.one_in.get() {
            *self = Self::new(next, dice);
        }
        weight
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUICK: Duration = Duration::from_millis(3);

    #[test]
    fn failed_and_slow_requests_are_always_kept_and_stand_for_themselves() {
        let many = one_in(1_000_000);
        let mut sampler = Sampler::new(many, 7);
        for (failed, took) in [(true, QUICK), (false, SLOW), (true, SLOW)] {
            assert_eq!(sampler.weigh(failed, took, many, 7), Some(NonZeroU32::MIN));
        }
        assert_eq!(sampler.weigh(false, QUICK, many, 7), None);
    }

    #[test]
    fn a_quiet_minute_keeps_every_request() {
        assert_eq!(one_in(0), NonZeroU32::MIN);
        assert_eq!(one_in(ROWS_A_MINUTE_MAX), NonZeroU32::MIN);
        assert_eq!(one_in(ROWS_A_MINUTE_MAX + 1).get(), 2);
    }

    proptest! {
        #[test]
        fn the_weights_of_whole_blocks_add_up_to_the_requests(n in 1..40_u32, blocks in 1..30_u32, dice: [u32; 8]) {
            let n = NonZeroU32::new(n).unwrap();
            let mut sampler = Sampler::new(n, dice[0]);
            let mut dice = dice.into_iter().cycle();
            let weights = (0..n.get() * blocks).filter_map(|_| sampler.weigh(false, QUICK, n, dice.next().unwrap()));
            prop_assert_eq!(weights.map(NonZeroU32::get).sum::<u32>(), n.get() * blocks);
        }

        #[test]
        fn a_steady_minute_keeps_no_more_rows_than_allowed(requests in 0..20_000_u32, dice: u32) {
            let n = one_in(requests);
            let mut sampler = Sampler::new(n, dice);
            let kept = (0..requests).filter(|_| sampler.weigh(false, QUICK, n, dice).is_some()).count();
            prop_assert!(kept <= ROWS_A_MINUTE_MAX as usize);
        }
    }
}
