//! `measures`: everything that is measured beside requests, by minute, hour and day.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::DeviceId;
use uuid::Uuid;

use super::rollups::Bucket;
use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "measures";
const WRITTEN: &[&str] =
    &["resolution", "bucket_start", "desk_id", "metric", "labels", "samples", "sum", "min", "max", "last"];
/// What is read.
const COLUMNS: &[&str] = &["bucket_start", "desk_id", "labels", "samples", "sum", "min", "max", "last"];

static ADD: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let insert = sql::insert(TABLE, WRITTEN, count);
        format!(
            "{insert} ON CONFLICT (resolution, bucket_start, desk_id, metric, labels) DO UPDATE SET \
             samples = {TABLE}.samples + excluded.samples, sum = {TABLE}.sum + excluded.sum, \
             min = CASE WHEN excluded.min < {TABLE}.min THEN excluded.min ELSE {TABLE}.min END, \
             max = CASE WHEN excluded.max > {TABLE}.max THEN excluded.max ELSE {TABLE}.max END, \
             last = excluded.last"
        )
    })
});

/// What was measured in one minute, hour or day.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureRow {
    /// When that begins.
    pub start: DateTime<Utc>,
    /// What was measured.
    pub metric: String,
    /// Of what: a JSON object in the order of its keys.
    pub labels: String,
    /// How often it was looked at.
    pub samples: i64,
    /// All values together; of a counter, by how much it grew.
    pub sum: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The newest value.
    pub last: f64,
}

/// One desk's part of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasurePart {
    /// Whose.
    pub desk: Uuid,
    /// What it measured.
    pub row: MeasureRow,
}

/// Adds to what this desk has written; keys come once in `rows`.
pub async fn add(tx: &mut Tx, bucket: Bucket, desk: DeviceId, rows: &[MeasureRow]) -> Result<()> {
    for (sql, chunk) in ADD.cut(rows) {
        tx.execute(sql, chunk.iter().flat_map(|row| write(bucket, desk, row)).collect()).await?;
    }
    Ok(())
}

/// What all desks measured of one metric from a moment to before another, in the order of time.
pub async fn between(
    tx: &mut Tx,
    bucket: Bucket,
    metric: &'static str,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<MeasurePart>> {
    let sql = "SELECT bucket_start, desk_id, labels, samples, sum, min, max, last FROM measures \
               WHERE resolution = $1 AND bucket_start >= $2 AND bucket_start < $3 AND metric = $4 \
               ORDER BY bucket_start, labels, desk_id";
    let values = values![Value::Word(bucket.as_str()), from, to, Value::Word(metric)];
    tx.rows(sql, values).await?.iter().map(|row| read(row, metric)).collect()
}

/// The start of the first hour in which anything was measured, from a moment to before another.
pub async fn first(tx: &mut Tx, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> Result<Option<DateTime<Utc>>> {
    // The hour that the range begins in counts, too.
    let sql = "SELECT bucket_start FROM measures WHERE resolution = 'hour' AND bucket_start > $1 AND bucket_start < $2 \
               ORDER BY bucket_start LIMIT 1";
    let row = tx.row(sql, values![from - chrono::TimeDelta::hours(1), to]).await?;
    row.map(|row| Cells::new(&row, TABLE, &["bucket_start"]).instant()).transpose()
}

fn write(bucket: Bucket, desk: DeviceId, row: &MeasureRow) -> Vec<Value> {
    values![
        Value::Word(bucket.as_str()),
        row.start,
        desk,
        row.metric.as_str(),
        row.labels.as_str(),
        row.samples,
        row.sum,
        row.min,
        row.max,
        row.last,
    ]
}

fn read(row: &Row, metric: &str) -> Result<MeasurePart> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    let (start, desk) = (cells.instant()?, cells.uuid()?);
    let row = MeasureRow {
        start,
        metric: metric.to_owned(),
        labels: cells.text()?,
        samples: cells.int()?,
        sum: cells.real()?,
        min: cells.real()?,
        max: cells.real()?,
        last: cells.real()?,
    };
    Ok(MeasurePart { desk, row })
}
