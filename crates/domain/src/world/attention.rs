//! What the desk takes up again: ops that were refused or wait too long, and clashes that were closed (PROTOCOL.md §2,
//! §5). An admin retries, applies, gives up or reopens; the worker retries and gives up.

use serde_json::{Map, Value as Json, json};

use super::decide::{Stop, Verdict};
use super::{Author, Cause, Needs, SettleError, World};
use crate::actor::{Actor, Function, Role, Scope};
use crate::conflict::{Conflict, ConflictStatus};
use crate::ids::{ConflictId, OpId, RecordId};
use crate::op::{Op, Rejection, from_queued};
use crate::permit::Stage;
use crate::queue::{PAUSE_MAX, QueueStatus, QueuedOp};
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

    /// An admin has an op decided again that was refused or waits, as its author, with the author's present rights.
    pub fn retry_for_admin(&mut self, id: OpId) -> Result<(), SettleError> {
        let queued = self.undecided(id)?.clone();
        if !self.knows_author(queued.user_id, queued.device_id) {
            return Err(SettleError::NotPossible("its author is not known here any more"));
        }
        if let Some(op) = self.ops.get_mut(&id) {
            op.attempts += 1;
            op.decision = None;
            self.journal.changed_ops.insert(id);
        }
        self.retry(id);
        Ok(())
    }

    /// An admin gives an op up. It stays refused, its author is told, and what waited for it is decided.
    pub fn drop_op(&mut self, admin: &Actor, id: OpId, reason: Option<&str>) -> Result<(), SettleError> {
        let mut queued = self.undecided(id)?.clone();
        let was = json!({ "status": queued.status.as_str(), "error": queued.error, "waiting_for": queued.waiting_for });
        let detail = match reason {
            Some(reason) => format!("the office has given this entry up: {reason}"),
            None => "the office has given this entry up".to_owned(),
        };
        queued.decision = Some(json!({
            "resolution": "dropped",
            "by": admin.person,
            "by_name": admin.person_name,
            "at": instant_text(self.now),
            "reason": reason,
            "was": was,
        }));
        queued.status = QueueStatus::Failed;
        queued.verdict = Some("rejected".to_owned());
        queued.error = Some(Rejection::new("dropped", detail).to_json());
        self.stop_waiting(queued);
        Ok(())
    }

    /// An admin applies an op for its author. The stage of the show does not lock it; everything else is checked as for
    /// any write. `data` replaces fields. An error leaves everything as it was.
    pub fn apply_for_author(
        &mut self,
        admin: &Actor,
        id: OpId,
        data: Option<&Map<String, Json>>,
        reason: &str,
    ) -> Result<(), SettleError> {
        let queued = self.undecided(id)?.clone();
        if queued.txn.is_some() {
            return Err(SettleError::NotPossible("it belongs to a group of changes, which is decided again as one"));
        }
        let changed = data.map_or_else(|| queued.clone(), |data| with_data(&queued, data));
        let op = from_queued(&changed).map_err(|refused| SettleError::Invalid(refused.rejection))?;
        let author = author_with_rights(admin, &queued);
        self.standing_in = Some(StandIn { admin: admin.clone(), reason: reason.to_owned() });
        let applied = self.attempt(|world| world.apply_op(&author, &op, &queued, data.is_some()));
        self.standing_in = None;
        applied?;
        self.decide_waiters();
        Ok(())
    }

    fn apply_op(&mut self, author: &Author, op: &Op, queued: &QueuedOp, is_changed: bool) -> Result<(), SettleError> {
        let mut verdict = match self.verdict(author, op) {
            Ok(verdict) => verdict,
            Err(Stop::Rejected(rejection)) => return Err(SettleError::Invalid(rejection)),
            Err(Stop::Waits(_)) => {
                let detail = "it builds on something that is not there";
                return Err(SettleError::Invalid(Rejection::new("missing_reference", detail)));
            }
        };
        if is_changed && verdict.word == "applied" {
            // What stands is not what the phone shows: it must take the record.
            verdict.word = "merged";
        }
        self.file_for_admin(author, op, queued, &verdict);
        Ok(())
    }

    fn file_for_admin(&mut self, author: &Author, op: &Op, queued: &QueuedOp, verdict: &Verdict) {
        self.file(author, queued.id, &op.sent, verdict);
        let decided = self.standing_in.as_ref().map(|stand_in| {
            let values =
                op.patch.iter().map(|(field, value)| (op.table.fields[*field].path.to_owned(), value.to_json()));
            json!({
                "resolution": "applied",
                "by": stand_in.admin.person,
                "by_name": stand_in.admin.person_name,
                "at": instant_text(self.now),
                "reason": stand_in.reason,
                "values": values.collect::<Map<_, _>>(),
            })
        });
        if let Some(filed) = self.ops.get_mut(&queued.id) {
            filed.decision = decided.filter(|_| filed.status == QueueStatus::Completed);
        }
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
        root.into_iter().for_each(|root| self.waiters.come(root));
        self.decide_waiters();
        self.fail_op(id, &Rejection::new("missing_reference", "what it needs has not come"));
    }

    /// Refuses an op that waits; it needs attention then.
    pub fn fail_op(&mut self, id: OpId, rejection: &Rejection) {
        let Some(op) = self.ops.get(&id).filter(|op| op.is_open()) else { return };
        let mut op = op.clone();
        op.status = QueueStatus::Failed;
        op.verdict = Some("rejected".to_owned());
        op.error = Some(rejection.to_json());
        self.stop_waiting(op);
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
    fn wait_again(&self, conflict: &mut Conflict) {
        let present = self.records.get(&(conflict.table.name, conflict.record_id));
        let values = |data: &Option<Map<String, Json>>| {
            data.as_ref().and_then(|data| crate::record::values_of(conflict.table, data).ok())
        };
        let (Some(present), Some(desk), Some(client)) =
            (present, values(&conflict.server_data), values(&conflict.client_data))
        else {
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

    /// Files an op that is given up, and decides what waited for it.
    fn stop_waiting(&mut self, mut op: QueuedOp) {
        let (id, root) = (op.id, op.waiting_on);
        let come = [Some(id.0), root, op.record_id.map(|record_id| record_id.0)];
        (op.waiting_for, op.waiting_on, op.lease_until) = (None, None, None);
        op.processed_at = Some(self.now);
        self.waiters.note(&op);
        self.ops.insert(id, op);
        self.journal.changed_ops.insert(id);
        // Ops further down the chain wait for what is at its root.
        come.into_iter().flatten().for_each(|id| self.waiters.come(id));
        self.decide_waiters();
    }
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
    };
    Author { actor, incarnation: queued.incarnation, skew_ms: queued.skew_ms, recovered_from: None }
}
