//! `notification_deliveries`: what became of each message on each phone, and what is still to be done about it.
//!
//! A row of the channel `local` belongs to a phone, any other to an address of a phone at a push provider.
//! `next_attempt_at` says when somebody has to look at a row; none means never again. Only rows of providers are
//! claimed: nothing outside happens for the others. `phones` has what the writer does with rows of phones, `claims`
//! what the worker does with all of them.

pub mod claims;
pub mod phones;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::notices::{Priority, Receipt};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "notification_deliveries";
const COLUMNS: &[&str] = &[
    "id",
    "notification_id",
    "user_id",
    "target",
    "channel",
    "service",
    "device_id",
    "status",
    "attempts",
    "repeats",
    "next_attempt_at",
    "lease_until",
    "provider_message_id",
    "error_code",
    "reason",
    "created_at",
    "accepted_at",
    "updated_at",
];
/// What else must be known to decide about a row.
const AROUND: &[&str] = &[
    "priority",
    "needs_ack",
    "expires_at",
    "released_at",
    "retracted_at",
    "state",
    "reminded_at",
    "local_status",
    "device_person",
    "device_revoked_at",
    "device_expires_at",
    "superseded",
];

static ERRAND: LazyLock<Vec<&str>> = LazyLock::new(|| [COLUMNS, AROUND].concat());
static ADD: LazyChunked =
    LazyChunked::new(|| Chunked::new(|count| format!("{} ON CONFLICT DO NOTHING", sql::insert(TABLE, COLUMNS, count))));
static LOAD: LazyChunked = LazyChunked::new(|| {
    let own: Vec<String> = COLUMNS.iter().map(|column| format!("d.{column}")).collect();
    let own = own.join(", ");
    Chunked::new(|count| {
        let wanted = sql::rows(count, 1);
        format!(
            "SELECT {own}, n.priority, n.needs_ack, n.expires_at, n.released_at, n.retracted_at, r.state, \
             r.reminded_at, l.status, p.profile_id, p.revoked_at, p.expires_at, {SUPERSEDED} \
             FROM (VALUES {wanted}) AS wanted CROSS JOIN {TABLE} d \
             JOIN notifications n ON n.id = d.notification_id \
             JOIN notification_recipients r ON r.notification_id = d.notification_id AND r.user_id = d.user_id \
             LEFT JOIN {TABLE} l ON l.notification_id = d.notification_id AND l.device_id = d.device_id \
             AND l.user_id = d.user_id AND l.channel = 'local' \
             LEFT JOIN devices p ON p.id = d.device_id WHERE d.id = wanted.column1"
        )
    })
});
static STANDINGS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let ids = sql::placeholders(1, count);
        format!("SELECT DISTINCT notification_id, status FROM {TABLE} WHERE notification_id IN ({ids})")
    })
});
/// Whether the person has a newer message of the same key. Of two that went out in one moment the later told is newer.
const SUPERSEDED: &str = "EXISTS (SELECT 1 FROM notifications o JOIN notification_recipients s \
                          ON s.notification_id = o.id AND s.user_id = d.user_id \
                          WHERE o.collapse_key = n.collapse_key AND o.id <> n.id AND o.retracted_at IS NULL \
                          AND (o.released_at > n.released_at OR o.released_at = n.released_at AND s.event > r.event))";

/// The way a message takes to a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// The phone's own stream on the show's network.
    Local,
    /// Firebase.
    Fcm,
    /// Apple.
    Apns,
    /// The push service of a browser.
    Web,
}

impl Channel {
    /// Those that lead through a provider.
    pub const PROVIDERS: [Self; 3] = [Self::Fcm, Self::Apns, Self::Web];

    /// The word of the table and of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Fcm => "fcm",
            Self::Apns => "apns",
            Self::Web => "web",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Local, Self::Fcm, Self::Apns, Self::Web].into_iter().find(|channel| channel.as_str() == word)
    }
}

/// How far a message came on one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryStatus {
    /// Nobody has it yet.
    Waiting,
    /// The phone has it.
    Delivered,
    /// It was shown.
    Seen,
    /// A person confirmed it.
    Confirmed,
    /// The provider took it; whether the phone has it is not known.
    Accepted,
    /// It cannot come this way.
    Failed,
    /// Its time was over first.
    Expired,
}

impl DeliveryStatus {
    const ALL: [Self; 7] =
        [Self::Waiting, Self::Delivered, Self::Seen, Self::Confirmed, Self::Accepted, Self::Failed, Self::Expired];

    /// The word of the table and of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Seen => "seen",
            Self::Confirmed => "confirmed",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Reads that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether a phone itself has said that it has the message.
    pub fn is_on_phone(self) -> bool {
        matches!(self, Self::Delivered | Self::Seen | Self::Confirmed)
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its id.
    pub id: Uuid,
    /// The message.
    pub notification: Uuid,
    /// Whom it is for.
    pub person: PersonId,
    /// The device for `local`, else the push token.
    pub target: Uuid,
    /// The way.
    pub channel: Channel,
    /// Who is asked: what fails together. `local`, `fcm`, `fcm:ios`, `apns`, `apns:sandbox`, or the origin of a browser's
    /// push service.
    pub service: String,
    /// The phone.
    pub device: Option<DeviceId>,
    /// How far it came.
    pub status: DeliveryStatus,
    /// How often a provider was reached in vain, and the time it was not.
    pub attempts: i64,
    /// How often it was sent again although it was taken.
    pub repeats: i64,
    /// When somebody looks at it again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Until when a worker has it.
    pub lease_until: Option<DateTime<Utc>>,
    /// What the provider calls it.
    pub provider_message_id: Option<String>,
    /// The last word of a provider.
    pub error_code: Option<String>,
    /// The same in a sentence.
    pub reason: Option<String>,
    /// When the way was chosen.
    pub created_at: DateTime<Utc>,
    /// When the provider took it, last.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
}

/// A row with what decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The row.
    pub row: DeliveryRow,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether somebody must confirm it.
    pub needs_ack: bool,
    /// When nobody wants to read it any more.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it went out.
    pub released_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub retracted_at: Option<DateTime<Utc>>,
    /// How far the person came with it, on any phone.
    pub state: Receipt,
    /// When somebody reminded the person.
    pub reminded_at: Option<DateTime<Utc>>,
    /// How far it came on the phone's own stream; none if that was never tried.
    pub local_status: Option<DeliveryStatus>,
    /// Whose phone it is now.
    pub device_person: Option<PersonId>,
    /// When the phone was removed.
    pub device_revoked_at: Option<DateTime<Utc>>,
    /// When the phone's time is over.
    pub device_expires_at: Option<DateTime<Utc>>,
    /// Whether a newer message took its place.
    pub is_superseded: bool,
}

/// Adds rows; what is there of the same message, person and target stays as it is.
pub async fn add(tx: &mut Tx, rows: &[DeliveryRow]) -> Result<()> {
    tx.execute_each(ADD.cut(rows).map(|(sql, chunk)| (sql, chunk.iter().flat_map(bind).collect()))).await
}

/// Rows with what decides about them, the oldest first.
pub async fn load(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Errand>> {
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in LOAD.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            found.push(read_errand(&row)?);
        }
    }
    found.sort_by_key(|errand| (errand.row.next_attempt_at, errand.row.id));
    Ok(found)
}

/// How far messages have come anywhere: each message with each state that one of its deliveries is in.
pub async fn standings(tx: &mut Tx, notifications: &[Uuid]) -> Result<Vec<(Uuid, DeliveryStatus)>> {
    let mut found = Vec::new();
    for (sql, chunk) in STANDINGS.cut(notifications) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let mut cells = Cells::new(&row, TABLE, &["notification_id", "status"]);
            found.push((cells.uuid()?, cells.word(DeliveryStatus::parse)?));
        }
    }
    Ok(found)
}

/// Brings the state of messages to what their deliveries say: `sent` once anybody has it, `failed` when nobody can
/// have it any more. Whoever has it, `sent_at` is when the first one did.
pub async fn roll_up(tx: &mut Tx, notifications: &[Uuid], now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE notifications SET \
               sent_at = CASE WHEN EXISTS (SELECT 1 FROM notification_deliveries d \
               WHERE d.notification_id = notifications.id \
               AND d.status IN ('delivered', 'seen', 'confirmed', 'accepted')) THEN COALESCE(sent_at, $2) ELSE sent_at END, \
               status = CASE WHEN EXISTS (SELECT 1 FROM notification_deliveries d \
               WHERE d.notification_id = notifications.id \
               AND d.status IN ('delivered', 'seen', 'confirmed', 'accepted')) THEN 'sent' \
               WHEN EXISTS (SELECT 1 FROM notification_deliveries d WHERE d.notification_id = notifications.id \
               AND d.status = 'waiting') THEN 'pending' \
               WHEN EXISTS (SELECT 1 FROM notification_deliveries d WHERE d.notification_id = notifications.id) \
               OR retracted_at IS NOT NULL THEN 'failed' ELSE status END \
               WHERE id = $1 AND status <> 'sent'";
    for id in notifications {
        tx.execute(sql, values![*id, now]).await?;
    }
    Ok(())
}

fn bind(row: &DeliveryRow) -> Vec<Value> {
    values![
        row.id,
        row.notification,
        row.person,
        row.target.to_string(),
        row.channel.as_str(),
        row.service.as_str(),
        row.device,
        row.status.as_str(),
        row.attempts,
        row.repeats,
        row.next_attempt_at,
        row.lease_until,
        row.provider_message_id.clone(),
        row.error_code.clone(),
        row.reason.clone(),
        row.created_at,
        row.accepted_at,
        row.updated_at,
    ]
}

fn read(cells: &mut Cells<'_>) -> Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: cells.uuid()?,
        notification: cells.uuid()?,
        person: cells.uuid()?.into(),
        target: cells.word(|text| Uuid::try_parse(text).ok())?,
        channel: cells.word(Channel::parse)?,
        service: cells.text()?,
        device: cells.uuid_option()?.map(Into::into),
        status: cells.word(DeliveryStatus::parse)?,
        attempts: cells.int()?,
        repeats: cells.int()?,
        next_attempt_at: cells.instant_option()?,
        lease_until: cells.instant_option()?,
        provider_message_id: cells.text_option()?,
        error_code: cells.text_option()?,
        reason: cells.text_option()?,
        created_at: cells.instant()?,
        accepted_at: cells.instant_option()?,
        updated_at: cells.instant()?,
    })
}

fn read_errand(row: &Row) -> Result<Errand> {
    let mut cells = Cells::new(row, TABLE, &ERRAND);
    Ok(Errand {
        row: read(&mut cells)?,
        priority: cells.word(Priority::parse)?,
        needs_ack: cells.flag()?,
        expires_at: cells.instant_option()?,
        released_at: cells.instant_option()?,
        retracted_at: cells.instant_option()?,
        state: cells.word(Receipt::parse)?,
        reminded_at: cells.instant_option()?,
        local_status: local_status(&mut cells)?,
        device_person: cells.uuid_option()?.map(Into::into),
        device_revoked_at: cells.instant_option()?,
        device_expires_at: cells.instant_option()?,
        is_superseded: cells.flag()?,
    })
}

fn local_status(cells: &mut Cells<'_>) -> Result<Option<DeliveryStatus>> {
    let Some(word) = cells.text_option()? else { return Ok(None) };
    DeliveryStatus::parse(&word).map(Some).ok_or_else(|| cells.corrupt_last())
}
