//! What goes wrong is told by its name, and nothing is half done.

use std::error::Error as _;
use std::task::Poll;

use showdesk_domain::schema::known_table;
use showdesk_domain::value::Value;
use showdesk_store::db::Seat;
use showdesk_store::{Db, StoreError, records};
use showdesk_testkit::{TestStore, on_both_engines, run_plain};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::fixture::{fill, text};

/// Does to the database what no query of ours would.
async fn tamper(store: &TestStore, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match store.database_url() {
        None => {
            let url = format!("sqlite://{}", store.folder().join("show.db").display());
            let mut connection = SqliteConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Some(url) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

async fn a_value_of_the_wrong_form_is_named(store: TestStore) {
    let show = fill(&store.db).await;
    tamper(&store, r#"UPDATE shows SET rules = '{"class_cap": "many"}'"#).await;
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    match records::load(&mut tx, known_table("shows"), &[show.id.into()]).await {
        Err(StoreError::Corrupt { table, column, id }) => {
            assert_eq!((table.as_str(), column.as_str(), id), ("shows", "rules", show.id.to_string()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_that_is_no_id_is_named() {
    run_plain(async {
        let store = TestStore::open(None).await;
        let show = fill(&store.db).await;
        tamper(&store, "PRAGMA foreign_keys = 0; UPDATE shows SET updated_by = 'nobody'").await;
        let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
        let found = records::load(&mut tx, known_table("shows"), &[show.id.into()]).await;
        assert!(matches!(&found, Err(StoreError::Corrupt { column, .. }) if column == "updated_by"), "{found:?}");
    });
}

async fn a_reference_to_nothing_is_refused_at_the_end(store: TestStore) {
    let show = fill(&store.db).await;
    let owner = show.exhibitor(1, "Joy", "Reed");
    let animal = show.animal(&owner, "0412");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&animal]).await.expect("the parent may come later in the transaction");
    let refused = tx.commit().await;
    assert!(matches!(refused, Err(StoreError::MissingReference)), "{refused:?}");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&animal]).await.unwrap();
    records::save(&mut tx, &[&owner]).await.unwrap();
    tx.commit().await.expect("the parent came");
}

/// Gives a future up after it was polled so often; whether it was ready by then.
async fn given_up_after<F: Future>(polls: usize, future: F) -> bool {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        left -= 1;
        if left == 0 { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}

async fn a_caller_that_gives_up_while_a_transaction_begins_harms_nobody(store: TestStore) {
    fill(&store.db).await;
    // Wherever it is given up, whoever gets the connection next can begin, read and write.
    for polls in 1..=8 {
        for _ in 0..8 {
            given_up_after(polls, store.db.begin_read(Seat::Anyone)).await;
            given_up_after(polls, store.db.begin_read(Seat::Worker)).await;
            given_up_after(polls, store.db.begin_write(Seat::Worker)).await;
        }
        for _ in 0..8 {
            drop(store.db.begin_read(Seat::Worker).await.unwrap());
            store.db.begin_write(Seat::Worker).await.unwrap().rollback().await.unwrap();
            drop(store.db.begin_read(Seat::Anyone).await.unwrap());
        }
    }
}

async fn a_transaction_that_is_dropped_leaves_nothing(store: TestStore) {
    let show = fill(&store.db).await;
    let owner = show.exhibitor(1, "Joy", "Reed");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&owner]).await.unwrap();
    drop(tx);
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    assert_eq!(records::count_live(&mut tx, owner.table).await.unwrap(), 0);
    records::save(&mut tx, &[&owner]).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(records::count_live(&mut tx, owner.table).await.unwrap(), 0);
}

async fn what_fails_after_a_mark_leaves_its_neighbours(store: TestStore) {
    let show = fill(&store.db).await;
    let (first, second, third) =
        (show.exhibitor(1, "Joy", "Reed"), show.exhibitor(1, "Ben", "Hill"), show.exhibitor(3, "Amy", "Wood"));
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    tx.savepoint().await.unwrap();
    records::save(&mut tx, &[&first]).await.unwrap();
    tx.release_savepoint().await.unwrap();
    tx.savepoint().await.unwrap();
    let refused = records::save(&mut tx, &[&second]).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { .. })));
    tx.rollback_to_savepoint().await.unwrap();
    tx.savepoint().await.unwrap();
    tx.savepoint().await.unwrap();
    records::save(&mut tx, &[&third]).await.unwrap();
    tx.rollback_to_savepoint().await.unwrap();
    tx.release_savepoint().await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(records::load_all(&mut tx, first.table).await.unwrap(), [first]);
}

async fn a_reader_cannot_write_and_sees_one_moment(store: TestStore) {
    let show = fill(&store.db).await;
    let ring = show.record("rings", Uuid::now_v7(), &[("name", text("Ring 1")), ("seq", Value::Int(1))]);
    let mut reader = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(records::count_live(&mut reader, ring.table).await.unwrap(), 0);
    let mut writer = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut writer, &[&ring]).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(records::count_live(&mut reader, ring.table).await.unwrap(), 0, "it began before");
    assert!(records::save(&mut reader, &[&ring]).await.is_err());
    drop(reader);
    let mut reader = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(records::count_live(&mut reader, ring.table).await.unwrap(), 1);
}

async fn a_newer_database_is_refused(store: TestStore) {
    tamper(
        &store,
        "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
         VALUES (9999, 'later', CURRENT_TIMESTAMP, true, '', 0)",
    )
    .await;
    let opened = match store.database_url() {
        None => Db::open_sqlite(&store.folder().join("show.db")).await,
        Some(url) => Db::open_postgres(url).await,
    };
    assert!(matches!(&opened, Err(error @ StoreError::Migration(_)) if error.source().is_some()), "{opened:?}");
}

/// Postgres says which row it refused, with all that stands in it; what goes to the log does not.
async fn an_error_names_the_rule_and_nothing_of_the_row(store: TestStore) {
    let show = fill(&store.db).await;
    tamper(
        &store,
        match store.database_url() {
            None => {
                "CREATE TRIGGER no_canary BEFORE INSERT ON exhibitors WHEN NEW.first_name = 'Canary' \
                 BEGIN SELECT RAISE(ABORT, 'no_canary'); END"
            }
            Some(_) => "ALTER TABLE exhibitors ADD CONSTRAINT no_canary CHECK (first_name <> 'Canary')",
        },
    )
    .await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let refused = records::save(&mut tx, &[&show.exhibitor(7431, "Canary", "Birch")]).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, StoreError::Database(_)));
    let told = format!("{error:?} {error:#?} {error}");
    assert!(told.contains("no_canary"), "somebody has to find the fault: {told}");
    assert!(!["Canary", "Birch", "7431"].iter().any(|value| told.contains(value)), "{told}");
}

async fn a_closed_database_says_so(store: TestStore) {
    store.db.close().await;
    let refused = store.db.begin_write(Seat::Owner).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(matches!(store.db.begin_read(Seat::Owner).await, Err(StoreError::Unavailable(_))));
}

on_both_engines![TestStore::open =>
    a_value_of_the_wrong_form_is_named,
    a_reference_to_nothing_is_refused_at_the_end,
    a_caller_that_gives_up_while_a_transaction_begins_harms_nobody,
    a_transaction_that_is_dropped_leaves_nothing,
    what_fails_after_a_mark_leaves_its_neighbours,
    a_reader_cannot_write_and_sees_one_moment,
    a_newer_database_is_refused,
    an_error_names_the_rule_and_nothing_of_the_row,
    a_closed_database_says_so,
];
