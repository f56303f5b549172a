//! What a phone sent and was told, and whether the desk still says the same.
//!
//! The phone makes rings and renames each of them once, so that what a row must look like follows from how many of
//! its ops have had an effect: its version counts them and its name is the newest one's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::desk::Desk;
use crate::phone::{fresh, insert, send, update, with};

/// Rings that a push makes; it renames those of the push before.
const RINGS_A_PUSH: usize = 4;
/// What the names begin with; a show may have other rings.
const NAME: &str = "Ledger ring";
/// Ops that one question about verdicts names.
const STATUS_OPS: usize = 500;
/// Rows whose every version is looked at.
const HISTORIES_READ: usize = 10;
const DEADLINE: Duration = Duration::from_mins(1);

/// Why the pushing ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The program was gone in the middle of a push.
    Gone,
    /// It was asked to end.
    Stopped,
    /// The desk answered something else than verdicts.
    Refused(u16, Json),
}

/// The ops of a phone that pushes on and on.
#[derive(Clone)]
pub(crate) struct Ledger {
    told: Arc<Mutex<Told>>,
    answers: watch::Sender<usize>,
    stop: watch::Sender<bool>,
}

/// What was sent and what was answered at a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Every op that has left the phone, in order.
    pub(crate) sent: Vec<Json>,
    /// How many of them were answered: always the first ones.
    pub(crate) answered: usize,
}

/// What the desk said about ops that were sent again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settled {
    /// They had had their effect before.
    pub(crate) replayed: usize,
    /// They had not.
    pub(crate) applied: usize,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { told: Arc::default(), answers: watch::Sender::new(0), stop: watch::Sender::new(false) }
    }

    /// What was sent and answered so far.
    pub(crate) fn told(&self) -> Told {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Pushes until something ends it.
    pub(crate) fn push_on(&self, desk: &Desk) -> JoinHandle<End> {
        self.stop.send_replace(false);
        let (ledger, envelope) = (self.clone(), desk.envelope(&[]));
        let (url, token) = (format!("{}/api/v1/sync/push", desk.program.admin), desk.token().to_owned());
        tokio::spawn(async move {
            let client = reqwest::Client::new();
            while !*ledger.stop.borrow() {
                let batch = ledger.next_batch();
                let mut envelope = envelope.clone();
                envelope["ops"] = json!(batch);
                let sent = client.post(&url).bearer_auth(&token).json(&envelope).send().await;
                let Ok(response) = sent else { return End::Gone };
                let status = response.status().as_u16();
                let Ok(answer) = response.json::<Json>().await else { return End::Gone };
                if status != 200 {
                    return End::Refused(status, answer);
                }
                let results = answer["results"].as_array().expect("results");
                for result in results {
                    assert_eq!(result["verdict"], "applied", "{result}");
                }
                ledger.answered(results.len());
            }
            End::Stopped
        })
    }

    /// Ends the pushing after the answer it waits for.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until so many more pushes are answered than now.
    pub(crate) async fn more_answers(&self, count: usize) {
        let mut answers = self.answers.subscribe();
        let wanted = *answers.borrow() + count;
        let come = tokio::time::timeout(DEADLINE, answers.wait_for(|answers| *answers >= wanted));
        come.await.expect("pushes are answered in time").expect("the ledger is there");
    }

    /// What has no answer yet, or four new rings and new names for the last four.
    fn next_batch(&self) -> Vec<Json> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.answered == told.sent.len() {
            let seq = told.sent.len();
            let last = told.sent.iter().rev().take(2 * RINGS_A_PUSH).filter(|op| op["operation"] == "insert");
            let last: Vec<(String, Json)> =
                last.map(|op| (text(&op["record_id"]).to_owned(), op["data"].clone())).collect();
            let made =
                (0..RINGS_A_PUSH).map(|at| insert("rings", &fresh(), json!({"name": format!("{NAME} {}", seq + at)})));
            let renamed = last.iter().map(|(id, data)| {
                let name = format!("{}, renamed", text(&data["name"]));
                update("rings", id, 1, json!({"name": name}), data.clone())
            });
            let batch: Vec<Json> = made.chain(renamed).collect();
            let numbered = batch.into_iter().enumerate().map(|(at, op)| with(op, "device_seq", json!(seq + at + 1)));
            told.sent.extend(numbered);
        }
        told.sent[told.answered..].to_vec()
    }

    fn answered(&self, ops: usize) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).answered += ops;
        self.answers.send_modify(|answers| *answers += 1);
    }

    /// Sends again what has no answer; each op of it is applied now or was before.
    pub(crate) async fn settle(&self, desk: &Desk) -> Settled {
        let told = self.told();
        let open = &told.sent[told.answered..];
        let mut settled = Settled::default();
        if open.is_empty() {
            return settled;
        }
        for result in desk.push(open).await {
            assert_eq!(result["verdict"], "applied", "sent again, an op is there: {result}");
            let before = result["replayed"] == true;
            *(if before { &mut settled.replayed } else { &mut settled.applied }) += 1;
        }
        self.answered(open.len());
        settled
    }

    /// Everything that was answered is there exactly once, and nothing else is.
    pub(crate) async fn check(&self, desk: &Desk) {
        let told = self.told();
        let wrong = told.compare(&desk.pull_all().await);
        assert!(wrong.is_empty(), "{} of {} ops: {wrong:#?}", wrong.len(), told.answered);
        told.check_verdicts(desk).await;
        for op in told.sent.iter().filter(|op| op["operation"] == "insert").take(HISTORIES_READ) {
            let id = text(&op["record_id"]);
            let versions = told.sent[..told.answered].iter().filter(|op| op["record_id"] == id).count();
            assert_eq!(desk.history("rings", id).await.len(), versions, "each op made one version");
        }
    }
}

impl Told {
    /// What is wrong with the desk's rings. An op without an answer may have had its effect or not.
    pub(crate) fn compare(&self, rows: &BTreeMap<(String, String), Json>) -> Vec<String> {
        let mut names: BTreeMap<&str, Vec<&Json>> = BTreeMap::new();
        let mut answered: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, op) in self.sent.iter().enumerate() {
            let id = text(&op["record_id"]);
            names.entry(id).or_default().push(&op["data"]["name"]);
            *answered.entry(id).or_default() += usize::from(at < self.answered);
        }
        let row = |id: &str| rows.get(&("rings".to_owned(), id.to_owned()));
        let lost = answered.iter().filter_map(|(id, count)| {
            let version = row(id).and_then(|row| row["version"].as_u64()).unwrap_or(0);
            (version < *count as u64).then(|| format!("ring {id} has version {version}, {count} were acknowledged"))
        });
        let is_ours = |row: &Json| row["data"]["name"].as_str().is_some_and(|name| name.starts_with(NAME));
        let rings = rows.iter().filter(|((table, _), row)| table == "rings" && is_ours(row));
        let wrong = rings.filter_map(|((_, id), row)| {
            let version = row["version"].as_u64().and_then(|version| usize::try_from(version).ok()).unwrap_or(0);
            let name = names.get(id.as_str()).and_then(|names| names.get(version.wrapping_sub(1)));
            (name != Some(&&row["data"]["name"])).then(|| format!("ring {id} is {row}, and nobody made it so"))
        });
        let mut seqs: Vec<i64> = rows.values().filter_map(|row| row["seq"].as_i64()).collect();
        seqs.sort_unstable();
        let doubled = seqs.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| format!("seq {} twice", pair[0]));
        lost.chain(wrong).chain(doubled).collect()
    }

    /// The desk knows every acknowledged op as applied.
    pub(crate) async fn check_verdicts(&self, desk: &Desk) {
        for some in self.sent[..self.answered].chunks(STATUS_OPS) {
            let ids: Vec<&Json> = some.iter().map(|op| &op["op_id"]).collect();
            let question = desk.request(Method::POST, "/sync/ops/status").json(&json!({"op_ids": ids}));
            let answer = send(question).await.expect_status(200);
            for result in answer["results"].as_array().expect("results") {
                assert_eq!(result["verdict"], "applied", "{result}");
            }
        }
    }
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a text")
}
