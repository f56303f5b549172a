//! Reads one op from a phone's JSON: checks 1 to 8 of PROTOCOL.md §4, in their order.
//!
//! These checks depend on nothing stored, so their answers leak nothing. An op that fails one of
//! them is kept with its error as far as it can be read; its neighbours are not touched.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::hash::payload_sha256;
use super::values::{Faults, Patch, check_required, check_writable, decode_values, natural_id_of};
use super::{Op, Operation, Refused, Rejection, Sent, Txn};
use crate::ids::{OpId, RecordId, Version};
use crate::schema::upcast::{Members, upcast};
use crate::schema::{self, SCHEMA_VERSION, Table};
use crate::value::{ValueError, decode_id, parse_instant};

/// Largest op (SECURITY.md §5).
const OP_BYTES_MAX: usize = 64 * 1024;
/// Most ops of one group: as many as the desk may push at once. A phone's push ends before that.
const TXN_OPS_MAX: i64 = 20_000;
/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 10_000;
/// What every synced row has and only the desk writes.
const SERVER_COLUMNS: &[&str] = &[
    "id",
    "show_id",
    "version",
    "created_at",
    "updated_at",
    "updated_by",
    "device_id",
    "deleted_at",
    "provenance",
    "public",
    "ever_public",
];
const OP_KEYS: &[&str] = &[
    "op_id",
    "device_seq",
    "txn",
    "table_name",
    "record_id",
    "operation",
    "base_version",
    "prev_op_id",
    "epoch",
    "reason",
    "data",
    "base",
    "client_time",
];

/// Reads one op. `Err` holds what could be read of it and why it was refused.
pub fn decode(raw: &RawValue) -> Result<Op, Box<Refused>> {
    decode_from(SCHEMA_VERSION, raw)
}

/// Reads one op that was written in an older version of the synced tables. It is kept in the present one; its hash stays
/// that of what was sent.
pub fn decode_from(schema: i64, raw: &RawValue) -> Result<Op, Box<Refused>> {
    let sent_parts: Parts<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let hash = payload_sha256(raw, &sent_parts);
    let rewritten = rewrite(schema, &sent_parts);
    let mut parts = sent_parts;
    let strange = rewritten.as_ref().err().cloned();
    for (part, present) in rewritten.iter().flatten() {
        parts.insert(Name(Cow::Borrowed(part)), present);
    }
    let sent = Sent::read(raw, &parts, hash);
    let op_id = text_of(&parts, "op_id").and_then(|text| decode_id(&text).ok());
    let Some(id) = op_id.map(OpId) else {
        let rejection = Rejection::new("invalid_op_id", "op_id must be a lower-case hyphenated UUID");
        return Err(Box::new(Refused { id: None, sent, rejection }));
    };
    match (Checker { raw, parts: &parts, strange, sent: &sent }).check() {
        Ok(checked) => Ok(checked.into_op(id, sent)),
        Err(rejection) => Err(Box::new(Refused { id: Some(id), sent, rejection })),
    }
}

/// The members of an object, each as it stands there: nothing of them is copied.
pub(super) type Parts<'a> = BTreeMap<Name<'a>, &'a RawValue>;

/// A member's name. Only one that is written with escapes is a text of its own.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(super) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Name<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A member that is a text.
fn text_of<'a>(parts: &Parts<'a>, key: &str) -> Option<Cow<'a, str>> {
    parts.get(key).and_then(|raw| serde_json::from_str::<Name<'_>>(raw.get()).ok()).map(|text| text.0)
}

/// `data` and `base` with the present names of their fields, if an older version wrote them. `Err` names a field that
/// its version did not have.
fn rewrite(schema: i64, parts: &Parts<'_>) -> Result<Vec<(&'static str, Box<RawValue>)>, String> {
    let table = text_of(parts, "table_name").filter(|_| schema != SCHEMA_VERSION);
    let Some(table) = table else { return Ok(Vec::new()) };
    let mut rewritten = Vec::new();
    for part in ["data", "base"] {
        let members: Option<Members> = parts.get(part).and_then(|raw| serde_json::from_str(raw.get()).ok());
        let Some(members) = members else { continue };
        let present = to_raw_value(&upcast(schema, &table, members)?).expect("members of an object are an object");
        rewritten.push((part, present));
    }
    Ok(rewritten)
}

impl Sent {
    fn read(raw: &RawValue, parts: &Parts<'_>, payload_sha256: String) -> Self {
        let json = |key: &str| parts.get(key).and_then(|raw| serde_json::from_str::<Json>(raw.get()).ok());
        let storable = |json: &Json| !contains_nul(json);
        let text = |key: &str| text_of(parts, key).filter(|text| !text.contains('\0'));
        let number = |key: &str| parts.get(key).and_then(|raw| serde_json::from_str::<i64>(raw.get()).ok());
        let data = match parts.get("data") {
            None => Json::Object(Map::new()),
            Some(_) => json("data").filter(storable).unwrap_or_else(|| {
                let mut unreadable = Map::new();
                unreadable.insert("unreadable".to_owned(), Json::String(printable(raw.get())));
                Json::Object(unreadable)
            }),
        };
        let uuid = |key: &str| text(key).and_then(|text| decode_id(&text).ok());
        Self {
            echo: json("op_id").unwrap_or(Json::Null),
            device_seq: number("device_seq").unwrap_or(0),
            table_name: text("table_name").unwrap_or_default().into_owned(),
            record_id: uuid("record_id").map(RecordId),
            operation: text("operation").unwrap_or_default().into_owned(),
            data,
            base: json("base").filter(|base| !base.is_null() && storable(base)),
            base_version: number("base_version").unwrap_or(0),
            prev_op_id: uuid("prev_op_id").map(OpId),
            txn: json("txn").filter(|txn| !txn.is_null() && storable(txn)),
            epoch: uuid("epoch"),
            reason: text("reason").map(Cow::into_owned),
            client_time: text("client_time").and_then(|text| parse_instant(&text)),
            payload_sha256,
        }
    }
}

fn contains_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(contains_nul),
        Json::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || contains_nul(value)),
        _ => false,
    }
}

/// The start of a text that could not be understood, short enough to be kept.
fn printable(text: &str) -> String {
    const KEPT_CHARS: usize = 2_000;
    text.chars().take(KEPT_CHARS).collect()
}

struct Checker<'a> {
    raw: &'a RawValue,
    parts: &'a Parts<'a>,
    /// A field of today in an op of an older version, which had none of that name.
    strange: Option<String>,
    sent: &'a Sent,
}

/// What the checks made of an op's parts.
struct Checked {
    txn: Option<Txn>,
    table: &'static Table,
    record_id: RecordId,
    operation: Operation,
    base_version: Version,
    prev_op_id: Option<OpId>,
    epoch: Option<Uuid>,
    reason: Option<String>,
    patch: Patch,
    base: Option<Patch>,
}

impl Checked {
    fn into_op(self, id: OpId, sent: Sent) -> Op {
        Op {
            id,
            device_seq: sent.device_seq,
            txn: self.txn,
            table: self.table,
            record_id: self.record_id,
            operation: self.operation,
            base_version: self.base_version,
            prev_op_id: self.prev_op_id,
            epoch: self.epoch,
            reason: self.reason,
            patch: self.patch,
            base: self.base,
            client_time: sent.client_time,
            sent,
        }
    }
}

impl Checker<'_> {
    fn check(&self) -> Result<Checked, Rejection> {
        let table = self.table()?;
        let operation = self.operation()?;
        let data = self.object("data");
        let base = self.object("base");
        self.check_keys(table, operation, data.as_ref(), base.as_ref())?;
        check_writable(table, data.as_ref())?;
        let base_version = self.base_version(operation)?;
        // A JSON column of which no key is given sets nothing.
        let sets_something = |(name, value): (&Name<'_>, &&RawValue)| {
            let is_keyed = |index: &usize| table.fields[*index].key.is_some();
            let is_by_key = table.column(name.as_str()).is_some_and(|column| column.fields.iter().any(is_keyed));
            !is_by_key || serde_json::from_str::<Map<String, Json>>(value.get()).map_or(true, |keys| !keys.is_empty())
        };
        if operation == Operation::Update && !data.as_ref().is_some_and(|data| data.iter().any(sets_something)) {
            return Err(Rejection::new("empty", "an update must set at least one field"));
        }
        let mut faults = Faults::default();
        let record_id = self.record_id(&mut faults);
        let patch = decode_values(table, data, &mut faults, "data");
        let base = self.parts.contains_key("base").then(|| decode_values(table, base, &mut faults, "base"));
        let base = if self.sent.base.is_some() { base } else { None };
        check_required(table, operation, &patch, &mut faults);
        let checked = Checked {
            txn: self.txn(&mut faults),
            table,
            record_id: RecordId(record_id),
            operation,
            base_version,
            prev_op_id: self.uuid("prev_op_id", &mut faults).map(OpId),
            epoch: self.uuid("epoch", &mut faults),
            reason: self.reason(&mut faults),
            patch,
            base,
        };
        self.check_rest(&checked, &mut faults);
        faults.into_result(checked)
    }

    fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        text_of(self.parts, key)
    }

    fn table(&self) -> Result<&'static Table, Rejection> {
        self.text("table_name")
            .and_then(|name| schema::table(&name))
            .ok_or_else(|| Rejection::new("unknown_table", "there is no such table"))
    }

    fn operation(&self) -> Result<Operation, Rejection> {
        self.text("operation")
            .and_then(|word| Operation::parse(&word))
            .ok_or_else(|| Rejection::new("unknown_operation", "insert, update or delete is expected"))
    }

    /// The keys of an object, `None` where it is absent, null or no object (the last is found by `check_rest`).
    fn object(&self, key: &str) -> Option<Parts<'_>> {
        self.parts.get(key).and_then(|text| serde_json::from_str(text.get()).ok())
    }

    fn check_keys(
        &self,
        table: &Table,
        operation: Operation,
        data: Option<&Parts<'_>>,
        base: Option<&Parts<'_>>,
    ) -> Result<(), Rejection> {
        if let Some(key) = self.parts.keys().find(|key| !OP_KEYS.contains(&key.as_str())) {
            return Err(Rejection::unknown_field(key.as_str()));
        }
        if let Some(name) = &self.strange {
            return Err(Rejection::unknown_field(name));
        }
        if operation == Operation::Delete
            && let Some(key) = data.and_then(|data| data.keys().next())
        {
            return Err(Rejection::unknown_field(key.as_str()));
        }
        for (key, raw) in data.into_iter().chain(base).flatten() {
            let key = key.as_str();
            let Some(column) = table.column(key) else {
                if SERVER_COLUMNS.contains(&key) {
                    continue;
                }
                return Err(Rejection::unknown_field(key));
            };
            if !column.is_object {
                continue;
            }
            let keys: Parts<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
            let known = |inner: &str| table.field(&format!("{key}.{inner}")).is_some();
            if let Some(inner) = keys.keys().map(Name::as_str).find(|inner| !known(inner)) {
                return Err(Rejection::unknown_field(&format!("{key}.{inner}")));
            }
        }
        Ok(())
    }

    fn base_version(&self, operation: Operation) -> Result<Version, Rejection> {
        let version: Option<i64> = self.parts.get("base_version").and_then(|raw| serde_json::from_str(raw.get()).ok());
        let fits = |version: i64| if operation == Operation::Insert { version == 0 } else { version >= 1 };
        version.filter(|version| fits(*version)).map(Version).ok_or_else(|| {
            Rejection::new("invalid_version", "base_version is 0 for an insert and at least 1 otherwise")
        })
    }

    fn record_id(&self, faults: &mut Faults) -> Uuid {
        let id = self.text("record_id").and_then(|text| decode_id(&text).ok());
        id.unwrap_or_else(|| {
            faults.add("record_id", ValueError::new("invalid_id", "a lower-case hyphenated UUID is expected"));
            Uuid::nil()
        })
    }

    fn txn(&self, faults: &mut Faults) -> Option<Txn> {
        let raw = self.parts.get("txn").filter(|raw| raw.get() != "null")?;
        let fits = |txn: &Txn| (1..=TXN_OPS_MAX).contains(&txn.size);
        let txn: Option<Txn> = serde_json::from_str(raw.get()).ok().filter(fits);
        let id = serde_json::from_str::<Json>(raw.get()).ok();
        let id = id.as_ref().and_then(|txn| txn.get("id")?.as_str()).map(decode_id);
        if matches!(id, Some(Err(_))) && txn.is_some() {
            faults.add("txn.id", ValueError::new("invalid_id", "a lower-case hyphenated UUID is expected"));
            return None;
        }
        if txn.is_none() {
            let detail = format!("txn is {{id, size}}, of at most {TXN_OPS_MAX} ops");
            faults.add("txn", ValueError::new("invalid_type", detail));
        }
        txn
    }

    fn uuid(&self, key: &str, faults: &mut Faults) -> Option<Uuid> {
        self.parts.get(key).filter(|raw| raw.get() != "null")?;
        let id = self.text(key).and_then(|text| decode_id(&text).ok());
        if id.is_none() {
            faults.add(key, ValueError::new("invalid_id", "a lower-case hyphenated UUID is expected"));
        }
        id
    }

    fn reason(&self, faults: &mut Faults) -> Option<String> {
        let raw = self.parts.get("reason").filter(|raw| raw.get() != "null")?;
        match serde_json::from_str::<String>(raw.get()) {
            Ok(text) if text.contains('\0') => {
                faults.add("reason", ValueError::new("invalid_character", "U+0000 cannot be stored"));
                None
            }
            Ok(text) if text.chars().count() > REASON_CHARS_MAX => {
                faults.add("reason", ValueError::new("too_large", "the reason is too long"));
                None
            }
            Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Err(_) => {
                faults.add("reason", ValueError::new("invalid_type", "a text is expected"));
                None
            }
        }
    }

    /// What is left of check 8: the op's own keys, its size, its natural id.
    fn check_rest(&self, op: &Checked, faults: &mut Faults) {
        if self.raw.get().len() > OP_BYTES_MAX {
            faults.add("data", ValueError::new("too_large", "an op holds at most 64 KiB"));
        }
        for part in ["data", "base"] {
            let is_object = |raw: &RawValue| raw.get() == "null" || raw.get().starts_with('{');
            if self.parts.get(part).is_some_and(|raw| !is_object(raw)) {
                faults.add(part, ValueError::new("invalid_type", "an object is expected"));
            }
        }
        let seq: Option<i64> = self.parts.get("device_seq").and_then(|raw| serde_json::from_str(raw.get()).ok());
        if seq.is_none_or(|seq| seq < 0) {
            faults.add("device_seq", ValueError::new("invalid_type", "a whole number from 0 is expected"));
        }
        let time = self.parts.get("client_time").filter(|raw| raw.get() != "null");
        if time.is_some() && self.sent.client_time.is_none() {
            faults.add("client_time", ValueError::new("invalid_time", "a time like 2026-08-07T09:14:03Z is expected"));
        }
        if op.operation == Operation::Insert
            && faults.is_empty()
            && natural_id_of(op.table, &op.patch).is_some_and(|id| id != op.record_id.0)
        {
            faults.add("record_id", ValueError::new("invalid_id", "the id does not follow from the row's natural key"));
        }
    }
}
