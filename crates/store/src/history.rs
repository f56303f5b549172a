//! `record_history`: every version of every record.

use std::sync::LazyLock;

use showdesk_domain::ids::{RecordId, Seq, Version};
use showdesk_domain::record::HistoryRow;
use showdesk_domain::schema::{self, Table};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "record_history";
const COLUMNS: &[&str] = &[
    "seq",
    "table_name",
    "record_id",
    "version",
    "snapshot",
    "deleted",
    "actor",
    "device_id",
    "op_id",
    "changed_at",
    "reason",
];

static INSERT: LazyChunked = LazyChunked::new(|| Chunked::new(|count| sql::insert(TABLE, COLUMNS, count)));
static BY_VERSION: LazyChunked = LazyChunked::new(|| {
    let keys = ["record_id", "version", "table_name"];
    Chunked::new(|count| sql::select_by_keys(TABLE, COLUMNS, &keys, 1, count))
});
static OF_RECORD: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, COLUMNS);
    sql::keep(format!("{select} WHERE record_id = $1 AND table_name = $2 ORDER BY version DESC LIMIT $3"))
});
static RECENT: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, COLUMNS);
    sql::keep(format!("{select} WHERE actor IS NOT NULL AND ($1 IS NULL OR seq < $1) ORDER BY seq DESC LIMIT $2"))
});

/// Owners in a list, filled up with repeats, so that there is one text for every number of them.
const OWNERS_AT_ONCE: usize = 8;
static ONCE_OWNED: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let (ids, table) = (sql::rows(count, 1), count + 1);
        let owners = sql::placeholders(count + 2, OWNERS_AT_ONCE);
        format!(
            "SELECT DISTINCT t.record_id FROM (VALUES {ids}) AS wanted CROSS JOIN {TABLE} t \
             WHERE t.record_id = wanted.column1 AND t.table_name = ${table} \
             AND t.snapshot->>'exhibitor_id' IN ({owners})"
        )
    })
});

/// Adds versions.
pub async fn add(tx: &mut Tx, rows: &[HistoryRow]) -> Result<()> {
    tx.execute_each(INSERT.cut(rows).map(|(sql, chunk)| (sql, chunk.iter().flat_map(write).collect()))).await
}

/// Single versions, in no order. One that does not exist has no row.
pub async fn snapshots(tx: &mut Tx, keys: &[(&'static Table, RecordId, Version)]) -> Result<Vec<HistoryRow>> {
    let mut found = Vec::with_capacity(keys.len());
    for (sql, chunk) in BY_VERSION.cut(keys) {
        let values =
            chunk.iter().flat_map(|(table, id, version)| values![*id, *version, Value::Word(table.name)]).collect();
        for row in tx.rows(sql, values).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// The versions of one record, newest first.
pub async fn versions(tx: &mut Tx, table: &'static Table, id: RecordId, limit: i64) -> Result<Vec<HistoryRow>> {
    tx.rows(*OF_RECORD, values![id, table.name, limit]).await?.iter().map(read).collect()
}

/// Those of the records that belonged to one of the exhibitors in some version, in no order, perhaps repeated.
pub async fn once_owned(
    tx: &mut Tx,
    table: &'static Table,
    ids: &[RecordId],
    exhibitors: &[Uuid],
) -> Result<Vec<RecordId>> {
    let mut found = Vec::new();
    for owners in exhibitors.chunks(OWNERS_AT_ONCE) {
        let owner = |index: usize| Value::from(owners[index.min(owners.len() - 1)].to_string());
        for (sql, chunk) in ONCE_OWNED.cut(ids) {
            let mut values: Vec<Value> = chunk.iter().map(|id| Value::from(*id)).collect();
            values.push(Value::from(table.name));
            values.extend((0..OWNERS_AT_ONCE).map(owner));
            for row in tx.rows(sql, values).await? {
                found.push(Cells::new(&row, TABLE, &["record_id"]).uuid()?.into());
            }
        }
    }
    Ok(found)
}

/// The newest changes that people made, those before a number if one is given; newest first.
pub async fn recent(tx: &mut Tx, before: Option<Seq>, limit: i64) -> Result<Vec<HistoryRow>> {
    tx.rows(*RECENT, values![before, limit]).await?.iter().map(read).collect()
}

fn write(row: &HistoryRow) -> Vec<Value> {
    values![
        row.seq,
        Value::Word(row.table.name),
        row.record_id,
        row.version,
        Value::JsonText(Some(row.snapshot.clone())),
        row.deleted,
        row.actor,
        row.device_id,
        row.op_id,
        row.at,
        row.reason.clone(),
    ]
}

fn read(row: &Row) -> Result<HistoryRow> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    let seq = Seq(cells.int()?);
    Ok(HistoryRow {
        seq,
        table: cells.word(schema::table)?,
        record_id: cells.uuid()?.into(),
        version: Version(cells.int()?),
        snapshot: cells.json_text()?,
        deleted: cells.flag()?,
        actor: cells.uuid_option()?.map(Into::into),
        device_id: cells.uuid_option()?.map(Into::into),
        op_id: cells.uuid_option()?.map(Into::into),
        at: cells.instant()?,
        reason: cells.text_option()?,
    })
}
