//! "Needs attention": ops that were refused or wait, and what an admin does about them (PROTOCOL.md §2).

use std::any::Any;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::{OpId, Seq};
use showdesk_domain::permit::Action;
use showdesk_domain::queue::{QueueStatus, QueuedOp};
use showdesk_domain::world::{Needs, SettleError, World};
use showdesk_store::audit::AuditRow;
use showdesk_store::queue::Wanted;
use showdesk_store::{Tx, audit, queue};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::api::attention::{Apply, QueueItem, QueuePage, QueueQuery, SentOp};
use crate::api::conflicts::Reason;
use crate::audit::{Names, about_op};
use crate::cursor::moment;
use crate::rights::require;
use crate::settle::{clean_reason, engine_error};
use crate::subjects::Subjects;
use crate::writer::{BesideFuture, Job};
use crate::{Engine, EngineError, Result};

impl Engine {
    /// Ops that need attention, or those that stand somewhere else.
    pub async fn queue(&self, actor: &Actor, query: QueueQuery) -> Result<QueuePage> {
        require(actor, Action::SeeQueue)?;
        let bad =
            |name: &str| EngineError::BadQuery { code: "bad_filter", detail: format!("{name} is not known here") };
        let wanted = match &query.status {
            Some(word) => Wanted::Status(QueueStatus::parse(word).ok_or_else(|| bad("status"))?),
            None => Wanted::NeedsAttention,
        };
        let before = match &query.cursor {
            Some(text) => Some(read_cursor(text).ok_or_else(|| bad("cursor"))?),
            None => None,
        };
        let mut tx = self.begin_read_as(actor).await?;
        let mut found = queue::page(&mut tx, wanted, before, query.limit + 1).await?;
        let has_more = i64::try_from(found.len()).is_ok_and(|count| count > query.limit);
        if has_more {
            found.pop();
        }
        let cursor = found.last().filter(|_| has_more).map(cursor_after);
        Ok(QueuePage { items: items(&mut tx, found, self.now()).await?, cursor })
    }

    /// Decides an op again, as its author and with the author's present rights.
    pub async fn retry_op(&self, actor: &Actor, id: Uuid) -> Result<QueueItem> {
        self.attend(actor, id, Task::Retry).await
    }

    /// Gives an op up; its author is told.
    pub async fn drop_op(&self, actor: &Actor, id: Uuid, request: Reason) -> Result<QueueItem> {
        let reason = clean_reason(request.reason)?;
        self.attend(actor, id, Task::Drop { reason }).await
    }

    /// Applies an op for its author, whatever the stage of the show.
    pub async fn apply_op(&self, actor: &Actor, id: Uuid, request: Apply) -> Result<QueueItem> {
        let reason = clean_reason(Some(request.reason))?;
        let reason = reason.ok_or_else(|| EngineError::invalid("required", "a reason is needed"))?;
        self.attend(actor, id, Task::Apply { data: request.data, reason }).await
    }

    async fn attend(&self, actor: &Actor, id: Uuid, task: Task) -> Result<QueueItem> {
        require(actor, Action::Attend)?;
        let id = OpId(id);
        let group = self.group_of(actor, id).await?;
        let (answer, answered) = oneshot::channel();
        let job = AttentionJob { actor: actor.clone(), id, group, task: task.clone(), record: None, answer };
        self.inner.writer.submit(Box::new(job), 0)?;
        let attended = answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?;
        let item = self.queue_item(actor, id).await;
        match attended {
            Ok(()) => item,
            Err(EngineError::Stale { .. }) if self.was_done(actor, id, &task).await? => item,
            Err(EngineError::Stale { code, detail, .. }) => {
                let fresh = serde_json::to_value(item?).expect("an item is plain data");
                Err(EngineError::Stale { code, detail, fresh: Some(fresh) })
            }
            Err(error) => Err(error),
        }
    }

    /// The op and the others of its group: they are taken up as one.
    async fn group_of(&self, actor: &Actor, id: OpId) -> Result<Vec<OpId>> {
        let mut tx = self.begin_read_as(actor).await?;
        let op = queue::load(&mut tx, &[id]).await?.pop().ok_or(NOT_FOUND)?;
        let mut group = vec![id];
        if let Some(txn) = op.txn.as_ref().and_then(|txn| txn.get("id")?.as_str()) {
            let members = queue::unfinished_of_group(&mut tx, op.device_id, txn).await?;
            group.extend(members.into_iter().filter(|member| *member != id));
        }
        Ok(group)
    }

    /// Whether the last thing that was done about this op is the same: two taps are one.
    async fn was_done(&self, actor: &Actor, id: OpId, task: &Task) -> Result<bool> {
        let mut tx = self.begin_read_as(actor).await?;
        let last = audit::last_about_op(&mut tx, id).await?;
        Ok(last.is_some_and(|row| row.action == task.action() && given_in(&row) == task.data()))
    }

    async fn queue_item(&self, actor: &Actor, id: OpId) -> Result<QueueItem> {
        let mut tx = self.begin_read_as(actor).await?;
        let found = queue::load(&mut tx, &[id]).await?;
        items(&mut tx, found, self.now()).await?.pop().ok_or(NOT_FOUND)
    }
}

/// The code of an op that came when the stage or its class was closed to it.
const LATE_CODE: &str = "locked";
const NOT_FOUND: EngineError = EngineError::NotFound("the entry");

async fn items(tx: &mut Tx, found: Vec<QueuedOp>, now: DateTime<Utc>) -> Result<Vec<QueueItem>> {
    let people = found.iter().map(|op| op.user_id).collect();
    let names = Names::load(tx, people, found.iter().map(|op| op.device_id).collect()).await?;
    let rows = found.iter().map(|op| (op.table_name.as_str(), op.record_id, Some(&op.data)));
    let subjects = Subjects::load(tx, rows).await?;
    Ok(found.into_iter().map(|op| item(op, &names, &subjects, now)).collect())
}

fn item(op: QueuedOp, names: &Names, subjects: &Subjects, now: DateTime<Utc>) -> QueueItem {
    QueueItem {
        op_id: op.id.0,
        subject: subjects.of(&op.table_name, op.record_id, Some(&op.data)),
        late: op.error.as_ref().is_some_and(|error| error["code"] == LATE_CODE),
        status: op.status.as_str().to_owned(),
        verdict: op.verdict.map(|verdict| verdict.as_str().to_owned()),
        error: op.error.and_then(|error| serde_json::from_value(error).ok()),
        waiting_for: op.waiting_for,
        conflict_id: op.conflict_id.map(|id| id.0),
        decision: op.decision,
        device: names.device(op.device_id),
        author: names.person(op.user_id),
        received_at: op.created_at,
        age_ms: (now - op.created_at).num_milliseconds().max(0),
        processed_at: op.processed_at,
        attempts: op.attempts,
        next_try_at: op.lease_until.filter(|_| op.status == QueueStatus::Pending),
        version: op.result_version.map(|version| version.0),
        seq: op.result_seq.map(|seq| seq.0),
        skew_ms: op.skew_ms,
        op: SentOp {
            device_seq: op.device_seq,
            txn: op.txn,
            table_name: op.table_name,
            record_id: op.record_id.map(|id| id.0),
            operation: op.operation,
            base_version: op.version.0,
            prev_op_id: op.prev_op_id.map(|id| id.0),
            epoch: op.epoch,
            reason: op.reason,
            data: op.data,
            base: op.base,
            client_time: op.client_time,
        },
    }
}

fn cursor_after(op: &QueuedOp) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", op.created_at.timestamp_millis(), op.id))
}

fn read_cursor(text: &str) -> Option<(DateTime<Utc>, OpId)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (at, id) = text.split_once('.')?;
    Some((moment(at)?, OpId(Uuid::try_parse(id).ok()?)))
}

/// The values that an apply was given, as its record keeps them.
fn given_in(row: &AuditRow) -> Option<&Map<String, Json>> {
    row.after.as_ref().and_then(|after| after.get("data")).and_then(Json::as_object)
}

#[derive(Clone)]
enum Task {
    Retry,
    Drop { reason: Option<String> },
    Apply { data: Option<Map<String, Json>>, reason: String },
}

impl Task {
    fn action(&self) -> &'static str {
        match self {
            Self::Retry => "op_retried",
            Self::Drop { .. } => "op_dropped",
            Self::Apply { .. } => "op_applied",
        }
    }

    fn data(&self) -> Option<&Map<String, Json>> {
        match self {
            Self::Apply { data, .. } => data.as_ref(),
            Self::Retry | Self::Drop { .. } => None,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Retry => None,
            Self::Drop { reason } => reason.as_deref(),
            Self::Apply { reason, .. } => Some(reason),
        }
    }
}

/// Something an admin does about one op, at the writer.
struct AttentionJob {
    actor: Actor,
    id: OpId,
    /// Itself first, then the others of its group.
    group: Vec<OpId>,
    task: Task,
    record: Option<AuditRow>,
    answer: oneshot::Sender<Result<()>>,
}

impl AttentionJob {
    fn attend(&self, world: &mut World) -> std::result::Result<(), SettleError> {
        match &self.task {
            Task::Retry => world.retry_for_admin(self.id),
            Task::Drop { reason } => world.drop_op(&self.actor, self.id, reason.as_deref()),
            Task::Apply { data, reason } => world.apply_for_author(&self.actor, self.id, data.as_ref(), reason),
        }
    }
}

impl Job for AttentionJob {
    fn missing(&self, world: &World) -> Needs {
        world.missing_for_attention(&self.group, self.task.data())
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        self.record = None;
        let was = world.op(self.id).cloned().ok_or(NOT_FOUND)?;
        if matches!(self.task, Task::Drop { .. }) && was.decision.is_some() && was.status == QueueStatus::Failed {
            return Ok(());
        }
        self.attend(world).map_err(engine_error)?;
        let op = world.op(self.id).ok_or(NOT_FOUND)?;
        let mut record = about_op(&self.actor, self.task.action(), &was, op, world.now);
        record.reason = self.task.reason().map(str::to_owned);
        if let (Some(data), Some(after)) = (self.task.data(), record.after.as_mut()) {
            after["data"] = Json::Object(data.clone());
        }
        self.record = Some(record);
        Ok(())
    }

    fn write_beside<'a>(&'a self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(audit::add(tx, self.record.as_slice()))
    }

    fn runs_alone(&self) -> bool {
        true
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        // The requester may have gone; what was done stands all the same.
        let _ = self.answer.send(committed.map(|_| ()));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
