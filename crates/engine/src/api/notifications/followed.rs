//! Messages as the desk follows them: whom they reach, how far they came.

use chrono::{DateTime, Utc};
use serde::Serialize;
use showdesk_domain::notices::Priority;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AudienceInput, BeforeClass, Ends, RawText};
use crate::api::attention::NamedRef;

/// A message that was taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SentMessage {
    /// The message.
    pub id: Uuid,
    /// Whom it reaches as things stand.
    pub reach: Reach,
    /// When it goes out, or went out.
    #[serde(with = "crate::api::sync::instant_option")]
    pub send_at: Option<DateTime<Utc>>,
    /// Until when it can be taken back before anybody has it; none if it is out.
    #[serde(with = "crate::api::sync::instant_option")]
    pub undo_until: Option<DateTime<Utc>>,
}

/// Whom a message reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reach {
    /// People with a phone.
    pub people: usize,
    /// Their phones.
    pub devices: usize,
    /// Those of the phones that are away now.
    pub away: usize,
}

/// Whom a message would reach, all told and by what was named.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReachParts {
    /// People with a phone.
    pub people: usize,
    /// Their phones.
    pub devices: usize,
    /// Those of the phones that are away now.
    pub away: usize,
    /// By what was named; somebody may be in several.
    pub parts: Vec<ReachPart>,
}

/// What was named, and whom it reaches.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReachPart {
    /// `everybody`, `function:gate`, `ring:<id>`, `department:swine`, `class:<id>`, `exhibitor:<id>`.
    pub key: String,
    /// The same in words.
    pub label: String,
    /// People with a phone.
    pub people: usize,
}

/// A message as phones will show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Preview {
    /// With everything filled in.
    pub title: String,
    /// With everything filled in.
    pub body: Option<String>,
    /// When it goes out, if that hangs on a class.
    #[serde(with = "crate::api::sync::instant_option")]
    pub send_at: Option<DateTime<Utc>>,
}

/// A page of the desk's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage {
    /// What waits: the next first. What went out: the newest first.
    pub items: Vec<MessageItem>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// A message as the desk follows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MessageItem {
    /// The message.
    pub id: Uuid,
    /// `message`, `class_call`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// `person`, or `automatic`: the desk made it of what happened.
    pub source: String,
    /// As it is shown.
    pub title: String,
    /// As it is shown.
    pub body: Option<String>,
    /// As it was typed, where something is filled in.
    pub raw: Option<RawText>,
    /// normal, high, urgent.
    #[schema(value_type = String)]
    pub priority: Priority,
    /// Whether people are to say that they have seen it.
    pub needs_ack: bool,
    /// Whom it is for.
    pub audience: AudienceInput,
    /// The same in words.
    pub audience_text: String,
    /// When it goes out; none while its class has no time.
    #[serde(with = "crate::api::sync::instant_option")]
    pub send_at: Option<DateTime<Utc>>,
    /// The class it goes out before.
    pub before_class: Option<BeforeClass>,
    /// With what it is over.
    pub ends: Option<Ends>,
    /// Until when it can be taken back unseen; none once it went out.
    #[serde(with = "crate::api::sync::instant_option")]
    pub undo_until: Option<DateTime<Utc>>,
    /// When it went out, or its time came and it was over.
    #[serde(with = "crate::api::sync::instant_option")]
    pub released_at: Option<DateTime<Utc>>,
    /// When the first phone or provider had it.
    #[serde(with = "crate::api::sync::instant_option")]
    pub sent_at: Option<DateTime<Utc>>,
    /// When it is over.
    #[serde(with = "crate::api::sync::instant_option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was written.
    #[serde(with = "crate::api::sync::instant")]
    pub created_at: DateTime<Utc>,
    /// When it was taken back before it went out.
    #[serde(with = "crate::api::sync::instant_option")]
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When it was taken back after it went out.
    #[serde(with = "crate::api::sync::instant_option")]
    pub retracted_at: Option<DateTime<Utc>>,
    /// When people were last reminded.
    #[serde(with = "crate::api::sync::instant_option")]
    pub reminded_at: Option<DateTime<Utc>>,
    /// Who wrote it.
    pub by: Option<NamedRef>,
    /// pending; sent once a phone has acknowledged it or a provider accepted it; failed if nothing of it can arrive.
    pub status: String,
    /// Why it failed, or will, in words: it was over before it could go out, it reaches nobody, or it waits for a time
    /// that comes after its end.
    pub reason: Option<String>,
    /// People with a phone that it was sent to.
    pub people: i64,
    /// How far it came, in people.
    pub counts: Counts,
}

/// How many people a message has come how far with, each counted where the best of the person's phones is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// No phone has it.
    pub waiting: i64,
    /// A phone keeps it.
    pub delivered: i64,
    /// It stood on a screen.
    pub seen: i64,
    /// The person said so.
    pub confirmed: i64,
    /// A provider took it; no phone has said anything yet.
    pub accepted: i64,
    /// Nothing more is tried.
    pub failed: i64,
    /// It was over before.
    pub expired: i64,
}

/// A message with what became of it everywhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageDetail {
    /// The message.
    #[serde(flatten)]
    pub message: MessageItem,
    /// One line a phone, and one a push token.
    pub deliveries: Vec<DeliveryView>,
}

/// What became of a message on one phone, or at one provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// The delivery.
    pub id: Uuid,
    /// Whose phone.
    pub person: NamedRef,
    /// The phone, if it is known.
    pub device: Option<NamedRef>,
    /// local, fcm, apns, web.
    pub channel: String,
    /// waiting, delivered, seen, confirmed, accepted, failed, expired.
    pub status: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong, for programs.
    pub error_code: Option<String>,
    /// What went wrong, in words.
    pub reason: Option<String>,
    /// When it is tried next.
    #[serde(with = "crate::api::sync::instant_option")]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When that changed last.
    #[serde(with = "crate::api::sync::instant")]
    pub updated_at: DateTime<Utc>,
}

/// How many were reminded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reminded {
    /// People who had not seen it, or not confirmed it.
    pub reminded: i64,
}
