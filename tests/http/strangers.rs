//! Whoever has no pass stops nobody who has one, and a pass that is over by the time its request is whole is over.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::{Client, Method};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::people::{change, id_of};
use crate::phone::{Phone, fresh, insert, send};

on_both_engines!(
    a_flood_of_strangers_stops_neither_phones_nor_the_desk_nor_who_joins,
    a_request_whose_body_comes_late_has_the_rights_of_that_moment,
);

/// More than the desk works on at once.
const STRANGERS: usize = 320;
/// So many answers to strangers before the flood counts as one.
const FLOODED: usize = 600;
/// Honest requests of each kind meanwhile.
const HONEST: usize = 10;

async fn a_flood_of_strangers_stops_neither_phones_nor_the_desk_nor_who_joins(mut desk: Desk) {
    desk.program.terminate().await;
    desk.program.is_limited = true;
    desk.start_again().await;
    let phone = desk.phone("Scale 1", &["admin"]).await;
    let fresh_pass = desk.phone("Scale 2", &["scale"]).await.token().to_owned();
    let opened = desk.post("/admin/pairings", &json!({"functions": ["scale"], "mode": "open"})).await;
    let opened = opened.expect_status(201);
    let close = format!("/admin/pairings/{}/close", opened["pairing_id"].as_str().expect("an id"));
    desk.post(&close, &json!({})).await.expect_status(200);
    let good = desk.pairing_code(&["scale"], "open").await;
    let over = opened["code"].as_str().expect("a code");
    let flood = Flood::begin(&desk, over).await;
    for number in 0..HONEST {
        send(phone.request(Method::GET, "/sync/hello")).await.expect_status(200);
        phone.apply(&[insert("rings", &fresh(), json!({"name": format!("Ring {number}")}))]).await;
        desk.get("/admin/overview").await.expect_status(200);
    }
    assert_eq!(flood.end().await, [0; 0], "strangers are refused and nothing else");
    // From the strangers' own address, and with a pass that the desk has not seen since it was started.
    desk.program.terminate().await;
    desk.start_again().await;
    let flood = Flood::begin(&desk, over).await;
    Phone::with_token(&desk.program.http, &fresh_pass).await;
    let elsewhere = Client::builder().local_address(IpAddr::from([127, 0, 2, 1])).build().expect("a client");
    for client in [Client::new(), elsewhere] {
        let claim = json!({"code": good, "device_name": "Scale 3"});
        let claim = client.post(format!("{}/api/v1/pairing/claim", desk.program.http)).json(&claim);
        send(claim).await.expect_status(201);
    }
    assert_eq!(flood.end().await, [0; 0], "strangers are refused and nothing else");
}

/// Strangers that show a code which is over, and passes that are none, as fast as they can.
struct Flood {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    strangers: JoinSet<Vec<u16>>,
}

impl Flood {
    /// Begins, and is there when so many were answered.
    async fn begin(desk: &Desk, code: &str) -> Self {
        let mut flood = Self { stop: Arc::default(), answered: Arc::default(), strangers: JoinSet::new() };
        // As many connections as strangers, all from one address.
        let client = Client::new();
        for number in 0..STRANGERS {
            let (client, base) = (client.clone(), format!("{}/api/v1", desk.program.http));
            let claim = json!({"code": code, "device_name": "Nobody"});
            let (stop, answered) = (Arc::clone(&flood.stop), Arc::clone(&flood.answered));
            flood.strangers.spawn(async move {
                let mut strange = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let request = if number % 4 == 0 {
                        client.get(format!("{base}/sync/hello")).bearer_auth(format!("lsd_{}", fresh()))
                    } else {
                        client.post(format!("{base}/pairing/claim")).json(&claim)
                    };
                    let Ok(answer) = request.send().await else { continue };
                    answered.fetch_add(1, Ordering::Relaxed);
                    let status = answer.status().as_u16();
                    if ![401, 410, 429, 503].contains(&status) {
                        strange.push(status);
                    }
                    // The connection is used again.
                    let _ = answer.bytes().await;
                }
                strange
            });
        }
        while flood.answered.load(Ordering::Relaxed) < FLOODED {
            tokio::task::yield_now().await;
        }
        flood
    }

    /// What was answered and is no refusal.
    async fn end(self) -> Vec<u16> {
        self.stop.store(true, Ordering::Relaxed);
        self.strangers.join_all().await.concat()
    }
}

async fn a_request_whose_body_comes_late_has_the_rights_of_that_moment(desk: Desk) {
    let phone = desk.phone("Scale 1", &["admin"]).await;
    let id = id_of(&desk, "Scale 1").await;
    let push = || phone.envelope(&[insert("rings", &fresh(), json!({"name": "Late"}))]);
    let untouched = Late::begin(&desk, &phone).await;
    assert_eq!(untouched.end(&push()).await.0, 200);
    let demoted = Late::begin(&desk, &phone).await;
    change(&desk, &id, &json!({"functions": ["scale"]})).await.expect_status(200);
    let (status, problem) = demoted.end(&push()).await;
    assert_eq!((status, &problem["code"], &problem["retry"]), (503, &json!("rights_changed"), &json!("later")));
    let revoked = Late::begin(&desk, &phone).await;
    desk.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
    let (status, problem) = revoked.end(&push()).await;
    assert_eq!((status, &problem["code"]), (403, &json!("device_removed")));
    let rings = desk.pull_all().await.into_keys().filter(|(table, _)| table == "rings").count();
    assert_eq!(rings, 1, "only what came in time");
}

/// A push whose head was read, and of whose body nothing has come.
struct Late(TcpStream);

/// What a late body is padded to, so that its length is known before.
const LATE_BYTES: usize = 4_000;

impl Late {
    /// The desk asks for the body once it has looked the pass up.
    async fn begin(desk: &Desk, phone: &Phone) -> Self {
        let authority = desk.program.http.trim_start_matches("http://");
        let mut stream = TcpStream::connect(authority).await.expect("the desk listens");
        let head = format!(
            "POST /api/v1/sync/push HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {LATE_BYTES}\r\nExpect: 100-continue\r\n\
             Connection: close\r\n\r\n",
            phone.token()
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            assert!(stream.read_buf(&mut asked).await.expect("an answer") > 0, "the desk hangs up");
        }
        assert!(asked.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&asked));
        Self(stream)
    }

    async fn end(mut self, envelope: &Json) -> (u16, Json) {
        let body = format!("{:<LATE_BYTES$}", envelope.to_string());
        self.0.write_all(body.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        self.0.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).expect("JSON"))
    }
}
