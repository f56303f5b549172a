//! What goes wrong is told by its name, and nothing is half done.

use std::error::Error as _;

use showdesk_domain::schema::known_table;
use showdesk_domain::value::Value;
use showdesk_store::db::Seat;
use showdesk_store::{Db, StoreError, records};
use showdesk_testkit::{TestStore, both_engines, run, sqlite_store};
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
    run(sqlite_store, async |store| {
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

async fn a_closed_database_says_so(store: TestStore) {
    store.db.close().await;
    let refused = store.db.begin_write(Seat::Owner).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(matches!(store.db.begin_read(Seat::Owner).await, Err(StoreError::Unavailable(_))));
}

both_engines![
    a_value_of_the_wrong_form_is_named,
    a_reference_to_nothing_is_refused_at_the_end,
    a_transaction_that_is_dropped_leaves_nothing,
    what_fails_after_a_mark_leaves_its_neighbours,
    a_reader_cannot_write_and_sees_one_moment,
    a_newer_database_is_refused,
    a_closed_database_says_so,
];
