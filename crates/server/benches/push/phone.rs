//! A phone at check-in: each push moves its ten animals to other pens and enters ten new exhibitors.

use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use hyper::Method;
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::BATCH_OPS;
use crate::connection::Connection;

/// A joined phone with animals of its own, so that nobody's edit clashes.
pub(crate) struct Phone {
    connection: Connection,
    epoch: Uuid,
    incarnation: Uuid,
    next_seq: i64,
    entered: usize,
    animals: Vec<Animal>,
}

/// An animal as the phone last adopted it.
struct Animal {
    id: Uuid,
    version: i64,
    pen: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    protocol: i64,
    epoch: Uuid,
    incarnation: Uuid,
    schema: i64,
    client_time: &'a str,
    ops: Vec<SentOp<'a>>,
}

#[derive(Serialize)]
struct SentOp<'a> {
    op_id: Uuid,
    device_seq: i64,
    table_name: &'static str,
    record_id: Uuid,
    operation: &'static str,
    base_version: i64,
    prev_op_id: Option<Uuid>,
    data: Data,
    base: Option<Data>,
    client_time: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Pen { pen: String },
    Animal { exhibitor_id: Uuid, species: &'static str, tag: String, pen: String },
    Exhibitor { first_name: &'static str, last_name: String, club_chapter: &'static str, guardian_phone: &'static str },
}

#[derive(Deserialize)]
struct PushAnswer {
    results: Vec<OpResult>,
}

#[derive(Deserialize)]
struct OpResult {
    verdict: String,
    version: Option<i64>,
}

impl Phone {
    /// Says hello and enters the phone's own animals.
    pub(crate) async fn join(number: usize, mut connection: Connection) -> Self {
        let hello = connection.json(Method::GET, "/sync/hello", &json!({})).await;
        let epoch = serde_json::from_value(hello["epoch"].clone()).expect("an epoch");
        let incarnation = Uuid::now_v7();
        let mut phone = Self { connection, epoch, incarnation, next_seq: 1, entered: 0, animals: Vec::new() };
        let owner = Uuid::now_v7();
        let name = Data::Exhibitor {
            first_name: "Nora",
            last_name: format!("Birch {number}"),
            club_chapter: "Willow Bend",
            guardian_phone: "555-0100",
        };
        let mut rows = vec![("exhibitors", owner, name)];
        for animal in 0..BATCH_OPS / 2 {
            let (id, pen) = (Uuid::now_v7(), "A1".to_owned());
            phone.animals.push(Animal { id, version: 1, pen: pen.clone() });
            let tag = format!("P{number}X{animal}");
            rows.push(("animals", id, Data::Animal { exhibitor_id: owner, species: "swine", tag, pen }));
        }
        let now = now();
        let ops = rows.into_iter().map(|(table, id, data)| phone.insert(table, id, data, &now)).collect();
        let answer = phone.send(ops, &now).await;
        applied(&answer);
        phone
    }

    /// Connects again, before a new round.
    pub(crate) async fn wake(&mut self) {
        self.connection.open_again().await;
    }

    /// Pushes one batch on what the last one answered; all of it must be applied. Answers how long the push took.
    pub(crate) async fn push(&mut self) -> Duration {
        let now = now();
        let pen = format!("B{}", self.next_seq);
        let mut ops = Vec::with_capacity(BATCH_OPS);
        for index in 0..self.animals.len() {
            ops.push(self.moved(index, &pen, &now));
            let exhibitor = Data::Exhibitor {
                first_name: "Emil",
                last_name: format!("Aspen {}", self.entered),
                club_chapter: "Willow Bend",
                guardian_phone: "555-0100",
            };
            self.entered += 1;
            ops.push(self.insert("exhibitors", Uuid::now_v7(), exhibitor, &now));
        }
        let started = Instant::now();
        let answer = self.send(ops, &now).await;
        let elapsed = started.elapsed();
        let edits = applied(&answer).into_iter().step_by(2);
        for (animal, version) in self.animals.iter_mut().zip(edits) {
            animal.version = version;
            animal.pen.clone_from(&pen);
        }
        elapsed
    }

    fn moved<'a>(&mut self, index: usize, pen: &str, now: &'a str) -> SentOp<'a> {
        let device_seq = self.take_seq();
        let animal = &self.animals[index];
        SentOp {
            op_id: Uuid::now_v7(),
            device_seq,
            table_name: "animals",
            record_id: animal.id,
            operation: "update",
            base_version: animal.version,
            prev_op_id: None,
            data: Data::Pen { pen: pen.to_owned() },
            base: Some(Data::Pen { pen: animal.pen.clone() }),
            client_time: now,
        }
    }

    fn insert<'a>(&mut self, table_name: &'static str, record_id: Uuid, data: Data, now: &'a str) -> SentOp<'a> {
        SentOp {
            op_id: Uuid::now_v7(),
            device_seq: self.take_seq(),
            table_name,
            record_id,
            operation: "insert",
            base_version: 0,
            prev_op_id: None,
            data,
            base: None,
            client_time: now,
        }
    }

    fn take_seq(&mut self) -> i64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    async fn send(&mut self, ops: Vec<SentOp<'_>>, client_time: &str) -> Bytes {
        let (epoch, incarnation) = (self.epoch, self.incarnation);
        let envelope = Envelope { protocol: 1, epoch, incarnation, schema: 1, client_time, ops };
        self.connection.ask(Method::POST, "/sync/push", &envelope).await
    }
}

/// The versions that a push made, if every op was applied.
fn applied(answer: &[u8]) -> Vec<i64> {
    let answer: PushAnswer = serde_json::from_slice(answer).expect("the answer of a push");
    let versions = answer.results.into_iter().map(|result| {
        assert_eq!(result.verdict, "applied");
        result.version.expect("an applied op has a version")
    });
    versions.collect()
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
