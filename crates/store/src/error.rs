//! Why the database could not do something, the same for both engines.

/// What a query answers instead of a result.
#[derive(Debug, thiserror::Error)]
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
    Migration(#[source] sqlx::migrate::MigrateError),
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
