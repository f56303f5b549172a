//! Weights that contradict each other: nothing is withheld, a person decides which one counts (rules C1, C2, C14).

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, update, v5};
use crate::seed::{Seed, seed, set_stage, show_of};

on_both_engines!(
    a_second_weight_is_stored_and_asks_a_person,
    the_phones_weight_voids_the_earlier_one,
    the_laptops_weight_voids_the_new_one,
    another_weight_replaces_both,
    an_undo_clears_the_void,
    a_third_weight_joins_the_open_clash,
    a_linked_reweigh_counts_at_once,
    two_reweighs_of_the_same_weight_ask_a_person,
    the_phones_weight_counts_though_the_laptops_had_replaced_another,
    weights_within_the_tolerance_are_noted_and_the_later_one_counts,
    a_weight_voided_by_hand_ends_the_dispute,
    an_author_who_takes_a_weight_back_voids_it,
    a_weigh_back_out_of_tolerance_proposes_to_disqualify,
);

fn weigh(animal: &str, weight_x10: i64) -> Json {
    insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": weight_x10}))
}

struct Dispute {
    seed: Seed,
    earlier: Json,
    new: Json,
    scale: Phone,
    conflict: Json,
}

async fn dispute(desk: &Desk) -> Dispute {
    let seed = seed(desk).await;
    let first = desk.phone("Scale 1", &["scale"]).await;
    let scale = desk.phone("Scale 2", &["scale"]).await;
    let (earlier, new) = (weigh(&seed.steer, 12_620), weigh(&seed.steer, 12_260));
    first.apply(std::slice::from_ref(&earlier)).await;
    scale.apply(std::slice::from_ref(&new)).await;
    let open = desk.conflicts("open").await;
    assert_eq!(open.len(), 1, "{open:?}");
    let conflict = desk.conflict(&open[0]["id"]).await;
    Dispute { seed, earlier, new, scale, conflict }
}

async fn official(desk: &Desk, animal: &str) -> Json {
    desk.data("animals", animal).await["official_weight_x10"].clone()
}

async fn is_void(desk: &Desk, op: &Json) -> bool {
    !desk.data("weigh_ins", op["record_id"].as_str().expect("an id")).await["voided_at"].is_null()
}

async fn a_second_weight_is_stored_and_asks_a_person(desk: Desk) {
    let dispute = dispute(&desk).await;
    let shown = &dispute.conflict;
    assert_eq!((&shown["kind"], &shown["rule"]), (&json!("rule"), &json!("C1")), "{shown}");
    assert_eq!((&shown["table_name"], &shown["record_id"]), (&json!("animals"), &json!(dispute.seed.steer)));
    assert_eq!(shown["contested"], json!(["official_weight_x10"]));
    assert_eq!(shown["server_data"]["official_weight_x10"], 12_620);
    assert_eq!(shown["client_data"]["official_weight_x10"], 12_260);
    assert_eq!(shown["op_ids"], json!([dispute.new["op_id"]]));
    assert_eq!(official(&desk, &dispute.seed.steer).await, 12_620, "the earlier stays official");
    let change = desk.change("animals", &dispute.seed.steer).await;
    assert_eq!(change["disputed"], json!(["official_weight_x10"]));
    assert_eq!(dispute.scale.status_of(&dispute.new["op_id"]).await["verdict"], "applied");
}

async fn the_phones_weight_voids_the_earlier_one(desk: Desk) {
    let dispute = dispute(&desk).await;
    desk.resolve(&dispute.conflict, "client_wins", None).await.expect_status(200);
    assert_eq!(official(&desk, &dispute.seed.steer).await, 12_260);
    assert!(is_void(&desk, &dispute.earlier).await && !is_void(&desk, &dispute.new).await);
    let row = desk.data("weigh_ins", dispute.earlier["record_id"].as_str().expect("an id")).await;
    assert_eq!(row["voided_reason"], "checked at the scale");
}

async fn the_laptops_weight_voids_the_new_one(desk: Desk) {
    let dispute = dispute(&desk).await;
    desk.resolve(&dispute.conflict, "server_wins", None).await.expect_status(200);
    assert_eq!(official(&desk, &dispute.seed.steer).await, 12_620);
    assert!(!is_void(&desk, &dispute.earlier).await && is_void(&desk, &dispute.new).await);
}

async fn another_weight_replaces_both(desk: Desk) {
    let dispute = dispute(&desk).await;
    let nothing = desk.resolve(&dispute.conflict, "manual", Some(json!({}))).await.expect_problem(422);
    assert_eq!(nothing["code"], "required");
    let zero = json!({"official_weight_x10": 0});
    assert_eq!(desk.resolve(&dispute.conflict, "manual", Some(zero)).await.expect_problem(422)["code"], "out_of_range");
    let weight = json!({"official_weight_x10": 12_400});
    desk.resolve(&dispute.conflict, "manual", Some(weight)).await.expect_status(200);
    assert_eq!(official(&desk, &dispute.seed.steer).await, 12_400);
    assert!(is_void(&desk, &dispute.earlier).await && is_void(&desk, &dispute.new).await);
}

async fn an_undo_clears_the_void(desk: Desk) {
    let dispute = dispute(&desk).await;
    let undo = format!("/admin/conflicts/{}/undo", dispute.conflict["id"].as_str().expect("an id"));
    for (resolution, data, decided) in [
        ("client_wins", None, 12_260),
        ("server_wins", None, 12_620),
        ("manual", Some(json!({"official_weight_x10": 12_400})), 12_400),
    ] {
        let shown = desk.conflict(&dispute.conflict["id"]).await;
        desk.resolve(&shown, resolution, data).await.expect_status(200);
        assert_eq!(official(&desk, &dispute.seed.steer).await, decided);
        desk.post(&undo, &json!({})).await.expect_status(200);
        assert_eq!(official(&desk, &dispute.seed.steer).await, 12_620, "after {resolution}");
        assert!(!is_void(&desk, &dispute.earlier).await && !is_void(&desk, &dispute.new).await);
    }
    assert_eq!(dispute.scale.status_of(&dispute.new["op_id"]).await["verdict"], "applied", "a fact stands");
}

async fn a_third_weight_joins_the_open_clash(desk: Desk) {
    let dispute = dispute(&desk).await;
    let third = weigh(&dispute.seed.steer, 12_270);
    dispute.scale.apply(std::slice::from_ref(&third)).await;
    let shown = desk.conflict(&dispute.conflict["id"]).await;
    assert_eq!(shown["op_ids"], json!([dispute.new["op_id"], third["op_id"]]));
    assert_eq!(desk.conflicts("open").await.len(), 1);
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(official(&desk, &dispute.seed.steer).await, 12_270, "the newest of the phone's");
}

async fn a_linked_reweigh_counts_at_once(desk: Desk) {
    let seed = seed(&desk).await;
    let scale = desk.phone("Scale", &["scale"]).await;
    let first = weigh(&seed.steer, 12_620);
    let data = json!({
        "animal_id": seed.steer, "kind": "reweigh", "weight_x10": 12_500, "replaces_id": first["record_id"],
    });
    scale.apply(&[first, insert("weigh_ins", &fresh(), data)]).await;
    assert_eq!(official(&desk, &seed.steer).await, 12_500);
    assert!(desk.conflicts("open").await.is_empty());
}

async fn two_reweighs_of_the_same_weight_ask_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let [first, second] = [desk.phone("Scale 1", &["scale"]).await, desk.phone("Scale 2", &["scale"]).await];
    let thursday = weigh(&seed.steer, 12_620);
    first.apply(std::slice::from_ref(&thursday)).await;
    let again = |weight_x10: i64| {
        let data = json!({
            "animal_id": seed.steer, "kind": "reweigh", "weight_x10": weight_x10, "replaces_id": thursday["record_id"],
        });
        insert("weigh_ins", &fresh(), data)
    };
    first.apply(&[again(12_500)]).await;
    second.apply(&[again(12_590)]).await;
    assert_eq!(official(&desk, &seed.steer).await, 12_500, "the second one had not seen the first");
    let open = desk.conflicts("open").await;
    assert_eq!((open.len(), &open[0]["rule"]), (1, &json!("C1")), "{open:?}");
    let shown = desk.conflict(&open[0]["id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(official(&desk, &seed.steer).await, 12_590);
}

async fn the_phones_weight_counts_though_the_laptops_had_replaced_another(desk: Desk) {
    let seed = seed(&desk).await;
    let [office, scale] = [desk.phone("Scale 1", &["scale"]).await, desk.phone("Scale 2", &["scale"]).await];
    let thursday = weigh(&seed.steer, 12_760);
    let data = json!({
        "animal_id": seed.steer, "kind": "reweigh", "weight_x10": 12_800, "replaces_id": thursday["record_id"],
    });
    office.apply(&[thursday, insert("weigh_ins", &fresh(), data)]).await;
    scale.apply(&[weigh(&seed.steer, 12_890)]).await;
    let shown = desk.conflict(&desk.conflicts("open").await[0]["id"]).await;
    let decided = desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(official(&desk, &seed.steer).await, 12_890, "{decided:?}");
    desk.post(&format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id")), &json!({}))
        .await
        .expect_status(200);
    assert_eq!(official(&desk, &seed.steer).await, 12_800, "taken back");
    let shown = desk.conflict(&desk.conflicts("open").await[0]["id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"official_weight_x10": 12_850}))).await.expect_status(200);
    assert_eq!(official(&desk, &seed.steer).await, 12_850);
}

async fn weights_within_the_tolerance_are_noted_and_the_later_one_counts(desk: Desk) {
    let seed = seed(&desk).await;
    let (show, change) = show_of(&desk).await;
    let version = change["version"].as_i64().expect("a version");
    let (rule, was) = (json!({"rules": {"weigh_tolerance_x10": 50}}), json!({"rules": {"weigh_tolerance_x10": null}}));
    desk.apply(&[update("shows", &show, version, rule, was)]).await;
    let scale = desk.phone("Scale", &["scale"]).await;
    scale.apply(&[weigh(&seed.steer, 12_620), weigh(&seed.steer, 12_600)]).await;
    assert_eq!(official(&desk, &seed.steer).await, 12_600);
    assert!(desk.conflicts("open").await.is_empty());
    let noted = desk.conflicts("merged_automatically").await;
    assert_eq!((noted.len(), &noted[0]["rule"]), (1, &json!("C1")), "{noted:?}");
    scale.apply(&[weigh(&seed.steer, 12_300)]).await;
    assert_eq!(desk.conflicts("open").await.len(), 1);
}

async fn a_weight_voided_by_hand_ends_the_dispute(desk: Desk) {
    let dispute = dispute(&desk).await;
    let id = dispute.new["record_id"].as_str().expect("an id");
    let void = json!({"voided_at": "2026-08-07T09:00:00Z", "voided_reason": "wrong animal"});
    dispute.scale.apply(&[update("weigh_ins", id, 1, void, json!({"voided_at": null, "voided_reason": null}))]).await;
    assert_eq!(desk.conflict(&dispute.conflict["id"]).await["status"], "superseded");
    assert!(desk.change("animals", &dispute.seed.steer).await["disputed"].is_null());
}

async fn an_author_who_takes_a_weight_back_voids_it(desk: Desk) {
    let dispute = dispute(&desk).await;
    let path = format!("/me/conflicts/{}/withdraw", dispute.conflict["id"].as_str().expect("an id"));
    let request = dispute.scale.request(reqwest::Method::POST, &path).json(&json!({}));
    crate::phone::send(request).await.expect_status(200);
    assert!(is_void(&desk, &dispute.new).await);
    assert_eq!(official(&desk, &dispute.seed.steer).await, 12_620);
}

async fn a_weigh_back_out_of_tolerance_proposes_to_disqualify(desk: Desk) {
    let seed = seed(&desk).await;
    let (show, change) = show_of(&desk).await;
    let version = change["version"].as_i64().expect("a version");
    let (rule, was) = (json!({"rules": {"weigh_back_tol_x10": 100}}), json!({"rules": {"weigh_back_tol_x10": null}}));
    desk.apply(&[update("shows", &show, version, rule, was), weigh(&seed.steer, 12_620)]).await;
    let entry = v5(&seed.class, &seed.steer);
    let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, data)]).await;
    for stage in ["C", "D"] {
        set_stage(&desk, stage).await;
    }
    let placing = json!({"class_id": seed.class, "entry_id": entry, "place": 1});
    desk.apply(&[insert("placings", &v5(&seed.class, &entry), placing)]).await;
    let scale = desk.phone("Scale", &["scale"]).await;
    let back = |weight: i64| {
        insert("weigh_ins", &fresh(), json!({"animal_id": seed.steer, "kind": "weigh_back", "weight_x10": weight}))
    };
    scale.apply(&[back(12_600)]).await;
    assert!(desk.conflicts("open").await.is_empty());
    scale.apply(&[back(12_400)]).await;
    let open = desk.conflicts("open").await;
    assert_eq!((open.len(), &open[0]["rule"], &open[0]["record_id"]), (1, &json!("C14"), &json!(entry)), "{open:?}");
    assert_eq!(desk.data("entries", &entry).await["out_reason"], Json::Null, "the app only proposes");
    let shown = desk.conflict(&open[0]["id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("entries", &entry).await["out_reason"], "disqualified");
}
