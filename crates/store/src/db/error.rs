//! Reads both engines' errors as the one kind the callers know.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

use showdesk_domain::schema::tables;

use crate::StoreError;

/// SQLite's primary result codes that callers can act on; the low byte of the extended ones.
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_IOERR: u32 = 10;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
/// It cannot be opened: a folder, or not this user's.
const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_NOTADB: u32 = 26;
const SQLITE_READONLY: u32 = 8;
/// Extended codes of `SQLITE_IOERR` that are no fault of the disk: no memory, and no room for the shared index.
const SQLITE_IOERR_NOMEM: u32 = SQLITE_IOERR | 12 << 8;
const SQLITE_IOERR_SHMSIZE: u32 = SQLITE_IOERR | 19 << 8;
/// How Postgres says that its own disk failed.
const POSTGRES_IO_ERROR: &str = "58030";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) => match kind_of(cause.as_ref()) {
                Some(known) => known,
                None if is_out_of_reach(cause.as_ref()) => Self::Unavailable(error),
                None if is_disk_fault(cause.as_ref()) => Self::DiskFault(error),
                None => Self::Database(error),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        Self::Migration(error)
    }
}

fn kind_of(error: &dyn DatabaseError) -> Option<StoreError> {
    match error.kind() {
        ErrorKind::UniqueViolation => return Some(StoreError::Duplicate { constraint: constraint_of(error) }),
        ErrorKind::ForeignKeyViolation => return Some(StoreError::MissingReference),
        _ => {}
    }
    let code = error.code()?;
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return match code.as_ref() {
            "40001" | "40P01" | "55P03" => Some(StoreError::Busy),
            "53100" => Some(StoreError::DiskFull),
            _ => None,
        };
    }
    let code = code.parse::<u32>().ok()?;
    match code & 0xff {
        SQLITE_BUSY | SQLITE_LOCKED => Some(StoreError::Busy),
        SQLITE_FULL => Some(StoreError::DiskFull),
        _ if code == SQLITE_IOERR_SHMSIZE => Some(StoreError::DiskFull),
        _ => None,
    }
}

/// Reading, writing or syncing failed.
fn is_disk_fault(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return code == POSTGRES_IO_ERROR;
    }
    code.parse::<u32>().is_ok_and(|code| code & 0xff == SQLITE_IOERR && code != SQLITE_IOERR_NOMEM)
}

/// The file is no sound database that can be written. Never of a server: that has others to mend it.
pub(crate) fn is_damage(error: &dyn DatabaseError) -> bool {
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return false;
    }
    let code = error.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    matches!(code, Some(SQLITE_CORRUPT | SQLITE_CANTOPEN | SQLITE_NOTADB | SQLITE_READONLY))
}

impl StoreError {
    /// Whether what was read is no sound database. It is less than [`is_damage`](Self::is_damage): a handle or a right
    /// that is missing for a while is none.
    pub fn is_corruption(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(cause))
            | Self::Migration(
                MigrateError::Execute(sqlx::Error::Database(cause))
                | MigrateError::ExecuteMigration(sqlx::Error::Database(cause), _),
            ) => is_corruption(cause.as_ref()),
            _ => false,
        }
    }
}

/// What a statement read is no sound database. A file that could be opened is not damaged because a handle or a right is
/// missing later. Never of a server, whose codes are numbers, too.
pub(super) fn is_corruption(error: &dyn DatabaseError) -> bool {
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return false;
    }
    let code = error.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    matches!(code, Some(SQLITE_CORRUPT | SQLITE_NOTADB))
}

/// Postgres stops, starts, or has no connection left.
fn is_out_of_reach(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code) else { return false };
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "53300")
}

/// Postgres names the rule; SQLite lists its columns: `UNIQUE constraint failed: animals.species, animals.tag`.
fn constraint_of(error: &dyn DatabaseError) -> Option<String> {
    if let Some(name) = error.constraint() {
        return Some(name.to_owned());
    }
    let (_, columns) = error.message().split_once(": ")?;
    let table_name = columns.split('.').next()?;
    let columns: Vec<&str> =
        columns.split(", ").filter_map(|column| column.split_once('.')).map(|(_, name)| name).collect();
    let unique = tables().iter().filter(|table| table.name == table_name).find_map(|table| {
        table.uniques.iter().find(|unique| {
            let fields = unique.fields.iter().map(|field| table.fields[*field].path);
            std::iter::once("show_id").chain(fields).eq(columns.iter().copied())
        })
    });
    Some(unique.map_or_else(|| format!("{table_name}_pkey"), |unique| unique.name.to_owned()))
}

/// Where Postgres refused: the rule, the table, the column and its own routine, and never the row. None for SQLite.
pub(crate) fn places_of(cause: &dyn DatabaseError) -> Option<[(&'static str, Option<&str>); 4]> {
    let cause = cause.try_downcast_ref::<PgDatabaseError>()?;
    Some([
        ("constraint", cause.constraint()),
        ("table", cause.table()),
        ("column", cause.column()),
        ("routine", cause.routine()),
    ])
}
