//! Several desks on one Postgres: each a folder and a program of its own, all of them one show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use showdesk_testkit::{OwnServer, fresh_database_url};
use tokio::time::{Instant, sleep};

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::feed::{Reader, Writing};
use crate::live::Events;
use crate::phone::{Answer, Phone, fresh, insert, send, update};
use crate::program::Program;
use crate::seed::seed;

/// How long anything may take on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

async fn desk_on(url: &str) -> Desk {
    Desk::of(Program::start_on(Some(url.to_owned())).await).await
}

pub(crate) async fn two_desks() -> (Desk, Desk) {
    let url = fresh_database_url().await;
    let first = desk_on(&url).await;
    (first, desk_on(&url).await)
}

/// The same phone, speaking to another desk.
async fn at(phone: &Phone, desk: &Desk) -> Phone {
    Phone::with_token(&desk.program.http, phone.token()).await
}

async fn ping(desk: &Desk) -> Json {
    send(desk.stranger(Method::GET, "/ping")).await.expect_status(200)
}

/// Asks again and again until it is so.
async fn until<Asking: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> Asking) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < DEADLINE, "{what}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn each_desk_has_its_own_device_and_token_and_both_are_one_show() {
    let (first, second) = two_desks().await;
    assert_ne!(first.token(), second.token());
    let (one, other) = (ping(&first).await, ping(&second).await);
    assert_eq!((&one["installation_id"], &one["epoch"]), (&other["installation_id"], &other["epoch"]));
    let devices = first.get("/admin/devices").await.expect_status(200);
    let devices = devices["items"].as_array().expect("items");
    let desks: BTreeSet<&str> =
        devices.iter().filter(|device| device["kind"] == "desk").filter_map(|device| device["id"].as_str()).collect();
    assert_eq!(desks.len(), 2, "{devices:?}");
    for (desk, admin) in [(&first, &second), (&second, &first)] {
        let request = reqwest::Client::new().get(format!("{}/api/v1/admin/overview", admin.program.admin));
        send(request.bearer_auth(desk.token())).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_restarted_desk_is_the_same_desk() {
    let (mut first, mut second) = two_desks().await;
    for desk in [&mut first, &mut second] {
        desk.program.terminate().await;
        desk.start_again().await;
        desk.get("/admin/overview").await.expect_status(200);
    }
    let devices = first.get("/admin/devices").await.expect_status(200);
    let desks = devices["items"].as_array().expect("items").iter().filter(|device| device["kind"] == "desk").count();
    assert_eq!(desks, 2);
}

#[tokio::test]
async fn two_desks_may_begin_with_the_same_empty_database_at_once() {
    let url = fresh_database_url().await;
    let (first, second) = tokio::join!(desk_on(&url), desk_on(&url));
    assert_eq!(ping(&first).await["installation_id"], ping(&second).await["installation_id"]);
    let shows = |rows: BTreeMap<(String, String), Json>| rows.keys().filter(|(table, _)| table == "shows").count();
    assert_eq!((shows(first.pull_all().await), shows(second.pull_all().await)), (1, 1));
}

#[tokio::test]
async fn a_phone_pushes_to_one_desk_and_pulls_from_the_other() {
    let (first, second) = two_desks().await;
    let seed = seed(&first).await;
    let phone = first.phone("Scale 1", &["checkin"]).await;
    let elsewhere = at(&phone, &second).await;
    let mut rows = BTreeMap::new();
    let cursor = elsewhere.pull_after(None, 500, &mut rows).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen": "D4"}), json!({"pen": "C1"}));
    let applied = phone.apply(std::slice::from_ref(&edit)).await.remove(0);
    rows.clear();
    let cursor = elsewhere.pull_after(Some(cursor), 500, &mut rows).await;
    assert_eq!(rows[&("animals".to_owned(), seed.steer.clone())]["data"]["pen"], "D4");
    rows.clear();
    phone.pull_after(Some(cursor), 500, &mut rows).await;
    assert!(rows.is_empty(), "the cursor goes on at the first desk");
    let again = elsewhere.push_one(&edit).await;
    assert_eq!((&again["verdict"], &again["replayed"]), (&json!("applied"), &json!(true)));
    assert_eq!(again["seq"], applied["seq"]);
    assert_eq!(elsewhere.status_of(&edit["op_id"]).await["verdict"], "applied");
}

#[tokio::test]
async fn a_push_at_one_desk_pokes_the_streams_of_the_other() {
    let (first, second) = two_desks().await;
    let phone = at(&first.phone("Scale 1", &["checkin"]).await, &second).await;
    let mut events = Events::of(&phone).await;
    let before = events.wait_for("poke", |_| true).await["clock"].as_i64().expect("a number");
    let applied = first.apply(&[insert("rings", &fresh(), json!({"name": "Ring 7"}))]).await.remove(0);
    assert!(applied["seq"].as_i64() > Some(before));
    let poke = events.wait_for("poke", |data| data["clock"] == applied["seq"]).await;
    assert_eq!(poke.as_object().map(serde_json::Map::len), Some(1), "a poke carries no data");
}

/// Only a message tells of a single clash; looking at the clock does not.
#[tokio::test]
async fn a_clash_at_one_desk_is_told_at_the_other() {
    let (first, second) = two_desks().await;
    let seed = seed(&first).await;
    let mut events = Events::of(&second).await;
    events.wait_for("poke", |_| true).await;
    let (_, _, _, result) = clash(&first, &seed).await;
    let told = events.wait_for("conflict", |data| data["id"] == result["conflict_id"]).await;
    assert_eq!(told["status"], "open");
}

#[tokio::test]
async fn a_phone_may_join_at_any_desk_and_a_removed_one_is_out_at_all() {
    let (first, second) = two_desks().await;
    let mut at_second = Events::of(&second).await;
    at_second.wait_for("poke", |_| true).await;
    let code = first.pairing_code(&["scale"], "single").await;
    let claim = json!({"code": code, "device_name": "Scale 1", "platform": "web"});
    let claimed = send(second.stranger(Method::POST, "/pairing/claim").json(&claim)).await.expect_status(201);
    let waiting = first.waiting().await;
    assert_eq!(waiting[0]["check_number"], claimed["check_number"]);
    let allow = format!("/admin/pairings/{}/approve", waiting[0]["pairing_id"].as_str().expect("an id"));
    first.post(&allow, &json!({})).await.expect_status(200);
    at_second.wait_for("pairings", |_| true).await;
    let path = format!("/pairing/{}", claimed["pairing_id"].as_str().expect("an id"));
    let joined = send(second.stranger(Method::GET, &path)).await.expect_status(200);
    let token = joined["token"].as_str().expect("a token");
    for desk in [&first, &second] {
        Phone::with_token(&desk.program.http, token).await;
    }
    let phone = Phone::with_token(&second.program.http, token).await;
    let mut events = Events::of(&phone).await;
    events.wait_for("poke", |_| true).await;
    let revoke = format!("/admin/devices/{}/revoke", joined["device_id"].as_str().expect("an id"));
    first.post(&revoke, &json!({})).await.expect_status(200);
    assert_eq!(events.wait_for("bye", |_| true).await["reason"], "removed");
    phone.pull("").await.expect_problem(403);
}

#[tokio::test]
async fn ping_names_every_live_desk_and_forgets_one_that_stops() {
    let (first, mut second) = two_desks().await;
    let (here, there) = (json!(first.program.http), json!(second.program.http));
    until("the first desk names both", async || {
        let addresses = ping(&first).await["addresses"].clone();
        addresses[0] == here && addresses.as_array().is_some_and(|all| all.contains(&there))
    })
    .await;
    second.program.terminate().await;
    until("the second one has said goodbye", async || ping(&first).await["addresses"] == json!([here])).await;
}

#[tokio::test]
async fn writers_of_two_desks_take_turns_and_no_reader_loses_a_row() {
    let (first, second) = two_desks().await;
    let reader = Reader::start(&second).await;
    let mut writing = Writing::default();
    for number in 0..12 {
        writing.start(if number % 2 == 0 { &first } else { &second }, number);
    }
    let written = writing.finish().await;
    let seen = reader.finish(&written).await;
    assert!(seen.is_superset(&written), "lost: {:?}", written.difference(&seen).collect::<Vec<_>>());
    let numbers: BTreeSet<i64> =
        first.pull_all().await.values().map(|change| change["seq"].as_i64().expect("a number")).collect();
    assert_eq!(numbers.len(), first.pull_all().await.len(), "no two feed rows share one");
}

/// A server that crashes under pushes: 503 meanwhile, and afterwards each batch is there once and whole.
#[tokio::test]
async fn a_server_that_crashes_and_comes_back_loses_and_halves_nothing() {
    const BATCH: usize = 5;
    let server = tokio::task::spawn_blocking(OwnServer::start_new).await.expect("it starts");
    let desk = desk_on(&server.url()).await;
    let (stop, unavailable) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let pushing = tokio::spawn(push_batches(
        desk.program.admin.clone(),
        (desk.token().to_owned(), desk.envelope(&[])),
        BATCH,
        (Arc::clone(&stop), Arc::clone(&unavailable)),
    ));
    for _ in 0..3 {
        let before = desk.pull_all().await.len();
        until("pushes go on", async || desk.pull("").await.body["clock"].as_i64() > i64::try_from(before + 20).ok())
            .await;
        unavailable.store(false, Ordering::SeqCst);
        let crashed = server.clone();
        tokio::task::spawn_blocking(move || crashed.crash()).await.expect("it crashes");
        until("pushes are answered 503", async || unavailable.load(Ordering::SeqCst)).await;
        let started = server.clone();
        tokio::task::spawn_blocking(move || started.start()).await.expect("it starts");
        until("the desk finds it again", async || desk.pull("").await.status == 200).await;
    }
    stop.store(true, Ordering::SeqCst);
    let batches = pushing.await.expect("the pushing ends");
    let rows = desk.pull_all().await;
    let rings = rows.keys().filter(|(table, _)| table == "rings").count();
    assert_eq!(rings, batches.len() * BATCH, "every batch is there once");
    for op in batches.iter().flatten() {
        let id = op["record_id"].as_str().expect("an id");
        let change = rows.get(&("rings".to_owned(), id.to_owned())).unwrap_or_else(|| panic!("{op} is lost"));
        assert_eq!(change["version"], 1, "{op} was applied twice");
    }
}

/// Pushes batch after batch, each until it is acknowledged; looks that one without an answer is whole or not there.
async fn push_batches(
    base: String,
    (token, envelope): (String, Json),
    size: usize,
    (stop, unavailable): (Arc<AtomicBool>, Arc<AtomicBool>),
) -> Vec<Vec<Json>> {
    let client = reqwest::Client::new();
    let post = async |path: &str, body: &Json| -> Answer {
        send(client.post(format!("{base}/api/v1/sync/{path}")).bearer_auth(&token).json(body)).await
    };
    let mut batches = Vec::new();
    let mut seq = 10_000;
    while !stop.load(Ordering::SeqCst) {
        let batch: Vec<Json> = (0..size)
            .map(|_| {
                seq += 1;
                let ring = insert("rings", &fresh(), json!({"name": format!("Ring {seq}")}));
                crate::phone::with(ring, "device_seq", json!(seq))
            })
            .collect();
        let mut envelope = envelope.clone();
        envelope["ops"] = json!(batch);
        let start = Instant::now();
        loop {
            let answer = post("push", &envelope).await;
            if answer.status == 200 {
                for result in answer.body["results"].as_array().expect("results") {
                    assert_eq!(result["verdict"], "applied", "{result}");
                }
                break;
            }
            answer.expect_problem(503);
            unavailable.store(true, Ordering::SeqCst);
            assert!(start.elapsed() < DEADLINE, "it never comes back");
            let ids: Vec<&Json> = batch.iter().map(|op| &op["op_id"]).collect();
            let known = post("ops/status", &json!({"op_ids": ids})).await;
            if known.status == 200 {
                let results = known.body["results"].as_array().expect("results");
                let kept = results.iter().filter(|result| result["verdict"] != "unknown").count();
                assert!(kept == 0 || kept == size, "half a batch: {results:?}");
            }
            sleep(Duration::from_millis(50)).await;
        }
        batches.push(batch);
    }
    batches
}
