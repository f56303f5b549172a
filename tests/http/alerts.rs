//! Alerts from end to end: a rule, what was measured, a message on each way, and that it is over. Once each.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::{Json as Body, Router};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::desk::Desk;
use crate::live::Events;
use crate::messages::wait_for;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, fresh, insert, send, update};
use crate::seed::show_of;

on_both_engines!(
    a_phone_that_goes_away_with_unsent_work_is_told_once_and_so_is_its_return,
    what_is_said_goes_to_the_phones_of_admins_and_to_the_webhook,
    silence_and_quiet_hours_hold_messages_back,
    rules_are_checked_changed_and_put_back,
);

const DEADLINE: Duration = Duration::from_secs(30);
/// Stands in the webhook's address, as chat programs put a pass there.
const SECRET_PATH: &str = "canary-hook-7431";

async fn put(desk: &Desk, path: &str, body: &Json) -> Answer {
    send(desk.request(Method::PUT, path).json(body)).await
}

async fn look(desk: &Desk) {
    desk.post("/admin/workers/look-at-alerts/run", &json!({})).await.expect_status(200);
}

async fn rule(desk: &Desk, id: &str) -> Json {
    let rules = desk.get("/admin/alerts/rules").await.expect_status(200);
    let mut items = rules["items"].as_array().expect("items").iter();
    items.find(|item| item["rule"]["id"] == id).expect("it is there").clone()
}

/// Changes members of a rule.
async fn change(desk: &Desk, id: &str, changes: &Json) -> Json {
    let mut wanted = rule(desk, id).await["rule"].clone();
    let members = wanted.as_object_mut().expect("members");
    members.extend(changes.as_object().expect("members").clone());
    put(desk, "/admin/alerts/rules", &wanted).await.expect_status(200)
}

/// What was said by a rule, the oldest first.
async fn said(desk: &Desk, rule: &str) -> Vec<Json> {
    let events = desk.get("/admin/alerts/events").await.expect_status(200);
    let own = events["items"].as_array().expect("items").iter().filter(|event| event["rule"] == rule);
    own.rev().cloned().collect()
}

fn kinds(events: &[Json]) -> Vec<&str> {
    events.iter().map(|event| event["kind"].as_str().expect("a kind")).collect()
}

/// Looks until a rule has said so much.
async fn until_said(desk: &Desk, rule: &str, count: usize) -> Vec<Json> {
    let until = Instant::now() + DEADLINE;
    loop {
        look(desk).await;
        let events = said(desk, rule).await;
        if events.len() >= count {
            return events;
        }
        assert!(Instant::now() < until, "{rule} has said only {events:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn tell_unsent(phone: &Phone, count: i64) {
    let told = phone.request(Method::GET, "/sync/hello").header("x-client-pending", count);
    send(told).await.expect_status(200);
}

async fn a_phone_that_goes_away_with_unsent_work_is_told_once_and_so_is_its_return(mut desk: Desk) {
    let maria = desk.phone("Maria", &["scale"]).await;
    let mut stream = Events::of(&desk).await;
    change(&desk, "phone_away_unsent", &json!({"threshold": 1, "recovery": 0})).await;
    tell_unsent(&maria, 3).await;
    let events = until_said(&desk, "phone_away_unsent", 1).await;
    stream.wait_for("alerts", |_| true).await;
    assert_eq!(events[0]["headline"], "A phone is away with unsent work");
    let detail = events[0]["detail"].as_str().expect("a second line");
    assert!(detail.starts_with("Maria's phone: "), "{detail}");
    assert_eq!(events[0]["subjects"][0]["name"], "Maria's phone");
    let standing = rule(&desk, "phone_away_unsent").await;
    assert_eq!((&standing["state"]["phase"], &standing["built_in"]), (&json!("firing"), &json!(true)));
    assert_eq!((&standing["changed"], &standing["units"]["threshold"]), (&json!(true), &json!("seconds")));
    assert_eq!(standing["state"]["headline"], "A phone is away with unsent work");
    let words: Vec<&str> =
        standing["sentence"].as_array().expect("parts").iter().filter_map(|part| part["text"].as_str()).collect();
    assert_eq!(words.concat(), "a phone is away 1 s with unsent work");

    // What was told is known after a restart; and what the phone told is kept with the next commit.
    desk.apply(&[insert("rings", &fresh(), json!({"name": "Ring 1"}))]).await;
    drop(stream);
    desk.program.terminate().await;
    desk.start_again().await;
    for _ in 0..3 {
        look(&desk).await;
    }
    assert_eq!(kinds(&said(&desk, "phone_away_unsent").await), ["firing"]);
    assert_eq!(rule(&desk, "phone_away_unsent").await["state"]["phase"], "firing");

    let maria = Phone::with_token(&desk.program.http, maria.token()).await;
    tell_unsent(&maria, 0).await;
    let events = until_said(&desk, "phone_away_unsent", 2).await;
    for _ in 0..3 {
        look(&desk).await;
    }
    assert_eq!(kinds(&said(&desk, "phone_away_unsent").await), ["firing", "resolved"]);
    assert_eq!(
        (&events[1]["headline"], &events[1]["detail"]),
        (&json!("Phones with unsent work are back"), &json!("Maria's phone"))
    );
    let standing = rule(&desk, "phone_away_unsent").await;
    assert_eq!((&standing["state"]["phase"], &standing["state"]["firing"]), (&json!("normal"), &json!([])));

    // The report leaves the house: it says whose work the phone was there for, and not whose phone it is.
    let report = send(desk.request(Method::GET, "/admin/report")).await.text;
    let (_, told) = report.split_once("</style>").expect("letters, then words");
    assert!(told.contains("A phone is away with unsent work") && told.contains("Scale crew: 1 phone"), "{told}");
    assert!(!told.contains("Maria"), "{told}");
}

/// A page that takes what it is told, after it has answered as it was asked to.
#[derive(Clone, Default)]
struct Hook {
    answers: Arc<Mutex<Vec<u16>>>,
    heard: Arc<Mutex<Vec<(String, Json)>>>,
}

impl Hook {
    async fn start() -> (Self, SocketAddr) {
        let hook = Self::default();
        let routes = Router::new().fallback(hear).with_state(hook.clone());
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(socket, routes).await });
        (hook, address)
    }

    fn answer(&self, statuses: &[u16]) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = statuses.to_vec();
    }

    fn heard(&self) -> Vec<(String, Json)> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn hear(State(hook): State<Hook>, uri: Uri, headers: HeaderMap, Body(body): Body<Json>) -> impl IntoResponse {
    assert_eq!(headers["content-type"], "application/json");
    hook.heard.lock().unwrap_or_else(PoisonError::into_inner).push((uri.path().to_owned(), body));
    let mut answers = hook.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let status = if answers.is_empty() { 204 } else { answers.remove(0) };
    (StatusCode::from_u16(status).expect("a status"), [("location", "/elsewhere")])
}

async fn what_is_said_goes_to_the_phones_of_admins_and_to_the_webhook(desk: Desk) {
    let (hook, address) = Hook::start().await;
    let admin = desk.phone("Dan", &["admin"]).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let choose = async |body: Json| put(&desk, "/admin/alerts/settings", &body).await;
    let nothing = desk.post("/admin/alerts/settings/test", &json!({})).await.expect_status(200);
    assert_eq!(nothing["ok"], false);
    for url in ["ftp://example.org", "https://a:b@example.org/x", "nonsense", ""] {
        let refused = choose(json!({"webhook": {"url": url}})).await.expect_problem(422);
        assert_eq!(refused["code"], "invalid_address", "{url}");
    }
    let url = format!("http://{address}/{SECRET_PATH}");
    let chosen = choose(json!({"push": true, "webhook": {"url": url}})).await.expect_status(200);
    assert_eq!(chosen["webhook"]["address"], format!("http://{address}/…"));
    assert_eq!(
        (&chosen["desktop"], &chosen["push"], &chosen["quiet_hours"]),
        (&json!(true), &json!(true), &Json::Null)
    );

    let test = async || desk.post("/admin/alerts/settings/test", &json!({})).await.expect_status(200);
    assert_eq!(test().await["ok"], true);
    hook.answer(&[404, 302]);
    let refused = test().await;
    assert_eq!(refused["ok"], false);
    assert!(refused["sentence"].as_str().is_some_and(|text| text.contains("404")), "{refused}");
    assert_eq!(test().await["ok"], false, "it does not follow to another address");
    let paths: Vec<String> = hook.heard().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, vec![format!("/{SECRET_PATH}"); 3]);

    hook.answer(&[500]);
    change(&desk, "disk_low", &json!({"threshold": 1e18, "recovery": 1e18})).await;
    let told = until_said(&desk, "disk_low", 1).await.remove(0);
    let notice = wait_for(&admin, "The disk is almost full").await;
    assert_eq!((&notice["type"], &notice["data"]["open"]), (&json!("alert"), &json!("#/health/rule/disk_low")));
    assert_eq!(crate::messages::notices(&scale, 0).await["items"], json!([]), "only for those who run the show");
    let until = Instant::now() + DEADLINE;
    while said(&desk, "disk_low").await[0]["webhook"] != "sent" {
        assert!(Instant::now() < until, "{:?}", said(&desk, "disk_low").await);
        look(&desk).await;
        sleep(Duration::from_millis(100)).await;
    }
    let heard = hook.heard();
    let last = &heard.last().expect("it was heard").1;
    assert_eq!((&last["id"], &last["rule"], &last["kind"]), (&told["id"], &json!("disk_low"), &json!("firing")));
    assert!(last["text"].as_str().is_some_and(|text| text.starts_with("The disk is almost full: ")), "{last}");
    let same = heard.iter().filter(|(_, body)| body["id"] == told["id"]).count();
    assert_eq!(same, 2, "it was tried again under the same id: {heard:?}");
    assert_eq!(said(&desk, "disk_low").await[0]["push"], "waiting", "no phone has said that it has it");
    assert_eq!(crate::messages::acked(&admin, &notice["id"], "seen").await, 1);
    assert_eq!(said(&desk, "disk_low").await[0]["push"], "sent");

    // Whose phone it is stays in the show.
    let maria = desk.phone("Maria", &["scale"]).await;
    change(&desk, "phone_away_unsent", &json!({"threshold": 1, "recovery": 0})).await;
    tell_unsent(&maria, 3).await;
    let away = until_said(&desk, "phone_away_unsent", 1).await.remove(0);
    assert!(away["detail"].as_str().is_some_and(|detail| detail.starts_with("Maria's phone: ")), "{away}");
    let until = Instant::now() + DEADLINE;
    let letter = loop {
        if let Some((_, letter)) = hook.heard().into_iter().find(|(_, letter)| letter["id"] == away["id"]) {
            break letter;
        }
        assert!(Instant::now() < until, "{:?}", hook.heard());
        look(&desk).await;
    };
    let detail = letter["detail"].as_str().expect("a second line");
    assert!(detail.starts_with("A phone with 3 unsent entries: "), "{letter}");
    assert!(!letter.to_string().contains("Maria"), "{letter}");

    // Nothing ever tells the address.
    let settings = desk.get("/admin/alerts/settings").await;
    let told = [
        settings.text,
        desk.get("/admin/audit").await.text,
        desk.get("/admin/alerts/events").await.text,
        desk.get("/admin/errors").await.text,
    ];
    assert!(told.iter().all(|text| !text.contains(SECRET_PATH)), "{told:?}");
    let gone = choose(json!({"webhook": null, "push": false})).await.expect_status(200);
    assert_eq!((&gone["webhook"], &gone["push"]), (&Json::Null, &json!(false)));
}

async fn silence_and_quiet_hours_hold_messages_back(desk: Desk) {
    let (show, now) = show_of(&desk).await;
    let version = now["version"].as_i64().expect("a version");
    desk.apply(&[update("shows", &show, version, json!({"timezone": "UTC"}), json!({}))]).await;
    let mut own = rule(&desk, "wal_large").await["rule"].clone();
    let members = json!({
        "id": "memory_used", "metric": "memory", "threshold": 512, "recovery": 512, "wait": 0, "keep": 0, "repeat": null,
        "silenced_until": (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339(),
    });
    own.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
    put(&desk, "/admin/alerts/rules", &own).await.expect_status(200);
    let events = until_said(&desk, "memory_used", 1).await;
    assert_eq!(
        (&events[0]["quiet"], &events[0]["kind"]),
        (&json!(true), &json!("firing")),
        "it is noted, and told nobody"
    );
    assert!(rule(&desk, "memory_used").await["state"]["silenced_until"].is_string());
    change(&desk, "memory_used", &json!({"silenced_until": null})).await;
    let events = until_said(&desk, "memory_used", 2).await;
    assert_eq!(
        (&events[1]["quiet"], &events[1]["kind"]),
        (&json!(false), &json!("firing")),
        "it lasts, so it is told now"
    );

    let hour = |hours: i64| (chrono::Utc::now() + chrono::TimeDelta::hours(hours)).format("%H:%M").to_string();
    let hours = json!({"from": hour(-2), "until": hour(2)});
    let admin = desk.phone("Dan", &["admin"]).await;
    let wanted = json!({"quiet_hours": hours, "push": true});
    let chosen = put(&desk, "/admin/alerts/settings", &wanted).await.expect_status(200);
    assert_eq!((&chosen["quiet_hours"], &chosen["webhook"]), (&hours, &Json::Null));
    for bad in [json!({"from": "25:00", "until": "06:00"}), json!({"from": "22:00", "until": ""})] {
        put(&desk, "/admin/alerts/settings", &json!({"quiet_hours": bad})).await.expect_problem(422);
    }
    own["silenced_until"] = Json::Null;
    for (id, severity, quiet) in [("in_the_night", "warning", true), ("at_any_time", "critical", false)] {
        (own["id"], own["severity"]) = (json!(id), json!(severity));
        put(&desk, "/admin/alerts/rules", &own).await.expect_status(200);
        let events = until_said(&desk, id, 1).await;
        assert_eq!((&events[0]["quiet"], events[0]["push"].is_null()), (&json!(quiet), quiet), "{id}");
    }
    // In the night only what is critical comes to phones; the one that was said later has come.
    let notice = wait_for(&admin, "The memory Showdesk uses is over 512 bytes").await;
    let told = crate::messages::notices(&admin, 0).await;
    let opens: Vec<&Json> =
        told["items"].as_array().expect("items").iter().map(|notice| &notice["data"]["open"]).collect();
    assert_eq!(opens, ["#/health/rule/at_any_time"], "{notice}");
}

async fn rules_are_checked_changed_and_put_back(desk: Desk) {
    let came = rule(&desk, "slow_answers").await;
    assert_eq!((&came["changed"], &came["built_in"]), (&json!(false), &json!(true)));
    for (member, value) in [
        ("recovery", json!(900)),
        ("window", json!(0)),
        ("window", json!(7_200)),
        ("repeat", json!(5)),
        ("sinks", json!([])),
        ("aggregate", json!("last")),
        ("id", json!("Not A Name")),
        ("wait", json!(700_000)),
    ] {
        let mut bad = came["rule"].clone();
        bad[member] = value.clone();
        let refused = put(&desk, "/admin/alerts/rules", &bad).await.expect_problem(400);
        assert_eq!(refused["code"], "bad_rule", "{member} {value}");
        assert!(refused["detail"].as_str().is_some_and(|words| words.contains(' ')), "{refused}");
    }
    for (member, value) in [("metric", json!("nothing")), ("sinks", json!(["pigeon"])), ("extra", json!(1))] {
        let mut bad = came["rule"].clone();
        bad[member] = value;
        put(&desk, "/admin/alerts/rules", &bad).await.expect_problem(422);
    }
    let changed =
        change(&desk, "slow_answers", &json!({"threshold": 800.0, "sinks": ["stream", "stream", "push"]})).await;
    assert_eq!((&changed["changed"], &changed["rule"]["sinks"]), (&json!(true), &json!(["stream", "push"])));
    let own = change(&desk, "slow_answers", &json!({"id": "very_slow"})).await;
    assert_eq!(
        (&own["built_in"], &own["changed"], &own["rule"]["threshold"]),
        (&json!(false), &json!(false), &json!(800.0))
    );
    let remove = async |id: &str| send(desk.request(Method::DELETE, &format!("/admin/alerts/rules/{id}"))).await;
    for id in ["slow_answers", "very_slow", "slow_answers"] {
        assert_eq!(remove(id).await.status, 204, "{id}");
    }
    for id in ["very_slow", "nothing"] {
        remove(id).await.expect_problem(404);
    }
    assert_eq!(rule(&desk, "slow_answers").await, came, "as it came");
    let audit = desk.get("/admin/audit").await.expect_status(200);
    let actions: Vec<&Json> = audit["items"].as_array().expect("items").iter().map(|item| &item["action"]).collect();
    let removed = json!("alert_rule_removed");
    let set = json!("alert_rule_changed");
    assert_eq!(actions[..4], [&removed, &removed, &set, &set], "what changed nothing is no deed");
    assert_eq!(audit["items"][3]["after"]["sentence"], "slow answers (p95) take over 800 ms for 5 min");
    for bad in ["limit=0", "cursor=x", "cursor=1.2", "other=1"] {
        desk.get(&format!("/admin/alerts/events?{bad}")).await.expect_problem(400);
    }
}
