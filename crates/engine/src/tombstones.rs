//! Removes tombstones that every device has seen, or could have for 30 days, in steps through the writer.
//!
//! The floor rises to the newest one removed. A cursor below it is answered 410 and begins anew, so nobody
//! keeps a row whose deletion is forgotten. Records and their history stay.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::Seq;
use showdesk_domain::world::{Needs, World};
use showdesk_store::{Tx, changes, meta, people};
use tokio::sync::oneshot;

use crate::writer::{BesideFuture, Job};
use crate::{Engine, EngineError, Result};

/// A tombstone stays at least so long.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Tombstones that one transaction removes.
const STEP: i64 = 500;
/// Transactions of one clean-up; what is left waits for the next one.
const STEPS_MAX: usize = 200;
/// How often a desk that runs cleans up.
const EVERY: Duration = Duration::from_hours(1);

impl Engine {
    /// Removes what may go; answers how many tombstones did.
    pub async fn remove_old_tombstones(&self) -> Result<u64> {
        let mut removed = 0;
        for _ in 0..STEPS_MAX {
            let (answer, answered) = oneshot::channel();
            let step = Step { before: self.now() - KEPT, removed: Mutex::new(0), answer };
            self.inner.writer.submit(Box::new(step), 0)?;
            match answered.await.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?? {
                0 => break,
                count => removed += count,
            }
        }
        Ok(removed)
    }

    /// Cleans up every hour, as long as the engine is open.
    pub(crate) fn clean_up_regularly(&self) {
        let inner = Arc::downgrade(&self.inner);
        let cleaning = tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                match engine.remove_old_tombstones().await {
                    Ok(0) => {}
                    Ok(removed) => tracing::info!(removed, "old tombstones were removed"),
                    Err(error) => tracing::warn!(%error, "old tombstones could not be removed"),
                }
                if let Err(error) = engine.sweep_cache().await {
                    tracing::warn!(%error, "kept answers that have expired could not be removed");
                }
            }
        });
        self.background().push(cleaning.abort_handle());
    }
}

/// One transaction of a clean-up.
struct Step {
    before: DateTime<Utc>,
    /// Of the last try.
    removed: Mutex<u64>,
    answer: oneshot::Sender<Result<u64>>,
}

impl Job for Step {
    fn missing(&self, _world: &World) -> Needs {
        Needs::default()
    }

    fn apply(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }

    fn write_beside<'a>(&'a self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(async {
            // Where no device has a cursor, only age counts.
            let oldest = people::oldest_cursor(tx).await?.unwrap_or(Seq(i64::MAX));
            let removed = changes::remove_tombstones(tx, oldest, self.before, STEP).await?;
            if let Some((floor, _)) = removed {
                meta::raise_oldest_seq(tx, floor).await?;
            }
            *self.removed.lock().unwrap_or_else(PoisonError::into_inner) = removed.map_or(0, |(_, count)| count);
            Ok(())
        })
    }

    fn runs_alone(&self) -> bool {
        true
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        let removed = self.removed.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Whoever asked may have gone.
        let _ = self.answer.send(committed.map(|_| removed));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}
