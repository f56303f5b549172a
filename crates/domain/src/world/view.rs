//! The author's view B of a record (PROTOCOL.md §4): what the person saw when making the edit.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::ruling::Stop;
use super::waiting::{invalid_prev, is_link};
use super::{Author, World};
use crate::ids::Version;
use crate::merge::AuthorView;
use crate::op::{Op, Operation};
use crate::queue::{QueueStatus, QueuedOp, Verdict};
use crate::record::Record;
use crate::schema::Table;
use crate::value::Value;

/// Longest chain of ops of one device on one record that is walked.
const CHAIN_OPS_MAX: usize = 10_000;

/// The author's view, and whether anybody else has written since.
#[derive(Debug)]
pub(super) struct Sight {
    /// B.
    pub view: AuthorView,
    /// Whether every version above `base_version` is this chain's own.
    pub is_current: bool,
}

impl World {
    /// What the author saw of a row. An op made before a restore, or under another name of the row, tells itself what
    /// that was: its `base_version` counts another row's versions.
    pub(super) fn sight(&self, author: &Author, op: &Op, record: &Record) -> Result<Sight, Stop> {
        let Chain { ops: chain, root } = self.chain(author, op)?;
        let wrote = |queued: &&&QueuedOp| {
            matches!(queued.verdict, Some(Verdict::Applied | Verdict::Merged)) && queued.conflict_id.is_none()
        };
        let mut own_versions: BTreeSet<Version> =
            chain.iter().filter(wrote).filter_map(|queued| queued.result_version).collect();
        own_versions.insert(op.base_version);
        let is_current = root.is_none()
            && !self.is_strange(op)
            && own_versions.contains(&record.version)
            && (op.base_version.0..=record.version.0).all(|version| own_versions.contains(&Version(version)));
        let mut view = match root {
            Some(insert) => made_view(op.table, insert),
            None => self.view_at(op, record),
        };
        for queued in chain.iter().rev() {
            overlay(op.table, &mut view, &queued.data);
        }
        for (field, seen) in op.base.iter().flatten() {
            match &view.values[*field] {
                None => view.values[*field] = Some(seen.clone()),
                Some(known) if known != seen => {
                    view.doubted.insert(*field);
                }
                Some(_) => {}
            }
        }
        Ok(Sight { view, is_current })
    }

    /// Whether `base_version` says nothing about this row.
    pub(super) fn is_strange(&self, op: &Op) -> bool {
        self.is_from_before(op) || op.sent.record_id != Some(op.record_id)
    }

    /// Whether the op was made before the database was restored.
    pub(super) fn is_from_before(&self, op: &Op) -> bool {
        op.epoch.is_some_and(|epoch| epoch != self.epoch)
    }

    fn view_at(&self, op: &Op, record: &Record) -> AuthorView {
        if self.is_strange(op) {
            return AuthorView { values: vec![None; op.table.fields.len()], doubted: BTreeSet::new() };
        }
        if op.base_version == record.version {
            return AuthorView::of(&record.values);
        }
        let snapshot = self.snapshots.get(&((op.table.name, op.record_id), op.base_version));
        match snapshot {
            Some(values) => AuthorView::of(values),
            None => AuthorView { values: vec![None; op.table.fields.len()], doubted: BTreeSet::new() },
        }
    }

    /// The device's own ops that the edit builds on, newest first; rejected and withdrawn ones are left out.
    fn chain(&self, author: &Author, op: &Op) -> Result<Chain<'_>, Stop> {
        self.check_prev(author, op)?;
        let (mut chain, mut root) = (Vec::new(), None);
        let mut next = op.prev_op_id;
        for _ in 0..CHAIN_OPS_MAX {
            let Some(queued) = next.and_then(|id| self.ops.get(&id)) else { break };
            if !is_link(queued, author, op) {
                return Err(invalid_prev().into());
            }
            // Version 1 is what a phone says that has its own insert's answer not yet.
            if op.base_version <= Version(1)
                && (met_another_row(queued) || (overwrites_unseen(op) && was_decided(queued)))
            {
                root = Some(queued);
                break;
            }
            if queued.result_version.is_some_and(|version| version <= op.base_version) && !self.is_strange(op) {
                break;
            }
            if queued.status != QueueStatus::Failed && !is_withdrawn(queued) {
                chain.push(queued);
            }
            next = queued.prev_op_id;
        }
        Ok(Chain { ops: chain, root })
    }
}

/// The device's own ops that an edit builds on.
struct Chain<'a> {
    /// Newest first.
    ops: Vec<&'a QueuedOp>,
    /// The insert at its end, if that met a row which was there already, or a person decided it: the author had seen only
    /// what it made itself.
    root: Option<&'a QueuedOp>,
}

/// Whether an insert was joined with a row that somebody else had made.
fn met_another_row(queued: &QueuedOp) -> bool {
    queued.operation == Operation::Insert.as_str()
        && queued.status == QueueStatus::Completed
        && matches!(queued.verdict, Some(Verdict::Noop | Verdict::Merged))
        && queued.conflict_id.is_none()
}

/// Whether the op writes values and does not say what its author saw before. A deletion takes the row as it is.
fn overwrites_unseen(op: &Op) -> bool {
    op.base.is_none() && op.operation != Operation::Delete
}

/// Whether an insert was in a clash that is closed. Version 1 may hold other values then than its author entered, and
/// only the author's `base` could tell whether they were seen.
fn was_decided(queued: &QueuedOp) -> bool {
    queued.operation == Operation::Insert.as_str()
        && queued.status == QueueStatus::Completed
        && queued.conflict_id.is_some()
}

/// A row as its author made it: what was sent, and the defaults of the rest.
fn made_view(table: &Table, insert: &QueuedOp) -> AuthorView {
    let values: Vec<Value> = table.fields.iter().map(|field| field.default.clone()).collect();
    let mut view = AuthorView::of(&values);
    overlay(table, &mut view, &insert.data);
    view
}

/// What the op itself tells of its author's view, where nothing else is known.
pub(super) fn told_view(op: &Op) -> AuthorView {
    if op.operation == Operation::Insert {
        return AuthorView::empty(op.table);
    }
    let mut view = AuthorView { values: vec![None; op.table.fields.len()], doubted: BTreeSet::new() };
    for (field, value) in op.base.iter().flatten() {
        view.values[*field] = Some(value.clone());
    }
    view
}

fn is_withdrawn(queued: &QueuedOp) -> bool {
    queued.verdict == Some(Verdict::Noop) && queued.conflict_id.is_some() && queued.result_version.is_none()
}

/// Lays the fields an op set over a view.
pub(super) fn overlay(table: &Table, view: &mut AuthorView, data: &Json) {
    for (field, value) in fields_of(table, data) {
        view.values[field] = Some(value);
    }
}

/// The fields an op's stored `data` sets. What does not fit the schema was rejected when it came, and sets nothing.
pub(super) fn fields_of(table: &Table, data: &Json) -> Vec<(usize, Value)> {
    let Some(data) = data.as_object() else { return Vec::new() };
    let mut fields = Vec::new();
    for (name, json) in data {
        let Some(column) = table.column(name) else { continue };
        for index in &column.fields {
            let field = &table.fields[*index];
            let json = match field.key {
                None => Some(json),
                Some(_) if json.is_null() => Some(&Json::Null),
                Some(key) => json.get(key),
            };
            if let Some(value) = json.and_then(|json| field.kind.decode(json).ok()) {
                fields.push((*index, value));
            }
        }
    }
    fields
}
