//! What there is once, and what only the desk writes: clock, installation, keys, imports.

use serde_json::json;
use showdesk_domain::ids::{OpId, Seq};
use showdesk_store::StoreError;
use showdesk_store::db::Seat;
use showdesk_store::imports::{self, ImportRow, ImportStatus};
use showdesk_store::meta::{self, InstallationRow, Meta};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{at, fill};

async fn the_clock_is_one_row(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert!(matches!(meta::lock(&mut tx).await, Err(StoreError::Corrupt { .. })), "there is none in an empty database");
    let first = Meta { epoch: Uuid::now_v7(), clock: Seq(0), oldest_seq: Seq(0), schema: 1, min_schema: 1 };
    meta::init(&mut tx, &first).await.unwrap();
    assert_eq!(meta::lock(&mut tx).await.unwrap(), first);
    meta::set_clock(&mut tx, Seq(90_211)).await.unwrap();
    let epoch = Uuid::now_v7();
    meta::set_epoch(&mut tx, epoch).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(meta::read(&mut tx).await.unwrap(), Meta { epoch, clock: Seq(90_211), ..first });
    drop(tx);
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert!(matches!(meta::init(&mut tx, &first).await, Err(StoreError::Duplicate { .. })));
}

async fn writers_take_turns(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let first = Meta { epoch: Uuid::now_v7(), clock: Seq(0), oldest_seq: Seq(0), schema: 1, min_schema: 1 };
    meta::init(&mut tx, &first).await.unwrap();
    tx.commit().await.unwrap();
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let db = store.db.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let mut tx = db.begin_write(Seat::Owner).await.unwrap();
                    let clock = meta::lock(&mut tx).await.unwrap().clock;
                    meta::set_clock(&mut tx, clock.next()).await.unwrap();
                    tx.commit().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(meta::read(&mut tx).await.unwrap().clock, Seq(40));
}

async fn a_database_says_who_it_is_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert_eq!(meta::installation(&mut tx).await.unwrap(), None);
    let row = InstallationRow {
        installation_id: Uuid::now_v7(),
        created_at: at(0),
        desk_device_id: show.device,
        show_id: show.id,
    };
    meta::set_installation(&mut tx, &row).await.unwrap();
    meta::add_signing_key(&mut tx, "cursor", &[7; 32], at(0)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert_eq!(meta::installation(&mut tx).await.unwrap(), Some(row.clone()));
    assert_eq!(meta::signing_key(&mut tx, "cursor").await.unwrap(), Some(vec![7; 32]));
    assert_eq!(meta::signing_key(&mut tx, "other").await.unwrap(), None);
    assert!(matches!(meta::set_installation(&mut tx, &row).await, Err(StoreError::Duplicate { .. })));
}

async fn a_signing_key_is_never_replaced(store: TestStore) {
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    meta::add_signing_key(&mut tx, "cursor", &[7; 32], at(0)).await.unwrap();
    let second = meta::add_signing_key(&mut tx, "cursor", &[8; 32], at(0)).await;
    assert!(
        matches!(&second, Err(StoreError::Duplicate { constraint: Some(name) }) if name == "server_keys_pkey"),
        "{second:?}"
    );
}

async fn an_import_is_written_once_and_taken_back_once(store: TestStore) {
    let show = fill(&store.db).await;
    let import = ImportRow {
        id: Uuid::now_v7(),
        file_sha256: [3; 32],
        clock: Seq(12),
        plan: r#"{"rows":[]}"#.to_owned(),
        status: ImportStatus::Previewed,
        counts: json!({"new": 11}),
        op_ids: Vec::new(),
        created_by: show.person,
        created_at: at(1),
        confirmed_at: None,
        undone_at: None,
    };
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    imports::add(&mut tx, &import).await.unwrap();
    assert_eq!(imports::load(&mut tx, import.id).await.unwrap(), Some(import.clone()));
    assert_eq!(imports::load(&mut tx, Uuid::now_v7()).await.unwrap(), None);
    assert!(!imports::mark_undone(&mut tx, import.id, at(2)).await.unwrap(), "nothing was written");
    let ops = vec![OpId(Uuid::now_v7()), OpId(Uuid::now_v7())];
    let (again, text) = (json!({"new": 3, "name": "entries.csv"}), r#"{"rows":[1]}"#);
    assert!(imports::plan_again(&mut tx, import.id, Seq(14), text, &again).await.unwrap());
    let import = ImportRow { clock: Seq(14), plan: text.to_owned(), counts: again.clone(), ..import };
    assert_eq!(imports::load(&mut tx, import.id).await.unwrap(), Some(import.clone()));
    let counts = json!({"animals": 11});
    assert!(imports::mark_confirmed(&mut tx, import.id, &ops, &counts, at(3)).await.unwrap());
    assert!(!imports::mark_confirmed(&mut tx, import.id, &ops, &counts, at(4)).await.unwrap(), "it is written already");
    assert!(
        !imports::plan_again(&mut tx, import.id, Seq(15), text, &again).await.unwrap(),
        "it is no preview any more"
    );
    assert!(imports::mark_undone(&mut tx, import.id, at(5)).await.unwrap());
    assert!(!imports::mark_undone(&mut tx, import.id, at(6)).await.unwrap(), "it is taken back already");
    let expected = ImportRow {
        status: ImportStatus::Undone,
        counts,
        op_ids: ops,
        confirmed_at: Some(at(3)),
        undone_at: Some(at(5)),
        ..import
    };
    assert_eq!(imports::load(&mut tx, expected.id).await.unwrap(), Some(expected.clone()));
    let later =
        ImportRow { id: Uuid::now_v7(), status: ImportStatus::Previewed, created_at: at(9), ..expected.clone() };
    imports::add(&mut tx, &later).await.unwrap();
    let listed = imports::recent(&mut tx, 10).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.id).collect::<Vec<_>>(), [later.id, expected.id], "newest first");
    assert_eq!((listed[1].status, &listed[1].counts), (expected.status, &expected.counts));
    assert_eq!((listed[1].confirmed_at, listed[1].undone_at), (expected.confirmed_at, expected.undone_at));
    assert_eq!((listed[1].created_by, listed[1].created_at), (expected.created_by, expected.created_at));
    assert_eq!(imports::recent(&mut tx, 1).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
}

on_both_engines![TestStore::open =>
    the_clock_is_one_row,
    writers_take_turns,
    a_database_says_who_it_is_once,
    a_signing_key_is_never_replaced,
    an_import_is_written_once_and_taken_back_once,
];
