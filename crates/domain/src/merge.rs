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
    use super::*;
    use crate::fixtures::{actor, values};
    use crate::schema::known_table;
    use serde_json::json;

    fn run(table: &str, base: &serde_json::Value, desk: &serde_json::Value, patch: &serde_json::Value) -> Merged {
        let table = known_table(table);
        let (base, desk) = (values(table, base), values(table, desk));
        let patch = crate::fixtures::patch(table, patch);
        let desk = DeskRow { values: &desk, provenance: &Provenance::new() };
        merge(table, &actor(), &AuthorView::of(&base), desk, &patch, false).expect("a merge")
    }

    fn paths(table: &str, fields: &[usize]) -> Vec<&'static str> {
        fields.iter().map(|index| known_table(table).fields[*index].path).collect()
    }

    #[test]
    fn different_fields_stand_both() {
        let merged =
            run("animals", &json!({"tag": "1", "pen": "A"}), &json!({"tag": "2", "pen": "A"}), &json!({"pen": "B"}));
        assert_eq!(paths("animals", &merged.take), ["pen"]);
        assert!(merged.contested.is_empty() && merged.chosen.is_empty());
    }

    #[test]
    fn the_same_new_value_needs_nothing() {
        let merged = run("animals", &json!({"tag": "1"}), &json!({"tag": "2"}), &json!({"tag": "2"}));
        assert_eq!(merged, Merged::default());
    }

    #[test]
    fn two_tags_ask_a_person_and_two_pens_do_not() {
        let merged = run(
            "animals",
            &json!({"tag": "1", "pen": "A"}),
            &json!({"tag": "2", "pen": "B"}),
            &json!({"tag": "3", "pen": "C"}),
        );
        assert_eq!(paths("animals", &merged.contested), ["tag"]);
        assert_eq!(paths("animals", &merged.take), ["pen"]);
        assert_eq!(paths("animals", &merged.chosen), ["pen"]);
    }

    #[test]
    fn fields_of_a_group_travel_together() {
        let merged = run(
            "placings",
            &json!({"place": 1, "award": "Champion"}),
            &json!({"place": 1, "award": "Reserve"}),
            &json!({"place": 2}),
        );
        assert_eq!(paths("placings", &merged.contested), ["place", "award"]);
    }

    #[test]
    fn the_higher_stage_wins_and_the_first_arrival_stays() {
        let merged = run(
            "entries",
            &json!({"status": "entered"}),
            &json!({"status": "ready"}),
            &json!({"status": "checked_in"}),
        );
        assert_eq!((merged.take.len(), paths("entries", &merged.chosen)), (0, vec!["status"]));
        let merged = run(
            "animals",
            &json!({}),
            &json!({"arrived_at": "2026-08-07T08:00:00Z"}),
            &json!({"arrived_at": "2026-08-07T08:02:00Z"}),
        );
        assert_eq!((merged.take.len(), paths("animals", &merged.chosen)), (0, vec!["arrived_at"]));
    }

    #[test]
    fn a_doubted_field_counts_as_changed_by_others() {
        let table = known_table("animals");
        let row = values(table, &json!({"tag": "1"}));
        let mut view = AuthorView::of(&row);
        view.doubted.insert(table.index("tag"));
        let patch = crate::fixtures::patch(table, &json!({"tag": "2"}));
        let desk = DeskRow { values: &row, provenance: &Provenance::new() };
        let merged = merge(table, &actor(), &view, desk, &patch, false).expect("a merge");
        assert_eq!(paths("animals", &merged.contested), ["tag"]);
    }

    #[test]
    fn a_stage_goes_back_only_with_a_reason() {
        let table = known_table("entries");
        let row = values(table, &json!({"status": "ready"}));
        let patch = crate::fixtures::patch(table, &json!({"status": "entered"}));
        let desk = DeskRow { values: &row, provenance: &Provenance::new() };
        let run = |reason| merge(table, &actor(), &AuthorView::of(&row), desk, &patch, reason);
        assert_eq!(run(false).map_err(|rejection| rejection.code), Err("required"));
        assert_eq!(run(true).map(|merged| merged.take.len()), Ok(1));
    }
}
