//! What is being made: one making a key, on a task of its own, for however many wait for it.
//!
//! Whoever asked may go or lose patience, and it goes on: what was begun serves those who come next. It ends with the
//! show. What goes wrong is told to all who wait, and none of them tries for itself.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{Entry, Tag, Want};
use crate::{Engine, EngineError, Result};

/// Makings at a time: charts of many widths, at most. Who wants another one asks again.
const MAKINGS_MAX: usize = 32;
/// After so long who was refused may ask again.
const AGAIN_MS: i64 = 1_000;

/// How old a value may be that takes the place of one that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// Any that may be given.
    Usable,
    /// Only one that need not be made anew yet.
    Fresh,
}

/// All that is being made.
#[derive(Default)]
pub(super) struct Makings(Mutex<Running>);

#[derive(Default)]
struct Running {
    /// The show is closed: nothing begins any more.
    is_over: bool,
    begun: u64,
    all: Vec<Making>,
}

struct Making {
    number: u64,
    key: String,
    tag: Tag,
    /// Of what has changed since: those who wait are given it, and who asks now is not.
    is_overtaken: bool,
    outcome: watch::Receiver<Option<Outcome>>,
    /// None until it has begun.
    task: Option<AbortHandle>,
}

type Outcome = std::result::Result<Arc<Entry>, Failure>;

/// Why it could not be made, for all who wait.
#[derive(Clone)]
struct Failure(Arc<Mutex<Option<EngineError>>>);

impl Failure {
    /// The cause itself for the first who hears of it: it stands in the log once. The others may ask again, unless that
    /// is of no use.
    fn told(&self) -> EngineError {
        let mut cause = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*cause, Some(EngineError::RecordingOff)) {
            return EngineError::RecordingOff;
        }
        cause.take().unwrap_or_else(busy)
    }
}

/// Somebody's place among those who wait.
pub(super) struct Waiting {
    /// Whether it was begun for this one.
    pub is_first: bool,
    outcome: watch::Receiver<Option<Outcome>>,
}

impl Waiting {
    /// What came of it.
    pub(super) async fn outcome(mut self) -> Result<Arc<Entry>> {
        // Without an outcome it panicked, or the show was closed.
        let outcome = self.outcome.wait_for(Option::is_some).await.map_err(|_| busy())?.clone();
        outcome.ok_or_else(busy)?.map_err(|failure| failure.told())
    }
}

pub(super) fn busy() -> EngineError {
    EngineError::Busy { retry_after_ms: AGAIN_MS }
}

impl Makings {
    /// Lets those who ask from now on begin anew: what is being made with that tag is overtaken.
    pub(super) fn overtake(&self, tag: Tag) {
        self.running().all.iter_mut().filter(|making| making.tag == tag).for_each(|making| making.is_overtaken = true);
    }

    /// Ends what is being made, and begins nothing more.
    pub(super) fn close(&self) {
        let mut running = self.running();
        running.is_over = true;
        let ended = std::mem::take(&mut running.all);
        drop(running);
        ended.iter().filter_map(|making| making.task.as_ref()).for_each(AbortHandle::abort);
    }

    /// Knows by what a making can be ended, unless it has ended.
    fn began(&self, number: u64, task: AbortHandle) {
        let mut running = self.running();
        let is_over = running.is_over;
        match running.all.iter_mut().find(|making| making.number == number) {
            Some(making) => making.task = Some(task),
            None if is_over => task.abort(),
            None => {}
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a making off the list, however it ends.
struct Ending {
    engine: Engine,
    number: u64,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.engine.inner.cache.makings.running().all.retain(|making| making.number != self.number);
    }
}

impl Engine {
    /// Joins the making of a value, or begins it. None if nothing can be begun now.
    pub(super) fn join_making<F, Made>(&self, want: &Want, make: &F, age: Age) -> Option<Waiting>
    where
        F: Fn(Self) -> Made + Clone + Send + Sync + 'static,
        Made: Future<Output = Result<Vec<u8>>> + Send,
    {
        let key = want.key();
        let makings = &self.inner.cache.makings;
        let mut running = makings.running();
        if let Some(making) = running.all.iter().find(|making| making.key == key && !making.is_overtaken) {
            return Some(Waiting { is_first: false, outcome: making.outcome.clone() });
        }
        if running.is_over || running.all.len() >= MAKINGS_MAX {
            return None;
        }
        running.begun += 1;
        let (number, tag) = (running.begun, want.tag);
        let (tell, outcome) = watch::channel(None);
        let begun = Making { number, key: key.clone(), tag, is_overtaken: false, outcome: outcome.clone(), task: None };
        running.all.push(begun);
        // A program that ends drops a task as it is begun, and that wants the list.
        drop(running);
        let (want, make) = (want.clone(), make.clone());
        let ending = Ending { engine: self.clone(), number };
        let task = tokio::spawn(async move {
            let found = ending.engine.found_or_made(&want, &key, &make, age).await;
            // Off the list before it is told: who asks from here on finds it in memory.
            drop(ending);
            let told = found.map_err(|error| Failure(Arc::new(Mutex::new(Some(error)))));
            tell.send_replace(Some(told));
        });
        makings.began(number, task.abort_handle());
        Some(Waiting { is_first: true, outcome })
    }

    /// The value, found after all, or made and kept.
    async fn found_or_made<F, Made>(&self, want: &Want, key: &str, make: &F, age: Age) -> Result<Arc<Entry>>
    where
        F: Fn(Self) -> Made + Send + Sync + 'static,
        Made: Future<Output = Result<Vec<u8>>> + Send,
    {
        let cache = &self.inner.cache;
        let before = cache.forgotten(want.tag).load(Ordering::Acquire);
        let is_still = || cache.forgotten(want.tag).load(Ordering::Acquire) == before;
        let now = self.now();
        let is_good = |entry: &Arc<Entry>| entry.is_usable(now) && (age == Age::Usable || now < entry.stale_until);
        // The one before may have ended after who asks looked and before this one began.
        if let Some(entry) = cache.memory.get(key).await.filter(is_good) {
            cache.hit(&entry);
            return Ok(entry);
        }
        let entry = match self.read_shelf(want, key).await.filter(is_good) {
            Some(entry) => {
                cache.hit(&entry);
                entry
            }
            None => self.make(want, key, make).await?,
        };
        if is_still() {
            cache.memory.insert(key.to_owned(), Arc::clone(&entry)).await;
            if !is_still() {
                cache.memory.invalidate(key).await;
            }
        }
        Ok(entry)
    }
}
