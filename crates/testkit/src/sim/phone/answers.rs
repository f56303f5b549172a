//! A phone hears an answer: what each verdict means for the entry and its row (PROTOCOL.md §3).

use serde_json::Value as Json;
use showdesk_domain::op::Operation;
use showdesk_domain::schema::known_table;
use showdesk_engine::api::sync::{OpResult, VerdictName};
use uuid::Uuid;

use super::{Entry, Phone, Recovery, Standing, State};
use crate::sim::fields::spread;
use crate::sim::mutant::Mutant;
use crate::sim::wire::{Failure, Reply};

/// How many acknowledged ops a phone remembers, and for how long (PROTOCOL.md §7).
const ACKNOWLEDGED_OPS: usize = 500;
const ACKNOWLEDGED_MS: i64 = 24 * 3_600_000;

impl Phone {
    /// Hears the answer to a request of its own. An error says what the desk did wrong.
    pub(in crate::sim) fn hear(&mut self, request: u64, reply: Reply, now_ms: i64) -> Result<(), String> {
        let push = self.pushes.iter().position(|push| push.request == request);
        let entries = push.map(|place| self.pushes.remove(place).entries);
        let was_pull = self.pull.take_if(|pull| pull.request == request).is_some();
        let was_question = self.question.take_if(|question| question.request == request).is_some();
        if entries.is_none() && !was_pull && !was_question {
            // It had been given up, or is a second answer.
            return Ok(());
        }
        for entry in self.outbox.iter_mut().filter(|entry| entry.in_flight == Some(request)) {
            entry.in_flight = None;
        }
        match reply {
            Reply::Push(answer) => {
                let entries = entries.unwrap_or_default();
                if answer.results.len() != entries.len() {
                    return Err(format!("{} results for {} ops", answer.results.len(), entries.len()));
                }
                for (local, result) in entries.into_iter().zip(&answer.results) {
                    self.settle(local, result, now_ms);
                }
                Ok(())
            }
            Reply::Pull(page) if self.take_page(&page) => Ok(()),
            Reply::Pull(page) => Err(format!("a page cannot be read: {:?}", page.changes)),
            Reply::Status(answer) => {
                answer.results.iter().for_each(|result| self.hear_status(result, now_ms));
                self.heard_at = self.asked_at;
                Ok(())
            }
            Reply::Failed(failure) => self.fail(&failure, was_pull),
        }
    }

    fn fail(&mut self, failure: &Failure, was_pull: bool) -> Result<(), String> {
        match failure {
            Failure::UnknownToken => self.unknown = true,
            Failure::Removed => self.removed = true,
            Failure::Epoch(epoch) => self.enter_epoch(*epoch),
            Failure::Reconcile if was_pull => self.reconcile(),
            Failure::Later => {}
            Failure::Reconcile | Failure::Unexpected(_) => return Err(format!("{failure:?}")),
        }
        Ok(())
    }

    fn hear_status(&mut self, result: &OpResult, now_ms: i64) {
        let Some(op_id) = result.op_id.as_str().and_then(|text| Uuid::try_parse(text).ok()) else { return };
        if let Some(Recovery::Asking { from, left }) = &mut self.recovery {
            let from = *from;
            if left.remove(&op_id) && result.verdict == VerdictName::Unknown {
                self.give_back(op_id, from);
                return;
            }
        }
        let waits = |entry: &&mut Entry| entry.op_id == op_id && entry.standing != Standing::Unsent;
        let Some(entry) = self.outbox.iter_mut().find(waits) else { return };
        let local = entry.local;
        match (result.verdict, entry.standing) {
            // An old copy of the database can lack an op that waits without its change number being lower.
            // It goes with the others, also if it was given back once and answered then.
            (VerdictName::Unknown, Standing::Held | Standing::Disputed) => {
                (entry.standing, entry.recovered_from) = (Standing::Unsent, None);
            }
            (VerdictName::Unknown, _) => {}
            _ => self.settle(local, result, now_ms),
        }
    }

    /// The desk has lost an op it had acknowledged: it goes back into the queue, with its id.
    fn give_back(&mut self, op_id: Uuid, from: Uuid) {
        if self.is(Mutant::ForgetsAcknowledged) {
            return;
        }
        if let Some(entry) = self.outbox.iter_mut().find(|entry| entry.op_id == op_id) {
            (entry.standing, entry.recovered_from) = (Standing::Unsent, Some(from));
            return;
        }
        let Some(place) = self.acknowledged.iter().position(|entry| entry.op_id == op_id) else { return };
        let mut entry = self.acknowledged.remove(place).expect("it was just found");
        (entry.standing, entry.recovered_from, entry.retry_at_ms) = (Standing::Unsent, Some(from), 0);
        let place = self.outbox.partition_point(|other| other.device_seq < entry.device_seq);
        self.outbox.insert(place, entry);
    }

    /// What a verdict means for the entry.
    fn settle(&mut self, local: u64, result: &OpResult, now_ms: i64) {
        let Some(place) = self.outbox.iter().position(|entry| entry.local == local) else { return };
        let key = self.outbox[place].key;
        if result.verdict != VerdictName::Retry {
            self.outbox[place].answered_in = Some(self.epoch);
            self.outbox[place].is_noop = result.verdict == VerdictName::Noop;
        }
        match result.verdict {
            VerdictName::Applied | VerdictName::Merged | VerdictName::Noop => {
                self.accept(place, result, now_ms);
            }
            VerdictName::Conflict => self.outbox[place].standing = Standing::Disputed,
            VerdictName::Held if result.conflict_id.is_some() => self.outbox[place].standing = Standing::Disputed,
            VerdictName::Held => self.outbox[place].standing = Standing::Held,
            VerdictName::Rejected => self.outbox[place].standing = Standing::Rejected,
            VerdictName::Retry => {
                self.outbox[place].retry_at_ms = now_ms + result.after_ms.unwrap_or(2_000);
            }
            VerdictName::Unknown => {}
        }
        self.close_chain(key);
    }

    fn accept(&mut self, place: usize, result: &OpResult, now_ms: i64) {
        let (key, device_seq) = (self.outbox[place].key, self.outbox[place].device_seq);
        // An op that was in a clash is not shown over the row; nor is one that an answer has adopted.
        let was_shown = self.outbox[place].is_under_way();
        self.outbox[place].standing = Standing::Accepted;
        self.outbox[place].in_flight = None;
        let state = match (&result.record, result.version) {
            (Some(Json::Object(record)), Some(version)) => {
                Some(State { version, row: Some(spread(known_table(key.0), record)) })
            }
            // An answer given again may be older than what was pulled since, or than the phone's right to the row.
            (_, Some(version)) if result.verdict == VerdictName::Applied && was_shown && !result.replayed => {
                let deletes = self.outbox[place].operation == Operation::Delete;
                let row = self.view_until(key, device_seq).filter(|_| !deletes);
                (row.is_some() || deletes).then_some(State { version, row })
            }
            _ => None,
        };
        self.remember(place, now_ms);
        // Where two rows were found to be the same thing, this phone's own id is gone.
        let named = (key.0, result.record_id.unwrap_or(key.1));
        if named != key {
            self.slots.remove(&key);
        }
        if !was_shown || named != key {
            // Its row showed the desk's value all the time, and goes on doing so.
            self.outbox.remove(place);
        }
        if self.is(Mutant::RebasesOnAnswer)
            && let Some(version) = result.version
        {
            for entry in self.outbox.iter_mut().filter(|entry| entry.key == key && entry.device_seq > device_seq) {
                (entry.base_version, entry.prev, entry.base) = (version, None, None);
            }
        }
        if let Some(state) = state {
            let known = self.slots.get(&named).map_or(0, |slot| slot.newest().version);
            // What the phone worked out itself lacks what the desk derives: a pulled row of that version is better.
            if result.record.is_some() || state.version > known {
                self.learn(named, state);
            }
        }
    }

    fn remember(&mut self, place: usize, now_ms: i64) {
        if self.outbox[place].poison.is_none() {
            self.acknowledged.push_back(self.outbox[place].clone());
        }
        while self.acknowledged.len() > ACKNOWLEDGED_OPS
            && self.acknowledged.front().is_some_and(|entry| entry.made_at_ms + ACKNOWLEDGED_MS < now_ms)
        {
            self.acknowledged.pop_front();
        }
    }
}
