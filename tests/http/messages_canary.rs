//! P20: what people write to each other is for those it is for. It stands in the show's database, and not in the log,
//! in what is kept of errors and measures, or in an answer to a fault, whatever becomes of the message.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::canary::{BODY, TITLE, files, holds, shapes};
use crate::delivery::PushService;
use crate::desk::Desk;
use crate::messages::{act, message, sent};
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send};
use crate::program::{Engine, Program};
use crate::push_tokens::{register, service_account, set_up};

on_both_engines!(Traced::start => a_text_is_for_its_readers_only);

/// Longest wait for what the desk does by itself: ten seconds after a message it asks for phones that are away.
const DEADLINE: Duration = Duration::from_secs(40);

/// A desk that logs everything its own code can say.
struct Traced {
    desk: Desk,
    engine: Engine,
    log: PathBuf,
    _logs: TempDir,
}

impl Traced {
    async fn start(engine: Engine) -> Self {
        let logs = tempfile::tempdir().expect("a folder beside the show");
        let log = logs.path().join("trace.log");
        let desk = Desk::of(Program::traced(engine, &log).await).await;
        Self { desk, engine, log, _logs: logs }
    }
}

/// A Google that lets everybody in, takes nothing, and says why with all that it was told.
fn echo(asked: &str) -> (u16, String) {
    if asked.starts_with("POST /token") {
        let pass = json!({"access_token": "a-pass", "expires_in": 3_600, "token_type": "Bearer"});
        return (200, pass.to_string());
    }
    let said = asked.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let error = json!({"code": 400, "status": "INVALID_ARGUMENT", "message": format!("Invalid JSON payload: {said}")});
    (400, json!({"error": error}).to_string())
}

fn with_text(changes: &Json) -> Json {
    let mut asked = json!({"title": TITLE, "body": BODY, "audience": {"everybody": true}});
    asked.as_object_mut().expect("an object").extend(changes.as_object().cloned().unwrap_or_default());
    asked
}

async fn a_text_is_for_its_readers_only(traced: Traced) {
    let Traced { mut desk, engine, log, _logs } = traced;
    let google = PushService::answering(echo).await;
    let settings = json!({"service_account": service_account(), "endpoint": google.url()});
    set_up(&desk, "fcm", &settings).await.expect_status(200);
    let phone = desk.phone("Scale 1", &["scale"]).await;
    register(&phone, &json!({"platform": "android", "token": "an-address-of-a-phone"})).await.expect_status(201);
    let first = sent(&desk, with_text(&json!({"priority": "high"}))).await;
    let mut told: Vec<(&str, String)> =
        refusals(&desk, &phone).await.into_iter().map(|answer| ("an answer to a fault", answer)).collect();
    go_all_ways(&desk).await;
    let refused = until(async || {
        let deliveries = message(&desk, &first["id"]).await["deliveries"].clone();
        let by_google = deliveries.as_array().expect("deliveries").iter().find(|row| row["channel"] == "fcm").cloned();
        by_google.filter(|row| row["status"] == "failed")
    });
    let refused = refused.await;
    assert!(refused["error_code"].is_string() && !refused.to_string().contains(BODY), "{refused}");
    let asked = google.messages().into_iter().find(|asked| asked.contains(TITLE) && asked.contains(BODY));
    assert!(asked.is_some(), "Google was told, and has said so");
    let problems = until(async || {
        let list = desk.get("/admin/errors").await;
        list.body["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(list)
    });
    let problems = problems.await;
    for item in problems.body["items"].as_array().expect("items") {
        let path = format!("/admin/errors/{}", item["fingerprint"].as_str().expect("a name"));
        told.push(("a problem", desk.get(&path).await.text));
    }
    told.push(("the list of problems", problems.text));
    told.push(("the providers", desk.get("/admin/push").await.text));
    desk.program.terminate().await;
    let log = fs::read_to_string(&log).expect("a log");
    assert!(log.contains("a message was refused"), "the log tells of the fault: {log}");
    told.push(("the log", log));
    let measures = measures(&desk, engine).await;
    let places = told
        .iter()
        .map(|(place, text)| (*place, text.as_bytes()))
        .chain(measures.iter().map(Vec::as_slice).map(|bytes| ("measures", bytes)));
    for (place, bytes) in places {
        for text in [TITLE, BODY] {
            assert!(
                !shapes(text.as_bytes()).iter().any(|shape| holds(bytes, shape)),
                "{text} stands in {place}: {}",
                shown(bytes)
            );
        }
    }
}

/// A piece of it, to see what it is.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).into_owned()
}

/// What is answered to messages that cannot be sent.
async fn refusals(desk: &Desk, phone: &Phone) -> Vec<String> {
    let post = |path: &str| desk.request(Method::POST, path);
    let mut answers = Vec::new();
    for changes in [
        json!({"body": [BODY]}),
        json!({"body": BODY.repeat(40)}),
        json!({"audience": {"everybody": false}}),
        json!({"title": format!("{TITLE} {{judge}}")}),
        json!({"type": BODY}),
        json!({"priority": BODY}),
        json!({"send_at": BODY}),
        json!({"template_id": BODY}),
        json!({"expires_at": "2020-01-01T00:00:00Z"}),
    ] {
        answers.push(send(post("/admin/notifications").json(&with_text(&changes))).await);
    }
    let half = format!("{{\"title\":\"{TITLE}\",\"body\":\"{BODY}\"");
    answers.push(send(post("/admin/notifications").header("content-type", "application/json").body(half)).await);
    let template = json!({"name": TITLE, "title": [TITLE], "body": BODY});
    answers.push(send(post("/admin/notification-templates").json(&template)).await);
    answers.push(send(phone.request(Method::POST, "/admin/notifications").json(&with_text(&json!({})))).await);
    for answer in &answers {
        assert!(answer.status.as_u16() >= 400, "that was meant to fail: {}", answer.text);
    }
    let own = insert("announcements", &fresh(), json!({"type": "message", "title": TITLE, "body": BODY}));
    let rejected = phone.push_one(&own).await;
    assert_eq!(rejected["verdict"], "rejected", "who weighs announces nothing");
    answers.into_iter().map(|answer| answer.text).chain([rejected.to_string()]).collect()
}

/// Messages that are shown before, planned, changed, cancelled, reminded of and taken back.
async fn go_all_ways(desk: &Desk) {
    desk.post("/admin/notifications/preview", &with_text(&json!({}))).await.expect_status(200);
    let later = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    let planned = sent(desk, with_text(&json!({"send_at": later}))).await;
    let path = format!("/admin/notifications/{}", planned["id"].as_str().expect("an id"));
    let change = with_text(&json!({"send_at": later, "priority": "urgent"}));
    send(desk.request(Method::PUT, &path).json(&change)).await.expect_status(200);
    act(desk, &planned["id"], "cancel").await.expect_status(200);
    let back = sent(desk, with_text(&json!({}))).await;
    act(desk, &back["id"], "remind").await.expect_status(200);
    act(desk, &back["id"], "retract").await.expect_status(200);
}

/// What the desk keeps of errors and measures, as it stands on the disk.
async fn measures(desk: &Desk, engine: Engine) -> Vec<Vec<u8>> {
    let found: Vec<Vec<u8>> = match engine {
        Engine::Sqlite => files(desk.program.folder())
            .into_iter()
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("telemetry")))
            .map(|path| fs::read(path).expect("it can be read"))
            .collect(),
        Engine::Postgres => {
            let dump = String::from_utf8_lossy(&desk.program.dump().await).into_owned();
            let tables = dump
                .split("-- Data for Name: ")
                .filter(|table| table.lines().next().is_some_and(|line| line.contains("_telemetry;")));
            tables.map(|table| table.as_bytes().to_vec()).collect()
        }
    };
    assert!(found.iter().any(|bytes| holds(bytes, b"refused")), "the problem is in it");
    found
}

/// Waits until there is an answer.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "it did not happen");
        sleep(Duration::from_millis(50)).await;
    }
}
