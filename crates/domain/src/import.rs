//! Reads an entries file and plans what it would change in a show (DOMAIN.md §9).
//!
//! Pure: the caller brings the file and the show's rows and writes the ops that come out.
//! A plan is never keyed on names, and reading the same file again plans nothing.
//!
//! ```text
//! bytes ─ text (encoding) ─ sheet (delimiter, lines, columns) ─ line (typed cells) ─ plan (ops)
//! ```

mod animals;
mod choices;
mod existing;
mod line;
mod plan;
mod report;
mod sheet;
mod slot;
mod text;
mod weighing;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::in_memory;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

pub use choices::Choices;
pub use existing::ExistingShow;
pub use plan::{plan, plan_chosen};
pub use sheet::{Column, HeaderCell};

use crate::op::OpDraft;

/// Largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most lines after the header.
pub const ROWS_MAX: usize = 50_000;
/// Most columns.
pub const COLUMNS_MAX: usize = 200;
/// Most characters in a cell; a longer one makes its row an error.
pub const CELL_CHARS_MAX: usize = 10_000;

/// Why nothing of a file could be used. Clients see all of them as `unsupported_file`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is nothing in it.
    #[error("The file is empty.")]
    Empty,
    /// It has a spreadsheet program's own format.
    #[error("This is a spreadsheet file. Save it as CSV (comma separated) and choose that file.")]
    Spreadsheet,
    /// Its characters cannot be read.
    #[error("The file's characters cannot be read. Save it as CSV in UTF-8.")]
    Unreadable,
    /// It is larger than [`FILE_BYTES_MAX`], [`ROWS_MAX`] or [`COLUMNS_MAX`].
    #[error("The file is too large: at most {ROWS_MAX} rows, {COLUMNS_MAX} columns and 16 MB can be imported at once.")]
    TooLarge,
    /// The first line does not name the columns an entry needs.
    #[error("The first line must name the columns. Missing: {}.", .0.join(", "))]
    MissingColumns(Vec<&'static str>),
    /// It has a header and nothing else.
    #[error("The file has a header but no rows.")]
    NoRows,
    /// A quoted cell runs to the end of the file.
    #[error("The quotation mark opened in line {line} is never closed.")]
    UnclosedQuote {
        /// The file line where it was opened.
        line: usize,
    },
}

/// What a file would do, before anything is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportPlan {
    /// Each row of the file, in its order.
    pub rows: Vec<PlannedRow>,
    /// What is wrong or worth a look, in file order.
    pub issues: Vec<Issue>,
    /// The writes, parents before children.
    pub ops: Vec<OpDraft>,
    /// How many rows there are of each state.
    pub counts: Counts,
    /// The file's own columns.
    pub header: Vec<HeaderCell>,
    /// Columns that an entry needs and the file has none for; then nothing else is planned.
    pub missing: Vec<Column>,
}

impl ImportPlan {
    /// How many ops touch each table, by its name.
    pub fn written(&self) -> BTreeMap<&'static str, i64> {
        let mut written = BTreeMap::new();
        for op in &self.ops {
            *written.entry(op.table_name).or_insert(0) += 1;
        }
        written
    }
}

/// Rows of a file by what they do; each row counts once, and besides as one to be looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Their animal does not exist yet.
    pub new: i64,
    /// They change something that exists.
    pub changed: i64,
    /// They change nothing.
    pub same: i64,
    /// They have an error.
    pub error: i64,
    /// Somebody has left them out.
    pub left_out: i64,
    /// They are imported and have a warning.
    pub check: i64,
}

/// One row of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRow {
    /// The file line it begins on; the header is line 1.
    pub row: usize,
    /// What it does.
    pub state: RowState,
    /// Its cells by the column as it was understood.
    pub data: Map<String, Json>,
    /// For rows of animals that exist: `[old, new]` by field.
    pub changes: Map<String, Json>,
}

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowState {
    /// Its animal does not exist yet.
    New,
    /// It changes something that exists.
    Changed,
    /// It changes nothing.
    Same,
    /// It has an error and is not imported.
    Error,
    /// Somebody has left it out.
    LeftOut,
}

impl RowState {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Same => "same",
            Self::Error => "error",
            Self::LeftOut => "left_out",
        }
    }
}

/// Something about one cell, or about a whole row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The file line; the header is line 1.
    pub row: usize,
    /// The column as it was understood; none if the whole row is meant.
    pub column: Option<&'static str>,
    /// Whether the row is left out because of it.
    pub severity: Severity,
    /// Stable code.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
}

impl Issue {
    fn error(row: usize, column: Option<&'static str>, code: &'static str, message: impl Into<String>) -> Self {
        Self { row, column, severity: Severity::Error, code, message: message.into() }
    }

    fn warning(row: usize, column: Option<&'static str>, code: &'static str, message: impl Into<String>) -> Self {
        Self { row, column, severity: Severity::Warning, code, message: message.into() }
    }
}

/// Whether an issue keeps its row out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The row is left out.
    Error,
    /// The row is imported, and worth a look.
    Warning,
}

impl Severity {
    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}
