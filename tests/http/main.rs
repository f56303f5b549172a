//! Black-box tests of the protocol: the real `showdesk-server` binary, spoken to over HTTP as a stranger would.
//!
//! What is expected here stands in the protocol and nowhere else; nothing of the program is linked in.
//! Each case runs on `SQLite` and on Postgres, each time with a folder and a database of its own.

mod desk;
mod phone;
mod program;
mod seed;

mod alerts;
mod asking;
mod attention;
mod audit;
mod back_numbers;
mod bulk;
mod cache;
mod canary;
mod chains;
mod charts;
mod checks;
mod claims;
mod closing;
mod conflicts;
mod connections;
mod decisions;
mod delivery;
mod derived;
mod desks;
mod epoch;
mod errors;
mod feed;
mod first_run;
mod groups;
mod hostile;
mod hostile_auth;
mod hostile_contract;
mod hostile_files;
mod hostile_ops;
mod hostile_push;
mod hostile_requests;
mod hostile_sync;
mod import;
mod joining;
mod kill;
mod lifecycle;
mod live;
mod live_messages;
mod matching;
mod matrix;
mod messages;
mod messages_audience;
mod messages_automatic;
mod messages_canary;
mod messages_restored;
mod messages_rules;
mod network;
mod origins;
mod overview;
mod people;
mod poison;
mod policies;
mod pull;
mod push;
mod push_tokens;
mod recovered;
mod rehearse;
mod reopen;
mod requests;
mod rescue;
mod rights;
mod rules;
mod same;
mod seen;
mod strangers;
mod telemetry;
mod waiting;
mod weights;
mod wire;

/// Makes two tests of each case: `<case>::sqlite` and `<case>::postgres`. A case is handed a desk, or what is started.
macro_rules! on_both_engines {
    ($($case:ident),+ $(,)?) => {
        crate::on_both_engines!(crate::desk::Desk::start => $($case),+);
    };
    ($start:path => $($case:ident),+ $(,)?) => {$(
        mod $case {
            use super::*;

            #[tokio::test]
            async fn sqlite() {
                $case($start(crate::program::Engine::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                $case($start(crate::program::Engine::Postgres).await).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;
