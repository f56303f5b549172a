//! Takes up errors that wait, for as long as the show is open.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::{Fault, WRITING};
use crate::open::Inner;
use crate::{Engine, Result, Wake};

/// Errors of one transaction.
const BATCH_MAX: usize = 500;
/// What comes so soon after the first one is written with it.
const GATHER_TIME: Duration = Duration::from_millis(500);
/// After a transaction that failed the next one waits so long: the disk may be full, or the database busy.
const FAILED_PAUSE: Duration = Duration::from_secs(5);
/// How often errors are tried to be written before they are dropped. Meanwhile others gather in the channel.
const TRIES_MAX: u32 = 4;
/// A show that is closed writes what waits, unless that takes longer.
const FLUSH_TIME: Duration = Duration::from_millis(400);
/// Transactions of a flush.
const FLUSH_BATCHES_MAX: usize = 4;

/// What the intake of an open show has in hand.
#[derive(Default)]
pub(crate) struct Intake {
    /// Taken out of the channel and not written yet.
    held: Mutex<Vec<Fault>>,
    /// The show is being closed.
    stop: Notify,
}

impl Intake {
    pub(super) fn held(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is to stop within that time.
    async fn stops_within(&self, time: Duration) -> bool {
        timeout(time, self.stop.notified()).await.is_ok()
    }
}

impl Engine {
    /// Writes errors down from now on. It ends when the show is closed, and never within a transaction.
    pub(crate) fn take_faults_in(&self) {
        let inner = Arc::downgrade(&self.inner);
        let receiver = Arc::clone(&self.inner.faults.0.receiver);
        let intake = Arc::clone(&self.inner.intake);
        tokio::spawn(async move {
            // Another show of this process may have it; it is let go when that one is closed.
            let mut waiting = tokio::select! {
                biased;
                () = intake.stop.notified() => return,
                waiting = receiver.lock_owned() => waiting,
            };
            loop {
                let mut batch = Vec::new();
                tokio::select! {
                    biased;
                    () = intake.stop.notified() => return,
                    count = waiting.recv_many(&mut batch, BATCH_MAX) => if count == 0 { return },
                }
                // What is taken out stands here until it is written: who closes the show writes it.
                intake.held().append(&mut batch);
                let stops = intake.stops_within(GATHER_TIME).await;
                fill(&mut intake.held(), &mut waiting);
                if stops || !try_to_write(&inner, &intake).await {
                    return;
                }
            }
        });
    }

    /// Writes what waits, before the show is closed.
    pub(crate) async fn flush_faults(&self) {
        let intake = &self.inner.intake;
        intake.stop.notify_one();
        let flushing = async {
            let mut waiting = self.inner.faults.0.receiver.lock().await;
            for _ in 0..FLUSH_BATCHES_MAX {
                let batch = {
                    let mut held = intake.held();
                    fill(&mut held, &mut waiting);
                    held.clone()
                };
                if batch.is_empty() {
                    return;
                }
                let is_kept = self.keep_faults(&batch).await;
                intake.held().clear();
                if !is_kept {
                    self.inner.faults.drop_some(batch.len());
                    return;
                }
            }
        };
        if timeout(FLUSH_TIME, flushing).await.is_err() {
            self.inner.faults.drop_some(intake.held().len());
            tracing::warn!("not every error was written down before the show was closed");
        }
    }

    /// Writes errors down; false if they could not be.
    pub(super) async fn keep_faults(&self, batch: &[Fault]) -> bool {
        let count = batch.len();
        let writing = WRITING.scope((), AssertUnwindSafe(self.try_to_keep(batch.to_vec())).catch_unwind());
        let failed = match writing.await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => format!("{error:?}"),
            Err(_) => "its own code failed".to_owned(),
        };
        // Never as an error: that would be one more to write.
        tracing::warn!(count, failed, "errors could not be written down");
        false
    }

    async fn try_to_keep(&self, batch: Vec<Fault>) -> Result<()> {
        let kept = self.write_faults(batch).await?;
        if kept.is_news {
            self.wake(Wake::Problems);
        }
        if kept.has_regressed {
            self.inner.alerts.hurry();
        }
        Ok(())
    }
}

/// Writes what the intake has in hand, and tries again; false if the show is gone or is being closed.
async fn try_to_write(inner: &Weak<Inner>, intake: &Intake) -> bool {
    let batch = intake.held().clone();
    for tries in 1..=TRIES_MAX {
        let Some(engine) = inner.upgrade().map(|inner| Engine { inner }) else { return false };
        if engine.keep_faults(&batch).await {
            break;
        }
        if tries == TRIES_MAX {
            engine.inner.faults.drop_some(batch.len());
            break;
        }
        drop(engine);
        if intake.stops_within(FAILED_PAUSE).await {
            return false;
        }
    }
    intake.held().clear();
    true
}

fn fill(batch: &mut Vec<Fault>, waiting: &mut mpsc::Receiver<Fault>) {
    while batch.len() < BATCH_MAX {
        match waiting.try_recv() {
            Ok(fault) => batch.push(fault),
            Err(_) => return,
        }
    }
}
