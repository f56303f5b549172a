//! Hostile ops (SECURITY.md §8, "Op"), each between two good ones: it is refused with its code, it changes nothing, its
//! neighbours stand, and its answer tells nothing of the inside. What needs no raw JSON is in `checks.rs`.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::hostile::INSIDE;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send, update, v5, with};
use crate::seed::{seed, set_stage};

on_both_engines!(
    a_name_is_told_again_in_a_form_that_can_be_kept,
    null_is_no_value_where_one_is_required_and_absent_is_no_change,
    a_row_cannot_belong_to_itself,
    rows_that_wait_for_each_other_are_refused,
    ops_that_build_on_each_other_are_refused,
    one_id_for_two_changes_of_a_push_is_refused,
    a_result_of_an_official_class_is_locked,
    what_means_no_good_as_a_text_is_kept_as_one,
);

/// One hostile op and the code that it is refused with.
struct Row {
    op: String,
    code: &'static str,
}

/// Makes two tests of each table. The second holds it on both engines and compares what they say.
macro_rules! tables_of_ops {
    ($($table:ident),+ $(,)?) => {$(
        mod $table {
            use crate::desk::Desk;
            use crate::program::Engine;

            async fn on(engine: Engine) -> Vec<Vec<serde_json::Value>> {
                let desk = Desk::start(engine).await;
                let mut said = Vec::new();
                for row in super::$table(&desk).await {
                    let error = super::refused_alone(&desk, &row.op, row.code).await;
                    said.push(["code", "detail", "field"].map(|member| error[member].clone()).to_vec());
                }
                said
            }

            #[tokio::test]
            async fn sqlite() {
                assert!(!on(Engine::Sqlite).await.is_empty());
            }

            #[tokio::test]
            async fn postgres() {
                assert_eq!(on(Engine::Sqlite).await, on(Engine::Postgres).await, "the engines answer differently");
            }
        }
    )+};
}

tables_of_ops!(
    a_name_nobody_knows_is_refused_alone,
    a_number_no_field_holds_is_refused_alone,
    a_text_that_cannot_be_kept_is_refused_alone,
    a_time_that_never_was_is_refused_alone,
    a_value_of_another_shape_is_refused_alone,
    what_surrounds_the_data_is_checked_as_strictly,
    an_op_that_is_too_large_is_refused_alone,
);

/// Pushes a hostile op between two good ones, and once more; answers what was said about it.
pub(crate) async fn refused_alone(phone: &Phone, op: &str, code: &str) -> Json {
    let shown: String = op.chars().take(300).collect();
    let good = || insert("rings", &fresh(), json!({"name": "Ring 7"}));
    let before = hello(phone).await["clock"].as_i64().expect("a number");
    let answer = push_raw(phone, &[&good().to_string(), op, &good().to_string()]).await;
    let results = answer["results"].as_array().expect("results");
    let verdicts: Vec<&str> = results.iter().filter_map(|result| result["verdict"].as_str()).collect();
    assert_eq!(verdicts, ["applied", "rejected", "applied"], "{shown} gave {}", results[1]);
    let error = &results[1]["error"];
    assert_eq!(error["code"], code, "{shown} gave {error}");
    assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{error}");
    let numbers = [results[0]["seq"].as_i64(), results[2]["seq"].as_i64(), answer["clock"].as_i64()];
    assert_eq!(numbers, [before + 1, before + 2, before + 2].map(Some), "{shown} changed something");
    for word in INSIDE {
        assert!(!error.to_string().contains(word), "an answer tells of the inside: {error}");
    }
    let again = &push_raw(phone, &[op]).await["results"][0];
    assert_eq!(
        (&again["verdict"], &again["error"]["code"]),
        (&json!("rejected"), &json!(code)),
        "{shown} again: {again}"
    );
    error.clone()
}

async fn hello(phone: &Phone) -> Json {
    send(phone.request(Method::GET, "/sync/hello")).await.expect_status(200)
}

/// Pushes ops as texts; those that name no `device_seq` get one.
async fn push_raw(phone: &Phone, ops: &[&str]) -> Json {
    let envelope = phone.envelope(&[]).to_string();
    let ops: Vec<String> = ops
        .iter()
        .map(|op| {
            let is_object = op.starts_with('{') && !op.contains("\"device_seq\"");
            if is_object { op.replacen('{', "{\"device_seq\":1,", 1) } else { (*op).to_owned() }
        })
        .collect();
    let body = envelope.replacen("\"ops\":[]", &format!("\"ops\":[{}]", ops.join(",")), 1);
    assert_ne!(body, envelope, "the ops are in the envelope");
    phone.push_text(body).await.expect_status(200)
}

fn ring() -> Json {
    insert("rings", &fresh(), json!({"name": "Ring 4"}))
}

/// An insert of a ring whose `seq` is this text.
fn ring_with_seq(text: &str) -> String {
    let op = insert("rings", &fresh(), json!({"name": "Ring 4", "seq": "HERE"})).to_string();
    op.replacen("\"HERE\"", text, 1)
}

async fn a_name_nobody_knows_is_refused_alone(desk: &Desk) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refuse = |op: &str, code| rows.push(Row { op: op.to_owned(), code });
    let tables =
        ["\u{430}nimals", "rings\u{200b}", "RINGS", "rings\u{0}", "public.rings", "sync_meta", "record_history"];
    for table in tables {
        refuse(&with(ring(), "table_name", json!(table)).to_string(), "unknown_table");
    }
    refuse(&with(ring(), "table_name", json!("x".repeat(60_000))).to_string(), "unknown_table");
    for operation in [json!("insert "), json!("INSERT"), json!("merge"), json!(["insert"]), json!("insert\u{0}")] {
        refuse(&with(ring(), "operation", operation).to_string(), "unknown_operation");
    }
    for field in ["constructor", "toString", "name ", "n\u{430}me", "rowid", "name; drop table rings", ""] {
        let mut data = json!({"name": "Ring 4"});
        data[field] = json!(1);
        refuse(&insert("rings", &fresh(), data).to_string(), "unknown_field");
    }
    for key in ["__proto__", "role", "user_id", "device_id", "status", "version"] {
        refuse(&with(ring(), key, json!(1)).to_string(), "unknown_field");
    }
    let seed = seed(desk).await;
    let base = update("rings", &seed.ring, 1, json!({"name": "Main"}), json!({"__proto__": 1}));
    refuse(&base.to_string(), "unknown_field");
    for rules in [json!({"__proto__": {"class_cap": 1}}), json!({"class_cap.x": 1})] {
        let op = update("shows", &fresh(), 1, json!({"rules": rules}), json!({}));
        refuse(&op.to_string(), "unknown_field");
    }
    rows
}

async fn a_name_is_told_again_in_a_form_that_can_be_kept(desk: Desk) {
    for key in ["na\u{0}me", &"n".repeat(50_000)] {
        let op = insert("rings", &fresh(), json!({"name": "Ring 4", key: 1}));
        refused_alone(&desk, &op.to_string(), "unknown_field").await;
        let status = desk.status_of(&op["op_id"]).await;
        assert_eq!((&status["verdict"], &status["error"]["code"]), (&json!("rejected"), &json!("unknown_field")));
        assert!(status["error"].to_string().len() < 2_000, "a fault is told in short");
        refused_alone(&desk, &with(ring(), key, json!(1)).to_string(), "unknown_field").await;
    }
    let op_id = "0198b2c0-0000-7000-8000-00000000000\u{0}";
    let result = &desk.push(&[with(ring(), "op_id", json!(op_id))]).await[0];
    assert_eq!(
        (&result["op_id"], &result["error"]["code"]),
        (&json!(op_id), &json!("invalid_op_id")),
        "as it was sent"
    );
}

async fn a_number_no_field_holds_is_refused_alone(desk: &Desk) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refuse = |op: &str, code| rows.push(Row { op: op.to_owned(), code });
    for text in ["1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "9007199254740993", "-1", "10000"] {
        refuse(&ring_with_seq(text), "out_of_range");
    }
    for text in ["1.0", "1e0", "1E2", "0.1", "-0.0", "1e-400", "\"12\"", "true", "[1]", "{}"] {
        refuse(&ring_with_seq(text), "invalid_type");
    }
    let seed = seed(desk).await;
    for text in ["9223372036854775807", "9007199254740993", "1e400", "1.0", "-9223372036854775808"] {
        let edit = update("rings", &seed.ring, 1, json!({"name": "Main"}), json!({"name": "Ring 1"}));
        let op = edit.to_string().replacen("\"base_version\":1", &format!("\"base_version\":{text}"), 1);
        refuse(&op, "invalid_version");
    }
    rows
}

async fn a_text_that_cannot_be_kept_is_refused_alone(desk: &Desk) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refuse = |op: &str, code| rows.push(Row { op: op.to_owned(), code });
    let seed = seed(desk).await;
    let edit = |data: Json| update("animals", &seed.steer, 1, data, json!({})).to_string();
    for field in ["name", "tag", "pen", "note", "ear_notch"] {
        refuse(&edit(json!({field: "a\u{0}b"})), "invalid_character");
        refuse(&edit(json!({field: " \t\u{a0} "})), "required");
    }
    refuse(&edit(json!({"note": "x".repeat(10_001)})), "too_large");
    refuse(&edit(json!({"pen": "x".repeat(41)})), "too_large");
    let base = update("animals", &seed.steer, 1, json!({"pen": "B7"}), json!({"pen": "\u{0}"}));
    refuse(&base.to_string(), "invalid_character");
    let audience = json!({"type": "see_super", "title": "x", "audience": {"functions": ["gate", "a\u{0}"]}});
    refuse(&insert("announcements", &fresh(), audience).to_string(), "invalid_character");
    let reason = |text: &str| with(ring(), "reason", json!(text)).to_string();
    refuse(&reason("because\u{0}"), "invalid_character");
    refuse(&reason(&"x".repeat(10_001)), "too_large");
    rows
}

async fn a_time_that_never_was_is_refused_alone(desk: &Desk) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refuse = |op: &str, code| rows.push(Row { op: op.to_owned(), code });
    let seed = seed(desk).await;
    let edit = |data: Json| update("animals", &seed.steer, 1, data, json!({})).to_string();
    for day in ["2026-02-30", "2026-13-01", "2026-00-10", "26-02-03", "2026-2-3", "2026-02-03T00:00:00Z", "0000-01-01"]
    {
        refuse(&edit(json!({"born_on": day})), "invalid_time");
    }
    for time in
        ["2026-02-30T00:00:00Z", "2026-08-07", "2026-08-07T25:00:00Z", "1786091643", "+12026-08-07T00:00:00Z", ""]
    {
        refuse(&edit(json!({"released_at": time})), "invalid_time");
        refuse(&with(ring(), "client_time", json!(time)).to_string(), "invalid_time");
    }
    refuse(&with(ring(), "client_time", json!(1_786_091_643)).to_string(), "invalid_time");
    rows
}

async fn a_value_of_another_shape_is_refused_alone(desk: &Desk) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refuse = |op: &str, code| rows.push(Row { op: op.to_owned(), code });
    let seed = seed(desk).await;
    let edit = |data: Json| update("animals", &seed.steer, 1, data, json!({})).to_string();
    for data in [json!({"tag": 5}), json!({"tag": ["1"]}), json!({"born_on": 5}), json!({"exhibitor_id": 5})] {
        refuse(&edit(data), "invalid_type");
    }
    for data in [json!([]), json!("pen"), json!(5), json!(null)] {
        refuse(&edit(data), "empty");
    }
    let positions =
        |list: Json| insert("classes", &fresh(), json!({"name": "Drive", "feeder": {"positions": list}})).to_string();
    refuse(&positions(json!([1, null])), "invalid_type");
    refuse(&positions(json!([1, "2"])), "invalid_type");
    refuse(&positions(json!({"0": 1})), "invalid_type");
    refuse(&positions(json!([1, 1_000])), "out_of_range");
    refuse(&positions(json!(vec![1; 501])), "too_large");
    let feeder = insert("classes", &fresh(), json!({"name": "Drive", "feeder": [1]}));
    refuse(&feeder.to_string(), "invalid_type");
    refuse(&with(ring(), "base", json!([1])).to_string(), "invalid_type");
    rows
}

async fn what_surrounds_the_data_is_checked_as_strictly(_: &Desk) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refuse = |op: &str, code| rows.push(Row { op: op.to_owned(), code });
    let nil = "00000000-0000-0000-0000-000000000000";
    for id in [
        json!(nil),
        json!(fresh().to_uppercase()),
        json!(fresh().replace('-', "")),
        json!(5),
        json!(null),
        json!("\u{0}"),
    ] {
        refuse(&with(ring(), "record_id", id.clone()).to_string(), "invalid_id");
        if !id.is_null() {
            refuse(&with(ring(), "prev_op_id", id.clone()).to_string(), "invalid_id");
            refuse(&with(ring(), "epoch", id).to_string(), "invalid_id");
        }
    }
    for seq in ["null", "-1", "1.0", "\"1\"", "9223372036854775808", "1e400", "true"] {
        let op = ring().to_string().replacen('{', &format!("{{\"device_seq\":{seq},"), 1);
        refuse(&op, "invalid_type");
    }
    let txn = |txn: Json| with(ring(), "txn", txn).to_string();
    for bad in [
        json!("x"),
        json!([]),
        json!({}),
        json!({"id": "x", "size": 1}),
        json!({"id": fresh(), "size": 0}),
        json!({"id": fresh(), "size": -1}),
        json!({"id": fresh(), "size": 1_000_000_000}),
        json!({"id": fresh(), "size": "1"}),
        json!({"id": fresh(), "size": 1, "force": true}),
    ] {
        refuse(&txn(bad), "invalid_type");
    }
    refuse(&txn(json!({"id": fresh(), "size": 2})), "txn_incomplete");
    refuse(&with(ring(), "reason", json!(5)).to_string(), "invalid_type");
    rows
}

async fn an_op_that_is_too_large_is_refused_alone(desk: &Desk) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut refuse = |op: &str, code| rows.push(Row { op: op.to_owned(), code });
    let seed = seed(desk).await;
    // Each text may be so long, and together they are more than 64 KiB.
    let op = update("animals", &seed.steer, 1, json!({"note": "\u{1f404}".repeat(10_000)}), json!({}));
    let op = with(op, "reason", json!("\u{1f404}".repeat(10_000)));
    refuse(&op.to_string(), "too_large");
    let list = json!({"name": "Drive", "feeder": {"class_ids": vec![seed.class; 2_000]}});
    refuse(&insert("classes", &fresh(), list).to_string(), "too_large");
    rows
}

async fn null_is_no_value_where_one_is_required_and_absent_is_no_change(desk: Desk) {
    let seed = seed(&desk).await;
    refused_alone(&desk, &insert("rings", &fresh(), json!({"name": null})).to_string(), "required").await;
    refused_alone(&desk, &insert("rings", &fresh(), json!({"seq": 4})).to_string(), "required").await;
    let status = insert("rings", &fresh(), json!({"name": "Ring 4", "status": null}));
    refused_alone(&desk, &status.to_string(), "required").await;
    for field in ["exhibitor_id", "species", "id_check"] {
        let op = update("animals", &seed.steer, 1, json!({field: null}), json!({}));
        refused_alone(&desk, &op.to_string(), "required").await;
    }
    let made = ring();
    desk.apply(&[made.clone(), update("animals", &seed.steer, 1, json!({"pen": null}), json!({"pen": "C1"}))]).await;
    let made = desk.data("rings", made["record_id"].as_str().expect("an id")).await;
    assert_eq!((&made["status"], &made["seq"]), (&json!("open"), &Json::Null), "absent is the default");
    let steer = desk.data("animals", &seed.steer).await;
    assert_eq!((&steer["pen"], &steer["breed"]), (&Json::Null, &json!("Angus")), "null clears, absent leaves");
}

async fn a_row_cannot_belong_to_itself(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second) = (fresh(), fresh());
    let class = |family: Option<&str>| json!({"name": "Heat", "department": "cattle", "family_id": family});
    refused_alone(&desk, &insert("classes", &first, class(Some(&first))).to_string(), "cyclic_reference").await;
    desk.apply(&[insert("classes", &first, class(None)), insert("classes", &second, class(Some(&first)))]).await;
    for family in [&first, &second] {
        let op = update("classes", &first, 1, json!({"family_id": family}), json!({"family_id": null}));
        refused_alone(&desk, &op.to_string(), "cyclic_reference").await;
    }
    let merged = update("exhibitors", &seed.exhibitor, 1, json!({"merged_into": seed.exhibitor}), json!({}));
    refused_alone(&desk, &merged.to_string(), "cyclic_reference").await;
    let weight = fresh();
    let data = json!({"animal_id": seed.steer, "kind": "reweigh", "weight_x10": 12_000, "replaces_id": weight});
    refused_alone(&desk, &insert("weigh_ins", &weight, data).to_string(), "cyclic_reference").await;
    assert_eq!(desk.change("classes", &first).await["version"], 1);
}

async fn rows_that_wait_for_each_other_are_refused(desk: Desk) {
    let ids = [fresh(), fresh(), fresh()];
    let class = |at: usize| json!({"name": "Heat", "department": "cattle", "family_id": ids[(at + 1) % ids.len()]});
    let ops: Vec<Json> = (0..ids.len()).map(|at| insert("classes", &ids[at], class(at))).collect();
    assert_eq!(desk.push_one(&ops[0]).await["verdict"], "held");
    assert_eq!(desk.push_one(&ops[1]).await["verdict"], "held");
    assert_eq!(desk.push_one(&ops[2]).await["error"]["code"], "cyclic_reference");
    for op in &ops[..2] {
        let now = desk.status_of(&op["op_id"]).await;
        assert_eq!(
            (&now["verdict"], &now["error"]["code"]),
            (&json!("rejected"), &json!("missing_reference")),
            "{now}"
        );
    }
}

async fn ops_that_build_on_each_other_are_refused(desk: Desk) {
    let seed = seed(&desk).await;
    let edit = |pen: &str| update("animals", &seed.steer, 1, json!({"pen": pen}), json!({"pen": "C1"}));
    let on_itself = edit("B1");
    let on_itself = with(on_itself.clone(), "prev_op_id", on_itself["op_id"].clone());
    refused_alone(&desk, &on_itself.to_string(), "invalid_prev").await;
    let (first, second) = (edit("B2"), edit("B3"));
    let first = with(first, "prev_op_id", second["op_id"].clone());
    let second = with(second, "prev_op_id", first["op_id"].clone());
    assert_eq!(desk.push_one(&first).await["verdict"], "held");
    assert_eq!(desk.push_one(&second).await["error"]["code"], "invalid_prev");
    assert_eq!(desk.status_of(&first["op_id"]).await["error"]["code"], "invalid_prev", "it waits no longer");
    let circle: Vec<Json> = (0..4).map(|at| edit(&format!("P{at}"))).collect();
    let circle: Vec<Json> =
        (0..4).map(|at| with(circle[at].clone(), "prev_op_id", circle[(at + 1) % 4]["op_id"].clone())).collect();
    for op in &circle[..3] {
        assert_eq!(desk.push_one(op).await["verdict"], "held");
    }
    assert_eq!(desk.push_one(&circle[3]).await["error"]["code"], "invalid_prev");
    for op in &circle {
        assert_eq!(desk.status_of(&op["op_id"]).await["error"]["code"], "invalid_prev");
    }
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "C1");
}

async fn one_id_for_two_changes_of_a_push_is_refused(desk: Desk) {
    let seed = seed(&desk).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen": "B1"}), json!({"pen": "C1"}));
    let other = with(edit.clone(), "data", json!({"pen": "B2"}));
    let results = desk.push(&[edit.clone(), other.clone(), ring()]).await;
    let verdicts: Vec<&Json> = results.iter().map(|result| &result["verdict"]).collect();
    assert_eq!(verdicts, ["applied", "rejected", "applied"]);
    assert_eq!(results[1]["error"]["code"], "op_id_reused");
    let refused = with(ring(), "data", json!({"colour": "red"}));
    refused_alone(&desk, &refused.to_string(), "unknown_field").await;
    let mended = with(refused, "data", json!({"name": "Ring 4"}));
    refused_alone(&desk, &mended.to_string(), "op_id_reused").await;
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B1");
}

async fn a_result_of_an_official_class_is_locked(desk: Desk) {
    let seed = seed(&desk).await;
    let entry = v5(&seed.class, &seed.steer);
    let row = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, row)]).await;
    set_stage(&desk, "C").await;
    set_stage(&desk, "D").await;
    let placing = v5(&seed.class, &entry);
    let placed = json!({"class_id": seed.class, "entry_id": entry, "place": 1});
    desk.apply(&[insert("placings", &placing, placed)]).await;
    let version = desk.change("classes", &seed.class).await["version"].as_i64().expect("a version");
    let official = json!({"official_at": "2026-08-07T16:00:00Z"});
    desk.apply(&[update("classes", &seed.class, version, official, json!({"official_at": null}))]).await;
    for data in [json!({"place": 2}), json!({"note": "again"})] {
        let op = update("placings", &placing, 1, data, json!({}));
        refused_alone(&desk, &op.to_string(), "locked").await;
    }
    let call = insert("class_calls", &fresh(), json!({"class_id": seed.class, "ring_id": seed.ring, "kind": "call_1"}));
    refused_alone(&desk, &call.to_string(), "locked").await;
    assert_eq!(desk.data("placings", &placing).await["place"], 1);
}

async fn what_means_no_good_as_a_text_is_kept_as_one(desk: Desk) {
    let seed = seed(&desk).await;
    let mut before = json!("C1");
    for (version, text) in (1..).zip(["'); DROP--", "%_", "=cmd|' /C'!A0", "<b>", "${7*7}", "\\", "\"", "\u{1f404}"]) {
        let edit = update("animals", &seed.steer, version, json!({"name": text}), json!({"name": before}));
        let edit = if version == 1 { with(edit, "base", json!({"name": null})) } else { edit };
        desk.apply(&[edit]).await;
        assert_eq!(desk.data("animals", &seed.steer).await["name"], text);
        before = json!(text);
    }
    let late = with(insert("rings", &fresh(), json!({"name": "Ring 9"})), "client_time", json!("2099-01-01T00:00:00Z"));
    assert_eq!(desk.push_one(&late).await["verdict"], "applied", "a phone whose clock is wrong loses nothing");
}
