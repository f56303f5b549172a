//! Answers that are kept, rows that have moved, and what the report counts.

use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::{DeviceId, RecordId, Seq, Version};
use showdesk_domain::queue::{QueueStatus, QueuedOp};
use showdesk_domain::record::ChangeRow;
use showdesk_domain::schema::known_table;
use showdesk_domain::value::Value;
use showdesk_store::cache::{self, CacheFacts, CacheRow};
use showdesk_store::db::Seat;
use showdesk_store::report::{self, DepartmentRow, OpCount};
use showdesk_store::{changes, people, queue, records};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{at, device, fill, text};

fn row(key: &str, tag: &str, expires: i64) -> CacheRow {
    let value = vec![0, 255, 7];
    let facts = CacheFacts {
        key: key.to_owned(),
        scope: "staff".to_owned(),
        tags: vec![tag.to_owned()],
        etag: Some("\"a\"".to_owned()),
        size_bytes: 3,
        hits: 2,
        stale_until: Some(at(expires - 1)),
        expires_at: at(expires),
        created_at: at(1),
    };
    CacheRow { facts, value }
}

async fn what_has_expired_is_not_found_though_it_is_there(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    let one = row("first-pull/staff", "first-pull", 60);
    cache::put(&mut tx, Uuid::now_v7(), &one, at(1)).await.unwrap();
    assert_eq!(cache::find(&mut tx, "first-pull/staff", at(59)).await.unwrap(), Some(one.clone()));
    assert_eq!(cache::find(&mut tx, "first-pull/staff", at(60)).await.unwrap(), None);
    assert_eq!(cache::find(&mut tx, "first-pull/office", at(1)).await.unwrap(), None);
    assert_eq!(cache::list(&mut tx, at(60), 10).await.unwrap(), []);
    let newer = CacheRow {
        value: vec![1],
        facts: CacheFacts { size_bytes: 1, hits: 9, ..row("first-pull/staff", "first-pull", 90).facts },
    };
    cache::put(&mut tx, Uuid::now_v7(), &newer, at(61)).await.unwrap();
    assert_eq!(cache::find(&mut tx, "first-pull/staff", at(61)).await.unwrap(), Some(newer.clone()), "in its place");
    assert_eq!(cache::list(&mut tx, at(61), 10).await.unwrap(), [newer.facts]);
}

async fn expired_rows_go_the_oldest_first_and_few_at_a_time(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    for number in 0..5 {
        let tag = if number == 4 { "charts" } else { "first-pull" };
        cache::put(&mut tx, Uuid::now_v7(), &row(&number.to_string(), tag, 10 * (number + 1)), at(1)).await.unwrap();
    }
    assert_eq!(cache::remove_expired(&mut tx, at(40), 3).await.unwrap(), 3);
    let left = cache::list(&mut tx, at(0), 10).await.unwrap();
    assert_eq!(left.iter().map(|facts| facts.key.as_str()).collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(cache::remove_expired(&mut tx, at(40), 3).await.unwrap(), 1);
    assert_eq!(cache::remove_expired(&mut tx, at(40), 3).await.unwrap(), 0);
    assert_eq!(cache::remove(&mut tx, Some("first-pull"), 10).await.unwrap(), 0, "another kind stays");
    assert_eq!(cache::remove(&mut tx, Some("charts"), 10).await.unwrap(), 1);
    cache::put(&mut tx, Uuid::now_v7(), &row("5", "charts", 60), at(1)).await.unwrap();
    assert_eq!(cache::remove(&mut tx, None, 10).await.unwrap(), 1);
}

async fn rows_that_moved_are_told_with_their_new_numbers(store: TestStore) {
    let show = fill(&store.db).await;
    let change = |seq: i64, record: Uuid| ChangeRow {
        table: known_table("rings"),
        record_id: RecordId(record),
        seq: Seq(seq),
        version: Version(1),
        deleted: false,
        changed_by: Some(show.person),
        op_id: None,
        public: true,
        ever_public: true,
        disputed: Vec::new(),
        data: "{}".to_owned(),
        data_staff: None,
        data_public: None,
    };
    let [one, two] = [Uuid::now_v7(), Uuid::now_v7()];
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    changes::save(&mut tx, &[change(1, one), change(2, two)], at(1)).await.unwrap();
    changes::save(&mut tx, &[change(3, one)], at(2)).await.unwrap();
    let rings = known_table("rings");
    let moved = |found: Vec<(Seq, &'static showdesk_domain::schema::Table, RecordId)>| {
        found.into_iter().map(|(seq, table, id)| (seq.0, table.name, id.0)).collect::<Vec<_>>()
    };
    assert_eq!(
        moved(changes::moved(&mut tx, Seq(0), Seq(9), 9).await.unwrap()),
        [(2, rings.name, two), (3, rings.name, one)]
    );
    assert_eq!(moved(changes::moved(&mut tx, Seq(2), Seq(3), 9).await.unwrap()), [(3, rings.name, one)]);
    assert_eq!(moved(changes::moved(&mut tx, Seq(0), Seq(9), 1).await.unwrap()), [(2, rings.name, two)]);
    assert_eq!(moved(changes::moved(&mut tx, Seq(3), Seq(9), 9).await.unwrap()), []);
}

async fn the_report_counts_what_is_there(store: TestStore) {
    let show = fill(&store.db).await;
    let exhibitor = show.exhibitor(1, "Nora", "Birch");
    let mut here = show.animal(&exhibitor, "1");
    here.values[known_table("animals").index("arrived_at")] = Value::Instant(at(5));
    let away = show.animal(&exhibitor, "2");
    let mut gone = show.animal(&exhibitor, "3");
    gone.deleted_at = Some(at(6));
    let mut class = show.class("101", "Open barrow");
    class.values[known_table("classes").index("department")] = text("swine");
    let other = show.class("102", "Showmanship");
    let refer = |record: &showdesk_domain::record::Record| Value::Id(record.id.0);
    let entry = show.record(
        "entries",
        Uuid::now_v7(),
        &[
            ("exhibitor_id", refer(&exhibitor)),
            ("animal_id", refer(&here)),
            ("family_id", refer(&class)),
            ("out_reason", text("scratch")),
        ],
    );
    let phone = device(DeviceId(Uuid::now_v7()), show.person, DeviceKind::Phone, "Scale 1");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    people::add_device(&mut tx, &phone).await.unwrap();
    for rows in [vec![&exhibitor], vec![&class, &other], vec![&here, &away, &gone], vec![&entry]] {
        records::save(&mut tx, &rows).await.unwrap();
    }
    let of = |device, number, status| QueuedOp {
        device_id: device,
        status,
        conflict_id: None,
        ..show.op(Uuid::now_v7(), number)
    };
    let ops = [
        of(phone.id, 1, QueueStatus::Failed),
        of(phone.id, 2, QueueStatus::Failed),
        of(show.device, 3, QueueStatus::Failed),
    ];
    queue::add(&mut tx, &ops).await.unwrap();
    let departments = report::departments(&mut tx).await.unwrap();
    let swine = DepartmentRow {
        department: Some("swine".to_owned()),
        animals: 2,
        arrived: 1,
        weighed: 0,
        classes: 1,
        official: 0,
        entries: 1,
        out: 1,
    };
    let rest = DepartmentRow { classes: 1, ..DepartmentRow::default() };
    assert!(departments.len() == 2 && departments.contains(&swine) && departments.contains(&rest), "{departments:?}");
    let counted = report::ops_of_phones(&mut tx).await.unwrap();
    assert_eq!(
        counted.iter().map(|op: &OpCount| (op.status, op.count)).collect::<Vec<_>>(),
        [(QueueStatus::Failed, 2)]
    );
    assert_eq!(report::clashes(&mut tx).await.unwrap(), []);
    assert_eq!(report::decided(&mut tx, 9).await.unwrap(), []);
    assert_eq!(report::deeds(&mut tx).await.unwrap(), []);
}

on_both_engines!(TestStore::open =>
    what_has_expired_is_not_found_though_it_is_there,
    expired_rows_go_the_oldest_first_and_few_at_a_time,
    rows_that_moved_are_told_with_their_new_numbers,
    the_report_counts_what_is_there,
);
