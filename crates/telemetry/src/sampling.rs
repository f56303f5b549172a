//! Which requests are kept as rows: every failed and every slow one, and one in so many of the rest.
//!
//! Rollups count all requests; rows are there to look at. A kept row has a weight: how many it stands for.

use std::num::NonZeroU32;
use std::time::Duration;

/// A request that took longer is kept in any case.
pub const SLOW: Duration = Duration::from_millis(500);

/// Rows of ordinary requests that may be kept in a minute. 30 days of them stay under 900,000 rows.
pub const ROWS_A_MINUTE_MAX: u32 = 20;

/// Failed requests of a minute, and slow ones, that are kept in any case: a stranger who asks for what is not there
/// fills no disk. What is beyond it is sampled like the ordinary ones.
pub const ROWS_APART_MAX: u32 = 200;

/// Which requests of a minute are kept, minute by minute.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// Which one it is, counted from any moment.
    minute: i64,
    seen: u32,
    seen_before: u32,
    failed: u32,
    slow: u32,
    sampler: Sampler,
}

impl Sampling {
    /// Keeps all until there are many.
    pub fn new() -> Self {
        let sampler = Sampler::new(NonZeroU32::MIN, 0);
        Self { minute: i64::MIN, seen: 0, seen_before: 0, failed: 0, slow: 0, sampler }
    }

    /// How many requests the row of this one stands for; None keeps no row. `minute` is when it is weighed, and `dice`
    /// any random number. A minute of a clock that was set back is one like any other.
    pub fn weigh(&mut self, minute: i64, failed: bool, took: Duration, dice: u32) -> Option<NonZeroU32> {
        if minute != self.minute {
            self.seen_before = if minute.checked_sub(1) == Some(self.minute) { self.seen } else { 0 };
            (self.minute, self.seen, self.failed, self.slow) = (minute, 0, 0, 0);
        }
        self.seen = self.seen.saturating_add(1);
        let kept = if failed { &mut self.failed } else { &mut self.slow };
        if (failed || took >= SLOW) && *kept < ROWS_APART_MAX {
            *kept += 1;
            return Some(NonZeroU32::MIN);
        }
        // A minute that is much busier than the last one shows that before it is over.
        let next = one_in(self.seen_before.max(self.seen));
        self.sampler.weigh(false, Duration::ZERO, next, dice)
    }
}

impl Default for Sampling {
    fn default() -> Self {
        Self::new()
    }
}

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

    #[test]
    fn a_flood_of_failures_keeps_few_rows_and_they_stand_for_all() {
        let mut sampling = Sampling::new();
        let weights: Vec<u32> =
            (0..50_000_u32).filter_map(|dice| sampling.weigh(7, true, QUICK, dice)).map(NonZeroU32::get).collect();
        assert!(weights.len() < 500, "{} rows", weights.len());
        let sum: u32 = weights.iter().sum();
        assert!(sum.abs_diff(50_000) <= one_in(50_000).get(), "{sum}");
        assert_eq!(sampling.weigh(8, true, QUICK, 0), NonZeroU32::new(1), "the next minute has room again");
    }

    #[test]
    fn after_the_clock_was_set_back_failures_are_kept_again() {
        let mut sampling = Sampling::new();
        let mut kept = |minute: i64| {
            let mut alone = |dice| sampling.weigh(minute, true, QUICK, dice) == NonZeroU32::new(1);
            (0..ROWS_APART_MAX).filter(|dice| alone(*dice)).count()
        };
        assert_eq!([kept(200), kept(80), kept(81)], [ROWS_APART_MAX as usize; 3]);
    }

    proptest! {
        #[test]
        fn the_weights_of_all_minutes_add_up_but_for_the_last_block(
            minutes in prop::collection::vec(prop::collection::vec(0..1_000_u64, 0..600), 1..8),
            dice: u32,
        ) {
            let mut sampling = Sampling::new();
            let (mut sum, mut count) = (0, 0_u32);
            let mut dice = dice;
            for (minute, requests) in (0_i64..).zip(&minutes) {
                for took in requests {
                    dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let weight = sampling.weigh(minute, took % 17 == 0, Duration::from_millis(*took), dice);
                    sum += weight.map_or(0, NonZeroU32::get);
                    count += 1;
                }
            }
            prop_assert!(sum.abs_diff(count) <= one_in(600).get(), "{} of {}", sum, count);
        }

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
