//! The pure rules of a show: schema, merge, verdicts, conflicts, derived values.
//!
//! No I/O, no clock, no randomness: the same input gives the same answer. Callers pass time and
//! fresh ids in, and write what comes out.

pub mod actor;
pub mod conflict;
pub mod demo;
pub mod derive;
#[cfg(test)]
mod fixtures;
pub mod ids;
pub mod import;
pub mod local_day;
pub mod merge;
pub mod notices;
pub mod op;
pub mod permission;
pub mod permit;
pub mod queue;
pub mod record;
pub mod schema;
pub mod value;
pub mod visible;
pub mod world;
