//! Which versions of a clash's rows were written by whom: what made the desk's values, and what a rule made of both.

use serde_json::{Map, Value as Json};
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::ids::Version;
use showdesk_domain::record::HistoryRow;
use showdesk_domain::world::Key;
use showdesk_store::{Tx, history};

use super::{Context, value_at};
use crate::Result;

/// Versions before a decision among which the one is looked for that wrote the desk's value.
const VERSIONS_BACK: i64 = 8;

impl Context {
    /// The versions that tell who wrote the desk's values and when both sides had the same.
    pub(super) async fn load_versions(&mut self, tx: &mut Tx, found: &[Conflict]) -> Result<()> {
        let mut wanted = Vec::new();
        for conflict in found {
            let key = (conflict.table.name, conflict.record_id);
            let written = self.server_versions_of(conflict).into_iter();
            wanted.extend(written.filter(|version| version.0 > 0).map(|version| (conflict.table, key.1, version)));
            let parts = conflict.parts.iter().filter(|part| part.version.0 > 0);
            wanted.extend(parts.map(|part| (part.table, part.record_id, part.version)));
            let base = self.ops.get(&conflict.queue_id).map(|op| op.version).filter(|version| version.0 > 0);
            wanted.extend(self.joined_version(conflict).map(|version| (conflict.table, key.1, version)));
            wanted.extend(base.map(|version| (conflict.table, key.1, version)));
        }
        for row in history::snapshots(tx, &wanted).await? {
            self.versions.insert(((row.table.name, row.record_id), row.version), row);
        }
        Ok(())
    }

    /// The versions that may have written the desk's value of the contested fields, the newest first. Of a clash that was
    /// decided, or joined by a rule, these are the ones before that write, which may have written the fields itself.
    fn server_versions_of(&self, conflict: &Conflict) -> Vec<Version> {
        if let Some(decided) = decided_version(conflict) {
            return (1..=VERSIONS_BACK).map(|back| Version(decided.0 - back)).collect();
        }
        if let Some(joined) = self.joined_version(conflict) {
            return (0..=VERSIONS_BACK).map(|back| Version(joined.0 - back)).collect();
        }
        let record = self.subjects.records.get(&(conflict.table.name, conflict.record_id));
        let Some(record) = record else { return Vec::new() };
        let marks = conflict.contested.iter().filter_map(|path| record.provenance.get(path));
        vec![marks.map(|mark| mark.version).max().unwrap_or(record.version)]
    }

    /// The version that a rule made of both sides, if one did.
    pub(super) fn joined_version(&self, conflict: &Conflict) -> Option<Version> {
        let joined = conflict.status == ConflictStatus::MergedAutomatically;
        self.ops.get(&conflict.queue_id).filter(|_| joined)?.result_version
    }

    /// The write that made the desk's value, as far as that is kept. Of a group it is the last one of its rows.
    pub(super) fn server_write(&self, conflict: &Conflict) -> Option<&HistoryRow> {
        let version = |key: Key, version: Version| self.versions.get(&(key, version));
        if !conflict.parts.is_empty() {
            let parts = conflict.parts.iter();
            let writes = parts.filter_map(|part| version((part.table.name, part.record_id), part.version));
            return writes.max_by_key(|row| row.seq);
        }
        let key = (conflict.table.name, conflict.record_id);
        let rows = self.server_versions_of(conflict).into_iter().filter_map(|number| version(key, number));
        let joined = self.joined_version(conflict).is_some();
        let rows: Vec<&HistoryRow> = rows.filter(|row| !joined || row.op_id != Some(conflict.queue_id)).collect();
        let contested = |row: &HistoryRow| -> Vec<Json> {
            let data: Map<String, Json> = serde_json::from_str(&row.snapshot).unwrap_or_default();
            conflict.contested.iter().map(|path| value_at(&data, path)).collect()
        };
        let wrote = rows.windows(2).find(|pair| contested(pair[0]) != contested(pair[1])).map(|pair| pair[0]);
        wrote.or(rows.last().copied())
    }
}

/// The version that a decision in force has written.
fn decided_version(conflict: &Conflict) -> Option<Version> {
    let decision = conflict.decisions.last().filter(|_| conflict.status == ConflictStatus::Resolved)?;
    decision.get("result_version").and_then(Json::as_i64).map(Version)
}
