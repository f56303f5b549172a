//! Ops of one push and their verdicts: applied, replayed, merged, noop; neighbours unharmed.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{delete, fresh, insert, update, with};
use crate::seed::seed;

on_both_engines!(
    an_edit_is_applied_once_however_often_it_is_sent,
    an_op_id_with_other_content_or_of_another_device_is_refused,
    different_fields_of_one_record_are_joined,
    an_edit_that_is_already_so_is_a_noop,
    deletes_and_inserts_that_change_nothing_are_noops,
    a_bad_op_harms_no_neighbour,
    an_empty_push_is_answered,
    an_unknown_op_has_no_status,
    what_stands_for_an_id_is_told_again_as_it_was_sent,
    text_is_kept_as_it_was_written,
    a_wrong_clock_is_no_reason_to_refuse,
);

async fn an_edit_is_applied_once_however_often_it_is_sent(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Check-in", &["checkin"]).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen": "B12"}), json!({"pen": "C1"}));
    let first = phone.push_one(&edit).await;
    assert_eq!((&first["verdict"], &first["version"]), (&json!("applied"), &json!(2)));
    assert!(first["seq"].as_i64().expect("a number") > 0);
    assert!(first["replayed"].is_null() || first["replayed"] == false);
    for _ in 0..5 {
        let again = phone.push_one(&edit).await;
        assert_eq!(
            (&again["verdict"], &again["version"], &again["seq"]),
            (&json!("applied"), &json!(2), &first["seq"])
        );
        assert_eq!(again["replayed"], true);
    }
    let both = phone.push(&[edit.clone(), edit.clone()]).await;
    assert!(both.iter().all(|result| result["replayed"] == true && result["verdict"] == "applied"));
    let new = update("animals", &seed.hog, 1, json!({"pen": "S4"}), json!({"pen": null}));
    let twice_at_once = phone.push(&[new.clone(), new]).await;
    assert_eq!(twice_at_once[0]["verdict"], "applied");
    assert_eq!((&twice_at_once[1]["verdict"], &twice_at_once[1]["replayed"]), (&json!("applied"), &json!(true)));
    assert_eq!(desk.history("animals", &seed.steer).await.len(), 2);
    assert_eq!(desk.change("animals", &seed.steer).await["version"], 2);
    let status = phone.status_of(&edit["op_id"]).await;
    assert_eq!(
        (&status["verdict"], &status["version"], &status["replayed"]),
        (&json!("applied"), &json!(2), &json!(true))
    );
}

async fn an_op_id_with_other_content_or_of_another_device_is_refused(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Check-in", &["checkin"]).await;
    let other = desk.phone("Check-in 2", &["checkin"]).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen": "B12"}), json!({"pen": "C1"}));
    phone.apply(std::slice::from_ref(&edit)).await;
    let changed = phone.push_one(&with(edit.clone(), "data", json!({"pen": "B13"}))).await;
    assert_eq!((&changed["verdict"], &changed["error"]["code"]), (&json!("rejected"), &json!("op_id_reused")));
    let stolen = other.push_one(&edit).await;
    assert_eq!((&stolen["verdict"], &stolen["error"]["code"]), (&json!("rejected"), &json!("op_id_reused")));
    assert_eq!(other.status_of(&edit["op_id"]).await["verdict"], "unknown");
    assert_eq!(phone.status_of(&edit["op_id"]).await["verdict"], "applied", "the first one stands");
    let txn = json!({"id": fresh(), "size": 2});
    let used = with(with(edit, "data", json!({"pen": "B14"})), "txn", txn.clone());
    let beside = with(update("animals", &seed.hog, 1, json!({"pen": "B15"}), json!({"pen": null})), "txn", txn);
    let results = phone.push(&[used, beside]).await;
    let codes: Vec<&Json> = results.iter().map(|result| &result["error"]["code"]).collect();
    assert_eq!(codes, ["op_id_reused", "txn_failed"], "one refused refuses all, and names the one");
}

async fn different_fields_of_one_record_are_joined(desk: Desk) {
    let seed = seed(&desk).await;
    let checkin = desk.phone("Check-in", &["checkin"]).await;
    let barn = desk.phone("Barn", &["superintendent"]).await;
    checkin.apply(&[update("animals", &seed.steer, 1, json!({"pen": "B12"}), json!({"pen": "C1"}))]).await;
    let merged =
        barn.push_one(&update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))).await;
    assert_eq!((&merged["verdict"], &merged["version"]), (&json!("merged"), &json!(3)));
    assert_eq!(merged["record"]["pen"], "B12");
    assert_eq!(merged["record"]["tag"], "9011");
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["pen"], &data["tag"]), (&json!("B12"), &json!("9011")));
    assert!(desk.conflicts("open").await.is_empty());
}

async fn an_edit_that_is_already_so_is_a_noop(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Barn 1", &["superintendent"]).await;
    let second = desk.phone("Barn 2", &["superintendent"]).await;
    let edit = || update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}));
    first.apply(&[edit()]).await;
    let same = second.push_one(&edit()).await;
    assert_eq!((&same["verdict"], &same["version"]), (&json!("noop"), &json!(2)));
    let other_form = update("animals", &seed.steer, 2, json!({"tag": " 9011 "}), json!({"tag": "9011"}));
    assert_eq!(second.push_one(&other_form).await["verdict"], "noop", "values are compared, not texts");
    assert_eq!(desk.history("animals", &seed.steer).await.len(), 2);
}

async fn deletes_and_inserts_that_change_nothing_are_noops(desk: Desk) {
    let other = desk.phone("Office 2", &["admin"]).await;
    let ring = fresh();
    let make = || insert("rings", &ring, json!({"name": "Ring 7", "seq": 7}));
    desk.apply(&[make()]).await;
    assert_eq!(other.push_one(&make()).await["verdict"], "noop", "the same row from another device");
    assert_eq!(other.push_one(&delete("rings", &fresh(), 1)).await["verdict"], "noop", "it never was there");
    desk.apply(&[delete("rings", &ring, 1)]).await;
    assert_eq!(other.push_one(&delete("rings", &ring, 1)).await["verdict"], "noop", "it is gone already");
}

async fn a_bad_op_harms_no_neighbour(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Check-in", &["checkin"]).await;
    let ops = [
        update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"})),
        update("animals", &seed.hog, 1, json!({"colour": "red"}), json!({})),
        insert("profiles", &fresh(), json!({"role": "owner"})),
        update("animals", &fresh(), 1, json!({"pen": "B2"}), json!({"pen": null})),
        update("animals", &seed.hog, 1, json!({"pen": "B3"}), json!({"pen": null})),
    ];
    let results = phone.push(&ops).await;
    let verdicts: Vec<&str> = results.iter().map(|result| result["verdict"].as_str().expect("a verdict")).collect();
    assert_eq!(verdicts, ["applied", "rejected", "rejected", "rejected", "applied"]);
    for rejected in &results[1..4] {
        let error = &rejected["error"];
        assert!(error["code"].is_string() && error["detail"].is_string(), "{error}");
    }
    assert_eq!(desk.data("animals", &seed.hog).await["pen"], "B3");
    let again = phone.push_one(&ops[1]).await;
    assert_eq!((&again["verdict"], &again["error"]["code"]), (&json!("rejected"), &json!("unknown_field")));
}

async fn an_empty_push_is_answered(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let answer = phone.push_envelope(&phone.envelope(&[])).await.expect_status(200);
    assert_eq!(answer["results"], json!([]));
    assert_eq!(answer["epoch"], phone.epoch);
    assert!(answer["clock"].is_i64() && answer["server_time"].is_string());
}

async fn an_unknown_op_has_no_status(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let op_id = json!(fresh());
    let status = phone.status_of(&op_id).await;
    assert_eq!((&status["verdict"], &status["op_id"]), (&json!("unknown"), &op_id));
}

async fn what_stands_for_an_id_is_told_again_as_it_was_sent(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    for id in [json!(7), json!(true), json!(null), json!({"a": 1}), json!(["a"]), json!("no id")] {
        let op = with(insert("rings", &fresh(), json!({"name": "Ring 4"})), "op_id", id.clone());
        assert_eq!(phone.push_one(&op).await["error"]["code"], "invalid_op_id");
        let status = phone.status_of(&id).await;
        assert_eq!((&status["verdict"], &status["op_id"]), (&json!("unknown"), &id));
    }
}

async fn text_is_kept_as_it_was_written(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Check-in", &["checkin"]).await;
    let texts = ["'); DROP TABLE animals;--", "%_", "=cmd|' /C calc'!A0", "<script>", "Zoë 🐄"];
    let mut before = json!("C1");
    for (version, text) in (1..).zip(texts) {
        let edit = update("animals", &seed.steer, version, json!({"pen": text}), json!({"pen": before}));
        phone.apply(&[edit]).await;
        assert_eq!(phone.data("animals", &seed.steer).await["pen"], text);
        before = json!(text);
    }
}

async fn a_wrong_clock_is_no_reason_to_refuse(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Check-in", &["checkin"]).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen": "B12"}), json!({"pen": "C1"}));
    let mut envelope = phone.envelope(&[with(edit, "client_time", json!("2099-01-01T00:00:00Z"))]);
    envelope["client_time"] = json!("2099-01-01T00:00:05Z");
    let answer = phone.push_envelope(&envelope).await.expect_status(200);
    assert_eq!(answer["results"][0]["verdict"], "applied");
    let devices = desk.get("/admin/devices").await.expect_status(200);
    let device = devices["items"].as_array().expect("items").iter().find(|device| device["name"] == "Check-in");
    let skew_ms = device.expect("the phone")["skew_ms"].as_i64().expect("its skew is shown");
    let years = skew_ms / (365 * 24 * 3_600_000);
    assert!((60..90).contains(&years), "{years} years");
}
