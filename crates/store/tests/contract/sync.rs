//! Queue, clashes, history, feed.

use serde_json::json;
use showdesk_domain::conflict::{Conflict, ConflictKind, ConflictStatus, Part};
use showdesk_domain::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Seq, Version};
use showdesk_domain::op::Operation;
use showdesk_domain::queue::{QueueStatus, QueuedOp, Verdict};
use showdesk_domain::record::{ChangeRow, HistoryRow};
use showdesk_domain::schema::{Table, known_table, tables};
use showdesk_store::conflicts::{self, ConflictCounts, ConflictFilter, Standing};
use showdesk_store::db::Seat;
use showdesk_store::{StoreError, changes, history, queue};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, fill};

/// More rows than the largest statement carries, and some for the smaller ones.
const MANY: i64 = 170;

async fn an_op_is_queued_once_and_comes_back_whole(store: TestStore) {
    let show = fill(&store.db).await;
    let ops: Vec<QueuedOp> = (1..=MANY).map(|number| show.op(Uuid::now_v7(), number)).collect();
    let mut bare = show.op(Uuid::now_v7(), MANY + 1);
    (bare.record_id, bare.base, bare.prev_op_id, bare.txn, bare.epoch, bare.reason) =
        (None, None, None, None, None, None);
    (bare.waiting_for, bare.waiting_on, bare.lease_until, bare.client_time) = (None, None, None, None);
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    queue::add(&mut tx, &ops).await.unwrap();
    queue::add(&mut tx, std::slice::from_ref(&bare)).await.unwrap();
    let mut found = queue::load(&mut tx, &ops.iter().map(|op| op.id).collect::<Vec<_>>()).await.unwrap();
    found.sort_by_key(|op| op.device_seq);
    assert_eq!(found, ops);
    assert_eq!(queue::load(&mut tx, &[bare.id, OpId(Uuid::now_v7())]).await.unwrap(), [bare.clone()]);
    tx.savepoint().await.unwrap();
    let again = queue::add(&mut tx, &[bare]).await;
    assert!(
        matches!(&again, Err(StoreError::Duplicate { constraint: Some(name) }) if name == "sync_queue_pkey"),
        "{again:?}"
    );
    tx.rollback_to_savepoint().await.unwrap();
    tx.commit().await.unwrap();
}

async fn verdicts_are_written_in_bulk(store: TestStore) {
    let show = fill(&store.db).await;
    let record = Uuid::now_v7();
    let mut ops: Vec<QueuedOp> = (1..=MANY).map(|number| show.op(record, number)).collect();
    let clash = clash(show, &ops[0], record, 1);
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    queue::add(&mut tx, &ops).await.unwrap();
    conflicts::save(&mut tx, std::slice::from_ref(&clash)).await.unwrap();
    for (number, op) in (0_i64..).zip(&mut ops) {
        op.status = if number % 2 == 0 { QueueStatus::Completed } else { QueueStatus::Failed };
        op.verdict = Some(Verdict::Applied);
        op.conflict_id = (number == 0).then_some(clash.id);
        (op.waiting_for, op.waiting_on) = (None, None);
        op.result_version = Some(Version(number));
        op.result_seq = Some(Seq(number));
        op.error = (number % 2 == 1).then(|| json!({"code": "locked", "detail": "too late"}));
        op.decision = (number % 4 == 1).then(|| json!({"resolution": "dropped"}));
        op.attempts = 2;
        op.lease_until = None;
        op.processed_at = Some(at(500));
    }
    queue::update(&mut tx, &ops).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let key = (show.device, RecordId(record));
    assert_eq!(queue::of_device_on_records(&mut tx, &[key]).await.unwrap(), ops);
    let elsewhere = [(DeviceId(Uuid::now_v7()), RecordId(record)), (show.device, RecordId(Uuid::now_v7()))];
    assert!(queue::of_device_on_records(&mut tx, &elsewhere).await.unwrap().is_empty());
}

/// A clash with something in every column.
pub(crate) fn clash(show: Show, op: &QueuedOp, record: Uuid, second: i64) -> Conflict {
    let object = json!({"tag": "0412", "rules": {"class_cap": 22}}).as_object().cloned();
    Conflict {
        id: ConflictId(Uuid::now_v7()),
        queue_id: op.id,
        table: known_table("animals"),
        record_id: RecordId(record),
        other_record_id: Some(RecordId(Uuid::now_v7())),
        kind: ConflictKind::Rule,
        rule: Some("C1".to_owned()),
        status: ConflictStatus::Open,
        rev: 1,
        device_id: show.device,
        user_id: show.person,
        server_user_id: None,
        op_ids: vec![op.id],
        base_data: object.clone(),
        server_data: object.clone(),
        client_data: object.clone(),
        server_version: Version(4),
        contested: vec!["tag".to_owned()],
        clean: vec!["pen".to_owned()],
        parts: vec![part(record)],
        resolution: Some("manual".to_owned()),
        resolved_data: object,
        resolved_by: Some(show.person),
        resolved_at: Some(at(9)),
        result_version: Some(Version(5)),
        bulk_id: Some(Uuid::now_v7()),
        reason: Some("asked the owner".to_owned()),
        decisions: vec![json!({"resolution": "manual"})],
        disagreement: Some(json!({"note": "no"})),
        created_at: at(second),
    }
}

/// One row of a group.
fn part(record: Uuid) -> Part {
    let object = json!({"tag": "0413"}).as_object().cloned();
    Part {
        table: known_table("animals"),
        record_id: RecordId(record),
        operation: Operation::Update,
        base: object.clone(),
        server: object.clone(),
        client: object,
        version: Version(4),
        other_record_id: Some(RecordId(Uuid::now_v7())),
        contested: vec!["tag".to_owned()],
        clean: vec!["pen".to_owned()],
    }
}

async fn a_clash_is_saved_whole_and_changed(store: TestStore) {
    let show = fill(&store.db).await;
    let op = show.op(Uuid::now_v7(), 1);
    let mut clash = clash(show, &op, Uuid::now_v7(), 1);
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    queue::add(&mut tx, &[op]).await.unwrap();
    conflicts::save(&mut tx, std::slice::from_ref(&clash)).await.unwrap();
    assert_eq!(conflicts::load(&mut tx, &[clash.id]).await.unwrap(), [clash.clone()]);
    clash.status = ConflictStatus::Superseded;
    clash.rev = 2;
    (clash.rule, clash.other_record_id, clash.base_data, clash.server_data) = (None, None, None, None);
    (clash.client_data, clash.resolution, clash.resolved_data, clash.resolved_by) = (None, None, None, None);
    (clash.resolved_at, clash.result_version, clash.bulk_id, clash.reason) = (None, None, None, None);
    (clash.disagreement, clash.parts) = (None, Vec::new());
    conflicts::save(&mut tx, std::slice::from_ref(&clash)).await.unwrap();
    assert_eq!(conflicts::load(&mut tx, &[clash.id, ConflictId(Uuid::now_v7())]).await.unwrap(), [clash.clone()]);
    assert_eq!(conflicts::count_open(&mut tx).await.unwrap(), 0);
    assert_eq!(conflicts::decision(&mut tx, "key").await.unwrap(), None);
    conflicts::add_decision(&mut tx, "key", clash.id, at(3)).await.unwrap();
    assert_eq!(conflicts::decision(&mut tx, "key").await.unwrap(), Some(clash.id));
    tx.savepoint().await.unwrap();
    let again = conflicts::add_decision(&mut tx, "key", clash.id, at(4)).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })));
    tx.rollback_to_savepoint().await.unwrap();
    tx.commit().await.unwrap();
}

async fn clashes_are_found_by_record_and_listed_by_page(store: TestStore) {
    let show = fill(&store.db).await;
    let op = show.op(Uuid::now_v7(), 1);
    let records: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    let mut clashes: Vec<Conflict> =
        (1..).zip(&records).map(|(second, record)| clash(show, &op, *record, second)).collect();
    clashes[1].other_record_id = Some(RecordId(records[0]));
    clashes[2].status = ConflictStatus::Resolved;
    clashes[3].kind = ConflictKind::UpdateUpdate;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    queue::add(&mut tx, &[op]).await.unwrap();
    conflicts::save(&mut tx, &clashes).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let ids: Vec<RecordId> = records[..3].iter().copied().map(RecordId).collect();
    assert_eq!(conflicts::open_on(&mut tx, &ids).await.unwrap(), clashes[..2]);
    assert_eq!(conflicts::open_on(&mut tx, &ids[..1]).await.unwrap(), clashes[..2], "the second is about both");
    assert_eq!(conflicts::count_open(&mut tx).await.unwrap(), 4);
    let by_kind = conflicts::open_by_kind(&mut tx).await.unwrap();
    let told: Vec<_> = by_kind.iter().map(|of| (of.kind, of.count, of.oldest)).collect();
    assert_eq!(told, [(ConflictKind::Rule, 3, at(1)), (ConflictKind::UpdateUpdate, 1, at(4))]);
    let newest_first: Vec<Conflict> = clashes.iter().rev().cloned().collect();
    let all = ConflictFilter { limit: 3, ..ConflictFilter::default() };
    let page = conflicts::list(&mut tx, &all).await.unwrap();
    assert_eq!(page, newest_first[..3]);
    let next = ConflictFilter { before: Some((page[2].created_at, page[2].id)), ..all.clone() };
    assert_eq!(conflicts::list(&mut tx, &next).await.unwrap(), newest_first[3..]);
    let narrow = ConflictFilter {
        status: Some(Standing::Status(ConflictStatus::Open)),
        kind: Some(ConflictKind::UpdateUpdate),
        table: Some(known_table("animals")),
        device: Some(show.device),
        ..all.clone()
    };
    assert_eq!(conflicts::list(&mut tx, &narrow).await.unwrap(), clashes[3..4]);
    let by = |author: PersonId| ConflictFilter { author: Some(author), limit: 9, ..ConflictFilter::default() };
    assert_eq!(conflicts::list(&mut tx, &by(show.person)).await.unwrap(), newest_first);
    assert!(conflicts::list(&mut tx, &by(PersonId(records[0]))).await.unwrap().is_empty());
    let decided = ConflictFilter { status: Some(Standing::Decided), ..all.clone() };
    assert_eq!(conflicts::list(&mut tx, &decided).await.unwrap(), clashes[2..3]);
    let counts = conflicts::counts(&mut tx, at(0)).await.unwrap();
    let since = ConflictCounts { open: 4, decided: 1, merged_automatically: 0, decided_since: 0, merged_since: 0 };
    assert_eq!(ConflictCounts { decided_since: 0, ..counts }, since);
    let decided_at = clashes[2].resolved_at.unwrap();
    assert_eq!(conflicts::counts(&mut tx, decided_at).await.unwrap().decided_since, 1);
    let later = decided_at + chrono::Duration::milliseconds(1);
    assert_eq!(conflicts::counts(&mut tx, later).await.unwrap().decided_since, 0);
    let other = ConflictFilter { table: Some(known_table("entries")), ..all };
    assert!(conflicts::list(&mut tx, &other).await.unwrap().is_empty());
    let of_device = conflicts::of_author(&mut tx, show.device, show.person, 10).await.unwrap();
    let order: Vec<usize> =
        of_device.iter().map(|one| clashes.iter().position(|other| other == one).unwrap()).collect();
    assert_eq!(order, [4, 3, 1, 0, 2], "the decided one is last");
}

fn version(show: Show, table: &'static Table, id: Uuid, seq: i64, version: i64) -> HistoryRow {
    HistoryRow {
        table,
        record_id: RecordId(id),
        version: Version(version),
        snapshot: json!({"pen": "B12"}).to_string(),
        deleted: version == 3,
        seq: Seq(seq),
        actor: (version != 2).then_some(show.person),
        device_id: Some(show.device),
        op_id: Some(OpId(Uuid::now_v7())),
        at: at(seq),
        reason: Some("moved".to_owned()),
    }
}

async fn every_version_is_kept(store: TestStore) {
    let show = fill(&store.db).await;
    let (table, id) = (known_table("animals"), Uuid::now_v7());
    let own: Vec<HistoryRow> = (1..=3).map(|number| version(show, table, id, number, number)).collect();
    let others: Vec<HistoryRow> =
        (4..=MANY).map(|seq| version(show, known_table("rings"), Uuid::now_v7(), seq, 1)).collect();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    history::add(&mut tx, &own).await.unwrap();
    history::add(&mut tx, &others).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let found = history::versions(&mut tx, table, RecordId(id), 2).await.unwrap();
    assert_eq!(found.len(), 2);
    for (found, expected) in found.iter().zip([&own[2], &own[1]]) {
        assert_same_version(found, expected);
    }
    assert!(history::versions(&mut tx, known_table("rings"), RecordId(id), 2).await.unwrap().is_empty());
    let recent = history::recent(&mut tx, None, 1_000).await.unwrap();
    assert_eq!(i64::try_from(recent.len()).unwrap(), MANY - 1, "what nobody did is left out");
    assert_eq!(recent[0].seq, Seq(MANY));
    let before = history::recent(&mut tx, Some(Seq(MANY)), 2).await.unwrap();
    assert_eq!(before.iter().map(|row| row.seq).collect::<Vec<_>>(), [Seq(MANY - 1), Seq(MANY - 2)]);
    let keys: Vec<_> = own.iter().chain(&others).map(|row| (row.table, row.record_id, row.version)).collect();
    let mut found = history::snapshots(&mut tx, &keys).await.unwrap();
    found.sort_by_key(|row| row.seq);
    assert_eq!(i64::try_from(found.len()).unwrap(), MANY);
    assert_same_version(&found[0], &own[0]);
    let none = [(table, RecordId(id), Version(4)), (known_table("rings"), RecordId(id), Version(1))];
    assert!(history::snapshots(&mut tx, &none).await.unwrap().is_empty());
}

/// Postgres keeps a snapshot's values and not its blanks.
fn assert_same_version(found: &HistoryRow, expected: &HistoryRow) {
    let json = |row: &HistoryRow| serde_json::from_str::<serde_json::Value>(&row.snapshot).unwrap();
    assert_eq!(json(found), json(expected));
    assert_eq!(*found, HistoryRow { snapshot: found.snapshot.clone(), ..expected.clone() });
}

fn change(table: &'static Table, id: Uuid, seq: i64) -> ChangeRow {
    ChangeRow {
        table,
        record_id: RecordId(id),
        seq: Seq(seq),
        version: Version(seq),
        deleted: seq % 2 == 0,
        changed_by: Some(Uuid::now_v7().into()),
        op_id: Some(OpId(Uuid::now_v7())),
        public: seq % 3 == 0,
        ever_public: seq % 3 != 1,
        disputed: vec!["tag".to_owned()],
        data: format!(r#"{{"pen": "B{seq}"}}"#),
        data_staff: (seq % 2 == 0).then(|| r#"{"pen":1}"#.to_owned()),
        data_public: (seq % 2 == 1).then(|| "{}".to_owned()),
    }
}

async fn the_feed_has_one_row_a_record_in_the_order_of_changes(store: TestStore) {
    let (animals, rings) = (known_table("animals"), known_table("rings"));
    let id = Uuid::now_v7();
    let first = change(animals, id, 1);
    let others: Vec<ChangeRow> = (2..=MANY).map(|seq| change(rings, Uuid::now_v7(), seq)).collect();
    let same_id = change(rings, id, MANY + 1);
    let moved = ChangeRow { disputed: Vec::new(), changed_by: None, op_id: None, ..change(animals, id, MANY + 2) };
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    changes::save(&mut tx, std::slice::from_ref(&first), at(1)).await.unwrap();
    changes::save(&mut tx, &others, at(2)).await.unwrap();
    changes::save(&mut tx, &[same_id.clone(), moved.clone()], at(3)).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let found = changes::load(&mut tx, &[(animals, RecordId(id)), (animals, RecordId(Uuid::now_v7()))]).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&moved));
    let every: Vec<&'static Table> = tables().iter().collect();
    let all = changes::page(&mut tx, Seq(0), Seq(MANY + 2), &every, 1_000).await.unwrap();
    let expected: Vec<ChangeRow> = others.iter().cloned().chain([same_id, moved.clone()]).collect();
    assert_eq!(all, expected);
    assert_eq!(changes::page(&mut tx, Seq(3), Seq(7), &every, 2).await.unwrap(), others[2..4]);
    assert_eq!(changes::page(&mut tx, Seq(3), Seq(4), &every, 9).await.unwrap(), others[2..3]);
    assert_eq!(changes::page(&mut tx, Seq(0), Seq(MANY + 2), &[animals], 9).await.unwrap(), [moved]);
    assert!(changes::page(&mut tx, Seq(0), Seq(MANY + 2), &[], 9).await.unwrap().is_empty());
}

on_both_engines![TestStore::open =>
    an_op_is_queued_once_and_comes_back_whole,
    verdicts_are_written_in_bulk,
    a_clash_is_saved_whole_and_changed,
    clashes_are_found_by_record_and_listed_by_page,
    every_version_is_kept,
    the_feed_has_one_row_a_record_in_the_order_of_changes,
];
