//! What a phone sends next: one pull at a time, a few pushes, a question about what waits.

use super::{Entry, Outgoing, Phone, Recovery, Standing, Waiting};
use crate::sim::chance::Chance;
use crate::sim::mutant::Mutant;
use crate::sim::wire::{Ask, PushAsk, Request};

/// How long a phone waits for an answer before it asks again.
const TIMEOUT_MS: i64 = 8_000;
/// Most ops one question names.
const QUESTION_OPS: usize = 200;

impl Phone {
    /// What the phone sends now. `next_request` numbers requests over all phones.
    pub(in crate::sim) fn tick(&mut self, now_ms: i64, chance: &mut Chance, next_request: &mut u64) -> Vec<Request> {
        self.give_up_waiting(now_ms);
        if self.removed || self.unknown {
            return Vec::new();
        }
        let mut asks: Vec<Ask> = Vec::new();
        // An app pushes before it pulls, so that its person's entries travel first.
        while self.pushes.len() < self.style.pushes_at_once {
            let Some(entries) = self.next_batch(now_ms, chance) else { break };
            asks.push(self.push(entries, now_ms, *next_request + asks.len() as u64));
        }
        let request = |asks: &Vec<Ask>| *next_request + asks.len() as u64;
        if self.pull.is_none() && matches!(self.recovery, None | Some(Recovery::Pulling { .. })) {
            self.pull = Some(Waiting { request: request(&asks), deadline_ms: now_ms + TIMEOUT_MS });
            asks.push(Ask::Pull { cursor: self.cursor.clone(), limit: self.style.page });
        }
        if self.question.is_none()
            && let Some(ops) = self.next_question()
        {
            self.question = Some(Waiting { request: request(&asks), deadline_ms: now_ms + TIMEOUT_MS });
            asks.push(Ask::Status { ops });
        }
        let first = *next_request;
        *next_request += asks.len() as u64;
        let request = |(id, ask)| Request { id, phone: self.index, life: self.life, token: self.token.clone(), ask };
        (first..).zip(asks).map(request).collect()
    }

    fn give_up_waiting(&mut self, now_ms: i64) {
        let late: Vec<u64> =
            self.pushes.iter().filter(|push| push.deadline_ms <= now_ms).map(|push| push.request).collect();
        self.pushes.retain(|push| push.deadline_ms > now_ms);
        let renames = self.is(Mutant::ResendsUnderNewId);
        for entry in self.outbox.iter_mut().filter(|entry| entry.in_flight.is_some_and(|id| late.contains(&id))) {
            entry.in_flight = None;
            if renames {
                let again = uuid::Uuid::new_v5(&entry.op_id, b"again");
                self.renamed.push((entry.op_id, again));
                entry.op_id = again;
            }
        }
        self.pull.take_if(|pull| pull.deadline_ms <= now_ms);
        self.question.take_if(|question| question.deadline_ms <= now_ms);
    }

    /// The entries of the next push, in the order in which they are sent.
    fn next_batch(&mut self, now_ms: i64, chance: &mut Chance) -> Option<Vec<u64>> {
        let gives_back = match &self.recovery {
            None => false,
            Some(Recovery::GivingBack) => true,
            Some(_) => return None,
        };
        let blocked =
            self.is(Mutant::StopsAtPoison) && self.outbox.iter().any(|entry| entry.standing == Standing::Rejected);
        let is_ready = |entry: &&Entry| {
            entry.standing == Standing::Unsent
                && entry.in_flight.is_none()
                && entry.retry_at_ms <= now_ms
                && entry.recovered_from.is_some() == gives_back
        };
        let mut ready: Vec<&Entry> = self.outbox.iter().filter(is_ready).collect();
        if self.style.unordered && chance.percent(40) && ready.len() > 1 {
            let skipped = chance.below(ready.len());
            ready.drain(..skipped);
        }
        if ready.is_empty() || blocked {
            return None;
        }
        let mut batch: Vec<u64> = Vec::new();
        for entry in &ready {
            if batch.len() >= self.style.batch {
                break;
            }
            match entry.txn {
                None => batch.push(entry.local),
                Some(txn) => {
                    // A group stands in one push, all of it or nothing.
                    let members: Vec<u64> =
                        ready.iter().filter(|other| other.txn == Some(txn)).map(|other| other.local).collect();
                    if members.len() == txn.1 && !batch.contains(&entry.local) {
                        batch.extend(members);
                    }
                }
            }
        }
        // The place in the list means nothing: device_seq orders.
        if self.style.unordered {
            chance.shuffle(&mut batch);
        }
        (!batch.is_empty()).then_some(batch)
    }

    fn push(&mut self, entries: Vec<u64>, now_ms: i64, request: u64) -> Ask {
        let by_local = |local: &u64| self.outbox.iter().find(|entry| entry.local == *local);
        let sent: Vec<&Entry> = entries.iter().filter_map(by_local).collect();
        let ask = PushAsk {
            epoch: self.epoch,
            incarnation: self.incarnation,
            client_time_ms: now_ms + self.skew_ms,
            recovered_from: sent.first().and_then(|entry| entry.recovered_from),
            ops: sent.iter().map(|entry| entry.text()).collect(),
        };
        for entry in self.outbox.iter_mut().filter(|entry| entries.contains(&entry.local)) {
            entry.in_flight = Some(request);
        }
        self.pushes.push(Outgoing { request, deadline_ms: now_ms + TIMEOUT_MS, entries });
        Ask::Push(ask)
    }

    fn next_question(&mut self) -> Option<Vec<uuid::Uuid>> {
        if let Some(Recovery::Asking { left, .. }) = &self.recovery {
            let ops: Vec<_> = left.iter().copied().take(QUESTION_OPS).collect();
            if !ops.is_empty() {
                return Some(ops);
            }
            self.recovery = Some(Recovery::GivingBack);
        }
        if self.recovery == Some(Recovery::GivingBack) {
            let waits = |entry: &Entry| entry.recovered_from.is_some() && entry.standing == Standing::Unsent;
            if !self.outbox.iter().any(waits) {
                self.recovery = None;
            }
            return None;
        }
        if self.recovery.is_some() || !std::mem::take(&mut self.question_due) {
            return None;
        }
        let waits = |entry: &&Entry| entry.waits();
        let ops: Vec<_> = self.outbox.iter().filter(waits).map(|entry| entry.op_id).take(QUESTION_OPS).collect();
        self.asked_at = self.pulled_clock;
        (!ops.is_empty()).then_some(ops)
    }
}
