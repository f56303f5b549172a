//! What an admin or a worker takes up again: failed and waiting ops, bulk decisions, the record of decisions.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::ids::{ConflictId, DeviceId, OpId};
use showdesk_domain::queue::{QueueStatus, QueuedOp};
use showdesk_store::audit::{self, AuditFilter, AuditRow};
use showdesk_store::bulk::{self, BulkRow};
use showdesk_store::queue::{self, Moment, Wanted};
use showdesk_store::{Db, StoreError, Tx};
use showdesk_testkit::{TestStore, both_engines};
use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::fixture::{Show, at, fill};

/// An op that has just been filed.
fn op(show: Show, number: i64, status: QueueStatus) -> QueuedOp {
    QueuedOp { status, attempts: 0, lease_until: None, ..show.op(Uuid::now_v7(), number) }
}

async fn add(db: &Db, ops: &[QueuedOp]) {
    let mut tx = db.begin_write().await.unwrap();
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
    let mut tx = store.db.begin_read().await.unwrap();
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
    let mut tx = store.db.begin_write().await.unwrap();
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
    let mut tx = store.db.begin_write().await.unwrap();
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
    let mut tx = store.db.begin_write().await.unwrap();
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
    let mut tx = store.db.begin_read().await.unwrap();
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
    let mut first = store.db.begin_write().await.unwrap();
    let mine = queue::claim(&mut first, moment(at(100)), at(160), 2).await.unwrap();
    let theirs = if store.database_url().is_some() {
        let mut second = store.db.begin_write().await.unwrap();
        let theirs = queue::claim(&mut second, moment(at(100)), at(160), 9).await.unwrap();
        second.commit().await.unwrap();
        first.commit().await.unwrap();
        theirs
    } else {
        first.commit().await.unwrap();
        let mut second = store.db.begin_write().await.unwrap();
        let theirs = queue::claim(&mut second, moment(at(100)), at(160), 9).await.unwrap();
        second.commit().await.unwrap();
        theirs
    };
    let claimed: Vec<OpId> = mine.into_iter().chain(theirs).collect();
    assert_eq!(claimed, ops.iter().map(|op| op.id).collect::<Vec<_>>());
    let mut tx = store.db.begin_read().await.unwrap();
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
    let mut tx = store.db.begin_write().await.unwrap();
    bulk::add(&mut tx, &row).await.unwrap();
    bulk::add(&mut tx, &without_key).await.unwrap();
    bulk::add(&mut tx, &BulkRow { id: Uuid::now_v7(), ..without_key.clone() }).await.unwrap();
    tx.savepoint().await.unwrap();
    let again = bulk::add(&mut tx, &BulkRow { id: Uuid::now_v7(), ..row.clone() }).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })));
    tx.rollback_to_savepoint().await.unwrap();
    bulk::finish(&mut tx, row.id, &json!([{"outcome": "resolved"}])).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read().await.unwrap();
    let finished = BulkRow { results: Some(json!([{"outcome": "resolved"}])), ..row.clone() };
    assert_eq!(bulk::load(&mut tx, row.id).await.unwrap(), Some(finished.clone()));
    assert_eq!(bulk::by_key(&mut tx, "Monday").await.unwrap(), Some(finished));
    assert_eq!(bulk::load(&mut tx, without_key.id).await.unwrap(), Some(without_key));
    assert_eq!(bulk::by_key(&mut tx, "Tuesday").await.unwrap(), None);
    assert_eq!(bulk::load(&mut tx, Uuid::now_v7()).await.unwrap(), None);
}

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

async fn the_audit_lists_the_newest_first(store: TestStore) {
    let show = fill(&store.db).await;
    let mut rows: Vec<AuditRow> = (1..=41).map(|second| decision(show, second)).collect();
    "op_dropped".clone_into(&mut rows[4].action);
    (rows[4].conflict_id, rows[4].table_name, rows[4].actor) = (None, Some("rings".to_owned()), None);
    let mut tx = store.db.begin_write().await.unwrap();
    audit::add(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read().await.unwrap();
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
    let mut tx = store.db.begin_write().await.unwrap();
    audit::add(&mut tx, &[decision(show, 1)]).await.unwrap();
    tx.commit().await.unwrap();
    for sql in ["UPDATE audit_log SET reason = 'none'", "DELETE FROM audit_log"] {
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
    let mut tx = store.db.begin_read().await.unwrap();
    let all = AuditFilter { limit: 9, ..AuditFilter::default() };
    assert_eq!(audit::page(&mut tx, &all).await.unwrap()[0].1, decision(show, 1));
}

both_engines![
    ops_are_listed_by_page_and_dropped_ones_need_no_attention,
    the_oldest_waiting_ops_are_claimed_once,
    what_a_dead_worker_held_is_given_back,
    a_clock_that_was_set_back_blocks_nothing,
    a_group_is_found_by_one_of_its_ops,
    two_workers_claim_different_ops,
    a_bulk_decision_is_begun_once_and_finished,
    the_audit_lists_the_newest_first,
    the_audit_cannot_be_rewritten,
];
