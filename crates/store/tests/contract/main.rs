//! Every query of the store, on both engines, and both catalogues against the descriptors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attention;
mod audit;
mod catalogue;
mod desks;
mod entries;
mod faults;
mod fixture;
mod floor;
mod network;
mod once;
mod pairings;
mod parity;
mod people;
mod programme;
mod records;
mod row_level_security;
mod sync;
mod texts;
mod waiting;
