//! Ops that wait, other names of rows, and clashes that are found by any row of their group.

use showdesk_domain::conflict::{ConflictStatus, Part};
use showdesk_domain::ids::{OpId, RecordId, Version};
use showdesk_domain::op::Operation;
use showdesk_domain::queue::{QueueStatus, QueuedOp};
use showdesk_domain::schema::known_table;
use showdesk_domain::world::Name;
use showdesk_store::db::Seat;
use showdesk_store::{aliases, conflicts, queue};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{at, fill};
use crate::sync::clash;

async fn ops_are_found_by_what_they_wait_for(store: TestStore) {
    let show = fill(&store.db).await;
    let (root, other) = (Uuid::now_v7(), Uuid::now_v7());
    let mut ops: Vec<_> = (1..=4).map(|number| show.op(Uuid::now_v7(), number)).collect();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    queue::add(&mut tx, &ops[3..]).await.unwrap();
    assert!(queue::waiting_on(&mut tx, &[root]).await.unwrap().is_empty(), "mostly nothing waits");
    for (place, on) in [root, root, other].into_iter().enumerate() {
        ops[place].status = QueueStatus::Pending;
        ops[place].waiting_on = Some(on);
    }
    queue::add(&mut tx, &ops[..3]).await.unwrap();
    let mut found: Vec<OpId> =
        queue::waiting_on(&mut tx, &[root, Uuid::now_v7()]).await.unwrap().iter().map(|op| op.id).collect();
    found.sort();
    let mut expected = [ops[0].id, ops[1].id];
    expected.sort();
    assert_eq!(found, expected);
    let before = queue::waiting(&mut tx, at(1_000)).await.unwrap();
    let undecided = |op: &&QueuedOp| matches!(op.status, QueueStatus::Pending | QueueStatus::Processing);
    let due = |op: &QueuedOp| op.lease_until.map_or(Some(op.created_at), |end| (end <= at(1_000)).then_some(end));
    assert_eq!(before.due_since, ops.iter().filter(undecided).filter_map(due).min());
    ops[0].waiting_on = None;
    ops[0].status = QueueStatus::Completed;
    queue::update(&mut tx, &ops[..1]).await.unwrap();
    assert_eq!(queue::waiting_on(&mut tx, &[root]).await.unwrap().len(), 1);
    assert_eq!(queue::waiting(&mut tx, at(1_000)).await.unwrap().count, before.count - 1);
}

async fn an_alias_leads_to_its_row_until_it_is_removed(store: TestStore) {
    fill(&store.db).await;
    let alias = ("animals", RecordId(Uuid::now_v7()));
    let [row, other] = [false, true].map(|is_used| Name { record_id: RecordId(Uuid::now_v7()), is_used });
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    aliases::save(&mut tx, alias, row).await.unwrap();
    let same_id_elsewhere = ("entries", alias.1);
    let found = aliases::load(&mut tx, &[alias, same_id_elsewhere]).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(alias, row)]);
    aliases::save(&mut tx, alias, other).await.unwrap();
    assert_eq!(aliases::load(&mut tx, &[alias]).await.unwrap().get(&alias), Some(&other));
    aliases::remove(&mut tx, alias).await.unwrap();
    assert!(aliases::load(&mut tx, &[alias]).await.unwrap().is_empty());
}

async fn an_open_clash_is_found_by_each_row_of_its_group(store: TestStore) {
    let show = fill(&store.db).await;
    let rows: Vec<RecordId> = (0..3).map(|_| RecordId(Uuid::now_v7())).collect();
    let op = show.op(rows[0].0, 1);
    let part = |id: &RecordId| Part {
        table: known_table("placings"),
        record_id: *id,
        operation: Operation::Insert,
        base: None,
        server: None,
        client: None,
        version: Version(0),
        other_record_id: None,
        contested: vec!["place".to_owned()],
        clean: Vec::new(),
    };
    let mut group = clash(show, &op, rows[0].0, 1);
    group.parts = rows.iter().map(part).collect();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    queue::add(&mut tx, &[op]).await.unwrap();
    conflicts::save(&mut tx, std::slice::from_ref(&group)).await.unwrap();
    // Saved again it is found once.
    conflicts::save(&mut tx, std::slice::from_ref(&group)).await.unwrap();
    for row in &rows {
        assert_eq!(conflicts::open_on(&mut tx, &[*row]).await.unwrap(), std::slice::from_ref(&group));
    }
    group.status = ConflictStatus::Withdrawn;
    conflicts::save(&mut tx, std::slice::from_ref(&group)).await.unwrap();
    assert!(conflicts::open_on(&mut tx, &rows).await.unwrap().is_empty());
}

on_both_engines![TestStore::open =>
    ops_are_found_by_what_they_wait_for,
    an_alias_leads_to_its_row_until_it_is_removed,
    an_open_clash_is_found_by_each_row_of_its_group,
];
