//! Problems: what phones' pages and the desk itself meet, grouped, without what is secret.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::desk::Desk;
use crate::live::Events;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send};
use crate::poison::{Database, with_database};

on_both_engines!(errors_of_phones_become_problems_that_people_solve);
on_both_engines!(with_database => the_number_that_a_person_was_told_finds_the_problem);

const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until the list says so.
async fn until(desk: &Desk, query: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    let until = Instant::now() + DEADLINE;
    loop {
        let page = desk.get(&format!("/admin/errors?{query}")).await.expect_status(200);
        if wanted(&page) {
            return page;
        }
        assert!(Instant::now() < until, "{page}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn tell(phone: &Phone, data: Json) {
    let body = json!({"type": "error", "data": data});
    send(phone.request(Method::POST, "/telemetry").json(&body)).await.expect_status(202);
}

fn page_error(number: u32) -> Json {
    json!({
        "error_type": "TypeError", "message": format!("cannot read tag {number} of \"Maria {number}\""),
        "stack_trace": format!("at save (http://192.168.1.{number}:7420/assets/work-{number:08}.js:{number}:9)"),
        "context": {"page": "#/weigh", "token": format!("canary-{number}"), "note": "call 555-0142"},
        "at": chrono::Utc::now().to_rfc3339(),
    })
}

async fn errors_of_phones_become_problems_that_people_solve(desk: Desk) {
    let (maria, dan) = (desk.phone("Maria", &["scale"]).await, desk.phone("Dan", &["gate"]).await);
    let mut stream = Events::of(&desk).await;
    tell(&maria, json!([page_error(1), page_error(2)])).await;
    tell(&dan, json!([page_error(3)])).await;
    let other = json!([{"error_type": "unhandledrejection", "message": "storage is full"}]);
    tell(&dan, other).await;
    let page = until(&desk, "status=open", |page| {
        let counts = page["items"].as_array().expect("items").iter().map(|item| item["count"].as_i64());
        counts.flatten().sum::<i64>() == 4
    })
    .await;
    stream.wait_for("errors", |_| true).await;
    assert_eq!((&page["open"], page["items"].as_array().map(Vec::len)), (&json!(2), Some(2)), "{page}");
    let items = page["items"].as_array().expect("items");
    let weigh = items.iter().find(|item| item["kind"] == "TypeError").expect("it is listed").clone();
    assert_eq!((&weigh["count"], &weigh["people"], &weigh["phones"]), (&json!(3), &json!(2), &json!(2)));
    assert_eq!((&weigh["source"], &weigh["route"]), (&json!("phone"), &json!("#/weigh")));
    let path = format!("/admin/errors/{}", weigh["fingerprint"].as_str().expect("a name"));
    let detail = desk.get(&path).await;
    for secret in ["canary-", "Maria 1", "555-0142"] {
        assert!(!detail.text.contains(secret), "{secret} in {}", detail.text);
    }
    let detail = detail.expect_status(200);
    let samples = detail["samples"].as_array().expect("samples");
    assert_eq!((samples.len(), &samples[0]["number"]), (3, &json!(3)));
    let names: Vec<&str> = samples.iter().filter_map(|sample| sample["device"]["name"].as_str()).collect();
    assert!(names.contains(&"Maria") && names.contains(&"Dan"), "{names:?}");

    let solve = async |status: &str| send(desk.request(Method::PUT, &path).json(&json!({"status": status}))).await;
    assert_eq!(solve("resolved").await.expect_status(200)["status"], "resolved");
    let solved = desk.get("/admin/errors?status=solved").await.expect_status(200);
    assert_eq!((&solved["open"], &solved["items"][0]["fingerprint"]), (&json!(1), &weigh["fingerprint"]));
    tell(&maria, json!([page_error(9)])).await;
    let back = until(&desk, "status=open", |page| page["items"].as_array().is_some_and(|items| items.len() == 2)).await;
    assert_eq!(back["items"][0]["status"], "regressed");
    assert_eq!(solve("ignored").await.expect_status(200)["status"], "ignored");
    let audit = desk.get("/admin/audit?action=problem_changed").await.expect_status(200);
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(2));

    let first = desk.get("/admin/errors?limit=1").await.expect_status(200);
    let cursor = first["cursor"].as_str().expect("there is more");
    let second = desk.get(&format!("/admin/errors?limit=1&cursor={cursor}")).await.expect_status(200);
    assert_ne!(first["items"][0]["fingerprint"], second["items"][0]["fingerprint"]);
    assert_eq!(second["cursor"], Json::Null);
    for bad in ["status=x", "limit=0", "cursor=x", "from=x", "number=x", "other=1"] {
        desk.get(&format!("/admin/errors?{bad}")).await.expect_problem(400);
    }
    solve("regressed").await.expect_problem(422);
    let nobody = format!("/admin/errors/{}", "0".repeat(64));
    desk.get(&nobody).await.expect_problem(404);
    send(desk.request(Method::PUT, &nobody).json(&json!({"status": "open"}))).await.expect_problem(404);
}

async fn the_number_that_a_person_was_told_finds_the_problem((desk, database): (Desk, Database)) {
    database.refuse("rings", "NEW.name = 'poison'").await;
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let refused = desk.push_one(&insert("rings", &fresh(), json!({"name": "poison"}))).await;
        let detail = refused["error"]["detail"].as_str().expect("a sentence").to_owned();
        numbers.push(detail.rsplit(' ').next().expect("a number").to_owned());
    }
    let mut found = Vec::new();
    for number in &numbers {
        let query = format!("number={number}");
        let page = until(&desk, &query, |page| page["items"].as_array().is_some_and(|items| items.len() == 1)).await;
        assert_eq!((&page["items"][0]["source"], &page["items"][0]["count"]), (&json!("desk"), &json!(2)), "{page}");
        found.push(page["items"][0]["fingerprint"].clone());
    }
    assert_eq!(found[0], found[1], "it is one problem");
    let nothing = desk.get(&format!("/admin/errors?number={}", fresh())).await.expect_status(200);
    assert_eq!(nothing["items"], json!([]));
}
