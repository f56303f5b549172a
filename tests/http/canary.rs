//! P20: no secret, and nothing of a person, stands where it does not belong.
//!
//! The program runs with everything logged that its own code can say, while known values stand in every secret's place
//! and the main ways are gone, good and bad ones. Then the log, the data folder, a dump of the database, what can be
//! exported and every answer to a fault are searched for each of them, also in the shapes that encodings give them.
//! Keys that the desk has made itself nobody can know beforehand: the vault is asked for them once all is written.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value as Json, json};
use showdesk_engine::{Engine as Show, KeysIn, Options, SystemKeychain};
use showdesk_testkit::OwnDatabase;
use tokio::process::Command;

use crate::desk::Desk;
use crate::phone::{Phone, fresh, insert, send, update, with};
use crate::poison::Database;
use crate::program::{Engine, Program};
use crate::push_tokens::{RSA, page, register, service_account, set_up};
use crate::seed::seed;

/// What is secret by its meaning; what follows is the person's own.
const WIFI_PASSWORD: &str = "canary-wifi-pass-7431";
const PHONE_NUMBER: &str = "555-0142-7431";
const FIRST_NAME: &str = "Canaryfirst";
const LAST_NAME: &str = "Canarylast";
const NOTE: &str = "canary note about an entry 7431";
const REASON: &str = "canary reason of a decision 7431";
/// What somebody writes to others.
pub(crate) const TITLE: &str = "Canarytitle 7431";
pub(crate) const BODY: &str = "canary body of a message 7431";
/// Where a phone's browser takes messages for it: whoever knows it can bother the phone.
const ENDPOINT: &str = "https://93.184.216.34/canary-endpoint-7431";
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
    /// Keys as bytes.
    keys: Vec<(&'static str, Vec<u8>)>,
    faults: Vec<String>,
}

/// What is searched.
struct Place {
    name: String,
    bytes: Vec<u8>,
    /// Whether people have no business there either.
    is_nobodys: bool,
}

impl Place {
    fn new(name: &str, bytes: impl Into<Vec<u8>>, is_nobodys: bool) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into(), is_nobodys }
    }
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
    set_providers_up(&desk, &phone, &mut used).await;
    fail(&desk, &phone, &mut used).await;
    go_wrong(&desk, &phone, &mut used).await;
    let mut places = exports(&desk).await;
    desk.program.terminate().await;

    let traced = fs::read_to_string(&log).expect("a log");
    assert!(traced.contains("TRACE") || traced.contains("DEBUG"), "the log is as talkative as it can be");
    let log: String = traced.lines().filter(|line| !line.contains(DESK_LINK)).collect::<Vec<_>>().join("\n");
    places.push(Place::new("the log", log, true));
    places.push(Place::new("answers to faults", used.faults.join("\n"), true));
    places.extend(kept(desk.program.folder()));
    if engine == Engine::Postgres {
        places.push(Place::new("a dump of the database", desk.program.dump_of("").await, false));
        places.push(Place::new("a dump of the measures", desk.program.dump_of("_telemetry").await, true));
    }
    assert!(places.iter().any(|place| place.name.contains("the measures")), "they are looked at");
    ask_the_vault(&desk, &mut used).await;

    let found: Vec<String> = places.iter().flat_map(|place| used.found_in(place)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

impl Used {
    fn found_in(&self, place: &Place) -> Vec<String> {
        let bytes = &place.bytes;
        let texts = self.secrets.iter().map(|(name, value)| (*name, value.as_bytes()));
        let keys = self.keys.iter().map(|(name, key)| (*name, key.as_slice()));
        let is_there = |value: &[u8]| shapes(value).iter().any(|shape| holds(bytes, shape));
        let mut found: Vec<&str> =
            texts.chain(keys).filter(|(_, value)| is_there(value)).map(|(name, _)| name).collect();
        if holds(bytes, b"lsd_") || holds(bytes, &OPEN_KEY) || holds(bytes, b"PRIVATE KEY") {
            found.push("a pass or an open key");
        }
        let never = [PHONE_NUMBER, NOTE];
        let people = [FIRST_NAME, LAST_NAME, REASON, ENDPOINT];
        let is_exported = place.name.starts_with("export");
        let personal = never.into_iter().filter(|_| is_exported || place.is_nobodys);
        let personal = personal.chain(people.into_iter().filter(|_| place.is_nobodys));
        found.extend(personal.filter(|value| holds(bytes, value.as_bytes())));
        found.into_iter().map(|found| format!("{found} in {}", place.name)).collect()
    }
}

/// What the data folder holds, but for the files that are made for a secret.
fn kept(folder: &Path) -> Vec<Place> {
    let mut places = Vec::new();
    for path in files(folder) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if KEPT_SECRETS.contains(&name.as_str()) {
            let mode = fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name} is for its owner only");
            continue;
        }
        let is_of_measures = name.starts_with("telemetry.");
        let name = if is_of_measures { format!("the measures, {name}") } else { name };
        places.push(Place::new(&name, fs::read(&path).expect("it can be read"), is_of_measures));
    }
    places
}

/// Keys as they are: what opens the vault, and what it holds.
async fn ask_the_vault(desk: &Desk, used: &mut Used) {
    let folder = desk.program.folder();
    used.keys.push(("the vault's key", fs::read(folder.join("vault.key")).expect("it is in its file")));
    let options = Options { database_url: desk.program.database_url.clone(), ..Options::new(folder) };
    let show = Show::open(options).await.expect("nobody else has it");
    show.open_vault(KeysIn::File, Arc::new(SystemKeychain)).await.expect("its key is there");
    for (name, kept) in [("the authority's key", "authority"), ("the key of browsers' messages", "push/web")] {
        let key = show.secret(kept).await.expect("it opens").unwrap_or_else(|| panic!("{name} is kept"));
        let key = URL_SAFE_NO_PAD.decode(&key).unwrap_or(key);
        used.keys.push((name, scalar_of(&key)));
    }
    let apple = show.secret("push/apns").await.expect("it opens").expect("Apple's key is kept");
    let given = used.secrets.iter().find(|(name, _)| *name == "the key of Apple").expect("it was given");
    assert!(holds(&apple, given.1.as_bytes()), "what was given is what is kept");
    show.close().await;
}

/// A key as Apple gives it.
fn pem(key: &[u8]) -> String {
    let text = STANDARD.encode(key);
    let lines = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64"));
    let lines: Vec<&str> =
        ["-----BEGIN PRIVATE KEY-----"].into_iter().chain(lines).chain(["-----END PRIVATE KEY-----"]).collect();
    lines.join("\n") + "\n"
}

/// The number that a P-256 key is, in whatever holds it.
fn scalar_of(key: &[u8]) -> Vec<u8> {
    const BEFORE: [u8; 5] = [0x02, 0x01, 0x01, 0x04, 0x20];
    let at = key.windows(BEFORE.len()).position(|part| part == BEFORE).map_or(0, |at| at + BEFORE.len());
    let scalar = key[at..].get(..32).expect("a key of 32 bytes");
    assert!(at > 0 || key.len() == 32, "{} bytes are no key", key.len());
    scalar.to_vec()
}

/// What a database says of a row that it refuses may have the whole row in it. Postgres keeps that to itself where
/// row-level security is in force, so here a rule of its own says it in its place.
#[tokio::test]
async fn a_refused_row_is_not_told_sqlite() {
    let program = Program::start_on(None).await;
    let file = program.folder().join("showdesk.sqlite");
    let rule = "CREATE TRIGGER no_canary BEFORE INSERT ON exhibitors WHEN NEW.first_name = 'Canaryfirst' \
                BEGIN SELECT RAISE(ABORT, 'no_canary'); END; \
                CREATE TRIGGER no_message BEFORE INSERT ON notifications WHEN NEW.title = 'Canarytitle 7431' \
                BEGIN SELECT RAISE(ABORT, 'no_message'); END";
    a_refused_row_is_not_told(program, &Database::Sqlite(file), rule).await;
}

#[tokio::test]
async fn a_refused_row_is_not_told_postgres() {
    let database = OwnDatabase::new().await;
    let program = Program::start_on(Some(database.url())).await;
    let rule = "CREATE FUNCTION no_canary() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                IF NEW.first_name = 'Canaryfirst' THEN \
                RAISE EXCEPTION 'new row % is refused', NEW USING ERRCODE = 'check_violation', \
                CONSTRAINT = 'no_canary', DETAIL = format('Failing row contains %s', NEW); \
                END IF; RETURN NEW; END $$; \
                CREATE TRIGGER no_canary BEFORE INSERT ON exhibitors FOR EACH ROW EXECUTE FUNCTION no_canary(); \
                CREATE FUNCTION no_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                IF NEW.title = 'Canarytitle 7431' THEN \
                RAISE EXCEPTION 'new row % is refused', NEW USING ERRCODE = 'check_violation', \
                CONSTRAINT = 'no_message', DETAIL = format('Failing row contains %s', NEW); \
                END IF; RETURN NEW; END $$; \
                CREATE TRIGGER no_message BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION no_message()";
    a_refused_row_is_not_told(program, &Database::Postgres(database), rule).await;
}

async fn a_refused_row_is_not_told(mut program: Program, database: &Database, rule: &str) {
    let logs = tempfile::tempdir().expect("a folder beside the show");
    let log = logs.path().join("trace.log");
    program.trace = Some(log.clone());
    program.terminate().await;
    program.start_again().await;
    let mut desk = Desk::of(program).await;
    database.execute(rule).await;
    let person =
        json!({"back_number": 7431, "first_name": FIRST_NAME, "last_name": LAST_NAME, "guardian_phone": PHONE_NUMBER});
    let result = desk.push_one(&insert("exhibitors", &fresh(), person)).await;
    assert_eq!((&result["verdict"], &result["error"]["code"]), (&json!("rejected"), &json!("internal")), "{result}");
    let message = json!({"title": TITLE, "body": BODY, "audience": {"everybody": true}});
    let refused = desk.post("/admin/notifications", &message).await;
    assert!(refused.status == 500 && !refused.text.contains(TITLE), "{}", refused.text);
    desk.program.terminate().await;
    let told = fs::read_to_string(&log).expect("a log");
    assert!(told.contains("no_canary") && told.contains("no_message"), "somebody has to find the fault: {told}");
    let canaries = [FIRST_NAME, LAST_NAME, PHONE_NUMBER, TITLE, BODY].map(|canary| (canary, told.contains(canary)));
    assert!(canaries.iter().all(|(_, is_told)| !is_told), "{canaries:?}");
}

#[tokio::test]
async fn a_rehearsal_tells_nothing_of_its_own_show() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = String::from_utf8(rehearsal(folder.path()).await).expect("text");
    assert!(said.contains("/api/v1/pairing/claim"), "it tells what its phones do: {said}");
    let found = of_a_show(&said);
    assert!(found.is_empty(), "{found:?}");
}

/// What stands in a rehearsal's text and belongs to its show: names, numbers, passes, codes, ids. A request's own id
/// names nothing of the show.
fn of_a_show(said: &str) -> Vec<String> {
    const NAMES: [&str; 7] = ["Nora", "Birch", "Willow Bend", "555-0", "Phone 0", "lsd_", "PRIVATE KEY"];
    let mut found: Vec<String> =
        NAMES.iter().filter(|name| said.contains(**name)).map(|name| (*name).to_owned()).collect();
    let told: Vec<&str> = said.split("request_id=").collect();
    let rest = told.iter().enumerate().map(|(part, text)| if part == 0 { text } else { text.get(36..).unwrap_or("") });
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    for text in rest {
        let words = text.split(|letter| !is_part(letter));
        found.extend(words.filter(|word| is_code(word) || uuid::Uuid::try_parse(word).is_ok()).map(str::to_owned));
    }
    found
}

/// Whether a word looks like a joining code (22 letters of base64) or its typed form (8 that cannot be mistaken).
fn is_code(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().any(|letter| is(&letter));
    let is_long = word.len() == 22 && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
    let is_typed_letter = |letter: char| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(letter);
    is_long || (word.len() == 8 && has(char::is_ascii_uppercase) && word.chars().all(is_typed_letter))
}

#[test]
fn what_belongs_to_a_show_is_recognised() {
    let id = uuid::Uuid::new_v4();
    for said in [
        "code=Zb3xQ_9-kLmN0pRsTuVwXy",
        "\"typed_code\":\"7K3M9QWX\"",
        &format!("device={id}"),
        &format!("request_id={id} pairing=\"{id}\""),
        "name=Birch 1-2",
        "Bearer lsd_abc",
    ] {
        assert_eq!(of_a_show(said).len(), 1, "{said}");
    }
    assert_eq!(of_a_show(&format!("DEBUG request_id={id} path=\"/api/v1/sync/ops/status\" status=200")), [""; 0]);
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

/// Keys of push providers and addresses of phones, good and bad ones.
async fn set_providers_up(desk: &Desk, phone: &Phone, used: &mut Used) {
    let file = service_account();
    let key = used.secret("the key of Firebase", &json!(RSA.lines().nth(3).expect("a line of the key")));
    assert!(file.contains(&key));
    set_up(desk, "fcm", &json!({"service_account": file, "endpoint": "http://127.0.0.1:9"})).await.expect_status(200);
    set_up(desk, "web", &json!({"subject": "mailto:show@example.org"})).await.expect_status(200);
    let apple = rcgen::KeyPair::generate().expect("a key").serialize_der();
    used.keys.push(("the key of Apple, as a number", scalar_of(&apple)));
    let apple = pem(&apple);
    used.secret("the key of Apple", &json!(apple.lines().nth(2).expect("a line of the key")));
    let settings = json!({
        "key": apple, "key_id": "ABC1234567", "team_id": "TEAM123456", "topic": "org.example.show",
        "endpoint": "http://127.0.0.1:9",
    });
    set_up(desk, "apns", &settings).await.expect_status(200);
    desk.post("/admin/push/apns/test", &json!({})).await.expect_status(200);
    register(phone, &page(ENDPOINT)).await.expect_status(201);
    desk.post("/admin/push/fcm/test", &json!({})).await.expect_status(200);
    let push = |provider: &str, body: Json| desk.request(Method::PUT, &format!("/admin/push/{provider}")).json(&body);
    used.fault(push("fcm", json!({"service_account": key}))).await;
    used.fault(push("fcm", json!({"service_account": [file]}))).await;
    used.fault(push("apns", json!({"key": file, "key_id": "ABC1234567", "team_id": "TEAM123456", "topic": "a.b"})))
        .await;
    let token = |token: Json| phone.request(Method::PUT, "/me/push-tokens").json(&token);
    used.fault(token(page(&format!("{ENDPOINT}#x")))).await;
    used.fault(token(json!({"platform": "android", "token": [ENDPOINT]}))).await;
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

/// A page that fails and tells all it knows, and an address that alerts go to.
async fn go_wrong(desk: &Desk, phone: &Phone, used: &mut Used) {
    let told = used.secret("what a page told of an error", &json!("CanaryPageSecret7431abc"));
    let hook = used.secret("the address of the webhook", &json!("canary-webhook-path-7431"));
    let error = json!({
        "error_type": "TypeError",
        "message": format!("token={told} of \"{FIRST_NAME}\" ({PHONE_NUMBER}) at https://desk/x?key={told}"),
        "stack_trace": format!("at f (http://10.0.0.1/a.js?pass={told}:1:1)"),
        "context": {"page": format!("#/join/{told}"), "password": told, "name": FIRST_NAME, "note": format!("Bearer {told}")},
    });
    let body = json!({"type": "error", "data": [error]});
    send(phone.request(Method::POST, "/telemetry").json(&body)).await.expect_status(202);
    let settings = |body: Json| send(desk.request(Method::PUT, "/admin/alerts/settings").json(&body));
    used.fault(
        desk.request(Method::PUT, "/admin/alerts/settings").json(&json!({"webhook": {"url": format!("x:{hook}")}})),
    )
    .await;
    settings(json!({"webhook": {"url": format!("http://127.0.0.1:9/{hook}")}})).await.expect_status(200);
    let test = desk.post("/admin/alerts/settings/test", &json!({})).await.expect_status(200);
    assert_eq!(test["ok"], false, "nobody listens there");
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while desk.get("/admin/errors").await.expect_status(200)["items"].as_array().is_some_and(Vec::is_empty) {
        assert!(tokio::time::Instant::now() < until, "the error was kept");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// What can be carried away from the desk, and what it tells of itself.
async fn exports(desk: &Desk) -> Vec<Place> {
    let audit = send(desk.request(Method::GET, "/admin/audit.csv")).await;
    assert_eq!(audit.status, 200);
    assert!(audit.text.lines().count() > 5, "the audit tells of what was done: {}", audit.text);
    let problems = desk.get("/admin/errors").await;
    let first = problems.body["items"][0]["fingerprint"].as_str().expect("a problem").to_owned();
    let problem = desk.get(&format!("/admin/errors/{first}")).await;
    assert!(problem.text.contains("‹secret›"), "it was kept without what is secret: {}", problem.text);
    let mut places =
        vec![Place::new("exported audit.csv", audit.text, false), Place::new("a problem", problem.text, true)];
    for (name, path, is_nobodys) in [
        ("the list of problems", "/admin/errors", true),
        ("the settings of alerts", "/admin/alerts/settings", true),
        ("what alerts said", "/admin/alerts/events", true),
        ("the settings of providers", "/admin/push", true),
        ("exported report", "/admin/report", true),
        ("the charts", "/admin/charts?range=1h", true),
        ("an exported chart", "/admin/charts/deliveries.csv?range=1h", true),
        ("the requests", "/admin/requests", true),
        ("what needs attention", "/admin/queue", false),
        ("the phones", "/admin/devices", false),
        ("codes that are open", "/admin/pairings/open", true),
    ] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        places.push(Place::new(name, answer.text, is_nobodys));
    }
    let figures = reqwest::Client::new().get(format!("{}/metrics", desk.program.admin)).bearer_auth(desk.token());
    let figures = send(figures).await;
    assert_eq!(figures.status, 200, "{}", figures.text);
    places.push(Place::new("the figures for scrapers", figures.text, true));
    places
}

/// Everything that a rehearsal says, with all it can log.
async fn rehearsal(folder: &Path) -> Vec<u8> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_showdesk-server"));
    program
        .args(["rehearse", "--phones", "3", "--ops", "10"])
        .env("TMPDIR", folder)
        .env("RUST_LOG", "info,showdesk_server=trace,showdesk_engine=trace")
        .env("NO_COLOR", "1");
    let output = program.kill_on_drop(true).output().await.expect("it runs");
    assert!(output.status.success());
    [output.stdout, output.stderr].concat()
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A secret as it is, and as encodings write it.
pub(crate) fn shapes(secret: &[u8]) -> Vec<Vec<u8>> {
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

pub(crate) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
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
