//! The matrix of DOMAIN.md §4 as data: which function, by which permission, writes which fields of which table in which
//! stages. What no rule names is denied.

use super::Stage;
use crate::actor::Function;
use crate::op::Operation;
use crate::permission::Permission;

/// One cell of the matrix, or a part of one.
#[derive(Debug)]
pub(super) struct Rule {
    /// Whose rule it is.
    pub function: Function,
    /// The switch it hangs on.
    pub permission: Permission,
    stages: &'static str,
    /// The table it is about.
    pub table: &'static str,
    /// What may be done with a row.
    pub operation: Operation,
    fields: Fields,
    /// What must hold beside.
    pub limits: &'static [Limit],
}

#[derive(Debug)]
enum Fields {
    All,
    Only(&'static [&'static str]),
    But(&'static [&'static str]),
}

/// What must hold for a rule beside function, stage, table and field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Only rows the actor made.
    Own,
    /// The op's `reason` is required.
    Reason,
    /// The named choice field may be given one of these words, and one of these may be taken from it.
    Choice(&'static str, &'static [&'static str]),
    /// The op sets this field, too.
    With(&'static str),
    /// Only while the show's rules let animals be weighed again.
    Reweighs,
}

impl Rule {
    /// Whether the rule holds in that stage.
    pub(super) fn holds_in(&self, stage: Stage) -> bool {
        self.stages.contains(stage)
    }

    /// Whether the rule is about that field.
    pub(super) fn names(&self, path: &str) -> bool {
        match self.fields {
            Fields::All => true,
            Fields::Only(named) => named.contains(&path),
            Fields::But(left_out) => !left_out.contains(&path),
        }
    }
}

use Fields::{All, But, Only};
use Function::{Announcer, Checkin, Clerk, Gate, Scale, Superintendent, Vet};
use Limit::{Choice, Own, Reason, Reweighs, With};
use Operation::{Insert, Update};
use Permission::{
    Arrive, AtRing, Calls, Cards, CheckIn, Classes, EditContacts, Entries, FixTags, FixWeights, Health, Messages,
    VoidOwnWeight, Weigh,
};

const ARRIVED: Fields = Only(&["arrived_at", "arrived_by"]);
const IDENTITY: Fields = Only(&["id_check", "official_id", "ear_notch", "tattoo", "reg_number"]);
const KIND: Fields = Only(&["breed", "sex"]);
const PEN: Fields = Only(&["pen", "note"]);
const NEW_ANIMAL: Fields = But(&["health_check", "init_weight_x10", "init_weighed_on", "released_at"]);
const NEW_ENTRY: Fields = But(&["class_id", "out_reason", "catalogue_no"]);
const CONTACT: Fields = Only(&[
    "first_name",
    "last_name",
    "club_chapter",
    "county",
    "program",
    "guardian_phone",
    "advisor_id",
    "back_number",
]);
/// What only an admin changes of an animal or an exhibitor.
const OFFICE: Fields = But(&["init_weight_x10", "init_weighed_on", "merged_into"]);
const OWN_ANIMAL: Fields = But(&["init_weight_x10", "init_weighed_on", "tag"]);
const OFFICIAL: &[&str] = &["official_at", "official_by"];
const VOID: Fields = Only(&["voided_at", "voided_by", "voided_reason"]);
const CHECKED_IN: &[Limit] = &[Choice("status", &["checked_in"])];
const REWEIGH: &[Limit] = &[Choice("kind", &["reweigh"])];
const REWEIGH_BY_RULE: &[Limit] = &[Choice("kind", &["reweigh"]), Reweighs];
const READY: &[Limit] = &[Choice("status", &["ready"])];
const SHOWN: &[Limit] = &[Choice("status", &["shown"])];
const ABSENT: &[Limit] = &[Choice("out_reason", &["no_show", "scratch"])];

pub(super) const RULES: &[Rule] = &[
    // Superintendent, while entries are taken: everything of the own department.
    rule(Superintendent, Entries, "A", "exhibitors", Insert, OFFICE, &[]),
    rule(Superintendent, Entries, "A", "exhibitors", Update, OFFICE, &[]),
    rule(Superintendent, Entries, "A", "animals", Insert, OFFICE, &[]),
    rule(Superintendent, Entries, "A", "animals", Update, OWN_ANIMAL, &[]),
    rule(Superintendent, Entries, "A", "entries", Insert, All, &[]),
    rule(Superintendent, Entries, "A", "entries", Update, All, &[]),
    rule(Superintendent, FixWeights, "A", "weigh_ins", Insert, All, &[Choice("kind", &["initial", "declared"])]),
    // Tag, breed, class, out, void weight and weigh again; what a barn needs of check-in.
    rule(Superintendent, FixTags, "AB", "animals", Update, Only(&["tag"]), &[]),
    rule(Superintendent, Entries, "B", "animals", Update, KIND, &[]),
    rule(Superintendent, CheckIn, "B", "animals", Update, ARRIVED, &[]),
    rule(Superintendent, CheckIn, "B", "animals", Update, IDENTITY, &[]),
    rule(Superintendent, CheckIn, "BC", "animals", Update, PEN, &[]),
    rule(Superintendent, Entries, "B", "entries", Update, Only(&["class_id", "out_reason"]), &[]),
    rule(Superintendent, FixWeights, "AB", "weigh_ins", Update, VOID, &[]),
    rule(Superintendent, FixWeights, "B", "weigh_ins", Insert, All, REWEIGH),
    rule(Superintendent, FixWeights, "C", "weigh_ins", Insert, All, REWEIGH_BY_RULE),
    rule(Superintendent, Classes, "ABC", "classes", Insert, But(OFFICIAL), &[]),
    rule(Superintendent, Classes, "ABC", "classes", Update, But(OFFICIAL), &[]),
    // Move, combine, split; order.
    rule(Superintendent, Entries, "C", "entries", Update, Only(&["class_id"]), &[]),
    rule(Superintendent, Classes, "CD", "rings", Update, Only(&["seq", "status"]), &[]),
    // Move with a reason; out of the class; order; results.
    rule(Superintendent, Entries, "D", "entries", Update, Only(&["class_id"]), &[Reason]),
    rule(
        Superintendent,
        Entries,
        "D",
        "entries",
        Update,
        Only(&["out_reason"]),
        &[Choice("out_reason", &["missed_class", "disqualified"])],
    ),
    rule(Superintendent, Classes, "D", "classes", Update, Only(&["ring_id", "seq", "planned_at"]), &[]),
    rule(
        Superintendent,
        Classes,
        "D",
        "classes",
        Update,
        Only(&["side_state"]),
        &[Choice("side_state", &["hold", "cancelled"])],
    ),
    rule(Superintendent, Classes, "D", "classes", Update, Only(OFFICIAL), &[]),
    // Check-in: arrival, identity, pen, entries of the day, contacts; later the pen, and who comes late.
    rule(Checkin, Arrive, "BC", "animals", Update, ARRIVED, &[]),
    rule(Checkin, CheckIn, "BC", "animals", Update, ARRIVED, &[]),
    rule(Checkin, CheckIn, "B", "animals", Update, IDENTITY, &[]),
    rule(Checkin, CheckIn, "C", "animals", Update, IDENTITY, &[With("arrived_at")]),
    rule(Checkin, CheckIn, "B", "animals", Update, KIND, &[]),
    rule(Checkin, CheckIn, "BC", "animals", Update, PEN, &[]),
    rule(Checkin, CheckIn, "B", "animals", Insert, NEW_ANIMAL, &[]),
    rule(Checkin, CheckIn, "B", "exhibitors", Insert, OFFICE, &[]),
    rule(Checkin, CheckIn, "B", "entries", Insert, NEW_ENTRY, &[]),
    rule(Checkin, Arrive, "BC", "entries", Update, Only(&["status"]), CHECKED_IN),
    rule(Checkin, CheckIn, "BC", "entries", Update, Only(&["status"]), CHECKED_IN),
    rule(Checkin, EditContacts, "BCD", "exhibitors", Update, CONTACT, &[]),
    // Scale.
    rule(Scale, Weigh, "B", "weigh_ins", Insert, All, &[]),
    rule(Scale, Weigh, "C", "weigh_ins", Insert, All, REWEIGH_BY_RULE),
    rule(Scale, Weigh, "D", "weigh_ins", Insert, All, &[Choice("kind", &["weigh_back"])]),
    rule(Scale, VoidOwnWeight, "BCD", "weigh_ins", Update, VOID, &[Own]),
    // Gate.
    rule(Gate, Arrive, "B", "animals", Update, ARRIVED, &[]),
    rule(Gate, AtRing, "CD", "entries", Update, Only(&["status"]), READY),
    rule(Gate, AtRing, "D", "entries", Update, Only(&["out_reason"]), ABSENT),
    rule(Gate, Calls, "D", "class_calls", Insert, All, &[]),
    // Clerk, in the own ring.
    rule(Clerk, Cards, "D", "placings", Insert, All, &[]),
    rule(Clerk, Cards, "D", "placings", Update, All, &[]),
    rule(Clerk, Cards, "D", "entries", Update, Only(&["status"]), SHOWN),
    rule(Clerk, Calls, "D", "class_calls", Insert, All, &[]),
    rule(Clerk, AtRing, "D", "entries", Update, Only(&["out_reason"]), ABSENT),
    // Announcer.
    rule(Announcer, Messages, "BCDE", "announcements", Insert, All, &[]),
    rule(Announcer, Messages, "BCDE", "announcements", Update, Only(&["retracted_at"]), &[Own]),
    rule(Announcer, Calls, "D", "class_calls", Insert, All, &[]),
    // Vet.
    rule(Vet, Health, "BCD", "animals", Update, Only(&["health_check", "note"]), &[]),
    rule(Vet, Health, "BCD", "entries", Update, Only(&["out_reason"]), &[Reason, Choice("out_reason", &["vet"])]),
];

const fn rule(
    function: Function,
    permission: Permission,
    stages: &'static str,
    table: &'static str,
    operation: Operation,
    fields: Fields,
    limits: &'static [Limit],
) -> Rule {
    Rule { function, permission, stages, table, operation, fields, limits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::known_table;

    #[test]
    fn every_field_of_a_rule_exists() {
        for rule in RULES {
            let table = known_table(rule.table);
            let exists = |path: &&str| table.field(path).is_some();
            match rule.fields {
                All => {}
                Only(named) => assert!(named.iter().all(exists), "{rule:?}"),
                // One list serves several tables.
                But(left_out) => assert!(left_out.iter().any(exists), "{rule:?}"),
            }
            for limit in rule.limits {
                if let Choice(path, _) | With(path) = limit {
                    assert!(exists(path), "{rule:?}");
                }
            }
        }
    }

    #[test]
    fn a_rule_hangs_on_a_permission_that_its_function_has() {
        for rule in RULES {
            assert!(rule.permission.functions().contains(&rule.function), "{rule:?}");
        }
        let has_rule = |permission| RULES.iter().any(|rule| rule.permission == permission);
        let reads_only = |permission| permission == Permission::SeeContacts;
        assert!(Permission::ALL.into_iter().all(|permission| has_rule(permission) || reads_only(permission)));
    }
}
