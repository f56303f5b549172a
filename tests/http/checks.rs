//! The order of checks of PROTOCOL.md §4: each code, and which comes first.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::hostile_ops::refused_alone;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, update, with};
use crate::seed::{seed, set_stage};

on_both_engines!(
    op_ids_are_checked_first,
    tables_are_named_exactly,
    operations_are_named_exactly,
    unknown_fields_are_told,
    server_owned_fields_are_read_only,
    versions_fit_their_operation,
    an_update_changes_something,
    values_have_their_type_and_range,
    rows_that_cannot_be_seen_answer_as_if_they_never_were,
    stages_lock_what_they_lock,
    the_first_failing_check_decides,
);

async fn expect_code(phone: &Phone, op: &Json, code: &str) {
    refused_alone(phone, &op.to_string(), code).await;
}

/// Expects a code where the author cannot make a good change either.
async fn expect_code_of(phone: &Phone, op: &Json, code: &str) {
    let result = phone.push_one(op).await;
    assert_eq!((&result["verdict"], &result["error"]["code"]), (&json!("rejected"), &json!(code)), "{result}");
}

fn ring() -> Json {
    insert("rings", &fresh(), json!({"name": "Ring 4"}))
}

async fn op_ids_are_checked_first(desk: Desk) {
    let nil = "00000000-0000-0000-0000-000000000000";
    for bad in
        [json!("x"), json!(nil), json!(5), json!(null), json!(fresh().to_uppercase()), json!(fresh().replace('-', ""))]
    {
        expect_code(&desk, &with(ring(), "op_id", bad), "invalid_op_id").await;
    }
    let mut without = ring();
    without.as_object_mut().expect("an object").remove("op_id");
    expect_code(&desk, &without, "invalid_op_id").await;
    for not_an_op in [json!(5), json!("op"), json!([]), json!(null)] {
        expect_code(&desk, &not_an_op, "invalid_op_id").await;
    }
}

async fn tables_are_named_exactly(desk: Desk) {
    let names =
        ["profiles", "sync_queue", "sqlite_master", "entries; drop table x", "Rings", "rings ", "\u{433}ings", ""];
    for name in names {
        expect_code(&desk, &with(ring(), "table_name", json!(name)), "unknown_table").await;
    }
    expect_code(&desk, &with(ring(), "table_name", json!(5)), "unknown_table").await;
}

async fn operations_are_named_exactly(desk: Desk) {
    for name in ["upsert", "TRUNCATE", "Insert", ""] {
        expect_code(&desk, &with(ring(), "operation", json!(name)), "unknown_operation").await;
    }
}

async fn unknown_fields_are_told(desk: Desk) {
    for field in ["colour", "__proto__", "Name", "rules"] {
        let mut data = json!({"name": "Ring 4"});
        data[field] = json!(1);
        expect_code(&desk, &insert("rings", &fresh(), data), "unknown_field").await;
    }
    expect_code(&desk, &with(ring(), "opid", json!(1)), "unknown_field").await;
    let (show, change) = crate::seed::show_of(&desk).await;
    let version = change["version"].as_i64().expect("a version");
    expect_code(&desk, &update("shows", &show, version, json!({"rules": {"colour": 1}}), json!({})), "unknown_field")
        .await;
}

async fn server_owned_fields_are_read_only(desk: Desk) {
    let seed = seed(&desk).await;
    let fields = [
        ("version", json!(9)),
        ("show_id", json!(fresh())),
        ("created_at", json!("2026-01-01T00:00:00Z")),
        ("updated_by", json!(fresh())),
        ("deleted_at", json!(null)),
        ("official_weight_x10", json!(9_999)),
        ("adg_x1000", json!(9_999)),
        ("prev_tags", json!(["1"])),
    ];
    for (field, value) in fields {
        let mut data = json!({});
        data[field] = value;
        expect_code(&desk, &update("animals", &seed.steer, 1, data, json!({})), "read_only_field").await;
    }
    expect_code(&desk, &update("classes", &seed.class, 1, json!({"status": "official"}), json!({})), "read_only_field")
        .await;
}

async fn versions_fit_their_operation(desk: Desk) {
    let seed = seed(&desk).await;
    for version in [json!(1), json!(-1), json!("0"), json!(null), json!(0.5), json!(true)] {
        expect_code(&desk, &with(ring(), "base_version", version), "invalid_version").await;
    }
    let edit = || update("rings", &seed.ring, 1, json!({"name": "Ring 5"}), json!({"name": "Ring 1"}));
    for version in [json!(0), json!(-1), json!("1"), json!(null), json!(1e300), json!(9_223_372_036_854_775_808_u64)] {
        expect_code(&desk, &with(edit(), "base_version", version), "invalid_version").await;
    }
    let mut without = edit();
    without.as_object_mut().expect("an object").remove("base_version");
    expect_code(&desk, &without, "invalid_version").await;
    expect_code(&desk, &with(edit(), "base_version", json!(2)), "invalid_version").await;
}

async fn an_update_changes_something(desk: Desk) {
    let seed = seed(&desk).await;
    expect_code(&desk, &update("rings", &seed.ring, 1, json!({}), json!({})), "empty").await;
    let (show, change) = crate::seed::show_of(&desk).await;
    let version = change["version"].as_i64().expect("a version");
    expect_code(&desk, &update("shows", &show, version, json!({"rules": {}}), json!({})), "empty").await;
}

async fn values_have_their_type_and_range(desk: Desk) {
    let seed = seed(&desk).await;
    let weigh_in = |weight: Json| {
        insert("weigh_ins", &fresh(), json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": weight}))
    };
    for weight in [json!("12"), json!(true), json!(1.0), json!([1]), json!({})] {
        expect_code(&desk, &weigh_in(weight), "invalid_type").await;
    }
    for weight in [
        json!(-5),
        json!(0),
        json!(1_000_000_000),
        json!(9_223_372_036_854_775_808_u64),
        json!(9_007_199_254_740_993_i64),
    ] {
        expect_code(&desk, &weigh_in(weight), "out_of_range").await;
    }
    expect_code(&desk, &weigh_in(json!(null)), "required").await;
    let edit = |data: Json| update("animals", &seed.steer, 1, data, json!({}));
    expect_code(&desk, &edit(json!({"species": null})), "required").await;
    expect_code(&desk, &edit(json!({"name": "a\u{0}b"})), "invalid_character").await;
    expect_code(&desk, &edit(json!({"born_on": "2026-02-30"})), "invalid_time").await;
    expect_code(&desk, &edit(json!({"arrived_at": "yesterday"})), "invalid_time").await;
    expect_code(&desk, &edit(json!({"name": "x".repeat(201)})), "too_large").await;
    expect_code(&desk, &edit(json!({"tag": "123456789012345678901"})), "too_large").await;
    expect_code(&desk, &edit(json!({"exhibitor_id": "x"})), "invalid_id").await;
    expect_code(&desk, &edit(json!({"species": "llama"})), "out_of_range").await;
    expect_code(&desk, &insert("rings", &fresh(), json!({"seq": 3})), "required").await;
    expect_code(&desk, &with(ring(), "record_id", json!("x")), "invalid_id").await;
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    expect_code(&desk, &insert("entries", &fresh(), entry), "invalid_id").await;
}

async fn rows_that_cannot_be_seen_answer_as_if_they_never_were(desk: Desk) {
    let seed = seed(&desk).await;
    let viewer = desk.phone("Parent", &["viewer"]).await;
    let made = fresh();
    desk.apply(&[insert(
        "weigh_ins",
        &made,
        json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 10_000}),
    )])
    .await;
    let void = |id: &str| update("weigh_ins", id, 1, json!({"voided_reason": "x"}), json!({"voided_reason": null}));
    let hidden = viewer.push_one(&void(&made)).await;
    let never = viewer.push_one(&void(&fresh())).await;
    assert_eq!(hidden["error"]["code"], "not_found");
    assert_eq!(hidden["error"], never["error"]);
}

async fn stages_lock_what_they_lock(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let weigh_in =
        || insert("weigh_ins", &fresh(), json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 12_000}));
    scale.apply(&[weigh_in()]).await;
    for stage in ["C", "D", "E"] {
        set_stage(&desk, stage).await;
    }
    expect_code_of(&scale, &weigh_in(), "locked").await;
}

async fn the_first_failing_check_decides(desk: Desk) {
    let seed = seed(&desk).await;
    // One fault of each check, mended from the first to the last.
    let faults = [
        ("op_id", json!("x"), json!(fresh()), "invalid_op_id"),
        ("table_name", json!("nothing"), json!("animals"), "unknown_table"),
        ("operation", json!("upsert"), json!("update"), "unknown_operation"),
    ];
    let mut op = with(
        update("animals", &seed.steer, 0, json!({"colour": 1, "adg_x1000": 1, "breed": 5}), json!({})),
        "record_id",
        json!(fresh()),
    );
    for (key, bad, _, _) in &faults {
        op[*key] = bad.clone();
    }
    for (key, _, good, code) in faults {
        expect_code(&desk, &op, code).await;
        op[key] = good;
    }
    expect_code(&desk, &op, "unknown_field").await;
    let data = |op: &mut Json, field: &str| op["data"].as_object_mut().expect("an object").remove(field);
    data(&mut op, "colour");
    expect_code(&desk, &with(op.clone(), "op_id", json!(fresh())), "read_only_field").await;
    data(&mut op, "adg_x1000");
    expect_code(&desk, &with(op.clone(), "op_id", json!(fresh())), "invalid_version").await;
    op["base_version"] = json!(1);
    expect_code(&desk, &with(op.clone(), "op_id", json!(fresh())), "invalid_type").await;
    op["data"]["breed"] = json!("Angus");
    expect_code(&desk, &with(op, "op_id", json!(fresh())), "not_found").await;
}
