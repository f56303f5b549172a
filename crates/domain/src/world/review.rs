//! What a write means for the open clashes about its row, and how clashes are opened and closed.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::ruling::Ruling;
use super::settle::{Decision, SettleError};
use super::view::fields_of;
use super::write::Draft;
use super::{Author, Cause, Key, World, values_by_path};
use crate::actor::ReadClass;
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{ConflictId, OpId, PersonId, Version};
use crate::merge::{AuthorView, DeskRow, Merged, merge};
use crate::op::{Op, Operation, Rejection};
use crate::queue::{QueueStatus, Verdict};
use crate::record::{Record, data_of, values_of};
use crate::schema::{Table, known_table};
use crate::value::Value;

/// A clash about to be opened.
pub(super) struct Clash<'a> {
    pub kind: ConflictKind,
    pub status: ConflictStatus,
    pub view: &'a AuthorView,
    pub contested: Vec<usize>,
    pub clean: Vec<usize>,
}

impl World {
    /// Opens a clash about an op, or files a merge in which a policy chose.
    pub(super) fn open_conflict(&mut self, author: &Author, op: &Op, clash: &Clash<'_>) -> ConflictId {
        let key = (op.table.name, op.record_id);
        let blank = self.blank_conflict(author, op, key, clash.kind);
        let record = self.records.get(&key);
        let is_open = clash.status == ConflictStatus::Open;
        let conflict = Conflict {
            status: clash.status,
            server_user_id: record.and_then(|record| last_author(record, &paths(op.table, &clash.contested))),
            op_ids: vec![op.id],
            base_data: known_data(op.table, clash.view),
            server_data: record.filter(|record| record.is_live()).map(|record| record.data(ReadClass::Office)),
            client_data: Some(wanted_data(op, clash.view, record.map(|record| record.values.as_slice()))),
            server_version: record.map_or(Version(0), |record| record.version),
            contested: paths(op.table, &clash.contested),
            clean: paths(op.table, &clash.clean),
            resolved_at: (!is_open).then_some(self.now),
            ..blank
        };
        let id = conflict.id;
        self.keep_conflict(conflict);
        self.journal.conflicts.insert(id);
        if is_open {
            self.touch(key, &Cause::of(&author.actor, Some(op.id), None));
        }
        id
    }

    /// An open clash about a row, by this op's author, that says nothing yet.
    pub(super) fn blank_conflict(&mut self, author: &Author, op: &Op, key: Key, kind: ConflictKind) -> Conflict {
        let (id, row) = (ConflictId(self.fresh_id()), (known_table(key.0), key.1));
        Conflict::opened(id, op.id, row, kind, (author.actor.device, author.actor.person), self.now)
    }

    /// The open clash of this device that an op on the same record must join, if there is one.
    pub(super) fn folds_into(&self, author: &Author, op: &Op) -> Option<ConflictId> {
        let part_of = |conflict: &'_ Conflict| {
            conflict.parts.iter().position(|part| part.record_id == op.record_id && part.table == op.table)
        };
        let touches = |conflict: &Conflict| {
            let part = part_of(conflict).map(|at| &conflict.parts[at]);
            let (contested, clean) =
                part.map_or((&conflict.contested, &conflict.clean), |part| (&part.contested, &part.clean));
            let waiting = contested.iter().chain(clean).filter_map(|path| op.table.field(path));
            let waiting: Vec<usize> = waiting.collect();
            op.patch.keys().any(|field| op.table.group_of(*field).iter().any(|member| waiting.contains(member)))
        };
        self.open_on((op.table.name, op.record_id))
            // The row that a group's clash is listed under need not be one of the group's.
            .filter(|conflict| conflict.parts.is_empty() || part_of(conflict).is_some())
            .find(|conflict| {
                conflict.device_id == author.actor.device && (conflict.kind.is_lifecycle() || touches(conflict))
            })
            .map(|conflict| conflict.id)
    }

    /// Adds an op to an open clash: its values replace those waiting there, the base stays. Fields that do not wait yet
    /// are merged as they would be alone; what the rules refuse there refuses the op.
    pub(super) fn fold(&mut self, author: &Author, op: &Op, id: ConflictId) -> Result<Ruling, Rejection> {
        let Some(mut conflict) = self.conflicts.get(&id).cloned() else { return Ok(Ruling::held(id)) };
        if !conflict.parts.is_empty() {
            self.fold_into_group(author, op, conflict);
            return Ok(Ruling::held(id));
        }
        let waits = |field: &usize| {
            let path = op.table.fields[*field].path;
            conflict.contested.iter().chain(&conflict.clean).any(|waiting| waiting == path)
        };
        let new: BTreeMap<usize, Value> =
            op.patch.iter().filter(|(field, _)| !waits(field)).map(|(field, value)| (*field, value.clone())).collect();
        let merged = self.merge_beside(author, op, &conflict, &new)?;
        let mut client = conflict.client_data.clone().unwrap_or_default();
        let mut values = values_of(op.table, &client).unwrap_or_else(|_| vec![Value::Null; op.table.fields.len()]);
        let joins =
            |field: &usize| !new.contains_key(field) || merged.take.contains(field) || merged.contested.contains(field);
        for (field, value) in op.patch.iter().filter(|(field, _)| joins(field)) {
            values[*field] = value.clone();
        }
        client.extend(data_of(op.table, &values, ReadClass::Office));
        conflict.client_data = Some(client);
        conflict.contested.extend(paths(op.table, &merged.contested));
        conflict.clean.extend(paths(op.table, &merged.take));
        conflict.op_ids.push(op.id);
        conflict.rev += 1;
        let is_gone = self.record((op.table.name, op.record_id)).is_some_and(|record| !record.is_live());
        let cause = Cause::of(&author.actor, Some(op.id), None);
        if op.operation == Operation::Delete && is_gone && conflict.kind == ConflictKind::UpdateDeleted {
            // The phone wants now what the desk did: nobody need be asked.
            conflict.clean.clear();
            self.supersede(conflict, &cause);
            return Ok(Ruling { verdict: Verdict::Noop, ..Ruling::conflict(id) });
        }
        if self.is_about_nothing(&conflict, op) {
            self.supersede(conflict, &cause);
            return Ok(self.verdict_of_superseded(op, id));
        }
        self.change_conflict(conflict, &cause);
        Ok(Ruling::held(id))
    }

    /// Whether the row shows by now what the phone wants in the end. A chain with a deletion asks whether there is a row,
    /// and a question of the rules is not about what the phone wants.
    fn is_about_nothing(&self, conflict: &Conflict, folded: &Op) -> bool {
        let Some(record) = self.record((folded.table.name, folded.record_id)).filter(|record| record.is_live()) else {
            return false;
        };
        let deletes = |id: &OpId| self.op(*id).is_some_and(|op| op.operation == Operation::Delete.as_str());
        if conflict.kind == ConflictKind::Rule
            || folded.operation == Operation::Delete
            || conflict.op_ids.iter().any(deletes)
        {
            return false;
        }
        let client = conflict.client_data.as_ref().and_then(|data| values_of(conflict.table, data).ok());
        let is_shown = |path: &String, client: &[Value]| {
            conflict.table.field(path).is_none_or(|field| client[field] == record.values[field])
        };
        client.is_some_and(|client| conflict.contested.iter().all(|path| is_shown(path, &client)))
    }

    /// What became of an op that closed its clash: `held` if the clash could not be closed after all.
    fn verdict_of_superseded(&self, op: &Op, id: ConflictId) -> Ruling {
        let is_closed = |conflict: &&Conflict| conflict.status == ConflictStatus::Superseded;
        let Some(conflict) = self.conflicts.get(&id).filter(is_closed) else { return Ruling::held(id) };
        let version = self.record((op.table.name, op.record_id)).map(|record| record.version);
        // All ops of the chain are answered alike: merged where something that waited beside them is joined.
        let opened = self.op(conflict.queue_id).and_then(|op| op.verdict);
        let verdict = if opened == Some(Verdict::Merged) { Verdict::Merged } else { Verdict::Noop };
        Ruling { verdict, version, ..Ruling::conflict(id) }
    }

    /// The same where the clash is about a group: the op joins its row's part.
    fn fold_into_group(&mut self, author: &Author, op: &Op, mut conflict: Conflict) {
        let Some(part) = conflict.parts.iter_mut().find(|part| part.record_id == op.record_id) else { return };
        let known = part.client.as_ref().and_then(|data| values_of(op.table, data).ok());
        let mut values = known.unwrap_or_else(|| vec![Value::Null; op.table.fields.len()]);
        for (field, value) in &op.patch {
            values[*field] = value.clone();
            let path = op.table.fields[*field].path;
            if !part.contested.iter().chain(&part.clean).any(|waiting| waiting == path) {
                part.contested.push(path.to_owned());
            }
        }
        part.client = (op.operation != Operation::Delete).then(|| data_of(op.table, &values, ReadClass::Office));
        conflict.op_ids.push(op.id);
        conflict.rev += 1;
        self.change_conflict(conflict, &Cause::of(&author.actor, Some(op.id), None));
    }

    /// What becomes of fields of a folded op that do not wait yet.
    fn merge_beside(
        &self,
        author: &Author,
        op: &Op,
        conflict: &Conflict,
        new: &BTreeMap<usize, Value>,
    ) -> Result<Merged, Rejection> {
        let all = || new.keys().copied().collect::<Vec<_>>();
        let record = self.records.get(&(op.table.name, op.record_id)).filter(|record| record.is_live());
        let Some(record) = record else { return Ok(Merged { take: all(), ..Merged::default() }) };
        if conflict.kind == ConflictKind::RestoredServer {
            return Ok(Merged { contested: all(), ..Merged::default() });
        }
        let base = conflict.base_data.as_ref().and_then(|data| values_of(op.table, data).ok());
        let view = base.map_or_else(|| AuthorView::of(&record.values), |values| AuthorView::of(&values));
        merge(op.table, &author.actor, &view, DeskRow::from(record), new, op.reason.is_some())
    }

    /// Stores a clash's new state and gives its record a new place in the feed.
    pub(super) fn change_conflict(&mut self, conflict: Conflict, cause: &Cause) {
        let key = (conflict.table.name, conflict.record_id);
        let mut rows = vec![key];
        rows.extend(conflict.parts.iter().map(|part| (part.table.name, part.record_id)));
        rows.sort_unstable();
        rows.dedup();
        self.journal.conflicts.insert(conflict.id);
        self.keep_conflict(conflict);
        for row in rows {
            self.touch(row, cause);
        }
        if key.0 == "classes" {
            self.derive_row(key, cause);
        }
    }

    /// Looks at the open clashes about a row after it was written (PROTOCOL.md §5).
    pub(super) fn review(&mut self, key: Key, cause: &Cause) {
        let open: Vec<ConflictId> = self.open_on(key).map(|conflict| conflict.id).collect();
        for id in open {
            self.review_one(key, id, cause);
        }
        self.review_holder(key, cause);
    }

    /// A row whose unique value another row wants has changed: who decides must look again.
    fn review_holder(&mut self, key: Key, cause: &Cause) {
        let wants = |conflict: &&Conflict| {
            conflict.status == ConflictStatus::Open
                && conflict.other_record_id == Some(key.1)
                && conflict.table.name == key.0
        };
        let wanting: Vec<Conflict> = self.clashes_naming(key.1).filter(wants).cloned().collect();
        for mut conflict in wanting {
            let data =
                self.records.get(&key).filter(|holder| holder.is_live()).map(|holder| holder.data(ReadClass::Office));
            if conflict.server_data == data {
                continue;
            }
            conflict.server_data = data;
            conflict.rev += 1;
            self.change_conflict(conflict, cause);
        }
    }

    fn review_one(&mut self, key: Key, id: ConflictId, cause: &Cause) {
        let (Some(record), Some(conflict)) = (self.records.get(&key), self.conflicts.get(&id)) else { return };
        if !conflict.parts.is_empty() {
            self.review_part(key, id, cause);
            return;
        }
        if record.version == conflict.server_version {
            return;
        }
        let (record, mut conflict) = (record.clone(), conflict.clone());
        if conflict.is_about_weights() {
            // What it is about are weigh-ins, which `review_weights` looks at.
            conflict.server_version = record.version;
            conflict.server_data = Some(record.data(ReadClass::Office));
            self.note_conflict(conflict);
            return;
        }
        let before = self.desk_before(&conflict);
        let is_unique = conflict.kind == ConflictKind::UniqueViolation;
        let was_live = if is_unique { before.is_some() } else { conflict.server_data.is_some() };
        conflict.server_version = record.version;
        if !is_unique || !record.is_live() {
            conflict.server_data = record.is_live().then(|| record.data(ReadClass::Office));
        }
        if record.is_live() != was_live && (!is_unique || was_live) {
            self.review_liveness(conflict, record.is_live(), cause);
        } else {
            self.review_values(conflict, before, &record, cause);
        }
    }

    /// The desk's row as a clash last saw it. Of two rows that want one value the desk's side is the other row, which
    /// `review_holder` looks at.
    fn desk_before(&self, conflict: &Conflict) -> Option<Vec<Value>> {
        if conflict.kind == ConflictKind::UniqueViolation {
            let key = (conflict.table.name, conflict.record_id);
            return self.snapshots.get(&(key, conflict.server_version)).cloned();
        }
        conflict.server_data.as_ref().and_then(|data| values_of(conflict.table, data).ok())
    }

    /// The row of a clash was deleted, or came back.
    fn review_liveness(&mut self, mut conflict: Conflict, is_live: bool, cause: &Cause) {
        if conflict.kind == ConflictKind::UniqueViolation {
            conflict.other_record_id = None;
        }
        conflict.kind = match (conflict.kind, is_live) {
            (ConflictKind::UpdateDeleted, true) => ConflictKind::UpdateUpdate,
            (ConflictKind::DeleteUpdated, false) => {
                self.supersede(conflict, cause);
                return;
            }
            (_, false) => ConflictKind::UpdateDeleted,
            (kind, true) => kind,
        };
        conflict.rev += 1;
        self.change_conflict(conflict, cause);
    }

    /// Values of a clash's row were written: what became equal by it is decided, what moved must be looked at again.
    /// A clash that was asked about again may look alike on both sides: other fields do not end that.
    fn review_values(&mut self, mut conflict: Conflict, before: Option<Vec<Value>>, record: &Record, cause: &Cause) {
        let client = conflict.client_data.as_ref().and_then(|data| values_of(record.table, data).ok());
        let (Some(before), Some(client)) = (before, client) else {
            self.note_conflict(conflict);
            return;
        };
        let field = |path: &String| record.table.field(path);
        let moved = |path: &String| field(path).is_some_and(|field| before[field] != record.values[field]);
        let equal = |path: &String| field(path).is_none_or(|field| client[field] == record.values[field]);
        let (moved_clean, still_clean): (Vec<String>, Vec<String>) = conflict.clean.iter().cloned().partition(moved);
        if moved_clean.is_empty() && !conflict.contested.iter().any(moved) {
            self.note_conflict(conflict);
            return;
        }
        conflict.clean = still_clean;
        conflict.contested.extend(moved_clean.into_iter().filter(|path| !equal(path)));
        let is_equal = !conflict.contested.is_empty() && conflict.contested.iter().all(equal);
        if is_equal && conflict.kind != ConflictKind::DeleteUpdated {
            self.supersede(conflict, cause);
            return;
        }
        conflict.server_user_id = last_author(record, &conflict.contested);
        conflict.rev += 1;
        self.change_conflict(conflict, cause);
    }

    /// Keeps a clash that follows its row without anything new to decide.
    fn note_conflict(&mut self, conflict: Conflict) {
        self.journal.conflicts.insert(conflict.id);
        self.keep_conflict(conflict);
    }

    /// Closes a clash whose values became equal by another way; what waited beside them is joined now.
    fn supersede(&mut self, mut conflict: Conflict, cause: &Cause) {
        let key = (conflict.table.name, conflict.record_id);
        let joined = self.with_waiting(&conflict);
        if joined.as_ref().is_some_and(|values| self.check_joined(&conflict, values).is_err()) {
            // What waits beside it cannot be joined as things are: a person must look.
            conflict.contested.append(&mut conflict.clean);
            conflict.rev += 1;
            self.change_conflict(conflict, cause);
            return;
        }
        conflict.status = ConflictStatus::Superseded;
        conflict.resolved_at = Some(self.now);
        let (id, op_ids) = (conflict.id, self.covered(&conflict));
        let author = Cause {
            person: Some(conflict.user_id),
            rank: 0,
            device: Some(conflict.device_id),
            op_id: Some(conflict.queue_id),
            reason: None,
        };
        let table = conflict.table;
        self.change_conflict(conflict, cause);
        let verdict = if joined.is_some() { Verdict::Merged } else { Verdict::Noop };
        if let Some(values) = joined {
            self.put(Draft { table, id: key.1, values, deleted: false }, &author);
        }
        let version = self.records.get(&key).map(|record| record.version);
        for op_id in op_ids {
            self.finish_op(op_id, verdict, id, version);
        }
    }

    /// The ops that a decision is about: of a question of the rules not the facts that raised it, which were written when
    /// they came, but what has joined it since.
    pub(super) fn covered(&self, conflict: &Conflict) -> Vec<OpId> {
        let waits = |id: &OpId| self.ops.get(id).is_none_or(|op| op.conflict_id == Some(conflict.id));
        let ops = conflict.op_ids.iter().copied();
        ops.filter(|id| !conflict.is_about_facts() || waits(id)).collect()
    }

    /// The row with what waits beside a clash; none if that changes nothing, or the row is gone.
    fn with_waiting(&self, conflict: &Conflict) -> Option<Vec<Value>> {
        let record = self.record((conflict.table.name, conflict.record_id)).filter(|record| record.is_live())?;
        let client = conflict.client_data.as_ref().and_then(|data| values_of(conflict.table, data).ok())?;
        let mut values = record.values.clone();
        for field in conflict.clean.iter().filter_map(|path| conflict.table.field(path)) {
            values[field] = client[field].clone();
        }
        (values != record.values).then_some(values)
    }

    fn check_joined(&self, conflict: &Conflict, values: &[Value]) -> Result<(), SettleError> {
        let as_it_is = Decision {
            resolution: "server_wins",
            data: Map::new(),
            expected_server_version: conflict.server_version,
            rev: conflict.rev,
            reason: None,
        };
        self.check_row(conflict, values, false, &as_it_is)
    }

    /// Gives an op of a closed clash its final verdict.
    pub(super) fn finish_op(&mut self, op_id: OpId, verdict: Verdict, conflict: ConflictId, version: Option<Version>) {
        let (now, seq) = (self.now, self.clock);
        if let Some(op) = self.ops.get_mut(&op_id) {
            op.status = QueueStatus::Completed;
            op.verdict = Some(verdict);
            op.conflict_id = Some(conflict);
            op.result_version = version;
            op.result_seq = version.map(|_| seq);
            op.processed_at = Some(now);
            let record_id = op.record_id;
            self.journal.changed_ops.insert(op_id);
            self.waiters.come(op_id.0);
            if let Some(record_id) = record_id {
                self.waiters.come(record_id.0);
            }
        }
    }

    /// The values a set of ops asked for, by field: later ones replace earlier ones.
    pub(super) fn asked_fields(&self, table: &Table, op_id: OpId) -> Vec<(usize, Value)> {
        self.ops.get(&op_id).map_or_else(Vec::new, |op| fields_of(table, &op.data))
    }
}

/// Who wrote the newest of these fields; the row's last author where that is not kept.
pub(super) fn last_author(record: &Record, paths: &[String]) -> Option<PersonId> {
    let marks = paths.iter().filter_map(|path| record.provenance.get(path));
    marks.max_by_key(|mark| mark.version).map_or(record.updated_by, |mark| mark.by)
}

pub(super) fn paths(table: &Table, fields: &[usize]) -> Vec<String> {
    fields.iter().map(|field| table.fields[*field].path.to_owned()).collect()
}

pub(super) fn known_data(table: &Table, view: &AuthorView) -> Option<Map<String, Json>> {
    if view.values.iter().all(|value| value.as_ref().is_none_or(Value::is_null)) {
        return None;
    }
    let known: Vec<Value> = view.values.iter().map(|value| value.clone().unwrap_or(Value::Null)).collect();
    let mut data = data_of(table, &known, ReadClass::Office);
    data.retain(|name, _| {
        let column = table.column(name).expect("data has the table's columns");
        column.fields.iter().any(|field| view.values[*field].is_some())
    });
    Some(data)
}

fn wanted_data(op: &Op, view: &AuthorView, desk: Option<&[Value]>) -> Map<String, Json> {
    let mut values: Vec<Value> = view
        .values
        .iter()
        .enumerate()
        .map(|(field, value)| value.clone().or_else(|| desk.map(|desk| desk[field].clone())).unwrap_or(Value::Null))
        .collect();
    for (field, value) in &op.patch {
        values[*field] = value.clone();
    }
    data_of(op.table, &values, ReadClass::Office)
}

/// What a decision speaks about: the disputed fields and those that wait with them, as a row has them, by path.
pub(super) fn decided_values(table: &Table, values: &[Value], conflict: &Conflict) -> Map<String, Json> {
    let all: Vec<String> = conflict.contested.iter().chain(&conflict.clean).cloned().collect();
    values_by_path(table, values, &all)
}
