//! The ends of the buckets.

use super::as_f64;

/// How many buckets cover every `u64`: 0 alone, then 1.05 to the power of 0, 1, 2 and so on.
pub(super) const BUCKETS: usize = 912;

/// The largest value of each bucket. Small neighbours share one: the upper of them stays empty.
static UPPER: [u64; BUCKETS] = upper_ends();

/// Powers of 21/20 in fixed point with 32 bits of fraction, cut to whole numbers.
const fn upper_ends() -> [u64; BUCKETS] {
    let mut ends = [0; BUCKETS];
    let mut power: u128 = 1 << 32;
    let mut bucket = 1;
    while bucket < BUCKETS {
        let whole = power >> 32;
        #[expect(clippy::cast_possible_truncation, reason = "what is larger becomes the largest")]
        let end = if whole > u64::MAX as u128 { u64::MAX } else { whole as u64 };
        ends[bucket] = end;
        power = power * 21 / 20;
        bucket += 1;
    }
    ends
}

/// The bucket a value falls into.
pub(super) fn bucket_of(value: u64) -> u16 {
    let bucket = UPPER.partition_point(|end| *end < value);
    u16::try_from(bucket).expect("there are 912 buckets, and the last one ends at the largest value")
}

/// The point between a bucket's smallest and largest value from which both are equally far by ratio.
pub(super) fn middle_of(bucket: u16) -> f64 {
    let at = usize::from(bucket).min(BUCKETS - 1);
    let largest = as_f64(UPPER[at]);
    let smallest = if at == 0 { 0.0 } else { as_f64(UPPER[at - 1].saturating_add(1)) };
    if smallest >= largest { largest } else { 2.0 * smallest * largest / (smallest + largest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_grow_by_a_twentieth_up_to_the_largest_value() {
        assert_eq!(UPPER[0], 0);
        assert_eq!(UPPER[1], 1);
        assert_eq!(UPPER[BUCKETS - 1], u64::MAX);
        assert!(UPPER[BUCKETS - 2] < u64::MAX);
        for pair in UPPER.windows(2) {
            assert!(pair[0] <= pair[1]);
            assert!(as_f64(pair[1]) <= as_f64(pair[0]).mul_add(1.050_000_1, 1.05), "{pair:?}");
        }
    }

    #[test]
    fn every_value_is_near_the_middle_of_its_bucket() {
        for value in (0..64).map(|bit| 1_u64 << bit).flat_map(|power| [power - 1, power, power + power / 3]) {
            let middle = middle_of(bucket_of(value));
            assert!((middle - as_f64(value)).abs() <= as_f64(value) * 0.024_4, "{value} {middle}");
        }
    }
}
