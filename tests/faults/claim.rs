//! P7: the worker is killed in the middle of a claim. What it had claimed is neither stuck nor done twice.
//!
//! Ops that wait for a row lie in the queue; the worker is asked to take them up, and strace kills the program at the
//! nth write from then on: within the claim, after it (`after_claim`), or within the decision that follows.

use std::process::Stdio;
use std::time::Duration;

use rusqlite::config::DbConfig;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::desk::Desk;
use crate::phone::{fresh, insert, send};
use crate::program::Engine;
use crate::seed::seed;
use crate::{Size, Tally};

/// Ops that wait in one run.
const WAITING_OPS: usize = 20;
/// The writes of a worker's run are swept in these steps, which meet each of them in the end.
const STEP: usize = 7;
const SPAN: usize = 30;
const RUN: &str = "/admin/workers/process-sync-queue/run";
const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) async fn kills(size: Size, engine: Engine) -> Tally {
    let runs = size.pick(25, 500);
    let mut desk = Desk::start(engine).await;
    let seed = seed(&desk).await;
    let (mut killed, mut mid_claim) = (0, 0);
    for run in 0..runs {
        let (animals, weights) = waiting_ops(&desk, &seed.exhibitor).await;
        let mut strace = kill_at(&desk, engine, 1 + run * STEP % SPAN).await;
        let asked = desk.request(reqwest::Method::POST, RUN).json(&json!({})).send().await;
        if asked.is_ok_and(|answer| answer.status().is_success()) {
            // It was done before the nth write came.
            strace.kill().await.expect("strace can be ended");
        } else {
            desk.program.ended().await;
            strace.wait().await.expect("strace ends with the program");
            killed += 1;
            let before = claimed_in_file(&desk, engine);
            desk.start_again().await;
            let claimed = before.unwrap_or(claimed_now(&desk).await);
            mid_claim += usize::from(claimed > 0);
        }
        desk.post(RUN, &json!({})).await.expect_status(200);
        desk.apply(&animals).await;
        check(&desk, &weights).await;
    }
    assert!(killed > runs / 3, "the kills hit the worker: {killed}");
    assert!(mid_claim > 0, "a kill came after a claim and before its end");
    let ops = runs * WAITING_OPS;
    Tally { runs, seen: format!("{killed} kills, {mid_claim} with ops claimed; {ops} ops, none stuck or doubled") }
}

/// Weights of animals that are not there yet, and the animals.
async fn waiting_ops(desk: &Desk, exhibitor: &str) -> (Vec<Json>, Vec<Json>) {
    let ids: Vec<String> = (0..WAITING_OPS).map(|_| fresh()).collect();
    let animal = json!({"exhibitor_id": exhibitor, "species": "cattle", "sex": "steer"});
    let animals: Vec<Json> = ids.iter().map(|id| insert("animals", id, animal.clone())).collect();
    let weight = |id: &String| json!({"animal_id": id, "kind": "arrival", "weight_x10": 9_000});
    let weights: Vec<Json> = ids.iter().map(|id| insert("weigh_ins", &fresh(), weight(id))).collect();
    for result in desk.push(&weights).await {
        assert_eq!(result["verdict"], "held", "{result}");
    }
    (animals, weights)
}

/// Kills the program at its nth write from now on. Postgres writes for us, so there it is what it is asked to do.
async fn kill_at(desk: &Desk, engine: Engine, nth: usize) -> Child {
    let call = if engine == Engine::Sqlite { "pwrite64" } else { "sendto" };
    let mut strace = Command::new("strace");
    strace.args(["-f", "-p", &desk.program.id().to_string(), "-o", "/dev/null"]);
    strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:signal=KILL:when={nth}")]);
    let strace = strace.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn();
    let mut strace = strace.expect("strace is installed");
    let mut words = BufReader::new(strace.stderr.take().expect("what it says is read")).lines();
    let attached = async {
        while let Some(line) = words.next_line().await.expect("it speaks UTF-8") {
            if line.contains("attached") {
                return;
            }
        }
        panic!("strace does not attach");
    };
    timeout(DEADLINE, attached).await.expect("it attaches in time");
    // Nobody reads on: the pipe holds far more than strace has to say.
    tokio::spawn(async move { while let Ok(Some(_)) = words.next_line().await {} });
    strace
}

/// Claims that the dead program left. With SQLite its next start ends them, so they are looked for before it.
fn claimed_in_file(desk: &Desk, engine: Engine) -> Option<i64> {
    if engine == Engine::Postgres {
        return None;
    }
    let file = rusqlite::Connection::open(desk.program.folder().join("showdesk.sqlite")).expect("the database opens");
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("it is left as it is");
    let count = "SELECT COUNT(*) FROM sync_queue WHERE status = 'processing'";
    Some(file.query_row(count, [], |row| row.get(0)).expect("a count"))
}

async fn claimed_now(desk: &Desk) -> i64 {
    let page = desk.get("/admin/queue?status=processing").await.expect_status(200);
    i64::try_from(page["items"].as_array().expect("items").len()).expect("few")
}

/// Each op has had its effect, once.
async fn check(desk: &Desk, weights: &[Json]) {
    let ids: Vec<&Json> = weights.iter().map(|op| &op["op_id"]).collect();
    let question = desk.request(reqwest::Method::POST, "/sync/ops/status").json(&json!({"op_ids": ids}));
    let answer = send(question).await.expect_status(200);
    for result in answer["results"].as_array().expect("results") {
        assert_eq!((&result["verdict"], &result["version"]), (&json!("applied"), &json!(1)), "{result}");
    }
    for op in weights {
        let id = op["record_id"].as_str().expect("an id");
        assert_eq!(desk.history("weigh_ins", id).await.len(), 1, "one weight an op");
    }
}
