//! Takes away what is too old, a bounded number of rows at a time, the oldest first.

use chrono::{DateTime, Utc};

use super::rollups::Bucket;
use crate::db::Value;
use crate::db::value::values;
use crate::{Result, Tx};

/// Removes requests from before a moment; tells how many.
pub async fn remove_requests(tx: &mut Tx, before: DateTime<Utc>, rows_max: u32) -> Result<u64> {
    let sql = "DELETE FROM performance_metrics WHERE id IN \
               (SELECT id FROM performance_metrics WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, values![before, i64::from(rows_max)]).await
}

/// Removes rollups of requests that begin before a moment; tells how many.
pub async fn remove_rollups(tx: &mut Tx, bucket: Bucket, before: DateTime<Utc>, rows_max: u32) -> Result<u64> {
    // The outer conditions say again what the inner ones do, so that nothing but the old rows is looked at.
    let sql = "DELETE FROM metric_rollups WHERE resolution = $1 AND bucket_start < $2 \
               AND (resolution, bucket_start, desk_id, endpoint, method, status_class) IN \
               (SELECT resolution, bucket_start, desk_id, endpoint, method, status_class FROM metric_rollups \
                WHERE resolution = $1 AND bucket_start < $2 ORDER BY bucket_start LIMIT $3)";
    tx.execute(sql, values![Value::Word(bucket.as_str()), before, i64::from(rows_max)]).await
}

/// Removes other measures that begin before a moment; tells how many.
pub async fn remove_measures(tx: &mut Tx, bucket: Bucket, before: DateTime<Utc>, rows_max: u32) -> Result<u64> {
    let sql = "DELETE FROM measures WHERE resolution = $1 AND bucket_start < $2 \
               AND (resolution, bucket_start, desk_id, metric, labels) IN \
               (SELECT resolution, bucket_start, desk_id, metric, labels FROM measures \
                WHERE resolution = $1 AND bucket_start < $2 ORDER BY bucket_start LIMIT $3)";
    tx.execute(sql, values![Value::Word(bucket.as_str()), before, i64::from(rows_max)]).await
}

/// Removes markers from before a moment; tells how many.
pub async fn remove_markers(tx: &mut Tx, before: DateTime<Utc>, rows_max: u32) -> Result<u64> {
    let sql = "DELETE FROM markers WHERE id IN \
               (SELECT id FROM markers WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, values![before, i64::from(rows_max)]).await
}
