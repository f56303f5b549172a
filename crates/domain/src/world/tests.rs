//! Properties of a working set without any database: two people edit one animal, a third decides.

mod clashes;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Author, Decision, World};
use crate::actor::{Actor, Function, Role};
use crate::conflict::ConflictStatus;
use crate::fixtures::actor;
use crate::ids::{ConflictId, DeviceId, PersonId, RecordId, Seq, Version};
use crate::op::{OpDraft, Operation, decode};
use crate::record::{Provenance, Record};
use crate::schema::known_table;

pub(super) const SHOW: Uuid = Uuid::from_u128(0x50);
pub(super) const EXHIBITOR: Uuid = Uuid::from_u128(0x60);
pub(super) const ANIMAL: Uuid = Uuid::from_u128(0xa0);
const FIELDS: &[&str] = &["tag", "pen", "breed", "name", "ear_notch"];

pub(super) fn now() -> DateTime<Utc> {
    Utc.timestamp_millis_opt(1_780_000_000_000).single().expect("a time")
}

/// While entries are taken a superintendent changes everything of an animal.
fn world() -> World {
    world_in("A")
}

pub(super) fn world_in(stage: &str) -> World {
    let mut next = 0x1000_u128;
    let ids = Box::new(move || {
        next += 1;
        Uuid::from_u128(next)
    });
    let mut world = World::new(now(), Uuid::from_u128(1), SHOW, Seq(10), ids);
    world.add_record(row("shows", SHOW, &json!({"name": "Fair", "timezone": "UTC", "stage": stage})));
    world.add_record(row("exhibitors", EXHIBITOR, &json!({"first_name": "Ada", "last_name": "Reyes"})));
    let base =
        json!({"exhibitor_id": EXHIBITOR.to_string(), "species": "cattle", "tag": "0", "pen": "0", "breed": "0"});
    world.add_record(row("animals", ANIMAL, &base));
    world
}

/// A row as it was made, at version 1.
pub(super) fn row(table: &str, id: Uuid, data: &Json) -> Record {
    let table = known_table(table);
    let now = now();
    let mut values: Vec<_> = table.fields.iter().map(|field| field.default.clone()).collect();
    for (field, value) in crate::fixtures::patch(table, data) {
        values[field] = value;
    }
    Record {
        table,
        id: RecordId(id),
        show_id: SHOW,
        version: Version(1),
        created_at: now,
        updated_at: now,
        updated_by: None,
        device_id: None,
        deleted_at: None,
        values,
        provenance: Provenance::new(),
    }
}

pub(super) fn author(number: u128) -> Author {
    let actor =
        Actor { person: PersonId(Uuid::from_u128(number)), device: DeviceId(Uuid::from_u128(number)), ..actor() };
    Author { actor, incarnation: Uuid::from_u128(number), skew_ms: 0, recovered_from: None }
}

pub(super) fn admin() -> Actor {
    Actor { role: Role::Admin, functions: vec![Function::Admin], ..author(9).actor }
}

/// Values of some fields: at least one, each a digit.
fn edit() -> impl Strategy<Value = BTreeMap<&'static str, u8>> {
    prop::collection::btree_map(prop::sample::select(FIELDS), 0_u8..4, 1..4)
}

fn push(world: &mut World, author: &Author, op_id: u128, edit: &BTreeMap<&'static str, u8>) -> String {
    let data: Map<String, Json> =
        edit.iter().map(|(field, value)| ((*field).to_owned(), Json::from(value.to_string()))).collect();
    let draft = OpDraft {
        op_id: Uuid::from_u128(op_id),
        table_name: "animals",
        record_id: ANIMAL,
        operation: Operation::Update,
        base_version: 1,
        data,
        base: None,
        reason: None,
    };
    let op = draft.decode(0).expect("a good op");
    world.decide(author, &op);
    world.op(op.id).and_then(|op| op.verdict).expect("a verdict").as_str().to_owned()
}

pub(super) fn values(world: &World) -> Map<String, Json> {
    world.record(("animals", RecordId(ANIMAL))).expect("the animal").data(crate::actor::ReadClass::Office)
}

pub(super) fn version(world: &World) -> Version {
    world.record(("animals", RecordId(ANIMAL))).expect("the animal").version
}

proptest! {
    /// PROTOCOL.md §8, invariant 2: a value that its author had not seen is replaced only where a clash or a filed
    /// choice of a policy says so.
    #[test]
    fn nothing_is_overwritten_unseen(first in edit(), second in edit()) {
        let mut world = world();
        let seen = values(&world);
        push(&mut world, &author(2), 0xb1, &first);
        let before = values(&world);
        let verdict = push(&mut world, &author(3), 0xb2, &second);
        let after = values(&world);
        let filed: Vec<String> = world.conflicts.values().flat_map(|clash| clash.contested.clone()).collect();
        for (field, value) in &first {
            let wanted = second.get(field).map(|value| Json::from(value.to_string()));
            let overwritten = before[*field] != seen[*field] && before[*field] != after[*field];
            prop_assert!(!overwritten || filed.contains(&(*field).to_owned()), "{field} = {value} is gone ({verdict})");
            if verdict == "conflict" {
                prop_assert_eq!(&before[*field], &after[*field], "a clash writes nothing");
            } else if let Some(wanted) = wanted.filter(|wanted| *wanted != seen[*field]) {
                prop_assert!(after[*field] == wanted || filed.contains(&(*field).to_owned()));
            }
        }
    }

    /// The same op again changes nothing, whatever came between.
    #[test]
    fn an_op_has_one_effect(first in edit(), second in edit(), times in 1_usize..4) {
        let mut world = world();
        let verdict = push(&mut world, &author(2), 0xb1, &first);
        push(&mut world, &author(3), 0xb2, &second);
        let (row, clock) = (values(&world), world.clock);
        for _ in 0..times {
            prop_assert_eq!(&push(&mut world, &author(2), 0xb1, &first), &verdict);
        }
        prop_assert_eq!((values(&world), world.clock), (row, clock));
    }

    /// PROTOCOL.md §8, invariant 7: a decision and its undo give the disputed values back, at a higher version.
    #[test]
    fn an_undone_decision_gives_the_values_back(mut first in edit(), mut second in edit(), client_wins: bool) {
        first.insert("tag", 1);
        second.insert("tag", 2);
        let mut world = world();
        push(&mut world, &author(2), 0xb1, &first);
        push(&mut world, &author(3), 0xb2, &second);
        let open = world.conflicts.values().find(|clash| clash.status == ConflictStatus::Open).cloned();
        let clash = open.expect("two tags are a clash");
        let (before, version_before) = (values(&world), version(&world));
        let decision = Decision {
            resolution: if client_wins { "client_wins" } else { "server_wins" },
            data: Map::new(),
            expected_server_version: clash.server_version,
            rev: clash.rev,
            reason: None,
        };
        prop_assert_eq!(world.resolve(&admin(), clash.id, &decision), Ok(()));
        prop_assert!(version(&world) > version_before);
        for path in clash.contested.iter().filter(|_| client_wins) {
            let wanted = second.get(path.as_str()).map(|value| Json::from(value.to_string()));
            prop_assert_eq!(Some(&values(&world)[path]), wanted.as_ref());
        }
        prop_assert_eq!(world.undo(&admin(), clash.id, None), Ok(()));
        let after = values(&world);
        for path in clash.contested.iter().chain(&clash.clean) {
            prop_assert_eq!(&after[path], &before[path]);
        }
        let reopened = world.conflict(clash.id).expect("the clash");
        prop_assert_eq!((reopened.status, reopened.rev), (ConflictStatus::Open, clash.rev + 1));
    }
}

/// Sends an op as JSON; answers its verdict.
fn send(world: &mut World, author: &Author, op_id: u128, op: &Json) -> String {
    let mut op = op.clone();
    op["op_id"] = json!(Uuid::from_u128(op_id).to_string());
    op["device_seq"] = json!(i64::try_from(op_id).expect("a small number"));
    let op = decode(&serde_json::value::to_raw_value(&op).expect("JSON")).expect("a good op");
    world.decide(author, &op);
    world.op(op.id).and_then(|op| op.verdict).expect("a verdict").as_str().to_owned()
}

fn decide_open(world: &mut World, resolution: &'static str, data: &Json) -> ConflictId {
    let open = world.conflicts.values().find(|clash| clash.status == ConflictStatus::Open).expect("an open clash");
    let decision = Decision {
        resolution,
        data: data.as_object().cloned().unwrap_or_default(),
        expected_server_version: open.server_version,
        rev: open.rev,
        reason: None,
    };
    let id = open.id;
    assert_eq!(world.resolve(&admin(), id, &decision), Ok(()));
    id
}

/// A weigh-in that was deleted while weights were in dispute stays so, whatever is decided and taken back.
#[test]
fn a_decision_between_weights_brings_no_deleted_one_back() {
    let weigh_in = |number: u128| Uuid::from_u128(0xe0 + number);
    for (resolution, data, gone) in [
        ("server_wins", json!({}), 2),
        ("server_wins", json!({}), 3),
        ("client_wins", json!({}), 2),
        ("client_wins", json!({}), 3),
        ("manual", json!({"official_weight_x10": 9990}), 3),
    ] {
        let mut world = world_in("B");
        for number in 1..=3 {
            let weight = 9000 + i64::try_from(number).expect("a small number") * 1000;
            let data = json!({"animal_id": ANIMAL.to_string(), "kind": "arrival", "weight_x10": weight});
            let op = json!({"table_name": "weigh_ins", "record_id": weigh_in(number).to_string(),
                "operation": "insert", "base_version": 0, "data": data});
            assert_eq!(send(&mut world, &author(number + 1), 0xc0 + number, &op), "applied");
        }
        let op = json!({"table_name": "weigh_ins", "record_id": weigh_in(gone).to_string(),
            "operation": "delete", "base_version": 1});
        let desk = Author { actor: admin(), ..author(9) };
        assert_eq!(send(&mut world, &desk, 0xd0, &op), "applied");
        let weight = |world: &World| values(world)["official_weight_x10"].clone();
        let is_live = |world: &World, number: u128| {
            world.record(("weigh_ins", RecordId(weigh_in(number)))).is_some_and(Record::is_live)
        };
        let before = weight(&world);
        let id = decide_open(&mut world, resolution, &data);
        let place = format!("{resolution}, {gone} is gone");
        assert!(!is_live(&world, gone), "{place}");
        let kept = 9000 + 1000 * if gone == 2 { 3 } else { 2 };
        let official = match resolution {
            "client_wins" => json!(kept),
            "manual" => json!(9990),
            _ => json!(10_000),
        };
        assert_eq!(weight(&world), official, "{place}");
        assert_eq!(world.undo(&admin(), id, None), Ok(()), "{place}");
        assert!(!is_live(&world, gone), "{place}");
        assert_eq!(weight(&world), before, "{place}");
    }
}

/// A person decided that the row is made without a value. Its phone has not heard: it edits what it entered itself, and
/// names version 1 as if that were the same. Only `base` can say that it saw the row as it was made.
#[test]
fn an_edit_after_an_own_insert_that_was_decided_otherwise_is_asked_about() {
    let own = Uuid::from_u128(0x61);
    for (base, expected) in [
        (None, "conflict"),
        (Some(json!({"back_number": 103})), "conflict"),
        (Some(json!({"back_number": null})), "applied"),
    ] {
        let mut world = world();
        let holder = json!({"table_name": "exhibitors", "record_id": EXHIBITOR.to_string(), "operation": "update",
            "base_version": 1, "data": {"back_number": 103}});
        assert_eq!(send(&mut world, &author(2), 0xb1, &holder), "applied");
        let insert = json!({"table_name": "exhibitors", "record_id": own.to_string(), "operation": "insert",
            "base_version": 0, "data": {"first_name": "Ben", "last_name": "Lee", "back_number": 103}});
        assert_eq!(send(&mut world, &author(3), 0xb2, &insert), "conflict");
        decide_open(&mut world, "server_wins", &json!({}));
        let mut edit = json!({"table_name": "exhibitors", "record_id": own.to_string(), "operation": "update",
            "base_version": 1, "prev_op_id": Uuid::from_u128(0xb2).to_string(), "data": {"back_number": 1032}});
        if let Some(base) = &base {
            edit["base"] = base.clone();
        }
        assert_eq!(send(&mut world, &author(3), 0xb3, &edit), expected, "{base:?}");
    }
}

/// The unit of weight is chosen before the first one is taken: where the desk's side wins later, what waits beside the
/// disputed value is joined without it.
#[test]
fn what_is_locked_is_left_out_where_the_desks_side_wins() {
    let mut world = world();
    let office = |number| Author { actor: Actor { role: Role::Admin, ..author(number).actor }, ..author(number) };
    let edit = |version: i64, data: &Json| {
        json!({"table_name": "shows", "record_id": SHOW.to_string(), "operation": "update", "base_version": version,
            "data": data})
    };
    assert_eq!(send(&mut world, &office(2), 0xb1, &edit(1, &json!({"starts_on": "2026-08-10"}))), "applied");
    let second = json!({"ends_on": "2026-08-05", "venue": "Hall 2", "weight_unit": "kg"});
    assert_eq!(send(&mut world, &office(3), 0xb2, &edit(1, &second)), "conflict");
    assert_eq!(send(&mut world, &office(2), 0xb3, &edit(2, &json!({"stage": "B"}))), "applied");
    decide_open(&mut world, "server_wins", &json!({}));
    let show = world.record(("shows", RecordId(SHOW))).expect("the show");
    assert!(show.value("ends_on").is_null());
    assert_eq!(["venue", "weight_unit"].map(|field| show.value(field).as_text()), [Some("Hall 2"), Some("lb")]);
}
