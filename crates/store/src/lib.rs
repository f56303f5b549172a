//! SQL lives here and nowhere else.
//!
//! A query is a function whose first parameter is the transaction; only the engine commits.
//! SQL texts are literals, or made once from the domain's descriptors: nothing that a client
//! sent ever stands in one.

pub mod absences;
pub mod aliases;
pub mod audit;
pub mod back_numbers;
pub mod bulk;
pub mod cache;
pub mod changes;
pub mod conflicts;
pub mod db;
pub mod deliveries;
pub mod desks;
pub mod entries;
mod error;
pub mod history;
pub mod imports;
pub mod meta;
mod migrations;
pub mod network;
pub mod notifications;
pub mod pairings;
pub mod people;
pub mod programme;
pub mod push_providers;
pub mod push_tokens;
pub mod questions;
pub mod queue;
pub mod records;
pub mod report;
pub mod secrets;
mod spelling;
mod sql;
pub mod telemetry;

pub use db::{Db, Listener, Tx};
pub use error::StoreError;

/// What is run for somebody without a pass.
fn routines_for_anyone() -> Vec<db::routines::Routine> {
    [people::routines_for_anyone(), pairings::routines_for_anyone()].concat()
}

/// What every query answers.
pub type Result<T> = std::result::Result<T, StoreError>;
