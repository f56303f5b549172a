//! Requests that cannot be accepted as a whole: each has its status, and each answer is problem+json.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, send};

on_both_engines!(
    a_body_that_is_no_push_is_400,
    a_body_that_is_too_large_is_413,
    a_body_of_another_type_is_415,
    a_request_without_a_good_token_is_401,
    the_phone_listener_has_no_admin_paths,
    unknown_paths_and_methods_are_problems_too,
    another_epoch_is_409_and_tells_which,
    limits_and_schema_are_told_in_hello,
    the_contract_is_served,
);

async fn a_body_that_is_no_push_is_400(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let good = phone.envelope(&[]).to_string();
    let with_extra = good.replacen('{', "{\"extra\": 1,", 1);
    let twice = good.replacen('{', "{\"protocol\": 1,", 1);
    let deep = good.replacen('{', &format!("{{\"extra\": {}{},", "[".repeat(100_000), "]".repeat(100_000)), 1);
    let deep_op =
        good.replacen("\"ops\":[]", &format!("\"ops\":[{{\"data\":{}{}}}]", "[".repeat(17), "]".repeat(17)), 1);
    assert_ne!(deep_op, good);
    let texts = [
        String::new(),
        "{".to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good} trailing"),
        format!("\u{feff}{good}"),
        format!("[{good}]"),
        "{}".to_owned(),
        "null".to_owned(),
        good.replacen("\"protocol\":1", "\"protocol\":\"1\"", 1),
        good.replacen("\"ops\":[]", "\"ops\":{}", 1),
        with_extra,
        twice,
        deep,
        deep_op,
        good.replacen("\"ops\":[]", "\"ops\":[{\"op_id\":\"\\ud800\"}]", 1),
    ];
    for text in texts {
        let shown: String = text.chars().take(120).collect();
        let answer = phone.push_text(text).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown} gave {}", answer.text);
        answer.expect_problem(400);
    }
    phone.push_text(b"{\"protocol\": \xff}".to_vec()).await.expect_problem(400);
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    phone.push_text(utf16).await.expect_problem(400);
    phone.push_text(good).await.expect_status(200);
}

async fn a_body_that_is_too_large_is_413(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut envelope = phone.envelope(&[]);
    envelope["incarnation"] = json!("x".repeat(10 * 1024 * 1024));
    phone.push_envelope(&envelope).await.expect_problem(413);
    let ops: Vec<Json> = (0..501).map(|_| insert("rings", &fresh(), json!({"name": "Ring"}))).collect();
    phone.push_envelope(&phone.envelope(&ops)).await.expect_problem(413);
    assert_eq!(phone.push(&ops[..500]).await.len(), 500);
    assert_eq!(desk.push(&ops).await.len(), 501, "the desk may send more at once");
}

async fn a_body_of_another_type_is_415(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let text = phone.envelope(&[]).to_string();
    for content_type in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
        let request = phone.request(Method::POST, "/sync/push").header("content-type", content_type).body(text.clone());
        send(request).await.expect_problem(415);
    }
    send(phone.request(Method::POST, "/sync/push").body(text.clone())).await.expect_problem(415);
    let with_charset =
        phone.request(Method::POST, "/sync/push").header("content-type", "application/json; charset=utf-8");
    send(with_charset.body(text)).await.expect_status(200);
}

async fn a_request_without_a_good_token_is_401(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let token = phone.token().to_owned();
    let other_last = if token.ends_with('A') { "B" } else { "A" };
    let wrong = format!("{}{other_last}", &token[..token.len() - 1]);
    let calls = [
        (Method::GET, "/sync/hello"),
        (Method::POST, "/sync/push"),
        (Method::GET, "/sync/pull"),
        (Method::POST, "/sync/ops/status"),
        (Method::GET, "/live"),
        (Method::GET, "/me/conflicts"),
        (Method::POST, "/me/token"),
    ];
    for (method, path) in calls {
        send(desk.stranger(method.clone(), path)).await.expect_problem(401);
        for bearer in [wrong.as_str(), &token[..10], ""] {
            send(desk.stranger(method.clone(), path).bearer_auth(bearer)).await.expect_problem(401);
        }
        send(desk.stranger(method.clone(), path).basic_auth("x", Some(&token))).await.expect_problem(401);
        send(desk.stranger(method, &format!("{path}?token={token}&access_token={token}"))).await.expect_problem(401);
    }
    let admin = format!("{}/api/v1/admin/devices", desk.program.admin);
    send(Client::new().get(&admin)).await.expect_problem(401);
    send(Client::new().get(&admin).bearer_auth(&token)).await.expect_problem(403);
}

async fn the_phone_listener_has_no_admin_paths(desk: Desk) {
    let paths = [
        "/admin/devices",
        "/admin/conflicts",
        "/admin/pairings",
        "/admin/overview",
        "/admin/import/entries",
        "/admin/nothing",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST] {
            let request = desk.stranger(method.clone(), path).bearer_auth(desk.token());
            send(request).await.expect_problem(404);
            send(desk.stranger(method, path)).await.expect_problem(404);
        }
    }
}

async fn unknown_paths_and_methods_are_problems_too(desk: Desk) {
    for path in ["/nothing", "/sync", "/sync/pull/more", "/pairing/..%2f..%2fadmin.token"] {
        let answer = send(desk.stranger(Method::GET, path)).await;
        assert!([400, 401, 404].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
        assert_eq!(answer.content_type, "application/problem+json", "{path}");
    }
    send(desk.stranger(Method::DELETE, "/ping")).await.expect_problem(405);
    send(desk.stranger(Method::TRACE, "/ping")).await.expect_problem(405);
}

async fn another_epoch_is_409_and_tells_which(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut envelope = phone.envelope(&[]);
    envelope["epoch"] = json!(fresh());
    let problem = phone.push_envelope(&envelope).await.expect_problem(409);
    assert_eq!(problem["code"], "epoch_mismatch");
    assert_eq!(problem["epoch"], phone.epoch);
}

async fn limits_and_schema_are_told_in_hello(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let hello = send(phone.request(Method::GET, "/sync/hello")).await.expect_status(200);
    assert_eq!(hello["protocol"], json!([1, 1]));
    assert_eq!(hello["limits"], json!({"ops": 500, "bytes": 1_048_576}));
    assert!(hello["schema"]["current"].is_i64() && hello["schema"]["min_pull"].is_i64());
    assert!(hello["clock"].is_i64() && hello["oldest_seq"].is_i64());
    assert!(hello["epoch"].is_string() && hello["server_time"].is_string());
}

async fn the_contract_is_served(desk: Desk) {
    let contract = send(desk.stranger(Method::GET, "/openapi.json")).await.expect_status(200);
    assert!(contract["openapi"].as_str().expect("a version").starts_with("3.1"));
    for path in ["/api/v1/sync/push", "/api/v1/sync/pull", "/api/v1/pairing/claim"] {
        let short = path.trim_start_matches("/api/v1");
        let paths = &contract["paths"];
        assert!(paths[path].is_object() || paths[short].is_object(), "{path} is in the contract");
    }
}
