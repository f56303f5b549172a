//! Opens a show: the folder's lock, the database and the mark beside it, and on the first start the show itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::actor::{Actor, DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, RecordId, Seq};
use showdesk_domain::schema::{SCHEMA_VERSION, known_table};
use showdesk_store::db::Seat;
use showdesk_store::meta::{InstallationRow, Meta};
use showdesk_store::people::{MemberRow, ProfileRow, TeamRow};
use showdesk_store::{Db, StoreError, Tx, meta, people, records};
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::alerts::Alerts;
use crate::cache::Cache;
use crate::delivery::Delivery;
use crate::desks::{self, LiveDesks};
use crate::disk::Disk;
use crate::epoch::{EpochGuard, Turn};
use crate::faults::{Faults, Intake};
use crate::forks::Forks;
use crate::ids::{fresh_id, secret};
use crate::neighbours::Neighbours;
use crate::presence::{Moment, Presence};
use crate::secrets::Secrets;
use crate::seen::SeenMap;
use crate::telemetry::{RecorderHandle, Taken, Telemetry};
use crate::tokens::Tokens;
use crate::writer::{Writer, WriterHandle};
use crate::{Clock, Engine, EngineError, Installation, Options, Result, Wake};

/// Wake-ups a slow listener may fall behind before it is told to look again.
const WAKES_KEPT: usize = 256;
/// How often what devices were seen doing is written, if no other commit does it.
const FLUSH_EVERY: Duration = Duration::from_secs(2);
/// Between two looks at how long the log has become.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(250);
/// A desk that stops says so to its neighbours, unless their server does not answer.
const GOODBYE_TIME: Duration = Duration::from_millis(500);
/// What a show is called until somebody gives it a name.
pub(crate) const NEW_SHOW_NAME: &str = "New show";
/// The key of `server_keys` that signs cursors.
const CURSOR_KEY: &str = "cursor";

pub(crate) struct Inner {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub writer: WriterHandle,
    pub wakes: broadcast::Sender<Wake>,
    pub seen: Arc<SeenMap>,
    pub presence: Presence,
    pub secrets: Secrets,
    pub delivery: Delivery,
    pub tokens: Tokens,
    pub faults: Faults,
    pub intake: Arc<Intake>,
    pub alerts: Alerts,
    pub cache: Cache,
    /// Shows with at least so many changes are kept packed for phones that join.
    pub pages_kept_from: i64,
    /// What measures, and keeps what was measured.
    pub telemetry: Arc<Telemetry>,
    pub recorder: RecorderHandle,
    pub forks: Forks,
    pub disk: Arc<Disk>,
    /// What [`Clock::steady`] lacks if the machine has forgotten the time: the show was made after that moment.
    pub steady_behind: TimeDelta,
    pub epoch: Arc<EpochGuard>,
    pub neighbours: Arc<Neighbours>,
    pub live_desks: LiveDesks,
    /// What runs beside the requests and ends when the show is closed.
    pub background: Mutex<Vec<AbortHandle>>,
    pub cursor_key: Vec<u8>,
    /// Where the show is kept.
    pub data_dir: PathBuf,
    pub installation_id: Uuid,
    pub show_id: Uuid,
    pub desk_device: DeviceId,
    /// Whose laptop it is.
    pub desk_person: PersonId,
    /// Held as long as the show is open: one program a folder.
    _lock: File,
}

impl Engine {
    /// Opens the show in the folder, making it if the folder is empty.
    pub async fn open(options: Options) -> Result<Self> {
        let folder = |error: std::io::Error| EngineError::Folder(error.to_string());
        std::fs::create_dir_all(&options.data_dir).map_err(folder)?;
        let lock = lock_folder(&options.data_dir)?;
        let db = match &options.database_url {
            Some(url) => Db::open_postgres(url).await?,
            None => Db::open_sqlite(&options.data_dir.join("showdesk.sqlite")).await?,
        };
        let guard = EpochGuard::open(&options.data_dir, db.is_shared()).map_err(folder)?;
        let Entered { installation, desk_device, desk_person, cursor_key } = match enter(&db, &options, &guard).await {
            // Two desks began with the same empty database: the other one has made the show.
            Err(EngineError::Store(StoreError::Duplicate { .. })) => enter(&db, &options, &guard).await?,
            entered => entered?,
        };
        let (wakes, _) = broadcast::channel(WAKES_KEPT);
        let seen = Arc::new(SeenMap::default());
        let disk = Arc::new(Disk::new(options.data_dir.clone(), options.disk_reserve_bytes));
        let steady_behind = (installation.created_at - options.clock.steady()).max(TimeDelta::zero());
        let epoch = Arc::new(guard);
        let neighbours = Arc::new(Neighbours::new(installation.installation_id, db.is_shared()));
        let committed = Arc::new(Notify::new());
        let (telemetry, taken) = Telemetry::open(&db, &options, desk_device).await;
        let writer = Writer {
            db: db.clone(),
            show_id: installation.show_id,
            clock: Arc::clone(&options.clock),
            steady_behind,
            wakes: wakes.clone(),
            seen: Arc::clone(&seen),
            disk: Arc::clone(&disk),
            epoch: Arc::clone(&epoch),
            neighbours: Arc::clone(&neighbours),
            committed: Arc::clone(&committed),
            counters: Arc::clone(&telemetry.counters),
        };
        let engine = Self {
            inner: Arc::new(Inner {
                presence: Presence::new(options.clock.steady() + steady_behind),
                tokens: Tokens::new(db.is_shared()),
                faults: options.faults,
                intake: Arc::default(),
                alerts: Alerts::default(),
                cache: Cache::new(),
                pages_kept_from: options.pages_kept_from,
                telemetry,
                recorder: RecorderHandle::default(),
                db,
                clock: options.clock,
                secrets: Secrets::default(),
                delivery: Delivery::default(),
                writer: writer
                    .start()
                    .map_err(|error| EngineError::Folder(format!("no thread for its writer: {error}")))?,
                wakes,
                seen,
                forks: Forks::default(),
                disk,
                steady_behind,
                epoch,
                neighbours,
                live_desks: LiveDesks::default(),
                background: Mutex::default(),
                cursor_key,
                data_dir: options.data_dir,
                installation_id: installation.installation_id,
                show_id: installation.show_id,
                desk_device,
                desk_person,
                _lock: lock,
            }),
        };
        engine.begin(committed, taken).await?;
        Ok(engine)
    }

    /// Makes what a new show needs, and starts what runs beside the requests.
    async fn begin(&self, committed: Arc<Notify>, taken: mpsc::Receiver<Taken>) -> Result<()> {
        self.make_show_row().await?;
        match self.make_first_templates().await {
            // The desk can be read; or another desk of the same database was faster.
            Ok(()) | Err(EngineError::DiskFull | EngineError::Store(StoreError::Duplicate { .. })) => {}
            Err(error) => return Err(error),
        }
        self.flush_seen_regularly();
        self.checkpoint_after(committed);
        let following = self.follow_neighbours();
        self.background().extend(following);
        self.clean_up_regularly();
        self.start_shelf();
        self.start_workers().await?;
        self.start_delivering().await?;
        self.start_recording(taken);
        self.take_faults_in();
        self.look_at_alerts_regularly();
        Ok(())
    }

    /// Takes no new writes, finishes those that wait, closes the database.
    pub async fn close(&self) {
        self.background().drain(..).for_each(|task| task.abort());
        self.inner.cache.close();
        self.inner.writer.stop().await;
        if self.db().is_shared() && timeout(GOODBYE_TIME, self.say_goodbye()).await.is_err() {
            tracing::warn!("the other desks were not told in time that this one stops");
        }
        if self.db().is_shared() && timeout(GOODBYE_TIME, self.give_alert_turn_up()).await.is_err() {
            tracing::debug!("the turn of looking at the alert rules ends by its time");
        }
        self.flush_faults().await;
        self.stop_recording().await;
        self.inner.db.close().await;
    }

    /// Wake-ups from now on.
    pub fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.inner.wakes.subscribe()
    }

    /// The engine's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// The time for passes and codes that run out: setting the machine's clock locks nobody out.
    pub(crate) fn steady(&self) -> DateTime<Utc> {
        self.inner.clock.steady() + self.inner.steady_behind
    }

    /// A moment of the steady clock as the machine's clock will show it, for pages that know no other. How far the two
    /// are apart is told to the second: they are not read at one moment, and what is asked twice must not differ.
    pub(crate) fn on_the_clock(&self, steady: DateTime<Utc>) -> DateTime<Utc> {
        let Moment { now, steady: present } = self.moment();
        let apart_ms = (now - present).num_milliseconds();
        steady + TimeDelta::seconds((apart_ms + 500).div_euclid(1_000))
    }

    /// The moment by both clocks.
    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now(), steady: self.steady() }
    }

    /// Who this show is, for phones that look for it.
    pub async fn installation(&self) -> Result<Installation> {
        let mut tx = self.begin_read_desk().await?;
        let meta = meta::read(&mut tx).await?;
        let show = records::load(&mut tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?;
        let name = show.first().and_then(|show| show.value("name").as_text().map(str::to_owned));
        Ok(Installation {
            installation_id: self.inner.installation_id,
            name: name.unwrap_or_default(),
            epoch: meta.epoch,
        })
    }

    /// The newest change number, for a stream's first poke.
    pub async fn clock(&self) -> Result<i64> {
        let mut tx = self.begin_read_desk().await?;
        Ok(meta::read(&mut tx).await?.clock.0)
    }

    /// The desk's own actor, for the headless program's `import` and `demo`.
    pub async fn desk_actor(&self) -> Result<Actor> {
        let mut tx = self.begin_read_desk().await?;
        let device = people::device(&mut tx, self.inner.desk_device).await?;
        let device = device.ok_or(EngineError::NotFound("the desk's own device"))?;
        let person =
            people::profile(&mut tx, device.person).await?.ok_or(EngineError::NotFound("the desk's person"))?;
        Ok(Actor {
            person: person.id,
            person_name: person.name,
            device: device.id,
            device_kind: DeviceKind::Desk,
            role: Role::Owner,
            functions: vec![Function::Admin],
            scope: Scope::default(),
            permissions: Permissions::default(),
        })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }

    pub(crate) async fn epoch(&self) -> Result<Uuid> {
        let mut tx = self.begin_read_desk().await?;
        Ok(meta::read(&mut tx).await?.epoch)
    }

    pub(crate) fn fresh_id(&self) -> Uuid {
        fresh_id(self.now())
    }

    /// A new show has one row from the start: it is written like everything else, with history and feed.
    async fn make_show_row(&self) -> Result<()> {
        let id = self.inner.show_id;
        if self.has_show_row().await? {
            return Ok(());
        }
        let timezone = iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned());
        let draft = showdesk_domain::op::new_show(id, self.fresh_id(), NEW_SHOW_NAME, &timezone);
        let actor = self.desk_actor().await?;
        match self.write_ops(&actor, vec![draft]).await {
            // Another desk of the same database was faster.
            Err(EngineError::Stale { .. }) if self.has_show_row().await? => Ok(()),
            written => written.map(|_| ()),
        }
    }

    async fn has_show_row(&self) -> Result<bool> {
        let mut tx = self.begin_read_desk().await?;
        Ok(!records::load(&mut tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?.is_empty())
    }

    pub(crate) fn background(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.inner.background.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings what was committed from the log into the file, so that the writer need not stop for it.
    fn checkpoint_after(&self, committed: Arc<Notify>) {
        let db = self.db().clone();
        if db.is_shared() {
            return;
        }
        let checkpoints = tokio::spawn(async move {
            loop {
                committed.notified().await;
                if let Err(error) = db.checkpoint().await {
                    // The log keeps everything; the next checkpoint tries again.
                    tracing::warn!(%error, "the log could not be brought into the file");
                }
                tokio::time::sleep(CHECKPOINT_PAUSE).await;
            }
        });
        self.background().push(checkpoints.abort_handle());
    }

    fn flush_seen_regularly(&self) {
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(FLUSH_EVERY).await;
                let Some(inner) = inner.upgrade() else { return };
                if !inner.seen.is_empty() {
                    inner.writer.flush();
                }
            }
        });
    }
}

fn lock_folder(folder: &Path) -> Result<File> {
    let path = folder.join("showdesk.lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(|error| EngineError::Folder(format!("{}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::Folder("Showdesk is already open on this folder".to_owned())),
        Err(TryLockError::Error(error)) => Err(EngineError::Folder(error.to_string())),
    }
}

/// What the opened database says about this desk.
struct Entered {
    installation: InstallationRow,
    desk_device: DeviceId,
    desk_person: PersonId,
    cursor_key: Vec<u8>,
}

/// Makes the show if the database is empty; otherwise looks whether it is the one that was left.
async fn enter(db: &Db, options: &Options, guard: &EpochGuard) -> Result<Entered> {
    let (folder, now) = (options.data_dir.as_path(), options.clock.now());
    let mut tx = db.begin_write(Seat::Owner).await?;
    let (installation, Turn { meta, .. }, is_new) = match meta::installation(&mut tx).await? {
        Some(row) => (row, guard.begin(&mut tx).await?, false),
        None => (first_start(&mut tx, now).await?, Turn { meta: meta::read(&mut tx).await?, turned: false }, true),
    };
    let is_first = is_new || !db.is_shared();
    let desk_device = desks::device_of_folder(&mut tx, folder, installation.desk_device_id, is_first, now).await?;
    let own_device =
        people::device(&mut tx, desk_device).await?.ok_or(EngineError::NotFound("the desk's own device"))?;
    let desk_person = own_device.person;
    let cursor_key = meta::signing_key(&mut tx, CURSOR_KEY).await?;
    let cursor_key =
        cursor_key.ok_or_else(|| EngineError::Folder("the database has lost its signing key".to_owned()))?;
    tx.commit().await?;
    desks::keep(folder, desk_device)?;
    let marked = guard.committed(meta.epoch, meta.clock).await;
    marked.map_err(|error| EngineError::Folder(format!("the mark of the epoch: {error}")))?;
    Ok(Entered { installation, desk_device, desk_person, cursor_key })
}

/// Everything a new database needs before its first op: epoch, keys, the owner, the desk's device.
async fn first_start(tx: &mut Tx, now: DateTime<Utc>) -> Result<InstallationRow> {
    let fresh = || fresh_id(now);
    let epoch = Uuid::new_v4();
    meta::init(
        tx,
        &Meta { epoch, clock: Seq(0), oldest_seq: Seq(0), schema: SCHEMA_VERSION, min_schema: SCHEMA_VERSION },
    )
    .await?;
    meta::add_signing_key(tx, CURSOR_KEY, &secret::<32>(), now).await?;
    let (person, team) = (PersonId(fresh()), fresh());
    people::add_profile(tx, &ProfileRow { id: person, name: "Desk".to_owned(), created_at: now }).await?;
    people::add_team(tx, &TeamRow { id: team, name: "Show staff".to_owned(), created_at: now }).await?;
    let member = MemberRow {
        team_id: team,
        person,
        role: Role::Owner,
        functions: vec![Function::Admin],
        scope: Scope::default(),
        permissions: Permissions::default(),
        created_at: now,
    };
    people::add_member(tx, &member).await?;
    let desk = desks::desk_device(person, "Laptop".to_owned(), now);
    people::add_device(tx, &desk).await?;
    let row =
        InstallationRow { installation_id: Uuid::new_v4(), created_at: now, desk_device_id: desk.id, show_id: fresh() };
    meta::set_installation(tx, &row).await?;
    Ok(row)
}
