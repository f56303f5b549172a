//! How a clash is decided at the desk, and how a decision is taken back.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, send, update, v5, with};
use crate::seed::{seed, set_stage};

on_both_engines!(
    the_phones_value_wins,
    the_laptops_value_wins,
    another_value_is_written,
    a_stale_rev_decides_nothing,
    other_fields_may_move_under_a_decision,
    the_same_key_gets_the_same_answer,
    a_decided_clash_is_not_decided_again,
    a_value_that_breaks_a_rule_decides_nothing,
    an_undone_decision_is_open_again,
    an_undo_that_others_have_overtaken_is_refused,
    an_author_may_disagree,
    what_an_author_disagrees_with_waits_for_a_person,
    phones_decide_nothing,
    a_value_that_a_third_row_has_needs_another,
    who_saw_another_value_decides_nothing,
    a_decision_tells_its_author_what_the_author_may_see,
    the_desks_side_wins_in_an_official_show_too,
);

fn undo_path(conflict: &Json) -> String {
    format!("/admin/conflicts/{}/undo", conflict["id"].as_str().expect("an id"))
}

async fn the_phones_value_wins(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second, edit, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let decided = desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(decided["status"], "resolved");
    let change = first.change("animals", &seed.steer).await;
    assert_eq!((&change["data"]["tag"], &change["version"]), (&json!("9012"), &json!(3)));
    let status = second.status_of(&edit["op_id"]).await;
    assert_eq!(status["verdict"], "merged", "its value stands");
    let decision = &status["decision"];
    assert_eq!((&decision["conflict_id"], &decision["resolution"]), (&result["conflict_id"], &json!("client_wins")));
    assert_eq!((&decision["reason"], &decision["values"]), (&json!("checked at the scale"), &json!({"tag": "9012"})));
    assert!(decision["by"].is_string() || decision["by"].is_object());
    assert!(decision["at"].is_string());
    let versions = desk.history("animals", &seed.steer).await;
    assert_eq!((versions.len(), &versions[0]["reason"]), (3, &json!("checked at the scale")));
    assert_eq!(desk.conflict(&result["conflict_id"]).await["decisions"].as_array().map(Vec::len), Some(1));
}

async fn the_laptops_value_wins(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011");
    let status = second.status_of(&edit["op_id"]).await;
    assert_eq!((&status["verdict"], &status["decision"]["resolution"]), (&json!("noop"), &json!("server_wins")));
    assert!(desk.conflicts("open").await.is_empty());
}

async fn another_value_is_written(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"tag": "9019"}))).await.expect_status(200);
    assert_eq!(second.data("animals", &seed.steer).await["tag"], "9019");
    let status = second.status_of(&edit["op_id"]).await;
    assert_eq!(
        (&status["verdict"], &status["decision"]["values"]["tag"]),
        (&json!("noop"), &json!("9019")),
        "none of its values stand"
    );
}

async fn a_stale_rev_decides_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let mut shown = desk.conflict(&result["conflict_id"]).await;
    shown["rev"] = json!(shown["rev"].as_i64().expect("a number") + 7);
    desk.resolve(&shown, "client_wins", None).await.expect_problem(409);
    assert_eq!(desk.conflict(&result["conflict_id"]).await["status"], "open");
    let unknown = json!({"id": fresh(), "server_version": 1, "rev": 1});
    desk.resolve(&unknown, "client_wins", None).await.expect_problem(404);
}

async fn other_fields_may_move_under_a_decision(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, _, _, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    first.apply(&[update("animals", &seed.steer, 2, json!({"breed": "Hereford"}), json!({"breed": "Angus"}))]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["tag"], &data["breed"]), (&json!("9012"), &json!("Hereford")));
}

async fn the_same_key_gets_the_same_answer(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let request = json!({
        "resolution": "client_wins", "expected_server_version": shown["server_version"], "rev": shown["rev"],
        "idempotency_key": "one-tap",
    });
    let path = format!("/admin/conflicts/{}/resolve", shown["id"].as_str().expect("an id"));
    let first = desk.post(&path, &request).await.expect_status(200);
    let again = desk.post(&path, &request).await.expect_status(200);
    assert_eq!(first, again);
    let mut other = request.clone();
    other["resolution"] = json!("server_wins");
    assert_eq!(desk.post(&path, &other).await.expect_problem(422)["code"], "idempotency_key", "not the same request");
    assert_eq!(desk.history("animals", &seed.steer).await.len(), 3, "written once");
}

async fn a_decided_clash_is_not_decided_again(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    desk.resolve(&shown, "server_wins", None).await.expect_problem(409);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9012");
}

async fn a_value_that_breaks_a_rule_decides_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    for data in [json!({"tag": "x".repeat(21)}), json!({"tag": 5}), json!({"colour": "red"}), json!({"adg_x1000": 5})] {
        desk.resolve(&shown, "manual", Some(data)).await.expect_problem(422);
    }
    assert_eq!(desk.conflict(&result["conflict_id"]).await["status"], "open");
    let wrong = desk.resolve(&shown, "coin_toss", None).await;
    assert!([400, 422].contains(&wrong.status.as_u16()), "{}", wrong.text);
}

async fn an_undone_decision_is_open_again(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let decided = desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let undone = desk.post(&undo_path(&shown), &json!({"reason": "wrong animal"})).await.expect_status(200);
    assert_eq!(undone["status"], "open");
    assert_eq!(undone["rev"].as_i64(), decided["rev"].as_i64().map(|rev| rev + 1));
    assert_eq!(undone["decisions"].as_array().map(Vec::len), Some(1), "the decision is filed");
    let change = desk.change("animals", &seed.steer).await;
    assert_eq!((&change["data"]["tag"], &change["disputed"]), (&json!("9011"), &json!(["tag"])));
    assert!(change["version"].as_i64() > Some(3), "a compensating version");
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "conflict");
    let again = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&again, "server_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011");
}

async fn an_undo_that_others_have_overtaken_is_refused(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, _, _, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    first.apply(&[update("animals", &seed.steer, 3, json!({"tag": "9030"}), json!({"tag": "9012"}))]).await;
    let refused = desk.post(&undo_path(&shown), &json!({})).await.expect_problem(409);
    assert_eq!(refused["code"], "server_moved");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9030");
}

async fn an_author_may_disagree(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let decided = desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let path = format!("/me/conflicts/{}/disagree", result["conflict_id"].as_str().expect("an id"));
    send(second.request(Method::POST, &path).json(&json!({"note": "I read it twice"}))).await.expect_status(200);
    let open = desk.conflict(&result["conflict_id"]).await;
    assert_eq!(open["status"], "open");
    assert_eq!(open["rev"].as_i64(), decided["rev"].as_i64().map(|rev| rev + 1));
    assert_eq!(open["disagreement"]["note"], "I read it twice");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011", "the decided value stays in force");
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "conflict");
}

async fn what_an_author_disagrees_with_waits_for_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second, _, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let path = format!("/me/conflicts/{}/disagree", result["conflict_id"].as_str().expect("an id"));
    send(second.request(Method::POST, &path).json(&json!({"note": "not this one"}))).await.expect_status(200);
    first.apply(&[update("animals", &seed.steer, 3, json!({"breed": "Hereford"}), json!({"breed": "Angus"}))]).await;
    let open = desk.conflict(&result["conflict_id"]).await;
    assert_eq!((&open["status"], &open["disagreement"]["note"]), (&json!("open"), &json!("not this one")), "{open}");
}

async fn phones_decide_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, _, result) = clash(&desk, &seed).await;
    let id = result["conflict_id"].as_str().expect("an id");
    let request = json!({"resolution": "client_wins", "expected_server_version": 2, "rev": 1, "idempotency_key": "k"});
    for path in [format!("/admin/conflicts/{id}/resolve"), format!("/me/conflicts/{id}/resolve")] {
        send(second.request(Method::POST, &path).json(&request)).await.expect_problem(404);
    }
}

async fn a_value_that_a_third_row_has_needs_another(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let animal = |tag: &str| {
        insert("animals", &fresh(), json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": tag}))
    };
    let result = phone.push_one(&animal("9001")).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9555"}), json!({"tag": "9001"})), animal("9001")])
        .await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let refused = desk.resolve(&shown, "client_wins", None).await.expect_problem(422);
    assert_eq!(refused["code"], "needs_manual", "{refused}");
    desk.resolve(&shown, "manual", Some(json!({"tag": "9777"}))).await.expect_status(200);
}

async fn who_saw_another_value_decides_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let mut shown = desk.conflict(&result["conflict_id"]).await;
    // The state of the clash is the present one, but the version is from before the tag was what it is.
    shown["server_version"] = json!(1);
    let refused = desk.resolve(&shown, "client_wins", None).await.expect_problem(409);
    assert_eq!((&refused["code"], &refused["fresh"]["status"]), (&json!("server_moved"), &json!("open")), "{refused}");
}

async fn a_decision_tells_its_author_what_the_author_may_see(desk: Desk) {
    seed(&desk).await;
    let phone = desk.phone("Gate 1", &["admin"]).await;
    let row = json!({"first_name": "Ada", "last_name": "Ash", "back_number": 501, "guardian_phone": "555-0177"});
    let alone = insert("exhibitors", &fresh(), row.clone());
    let txn = json!({"id": fresh(), "size": 1});
    let grouped = with(insert("exhibitors", &fresh(), row), "txn", txn);
    for op in [&alone, &grouped] {
        let shown = desk.conflict(&phone.push_one(op).await["conflict_id"]).await;
        desk.resolve(&shown, "server_wins", None).await.expect_status(200);
        let told = phone.status_of(&op["op_id"]).await["decision"]["values"].to_string();
        assert!(told.contains("555-0177"), "{told}");
    }
    let id = crate::people::id_of(&desk, "Gate 1").await;
    crate::people::change(&desk, &id, &json!({"functions": ["scale"]})).await.expect_status(200);
    for op in [&alone, &grouped] {
        let now = phone.status_of(&op["op_id"]).await;
        assert!(now["decision"]["values"].is_object(), "{now}");
        assert!(!now.to_string().contains("555-0177"), "who weighs reads no guardian's number: {now}");
    }
}

/// What would be joined is locked then: it is left out, and the clash can be closed.
async fn the_desks_side_wins_in_an_official_show_too(desk: Desk) {
    let seed = seed(&desk).await;
    let phones = [desk.phone("Office 1", &["admin"]).await, desk.phone("Office 2", &["admin"]).await];
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let was = json!({"tag": "9001", "name": null});
    let edit = |name: &str| update("animals", &seed.steer, 1, json!({"tag": "9012", "name": name}), was.clone());
    let alone = edit("Bruno");
    let txn = json!({"id": fresh(), "size": 3});
    let double = fresh();
    let row = json!({"exhibitor_id": seed.exhibitor, "species": "swine", "tag": "9002"});
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": double, "family_id": seed.class});
    let group =
        [edit("Bert"), insert("animals", &double, row.clone()), insert("entries", &v5(&seed.class, &double), entry)];
    let group = group.map(|op| with(op, "txn", txn.clone()));
    let twin = insert("animals", &fresh(), row);
    let clashes = [
        (&phones[0], alone.clone(), phones[0].push_one(&alone).await),
        (&phones[0], twin.clone(), phones[0].push_one(&twin).await),
        (&phones[1], group[2].clone(), phones[1].push(&group).await.remove(0)),
    ];
    for stage in ["C", "D", "E"] {
        set_stage(&desk, stage).await;
    }
    for (phone, op, result) in &clashes {
        assert_eq!(result["verdict"], "conflict", "{result}");
        let shown = desk.conflict(&result["conflict_id"]).await;
        let refused = desk.resolve(&shown, "client_wins", None).await.expect_problem(422);
        assert_eq!(refused["code"], "locked", "{refused}");
        desk.resolve(&shown, "server_wins", None).await.expect_status(200);
        assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "noop", "{op}");
    }
    let steer = desk.data("animals", &seed.steer).await;
    assert_eq!((&steer["tag"], &steer["name"]), (&json!("9011"), &Json::Null), "nothing is written");
    assert!(desk.data("animals", &double).await.is_null());
    assert!(desk.conflicts("open").await.is_empty());
    let shown = json!({"id": clashes[2].2["conflict_id"]});
    let undone = desk.post(&undo_path(&shown), &json!({})).await.expect_status(200);
    assert_eq!(undone["status"], "open");
}
