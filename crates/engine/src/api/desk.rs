//! What the desk's own pages read and write beside sync: overview, entries, import, history.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;
use uuid::Uuid;

/// The numbers of the desk's first page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    /// The show row: all its columns.
    pub show: Json,
    /// Live rows.
    pub exhibitors: i64,
    /// Live rows.
    pub animals: i64,
    /// Live rows.
    pub entries: i64,
    /// Live rows.
    pub classes: i64,
    /// Live rows.
    pub rings: i64,
    /// Animals with `arrived_at`.
    pub checked_in: i64,
    /// Animals with an official weight.
    pub weighed: i64,
    /// Open clashes.
    pub needs_checking: i64,
    /// Ops that failed and need attention.
    pub needs_attention: i64,
    /// Entries that phones said they still hold.
    pub waiting_on_phones: i64,
    /// The newest change number.
    pub clock: i64,
    /// The person at the desk (`{id, name}`).
    pub person: Json,
    /// The newest 20 changes people made, newest first: `{at, who, device, table_name, record_id, what, subject}`.
    pub activity: Vec<Json>,
}

/// Entries that match a search.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryPage {
    /// At most `limit` rows, by number.
    pub items: Vec<EntryRow>,
    /// How many match in all.
    pub total: i64,
}

/// An animal with its exhibitor and classes, as the desk lists it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryRow {
    /// The animal.
    pub animal_id: Uuid,
    /// Its record version.
    pub version: i64,
    /// Ear tag.
    pub tag: Option<String>,
    /// Official identity.
    pub official_id: Option<String>,
    /// Earlier tags.
    pub prev_tags: Vec<String>,
    /// Its species.
    pub species: String,
    /// Its sex.
    pub sex: Option<String>,
    /// Its breed.
    pub breed: Option<String>,
    /// Its pen.
    pub pen: Option<String>,
    /// Its official weight, in tenths of the show's unit.
    pub official_weight_x10: Option<i64>,
    /// Its rate of gain, thousandths of the unit a day.
    pub adg_x1000: Option<i64>,
    /// When it was checked in.
    #[serde(with = "crate::api::sync::instant_option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub arrived_at: Option<DateTime<Utc>>,
    /// The exhibitor.
    pub exhibitor_id: Uuid,
    /// The exhibitor's number.
    pub back_number: Option<i64>,
    /// First and last name.
    pub exhibitor: String,
    /// The exhibitor's club or chapter.
    pub club_chapter: Option<String>,
    /// Names of the classes it is entered in.
    pub classes: Vec<String>,
    /// Whether a clash about it is open.
    pub disputed: bool,
}

/// Every version of a record, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct History {
    /// At most 1,000.
    pub items: Vec<HistoryItem>,
}

/// One version of a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistoryItem {
    /// Its version.
    pub version: i64,
    /// Its feed number.
    pub seq: i64,
    /// The whole row then.
    pub snapshot: Json,
    /// Whether the row was deleted then.
    pub deleted: bool,
    /// Who wrote it: `{id, name}`.
    pub actor: Json,
    /// From which device: `{id, name, kind}`.
    pub device: Json,
    /// The op that caused it.
    pub op_id: Option<Uuid>,
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
    /// Why, if a reason was given.
    pub reason: Option<String>,
}

/// What an import would do. Nothing is written before it is confirmed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportPreview {
    /// Confirm with this.
    pub import_id: Uuid,
    /// Rows whose animal does not exist yet.
    pub new: i64,
    /// Rows that change something.
    pub changed: i64,
    /// Rows that change nothing.
    pub same: i64,
    /// What is wrong, in file order.
    pub errors: Vec<ImportIssue>,
    /// Each row: `{row, state: new|changed|same|error, data: {column: text}, changes: {field: [old, new]}}`.
    pub rows: Vec<Json>,
}

/// Something about one cell of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportIssue {
    /// File line; the header is 1.
    pub row: i64,
    /// The column as it was understood; none if the whole row is meant.
    pub column: Option<String>,
    /// error: the row is left out. warning: it is imported, and worth a look.
    pub severity: String,
    /// Stable code.
    pub code: String,
    /// One sentence for people.
    pub message: String,
}

/// What an import did, or its undo.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportResult {
    /// Which import.
    pub import_id: Uuid,
    /// Rows written: exhibitors, animals, entries, classes, `weigh_ins`, by table name.
    pub written: Json,
    /// The newest change number.
    pub clock: i64,
}
