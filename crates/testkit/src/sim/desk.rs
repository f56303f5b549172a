//! The desk of a simulated show: the real engine on a folder of its own, stopped, started and rolled back at will.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use showdesk_domain::actor::{Actor, Function, Scope};
use showdesk_engine::api::sync::{PullQuery, Push};
use showdesk_engine::{Engine, EngineError, Options};

use super::wire::{Ask, Failure, Reply, Request};
use crate::clock::{SetClock, instant};
use crate::{Joining, Pass};

/// See the module. With several engines they are desks of one database.
pub(super) struct Desk {
    engines: Vec<Engine>,
    folder: PathBuf,
    database_url: Option<String>,
    clock: Arc<SetClock>,
}

impl Desk {
    pub(super) async fn open(folder: &Path, database_url: Option<String>, desks: usize, clock: Arc<SetClock>) -> Self {
        let mut desk = Self { engines: Vec::new(), folder: folder.to_owned(), database_url, clock };
        desk.start(desks).await;
        desk
    }

    async fn start(&mut self, desks: usize) {
        for place in 0..desks {
            let options = Options {
                data_dir: if place == 0 { self.folder.clone() } else { self.folder.join(format!("desk-{place}")) },
                database_url: self.database_url.clone(),
                clock: Arc::clone(&self.clock) as Arc<dyn showdesk_engine::Clock>,
                disk_reserve_bytes: 0,
                // So small a show is told live; here its pages are kept, and the same must hold.
                pages_kept_from: 4,
                // Thousands of schedules: what the desk measures of itself is no part of them.
                recording: false,
                ..Options::new(&self.folder)
            };
            self.engines.push(Engine::open(options).await.expect("the simulated show opens"));
        }
    }

    /// The first desk: it decides clashes and lets phones in.
    pub(super) fn engine(&self) -> &Engine {
        &self.engines[0]
    }

    pub(super) fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) async fn close(&mut self) {
        for engine in self.engines.drain(..) {
            engine.close().await;
        }
    }

    pub(super) async fn restart(&mut self) {
        let desks = self.engines.len();
        self.close().await;
        self.start(desks).await;
    }

    /// Puts a copy of the database aside, as a backup does.
    pub(super) async fn back_up(&mut self) {
        self.copy_database(false).await;
    }

    /// Puts that copy back in the place of the database. Everything beside it stays as it is.
    pub(super) async fn roll_back(&mut self) {
        self.copy_database(true).await;
    }

    async fn copy_database(&mut self, back: bool) {
        let desks = self.engines.len();
        self.close().await;
        let aside = self.folder.join("aside");
        std::fs::create_dir_all(&aside).expect("a folder for the backup");
        let (from, to) = if back { (&aside, &self.folder) } else { (&self.folder, &aside) };
        for name in ["showdesk.sqlite", "showdesk.sqlite-wal", "showdesk.sqlite-shm"] {
            // A closed database has no log beside it; what is not there is not copied, nor left behind.
            let _ = std::fs::remove_file(to.join(name));
            if from.join(name).exists() {
                std::fs::copy(from.join(name), to.join(name)).expect("the database file is copied");
            }
        }
        self.start(desks).await;
    }

    /// Answers a request. Phones speak to the desks in turn.
    pub(super) async fn serve(&self, request: &Request) -> Reply {
        let place = usize::try_from(request.id).expect("a small number") % self.engines.len();
        match self.try_serve(&self.engines[place], request).await {
            Ok(reply) => reply,
            Err(error) => Reply::Failed(failure(error)),
        }
    }

    async fn try_serve(&self, engine: &Engine, request: &Request) -> Result<Reply, EngineError> {
        let actor = engine.authenticate(&request.token).await?;
        match &request.ask {
            Ask::Push(push) => {
                let push = Push {
                    client_time: Some(instant(push.client_time_ms)),
                    recovered_from: push.recovered_from,
                    ..Push::of(push.epoch, push.incarnation, push.ops.clone())
                };
                engine.push(&actor, push).await.map(Reply::Push)
            }
            Ask::Pull { cursor, limit } => {
                let query = PullQuery {
                    cursor: cursor.clone(),
                    limit: *limit,
                    tables: Vec::new(),
                    schema: None,
                    ..PullQuery::default()
                };
                engine.pull(&actor, query).await.map(Reply::Pull)
            }
            Ask::Status { ops } => {
                let ids = ops.iter().map(|id| serde_json::Value::from(id.to_string())).collect();
                engine.ops_status(&actor, ids).await.map(Reply::Status)
            }
        }
    }

    /// The desk's own actor, who decides.
    pub(super) async fn judge(&self) -> Actor {
        self.engine().desk_actor().await.expect("the desk has an actor")
    }

    /// Lets a phone join, or gives a known one new functions.
    pub(super) async fn pair(&self, name: &str, functions: &[Function], scope: Scope, known: Option<String>) -> Pass {
        let joining = Joining { functions: functions.to_vec(), scope, known };
        let pass = joining.let_in(self.engine(), name).await;
        self.engine().authenticate(&pass.token).await.expect("the token is good");
        pass
    }
}

fn failure(error: EngineError) -> Failure {
    match error {
        EngineError::UnknownToken => Failure::UnknownToken,
        EngineError::DeviceRemoved => Failure::Removed,
        EngineError::EpochMismatch { epoch } => Failure::Epoch(epoch),
        EngineError::CursorGone(_) => Failure::Reconcile,
        EngineError::Busy { .. } | EngineError::TooMany { .. } | EngineError::DiskFull => Failure::Later,
        other => Failure::Unexpected(format!("{other}: {other:?}")),
    }
}
