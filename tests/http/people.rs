//! Devices and their people at the desk: what they may do, for how long, and whose they are.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::live::Events;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, fresh, insert, send, update};
use crate::seed::seed;

on_both_engines!(
    changed_functions_hold_from_the_next_request_and_the_stream_is_told,
    a_switch_gives_and_withholds_one_thing,
    a_device_whose_time_is_over_is_refused_and_its_stream_ends,
    a_phone_that_joined_twice_is_one_person_again,
    the_laptop_is_neither_limited_nor_somebodys_phone,
    nobody_makes_anybody_an_owner,
    what_cannot_be_is_refused_and_nothing_changes,
    a_phone_is_asked_for_a_file_until_one_is_taken_in,
    a_phone_tells_how_it_shows_its_page,
    five_removed_phones_are_out_at_once_and_so_are_their_streams,
    names_are_kept_without_what_cannot_be_seen,
);

/// A device as the desk lists it.
pub(crate) async fn listed(desk: &Desk, name: &str) -> Json {
    let list = desk.get("/admin/devices").await.expect_status(200);
    let found = list["items"].as_array().expect("items").iter().find(|item| item["name"] == name).cloned();
    found.unwrap_or_else(|| panic!("{name} is not listed: {list}"))
}

pub(crate) async fn id_of(desk: &Desk, name: &str) -> String {
    listed(desk, name).await["id"].as_str().expect("an id").to_owned()
}

pub(crate) async fn change(desk: &Desk, id: &str, change: &Json) -> Answer {
    send(desk.request(Method::PUT, &format!("/admin/devices/{id}")).json(change)).await
}

async fn me(phone: &Phone) -> Answer {
    send(phone.request(Method::GET, "/me")).await
}

async fn verdict(phone: &Phone, op: &Json) -> String {
    let result = phone.push_one(op).await;
    result["error"]["code"].as_str().or(result["verdict"].as_str()).expect("a verdict").to_owned()
}

fn in_seconds(seconds: i64) -> String {
    (Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339()
}

async fn changed_functions_hold_from_the_next_request_and_the_stream_is_told(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Gate 1", &["checkin"]).await;
    let mut rows = BTreeMap::new();
    let cursor = phone.pull_after(None, 500, &mut rows).await;
    assert_eq!(rows[&("exhibitors".to_owned(), seed.exhibitor.clone())]["data"]["guardian_phone"], "555-0100");
    let mut events = Events::of(&phone).await;
    events.wait_for("poke", |_| true).await;
    let id = id_of(&desk, "Gate 1").await;
    let changed =
        change(&desk, &id, &json!({"functions": ["viewer"], "name": "Ana's phone", "person_name": "Ana"})).await;
    let changed = changed.expect_status(200);
    assert_eq!((&changed["role"], &changed["functions"]), (&json!("viewer"), &json!(["viewer"])));
    assert_eq!(
        (&changed["name"], &changed["user"]["name"], &changed["effective"]),
        (&json!("Ana's phone"), &json!("Ana"), &json!([]))
    );
    events.wait_for("me", |_| true).await;
    events.wait_for("poke", |_| true).await;
    let own = me(&phone).await.expect_status(200);
    assert_eq!((&own["device_id"], &own["name"]), (&json!(id), &json!("Ana's phone")));
    assert_eq!(
        (&own["person"]["name"], &own["functions"], &own["permissions"]),
        (&json!("Ana"), &json!(["viewer"]), &json!([]))
    );
    let gone = phone.pull(&format!("?cursor={cursor}")).await.expect_problem(410);
    assert_eq!(gone["mode"], "reconcile");
    let exhibitor = phone.data("exhibitors", &seed.exhibitor).await;
    assert!(exhibitor.get("guardian_phone").is_none(), "{exhibitor}");
    let arrive = update("animals", &seed.hog, 1, json!({"arrived_at": "2026-08-06T08:00:00Z"}), json!({}));
    assert_eq!(verdict(&phone, &arrive).await, "forbidden");
    change(&desk, &id, &json!({"functions": ["checkin"]})).await.expect_status(200);
    events.wait_for("me", |_| true).await;
    let arrive = update("animals", &seed.hog, 1, json!({"arrived_at": "2026-08-06T08:00:00Z"}), json!({}));
    assert_eq!(verdict(&phone, &arrive).await, "applied");
}

async fn a_switch_gives_and_withholds_one_thing(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let id = id_of(&desk, "Scale 1").await;
    let keys = desk.get("/admin/permissions").await.expect_status(200);
    let weigh = keys["items"].as_array().expect("items").iter().find(|item| item["key"] == "weigh");
    assert_eq!(weigh.expect("it is listed")["functions"], json!(["scale"]));
    let tag = |value: &str| update("animals", &seed.hog, 1, json!({"tag": value}), json!({}));
    let weight =
        || insert("weigh_ins", &fresh(), json!({"animal_id": seed.hog, "kind": "arrival", "weight_x10": 2_500}));
    assert_eq!(verdict(&phone, &tag("9101")).await, "forbidden");
    let switches = json!({"permissions": {"granted": ["fix_tags"], "withheld": ["weigh"]}});
    let changed = change(&desk, &id, &switches).await.expect_status(200);
    assert_eq!(changed["permissions"], switches["permissions"]);
    let effective = changed["effective"].as_array().expect("keys");
    assert!(effective.contains(&json!("fix_tags")) && !effective.contains(&json!("weigh")), "{effective:?}");
    assert_eq!(me(&phone).await.expect_status(200)["permissions"], changed["effective"]);
    assert_eq!(verdict(&phone, &tag("9101")).await, "applied");
    assert_eq!(verdict(&phone, &weight()).await, "forbidden");
    let both = json!({"permissions": {"granted": ["weigh"], "withheld": ["weigh"]}});
    assert_eq!(change(&desk, &id, &both).await.expect_problem(422)["code"], "out_of_range");
    change(&desk, &id, &json!({"permissions": {"granted": [], "withheld": []}})).await.expect_status(200);
    assert_eq!(verdict(&phone, &weight()).await, "applied");
}

async fn a_device_whose_time_is_over_is_refused_and_its_stream_ends(desk: Desk) {
    let phone = desk.phone("Gate 1", &["gate"]).await;
    let id = id_of(&desk, "Gate 1").await;
    assert_eq!(listed(&desk, "Gate 1").await["expires_at"], Json::Null, "nobody knows when the show ends");
    let mut events = Events::of(&phone).await;
    events.wait_for("poke", |_| true).await;
    let wanted = Utc::now() + TimeDelta::milliseconds(1_500);
    let changed = change(&desk, &id, &json!({"expires_at": wanted.to_rfc3339()})).await.expect_status(200);
    // The desk keeps milliseconds.
    let ends = chrono::DateTime::parse_from_rfc3339(changed["expires_at"].as_str().expect("a time")).expect("a time");
    assert_eq!(ends.timestamp_millis(), wanted.timestamp_millis());
    events.wait_for("me", |_| true).await;
    assert_eq!(events.wait_for("bye", |_| true).await["reason"], "expired");
    assert!(Utc::now() >= ends, "not before");
    assert_eq!(phone.pull("").await.expect_problem(401)["code"], "device_expired");
    assert_eq!(me(&phone).await.expect_problem(401)["code"], "device_expired");
    send(phone.request(Method::GET, "/live")).await.expect_problem(401);
    change(&desk, &id, &json!({"expires_at": null})).await.expect_status(200);
    phone.pull("").await.expect_status(200);
    change(&desk, &id, &json!({"expires_at": in_seconds(3_600)})).await.expect_status(200);
    let renewed = send(phone.request(Method::POST, "/me/token")).await.expect_status(200);
    let until = chrono::DateTime::parse_from_rfc3339(renewed["expires_at"].as_str().expect("a time")).expect("a time");
    assert!(until.to_utc() < Utc::now() + TimeDelta::hours(2), "no pass outlives its device: {until}");
}

async fn a_phone_that_joined_twice_is_one_person_again(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Maria's phone", &["checkin"]).await;
    let before = id_of(&desk, "Maria's phone").await;
    change(&desk, &before, &json!({"person_name": "Maria Santos"})).await.expect_status(200);
    first.apply(&[update("animals", &seed.steer, 1, json!({"pen": "A1"}), json!({"pen": "C1"}))]).await;
    let second = desk.phone("maria's phone", &["gate"]).await;
    let again = listed(&desk, "maria's phone").await;
    assert_eq!(again["may_be"], json!(before), "same name, same kind, not seen since");
    assert_eq!(listed(&desk, "Maria's phone").await["may_be"], Json::Null);
    let entered = second
        .push_one(&update("animals", &seed.hog, 1, json!({"arrived_at": "2026-08-06T08:00:00Z"}), json!({})))
        .await;
    assert_eq!(entered["verdict"], "applied");
    let path = format!("/admin/devices/{}/merge", again["id"].as_str().expect("an id"));
    let mut events = Events::of(&second).await;
    events.wait_for("poke", |_| true).await;
    let merged = desk.post(&path, &json!({"into": before})).await.expect_status(200);
    assert_eq!((&merged["user"]["name"], &merged["functions"]), (&json!("Maria Santos"), &json!(["checkin"])));
    assert_eq!(merged["may_be"], Json::Null);
    assert_eq!(events.wait_for("bye", |_| true).await["reason"], "rights", "it was somebody else's stream");
    assert_eq!(me(&second).await.expect_status(200)["person"]["name"], "Maria Santos");
    desk.post(&path, &json!({"into": before})).await.expect_status(200);
    let history = desk.history("animals", &seed.hog).await;
    assert_eq!((&history[0]["device"]["id"], &history[0]["actor"]["name"]), (&again["id"], &json!("maria's phone")));
    second.apply(&[update("animals", &seed.hog, 2, json!({"pen": "B2"}), json!({"pen": null}))]).await;
    let history = desk.history("animals", &seed.hog).await;
    assert_eq!((&history[0]["device"]["id"], &history[0]["actor"]["name"]), (&again["id"], &json!("Maria Santos")));
    change(&desk, &before, &json!({"functions": ["viewer"]})).await.expect_status(200);
    assert_eq!(me(&second).await.expect_status(200)["functions"], json!(["viewer"]), "it is one person");
    let unknown = desk.post(&path, &json!({"into": fresh()})).await;
    unknown.expect_problem(404);
    desk.post(&path, &json!({"into": before, "role": "owner"})).await.expect_problem(422);
}

async fn the_laptop_is_neither_limited_nor_somebodys_phone(desk: Desk) {
    let laptop = id_of(&desk, "Laptop").await;
    for limit in [
        json!({"functions": ["viewer"]}),
        json!({"scope": {"departments": ["swine"]}}),
        json!({"permissions": {"withheld": ["weigh"]}}),
        json!({"expires_at": in_seconds(60)}),
    ] {
        assert_eq!(change(&desk, &laptop, &limit).await.expect_problem(422)["code"], "own_device", "{limit}");
    }
    let revoke = desk.post(&format!("/admin/devices/{laptop}/revoke"), &json!({})).await;
    assert_eq!(revoke.expect_problem(422)["code"], "own_device");
    let renamed =
        change(&desk, &laptop, &json!({"name": "Office laptop", "person_name": "Dan"})).await.expect_status(200);
    assert_eq!(
        (&renamed["name"], &renamed["user"]["name"], &renamed["role"]),
        (&json!("Office laptop"), &json!("Dan"), &json!("owner"))
    );
    desk.phone("Dan's phone", &["admin"]).await;
    let phone = id_of(&desk, "Dan's phone").await;
    for (id, into) in [(&phone, &laptop), (&laptop, &phone)] {
        let merge = desk.post(&format!("/admin/devices/{id}/merge"), &json!({"into": into})).await;
        assert_eq!(merge.expect_problem(422)["code"], "own_device");
    }
    let ask = desk.post(&format!("/admin/devices/{laptop}/ask-file"), &json!({})).await;
    assert_eq!(ask.expect_problem(422)["code"], "own_device");
    desk.get("/admin/overview").await.expect_status(200);
}

async fn nobody_makes_anybody_an_owner(desk: Desk) {
    let phone = desk.phone("Dan's phone", &["admin"]).await;
    let id = id_of(&desk, "Dan's phone").await;
    assert_eq!(listed(&desk, "Dan's phone").await["role"], "admin");
    for lift in [json!({"role": "owner"}), json!({"functions": ["owner"]}), json!({"user": fresh()})] {
        change(&desk, &id, &lift).await.expect_problem(422);
        let by_phone = send(phone.request(Method::PUT, &format!("/admin/devices/{id}")).json(&lift)).await;
        by_phone.expect_problem(404);
    }
    let mut at_admin = Phone::with_token(&desk.program.admin, phone.token()).await;
    let tried = send(at_admin.request(Method::PUT, &format!("/admin/devices/{id}")).json(&json!({"name": "x"}))).await;
    assert_eq!(tried.expect_problem(403)["code"], "desk_only", "a phone runs nothing from the laptop's door");
    at_admin.moved_to(&desk.program.http).await;
    assert_eq!(listed(&desk, "Dan's phone").await["role"], "admin");
    // At the desk an admin may act in the own name; what that name may do is asked each time.
    let person = listed(&desk, "Dan's phone").await["user"]["id"].as_str().expect("an id").to_owned();
    let as_dan = || desk.request(Method::GET, "/admin/overview").header("x-desk-person", &person);
    send(as_dan()).await.expect_status(200);
    change(&desk, &id, &json!({"functions": ["scale"]})).await.expect_status(200);
    send(as_dan()).await.expect_problem(403);
}

async fn what_cannot_be_is_refused_and_nothing_changes(desk: Desk) {
    desk.phone("Gate 1", &["gate"]).await;
    let before = listed(&desk, "Gate 1").await;
    let id = before["id"].as_str().expect("an id").to_owned();
    for (bad, code) in [
        (json!({"functions": []}), "required"),
        (json!({"name": " \u{200b}"}), "required"),
        (json!({"name": "\u{3164}"}), "required"),
        (json!({"person_name": "x".repeat(201)}), "too_large"),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "out_of_range"),
        (json!({"expires_at": "tomorrow"}), "invalid_time"),
        (json!({"expires_at": 5}), "invalid_body"),
        (json!({"functions": ["root"]}), "invalid_body"),
        (json!({"permissions": {"granted": ["everything"]}}), "invalid_body"),
        (json!({"permissions": {"granted": ["weigh"], "more": []}}), "invalid_body"),
        (json!({"scope": {"rings": []}}), "invalid_body"),
        (
            json!({"scope": {"departments": vec!["d"; 501].into_iter().enumerate().map(|(n, d)| format!("{d}{n}")).collect::<Vec<_>>()}}),
            "too_large",
        ),
        (json!({"kind": "desk"}), "invalid_body"),
    ] {
        assert_eq!(change(&desk, &id, &bad).await.expect_problem(422)["code"], code, "{bad}");
    }
    change(&desk, &fresh(), &json!({"name": "x"})).await.expect_problem(404);
    change(&desk, "x", &json!({"name": "x"})).await.expect_problem(404);
    let rights = |device: &Json| {
        ["name", "user", "functions", "scope", "permissions", "expires_at"].map(|key| device[key].clone())
    };
    assert_eq!(rights(&listed(&desk, "Gate 1").await), rights(&before));
    change(&desk, &id, &json!({})).await.expect_status(200);
    desk.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
    desk.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
    for path in [format!("/admin/devices/{id}/ask-file"), format!("/admin/devices/{id}/merge")] {
        let body = if path.ends_with("merge") { json!({"into": id}) } else { json!({}) };
        assert_eq!(desk.post(&path, &body).await.expect_problem(409)["code"], "wrong_state");
    }
    assert_eq!(change(&desk, &id, &json!({"name": "x"})).await.expect_problem(409)["code"], "wrong_state");
}

async fn a_phone_is_asked_for_a_file_until_one_is_taken_in(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["checkin"]).await;
    let mut events = Events::of(&phone).await;
    events.wait_for("poke", |_| true).await;
    let id = id_of(&desk, "Barn").await;
    let asked = desk.post(&format!("/admin/devices/{id}/ask-file"), &json!({})).await.expect_status(200);
    assert!(asked["file_asked_at"].is_string());
    events.wait_for("me", |_| true).await;
    assert_eq!(me(&phone).await.expect_status(200)["file_asked_at"], asked["file_asked_at"]);
    let entry = update("animals", &seed.hog, 1, json!({"pen": "B12"}), json!({}));
    crate::rescue::hand_in(&desk, "Barn", &[entry]).await;
    assert_eq!(listed(&desk, "Barn").await["file_asked_at"], Json::Null);
    events.wait_for("me", |_| true).await;
    assert_eq!(me(&phone).await.expect_status(200)["file_asked_at"], Json::Null);
}

async fn a_phone_tells_how_it_shows_its_page(desk: Desk) {
    let phone = desk.phone("Gate 1", &["gate"]).await;
    assert_eq!(listed(&desk, "Gate 1").await["level"], Json::Null);
    for (told, known) in [("quick", "quick"), ("field_ready", "field_ready"), ("superb", "field_ready")] {
        send(phone.request(Method::GET, "/sync/hello").header("x-client-level", told)).await.expect_status(200);
        assert_eq!(listed(&desk, "Gate 1").await["level"], known);
    }
}

async fn five_removed_phones_are_out_at_once_and_so_are_their_streams(desk: Desk) {
    for number in 1..=5 {
        let name = format!("Gate {number}");
        let phone = desk.phone(&name, &["gate"]).await;
        let mut events = Events::of(&phone).await;
        events.wait_for("poke", |_| true).await;
        let id = id_of(&desk, &name).await;
        desk.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
        assert_eq!(phone.pull("").await.expect_problem(403)["code"], "device_removed");
        assert_eq!(events.wait_for("bye", |_| true).await["reason"], "removed");
        for path in ["/sync/hello", "/me", "/me/conflicts", "/live"] {
            let answer = send(phone.request(Method::GET, path)).await;
            assert_eq!(answer.expect_problem(403)["code"], "device_removed", "{path}");
        }
        let renewal = send(phone.request(Method::POST, "/me/token")).await;
        assert_eq!(renewal.expect_problem(403)["code"], "device_removed");
    }
}

async fn names_are_kept_without_what_cannot_be_seen(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Scale \u{202e}1\u{200b}", &["scale"]).await;
    let id = id_of(&desk, "Scale 1").await;
    let named = change(&desk, &id, &json!({"person_name": "Zoë\u{2066}\u{ad} Őry"})).await.expect_status(200);
    assert_eq!(named["user"]["name"], "Zoë Őry");
    let scope = json!({"scope": {"departments": ["swine\u{202e}", "\u{200b}", "swine"]}});
    assert_eq!(change(&desk, &id, &scope).await.expect_status(200)["scope"]["departments"], json!(["swine"]));
    let hidden = json!({"first_name": "Ni\u{200b}na\u{202e}", "club_chapter": "\u{feff}Oak Hill"});
    desk.apply(&[update("exhibitors", &seed.exhibitor, 1, hidden, json!({}))]).await;
    let exhibitor = desk.data("exhibitors", &seed.exhibitor).await;
    assert_eq!((&exhibitor["first_name"], &exhibitor["club_chapter"]), (&json!("Nina"), &json!("Oak Hill")));
    for blank in ["\u{202e}", "\u{200b}", "\u{2800}", "\u{3164}", "\u{feff} \u{ad}"] {
        let edit = update("exhibitors", &seed.exhibitor, 2, json!({"last_name": blank}), json!({}));
        assert_eq!(verdict(&desk, &edit).await, "required", "{blank:?}");
        let (show, change) = crate::seed::show_of(&desk).await;
        let edit =
            update("shows", &show, change["version"].as_i64().expect("a version"), json!({"name": blank}), json!({}));
        assert_eq!(verdict(&desk, &edit).await, "required", "{blank:?}");
    }
}

/// A desk hears of another one's changes by a message; until it does, it looks at the database for each request.
#[tokio::test]
async fn changed_rights_hold_at_every_desk_of_a_database() {
    let (first, second) = crate::desks::two_desks().await;
    let seed = seed(&first).await;
    let joined = first.phone("Gate 1", &["checkin"]).await;
    let phone = Phone::with_token(&second.program.http, joined.token()).await;
    let arrive = |version: i64, at: &str| update("animals", &seed.hog, version, json!({"arrived_at": at}), json!({}));
    phone.apply(&[arrive(1, "2026-08-06T08:00:00Z")]).await;
    let mut events = Events::of(&phone).await;
    events.wait_for("poke", |_| true).await;
    let id = id_of(&first, "Gate 1").await;
    change(&first, &id, &json!({"functions": ["announcer"]})).await.expect_status(200);
    assert_eq!(verdict(&phone, &update("animals", &seed.hog, 2, json!({"pen": "B1"}), json!({}))).await, "forbidden");
    events.wait_for("me", |_| true).await;
    first.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
    phone.pull("").await.expect_problem(403);
    assert_eq!(events.wait_for("bye", |_| true).await["reason"], "removed");
}
