//! What comes into the engine and what it answers: the words of PROTOCOL.md as types.
//!
//! The server hands these to clients as they are; their OpenAPI schemas follow from here.

pub mod alerts;
pub mod attention;
pub mod audience;
pub mod bulk;
pub mod cache;
pub mod charts;
pub mod conflicts;
pub mod delivery;
pub mod desk;
pub mod devices;
pub mod entries;
pub mod errors;
pub mod import;
pub mod notifications;
pub mod pairing;
pub mod report;
pub mod rescue;
pub mod sync;
pub mod telemetry;
