//! Rows that are deleted on one side and edited on the other.

use serde_json::json;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{delete, fresh, insert, update};
use crate::seed::seed;

on_both_engines!(
    an_edit_of_a_deleted_row_asks_a_person,
    a_restored_row_has_the_edit,
    a_delete_of_an_edited_row_asks_a_person,
    a_row_made_again_after_its_delete_asks_a_person,
    an_edit_of_a_row_that_never_was_is_not_found,
    a_row_with_children_is_not_deleted,
    only_an_admin_deletes,
    what_belongs_to_a_deleted_row_asks_a_person,
    a_row_moved_to_a_deleted_one_asks_a_person,
);

async fn an_edit_of_a_deleted_row_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    desk.apply(&[delete("animals", &seed.hog, 1)]).await;
    let edit = update("animals", &seed.hog, 1, json!({"tag": "9050"}), json!({"tag": "9002"}));
    let result = phone.push_one(&edit).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("update_deleted")));
    assert_eq!(
        desk.change("animals", &seed.hog).await["op"],
        "delete",
        "a deleted record does not come back by itself"
    );
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let change = desk.change("animals", &seed.hog).await;
    assert_eq!((&change["op"], &change["version"]), (&json!("delete"), &json!(3)), "a decision is a version");
    assert_eq!(desk.history("animals", &seed.hog).await[0]["reason"], "checked at the scale");
    assert_eq!(phone.status_of(&edit["op_id"]).await["verdict"], "noop");
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    let change = phone.change("animals", &seed.hog).await;
    assert_eq!((&change["op"], &change["version"]), (&json!("delete"), &json!(4)));
}

async fn a_restored_row_has_the_edit(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    desk.apply(&[delete("animals", &seed.hog, 1)]).await;
    let edit = update("animals", &seed.hog, 1, json!({"tag": "9050"}), json!({"tag": "9002"}));
    let result = phone.push_one(&edit).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let change = phone.change("animals", &seed.hog).await;
    assert_eq!((&change["op"], &change["data"]["tag"]), (&json!("upsert"), &json!("9050")));
    assert_eq!(phone.status_of(&edit["op_id"]).await["verdict"], "merged");
    desk.post(&format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id")), &json!({}))
        .await
        .expect_status(200);
    assert_eq!(phone.change("animals", &seed.hog).await["op"], "delete");
}

async fn a_delete_of_an_edited_row_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    let office = desk.phone("Office", &["admin"]).await;
    phone.apply(&[update("animals", &seed.hog, 1, json!({"tag": "9050"}), json!({"tag": "9002"}))]).await;
    let result = office.push_one(&delete("animals", &seed.hog, 1)).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("delete_updated")));
    assert_eq!(desk.change("animals", &seed.hog).await["op"], "upsert");
    let shown = desk.conflict(&result["conflict_id"]).await;
    phone.apply(&[update("animals", &seed.hog, 2, json!({"pen": "B7"}), json!({"pen": null}))]).await;
    let refused = desk.resolve(&shown, "client_wins", None).await.expect_problem(409);
    assert_eq!(
        (&refused["code"], &refused["fresh"]["server_version"]),
        (&json!("server_moved"), &json!(3)),
        "{refused}"
    );
    desk.resolve(&refused["fresh"], "client_wins", None).await.expect_status(200);
    assert_eq!(desk.change("animals", &seed.hog).await["op"], "delete");
}

async fn a_row_made_again_after_its_delete_asks_a_person(desk: Desk) {
    let phone = desk.phone("Office", &["admin"]).await;
    let ring = fresh();
    desk.apply(&[insert("rings", &ring, json!({"name": "Ring 7"}))]).await;
    desk.apply(&[delete("rings", &ring, 1)]).await;
    let result = phone.push_one(&insert("rings", &ring, json!({"name": "Ring 7"}))).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("insert_deleted")));
    let change = phone.change("rings", &ring).await;
    assert!(change.is_null() || change["op"] == "delete", "{change}");
}

async fn an_edit_of_a_row_that_never_was_is_not_found(desk: Desk) {
    let phone = desk.phone("Office", &["admin"]).await;
    let result =
        phone.push_one(&update("rings", &fresh(), 3, json!({"name": "Ring 7"}), json!({"name": "Ring 6"}))).await;
    assert_eq!((&result["verdict"], &result["error"]["code"]), (&json!("rejected"), &json!("not_found")));
}

async fn a_row_with_children_is_not_deleted(desk: Desk) {
    let seed = seed(&desk).await;
    let result = desk.push_one(&delete("exhibitors", &seed.exhibitor, 1)).await;
    assert_eq!((&result["verdict"], &result["error"]["code"]), (&json!("rejected"), &json!("has_children")));
    desk.apply(&[
        delete("animals", &seed.steer, 1),
        delete("animals", &seed.hog, 1),
        delete("exhibitors", &seed.exhibitor, 1),
    ])
    .await;
}

async fn only_an_admin_deletes(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "gate"]).await;
    let result = phone.push_one(&delete("animals", &seed.hog, 1)).await;
    assert_eq!((&result["verdict"], &result["error"]["code"]), (&json!("rejected"), &json!("forbidden")));
}

async fn what_belongs_to_a_deleted_row_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    desk.apply(&[delete("animals", &seed.hog, 1)]).await;
    let weigh_in = fresh();
    let op = insert("weigh_ins", &weigh_in, json!({"animal_id": seed.hog, "kind": "arrival", "weight_x10": 2_600}));
    let result = phone.push_one(&op).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("missing_reference")), "{result}");
    assert!(desk.data("weigh_ins", &weigh_in).await.is_null(), "nothing hangs on a row that is gone");
    let shown = desk.conflict(&result["conflict_id"]).await;
    let early = desk.resolve(&shown, "client_wins", None).await.expect_problem(422);
    assert_eq!(early["code"], "missing_reference", "the animal comes back first: {early}");
    desk.resolve(&shown, "manual", Some(json!({"animal_id": seed.steer}))).await.expect_status(200);
    assert_eq!(desk.data("weigh_ins", &weigh_in).await["animal_id"], json!(seed.steer), "it was the wrong animal");
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 2_600);
}

async fn a_row_moved_to_a_deleted_one_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    let ring = fresh();
    desk.apply(&[insert("rings", &ring, json!({"name": "Ring 7"})), delete("rings", &ring, 1)]).await;
    let edit = update("classes", &seed.class, 1, json!({"ring_id": ring}), json!({"ring_id": seed.ring}));
    let result = phone.push_one(&edit).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("missing_reference")), "{result}");
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(desk.data("classes", &seed.class).await["ring_id"], json!(seed.ring));
    assert_eq!(phone.status_of(&edit["op_id"]).await["verdict"], "noop");
}
