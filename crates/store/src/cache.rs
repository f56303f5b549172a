//! `cache_entries`: answers that were made once and outlive the program's memory.
//!
//! An entry is only what could be made again. Each row names who may read it (`scope`); on Postgres row-level security
//! looks at that, too. What has expired is never found, whether it is still there or not.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql;
use crate::{Result, Tx};

const TABLE: &str = "cache_entries";
const COLUMNS: &[&str] =
    &["key", "scope", "tags", "etag", "size_bytes", "hits", "stale_until", "expires_at", "created_at"];

static FIND: LazyLock<&str> = LazyLock::new(|| {
    let columns: Vec<&str> = COLUMNS.iter().copied().chain(["value"]).collect();
    sql::keep(format!("{} WHERE key = $1 AND expires_at > $2", sql::select(TABLE, &columns)))
});
static LIST: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, COLUMNS);
    sql::keep(format!("{select} WHERE expires_at > $1 ORDER BY size_bytes DESC, key LIMIT $2"))
});
static PUT: LazyLock<&str> = LazyLock::new(|| {
    let columns: Vec<&str> = ["id", "updated_at", "value"].into_iter().chain(COLUMNS.iter().copied()).collect();
    let update = sql::excluded(columns.iter().copied().filter(|column| !["id", "key"].contains(column)));
    sql::keep(format!("{} ON CONFLICT (key) DO UPDATE SET {update}", sql::insert(TABLE, &columns, 1)))
});

/// What is known of an entry beside its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheFacts {
    /// What it is, and of what it was made.
    pub key: String,
    /// Who may read it: `public`, `staff`, `office`, or `user:` and an id.
    pub scope: String,
    /// By what it is forgotten.
    pub tags: Vec<String>,
    /// Changes with the value.
    pub etag: Option<String>,
    /// The length of the value.
    pub size_bytes: i64,
    /// How often it was found.
    pub hits: i64,
    /// From this moment on it is made anew when somebody asks, who still gets this one.
    pub stale_until: Option<DateTime<Utc>>,
    /// From this moment on it is not given to anybody.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheRow {
    /// What it is.
    pub facts: CacheFacts,
    /// What was made.
    pub value: Vec<u8>,
}

/// The entry of that key, unless it has expired.
pub async fn find(tx: &mut Tx, key: &str, now: DateTime<Utc>) -> Result<Option<CacheRow>> {
    let Some(row) = tx.row(*FIND, values![key, now]).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, TABLE, COLUMNS);
    let facts = read(&mut cells)?;
    Ok(Some(CacheRow { facts, value: cells.bytes()? }))
}

/// Adds an entry, or puts it in the place of the one with that key.
pub async fn put(tx: &mut Tx, id: Uuid, row: &CacheRow, now: DateTime<Utc>) -> Result<()> {
    let CacheRow { facts, value } = row;
    let values = values![
        id,
        now,
        value.clone(),
        facts.key.as_str(),
        facts.scope.as_str(),
        serde_json::json!(facts.tags),
        facts.etag.clone(),
        facts.size_bytes,
        facts.hits,
        facts.stale_until,
        facts.expires_at,
        facts.created_at,
    ];
    tx.execute(*PUT, values).await?;
    Ok(())
}

/// Removes expired entries, the oldest first, at most `limit`. Answers how many.
pub async fn remove_expired(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM cache_entries WHERE id IN \
               (SELECT id FROM cache_entries WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(sql, values![now, limit]).await
}

/// Removes entries, all or those with a tag, at most `limit`. Answers how many. A tag is a word of ours: letters and
/// lines between them.
pub async fn remove(tx: &mut Tx, tag: Option<&str>, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM cache_entries WHERE id IN (SELECT id FROM cache_entries \
               WHERE $1 IS NULL OR CAST(tags AS text) LIKE $1 ORDER BY expires_at LIMIT $2)";
    let pattern = tag.map(|tag| format!("%\"{tag}\"%"));
    tx.execute(sql, values![pattern, limit]).await
}

/// Entries that have not expired, the largest first, without their values.
pub async fn list(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<CacheFacts>> {
    let rows = tx.rows(*LIST, values![now, limit]).await?;
    rows.iter().map(|row: &Row| read(&mut Cells::new(row, TABLE, COLUMNS))).collect()
}

fn read(cells: &mut Cells<'_>) -> Result<CacheFacts> {
    Ok(CacheFacts {
        key: cells.text()?,
        scope: cells.text()?,
        tags: cells.parsed()?,
        etag: cells.text_option()?,
        size_bytes: cells.int()?,
        hits: cells.int()?,
        stale_until: cells.instant_option()?,
        expires_at: cells.instant()?,
        created_at: cells.instant()?,
    })
}
