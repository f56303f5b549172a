//! Several clashes decided at once, tried without writing, and taken back together.

use reqwest::Method;
use serde_json::{Map, Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send, update};
use crate::seed::{Seed, seed};

on_both_engines!(
    a_dry_run_shows_every_value_and_writes_nothing,
    each_clash_stands_or_falls_alone,
    other_fields_may_move_under_a_bulk_decision,
    a_filter_names_a_whole_group,
    one_undo_takes_the_whole_decision_back,
    an_undo_takes_back_what_it_still_can,
    the_same_key_gets_the_same_answer,
    requests_that_cannot_be_meant_are_refused,
    a_row_that_gives_a_value_up_is_shown,
);

/// Three animals whose tags two phones have changed differently.
struct Clashes {
    first: Phone,
    second: Phone,
    animals: Vec<String>,
    ids: Vec<Json>,
}

async fn clashes(desk: &Desk, seed: &Seed) -> Clashes {
    let first = desk.phone("Barn 1", &["superintendent"]).await;
    let second = desk.phone("Barn 2", &["superintendent"]).await;
    let animals: Vec<String> = (0..3).map(|_| fresh()).collect();
    let mut ids = Vec::new();
    for (number, animal) in animals.iter().enumerate() {
        let tag = |letter: &str| json!({"tag": format!("{letter}{number}")});
        let made = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": format!("A{number}")});
        desk.apply(&[insert("animals", animal, made)]).await;
        first.apply(&[update("animals", animal, 1, tag("B"), tag("A"))]).await;
        let result = second.push_one(&update("animals", animal, 1, tag("C"), tag("A"))).await;
        assert_eq!(result["verdict"], "conflict", "{result}");
        ids.push(result["conflict_id"].clone());
    }
    Clashes { first, second, animals, ids }
}

impl Clashes {
    fn expected(&self, version: i64) -> Json {
        let pairs = self.ids.iter().map(|id| (id.as_str().expect("an id").to_owned(), json!(version)));
        Json::Object(pairs.collect::<Map<_, _>>())
    }

    fn request(&self, resolution: &str) -> Json {
        json!({"ids": self.ids, "resolution": resolution, "expected": self.expected(2), "dry_run": false})
    }

    async fn tags(&self, desk: &Desk) -> Vec<Json> {
        let mut tags = Vec::new();
        for animal in &self.animals {
            tags.push(desk.data("animals", animal).await["tag"].clone());
        }
        tags
    }
}

async fn resolve_bulk(desk: &Desk, request: &Json) -> Json {
    desk.post("/admin/conflicts/resolve-bulk", request).await.expect_status(200)
}

async fn undo_bulk(desk: &Desk, bulk_id: &Json) -> Json {
    let path = format!("/admin/bulk/{}/undo", bulk_id.as_str().expect("an id"));
    desk.post(&path, &json!({"reason": "the wrong list"})).await.expect_status(200)
}

fn outcomes(answer: &Json) -> Vec<&str> {
    let results = answer["results"].as_array().expect("results");
    results.iter().filter_map(|result| result["outcome"].as_str()).collect()
}

async fn a_dry_run_shows_every_value_and_writes_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let clashes = clashes(&desk, &seed).await;
    let clock = desk.get("/admin/overview").await.expect_status(200)["clock"].clone();
    let mut request = clashes.request("client_wins");
    request["dry_run"] = json!(true);
    let tried = resolve_bulk(&desk, &request).await;
    assert_eq!((&tried["bulk_id"], &tried["dry_run"]), (&Json::Null, &json!(true)));
    assert_eq!(outcomes(&tried), ["would_resolve"; 3]);
    for (number, result) in tried["results"].as_array().expect("results").iter().enumerate() {
        assert_eq!(result["id"], clashes.ids[number], "in the order asked for");
        assert_eq!(
            (&result["status"], &result["server_version"], &result["rev"]),
            (&json!("open"), &json!(2), &json!(1))
        );
        assert_eq!(result["values"], json!({"tag": format!("C{number}")}));
        let write = &result["writes"][0];
        assert_eq!((&write["table_name"], &write["version"]), (&json!("animals"), &json!(3)));
        assert_eq!(write["record_id"], json!(clashes.animals[number]));
        assert_eq!(
            write["values"],
            json!({"tag": format!("C{number}"), "prev_tags": [format!("A{number}"), format!("B{number}")]}),
            "values that follow are shown, too"
        );
    }
    assert_eq!(desk.get("/admin/overview").await.expect_status(200)["clock"], clock);
    assert_eq!(clashes.tags(&desk).await, [json!("B0"), json!("B1"), json!("B2")]);
    assert_eq!(desk.conflicts("open").await.len(), 3);
    let results = tried["results"].as_array().expect("results").iter();
    let versions =
        results.map(|result| (result["id"].as_str().expect("an id").to_owned(), result["server_version"].clone()));
    let mut request = clashes.request("client_wins");
    request["expected"] = Json::Object(versions.collect());
    let done = resolve_bulk(&desk, &request).await;
    assert_eq!(outcomes(&done), ["resolved"; 3], "what was tried tells what to expect: {done}");
    for (number, done) in done["results"].as_array().expect("results").iter().enumerate() {
        let tried = &tried["results"][number];
        assert_eq!((&tried["values"], &tried["writes"]), (&done["values"], &done["writes"]), "as it was shown");
    }
}

async fn each_clash_stands_or_falls_alone(desk: Desk) {
    let seed = seed(&desk).await;
    let clashes = clashes(&desk, &seed).await;
    let moved = &clashes.animals[1];
    clashes.first.apply(&[update("animals", moved, 2, json!({"tag": "D1"}), json!({"tag": "B1"}))]).await;
    let mut request = clashes.request("client_wins");
    let unknown = fresh();
    request["ids"].as_array_mut().expect("ids").push(json!(unknown));
    request["expected"][&unknown] = json!(1);
    let answer = resolve_bulk(&desk, &request).await;
    assert_eq!(outcomes(&answer), ["resolved", "failed", "resolved", "failed"]);
    assert_eq!(
        (&answer["results"][1]["error"]["code"], &answer["results"][1]["status"]),
        (&json!("server_moved"), &json!("open"))
    );
    assert_eq!(answer["results"][3]["error"]["code"], "not_found");
    assert_eq!(clashes.tags(&desk).await, [json!("C0"), json!("D1"), json!("C2")]);
    assert_eq!(desk.conflicts("open").await.len(), 1);
    let again = resolve_bulk(&desk, &clashes.request("client_wins")).await;
    assert_eq!(again["results"][0]["error"]["code"], "already_resolved");
    let one = &desk.conflict(&clashes.ids[0]).await;
    assert_eq!((&one["status"], one["decisions"].as_array().map(Vec::len)), (&json!("resolved"), Some(1)));
    assert_eq!(one["decisions"][0]["bulk_id"], answer["bulk_id"]);
    let page = desk.get("/admin/audit?action=conflict_resolved").await.expect_status(200);
    let items = page["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "each decision leaves its record");
    assert!(items.iter().all(|item| item["bulk_id"] == answer["bulk_id"]));
}

async fn other_fields_may_move_under_a_bulk_decision(desk: Desk) {
    let seed = seed(&desk).await;
    let clashes = clashes(&desk, &seed).await;
    let animal = &clashes.animals[0];
    clashes.first.apply(&[update("animals", animal, 2, json!({"pen": "D1"}), json!({"pen": null}))]).await;
    let mut request = clashes.request("server_wins");
    request["expected"].as_object_mut().expect("versions").remove(clashes.ids[2].as_str().expect("an id"));
    let answer = resolve_bulk(&desk, &request).await;
    assert_eq!(outcomes(&answer), ["resolved", "resolved", "failed"]);
    assert_eq!(answer["results"][2]["error"]["code"], "not_expected", "nobody has seen it");
    assert_eq!(desk.data("animals", animal).await["pen"], "D1");
}

async fn a_filter_names_a_whole_group(desk: Desk) {
    let seed = seed(&desk).await;
    let clashes = clashes(&desk, &seed).await;
    let device = desk.conflict(&clashes.ids[0]).await["device"]["id"].clone();
    let other = json!({"filter": {"kind": "insert_insert"}, "resolution": "client_wins"});
    assert!(outcomes(&resolve_bulk(&desk, &other).await).is_empty());
    let filter = json!({"status": "open", "kind": "update_update", "table": "animals", "device": device});
    let answer =
        resolve_bulk(&desk, &json!({"filter": filter, "resolution": "client_wins", "reason": "his list"})).await;
    assert_eq!((outcomes(&answer), &answer["has_more"]), (vec!["resolved"; 3], &json!(false)));
    assert_eq!(clashes.tags(&desk).await, [json!("C0"), json!("C1"), json!("C2")]);
    assert_eq!(desk.history("animals", &clashes.animals[0]).await[0]["reason"], "his list");
}

async fn one_undo_takes_the_whole_decision_back(desk: Desk) {
    let seed = seed(&desk).await;
    let clashes = clashes(&desk, &seed).await;
    let answer = resolve_bulk(&desk, &clashes.request("client_wins")).await;
    let undone = undo_bulk(&desk, &answer["bulk_id"]).await;
    assert_eq!((&undone["bulk_id"], outcomes(&undone)), (&answer["bulk_id"], vec!["undone"; 3]));
    assert_eq!(undone["results"][2]["id"], clashes.ids[2]);
    assert_eq!(undone["results"][0]["values"], json!({"tag": "B0"}));
    assert_eq!(clashes.tags(&desk).await, [json!("B0"), json!("B1"), json!("B2")]);
    assert_eq!(desk.conflicts("open").await.len(), 3);
    let again = undo_bulk(&desk, &answer["bulk_id"]).await;
    assert_eq!(outcomes(&again), ["undone"; 3], "two taps are one");
    assert_eq!(desk.history("animals", &clashes.animals[0]).await.len(), 4);
    let page = desk.get("/admin/audit?action=conflict_undone").await.expect_status(200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3));
    let shown = desk.conflict(&clashes.ids[0]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    undo_bulk(&desk, &answer["bulk_id"]).await;
    assert_eq!(desk.conflict(&clashes.ids[0]).await["status"], "resolved", "a later decision is another one");
    desk.post(&format!("/admin/bulk/{}/undo", fresh()), &json!({})).await.expect_problem(404);
}

async fn an_undo_takes_back_what_it_still_can(desk: Desk) {
    let seed = seed(&desk).await;
    let clashes = clashes(&desk, &seed).await;
    let answer = resolve_bulk(&desk, &clashes.request("client_wins")).await;
    let overtaken = &clashes.animals[1];
    clashes.first.apply(&[update("animals", overtaken, 3, json!({"tag": "E1"}), json!({"tag": "C1"}))]).await;
    let reopen = format!("/admin/conflicts/{}/reopen", clashes.ids[2].as_str().expect("an id"));
    desk.post(&reopen, &json!({})).await.expect_status(200);
    let undone = undo_bulk(&desk, &answer["bulk_id"]).await;
    assert_eq!(outcomes(&undone), ["undone", "failed", "failed"]);
    assert_eq!(undone["results"][1]["error"]["code"], "server_moved");
    assert_eq!(undone["results"][2]["error"]["code"], "wrong_state");
    assert_eq!(clashes.tags(&desk).await, [json!("B0"), json!("E1"), json!("C2")]);
    assert_eq!(clashes.second.change("animals", &clashes.animals[0]).await["disputed"], json!(["tag"]));
}

async fn the_same_key_gets_the_same_answer(desk: Desk) {
    let seed = seed(&desk).await;
    let clashes = clashes(&desk, &seed).await;
    let mut request = clashes.request("client_wins");
    request["idempotency_key"] = json!("Monday's list");
    let (one, other) = tokio::join!(resolve_bulk(&desk, &request), resolve_bulk(&desk, &request));
    assert_eq!((&one["bulk_id"], outcomes(&one)), (&other["bulk_id"], outcomes(&other)), "one decision");
    assert_eq!(outcomes(&one), ["resolved"; 3]);
    assert_eq!(resolve_bulk(&desk, &request).await["bulk_id"], one["bulk_id"]);
    assert_eq!(desk.history("animals", &clashes.animals[0]).await.len(), 3, "written once");
    request["resolution"] = json!("server_wins");
    let reused = desk.post("/admin/conflicts/resolve-bulk", &request).await.expect_problem(422);
    assert_eq!(reused["code"], "idempotency_key");
}

async fn requests_that_cannot_be_meant_are_refused(desk: Desk) {
    let ids: Vec<String> = (0..501).map(|_| fresh()).collect();
    let too_many = json!({"ids": ids, "resolution": "client_wins"});
    desk.post("/admin/conflicts/resolve-bulk", &too_many).await.expect_problem(413);
    for request in [
        json!({"resolution": "client_wins"}),
        json!({"ids": [], "filter": {}, "resolution": "client_wins"}),
        json!({"ids": [fresh()], "resolution": "manual"}),
        json!({"ids": [fresh()], "resolution": "coin_toss"}),
        json!({"ids": ["x"], "resolution": "client_wins"}),
        json!({"filter": {"status": "resolved"}, "resolution": "client_wins"}),
        json!({"filter": {"kind": "quarrel"}, "resolution": "client_wins"}),
        json!({"filter": {"colour": "red"}, "resolution": "client_wins"}),
        json!({"ids": [fresh()], "resolution": "client_wins", "idempotency_key": ""}),
    ] {
        desk.post("/admin/conflicts/resolve-bulk", &request).await.expect_problem(422);
    }
    let nothing = resolve_bulk(&desk, &json!({"ids": [], "resolution": "client_wins"})).await;
    assert!(outcomes(&nothing).is_empty());
    let phone = desk.phone("Barn 1", &["admin"]).await;
    let request = json!({"ids": [], "resolution": "client_wins"});
    send(phone.request(Method::POST, "/admin/conflicts/resolve-bulk").json(&request)).await.expect_problem(404);
}

async fn a_row_that_gives_a_value_up_is_shown(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    let other = fresh();
    let data = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9031"});
    desk.apply(&[insert("animals", &other, data)]).await;
    let result =
        phone.push_one(&update("animals", &seed.steer, 1, json!({"tag": "9031"}), json!({"tag": "9001"}))).await;
    assert_eq!(result["kind"], "unique_violation");
    let request = json!({"ids": [result["conflict_id"]], "resolution": "client_wins", "dry_run": true});
    let tried = resolve_bulk(&desk, &request).await;
    let writes = tried["results"][0]["writes"].as_array().expect("rows");
    let of = |id: &str| writes.iter().find(|write| write["record_id"] == json!(id)).expect("the row");
    assert_eq!((&of(&other)["values"]["tag"], &of(&seed.steer)["values"]["tag"]), (&Json::Null, &json!("9031")));
    assert_eq!(desk.data("animals", &other).await["tag"], "9031");
}
