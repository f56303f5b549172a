//! How a phone joins, keeps its token, and is removed.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send};

on_both_engines!(
    a_phone_joins_after_allow_and_both_sides_show_the_same_number,
    a_single_code_serves_one_phone_and_an_open_one_many,
    a_refused_phone_gets_no_token,
    a_new_fetch_of_the_token_kills_the_last_until_first_use,
    a_renewed_token_replaces_the_old_at_its_first_use,
    a_removed_phone_is_told_so_and_keeps_its_queue,
    a_phone_that_joins_again_keeps_its_device,
    a_stranger_learns_who_the_desk_is,
);

async fn claim(desk: &Desk, code: &str) -> crate::phone::Answer {
    let body = json!({"code": code, "device_name": "Scale 1", "platform": "android"});
    send(desk.stranger(Method::POST, "/pairing/claim").json(&body)).await
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
    assert_eq!(hello_status(&desk, &renewed["token"]).await, 200);
    assert_eq!(hello_status(&desk, &old).await, 401);
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
