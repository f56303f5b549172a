//! Reads one op from a phone's JSON: checks 1 to 8 of PROTOCOL.md §4, in their order.
//!
//! These checks depend on nothing stored, so their answers leak nothing. An op that fails one of
//! them is kept with its error as far as it can be read; its neighbours are not touched.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Op, Operation, Refused, Rejection, Sent, Txn};
use crate::ids::{OpId, RecordId, Version, natural_id};
use crate::schema::upcast::{Members, upcast};
use crate::schema::{self, Policy, SCHEMA_VERSION, Table};
use crate::value::{Kind, Value, ValueError, decode_id, parse_instant};

/// Largest op (SECURITY.md §5).
const OP_BYTES_MAX: usize = 64 * 1024;
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
    let mut parts: Members = serde_json::from_str(raw.get()).unwrap_or_default();
    let hash = payload_sha256(raw, &parts);
    let strange = rewrite(schema, &mut parts).err();
    let sent = Sent::read(raw, &parts, hash);
    let op_id = match parts.get("op_id").and_then(|text| serde_json::from_str::<String>(text.get()).ok()) {
        Some(text) => decode_id(&text).ok().map(OpId),
        None => None,
    };
    let Some(id) = op_id else {
        let rejection = Rejection::new("invalid_op_id", "op_id must be a lower-case hyphenated UUID");
        return Err(Box::new(Refused { id: None, sent, rejection }));
    };
    Checker { raw, parts: &parts, strange, sent: &sent }
        .check(id)
        .map_err(|rejection| Box::new(Refused { id: Some(id), sent: sent.clone(), rejection }))
}

/// Gives the fields of `data` and `base` their present names. `Err` names one that its version did not have.
fn rewrite(schema: i64, parts: &mut Members) -> Result<(), String> {
    let table: Option<String> = parts.get("table_name").and_then(|raw| serde_json::from_str(raw.get()).ok());
    let Some(table) = table.filter(|_| schema != SCHEMA_VERSION) else { return Ok(()) };
    for part in ["data", "base"] {
        let members: Option<Members> = parts.get(part).and_then(|raw| serde_json::from_str(raw.get()).ok());
        let Some(members) = members else { continue };
        let present = to_raw_value(&upcast(schema, &table, members)?).expect("members of an object are an object");
        parts.insert(part.to_owned(), present);
    }
    Ok(())
}

impl Sent {
    fn read(raw: &RawValue, parts: &Members, payload_sha256: String) -> Self {
        let json = |key: &str| parts.get(key).and_then(|text| serde_json::from_str::<Json>(text.get()).ok());
        let storable = |json: &Json| !contains_nul(json);
        let text =
            |key: &str| json(key).and_then(|json| json.as_str().map(str::to_owned)).filter(|text| !text.contains('\0'));
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
            device_seq: json("device_seq").and_then(|json| json.as_i64()).unwrap_or(0),
            table_name: text("table_name").unwrap_or_default(),
            record_id: uuid("record_id").map(RecordId),
            operation: text("operation").unwrap_or_default(),
            data,
            base: json("base").filter(|base| !base.is_null() && storable(base)),
            base_version: json("base_version").and_then(|json| json.as_i64()).unwrap_or(0),
            prev_op_id: uuid("prev_op_id").map(OpId),
            txn: json("txn").filter(|txn| !txn.is_null() && storable(txn)),
            epoch: uuid("epoch"),
            reason: text("reason"),
            client_time: text("client_time").and_then(|text| parse_instant(&text)),
            payload_sha256,
        }
    }
}

/// What identifies an op's content: SHA-256 of its RFC 8785 JSON (PROTOCOL.md §3), or of its text where it has none.
fn payload_sha256(raw: &RawValue, parts: &Members) -> String {
    let keys = ["table_name", "record_id", "operation", "base_version", "prev_op_id", "txn", "data", "base", "reason"];
    let mut content = Map::new();
    for key in keys {
        let json = match parts.get(key) {
            None => Some(Json::Null),
            Some(text) => serde_json::from_str(text.get()).ok(),
        };
        match json {
            Some(json) => content.insert(key.to_owned(), json),
            None => return hex(&Sha256::digest(raw.get().as_bytes())),
        };
    }
    match serde_json_canonicalizer::to_vec(&Json::Object(content)) {
        Ok(canonical) => hex(&Sha256::digest(canonical)),
        Err(_) => hex(&Sha256::digest(raw.get().as_bytes())),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
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
    parts: &'a Members,
    /// A field of today in an op of an older version, which had none of that name.
    strange: Option<String>,
    sent: &'a Sent,
}

type Patch = BTreeMap<usize, Value>;

impl Checker<'_> {
    fn check(&self, id: OpId) -> Result<Op, Rejection> {
        let table = self.table()?;
        let operation = self.operation()?;
        let data = self.object("data");
        let base = self.object("base");
        self.check_keys(table, operation, data.as_ref(), base.as_ref())?;
        check_writable(table, data.as_ref())?;
        let base_version = self.base_version(operation)?;
        if operation == Operation::Update && data.as_ref().is_none_or(BTreeMap::is_empty) {
            return Err(Rejection::new("empty", "an update must set at least one field"));
        }
        let mut faults = Faults::default();
        let record_id = self.record_id(&mut faults);
        let patch = decode_values(table, data, &mut faults, "data");
        let base = self.parts.contains_key("base").then(|| decode_values(table, base, &mut faults, "base"));
        let base = if self.sent.base.is_some() { base } else { None };
        check_required(table, operation, &patch, &mut faults);
        let op = Op {
            id,
            device_seq: self.sent.device_seq,
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
            client_time: self.sent.client_time,
            sent: self.sent.clone(),
        };
        self.check_rest(&op, &mut faults);
        faults.into_result(op)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.parts.get(key).and_then(|text| serde_json::from_str::<String>(text.get()).ok())
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
    fn object(&self, key: &str) -> Option<Members> {
        self.parts.get(key).and_then(|text| serde_json::from_str(text.get()).ok())
    }

    fn check_keys(
        &self,
        table: &Table,
        operation: Operation,
        data: Option<&Members>,
        base: Option<&Members>,
    ) -> Result<(), Rejection> {
        if let Some(key) = self.parts.keys().find(|key| !OP_KEYS.contains(&key.as_str())) {
            return Err(Rejection::unknown_field(key));
        }
        if let Some(name) = &self.strange {
            return Err(Rejection::unknown_field(name));
        }
        if operation == Operation::Delete
            && let Some(key) = data.and_then(|data| data.keys().next())
        {
            return Err(Rejection::unknown_field(key));
        }
        for (key, raw) in data.into_iter().chain(base).flatten() {
            let Some(column) = table.column(key) else {
                if SERVER_COLUMNS.contains(&key.as_str()) {
                    continue;
                }
                return Err(Rejection::unknown_field(key));
            };
            if !column.is_object {
                continue;
            }
            let keys: Members = serde_json::from_str(raw.get()).unwrap_or_default();
            let known = |inner: &String| table.field(&format!("{key}.{inner}")).is_some();
            if let Some(inner) = keys.keys().find(|inner| !known(inner)) {
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
        let txn: Option<Txn> = serde_json::from_str(raw.get()).ok().filter(|txn: &Txn| (1..=500).contains(&txn.size));
        let id = serde_json::from_str::<Json>(raw.get()).ok();
        let id = id.as_ref().and_then(|txn| txn.get("id")?.as_str()).map(decode_id);
        if matches!(id, Some(Err(_))) && txn.is_some() {
            faults.add("txn.id", ValueError::new("invalid_id", "a lower-case hyphenated UUID is expected"));
            return None;
        }
        if txn.is_none() {
            faults.add("txn", ValueError::new("invalid_type", "txn is {id, size}, of at most 500 ops"));
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
    fn check_rest(&self, op: &Op, faults: &mut Faults) {
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

fn decode_values(table: &Table, object: Option<Members>, faults: &mut Faults, part: &str) -> Patch {
    let mut patch = Patch::new();
    for (name, raw) in object.into_iter().flatten() {
        let Some(column) = table.column(&name) else { continue };
        if !column.is_object {
            decode_value(table, column.fields[0], &raw, faults, part, &mut patch);
            continue;
        }
        match serde_json::from_str::<Option<Members>>(raw.get()) {
            Ok(Some(keys)) => {
                for (key, raw) in keys {
                    let index = table.index(&format!("{name}.{key}"));
                    decode_value(table, index, &raw, faults, part, &mut patch);
                }
            }
            Ok(None) => patch.extend(column.fields.iter().map(|index| (*index, Value::Null))),
            Err(_) => faults.add(&name, ValueError::new("invalid_type", "an object is expected")),
        }
    }
    patch
}

fn decode_value(table: &Table, index: usize, raw: &RawValue, faults: &mut Faults, part: &str, patch: &mut Patch) {
    let field = &table.fields[index];
    let decoded = match serde_json::from_str::<Json>(raw.get()) {
        Ok(json) if !(json.is_f64() && is_whole(raw)) => field.kind.decode(&json),
        // A number too large to be read is a number all the same.
        _ if matches!(field.kind, Kind::Int { .. } | Kind::List(_)) => {
            Err(ValueError::new("out_of_range", "the number is too large"))
        }
        _ => field.kind.decode(&Json::from(f64::MAX)),
    };
    match decoded {
        Ok(Value::Null) if field.required && part == "data" => {
            faults.add(field.path, ValueError::new("required", "a value is needed"));
        }
        Ok(value) => {
            patch.insert(index, value);
        }
        Err(error) => faults.add(field.path, error),
    }
}

/// Whether a number was written without a fraction or an exponent.
fn is_whole(raw: &RawValue) -> bool {
    !raw.get().contains(['.', 'e', 'E'])
}

fn check_required(table: &Table, operation: Operation, patch: &Patch, faults: &mut Faults) {
    if operation != Operation::Insert {
        return;
    }
    for (index, field) in table.fields.iter().enumerate() {
        if field.required && field.default.is_null() && !patch.contains_key(&index) && !faults.has(field.path) {
            faults.add(field.path, ValueError::new("required", "a value is needed"));
        }
    }
}

/// The id that a row's natural key gives, if its table has one and the fields are there.
pub fn natural_id_of(table: &Table, patch: &BTreeMap<usize, Value>) -> Option<Uuid> {
    let key = table.natural_key?;
    let id = |index: usize| patch.get(&index).and_then(Value::as_id);
    let name = id(key.name).or_else(|| key.name_otherwise.and_then(id))?;
    Some(natural_id(id(key.namespace)?, name))
}

fn check_writable(table: &Table, data: Option<&Members>) -> Result<(), Rejection> {
    for name in data.into_iter().flat_map(BTreeMap::keys) {
        let Some(column) = table.column(name) else {
            return Err(Rejection::read_only(name));
        };
        if column.fields.iter().any(|index| table.fields[*index].policy == Policy::Derived) {
            return Err(Rejection::read_only(name));
        }
    }
    Ok(())
}

/// The codes of check 8, in the order in which they decide.
const VALUE_CODES: &[&str] =
    &["required", "invalid_type", "out_of_range", "invalid_character", "invalid_time", "too_large", "invalid_id"];

/// All values of one op that were refused; the first code in the protocol's order is the op's.
#[derive(Default)]
struct Faults {
    code: Option<&'static str>,
    fields: BTreeMap<String, String>,
}

impl Faults {
    fn add(&mut self, field: &str, error: ValueError) {
        let place = |code: &str| VALUE_CODES.iter().position(|known| *known == code);
        if self.code.is_none_or(|code| place(error.code) < place(code)) {
            self.code = Some(error.code);
        }
        self.fields.entry(field.to_owned()).or_insert(error.detail);
    }

    fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    fn is_empty(&self) -> bool {
        self.code.is_none()
    }

    fn into_result(self, op: Op) -> Result<Op, Rejection> {
        match self.code {
            None => Ok(op),
            Some(code) => {
                let detail = self.fields.iter().map(|(field, detail)| format!("{field}: {detail}")).collect::<Vec<_>>();
                Err(Rejection { code, detail: detail.join("; "), fields: self.fields })
            }
        }
    }
}
