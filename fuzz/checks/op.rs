//! What must hold for any JSON that a client sends as an op. The fuzzer and an ordinary test both ask it.

use serde_json::value::RawValue;
use showdesk_domain::op::decode;
use showdesk_domain::schema::{known_table, tables};

/// The codes of checks 1 to 8, which depend on nothing stored.
const CODES: [&str; 14] = [
    "invalid_op_id",
    "unknown_table",
    "unknown_operation",
    "unknown_field",
    "read_only_field",
    "invalid_version",
    "empty",
    "required",
    "invalid_type",
    "out_of_range",
    "invalid_character",
    "invalid_time",
    "too_large",
    "invalid_id",
];

/// Panics if the bytes make the reading of ops do what it never may.
pub(crate) fn check(bytes: &[u8]) {
    // The server hands over what is JSON and nothing else.
    let Ok(raw) = serde_json::from_slice::<Box<RawValue>>(bytes) else { return };
    let (first, again) = (decode(&raw), decode(&raw));
    match (first, again) {
        (Ok(op), Ok(same)) => {
            assert_eq!((op.id, &op.patch, &op.sent), (same.id, &same.patch, &same.sent), "the same twice");
            assert!(tables().iter().any(|table| std::ptr::eq(table, op.table)), "a table of ours");
            let fields = known_table(op.table.name).fields.len();
            let named = op.patch.keys().chain(op.base.iter().flat_map(|base| base.keys()));
            named.for_each(|field| assert!(*field < fields, "a field of ours"));
            assert!(!has_nul(&op.sent), "what is stored can be stored");
        }
        (Err(refused), Err(same)) => {
            assert_eq!(refused.rejection.code, same.rejection.code, "the same twice");
            assert!(CODES.contains(&refused.rejection.code), "a code of ours: {}", refused.rejection.code);
            assert!(!refused.rejection.detail.is_empty(), "a sentence for people");
            assert!(!has_nul(&refused.sent), "what is stored can be stored");
        }
        (first, _) => panic!("once taken, once refused: {first:?}"),
    }
}

/// Postgres stores no U+0000.
fn has_nul(sent: &showdesk_domain::op::Sent) -> bool {
    let texts = [&sent.table_name, &sent.operation, &sent.payload_sha256];
    let json = [Some(&sent.data), sent.base.as_ref(), sent.txn.as_ref()].into_iter().flatten().map(ToString::to_string);
    let escaped = json.into_iter().any(|json| json.replace("\\\\", "").contains("\\u0000"));
    escaped || texts.iter().any(|text| text.contains('\0')) || sent.reason.iter().any(|text| text.contains('\0'))
}
