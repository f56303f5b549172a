//! Use cases: one transaction each, every decision asked of the domain.
//!
//! [`Engine`] is what the server, the headless program and the tests hold. It owns the database,
//! the one writer task and the wake-ups; it knows no HTTP.

mod alerts;
pub mod api;
mod audit;
mod back_numbers;
mod bulk;
mod cache;
mod charts;
mod conflicts;
#[cfg(test)]
#[path = "../../../fuzz/checks/corpus.rs"]
mod corpus;
mod cursor;
mod delivery;
mod demo;
mod desk;
mod desks;
mod devices;
mod disk;
mod entries;
mod epoch;
mod error;
mod faults;
mod forks;
mod ids;
mod import;
mod names;
mod neighbours;
mod network;
mod notifications;
mod open;
mod overview;
mod pairing;
mod people;
mod presence;
mod programme;
pub mod pull;
pub mod push;
mod questions;
mod queue;
mod report;
mod rescue;
mod result;
mod rights;
mod seats;
mod secrets;
mod seen;
mod settle;
mod sidecar;
mod subjects;
mod telemetry;
mod tokens;
mod tombstones;
mod typed_code;
mod uptime;
mod urgency;
mod visibility;
mod worker;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use delivery::{ClashNews, News, ToldNotice};
pub use disk::DISK_RESERVE_BYTES;
pub use entries::ListAsked;
pub use error::EngineError;
pub use faults::{Fault, Faults, is_writing as is_writing_faults};
pub use network::{Authority, Founding};
pub use notifications::MessageState;
pub use overview::PhonesNow;
pub use pairing::{counted_as, is_typed_code};
pub use people::{LEVELS, SLOW_MS, Standing, Told};
pub use pull::PAGES_KEPT_FROM;
pub use secrets::{KeptIn, Keychain, KeysIn, SystemKeychain, VaultFacts};
pub use showdesk_store::deliveries::Channel as PushChannel;
pub use telemetry::{Taken, tasks};

type Result<T> = std::result::Result<T, EngineError>;

/// Where the engine takes the time from. Tests pass a clock that stands still.
pub trait Clock: Send + Sync + 'static {
    /// The moment, in UTC.
    fn now(&self) -> DateTime<Utc>;

    /// The moment for what runs out: passes and codes. It goes on evenly when somebody sets the clock meanwhile, and
    /// while the laptop sleeps.
    fn steady(&self) -> DateTime<Utc> {
        self.now()
    }
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn steady(&self) -> DateTime<Utc> {
        static BEGAN: LazyLock<(DateTime<Utc>, Duration)> = LazyLock::new(|| (Utc::now(), uptime::uptime()));
        let (at, since) = *BEGAN;
        at + uptime::uptime().saturating_sub(since)
    }
}

// The testkit says so of the trait of the engine that it was built with; under test this is another one.
#[cfg(test)]
impl Clock for showdesk_testkit::SetClock {
    fn now(&self) -> DateTime<Utc> {
        self.now()
    }
}

/// How a show is opened.
#[derive(Clone)]
pub struct Options {
    /// The data folder: database, sidecar, lock, admin token. Made if it is missing.
    pub data_dir: PathBuf,
    /// A Postgres URL; none means SQLite in the data folder.
    pub database_url: Option<String>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where errors are handed over: the same for the whole program, also before a show is open.
    pub faults: Faults,
    /// Bytes of the data folder's disk that stay free: below, nothing is written. Usually [`DISK_RESERVE_BYTES`].
    pub disk_reserve_bytes: u64,
    /// Whether the desk measures itself and keeps what it measured.
    pub recording: bool,
    /// Shows with at least so many changes are kept packed for phones that join. Usually [`PAGES_KEPT_FROM`].
    pub pages_kept_from: i64,
}

impl Options {
    /// The show in this folder, on SQLite, with the machine's clock.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database_url: None,
            clock: Arc::new(SystemClock),
            faults: Faults::default(),
            disk_reserve_bytes: DISK_RESERVE_BYTES,
            recording: true,
            pages_kept_from: PAGES_KEPT_FROM,
        }
    }
}

/// Something changed. It carries no data: losing one delays a reader and never loses a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wake {
    /// The feed has grown to this number.
    Clock(i64),
    /// A clash was opened, changed or closed.
    Conflict {
        /// Which.
        id: Uuid,
        /// Its state's number.
        rev: i64,
        /// open, resolved, ….
        status: String,
    },
    /// A phone asks to join, or was answered.
    Pairings,
    /// A device was removed: its streams end now.
    DeviceRevoked(Uuid),
    /// What a device or its person may do has changed, or what it is asked for.
    DeviceChanged {
        /// Which.
        device: Uuid,
        /// Its person.
        person: Uuid,
    },
    /// The database was rolled back and has this epoch now: phones must hear of it.
    Epoch(Uuid),
    /// Somebody has a message that is new, or was told again, taken back or confirmed.
    Notified,
    /// What became of messages has changed.
    Messages,
    /// Messages go out by a provider no more, or again.
    Providers,
    /// An alert was said, or where a rule stands has changed.
    Alerts,
    /// The list of problems has changed.
    Problems,
}

/// The opened show. Cloning it is cheap; all clones are the same show.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<open::Inner>,
}

/// What `/ping` says.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Made with the database.
    pub installation_id: Uuid,
    /// The show's name.
    pub name: String,
    /// The database's epoch.
    pub epoch: Uuid,
}

/// How large a demo show is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoSize {
    /// About 60 animals.
    Small,
    /// 240 exhibitors, 520 animals, 640 entries, 70 classes, 2 rings.
    County,
    /// 21,000 animals.
    Expo,
}
