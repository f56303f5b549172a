//! Tombstones stay for 30 days and for every device that may still ask; then the floor rises, and nobody is misled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, Function};
use showdesk_engine::api::sync::{PullPage, PullQuery, Push, VerdictName};
use showdesk_engine::{Engine, EngineError, Options};
use showdesk_testkit::{Joining, SetClock, on_both_engines};
use tempfile::TempDir;
use uuid::Uuid;

on_both_engines!(Show::open =>
    a_tombstone_waits_for_the_last_device_that_may_ask,
    a_young_tombstone_stays_though_nobody_asks,
    a_removed_device_holds_nothing_back,
    a_first_sync_goes_on_below_the_floor,
);

struct Show {
    engine: Engine,
    desk: Actor,
    clock: Arc<SetClock>,
    next_seq: AtomicI64,
    _folder: TempDir,
}

impl Show {
    async fn open(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = SetClock::new();
        let options = Options { database_url, clock: Arc::<SetClock>::clone(&clock), ..Options::new(folder.path()) };
        let engine = Engine::open(options).await.expect("a show");
        let desk = engine.desk_actor().await.expect("the desk");
        Self { engine, desk, clock, next_seq: AtomicI64::new(1), _folder: folder }
    }

    fn pass_days(&self, days: i64) {
        self.clock.pass(TimeDelta::days(days));
    }

    async fn phone(&self, name: &str) -> Actor {
        let pass = Joining::to(&[Function::Scale]).let_in(&self.engine, name).await;
        self.engine.authenticate(&pass.token).await.expect("a phone")
    }

    async fn push(&self, op: Box<RawValue>) {
        let epoch = self.engine.installation().await.expect("an installation").epoch;
        let push = Push::of(epoch, Uuid::from_u128(7), vec![op]);
        let answer = self.engine.push(&self.desk, push).await.expect("an answer");
        assert_eq!(answer.results[0].verdict, VerdictName::Applied, "{:?}", answer.results);
    }

    fn op(&self, operation: &str, id: Uuid, data: &Json) -> Box<RawValue> {
        to_raw_value(&json!({
            "op_id": Uuid::now_v7().to_string(), "device_seq": self.next_seq.fetch_add(1, Ordering::SeqCst),
            "table_name": "rings", "record_id": id.to_string(), "operation": operation,
            "base_version": i64::from(operation != "insert"), "data": data,
        }))
        .expect("JSON")
    }

    /// A new ring. What devices were seen doing is on disk afterwards, because it is written with the same commit.
    async fn add_ring(&self) -> Uuid {
        let id = Uuid::now_v7();
        self.push(self.op("insert", id, &json!({"name": id.to_string()}))).await;
        id
    }

    async fn delete_ring(&self, id: Uuid) {
        self.push(self.op("delete", id, &json!({}))).await;
    }

    async fn pull(&self, actor: &Actor, cursor: Option<&str>, limit: usize) -> Result<PullPage, EngineError> {
        let query = PullQuery {
            cursor: cursor.map(str::to_owned),
            limit,
            tables: Vec::new(),
            schema: None,
            ..PullQuery::default()
        };
        self.engine.pull(actor, query).await
    }

    /// Pulls to the end: what happened to each row, and the new cursor.
    async fn pull_all(&self, actor: &Actor, cursor: Option<&str>, limit: usize) -> (BTreeMap<Uuid, String>, String) {
        let (mut rows, mut cursor) = (BTreeMap::new(), cursor.map(str::to_owned));
        loop {
            let page = self.pull(actor, cursor.as_deref(), limit).await.expect("a page");
            for change in &page.changes {
                let change: Json = serde_json::from_str(change).expect("JSON");
                let id = change["record_id"].as_str().and_then(|id| Uuid::try_parse(id).ok()).expect("an id");
                rows.insert(id, change["op"].as_str().expect("a word").to_owned());
            }
            if !page.has_more {
                return (rows, page.cursor);
            }
            cursor = Some(page.cursor);
        }
    }

    async fn clean_up(&self) -> u64 {
        self.engine.remove_old_tombstones().await.expect("a clean-up")
    }

    async fn is_gone(&self, actor: &Actor, cursor: &str) -> bool {
        matches!(self.pull(actor, Some(cursor), 500).await, Err(EngineError::CursorGone(_)))
    }

    async fn oldest_seq(&self) -> i64 {
        self.engine.hello(&self.desk).await.expect("hello").oldest_seq
    }
}

async fn a_tombstone_waits_for_the_last_device_that_may_ask(show: Show) {
    let phone = show.phone("Scale 1").await;
    let ring = show.add_ring().await;
    let (rows, old) = show.pull_all(&phone, None, 500).await;
    assert_eq!(rows[&ring], "upsert");
    show.delete_ring(ring).await;
    show.pass_days(400);
    show.add_ring().await;
    assert_eq!(show.clean_up().await, 0, "the phone has not asked since");

    let (rows, new) = show.pull_all(&phone, Some(&old), 500).await;
    assert_eq!(rows[&ring], "delete");
    show.add_ring().await;
    assert_eq!(show.clean_up().await, 0, "that page may not have arrived");
    show.pull_all(&phone, Some(&new), 500).await;
    show.add_ring().await;
    assert_eq!(show.clean_up().await, 1);
    assert!(show.is_gone(&phone, &old).await, "a cursor below the floor begins anew");
    let (rows, _) = show.pull_all(&phone, Some(&new), 500).await;
    assert_eq!(rows.len(), 2, "one that is above goes on: {rows:?}");
    let (rows, _) = show.pull_all(&phone, None, 500).await;
    assert!(!rows.contains_key(&ring), "nobody hears of it again");
}

async fn a_young_tombstone_stays_though_nobody_asks(show: Show) {
    let ring = show.add_ring().await;
    show.delete_ring(ring).await;
    show.pass_days(30);
    assert_eq!(show.clean_up().await, 0, "30 days are not over");
    assert_eq!(show.oldest_seq().await, 0);
    show.pass_days(1);
    assert_eq!(show.clean_up().await, 1);
    assert!(show.oldest_seq().await > 0);
    assert_eq!(show.clean_up().await, 0);
}

async fn a_removed_device_holds_nothing_back(show: Show) {
    let (phone, other) = (show.phone("Scale 1").await, show.phone("Scale 2").await);
    let ring = show.add_ring().await;
    show.pull_all(&phone, None, 500).await;
    show.delete_ring(ring).await;
    let (_, cursor) = show.pull_all(&other, None, 500).await;
    show.pass_days(31);
    show.add_ring().await;
    assert_eq!(show.clean_up().await, 0);
    show.engine.revoke_device(&show.desk, phone.device.0).await.expect("removed");
    assert_eq!(show.clean_up().await, 1);
    show.pull(&other, Some(&cursor), 500).await.expect("it had the tombstone");
}

async fn a_first_sync_goes_on_below_the_floor(show: Show) {
    let mut rings = Vec::new();
    for _ in 0..6 {
        rings.push(show.add_ring().await);
    }
    let gone = show.add_ring().await;
    show.delete_ring(gone).await;
    show.pass_days(31);
    assert_eq!(show.clean_up().await, 1);
    let floor = show.oldest_seq().await;
    let phone = show.phone("Scale 1").await;
    let first = show.pull(&phone, None, 2).await.expect("a page");
    assert!(first.has_more && first.changes.len() == 2);
    let (rows, _) = show.pull_all(&phone, Some(&first.cursor), 2).await;
    assert!(rings[2..].iter().all(|ring| rows.contains_key(ring)), "below {floor} it read on: {rows:?}");
    // A removal while it pages is another matter: it may hold what was removed.
    let begun = show.pull(&phone, None, 2).await.expect("a page").cursor;
    let second = show.add_ring().await;
    show.delete_ring(second).await;
    let (_, there) = show.pull_all(&phone, Some(&begun), 500).await;
    show.pull_all(&phone, Some(&there), 500).await;
    show.pass_days(31);
    show.add_ring().await;
    assert_eq!(show.clean_up().await, 1);
    assert!(show.is_gone(&phone, &begun).await);
}
