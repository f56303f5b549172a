//! Files ops with their verdicts, and answers those that were seen before (PROTOCOL.md §3, §4 check 9).

use chrono::{DateTime, Utc};

use super::decide::{Answer, AnswerKind};
use super::ruling::Ruling;
use super::{Author, World};
use crate::ids::{OpId, Version};
use crate::op::{Rejection, Sent};
use crate::queue::{QueueStatus, QueuedOp};

impl World {
    pub(super) fn replay(&self, author: &Author, id: OpId, sent: &Sent) -> Option<Answer> {
        let known = self.ops.get(&id)?;
        let kind = if is_same_op(known, author, sent) {
            AnswerKind::Queued { op_id: id, replayed: true }
        } else {
            AnswerKind::Rejected(Rejection::new("op_id_reused", "another change has this op_id"))
        };
        Some(Answer { echo: sent.echo.clone(), kind })
    }

    /// Files an op with its verdict: for the first time, or again after it waited.
    pub(super) fn file(&mut self, author: &Author, id: OpId, sent: &Sent, ruling: &Ruling) {
        let mut queued = match self.ops.get(&id) {
            Some(known) => known.clone(),
            None => arrived(author, id, sent, self.now),
        };
        queued.status = ruling.status();
        queued.verdict = Some(ruling.verdict);
        queued.conflict_id = ruling.conflict;
        queued.waiting_for = ruling.waiting.as_ref().map(|waiting| waiting.what.clone());
        queued.waiting_on = ruling.waiting.as_ref().map(|waiting| waiting.root);
        queued.result_version = ruling.version;
        queued.result_seq = ruling.seq;
        queued.error = ruling.rejection.as_ref().map(Rejection::to_json);
        queued.lease_until = None;
        queued.processed_at = Some(self.now);
        if self.ops.contains_key(&id) {
            self.journal.changed_ops.insert(id);
        } else {
            self.journal.new_ops.push(id);
        }
        let is_refused_insert = queued.status == QueueStatus::Failed && queued.operation == "insert";
        let record_id = queued.record_id.filter(|_| is_refused_insert);
        self.waiters.note(&queued);
        if queued.waiting_on.is_none() {
            self.waiters.come(id.0);
            if let Some(record_id) = record_id {
                self.waiters.come(record_id.0);
            }
        }
        self.keep_op(queued);
    }
}

/// The queue row of an op that has just come, before anything is known about it.
fn arrived(author: &Author, id: OpId, sent: &Sent, now: DateTime<Utc>) -> QueuedOp {
    QueuedOp {
        id,
        user_id: author.actor.person,
        device_id: author.actor.device,
        incarnation: author.incarnation,
        device_seq: sent.device_seq,
        table_name: sent.table_name.clone(),
        record_id: sent.record_id,
        operation: sent.operation.clone(),
        data: sent.data.clone(),
        base: sent.base.clone(),
        version: Version(sent.base_version),
        prev_op_id: sent.prev_op_id,
        txn: sent.txn.clone(),
        // The versions of what is given back count another database's changes, also when it is decided again.
        epoch: sent.epoch.or(author.recovered_from),
        reason: sent.reason.clone(),
        payload_sha256: sent.payload_sha256.clone(),
        status: QueueStatus::Pending,
        verdict: None,
        conflict_id: None,
        waiting_for: None,
        waiting_on: None,
        result_version: None,
        result_seq: None,
        error: None,
        decision: None,
        attempts: 1,
        lease_until: None,
        created_at: now,
        processed_at: None,
        client_time: sent.client_time,
        skew_ms: author.skew_ms,
    }
}

pub(super) fn is_same_op(known: &QueuedOp, author: &Author, sent: &Sent) -> bool {
    known.payload_sha256 == sent.payload_sha256 && known.device_id == author.actor.device
}
