//! Values the server computes: official weight, rate of gain, the state of classes and rings.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, update, with};
use crate::seed::{Seed, seed, set_stage};

on_both_engines!(
    the_golden_rate_of_gain,
    a_blank_start_weight_is_blank_and_never_zero,
    the_end_of_the_reweigh_chain_is_official,
    a_voided_weight_gives_way_to_the_one_before,
    an_unlinked_second_weight_is_kept_and_the_earlier_stays_official,
    calls_move_a_class_through_the_ring,
    a_derived_change_is_a_version_of_its_own,
    an_earlier_tag_is_remembered,
);

fn weigh_in(animal: &str, kind: &str, weight_x10: i64, at: &str) -> Json {
    let id = fresh();
    insert(
        "weigh_ins",
        &id,
        json!({"animal_id": animal, "kind": kind, "weight_x10": weight_x10, "unit": "lb", "weighed_at": at}),
    )
}

async fn the_golden_rate_of_gain(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    // 186 days × 1.50 lb = 279 lb, on a start weight of 742 lb.
    scale.apply(&[weigh_in(&seed.steer, "arrival", 10_210, "2026-08-06T15:00:00Z")]).await;
    let data = scale.data("animals", &seed.steer).await;
    assert_eq!((&data["official_weight_x10"], &data["adg_x1000"]), (&json!(10_210), &json!(1_500)));
}

async fn a_blank_start_weight_is_blank_and_never_zero(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    scale.apply(&[weigh_in(&seed.hog, "arrival", 2_520, "2026-08-06T15:00:00Z")]).await;
    let data = scale.data("animals", &seed.hog).await;
    assert_eq!((&data["official_weight_x10"], &data["adg_x1000"]), (&json!(2_520), &json!(null)));
}

async fn the_end_of_the_reweigh_chain_is_official(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let first = weigh_in(&seed.steer, "arrival", 12_620, "2026-08-06T15:00:00Z");
    // The clock of the second scale is an hour behind; the chain decides, not the time.
    let mut second = weigh_in(&seed.steer, "reweigh", 12_260, "2026-08-06T14:00:00Z");
    second["data"]["replaces_id"] = first["record_id"].clone();
    scale.apply(&[first, second]).await;
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_260);
    assert!(desk.conflicts("open").await.is_empty(), "a legitimate re-weigh is no clash");
}

async fn a_voided_weight_gives_way_to_the_one_before(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let first = weigh_in(&seed.steer, "arrival", 12_620, "2026-08-06T15:00:00Z");
    let mut second = weigh_in(&seed.steer, "reweigh", 12_260, "2026-08-06T16:00:00Z");
    second["data"]["replaces_id"] = first["record_id"].clone();
    let second_id = second["record_id"].as_str().expect("an id").to_owned();
    scale.apply(&[first, second]).await;
    let void = json!({"voided_at": "2026-08-06T16:05:00Z", "voided_reason": "moved on the scale"});
    let void = update("weigh_ins", &second_id, 1, void, json!({"voided_at": null, "voided_reason": null}));
    scale.apply(&[with(void, "reason", json!("moved on the scale"))]).await;
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_620);
}

async fn an_unlinked_second_weight_is_kept_and_the_earlier_stays_official(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Scale 1", &["scale"]).await;
    let second = desk.phone("Scale 2", &["scale"]).await;
    first.apply(&[weigh_in(&seed.steer, "arrival", 12_620, "2026-08-06T15:00:00Z")]).await;
    let other = weigh_in(&seed.steer, "arrival", 12_260, "2026-08-06T15:10:00Z");
    second.apply(std::slice::from_ref(&other)).await;
    let stored = desk.data("weigh_ins", other["record_id"].as_str().expect("an id")).await;
    assert_eq!(stored["weight_x10"], 12_260, "a fact is never withheld");
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_620, "the earlier stays official");
}

fn call(seed: &Seed, kind: &str) -> Json {
    insert(
        "class_calls",
        &fresh(),
        json!({"class_id": seed.class, "ring_id": seed.ring, "kind": kind, "at": "2026-08-07T09:00:00Z"}),
    )
}

async fn calls_move_a_class_through_the_ring(desk: Desk) {
    let seed = seed(&desk).await;
    set_stage(&desk, "C").await;
    set_stage(&desk, "D").await;
    let gate = desk.phone("Gate", &["gate"]).await;
    let status = async || desk.data("classes", &seed.class).await["status"].clone();
    assert_eq!(status().await, "scheduled");
    for (kind, expected) in [("call_1", "make_ready"), ("in_ring", "in_ring"), ("hold", "hold"), ("resume", "in_ring")]
    {
        gate.apply(&[call(&seed, kind)]).await;
        assert_eq!(status().await, expected, "after {kind}");
    }
    assert_eq!(desk.data("rings", &seed.ring).await["now_class_id"], json!(seed.class));
    gate.apply(&[call(&seed, "judged")]).await;
    assert_eq!(status().await, "judged");
    assert!(desk.data("rings", &seed.ring).await["now_class_id"].is_null(), "the ring is free");
}

async fn a_derived_change_is_a_version_of_its_own(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let weigh_in = weigh_in(&seed.steer, "arrival", 10_210, "2026-08-06T15:00:00Z");
    scale.apply(std::slice::from_ref(&weigh_in)).await;
    let change = desk.change("animals", &seed.steer).await;
    assert_eq!(change["version"], 2);
    let versions = desk.history("animals", &seed.steer).await;
    assert_eq!((versions.len(), &versions[0]["op_id"]), (2, &weigh_in["op_id"]), "history tells the causing op");
    // Who edits on version 1 now changes another field: nothing clashes.
    let barn = desk.phone("Barn", &["superintendent"]).await;
    let edit = update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}));
    assert_eq!(barn.push_one(&edit).await["verdict"], "merged");
}

async fn an_earlier_tag_is_remembered(desk: Desk) {
    let seed = seed(&desk).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    assert_eq!(desk.data("animals", &seed.steer).await["prev_tags"], json!(["9001"]));
}
