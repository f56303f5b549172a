//! Groups of ops (`txn`): all of them stand, or none is written (PROTOCOL.md §3).
//!
//! A group is tried as a whole. One op refused refuses all; one that must wait makes all wait; one that clashes puts
//! all of them under one clash that a person decides as one.

use std::collections::BTreeSet;

use super::card::{CardFault, left_off};
use super::decide::{Answer, AnswerKind};
use super::filing::is_same_op;
use super::review::{known_data, last_author, paths};
use super::ruling::{Ruling, Stop};
use super::view::told_view;
use super::waiting::Waiting;
use super::{Author, Cause, Key, World};
use crate::actor::ReadClass;
use crate::conflict::{Conflict, ConflictKind, Part};
use crate::ids::{ConflictId, OpId, RecordId, Version};
use crate::op::{Op, Operation, Refused, Rejection, Sent};
use crate::record::data_of;
use crate::value::Value;

/// One op of a group as it came: readable or not.
pub type Member<'a> = Result<&'a Op, &'a Refused>;

/// Why a group cannot be written as it is.
enum Fault {
    /// The op at this place breaks a rule.
    Rejected(usize, Rejection),
    /// Something has not come yet.
    Waits(Waiting),
    /// A person must decide.
    Clash(Found),
}

/// What a trial found to be decided.
struct Found {
    kind: ConflictKind,
    rule: Option<&'static str>,
    parts: Vec<Part>,
}

impl World {
    /// Decides the ops of one group, in their order. Answers one for each.
    pub fn decide_txn(&mut self, author: &Author, group: &[Member<'_>]) -> Vec<Answer> {
        let replays: Vec<Option<Answer>> = group.iter().map(|member| self.seen_before(author, member)).collect();
        if replays.iter().all(Option::is_none) {
            self.decide_new_txn(author, group);
        } else {
            let is_refused = |replay: &&Option<Answer>| {
                replay.as_ref().is_some_and(|answer| matches!(answer.kind, AnswerKind::Rejected(_)))
            };
            let culprit = replays.iter().position(|replay| is_refused(&replay)).map(|at| named(&group[at]).0);
            let detail = "some of the group's changes were sent before, so this is not the whole group";
            let rejection = culprit.map_or_else(|| Rejection::new("txn_incomplete", detail), failed_with);
            for (member, _) in group.iter().zip(&replays).filter(|(_, replay)| replay.is_none()) {
                self.refuse_member(author, member, &rejection);
            }
        }
        self.decide_waiters();
        let answers = group.iter().zip(replays);
        answers.map(|(member, replay)| replay.unwrap_or_else(|| fresh_answer(member))).collect()
    }

    fn seen_before(&self, author: &Author, member: &Member<'_>) -> Option<Answer> {
        match member {
            Ok(op) => self.replay(author, op.id, &op.sent),
            Err(refused) => {
                let known = self.ops.get(&refused.id?)?;
                let id = known.id;
                let kind = if is_same_op(known, author, &refused.sent) {
                    AnswerKind::Queued { op_id: id, replayed: true }
                } else {
                    AnswerKind::Rejected(refused.rejection.clone())
                };
                Some(Answer { echo: refused.sent.echo.clone(), kind })
            }
        }
    }

    fn decide_new_txn(&mut self, author: &Author, group: &[Member<'_>]) {
        // A member whose id cannot be read is one of the group all the same: it is at fault, not the group's size.
        let readable: Vec<OpId> = group.iter().filter_map(|member| named(member).0).collect();
        let is_twice = readable.iter().collect::<BTreeSet<_>>().len() < readable.len();
        let size = i64::try_from(group.len()).unwrap_or(i64::MAX);
        let is_whole = |member: &Member<'_>| match member {
            Ok(op) => op.txn.is_some_and(|txn| txn.size == size),
            Err(refused) => refused.sent.txn.as_ref().and_then(|txn| txn.get("size")?.as_i64()) == Some(size),
        };
        if is_twice || !group.iter().all(is_whole) {
            let rejection = Rejection::new("txn_incomplete", "a group's changes must all come in one push");
            for member in group {
                self.refuse_member(author, member, &rejection);
            }
            return;
        }
        let ops: Vec<Op> = group.iter().filter_map(|member| member.ok().cloned()).collect();
        if ops.len() < group.len() {
            let culprit = group.iter().find_map(|member| member.err()).and_then(|refused| refused.id);
            let rejection = failed_with(culprit);
            for member in group {
                self.refuse_member(author, member, &rejection);
            }
            return;
        }
        self.decide_group(author, &ops);
    }

    /// Files a member as refused: with its own fault where it has one, else with the group's.
    fn refuse_member(&mut self, author: &Author, member: &Member<'_>, rejection: &Rejection) {
        let (id, sent) = named(member);
        let own = member.err().map_or(rejection, |refused| &refused.rejection);
        let Some(id) = id.filter(|id| self.op(*id).is_none()) else { return };
        self.file(author, id, sent, &own.clone().into());
    }

    /// Decides ops as one and files them: a group, or a single placing, which is a card of one row.
    pub(super) fn decide_group(&mut self, author: &Author, ops: &[Op]) {
        let fault = match self.attempt(|world| world.try_group(author, ops)) {
            Ok(()) => return,
            Err(fault) => fault,
        };
        match fault {
            Fault::Rejected(at, rejection) => {
                for (index, op) in ops.iter().enumerate() {
                    let rejection = if index == at { rejection.clone() } else { failed_with(Some(ops[at].id)) };
                    self.file(author, op.id, &op.sent, &rejection.into());
                }
            }
            Fault::Waits(waiting) => {
                for op in ops {
                    self.file(author, op.id, &op.sent, &Ruling::waits(waiting.clone()));
                }
            }
            Fault::Clash(found) => match ops {
                // One op alone has a clash of its own, about its own row.
                [op] if found.rule.is_none() => self.decide_alone(author, op),
                _ => self.file_clash(author, ops, &found),
            },
        }
    }

    /// A group that waited too long.
    pub(super) fn give_up_group(&mut self, author: &Author, ops: &[Op]) {
        let mut parts = self.parts(ops, &[]);
        for part in &mut parts {
            part.contested.append(&mut part.clean);
        }
        self.file_clash(author, ops, &Found { kind: ConflictKind::MissingReference, rule: None, parts });
    }

    fn try_group(&mut self, author: &Author, ops: &[Op]) -> Result<(), Fault> {
        let card = self.card_before(ops);
        let mut clashes = Vec::new();
        let mut undecided: Vec<usize> = (0..ops.len()).collect();
        // One that needs another op of the group has its turn after that one, whatever their numbers.
        loop {
            let before = undecided.len();
            undecided = self.try_ops(author, ops, &undecided, &mut clashes)?;
            if undecided.is_empty() || undecided.len() == before {
                break;
            }
        }
        if let (Some(at), true) = (undecided.first(), clashes.is_empty()) {
            let detail = "the group's changes wait for each other";
            return Err(Fault::Rejected(*at, Rejection::new("cyclic_reference", detail)));
        }
        let rule = if clashes.is_empty() { self.card_fault(author, ops, &card) } else { None };
        let kind = clashes.first().and_then(|id| self.conflicts.get(id)).map(|conflict| conflict.kind);
        let (kind, rule) = match (kind, rule) {
            (None, None) => {
                self.finish_card(author, ops, &card);
                return Ok(());
            }
            (Some(ConflictKind::InsertInsert), _) if ops.len() > 1 && is_card(ops) => (ConflictKind::Rule, Some("C7")),
            (Some(kind), _) => (kind, None),
            (None, Some(CardFault(rule))) => (ConflictKind::Rule, Some(rule)),
        };
        let mut parts = self.parts(ops, &clashes);
        if rule == Some("C7") {
            parts.extend(left_off(&card, &parts));
        }
        Err(Fault::Clash(Found { kind, rule, parts }))
    }

    /// Tries some ops of a group; answers those that wait for another of the group, perhaps because that one clashes.
    fn try_ops(
        &mut self,
        author: &Author,
        ops: &[Op],
        places: &[usize],
        clashes: &mut Vec<ConflictId>,
    ) -> Result<Vec<usize>, Fault> {
        let (mut undecided, mut waits) = (Vec::new(), None);
        for at in places {
            let op = &ops[*at];
            match self.ruling(author, op) {
                Err(Stop::Rejected(rejection)) => return Err(Fault::Rejected(*at, rejection)),
                Err(Stop::Waits(waiting)) if is_of(ops, &waiting) => undecided.push(*at),
                Err(Stop::Waits(waiting)) => waits = waits.or(Some(waiting)),
                Ok(ruling) => {
                    clashes.extend(ruling.conflict);
                    self.file(author, op.id, &op.sent, &ruling);
                }
            }
        }
        match waits {
            Some(waiting) => Err(Fault::Waits(waiting)),
            None => Ok(undecided),
        }
    }

    /// The rows of a group as its author wants them, in the order they first appear.
    fn parts(&self, ops: &[Op], clashes: &[ConflictId]) -> Vec<Part> {
        let is_card = is_card(ops);
        let mut parts: Vec<Part> = Vec::new();
        for sent in ops {
            let op = &*self.under_true_names(sent);
            if parts.iter().any(|part| part.record_id == op.record_id && part.table == op.table) {
                continue;
            }
            let about = ops.iter().filter(|other| other.sent.record_id == sent.sent.record_id);
            let last = about.clone().next_back().unwrap_or(sent);
            let clash = clashes.iter().filter_map(|id| self.conflicts.get(id));
            let clash = clash.into_iter().find(|clash| clash.record_id == op.record_id && clash.table == op.table);
            let mut asked: Vec<usize> = about.flat_map(|op| op.patch.keys().copied()).collect();
            asked.sort_unstable();
            asked.dedup();
            let asked = paths(op.table, &asked);
            let mut contested = clash.map(|clash| clash.contested.clone()).unwrap_or_default();
            if is_card && op.table.name == "placings" {
                contested.clone_from(&asked);
            }
            let clean = asked.into_iter().filter(|path| !contested.contains(path)).collect();
            let key = (op.table.name, op.record_id);
            let written = || self.record(key).map(|record| record.data(ReadClass::Office));
            let client = clash.and_then(|clash| clash.client_data.clone()).or_else(written);
            parts.push(Part {
                table: op.table,
                record_id: op.record_id,
                operation: op.operation,
                base: clash.map_or_else(|| self.base_of(op), |clash| clash.base_data.clone()),
                server: None,
                client: (last.operation != Operation::Delete).then(|| client.unwrap_or_else(|| sent_data(op))),
                version: Version(0),
                other_record_id: clash.and_then(|clash| clash.other_record_id),
                contested,
                clean,
            });
        }
        parts
    }

    fn base_of(&self, op: &Op) -> Option<serde_json::Map<String, serde_json::Value>> {
        let key = (op.table.name, op.record_id);
        let before = self.snapshots.get(&(key, op.base_version));
        match before {
            Some(values) => Some(data_of(op.table, values, ReadClass::Office)),
            None => known_data(op.table, &told_view(op)),
        }
    }

    /// Opens the group's clash, or joins one of this device about the same main row.
    fn file_clash(&mut self, author: &Author, ops: &[Op], found: &Found) {
        let Some(first) = ops.first() else { return };
        let main = self.main_row(first);
        let own = |conflict: &&Conflict| conflict.device_id == author.actor.device && !conflict.parts.is_empty();
        let joined = self.open_on(main).find(own).map(|conflict| conflict.id);
        let parts = found.parts.iter().map(|part| self.as_it_is(part)).collect();
        let (id, ruling) = if let Some(id) = joined {
            self.join_group(author, ops, id, parts);
            (id, Ruling::held(id))
        } else {
            let id = self.open_group(author, first, main, Found { parts, ..*found });
            (id, Ruling::conflict(id))
        };
        for op in ops {
            self.file(author, op.id, &op.sent, &ruling);
        }
        if let Some(conflict) = self.conflicts.get_mut(&id) {
            conflict.op_ids.extend(ops.iter().map(|op| op.id));
        }
    }

    /// The row a group's clash is about: the class of a card, else the first op's row.
    fn main_row(&self, first: &Op) -> Key {
        let class = (first.table.name == "placings").then(|| self.class_of_placing(first)).flatten();
        class.map_or((first.table.name, first.record_id), |class| ("classes", class))
    }

    /// A part with the desk's row as it is now.
    pub(super) fn as_it_is(&self, part: &Part) -> Part {
        let record = self.record((part.table.name, part.record_id));
        Part {
            server: record.filter(|record| record.is_live()).map(|record| record.data(ReadClass::Office)),
            version: record.map_or(Version(0), |record| record.version),
            ..part.clone()
        }
    }

    fn open_group(&mut self, author: &Author, first: &Op, main: Key, found: Found) -> ConflictId {
        let record = self.record(main);
        let own = found.parts.iter().find(|part| (part.table.name, part.record_id) == main);
        let server_data = record.filter(|record| record.is_live()).map(|record| record.data(ReadClass::Office));
        let desk_author = found
            .parts
            .iter()
            .filter(|part| !part.contested.is_empty())
            .find_map(|part| last_author(self.record((part.table.name, part.record_id))?, &part.contested));
        let mut contested: Vec<String> = own.map(|part| part.contested.clone()).unwrap_or_default();
        if main.0 == "classes" && own.is_none() {
            contested.push("card_state".to_owned());
        }
        let client_data = own.map_or_else(|| server_data.clone(), |part| part.client.clone());
        let base_data = own.and_then(|part| part.base.clone());
        let clean = own.map(|part| part.clean.clone()).unwrap_or_default();
        let server_version = record.map_or(Version(0), |record| record.version);
        let conflict = Conflict {
            other_record_id: found.parts.iter().find_map(|part| part.other_record_id),
            rule: found.rule.map(str::to_owned),
            server_user_id: desk_author,
            base_data,
            client_data,
            server_version,
            server_data,
            contested,
            clean,
            parts: found.parts,
            ..self.blank_conflict(author, first, main, found.kind)
        };
        let id = conflict.id;
        self.change_conflict(conflict, &Cause::of(&author.actor, Some(first.id), None));
        id
    }

    fn join_group(&mut self, author: &Author, ops: &[Op], id: ConflictId, parts: Vec<Part>) {
        let Some(mut conflict) = self.conflicts.get(&id).cloned() else { return };
        for part in parts {
            match conflict.parts.iter_mut().find(|known| known.record_id == part.record_id) {
                Some(known) => {
                    let joined = part.contested.iter().chain(&part.clean);
                    let new: Vec<String> = joined
                        .filter(|path| !known.contested.contains(path) && !known.clean.contains(path))
                        .cloned()
                        .collect();
                    known.contested.extend(new);
                    known.client = part.client;
                }
                None => conflict.parts.push(part),
            }
        }
        conflict.rev += 1;
        self.change_conflict(conflict, &Cause::of(&author.actor, ops.first().map(|op| op.id), None));
    }
}

fn fresh_answer(member: &Member<'_>) -> Answer {
    let (id, sent) = named(member);
    let kind = match (id, member) {
        (Some(op_id), _) => AnswerKind::Queued { op_id, replayed: false },
        (None, Err(refused)) => AnswerKind::Rejected(refused.rejection.clone()),
        (None, Ok(op)) => AnswerKind::Queued { op_id: op.id, replayed: false },
    };
    Answer { echo: sent.echo.clone(), kind }
}

/// The op's id, if it could be read, and what was sent.
fn named<'a>(member: &'a Member<'_>) -> (Option<OpId>, &'a Sent) {
    match member {
        Ok(op) => (Some(op.id), &op.sent),
        Err(refused) => (refused.id, &refused.sent),
    }
}

fn failed_with(culprit: Option<OpId>) -> Rejection {
    let culprit = culprit.map_or_else(|| "the one whose op_id cannot be read".to_owned(), |id| id.to_string());
    Rejection::new("txn_failed", format!("nothing of the group was written, because {culprit} was not accepted"))
}

/// Whether an op waits for another of the same group.
fn is_of(ops: &[Op], waiting: &Waiting) -> bool {
    ops.iter().any(|op| {
        op.id.0 == waiting.root || op.record_id.0 == waiting.root || op.sent.record_id == Some(RecordId(waiting.root))
    })
}

/// Whether a group is a result card.
pub(super) fn is_card(ops: &[Op]) -> bool {
    ops.iter().any(|op| op.table.name == "placings")
}

/// A new row as it was sent, with the defaults of what was not.
fn sent_data(op: &Op) -> serde_json::Map<String, serde_json::Value> {
    let value = |(field, default): (usize, Value)| op.patch.get(&field).cloned().unwrap_or(default);
    let defaults = op.table.fields.iter().map(|field| field.default.clone()).enumerate();
    let values: Vec<Value> = defaults.map(value).collect();
    data_of(op.table, &values, ReadClass::Office)
}
