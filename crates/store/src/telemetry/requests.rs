//! `performance_metrics`: single requests, sampled.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::PersonId;
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "performance_metrics";
const COLUMNS: &[&str] = &["id", "endpoint", "method", "duration", "status_code", "user_id", "created_at", "weight"];

static ADD: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| format!("{} ON CONFLICT (id) DO NOTHING", sql::insert(TABLE, COLUMNS, count)))
});

/// A request that stands for `weight` like it.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRow {
    /// Its id, in the order of time.
    pub id: Uuid,
    /// The matched route.
    pub endpoint: String,
    /// The HTTP method.
    pub method: String,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// How it was answered.
    pub status_code: i64,
    /// Who asked, if a valid pass was shown.
    pub person: Option<PersonId>,
    /// When it was answered.
    pub created_at: DateTime<Utc>,
    /// How many requests it stands for.
    pub weight: i64,
}

/// Which requests.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestFilter {
    /// Not before this moment.
    pub from: DateTime<Utc>,
    /// Before this moment.
    pub to: DateTime<Utc>,
    /// Of this route only.
    pub endpoint: Option<String>,
    /// Of this method only.
    pub method: Option<String>,
    /// That took at least so many milliseconds.
    pub slow_ms: Option<f64>,
    /// That were answered with at least this status.
    pub status_min: Option<i64>,
    /// That came before this one.
    pub before: Option<(DateTime<Utc>, Uuid)>,
    /// At most so many.
    pub limit: i64,
}

/// Adds rows. One whose id is there already was written by a commit that was not heard of.
pub async fn add(tx: &mut Tx, rows: &[RequestRow]) -> Result<()> {
    for (sql, chunk) in ADD.cut(rows) {
        tx.execute(sql, chunk.iter().flat_map(write).collect()).await?;
    }
    Ok(())
}

/// A page of requests, newest first.
pub async fn page(tx: &mut Tx, filter: &RequestFilter) -> Result<Vec<RequestRow>> {
    let sql = "SELECT id, endpoint, method, duration, status_code, user_id, created_at, weight \
               FROM performance_metrics WHERE created_at >= $1 AND created_at < $2 \
               AND ($3 IS NULL OR endpoint = $3) AND ($4 IS NULL OR method = $4) \
               AND ($5 IS NULL OR duration >= $5) AND ($6 IS NULL OR status_code >= $6) \
               AND ($7 IS NULL OR created_at < $7 OR created_at = $7 AND id < $8) \
               ORDER BY created_at DESC, id DESC LIMIT $9";
    let values = values![
        filter.from,
        filter.to,
        filter.endpoint.clone(),
        filter.method.clone(),
        filter.slow_ms,
        filter.status_min,
        filter.before.map(|(at, _)| at),
        filter.before.map(|(_, id)| id),
        filter.limit,
    ];
    tx.rows(sql, values).await?.iter().map(read).collect()
}

fn write(row: &RequestRow) -> Vec<Value> {
    values![
        row.id,
        row.endpoint.as_str(),
        row.method.as_str(),
        row.duration_ms,
        row.status_code,
        row.person,
        row.created_at,
        row.weight,
    ]
}

fn read(row: &Row) -> Result<RequestRow> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    Ok(RequestRow {
        id: cells.uuid()?,
        endpoint: cells.text()?,
        method: cells.text()?,
        duration_ms: cells.real()?,
        status_code: cells.int()?,
        person: cells.uuid_option()?.map(PersonId),
        created_at: cells.instant()?,
        weight: cells.int()?,
    })
}
