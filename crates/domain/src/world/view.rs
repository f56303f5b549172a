//! The author's view B of a record (PROTOCOL.md §4): what the person saw when making the edit.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Author, World};
use crate::ids::Version;
use crate::merge::AuthorView;
use crate::op::{Op, Rejection};
use crate::queue::{QueueStatus, QueuedOp};
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

/// Why a view cannot be worked out yet or at all.
#[derive(Debug)]
pub(super) enum Unseen {
    /// The op it builds on has not come yet.
    Waits,
    /// It builds on an op that is not this device's, or not about this record.
    Invalid(Rejection),
}

impl World {
    pub(super) fn sight(&self, author: &Author, op: &Op, record: &Record) -> Result<Sight, Unseen> {
        let chain = self.chain(author, op)?;
        let mut own_versions: BTreeSet<Version> = chain.iter().filter_map(|queued| queued.result_version).collect();
        own_versions.insert(op.base_version);
        let is_current = own_versions.contains(&record.version)
            && (op.base_version.0..=record.version.0).all(|version| own_versions.contains(&Version(version)));
        let mut view = self.view_at(op, record);
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

    fn view_at(&self, op: &Op, record: &Record) -> AuthorView {
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
    fn chain(&self, author: &Author, op: &Op) -> Result<Vec<&QueuedOp>, Unseen> {
        let mut chain = Vec::new();
        let mut next = op.prev_op_id;
        for _ in 0..CHAIN_OPS_MAX {
            let Some(id) = next else { break };
            let Some(queued) = self.ops.get(&id) else { return Err(Unseen::Waits) };
            let is_own = queued.device_id == author.actor.device
                && queued.incarnation == author.incarnation
                && queued.record_id == Some(op.record_id)
                && queued.id != op.id;
            if !is_own {
                return Err(Unseen::Invalid(Rejection::of_field(
                    "invalid_prev",
                    "prev_op_id",
                    "it names no earlier change of this phone to this record",
                )));
            }
            if queued.result_version.is_some_and(|version| version <= op.base_version) {
                break;
            }
            if queued.status == QueueStatus::Pending {
                return Err(Unseen::Waits);
            }
            if queued.status != QueueStatus::Failed && !is_withdrawn(queued) {
                chain.push(queued);
            }
            next = queued.prev_op_id;
        }
        Ok(chain)
    }
}

fn is_withdrawn(queued: &QueuedOp) -> bool {
    queued.verdict.as_deref() == Some("noop") && queued.conflict_id.is_some() && queued.result_version.is_none()
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
