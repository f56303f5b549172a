//! Desks of one database: who lives where, and what they tell each other.

use std::time::Duration;

use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::DeviceId;
use showdesk_store::db::Seat;
use showdesk_store::{desks, people};
use showdesk_testkit::{TestStore, on_both_engines};
use tokio::time::timeout;
use uuid::Uuid;

use crate::fixture::{at, device, fill};

async fn a_desk_lives_as_long_as_its_beat_moves(store: TestStore) {
    let show = fill(&store.db).await;
    let second = device(DeviceId(Uuid::now_v7()), show.person, DeviceKind::Desk, "Laptop 2");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert_eq!(people::count_desks(&mut tx).await.unwrap(), 1);
    people::add_device(&mut tx, &second).await.unwrap();
    assert_eq!(people::count_desks(&mut tx).await.unwrap(), 2);
    let address = |text: &str| vec![format!("http://{text}:7420")];
    desks::note_beat(&mut tx, show.device, &address("10.0.0.1"), at(1)).await.unwrap();
    desks::note_beat(&mut tx, second.id, &address("10.0.0.2"), at(2)).await.unwrap();
    desks::note_beat(&mut tx, show.device, &address("10.0.0.3"), at(3)).await.unwrap();
    let rows = desks::list(&mut tx).await.unwrap();
    let first = rows.iter().find(|row| row.device_id == show.device).unwrap();
    assert_eq!((first.beat, first.last_seen, &first.addresses), (2, at(3), &address("10.0.0.3")));
    assert_eq!(rows.iter().map(|row| row.beat).sum::<i64>(), 3);
    desks::remove(&mut tx, show.device).await.unwrap();
    let left: Vec<DeviceId> = desks::list(&mut tx).await.unwrap().iter().map(|row| row.device_id).collect();
    assert_eq!(left, [second.id]);
}

async fn what_is_told_is_heard_after_its_commit_by_other_desks_of_the_channel(store: TestStore) {
    assert_eq!(store.db.is_shared(), store.database_url().is_some());
    let mut listener = store.db.listen("showdesk_test_a").await.unwrap();
    assert_eq!(listener.is_some(), store.db.is_shared(), "a file has no neighbours");
    for (channel, text, is_kept) in
        [("showdesk_test_a", "lost", false), ("showdesk_test_b", "elsewhere", true), ("showdesk_test_a", "heard", true)]
    {
        let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
        tx.notify(channel, text).await.unwrap();
        if is_kept { tx.commit().await } else { tx.rollback().await }.unwrap();
    }
    if let Some(listener) = &mut listener {
        let heard = timeout(Duration::from_mins(1), listener.next()).await.expect("it is heard in time");
        assert_eq!(heard.unwrap().as_deref(), Some("heard"));
    }
}

on_both_engines![TestStore::open =>
    a_desk_lives_as_long_as_its_beat_moves,
    what_is_told_is_heard_after_its_commit_by_other_desks_of_the_channel,
];
