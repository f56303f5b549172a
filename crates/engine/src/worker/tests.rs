//! Claims on both engines: taken once, given back, and never in the way of what comes meanwhile.

use std::collections::BTreeSet;

use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use showdesk_domain::queue::QueuedOp;
use showdesk_testkit::{SetClock, on_both_engines};
use tempfile::TempDir;

use super::*;
use crate::api::sync::{Push, VerdictName};
use crate::{Clock, Options};

/// Two desks of one show: on SQLite the same one twice.
struct Desks {
    clock: Arc<SetClock>,
    first: Engine,
    second: Engine,
    folders: Vec<TempDir>,
}

impl Desks {
    async fn open(database_url: Option<String>) -> Self {
        let clock = SetClock::new();
        let Some(url) = database_url else {
            let folder = tempfile::tempdir().expect("a folder");
            let first = open(&folder, None, &clock).await;
            return Self { clock, second: first.clone(), first, folders: vec![folder] };
        };
        let folders = vec![tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
        let first = open(&folders[0], Some(url.clone()), &clock).await;
        let second = open(&folders[1], Some(url), &clock).await;
        Self { clock, first, second, folders }
    }

    async fn close(self) {
        self.first.close().await;
        if self.folders.len() > 1 {
            self.second.close().await;
        }
    }

    /// Weigh-ins of animals that are not there: they wait.
    async fn push_waiting(&self, animals: &[Uuid]) -> Vec<OpId> {
        let weigh_in = |animal: &Uuid| {
            op("weigh_ins", Uuid::now_v7(), &json!({"animal_id": animal, "kind": "arrival", "weight_x10": 900}))
        };
        let ops: Vec<(Uuid, Box<RawValue>)> = animals.iter().map(weigh_in).collect();
        let ids = ops.iter().map(|(id, _)| OpId(*id)).collect();
        let verdicts = self.push(ops.into_iter().map(|(_, op)| op).collect()).await;
        assert!(verdicts.iter().all(|verdict| *verdict == VerdictName::Held), "{verdicts:?}");
        ids
    }

    async fn push(&self, ops: Vec<Box<RawValue>>) -> Vec<VerdictName> {
        let actor = self.first.desk_actor().await.expect("the desk");
        let epoch = self.first.installation().await.expect("an installation").epoch;
        let push = Push::of(epoch, Uuid::from_u128(7), ops);
        let answer = self.first.push(&actor, push).await.expect("an answer");
        answer.results.into_iter().map(|result| result.verdict).collect()
    }

    /// An exhibitor for animals to belong to.
    async fn exhibitor(&self) -> Uuid {
        let id = Uuid::now_v7();
        let (_, made) = op("exhibitors", id, &json!({"first_name": "Ida", "last_name": "Reed"}));
        assert_eq!(self.push(vec![made]).await, [VerdictName::Applied]);
        id
    }

    async fn ops(&self, ids: &[OpId]) -> Vec<QueuedOp> {
        let mut tx = self.first.db().begin_read(showdesk_store::db::Seat::Owner).await.expect("a transaction");
        let mut found = queue::load(&mut tx, ids).await.expect("the ops");
        found.sort_by_key(|op| op.device_seq);
        found
    }

    async fn verdict(&self, id: OpId) -> String {
        self.ops(&[id]).await[0].verdict.expect("a verdict").as_str().to_owned()
    }
}

/// A desk whose background work stands still: the test does it.
async fn open(folder: &TempDir, database_url: Option<String>, clock: &Arc<SetClock>) -> Engine {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let engine = Engine::open(Options { database_url, clock, ..Options::new(folder.path()) }).await.expect("a show");
    engine.background().drain(..).for_each(|task| task.abort());
    engine
}

fn op(table: &str, record: Uuid, data: &serde_json::Value) -> (Uuid, Box<RawValue>) {
    let id = Uuid::now_v7();
    let json = json!({
        "op_id": id, "device_seq": 1, "table_name": table, "record_id": record, "operation": "insert",
        "base_version": 0, "data": data,
    });
    (id, to_raw_value(&json).expect("JSON"))
}

fn animals(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

async fn no_op_is_taken_by_two_desks(desks: Desks) {
    let ids = desks.push_waiting(&animals(150)).await;
    let (one, other) = tokio::join!(desks.first.claim(false), desks.second.claim(false));
    let (one, other) = (one.expect("a claim"), other.expect("a claim"));
    assert!(one.len() <= 100 && other.len() <= 100, "a claim is bounded");
    let rest = desks.first.claim(false).await.expect("a claim");
    let all: Vec<OpId> = one.into_iter().chain(other).chain(rest).collect();
    assert_eq!(all.len(), 150, "each once");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), ids.iter().copied().collect());
    assert!(desks.ops(&ids).await.iter().all(|op| op.status == QueueStatus::Processing && op.attempts == 2));
    assert_eq!(desks.second.process_sync_queue(true).await.expect("a run"), 0, "also by hand");
    desks.close().await;
}

async fn a_worker_that_died_holds_nothing_for_long(desks: Desks) {
    let ids = desks.push_waiting(&animals(3)).await;
    assert_eq!(desks.first.claim(false).await.expect("a claim").len(), 3);
    assert_eq!(desks.second.process_sync_queue(false).await.expect("a run"), 0, "its claim still holds");
    desks.clock.pass(LEASE);
    assert_eq!(desks.second.process_sync_queue(false).await.expect("a run"), 3);
    let ops = desks.ops(&ids).await;
    assert!(ops.iter().all(|op| op.status == QueueStatus::Pending && op.attempts == 3), "{ops:?}");
    assert_eq!(desks.first.process_sync_queue(false).await.expect("a run"), 0, "they pause now");
    desks.clock.pass(TimeDelta::seconds(20));
    assert_eq!(desks.first.process_sync_queue(false).await.expect("a run"), 3, "and are tried again");
    desks.close().await;
}

async fn what_comes_meanwhile_is_decided_at_once(desks: Desks) {
    let exhibitor = desks.exhibitor().await;
    let animal = Uuid::now_v7();
    let waiting = desks.push_waiting(&[animal]).await[0];
    let claimed = desks.first.claim(false).await.expect("a claim");
    assert_eq!(claimed, [waiting]);
    let (_, made) = op("animals", animal, &json!({"exhibitor_id": exhibitor, "species": "goat"}));
    assert_eq!(desks.push(vec![made]).await, [VerdictName::Applied]);
    assert_eq!(desks.verdict(waiting).await, "applied");
    desks.first.take_up(claimed).await;
    assert_eq!(desks.verdict(waiting).await, "applied", "the late worker changes nothing");
    assert_eq!(desks.ops(&[waiting]).await[0].lease_until, None);
    desks.close().await;
}

async fn after_a_day_a_person_is_asked(desks: Desks) {
    let waiting = desks.push_waiting(&animals(1)).await[0];
    desks.clock.pass(TimeDelta::hours(23));
    assert_eq!(desks.first.process_sync_queue(false).await.expect("a run"), 1);
    assert_eq!(desks.verdict(waiting).await, "held");
    desks.clock.pass(TimeDelta::hours(2));
    assert_eq!(desks.first.process_sync_queue(false).await.expect("a run"), 1);
    assert_eq!(desks.verdict(waiting).await, "conflict");
    assert_eq!(desks.first.process_sync_queue(true).await.expect("a run"), 0);
    desks.close().await;
}

async fn what_waits_for_a_person_never_expires(desks: Desks) {
    let exhibitor = desks.exhibitor().await;
    let tagged = json!({"exhibitor_id": exhibitor, "species": "goat", "tag": "77"});
    let (_, first) = op("animals", Uuid::now_v7(), &tagged);
    let animal = Uuid::now_v7();
    let (_, second) = op("animals", animal, &tagged);
    assert_eq!(desks.push(vec![first, second]).await, [VerdictName::Applied, VerdictName::Conflict]);
    let waiting = desks.push_waiting(&[animal]).await[0];
    desks.clock.pass(TimeDelta::days(3));
    for _ in 0..25 {
        assert_eq!(desks.first.process_sync_queue(true).await.expect("a run"), 1);
    }
    assert_eq!(desks.verdict(waiting).await, "held");
    assert_eq!(desks.ops(&[waiting]).await[0].attempts, 1, "such tries do not count");
    desks.close().await;
}

on_both_engines![Desks::open =>
    no_op_is_taken_by_two_desks,
    a_worker_that_died_holds_nothing_for_long,
    what_comes_meanwhile_is_decided_at_once,
    after_a_day_a_person_is_asked,
    what_waits_for_a_person_never_expires,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_that_starts_again_takes_its_own_claims_back() {
    let desks = Desks::open(None).await;
    let ids = desks.push_waiting(&animals(2)).await;
    assert_eq!(desks.first.claim(false).await.expect("a claim").len(), 2);
    let Desks { clock, first, second, folders } = desks;
    first.close().await;
    drop((first, second));
    let again = open(&folders[0], None, &clock).await;
    assert_eq!(again.process_sync_queue(false).await.expect("a run"), 2);
    let desks = Desks { clock, second: again.clone(), first: again, folders };
    assert!(desks.ops(&ids).await.iter().all(|op| op.status == QueueStatus::Pending && op.attempts == 3));
    desks.close().await;
}
