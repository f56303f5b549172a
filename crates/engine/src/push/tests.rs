//! Whose rights a push has.

use serde_json::json;
use serde_json::value::to_raw_value;
use showdesk_domain::actor::Role;
use uuid::Uuid;

use super::*;
use crate::Options;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_has_the_rights_of_the_moment_in_which_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(Options::new(folder.path())).await.expect("a show");
    let desk = engine.desk_actor().await.expect("the desk");
    let ring = Uuid::now_v7();
    let op = json!({
        "op_id": Uuid::now_v7(), "device_seq": 1, "txn": null, "table_name": "rings", "record_id": ring,
        "operation": "insert", "base_version": 0, "prev_op_id": null, "epoch": null, "reason": null,
        "data": {"name": "Ring 1"}, "client_time": null,
    });
    let epoch = engine.epoch().await.expect("an epoch");
    let push = Push::of(epoch, Uuid::now_v7(), vec![to_raw_value(&op).expect("JSON")]);
    // Its pass was looked at while the person could only read; meanwhile the person may write.
    let before = Actor { role: Role::Viewer, functions: Vec::new(), ..desk };
    let answer = engine.push(&before, push).await.expect("an answer");
    assert_eq!(answer.results[0].verdict, VerdictName::Applied, "{:?}", answer.results);
    engine.close().await;
}
