//! Result cards: a class's placings posted as one (DOMAIN.md §5, rules C6, C7 and C8).

use std::collections::BTreeMap;

use serde_json::Value as Json;
use uuid::Uuid;

use super::write::{CardChange, Draft};
use super::{Author, Cause, World};
use crate::actor::ReadClass;
use crate::conflict::{Conflict, ConflictStatus, Part};
use crate::ids::{DeviceId, PersonId, RecordId, Version};
use crate::op::{Op, Operation};
use crate::record::Record;
use crate::schema::{Table, known_table};
use crate::value::Value;

/// Reasons to be out that suspend a placing; the others yield to it.
const SUSPENDS: &[&str] = &["missed_class", "sift", "vet", "disqualified"];
/// What a placing says about the result; who posted it and on which card does not count.
const RESULT_FIELDS: &[&str] = &["place", "ribbon", "award", "tie_group", "code"];

/// What a reason to be out does to a placing (rule C6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutOfPlaced {
    /// The entry is not placed.
    Stands,
    /// The animal was in the ring after all: the placing stays, the reason is not taken.
    Yields,
    /// The reason is taken, and a person decides about this placing.
    Suspends(RecordId),
}

/// The rule that withholds a card.
pub(super) struct CardFault(pub &'static str);

/// The placings of the group's classes before the card was tried.
pub(super) struct CardBefore {
    placings: BTreeMap<Uuid, Vec<Posted>>,
}

struct Posted {
    id: RecordId,
    result: Vec<Value>,
    card_id: Value,
    device: Option<DeviceId>,
    person: Option<PersonId>,
}

impl World {
    pub(super) fn class_of_placing(&self, op: &Op) -> Option<RecordId> {
        let record = self.record(("placings", op.record_id));
        let field = op.table.index("class_id");
        let sent = op.patch.get(&field).and_then(Value::as_id);
        sent.or_else(|| record.and_then(|record| record.values[field].as_id())).map(RecordId)
    }

    pub(super) fn card_before(&self, ops: &[Op]) -> CardBefore {
        let mut placings = BTreeMap::new();
        for op in ops.iter().filter(|op| op.table.name == "placings") {
            let Some(class) = self.class_of_placing(op) else { continue };
            placings.entry(class.0).or_insert_with(|| self.live_placings(class.0).into_iter().map(posted).collect());
        }
        CardBefore { placings }
    }

    fn live_placings(&self, class: Uuid) -> Vec<&Record> {
        let mut rows = self.children_of("placings", "class_id", class);
        rows.retain(|row| row.is_live());
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// Whether the card as it was just tried must be shown to a person.
    pub(super) fn card_fault(&self, author: &Author, ops: &[Op], before: &CardBefore) -> Option<CardFault> {
        before.placings.iter().find_map(|(class, posted)| {
            let now = self.live_placings(*class);
            if now.iter().any(|row| is_sent(ops, row) && self.is_suspended(row)) {
                return Some(CardFault("C6"));
            }
            if is_other_card(author, ops, posted, &now) {
                return Some(CardFault("C7"));
            }
            (self.has_place_twice(&now) || self.has_animal_twice(&now)).then_some(CardFault("C8"))
        })
    }

    fn is_suspended(&self, placing: &Record) -> bool {
        let placed = !placing.value("place").is_null();
        let out = self.entry_of(placing).and_then(|entry| entry.value("out_reason").as_text());
        placed && out.is_some_and(|out| SUSPENDS.contains(&out))
    }

    fn entry_of(&self, placing: &Record) -> Option<&Record> {
        placing.value("entry_id").as_id().and_then(|id| self.record(("entries", RecordId(id))))
    }

    /// Whether a class's live placings contradict each other (rule C8).
    pub(super) fn card_is_impossible(&self, class: Uuid) -> bool {
        let placings = self.live_placings(class);
        self.has_place_twice(&placings) || self.has_animal_twice(&placings)
    }

    /// Whether one placing contradicts another of its class. What else is wrong with the card is not its fault.
    pub(super) fn contradicts_card(&self, placing: &Record) -> bool {
        let Some(class) = placing.value("class_id").as_id() else { return false };
        let others = self.live_placings(class).into_iter().filter(|other| other.id != placing.id);
        let mut pairs = others.map(|other| [placing, other]);
        pairs.any(|pair| self.has_place_twice(&pair) || self.has_animal_twice(&pair))
    }

    /// Rule C8: a place given twice, unless ties are allowed and these are one.
    fn has_place_twice(&self, placings: &[&Record]) -> bool {
        let ties = self.show().is_some_and(|show| *show.value("rules.ties_allowed") == Value::Bool(true));
        let is_tie = |one: &Record, other: &Record| {
            ties && !one.value("tie_group").is_null() && one.value("tie_group") == other.value("tie_group")
        };
        placings.iter().enumerate().any(|(at, one)| {
            let same = |other: &&&Record| *other.value("place") == *one.value("place");
            !one.value("place").is_null() && placings[at + 1..].iter().filter(same).any(|other| !is_tie(one, other))
        })
    }

    /// Rule C8: an animal placed twice, as two entries.
    fn has_animal_twice(&self, placings: &[&Record]) -> bool {
        let placed = placings.iter().filter(|row| !row.value("place").is_null());
        let mut animals: Vec<Uuid> = placed.filter_map(|row| self.entry_of(row)?.value("animal_id").as_id()).collect();
        animals.sort_unstable();
        animals.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// What an accepted card brings with it: a scratch that yields is cleared, the same card twice is verified.
    pub(super) fn finish_card(&mut self, author: &Author, ops: &[Op], before: &CardBefore) {
        for op in ops.iter().filter(|op| op.table.name == "placings" && op.operation != Operation::Delete) {
            self.clear_scratch(author, op);
        }
        for (class, posted) in &before.placings {
            let now: Vec<(RecordId, Vec<Value>)> =
                self.live_placings(*class).into_iter().map(|row| (row.id, result_of(row))).collect();
            let is_same = !posted.is_empty()
                && now.len() == posted.len()
                && now.iter().zip(posted).all(|((id, result), posted)| *id == posted.id && *result == posted.result);
            let covers = now.iter().all(|(id, _)| ops.iter().any(|op| op.record_id == *id));
            let by_another = posted.iter().all(|posted| posted.person != Some(author.actor.person));
            if is_same && covers && by_another {
                let cause = Cause::of(&author.actor, ops.first().map(|op| op.id), None);
                self.derive_card(("classes", RecordId(*class)), &cause, CardChange::Verified);
            }
        }
    }

    /// What a reason to be out means for an entry that is placed already (rule C6).
    pub(super) fn out_of_placed(&self, entry: RecordId, out: &Value) -> OutOfPlaced {
        let placing = self
            .children_of("placings", "entry_id", entry.0)
            .into_iter()
            .find(|row| row.is_live() && !row.value("place").is_null());
        match (placing, out.as_text()) {
            (None, _) | (_, None) => OutOfPlaced::Stands,
            (Some(placing), Some(out)) if SUSPENDS.contains(&out) => OutOfPlaced::Suspends(placing.id),
            (Some(_), Some(_)) => OutOfPlaced::Yields,
        }
    }

    /// Asks whether a placing still stands, now that its animal is out.
    pub(super) fn suspend_placing(&mut self, author: &Author, op: &Op, placing: RecordId) {
        let Some(row) = self.record(("placings", placing)).cloned() else { return };
        let mut client = row.data(ReadClass::Office);
        client.insert("place".to_owned(), Json::Null);
        client.insert("tie_group".to_owned(), Json::Null);
        client.insert("code".to_owned(), Json::from("DQ"));
        let conflict = Conflict {
            contested: ["place", "tie_group", "code"].map(str::to_owned).to_vec(),
            client_data: Some(client),
            ..self.rule_conflict(author, op, "C6", &row)
        };
        self.change_conflict(conflict, &Cause::of(&author.actor, Some(op.id), None));
    }

    /// Rule C6: a no-show or scratch yields to a placing.
    fn clear_scratch(&mut self, author: &Author, op: &Op) {
        let placing = self.record(("placings", op.record_id)).filter(|row| !row.value("place").is_null());
        let entry = placing.and_then(|row| self.entry_of(row)).filter(|entry| entry.is_live()).cloned();
        let Some(entry) = entry else { return };
        if entry.value("out_reason").as_text().is_none_or(|out| SUSPENDS.contains(&out)) {
            return;
        }
        let mut values = entry.values.clone();
        values[entry.table.index("out_reason")] = Value::Null;
        let cause = self.cause_of(author, op);
        self.put(Draft { table: entry.table, id: entry.id, values, deleted: false }, &cause);
        let mut client = entry.data(ReadClass::Office);
        client.insert("out_reason".to_owned(), Json::Null);
        let filed = Conflict {
            status: ConflictStatus::MergedAutomatically,
            resolved_at: Some(self.now),
            contested: vec!["out_reason".to_owned()],
            client_data: Some(client),
            ..self.rule_conflict(author, op, "C6", &entry)
        };
        self.change_conflict(filed, &cause);
    }
}

/// Two cards of one class, written by people who had not seen each other's: neither adds to the other.
fn is_other_card(author: &Author, ops: &[Op], before: &[Posted], now: &[&Record]) -> bool {
    let others: Vec<&Posted> = before.iter().filter(|posted| posted.device != Some(author.actor.device)).collect();
    let has_seen = ops.iter().any(|op| op.table.name == "placings" && op.operation != Operation::Insert);
    let card_field = known_table("placings").index("card_id");
    let card = ops.iter().find_map(|op| op.patch.get(&card_field)).filter(|card| !card.is_null());
    let is_same_card = card.is_some_and(|card| others.iter().all(|posted| posted.card_id == *card));
    if others.is_empty() || has_seen || is_same_card || ops.len() < 2 {
        return false;
    }
    let same = now.len() == before.len()
        && now.iter().zip(before).all(|(row, posted)| row.id == posted.id && result_of(row) == posted.result);
    !same
}

/// Placings of the desk's card that another card leaves off: by that card they would not be there.
pub(super) fn left_off(before: &CardBefore, parts: &[Part]) -> Vec<Part> {
    let posted = before.placings.values().flatten();
    let missing = posted.filter(|posted| !parts.iter().any(|part| part.record_id == posted.id));
    let part = |posted: &Posted| Part {
        table: known_table("placings"),
        record_id: posted.id,
        operation: Operation::Delete,
        base: None,
        server: None,
        client: None,
        version: Version(0),
        other_record_id: None,
        contested: vec!["place".to_owned()],
        clean: Vec::new(),
    };
    missing.map(part).collect()
}

fn is_sent(ops: &[Op], row: &Record) -> bool {
    ops.iter().any(|op| op.table.name == "placings" && op.record_id == row.id)
}

fn result_of(row: &Record) -> Vec<Value> {
    RESULT_FIELDS.iter().map(|path| row.value(path).clone()).collect()
}

fn posted(row: &Record) -> Posted {
    Posted {
        id: row.id,
        result: result_of(row),
        card_id: row.value("card_id").clone(),
        device: row.device_id,
        person: row.value("posted_by").as_id().map(PersonId).or(row.updated_by),
    }
}

/// Fields of a placing that say who posted it, not what: the same result posted twice differs only there.
pub(super) fn is_card_mark(table: &Table, field: usize) -> bool {
    table.name == "placings" && matches!(table.fields[field].path, "card_id" | "posted_by")
}
