//! A row of `sync_queue`: an op as it was sent and what became of it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Seq, Version};

/// How often an op that waits is tried before a person is asked.
pub const ATTEMPTS_MAX: i64 = 20;
/// How long an op waits before a person is asked.
pub const WAIT_MAX: TimeDelta = TimeDelta::hours(24);
/// The pause after the first try; each further one is twice as long.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// The longest pause: twenty tries fill most of a day.
pub const PAUSE_MAX: TimeDelta = TimeDelta::hours(2);

/// An op the desk has seen, with its current verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuedOp {
    /// The client's `op_id`.
    pub id: OpId,
    /// Its author.
    pub user_id: PersonId,
    /// Its device.
    pub device_id: DeviceId,
    /// When the device's store was made.
    pub incarnation: Uuid,
    /// Its place among the device's ops.
    pub device_seq: i64,
    /// As sent, even if no such table exists.
    pub table_name: String,
    /// The record, if its id could be read.
    pub record_id: Option<RecordId>,
    /// As sent: insert, update, delete.
    pub operation: String,
    /// The fields set, as sent; `{"unreadable": text}` where they cannot be stored as JSON.
    pub data: Json,
    /// The author's values of these fields before, as sent.
    pub base: Option<Json>,
    /// `base_version` as sent.
    pub version: Version,
    /// This device's op before on the record, if not yet adopted.
    pub prev_op_id: Option<OpId>,
    /// `{id, size}` of its atomic group.
    pub txn: Option<Json>,
    /// The epoch stamped on it after a restore.
    pub epoch: Option<Uuid>,
    /// Why, where the author gave a reason.
    pub reason: Option<String>,
    /// SHA-256 of its canonical JSON, hex.
    pub payload_sha256: String,
    /// Where it stands.
    pub status: QueueStatus,
    /// Its current verdict; none before the first.
    pub verdict: Option<Verdict>,
    /// The clash it belongs to.
    pub conflict_id: Option<ConflictId>,
    /// What a held op waits for.
    pub waiting_for: Option<Json>,
    /// The id of the op or row that must come first, while it is held.
    pub waiting_on: Option<Uuid>,
    /// The record's version it made.
    pub result_version: Option<Version>,
    /// The feed number it made.
    pub result_seq: Option<Seq>,
    /// `{code, detail, fields}` if it was rejected.
    pub error: Option<Json>,
    /// What an admin did about it, outside a clash: `{resolution: applied|dropped, by, by_name, at, reason, values}`.
    pub decision: Option<Json>,
    /// How often it was tried.
    pub attempts: i64,
    /// Until when nobody else takes it up: a worker's claim, or the pause before the next try.
    pub lease_until: Option<DateTime<Utc>>,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// When its verdict was given.
    pub processed_at: Option<DateTime<Utc>>,
    /// The author's clock when it was made.
    pub client_time: Option<DateTime<Utc>>,
    /// How far that clock is ahead of the desk's.
    pub skew_ms: i64,
}

impl QueuedOp {
    /// Whether it waits for something to come, and for no person.
    pub fn is_open(&self) -> bool {
        matches!(self.status, QueueStatus::Pending | QueueStatus::Processing)
    }

    /// Whether it has waited so long that a person must be asked.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.attempts >= ATTEMPTS_MAX || now - self.created_at >= WAIT_MAX
    }

    /// When an op that still waits is tried again.
    pub fn next_try(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let doublings = self.attempts.clamp(1, ATTEMPTS_MAX) - 1;
        now + (FIRST_PAUSE * 2_i32.pow(u32::try_from(doublings).unwrap_or(0))).min(PAUSE_MAX)
    }
}

/// Where an op stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueStatus {
    /// Waits.
    Pending,
    /// Claimed by a worker.
    Processing,
    /// Its verdict is final.
    Completed,
    /// Rejected, or given up: needs attention.
    Failed,
    /// A person must decide.
    Conflict,
}

impl QueueStatus {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Conflict => "conflict",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Processing, Self::Completed, Self::Failed, Self::Conflict]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// What became of an op: PROTOCOL.md §3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody else wrote in between.
    Applied,
    /// Both sides wrote, and both edits stand or a policy chose.
    Merged,
    /// It was already so.
    Noop,
    /// A person must choose.
    Conflict,
    /// It waits for another op, or for a decision.
    Held,
    /// It cannot be accepted.
    Rejected,
}

impl Verdict {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Merged => "merged",
            Self::Noop => "noop",
            Self::Conflict => "conflict",
            Self::Held => "held",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Applied, Self::Merged, Self::Noop, Self::Conflict, Self::Held, Self::Rejected]
            .into_iter()
            .find(|verdict| verdict.as_str() == word)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        into.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(attempts: i64, created_at: DateTime<Utc>) -> QueuedOp {
        QueuedOp {
            id: OpId(Uuid::from_u128(1)),
            user_id: PersonId(Uuid::from_u128(2)),
            device_id: DeviceId(Uuid::from_u128(3)),
            incarnation: Uuid::from_u128(4),
            device_seq: 1,
            table_name: "animals".to_owned(),
            record_id: None,
            operation: "update".to_owned(),
            data: Json::Null,
            base: None,
            version: Version(1),
            prev_op_id: None,
            txn: None,
            epoch: None,
            reason: None,
            payload_sha256: String::new(),
            status: QueueStatus::Pending,
            verdict: None,
            conflict_id: None,
            waiting_for: None,
            waiting_on: None,
            result_version: None,
            result_seq: None,
            error: None,
            decision: None,
            attempts,
            lease_until: None,
            created_at,
            processed_at: None,
            client_time: None,
            skew_ms: 0,
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let now = DateTime::UNIX_EPOCH;
        let pause = |attempts| (op(attempts, now).next_try(now) - now).num_seconds();
        assert_eq!([0, 1, 2, 3].map(pause), [5, 5, 10, 20]);
        assert_eq!([11, 12, 19, 20, i64::MAX].map(pause), [5_120, 7_200, 7_200, 7_200, 7_200]);
        let all: i64 = (1..ATTEMPTS_MAX).map(pause).sum();
        assert!((12 * 3_600..24 * 3_600).contains(&all), "twenty tries fill most of a day: {all} s");
    }

    #[test]
    fn a_person_is_asked_after_twenty_tries_or_a_day() {
        let came = DateTime::UNIX_EPOCH;
        assert!(!op(19, came).is_overdue(came + WAIT_MAX - TimeDelta::milliseconds(1)));
        assert!(op(20, came).is_overdue(came));
        assert!(op(1, came).is_overdue(came + WAIT_MAX));
    }
}
