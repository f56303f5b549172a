//! Ops that no client makes: each is to be refused, alone, and its neighbours are to pass.

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::chance::Chance;
use super::fields::Key;

/// A text with something wrong in it.
pub(super) fn poison(chance: &mut Chance, op_id: Uuid, key: Key, seq: i64, other_op: Option<Uuid>) -> Box<RawValue> {
    let mut op = json!({
        "op_id": op_id.to_string(), "device_seq": seq, "table_name": key.0, "record_id": key.1.to_string(),
        "operation": "update", "base_version": 1, "data": {"note": "poison"},
    });
    match chance.below(16) {
        0 => op["op_id"] = json!("not an id"),
        1 => op["table_name"] = json!("sync_queue"),
        2 => op["operation"] = json!("drop"),
        3 => op["data"] = json!({"color": "red"}),
        4 => op["data"] = json!({"version": 99}),
        5 => op["base_version"] = json!(0),
        6 => op["base_version"] = json!(9_000_000_000_000_i64),
        7 => op["data"] = json!({}),
        8 => op["data"] = json!({"pen": {"deep": [[[[[]]]]]}}),
        9 => op["data"] = json!({"note": "nul\u{0}"}),
        10 => op["record_id"] = json!("00000000-0000-0000-0000-00000000000G"),
        11 => op["prev_op_id"] = other_op.map_or(json!(7), |id| json!(id.to_string())),
        12 => op["txn"] = json!({"id": op_id.to_string(), "size": 3}),
        13 => op["record_id"] = json!(Uuid::new_v5(&op_id, b"nowhere").to_string()),
        14 => return raw("17"),
        _ => op = json!({"op_id": op_id.to_string(), "device_seq": "first", "data": [1.0, -1e300]}),
    }
    raw(&op.to_string())
}

fn raw(text: &str) -> Box<RawValue> {
    let json: Json = serde_json::from_str(text).expect("it is JSON, if nothing else");
    serde_json::value::to_raw_value(&json).expect("a JSON value can be written")
}
