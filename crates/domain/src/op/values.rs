//! Reads an op's fields against their table: check 5 and what check 8 says of values.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::decode::{Name, Parts};
use super::{Operation, Rejection};
use crate::ids::natural_id;
use crate::schema::{Policy, Table};
use crate::value::{Kind, Value, ValueError};

/// The values of a row that an op names, by their fields.
pub(super) type Patch = BTreeMap<usize, Value>;

/// The values of an object as the table keeps them; those that cannot be taken are faults.
pub(super) fn decode_values(table: &Table, object: Option<Parts<'_>>, faults: &mut Faults, part: &str) -> Patch {
    let mut patch = Patch::new();
    for (name, raw) in object.into_iter().flatten() {
        let name = name.as_str();
        let Some(column) = table.column(name) else { continue };
        if !column.is_object {
            decode_value(table, column.fields[0], raw, faults, part, &mut patch);
            continue;
        }
        match serde_json::from_str::<Option<Parts<'_>>>(raw.get()) {
            Ok(Some(keys)) => {
                for (key, raw) in keys {
                    let index = table.index(&format!("{name}.{}", key.as_str()));
                    decode_value(table, index, raw, faults, part, &mut patch);
                }
            }
            Ok(None) => patch.extend(column.fields.iter().map(|index| (*index, Value::Null))),
            Err(_) => faults.add(name, ValueError::new("invalid_type", "an object is expected")),
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

/// What an insert must say and does not is a fault.
pub(super) fn check_required(table: &Table, operation: Operation, patch: &Patch, faults: &mut Faults) {
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

/// Refuses fields that only the desk writes.
pub(super) fn check_writable(table: &Table, data: Option<&Parts<'_>>) -> Result<(), Rejection> {
    for name in data.into_iter().flat_map(BTreeMap::keys).map(Name::as_str) {
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
pub(super) struct Faults {
    code: Option<&'static str>,
    fields: BTreeMap<String, String>,
}

impl Faults {
    pub(super) fn add(&mut self, field: &str, error: ValueError) {
        let place = |code: &str| VALUE_CODES.iter().position(|known| *known == code);
        if self.code.is_none_or(|code| place(error.code) < place(code)) {
            self.code = Some(error.code);
        }
        self.fields.entry(field.to_owned()).or_insert(error.detail);
    }

    fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.code.is_none()
    }

    pub(super) fn into_result<T>(self, op: T) -> Result<T, Rejection> {
        match self.code {
            None => Ok(op),
            Some(code) => {
                let detail = self.fields.iter().map(|(field, detail)| format!("{field}: {detail}")).collect::<Vec<_>>();
                Err(Rejection { code, detail: detail.join("; "), fields: self.fields })
            }
        }
    }
}
