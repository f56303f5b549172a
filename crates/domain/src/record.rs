//! A row of a synced table in memory, and what is kept about it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::actor::ReadClass;
use crate::ids::{DeviceId, OpId, PersonId, RecordId, Seq, Version};
use crate::schema::{Access, Table};
use crate::value::{Value, instant_text};

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

    /// What a reader of this class pulls: the columns it may see, and who wrote the row when.
    pub fn pulled(&self, class: ReadClass) -> Map<String, Json> {
        object(&Pulled::of(self, class))
    }

    /// The same as a text: every write makes a few of them, so no tree is built for it.
    pub fn pulled_text(&self, class: ReadClass) -> String {
        text(&Pulled::of(self, class))
    }

    /// The table's own columns that a reader of this class may see.
    pub fn data(&self, class: ReadClass) -> Map<String, Json> {
        data_of(self.table, &self.values, class)
    }

    /// The same as a text.
    pub fn data_text(&self, class: ReadClass) -> String {
        text(&Data { table: self.table, values: &self.values, class })
    }
}

/// Values as pulled `data`: every column the class may see, null included; a JSON column is an object of its set keys.
pub fn data_of(table: &Table, values: &[Value], class: ReadClass) -> Map<String, Json> {
    object(&Data { table, values, class })
}

fn object(columns: &impl Serialize) -> Map<String, Json> {
    match serde_json::to_value(columns) {
        Ok(Json::Object(object)) => object,
        _ => unreachable!("columns by their names are an object"),
    }
}

fn text(columns: &impl Serialize) -> String {
    serde_json::to_string(columns).expect("columns by their names are JSON")
}

/// A row on its way to a reader.
#[derive(Serialize)]
struct Pulled<'a> {
    #[serde(flatten)]
    data: Data<'a>,
    created_at: String,
    updated_at: String,
    updated_by: Option<PersonId>,
    device_id: Option<DeviceId>,
}

impl<'a> Pulled<'a> {
    fn of(record: &'a Record, class: ReadClass) -> Self {
        Self {
            data: Data { table: record.table, values: &record.values, class },
            created_at: instant_text(record.created_at),
            updated_at: instant_text(record.updated_at),
            updated_by: record.updated_by,
            device_id: record.device_id,
        }
    }
}

/// Values on their way to a reader.
struct Data<'a> {
    table: &'a Table,
    values: &'a [Value],
    class: ReadClass,
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_map(None)?;
        for column in &self.table.columns {
            let is_visible = |index: &&usize| may_see(self.table.fields[**index].access, self.class);
            let mut visible = column.fields.iter().filter(is_visible).peekable();
            if visible.peek().is_none() {
                continue;
            }
            if column.is_object {
                let key = |index: &usize| self.table.fields[*index].key.map(|key| (key, &self.values[*index]));
                let keys = visible.filter_map(key).filter(|(_, value)| !value.is_null());
                data.serialize_entry(column.name, &keys.collect::<BTreeMap<_, _>>())?;
            } else {
                data.serialize_entry(column.name, &self.values[column.fields[0]])?;
            }
        }
        data.end()
    }
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
                values[*index] = field.kind.decode_stored(json).map_err(|_| column.name)?;
            }
        }
    }
    Ok(values)
}

/// Whether a reader of this class may see a field of that access.
pub fn may_see(access: Access, class: ReadClass) -> bool {
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::schema::{known_table, tables};

    fn row(table: &'static Table) -> Record {
        let at = DateTime::from_timestamp_millis(1_786_093_443_120).expect("a moment");
        Record {
            table,
            id: RecordId(Uuid::from_u128(1)),
            show_id: Uuid::from_u128(2),
            version: Version(1),
            created_at: at,
            updated_at: at,
            updated_by: Some(PersonId(Uuid::from_u128(3))),
            device_id: None,
            deleted_at: None,
            values: table.fields.iter().map(|field| field.default.clone()).collect(),
            provenance: Provenance::new(),
        }
    }

    #[test]
    fn a_json_column_shows_its_set_keys() {
        let mut notice = row(known_table("announcements"));
        let rings = notice.table.index("audience.rings");
        notice.values[rings] = Value::List(vec![Value::Id(Uuid::from_u128(5))]);
        let data = notice.data(ReadClass::Public);
        assert_eq!(data["audience"], json!({"rings": [Uuid::from_u128(5)]}));
        assert_eq!(data["title"], Json::Null);
        assert_eq!(data["priority"], "normal");
    }

    #[test]
    fn each_class_reads_its_columns_and_who_wrote_when() {
        let mut animal = row(known_table("animals"));
        let pen = animal.table.index("pen");
        animal.values[pen] = Value::Text("B\"12".into());
        let (public, staff) = (animal.pulled(ReadClass::Public), animal.pulled(ReadClass::Staff));
        assert_eq!((public.get("pen"), &staff["pen"]), (None, &json!("B\"12")));
        assert_eq!(public["updated_at"], "2026-08-07T09:04:03.120Z");
        assert_eq!(public["updated_by"], json!(Uuid::from_u128(3)));
        assert_eq!(public["device_id"], Json::Null);
    }

    #[test]
    fn texts_say_what_trees_say() {
        for (table, class) in tables()
            .iter()
            .flat_map(|table| [ReadClass::Public, ReadClass::Staff, ReadClass::Office].map(|class| (table, class)))
        {
            let row = row(table);
            let read = |text: String| serde_json::from_str::<Map<String, Json>>(&text).expect("JSON");
            assert_eq!(read(row.data_text(class)), row.data(class), "{} for {class:?}", table.name);
            assert_eq!(read(row.pulled_text(class)), row.pulled(class), "{} for {class:?}", table.name);
        }
    }
}
