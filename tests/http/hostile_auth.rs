//! Hostile credentials (SECURITY.md §8, "Auth"): who has no good pass gets nothing, and nobody says of himself who he is.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::hostile::{Row, tables_on_both_engines};
use crate::on_both_engines;
use crate::phone::{Phone, fresh, send};
use crate::program::Engine;
use crate::wire::{Door, Request};

tables_on_both_engines!(
    a_request_without_a_good_token_is_401,
    a_removed_phone_is_403_everywhere,
    a_phones_token_opens_no_desk,
    nobody_says_himself_who_he_is,
    a_wrong_code_lets_nobody_in,
);

on_both_engines!(one_code_lets_one_of_fifty_phones_in, a_name_is_kept_as_text_and_nothing_else);

/// A record that nobody has.
const NOBODYS: &str = "0198b2c0-0000-7000-8000-000000000001";

/// Every path of the contract that needs a token, on the phones' listener.
async fn paths(desk: &Desk) -> Vec<(String, String)> {
    let contract = send(desk.stranger(Method::GET, "/openapi.json")).await.expect_status(200);
    let mut paths = Vec::new();
    for (path, item) in contract["paths"].as_object().expect("paths") {
        if path.starts_with("/api/v1/admin/") {
            continue;
        }
        for (method, operation) in item.as_object().expect("methods") {
            if operation.get("security").is_some() {
                paths.push((method.to_uppercase(), crate::hostile_contract::filled(path, NOBODYS, "rings")));
            }
        }
    }
    for known in ["/api/v1/me", "/api/v1/sync/push", &format!("/api/v1/me/conflicts/{NOBODYS}/disagree")] {
        assert!(paths.iter().any(|(_, path)| path == known), "{known} is in the contract: {paths:?}");
    }
    paths
}

fn ask(method: &str, path: &str) -> Request {
    let request = Request::new(Door::Phone, method, path);
    if method == "GET" { request } else { request.json("{}") }
}

async fn a_request_without_a_good_token_is_401(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let other_show = Desk::start(Engine::Sqlite).await;
    let elsewhere = other_show.phone("Scale 1", &["scale"]).await;
    let (token, elsewhere) = (phone.token().to_owned(), elsewhere.token().to_owned());
    let last = if token.ends_with('A') { "B" } else { "A" };
    let wrong = format!("{}{last}", &token[..token.len() - 1]);
    let long = format!("lsd_{}", "A".repeat(10_000));
    let mut rows = Vec::new();
    for (method, path) in &paths(desk).await {
        let mut row = |name: &str, request: Request, code: &'static str| {
            rows.push(Row::refused(format!("{method} {path}, {name}"), request, 401, code));
        };
        let with = |value: &str| ask(method, path).with("authorization", value);
        row("no token", ask(method, path), "token_required");
        row("Basic", with("Basic bHNkOmxzZA=="), "token_required");
        row(
            "two headers",
            with(&format!("Bearer {token}")).with("authorization", &format!("Bearer {token}")),
            "token_required",
        );
        row("a bearer without a token", with("Bearer"), "token_required");
        row("a token without a bearer", with(&token), "token_required");
        row("two tokens", with(&format!("Bearer {token} {token}")), "token_required");
        row("two blanks", with(&format!("Bearer  {token}")), "token_required");
        row("a hard blank behind", with(&format!("Bearer {token}\u{a0}")), "token_required");
        row("10,000 characters", with(&format!("Bearer {long}")), "token_required");
        row("the last character wrong", with(&format!("Bearer {wrong}")), "unknown_token");
        row("the prefix only", with("Bearer lsd_"), "unknown_token");
        row("without its prefix", with(&format!("Bearer {}", &token[4..])), "unknown_token");
        row("a part of it", with(&format!("Bearer {}", &token[..20])), "unknown_token");
        row("in upper case", with(&format!("Bearer {}", token.to_uppercase())), "unknown_token");
        row("with a mark of equality", with(&format!("Bearer {token}=")), "unknown_token");
        row("SQL", with("Bearer lsd_'or(1=1)--"), "unknown_token");
        row("of another show", with(&format!("Bearer {elsewhere}")), "unknown_token");
        let query = format!("{path}?token={token}&access_token={token}&authorization=Bearer%20{token}");
        row("in the address", ask(method, &query), "token_required");
        row(
            "in a cookie",
            ask(method, path).with("cookie", &format!("token={token}; session={token}")),
            "token_required",
        );
        row("in another header", ask(method, path).with("x-token", &token).with("x-api-key", &token), "token_required");
    }
    let hello = |scheme: &str| ask("GET", "/api/v1/sync/hello").with("authorization", &format!("{scheme} {token}"));
    rows.push(Row::taken("the scheme in other letters", hello("bEaReR"), 200));
    rows
}

async fn a_removed_phone_is_403_everywhere(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    revoke(desk, "Scale 1").await;
    let refused = |(method, path): (String, String)| {
        let request = ask(&method, &path).bearer(phone.token());
        Row::refused(format!("{method} {path}"), request, 403, "device_removed")
    };
    paths(desk).await.into_iter().map(refused).collect()
}

async fn revoke(desk: &Desk, name: &str) {
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let devices = devices["items"].as_array().expect("items");
    let device = devices.iter().find(|device| device["name"] == name).expect("it is listed");
    let path = format!("/admin/devices/{}/revoke", device["id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
}

async fn a_phones_token_opens_no_desk(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Office", &["admin"]).await;
    let contract = send(desk.stranger(Method::GET, "/openapi.json")).await.expect_status(200);
    let mut rows = Vec::new();
    for (path, item) in contract["paths"].as_object().expect("paths") {
        if !path.starts_with("/api/v1/admin/") || path == "/api/v1/admin/session" {
            continue;
        }
        for method in item.as_object().expect("methods").keys() {
            let path = crate::hostile_contract::filled(path, &fresh(), "rings");
            let method = method.to_uppercase();
            let ask = |door| {
                let request = Request::new(door, &method, &path);
                if method == "GET" { request } else { request.json("{}") }
            };
            let name = format!("{method} {}", path.split("/0").next().unwrap_or(&path));
            rows.push(Row::refused(format!("{name}, no token"), ask(Door::Admin), 401, "token_required"));
            let known = ask(Door::Admin).bearer(phone.token());
            rows.push(Row::refused(format!("{name}, a phone's"), known, 403, "desk_only"));
            let outside = ask(Door::Phone).bearer(desk.token());
            rows.push(Row::refused(format!("{name}, from the Wi-Fi"), outside, 404, "not_found"));
        }
    }
    rows
}

async fn nobody_says_himself_who_he_is(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let code = desk.pairing_code(&["viewer"], "open").await;
    let claim = |more: Json| {
        let mut body = json!({"code": code, "device_name": "Scale 2", "platform": "web"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        Request::new(Door::Phone, "POST", "/api/v1/pairing/claim").json(body.to_string())
    };
    let invalid = |name: &str, request: Request| Row::refused(name, request, 422, "invalid_body");
    let open = |more: Json| {
        let mut body = json!({"functions": ["scale"]});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        Request::new(Door::Admin, "POST", "/api/v1/admin/pairings").bearer(desk.token()).json(body.to_string())
    };
    let hello = Request::new(Door::Phone, "GET", "/api/v1/sync/hello").bearer(phone.token());
    let at_desk = Request::new(Door::Admin, "GET", "/api/v1/sync/hello").bearer(desk.token());
    vec![
        invalid("a claim with a role", claim(json!({"role": "admin"}))),
        invalid("a claim with functions", claim(json!({"functions": ["admin"]}))),
        invalid("a claim with a scope", claim(json!({"scope": {}}))),
        invalid("a claim with a user", claim(json!({"user_id": fresh()}))),
        invalid("a claim with a device", claim(json!({"device_id": fresh()}))),
        invalid("a claim with permissions", claim(json!({"permissions": {"granted": ["weigh"]}}))),
        invalid("a claim with a prototype", claim(json!({"__proto__": {"role": "admin"}}))),
        invalid("a claim whose code is a number", claim(json!({"code": 5}))),
        invalid("a claim whose code is a list", claim(json!({"code": [code]}))),
        invalid("a claim without a name", claim(json!({"device_name": null}))),
        invalid("a code for owners", open(json!({"functions": ["owner"]}))),
        invalid("a code for a function in other letters", open(json!({"functions": ["Admin"]}))),
        invalid("a code with a role", open(json!({"role": "owner"}))),
        invalid("a code for a ring that is no id", open(json!({"scope": {"ring_ids": ["x"]}}))),
        invalid("a code with another scope", open(json!({"scope": {"show_ids": []}}))),
        Row::refused("a code for nothing", open(json!({"functions": []})), 422, "required"),
        Row::refused("a code for ever", open(json!({"expires_in_s": i64::MAX})), 422, "out_of_range"),
        Row::refused("a code for no time", open(json!({"expires_in_s": 0})), 422, "out_of_range"),
        Row::refused("a name of blanks", claim(json!({"device_name": " \u{202e}\u{7} "})), 422, "required"),
        Row::refused("a name of 201 characters", claim(json!({"device_name": "x".repeat(201)})), 422, "too_large"),
        Row::refused(
            "a name of 10,000 characters",
            claim(json!({"device_name": "x".repeat(10_000)})),
            413,
            "body_too_large",
        ),
        Row::taken("a phone that calls itself another person", hello.with("x-desk-person", &fresh()), 200),
        Row::refused("a desk whose person is no id", at_desk.with("x-desk-person", "x"), 400, "invalid_header"),
    ]
}

async fn a_wrong_code_lets_nobody_in(desk: &Desk) -> Vec<Row> {
    let code = desk.pairing_code(&["scale"], "single").await;
    let used = desk.pairing_code(&["scale"], "single").await;
    let claim = |code: &str| {
        let body = json!({"code": code, "device_name": "Scale 9", "platform": "web"});
        Request::new(Door::Phone, "POST", "/api/v1/pairing/claim").json(body.to_string())
    };
    claim(&used).send(desk).await;
    let flipped: String = code
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let unknown = |name: &str, code: &str| Row::refused(name, claim(code), 404, "not_found");
    let path = |id: &str| Request::new(Door::Phone, "GET", &format!("/api/v1/pairing/{id}"));
    let open = Request::new(Door::Admin, "POST", "/api/v1/admin/session");
    vec![
        Row::refused("a code that was used", claim(&used), 410, "gone"),
        unknown("no code", ""),
        unknown("a code of nobody", "AAAAAAAAAAAAAAAAAAAAAA"),
        unknown("a code without its end", &code[..code.len() - 1]),
        unknown("a code with an end", &format!("{code}A")),
        unknown("a code in other letters", &flipped),
        unknown("a code of 7,000 characters", &"A".repeat(7_000)),
        unknown("a code with a NUL", "AAAA\u{0}AAAA"),
        unknown("a code of SQL", "' OR '1'='1"),
        unknown("a code of two ends", "\u{202e}AAAA\u{1f404}"),
        Row::refused("a claim of nobody", path(&fresh()), 404, "not_found"),
        Row::refused("a claim of no id", path("x"), 404, "not_found"),
        Row::refused("a claim of the nil id", path("00000000-0000-0000-0000-000000000000"), 404, "not_found"),
        Row::refused(
            "a desk link of nobody",
            open.clone().json(r#"{"code":"AAAAAAAAAAAAAAAAAAAAAA"}"#),
            404,
            "unknown_code",
        ),
        Row::refused("a desk link that is a number", open.clone().json(r#"{"code":5}"#), 422, "invalid_body"),
        Row::refused("a desk link with a role", open.json(r#"{"code":"x","role":"owner"}"#), 422, "invalid_body"),
    ]
}

async fn one_code_lets_one_of_fifty_phones_in(desk: Desk) {
    let code = desk.pairing_code(&["scale"], "single").await;
    let claims = (0..50).map(|number| {
        let body = json!({"code": code, "device_name": format!("Phone {number}"), "platform": "web"});
        send(desk.stranger(Method::POST, "/pairing/claim").json(&body))
    });
    let mut won = 0;
    for answer in futures_util::future::join_all(claims).await {
        if answer.status == 201 {
            won += 1;
        } else {
            assert_eq!(answer.expect_problem(410)["code"], "gone");
        }
    }
    assert_eq!((won, desk.waiting().await.len()), (1, 1), "exactly one phone waits");
}

async fn a_name_is_kept_as_text_and_nothing_else(desk: Desk) {
    for (typed, kept) in [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("\u{202e}Scale\u{2069} \u{7}1\r\n", "Scale 1"),
        ("'); DROP TABLE devices;--", "'); DROP TABLE devices;--"),
        ("%_=cmd|' /C calc'!A0", "%_=cmd|' /C calc'!A0"),
        ("a\u{0}b", "ab"),
        ("\u{1f404}\u{200d}\u{1f33e}", "\u{1f404}\u{200d}\u{1f33e}"),
    ] {
        let phone = desk.phone(typed, &["scale"]).await;
        let names = names(&desk).await;
        assert!(names.iter().any(|name| name == kept), "{typed:?} is not kept as {kept:?}: {names:?}");
        works(&phone).await;
    }
    let code = desk.pairing_code(&["scale"], "single").await;
    let claim = json!({"code": code, "device_name": "Scale", "platform": "web\u{0}\u{202e}<b>"});
    send(desk.stranger(Method::POST, "/pairing/claim").json(&claim)).await.expect_status(201);
    let waiting = desk.waiting().await;
    let platform = waiting[0]["platform"].as_str().expect("a platform");
    assert!(!platform.contains(['\u{0}', '\u{202e}']), "{platform:?}");
}

async fn names(desk: &Desk) -> Vec<String> {
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let items = devices["items"].as_array().expect("items");
    items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

async fn works(phone: &Phone) {
    send(phone.request(Method::GET, "/sync/hello")).await.expect_status(200);
}
