//! A clash of two phones: what is kept about it, who sees it, how it moves while it is open.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send, update, v5};
use crate::seed::{Seed, seed};

on_both_engines!(
    a_clash_that_a_viewer_cannot_see_answers_nothing,
    a_viewer_reads_of_an_own_clash_what_viewers_see,
    two_tags_for_one_animal_are_one_clash_with_both_values,
    clean_fields_wait_with_the_contested_ones,
    a_disputed_record_is_touched_and_says_so,
    both_authors_see_the_clash_as_an_own_entry,
    a_clash_that_solved_itself_is_superseded,
    a_clash_whose_field_moved_is_fresh_and_has_a_new_rev,
    the_same_key_made_differently_is_insert_insert,
    fields_of_a_group_clash_together,
    an_author_may_withdraw,
    a_derived_change_keeps_the_dispute,
    a_tag_that_another_animal_has_asks_a_person,
    the_version_beside_another_row_is_that_rows,
);

/// Two phones change one tag from the same version; the second is in conflict.
pub(crate) async fn clash(desk: &Desk, seed: &Seed) -> (Phone, Phone, Json, Json) {
    let first = desk.phone("Barn 1", &["superintendent", "checkin"]).await;
    let second = desk.phone("Barn 2", &["superintendent", "checkin"]).await;
    first.apply(&[update("animals", &seed.steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let edit = update("animals", &seed.steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let result = second.push_one(&edit).await;
    assert_eq!(result["verdict"], "conflict", "{result}");
    (first, second, edit, result)
}

async fn becomes(desk: &Desk, name: &str, functions: Json) {
    let device = crate::people::id_of(desk, name).await;
    crate::people::change(desk, &device, &json!({"functions": functions})).await.expect_status(200);
}

async fn ask_author(desk: &Desk, id: &Json, text: &str) -> Json {
    let path = format!("/admin/conflicts/{}/ask", id.as_str().expect("an id"));
    desk.post(&path, &json!({"text": text})).await.expect_status(200)["asked"]["id"].clone()
}

/// Who has become a viewer is told nothing of a clash about a row that viewers do not see, whatever is asked of it.
async fn a_clash_that_a_viewer_cannot_see_answers_nothing(desk: Desk) {
    let (first, second) = (desk.phone("Office 1", &["admin"]).await, desk.phone("Office 2", &["admin"]).await);
    let message = fresh();
    let to_gate = |title: &str| {
        let audience = json!({"functions": ["gate"]});
        insert("announcements", &message, json!({"type": "schedule", "title": title, "audience": audience}))
    };
    first.apply(&[to_gate("Close the north gate")]).await;
    let result = second.push_one(&to_gate("Close the south gate")).await;
    assert_eq!(result["verdict"], "conflict", "{result}");
    let question = ask_author(&desk, &result["conflict_id"], "Which gate?").await;
    becomes(&desk, "Office 2", json!(["viewer"])).await;
    let mine = send(second.request(Method::GET, "/me/conflicts")).await.expect_status(200);
    assert_eq!(mine["items"], json!([]), "the message is for the gate");
    let path = |verb: &str| format!("/me/conflicts/{}/{verb}", result["conflict_id"].as_str().expect("an id"));
    let right = json!({"question": question, "text": "South"});
    for (verb, body) in [
        ("answer", &right),
        ("answer", &json!({"question": fresh(), "text": "South"})),
        ("disagree", &json!({"note": "no"})),
        ("withdraw", &json!({})),
    ] {
        let answer = send(second.request(Method::POST, &path(verb)).json(body)).await;
        assert!(!answer.text.contains("gate"), "{verb}: {}", answer.text);
        answer.expect_problem(404);
    }
    assert_eq!(desk.conflict(&result["conflict_id"]).await["status"], "open", "nothing was done");
    becomes(&desk, "Office 2", json!(["admin"])).await;
    send(second.request(Method::POST, &path("answer")).json(&right)).await.expect_status(200);
    send(second.request(Method::POST, &path("withdraw")).json(&json!({}))).await.expect_status(200);
}

/// Of a clash about a row that everybody sees a viewer reads the own side, and of the rest what viewers see of the row.
async fn a_viewer_reads_of_an_own_clash_what_viewers_see(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    ask_author(&desk, &result["conflict_id"], "Which tag?").await;
    becomes(&desk, "Barn 2", json!(["viewer"])).await;
    let mine = send(second.request(Method::GET, "/me/conflicts")).await.expect_status(200);
    let clash = &mine["items"][0];
    assert_eq!(clash["op_ids"], json!([edit["op_id"]]));
    assert_eq!((&clash["subject"]["breed"], &clash["author"]["name"]), (&json!("Angus"), &json!("Barn 2")));
    assert_eq!((&clash["server_author"], &clash["device"]["name"]), (&Json::Null, &json!("Barn 2")));
    let points = clash["timeline"].as_array().expect("points").iter().map(|point| &point["what"]).collect::<Vec<_>>();
    assert_eq!(points, ["client", "arrived"], "on both engines");
    for hidden in ["9001", "9011", "9012", "Barn 1"] {
        assert!(!clash.to_string().contains(hidden), "{hidden}: {clash}");
    }
}

async fn two_tags_for_one_animal_are_one_clash_with_both_values(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    assert_eq!((&result["kind"], &result["contested"]), (&json!("update_update"), &json!(["tag"])));
    assert_eq!(result["record"]["tag"], "9011", "the desk's value is shown to the phone");
    let open = desk.conflicts("open").await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["id"], result["conflict_id"]);
    let conflict = desk.conflict(&result["conflict_id"]).await;
    assert_eq!((&conflict["kind"], &conflict["status"]), (&json!("update_update"), &json!("open")));
    assert_eq!((&conflict["table_name"], &conflict["record_id"]), (&json!("animals"), &json!(seed.steer)));
    assert_eq!(conflict["op_ids"], json!([edit["op_id"]]));
    assert_eq!(conflict["base_data"]["tag"], "9001");
    assert_eq!(conflict["server_data"]["tag"], "9011");
    assert_eq!(conflict["client_data"]["tag"], "9012");
    assert_eq!(conflict["client_data"]["breed"], "Angus", "whole rows as far as known");
    assert_eq!(
        (&conflict["server_version"], &conflict["contested"], &conflict["clean"]),
        (&json!(2), &json!(["tag"]), &json!([]))
    );
    assert!(
        conflict["device"]["id"].is_string()
            && conflict["author"]["id"].is_string()
            && conflict["opened_at"].is_string()
    );
    let again = second.push_one(&edit).await;
    assert_eq!(
        (&again["verdict"], &again["replayed"], &again["conflict_id"]),
        (&json!("conflict"), &json!(true), &result["conflict_id"])
    );
    assert_eq!(desk.conflicts("open").await.len(), 1, "sent again it is the same clash");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011", "a clash writes nothing");
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "conflict");
}

async fn clean_fields_wait_with_the_contested_ones(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Barn 1", &["admin"]).await;
    let second = desk.phone("Office", &["admin"]).await;
    let data = json!({"tag": "9011", "exhibitor_id": seed.exhibitor});
    first
        .apply(&[update("animals", &seed.steer, 1, data, json!({"tag": "9001", "exhibitor_id": seed.exhibitor}))])
        .await;
    let edit =
        update("animals", &seed.steer, 1, json!({"tag": "9012", "pen": "B7"}), json!({"tag": "9001", "pen": "C1"}));
    let result = second.push_one(&edit).await;
    assert_eq!(result["contested"], json!(["tag"]));
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "C1");
    let shown = desk.conflict(&result["conflict_id"]).await;
    assert_eq!(shown["clean"], json!(["pen"]));
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["tag"], &data["pen"]), (&json!("9011"), &json!("B7")), "the clean field is joined");
}

async fn a_disputed_record_is_touched_and_says_so(desk: Desk) {
    let seed = seed(&desk).await;
    let mut rows = std::collections::BTreeMap::new();
    let watcher = desk.phone("Gate", &["gate"]).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let change = watcher.change("animals", &seed.steer).await;
    assert_eq!((&change["version"], &change["disputed"]), (&json!(2), &json!(["tag"])));
    let cursor = watcher.pull_after(None, 500, &mut rows).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    rows.clear();
    watcher.pull_after(Some(cursor), 500, &mut rows).await;
    let touched = &rows[&("animals".to_owned(), seed.steer.clone())];
    assert!(touched["disputed"].is_null() || touched["disputed"] == json!([]), "{touched}");
    assert!(touched["seq"].as_i64() > change["seq"].as_i64());
}

async fn both_authors_see_the_clash_as_an_own_entry(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second, _, result) = clash(&desk, &seed).await;
    let own = send(second.request(Method::GET, "/me/conflicts")).await.expect_status(200);
    assert_eq!(own["items"][0]["id"], result["conflict_id"]);
    assert_eq!(own["items"][0]["client_data"]["tag"], "9012");
    let theirs = send(first.request(Method::GET, "/me/conflicts")).await.expect_status(200);
    assert_eq!(theirs["items"][0]["server_data"]["tag"], "9011", "whose value the desk has is an author too");
    let third = desk.phone("Gate", &["gate"]).await;
    let others = send(third.request(Method::GET, "/me/conflicts")).await.expect_status(200);
    assert_eq!(others["items"], json!([]));
}

async fn a_clash_that_solved_itself_is_superseded(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second, edit, result) = clash(&desk, &seed).await;
    first.apply(&[update("animals", &seed.steer, 2, json!({"tag": "9012"}), json!({"tag": "9011"}))]).await;
    let conflict = desk.conflict(&result["conflict_id"]).await;
    assert_eq!(conflict["status"], "superseded");
    assert!(desk.conflicts("open").await.is_empty());
    let status = second.status_of(&edit["op_id"]).await;
    assert!(["noop", "merged"].contains(&status["verdict"].as_str().expect("a verdict")), "{status}");
    assert!(desk.change("animals", &seed.steer).await["disputed"].is_null());
}

async fn a_clash_whose_field_moved_is_fresh_and_has_a_new_rev(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, _, _, result) = clash(&desk, &seed).await;
    let before = desk.conflict(&result["conflict_id"]).await;
    first.apply(&[update("animals", &seed.steer, 2, json!({"tag": "9013"}), json!({"tag": "9011"}))]).await;
    let moved = desk.conflict(&result["conflict_id"]).await;
    assert_eq!((&moved["status"], &moved["server_data"]["tag"]), (&json!("open"), &json!("9013")));
    assert_eq!(moved["rev"].as_i64(), before["rev"].as_i64().map(|rev| rev + 1));
    assert_eq!(moved["server_version"], 3);
    let stale = desk.resolve(&before, "client_wins", None).await.expect_problem(409);
    assert_eq!(stale["code"], "server_moved");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9013");
    desk.resolve(&moved, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9012");
}

async fn the_same_key_made_differently_is_insert_insert(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Office 1", &["admin"]).await;
    let second = desk.phone("Office 2", &["admin"]).await;
    let entry = v5(&seed.class, &seed.steer);
    let data = |number: Json| json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class, "catalogue_no": number});
    first.apply(&[insert("entries", &entry, data(json!(41)))]).await;
    let same = second.push_one(&insert("entries", &entry, data(json!(41)))).await;
    assert_eq!(same["verdict"], "noop", "the same add-on typed on two phones is one");
    let other = second.push_one(&insert("entries", &entry, data(json!(42)))).await;
    assert_eq!((&other["verdict"], &other["kind"]), (&json!("conflict"), &json!("insert_insert")));
    let ring = fresh();
    first.apply(&[insert("rings", &ring, json!({"name": "Ring 7"}))]).await;
    let clash = second.push_one(&insert("rings", &ring, json!({"name": "Ring 8"}))).await;
    assert_eq!((&clash["verdict"], &clash["kind"]), (&json!("conflict"), &json!("insert_insert")));
}

async fn fields_of_a_group_clash_together(desk: Desk) {
    let seed = seed(&desk).await;
    let first = desk.phone("Office 1", &["admin"]).await;
    let second = desk.phone("Office 2", &["admin"]).await;
    let weight =
        update("animals", &seed.steer, 1, json!({"init_weight_x10": 7_500}), json!({"init_weight_x10": 7_420}));
    first.apply(&[weight]).await;
    let day = json!({"init_weighed_on": "2026-02-03"});
    let result =
        second.push_one(&update("animals", &seed.steer, 1, day, json!({"init_weighed_on": "2026-02-01"}))).await;
    assert_eq!(result["verdict"], "conflict", "a weight and its day are one fact: {result}");
    let contested = result["contested"].as_array().expect("fields");
    assert!(contested.contains(&json!("init_weighed_on")), "{result}");
}

async fn an_author_may_withdraw(desk: Desk) {
    let seed = seed(&desk).await;
    let (first, second, edit, result) = clash(&desk, &seed).await;
    let path = format!("/me/conflicts/{}/withdraw", result["conflict_id"].as_str().expect("an id"));
    let foreign = send(first.request(Method::POST, &path).json(&json!({}))).await;
    assert!([403, 404].contains(&foreign.status.as_u16()), "only its author: {}", foreign.text);
    send(second.request(Method::POST, &path).json(&json!({}))).await.expect_status(200);
    assert_eq!(desk.conflict(&result["conflict_id"]).await["status"], "withdrawn");
    assert!(desk.change("animals", &seed.steer).await["disputed"].is_null());
    let status = second.status_of(&edit["op_id"]).await;
    assert_ne!(status["verdict"], "conflict", "{status}");
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9011");
}

async fn the_version_beside_another_row_is_that_rows(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    desk.apply(&[update("animals", &seed.steer, 1, json!({"pen": "B3"}), json!({"pen": "C1"}))]).await;
    let other = fresh();
    let row = json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9031"});
    desk.apply(&[insert("animals", &other, row)]).await;
    let edit = update("animals", &other, 1, json!({"tag": "9001"}), json!({"tag": "9031"}));
    let result = phone.push_one(&edit).await;
    assert_eq!(result["kind"], "unique_violation", "{result}");
    for result in [result, phone.status_of(&edit["op_id"]).await] {
        assert_eq!((&result["record_id"], &result["record"]["pen"]), (&json!(seed.steer), &json!("B3")), "{result}");
        assert_eq!(result["version"], desk.change("animals", &seed.steer).await["version"], "{result}");
    }
}

async fn a_derived_change_keeps_the_dispute(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, second, edit, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    scale
        .apply(&[insert(
            "weigh_ins",
            &fresh(),
            json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 12_000}),
        )])
        .await;
    let change = desk.change("animals", &seed.steer).await;
    assert_eq!((&change["version"], &change["disputed"]), (&json!(3), &json!(["tag"])));
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    let data = desk.data("animals", &seed.steer).await;
    assert_eq!((&data["tag"], &data["official_weight_x10"]), (&json!("9012"), &json!(12_000)));
    assert_eq!(second.status_of(&edit["op_id"]).await["verdict"], "merged");
}

async fn a_tag_that_another_animal_has_asks_a_person(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Barn", &["superintendent", "checkin"]).await;
    let other = fresh();
    desk.apply(&[insert(
        "animals",
        &other,
        json!({"exhibitor_id": seed.exhibitor, "species": "cattle", "tag": "9031"}),
    )])
    .await;
    let edit = update("animals", &seed.steer, 1, json!({"tag": "9031"}), json!({"tag": "9001"}));
    let result = phone.push_one(&edit).await;
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("unique_violation")));
    assert_eq!(result["contested"], json!(["tag"]));
    let shown = desk.conflict(&result["conflict_id"]).await;
    assert_eq!((&shown["other_record_id"], &shown["server_version"]), (&json!(other), &json!(1)));
    desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    assert_eq!(desk.data("animals", &seed.steer).await["tag"], "9031", "this animal takes the tag");
    assert!(desk.data("animals", &other).await["tag"].is_null(), "and the other one gives it up");
    let swine = update("animals", &seed.hog, 1, json!({"tag": "9031"}), json!({"tag": "9002"}));
    assert_eq!(phone.push_one(&swine).await["verdict"], "applied", "another species has its own tags");
}
