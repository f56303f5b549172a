//! kill -9 in the middle of pushes: what was acknowledged is there exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, send};

on_both_engines!(every_acknowledged_op_is_there_exactly_once);

const OPS_A_PUSH: usize = 5;
const DEADLINE: Duration = Duration::from_mins(1);

/// How often the program is killed: 10 times, or what `SHOWDESK_KILLS` says.
fn kills() -> usize {
    std::env::var("SHOWDESK_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(10)
}

async fn every_acknowledged_op_is_there_exactly_once(mut desk: Desk) {
    let mut acknowledged: Vec<Json> = Vec::new();
    let mut unanswered: Vec<Json> = Vec::new();
    for round in 0..kills() {
        let outcome = push_until_killed(&mut desk, std::mem::take(&mut unanswered), round).await;
        acknowledged.extend(outcome.acknowledged);
        unanswered = outcome.unanswered;
        let epoch = desk.epoch.clone();
        desk.start_again().await;
        assert_eq!(desk.epoch, epoch, "the mark beside the database is never ahead of it");
    }
    for result in desk.push(&unanswered).await {
        assert_eq!(result["verdict"], "applied", "what was not answered may be there or not; sent again it is");
    }
    acknowledged.append(&mut unanswered);
    assert!(acknowledged.len() >= kills() * OPS_A_PUSH, "each round had answers");
    check(&desk, &acknowledged).await;
}

struct Outcome {
    acknowledged: Vec<Json>,
    unanswered: Vec<Json>,
}

/// Pushes on and on, first what the last round had no answer to, until the program dies under it.
async fn push_until_killed(desk: &mut Desk, mut batch: Vec<Json>, round: usize) -> Outcome {
    let answered = Arc::new(AtomicUsize::new(0));
    let progress = Arc::new(Notify::new());
    let (url, token) = (format!("{}/api/v1/sync/push", desk.program.admin), desk.token().to_owned());
    let envelope = desk.envelope(&[]);
    let (counter, told) = (answered.clone(), progress.clone());
    let pushing = tokio::spawn(async move {
        let client = reqwest::Client::new();
        let mut acknowledged = Vec::new();
        let mut seq = 1_000 * (round + 1);
        loop {
            while batch.len() < OPS_A_PUSH {
                seq += 1;
                let made = insert("rings", &fresh(), json!({"name": format!("Ring {round}/{seq}")}));
                batch.push(crate::phone::with(made, "device_seq", json!(seq)));
            }
            let mut envelope = envelope.clone();
            envelope["ops"] = json!(batch);
            let sent = client.post(&url).bearer_auth(&token).json(&envelope).send().await;
            let Ok(response) = sent else { break };
            assert_eq!(response.status(), 200);
            let Ok(answer) = response.json::<Json>().await else { break };
            for result in answer["results"].as_array().expect("results") {
                assert_eq!(result["verdict"], "applied", "{result}");
            }
            acknowledged.append(&mut batch);
            counter.fetch_add(1, Ordering::SeqCst);
            told.notify_one();
        }
        Outcome { acknowledged, unanswered: batch }
    });
    // Each round dies at another point: after so many answers, while the next push is on its way.
    let wanted = 1 + round % 7;
    let progressed = tokio::time::timeout(DEADLINE, async {
        while answered.load(Ordering::SeqCst) < wanted {
            progress.notified().await;
        }
    });
    progressed.await.expect("pushes are answered in time");
    desk.program.kill().await;
    pushing.await.expect("the pushing ends with the program")
}

async fn check(desk: &Desk, acknowledged: &[Json]) {
    let rows = desk.pull_all().await;
    let rings = rows.keys().filter(|(table, _)| table == "rings").count();
    assert_eq!(rings, acknowledged.len(), "exactly the acknowledged rows are there");
    for op in acknowledged {
        let key = ("rings".to_owned(), op["record_id"].as_str().expect("an id").to_owned());
        let change = rows.get(&key).unwrap_or_else(|| panic!("{op} was acknowledged and is lost"));
        assert_eq!((&change["version"], &change["data"]["name"]), (&json!(1), &op["data"]["name"]));
    }
    for some in acknowledged.chunks(500) {
        let ids: Vec<&Json> = some.iter().map(|op| &op["op_id"]).collect();
        let answer =
            send(desk.request(Method::POST, "/sync/ops/status").json(&json!({"op_ids": ids}))).await.expect_status(200);
        for result in answer["results"].as_array().expect("results") {
            assert_eq!((&result["verdict"], &result["version"]), (&json!("applied"), &json!(1)));
        }
    }
    let last = acknowledged.last().expect("there are some");
    let again = desk.push_one(last).await;
    assert_eq!((&again["verdict"], &again["replayed"]), (&json!("applied"), &json!(true)));
    assert_eq!(desk.history("rings", last["record_id"].as_str().expect("an id")).await.len(), 1);
}
