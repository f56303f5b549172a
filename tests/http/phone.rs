//! A phone as the protocol describes it: it pushes ops and pulls changes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// More pages than any case makes; a pull that does not end is a fault.
const PAGES_MAX: usize = 1_000;

/// A device with a token.
#[derive(Debug)]
pub(crate) struct Phone {
    base: String,
    token: String,
    pub(crate) epoch: Json,
    pub(crate) incarnation: Uuid,
    next_seq: AtomicI64,
}

/// Status, type and body of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: Json,
    pub(crate) text: String,
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Json {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }

    /// The body of an RFC 9457 problem with this status.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16) -> Json {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.content_type, "application/problem+json", "{}", self.text);
        assert!(self.body["code"].is_string(), "a stable code: {}", self.text);
        let retry = self.body["retry"].as_str().unwrap_or_default();
        assert!(["never", "later", "after_fix"].contains(&retry), "when to retry: {}", self.text);
        for leak in ["SELECT", "sqlx", "panicked", ".rs:"] {
            assert!(!self.text.contains(leak), "an answer tells of the inside: {}", self.text);
        }
        self.body
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("the desk answers");
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (status, content_type) = (response.status(), header("content-type"));
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Json::Null);
    Answer { status, content_type: content_type.unwrap_or_default(), body, text }
}

impl Phone {
    pub(crate) async fn with_token(base: &str, token: &str) -> Self {
        let mut phone = Self {
            base: base.to_owned(),
            token: token.to_owned(),
            epoch: Json::Null,
            incarnation: Uuid::now_v7(),
            next_seq: AtomicI64::new(1),
        };
        phone.learn_epoch().await;
        phone
    }

    /// The desk has another address now, and perhaps another epoch.
    pub(crate) async fn moved_to(&mut self, base: &str) {
        self.sends_to(base);
        self.learn_epoch().await;
    }

    /// The desk has another address now.
    pub(crate) fn sends_to(&mut self, base: &str) {
        base.clone_into(&mut self.base);
    }

    /// Asks the desk in what epoch it lives.
    async fn learn_epoch(&mut self) {
        let hello = send(self.request(Method::GET, "/sync/hello")).await.expect_status(200);
        self.epoch = hello["epoch"].clone();
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token)
    }

    /// The envelope of a push. Ops that say no `device_seq` get the next one.
    pub(crate) fn envelope(&self, ops: &[Json]) -> Json {
        let ops: Vec<Json> = ops
            .iter()
            .map(|op| {
                let mut op = op.clone();
                if let Some(op) = op.as_object_mut() {
                    op.entry("device_seq").or_insert_with(|| json!(self.next_seq.fetch_add(1, Ordering::Relaxed)));
                }
                op
            })
            .collect();
        json!({
            "protocol": 1,
            "epoch": self.epoch,
            "incarnation": self.incarnation,
            "schema": 1,
            "client_time": chrono::Utc::now().to_rfc3339(),
            "recovered_from": null,
            "ops": ops,
        })
    }

    pub(crate) async fn push_envelope(&self, envelope: &Json) -> Answer {
        send(self.request(Method::POST, "/sync/push").json(envelope)).await
    }

    /// Pushes a text as it is.
    pub(crate) async fn push_text(&self, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::POST, "/sync/push").header("content-type", "application/json").body(body)).await
    }

    /// Pushes ops; answers one result an op, in their order.
    pub(crate) async fn push(&self, ops: &[Json]) -> Vec<Json> {
        let answer = self.push_envelope(&self.envelope(ops)).await.expect_status(200);
        let results = answer["results"].as_array().expect("results").clone();
        let echoed: Vec<&Json> = results.iter().map(|result| &result["op_id"]).collect();
        let sent: Vec<&Json> = ops.iter().map(|op| &op["op_id"]).collect();
        assert_eq!(echoed, sent, "results stand in the order of the ops");
        results
    }

    /// Pushes one op.
    pub(crate) async fn push_one(&self, op: &Json) -> Json {
        self.push(std::slice::from_ref(op)).await.remove(0)
    }

    /// Pushes ops that must all be applied.
    pub(crate) async fn apply(&self, ops: &[Json]) -> Vec<Json> {
        let results = self.push(ops).await;
        for (result, op) in results.iter().zip(ops) {
            assert_eq!(result["verdict"], "applied", "{result} for {op}");
        }
        results
    }

    /// The current verdict of an op.
    pub(crate) async fn status_of(&self, op_id: &Json) -> Json {
        let answer = send(self.request(Method::POST, "/sync/ops/status").json(&json!({"op_ids": [op_id]}))).await;
        answer.expect_status(200)["results"][0].clone()
    }

    pub(crate) async fn pull(&self, query: &str) -> Answer {
        send(self.request(Method::GET, &format!("/sync/pull{query}"))).await
    }

    /// Pulls from the beginning until there is no more: the newest change of each record.
    pub(crate) async fn pull_all(&self) -> BTreeMap<(String, String), Json> {
        let mut rows = BTreeMap::new();
        self.pull_after(None, 500, &mut rows).await;
        rows
    }

    /// Pulls on from a cursor into `rows`; answers the new cursor.
    pub(crate) async fn pull_after(
        &self,
        cursor: Option<String>,
        limit: usize,
        rows: &mut BTreeMap<(String, String), Json>,
    ) -> String {
        let mut cursor = cursor;
        for _ in 0..PAGES_MAX {
            let from = cursor.as_ref().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let page = self.pull(&format!("?limit={limit}{from}")).await.expect_status(200);
            let changes = page["changes"].as_array().expect("changes");
            assert!(changes.len() <= limit);
            for change in changes {
                let text = |key: &str| change[key].as_str().expect("a text").to_owned();
                rows.insert((text("table_name"), text("record_id")), change.clone());
            }
            let next = page["cursor"].as_str().expect("a cursor").to_owned();
            if page["has_more"] == false {
                return next;
            }
            cursor = Some(next);
        }
        panic!("the pull does not end");
    }

    /// A record's newest change, as this phone sees it.
    pub(crate) async fn change(&self, table: &str, id: &str) -> Json {
        let rows = self.pull_all().await;
        rows.get(&(table.to_owned(), id.to_owned())).cloned().unwrap_or(Json::Null)
    }

    /// A record's data, as this phone sees it.
    pub(crate) async fn data(&self, table: &str, id: &str) -> Json {
        self.change(table, id).await["data"].clone()
    }
}

/// A fresh id for a row or an op.
pub(crate) fn fresh() -> String {
    Uuid::now_v7().to_string()
}

/// PROTOCOL.md §3: v5(a, b).
pub(crate) fn v5(a: &str, b: &str) -> String {
    Uuid::new_v5(&Uuid::parse_str(a).expect("an id"), b.as_bytes()).to_string()
}

pub(crate) fn insert(table: &str, id: &str, data: Json) -> Json {
    op(table, id, "insert", 0, data)
}

/// An edit made on version `base_version`, with the author's values before.
pub(crate) fn update(table: &str, id: &str, base_version: i64, data: Json, base: Json) -> Json {
    with(op(table, id, "update", base_version, data), "base", base)
}

pub(crate) fn delete(table: &str, id: &str, base_version: i64) -> Json {
    op(table, id, "delete", base_version, json!({}))
}

fn op(table: &str, id: &str, operation: &str, base_version: i64, data: Json) -> Json {
    let op = json!({
        "op_id": fresh(),
        "txn": null,
        "table_name": table,
        "record_id": id,
        "operation": operation,
        "base_version": base_version,
        "prev_op_id": null,
        "epoch": null,
        "reason": null,
        "client_time": chrono::Utc::now().to_rfc3339(),
    });
    with(op, "data", data)
}

/// The op with another value of a key.
pub(crate) fn with(mut op: Json, key: &str, value: Json) -> Json {
    op[key] = value;
    op
}
