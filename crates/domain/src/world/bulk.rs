//! Several clashes decided at once (PROTOCOL.md §5): each stands or falls alone, and all can be taken back together.

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::{Decision, Key, Needs, SettleError, World};
use crate::actor::Actor;
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{ConflictId, RecordId, Version};
use crate::record::values_of;

/// A decision about one of several clashes.
#[derive(Debug, Clone)]
pub struct BulkPart {
    /// Names the whole decision; none while it is only tried.
    pub bulk_id: Option<Uuid>,
    /// `client_wins` or `server_wins`.
    pub resolution: &'static str,
    /// The record's version that the decider saw, if it was told.
    pub expected: Option<Version>,
    /// Why.
    pub reason: Option<String>,
}

/// What a decision writes in one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The row.
    pub key: Key,
    /// The version it gets.
    pub version: Version,
    /// Whether it is deleted then.
    pub deleted: bool,
    /// The fields that change, by path.
    pub values: Map<String, Json>,
}

impl World {
    /// What is still to be read before a clash can be decided by somebody who saw that version. `manual` are the
    /// decider's values.
    pub fn missing_for_decision(&self, id: ConflictId, manual: &Map<String, Json>, expected: Option<Version>) -> Needs {
        let mut needs = self.missing_for_settling(id, manual);
        if let (Some(conflict), Some(expected)) = (self.conflict(id), expected) {
            needs.snapshots.insert(((conflict.table.name, conflict.record_id), expected));
        }
        self.only_missing(needs)
    }

    /// Decides one of several clashes and tells every value that is written. An error leaves everything as it was.
    pub fn resolve_part(
        &mut self,
        decider: &Actor,
        id: ConflictId,
        part: &BulkPart,
    ) -> Result<Vec<Written>, SettleError> {
        let conflict = self.conflicts.get(&id).ok_or(SettleError::NotFound)?;
        if conflict.status != ConflictStatus::Open {
            return Err(SettleError::AlreadyResolved);
        }
        let present = self.main_version(conflict).unwrap_or(Version(0));
        if part.expected.is_some_and(|expected| self.has_moved(conflict, expected)) {
            return Err(SettleError::Moved);
        }
        let decision = Decision {
            resolution: part.resolution,
            data: Map::new(),
            expected_server_version: present,
            rev: conflict.rev,
            reason: part.reason.clone(),
        };
        let first = self.journal.history.len();
        self.resolve(decider, id, &decision)?;
        if let Some(conflict) = self.conflicts.get_mut(&id) {
            conflict.bulk_id = part.bulk_id;
            if let (Some(Json::Object(decision)), Some(bulk_id)) = (conflict.decisions.last_mut(), part.bulk_id) {
                decision.insert("bulk_id".to_owned(), Json::String(bulk_id.to_string()));
            }
        }
        Ok(self.written_since(first))
    }

    /// Takes a part of a bulk decision back, unless that was done before.
    pub fn undo_part(
        &mut self,
        admin: &Actor,
        id: ConflictId,
        bulk_id: Uuid,
        reason: Option<&str>,
    ) -> Result<Vec<Written>, SettleError> {
        let conflict = self.conflicts.get(&id).ok_or(SettleError::NotFound)?;
        if was_undone(conflict, bulk_id) {
            return Ok(Vec::new());
        }
        if conflict.bulk_id != Some(bulk_id) || conflict.status != ConflictStatus::Resolved {
            return Err(SettleError::NotPossible("another decision has taken its place"));
        }
        let first = self.journal.history.len();
        self.undo(admin, id, reason)?;
        Ok(self.written_since(first))
    }

    /// Whether a bulk decision has decided this clash, in force or not.
    pub fn is_part_of(&self, id: ConflictId, bulk_id: Uuid) -> bool {
        self.conflicts.get(&id).is_some_and(|conflict| decision_of(conflict, bulk_id).is_some())
    }

    /// Whether what is disputed has changed since the version that a decider names beside the clash's own state. A row
    /// that is not known as it was then is taken at the state's word. A row that the decision deletes is disputed as a
    /// whole: nobody's edit goes with it that its decider had not seen.
    pub(super) fn has_overtaken(&self, conflict: &Conflict, decision: &Decision) -> bool {
        let expected = decision.expected_server_version;
        if conflict.parts.is_empty() && self.deletes_row(conflict, decision.resolution) {
            return self.has_moved(conflict, expected);
        }
        let present = self.main_version(conflict).unwrap_or(Version(0));
        if expected >= present || !conflict.parts.is_empty() || conflict.kind == ConflictKind::UniqueViolation {
            return expected > present;
        }
        let key = (conflict.table.name, conflict.record_id);
        let (Some(seen), Some(record)) = (self.snapshots.get(&(key, expected)), self.records.get(&key)) else {
            return false;
        };
        let mut fields = conflict.contested.iter().filter_map(|path| conflict.table.field(path));
        fields.any(|field| seen[field] != record.values[field])
    }

    /// Whether what is disputed has changed since the decider saw that version. Changes of other fields do not matter.
    fn has_moved(&self, conflict: &Conflict, expected: Version) -> bool {
        let key = (conflict.table.name, conflict.record_id);
        if !conflict.parts.is_empty() {
            return expected != conflict.server_version;
        }
        let Some(record) = self.records.get(&key) else { return expected != Version(0) };
        // A row that stays deleted holds nothing new, however often that was decided.
        let was_gone = !record.is_live() && self.gone.contains(&(key, expected));
        if expected == record.version || was_gone {
            return false;
        }
        let is_about_fields = !conflict.kind.is_lifecycle() && conflict.kind != ConflictKind::UniqueViolation;
        let seen = self.snapshots.get(&(key, expected)).filter(|_| is_about_fields && expected < record.version);
        let moved = |values: &Vec<crate::value::Value>| {
            let mut fields = conflict.contested.iter().filter_map(|path| conflict.table.field(path));
            fields.any(|field| values[field] != record.values[field])
        };
        seen.is_none_or(moved)
    }

    fn written_since(&self, first: usize) -> Vec<Written> {
        let rows = self.journal.history[first..].iter().map(|row| {
            let key: Key = (row.table.name, RecordId(row.record_id.0));
            let before = self.snapshots.get(&(key, Version(row.version.0 - 1)));
            let after = serde_json::from_str(&row.snapshot).ok().and_then(|data| values_of(row.table, &data).ok());
            let after = after.unwrap_or_default().into_iter().enumerate();
            let changed = after.filter(|(field, value)| match before {
                Some(before) => before[*field] != *value,
                None => !value.is_null(),
            });
            let values = changed.map(|(field, value)| (row.table.fields[field].path.to_owned(), value.to_json()));
            Written { key, version: row.version, deleted: row.deleted, values: values.collect() }
        });
        rows.collect()
    }
}

fn decision_of(conflict: &Conflict, bulk_id: Uuid) -> Option<&Json> {
    let is_this = |decision: &&Json| {
        let named = decision.get("bulk_id").and_then(Json::as_str);
        named.and_then(|text| Uuid::try_parse(text).ok()) == Some(bulk_id)
    };
    conflict.decisions.iter().find(is_this)
}

fn was_undone(conflict: &Conflict, bulk_id: Uuid) -> bool {
    decision_of(conflict, bulk_id).is_some_and(|decision| decision.get("undone_at").is_some())
}
