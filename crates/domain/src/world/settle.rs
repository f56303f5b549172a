//! A person decides a clash, takes the decision back, or its author speaks up (PROTOCOL.md §5).

use serde_json::{Map, Value as Json, json};

use super::review::decided_values;
use super::write::Draft;
use super::{Cause, Key, World};
use crate::actor::{Actor, ReadClass};
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{ConflictId, OpId, Version};
use crate::op::{Op, Operation, Rejection, natural_id_of};
use crate::queue::Verdict;
use crate::record::{Record, values_of};
use crate::schema::{Policy, Table};
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

impl Decision {
    pub(super) fn is_for_desk(&self) -> bool {
        self.resolution == "server_wins"
    }
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
        if decision.rev != conflict.rev || self.has_overtaken(&conflict, decision) {
            return Err(SettleError::Moved);
        }
        self.attempt(|world| world.settle(decider, conflict, decision))?;
        self.decide_waiters();
        Ok(())
    }

    fn settle(&mut self, decider: &Actor, mut conflict: Conflict, decision: &Decision) -> Result<(), SettleError> {
        let cause = Cause::of(decider, Some(conflict.queue_id), decision.reason.clone());
        conflict.parts = conflict.parts.iter().map(|part| self.with_holder(part)).collect();
        let asked = conflict.clone();
        conflict.status = ConflictStatus::Resolved;
        conflict.resolution = Some(decision.resolution.to_owned());
        conflict.resolved_by = Some(decider.person);
        conflict.resolved_at = Some(self.now);
        conflict.reason.clone_from(&decision.reason);
        conflict.disagreement = None;
        self.keep_conflict(conflict.clone());
        self.journal.conflicts.insert(conflict.id);
        let before = if asked.is_about_weights() {
            self.settle_weights(&asked, decider, decision, &cause)?
        } else if asked.parts.is_empty() {
            let was = self.live_row_of(&asked).map(|record| record.values.clone());
            let before = self.settle_row(&asked, decider, decision, decision.is_for_desk(), &cause)?;
            self.check_placing(&asked, was.as_deref())?;
            before
        } else {
            self.settle_parts(&asked, decider, decision, &cause)?
        };
        self.close(conflict, decider, decision, &before, &cause);
        Ok(())
    }

    /// Writes what was decided about one row; `leaves_locked` leaves out what is locked, instead of refusing it. Answers
    /// what an undo must bring back.
    pub(super) fn settle_row(
        &mut self,
        conflict: &Conflict,
        decider: &Actor,
        decision: &Decision,
        leaves_locked: bool,
        cause: &Cause,
    ) -> Result<Json, SettleError> {
        if let Some(same) = decision.data.get("same_as") {
            return self.settle_same(conflict, decision, same, cause);
        }
        let key = (conflict.table.name, conflict.record_id);
        let (decision, other) = self.with_other_data(conflict, decision, cause)?;
        let record = self.records.get(&key).cloned();
        let mut outcome = self.outcome(conflict, record.as_ref(), &decision)?;
        if leaves_locked {
            self.leave_locked(conflict, decider, &mut outcome, decision.reason.as_deref());
        }
        self.check_row(conflict, &outcome.values, outcome.deleted, &decision)?;
        self.check_may_write(conflict, decider, &outcome, decision.reason.as_deref())?;
        let taken = self.taken_from(conflict, &decision, &outcome.values);
        let mut before = snapshot_before(conflict, record.as_ref(), taken.as_ref());
        if let Some(other) = other {
            before["other_was"] = other;
        }
        before["deleted_after"] = Json::Bool(outcome.deleted);
        if let Some(taken) = taken {
            self.give_up(&taken, cause);
        }
        let is_made = !outcome.deleted && record.as_ref().is_none_or(|record| !record.is_live());
        let weighed = is_made.then(|| self.weigh_in_made(conflict, decider, &mut outcome.values)).flatten();
        self.write_outcome(key, outcome, record.as_ref(), cause);
        if let Some(weighed) = weighed {
            self.note_weigh_in_made(&weighed);
        }
        if let Some(made) = self.record(key).filter(|_| is_made) {
            before["made"] = Json::Object(made.data(ReadClass::Office));
        }
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
        let is_gone = record.is_none_or(|record| !record.is_live());
        let is_unique = conflict.kind == ConflictKind::UniqueViolation;
        // A row that only an undone decision had made says nothing: what was entered does.
        let known = record.filter(|_| !(is_gone && is_unique));
        let mut values = known.map_or_else(|| with_defaults(table, &client), |record| record.values.clone());
        let manual = manual_values(table, conflict, decision, is_gone)?;
        let lifecycle = conflict.kind.is_lifecycle();
        let wants_row = decision.resolution != "server_wins";
        let deleted = match conflict.kind {
            ConflictKind::DeleteUpdated => decision.resolution == "client_wins",
            _ if self.asks_to_delete(conflict) && decision.resolution == "client_wins" => true,
            // A card or rule that the desk does not take makes no row.
            ConflictKind::InsertInsert | ConflictKind::Rule => record.is_none() && !wants_row,
            ConflictKind::UniqueViolation => false,
            _ => is_gone && !wants_row,
        };
        if conflict.kind != ConflictKind::DeleteUpdated && (wants_row || !lifecycle) {
            for path in conflict.clean.iter().chain(wants_client(conflict, decision)) {
                if let Some(field) = table.field(path) {
                    values[field] = client[field].clone();
                }
            }
        }
        if is_gone && is_unique && !wants_row {
            for field in conflict.contested.iter().filter_map(|path| table.field(path)) {
                values[field] = Value::Null;
            }
        }
        for (field, value) in manual {
            values[field] = value;
        }
        if record.is_none() && !deleted {
            check_natural_id(conflict, &values)?;
        }
        Ok(Outcome { values, deleted })
    }

    /// The version of the row that a clash is about; none if it does not exist.
    pub(super) fn main_version(&self, conflict: &Conflict) -> Option<Version> {
        self.record((conflict.table.name, conflict.record_id)).map(|record| record.version)
    }

    /// Whether a decision takes a row away that is there.
    pub(super) fn deletes_row(&self, conflict: &Conflict, resolution: &str) -> bool {
        let asks = conflict.kind == ConflictKind::DeleteUpdated || self.asks_to_delete(conflict);
        asks && resolution == "client_wins" && self.live_row_of(conflict).is_some()
    }

    /// Whether what the phone wanted in the end is that the row goes.
    fn asks_to_delete(&self, conflict: &Conflict) -> bool {
        let last = conflict.op_ids.last().and_then(|id| self.op(*id));
        conflict.kind.is_lifecycle() && last.is_some_and(|op| op.operation == Operation::Delete.as_str())
    }

    /// A decision passes the same checks as any write: required values, uniqueness. One that writes nothing passes them.
    pub(super) fn check_row(
        &self,
        conflict: &Conflict,
        values: &[Value],
        deleted: bool,
        decision: &Decision,
    ) -> Result<(), SettleError> {
        let table = conflict.table;
        let key = (table.name, conflict.record_id);
        let before = self.live_row_of(conflict).map(|record| record.values.as_slice());
        if before.map_or(deleted, |before| !deleted && before == values) {
            return Ok(());
        }
        self.check_official(table, values)?;
        if deleted {
            return self.check_childless(conflict);
        }
        self.check_rows_exist(key, values, before)?;
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
            let Some(holder) = holder else { continue };
            let is_asked = decision.resolution == "client_wins" && conflict.kind == ConflictKind::UniqueViolation;
            if is_asked && conflict.other_record_id == Some(*holder) && can_be_freed(table, &key) {
                continue;
            }
            let path = table.fields[*table.uniques[key.1].fields.last().expect("a rule has fields")].path;
            let (code, detail) = if is_asked {
                ("needs_manual", "the row that has this value cannot do without it, or is a third one: give a value")
            } else {
                ("unique_violation", "another row has this value")
            };
            return Err(Rejection::of_field(code, path, detail).into());
        }
        Ok(())
    }

    fn live_row_of(&self, conflict: &Conflict) -> Option<&Record> {
        self.record((conflict.table.name, conflict.record_id)).filter(|record| record.is_live())
    }

    /// Where the desk's side wins, what is locked stays as the desk has it: such a decision needs no class and no show to
    /// be reopened.
    fn leave_locked(&self, conflict: &Conflict, decider: &Actor, outcome: &mut Outcome, reason: Option<&str>) {
        if outcome.deleted {
            return;
        }
        let is_locked = |outcome: &Outcome, changed: &[usize]| {
            let refused = self.authorize_change(conflict, decider, outcome, changed, reason);
            refused.is_err_and(|rejection| rejection.code == "locked")
        };
        let live = self.live_row_of(conflict);
        let changed = changed_fields(conflict.table, live, &outcome.values);
        let Some(live) = live else {
            outcome.deleted = is_locked(outcome, &changed);
            return;
        };
        for field in changed {
            if is_locked(outcome, &[field]) {
                outcome.values[field] = live.values[field].clone();
            }
        }
    }

    /// The change a decision makes is the decider's: the stage of the show, its unit of weight and an official class lock
    /// it as they lock any other.
    fn check_may_write(
        &self,
        conflict: &Conflict,
        decider: &Actor,
        outcome: &Outcome,
        reason: Option<&str>,
    ) -> Result<(), SettleError> {
        let live = self.live_row_of(conflict);
        let changed = changed_fields(conflict.table, live, &outcome.values);
        let writes = if live.is_some() { outcome.deleted || !changed.is_empty() } else { !outcome.deleted };
        if writes {
            self.authorize_change(conflict, decider, outcome, &changed, reason)?;
        }
        Ok(())
    }

    /// What an entry may set once only a person may set right: that counts as making the row.
    fn authorize_change(
        &self,
        conflict: &Conflict,
        decider: &Actor,
        outcome: &Outcome,
        changed: &[usize],
        reason: Option<&str>,
    ) -> Result<(), Rejection> {
        let table = conflict.table;
        let live = self.live_row_of(conflict);
        let is_set_once = changed.iter().any(|field| table.fields[*field].policy == Policy::Fixed);
        let operation = match live {
            Some(_) if outcome.deleted => Operation::Delete,
            Some(_) if !is_set_once => Operation::Update,
            _ => Operation::Insert,
        };
        let patch = changed.iter().map(|field| (*field, outcome.values[*field].clone())).collect();
        let op = Op::of_decision(table, conflict.record_id, operation, patch, reason);
        self.authorize(decider, &op, live)
    }

    /// Official results are refused to everybody until an admin reopens the class (rule C15).
    pub(super) fn check_official(&self, table: &Table, values: &[Value]) -> Result<(), SettleError> {
        if !matches!(table.name, "placings" | "class_calls") {
            return Ok(());
        }
        let class = values[table.index("class_id")].as_id();
        let class = class.and_then(|id| self.records.get(&("classes", crate::ids::RecordId(id))));
        match class.filter(|class| !class.value("official_at").is_null()) {
            Some(_) => Err(Rejection::new("locked", "the class is official; an admin can reopen it").into()),
            None => Ok(()),
        }
    }

    pub(super) fn check_childless(&self, conflict: &Conflict) -> Result<(), SettleError> {
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

    /// A decision is a new version of its row, also where that stays deleted. A row that never was stays without one.
    fn write_outcome(&mut self, key: Key, outcome: Outcome, record: Option<&Record>, cause: &Cause) {
        if outcome.deleted && record.is_none() {
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
        if let (Some(same), Some(Json::Object(decided))) = (before.get("same_as"), conflict.decisions.last_mut()) {
            decided.insert("same_as".to_owned(), same.clone());
        }
        let (id, op_ids) = (conflict.id, self.covered(&conflict));
        self.change_conflict(conflict, cause);
        for op_id in op_ids {
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
    pub(super) fn verdict_after(&self, op_id: OpId) -> (Verdict, Option<Version>) {
        let Some(op) = self.ops.get(&op_id) else { return (Verdict::Noop, None) };
        let Some(table) = crate::schema::table(&op.table_name) else { return (Verdict::Noop, None) };
        let id = op.record_id.map(|id| self.alias((table.name, id)).unwrap_or(id));
        let record = id.and_then(|id| self.record((table.name, id)));
        let asked = self.asked_fields(table, op_id);
        let stands = record.is_some_and(|record| {
            record.is_live() && asked.iter().any(|(field, value)| record.values[*field] == *value)
        });
        let is_gone = op.operation == "delete" && record.is_some_and(|record| !record.is_live());
        (if stands || is_gone { Verdict::Merged } else { Verdict::Noop }, record.map(|record| record.version))
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

/// The fields in which a row differs from the live one, if there is one, but for those that the desk works out.
fn changed_fields(table: &Table, live: Option<&Record>, values: &[Value]) -> Vec<usize> {
    let differs = |field: &usize| live.is_none_or(|record| record.values[*field] != values[*field]);
    let fields = (0..table.fields.len()).filter(|field| table.fields[*field].policy != Policy::Derived);
    fields.filter(differs).collect()
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

/// A new row has the id that its natural key gives.
fn check_natural_id(conflict: &Conflict, values: &[Value]) -> Result<(), Rejection> {
    let patch = values.iter().cloned().enumerate().collect();
    match natural_id_of(conflict.table, &patch).filter(|id| *id != conflict.record_id.0) {
        Some(_) => {
            let detail = "the id does not follow from the row's natural key";
            Err(Rejection::of_field("invalid_id", "record_id", detail))
        }
        None => Ok(()),
    }
}

/// The values that the decider gives, by field. Where the row is gone, the decision makes it and may name any of its
/// fields that people write.
fn manual_values(
    table: &Table,
    conflict: &Conflict,
    decision: &Decision,
    is_gone: bool,
) -> Result<Vec<(usize, Value)>, Rejection> {
    if decision.resolution != "manual" {
        return if decision.data.is_empty() {
            Ok(Vec::new())
        } else {
            Err(Rejection::new("unknown_field", "values go with the resolution manual only"))
        };
    }
    let mut values = Vec::new();
    for (path, json) in &decision.data {
        let is_asked = conflict.contested.contains(path) || conflict.clean.contains(path);
        let may_name = |field: &usize| is_asked || (is_gone && table.fields[*field].policy != Policy::Derived);
        let Some(field) = table.field(path).filter(may_name) else {
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
