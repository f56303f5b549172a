//! Why a use case could not be carried out, each variant named for the fact.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use showdesk_store::StoreError;
use uuid::Uuid;

/// What the engine answers instead of a result. Nothing was written when it is returned.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No such token, or it has expired.
    #[error("this device is not known here, or its time has run out")]
    UnknownToken,
    /// The device was removed by the desk.
    #[error("this device was removed from the show")]
    DeviceRemoved,
    /// The time for which the device was let in is over.
    #[error("the time for which this device was let in is over; ask for a new code")]
    DeviceExpired,
    /// The actor's rights do not reach this far.
    #[error("{0}")]
    Forbidden(String),
    /// The key that opens the show's secrets is not on this laptop.
    #[error("the key that opens this show's secrets is not on this laptop")]
    SecretsLocked,
    /// What was asked for does not exist, or the actor may not see it.
    #[error("{0} was not found")]
    NotFound(&'static str),
    /// It existed and can no longer be used: a code that was used or has expired.
    #[error("{0}")]
    Gone(String),
    /// The input cannot be accepted; `code` is stable, `fields` names single values.
    #[error("{detail}")]
    Invalid {
        /// Stable code.
        code: &'static str,
        /// One sentence for people.
        detail: String,
        /// The same for single fields.
        fields: BTreeMap<String, String>,
    },
    /// A query parameter or a header cannot be read.
    #[error("{detail}")]
    BadQuery {
        /// Stable code.
        code: &'static str,
        /// One sentence for people.
        detail: String,
    },
    /// The client lives in another epoch.
    #[error("the desk was restored from a backup; its epoch is now {epoch}")]
    EpochMismatch {
        /// The epoch of the database.
        epoch: Uuid,
    },
    /// The cursor cannot be continued: pull again without one.
    #[error("this position can no longer be continued: {0}")]
    CursorGone(&'static str),
    /// The client's version of the synced tables is too old for what it asks.
    #[error("this app speaks version {schema} of the show's tables, the desk needs {oldest}: reload it")]
    ClientTooOld {
        /// The client's version.
        schema: i64,
        /// The oldest one that will do.
        oldest: i64,
    },
    /// The client's version of the synced tables is above the desk's.
    #[error("this app speaks version {schema} of the show's tables, the desk only {newest}: update the desk")]
    ClientTooNew {
        /// The client's version.
        schema: i64,
        /// The desk's.
        newest: i64,
    },
    /// What the decider saw has moved on.
    #[error("{detail}")]
    Stale {
        /// `server_moved`, `already_resolved`, `stale_rev`, `preview_overtaken`, ….
        code: &'static str,
        /// One sentence for people.
        detail: String,
        /// The present state, where there is one to show.
        fresh: Option<Json>,
    },
    /// More ops or bytes than one push may hold.
    #[error("{0}")]
    TooLarge(String),
    /// A limit of the moment was reached.
    #[error("the desk is busy")]
    Busy {
        /// When to try again, milliseconds.
        retry_after_ms: i64,
    },
    /// Too many tries.
    #[error("too many tries")]
    TooMany {
        /// When to try again, milliseconds.
        retry_after_ms: i64,
    },
    /// The disk is full; reads go on.
    #[error("the laptop's disk is full; nothing was saved")]
    DiskFull,
    /// The disk failed under a write. Reads go on; writes are refused until the desk is started again.
    #[error(
        "the laptop's disk reported an error: the desk can be read, but it saves nothing until it is started again"
    )]
    ReadOnly,
    /// What the desk measures of itself is not kept for the moment.
    #[error("the laptop does not keep its own measurements for the moment; entries are not touched by that")]
    RecordingOff,
    /// The database server does not answer.
    #[error("the desk's database does not answer")]
    Unavailable(#[source] StoreError),
    /// The database answered something that should not happen; the cause is for the log.
    #[error("the desk could not do this")]
    Store(#[source] StoreError),
    /// A rule of ours is broken: it was noted where that happened.
    #[error("the desk could not do this")]
    Broken,
    /// A file of the data folder could not be used.
    #[error("the data folder cannot be used: {0}")]
    Folder(String),
}

impl EngineError {
    /// An input that cannot be accepted.
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid { code, detail: detail.into(), fields: BTreeMap::new() }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DiskFull => Self::DiskFull,
            StoreError::Unavailable(_) => Self::Unavailable(error),
            _ => Self::Store(error),
        }
    }
}
