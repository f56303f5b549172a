//! Clashes: how they are listed, decided, undone (PROTOCOL.md §5).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::pairing::PersonRef;

/// Which clashes to list. A page has at most 200.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConflictQuery {
    /// open, resolved, superseded, withdrawn, `merged_automatically`; decided: resolved, superseded or withdrawn.
    pub status: Option<String>,
    /// newest, also if it is absent; urgent: what holds up results first, then how soon the class begins, then age.
    pub order: Option<String>,
    /// results, placing, identity, notes. Lists in the urgent order, as the two below.
    pub severity: Option<String>,
    /// The class that the clash touches.
    pub class: Option<Uuid>,
    /// The author of the clashing entry.
    pub author: Option<Uuid>,
    /// `update_update`, ….
    pub kind: Option<String>,
    /// A synced table.
    pub table: Option<String>,
    /// The device that sent the clashing entry.
    pub device: Option<Uuid>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Most clashes of the page: 1 to 200, which is also meant if it is absent.
    #[serde(default)]
    pub limit: Option<String>,
}

/// A page of clashes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictPage {
    /// Newest first, or the most urgent first.
    pub items: Vec<ConflictView>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
    /// How many clashes there are, whatever was asked for.
    pub counts: ConflictCounts,
}

/// How many clashes there are.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ConflictCounts {
    /// They wait for a person.
    pub open: i64,
    /// Resolved, superseded or withdrawn.
    pub decided: i64,
    /// A policy chose.
    pub merged_automatically: i64,
    /// Decided since midnight at the show.
    pub decided_today: i64,
    /// A policy chose since midnight at the show.
    pub merged_today: i64,
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
    pub opened_at: DateTime<Utc>,
    /// When it was decided.
    #[serde(with = "crate::api::sync::instant_option")]
    pub resolved_at: Option<DateTime<Utc>>,
    /// What happened, oldest first.
    pub timeline: Vec<TimelinePoint>,
    /// Decisions taken and undone, oldest first; the one in force is last while `status` is resolved:
    /// `{resolution, by, by_name, at, reason, values, result_version, undone_at?, undone_by?}`.
    pub decisions: Vec<Json>,
    /// The author's answer to a decision, if it disagreed: `{note, by, at}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<Json>,
    /// The bulk decision that its decision in force is a part of.
    pub bulk_id: Option<Uuid>,
    /// The two weigh-ins of rule C1; absent for other clashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weigh_ins: Option<TwoWeighIns>,
    /// Which side a policy kept, by path: client, server, or both where they were equal. Only where one chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<BTreeMap<String, String>>,
    /// The class that it touches: of several the first that is not over.
    pub class: Option<TouchedClass>,
    /// What it holds up: results (of today), placing (a place, a class or money), identity, notes.
    pub severity: String,
    /// The absence of the device during which the entry was made; none if it was connected then.
    pub outage: Option<Outage>,
    /// What the author was asked last; shown at the desk and to the author's device.
    pub asked: Option<Asked>,
}

/// The weigh-ins that contradict each other.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TwoWeighIns {
    /// The one that was official before both, as far as the official one says that it took its place.
    pub base: Option<WeighInView>,
    /// The later one.
    pub client: Option<WeighInView>,
    /// The one that is official until somebody decides.
    pub server: Option<WeighInView>,
}

/// How a weight was taken.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WeighInView {
    /// The weigh-in.
    pub record_id: Uuid,
    /// In tenths of the show's unit.
    pub weight_x10: Option<i64>,
    /// manual, scale, csv.
    pub source: Option<String>,
    /// The scale's name.
    pub scale: Option<String>,
    /// The tag that was read with it.
    pub tag_read: Option<String>,
    /// When, by the clock of who took it.
    #[serde(with = "crate::api::sync::instant_option")]
    pub weighed_at: Option<DateTime<Utc>>,
}

/// The class that a clash touches.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TouchedClass {
    /// The class.
    pub id: Uuid,
    /// Its number.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its ring's name.
    pub ring: Option<String>,
    /// When it is planned.
    #[serde(with = "crate::api::sync::instant_option")]
    pub planned_at: Option<DateTime<Utc>>,
    /// scheduled, `make_ready`, `in_ring`, judged, official, hold, cancelled, `combined_into`.
    pub status: String,
}

/// A time in which a device was not heard of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Outage {
    /// The device.
    pub device_id: Uuid,
    /// Its name.
    pub device_name: String,
    /// When it was heard of before.
    #[serde(with = "crate::api::sync::instant")]
    pub away_from: DateTime<Utc>,
    /// When it was heard of again.
    #[serde(with = "crate::api::sync::instant")]
    pub back_at: DateTime<Utc>,
}

/// What the author of an entry was asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Asked {
    /// Names it in an answer.
    pub id: Uuid,
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    pub at: DateTime<Utc>,
    /// Who asked.
    pub by: PersonRef,
    /// What.
    pub text: String,
    /// The answer, once it was given; a later one takes its place.
    pub answer: Option<Answered>,
}

/// An answer to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answered {
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    pub at: DateTime<Utc>,
    /// Who answered.
    pub by: PersonRef,
    /// What.
    pub text: String,
}

/// A question to an entry's author.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// 1 to 500 characters.
    pub text: String,
}

/// The author's answer.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerWords {
    /// Which question it answers: a newer one may have been asked meanwhile.
    pub question: Uuid,
    /// 1 to 500 characters.
    pub text: String,
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
