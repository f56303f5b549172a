//! What happens without a person when two people change one field (DOMAIN.md §3).

use serde_json::json;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{insert, update, v5, with};
use crate::seed::{seed, show_of};

on_both_engines!(
    of_two_pens_the_latest_wins,
    the_first_check_in_stays,
    the_higher_state_wins,
    a_stage_goes_back_only_with_a_reason,
    the_higher_authority_wins,
    equal_authority_asks_a_person,
    each_rule_of_the_show_merges_on_its_own,
);

async fn of_two_pens_the_latest_wins(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Check-in 1", &["checkin"]).await;
    let second = desk.phone("Check-in 2", &["checkin"]).await;
    first.apply(&[update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}))]).await;
    let later = second.push_one(&update("animals", &seed.steer, 1, json!({"pen": "B2"}), json!({"pen": "C1"}))).await;
    assert_eq!(later["verdict"], "merged");
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B2");
    assert!(desk.conflicts("open").await.is_empty());
    assert_eq!(desk.history("animals", &seed.steer).await.len(), 3, "history is kept");
}

async fn the_first_check_in_stays(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Check-in 1", &["checkin"]).await;
    let second = desk.phone("Check-in 2", &["checkin"]).await;
    let arrive = |at: &str| update("animals", &seed.steer, 1, json!({"arrived_at": at}), json!({"arrived_at": null}));
    first.apply(&[arrive("2026-08-06T08:02:00Z")]).await;
    let later = second.push_one(&arrive("2026-08-06T08:05:00Z")).await;
    assert_eq!(later["verdict"], "noop");
    assert_eq!(later["record"]["arrived_at"], "2026-08-06T08:02:00.000Z", "already checked in");
    assert_eq!(desk.data("animals", &seed.steer).await["arrived_at"], "2026-08-06T08:02:00.000Z");
    let version = desk.change("animals", &seed.steer).await["version"].as_i64().expect("a version");
    let clear = json!({"arrived_at": null});
    let clear = update("animals", &seed.steer, version, clear, json!({"arrived_at": "2026-08-06T08:02:00Z"}));
    assert_eq!(first.push_one(&clear).await["verdict"], "applied", "its author may clear it");
}

async fn the_higher_state_wins(desk: Desk) {
    let seed = seed(&desk).await;
    let entry = v5(&seed.class, &seed.steer);
    let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, data)]).await;
    let first = desk.phone("Office 1", &["admin"]).await;
    let second = desk.phone("Office 2", &["admin"]).await;
    let to = |status: &str| update("entries", &entry, 1, json!({"status": status}), json!({"status": "entered"}));
    first.apply(&[to("ready")]).await;
    let lower = second.push_one(&to("checked_in")).await;
    assert_eq!(lower["verdict"], "noop");
    assert_eq!(desk.data("entries", &entry).await["status"], "ready");
    let higher = second.push_one(&to("shown")).await;
    assert_eq!(higher["verdict"], "merged");
    assert_eq!(desk.data("entries", &entry).await["status"], "shown");
}

async fn a_stage_goes_back_only_with_a_reason(desk: Desk) {
    let (show, change) = show_of(&desk).await;
    let version = change["version"].as_i64().expect("a version");
    desk.apply(&[update("shows", &show, version, json!({"stage": "C"}), json!({"stage": "A"}))]).await;
    let back = || update("shows", &show, version + 1, json!({"stage": "B"}), json!({"stage": "C"}));
    assert_eq!(desk.push_one(&back()).await["verdict"], "rejected");
    desk.apply(&[with(back(), "reason", json!("weigh-in goes on"))]).await;
    assert_eq!(desk.data("shows", &show).await["stage"], "B");
}

async fn the_higher_authority_wins(desk: Desk) {
    let seed = seed(&desk).await;
    let barn = desk.phone("Barn", &["superintendent"]).await;
    let to = |breed: &str| update("animals", &seed.steer, 1, json!({"breed": breed}), json!({"breed": "Angus"}));
    desk.apply(&[to("Hereford")]).await;
    let lower = barn.push_one(&to("Shorthorn")).await;
    assert_eq!(lower["verdict"], "noop", "admin beats superintendent");
    assert_eq!(desk.data("animals", &seed.steer).await["breed"], "Hereford");
    let hog = |breed: &str| update("animals", &seed.hog, 1, json!({"breed": breed}), json!({"breed": null}));
    barn.apply(&[hog("Duroc")]).await;
    let higher = desk.push_one(&hog("Spotted")).await;
    assert_eq!(higher["verdict"], "merged");
    assert_eq!(desk.data("animals", &seed.hog).await["breed"], "Spotted");
    assert!(desk.conflicts("open").await.is_empty());
}

async fn equal_authority_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Barn 1", &["superintendent"]).await;
    let second = desk.phone("Barn 2", &["superintendent"]).await;
    let to = |breed: &str| update("animals", &seed.steer, 1, json!({"breed": breed}), json!({"breed": "Angus"}));
    first.apply(&[to("Hereford")]).await;
    let result = second.push_one(&to("Shorthorn")).await;
    assert_eq!((&result["verdict"], &result["contested"]), (&json!("conflict"), &json!(["breed"])));
}

async fn each_rule_of_the_show_merges_on_its_own(desk: Desk) {
    let other = desk.phone("Office 2", &["admin"]).await;
    let (show, change) = show_of(&desk).await;
    let version = change["version"].as_i64().expect("a version");
    let rule = |rules: serde_json::Value| update("shows", &show, version, json!({"rules": rules}), json!({}));
    desk.apply(&[with(
        rule(json!({"class_cap": 22})),
        "base",
        json!({"rules": {"class_cap": change["data"]["rules"]["class_cap"]}}),
    )])
    .await;
    let edit = rule(json!({"min_breed_head": 4}));
    let edit = with(edit, "base", json!({"rules": {"min_breed_head": change["data"]["rules"]["min_breed_head"]}}));
    assert_eq!(other.push_one(&edit).await["verdict"], "merged");
    let rules = &desk.data("shows", &show).await["rules"];
    assert_eq!((&rules["class_cap"], &rules["min_breed_head"]), (&json!(22), &json!(4)));
}
