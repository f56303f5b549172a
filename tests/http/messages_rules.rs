//! What may be asked about messages: every field's bad input, people who may not ask, placeholders, templates, choices.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::messages::{act, message, notices, sent, titles, wait_for, wait_for_count};
use crate::on_both_engines;
use crate::phone::{delete, fresh, insert, send, update};
use crate::seed::{Seed, seed};

on_both_engines!(
    what_cannot_be_sent_is_refused_and_nothing_is_kept,
    placeholders_are_filled_from_the_class,
    a_message_before_a_class_moves_with_it,
    a_message_before_a_class_that_takes_place_no_more_waits,
    a_message_ends_when_its_class_enters_the_ring,
    five_thousand_emoji_and_hostile_letters,
    lists_have_pages_and_refuse_what_they_do_not_know,
    templates_are_kept_changed_and_removed,
    automatic_messages_and_quiet_hours_are_chosen,
    what_was_done_is_in_the_record,
    what_a_message_was_begun_with_may_be_gone,
    only_what_is_held_back_can_be_undone,
);

fn in_minutes(minutes: i64) -> String {
    let at = chrono::Utc::now() + chrono::TimeDelta::minutes(minutes);
    at.format("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

async fn code_of(desk: &Desk, body: &Json) -> (u16, String) {
    let answer = desk.post("/admin/notifications", body).await;
    let status = answer.status.as_u16();
    assert!(status >= 400, "that was meant to be refused: {body}");
    let problem = answer.expect_problem(status);
    (status, problem["code"].as_str().expect("a code").to_owned())
}

fn with(changes: &Json) -> Json {
    let mut body = json!({"title": "Later", "audience": {"everybody": true}});
    for (name, value) in changes.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

async fn what_cannot_be_sent_is_refused_and_nothing_is_kept(desk: Desk) {
    let seed = seed(&desk).await;
    let long = |letters: usize| "x".repeat(letters);
    let class = |minutes: Json| json!({"class_id": seed.class, "minutes": minutes});
    for (changes, status, code) in [
        (json!({"title": ""}), 422, "required"),
        (json!({"title": " \u{200b}"}), 422, "required"),
        (json!({"title": long(81)}), 422, "too_large"),
        (json!({"title": "a\u{0}b"}), 422, "invalid_character"),
        (json!({"title": 7}), 422, "invalid_body"),
        (json!({"body": long(401)}), 422, "too_large"),
        (json!({"body": ["x"]}), 422, "invalid_body"),
        (json!({"type": "Two words"}), 422, "invalid_type"),
        (json!({"type": long(41)}), 422, "invalid_type"),
        (json!({"priority": "loud"}), 422, "invalid_body"),
        (json!({"needs_ack": "yes"}), 422, "invalid_body"),
        (json!({"audience": {"functions": ["boss"]}}), 422, "invalid_body"),
        (json!({"audience": {"functions": []}}), 422, "required"),
        (json!({"audience": {"everybody": false}}), 422, "required"),
        (json!({"audience": {"class_ids": [fresh()]}}), 422, "unknown_audience"),
        (json!({"audience": {"rings": [seed.class]}}), 422, "unknown_audience"),
        (json!({"audience": {"exhibitor_ids": [fresh()]}}), 422, "unknown_audience"),
        (json!({"audience": {"departments": ["dragons"]}}), 422, "unknown_audience"),
        (json!({"audience": {"rings": vec![seed.ring.clone(); 501]}}), 422, "too_large"),
        (json!({"audience": {"people": [fresh()]}}), 422, "invalid_body"),
        (json!({"audience": {"at_rings": [seed.ring]}}), 422, "invalid_body"),
        (json!({"audience": null}), 422, "invalid_body"),
        (json!({"send_at": in_minutes(-5)}), 422, "send_at_past"),
        (json!({"send_at": in_minutes(60 * 24 * 400)}), 422, "out_of_range"),
        (json!({"send_at": "tomorrow"}), 422, "invalid_body"),
        (json!({"send_at": in_minutes(5), "before_class": class(json!(1))}), 422, "invalid_value"),
        (json!({"before_class": class(json!(10))}), 422, "class_without_time"),
        (json!({"before_class": class(json!(-1))}), 422, "out_of_range"),
        (json!({"before_class": class(json!(10_081))}), 422, "out_of_range"),
        (json!({"before_class": {"class_id": fresh(), "minutes": 10}}), 422, "unknown_audience"),
        (json!({"expires_at": in_minutes(-1)}), 422, "expires_too_early"),
        (json!({"send_at": in_minutes(10), "expires_at": in_minutes(5)}), 422, "expires_too_early"),
        (json!({"expires_at": in_minutes(5), "ends": {"after_minutes": 5}}), 422, "invalid_value"),
        (json!({"ends": {"after_minutes": 0}}), 422, "out_of_range"),
        (json!({"ends": {"after_minutes": 5, "class_starts": seed.class}}), 422, "invalid_body"),
        (json!({"ends": {"class_starts": fresh()}}), 422, "unknown_audience"),
        (json!({"send_at": "+12026-08-07T10:00:00Z"}), 422, "invalid_body"),
        (json!({"expires_at": "+20000-01-01T00:00:00Z"}), 422, "invalid_body"),
        (json!({"expires_at": "-262143-01-01T00:00:00Z"}), 422, "invalid_body"),
        (json!({"undo_seconds": -1}), 422, "out_of_range"),
        (json!({"undo_seconds": 61}), 422, "out_of_range"),
        (json!({"test": "true"}), 422, "invalid_body"),
        (json!({"created_by": fresh()}), 422, "invalid_body"),
        (json!({"title": "{class} is next"}), 400, "placeholder_unfilled"),
        (json!({"body": "by {judge}"}), 400, "placeholder_unfilled"),
    ] {
        let said = code_of(&desk, &with(&changes)).await;
        assert_eq!(said.0, status, "{changes}: {said:?}");
        if code != "invalid_body" {
            assert_eq!(said.1, code, "{changes}");
        }
    }
    let list = desk.get("/admin/notifications?state=sent").await.expect_status(200);
    let waits = desk.get("/admin/notifications?state=scheduled").await.expect_status(200);
    assert_eq!((&list["items"], &waits["items"]), (&json!([]), &json!([])));
}

/// The seed's class gets a number, a time and an entry.
async fn plan_class(desk: &Desk, seed: &Seed, planned_at: &str) {
    let change = json!({"code": "15", "planned_at": planned_at});
    desk.apply(&[update("classes", &seed.class, 1, change, json!({"code": null, "planned_at": null}))]).await;
}

async fn placeholders_are_filled_from_the_class(desk: Desk) {
    let seed = seed(&desk).await;
    let gate = desk.phone("Gate", &["gate"]).await;
    let zone = json!({"timezone": "America/Chicago"});
    let (show, change) = crate::seed::show_of(&desk).await;
    let before = json!({"timezone": change["data"]["timezone"]});
    desk.apply(&[update("shows", &show, change["version"].as_i64().expect("a version"), zone, before)]).await;
    plan_class(&desk, &seed, "2027-08-06T15:20:00Z").await;
    let text = json!({
        "title": "{class} to make-ready, {ring}, at {time}.", "body": "Wait.",
        "audience": {"class_ids": [seed.class], "functions": ["gate"]},
    });
    let preview = desk.post("/admin/notifications/preview", &text).await.expect_status(200);
    assert_eq!(preview["title"], "Class 15 to make-ready, Ring 1, at 10:20.");
    let made = sent(&desk, text).await;
    assert_eq!(titles(&notices(&gate, 0).await), ["Class 15 to make-ready, Ring 1, at 10:20."]);
    let item = message(&desk, &made["id"]).await;
    assert_eq!(item["raw"], json!({"title": "{class} to make-ready, {ring}, at {time}.", "body": "Wait."}));
    assert_eq!(item["audience_text"], "Class 15, Gate crew");
    // What the filled title has too much goes on in the text.
    let long = json!({
        "title": format!("{}xx {{class}}", "word ".repeat(14)), "body": "Wait.",
        "audience": {"class_ids": [seed.class]},
    });
    let preview = desk.post("/admin/notifications/preview", &long).await.expect_status(200);
    assert_eq!(
        (&preview["body"], preview["title"].as_str().map(str::len)),
        (&json!("15 Wait."), Some(78)),
        "{preview}"
    );
    let problem = desk.post("/admin/notifications/preview", &json!({"title": "{ring}", "audience": {}})).await;
    assert_eq!(problem.expect_problem(400)["code"], "placeholder_unfilled");
}

async fn a_message_before_a_class_moves_with_it(desk: Desk) {
    let seed = seed(&desk).await;
    let gate = desk.phone("Gate", &["gate"]).await;
    plan_class(&desk, &seed, &in_minutes(180)).await;
    let made = sent(
        &desk,
        json!({
            "title": "{class} at {time}", "before_class": {"class_id": seed.class, "minutes": 15},
            "audience": {"functions": ["gate"]},
        }),
    )
    .await;
    let item = message(&desk, &made["id"]).await;
    assert_eq!(item["before_class"], json!({"class_id": seed.class, "minutes": 15}));
    let was = desk.data("classes", &seed.class).await["planned_at"].clone();
    let later = in_minutes(240);
    let move_to = |version, from: &Json, to: &str| {
        update("classes", &seed.class, version, json!({"planned_at": to}), json!({"planned_at": from}))
    };
    desk.apply(&[move_to(2, &was, &later)]).await;
    let moved = message(&desk, &made["id"]).await;
    let at = |text: &Json| chrono::DateTime::parse_from_rfc3339(text.as_str().expect("a time")).expect("a time");
    let planned = chrono::DateTime::parse_from_rfc3339(&later).expect("a time");
    assert_eq!(at(&moved["send_at"]), planned - chrono::TimeDelta::minutes(15));
    // A class without a time holds its message back; it is still listed.
    let gone = update("classes", &seed.class, 3, json!({"planned_at": null}), json!({"planned_at": later}));
    desk.apply(&[gone]).await;
    assert_eq!(message(&desk, &made["id"]).await["send_at"], Json::Null);
    let list = desk.get("/admin/notifications?state=scheduled").await.expect_status(200);
    assert_eq!(list["items"][0]["id"], made["id"]);
    // Brought forward beyond its time it goes out now, and says the new time.
    desk.apply(&[move_to(4, &Json::Null, &in_minutes(10))]).await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let page = notices(&gate, 0).await;
        if let [title] = titles(&page).as_slice() {
            assert!(title.starts_with("Class 15 at ") && !title.contains('{'), "{title}");
            break;
        }
        assert!(tokio::time::Instant::now() < until, "it did not come: {page}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn a_message_before_a_class_that_takes_place_no_more_waits(desk: Desk) {
    let seed = seed(&desk).await;
    let gate = desk.phone("Gate", &["gate"]).await;
    plan_class(&desk, &seed, &in_minutes(180)).await;
    let text = json!({
        "title": "{class} at {time}", "before_class": {"class_id": seed.class, "minutes": 15},
        "audience": {"functions": ["gate"]},
    });
    let made = sent(&desk, text).await;
    let planned = made["send_at"].clone();
    assert!(planned.is_string(), "{made}");
    let with_it = sent(
        &desk,
        json!({"title": "Until then", "ends": {"class_starts": seed.class}, "audience": {"functions": ["gate"]}}),
    )
    .await;
    let side = |version, from: Json, to: Json| {
        update("classes", &seed.class, version, json!({"side_state": to}), json!({"side_state": from}))
    };
    desk.apply(&[side(2, Json::Null, json!("cancelled"))]).await;
    assert_eq!(message(&desk, &made["id"]).await["send_at"], Json::Null, "nobody is called to it");
    assert!(message(&desk, &with_it["id"]).await["expires_at"].is_string(), "it would never enter a ring");
    desk.apply(&[side(3, json!("cancelled"), Json::Null)]).await;
    assert_eq!(message(&desk, &made["id"]).await["send_at"], planned, "it takes place all the same");
    desk.apply(&[delete("classes", &seed.class, 4)]).await;
    let waits = message(&desk, &made["id"]).await;
    assert!(waits["send_at"].is_null() && waits["released_at"].is_null(), "{waits}");
    assert_eq!(titles(&notices(&gate, 0).await).iter().filter(|title| title.contains(" at ")).count(), 0);
}

async fn a_message_ends_when_its_class_enters_the_ring(desk: Desk) {
    let seed = seed(&desk).await;
    crate::seed::set_stage(&desk, "D").await;
    let gate = desk.phone("Gate", &["gate"]).await;
    let away = desk.phone("Away", &["scale"]).await;
    let made = sent(
        &desk,
        json!({
            "title": "Come", "ends": {"class_starts": seed.class}, "audience": {"functions": ["gate", "scale"]},
        }),
    )
    .await;
    crate::messages::acked(&gate, &made["id"], "delivered").await;
    let call = json!({"class_id": seed.class, "ring_id": seed.ring, "kind": "in_ring"});
    desk.apply(&[insert("class_calls", &fresh(), call)]).await;
    let page = notices(&gate, 1).await;
    assert_eq!(page["items"][0]["id"], made["id"], "the phone that has it is told that it is over: {page}");
    assert!(page["items"][0]["expires_at"].is_string());
    assert_eq!(notices(&away, 0).await["items"], json!([]), "who never had it gets it no more");
    assert_eq!(act(&desk, &made["id"], "remind").await.expect_problem(409)["code"], "expired");
    desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    let item = wait_for_count(&desk, &made["id"], "expired", 1).await;
    let counts = (&item["counts"]["waiting"], &item["counts"]["delivered"]);
    assert_eq!(counts, (&json!(0), &json!(1)), "nobody waits for what is over: {item}");
}

async fn what_a_message_was_begun_with_may_be_gone(desk: Desk) {
    let gone = sent(&desk, with(&json!({"template_id": fresh()}))).await;
    assert!(gone["id"].is_string(), "a template only says where the text came from");
    let test = json!({"title": "Now?", "test": true, "audience": {"functions": []}});
    assert_eq!(sent(&desk, test).await["reach"]["people"], json!(0), "a test may name nobody");
}

async fn only_what_is_held_back_can_be_undone(desk: Desk) {
    let now = sent(&desk, with(&json!({"undo_seconds": 8}))).await;
    assert_eq!((now["undo_until"].is_string(), &now["undo_until"]), (true, &now["send_at"]));
    let planned = sent(&desk, with(&json!({"undo_seconds": 8, "send_at": in_minutes(60)}))).await;
    assert_eq!((planned["send_at"].is_string(), &planned["undo_until"]), (true, &Json::Null));
}

async fn five_thousand_emoji_and_hostile_letters(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    assert_eq!(code_of(&desk, &with(&json!({"body": "🐖".repeat(5_000)}))).await, (422, "too_large".to_owned()));
    let fits = "🐖".repeat(400);
    sent(&desk, with(&json!({"title": "'); DROP TABLE notifications; --", "body": fits}))).await;
    sent(&desk, with(&json!({"title": "<script>alert(1)</script>", "body": "a\u{202e}b %_ \\"}))).await;
    let page = notices(&gate, 0).await;
    assert_eq!(
        titles(&page),
        ["'); DROP TABLE notifications; --", "<script>alert(1)</script>"],
        "as they were written"
    );
    assert_eq!((&page["items"][0]["body"], &page["items"][1]["body"]), (&json!(fits), &json!("ab %_ \\")));
}

async fn lists_have_pages_and_refuse_what_they_do_not_know(desk: Desk) {
    for number in 0..5 {
        sent(&desk, with(&json!({"title": format!("Sent {number}")}))).await;
        sent(&desk, with(&json!({"title": format!("Waits {number}"), "send_at": in_minutes(60 + number)}))).await;
    }
    for (state, first, last) in [("sent", "Sent 4", "Sent 0"), ("scheduled", "Waits 0", "Waits 4")] {
        let (mut read, mut cursor) = (Vec::new(), String::new());
        for _ in 0..10 {
            let page =
                desk.get(&format!("/admin/notifications?state={state}&limit=2{cursor}")).await.expect_status(200);
            read.extend(titles(&page).into_iter().map(str::to_owned));
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(read.len(), 5, "{state}: {read:?}");
        assert_eq!((read[0].as_str(), read[4].as_str()), (first, last));
    }
    for query in ["state=draft", "cursor=x", "cursor=0.9999999999999999.x", "limit=0", "q=x"] {
        desk.get(&format!("/admin/notifications?{query}")).await.expect_problem(400);
    }
    desk.get(&format!("/admin/notifications/{}", fresh())).await.expect_problem(404);
    desk.get("/admin/notifications/x").await.expect_problem(404);
}

async fn templates_are_kept_changed_and_removed(desk: Desk) {
    let list = desk.get("/admin/notification-templates").await.expect_status(200);
    let names: Vec<&str> =
        list["items"].as_array().expect("items").iter().filter_map(|item| item["name"].as_str()).collect();
    for name in [
        "Class to make-ready",
        "Weigh-in closes",
        "Lightning",
        "All clear",
        "Lunch break",
        "Come to the superintendent",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let lightning = list["items"].as_array().expect("items").iter().find(|item| item["name"] == "Lightning");
    let lightning = lightning.expect("it is there");
    assert_eq!((&lightning["priority"], &lightning["needs_ack"]), (&json!("urgent"), &json!(true)));
    assert_eq!(lightning["audience"], json!({"everybody": true}));
    let input = json!({"name": "Coffee", "title": "{class} has coffee", "audience": {"functions": ["gate"]}});
    let made = desk.post("/admin/notification-templates", &input).await.expect_status(201);
    assert_eq!((&made["type"], &made["needs_ack"]), (&json!("message"), &json!(false)));
    let path = format!("/admin/notification-templates/{}", made["id"].as_str().expect("an id"));
    let change = json!({"name": "Tea", "title": "Tea", "priority": "high"});
    let changed = send(desk.request(Method::PUT, &path).json(&change)).await.expect_status(200);
    assert_eq!(
        (&changed["name"], &changed["needs_ack"], &changed["audience"]),
        (&json!("Tea"), &json!(true), &Json::Null)
    );
    let used = sent(&desk, with(&json!({"template_id": made["id"]}))).await;
    assert_eq!(send(desk.request(Method::DELETE, &path)).await.status, 204);
    send(desk.request(Method::DELETE, &path)).await.expect_problem(404);
    send(desk.request(Method::PUT, &path).json(&change)).await.expect_problem(404);
    message(&desk, &used["id"]).await;
    for bad in [
        json!({"name": "", "title": "x"}),
        json!({"name": "x".repeat(201), "title": "x"}),
        json!({"name": "x", "title": ""}),
        json!({"name": "x", "title": "x".repeat(81)}),
        json!({"name": "x", "title": "x", "body": "x".repeat(401)}),
        json!({"name": "x", "title": "x", "type": "A B"}),
        json!({"name": "x", "title": "x", "audience": {"class_ids": [fresh()]}}),
        json!({"name": "x", "title": "x", "id": fresh()}),
        json!({"title": "x"}),
    ] {
        desk.post("/admin/notification-templates", &bad).await.expect_problem(422);
    }
}

async fn automatic_messages_and_quiet_hours_are_chosen(desk: Desk) {
    let path = "/admin/notifications/automatic";
    let first = desk.get(path).await.expect_status(200);
    assert_eq!((first["items"].as_array().map(Vec::len), &first["quiet"]), (Some(10), &Json::Null));
    assert!(first["items"].as_array().expect("items").iter().all(|item| item["on"] == true));
    let put = async |body: Json| send(desk.request(Method::PUT, path).json(&body)).await;
    let closes = json!([{"department": "swine", "at": "2027-08-06T15:00:00.000Z"}]);
    let chosen = json!({
        "items": [{"key": "results", "on": false}, {"key": "weigh_closing", "on": true, "minutes": 20, "closes": closes}],
        "quiet": {"from": "21:00", "to": "06:30"},
    });
    let second = put(chosen).await.expect_status(200);
    let item = |view: &Json, key: &str| {
        let items = view["items"].as_array().expect("items");
        items.iter().find(|item| item["key"] == key).expect("it is listed").clone()
    };
    assert_eq!(item(&second, "results")["on"], false);
    assert_eq!(
        item(&second, "weigh_closing"),
        json!({"key": "weigh_closing", "on": true, "minutes": 20, "closes": closes})
    );
    assert_eq!(second["quiet"], json!({"from": "21:00", "to": "06:30"}));
    assert_eq!(put(json!({})).await.expect_status(200), second, "what is not named stays");
    assert_eq!(put(json!({"quiet": null})).await.expect_status(200)["quiet"], Json::Null);
    for bad in [
        json!({"items": [{"key": "gossip", "on": true}]}),
        json!({"items": [{"key": "results", "on": "yes"}]}),
        json!({"items": [{"key": "results", "on": true, "minutes": 5}]}),
        json!({"items": [{"key": "sync", "on": true, "minutes": 0}]}),
        json!({"items": [{"key": "sync", "on": true, "minutes": 1_441}]}),
        json!({"items": [{"key": "results", "on": true, "closes": closes}]}),
        json!({"items": [{"key": "weigh_closing", "on": true, "closes": [{"department": "x", "at": "2027-08-06T15:00:00Z"}]}]}),
        json!({"items": [
            {"key": "weigh_closing", "on": true, "closes": [{"department": "swine", "at": "-262143-01-01T00:00:00Z"}]},
        ]}),
        json!({"quiet": {"from": "21:00", "to": "21:00"}}),
        json!({"quiet": {"from": "9 pm", "to": "06:30"}}),
        json!({"quiet": {"from": "21:00"}}),
        json!({"loud": true}),
    ] {
        put(bad).await.expect_problem(422);
    }
}

async fn what_was_done_is_in_the_record(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let made = sent(&desk, with(&json!({"title": "Recorded"}))).await;
    wait_for(&gate, "Recorded").await;
    act(&desk, &made["id"], "remind").await.expect_status(200);
    act(&desk, &made["id"], "retract").await.expect_status(200);
    let waits = sent(&desk, with(&json!({"send_at": in_minutes(60)}))).await;
    act(&desk, &waits["id"], "cancel").await.expect_status(200);
    let page = desk.get("/admin/audit?limit=50").await.expect_status(200);
    let items = page["items"].as_array().expect("items");
    for (action, id) in [
        ("message_sent", &made["id"]),
        ("message_reminded", &made["id"]),
        ("message_retracted", &made["id"]),
        ("message_scheduled", &waits["id"]),
        ("message_cancelled", &waits["id"]),
    ] {
        let found = items.iter().find(|item| item["action"] == action && item["record_id"] == *id);
        assert!(found.is_some_and(|item| item["actor"]["id"].is_string()), "{action}: {page}");
    }
}
