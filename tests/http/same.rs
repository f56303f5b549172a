//! Two ids for one thing, and the other ways out of a clash about a unique value (PROTOCOL.md §4).

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, delete, fresh, insert, update, v5, with};
use crate::seed::{Seed, seed, set_stage};

on_both_engines!(
    an_animal_that_is_the_same_brings_its_children_along,
    what_comes_later_under_the_other_name_finds_the_row,
    the_phone_is_told_to_drop_its_own_id,
    same_as_can_be_taken_back_while_nothing_has_moved,
    an_id_that_is_a_row_of_its_own_again_is_told_as_that,
    a_live_row_that_is_the_same_gives_its_children_away,
    the_holder_can_get_another_value,
    same_as_must_name_a_row_of_the_table,
    what_a_phone_writes_under_the_name_of_a_merged_row_belongs_to_the_other,
    a_name_of_a_name_finds_the_row,
    same_as_stays_once_something_came_by_the_other_name,
    an_entry_that_both_rows_have_differently_asks_a_person,
    official_results_do_not_move_to_another_row,
    who_may_not_write_gives_no_row_another_name,
    an_insert_under_another_name_finds_the_row,
);

/// A phone types an animal whose tag another animal has, and weighs it.
async fn twice(desk: &Desk) -> (Seed, Phone, String, Vec<Json>, Json) {
    let seed = seed(desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": animal, "family_id": seed.class});
    let ops = vec![
        insert(
            "animals",
            &animal,
            json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001", "name": "Bruno"}),
        ),
        insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 12_000})),
        insert("entries", &v5(&seed.class, &animal), entry),
    ];
    let results = phone.push(&ops).await;
    assert_eq!(results[0]["kind"], "unique_violation", "{results:?}");
    assert_eq!(results[0]["record"]["tag"], "9001", "the holder is shown");
    assert!(results[1..].iter().all(|result| result["verdict"] == "held"), "{results:?}");
    let conflict = desk.conflict(&results[0]["conflict_id"]).await;
    (seed, phone, animal, ops, conflict)
}

async fn an_animal_that_is_the_same_brings_its_children_along(desk: Desk) {
    let (seed, phone, animal, ops, conflict) = twice(&desk).await;
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    assert!(desk.change("animals", &animal).await["data"].is_null());
    let steer = desk.data("animals", &seed.steer).await;
    assert_eq!((&steer["tag"], &steer["name"]), (&json!("9001"), &json!("Bruno")), "what it lacked is filled in");
    assert_eq!(steer["official_weight_x10"], 12_000, "the weight was taken of this animal");
    let entry = v5(&seed.class, &seed.steer);
    assert_eq!(desk.data("entries", &entry).await["animal_id"], json!(seed.steer), "under its own key");
    assert!(desk.change("entries", &v5(&seed.class, &animal)).await["data"].is_null());
    for op in &ops {
        let now = phone.status_of(&op["op_id"]).await;
        assert!(["applied", "merged", "noop"].contains(&now["verdict"].as_str().expect("a verdict")), "{now}");
    }
    let insert = phone.status_of(&ops[0]["op_id"]).await;
    assert_eq!(insert["record"]["pen"], "C1", "the holder as record: {insert}");
    assert_eq!(insert["record_id"], json!(seed.steer));
}

async fn what_comes_later_under_the_other_name_finds_the_row(desk: Desk) {
    let (seed, phone, animal, ops, conflict) = twice(&desk).await;
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let edit = update("animals", &animal, 1, json!({"pen": "B9"}), json!({"pen": null}));
    let edit = phone.push_one(&with(edit, "prev_op_id", ops[0]["op_id"].clone())).await;
    assert!(["applied", "merged"].contains(&edit["verdict"].as_str().expect("a verdict")), "{edit}");
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B9");
    let again = update("animals", &animal, 1, json!({"pen": "B9"}), json!({"pen": null}));
    let same = phone.push_one(&with(again, "prev_op_id", ops[0]["op_id"].clone())).await;
    assert_eq!(same["verdict"], "noop", "{same}");
    let late = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "weigh_back", "weight_x10": 1}));
    assert_eq!(phone.push_one(&late).await["verdict"], "applied");
    let row = desk.data("weigh_ins", late["record_id"].as_str().expect("an id")).await;
    assert_eq!(row["animal_id"], json!(seed.steer));
}

async fn the_phone_is_told_to_drop_its_own_id(desk: Desk) {
    let (seed, phone, animal, _, conflict) = twice(&desk).await;
    let mut rows = std::collections::BTreeMap::new();
    let cursor = phone.pull_after(None, 500, &mut rows).await;
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let mut news = std::collections::BTreeMap::new();
    phone.pull_after(Some(cursor), 500, &mut news).await;
    let change = &news[&("animals".to_owned(), animal)];
    assert_eq!((&change["op"], &change["data"]), (&json!("revoke"), &Json::Null), "{change}");
    assert!(news.contains_key(&("animals".to_owned(), seed.steer.clone())), "and takes the holder");
}

async fn same_as_can_be_taken_back_while_nothing_has_moved(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let animal = fresh();
    let data = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001"});
    let op = insert("animals", &animal, data);
    let result = phone.push_one(&op).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    let shown = desk.conflict(&shown["id"]).await;
    assert_eq!(shown["status"], "open");
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &animal).await["tag"], "9001");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], Json::Null);
}

/// What came under the other name stays with the other row; the entry itself is decided anew.
async fn an_id_that_is_a_row_of_its_own_again_is_told_as_that(desk: Desk) {
    let (seed, phone, animal, ops, conflict) = twice(&desk).await;
    let op = &ops[0]["op_id"];
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    assert_eq!(phone.status_of(op).await["record_id"], json!(seed.steer));
    let reopen = format!("/admin/conflicts/{}/reopen", conflict["id"].as_str().expect("an id"));
    desk.post(&reopen, &json!({})).await.expect_status(200);
    let shown = desk.conflict(&conflict["id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let told = phone.status_of(op).await;
    assert_eq!((&told["verdict"], &told["record_id"]), (&json!("merged"), &Json::Null), "{told}");
    assert_eq!(told["record"]["tag"], "9001", "{told}");
    assert_eq!(phone.data("animals", &animal).await["tag"], "9001");
}

async fn a_live_row_that_is_the_same_gives_its_children_away(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin", "scale"]).await;
    let double = fresh();
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": double, "family_id": seed.class});
    desk.apply(&[
        insert("animals", &double, json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9100"})),
        insert("weigh_ins", &fresh(), json!({"animal_id": double, "kind": "arrival", "weight_x10": 11_000})),
        insert("entries", &v5(&seed.class, &double), entry),
    ])
    .await;
    let version = desk.change("animals", &double).await["version"].as_i64().expect("a version");
    let edit = update("animals", &double, version, json!({"tag": "9001"}), json!({"tag": "9100"}));
    let result = phone.push_one(&edit).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    assert_eq!(desk.change("animals", &double).await["op"], "delete");
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 11_000);
    assert_eq!(desk.data("entries", &v5(&seed.class, &seed.steer)).await["animal_id"], json!(seed.steer));
    assert_eq!(desk.change("entries", &v5(&seed.class, &double)).await["op"], "delete");
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    assert_eq!(desk.post(&undo, &json!({})).await.expect_problem(409)["code"], "wrong_state");
}

async fn the_holder_can_get_another_value(desk: Desk) {
    let (seed, _, animal, _, conflict) = twice(&desk).await;
    let taken = json!({"other_data": {"name": "x"}});
    assert_eq!(desk.resolve(&conflict, "manual", Some(taken)).await.expect_problem(422)["code"], "unknown_field");
    let data = json!({"other_data": {"tag": "9555"}});
    desk.resolve(&conflict, "manual", Some(data)).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9555");
    assert_eq!(desk.data("animals", &animal).await["tag"], "9001");
    let undo = format!("/admin/conflicts/{}/undo", conflict["id"].as_str().expect("an id"));
    desk.post(&undo, &json!({})).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9001");
    assert_eq!(desk.data("animals", &animal).await["tag"], Json::Null, "what belongs to it keeps the row");
}

async fn same_as_must_name_a_row_of_the_table(desk: Desk) {
    let (seed, _, animal, _, conflict) = twice(&desk).await;
    for wrong in [json!(seed.exhibitor), json!(animal), json!(7), json!("nonsense")] {
        let refused = desk.resolve(&conflict, "manual", Some(json!({"same_as": wrong}))).await.expect_problem(422);
        assert_eq!(refused["code"], "missing_reference");
    }
    let both = json!({"same_as": seed.steer, "tag": "1"});
    assert_eq!(desk.resolve(&conflict, "manual", Some(both)).await.expect_problem(422)["code"], "unknown_field");
}

/// An animal of the show, live, that turns out to be the steer. Answers its id and its version before.
async fn merged(desk: &Desk, seed: &Seed, tag: &str) -> (String, i64, Json) {
    let double = fresh();
    let row = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": tag});
    desk.apply(&[insert("animals", &double, row)]).await;
    let result = desk.push_one(&update("animals", &double, 1, json!({"tag": "9001"}), json!({"tag": tag}))).await;
    assert_eq!(result["kind"], "unique_violation", "{result}");
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    (double, 1, shown)
}

async fn what_a_phone_writes_under_the_name_of_a_merged_row_belongs_to_the_other(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale", &["superintendent", "checkin", "scale"]).await;
    let (double, version, _) = merged(&desk, &seed, "9100").await;
    // The phone has not pulled since.
    let weigh_in = insert("weigh_ins", &fresh(), json!({"animal_id": double, "kind": "arrival", "weight_x10": 12_000}));
    let entry = json!({"exhibitor_id": seed.exhibitor, "animal_id": double, "family_id": seed.class});
    let entry = insert("entries", &v5(&seed.class, &double), entry);
    let edit = update("animals", &double, version, json!({"pen": "B9"}), json!({"pen": "C1"}));
    for (op, verdict) in [(&weigh_in, "applied"), (&entry, "applied"), (&edit, "merged")] {
        assert_eq!(phone.push_one(op).await["verdict"], verdict, "{op}");
    }
    let weighed = desk.data("weigh_ins", weigh_in["record_id"].as_str().expect("an id")).await;
    assert_eq!(weighed["animal_id"], json!(seed.steer), "no fact hangs on a row that is gone");
    let steer = desk.data("animals", &seed.steer).await;
    assert_eq!((&steer["official_weight_x10"], &steer["pen"]), (&json!(12_000), &json!("B9")));
    assert_eq!(desk.data("entries", &v5(&seed.class, &seed.steer)).await["animal_id"], json!(seed.steer));
    let again = desk.push_one(&delete("animals", &double, version)).await;
    assert_eq!(again["verdict"], "noop", "the double is gone already, and the steer stays: {again}");
}

async fn a_name_of_a_name_finds_the_row(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    let (third, double) = (fresh(), fresh());
    let row = |tag: &str| json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": tag});
    desk.apply(&[insert("animals", &third, row("9200")), insert("animals", &double, row("9100"))]).await;
    for (from, tag, to, wanted) in [(&third, "9200", &double, "9100"), (&double, "9100", &seed.steer, "9001")] {
        let edit = update("animals", from, 1, json!({"tag": wanted}), json!({"tag": tag}));
        let shown = desk.conflict(&desk.push_one(&edit).await["conflict_id"]).await;
        desk.resolve(&shown, "manual", Some(json!({"same_as": to}))).await.expect_status(200);
    }
    let weigh_in = insert("weigh_ins", &fresh(), json!({"animal_id": third, "kind": "arrival", "weight_x10": 12_000}));
    phone.apply(&[weigh_in]).await;
    assert_eq!(desk.data("animals", &seed.steer).await["official_weight_x10"], 12_000);
}

async fn same_as_stays_once_something_came_by_the_other_name(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    let (double, _, shown) = merged(&desk, &seed, "9100").await;
    let weigh_in = insert("weigh_ins", &fresh(), json!({"animal_id": double, "kind": "arrival", "weight_x10": 12_000}));
    phone.apply(&[weigh_in]).await;
    let undo = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    assert_eq!(desk.post(&undo, &json!({})).await.expect_problem(409)["code"], "wrong_state");
    assert_eq!(desk.change("animals", &double).await["op"], "delete");
}

async fn an_entry_that_both_rows_have_differently_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let double = fresh();
    let entry = |animal: &str, addon: bool| {
        let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": animal, "family_id": seed.class,
            "catalogue_no": if addon { 7 } else { 8 }});
        insert("entries", &v5(&seed.class, animal), data)
    };
    let row = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9100"});
    desk.apply(&[insert("animals", &double, row), entry(&double, true), entry(&seed.steer, false)]).await;
    let edit = update("animals", &double, 1, json!({"tag": "9001"}), json!({"tag": "9100"}));
    let shown = desk.conflict(&desk.push_one(&edit).await["conflict_id"]).await;
    desk.resolve(&shown, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let kept = v5(&seed.class, &seed.steer);
    assert_eq!(desk.data("entries", &kept).await["catalogue_no"], 8, "nothing is overwritten");
    let open = desk.conflicts("open").await;
    assert_eq!(
        (open.len(), &open[0]["kind"], &open[0]["record_id"], &open[0]["contested"]),
        (1, &json!("insert_insert"), &json!(kept), &json!(["catalogue_no"])),
        "and nothing is lost silently: {open:?}"
    );
    let shown = desk.conflict(&open[0]["id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("entries", &kept).await["catalogue_no"], 7);
}

async fn official_results_do_not_move_to_another_row(desk: Desk) {
    let seed = seed(&desk).await;
    let double = fresh();
    let entry = v5(&seed.class, &double);
    let row = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9100"});
    let entered = json!({"exhibitor_id": seed.exhibitor, "animal_id": double, "family_id": seed.class});
    desk.apply(&[insert("animals", &double, row), insert("entries", &entry, entered)]).await;
    for stage in ["C", "D"] {
        set_stage(&desk, stage).await;
    }
    let placing = json!({"class_id": seed.class, "entry_id": entry, "place": 1});
    desk.apply(&[insert("placings", &v5(&seed.class, &entry), placing)]).await;
    let version = desk.change("classes", &seed.class).await["version"].as_i64().expect("a version");
    let official = json!({"official_at": "2026-08-07T12:00:00Z"});
    desk.apply(&[update("classes", &seed.class, version, official, json!({"official_at": null}))]).await;
    let edit = update("animals", &double, 1, json!({"tag": "9001"}), json!({"tag": "9100"}));
    let shown = desk.conflict(&desk.push_one(&edit).await["conflict_id"]).await;
    let refused = desk.resolve(&shown, "manual", Some(json!({"same_as": seed.steer}))).await.expect_problem(422);
    assert_eq!(refused["code"], "locked", "an official result stays as it is: {refused}");
    assert_eq!(desk.data("placings", &v5(&seed.class, &entry)).await["place"], 1);
}

async fn who_may_not_write_gives_no_row_another_name(desk: Desk) {
    let (seed, _, animal, _, conflict) = twice(&desk).await;
    let (announcer, office) = (desk.phone("Booth", &["announcer"]).await, desk.phone("Office", &["admin"]).await);
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let class = fresh();
    desk.apply(&[insert("classes", &class, json!({"name": "Angus", "department": "cattle", "kind": "market"}))]).await;
    let entry = |animal: &str| json!({"exhibitor_id": seed.exhibitor, "animal_id": animal, "family_id": class});
    let result = announcer.push_one(&insert("entries", &v5(&class, &animal), entry(&animal))).await;
    assert_eq!(result["error"]["code"], "forbidden", "{result}");
    // Nothing is known under that id, so an edit of it finds nothing.
    desk.apply(&[insert("entries", &v5(&class, &seed.steer), entry(&seed.steer))]).await;
    let edit = update("entries", &v5(&class, &animal), 1, json!({"catalogue_no": 4}), json!({"catalogue_no": null}));
    assert_eq!(office.push_one(&edit).await["error"]["code"], "not_found");
}

/// It does so whatever comes beside it, and whether or not there ever was a row under that name.
async fn an_insert_under_another_name_finds_the_row(desk: Desk) {
    let (seed, _, typed, _, conflict) = twice(&desk).await;
    desk.resolve(&conflict, "manual", Some(json!({"same_as": seed.steer}))).await.expect_status(200);
    let (double, _, _) = merged(&desk, &seed, "9100").await;
    for name in [&typed, &double] {
        for is_alone in [true, false] {
            let place = format!("{name} alone: {is_alone}");
            let phone = desk.phone(&place, &["superintendent", "checkin", "scale"]).await;
            let tagged = async |tag: &str| {
                let row = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": tag});
                let weigh_in = json!({"animal_id": name, "kind": "arrival", "weight_x10": 12_000});
                let mut ops = vec![insert("animals", name, row), insert("weigh_ins", &fresh(), weigh_in)];
                ops.truncate(if is_alone { 1 } else { 2 });
                phone.push(&ops).await.remove(0)
            };
            let same = tagged("9001").await;
            assert_eq!((&same["verdict"], &same["record_id"]), (&json!("noop"), &json!(seed.steer)), "{place}: {same}");
            let other = tagged("9300").await;
            assert_eq!(other["kind"], "insert_insert", "{place}: {other}");
            let shown = desk.conflict(&other["conflict_id"]).await;
            assert_eq!(shown["record_id"], json!(seed.steer), "{place}: {shown}");
        }
    }
    assert!(desk.change("animals", &typed).await["data"].is_null());
    assert_eq!(desk.change("animals", &double).await["op"], "delete");
}
