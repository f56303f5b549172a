//! What an admin or a worker takes up again: failed and waiting ops, bulk decisions.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::ids::{ConflictId, DeviceId, OpId};
use showdesk_domain::queue::{QueueStatus, QueuedOp};
use showdesk_store::bulk::{self, BulkRow};
use showdesk_store::db::Seat;
use showdesk_store::queue::{self, Moment, Wanted};
use showdesk_store::{Db, StoreError, Tx};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, fill};

/// An op that has just been filed.
fn op(show: Show, number: i64, status: QueueStatus) -> QueuedOp {
    QueuedOp { status, attempts: 0, lease_until: None, ..show.op(Uuid::now_v7(), number) }
}

async fn add(db: &Db, ops: &[QueuedOp]) {
    let mut tx = db.begin_write(Seat::Owner).await.unwrap();
    queue::add(&mut tx, ops).await.unwrap();
    tx.commit().await.unwrap();
}

fn moment(now: DateTime<Utc>) -> Moment {
    Moment { now, latest_end: now + chrono::Duration::hours(3) }
}

async fn statuses(tx: &mut Tx, ops: &[OpId]) -> Vec<(QueueStatus, i64, bool)> {
    let mut found = queue::load(tx, ops).await.unwrap();
    found.sort_by_key(|op| op.device_seq);
    found.iter().map(|op| (op.status, op.attempts, op.lease_until.is_some())).collect()
}

async fn ops_are_listed_by_page_and_dropped_ones_need_no_attention(store: TestStore) {
    let show = fill(&store.db).await;
    let mut ops: Vec<QueuedOp> = (1..=6).map(|number| op(show, number, QueueStatus::Failed)).collect();
    ops[1].decision = Some(json!({"resolution": "dropped"}));
    ops[4].status = QueueStatus::Completed;
    ops[5].status = QueueStatus::Conflict;
    add(&store.db, &ops).await;
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let all = queue::page(&mut tx, Wanted::NeedsAttention, None, 10).await.unwrap();
    assert_eq!(all, [ops[3].clone(), ops[2].clone(), ops[0].clone()]);
    assert_eq!(queue::count_needing_attention(&mut tx).await.unwrap(), 3);
    let first = queue::page(&mut tx, Wanted::NeedsAttention, None, 2).await.unwrap();
    let last = first.last().map(|op| (op.created_at, op.id));
    assert_eq!(queue::page(&mut tx, Wanted::NeedsAttention, last, 2).await.unwrap(), ops[..1]);
    for (status, expected) in [
        (QueueStatus::Failed, 4),
        (QueueStatus::Completed, 1),
        (QueueStatus::Conflict, 1),
        (QueueStatus::Pending, 0),
        (QueueStatus::Processing, 0),
    ] {
        let found = queue::page(&mut tx, Wanted::Status(status), None, 10).await.unwrap();
        assert_eq!(found.len(), expected, "{status:?}");
    }
    let after_the_newest = Some((ops[3].created_at, ops[3].id));
    let failed = queue::page(&mut tx, Wanted::Status(QueueStatus::Failed), after_the_newest, 10).await.unwrap();
    assert_eq!(failed.len(), 3);
}

async fn the_oldest_waiting_ops_are_claimed_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut ops: Vec<QueuedOp> = (1..=40).map(|number| op(show, number, QueueStatus::Pending)).collect();
    ops[0].lease_until = Some(at(200));
    ops[39].status = QueueStatus::Failed;
    ops.reverse();
    add(&store.db, &ops).await;
    ops.reverse();
    let ids = |range: std::ops::Range<usize>| ops[range].iter().map(|op| op.id).collect::<Vec<_>>();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert!(queue::has_due(&mut tx, moment(at(100))).await.unwrap());
    let first = queue::claim(&mut tx, moment(at(100)), at(160), 34).await.unwrap();
    assert_eq!(first, ids(1..35), "the one that pauses is passed over");
    let rest = queue::claim(&mut tx, moment(at(100)), at(160), 34).await.unwrap();
    assert_eq!(rest, ids(35..39));
    assert!(queue::claim(&mut tx, moment(at(100)), at(160), 34).await.unwrap().is_empty());
    assert!(!queue::has_due(&mut tx, moment(at(100))).await.unwrap());
    assert_eq!(statuses(&mut tx, &first[..2]).await, [(QueueStatus::Processing, 1, true); 2]);
    assert_eq!(queue::claim(&mut tx, moment(at(200)), at(260), 34).await.unwrap(), ids(0..1), "its pause is over");
    tx.commit().await.unwrap();
}

async fn what_a_dead_worker_held_is_given_back(store: TestStore) {
    let show = fill(&store.db).await;
    let ops: Vec<QueuedOp> = (1..=3).map(|number| op(show, number, QueueStatus::Pending)).collect();
    add(&store.db, &ops).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let held = queue::claim(&mut tx, moment(at(100)), at(160), 2).await.unwrap();
    assert_eq!(queue::reap(&mut tx, moment(at(159))).await.unwrap(), 0, "it may still be at work");
    assert!(queue::has_due(&mut tx, moment(at(160))).await.unwrap());
    assert_eq!(queue::reap(&mut tx, moment(at(160))).await.unwrap(), 2);
    assert_eq!(statuses(&mut tx, &held).await, [(QueueStatus::Pending, 1, false); 2]);
    assert_eq!(queue::claim(&mut tx, moment(at(161)), at(220), 9).await.unwrap().len(), 3);
    tx.commit().await.unwrap();
}

async fn a_clock_that_was_set_back_blocks_nothing(store: TestStore) {
    let show = fill(&store.db).await;
    let years = at(0) + chrono::Duration::days(4_000);
    let mut ops = vec![op(show, 1, QueueStatus::Pending), op(show, 2, QueueStatus::Processing)];
    for op in &mut ops {
        op.lease_until = Some(years);
    }
    add(&store.db, &ops).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert_eq!(queue::reap(&mut tx, moment(at(100))).await.unwrap(), 1);
    assert_eq!(queue::claim(&mut tx, moment(at(100)), at(160), 9).await.unwrap().len(), 2);
    tx.commit().await.unwrap();
}

async fn a_group_is_found_by_one_of_its_ops(store: TestStore) {
    let show = fill(&store.db).await;
    let mut ops: Vec<QueuedOp> = (1..=5).map(|number| op(show, number, QueueStatus::Failed)).collect();
    let txn = json!({"id": Uuid::now_v7(), "size": 3});
    for index in [0, 2, 4] {
        ops[index].txn = Some(txn.clone());
    }
    ops[1].txn = None;
    ops[4].status = QueueStatus::Completed;
    add(&store.db, &ops).await;
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let name = txn["id"].as_str().unwrap();
    let found = queue::unfinished_of_group(&mut tx, show.device, name).await.unwrap();
    assert_eq!(found, [ops[0].id, ops[2].id]);
    let of_another = queue::unfinished_of_group(&mut tx, DeviceId(Uuid::now_v7()), name).await.unwrap();
    assert!(of_another.is_empty());
}

/// On Postgres the second worker passes over what the first holds; on `SQLite` it comes after it.
async fn two_workers_claim_different_ops(store: TestStore) {
    let show = fill(&store.db).await;
    let ops: Vec<QueuedOp> = (1..=4).map(|number| op(show, number, QueueStatus::Pending)).collect();
    add(&store.db, &ops).await;
    let mut first = store.db.begin_write(Seat::Owner).await.unwrap();
    let mine = queue::claim(&mut first, moment(at(100)), at(160), 2).await.unwrap();
    let theirs = if store.database_url().is_some() {
        let mut second = store.db.begin_write(Seat::Owner).await.unwrap();
        let theirs = queue::claim(&mut second, moment(at(100)), at(160), 9).await.unwrap();
        second.commit().await.unwrap();
        first.commit().await.unwrap();
        theirs
    } else {
        first.commit().await.unwrap();
        let mut second = store.db.begin_write(Seat::Owner).await.unwrap();
        let theirs = queue::claim(&mut second, moment(at(100)), at(160), 9).await.unwrap();
        second.commit().await.unwrap();
        theirs
    };
    let claimed: Vec<OpId> = mine.into_iter().chain(theirs).collect();
    assert_eq!(claimed, ops.iter().map(|op| op.id).collect::<Vec<_>>());
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(statuses(&mut tx, &claimed).await, [(QueueStatus::Processing, 1, true); 4]);
}

async fn a_bulk_decision_is_begun_once_and_finished(store: TestStore) {
    let show = fill(&store.db).await;
    let row = BulkRow {
        id: Uuid::now_v7(),
        idempotency_key: Some("Monday".to_owned()),
        request_sha256: [9; 32],
        conflict_ids: vec![ConflictId(Uuid::now_v7()), ConflictId(Uuid::now_v7())],
        results: None,
        decided_by: show.person,
        decided_at: at(3),
    };
    let without_key = BulkRow { id: Uuid::now_v7(), idempotency_key: None, ..row.clone() };
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    bulk::add(&mut tx, &row).await.unwrap();
    bulk::add(&mut tx, &without_key).await.unwrap();
    bulk::add(&mut tx, &BulkRow { id: Uuid::now_v7(), ..without_key.clone() }).await.unwrap();
    tx.savepoint().await.unwrap();
    let again = bulk::add(&mut tx, &BulkRow { id: Uuid::now_v7(), ..row.clone() }).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })));
    tx.rollback_to_savepoint().await.unwrap();
    bulk::finish(&mut tx, row.id, &json!([{"outcome": "resolved"}])).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let finished = BulkRow { results: Some(json!([{"outcome": "resolved"}])), ..row.clone() };
    assert_eq!(bulk::load(&mut tx, row.id).await.unwrap(), Some(finished.clone()));
    assert_eq!(bulk::by_key(&mut tx, "Monday").await.unwrap(), Some(finished));
    assert_eq!(bulk::load(&mut tx, without_key.id).await.unwrap(), Some(without_key));
    assert_eq!(bulk::by_key(&mut tx, "Tuesday").await.unwrap(), None);
    assert_eq!(bulk::load(&mut tx, Uuid::now_v7()).await.unwrap(), None);
}

on_both_engines![TestStore::open =>
    ops_are_listed_by_page_and_dropped_ones_need_no_attention,
    the_oldest_waiting_ops_are_claimed_once,
    what_a_dead_worker_held_is_given_back,
    a_clock_that_was_set_back_blocks_nothing,
    a_group_is_found_by_one_of_its_ops,
    two_workers_claim_different_ops,
    a_bulk_decision_is_begun_once_and_finished,
];
