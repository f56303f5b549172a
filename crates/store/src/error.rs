//! Why the database could not do something, the same for both engines.

use std::fmt;

use sqlx::migrate::MigrateError;

/// What a query answers instead of a result. Its debug text is for the log: it names rules, tables and columns, and no
/// value of a row.
#[derive(thiserror::Error)]
pub enum StoreError {
    /// A uniqueness rule was broken.
    #[error("a row with this key exists ({})", constraint.as_deref().unwrap_or("which rule is not known"))]
    Duplicate {
        /// The rule's name as in `domain::schema::Unique::name`, or the table's name and `_pkey`.
        constraint: Option<String>,
    },
    /// Another transaction was in the way: the whole transaction can be tried again.
    #[error("the database is busy")]
    Busy,
    /// Nothing more can be written; reads go on.
    #[error("the disk is full")]
    DiskFull,
    /// The disk reported an error: what was being written may be lost, and trying again proves nothing.
    #[error("the disk reported an error")]
    DiskFault(#[source] sqlx::Error),
    /// A row points to one that is not there.
    #[error("a row refers to one that does not exist")]
    MissingReference,
    /// A stored value is not what its column promises.
    #[error("{table}.{column} of row {id} cannot be read")]
    Corrupt {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The row, as far as it could be read.
        id: String,
    },
    /// The database's form could not be brought up to date, or is newer than this program.
    #[error("the database could not be brought up to date")]
    Migration(#[source] MigrateError),
    /// The database does not keep its promises as it is set up, in one sentence.
    #[error("{0}")]
    Unsafe(String),
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else the database said.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the file itself is damaged, or no database at all: trying again cannot help.
    pub fn is_damage(&self) -> bool {
        match self {
            // A file that is only busy, full or of a newer version is whole.
            Self::Database(sqlx::Error::Database(cause))
            | Self::Migration(
                MigrateError::Execute(sqlx::Error::Database(cause))
                | MigrateError::ExecuteMigration(sqlx::Error::Database(cause), _),
            ) => crate::db::is_damage(cause.as_ref()),
            Self::Corrupt { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { constraint } => f.debug_struct("Duplicate").field("constraint", constraint).finish(),
            Self::Busy => f.write_str("Busy"),
            Self::DiskFull => f.write_str("DiskFull"),
            Self::DiskFault(cause) => f.debug_tuple("DiskFault").field(&Told(cause)).finish(),
            Self::MissingReference => f.write_str("MissingReference"),
            Self::Corrupt { table, column, id } => {
                let mut told = f.debug_struct("Corrupt");
                told.field("table", table).field("column", column).field("id", id).finish()
            }
            Self::Migration(cause) => f.debug_tuple("Migration").field(&ToldOfMigration(cause)).finish(),
            Self::Unsafe(sentence) => f.debug_tuple("Unsafe").field(sentence).finish(),
            Self::Unavailable(cause) => f.debug_tuple("Unavailable").field(&Told(cause)).finish(),
            Self::Database(cause) => f.debug_tuple("Database").field(&Told(cause)).finish(),
        }
    }
}

/// What may be told of an error. A database says which row it refused, with all that stands in it: on Postgres in the
/// detail and sometimes in the message, so neither is told.
struct Told<'a>(&'a sqlx::Error);

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            sqlx::Error::Database(cause) => {
                let mut told = f.debug_struct("Refused");
                told.field("code", &cause.code().as_deref().unwrap_or("none"));
                if let Some(places) = crate::db::places_of(cause.as_ref()) {
                    for (place, name) in places {
                        name.map(|name| told.field(place, &name));
                    }
                } else if cause.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(is_a_rules) {
                    // SQLite names the rule and never the value.
                    told.field("rule", &cause.message());
                }
                told.finish()
            }
            sqlx::Error::Io(cause) => f.debug_tuple("Io").field(cause).finish(),
            sqlx::Error::Tls(cause) => f.debug_tuple("Tls").field(cause).finish(),
            sqlx::Error::ColumnDecode { index, .. } => f.debug_struct("ColumnDecode").field("index", index).finish(),
            sqlx::Error::ColumnNotFound(name) => f.debug_tuple("ColumnNotFound").field(name).finish(),
            sqlx::Error::RowNotFound => f.write_str("RowNotFound"),
            sqlx::Error::PoolTimedOut => f.write_str("PoolTimedOut"),
            sqlx::Error::PoolClosed => f.write_str("PoolClosed"),
            sqlx::Error::WorkerCrashed => f.write_str("WorkerCrashed"),
            sqlx::Error::Configuration(cause) => f.debug_tuple("Configuration").field(cause).finish(),
            sqlx::Error::Migrate(cause) => fmt::Debug::fmt(&ToldOfMigration(cause), f),
            // The causes of these are texts that the library made of whatever it was given.
            sqlx::Error::Protocol(_) => f.write_str("Protocol"),
            sqlx::Error::Encode(_) => f.write_str("Encode"),
            sqlx::Error::Decode(_) => f.write_str("Decode"),
            _ => f.write_str("another error of the database's library"),
        }
    }
}

/// `SQLITE_CONSTRAINT`, of whichever kind.
fn is_a_rules(code: u32) -> bool {
    code & 0xff == 19
}

struct ToldOfMigration<'a>(&'a MigrateError);

impl fmt::Debug for ToldOfMigration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            MigrateError::Execute(cause) => f.debug_tuple("Execute").field(&Told(cause)).finish(),
            MigrateError::ExecuteMigration(cause, number) => {
                f.debug_tuple("ExecuteMigration").field(&Told(cause)).field(number).finish()
            }
            other => fmt::Debug::fmt(other, f),
        }
    }
}
