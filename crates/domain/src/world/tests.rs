//! Properties of a working set without any database: two people edit one animal, a third decides.

use std::collections::BTreeMap;

use chrono::{TimeZone, Utc};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Author, Decision, World};
use crate::actor::{Actor, Function, Role};
use crate::conflict::ConflictStatus;
use crate::fixtures::actor;
use crate::ids::{DeviceId, PersonId, RecordId, Seq, Version};
use crate::op::{OpDraft, Operation};
use crate::record::{Provenance, Record};
use crate::schema::known_table;

const SHOW: Uuid = Uuid::from_u128(0x50);
const EXHIBITOR: Uuid = Uuid::from_u128(0x60);
const ANIMAL: Uuid = Uuid::from_u128(0xa0);
const FIELDS: &[&str] = &["tag", "pen", "breed", "name", "ear_notch"];

fn world() -> World {
    let mut next = 0x1000_u128;
    let ids = Box::new(move || {
        next += 1;
        Uuid::from_u128(next)
    });
    let now = Utc.timestamp_millis_opt(1_780_000_000_000).single().expect("a time");
    let mut world = World::new(now, Uuid::from_u128(1), SHOW, Seq(10), ids);
    let row = |table: &str, id: Uuid, data: &Json| {
        let table = known_table(table);
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
    };
    world.add_record(row("shows", SHOW, &json!({"name": "Fair", "timezone": "UTC", "stage": "B"})));
    world.add_record(row("exhibitors", EXHIBITOR, &json!({"first_name": "Ada", "last_name": "Reyes"})));
    let base =
        json!({"exhibitor_id": EXHIBITOR.to_string(), "species": "cattle", "tag": "0", "pen": "0", "breed": "0"});
    world.add_record(row("animals", ANIMAL, &base));
    world
}

fn author(number: u128) -> Author {
    let actor =
        Actor { person: PersonId(Uuid::from_u128(number)), device: DeviceId(Uuid::from_u128(number)), ..actor() };
    Author { actor, incarnation: Uuid::from_u128(number), skew_ms: 0, recovered_from: None }
}

fn admin() -> Actor {
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
    world.op(op.id).and_then(|op| op.verdict.clone()).expect("a verdict")
}

fn values(world: &World) -> Map<String, Json> {
    world.record(("animals", RecordId(ANIMAL))).expect("the animal").data(crate::actor::ReadClass::Office)
}

fn version(world: &World) -> Version {
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
