//! A store of its own for each test.

use std::path::Path;

use showdesk_store::Db;
use tempfile::TempDir;

/// A new store that is gone when the test ends.
#[derive(Debug)]
pub struct TestStore {
    /// The opened store.
    pub db: Db,
    folder: TempDir,
    database_url: Option<String>,
}

impl TestStore {
    /// A store in that Postgres database, or in a new SQLite file.
    pub async fn open(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let db = open(folder.path(), database_url.as_deref()).await;
        Self { db, folder, database_url }
    }

    /// An empty folder of the test's own; with SQLite the database is in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the database is, if it is Postgres.
    pub fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    /// Opens the same database once more, as another desk or a restarted one would.
    pub async fn open_again(&self) -> Db {
        open(self.folder(), self.database_url()).await
    }
}

/// Runs a case.
pub fn run_plain(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime for the test").block_on(case);
}

async fn open(folder: &Path, database_url: Option<&str>) -> Db {
    match database_url {
        None => Db::open_sqlite(&folder.join("show.db")).await,
        Some(url) => Db::open_postgres(url).await,
    }
    .unwrap_or_else(|error| {
        panic!("the test's store cannot be opened: {error}: {:?}", std::error::Error::source(&error))
    })
}
