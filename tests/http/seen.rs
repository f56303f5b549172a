//! Nobody's value is overwritten by somebody who had not seen it, however a clash ends.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, update, with};
use crate::seed::seed;

on_both_engines!(
    a_superseded_clash_keeps_what_its_author_had_not_seen,
    an_undo_leaves_a_joined_field_that_moved_since,
    a_tag_is_taken_only_from_who_still_has_it,
    an_undone_decision_gives_the_tag_back,
    a_correction_of_an_entry_that_waits_joins_its_clash,
    a_correction_of_an_entry_that_has_not_come_waits,
    a_decision_for_a_taken_tag_says_so,
    a_row_of_another_department_is_not_brought_home,
    an_impossible_year_is_refused,
    an_edit_after_an_insert_that_met_a_row_has_not_seen_it,
    a_field_beside_a_unique_clash_that_moved_is_disputed,
);

async fn a_superseded_clash_keeps_what_its_author_had_not_seen(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn 1", &["superintendent", "checkin"]).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let edit = update(
        "animals",
        &seed.steer,
        1,
        json!({"tag": "9012", "breed": "Hereford"}),
        json!({"tag": "9001", "breed": "Angus"}),
    );
    assert_eq!(phone.push_one(&edit).await["verdict"], "conflict");
    let office = update(
        "animals",
        &seed.steer,
        2,
        json!({"tag": "9012", "breed": "Shorthorn"}),
        json!({"tag": "9011", "breed": "Angus"}),
    );
    desk.apply(&[office]).await;
    assert_eq!(desk.data("animals", &seed.steer).await["breed"], "Shorthorn");
    let open = desk.conflicts("open").await;
    assert_eq!(open.len(), 1, "the breed is disputed now");
    assert!(open[0]["contested"].as_array().is_some_and(|fields| fields.contains(&json!("breed"))));
}

async fn an_undo_leaves_a_joined_field_that_moved_since(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn 1", &["superintendent", "checkin"]).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let edit = json!({"tag": "9012", "pen": "B7"});
    let edit = update("animals", &seed.steer, 1, edit, json!({"tag": "9001", "pen": "C1"}));
    let result = phone.push_one(&edit).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let version = desk.change("animals", &seed.steer).await["version"].as_i64().expect("a version");
    desk.apply(&[update("animals", &seed.steer, version, json!({"pen": "B8"}), json!({"pen": "B7"}))]).await;
    undo(&desk, &shown).await;
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["tag"], &data["pen"]), (&json!("9011"), &json!("B8")));
}

async fn undo(desk: &Desk, shown: &Json) {
    let path = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
}

/// A second steer whose owner wants the first one's tag; answers its id and the clash.
async fn wants_the_same_tag(desk: &Desk, seed: &crate::seed::Seed) -> (String, Json) {
    let second = fresh();
    let row =
        json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9003", "official_id": "840003100009003"});
    let official = json!({"official_id": "840003100009001"});
    desk.apply(&[
        insert("animals", &second, row),
        update("animals", &seed.steer, 1, official, json!({"official_id": null})),
    ])
    .await;
    let phone = desk.phone("Barn 1", &["superintendent", "checkin"]).await;
    let result = phone.push_one(&update("animals", &second, 1, json!({"tag": "9001"}), json!({"tag": "9003"}))).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("unique_violation")));
    assert_eq!(result["record"]["official_id"], "840003100009001", "the row that has the tag is shown");
    (second, desk.conflict(&result["conflict_id"]).await)
}

async fn a_tag_is_taken_only_from_who_still_has_it(desk: Desk) {
    let seed = seed(&desk).await;
    let (second, shown) = wants_the_same_tag(&desk, &seed).await;
    desk.apply(&[update("animals", &seed.steer, 2, json!({"tag": "9006"}), json!({"tag": "9001"}))]).await;
    let moved = desk.resolve(&shown, "client_wins", None).await.expect_problem(409);
    assert_eq!(moved["code"], "server_moved");
    let shown = desk.conflict(&shown["id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9006");
    assert_eq!(desk.data("animals", &second).await["tag"], "9001");
}

async fn an_undone_decision_gives_the_tag_back(desk: Desk) {
    let seed = seed(&desk).await;
    let (second, shown) = wants_the_same_tag(&desk, &seed).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert!(desk.data("animals", &seed.steer).await["tag"].is_null());
    undo(&desk, &shown).await;
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9001");
    assert_eq!(desk.data("animals", &second).await["tag"], "9003");
}

async fn a_correction_of_an_entry_that_waits_joins_its_clash(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn 1", &["superintendent", "checkin"]).await;
    let animal = fresh();
    let made = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001"}));
    let result = phone.push_one(&made).await;
    assert_eq!(result["kind"], "unique_violation");
    let fixed = update("animals", &animal, 1, json!({"tag": "9009"}), json!({"tag": "9001"}));
    let fixed = phone.push_one(&with(fixed, "prev_op_id", made["op_id"].clone())).await;
    assert_eq!((&fixed["verdict"], &fixed["conflict_id"]), (&json!("held"), &result["conflict_id"]));
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &animal).await["tag"], "9009");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9001", "nobody wants it any more");
}

async fn a_correction_of_an_entry_that_has_not_come_waits(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn 1", &["superintendent", "checkin"]).await;
    let animal = fresh();
    let made = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9003"}));
    let fixed = update("animals", &animal, 1, json!({"tag": "9004"}), json!({"tag": "9003"}));
    let fixed = with(fixed, "prev_op_id", made["op_id"].clone());
    assert_eq!(phone.push_one(&fixed).await["verdict"], "held");
    phone.apply(&[made]).await;
    assert_eq!(phone.push_one(&fixed).await["verdict"], "applied");
    assert_eq!(desk.data("animals", &animal).await["tag"], "9004");
}

async fn a_decision_for_a_taken_tag_says_so(desk: Desk) {
    let seed = seed(&desk).await;
    let second = fresh();
    let row = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9003"});
    desk.apply(&[insert("animals", &second, row)]).await;
    let (_, _, _, result) = crate::conflicts::clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let taken = desk.resolve(&shown, "manual", Some(json!({"tag": "9003"}))).await.expect_problem(422);
    assert_eq!(taken["code"], "unique_violation");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011");
}

async fn a_row_of_another_department_is_not_brought_home(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone_in("Swine", &["superintendent", "checkin"], json!({"departments": ["swine"]})).await;
    let tag =
        phone.push_one(&update("animals", &seed.steer, 1, json!({"species": "swine", "tag": "1"}), json!({}))).await;
    assert_eq!(tag["error"]["code"], "forbidden");
    let own = phone.push_one(&update("animals", &seed.hog, 1, json!({"tag": "1"}), json!({"tag": "9002"}))).await;
    assert_eq!(own["verdict"], "applied");
}

async fn an_impossible_year_is_refused(desk: Desk) {
    let seed = seed(&desk).await;
    for (field, value) in [("arrived_at", "9999-12-31T23:00:00-05:00"), ("born_on", "-999-01-01")] {
        let result = desk.push_one(&update("animals", &seed.steer, 1, json!({field: value}), json!({}))).await;
        assert_eq!(result["error"]["code"], "invalid_time", "{field}");
    }
}

async fn an_edit_after_an_insert_that_met_a_row_has_not_seen_it(desk: Desk) {
    let seed = seed(&desk).await;
    let (gate, barn) = (desk.phone("Gate", &["admin"]).await, desk.phone("Barn", &["admin"]).await);
    let entry = crate::phone::v5(&seed.class, &seed.steer);
    let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    let theirs = with(data.clone(), "out_reason", json!("scratch"));
    gate.apply(&[insert("entries", &entry, theirs)]).await;
    let make = insert("entries", &entry, data);
    let out = update("entries", &entry, 1, json!({"out_reason": "vet"}), json!({"out_reason": null}));
    let out = with(out, "prev_op_id", make["op_id"].clone());
    let results = barn.push(&[make, out]).await;
    assert_eq!((&results[0]["verdict"], &results[1]["verdict"]), (&json!("noop"), &json!("merged")), "{results:?}");
    let filed = desk.conflicts("merged_automatically").await;
    assert_eq!(
        (filed.len(), &filed[0]["contested"]),
        (1, &json!(["out_reason"])),
        "the higher reason won, and it says so"
    );
}

async fn a_field_beside_a_unique_clash_that_moved_is_disputed(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let other = fresh();
    let data = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9003", "breed": "Angus"});
    desk.apply(&[insert("animals", &other, data)]).await;
    let edit = json!({"tag": "9001", "breed": "Hereford"});
    let edit = update("animals", &other, 1, edit, json!({"tag": "9003", "breed": "Angus"}));
    let result = phone.push_one(&edit).await;
    assert_eq!(result["kind"], "unique_violation", "{result}");
    desk.apply(&[update("animals", &other, 1, json!({"breed": "Shorthorn"}), json!({"breed": "Angus"}))]).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    assert_eq!(shown["contested"], json!(["tag", "breed"]), "{shown}");
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &other).await["breed"], "Shorthorn", "nobody had seen it who would replace it");
}
