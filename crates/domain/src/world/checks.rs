//! What must hold before an op or a decision is written: rights, scope, references, children.

use std::collections::BTreeMap;

use super::needs::referrers;
use super::{Author, Key, World};
use crate::actor::Actor;
use crate::ids::{PersonId, RecordId};
use crate::op::{Op, Rejection};
use crate::permit::{self, Action, Place, Resource, Writing};
use crate::record::Record;
use crate::schema::{Table, known_table};
use crate::value::{Kind, Target, Value};

type Patch = BTreeMap<usize, Value>;

impl World {
    /// Whether the author may apply the op now, and there.
    pub(super) fn authorize(&self, actor: &Actor, op: &Op, record: Option<&Record>) -> Result<(), Rejection> {
        let is_first_row = op.table.name == "shows" && self.show().is_none() && op.record_id.0 == self.show_id;
        if is_first_row && actor.is_admin() {
            return Ok(());
        }
        let class = self.class_of(op, &op.patch, record);
        let official = matches!(op.table.name, "placings" | "class_calls")
            && class.is_some_and(|class| !class.value("official_at").is_null());
        let mut places = vec![self.place(op, &op.patch, record, class)];
        if record.is_some() {
            // A row that lies elsewhere is not brought home by the change itself.
            let unchanged = Patch::new();
            places.push(self.place(op, &unchanged, record, self.class_of(op, &unchanged, record)));
        }
        let class_ring = class.and_then(|class| class.value("ring_id").as_id());
        places.push(Place { ring: class_ring, ..Place::default() });
        let own = record.is_some_and(|record| record.updated_by == Some(actor.person));
        let writing = Writing { record, places, own, official, ..self.writing(op) };
        permit::authorize(actor, Action::Write, &Resource::Row(&writing))
    }

    /// The same for a row that has not come yet: what only its author may do is asked again when it is there.
    pub(super) fn authorize_absent(&self, author: &Author, op: &Op) -> Result<(), Rejection> {
        let places = vec![self.place(op, &op.patch, None, self.class_of(op, &op.patch, None))];
        let writing = Writing { places, own: true, ..self.writing(op) };
        permit::authorize(&author.actor, Action::Write, &Resource::Row(&writing))
    }

    fn writing<'a>(&self, op: &'a Op) -> Writing<'a> {
        let policy = self.show().and_then(|show| show.value("rules.reweigh_policy").as_text());
        let reweighs = !matches!(policy, Some("weigh_once" | "declared"));
        let stage = self.locking_stage();
        Writing { op, stage, record: None, places: Vec::new(), own: false, official: false, reweighs }
    }

    /// The class that a row belongs to, as it stands with that patch on it.
    fn class_of(&self, op: &Op, patch: &Patch, record: Option<&Record>) -> Option<&Record> {
        let related = |name: &str| self.related(value_of(op.table, patch, record, name), "classes");
        match op.table.name {
            "classes" => self.records.get(&("classes", op.record_id)),
            "placings" | "class_calls" => related("class_id"),
            "entries" => related("class_id").or_else(|| related("family_id")),
            _ => None,
        }
    }

    fn related(&self, reference: Option<&Value>, table: &'static str) -> Option<&Record> {
        self.records.get(&(table, RecordId(reference?.as_id()?)))
    }

    /// Where the row of an op lies with that patch on it.
    fn place(&self, op: &Op, patch: &Patch, record: Option<&Record>, class: Option<&Record>) -> Place {
        let value = |name: &str| value_of(op.table, patch, record, name);
        let animal = match op.table.name {
            "weigh_ins" | "entries" => self.related(value("animal_id"), "animals"),
            _ => None,
        };
        let department = match op.table.name {
            "animals" => value("species"),
            "classes" => value("department"),
            _ => animal.map(|animal| animal.value("species")).or_else(|| class.map(|class| class.value("department"))),
        };
        let department = department.and_then(Value::as_text).map(str::to_owned);
        let ring = match op.table.name {
            "rings" => Some(op.record_id.0),
            "classes" | "class_calls" => value("ring_id").and_then(Value::as_id),
            _ => None,
        };
        let ring = ring.or_else(|| class.and_then(|class| class.value("ring_id").as_id()));
        Place { department, ring }
    }

    /// References of a whole row must point to rows and people that are there. What the row is made to point to must be
    /// live, too; `before` are its values if it is live itself.
    pub(super) fn check_rows_exist(
        &self,
        (table, id): Key,
        values: &[Value],
        before: Option<&[Value]>,
    ) -> Result<(), Rejection> {
        let table = known_table(table);
        for (field, value) in values.iter().enumerate() {
            self.check_exists(table, field, value)?;
            if before.is_some_and(|before| before[field] == *value) {
                continue;
            }
            let path = table.fields[field].path;
            let (Kind::Id(Target::Table(target)), Some(parent)) = (&table.fields[field].kind, value.as_id()) else {
                continue;
            };
            let row = self.records.get(&(*target, RecordId(parent)));
            if row.is_some_and(|row| !row.is_live()) {
                return Err(Rejection::of_field("missing_reference", path, format!("the row in {target} was deleted")));
            }
            let belongs_to_it = row.is_some_and(|row| row.table == table && row.values[field].as_id() == Some(id.0));
            if *target == table.name && (parent == id.0 || belongs_to_it) {
                let detail = "a row cannot belong to what belongs to it";
                return Err(Rejection::of_field("cyclic_reference", path, detail));
            }
        }
        Ok(())
    }

    pub(super) fn check_exists(&self, table: &Table, field: usize, value: &Value) -> Result<(), Rejection> {
        let Some(id) = value.as_id() else { return Ok(()) };
        let path = table.fields[field].path;
        let missing = |what: String| Err(Rejection::of_field("missing_reference", path, what));
        match table.fields[field].kind {
            Kind::Id(Target::Table(target)) if !self.records.contains_key(&(target, RecordId(id))) => {
                missing(format!("there is no such row in {target}"))
            }
            Kind::Id(Target::Person) if !self.people.contains(&PersonId(id)) => {
                missing("there is no such person".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn has_live_children(&self, table: &Table, id: RecordId) -> bool {
        referrers(table.name).any(|(child, field)| {
            let path = known_table(child).fields[field].path;
            self.children_of(child, path, id.0).iter().any(|row| row.is_live())
        })
    }
}

/// A field of a row with that patch on it.
fn value_of<'a>(table: &Table, patch: &'a Patch, record: Option<&'a Record>, name: &str) -> Option<&'a Value> {
    let field = table.field(name)?;
    patch.get(&field).or_else(|| record.map(|record| &record.values[field]))
}
