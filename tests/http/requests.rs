//! What a device learns before it sends, and how much it may send. What is refused stands in the tables of `hostile`.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, send};

on_both_engines!(
    the_desk_may_send_more_at_once,
    another_epoch_is_409_and_tells_which,
    limits_and_schema_are_told_in_hello,
    the_contract_is_served,
);

async fn the_desk_may_send_more_at_once(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let ops: Vec<Json> = (0..501).map(|_| insert("rings", &fresh(), json!({"name": "Ring"}))).collect();
    assert_eq!(phone.push(&ops[..500]).await.len(), 500);
    assert_eq!(desk.push(&ops).await.len(), 501);
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
