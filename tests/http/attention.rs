//! "Needs attention": entries that were refused or wait, and what an admin does about them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send, update, v5, with};
use crate::seed::{Seed, seed, set_stage};

on_both_engines!(
    a_refused_entry_is_shown_as_it_was_sent,
    a_weight_taken_too_late_is_applied_with_one_tap,
    an_applied_entry_may_be_put_right,
    an_apply_bypasses_the_stage_and_nothing_else,
    what_clashes_when_it_is_applied_is_a_clash,
    a_retry_uses_the_authors_present_rights,
    a_removed_phone_is_not_retried_into_the_records,
    a_dropped_entry_stays_refused_and_its_author_is_told,
    a_waiting_entry_can_be_given_up,
    a_card_is_decided_again_as_one,
    a_card_is_applied_as_one,
    a_card_is_given_up_as_one,
    a_part_of_a_group_is_never_written,
    verdicts_that_are_final_are_left_alone,
    the_list_has_pages,
    attention_is_paid_at_the_desk_only,
    what_never_comes_is_asked_after_twenty_tries,
    workers_are_run_by_name,
    no_entry_is_stuck_or_doubled_by_a_worker_that_was_killed,
);

/// A weighing that is too late: the show has gone on to stage C.
async fn late_weight(desk: &Desk, seed: &Seed) -> (Phone, Json) {
    let scale = desk.phone("Scale 1", &["scale"]).await;
    set_stage(desk, "C").await;
    let data = json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 12_620});
    let op = insert("weigh_ins", &fresh(), data);
    let refused = scale.push_one(&op).await;
    assert_eq!((&refused["verdict"], &refused["error"]["code"]), (&json!("rejected"), &json!("locked")));
    (scale, op)
}

async fn queue(desk: &Desk, query: &str) -> Vec<Json> {
    let page = desk.get(&format!("/admin/queue{query}")).await.expect_status(200);
    page["items"].as_array().expect("items").clone()
}

fn path(op: &Json, what: &str) -> String {
    format!("/admin/queue/{}/{what}", op["op_id"].as_str().expect("an id"))
}

async fn audit(desk: &Desk, query: &str) -> Vec<Json> {
    let page = desk.get(&format!("/admin/audit{query}")).await.expect_status(200);
    page["items"].as_array().expect("items").clone()
}

async fn a_refused_entry_is_shown_as_it_was_sent(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, op) = late_weight(&desk, &seed).await;
    let found = queue(&desk, "").await;
    assert_eq!(found.len(), 1);
    let item = &found[0];
    assert_eq!(
        (&item["op_id"], &item["status"], &item["verdict"]),
        (&op["op_id"], &json!("failed"), &json!("rejected"))
    );
    assert_eq!(item["error"]["code"], "locked");
    for key in ["table_name", "record_id", "operation", "base_version", "prev_op_id", "data", "txn", "reason"] {
        assert_eq!(item["op"][key], op[key], "{key}");
    }
    assert_eq!((&item["device"]["name"], &item["author"]["name"]), (&json!("Scale 1"), &json!("Scale 1")));
    assert!(item["age_ms"].as_i64().is_some_and(|age| age >= 0) && item["received_at"].is_string(), "{item}");
    assert_eq!((&item["waiting_for"], &item["attempts"]), (&Json::Null, &json!(1)));
    assert_eq!(desk.get("/admin/overview").await.expect_status(200)["needs_attention"], 1);
    assert_eq!(queue(&desk, "?status=failed").await.len(), 1);
    assert!(queue(&desk, "?status=pending").await.is_empty());
}

async fn a_weight_taken_too_late_is_applied_with_one_tap(desk: Desk) {
    let seed = seed(&desk).await;
    let (scale, op) = late_weight(&desk, &seed).await;
    let request = json!({"reason": "weighed before the classes were made"});
    let applied = desk.post(&path(&op, "apply"), &request).await.expect_status(200);
    assert_eq!((&applied["status"], &applied["verdict"]), (&json!("completed"), &json!("applied")));
    let decision = &applied["decision"];
    assert_eq!((&decision["resolution"], &decision["reason"]), (&json!("applied"), &request["reason"]));
    assert_eq!(decision["values"]["weight_x10"], 12_620);
    let id = op["record_id"].as_str().expect("an id");
    assert_eq!(scale.data("animals", &seed.steer).await["official_weight_x10"], 12_620);
    let versions = desk.history("weigh_ins", id).await;
    let desk_person = desk.get("/admin/overview").await.expect_status(200)["person"].clone();
    assert_eq!(versions[0]["actor"]["id"], desk_person["id"], "the admin has written it");
    assert_eq!((&versions[0]["reason"], &versions[0]["op_id"]), (&request["reason"], &op["op_id"]));
    let told = scale.status_of(&op["op_id"]).await;
    assert_eq!((&told["verdict"], &told["decision"]["resolution"]), (&json!("applied"), &json!("applied")));
    assert_eq!((&told["version"], &told["decision"]["by_name"]), (&json!(1), &desk_person["name"]));
    let again = desk.post(&path(&op, "apply"), &request).await.expect_status(200);
    assert_eq!((&again["seq"], &again["decision"]), (&applied["seq"], decision), "two taps are one");
    assert_eq!(desk.history("weigh_ins", id).await.len(), 1);
    assert!(queue(&desk, "").await.is_empty());
    let record = &audit(&desk, "?action=op_applied").await[0];
    assert_eq!((&record["actor"]["id"], &record["op_id"]), (&desk_person["id"], &op["op_id"]), "who approved");
    assert_eq!((&record["asked_by"]["name"], &record["reason"]), (&json!("Scale 1"), &request["reason"]), "who asked");
    assert_eq!((&record["table_name"], &record["record_id"]), (&json!("weigh_ins"), &op["record_id"]));
    assert_eq!(
        (&record["before"]["error"]["code"], &record["after"]["verdict"]),
        (&json!("locked"), &json!("applied"))
    );
    assert_eq!(audit(&desk, "?action=op_applied").await.len(), 1, "one decision is one record");
}

async fn an_applied_entry_may_be_put_right(desk: Desk) {
    let seed = seed(&desk).await;
    let (scale, op) = late_weight(&desk, &seed).await;
    let request = json!({"data": {"weight_x10": 12_260}, "reason": "two digits were swapped"});
    let applied = desk.post(&path(&op, "apply"), &request).await.expect_status(200);
    assert_eq!((&applied["status"], &applied["verdict"]), (&json!("completed"), &json!("merged")));
    assert_eq!(applied["op"]["data"]["weight_x10"], 12_620, "what was sent stays as it was");
    let told = scale.status_of(&op["op_id"]).await;
    assert_eq!((&told["verdict"], &told["record"]["weight_x10"]), (&json!("merged"), &json!(12_260)), "{told}");
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_260);
    desk.post(&path(&op, "apply"), &request).await.expect_status(200);
    let other = json!({"data": {"weight_x10": 12_000}, "reason": "no, other digits"});
    let refused = desk.post(&path(&op, "apply"), &other).await.expect_problem(409);
    assert_eq!((&refused["code"], &refused["fresh"]["status"]), (&json!("wrong_state"), &json!("completed")));
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_260);
}

async fn an_apply_bypasses_the_stage_and_nothing_else(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, op) = late_weight(&desk, &seed).await;
    for (data, code) in [
        (json!({"weight_x10": 0}), "out_of_range"),
        (json!({"weight_x10": "12"}), "invalid_type"),
        (json!({"colour": "red"}), "unknown_field"),
        (json!({"version": 7}), "read_only_field"),
        (json!({"scale": "a\u{0}b"}), "invalid_character"),
        (json!({"animal_id": fresh()}), "missing_reference"),
    ] {
        let refused = desk.post(&path(&op, "apply"), &json!({"data": data, "reason": "late"})).await;
        assert_eq!(refused.expect_problem(422)["code"], code, "{data}");
    }
    for request in [json!({}), json!({"reason": ""}), json!({"reason": "x", "force": true})] {
        desk.post(&path(&op, "apply"), &request).await.expect_problem(422);
    }
    let still = &queue(&desk, "").await[0];
    assert_eq!((&still["status"], &still["decision"]), (&json!("failed"), &Json::Null));
    assert_eq!(still["error"]["code"], "locked", "a refused apply changes nothing");
    set_stage(&desk, "E").await;
    desk.post(&path(&op, "apply"), &json!({"reason": "late"})).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_620, "also in the last stage");
}

async fn what_clashes_when_it_is_applied_is_a_clash(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let edit = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    assert_eq!(scale.push_one(&edit).await["error"]["code"], "forbidden");
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let applied = desk.post(&path(&edit, "apply"), &json!({"reason": "he read it"})).await.expect_status(200);
    assert_eq!((&applied["status"], &applied["verdict"]), (&json!("conflict"), &json!("conflict")));
    let clash = desk.conflict(&applied["conflict_id"]).await;
    assert_eq!((&clash["server_data"]["tag"], &clash["client_data"]["tag"]), (&json!("9011"), &json!("9012")));
    assert_eq!(clash["author"]["name"], "Scale 1", "it stays its author's entry");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011");
    let number = json!({"first_name": "Ida", "last_name": "Reed", "back_number": 501});
    let exhibitor = insert("exhibitors", &fresh(), number);
    assert_eq!(scale.push_one(&exhibitor).await["verdict"], "rejected");
    let twice = desk.post(&path(&exhibitor, "apply"), &json!({"reason": "new"})).await.expect_status(200);
    assert_eq!(desk.conflict(&twice["conflict_id"]).await["kind"], "unique_violation");
}

async fn a_retry_uses_the_authors_present_rights(desk: Desk) {
    let seed = seed(&desk).await;
    let gate = desk.phone("Gate", &["gate"]).await;
    let entry = v5(&seed.class, &seed.steer);
    let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, data)]).await;
    let edit = update("entries", &entry, 1, json!({"status": "ready"}), json!({"status": "entered"}));
    assert_eq!(gate.push_one(&edit).await["error"]["code"], "locked", "not in stage B");
    let refused = desk.post(&path(&edit, "retry"), &json!({})).await.expect_status(200);
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!("failed"), &json!("locked")));
    assert_eq!(refused["attempts"], 2);
    set_stage(&desk, "C").await;
    let retried = desk.post(&path(&edit, "retry"), &json!({})).await.expect_status(200);
    assert_eq!((&retried["status"], &retried["verdict"]), (&json!("completed"), &json!("applied")), "{retried}");
    assert_eq!(desk.history("entries", &entry).await[0]["actor"]["name"], "Gate", "its author has written it");
    assert_eq!(gate.status_of(&edit["op_id"]).await["verdict"], "applied");
    let again = desk.post(&path(&edit, "retry"), &json!({})).await.expect_status(200);
    assert_eq!(again["seq"], retried["seq"], "two taps are one");
    let record = &audit(&desk, "?action=op_retried").await[0];
    assert_eq!((&record["asked_by"]["name"], &record["after"]["verdict"]), (&json!("Gate"), &json!("applied")));
}

async fn a_removed_phone_is_not_retried_into_the_records(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, op) = late_weight(&desk, &seed).await;
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let found = devices["items"].as_array().and_then(|items| items.iter().find(|item| item["name"] == "Scale 1"));
    let id = found.expect("the phone")["id"].as_str().expect("an id").to_owned();
    desk.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
    let retried = desk.post(&path(&op, "retry"), &json!({})).await.expect_status(200);
    assert_eq!((&retried["status"], &retried["error"]["code"]), (&json!("failed"), &json!("forbidden")));
    desk.post(&path(&op, "apply"), &json!({"reason": "it was honest work"})).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_620);
}

async fn a_dropped_entry_stays_refused_and_its_author_is_told(desk: Desk) {
    let seed = seed(&desk).await;
    let (scale, op) = late_weight(&desk, &seed).await;
    let dropped = desk.post(&path(&op, "drop"), &json!({"reason": "the wrong animal"})).await.expect_status(200);
    assert_eq!((&dropped["status"], &dropped["error"]["code"]), (&json!("failed"), &json!("dropped")));
    let told = scale.status_of(&op["op_id"]).await;
    assert_eq!((&told["verdict"], &told["error"]["code"]), (&json!("rejected"), &json!("dropped")));
    assert!(told["error"]["detail"].as_str().is_some_and(|detail| detail.contains("the wrong animal")), "{told}");
    assert_eq!(scale.push_one(&op).await["error"]["code"], "dropped", "sent again it is not taken");
    assert!(queue(&desk, "").await.is_empty(), "it needs no attention any more");
    assert_eq!(desk.get("/admin/overview").await.expect_status(200)["needs_attention"], 0);
    assert_eq!(queue(&desk, "?status=failed").await.len(), 1, "and is kept");
    let again = desk.post(&path(&op, "drop"), &json!({})).await.expect_status(200);
    assert_eq!(again["decision"], dropped["decision"]);
    let records = audit(&desk, "?action=op_dropped").await;
    assert_eq!((records.len(), &records[0]["before"]["error"]["code"]), (1, &json!("locked")));
    let applied = desk.post(&path(&op, "apply"), &json!({"reason": "it was right"})).await.expect_status(200);
    assert_eq!(applied["verdict"], "applied", "a dropped entry can still be taken");
}

async fn a_waiting_entry_can_be_given_up(desk: Desk) {
    let seed = seed(&desk).await;
    let barn = desk.phone("Barn", &["superintendent"]).await;
    let missing = fresh();
    let edit = update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}));
    let edit = with(edit, "prev_op_id", json!(missing));
    let later = update("animals", &seed.steer, 1, json!({"pen": "B2"}), json!({"pen": "B1"}));
    let later = with(later, "prev_op_id", edit["op_id"].clone());
    let held = barn.push(&[edit.clone(), later.clone()]).await;
    assert_eq!((&held[0]["verdict"], &held[0]["waiting_for"]), (&json!("held"), &json!(missing)));
    let waiting = queue(&desk, "?status=pending").await;
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().any(|item| item["waiting_for"] == json!(missing)), "{waiting:?}");
    desk.post(&path(&edit, "drop"), &json!({"reason": "the phone is lost"})).await.expect_status(200);
    assert_eq!(barn.status_of(&edit["op_id"]).await["error"]["code"], "dropped");
    let freed = barn.status_of(&later["op_id"]).await;
    assert_ne!(freed["verdict"], "held", "a rejected op leaves the chain: {freed}");
    assert!(queue(&desk, "?status=pending").await.is_empty());
}

/// A card of two placings that came before the show was on.
async fn early_card(desk: &Desk, seed: &Seed) -> (Phone, Vec<Json>) {
    let clerk = desk.phone("Ring 1", &["clerk"]).await;
    let mut card = Vec::new();
    let txn = json!({"id": fresh(), "size": 2});
    for (place, animal) in [(1, &seed.steer), (2, &seed.hog)] {
        let entry = v5(&seed.class, animal);
        let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": animal, "family_id": seed.class});
        desk.apply(&[insert("entries", &entry, data)]).await;
        let placing = json!({"class_id": seed.class, "entry_id": entry, "place": place});
        card.push(with(insert("placings", &v5(&seed.class, &entry), placing), "txn", txn.clone()));
    }
    set_stage(desk, "C").await;
    let refused = clerk.push(&card).await;
    let codes: Vec<&str> = refused.iter().filter_map(|result| result["error"]["code"].as_str()).collect();
    assert_eq!(codes, ["locked", "txn_failed"], "{refused:?}");
    (clerk, card)
}

async fn a_card_is_decided_again_as_one(desk: Desk) {
    let seed = seed(&desk).await;
    let (clerk, card) = early_card(&desk, &seed).await;
    set_stage(&desk, "D").await;
    let retried = desk.post(&path(&card[1], "retry"), &json!({})).await.expect_status(200);
    assert_eq!(retried["verdict"], "applied", "{retried}");
    for op in &card {
        assert_eq!(clerk.status_of(&op["op_id"]).await["verdict"], "applied");
    }
    assert!(queue(&desk, "").await.is_empty());
}

async fn a_card_is_applied_as_one(desk: Desk) {
    let seed = seed(&desk).await;
    let (clerk, card) = early_card(&desk, &seed).await;
    let wrong = json!({"data": {"place": 0}, "reason": "late"});
    assert_eq!(desk.post(&path(&card[1], "apply"), &wrong).await.expect_problem(422)["code"], "out_of_range");
    assert_eq!(queue(&desk, "").await.len(), 2, "nothing of it was written");
    let request = json!({"data": {"ribbon": "blue"}, "reason": "it was on paper"});
    let applied = desk.post(&path(&card[1], "apply"), &request).await.expect_status(200);
    assert_eq!((&applied["verdict"], &applied["decision"]["resolution"]), (&json!("merged"), &json!("applied")));
    assert_eq!(clerk.status_of(&card[0]["op_id"]).await["verdict"], "applied");
    let placing = clerk.data("placings", card[1]["record_id"].as_str().expect("an id")).await;
    assert_eq!((&placing["place"], &placing["ribbon"]), (&json!(2), &json!("blue")));
}

async fn a_card_is_given_up_as_one(desk: Desk) {
    let seed = seed(&desk).await;
    let (clerk, card) = early_card(&desk, &seed).await;
    desk.post(&path(&card[0], "drop"), &json!({})).await.expect_status(200);
    for op in &card {
        assert_eq!(clerk.status_of(&op["op_id"]).await["error"]["code"], "dropped");
    }
    assert!(queue(&desk, "").await.is_empty());
}

async fn a_part_of_a_group_is_never_written(desk: Desk) {
    let seed = seed(&desk).await;
    let barn = desk.phone("Barn", &["superintendent"]).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}));
    let part = with(edit, "txn", json!({"id": fresh(), "size": 2}));
    assert_eq!(barn.push_one(&part).await["error"]["code"], "txn_incomplete");
    for (what, body) in [("retry", json!({})), ("apply", json!({"reason": "x"}))] {
        assert_eq!(desk.post(&path(&part, what), &body).await.expect_problem(409)["code"], "wrong_state");
    }
    desk.post(&path(&part, "drop"), &json!({})).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "C1");
}

async fn verdicts_that_are_final_are_left_alone(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, _) = crate::conflicts::clash(&desk, &seed).await;
    for (what, body) in [("retry", json!({})), ("drop", json!({})), ("apply", json!({"reason": "x"}))] {
        let refused = desk.post(&path(&edit, what), &body).await.expect_problem(409);
        assert_eq!((&refused["code"], &refused["fresh"]["status"]), (&json!("wrong_state"), &json!("conflict")));
        let unknown = json!({"op_id": fresh()});
        desk.post(&path(&unknown, what), &body).await.expect_problem(404);
        desk.post(&format!("/admin/queue/x/{what}"), &body).await.expect_problem(404);
    }
    let done = update("animals", &seed.hog, 1, json!({"pen": "B1"}), json!({"pen": null}));
    second.apply(std::slice::from_ref(&done)).await;
    desk.post(&path(&done, "retry"), &json!({})).await.expect_problem(409);
    desk.post(&path(&done, "drop"), &json!({})).await.expect_problem(409);
    assert_eq!(desk.data("animals", &seed.hog).await["pen"], "B1");
    assert!(audit(&desk, "?action=op_dropped").await.is_empty());
}

async fn the_list_has_pages(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let mut sent = Vec::new();
    for number in 1..=5 {
        let edit = update("animals", &seed.hog, 1, json!({"pen": format!("B{number}")}), json!({"pen": null}));
        assert_eq!(scale.push_one(&edit).await["verdict"], "rejected");
        sent.insert(0, edit["op_id"].clone());
    }
    let mut found = Vec::new();
    let mut cursor = String::new();
    for _ in 0..3 {
        let page = desk.get(&format!("/admin/queue?limit=2{cursor}")).await.expect_status(200);
        found.extend(page["items"].as_array().expect("items").iter().map(|item| item["op_id"].clone()));
        cursor = page["cursor"].as_str().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    }
    sent.sort_by_key(|id| std::cmp::Reverse(id.to_string()));
    found.sort_by_key(|id| std::cmp::Reverse(id.to_string()));
    assert_eq!((found, cursor.as_str()), (sent, ""), "each once, and the last page says so");
    for query in ["?status=lost", "?cursor=x", "?limit=0", "?limit=x", "?colour=red"] {
        desk.get(&format!("/admin/queue{query}")).await.expect_problem(400);
    }
    for query in ["?cursor=x", "?limit=0", "?person=x", "?colour=red"] {
        desk.get(&format!("/admin/audit{query}")).await.expect_problem(400);
    }
    // Before the oldest moment that Postgres knows, and after the newest one that we give.
    for ms in [-8_000_000_000_000_000_i64, 8_000_000_000_000_000] {
        let (id, fingerprint) = (uuid::Uuid::nil().simple(), "0".repeat(64));
        let packed = URL_SAFE_NO_PAD.encode(format!("{ms}.{id}"));
        for path in [
            format!("queue?cursor={packed}"),
            format!("conflicts?cursor={packed}"),
            format!("notifications?cursor=0.{ms}.{id}"),
            format!("alerts/events?cursor={ms}.{id}"),
            format!("requests?cursor={ms}.{id}"),
            format!("errors?cursor={ms}.{fingerprint}"),
        ] {
            let refused = desk.get(&format!("/admin/{path}")).await.expect_problem(400);
            assert_eq!(refused["code"], "bad_filter", "{path}");
        }
    }
    let first = desk.get("/admin/audit?limit=1").await.expect_status(200);
    let next = first["cursor"].as_str().expect("there is more");
    let second = desk.get(&format!("/admin/audit?limit=1&cursor={next}")).await.expect_status(200);
    let number = |page: &Json| page["items"][0]["id"].as_i64().expect("a number");
    assert!(number(&second) < number(&first));
}

async fn attention_is_paid_at_the_desk_only(desk: Desk) {
    let seed = seed(&desk).await;
    let (scale, op) = late_weight(&desk, &seed).await;
    let get = |path: &str| scale.request(Method::GET, path);
    send(get("/admin/queue")).await.expect_problem(404);
    send(get("/admin/audit")).await.expect_problem(404);
    send(scale.request(Method::POST, &path(&op, "drop")).json(&json!({}))).await.expect_problem(404);
    send(scale.request(Method::POST, "/admin/workers/cleanup/run").json(&json!({}))).await.expect_problem(404);
    let phone_at_the_desk = |method, path: &str| desk.request(method, path).bearer_auth(scale.token());
    let refused = send(phone_at_the_desk(Method::GET, "/admin/queue")).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
    assert_eq!(queue(&desk, "").await.len(), 1);
}

async fn what_never_comes_is_asked_after_twenty_tries(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let animal = fresh();
    let weigh_in = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}));
    let held = scale.push_one(&weigh_in).await;
    assert_eq!(held["verdict"], "held", "{held}");
    assert_eq!(held["waiting_for"], json!({"table_name": "animals", "record_id": animal}));
    let mut runs = 0;
    while scale.status_of(&weigh_in["op_id"]).await["verdict"] == "held" {
        let run = desk.post("/admin/workers/process-sync-queue/run", &json!({})).await.expect_status(200);
        assert!(run["processed"].as_i64().is_some_and(|count| count <= 1), "{run}");
        runs += 1;
        assert!(runs <= 40, "it waits for ever");
    }
    let asked = scale.status_of(&weigh_in["op_id"]).await;
    assert_eq!((&asked["verdict"], &asked["kind"]), (&json!("conflict"), &json!("missing_reference")), "{asked}");
    assert_eq!(queue(&desk, "?status=conflict").await[0]["attempts"], 20);
    assert_eq!(desk.post("/admin/workers/process-sync-queue/run", &json!({})).await.expect_status(200)["processed"], 0);
    let clash = desk.conflict(&asked["conflict_id"]).await;
    let data = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77"});
    desk.apply(&[insert("animals", &animal, data)]).await;
    desk.resolve(&clash, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &animal).await["official_weight_x10"], 810, "it came after all");
}

async fn workers_are_run_by_name(desk: Desk) {
    for name in ["process-sync-queue", "cleanup"] {
        let run = desk.post(&format!("/admin/workers/{name}/run"), &json!({})).await.expect_status(200);
        assert_eq!(run["processed"], 0, "{name} has nothing to do");
    }
    desk.post("/admin/workers/make-coffee/run", &json!({})).await.expect_problem(404);
}

/// PROTOCOL.md §8, invariant 5, and promise P7: the desk dies at any moment of a claim.
async fn no_entry_is_stuck_or_doubled_by_a_worker_that_was_killed(mut desk: Desk) {
    let seed = seed(&desk).await;
    let animals: Vec<String> = (0..30).map(|_| fresh()).collect();
    let weigh_in = |animal: &String| {
        insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810}))
    };
    let waiting: Vec<Json> = animals.iter().map(weigh_in).collect();
    assert!(desk.push(&waiting).await.iter().all(|result| result["verdict"] == "held"));
    for round in 0..6 {
        let run = desk.request(Method::POST, "/admin/workers/process-sync-queue/run").json(&json!({}));
        let running = tokio::spawn(run.send());
        // Each round a little later.
        for _ in 0..round {
            desk.get("/ping").await.expect_status(200);
        }
        desk.program.kill().await;
        // It may have been answered before.
        let _ = running.await.expect("a request does not panic");
        desk.start_again().await;
    }
    let made = |(number, animal): (usize, &String)| {
        let data = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": format!("G{number}")});
        insert("animals", animal, data)
    };
    desk.apply(&animals.iter().enumerate().map(made).collect::<Vec<_>>()).await;
    let rows = desk.pull_all().await;
    for (op, animal) in waiting.iter().zip(&animals) {
        assert_eq!(desk.status_of(&op["op_id"]).await["verdict"], "applied");
        let row = &rows[&("animals".to_owned(), animal.clone())];
        assert_eq!(row["data"]["official_weight_x10"], 810);
        assert_eq!(desk.history("weigh_ins", op["record_id"].as_str().expect("an id")).await.len(), 1);
    }
    assert!(queue(&desk, "?status=processing").await.is_empty() && queue(&desk, "?status=pending").await.is_empty());
}
