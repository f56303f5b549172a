//! Rows and people for the tests of this crate.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::actor::{Actor, DeviceKind, Function, Permissions, Role, Scope};
use crate::ids::{DeviceId, PersonId, RecordId, Version};
use crate::record::{Provenance, Record, values_of};
use crate::schema::{Table, known_table};
use crate::value::Value;

/// Somebody who may do nearly everything but is no admin.
pub(crate) fn actor() -> Actor {
    Actor {
        person: PersonId(Uuid::from_u128(1)),
        person_name: "Maria".to_owned(),
        device: DeviceId(Uuid::from_u128(2)),
        device_kind: DeviceKind::Phone,
        role: Role::Editor,
        functions: vec![Function::Superintendent, Function::Scale, Function::Checkin],
        scope: Scope::default(),
        permissions: Permissions::default(),
    }
}

/// A row's values from the columns named.
pub(crate) fn values(table: &Table, data: &Json) -> Vec<Value> {
    values_of(table, data.as_object().expect("an object")).expect("values that fit")
}

/// A patch from the fields named.
pub(crate) fn patch(table: &Table, data: &Json) -> BTreeMap<usize, Value> {
    let fields = data.as_object().expect("an object").iter();
    fields
        .map(|(path, json)| (table.index(path), table.fields[table.index(path)].kind.decode(json).expect("a value")))
        .collect()
}

/// A row with these columns.
pub(crate) fn record(table: &str, number: u128, data: &Json) -> Record {
    let table = known_table(table);
    let at = DateTime::from_timestamp_millis(1_786_093_443_120).expect("a moment");
    Record {
        table,
        id: RecordId(Uuid::from_u128(number)),
        show_id: Uuid::from_u128(9),
        version: Version(1),
        created_at: at,
        updated_at: at,
        updated_by: None,
        device_id: None,
        deleted_at: None,
        values: values(table, data),
        provenance: Provenance::new(),
    }
}
