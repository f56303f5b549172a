//! Clashes that close by themselves: what waits with them is checked as any write, and nothing closes by mistake.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{delete, fresh, insert, update, v5, with};
use crate::seed::{seed, set_stage};

on_both_engines!(
    a_group_is_not_closed_by_one_of_its_rows,
    what_waits_and_cannot_be_joined_asks_a_person,
    a_deleted_row_stays_deleted_when_a_clash_about_it_closes,
    a_first_value_stands_against_an_op_that_joins_a_clash,
    an_entry_that_changed_nothing_has_seen_nothing,
    a_row_with_the_id_of_another_closes_no_clash,
    a_hidden_row_and_none_answer_a_viewer_alike,
    an_undone_same_as_takes_back_what_it_filled_in,
    an_edit_that_joined_a_question_of_the_rules_is_decided_with_it,
    an_edit_beside_a_group_does_not_join_it,
);

async fn a_group_is_not_closed_by_one_of_its_rows(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    let edit = |animal: &str, tag: &str, was: &str, version: i64| {
        update("animals", animal, version, json!({"tag": tag}), json!({"tag": was}))
    };
    desk.apply(&[edit(&seed.steer, "9011", "9001", 1), edit(&seed.hog, "9012", "9002", 1)]).await;
    let txn = json!({"id": fresh(), "size": 2});
    let ops = [
        with(delete("animals", &seed.steer, 1), "txn", txn.clone()),
        with(edit(&seed.hog, "9022", "9002", 1), "txn", txn),
    ];
    let results = phone.push(&ops).await;
    assert!(results.iter().all(|result| result["verdict"] == "conflict"), "{results:?}");
    desk.apply(&[edit(&seed.hog, "9022", "9012", 2)]).await;
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    assert_eq!(shown["status"], "open", "the deletion still waits");
    assert_eq!(phone.status_of(&ops[0]["op_id"]).await["verdict"], "conflict");
    desk.apply(&[delete("animals", &seed.steer, 2)]).await;
    assert_eq!(desk.conflict(&shown["id"]).await["status"], "superseded", "now the desk shows all of it");
}

async fn what_waits_and_cannot_be_joined_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let (one, two) = (desk.phone("Barn 1", &["admin"]).await, desk.phone("Barn 2", &["admin"]).await);
    let taken = "840003123456789";
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let edit = json!({"tag": "9012", "official_id": taken});
    let edit = update("animals", &seed.steer, 1, edit, json!({"tag": "9001", "official_id": null}));
    let result = one.push_one(&edit).await;
    assert_eq!(result["contested"], json!(["tag"]), "{result}");
    desk.apply(&[update("animals", &seed.hog, 1, json!({"official_id": taken}), json!({"official_id": null}))]).await;
    two.apply(&[update("animals", &seed.steer, 2, json!({"tag": "9012"}), json!({"tag": "9011"}))]).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    assert_eq!((&shown["status"], &shown["contested"]), (&json!("open"), &json!(["tag", "official_id"])), "{shown}");
}

async fn a_deleted_row_stays_deleted_when_a_clash_about_it_closes(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    desk.apply(&[update("animals", &seed.hog, 1, json!({"tag": "9012"}), json!({"tag": "9002"}))]).await;
    let remove = delete("animals", &seed.hog, 1);
    let result = phone.push_one(&remove).await;
    assert_eq!(result["kind"], "delete_updated", "{result}");
    let pen = update("animals", &seed.hog, 1, json!({"pen": "H1"}), json!({"pen": null}));
    phone.push_one(&with(pen, "prev_op_id", remove["op_id"].clone())).await;
    desk.apply(&[delete("animals", &seed.hog, 2)]).await;
    assert_eq!(desk.conflict(&result["conflict_id"]).await["status"], "superseded");
    assert_eq!(desk.change("animals", &seed.hog).await["op"], "delete");
}

async fn a_first_value_stands_against_an_op_that_joins_a_clash(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let first = json!({"tag": "9011", "arrived_at": "2026-08-07T08:00:00Z"});
    desk.apply(&[update("animals", &seed.steer, 1, first, json!({"tag": "9001", "arrived_at": null}))]).await;
    let edit = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let result = phone.push_one(&edit).await;
    let later = json!({"tag": "9013", "arrived_at": "2026-08-07T09:00:00Z"});
    let later = update("animals", &seed.steer, 1, later, json!({"tag": "9012", "arrived_at": null}));
    let held = phone.push_one(&with(later, "prev_op_id", edit["op_id"].clone())).await;
    assert_eq!(held["verdict"], "held", "{held}");
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["arrived_at"], "2026-08-07T08:00:00.000Z");
}

async fn an_entry_that_changed_nothing_has_seen_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    let theirs = json!({"pen": "B1", "tag": "9011"});
    desk.apply(&[update("animals", &seed.hog, 1, theirs, json!({"pen": null, "tag": "9002"}))]).await;
    let same = update("animals", &seed.hog, 1, json!({"pen": "B1"}), json!({"pen": null}));
    let remove = with(delete("animals", &seed.hog, 1), "prev_op_id", same["op_id"].clone());
    let results = phone.push(&[same, remove]).await;
    assert_eq!(
        (&results[0]["verdict"], &results[1]["kind"]),
        (&json!("noop"), &json!("delete_updated")),
        "{results:?}"
    );
}

async fn a_row_with_the_id_of_another_closes_no_clash(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = crate::conflicts::clash(&desk, &seed).await;
    let words = json!({"type": "schedule", "title": "Lunch", "body": "At noon"});
    let announced = desk.push_one(&insert("announcements", &seed.steer, words)).await;
    assert_eq!(announced["verdict"], "applied", "{announced}");
    assert_eq!(desk.conflict(&result["conflict_id"]).await["status"], "open");
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "conflict");
    assert!(desk.change("announcements", &seed.steer).await["disputed"].is_null());
}

async fn a_hidden_row_and_none_answer_a_viewer_alike(desk: Desk) {
    let seed = seed(&desk).await;
    let viewer = desk.phone("Family", &["viewer"]).await;
    let weigh_in = fresh();
    let data = json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 12_000});
    desk.apply(&[insert("weigh_ins", &weigh_in, data)]).await;
    for id in [weigh_in, fresh()] {
        let edit = update("weigh_ins", &id, 1, json!({"voided_reason": "x"}), json!({"voided_reason": null}));
        let answer = viewer.push_one(&with(edit, "prev_op_id", json!(fresh()))).await;
        assert_eq!(answer["error"]["code"], "not_found", "{answer}");
    }
}

async fn an_undone_same_as_takes_back_what_it_filled_in(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let data = json!({"exhibitor_id": seed.exhibitor, "species": "swine", "tag": "9002", "breed": "Duroc"});
    let result = phone.push_one(&insert("animals", &fresh(), data)).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"same_as": seed.hog}))).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.hog).await["breed"], "Duroc");
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.hog).await["breed"], Json::Null);
}

/// A disqualification suspends a placing (rule C6), and the same device changes that placing: the edit joins the
/// question, and whatever becomes of the question becomes of the edit. The disqualification itself stands.
async fn an_edit_that_joined_a_question_of_the_rules_is_decided_with_it(desk: Desk) {
    let seed = seed(&desk).await;
    let entry = v5(&seed.class, &seed.steer);
    let placing = v5(&seed.class, &entry);
    let entered = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, entered)]).await;
    for stage in ["C", "D"] {
        set_stage(&desk, stage).await;
    }
    desk.apply(&[insert("placings", &placing, json!({"class_id": seed.class, "entry_id": entry, "place": 1}))]).await;
    let out = update("entries", &entry, 1, json!({"out_reason": "disqualified"}), json!({"out_reason": null}));
    let out = with(out, "reason", json!("seen in the ring"));
    assert_eq!(desk.push_one(&out).await["verdict"], "applied");
    let edit = update("placings", &placing, 1, json!({"place": 2}), json!({"place": 1}));
    let held = desk.push_one(&edit).await;
    assert_eq!(held["verdict"], "held", "{held}");
    let path = |what: &str| format!("/admin/conflicts/{}/{what}", held["conflict_id"].as_str().expect("an id"));
    let shown = desk.conflict(&held["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert_eq!(desk.status_of(&edit["op_id"]).await["verdict"], "noop", "it is decided, not held for ever");
    desk.post(&path("undo"), &json!({})).await.expect_status(200);
    assert_eq!(desk.status_of(&edit["op_id"]).await["verdict"], "held", "and waits again when that is taken back");
    assert_eq!(desk.status_of(&out["op_id"]).await["verdict"], "applied", "the fact stands through all of it");
    desk.post(&format!("/me/conflicts/{}/withdraw", held["conflict_id"].as_str().expect("an id")), &json!({}))
        .await
        .expect_status(200);
    assert_eq!(desk.status_of(&edit["op_id"]).await["verdict"], "noop", "a withdrawn edit is done with");
    assert_eq!(desk.status_of(&out["op_id"]).await["verdict"], "applied");
    assert_eq!(desk.data("entries", &entry).await["out_reason"], "disqualified");
}

/// A card that names an entry which was taken back is one question about its class; the class itself is no part of it.
async fn an_edit_beside_a_group_does_not_join_it(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Office", &["admin"]).await;
    let entry = v5(&seed.class, &seed.steer);
    let entered = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, entered)]).await;
    for stage in ["C", "D"] {
        set_stage(&desk, stage).await;
    }
    desk.apply(&[delete("entries", &entry, 1)]).await;
    let other = v5(&seed.class, &seed.hog);
    let entered = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.hog, "family_id": seed.class});
    desk.apply(&[insert("entries", &other, entered)]).await;
    let txn = json!({"id": fresh(), "size": 2});
    let card = [(&entry, 1), (&other, 2)].map(|(entry, place)| {
        let data = json!({"class_id": seed.class, "entry_id": entry, "place": place});
        with(insert("placings", &v5(&seed.class, entry), data), "txn", txn.clone())
    });
    let results = phone.push(&card).await;
    assert!(results.iter().all(|result| result["kind"] == "missing_reference"), "{results:?}");
    let version = desk.change("classes", &seed.class).await["version"].as_i64().expect("a version");
    let edit = update("classes", &seed.class, version, json!({"judge_name": "Ada"}), json!({"judge_name": null}));
    let result = phone.push_one(&edit).await;
    assert_eq!(result["verdict"], "applied", "no question is about the judge's name: {result}");
}
