//! A person makes an edit: the op is built on what stands on the screen.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value as Json, json};
use showdesk_domain::op::Operation;
use showdesk_domain::schema::known_table;
use showdesk_domain::value::instant_text;
use uuid::Uuid;

use super::{Entry, Phone, Recovery, Standing};
use crate::clock::instant;
use crate::sim::fields::{Fields, Key, gather};
use crate::sim::ledger::{Edit, Ledger};

/// An edit before it is an op.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Draft {
    pub key: Key,
    pub operation: Operation,
    pub set: Fields,
    pub reason: Option<String>,
}

impl Phone {
    /// Makes the edits; with `txn` they are one group.
    pub(in crate::sim) fn edit(
        &mut self,
        drafts: Vec<Draft>,
        op_ids: &[Uuid],
        txn: Option<Uuid>,
        now_ms: i64,
        ledger: &mut Ledger,
    ) {
        let size = drafts.len();
        for (draft, op_id) in drafts.into_iter().zip(op_ids) {
            let edit = Edit {
                phone: self.index,
                key: draft.key,
                operation: draft.operation,
                set: draft.set.clone(),
                seen: self.seen(draft.key),
                hostile: false,
                group: txn,
                repeats: None,
            };
            ledger.write(*op_id, edit);
            let entry = self.entry(draft, *op_id, txn.map(|id| (id, size)), now_ms);
            self.outbox.push(entry);
        }
    }

    /// Puts a text into the queue that no client makes; the phone treats it like its own.
    pub(in crate::sim) fn swallow(&mut self, key: Key, op_id: Uuid, poison: Box<RawValue>, now_ms: i64) {
        let draft = Draft { key, operation: Operation::Update, set: Fields::new(), reason: None };
        let mut entry = self.entry(draft, op_id, None, now_ms);
        entry.poison = Some(poison);
        self.outbox.push(entry);
    }

    fn entry(&mut self, draft: Draft, op_id: Uuid, txn: Option<(Uuid, usize)>, now_ms: i64) -> Entry {
        let view = self.view(draft.key);
        let adopted = self.slots.get(&draft.key).map(|slot| slot.adopted.clone()).unwrap_or_default();
        let base_version = match draft.operation {
            Operation::Insert => 0,
            // Its own insert is not answered yet: the version that the insert makes.
            _ if adopted.row.is_none() => 1,
            _ => adopted.version,
        };
        let base = match draft.operation {
            Operation::Update if self.style.sends_base => view.map(|view| {
                let value = |path: &String| (path.clone(), view.get(path).cloned().unwrap_or(Json::Null));
                draft.set.keys().map(value).collect::<Fields>()
            }),
            _ => None,
        };
        let (local, device_seq) = (self.next_local, self.next_seq);
        self.next_local += 1;
        self.next_seq += 1;
        Entry {
            local,
            op_id,
            key: draft.key,
            prev: self.latest_op(draft.key).filter(|_| draft.operation != Operation::Insert),
            operation: draft.operation,
            set: draft.set,
            device_seq,
            base_version,
            txn,
            // What stands on the screen until the fresh store is complete is of the old epoch.
            epoch: match self.recovery {
                Some(Recovery::Pulling { from }) => Some(from),
                _ => None,
            },
            recovered_from: None,
            reason: draft.reason,
            base,
            made_at_ms: now_ms,
            standing: Standing::Unsent,
            in_flight: None,
            retry_at_ms: 0,
            answered_in: None,
            is_noop: false,
            poison: None,
        }
    }

    /// This device's latest op on the record that it has not adopted; a refused one has left the chain.
    fn latest_op(&self, key: Key) -> Option<Uuid> {
        let counts =
            |entry: &&Entry| entry.key == key && entry.standing != Standing::Rejected && entry.poison.is_none();
        self.outbox.iter().rev().find(counts).map(|entry| entry.op_id)
    }

    /// For each field what stands on the screen, and what a chain stands on; the ledger adds its person's own entries.
    fn seen(&self, key: Key) -> BTreeMap<String, Vec<Json>> {
        let mut seen: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        let mut saw = |fields: &Fields| {
            for (path, value) in fields {
                let values = seen.entry(path.clone()).or_default();
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
        };
        if let Some(view) = self.view(key) {
            saw(&view);
        }
        if !self.style.adopts_beneath
            && let Some(adopted) = self.slots.get(&key).and_then(|slot| slot.adopted.row.as_ref())
        {
            saw(adopted);
        }
        seen
    }
}

impl Entry {
    /// The op as it is sent.
    pub(super) fn text(&self) -> Box<RawValue> {
        if let Some(poison) = &self.poison {
            return poison.clone();
        }
        let table = known_table(self.key.0);
        let mut op = json!({
            "op_id": self.op_id.to_string(),
            "device_seq": self.device_seq,
            "txn": self.txn.map(|(id, size)| json!({ "id": id.to_string(), "size": size })),
            "table_name": self.key.0,
            "record_id": self.key.1.to_string(),
            "operation": self.operation.as_str(),
            "base_version": self.base_version,
            "prev_op_id": self.prev.map(|id| id.to_string()),
            "epoch": self.epoch.map(|id| id.to_string()),
            "reason": self.reason,
            "client_time": instant_text(instant(self.made_at_ms)),
        });
        if self.operation != Operation::Delete {
            op["data"] = Json::Object(gather(table, &self.set));
        }
        if let Some(base) = &self.base {
            op["base"] = Json::Object(gather(table, base));
        }
        to_raw_value(&op).expect("a JSON value can be written")
    }
}
