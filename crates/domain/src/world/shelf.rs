//! A show kept beside the working set, for tests: each transaction reads of it no more than [`World::missing`] and its
//! like name, as it reads no more of a database.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::tests::{ANIMAL, EXHIBITOR, SHOW, admin, author, now, row};
use super::{Author, BulkPart, Cause, Decision, Key, Member, Needs, SettleError, World, unique_keys};
use crate::actor::{Actor, Function, ReadClass, Role};
use crate::conflict::{Conflict, ConflictStatus};
use crate::ids::{ConflictId, OpId, RecordId, Seq, Version, natural_id};
use crate::op::{Op, decode};
use crate::queue::QueuedOp;
use crate::record::{HistoryRow, Record, values_of};

const ROUNDS_MAX: usize = 8;
pub(super) const OTHER_ANIMAL: Uuid = Uuid::from_u128(0xa1);
pub(super) const RINGS: [Uuid; 2] = [Uuid::from_u128(0x70), Uuid::from_u128(0x71)];
pub(super) const CLASSES: [Uuid; 2] = [Uuid::from_u128(0x80), Uuid::from_u128(0x81)];

/// What would be on the disk.
pub(super) struct Shelf {
    pub(super) rows: BTreeMap<Key, Record>,
    ops: BTreeMap<OpId, QueuedOp>,
    pub(super) conflicts: BTreeMap<ConflictId, Conflict>,
    pub(super) history: Vec<HistoryRow>,
    clock: Seq,
    turn: u128,
}

impl Shelf {
    /// A show under way: two animals entered in two classes, which two rings may show.
    pub(super) fn new() -> Self {
        let mut shelf = Self {
            rows: BTreeMap::new(),
            ops: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            history: Vec::new(),
            clock: Seq(10),
            turn: 0,
        };
        shelf.add("shows", SHOW, &json!({"name": "Fair", "timezone": "UTC", "stage": "D"}));
        shelf.add("exhibitors", EXHIBITOR, &json!({"first_name": "Ada", "last_name": "Reyes"}));
        for ring in RINGS {
            shelf.add("rings", ring, &json!({"name": ring.to_string()}));
        }
        for class in CLASSES {
            shelf.add("classes", class, &json!({"name": "Steers", "department": "cattle", "kind": "market"}));
        }
        for animal in [ANIMAL, OTHER_ANIMAL] {
            let data =
                json!({"exhibitor_id": EXHIBITOR.to_string(), "species": "cattle", "tag": animal.to_string()[34..]});
            shelf.add("animals", animal, &data);
            for class in CLASSES {
                let (class_id, animal_id) = (class.to_string(), animal.to_string());
                let data = json!({"exhibitor_id": EXHIBITOR.to_string(), "animal_id": animal_id,
                    "family_id": class_id, "class_id": class_id});
                shelf.add("entries", natural_id(class, animal), &data);
            }
        }
        shelf
    }

    pub(super) fn add(&mut self, table: &str, id: Uuid, data: &Json) {
        let row = row(table, id, data);
        self.history.push(HistoryRow {
            table: row.table,
            record_id: row.id,
            version: row.version,
            snapshot: row.data_text(ReadClass::Office),
            deleted: false,
            seq: self.clock,
            actor: None,
            device_id: None,
            op_id: None,
            at: now(),
            reason: None,
        });
        self.rows.insert((row.table.name, row.id), row);
    }

    fn open(&mut self) -> World {
        self.turn += 1;
        let mut next = self.turn << 32;
        let ids = Box::new(move || {
            next += 1;
            Uuid::from_u128(next)
        });
        World::new(now(), Uuid::from_u128(1), SHOW, self.clock, ids)
    }

    /// Does something as one transaction does: reads what is missing, decides, keeps what was written.
    pub(super) fn transact<T>(&mut self, missing: impl Fn(&World) -> Needs, work: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.open();
        for _ in 0..ROUNDS_MAX {
            let needs = missing(&world);
            if needs.is_empty() {
                break;
            }
            self.read(&mut world, &needs);
            world.mark_loaded(&needs);
        }
        let done = work(&mut world);
        self.keep(&world);
        done
    }

    fn read(&self, world: &mut World, needs: &Needs) {
        needs.ops.iter().filter_map(|id| self.ops.get(id)).for_each(|op| world.add_op(op.clone()));
        let is_of = |op: &&QueuedOp| op.record_id.is_some_and(|id| needs.device_records.contains(&(op.device_id, id)));
        self.ops.values().filter(is_of).for_each(|op| world.add_op(op.clone()));
        let is_child = |record: &Record| {
            let mut parents =
                record.table.references().filter_map(|(field, _)| Some((field, record.values[field].as_id()?)));
            parents.any(|(field, parent)| needs.children.contains(&(record.table.name, field, parent)))
        };
        let is_holder = |record: &Record| {
            record.is_live() && unique_keys(record.table, &record.values).iter().any(|key| needs.holders.contains(key))
        };
        let is_read = |(key, record): &(&Key, &Record)| {
            needs.records.contains(key) || needs.tables.contains(key.0) || is_child(record) || is_holder(record)
        };
        self.rows.iter().filter(is_read).for_each(|(_, record)| world.add_record(record.clone()));
        let is_asked = |conflict: &&Conflict| {
            let mut about = conflict.record_ids().into_iter().chain(conflict.other_record_id);
            needs.conflicts.contains(&conflict.id)
                || (conflict.status == ConflictStatus::Open && about.any(|id| needs.open_conflicts.contains(&id)))
        };
        self.conflicts.values().filter(is_asked).for_each(|conflict| world.add_conflict(conflict.clone()));
        for version in &self.history {
            let key = (version.table.name, version.record_id);
            if needs.snapshots.contains(&(key, version.version)) {
                let data = serde_json::from_str(&version.snapshot).expect("an object");
                world.add_snapshot(
                    key,
                    version.version,
                    values_of(version.table, &data).expect("values"),
                    version.deleted,
                );
            }
        }
    }

    fn keep(&mut self, world: &World) {
        let journal = world.journal();
        for key in journal.records.keys() {
            self.rows.insert(*key, world.record(*key).expect("a row").clone());
        }
        for id in journal.new_ops.iter().chain(&journal.changed_ops) {
            self.ops.insert(*id, world.op(*id).expect("an op").clone());
        }
        for id in &journal.conflicts {
            self.conflicts.insert(*id, world.conflict(*id).expect("a clash").clone());
        }
        self.history.extend(journal.history.iter().cloned());
        self.clock = world.clock;
    }

    /// Sends an op as an admin on a phone of its own; `lost` if a restore had taken it from the desk. Answers its verdict.
    pub(super) fn send(&mut self, number: u128, lost: bool, op: &Json) -> String {
        let op_id = Uuid::from_u128(0xb000 + number);
        let mut op = op.clone();
        op["op_id"] = json!(op_id.to_string());
        op["device_seq"] = json!(i64::try_from(number).expect("a small number"));
        let op = decode(&serde_json::value::to_raw_value(&op).expect("JSON")).expect("a good op");
        let author = on_phone(number, lost);
        let device = author.actor.device;
        self.transact(|world| world.missing(std::iter::once((device, &op))), |world| world.decide(&author, &op));
        self.ops[&op.id].verdict.expect("a verdict").as_str().to_owned()
    }

    /// Sends ops of one phone as a group; their numbers count up from this one. Answers their verdicts.
    pub(super) fn send_group(&mut self, number: u128, ops: &[Json]) -> Vec<String> {
        let txn = json!({"id": Uuid::from_u128(0xd000 + number).to_string(), "size": ops.len()});
        let decoded = (number..).zip(ops).map(|(number, op)| {
            let mut op = op.clone();
            op["op_id"] = json!(Uuid::from_u128(0xb000 + number).to_string());
            op["device_seq"] = json!(i64::try_from(number).expect("a small number"));
            op["txn"] = txn.clone();
            decode(&serde_json::value::to_raw_value(&op).expect("JSON")).expect("a good op")
        });
        let group: Vec<Op> = decoded.collect();
        let author = on_phone(number, false);
        let device = author.actor.device;
        let members: Vec<Member<'_>> = group.iter().map(Ok).collect();
        self.transact(
            |world| world.missing(group.iter().map(|op| (device, op))),
            |world| world.decide_txn(&author, &members),
        );
        group.iter().map(|op| self.ops[&op.id].verdict.expect("a verdict").as_str().to_owned()).collect()
    }

    pub(super) fn insert(&mut self, number: u128, lost: bool, table: &str, id: Uuid, data: &Json) -> String {
        let op = json!({"table_name": table, "record_id": id.to_string(), "operation": "insert", "base_version": 0,
            "data": data});
        self.send(number, lost, &op)
    }

    pub(super) fn update(&mut self, number: u128, table: &str, id: Uuid, version: i64, data: &Json) -> String {
        let op = json!({"table_name": table, "record_id": id.to_string(), "operation": "update",
            "base_version": version, "data": data});
        self.send(number, false, &op)
    }

    pub(super) fn delete(&mut self, number: u128, table: &str, id: Uuid, version: i64) -> String {
        let op = json!({"table_name": table, "record_id": id.to_string(), "operation": "delete",
            "base_version": version});
        self.send(number, false, &op)
    }

    /// A weigh-in of the first animal.
    pub(super) fn weigh(&mut self, number: u128, lost: bool, weight_x10: i64) -> Uuid {
        let id = Uuid::from_u128(0xe000 + number);
        let data = json!({"animal_id": ANIMAL.to_string(), "kind": "arrival", "weight_x10": weight_x10});
        let verdict = self.insert(number, lost, "weigh_ins", id, &data);
        assert_eq!(verdict, if lost { "conflict" } else { "applied" });
        id
    }

    pub(super) fn void(&mut self, number: u128, weigh_in: Uuid) {
        let data = json!({"voided_at": "2026-08-07T09:00:00Z", "voided_reason": "wrong animal"});
        let version = self.row("weigh_ins", weigh_in).version.0;
        assert_eq!(self.update(number, "weigh_ins", weigh_in, version, &data), "applied");
    }

    pub(super) fn decide(&mut self, id: ConflictId, resolution: &'static str, data: &Json) -> Result<(), SettleError> {
        let expected = self.conflicts[&id].server_version;
        self.decide_at(id, expected, resolution, data)
    }

    pub(super) fn decide_at(
        &mut self,
        id: ConflictId,
        expected_server_version: Version,
        resolution: &'static str,
        data: &Json,
    ) -> Result<(), SettleError> {
        let data: Map<String, Json> = data.as_object().cloned().unwrap_or_default();
        let rev = self.conflicts[&id].rev;
        let decision = Decision { resolution, data, expected_server_version, rev, reason: None };
        self.transact(
            |world| world.missing_for_decision(id, &decision.data, Some(expected_server_version)),
            |world| world.resolve(&admin(), id, &decision),
        )
    }

    pub(super) fn decide_in_bulk(
        &mut self,
        id: ConflictId,
        expected: Version,
        resolution: &'static str,
    ) -> Result<(), SettleError> {
        let part = BulkPart { bulk_id: None, resolution, expected: Some(expected), reason: None };
        self.transact(
            |world| world.missing_for_decision(id, &Map::new(), Some(expected)),
            |world| world.resolve_part(&admin(), id, &part).map(|_| ()),
        )
    }

    fn settle(&mut self, id: ConflictId, work: impl FnOnce(&mut World) -> Result<(), SettleError>) {
        assert_eq!(self.transact(|world| world.missing_for_settling(id, &Map::new()), work), Ok(()));
    }

    pub(super) fn undo(&mut self, id: ConflictId) {
        self.settle(id, |world| world.undo(&admin(), id, None));
    }

    pub(super) fn reopen(&mut self, id: ConflictId) {
        self.settle(id, |world| world.reopen_closed(&admin(), id, None));
    }

    pub(super) fn disagree(&mut self, id: ConflictId) {
        let conflict = &self.conflicts[&id];
        let actor = Actor { person: conflict.user_id, device: conflict.device_id, ..author(2).actor };
        self.settle(id, |world| world.disagree(&actor, id, None));
    }

    pub(super) fn withdraw(&mut self, id: ConflictId) {
        let conflict = &self.conflicts[&id];
        let actor = Actor { person: conflict.user_id, device: conflict.device_id, ..author(2).actor };
        self.settle(id, |world| world.withdraw(&actor, id));
    }

    pub(super) fn row(&self, table: &'static str, id: Uuid) -> &Record {
        &self.rows[&(table, RecordId(id))]
    }

    pub(super) fn value(&self, table: &'static str, id: Uuid, field: &str) -> Json {
        self.row(table, id).value(field).to_json()
    }

    pub(super) fn official(&self) -> Json {
        self.value("animals", ANIMAL, "official_weight_x10")
    }

    pub(super) fn is_void(&self, weigh_in: Uuid) -> bool {
        !self.row("weigh_ins", weigh_in).value("voided_at").is_null()
    }

    /// The only open clash.
    pub(super) fn open_clash(&self) -> ConflictId {
        let open = self.open_clashes();
        assert_eq!(open.len(), 1, "{:?}", self.conflicts);
        open[0]
    }

    pub(super) fn open_clashes(&self) -> Vec<ConflictId> {
        let open = self.conflicts.values().filter(|conflict| conflict.status == ConflictStatus::Open);
        open.map(|conflict| conflict.id).collect()
    }

    /// Rows whose derived values are not those that the whole show tells.
    pub(super) fn wrongly_derived(&mut self) -> Vec<String> {
        let mut world = self.open();
        self.rows.values().for_each(|record| world.add_record(record.clone()));
        self.conflicts.values().for_each(|conflict| world.add_conflict(conflict.clone()));
        let nobody = Cause { person: None, rank: 0, device: None, op_id: None, reason: None };
        for key in self.rows.keys().filter(|key| matches!(key.0, "animals" | "classes" | "rings")) {
            world.derive_row(*key, &nobody);
        }
        let written = &world.journal().history;
        written.iter().map(|row| format!("{} {}: {}", row.table.name, row.record_id.0, row.snapshot)).collect()
    }
}

pub(super) fn on_phone(number: u128, lost: bool) -> Author {
    let recovered_from = lost.then_some(Uuid::from_u128(0xf0));
    let author = author(number + 0x100);
    let actor = Actor { role: Role::Admin, functions: vec![Function::Admin], ..author.actor };
    Author { actor, recovered_from, ..author }
}
