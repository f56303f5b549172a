//! Fresh ids and secrets: the only place of the engine that asks for randomness.

use rand::RngCore;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A new time-ordered id (`UUIDv7`) of that moment, in milliseconds since 1970.
pub(crate) fn fresh_id(at_ms: u64) -> Uuid {
    let mut random = [0_u8; 10];
    rand::rng().fill_bytes(&mut random);
    uuid::Builder::from_unix_timestamp_millis(at_ms, &random).into_uuid()
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
