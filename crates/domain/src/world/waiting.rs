//! Ops that wait for another op or for a row, and rows that are known by another name (PROTOCOL.md §4, §5).
//!
//! An op that builds on one that has not come, or points to a row that is not there, is held. It is decided in the
//! transaction that decides what it waits for; the engine's worker takes up what is left.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use foldhash::HashMap;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::review::Clash;
use super::ruling::{Ruling, Stop};
use super::view::told_view;
use super::{Author, Key, Name, Needs, World};
use crate::actor::Actor;
use crate::conflict::{ConflictKind, ConflictStatus};
use crate::ids::{DeviceId, OpId, PersonId, RecordId};
use crate::op::{Op, Operation, Refused, Rejection, from_queued, natural_id_of};
use crate::queue::{QueueStatus, QueuedOp};
use crate::record::Record;
use crate::value::{Kind, Target, Value};

/// Most ops one decision tries again; what is left is taken up by the worker.
const TRIES_MAX: usize = 2_000;

/// What an op waits for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Waiting {
    /// As its author is told: an op's id, or `{table_name, record_id}`.
    pub what: Json,
    /// The id at the start of the chain: nothing can be decided before this has come.
    pub root: Uuid,
}

impl Waiting {
    fn for_op(id: OpId, root: Option<Uuid>) -> Self {
        Self { what: Json::String(id.to_string()), root: root.unwrap_or(id.0) }
    }

    fn for_row(table: &str, id: Uuid, root: Option<Uuid>) -> Self {
        Self { what: json!({ "table_name": table, "record_id": id }), root: root.unwrap_or(id) }
    }
}

/// The ops that wait, by what they wait for, and what has come since.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiters {
    /// Shared with the copy that a trial keeps, until one of them changes.
    waiting: Arc<Roots>,
    come: VecDeque<Uuid>,
    /// Ops whose turn has come, but whose rows were not read.
    unread: BTreeSet<OpId>,
}

/// What ops wait for, both ways round.
#[derive(Debug, Clone, Default)]
struct Roots {
    ops: BTreeMap<Uuid, BTreeSet<(i64, OpId)>>,
    of: HashMap<OpId, Uuid>,
}

impl Waiters {
    /// Knows where an op stands now.
    pub(super) fn note(&mut self, op: &QueuedOp) {
        let before = self.waiting.of.get(&op.id).copied();
        if before == op.waiting_on {
            return;
        }
        let waiting = Arc::make_mut(&mut self.waiting);
        if let Some(ops) = before.and_then(|root| waiting.ops.get_mut(&root)) {
            ops.remove(&(op.device_seq, op.id));
        }
        match op.waiting_on {
            Some(root) => {
                waiting.ops.entry(root).or_default().insert((op.device_seq, op.id));
                waiting.of.insert(op.id, root);
            }
            None => {
                waiting.of.remove(&op.id);
            }
        }
    }

    /// Something was decided or made.
    pub(super) fn come(&mut self, id: Uuid) {
        if self.waiting.ops.contains_key(&id) {
            self.come.push_back(id);
        }
    }

    /// How many ops wait for an id.
    pub(super) fn count_on(&self, id: Uuid) -> usize {
        self.waiting.ops.get(&id).map_or(0, BTreeSet::len)
    }

    fn next(&mut self) -> Option<Uuid> {
        self.come.pop_front()
    }

    fn on(&self, root: Uuid) -> Vec<OpId> {
        self.waiting.ops.get(&root).map_or_else(Vec::new, |waiting| waiting.iter().map(|(_, id)| *id).collect())
    }

    fn all(&self) -> impl Iterator<Item = OpId> + '_ {
        self.waiting.ops.values().flatten().map(|(_, id)| *id)
    }
}

impl World {
    /// The op this change builds on must be known, decided, and this phone's own about the same record.
    pub(super) fn check_prev(&self, author: &Author, op: &Op) -> Result<(), Stop> {
        let Some(id) = op.prev_op_id else { return Ok(()) };
        if id == op.id {
            return Err(invalid_prev().into());
        }
        let Some(queued) = self.ops.get(&id) else { return Err(Stop::Waits(Waiting::for_op(id, None))) };
        if !is_link(queued, author, op) || self.waits_for(op, |waiting| waiting.id == id) {
            return Err(invalid_prev().into());
        }
        match queued.status {
            QueueStatus::Pending | QueueStatus::Processing => Err(Stop::Waits(Waiting::for_op(id, queued.waiting_on))),
            _ => Ok(()),
        }
    }

    /// References of a patch must point to rows and people that are there. A row that may still come is waited for; one
    /// whose insert was refused will not.
    pub(super) fn check_references(&self, author: &Author, op: &Op) -> Result<(), Stop> {
        for (field, value) in &op.patch {
            let Some(id) = value.as_id() else { continue };
            let Kind::Id(Target::Table(target)) = op.table.fields[*field].kind else {
                self.check_exists(op.table, *field, value)?;
                continue;
            };
            if self.points_back(op, *field, target, id) {
                return Err(cyclic_reference(op, *field).into());
            }
            if self.records.contains_key(&(target, RecordId(id))) {
                continue;
            }
            let root = match self.insert_of(author, target, RecordId(id)) {
                None => None,
                Some(parent) if self.waits_for(op, |waiting| waiting.id == parent.id) => {
                    return Err(cyclic_reference(op, *field).into());
                }
                Some(parent) if is_open(parent) => parent.waiting_on,
                Some(parent) => {
                    let path = op.table.fields[*field].path;
                    let detail = format!("the entry {} that makes this row in {target} was not accepted", parent.id);
                    return Err(Rejection::of_field("missing_reference", path, detail).into());
                }
            };
            return Err(Stop::Waits(Waiting::for_row(target, id, root)));
        }
        Ok(())
    }

    /// Whether one of these fields of a patch points to a row that was deleted: a person must say whether that comes
    /// back, or what was meant (rule C17).
    pub(super) fn points_to_deleted(&self, op: &Op, mut is_asked: impl FnMut(usize) -> bool) -> bool {
        op.table.references().any(|(field, target)| {
            let named = op.patch.get(&field).and_then(Value::as_id).filter(|_| is_asked(field));
            let row = named.and_then(|id| self.record((target, RecordId(id))));
            row.is_some_and(|row| !row.is_live())
        })
    }

    /// Whether the row would belong to itself, or to one that belongs to it by the same field.
    fn points_back(&self, op: &Op, field: usize, target: &'static str, id: Uuid) -> bool {
        let belongs_to_it = |row: &Record| row.table == op.table && row.values[field].as_id() == Some(op.record_id.0);
        target == op.table.name
            && (id == op.record_id.0 || self.record((target, RecordId(id))).is_some_and(belongs_to_it))
    }

    /// Whether the op in question waits for this one, over however many others: both would wait for ever.
    fn waits_for(&self, op: &Op, is_in_question: impl Fn(&QueuedOp) -> bool) -> bool {
        let mut known = BTreeSet::from([op.id.0, op.record_id.0]);
        let mut roots: Vec<Uuid> = known.iter().copied().collect();
        while let Some(root) = roots.pop() {
            for waiting in self.waiters.on(root).into_iter().filter_map(|id| self.ops.get(&id)) {
                if is_in_question(waiting) {
                    return true;
                }
                let row = waiting.record_id.filter(|_| waiting.operation == Operation::Insert.as_str());
                let awaited = [Some(waiting.id.0), row.map(|id| id.0)];
                roots.extend(awaited.into_iter().flatten().filter(|id| known.insert(*id)));
            }
        }
        false
    }

    /// A row that is to be deleted and is not there may still come by this phone's own insert, if a person says so.
    pub(super) fn check_own_insert(&self, author: &Author, op: &Op) -> Result<(), Stop> {
        let made = op.sent.record_id.and_then(|id| self.insert_of(author, op.table.name, id));
        match made.filter(|insert| is_open(insert) && insert.id != op.id) {
            Some(insert) => Err(Stop::Waits(Waiting::for_op(insert.id, insert.waiting_on))),
            None => Ok(()),
        }
    }

    /// A row that was deleted before the database was restored, and is not there, may still be given back by whoever made
    /// it, until a person has said that it is not to come. An op that stands with others does not keep them waiting for
    /// that.
    pub(super) fn check_lost_insert(&self, op: &Op) -> Result<(), Stop> {
        if op.txn.is_some() {
            return Ok(());
        }
        let of_table = |insert: &&QueuedOp| insert.table_name == op.table.name;
        let made = self.inserts_of(op.record_id).filter(of_table).max_by_key(|insert| is_open(insert));
        if made.is_some_and(|insert| !is_open(insert)) {
            return Ok(());
        }
        let root = made.and_then(|insert| insert.waiting_on);
        Err(Stop::Waits(Waiting::for_row(op.table.name, op.record_id.0, root)))
    }

    /// This phone's own insert of a row, as far as it has come.
    fn insert_of(&self, author: &Author, table: &str, id: RecordId) -> Option<&QueuedOp> {
        let is_insert = |op: &&QueuedOp| op.device_id == author.actor.device && op.table_name == table;
        self.inserts_of(id).filter(is_insert).max_by_key(|op| (is_open(op), op.device_seq))
    }

    /// The op under the names that its rows have now. A natural-key row whose key has moved moves with it.
    pub(super) fn under_true_names<'a>(&self, op: &'a Op) -> Cow<'a, Op> {
        let mut true_op = Cow::Borrowed(op);
        let key = (op.table.name, op.record_id);
        // A row that went because it is the same as another is gone: deleting it once more is not meant for that one.
        let is_done = op.operation == Operation::Delete && self.record(key).is_some();
        if let Some(id) = self.other_name(key).filter(|_| !is_done) {
            true_op.to_mut().record_id = id;
        }
        for (field, target) in op.table.references() {
            let named = op.patch.get(&field).and_then(Value::as_id);
            let Some(id) = named.and_then(|id| self.other_name((target, RecordId(id)))) else { continue };
            true_op.to_mut().patch.insert(field, Value::Id(id.0));
        }
        if op.operation == Operation::Insert
            && let Some(id) = natural_id_of(op.table, &true_op.patch).filter(|id| *id != op.record_id.0)
        {
            true_op.to_mut().record_id = RecordId(id);
        }
        true_op
    }

    /// The row that an id stands for, unless that is a live row of its own.
    fn other_name(&self, key: Key) -> Option<RecordId> {
        self.alias(key).filter(|_| self.record(key).is_none_or(|record| !record.is_live()))
    }

    /// Makes an id another name of a row, so that later ops under it find the row.
    pub(super) fn name_alias(&mut self, alias: Key, row: RecordId) {
        if alias.1 != row && self.alias(alias) != Some(row) {
            self.names.insert(alias, Name { record_id: row, is_used: false });
            self.journal.aliases.insert(alias);
            self.waiters.come(alias.1.0);
        }
    }

    /// Notes that something has come under other names of rows: they stay their names.
    pub(super) fn note_names(&mut self, sent: &Op) {
        let named = sent.table.references().filter_map(|(field, target)| {
            sent.patch.get(&field).and_then(Value::as_id).map(|id| (target, RecordId(id)))
        });
        let named: Vec<Key> = named.chain([(sent.table.name, sent.record_id)]).collect();
        for mut alias in named {
            if self.other_name(alias).is_none() {
                continue;
            }
            while let Some(name) = self.names.get(&alias).copied().filter(|name| !name.is_used) {
                self.names.insert(alias, Name { is_used: true, ..name });
                self.journal.aliases.insert(alias);
                alias.1 = name.record_id;
            }
        }
    }

    /// Decides the ops whose turn has come, and those that wait for them in turn.
    pub(super) fn decide_waiters(&mut self) {
        let mut tries = 0;
        while let Some(root) = self.waiters.next() {
            // One that waits for another of the same root has its turn after that one.
            while tries < TRIES_MAX && self.decide_those_on(root, &mut tries) {}
        }
    }

    /// Answers whether one of them could be decided.
    fn decide_those_on(&mut self, root: Uuid, tries: &mut usize) -> bool {
        let mut has_decided = false;
        for id in self.waiters.on(root) {
            if *tries >= TRIES_MAX {
                return false;
            }
            let waits = |world: &Self| world.op(id).is_some_and(|op| op.waiting_on == Some(root));
            if waits(self) {
                *tries += 1;
                self.decide_again(id);
                has_decided |= !waits(self);
            }
        }
        has_decided
    }

    /// What is still to be read for ops whose turn has come.
    pub fn missing_for_turns(&self) -> Needs {
        let unread: Vec<OpId> = self.waiters.unread.iter().copied().collect();
        if unread.is_empty() { Needs::default() } else { self.missing_for_ops(&unread) }
    }

    /// Decides the ops whose turn has come and whose rows have been read since.
    pub fn take_turns(&mut self) {
        for id in std::mem::take(&mut self.waiters.unread) {
            if self.op(id).is_some_and(|op| op.waiting_on.is_some()) {
                self.decide_again(id);
            }
        }
        self.decide_waiters();
    }

    /// Decides an op again that waits or was refused, as its author and with the author's present rights. Answers
    /// whether it waits no longer. Its rows must have been read ([`World::missing_for_ops`]).
    pub fn retry(&mut self, id: OpId) -> bool {
        self.decide_again(id);
        self.decide_waiters();
        self.ops.get(&id).is_none_or(|op| op.waiting_on.is_none())
    }

    /// Stops waiting: what an op needs has not come for too long, and a person must decide, unless it only was to delete
    /// what has not come. A group is given up as one.
    pub fn give_up_waiting(&mut self, id: OpId) {
        let Some((author, group)) = self.stored_group(id) else { return };
        let Some(first) = group.first() else { return };
        let waits_for = self.ops.get(&id).and_then(|op| op.waiting_on);
        if group.len() > 1 {
            self.give_up_group(&author, &group);
        } else if first.operation == Operation::Delete && waits_for == Some(first.record_id.0) {
            // The row has not come back: nobody need be asked about deleting it.
            self.file(&author, first.id, &first.sent, &Ruling::noop(None));
        } else {
            let view = told_view(first);
            let contested = first.patch.keys().copied().collect();
            let (kind, status) = (ConflictKind::MissingReference, ConflictStatus::Open);
            let clash = Clash { kind, status, view: &view, contested, clean: Vec::new() };
            let conflict = self.open_conflict(&author, first, &clash);
            self.file(&author, first.id, &first.sent, &Ruling::conflict(conflict));
        }
        self.decide_waiters();
    }

    fn decide_again(&mut self, id: OpId) {
        let Some((author, group)) = self.stored_group(id) else { return };
        if !self.missing_of(&author, &group).is_empty() {
            self.waiters.unread.insert(id);
            return;
        }
        self.waiters.unread.remove(&id);
        if group.len() > 1 {
            self.decide_group(&author, &group);
        } else if let Some(op) = group.first() {
            self.decide_filed(&author, op);
        }
    }

    /// A stored op with the others of its group, and who stands behind it; none if that is not known here.
    fn stored_group(&self, id: OpId) -> Option<(Author, Vec<Op>)> {
        let queued = self.ops.get(&id)?;
        let actor = self.authors.get(&(queued.user_id, queued.device_id))?;
        let author = Author {
            actor: actor.clone(),
            incarnation: queued.incarnation,
            skew_ms: queued.skew_ms,
            recovered_from: None,
        };
        let txn = |op: &QueuedOp| op.txn.as_ref().and_then(|txn| txn.get("id").cloned());
        let of_group = |op: &&QueuedOp| op.device_id == queued.device_id && txn(op) == txn(queued);
        let mut together: Vec<&QueuedOp> =
            if txn(queued).is_some() { self.ops.values().filter(of_group).collect() } else { vec![queued] };
        together.sort_by_key(|op| (op.device_seq, op.id));
        let decoded: Option<Vec<Op>> = together.into_iter().map(|queued| from_queued(queued).ok()).collect();
        Some((author, decoded?))
    }

    fn missing_of(&self, author: &Author, group: &[Op]) -> Needs {
        let mut needs = Needs::default();
        for op in group {
            self.need_op(author.actor.device, op, &mut needs);
        }
        self.need_clashes(&mut needs);
        self.only_missing(needs)
    }

    /// What is still to be read before stored ops can be decided again.
    pub fn missing_for_ops(&self, ids: &[OpId]) -> Needs {
        let mut needs = Needs::default();
        needs.records.insert(("shows", RecordId(self.show_id)));
        needs.ops.extend(ids.iter().copied());
        for id in ids {
            self.need_stored(*id, &mut needs);
        }
        self.need_waiters(&mut needs);
        self.need_clashes(&mut needs);
        self.only_missing(needs)
    }

    /// What is still to be read before an op can be filed that failed one of the checks 1 to 8: the ops that wait for it,
    /// or for the row it was to make.
    pub fn missing_for_refused(&self, refused: &Refused) -> Needs {
        let mut needs = Needs::default();
        let is_insert = refused.sent.operation == Operation::Insert.as_str();
        let row = refused.sent.record_id.filter(|_| is_insert);
        if let Some(id) = refused.id {
            needs.ops.insert(id);
            needs.waiters.extend([Some(id.0), row.map(|row| row.0)].into_iter().flatten());
        }
        self.only_missing(needs)
    }

    /// What ops that wait need, once it may be their turn.
    pub(super) fn need_waiters(&self, needs: &mut Needs) {
        for id in self.waiters.all() {
            self.need_stored(id, needs);
        }
    }

    /// What ops that wait for a row need if its id becomes another name of a row.
    pub(super) fn need_renamed(&self, alias: Key, row: RecordId, needs: &mut Needs) {
        for id in self.waiters.on(alias.1.0) {
            let Some(queued) = self.ops.get(&id) else { continue };
            let Ok(mut op) = from_queued(queued) else { continue };
            for (field, target) in op.table.references() {
                if target == alias.0 && op.patch.get(&field).and_then(Value::as_id) == Some(alias.1.0) {
                    op.patch.insert(field, Value::Id(row.0));
                }
            }
            if let Some(id) = natural_id_of(op.table, &op.patch) {
                op.record_id = RecordId(id);
            }
            self.need_op(queued.device_id, &op, needs);
        }
    }

    fn need_stored(&self, id: OpId, needs: &mut Needs) {
        let Some(queued) = self.ops.get(&id) else { return };
        needs.authors.insert((queued.user_id, queued.device_id));
        needs.waiters.extend([Some(id.0), queued.waiting_on, queued.record_id.map(|id| id.0)].into_iter().flatten());
        if let Ok(op) = from_queued(queued) {
            self.need_op(queued.device_id, &op, needs);
        }
    }

    /// Whether somebody's present rights are known here.
    pub fn knows_author(&self, person: PersonId, device: DeviceId) -> bool {
        self.authors.contains_key(&(person, device))
    }

    /// Somebody with present rights; none if not asked for, or if the person has left.
    pub fn author(&self, person: PersonId, device: DeviceId) -> Option<&Actor> {
        self.authors.get(&(person, device))
    }
}

/// Whether an op is an earlier change of the same phone to the same record.
pub(super) fn is_link(queued: &QueuedOp, author: &Author, op: &Op) -> bool {
    queued.device_id == author.actor.device
        && queued.incarnation == author.incarnation
        && queued.record_id == op.sent.record_id
        && queued.id != op.id
}

pub(super) fn invalid_prev() -> Rejection {
    let detail = "it names no earlier change of this phone to this record";
    Rejection::of_field("invalid_prev", "prev_op_id", detail)
}

fn cyclic_reference(op: &Op, field: usize) -> Rejection {
    Rejection::of_field("cyclic_reference", op.table.fields[field].path, "a row cannot belong to what belongs to it")
}

/// Whether an op's fate is open.
fn is_open(op: &QueuedOp) -> bool {
    matches!(op.status, QueueStatus::Pending | QueueStatus::Processing | QueueStatus::Conflict)
}
