//! How long to wait before something is tried again. Pure: the dice are thrown by the caller.

use chrono::TimeDelta;

/// The longest that the first pause can be.
const FIRST: TimeDelta = TimeDelta::seconds(2);
/// The longest that any pause can be.
pub(super) const PAUSE_MAX: TimeDelta = TimeDelta::minutes(15);

/// The pause after so many tries in vain: anything from nothing to `min(15 min, 2 s · 2^n)`. All of it is chance, so
/// that what failed together does not come back together.
pub(super) fn pause(failures: i64, dice: u32) -> TimeDelta {
    part_of(longest(failures), dice)
}

/// The longest pause after so many tries in vain.
pub(super) fn longest(failures: i64) -> TimeDelta {
    // 2 s · 2^9 is more than a quarter of an hour.
    let doublings = u32::try_from(failures.clamp(0, 9)).expect("it is small");
    (FIRST * 2_i32.pow(doublings)).min(PAUSE_MAX)
}

/// A part of the time, from none to all of it.
pub(super) fn part_of(most: TimeDelta, dice: u32) -> TimeDelta {
    let milliseconds = i128::from(most.num_milliseconds()) * i128::from(dice) / i128::from(u32::MAX);
    TimeDelta::milliseconds(i64::try_from(milliseconds).expect("a part is not longer than the whole"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_pause_doubles_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<i64> = (0..12).map(|failures| longest(failures).num_seconds()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(longest(i64::MAX), PAUSE_MAX);
        assert_eq!(longest(-1), FIRST);
    }

    #[test]
    fn chance_decides_about_all_of_it() {
        assert_eq!(pause(3, 0), TimeDelta::zero());
        assert_eq!(pause(3, u32::MAX), TimeDelta::seconds(16));
        assert_eq!(pause(3, u32::MAX / 2).num_milliseconds(), 7_999);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_its_longest(failures in any::<i64>(), dice in any::<u32>()) {
            let pause = pause(failures, dice);
            prop_assert!(pause >= TimeDelta::zero() && pause <= longest(failures) && pause <= PAUSE_MAX);
        }

        #[test]
        fn a_higher_throw_is_no_shorter_pause(failures in 0_i64..20, one in any::<u32>(), other in any::<u32>()) {
            let (low, high) = (one.min(other), one.max(other));
            prop_assert!(pause(failures, low) <= pause(failures, high));
        }
    }
}
