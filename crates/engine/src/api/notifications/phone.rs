//! Messages as a phone reads and confirms them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use showdesk_domain::notices::{Priority, Receipt};
use showdesk_store::notifications::notices::NoticeRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// A message as a phone gets it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Notice {
    /// Its number in the person's stream. What is told again, reminded of or taken back comes again with a higher one;
    /// of one id the highest counts.
    pub seq: i64,
    /// The message.
    pub id: Uuid,
    /// `message`, `class_call`, `weather`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// At most 80 letters.
    pub title: String,
    /// At most 400 letters.
    pub body: Option<String>,
    /// normal, high, urgent: Info, Important, Emergency.
    #[schema(value_type = String)]
    pub priority: Priority,
    /// Whether the person is to say that it was seen.
    pub needs_ack: bool,
    /// `open`: what to open on the screen; and ids of what it is about.
    #[schema(value_type = Object)]
    pub data: Json,
    /// Who it is from, in words; none for the desk's own messages.
    pub from: Option<String>,
    /// When it was written.
    #[serde(with = "crate::api::sync::instant")]
    pub created_at: DateTime<Utc>,
    /// When it went out.
    #[serde(with = "crate::api::sync::instant")]
    pub sent_at: DateTime<Utc>,
    /// When it is over.
    #[serde(with = "crate::api::sync::instant_option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    #[serde(with = "crate::api::sync::instant_option")]
    pub retracted_at: Option<DateTime<Utc>>,
    /// When the person was last reminded of it.
    #[serde(with = "crate::api::sync::instant_option")]
    pub reminded_at: Option<DateTime<Utc>>,
    /// How far it came with the person: waiting, delivered, seen, confirmed on any of the person's phones.
    #[schema(value_type = String)]
    pub state: Receipt,
}

impl From<NoticeRow> for Notice {
    fn from(row: NoticeRow) -> Self {
        Self {
            seq: row.seq,
            id: row.notification,
            kind: row.kind,
            title: row.title,
            body: row.body,
            priority: row.priority,
            needs_ack: row.needs_ack,
            data: row.data,
            from: row.sender,
            created_at: row.created_at,
            sent_at: row.released_at.unwrap_or(row.created_at),
            expires_at: row.expires_at,
            retracted_at: row.retracted_at,
            reminded_at: row.reminded_at,
            state: row.state,
        }
    }
}

/// A page of a person's messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticePage {
    /// Ascending by `seq`. What is over is left out.
    pub items: Vec<Notice>,
    /// What was over before any phone of the person had it, newest first; at most 50.
    pub missed: Vec<MissedNotice>,
    /// The last number of the person's stream. It is lower than `after` only if the desk was restored: begin at 0.
    pub latest: i64,
    /// Whether there is more after the last item.
    pub more: bool,
}

/// A message that was over before the person could read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissedNotice {
    /// The message.
    pub id: Uuid,
    /// Its number in the person's stream.
    pub seq: i64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its title.
    pub title: String,
    /// Its priority.
    #[schema(value_type = String)]
    pub priority: Priority,
    /// When it went out.
    #[serde(with = "crate::api::sync::instant")]
    pub sent_at: DateTime<Utc>,
    /// When it was over.
    #[serde(with = "crate::api::sync::instant_option")]
    pub expires_at: Option<DateTime<Utc>>,
}

impl From<NoticeRow> for MissedNotice {
    fn from(row: NoticeRow) -> Self {
        Self {
            id: row.notification,
            seq: row.seq,
            kind: row.kind,
            title: row.title,
            priority: row.priority,
            sent_at: row.released_at.unwrap_or(row.created_at),
            expires_at: row.expires_at,
        }
    }
}

/// How far messages came on this phone.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    /// The messages, at most 500. Ids that are not the person's are passed over.
    pub ids: Vec<Uuid>,
    /// delivered, seen or confirmed. It only rises.
    pub state: AckState,
}

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AckState {
    /// The phone keeps it.
    Delivered,
    /// It stood on the screen.
    Seen,
    /// The person said so.
    Confirmed,
}

impl From<AckState> for Receipt {
    fn from(state: AckState) -> Self {
        match state {
            AckState::Delivered => Self::Delivered,
            AckState::Seen => Self::Seen,
            AckState::Confirmed => Self::Confirmed,
        }
    }
}

/// What an acknowledgement changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Acked {
    /// Messages for which something rose.
    pub updated: i64,
}
