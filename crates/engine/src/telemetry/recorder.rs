//! Counts requests into minutes and writes all that was measured, every few seconds in one transaction.
//!
//! It empties the letter box by the clock instead of being woken for each request: a wake-up costs more than counting.
//! What cannot be written waits, within bounds; then the oldest goes, and is counted as dropped.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use showdesk_store::db::Seat;
use showdesk_store::telemetry::requests::{self, RequestRow};
use showdesk_store::telemetry::rollups::{self, Bucket, RollupRow};
use showdesk_store::telemetry::{measures, recorders};
use showdesk_store::{StoreError, Tx};
use showdesk_telemetry::histogram::Histogram;
use showdesk_telemetry::rollup::{Key, Minutes, Resolution, Rollup, Rollups, coarsen};
use showdesk_telemetry::sampling::Sampling;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::intake::Taken;
use super::measures::rows;
use super::{Telemetry, intake};
use crate::disk::Disk;
use crate::ids::fresh_id;
use crate::{Clock, EngineError};

/// How often the letter box is emptied.
const EMPTY_EVERY: Duration = Duration::from_millis(500);
/// How often all is written …
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// … unless so many rows wait before.
const WRITE_ROWS: usize = 500;
/// A database that does not answer for so long is tried again later.
const WRITE_TIME: Duration = Duration::from_secs(4);
/// Rows that wait while nothing can be written.
const ROWS_MAX: usize = 5_000;
/// Minutes that wait while nothing can be written.
const MINUTES_MAX: usize = 30;

/// The task that writes.
pub(super) struct Recorder {
    telemetry: Arc<Telemetry>,
    clock: Arc<dyn Clock>,
    disk: Arc<Disk>,
    minutes: Minutes,
    sampling: Sampling,
    rollups: Rollups,
    rows: Vec<RequestRow>,
    written_at: Instant,
    /// Whether the last attempt failed, so that the log hears of changes only.
    failing: bool,
}

impl Recorder {
    pub(super) fn new(telemetry: Arc<Telemetry>, clock: Arc<dyn Clock>, disk: Arc<Disk>) -> Self {
        Self {
            telemetry,
            clock,
            disk,
            minutes: Minutes::default(),
            sampling: Sampling::new(),
            rollups: Rollups::new(),
            rows: Vec::new(),
            written_at: Instant::now(),
            failing: false,
        }
    }

    /// Works until it is stopped, and then writes what is left.
    pub(super) async fn run(
        mut self,
        mut taken: mpsc::Receiver<Taken>,
        mut stop: oneshot::Receiver<oneshot::Sender<()>>,
    ) {
        let mut ticks = interval(EMPTY_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopped = tokio::select! {
                _ = ticks.tick() => None,
                stopped = &mut stop => match stopped {
                    Ok(done) => Some(done),
                    // The engine was dropped and not closed: the next start must see that.
                    Err(_) => return,
                },
            };
            self.empty(&mut taken);
            if stopped.is_some() || self.rows.len() >= WRITE_ROWS || self.written_at.elapsed() >= WRITE_EVERY {
                self.write(stopped.is_some()).await;
            }
            if let Some(done) = stopped {
                // Whoever closes waits only so long.
                let _ = done.send(());
                return;
            }
        }
    }

    /// Counts what waits in the letter box.
    fn empty(&mut self, taken: &mut mpsc::Receiver<Taken>) {
        // Rows are rationed by when they come, on a clock that nobody sets: what a phone tells late, and a clock that
        // was set back, take nobody's place.
        let minute = self.clock.steady().timestamp().div_euclid(60);
        for _ in 0..intake::WAITING_MAX {
            let Ok(request) = taken.try_recv() else { break };
            self.count(request, minute);
        }
        let fresh = self.minutes.take();
        if fresh.is_empty() {
            return;
        }
        self.telemetry.history().add_requests(&fresh, self.clock.now());
        for (place, rollup) in fresh {
            self.rollups.entry(place).or_default().merge(&rollup);
        }
    }

    /// Counts a request that was taken out in that minute.
    fn count(&mut self, taken: Taken, minute: i64) {
        let key = Key {
            endpoint: taken.endpoint.into(),
            method: taken.method.into(),
            status_class: u8::try_from(taken.status / 100).unwrap_or(9),
        };
        let took_us = u64::try_from(taken.took.as_micros()).unwrap_or(u64::MAX);
        self.minutes.record(taken.at, key, taken.failed(), took_us);
        let is_apart = taken.status == 0 || taken.status >= 400;
        let weight = self.sampling.weigh(minute, is_apart, taken.took, rand::random());
        if let Some(weight) = weight {
            self.rows.push(row_of(&taken, weight));
        }
    }

    /// Writes all that waits; what cannot be written waits on.
    async fn write(&mut self, closing: bool) {
        self.written_at = Instant::now();
        let telemetry = Arc::clone(&self.telemetry);
        let Ok(db) = telemetry.db() else {
            telemetry.remember_damage();
            return self.wait_or_forget();
        };
        let (sums, markers) = telemetry.waiting().take();
        let at = self.clock.now();
        let writing = async {
            self.disk.may_write()?;
            let mut tx = db.begin_write(Seat::Worker).await?;
            write_rollups(&mut tx, &telemetry, &self.rollups).await?;
            requests::add(&mut tx, &self.rows).await?;
            for (bucket, resolution) in Bucket::ALL.into_iter().zip(Resolution::ALL) {
                measures::add(&mut tx, bucket, telemetry.desk, &rows(&sums, resolution)).await?;
            }
            for marker in &markers {
                recorders::add_marker(&mut tx, marker).await?;
            }
            recorders::beat(&mut tx, telemetry.desk, at, closing).await?;
            Ok(tx)
        };
        let written = match timeout(WRITE_TIME, writing).await.unwrap_or(Err(EngineError::Busy { retry_after_ms: 0 })) {
            // Who gives up waiting for a commit does not know whether it was one.
            Ok(tx) => tx.commit().await.map_err(EngineError::from),
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => {
                self.rollups.clear();
                self.rows.clear();
                self.failing = false;
            }
            Err(error) => {
                telemetry.waiting().give_back(sums, markers);
                self.note_failure(&error);
                self.keep_within_bounds();
            }
        }
    }

    fn note_failure(&mut self, error: &EngineError) {
        if let EngineError::Store(cause) = error {
            self.telemetry.heed(cause);
            self.telemetry.remember_damage();
        }
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(%error, cause = ?error, "what was measured could not be written; it waits");
        }
    }

    fn keep_within_bounds(&mut self) {
        let mut lost = 0;
        if self.rows.len() > ROWS_MAX {
            self.rows.drain(..self.rows.len() - ROWS_MAX);
        }
        while self.waiting_minutes() > MINUTES_MAX {
            lost += self.drop_oldest_minute();
        }
        self.telemetry.intake.lose(lost);
    }

    fn waiting_minutes(&self) -> usize {
        let mut starts: Vec<_> = self.rollups.keys().map(|(start, _)| *start).collect();
        starts.dedup();
        starts.len()
    }

    fn drop_oldest_minute(&mut self) -> u64 {
        let Some(oldest) = self.rollups.keys().next().map(|(start, _)| *start) else { return 0 };
        let mut dropped = 0;
        while let Some(entry) = self.rollups.first_entry().filter(|entry| entry.key().0 == oldest) {
            dropped += entry.remove().count();
        }
        dropped
    }

    /// There is nowhere to write to. Unless it stays so, what was measured waits.
    fn wait_or_forget(&mut self) {
        if self.telemetry.is_wanted() {
            return self.keep_within_bounds();
        }
        self.rollups.clear();
        self.rows.clear();
        drop(self.telemetry.waiting().take());
    }
}

fn row_of(taken: &Taken, weight: NonZeroU32) -> RequestRow {
    RequestRow {
        id: fresh_id(taken.at),
        endpoint: taken.endpoint.to_owned(),
        method: taken.method.to_owned(),
        duration_ms: taken.took.as_secs_f64() * 1_000.0,
        status_code: i64::from(taken.status),
        person: taken.person,
        created_at: taken.at,
        weight: i64::from(weight.get()),
    }
}

/// Adds requests to the minutes, hours and days that are there.
async fn write_rollups(tx: &mut Tx, telemetry: &Telemetry, fresh: &Rollups) -> Result<(), StoreError> {
    for (bucket, resolution) in Bucket::ALL.into_iter().zip(Resolution::ALL) {
        let fresh = if resolution == Resolution::Minute { fresh.clone() } else { coarsen(fresh.clone(), resolution) };
        let mut by_start: BTreeMap<DateTime<Utc>, Vec<(Key, Rollup)>> = BTreeMap::new();
        for ((start, key), rollup) in fresh {
            by_start.entry(start).or_default().push((key, rollup));
        }
        for (start, fresh) in by_start {
            let known = rollups::of_desk(tx, bucket, start, telemetry.desk).await?;
            let mut known: HashMap<Key, Rollup> = known.iter().map(|row| (key_of(row), rollup_of(row))).collect();
            let added = fresh.into_iter().map(|(key, rollup)| {
                let mut sum = known.remove(&key).unwrap_or_default();
                sum.merge(&rollup);
                row_of_rollup(start, &key, &sum)
            });
            rollups::save(tx, bucket, telemetry.desk, &added.collect::<Vec<_>>()).await?;
        }
    }
    Ok(())
}

/// What a stored row counts.
pub(super) fn key_of(row: &RollupRow) -> Key {
    Key {
        endpoint: row.endpoint.clone().into(),
        method: row.method.clone().into(),
        status_class: u8::try_from(row.status_class).unwrap_or(0),
    }
}

/// What a stored row has counted. One that cannot be read has counted nothing: a wrong figure would be worse.
pub(crate) fn rollup_of(row: &RollupRow) -> Rollup {
    match Histogram::decode(&row.histogram) {
        Ok(histogram) => Rollup { errors: u64::try_from(row.errors).unwrap_or(0), histogram },
        Err(error) => {
            tracing::warn!(%error, at = %row.start, "a measurement is left out");
            Rollup::default()
        }
    }
}

fn row_of_rollup(start: DateTime<Utc>, key: &Key, rollup: &Rollup) -> RollupRow {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    RollupRow {
        start,
        endpoint: key.endpoint.clone().into_owned(),
        method: key.method.clone().into_owned(),
        status_class: i64::from(key.status_class),
        count: whole(rollup.count()),
        errors: whole(rollup.errors),
        sum_ms: rollup.sum_ms(),
        max_ms: rollup.max_ms(),
        histogram: rollup.histogram.encode(),
    }
}
