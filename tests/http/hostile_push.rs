//! Hostile addresses and settings of messages that leave the show (SECURITY.md §8, "Push tokens"): nothing leads into the
//! show's own network, and nobody's address is taken away.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::hostile::{Row, tables_on_both_engines};
use crate::phone::fresh;
use crate::push_tokens::{P256DH, RSA, page, register, service_account, set_up};
use crate::wire::{Door, Request};

tables_on_both_engines!(
    an_address_that_means_no_good_is_refused,
    a_phones_address_is_nobody_elses,
    settings_that_cannot_be_meant_set_nothing,
);

fn put(door: Door, path: &str, token: &str, body: &Json) -> Request {
    Request::new(door, "PUT", path).bearer(token).json(body.to_string())
}

async fn an_address_that_means_no_good_is_refused(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let good = page("https://93.184.216.34/push/abc");
    register(&phone, &good).await.expect_status(201);
    let with = |field: &str, value: Json| {
        let mut token = good.clone();
        token[field] = value;
        token
    };
    let mut refused: Vec<Json> = ADDRESSES.map(page).to_vec();
    refused.extend([
        with("p256dh", json!(P256DH.replacen("BCVx", "BCVy", 1))),
        with("p256dh", json!("")),
        with("p256dh", json!(P256DH[..40])),
        with("p256dh", Json::Null),
        with("auth", json!("AAAA")),
        with("auth", json!("A".repeat(10_000))),
        with("auth", Json::Null),
        with("platform", json!("windows")),
        with("token", json!(format!("https://93.184.216.34/{}", "a".repeat(3_000)))),
        with("token", json!("https://93.184.216.34/a\u{0}b")),
        json!({"platform": "ios", "token": "no hexadecimal"}),
        json!({"platform": "ios", "token": "zz"}),
        json!({"platform": "ios", "token": "ab12", "environment": "test"}),
        json!({"platform": "android", "token": "a b"}),
        json!({"platform": "android", "token": "☎"}),
        json!({"platform": "android", "token": "a", "app_id": "x".repeat(300)}),
    ]);
    let unreadable = [
        with("user_id", json!(fresh())),
        with("device_id", json!(fresh())),
        with("__proto__", json!({"platform": "ios"})),
        with("token", json!(5)),
        with("token", json!(["https://93.184.216.34/a"])),
        json!({"platform": "web"}),
    ];
    let tell = |token: &Json| put(Door::Phone, "/api/v1/me/push-tokens", phone.token(), token);
    let name = |token: &Json| token.to_string().chars().take(120).collect::<String>();
    let mut rows: Vec<Row> =
        refused.iter().map(|token| Row::refused(name(token), tell(token), 422, "invalid_push_token")).collect();
    rows.extend(unreadable.iter().map(|token| Row::refused(name(token), tell(token), 422, "invalid_body")));
    rows.push(Row::taken("the same address once more", tell(&good), 200));
    rows
}

/// Where no message service is.
const ADDRESSES: [&str; 24] = [
    "http://127.0.0.1",
    "http://169.254.169.254",
    "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/a",
    "https://127.1/a",
    "https://2130706433/a",
    "https://0.0.0.0/a",
    "https://[::1]/a",
    "https://[::ffff:192.168.1.10]/a",
    "https://[fe80::1]/a",
    "https://[fd00::1]/a",
    "https://10.0.0.7:7421/a",
    "https://172.16.0.1/a",
    "https://192.168.1.10/a",
    "https://100.64.0.1/a",
    "https://224.0.0.1/a",
    "https://localhost/a",
    "https://user:word@93.184.216.34/a",
    "http://93.184.216.34/a",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "",
    "not an address",
    "//93.184.216.34/a",
];

async fn a_phones_address_is_nobody_elses(desk: &Desk) -> Vec<Row> {
    let (phone, other) = (desk.phone("Scale 1", &["scale"]).await, desk.phone("Gate 1", &["gate"]).await);
    let token = page("https://93.184.216.34/push/abc");
    let kept = register(&phone, &token).await.expect_status(201);
    let path = format!("/api/v1/me/push-tokens/{}", kept["id"].as_str().expect("an id"));
    let remove = |path: &str| Request::new(Door::Phone, "DELETE", path);
    let own = "/api/v1/me/push-tokens";
    vec![
        Row::refused("another phone removes it", remove(&path).bearer(other.token()), 404, "not_found"),
        Row::refused("the desk removes it", remove(&path).bearer(desk.token()), 404, "not_found"),
        Row::refused("nobody removes it", remove(&path), 401, "token_required"),
        Row::refused(
            "no address is removed",
            remove(&format!("{own}/{}", fresh())).bearer(phone.token()),
            404,
            "not_found",
        ),
        Row::refused("no id is removed", remove(&format!("{own}/x")).bearer(phone.token()), 404, "not_found"),
        Row::refused(
            "nobody tells one",
            Request::new(Door::Phone, "PUT", own).json(token.to_string()),
            401,
            "token_required",
        ),
        Row::refused("the desk tells one", put(Door::Admin, own, desk.token(), &token), 403, "forbidden"),
    ]
}

async fn settings_that_cannot_be_meant_set_nothing(desk: &Desk) -> Vec<Row> {
    set_up(desk, "fcm", &json!({"service_account": service_account()})).await.expect_status(200);
    let apple = |key: &str| json!({"key": key, "key_id": "ABC1234567", "team_id": "TEAM123456", "topic": "a.b"});
    let fcm = |endpoint: &str| json!({"service_account": service_account(), "endpoint": endpoint});
    let web = |subject: &str| json!({"subject": subject});
    let half = json!({"type": "service_account"}).to_string();
    let rows = [
        ("fcm", json!({"service_account": "PK"}), "not_a_service_account"),
        ("fcm", json!({"service_account": half}), "service_account_incomplete"),
        ("fcm", json!({"service_account": 5}), "invalid_body"),
        ("fcm", json!({"key": "x"}), "invalid_body"),
        ("fcm", fcm("http://push.example.org"), "invalid_endpoint"),
        ("fcm", fcm("http://192.168.1.5:80"), "invalid_endpoint"),
        ("fcm", fcm("file:///etc/passwd"), "invalid_endpoint"),
        ("apns", json!({}), "required"),
        ("apns", apple("x"), "apple_key"),
        ("apns", apple(RSA), "apple_key"),
        ("web", json!({}), "required"),
        ("web", web("somebody"), "invalid_contact"),
        ("web", web("javascript:alert(1)"), "invalid_contact"),
    ];
    let path = |provider: &str| format!("/api/v1/admin/push/{provider}");
    let mut rows: Vec<Row> = rows
        .iter()
        .map(|(provider, body, code)| {
            let name: String = format!("{provider} {body}").chars().take(120).collect();
            Row::refused(name, put(Door::Admin, &path(provider), desk.token(), body), 422, code)
        })
        .collect();
    let ask = |door, method: &str, path: &str| Request::new(door, method, path).bearer(desk.token());
    rows.extend([
        Row::refused("an unknown provider goes", ask(Door::Admin, "DELETE", &path("telegraph")), 404, "not_found"),
        Row::refused(
            "the show's own way is tried",
            ask(Door::Admin, "POST", "/api/v1/admin/push/local/test").json("{}"),
            404,
            "not_found",
        ),
        Row::refused("from the Wi-Fi", ask(Door::Phone, "GET", "/api/v1/admin/push"), 404, "not_found"),
    ]);
    rows
}
