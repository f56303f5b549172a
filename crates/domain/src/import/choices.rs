//! What a person has chosen about a file: which column is which, cells put right, rows left out.

use std::collections::{BTreeMap, BTreeSet};

use super::sheet::{Column, RawLine, Sheet};

/// Choices about one file. The file itself stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// What each column of the file is, none for one that is not used; guessed by the header if it is absent.
    pub columns: Option<Vec<Option<Column>>>,
    /// Cells by the file line their row begins on, and the texts to read in their place.
    pub fixes: BTreeMap<(usize, Column), String>,
    /// Rows that are not imported, by the file line they begin on.
    pub left_out: BTreeSet<usize>,
    /// Whether a file that lacks columns is planned as far as its header.
    pub may_lack_columns: bool,
}

impl Choices {
    /// Puts the cells of a line right.
    pub(super) fn mend(&self, sheet: &Sheet, raw: &mut RawLine) {
        for ((_, column), text) in self.fixes.range((raw.line, Column::FIRST)..=(raw.line, Column::LAST)) {
            let index = sheet.columns.iter().find(|(known, _)| known == column).map(|(_, index)| *index);
            if let Some(cell) = index.and_then(|index| raw.cells.get_mut(index)) {
                cell.clone_from(text);
            }
        }
    }
}
