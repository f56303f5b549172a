//! Three-way merge of one op with what the desk has, field by field.
//!
//! B is the author's view, S the desk's row, C the row as the author wants it. `C == S` needs
//! nothing, `S == B` takes C, `C == B` keeps S; otherwise the field's policy decides, and where it
//! cannot, a person does. Fields of a group (DOMAIN.md §3) are merged as one. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::actor::Actor;
use crate::op::Rejection;
use crate::record::{Provenance, Record};
use crate::schema::{Policy, Table};
use crate::value::Value;

/// What the author saw when making the edit: PROTOCOL.md §4, the author's view B.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorView {
    /// One value a field; `None` where nobody knows any more.
    pub values: Vec<Option<Value>>,
    /// Fields that the op's own `base` tells differently: they count as changed by others.
    pub doubted: BTreeSet<usize>,
}

impl AuthorView {
    /// A view of a row as it is: nothing is in doubt.
    pub fn of(values: &[Value]) -> Self {
        Self { values: values.iter().cloned().map(Some).collect(), doubted: BTreeSet::new() }
    }

    /// The view of somebody who saw no row at all.
    pub fn empty(table: &Table) -> Self {
        Self { values: vec![Some(Value::Null); table.fields.len()], doubted: BTreeSet::new() }
    }

    fn saw(&self, field: usize, value: &Value) -> bool {
        !self.doubted.contains(&field) && self.values[field].as_ref() == Some(value)
    }
}

/// What becomes of each field of an op.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Fields to write with the op's values.
    pub take: Vec<usize>,
    /// Fields in which a policy chose between two different values, the op's or the desk's.
    pub chosen: Vec<usize>,
    /// Fields that a person must decide.
    pub contested: Vec<usize>,
}

/// The desk's side of a merge.
#[derive(Debug, Clone, Copy)]
pub struct DeskRow<'a> {
    /// Its values.
    pub values: &'a [Value],
    /// Who wrote its ROLE, INBOX and FWW fields.
    pub provenance: &'a Provenance,
}

impl<'a> From<&'a Record> for DeskRow<'a> {
    fn from(record: &'a Record) -> Self {
        Self { values: &record.values, provenance: &record.provenance }
    }
}

/// Merges an op's patch. `reason` tells whether the author gave one: going back in a STAGE needs it.
pub fn merge(
    table: &Table,
    actor: &Actor,
    view: &AuthorView,
    desk: DeskRow<'_>,
    patch: &BTreeMap<usize, Value>,
    reason: bool,
) -> Result<Merged, Rejection> {
    let mut merged = Merged::default();
    let mut seen = BTreeSet::new();
    for field in patch.keys() {
        let group = table.group_of(*field);
        if seen.insert(group[0]) {
            merge_group(&Unit { table, actor, view, desk, patch, reason, group }, &mut merged)?;
        }
    }
    Ok(merged)
}

struct Unit<'a> {
    table: &'a Table,
    actor: &'a Actor,
    view: &'a AuthorView,
    desk: DeskRow<'a>,
    patch: &'a BTreeMap<usize, Value>,
    reason: bool,
    group: &'a [usize],
}

impl Unit<'_> {
    /// The value the author wants: the op's, else what it saw.
    fn wanted(&self, field: usize) -> Option<&Value> {
        self.patch.get(&field).or(self.view.values[field].as_ref())
    }

    fn is_same(&self) -> bool {
        self.group.iter().all(|field| self.wanted(*field) == Some(&self.desk.values[*field]))
    }

    fn desk_unchanged(&self) -> bool {
        self.group.iter().all(|field| self.view.saw(*field, &self.desk.values[*field]))
    }

    fn author_unchanged(&self) -> bool {
        self.group.iter().all(|field| self.patch.get(field).is_none_or(|value| self.view.saw(*field, value)))
    }

    fn sent(&self) -> impl Iterator<Item = usize> + '_ {
        self.group.iter().copied().filter(|field| self.patch.contains_key(field))
    }
}

fn merge_group(unit: &Unit<'_>, merged: &mut Merged) -> Result<(), Rejection> {
    if unit.is_same() || unit.sent().all(|field| unit.patch[&field] == unit.desk.values[field]) {
        return Ok(());
    }
    let lead = unit.sent().next().expect("a group is merged because the op sets one of its fields");
    if unit.desk_unchanged() {
        return match unseen_rule(unit, lead)? {
            Side::Author => {
                merged.take.extend(unit.sent());
                Ok(())
            }
            Side::Desk => {
                merged.chosen.extend(unit.sent());
                Ok(())
            }
            Side::Person => {
                merged.contested.extend(unit.sent());
                Ok(())
            }
        };
    }
    if unit.author_unchanged() {
        return Ok(());
    }
    match policy_side(unit, lead) {
        Side::Author => {
            merged.take.extend(unit.sent());
            merged.chosen.extend(unit.sent());
        }
        Side::Desk => merged.chosen.extend(unit.sent()),
        Side::Person => merged.contested.extend(
            unit.group
                .iter()
                .copied()
                .filter(|field| unit.patch.contains_key(field) || !unit.view.saw(*field, &unit.desk.values[*field])),
        ),
    }
    Ok(())
}

enum Side {
    Author,
    Desk,
    Person,
}

/// Rules that hold even where nobody else wrote: the first value stays, a stage goes back only with a reason.
fn unseen_rule(unit: &Unit<'_>, lead: usize) -> Result<Side, Rejection> {
    let field = &unit.table.fields[lead];
    let (wanted, present) = (&unit.patch[&lead], &unit.desk.values[lead]);
    match field.policy {
        Policy::FirstWriter if !present.is_null() => {
            if !wanted.is_null() {
                return Ok(Side::Desk);
            }
            let author = unit.desk.provenance.get(field.path).and_then(|mark| mark.by);
            if author == Some(unit.actor.person) || unit.actor.is_admin() {
                Ok(Side::Author)
            } else {
                Err(Rejection::of_field("forbidden", field.path, "only its author or an admin takes it back"))
            }
        }
        Policy::Stage(order) if stage_rank(order, wanted) < stage_rank(order, present) => {
            if unit.reason {
                Ok(Side::Author)
            } else {
                Err(Rejection::of_field("required", "reason", "going back needs a reason"))
            }
        }
        Policy::StageMark if wanted.is_null() && !present.is_null() => {
            if !unit.actor.is_admin() {
                Err(Rejection::of_field("forbidden", field.path, "only an admin takes it back"))
            } else if unit.reason {
                Ok(Side::Author)
            } else {
                Err(Rejection::of_field("required", "reason", "going back needs a reason"))
            }
        }
        _ => Ok(Side::Author),
    }
}

/// Who wins a field that both sides changed to different values.
fn policy_side(unit: &Unit<'_>, lead: usize) -> Side {
    let field = &unit.table.fields[lead];
    let (wanted, present) = (&unit.patch[&lead], &unit.desk.values[lead]);
    match field.policy {
        Policy::LastWriter => Side::Author,
        Policy::FirstWriter | Policy::StageMark => {
            if present.is_null() {
                Side::Author
            } else {
                Side::Desk
            }
        }
        Policy::Stage(order) => {
            if stage_rank(order, wanted) > stage_rank(order, present) {
                Side::Author
            } else {
                Side::Desk
            }
        }
        Policy::Role | Policy::RoleLatest => {
            let desk_rank = unit.desk.provenance.get(field.path).map_or(0, |mark| mark.rank);
            match unit.actor.rank().cmp(&desk_rank) {
                std::cmp::Ordering::Greater => Side::Author,
                std::cmp::Ordering::Less => Side::Desk,
                std::cmp::Ordering::Equal if field.policy == Policy::RoleLatest => Side::Author,
                std::cmp::Ordering::Equal => Side::Person,
            }
        }
        Policy::Inbox | Policy::Fixed | Policy::Derived => Side::Person,
    }
}

/// The place of a value in an ordered list of stages; null is below all.
fn stage_rank(order: &[&str], value: &Value) -> Option<usize> {
    value.as_text().and_then(|word| order.iter().position(|stage| *stage == word))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value as Json;
    use uuid::Uuid;

    use super::*;
    use crate::actor::Function;
    use crate::fixtures::{actor, patch};
    use crate::ids::{PersonId, Version};
    use crate::record::Mark;
    use crate::schema::known_table;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(rename = "about")]
        _about: String,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        table: String,
        base: Json,
        server: Json,
        client: Json,
        #[serde(default = "scale")]
        functions: Vec<Function>,
        #[serde(default)]
        marks: BTreeMap<String, Told>,
        #[serde(default)]
        doubted: Vec<String>,
        #[serde(default)]
        unknown: Vec<String>,
        #[serde(default)]
        reason: bool,
        error: Option<String>,
        #[serde(default)]
        take: Vec<String>,
        #[serde(default)]
        contested: Vec<String>,
        #[serde(default)]
        chosen: Vec<String>,
    }

    fn scale() -> Vec<Function> {
        vec![Function::Scale]
    }

    /// Who stands behind the desk's value.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Told {
        rank: i64,
        by: Who,
    }

    #[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Who {
        Author,
        Other,
    }

    /// A row's values; what is not named is null.
    fn row(table: &Table, fields: &Json) -> Vec<Value> {
        let mut values = vec![Value::Null; table.fields.len()];
        for (field, value) in patch(table, fields) {
            values[field] = value;
        }
        values
    }

    fn run(case: &Case) -> Result<Merged, Rejection> {
        let table = known_table(&case.table);
        let author = Actor { functions: case.functions.clone(), ..actor() };
        let mut view = AuthorView::of(&row(table, &case.base));
        for path in &case.unknown {
            view.values[table.index(path)] = None;
        }
        view.doubted.extend(case.doubted.iter().map(|path| table.index(path)));
        let marks = case.marks.iter().map(|(path, told)| {
            let by = if told.by == Who::Author { author.person } else { PersonId(Uuid::from_u128(99)) };
            (path.clone(), Mark { version: Version(1), rank: told.rank, by: Some(by) })
        });
        let (values, provenance) = (row(table, &case.server), marks.collect());
        let desk = DeskRow { values: &values, provenance: &provenance };
        merge(table, &author, &view, desk, &patch(table, &case.client), case.reason)
    }

    fn paths(table: &Table, fields: &[usize]) -> Vec<String> {
        fields.iter().map(|index| table.fields[*index].path.to_owned()).collect()
    }

    #[test]
    fn fields_are_merged_as_the_vectors_say() {
        let file: File = serde_json::from_str(include_str!("../../../tests/vectors/merge.json")).expect("vectors");
        for case in &file.cases {
            let merged = run(case);
            let error = merged.as_ref().err().map(|rejection| rejection.code);
            assert_eq!(error, case.error.as_deref(), "{}", case.name);
            let merged = merged.unwrap_or_default();
            let table = known_table(&case.table);
            assert_eq!(paths(table, &merged.take), case.take, "{}: take", case.name);
            assert_eq!(paths(table, &merged.contested), case.contested, "{}: contested", case.name);
            assert_eq!(paths(table, &merged.chosen), case.chosen, "{}: chosen", case.name);
        }
    }

    #[test]
    fn the_vectors_have_a_case_for_every_policy_that_two_people_can_meet() {
        let file: File = serde_json::from_str(include_str!("../../../tests/vectors/merge.json")).expect("vectors");
        let mut met = BTreeSet::new();
        for case in &file.cases {
            let table = known_table(&case.table);
            for field in patch(table, &case.client).keys() {
                let policy = table.fields[*field].policy;
                met.insert(format!("{policy:?}").split('(').next().unwrap_or_default().to_owned());
            }
        }
        let policies = ["FirstWriter", "Inbox", "LastWriter", "Role", "Stage", "StageMark"];
        assert_eq!(met.iter().map(String::as_str).collect::<Vec<_>>(), policies);
    }
}
