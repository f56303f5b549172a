//! How a phone joins, keeps its token, and is removed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use reqwest::{Client, Method};
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::live::Events;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, fresh, insert, send, update};
use crate::seed::show_of;

on_both_engines!(
    a_typed_code_joins_in_any_spelling_and_is_the_same_code,
    a_fresh_typed_code_kills_the_one_before,
    five_wrong_typed_codes_kill_it_for_one_address_only,
    thirty_wrong_typed_codes_kill_it_for_all_and_the_desk_makes_another,
    a_thousand_guesses_let_nobody_in_and_keep_nobody_out,
    open_codes_are_listed_and_taken_back,
    a_phone_stays_as_long_as_its_code_says,
    a_phone_is_known_again_at_the_desk_before_it_is_allowed,
    a_phone_joins_after_allow_and_both_sides_show_the_same_number,
    a_single_code_serves_one_phone_and_an_open_one_many,
    a_claim_is_answered_by_either_of_its_ids,
    a_refused_phone_gets_no_token,
    a_new_fetch_of_the_token_kills_the_last_until_first_use,
    a_renewed_token_replaces_the_old_at_its_first_use,
    a_removed_phone_is_told_so_and_keeps_its_queue,
    a_phone_that_joins_again_keeps_its_device,
    a_stranger_learns_who_the_desk_is,
);

async fn claim(desk: &Desk, code: &str) -> Answer {
    let body = json!({"code": code, "device_name": "Scale 1", "platform": "android"});
    send(desk.stranger(Method::POST, "/pairing/claim").json(&body)).await
}

/// The same from another machine.
async fn claim_from(desk: &Desk, machine: u8, code: &str) -> Answer {
    let client = Client::builder().local_address(IpAddr::from([127, 0, 1, machine])).build().expect("a client");
    let body = json!({"code": code, "device_name": "Scale 1", "platform": "android"});
    send(client.post(format!("{}/api/v1/pairing/claim", desk.program.http)).json(&body)).await
}

/// A code with its short form.
async fn opened(desk: &Desk, mode: &str) -> Json {
    let request = json!({"functions": ["scale"], "mode": mode});
    desk.post("/admin/pairings", &request).await.expect_status(201)
}

fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json[key].as_str().unwrap_or_else(|| panic!("{key} in {json}"))
}

/// A short form that nobody made.
fn wrong(typed: &str, number: usize) -> String {
    let digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letter = |place: usize| digits.chars().nth(place % 32).expect("a letter");
    let guess: String =
        [letter(number), letter(number / 32)].iter().chain(&typed.chars().skip(2).collect::<Vec<_>>()).collect();
    if guess == typed { wrong(typed, number + 7) } else { guess }
}

async fn open_codes(desk: &Desk) -> Vec<Json> {
    let list = desk.get("/admin/pairings/open").await.expect_status(200);
    list["items"].as_array().expect("items").clone()
}

async fn a_typed_code_joins_in_any_spelling_and_is_the_same_code(desk: Desk) {
    let spellings: [fn(&str) -> String; 4] = [
        str::to_owned,
        str::to_lowercase,
        |code| format!(" {}-{} ", &code[..4], &code[4..]),
        |code| code.replace('1', "l").replace('0', "o"),
    ];
    for spelled in spellings {
        let code = opened(&desk, "single").await;
        let typed = text(&code, "typed_code");
        assert!(typed.len() == 8 && !typed.contains(['I', 'L', 'O', 'U']), "{typed}");
        claim(&desk, &spelled(typed)).await.expect_status(201);
        claim(&desk, typed).await.expect_problem(410);
        claim(&desk, text(&code, "code")).await.expect_problem(410);
    }
    let open = opened(&desk, "open").await;
    for form in ["typed_code", "code", "typed_code"] {
        claim(&desk, text(&open, form)).await.expect_status(201);
    }
    let left: chrono::DateTime<chrono::Utc> = text(&open, "typed_code_expires_at").parse().expect("a time");
    assert!(left <= chrono::Utc::now() + chrono::TimeDelta::seconds(120), "two minutes");
}

async fn a_fresh_typed_code_kills_the_one_before(desk: Desk) {
    let code = opened(&desk, "open").await;
    let path = format!("/admin/pairings/{}/typed-code", text(&code, "pairing_id"));
    let fresh = desk.post(&path, &json!({})).await.expect_status(200);
    assert_ne!(fresh["typed_code"], code["typed_code"]);
    claim(&desk, text(&code, "typed_code")).await.expect_problem(404);
    claim(&desk, text(&fresh, "typed_code")).await.expect_status(201);
    claim(&desk, text(&code, "code")).await.expect_status(201);
    let single = opened(&desk, "single").await;
    claim(&desk, text(&single, "code")).await.expect_status(201);
    let used = format!("/admin/pairings/{}/typed-code", text(&single, "pairing_id"));
    desk.post(&used, &json!({})).await.expect_problem(410);
    let unknown = format!("/admin/pairings/{}/typed-code", uuid::Uuid::new_v4());
    desk.post(&unknown, &json!({})).await.expect_problem(404);
}

async fn five_wrong_typed_codes_kill_it_for_one_address_only(desk: Desk) {
    let code = opened(&desk, "open").await;
    let typed = text(&code, "typed_code");
    for number in 0..5 {
        claim_from(&desk, 1, &wrong(typed, number)).await.expect_problem(404);
    }
    for guess in [wrong(typed, 6), typed.to_owned()] {
        let refused = claim_from(&desk, 1, &guess).await.expect_problem(429);
        assert_eq!((text(&refused, "code"), text(&refused, "retry")), ("too_many_failures", "later"));
    }
    claim_from(&desk, 2, typed).await.expect_status(201);
    claim_from(&desk, 1, text(&code, "code")).await.expect_status(201);
    let phone = desk.phone("Scale 2", &["scale"]).await;
    let client = Client::builder().local_address(IpAddr::from([127, 0, 1, 1])).build().expect("a client");
    let hello = client.get(format!("{}/api/v1/sync/hello", desk.program.http)).bearer_auth(phone.token());
    send(hello).await.expect_status(200);
    let path = format!("/admin/pairings/{}/typed-code", text(&code, "pairing_id"));
    let fresh = desk.post(&path, &json!({})).await.expect_status(200);
    claim_from(&desk, 1, text(&fresh, "typed_code")).await.expect_status(201);
}

async fn thirty_wrong_typed_codes_kill_it_for_all_and_the_desk_makes_another(desk: Desk) {
    let code = opened(&desk, "open").await;
    let typed = text(&code, "typed_code");
    let mut at_desk = Events::of(&desk).await;
    at_desk.wait_for("poke", |_| true).await;
    assert_eq!(open_codes(&desk).await[0]["typed_code_dead"], false);
    for number in 0..30 {
        let machine = 10 + u8::try_from(number / 4).expect("a small number");
        claim_from(&desk, machine, &wrong(typed, number)).await.expect_problem(404);
    }
    at_desk.wait_for("pairings", |_| true).await;
    assert_eq!(open_codes(&desk).await[0]["typed_code_dead"], true);
    claim_from(&desk, 99, typed).await.expect_problem(410);
    claim_from(&desk, 99, text(&code, "code")).await.expect_status(201);
    let path = format!("/admin/pairings/{}/typed-code", text(&code, "pairing_id"));
    let fresh = desk.post(&path, &json!({})).await.expect_status(200);
    assert_eq!(open_codes(&desk).await[0]["typed_code_dead"], false);
    claim_from(&desk, 99, text(&fresh, "typed_code")).await.expect_status(201);
}

/// Promise: guessing fails. Meanwhile whoever has a code, or a pass, is served, also from the guesser's own address.
async fn a_thousand_guesses_let_nobody_in_and_keep_nobody_out(mut desk: Desk) {
    desk.program.terminate().await;
    desk.program.is_limited = true;
    desk.start_again().await;
    let phone = desk.phone("Gate 1", &["gate"]).await;
    let code = opened(&desk, "open").await;
    let typed = text(&code, "typed_code");
    let client = Client::new();
    let mut answers = BTreeMap::new();
    for number in 0..1_000 {
        let guess = match number % 3 {
            0 => wrong(typed, number),
            1 => format!("{}{number:05}", &text(&code, "code")[..17]),
            _ => format!("guess {number}"),
        };
        let path =
            if number % 5 == 4 { format!("/pairing/{}", uuid::Uuid::new_v4()) } else { "/pairing/claim".to_owned() };
        let url = format!("{}/api/v1{path}", desk.program.http);
        let request = match number % 5 {
            4 => client.get(url),
            _ => client.post(url).json(&json!({"code": guess, "device_name": "x"})),
        };
        let answer = send(request).await;
        assert!(answer.body["token"].is_null());
        *answers.entry(answer.status.as_u16()).or_insert(0) += 1;
        let expected = if answer.status == 404 { 404 } else { 429 };
        answer.expect_problem(expected);
    }
    assert!(answers[&429] > 950, "{answers:?}");
    assert!(desk.waiting().await.is_empty());
    send(phone.request(Method::GET, "/sync/hello")).await.expect_status(200);
    claim(&desk, typed).await.expect_problem(429);
    claim(&desk, text(&code, "code")).await.expect_status(201);
    claim_from(&desk, 7, &wrong(typed, 3)).await.expect_problem(404);
    claim_from(&desk, 7, typed).await.expect_status(201);
}

async fn open_codes_are_listed_and_taken_back(desk: Desk) {
    let (single, open) = (opened(&desk, "single").await, opened(&desk, "open").await);
    let listed = open_codes(&desk).await;
    let ids: Vec<&Json> = listed.iter().map(|item| &item["pairing_id"]).collect();
    assert_eq!(ids, [&open["pairing_id"], &single["pairing_id"]], "newest first");
    assert!(
        !listed[0].to_string().contains(text(&open, "code"))
            && !listed[0].to_string().contains(text(&open, "typed_code"))
    );
    claim(&desk, text(&open, "code")).await.expect_status(201);
    answer_waiting(&desk, "approve").await;
    assert_eq!(open_codes(&desk).await[0]["joined"], 1);
    let close = |code: &Json| format!("/admin/pairings/{}/close", text(code, "pairing_id"));
    for _ in 0..2 {
        desk.post(&close(&open), &json!({})).await.expect_status(200);
    }
    claim(&desk, text(&open, "code")).await.expect_problem(410);
    claim(&desk, text(&open, "typed_code")).await.expect_problem(410);
    assert_eq!(open_codes(&desk).await.len(), 1);
    desk.post(&format!("/admin/pairings/{}/close", uuid::Uuid::new_v4()), &json!({})).await.expect_problem(404);
    desk.get("/admin/pairings?status=open").await.expect_problem(400);
}

async fn a_phone_stays_as_long_as_its_code_says(desk: Desk) {
    let joined = async |request: Json| {
        let code = desk.post("/admin/pairings", &request).await.expect_status(201);
        let claimed = claim(&desk, text(&code, "code")).await.expect_status(201);
        answer_waiting(&desk, "approve").await;
        status(&desk, &claimed).await
    };
    let never = joined(json!({"functions": ["scale"]})).await;
    assert_eq!(never["expires_at"], Json::Null, "nobody knows when the show ends");
    assert_eq!(never["permissions"], json!(["weigh", "void_own_weight"]));
    let (show, change) = show_of(&desk).await;
    let dates = json!({"starts_on": "2031-08-07", "ends_on": "2031-08-09", "timezone": "America/Chicago"});
    desk.apply(&[update("shows", &show, change["version"].as_i64().expect("a version"), dates, json!({}))]).await;
    let default = joined(json!({"functions": ["scale"]})).await;
    assert_eq!(default["expires_at"], "2031-08-12T05:00:00.000Z", "the end of the second day after the show");
    let chosen = joined(json!({"functions": ["scale"], "device_expires_at": "2031-01-01T00:00:00Z"})).await;
    assert_eq!(chosen["expires_at"], "2031-01-01T00:00:00.000Z");
    let for_ever = joined(json!({"functions": ["scale"], "device_expires_at": null})).await;
    assert_eq!(for_ever["expires_at"], Json::Null);
    let past = json!({"functions": ["scale"], "device_expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(desk.post("/admin/pairings", &past).await.expect_problem(422)["code"], "out_of_range");
}

async fn a_phone_is_known_again_at_the_desk_before_it_is_allowed(desk: Desk) {
    let phone = desk.phone("Gate 1", &["gate"]).await;
    let code = opened(&desk, "single").await;
    let body = json!({"code": code["code"], "device_name": "Gate one", "previous_token": phone.token()});
    send(desk.stranger(Method::POST, "/pairing/claim").json(&body)).await.expect_status(201);
    let waiting = desk.waiting().await;
    assert_eq!((&waiting[0]["code_id"], &waiting[0]["known_device"]["name"]), (&code["pairing_id"], &json!("Gate 1")));
    assert_eq!(waiting[0]["scope"]["ring_ids"], json!([]));
    let path = format!("/admin/pairings/{}/approve", text(&waiting[0], "pairing_id"));
    assert_eq!(desk.post(&path, &json!({"functions": []})).await.expect_problem(422)["code"], "required");
    let allow = json!({"functions": ["clerk"], "expires_at": "2031-01-01T00:00:00Z"});
    desk.post(&path, &allow).await.expect_status(200);
    let device = crate::people::listed(&desk, "Gate one").await;
    assert_eq!((&device["functions"], &device["expires_at"]), (&json!(["clerk"]), &json!("2031-01-01T00:00:00.000Z")));
}

async fn status(desk: &Desk, claimed: &Json) -> Json {
    let path = format!("/pairing/{}", claimed["pairing_id"].as_str().expect("an id"));
    send(desk.stranger(Method::GET, &path)).await.expect_status(200)
}

/// Answers the one phone that waits.
async fn answer_waiting(desk: &Desk, verb: &str) {
    let waiting = desk.waiting().await;
    assert_eq!(waiting.len(), 1);
    let path = format!("/admin/pairings/{}/{verb}", waiting[0]["pairing_id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
}

async fn hello_status(desk: &Desk, token: &Json) -> u16 {
    let request = desk.stranger(Method::GET, "/sync/hello").bearer_auth(token.as_str().expect("a token"));
    send(request).await.status.as_u16()
}

async fn a_phone_joins_after_allow_and_both_sides_show_the_same_number(desk: Desk) {
    let code = desk.pairing_code(&["scale"], "single").await;
    let claimed = claim(&desk, &code).await.expect_status(201);
    let number = claimed["check_number"].as_str().expect("a number");
    assert!(number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit()), "four digits: {number}");
    assert_eq!(status(&desk, &claimed).await["status"], "waiting");
    let waiting = desk.waiting().await;
    assert_eq!(waiting[0]["check_number"], number);
    assert_eq!(waiting[0]["device_name"], "Scale 1");
    answer_waiting(&desk, "approve").await;
    let approved = status(&desk, &claimed).await;
    assert_eq!(approved["status"], "approved");
    assert_eq!(approved["functions"], json!(["scale"]));
    assert!(approved["device_id"].is_string() && approved["user"].is_object());
    assert_eq!(hello_status(&desk, &approved["token"]).await, 200);
    assert!(desk.waiting().await.is_empty());
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let devices = devices["items"].as_array().expect("items");
    assert!(devices.iter().any(|device| device["id"] == approved["device_id"] && device["name"] == "Scale 1"));
}

async fn a_single_code_serves_one_phone_and_an_open_one_many(desk: Desk) {
    let single = desk.pairing_code(&["gate"], "single").await;
    claim(&desk, &single).await.expect_status(201);
    claim(&desk, &single).await.expect_problem(410);
    let open = desk.pairing_code(&["gate"], "open").await;
    claim(&desk, &open).await.expect_status(201);
    claim(&desk, &open).await.expect_status(201);
    claim(&desk, "AAAAAAAAAAAAAAAAAAAAAA").await.expect_problem(404);
}

async fn a_claim_is_answered_by_either_of_its_ids(desk: Desk) {
    let code = desk.pairing_code(&["scale"], "open").await;
    let claimed = claim(&desk, &code).await.expect_status(201);
    let at_the_desk = &desk.waiting().await[0]["pairing_id"];
    assert_ne!(*at_the_desk, claimed["pairing_id"], "the phone's own is a secret");
    let answer = |verb: &str, id: &Json| format!("/admin/pairings/{}/{verb}", id.as_str().expect("an id"));
    desk.post(&answer("approve", &claimed["pairing_id"]), &json!({})).await.expect_status(200);
    assert_eq!(status(&desk, &claimed).await["status"], "approved");
    let second = claim(&desk, &code).await.expect_status(201);
    desk.post(&answer("refuse", &second["pairing_id"]), &json!({})).await.expect_status(200);
    assert_eq!(status(&desk, &second).await["status"], "refused");
    desk.post(&answer("approve", &json!(fresh())), &json!({})).await.expect_problem(404);
}

async fn a_refused_phone_gets_no_token(desk: Desk) {
    let code = desk.pairing_code(&["gate"], "single").await;
    let claimed = claim(&desk, &code).await.expect_status(201);
    answer_waiting(&desk, "refuse").await;
    let refused = status(&desk, &claimed).await;
    assert_eq!(refused["status"], "refused");
    assert!(refused["token"].is_null());
    let unknown = send(desk.stranger(Method::GET, &format!("/pairing/{}", uuid::Uuid::new_v4()))).await;
    unknown.expect_problem(404);
}

async fn a_new_fetch_of_the_token_kills_the_last_until_first_use(desk: Desk) {
    let code = desk.pairing_code(&["gate"], "single").await;
    let claimed = claim(&desk, &code).await.expect_status(201);
    answer_waiting(&desk, "approve").await;
    let first = status(&desk, &claimed).await["token"].clone();
    let second = status(&desk, &claimed).await["token"].clone();
    assert_ne!(first, second);
    assert_eq!(hello_status(&desk, &first).await, 401);
    assert_eq!(hello_status(&desk, &second).await, 200);
    let after =
        send(desk.stranger(Method::GET, &format!("/pairing/{}", claimed["pairing_id"].as_str().expect("an id")))).await;
    assert!(after.body["token"].is_null(), "used once, a token is not handed out again");
    assert_eq!(hello_status(&desk, &second).await, 200);
}

async fn a_renewed_token_replaces_the_old_at_its_first_use(desk: Desk) {
    let phone = desk.phone("Gate 1", &["gate"]).await;
    let renewed = send(phone.request(Method::POST, "/me/token")).await.expect_status(200);
    assert!(renewed["expires_at"].is_string());
    let old = json!(phone.token());
    assert_eq!(hello_status(&desk, &old).await, 200, "the answer may have been lost on its way");
    let mut events = Events::of(&phone).await;
    events.wait_for("poke", |_| true).await;
    assert_eq!(hello_status(&desk, &renewed["token"]).await, 200);
    assert_eq!(hello_status(&desk, &old).await, 401);
    assert_eq!(events.wait_for("bye", |_| true).await["reason"], "rights", "its stream ends with it");
}

async fn a_removed_phone_is_told_so_and_keeps_its_queue(desk: Desk) {
    let phone = desk.phone("Gate 1", &["gate"]).await;
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let devices = devices["items"].as_array().expect("items");
    let device = devices.iter().find(|device| device["name"] == "Gate 1").expect("it is listed");
    let path = format!("/admin/devices/{}/revoke", device["id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
    let envelope = phone.envelope(&[insert("rings", &fresh(), json!({"name": "Ring 9"}))]);
    phone.push_envelope(&envelope).await.expect_problem(403);
    phone.pull("").await.expect_problem(403);
}

async fn a_phone_that_joins_again_keeps_its_device(desk: Desk) {
    let phone = desk.phone("Gate 1", &["gate"]).await;
    let code = desk.pairing_code(&["clerk"], "single").await;
    let body = json!({"code": code, "device_name": "Gate 1", "platform": "web", "previous_token": phone.token()});
    let claimed = send(desk.stranger(Method::POST, "/pairing/claim").json(&body)).await.expect_status(201);
    answer_waiting(&desk, "approve").await;
    let approved = status(&desk, &claimed).await;
    let again = Phone::with_token(&desk.program.http, approved["token"].as_str().expect("a token")).await;
    drop(again);
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let phones = devices["items"].as_array().expect("items").iter().filter(|device| device["kind"] == "phone").count();
    assert_eq!(phones, 1);
    assert_eq!(approved["functions"], json!(["clerk"]));
}

async fn a_stranger_learns_who_the_desk_is(desk: Desk) {
    let ping = send(desk.stranger(Method::GET, "/ping")).await.expect_status(200);
    for key in ["installation_id", "name", "version", "epoch", "server_time"] {
        assert!(ping[key].is_string(), "{key}: {ping}");
    }
    assert!(ping["addresses"].is_array());
    assert_eq!(ping["name"], "New show");
    let server_time = ping["server_time"].as_str().expect("a time");
    assert!(server_time.len() == 24 && server_time.ends_with('Z'), "milliseconds and Z: {server_time}");
}
