//! Takes away what is too old, in small steps with pauses, at the start and daily; and tells what it took.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::telemetry::recorders::{self, LastCleanUp};
use showdesk_store::telemetry::rollups::Bucket;
use showdesk_store::telemetry::{alerts, cleanup, errors};
use showdesk_store::{Result as StoreResult, Tx};
use showdesk_telemetry::retention::{Kept, Step, Sweep, is_due};
use showdesk_telemetry::rollup::Resolution;
use tokio::time::sleep;

use crate::api::telemetry::{CleanUp, KeptDays, RecordingStatus};
use crate::rights::require;
use crate::{Engine, Result};

/// The start of the program has other work.
const FIRST_AFTER: Duration = Duration::from_secs(20);
/// How often it is looked whether a day is over.
const LOOK_EVERY: Duration = Duration::from_mins(30);
/// Between two steps, so that whoever measures or reads comes in between.
const PAUSE: Duration = Duration::from_millis(40);
/// Steps of a clean-up that somebody waits for; the daily one takes what is left.
const STEPS_BY_HAND: usize = 200;

/// What was removed, as it is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Removed {
    requests: u64,
    rollups: u64,
    errors: u64,
    error_groups: u64,
    alert_events: u64,
}

impl Removed {
    fn of(sweep: &Sweep) -> Self {
        let mut removed = Self::default();
        for (kept, rows) in sweep.report() {
            *match kept {
                Kept::Requests => &mut removed.requests,
                Kept::Rollups(_) | Kept::Measures(_) | Kept::Markers => &mut removed.rollups,
                Kept::Errors => &mut removed.errors,
                Kept::ErrorGroups => &mut removed.error_groups,
                Kept::AlertEvents => &mut removed.alert_events,
            } += rows;
        }
        removed
    }

    fn total(self) -> u64 {
        self.requests + self.rollups + self.errors + self.error_groups + self.alert_events
    }
}

impl Engine {
    /// What is recorded, and what the last clean-up removed.
    pub async fn recording(&self, actor: &Actor) -> Result<RecordingStatus> {
        require(actor, Action::SeeHealth)?;
        let telemetry = &self.inner.telemetry;
        let (bytes, last) = match telemetry.db() {
            Ok(db) => {
                let (data, log) = db.sizes().await?;
                let mut tx = self.begin_read_telemetry_as(actor).await?;
                (Some(data + log.unwrap_or(0)), recorders::last_clean_up(&mut tx).await?)
            }
            Err(_) => (None, None),
        };
        let days = |kept: Kept| kept.days();
        Ok(RecordingStatus {
            off: telemetry.why_off(),
            recorded: telemetry.intake.taken(),
            dropped: telemetry.intake.dropped().0,
            bytes,
            last_clean_up: last.map(told),
            kept_days: KeptDays {
                requests: days(Kept::Requests),
                minutes: days(Kept::Rollups(Resolution::Minute)),
                rollups: days(Kept::Rollups(Resolution::Hour)),
                errors: days(Kept::Errors),
                alerts: days(Kept::AlertEvents),
            },
        })
    }

    /// Removes what is too old now, so far as somebody may wait for; answers how many rows went.
    pub(crate) async fn clean_up_telemetry(&self) -> Result<u64> {
        self.sweep(STEPS_BY_HAND, Duration::ZERO).await
    }

    /// Cleans up some time after the start, and daily.
    pub(super) fn clean_up_telemetry_regularly(&self) {
        let inner = Arc::downgrade(&self.inner);
        let cleaning = tokio::spawn(async move {
            sleep(FIRST_AFTER).await;
            let mut is_first = true;
            loop {
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                match engine.clean_up_if_due(is_first).await {
                    Ok(0) => {}
                    Ok(removed) => tracing::info!(removed, "old measurements were removed"),
                    Err(error) => tracing::debug!(%error, "old measurements could not be removed"),
                }
                is_first = false;
                drop(engine);
                sleep(LOOK_EVERY).await;
            }
        });
        self.background().push(cleaning.abort_handle());
    }

    async fn clean_up_if_due(&self, is_first: bool) -> Result<u64> {
        let mut tx = self.begin_read_telemetry().await?;
        let last = recorders::last_clean_up(&mut tx).await?;
        drop(tx);
        if is_first || is_due(last.map(|done| done.at), self.now()) {
            return self.sweep(usize::MAX, PAUSE).await;
        }
        Ok(0)
    }

    async fn sweep(&self, steps_max: usize, pause: Duration) -> Result<u64> {
        let telemetry = &self.inner.telemetry;
        let _alone = telemetry.sweeping.lock().await;
        let mut sweep = Sweep::begin(self.now());
        for _ in 0..steps_max {
            let Some(step) = sweep.step() else { break };
            let mut tx = self.begin_write_telemetry().await?;
            let rows = remove(&mut tx, step).await?;
            tx.commit().await?;
            sweep.removed(u32::try_from(rows).unwrap_or(u32::MAX));
            sleep(pause).await;
        }
        let removed = Removed::of(&sweep);
        let done = LastCleanUp { at: self.now(), removed: serde_json::to_value(removed).unwrap_or_default() };
        let mut tx = self.begin_write_telemetry().await?;
        recorders::keep_clean_up(&mut tx, telemetry.desk, &done).await?;
        tx.commit().await?;
        Ok(removed.total())
    }
}

async fn remove(tx: &mut Tx, step: Step) -> StoreResult<u64> {
    let Step { kept, before, rows_max } = step;
    match kept {
        Kept::Requests => cleanup::remove_requests(tx, before, rows_max).await,
        Kept::Rollups(resolution) => cleanup::remove_rollups(tx, bucket(resolution), before, rows_max).await,
        Kept::Measures(resolution) => cleanup::remove_measures(tx, bucket(resolution), before, rows_max).await,
        Kept::Markers => cleanup::remove_markers(tx, before, rows_max).await,
        Kept::Errors => errors::remove_old_samples(tx, before, rows_max.into()).await,
        Kept::ErrorGroups => errors::remove_old_groups(tx, before, rows_max.into()).await,
        Kept::AlertEvents => alerts::remove_old_events(tx, before, rows_max.into()).await,
    }
}

/// The store's word for a resolution.
pub(super) fn bucket(resolution: Resolution) -> Bucket {
    match resolution {
        Resolution::Minute => Bucket::Minute,
        Resolution::Hour => Bucket::Hour,
        Resolution::Day => Bucket::Day,
    }
}

fn told(done: LastCleanUp) -> CleanUp {
    // What an earlier program counted otherwise is told as far as it is known.
    let removed: Removed = serde_json::from_value(done.removed).unwrap_or_default();
    let Removed { requests, rollups, errors, error_groups, alert_events } = removed;
    CleanUp { at: done.at, requests, rollups, errors, error_groups, alert_events }
}
