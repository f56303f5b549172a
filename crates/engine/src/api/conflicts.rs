//! Clashes: how they are listed, decided, undone (PROTOCOL.md §5).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use uuid::Uuid;

/// Which clashes to list. Newest first; a page has at most 200.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictQuery {
    /// open, resolved, superseded, withdrawn, `merged_automatically`.
    pub status: Option<String>,
    /// `update_update`, ….
    pub kind: Option<String>,
    /// A synced table.
    pub table: Option<String>,
    /// The device that sent the clashing entry.
    pub device: Option<Uuid>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of clashes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictPage {
    /// Newest first.
    pub items: Vec<ConflictView>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// One clash as the desk and its author see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ConflictView {
    /// The clash.
    pub id: Uuid,
    /// `update_update`, `insert_insert`, `insert_deleted`, `update_missing`, `update_deleted`, `delete_updated`, ….
    pub kind: String,
    /// The rule of DOMAIN.md §5, where `kind` is `rule`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// open, resolved, superseded, withdrawn, `merged_automatically`.
    pub status: String,
    /// Goes up whenever what must be decided changed.
    pub rev: i64,
    /// The record's table.
    pub table_name: String,
    /// The record.
    pub record_id: Uuid,
    /// The second record of a uniqueness clash.
    pub other_record_id: Option<Uuid>,
    /// The ops that one decision covers.
    pub op_ids: Vec<Uuid>,
    /// Their `table_name`, operation and time, in words a list can show: what the record is, e.g. tag, species, breed, exhibitor.
    pub subject: Json,
    /// The author's view, a whole row as far as known.
    pub base_data: Option<Json>,
    /// The desk's row.
    pub server_data: Option<Json>,
    /// The row as the author wanted it.
    pub client_data: Option<Json>,
    /// The version to send back with the decision.
    pub server_version: i64,
    /// Fields that a person must choose.
    pub contested: Vec<String>,
    /// Fields of the entry that wait with them and will be joined.
    pub clean: Vec<String>,
    /// Of a group of changes that is decided as one: each row by its id. Absent for a single change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<BTreeMap<Uuid, GroupRecord>>,
    /// The device that sent the entry: `{id, name}`.
    pub device: Json,
    /// Its author: `{id, name}`.
    pub author: Json,
    /// Who wrote the desk's value of the contested fields, from which device and when: `{id, name, device, device_kind, at}`; null if nobody is known.
    pub server_author: Json,
    /// When the clash was found.
    #[serde(with = "crate::api::sync::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: DateTime<Utc>,
    /// When it was decided.
    #[serde(with = "crate::api::sync::instant_option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<DateTime<Utc>>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelinePoint>,
    /// Decisions taken and undone, oldest first; the one in force is last while `status` is resolved:
    /// `{resolution, by, by_name, at, reason, values, result_version, undone_at?, undone_by?}`.
    pub decisions: Vec<Json>,
    /// The author's answer to a decision, if it disagreed: `{note, by, at}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<Json>,
}

/// One row of a clash about a group of changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GroupRecord {
    /// The row's table.
    pub table_name: String,
    /// insert, update or delete.
    pub operation: String,
    /// The author's view; null if it saw no row.
    pub base: Option<Json>,
    /// The desk's row; null if there is none.
    pub server: Option<Json>,
    /// The row as the author wanted it; null if it was to be deleted.
    pub client: Option<Json>,
    /// The desk's version of it, 0 if it does not exist.
    pub version: i64,
    /// The other row that holds its unique value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_record_id: Option<Uuid>,
    /// Fields that a person must choose.
    pub contested: Vec<String>,
    /// Fields that wait with them and will be joined.
    pub clean: Vec<String>,
}

/// One point of a clash's story.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TimelinePoint {
    /// base, server, client, arrived, decided, undone, disagreed, withdrawn.
    pub what: String,
    /// When, by the desk's clock; `client` by the phone's, corrected by its skew.
    #[serde(with = "crate::api::sync::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
    /// Who, if a person.
    pub who: Option<String>,
    /// From which device.
    pub device: Option<String>,
    /// The contested fields' values then.
    pub values: BTreeMap<String, Json>,
    /// How far the phone's clock is off, milliseconds, on `client`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<i64>,
}

/// A decision.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// Whose value stands.
    pub resolution: Resolution,
    /// The values for `manual`, by field.
    #[serde(default)]
    pub data: Option<Map<String, Json>>,
    /// The version the decider saw.
    pub expected_server_version: i64,
    /// The state of the clash the decider saw.
    pub rev: i64,
    /// Why; kept in history.
    #[serde(default)]
    pub reason: Option<String>,
    /// The same key gives the same answer.
    pub idempotency_key: String,
}

/// Whose value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The phone's.
    ClientWins,
    /// The laptop's.
    ServerWins,
    /// Another.
    Manual,
}

/// An undo, or the author's word on a decision.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Why; kept in history.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The author disagrees with a decision.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Disagree {
    /// What the author has to say.
    #[serde(default)]
    pub note: Option<String>,
}

/// The author's own disputed entries.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyConflicts {
    /// Newest first, at most 200, open ones first.
    pub items: Vec<ConflictView>,
}
