//! A decision is taken back, its author disagrees, or an entry is withdrawn (PROTOCOL.md §5).

use serde_json::{Map, Value as Json, json};

use super::settle::SettleError;
use super::write::Draft;
use super::{Cause, World};
use crate::actor::{Actor, ReadClass};
use crate::conflict::{Conflict, ConflictKind, ConflictStatus, Part};
use crate::ids::{ConflictId, OpId, Version};
use crate::permit::{self, Action, Resource};
use crate::queue::{QueueStatus, Verdict};
use crate::record::{Record, values_of};
use crate::schema::Policy;
use crate::value::{Value, instant_text};

impl World {
    /// Takes a decision back: a compensating version, and the clash is open again. An error leaves everything as it was.
    pub fn undo(&mut self, actor: &Actor, id: ConflictId, reason: Option<&str>) -> Result<(), SettleError> {
        let conflict = self.conflicts.get(&id).cloned().ok_or(SettleError::NotFound)?;
        if conflict.status != ConflictStatus::Resolved {
            return Err(SettleError::NotPossible("only a decision can be undone"));
        }
        self.attempt(|world| world.unsettle(actor, conflict, reason))?;
        self.decide_waiters();
        Ok(())
    }

    fn unsettle(&mut self, actor: &Actor, mut conflict: Conflict, reason: Option<&str>) -> Result<(), SettleError> {
        let cause = Cause::of(actor, Some(conflict.queue_id), reason.map(str::to_owned));
        let decided = conflict.resolved_data.clone().unwrap_or_default();
        let before = conflict.decisions.last().and_then(|decision| decision.get("before")).cloned().unwrap_or_default();
        if conflict.is_about_weights() {
            self.unsettle_weights(&conflict, &before, actor, &cause)?;
        } else if conflict.parts.is_empty() {
            self.unsettle_row(&conflict, &before, &decided, &cause)?;
        } else {
            self.unsettle_parts(&conflict, &before, &decided, &cause)?;
        }
        if let Some(Json::Object(decision)) = conflict.decisions.last_mut() {
            decision.insert("undone_at".to_owned(), Json::String(instant_text(self.now)));
            decision.insert("undone_by".to_owned(), json!({ "id": actor.person, "name": actor.person_name }));
            decision.insert("undo_reason".to_owned(), json!(reason));
        }
        self.wait_again(&mut conflict);
        self.reopen(conflict, &cause);
        Ok(())
    }

    /// Takes back what was decided about one row.
    pub(super) fn unsettle_row(
        &mut self,
        conflict: &Conflict,
        before: &Json,
        decided: &Map<String, Json>,
        cause: &Cause,
    ) -> Result<(), SettleError> {
        if before.get("same_as").is_some() {
            return self.unsettle_same(conflict, before, cause);
        }
        let record = self.record((conflict.table.name, conflict.record_id)).cloned();
        self.check_undo(conflict, record.as_ref(), before, decided)?;
        let given_back = self.given_back(conflict, before)?;
        if let Some(record) = &record {
            let (mut values, mut deleted) = values_before(record, before, decided);
            if deleted && record.is_live() && self.has_live_children(conflict.table, conflict.record_id) {
                values = without_contested(conflict, record).ok_or(SettleError::Moved)?;
                deleted = false;
            }
            let wanted = super::unique_keys(conflict.table, &values);
            let is_taken =
                |key: &super::UniqueKey| self.holders.get(key).is_some_and(|holder| *holder != conflict.record_id);
            if !deleted && wanted.iter().any(is_taken) {
                return Err(SettleError::Moved);
            }
            let comes_back = !deleted && !record.is_live();
            if comes_back && self.check_rows_exist((conflict.table.name, conflict.record_id), &values, None).is_err() {
                return Err(SettleError::Moved);
            }
            self.put(Draft { table: conflict.table, id: conflict.record_id, values, deleted }, cause);
        }
        if let Some(draft) = given_back {
            self.put(draft, cause);
        }
        Ok(())
    }

    /// An undo needs the disputed fields to hold what the decision wrote, and the row to be as alive as it left it.
    fn check_undo(
        &self,
        conflict: &Conflict,
        record: Option<&Record>,
        before: &Json,
        decided: &Map<String, Json>,
    ) -> Result<(), SettleError> {
        let Some(record) = record else { return Ok(()) };
        self.check_official(conflict.table, &record.values)?;
        let was_deleted = before.get("deleted_after").and_then(Json::as_bool).unwrap_or(false);
        let holds = |path: &String| {
            let present = conflict.table.field(path).map(|field| record.values[field].to_json());
            present.as_ref() == decided.get(path)
        };
        if record.is_live() == was_deleted || !conflict.contested.iter().all(holds) {
            return Err(SettleError::Moved);
        }
        // A row that the decision made goes with it, but not what others have written to it since.
        let made = before.get("made").and_then(Json::as_object).and_then(|made| values_of(conflict.table, made).ok());
        let is_edited = |made: Vec<Value>| {
            let fields = conflict.table.fields.iter().enumerate();
            let mut own = fields.filter(|(_, field)| field.policy != Policy::Derived);
            own.any(|(index, _)| made[index] != record.values[index])
        };
        if made.is_some_and(is_edited) {
            return Err(SettleError::Moved);
        }
        Ok(())
    }

    /// One of the two authors disagrees: the clash is open again, the decided value stays in force.
    pub fn disagree(&mut self, author: &Actor, id: ConflictId, note: Option<&str>) -> Result<(), SettleError> {
        let mut conflict = self.own_clash(author, Action::DisagreeWithClash, id)?;
        if conflict.status != ConflictStatus::Resolved {
            return Err(SettleError::NotPossible("only a decision can be disagreed with"));
        }
        conflict.disagreement = Some(json!({
            "note": note, "by": { "id": author.person, "name": author.person_name }, "at": instant_text(self.now),
        }));
        let cause = Cause::of(author, Some(conflict.queue_id), None);
        self.wait_again(&mut conflict);
        self.reopen(conflict, &cause);
        Ok(())
    }

    /// The author takes an entry back that waits for a decision: nothing of it is written.
    pub fn withdraw(&mut self, author: &Actor, id: ConflictId) -> Result<(), SettleError> {
        let mut conflict = self.own_clash(author, Action::AnswerClash, id)?;
        match conflict.status {
            ConflictStatus::Open => {}
            ConflictStatus::Withdrawn => return Ok(()),
            _ => return Err(SettleError::AlreadyResolved),
        }
        conflict.status = ConflictStatus::Withdrawn;
        conflict.resolved_at = Some(self.now);
        let waiting = self.covered(&conflict);
        let facts: Vec<OpId> = conflict.op_ids.iter().copied().filter(|op_id| !waiting.contains(op_id)).collect();
        let is_weight = conflict.is_about_weights();
        let cause = Cause::of(author, Some(conflict.queue_id), None);
        self.change_conflict(conflict, &cause);
        for op_id in facts.into_iter().filter(|_| is_weight) {
            self.void_own(op_id, author, &cause);
        }
        for op_id in waiting {
            self.finish_op(op_id, Verdict::Noop, id, None);
        }
        self.decide_waiters();
        Ok(())
    }

    /// A clash that the author may do this with; another one is answered as if it were not there.
    fn own_clash(&self, author: &Actor, action: Action, id: ConflictId) -> Result<Conflict, SettleError> {
        let may = |conflict: &&Conflict| {
            let clash = Resource::Clash { device: conflict.device_id, server_person: conflict.server_user_id };
            permit::authorize(author, action, &clash).is_ok()
        };
        self.conflicts.get(&id).filter(may).cloned().ok_or(SettleError::NotFound)
    }

    pub(super) fn reopen(&mut self, mut conflict: Conflict, cause: &Cause) {
        let key = (conflict.table.name, conflict.record_id);
        let record = self.records.get(&key);
        conflict.status = ConflictStatus::Open;
        conflict.rev += 1;
        conflict.resolution = None;
        conflict.resolved_data = None;
        conflict.resolved_by = None;
        conflict.resolved_at = None;
        conflict.result_version = None;
        conflict.bulk_id = None;
        conflict.server_version = record.map_or(Version(0), |record| record.version);
        conflict.server_data = record.filter(|record| record.is_live()).map(|record| record.data(ReadClass::Office));
        if conflict.kind == ConflictKind::UniqueViolation && conflict.parts.is_empty() {
            let holder = self.present_holder(&conflict);
            conflict.server_data = holder.map(|holder| holder.data(ReadClass::Office));
            conflict.other_record_id = holder.map(|holder| holder.id);
        }
        let parts = conflict.parts.iter().map(|part| {
            let other_record_id = self.present_holder(&conflict.of_part(part)).map(|holder| holder.id);
            Part { other_record_id, ..self.as_it_is(part) }
        });
        conflict.parts = parts.collect();
        if conflict.kind == ConflictKind::UniqueViolation && !conflict.parts.is_empty() {
            conflict.other_record_id = conflict.parts.iter().find_map(|part| part.other_record_id);
        }
        if conflict.is_about_weights() {
            self.show_phones_weight(&mut conflict);
        }
        let (id, op_ids, first) = (conflict.id, self.covered(&conflict), conflict.op_ids.first().copied());
        let is_group = !conflict.parts.is_empty();
        self.change_conflict(conflict, cause);
        for op_id in op_ids {
            if let Some(op) = self.ops.get_mut(&op_id) {
                op.status = QueueStatus::Conflict;
                op.verdict = Some(if first == Some(op_id) || is_group { Verdict::Conflict } else { Verdict::Held });
                op.conflict_id = Some(id);
                op.result_version = None;
                op.result_seq = None;
                self.journal.changed_ops.insert(op_id);
            }
        }
    }

    /// The row that has now what is disputed: of two rows that want one value the other one.
    fn present_holder(&self, conflict: &Conflict) -> Option<&Record> {
        let client = conflict.client_data.as_ref().and_then(|data| values_of(conflict.table, data).ok())?;
        let is_disputed =
            |field: &usize| conflict.contested.iter().any(|path| path == conflict.table.fields[*field].path);
        let wanted = super::unique_keys(conflict.table, &client).into_iter();
        let wanted = wanted.filter(|key| conflict.table.uniques[key.1].fields.iter().any(is_disputed));
        let holders = wanted.filter_map(|key| self.holders.get(&key).copied());
        let holder = holders.into_iter().find(|holder| *holder != conflict.record_id)?;
        self.record((conflict.table.name, holder))
    }

    /// Gives the other row back what a decision took from it. `Moved` if it has got a new value since.
    fn given_back(&self, conflict: &Conflict, before: &Json) -> Result<Option<Draft>, SettleError> {
        let changed = before.get("other_was");
        let part = |name: &str| changed.and_then(|changed| changed.get(name)).and_then(Json::as_object);
        let taken = before.get("other").and_then(Json::as_object).or(part("was"));
        let (Some(holder), Some(taken)) = (conflict.other_record_id, taken) else { return Ok(None) };
        let is_as_left = |path: &String, value: &Value| {
            part("now").map_or(value.is_null(), |now| now.get(path) == Some(&value.to_json()))
        };
        let record = self.records.get(&(conflict.table.name, holder)).filter(|record| record.is_live());
        let record = record.ok_or(SettleError::Moved)?;
        let mut values = record.values.clone();
        for (path, json) in taken {
            let Some(field) = conflict.table.field(path) else { continue };
            if !is_as_left(path, &values[field]) {
                return Err(SettleError::Moved);
            }
            let before = conflict.table.fields[field].kind.decode_stored(json);
            values[field] = before.map_err(|_| SettleError::Moved)?;
        }
        Ok(Some(Draft { table: conflict.table, id: holder, values, deleted: false }))
    }
}

/// A row that a decision made and that others belong to by now stays, without what is disputed; none if it cannot be
/// without that, or nothing of it is.
fn without_contested(conflict: &Conflict, record: &Record) -> Option<Vec<Value>> {
    let fields: Option<Vec<usize>> = conflict.contested.iter().map(|path| conflict.table.field(path)).collect();
    let fields = fields.filter(|fields| !fields.is_empty())?;
    let mut values = record.values.clone();
    for field in fields {
        if conflict.table.fields[field].required {
            return None;
        }
        values[field] = Value::Null;
    }
    Some(values)
}

/// The row as it was before a decision. A joined field that somebody has changed since keeps its new value.
fn values_before(record: &Record, before: &Json, decided: &Map<String, Json>) -> (Vec<Value>, bool) {
    let mut values = record.values.clone();
    let fields = before.get("values").and_then(Json::as_object);
    for (path, json) in fields.into_iter().flatten() {
        if let Some(field) = record.table.field(path)
            && decided.get(path) == Some(&values[field].to_json())
            && let Ok(value) = record.table.fields[field].kind.decode_stored(json)
        {
            values[field] = value;
        }
    }
    (values, before.get("deleted").and_then(Json::as_bool).unwrap_or(false))
}
