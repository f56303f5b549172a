//! What the worker does with deliveries: it asks what is due, claims, and writes down what it found out.
//!
//! Whose a row is, is a matter of leases. They are written and judged by one clock, that of the database's server or,
//! where nobody shares the database, one that nobody sets: two laptops seldom agree on the time.

use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{COLUMNS, Channel, DeliveryRow, DeliveryStatus, TABLE, bind};
use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

/// An address that had the message before, or to which it could not be sent, gets it once more, unless that is under
/// way. What waits for its turn is due at the later of the two times: a reminder must not be older than itself.
static ADD_OR_REPEAT: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let insert = sql::insert(TABLE, COLUMNS, count);
        let unless_waiting = |column: &str, new: &str| {
            format!("{column} = CASE WHEN {TABLE}.status = 'waiting' THEN {TABLE}.{column} ELSE {new} END")
        };
        let (code, reason) = (unless_waiting("error_code", "NULL"), unless_waiting("reason", "NULL"));
        format!(
            "{insert} ON CONFLICT (notification_id, user_id, target) DO UPDATE SET service = excluded.service, \
             status = CASE WHEN {TABLE}.status = 'accepted' THEN 'accepted' ELSE 'waiting' END, \
             next_attempt_at = CASE WHEN {TABLE}.status = 'waiting' AND {TABLE}.next_attempt_at > excluded.next_attempt_at \
             THEN {TABLE}.next_attempt_at ELSE excluded.next_attempt_at END, {code}, {reason}, \
             created_at = excluded.created_at, updated_at = excluded.updated_at WHERE {TABLE}.lease_until IS NULL"
        )
    })
});
pub(crate) const DUE_SERVICES: &str = "SELECT DISTINCT service FROM notification_deliveries WHERE next_attempt_at <= $1 \
                                       AND (lease_until IS NULL OR lease_until <= $2) ORDER BY service";
/// What is due by one service and nobody has: emergencies before all else, then the oldest.
const CLAIMABLE: &str = "SELECT d.id FROM notification_deliveries d WHERE d.next_attempt_at <= $1 \
                         AND (d.lease_until IS NULL OR d.lease_until <= $2) AND d.channel <> 'local' AND d.service = $3 \
                         ORDER BY (SELECT n.priority FROM notifications n WHERE n.id = d.notification_id) <> 'urgent', \
                         d.next_attempt_at, d.id LIMIT $4";
/// The same where one is to try whether a service works again: what was not refused yet, to an address that nothing is
/// held against and by which something was taken before.
const TRYABLE: &str = "SELECT d.id FROM notification_deliveries d WHERE d.next_attempt_at <= $1 \
                       AND (d.lease_until IS NULL OR d.lease_until <= $2) AND d.channel <> 'local' AND d.service = $3 \
                       ORDER BY COALESCE((SELECT t.strikes FROM push_tokens t WHERE t.device_id = d.device_id \
                       AND CAST(t.id AS TEXT) = d.target), 0) > 0, d.error_code IS NOT NULL, \
                       COALESCE((SELECT t.last_used IS NOT NULL FROM push_tokens t WHERE t.device_id = d.device_id \
                       AND CAST(t.id AS TEXT) = d.target), FALSE) DESC, d.next_attempt_at, d.id LIMIT $4";
static CLAIM: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let new = sql::rows(count, 2);
        format!(
            "UPDATE {TABLE} SET lease_until = new.column2 FROM (VALUES {new}) AS new WHERE {TABLE}.id = new.column1"
        )
    })
});
static FORGET: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let ids = sql::placeholders(2, count);
        format!("DELETE FROM {TABLE} WHERE lease_until = $1 AND attempts = 0 AND id IN ({ids})")
    })
});
static SETTLE: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "UPDATE {TABLE} SET status = $3, attempts = $4, repeats = $5, next_attempt_at = $6, \
         lease_until = NULL, provider_message_id = COALESCE($7, provider_message_id), error_code = $8, \
         reason = $9, accepted_at = COALESCE($10, accepted_at), updated_at = $11 \
         WHERE id = $1 AND (lease_until = $2 OR $2 IS NULL AND lease_until IS NULL)"
    ))
});
/// What was taken back while a provider was asked, and what it took all the same.
static TAKEN_AFTER_ITS_END: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "UPDATE {TABLE} SET status = 'accepted', attempts = $2, repeats = $3, next_attempt_at = NULL, \
         provider_message_id = COALESCE($4, provider_message_id), error_code = NULL, reason = NULL, \
         accepted_at = $5, updated_at = $6 WHERE id = $1 AND status = 'expired' AND lease_until IS NULL"
    ))
});

/// The times a worker goes by.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// What is due by then is due.
    pub now: DateTime<Utc>,
    /// The same by a clock that nobody sets: for leases, where nobody shares the database.
    pub steady: DateTime<Utc>,
}

/// Rows that are one worker's until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub ids: Vec<Uuid>,
    /// When the lease ends, by the clock of all who share the database.
    pub lease_until: DateTime<Utc>,
}

/// What a worker found out about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which row.
    pub id: Uuid,
    /// The lease it was done under; a row that another worker has by now is left to that one.
    pub lease_until: Option<DateTime<Utc>>,
    /// How far it came.
    pub status: DeliveryStatus,
    /// How often a provider was reached.
    pub attempts: i64,
    /// How often it was sent again.
    pub repeats: i64,
    /// When to look again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// What the provider calls it, if it said so now.
    pub provider_message_id: Option<String>,
    /// What stands in the way.
    pub error_code: Option<String>,
    /// The same in a sentence.
    pub reason: Option<String>,
    /// When the provider took it, if it did so now.
    pub accepted_at: Option<DateTime<Utc>>,
}

/// Adds rows; where there is one that was accepted, it is to be sent once more.
pub async fn add_or_repeat(tx: &mut Tx, rows: &[DeliveryRow]) -> Result<()> {
    tx.execute_each(ADD_OR_REPEAT.cut(rows).map(|(sql, chunk)| (sql, chunk.iter().flat_map(bind).collect()))).await
}

/// The services by which something is due, `local` among them, by name.
pub async fn due_services(tx: &mut Tx, at: Moment) -> Result<Vec<String>> {
    let clock = tx.shared_clock(at.steady).await?;
    let rows = tx.rows(DUE_SERVICES, values![at.now, clock]).await?;
    rows.iter().map(|row| Cells::new(row, TABLE, &["service"]).text()).collect()
}

/// Holds local rows that are due until the transaction ends, the oldest first. Another desk passes over them.
pub async fn hold_due_local(tx: &mut Tx, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>> {
    let sql = "SELECT id FROM notification_deliveries WHERE next_attempt_at <= $1 AND service = 'local' \
               ORDER BY next_attempt_at, id LIMIT $2";
    ids_of(&tx.rows_nobody_holds(sql, values![now, limit]).await?)
}

/// Holds rows of providers that are due although nobody may send them any more: their message is over, was taken back,
/// or has no end and its way was chosen before `chosen_before`.
pub async fn hold_over(tx: &mut Tx, at: Moment, chosen_before: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>> {
    let sql = "SELECT d.id FROM notification_deliveries d WHERE d.next_attempt_at <= $1 AND d.channel <> 'local' \
               AND (d.lease_until IS NULL OR d.lease_until <= $2) \
               AND EXISTS (SELECT 1 FROM notifications n WHERE n.id = d.notification_id AND (n.expires_at <= $1 \
               OR n.retracted_at IS NOT NULL OR n.expires_at IS NULL AND d.created_at <= $3)) \
               ORDER BY d.next_attempt_at, d.id LIMIT $4";
    let clock = tx.shared_clock(at.steady).await?;
    ids_of(&tx.rows_nobody_holds(sql, values![at.now, clock, chosen_before, limit]).await?)
}

/// Claims rows of a service for so long: emergencies first, then the oldest. No two desks claim the same one.
pub async fn claim(tx: &mut Tx, at: Moment, lease: TimeDelta, service: &str, limit: i64) -> Result<Claim> {
    claim_by(tx, at, lease, CLAIMABLE, (service, limit)).await
}

/// Claims the one row of a service that best tells whether it works again.
pub async fn claim_try(tx: &mut Tx, at: Moment, lease: TimeDelta, service: &str) -> Result<Claim> {
    claim_by(tx, at, lease, TRYABLE, (service, 1)).await
}

async fn claim_by(
    tx: &mut Tx,
    at: Moment,
    lease: TimeDelta,
    sql: &'static str,
    (service, limit): (&str, i64),
) -> Result<Claim> {
    let clock = tx.shared_clock(at.steady).await?;
    // A moment as both databases keep it.
    let lease_until = DateTime::from_timestamp_millis((clock + lease).timestamp_millis()).unwrap_or(clock + lease);
    let ids = ids_of(&tx.rows_nobody_holds(sql, values![at.now, clock, service, limit]).await?)?;
    for (sql, chunk) in CLAIM.cut(&ids) {
        tx.execute(sql, chunk.iter().flat_map(|id| values![*id, lease_until]).collect()).await?;
    }
    Ok(Claim { ids, lease_until })
}

/// Ends all leases: nobody else can have one. Tells how many.
pub async fn end_leases(tx: &mut Tx) -> Result<u64> {
    tx.execute("UPDATE notification_deliveries SET lease_until = NULL WHERE lease_until IS NOT NULL", Vec::new()).await
}

/// Writes what a worker found out, and gives the rows back. A row that is another's by now is left as it is, unless it
/// was ended and a provider has taken it all the same.
pub async fn settle(tx: &mut Tx, changes: &[Change], now: DateTime<Utc>) -> Result<()> {
    for change in changes {
        let values = values![
            change.id,
            change.lease_until,
            change.status.as_str(),
            change.attempts,
            change.repeats,
            change.next_attempt_at,
            change.provider_message_id.clone(),
            change.error_code.clone(),
            change.reason.clone(),
            change.accepted_at,
            now,
        ];
        if tx.execute(*SETTLE, values).await? == 0
            && let Some(accepted_at) = change.accepted_at
        {
            let id = change.provider_message_id.clone();
            let values = values![change.id, change.attempts, change.repeats, id, accepted_at, now];
            tx.execute(*TAKEN_AFTER_ITS_END, values).await?;
        }
    }
    Ok(())
}

/// Forgets claimed rows for which no provider was ever reached: the phone got the message another way.
pub async fn forget(tx: &mut Tx, ids: &[Uuid], lease_until: DateTime<Utc>) -> Result<()> {
    for (sql, chunk) in FORGET.cut(ids) {
        let mut bound = values![lease_until];
        bound.extend(chunk.iter().map(|id| Value::from(*id)));
        tx.execute(sql, bound).await?;
    }
    Ok(())
}

/// What waits for a provider is due at once: its settings have changed.
pub async fn hurry(tx: &mut Tx, channel: Channel, now: DateTime<Utc>) -> Result<u64> {
    let sql = "UPDATE notification_deliveries SET next_attempt_at = $2 \
               WHERE channel = $1 AND (status = 'waiting' OR error_code IS NOT NULL) AND lease_until IS NULL \
               AND next_attempt_at > $2";
    tx.execute(sql, values![channel.as_str(), now]).await
}

fn ids_of(rows: &[Row]) -> Result<Vec<Uuid>> {
    rows.iter().map(|row| Cells::new(row, TABLE, &["id"]).uuid()).collect()
}
