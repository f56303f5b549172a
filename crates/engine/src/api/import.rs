//! Entries files: what one would do, what a person chooses about it, what it did (DOMAIN.md §9).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::pairing::PersonRef;

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
    /// Rows that have an error: they are not imported.
    pub faulty: i64,
    /// Rows that somebody has left out.
    pub left_out: i64,
    /// Rows that are imported and have a warning.
    pub check: i64,
    /// What is wrong, in file order; with `limit` what is wrong with the rows shown.
    pub errors: Vec<ImportIssue>,
    /// Each row: `{row, state: new|changed|same|error|left_out, data: {column: text}, changes: {field: [old, new]}}`. All
    /// of them, or with `limit` a page.
    pub rows: Vec<Json>,
    /// How many rows there are of the state that was asked for.
    pub total: i64,
    /// The file's name, as the desk told it.
    pub name: Option<String>,
    /// previewed, confirmed, undone.
    pub status: String,
    /// The file's own columns, in their order.
    pub header: Vec<ImportColumn>,
    /// The columns that an entries file can have, in the order of the handbook.
    pub columns: Vec<KnownColumn>,
    /// Columns that an entry needs and the file has none for: until they are matched there are no rows.
    pub missing: Vec<String>,
    /// What was chosen about the file so far.
    pub choices: ImportChoices,
}

/// A column of the file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportColumn {
    /// Its place, from 0.
    pub index: usize,
    /// What the first line calls it.
    pub title: String,
    /// Its first texts, at most three.
    pub samples: Vec<String>,
    /// What it is, as it was guessed or chosen; none if it is not used.
    pub column: Option<String>,
}

/// A column that an entries file can have.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KnownColumn {
    /// Its name.
    pub name: String,
    /// Whether every file needs it; of tag and `official_id` one is enough.
    pub required: bool,
}

/// What a person chooses about a file. Each time the whole of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportChoices {
    /// What each column of the file is, by its place; null for one that is not used. Guessed if it is absent.
    #[serde(default)]
    pub columns: Option<Vec<Option<String>>>,
    /// Cells to be read otherwise than they stand in the file, at most 10,000.
    #[serde(default)]
    pub fixes: Vec<CellFix>,
    /// File lines of rows that are not imported.
    #[serde(default)]
    pub leave_out: Vec<usize>,
}

/// A cell put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CellFix {
    /// The file line its row begins on; the header is 1.
    pub row: usize,
    /// The column, by the name of `columns`.
    pub column: String,
    /// What to read there.
    pub value: String,
}

/// How a file is previewed.
#[derive(Debug, Clone, Default)]
pub struct ImportWish {
    /// The file's name, for the list of imports.
    pub name: Option<String>,
    /// Whether a file that lacks columns is kept, so that a person can match them.
    pub may_lack_columns: bool,
    /// Which rows to show; all if it is absent.
    pub page: Option<ImportRows>,
}

/// A page of a preview's rows.
#[derive(Debug, Clone)]
pub struct ImportRows {
    /// new, changed, same, error, `left_out`, check (imported with a warning); all if it is absent.
    pub state: Option<String>,
    /// How many to pass over.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
}

/// Files that were previewed, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportList {
    /// At most 100.
    pub items: Vec<ImportItem>,
}

/// A file that was previewed, imported or taken back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportItem {
    /// Which import.
    pub import_id: Uuid,
    /// The file's name, as the desk told it.
    pub name: Option<String>,
    /// previewed, confirmed, undone.
    pub status: String,
    /// Rows whose animal did not exist yet.
    pub new: i64,
    /// Rows that changed something.
    pub changed: i64,
    /// Rows written, by table name; none before it was confirmed.
    pub written: Option<Json>,
    /// Who chose the file.
    pub by: PersonRef,
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    pub created_at: DateTime<Utc>,
    /// When it was written.
    #[serde(with = "crate::api::sync::instant_option")]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    #[serde(with = "crate::api::sync::instant_option")]
    pub undone_at: Option<DateTime<Utc>>,
    /// Whether it can be taken back, unless somebody has changed its rows since.
    pub undoable: bool,
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
