//! What comes into the engine and what it answers: the words of PROTOCOL.md as types.
//!
//! The server hands these to clients as they are; their OpenAPI schemas follow from here.

pub mod attention;
pub mod bulk;
pub mod conflicts;
pub mod desk;
pub mod devices;
pub mod entries;
pub mod import;
pub mod pairing;
pub mod rescue;
pub mod sync;
