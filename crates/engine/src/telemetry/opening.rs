//! Opens the database of measurements, and never keeps the desk from opening: a broken one is moved aside, and what
//! cannot be opened is done without, and tried again beside the work.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLockReadGuard};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use showdesk_store::db::{Seat, TELEMETRY_FILE};
use showdesk_store::telemetry::alerts;
use showdesk_store::telemetry::recorders::{self, LastRun};
use showdesk_store::{Db, StoreError};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{RESTART_MIN, ROOM_BYTES_MIN, Telemetry};
use crate::disk::Disk;
use crate::{Engine, EngineError, Result, Wake};

/// Longer nobody waits for measurements.
const OPEN_TIME: Duration = Duration::from_secs(6);
/// What is being opened has so long to come to its end when the desk is closed.
const END_TIME: Duration = Duration::from_millis(400);
/// How often it is tried again to open what could not be opened.
const AGAIN_EVERY: Duration = Duration::from_secs(15);
/// Stands in the data folder after damage was found while the desk was open.
const DAMAGED: &str = "telemetry.damaged";
/// What a damaged file is called from then on; of an earlier one nothing is left, unless the new one is empty.
const ASIDE: &str = "telemetry.db.damaged";

/// Where measurements are kept.
#[derive(Debug)]
pub(super) enum Place {
    Kept(Db),
    Nowhere {
        why: String,
        /// It is tried again.
        for_now: bool,
    },
}

/// What is known of the database as it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    /// How many times one was opened since the program was started; 0 is not yet.
    pub count: u32,
    /// The number of what alerts had said before.
    pub said_before: i64,
}

/// What there is to record with.
struct Opened {
    db: Db,
    /// How the desk was left.
    last_run: Option<LastRun>,
    said_before: i64,
}

/// When it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// As the desk is opened: whatever cannot be a database makes room.
    AtTheStart,
    /// Beside the work: handles and rights may be missing for a while, and come back.
    WhileRunning,
}

impl Attempt {
    fn makes_room_after(self, error: &StoreError) -> bool {
        match self {
            Self::AtTheStart => error.is_damage(),
            Self::WhileRunning => error.is_corruption(),
        }
    }
}

/// Why an attempt came to nothing.
enum Failed {
    Store(StoreError),
    Late,
    /// The desk is being closed.
    Closed,
}

impl Telemetry {
    /// The database; an error says that nothing is recorded.
    pub(crate) fn db(&self) -> Result<Db> {
        match &*self.place() {
            Place::Kept(db) if !db.is_damaged() => Ok(db.clone()),
            Place::Kept(_) | Place::Nowhere { .. } => Err(EngineError::RecordingOff),
        }
    }

    /// Why nothing is recorded; none if all is well.
    pub(crate) fn why_off(&self) -> Option<String> {
        match &*self.place() {
            Place::Kept(db) => db.is_damaged().then(|| "its file is damaged; a new one is begun".to_owned()),
            Place::Nowhere { why, for_now: true } => Some(format!("{why}; it is tried again")),
            Place::Nowhere { why, for_now: false } => Some(why.clone()),
        }
    }

    /// Whether there is a place, or it is still looked for.
    pub(crate) fn is_wanted(&self) -> bool {
        !matches!(&*self.place(), Place::Nowhere { for_now: false, .. })
    }

    /// What is known of the database as it was opened last.
    pub(crate) fn opening(&self) -> Opening {
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn place(&self) -> RwLockReadGuard<'_, Place> {
        self.place.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn move_to(&self, place: Place) {
        *self.place.write().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// Writes down beside the file that it is damaged: it cannot be moved while it is open, and the program may end
    /// before it is closed.
    pub(super) fn remember_damage(&self) {
        let is_damaged = matches!(&*self.place(), Place::Kept(db) if db.is_damaged());
        if is_damaged
            && !self.remembered.swap(true, Ordering::Relaxed)
            && let Err(error) = std::fs::write(self.folder.join(DAMAGED), [])
        {
            tracing::warn!(%error, "that the file of measurements is damaged could not be written down");
        }
    }

    /// Opens the database if it can be opened. Whoever asks may be ended meanwhile: it comes to its end all the same,
    /// unless [`end_opening`](Self::end_opening) was called.
    pub(super) async fn try_to_open(self: &Arc<Self>, show: Db, now: DateTime<Utc>, attempt: Attempt) {
        let turn = Arc::clone(&self.being_opened).lock_owned().await;
        let telemetry = Arc::clone(self);
        // On a thread that may wait: opening looks at files, and the compiler cannot see that its steps may go from
        // thread to thread.
        let opening = move || {
            let _turn = turn;
            Handle::current().block_on(telemetry.open_and_settle_in(&show, now, attempt));
        };
        if let Err(error) = spawn_blocking(opening).await {
            self.do_without(error.to_string());
        }
    }

    async fn open_and_settle_in(&self, show: &Db, now: DateTime<Utc>, attempt: Attempt) {
        if self.is_closed() {
            return;
        }
        let free_bytes = Disk::new(self.folder.clone(), 0).free_bytes();
        // A full disk is for the show's last entries; and what maps a file into memory there may end the program.
        let opened = if !show.is_shared() && free_bytes.is_some_and(|free| free < ROOM_BYTES_MIN) {
            Err("the disk is full".to_owned())
        } else {
            self.open_file(show, now, attempt).await
        };
        match opened {
            Ok(opened) => self.settle_in(opened, now),
            Err(why) => self.do_without(why),
        }
    }

    /// Nothing is opened, marked or moved aside from here on. What is being opened may come to its end; what takes longer
    /// sees that the desk is closed, and lets the file go as it was.
    pub(super) async fn end_opening(&self) {
        self.closed.store(true, Ordering::Release);
        if timeout(END_TIME, self.being_opened.lock()).await.is_err() {
            tracing::debug!("the database of measurements is still being opened; it is let go by itself");
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn do_without(&self, why: String) {
        let is_known = matches!(&*self.place(), Place::Nowhere { why: known, .. } if *known == why);
        if !is_known && !self.is_closed() {
            tracing::warn!(why, "nothing is measured for now: its database cannot be opened");
        }
        self.move_to(Place::Nowhere { why, for_now: true });
    }

    fn settle_in(&self, Opened { db, last_run, said_before }: Opened, now: DateTime<Utc>) {
        {
            let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
            *opening = Opening { count: opening.count + 1, said_before };
        }
        self.remembered.store(false, Ordering::Relaxed);
        self.move_to(Place::Kept(db));
        let Some(run) = last_run else { return };
        let down = (self.started_at - run.heartbeat_at).max(TimeDelta::zero());
        if !run.closed {
            *self.down.lock().unwrap_or_else(PoisonError::into_inner) = Some((down, now));
        }
        if !run.closed || down >= RESTART_MIN {
            let what = json!({ "closed": run.closed, "down_s": down.num_seconds() });
            self.mark("start", what, self.started_at);
        }
    }

    /// Opens it. What is broken on SQLite is moved aside for a new one. An error says why there is none.
    async fn open_file(&self, show: &Db, now: DateTime<Utc>, attempt: Attempt) -> std::result::Result<Opened, String> {
        let folder = &self.folder;
        if !show.is_shared()
            && folder.join(DAMAGED).exists()
            && let Err(error) = move_aside(folder)
        {
            tracing::warn!(%error, "the damaged file of measurements could not be moved aside");
        }
        let mut begun = self.begin(show, now).await;
        if let Err(Failed::Store(error)) = &begun
            && !show.is_shared()
            && attempt.makes_room_after(error)
            && !self.is_closed()
        {
            tracing::warn!(?error, "the file of measurements is damaged: it is moved aside, and a new one begins");
            match move_aside(folder) {
                Ok(()) => begun = self.begin(show, now).await,
                Err(error) => tracing::warn!(%error, "the damaged file of measurements could not be moved aside"),
            }
        }
        begun.map_err(|failed| match failed {
            Failed::Store(error) => {
                tracing::debug!(cause = ?error, "the database of measurements cannot be opened");
                error.to_string()
            }
            Failed::Late => "its database did not answer".to_owned(),
            Failed::Closed => "the desk is being closed".to_owned(),
        })
    }

    async fn begin(&self, show: &Db, now: DateTime<Utc>) -> std::result::Result<Opened, Failed> {
        let begun = async {
            let db = show.open_telemetry().await?;
            if self.is_closed() {
                db.close().await;
                return Err(Failed::Closed);
            }
            let first = async {
                let mut tx = db.begin_write(Seat::Worker).await?;
                let last_run = recorders::last_run(&mut tx, self.desk).await?;
                recorders::begin(&mut tx, self.desk, now).await?;
                let said_before = alerts::last_number(&mut tx).await?;
                if !show.is_shared() {
                    // Nobody else can hold one.
                    alerts::end_waits(&mut tx, now).await?;
                }
                if self.is_closed() {
                    return Err(Failed::Closed);
                }
                tx.commit().await?;
                Ok((last_run, said_before))
            };
            match first.await {
                Ok((last_run, said_before)) => Ok(Opened { db, last_run, said_before }),
                Err(failed) => {
                    db.close().await;
                    Err(failed)
                }
            }
        };
        timeout(OPEN_TIME, begun).await.unwrap_or(Err(Failed::Late))
    }

    /// How long the program did not run before this start without having been closed, and since when that is known.
    pub(super) fn down(&self) -> Option<(TimeDelta, DateTime<Utc>)> {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Opens what could not be opened at the start, and begins a new file in the place of one that was found damaged.
    pub(super) fn open_telemetry_again_regularly(&self) {
        let inner = Arc::downgrade(&self.inner);
        let opening = tokio::spawn(async move {
            loop {
                sleep(AGAIN_EVERY).await;
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                engine.open_telemetry_again().await;
            }
        });
        self.background().push(opening.abort_handle());
    }

    /// The same once, if it is needed.
    pub(crate) async fn open_telemetry_again(&self) {
        let telemetry = Arc::clone(&self.inner.telemetry);
        let damaged = match &*telemetry.place() {
            Place::Kept(db) if db.is_damaged() => Some(db.clone()),
            Place::Nowhere { for_now: true, .. } => None,
            Place::Kept(_) | Place::Nowhere { .. } => return,
        };
        if let Some(db) = damaged {
            tracing::warn!("the file of measurements is damaged: it is moved aside, and a new one begins");
            telemetry.remember_damage();
            db.close().await;
        }
        telemetry.try_to_open(self.db().clone(), self.now(), Attempt::WhileRunning).await;
        if telemetry.db().is_ok() {
            self.inner.alerts.hurry();
            self.wake(Wake::Alerts);
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn move_aside(folder: &Path) -> io::Result<()> {
    let missing_is_fine = |done: io::Result<()>| match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    };
    let aside = folder.join(ASIDE);
    // A file takes an earlier one's place; a folder that somebody made there does not.
    if aside.is_dir() {
        std::fs::remove_dir(&aside)?;
    }
    let file = folder.join(TELEMETRY_FILE);
    let is_empty = file.metadata().is_ok_and(|found| found.is_file() && found.len() == 0);
    if is_empty && aside.exists() {
        // An earlier one may hold what somebody misses; this one does not.
        std::fs::remove_file(&file)?;
    } else {
        missing_is_fine(std::fs::rename(&file, &aside))?;
    }
    for part in ["-wal", "-shm"] {
        missing_is_fine(std::fs::remove_file(folder.join(format!("{TELEMETRY_FILE}{part}"))))?;
    }
    missing_is_fine(std::fs::remove_file(folder.join(DAMAGED)))
}

#[cfg(test)]
mod tests;
