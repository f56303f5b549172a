//! What goes over the simulated network: a phone's requests and the desk's answers.

use serde_json::value::RawValue;
use showdesk_engine::api::sync::{OpsStatusAnswer, PullPage, PushAnswer};
use uuid::Uuid;

/// A request on its way.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Unique in a run.
    pub id: u64,
    /// The phone, by its place.
    pub phone: usize,
    /// Which life of the phone sent it; an answer to an earlier life is not heard.
    pub life: u32,
    /// The token as it was when the request was sent.
    pub token: String,
    /// What is asked.
    pub ask: Ask,
}

/// What a phone asks.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// `POST /sync/push`.
    Push(PushAsk),
    /// `GET /sync/pull`.
    Pull {
        /// Where the last page ended.
        cursor: Option<String>,
        /// The size of a page.
        limit: usize,
    },
    /// `POST /sync/ops/status`.
    Status {
        /// Which ops.
        ops: Vec<Uuid>,
    },
}

/// A push's envelope.
#[derive(Debug, Clone)]
pub(super) struct PushAsk {
    /// The epoch the phone believes in.
    pub epoch: Uuid,
    /// Made with the phone's store.
    pub incarnation: Uuid,
    /// The phone's clock, milliseconds.
    pub client_time_ms: i64,
    /// The epoch whose acknowledged ops are given back.
    pub recovered_from: Option<Uuid>,
    /// The ops' texts.
    pub ops: Vec<Box<RawValue>>,
}

/// What the desk answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// To a push.
    Push(PushAnswer),
    /// To a pull.
    Pull(PullPage),
    /// To a question.
    Status(OpsStatusAnswer),
    /// No answer of that kind.
    Failed(Failure),
}

/// Why a request was not processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// 401: the token is unknown or has run out.
    UnknownToken,
    /// 403: the device was removed.
    Removed,
    /// 409: the desk lives in this epoch.
    Epoch(Uuid),
    /// 410: pull again without a cursor.
    Reconcile,
    /// 429, 503, 507.
    Later,
    /// Anything else is a mistake of the desk.
    Unexpected(String),
}

impl Request {
    /// For the trace.
    pub(super) fn in_words(&self) -> String {
        let (phone, id) = (self.phone, self.id);
        match &self.ask {
            Ask::Push(push) => {
                let ops: Vec<&str> = push.ops.iter().map(|op| op.get()).collect();
                format!("    phone {phone} sends #{id}: push {}", ops.join(" "))
            }
            Ask::Pull { cursor, limit } => {
                let from = if cursor.is_some() { "on" } else { "from the beginning" };
                format!("    phone {phone} sends #{id}: pull {from}, {limit}")
            }
            Ask::Status { ops } => {
                let ops: Vec<String> = ops.iter().map(|id| super::fields::tail(*id)).collect();
                format!("    phone {phone} sends #{id}: what became of {}?", ops.join(" "))
            }
        }
    }
}

impl Reply {
    /// For the trace.
    pub(super) fn in_words(&self, request: u64) -> String {
        let results = |results: &[showdesk_engine::api::sync::OpResult]| {
            let one = |result: &showdesk_engine::api::sync::OpResult| {
                let error = result.error.as_ref().map(|error| error.code.clone()).unwrap_or_default();
                let id = result.op_id.as_str().map_or("?", |id| &id[id.len().saturating_sub(5)..]);
                let contested = result.contested.as_ref().map(|fields| fields.join(",")).unwrap_or_default();
                format!("{id}={:?}@{} {error}{contested}", result.verdict, result.version.unwrap_or(0))
            };
            results.iter().map(one).collect::<Vec<_>>().join("; ")
        };
        match self {
            Self::Push(answer) => format!("#{request} clock {}: {}", answer.clock, results(&answer.results)),
            Self::Status(answer) => format!("#{request}: {}", results(&answer.results)),
            Self::Pull(page) => {
                let one = |text: &String| match super::phone::read_change(text) {
                    Some(change) => {
                        format!("{} v{} {}", super::fields::short(change.key), change.state.version, change.op)
                    }
                    None => text.clone(),
                };
                let changes: Vec<String> = page.changes.iter().map(one).collect();
                format!("#{request} clock {} more {}: {}", page.clock, page.has_more, changes.join(", "))
            }
            Self::Failed(failure) => format!("#{request}: {failure:?}"),
        }
    }
}
