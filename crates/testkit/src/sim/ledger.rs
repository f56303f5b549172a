//! What every author had seen when making an edit, written down at that moment.
//!
//! The checker judges the desk by this book. It is kept beside the phones and never asks the engine: it holds what
//! stood on the screen, not what versions say about it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use showdesk_domain::op::Operation;
use uuid::Uuid;

use super::fields::{Fields, Key};

/// One edit as a person made it.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    /// Its phone, by its place among the phones.
    pub phone: usize,
    /// The row.
    pub key: Key,
    /// What it does.
    pub operation: Operation,
    /// The values it sets.
    pub set: Fields,
    /// For each field the values that its author had seen there, its own earlier ones included.
    pub seen: BTreeMap<String, Vec<Json>>,
    /// Made to be refused: it counts for nothing but must not disturb others.
    pub hostile: bool,
    /// The group it was made in: all of it or nothing.
    pub group: Option<Uuid>,
    /// A second op of the same edit, made by a phone with a mistake: the first one's id.
    pub repeats: Option<Uuid>,
}

/// All edits of a run by op.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    edits: BTreeMap<Uuid, Edit>,
}

impl Ledger {
    /// Writes an edit down. What its author has entered there and seen there before, it has seen too.
    pub(super) fn write(&mut self, op_id: Uuid, mut edit: Edit) {
        let own = |other: &&Edit| other.phone == edit.phone && other.key == edit.key;
        let mut before: Vec<(&String, &Json)> = Vec::new();
        for other in self.edits.values().filter(own) {
            before.extend(&other.set);
            before.extend(other.seen.iter().flat_map(|(path, values)| values.iter().map(move |value| (path, value))));
        }
        for (path, value) in before {
            let seen = edit.seen.entry(path.clone()).or_default();
            if !seen.contains(value) {
                seen.push(value.clone());
            }
        }
        self.edits.insert(op_id, edit);
    }

    pub(super) fn get(&self, op_id: Uuid) -> Option<&Edit> {
        self.edits.get(&op_id)
    }

    pub(super) fn edits(&self) -> impl Iterator<Item = (Uuid, &Edit)> {
        self.edits.iter().map(|(id, edit)| (*id, edit))
    }

    /// The op that an op stands for.
    pub(super) fn original(&self, op_id: Uuid) -> Uuid {
        self.get(op_id).and_then(|edit| edit.repeats).unwrap_or(op_id)
    }
}
