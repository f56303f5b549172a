//! Every query of the store, on both engines, and both catalogues against the descriptors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attention;
mod catalogue;
mod desks;
mod entries;
mod faults;
mod fixture;
mod floor;
mod once;
mod pairings;
mod parity;
mod people;
mod programme;
mod records;
mod sync;
mod texts;
mod waiting;
