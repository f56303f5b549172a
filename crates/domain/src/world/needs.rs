//! What a transaction must have read before it can decide: asked round by round until nothing is missing.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::{Key, World};
use crate::conflict::Conflict;
use crate::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Version};
use crate::op::{Op, Operation};
use crate::record::values_of;
use crate::schema::{Table, Unique, known_table, tables};
use crate::value::{Kind, Target, Value};

/// Rows of a table whose reference field points to an id: table, field index, id.
pub type ReferenceKey = (&'static str, usize, Uuid);
/// A uniqueness rule of a table and the values one row holds: table, rule index, values.
pub type UniqueKey = (&'static str, usize, Vec<Value>);

/// Rows to read. Each set is read with few statements, however large it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Ops by id.
    pub ops: BTreeSet<OpId>,
    /// All ops of a device about a record.
    pub device_records: BTreeSet<(DeviceId, RecordId)>,
    /// Rows by id.
    pub records: BTreeSet<Key>,
    /// Older versions of rows.
    pub snapshots: BTreeSet<(Key, Version)>,
    /// Clashes by id.
    pub conflicts: BTreeSet<ConflictId>,
    /// Open clashes about rows.
    pub open_conflicts: BTreeSet<RecordId>,
    /// Rows that point to a row.
    pub children: BTreeSet<ReferenceKey>,
    /// Live rows that hold unique values.
    pub holders: BTreeSet<UniqueKey>,
    /// People that rows point to.
    pub people: BTreeSet<PersonId>,
    /// Whole tables, live rows: only for what touches all of them.
    pub tables: BTreeSet<&'static str>,
}

impl Needs {
    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn without(self, loaded: &Self) -> Self {
        fn minus<T: Ord>(mut set: BTreeSet<T>, loaded: &BTreeSet<T>) -> BTreeSet<T> {
            set.retain(|item| !loaded.contains(item));
            set
        }
        Self {
            ops: minus(self.ops, &loaded.ops),
            device_records: minus(self.device_records, &loaded.device_records),
            records: minus(self.records, &loaded.records),
            snapshots: minus(self.snapshots, &loaded.snapshots),
            conflicts: minus(self.conflicts, &loaded.conflicts),
            open_conflicts: minus(self.open_conflicts, &loaded.open_conflicts),
            children: minus(self.children, &loaded.children),
            holders: minus(self.holders, &loaded.holders),
            people: minus(self.people, &loaded.people),
            tables: minus(self.tables, &loaded.tables),
        }
    }

    /// Adds what another asks for.
    pub fn extend(&mut self, other: &Self) {
        self.ops.extend(other.ops.iter().copied());
        self.device_records.extend(other.device_records.iter().copied());
        self.records.extend(other.records.iter().copied());
        self.snapshots.extend(other.snapshots.iter().copied());
        self.conflicts.extend(other.conflicts.iter().copied());
        self.open_conflicts.extend(other.open_conflicts.iter().copied());
        self.children.extend(other.children.iter().copied());
        self.holders.extend(other.holders.iter().cloned());
        self.people.extend(other.people.iter().copied());
        self.tables.extend(other.tables.iter().copied());
    }
}

impl World {
    /// What is still to be read before these ops of a device can be decided, as far as is known now.
    pub fn missing<'a>(&self, ops: impl Iterator<Item = (DeviceId, &'a Op)>) -> Needs {
        let mut needs = Needs::default();
        needs.records.insert(("shows", RecordId(self.show_id)));
        for (device, op) in ops {
            self.need_op(device, op, &mut needs);
        }
        self.need_clashes(&mut needs);
        needs.without(&self.loaded)
    }

    /// A row that is written or touched takes its clashes along, also where only its derived values follow.
    fn need_clashes(&self, needs: &mut Needs) {
        let follows = |(table, _): &&Key| matches!(*table, "animals" | "classes" | "rings");
        needs.open_conflicts.extend(needs.records.iter().filter(follows).map(|(_, id)| *id));
        let results = needs.children.iter().filter(|(table, _, _)| *table == "placings");
        let results = results.filter_map(|key| self.children.get(key)).flatten();
        needs.open_conflicts.extend(results.copied());
        if needs.tables.contains("placings") {
            needs.open_conflicts.extend(self.records.keys().filter(|key| key.0 == "placings").map(|key| key.1));
        }
        let waiting = needs.open_conflicts.iter().flat_map(|id| self.open_on(*id));
        needs.ops.extend(waiting.flat_map(|conflict| conflict.op_ids.iter().copied()));
    }

    /// What is still to be read before a clash can be decided, undone or answered. `manual` are the decider's values.
    pub fn missing_for_settling(&self, id: ConflictId, manual: &Map<String, Json>) -> Needs {
        let mut needs = Needs::default();
        needs.records.insert(("shows", RecordId(self.show_id)));
        needs.conflicts.insert(id);
        if let Some(conflict) = self.conflict(id) {
            let rows = [Some(conflict.record_id), conflict.other_record_id];
            for record_id in rows.into_iter().flatten() {
                let key = (conflict.table.name, record_id);
                needs.records.insert(key);
                needs.open_conflicts.insert(record_id);
                self.need_around(conflict.table, key, &|_| None, &mut needs);
            }
            let about = |other: &&Conflict| other.record_id == conflict.record_id;
            needs.ops.extend(self.conflicts.values().filter(about).flat_map(|other| other.op_ids.iter().copied()));
            for (table, field) in referrers(conflict.table.name) {
                needs.children.insert((table, field, conflict.record_id.0));
            }
            self.need_outcomes(conflict, manual, &mut needs);
        }
        self.need_clashes(&mut needs);
        needs.without(&self.loaded)
    }

    /// What the rows that a decision or its undo can make must be checked against.
    fn need_outcomes(&self, conflict: &Conflict, manual: &Map<String, Json>, needs: &mut Needs) {
        let table = conflict.table;
        let present = self.record((table.name, conflict.record_id)).map(|record| record.values.clone());
        let client = conflict.client_data.as_ref().and_then(|data| values_of(table, data).ok());
        let mut rows: Vec<Vec<Value>> = present.into_iter().chain(client).collect();
        let before = conflict.decisions.last().and_then(|decision| decision.get("before")?.get("values")?.as_object());
        for paths in [Some(manual), before].into_iter().flatten() {
            let changed: Vec<(usize, Value)> = decode_paths(table, paths);
            let variants: Vec<Vec<Value>> = rows.iter().map(|row| patched(row, &changed)).collect();
            rows.extend(variants);
        }
        for row in rows {
            need_uniques(table, |_| true, &|field| Some(row[field].clone()), needs);
            for (field, value) in row.iter().enumerate() {
                match (&table.fields[field].kind, value.as_id()) {
                    (Kind::Id(Target::Table(target)), Some(id)) => {
                        needs.records.insert((target, RecordId(id)));
                    }
                    (Kind::Id(Target::Person), Some(id)) => {
                        needs.people.insert(PersonId(id));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether an op was asked for, found or not.
    pub fn was_loaded(&self, id: OpId) -> bool {
        self.loaded.ops.contains(&id)
    }

    /// Remembers that these were read; what was not found does not exist.
    pub fn mark_loaded(&mut self, needs: &Needs) {
        self.loaded.extend(needs);
    }

    fn need_op(&self, device: DeviceId, op: &Op, needs: &mut Needs) {
        let key = (op.table.name, op.record_id);
        needs.ops.insert(op.id);
        needs.records.insert(key);
        needs.open_conflicts.insert(op.record_id);
        if op.prev_op_id.is_some() {
            needs.ops.extend(op.prev_op_id);
            needs.device_records.insert((device, op.record_id));
        }
        if let Some(record) = self.record(key)
            && op.base_version < record.version
            && op.operation != Operation::Insert
        {
            needs.snapshots.insert((key, op.base_version));
        }
        if op.operation == Operation::Delete {
            for (table, field) in referrers(op.table.name) {
                needs.children.insert((table, field, op.record_id.0));
            }
        }
        for (field, target) in op.table.references() {
            if let Some(id) = op.patch.get(&field).and_then(Value::as_id) {
                needs.records.insert((target, RecordId(id)));
            }
        }
        for (field, value) in &op.patch {
            if op.table.fields[*field].kind == Kind::Id(Target::Person) {
                needs.people.extend(value.as_id().map(PersonId));
            }
        }
        self.need_around(op.table, key, &|field| op.patch.get(&field).cloned(), needs);
        if op.table.field("rules.results_visibility").is_some_and(|field| op.patch.contains_key(&field)) {
            // Who may see results changes for all of them at once.
            needs.tables.extend(["classes", "placings"]);
        }
        let row = |field: usize| {
            op.patch.get(&field).cloned().or_else(|| self.record(key).map(|row| row.values[field].clone()))
        };
        // A key that the op leaves as it is stays the row's own.
        let is_touched = |unique: &Unique| unique.fields.iter().any(|field| op.patch.contains_key(field));
        need_uniques(op.table, is_touched, &row, needs);
    }

    /// Rows that place a row (its class, its animal) and rows that its derived values follow from.
    fn need_around(&self, table: &'static Table, key: Key, patch: &dyn Fn(usize) -> Option<Value>, needs: &mut Needs) {
        let id_of = |path: &str| {
            let index = table.index(path);
            let before = self.record(key).and_then(|row| row.values[index].as_id());
            [patch(index).and_then(|value| value.as_id()), before].into_iter().flatten().collect::<Vec<_>>()
        };
        match table.name {
            "animals" => need_children(needs, "weigh_ins", "animal_id", &[key.1.0]),
            "weigh_ins" => {
                let animals = id_of("animal_id");
                need_rows(needs, "animals", &animals);
                need_children(needs, "weigh_ins", "animal_id", &animals);
            }
            "class_calls" => {
                let (classes, rings) = (id_of("class_id"), id_of("ring_id"));
                need_rows(needs, "classes", &classes);
                need_rows(needs, "rings", &rings);
                need_children(needs, "class_calls", "class_id", &classes);
                need_children(needs, "class_calls", "ring_id", &rings);
                need_children(needs, "placings", "class_id", &classes);
            }
            "classes" => {
                need_children(needs, "class_calls", "class_id", &[key.1.0]);
                need_children(needs, "placings", "class_id", &[key.1.0]);
            }
            "placings" => {
                let classes = id_of("class_id");
                need_rows(needs, "classes", &classes);
                need_rows(needs, "entries", &id_of("entry_id"));
                need_children(needs, "class_calls", "class_id", &classes);
                need_children(needs, "placings", "class_id", &classes);
            }
            "entries" => {
                need_rows(needs, "animals", &id_of("animal_id"));
                need_rows(needs, "classes", &id_of("family_id"));
                need_rows(needs, "classes", &id_of("class_id"));
            }
            _ => {}
        }
    }
}

/// Fields of other tables that point to rows of this one.
pub(super) fn referrers(target: &str) -> impl Iterator<Item = (&'static str, usize)> {
    let target = target.to_owned();
    tables().iter().flat_map(move |table| {
        let target = target.clone();
        table.references().filter(move |(_, name)| *name == target).map(move |(field, _)| (table.name, field))
    })
}

fn need_rows(needs: &mut Needs, table: &'static str, ids: &[Uuid]) {
    needs.records.extend(ids.iter().map(|id| (table, RecordId(*id))));
}

fn need_children(needs: &mut Needs, table: &'static str, field: &str, parents: &[Uuid]) {
    let index = known_table(table).index(field);
    needs.children.extend(parents.iter().map(|id| (table, index, *id)));
}

fn need_uniques(
    table: &'static Table,
    is_needed: impl Fn(&Unique) -> bool,
    row: &dyn Fn(usize) -> Option<Value>,
    needs: &mut Needs,
) {
    for (index, unique) in table.uniques.iter().enumerate().filter(|(_, unique)| is_needed(unique)) {
        let values: Option<Vec<Value>> = unique.fields.iter().map(|field| row(*field)).collect();
        if let Some(values) = values.filter(|values| !values.iter().any(Value::is_null)) {
            needs.holders.insert((table.name, index, values));
        }
    }
}

fn decode_paths(table: &Table, paths: &Map<String, Json>) -> Vec<(usize, Value)> {
    let decode = |(path, json): (&String, &Json)| {
        let field = table.field(path)?;
        table.fields[field].kind.decode(json).ok().map(|value| (field, value))
    };
    paths.iter().filter_map(decode).collect()
}

fn patched(row: &[Value], changed: &[(usize, Value)]) -> Vec<Value> {
    let mut row = row.to_vec();
    for (field, value) in changed {
        row[*field] = value.clone();
    }
    row
}
