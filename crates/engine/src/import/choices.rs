//! What a person chooses about an entries file, read and checked; and the preview that follows from it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value as Json, json};
use showdesk_domain::import::{
    CELL_CHARS_MAX, Choices, Column, ImportPlan, Issue, PlannedRow, ROWS_MAX, RowState, Severity,
};
use showdesk_domain::visible::visible_name;
use showdesk_store::imports::ImportRow;

use crate::api::import::{ImportChoices, ImportColumn, ImportIssue, ImportPreview, ImportRows, KnownColumn};
use crate::{EngineError, Result};

/// Cells that are put right in one file.
const FIXES_MAX: usize = 10_000;
/// Longest name of a file that is shown.
const NAME_CHARS_MAX: usize = 200;

/// The choices as the plan takes them.
pub(super) fn read_choices(choices: &ImportChoices) -> Result<Choices> {
    if choices.fixes.len() > FIXES_MAX || choices.leave_out.len() > ROWS_MAX {
        return Err(EngineError::TooLarge(format!("at most {FIXES_MAX} cells and {ROWS_MAX} rows can be chosen")));
    }
    let known = |name: &str| {
        let unknown = || EngineError::invalid("unknown_column", format!("{name:?} is no column of an entries file"));
        Column::parse(name).ok_or_else(unknown)
    };
    let columns = match &choices.columns {
        Some(names) => {
            let columns: Vec<Option<Column>> =
                names.iter().map(|name| name.as_deref().map(known).transpose()).collect::<Result<_>>()?;
            let mut once = HashSet::new();
            if let Some(twice) = columns.iter().flatten().find(|column| !once.insert(**column)) {
                let detail = format!("two columns of the file are both {}", twice.name());
                return Err(EngineError::invalid("duplicate_column", detail));
            }
            Some(columns)
        }
        None => None,
    };
    let mut fixes = BTreeMap::new();
    for fix in &choices.fixes {
        if fix.value.chars().count() > CELL_CHARS_MAX {
            return Err(EngineError::invalid("too_large", format!("a cell may have {CELL_CHARS_MAX} characters")));
        }
        fixes.insert((fix.row, known(&fix.column)?), fix.value.clone());
    }
    Ok(Choices { columns, fixes, left_out: choices.leave_out.iter().copied().collect(), may_lack_columns: true })
}

/// Whether the file has what was chosen about.
pub(super) fn check_choices(choices: &ImportChoices, plan: &ImportPlan) -> Result<()> {
    if choices.columns.as_ref().is_some_and(|columns| columns.len() != plan.header.len()) {
        let detail = format!("the file has {} columns; name each of them or null", plan.header.len());
        return Err(EngineError::invalid("wrong_columns", detail));
    }
    // Without all columns there are no rows to compare with; what was chosen about them waits.
    if !plan.missing.is_empty() {
        return Ok(());
    }
    let rows: HashSet<usize> = plan.rows.iter().map(|row| row.row).collect();
    let chosen = choices.leave_out.iter().chain(choices.fixes.iter().map(|fix| &fix.row));
    if let Some(row) = chosen.copied().find(|row| !rows.contains(row)) {
        return Err(EngineError::invalid("unknown_row", format!("no row of the file begins on line {row}")));
    }
    let used: BTreeSet<&str> = plan.header.iter().filter_map(|cell| cell.column).map(Column::name).collect();
    match choices.fixes.iter().find(|fix| !used.contains(fix.column.as_str())) {
        Some(fix) => Err(EngineError::invalid("unknown_column", format!("the file has no column {}", fix.column))),
        None => Ok(()),
    }
}

/// A file's name as it can be shown: without its folders and what cannot be seen.
pub(super) fn clean_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    visible_name(last).map(|name| name.chars().take(NAME_CHARS_MAX).collect())
}

/// What the list of imports tells of a plan.
pub(super) fn counts_of(plan: &ImportPlan, name: Option<&str>) -> Json {
    let counts = &plan.counts;
    json!({ "new": counts.new, "changed": counts.changed, "same": counts.same, "name": name })
}

/// The preview of a plan: all of its rows, or a page of those in a state.
pub(super) fn preview(
    row: &ImportRow,
    plan: &ImportPlan,
    choices: ImportChoices,
    page: Option<&ImportRows>,
) -> Result<ImportPreview> {
    let state = page.and_then(|page| page.state.as_deref());
    let wanted = Wanted::read(state, plan)?;
    let found: Vec<&PlannedRow> = plan.rows.iter().filter(|row| wanted.takes(row)).collect();
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let (offset, limit) = page.map_or((0, usize::MAX), |page| (page.offset, page.limit));
    let shown: Vec<&PlannedRow> = found.into_iter().skip(offset).take(limit).collect();
    let lines: HashSet<usize> = shown.iter().map(|row| row.row).collect();
    let is_told = |issue: &&Issue| page.is_none() || issue.row <= 1 || lines.contains(&issue.row);
    let column = |(index, cell): (usize, &showdesk_domain::import::HeaderCell)| ImportColumn {
        index,
        title: cell.title.clone(),
        samples: cell.samples.clone(),
        column: cell.column.map(|column| column.name().to_owned()),
    };
    Ok(ImportPreview {
        import_id: row.id,
        new: plan.counts.new,
        changed: plan.counts.changed,
        same: plan.counts.same,
        faulty: plan.counts.error,
        left_out: plan.counts.left_out,
        check: plan.counts.check,
        errors: plan.issues.iter().filter(is_told).map(issue_view).collect(),
        rows: shown.into_iter().map(row_view).collect(),
        total,
        name: row.counts["name"].as_str().map(str::to_owned),
        status: row.status.as_str().to_owned(),
        header: plan.header.iter().enumerate().map(column).collect(),
        columns: Column::ALL
            .into_iter()
            .map(|column| KnownColumn { name: column.name().to_owned(), required: column.is_required() })
            .collect(),
        missing: plan.missing.iter().map(|column| column.name().to_owned()).collect(),
        choices,
    })
}

/// Which rows to show.
enum Wanted {
    All,
    State(RowState),
    /// Imported, with a warning; by their lines.
    Check(HashSet<usize>),
}

impl Wanted {
    fn read(state: Option<&str>, plan: &ImportPlan) -> Result<Self> {
        let states = [RowState::New, RowState::Changed, RowState::Same, RowState::Error, RowState::LeftOut];
        match state {
            None => Ok(Self::All),
            Some("check") => {
                let warnings = plan.issues.iter().filter(|issue| issue.severity == Severity::Warning);
                Ok(Self::Check(warnings.map(|issue| issue.row).collect()))
            }
            Some(word) => {
                let unknown =
                    || EngineError::BadQuery { code: "bad_filter", detail: "state is not known here".to_owned() };
                states.into_iter().find(|state| state.as_str() == word).map(Self::State).ok_or_else(unknown)
            }
        }
    }

    fn takes(&self, row: &PlannedRow) -> bool {
        match self {
            Self::All => true,
            Self::State(state) => row.state == *state,
            Self::Check(lines) => !matches!(row.state, RowState::Error | RowState::LeftOut) && lines.contains(&row.row),
        }
    }
}

fn issue_view(issue: &Issue) -> ImportIssue {
    ImportIssue {
        row: i64::try_from(issue.row).unwrap_or(i64::MAX),
        column: issue.column.map(str::to_owned),
        severity: issue.severity.as_str().to_owned(),
        code: issue.code.to_owned(),
        message: issue.message.clone(),
    }
}

fn row_view(row: &PlannedRow) -> Json {
    json!({ "row": row.row, "state": row.state.as_str(), "data": row.data, "changes": row.changes })
}
