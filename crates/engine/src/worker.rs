//! Background work that is claimed: `process-sync-queue` takes waiting ops up again (PROTOCOL.md §2, §4);
//! `send-push-notification` stands in [`crate::delivery`].
//!
//! What can be decided is decided in the transaction that brings what an op waits for. This worker takes up what is
//! left, the oldest first, a bounded number at a time. A claim ends by itself: a desk that dies holds nothing for long,
//! and no two desks of one database take the same op.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::{OpId, Seq};
use showdesk_domain::op::Rejection;
use showdesk_domain::permit::Action;
use showdesk_domain::queue::{ATTEMPTS_MAX, PAUSE_MAX, QueueStatus};
use showdesk_domain::world::{Needs, World};
use showdesk_store::queue::Moment;
use showdesk_store::{Tx, queue};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::api::attention::WorkerRun;
use crate::rights::require;
use crate::writer::{BesideFuture, Job, nothing_beside};
use crate::{Engine, EngineError, Result};

/// Ops that one run takes up.
const CLAIM_OPS_MAX: i64 = 100;
/// How long a claim lasts; deciding a hundred ops takes far less.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often the worker looks, if nothing wakes it.
const RUN_EVERY: Duration = Duration::from_secs(5);
/// Wake-ups that come closer together than this are one.
const RUN_PAUSE: Duration = Duration::from_secs(1);

impl Engine {
    /// Runs a worker once, pauses or not, and tells how many rows it took up.
    pub async fn run_worker(&self, actor: &Actor, name: &str) -> Result<WorkerRun> {
        require(actor, Action::Maintain)?;
        let processed = match name {
            "process-sync-queue" => self.process_sync_queue(true).await?,
            "send-push-notification" => self.send_push_notification().await?,
            "look-at-alerts" => {
                self.take_readings().await?;
                self.look_at_alerts().await? + self.carry_alerts_out().await?
            }
            "cleanup" => {
                let tombstones = self.remove_old_tombstones().await?;
                let measurements = match self.clean_up_telemetry().await {
                    Err(EngineError::RecordingOff) => 0,
                    removed => removed?,
                };
                let kept = self.sweep_cache().await?;
                usize::try_from(tombstones.saturating_add(measurements).saturating_add(kept)).unwrap_or(usize::MAX)
            }
            _ => return Err(EngineError::NotFound("the worker")),
        };
        let what = serde_json::json!({ "worker": name, "processed": processed });
        self.note(actor, "worker_run", None, Some(what)).await?;
        Ok(WorkerRun { processed })
    }

    /// Starts the workers. A desk that has its database for itself knows that nobody else can hold a claim.
    pub(crate) async fn start_workers(&self) -> Result<()> {
        if !self.db().is_shared() {
            match self.end_all_claims().await {
                // The desk can be read; the claims end by their time.
                Ok(()) | Err(EngineError::DiskFull) => {}
                Err(error) => return Err(error),
            }
        }
        let inner = Arc::downgrade(&self.inner);
        let mut wakes = self.wakes();
        let working = tokio::spawn(async move {
            loop {
                // Missing wake-ups is fine, and so is one that tells of something else: looking costs little.
                let woken = tokio::time::timeout(RUN_EVERY, wakes.recv()).await;
                if matches!(woken, Ok(Err(RecvError::Closed))) {
                    return;
                }
                tokio::time::sleep(RUN_PAUSE).await;
                wakes = wakes.resubscribe();
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                if let Err(error) = engine.process_sync_queue(false).await {
                    tracing::warn!(%error, "waiting entries could not be taken up");
                }
            }
        });
        self.background().push(working.abort_handle());
        Ok(())
    }

    async fn end_all_claims(&self) -> Result<()> {
        let mut tx = self.begin_write_claims().await?;
        queue::reap(&mut tx, regardless_of_time(self.now())).await?;
        self.commit(tx).await
    }

    /// Takes waiting ops up once; answers how many. `by_hand` passes over their pauses.
    pub(crate) async fn process_sync_queue(&self, by_hand: bool) -> Result<usize> {
        let claimed = self.claim(by_hand).await?;
        let count = claimed.len();
        self.take_up(claimed).await;
        Ok(count)
    }

    /// Decides claimed ops again, or lets them pause.
    async fn take_up(&self, claimed: Vec<OpId>) {
        let mut waiting = Vec::with_capacity(claimed.len());
        for id in claimed {
            let (answer, answered) = oneshot::channel();
            let job = WaitingJob { id, internal: None, answer };
            // A full writer leaves the op to the end of its claim.
            if self.inner.writer.submit(Box::new(job), 0).is_ok() {
                waiting.push((id, answered));
            }
        }
        for (id, answered) in waiting {
            if let Ok(Err(error)) = answered.await {
                tracing::warn!(%id, %error, "a waiting entry could not be taken up");
            }
        }
    }

    async fn claim(&self, by_hand: bool) -> Result<Vec<OpId>> {
        let now = self.now();
        let due = if by_hand { regardless_of_time(now) } else { at(now) };
        let mut tx = self.begin_read_claims().await?;
        if !queue::has_due(&mut tx, due).await? {
            return Ok(Vec::new());
        }
        drop(tx);
        let mut tx = self.begin_write_claims().await?;
        queue::reap(&mut tx, at(now)).await?;
        let claimed = queue::claim(&mut tx, due, now + LEASE, CLAIM_OPS_MAX).await?;
        self.commit(tx).await?;
        tracing::debug!(count = claimed.len(), "waiting entries are claimed");
        Ok(claimed)
    }
}

/// What is due at this time.
fn at(now: DateTime<Utc>) -> Moment {
    Moment { now, latest_end: now + PAUSE_MAX.max(LEASE) }
}

/// Everything is due.
fn regardless_of_time(now: DateTime<Utc>) -> Moment {
    Moment { now: at(now).latest_end, ..at(now) }
}

/// A claimed op at the writer.
struct WaitingJob {
    id: OpId,
    internal: Option<Uuid>,
    answer: oneshot::Sender<Result<()>>,
}

impl Job for WaitingJob {
    fn missing(&self, world: &World) -> Needs {
        if self.internal.is_some() {
            // Reading more may be what failed.
            let mut needs = Needs::default();
            needs.ops.extend((!world.was_loaded(self.id)).then_some(self.id));
            return needs;
        }
        world.missing_for_attention(&[self.id], None)
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        // What it waited for may have come meanwhile, at this desk or at another.
        let Some(op) = world.op(self.id).filter(|op| op.status == QueueStatus::Processing) else { return Ok(()) };
        let is_poison = op.attempts > ATTEMPTS_MAX + 1;
        if let Some(error_id) = self.internal.or_else(|| is_poison.then(Uuid::new_v4)) {
            let detail = format!("the desk could not save this; tell the office the number {error_id}");
            world.fail_op(self.id, &Rejection::new("internal", detail));
            return Ok(());
        }
        world.retry(self.id);
        world.pause(self.id);
        Ok(())
    }

    fn write_beside<'a>(&'a self, _tx: &'a mut Tx) -> BesideFuture<'a> {
        nothing_beside()
    }

    fn reject_internally(&mut self, error_id: Uuid) -> bool {
        let can = self.internal.is_none();
        self.internal = Some(error_id);
        can
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        // The worker may have been stopped; what was decided stands all the same.
        let _ = self.answer.send(committed.map(|_| ()));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[cfg(test)]
mod tests;
