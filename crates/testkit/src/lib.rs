//! Temporary stores and a real Postgres: for tests only.
//!
//! A case is an `async fn` that takes a [`TestStore`]; [`both_engines!`] makes two tests of it.
//! A missing Postgres is a failed test that says what to install, never a test that was not run.

mod database;
mod postgres;
pub mod sim;
mod store;

pub use database::{DatabaseCopy, OwnDatabase, OwnServer};
pub use postgres::{fresh_database_url, postgres_programs, postgres_server_url, postgres_user};
pub use store::{TestStore, postgres_store, run, run_plain, sqlite_store};

/// Makes two tests of each case: `on_sqlite::…` and `on_postgres::…`.
///
/// ```ignore
/// async fn a_stale_version_writes_nothing(store: TestStore) { … }
/// showdesk_testkit::both_engines![a_stale_version_writes_nothing];
/// ```
#[macro_export]
macro_rules! both_engines {
    ($($case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test]
            fn $case() {
                $crate::run($crate::sqlite_store, super::$case);
            })+
        }

        mod on_postgres {
            $(#[test]
            fn $case() {
                $crate::run($crate::postgres_store, super::$case);
            })+
        }
    };
}
