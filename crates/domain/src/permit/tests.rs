//! The matrix and its limits, cell by cell where they are easy to get wrong.

use super::*;
use crate::actor::{Function, Permissions, Role};
use crate::fixtures::actor;
use crate::op::decode;
use crate::permission::Permission;
use crate::record::Provenance;
use crate::value::Value;
use Function::{Checkin, Clerk, Gate, Scale, Superintendent, Vet};
use serde_json::{Value as Json, json, value::to_raw_value};

fn op(table: &str, operation: &str, data: &Json, reason: Option<&str>) -> Op {
    let version = i64::from(operation != "insert");
    let json = json!({
        "op_id": "0198b2c0-0000-7000-8000-000000000001", "device_seq": 1, "table_name": table,
        "record_id": "0198b2c0-0000-7000-8000-000000000002", "operation": operation,
        "base_version": version, "data": data, "reason": reason,
    });
    decode(&to_raw_value(&json).expect("JSON")).expect("an op")
}

fn edit(table: &str, data: &Json) -> Op {
    op(table, "update", data, None)
}

fn writing(op: &Op, stage: Stage) -> Writing<'_> {
    Writing { op, stage, record: None, places: Vec::new(), own: false, official: false, reweighs: true }
}

fn does(functions: &[Function]) -> Actor {
    Actor { functions: functions.to_vec(), ..actor() }
}

fn answer(actor: &Actor, writing: &Writing<'_>) -> Result<(), &'static str> {
    authorize(actor, Action::Write, &Resource::Row(writing)).map_err(|rejection| rejection.code)
}

fn weigh_in(kind: &str) -> Op {
    let animal = "0198b2c0-0000-7000-8000-000000000003";
    op("weigh_ins", "insert", &json!({"animal_id": animal, "kind": kind, "weight_x10": 9}), None)
}

#[test]
fn a_scale_weighs_in_b_and_edits_no_tag() {
    let (weigh, tag) = (weigh_in("arrival"), edit("animals", &json!({"tag": "1"})));
    assert_eq!(answer(&does(&[Scale]), &writing(&weigh, 'B')), Ok(()));
    assert_eq!(answer(&does(&[Scale]), &writing(&weigh, 'A')), Err("locked"));
    assert_eq!(answer(&does(&[Scale]), &writing(&weigh, 'C')), Err("locked"));
    assert_eq!(answer(&does(&[Scale]), &writing(&tag, 'B')), Err("forbidden"));
    assert_eq!(answer(&does(&[Superintendent]), &writing(&tag, 'B')), Ok(()));
    assert_eq!(answer(&does(&[Superintendent]), &writing(&tag, 'C')), Err("locked"));
    assert_eq!(answer(&does(&[Function::Viewer]), &writing(&tag, 'B')), Err("forbidden"));
}

#[test]
fn animals_are_weighed_again_only_where_the_show_does_that() {
    let again = weigh_in("reweigh");
    let once = Writing { reweighs: false, ..writing(&again, 'C') };
    assert_eq!(answer(&does(&[Scale]), &writing(&again, 'C')), Ok(()));
    assert_eq!(answer(&does(&[Scale]), &once), Err("locked"));
}

#[test]
fn rights_are_the_union_field_by_field() {
    let both = edit("animals", &json!({"pen": "C1", "health_check": "ok"}));
    assert_eq!(answer(&does(&[Checkin]), &writing(&both, 'B')), Err("forbidden"));
    assert_eq!(answer(&does(&[Vet]), &writing(&both, 'B')), Err("forbidden"));
    assert_eq!(answer(&does(&[Vet, Checkin]), &writing(&both, 'B')), Ok(()));
}

#[test]
fn who_comes_late_is_checked_in_and_nobody_else_is_looked_at_again() {
    let late = edit("animals", &json!({"arrived_at": "2026-08-06T09:00:00Z", "id_check": "match", "pen": "C1"}));
    let again = edit("animals", &json!({"id_check": "mismatch"}));
    assert_eq!(answer(&does(&[Checkin]), &writing(&late, 'C')), Ok(()));
    assert_eq!(answer(&does(&[Checkin]), &writing(&again, 'B')), Ok(()));
    assert!(answer(&does(&[Checkin]), &writing(&again, 'C')).is_err());
}

#[test]
fn a_scope_limits_writing_where_the_row_lies_and_where_it_goes() {
    let tag = edit("animals", &json!({"tag": "1"}));
    let mut swine = does(&[Superintendent]);
    swine.scope.departments = vec!["swine".to_owned()];
    let place = |department: &str| Place { department: Some(department.to_owned()), ring: None };
    let within = |places| Writing { places, ..writing(&tag, 'B') };
    assert_eq!(answer(&swine, &within(vec![place("swine")])), Ok(()));
    assert_eq!(answer(&swine, &within(vec![place("cattle")])), Err("forbidden"));
    assert_eq!(answer(&swine, &within(vec![place("swine"), place("cattle")])), Err("forbidden"));
    let admin = Actor { functions: vec![Function::Admin], ..swine };
    assert_eq!(answer(&admin, &within(vec![place("cattle")])), Ok(()));
}

#[test]
fn what_needs_a_reason_says_so() {
    let out = |reason| op("entries", "update", &json!({"out_reason": "vet"}), reason);
    assert_eq!(answer(&does(&[Vet]), &writing(&out(None), 'B')), Err("required"));
    assert_eq!(answer(&does(&[Vet]), &writing(&out(Some("fever")), 'B')), Ok(()));
    let moved = |reason| op("entries", "update", &json!({"class_id": "0198b2c0-0000-7000-8000-000000000004"}), reason);
    assert_eq!(answer(&does(&[Superintendent]), &writing(&moved(None), 'C')), Ok(()));
    assert_eq!(answer(&does(&[Superintendent]), &writing(&moved(None), 'D')), Err("required"));
    assert_eq!(answer(&does(&[Superintendent]), &writing(&moved(Some("too heavy")), 'D')), Ok(()));
}

#[test]
fn what_a_vet_took_out_no_gate_makes_a_scratch() {
    let table = crate::schema::known_table("entries");
    let entry = |word: &str| {
        let mut values: Vec<Value> = table.fields.iter().map(|field| field.default.clone()).collect();
        values[table.index("out_reason")] = Value::Text(word.to_owned());
        let at = chrono::DateTime::UNIX_EPOCH;
        Record {
            table,
            id: crate::ids::RecordId(Uuid::from_u128(1)),
            show_id: Uuid::from_u128(2),
            version: crate::ids::Version(1),
            created_at: at,
            updated_at: at,
            updated_by: None,
            device_id: None,
            deleted_at: None,
            values,
            provenance: Provenance::new(),
        }
    };
    let (by_vet, absent) = (entry("vet"), entry("no_show"));
    let out = |word: Json, reason| op("entries", "update", &json!({"out_reason": word}), reason);
    let ask = |op: &Op, record| answer(&does(&[Gate]), &Writing { record: Some(record), ..writing(op, 'D') });
    assert_eq!(ask(&out(json!("scratch"), Some("as told")), &by_vet), Err("forbidden"));
    assert_eq!(ask(&out(Json::Null, Some("as told")), &by_vet), Err("forbidden"));
    assert_eq!(ask(&out(Json::Null, Some("it came")), &absent), Ok(()));
    assert_eq!(ask(&out(json!("scratch"), None), &absent), Ok(()));
    // Unseen: the merge keeps the vet's word, and nothing is lost.
    assert_eq!(ask(&out(json!("no_show"), None), &by_vet), Ok(()));
}

#[test]
fn a_given_permission_brings_the_rules_of_those_who_have_it_and_a_withheld_one_takes_them() {
    let tag = edit("animals", &json!({"tag": "1"}));
    let with = |functions: &[Function], permissions| Actor { permissions, ..does(functions) };
    let given = Permissions { granted: vec![Permission::FixTags], withheld: Vec::new() };
    let withheld = Permissions { granted: Vec::new(), withheld: vec![Permission::FixTags] };
    assert_eq!(answer(&with(&[Scale], given.clone()), &writing(&tag, 'B')), Ok(()));
    assert_eq!(answer(&with(&[Scale], given.clone()), &writing(&tag, 'C')), Err("locked"));
    assert_eq!(answer(&with(&[Superintendent], withheld), &writing(&tag, 'B')), Err("forbidden"));
    assert_eq!(answer(&with(&[Function::Viewer], given.clone()), &writing(&tag, 'B')), Err("forbidden"));
    let reader = Actor { role: Role::Viewer, ..with(&[Scale], given) };
    assert_eq!(answer(&reader, &writing(&tag, 'B')), Err("forbidden"));
}

#[test]
fn official_results_are_locked_for_all_but_a_reopening_admin() {
    let admin = does(&[Function::Admin]);
    let note = edit("placings", &json!({"place": 2}));
    let reopen = op("classes", "update", &json!({"official_at": null}), Some("wrong card"));
    let official = |op| Writing { official: true, ..writing(op, 'D') };
    assert_eq!(answer(&admin, &official(&note)), Err("locked"));
    assert_eq!(answer(&does(&[Clerk]), &official(&note)), Err("locked"));
    assert_eq!(answer(&admin, &official(&reopen)), Ok(()));
}

#[test]
fn in_the_last_stage_an_admin_reopens_with_a_reason_and_nothing_else() {
    let admin = does(&[Function::Admin]);
    let reopen = |reason| op("classes", "update", &json!({"official_at": null}), reason);
    let publish = op("classes", "update", &json!({"official_at": "2026-08-06T09:00:00Z"}), Some("late"));
    let back = op("shows", "update", &json!({"stage": "D"}), Some("one class more"));
    assert_eq!(answer(&admin, &writing(&reopen(None), 'E')), Err("required"));
    assert_eq!(answer(&admin, &writing(&reopen(Some("wrong card")), 'E')), Ok(()));
    assert_eq!(answer(&admin, &writing(&back, 'E')), Ok(()));
    assert_eq!(answer(&admin, &writing(&publish, 'E')), Err("locked"));
    assert_eq!(answer(&admin, &writing(&op("rings", "delete", &json!({}), None), 'E')), Err("locked"));
}

#[test]
fn the_unit_of_weights_is_chosen_in_the_first_stage() {
    let admin = does(&[Function::Admin]);
    let unit = edit("shows", &json!({"weight_unit": "kg"}));
    assert_eq!(answer(&admin, &writing(&unit, 'A')), Ok(()));
    for stage in ['B', 'C', 'D', 'E'] {
        assert_eq!(answer(&admin, &writing(&unit, stage)), Err("locked"), "{stage}");
    }
}

#[test]
fn what_is_not_paired_with_its_resource_is_denied_even_to_an_admin() {
    let admin = Actor { role: Role::Owner, ..does(&[Function::Admin]) };
    let clash = Resource::Clash { device: admin.device, server_person: None };
    assert!(authorize(&admin, Action::Write, &Resource::Show).is_err());
    assert!(authorize(&admin, Action::SeeAudit, &clash).is_err());
    assert!(authorize(&admin, Action::SeeAudit, &Resource::Show).is_ok());
    assert!(authorize(&does(&[Superintendent, Scale]), Action::SeeAudit, &Resource::Show).is_err());
}

#[test]
fn a_clash_is_answered_from_the_device_of_its_entry_only() {
    let phone = does(&[Scale]);
    let clash = |device, server_person| Resource::Clash { device, server_person };
    let other = DeviceId(Uuid::from_u128(77));
    assert!(authorize(&phone, Action::AnswerClash, &clash(phone.device, None)).is_ok());
    assert!(authorize(&phone, Action::AnswerClash, &clash(other, Some(phone.person))).is_err());
    assert!(authorize(&phone, Action::DisagreeWithClash, &clash(other, Some(phone.person))).is_ok());
    assert!(authorize(&phone, Action::DisagreeWithClash, &clash(other, None)).is_err());
}
