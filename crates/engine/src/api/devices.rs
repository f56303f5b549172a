//! Devices and the people who hold them: the desk's list, what it changes, and what a phone asks about itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use showdesk_domain::actor::{Function, Permissions, Role, Scope};
use showdesk_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::pairing::PersonRef;

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
    /// How it says that it shows its page: `quick` over plain HTTP, `field_ready` over HTTPS with a worker.
    pub level: Option<String>,
    /// Its person.
    pub user: PersonRef,
    /// The person's role in the team: owner, admin, editor, viewer. It follows from the functions.
    #[schema(value_type = String)]
    pub role: Role,
    /// What the person does.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
    /// Where the person may write.
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// Switches that were set beside the functions: `{granted, withheld}`.
    #[schema(value_type = PermissionsView)]
    pub permissions: Permissions,
    /// The switches that stand on, all told.
    #[schema(value_type = Vec<String>)]
    pub effective: Vec<Permission>,
    /// When it joined.
    #[serde(with = "crate::api::sync::instant")]
    pub joined_at: DateTime<Utc>,
    /// When its time is over; none if it may stay.
    #[serde(with = "crate::api::sync::instant_option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Its last request; none if it never made one.
    #[serde(with = "crate::api::sync::instant_option")]
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
    pub oldest_unsent_at: Option<DateTime<Utc>>,
    /// How many changes it has not pulled.
    pub lag: i64,
    /// How far its clock is off, milliseconds; positive is ahead.
    pub skew_ms: i64,
    /// When it was removed.
    #[serde(with = "crate::api::sync::instant_option")]
    pub revoked_at: Option<DateTime<Utc>>,
    /// When two stores of this device were last seen pushing in turn: it may be two phones.
    #[serde(with = "crate::api::sync::instant_option")]
    pub fork_suspected_at: Option<DateTime<Utc>>,
    /// The device that this one may be: a phone of the same name and kind that was not seen since this one joined.
    pub may_be: Option<Uuid>,
    /// Since when the desk asks for a copy of what it holds; none once one was taken in.
    #[serde(with = "crate::api::sync::instant_option")]
    pub file_asked_at: Option<DateTime<Utc>>,
}

/// Switches beside the functions.
#[derive(Debug, ToSchema)]
#[schema(as = Permissions)]
pub struct PermissionsView {
    /// Given beyond the functions.
    #[schema(value_type = Vec<String>)]
    pub granted: Vec<Permission>,
    /// Taken from what the functions bring.
    #[schema(value_type = Vec<String>)]
    pub withheld: Vec<Permission>,
}

/// What the desk changes about a device and its person. What is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceChange {
    /// The device's name, 1 to 200 characters.
    #[serde(default)]
    pub name: Option<String>,
    /// The person's name, 1 to 200 characters.
    #[serde(default)]
    pub person_name: Option<String>,
    /// What the person does; at least one.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub functions: Option<Vec<Function>>,
    /// Where the person may write.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub scope: Option<Scope>,
    /// Switches beside the functions.
    #[serde(default)]
    #[schema(value_type = Option<PermissionsView>)]
    pub permissions: Option<Permissions>,
    /// When the device's time is over; null if it may stay.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Stay>,
}

/// How long a device may stay, as a request says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stay {
    /// Null: as long as it is not removed.
    ForEver,
    /// Until this moment, in RFC 3339.
    Until(String),
}

/// Reads a field whose null says something else than its absence.
pub(crate) fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Stay>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(Some(text.map_or(Stay::ForEver, Stay::Until)))
}

/// A phone that joined twice becomes one person again.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeDevice {
    /// The device whose person it is.
    pub into: Uuid,
}

/// The switches of the desk, in their order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PermissionList {
    /// All of them.
    pub items: Vec<PermissionItem>,
}

/// One switch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PermissionItem {
    /// Its name.
    #[schema(value_type = String)]
    pub key: Permission,
    /// The functions that have it by themselves; an admin has all.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
}

/// What a device may know about itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Me {
    /// The device.
    pub device_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its person.
    pub person: PersonRef,
    /// What the person does.
    #[schema(value_type = Vec<String>)]
    pub functions: Vec<Function>,
    /// Where the person may write.
    #[schema(value_type = Object)]
    pub scope: Scope,
    /// The switches that stand on.
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
    /// When its time is over; none if it may stay.
    #[serde(with = "crate::api::sync::instant_option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when the desk asks for a copy of what it holds.
    #[serde(with = "crate::api::sync::instant_option")]
    pub file_asked_at: Option<DateTime<Utc>>,
}

/// Numbers that a device may give to exhibitors while the desk is out of its reach.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct BackNumberLease {
    /// The first.
    pub from: i64,
    /// The last.
    pub to: i64,
    /// Until when.
    #[serde(with = "crate::api::sync::instant")]
    pub expires_at: DateTime<Utc>,
}
