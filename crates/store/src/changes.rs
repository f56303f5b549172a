//! `sync_changes`: the feed that pull reads, one row a record.

use std::sync::LazyLock;

use serde_json::Value as Json;
use showdesk_domain::ids::{RecordId, Seq, Version};
use showdesk_domain::record::ChangeRow;
use showdesk_domain::schema::{self, Table};

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "sync_changes";
const COLUMNS: &[&str] = &[
    "seq",
    "table_name",
    "record_id",
    "version",
    "deleted",
    "changed_by",
    "op_id",
    "public",
    "ever_public",
    "disputed",
    "data",
    "data_staff",
    "data_public",
];

static SAVE: LazyChunked = LazyChunked::new(|| {
    // What viewers could see once stays known, so that it can be revoked.
    let kept = ["table_name", "record_id", "ever_public"];
    let changed = COLUMNS.iter().copied().filter(|column| !kept.contains(column));
    let update = sql::excluded(changed);
    Chunked::new(|count| {
        format!(
            "{} ON CONFLICT (record_id, table_name) DO UPDATE SET {update}, \
             ever_public = {TABLE}.ever_public OR excluded.ever_public",
            sql::insert(TABLE, COLUMNS, count),
        )
    })
});
static BY_RECORD: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| sql::select_by_keys(TABLE, COLUMNS, &["record_id", "table_name"], 1, count))
});
/// The list of tables is filled up with repeats, so that there is one text for every choice of tables.
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, COLUMNS);
    let names = sql::placeholders(4, schema::tables().len());
    sql::keep(format!("{select} WHERE seq > $1 AND seq <= $2 AND table_name IN ({names}) ORDER BY seq LIMIT $3"))
});

/// Inserts rows, or moves those of known records to their new numbers.
pub async fn save(tx: &mut Tx, rows: &[ChangeRow]) -> Result<()> {
    for (sql, chunk) in SAVE.cut(rows) {
        tx.execute(sql, chunk.iter().flat_map(write).collect()).await?;
    }
    Ok(())
}

/// The rows of some records, in no order.
pub async fn load(tx: &mut Tx, keys: &[(&'static Table, RecordId)]) -> Result<Vec<ChangeRow>> {
    let mut found = Vec::with_capacity(keys.len());
    for (sql, chunk) in BY_RECORD.cut(keys) {
        let values = chunk.iter().flat_map(|(table, id)| values![*id, table.name]).collect();
        for row in tx.rows(sql, values).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Rows of the tables with `after < seq <= up_to`, by number, at most `limit`.
pub async fn page(
    tx: &mut Tx,
    after: Seq,
    up_to: Seq,
    tables: &[&'static Table],
    limit: i64,
) -> Result<Vec<ChangeRow>> {
    let Some(last) = tables.last() else { return Ok(Vec::new()) };
    let mut values = values![after, up_to, limit];
    values.extend((0..schema::tables().len()).map(|index| Value::from(tables.get(index).unwrap_or(last).name)));
    tx.rows(*PAGE, values).await?.iter().map(read).collect()
}

fn write(row: &ChangeRow) -> Vec<Value> {
    values![
        row.seq,
        row.table.name,
        row.record_id,
        row.version,
        row.deleted,
        row.changed_by,
        row.op_id,
        row.public,
        row.ever_public,
        Json::from(row.disputed.clone()),
        row.data.clone(),
        row.data_staff.clone(),
        row.data_public.clone(),
    ]
}

fn read(row: &Row) -> Result<ChangeRow> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    let seq = Seq(cells.int()?);
    Ok(ChangeRow {
        seq,
        table: cells.word(schema::table)?,
        record_id: cells.uuid()?.into(),
        version: Version(cells.int()?),
        deleted: cells.flag()?,
        changed_by: cells.uuid_option()?.map(Into::into),
        op_id: cells.uuid_option()?.map(Into::into),
        public: cells.flag()?,
        ever_public: cells.flag()?,
        disputed: cells.parsed()?,
        data: cells.text()?,
        data_staff: cells.text_option()?,
        data_public: cells.text_option()?,
    })
}
