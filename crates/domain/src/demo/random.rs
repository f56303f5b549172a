//! Chance that is the same on every machine and in every release.

use uuid::{Builder, Uuid};

/// The moment that made-up ids carry: 2026-01-01T00:00:00Z in milliseconds.
const ID_EPOCH_MS: u64 = 1_767_225_600_000;

/// `SplitMix64` (Steele, Lea, Flood 2014): small, and good enough for invented animals.
#[derive(Debug)]
pub(super) struct Random {
    state: u64,
    ids: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed, ids: 0 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("usize has at most 64 bits");
        usize::try_from(self.next() % bound).expect("it is below a usize")
    }

    /// A number within the bounds, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = usize::try_from(high - low + 1).expect("low is not above high");
        low + i64::try_from(self.below(width)).expect("it is below an i64")
    }

    /// True that often in a hundred.
    pub(super) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// A `UUIDv7` of our own past: ordered as they were made.
    pub(super) fn id(&mut self) -> Uuid {
        self.ids += 1;
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        Builder::from_unix_timestamp_millis(ID_EPOCH_MS + self.ids, &bytes).into_uuid()
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
