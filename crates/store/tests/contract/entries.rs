//! Finding an animal by any number or name.

use serde_json::json;
use showdesk_domain::conflict::{Conflict, ConflictKind, ConflictStatus};
use showdesk_domain::ids::{ConflictId, Version};
use showdesk_domain::record::Record;
use showdesk_domain::value::Value;
use showdesk_store::{Db, conflicts, entries, queue, records};
use showdesk_testkit::{TestStore, both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, fill, text};

/// Two exhibitors, three pigs, two classes; the first pig is disputed.
async fn fill_barn(db: &Db) -> (Show, Record) {
    let show = fill(db).await;
    let (jose, reed) = (show.exhibitor(214, "José", "Ibáñez"), show.exhibitor(31, "Joy", "REED_100%"));
    let mut first = show.animal(&jose, "0412");
    let more = [
        ("official_id", text("840003123456789")),
        ("prev_tags", Value::List(vec![text("A77"), text("B78")])),
        ("breed", text("Duroc")),
        ("name", text("Ñandú")),
        ("pen", text("B12")),
        ("official_weight_x10", Value::Int(2_655)),
        ("adg_x1000", Value::Int(1_500)),
        ("arrived_at", Value::Instant(at(5))),
    ];
    for (path, value) in more {
        first.values[first.table.index(path)] = value;
    }
    let second = show.animal(&reed, "1187");
    let mut untagged = show.animal(&reed, "");
    untagged.values[first.table.index("tag")] = Value::Null;
    let mut gone = show.animal(&reed, "0413");
    gone.deleted_at = Some(at(4));
    let (family, broken) = (show.class("10", "Market Hog"), show.class("11", "Market Hog 2"));
    let entry = |animal: &Record, class: Option<&Record>| {
        let values = [
            ("exhibitor_id", animal.value("exhibitor_id").clone()),
            ("animal_id", Value::Id(animal.id.0)),
            ("family_id", Value::Id(family.id.0)),
            ("class_id", class.map_or(Value::Null, |class| Value::Id(class.id.0))),
        ];
        show.record("entries", Uuid::now_v7(), &values)
    };
    let mut tx = db.begin_write().await.unwrap();
    records::save(&mut tx, &[&jose, &reed]).await.unwrap();
    records::save(&mut tx, &[&first, &second, &untagged, &gone]).await.unwrap();
    records::save(&mut tx, &[&family, &broken]).await.unwrap();
    records::save(&mut tx, &[&entry(&first, Some(&broken)), &entry(&second, None)]).await.unwrap();
    let op = show.op(first.id.0, 1);
    conflicts::save(&mut tx, &[open_clash(show, &first, op.id)]).await.unwrap();
    queue::add(&mut tx, &[op]).await.unwrap();
    tx.commit().await.unwrap();
    (show, first)
}

fn open_clash(show: Show, record: &Record, op: showdesk_domain::ids::OpId) -> Conflict {
    Conflict {
        id: ConflictId(Uuid::now_v7()),
        queue_id: op,
        table: record.table,
        record_id: record.id,
        other_record_id: None,
        kind: ConflictKind::UpdateUpdate,
        rule: None,
        status: ConflictStatus::Open,
        rev: 1,
        device_id: show.device,
        user_id: show.person,
        server_user_id: None,
        op_ids: vec![op],
        base_data: None,
        server_data: json!({}).as_object().cloned(),
        client_data: None,
        server_version: Version(1),
        contested: vec!["tag".to_owned()],
        clean: Vec::new(),
        parts: Vec::new(),
        resolution: None,
        resolved_data: None,
        resolved_by: None,
        resolved_at: None,
        result_version: None,
        bulk_id: None,
        reason: None,
        decisions: Vec::new(),
        disagreement: None,
        created_at: at(2),
    }
}

async fn an_animal_is_found_by_any_number_or_name(store: TestStore) {
    fill_barn(&store.db).await;
    let mut tx = store.db.begin_read().await.unwrap();
    let cases: &[(&str, &[&str])] = &[
        ("0412", &["0412"]),
        ("a77", &["0412"]),
        ("6789", &["0412"]),
        ("84000312", &["0412"]),
        ("214", &["0412"]),
        ("14", &[]),
        ("josé", &["0412"]),
        ("JOSÉ IBÁÑEZ", &["0412"]),
        ("ñANDÚ", &["0412"]),
        ("reed_1", &["1187", "-"]),
        ("joy reed", &["1187", "-"]),
        ("reed-1", &[]),
        ("100%", &["1187", "-"]),
        ("market hog 2", &["0412"]),
        ("hog", &["0412", "1187"]),
        ("  1187 ", &["1187"]),
        ("0413", &[]),
        ("\",", &[]),
        ("", &["0412", "1187", "-"]),
    ];
    for (search, expected) in cases {
        let (rows, total) = entries::search(&mut tx, search, 0, 50).await.unwrap();
        let tags: Vec<&str> = rows.iter().map(|row| row.tag.as_deref().unwrap_or("-")).collect();
        assert_eq!(tags, *expected, "{search}");
        assert_eq!(usize::try_from(total).unwrap(), expected.len(), "{search}");
    }
}

async fn a_row_tells_all_that_the_list_shows(store: TestStore) {
    let (_, animal) = fill_barn(&store.db).await;
    let mut tx = store.db.begin_read().await.unwrap();
    let (rows, total) = entries::search(&mut tx, "", 0, 2).await.unwrap();
    assert_eq!((rows.len(), total), (2, 3));
    let expected = entries::EntryRow {
        animal_id: animal.id.0,
        version: 1,
        tag: Some("0412".to_owned()),
        official_id: Some("840003123456789".to_owned()),
        prev_tags: vec!["A77".to_owned(), "B78".to_owned()],
        species: "swine".to_owned(),
        sex: None,
        breed: Some("Duroc".to_owned()),
        pen: Some("B12".to_owned()),
        official_weight_x10: Some(2_655),
        adg_x1000: Some(1_500),
        arrived_at: Some(at(5)),
        exhibitor_id: animal.value("exhibitor_id").as_id().unwrap(),
        back_number: Some(214),
        exhibitor: "José Ibáñez".to_owned(),
        club_chapter: None,
        classes: vec!["Market Hog 2".to_owned()],
        disputed: true,
    };
    assert_eq!(rows[0], expected);
    assert_eq!((rows[1].classes.as_slice(), rows[1].disputed), (&["Market Hog".to_owned()][..], false));
    let (rest, total) = entries::search(&mut tx, "", 2, 2).await.unwrap();
    assert_eq!((rest.len(), rest[0].tag.as_deref(), total), (1, None, 3));
}

both_engines![an_animal_is_found_by_any_number_or_name, a_row_tells_all_that_the_list_shows];
