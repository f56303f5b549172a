//! Push, pull and their answers (PROTOCOL.md §2, §3, §6).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use showdesk_domain::schema::SCHEMA_VERSION;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::pull::PackedChanges;

/// A push after its envelope was read; each op is decoded on its own.
#[derive(Debug)]
pub struct Push {
    /// The epoch the phone believes in.
    pub epoch: Uuid,
    /// Made when the phone's store was created.
    pub incarnation: Uuid,
    /// Version of the synced tables that the phone's ops are written in.
    pub schema: i64,
    /// The phone's clock when it sent.
    pub client_time: Option<DateTime<Utc>>,
    /// The epoch whose acknowledged ops the phone gives back.
    pub recovered_from: Option<Uuid>,
    /// One JSON text an op.
    pub ops: Vec<Box<RawValue>>,
    /// `X-Client-Pending`: how many entries the phone still holds.
    pub pending: Option<i64>,
    /// Size of the request, for the writer's queue limit.
    pub body_bytes: usize,
}

impl Push {
    /// Ops in the present schema from a store that says nothing else of itself.
    pub fn of(epoch: Uuid, incarnation: Uuid, ops: Vec<Box<RawValue>>) -> Self {
        Self {
            epoch,
            incarnation,
            schema: SCHEMA_VERSION,
            client_time: None,
            recovered_from: None,
            ops,
            pending: None,
            body_bytes: 0,
        }
    }
}

/// The answer to a push: on disk when it is given.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushAnswer {
    /// The epoch of the database.
    pub epoch: Uuid,
    /// The desk's clock.
    #[serde(with = "crate::api::sync::instant")]
    pub server_time: DateTime<Utc>,
    /// The newest change number.
    pub clock: i64,
    /// One result an op, in the order of the push.
    pub results: Vec<OpResult>,
}

/// The answer to `POST /sync/ops/status`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpsStatusAnswer {
    /// In the order of the question.
    pub results: Vec<OpResult>,
}

/// How the desk answered one op.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OpResult {
    /// As it was sent.
    #[schema(value_type = Value)]
    pub op_id: Json,
    /// What became of it.
    pub verdict: VerdictName,
    /// The record's version after the op (applied, merged, noop).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// The feed number of its effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The record as the desk has it now, as far as the author may see it (merged, noop, conflict).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Json>,
    /// Whose row `record` is, where it is another than the op's own: the row that has the value both want, or the row
    /// that the op's id became another name of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_id: Option<Uuid>,
    /// The clash that a person decides (conflict, held).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_id: Option<Uuid>,
    /// The clash's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The fields in dispute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contested: Option<Vec<String>>,
    /// What a held op waits for: an op id, or a row that is not there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<Json>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<OpError>,
    /// When to send it again (retry).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<i64>,
    /// What a person decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Json>,
    /// The desk had already answered this op.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
}

/// The verdicts of PROTOCOL.md §3; `unknown` only answers `/sync/ops/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    /// Nobody else wrote in between.
    Applied,
    /// Both sides wrote, and both edits stand or a policy chose.
    Merged,
    /// It was already so.
    Noop,
    /// A person must choose.
    Conflict,
    /// It waits for another op, or for a decision.
    Held,
    /// It cannot be accepted.
    Rejected,
    /// Send it again later.
    Retry,
    /// Never seen from this device.
    Unknown,
}

/// Why an op was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpError {
    /// Stable code of PROTOCOL.md §4.
    pub code: String,
    /// One sentence for people.
    pub detail: String,
    /// The same for single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// What a pull asks for.
#[derive(Debug, Default)]
pub struct PullQuery {
    /// Where the last page ended; none for the first sync.
    pub cursor: Option<String>,
    /// Most changes in the page, 1 to 1,000.
    pub limit: usize,
    /// Only these tables; empty means all.
    pub tables: Vec<String>,
    /// The client's version of the synced tables. None: that of the cursor, else the desk's.
    pub schema: Option<i64>,
    /// `If-None-Match`: answers of this question that the client has.
    pub known: Option<String>,
}

/// What a pull answers.
#[derive(Debug)]
pub enum Pulled {
    /// A page.
    Page(PackedPage),
    /// The one that the client has; its tag.
    Unchanged(String),
}

/// A page of changes, packed as far as it is kept so.
#[derive(Debug)]
pub struct PackedPage {
    /// The epoch of the database.
    pub epoch: Uuid,
    /// In the order of their numbers.
    pub changes: Vec<Changes>,
    /// Where the next page begins.
    pub cursor: String,
    /// Whether there is another page now.
    pub has_more: bool,
    /// The newest change number.
    pub clock: i64,
    /// Changes with the answer to the same question.
    pub etag: String,
}

/// Some changes of a page.
#[derive(Debug)]
pub enum Changes {
    /// One JSON object a change.
    Each(Vec<String>),
    /// As they are kept.
    Packed(PackedChanges),
}

impl PackedPage {
    /// The page with a text for each change.
    pub(crate) fn unpacked(self) -> PullPage {
        let each = |changes: Changes| match changes {
            Changes::Each(each) => each,
            Changes::Packed(packed) => packed.each(),
        };
        PullPage {
            epoch: self.epoch,
            changes: self.changes.into_iter().flat_map(each).collect(),
            cursor: self.cursor,
            has_more: self.has_more,
            clock: self.clock,
        }
    }
}

/// A page of changes. Each change is a JSON text that stands in the answer as it is.
#[derive(Debug)]
pub struct PullPage {
    /// The epoch of the database.
    pub epoch: Uuid,
    /// One JSON object a change.
    pub changes: Vec<String>,
    /// Where the next page begins.
    pub cursor: String,
    /// Whether there is another page now.
    pub has_more: bool,
    /// The newest change number.
    pub clock: i64,
}

/// What a phone learns before it syncs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hello {
    /// The epoch of the database.
    pub epoch: Uuid,
    /// Lowest and highest protocol spoken.
    pub protocol: [i64; 2],
    /// Versions of the synced tables.
    pub schema: HelloSchema,
    /// Limits of a push.
    pub limits: HelloLimits,
    /// The newest change number.
    pub clock: i64,
    /// Cursors below this are answered 410.
    pub oldest_seq: i64,
    /// What the device may write, as a stable text; a new one asks for a new first sync.
    pub scope: String,
    /// The desk's clock.
    #[serde(with = "crate::api::sync::instant")]
    pub server_time: DateTime<Utc>,
}

/// Versions of the synced tables.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelloSchema {
    /// The newest.
    pub current: i64,
    /// The oldest that may still pull.
    pub min_pull: i64,
}

/// Limits of a push.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelloLimits {
    /// Most ops.
    pub ops: usize,
    /// Most bytes.
    pub bytes: usize,
}

pub use showdesk_domain::value::{instant, instant_option};
