//! The first steps at a new desk: a name for its person, an invented show; and what late entries are told by.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Answer, fresh, insert, send};
use crate::seed::{seed, set_stage};

const DEADLINE: Duration = Duration::from_mins(1);

async fn name(desk: &Desk, name: &str) -> Answer {
    send(desk.request(Method::PUT, "/admin/person").json(&json!({"name": name}))).await
}

async fn the_person_at_the_desk_has_a_name(desk: Desk) {
    let named = name(&desk, "  Dan Reed ").await.expect_status(200);
    assert_eq!(named["name"], "Dan Reed");
    let overview = desk.get("/admin/overview").await.expect_status(200);
    assert_eq!(overview["person"], named);
    assert_eq!(overview["first_run"], true, "a name of the person is none of the show");
    let ring = fresh();
    desk.apply(&[insert("rings", &ring, json!({"name": "Ring 1"}))]).await;
    assert_eq!(desk.history("rings", &ring).await[0]["actor"]["name"], "Dan Reed");
    for (bad, code) in [("", "required"), (" \u{202e} ", "required"), ("\u{7}", "required")] {
        assert_eq!(name(&desk, bad).await.expect_problem(422)["code"], code);
    }
    assert_eq!(name(&desk, &"x".repeat(201)).await.expect_problem(422)["code"], "too_large");
    let role = json!({"name": "Dan", "role": "owner"});
    send(desk.request(Method::PUT, "/admin/person").json(&role)).await.expect_problem(422);
    let phone = desk.phone("Barn", &["admin"]).await;
    send(phone.request(Method::PUT, "/admin/person").json(&json!({"name": "X"}))).await.expect_problem(404);
}

async fn an_invented_show_is_put_into_an_empty_one_only(desk: Desk) {
    desk.post("/admin/demo", &json!({"size": "expo"})).await.expect_problem(422);
    desk.post("/admin/demo", &json!({"size": "small", "stage": "E"})).await.expect_problem(422);
    desk.post("/admin/demo", &json!({"size": "small"})).await.expect_status(200);
    let overview = desk.get("/admin/overview").await.expect_status(200);
    assert_eq!((&overview["first_run"], &overview["show"]["stage"]), (&json!(false), &json!("B")));
    assert!(overview["animals"].as_i64() > Some(50));
    assert_eq!(desk.post("/admin/demo", &json!({"size": "small"})).await.expect_problem(422)["code"], "not_empty");
}

/// Whoever looks while it is filled sees nothing of the invented show or all of it; and so does who starts it again.
async fn an_invented_show_is_there_whole_or_not_at_all(mut desk: Desk) {
    let filling = tokio::spawn(desk.request(Method::POST, "/admin/demo").json(&json!({"size": "county"})).send());
    let seen = tokio::time::timeout(DEADLINE, async {
        loop {
            let overview = desk.get("/admin/overview").await.expect_status(200);
            if overview["exhibitors"] != 0 || overview["show"]["name"] != "New show" {
                return overview;
            }
        }
    });
    let seen = seen.await.expect("it is filled in time");
    desk.program.kill().await;
    // Its answer may not have come.
    drop(filling.await.expect("no panic"));
    desk.start_again().await;
    let kept = desk.get("/admin/overview").await.expect_status(200);
    for overview in [seen, kept] {
        let whole = json!(["Cedar County Fair", "B", 240, 520, 640, 70, false]);
        let (show, n) = (&overview["show"], |name: &str| overview[name].clone());
        let found = json!([
            show["name"],
            show["stage"],
            n("exhibitors"),
            n("animals"),
            n("entries"),
            n("classes"),
            n("first_run")
        ]);
        assert_eq!(found, whole);
    }
}

async fn a_late_entry_says_so_and_what_it_is_about(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    set_stage(&desk, "C").await;
    let weight = json!({"animal_id": seed.hog, "kind": "arrival", "weight_x10": 2_500});
    let result = phone.push_one(&insert("weigh_ins", &fresh(), weight)).await;
    assert_eq!(result["error"]["code"], "locked");
    phone.push_one(&insert("rings", &fresh(), json!({"name": "Ring 9"}))).await;
    let queue = desk.get("/admin/queue").await.expect_status(200);
    let (ring, weight) = (&queue["items"][0], &queue["items"][1]);
    assert_eq!((&weight["late"], &weight["subject"]["tag"]), (&json!(true), &json!("9002")));
    assert_eq!(weight["subject"]["exhibitor"], "Nora Birch");
    assert_eq!((&ring["late"], &ring["subject"]), (&json!(false), &json!({})));
}

on_both_engines![
    an_invented_show_is_there_whole_or_not_at_all,
    the_person_at_the_desk_has_a_name,
    an_invented_show_is_put_into_an_empty_one_only,
    a_late_entry_says_so_and_what_it_is_about,
];
