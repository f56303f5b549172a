//! The working set of one write transaction: rows read, changed in memory, and what must be written.
//!
//! The engine loads what [`World::missing`] names, hands the ops over one by one, and writes the
//! [`Journal`] in bulk. Later ops see what earlier ones did. No I/O here, no clock, no randomness:
//! time and fresh ids are given.

mod attention;
mod bulk;
mod card;
mod checks;
mod decide;
mod filing;
mod group;
mod kept;
mod layered;
mod needs;
mod parts;
mod review;
mod ruling;
mod same;
mod settle;
#[cfg(test)]
mod settled;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod tests;
mod unsettle;
#[cfg(test)]
mod vectors;
mod view;
mod waiting;
mod weights;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use foldhash::{HashMap, HashSet};
use serde_json::Value as Json;
use uuid::Uuid;

use self::attention::StandIn;
pub use self::bulk::{BulkPart, Written};
pub use self::decide::{Answer, AnswerKind};
pub use self::group::Member;
use self::kept::ByRow;
use self::layered::Layered;
pub use self::needs::{Needs, ReferenceKey, UniqueKey};
pub use self::settle::{Decision, SettleError};
use self::waiting::Waiters;
use crate::actor::Actor;
use crate::conflict::Conflict;
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
    /// Rows whose values changed, and how much of them.
    pub records: BTreeMap<Key, Extent>,
    /// The newest change or touch of each row, with what caused it.
    pub feed: BTreeMap<Key, FeedMark>,
    /// Ops seen for the first time, in order.
    pub new_ops: Vec<OpId>,
    /// Known ops whose verdict changed.
    pub changed_ops: BTreeSet<OpId>,
    /// Clashes opened, changed or closed.
    pub conflicts: BTreeSet<ConflictId>,
    /// Ids that became other names of rows.
    pub aliases: BTreeSet<Key>,
}

/// How much of a row changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Only values by which no row is found: it was there, live or not, and is found as before.
    Values,
    /// The row is new, or found in another way than before.
    Row,
}

/// What an id is another name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The row, or a row that is another name in its turn.
    pub record_id: RecordId,
    /// Whether anything has come to that row under this name: then it stays its name.
    pub is_used: bool,
}

impl Journal {
    /// Takes what a trial has written.
    fn absorb(&mut self, tried: Self) {
        self.history.extend(tried.history);
        self.new_ops.extend(tried.new_ops);
        self.feed.extend(tried.feed);
        self.changed_ops.extend(tried.changed_ops);
        self.conflicts.extend(tried.conflicts);
        self.aliases.extend(tried.aliases);
        for (key, extent) in tried.records {
            let written = self.records.entry(key).or_insert(extent);
            *written = extent.max(*written);
        }
    }
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
    /// The epoch before a restore, if the ops are given back: the desk had acknowledged them and forgot.
    pub recovered_from: Option<Uuid>,
}

#[derive(Debug, Clone, Copy)]
enum Layer {
    Begin,
    Keep,
    Drop,
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
    /// What was written before each open trial began; the trial itself writes into a journal of its own.
    journals_below: Vec<Journal>,
    records: Layered<Key, Record>,
    snapshots: Layered<(Key, Version), Vec<Value>>,
    gone: HashSet<(Key, Version)>,
    ops: Layered<OpId, QueuedOp>,
    conflicts: Layered<ConflictId, Conflict>,
    by_row: ByRow,
    children: Layered<ReferenceKey, Vec<RecordId>>,
    holders: Layered<UniqueKey, RecordId>,
    names: Layered<Key, Name>,
    waiters: Waiters,
    people: HashSet<PersonId>,
    authors: HashMap<(PersonId, DeviceId), Actor>,
    loaded: Needs,
    standing_in: Option<StandIn>,
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
            journals_below: Vec::new(),
            records: Layered::default(),
            snapshots: Layered::default(),
            gone: HashSet::default(),
            ops: Layered::default(),
            conflicts: Layered::default(),
            by_row: ByRow::default(),
            children: Layered::default(),
            holders: Layered::default(),
            names: Layered::default(),
            waiters: Waiters::default(),
            people: HashSet::default(),
            authors: HashMap::default(),
            loaded: Needs::default(),
            standing_in: None,
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

    /// A row's values as a version had them, as far as they are known here: always, if this transaction wrote the next.
    pub fn values_at(&self, key: Key, version: Version) -> Option<&[Value]> {
        self.snapshots.get(&(key, version)).map(Vec::as_slice)
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
    pub fn disputed(&self, key: Key) -> Vec<String> {
        let contested = self.open_on(key).flat_map(|conflict| {
            let part = conflict.parts.iter().find(|part| (part.table.name, part.record_id) == key);
            part.map_or(&conflict.contested, |part| &part.contested).iter().cloned()
        });
        contested.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn show(&self) -> Option<&Record> {
        self.records.get(&("shows", RecordId(self.show_id)))
    }

    fn timezone(&self) -> &str {
        self.show().and_then(|show| show.value("timezone").as_text()).unwrap_or("UTC")
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

    /// Does something on trial: an error leaves everything as it was before.
    pub fn attempt<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let (clock, waiters) = (self.clock, self.waiters.clone());
        self.journals_below.push(std::mem::take(&mut self.journal));
        self.each_layer(Layer::Begin);
        let worked = work(self);
        let below = self.journals_below.pop().unwrap_or_default();
        let tried = std::mem::replace(&mut self.journal, below);
        if worked.is_ok() {
            self.each_layer(Layer::Keep);
            self.journal.absorb(tried);
        } else {
            self.each_layer(Layer::Drop);
            self.clock = clock;
            self.waiters = waiters;
        }
        worked
    }

    fn each_layer(&mut self, layer: Layer) {
        fn turn<K: Eq + std::hash::Hash + Clone, V: Clone>(map: &mut Layered<K, V>, layer: Layer) {
            match layer {
                Layer::Begin => map.begin(),
                Layer::Keep => map.keep(),
                Layer::Drop => map.drop_layer(),
            }
        }
        turn(&mut self.records, layer);
        turn(&mut self.snapshots, layer);
        turn(&mut self.ops, layer);
        turn(&mut self.conflicts, layer);
        turn(&mut self.by_row.clashes, layer);
        turn(&mut self.by_row.inserts, layer);
        turn(&mut self.children, layer);
        turn(&mut self.holders, layer);
        turn(&mut self.names, layer);
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

    /// Takes the values of an older version, and whether the row was deleted then.
    pub fn add_snapshot(&mut self, key: Key, version: Version, values: Vec<Value>, deleted: bool) {
        self.snapshots.insert((key, version), values);
        if deleted {
            self.gone.insert((key, version));
        }
    }

    /// Takes a person that exists.
    pub fn add_person(&mut self, id: PersonId) {
        self.people.insert(id);
    }

    /// Takes somebody with present rights, behind an op that waits or comes.
    pub fn add_author(&mut self, actor: Actor) {
        self.authors.insert((actor.person, actor.device), actor);
    }

    /// Takes an op that was read. An op already here is newer and stays.
    pub fn add_op(&mut self, op: QueuedOp) {
        if !self.ops.contains_key(&op.id) {
            self.waiters.note(&op);
            self.keep_op(op);
        }
    }

    /// Takes a clash that was read. A clash already here is newer and stays.
    pub fn add_conflict(&mut self, conflict: Conflict) {
        if !self.conflicts.contains_key(&conflict.id) {
            self.keep_conflict(conflict);
        }
    }

    /// Takes another name of a row.
    pub fn add_name(&mut self, alias: Key, name: Name) {
        if !self.names.contains_key(&alias) {
            self.names.insert(alias, name);
        }
    }

    /// What an id is another name of, as it is kept.
    pub fn name(&self, alias: Key) -> Option<Name> {
        self.names.get(&alias).copied()
    }

    /// The row that an id became another name of; none if it is a name of its own.
    pub fn alias(&self, key: Key) -> Option<RecordId> {
        true_name(key, |key| self.names.get(&key).map(|name| name.record_id))
    }

    fn index(&mut self, record: &Record) {
        for (field, _) in record.table.references() {
            if let Some(parent) = record.values[field].as_id() {
                let ids = self.children.get_or_default(&(record.table.name, field, parent));
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

/// The row that an id stands for in the end: a row that is another name itself is passed over.
pub fn true_name(key: Key, known_as: impl Fn(Key) -> Option<RecordId>) -> Option<RecordId> {
    let mut passed = vec![key.1];
    while let Some(next) = passed.last().and_then(|id| known_as((key.0, *id))).filter(|next| !passed.contains(next)) {
        passed.push(next);
    }
    passed.last().copied().filter(|end| *end != key.1)
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
