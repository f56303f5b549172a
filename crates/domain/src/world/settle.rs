//! A person decides a clash, takes the decision back, or its author speaks up (PROTOCOL.md §5).

use serde_json::{Map, Value as Json, json};

use super::review::decided_values;
use super::write::Draft;
use super::{Cause, Key, World};
use crate::actor::Actor;
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{ConflictId, Version};
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
    /// Decides an open clash: writes a new version with the decider as author and answers its ops.
    pub fn resolve(&mut self, decider: &Actor, id: ConflictId, decision: &Decision) -> Result<(), SettleError> {
        let mut conflict = self.conflicts.get(&id).cloned().ok_or(SettleError::NotFound)?;
        if conflict.status != ConflictStatus::Open {
            return Err(SettleError::AlreadyResolved);
        }
        let key = (conflict.table.name, conflict.record_id);
        let record = self.records.get(&key).cloned();
        let version = record.as_ref().map_or(Version(0), |record| record.version);
        if decision.rev != conflict.rev || decision.expected_server_version > version {
            return Err(SettleError::Moved);
        }
        let outcome = self.outcome(&conflict, record.as_ref(), decision)?;
        let cause = Cause::of(decider, Some(conflict.queue_id), decision.reason.clone());
        let other = self.taken_from(&conflict, decision, &outcome.values);
        let before = snapshot_before(&conflict, record.as_ref(), other.as_ref());
        conflict.status = ConflictStatus::Resolved;
        conflict.resolution = Some(decision.resolution.to_owned());
        conflict.resolved_by = Some(decider.person);
        conflict.resolved_at = Some(self.now);
        conflict.reason.clone_from(&decision.reason);
        conflict.disagreement = None;
        self.conflicts.insert(id, conflict.clone());
        self.journal.conflicts.insert(id);
        if let Some(taken) = other {
            self.give_up(&taken, &cause);
        }
        let written = self.write_outcome(key, outcome, record.as_ref(), &cause);
        self.close(conflict, decider, decision, &before, written, &cause);
        Ok(())
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
        let (Some(holder), Some(taken)) = (conflict.other_record_id, before.get("other").and_then(Json::as_object))
        else {
            return Ok(None);
        };
        let record = self.records.get(&(conflict.table.name, holder)).filter(|record| record.is_live());
        let record = record.ok_or(SettleError::Moved)?;
        let mut values = record.values.clone();
        for (path, json) in taken {
            let Some(field) = conflict.table.field(path) else { continue };
            if !values[field].is_null() {
                return Err(SettleError::Moved);
            }
            values[field] = conflict.table.fields[field].kind.decode(json).map_err(|_| SettleError::Moved)?;
        }
        Ok(Some(Draft { table: conflict.table, id: holder, values, deleted: false }))
    }

    fn write_outcome(&mut self, key: Key, outcome: Outcome, record: Option<&Record>, cause: &Cause) -> Option<Version> {
        let gone = record.is_none_or(|record| !record.is_live());
        if outcome.deleted && gone {
            return record.map(|record| record.version);
        }
        let table = crate::schema::known_table(key.0);
        let draft = Draft { table, id: key.1, values: outcome.values, deleted: outcome.deleted };
        Some(self.put(draft, cause).0)
    }

    fn close(
        &mut self,
        mut conflict: Conflict,
        decider: &Actor,
        decision: &Decision,
        before: &Json,
        version: Option<Version>,
        cause: &Cause,
    ) {
        let key = (conflict.table.name, conflict.record_id);
        let record = self.records.get(&key).cloned();
        let values =
            record.as_ref().map(|record| decided_values(conflict.table, &record.values, &conflict)).unwrap_or_default();
        conflict.server_version = record.as_ref().map_or(Version(0), |record| record.version);
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
        let (id, op_ids) = (conflict.id, conflict.op_ids.clone());
        let table = conflict.table;
        self.change_conflict(conflict, cause);
        for op_id in op_ids {
            let stands = record.as_ref().is_some_and(|record| {
                let asked = self.asked_fields(table, op_id);
                record.is_live() && asked.iter().any(|(field, value)| record.values[*field] == *value)
            });
            let deleted_as_asked = self.ops.get(&op_id).is_some_and(|op| op.operation == "delete")
                && record.as_ref().is_some_and(|record| !record.is_live());
            let verdict = if stands || deleted_as_asked { "merged" } else { "noop" };
            self.finish_op(op_id, verdict, id, version);
        }
    }

    /// Takes a decision back: a compensating version, and the clash is open again.
    pub fn undo(&mut self, actor: &Actor, id: ConflictId, reason: Option<&str>) -> Result<(), SettleError> {
        let mut conflict = self.conflicts.get(&id).cloned().ok_or(SettleError::NotFound)?;
        if conflict.status != ConflictStatus::Resolved {
            return Err(SettleError::NotPossible("only a decision can be undone"));
        }
        let key = (conflict.table.name, conflict.record_id);
        let record = self.records.get(&key).cloned();
        let decided = conflict.resolved_data.clone().unwrap_or_default();
        let before = conflict.decisions.last().and_then(|decision| decision.get("before")).cloned().unwrap_or_default();
        self.check_undo(&conflict, record.as_ref(), &decided)?;
        let given_back = self.given_back(&conflict, &before)?;
        let cause = Cause::of(actor, Some(conflict.queue_id), reason.map(str::to_owned));
        if let Some(record) = &record {
            let (values, deleted) = values_before(record, &before, &decided);
            let wanted = super::unique_keys(conflict.table, &values);
            let is_taken =
                |key: &super::UniqueKey| self.holders.get(key).is_some_and(|holder| *holder != conflict.record_id);
            if !deleted && wanted.iter().any(is_taken) {
                return Err(SettleError::Moved);
            }
            if deleted && record.is_live() {
                self.check_childless(&conflict)?;
            }
            if record.is_live() || !deleted {
                self.put(Draft { table: conflict.table, id: conflict.record_id, values, deleted }, &cause);
            }
        }
        if let Some(draft) = given_back {
            self.put(draft, &cause);
        }
        if let Some(Json::Object(decision)) = conflict.decisions.last_mut() {
            decision.insert("undone_at".to_owned(), Json::String(instant_text(self.now)));
            decision.insert("undone_by".to_owned(), json!({ "id": actor.person, "name": actor.person_name }));
            decision.insert("undo_reason".to_owned(), json!(reason));
        }
        self.reopen(conflict, &cause);
        Ok(())
    }

    /// An undo needs the disputed fields to hold what the decision wrote.
    fn check_undo(
        &self,
        conflict: &Conflict,
        record: Option<&Record>,
        decided: &Map<String, Json>,
    ) -> Result<(), SettleError> {
        let Some(record) = record else { return Ok(()) };
        self.check_official(conflict.table, &record.values)?;
        let resolution = conflict.resolution.as_deref();
        let is_deletion = conflict.kind == ConflictKind::DeleteUpdated && resolution == Some("client_wins");
        let stayed_deleted = conflict.kind.is_lifecycle()
            && conflict.kind != ConflictKind::DeleteUpdated
            && resolution == Some("server_wins");
        let holds = |path: &String| {
            let present = conflict.table.field(path).map(|field| record.values[field].to_json());
            present.as_ref() == decided.get(path)
        };
        if record.is_live() == (is_deletion || stayed_deleted) || !conflict.contested.iter().all(holds) {
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
        let op_ids = conflict.op_ids.clone();
        self.change_conflict(conflict, &Cause::of(author, None, None));
        for op_id in op_ids {
            self.finish_op(op_id, "noop", id, None);
        }
        Ok(())
    }

    fn reopen(&mut self, mut conflict: Conflict, cause: &Cause) {
        let key = (conflict.table.name, conflict.record_id);
        let record = self.records.get(&key);
        conflict.status = ConflictStatus::Open;
        conflict.rev += 1;
        conflict.resolution = None;
        conflict.resolved_data = None;
        conflict.resolved_by = None;
        conflict.resolved_at = None;
        conflict.result_version = None;
        conflict.server_version = record.map_or(Version(0), |record| record.version);
        if conflict.kind != ConflictKind::UniqueViolation {
            conflict.server_data =
                record.filter(|record| record.is_live()).map(|record| record.data(crate::actor::ReadClass::Office));
        }
        let (id, op_ids) = (conflict.id, conflict.op_ids.clone());
        self.change_conflict(conflict, cause);
        for (place, op_id) in op_ids.into_iter().enumerate() {
            if let Some(op) = self.ops.get_mut(&op_id) {
                op.status = QueueStatus::Conflict;
                op.verdict = Some(if place == 0 { "conflict" } else { "held" }.to_owned());
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
