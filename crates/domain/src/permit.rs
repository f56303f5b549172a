//! Who may write what, when: the matrix of DOMAIN.md §4 as data, and the one function that asks it.
//!
//! Everything is denied that no rule allows. A rule allows a function to make, change or delete
//! rows of a table in some stages, perhaps only certain fields, perhaps only with a reason.

use uuid::Uuid;

use crate::actor::{Actor, Function};
use crate::op::{Op, Operation, Rejection};
use crate::schema::Policy;
use crate::value::Value;

/// The stage a show is in; A set-up, B check-in, C published, D showing, E official.
pub type Stage = char;

/// Where the record lies that an op is about, as far as the desk knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its department, if it has one.
    pub department: Option<String>,
    /// Its ring, if it has one.
    pub ring: Option<Uuid>,
    /// Whether the actor made the row (a weigh-in's author may void it).
    pub own: bool,
}

#[derive(Debug)]
struct Rule {
    function: Function,
    stages: &'static str,
    table: &'static str,
    operation: Operation,
    fields: Fields,
    limits: &'static [Limit],
}

#[derive(Debug)]
enum Fields {
    All,
    Only(&'static [&'static str]),
}

#[derive(Debug, PartialEq, Eq)]
enum Limit {
    /// Only rows the actor made.
    Own,
    /// The op's `reason` is required.
    Reason,
    /// The named choice field must hold one of these.
    Choice(&'static str, &'static [&'static str]),
}

use Fields::{All, Only};
use Function::{Announcer, Checkin, Clerk, Gate, Scale, Superintendent, Vet};
use Operation::{Insert, Update};

const ARRIVAL: &[&str] = &[
    "arrived_at",
    "arrived_by",
    "id_check",
    "pen",
    "official_id",
    "ear_notch",
    "tattoo",
    "reg_number",
    "note",
    "released_at",
];
const CONTACT: &[&str] =
    &["first_name", "last_name", "club_chapter", "county", "program", "guardian_phone", "advisor_id", "back_number"];
const VOID: &[&str] = &["voided_at", "voided_by", "voided_reason"];
const OUT_AT_RING: Limit = Limit::Choice("out_reason", &["no_show", "scratch"]);

const RULES: &[Rule] = &[
    // Superintendent: everything of the own department while entries are taken, then what the barn corrects.
    rule(Superintendent, "AB", "exhibitors", Insert, All, &[]),
    rule(Superintendent, "AB", "exhibitors", Update, All, &[]),
    rule(Superintendent, "AB", "animals", Insert, All, &[]),
    rule(Superintendent, "ABC", "animals", Update, All, &[]),
    rule(Superintendent, "AB", "entries", Insert, All, &[]),
    rule(Superintendent, "ABC", "entries", Update, All, &[]),
    rule(Superintendent, "D", "entries", Update, All, &[Limit::Reason]),
    rule(Superintendent, "ABC", "classes", Insert, All, &[]),
    rule(Superintendent, "ABC", "classes", Update, All, &[]),
    rule(
        Superintendent,
        "D",
        "classes",
        Update,
        Only(&["ring_id", "seq", "planned_at", "side_state", "judge_name", "official_at", "official_by"]),
        &[],
    ),
    rule(Superintendent, "BC", "weigh_ins", Insert, All, &[]),
    rule(Superintendent, "BCD", "weigh_ins", Update, Only(VOID), &[]),
    rule(Superintendent, "CD", "rings", Update, All, &[]),
    // Check-in.
    rule(Checkin, "B", "animals", Insert, All, &[]),
    rule(Checkin, "BC", "animals", Update, Only(ARRIVAL), &[]),
    rule(Checkin, "B", "entries", Insert, All, &[]),
    rule(Checkin, "BC", "entries", Update, Only(&["status"]), &[]),
    rule(Checkin, "B", "exhibitors", Insert, All, &[]),
    rule(Checkin, "BCD", "exhibitors", Update, Only(CONTACT), &[]),
    // Scale.
    rule(Scale, "B", "weigh_ins", Insert, All, &[]),
    rule(Scale, "C", "weigh_ins", Insert, All, &[Limit::Choice("kind", &["reweigh"])]),
    rule(Scale, "D", "weigh_ins", Insert, All, &[Limit::Choice("kind", &["weigh_back"])]),
    rule(Scale, "BCD", "weigh_ins", Update, Only(VOID), &[Limit::Own]),
    // Gate.
    rule(Gate, "B", "animals", Update, Only(&["arrived_at", "arrived_by"]), &[]),
    rule(Gate, "CD", "entries", Update, Only(&["status"]), &[]),
    rule(Gate, "D", "entries", Update, Only(&["status", "out_reason"]), &[OUT_AT_RING]),
    rule(Gate, "D", "class_calls", Insert, All, &[]),
    // Clerk.
    rule(Clerk, "D", "placings", Insert, All, &[]),
    rule(Clerk, "D", "placings", Update, All, &[]),
    rule(Clerk, "D", "class_calls", Insert, All, &[]),
    rule(Clerk, "D", "entries", Update, Only(&["status", "out_reason"]), &[OUT_AT_RING]),
    // Announcer.
    rule(Announcer, "BCDE", "announcements", Insert, All, &[]),
    rule(Announcer, "BCDE", "announcements", Update, Only(&["retracted_at"]), &[Limit::Own]),
    rule(Announcer, "D", "class_calls", Insert, All, &[]),
    // Vet.
    rule(Vet, "BCD", "animals", Update, Only(&["health_check", "note"]), &[]),
    rule(Vet, "BCD", "entries", Update, Only(&["out_reason"]), &[Limit::Reason, Limit::Choice("out_reason", &["vet"])]),
];

const fn rule(
    function: Function,
    stages: &'static str,
    table: &'static str,
    operation: Operation,
    fields: Fields,
    limits: &'static [Limit],
) -> Rule {
    Rule { function, stages, table, operation, fields, limits }
}

/// Whether the actor may apply the op now. `forbidden`: never, or not there; `locked`: not in this stage.
///
/// `official` tells that the record belongs to a class whose results are official: only an admin
/// reopens it, with a reason (rule C15).
pub fn authorize(actor: &Actor, stage: Stage, op: &Op, place: &Place, official: bool) -> Result<(), Rejection> {
    if let Some(fixed) = op.patch.keys().find(|field| op.operation == Update && is_fixed(op, **field)) {
        let path = op.table.fields[*fixed].path;
        return Err(Rejection::of_field("forbidden", path, "this is set once, when the row is made"));
    }
    if actor.is_admin() {
        return authorize_admin(stage, op, official);
    }
    if op.operation == Operation::Delete {
        return Err(forbidden("only an admin deletes; scratch the entry instead"));
    }
    check_scope(actor, place)?;
    let mut ever = false;
    let mut missing_reason = false;
    for rule in RULES.iter().filter(|rule| covers(rule, actor, op)) {
        match check_limits(rule, op, place) {
            Ok(()) if rule.stages.contains(stage) && !official => return Ok(()),
            Ok(()) => ever = true,
            Err(Limited::Reason) => missing_reason |= rule.stages.contains(stage) && !official,
            Err(Limited::No) => {}
        }
    }
    if missing_reason {
        Err(Rejection::of_field("required", "reason", "this change needs a reason"))
    } else if ever {
        Err(locked(stage, official))
    } else {
        Err(forbidden("your job at the show does not include this"))
    }
}

fn is_fixed(op: &Op, field: usize) -> bool {
    op.table.fields[field].policy == Policy::Fixed
}

fn authorize_admin(stage: Stage, op: &Op, official: bool) -> Result<(), Rejection> {
    let reopens = op.operation == Update
        && match op.table.name {
            "classes" => op.patch.keys().all(|field| op.table.fields[*field].path.starts_with("official_")),
            "shows" => op.patch.keys().all(|field| op.table.fields[*field].path == "stage"),
            _ => false,
        };
    match op.table.name {
        "shows" if op.operation != Update => Err(forbidden("one folder is one show: it is neither added nor deleted")),
        "announcements" => Ok(()),
        _ if stage == 'E' && !reopens => Err(locked(stage, official)),
        _ if official && !reopens => Err(locked(stage, official)),
        _ => Ok(()),
    }
}

fn covers(rule: &Rule, actor: &Actor, op: &Op) -> bool {
    let fields_fit = match rule.fields {
        All => true,
        Only(allowed) => op.patch.keys().all(|field| allowed.contains(&op.table.fields[*field].path)),
    };
    actor.has(rule.function) && rule.table == op.table.name && rule.operation == op.operation && fields_fit
}

enum Limited {
    Reason,
    No,
}

fn check_limits(rule: &Rule, op: &Op, place: &Place) -> Result<(), Limited> {
    for limit in rule.limits {
        match limit {
            Limit::Own if !place.own => return Err(Limited::No),
            Limit::Choice(path, words) => {
                let value = op.patch.get(&op.table.index(path)).and_then(Value::as_text);
                if value.is_some_and(|word| !words.contains(&word)) {
                    return Err(Limited::No);
                }
            }
            Limit::Own | Limit::Reason => {}
        }
    }
    if rule.limits.contains(&Limit::Reason) && op.reason.is_none() { Err(Limited::Reason) } else { Ok(()) }
}

/// Whether the actor may write there. Empty lists in a scope mean no limit; a row without a ring or department is
/// outside none; an admin may write everywhere.
pub fn check_scope(actor: &Actor, place: &Place) -> Result<(), Rejection> {
    let department = place
        .department
        .as_ref()
        .is_none_or(|department| actor.scope.departments.is_empty() || actor.scope.departments.contains(department));
    let ring = place.ring.is_none_or(|ring| actor.scope.ring_ids.is_empty() || actor.scope.ring_ids.contains(&ring));
    if actor.is_admin() || (department && ring) {
        Ok(())
    } else {
        Err(forbidden("this ring or department is not yours"))
    }
}

fn forbidden(detail: &str) -> Rejection {
    Rejection::new("forbidden", detail)
}

fn locked(stage: Stage, official: bool) -> Rejection {
    if official {
        Rejection::new("locked", "the class is official; an admin can reopen it")
    } else {
        Rejection::new("locked", format!("this cannot be changed in stage {stage} of the show"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::actor;
    use crate::op::decode;
    use serde_json::{json, value::to_raw_value};

    fn op(table: &str, operation: &str, data: &serde_json::Value, reason: Option<&str>) -> Op {
        let version = i64::from(operation != "insert");
        let json = json!({
            "op_id": "0198b2c0-0000-7000-8000-000000000001", "device_seq": 1, "table_name": table,
            "record_id": "0198b2c0-0000-7000-8000-000000000002", "operation": operation,
            "base_version": version, "data": data, "reason": reason,
        });
        decode(&to_raw_value(&json).expect("JSON")).expect("an op")
    }

    fn answer(functions: &[Function], stage: Stage, op: &Op, place: &Place) -> Result<(), &'static str> {
        let actor = Actor { functions: functions.to_vec(), ..actor() };
        authorize(&actor, stage, op, place, false).map_err(|rejection| rejection.code)
    }

    #[test]
    fn every_field_of_a_rule_exists() {
        for rule in RULES {
            let table = crate::schema::known_table(rule.table);
            if let Only(fields) = rule.fields {
                assert!(fields.iter().all(|path| table.field(path).is_some()), "{rule:?}");
            }
        }
    }

    #[test]
    fn a_scale_weighs_in_b_and_edits_no_tag() {
        let weigh = op(
            "weigh_ins",
            "insert",
            &json!({"animal_id": "0198b2c0-0000-7000-8000-000000000003", "kind": "arrival", "weight_x10": 9}),
            None,
        );
        let tag = op("animals", "update", &json!({"tag": "1"}), None);
        assert_eq!(answer(&[Scale], 'B', &weigh, &Place::default()), Ok(()));
        assert_eq!(answer(&[Scale], 'A', &weigh, &Place::default()), Err("locked"));
        assert_eq!(answer(&[Scale], 'C', &weigh, &Place::default()), Err("locked"));
        assert_eq!(answer(&[Scale], 'B', &tag, &Place::default()), Err("forbidden"));
        assert_eq!(answer(&[Superintendent], 'B', &tag, &Place::default()), Ok(()));
        assert_eq!(answer(&[Function::Viewer], 'B', &tag, &Place::default()), Err("forbidden"));
    }

    #[test]
    fn a_scope_limits_writing() {
        let tag = op("animals", "update", &json!({"tag": "1"}), None);
        let mut swine = Actor { functions: vec![Superintendent], ..actor() };
        swine.scope.departments = vec!["swine".to_owned()];
        let place = |department: &str| Place { department: Some(department.to_owned()), ..Place::default() };
        assert!(authorize(&swine, 'B', &tag, &place("swine"), false).is_ok());
        assert!(authorize(&swine, 'B', &tag, &place("cattle"), false).is_err());
    }

    #[test]
    fn what_needs_a_reason_says_so() {
        let out = |reason| op("entries", "update", &json!({"out_reason": "vet"}), reason);
        assert_eq!(answer(&[Vet], 'B', &out(None), &Place::default()), Err("required"));
        assert_eq!(answer(&[Vet], 'B', &out(Some("fever")), &Place::default()), Ok(()));
    }

    #[test]
    fn official_results_are_locked_for_all_but_a_reopening_admin() {
        let admin = Actor { functions: vec![Function::Admin], ..actor() };
        let note = op("placings", "update", &json!({"place": 2}), None);
        let reopen = op("classes", "update", &json!({"official_at": null}), Some("wrong card"));
        assert!(authorize(&admin, 'D', &note, &Place::default(), true).is_err());
        assert!(authorize(&admin, 'D', &reopen, &Place::default(), true).is_ok());
    }
}
