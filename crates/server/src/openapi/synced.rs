//! Schemas of what is synced, made from the descriptors of the tables.

use serde_json::{Map, Value, json};
use showdesk_domain::schema::{self, Access, Column, Field, Table};
use showdesk_domain::value::{Kind, TextForm};

use super::reference;

/// Most values of a list column.
const LIST_VALUES_MAX: usize = 500;

/// Adds each table's `data`, its changes, and the ops and pages that carry them.
pub(super) fn add(schemas: &mut Map<String, Value>) {
    for table in schema::tables() {
        schemas.insert(type_name(table), table_schema(table));
        schemas.insert(change_name(table), change_schema(table));
    }
    schemas.insert("Change".to_owned(), any_change_schema());
    schemas.insert("PullAnswer".to_owned(), pull_answer_schema());
    schemas.insert("TableName".to_owned(), json!({"type": "string", "enum": table_names()}));
    schemas.insert("Op".to_owned(), op_schema());
}

/// `weigh_ins` → `WeighIns`.
fn type_name(table: &Table) -> String {
    table
        .name
        .split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// `weigh_ins` → `WeighInsChange`.
fn change_name(table: &Table) -> String {
    type_name(table) + "Change"
}

fn table_names() -> Vec<&'static str> {
    schema::tables().iter().map(|table| table.name).collect()
}

/// The `data` of a pulled change: every column the reader may see, null where there is no value.
fn table_schema(table: &Table) -> Value {
    let mut properties = Map::new();
    let mut always = Vec::new();
    for column in &table.columns {
        properties.insert(column.name.to_owned(), column_schema(table, column));
        if column.fields.iter().any(|index| table.fields[*index].access == Access::Public) {
            always.push(column.name);
        }
    }
    for (name, schema) in written_by_the_desk() {
        properties.insert(name.to_owned(), schema);
        always.push(name);
    }
    json!({
        "type": "object",
        "description": "The columns the reader may see. One it may not see is absent, never null.",
        "properties": properties,
        "required": always,
    })
}

/// What every row tells about its last write; ops never set it.
fn written_by_the_desk() -> [(&'static str, Value); 4] {
    let instant = json!({"type": "string", "format": "date-time", "readOnly": true});
    let id = json!({"type": ["string", "null"], "format": "uuid", "readOnly": true});
    [("created_at", instant.clone()), ("updated_at", instant), ("updated_by", id.clone()), ("device_id", id)]
}

fn column_schema(table: &Table, column: &Column) -> Value {
    if !column.is_object {
        return field_schema(&table.fields[column.fields[0]]);
    }
    let keys = column.fields.iter().filter_map(|index| {
        let field = &table.fields[*index];
        field.key.map(|key| (key.to_owned(), field_schema(field)))
    });
    json!({
        "type": "object",
        "description": "Keys without a value are absent. An update patches the keys it gives.",
        "properties": keys.collect::<Map<_, _>>(),
        "additionalProperties": false,
    })
}

fn field_schema(field: &Field) -> Value {
    let mut schema = kind_schema(&field.kind);
    if !field.required {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    }
    if !field.default.is_null() {
        schema["default"] = field.default.to_json();
    }
    schema
}

fn kind_schema(kind: &Kind) -> Value {
    match kind {
        Kind::Text { max_chars, form: TextForm::Plain } => {
            json!({"type": "string", "minLength": 1, "maxLength": max_chars})
        }
        Kind::Text { max_chars, form: TextForm::Code } => json!({
            "type": "string", "minLength": 1, "maxLength": max_chars, "description": "Trimmed, in ASCII upper case.",
        }),
        Kind::Text { max_chars, form: TextForm::Zone } => json!({
            "type": "string", "minLength": 1, "maxLength": max_chars, "description": "A time zone of the IANA database.",
        }),
        Kind::Int { min, max } => json!({"type": "integer", "format": "int64", "minimum": min, "maximum": max}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Instant => json!({"type": "string", "format": "date-time"}),
        Kind::Date => json!({"type": "string", "format": "date"}),
        Kind::Id(_) => json!({"type": "string", "format": "uuid"}),
        Kind::Choice(words) => json!({"type": "string", "enum": words}),
        Kind::List(kind) => json!({"type": "array", "items": kind_schema(kind), "maxItems": LIST_VALUES_MAX}),
    }
}

fn change_schema(table: &Table) -> Value {
    json!({
        "type": "object",
        "properties": {
            "seq": {"type": "integer", "format": "int64", "description": "Its number in the feed."},
            "table_name": {"type": "string", "enum": [table.name]},
            "record_id": {"type": "string", "format": "uuid"},
            "version": {"type": "integer", "format": "int64"},
            "op": {
                "type": "string", "enum": ["upsert", "delete", "revoke"],
                "description": "revoke: the reader may not see the record any more.",
            },
            "data": {
                "description": "With upsert.",
                "anyOf": [reference(&type_name(table)), {"type": "null"}],
            },
            "disputed": {
                "type": "array", "items": {"type": "string"},
                "description": "Fields that a person must decide; present while a clash is open.",
            },
        },
        "required": ["seq", "table_name", "record_id", "version", "op"],
    })
}

fn any_change_schema() -> Value {
    let refs = schema::tables().iter().map(|table| (table.name, reference(&change_name(table))));
    let mapping: Map<String, Value> =
        refs.clone().map(|(table, reference)| (table.to_owned(), reference["$ref"].clone())).collect();
    let one_of: Vec<Value> = refs.map(|(_, reference)| reference).collect();
    json!({
        "description": "The present state of one record.",
        "oneOf": one_of,
        "discriminator": {"propertyName": "table_name", "mapping": mapping},
    })
}

fn pull_answer_schema() -> Value {
    json!({
        "type": "object",
        "description": "A page of changes. It may be empty while `has_more` is true.",
        "properties": {
            "epoch": {"type": "string", "format": "uuid"},
            "changes": {"type": "array", "items": reference("Change")},
            "cursor": {"type": "string", "description": "Opaque; where the next page begins."},
            "has_more": {"type": "boolean"},
            "clock": {"type": "integer", "format": "int64", "description": "The newest change number."},
        },
        "required": ["epoch", "changes", "cursor", "has_more", "clock"],
    })
}

/// One change as its author made it.
fn op_schema() -> Value {
    let id = json!({"type": "string", "format": "uuid"});
    let optional_id = json!({"type": ["string", "null"], "format": "uuid"});
    json!({
        "type": "object",
        "description": "One change as its author made it. Null members may be absent.",
        "properties": {
            "op_id": id,
            "device_seq": {"type": "integer", "format": "int64", "description": "Orders the ops of one push."},
            "txn": {
                "anyOf": [
                    {
                        "type": "object", "properties": {"id": id, "size": {"type": "integer"}},
                        "required": ["id", "size"], "additionalProperties": false,
                    },
                    {"type": "null"},
                ],
                "description": "Ops that stand or fall together.",
            },
            "table_name": reference("TableName"),
            "record_id": id,
            "operation": {"type": "string", "enum": ["insert", "update", "delete"]},
            "base_version": {
                "type": "integer", "format": "int64", "minimum": 0,
                "description": "The version the author had adopted from the desk; 0 exactly for insert.",
            },
            "prev_op_id": {
                "type": ["string", "null"], "format": "uuid",
                "description": "This device's latest op on the record that was not adopted when the edit was made.",
            },
            "epoch": optional_id,
            "reason": {"type": ["string", "null"]},
            "data": {"type": "object", "additionalProperties": true, "description": "The fields that change."},
            "base": {
                "type": ["object", "null"], "additionalProperties": true,
                "description": "What the author saw in these fields.",
            },
            "client_time": {"type": ["string", "null"], "format": "date-time"},
        },
        "required": ["op_id", "device_seq", "table_name", "record_id", "operation", "base_version", "data"],
        "additionalProperties": false,
    })
}
