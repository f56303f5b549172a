//! Who may write and read what (DOMAIN.md §4), as far as a single op shows it.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, update};
use crate::seed::seed;

on_both_engines!(
    functions_write_what_is_theirs_and_nothing_else,
    a_weight_is_voided_by_its_author_only,
    a_field_that_may_not_be_seen_is_absent,
);

async fn verdict(phone: &Phone, op: &Json) -> String {
    let result = phone.push_one(op).await;
    let code = result["error"]["code"].as_str().or(result["verdict"].as_str());
    code.expect("a verdict").to_owned()
}

async fn functions_write_what_is_theirs_and_nothing_else(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let checkin = desk.phone("Check-in", &["checkin"]).await;
    let viewer = desk.phone("Parent", &["viewer"]).await;
    let weigh_in =
        || insert("weigh_ins", &fresh(), json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 12_000}));
    let pen = || update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}));
    let tag = || update("animals", &seed.hog, 1, json!({"tag": "9009"}), json!({"tag": "9002"}));
    assert_eq!(verdict(&scale, &tag()).await, "forbidden");
    assert_eq!(verdict(&scale, &pen()).await, "forbidden");
    assert_eq!(verdict(&checkin, &weigh_in()).await, "forbidden");
    assert_eq!(verdict(&checkin, &tag()).await, "forbidden");
    for op in [weigh_in(), pen(), tag()] {
        let code = verdict(&viewer, &op).await;
        assert!(["forbidden", "not_found"].contains(&code.as_str()), "{code} for {op}");
    }
    assert_eq!(verdict(&scale, &weigh_in()).await, "applied");
    assert_eq!(
        verdict(&checkin, &update("animals", &seed.hog, 1, json!({"pen": "S1"}), json!({"pen": null}))).await,
        "applied"
    );
    let staff = desk.phone("Both", &["scale", "checkin"]).await;
    let pen = update("animals", &seed.hog, 2, json!({"pen": "S2"}), json!({"pen": "S1"}));
    assert_eq!(verdict(&staff, &pen).await, "applied", "rights are the union");
}

async fn a_weight_is_voided_by_its_author_only(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Scale 1", &["scale"]).await;
    let second = desk.phone("Scale 2", &["scale"]).await;
    let weigh_in = fresh();
    first
        .apply(&[insert(
            "weigh_ins",
            &weigh_in,
            json!({"animal_id": seed.hog, "kind": "arrival", "weight_x10": 2_500}),
        )])
        .await;
    let void = || {
        let data = json!({"voided_at": "2026-08-06T09:00:00Z", "voided_reason": "wrong animal"});
        update("weigh_ins", &weigh_in, 1, data, json!({"voided_at": null, "voided_reason": null}))
    };
    assert_eq!(verdict(&second, &void()).await, "forbidden");
    assert_eq!(
        verdict(&first, &update("weigh_ins", &weigh_in, 1, json!({"weight_x10": 9}), json!({}))).await,
        "forbidden"
    );
    assert_eq!(verdict(&first, &void()).await, "applied");
    assert!(desk.data("animals", &seed.hog).await["official_weight_x10"].is_null());
}

async fn a_field_that_may_not_be_seen_is_absent(desk: Desk) {
    let seed = seed(&desk).await;
    let office = desk.data("exhibitors", &seed.exhibitor).await;
    assert_eq!((&office["guardian_phone"], &office["county"]), (&json!("555-0100"), &json!("Cedar")));
    assert!(office.as_object().expect("data").contains_key("advisor_id"), "null included");
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let staff = scale.data("exhibitors", &seed.exhibitor).await;
    for field in ["guardian_phone", "county", "advisor_id"] {
        assert!(!staff.as_object().expect("data").contains_key(field), "{field} is absent, not null");
    }
    assert_eq!(staff["first_name"], "Nora");
    for field in ["id", "version", "show_id", "deleted_at"] {
        assert!(!staff.as_object().expect("data").contains_key(field), "{field} is not part of data");
    }
}
