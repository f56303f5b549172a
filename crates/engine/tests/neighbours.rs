//! What fails alone must not take its neighbours down, and nothing is applied by halves.

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use showdesk_engine::api::sync::{Push, PushAnswer, VerdictName};
use showdesk_engine::{Engine, EngineError, Options};
use tempfile::TempDir;
use uuid::Uuid;

async fn open(folder: &TempDir) -> Engine {
    let options = Options::new(folder.path());
    Engine::open(options).await.expect("a show")
}

fn op(operation: &str, id: Uuid, data: &serde_json::Value, seq: i64) -> Box<RawValue> {
    let version = i64::from(operation != "insert");
    to_raw_value(&json!({
        "op_id": Uuid::now_v7().to_string(), "device_seq": seq, "table_name": "exhibitors", "record_id": id.to_string(),
        "operation": operation, "base_version": version, "data": data,
    }))
    .expect("JSON")
}

async fn push(engine: &Engine, ops: Vec<Box<RawValue>>) -> Vec<VerdictName> {
    let answer = try_push(engine, ops).await.expect("an answer");
    answer.results.into_iter().map(|result| result.verdict).collect()
}

async fn try_push(engine: &Engine, ops: Vec<Box<RawValue>>) -> Result<PushAnswer, EngineError> {
    let actor = engine.desk_actor().await.expect("the desk");
    let epoch = engine.installation().await.expect("an installation").epoch;
    engine.push(&actor, Push::of(epoch, Uuid::from_u128(7), ops)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_row_fails_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(&folder).await;
    let ids = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    let name = |text: &str| json!({"first_name": text, "last_name": "Reed"});
    let inserts = (0_i64..).zip(ids).map(|(seq, id)| op("insert", id, &name("Ida"), seq)).collect();
    assert_eq!(push(&engine, inserts).await, [VerdictName::Applied; 3]);

    let file = rusqlite::Connection::open(folder.path().join("showdesk.sqlite")).expect("the database");
    file.execute("UPDATE exhibitors SET provenance = 'no json' WHERE id = ?1", [ids[1].to_string()]).expect("damage");
    drop(file);

    let updates = (10_i64..).zip(ids).map(|(seq, id)| op("update", id, &json!({"first_name": "Eva"}), seq)).collect();
    let verdicts = push(&engine, updates).await;
    assert_eq!(verdicts, [VerdictName::Applied, VerdictName::Rejected, VerdictName::Applied]);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_program_on_the_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(&folder).await;
    let options = Options::new(folder.path());
    let second = Engine::open(options).await;
    assert!(second.is_err_and(|error| error.to_string().contains("already open")));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_not_applied_by_halves() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(&folder).await;
    let grouped = to_raw_value(&json!({
        "op_id": Uuid::now_v7().to_string(), "device_seq": 1, "table_name": "exhibitors",
        "record_id": Uuid::now_v7().to_string(), "operation": "insert", "base_version": 0,
        "txn": {"id": Uuid::now_v7().to_string(), "size": 2}, "data": {"first_name": "Ida", "last_name": "Reed"},
    }))
    .expect("JSON");
    let single = op("insert", Uuid::now_v7(), &json!({"first_name": "Eva", "last_name": "Reed"}), 2);
    assert_eq!(push(&engine, vec![grouped, single]).await, [VerdictName::Rejected, VerdictName::Applied]);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_without_room_can_be_read_and_saves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(&folder).await;
    let clock = engine.clock().await.expect("a clock");
    engine.close().await;
    drop(engine);
    let options = Options { disk_reserve_bytes: u64::MAX, ..Options::new(folder.path()) };
    let engine = Engine::open(options).await.expect("it starts all the same");
    let ops = vec![op("insert", Uuid::now_v7(), &json!({"first_name": "Ida", "last_name": "Reed"}), 1)];
    let refused = try_push(&engine, ops).await;
    assert!(matches!(refused, Err(EngineError::DiskFull)), "{refused:?}");
    assert_eq!(engine.clock().await.expect("reads go on"), clock);
    engine.close().await;
}
