//! Entries given back after a restore, and entries made before it (PROTOCOL.md §7). The epoch is not really rotated
//! here: what a phone says of the old one is enough.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, update, with};
use crate::seed::{seed, set_stage};

on_both_engines!(
    what_is_given_back_asks_a_person_unless_the_row_shows_it,
    the_chain_of_a_record_is_one_clash,
    a_row_that_was_lost_comes_back_by_decision,
    a_deletion_that_was_lost_is_done_by_decision,
    a_deletion_waits_for_the_lost_entry_that_made_its_row,
    a_deletion_waits_for_the_row_that_another_phone_gives_back,
    a_lost_weigh_in_asks_before_it_takes_the_place_of_another,
    what_phones_remember_is_decided_in_bulk,
    a_list_is_decided_in_any_order,
    what_the_row_shows_in_the_end_asks_nobody,
    an_edit_from_before_goes_by_its_own_base,
    an_edit_from_before_of_a_lost_row_is_update_missing,
    what_is_given_back_asks_a_person_also_when_its_stage_is_over,
    what_the_office_applies_of_a_lost_time_overwrites_nothing,
    a_decision_passes_the_checks_of_any_write,
    a_lost_call_of_an_official_class_can_be_let_go,
);

async fn give_back(phone: &Phone, ops: &[Json]) -> Vec<Json> {
    let envelope = with(phone.envelope(ops), "recovered_from", json!(Uuid::new_v4()));
    let answer = phone.push_envelope(&envelope).await.expect_status(200);
    answer["results"].as_array().expect("results").clone()
}

async fn what_is_given_back_asks_a_person_unless_the_row_shows_it(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let lost = update("animals", &seed.steer, 7, json!({"pen": "B7"}), json!({"pen": "C1"}));
    let kept = update("animals", &seed.hog, 7, json!({"tag": "9002"}), json!({"tag": "1"}));
    let results = give_back(&phone, &[lost, kept]).await;
    assert_eq!((&results[0]["verdict"], &results[0]["kind"]), (&json!("conflict"), &json!("restored_server")));
    assert_eq!(results[1]["verdict"], "noop");
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "C1");
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B7");
}

async fn the_chain_of_a_record_is_one_clash(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let first = update("animals", &seed.steer, 7, json!({"pen": "B7"}), json!({"pen": "C1"}));
    let second = update("animals", &seed.steer, 7, json!({"tag": "9077"}), json!({"tag": "9001"}));
    let results = give_back(&phone, &[first, with(second, "prev_op_id", json!(fresh()))]).await;
    assert_eq!((&results[0]["verdict"], &results[1]["verdict"]), (&json!("conflict"), &json!("held")), "{results:?}");
    assert_eq!(results[0]["conflict_id"], results[1]["conflict_id"]);
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["pen"], &data["tag"]), (&json!("B7"), &json!("9077")));
}

async fn a_row_that_was_lost_comes_back_by_decision(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["admin"]).await;
    let animal = fresh();
    let make = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77"}));
    let weigh = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    let edit = update("animals", &animal, 1, json!({"pen": "G1"}), json!({"pen": null}));
    let results = give_back(&phone, &[make, weigh, edit]).await;
    assert!(results.iter().all(|result| ["conflict", "held"].contains(&result["verdict"].as_str().expect("a word"))));
    let weighed = desk.conflict(&results[1]["conflict_id"]).await;
    let early = desk.resolve(&weighed, "client_wins", None).await.expect_problem(422);
    assert_eq!(early["code"], "missing_reference", "the animal comes first");
    let lost = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&lost, "client_wins", None).await.expect_status(200);
    desk.resolve(&weighed, "client_wins", None).await.expect_status(200);
    let data = desk.data("animals", &animal).await;
    assert_eq!((&data["pen"], &data["official_weight_x10"]), (&json!("G1"), &json!(810)));
}

async fn a_deletion_that_was_lost_is_done_by_decision(desk: Desk) {
    let seed = seed(&desk).await;
    let office = desk.phone("Office", &["admin"]).await;
    let lost = crate::phone::delete("animals", &seed.hog, 5);
    let results = give_back(&office, std::slice::from_ref(&lost)).await;
    assert_eq!(results[0]["kind"], "restored_server", "{results:?}");
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.change("animals", &seed.hog).await["op"], "delete");
    assert_eq!(office.status_of(&lost["op_id"]).await["verdict"], "merged");
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.hog).await["tag"], "9002");
}

/// What made the row is given back in a later request, or was never acknowledged and comes with the queue.
async fn a_deletion_waits_for_the_lost_entry_that_made_its_row(desk: Desk) {
    let seed = seed(&desk).await;
    let office = desk.phone("Office", &["admin"]).await;
    let verdict = async |id: &Json| office.status_of(id).await["verdict"].clone();
    for is_given_back in [true, false] {
        let animal = fresh();
        let make = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "78"}));
        let delete = crate::phone::delete("animals", &animal, 1);
        let delete = with(delete, "prev_op_id", make["op_id"].clone());
        let results = give_back(&office, std::slice::from_ref(&delete)).await;
        assert_eq!((&results[0]["verdict"], &results[0]["waiting_for"]), (&json!("held"), &make["op_id"]));
        if is_given_back {
            let results = give_back(&office, std::slice::from_ref(&make)).await;
            assert_eq!(results[0]["kind"], "restored_server", "{results:?}");
            let shown = desk.conflict(&results[0]["conflict_id"]).await;
            assert_eq!(verdict(&delete["op_id"]).await, "held", "one question about both");
            desk.resolve(&shown, "client_wins", None).await.expect_status(200);
        } else {
            let make = with(make, "epoch", json!(Uuid::new_v4()));
            assert_eq!(office.push_one(&make).await["verdict"], "applied");
            // Without a `base` nobody knows what its author had seen of the row.
            let asked = office.status_of(&delete["op_id"]).await;
            assert_eq!((&asked["verdict"], &asked["kind"]), (&json!("conflict"), &json!("delete_updated")));
            let shown = desk.conflict(&asked["conflict_id"]).await;
            desk.resolve(&shown, "client_wins", None).await.expect_status(200);
        }
        let shown = office.pull_all().await.remove(&("animals".to_owned(), animal));
        assert!(shown.is_none_or(|change| change["op"] == "delete"), "given back: {is_given_back}");
    }
}

/// Whoever made the row comes later than who deleted it, or waits for a person already.
async fn a_deletion_waits_for_the_row_that_another_phone_gives_back(desk: Desk) {
    let seed = seed(&desk).await;
    let (barn, office) = (desk.phone("Barn", &["admin"]).await, desk.phone("Office", &["admin"]).await);
    for (resolution, is_first) in
        [("client_wins", true), ("client_wins", false), ("server_wins", true), ("server_wins", false)]
    {
        let animal = fresh();
        let make = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "79"}));
        let delete = with(crate::phone::delete("animals", &animal, 1), "base", json!({"tag": "79"}));
        let mut given_back = Vec::new();
        for is_deletion in [is_first, !is_first] {
            let (phone, op) = if is_deletion { (&office, &delete) } else { (&barn, &make) };
            given_back.extend(give_back(phone, std::slice::from_ref(op)).await);
        }
        let [held, asked] = if is_first { [0, 1] } else { [1, 0] }.map(|at: usize| &given_back[at]);
        assert_eq!((&held["verdict"], &held["waiting_for"]["record_id"]), (&json!("held"), &json!(animal)), "{held}");
        assert_eq!(asked["kind"], "restored_server", "{asked}");
        desk.resolve(&desk.conflict(&asked["conflict_id"]).await, resolution, None).await.expect_status(200);
        let told = office.status_of(&delete["op_id"]).await;
        if resolution == "server_wins" {
            assert_eq!(told["verdict"], "noop", "{told}");
        } else {
            // What the row holds besides the tag its author may not have seen.
            assert_eq!((&told["verdict"], &told["kind"]), (&json!("conflict"), &json!("delete_updated")), "{told}");
            desk.resolve(&desk.conflict(&told["conflict_id"]).await, "client_wins", None).await.expect_status(200);
        }
        let shown = office.pull_all().await.remove(&("animals".to_owned(), animal));
        assert!(shown.is_none_or(|change| change["op"] == "delete"), "{resolution}");
    }
}

/// The desk reads the weights of an animal that the lost row alone names.
async fn a_lost_weigh_in_asks_before_it_takes_the_place_of_another(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    let weigh = |weight_x10: i64| {
        insert("weigh_ins", &fresh(), json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": weight_x10}))
    };
    phone.apply(&[weigh(12_700)]).await;
    let results = give_back(&phone, &[weigh(12_500)]).await;
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_700);
    let open = desk.conflicts("open").await;
    assert_eq!((open.len(), &open[0]["rule"]), (1, &json!("C1")), "{open:?}");
    let asked = desk.conflict(&open[0]["id"]).await;
    desk.resolve(&asked, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_500);
}

async fn what_phones_remember_is_decided_in_bulk(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["admin"]).await;
    let animal = fresh();
    let make = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77"}));
    let weigh = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    let pen = update("animals", &seed.steer, 7, json!({"pen": "B7"}), json!({"pen": "C1"}));
    give_back(&phone, &[make, weigh, pen]).await;
    let request = json!({"filter": {"kind": "restored_server"}, "resolution": "client_wins", "dry_run": false});
    let answer = desk.post("/admin/conflicts/resolve-bulk", &request).await.expect_status(200);
    let outcomes: Vec<&Json> =
        answer["results"].as_array().expect("results").iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["resolved"; 3], "{answer}");
    assert_eq!(desk.data("animals", &animal).await["official_weight_x10"], 810);
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B7");
}

/// The desk lists the newest first; a row comes before those that belong to it all the same, also the other way round.
async fn a_list_is_decided_in_any_order(desk: Desk) {
    seed(&desk).await;
    let phone = desk.phone("Barn", &["admin"]).await;
    let (exhibitor, animal) = (fresh(), fresh());
    let person = insert("exhibitors", &exhibitor, json!({"first_name": "Ida", "last_name": "Vale"}));
    let calf = insert("animals", &animal, json!({"exhibitor_id": exhibitor, "species": "goat", "tag": "77"}));
    // Given back in two pushes, the child first: then its clash is the older one.
    for order in [[0, 1], [1, 0]] {
        let other = |op: &Json| with(with(op.clone(), "op_id", json!(fresh())), "record_id", json!(fresh()));
        let mut ops = [other(&person), other(&calf)];
        ops[1]["data"]["exhibitor_id"] = ops[0]["record_id"].clone();
        ops[1]["data"]["tag"] = json!(format!("77{}", order[0]));
        let mut ids = Vec::new();
        for at in order {
            ids.push(give_back(&phone, &ops[at..=at]).await[0]["conflict_id"].clone());
        }
        for ids in [[&ids[1], &ids[0]], [&ids[0], &ids[1]]] {
            let mut request = json!({"ids": ids, "resolution": "client_wins", "dry_run": true});
            for done in ["would_resolve", "resolved"] {
                let answer = desk.post("/admin/conflicts/resolve-bulk", &request).await.expect_status(200);
                for (at, id) in ids.iter().enumerate() {
                    let result = &answer["results"][at];
                    assert_eq!((&result["id"], &result["outcome"]), (*id, &json!(done)), "{answer}");
                }
                request["dry_run"] = json!(false);
                if done == "resolved" {
                    let path = format!("/admin/bulk/{}/undo", answer["bulk_id"].as_str().expect("an id"));
                    let undone = desk.post(&path, &json!({})).await.expect_status(200);
                    for (at, id) in ids.iter().enumerate() {
                        let result = &undone["results"][at];
                        assert_eq!((&result["id"], &result["outcome"]), (*id, &json!("undone")), "{undone}");
                    }
                }
            }
        }
    }
}

async fn what_the_row_shows_in_the_end_asks_nobody(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"pen": "B3"}), json!({"pen": "C1"}))]).await;
    let first = update("animals", &seed.steer, 7, json!({"pen": "B2"}), json!({"pen": "B1"}));
    let second = update("animals", &seed.steer, 7, json!({"pen": "B3"}), json!({"pen": "B2"}));
    let second = with(second, "prev_op_id", first["op_id"].clone());
    let results = give_back(&phone, &[first.clone(), second]).await;
    assert_eq!(results[1]["verdict"], "noop", "{results:?}");
    assert_eq!(phone.status_of(&first["op_id"]).await["verdict"], "noop");
    assert!(desk.conflicts("open").await.is_empty());
    assert!(desk.change("animals", &seed.steer).await["disputed"].is_null());
}

async fn an_edit_from_before_goes_by_its_own_base(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let before = json!(Uuid::new_v4());
    let fits = update("animals", &seed.steer, 40, json!({"tag": "9011"}), json!({"tag": "9001"}));
    let fits = phone.push_one(&with(fits, "epoch", before.clone())).await;
    assert_eq!(fits["verdict"], "merged", "{fits}");
    let clashes = update("animals", &seed.steer, 41, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let clashes = phone.push_one(&with(clashes, "epoch", before)).await;
    assert_eq!((&clashes["verdict"], &clashes["contested"]), (&json!("conflict"), &json!(["tag"])), "{clashes}");
}

async fn an_edit_from_before_of_a_lost_row_is_update_missing(desk: Desk) {
    seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let lost = update("animals", &fresh(), 4, json!({"pen": "B7"}), json!({"pen": "C1"}));
    let result = phone.push_one(&with(lost.clone(), "epoch", json!(Uuid::new_v4()))).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("update_missing")), "{result}");
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let plain = update("animals", &fresh(), 4, json!({"pen": "B7"}), json!({"pen": "C1"}));
    assert_eq!(phone.push_one(&plain).await["error"]["code"], "not_found");
}

/// It was accepted once: what its author may do now does not decide whether it is shown to a person.
async fn what_is_given_back_asks_a_person_also_when_its_stage_is_over(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    for stage in ["C", "D"] {
        set_stage(&desk, stage).await;
    }
    let weigh_in = json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 12_000});
    let results = give_back(&phone, &[insert("weigh_ins", &fresh(), weigh_in)]).await;
    assert_eq!((&results[0]["verdict"], &results[0]["kind"]), (&json!("conflict"), &json!("restored_server")));
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_000);
}

/// A group that came in part is refused. Its version counts another database's versions: applied by the office it goes
/// by what its author saw.
async fn what_the_office_applies_of_a_lost_time_overwrites_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let edit = update("animals", &seed.steer, 2, json!({"tag": "9099"}), Json::Null);
    let part = with(edit, "txn", json!({"id": fresh(), "size": 1}));
    let twin = with(part.clone(), "op_id", json!("not an id"));
    let results = give_back(&phone, &[part.clone(), twin]).await;
    assert_eq!(results[0]["verdict"], "rejected", "{results:?}");
    let apply = format!("/admin/queue/{}/apply", part["op_id"].as_str().expect("an id"));
    desk.post(&apply, &json!({"reason": "the phone remembers it"})).await.expect_status(200);
    let now = phone.status_of(&part["op_id"]).await;
    assert_eq!((&now["verdict"], &now["contested"]), (&json!("conflict"), &json!(["tag"])), "{now}");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011");
}

async fn a_decision_passes_the_checks_of_any_write(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    let (show, _) = crate::seed::show_of(&desk).await;
    let twin = fresh();
    let merged = json!({"first_name": "Nora", "last_name": "Birch", "merged_into": seed.exhibitor});
    desk.apply(&[insert("exhibitors", &twin, merged)]).await;
    let lost = [
        update("shows", &show, 9, json!({"weight_unit": "kg"}), json!({"weight_unit": "lb"})),
        update("exhibitors", &seed.exhibitor, 9, json!({"merged_into": twin}), json!({"merged_into": null})),
        update("animals", &seed.steer, 9, json!({"pen": "B7"}), json!({"pen": "C1"})),
    ];
    let results = give_back(&phone, &lost).await;
    let refused = async |result: &Json| {
        let shown = desk.conflict(&result["conflict_id"]).await;
        desk.resolve(&shown, "client_wins", None).await.expect_problem(422)["code"].clone()
    };
    assert_eq!(refused(&results[0]).await, "locked", "weights are taken in one unit");
    assert_eq!(refused(&results[1]).await, "cyclic_reference");
    for stage in ["C", "D", "E"] {
        set_stage(&desk, stage).await;
    }
    assert_eq!(refused(&results[2]).await, "locked", "the show is official");
    let shown = desk.conflict(&results[2]["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "C1", "what changes nothing is decided at any time");
}

/// It cannot be written while the class is official; that the desk goes without it can be decided, alone and in bulk.
async fn a_lost_call_of_an_official_class_can_be_let_go(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Gate", &["gate"]).await;
    for stage in ["C", "D"] {
        set_stage(&desk, stage).await;
    }
    let version = desk.change("classes", &seed.class).await["version"].as_i64().expect("a version");
    let official = json!({"official_at": "2026-08-07T12:00:00Z"});
    desk.apply(&[update("classes", &seed.class, version, official, json!({"official_at": null}))]).await;
    let call =
        || insert("class_calls", &fresh(), json!({"class_id": seed.class, "ring_id": seed.ring, "kind": "call_1"}));
    let lost = [call(), call()];
    let results = give_back(&phone, &lost).await;
    assert_eq!((&results[0]["kind"], &results[1]["kind"]), (&json!("restored_server"), &json!("restored_server")));
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    let refused = desk.resolve(&shown, "client_wins", None).await.expect_problem(422);
    assert_eq!(refused["code"], "locked", "{refused}");
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let request = json!({"ids": [results[1]["conflict_id"]], "resolution": "server_wins", "dry_run": false});
    let answer = desk.post("/admin/conflicts/resolve-bulk", &request).await.expect_status(200);
    assert_eq!(answer["results"][0]["outcome"], "resolved", "{answer}");
    for call in &lost {
        assert_eq!(phone.status_of(&call["op_id"]).await["verdict"], "noop");
        let row = desk.change("class_calls", call["record_id"].as_str().expect("an id")).await;
        assert!(row["data"].is_null(), "{row}");
    }
}
