//! `sync_changes`: the feed that pull reads, one row a record.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::actor::ReadClass;
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
    let columns: Vec<&str> = COLUMNS.iter().copied().chain(["changed_at"]).collect();
    // What viewers could see once stays known, so that it can be revoked.
    let kept = ["table_name", "record_id", "ever_public"];
    let update = sql::excluded(columns.iter().copied().filter(|column| !kept.contains(column)));
    Chunked::new(|count| {
        format!(
            "{} ON CONFLICT (record_id, table_name) DO UPDATE SET {update}, \
             ever_public = {TABLE}.ever_public OR excluded.ever_public",
            sql::insert(TABLE, &columns, count),
        )
    })
});
static BY_RECORD: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| sql::select_by_keys(TABLE, COLUMNS, &["record_id", "table_name"], 1, count))
});
static PAGE: LazyLock<&str> = LazyLock::new(|| page_of(&sql::select(TABLE, COLUMNS)));
static TEXTS_FOR_OFFICE: LazyLock<&str> = LazyLock::new(|| page_of(&select_texts("data")));
static TEXTS_FOR_STAFF: LazyLock<&str> = LazyLock::new(|| page_of(&select_texts("COALESCE(data_staff, data)")));

/// A change as the desk's own people are told it, put together by the database.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeText {
    /// Its number.
    pub seq: Seq,
    /// One JSON object without its closing brace.
    pub text: String,
    /// The disputed fields of a live row, and the table they belong to. Mostly there are none.
    pub disputed: Option<(&'static Table, Vec<String>)>,
}

/// Inserts rows, or moves those of known records to their new numbers; all of them changed at that moment.
pub async fn save(tx: &mut Tx, rows: &[ChangeRow], at: DateTime<Utc>) -> Result<()> {
    save_each(tx, rows, ChangeRow::clone, at).await
}

/// The same for what rows are made of, each not before its turn comes.
pub async fn save_each<T>(
    tx: &mut Tx,
    items: &[T],
    row: impl Fn(&T) -> ChangeRow + Send,
    at: DateTime<Utc>,
) -> Result<()> {
    let statements = SAVE.cut(items);
    tx.execute_each(statements.map(|(sql, chunk)| (sql, chunk.iter().flat_map(|item| write(row(item), at)).collect())))
        .await
}

/// Removes tombstones up to that number that are older than that moment, the oldest first, at most `limit`.
/// Answers the number of the newest that was removed and how many were; none if there was nothing to remove.
pub async fn remove_tombstones(
    tx: &mut Tx,
    up_to: Seq,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Option<(Seq, u64)>> {
    let last = "SELECT MAX(seq) FROM (SELECT seq FROM sync_changes \
                WHERE deleted AND seq <= $1 AND changed_at < $2 ORDER BY seq LIMIT $3) AS oldest";
    let Some(row) = tx.row(last, values![up_to, before, limit]).await? else { return Ok(None) };
    let Some(last) = Cells::new(&row, TABLE, &["seq"]).int_option()?.map(Seq) else { return Ok(None) };
    let remove = "DELETE FROM sync_changes WHERE deleted AND seq <= $1 AND changed_at < $2";
    let removed = tx.execute(remove, values![last, before]).await?;
    Ok(Some((last, removed)))
}

/// The rows of some records, in no order.
pub async fn load(tx: &mut Tx, keys: &[(&'static Table, RecordId)]) -> Result<Vec<ChangeRow>> {
    let mut found = Vec::with_capacity(keys.len());
    for (sql, chunk) in BY_RECORD.cut(keys) {
        let values = chunk.iter().flat_map(|(table, id)| values![*id, Value::Word(table.name)]).collect();
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
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    tx.rows(*PAGE, page_values(after, up_to, tables, limit)).await?.iter().map(read).collect()
}

/// The same as texts, for a class that sees every row; viewers do not.
///
/// One text a row is what makes a pull fast: each further column is copied once more on its way out.
pub async fn page_texts(
    tx: &mut Tx,
    class: ReadClass,
    after: Seq,
    up_to: Seq,
    tables: &[&'static Table],
    limit: i64,
) -> Result<Vec<ChangeText>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    debug_assert!(class > ReadClass::Public, "what a viewer is told depends on more than the row");
    let sql = if class == ReadClass::Office { *TEXTS_FOR_OFFICE } else { *TEXTS_FOR_STAFF };
    let rows = tx.rows(sql, page_values(after, up_to, tables, limit)).await?;
    let read = |row: &Row| {
        let mut cells = Cells::new(row, TABLE, &["seq", "data", "table_name", "disputed"]);
        let (seq, text) = (Seq(cells.int()?), cells.text()?);
        let disputed = match cells.text_option()? {
            Some(name) => Some((schema::table(&name).ok_or_else(|| cells.corrupt_last())?, cells.parsed()?)),
            None => None,
        };
        Ok(ChangeText { seq, text, disputed })
    };
    rows.iter().map(read).collect()
}

/// Which rows got their numbers with `after < seq <= up_to`, by number, at most `limit`.
pub async fn moved(tx: &mut Tx, after: Seq, up_to: Seq, limit: i64) -> Result<Vec<(Seq, &'static Table, RecordId)>> {
    let sql = "SELECT seq, table_name, record_id FROM sync_changes WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";
    let rows = tx.rows(sql, values![after, up_to, limit]).await?;
    let read = |row: &Row| {
        let mut cells = Cells::new(row, TABLE, &["seq", "table_name", "record_id"]);
        Ok((Seq(cells.int()?), cells.word(schema::table)?, cells.uuid()?.into()))
    };
    rows.iter().map(read).collect()
}

/// The list of tables is filled up with repeats, so that there is one text for every choice of tables.
fn page_of(select: &str) -> &'static str {
    let names = sql::placeholders(4, schema::tables().len());
    sql::keep(format!("{select} WHERE seq > $1 AND seq <= $2 AND table_name IN ({names}) ORDER BY seq LIMIT $3"))
}

fn page_values(after: Seq, up_to: Seq, tables: &[&'static Table], limit: i64) -> Vec<Value> {
    let mut values = values![after, up_to, limit];
    let last = tables.last().map(|table| table.name);
    let name = |index: usize| Value::from(tables.get(index).map(|table| table.name).or(last));
    values.extend((0..schema::tables().len()).map(name));
    values
}

/// `data` is the column of the reader's class. A name that never was a row (version 0) is revoked.
fn select_texts(data: &str) -> String {
    let undisputed = "version = 0 OR deleted OR CAST(disputed AS text) = '[]'";
    format!(
        "SELECT seq, '{{\"seq\":' || CAST(seq AS text) || ',\"table_name\":\"' || table_name || '\",\"record_id\":\"' || \
         CAST(record_id AS text) || '\",\"version\":' || CAST(version AS text) || \
         CASE WHEN version = 0 THEN ',\"op\":\"revoke\",\"data\":null' \
         WHEN deleted THEN ',\"op\":\"delete\",\"data\":null' ELSE ',\"op\":\"upsert\",\"data\":' || {data} END, \
         CASE WHEN {undisputed} THEN NULL ELSE table_name END, \
         CASE WHEN {undisputed} THEN NULL ELSE disputed END FROM {TABLE}"
    )
}

fn write(row: ChangeRow, at: DateTime<Utc>) -> Vec<Value> {
    values![
        row.seq,
        Value::Word(row.table.name),
        row.record_id,
        row.version,
        row.deleted,
        row.changed_by,
        row.op_id,
        row.public,
        row.ever_public,
        Json::from(row.disputed),
        row.data,
        row.data_staff,
        row.data_public,
        at,
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
