//! Durations in logarithmic buckets: few bytes, percentiles within 2.5 %, and adding two loses nothing.
//!
//! Each bucket's upper end is 1.05 times that of the one below. The ends are whole numbers made by integer arithmetic,
//! so a value falls into the same bucket on every machine, and counts add up whatever the order.

mod bounds;
mod encoding;

pub use encoding::Corrupt;

/// Counts of whole values (microseconds for durations) with weights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Bucket and count, ascending, no count is zero.
    buckets: Vec<(u16, u64)>,
    sum: u64,
    /// The smallest and the largest value; None while nothing was counted.
    extremes: Option<(u64, u64)>,
}

impl Histogram {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a value so often as its weight says; a sampled row stands for that many. A weight of 0 is nothing.
    pub fn record(&mut self, value: u64, weight: u64) {
        if weight == 0 {
            return;
        }
        self.add(bounds::bucket_of(value), weight);
        self.sum = self.sum.saturating_add(value.saturating_mul(weight));
        self.widen(value, value);
    }

    /// Adds what another has counted. The order of merging never matters.
    pub fn merge(&mut self, other: &Self) {
        for &(bucket, count) in &other.buckets {
            self.add(bucket, count);
        }
        self.sum = self.sum.saturating_add(other.sum);
        if let Some((min, max)) = other.extremes {
            self.widen(min, max);
        }
    }

    /// How many values were counted, weights included.
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The sum of all values, weights included.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// The smallest value, exactly.
    pub fn min(&self) -> Option<u64> {
        self.extremes.map(|(min, _)| min)
    }

    /// The largest value, exactly.
    pub fn max(&self) -> Option<u64> {
        self.extremes.map(|(_, max)| max)
    }

    /// The mean of all values.
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| as_f64(self.sum) / as_f64(count))
    }

    /// The value that a share of all values does not exceed: 0.95 is what most call p95.
    ///
    /// At most 2.44 % from the value that stands at this rank: the point of the bucket that is equally far, by ratio,
    /// from both its ends.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let (min, max) = self.extremes?;
        let count = self.count();
        let rank = rank(share, count);
        if rank == count {
            return Some(as_f64(max));
        }
        let mut below = 0_u64;
        for &(bucket, count) in &self.buckets {
            below = below.saturating_add(count);
            if below >= rank {
                return Some(bounds::middle_of(bucket).clamp(as_f64(min), as_f64(max)));
            }
        }
        Some(as_f64(max))
    }

    /// How many values are at most this one, weights included; those that share its bucket count as at most it.
    pub fn count_up_to(&self, value: u64) -> u64 {
        let last = bounds::bucket_of(value);
        let up_to = self.buckets.iter().take_while(|(bucket, _)| *bucket <= last);
        up_to.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    fn add(&mut self, bucket: u16, count: u64) {
        match self.buckets.binary_search_by_key(&bucket, |(known, _)| *known) {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(count),
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
    }

    fn widen(&mut self, min: u64, max: u64) {
        let (known_min, known_max) = self.extremes.unwrap_or((min, max));
        self.extremes = Some((known_min.min(min), known_max.max(max)));
    }
}

/// The place of a share among so many values, from 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is never negative, and a float beyond the range becomes its end"
)]
fn rank(share: f64, count: u64) -> u64 {
    ((share.clamp(0.0, 1.0) * as_f64(count)).ceil() as u64).clamp(1, count.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "52 bits are far more than a figure on a screen shows")]
pub(crate) const fn as_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_are_exact() {
        for value in [0, 1, 2, 3, 7, 12, 20] {
            let mut histogram = Histogram::new();
            histogram.record(value, 3);
            assert_eq!(histogram.quantile(0.5), Some(as_f64(value)));
            assert_eq!((histogram.count(), histogram.sum()), (3, value * 3));
        }
    }

    #[test]
    fn nothing_counted_has_no_percentile() {
        let mut histogram = Histogram::new();
        histogram.record(5, 0);
        assert_eq!(histogram, Histogram::new());
        assert_eq!((histogram.quantile(0.5), histogram.mean(), histogram.max()), (None, None, None));
    }

    #[test]
    fn a_percentile_never_leaves_what_was_seen() {
        let mut histogram = Histogram::new();
        histogram.record(1_000_003, 1);
        assert_eq!(histogram.quantile(0.99), Some(1_000_003.0));
        histogram.record(u64::MAX, 1);
        assert_eq!(histogram.quantile(1.0), Some(as_f64(u64::MAX)));
        assert_eq!(histogram.sum(), u64::MAX);
    }

    #[test]
    fn values_up_to_one_are_counted_with_their_bucket() {
        let mut histogram = Histogram::new();
        for value in [1_000, 2_000, 4_000] {
            histogram.record(value, 2);
        }
        assert_eq!(histogram.count_up_to(500), 0);
        assert_eq!(histogram.count_up_to(2_000), 4);
        assert_eq!(histogram.count_up_to(u64::MAX), 6);
    }
}
