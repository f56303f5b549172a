//! How the desk measures itself: requests, what else there is to measure, and how long that is kept.
//!
//! Nothing here is ever waited for by a request, and nothing here keeps the desk from opening: without its database the
//! desk works, measures go on in memory for the alerts, `/admin/recording` says why nothing is kept, and it is tried
//! again to open it.

mod counters;
mod gauges;
mod history;
mod intake;
mod machine;
mod measures;
mod opening;
mod phones;
mod recorder;
mod requests;
mod retention;
mod scrape;
mod series;
pub mod tasks;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::DeviceId;
use showdesk_store::db::Seat;
use showdesk_store::telemetry::recorders::MarkerRow;
use showdesk_store::{Db, StoreError, Tx};
use tokio::sync::oneshot;

use crate::ids::fresh_id;
use crate::{Engine, EngineError, Result};
pub(crate) use counters::Counters;
use history::History;
pub(crate) use history::{Measured, is_of_the_laptop};
use intake::Intake;
pub use intake::Taken;
use machine::Machine;
use measures::Waiting;
pub(crate) use opening::Opening;
use opening::{Attempt, Place};
use phones::Allowances;
use recorder::Recorder;
pub(crate) use recorder::rollup_of;

/// With less room on the disk nothing is recorded.
const ROOM_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// What is still to be written has so long when the desk is closed.
const LAST_WRITE_TIME: Duration = Duration::from_millis(600);

/// A desk that was closed for less bends no line. Neither does its first start.
const RESTART_MIN: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// How the machine's own things are counted that only the server knows.
type Count = Box<dyn Fn() -> usize + Send + Sync>;

/// Everything that measures. It lives as long as the show is open.
pub(crate) struct Telemetry {
    desk: DeviceId,
    folder: PathBuf,
    started_at: DateTime<Utc>,
    place: RwLock<Place>,
    opening: Mutex<Opening>,
    /// Held while it is being opened, though whoever asked for it may have gone.
    being_opened: Arc<tokio::sync::Mutex<()>>,
    /// The desk is being closed: nothing is opened any more.
    closed: AtomicBool,
    /// That the file is damaged stands beside it.
    remembered: AtomicBool,
    pub(crate) counters: Arc<Counters>,
    intake: Intake,
    allowances: Allowances,
    history: Mutex<History>,
    waiting: Mutex<Waiting>,
    machine: Arc<Machine>,
    streams: OnceLock<Count>,
    /// How long the program did not run before this start without having been closed, and since when that is known.
    down: Mutex<Option<(chrono::TimeDelta, DateTime<Utc>)>>,
    /// One clean-up at a time.
    sweeping: tokio::sync::Mutex<()>,
}

/// Stops the recorder. Without it the recorder ends, too, and leaves behind that the desk was not closed.
#[derive(Debug, Default)]
pub(crate) struct RecorderHandle(Mutex<Option<oneshot::Sender<oneshot::Sender<()>>>>);

impl RecorderHandle {
    fn slot(&self) -> MutexGuard<'_, Option<oneshot::Sender<oneshot::Sender<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Telemetry {
    /// Opens the database if it can be opened, and measures in any case.
    pub(crate) async fn open(
        db: &Db,
        options: &crate::Options,
        desk: DeviceId,
    ) -> (Arc<Self>, tokio::sync::mpsc::Receiver<Taken>) {
        let now = options.clock.now();
        let (why, for_now) = if options.recording {
            ("its database is being opened", true)
        } else {
            ("it was switched off when the desk was started", false)
        };
        let (intake, taken) = Intake::new(options.recording);
        let telemetry = Arc::new(Self {
            desk,
            folder: options.data_dir.clone(),
            started_at: now,
            place: RwLock::new(Place::Nowhere { why: why.to_owned(), for_now }),
            opening: Mutex::default(),
            being_opened: Arc::default(),
            closed: AtomicBool::new(false),
            remembered: AtomicBool::new(false),
            counters: Arc::default(),
            intake,
            allowances: Allowances::default(),
            history: Mutex::default(),
            waiting: Mutex::default(),
            machine: Arc::default(),
            streams: OnceLock::new(),
            down: Mutex::default(),
            sweeping: tokio::sync::Mutex::default(),
        });
        if options.recording {
            telemetry.try_to_open(db.clone(), now, Attempt::AtTheStart).await;
        }
        (telemetry, taken)
    }

    /// What became of a transaction: a corrupt database is left alone. One that lacks a handle or a right is asked again.
    fn heed(&self, error: &StoreError) {
        if let Place::Kept(db) = &*self.place()
            && error.is_corruption()
        {
            db.note_damage();
        }
    }

    /// Notes what happened, for the charts.
    fn mark(&self, kind: &'static str, detail: Json, at: DateTime<Utc>) {
        let id = fresh_id(at);
        let marker = MarkerRow { id, desk: self.desk, kind: kind.to_owned(), detail, created_at: at };
        self.waiting().add_marker(marker);
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is left and ends the recorder. Nothing is opened afterwards.
    async fn close(&self, recorder: &RecorderHandle) {
        self.end_opening().await;
        let stop = recorder.slot().take();
        if let Some(stop) = stop {
            let (done, stopped) = oneshot::channel();
            if stop.send(done).is_ok() && tokio::time::timeout(LAST_WRITE_TIME, stopped).await.is_err() {
                tracing::warn!("the last measurements could not be written in time");
            }
        }
        self.remember_damage();
        let db = match &*self.place() {
            Place::Kept(db) => db.clone(),
            Place::Nowhere { .. } => return,
        };
        db.close().await;
    }
}

impl Engine {
    /// Notes a request that was answered. It never waits.
    pub fn note_request(&self, taken: Taken) {
        self.inner.telemetry.intake.take(taken);
    }

    /// How the event streams that are open are counted.
    pub fn count_streams_by(&self, count: impl Fn() -> usize + Send + Sync + 'static) {
        // Told once, when the server starts.
        let _ = self.inner.telemetry.streams.set(Box::new(count));
    }

    /// Notes what happened and explains a bend in a line. It never waits.
    pub(crate) fn add_marker(&self, kind: &'static str, detail: Json) {
        self.inner.telemetry.mark(kind, detail, self.now());
    }

    /// Reads measurements for somebody with a pass.
    pub(crate) async fn begin_read_telemetry_as(&self, actor: &Actor) -> Result<Tx> {
        self.begin_read_of(Seat::Person(actor.person)).await
    }

    /// Reads measurements for the program's own housekeeping.
    pub(crate) async fn begin_read_telemetry(&self) -> Result<Tx> {
        self.begin_read_of(Seat::Worker).await
    }

    /// Writes measurements. Nobody but the program does.
    pub(crate) async fn begin_write_telemetry(&self) -> Result<Tx> {
        let telemetry = &self.inner.telemetry;
        self.inner.disk.may_write()?;
        telemetry.db()?.begin_write(Seat::Worker).await.map_err(|error| self.unrecorded(error))
    }

    async fn begin_read_of(&self, seat: Seat) -> Result<Tx> {
        self.inner.telemetry.db()?.begin_read(seat).await.map_err(|error| self.unrecorded(error))
    }

    fn unrecorded(&self, error: StoreError) -> EngineError {
        self.inner.telemetry.heed(&error);
        EngineError::from(error)
    }

    /// Writes what was measured last, and closes its database.
    pub(crate) async fn stop_recording(&self) {
        self.note_counters();
        self.inner.telemetry.close(&self.inner.recorder).await;
    }

    /// Starts what writes, measures and cleans up.
    pub(crate) fn start_recording(&self, taken: tokio::sync::mpsc::Receiver<Taken>) {
        let telemetry = &self.inner.telemetry;
        let (stop, stopped) = oneshot::channel();
        *self.inner.recorder.slot() = Some(stop);
        let recorder =
            Recorder::new(Arc::clone(telemetry), Arc::clone(&self.inner.clock), Arc::clone(&self.inner.disk));
        tokio::spawn(recorder.run(taken, stopped));
        if telemetry.intake.is_open() {
            self.measure_regularly();
            self.open_telemetry_again_regularly();
            self.clean_up_telemetry_regularly();
        }
    }
}
