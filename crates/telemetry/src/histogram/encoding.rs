//! A histogram as bytes for a row: one form for one content, about two bytes a bucket in use.
//!
//! A format number, then, unless nothing was counted, the smallest value, the distance to the largest, the sum, and
//! for each bucket in use the distance to the one before and its count. All are varints: seven bits a byte, low first.

use super::Histogram;
use super::bounds::{BUCKETS, bucket_of};

/// The format these bytes are in.
const FORMAT: u8 = 1;

/// The bytes are not what [`Histogram::encode`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored histogram cannot be read")]
pub struct Corrupt;

impl Histogram {
    /// The content as bytes. Equal histograms have equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + 3 * self.buckets.len());
        bytes.push(FORMAT);
        let Some((min, max)) = self.extremes else { return bytes };
        for value in [min, max - min, self.sum] {
            push_varint(&mut bytes, value);
        }
        let mut before = 0;
        for &(bucket, count) in &self.buckets {
            push_varint(&mut bytes, u64::from(bucket - before));
            push_varint(&mut bytes, count);
            before = bucket;
        }
        bytes
    }

    /// What [`Self::encode`] wrote; anything else is an error, never a wrong figure.
    pub fn decode(bytes: &[u8]) -> Result<Self, Corrupt> {
        let [FORMAT, rest @ ..] = bytes else { return Err(Corrupt) };
        if rest.is_empty() {
            return Ok(Self::new());
        }
        let mut rest = rest;
        let min = take_varint(&mut rest)?;
        let max = min.checked_add(take_varint(&mut rest)?).ok_or(Corrupt)?;
        let sum = take_varint(&mut rest)?;
        let mut buckets: Vec<(u16, u64)> = Vec::new();
        while !rest.is_empty() {
            let step = u16::try_from(take_varint(&mut rest)?).map_err(|_| Corrupt)?;
            let count = take_varint(&mut rest)?;
            let before = buckets.last().map_or(0, |(bucket, _)| *bucket);
            let bucket = before.checked_add(step).filter(|bucket| usize::from(*bucket) < BUCKETS).ok_or(Corrupt)?;
            if count == 0 || (step == 0 && !buckets.is_empty()) {
                return Err(Corrupt);
            }
            buckets.push((bucket, count));
        }
        let ends = (buckets.first().map(|(bucket, _)| *bucket), buckets.last().map(|(bucket, _)| *bucket));
        if ends != (Some(bucket_of(min)), Some(bucket_of(max))) {
            return Err(Corrupt);
        }
        Ok(Self { buckets, sum, extremes: Some((min, max)) })
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

/// Takes one varint off the front; a longer form than needed is refused, so that one content has one form.
fn take_varint(bytes: &mut &[u8]) -> Result<u64, Corrupt> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte, rest @ ..] = *bytes else { return Err(Corrupt) };
        *bytes = rest;
        let low = u64::from(byte & 0x7f);
        if shift == 63 && low > 1 {
            return Err(Corrupt);
        }
        value |= low << shift;
        if byte & 0x80 == 0 {
            return if *byte == 0 && shift > 0 { Err(Corrupt) } else { Ok(value) };
        }
    }
    Err(Corrupt)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_form_is_stable() {
        let mut histogram = Histogram::new();
        histogram.record(250, 1);
        histogram.record(1_000, 300);
        // 1 | 250 | 750 | 300,250 | bucket 115, 1 | 28 further, 300.
        let bytes = [1, 0xfa, 1, 0xee, 5, 0xda, 0xa9, 0x12, 115, 1, 28, 0xac, 2];
        assert_eq!(histogram.encode(), bytes);
        assert_eq!(Histogram::decode(&bytes), Ok(histogram));
        assert_eq!(Histogram::new().encode(), [1]);
        assert_eq!(Histogram::decode(&[1]), Ok(Histogram::new()));
    }

    #[test]
    fn bytes_of_another_form_are_refused() {
        let cases: [&[u8]; 9] = [
            &[],
            &[2],
            &[1, 5],
            &[1, 5, 0, 5],
            // A count of zero, a bucket twice, a bucket that does not hold the extremes.
            &[1, 1, 0, 1, 1, 0],
            &[1, 1, 0, 1, 1, 1, 0, 1],
            &[1, 1, 0, 1, 2, 1],
            // A number in a longer form than needed, and one beyond 64 bits.
            &[1, 0x81, 0, 0, 1, 1, 1],
            &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 1, 1, 1],
        ];
        for bytes in cases {
            assert_eq!(Histogram::decode(bytes), Err(Corrupt), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_again(values in prop::collection::vec((any::<u64>(), 1..50_u64), 0..80)) {
            let mut histogram = Histogram::new();
            for (value, weight) in values {
                histogram.record(value >> (value % 64), weight);
            }
            prop_assert_eq!(Histogram::decode(&histogram.encode()), Ok(histogram));
        }

        #[test]
        fn whatever_can_be_read_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let bytes = [&[FORMAT], bytes.as_slice()].concat();
            if let Ok(histogram) = Histogram::decode(&bytes) {
                prop_assert_eq!(histogram.encode(), bytes);
            }
        }
    }
}
