//! A person decides a clash, takes the decision back, or its author speaks up (PROTOCOL.md §5).

use serde_json::{Map, Value as Json, json};

use super::review::decided_values;
use super::write::Draft;
use super::{Cause, Key, World};
use crate::actor::Actor;
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{ConflictId, OpId, Version};
use crate::op::Rejection;
use crate::queue::QueueStatus;
use crate::record::{Record, values_of};
use crate::schema::Table;
use crate::value::{Value, instant_text};

/// What a person decided.
#[derive(Debug, Clone)]
pub struct Decision {
    /// `client_wins`, `server_wins` or `manual`.
    pub resolution: &'static str,
    /// The values of `manual`, by path.
    pub data: Map<String, Json>,
    /// The version the decider saw.
    pub expected_server_version: Version,
    /// The clash's state the decider saw.
    pub rev: i64,
    /// Why.
    pub reason: Option<String>,
}

/// Why a decision, an undo or a word on it was not accepted. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleError {
    /// There is no such clash, or it is not the actor's.
    NotFound,
    /// It was decided, or closed otherwise.
    AlreadyResolved,
    /// What the person saw has moved on.
    Moved,
    /// It is not in a state this can be done to.
    NotPossible(&'static str),
    /// The values break a rule.
    Invalid(Rejection),
}

impl From<Rejection> for SettleError {
    fn from(rejection: Rejection) -> Self {
        Self::Invalid(rejection)
    }
}

/// Unique values that a decision takes from another row.
struct Taken {
    record: Record,
    fields: Vec<usize>,
}

/// The row as a decision makes it.
struct Outcome {
    values: Vec<Value>,
    deleted: bool,
}

impl World {
    /// Decides an open clash: writes a new version with the decider as author and answers its ops. An error leaves
    /// everything as it was.
    pub fn resolve(&mut self, decider: &Actor, id: ConflictId, decision: &Decision) -> Result<(), SettleError> {
        let conflict = self.conflicts.get(&id).cloned().ok_or(SettleError::NotFound)?;
        if conflict.status != ConflictStatus::Open {
            return Err(SettleError::AlreadyResolved);
        }
        let version = self.main_version(&conflict).unwrap_or(Version(0));
        if decision.rev != conflict.rev || decision.expected_server_version > version {
            return Err(SettleError::Moved);
        }
        self.attempt(|world| world.settle(decider, conflict, decision))?;
        self.decide_waiters();
        Ok(())
    }

    fn settle(&mut self, decider: &Actor, mut conflict: Conflict, decision: &Decision) -> Result<(), SettleError> {
        let cause = Cause::of(decider, Some(conflict.queue_id), decision.reason.clone());
        let asked = conflict.clone();
        conflict.status = ConflictStatus::Resolved;
        conflict.resolution = Some(decision.resolution.to_owned());
        conflict.resolved_by = Some(decider.person);
        conflict.resolved_at = Some(self.now);
        conflict.reason.clone_from(&decision.reason);
        conflict.disagreement = None;
        self.conflicts.insert(conflict.id, conflict.clone());
        self.journal.conflicts.insert(conflict.id);
        let before = if asked.is_about_weights() {
            self.settle_weights(&asked, decider, decision, &cause)?
        } else if asked.parts.is_empty() {
            self.settle_row(&asked, decision, &cause)?
        } else {
            self.settle_parts(&asked, decision, &cause)?
        };
        self.close(conflict, decider, decision, &before, &cause);
        Ok(())
    }

    /// Writes what was decided about one row. Answers what an undo must bring back.
    pub(super) fn settle_row(
        &mut self,
        conflict: &Conflict,
        decision: &Decision,
        cause: &Cause,
    ) -> Result<Json, SettleError> {
        if let Some(same) = decision.data.get("same_as") {
            return self.settle_same(conflict, decision, same, cause);
        }
        let key = (conflict.table.name, conflict.record_id);
        let (decision, other) = self.with_other_data(conflict, decision, cause)?;
        let record = self.records.get(&key).cloned();
        let outcome = self.outcome(conflict, record.as_ref(), &decision)?;
        let taken = self.taken_from(conflict, &decision, &outcome.values);
        let mut before = snapshot_before(conflict, record.as_ref(), taken.as_ref());
        if let Some(other) = other {
            before["other_was"] = other;
        }
        before["deleted_after"] = Json::Bool(outcome.deleted);
        if let Some(taken) = taken {
            self.give_up(&taken, cause);
        }
        self.write_outcome(key, outcome, record.as_ref(), cause);
        Ok(before)
    }

    fn outcome(
        &self,
        conflict: &Conflict,
        record: Option<&Record>,
        decision: &Decision,
    ) -> Result<Outcome, SettleError> {
        let table = conflict.table;
        let client = client_values(conflict);
        let mut values = record.map_or_else(|| with_defaults(table, &client), |record| record.values.clone());
        let manual = manual_values(table, conflict, decision)?;
        let lifecycle = conflict.kind.is_lifecycle();
        let wants_row = decision.resolution != "server_wins";
        let deleted = match conflict.kind {
            ConflictKind::DeleteUpdated => decision.resolution == "client_wins",
            // A card or rule that the desk does not take makes no row.
            ConflictKind::InsertInsert | ConflictKind::Rule => record.is_none() && !wants_row,
            ConflictKind::UniqueViolation => false,
            _ => record.is_none_or(|record| !record.is_live()) && !wants_row,
        };
        if conflict.kind != ConflictKind::DeleteUpdated && (wants_row || !lifecycle) {
            for path in conflict.clean.iter().chain(wants_client(conflict, decision)) {
                if let Some(field) = table.field(path) {
                    values[field] = client[field].clone();
                }
            }
        }
        if record.is_none() && conflict.kind == ConflictKind::UniqueViolation && !wants_row {
            for field in conflict.contested.iter().filter_map(|path| table.field(path)) {
                values[field] = Value::Null;
            }
        }
        for (field, value) in manual {
            values[field] = value;
        }
        self.check_row(conflict, &values, deleted, decision)?;
        Ok(Outcome { values, deleted })
    }

    /// A decision passes the same checks as any write: required values, uniqueness.
    fn check_row(
        &self,
        conflict: &Conflict,
        values: &[Value],
        deleted: bool,
        decision: &Decision,
    ) -> Result<(), SettleError> {
        let table = conflict.table;
        self.check_official(table, values)?;
        if deleted {
            return self.check_childless(conflict);
        }
        self.check_rows_exist(table, values)?;
        if let Some((from, to)) = crate::schema::crossed_range(table, values) {
            let (from, to) = (table.fields[from].path, table.fields[to].path);
            return Err(Rejection::of_field("out_of_range", to, format!("it must not lie before {from}")).into());
        }
        for (field, value) in table.fields.iter().zip(values) {
            if field.required && value.is_null() {
                return Err(Rejection::of_field("required", field.path, "a value is needed").into());
            }
        }
        for key in super::unique_keys(table, values) {
            let holder = self.holders.get(&key).filter(|holder| **holder != conflict.record_id);
            let is_freed = decision.resolution == "client_wins"
                && conflict.other_record_id.as_ref() == holder
                && can_be_freed(table, &key);
            if holder.is_some() && !(is_freed && conflict.kind == ConflictKind::UniqueViolation) {
                let path = table.fields[*table.uniques[key.1].fields.last().expect("a rule has fields")].path;
                return Err(Rejection::of_field("unique_violation", path, "another row has this value").into());
            }
        }
        Ok(())
    }

    /// Official results are refused to everybody until an admin reopens the class (rule C15).
    fn check_official(&self, table: &Table, values: &[Value]) -> Result<(), SettleError> {
        if table.name != "placings" {
            return Ok(());
        }
        let class = values[table.index("class_id")].as_id();
        let class = class.and_then(|id| self.records.get(&("classes", crate::ids::RecordId(id))));
        match class.filter(|class| !class.value("official_at").is_null()) {
            Some(_) => Err(Rejection::new("locked", "the class is official; an admin can reopen it").into()),
            None => Ok(()),
        }
    }

    fn check_childless(&self, conflict: &Conflict) -> Result<(), SettleError> {
        if self.has_live_children(conflict.table, conflict.record_id) {
            return Err(Rejection::new("has_children", "other rows still belong to it").into());
        }
        Ok(())
    }

    /// What `client_wins` on a uniqueness clash takes from the other row: only what it still holds and this row gets.
    fn taken_from(&self, conflict: &Conflict, decision: &Decision, values: &[Value]) -> Option<Taken> {
        let holder = conflict.other_record_id.filter(|_| decision.resolution == "client_wins")?;
        let record = self.records.get(&(conflict.table.name, holder)).filter(|record| record.is_live())?;
        let wanted = super::unique_keys(conflict.table, values);
        let held = super::unique_keys(conflict.table, &record.values);
        let shared = held.iter().filter(|key| wanted.contains(key));
        let fields = shared.flat_map(|key| conflict.table.uniques[key.1].fields.iter().copied());
        let fields: Vec<usize> = fields.filter(|field| !conflict.table.fields[*field].required).collect();
        (!fields.is_empty()).then(|| Taken { record: record.clone(), fields })
    }

    fn give_up(&mut self, taken: &Taken, cause: &Cause) {
        let mut values = taken.record.values.clone();
        for field in &taken.fields {
            values[*field] = Value::Null;
        }
        self.put(Draft { table: taken.record.table, id: taken.record.id, values, deleted: false }, cause);
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
            values[field] = conflict.table.fields[field].kind.decode(json).map_err(|_| SettleError::Moved)?;
        }
        Ok(Some(Draft { table: conflict.table, id: holder, values, deleted: false }))
    }

    fn write_outcome(&mut self, key: Key, outcome: Outcome, record: Option<&Record>, cause: &Cause) {
        let gone = record.is_none_or(|record| !record.is_live());
        if outcome.deleted && gone {
            return;
        }
        let table = crate::schema::known_table(key.0);
        self.put(Draft { table, id: key.1, values: outcome.values, deleted: outcome.deleted }, cause);
    }

    fn close(&mut self, mut conflict: Conflict, decider: &Actor, decision: &Decision, before: &Json, cause: &Cause) {
        let values = self.decided(&conflict);
        let version = self.main_version(&conflict);
        conflict.server_version = version.unwrap_or(Version(0));
        conflict.result_version = version;
        conflict.resolved_data = Some(values.clone());
        conflict.decisions.push(json!({
            "resolution": decision.resolution,
            "by": decider.person,
            "by_name": decider.person_name,
            "at": instant_text(self.now),
            "reason": decision.reason,
            "values": values,
            "result_version": version,
            "before": before,
        }));
        let (id, op_ids, stands) = (conflict.id, conflict.op_ids.clone(), conflict.is_about_facts());
        self.change_conflict(conflict, cause);
        // A fact was written when it came; only entries that waited get their verdict now.
        for op_id in op_ids.into_iter().filter(|_| !stands) {
            let (verdict, version) = self.verdict_after(op_id);
            self.finish_op(op_id, verdict, id, version);
        }
    }

    /// What the decision speaks about, as the rows have it now; by row for a group.
    fn decided(&self, conflict: &Conflict) -> Map<String, Json> {
        let of_row = |conflict: &Conflict| {
            let record = self.record((conflict.table.name, conflict.record_id));
            record.map(|record| decided_values(conflict.table, &record.values, conflict)).unwrap_or_default()
        };
        if conflict.parts.is_empty() {
            return of_row(conflict);
        }
        let of_part = |part| (conflict.of_part(part), Json::Object(of_row(&conflict.of_part(part))));
        conflict.parts.iter().map(of_part).map(|(part, values)| (part.record_id.to_string(), values)).collect()
    }

    /// `merged` if something of an op stands, else `noop`; and the version of its row.
    fn verdict_after(&self, op_id: OpId) -> (&'static str, Option<Version>) {
        let Some(op) = self.ops.get(&op_id) else { return ("noop", None) };
        let Some(table) = crate::schema::table(&op.table_name) else { return ("noop", None) };
        let id = op.record_id.map(|id| self.alias((table.name, id)).unwrap_or(id));
        let record = id.and_then(|id| self.record((table.name, id)));
        let asked = self.asked_fields(table, op_id);
        let stands = record.is_some_and(|record| {
            record.is_live() && asked.iter().any(|(field, value)| record.values[*field] == *value)
        });
        let is_gone = op.operation == "delete" && record.is_some_and(|record| !record.is_live());
        (if stands || is_gone { "merged" } else { "noop" }, record.map(|record| record.version))
    }

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
            self.unsettle_weights(&before, actor, &cause)?;
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
            let (values, deleted) = values_before(record, before, decided);
            let wanted = super::unique_keys(conflict.table, &values);
            let is_taken =
                |key: &super::UniqueKey| self.holders.get(key).is_some_and(|holder| *holder != conflict.record_id);
            if !deleted && wanted.iter().any(is_taken) {
                return Err(SettleError::Moved);
            }
            if deleted && record.is_live() {
                self.check_childless(conflict)?;
            }
            if record.is_live() || !deleted {
                self.put(Draft { table: conflict.table, id: conflict.record_id, values, deleted }, cause);
            }
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
        Ok(())
    }

    /// One of the two authors disagrees: the clash is open again, the decided value stays in force.
    pub fn disagree(&mut self, author: &Actor, id: ConflictId, note: Option<&str>) -> Result<(), SettleError> {
        let may_speak = |conflict: &&Conflict| {
            conflict.device_id == author.device || conflict.server_user_id == Some(author.person)
        };
        let mut conflict = self.conflicts.get(&id).filter(may_speak).cloned().ok_or(SettleError::NotFound)?;
        if conflict.status != ConflictStatus::Resolved {
            return Err(SettleError::NotPossible("only a decision can be disagreed with"));
        }
        conflict.disagreement = Some(json!({
            "note": note, "by": { "id": author.person, "name": author.person_name }, "at": instant_text(self.now),
        }));
        let cause = Cause::of(author, Some(conflict.queue_id), None);
        self.reopen(conflict, &cause);
        Ok(())
    }

    /// The author takes an entry back that waits for a decision: nothing of it is written.
    pub fn withdraw(&mut self, author: &Actor, id: ConflictId) -> Result<(), SettleError> {
        let own = |conflict: &&Conflict| conflict.device_id == author.device;
        let mut conflict = self.conflicts.get(&id).filter(own).cloned().ok_or(SettleError::NotFound)?;
        match conflict.status {
            ConflictStatus::Open => {}
            ConflictStatus::Withdrawn => return Ok(()),
            _ => return Err(SettleError::AlreadyResolved),
        }
        conflict.status = ConflictStatus::Withdrawn;
        conflict.resolved_at = Some(self.now);
        let (op_ids, is_fact) = (conflict.op_ids.clone(), conflict.is_about_facts());
        let is_weight = conflict.is_about_weights();
        let cause = Cause::of(author, Some(conflict.queue_id), None);
        self.change_conflict(conflict, &cause);
        for op_id in op_ids {
            if is_weight {
                self.void_own(op_id, author, &cause);
            } else if !is_fact {
                self.finish_op(op_id, "noop", id, None);
            }
        }
        self.decide_waiters();
        Ok(())
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
        if conflict.kind != ConflictKind::UniqueViolation {
            conflict.server_data =
                record.filter(|record| record.is_live()).map(|record| record.data(crate::actor::ReadClass::Office));
        }
        conflict.parts = conflict.parts.iter().map(|part| self.as_it_is(part)).collect();
        let (id, op_ids, is_fact) = (conflict.id, conflict.op_ids.clone(), conflict.is_about_facts());
        let is_group = !conflict.parts.is_empty();
        self.change_conflict(conflict, cause);
        for (place, op_id) in op_ids.into_iter().enumerate().filter(|_| !is_fact) {
            if let Some(op) = self.ops.get_mut(&op_id) {
                op.status = QueueStatus::Conflict;
                op.verdict = Some(if place == 0 || is_group { "conflict" } else { "held" }.to_owned());
                op.conflict_id = Some(id);
                op.result_version = None;
                op.result_seq = None;
                self.journal.changed_ops.insert(op_id);
            }
        }
    }
}

/// A row that is made by a decision gets what an insert gets.
fn with_defaults(table: &Table, client: &[Value]) -> Vec<Value> {
    let default = |(index, value): (usize, &Value)| {
        if value.is_null() { table.fields[index].default.clone() } else { value.clone() }
    };
    client.iter().enumerate().map(default).collect()
}

fn client_values(conflict: &Conflict) -> Vec<Value> {
    let client = conflict.client_data.as_ref().and_then(|data| values_of(conflict.table, data).ok());
    client.unwrap_or_else(|| vec![Value::Null; conflict.table.fields.len()])
}

/// Whether a row can live without one of the values of a uniqueness rule.
fn can_be_freed(table: &Table, key: &super::UniqueKey) -> bool {
    table.uniques[key.1].fields.iter().any(|field| !table.fields[*field].required)
}

/// The contested fields that take the phone's value.
fn wants_client<'a>(conflict: &'a Conflict, decision: &Decision) -> &'a [String] {
    let lifecycle = conflict.kind.is_lifecycle();
    match decision.resolution {
        "client_wins" => &conflict.contested,
        "manual" if lifecycle => &conflict.contested,
        _ => &[],
    }
}

fn manual_values(table: &Table, conflict: &Conflict, decision: &Decision) -> Result<Vec<(usize, Value)>, Rejection> {
    if decision.resolution != "manual" {
        return if decision.data.is_empty() {
            Ok(Vec::new())
        } else {
            Err(Rejection::new("unknown_field", "values go with the resolution manual only"))
        };
    }
    let mut values = Vec::new();
    for (path, json) in &decision.data {
        let known = conflict.contested.contains(path) || conflict.clean.contains(path);
        let Some(field) = table.field(path).filter(|_| known) else {
            return Err(Rejection::of_field("unknown_field", path, "this field is not part of the decision"));
        };
        let value = table.fields[field].kind.decode(json);
        let value = value.map_err(|error| Rejection::of_field(error.code, path, error.detail))?;
        if value.is_null() && table.fields[field].required {
            return Err(Rejection::of_field("required", path, "a value is needed"));
        }
        values.push((field, value));
    }
    let missing = conflict.contested.iter().find(|path| !decision.data.contains_key(*path));
    if let Some(path) = missing.filter(|_| !conflict.kind.is_lifecycle()) {
        return Err(Rejection::of_field("required", path, "a value is needed"));
    }
    Ok(values)
}

/// What an undo must bring back, in this row and in the one that values were taken from.
fn snapshot_before(conflict: &Conflict, record: Option<&Record>, taken: Option<&Taken>) -> Json {
    let values = record.map(|record| decided_values(conflict.table, &record.values, conflict));
    let other = taken.map(|taken| {
        let value =
            |field: &usize| (taken.record.table.fields[*field].path.to_owned(), taken.record.values[*field].to_json());
        Json::Object(taken.fields.iter().map(value).collect())
    });
    json!({ "deleted": record.is_none_or(|record| !record.is_live()), "values": values, "other": other })
}

/// The row as it was before a decision. A joined field that somebody has changed since keeps its new value.
fn values_before(record: &Record, before: &Json, decided: &Map<String, Json>) -> (Vec<Value>, bool) {
    let mut values = record.values.clone();
    let fields = before.get("values").and_then(Json::as_object);
    for (path, json) in fields.into_iter().flatten() {
        if let Some(field) = record.table.field(path)
            && decided.get(path) == Some(&values[field].to_json())
            && let Ok(value) = record.table.fields[field].kind.decode(json)
        {
            values[field] = value;
        }
    }
    (values, before.get("deleted").and_then(Json::as_bool).unwrap_or(false))
}
