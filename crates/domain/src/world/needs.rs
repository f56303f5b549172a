//! What a transaction must have read before it can decide: asked round by round until nothing is missing.

use std::collections::BTreeMap;
use std::hash::Hash;

use foldhash::HashSet;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::{Key, World};
use crate::conflict::{Conflict, ConflictStatus};
use crate::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Version};
use crate::op::{Op, Operation};
use crate::record::{Record, values_of};
use crate::schema::{Table, Unique, known_table, tables};
use crate::value::{Kind, Target, Value};

/// Rows of a table whose reference field points to an id: table, field index, id.
pub type ReferenceKey = (&'static str, usize, Uuid);
/// A uniqueness rule of a table and the values one row holds: table, rule index, values.
pub type UniqueKey = (&'static str, usize, Vec<Value>);

/// Rows to read. Each set is read with few statements, however large it is; who reads brings it into an order.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Ops by id.
    pub ops: HashSet<OpId>,
    /// All ops of a device about a record.
    pub device_records: HashSet<(DeviceId, RecordId)>,
    /// Rows by id.
    pub records: HashSet<Key>,
    /// Older versions of rows.
    pub snapshots: HashSet<(Key, Version)>,
    /// Clashes by id.
    pub conflicts: HashSet<ConflictId>,
    /// Open clashes about rows.
    pub open_conflicts: HashSet<RecordId>,
    /// Rows that point to a row.
    pub children: HashSet<ReferenceKey>,
    /// Live rows that hold unique values.
    pub holders: HashSet<UniqueKey>,
    /// People that rows point to.
    pub people: HashSet<PersonId>,
    /// Other names of rows that are not there, or no longer.
    pub aliases: HashSet<Key>,
    /// Ops that wait for these ops or rows.
    pub waiters: HashSet<Uuid>,
    /// Who stands behind ops that wait.
    pub authors: HashSet<(PersonId, DeviceId)>,
    /// Whole tables, live rows: only for what touches all of them.
    pub tables: HashSet<&'static str>,
}

impl Needs {
    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
            && self.device_records.is_empty()
            && self.records.is_empty()
            && self.snapshots.is_empty()
            && self.conflicts.is_empty()
            && self.open_conflicts.is_empty()
            && self.children.is_empty()
            && self.holders.is_empty()
            && self.people.is_empty()
            && self.aliases.is_empty()
            && self.waiters.is_empty()
            && self.authors.is_empty()
            && self.tables.is_empty()
    }

    fn without(self, loaded: &Self) -> Self {
        fn minus<T: Eq + Hash>(mut set: HashSet<T>, loaded: &HashSet<T>) -> HashSet<T> {
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
            aliases: minus(self.aliases, &loaded.aliases),
            waiters: minus(self.waiters, &loaded.waiters),
            authors: minus(self.authors, &loaded.authors),
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
        self.aliases.extend(other.aliases.iter().copied());
        self.waiters.extend(other.waiters.iter().copied());
        self.authors.extend(other.authors.iter().copied());
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
        self.need_waiters(&mut needs);
        self.need_clashes(&mut needs);
        self.only_missing(needs)
    }

    pub(super) fn only_missing(&self, needs: Needs) -> Needs {
        needs.without(&self.loaded)
    }

    /// A row that is written or touched takes its clashes along, also where only its derived values follow; and a clash
    /// takes along what closing it may write.
    pub(super) fn need_clashes(&self, needs: &mut Needs) {
        let follows = |(table, _): &&Key| matches!(*table, "animals" | "classes" | "rings" | "entries" | "exhibitors");
        needs.open_conflicts.extend(needs.records.iter().filter(follows).map(|(_, id)| *id));
        let written = needs.children.iter().filter(|(table, _, _)| matches!(*table, "placings" | "entries"));
        let written = written.filter_map(|key| self.children.get(key)).flatten();
        needs.open_conflicts.extend(written.copied());
        if needs.tables.contains("placings") {
            needs.open_conflicts.extend(self.records.keys().filter(|key| key.0 == "placings").map(|key| key.1));
        }
        let named = needs.open_conflicts.iter().flat_map(|row| self.clashes_naming(*row));
        let open = named.filter(|conflict| conflict.status == ConflictStatus::Open);
        let open: BTreeMap<ConflictId, &Conflict> = open.map(|conflict| (conflict.id, conflict)).collect();
        for conflict in open.into_values() {
            needs.ops.extend(conflict.op_ids.iter().copied());
            needs.records.insert((conflict.table.name, conflict.record_id));
            for part in &conflict.parts {
                needs.records.insert((part.table.name, part.record_id));
                needs.open_conflicts.insert(part.record_id);
            }
            if conflict.parts.is_empty() && !conflict.clean.is_empty() {
                self.need_outcomes(conflict, &Map::new(), needs);
            }
        }
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
            needs.ops.extend(
                self.clashes_naming(conflict.record_id).filter(about).flat_map(|other| other.op_ids.iter().copied()),
            );
            needs.waiters.extend(conflict.op_ids.iter().map(|op| op.0));
            needs.waiters.extend(rows.into_iter().flatten().map(|row| row.0));
            for (table, field) in referrers(conflict.table.name) {
                needs.children.insert((table, field, conflict.record_id.0));
            }
            if conflict.parts.is_empty() {
                self.need_outcomes(conflict, manual, &mut needs);
            }
            self.need_parts(conflict, manual, &mut needs);
            if let Some(same) = manual.get("same_as") {
                self.need_same(conflict, same, &mut needs);
            }
            // Whether it can be taken back is told by what has come under the name since.
            let decided = conflict.decisions.last().and_then(|decision| decision.get("before"));
            if decided.is_some_and(|before| before.get("same_as").is_some()) {
                needs.aliases.insert((conflict.table.name, conflict.record_id));
            }
        }
        self.need_waiters(&mut needs);
        self.need_clashes(&mut needs);
        self.only_missing(needs)
    }

    /// The rows of a group and what they must be checked against; the weigh-ins that a rule is about.
    fn need_parts(&self, conflict: &Conflict, manual: &Map<String, Json>, needs: &mut Needs) {
        let nothing = Map::new();
        for part in &conflict.parts {
            let key = (part.table.name, part.record_id);
            needs.records.insert(key);
            needs.open_conflicts.insert(part.record_id);
            needs.waiters.insert(part.record_id.0);
            needs.records.extend(part.other_record_id.map(|id| (part.table.name, id)));
            for data in [&part.client, &part.server].into_iter().flatten() {
                let values = values_of(part.table, data).unwrap_or_default();
                self.need_around(part.table, key, &|field| values.get(field).cloned(), needs);
            }
            let client = part.client.as_ref().and_then(|data| values_of(part.table, data).ok()).unwrap_or_default();
            let wanted = if client.is_empty() { Vec::new() } else { super::unique_keys(part.table, &client) };
            let holders = wanted.iter().filter_map(|key| self.holders.get(key).copied()).chain(part.other_record_id);
            for holder in holders {
                // Its value may be taken from it: what follows from its other values is worked out again then.
                self.need_around(part.table, (part.table.name, holder), &|_| None, needs);
                needs.open_conflicts.insert(holder);
            }
            let own = manual.get(&part.record_id.to_string()).and_then(Json::as_object).unwrap_or(&nothing);
            self.need_outcomes(&conflict.of_part(part), own, needs);
        }
        if conflict.is_about_weights() {
            needs.records.extend(conflict.other_record_id.map(|id| ("weigh_ins", id)));
            let ops = conflict.op_ids.iter().filter_map(|id| self.op(*id));
            needs.records.extend(ops.filter_map(|op| op.record_id.map(|id| ("weigh_ins", id))));
            needs.children.insert(("weigh_ins", known_table("weigh_ins").index("animal_id"), conflict.record_id.0));
        }
    }

    /// What the rows that a decision or its undo can make must be checked against.
    fn need_outcomes(&self, conflict: &Conflict, manual: &Map<String, Json>, needs: &mut Needs) {
        let table = conflict.table;
        if table.name == "shows" {
            // Who may see results may change for all of them at once.
            needs.tables.extend(["classes", "placings"]);
        }
        let present = self.record((table.name, conflict.record_id)).map(|record| record.values.clone());
        let client = conflict.client_data.as_ref().and_then(|data| values_of(table, data).ok());
        let mut rows: Vec<Vec<Value>> = present.into_iter().chain(client).collect();
        let before = conflict.decisions.last().and_then(|decision| decision.get("before")?.get("values")?.as_object());
        let other = manual.get("other_data").and_then(Json::as_object);
        let holder = conflict.other_record_id.and_then(|id| self.record((table.name, id)));
        rows.extend(holder.filter(|_| other.is_some()).map(|record| record.values.clone()));
        for paths in [Some(manual), before, other].into_iter().flatten() {
            let changed: Vec<(usize, Value)> = decode_paths(table, paths);
            let variants: Vec<Vec<Value>> = rows.iter().map(|row| patched(row, &changed)).collect();
            rows.extend(variants);
        }
        for row in rows {
            need_uniques(table, |_| true, &|field| Some(row[field].clone()), needs);
            // A row that is not there yet tells nothing: what follows from it is named by the values it would get.
            self.need_around(table, (table.name, conflict.record_id), &|field| Some(row[field].clone()), needs);
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

    /// Whether somebody's rights were asked for, found or not.
    pub fn was_author_loaded(&self, person: PersonId, device: DeviceId) -> bool {
        self.loaded.authors.contains(&(person, device))
    }

    /// Remembers that these were read; what was not found does not exist.
    pub fn mark_loaded(&mut self, needs: &Needs) {
        self.loaded.extend(needs);
    }

    pub(super) fn need_op(&self, device: DeviceId, sent: &Op, needs: &mut Needs) {
        let op = &*self.under_true_names(sent);
        let key = (op.table.name, op.record_id);
        needs.ops.insert(op.id);
        needs.records.insert(key);
        needs.open_conflicts.insert(op.record_id);
        needs.waiters.extend([op.id.0, op.record_id.0]);
        if op.prev_op_id.is_some() {
            needs.ops.extend(op.prev_op_id);
            needs.device_records.insert((device, sent.record_id));
        }
        if op.operation == Operation::Insert {
            // Its row is not there as a rule, so what else it may be called is asked at once.
            needs.aliases.extend([(sent.table.name, sent.record_id), key]);
        } else {
            self.need_names(device, (sent.table.name, sent.record_id), needs);
            self.need_names(device, key, needs);
        }
        if let Some(record) = self.record(key)
            && op.base_version < record.version
            && op.operation != Operation::Insert
            && !self.snapshots.contains_key(&(key, op.base_version))
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
                self.need_names(device, (target, RecordId(id)), needs);
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

    /// A row that is not there may have another name, or its insert may wait; one that is gone may have been the same
    /// thing as another.
    fn need_names(&self, device: DeviceId, key: Key, needs: &mut Needs) {
        let record = self.record(key);
        if !self.loaded.records.contains(&key) || record.is_some_and(Record::is_live) {
            return;
        }
        needs.aliases.insert(key);
        if record.is_none() {
            needs.device_records.insert((device, key.1));
        }
    }

    /// Rows that place a row (its class, its animal) and rows that its derived values follow from.
    pub(super) fn need_around(
        &self,
        table: &'static Table,
        key: Key,
        patch: &dyn Fn(usize) -> Option<Value>,
        needs: &mut Needs,
    ) {
        let id_of = |path: &str| {
            let index = table.index(path);
            let before = self.record(key).and_then(|row| row.values[index].as_id());
            [patch(index).and_then(|value| value.as_id()), before].into_iter().flatten().collect::<Vec<_>>()
        };
        match table.name {
            "animals" => {
                need_children(needs, "weigh_ins", "animal_id", &[key.1.0]);
                // Its weights follow it to another exhibitor, and their clashes with them.
                if patch(table.index("exhibitor_id")).is_some() {
                    let weights = self.children_of("weigh_ins", "animal_id", key.1.0);
                    needs.open_conflicts.extend(weights.iter().map(|row| row.id));
                }
            }
            "weigh_ins" => {
                let animals = id_of("animal_id");
                need_rows(needs, "animals", &animals);
                need_children(needs, "weigh_ins", "animal_id", &animals);
                if patch(table.index("kind")).is_some_and(|kind| kind.as_text() == Some("weigh_back")) {
                    need_children(needs, "entries", "animal_id", &animals);
                    let entries = animals.iter().flat_map(|animal| self.children_of("entries", "animal_id", *animal));
                    let entries: Vec<Uuid> = entries.map(|entry| entry.id.0).collect();
                    need_children(needs, "placings", "entry_id", &entries);
                }
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
                self.need_placed(&classes, needs);
            }
            "entries" => {
                if patch(table.index("out_reason")).is_some_and(|out| !out.is_null()) {
                    need_children(needs, "placings", "entry_id", &[key.1.0]);
                }
                need_rows(needs, "animals", &id_of("animal_id"));
                need_rows(needs, "classes", &id_of("family_id"));
                need_rows(needs, "classes", &id_of("class_id"));
                if self.record(key).is_some() {
                    // Its results follow it to another exhibitor.
                    need_children(needs, "placings", "entry_id", &[key.1.0]);
                    let results = self.children_of("placings", "entry_id", key.1.0);
                    let classes: Vec<Uuid> = results.iter().filter_map(|row| row.value("class_id").as_id()).collect();
                    need_rows(needs, "classes", &classes);
                }
            }
            _ => {}
        }
    }
}

impl World {
    /// The entries of a class's placings: whose animal was placed, and whether it is out.
    fn need_placed(&self, classes: &[Uuid], needs: &mut Needs) {
        let placings = classes.iter().flat_map(|class| self.children_of("placings", "class_id", *class));
        let entries: Vec<Uuid> = placings.filter_map(|row| row.value("entry_id").as_id()).collect();
        need_rows(needs, "entries", &entries);
        for entry in entries.iter().filter_map(|id| self.record(("entries", RecordId(*id)))) {
            for (field, target) in entry.table.references() {
                needs.records.extend(entry.values[field].as_id().map(|id| (target, RecordId(id))));
            }
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
