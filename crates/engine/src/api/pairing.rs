//! How a phone joins, and the list of devices (PROTOCOL.md §2, SECURITY.md §2).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use showdesk_domain::actor::{Function, Scope};
use utoipa::ToSchema;
use uuid::Uuid;

/// The desk opens joining.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPairing {
    /// What phones that use this code will do.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
    /// Where they may write.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// One phone, or as many as come until the code expires.
    #[serde(default)]
    pub mode: PairingMode,
    /// 600 for a single code, 7,200 for an open one, 86,400 at most.
    #[serde(default)]
    pub expires_in_s: Option<i64>,
}

/// One phone, or many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairingMode {
    /// The code dies with its first use.
    #[default]
    Single,
    /// The code serves until it expires.
    Open,
}

/// A code; only its hash is stored.
#[derive(Debug, Clone)]
pub struct PairingCode {
    /// 128 random bits, base64url.
    pub code: String,
    /// When it dies.
    pub code_expires_at: DateTime<Utc>,
}

/// A phone shows a code.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// From the QR code.
    pub code: String,
    /// The name the person typed, 1 to 200 characters.
    pub device_name: String,
    /// ios, android, web, ….
    #[serde(default)]
    pub platform: Option<String>,
    /// An old, unrevoked token keeps the device's id.
    #[serde(default)]
    pub previous_token: Option<String>,
}

/// The claim stands; the desk must allow it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Claimed {
    /// Secret: whoever knows it can fetch the token after Allow.
    pub pairing_id: Uuid,
    /// Four digits that both screens show.
    pub check_number: String,
    /// What the code was made for; the desk may allow something else.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
}

/// How a claim stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PairingStatus {
    /// waiting, approved or refused.
    pub status: String,
    /// Shown once approved: each fetch makes a new one and kills the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Uuid>,
    /// The person behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<PersonRef>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub functions: Option<Vec<Function>>,
    /// Where it may write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub scope: Option<Scope>,
}

/// A person, by name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PersonRef {
    /// The profile.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// Phones that ask to join.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WaitingPairings {
    /// Oldest first.
    pub items: Vec<WaitingPairing>,
}

/// A phone that asks to join.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WaitingPairing {
    /// Which claim. Not the secret `pairing_id` of the phone, but an id that names it at the desk.
    pub pairing_id: Uuid,
    /// What its person typed.
    pub device_name: String,
    /// ios, android, web, ….
    pub platform: Option<String>,
    /// To compare with the phone's screen.
    pub check_number: String,
    /// What its code was made for.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
    /// When it asked.
    #[serde(with = "crate::api::sync::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub claimed_at: DateTime<Utc>,
}

/// The desk allows a phone, perhaps with other rights than its code was made for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// Another name than the person typed.
    #[serde(default)]
    pub name: Option<String>,
    /// Other functions than the code's.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub functions: Option<Vec<Function>>,
    /// Another scope than the code's.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub scope: Option<Scope>,
}

/// All devices that ever joined.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceList {
    /// By name.
    pub items: Vec<DeviceView>,
}

/// A device as the desk lists it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceView {
    /// The device.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// phone or desk.
    pub kind: String,
    /// ios, android, web, ….
    pub platform: Option<String>,
    /// Its person.
    pub user: PersonRef,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
    /// Where it may write.
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// When it joined.
    #[serde(with = "crate::api::sync::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub joined_at: DateTime<Utc>,
    /// Its last request; none if it never made one.
    #[serde(with = "crate::api::sync::instant_option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<DateTime<Utc>>,
    /// Whether it was heard of in the last 45 seconds: a phone that shows its page asks every 15.
    pub connected: bool,
    /// One letter for each of the last 60 minutes, oldest first: `c` heard of, `s` heard of and slow (a request took
    /// a second or more to arrive, or the phone told by `X-Client-Took-Ms` that one took so long in all), `a` away,
    /// `-` not joined yet, or the desk was not running.
    pub beats: String,
    /// Entries it said it still holds.
    pub unsent: i64,
    /// Since when the oldest of them waits, as far as it was told; none if it holds none.
    #[serde(with = "crate::api::sync::instant_option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest_unsent_at: Option<DateTime<Utc>>,
    /// How many changes it has not pulled.
    pub lag: i64,
    /// How far its clock is off, milliseconds; positive is ahead.
    pub skew_ms: i64,
    /// When it was removed.
    #[serde(with = "crate::api::sync::instant_option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When two stores of this device were last seen pushing in turn: it may be two phones.
    #[serde(with = "crate::api::sync::instant_option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fork_suspected_at: Option<DateTime<Utc>>,
}
