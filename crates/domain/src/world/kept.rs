//! Ops and clashes, and where they are found again by the row they are about: a transaction may hold thousands of each.

use super::layered::Layered;
use super::{Key, World};
use crate::conflict::{Conflict, ConflictStatus};
use crate::ids::{ConflictId, OpId, RecordId};
use crate::op::Operation;
use crate::queue::QueuedOp;

/// What has ever named a row, kept by the row; whether it still does is for the reader to look at.
#[derive(Debug, Default)]
pub(super) struct ByRow {
    pub clashes: Layered<RecordId, Vec<ConflictId>>,
    pub inserts: Layered<RecordId, Vec<OpId>>,
}

impl World {
    /// Keeps a clash, or what became of one.
    pub(super) fn keep_conflict(&mut self, conflict: Conflict) {
        for row in conflict.record_ids().into_iter().chain(conflict.other_record_id) {
            if self.by_row.clashes.get(&row).is_none_or(|known| !known.contains(&conflict.id)) {
                self.by_row.clashes.get_or_default(&row).push(conflict.id);
            }
        }
        self.conflicts.insert(conflict.id, conflict);
    }

    /// Clashes that name a row as theirs, as one of a group, or as the other one, in no order.
    pub(super) fn clashes_naming(&self, row: RecordId) -> impl Iterator<Item = &Conflict> {
        let named = self.by_row.clashes.get(&row).map_or(&[][..], Vec::as_slice);
        named.iter().filter_map(|id| self.conflicts.get(id))
    }

    /// Open clashes about a row, the oldest first.
    pub(super) fn open_on(&self, key: Key) -> impl Iterator<Item = &Conflict> {
        let is_open = move |conflict: &&Conflict| {
            let is_main = (conflict.table.name, conflict.record_id) == key;
            let is_about = is_main || conflict.parts.iter().any(|part| (part.table.name, part.record_id) == key);
            is_about && conflict.status == ConflictStatus::Open
        };
        let mut open: Vec<&Conflict> = self.clashes_naming(key.1).filter(is_open).collect();
        open.sort_by_key(|conflict| conflict.id);
        open.into_iter()
    }

    /// Keeps an op, or what became of one.
    pub(super) fn keep_op(&mut self, op: QueuedOp) {
        if let Some(row) = op.record_id.filter(|_| op.operation == Operation::Insert.as_str())
            && !self.ops.contains_key(&op.id)
        {
            self.by_row.inserts.get_or_default(&row).push(op.id);
        }
        self.ops.insert(op.id, op);
    }

    /// Inserts of a row, as far as they have come.
    pub(super) fn inserts_of(&self, row: RecordId) -> impl Iterator<Item = &QueuedOp> {
        let known = self.by_row.inserts.get(&row).map_or(&[][..], Vec::as_slice);
        known.iter().filter_map(|id| self.ops.get(id))
    }
}
