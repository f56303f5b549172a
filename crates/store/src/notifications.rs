//! `notifications` and who has them: what goes out, what each person's stream holds, how far it came.
//!
//! A number of a person's stream is taken by the writer only: the order of commits is the order of the numbers.

pub mod audience;
pub mod desk;
pub mod find;
pub mod notices;
pub mod settings;
pub mod streams;
pub mod templates;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::PersonId;
use showdesk_domain::notices::Priority;
use showdesk_domain::notices::audience::Audience;
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::people::json;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const COLUMNS: &[&str] = &[
    "id",
    "user_id",
    "type",
    "title",
    "body",
    "data",
    "status",
    "audience",
    "priority",
    "needs_ack",
    "send_at",
    "expires_at",
    "collapse_key",
    "dedupe_key",
    "template_id",
    "created_by",
    "created_at",
    "sent_at",
    "source",
    "announcement_id",
    "before_class_id",
    "before_minutes",
    "ends_class_id",
    "ends_after_minutes",
    "sender",
    "raw",
    "released_at",
    "cancelled_at",
    "retracted_at",
    "reminded_at",
];

static ADD: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} ON CONFLICT DO NOTHING", sql::insert("notifications", COLUMNS, 1))));
static BY_ID: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!("{} WHERE id IN ({})", sql::select("notifications", COLUMNS), sql::placeholders(1, count))
    })
});
static BY_DEDUPE_KEY: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let keys = sql::placeholders(1, count);
        format!("SELECT id, dedupe_key, retracted_at FROM notifications WHERE dedupe_key IN ({keys})")
    })
});
static BEFORE_CLASSES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "{} WHERE before_class_id IN ({}) AND released_at IS NULL AND cancelled_at IS NULL",
            sql::select("notifications", COLUMNS),
            sql::placeholders(1, count)
        )
    })
});

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Somebody wrote it.
    Person,
    /// The desk tells of what happened.
    Automatic,
}

impl Source {
    /// The word in the protocol and in both databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Automatic => "automatic",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Person, Self::Automatic].into_iter().find(|source| source.as_str() == word)
    }
}

/// A row of `notifications`.
#[derive(Debug, Clone, PartialEq)]
pub struct NotificationRow {
    /// The message; that of a person's message is also its announcement's.
    pub id: Uuid,
    /// It is for this person alone.
    pub user: Option<PersonId>,
    /// `class_call`, `message`, ….
    pub kind: String,
    /// As it is shown.
    pub title: String,
    /// As it is shown.
    pub body: Option<String>,
    /// What a phone opens, and ids.
    pub data: Json,
    /// pending, sent, failed.
    pub status: String,
    /// Whom it is for.
    pub audience: Audience,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether people are to say that they have seen it.
    pub needs_ack: bool,
    /// When it goes out; none while its class has no time.
    pub send_at: Option<DateTime<Utc>>,
    /// When it is over.
    pub expires_at: Option<DateTime<Utc>>,
    /// A later one of the same key takes its place on a phone that was away.
    pub collapse_key: Option<String>,
    /// What it tells of: nothing is told twice.
    pub dedupe_key: Option<String>,
    /// The template it was made from.
    pub template_id: Option<Uuid>,
    /// Who wrote it; none for the desk itself.
    pub created_by: Option<PersonId>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When the first phone or provider took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// Where it comes from.
    pub source: Source,
    /// Its row in `announcements`.
    pub announcement_id: Option<Uuid>,
    /// It goes out before this class.
    pub before_class_id: Option<Uuid>,
    /// By so many minutes.
    pub before_minutes: Option<i64>,
    /// It is over when this class enters the ring.
    pub ends_class_id: Option<Uuid>,
    /// It is over so many minutes after it went out.
    pub ends_after_minutes: Option<i64>,
    /// Who it is from, in words.
    pub sender: Option<String>,
    /// `{title, body}` as they were typed, where something is filled in.
    pub raw: Option<Json>,
    /// When it went out, or its time came and it was over.
    pub released_at: Option<DateTime<Utc>>,
    /// When it was taken back before it went out.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When it was taken back after it went out.
    pub retracted_at: Option<DateTime<Utc>>,
    /// When people were last reminded of it.
    pub reminded_at: Option<DateTime<Utc>>,
}

impl NotificationRow {
    fn values(&self) -> Vec<Value> {
        values![
            self.id,
            self.user,
            self.kind.as_str(),
            self.title.as_str(),
            self.body.clone(),
            self.data.clone(),
            self.status.as_str(),
            json(&self.audience),
            self.priority.as_str(),
            self.needs_ack,
            self.send_at,
            self.expires_at,
            self.collapse_key.clone(),
            self.dedupe_key.clone(),
            self.template_id,
            self.created_by,
            self.created_at,
            self.sent_at,
            self.source.as_str(),
            self.announcement_id,
            self.before_class_id,
            self.before_minutes,
            self.ends_class_id,
            self.ends_after_minutes,
            self.sender.clone(),
            self.raw.clone(),
            self.released_at,
            self.cancelled_at,
            self.retracted_at,
            self.reminded_at,
        ]
    }
}

/// Adds a message; false if there is one of that id, dedupe key or announcement.
pub async fn add(tx: &mut Tx, row: &NotificationRow) -> Result<bool> {
    Ok(tx.execute(*ADD, row.values()).await? == 1)
}

/// Messages by their ids, in no order.
pub async fn load(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<NotificationRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in BY_ID.cut(ids) {
        let rows = tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await?;
        read_into(&mut found, &rows)?;
    }
    Ok(found)
}

/// A message that tells of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The message.
    pub id: Uuid,
    /// What it tells of.
    pub dedupe_key: String,
    /// Whether it was taken back since.
    pub is_retracted: bool,
}

/// Which messages tell of these things.
pub async fn of_dedupe_keys(tx: &mut Tx, keys: &[String]) -> Result<Vec<Told>> {
    let mut found = Vec::new();
    for (sql, chunk) in BY_DEDUPE_KEY.cut(keys) {
        for row in tx.rows(sql, chunk.iter().map(|key| Value::from(key.as_str())).collect()).await? {
            let mut cells = Cells::new(&row, "notifications", &["id", "dedupe_key", "retracted_at"]);
            let (id, dedupe_key) = (cells.uuid()?, cells.text()?);
            found.push(Told { id, dedupe_key, is_retracted: cells.instant_option()?.is_some() });
        }
    }
    Ok(found)
}

/// Messages whose time to go out has come, the oldest first; `after` is the last one's time and id.
pub async fn due(
    tx: &mut Tx,
    now: DateTime<Utc>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<(DateTime<Utc>, Uuid)>> {
    let (at, id) = after.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
    let sql = "SELECT send_at, id FROM notifications WHERE released_at IS NULL AND cancelled_at IS NULL \
               AND send_at <= $1 AND (send_at, id) > ($2, $3) ORDER BY send_at, id LIMIT $4";
    let rows = tx.rows(sql, values![now, at, id, limit]).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "notifications", &["send_at", "id"]);
        Ok((cells.instant()?, cells.uuid()?))
    };
    rows.iter().map(read).collect()
}

/// Messages that go out before these classes and have not gone out yet.
pub async fn before_classes(tx: &mut Tx, classes: &[Uuid]) -> Result<Vec<NotificationRow>> {
    let mut found = Vec::new();
    for (sql, chunk) in BEFORE_CLASSES.cut(classes) {
        let rows = tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await?;
        read_into(&mut found, &rows)?;
    }
    Ok(found)
}

/// Writes a message anew that has not gone out.
pub async fn rewrite(tx: &mut Tx, row: &NotificationRow) -> Result<()> {
    let sql = "UPDATE notifications SET type = $2, title = $3, body = $4, data = $5, audience = $6, priority = $7, \
               needs_ack = $8, send_at = $9, expires_at = $10, template_id = $11, before_class_id = $12, \
               before_minutes = $13, ends_class_id = $14, ends_after_minutes = $15, raw = $16, user_id = $17 \
               WHERE id = $1 AND released_at IS NULL";
    let values = values![
        row.id,
        row.kind.as_str(),
        row.title.as_str(),
        row.body.clone(),
        row.data.clone(),
        json(&row.audience),
        row.priority.as_str(),
        row.needs_ack,
        row.send_at,
        row.expires_at,
        row.template_id,
        row.before_class_id,
        row.before_minutes,
        row.ends_class_id,
        row.ends_after_minutes,
        row.raw.clone(),
        row.user,
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Says that a message goes out now, as it reads now.
pub async fn release(tx: &mut Tx, row: &NotificationRow, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE notifications SET released_at = $2, title = $3, body = $4, expires_at = $5, \
               announcement_id = $6 WHERE id = $1";
    let values = values![row.id, now, row.title.as_str(), row.body.clone(), row.expires_at, row.announcement_id];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Ends a message whose time to go out has come but that is over by then: it is told to nobody and has failed. False if
/// it went out, or was taken back, before.
pub async fn miss(tx: &mut Tx, row: &NotificationRow, now: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE notifications SET released_at = $2, status = 'failed' \
               WHERE id = $1 AND released_at IS NULL AND cancelled_at IS NULL";
    Ok(tx.execute(sql, values![row.id, now]).await? == 1)
}

/// Says of a message that went out and waits for no phone how it ended: `sent` if it stands on a desk, `failed` if it
/// stands nowhere.
pub async fn end_without_phones(tx: &mut Tx, id: Uuid, is_on_desk: bool, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE notifications SET status = $2, sent_at = COALESCE(sent_at, $3) \
               WHERE id = $1 AND status = 'pending'";
    let (status, sent_at) = if is_on_desk { ("sent", Some(now)) } else { ("failed", None) };
    tx.execute(sql, values![id, status, sent_at]).await?;
    Ok(())
}

/// What a person chose about a message that went out with its announcement.
pub async fn add_choices(tx: &mut Tx, row: &NotificationRow) -> Result<()> {
    let sql = "UPDATE notifications SET template_id = $2, ends_class_id = $3, ends_after_minutes = $4, raw = $5, \
               data = $6 WHERE id = $1";
    let values =
        values![row.id, row.template_id, row.ends_class_id, row.ends_after_minutes, row.raw.clone(), row.data.clone()];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Takes a message back that has not gone out; false if it has, or was taken back before.
pub async fn cancel(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE notifications SET cancelled_at = $2 \
               WHERE id = $1 AND released_at IS NULL AND cancelled_at IS NULL";
    Ok(tx.execute(sql, values![id, now]).await? == 1)
}

/// Takes a message back that went out; false if it was before.
pub async fn retract(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE notifications SET retracted_at = $2 WHERE id = $1 AND retracted_at IS NULL";
    Ok(tx.execute(sql, values![id, now]).await? == 1)
}

/// Ends the messages that end when one of these classes enters the ring; answers which.
pub async fn end_with_classes(tx: &mut Tx, classes: &[Uuid], now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    let sql = "UPDATE notifications SET expires_at = $2 WHERE ends_class_id = $1 AND retracted_at IS NULL \
               AND cancelled_at IS NULL AND (expires_at IS NULL OR expires_at > $2) RETURNING id";
    let mut ended = Vec::new();
    for class in classes {
        for row in tx.rows(sql, values![*class, now]).await? {
            ended.push(Cells::new(&row, "notifications", &["id"]).uuid()?);
        }
    }
    Ok(ended)
}

fn read_into(found: &mut Vec<NotificationRow>, rows: &[Row]) -> Result<()> {
    for row in rows {
        found.push(read(&mut Cells::new(row, "notifications", COLUMNS))?);
    }
    Ok(())
}

fn read(cells: &mut Cells<'_>) -> Result<NotificationRow> {
    Ok(NotificationRow {
        id: cells.uuid()?,
        user: cells.uuid_option()?.map(PersonId),
        kind: cells.text()?,
        title: cells.text()?,
        body: cells.text_option()?,
        data: cells.json()?,
        status: cells.text()?,
        audience: cells.parsed()?,
        priority: cells.word(Priority::parse)?,
        needs_ack: cells.flag()?,
        send_at: cells.instant_option()?,
        expires_at: cells.instant_option()?,
        collapse_key: cells.text_option()?,
        dedupe_key: cells.text_option()?,
        template_id: cells.uuid_option()?,
        created_by: cells.uuid_option()?.map(PersonId),
        created_at: cells.instant()?,
        sent_at: cells.instant_option()?,
        source: cells.word(Source::parse)?,
        announcement_id: cells.uuid_option()?,
        before_class_id: cells.uuid_option()?,
        before_minutes: cells.int_option()?,
        ends_class_id: cells.uuid_option()?,
        ends_after_minutes: cells.int_option()?,
        sender: cells.text_option()?,
        raw: cells.json_option()?,
        released_at: cells.instant_option()?,
        cancelled_at: cells.instant_option()?,
        retracted_at: cells.instant_option()?,
        reminded_at: cells.instant_option()?,
    })
}
