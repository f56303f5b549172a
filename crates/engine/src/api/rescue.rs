//! A phone's copy of its unsent entries, reviewed at the desk and taken in for their author.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::attention::NamedRef;
use super::sync::OpResult;

/// A copy is reviewed or taken in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeIn {
    /// The whole of the phone's file, its checksum included.
    pub copy: Json,
    /// Writes nothing and tells what would become of each entry.
    #[serde(default)]
    pub dry_run: bool,
    /// Entries that are not taken in. Of entries that belong together all are left out, if one is.
    #[serde(default)]
    pub leave_out: Vec<Uuid>,
}

/// What became, or would become, of a copy's entries.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TakenIn {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The phone, as the desk knows it.
    pub device: NamedRef,
    /// Whether it was removed from the show.
    pub device_removed: bool,
    /// The person whose entries these are.
    pub author: NamedRef,
    /// When the copy was made, by the phone's clock.
    #[serde(with = "crate::api::sync::instant_option")]
    pub made_at: Option<DateTime<Utc>>,
    /// One item an entry, in the order in which they are decided.
    pub items: Vec<TakenInItem>,
}

/// One entry of a copy.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TakenInItem {
    /// The entry, as the copy names it.
    #[schema(value_type = Option<String>)]
    pub op_id: Json,
    /// Its table, even if there is no such.
    pub table_name: String,
    /// The record, if its id can be read.
    pub record_id: Option<Uuid>,
    /// insert, update, delete.
    pub operation: String,
    /// What the record is: tag, species, breed, exhibitor, class, ….
    pub subject: Json,
    /// The fields set.
    pub data: Json,
    /// Why, where the author gave a reason.
    pub reason: Option<String>,
    /// When it was made, by the phone's clock.
    #[serde(with = "crate::api::sync::instant_option")]
    pub made_at: Option<DateTime<Utc>>,
    /// Whether it is left out.
    pub left_out: bool,
    /// Its verdict, as a push would answer it: `replayed` if the desk had it already. None if it is left out.
    pub result: Option<OpResult>,
}
