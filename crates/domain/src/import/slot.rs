//! A row that lines of the file talk about: what it is in the show, and what the lines want it to be.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use crate::op::{OpDraft, Operation};
use crate::record::Record;
use crate::value::Value;

/// An exhibitor, a class or an animal of the file.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pub(super) table_name: &'static str,
    pub(super) id: Uuid,
    /// The row in the show, if it is there.
    pub(super) existing: Option<&'a Record>,
    /// What the file says, with the line that said it first.
    wanted: BTreeMap<&'static str, (Value, usize)>,
}

/// A field that an earlier line of the file set to something else.
#[derive(Debug)]
pub(super) struct Clash {
    pub(super) field: &'static str,
    pub(super) line: usize,
    pub(super) value: Value,
}

impl<'a> Slot<'a> {
    pub(super) fn existing(record: &'a Record) -> Self {
        let wanted = BTreeMap::new();
        Self { table_name: record.table.name, id: record.id.0, existing: Some(record), wanted }
    }

    pub(super) fn new(table_name: &'static str, id: Uuid) -> Self {
        Self { table_name, id, existing: None, wanted: BTreeMap::new() }
    }

    /// The value the field will have when the lines read so far are imported.
    pub(super) fn value(&self, field: &str) -> Value {
        let wanted = self.wanted.get(field).map(|(value, _)| value);
        wanted.or_else(|| self.existing.map(|record| record.value(field))).cloned().unwrap_or(Value::Null)
    }

    /// The line that set the field.
    pub(super) fn line_of(&self, field: &str) -> Option<usize> {
        self.wanted.get(field).map(|(_, line)| *line)
    }

    /// The first of these values that contradicts an earlier line. Blank cells contradict nothing.
    pub(super) fn clash(&self, values: &[(&'static str, &Value)]) -> Option<Clash> {
        values.iter().find_map(|(field, value)| {
            let (earlier, line) = self.wanted.get(field)?;
            let contradicts = !value.is_null() && earlier != *value;
            contradicts.then(|| Clash { field, line: *line, value: earlier.clone() })
        })
    }

    /// Takes a line's values; blank cells change nothing. Answers `[old, new]` of what differs from the show.
    pub(super) fn want(&mut self, values: &[(&'static str, &Value)], line: usize) -> Map<String, Json> {
        let mut changes = Map::new();
        for (field, value) in values.iter().filter(|(_, value)| !value.is_null()) {
            self.wanted.entry(field).or_insert_with(|| ((*value).clone(), line));
            if let Some(old) = self.existing.map(|record| record.value(field)).filter(|old| old != value) {
                changes.insert((*field).to_owned(), json!([old.to_json(), value.to_json()]));
            }
        }
        changes
    }

    /// The write that brings the show to what the file wants, if there is anything to write.
    pub(super) fn into_op(self, ids: &mut dyn FnMut() -> Uuid) -> Option<OpDraft> {
        let Some(record) = self.existing else {
            let data = self.wanted.iter().map(|(field, (value, _))| ((*field).to_owned(), value.to_json()));
            return Some(insert(ids(), self.table_name, self.id, data.collect()));
        };
        let mut data = Map::new();
        let mut base = Map::new();
        for (field, (value, _)) in &self.wanted {
            let old = record.value(field);
            if old != value {
                data.insert((*field).to_owned(), value.to_json());
                base.insert((*field).to_owned(), old.to_json());
            }
        }
        (!data.is_empty()).then(|| OpDraft {
            op_id: ids(),
            table_name: self.table_name,
            record_id: self.id,
            operation: Operation::Update,
            base_version: record.version.0,
            data,
            base: Some(base),
            reason: Some(REASON.to_owned()),
        })
    }
}

const REASON: &str = "Entries file";

/// The op that makes a row.
pub(super) fn insert(op_id: Uuid, table_name: &'static str, record_id: Uuid, data: Map<String, Json>) -> OpDraft {
    OpDraft {
        op_id,
        table_name,
        record_id,
        operation: Operation::Insert,
        base_version: 0,
        data,
        base: None,
        reason: Some(REASON.to_owned()),
    }
}
