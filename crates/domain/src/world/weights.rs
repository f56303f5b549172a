//! Weights that contradict each other (DOMAIN.md §5, rules C1, C2 and C14). A weigh-in is a fact: it is always stored,
//! and the earlier one stays official until a person has decided.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::settle::{Decision, SettleError};
use super::write::Draft;
use super::{Author, Cause, World};
use crate::actor::{Actor, ReadClass};
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::derive;
use crate::ids::{ConflictId, OpId, RecordId, Version};
use crate::op::{Op, Operation, Rejection};
use crate::record::Record;
use crate::schema::known_table;
use crate::value::{Value, decode_id};

/// Two weights for one animal that nothing links.
const TWO_WEIGHTS: &str = "C1";
/// A weigh-back too far from the official weight.
const WEIGH_BACK: &str = "C14";
/// The field of an animal that two weights are about.
const OFFICIAL: &str = "official_weight_x10";

/// The fields that void a weigh-in, and their values.
const VOID: [&str; 3] = ["voided_at", "voided_by", "voided_reason"];
type Void = [Value; 3];

/// What a new weigh-in means beside the one that is official.
pub(super) enum WeighIn {
    /// Nothing: the first, one linked to the last of the chain, or of a kind that does not count.
    Plain,
    /// As good as the official one: it takes its place, and that is noted.
    Close {
        /// The weigh-in that was official.
        replaced: RecordId,
    },
    /// Too far from the official one: a person must decide.
    Contradicts {
        /// The weigh-in that stays official.
        official: RecordId,
    },
}

/// A weigh-in that a decision makes: whose it is, as an op of theirs, and what it means.
pub(super) struct Weighed {
    author: Author,
    op: Op,
    meaning: WeighIn,
}

impl World {
    /// A weigh-in that a decision is about to make is looked at like one that a phone sends; one that is as good as the
    /// official weight is linked to it in `values`. None for other tables.
    pub(super) fn weigh_in_made(&self, conflict: &Conflict, decider: &Actor, values: &mut [Value]) -> Option<Weighed> {
        let table = conflict.table;
        if table.name != "weigh_ins" {
            return None;
        }
        let is_its = |id: &&OpId| self.op(**id).is_some_and(|op| op.record_id == Some(conflict.record_id));
        let id = conflict.op_ids.iter().find(is_its).copied().unwrap_or(conflict.queue_id);
        let made = Op::of_decision(table, conflict.record_id, Operation::Insert, BTreeMap::new(), None);
        let op = Op { id, ..made };
        let actor = Actor { person: conflict.user_id, device: conflict.device_id, ..decider.clone() };
        let author = Author { actor, incarnation: Uuid::nil(), skew_ms: 0, recovered_from: None };
        let meaning = self.weigh_in(&op, values);
        if let WeighIn::Close { replaced } = &meaning {
            values[table.index("replaces_id")] = Value::Id(replaced.0);
        }
        Some(Weighed { author, op, meaning })
    }

    /// After a decision made a weigh-in: as after one that a phone sent.
    pub(super) fn note_weigh_in_made(&mut self, weighed: &Weighed) {
        self.note_weigh_in(&weighed.author, &weighed.op, &weighed.meaning);
    }

    /// What a weigh-in about to be written means. Within `rules.weigh_tolerance_x10` the later one counts (rule C1).
    pub(super) fn weigh_in(&self, op: &Op, values: &[Value]) -> WeighIn {
        let value = |path: &str| &values[op.table.index(path)];
        let Some(animal) = value("animal_id").as_id() else { return WeighIn::Plain };
        let declared = self.rule_is_on("rules.declared_weights");
        let kind = value("kind").as_text().unwrap_or_default();
        let counts = matches!(kind, "arrival" | "reweigh") || (declared && kind == "declared");
        if !counts || !value("voided_at").is_null() {
            return WeighIn::Plain;
        }
        let siblings = self.children_of("weigh_ins", "animal_id", animal);
        // A link to a weigh-in that another one has replaced by now was made by somebody who had not seen that.
        let is_seen = |replaced: Uuid| {
            let replaces = |other: &&Record| {
                other.is_live()
                    && other.value("voided_at").is_null()
                    && other.value("replaces_id").as_id() == Some(replaced)
            };
            !siblings.iter().any(replaces)
        };
        // One that comes back under what had replaced it is no end of a chain.
        if value("replaces_id").as_id().is_some_and(is_seen) || !is_seen(op.record_id.0) {
            return WeighIn::Plain;
        }
        let Some(official) = derive::official_weigh_in(&siblings, declared) else { return WeighIn::Plain };
        let is_disputed = self.weights_in_dispute(RecordId(animal)).is_some();
        let (new, old) = (value("weight_x10").as_int(), official.value("weight_x10").as_int());
        let tolerance = self.show().and_then(|show| show.value("rules.weigh_tolerance_x10").as_int()).unwrap_or(0);
        let apart = new.zip(old).map_or(0, |(new, old)| (new - old).abs());
        if apart <= tolerance && !is_disputed {
            WeighIn::Close { replaced: official.id }
        } else {
            WeighIn::Contradicts { official: official.id }
        }
    }

    fn rule_is_on(&self, path: &str) -> bool {
        self.show().is_some_and(|show| *show.value(path) == Value::Bool(true))
    }

    fn weights_in_dispute(&self, animal: RecordId) -> Option<ConflictId> {
        let about = |conflict: &&Conflict| conflict.rule.as_deref() == Some(TWO_WEIGHTS);
        self.open_on(("animals", animal)).find(about).map(|conflict| conflict.id)
    }

    /// After a weigh-in was written: notes that it took the official one's place, or asks a person.
    pub(super) fn note_weigh_in(&mut self, author: &Author, op: &Op, meaning: &WeighIn) {
        let animal = self.record(("weigh_ins", op.record_id)).and_then(|row| row.value("animal_id").as_id());
        let Some(animal) = animal.map(RecordId) else { return };
        match meaning {
            WeighIn::Plain => self.check_weigh_back(author, op, animal),
            WeighIn::Close { replaced } => {
                let weight = |id: RecordId| self.record(("weigh_ins", id)).map(|row| row.value("weight_x10").clone());
                if weight(*replaced) != weight(op.record_id) {
                    self.file_rule(author, op, animal, *replaced, ConflictStatus::MergedAutomatically);
                }
            }
            WeighIn::Contradicts { official } => match self.weights_in_dispute(animal) {
                Some(id) => self.join_weights(author, op, id),
                None => self.file_rule(author, op, animal, *official, ConflictStatus::Open),
            },
        }
    }

    fn file_rule(&mut self, author: &Author, op: &Op, animal: RecordId, official: RecordId, status: ConflictStatus) {
        let Some(record) = self.record(("animals", animal)).cloned() else { return };
        let rank_of_desk = self.record(("weigh_ins", official)).and_then(|row| row.updated_by);
        let client = self.with_weight(&record, op.record_id);
        let conflict = Conflict {
            other_record_id: Some(official),
            server_user_id: rank_of_desk,
            contested: vec![OFFICIAL.to_owned()],
            client_data: Some(client),
            status,
            resolved_at: (status != ConflictStatus::Open).then_some(self.now),
            ..self.rule_conflict(author, op, TWO_WEIGHTS, &record)
        };
        self.change_conflict(conflict, &Cause::of(&author.actor, Some(op.id), None));
    }

    fn join_weights(&mut self, author: &Author, op: &Op, id: ConflictId) {
        let Some(mut conflict) = self.conflicts.get(&id).cloned() else { return };
        let Some(record) = self.record(("animals", conflict.record_id)).cloned() else { return };
        conflict.client_data = Some(self.with_weight(&record, op.record_id));
        conflict.op_ids.push(op.id);
        conflict.rev += 1;
        self.change_conflict(conflict, &Cause::of(&author.actor, Some(op.id), None));
    }

    /// The animal's row as it would be with this weigh-in official.
    fn with_weight(&self, animal: &Record, weigh_in: RecordId) -> Map<String, Json> {
        let mut data = animal.data(ReadClass::Office);
        let weight = self.record(("weigh_ins", weigh_in)).map(|row| row.value("weight_x10").to_json());
        data.insert(OFFICIAL.to_owned(), weight.unwrap_or_default());
        data
    }

    /// Rule C14: a weigh-back out of tolerance proposes to disqualify; a person confirms.
    fn check_weigh_back(&mut self, author: &Author, op: &Op, animal: RecordId) {
        let row =
            self.record(("weigh_ins", op.record_id)).filter(|row| row.value("kind").as_text() == Some("weigh_back"));
        let weight = row.and_then(|row| row.value("weight_x10").as_int());
        let official = self.record(("animals", animal)).and_then(|animal| animal.value(OFFICIAL).as_int());
        let tolerance = self.show().and_then(|show| show.value("rules.weigh_back_tol_x10").as_int());
        let (Some(weight), Some(official), Some(tolerance)) = (weight, official, tolerance) else { return };
        if (weight - official).abs() <= tolerance {
            return;
        }
        let placed: Vec<Record> = self
            .children_of("entries", "animal_id", animal.0)
            .into_iter()
            .filter(|entry| entry.is_live() && entry.value("out_reason").as_text() != Some("disqualified"))
            .filter(|entry| self.children_of("placings", "entry_id", entry.id.0).iter().any(|row| row.is_live()))
            .cloned()
            .collect();
        for entry in placed {
            let mut client = entry.data(ReadClass::Office);
            client.insert("out_reason".to_owned(), Json::from("disqualified"));
            let conflict = Conflict {
                contested: vec!["out_reason".to_owned()],
                client_data: Some(client),
                ..self.rule_conflict(author, op, WEIGH_BACK, &entry)
            };
            self.change_conflict(conflict, &Cause::of(&author.actor, Some(op.id), None));
        }
    }

    /// An open clash of a rule about a row, without what the rule itself says.
    pub(super) fn rule_conflict(&mut self, author: &Author, op: &Op, rule: &str, record: &Record) -> Conflict {
        Conflict {
            rule: Some(rule.to_owned()),
            server_user_id: record.updated_by,
            op_ids: vec![op.id],
            base_data: Some(record.data(ReadClass::Office)),
            server_data: Some(record.data(ReadClass::Office)),
            server_version: record.version,
            ..self.blank_conflict(author, op, (record.table.name, record.id), ConflictKind::Rule)
        }
    }

    /// Decides between weights: the phone's voids the earlier one, the laptop's the new ones, another weight replaces
    /// them all. The one that wins counts, also if it was void, and a weight that a former decision added does not any
    /// more. Answers what an undo must bring back.
    pub(super) fn settle_weights(
        &mut self,
        conflict: &Conflict,
        decider: &Actor,
        decision: &Decision,
        cause: &Cause,
    ) -> Result<Json, SettleError> {
        let version = self.main_version(conflict);
        let is_live = |id: &RecordId| self.record(("weigh_ins", *id)).is_some_and(Record::is_live);
        // One that was deleted meanwhile is not decided about.
        let earlier = conflict.other_record_id.filter(is_live);
        let new: Vec<RecordId> = self.later_weights(conflict).into_iter().filter(is_live).collect();
        let newest = self.phones_weight(conflict);
        let manual = match decision.resolution {
            "manual" => Some(manual_weight(decision)?),
            _ if decision.data.is_empty() => None,
            _ => return Err(Rejection::new("unknown_field", "values go with the resolution manual only").into()),
        };
        let winner = match decision.resolution {
            "client_wins" => Some(newest.ok_or_else(weight_is_gone)?),
            "server_wins" => Some(earlier.ok_or_else(weight_is_gone)?),
            _ => None,
        };
        let others = earlier.into_iter().chain(new).chain(added_in_force(conflict)).filter(|id| Some(*id) != winner);
        let why = decision.reason.clone().unwrap_or_else(|| "decided between two weights".to_owned());
        let voided: Vec<RecordId> = others
            .collect::<Vec<_>>()
            .into_iter()
            .filter(|id| self.set_void(*id, Some(self.void_by(decider, &why)), cause))
            .collect();
        let void_before = winner.and_then(|id| Some((id, self.void_of(id)?)));
        if let Some((id, _)) = &void_before {
            self.set_void(*id, None, cause);
        }
        let void_before = void_before.map(|(id, void)| json!({ "id": id, "void": void }));
        let added =
            manual.map(|weight| self.add_weight(conflict.record_id, newest.or(earlier), weight, decider, cause));
        self.renew(conflict, version, cause);
        Ok(json!({ "deleted": false, "voided": voided, "added": added, "counts_again": void_before }))
    }

    /// Takes a decision between weights back. `Moved` if one of them was touched since.
    pub(super) fn unsettle_weights(
        &mut self,
        conflict: &Conflict,
        before: &Json,
        actor: &Actor,
        cause: &Cause,
    ) -> Result<(), SettleError> {
        let version = self.main_version(conflict);
        let voided = ids_of(before.get("voided"));
        let is_void = |world: &Self, id: &RecordId| {
            world.record(("weigh_ins", *id)).is_some_and(|row| !row.value("voided_at").is_null())
        };
        let added = ids_of(before.get("added").filter(|id| !id.is_null()));
        if !voided.iter().all(|id| is_void(self, id)) || added.iter().any(|id| is_void(self, id)) {
            return Err(SettleError::Moved);
        }
        let again = before.get("counts_again");
        let void_before = again.and_then(|again| again.get("void")).and_then(void_marks);
        let again = ids_of(again.and_then(|again| again.get("id"))).pop().zip(void_before);
        if again.as_ref().is_some_and(|(id, _)| is_void(self, id)) {
            return Err(SettleError::Moved);
        }
        for id in added {
            self.set_void(id, Some(self.void_by(actor, "the decision was taken back")), cause);
        }
        for id in voided {
            self.set_void(id, None, cause);
        }
        if let Some((id, void)) = again {
            self.set_void(id, Some(void), cause);
        }
        self.renew(conflict, version, cause);
        Ok(())
    }

    /// A decision is a new version of what it is about, also where the official weight stays what it was.
    fn renew(&mut self, conflict: &Conflict, before: Option<Version>, cause: &Cause) {
        let row = self.record((conflict.table.name, conflict.record_id)).cloned();
        if let Some(row) = row.filter(|row| Some(row.version) == before) {
            self.put(Draft { table: row.table, id: row.id, values: row.values, deleted: false }, cause);
        }
    }

    /// Voids a weigh-in, or makes it count again; one that was deleted stays so. Answers whether that changed it.
    fn set_void(&mut self, id: RecordId, void: Option<Void>, cause: &Cause) -> bool {
        let Some(row) = self.record(("weigh_ins", id)).filter(|row| row.is_live()) else { return false };
        if row.value("voided_at").is_null() == void.is_none() {
            return false;
        }
        let (table, mut values) = (row.table, row.values.clone());
        let marks = void.unwrap_or([Value::Null, Value::Null, Value::Null]);
        for (path, mark) in VOID.iter().zip(marks) {
            values[table.index(path)] = mark;
        }
        self.put(Draft { table, id, values, deleted: false }, cause);
        true
    }

    fn void_by(&self, actor: &Actor, why: &str) -> Void {
        [Value::Instant(self.now), Value::Id(actor.person.0), Value::Text(short(why))]
    }

    /// How a weigh-in was voided, by path; none if it counts.
    fn void_of(&self, id: RecordId) -> Option<Map<String, Json>> {
        let row = self.record(("weigh_ins", id)).filter(|row| !row.value("voided_at").is_null())?;
        Some(VOID.iter().map(|path| ((*path).to_owned(), row.value(path).to_json())).collect())
    }

    /// The author of a disputed weight takes it back.
    pub(super) fn void_own(&mut self, op_id: OpId, author: &Actor, cause: &Cause) {
        if let Some(id) = self.op(op_id).and_then(|op| op.record_id) {
            self.set_void(id, Some(self.void_by(author, "taken back by its author")), cause);
        }
    }

    /// After a weigh-in was written, `before` being what it was: if it is one of those in dispute and counts no longer,
    /// or counts again, who decides must look again. Two weights are in dispute no longer once all but one were voided.
    pub(super) fn review_weights(&mut self, weigh_in: RecordId, before: Option<&Record>, cause: &Cause) {
        let Some(row) = self.record(("weigh_ins", weigh_in)) else { return };
        let counts_now = counts(row);
        let animal = row.value("animal_id").as_id().filter(|_| counts_now != before.is_some_and(counts));
        let dispute = animal.and_then(|animal| self.weights_in_dispute(RecordId(animal)));
        let Some(mut conflict) = dispute.and_then(|id| self.conflicts.get(&id).cloned()) else { return };
        let later = self.later_weights(&conflict);
        let named: Vec<RecordId> = conflict.other_record_id.into_iter().chain(later).collect();
        if !named.contains(&weigh_in) {
            return;
        }
        let standing: Vec<RecordId> = named.into_iter().filter(|id| self.weight_counts(*id)).collect();
        if standing.len() <= 1 && !counts_now {
            conflict.status = ConflictStatus::Superseded;
            conflict.resolved_at = Some(self.now);
        } else {
            // Where the earlier one counts no longer, the next is what the desk has.
            let earlier = standing.first().copied().filter(|_| conflict.other_record_id == Some(weigh_in));
            conflict.other_record_id = earlier.or(conflict.other_record_id);
            self.show_phones_weight(&mut conflict);
            conflict.rev += 1;
        }
        self.change_conflict(conflict, cause);
    }

    /// The weigh-ins that came after the one that a dispute names as the earlier, in their order.
    fn later_weights(&self, conflict: &Conflict) -> Vec<RecordId> {
        let mut later = Vec::new();
        for id in conflict.op_ids.iter().filter_map(|id| self.op(*id)?.record_id) {
            if Some(id) != conflict.other_record_id && !later.contains(&id) {
                later.push(id);
            }
        }
        later
    }

    /// The weigh-in that a decision for the phone makes official: the newest that counts; if none does, the newest that
    /// was not deleted.
    fn phones_weight(&self, conflict: &Conflict) -> Option<RecordId> {
        let later = self.later_weights(conflict);
        let is_live = |id: &&RecordId| self.record(("weigh_ins", **id)).is_some_and(Record::is_live);
        let newest = later.iter().rev().find(|id| self.weight_counts(**id));
        newest.or_else(|| later.iter().rev().find(is_live)).copied()
    }

    fn weight_counts(&self, id: RecordId) -> bool {
        self.record(("weigh_ins", id)).is_some_and(counts)
    }

    /// Shows the phone's side of a dispute as a decision would make it now.
    pub(super) fn show_phones_weight(&self, conflict: &mut Conflict) {
        let animal = self.record(("animals", conflict.record_id));
        if let (Some(animal), Some(weigh_in)) = (animal, self.phones_weight(conflict)) {
            conflict.client_data = Some(self.with_weight(animal, weigh_in));
        }
    }

    fn add_weight(
        &mut self,
        animal: RecordId,
        like: Option<RecordId>,
        weight_x10: i64,
        decider: &Actor,
        cause: &Cause,
    ) -> RecordId {
        let table = known_table("weigh_ins");
        let id = RecordId(self.fresh_id());
        let mut values: Vec<Value> = table.fields.iter().map(|field| field.default.clone()).collect();
        values[table.index("animal_id")] = Value::Id(animal.0);
        values[table.index("kind")] = Value::Text("reweigh".to_owned());
        values[table.index("weight_x10")] = Value::Int(weight_x10);
        values[table.index("weighed_at")] = Value::Instant(self.now);
        values[table.index("unit")] = self.show().map_or(Value::Null, |show| show.value("weight_unit").clone());
        values[table.index("replaces_id")] = like.map_or(Value::Null, |id| Value::Id(id.0));
        self.put(Draft { table, id, values, deleted: false }, &Cause { person: Some(decider.person), ..cause.clone() });
        id
    }
}

impl Conflict {
    /// Whether its ops are facts that stand whatever is decided.
    pub fn is_about_weights(&self) -> bool {
        self.rule.as_deref() == Some(TWO_WEIGHTS)
    }

    /// Whether the op that opened it is written already: a rule never withholds a fact. That stays so when the row it is
    /// about is deleted meanwhile.
    pub fn is_about_facts(&self) -> bool {
        self.rule.is_some() && self.parts.is_empty()
    }
}

fn counts(weigh_in: &Record) -> bool {
    weigh_in.is_live() && weigh_in.value("voided_at").is_null()
}

/// Weigh-ins that the decision in force has added: somebody disagrees with it, and it was not taken back.
fn added_in_force(conflict: &Conflict) -> Vec<RecordId> {
    let last = conflict.decisions.last().filter(|decision| decision.get("undone_at").is_none());
    ids_of(last.and_then(|decision| decision.get("before")?.get("added")).filter(|id| !id.is_null()))
}

fn weight_is_gone() -> SettleError {
    let detail = "the weight that would count was deleted: give a weight";
    Rejection::of_field("needs_manual", OFFICIAL, detail).into()
}

/// The marks of a void as they were kept.
fn void_marks(kept: &Json) -> Option<Void> {
    let table = known_table("weigh_ins");
    let mark = |path: &str| table.fields[table.index(path)].kind.decode_stored(kept.get(path)?).ok();
    Some([mark(VOID[0])?, mark(VOID[1])?, mark(VOID[2])?])
}

fn manual_weight(decision: &Decision) -> Result<i64, SettleError> {
    if let Some(path) = decision.data.keys().find(|path| path.as_str() != OFFICIAL) {
        return Err(Rejection::of_field("unknown_field", path, "this field is not part of the decision").into());
    }
    let table = known_table("weigh_ins");
    let json = decision.data.get(OFFICIAL).cloned().unwrap_or_default();
    let value = table.fields[table.index("weight_x10")].kind.decode(&json);
    let value = value.map_err(|error| Rejection::of_field(error.code, OFFICIAL, error.detail))?;
    value.as_int().ok_or_else(|| Rejection::of_field("required", OFFICIAL, "a weight is needed").into())
}

fn ids_of(json: Option<&Json>) -> Vec<RecordId> {
    let read = |json: &Json| json.as_str().and_then(|text| decode_id(text).ok()).map(RecordId);
    match json {
        Some(Json::Array(ids)) => ids.iter().filter_map(read).collect(),
        Some(id) => read(id).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A reason that fits a short text column.
fn short(text: &str) -> String {
    const CHARS_MAX: usize = 100;
    text.chars().filter(|char| !char.is_control()).take(CHARS_MAX).collect()
}
