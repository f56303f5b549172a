//! What is kept in memory, as the desk shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// How much is kept and how well it serves.
#[derive(Debug, Serialize, ToSchema)]
pub struct CacheView {
    /// Memory in use.
    pub bytes: u64,
    /// Memory that may be used.
    pub bytes_max: u64,
    /// Values in memory.
    pub entries: u64,
    /// Answers that were there, since the program started.
    pub hits: u64,
    /// Answers that had to be made.
    pub misses: u64,
    /// Hits of a hundred; null before the first question.
    pub hit_percent: Option<u64>,
    /// What it is used for.
    pub kinds: Vec<CacheKind>,
    /// What is asked for most.
    pub top: Vec<CacheTop>,
    /// What is there after a restart, too.
    pub on_disk: CacheOnDisk,
}

/// Values in the show's database.
#[derive(Debug, Serialize, ToSchema)]
pub struct CacheOnDisk {
    /// Their bytes.
    pub bytes: u64,
    /// How many, at most 1,000.
    pub entries: u64,
}

/// One use of the memory.
#[derive(Debug, Serialize, ToSchema)]
pub struct CacheKind {
    /// By this it is cleared.
    pub tag: &'static str,
    /// For people.
    pub name: &'static str,
    /// Memory in use.
    pub bytes: u64,
    /// Values in memory.
    pub entries: u64,
}

/// One value.
#[derive(Debug, Serialize, ToSchema)]
pub struct CacheTop {
    /// What it is, for whom, and of what it was made.
    pub key: String,
    /// public, staff, office or admins: nobody else is given it.
    pub scope: &'static str,
    /// Memory in use.
    pub bytes: u64,
    /// How often it was given.
    pub hits: u64,
    /// From this moment on nobody is given it.
    #[serde(with = "crate::api::sync::instant")]
    pub expires_at: DateTime<Utc>,
}

/// What clearing did.
#[derive(Debug, Serialize, ToSchema)]
pub struct CacheCleared {
    /// Values that are gone.
    pub removed: u64,
}
