//! What an admin looks after beside clashes: refused and waiting ops, the record of decisions, workers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::sync::OpError;

/// Which ops to list.
#[derive(Debug, Default)]
pub struct QueueQuery {
    /// pending, processing, completed, failed, conflict; those that need attention if absent.
    pub status: Option<String>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Most ops in the page.
    pub limit: i64,
}

/// A page of ops.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueuePage {
    /// Newest first.
    pub items: Vec<QueueItem>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// One op as an admin sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QueueItem {
    /// The op.
    pub op_id: Uuid,
    /// pending, processing, completed, failed, conflict.
    pub status: String,
    /// applied, merged, noop, conflict, held, rejected.
    pub verdict: Option<String>,
    /// Why it was rejected.
    pub error: Option<OpError>,
    /// What a held op waits for: an op's id, or `{table_name, record_id}`.
    pub waiting_for: Option<Json>,
    /// The clash it belongs to.
    pub conflict_id: Option<Uuid>,
    /// What an admin did about it: `{resolution: applied|dropped, by, by_name, at, reason, values?}`.
    pub decision: Option<Json>,
    /// What its record is, in words a list can show: tag, species, breed, exhibitor, class, ….
    pub subject: Json,
    /// Whether it was refused because it came when its stage or class was closed: it may have been made in time.
    pub late: bool,
    /// The op as it was sent.
    pub op: SentOp,
    /// Its device.
    pub device: NamedRef,
    /// Its author.
    pub author: NamedRef,
    /// When it arrived.
    #[serde(with = "crate::api::sync::instant")]
    pub received_at: DateTime<Utc>,
    /// How long ago that was, milliseconds.
    pub age_ms: i64,
    /// When its verdict was given.
    #[serde(with = "crate::api::sync::instant_option")]
    pub processed_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    pub attempts: i64,
    /// A held op is not tried again before this.
    #[serde(with = "crate::api::sync::instant_option")]
    pub next_try_at: Option<DateTime<Utc>>,
    /// The record's version it made.
    pub version: Option<i64>,
    /// The feed number it made.
    pub seq: Option<i64>,
    /// How far the author's clock was ahead, milliseconds.
    pub skew_ms: i64,
}

/// An op as its author sent it, as far as it can be stored.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SentOp {
    /// Its place among the device's ops.
    pub device_seq: i64,
    /// `{id, size}` of its atomic group.
    pub txn: Option<Json>,
    /// Its table, even if there is no such.
    pub table_name: String,
    /// The record, if its id could be read.
    pub record_id: Option<Uuid>,
    /// insert, update, delete.
    pub operation: String,
    /// The version its author had last adopted.
    pub base_version: i64,
    /// The device's op before on the record.
    pub prev_op_id: Option<Uuid>,
    /// The epoch stamped on it after a restore.
    pub epoch: Option<Uuid>,
    /// Why, where the author gave a reason.
    pub reason: Option<String>,
    /// The fields set.
    pub data: Json,
    /// The author's values of these fields before.
    pub base: Option<Json>,
    /// The author's clock.
    #[serde(with = "crate::api::sync::instant_option")]
    pub client_time: Option<DateTime<Utc>>,
}

/// A person or a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NamedRef {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// An op is to be applied on its author's behalf.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// Values in place of those sent, by field; fields that are not named stay as they were sent.
    #[serde(default)]
    pub data: Option<Map<String, Json>>,
    /// Why; kept in history.
    pub reason: String,
}

/// Which decisions to list.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Anywhere in what was done, to what, by whom, from where, why.
    pub q: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Who did it.
    pub person: Option<Uuid>,
    /// From this device, or about it.
    pub device: Option<Uuid>,
    /// To a row of this table.
    pub table: Option<String>,
    /// To this row.
    pub record: Option<Uuid>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Most items in the page.
    pub limit: i64,
}

/// A page of the record of decisions.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<AuditItem>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// What was decided or done: by whom, about whose entry, when, why. It is never changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditItem {
    /// Its number; later ones are higher.
    pub id: i64,
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    pub at: DateTime<Utc>,
    /// `conflict_resolved`, `conflict_undone`, `conflict_reopened`, `conflict_withdrawn`, `conflict_disagreed`,
    /// `conflict_asked`, `conflict_answered`, `op_retried`, `op_applied`, `op_dropped`, `stage_changed`,
    /// `joining_opened`, `typed_code_made`, `joining_closed`, `device_allowed`, `device_refused`, `device_changed`,
    /// `device_merged`, `device_removed`, `file_asked`, `rescue_taken_in`, `import_confirmed`, `import_undone`,
    /// `person_named`, `demo_filled`, `worker_run`, `desk_opened`, `audit_exported`, ….
    pub action: String,
    /// Who approved it; nobody where the program itself acted.
    pub actor: Option<NamedRef>,
    /// From which device.
    pub device: Option<NamedRef>,
    /// Whose entry or device it is about: who asked.
    pub asked_by: Option<NamedRef>,
    /// The record's table.
    pub table_name: Option<String>,
    /// The record, or what else it is about.
    pub record_id: Option<Uuid>,
    /// What the record is: tag, species, breed, exhibitor, class, ….
    pub subject: Json,
    /// The same in words, or the name of the device or person it is about.
    pub subject_text: Option<String>,
    /// The op it is about.
    pub op_id: Option<Uuid>,
    /// The clash it is about.
    pub conflict_id: Option<Uuid>,
    /// The bulk decision it was part of.
    pub bulk_id: Option<Uuid>,
    /// How it was.
    pub before: Option<Json>,
    /// How it is.
    pub after: Option<Json>,
    /// Why.
    pub reason: Option<String>,
}

/// What a worker did.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct WorkerRun {
    /// How many rows it took up.
    pub processed: usize,
}
