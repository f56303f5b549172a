//! The cursor between two pages of a pull: what it holds, and the signature that nobody else can make.
//!
//! Clients keep it and hand it back; whatever comes back is either one of ours or nothing. It decides nothing about
//! where a pull goes on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// What a cursor holds. It is opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) epoch: Uuid,
    pub(crate) seq: i64,
    pub(crate) scope: String,
    pub(crate) schema: i64,
    pub(crate) device: Uuid,
    pub(crate) tables: Vec<String>,
    /// The floor when this reader began without a cursor: it never had what was removed below.
    #[serde(default)]
    pub(crate) floor: i64,
}

impl Cursor {
    /// The text for clients.
    pub(crate) fn sign(&self, key: &[u8]) -> String {
        let body = serde_json::to_vec(self).expect("a cursor is plain data");
        let tag = mac(key, &body).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(body), URL_SAFE_NO_PAD.encode(tag))
    }

    /// Reads what a client handed back; none if it was not signed with this key.
    pub(crate) fn read(key: &[u8], text: &str) -> Option<Self> {
        let (body, tag) = text.split_once('.')?;
        let (body, tag) = (URL_SAFE_NO_PAD.decode(body).ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        mac(key, &body).verify_slice(&tag).ok()?;
        serde_json::from_slice(&body).ok()
    }
}

/// Nothing was begun in the year 10,000 or later; Postgres knows no moments far beyond.
const MOMENT_MS_END: i64 = 253_402_300_800_000;

/// The moment in the cursor of a list, as milliseconds; none if nothing of the list can be of it.
pub(crate) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let at = text.parse().ok().filter(|at| (0..MOMENT_MS_END).contains(at))?;
    DateTime::from_timestamp_millis(at)
}

fn mac(key: &[u8], body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(body);
    mac
}

#[cfg(test)]
#[path = "../../../fuzz/checks/cursor.rs"]
mod check;

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_is_one_that_both_databases_know() {
        assert_eq!(moment("0").map(|at| at.timestamp_millis()), Some(0));
        assert_eq!(moment("253402300799999").map(|at| at.timestamp_millis()), Some(253_402_300_799_999));
        for text in ["", "x", "-1", "1.5", "253402300800000", "8210266876799999", "9223372036854775807"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn every_kept_input_of_the_fuzzer_holds() {
        crate::corpus::replay("cursor", super::check::check);
    }
}
