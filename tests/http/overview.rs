//! The desk's first page: phones minute by minute, rings, what people did.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send, update, v5};
use crate::seed::{seed, show_of};

async fn overview(desk: &Desk) -> Json {
    desk.get("/admin/overview").await.expect_status(200)
}

async fn device(desk: &Desk, name: &str) -> Json {
    let list = desk.get("/admin/devices").await.expect_status(200);
    let items = list["items"].as_array().expect("items").clone();
    items.into_iter().find(|item| item["name"] == name).expect("it has joined")
}

/// Asks for something, telling this of the phone's queue.
async fn tell(phone: &Phone, headers: &[(&str, &str)]) {
    let mut request = phone.request(Method::GET, "/sync/hello");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await.expect_status(200);
}

async fn a_phone_that_asks_is_connected_and_its_minute_says_so(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let seen = device(&desk, "Scale 1").await;
    let beats = seen["beats"].as_str().expect("letters");
    assert_eq!((seen["connected"].clone(), beats.len()), (json!(true), 60));
    assert!(beats.starts_with("----") && beats.ends_with('c'), "it has just joined: {beats}");
    tell(&phone, &[("x-client-took-ms", "1000")]).await;
    let slow = device(&desk, "Scale 1").await["beats"].clone();
    assert!(slow.as_str().is_some_and(|beats| beats.trim_end_matches('c').ends_with('s')), "{slow}");
    let counts = overview(&desk).await;
    assert_eq!((&counts["phones_connected"], &counts["phones_away"]), (&json!(1), &json!(0)));
    let revoke = format!("/admin/devices/{}/revoke", seen["id"].as_str().expect("an id"));
    desk.post(&revoke, &json!({})).await.expect_status(200);
    assert_eq!(device(&desk, "Scale 1").await["connected"], false);
    let counts = overview(&desk).await;
    assert_eq!((&counts["phones_connected"], &counts["phones_away"]), (&json!(0), &json!(0)));
}

async fn what_a_phone_still_holds_is_told_with_the_age_of_its_oldest(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    for nonsense in [&[("x-client-pending", "-3")][..], &[("x-client-pending", "many"), ("x-client-took-ms", "1e9")]] {
        tell(&phone, nonsense).await;
    }
    assert_eq!(device(&desk, "Scale 1").await["unsent"], 0);
    tell(&phone, &[("x-client-pending", "9"), ("x-client-waiting-ms", "1740000")]).await;
    let holding = device(&desk, "Scale 1").await;
    assert_eq!(holding["unsent"], 9);
    let since = holding["oldest_unsent_at"].as_str().expect("a moment").parse::<chrono::DateTime<chrono::Utc>>();
    let minutes = (chrono::Utc::now() - since.expect("RFC 3339")).num_minutes();
    assert!((29..=31).contains(&minutes), "{minutes}");
    let counts = overview(&desk).await;
    assert_eq!((&counts["waiting_on_phones"], &counts["unsent_phones"]), (&json!(9), &json!(1)));
    assert_eq!(counts["oldest_unsent_at"], holding["oldest_unsent_at"]);
    tell(&phone, &[("x-client-pending", "0"), ("x-client-waiting-ms", "1740000")]).await;
    let counts = overview(&desk).await;
    assert_eq!((&counts["waiting_on_phones"], &counts["unsent_phones"]), (&json!(0), &json!(0)));
    assert_eq!(
        (&counts["oldest_unsent_at"], &device(&desk, "Scale 1").await["oldest_unsent_at"]),
        (&Json::Null, &Json::Null)
    );
}

async fn a_new_show_asks_for_its_first_steps_until_it_has_a_name_or_a_row(desk: Desk) {
    let first = overview(&desk).await;
    assert_eq!((&first["first_run"], &first["now_and_next"]), (&json!(true), &json!([])));
    assert!(first["version"].is_string() && first["data_dir"].is_string());
    let database = first["database"].as_str().expect("a name");
    assert!(["SQLite", "Postgres"].contains(&database), "{database}");
    let (show, _) = show_of(&desk).await;
    desk.apply(&[update("shows", &show, 1, json!({"name": "Willow Fair"}), json!({"name": "New show"}))]).await;
    assert_eq!(overview(&desk).await["first_run"], false);
}

async fn a_ring_tells_its_class_and_the_next_and_a_clash_the_class_it_holds_up(desk: Desk) {
    let seed = seed(&desk).await;
    let (next, family) = (fresh(), seed.class.clone());
    let class = json!({
        "name": "Prospect Heifer", "code": "6", "department": "cattle", "kind": "breeding", "ring_id": seed.ring,
        "seq": 2, "planned_at": "2031-08-07T10:05:00.000Z",
    });
    let planned = update("classes", &family, 1, json!({"planned_at": "2031-08-07T09:50:00Z", "seq": 1}), json!({}));
    let entry = json!({"family_id": family, "animal_id": seed.steer, "exhibitor_id": seed.exhibitor});
    desk.apply(&[
        planned,
        insert("classes", &next, class),
        insert("entries", &v5(&family, &seed.steer), entry),
        insert("class_calls", &fresh(), json!({"class_id": family, "ring_id": seed.ring, "kind": "in_ring"})),
    ])
    .await;
    let shown = overview(&desk).await;
    let ring = &shown["now_and_next"][0];
    assert_eq!((&ring["id"], &ring["name"], &ring["status"]), (&json!(seed.ring), &json!("Ring 1"), &json!("open")));
    assert_eq!((&ring["now"]["class_id"], &ring["now"]["name"]), (&json!(family), &json!("Open Steer")));
    assert!(ring["now"]["since"].is_string());
    let expected =
        json!({"class_id": next, "code": "6", "name": "Prospect Heifer", "planned_at": "2031-08-07T10:05:00.000Z"});
    assert_eq!((&ring["next"], &shown["first_class_at"]), (&expected, &Json::Null));

    let phone = desk.phone("Barn", &["superintendent"]).await;
    let tag = |tag: &str| update("animals", &seed.steer, 1, json!({"tag": tag}), json!({"tag": "9001"}));
    desk.apply(&[tag("9101")]).await;
    assert_eq!(phone.push_one(&tag("9102")).await["verdict"], "conflict");
    assert_eq!(overview(&desk).await["first_class_at"], "2031-08-07T09:50:00.000Z");
}

async fn what_people_did_is_read_page_by_page(desk: Desk) {
    let seed = seed(&desk).await;
    desk.apply(&[update("animals", &seed.hog, 1, json!({"pen": "B12"}), json!({"pen": null}))]).await;
    let all = desk.get("/admin/activity").await.expect_status(200);
    let items = all["items"].as_array().expect("items");
    assert_eq!(all["next"], Json::Null);
    assert_eq!((&items[0]["what"], &items[0]["fields"]), (&json!("changed"), &json!(["pen"])));
    assert_eq!((&items[0]["subject"]["tag"], &items[0]["device"]["kind"]), (&json!("9002"), &json!("desk")));
    assert_eq!(overview(&desk).await["activity"], json!(items[..items.len().min(20)]));
    let mut read = Vec::new();
    let mut path = "/admin/activity?limit=2".to_owned();
    while read.len() <= items.len() {
        let page = desk.get(&path).await.expect_status(200);
        let page_items = page["items"].as_array().expect("items");
        assert!(page_items.len() <= 2);
        read.extend(page_items.clone());
        match page["next"].as_i64() {
            Some(before) => path = format!("/admin/activity?limit=2&before={before}"),
            None => break,
        }
    }
    assert_eq!(&read, items);
    for query in ["?limit=0", "?limit=x", "?before=x", "?before=99999999999999999999", "?after=3"] {
        desk.get(&format!("/admin/activity{query}")).await.expect_problem(400);
    }
    let phone = desk.phone("Barn", &["admin"]).await;
    send(phone.request(Method::GET, "/admin/activity")).await.expect_problem(404);
}

on_both_engines![
    a_phone_that_asks_is_connected_and_its_minute_says_so,
    what_a_phone_still_holds_is_told_with_the_age_of_its_oldest,
    a_new_show_asks_for_its_first_steps_until_it_has_a_name_or_a_row,
    a_ring_tells_its_class_and_the_next_and_a_clash_the_class_it_holds_up,
    what_people_did_is_read_page_by_page,
];
