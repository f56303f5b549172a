//! One change as its author made it: drafted at the desk, or decoded from a phone's JSON.

mod decode;
mod hash;
mod values;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

pub use self::decode::{decode, decode_from};
pub use self::values::natural_id_of;
use crate::ids::{OpId, RecordId, Version};
use crate::schema::Table;
use crate::value::Value;

/// What an op does to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Makes the row.
    Insert,
    /// Sets some of its fields.
    Update,
    /// Deletes it softly.
    Delete,
}

impl Operation {
    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// Reads the word of the protocol.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Insert, Self::Update, Self::Delete].into_iter().find(|operation| operation.as_str() == word)
    }
}

/// A change the desk itself makes: an import, the demo show, a correction. It travels like a phone's.
#[derive(Debug, Clone, PartialEq)]
pub struct OpDraft {
    /// Fresh and never used before.
    pub op_id: Uuid,
    /// A synced table.
    pub table_name: &'static str,
    /// The row.
    pub record_id: Uuid,
    /// What happens to it.
    pub operation: Operation,
    /// The version the change was made on; 0 for an insert.
    pub base_version: i64,
    /// The fields set.
    pub data: Map<String, Json>,
    /// Their values before, for an update.
    pub base: Option<Map<String, Json>>,
    /// Why, kept in history.
    pub reason: Option<String>,
}

/// An op that passed checks 1 to 8 of PROTOCOL.md §4.
#[derive(Debug, Clone)]
pub struct Op {
    /// Its id.
    pub id: OpId,
    /// Its place among the device's ops.
    pub device_seq: i64,
    /// The atomic group it belongs to.
    pub txn: Option<Txn>,
    /// The record's table.
    pub table: &'static Table,
    /// The record.
    pub record_id: RecordId,
    /// What happens to it.
    pub operation: Operation,
    /// The version its author had last adopted.
    pub base_version: Version,
    /// The device's op before on the record, not adopted then.
    pub prev_op_id: Option<OpId>,
    /// The epoch stamped on it after a restore.
    pub epoch: Option<Uuid>,
    /// Why, where the author gave a reason.
    pub reason: Option<String>,
    /// The fields set, by index.
    pub patch: BTreeMap<usize, Value>,
    /// The author's values of these fields before.
    pub base: Option<BTreeMap<usize, Value>>,
    /// The author's clock when it was made.
    pub client_time: Option<DateTime<Utc>>,
    /// As it was sent, for the queue.
    pub sent: Sent,
}

impl Op {
    /// The change that a decision makes, to be checked like any other. It is never filed.
    pub(crate) fn of_decision(
        table: &'static Table,
        record_id: RecordId,
        operation: Operation,
        patch: BTreeMap<usize, Value>,
        reason: Option<&str>,
    ) -> Self {
        let sent = Sent {
            echo: Json::Null,
            device_seq: 0,
            table_name: table.name.to_owned(),
            record_id: Some(record_id),
            operation: operation.as_str().to_owned(),
            data: Json::Null,
            base: None,
            base_version: 0,
            prev_op_id: None,
            txn: None,
            epoch: None,
            reason: reason.map(str::to_owned),
            client_time: None,
            payload_sha256: String::new(),
        };
        Self {
            id: OpId(Uuid::nil()),
            device_seq: 0,
            txn: None,
            table,
            record_id,
            operation,
            base_version: Version(0),
            prev_op_id: None,
            epoch: None,
            reason: sent.reason.clone(),
            patch,
            base: None,
            client_time: None,
            sent,
        }
    }
}

/// An atomic group of ops, all in one push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Txn {
    /// The group.
    pub id: Uuid,
    /// How many ops it has.
    pub size: i64,
}

/// An op that failed one of the checks 1 to 8.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Its id, if that could be read.
    pub id: Option<OpId>,
    /// As it was sent.
    pub sent: Sent,
    /// Why.
    pub rejection: Rejection,
}

/// An op's parts as they were sent, as far as they can be read and stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// `op_id` whatever it was, to be echoed.
    pub echo: Json,
    /// 0 if unreadable.
    pub device_seq: i64,
    /// Empty if unreadable.
    pub table_name: String,
    /// The record, if its id could be read.
    pub record_id: Option<RecordId>,
    /// Empty if unreadable.
    pub operation: String,
    /// `{"unreadable": text}` where it cannot be stored.
    pub data: Json,
    /// The author's values before.
    pub base: Option<Json>,
    /// 0 if unreadable.
    pub base_version: i64,
    /// The device's op before on the record.
    pub prev_op_id: Option<OpId>,
    /// `{id, size}`.
    pub txn: Option<Json>,
    /// The epoch stamped on it.
    pub epoch: Option<Uuid>,
    /// The author's reason.
    pub reason: Option<String>,
    /// The author's clock.
    pub client_time: Option<DateTime<Utc>>,
    /// Hex.
    pub payload_sha256: String,
}

/// Why an op was rejected: a stable code, a sentence, the same for single fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Stable code of PROTOCOL.md §4.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: String,
    /// The same for single fields.
    pub fields: BTreeMap<String, String>,
}

impl Rejection {
    /// A rejection of the op as a whole.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fields: BTreeMap::new() }
    }

    /// A rejection because of one field.
    pub fn of_field(code: &'static str, field: &str, detail: impl Into<String>) -> Self {
        let (field, detail) = (storable_name(field), detail.into());
        Self { code, fields: BTreeMap::from([(field.clone(), detail.clone())]), detail: format!("{field}: {detail}") }
    }

    fn unknown_field(field: &str) -> Self {
        Self::of_field("unknown_field", field, "there is no such field here")
    }

    fn read_only(field: &str) -> Self {
        Self::of_field("read_only_field", field, "only the desk writes this field")
    }

    /// As it stands in the queue and in answers.
    pub fn to_json(&self) -> Json {
        serde_json::json!({ "code": self.code, "detail": self.detail, "fields": self.fields })
    }
}

/// A name as it was sent, fit to be stored on both engines and short enough to be shown.
fn storable_name(name: &str) -> String {
    const NAME_CHARS_MAX: usize = 200;
    name.chars()
        .take(NAME_CHARS_MAX)
        .map(|char| if char == '\0' { char::REPLACEMENT_CHARACTER } else { char })
        .collect()
}

impl OpDraft {
    /// The draft as a decoded op. `device_seq` is its place among the desk's ops.
    ///
    /// Drafts come from our own code and pass the same checks as a phone's JSON.
    pub fn decode(&self, device_seq: i64) -> Result<Op, Box<Refused>> {
        let mut json = serde_json::json!({
            "op_id": self.op_id.to_string(),
            "device_seq": device_seq,
            "table_name": self.table_name,
            "record_id": self.record_id.to_string(),
            "operation": self.operation.as_str(),
            "base_version": self.base_version,
            "data": self.data,
        });
        if let Some(base) = &self.base {
            json["base"] = Json::Object(base.clone());
        }
        if let Some(reason) = &self.reason {
            json["reason"] = Json::String(reason.clone());
        }
        let raw = serde_json::value::to_raw_value(&json).expect("a JSON value can be written");
        decode(&raw)
    }
}

/// A stored op again, to be decided once more. `Err` if it was refused when it came.
pub fn from_queued(queued: &crate::queue::QueuedOp) -> Result<Op, Box<Refused>> {
    let json = serde_json::json!({
        "op_id": queued.id,
        "device_seq": queued.device_seq,
        "txn": queued.txn,
        "table_name": queued.table_name,
        "record_id": queued.record_id,
        "operation": queued.operation,
        "base_version": queued.version,
        "prev_op_id": queued.prev_op_id,
        "epoch": queued.epoch,
        "reason": queued.reason,
        "data": queued.data,
        "base": queued.base,
        "client_time": queued.client_time.map(crate::value::instant_text),
    });
    let raw = serde_json::value::to_raw_value(&json).expect("a JSON value can be written");
    decode(&raw)
}

/// The op that makes the one row of `shows`: stage A, unit lb.
pub fn new_show(show_id: Uuid, op_id: Uuid, name: &str, timezone: &str) -> OpDraft {
    let data = [("name", name), ("timezone", timezone), ("stage", "A"), ("weight_unit", "lb")];
    OpDraft {
        op_id,
        table_name: "shows",
        record_id: show_id,
        operation: Operation::Insert,
        base_version: 0,
        data: data.into_iter().map(|(field, text)| (field.to_owned(), Json::from(text))).collect(),
        base: None,
        reason: None,
    }
}
