//! Phones that ask to join, and ask again: how many wait, what a refusal and a second pass leave standing, and whose
//! rights they get.

use std::net::IpAddr;

use reqwest::{Client, Method};
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::people::{id_of, listed};
use crate::phone::{Answer, Phone, send};

on_both_engines!(
    who_has_photographed_a_code_keeps_nobody_else_out,
    a_refused_phone_leaves_its_single_code_to_the_next,
    a_typed_code_is_not_dead_because_another_one_is,
    looking_whose_a_pass_is_does_not_use_it,
    a_phone_that_joins_again_is_still_the_same_person,
    two_who_allow_one_phone_at_once_both_have_done_it,
);

/// A claim from another machine.
async fn claim_from(desk: &Desk, machine: u8, code: &Json) -> Answer {
    let client = Client::builder().local_address(IpAddr::from([127, 0, 2, machine])).build().expect("a client");
    let body = json!({"code": code, "device_name": "Scale 1", "platform": "android"});
    send(client.post(format!("{}/api/v1/pairing/claim", desk.program.http)).json(&body)).await
}

async fn opened(desk: &Desk, mode: &str) -> Json {
    desk.post("/admin/pairings", &json!({"functions": ["scale"], "mode": mode})).await.expect_status(201)
}

async fn status(desk: &Desk, claimed: &Json) -> Json {
    let path = format!("/pairing/{}", claimed["pairing_id"].as_str().expect("an id"));
    send(desk.stranger(Method::GET, &path)).await.expect_status(200)["status"].clone()
}

fn path_of(verb: &str, id: &Json) -> String {
    format!("/admin/pairings/{}/{verb}", id.as_str().expect("an id"))
}

async fn who_has_photographed_a_code_keeps_nobody_else_out(desk: Desk) {
    let (poster, other) = (opened(&desk, "open").await, opened(&desk, "open").await);
    let mut first = Json::Null;
    for number in 0..30 {
        let claimed = claim_from(&desk, 1, &poster["code"]).await.expect_status(201);
        if number == 0 {
            first = claimed;
        }
    }
    let refused = claim_from(&desk, 1, &poster["code"]).await.expect_problem(429);
    assert_eq!(refused["retry"], "later");
    for number in 0..70 {
        claim_from(&desk, 2 + number / 30, &poster["code"]).await.expect_status(201);
    }
    claim_from(&desk, 9, &poster["code"]).await.expect_problem(429);
    claim_from(&desk, 9, &poster["typed_code"]).await.expect_problem(429);
    let honest = claim_from(&desk, 9, &other["code"]).await.expect_status(201);
    desk.post(&path_of("close", &poster["pairing_id"]), &json!({})).await.expect_status(200);
    let waiting = desk.waiting().await;
    assert_eq!(waiting.len(), 1, "who waits with a code that was taken back waits in vain");
    assert_eq!(waiting[0]["check_number"], honest["check_number"]);
    assert_eq!((status(&desk, &first).await, status(&desk, &honest).await), (json!("refused"), json!("waiting")));
    claim_from(&desk, 1, &other["code"]).await.expect_status(201);
}

async fn a_refused_phone_leaves_its_single_code_to_the_next(desk: Desk) {
    let single = opened(&desk, "single").await;
    let wrong = claim_from(&desk, 1, &single["code"]).await.expect_status(201);
    claim_from(&desk, 2, &single["code"]).await.expect_problem(410);
    let refuse = path_of("refuse", &desk.waiting().await[0]["pairing_id"]);
    desk.post(&refuse, &json!({})).await.expect_status(200);
    assert_eq!(status(&desk, &wrong).await, "refused");
    let open = desk.get("/admin/pairings/open").await.expect_status(200);
    assert_eq!(open["items"][0]["pairing_id"], single["pairing_id"], "it is shown again");
    let right = claim_from(&desk, 2, &single["code"]).await.expect_status(201);
    desk.post(&refuse, &json!({})).await.expect_status(200);
    assert_eq!(status(&desk, &right).await, "waiting", "the first refusal is not this one's");
    desk.post(&path_of("approve", &desk.waiting().await[0]["pairing_id"]), &json!({})).await.expect_status(200);
    claim_from(&desk, 3, &single["code"]).await.expect_problem(410);
}

async fn a_typed_code_is_not_dead_because_another_one_is(desk: Desk) {
    let first = opened(&desk, "open").await;
    let guess = |number: usize| json!(format!("{number:0>8}"));
    for number in 0..5 {
        claim_from(&desk, 1, &guess(number)).await.expect_problem(404);
    }
    claim_from(&desk, 1, &first["typed_code"]).await.expect_problem(429);
    let fresh = opened(&desk, "single").await;
    claim_from(&desk, 1, &fresh["typed_code"]).await.expect_status(201);
    let next = opened(&desk, "single").await;
    for number in 5..10 {
        claim_from(&desk, 1, &guess(number)).await.expect_problem(429);
    }
    claim_from(&desk, 1, &next["typed_code"]).await.expect_problem(429);
    claim_from(&desk, 2, &next["typed_code"]).await.expect_status(201);
    let open = desk.get("/admin/pairings/open").await.expect_status(200);
    assert_eq!(open["items"][0]["typed_code_dead"], false, "one machine kills no code for the others");
}

async fn looking_whose_a_pass_is_does_not_use_it(desk: Desk) {
    let phone = desk.phone("Gate 1", &["gate"]).await;
    let carried = send(phone.request(Method::POST, "/me/token")).await.expect_status(200)["token"].clone();
    let with = |method: Method, path: &str, token: &Json| {
        send(desk.stranger(method, path).bearer_auth(token.as_str().expect("a pass")))
    };
    let old = json!(phone.token());
    for _ in 0..2 {
        let me = with(Method::GET, "/me", &carried).await.expect_status(200);
        assert_eq!(me["person"]["name"], "Gate 1");
        with(Method::GET, "/sync/hello", &old).await.expect_status(200);
    }
    with(Method::GET, "/sync/pull", &carried).await.expect_status(200);
    assert_eq!(with(Method::GET, "/me", &old).await.expect_problem(401)["code"], "unknown_token");
    let renewed = with(Method::POST, "/me/token", &carried).await.expect_status(200)["token"].clone();
    let again = with(Method::POST, "/me/token", &renewed).await.expect_status(200)["token"].clone();
    with(Method::GET, "/me", &carried).await.expect_problem(401);
    with(Method::GET, "/me", &renewed).await.expect_status(200);
    with(Method::GET, "/me", &again).await.expect_status(200);
}

/// Joins again by a code for clerks, with the old pass. Answers the new one.
async fn joins_again(desk: &Desk, phone: &Phone, name: &str, allow: &Json) -> Phone {
    let code = desk.pairing_code(&["clerk"], "single").await;
    let body = json!({"code": code, "device_name": name, "platform": "web", "previous_token": phone.token()});
    let claimed = send(desk.stranger(Method::POST, "/pairing/claim").json(&body)).await.expect_status(201);
    desk.post(&path_of("approve", &desk.waiting().await[0]["pairing_id"]), allow).await.expect_status(200);
    let path = format!("/pairing/{}", claimed["pairing_id"].as_str().expect("an id"));
    let joined = send(desk.stranger(Method::GET, &path)).await.expect_status(200);
    Phone::with_token(&desk.program.http, joined["token"].as_str().expect("a pass")).await
}

async fn a_phone_that_joins_again_is_still_the_same_person(desk: Desk) {
    desk.phone("Maria's phone", &["superintendent"]).await;
    let mut tablet = desk.phone("Tablet", &["gate"]).await;
    tablet = joins_again(&desk, &tablet, "Gate tablet", &json!({})).await;
    let alone = listed(&desk, "Gate tablet").await;
    assert_eq!((&alone["user"]["name"], &alone["functions"]), (&json!("Tablet"), &json!(["clerk"])));
    let (into, id) = (id_of(&desk, "Maria's phone").await, id_of(&desk, "Gate tablet").await);
    desk.post(&format!("/admin/devices/{id}/merge"), &json!({"into": into})).await.expect_status(200);
    tablet = joins_again(&desk, &tablet, "Maria 2", &json!({})).await;
    let again = listed(&desk, "Maria 2").await;
    assert_eq!(again["id"], json!(id));
    assert_eq!((&again["user"]["name"], &again["functions"]), (&json!("Maria's phone"), &json!(["superintendent"])));
    assert_eq!(listed(&desk, "Maria's phone").await["functions"], json!(["superintendent"]));
    let audit = desk.get("/admin/audit?action=device_allowed").await.expect_status(200);
    let newest = &audit["items"][0];
    assert_eq!((&newest["before"]["name"], &newest["after"]["name"]), (&json!("Gate tablet"), &json!("Maria 2")));
    let said = json!({"name": "Maria Santos", "functions": ["vet"]});
    joins_again(&desk, &tablet, "Maria 3", &said).await;
    let listed = listed(&desk, "Maria's phone").await;
    assert_eq!((&listed["user"]["name"], &listed["functions"]), (&json!("Maria Santos"), &json!(["vet"])));
    let audit = desk.get("/admin/audit?action=device_allowed").await.expect_status(200);
    let newest = &audit["items"][0];
    assert_eq!(newest["before"]["functions"], json!(["superintendent"]));
    assert_eq!(newest["before"]["person_name"], "Maria's phone");
}

async fn two_who_allow_one_phone_at_once_both_have_done_it(desk: Desk) {
    for machine in 1..6 {
        let code = opened(&desk, "single").await;
        claim_from(&desk, machine, &code["code"]).await.expect_status(201);
        let approve = path_of("approve", &desk.waiting().await[0]["pairing_id"]);
        let nothing = json!({});
        let (one, other) = tokio::join!(desk.post(&approve, &nothing), desk.post(&approve, &nothing));
        one.expect_status(200);
        other.expect_status(200);
    }
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let phones = devices["items"].as_array().expect("items").iter().filter(|device| device["kind"] == "phone").count();
    assert_eq!(phones, 5, "each phone once");
}
