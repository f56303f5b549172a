//! Rows and people for the tests of this crate.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use uuid::Uuid;

use crate::actor::{Actor, DeviceKind, Function, Permissions, Role, Scope};
use crate::ids::{DeviceId, PersonId};
use crate::record::values_of;
use crate::schema::Table;
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
