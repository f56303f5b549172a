//! Temporary stores, a clock that is set, and a real Postgres: for tests only.
//!
//! A case is an `async fn` that takes what it needs; [`on_both_engines!`] makes two tests of it.
//! A missing Postgres is a failed test that says what to install, never a test that was not run.

mod clock;
mod database;
mod joining;
mod postgres;
pub mod sim;
mod store;

pub use clock::SetClock;
pub use database::{DatabaseCopy, OwnDatabase, OwnServer, ShowCopy, remove_show_files};
pub use joining::{Joining, Pass};
pub use postgres::{fresh_database_url, postgres_programs, postgres_server_url, postgres_user};
pub use store::{TestStore, run_plain};

/// Makes two tests of each case, `<case>::sqlite` and `<case>::postgres`.
///
/// A case is handed the address of a new Postgres database, or none for SQLite; or what is opened there.
///
/// ```ignore
/// async fn a_stale_version_writes_nothing(store: TestStore) { … }
/// showdesk_testkit::on_both_engines![TestStore::open => a_stale_version_writes_nothing];
///
/// async fn a_desk_starts_anew(database_url: Option<String>) { … }
/// showdesk_testkit::on_both_engines![a_desk_starts_anew];
/// ```
#[macro_export]
macro_rules! on_both_engines {
    ($($case:ident),+ $(,)?) => {
        $crate::on_both_engines!(::std::future::ready => $($case),+);
    };
    ($open:path => $($case:ident),+ $(,)?) => {$(
        mod $case {
            use super::*;

            #[test]
            fn sqlite() {
                $crate::run_plain(async { $case($open(None).await).await });
            }

            #[test]
            fn postgres() {
                $crate::run_plain(async {
                    let database_url = $crate::fresh_database_url().await;
                    $case($open(Some(database_url)).await).await;
                });
            }
        }
    )+};
}
