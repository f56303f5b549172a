//! Opens a show: the folder's lock, the database, and on the first start the show itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use showdesk_domain::actor::{Actor, DeviceKind, Function, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, RecordId, Seq};
use showdesk_domain::op::OpDraft;
use showdesk_domain::schema::{SCHEMA_VERSION, known_table};
use showdesk_store::meta::{InstallationRow, Meta};
use showdesk_store::people::{DeviceRow, MemberRow, ProfileRow, TeamRow};
use showdesk_store::{Db, Tx, meta, people, records};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::ids::{fresh_id, secret};
use crate::seen::SeenMap;
use crate::writer::{Writer, WriterHandle};
use crate::{Clock, Engine, EngineError, Installation, Options, Result, Wake};

/// Wake-ups a slow listener may fall behind before it is told to look again.
const WAKES_KEPT: usize = 256;
/// How often what devices were seen doing is written, if no other commit does it.
const FLUSH_EVERY: Duration = Duration::from_secs(2);
/// The key of `server_keys` that signs cursors.
const CURSOR_KEY: &str = "cursor";

pub(crate) struct Inner {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub writer: WriterHandle,
    pub wakes: broadcast::Sender<Wake>,
    pub seen: Arc<SeenMap>,
    pub cursor_key: Vec<u8>,
    pub installation_id: Uuid,
    pub show_id: Uuid,
    pub desk_device: DeviceId,
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
        let now = options.clock.now();
        let mut tx = db.begin_write().await?;
        let installation = match meta::installation(&mut tx).await? {
            Some(row) => row,
            None => first_start(&mut tx, now).await?,
        };
        let cursor_key = meta::signing_key(&mut tx, CURSOR_KEY).await?;
        tx.commit().await?;
        let cursor_key =
            cursor_key.ok_or_else(|| EngineError::Folder("the database has lost its signing key".to_owned()))?;
        let (wakes, _) = broadcast::channel(WAKES_KEPT);
        let seen = Arc::new(SeenMap::default());
        let writer = Writer {
            db: db.clone(),
            show_id: installation.show_id,
            clock: Arc::clone(&options.clock),
            wakes: wakes.clone(),
            seen: Arc::clone(&seen),
        };
        let engine = Self {
            inner: Arc::new(Inner {
                db,
                clock: options.clock,
                writer: writer.start(),
                wakes,
                seen,
                cursor_key,
                installation_id: installation.installation_id,
                show_id: installation.show_id,
                desk_device: installation.desk_device_id,
                _lock: lock,
            }),
        };
        engine.make_show_row().await?;
        engine.flush_seen_regularly();
        Ok(engine)
    }

    /// Takes no new writes, finishes those that wait, closes the database.
    pub async fn close(&self) {
        self.inner.writer.stop().await;
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

    /// Who this show is, for phones that look for it.
    pub async fn installation(&self) -> Result<Installation> {
        let mut tx = self.db().begin_read().await?;
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
        let mut tx = self.db().begin_read().await?;
        Ok(meta::read(&mut tx).await?.clock.0)
    }

    /// The desk's own actor, for the headless program's `import` and `demo`.
    pub async fn desk_actor(&self) -> Result<Actor> {
        let mut tx = self.db().begin_read().await?;
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
        })
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }

    pub(crate) async fn epoch(&self) -> Result<Uuid> {
        let mut tx = self.db().begin_read().await?;
        Ok(meta::read(&mut tx).await?.epoch)
    }

    pub(crate) fn fresh_id(&self) -> Uuid {
        fresh_id(u64::try_from(self.now().timestamp_millis()).unwrap_or(0))
    }

    /// A new show has one row from the start: it is written like everything else, with history and feed.
    async fn make_show_row(&self) -> Result<()> {
        let id = self.inner.show_id;
        let mut tx = self.db().begin_read().await?;
        let exists = !records::load(&mut tx, known_table("shows"), &[RecordId(id)]).await?.is_empty();
        drop(tx);
        if exists {
            return Ok(());
        }
        let timezone = iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned());
        let draft = showdesk_domain::op::new_show(id, self.fresh_id(), "New show", &timezone);
        let actor = self.desk_actor().await?;
        self.write_first_row(&actor, draft).await
    }

    async fn write_first_row(&self, actor: &Actor, draft: OpDraft) -> Result<()> {
        self.write_ops(actor, vec![draft], true).await.map(|_| ())
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

/// Everything a new database needs before its first op: epoch, keys, the owner, the desk's device.
async fn first_start(tx: &mut Tx, now: DateTime<Utc>) -> Result<InstallationRow> {
    let fresh = || fresh_id(u64::try_from(now.timestamp_millis()).unwrap_or(0));
    let epoch = Uuid::new_v4();
    meta::init(
        tx,
        &Meta { epoch, clock: Seq(0), oldest_seq: Seq(0), schema: SCHEMA_VERSION, min_schema: SCHEMA_VERSION },
    )
    .await?;
    meta::add_signing_key(tx, CURSOR_KEY, &secret::<32>(), now).await?;
    let (person, team, device) = (PersonId(fresh()), fresh(), DeviceId(fresh()));
    people::add_profile(tx, &ProfileRow { id: person, name: "Desk".to_owned(), created_at: now }).await?;
    people::add_team(tx, &TeamRow { id: team, name: "Show staff".to_owned(), created_at: now }).await?;
    let member = MemberRow {
        team_id: team,
        person,
        role: Role::Owner,
        functions: vec![Function::Admin],
        scope: Scope::default(),
        created_at: now,
    };
    people::add_member(tx, &member).await?;
    let desk = DeviceRow {
        id: device,
        person,
        kind: DeviceKind::Desk,
        name: "Laptop".to_owned(),
        platform: None,
        joined_at: now,
        last_seen: None,
        unsent: 0,
        skew_ms: 0,
        pulled_seq: Seq(0),
        revoked_at: None,
    };
    people::add_device(tx, &desk).await?;
    let row =
        InstallationRow { installation_id: Uuid::new_v4(), created_at: now, desk_device_id: device, show_id: fresh() };
    meta::set_installation(tx, &row).await?;
    Ok(row)
}
