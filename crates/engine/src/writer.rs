//! The one way into the synced rows: a thread that takes what waits, decides it in memory and commits it together.
//!
//! A thread of its own, because a group waits for the database a few hundred times: as a task it would each
//! time queue up behind all the requests that are being read and answered.
//!
//! Group commit: while one transaction is made durable the next requests gather. An answer is given
//! only after the commit. If a bulk statement fails or a rule panics, the group is rolled back and applied again
//! request by request, and a request that fails op by op.

pub(crate) mod load;
mod save;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{io, thread};

use chrono::TimeDelta;
use futures_util::FutureExt;
use showdesk_domain::conflict::Conflict;
use showdesk_domain::ids::Seq;
use showdesk_domain::world::{Needs, World};
use showdesk_store::db::Seat;
use showdesk_store::{Db, StoreError, Tx};
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::disk::Disk;
use crate::epoch::{EpochGuard, Turn};
use crate::ids::fresh_ids;
use crate::neighbours::Neighbours;
use crate::notifications::{self, Outbox};
use crate::presence::Moment;
use crate::seen::SeenMap;
use crate::telemetry::Counters;
use crate::{Clock, EngineError, Wake};

/// Requests that may wait for the writer.
const QUEUE_REQUESTS_MAX: usize = 2_048;
/// Bytes of requests that may wait for the writer.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Ops that one transaction takes, unless a single request has more.
///
/// While a group is decided and written, the pushes of the next one are read and answered on the other cores: with
/// groups as large as all that waits, the writer and everybody else take turns instead. And what so many ops change
/// fits into the writer's page cache.
const GROUP_OPS_MAX: usize = 1_000;
/// Rounds of held ops whose turn comes because others were decided; the worker takes up what is left.
const TURNS_MAX: usize = 16;
/// How often a transaction that found the database busy is tried.
const BUSY_TRIES_MAX: u32 = 5;
/// How often a transaction whose connection broke is tried on another one.
const RECONNECTS_MAX: u32 = 1;

/// A request for the writer. It may be applied more than once: to a new working set after a roll-back.
pub(crate) trait Job: Send + Sync {
    /// Reads what it decides by beside the synced rows.
    fn look<'a>(&'a mut self, _tx: &'a mut Tx) -> BesideFuture<'a> {
        nothing_beside()
    }
    /// What must still be read.
    fn missing(&self, world: &World) -> Needs;
    /// Decides; keeps what it will answer. An error undoes the whole transaction, so such a job runs alone.
    fn apply(&mut self, world: &mut World) -> Result<(), EngineError>;
    /// Rows beside the synced ones that belong to the same transaction.
    fn write_beside<'a>(&'a self, tx: &'a mut Tx) -> BesideFuture<'a>;
    /// Messages that belong to the same transaction.
    fn tell<'a>(&'a self, _tx: &'a mut Tx, _outbox: &'a mut Outbox) -> BesideFuture<'a> {
        nothing_beside()
    }
    /// How many ops it has, for the size of a group.
    fn ops(&self) -> usize {
        1
    }
    /// Whether it must have a transaction of its own.
    fn runs_alone(&self) -> bool {
        false
    }
    /// The same request as one job an op, for finding the one that fails; none if it has no parts.
    fn split(&mut self) -> Option<Vec<Box<dyn Job>>> {
        None
    }
    /// Takes the parts back when they were committed one by one.
    fn join(&mut self, _parts: Vec<Box<dyn Job>>) {}
    /// The op is to be filed as `rejected: internal` under this error id.
    fn reject_internally(&mut self, _error_id: Uuid) -> bool {
        false
    }
    /// Answers the requester, after the commit or because there was none.
    fn answer(self: Box<Self>, committed: Result<Seq, EngineError>);
    /// For `join`: gives up what it would have answered.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send>;
}

/// What [`Job::write_beside`] answers.
pub(crate) type BesideFuture<'a> =
    std::pin::Pin<Box<dyn std::future::Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Nothing beside the synced rows.
pub(crate) fn nothing_beside<'a>() -> BesideFuture<'a> {
    Box::pin(async { Ok(()) })
}

/// The writer's letter box.
#[derive(Clone)]
pub(crate) struct WriterHandle {
    jobs: mpsc::Sender<Envelope>,
    waiting_bytes: Arc<AtomicUsize>,
}

enum Envelope {
    Job { job: Box<dyn Job>, bytes: usize },
    Flush,
    Stop(oneshot::Sender<()>),
}

impl WriterHandle {
    /// Hands a job over; `Busy` if too much waits already.
    pub(crate) fn submit(&self, job: Box<dyn Job>, bytes: usize) -> Result<(), EngineError> {
        let busy = || EngineError::Busy { retry_after_ms: 1_000 };
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel);
        let fits = waiting == 0 || waiting + bytes <= QUEUE_BYTES_MAX;
        let sent =
            if fits { self.jobs.try_send(Envelope::Job { job, bytes }).map_err(|_| busy()) } else { Err(busy()) };
        if sent.is_err() {
            self.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
        }
        sent
    }

    /// Asks for a commit of what the devices were seen doing, if nothing else brings one.
    pub(crate) fn flush(&self) {
        // A full box means that a commit is near anyway.
        let _ = self.jobs.try_send(Envelope::Flush);
    }

    /// Finishes what waits and ends the thread.
    pub(crate) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.jobs.send(Envelope::Stop(done)).await.is_ok() {
            // An error means that the thread has ended already.
            let _ = stopped.await;
        }
    }
}

/// What the writer works with.
pub(crate) struct Writer {
    pub db: Db,
    pub show_id: Uuid,
    pub clock: Arc<dyn Clock>,
    /// What [`Clock::steady`] lacks if the machine has forgotten the time.
    pub steady_behind: TimeDelta,
    pub wakes: broadcast::Sender<Wake>,
    pub seen: Arc<SeenMap>,
    pub disk: Arc<Disk>,
    pub epoch: Arc<EpochGuard>,
    pub neighbours: Arc<Neighbours>,
    /// Told after each commit.
    pub committed: Arc<Notify>,
    pub counters: Arc<Counters>,
}

impl Writer {
    /// Starts the thread. It ends when it is stopped, or when nobody can write any more.
    pub(crate) fn start(self) -> io::Result<WriterHandle> {
        let (jobs, letters) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let handle = WriterHandle { jobs, waiting_bytes: Arc::clone(&waiting_bytes) };
        let runtime = Handle::current();
        let run = move || runtime.block_on(self.run(letters, waiting_bytes));
        thread::Builder::new().name("writer".to_owned()).spawn(run)?;
        Ok(handle)
    }

    async fn run(self, mut letters: mpsc::Receiver<Envelope>, waiting_bytes: Arc<AtomicUsize>) {
        let mut stop = None;
        let mut answers = JoinSet::new();
        while stop.is_none() {
            let Some(first) = letters.recv().await else { break };
            let (mut group, mut ops) = (Vec::new(), 0);
            let mut next = Some(first);
            while let Some(letter) = next.take() {
                match letter {
                    Envelope::Job { job, bytes } => {
                        waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
                        ops += job.ops();
                        group.push(job);
                    }
                    Envelope::Flush => {}
                    Envelope::Stop(done) => {
                        stop = Some(done);
                        break;
                    }
                }
                if ops < GROUP_OPS_MAX {
                    next = letters.try_recv().ok();
                }
            }
            // If a rule panics, its transaction rolls back, its requesters are told to come again, and the next
            // group is served: nothing of the group outlives it.
            let committed = AssertUnwindSafe(self.commit_group(group, &mut answers)).catch_unwind().await;
            if committed.is_err() {
                tracing::error!("a group of requests could not be decided");
            }
            while answers.try_join_next().is_some() {}
        }
        while answers.join_next().await.is_some() {}
        if let Some(done) = stop {
            // Nobody waits for the answer if the engine was dropped.
            let _ = done.send(());
        }
    }

    /// `answers` takes what is still being answered when the next group begins.
    async fn commit_group(&self, group: Vec<Box<dyn Job>>, answers: &mut JoinSet<()>) {
        let (alone, mut together): (Vec<_>, Vec<_>) = group.into_iter().partition(|job| job.runs_alone());
        match self.commit(&mut together).await {
            Ok(clock) => {
                answers.spawn(async move {
                    for job in together {
                        job.answer(Ok(clock));
                    }
                });
            }
            Err(error) if is_final(&error) || together.len() == 1 && together[0].ops() <= 1 => {
                self.give_up_or_reject(together, error).await;
            }
            Err(_) => {
                for job in together {
                    self.commit_one(job).await;
                }
            }
        }
        for job in alone {
            self.commit_one(job).await;
        }
    }

    async fn commit_one(&self, mut job: Box<dyn Job>) {
        let mut only = vec![job];
        let error = match self.commit(&mut only).await {
            Ok(clock) => return only.into_iter().for_each(|job| job.answer(Ok(clock))),
            Err(error) => error,
        };
        job = only.pop().expect("one job went in");
        let parts = if is_final(&error) { None } else { job.split() };
        let Some(parts) = parts else {
            return self.give_up_or_reject(vec![job], error).await;
        };
        let mut done = Vec::with_capacity(parts.len());
        let mut clock = Seq(0);
        for part in parts {
            let mut part = vec![part];
            let mut committed = self.commit(&mut part).await;
            if let Err(error) = &committed
                && !is_final(error)
                && part[0].reject_internally(log_internal(error))
            {
                committed = self.commit(&mut part).await;
            }
            match committed {
                Ok(newest) => clock = newest,
                Err(error) => return job.answer(Err(error)),
            }
            done.extend(part);
        }
        job.join(done);
        job.answer(Ok(clock));
    }

    async fn give_up_or_reject(&self, mut jobs: Vec<Box<dyn Job>>, error: EngineError) {
        if !is_final(&error) && jobs.len() == 1 && jobs[0].reject_internally(log_internal(&error)) {
            let committed = self.commit(&mut jobs).await;
            let mut jobs = jobs.into_iter();
            return match (committed, jobs.next()) {
                (Ok(clock), Some(job)) => job.answer(Ok(clock)),
                (Err(error), Some(job)) => job.answer(Err(error)),
                (_, None) => {}
            };
        }
        let mut jobs = jobs.into_iter();
        if let Some(first) = jobs.next() {
            jobs.for_each(|job| job.answer(Err(again(&error))));
            first.answer(Err(error));
        }
    }

    /// Applies the jobs in one transaction. Nothing is written if it fails.
    async fn commit(&self, jobs: &mut [Box<dyn Job>]) -> Result<Seq, EngineError> {
        self.disk.may_write()?;
        let (mut tries, mut reconnects) = (0, 0);
        loop {
            let mut began = false;
            match self.disk.settled(self.try_commit(jobs, &mut began).await) {
                Err(EngineError::Store(StoreError::Busy)) if tries < BUSY_TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(20 << tries)).await;
                }
                // The connection broke, perhaps after the commit: what was committed is found by its op ids.
                Err(EngineError::Unavailable(_)) if began && reconnects < RECONNECTS_MAX => reconnects += 1,
                Err(EngineError::Store(StoreError::Busy)) => {
                    return Err(EngineError::Busy { retry_after_ms: 1_000 });
                }
                other => return other,
            }
        }
    }

    async fn try_commit(&self, jobs: &mut [Box<dyn Job>], began: &mut bool) -> Result<Seq, EngineError> {
        let mut tx = self.db.begin_write(Seat::Writer).await?;
        *began = true;
        let Turn { meta, turned } = self.epoch.begin(&mut tx).await?;
        let now = self.clock.now();
        let mut world = World::new(now, meta.epoch, self.show_id, meta.clock, Box::new(fresh_ids(now)));
        let mut waiting: Vec<&mut (dyn Job + 'static)> = jobs.iter_mut().map(AsMut::as_mut).collect();
        for job in &mut waiting {
            job.look(&mut tx).await?;
        }
        // A rule that panics is found request by request, as a statement that fails.
        let applied = AssertUnwindSafe(decide(&mut tx, &mut world, &mut waiting)).catch_unwind().await;
        if let Err(error) = applied.unwrap_or(Err(EngineError::Broken)) {
            // SQLite may have taken it back by itself; what went wrong first is what counts.
            let _ = tx.rollback().await;
            return Err(error);
        }
        save::journal(&mut tx, &world, meta.clock).await?;
        let mut outbox = Outbox::new(Moment { now, steady: self.clock.steady() + self.steady_behind });
        notifications::tell(&mut tx, &world, &mut outbox).await?;
        for job in jobs.iter() {
            job.write_beside(&mut tx).await?;
            job.tell(&mut tx, &mut outbox).await?;
        }
        let seen = self.seen.save(&mut tx).await?;
        let turned = turned.then_some(Wake::Epoch(meta.epoch));
        let wakes: Vec<Wake> = turned.into_iter().chain(wakes_of(&world, meta.clock)).chain(outbox.wakes()).collect();
        self.neighbours.tell(&mut tx, meta.epoch, &wakes).await?;
        let clashes: Vec<Conflict> =
            world.journal().conflicts.iter().filter_map(|id| world.conflict(*id)).cloned().collect();
        let clock = world.clock;
        // The working set of a thousand ops is given back while the disk writes.
        let (committed, ()) = tokio::join!(biased; tx.commit(), async { drop(world) });
        committed?;
        self.seen.forget(seen);
        let marked = self.epoch.committed(meta.epoch, clock).await;
        // What is on disk is told, also where the mark beside it could not be written and nobody is answered.
        self.committed.notify_one();
        self.counters.clashes(clashes.iter(), now);
        for channel in outbox.taken_back() {
            self.counters.needless(*channel, 1);
        }
        for wake in wakes {
            // Nobody listening is fine: a wake-up carries no data.
            let _ = self.wakes.send(wake);
        }
        marked.map_err(|error| self.disk.mark_failed(&error))?;
        Ok(clock)
    }
}

/// Reads what the jobs need and decides them in their order, and what waited for them. Nothing is written.
pub(crate) async fn decide(
    tx: &mut Tx,
    world: &mut World,
    jobs: &mut [&mut (dyn Job + 'static)],
) -> Result<(), EngineError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let missing = |world: &World| {
        let mut needs = Needs::default();
        for job in jobs.iter() {
            needs.extend(&job.missing(world));
        }
        needs
    };
    load::rounds(tx, world, missing).await?;
    jobs.iter_mut().try_for_each(|job| job.apply(world))?;
    // What was decided may be what held ops waited for; what these need is known only now.
    for _ in 0..TURNS_MAX {
        if world.missing_for_turns().is_empty() {
            break;
        }
        load::rounds(tx, world, World::missing_for_turns).await?;
        world.take_turns();
    }
    Ok(())
}

/// Who must hear what a transaction did.
fn wakes_of(world: &World, clock_before: Seq) -> impl Iterator<Item = Wake> {
    let grown = (world.clock > clock_before).then_some(Wake::Clock(world.clock.0));
    let conflicts = world.journal().conflicts.iter().filter_map(|id| world.conflict(*id));
    let conflicts = conflicts.map(|conflict| Wake::Conflict {
        id: conflict.id.0,
        rev: conflict.rev,
        status: conflict.status.as_str().to_owned(),
    });
    grown.into_iter().chain(conflicts)
}

/// Errors that trying the parts one by one cannot mend.
fn is_final(error: &EngineError) -> bool {
    !matches!(
        error,
        EngineError::Broken
            | EngineError::Store(
                StoreError::Duplicate { .. }
                    | StoreError::MissingReference
                    | StoreError::Database(_)
                    | StoreError::Corrupt { .. }
            )
    )
}

/// The same answer for the others of a group; the cause stays with the first.
fn again(error: &EngineError) -> EngineError {
    match error {
        EngineError::DiskFull => EngineError::DiskFull,
        EngineError::ReadOnly => EngineError::ReadOnly,
        EngineError::Busy { retry_after_ms } => EngineError::Busy { retry_after_ms: *retry_after_ms },
        _ => EngineError::Busy { retry_after_ms: 1_000 },
    }
}

fn log_internal(error: &EngineError) -> Uuid {
    let id = Uuid::new_v4();
    tracing::error!(error_id = %id, ?error, "an op could not be written");
    id
}

#[cfg(test)]
mod tests {
    use std::any::Any;

    use super::*;
    use crate::Options;
    use crate::api::sync::Push;

    /// A request that holds the writer up, or whose decision is a mistake of ours.
    struct Odd {
        until: Option<oneshot::Receiver<()>>,
        answer: oneshot::Sender<Result<Seq, EngineError>>,
    }

    impl Job for Odd {
        fn look<'a>(&'a mut self, _tx: &'a mut Tx) -> BesideFuture<'a> {
            let until = self.until.take();
            Box::pin(async move {
                if let Some(until) = until {
                    let _ = until.await;
                }
                Ok(())
            })
        }

        fn missing(&self, _world: &World) -> Needs {
            Needs::default()
        }

        fn apply(&mut self, _world: &mut World) -> Result<(), EngineError> {
            panic!("a rule is broken")
        }

        fn write_beside<'a>(&'a self, _tx: &'a mut Tx) -> BesideFuture<'a> {
            nothing_beside()
        }

        fn answer(self: Box<Self>, committed: Result<Seq, EngineError>) {
            let _ = self.answer.send(committed);
        }

        fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
            self
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_panic_takes_down_its_own_request_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options::new(folder.path());
        let engine = crate::Engine::open(options).await.expect("a show");
        let before = engine.clock().await.expect("a clock");
        let odd = |until| {
            let (answer, answered) = oneshot::channel();
            engine.inner.writer.submit(Box::new(Odd { until, answer }), 0).expect("there is room");
            answered
        };
        // While the first is looked at the others gather: they are decided together.
        let (go, until) = oneshot::channel();
        let first = odd(Some(until));
        let second = odd(None);
        let actor = engine.desk_actor().await.expect("the desk");
        let show = engine.inner.show_id;
        let renamed = serde_json::json!({
            "op_id": Uuid::now_v7(), "device_seq": 1, "table_name": "shows", "record_id": show,
            "operation": "update", "base_version": 1, "data": {"name": "Willow Fair"},
        });
        let renamed = serde_json::value::to_raw_value(&renamed).expect("a JSON value can be written");
        let epoch = engine.installation().await.expect("an installation").epoch;
        let beside = engine.push(&actor, Push::of(epoch, Uuid::from_u128(7), vec![renamed]));
        let release = async {
            tokio::task::yield_now().await;
            go.send(()).expect("the writer waits");
        };
        let (results, ()) = tokio::join!(beside, release);
        let served = results.expect("its neighbour is served");
        assert_eq!(served.results[0].seq, Some(before + 1));
        for answered in [first, second] {
            let answer = answered.await.expect("an answer");
            assert!(matches!(answer, Err(EngineError::Broken | EngineError::Busy { .. })), "{answer:?}");
        }
        engine.close().await;
    }
}
