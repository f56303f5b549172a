//! The embedded engine: one file, one writing connection, a few reading ones (`docs/ARCHITECTURE.md`).

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use super::error::is_corruption;
use crate::migrations::Purpose;
use crate::sql::keep;
use crate::{Result, StoreError, migrations};

/// Connections that read while one writes: each keeps pages of its own in memory.
const READERS: u32 = 4;
/// The same where only the desk's own pages read.
const TELEMETRY_READERS: u32 = 2;
/// How long a connection waits for the file's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a caller waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Ten tables in a few chunk sizes, and everything else.
const STATEMENTS_KEPT: usize = 500;
/// What is left of the write-ahead log after a checkpoint.
const JOURNAL_SIZE_BYTES: i64 = 64 * 1024 * 1024;
/// Pages in the write-ahead log that are not in the file yet, before a checkpoint beside the writer is worth it. With
/// three times as many the slowest hundredth of pushes takes a third longer.
const CHECKPOINT_PAGES: i64 = 5_000;
/// Pages in the write-ahead log before the writer itself stops for a checkpoint: the log's bound, 400 MB.
const CHECKPOINT_PAGES_MAX: i64 = 100_000;
/// The same where nobody waits for the writer and no one else makes checkpoints: 4 MB.
const TELEMETRY_CHECKPOINT_PAGES: i64 = 1_000;
/// What the writing connection keeps of the file in memory: the inner pages of its indexes, at a million versions, too.
const WRITER_CACHE_KIB: i64 = 8 * 1024;
/// The same for each that reads: what it pages through it does not read twice.
const READER_CACHE_KIB: i64 = 512;
/// Rows of a query that wait for their reader; with few of them the two threads only wake each other.
const ROWS_AHEAD: usize = 1_024;
/// `PRAGMA synchronous` reads FULL back as this number.
const SYNCHRONOUS_FULL: i64 = 2;
/// The first release without the bug that lets a reset write-ahead log corrupt the file.
const OLDEST_SOUND: (u32, u32, u32) = (3, 51, 3);
/// A later release that has it again.
const UNSOUND: (u32, u32, u32) = (3, 52, 0);

/// An open file.
#[derive(Debug, Clone)]
pub struct SqliteDb {
    file: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
    checkpoints: SqlitePool,
    /// Some statement found the file damaged.
    damage: Arc<AtomicBool>,
}

/// A transaction of a file.
#[derive(Debug)]
pub struct SqliteTx {
    pub(super) tx: Transaction<'static, Sqlite>,
    damage: Arc<AtomicBool>,
}

impl SqliteTx {
    /// What a statement came to. That it found the file damaged is remembered, whoever hears of the error.
    pub(super) fn met<T>(&self, done: sqlx::Result<T>) -> Result<T> {
        if let Err(sqlx::Error::Database(cause)) = &done
            && is_corruption(cause.as_ref())
        {
            self.damage.store(true, Ordering::Relaxed);
        }
        Ok(done?)
    }
}

impl SqliteDb {
    pub(super) async fn open(path: &Path, purpose: Purpose) -> Result<Self> {
        // A negative number is KiB, not pages.
        let options = |cache_kib: i64| options(path, purpose).pragma("cache_size", (-cache_kib).to_string());
        // Before a bulk statement changes a page it keeps the page as it was, in case one of its rows is refused. In a
        // file, as is usual, that was twice what the write-ahead log takes.
        let cache_kib = if purpose == Purpose::Show { WRITER_CACHE_KIB } else { READER_CACHE_KIB };
        let writing = options(cache_kib).pragma("temp_store", "MEMORY");
        let writer = pool(1).connect_with(writing).await?;
        check_release(&writer).await?;
        if purpose == Purpose::Show {
            check_promise(&writer).await?;
        }
        migrations::sqlite(purpose).run(&writer).await?;
        sync_folder(path)?;
        let (checkpoints, readers) = match purpose {
            Purpose::Show => (pool(1).connect_with(options(READER_CACHE_KIB)).await?, READERS),
            // Its writer makes them by itself.
            Purpose::Telemetry => (writer.clone(), TELEMETRY_READERS),
        };
        let readers = pool(readers).connect_with(options(READER_CACHE_KIB).pragma("query_only", "1")).await?;
        Ok(Self { file: path.to_owned(), writer, readers, checkpoints, damage: Arc::default() })
    }

    /// The file in which another database of this desk is kept.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.file.with_file_name(name)
    }

    /// How large the file and its write-ahead log are.
    pub(super) fn sizes(&self) -> Result<(u64, u64)> {
        let bytes = |path: &Path| match path.metadata() {
            Ok(found) => Ok(found.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(StoreError::Unavailable(sqlx::Error::Io(error))),
        };
        Ok((bytes(&self.file)?, bytes(&with_suffix(&self.file, "-wal"))?))
    }

    /// `IMMEDIATE`: a transaction that begins to write later fails at once in spite of the busy timeout.
    pub(super) async fn begin_write(&self) -> Result<SqliteTx> {
        Ok(self.with(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    pub(super) async fn begin_read(&self) -> Result<SqliteTx> {
        Ok(self.with(self.readers.begin_with("BEGIN DEFERRED").await?))
    }

    fn with(&self, tx: Transaction<'static, Sqlite>) -> SqliteTx {
        SqliteTx { tx, damage: Arc::clone(&self.damage) }
    }

    /// Whether a statement found the file damaged, or somebody said so.
    pub(super) fn is_damaged(&self) -> bool {
        self.damage.load(Ordering::Relaxed)
    }

    /// Remembers that the file is damaged.
    pub(super) fn note_damage(&self) {
        self.damage.store(true, Ordering::Relaxed);
    }

    /// Brings the write-ahead log into the file while the writer goes on, if there is enough of it.
    pub(super) async fn checkpoint(&self) -> Result<()> {
        let look = sqlx::query("PRAGMA wal_checkpoint(NOOP)").fetch_one(&self.checkpoints).await?;
        let (logged, done): (i64, i64) = (look.try_get(1)?, look.try_get(2)?);
        if logged - done >= CHECKPOINT_PAGES {
            sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&self.checkpoints).await?;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.checkpoints.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The text with `?` for `$1`, `$2`, … where these only count through.
///
/// SQLite finds a placeholder that has a name by walking a list of all names: a bulk statement with its thousands
/// would spend most of its time there. `?` has none.
pub(super) fn with_plain_placeholders(sql: &'static str) -> &'static str {
    static TEXTS: LazyLock<RwLock<HashMap<(usize, usize), &'static str>>> = LazyLock::new(RwLock::default);
    // A text that lives as long as the program is known by its place.
    let place = (sql.as_ptr().addr(), sql.len());
    let known = TEXTS.read().unwrap_or_else(PoisonError::into_inner).get(&place).copied();
    known.unwrap_or_else(|| {
        let text = plain(sql).map_or(sql, keep);
        TEXTS.write().unwrap_or_else(PoisonError::into_inner).insert(place, text);
        text
    })
}

fn plain(sql: &str) -> Option<String> {
    let mut parts = sql.split('$');
    let mut text = parts.next()?.to_owned();
    for (number, part) in (1_usize..).zip(parts) {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        if part[..end].parse() != Ok(number) {
            return None;
        }
        text.push('?');
        text.push_str(&part[end..]);
    }
    Some(text)
}

/// A file that SQLite keeps beside the database's.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What is measured needs no promise: with NORMAL a power cut loses the last seconds of it and damages nothing, and
/// no commit waits for the disk in front of the show's.
fn options(path: &Path, purpose: Purpose) -> SqliteConnectOptions {
    let (synchronous, checkpoint_pages) = match purpose {
        Purpose::Show => (SqliteSynchronous::Full, CHECKPOINT_PAGES_MAX),
        Purpose::Telemetry => (SqliteSynchronous::Normal, TELEMETRY_CHECKPOINT_PAGES),
    };
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("fullfsync", "1")
        .pragma("checkpoint_fullfsync", "1")
        .pragma("trusted_schema", "0")
        .pragma("cell_size_check", "1")
        .pragma("journal_size_limit", JOURNAL_SIZE_BYTES.to_string())
        .pragma("wal_autocheckpoint", checkpoint_pages.to_string())
        .row_buffer_size(ROWS_AHEAD)
        .statement_cache_capacity(STATEMENTS_KEPT)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // SQLite itself takes a transaction back when the disk is full or fails. The connection then believes that one
        // is still open, and nothing more can be begun on it.
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

/// An acknowledged change must be on disk.
async fn check_promise(pool: &SqlitePool) -> Result<()> {
    let synchronous: i64 = sqlx::query("PRAGMA synchronous").fetch_one(pool).await?.try_get(0)?;
    if synchronous == SYNCHRONOUS_FULL {
        Ok(())
    } else {
        Err(StoreError::Unsafe("SQLite does not write every commit to disk".to_owned()))
    }
}

/// A release without known corruption is needed.
async fn check_release(pool: &SqlitePool) -> Result<()> {
    let version: String = sqlx::query("SELECT sqlite_version()").fetch_one(pool).await?.try_get(0)?;
    if is_sound(&version) {
        Ok(())
    } else {
        Err(StoreError::Unsafe(format!(
            "SQLite {version} can damage its file; 3.51.3 or later is needed, and not 3.52.0"
        )))
    }
}

/// Makes the names of the file and of its log durable. SQLite does it too, but does not tell when that failed.
fn sync_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = if cfg!(unix) { File::open(folder).and_then(|folder| folder.sync_all()) } else { Ok(()) };
    synced.map_err(|error| StoreError::DiskFault(sqlx::Error::Io(error)))
}

fn is_sound(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let version = (part(), part(), part());
    version >= OLDEST_SOUND && version != UNSOUND
}

#[cfg(test)]
mod tests {
    use super::{is_sound, plain};

    #[test]
    fn placeholders_that_count_through_lose_their_names() {
        assert_eq!(plain("VALUES ($1, $2), ($3, $4)").as_deref(), Some("VALUES (?, ?), (?, ?)"));
        assert_eq!(plain("a = $1 OR b = $1"), None);
        assert_eq!(plain("a = $2"), None);
        assert_eq!(plain("SELECT 1").as_deref(), Some("SELECT 1"));
    }

    #[test]
    fn releases_that_damage_files_are_refused() {
        for (version, sound) in [("3.51.2", false), ("3.51.3", true), ("3.52.0", false), ("3.52.1", true), ("?", false)]
        {
            assert_eq!(is_sound(version), sound, "{version}");
        }
    }
}
