//! The record of decisions: listed, searched, only added to.

use serde_json::json;
use showdesk_domain::ids::{ConflictId, DeviceId, OpId};
use showdesk_domain::value::Value;
use showdesk_store::audit::{self, AuditFilter, AuditRow};
use showdesk_store::db::Seat;
use showdesk_store::{network, records};
use showdesk_testkit::{TestStore, on_both_engines};
use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::fixture::{Show, at, fill, text};

fn decision(show: Show, second: i64) -> AuditRow {
    AuditRow {
        at: at(second),
        actor: Some(show.person),
        device: Some(show.device),
        action: "conflict_resolved".to_owned(),
        asked_by: Some(show.person),
        table_name: Some("animals".to_owned()),
        record_id: Some(Uuid::from_u128(second.unsigned_abs().into())),
        op_id: Some(OpId(Uuid::from_u128(7))),
        conflict_id: Some(ConflictId(Uuid::from_u128(8))),
        bulk_id: Some(Uuid::from_u128(9)),
        before: Some(json!({"tag": "1"})),
        after: None,
        reason: Some("typed wrong".to_owned()),
    }
}

async fn what_the_program_did_and_who_wanted_it_commit_together(store: TestStore) {
    let show = fill(&store.db).await;
    let origins = ["http://10.0.0.1:7420".to_owned()];
    let any = AuditFilter { limit: 10, ..AuditFilter::default() };
    for is_kept in [false, true, true] {
        let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
        network::note_origins(&mut tx, &origins, at(1)).await.unwrap();
        tx.go_on_as(show.person).await.unwrap();
        audit::add(&mut tx, &[decision(show, 1)]).await.unwrap();
        tx.savepoint().await.unwrap();
        let beyond = network::note_origins(&mut tx, &origins, at(2)).await;
        assert_eq!(beyond.is_err(), store.database_url().is_some(), "who sits elsewhere has no right of the worker");
        tx.rollback_to_savepoint().await.unwrap();
        if is_kept {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
            let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
            assert!(audit::page(&mut tx, &any).await.unwrap().is_empty());
        }
    }
    let mut tx = store.db.begin_read(Seat::Worker).await.unwrap();
    assert_eq!(network::origins(&mut tx, at(0), 10).await.unwrap(), origins);
    drop(tx);
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(audit::page(&mut tx, &any).await.unwrap().len(), 2);
}

async fn the_audit_lists_the_newest_first(store: TestStore) {
    let show = fill(&store.db).await;
    let mut rows: Vec<AuditRow> = (1..=41).map(|second| decision(show, second)).collect();
    "op_dropped".clone_into(&mut rows[4].action);
    (rows[4].conflict_id, rows[4].table_name, rows[4].actor) = (None, Some("rings".to_owned()), None);
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    audit::add(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let all = AuditFilter { limit: 2, ..AuditFilter::default() };
    let page = audit::page(&mut tx, &all).await.unwrap();
    assert_eq!(page.iter().map(|(_, row)| row).collect::<Vec<_>>(), [&rows[40], &rows[39]]);
    let next = AuditFilter { before: Some(page[1].0), limit: 100, ..all.clone() };
    assert_eq!(audit::page(&mut tx, &next).await.unwrap().len(), 39);
    let one = [
        AuditFilter { action: Some("op_dropped".to_owned()), ..all.clone() },
        AuditFilter { table_name: Some("rings".to_owned()), ..all.clone() },
        AuditFilter { record_id: rows[4].record_id, ..all.clone() },
    ];
    for filter in one {
        let found = audit::page(&mut tx, &filter).await.unwrap();
        assert_eq!(found.iter().map(|(_, row)| row).collect::<Vec<_>>(), [&rows[4]], "{filter:?}");
    }
    let of_person = AuditFilter { actor: Some(show.person), limit: 100, ..all };
    assert_eq!(audit::page(&mut tx, &of_person).await.unwrap().len(), 40);
    let about = audit::last_about_op(&mut tx, OpId(Uuid::from_u128(7))).await.unwrap();
    assert_eq!(about.as_ref(), Some(&rows[4]), "the newest that is about no clash");
    assert_eq!(audit::last_about_op(&mut tx, OpId(Uuid::from_u128(8))).await.unwrap(), None);
}

async fn the_audit_cannot_be_rewritten(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    audit::add(&mut tx, &[decision(show, 1)]).await.unwrap();
    tx.commit().await.unwrap();
    for sql in ["UPDATE audit_log SET reason = 'none'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        if sql.starts_with("TRUNCATE") && store.database_url().is_none() {
            continue;
        }
        let refused = if let Some(url) = store.database_url() {
            let mut db = PgConnection::connect(url).await.unwrap();
            sqlx::query(sql).execute(&mut db).await.map(|_| ())
        } else {
            let file = format!("sqlite://{}", store.folder().join("show.db").display());
            let mut db = SqliteConnection::connect(&file).await.unwrap();
            sqlx::query(sql).execute(&mut db).await.map(|_| ())
        };
        assert!(refused.unwrap_err().to_string().contains("the audit log is only added to"), "{sql}");
    }
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let all = AuditFilter { limit: 9, ..AuditFilter::default() };
    assert_eq!(audit::page(&mut tx, &all).await.unwrap()[0].1, decision(show, 1));
}

async fn the_audit_is_searched_by_words_and_names(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let exhibitor = show.exhibitor(214, "Zoë", "Őry");
    let mut animal = show.animal(&exhibitor, "0412");
    animal.values[animal.table.index("name")] = text("Blue");
    let entry = show.record(
        "weigh_ins",
        Uuid::now_v7(),
        &[("animal_id", Value::Id(animal.id.0)), ("kind", text("arrival")), ("weight_x10", Value::Int(2_310))],
    );
    records::save(&mut tx, &[&exhibitor]).await.unwrap();
    records::save(&mut tx, &[&animal]).await.unwrap();
    records::save(&mut tx, &[&entry]).await.unwrap();
    let plain = AuditRow { table_name: None, record_id: None, reason: None, asked_by: None, ..decision(show, 1) };
    let nobody = AuditRow { actor: None, device: None, action: "worker_run".to_owned(), ..plain.clone() };
    let rows = [
        AuditRow { action: "device_removed".to_owned(), record_id: Some(show.device.0), ..nobody.clone() },
        AuditRow { after: Some(json!({"stage": "C_%"})), ..nobody.clone() },
        AuditRow { reason: Some("Müller said so".to_owned()), ..nobody.clone() },
        AuditRow { actor: Some(show.person), ..nobody.clone() },
        AuditRow { table_name: Some("weigh_ins".to_owned()), record_id: Some(entry.id.0), ..nobody.clone() },
        AuditRow { table_name: Some("exhibitors".to_owned()), record_id: Some(exhibitor.id.0), ..nobody },
    ];
    audit::add(&mut tx, &rows).await.unwrap();
    for (q, found) in [
        ("removed", vec![0]),
        ("Device removed", vec![0]),
        ("device_removed", vec![0]),
        ("desk", vec![0]),
        ("c_%", vec![1]),
        ("c_x", vec![]),
        ("mül", vec![2]),
        ("MÜLLER", vec![2]),
        ("ana st", vec![3]),
        ("0412", vec![4]),
        ("blue", vec![4]),
        ("zoë ő", vec![4, 5]),
        ("214", vec![4, 5]),
        ("21", vec![]),
        (" ", (0..6).collect()),
        ("'); DROP TABLE audit_log; --", vec![]),
    ] {
        let filter = AuditFilter { text: q.to_owned(), limit: 100, ..AuditFilter::default() };
        let page = audit::page(&mut tx, &filter).await.unwrap();
        let mut places: Vec<usize> =
            page.iter().map(|(_, row)| rows.iter().position(|known| known == row).unwrap()).collect();
        places.reverse();
        assert_eq!(places, found, "{q}");
    }
}

async fn the_audit_is_narrowed_by_device_and_time(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let other = Uuid::now_v7();
    let about = AuditRow { table_name: None, device: None, record_id: Some(show.device.0), ..decision(show, 20) };
    let elsewhere = AuditRow { device: None, record_id: Some(other), ..decision(show, 30) };
    let rows = [decision(show, 10), about, elsewhere];
    audit::add(&mut tx, &rows).await.unwrap();
    for (filter, found) in [
        (AuditFilter { device: Some(show.device), ..AuditFilter::default() }, vec![1, 0]),
        (AuditFilter { device: Some(DeviceId(other)), ..AuditFilter::default() }, vec![]),
        (AuditFilter { from: Some(at(20)), ..AuditFilter::default() }, vec![2, 1]),
        (AuditFilter { to: Some(at(20)), ..AuditFilter::default() }, vec![0]),
        (AuditFilter { from: Some(at(11)), to: Some(at(30)), ..AuditFilter::default() }, vec![1]),
    ] {
        let page = audit::page(&mut tx, &AuditFilter { limit: 9, ..filter.clone() }).await.unwrap();
        let expected: Vec<&AuditRow> = found.iter().map(|place: &usize| &rows[*place]).collect();
        assert_eq!(page.iter().map(|(_, row)| row).collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

on_both_engines![TestStore::open =>
    what_the_program_did_and_who_wanted_it_commit_together,
    the_audit_lists_the_newest_first,
    the_audit_cannot_be_rewritten,
    the_audit_is_searched_by_words_and_names,
    the_audit_is_narrowed_by_device_and_time,
];
