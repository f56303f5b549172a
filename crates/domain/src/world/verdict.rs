//! What became of an op, before it is filed.

use super::waiting::Waiting;
use crate::ids::{ConflictId, Seq, Version};
use crate::op::Rejection;
use crate::queue::QueueStatus;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    pub word: &'static str,
    pub version: Option<Version>,
    pub seq: Option<Seq>,
    pub conflict: Option<ConflictId>,
    pub rejection: Option<Rejection>,
    pub waiting: Option<Waiting>,
}

impl Verdict {
    pub(super) fn written(word: &'static str, written: (Version, Seq)) -> Self {
        Self { word, version: Some(written.0), seq: Some(written.1), ..Self::default() }
    }

    pub(super) fn noop(version: Option<Version>) -> Self {
        Self { word: "noop", version, ..Self::default() }
    }

    pub(super) fn conflict(id: ConflictId) -> Self {
        Self { word: "conflict", conflict: Some(id), ..Self::default() }
    }

    pub(super) fn held(id: ConflictId) -> Self {
        Self { word: "held", ..Self::conflict(id) }
    }

    /// Held until something comes.
    pub(super) fn waits(waiting: Waiting) -> Self {
        Self { word: "held", waiting: Some(waiting), ..Self::default() }
    }

    pub(super) fn status(&self) -> QueueStatus {
        match self.word {
            "held" if self.waiting.is_some() => QueueStatus::Pending,
            "conflict" | "held" => QueueStatus::Conflict,
            "rejected" => QueueStatus::Failed,
            _ => QueueStatus::Completed,
        }
    }
}

impl From<Rejection> for Verdict {
    fn from(rejection: Rejection) -> Self {
        Self { word: "rejected", rejection: Some(rejection), ..Self::default() }
    }
}

/// Why an op got no verdict of the table.
#[derive(Debug)]
pub(super) enum Stop {
    /// It breaks a rule.
    Rejected(Rejection),
    /// Something it needs has not come yet.
    Waits(Waiting),
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
