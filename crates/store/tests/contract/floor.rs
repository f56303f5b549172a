//! When a tombstone may go, and what of a record's past decides who is told.

use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::{DeviceId, RecordId, Seq, Version};
use showdesk_domain::record::{ChangeRow, HistoryRow};
use showdesk_domain::schema::{Table, known_table, tables};
use showdesk_store::db::Seat;
use showdesk_store::meta::{self, Meta};
use showdesk_store::people::{self, Sighting};
use showdesk_store::{changes, history};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{at, device, fill, sighting};

fn row(seq: i64, deleted: bool) -> ChangeRow {
    ChangeRow {
        table: known_table("rings"),
        record_id: RecordId(Uuid::now_v7()),
        seq: Seq(seq),
        version: Version(1),
        deleted,
        changed_by: None,
        op_id: None,
        public: !deleted,
        ever_public: true,
        disputed: Vec::new(),
        data: "{}".to_owned(),
        data_staff: None,
        data_public: None,
    }
}

async fn old_tombstones_go_in_steps_and_live_rows_stay(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    for seq in 1..=10 {
        changes::save(&mut tx, &[row(seq, seq % 2 == 0)], at(seq)).await.unwrap();
    }
    let every: Vec<&'static Table> = tables().iter().collect();
    assert_eq!(changes::remove_tombstones(&mut tx, Seq(10), at(2), 9).await.unwrap(), None, "none is older");
    assert_eq!(changes::remove_tombstones(&mut tx, Seq(1), at(100), 9).await.unwrap(), None, "somebody needs it");
    assert_eq!(changes::remove_tombstones(&mut tx, Seq(9), at(100), 2).await.unwrap(), Some((Seq(4), 2)));
    assert_eq!(changes::remove_tombstones(&mut tx, Seq(9), at(100), 2).await.unwrap(), Some((Seq(8), 2)));
    assert_eq!(changes::remove_tombstones(&mut tx, Seq(9), at(100), 2).await.unwrap(), None);
    let left = changes::page(&mut tx, Seq(0), Seq(10), &every, 100).await.unwrap();
    assert_eq!(left.iter().map(|row| row.seq.0).collect::<Vec<_>>(), [1, 3, 5, 7, 9, 10]);
    // A tombstone that was touched is as young as its touch.
    let touched = ChangeRow { seq: Seq(11), ..left[5].clone() };
    changes::save(&mut tx, &[touched], at(200)).await.unwrap();
    assert_eq!(changes::remove_tombstones(&mut tx, Seq(11), at(150), 9).await.unwrap(), None);
}

async fn the_floor_only_rises(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let first = Meta { epoch: Uuid::now_v7(), clock: Seq(90), oldest_seq: Seq(0), schema: 1, min_schema: 1 };
    meta::init(&mut tx, &first).await.unwrap();
    for (asked, expected) in [(40, 40), (30, 40), (50, 50)] {
        meta::raise_oldest_seq(&mut tx, Seq(asked)).await.unwrap();
        assert_eq!(meta::read(&mut tx).await.unwrap().oldest_seq, Seq(expected));
    }
}

async fn the_oldest_cursor_is_that_of_a_device_of_the_show(store: TestStore) {
    let show = fill(&store.db).await;
    let phones = ["Ana", "Ben"].map(|name| device(DeviceId(Uuid::now_v7()), show.person, DeviceKind::Phone, name));
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    for phone in &phones {
        people::add_device(&mut tx, phone).await.unwrap();
    }
    assert_eq!(people::oldest_cursor(&mut tx).await.unwrap(), None, "nobody has pulled");
    for (phone, cursor) in phones.iter().zip([70, 30]) {
        let pulled = Sighting { pulled_seq: Some(Seq(99)), cursor_seq: Some(Seq(cursor)), ..sighting(phone.id, 1) };
        people::note_seen(&mut tx, &[pulled]).await.unwrap();
    }
    people::note_seen(&mut tx, &[sighting(phones[1].id, 2)]).await.unwrap();
    assert_eq!(people::oldest_cursor(&mut tx).await.unwrap(), Some(Seq(30)));
    people::revoke(&mut tx, phones[1].id, at(3)).await.unwrap();
    assert_eq!(people::oldest_cursor(&mut tx).await.unwrap(), Some(Seq(70)), "a removed phone waits for nothing");
}

async fn an_earlier_owner_is_found_in_the_history(store: TestStore) {
    let (animals, rings) = (known_table("animals"), known_table("rings"));
    let owners: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    let ids: Vec<RecordId> = (0..40).map(|_| RecordId(Uuid::now_v7())).collect();
    let version = |seq: i64, table: &'static Table, id: RecordId, version: i64, owner: Option<Uuid>| HistoryRow {
        seq: Seq(seq),
        table,
        record_id: id,
        version: Version(version),
        snapshot: serde_json::json!({"exhibitor_id": owner, "tag": "1"}).to_string(),
        deleted: false,
        actor: None,
        device_id: None,
        op_id: None,
        at: at(seq),
        reason: None,
    };
    let mut rows: Vec<HistoryRow> =
        (1..).zip(&ids).map(|(seq, id)| version(seq, animals, *id, 1, Some(owners[0]))).collect();
    rows.push(version(100, animals, ids[7], 2, Some(owners[19])));
    rows.push(version(101, rings, ids[8], 1, Some(owners[19])));
    rows.push(version(102, animals, ids[9], 2, None));
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    history::add(&mut tx, &rows).await.unwrap();
    let sorted = |mut found: Vec<RecordId>| {
        found.sort();
        found.dedup();
        found
    };
    let found = history::once_owned(&mut tx, animals, &ids, &owners).await.unwrap();
    assert_eq!(sorted(found), sorted(ids.clone()));
    assert_eq!(history::once_owned(&mut tx, animals, &ids, &owners[1..]).await.unwrap(), [ids[7]]);
    assert!(history::once_owned(&mut tx, animals, &ids, &[]).await.unwrap().is_empty());
    assert!(history::once_owned(&mut tx, animals, &[], &owners).await.unwrap().is_empty());
}

on_both_engines![TestStore::open =>
    old_tombstones_go_in_steps_and_live_rows_stay,
    the_floor_only_rises,
    the_oldest_cursor_is_that_of_a_device_of_the_show,
    an_earlier_owner_is_found_in_the_history,
];
