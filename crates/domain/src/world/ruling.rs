//! What became of an op, before it is filed.

use super::waiting::Waiting;
use crate::ids::{ConflictId, Seq, Version};
use crate::op::Rejection;
use crate::queue::{QueueStatus, Verdict};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Ruling {
    pub verdict: Verdict,
    pub version: Option<Version>,
    pub seq: Option<Seq>,
    pub conflict: Option<ConflictId>,
    pub rejection: Option<Rejection>,
    pub waiting: Option<Waiting>,
}

impl Ruling {
    fn of(verdict: Verdict) -> Self {
        Self { verdict, version: None, seq: None, conflict: None, rejection: None, waiting: None }
    }

    pub(super) fn written(verdict: Verdict, written: (Version, Seq)) -> Self {
        Self { version: Some(written.0), seq: Some(written.1), ..Self::of(verdict) }
    }

    pub(super) fn noop(version: Option<Version>) -> Self {
        Self { version, ..Self::of(Verdict::Noop) }
    }

    pub(super) fn conflict(id: ConflictId) -> Self {
        Self { conflict: Some(id), ..Self::of(Verdict::Conflict) }
    }

    pub(super) fn held(id: ConflictId) -> Self {
        Self { verdict: Verdict::Held, ..Self::conflict(id) }
    }

    /// Held until something comes.
    pub(super) fn waits(waiting: Waiting) -> Self {
        Self { waiting: Some(waiting), ..Self::of(Verdict::Held) }
    }

    pub(super) fn status(&self) -> QueueStatus {
        match self.verdict {
            Verdict::Held if self.waiting.is_some() => QueueStatus::Pending,
            Verdict::Conflict | Verdict::Held => QueueStatus::Conflict,
            Verdict::Rejected => QueueStatus::Failed,
            Verdict::Applied | Verdict::Merged | Verdict::Noop => QueueStatus::Completed,
        }
    }
}

impl From<Rejection> for Ruling {
    fn from(rejection: Rejection) -> Self {
        Self { rejection: Some(rejection), ..Self::of(Verdict::Rejected) }
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
