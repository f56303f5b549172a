//! The percentiles of our histogram beside those of `hdrhistogram` on the same values.

use hdrhistogram::Histogram as Reference;
use proptest::prelude::*;
use showdesk_telemetry::histogram::Histogram;

/// Our error and the reference's own, which counts values in steps of a ten-thousandth.
const DISTANCE_MAX: f64 = 0.025;

const SHARES: [f64; 9] = [0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];

/// An hour in microseconds: nothing measured is longer.
const LONGEST: u64 = 3_600_000_000;

/// How durations are spread: 1 is even, 2 has one long tail, 3 two humps, 4 steps, 5 is always about the same.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the values are made to be positive and below an hour"
)]
fn spread(kind: u8, scale: u64, dice: f64) -> u64 {
    let scale = scale as f64;
    let value = match kind {
        0 => dice * scale,
        1 => -scale * (1.0 - dice).ln(),
        2 => scale * (1.0 - dice).powf(-0.8),
        3 if dice < 0.7 => dice.mul_add(scale, scale),
        3 => dice.mul_add(scale, 50.0 * scale),
        4 => (dice * 7.0).floor() * scale,
        _ => dice.mul_add(scale / 100.0, scale),
    };
    (value as u64).min(LONGEST)
}

fn values() -> impl Strategy<Value = Vec<(u64, u64)>> {
    (0..6_u8, 1..2_000_000_u64).prop_flat_map(|(kind, scale)| {
        let value = (0.0..1.0_f64).prop_map(move |dice| spread(kind, scale, dice));
        prop::collection::vec((value, 1..40_u64), 1..600)
    })
}

fn counted(values: &[(u64, u64)]) -> Histogram {
    let mut histogram = Histogram::new();
    for (value, weight) in values {
        histogram.record(*value, *weight);
    }
    histogram
}

proptest! {
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "below an hour a float is exact")]
    fn percentiles_are_within_two_and_a_half_percent(values in values()) {
        let ours = counted(&values);
        let mut reference = Reference::<u64>::new_with_bounds(1, 2 * LONGEST, 4).unwrap();
        for (value, weight) in &values {
            reference.record_n(*value, *weight).unwrap();
        }
        for share in SHARES {
            let expected = reference.value_at_quantile(share) as f64;
            let found = ours.quantile(share).unwrap();
            prop_assert!((found - expected).abs() <= DISTANCE_MAX * expected, "{} at {}: {} or {}", values.len(), share, found, expected);
        }
        prop_assert_eq!(ours.count(), reference.len());
    }

    #[test]
    fn the_order_of_merging_never_matters(
        parts in prop::collection::vec(values(), 1..6), order in any::<prop::sample::Index>(), keys: [u64; 6],
    ) {
        let parts: Vec<Histogram> = parts.iter().map(|values| counted(values)).collect();
        let mut whole = Histogram::new();
        for part in &parts {
            whole.merge(part);
        }
        // Another order, and another way of grouping: two halves that are merged in the end.
        let mut shuffled: Vec<_> = parts.iter().zip(keys).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let (left, right) = shuffled.split_at(order.index(parts.len()));
        let mut other = Histogram::new();
        let mut half = Histogram::new();
        for (part, _) in left {
            half.merge(part);
        }
        for (part, _) in right {
            other.merge(part);
        }
        other.merge(&half);
        prop_assert_eq!(other.encode(), whole.encode());
        prop_assert_eq!(other, whole);
    }

    #[test]
    fn a_stored_minute_is_small(values in values()) {
        let histogram = counted(&values);
        // A bucket costs two bytes as long as its count is below 128, and three below 16,384.
        prop_assert!(histogram.encode().len() <= 22 + 4 * values.len());
    }
}

#[test]
fn a_minute_of_a_busy_show_takes_a_few_hundred_bytes() {
    let mut histogram = Histogram::new();
    // 6,000 answers between 2 ms and 700 ms, most of them quick.
    for number in 0..6_000_u64 {
        histogram.record(2_000 + (number * number) % 40_000 + if number % 50 == 0 { 660_000 } else { 0 }, 1);
    }
    let bytes = histogram.encode().len();
    assert!((60..=365).contains(&bytes), "{bytes}");
}
