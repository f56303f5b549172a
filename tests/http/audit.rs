//! The record of who did what: complete, searchable, a table to take away, only added to.

use std::io::Read;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::on_both_engines;
use crate::people::{change, id_of};
use crate::phone::{fresh, insert, send, update, with};
use crate::seed::{seed, set_stage, show_of};

on_both_engines!(
    everything_an_admin_does_is_on_record_with_old_and_new,
    the_record_is_found_by_words_devices_and_time,
    the_record_is_a_table_that_calculates_nothing,
    only_the_desk_reads_the_record,
);

async fn items(desk: &Desk, query: &str) -> Vec<Json> {
    let page = desk.get(&format!("/admin/audit{query}")).await.expect_status(200);
    page["items"].as_array().expect("items").clone()
}

/// The newest row of an action.
async fn last(desk: &Desk, action: &str) -> Json {
    let rows = items(desk, &format!("?action={action}&limit=1")).await;
    rows.into_iter().next().unwrap_or_else(|| panic!("{action} is not on record"))
}

async fn everything_an_admin_does_is_on_record_with_old_and_new(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Scale 1", &["scale"]).await;
    let id = id_of(&desk, "Scale 1").await;
    let opened = last(&desk, "joining_opened").await;
    assert_eq!((&opened["after"]["functions"], &opened["actor"]["name"]), (&json!(["scale"]), &json!("Desk")));
    let allowed = last(&desk, "device_allowed").await;
    assert_eq!((&allowed["record_id"], &allowed["subject_text"]), (&json!(id), &json!("Scale 1")));
    assert_eq!(allowed["after"]["check_number"].as_str().map(str::len), Some(4));
    assert_eq!(allowed["device"]["name"], "Laptop");
    change(&desk, &id, &json!({"functions": ["scale", "gate"]})).await.expect_status(200);
    let changed = last(&desk, "device_changed").await;
    assert_eq!(changed["before"], json!({"functions": ["scale"]}));
    assert_eq!(changed["after"], json!({"functions": ["scale", "gate"]}), "only what changed");
    assert_eq!(changed["asked_by"]["name"], "Scale 1");
    let stage = last(&desk, "stage_changed").await;
    assert_eq!((&stage["before"]["stage"], &stage["after"]["stage"]), (&json!("A"), &json!("B")));
    let (show, row) = show_of(&desk).await;
    set_stage(&desk, "C").await;
    let back = update(
        "shows",
        &show,
        row["version"].as_i64().expect("a version") + 1,
        json!({"stage": "B"}),
        json!({"stage": "C"}),
    );
    desk.apply(&[with(back, "reason", json!("a pen was missed"))]).await;
    assert_eq!(last(&desk, "stage_changed").await["reason"], "a pen was missed");
    let code = desk.post("/admin/pairings", &json!({"functions": ["gate"], "mode": "open"})).await.expect_status(201);
    let pairing = code["pairing_id"].as_str().expect("an id");
    desk.post(&format!("/admin/pairings/{pairing}/typed-code"), &json!({})).await.expect_status(200);
    let claim = json!({"code": code["code"], "device_name": "Stranger"});
    send(desk.stranger(Method::POST, "/pairing/claim").json(&claim)).await.expect_status(201);
    let waiting = desk.waiting().await;
    let refuse = format!("/admin/pairings/{}/refuse", waiting[0]["pairing_id"].as_str().expect("an id"));
    desk.post(&refuse, &json!({})).await.expect_status(200);
    assert_eq!(last(&desk, "device_refused").await["after"]["name"], "Stranger");
    desk.post(&format!("/admin/pairings/{pairing}/close"), &json!({})).await.expect_status(200);
    desk.post(&format!("/admin/devices/{id}/ask-file"), &json!({})).await.expect_status(200);
    desk.phone("scale 1", &["scale"]).await;
    let twin = id_of(&desk, "scale 1").await;
    desk.post(&format!("/admin/devices/{twin}/merge"), &json!({"into": id})).await.expect_status(200);
    let merged = last(&desk, "device_merged").await;
    assert_eq!((&merged["before"]["person"]["name"], &merged["after"]["into"]), (&json!("scale 1"), &json!(id)));
    desk.post(&format!("/admin/devices/{twin}/revoke"), &json!({})).await.expect_status(200);
    assert_eq!(last(&desk, "device_removed").await["subject_text"], "scale 1");
    send(desk.request(Method::PUT, "/admin/person").json(&json!({"name": "Dan"}))).await.expect_status(200);
    desk.post("/admin/workers/cleanup/run", &json!({})).await.expect_status(200);
    decide_and_take_back(&desk, &seed.hog).await;
    let actions: Vec<Json> = items(&desk, "?limit=200").await.into_iter().map(|row| row["action"].clone()).collect();
    for action in [
        "typed_code_made",
        "joining_closed",
        "file_asked",
        "person_named",
        "worker_run",
        "conflict_resolved",
        "conflict_undone",
        "op_dropped",
        "op_applied",
        "op_retried",
    ] {
        assert!(actions.contains(&json!(action)), "{action} is not on record: {actions:?}");
    }
}

/// A clash is decided and the decision taken back; refused entries are dropped, applied and tried again.
async fn decide_and_take_back(desk: &Desk, hog: &str) {
    let seed = crate::seed::Seed { hog: hog.to_owned(), ..seed_like(desk).await };
    let (_, scale, _, result) = clash(desk, &seed).await;
    let present = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&present, "server_wins", None).await.expect_status(200);
    let id = result["conflict_id"].as_str().expect("an id");
    desk.post(&format!("/admin/conflicts/{id}/undo"), &json!({"reason": "wrong one"})).await.expect_status(200);
    let decided = last(desk, "conflict_resolved").await;
    assert!(decided["subject_text"].is_string() && decided["before"]["status"] == "open", "{decided}");
    assert_eq!(decided["reason"], "checked at the scale");
    for (verb, body) in
        [("drop", json!({"reason": "twice"})), ("retry", json!({})), ("apply", json!({"reason": "late"}))]
    {
        let ring = insert("rings", &fresh(), json!({"name": "Ring 9", "seq": 9}));
        let refused = scale.push_one(&ring).await;
        assert_eq!(refused["verdict"], "rejected", "{refused}");
        let path = format!("/admin/queue/{}/{verb}", ring["op_id"].as_str().expect("an id"));
        desk.post(&path, &body).await.expect_status(200);
    }
}

/// The rows that a seed would have made, found again.
async fn seed_like(desk: &Desk) -> crate::seed::Seed {
    let rows = desk.pull_all().await;
    let find = |table: &str, wanted: &dyn Fn(&Json) -> bool| {
        let found = rows.iter().find(|((name, _), change)| name == table && wanted(&change["data"]));
        found.map(|((_, id), _)| id.clone()).expect("it was made")
    };
    crate::seed::Seed {
        ring: find("rings", &|_| true),
        exhibitor: find("exhibitors", &|_| true),
        steer: find("animals", &|data| data["tag"] == "9001"),
        hog: find("animals", &|data| data["tag"] == "9002"),
        class: find("classes", &|_| true),
    }
}

async fn the_record_is_found_by_words_devices_and_time(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let present = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&present, "server_wins", None).await.expect_status(200);
    let found = async |query: &str| -> Vec<String> {
        items(&desk, query).await.iter().map(|row| row["action"].as_str().expect("an action").to_owned()).collect()
    };
    for q in ["resolved", "checked+at+the", "nora+birch", "CONFLICT+RES"] {
        assert_eq!(found(&format!("?q={q}")).await, ["conflict_resolved"], "{q}");
    }
    assert!(found("?q=%25").await.is_empty(), "a sign means itself");
    assert!(found("?q=no+such+thing").await.is_empty());
    let id = id_of(&desk, "Barn 1").await;
    assert_eq!(found(&format!("?device={id}")).await, ["device_allowed"], "from it, or about it");
    let all = items(&desk, "?limit=200").await;
    let at = all[0]["at"].as_str().expect("a time");
    assert!(!found(&format!("?from={at}")).await.is_empty());
    assert_eq!(
        found(&format!("?to={at}&limit=200")).await.len(),
        all.iter().filter(|row| row["at"] != all[0]["at"]).count()
    );
    let first = desk.get("/admin/audit?limit=1").await.expect_status(200);
    let cursor = first["cursor"].as_str().expect("there is more");
    assert_eq!(items(&desk, &format!("?limit=1&cursor={cursor}")).await[0]["id"], all[1]["id"]);
    for bad in ["?from=today", "?to=1", "?cursor=x", "?limit=0", "?who=1", "?device=x"] {
        desk.get(&format!("/admin/audit{bad}")).await.expect_problem(400);
    }
}

async fn the_record_is_a_table_that_calculates_nothing(desk: Desk) {
    desk.phone("=HYPERLINK(\"http://x\")", &["gate"]).await;
    desk.phone("Gate, \"north\"", &["gate"]).await;
    let answer = desk.get("/admin/audit.csv?action=device_allowed").await;
    assert_eq!((answer.status.as_u16(), answer.content_type.as_str()), (200, "text/csv; charset=utf-8"));
    let lines: Vec<&str> = answer.text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines.len(), 3, "{}", answer.text);
    assert!(lines[0].starts_with("at,who,device,action,about"), "{}", lines[0]);
    assert!(lines[1].contains(",\"Gate, \"\"north\"\"\","), "{}", lines[1]);
    assert!(lines[2].contains(",\"'=HYPERLINK(\"\"http://x\"\")\","), "{}", lines[2]);
    assert_eq!(items(&desk, "?limit=1").await[0]["action"], "audit_exported");
    let packed = desk.request(Method::GET, "/admin/audit.csv").header("accept-encoding", "gzip").send().await;
    let packed = packed.expect("the desk answers");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let (mut unpacked, bytes) = (String::new(), packed.bytes().await.expect("all of it"));
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut unpacked).expect("it is whole");
    assert!(unpacked.lines().count() > 4, "{unpacked}");
    let empty = desk.get("/admin/audit.csv?q=no+such+thing").await;
    assert_eq!(empty.text.lines().count(), 1, "headings only: {}", empty.text);
    desk.get("/admin/audit.csv?from=x").await.expect_problem(400);
}

async fn only_the_desk_reads_the_record(desk: Desk) {
    let phone = desk.phone("Dan's phone", &["admin"]).await;
    for path in ["/admin/audit", "/admin/audit.csv"] {
        send(phone.request(Method::GET, path)).await.expect_problem(404);
        let at_admin = reqwest::Client::new().get(format!("{}/api/v1{path}", desk.program.admin));
        assert_eq!(send(at_admin.bearer_auth(phone.token())).await.expect_problem(403)["code"], "desk_only");
        let none = reqwest::Client::new().get(format!("{}/api/v1{path}", desk.program.admin));
        send(none).await.expect_problem(401);
    }
}
