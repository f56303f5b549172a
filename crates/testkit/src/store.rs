//! A store of its own for each test.

use std::path::Path;

use showdesk_store::Db;
use tempfile::TempDir;

use crate::fresh_database_url;

/// A new store that is gone when the test ends.
#[derive(Debug)]
pub struct TestStore {
    /// The opened store.
    pub db: Db,
    folder: TempDir,
    database_url: Option<String>,
}

impl TestStore {
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

/// A new SQLite file.
pub async fn sqlite_store() -> TestStore {
    new_store(None).await
}

/// A new schema of a real Postgres.
pub async fn postgres_store() -> TestStore {
    new_store(Some(fresh_database_url().await)).await
}

/// Makes a store and runs a case on it.
pub fn run<Making, Running>(make: impl FnOnce() -> Making, case: impl FnOnce(TestStore) -> Running)
where
    Making: Future<Output = TestStore>,
    Running: Future<Output = ()>,
{
    run_plain(async {
        let store = make().await;
        case(store).await;
    });
}

/// Runs a case that brings its own store.
pub fn run_plain(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime for the test").block_on(case);
}

async fn new_store(database_url: Option<String>) -> TestStore {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let db = open(folder.path(), database_url.as_deref()).await;
    TestStore { db, folder, database_url }
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
