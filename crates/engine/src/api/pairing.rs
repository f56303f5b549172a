//! How a phone joins (PROTOCOL.md §2, SECURITY.md §2).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use showdesk_domain::actor::{Function, Scope};
use showdesk_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::devices::Stay;

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
    /// Until when a phone that joins by it may stay; null if for ever, the end of the show and two days if absent.
    #[serde(default, deserialize_with = "super::devices::given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub device_expires_at: Option<Stay>,
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
    /// What the desk calls it.
    pub pairing_id: Uuid,
    /// 128 random bits, base64url.
    pub code: String,
    /// When it dies.
    pub code_expires_at: DateTime<Utc>,
    /// Its short form for typing.
    pub typed: TypedCode,
}

/// The short form of a code, for a phone whose camera does not read it. Only its hash is stored.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TypedCode {
    /// Eight characters without I, L, O and U.
    pub typed_code: String,
    /// When it dies: two minutes after it was made, or after 30 wrong tries.
    #[serde(with = "crate::api::sync::instant")]
    pub typed_code_expires_at: DateTime<Utc>,
}

/// Codes that let phones in now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OpenPairings {
    /// Newest first, at most 100.
    pub items: Vec<OpenPairing>,
}

/// A code that lets phones in. The code itself is not known any more.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OpenPairing {
    /// What the desk calls it.
    pub pairing_id: Uuid,
    /// One phone, or as many as come.
    pub mode: PairingMode,
    /// What phones that use it will do.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
    /// Where they may write.
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// When it was made.
    #[serde(with = "crate::api::sync::instant")]
    pub opened_at: DateTime<Utc>,
    /// When it dies.
    #[serde(with = "crate::api::sync::instant")]
    pub code_expires_at: DateTime<Utc>,
    /// Until when a phone that joins by it may stay; none if for ever.
    #[serde(with = "crate::api::sync::instant_option")]
    pub device_expires_at: Option<DateTime<Utc>>,
    /// Phones that were let in by it.
    pub joined: i64,
    /// When its short form dies or died; none if it has none.
    #[serde(with = "crate::api::sync::instant_option")]
    pub typed_code_expires_at: Option<DateTime<Utc>>,
    /// Whether the short form died of wrong tries: a fresh one is needed.
    pub typed_code_dead: bool,
}

/// A phone shows a code.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// From the QR code, or its short form as it was typed: any case, I and L for 1, O for 0, dashes and spaces.
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
    /// Whether the old token that was shown is none of ours: it counts as a wrong secret.
    #[serde(skip)]
    pub unknown_previous: bool,
}

/// How a claim stands.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
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
    /// The switches that stand on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub permissions: Option<Vec<Permission>>,
    /// When its time is over; none if it may stay.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::api::sync::instant_option::serialize")]
    pub expires_at: Option<DateTime<Utc>>,
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
    /// Which claim: an id that names it at the desk. The phone was given another one, its secret; the desk's answer may
    /// name either.
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
    /// Where its code lets it write.
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// When it asked.
    #[serde(with = "crate::api::sync::instant")]
    pub claimed_at: DateTime<Utc>,
    /// The code that it showed.
    pub code_id: Uuid,
    /// The device that it was before, if it showed that one's token.
    pub known_device: Option<super::attention::NamedRef>,
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
    /// Until when it may stay, if not as long as the code says; null if for ever.
    #[serde(default, deserialize_with = "super::devices::given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Stay>,
}
