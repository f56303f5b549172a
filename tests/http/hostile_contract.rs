//! Hostile texts wherever the contract takes one: each body, each parameter, each part of a path.
//!
//! The rows are made from the document that the program serves, so that a new path is attacked from its first day.

use reqwest::Method;
use serde_json::Value as Json;

use crate::desk::Desk;
use crate::hostile::{Row, tables_on_both_engines};
use crate::phone::{fresh, send};
use crate::seed::seed;
use crate::wire::{Door, Request};

tables_on_both_engines!(
    a_body_that_cannot_be_read_is_refused_everywhere,
    a_parameter_that_means_no_good_does_no_harm,
    a_part_of_a_path_that_means_no_good_does_no_harm,
);

/// What people put where a text is expected, as it stands in an address.
const TEXTS: [&str; 20] = [
    "",
    "%00",
    "a%00b",
    "%ff",
    "%ed%a0%80",
    "%E2%80%AE",
    "%F0%9F%90%84",
    "%27",
    "%27%20OR%201=1--",
    "%25%5F%5C",
    "%22%7D",
    "-1",
    "1e400",
    "0x10",
    "1.5",
    "NaN",
    "9223372036854775808",
    "99999999999999999999999999999999999999999",
    "..%2f..%2fadmin.token",
    "00000000-0000-0000-0000-000000000000",
];

/// One operation of the contract.
struct Operation {
    method: String,
    path: String,
    described: Json,
}

impl Operation {
    fn door(&self) -> Door {
        if self.path.starts_with("/api/v1/admin/") { Door::Admin } else { Door::Phone }
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Parameters that stand there.
    fn parameters(&self, place: &str) -> Vec<String> {
        let all = self.described["parameters"].as_array().cloned().unwrap_or_default();
        let there = all.iter().filter(|parameter| parameter["in"] == place);
        there.map(|parameter| parameter["name"].as_str().expect("a name").to_owned()).collect()
    }

    fn request(&self, path: &str, tokens: &Tokens) -> Request {
        let token = if self.door() == Door::Admin { &tokens.desk } else { &tokens.phone };
        Request::new(self.door(), &self.method, path).bearer(token)
    }
}

struct Tokens {
    desk: String,
    phone: String,
}

/// A path of the contract with something in each of its places.
pub(crate) fn filled(path: &str, id: &str, table: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{table_name}" => table,
        "{name}" => "process-sync-queue",
        part if part.starts_with('{') => id,
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn operations(desk: &Desk) -> Vec<Operation> {
    let contract = send(desk.stranger(Method::GET, "/openapi.json")).await.expect_status(200);
    let mut operations = Vec::new();
    for (path, item) in contract["paths"].as_object().expect("paths") {
        for (method, described) in item.as_object().expect("methods") {
            let method = method.to_uppercase();
            operations.push(Operation { method, path: path.clone(), described: described.clone() });
        }
    }
    assert!(operations.len() > 40, "the whole contract: {}", operations.len());
    operations
}

async fn tokens(desk: &Desk) -> Tokens {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    Tokens { desk: desk.token().to_owned(), phone: phone.token().to_owned() }
}

async fn a_body_that_cannot_be_read_is_refused_everywhere(desk: &Desk) -> Vec<Row> {
    let tokens = tokens(desk).await;
    let mut rows = Vec::new();
    for operation in operations(desk).await {
        if operation.method == "GET" || operation.described["requestBody"]["content"]["text/csv"].is_object() {
            continue;
        }
        let path = filled(&operation.path, &fresh(), "rings");
        let request = operation.request(&path, &tokens);
        let of_sync = operation.path.starts_with("/api/v1/sync/");
        let shape = if of_sync { (400, "invalid_envelope") } else { (422, "invalid_body") };
        let nested = |levels: usize| format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        for (name, body, (status, code)) in [
            ("a list", b"[{}]".to_vec(), (400, "invalid_json")),
            ("half of it", b"{\"".to_vec(), (400, "invalid_json")),
            ("two of it", b"{}{}".to_vec(), (400, "invalid_json")),
            ("a byte order mark", "\u{feff}{}".into(), (400, "invalid_json")),
            ("no UTF-8", b"{\"\xff\":1}".to_vec(), (400, "invalid_json")),
            ("half a surrogate pair", br#"{"x":"\ud800"}"#.to_vec(), (400, "invalid_json")),
            ("17 levels", nested(16).into_bytes(), (400, "too_deep")),
            ("a key twice", b"{\"x\":1,\"x\":1}".to_vec(), (400, "duplicate_key")),
            ("a member nobody knows", b"{\"__proto__\":{\"role\":\"owner\"}}".to_vec(), shape),
            ("a NUL as a member", br#"{"\u0000":1}"#.to_vec(), shape),
        ] {
            let request = request.clone().json(body);
            rows.push(Row::refused(format!("{}, {name}", operation.name()), request, status, code));
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let request = request.clone().carrying(kind, "{}");
            rows.push(Row::refused(format!("{}, {kind}", operation.name()), request, 415, "unsupported_media_type"));
        }
        let packed = request.clone().json("{}").with("content-encoding", "br");
        rows.push(Row::refused(format!("{}, packed by br", operation.name()), packed, 415, "unsupported_media_type"));
        let endless = request.with("content-type", "application/json").with("content-length", "9999999999");
        rows.push(Row::refused(format!("{}, 10 GB", operation.name()), endless, 413, "body_too_large"));
    }
    rows
}

async fn a_parameter_that_means_no_good_does_no_harm(desk: &Desk) -> Vec<Row> {
    seed(desk).await;
    let tokens = tokens(desk).await;
    let mut rows = Vec::new();
    for operation in operations(desk).await.into_iter().filter(|operation| operation.method == "GET") {
        let path = filled(&operation.path, &fresh(), "rings");
        for name in operation.parameters("query") {
            for text in TEXTS {
                let request = operation.request(&format!("{path}?{name}={text}"), &tokens);
                rows.push(Row::unharmed(format!("{}?{name}={text}", operation.name()), request));
            }
            let long = format!("{path}?{name}={}", "9".repeat(7_000));
            rows.push(Row::unharmed(format!("{}?{name}=9…", operation.name()), operation.request(&long, &tokens)));
            let twice = format!("{path}?{name}=1&{name}=2");
            let twice = operation.request(&twice, &tokens);
            rows.push(Row::refused(format!("{}?{name} twice", operation.name()), twice, 400, "invalid_query"));
        }
    }
    rows
}

async fn a_part_of_a_path_that_means_no_good_does_no_harm(desk: &Desk) -> Vec<Row> {
    let tokens = tokens(desk).await;
    let mut rows = Vec::new();
    for operation in operations(desk).await {
        for name in operation.parameters("path") {
            for text in TEXTS.into_iter().filter(|text| !text.is_empty()) {
                let path = filled(&operation.path.replace(&format!("{{{name}}}"), text), &fresh(), "rings");
                let request = operation.request(&path, &tokens);
                let request = if operation.method == "GET" { request } else { request.json("{}") };
                rows.push(Row::unharmed(format!("{}, {name}: {text}", operation.name()), request));
            }
        }
    }
    rows
}
