//! The one module that knows there are two engines.
//!
//! Everything else speaks one SQL text with `$1` placeholders, binds [`Value`]s and reads
//! [`Cells`](row::Cells). Statements are `&'static str`: literals, or texts made once from descriptors.

mod error;
pub(crate) use error::{is_damage, places_of};
mod postgres;
mod roles;
pub(crate) mod routines;
pub(crate) mod row;
mod sqlite;
pub(crate) mod value;

use std::path::Path;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use showdesk_domain::ids::PersonId;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use uuid::Uuid;

use crate::Result;
use crate::migrations::Purpose;
pub use postgres::Listener;
use postgres::{PostgresDb, PostgresTx};
use row::{Cells, Row};
use sqlite::{SqliteDb, SqliteTx};
pub use value::Value;

/// The file of what the program measures of itself.
pub const TELEMETRY_FILE: &str = "telemetry.db";

/// An open database. Cloning it is cheap; all clones are the same one.
#[derive(Debug, Clone)]
pub enum Db {
    /// A file, written by one connection and read by a few.
    Sqlite(SqliteDb),
    /// A server, shared with other desks.
    Postgres(PostgresDb),
}

/// For whom a transaction works. On Postgres that is a role with policies of its own for each table; a file is this
/// program's alone, and whoever works sees all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// Somebody with a valid pass. Row-level security looks up what that person may see and do.
    Person(PersonId),
    /// Somebody who has not shown a pass yet: looks up passes and codes, asks to join.
    Anyone,
    /// The one writer: its transaction holds the work of many authors.
    Writer,
    /// The program's own housekeeping. No synced row.
    Worker,
    /// Who made the tables: at the start, and in tests.
    Owner,
}

impl Seat {
    /// What `app.user_id` is set to.
    fn user(self) -> Option<Uuid> {
        match self {
            Self::Person(person) => Some(person.0),
            Self::Anyone | Self::Writer | Self::Worker | Self::Owner => None,
        }
    }
}

/// A transaction; it is rolled back unless it is committed.
#[derive(Debug)]
pub enum Tx {
    /// Of a file.
    Sqlite(SqliteTx),
    /// Of a server.
    Postgres(PostgresTx),
}

impl Db {
    /// Opens the file, making it if it is missing, and brings it to the newest form.
    pub async fn open_sqlite(path: &Path) -> Result<Self> {
        SqliteDb::open(path, Purpose::Show).await.map(Self::Sqlite)
    }

    /// Opens the server's database and brings it to the newest form.
    pub async fn open_postgres(url: &str) -> Result<Self> {
        PostgresDb::open(url).await.map(Self::Postgres)
    }

    /// Opens the database of what the program measures of itself, making it if it is missing: a file beside the show's,
    /// or a schema beside the show's in the same server. Neither waits for the show's locks, nor the show for its.
    pub async fn open_telemetry(&self) -> Result<Self> {
        match self {
            Self::Sqlite(db) => SqliteDb::open(&db.beside(TELEMETRY_FILE), Purpose::Telemetry).await.map(Self::Sqlite),
            Self::Postgres(db) => db.open_telemetry().await.map(Self::Postgres),
        }
    }

    /// How many bytes the database takes, and its log if that is a file of this machine. On a server that is the whole
    /// database, or the tables of telemetry.
    pub async fn sizes(&self) -> Result<(u64, Option<u64>)> {
        match self {
            Self::Sqlite(db) => db.sizes().map(|(data, log)| (data, Some(log))),
            Self::Postgres(db) => db.bytes().await.map(|data| (data, None)),
        }
    }

    /// Begins a transaction that writes. On SQLite they run one at a time; on Postgres
    /// [`crate::meta::lock`] makes the writers take turns.
    pub async fn begin_write(&self, seat: Seat) -> Result<Tx> {
        match self {
            Self::Sqlite(db) => db.begin_write().await.map(Tx::Sqlite),
            Self::Postgres(db) => db.begin_write(seat).await.map(Tx::Postgres),
        }
    }

    /// Begins a transaction that sees one state of the database and cannot write.
    pub async fn begin_read(&self, seat: Seat) -> Result<Tx> {
        match self {
            Self::Sqlite(db) => db.begin_read().await.map(Tx::Sqlite),
            Self::Postgres(db) => db.begin_read(seat).await.map(Tx::Postgres),
        }
    }

    /// Whether other programs may write to this database.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Hears what is told to this channel from now on; none on SQLite, where there is nobody else.
    pub async fn listen(&self, channel: &str) -> Result<Option<Listener>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(db) => db.listen(channel).await.map(Some),
        }
    }

    /// Brings what was committed from SQLite's log into its file, beside the writer. A server does that by itself.
    pub async fn checkpoint(&self) -> Result<()> {
        match self {
            Self::Sqlite(db) => db.checkpoint().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Whether a statement found the file damaged, or [`note_damage`](Self::note_damage) said so. A server has others to
    /// look after it.
    pub fn is_damaged(&self) -> bool {
        match self {
            Self::Sqlite(db) => db.is_damaged(),
            Self::Postgres(_) => false,
        }
    }

    /// Remembers that the file is damaged.
    pub fn note_damage(&self) {
        if let Self::Sqlite(db) = self {
            db.note_damage();
        }
    }

    /// Waits for running transactions and closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(db) => db.close().await,
        }
    }
}

/// A statement with its values, in the form that its engine takes.
enum Bound {
    Sqlite(Query<'static, Sqlite, SqliteArguments>),
    Postgres(Query<'static, Postgres, PgArguments>),
}

impl Bound {
    fn new(shared: bool, sql: &'static str, values: Vec<Value>) -> Result<Self> {
        Ok(if shared {
            Self::Postgres(value::bind_postgres(sqlx::query(sql), values))
        } else {
            Self::Sqlite(sqlite_query(sql, values)?)
        })
    }
}

fn sqlite_query(sql: &'static str, values: Vec<Value>) -> Result<Query<'static, Sqlite, SqliteArguments>> {
    let arguments = value::for_sqlite(values).map_err(sqlx::Error::Encode)?;
    Ok(sqlx::query_with(sqlite::with_plain_placeholders(sql), arguments))
}

impl Tx {
    /// Makes everything durable. `MissingReference` if a row points nowhere: references are checked here.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(SqliteTx { tx, .. }) => tx.commit().await?,
            Self::Postgres(PostgresTx { tx, .. }) => tx.commit().await?,
        }
        Ok(())
    }

    /// Takes everything back.
    pub async fn rollback(self) -> Result<()> {
        match self {
            Self::Sqlite(SqliteTx { tx, .. }) => tx.rollback().await?,
            Self::Postgres(PostgresTx { tx, .. }) => tx.rollback().await?,
        }
        Ok(())
    }

    /// Goes on in the seat of that person: what the program did for somebody and the row that says so are one
    /// transaction. Nobody sits apart on SQLite.
    pub async fn go_on_as(&mut self, person: PersonId) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx.go_on_as(person).await,
        }
    }

    /// Tells those who listen to the channel, when the transaction is committed. On SQLite nobody does.
    /// `text` has less than 8,000 bytes.
    pub async fn notify(&mut self, channel: &str, text: &str) -> Result<()> {
        if let Self::Postgres(PostgresTx { tx, .. }) = self {
            sqlx::query("SELECT pg_notify($1, $2)").bind(channel).bind(text).execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// The moment by the one clock of all who share this database: that of its server. Who has it alone goes by its own.
    pub async fn shared_clock(&mut self, own: DateTime<Utc>) -> Result<DateTime<Utc>> {
        match self {
            Self::Sqlite(_) => Ok(own),
            Self::Postgres(PostgresTx { tx, .. }) => {
                Ok(sqlx::query_scalar("SELECT date_trunc('milliseconds', now())").fetch_one(&mut **tx).await?)
            }
        }
    }

    /// Marks a place to come back to. Marks can be nested; the newest one is meant below.
    pub async fn savepoint(&mut self) -> Result<()> {
        self.command("SAVEPOINT mark").await
    }

    /// Forgets the mark and keeps what was done since.
    pub async fn release_savepoint(&mut self) -> Result<()> {
        self.command("RELEASE SAVEPOINT mark").await
    }

    /// Takes back what was done since the mark, and forgets the mark.
    pub async fn rollback_to_savepoint(&mut self) -> Result<()> {
        self.command("ROLLBACK TO SAVEPOINT mark").await?;
        self.command("RELEASE SAVEPOINT mark").await
    }

    /// Runs a statement and tells how many rows it wrote.
    pub(crate) async fn execute(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64> {
        if let Some(counting) = self.routine(sql) {
            let row = self.row_of(counting, values).await?;
            let written = row.map_or(Ok(0), |row| Cells::new(&row, "a routine", &["count"]).int())?;
            return Ok(u64::try_from(written).unwrap_or(0));
        }
        let statement = Bound::new(self.is_shared(), sql, values)?;
        self.run(statement).await
    }

    /// Runs statements one after the other. The values of the next are made while the database runs one.
    pub(crate) async fn execute_each(
        &mut self,
        statements: impl Iterator<Item = (&'static str, Vec<Value>)>,
    ) -> Result<()> {
        let shared = self.is_shared();
        let mut statements = statements.map(|(sql, values)| Bound::new(shared, sql, values));
        let mut next = statements.next();
        while let Some(statement) = next {
            let (ran, following) = tokio::join!(biased; self.run(statement?), async { statements.next() });
            ran?;
            next = following;
        }
        Ok(())
    }

    async fn run(&mut self, statement: Bound) -> Result<u64> {
        Ok(match (self, statement) {
            (Self::Sqlite(tx), Bound::Sqlite(query)) => {
                let done = query.execute(&mut *tx.tx).await;
                tx.met(done)?.rows_affected()
            }
            (Self::Postgres(PostgresTx { tx, .. }), Bound::Postgres(query)) => {
                query.execute(&mut **tx).await?.rows_affected()
            }
            _ => unreachable!("a statement is bound for the engine that runs it"),
        })
    }

    fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The routine that runs this statement for somebody without a pass.
    fn routine(&self, sql: &'static str) -> Option<&'static str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(tx) => tx.routines.as_ref().and_then(|routines| routines.call_of(sql)),
        }
    }

    /// Runs a query and reads all its rows.
    pub(crate) async fn rows(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = self.routine(sql).unwrap_or(sql);
        Ok(match self {
            Self::Sqlite(tx) => {
                let rows = sqlite_query(sql, values)?.fetch_all(&mut *tx.tx).await;
                tx.met(rows)?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(PostgresTx { tx, .. }) => {
                let rows = value::bind_postgres(sqlx::query(sql), values).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs a query and reads each of its rows at once, while the database looks for the next.
    pub(crate) async fn each_row(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
        mut read: impl FnMut(&Row) -> Result<()> + Send,
    ) -> Result<()> {
        let sql = self.routine(sql).unwrap_or(sql);
        match self {
            Self::Sqlite(tx) => {
                let mut rows = sqlite_query(sql, values)?.fetch(&mut *tx.tx);
                let ended = loop {
                    match rows.try_next().await {
                        Ok(Some(row)) => read(&Row::Sqlite(row))?,
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                };
                drop(rows);
                tx.met(ended)
            }
            Self::Postgres(PostgresTx { tx, .. }) => {
                let mut rows = value::bind_postgres(sqlx::query(sql), values).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    read(&Row::Postgres(row))?;
                }
                Ok(())
            }
        }
    }

    /// Runs a query that gives at most one row.
    pub(crate) async fn row(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>> {
        let sql = self.routine(sql).unwrap_or(sql);
        self.row_of(sql, values).await
    }

    async fn row_of(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(match self {
            Self::Sqlite(tx) => {
                let row = sqlite_query(sql, values)?.fetch_optional(&mut *tx.tx).await;
                tx.met(row)?.map(Row::Sqlite)
            }
            Self::Postgres(PostgresTx { tx, .. }) => {
                value::bind_postgres(sqlx::query(sql), values).fetch_optional(&mut **tx).await?.map(Row::Postgres)
            }
        })
    }

    /// Runs a query whose one cell is a count.
    pub(crate) async fn count(&mut self, sql: &'static str) -> Result<i64> {
        let row = self.row(sql, Vec::new()).await?;
        row.map_or(Ok(0), |row| Cells::new(&row, "COUNT", &["count"]).int())
    }

    /// Runs a query and holds its rows until the transaction ends. On SQLite the transaction already holds everything.
    pub(crate) async fn row_for_update(&mut self, sql: &'static str) -> Result<Option<Row>> {
        match self {
            Self::Sqlite(_) => self.row(sql, Vec::new()).await,
            Self::Postgres(PostgresTx { tx, .. }) => {
                let sql = AssertSqlSafe(format!("{sql} FOR UPDATE"));
                Ok(sqlx::query(sql).fetch_optional(&mut **tx).await?.map(Row::Postgres))
            }
        }
    }

    /// Runs a query and holds its rows until the transaction ends, passing over those that another one holds.
    /// On SQLite the transaction holds everything, so there are none.
    pub(crate) async fn rows_nobody_holds(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(_) => self.rows(sql, values).await,
            Self::Postgres(PostgresTx { tx, .. }) => {
                let sql = AssertSqlSafe(format!("{sql} FOR UPDATE SKIP LOCKED"));
                let query = value::bind_postgres(sqlx::query(sql), values);
                Ok(query.fetch_all(&mut **tx).await?.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    async fn command(&mut self, sql: &'static str) -> Result<()> {
        match self {
            Self::Sqlite(SqliteTx { tx, .. }) => {
                sqlx::raw_sql(sql).execute(&mut **tx).await?;
            }
            Self::Postgres(PostgresTx { tx, .. }) => {
                sqlx::raw_sql(sql).execute(&mut **tx).await?;
            }
        }
        Ok(())
    }
}
