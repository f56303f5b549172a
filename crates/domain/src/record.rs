//! A row of a synced table in memory, and what is kept about it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::actor::ReadClass;
use crate::ids::{DeviceId, OpId, PersonId, RecordId, Seq, Version};
use crate::schema::{Access, Table};
use crate::value::Value;

/// A row of a synced table.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its table.
    pub table: &'static Table,
    /// Its id.
    pub id: RecordId,
    /// The show it belongs to.
    pub show_id: Uuid,
    /// How many accepted writes it has had.
    pub version: Version,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
    /// Who last wrote it; none for the program itself.
    pub updated_by: Option<PersonId>,
    /// From which device.
    pub device_id: Option<DeviceId>,
    /// When it was deleted, if it was.
    pub deleted_at: Option<DateTime<Utc>>,
    /// One value a field, in the order of [`Table::fields`].
    pub values: Vec<Value>,
    /// Who wrote each ROLE, INBOX and FWW field last, by path. Never leaves the server.
    pub provenance: Provenance,
}

/// By field path: who wrote it last.
pub type Provenance = BTreeMap<String, Mark>;

/// Who wrote a field last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The record's version that wrote it.
    pub version: Version,
    /// The author's rank (see [`crate::actor::Actor::rank`]).
    pub rank: i64,
    /// The author.
    pub by: Option<PersonId>,
}

impl Record {
    /// Whether the row is live.
    pub fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// The value of a field that the caller knows to exist.
    pub fn value(&self, path: &str) -> &Value {
        &self.values[self.table.index(path)]
    }

    /// The columns that a reader of this class may see, as pulled `data`.
    pub fn data(&self, class: ReadClass) -> Map<String, Json> {
        data_of(self.table, &self.values, class)
    }
}

/// Values as pulled `data`: every column the class may see, null included; a JSON column is an object of its set keys.
pub fn data_of(table: &Table, values: &[Value], class: ReadClass) -> Map<String, Json> {
    let mut data = Map::new();
    for column in &table.columns {
        let mut visible = column.fields.iter().filter(|index| may_see(table.fields[**index].access, class)).peekable();
        if visible.peek().is_none() {
            continue;
        }
        let json = if column.is_object {
            let keys = visible.filter(|index| !values[**index].is_null()).filter_map(|index| {
                table.fields[*index].key.map(|key| (key.to_owned(), values[*index].to_json()))
            });
            Json::Object(keys.collect())
        } else {
            values[column.fields[0]].to_json()
        };
        data.insert(column.name.to_owned(), json);
    }
    data
}

/// Reads a stored snapshot back. Unknown columns are passed over, absent ones are null; a value that no longer fits is an error with its column.
pub fn values_of(table: &Table, data: &Map<String, Json>) -> Result<Vec<Value>, &'static str> {
    let mut values = vec![Value::Null; table.fields.len()];
    for column in &table.columns {
        let Some(json) = data.get(column.name) else { continue };
        for index in &column.fields {
            let field = &table.fields[*index];
            let json = field.key.map_or(Some(json), |key| json.get(key));
            if let Some(json) = json {
                values[*index] = field.kind.decode(json).map_err(|_| column.name)?;
            }
        }
    }
    Ok(values)
}

fn may_see(access: Access, class: ReadClass) -> bool {
    match access {
        Access::Public => true,
        Access::Staff => class >= ReadClass::Staff,
        Access::Office => class >= ReadClass::Office,
    }
}

/// One version of a record, kept for the show's life (`record_history`).
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// The record's table.
    pub table: &'static Table,
    /// The record.
    pub record_id: RecordId,
    /// The version this row tells of.
    pub version: Version,
    /// Its whole `data` (office class) as JSON text.
    pub snapshot: String,
    /// Whether the row was deleted then.
    pub deleted: bool,
    /// The feed number of the write.
    pub seq: Seq,
    /// Who wrote; none for the program itself.
    pub actor: Option<PersonId>,
    /// From which device.
    pub device_id: Option<DeviceId>,
    /// The op that caused it.
    pub op_id: Option<OpId>,
    /// When, by the desk's clock.
    pub at: DateTime<Utc>,
    /// Why, where a reason was given.
    pub reason: Option<String>,
}

/// A record's place in the current-state feed (`sync_changes`): one row a record.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// The record's table.
    pub table: &'static Table,
    /// The record.
    pub record_id: RecordId,
    /// The number of its newest change or touch.
    pub seq: Seq,
    /// Its version.
    pub version: Version,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Who changed it.
    pub changed_by: Option<PersonId>,
    /// The op that changed it.
    pub op_id: Option<OpId>,
    /// Whether viewers may see it now.
    pub public: bool,
    /// Whether viewers could ever see it.
    pub ever_public: bool,
    /// Fields in dispute, while a clash about the record is open.
    pub disputed: Vec<String>,
    /// `data` for the office class, as JSON text.
    pub data: String,
    /// `data` for staff, where it differs.
    pub data_staff: Option<String>,
    /// `data` for viewers, where it differs.
    pub data_public: Option<String>,
}
