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
    world.op(OpId(Uuid::from_u128(op_id))).and_then(|op| op.verdict).expect("a verdict").as_str().to_owned()
}

/// What an undone decision wrote is gone: the next one goes by what was entered.
#[test]
fn the_desks_side_brings_no_undone_value_back() {
    for (resolution, data) in [
        ("client_wins", json!({})),
        ("manual", json!({"back_number": 777})),
        ("manual", json!({"other_data": {"back_number": 778}})),
    ] {
        let mut world = world();
        taken_number(&mut world);
        let id = decide_open(&mut world, resolution, &data);
        assert_eq!(world.undo(&admin(), id, None), Ok(()), "{data}");
        assert_eq!(try_open(&mut world, "server_wins", &json!({})), Ok(()), "{resolution} {data}");
        assert_eq!((number(&world, OWN), number(&world, EXHIBITOR)), (None, Some(103)), "{resolution} {data}");
    }
}

/// The holder of a disputed value is looked up again whenever the clash is opened again.
#[test]
fn a_clash_that_is_opened_again_shows_who_has_the_value_now() {
    let other = Uuid::from_u128(0x62);
    for (moves, holder) in [(false, None), (true, Some(other))] {
        let mut world = world();
        taken_number(&mut world);
        let id = decide_open(&mut world, "server_wins", &json!({}));
        let gives_up = exhibitor(EXHIBITOR, "update", 2, &json!({"back_number": 104}));
        assert_eq!(send(&mut world, &author(2), 0xb3, &gives_up), "applied");
        if moves {
            let data = json!({"first_name": "Cy", "last_name": "Orr", "back_number": 103});
            assert_eq!(send(&mut world, &author(2), 0xb4, &exhibitor(other, "insert", 0, &data)), "applied");
        }
        assert_eq!(world.reopen_closed(&admin(), id, None), Ok(()));
        let clash = open(&world);
        assert_eq!(clash.other_record_id, holder.map(RecordId));
        let row = holder.and_then(|id| world.record(("exhibitors", RecordId(id))));
        assert_eq!(clash.server_data, row.map(|row| row.data(ReadClass::Office)));
        assert_eq!(try_open(&mut world, "client_wins", &json!({})), Ok(()));
        assert_eq!(number(&world, OWN), Some(103));
    }
}

#[test]
fn an_undone_clash_shows_the_row_that_has_its_value_back() {
    let mut world = world();
    taken_number(&mut world);
    let id = decide_open(&mut world, "client_wins", &json!({}));
    assert_eq!(world.undo(&admin(), id, None), Ok(()));
    let clash = open(&world);
    assert_eq!(clash.other_record_id, Some(RecordId(EXHIBITOR)));
    assert_eq!(clash.server_data.and_then(|data| data.get("back_number").cloned()), Some(json!(103)));
}

/// A row that others belong to by now stays when the decision that made it is taken back, without what was disputed.
#[test]
fn an_undo_leaves_a_row_that_others_belong_to() {
    for (resolution, decided) in [("server_wins", None), ("client_wins", Some(103))] {
        let mut world = world();
        taken_number(&mut world);
        let calf = Uuid::from_u128(0xa1);
        let child = json!({"table_name": "animals", "record_id": calf.to_string(), "operation": "insert",
            "base_version": 0, "data": {"exhibitor_id": OWN.to_string(), "species": "goat"}});
        let id = decide_open(&mut world, resolution, &json!({}));
        assert_eq!(send(&mut world, &author(3), 0xb3, &child), "applied");
        assert_eq!(number(&world, OWN), decided);
        assert_eq!(world.undo(&admin(), id, None), Ok(()), "{resolution}");
        assert_eq!((number(&world, OWN), number(&world, EXHIBITOR)), (None, Some(103)), "{resolution}");
        assert_eq!(open(&world).id, id);
        assert_eq!(verdict(&world, 0xb2), "conflict");
        assert_eq!(try_open(&mut world, "client_wins", &json!({})), Ok(()));
        assert_eq!((number(&world, OWN), number(&world, EXHIBITOR)), (Some(103), None), "{resolution}");
    }
}

#[test]
fn an_undo_that_would_orphan_a_row_is_overtaken() {
    let mut world = world();
    let before = Author { recovered_from: Some(Uuid::from_u128(7)), ..author(3) };
    let data = json!({"first_name": "Ben", "last_name": "Lee"});
    assert_eq!(send(&mut world, &before, 0xb2, &exhibitor(OWN, "insert", 0, &data)), "conflict");
    let id = decide_open(&mut world, "client_wins", &json!({}));
    let child = json!({"table_name": "animals", "record_id": Uuid::from_u128(0xa1).to_string(), "operation": "insert",
        "base_version": 0, "data": {"exhibitor_id": OWN.to_string(), "species": "goat"}});
    assert_eq!(send(&mut world, &author(3), 0xb3, &child), "applied");
    assert_eq!(world.undo(&admin(), id, None), Err(SettleError::Moved));
    assert_eq!(number(&world, OWN), None, "it is there");
}

/// A chain that ends where the row is already is about nothing, whether it is given back or clashes today.
#[test]
fn a_chain_that_ends_where_the_row_is_closes_its_clash() {
    for recovered_from in [None, Some(Uuid::from_u128(7))] {
        let mut world = world();
        let edit = animal(1, &json!({"tag": "B3"}), &json!({"tag": "0"}));
        assert_eq!(send(&mut world, &author(2), 0xb1, &edit), "applied");
        let phone = Author { recovered_from, ..author(3) };
        let first = animal(1, &json!({"tag": "B2", "breed": "Angus"}), &json!({"tag": "0", "breed": "0"}));
        assert_eq!(send(&mut world, &phone, 0xb2, &first), "conflict");
        let mut second = animal(1, &json!({"tag": "B3"}), &json!({"tag": "B2"}));
        second["prev_op_id"] = json!(Uuid::from_u128(0xb2).to_string());
        let mut last = "0xb3".to_owned();
        if recovered_from.is_some() {
            // All that is given back is in question, until the row shows all of it.
            assert_eq!(send(&mut world, &phone, 0xb3, &second), "held");
            second = animal(1, &json!({"breed": "0"}), &json!({"breed": "Angus"}));
            second["prev_op_id"] = json!(Uuid::from_u128(0xb3).to_string());
            last = send(&mut world, &phone, 0xb4, &second);
            assert_eq!(verdict(&world, 0xb3), "noop");
        } else {
            last.clone_from(&send(&mut world, &phone, 0xb3, &second));
        }
        let row = values(&world);
        let (expected, breed) = if recovered_from.is_some() { ("noop", "0") } else { ("merged", "Angus") };
        assert_eq!((last.as_str(), verdict(&world, 0xb2).as_str()), (expected, expected));
        assert_eq!((&row["tag"], &row["breed"]), (&json!("B3"), &json!(breed)));
        assert!(world.conflicts.values().all(|clash| clash.status == ConflictStatus::Superseded));
    }
}

/// A row that was deleted before a restore and that nobody gives back is deleted: nobody is asked, and nothing waits on.
#[test]
fn a_deletion_of_a_row_that_does_not_come_back_ends_by_itself() {
    let calf = Uuid::from_u128(0xa1);
    let id = crate::ids::OpId(Uuid::from_u128(0xb1));
    let delete = json!({"table_name": "animals", "record_id": calf.to_string(), "operation": "delete", "base_version": 4,
        "epoch": Uuid::from_u128(7).to_string()});
    for recovered_from in [None, Some(Uuid::from_u128(7))] {
        let mut world = world();
        world.add_author(admin());
        assert_eq!(send(&mut world, &Author { actor: admin(), recovered_from, ..author(9) }, 0xb1, &delete), "held");
        world.pause(id);
        assert_eq!(verdict(&world, 0xb1), "held", "it may come yet");
        world.now += crate::queue::WAIT_MAX;
        world.pause(id);
        assert_eq!(verdict(&world, 0xb1), "noop");
        assert!(world.conflicts.values().next().is_none(), "nobody is asked");
    }
}

/// Rule C17: an edit of a row that a restore took away can bring it back, if a person fills in what is missing.
#[test]
fn a_lost_row_is_restored_with_the_edit() {
    let calf = Uuid::from_u128(0xa1);
    let edit = json!({"table_name": "animals", "record_id": calf.to_string(), "operation": "update", "base_version": 4,
        "epoch": Uuid::from_u128(7).to_string(), "data": {"tag": "77"}, "base": {"tag": "7"}});
    for before in [false, true] {
        let mut world = world();
        let recovered_from = before.then(|| Uuid::from_u128(7));
        assert_eq!(send(&mut world, &Author { recovered_from, ..author(3) }, 0xb1, &edit), "conflict");
        let kind = open(&world).kind;
        assert_eq!(kind, if before { ConflictKind::RestoredServer } else { ConflictKind::UpdateMissing });
        let code = |settled: Result<(), SettleError>| match settled {
            Err(SettleError::Invalid(rejection)) => rejection.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(try_open(&mut world, "client_wins", &json!({}))), "required");
        let mut whole = json!({"exhibitor_id": EXHIBITOR.to_string(), "species": "goat", "adg_x1000": 5});
        assert_eq!(code(try_open(&mut world, "manual", &whole)), "unknown_field", "what the desk works out");
        whole.as_object_mut().expect("an object").remove("adg_x1000");
        assert_eq!(try_open(&mut world, "manual", &whole), Ok(()));
        let row = world.record(("animals", RecordId(calf))).filter(|row| row.is_live()).expect("the row");
        assert_eq!(["tag", "species"].map(|field| row.value(field).as_text()), [Some("77"), Some("goat")]);
        assert_eq!(verdict(&world, 0xb1), "merged");
    }
}

#[test]
fn a_lost_row_is_restored_under_the_id_of_its_key_only() {
    let lost = Uuid::from_u128(0xa1);
    let edit = json!({"table_name": "entries", "record_id": lost.to_string(), "operation": "update", "base_version": 4,
        "epoch": Uuid::from_u128(7).to_string(), "data": {"catalogue_no": 7}, "base": {"catalogue_no": null}});
    let mut world = world();
    let desk = Author { actor: admin(), ..author(9) };
    let class = Uuid::from_u128(0xc1);
    let made = json!({"table_name": "classes", "record_id": class.to_string(), "operation": "insert", "base_version": 0,
        "data": {"name": "Steers", "department": "cattle", "kind": "market"}});
    assert_eq!(send(&mut world, &desk, 0xb0, &made), "applied");
    assert_eq!(send(&mut world, &desk, 0xb1, &edit), "conflict");
    let whole = json!({"exhibitor_id": EXHIBITOR.to_string(), "animal_id": ANIMAL.to_string(),
        "family_id": class.to_string()});
    let settled = try_open(&mut world, "manual", &whole);
    assert!(matches!(&settled, Err(SettleError::Invalid(rejection)) if rejection.code == "invalid_id"), "{settled:?}");
}

/// What a phone saw of a row that it deletes is a second witness, as it is for an edit.
#[test]
fn a_deletion_of_a_row_that_its_author_saw_otherwise_is_asked_about() {
    for (base, expected) in [(json!({"pen": "SEEN"}), "conflict"), (json!({"pen": "0"}), "applied")] {
        let mut world = world();
        let desk = Author { actor: admin(), ..author(9) };
        let delete = json!({"table_name": "animals", "record_id": ANIMAL.to_string(), "operation": "delete",
            "base_version": 1, "base": base});
        assert_eq!(send(&mut world, &desk, 0xb1, &delete), expected, "{base}");
        if expected == "conflict" {
            let clash = open(&world);
            assert_eq!((clash.kind, clash.contested), (ConflictKind::DeleteUpdated, vec!["pen".to_owned()]));
        }
    }
}

/// One publication of a class break is one group, however large; a phone's push ends before that.
#[test]
fn a_group_is_as_large_as_a_push_of_the_desk() {
    let of_size = |size: i64| {
        let mut op = animal(1, &json!({"pen": "B1"}), &json!({"pen": "0"}));
        op["op_id"] = json!(Uuid::from_u128(0xb1).to_string());
        op["device_seq"] = json!(1);
        op["txn"] = json!({"id": Uuid::from_u128(5).to_string(), "size": size});
        read(&op).map(|_| ()).map_err(|refused| refused.rejection.code)
    };
    assert_eq!([1, 501, 20_000].map(of_size), [Ok(()); 3]);
    assert_eq!([0, 20_001].map(of_size), [Err("invalid_type"); 2]);
}

/// A member whose id cannot be read is at fault: the group came whole.
#[test]
fn a_group_is_refused_for_the_member_that_cannot_be_read() {
    let mut world = world();
    let member = |op_id: &str| {
        let mut op = animal(1, &json!({"pen": "B1"}), &json!({"pen": "0"}));
        op["op_id"] = json!(op_id);
        op["device_seq"] = json!(1);
        op["txn"] = json!({"id": Uuid::from_u128(5).to_string(), "size": 2});
        read(&op)
    };
    let good = Uuid::from_u128(0xb1);
    let group = [member(&good.to_string()), member("no id")];
    let members: Vec<_> = group.iter().map(|member| member.as_ref().map_err(Box::as_ref)).collect();
    world.decide_txn(&author(2), &members);
    let error = world.op(OpId(good)).and_then(|op| op.error.clone()).expect("it is refused");
    assert_eq!(error["code"], "txn_failed", "{error}");
    assert!(error["detail"].as_str().is_some_and(|detail| detail.contains("op_id cannot be read")), "{error}");
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
