//! What must hold before an op or a decision is written: rights, scope, references, children.

use std::collections::BTreeMap;

use super::needs::referrers;
use super::{Author, World};
use crate::ids::{PersonId, RecordId};
use crate::op::{Op, Rejection};
use crate::permit::{self, Action, Place, Resource, Writing};
use crate::record::Record;
use crate::schema::{Table, known_table};
use crate::value::{Kind, Target, Value};

impl World {
    /// Whether the author may apply the op now, and there.
    pub(super) fn authorize(&self, author: &Author, op: &Op, record: Option<&Record>) -> Result<(), Rejection> {
        let is_first_row = op.table.name == "shows" && self.show().is_none() && op.record_id.0 == self.show_id;
        if is_first_row && author.actor.is_admin() {
            return Ok(());
        }
        let class = self.class_of(op, record);
        let official = matches!(op.table.name, "placings" | "class_calls")
            && class.is_some_and(|class| !class.value("official_at").is_null());
        let mut places = vec![self.place(op, record, class)];
        if record.is_some() {
            // A row that lies elsewhere is not brought home by the change itself.
            let bare = Op { patch: BTreeMap::new(), ..op.clone() };
            places.push(self.place(&bare, record, self.class_of(&bare, record)));
        }
        let class_ring = class.and_then(|class| class.value("ring_id").as_id());
        places.push(Place { ring: class_ring, ..Place::default() });
        let own = record.is_some_and(|record| record.updated_by == Some(author.actor.person));
        let writing = Writing { record, places, own, official, ..self.writing(op) };
        permit::authorize(&author.actor, Action::Write, &Resource::Row(&writing))
    }

    /// The same for a row that has not come yet: what only its author may do is asked again when it is there.
    pub(super) fn authorize_absent(&self, author: &Author, op: &Op) -> Result<(), Rejection> {
        let places = vec![self.place(op, None, self.class_of(op, None))];
        let writing = Writing { places, own: true, ..self.writing(op) };
        permit::authorize(&author.actor, Action::Write, &Resource::Row(&writing))
    }

    fn writing<'a>(&self, op: &'a Op) -> Writing<'a> {
        let policy = self.show().and_then(|show| show.value("rules.reweigh_policy").as_text());
        let reweighs = !matches!(policy, Some("weigh_once" | "declared"));
        let stage = self.locking_stage();
        Writing { op, stage, record: None, places: Vec::new(), own: false, official: false, reweighs }
    }

    fn value_of(op: &Op, record: Option<&Record>, path: &str) -> Option<Value> {
        let field = op.table.field(path)?;
        op.patch.get(&field).cloned().or_else(|| record.map(|record| record.values[field].clone()))
    }

    fn related(&self, op: &Op, record: Option<&Record>, path: &str, table: &'static str) -> Option<&Record> {
        let id = Self::value_of(op, record, path)?.as_id()?;
        self.records.get(&(table, RecordId(id)))
    }

    fn class_of(&self, op: &Op, record: Option<&Record>) -> Option<&Record> {
        match op.table.name {
            "classes" => self.records.get(&("classes", op.record_id)),
            "placings" | "class_calls" => self.related(op, record, "class_id", "classes"),
            "entries" => self
                .related(op, record, "class_id", "classes")
                .or_else(|| self.related(op, record, "family_id", "classes")),
            _ => None,
        }
    }

    fn place(&self, op: &Op, record: Option<&Record>, class: Option<&Record>) -> Place {
        let text = |value: Option<Value>| value.and_then(|value| value.as_text().map(str::to_owned));
        let animal = match op.table.name {
            "weigh_ins" | "entries" => self.related(op, record, "animal_id", "animals"),
            _ => None,
        };
        let department = match op.table.name {
            "animals" => text(Self::value_of(op, record, "species")),
            "classes" => text(Self::value_of(op, record, "department")),
            _ => animal
                .map(|animal| animal.value("species"))
                .or_else(|| class.map(|class| class.value("department")))
                .and_then(|value| value.as_text().map(str::to_owned)),
        };
        let ring = match op.table.name {
            "rings" => Some(op.record_id.0),
            "classes" | "class_calls" => Self::value_of(op, record, "ring_id").and_then(|value| value.as_id()),
            _ => None,
        };
        let ring = ring.or_else(|| class.and_then(|class| class.value("ring_id").as_id()));
        Place { department, ring }
    }

    /// References of a whole row must point to rows and people that are there.
    pub(super) fn check_rows_exist(&self, table: &Table, values: &[Value]) -> Result<(), Rejection> {
        values.iter().enumerate().try_for_each(|(field, value)| self.check_exists(table, field, value))
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
