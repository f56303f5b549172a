//! `sync_queue`: every op the desk has seen, and its verdict.

use std::borrow::Borrow;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, OpId, RecordId, Seq, Version};
use showdesk_domain::queue::{QueueStatus, QueuedOp, Verdict};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "sync_queue";
/// What its author said; it never changes.
const SENT: &[&str] = &[
    "id",
    "user_id",
    "device_id",
    "incarnation",
    "device_seq",
    "table_name",
    "record_id",
    "operation",
    "data",
    "base",
    "version",
    "prev_op_id",
    "txn",
    "epoch",
    "reason",
    "payload_sha256",
    "created_at",
    "client_time",
    "skew_ms",
];
/// What became of it.
const OUTCOME: &[&str] = &[
    "status",
    "verdict",
    "conflict_id",
    "waiting_for",
    "waiting_on",
    "result_version",
    "result_seq",
    "error",
    "decision",
    "attempts",
    "lease_until",
    "processed_at",
];

static COLUMNS: LazyLock<Vec<&str>> = LazyLock::new(|| [SENT, OUTCOME].concat());
static BY_ID: LazyChunked =
    LazyChunked::new(|| Chunked::new(|count| sql::select_by_keys(TABLE, &COLUMNS, &["id"], 1, count)));
static BY_RECORD: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| sql::select_by_keys(TABLE, &COLUMNS, &["record_id", "device_id"], 1, count))
});
static WAITING_ON: LazyChunked =
    LazyChunked::new(|| Chunked::new(|count| sql::select_by_keys(TABLE, &COLUMNS, &["waiting_on"], 1, count)));
static INSERT: LazyChunked = LazyChunked::new(|| Chunked::new(|count| sql::insert(TABLE, &COLUMNS, count)));
static UPDATE: LazyChunked = LazyChunked::new(|| {
    let changes = OUTCOME.iter().enumerate().map(|(index, column)| format!("{column} = new.column{}", index + 2));
    let changes = changes.collect::<Vec<_>>().join(", ");
    Chunked::new(|count| {
        let new = sql::rows(count, OUTCOME.len() + 1);
        format!("UPDATE {TABLE} SET {changes} FROM (VALUES {new}) AS new WHERE {TABLE}.id = new.column1")
    })
});
/// Says in words that completed ops are left out, so that their large majority has no index.
static UNDECIDED: LazyLock<&str> =
    LazyLock::new(|| page_of("status <> 'completed' AND status = $1 AND decision IS NULL"));
static UNFINISHED: LazyLock<&str> = LazyLock::new(|| page_of("status <> 'completed' AND status = $1"));
static COMPLETED: LazyLock<&str> = LazyLock::new(|| page_of("status = $1"));
static CLAIM: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let new = sql::rows(count, 2);
        format!(
            "UPDATE {TABLE} SET status = 'processing', attempts = attempts + 1, lease_until = new.column2 \
             FROM (VALUES {new}) AS new WHERE {TABLE}.id = new.column1"
        )
    })
});
static GIVE_BACK: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let new = sql::rows(count, 1);
        format!(
            "UPDATE {TABLE} SET status = 'pending', lease_until = NULL FROM (VALUES {new}) AS new \
             WHERE {TABLE}.id = new.column1"
        )
    })
});

/// Which ops to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Failed ones that no admin has given up.
    NeedsAttention,
    /// Those that stand here.
    Status(QueueStatus),
}

/// The times a worker goes by.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Claims and pauses that end by then are over.
    pub now: DateTime<Utc>,
    /// No claim and no pause ends later, unless the clock was set back since.
    pub latest_end: DateTime<Utc>,
}

/// Ops by their ids, in no order.
pub async fn load(tx: &mut Tx, ids: &[OpId]) -> Result<Vec<QueuedOp>> {
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in BY_ID.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Everything these devices have sent about these records, in the order of arrival.
pub async fn of_device_on_records(tx: &mut Tx, keys: &[(DeviceId, RecordId)]) -> Result<Vec<QueuedOp>> {
    let mut found = Vec::new();
    for (sql, chunk) in BY_RECORD.cut(keys) {
        let values = chunk.iter().flat_map(|(device, record)| values![*record, *device]).collect();
        for row in tx.rows(sql, values).await? {
            found.push(read(&row)?);
        }
    }
    found.sort_by_key(|op: &QueuedOp| (op.created_at, op.device_seq, op.id));
    Ok(found)
}

/// Ops that wait for these ops or rows, in no order. Mostly none waits at all, which one look tells.
pub async fn waiting_on(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<QueuedOp>> {
    let mut found = Vec::new();
    if tx.row("SELECT 1 FROM sync_queue WHERE waiting_on IS NOT NULL LIMIT 1", Vec::new()).await?.is_none() {
        return Ok(found);
    }
    for (sql, chunk) in WAITING_ON.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Adds ops; `Duplicate` if one was seen before.
pub async fn add(tx: &mut Tx, ops: &[impl Borrow<QueuedOp> + Sync]) -> Result<()> {
    let values = |op: &QueuedOp| sent(op).into_iter().chain(outcome(op));
    let row = |(sql, chunk): (_, &[_])| (sql, chunk.iter().map(Borrow::borrow).flat_map(values).collect());
    tx.execute_each(INSERT.cut(ops).map(row)).await
}

/// Writes what became of ops: status, verdict, conflict, result, error, `processed_at`, attempts, lease, `waiting_for`.
pub async fn update(tx: &mut Tx, ops: &[impl Borrow<QueuedOp> + Sync]) -> Result<()> {
    for (sql, chunk) in UPDATE.cut(ops) {
        let ops = chunk.iter().map(Borrow::borrow);
        let values = ops.flat_map(|op: &QueuedOp| values![op.id].into_iter().chain(outcome(op))).collect();
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// A page of ops, newest first; `before` is where the last one ended.
pub async fn page(
    tx: &mut Tx,
    wanted: Wanted,
    before: Option<(DateTime<Utc>, OpId)>,
    limit: i64,
) -> Result<Vec<QueuedOp>> {
    let (sql, status) = match wanted {
        Wanted::NeedsAttention => (*UNDECIDED, QueueStatus::Failed),
        Wanted::Status(QueueStatus::Completed) => (*COMPLETED, QueueStatus::Completed),
        Wanted::Status(status) => (*UNFINISHED, status),
    };
    let values = values![status.as_str(), before.map(|(at, _)| at), before.map(|(_, id)| id), limit];
    tx.rows(sql, values).await?.iter().map(read).collect()
}

/// Ops of a device's group that are not decided, or were refused.
pub async fn unfinished_of_group(tx: &mut Tx, device: DeviceId, txn_id: &str) -> Result<Vec<OpId>> {
    let sql = "SELECT id FROM sync_queue WHERE status <> 'completed' AND status IN ('pending', 'processing', 'failed') \
               AND device_id = $1 AND txn ->> 'id' = $2 ORDER BY device_seq, id";
    ids_of(&tx.rows(sql, values![device, txn_id]).await?)
}

/// How many ops came from phones since the moment.
pub async fn count_from_phones(tx: &mut Tx, since: DateTime<Utc>) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM sync_queue WHERE created_at >= $1 \
               AND device_id IN (SELECT id FROM devices WHERE kind = 'phone')";
    let row = tx.row(sql, values![since]).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, TABLE, &["count"]).int())
}

/// How many ops need attention.
pub async fn count_needing_attention(tx: &mut Tx) -> Result<i64> {
    tx.count("SELECT COUNT(*) FROM sync_queue WHERE status <> 'completed' AND status = 'failed' AND decision IS NULL")
        .await
}

/// Ops that are not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many there are, those included that wait for another op or for a decision.
    pub count: i64,
    /// Since when the oldest could have been taken up; none if nothing is due.
    pub due_since: Option<DateTime<Utc>>,
}

/// How many ops are not decided, and since when the oldest of those that are due is.
pub async fn waiting(tx: &mut Tx, now: DateTime<Utc>) -> Result<Waiting> {
    let sql = "SELECT COUNT(*), MIN(CASE WHEN lease_until IS NULL THEN created_at WHEN lease_until <= $1 THEN lease_until END) \
               FROM sync_queue WHERE status <> 'completed' AND status IN ('pending', 'processing')";
    let row = tx.row(sql, values![now]).await?.expect("a SELECT of sums gives one row");
    let mut cells = Cells::new(&row, TABLE, &["count", "due_since"]);
    Ok(Waiting { count: cells.int()?, due_since: cells.instant_option()? })
}

/// Whether an op can be claimed, or a claim is over.
pub async fn has_due(tx: &mut Tx, moment: Moment) -> Result<bool> {
    let sql = "SELECT 1 FROM sync_queue WHERE status <> 'completed' AND status IN ('pending', 'processing') \
               AND (lease_until IS NULL OR lease_until <= $1 OR lease_until > $2) LIMIT 1";
    Ok(tx.row(sql, values![moment.now, moment.latest_end]).await?.is_some())
}

/// Claims waiting ops until `lease_until`, the oldest first. No two desks claim the same one.
pub async fn claim(tx: &mut Tx, moment: Moment, lease_until: DateTime<Utc>, limit: i64) -> Result<Vec<OpId>> {
    let sql = "SELECT id FROM sync_queue WHERE status <> 'completed' AND status = 'pending' \
               AND (lease_until IS NULL OR lease_until <= $1 OR lease_until > $2) \
               ORDER BY created_at, device_seq, id LIMIT $3";
    let found = tx.rows_nobody_holds(sql, values![moment.now, moment.latest_end, limit]).await?;
    let ids = ids_of(&found)?;
    for (sql, chunk) in CLAIM.cut(&ids) {
        tx.execute(sql, chunk.iter().flat_map(|id| values![*id, lease_until]).collect()).await?;
    }
    Ok(ids)
}

/// Gives ops back whose claim is over because their worker died; tells how many.
pub async fn reap(tx: &mut Tx, moment: Moment) -> Result<usize> {
    let sql = "SELECT id FROM sync_queue WHERE status <> 'completed' AND status = 'processing' \
               AND (lease_until IS NULL OR lease_until <= $1 OR lease_until > $2)";
    let found = tx.rows_nobody_holds(sql, values![moment.now, moment.latest_end]).await?;
    let ids = ids_of(&found)?;
    for (sql, chunk) in GIVE_BACK.cut(&ids) {
        tx.execute(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await?;
    }
    Ok(ids.len())
}

fn page_of(condition: &str) -> &'static str {
    let select = sql::select(TABLE, &COLUMNS);
    sql::keep(format!(
        "{select} WHERE {condition} AND ($2 IS NULL OR (created_at, id) < ($2, $3)) \
         ORDER BY created_at DESC, id DESC LIMIT $4"
    ))
}

fn ids_of(rows: &[Row]) -> Result<Vec<OpId>> {
    rows.iter().map(|row| Cells::new(row, TABLE, &["id"]).uuid().map(OpId)).collect()
}

fn sent(op: &QueuedOp) -> Vec<Value> {
    values![
        op.id,
        op.user_id,
        op.device_id,
        op.incarnation,
        op.device_seq,
        op.table_name.as_str(),
        op.record_id,
        op.operation.as_str(),
        &op.data,
        op.base.as_ref(),
        op.version,
        op.prev_op_id,
        op.txn.as_ref(),
        op.epoch,
        op.reason.clone(),
        op.payload_sha256.as_str(),
        op.created_at,
        op.client_time,
        op.skew_ms,
    ]
}

fn outcome(op: &QueuedOp) -> Vec<Value> {
    values![
        Value::Word(op.status.as_str()),
        op.verdict.map(|verdict| verdict.as_str().to_owned()),
        op.conflict_id,
        op.waiting_for.as_ref(),
        op.waiting_on,
        op.result_version,
        op.result_seq,
        op.error.as_ref(),
        op.decision.as_ref(),
        op.attempts,
        op.lease_until,
        op.processed_at,
    ]
}

fn read(row: &Row) -> Result<QueuedOp> {
    let mut cells = Cells::new(row, TABLE, &COLUMNS);
    Ok(QueuedOp {
        id: cells.uuid()?.into(),
        user_id: cells.uuid()?.into(),
        device_id: cells.uuid()?.into(),
        incarnation: cells.uuid()?,
        device_seq: cells.int()?,
        table_name: cells.text()?,
        record_id: cells.uuid_option()?.map(Into::into),
        operation: cells.text()?,
        data: cells.json()?,
        base: cells.json_option()?,
        version: Version(cells.int()?),
        prev_op_id: cells.uuid_option()?.map(Into::into),
        txn: cells.json_option()?,
        epoch: cells.uuid_option()?,
        reason: cells.text_option()?,
        payload_sha256: cells.text()?,
        created_at: cells.instant()?,
        client_time: cells.instant_option()?,
        skew_ms: cells.int()?,
        status: cells.word(QueueStatus::parse)?,
        verdict: cells.word_option(Verdict::parse)?,
        conflict_id: cells.uuid_option()?.map(Into::into),
        waiting_for: cells.json_option()?,
        waiting_on: cells.uuid_option()?,
        result_version: cells.int_option()?.map(Version),
        result_seq: cells.int_option()?.map(Seq),
        error: cells.json_option()?,
        decision: cells.json_option()?,
        attempts: cells.int()?,
        lease_until: cells.instant_option()?,
        processed_at: cells.instant_option()?,
    })
}
