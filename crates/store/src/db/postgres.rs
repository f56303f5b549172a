//! The server engine, for a show with several desks.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Postgres, Row as _, Transaction};

use crate::{Result, migrations};

/// Connections of one desk.
const CONNECTIONS: u32 = 12;
/// How long a caller waits for a connection: a server that is gone is told as 503 after it.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the listener waits for its connection.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Ten tables in a few chunk sizes, and everything else.
const STATEMENTS_KEPT: usize = 500;

/// An open database of a server.
#[derive(Debug, Clone)]
pub struct PostgresDb {
    pool: PgPool,
    options: Arc<PgConnectOptions>,
}

/// Hears what other desks of the same server tell, on a connection of its own.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// The next text. None if the connection was lost since the last call: some may have been missed.
    pub async fn next(&mut self) -> Result<Option<String>> {
        Ok(self.0.try_recv().await?.map(|told| told.payload().to_owned()))
    }
}

/// What each connection asks for. A plan that was made while a table was empty reads all of it when it is full:
/// making each plan anew costs less.
const SETTINGS: [(&str, &str); 3] =
    [("TimeZone", "UTC"), ("synchronous_commit", "on"), ("plan_cache_mode", "force_custom_plan")];

impl PostgresDb {
    pub(super) async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("showdesk")
            .statement_cache_capacity(STATEMENTS_KEPT)
            .options(SETTINGS);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone())
            .await?;
        warn_if_unsafe(&pool).await?;
        migrations::postgres().run(&pool).await?;
        Ok(Self { pool, options: Arc::new(options) })
    }

    pub(super) async fn listen(&self, channel: &str) -> Result<Listener> {
        // It keeps its connection as long as it lives: never one of those that requests wait for.
        let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let own = own.acquire_timeout(LISTEN_TIMEOUT).connect_lazy_with(PgConnectOptions::clone(&self.options));
        let mut listener = PgListener::connect_with(&own).await?;
        listener.listen(channel).await?;
        Ok(Listener(listener))
    }

    pub(super) async fn begin_write(&self) -> Result<Transaction<'static, Postgres>> {
        Ok(self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?)
    }

    /// `REPEATABLE READ`: the clock and the page that is read up to it must be of one moment.
    pub(super) async fn begin_read(&self) -> Result<Transaction<'static, Postgres>> {
        Ok(self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// An acknowledged change must be on disk. Every connection asks for `synchronous_commit`; whether the server obeys
/// is its owner's choice, who is told.
async fn warn_if_unsafe(pool: &PgPool) -> Result<()> {
    let fsync: String = sqlx::query("SELECT current_setting('fsync')").fetch_one(pool).await?.try_get(0)?;
    if fsync != "on" {
        tracing::warn!("this Postgres server has fsync off: a power cut can lose acknowledged changes");
    }
    Ok(())
}
