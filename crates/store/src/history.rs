//! `record_history`: every version of every record.

use std::sync::LazyLock;

use showdesk_domain::ids::{RecordId, Seq, Version};
use showdesk_domain::record::HistoryRow;
use showdesk_domain::schema::{self, Table};

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
    sql::keep(format!("{} WHERE actor IS NOT NULL ORDER BY seq DESC LIMIT $1", sql::select(TABLE, COLUMNS)))
});

/// Adds versions.
pub async fn add(tx: &mut Tx, rows: &[HistoryRow]) -> Result<()> {
    for (sql, chunk) in INSERT.cut(rows) {
        tx.execute(sql, chunk.iter().flat_map(write).collect()).await?;
    }
    Ok(())
}

/// Single versions, in no order. One that does not exist has no row.
pub async fn snapshots(tx: &mut Tx, keys: &[(&'static Table, RecordId, Version)]) -> Result<Vec<HistoryRow>> {
    let mut found = Vec::with_capacity(keys.len());
    for (sql, chunk) in BY_VERSION.cut(keys) {
        let values = chunk.iter().flat_map(|(table, id, version)| values![*id, *version, table.name]).collect();
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

/// The newest changes that people made, newest first.
pub async fn recent(tx: &mut Tx, limit: i64) -> Result<Vec<HistoryRow>> {
    tx.rows(*RECENT, values![limit]).await?.iter().map(read).collect()
}

fn write(row: &HistoryRow) -> Vec<Value> {
    values![
        row.seq,
        row.table.name,
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
