//! A row's values by path, as phones and the checker compare them: `tag`, `rules.class_cap`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use showdesk_domain::schema::{Policy, Table, known_table};
use uuid::Uuid;

/// A row of a synced table.
pub(super) type Key = (&'static str, Uuid);

/// Values by path.
pub(super) type Fields = BTreeMap<String, Json>;

/// Live rows with their versions.
pub(super) type Rows = BTreeMap<Key, (i64, Fields)>;

/// The values that some columns hold; a key that a JSON column does not have is null.
pub(super) fn spread(table: &Table, data: &Map<String, Json>) -> Fields {
    let mut fields = Fields::new();
    for column in &table.columns {
        let Some(json) = data.get(column.name) else { continue };
        for index in &column.fields {
            let field = &table.fields[*index];
            let value = match field.key {
                Some(key) => json.get(key).cloned().unwrap_or(Json::Null),
                None => json.clone(),
            };
            fields.insert(field.path.to_owned(), value);
        }
    }
    fields
}

/// The columns that hold these values: what an op's `data` and `base` carry.
pub(super) fn gather(table: &Table, fields: &Fields) -> Map<String, Json> {
    let mut data = Map::new();
    for (path, value) in fields {
        let field = &table.fields[table.index(path)];
        let column = table.columns[field.column].name.to_owned();
        match field.key {
            None => {
                data.insert(column, value.clone());
            }
            Some(key) => {
                let object = data.entry(column).or_insert_with(|| Json::Object(Map::new()));
                let object = object.as_object_mut().expect("a JSON column holds an object");
                object.insert(key.to_owned(), value.clone());
            }
        }
    }
    data
}

/// What a new row holds before its author set anything.
pub(super) fn defaults(table: &Table) -> Fields {
    table.fields.iter().map(|field| (field.path.to_owned(), field.default.to_json())).collect()
}

/// Whether the desk computes this value.
pub(super) fn is_derived(table: &Table, path: &str) -> bool {
    table.field(path).is_some_and(|index| table.fields[index].policy == Policy::Derived)
}

/// A row in a trace: the table and the end of its id.
pub(super) fn short(key: Key) -> String {
    format!("{}/{}", key.0, tail(key.1))
}

/// The end of an id, enough to tell two apart in a trace.
pub(super) fn tail(id: Uuid) -> String {
    let text = id.simple().to_string();
    text[text.len() - 5..].to_owned()
}

/// Values in a trace.
pub(super) fn in_words(table_name: &str, fields: &Fields) -> String {
    Json::Object(gather(known_table(table_name), fields)).to_string()
}
