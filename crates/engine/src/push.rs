//! Push: decodes ops, hands them to the writer, renders their verdicts (PROTOCOL.md §3).

mod rescue;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::HashMap;

use serde_json::Value as Json;
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::{OpId, RecordId, Seq};
use showdesk_domain::op::{self, Op, OpDraft, Refused, Rejection, Sent};
use showdesk_domain::permit::{Action, Stage};
use showdesk_domain::schema::SCHEMA_VERSION;
use showdesk_domain::schema::upcast::SCHEMA_OLDEST;
use showdesk_domain::value::decode_id;
use showdesk_domain::world::{Answer, AnswerKind, Author, Member, Needs, World};
use showdesk_store::audit::AuditRow;
use showdesk_store::{Tx, aliases, audit, changes, conflicts, meta, queue, records};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::api::sync::{Hello, HelloLimits, HelloSchema, OpResult, OpsStatusAnswer, Push, PushAnswer, VerdictName};
use crate::audit::about_stage;
use crate::result::{Around, Rows, not_kept, of_op, unknown};
use crate::rights::{not_in_the_team, require};
use crate::seen::{SeenNote, UNSENT_MAX};
use crate::writer::{BesideFuture, Job};
use crate::{Engine, EngineError, Result};

/// Most ops a phone may push at once.
pub const PHONE_OPS_MAX: usize = 500;
/// Most bytes of a sync request of a phone.
pub const PHONE_BYTES_MAX: usize = 1024 * 1024;
/// Most ops the desk may push at once.
pub const DESK_OPS_MAX: usize = 20_000;
/// Most bytes of a sync request at the desk.
pub const DESK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most ops one status question names.
pub const STATUS_OPS_MAX: usize = 500;

type Decoded = std::result::Result<Op, Box<Refused>>;

impl Engine {
    /// What a client learns before it syncs.
    pub async fn hello(&self, actor: &Actor) -> Result<Hello> {
        require(actor, Action::Sync)?;
        let mut tx = self.begin_read_as(actor).await?;
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
        require(actor, Action::Push)?;
        // What a listener takes less than this it refuses itself, whoever asks.
        if push.ops.len() > DESK_OPS_MAX {
            return Err(EngineError::TooLarge(format!("a push holds at most {DESK_OPS_MAX} ops")));
        }
        check_schema(push.schema, SCHEMA_OLDEST)?;
        // What the writer knows spares a look at the database; the writer compares again, in its transaction.
        let epoch = match self.inner.epoch.present() {
            Some(epoch) if epoch == push.epoch => epoch,
            _ => self.epoch().await?,
        };
        if push.epoch != epoch {
            return Err(EngineError::EpochMismatch { epoch });
        }
        if push.recovered_from == Some(epoch) {
            let detail = "recovered_from names the present epoch, of which nothing was lost".to_owned();
            return Err(EngineError::BadQuery { code: "invalid_envelope", detail });
        }
        let now = self.now();
        let skew_ms = push.client_time.map(|time| (time - now).num_milliseconds());
        let unsent = push.pending.map(|pending| pending.clamp(0, UNSENT_MAX));
        self.inner.seen.note(actor.device, SeenNote { unsent, skew_ms, ..SeenNote::at(now) });
        if actor.device_kind == DeviceKind::Phone {
            self.inner.forks.note(actor.device, push.incarnation, now);
        }
        let author = Author {
            actor: actor.clone(),
            incarnation: push.incarnation,
            skew_ms: skew_ms.unwrap_or(0),
            recovered_from: push.recovered_from,
        };
        let ops: Vec<Decoded> = push.ops.iter().map(|raw| op::decode_from(push.schema, raw)).collect();
        let (results, clock) = self.write(author, ops, push.body_bytes, Mode::Sent { epoch }).await?;
        if actor.device_kind == DeviceKind::Phone {
            self.inner.telemetry.counters.verdicts(&results);
        }
        Ok(PushAnswer { epoch, server_time: now, clock: clock.0, results })
    }

    /// Writes the desk's own changes: all are accepted or none is.
    pub(crate) async fn write_ops(&self, actor: &Actor, ops: Vec<OpDraft>) -> Result<Vec<OpResult>> {
        let author =
            Author { actor: actor.clone(), incarnation: self.inner.installation_id, skew_ms: 0, recovered_from: None };
        let ops: Vec<Decoded> = (0_i64..).zip(&ops).map(|(seq, draft)| draft.decode(seq)).collect();
        self.write(author, ops, 0, Mode::Together).await.map(|(results, _)| results)
    }

    async fn write(&self, author: Author, ops: Vec<Decoded>, bytes: usize, mode: Mode) -> Result<(Vec<OpResult>, Seq)> {
        let (answer, answered) = oneshot::channel();
        let job = PushJob { answer: Some(answer), ..PushJob::new(author, ops, mode) };
        self.inner.writer.submit(Box::new(job), bytes)?;
        answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?
    }

    /// The current verdicts of the actor's own ops.
    pub async fn ops_status(&self, actor: &Actor, op_ids: Vec<Json>) -> Result<OpsStatusAnswer> {
        require(actor, Action::Sync)?;
        if op_ids.len() > STATUS_OPS_MAX {
            return Err(EngineError::TooLarge(format!("at most {STATUS_OPS_MAX} op_ids are answered at once")));
        }
        let read = |json: &Json| json.as_str().and_then(|text| decode_id(text).ok()).map(OpId);
        let mut tx = self.begin_read_as(actor).await?;
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
    let names: Vec<_> = ops.iter().filter_map(named).collect();
    around.names = aliases::load(tx, &names).await?;
    for table in showdesk_domain::schema::tables() {
        let own = ops.iter().filter(|op| op.table_name == table.name).filter_map(|op| op.record_id);
        let own = own.flat_map(|id| [Some(id), around.alias(table.name, id)]).flatten();
        let clashes = around.conflicts.values().filter(|clash| clash.table == table);
        let ids: Vec<_> = own.chain(clashes.filter_map(|clash| clash.other_record_id)).collect();
        if !ids.is_empty() {
            let rows = records::load(tx, table, &ids).await?;
            let keys: Vec<_> = rows.iter().map(|row| (table, row.id)).collect();
            let feed = changes::load(tx, &keys).await?.into_iter().filter(|row| row.public);
            around.public.extend(feed.map(|row| (row.table.name, row.record_id)));
            around.records.extend(rows.into_iter().map(|row| ((table.name, row.id), row)));
        }
    }
    Ok(around)
}

/// The row an op names, as far as that can be read.
fn named(op: &showdesk_domain::queue::QueuedOp) -> Option<aliases::Alias> {
    Some((showdesk_domain::schema::table(&op.table_name)?.name, op.record_id?))
}

/// Whether a client of that version of the synced tables is understood: neither below `oldest` nor of a desk to come.
pub(crate) fn check_schema(schema: i64, oldest: i64) -> Result<()> {
    if schema < oldest {
        Err(EngineError::ClientTooOld { schema, oldest })
    } else if schema > SCHEMA_VERSION {
        Err(EngineError::ClientTooNew { schema, newest: SCHEMA_VERSION })
    } else {
        Ok(())
    }
}

fn limits(actor: &Actor) -> (usize, usize) {
    match actor.device_kind {
        DeviceKind::Desk => (DESK_OPS_MAX, DESK_BYTES_MAX),
        DeviceKind::Phone => (PHONE_OPS_MAX, PHONE_BYTES_MAX),
    }
}

/// What is decided as one: an op, or the ops of a group. In the order of `device_seq`; answers stand in the order of the
/// push.
fn units(ops: &[Decoded]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..ops.len()).collect();
    order.sort_by_key(|index| sent(&ops[*index]).device_seq);
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut groups: HashMap<Uuid, usize> = HashMap::new();
    for index in order {
        match txn_of(&ops[index]) {
            Some(txn) => {
                let unit = *groups.entry(txn).or_insert(units.len());
                if unit == units.len() {
                    units.push(Vec::new());
                }
                units[unit].push(index);
            }
            None => units.push(vec![index]),
        }
    }
    units
}

fn sent(op: &Decoded) -> &Sent {
    match op {
        Ok(op) => &op.sent,
        Err(refused) => &refused.sent,
    }
}

/// The id an op is filed under, if it could be read.
fn filed_id(op: &Decoded) -> Option<OpId> {
    match op {
        Ok(op) => Some(op.id),
        Err(refused) => refused.id,
    }
}

/// The group of an op, if it names one that can be read.
fn txn_of(op: &Decoded) -> Option<Uuid> {
    sent(op).txn.as_ref()?.get("id")?.as_str().and_then(|text| decode_id(text).ok())
}

type PushReply = oneshot::Sender<Result<(Vec<OpResult>, Seq)>>;

/// Where the ops of a job come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A device that believes in this epoch: in another one nothing is written. Its rights are those of the moment of
    /// writing.
    Sent { epoch: Uuid },
    /// The same, with the rights that are given: the desk brings in what a phone could not send.
    Brought { epoch: Uuid },
    /// The desk itself; all are accepted or none is.
    Together,
}

/// One push at the writer.
struct PushJob {
    author: Author,
    ops: Vec<Decoded>,
    units: Vec<Vec<usize>>,
    mode: Mode,
    results: Vec<OpResult>,
    internal: Option<Uuid>,
    /// The epoch that began after the push was looked at: nothing was written.
    turned: Option<Uuid>,
    /// Whether its author has left the team meanwhile: nothing was written.
    is_nobodys: bool,
    /// What everybody should be able to read up: another stage of the show.
    stages: Vec<AuditRow>,
    answer: Option<PushReply>,
}

impl PushJob {
    /// One that nobody waits for.
    fn new(author: Author, ops: Vec<Decoded>, mode: Mode) -> Self {
        Self {
            units: units(&ops),
            author,
            ops,
            mode,
            results: Vec::new(),
            internal: None,
            turned: None,
            is_nobodys: false,
            stages: Vec::new(),
            answer: None,
        }
    }

    fn decide(&self, world: &mut World, unit: &[usize]) -> Vec<Answer> {
        let author = &self.author;
        if let Some(error_id) = self.internal {
            let refuse = |index: &usize| match &self.ops[*index] {
                Ok(op) => world.refuse(author, &internal(op, error_id)),
                Err(refused) => world.refuse(author, refused),
            };
            return unit.iter().map(refuse).collect();
        }
        if unit.iter().any(|index| txn_of(&self.ops[*index]).is_some()) {
            let group: Vec<Member<'_>> =
                unit.iter().map(|index| self.ops[*index].as_ref().map_err(Box::as_ref)).collect();
            return world.decide_txn(author, &group);
        }
        let decide = |index: &usize| match &self.ops[*index] {
            Ok(op) => world.decide(author, op),
            Err(refused) => world.refuse(author, refused),
        };
        unit.iter().map(decide).collect()
    }

    /// The record of a change that moved the show to another stage.
    fn stage_record(&self, world: &World, before: Stage, index: usize) -> Option<AuditRow> {
        let op = self.ops[index].as_ref().ok().filter(|_| world.stage() != before)?;
        let (before, after) = (before.to_string(), world.stage().to_string());
        let (show, reason) = (RecordId(world.show_id), op.reason.as_deref());
        Some(about_stage(&self.author.actor, (show, op.id), (&before, &after), reason, world.now))
    }
}

impl Job for PushJob {
    fn missing(&self, world: &World) -> Needs {
        let device = self.author.actor.device;
        // An op that is to be filed as failed needs nothing read: reading may be what failed.
        let decided = self.ops.iter().flatten().filter(|_| self.internal.is_none());
        let mut needs = world.missing(decided.map(|op| (device, op)));
        for op in &self.ops {
            match op {
                Err(refused) if self.internal.is_none() => needs.extend(&world.missing_for_refused(refused)),
                _ => needs.ops.extend(filed_id(op).filter(|id| !world.was_loaded(*id))),
            }
        }
        let Actor { person, device, .. } = self.author.actor;
        if matches!(self.mode, Mode::Sent { .. }) && !world.was_author_loaded(person, device) {
            needs.authors.insert((person, device));
        }
        needs
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        self.turned = match self.mode {
            Mode::Sent { epoch } | Mode::Brought { epoch } if epoch != world.epoch => Some(world.epoch),
            _ => None,
        };
        if self.turned.is_some() {
            return Ok(());
        }
        // Rights may have changed while the push waited for its turn.
        if matches!(self.mode, Mode::Sent { .. }) {
            let present = world.author(self.author.actor.person, self.author.actor.device);
            self.is_nobodys = present.is_none();
            match present {
                Some(present) => self.author.actor = present.clone(),
                None => return Ok(()),
            }
        }
        let mut answers: Vec<Option<Answer>> = vec![None; self.ops.len()];
        self.stages.clear();
        for unit in &self.units {
            let stage = world.stage();
            let decided = self.decide(world, unit);
            self.stages.extend(unit.first().and_then(|index| self.stage_record(world, stage, *index)));
            for (index, answer) in unit.iter().zip(decided) {
                answers[*index] = Some(answer);
            }
        }
        let actor = &self.author.actor;
        self.results = answers.into_iter().flatten().map(|answer| render(world, answer, actor)).collect();
        if self.mode == Mode::Together {
            refuse_unless_all_stand(&self.results)?;
        }
        Ok(())
    }

    fn write_beside<'a>(&'a self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(audit::add(tx, &self.stages))
    }

    fn ops(&self) -> usize {
        self.ops.len()
    }

    fn runs_alone(&self) -> bool {
        self.mode == Mode::Together
    }

    fn split(&mut self) -> Option<Vec<Box<dyn Job>>> {
        if self.runs_alone() || self.units.len() < 2 {
            return None;
        }
        let ops = std::mem::take(&mut self.ops);
        let mut slots: Vec<Option<Decoded>> = ops.into_iter().map(Some).collect();
        let parts = self.units.iter().map(|unit| {
            let ops: Vec<Decoded> = unit.iter().filter_map(|index| slots[*index].take()).collect();
            let units = vec![(0..ops.len()).collect()];
            Box::new(Self { units, ..Self::new(self.author.clone(), ops, self.mode) }) as Box<dyn Job>
        });
        Some(parts.collect())
    }

    fn join(&mut self, parts: Vec<Box<dyn Job>>) {
        let size = self.units.iter().map(Vec::len).sum();
        let mut slots: Vec<Option<OpResult>> = vec![None; size];
        for (unit, part) in self.units.iter().zip(parts) {
            if let Ok(part) = part.into_any().downcast::<Self>() {
                self.turned = self.turned.or(part.turned);
                self.is_nobodys |= part.is_nobodys;
                for (index, result) in unit.iter().zip(part.results) {
                    slots[*index] = Some(result);
                }
            }
        }
        self.results = slots.into_iter().flatten().collect();
    }

    fn reject_internally(&mut self, error_id: Uuid) -> bool {
        let can = self.units.len() == 1 && !self.runs_alone() && self.internal.is_none();
        self.internal = can.then_some(error_id);
        can
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        let Self { answer, results, turned, is_nobodys, .. } = *self;
        if let Some(answer) = answer {
            let answered = committed.and_then(|clock| match turned {
                Some(epoch) => Err(EngineError::EpochMismatch { epoch }),
                None if is_nobodys => Err(not_in_the_team()),
                None => Ok((results, clock)),
            });
            // The requester may have gone; its ops are on disk all the same.
            let _ = answer.send(answered);
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
