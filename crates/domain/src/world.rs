//! The working set of one write transaction: rows read, changed in memory, and what must be written.
//!
//! The engine loads what [`World::missing`] names, hands the ops over one by one, and writes the
//! [`Journal`] in bulk. Later ops see what earlier ones did. No I/O here, no clock, no randomness:
//! time and fresh ids are given.

mod checks;
mod decide;
mod needs;
mod review;
mod settle;
#[cfg(test)]
mod tests;
mod view;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use uuid::Uuid;

pub use self::decide::{Answer, AnswerKind};
pub use self::needs::{Needs, ReferenceKey, UniqueKey};
pub use self::settle::{Decision, SettleError};
use crate::actor::Actor;
use crate::conflict::{Conflict, ConflictStatus};
use crate::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Seq, Version};
use crate::permit::Stage;
use crate::queue::QueuedOp;
use crate::record::{HistoryRow, Record};
use crate::schema::{Table, known_table};
use crate::value::Value;

/// A row of a synced table, by the table's name and its id.
pub type Key = (&'static str, RecordId);

/// What a transaction writes when all ops are decided.
#[derive(Debug, Default)]
pub struct Journal {
    /// One row a version made.
    pub history: Vec<HistoryRow>,
    /// Rows whose values changed.
    pub records: BTreeSet<Key>,
    /// The newest change or touch of each row, with what caused it.
    pub feed: BTreeMap<Key, FeedMark>,
    /// Ops seen for the first time, in order.
    pub new_ops: Vec<OpId>,
    /// Known ops whose verdict changed.
    pub changed_ops: BTreeSet<OpId>,
    /// Clashes opened, changed or closed.
    pub conflicts: BTreeSet<ConflictId>,
}

/// The newest change or touch of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedMark {
    /// Its number.
    pub seq: Seq,
    /// Who made it.
    pub by: Option<PersonId>,
    /// The op that made it.
    pub op_id: Option<OpId>,
}

/// Who and what stands behind a write.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The author; none for the program itself.
    pub person: Option<PersonId>,
    /// The author's rank, for ROLE fields.
    pub rank: i64,
    /// The author's device.
    pub device: Option<DeviceId>,
    /// The op.
    pub op_id: Option<OpId>,
    /// Why, where a reason was given.
    pub reason: Option<String>,
}

impl Cause {
    /// A write by this actor.
    pub fn of(actor: &Actor, op_id: Option<OpId>, reason: Option<String>) -> Self {
        Self { person: Some(actor.person), rank: actor.rank(), device: Some(actor.device), op_id, reason }
    }
}

/// The author of a push: the actor and what the push says about its device.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// When the device's store was made.
    pub incarnation: Uuid,
    /// How far the device's clock is ahead, milliseconds.
    pub skew_ms: i64,
}

/// Where new ids come from: time-ordered and never used before.
pub type FreshIds = Box<dyn FnMut() -> Uuid + Send + Sync>;

/// See the module.
pub struct World {
    /// The desk's time of this transaction.
    pub now: DateTime<Utc>,
    /// The database's epoch.
    pub epoch: Uuid,
    /// The show.
    pub show_id: Uuid,
    /// The newest change number, those given in this transaction included.
    pub clock: Seq,
    journal: Journal,
    records: HashMap<Key, Record>,
    snapshots: HashMap<(Key, Version), Vec<Value>>,
    ops: HashMap<OpId, QueuedOp>,
    conflicts: HashMap<ConflictId, Conflict>,
    children: HashMap<ReferenceKey, Vec<RecordId>>,
    holders: HashMap<UniqueKey, RecordId>,
    people: HashSet<PersonId>,
    loaded: Needs,
    fresh_ids: FreshIds,
}

impl World {
    /// An empty working set; `clock` is the number of the last change on disk.
    pub fn new(now: DateTime<Utc>, epoch: Uuid, show_id: Uuid, clock: Seq, fresh_ids: FreshIds) -> Self {
        Self {
            now,
            epoch,
            show_id,
            clock,
            journal: Journal::default(),
            records: HashMap::new(),
            snapshots: HashMap::new(),
            ops: HashMap::new(),
            conflicts: HashMap::new(),
            children: HashMap::new(),
            holders: HashMap::new(),
            people: HashSet::new(),
            loaded: Needs::default(),
            fresh_ids,
        }
    }

    /// What must be written.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// A row, live or not.
    pub fn record(&self, key: Key) -> Option<&Record> {
        self.records.get(&key)
    }

    /// An op.
    pub fn op(&self, id: OpId) -> Option<&QueuedOp> {
        self.ops.get(&id)
    }

    /// A clash.
    pub fn conflict(&self, id: ConflictId) -> Option<&Conflict> {
        self.conflicts.get(&id)
    }

    /// The stage of the show.
    pub fn stage(&self) -> Stage {
        self.show().and_then(|show| show.value("stage").as_text()).and_then(|stage| stage.chars().next()).unwrap_or('A')
    }

    /// Fields of a row in dispute: those of its open clashes, each once.
    pub fn disputed(&self, id: RecordId) -> Vec<String> {
        let contested = self.open_on(id).flat_map(|conflict| conflict.contested.iter().cloned());
        contested.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn show(&self) -> Option<&Record> {
        self.records.get(&("shows", RecordId(self.show_id)))
    }

    fn timezone(&self) -> &str {
        self.show().and_then(|show| show.value("timezone").as_text()).unwrap_or("UTC")
    }

    fn open_on(&self, id: RecordId) -> impl Iterator<Item = &Conflict> {
        let is_open = move |conflict: &&Conflict| conflict.record_id == id && conflict.status == ConflictStatus::Open;
        let mut open: Vec<&Conflict> = self.conflicts.values().filter(is_open).collect();
        open.sort_by_key(|conflict| conflict.id);
        open.into_iter()
    }

    fn children_of(&self, table: &'static str, field: &str, parent: Uuid) -> Vec<&Record> {
        let index = known_table(table).index(field);
        let ids = self.children.get(&(table, index, parent)).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.records.get(&(table, *id))).collect()
    }

    fn next_seq(&mut self) -> Seq {
        self.clock = self.clock.next();
        self.clock
    }

    fn fresh_id(&mut self) -> Uuid {
        (self.fresh_ids)()
    }

    /// Takes a row that was read. A row already here is newer and stays.
    pub fn add_record(&mut self, record: Record) {
        let key = (record.table.name, record.id);
        if self.records.contains_key(&key) {
            return;
        }
        self.index(&record);
        self.records.insert(key, record);
    }

    /// Takes the values of an older version.
    pub fn add_snapshot(&mut self, key: Key, version: Version, values: Vec<Value>) {
        self.snapshots.insert((key, version), values);
    }

    /// Takes a person that exists.
    pub fn add_person(&mut self, id: PersonId) {
        self.people.insert(id);
    }

    /// Takes an op that was read.
    pub fn add_op(&mut self, op: QueuedOp) {
        self.ops.entry(op.id).or_insert(op);
    }

    /// Takes a clash that was read.
    pub fn add_conflict(&mut self, conflict: Conflict) {
        self.conflicts.entry(conflict.id).or_insert(conflict);
    }

    fn index(&mut self, record: &Record) {
        for (field, _) in record.table.references() {
            if let Some(parent) = record.values[field].as_id() {
                let ids = self.children.entry((record.table.name, field, parent)).or_default();
                if !ids.contains(&record.id) {
                    ids.push(record.id);
                }
            }
        }
        if record.is_live() {
            for key in unique_keys(record.table, &record.values) {
                self.holders.insert(key, record.id);
            }
        }
    }

    fn unindex(&mut self, record: &Record) {
        for (field, _) in record.table.references() {
            if let Some(parent) = record.values[field].as_id()
                && let Some(ids) = self.children.get_mut(&(record.table.name, field, parent))
            {
                ids.retain(|id| *id != record.id);
            }
        }
        for key in unique_keys(record.table, &record.values) {
            if self.holders.get(&key) == Some(&record.id) {
                self.holders.remove(&key);
            }
        }
    }
}

/// The uniqueness keys of a row; a rule with a null in it does not apply.
fn unique_keys(table: &'static Table, values: &[Value]) -> Vec<UniqueKey> {
    let keys = table.uniques.iter().enumerate().filter_map(|(index, unique)| {
        let key: Vec<Value> = unique.fields.iter().map(|field| values[*field].clone()).collect();
        (!key.iter().any(Value::is_null)).then_some((table.name, index, key))
    });
    keys.collect()
}

/// The values of the named fields of a row's data, by path.
fn values_by_path(table: &Table, values: &[Value], paths: &[String]) -> serde_json::Map<String, Json> {
    let pairs = paths.iter().filter_map(|path| table.field(path).map(|index| (path.clone(), values[index].to_json())));
    pairs.collect()
}
