//! What the desk tells by itself of what happens: each thing once, to those it concerns.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::messages::{notices, sent, titles, wait_for};
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send, update, v5};
use crate::poison::{Database, with_database};
use crate::seed::{Seed, seed, set_stage};

on_both_engines!(
    a_call_is_told_once_to_exhibitors_gate_and_announcer,
    a_moved_class_is_told_to_both_rings,
    published_classes_and_official_results_are_told,
    a_clash_is_told_to_who_decides_and_taken_back_when_it_is_decided,
    many_rows_at_once_make_no_thousand_messages,
    what_is_switched_off_is_not_told,
    a_phone_that_holds_unsent_work_is_told_once,
    weigh_in_that_closes_is_told_once,
);
on_both_engines!(with_database => what_cannot_be_told_costs_no_entry, what_cannot_be_read_holds_up_nothing);

/// A show on its fourth stage with an entry in its one class; who hears of it.
struct Hearers {
    seed: Seed,
    gate: Phone,
    clerk: Phone,
    parent: Phone,
    guest: Phone,
}

async fn hearers(desk: &Desk, stage: &str) -> Hearers {
    let seed = seed(desk).await;
    let entry = v5(&seed.class, &seed.steer);
    let entered = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    let number = update("classes", &seed.class, 1, json!({"code": "14"}), json!({"code": null}));
    desk.apply(&[insert("entries", &entry, entered), number]).await;
    let gate = desk.phone("Gate", &["gate"]).await;
    let clerk = desk.phone("Clerk", &["clerk"]).await;
    let parent = desk.phone_in("Parent", &["viewer"], json!({"exhibitor_ids": [seed.exhibitor]})).await;
    let guest = desk.phone("Guest", &["viewer"]).await;
    for next in ["C", "D"] {
        if stage >= next {
            set_stage(desk, next).await;
        }
    }
    Hearers { seed, gate, clerk, parent, guest }
}

/// The titles of a person's messages of a type, in their order.
async fn told(phone: &Phone, kind: &str) -> Vec<String> {
    let page = notices(phone, 0).await;
    let items = page["items"].as_array().expect("items").iter().filter(|item| item["type"] == kind);
    items.map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}

async fn a_call_is_told_once_to_exhibitors_gate_and_announcer(desk: Desk) {
    let Hearers { seed, gate, clerk, parent, guest } = hearers(&desk, "D").await;
    let announcer = desk.phone("Announcer", &["announcer"]).await;
    let call = insert("class_calls", &fresh(), json!({"class_id": seed.class, "ring_id": seed.ring, "kind": "call_1"}));
    for _ in 0..3 {
        let verdict = gate.push_one(&call).await["verdict"].clone();
        assert_eq!(verdict, "applied");
    }
    let title = "Class 14 to make-ready, Ring 1 (1st call)";
    for phone in [&parent, &announcer, &gate] {
        assert_eq!(told(phone, "class_call").await, [title]);
    }
    for phone in [&guest, &clerk] {
        assert_eq!(told(phone, "class_call").await, [] as [String; 0]);
    }
    let page = notices(&parent, 0).await;
    let items = page["items"].as_array().expect("items");
    let notice = items.iter().find(|item| item["type"] == "class_call").expect("it came");
    assert_eq!(
        (&notice["priority"], &notice["from"], &notice["needs_ack"]),
        (&json!("high"), &Json::Null, &json!(false))
    );
    assert_eq!(notice["data"]["class_id"], seed.class);
    let list = desk.get("/admin/notifications").await.expect_status(200);
    let items = list["items"].as_array().expect("items");
    let item = items.iter().find(|item| item["type"] == "class_call").expect("it is listed");
    assert_eq!((&item["source"], &item["by"]), (&json!("automatic"), &Json::Null));
    assert_eq!(item["people"], 2, "who called on a phone knows it: {item}");
}

async fn a_moved_class_is_told_to_both_rings(desk: Desk) {
    let Hearers { seed, gate, parent, guest, .. } = hearers(&desk, "C").await;
    let second = fresh();
    desk.apply(&[insert("rings", &second, json!({"name": "Ring 2"}))]).await;
    let there = desk.phone_in("Clerk 2", &["clerk"], json!({"ring_ids": [second]})).await;
    let here = desk.phone_in("Clerk 1", &["clerk"], json!({"ring_ids": [seed.ring]})).await;
    let elsewhere = desk.phone_in("Clerk 3", &["clerk"], json!({"ring_ids": [fresh()]})).await;
    desk.apply(&[update("classes", &seed.class, 2, json!({"ring_id": second}), json!({"ring_id": seed.ring}))]).await;
    for phone in [&gate, &parent, &there, &here] {
        assert_eq!(told(phone, "ring_change").await, ["Class 14 moved to Ring 2"]);
    }
    for phone in [&guest, &elsewhere] {
        assert_eq!(told(phone, "ring_change").await, [] as [String; 0]);
    }
}

async fn published_classes_and_official_results_are_told(desk: Desk) {
    let Hearers { seed, parent, guest, clerk, .. } = hearers(&desk, "D").await;
    let posted = told(&parent, "classes_posted").await;
    assert_eq!(posted, ["Cattle classes posted; check yours"], "once, when the classes were published");
    assert_eq!(told(&guest, "classes_posted").await, [] as [String; 0], "no animal of theirs is in it");
    let entry = v5(&seed.class, &seed.steer);
    let card = json!({"class_id": seed.class, "entry_id": entry, "place": 1});
    clerk.apply(&[insert("placings", &v5(&seed.class, &entry), card)]).await;
    let class = desk.change("classes", &seed.class).await;
    let official = json!({"official_at": "2026-08-07T10:00:00Z"});
    let version = class["version"].as_i64().expect("a version");
    desk.apply(&[update("classes", &seed.class, version, official, json!({"official_at": null}))]).await;
    for phone in [&parent, &guest, &clerk] {
        assert_eq!(told(phone, "results").await, ["Class 14 official"]);
    }
    let page = notices(&guest, 0).await;
    let items = page["items"].as_array().expect("items");
    let results = items.iter().find(|item| item["type"] == "results").expect("it came");
    assert_eq!(results["body"], "1st #501");
    assert!(!page.to_string().contains("Birch"), "no child's name goes out with a message");
}

async fn a_clash_is_told_to_who_decides_and_taken_back_when_it_is_decided(desk: Desk) {
    let seed = seed(&desk).await;
    let cattle = desk.phone_in("Cattle super", &["superintendent"], json!({"departments": ["cattle"]})).await;
    let swine = desk.phone_in("Swine super", &["superintendent"], json!({"departments": ["swine"]})).await;
    let admin = desk.phone("Office", &["admin"]).await;
    let (_, second, _, result) = crate::conflicts::clash(&desk, &seed).await;
    let about_steer = told(&cattle, "conflict").await.len() + told(&swine, "conflict").await.len();
    assert_eq!(about_steer, 1, "only the superintendent of its department");
    assert_eq!(told(&admin, "conflict").await.len(), 1);
    let own = notices(&second, 0).await;
    assert_eq!(own["items"][0]["state"], "seen", "its author, who decides, too, knows it: {own}");
    let page = notices(&admin, 0).await;
    let id = result["conflict_id"].as_str().expect("an id");
    assert_eq!(page["items"][0]["data"]["open"], format!("#/needs-checking/{id}"));
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let page = notices(&admin, 1).await;
    assert!(page["items"][0]["retracted_at"].is_string(), "it is decided: {page}");
}

async fn many_rows_at_once_make_no_thousand_messages(desk: Desk) {
    let Hearers { seed, gate, .. } = hearers(&desk, "C").await;
    let second = fresh();
    desk.apply(&[insert("rings", &second, json!({"name": "Ring 2"}))]).await;
    let ids: Vec<String> = (0..40).map(|_| fresh()).collect();
    let class = |(number, id): (usize, &String)| {
        let class = json!({
            "name": format!("Class {number}"), "code": format!("{}", 100 + number), "department": "cattle",
            "ring_id": seed.ring, "planned_at": "2027-08-07T15:00:00Z",
        });
        insert("classes", id, class)
    };
    desk.apply(&ids.iter().enumerate().map(class).collect::<Vec<_>>()).await;
    let before = notices(&gate, 0).await["latest"].as_i64().expect("a number");
    let moved = |id: &String| {
        let to = json!({"ring_id": second, "planned_at": "2027-08-07T16:00:00Z"});
        update("classes", id, 1, to, json!({"ring_id": seed.ring, "planned_at": "2027-08-07T15:00:00Z"}))
    };
    desk.apply(&ids.iter().map(moved).collect::<Vec<_>>()).await;
    let page = notices(&gate, before).await;
    assert!(titles(&page).contains(&"40 classes moved to Ring 2"), "{page}");
    assert!(titles(&page).len() <= 2, "{page}");
}

async fn what_is_switched_off_is_not_told(desk: Desk) {
    let Hearers { seed, gate, parent, .. } = hearers(&desk, "D").await;
    let off = json!({"items": [{"key": "class_call", "on": false}]});
    send(desk.request(reqwest::Method::PUT, "/admin/notifications/automatic").json(&off)).await.expect_status(200);
    let call = |kind: &str| {
        insert("class_calls", &fresh(), json!({"class_id": seed.class, "ring_id": seed.ring, "kind": kind}))
    };
    gate.apply(&[call("call_1"), call("up_next")]).await;
    assert_eq!(told(&parent, "class_call").await, [] as [String; 0]);
    assert_eq!(told(&parent, "up_next").await, ["Class 14 is next, Ring 1"]);
}

async fn a_phone_that_holds_unsent_work_is_told_once(desk: Desk) {
    let admin = desk.phone("Office", &["admin"]).await;
    let ring = desk.phone("Ring 2 phone", &["clerk"]).await;
    let tell = async || {
        let request = ring.request(reqwest::Method::GET, "/sync/hello").header("x-client-pending", "9");
        send(request.header("x-client-waiting-ms", "720000")).await.expect_status(200);
    };
    tell().await;
    // What phones tell beside their requests is written with the next commit.
    desk.apply(&[insert("rings", &fresh(), json!({"name": "Ring 9"}))]).await;
    desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    let notice = wait_for(&admin, "Ring 2 phone has 9 unsent changes for 12 min").await;
    assert_eq!((&notice["type"], &notice["priority"]), (&json!("sync"), &json!("normal")));
    tell().await;
    desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    assert_eq!(told(&admin, "sync").await.len(), 1, "it waits for the same reason");
}

async fn weigh_in_that_closes_is_told_once(desk: Desk) {
    let Hearers { seed, parent, guest, .. } = hearers(&desk, "B").await;
    let scale = desk.phone("Scale", &["scale"]).await;
    let at = (chrono::Utc::now() + chrono::TimeDelta::minutes(20)).to_rfc3339();
    let closes = json!([{"department": "cattle", "at": at}, {"department": "sheep", "at": at}]);
    let chosen = json!({"items": [{"key": "weigh_closing", "on": true, "closes": closes}]});
    send(desk.request(reqwest::Method::PUT, "/admin/notifications/automatic").json(&chosen)).await.expect_status(200);
    for _ in 0..3 {
        desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    }
    // What was taken back is not told again, and nothing is counted as if it was.
    let list = desk.get("/admin/notifications").await.expect_status(200);
    let items = list["items"].as_array().expect("items");
    let item = items.iter().find(|item| item["type"] == "weigh_closing").expect("it is listed");
    let retract = format!("/admin/notifications/{}/retract", item["id"].as_str().expect("an id"));
    desk.post(&retract, &json!({})).await.expect_status(200);
    let run = desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    assert_eq!(run["processed"], 0, "{run}");
    for phone in [&parent, &scale] {
        let told = told(phone, "weigh_closing").await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("Cattle weigh-in closes ") && told[0].ends_with("; 1 head not weighed"),
            "{told:?}"
        );
    }
    assert_eq!(told(&guest, "weigh_closing").await, [] as [String; 0]);
    drop(seed);
}

/// A message that cannot be made costs nobody an entry.
async fn what_cannot_be_told_costs_no_entry((desk, database): (Desk, Database)) {
    let Hearers { seed, gate, parent, .. } = hearers(&desk, "D").await;
    let planned = |hours: i64| {
        let at = chrono::Utc::now() + chrono::TimeDelta::hours(hours);
        at.format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
    };
    let move_to = async |from: Json, to: &str| {
        let version = desk.change("classes", &seed.class).await["version"].as_i64().expect("a version");
        let to = json!({"planned_at": to});
        desk.apply(&[update("classes", &seed.class, version, to, json!({"planned_at": from}))]).await;
    };
    let (before, after) = (planned(3), planned(5));
    move_to(Json::Null, &before).await;
    let ready = json!({
        "title": "Get ready", "audience": {"everybody": true}, "before_class": {"class_id": seed.class, "minutes": 0},
    });
    let ready = sent(&desk, ready).await;
    database.refuse("notifications", "NEW.source = 'automatic'").await;
    // Its time is told to nobody, and what waits for it goes with it all the same.
    move_to(json!(before), &after).await;
    let path = format!("/admin/notifications/{}", ready["id"].as_str().expect("an id"));
    assert_eq!(desk.get(&path).await.expect_status(200)["send_at"], json!(after));
    assert_eq!(told(&parent, "schedule").await, [] as [String; 0]);
    let call = json!({"class_id": seed.class, "ring_id": seed.ring, "kind": "call_1"});
    let called = gate.push_one(&insert("class_calls", &fresh(), call)).await;
    assert_eq!(called["verdict"], "applied", "{called}");
    assert_eq!(told(&parent, "class_call").await, [] as [String; 0]);
    sent(&desk, json!({"title": "A person's", "audience": {"everybody": true}})).await;
    assert_eq!(told(&parent, "message").await, ["A person's"], "messages of people go on");
}

/// A message that cannot be read any more holds up no other.
async fn what_cannot_be_read_holds_up_nothing((desk, database): (Desk, Database)) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let at = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    for title in ["Broken", "Whole"] {
        let body = json!({"title": title, "send_at": at, "audience": {"everybody": true}});
        sent(&desk, body).await;
    }
    // Another version of the program may have written it.
    database.execute("UPDATE notifications SET audience = '7' WHERE title = 'Broken'").await;
    database.execute("UPDATE notifications SET send_at = created_at").await;
    desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    assert_eq!(told(&gate, "message").await, ["Whole"]);
}
