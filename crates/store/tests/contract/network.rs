//! What the installation is on the network, and what it keeps sealed.

use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::DeviceId;
use showdesk_store::db::Seat;
use showdesk_store::network::{self, AuthorityRow};
use showdesk_store::secrets::{self, AnswerRow, RequestRow, SealedRow};
use showdesk_store::{StoreError, people};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{at, device, fill};

fn sealed(key: u8, text: &[u8]) -> SealedRow {
    SealedRow { key_id: vec![key; 8], sealed: text.to_vec() }
}

async fn a_secret_is_added_once_and_replaced_by_its_name(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    assert_eq!(secrets::read(&mut tx, "vault").await.unwrap(), None);
    secrets::add(&mut tx, "vault", &sealed(1, b"\x00\xff one"), at(1)).await.unwrap();
    secrets::set(&mut tx, "push", &sealed(1, b"two"), at(1)).await.unwrap();
    secrets::set(&mut tx, "push", &sealed(2, b"three"), at(2)).await.unwrap();
    assert_eq!(secrets::read(&mut tx, "vault").await.unwrap(), Some(sealed(1, b"\x00\xff one")));
    assert_eq!(secrets::read(&mut tx, "push").await.unwrap(), Some(sealed(2, b"three")));
    secrets::set(&mut tx, "gone", &sealed(1, b"five"), at(2)).await.unwrap();
    secrets::remove(&mut tx, "gone").await.unwrap();
    assert_eq!(secrets::read(&mut tx, "gone").await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    let again = secrets::add(&mut tx, "vault", &sealed(3, b"four"), at(3)).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{again:?}");
    drop(tx);
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    secrets::remove_all(&mut tx).await.unwrap();
    assert_eq!(secrets::read(&mut tx, "push").await.unwrap(), None);
}

async fn a_desk_that_asks_is_answered_once(store: TestStore) {
    let show = fill(&store.db).await;
    let second = device(DeviceId(Uuid::now_v7()), show.person, DeviceKind::Desk, "Laptop 2");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    people::add_device(&mut tx, &second).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    let ask = |key: u8| RequestRow { device_id: second.id, public_key: vec![key; 32] };
    let answer = |key: u8| AnswerRow { public_key: vec![key; 32], answer_key: vec![9; 32], sealed: vec![8; 60] };
    secrets::ask(&mut tx, &ask(1), at(1)).await.unwrap();
    secrets::ask(&mut tx, &ask(2), at(2)).await.unwrap();
    assert_eq!(secrets::unanswered(&mut tx).await.unwrap(), [ask(2)], "a new start asks anew");
    secrets::answer(&mut tx, second.id, &answer(1), at(3)).await.unwrap();
    assert_eq!(secrets::answered(&mut tx, second.id).await.unwrap(), None, "the answer was for the question before");
    secrets::answer(&mut tx, second.id, &answer(2), at(4)).await.unwrap();
    assert_eq!(secrets::answered(&mut tx, second.id).await.unwrap(), Some(answer(2)));
    assert_eq!(secrets::answered(&mut tx, show.device).await.unwrap(), None);
    assert!(secrets::unanswered(&mut tx).await.unwrap().is_empty());
    secrets::ask(&mut tx, &ask(3), at(5)).await.unwrap();
    assert_eq!(secrets::answered(&mut tx, second.id).await.unwrap(), None, "who asks anew forgets the answer");
    secrets::withdraw(&mut tx, second.id).await.unwrap();
    assert!(secrets::unanswered(&mut tx).await.unwrap().is_empty());
}

async fn there_is_one_authority(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    assert_eq!(network::authority(&mut tx).await.unwrap(), None);
    let row = |text: &[u8]| AuthorityRow { certificate: text.to_vec(), created_at: at(1), expires_at: at(9) };
    network::add_authority(&mut tx, &row(b"one")).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    let again = network::add_authority(&mut tx, &row(b"two")).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{again:?}");
    drop(tx);
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    assert_eq!(network::authority(&mut tx).await.unwrap(), Some(row(b"one")));
    network::remove_authority(&mut tx).await.unwrap();
    network::add_authority(&mut tx, &row(b"two")).await.unwrap();
    assert_eq!(network::authority(&mut tx).await.unwrap(), Some(row(b"two")));
}

async fn origins_are_known_since_they_were_seen_last(store: TestStore) {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    network::note_origins(&mut tx, &texts(&["http://10.0.0.1:7420", "http://10.0.0.2:7420"]), at(1)).await.unwrap();
    network::note_origins(&mut tx, &texts(&["http://10.0.0.2:7420", "https://10.0.0.3:7443"]), at(5)).await.unwrap();
    network::note_origins(&mut tx, &texts(&["http://10.0.0.2:7420"]), at(2)).await.unwrap();
    let newest = texts(&["http://10.0.0.2:7420", "https://10.0.0.3:7443"]);
    assert_eq!(network::origins(&mut tx, at(2), 10).await.unwrap(), newest, "an earlier clock takes nothing back");
    assert_eq!(network::origins(&mut tx, at(1), 10).await.unwrap().len(), 3);
    assert_eq!(network::origins(&mut tx, at(1), 1).await.unwrap(), newest[..1]);
    network::forget_origins(&mut tx, at(5)).await.unwrap();
    assert_eq!(network::origins(&mut tx, at(0), 10).await.unwrap(), newest);
}

on_both_engines![TestStore::open =>
    a_secret_is_added_once_and_replaced_by_its_name,
    a_desk_that_asks_is_answered_once,
    there_is_one_authority,
    origins_are_known_since_they_were_seen_last,
];
