//! Several edits of one record made before the phone heard back: they never conflict with themselves.

use serde_json::json;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, update, v5, with};
use crate::seed::seed;

on_both_engines!(
    two_quick_edits_of_one_record_do_not_conflict_with_themselves,
    a_chain_goes_on_in_the_next_push,
    a_row_and_its_children_come_in_one_push,
    an_edit_without_its_predecessor_has_not_seen_it,
    a_chain_survives_a_merge_with_somebody_else,
    no_edit_is_lost_under_a_chain,
);

async fn two_quick_edits_of_one_record_do_not_conflict_with_themselves(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    let first = update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}));
    let second = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9011"}));
    let second = with(second, "prev_op_id", first["op_id"].clone());
    let results = phone.push(&[first, second]).await;
    assert_eq!((&results[0]["verdict"], &results[0]["version"]), (&json!("applied"), &json!(2)));
    assert_eq!((&results[1]["verdict"], &results[1]["version"]), (&json!("applied"), &json!(3)));
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9012");
}

async fn a_chain_goes_on_in_the_next_push(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    let first = update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}));
    phone.apply(std::slice::from_ref(&first)).await;
    // The answer was lost: the next edits are still made on version 1 and what the phone itself did.
    let second = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9011"}));
    let second = with(second, "prev_op_id", first["op_id"].clone());
    let third = update("animals", &seed.steer, 1, json!({"breed": "Hereford"}), json!({"breed": "Angus"}));
    let third = with(third, "prev_op_id", second["op_id"].clone());
    let results = phone.push(&[first, second, third]).await;
    assert_eq!(results[0]["replayed"], true);
    assert_eq!((&results[1]["verdict"], &results[2]["verdict"]), (&json!("applied"), &json!("applied")));
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["tag"], &data["breed"]), (&json!("9012"), &json!("Hereford")));
}

async fn a_row_and_its_children_come_in_one_push(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Check-in", &["admin"]).await;
    let animal = fresh();
    let make = insert("animals", &animal, json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77"}));
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": animal, "family_id": seed.class});
    let weigh_in = json!({"animal_id": animal, "kind": "arrival", "weight_x10": 810});
    let edit = update("animals", &animal, 1, json!({"pen": "G1"}), json!({"pen": null}));
    let edit = with(edit, "prev_op_id", make["op_id"].clone());
    let rows = [make, insert("entries", &v5(&seed.class, &animal), entry), insert("weigh_ins", &fresh(), weigh_in)];
    let results = phone.push(&[&rows[..], &[edit]].concat()).await;
    assert!(results[..3].iter().all(|result| result["verdict"] == "applied"), "{results:?}");
    // The weight has changed the row under the edit; nobody's entry is touched by that.
    let verdict = results[3]["verdict"].as_str().expect("a verdict");
    assert!(["applied", "merged"].contains(&verdict), "{}", results[3]);
    let data = desk.data("animals", &animal).await;
    assert_eq!((&data["pen"], &data["official_weight_x10"]), (&json!("G1"), &json!(810)));
}

async fn an_edit_without_its_predecessor_has_not_seen_it(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    let first = update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}));
    let second = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let results = phone.push(&[first, second]).await;
    assert_eq!(results[0]["verdict"], "applied");
    assert_eq!(results[1]["verdict"], "conflict", "prev_op_id null: the author had seen version 1 and nothing else");
}

async fn a_chain_survives_a_merge_with_somebody_else(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}))]).await;
    let first = update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}));
    let second = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9011"}));
    let second = with(second, "prev_op_id", first["op_id"].clone());
    let results = phone.push(&[first, second]).await;
    assert_eq!((&results[0]["verdict"], &results[1]["verdict"]), (&json!("merged"), &json!("merged")));
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["tag"], &data["pen"]), (&json!("9012"), &json!("B1")));
}

async fn no_edit_is_lost_under_a_chain(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent"]).await;
    let other = desk.phone("Barn 2", &["superintendent"]).await;
    let first = update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}));
    phone.apply(std::slice::from_ref(&first)).await;
    other.apply(&[update("animals", &seed.steer, 2, json!({"tag": "9020"}), json!({"tag": "9001"}))]).await;
    // The merge of its first edit is not what the phone has seen: the other's tag is a change under its feet.
    let second = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let second = phone.push_one(&with(second, "prev_op_id", first["op_id"].clone())).await;
    assert_eq!((&second["verdict"], &second["contested"]), (&json!("conflict"), &json!(["tag"])));
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9020");
}
