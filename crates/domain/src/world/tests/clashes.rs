//! Clashes that are decided, taken back and decided again, and entries that close one or ask a person.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{ANIMAL, EXHIBITOR, admin, author, decide_open, send, values, world};
use crate::actor::ReadClass;
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{OpId, RecordId};
use crate::op::{Op, Refused, decode};
use crate::world::{Author, Decision, SettleError, World};

const OWN: Uuid = Uuid::from_u128(0x61);

fn read(op: &Json) -> Result<Op, Box<Refused>> {
    decode(&serde_json::value::to_raw_value(op).expect("JSON"))
}

fn exhibitor(id: Uuid, operation: &str, version: i64, data: &Json) -> Json {
    json!({"table_name": "exhibitors", "record_id": id.to_string(), "operation": operation, "base_version": version,
        "data": data})
}

fn animal(version: i64, data: &Json, base: &Json) -> Json {
    json!({"table_name": "animals", "record_id": ANIMAL.to_string(), "operation": "update", "base_version": version,
        "data": data, "base": base})
}

/// A phone makes an exhibitor with a back number that another one has.
fn taken_number(world: &mut World) {
    let holder = exhibitor(EXHIBITOR, "update", 1, &json!({"back_number": 103}));
    assert_eq!(send(world, &author(2), 0xb1, &holder), "applied");
    let data = json!({"first_name": "Ben", "last_name": "Lee", "back_number": 103});
    assert_eq!(send(world, &author(3), 0xb2, &exhibitor(OWN, "insert", 0, &data)), "conflict");
}

fn number(world: &World, id: Uuid) -> Option<i64> {
    let row = world.record(("exhibitors", RecordId(id))).filter(|row| row.is_live());
    row.expect("a live row").value("back_number").as_int()
}

fn open(world: &World) -> Conflict {
    world.conflicts.values().find(|clash| clash.status == ConflictStatus::Open).expect("an open clash").clone()
}

fn try_open(world: &mut World, resolution: &'static str, data: &Json) -> Result<(), SettleError> {
    let clash = open(world);
    let decision = Decision {
        resolution,
        data: data.as_object().cloned().unwrap_or_default(),
        expected_server_version: clash.server_version,
        rev: clash.rev,
        reason: None,
    };
    world.resolve(&admin(), clash.id, &decision)
}

fn verdict(world: &World, op_id: u128) -> String {
    world.op(OpId(Uuid::from_u128(op_id))).and_then(|op| op.verdict.clone()).expect("a verdict")
}

/// What waits for an op, or for the row it makes, is read also where the op is refused before anything is looked up.
#[test]
fn what_waits_for_a_refused_insert_is_asked_for() {
    let mut op = json!({"op_id": Uuid::from_u128(0xb1).to_string(), "device_seq": 1, "table_name": "animals",
        "record_id": OWN.to_string(), "operation": "insert", "base_version": 0,
        "data": {"exhibitor_id": EXHIBITOR.to_string(), "species": "dragon"}});
    let needs = world().missing_for_refused(&read(&op).expect_err("no such species"));
    assert!(needs.waiters.contains(&Uuid::from_u128(0xb1)) && needs.waiters.contains(&OWN));
    op["op_id"] = json!(7);
    assert!(world().missing_for_refused(&read(&op).expect_err("no id")).is_empty());
}
