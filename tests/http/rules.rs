//! Rules of the show that speak up where two people's work meets (DOMAIN.md §5).

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, update, v5, with};
use crate::seed::{Seed, seed, set_stage};

on_both_engines!(
    a_scratch_that_comes_after_the_placing_is_not_taken,
    a_disqualification_after_the_placing_asks_whether_it_stands,
    the_order_of_classes_goes_by_rank_and_then_by_the_latest,
    a_range_crossed_by_one_author_is_refused,
    a_range_crossed_by_two_authors_asks_a_person,
    an_edit_of_a_row_under_a_group_clash_joins_it,
    a_copied_phone_is_noticed,
    a_note_on_a_card_that_is_posted_again_is_kept,
);

/// One placed entry in stage D.
async fn placed(desk: &Desk) -> (Seed, String, String) {
    let seed = seed(desk).await;
    let entry = v5(&seed.class, &seed.steer);
    let data = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, data)]).await;
    for stage in ["C", "D"] {
        set_stage(desk, stage).await;
    }
    let placing = v5(&seed.class, &entry);
    let data = json!({"class_id": seed.class, "entry_id": entry, "place": 1});
    desk.apply(&[insert("placings", &placing, data)]).await;
    (seed, entry, placing)
}

fn out(entry: &str, reason: &str) -> Json {
    let edit = update("entries", entry, 1, json!({"out_reason": reason}), json!({"out_reason": null}));
    with(edit, "reason", json!("seen at the gate"))
}

async fn a_scratch_that_comes_after_the_placing_is_not_taken(desk: Desk) {
    let (_, entry, placing) = placed(&desk).await;
    let gate = desk.phone("Gate", &["gate"]).await;
    let result = gate.push_one(&out(&entry, "no_show")).await;
    assert_eq!((&result["verdict"], &result["record"]["out_reason"]), (&json!("noop"), &Json::Null), "{result}");
    assert_eq!(desk.data("placings", &placing).await["place"], 1);
    let noted = desk.conflicts("merged_automatically").await;
    assert_eq!((noted.len(), &noted[0]["contested"]), (1, &json!(["out_reason"])), "nothing is lost silently");
}

async fn a_disqualification_after_the_placing_asks_whether_it_stands(desk: Desk) {
    let (_, entry, placing) = placed(&desk).await;
    let result = desk.push_one(&out(&entry, "disqualified")).await;
    assert_eq!(result["verdict"], "applied", "a fact is never withheld");
    let open = desk.conflicts("open").await;
    assert_eq!((open.len(), &open[0]["rule"], &open[0]["record_id"]), (1, &json!("C6"), &json!(placing)), "{open:?}");
    assert_eq!(desk.data("placings", &placing).await["place"], 1);
    let shown = desk.conflict(&open[0]["id"]).await;
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let data = desk.data("placings", &placing).await;
    assert_eq!((&data["place"], &data["code"]), (&Json::Null, &json!("DQ")));
    let path = format!("/admin/conflicts/{}/undo", shown["id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
    assert_eq!(desk.data("placings", &placing).await["place"], 1);
}

async fn the_order_of_classes_goes_by_rank_and_then_by_the_latest(desk: Desk) {
    let seed = seed(&desk).await;
    let (one, two) = (
        desk.phone("Super 1", &["superintendent", "checkin"]).await,
        desk.phone("Super 2", &["superintendent", "checkin"]).await,
    );
    let order = |seq: i64| update("classes", &seed.class, 1, json!({"seq": seq}), json!({"seq": null}));
    one.apply(&[order(5)]).await;
    assert_eq!(two.push_one(&order(6)).await["verdict"], "merged", "equal rank: the latest");
    assert_eq!(desk.data("classes", &seed.class).await["seq"], 6);
    desk.push(&[order(7)]).await;
    two.push(&[order(8)]).await;
    assert_eq!(desk.data("classes", &seed.class).await["seq"], 7, "the office is above");
}

async fn a_range_crossed_by_one_author_is_refused(desk: Desk) {
    let seed = seed(&desk).await;
    let class = json!({"name": "Wrong", "department": "cattle", "kind": "market", "min_x10": 9_000, "max_x10": 100});
    let refused = desk.push_one(&insert("classes", &fresh(), class)).await;
    assert_eq!(refused["error"]["code"], "out_of_range", "{refused}");
    let edit = json!({"min_x10": 9_000, "max_x10": 100});
    let edit = update("classes", &seed.class, 1, edit, json!({"min_x10": null, "max_x10": null}));
    assert_eq!(desk.push_one(&edit).await["error"]["fields"]["max_x10"], "it must not lie before min_x10");
}

async fn a_range_crossed_by_two_authors_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Super", &["superintendent", "checkin"]).await;
    desk.apply(&[update("classes", &seed.class, 1, json!({"min_x10": 12_000}), json!({"min_x10": null}))]).await;
    let edit = update("classes", &seed.class, 1, json!({"max_x10": 11_000}), json!({"max_x10": null}));
    let result = phone.push_one(&edit).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("merged_invalid")), "{result}");
    let shown = desk.conflict(&result["conflict_id"]).await;
    assert_eq!(desk.resolve(&shown, "client_wins", None).await.expect_problem(422)["code"], "out_of_range");
    desk.resolve(&shown, "manual", Some(json!({"max_x10": 13_000}))).await.expect_status(200);
    let data = desk.data("classes", &seed.class).await;
    assert_eq!((&data["min_x10"], &data["max_x10"]), (&json!(12_000), &json!(13_000)));
}

async fn an_edit_of_a_row_under_a_group_clash_joins_it(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let animal = fresh();
    let txn = json!({"id": fresh(), "size": 2});
    let data = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9001"});
    let ops = [
        with(insert("animals", &animal, data), "txn", txn.clone()),
        with(update("animals", &seed.hog, 1, json!({"pen": "H1"}), json!({"pen": null})), "txn", txn),
    ];
    let results = phone.push(&ops).await;
    assert_eq!(results[0]["verdict"], "conflict", "{results:?}");
    let fix = update("animals", &animal, 1, json!({"tag": "9444"}), json!({"tag": "9001"}));
    let fix = with(fix, "prev_op_id", ops[0]["op_id"].clone());
    let held = phone.push_one(&fix).await;
    assert_eq!((&held["verdict"], &held["conflict_id"]), (&json!("held"), &results[0]["conflict_id"]), "{held}");
    let shown = desk.conflict(&held["conflict_id"]).await;
    assert_eq!(shown["records"][&animal]["client"]["tag"], "9444");
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &animal).await["tag"], "9444");
    assert_eq!(desk.data("animals", &seed.hog).await["pen"], "H1");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9001", "nobody wants it any more");
}

async fn a_copied_phone_is_noticed(desk: Desk) {
    seed(&desk).await;
    let phone = desk.phone("Scale", &["scale"]).await;
    let mut copy = crate::phone::Phone::with_token(&desk.program.http, phone.token()).await;
    copy.incarnation = uuid::Uuid::now_v7();
    for pusher in [&phone, &copy, &phone] {
        let ping = insert("weigh_ins", &fresh(), json!({"animal_id": fresh(), "kind": "arrival", "weight_x10": 1}));
        assert_eq!(pusher.push_one(&ping).await["verdict"], "held", "both are accepted");
    }
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let devices = devices["items"].as_array().expect("items");
    let suspected: Vec<&Json> = devices.iter().filter(|device| !device["fork_suspected_at"].is_null()).collect();
    assert_eq!((suspected.len(), &suspected[0]["name"]), (1, &json!("Scale")), "{devices:?}");
}

async fn a_note_on_a_card_that_is_posted_again_is_kept(desk: Desk) {
    let (seed, entry, placing) = placed(&desk).await;
    let clerk = desk.phone("Ring 1", &["clerk"]).await;
    let again = json!({"class_id": seed.class, "entry_id": entry, "place": 1, "note": "close with second"});
    let result = clerk.push_one(&insert("placings", &placing, again)).await;
    assert_eq!(result["verdict"], "merged", "{result}");
    assert_eq!(desk.data("placings", &placing).await["note"], "close with second");
    assert_eq!(desk.data("classes", &seed.class).await["card_state"], "verified", "the result is the same");
}
