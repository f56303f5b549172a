//! Rows of the synced tables. Every text is made once from the table's descriptor.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value as Json;
use showdesk_domain::ids::{RecordId, Version};
use showdesk_domain::record::Record;
use showdesk_domain::schema::{Column, Field, Table, tables};
use showdesk_domain::value::{Kind, Value};
use uuid::Uuid;

use crate::db::Value as Bound;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked};
use crate::{Result, Tx};

/// The columns that every synced table has, before its own.
const COMMON: &[&str] =
    &["id", "show_id", "version", "created_at", "updated_at", "updated_by", "device_id", "deleted_at", "provenance"];
/// What an update leaves as it was.
const KEPT: &[&str] = &["id", "show_id", "created_at"];
/// Rows that are deleted stand in no index.
const LIVE: &str = "deleted_at";

/// The statements of one table.
struct Statements {
    columns: Vec<&'static str>,
    load: Chunked,
    all: &'static str,
    count_live: &'static str,
    save: Chunked,
    save_values: Chunked,
    by_reference: HashMap<usize, Chunked>,
    by_unique: Vec<Chunked>,
}

static STATEMENTS: LazyLock<HashMap<&'static str, Statements>> =
    LazyLock::new(|| tables().iter().map(|table| (table.name, Statements::of(table))).collect());

/// The numbers of the desk's first page; live rows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverviewCounts {
    /// Exhibitors.
    pub exhibitors: i64,
    /// Animals.
    pub animals: i64,
    /// Entries.
    pub entries: i64,
    /// Classes.
    pub classes: i64,
    /// Rings.
    pub rings: i64,
    /// Animals with `arrived_at`.
    pub checked_in: i64,
    /// Animals with an official weight.
    pub weighed: i64,
}

/// Rows by their ids, live or not, in no order. An id that does not exist has no row.
pub async fn load(tx: &mut Tx, table: &'static Table, ids: &[RecordId]) -> Result<Vec<Record>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let statements = Statements::get(table);
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in statements.load.cut(&ids) {
        statements.read_into(&mut found, tx, (sql, bound(chunk)), table).await?;
    }
    Ok(found)
}

/// Rows, live or not, whose reference field is one of the ids.
pub async fn load_by(tx: &mut Tx, table: &'static Table, field: usize, ids: &[Uuid]) -> Result<Vec<Record>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let statements = Statements::get(table);
    let mut found = Vec::new();
    for (sql, chunk) in statements.by_reference[&field].cut(&ids) {
        statements.read_into(&mut found, tx, (sql, bound(chunk)), table).await?;
    }
    Ok(found)
}

/// Live rows of the show whose unique fields have one of the keys; a key has one value a field of the rule.
pub async fn load_by_unique(
    tx: &mut Tx,
    table: &'static Table,
    unique: usize,
    show: Uuid,
    keys: &[Vec<Value>],
) -> Result<Vec<Record>> {
    let statements = Statements::get(table);
    let fields = &table.uniques[unique].fields;
    let mut found = Vec::new();
    for (sql, chunk) in statements.by_unique[unique].cut(keys) {
        let keys = chunk
            .iter()
            .flat_map(|key| fields.iter().zip(key).map(|(field, value)| bind(&table.fields[*field].kind, value)));
        let values = std::iter::once(Bound::from(show)).chain(keys).collect();
        statements.read_into(&mut found, tx, (sql, values), table).await?;
    }
    Ok(found)
}

/// All live rows, by id.
pub async fn load_all(tx: &mut Tx, table: &'static Table) -> Result<Vec<Record>> {
    let statements = Statements::get(table);
    let mut found = Vec::new();
    statements.read_into(&mut found, tx, (statements.all, Vec::new()), table).await?;
    Ok(found)
}

/// Inserts or updates rows of one table. `created_at` and `show_id` of a row that exists stay.
pub async fn save(tx: &mut Tx, records: &[&Record]) -> Result<()> {
    let Some(first) = records.first() else { return Ok(()) };
    debug_assert!(records.iter().all(|record| record.table == first.table), "one call saves rows of one table");
    // A row that gives a tag back must be written before the row that takes it.
    let mut records = records.to_vec();
    records.sort_by_key(|record| takes_keys(record));
    save_by(tx, &Statements::get(first.table).save, &records).await
}

/// The same for rows that are there and are found as before: their keys, references and `deleted_at` are those on disk.
///
/// An index is written anew for each column of it that a statement sets, whether its value changes or not: without
/// them an edit costs half as much.
pub async fn save_values(tx: &mut Tx, records: &[&Record]) -> Result<()> {
    let Some(first) = records.first() else { return Ok(()) };
    debug_assert!(records.iter().all(|record| record.table == first.table), "one call saves rows of one table");
    save_by(tx, &Statements::get(first.table).save_values, records).await
}

async fn save_by(tx: &mut Tx, statements: &Chunked, records: &[&Record]) -> Result<()> {
    let values = |chunk: &[&Record]| chunk.iter().flat_map(|record| write(record)).collect();
    tx.execute_each(statements.cut(records).map(|(sql, chunk)| (sql, values(chunk)))).await
}

/// How many live rows a table has.
pub async fn count_live(tx: &mut Tx, table: &'static Table) -> Result<i64> {
    tx.count(Statements::get(table).count_live).await
}

/// The animals are gone through once, and in the index `animals_progress` alone.
pub(crate) const OVERVIEW: &str = "SELECT (SELECT COUNT(*) FROM exhibitors WHERE deleted_at IS NULL), a.live, \
    (SELECT COUNT(*) FROM entries WHERE deleted_at IS NULL), \
    (SELECT COUNT(*) FROM classes WHERE deleted_at IS NULL), \
    (SELECT COUNT(*) FROM rings WHERE deleted_at IS NULL), a.arrived, a.weighed \
    FROM (SELECT COUNT(*) AS live, COUNT(arrived_at) AS arrived, COUNT(official_weight_x10) AS weighed \
    FROM animals WHERE deleted_at IS NULL) AS a";

/// The numbers of the desk's first page.
pub async fn overview_counts(tx: &mut Tx) -> Result<OverviewCounts> {
    let columns = &["exhibitors", "animals", "entries", "classes", "rings", "checked_in", "weighed"];
    let row = tx.row(OVERVIEW, Vec::new()).await?.expect("a count gives one row");
    let mut cells = Cells::new(&row, "overview", columns);
    Ok(OverviewCounts {
        exhibitors: cells.int()?,
        animals: cells.int()?,
        entries: cells.int()?,
        classes: cells.int()?,
        rings: cells.int()?,
        checked_in: cells.int()?,
        weighed: cells.int()?,
    })
}

impl Statements {
    fn get(table: &Table) -> &'static Self {
        &STATEMENTS[table.name]
    }

    fn of(table: &'static Table) -> Self {
        let name = table.name;
        let columns: Vec<&'static str> =
            COMMON.iter().copied().chain(table.columns.iter().map(|column| column.name)).collect();
        let select = sql::select(name, &columns);
        let changeable = columns.iter().copied().filter(|column| !KEPT.contains(column));
        let keys: Vec<&str> = table.keys().map(|field| table.fields[field].path).collect();
        let found_by = |column: &&str| *column == LIVE || keys.contains(column);
        let save = |update: String| {
            Chunked::new(|count| {
                format!("{} ON CONFLICT (id) DO UPDATE SET {update}", sql::insert(name, &columns, count))
            })
        };
        let by_keys = |keys: &[&str]| Chunked::new(|count| sql::select_by_keys(name, &columns, keys, 1, count));
        let by_reference = table.references().map(|(field, _)| (field, by_keys(&[table.fields[field].path])));
        let by_unique = table.uniques.iter().map(|unique| {
            let keys: Vec<&str> = unique.fields.iter().map(|field| table.fields[*field].path).collect();
            Chunked::new(|count| {
                let select = sql::select_by_keys(name, &columns, &keys, 2, count);
                format!("{select} AND t.deleted_at IS NULL AND t.show_id = $1")
            })
        });
        Self {
            load: by_keys(&["id"]),
            all: sql::keep(format!("{select} WHERE deleted_at IS NULL ORDER BY id")),
            count_live: sql::keep(format!("SELECT COUNT(*) FROM \"{name}\" WHERE deleted_at IS NULL")),
            save: save(sql::excluded(changeable.clone())),
            save_values: save(sql::excluded(changeable.filter(|column| !found_by(column)))),
            by_reference: by_reference.collect(),
            by_unique: by_unique.collect(),
            columns,
        }
    }

    async fn read_into(
        &'static self,
        found: &mut Vec<Record>,
        tx: &mut Tx,
        (sql, values): (&'static str, Vec<Bound>),
        table: &'static Table,
    ) -> Result<()> {
        let take = |row: &Row| {
            found.push(read(row, table, &self.columns)?);
            Ok(())
        };
        tx.each_row(sql, values, take).await
    }
}

fn bound<T: Copy + Into<Bound>>(ids: &[T]) -> Vec<Bound> {
    ids.iter().map(|id| (*id).into()).collect()
}

/// Whether the row holds a complete key of any uniqueness rule.
fn takes_keys(record: &Record) -> bool {
    let complete = |fields: &[usize]| fields.iter().all(|field| !record.values[*field].is_null());
    record.is_live() && record.table.uniques.iter().any(|unique| complete(&unique.fields))
}

fn write(record: &Record) -> Vec<Bound> {
    let provenance = serde_json::to_string(&record.provenance).expect("a map of plain values is JSON");
    let mut cells = values![
        record.id,
        record.show_id,
        record.version,
        record.created_at,
        record.updated_at,
        record.updated_by,
        record.device_id,
        record.deleted_at,
        Bound::JsonText(Some(provenance)),
    ];
    for column in &record.table.columns {
        cells.push(if column.is_object {
            write_object(record, column)
        } else {
            let field = column.fields[0];
            bind(&record.table.fields[field].kind, &record.values[field])
        });
    }
    cells
}

/// The keys of a JSON column that have a value.
fn write_object(record: &Record, column: &Column) -> Bound {
    let keys = column.fields.iter().filter(|field| !record.values[**field].is_null()).filter_map(|field| {
        record.table.fields[*field].key.map(|key| (key.to_owned(), record.values[*field].to_json()))
    });
    Bound::Json(Some(Json::Object(keys.collect())))
}

/// A value in its column's type; Postgres wants to know the type of a null too.
fn bind(kind: &Kind, value: &Value) -> Bound {
    match kind {
        Kind::Text { .. } | Kind::Choice(_) => Bound::from(value.as_text()),
        Kind::Int { .. } => Bound::Int(value.as_int()),
        Kind::Bool => Bound::Bool(match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }),
        Kind::Instant => Bound::from(value.as_instant()),
        Kind::Date => Bound::Date(value.as_date()),
        Kind::Id(_) => Bound::Uuid(value.as_id()),
        Kind::List(_) => Bound::Json((!value.is_null()).then(|| value.to_json())),
    }
}

fn read(row: &Row, table: &'static Table, columns: &[&'static str]) -> Result<Record> {
    let mut cells = Cells::new(row, table.name, columns);
    let mut record = Record {
        table,
        id: cells.uuid()?.into(),
        show_id: cells.uuid()?,
        version: Version(cells.int()?),
        created_at: cells.instant()?,
        updated_at: cells.instant()?,
        updated_by: cells.uuid_option()?.map(Into::into),
        device_id: cells.uuid_option()?.map(Into::into),
        deleted_at: cells.instant_option()?,
        provenance: cells.parsed()?,
        values: Vec::with_capacity(table.fields.len()),
    };
    // The fields stand in the order of the columns, those of a JSON column in the order of its keys.
    for column in &table.columns {
        if column.is_object {
            let object = cells.json()?;
            for field in column.fields.iter().map(|index| &table.fields[*index]) {
                let stored = field.key.and_then(|key| object.get(key)).unwrap_or(&Json::Null);
                record.values.push(field.kind.decode_stored(stored).map_err(|_| cells.corrupt_last())?);
            }
        } else {
            record.values.push(read_cell(&mut cells, &table.fields[column.fields[0]])?);
        }
    }
    Ok(record)
}

fn read_cell(cells: &mut Cells<'_>, field: &Field) -> Result<Value> {
    let value = match &field.kind {
        Kind::Text { .. } | Kind::Choice(_) => cells.text_option()?.map(Value::Text),
        Kind::Int { .. } => cells.int_option()?.map(Value::Int),
        Kind::Bool => cells.flag_option()?.map(Value::Bool),
        Kind::Instant => cells.instant_option()?.map(Value::Instant),
        Kind::Date => cells.date_option()?.map(Value::Date),
        Kind::Id(_) => cells.uuid_option()?.map(Value::Id),
        Kind::List(_) => {
            let json = cells.json_option()?.unwrap_or(Json::Null);
            Some(field.kind.decode_stored(&json).map_err(|_| cells.corrupt_last())?)
        }
    };
    Ok(value.unwrap_or(Value::Null))
}
