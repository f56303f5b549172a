//! Entries given back after a restore, and entries made before it (PROTOCOL.md §7). The epoch is not really rotated
//! here: what a phone says of the old one is enough.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, update, with};
use crate::seed::seed;

on_both_engines!(
    what_is_given_back_asks_a_person_unless_the_row_shows_it,
    the_chain_of_a_record_is_one_clash,
    a_row_that_was_lost_comes_back_by_decision,
    a_deletion_that_was_lost_is_done_by_decision,
    what_phones_remember_is_decided_in_bulk,
    an_edit_from_before_goes_by_its_own_base,
    an_edit_from_before_of_a_lost_row_is_update_missing,
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
