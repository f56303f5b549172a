//! Closed clashes that the desk opens again, and the record that each decision leaves.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, fresh, send, update};
use crate::seed::seed;

on_both_engines!(
    a_decided_clash_is_opened_again_and_its_value_stays,
    a_withdrawn_entry_can_be_looked_at_again,
    an_automatic_merge_is_listed_and_can_be_reopened,
    a_superseded_clash_is_opened_again,
    an_open_clash_is_not_reopened,
    what_was_joined_before_is_not_written_again,
    every_decision_leaves_a_record,
);

async fn reopen(desk: &Desk, id: &Json) -> Answer {
    let path = format!("/admin/conflicts/{}/reopen", id.as_str().expect("an id"));
    desk.post(&path, &json!({"reason": "the owner has called"})).await
}

async fn a_decided_clash_is_opened_again_and_its_value_stays(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let decided = desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let open = reopen(&desk, &result["conflict_id"]).await.expect_status(200);
    assert_eq!(open["status"], "open");
    assert_eq!(open["rev"].as_i64(), decided["rev"].as_i64().map(|rev| rev + 1));
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "conflict");
    let change = desk.change("animals", &seed.steer).await;
    assert_eq!((&change["data"]["tag"], &change["disputed"]), (&json!("9011"), &json!(["tag"])));
    assert_eq!(desk.history("animals", &seed.steer).await.len(), 3, "nothing is written");
    desk.resolve(&open, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9012");
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "merged");
}

async fn a_withdrawn_entry_can_be_looked_at_again(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let path = format!("/me/conflicts/{}/withdraw", result["conflict_id"].as_str().expect("an id"));
    send(second.request(Method::POST, &path).json(&json!({}))).await.expect_status(200);
    let open = reopen(&desk, &result["conflict_id"]).await.expect_status(200);
    assert_eq!((&open["status"], &open["contested"]), (&json!("open"), &json!(["tag"])));
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "conflict");
    desk.resolve(&open, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9012");
}

async fn an_automatic_merge_is_listed_and_can_be_reopened(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Barn 1", &["superintendent"]).await;
    let second = desk.phone("Barn 2", &["superintendent"]).await;
    first.apply(&[update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}))]).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen": "B2"}), json!({"pen": "C1"}));
    assert_eq!(second.push_one(&edit).await["verdict"], "merged");
    let merged = desk.conflicts("merged_automatically").await;
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0]["contested"], json!(["pen"]));
    assert_eq!(
        (&merged[0]["server_data"]["pen"], &merged[0]["client_data"]["pen"]),
        (&json!("B1"), &json!("B2")),
        "the value that was passed over is shown"
    );
    let open = reopen(&desk, &merged[0]["id"]).await.expect_status(200);
    assert_eq!((&open["status"], &open["rev"], &open["server_version"]), (&json!("open"), &json!(2), &json!(3)));
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "conflict");
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B2", "what is in force stays");
    desk.resolve(&open, "manual", Some(json!({"pen": "B1"}))).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B1");
    assert!(desk.conflicts("merged_automatically").await.is_empty());
}

async fn a_superseded_clash_is_opened_again(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, _, _, result) = clash(&desk, &seed).await;
    first.apply(&[update("animals", &seed.steer, 2, json!({"tag": "9012"}), json!({"tag": "9011"}))]).await;
    assert_eq!(desk.conflict(&result["conflict_id"]).await["status"], "superseded");
    let open = reopen(&desk, &result["conflict_id"]).await.expect_status(200);
    assert_eq!((&open["status"], &open["server_data"]["tag"]), (&json!("open"), &json!("9012")));
    desk.resolve(&open, "manual", Some(json!({"tag": "9011"}))).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011");
}

async fn an_open_clash_is_not_reopened(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, _, result) = clash(&desk, &seed).await;
    let refused = reopen(&desk, &result["conflict_id"]).await.expect_problem(409);
    assert_eq!((&refused["code"], &refused["fresh"]["status"]), (&json!("wrong_state"), &json!("open")));
    reopen(&desk, &json!(fresh())).await.expect_problem(404);
    let path = format!("/admin/conflicts/{}/reopen", result["conflict_id"].as_str().expect("an id"));
    send(second.request(Method::POST, &path).json(&json!({}))).await.expect_problem(404);
    assert_eq!(desk.conflict(&result["conflict_id"]).await["rev"], 1);
}

async fn what_was_joined_before_is_not_written_again(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Barn 1", &["superintendent"]).await;
    let second = desk.phone("Barn 2", &["superintendent"]).await;
    first.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let both = json!({"tag": "9012", "pen": "B7"});
    let result = second.push_one(&update("animals", &seed.steer, 1, both, json!({"tag": "9001", "pen": "C1"}))).await;
    assert_eq!(result["verdict"], "conflict");
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    first.apply(&[update("animals", &seed.steer, 3, json!({"pen": "D4"}), json!({"pen": "B7"}))]).await;
    let open = reopen(&desk, &result["conflict_id"]).await.expect_status(200);
    assert_eq!(open["clean"], json!([]));
    desk.resolve(&open, "client_wins", None).await.expect_status(200);
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["tag"], &data["pen"]), (&json!("9012"), &json!("D4")), "the later pen stays");
}

async fn every_decision_leaves_a_record(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let id = &result["conflict_id"];
    let shown = desk.conflict(id).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let undo = format!("/admin/conflicts/{}/undo", id.as_str().expect("an id"));
    desk.post(&undo, &json!({"reason": "wrong animal"})).await.expect_status(200);
    let shown = desk.conflict(id).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let disagree = format!("/me/conflicts/{}/disagree", id.as_str().expect("an id"));
    send(second.request(Method::POST, &disagree).json(&json!({"note": "I read it"}))).await.expect_status(200);
    let withdraw = format!("/me/conflicts/{}/withdraw", id.as_str().expect("an id"));
    for _ in 0..2 {
        send(second.request(Method::POST, &withdraw).json(&json!({}))).await.expect_status(200);
    }
    reopen(&desk, id).await.expect_status(200);
    let page = desk.get(&format!("/admin/audit?record={}", seed.steer)).await.expect_status(200);
    let items = page["items"].as_array().expect("items");
    let actions: Vec<&str> = items.iter().rev().filter_map(|item| item["action"].as_str()).collect();
    assert_eq!(
        actions,
        [
            "conflict_resolved",
            "conflict_undone",
            "conflict_resolved",
            "conflict_disagreed",
            "conflict_withdrawn",
            "conflict_reopened"
        ]
    );
    let person = desk.get("/admin/overview").await.expect_status(200)["person"]["id"].clone();
    let first = &items[5];
    assert_eq!(
        (&first["actor"]["id"], &first["asked_by"]["name"]),
        (&person, &json!("Barn 2")),
        "who approved, who asked"
    );
    assert_eq!((&first["reason"], &first["conflict_id"]), (&json!("checked at the scale"), id));
    assert_eq!((&first["op_id"], &first["bulk_id"]), (&edit["op_id"], &Json::Null));
    assert_eq!(
        (&first["before"]["values"], &first["after"]["values"]),
        (&json!({"tag": "9011"}), &json!({"tag": "9012"}))
    );
    assert_eq!(first["after"]["resolution"], "client_wins");
    assert!(first["at"].is_string() && first["table_name"] == "animals");
    let undone = &items[4];
    assert_eq!(
        (&undone["before"]["values"]["tag"], &undone["after"]["values"]["tag"]),
        (&json!("9012"), &json!("9011"))
    );
    assert_eq!((&items[2]["actor"]["name"], &items[2]["reason"]), (&json!("Barn 2"), &json!("I read it")));
    let query = format!("?record={}&person={}", seed.steer, person.as_str().expect("an id"));
    let by_person = desk.get(&format!("/admin/audit{query}")).await.expect_status(200);
    assert_eq!(by_person["items"].as_array().map(Vec::len), Some(4));
}
