//! `metric_rollups`: all requests, added up by minute, hour and day. Each desk of a database writes rows of its own.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::DeviceId;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "metric_rollups";
const KEY: &[&str] = &["resolution", "bucket_start", "desk_id", "endpoint", "method", "status_class"];
const SUMS: &[&str] = &["count", "errors", "sum_ms", "max_ms", "histogram"];
/// What is read.
const COLUMNS: &[&str] =
    &["bucket_start", "endpoint", "method", "status_class", "count", "errors", "sum_ms", "max_ms", "histogram"];

static SAVE: LazyChunked = LazyChunked::new(|| {
    let columns = [KEY, SUMS].concat();
    Chunked::new(|count| {
        let insert = sql::insert(TABLE, &columns, count);
        let sums = sql::excluded(SUMS.iter().copied());
        format!("{insert} ON CONFLICT ({}) DO UPDATE SET {sums}", KEY.join(", "))
    })
});

/// How long a rollup is: `minute`, `hour` or `day`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
}

impl Bucket {
    /// All, the finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// The requests of one route, method and class of results in one rollup.
#[derive(Debug, Clone, PartialEq)]
pub struct RollupRow {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// The matched route.
    pub endpoint: String,
    /// The HTTP method.
    pub method: String,
    /// 2 for 200 to 299, and so on.
    pub status_class: i64,
    /// How many requests.
    pub count: i64,
    /// How many of them failed.
    pub errors: i64,
    /// How long they took together, in milliseconds.
    pub sum_ms: f64,
    /// How long the longest took.
    pub max_ms: f64,
    /// How long all of them took, as the telemetry crate encodes it.
    pub histogram: Vec<u8>,
}

/// What this desk has written of one rollup.
pub async fn of_desk(tx: &mut Tx, bucket: Bucket, start: DateTime<Utc>, desk: DeviceId) -> Result<Vec<RollupRow>> {
    let sql = "SELECT bucket_start, endpoint, method, status_class, count, errors, sum_ms, max_ms, histogram \
               FROM metric_rollups WHERE resolution = $1 AND bucket_start = $2 AND desk_id = $3";
    tx.rows(sql, values![Value::Word(bucket.as_str()), start, desk]).await?.iter().map(read).collect()
}

/// Writes rows of this desk in the place of those that are there.
pub async fn save(tx: &mut Tx, bucket: Bucket, desk: DeviceId, rows: &[RollupRow]) -> Result<()> {
    for (sql, chunk) in SAVE.cut(rows) {
        tx.execute(sql, chunk.iter().flat_map(|row| write(bucket, desk, row)).collect()).await?;
    }
    Ok(())
}

/// Rollups of all desks that begin in the range, in the order of time; of one route and method only, if these are
/// given.
pub async fn between(
    tx: &mut Tx,
    bucket: Bucket,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    endpoint: Option<&str>,
    method: Option<&str>,
) -> Result<Vec<RollupRow>> {
    let sql = "SELECT bucket_start, endpoint, method, status_class, count, errors, sum_ms, max_ms, histogram \
               FROM metric_rollups WHERE resolution = $1 AND bucket_start >= $2 AND bucket_start < $3 \
               AND ($4 IS NULL OR endpoint = $4) AND ($5 IS NULL OR method = $5) \
               ORDER BY bucket_start, endpoint, method, status_class, desk_id";
    let values = values![Value::Word(bucket.as_str()), from, to, endpoint, method];
    tx.rows(sql, values).await?.iter().map(read).collect()
}

fn write(bucket: Bucket, desk: DeviceId, row: &RollupRow) -> Vec<Value> {
    values![
        Value::Word(bucket.as_str()),
        row.start,
        desk,
        row.endpoint.as_str(),
        row.method.as_str(),
        row.status_class,
        row.count,
        row.errors,
        row.sum_ms,
        row.max_ms,
        row.histogram.as_slice(),
    ]
}

fn read(row: &Row) -> Result<RollupRow> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    Ok(RollupRow {
        start: cells.instant()?,
        endpoint: cells.text()?,
        method: cells.text()?,
        status_class: cells.int()?,
        count: cells.int()?,
        errors: cells.int()?,
        sum_ms: cells.real()?,
        max_ms: cells.real()?,
        histogram: cells.bytes()?,
    })
}
