//! Every query of the store, on both engines, and both catalogues against the descriptors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attention;
mod audit;
mod cache;
mod catalogue;
mod deliveries;
mod desks;
mod entries;
mod faults;
mod fixture;
mod floor;
mod neighbours;
mod network;
mod notifications;
mod once;
mod pairings;
mod parity;
mod people;
mod problems;
mod programme;
mod records;
mod row_level_security;
mod sync;
mod telemetry;
mod texts;
mod waiting;
