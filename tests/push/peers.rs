//! Programs of others as partners: their clients prove our stand-ins, their servers prove our senders.
//!
//! `cargo xtask test` installs them and says where in `SHOWDESK_PUSH_PEERS`.

#![expect(clippy::unwrap_used, reason = "a test that meets an error it did not expect ends there")]

#[expect(dead_code, reason = "only our own senders are given moods")]
mod stand_in;

use std::collections::BTreeMap;
use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use serde_json::{Value, json};
use showdesk_push::fcm::{Fcm, FcmEndpoints, FcmTarget, ServiceAccount};
use showdesk_push::web::{VapidKey, WebPush, WebTarget, content};
use showdesk_push::{Network, Outcome, Outgoing, Priority, Randomness, Reach, Secret};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use stand_in::apple::{Apple, Mood, Phone, TOPIC};
use stand_in::google::Google;
use stand_in::keys::{self, PROJECT};

fn installed() -> PathBuf {
    PathBuf::from(env::var_os("SHOWDESK_PUSH_PEERS").expect("run by `cargo xtask test`, which installs the programs"))
}

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/push/programs").join(name)
}

/// How often a program of others may fall over before it has said anything.
const FALLS: u32 = 3;

/// Runs one of the programs with a plan and reads what it printed.
///
/// An interpreter that a signal ends, or that ends without a word, has judged nothing: it is started again,
/// and how it ended is told. What it says once it speaks counts, whatever it is.
async fn run(name: &str, plan: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    std::fs::write(&file, plan.to_string()).unwrap();
    let mut falls = 0;
    loop {
        let output = interpreter(name).arg(&file).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{name} printed no JSON: {errors}"));
        }
        let silent = output.stdout.is_empty() && output.stderr.is_empty();
        falls += 1;
        let fell = silent || output.status.code().is_none();
        assert!(fell && falls < FALLS, "{name} ended with {}: {errors}", output.status);
        eprintln!("{name} fell over, {}, and is started again: {errors}", output.status);
    }
}

/// What runs a program; Python says where it was when it crashes.
fn interpreter(name: &str) -> Command {
    if program(name).extension().is_some_and(|kind| kind == "py") {
        let mut python = Command::new(installed().join("python/bin/python"));
        python.arg("-X").arg("faulthandler").arg(program(name));
        python
    } else {
        let mut node = Command::new("node");
        node.arg(program(name)).arg(installed());
        node
    }
}

/// The programs have clocks of their own, so these tests use the system's.
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn fresh() -> Randomness {
    let mut bytes = [0; Randomness::LENGTH];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut bytes).unwrap();
    Randomness::new(bytes)
}

fn call() -> Outgoing {
    Outgoing {
        id: Uuid::new_v4(),
        title: "Class 12 to ring 2".to_owned(),
        body: "Market lambs, light 🐑. Please be there in 10 minutes.".to_owned(),
        data: BTreeMap::from([("open".to_owned(), "#/classes/12".to_owned())]),
        notice: serde_json::Map::new(),
        priority: Priority::High,
        expires_at: now() + TimeDelta::minutes(10),
        collapse_key: Some("class-call:12".to_owned()),
    }
}

#[tokio::test]
async fn node_apn_finds_our_apple_to_be_like_apple() {
    keys::install_tls();
    let (tls, authority) = keys::certificate();
    let gone = now() - TimeDelta::hours(1);
    let mut mood = Mood::with(None, &["ab12"]);
    mood.set("dead01", Phone::GoneSince(gone));
    mood.set("dead02", Phone::WithAnotherApp);
    let apple = Apple::start(Some(tls), mood).await;
    let url = apple.server.url();
    let (_, port) = url.rsplit_once(':').unwrap();
    let plan = json!({
        "port": port.parse::<u16>().unwrap(),
        "authority": authority,
        "key": keys::apple(),
        "key_id": keys::APPLE_KEY_ID,
        "team_id": keys::APPLE_TEAM_ID,
        "topic": TOPIC,
    });
    let results = run("node-apn.mjs", &plan).await;
    let failed = |status: u16, reason: &str| json!([[status, reason, null]]);
    assert_eq!(results["one"]["sent"], 1, "{results}");
    assert_eq!(results["one"]["ids"], json!(["0f5e95b4-7c0e-4d7a-9a3e-1f6c7f000001"]));
    assert_eq!(results["many"]["sent"], 300);
    assert_eq!(results["unknown"]["failed"], failed(400, "BadDeviceToken"));
    assert_eq!(results["gone"]["failed"], json!([[410, "Unregistered", gone.timestamp_millis()]]));
    assert_eq!(results["other_app"]["failed"], failed(400, "DeviceTokenNotForTopic"));
    assert_eq!(results["other_topic"]["failed"], failed(400, "TopicDisallowed"));
    assert_eq!(results["too_long"]["failed"], failed(413, "PayloadTooLarge"));
    assert_eq!(results["other_key"]["failed"], failed(403, "InvalidProviderToken"));
    assert_eq!(apple.server.connections(), 2, "one for each of its two providers");
}

#[tokio::test]
async fn firebase_admin_finds_our_google_to_be_like_google() {
    let google = Google::start(None).await;
    let tokens =
        ["a", "gone", "of-another-project", "misspelt", "named-as-wrong", "behind-apple", "too-often", "forbidden"];
    let plan = json!({
        "messages": google.server.url(),
        "account": keys::service_account(PROJECT, &google.passes_url()),
        "tokens": tokens,
    });
    let results = run("firebase.py", &plan).await;
    let expected = json!({
        "a": {"name": "projects/county-show/messages/1"},
        "gone": {"error": "UnregisteredError"},
        "of-another-project": {"error": "SenderIdMismatchError"},
        "misspelt": {"error": "InvalidArgumentError"},
        "named-as-wrong": {"error": "InvalidArgumentError"},
        "behind-apple": {"error": "ThirdPartyAuthError"},
        "too-often": {"error": "QuotaExceededError"},
        "forbidden": {"error": "PermissionDeniedError"},
        "dry run": {"name": "projects/county-show/messages/fake_message_id"},
        "other key": {"error": "RefreshError"},
    });
    assert_eq!(results, expected);
}

#[tokio::test]
async fn our_requests_are_valid_by_googles_schema_and_go_through_googles_client() {
    keys::install_tls();
    let google = Google::start(None).await;
    let account = keys::service_account(PROJECT, &google.passes_url());
    let endpoints = FcmEndpoints { messages: google.server.url(), passes: google.passes_url() };
    let network = Network::new(Reach::PublicAndLoopback);
    let sender = Fcm::new(&network, ServiceAccount::parse(&account.to_string()).unwrap(), &endpoints).unwrap();

    let mut bodies = Vec::new();
    for priority in [Priority::Normal, Priority::High, Priority::Urgent] {
        for (target, collapse_key) in [
            (FcmTarget::Token(Secret::new("a")), Some("class-call:12".to_owned())),
            (FcmTarget::Fid(Secret::new("f")), None),
        ] {
            let message = Outgoing { priority, collapse_key, ..call() };
            let outcome = sender.send(now(), &target, &message).await;
            assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
            bodies.push(google.last_message());
        }
    }
    let long = Outgoing { body: "🐖".repeat(5_000), ..call() };
    sender.send(now(), &FcmTarget::Token(Secret::new("a")), &long).await;
    bodies.push(google.last_message());
    assert!(sender.test(now()).await.works);
    bodies.push(google.last_message());

    // A check that finds nothing wrong must be able to.
    let wrong = |change: fn(&mut Value)| {
        let mut body = bodies[0].clone();
        change(&mut body);
        body
    };
    let wrong = [
        wrong(|body| body["message"]["tokens"] = json!(["a"])),
        wrong(|body| body["message"]["android"]["priority"] = json!("LOUD")),
        wrong(|body| body["message"]["android"]["ttl"] = json!(600)),
        wrong(|body| body["message"]["android"]["ttl"] = json!("10m")),
        wrong(|body| body["message"]["data"]["number"] = json!(1)),
    ];
    let results = run(
        "schema.py",
        &json!({
            "messages": google.server.url(),
            "account": account,
            "bodies": bodies,
            "wrong": wrong,
        }),
    )
    .await;
    assert_eq!(results["revision"], "20261023");
    assert_eq!(results["faults"], json!(vec![Vec::<String>::new(); bodies.len()]));
    for faults in results["faults_of_wrong"].as_array().unwrap() {
        assert_eq!(faults.as_array().map(Vec::len), Some(1), "{results}");
    }
    assert_eq!(results["names"].as_array().map(Vec::len), Some(bodies.len()));
}

#[tokio::test]
async fn what_http_ece_sealed_is_opened() {
    let browser = SecretKey::from_slice(&[9; 32]).unwrap();
    let auth = [4; 16];
    let texts: Vec<(String, usize, usize)> = vec![
        ("Class 12 to ring 2".to_owned(), 4096, 0),
        (String::new(), 4096, 0),
        ("🐑".repeat(900), 4096, 20),
        ("Market lambs, light. ".repeat(40), 200, 0),
        ("Market lambs, light. ".repeat(40), 64, 100),
    ];
    let plan = json!({
        "p256dh": URL_SAFE_NO_PAD.encode(browser.public_key().to_encoded_point(false).as_bytes()),
        "auth": URL_SAFE_NO_PAD.encode(auth),
        "texts": texts.iter().map(|(text, size, padding)| {
            json!({"text": text, "record_size": size, "padding": padding})
        }).collect::<Vec<_>>(),
    });
    let bodies = run("seal.mjs", &plan).await;
    for ((text, ..), body) in texts.iter().zip(bodies.as_array().unwrap()) {
        let body = URL_SAFE_NO_PAD.decode(body.as_str().unwrap()).unwrap();
        assert_eq!(content::opened(&browser, &auth, &body).unwrap(), text.as_bytes());
    }
}

/// The push service of `web-push-testing`; it ends with its value.
struct PushService {
    url: String,
    client: reqwest::Client,
    _process: Child,
}

impl PushService {
    async fn start() -> Self {
        // It cannot choose a port itself; this one was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new("node")
            .arg(installed().join("node_modules/web-push-testing/src/bin/server.js"))
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        assert!(first.contains("running"), "{first}");
        keys::install_tls();
        Self { url: format!("http://localhost:{port}"), client: reqwest::Client::new(), _process: process }
    }

    async fn ask(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        request.send().await.unwrap().json().await.unwrap_or_default()
    }

    /// A subscription of a page that trusts this key.
    async fn subscribe(&self, key: &VapidKey) -> (WebTarget, String) {
        let options = json!({"userVisibleOnly": "true", "applicationServerKey": key.public()});
        let given = self.ask("/subscribe", &options).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let given = &given["data"];
        let target = WebTarget::parse(
            &text(&given["endpoint"]),
            &text(&given["keys"]["p256dh"]),
            &text(&given["keys"]["auth"]),
            Reach::PublicAndLoopback,
        );
        (target.unwrap(), text(&given["clientHash"]))
    }

    /// What the page read, oldest first.
    async fn read(&self, page: &str) -> Vec<Value> {
        let read = self.ask("/get-notifications", &json!({"clientHash": page})).await;
        let messages = read["data"]["messages"].as_array().unwrap().clone();
        messages.iter().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect()
    }
}

#[tokio::test]
async fn web_push_testing_opens_what_we_send_and_its_refusals_are_understood() {
    let service = PushService::start().await;
    let key = || VapidKey::parse(&URL_SAFE_NO_PAD.encode([5; 32])).unwrap();
    let network = Network::new(Reach::PublicAndLoopback);
    let sender = WebPush::new(&network, key(), "mailto:show@example.org").unwrap();
    let (target, page) = service.subscribe(&key()).await;

    let messages = [
        call(),
        Outgoing { priority: Priority::Normal, collapse_key: None, body: String::new(), ..call() },
        Outgoing { priority: Priority::Urgent, body: "🐄".repeat(5_000), ..call() },
    ];
    for message in &messages {
        let outcome = sender.send(now(), fresh(), &target, message).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    let read = service.read(&page).await;
    assert_eq!(read.len(), messages.len());
    for (message, read) in messages.iter().zip(&read) {
        assert_eq!(read["id"], message.id.to_string());
        assert_eq!(read["title"], message.title);
        assert_eq!(read["data"]["open"], "#/classes/12");
    }
    assert_eq!(read[0]["body"], messages[0].body);
    assert!(read[2]["body"].as_str().unwrap().ends_with('…'));

    // A page that trusts another installation's key refuses ours: that is no reason to bury it at once.
    let stranger = VapidKey::parse(&URL_SAFE_NO_PAD.encode([6; 32])).unwrap();
    let (other, other_page) = service.subscribe(&stranger).await;
    let outcome = sender.send(now(), fresh(), &other, &call()).await;
    assert!(matches!(&outcome, Outcome::Strike { code } if code.as_str() == "status 400"), "{outcome:?}");
    assert!(service.read(&other_page).await.is_empty());

    service.ask(&format!("/expire-subscription/{page}"), &json!({})).await;
    let outcome = sender.send(now(), fresh(), &target, &call()).await;
    assert!(matches!(&outcome, Outcome::Dead { code, .. } if code.as_str() == "status 410"), "{outcome:?}");
}
