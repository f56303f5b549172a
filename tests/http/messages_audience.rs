//! Whom a message can be for, as the desk offers it while somebody types.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::update;
use crate::seed::{Seed, seed};

on_both_engines!(what_a_message_can_be_for_is_found_by_any_name_or_number,);

async fn found(desk: &Desk, text: &str) -> Vec<(String, String)> {
    let query = text.replace('%', "%25").replace(' ', "%20").replace('#', "%23");
    let page = desk.get(&format!("/admin/notifications/audience?q={query}")).await.expect_status(200);
    let word = |item: &Json, key: &str| item[key].as_str().expect("a text").to_owned();
    page["items"].as_array().expect("items").iter().map(|item| (word(item, "kind"), word(item, "id"))).collect()
}

async fn what_a_message_can_be_for_is_found_by_any_name_or_number(desk: Desk) {
    let Seed { ring, exhibitor, class, .. } = seed(&desk).await;
    let change = json!({"code": "15", "planned_at": "2027-08-06T15:20:00Z"});
    desk.apply(&[update("classes", &class, 1, change, json!({"code": null, "planned_at": null}))]).await;
    desk.phone("Gate", &["gate"]).await;

    let one = |kind: &str, id: &str| vec![(kind.to_owned(), id.to_owned())];
    for text in ["15", "class 15", "Class 1"] {
        assert_eq!(found(&desk, text).await, one("class", &class), "{text}");
    }
    for text in ["birch", "NORA B", "501", "#501"] {
        assert_eq!(found(&desk, text).await, one("exhibitor", &exhibitor), "{text}");
    }
    assert_eq!(found(&desk, "everyb").await, one("everybody", "everybody"));
    assert_eq!(found(&desk, "gate").await, one("function", "gate"));
    for text in ["%", "_", "nobody of that name", "-501", "99999999999999999999"] {
        assert!(found(&desk, text).await.is_empty(), "{text}");
    }

    let usual = found(&desk, "").await;
    assert_eq!(usual.first(), Some(&("everybody".to_owned(), "everybody".to_owned())));
    assert!(usual.contains(&("ring".to_owned(), ring)), "{usual:?}");
    assert!(usual.contains(&("class".to_owned(), class)), "{usual:?}");
    let page = desk.get("/admin/notifications/audience?q=gate").await.expect_status(200);
    assert_eq!((&page["items"][0]["label"], &page["items"][0]["people"]), (&json!("Gate crew"), &json!(1)));
}
