//! Push: decodes ops, hands them to the writer, renders their verdicts (PROTOCOL.md §3).

use std::any::Any;

use serde_json::Value as Json;
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::{OpId, Seq};
use showdesk_domain::op::{self, Op, OpDraft, Refused, Rejection};
use showdesk_domain::schema::SCHEMA_VERSION;
use showdesk_domain::value::decode_id;
use showdesk_domain::world::{Answer, AnswerKind, Author, Needs, World};
use showdesk_store::{Tx, conflicts, meta, queue, records};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::api::sync::{Hello, HelloLimits, HelloSchema, OpResult, OpsStatusAnswer, Push, PushAnswer, VerdictName};
use crate::result::{Around, not_kept, of_op, unknown};
use crate::seen::SeenNote;
use crate::writer::{BesideFuture, Job, nothing_beside};
use crate::{Engine, EngineError, Result};

/// Most ops a phone may push at once.
pub const PHONE_OPS_MAX: usize = 500;
/// Most bytes a phone may push at once.
pub const PHONE_BYTES_MAX: usize = 1024 * 1024;
/// Most ops the desk may push at once.
pub const DESK_OPS_MAX: usize = 20_000;
/// Most bytes the desk may push at once.
pub const DESK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most ops one status question names.
const STATUS_OPS_MAX: usize = 500;
/// When to send an op again whose predecessor has not come.
const RETRY_AFTER_MS: i64 = 2_000;

type Decoded = std::result::Result<Op, Box<Refused>>;

impl Engine {
    /// What a client learns before it syncs.
    pub async fn hello(&self, actor: &Actor) -> Result<Hello> {
        let mut tx = self.db().begin_read().await?;
        let meta = meta::read(&mut tx).await?;
        let (ops, bytes) = limits(actor);
        Ok(Hello {
            epoch: meta.epoch,
            protocol: [1, 1],
            schema: HelloSchema { current: SCHEMA_VERSION, min_pull: meta.min_schema },
            limits: HelloLimits { ops, bytes },
            clock: meta.clock.0,
            oldest_seq: meta.oldest_seq.0,
            scope: crate::pull::scope_of(actor),
            server_time: self.now(),
        })
    }

    /// Applies a push. What it answers is on disk.
    pub async fn push(&self, actor: &Actor, push: Push) -> Result<PushAnswer> {
        let (ops_max, _) = limits(actor);
        if push.ops.len() > ops_max {
            return Err(EngineError::TooLarge(format!("a push holds at most {ops_max} ops")));
        }
        let epoch = self.epoch().await?;
        if push.epoch != epoch {
            return Err(EngineError::EpochMismatch { epoch });
        }
        let now = self.now();
        let skew_ms = push.client_time.map(|time| (time - now).num_milliseconds());
        let note = SeenNote { at: now, unsent: push.pending.map(|pending| pending.max(0)), skew_ms, pulled_seq: None };
        self.inner.seen.note(actor.device, note);
        let author = Author { actor: actor.clone(), incarnation: push.incarnation, skew_ms: skew_ms.unwrap_or(0) };
        let ops: Vec<Decoded> = push.ops.iter().map(|raw| op::decode(raw)).collect();
        let (results, clock) = self.write(author, ops, push.body_bytes, false).await?;
        Ok(PushAnswer { epoch, server_time: now, clock: clock.0, results })
    }

    /// Writes the desk's own changes. With `atomic` they are all accepted or none is.
    pub(crate) async fn write_ops(&self, actor: &Actor, ops: Vec<OpDraft>, atomic: bool) -> Result<Vec<OpResult>> {
        let author = Author { actor: actor.clone(), incarnation: self.inner.installation_id, skew_ms: 0 };
        let ops: Vec<Decoded> = (0_i64..).zip(&ops).map(|(seq, draft)| draft.decode(seq)).collect();
        self.write(author, ops, 0, atomic).await.map(|(results, _)| results)
    }

    async fn write(
        &self,
        author: Author,
        ops: Vec<Decoded>,
        bytes: usize,
        atomic: bool,
    ) -> Result<(Vec<OpResult>, Seq)> {
        let (answer, answered) = oneshot::channel();
        let job = PushJob {
            author,
            order: in_order(&ops),
            ops,
            atomic,
            results: Vec::new(),
            internal: None,
            answer: Some(answer),
        };
        self.inner.writer.submit(Box::new(job), bytes)?;
        answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?
    }

    /// The current verdicts of the actor's own ops.
    pub async fn ops_status(&self, actor: &Actor, op_ids: Vec<Json>) -> Result<OpsStatusAnswer> {
        if op_ids.len() > STATUS_OPS_MAX {
            return Err(EngineError::TooLarge(format!("at most {STATUS_OPS_MAX} op_ids are answered at once")));
        }
        let read = |json: &Json| json.as_str().and_then(|text| decode_id(text).ok()).map(OpId);
        let mut tx = self.db().begin_read().await?;
        let ids: Vec<OpId> = op_ids.iter().filter_map(read).collect();
        let mut ops = queue::load(&mut tx, &ids).await?;
        ops.retain(|op| op.device_id == actor.device);
        let around = load_around(&mut tx, &ops).await?;
        let results = op_ids.into_iter().map(|echo| {
            let known = read(&echo).and_then(|id| ops.iter().find(|op| op.id == id));
            known.map_or_else(|| unknown(echo.clone()), |op| of_op(op, echo.clone(), true, &around, actor))
        });
        Ok(OpsStatusAnswer { results: results.collect() })
    }
}

async fn load_around(tx: &mut Tx, ops: &[showdesk_domain::queue::QueuedOp]) -> Result<Around> {
    let mut around = Around::default();
    let ids: Vec<_> = ops.iter().filter_map(|op| op.conflict_id).collect();
    if !ids.is_empty() {
        let clashes = conflicts::load(tx, &ids).await?;
        around.conflicts.extend(clashes.into_iter().map(|clash| (clash.id, clash)));
    }
    for table in showdesk_domain::schema::tables() {
        let own = ops.iter().filter(|op| op.table_name == table.name).filter_map(|op| op.record_id);
        let clashes = around.conflicts.values().filter(|clash| clash.table == table);
        let ids: Vec<_> = own.chain(clashes.filter_map(|clash| clash.other_record_id)).collect();
        if !ids.is_empty() {
            let rows = records::load(tx, table, &ids).await?;
            around.records.extend(rows.into_iter().map(|row| ((table.name, row.id), row)));
        }
    }
    Ok(around)
}

fn limits(actor: &Actor) -> (usize, usize) {
    match actor.device_kind {
        DeviceKind::Desk => (DESK_OPS_MAX, DESK_BYTES_MAX),
        DeviceKind::Phone => (PHONE_OPS_MAX, PHONE_BYTES_MAX),
    }
}

/// The ops of a push are applied in the order of `device_seq`; answers stand in the order of the push.
fn in_order(ops: &[Decoded]) -> Vec<usize> {
    let seq = |op: &Decoded| match op {
        Ok(op) => op.device_seq,
        Err(refused) => refused.sent.device_seq,
    };
    let mut order: Vec<usize> = (0..ops.len()).collect();
    order.sort_by_key(|index| seq(&ops[*index]));
    order
}

type PushReply = oneshot::Sender<Result<(Vec<OpResult>, Seq)>>;

/// One push at the writer.
struct PushJob {
    author: Author,
    ops: Vec<Decoded>,
    order: Vec<usize>,
    atomic: bool,
    results: Vec<OpResult>,
    internal: Option<Uuid>,
    answer: Option<PushReply>,
}

impl Job for PushJob {
    fn missing(&self, world: &World) -> Needs {
        let device = self.author.actor.device;
        // An op that is to be filed as failed needs nothing read: reading may be what failed.
        let decided = self.ops.iter().flatten().filter(|_| self.internal.is_none());
        let mut needs = world.missing(decided.map(|op| (device, op)));
        let filed = self.ops.iter().filter_map(|op| match op {
            Ok(op) => Some(op.id),
            Err(refused) => refused.id,
        });
        needs.ops.extend(filed.filter(|id| !world.was_loaded(*id)));
        needs
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        let mut answers: Vec<Option<Answer>> = vec![None; self.ops.len()];
        for index in &self.order {
            let answer = match (&self.ops[*index], self.internal) {
                (Ok(op), None) => world.decide(&self.author, op),
                (Ok(op), Some(error_id)) => world.refuse(&self.author, &internal(op, error_id)),
                (Err(refused), _) => world.refuse(&self.author, refused),
            };
            answers[*index] = Some(answer);
        }
        let actor = &self.author.actor;
        self.results = answers.into_iter().flatten().map(|answer| render(world, answer, actor)).collect();
        if self.atomic {
            refuse_unless_all_stand(&self.results)?;
        }
        Ok(())
    }

    fn write_beside<'a>(&'a self, _tx: &'a mut Tx) -> BesideFuture<'a> {
        nothing_beside()
    }

    fn ops(&self) -> usize {
        self.ops.len()
    }

    fn runs_alone(&self) -> bool {
        self.atomic
    }

    fn split(&mut self) -> Option<Vec<Box<dyn Job>>> {
        if self.atomic || self.ops.len() < 2 {
            return None;
        }
        let ops = std::mem::take(&mut self.ops);
        let mut slots: Vec<Option<Decoded>> = ops.into_iter().map(Some).collect();
        let parts = self.order.iter().filter_map(|index| slots[*index].take()).map(|op| {
            Box::new(Self {
                author: self.author.clone(),
                ops: vec![op],
                order: vec![0],
                atomic: false,
                results: Vec::new(),
                internal: None,
                answer: None,
            }) as Box<dyn Job>
        });
        Some(parts.collect())
    }

    fn join(&mut self, parts: Vec<Box<dyn Job>>) {
        let mut slots: Vec<Option<OpResult>> = vec![None; self.order.len()];
        for (index, part) in self.order.iter().zip(parts) {
            let part = part.into_any().downcast::<Self>();
            slots[*index] = part.ok().and_then(|mut part| part.results.pop());
        }
        self.results = slots.into_iter().flatten().collect();
    }

    fn reject_internally(&mut self, error_id: Uuid) -> bool {
        let can = self.ops.len() == 1 && !self.atomic && self.internal.is_none();
        self.internal = can.then_some(error_id);
        can
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        let Self { answer, results, .. } = *self;
        if let Some(answer) = answer {
            // The requester may have gone; its ops are on disk all the same.
            let _ = answer.send(committed.map(|clock| (results, clock)));
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

fn internal(op: &Op, error_id: Uuid) -> Refused {
    let detail = format!("the desk could not save this; tell the office the number {error_id}");
    Refused { id: Some(op.id), sent: op.sent.clone(), rejection: Rejection::new("internal", detail) }
}

fn render(world: &World, answer: Answer, actor: &Actor) -> OpResult {
    match answer.kind {
        AnswerKind::Queued { op_id, replayed } => match world.op(op_id) {
            Some(op) => of_op(op, answer.echo, replayed, world, actor),
            None => unknown(answer.echo),
        },
        AnswerKind::Rejected(rejection) => not_kept(answer.echo, &rejection),
        AnswerKind::Retry => {
            OpResult { verdict: VerdictName::Retry, after_ms: Some(RETRY_AFTER_MS), ..unknown(answer.echo) }
        }
    }
}

fn refuse_unless_all_stand(results: &[OpResult]) -> Result<()> {
    let stands =
        |result: &&OpResult| matches!(result.verdict, VerdictName::Applied | VerdictName::Merged | VerdictName::Noop);
    match results.iter().find(|result| !stands(result)) {
        None => Ok(()),
        Some(first) => {
            let why = first.error.as_ref().map_or_else(|| "it clashes".to_owned(), |error| error.detail.clone());
            let detail = format!("nothing was written, because one row could not be: {why}");
            Err(EngineError::Stale { code: "rows_moved", detail, fresh: None })
        }
    }
}
