//! Several clashes decided at once: asked for, tried without writing, taken back (PROTOCOL.md §5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conflicts::Resolution;
use super::sync::OpError;

/// One decision about several clashes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkResolve {
    /// The clashes, at most 500; or `filter`.
    #[serde(default)]
    pub ids: Option<Vec<Uuid>>,
    /// All open clashes of a kind; or `ids`.
    #[serde(default)]
    pub filter: Option<BulkFilter>,
    /// Whose values stand: `client_wins` or `server_wins`.
    pub resolution: Resolution,
    /// The same for single clashes, where it is another than `resolution`; each is one of those decided.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub choices: BTreeMap<Uuid, Resolution>,
    /// The version the decider saw, by clash. A clash that is not named in it is not decided; if it is absent or
    /// empty, all are decided as they are.
    #[serde(default)]
    pub expected: Option<BTreeMap<Uuid, i64>>,
    /// Writes nothing and shows every value that would be written.
    #[serde(default)]
    pub dry_run: bool,
    /// Why; kept in history.
    #[serde(default)]
    pub reason: Option<String>,
    /// The same key gives the same answer.
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// Which open clashes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkFilter {
    /// open; others cannot be decided.
    #[serde(default)]
    pub status: Option<String>,
    /// `update_update`, ….
    #[serde(default)]
    pub kind: Option<String>,
    /// A synced table.
    #[serde(default)]
    pub table: Option<String>,
    /// The device that sent the clashing entries.
    #[serde(default)]
    pub device: Option<Uuid>,
}

/// What became of each clash.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BulkAnswer {
    /// Names the decision, to take it back with; none where nothing was written.
    pub bulk_id: Option<Uuid>,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// One result a clash, in the order asked for; by filter the oldest first.
    pub results: Vec<BulkResult>,
    /// Whether more clashes match the filter than are decided at once.
    pub has_more: bool,
}

/// What became of one clash.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// The clash.
    pub id: Uuid,
    /// resolved, `would_resolve` in a dry run, undone, failed.
    pub outcome: String,
    /// Why it failed; nothing of it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<OpError>,
    /// Where the clash stands: now, if nothing of it was written, else after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The clash's state number, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev: Option<i64>,
    /// The record's version, likewise: what `expected` must name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<i64>,
    /// The disputed and joined fields as they stand after it, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Map<String, Json>>,
    /// Every value that is written, other rows and derived values included.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub writes: Vec<WrittenRow>,
}

/// A row that a decision writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WrittenRow {
    /// Its table.
    pub table_name: String,
    /// The row.
    pub record_id: Uuid,
    /// The version it gets.
    pub version: i64,
    /// Whether it is deleted then.
    pub deleted: bool,
    /// The fields that change, by path.
    pub values: Map<String, Json>,
}

/// What became of each clash when a bulk decision is taken back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BulkUndone {
    /// The bulk decision.
    pub bulk_id: Uuid,
    /// One result a clash that it had decided, in its order.
    pub results: Vec<BulkResult>,
}
