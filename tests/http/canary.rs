//! P20: no secret, and nothing of a person, stands where it does not belong.
//!
//! The program runs with everything logged that its own code can say, while known values stand in every secret's place
//! and the main ways are gone, good and bad ones. Then the log, the data folder, a dump of the database, what can be
//! exported and every answer to a fault are searched for each of them, also in the shapes that encodings give them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::process::Command;

use crate::desk::Desk;
use crate::phone::{Phone, fresh, insert, send, update, with};
use crate::program::{Engine, Program};
use crate::seed::seed;

/// What is secret by its meaning; what follows is the person's own.
const WIFI_PASSWORD: &str = "canary-wifi-pass-7431";
const PHONE_NUMBER: &str = "555-0142-7431";
const FIRST_NAME: &str = "Canaryfirst";
const LAST_NAME: &str = "Canarylast";
const NOTE: &str = "canary note about an entry 7431";
const REASON: &str = "canary reason of a decision 7431";
/// Files that hold a secret because they are made for it; only their owner may read them.
const KEPT_SECRETS: [&str; 2] = ["admin.token", "vault.key"];
/// How a P-256 key begins where it stands in the open.
const OPEN_KEY: [u8; 21] = [
    0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d,
];
/// The line by which the program tells the person at the terminal how to open the desk. It is made for nobody else.
const DESK_LINK: &str = "Open the desk (once";

#[tokio::test]
async fn no_secret_is_told_sqlite() {
    no_secret_is_told(Engine::Sqlite).await;
}

#[tokio::test]
async fn no_secret_is_told_postgres() {
    no_secret_is_told(Engine::Postgres).await;
}

/// What was used, by name, and what was answered to faults.
#[derive(Default)]
struct Used {
    secrets: Vec<(&'static str, String)>,
    faults: Vec<String>,
}

impl Used {
    fn secret(&mut self, name: &'static str, value: &Json) -> String {
        let value = value.as_str().unwrap_or_else(|| panic!("{name} is a text, not {value}")).to_owned();
        self.secrets.push((name, value.clone()));
        value
    }

    async fn fault(&mut self, request: reqwest::RequestBuilder) {
        let answer = send(request).await;
        assert!(answer.status.as_u16() >= 400, "that was meant to fail: {}", answer.text);
        self.faults.push(answer.text);
    }
}

async fn no_secret_is_told(engine: Engine) {
    let logs = tempfile::tempdir().expect("a folder beside the show");
    let log = logs.path().join("trace.log");
    let mut program = Program::traced(engine, &log).await;
    program.https_at = "127.0.0.1:0";
    program.terminate().await;
    program.start_again().await;
    let mut desk = Desk::of(program).await;
    let mut used = Used::default();
    used.secret("the desk's token", &json!(desk.token()));
    open_a_browser(&desk, &log, &mut used).await;
    let phone = join(&desk, &mut used).await;
    work(&desk, &phone, &mut used).await;
    fail(&desk, &phone, &mut used).await;
    let exports = exports(&desk).await;
    desk.program.terminate().await;

    let traced = fs::read_to_string(&log).expect("a log");
    assert!(traced.contains("TRACE") || traced.contains("DEBUG"), "the log is as talkative as it can be");
    let log: String = traced.lines().filter(|line| !line.contains(DESK_LINK)).collect::<Vec<_>>().join("\n");
    let personal = [PHONE_NUMBER, FIRST_NAME, LAST_NAME, NOTE, REASON];
    let key = fs::read(desk.program.folder().join("vault.key")).expect("the vault's key is in its file");
    let mut found = Vec::new();
    let mut look = |place: &str, bytes: &[u8], with_people: bool| {
        for (name, value) in &used.secrets {
            found.extend(
                shapes(value.as_bytes())
                    .into_iter()
                    .filter(|shape| holds(bytes, shape))
                    .map(|_| format!("{name} in {place}")),
            );
        }
        found.extend(
            shapes(&key).iter().filter(|shape| holds(bytes, shape)).map(|_| format!("the vault's key in {place}")),
        );
        if holds(bytes, b"lsd_") || holds(bytes, &OPEN_KEY) || holds(bytes, b"PRIVATE KEY") {
            found.push(format!("a pass or an open key in {place}"));
        }
        for value in personal.iter().filter(|_| with_people) {
            found.extend(holds(bytes, value.as_bytes()).then(|| format!("{value} in {place}")));
        }
    };
    look("the log", log.as_bytes(), true);
    look("answers to faults", used.faults.join("\n").as_bytes(), true);
    look("a rehearsal", &rehearsal(logs.path()).await, true);
    for (place, text) in &exports {
        look(place, text.as_bytes(), false);
        assert!(!text.contains(PHONE_NUMBER) && !text.contains(NOTE), "{place} tells of people: {text}");
    }
    for path in files(desk.program.folder()) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if KEPT_SECRETS.contains(&name.as_str()) {
            let mode = fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name} is for its owner only");
        } else {
            look(&name, &fs::read(&path).expect("it can be read"), false);
        }
    }
    if engine == Engine::Postgres {
        look("a dump of the database", &desk.program.dump().await, false);
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The printed link opens the desk's page once.
async fn open_a_browser(desk: &Desk, log: &Path, used: &mut Used) {
    let said = fs::read_to_string(log).expect("a log");
    let link = said.lines().rev().find(|line| line.contains(DESK_LINK)).expect("the desk's link is told");
    let code = link.rsplit_once("/#/open/").expect("a link with a code").1.trim().to_owned();
    let code = used.secret("the desk's link", &json!(code));
    let opened = desk.post("/admin/session", &json!({"code": code})).await.expect_status(200);
    assert_eq!(opened["token"], desk.token());
    used.fault(desk.request(Method::POST, "/admin/session").json(&json!({"code": code}))).await;
}

/// Phones join by the long and by the short code; one renews its pass.
async fn join(desk: &Desk, used: &mut Used) -> Phone {
    let mut last = None;
    for (member, secret) in [("code", "a joining code"), ("typed_code", "a typed code")] {
        let opened = desk.post("/admin/pairings", &json!({"functions": ["superintendent", "checkin"]})).await;
        let opened = opened.expect_status(201);
        used.secret("a joining code", &opened["code"]);
        used.secret("a typed code", &opened["typed_code"]);
        let code = used.secret(secret, &opened[member]);
        let claim = json!({"code": code, "device_name": "Barn", "platform": "web"});
        let claimed = send(desk.stranger(Method::POST, "/pairing/claim").json(&claim)).await.expect_status(201);
        let id = used.secret("a phone's own secret", &claimed["pairing_id"]);
        used.fault(desk.stranger(Method::POST, "/pairing/claim").json(&claim)).await;
        let waiting = desk.waiting().await;
        let allow = format!("/admin/pairings/{}/approve", waiting[0]["pairing_id"].as_str().expect("an id"));
        desk.post(&allow, &json!({})).await.expect_status(200);
        let status = send(desk.stranger(Method::GET, &format!("/pairing/{id}"))).await.expect_status(200);
        let token = used.secret("a phone's pass", &status["token"]);
        last = Some(Phone::with_token(&desk.program.http, &token).await);
    }
    let phone = last.expect("two joined");
    let renewed = send(phone.request(Method::POST, "/me/token")).await.expect_status(200);
    let token = used.secret("a renewed pass", &renewed["token"]);
    Phone::with_token(&desk.program.http, &token).await
}

/// Entries, a clash and its decision, an import, a poster: all with something of a person in it.
async fn work(desk: &Desk, phone: &Phone, used: &mut Used) {
    let seed = seed(desk).await;
    let person =
        json!({"back_number": 777, "first_name": FIRST_NAME, "last_name": LAST_NAME, "guardian_phone": PHONE_NUMBER});
    desk.apply(&[insert("exhibitors", &fresh(), person)]).await;
    phone.apply(&[update("animals", &seed.steer, 1, json!({"note": NOTE}), json!({"note": null}))]).await;
    desk.apply(&[update("animals", &seed.hog, 1, json!({"tag": "9021"}), json!({"tag": "9002"}))]).await;
    let late = phone.push_one(&update("animals", &seed.hog, 1, json!({"tag": "9022"}), json!({"tag": "9002"}))).await;
    let clash = desk.conflict(&late["conflict_id"]).await;
    let decision = json!({
        "resolution": "server_wins", "expected_server_version": clash["server_version"], "rev": clash["rev"],
        "reason": REASON, "idempotency_key": fresh(),
    });
    let path = format!("/admin/conflicts/{}/resolve", clash["id"].as_str().expect("an id"));
    desk.post(&path, &decision).await.expect_status(200);
    let file =
        format!("back_number,first_name,last_name,species,tag,class\n901,{FIRST_NAME},{LAST_NAME},swine,71,Hogs\n");
    let shown = send(desk.request(Method::POST, "/admin/import/entries").header("content-type", "text/csv").body(file));
    let shown = shown.await.expect_status(200);
    let confirm = format!("/admin/import/{}/confirm", shown["import_id"].as_str().expect("an id"));
    desk.post(&confirm, &json!({})).await.expect_status(200);
    used.secret("the Wi-Fi's password", &json!(WIFI_PASSWORD));
    desk.post("/admin/wifi-qr", &json!({"ssid": "Fair", "password": WIFI_PASSWORD})).await.expect_status(200);
    phone.pull("").await.expect_status(200);
    desk.get("/admin/network").await.expect_status(200);
    desk.get("/admin/overview").await.expect_status(200);
}

/// Ways that end badly: what was sent is not told again, and not noted.
async fn fail(desk: &Desk, phone: &Phone, used: &mut Used) {
    let wrong = used.secret("a wrong pass", &json!(format!("lsd_{}", "WrongCanaryPass7431".repeat(2))));
    used.fault(desk.stranger(Method::GET, "/sync/hello").bearer_auth(&wrong)).await;
    used.fault(desk.stranger(Method::GET, &format!("/sync/hello?token={wrong}"))).await;
    let code = used.secret("a wrong code", &json!("WrongCanaryCode7431AAA"));
    let claim = json!({"code": code, "device_name": FIRST_NAME, "previous_token": wrong});
    used.fault(desk.stranger(Method::POST, "/pairing/claim").json(&claim)).await;
    let nobody = used.secret("a claim of nobody", &json!(uuid::Uuid::new_v4().to_string()));
    used.fault(desk.stranger(Method::GET, &format!("/pairing/{nobody}"))).await;
    let half = format!("{{\"ops\":[{{\"note\":\"{NOTE}\",\"guardian_phone\":\"{PHONE_NUMBER}\"");
    used.fault(phone.request(Method::POST, "/sync/push").header("content-type", "application/json").body(half)).await;
    let wifi = json!({"ssid": "", "password": WIFI_PASSWORD});
    used.fault(desk.request(Method::POST, "/admin/wifi-qr").json(&wifi)).await;
    let typo = json!({"ssid": "Fair", "password": [WIFI_PASSWORD]});
    used.fault(desk.request(Method::POST, "/admin/wifi-qr").json(&typo)).await;
    let refused =
        with(insert("exhibitors", &fresh(), json!({"guardian_phone": PHONE_NUMBER})), "reason", json!(REASON));
    assert_eq!(phone.push_one(&refused).await["verdict"], "rejected");
    let claim = json!({"code": 5, "device_name": FIRST_NAME, "previous_token": wrong});
    used.fault(desk.stranger(Method::POST, "/pairing/claim").json(&claim)).await;
}

/// What can be carried away from the desk.
async fn exports(desk: &Desk) -> Vec<(&'static str, String)> {
    let audit = send(desk.request(Method::GET, "/admin/audit.csv")).await;
    assert_eq!(audit.status, 200);
    assert!(audit.text.lines().count() > 5, "the audit tells of what was done: {}", audit.text);
    vec![("audit.csv", audit.text)]
}

/// Everything that a rehearsal says, with all it can log.
async fn rehearsal(folder: &Path) -> Vec<u8> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_showdesk-server"));
    program
        .args(["rehearse", "--phones", "3", "--ops", "10"])
        .env("TMPDIR", folder)
        .env("RUST_LOG", "info,showdesk_server=trace,showdesk_engine=trace");
    let output = program.kill_on_drop(true).output().await.expect("it runs");
    assert!(output.status.success());
    [output.stdout, output.stderr].concat()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A secret as it is, and as encodings write it.
fn shapes(secret: &[u8]) -> Vec<Vec<u8>> {
    let written = |bytes: &[u8], byte: fn(&u8) -> String| bytes.iter().map(byte).collect::<Vec<_>>().concat();
    let hex = |bytes: &[u8]| written(bytes, |byte| format!("{byte:02x}"));
    let percent = written(secret, |byte| format!("%{byte:02X}"));
    let mut shapes =
        vec![secret.to_vec(), hex(secret).into_bytes(), hex(secret).to_uppercase().into_bytes(), percent.into_bytes()];
    // Within another text, base64 begins at one of three places; its last letters depend on what follows.
    for skipped in 0..3.min(secret.len()) {
        for text in [STANDARD.encode(&secret[skipped..]), URL_SAFE_NO_PAD.encode(&secret[skipped..])] {
            let sure = text.trim_end_matches('=').len().saturating_sub(2);
            shapes.push(text.as_bytes()[..sure].to_vec());
        }
    }
    // Codes and passes are themselves base64 of random bytes; ids are hexadecimal.
    let text = String::from_utf8_lossy(secret);
    let inner =
        text.rsplit('_').next().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).filter(|inner| inner.len() >= 16);
    if let Some(inner) = inner {
        shapes.push(hex(&inner).into_bytes());
        shapes.push(inner);
    }
    if let Ok(id) = uuid::Uuid::try_parse(&text) {
        shapes.push(id.as_bytes().to_vec());
        shapes.push(id.simple().to_string().into_bytes());
    }
    shapes.retain(|shape| shape.len() >= 8);
    shapes
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    let first = wanted[0];
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(wanted) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[test]
fn a_secret_is_found_in_every_shape() {
    let secret = "lsd_c2VjcmV0LW9mLXRoZS10ZXN0LTEyMzQ1Njc4OTA";
    for shape in shapes(secret.as_bytes()) {
        assert!(holds(&[b"before".as_slice(), &shape, b"after"].concat(), &shape));
    }
    let packed = STANDARD.encode(format!("before {secret} after"));
    assert!(shapes(secret.as_bytes()).iter().any(|shape| holds(packed.as_bytes(), shape)), "{packed}");
    assert!(!holds(b"something else", secret.as_bytes()));
}
