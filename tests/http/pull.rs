//! Pull: pages, cursors, tombstones. The union of the pages is the table.

use std::collections::BTreeMap;

use serde_json::json;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, delete, fresh, insert, update, v5};
use crate::seed::{seed, set_stage, show_of};

on_both_engines!(
    pages_of_any_size_give_the_same_rows,
    a_cursor_gives_only_what_is_new,
    a_deleted_row_is_a_tombstone,
    a_cursor_that_cannot_be_continued_is_410,
    another_table_set_is_400,
    limits_are_held,
    the_feed_has_one_number_a_change,
    pages_never_split_what_a_reader_misses,
    results_come_and_go_with_the_rule_about_them,
);

async fn a_few_rings(desk: &Desk, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|_| fresh()).collect();
    let ops: Vec<_> =
        ids.iter().enumerate().map(|(n, id)| insert("rings", id, json!({"name": format!("Ring {n}")}))).collect();
    desk.apply(&ops).await;
    ids
}

async fn pages_of_any_size_give_the_same_rows(desk: Desk) {
    seed(&desk).await;
    a_few_rings(&desk, 25).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut expected = BTreeMap::new();
    phone.pull_after(None, 1_000, &mut expected).await;
    assert!(expected.len() >= 31, "{}", expected.len());
    for limit in [1, 2, 7, 30] {
        let mut rows = BTreeMap::new();
        phone.pull_after(None, limit, &mut rows).await;
        assert_eq!(rows, expected, "pages of {limit}");
    }
    for ((table, id), change) in &expected {
        assert_eq!((&change["table_name"], &change["record_id"]), (&json!(table), &json!(id)));
        assert_eq!(change["op"], "upsert");
        assert!(change["version"].as_i64() >= Some(1) && change["data"].is_object());
    }
}

async fn a_cursor_gives_only_what_is_new(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut rows = BTreeMap::new();
    let cursor = phone.pull_after(None, 500, &mut rows).await;
    rows.clear();
    let cursor = phone.pull_after(Some(cursor), 500, &mut rows).await;
    assert!(rows.is_empty());
    desk.apply(&[update("rings", &seed.ring, 1, json!({"name": "Main ring"}), json!({"name": "Ring 1"}))]).await;
    phone.pull_after(Some(cursor), 500, &mut rows).await;
    let keys: Vec<_> = rows.keys().cloned().collect();
    assert_eq!(keys, [("rings".to_owned(), seed.ring)]);
}

async fn a_deleted_row_is_a_tombstone(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let ring = a_few_rings(&desk, 1).await.remove(0);
    let mut rows = BTreeMap::new();
    let cursor = phone.pull_after(None, 500, &mut rows).await;
    desk.apply(&[delete("rings", &ring, 1)]).await;
    rows.clear();
    phone.pull_after(Some(cursor), 500, &mut rows).await;
    let change = &rows[&("rings".to_owned(), ring.clone())];
    assert_eq!((&change["op"], &change["version"]), (&json!("delete"), &json!(2)));
    assert!(change["data"].is_null() || change["data"].is_object());
}

async fn a_cursor_that_cannot_be_continued_is_410(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let other = desk.phone("Scale 2", &["scale"]).await;
    let cursor = phone.pull("").await.expect_status(200)["cursor"].as_str().expect("a cursor").to_owned();
    let gone = async |phone: &Phone, cursor: &str| {
        phone.pull(&format!("?cursor={}", cursor.replace('%', "%25"))).await.expect_problem(410)
    };
    let mut forged = cursor.clone().into_bytes();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("text");
    for garbage in ["x", "AAAA", "%", "0", &cursor[..cursor.len() - 1], &forged] {
        assert_eq!(gone(&phone, garbage).await["mode"], "reconcile", "{garbage}");
    }
    assert_eq!(gone(&other, &cursor).await["mode"], "reconcile", "a cursor belongs to its device");
    phone.pull(&format!("?cursor={cursor}")).await.expect_status(200);
}

async fn another_table_set_is_400(desk: Desk) {
    seed(&desk).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let page = phone.pull("?tables=animals,weigh_ins").await.expect_status(200);
    let changes = page["changes"].as_array().expect("changes");
    assert!(!changes.is_empty() && changes.iter().all(|change| change["table_name"] == "animals"));
    let cursor = page["cursor"].as_str().expect("a cursor");
    phone.pull(&format!("?tables=animals,weigh_ins&cursor={cursor}")).await.expect_status(200);
    phone.pull(&format!("?tables=weigh_ins,animals&cursor={cursor}")).await.expect_status(200);
    for query in [format!("?cursor={cursor}"), format!("?tables=animals&cursor={cursor}")] {
        let problem = phone.pull(&query).await.expect_problem(400);
        assert_eq!(problem["code"], "cursor_tables");
    }
    phone.pull("?tables=profiles").await.expect_problem(400);
}

async fn limits_are_held(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    for limit in ["0", "-1", "x", "1.5", ""] {
        phone.pull(&format!("?limit={limit}")).await.expect_problem(400);
    }
    for limit in ["1", "1000", "1001", "1000000000"] {
        phone.pull(&format!("?limit={limit}")).await.expect_status(200);
    }
}

async fn the_feed_has_one_number_a_change(desk: Desk) {
    seed(&desk).await;
    a_few_rings(&desk, 10).await;
    let rows = desk.pull_all().await;
    let mut numbers: Vec<i64> = rows.values().map(|change| change["seq"].as_i64().expect("a number")).collect();
    numbers.sort_unstable();
    let count = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), count, "no two feed rows share one");
    let clock = desk.pull("").await.expect_status(200)["clock"].as_i64();
    assert_eq!(numbers.last().copied(), clock);
}

async fn pages_never_split_what_a_reader_misses(desk: Desk) {
    let ids = a_few_rings(&desk, 40).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut rows = BTreeMap::new();
    let mut cursor: Option<String> = None;
    for page_number in 0_i64.. {
        let from = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = phone.pull(&format!("?limit=5{from}")).await.expect_status(200);
        for change in page["changes"].as_array().expect("changes") {
            rows.insert(change["record_id"].as_str().expect("an id").to_owned(), change["data"]["name"].clone());
        }
        if page["has_more"] == false {
            break;
        }
        cursor = page["cursor"].as_str().map(str::to_owned);
        // While the phone reads, somebody renames a ring it has had already.
        let ring = &ids[usize::try_from(page_number % 3).expect("small")];
        let change = desk.change("rings", ring).await;
        let (version, name) = (change["version"].as_i64().expect("a version"), change["data"]["name"].clone());
        if page_number < 6 {
            desk.apply(&[update(
                "rings",
                ring,
                version,
                json!({"name": format!("Renamed {page_number}")}),
                json!({"name": name}),
            )])
            .await;
        }
        assert!(page_number < 100, "the pull does not end");
    }
    let all = desk.pull_all().await;
    for id in &ids {
        assert_eq!(rows[id], all[&("rings".to_owned(), id.clone())]["data"]["name"], "{id}");
    }
}

async fn results_come_and_go_with_the_rule_about_them(desk: Desk) {
    let seed = seed(&desk).await;
    let entry = v5(&seed.class, &seed.steer);
    let row = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, row)]).await;
    set_stage(&desk, "C").await;
    set_stage(&desk, "D").await;
    let placing = v5(&seed.class, &entry);
    let placed = json!({"class_id": seed.class, "entry_id": entry, "place": 1});
    desk.apply(&[insert("placings", &placing, placed)]).await;
    let viewer = desk.phone("Parent", &["viewer"]).await;
    assert!(viewer.change("placings", &placing).await.is_null(), "nothing is told before results may be seen");
    for (rule, before, op) in [("posted", json!(null), "upsert"), ("official", json!("posted"), "revoke")] {
        let (show, change) = show_of(&desk).await;
        let version = change["version"].as_i64().expect("a version");
        let rules = json!({"rules": {"results_visibility": rule}});
        desk.apply(&[update("shows", &show, version, rules, json!({"rules": {"results_visibility": before}}))]).await;
        let shown = viewer.change("placings", &placing).await;
        assert_eq!(shown["op"], op, "{rule}: {shown}");
        assert_eq!(shown["data"].is_null(), op == "revoke");
    }
}
