//! A phone as the protocol describes it: it pushes what was entered until it is answered, and pulls.

use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::joining::text;
use super::{Connection, RehearseError};

/// Changes of a page.
const PAGE_CHANGES: usize = 1_000;
/// More pages than any rehearsal makes: a pull that does not end is a fault.
const PAGES_MAX: usize = 100_000;

/// A joined phone with its place in the feed.
#[derive(Debug)]
pub struct Phone {
    /// Its line to the desk.
    pub connection: Connection,
    /// How long each page took that it pulled.
    pub pulls: Vec<Duration>,
    /// The clock of the desk when it last pulled all there was.
    pub clock: i64,
    epoch: Uuid,
    incarnation: Uuid,
    cursor: Option<String>,
    next_seq: i64,
}

/// One op as it is sent.
#[derive(Debug, Clone, Serialize)]
pub struct SentOp {
    /// Its id for ever.
    pub op_id: Uuid,
    /// The device's number of it.
    pub device_seq: i64,
    /// Which table.
    pub table_name: &'static str,
    /// Which record.
    pub record_id: Uuid,
    /// insert or update.
    pub operation: &'static str,
    /// The version the author had adopted.
    pub base_version: i64,
    /// The author's op before it on the record that is not answered yet.
    pub prev_op_id: Option<Uuid>,
    /// The fields set.
    pub data: Box<RawValue>,
    /// Their values before, as the author saw them.
    pub base: Option<Box<RawValue>>,
    /// The phone's clock.
    pub client_time: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    protocol: i64,
    epoch: Uuid,
    incarnation: Uuid,
    schema: i64,
    client_time: String,
    ops: &'a [SentOp],
}

#[derive(Deserialize)]
struct PushAnswer {
    results: Vec<OpResult>,
}

/// The desk's answer to one op, as far as a rehearsal looks at it.
#[derive(Debug, Clone, Deserialize)]
pub struct OpResult {
    /// Which op.
    pub op_id: Uuid,
    /// applied, merged, ….
    pub verdict: String,
    /// The version it made.
    pub version: Option<i64>,
    /// Why not.
    pub error: Option<Json>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
    cursor: String,
    has_more: bool,
    clock: i64,
}

/// One change of a page.
#[derive(Debug, Deserialize)]
pub struct Change<'a> {
    /// Its number.
    pub seq: i64,
    /// Which table.
    pub table_name: &'a str,
    /// Which record.
    pub record_id: Uuid,
    /// The record's version.
    pub version: i64,
    /// upsert, delete or revoke.
    pub op: &'a str,
    /// The row.
    #[serde(borrow)]
    pub data: &'a RawValue,
}

impl Phone {
    /// Says hello.
    pub(super) async fn join(mut connection: Connection) -> Result<Self, RehearseError> {
        let hello = connection.get_json("/sync/hello").await?;
        let epoch = Uuid::try_parse(text(&hello["epoch"])?);
        Ok(Self {
            connection,
            pulls: Vec::new(),
            clock: 0,
            epoch: epoch.map_err(|_| RehearseError::Strange("the epoch is no id".to_owned()))?,
            incarnation: Uuid::now_v7(),
            cursor: None,
            next_seq: 1,
        })
    }

    /// The insert of a record that nobody has yet.
    pub fn insert(&mut self, table_name: &'static str, record_id: Uuid, data: &impl Serialize) -> SentOp {
        self.op(table_name, record_id, "insert", (0, None), raw(data), None)
    }

    /// An edit of what the author saw: a version, and the own op on it that is not answered yet.
    pub fn update(
        &mut self,
        table_name: &'static str,
        record_id: Uuid,
        seen: (i64, Option<Uuid>),
        data: &impl Serialize,
        base: &impl Serialize,
    ) -> SentOp {
        self.op(table_name, record_id, "update", seen, raw(data), Some(raw(base)))
    }

    fn op(
        &mut self,
        table_name: &'static str,
        record_id: Uuid,
        operation: &'static str,
        (base_version, prev_op_id): (i64, Option<Uuid>),
        data: Box<RawValue>,
        base: Option<Box<RawValue>>,
    ) -> SentOp {
        let device_seq = self.next_seq;
        self.next_seq += 1;
        let (op_id, client_time) = (Uuid::now_v7(), now());
        SentOp {
            op_id,
            device_seq,
            table_name,
            record_id,
            operation,
            base_version,
            prev_op_id,
            data,
            base,
            client_time,
        }
    }

    /// Sends ops; answers one result an op, in their order.
    pub async fn push(&mut self, ops: &[SentOp]) -> Result<Vec<OpResult>, RehearseError> {
        let body = self.connection.post("/sync/push", &self.envelope(ops)).await?;
        let answer: Result<PushAnswer, _> = serde_json::from_slice(&body);
        let results = answer.map_err(|error| RehearseError::Strange(format!("the answer of a push: {error}")))?.results;
        if results.iter().map(|result| result.op_id).eq(ops.iter().map(|op| op.op_id)) {
            Ok(results)
        } else {
            Err(RehearseError::Strange("results do not stand in the order of the ops".to_owned()))
        }
    }

    /// Sends ops and never learns what became of them: the line breaks after that time.
    pub async fn push_and_hang_up(&mut self, ops: &[SentOp], after: Duration) {
        let envelope = self.envelope(ops);
        self.connection.post_and_hang_up("/sync/push", &envelope, after).await;
    }

    fn envelope<'a>(&self, ops: &'a [SentOp]) -> Envelope<'a> {
        let (epoch, incarnation) = (self.epoch, self.incarnation);
        Envelope { protocol: 1, epoch, incarnation, schema: 1, client_time: now(), ops }
    }

    /// Pulls until there is no more and hands every change over. Answers how many there were.
    pub async fn pull(&mut self, mut each: impl FnMut(&Change<'_>)) -> Result<usize, RehearseError> {
        let mut count = 0;
        for _ in 0..PAGES_MAX {
            let from = self.cursor.as_ref().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let began = Instant::now();
            let body = self.connection.get(&format!("/sync/pull?limit={PAGE_CHANGES}{from}")).await?;
            self.pulls.push(began.elapsed());
            let strange = |error: serde_json::Error| RehearseError::Strange(format!("a page: {error}"));
            let page: Page<'_> = serde_json::from_slice(&body).map_err(strange)?;
            page.changes.iter().for_each(&mut each);
            count += page.changes.len();
            (self.cursor, self.clock) = (Some(page.cursor), page.clock);
            if !page.has_more {
                return Ok(count);
            }
        }
        Err(RehearseError::Strange("the pull does not end".to_owned()))
    }

    /// Pulls from the beginning again next time.
    pub fn forget_cursor(&mut self) {
        self.cursor = None;
    }
}

fn raw(data: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(data).expect("plain data is JSON")
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
