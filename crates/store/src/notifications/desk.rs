//! Messages as the desk follows them: what waits, what went out, and what became of it.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use super::{COLUMNS, NotificationRow, read_into};
use crate::db::Value;
use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

/// Where a list is gone on with: after this message. None begins it.
pub type After = Option<(DateTime<Utc>, Uuid)>;

static SCHEDULED: LazyLock<[&str; 2]> = LazyLock::new(|| {
    // Those whose class has no time come last, by when they were written.
    let place = "COALESCE(send_at, created_at)";
    ["", "AND (send_at IS NULL, COALESCE(send_at, created_at), id) > ($2, $3, $4)"].map(|after| {
        sql::keep(format!(
            "{} WHERE released_at IS NULL AND cancelled_at IS NULL {after} \
             ORDER BY send_at IS NULL, {place}, id LIMIT $1",
            sql::select("notifications", COLUMNS)
        ))
    })
});
static SENT: LazyLock<[&str; 2]> = LazyLock::new(|| {
    ["", "AND (released_at, id) < ($2, $3)"].map(|after| {
        sql::keep(format!(
            "{} WHERE released_at IS NOT NULL {after} ORDER BY released_at DESC, id DESC LIMIT $1",
            sql::select("notifications", COLUMNS)
        ))
    })
});
static COUNTS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        // A person counts where the best of the person's phones is; a provider that took it comes before waiting.
        format!(
            "SELECT p.notification_id, p.best, COUNT(*) FROM (SELECT r.notification_id, \
             CASE WHEN r.state <> 'waiting' THEN r.state ELSE CASE MIN(CASE d.status WHEN 'accepted' THEN 1 \
             WHEN 'waiting' THEN 2 WHEN 'failed' THEN 3 WHEN 'expired' THEN 4 ELSE 2 END) WHEN 1 THEN 'accepted' \
             WHEN 2 THEN 'waiting' WHEN 3 THEN 'failed' ELSE 'expired' END END AS best \
             FROM notification_recipients r JOIN notification_deliveries d \
             ON d.notification_id = r.notification_id AND d.user_id = r.user_id \
             WHERE r.notification_id IN ({}) GROUP BY r.notification_id, r.user_id, r.state) p \
             GROUP BY p.notification_id, p.best",
            sql::placeholders(1, count)
        )
    })
});

pub(crate) const MADE_SINCE: &str = "SELECT COUNT(*) FROM notifications WHERE type = $1 AND created_at > $2";
static NEWEST_OF: LazyChunked = LazyChunked::new(|| Chunked::new(newest_of_keys));

pub(crate) fn newest_of_keys(count: usize) -> String {
    format!(
        "SELECT wanted.column1, MAX(n.created_at) FROM (VALUES {}) AS wanted CROSS JOIN notifications n \
         WHERE n.collapse_key = wanted.column1 GROUP BY wanted.column1",
        sql::rows(count, 1)
    )
}

/// What waits to go out, the next first; `after` is the last one's time, whether its class has none, and its id.
pub async fn scheduled(
    tx: &mut Tx,
    after: Option<(bool, DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<NotificationRow>> {
    let mut bound = values![limit];
    if let Some((is_timeless, at, id)) = after {
        bound.extend(values![is_timeless, at, id]);
    }
    let mut found = Vec::new();
    read_into(&mut found, &tx.rows(SCHEDULED[usize::from(after.is_some())], bound).await?)?;
    Ok(found)
}

/// What went out, the newest first.
pub async fn sent(tx: &mut Tx, after: After, limit: i64) -> Result<Vec<NotificationRow>> {
    let mut bound = values![limit];
    if let Some((at, id)) = after {
        bound.extend(values![at, id]);
    }
    let mut found = Vec::new();
    read_into(&mut found, &tx.rows(SENT[usize::from(after.is_some())], bound).await?)?;
    Ok(found)
}

/// How many people each message has come how far with: the message, the state, how many. Who has no phone is not
/// counted.
pub async fn counts(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, String, i64)>> {
    let mut found = Vec::new();
    for (sql, chunk) in COUNTS.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let mut cells = Cells::new(&row, "notification_recipients", &["notification_id", "best", "count"]);
            found.push((cells.uuid()?, cells.text()?, cells.int()?));
        }
    }
    Ok(found)
}

/// What became of a message on one phone, or at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLine {
    /// The delivery.
    pub id: Uuid,
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub person_name: String,
    /// The phone, if it is known.
    pub device: Option<DeviceId>,
    /// Its name.
    pub device_name: Option<String>,
    /// local, fcm, apns, web.
    pub channel: String,
    /// waiting, delivered, seen, confirmed, accepted, failed, expired.
    pub status: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong, for programs.
    pub error_code: Option<String>,
    /// What went wrong, as it was said.
    pub reason: Option<String>,
    /// When it is tried next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When that changed last.
    pub updated_at: DateTime<Utc>,
}

/// What became of one message everywhere, by name.
pub async fn deliveries(tx: &mut Tx, notification: Uuid) -> Result<Vec<DeliveryLine>> {
    let columns = &[
        "id",
        "user_id",
        "person_name",
        "device_id",
        "device_name",
        "channel",
        "status",
        "attempts",
        "error_code",
        "reason",
        "next_attempt_at",
        "updated_at",
    ];
    let sql = "SELECT d.id, d.user_id, p.name, d.device_id, v.name, d.channel, d.status, d.attempts, d.error_code, \
               d.reason, d.next_attempt_at, d.updated_at FROM notification_deliveries d \
               JOIN profiles p ON p.id = d.user_id LEFT JOIN devices v ON v.id = d.device_id \
               WHERE d.notification_id = $1 ORDER BY lower(p.name), p.id, lower(v.name), d.channel, d.id";
    let mut found = Vec::new();
    for row in tx.rows(sql, values![notification]).await? {
        let mut cells = Cells::new(&row, "notification_deliveries", columns);
        found.push(DeliveryLine {
            id: cells.uuid()?,
            person: cells.uuid()?.into(),
            person_name: cells.text()?,
            device: cells.uuid_option()?.map(DeviceId),
            device_name: cells.text_option()?,
            channel: cells.text()?,
            status: cells.text()?,
            attempts: cells.int()?,
            error_code: cells.text_option()?,
            reason: cells.text_option()?,
            next_attempt_at: cells.instant_option()?,
            updated_at: cells.instant()?,
        });
    }
    Ok(found)
}

/// How many messages of a kind the desk made since.
pub async fn made_since(tx: &mut Tx, kind: &str, since: DateTime<Utc>) -> Result<i64> {
    let row = tx.row(MADE_SINCE, values![kind, since]).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, "notifications", &["count"]).int())
}

/// When the newest message of each of these collapse keys was made; none of those that have no message.
pub async fn newest_of(tx: &mut Tx, collapse_keys: &[String]) -> Result<HashMap<String, DateTime<Utc>>> {
    let mut found = HashMap::new();
    for (sql, chunk) in NEWEST_OF.cut(collapse_keys) {
        for row in tx.rows(sql, chunk.iter().map(|key| Value::from(key.as_str())).collect()).await? {
            let mut cells = Cells::new(&row, "notifications", &["collapse_key", "created_at"]);
            found.insert(cells.text()?, cells.instant()?);
        }
    }
    Ok(found)
}
