//! Fresh ids and secrets: the only place of the engine that asks for randomness.

use chrono::{DateTime, Utc};
use rand::RngCore;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A new time-ordered id (`UUIDv7`) of that moment; of 1970 before that.
pub(crate) fn fresh_id(at: DateTime<Utc>) -> Uuid {
    let at_ms = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let mut random = [0_u8; 10];
    rand::rng().fill_bytes(&mut random);
    uuid::Builder::from_unix_timestamp_millis(at_ms, &random).into_uuid()
}

/// Ids of one moment, each later one above the one before: what is made in one transaction keeps its order.
pub(crate) fn fresh_ids(at: DateTime<Utc>) -> impl FnMut() -> Uuid {
    // A cleared bit below the version's leaves room to count up without touching it.
    let mut next = fresh_id(at).as_u128() & !(1 << 61);
    move || {
        next += 1;
        Uuid::from_u128(next)
    }
}

/// `N` random bytes.
pub(crate) fn secret<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// Four random digits that two screens show.
pub(crate) fn check_number() -> String {
    format!("{:04}", rand::rng().next_u32() % 10_000)
}

/// What is stored of a secret.
pub(crate) fn sha256(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_transaction_keep_their_order() {
        let mut fresh = fresh_ids(DateTime::from_timestamp_secs(1_780_000_000).unwrap());
        let ids: Vec<Uuid> = (0..5_000).map(|_| fresh()).collect();
        let is_v7 = |id: &Uuid| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
        assert!(ids.is_sorted() && ids.iter().all(is_v7));
    }
}
