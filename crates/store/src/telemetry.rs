//! What the program measures of itself: a database of its own, opened by [`Db::open_telemetry`](crate::Db::open_telemetry).
//!
//! It holds no row of the show. People and devices are named by their ids; their names stand in the show's database.

pub mod alerts;
pub mod cleanup;
pub mod errors;
pub mod measures;
pub mod recorders;
pub mod requests;
pub mod rollups;
