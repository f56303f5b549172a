//! A phone's copy of its unsent entries: reviewed at the desk, taken in for its author, and never believed.

use reqwest::Method;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, fresh, insert, send, update, with};
use crate::seed::seed;

/// The file as the phone writes it, without its checksum.
async fn copy_of(desk: &Desk, name: &str, ops: &[Json]) -> Json {
    let list = desk.get("/admin/devices").await.expect_status(200);
    let items = list["items"].as_array().expect("items");
    let device = items.iter().find(|item| item["name"] == name).expect("it has joined");
    let ping = send(desk.stranger(Method::GET, "/ping")).await.expect_status(200);
    let mut ops = ops.to_vec();
    for (seq, op) in (1..).zip(&mut ops) {
        op["device_seq"] = json!(seq);
    }
    json!({
        "format": "showdesk-rescue", "version": 1, "made_at": "2026-08-07T09:16:00.000Z",
        "installation_id": ping["installation_id"], "show_name": ping["name"], "device_id": device["id"],
        "person": device["user"], "epoch": desk.epoch, "schema": 1,
        "pushes": [{"incarnation": fresh(), "recovered_from": null, "ops": ops}],
    })
}

/// Canonical JSON, as far as these copies need it: members in order, no blanks.
fn canonical(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let texts = members.iter().map(|(name, member)| format!("{}:{}", json!(name), canonical(member)));
            format!("{{{}}}", texts.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn signed(mut copy: Json) -> Json {
    copy["sha256"] = json!(format!("{:x}", Sha256::digest(canonical(&copy))));
    copy
}

/// Brings a copy of these entries in; all of them stand.
pub(crate) async fn hand_in(desk: &Desk, name: &str, ops: &[Json]) {
    let taken = take(desk, copy_of(desk, name, ops).await, false, &[]).await.expect_status(200);
    assert!(verdicts(&taken).iter().all(|verdict| *verdict == "applied"), "{taken}");
}

async fn take(desk: &Desk, copy: Json, dry_run: bool, leave_out: &[&Json]) -> Answer {
    let request = json!({"copy": signed(copy), "dry_run": dry_run, "leave_out": leave_out});
    desk.post("/admin/rescue", &request).await
}

fn verdicts(taken: &Json) -> Vec<&str> {
    let items = taken["items"].as_array().expect("items");
    items.iter().map(|item| item["result"]["verdict"].as_str().unwrap_or("none")).collect()
}

fn pen(animal: &str, pen: &str) -> Json {
    update("animals", animal, 1, json!({"pen": pen}), json!({}))
}

async fn a_copy_is_reviewed_and_then_taken_in_for_its_author(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let tag = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let copy = copy_of(&desk, "Barn", &[pen(&seed.hog, "B12"), tag]).await;
    let clock = desk.pull("").await.expect_status(200)["clock"].clone();

    let shown = take(&desk, copy.clone(), true, &[]).await.expect_status(200);
    assert_eq!((verdicts(&shown), &shown["dry_run"]), (vec!["applied", "conflict"], &json!(true)));
    assert_eq!((&shown["device"]["name"], &shown["author"]["name"]), (&json!("Barn"), &json!("Barn")));
    assert_eq!((&shown["device_removed"], &shown["made_at"]), (&json!(false), &json!("2026-08-07T09:16:00.000Z")));
    let item = &shown["items"][0];
    assert_eq!((&item["subject"]["tag"], &item["data"]["pen"]), (&json!("9002"), &json!("B12")));
    assert_eq!((&item["subject"]["exhibitor"], &item["left_out"]), (&json!("Nora Birch"), &json!(false)));
    assert_eq!(desk.pull("").await.expect_status(200)["clock"], clock, "nothing is written");
    assert!(desk.conflicts("open").await.is_empty());

    let taken = take(&desk, copy.clone(), false, &[]).await.expect_status(200);
    assert_eq!(verdicts(&taken), ["applied", "conflict"]);
    let newest = &desk.history("animals", &seed.hog).await[0];
    assert_eq!((&newest["actor"], &newest["device"]["id"]), (&taken["author"], &taken["device"]["id"]));
    assert_eq!(desk.conflicts("open").await[0]["author"], taken["author"]);
    let again = take(&desk, copy, false, &[]).await.expect_status(200);
    assert_eq!(verdicts(&again), ["applied", "conflict"]);
    assert!(again["items"].as_array().expect("items").iter().all(|item| item["result"]["replayed"] == true));
    let mine = &taken["items"][0]["op_id"];
    assert_eq!(phone.status_of(mine).await["verdict"], "applied", "the phone learns that it was taken in");
    assert_eq!(phone.push_one(&with(pen(&seed.hog, "B12"), "op_id", mine.clone())).await["replayed"], true);

    let audit = desk.get("/admin/audit?action=rescue_taken_in").await.expect_status(200);
    let rows = audit["items"].as_array().expect("items");
    assert_eq!((rows.len(), &rows[0]["record_id"]), (2, &taken["device"]["id"]));
    assert_eq!((&rows[1]["after"]["taken"], &rows[1]["after"]["left_out"]), (&json!(2), &json!(0)));
}

async fn a_removed_phone_brings_its_entries_in_by_this_way_only(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let entry = pen(&seed.hog, "B12");
    let copy = copy_of(&desk, "Barn", std::slice::from_ref(&entry)).await;
    let revoke = format!("/admin/devices/{}/revoke", copy["device_id"].as_str().expect("an id"));
    desk.post(&revoke, &json!({})).await.expect_status(200);
    phone.push_envelope(&phone.envelope(&[entry])).await.expect_problem(403);
    let taken = take(&desk, copy, false, &[]).await.expect_status(200);
    assert_eq!((verdicts(&taken), &taken["device_removed"]), (vec!["applied"], &json!(true)));
    assert_eq!(desk.data("animals", &seed.hog).await["pen"], "B12");
    let list = desk.get("/admin/devices").await.expect_status(200);
    let removed = list["items"].as_array().expect("items").iter().find(|item| item["name"] == "Barn");
    assert_eq!(removed.expect("it is listed")["connected"], false, "the phone itself was not heard of");
}

/// What the review lets in counts with its author's rights, also what can only be decided when something else comes.
async fn what_a_removed_phone_left_waiting_is_decided_as_it_was_reviewed(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Barn", &["superintendent", "checkin"]).await;
    let exhibitor = fresh();
    let waits = insert("animals", &fresh(), json!({"exhibitor_id": exhibitor, "species": "goat", "tag": "9003"}));
    let animal = waits["record_id"].as_str().expect("an id").to_owned();
    let copy = copy_of(&desk, "Barn", &[waits, pen(&seed.hog, "B12")]).await;
    let revoke = format!("/admin/devices/{}/revoke", copy["device_id"].as_str().expect("an id"));
    desk.post(&revoke, &json!({})).await.expect_status(200);
    let taken = take(&desk, copy, false, &[]).await.expect_status(200);
    assert_eq!(verdicts(&taken), ["held", "applied"], "{taken}");
    desk.apply(&[insert("exhibitors", &exhibitor, json!({"back_number": 7, "first_name": "Ida", "last_name": "Low"}))])
        .await;
    assert_eq!(desk.data("animals", &animal).await["tag"], "9003");
    assert_eq!(desk.history("animals", &animal).await[0]["actor"], taken["author"]);
    let queue = desk.get("/admin/queue").await.expect_status(200);
    assert_eq!(queue["items"], json!([]), "nothing was refused behind anybody's back");
}

/// Nobody has looked at what a removed phone sent before its removal and the desk could not decide: a person does.
async fn what_waited_when_a_phone_was_removed_needs_attention(desk: Desk) {
    seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let exhibitor = fresh();
    let waits = insert("animals", &fresh(), json!({"exhibitor_id": exhibitor, "species": "goat", "tag": "9003"}));
    let held = phone.push_one(&waits).await;
    assert_eq!(held["verdict"], "held", "{held}");
    let id = crate::people::id_of(&desk, "Barn").await;
    desk.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
    desk.apply(&[insert("exhibitors", &exhibitor, json!({"back_number": 7, "first_name": "Ida", "last_name": "Low"}))])
        .await;
    let queue = desk.get("/admin/queue").await.expect_status(200);
    assert_eq!((&queue["items"][0]["op_id"], &queue["items"][0]["status"]), (&waits["op_id"], &json!("failed")));
    let apply = format!("/admin/queue/{}/apply", waits["op_id"].as_str().expect("an id"));
    let applied = desk.post(&apply, &json!({"reason": "Barn called: it is right"})).await.expect_status(200);
    assert_eq!(applied["status"], "completed");
    let animal = waits["record_id"].as_str().expect("an id");
    assert_eq!(desk.data("animals", animal).await["tag"], "9003");
}

/// A review lets in what it was shown, and nothing that came before.
async fn what_a_review_leaves_out_is_not_let_in_behind_its_back(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let (exhibitor, other) = (fresh(), fresh());
    let goat = |parent: &str, tag: &str| {
        insert("animals", &fresh(), json!({"exhibitor_id": parent, "species": "goat", "tag": tag}))
    };
    let (left, kept) = (goat(&exhibitor, "9003"), goat(&other, "9004"));
    for op in [&left, &kept] {
        assert_eq!(phone.push_one(op).await["verdict"], "held");
    }
    // The phone's copy holds one of them, which came but was not answered, and something new.
    let copy = copy_of(&desk, "Barn", &[kept.clone(), pen(&seed.hog, "B12")]).await;
    let revoke = format!("/admin/devices/{}/revoke", copy["device_id"].as_str().expect("an id"));
    desk.post(&revoke, &json!({})).await.expect_status(200);
    let hog = &copy["pushes"][0]["ops"][1]["op_id"];
    let taken = take(&desk, copy.clone(), false, &[hog]).await.expect_status(200);
    assert_eq!(verdicts(&taken), ["held", "none"], "{taken}");
    let made = |id: &str, number: i64| {
        insert("exhibitors", id, json!({"back_number": number, "first_name": "Ida", "last_name": "Low"}))
    };
    desk.apply(&[made(&exhibitor, 7), made(&other, 8)]).await;
    let queue = desk.get("/admin/queue").await.expect_status(200);
    let items = queue["items"].as_array().expect("items");
    let ids: Vec<&Json> = items.iter().map(|item| &item["op_id"]).collect();
    assert_eq!(ids, [&left["op_id"]], "what nobody has looked at needs attention");
    assert_eq!(items[0]["error"]["code"], "forbidden");
    assert_eq!(desk.data("animals", kept["record_id"].as_str().expect("an id")).await["tag"], "9004");
    let again = take(&desk, copy, false, &[]).await.expect_status(200);
    assert_eq!(verdicts(&again), ["applied", "applied"]);
    let retry = format!("/admin/queue/{}/retry", left["op_id"].as_str().expect("an id"));
    desk.post(&retry, &json!({})).await.expect_status(200);
    assert_eq!(desk.data("animals", left["record_id"].as_str().expect("an id")).await["tag"], "9003");
}

/// A phone that joined twice is one person again; its copy was made before, and so was what still waits of it.
async fn what_a_phone_entered_as_somebody_else_counts_as_its_persons(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Barn", &["checkin"]).await;
    let second = desk.phone("Barn again", &["scale", "checkin"]).await;
    let animal = fresh();
    let weight = insert("weigh_ins", &fresh(), json!({"animal_id": animal, "kind": "arrival", "weight_x10": 2_500}));
    assert_eq!(second.push_one(&weight).await["verdict"], "held");
    let copy = copy_of(&desk, "Barn again", &[pen(&seed.hog, "B12")]).await;
    let stranger = copy_of(&desk, "Barn", &[]).await["person"].clone();
    let into = json!({"into": crate::people::id_of(&desk, "Barn").await});
    let merge = format!("/admin/devices/{}/merge", copy["device_id"].as_str().expect("an id"));
    desk.post(&merge, &into).await.expect_status(200);
    let taken = take(&desk, copy.clone(), false, &[]).await.expect_status(200);
    assert_eq!((verdicts(&taken), &taken["author"]), (vec!["applied"], &stranger));
    desk.apply(&[insert(
        "animals",
        &animal,
        json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "9003"}),
    )])
    .await;
    let queue = desk.get("/admin/queue").await.expect_status(200);
    assert_eq!(
        (&queue["items"][0]["op_id"], &queue["items"][0]["error"]["code"]),
        (&weight["op_id"], &json!("forbidden"))
    );
    let mut of_nobody = copy;
    of_nobody["person"] = json!({"id": fresh(), "name": "Barn"});
    assert_eq!(take(&desk, of_nobody, false, &[]).await.expect_problem(422)["code"], "unknown_phone");
}

async fn entries_are_left_out_and_what_belongs_together_is_left_out_together(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Barn", &["superintendent", "checkin"]).await;
    let group = json!({"id": fresh(), "size": 2});
    let grouped = |animal: &str, value: &str| with(pen(animal, value), "txn", group.clone());
    let ops =
        [grouped(&seed.steer, "A1"), grouped(&seed.hog, "A2"), insert("rings", &fresh(), json!({"name": "Ring 9"}))];
    let copy = copy_of(&desk, "Barn", &ops).await;
    let shown = take(&desk, copy.clone(), true, &[&ops[0]["op_id"]]).await.expect_status(200);
    let left: Vec<&Json> = shown["items"].as_array().expect("items").iter().map(|item| &item["left_out"]).collect();
    assert_eq!(left, [&json!(true), &json!(true), &json!(false)]);
    assert_eq!(shown["items"][0]["result"], Json::Null);
    assert_eq!(verdicts(&shown)[2], "rejected", "a superintendent makes no rings");
    assert_eq!(shown["items"][2]["result"]["error"]["code"], "forbidden");
    let unknown = take(&desk, copy.clone(), true, &[&json!(fresh())]).await;
    assert_eq!(unknown.expect_problem(422)["code"], "unknown_op");
    let taken = take(&desk, copy, false, &[&ops[2]["op_id"]]).await.expect_status(200);
    assert_eq!(verdicts(&taken), ["applied", "applied", "none"]);
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "A1");
}

async fn entries_made_before_a_restore_count_by_what_their_author_saw(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Barn", &["superintendent", "checkin"]).await;
    let adopted = update("animals", &seed.steer, 7, json!({"pen": "B12"}), json!({"pen": "C1"}));
    let overtaken = update("animals", &seed.hog, 7, json!({"tag": "9102"}), json!({"tag": "9000"}));
    let mut copy = copy_of(&desk, "Barn", &[adopted, overtaken]).await;
    copy["epoch"] = json!(fresh());
    let taken = take(&desk, copy, false, &[]).await.expect_status(200);
    assert_eq!(verdicts(&taken), ["merged", "conflict"]);
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B12");
}

async fn what_is_no_copy_of_a_known_phone_is_refused_whole(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Barn", &["superintendent", "checkin"]).await;
    desk.phone("Scale", &["scale"]).await;
    let good = copy_of(&desk, "Barn", &[pen(&seed.hog, "B12")]).await;
    let other = copy_of(&desk, "Scale", &[]).await;
    let changed = |member: &str, value: Json| {
        let mut copy = good.clone();
        copy[member] = value;
        copy
    };
    let office = desk.get("/admin/devices").await.expect_status(200);
    let laptop = office["items"].as_array().expect("items").iter().find(|item| item["kind"] == "desk").cloned();
    let laptop = laptop.expect("the laptop is a device");
    let mut as_laptop = changed("device_id", laptop["id"].clone());
    as_laptop["person"] = laptop["user"].clone();
    let lost_now = json!([{"incarnation": fresh(), "recovered_from": desk.epoch, "ops": []}]);
    for (copy, code) in [
        (changed("format", json!("csv")), "not_a_copy"),
        (changed("version", json!(2)), "newer_copy"),
        (changed("version", json!("1")), "not_a_copy"),
        (changed("schema", json!(99)), "newer_copy"),
        (changed("pushes", json!({})), "not_a_copy"),
        (changed("pushes", lost_now), "not_a_copy"),
        (changed("installation_id", json!(fresh())), "other_show"),
        (changed("device_id", json!(fresh())), "unknown_phone"),
        (changed("device_id", other["device_id"].clone()), "unknown_phone"),
        (changed("person", other["person"].clone()), "unknown_phone"),
        (as_laptop, "unknown_phone"),
        (json!([]), "not_a_copy"),
        (json!("showdesk-rescue"), "not_a_copy"),
    ] {
        let copy = if copy.is_object() { signed(copy) } else { copy };
        let told = copy.to_string();
        let answer = desk.post("/admin/rescue", &json!({"copy": copy, "dry_run": false})).await;
        assert_eq!(answer.expect_problem(422)["code"], code, "{told}");
    }
    let mut damaged = signed(good.clone());
    damaged["pushes"][0]["ops"][0]["data"]["pen"] = json!("B13");
    let answer = desk.post("/admin/rescue", &json!({"copy": damaged})).await;
    assert_eq!(answer.expect_problem(422)["code"], "damaged_copy");
    let mut many = good.clone();
    many["pushes"][0]["ops"] = json!(vec![json!({}); 20_001]);
    take(&desk, many, true, &[]).await.expect_problem(413);
    desk.post("/admin/rescue", &json!({"copy": signed(good.clone()), "as": "admin"})).await.expect_problem(422);
    let phone = desk.phone("Other", &["admin"]).await;
    let own = phone.request(Method::POST, "/admin/rescue").json(&json!({"copy": signed(good)}));
    send(own).await.expect_problem(404);
    assert_eq!(desk.data("animals", &seed.hog).await["pen"], Json::Null, "nothing was taken in");
}

async fn a_bad_entry_stands_alone_among_good_ones(desk: Desk) {
    let seed = seed(&desk).await;
    desk.phone("Barn", &["superintendent", "checkin"]).await;
    let known = pen(&seed.steer, "A1");
    desk.apply(std::slice::from_ref(&known)).await;
    let ops = [
        with(pen(&seed.hog, "B1"), "op_id", json!("x")),
        with(pen(&seed.hog, "B2"), "table_name", json!("sync_queue")),
        with(pen(&seed.hog, "B3"), "op_id", known["op_id"].clone()),
        with(pen(&seed.hog, "B4"), "colour", json!("red")),
        pen(&seed.hog, "B5"),
    ];
    let copy = copy_of(&desk, "Barn", &ops).await;
    for dry_run in [true, false] {
        let taken = take(&desk, copy.clone(), dry_run, &[]).await.expect_status(200);
        let codes: Vec<&Json> =
            taken["items"].as_array().expect("items").iter().map(|item| &item["result"]["error"]["code"]).collect();
        let expected = ["invalid_op_id", "unknown_table", "op_id_reused", "unknown_field"].map(|code| json!(code));
        assert_eq!(codes[..4], expected.iter().collect::<Vec<_>>()[..]);
        assert_eq!(verdicts(&taken)[4], "applied");
    }
    assert_eq!(desk.data("animals", &seed.hog).await["pen"], "B5");
}

on_both_engines![
    a_copy_is_reviewed_and_then_taken_in_for_its_author,
    a_removed_phone_brings_its_entries_in_by_this_way_only,
    what_a_removed_phone_left_waiting_is_decided_as_it_was_reviewed,
    what_waited_when_a_phone_was_removed_needs_attention,
    what_a_review_leaves_out_is_not_let_in_behind_its_back,
    what_a_phone_entered_as_somebody_else_counts_as_its_persons,
    entries_are_left_out_and_what_belongs_together_is_left_out_together,
    entries_made_before_a_restore_count_by_what_their_author_saw,
    what_is_no_copy_of_a_known_phone_is_refused_whole,
    a_bad_entry_stands_alone_among_good_ones,
];
