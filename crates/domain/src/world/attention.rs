//! What the desk takes up again: ops that were refused or wait too long, and clashes that were closed (PROTOCOL.md §2,
//! §5). An admin retries, applies, gives up or reopens; the worker retries and gives up.

use serde_json::{Map, Value as Json, json};

use super::ruling::Stop;
use super::{Author, Cause, Needs, SettleError, World};
use crate::actor::{Actor, Function, Permissions, Role, Scope};
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{ConflictId, OpId, RecordId};
use crate::op::{Op, Rejection, from_queued};
use crate::permit::Stage;
use crate::queue::{PAUSE_MAX, QueueStatus, QueuedOp, Verdict};
use crate::value::instant_text;

/// The stage that locks nothing an admin does.
const OPEN_STAGE: Stage = 'B';

/// An admin who applies an op for its author: named in history in the author's place.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    admin: Actor,
    reason: String,
}

impl World {
    /// What is still to be read before these ops can be taken up again. `data` replaces fields of the first.
    pub fn missing_for_attention(&self, ids: &[OpId], data: Option<&Map<String, Json>>) -> Needs {
        let mut needs = self.missing_for_ops(ids);
        for queued in ids.iter().filter_map(|id| self.op(*id)) {
            if let Some(root) = queued.waiting_on {
                // Whether it waits for a person is told by the op at the root, or by the insert of the row there.
                needs.ops.insert(OpId(root));
                needs.device_records.insert((queued.device_id, RecordId(root)));
            }
            if let Some(Ok(op)) = data.map(|data| from_queued(&with_data(queued, data))) {
                self.need_op(queued.device_id, &op, &mut needs);
            }
        }
        self.only_missing(needs)
    }

    /// An admin has an op decided again that was refused or waits, as its author, with the author's present rights. An
    /// op of a group takes the group along.
    pub fn retry_for_admin(&mut self, id: OpId) -> Result<(), SettleError> {
        let queued = self.undecided(id)?;
        if !self.knows_author(queued.user_id, queued.device_id) {
            return Err(SettleError::NotPossible("its author is not known here any more"));
        }
        for id in self.whole_group(id)? {
            if let Some(op) = self.ops.get_mut(&id) {
                op.attempts += 1;
                op.decision = None;
                self.journal.changed_ops.insert(id);
            }
        }
        self.retry(id);
        Ok(())
    }

    /// An admin gives an op up, and with it its group. It stays refused, its author is told, and what waited for it is
    /// decided.
    pub fn drop_op(&mut self, admin: &Actor, id: OpId, reason: Option<&str>) -> Result<(), SettleError> {
        self.undecided(id)?;
        let detail = match reason {
            Some(reason) => format!("the office has given this entry up: {reason}"),
            None => "the office has given this entry up".to_owned(),
        };
        for id in self.group_of(id) {
            let mut queued = self.undecided(id)?.clone();
            let mut decision = self.decision("dropped", admin, reason);
            decision["was"] = json!({
                "status": queued.status.as_str(), "error": queued.error, "waiting_for": queued.waiting_for,
            });
            queued.decision = Some(decision);
            queued.status = QueueStatus::Failed;
            queued.verdict = Some(Verdict::Rejected);
            queued.error = Some(Rejection::new("dropped", detail.clone()).to_json());
            self.stop_waiting(queued);
        }
        self.decide_waiters();
        Ok(())
    }

    /// An admin applies an op for its author, and with it its group. The stage of the show does not lock it; everything
    /// else is checked as for any write. `data` replaces fields. An error leaves everything as it was.
    pub fn apply_for_author(
        &mut self,
        admin: &Actor,
        id: OpId,
        data: Option<&Map<String, Json>>,
        reason: &str,
    ) -> Result<(), SettleError> {
        let author = author_with_rights(admin, self.undecided(id)?);
        let mut ops = Vec::new();
        for member in self.whole_group(id)? {
            let queued = self.undecided(member)?;
            let changed = data.filter(|_| member == id).map(|data| with_data(queued, data));
            let op = from_queued(changed.as_ref().unwrap_or(queued));
            ops.push(op.map_err(|refused| SettleError::Invalid(refused.rejection))?);
        }
        self.standing_in = Some(StandIn { admin: admin.clone(), reason: reason.to_owned() });
        let applied = self.attempt(|world| world.apply_all(&author, &ops));
        let applied = applied.map_err(|culprit| self.fault_of(&author, &ops, culprit));
        self.standing_in = None;
        applied?;
        for op in &ops {
            self.note_applied(op, admin, reason, data.is_some() && op.id == id);
        }
        self.decide_waiters();
        Ok(())
    }

    /// Decides ops as one. `Err` names the first that does not stand.
    fn apply_all(&mut self, author: &Author, ops: &[Op]) -> Result<(), usize> {
        match ops {
            [op] => self.decide_filed(author, op),
            _ => self.decide_group(author, ops),
        }
        let verdict = |op: &Op| self.ops.get(&op.id).map(|queued| (queued.status, queued.error.clone()));
        let is_culprit = |op: &Op| match verdict(op) {
            Some((QueueStatus::Failed, error)) => error.is_none_or(|error| error["code"] != "txn_failed"),
            Some((QueueStatus::Pending | QueueStatus::Processing, _)) => true,
            _ => false,
        };
        ops.iter().position(is_culprit).map_or(Ok(()), Err)
    }

    /// Why an op does not stand, after those before it; everything is left as it was.
    fn fault_of(&mut self, author: &Author, ops: &[Op], culprit: usize) -> SettleError {
        let tried: Result<(), Rejection> = self.attempt(|world| {
            for op in &ops[..culprit] {
                // It stands, or clashes: neither is the fault looked for.
                let _ = world.ruling(author, op);
            }
            Err(match world.ruling(author, &ops[culprit]) {
                Err(Stop::Rejected(rejection)) => rejection,
                Err(Stop::Waits(_)) => Rejection::new("missing_reference", "it builds on something that is not there"),
                Ok(_) => Rejection::new("txn_failed", "the changes do not stand together"),
            })
        });
        tried.expect_err("a trial is always given up").into()
    }

    fn note_applied(&mut self, op: &Op, admin: &Actor, reason: &str, is_changed: bool) {
        let mut decision = self.decision("applied", admin, Some(reason));
        let values = op.patch.iter().map(|(field, value)| (op.table.fields[*field].path.to_owned(), value.to_json()));
        decision["values"] = Json::Object(values.collect());
        let Some(filed) = self.ops.get_mut(&op.id).filter(|op| op.status == QueueStatus::Completed) else { return };
        filed.decision = Some(decision);
        if is_changed && filed.verdict == Some(Verdict::Applied) {
            // What stands is not what the phone shows: it must take the record.
            filed.verdict = Some(Verdict::Merged);
        }
    }

    fn decision(&self, resolution: &str, admin: &Actor, reason: Option<&str>) -> Json {
        json!({
            "resolution": resolution,
            "by": admin.person,
            "by_name": admin.person_name,
            "at": instant_text(self.now),
            "reason": reason,
        })
    }

    /// The undecided ops of an op's group in their order, itself included; itself alone if it has none.
    fn group_of(&self, id: OpId) -> Vec<OpId> {
        let Some(queued) = self.ops.get(&id) else { return Vec::new() };
        let Some(group) = group_id(queued) else { return vec![id] };
        let is_member = |op: &&QueuedOp| {
            op.device_id == queued.device_id && group_id(op) == Some(group) && self.undecided(op.id).is_ok()
        };
        let mut members: Vec<&QueuedOp> = self.ops.values().filter(is_member).collect();
        members.sort_by_key(|op| (op.device_seq, op.id));
        members.into_iter().map(|op| op.id).collect()
    }

    /// The same, if all ops of the group have come: a part of it is never written.
    fn whole_group(&self, id: OpId) -> Result<Vec<OpId>, SettleError> {
        let members = self.group_of(id);
        let size = self.ops.get(&id).and_then(|op| op.txn.as_ref()?.get("size")?.as_i64());
        let is_whole = size.is_none_or(|size| i64::try_from(members.len()) == Ok(size));
        if is_whole { Ok(members) } else { Err(SettleError::NotPossible("its group of changes never came whole")) }
    }

    /// The worker has tried an op again that still waits: it pauses, or a person is asked where it has waited too long.
    /// A try does not count while what it waits for is itself before a person, who decides both.
    pub fn pause(&mut self, id: OpId) {
        let now = self.now;
        let is_before_person = self.waits_for_person(id);
        let Some(op) = self.ops.get_mut(&id).filter(|op| op.is_open()) else { return };
        if op.is_overdue(now) && !is_before_person {
            return self.make_dead_letter(id);
        }
        op.status = QueueStatus::Pending;
        op.lease_until = Some(if is_before_person { now + PAUSE_MAX } else { op.next_try(now) });
        op.attempts -= i64::from(is_before_person);
        self.journal.changed_ops.insert(id);
    }

    /// Makes an op that waited too long a dead letter: a clash for a person, or a failed op where it cannot be one.
    fn make_dead_letter(&mut self, id: OpId) {
        let root = self.ops.get(&id).and_then(|op| op.waiting_on);
        self.give_up_waiting(id);
        if let Some(root) = root {
            self.waiters.come(root);
        }
        self.decide_waiters();
        self.fail_op(id, &Rejection::new("missing_reference", "what it needs has not come"));
    }

    /// Refuses an op that waits; it needs attention then.
    pub fn fail_op(&mut self, id: OpId, rejection: &Rejection) {
        let Some(op) = self.ops.get(&id).filter(|op| op.is_open()) else { return };
        let mut op = op.clone();
        op.status = QueueStatus::Failed;
        op.verdict = Some(Verdict::Rejected);
        op.error = Some(rejection.to_json());
        self.stop_waiting(op);
        self.decide_waiters();
    }

    /// Whether what an op waits for is itself before a person: such an op never expires.
    fn waits_for_person(&self, id: OpId) -> bool {
        let Some(root) = self.ops.get(&id).and_then(|op| op.waiting_on) else { return false };
        let is_asked = |op: &QueuedOp| op.status == QueueStatus::Conflict;
        let is_root = |op: &&QueuedOp| op.id.0 == root || op.record_id == Some(RecordId(root));
        self.ops.values().filter(is_root).any(is_asked)
    }

    /// Opens a closed clash again for the desk. What is in force stays so; its ops wait for a person once more.
    pub fn reopen_closed(&mut self, admin: &Actor, id: ConflictId, reason: Option<&str>) -> Result<(), SettleError> {
        let mut conflict = self.conflicts.get(&id).cloned().ok_or(SettleError::NotFound)?;
        match conflict.status {
            ConflictStatus::Open => return Err(SettleError::NotPossible("it is open already")),
            // Nothing of a withdrawn entry was written: what waited beside the dispute still waits.
            ConflictStatus::Withdrawn => self.wait_again(&mut conflict),
            // What waited beside the dispute was joined when it was closed; it may have moved on since.
            _ => conflict.clean.clear(),
        }
        let cause = Cause::of(admin, Some(conflict.queue_id), reason.map(str::to_owned));
        self.reopen(conflict, &cause);
        Ok(())
    }

    /// Fields beside a dispute that wait on: those that others have changed since are disputed as well.
    pub(super) fn wait_again(&self, conflict: &mut Conflict) {
        for at in 0..conflict.parts.len() {
            let mut row = conflict.of_part(&conflict.parts[at]);
            self.wait_again(&mut row);
            (conflict.parts[at].contested, conflict.parts[at].clean) = (row.contested, row.clean);
        }
        let present = self.records.get(&(conflict.table.name, conflict.record_id));
        let values = |data: &Option<Map<String, Json>>| {
            data.as_ref().and_then(|data| crate::record::values_of(conflict.table, data).ok())
        };
        // Of two rows that want one value the desk's side is the other row; what waits beside was as the author saw it.
        let is_other_row = conflict.kind == ConflictKind::UniqueViolation;
        let desk = if is_other_row { &conflict.base_data } else { &conflict.server_data };
        let (Some(present), Some(desk), Some(client)) = (present, values(desk), values(&conflict.client_data)) else {
            return;
        };
        let mut moved = Vec::new();
        let (table, values) = (conflict.table, &present.values);
        conflict.clean.retain(|path| {
            let Some(field) = table.field(path) else { return false };
            if desk[field] != values[field] && client[field] != values[field] {
                moved.push(path.clone());
            }
            desk[field] == values[field]
        });
        conflict.contested.extend(moved);
    }

    /// Who stands behind a write that an op makes.
    pub(super) fn cause_of(&self, author: &Author, op: &Op) -> Cause {
        match &self.standing_in {
            Some(stand_in) => Cause::of(&stand_in.admin, Some(op.id), Some(stand_in.reason.clone())),
            None => Cause::of(&author.actor, Some(op.id), op.reason.clone()),
        }
    }

    /// The stage that decides what an author may write. It locks nothing that an admin applies for somebody.
    pub(super) fn locking_stage(&self) -> Stage {
        if self.standing_in.is_some() { OPEN_STAGE } else { self.stage() }
    }

    fn undecided(&self, id: OpId) -> Result<&QueuedOp, SettleError> {
        let queued = self.ops.get(&id).ok_or(SettleError::NotFound)?;
        match queued.status {
            QueueStatus::Failed | QueueStatus::Pending | QueueStatus::Processing => Ok(queued),
            QueueStatus::Conflict => Err(SettleError::NotPossible("it waits for a decision among the clashes")),
            QueueStatus::Completed => Err(SettleError::NotPossible("it was decided, and its verdict is final")),
        }
    }

    /// Files an op that is given up. It is the turn of what waited for it.
    fn stop_waiting(&mut self, mut op: QueuedOp) {
        let (id, root) = (op.id, op.waiting_on);
        let come = [Some(id.0), root, op.record_id.map(|record_id| record_id.0)];
        (op.waiting_for, op.waiting_on, op.lease_until) = (None, None, None);
        op.processed_at = Some(self.now);
        self.waiters.note(&op);
        self.keep_op(op);
        self.journal.changed_ops.insert(id);
        // Ops further down the chain wait for what is at its root.
        for id in come.into_iter().flatten() {
            self.waiters.come(id);
        }
    }
}

fn group_id(op: &QueuedOp) -> Option<&Json> {
    op.txn.as_ref()?.get("id")
}

/// The op with other values in some fields. Values that could not even be stored are left out.
fn with_data(queued: &QueuedOp, data: &Map<String, Json>) -> QueuedOp {
    let mut changed = queued.clone();
    let mut values = queued.data.as_object().cloned().unwrap_or_default();
    values.remove("unreadable");
    values.extend(data.clone());
    changed.data = Json::Object(values);
    changed
}

/// The op's author, who may do what the admin may: the entry stays the author's, also in `arrived_by` and its like.
fn author_with_rights(admin: &Actor, queued: &QueuedOp) -> Author {
    let actor = Actor {
        person: queued.user_id,
        person_name: String::new(),
        device: queued.device_id,
        device_kind: admin.device_kind,
        role: admin.role.max(Role::Admin),
        functions: vec![Function::Admin],
        scope: Scope::default(),
        permissions: Permissions::default(),
    };
    Author { actor, incarnation: queued.incarnation, skew_ms: queued.skew_ms, recovered_from: None }
}
