//! A small show on either engine for the models: animals that phones with equal rights edit.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, Function};
use showdesk_engine::api::sync::{OpResult, PullQuery, Push, VerdictName};
use showdesk_engine::{Clock, Engine, Options};
use showdesk_testkit::Joining;
use tempfile::TempDir;
use uuid::Uuid;

/// A clock that moves on whenever it is looked at: what is made later has a higher id.
struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn now(&self) -> DateTime<Utc> {
        let ms = self.0.fetch_add(1, Ordering::SeqCst);
        DateTime::from_timestamp_millis(ms).expect("a moment")
    }
}

/// A started show; several desks are possible on Postgres only.
pub(crate) struct Show {
    pub(crate) desks: Vec<Engine>,
    pub(crate) epoch: Uuid,
    exhibitor: Uuid,
    _folders: Vec<TempDir>,
}

/// A device with its rights.
pub(crate) struct Phone {
    pub(crate) actor: Actor,
    incarnation: Uuid,
}

/// An animal as a phone pulls it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Animal {
    pub(crate) version: i64,
    pub(crate) data: Json,
}

impl Show {
    /// A show on SQLite, or on that Postgres with so many desks.
    pub(crate) async fn open(database_url: Option<String>, desks: usize) -> Self {
        let clock = Arc::new(TickingClock(AtomicI64::new(1_786_082_400_000)));
        let (mut engines, mut folders) = (Vec::new(), Vec::new());
        for _ in 0..desks {
            let folder = tempfile::tempdir().expect("a folder");
            let options = Options {
                data_dir: folder.path().to_owned(),
                database_url: database_url.clone(),
                clock: Arc::clone(&clock) as Arc<dyn Clock>,
                disk_reserve_bytes: 0,
                // Thousands of schedules: what the desk measures of itself is no part of them.
                recording: false,
                ..Options::new(folder.path())
            };
            engines.push(Engine::open(options).await.expect("the show opens"));
            folders.push(folder);
        }
        let epoch = engines[0].installation().await.expect("an installation").epoch;
        let show = Self { desks: engines, epoch, exhibitor: Uuid::now_v7(), _folders: folders };
        let exhibitor =
            op("exhibitors", show.exhibitor, "insert", 0, &json!({"first_name": "Ida", "last_name": "Reed"}));
        let desk = show.desk().await;
        assert_eq!(show.push(0, &desk, &[exhibitor]).await[0].verdict, VerdictName::Applied);
        show
    }

    pub(crate) async fn desk(&self) -> Phone {
        let actor = self.desks[0].desk_actor().await.expect("the desk");
        Phone { actor, incarnation: Uuid::from_u128(7) }
    }

    /// Lets a phone join that may edit animals.
    pub(crate) async fn phone(&self, name: &str) -> Phone {
        let pass = Joining::to(&[Function::Superintendent]).let_in(&self.desks[0], name).await;
        let actor = self.desks[0].authenticate(&pass.token).await.expect("the token is good");
        Phone { actor, incarnation: Uuid::now_v7() }
    }

    /// A new animal; its version is 1.
    pub(crate) async fn animal(&self, data: Json) -> Uuid {
        let (id, desk) = (Uuid::now_v7(), self.desk().await);
        let mut data = data;
        data["exhibitor_id"] = json!(self.exhibitor);
        data["species"] = json!("cattle");
        let results = self.push(0, &desk, &[op("animals", id, "insert", 0, &data)]).await;
        assert_eq!(results[0].verdict, VerdictName::Applied, "{results:?}");
        id
    }

    pub(crate) async fn push(&self, desk: usize, phone: &Phone, ops: &[Json]) -> Vec<OpResult> {
        let ops = ops.iter().map(|op| serde_json::value::to_raw_value(op).expect("JSON")).collect();
        let push = Push::of(self.epoch, phone.incarnation, ops);
        self.desks[desk].push(&phone.actor, push).await.expect("the push is processed").results
    }

    /// The animal as the phone pulls it now from that desk.
    pub(crate) async fn read(&self, desk: usize, phone: &Phone, id: Uuid) -> Animal {
        let mut cursor = None;
        loop {
            let query = PullQuery {
                cursor,
                limit: 500,
                tables: vec!["animals".to_owned()],
                schema: None,
                ..PullQuery::default()
            };
            let page = self.desks[desk].pull(&phone.actor, query).await.expect("a page");
            for change in &page.changes {
                let change: Json = serde_json::from_str(change).expect("a change is JSON");
                if change["record_id"] == json!(id) {
                    let version = change["version"].as_i64().expect("a version");
                    return Animal { version, data: change["data"].clone() };
                }
            }
            assert!(page.has_more, "the animal is in the feed");
            cursor = Some(page.cursor);
        }
    }

    pub(crate) async fn close(self) {
        for desk in &self.desks {
            desk.close().await;
        }
    }
}

/// An op with a fresh id.
pub(crate) fn op(table: &str, id: Uuid, operation: &str, base_version: i64, data: &Json) -> Json {
    json!({
        "op_id": Uuid::now_v7().to_string(), "device_seq": 1, "table_name": table, "record_id": id.to_string(),
        "operation": operation, "base_version": base_version, "data": data,
    })
}
