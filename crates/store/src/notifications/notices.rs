//! Messages as a person's stream holds them.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::PersonId;
use showdesk_domain::notices::{Priority, Receipt};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const COLUMNS: &[&str] = &[
    "notification_id",
    "user_id",
    "seq",
    "event",
    "state",
    "reminded_at",
    "type",
    "title",
    "body",
    "data",
    "priority",
    "needs_ack",
    "sender",
    "created_at",
    "released_at",
    "expires_at",
    "retracted_at",
    "collapse_key",
];
const SELECTED: &str = "SELECT r.notification_id, r.user_id, r.seq, r.event, r.state, r.reminded_at, n.type, n.title, \
                        n.body, n.data, n.priority, n.needs_ack, n.sender, n.created_at, n.released_at, n.expires_at, \
                        n.retracted_at, n.collapse_key";
const JOINED: &str = "FROM notification_recipients r JOIN notifications n ON n.id = r.notification_id";

static OF_PERSON: LazyLock<&str> = LazyLock::new(|| {
    // What ended with its class is told to who has it, or it would never leave the phone.
    sql::keep(format!(
        "{SELECTED} {JOINED} WHERE r.user_id = $1 AND r.seq > $2 AND (n.expires_at IS NULL OR n.expires_at > $3 \
         OR (n.ends_class_id IS NOT NULL AND r.state <> 'waiting')) ORDER BY r.seq LIMIT $4"
    ))
});
static MISSED: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "{SELECTED} {JOINED} WHERE r.user_id = $1 AND r.seq > $2 AND n.expires_at <= $3 AND r.state = 'waiting' \
         AND n.retracted_at IS NULL ORDER BY r.seq DESC LIMIT $4"
    ))
});
static SINCE_EVENT: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!("{SELECTED} {JOINED} WHERE r.event > $1 AND r.event <= $2 ORDER BY r.event, r.user_id"))
});
static BY_KEYS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "{SELECTED} FROM (VALUES {}) AS wanted CROSS JOIN notification_recipients r \
             JOIN notifications n ON n.id = r.notification_id \
             WHERE r.notification_id = wanted.column1 AND r.user_id = wanted.column2",
            sql::rows(count, 2)
        )
    })
});

/// A message in a person's stream.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeRow {
    /// The message.
    pub notification: Uuid,
    /// Whose stream.
    pub user: PersonId,
    /// Its number in that stream.
    pub seq: i64,
    /// Its number in all streams together.
    pub event: i64,
    /// How far it came with the person.
    pub state: Receipt,
    /// When the person was last reminded.
    pub reminded_at: Option<DateTime<Utc>>,
    /// `class_call`, `message`, ….
    pub kind: String,
    /// As it is shown.
    pub title: String,
    /// As it is shown.
    pub body: Option<String>,
    /// What a phone opens, and ids.
    pub data: Json,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether the person is to say that it was seen.
    pub needs_ack: bool,
    /// Who it is from, in words.
    pub sender: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it went out.
    pub released_at: Option<DateTime<Utc>>,
    /// When it is over.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub retracted_at: Option<DateTime<Utc>>,
    /// A later one of the same key takes its place.
    pub collapse_key: Option<String>,
}

/// A person's messages after a number, ascending; those that are over are left out.
pub async fn of_person(
    tx: &mut Tx,
    person: PersonId,
    after: i64,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<NoticeRow>> {
    read_all(&tx.rows(*OF_PERSON, values![person, after, now, limit]).await?)
}

/// What was over before any phone of the person had it, the newest first.
pub async fn missed(
    tx: &mut Tx,
    person: PersonId,
    after: i64,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<NoticeRow>> {
    read_all(&tx.rows(*MISSED, values![person, after, now, limit]).await?)
}

/// What the next so many events put into all people's streams, by event and person. A row that was told again since has
/// its newest event only.
pub async fn since_event(tx: &mut Tx, event: i64, events_max: i64) -> Result<Vec<NoticeRow>> {
    read_all(&tx.rows(*SINCE_EVENT, values![event, event.saturating_add(events_max)]).await?)
}

/// Messages in the streams of single people, in no order.
pub async fn of_recipients(tx: &mut Tx, keys: &[(Uuid, PersonId)]) -> Result<Vec<NoticeRow>> {
    let mut found = Vec::with_capacity(keys.len());
    for (sql, chunk) in BY_KEYS.cut(keys) {
        let values = chunk.iter().flat_map(|(id, person)| values![*id, *person]).collect();
        found.extend(read_all(&tx.rows(sql, values).await?)?);
    }
    Ok(found)
}

/// The last number of a person's stream; 0 if nothing was ever sent to the person.
pub async fn latest(tx: &mut Tx, person: PersonId) -> Result<i64> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM notification_recipients WHERE user_id = $1";
    let row = tx.row(sql, values![person]).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, "notification_recipients", &["seq"]).int())
}

/// The last event of all.
pub async fn latest_event(tx: &mut Tx) -> Result<i64> {
    let row = tx.row("SELECT event FROM notification_clock", Vec::new()).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, "notification_clock", &["event"]).int())
}

fn read_all(rows: &[Row]) -> Result<Vec<NoticeRow>> {
    rows.iter().map(|row| read(&mut Cells::new(row, "notification_recipients", COLUMNS))).collect()
}

fn read(cells: &mut Cells<'_>) -> Result<NoticeRow> {
    Ok(NoticeRow {
        notification: cells.uuid()?,
        user: cells.uuid()?.into(),
        seq: cells.int()?,
        event: cells.int()?,
        state: cells.word(Receipt::parse)?,
        reminded_at: cells.instant_option()?,
        kind: cells.text()?,
        title: cells.text()?,
        body: cells.text_option()?,
        data: cells.json()?,
        priority: cells.word(Priority::parse)?,
        needs_ack: cells.flag()?,
        sender: cells.text_option()?,
        created_at: cells.instant()?,
        released_at: cells.instant_option()?,
        expires_at: cells.instant_option()?,
        retracted_at: cells.instant_option()?,
        collapse_key: cells.text_option()?,
    })
}
