//! The server engine, for a show with several desks.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use showdesk_domain::ids::PersonId;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _, Transaction};

use super::routines::Routines;
use super::{Seat, roles};
use crate::migrations::Purpose;
use crate::{Result, migrations};

/// Connections of one desk that serve requests.
const APP_CONNECTIONS: u32 = 10;
/// The writer's, and one for what claims its work.
const WRITER_CONNECTIONS: u32 = 2;
/// Of the program's own housekeeping.
const WORKER_CONNECTIONS: u32 = 2;
/// The same of a schema in which only the desk's own pages read.
const TELEMETRY_CONNECTIONS: u32 = 3;
/// The owner's. After the start none of them stays open.
const OWNER_CONNECTIONS: u32 = 4;
/// How long an unused connection of the owner stays open.
const OWNER_IDLE: Duration = Duration::from_secs(1);
/// How long a caller waits for a connection: a server that is gone is told as 503 after it.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the listener waits for its connection.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Ten tables in a few chunk sizes, and everything else.
const STATEMENTS_KEPT: usize = 500;

/// An open database of a server. Each kind of work has connections of its own, which have taken their role once.
#[derive(Debug, Clone)]
pub struct PostgresDb {
    app: PgPool,
    writer: PgPool,
    worker: PgPool,
    owner: PgPool,
    routines: Arc<Routines>,
    options: Arc<PgConnectOptions>,
    purpose: Purpose,
}

/// A transaction of a server.
#[derive(Debug)]
pub struct PostgresTx {
    pub(super) tx: Transaction<'static, Postgres>,
    /// What somebody without a pass may have run.
    pub(super) routines: Option<Arc<Routines>>,
}

impl PostgresTx {
    /// The connection has its own seat again when the transaction ends.
    pub(super) async fn go_on_as(&mut self, person: PersonId) -> Result<()> {
        // A UUID's text is hexadecimal.
        let sql = format!("SET LOCAL ROLE {}; SELECT set_config('app.user_id', '{}', true)", roles::APP, person.0);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.tx).await?;
        self.routines = None;
        Ok(())
    }
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
        Self::enter(options, Purpose::Show).await
    }

    /// Opens the schema beside the show's for what the program measures of itself, making it if it is missing. Its
    /// connections are its own: whoever writes there keeps nobody waiting who works for the show.
    pub(super) async fn open_telemetry(&self) -> Result<Self> {
        let path = roles::make_telemetry_schema(&mut *self.owner.acquire().await?).await?;
        let options = PgConnectOptions::clone(&self.options).options([("search_path", path)]);
        Self::enter(options, Purpose::Telemetry).await
    }

    async fn enter(options: PgConnectOptions, purpose: Purpose) -> Result<Self> {
        let owner = PgPoolOptions::new()
            .max_connections(OWNER_CONNECTIONS)
            .idle_timeout(OWNER_IDLE)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.clone())
            .await?;
        let routines = prepare(&mut *owner.acquire().await?, purpose).await?;
        let pool = |role, connections: u32| {
            let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT);
            let taking_seat = pool.after_connect(move |connection, _| Box::pin(roles::take(connection, role)));
            taking_seat.connect_lazy_with(options.clone())
        };
        let app_connections = match purpose {
            Purpose::Show => APP_CONNECTIONS,
            Purpose::Telemetry => TELEMETRY_CONNECTIONS,
        };
        let app = pool(roles::APP, app_connections);
        // A server that refuses the role says so at the start.
        app.acquire().await?;
        Ok(Self {
            writer: pool(roles::WRITER, WRITER_CONNECTIONS),
            worker: pool(roles::WORKER, WORKER_CONNECTIONS),
            app,
            owner,
            routines: Arc::new(routines),
            options: Arc::new(options),
            purpose,
        })
    }

    /// How large the whole database is, or the tables of this schema.
    pub(super) async fn bytes(&self) -> Result<u64> {
        let sql = match self.purpose {
            Purpose::Show => "SELECT pg_database_size(current_database())",
            Purpose::Telemetry => {
                "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class \
                 WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
            }
        };
        let bytes: i64 = sqlx::query(sql).fetch_one(&self.worker).await?.try_get(0)?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    pub(super) async fn listen(&self, channel: &str) -> Result<Listener> {
        // It keeps its connection as long as it lives: never one of those that requests wait for.
        let own = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let own = own.acquire_timeout(LISTEN_TIMEOUT);
        let own = own.after_connect(|connection, _| Box::pin(roles::take(connection, roles::APP)));
        let own = own.connect_lazy_with(PgConnectOptions::clone(&self.options));
        let mut listener = PgListener::connect_with(&own).await?;
        listener.listen(channel).await?;
        Ok(Listener(listener))
    }

    pub(super) async fn begin_write(&self, seat: Seat) -> Result<PostgresTx> {
        self.begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", seat).await
    }

    /// `REPEATABLE READ`: the clock and the page that is read up to it must be of one moment.
    pub(super) async fn begin_read(&self, seat: Seat) -> Result<PostgresTx> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", seat).await
    }

    async fn begin(&self, begin: &'static str, seat: Seat) -> Result<PostgresTx> {
        let (pool, begin) = match seat {
            Seat::Person(_) | Seat::Anyone => {
                // One message: the server is asked once. A UUID's text is hexadecimal.
                let user = seat.user().map_or(String::new(), |id| id.to_string());
                (&self.app, AssertSqlSafe(format!("{begin}; SELECT set_config('app.user_id', '{user}', true)")))
            }
            Seat::Writer => (&self.writer, AssertSqlSafe(begin.to_owned())),
            Seat::Worker => (&self.worker, AssertSqlSafe(begin.to_owned())),
            Seat::Owner => (&self.owner, AssertSqlSafe(begin.to_owned())),
        };
        let pool = pool.clone();
        // A task of its own ends what it began, also when its caller is cancelled: a connection whose BEGIN was sent and
        // not heard of would go back to the pool within a transaction, and whoever gets it next could begin none.
        let beginning = tokio::spawn(async move { pool.begin_with(begin).await });
        let tx = beginning.await.map_err(|_| sqlx::Error::PoolClosed)??;
        Ok(PostgresTx { tx, routines: (seat == Seat::Anyone).then(|| Arc::clone(&self.routines)) })
    }

    pub(super) async fn close(&self) {
        for pool in [&self.app, &self.writer, &self.worker, &self.owner] {
            pool.close().await;
        }
    }
}

/// Brings the database to the newest form, as its owner: roles, tables, policies, routines. Desks that start together
/// take turns.
async fn prepare(connection: &mut PgConnection, purpose: Purpose) -> Result<Routines> {
    if purpose == Purpose::Show {
        warn_if_unsafe(connection).await?;
        roles::check_owner(connection).await?;
    }
    let lock = "SELECT pg_advisory_lock(hashtextextended('showdesk ' || current_schema(), 0))";
    sqlx::query(lock).execute(&mut *connection).await?;
    let prepared = async {
        roles::make(connection).await?;
        roles::keep_others_out(connection).await?;
        roles::check_alone(connection, purpose).await?;
        migrations::postgres(purpose).run(&mut *connection).await?;
        let routines = match purpose {
            Purpose::Show => Routines::make(connection, &crate::routines_for_anyone()).await?,
            // Nobody without a pass has anything to do there.
            Purpose::Telemetry => Routines::default(),
        };
        roles::check(connection, purpose).await?;
        Ok(routines)
    }
    .await;
    let unlock = "SELECT pg_advisory_unlock(hashtextextended('showdesk ' || current_schema(), 0))";
    // Where this fails the connection is broken, and its lock with it.
    let _ = sqlx::query(unlock).execute(&mut *connection).await;
    prepared
}

/// An acknowledged change must be on disk. Every connection asks for `synchronous_commit`; whether the server obeys
/// is its owner's choice, who is told.
async fn warn_if_unsafe(connection: &mut PgConnection) -> Result<()> {
    let fsync: String = sqlx::query("SELECT current_setting('fsync')").fetch_one(connection).await?.try_get(0)?;
    if fsync != "on" {
        tracing::warn!("this Postgres server has fsync off: a power cut can lose acknowledged changes");
    }
    Ok(())
}
