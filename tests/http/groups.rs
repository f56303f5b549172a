//! Groups of ops that stand or fall together, and result cards (PROTOCOL.md §3, DOMAIN.md §5).

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, update, v5, with};
use crate::seed::{Seed, seed, set_stage, show_of};

on_both_engines!(
    a_group_is_written_as_one,
    a_group_is_written_whatever_the_order_of_its_ops,
    a_group_that_is_not_whole_is_refused_as_one,
    one_refused_op_refuses_the_group_and_is_named,
    one_clash_puts_the_whole_group_under_one_clash,
    a_group_waits_as_one_and_is_applied_as_one,
    the_group_as_it_came_is_written_when_the_phone_wins,
    what_the_laptop_has_stays_when_it_wins_and_the_rest_is_joined,
    an_undone_group_is_as_it_was_before,
    a_group_sent_again_is_replayed,
    groups_and_single_ops_of_one_push_do_not_touch_each_other,
    the_same_card_twice_is_verified,
    two_different_cards_ask_a_person,
    a_card_that_leaves_an_animal_off_says_so,
    two_animals_in_one_place_ask_a_person,
    a_scratch_yields_to_a_placing,
    a_placing_of_a_disqualified_animal_asks_a_person,
    a_write_to_one_row_of_a_group_makes_its_rev_higher,
);

/// The ops as one group.
fn group(ops: &[Json]) -> Vec<Json> {
    let txn = json!({"id": Uuid::now_v7(), "size": ops.len()});
    ops.iter().map(|op| with(op.clone(), "txn", txn.clone())).collect()
}

/// An add-on as check-in types it: exhibitor, animal, entry.
fn add_on(seed: &Seed, tag: &str) -> (String, Vec<Json>) {
    let (exhibitor, animal) = (fresh(), fresh());
    let entry = json!({"exhibitor_id": exhibitor, "animal_id": animal, "family_id": seed.class, "is_addon": true});
    let ops = [
        insert("exhibitors", &exhibitor, json!({"first_name": "Ida", "last_name": "Vale"})),
        insert("animals", &animal, json!({"exhibitor_id": exhibitor, "species": "cattle", "tag": tag})),
        insert("entries", &v5(&seed.class, &animal), entry),
    ];
    (animal, group(&ops))
}

fn verdicts(results: &[Json]) -> Vec<&str> {
    results.iter().map(|result| result["verdict"].as_str().expect("a verdict")).collect()
}

async fn a_group_is_written_as_one(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, ops) = add_on(&seed, "7001");
    assert_eq!(verdicts(&phone.push(&ops).await), ["applied"; 3]);
    assert_eq!(desk.data("animals", &animal).await["tag"], "7001");
}

async fn a_group_is_written_whatever_the_order_of_its_ops(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, mut ops) = add_on(&seed, "7001");
    ops.reverse();
    assert_eq!(verdicts(&phone.push(&ops).await), ["applied"; 3]);
    assert_eq!(desk.data("animals", &animal).await["tag"], "7001");
}

async fn a_group_that_is_not_whole_is_refused_as_one(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, ops) = add_on(&seed, "7001");
    for result in phone.push(&ops[..2]).await {
        assert_eq!(result["error"]["code"], "txn_incomplete", "{result}");
    }
    assert!(desk.change("animals", &animal).await.is_null());
}

async fn one_refused_op_refuses_the_group_and_is_named(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, mut ops) = add_on(&seed, "7001");
    ops[2]["data"]["status"] = json!("no such status");
    let results = phone.push(&ops).await;
    assert_eq!(verdicts(&results), ["rejected"; 3]);
    assert_eq!(results[2]["error"]["code"], "out_of_range", "{}", results[2]);
    for result in &results[..2] {
        assert_eq!(result["error"]["code"], "txn_failed");
        let detail = result["error"]["detail"].as_str().expect("a sentence");
        assert!(detail.contains(ops[2]["op_id"].as_str().expect("an id")), "{detail}");
    }
    // One that only the desk can refuse does the same.
    let (_, mut ops) = add_on(&seed, "7002");
    ops.push(update("shows", &fresh(), 1, json!({"stage": "E"}), json!({"stage": "B"})));
    let results = phone.push(&group(&ops)).await;
    assert_eq!(results[3]["error"]["code"], "not_found", "{}", results[3]);
    assert!(results[..3].iter().all(|result| result["error"]["code"] == "txn_failed"), "{results:?}");
    assert!(desk.change("animals", &animal).await.is_null());
}

async fn one_clash_puts_the_whole_group_under_one_clash(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, ops) = add_on(&seed, "9001");
    let results = phone.push(&ops).await;
    assert_eq!(verdicts(&results), ["conflict"; 3], "{results:?}");
    let ids: Vec<&Json> = results.iter().map(|result| &result["conflict_id"]).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one clash: {ids:?}");
    assert!(desk.change("animals", &animal).await.is_null(), "nothing of it is written before");
    let shown = desk.conflict(ids[0]).await;
    assert_eq!(shown["kind"], "unique_violation");
    assert_eq!(shown["record_id"], ops[0]["record_id"], "the first op's row");
    assert_eq!(shown["op_ids"], json!([ops[0]["op_id"], ops[1]["op_id"], ops[2]["op_id"]]));
    let part = &shown["records"][&animal];
    assert_eq!((&part["client"]["tag"], &part["version"]), (&json!("9001"), &json!(0)), "{shown}");
    assert_eq!(desk.conflicts("open").await.len(), 1);
}

async fn a_group_waits_as_one_and_is_applied_as_one(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, ops) = add_on(&seed, "7001");
    let class = fresh();
    let waiting = json!({"exhibitor_id": ops[0]["record_id"], "animal_id": animal, "family_id": class});
    let ops = group(&[ops[0].clone(), ops[1].clone(), insert("entries", &v5(&class, &animal), waiting)]);
    let results = phone.push(&ops).await;
    assert_eq!(verdicts(&results), ["held"; 3], "{results:?}");
    assert_eq!(results[0]["waiting_for"]["record_id"], json!(class));
    assert!(desk.change("animals", &animal).await.is_null());
    desk.apply(&[insert("classes", &class, json!({"name": "Late", "department": "cattle", "kind": "market"}))]).await;
    for op in &ops {
        assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "applied");
    }
    assert_eq!(desk.data("animals", &animal).await["tag"], "7001");
}

async fn the_group_as_it_came_is_written_when_the_phone_wins(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, ops) = add_on(&seed, "9001");
    let results = phone.push(&ops).await;
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &animal).await["tag"], "9001");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], Json::Null, "the holder has given it up");
    assert_eq!(desk.change("entries", &v5(&seed.class, &animal)).await["op"], "upsert");
    for op in &ops {
        assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "merged");
    }
}

async fn what_the_laptop_has_stays_when_it_wins_and_the_rest_is_joined(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, ops) = add_on(&seed, "9001");
    let results = phone.push(&ops).await;
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let data = desk.data("animals", &animal).await;
    assert_eq!((&data["tag"], &data["species"]), (&Json::Null, &json!("cattle")));
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9001");
}

async fn an_undone_group_is_as_it_was_before(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (animal, ops) = add_on(&seed, "9001");
    let results = phone.push(&ops).await;
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let path = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    let undone = desk.post(&path, &json!({"reason": "looked again"})).await.expect_status(200);
    assert_eq!(undone["status"], "open");
    assert!(undone["rev"].as_i64() > shown["rev"].as_i64());
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9001", "given back");
    assert_eq!(desk.change("animals", &animal).await["op"], "delete");
    for op in &ops {
        assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "conflict");
    }
    let shown = desk.conflict(&shown["id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &animal).await["tag"], "9001", "and decided once more");
}

async fn a_group_sent_again_is_replayed(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (_, ops) = add_on(&seed, "7001");
    phone.push(&ops).await;
    let again = phone.push(&ops).await;
    assert_eq!(verdicts(&again), ["applied"; 3]);
    assert!(again.iter().all(|result| result["replayed"] == true));
}

async fn groups_and_single_ops_of_one_push_do_not_touch_each_other(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (_, good) = add_on(&seed, "7001");
    let (_, clashing) = add_on(&seed, "9001");
    let (_, mut broken) = add_on(&seed, "7003");
    broken[0]["data"]["first_name"] = json!(7);
    let single = update("animals", &seed.hog, 1, json!({"pen": "H1"}), json!({"pen": null}));
    let mixed: Vec<Json> =
        (0..3).flat_map(|at| [good[at].clone(), clashing[at].clone(), broken[at].clone()]).chain([single]).collect();
    let results = phone.push(&mixed).await;
    let expected = ["applied", "conflict", "rejected"].repeat(3);
    assert_eq!(verdicts(&results)[..9], expected[..]);
    assert_eq!(results[9]["verdict"], "applied");
}

/// A class with entries of two animals, in stage D, and the phones of two clerks.
async fn ring(desk: &Desk) -> (Seed, [String; 2], Phone, Phone) {
    let seed = seed(desk).await;
    let cattle = fresh();
    desk.apply(&[insert(
        "animals",
        &cattle,
        json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9003"}),
    )])
    .await;
    let entry = |animal: &str| {
        let data = json!({
            "exhibitor_id": seed.exhibitor, "animal_id": animal, "family_id": seed.class, "class_id": seed.class,
        });
        insert("entries", &v5(&seed.class, animal), data)
    };
    let rows = [entry(&seed.steer), entry(&cattle)];
    desk.apply(&rows).await;
    let ids = rows.map(|row| row["record_id"].as_str().expect("an id").to_owned());
    for stage in ["C", "D"] {
        set_stage(desk, stage).await;
    }
    let first = desk.phone("Ring 1", &["clerk", "gate"]).await;
    let second = desk.phone("Office", &["clerk"]).await;
    (seed, ids, first, second)
}

fn card(class: &str, places: &[(&String, i64)]) -> Vec<Json> {
    let card_id = fresh();
    let place = |(entry, place): &(&String, i64)| {
        let data = json!({"class_id": class, "entry_id": entry, "place": place, "card_id": card_id});
        insert("placings", &v5(class, entry), data)
    };
    group(&places.iter().map(place).collect::<Vec<_>>())
}

async fn the_same_card_twice_is_verified(desk: Desk) {
    let (seed, [one, two], first, second) = ring(&desk).await;
    first.apply(&card(&seed.class, &[(&one, 1), (&two, 2)])).await;
    assert_eq!(desk.data("classes", &seed.class).await["card_state"], "posted");
    let results = second.push(&card(&seed.class, &[(&one, 1), (&two, 2)])).await;
    assert_eq!(verdicts(&results), ["noop"; 2], "{results:?}");
    assert_eq!(desk.data("classes", &seed.class).await["card_state"], "verified");
}

async fn two_different_cards_ask_a_person(desk: Desk) {
    let (seed, [one, two], first, second) = ring(&desk).await;
    first.apply(&card(&seed.class, &[(&one, 1), (&two, 2)])).await;
    let theirs = card(&seed.class, &[(&two, 1), (&one, 2)]);
    let results = second.push(&theirs).await;
    assert_eq!(verdicts(&results), ["conflict"; 2], "{results:?}");
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    assert_eq!((&shown["kind"], &shown["rule"]), (&json!("rule"), &json!("C7")), "{shown}");
    assert_eq!((&shown["table_name"], &shown["record_id"]), (&json!("classes"), &json!(seed.class)));
    let placing = v5(&seed.class, &one);
    let part = &shown["records"][&placing];
    assert_eq!((&part["server"]["place"], &part["client"]["place"]), (&json!(1), &json!(2)), "{part}");
    assert_eq!(desk.data("classes", &seed.class).await["card_state"], "conflict");
    assert_eq!(desk.data("placings", &placing).await["place"], 1, "the card is withheld");
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("placings", &placing).await["place"], 2);
    assert_eq!(desk.data("classes", &seed.class).await["card_state"], "posted");
    let path = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
    assert_eq!(desk.data("placings", &placing).await["place"], 1);
}

async fn a_card_that_leaves_an_animal_off_says_so(desk: Desk) {
    let (seed, [one, two], first, second) = ring(&desk).await;
    first.apply(&card(&seed.class, &[(&one, 1), (&two, 2)])).await;
    let third = fresh();
    desk.apply(&[insert(
        "animals",
        &third,
        json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9004"}),
    )])
    .await;
    let entry = v5(&seed.class, &third);
    let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": third, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, data)]).await;
    let results = second.push(&card(&seed.class, &[(&entry, 1), (&one, 2)])).await;
    assert_eq!(verdicts(&results), ["conflict"; 2], "{results:?}");
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    let left_off = &shown["records"][v5(&seed.class, &two)];
    assert_eq!((&left_off["server"]["place"], &left_off["client"]), (&json!(2), &Json::Null), "{shown}");
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("placings", &v5(&seed.class, &one)).await["place"], 2);
    assert_eq!(desk.change("placings", &v5(&seed.class, &two)).await["op"], "delete");
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    assert_eq!(desk.data("placings", &v5(&seed.class, &two)).await["place"], 2);
}

async fn two_animals_in_one_place_ask_a_person(desk: Desk) {
    let (seed, [one, two], first, _) = ring(&desk).await;
    let results = first.push(&card(&seed.class, &[(&one, 1), (&two, 1)])).await;
    assert_eq!(verdicts(&results), ["conflict"; 2], "{results:?}");
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    assert_eq!((&shown["rule"], &shown["record_id"]), (&json!("C8"), &json!(seed.class)));
    let refused = desk.resolve(&shown, "client_wins", None).await.expect_problem(422);
    assert_eq!(refused["code"], "out_of_range");
    let manual = json!({ v5(&seed.class, &one): {"place": 1}, v5(&seed.class, &two): {"place": 2} });
    desk.resolve(&shown, "manual", Some(manual)).await.expect_status(200);
    assert_eq!(desk.data("placings", &v5(&seed.class, &two)).await["place"], 2);
    // Where ties are allowed and the two are one, nobody is asked.
    let (show, change) = show_of(&desk).await;
    let version = change["version"].as_i64().expect("a version");
    let rule = json!({"rules": {"ties_allowed": true}});
    desk.apply(&[update("shows", &show, version, rule, json!({"rules": {"ties_allowed": null}}))]).await;
    let tie = |entry: &String, version: i64, was: i64| {
        let placing = v5(&seed.class, entry);
        update(
            "placings",
            &placing,
            version,
            json!({"place": 1, "tie_group": "a"}),
            json!({"place": was, "tie_group": null}),
        )
    };
    let results = first.push(&group(&[tie(&one, 1, 1), tie(&two, 1, 2)])).await;
    assert_eq!(verdicts(&results), ["applied"; 2], "{results:?}");
}

async fn a_scratch_yields_to_a_placing(desk: Desk) {
    let (seed, [one, two], first, _) = ring(&desk).await;
    let version = desk.change("entries", &one).await["version"].as_i64().expect("a version");
    first
        .apply(&[update("entries", &one, version, json!({"out_reason": "no_show"}), json!({"out_reason": null}))])
        .await;
    first.apply(&card(&seed.class, &[(&one, 1), (&two, 2)])).await;
    assert_eq!(desk.data("entries", &one).await["out_reason"], Json::Null, "it was there after all");
}

async fn a_placing_of_a_disqualified_animal_asks_a_person(desk: Desk) {
    let (seed, [one, two], first, _) = ring(&desk).await;
    let version = desk.change("entries", &one).await["version"].as_i64().expect("a version");
    let out = json!({"out_reason": "disqualified"});
    let edit = with(update("entries", &one, version, out, json!({"out_reason": null})), "reason", json!("drug test"));
    desk.apply(&[edit]).await;
    let results = first.push(&card(&seed.class, &[(&one, 1), (&two, 2)])).await;
    assert_eq!(verdicts(&results), ["conflict"; 2], "{results:?}");
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    assert_eq!(shown["rule"], "C6");
    assert!(desk.change("placings", &v5(&seed.class, &two)).await.is_null(), "the whole card waits");
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    assert!(desk.change("placings", &v5(&seed.class, &two)).await.is_null());
    assert_eq!(desk.data("classes", &seed.class).await["card_state"], "none");
}

async fn a_write_to_one_row_of_a_group_makes_its_rev_higher(desk: Desk) {
    let (seed, [one, two], first, second) = ring(&desk).await;
    first.apply(&card(&seed.class, &[(&one, 1), (&two, 2)])).await;
    let results = second.push(&card(&seed.class, &[(&two, 1), (&one, 2)])).await;
    let shown = desk.conflict(&results[0]["conflict_id"]).await;
    let placing = v5(&seed.class, &one);
    desk.apply(&[update("placings", &placing, 1, json!({"place": 3}), json!({"place": 1}))]).await;
    let fresh = desk.conflict(&shown["id"]).await;
    assert!(fresh["rev"].as_i64() > shown["rev"].as_i64());
    assert_eq!(fresh["records"][&placing]["server"]["place"], 3);
    let moved = desk.resolve(&shown, "client_wins", None).await.expect_problem(409);
    assert_eq!(moved["code"], "server_moved");
}
