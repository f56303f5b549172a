//! Two ids for one thing, and the other ways out of a clash about a unique value (PROTOCOL.md §4).

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, update, v5, with};
use crate::seed::{Seed, seed};

on_both_engines!(
    an_animal_that_is_the_same_brings_its_children_along,
    what_comes_later_under_the_other_name_finds_the_row,
    the_phone_is_told_to_drop_its_own_id,
    same_as_can_be_taken_back_while_nothing_has_moved,
    a_live_row_that_is_the_same_gives_its_children_away,
    the_holder_can_get_another_value,
    same_as_must_name_a_row_of_the_table,
);

/// A phone types an animal whose tag another animal has, and weighs it.
async fn twice(desk: &Desk) -> (Seed, Phone, String, Vec<Json>, Json) {
    let seed = seed(desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": animal, "family_id": seed.class});
    let ops = vec![
        insert(
            "animals",
            &animal,
            json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001", "name": "Bruno"}),
        ),
        insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 12_000})),
        insert("entries", &v5(&seed.class, &animal), entry),
    ];
    let results = phone.push(&ops).await;
    assert_eq!(results[0]["kind"], "unique_violation", "{results:?}");
    assert_eq!(results[0]["record"]["tag"], "9001", "the holder is shown");
    assert!(results[1..].iter().all(|result| result["verdict"] == "held"), "{results:?}");
    let conflict = desk.conflict(&results[0]["conflict_id"]).await;
    (seed, phone, animal, ops, conflict)
}

async fn an_animal_that_is_the_same_brings_its_children_along(desk: Desk) {
    let (seed, phone, animal, ops, conflict) = twice(&desk).await;
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    assert!(desk.change("animals", &animal).await["data"].is_null());
    let steer = desk.data("animals", &seed.steer).await;
    assert_eq!((&steer["tag"], &steer["name"]), (&json!("9001"), &json!("Bruno")), "what it lacked is filled in");
    assert_eq!(steer["official_weight_x10"], 12_000, "the weight was taken of this animal");
    let entry = v5(&seed.class, &seed.steer);
    assert_eq!(desk.data("entries", &entry).await["animal_id"], json!(seed.steer), "under its own key");
    assert!(desk.change("entries", &v5(&seed.class, &animal)).await["data"].is_null());
    for op in &ops {
        let now = phone.status_of(&op["op_id"]).await;
        assert!(["applied", "merged", "noop"].contains(&now["verdict"].as_str().expect("a verdict")), "{now}");
    }
    let insert = phone.status_of(&ops[0]["op_id"]).await;
    assert_eq!(insert["record"]["pen"], "C1", "the holder as record: {insert}");
    assert_eq!(insert["record_id"], json!(seed.steer));
}

async fn what_comes_later_under_the_other_name_finds_the_row(desk: Desk) {
    let (seed, phone, animal, ops, conflict) = twice(&desk).await;
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let edit = update("animals", &animal, 1, json!({"pen": "B9"}), json!({"pen": null}));
    let edit = phone.push_one(&with(edit, "prev_op_id", ops[0]["op_id"].clone())).await;
    assert!(["applied", "merged"].contains(&edit["verdict"].as_str().expect("a verdict")), "{edit}");
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B9");
    let again = update("animals", &animal, 1, json!({"pen": "B9"}), json!({"pen": null}));
    let same = phone.push_one(&with(again, "prev_op_id", ops[0]["op_id"].clone())).await;
    assert_eq!(same["verdict"], "noop", "{same}");
    let late = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "weigh_back", "weight_x10": 1}));
    assert_eq!(phone.push_one(&late).await["verdict"], "applied");
    let row = desk.data("weigh_ins", late["record_id"].as_str().expect("an id")).await;
    assert_eq!(row["animal_id"], json!(seed.steer));
}

async fn the_phone_is_told_to_drop_its_own_id(desk: Desk) {
    let (seed, phone, animal, _, conflict) = twice(&desk).await;
    let mut rows = std::collections::BTreeMap::new();
    let cursor = phone.pull_after(None, 500, &mut rows).await;
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let mut news = std::collections::BTreeMap::new();
    phone.pull_after(Some(cursor), 500, &mut news).await;
    let change = &news[&("animals".to_owned(), animal)];
    assert_eq!((&change["op"], &change["data"]), (&json!("revoke"), &Json::Null), "{change}");
    assert!(news.contains_key(&("animals".to_owned(), seed.steer.clone())), "and takes the holder");
}

async fn same_as_can_be_taken_back_while_nothing_has_moved(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let data = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001"});
    let op = insert("animals", &animal, data);
    let result = phone.push_one(&op).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    let shown = desk.conflict(&shown["id"]).await;
    assert_eq!(shown["status"], "open");
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &animal).await["tag"], "9001");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], Json::Null);
}

async fn a_live_row_that_is_the_same_gives_its_children_away(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let double = fresh();
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": double, "family_id": seed.class});
    desk.apply(&[
        insert("animals", &double, json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9100"})),
        insert("weigh_ins", &fresh(), json!({"animal_id": double, "kind": "arrival", "weight_x10": 11_000})),
        insert("entries", &v5(&seed.class, &double), entry),
    ])
    .await;
    let version = desk.change("animals", &double).await["version"].as_i64().expect("a version");
    let edit = update("animals", &double, version, json!({"tag": "9001"}), json!({"tag": "9100"}));
    let result = phone.push_one(&edit).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    assert_eq!(desk.change("animals", &double).await["op"], "delete");
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 11_000);
    assert_eq!(desk.data("entries", &v5(&seed.class, &seed.steer)).await["animal_id"], json!(seed.steer));
    assert_eq!(desk.change("entries", &v5(&seed.class, &double)).await["op"], "delete");
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    assert_eq!(desk.post(&undo, &json!({})).await.expect_problem(409)["code"], "wrong_state");
}

async fn the_holder_can_get_another_value(desk: Desk) {
    let (seed, _, animal, _, conflict) = twice(&desk).await;
    let taken = json!({"other_data": {"name": "x"}});
    assert_eq!(desk.resolve(&conflict, "manual", Some(taken)).await.expect_problem(422)["code"], "unknown_field");
    let data = json!({"other_data": {"tag": "9555"}});
    desk.resolve(&conflict, "manual", Some(data)).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9555");
    assert_eq!(desk.data("animals", &animal).await["tag"], "9001");
    let undo = format!("/admin/conflicts/{}/undo", conflict["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_problem(422);
}

async fn same_as_must_name_a_row_of_the_table(desk: Desk) {
    let (seed, _, animal, _, conflict) = twice(&desk).await;
    for wrong in [json!(seed.exhibitor), json!(animal), json!(7), json!("nonsense")] {
        let refused = desk.resolve(&conflict, "manual", Some(json!({"same_as": wrong}))).await.expect_problem(422);
        assert_eq!(refused["code"], "missing_reference");
    }
    let both = json!({"same_as": seed.steer, "tag": "1"});
    assert_eq!(desk.resolve(&conflict, "manual", Some(both)).await.expect_problem(422)["code"], "unknown_field");
}
