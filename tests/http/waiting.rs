//! Ops that come before what they need: they are held, never lost, and decided when it comes.

use serde_json::json;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, update, v5, with};
use crate::seed::seed;

on_both_engines!(
    an_edit_that_comes_before_its_predecessor_is_held_and_then_decided,
    a_child_that_comes_before_its_parent_is_held_and_then_applied,
    a_long_chain_sent_backwards_is_decided_when_its_first_op_comes,
    a_row_with_children_and_grandchildren_sent_backwards_is_complete_in_the_end,
    children_of_a_refused_insert_are_refused_and_name_it,
    what_waits_for_an_unreadable_insert_is_refused_with_it,
    a_child_waits_while_its_parent_is_before_a_person,
    an_edit_that_names_another_phones_op_is_refused,
    a_delete_that_overtook_its_insert_is_held,
    a_delete_of_a_row_that_is_before_a_person_waits_with_it,
    a_held_op_sent_again_is_still_held,
    a_held_op_obeys_the_rights_its_author_has_then,
    a_parent_made_by_another_phone_is_waited_for_as_well,
);

async fn an_edit_that_comes_before_its_predecessor_is_held_and_then_decided(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let first = update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}));
    let second = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9011"}));
    let second = with(second, "prev_op_id", first["op_id"].clone());
    let held = phone.push_one(&second).await;
    assert_eq!((&held["verdict"], &held["waiting_for"]), (&json!("held"), &first["op_id"]), "{held}");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9001");
    let results = phone.push(std::slice::from_ref(&first)).await;
    assert_eq!(results[0]["verdict"], "applied");
    let now = phone.status_of(&second["op_id"]).await;
    assert_eq!((&now["verdict"], &now["version"]), (&json!("applied"), &json!(3)), "{now}");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9012");
}

async fn a_child_that_comes_before_its_parent_is_held_and_then_applied(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let child = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    let held = phone.push_one(&child).await;
    assert_eq!(held["verdict"], "held");
    assert_eq!(held["waiting_for"], json!({"table_name": "animals", "record_id": animal}));
    let parent = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77"});
    phone.apply(&[insert("animals", &animal, parent)]).await;
    assert_eq!(phone.status_of(&child["op_id"]).await["verdict"], "applied");
    assert_eq!(desk.data("animals", &animal).await["official_weight_x10"], 810);
}

async fn a_long_chain_sent_backwards_is_decided_when_its_first_op_comes(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let mut chain = vec![update("animals", &seed.steer, 1, json!({"pen": "P0"}), json!({"pen": "C1"}))];
    for step in 1..30 {
        let (was, is) = (format!("P{}", step - 1), format!("P{step}"));
        let edit = update("animals", &seed.steer, 1, json!({"pen": is}), json!({"pen": was}));
        let prev = chain.last().expect("a first op")["op_id"].clone();
        chain.push(with(edit, "prev_op_id", prev));
    }
    let chain: Vec<_> =
        chain.into_iter().enumerate().map(|(at, op)| with(op, "device_seq", json!(1_000 + at))).collect();
    for op in chain[1..].iter().rev() {
        assert_eq!(phone.push_one(op).await["verdict"], "held");
    }
    assert_eq!(phone.push_one(&chain[0]).await["verdict"], "applied");
    for op in &chain {
        assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "applied", "{op}");
    }
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "P29");
}

async fn a_row_with_children_and_grandchildren_sent_backwards_is_complete_in_the_end(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    let (exhibitor, animal) = (fresh(), fresh());
    let entry = v5(&seed.class, &animal);
    let rows = [
        insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 900})),
        insert("placings", &v5(&seed.class, &entry), json!({"class_id": seed.class, "entry_id": entry, "place": 1})),
        insert("entries", &entry, json!({"exhibitor_id": exhibitor, "animal_id": animal, "family_id": seed.class})),
        insert("animals", &animal, json!({"exhibitor_id": exhibitor, "species": "cattle", "tag": "7001"})),
        insert("exhibitors", &exhibitor, json!({"first_name": "Ida", "last_name": "Vale"})),
    ];
    for row in &rows[..4] {
        assert_eq!(phone.push_one(row).await["verdict"], "held", "{row}");
    }
    phone.apply(&rows[4..]).await;
    for row in &rows {
        assert_eq!(phone.status_of(&row["op_id"]).await["verdict"], "applied", "{row}");
    }
    assert_eq!(desk.data("animals", &animal).await["official_weight_x10"], 900);
}

async fn children_of_a_refused_insert_are_refused_and_name_it(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Gate", &["gate", "scale"]).await;
    let animal = fresh();
    let child = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    assert_eq!(phone.push_one(&child).await["verdict"], "held");
    let parent = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "goat"}));
    let refused = phone.push_one(&parent).await;
    assert_eq!(refused["error"]["code"], "forbidden", "{refused}");
    for child in [phone.status_of(&child["op_id"]).await, {
        let late = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 1}));
        phone.push_one(&late).await
    }] {
        assert_eq!(child["error"]["code"], "missing_reference", "{child}");
        let detail = child["error"]["detail"].as_str().expect("a sentence");
        assert!(detail.contains(parent["op_id"].as_str().expect("an id")), "{detail}");
    }
}

/// Checks that look nothing up refuse the insert: what waits for it is decided all the same, in the same transaction.
async fn what_waits_for_an_unreadable_insert_is_refused_with_it(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let parent = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "dragon"}));
    let child = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    let edit = update("animals", &animal, 1, json!({"pen": "B1"}), json!({"pen": null}));
    let edit = with(edit, "prev_op_id", parent["op_id"].clone());
    for op in [&child, &edit] {
        assert_eq!(phone.push_one(op).await["verdict"], "held");
    }
    let refused = phone.push_one(&parent).await;
    assert_eq!(refused["error"]["code"], "out_of_range", "{refused}");
    for op in [&child, &edit] {
        let now = phone.status_of(&op["op_id"]).await;
        assert_eq!(now["error"]["code"], "missing_reference", "{now}");
        let detail = now["error"]["detail"].as_str().expect("a sentence");
        assert!(detail.contains(parent["op_id"].as_str().expect("an id")), "{detail}");
    }
}

async fn a_child_waits_while_its_parent_is_before_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let parent = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001"});
    let child = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 8_100}));
    let results = phone.push(&[insert("animals", &animal, parent), child.clone()]).await;
    assert_eq!((&results[0]["verdict"], &results[0]["kind"]), (&json!("conflict"), &json!("unique_violation")));
    assert_eq!((&results[1]["verdict"], &results[1]["waiting_for"]["record_id"]), (&json!("held"), &json!(animal)));
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(phone.status_of(&child["op_id"]).await["verdict"], "applied");
    let data = desk.data("animals", &animal).await;
    assert_eq!((&data["tag"], &data["official_weight_x10"]), (&json!(null), &json!(8_100)));
}

async fn an_edit_that_names_another_phones_op_is_refused(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let other = desk.phone("Barn 2", &["superintendent", "checkin", "scale"]).await;
    let theirs = update("animals", &seed.steer, 1, json!({"pen": "X1"}), json!({"pen": "C1"}));
    other.apply(std::slice::from_ref(&theirs)).await;
    let edit = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let result = phone.push_one(&with(edit, "prev_op_id", theirs["op_id"].clone())).await;
    assert_eq!(result["error"]["code"], "invalid_prev", "{result}");
}

async fn a_delete_that_overtook_its_insert_is_held(desk: Desk) {
    let phone = desk.phone("Office", &["admin"]).await;
    let ring = fresh();
    let make = insert("rings", &ring, json!({"name": "Ring 9", "seq": 9}));
    let remove = with(crate::phone::delete("rings", &ring, 1), "prev_op_id", make["op_id"].clone());
    assert_eq!(phone.push_one(&remove).await["verdict"], "held");
    phone.apply(&[make]).await;
    assert_eq!(phone.status_of(&remove["op_id"]).await["verdict"], "applied");
    assert_eq!(desk.change("rings", &ring).await["op"], "delete", "a deleted record does not come back");
}

async fn a_delete_of_a_row_that_is_before_a_person_waits_with_it(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    let animal = fresh();
    let make = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001"});
    let make = insert("animals", &animal, make);
    let remove = with(crate::phone::delete("animals", &animal, 1), "prev_op_id", make["op_id"].clone());
    let results = phone.push(&[make, remove.clone()]).await;
    assert_eq!((&results[0]["verdict"], &results[1]["verdict"]), (&json!("conflict"), &json!("held")), "{results:?}");
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(phone.status_of(&remove["op_id"]).await["verdict"], "applied");
    assert_eq!(desk.change("animals", &animal).await["op"], "delete", "a deleted record does not come back");
}

async fn a_held_op_sent_again_is_still_held(desk: Desk) {
    seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    let child = insert("weigh_ins", &fresh(), json!({"animal_id": fresh(), "kind": "arrival", "weight_x10": 810}));
    let first = phone.push_one(&child).await;
    let again = phone.push_one(&child).await;
    assert_eq!((&again["verdict"], &again["replayed"]), (&json!("held"), &json!(true)));
    assert_eq!(again["waiting_for"], first["waiting_for"]);
}

async fn a_held_op_obeys_the_rights_its_author_has_then(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    let animal = fresh();
    let child = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    assert_eq!(phone.push_one(&child).await["verdict"], "held");
    crate::seed::set_stage(&desk, "D").await;
    let parent = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77"});
    desk.apply(&[insert("animals", &animal, parent)]).await;
    assert_eq!(phone.status_of(&child["op_id"]).await["error"]["code"], "locked");
}

async fn a_parent_made_by_another_phone_is_waited_for_as_well(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale", &["scale"]).await;
    let barn = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let child = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    assert_eq!(scale.push_one(&child).await["verdict"], "held");
    let parent = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77"});
    barn.apply(&[insert("animals", &animal, parent)]).await;
    assert_eq!(scale.status_of(&child["op_id"]).await["verdict"], "applied");
}
