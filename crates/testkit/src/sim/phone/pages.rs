//! A phone takes pulled pages in: one transaction holds the page and its cursor.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use showdesk_domain::schema::{known_table, table};
use showdesk_engine::api::sync::PullPage;
use uuid::Uuid;

use super::{Entry, Phone, Recovery, Slot, Standing, State};
use crate::sim::fields::{Fields, Key, Rows, spread};
use crate::sim::mutant::Mutant;

/// A change as a phone reads it.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Change {
    pub seq: i64,
    pub key: Key,
    pub op: String,
    pub state: State,
}

/// Reads a change's text; what cannot be read is a mistake of the desk.
pub(in crate::sim) fn read_change(text: &str) -> Option<Change> {
    let change: Map<String, Json> = serde_json::from_str(text).ok()?;
    let table = table(change.get("table_name")?.as_str()?)?;
    let id = Uuid::try_parse(change.get("record_id")?.as_str()?).ok()?;
    let row: Option<Fields> = change.get("data").and_then(Json::as_object).map(|data| spread(table, data));
    let op = change.get("op")?.as_str()?.to_owned();
    let has_row = row.is_some() == (op == "upsert");
    let state = State { version: change.get("version")?.as_i64()?, row };
    has_row.then_some(Change { seq: change.get("seq")?.as_i64()?, key: (table.name, id), op, state })
}

impl Phone {
    /// Takes a page in. False if it cannot be read.
    pub(super) fn take_page(&mut self, page: &PullPage) -> bool {
        let changes: Option<Vec<Change>> = page.changes.iter().map(|text| read_change(text)).collect();
        let Some(changes) = changes else { return false };
        if page.epoch != self.epoch {
            self.enter_epoch(page.epoch);
            return true;
        }
        self.cursor = Some(page.cursor.clone());
        for change in changes {
            if self.is(Mutant::IgnoresRevoke) && change.op == "revoke" {
                continue;
            }
            match &mut self.fresh {
                Some(fresh) => {
                    fresh.insert(change.key, change.state);
                }
                None => self.learn(change.key, change.state),
            }
        }
        if page.has_more {
            return true;
        }
        if let Some(fresh) = self.fresh.take() {
            self.swap(fresh);
        }
        self.pulled_clock = Some(page.clock);
        self.question_due = true;
        true
    }

    /// Takes what the desk says about a row, at once or when the row's chain is answered.
    pub(super) fn learn(&mut self, key: Key, state: State) {
        let stands_still = !self.style.adopts_beneath && self.has_chain(key);
        let slot = self.slots.entry(key).or_default();
        if state.version < slot.newest().version {
            return;
        }
        if stands_still {
            slot.newer = Some(state);
        } else {
            *slot = Slot { adopted: state, newer: None };
        }
    }

    /// Adopts what was kept back, if nothing of the row's chain is open any more.
    pub(super) fn close_chain(&mut self, key: Key) {
        let is_open = |entry: &Entry| entry.key == key && matches!(entry.standing, Standing::Unsent | Standing::Held);
        if !self.style.adopts_beneath && self.outbox.iter().any(|entry| entry.poison.is_none() && is_open(entry)) {
            return;
        }
        self.outbox.retain(|entry| entry.key != key || entry.standing != Standing::Accepted);
        if let Some(slot) = self.slots.get_mut(&key)
            && let Some(newer) = slot.newer.take()
        {
            slot.adopted = newer;
        }
    }

    /// 410: pulls everything again; rows with entries under way stay as they are.
    pub(super) fn reconcile(&mut self) {
        self.cursor = None;
        self.fresh = Some(BTreeMap::new());
    }

    fn swap(&mut self, mut fresh: BTreeMap<Key, State>) {
        let keys: BTreeSet<Key> = self.slots.keys().chain(fresh.keys()).copied().collect();
        let restored = matches!(self.recovery, Some(Recovery::Pulling { .. }));
        for key in keys {
            let state = fresh.remove(&key).unwrap_or_default();
            if restored {
                self.slots.insert(key, Slot { adopted: state, newer: None });
                continue;
            }
            // An answer that came while the pages did may be newer than its page.
            let known = self.slots.get(&key).map_or(0, |slot| slot.newest().version);
            if state.version == 0 || state.version >= known {
                self.slots.entry(key).or_default().newer = None;
                let stands_still = !self.style.adopts_beneath && self.has_chain(key);
                let slot = self.slots.entry(key).or_default();
                if stands_still {
                    slot.newer = Some(state);
                } else {
                    slot.adopted = state;
                }
            }
        }
        if let Some(Recovery::Pulling { from }) = self.recovery {
            self.ask_about_acknowledged(from);
        }
    }

    fn ask_about_acknowledged(&mut self, from: Uuid) {
        let waiting = self
            .outbox
            .iter()
            .filter(|entry| entry.poison.is_none() && matches!(entry.standing, Standing::Held | Standing::Disputed));
        let left = self.acknowledged.iter().chain(waiting).map(|entry| entry.op_id).collect();
        self.recovery = Some(Recovery::Asking { from, left });
    }

    /// 409: the desk was restored. The queue is kept, its ops carry the epoch they were made in.
    pub(super) fn enter_epoch(&mut self, epoch: Uuid) {
        if epoch == self.epoch {
            return;
        }
        let old = std::mem::replace(&mut self.epoch, epoch);
        for entry in &mut self.outbox {
            entry.epoch.get_or_insert(old);
            entry.in_flight = None;
        }
        for entry in &mut self.acknowledged {
            entry.epoch.get_or_insert(old);
        }
        // They were acknowledged; what became of them is asked.
        self.outbox.retain(|entry| entry.standing != Standing::Accepted);
        self.pushes.clear();
        self.pull = None;
        self.question = None;
        self.reconcile();
        self.recovery = Some(Recovery::Pulling { from: old });
    }

    /// Rows as the phone has them, for comparing.
    pub(in crate::sim) fn live_rows(&self) -> Rows {
        let live = |(key, slot): (&Key, &Slot)| {
            let state = slot.newest();
            let table = known_table(key.0);
            let row = state.row.as_ref()?;
            let known = row.iter().filter(|(path, _)| table.field(path).is_some());
            Some((*key, (state.version, known.map(|(path, value)| (path.clone(), value.clone())).collect())))
        };
        self.slots.iter().filter_map(live).collect()
    }
}
