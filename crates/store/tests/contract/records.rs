//! Rows of the synced tables.

use chrono::NaiveDate;
use showdesk_domain::record::Record;
use showdesk_domain::schema::{known_table, tables};
use showdesk_domain::value::{Kind, Target, Value};
use showdesk_store::db::Seat;
use showdesk_store::records::{self, OverviewCounts};
use showdesk_store::{StoreError, Tx};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, fill, text};

/// More rows than the largest statement carries, and some for the smaller ones.
const MANY: i64 = 170;

async fn commit(mut tx: Tx, saved: &[&Record]) {
    records::save(&mut tx, saved).await.unwrap();
    tx.commit().await.unwrap();
}

async fn every_kind_of_value_comes_back(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    for table in tables().iter().filter(|table| table.name != "shows") {
        let record = full(show, table.name);
        records::save(&mut tx, &[&record]).await.unwrap();
        assert_eq!(records::load(&mut tx, table, &[record.id]).await.unwrap(), [record], "{}", table.name);
    }
    tx.rollback().await.unwrap();
}

/// A row with a value in each field. Its references point nowhere, so it cannot be committed.
fn full(show: Show, table: &'static str) -> Record {
    let values: Vec<_> =
        known_table(table).fields.iter().map(|field| (field.path, sample(show, &field.kind))).collect();
    let mut record = show.record(table, Uuid::now_v7(), &values);
    record.deleted_at = Some(at(9));
    record
}

fn sample(show: Show, kind: &Kind) -> Value {
    match kind {
        Kind::Text { .. } => text("ÀB 'x' \"y\" \\ % \u{1F404}"),
        Kind::Int { min, .. } => Value::Int(*min),
        Kind::Bool => Value::Bool(true),
        Kind::Instant => Value::Instant(at(7)),
        Kind::Date => Value::Date(NaiveDate::from_ymd_opt(2026, 2, 28).unwrap()),
        Kind::Id(Target::Person) => Value::Id(show.person.0),
        Kind::Id(_) => Value::Id(Uuid::now_v7()),
        Kind::Choice(words) => text(words[0]),
        Kind::List(kind) => Value::List(vec![match sample(show, kind) {
            Value::Text(_) => text("PART"),
            other => other,
        }]),
    }
}

async fn fields_without_a_value_are_null(store: TestStore) {
    let show = fill(&store.db).await;
    let exhibitor = show.exhibitor(214, "Joy", "Reed");
    let mut animal = show.animal(&exhibitor, "0412");
    animal.updated_by = None;
    animal.device_id = None;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&exhibitor]).await.unwrap();
    records::save(&mut tx, &[&animal]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    assert_eq!(records::load(&mut tx, animal.table, &[animal.id]).await.unwrap(), [animal]);
    assert_eq!(records::load(&mut tx, exhibitor.table, &[exhibitor.id]).await.unwrap(), [exhibitor]);
}

async fn values_are_saved_and_what_a_row_is_found_by_stays(store: TestStore) {
    let show = fill(&store.db).await;
    let (reed, other) = (show.exhibitor(214, "Joy", "Reed"), show.exhibitor(215, "Ana", "Reed"));
    let animal = show.animal(&reed, "0412");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&reed, &other]).await.unwrap();
    records::save(&mut tx, &[&animal]).await.unwrap();
    let field = |path: &str| animal.table.index(path);
    let mut changed = animal.clone();
    changed.version = changed.version.next();
    (changed.deleted_at, changed.updated_at) = (Some(at(9)), at(9));
    changed.values[field("pen")] = text("B12");
    let expected = Record { deleted_at: None, ..changed.clone() };
    changed.values[field("tag")] = text("0413");
    changed.values[field("exhibitor_id")] = Value::Id(other.id.0);
    records::save_values(&mut tx, &[&changed]).await.unwrap();
    assert_eq!(records::load(&mut tx, animal.table, &[animal.id]).await.unwrap(), [expected]);
    tx.commit().await.unwrap();
}

async fn many_rows_are_written_and_found_in_few_statements(store: TestStore) {
    let show = fill(&store.db).await;
    let exhibitors: Vec<Record> = (1..=MANY).map(|number| show.exhibitor(number, "Joy", "Reed")).collect();
    let animals: Vec<Record> =
        exhibitors.iter().map(|exhibitor| show.animal(exhibitor, &exhibitor.id.to_string()[24..])).collect();
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &animals.iter().collect::<Vec<_>>()).await.unwrap();
    records::save(&mut tx, &exhibitors.iter().collect::<Vec<_>>()).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let table = known_table("animals");
    let ids: Vec<_> = animals.iter().map(|animal| animal.id).collect();
    let twice: Vec<_> = ids.iter().chain(&ids).copied().collect();
    assert_eq!(sorted(records::load(&mut tx, table, &twice).await.unwrap()), animals);
    assert_eq!(records::load_all(&mut tx, table).await.unwrap(), animals);
    let owners: Vec<Uuid> = exhibitors.iter().map(|exhibitor| exhibitor.id.0).collect();
    let owned = records::load_by(&mut tx, table, table.index("exhibitor_id"), &owners).await.unwrap();
    assert_eq!(sorted(owned), animals);
    let keys: Vec<Vec<Value>> =
        animals.iter().map(|animal| vec![animal.value("species").clone(), animal.value("tag").clone()]).collect();
    assert_eq!(sorted(records::load_by_unique(&mut tx, table, 0, show.id, &keys).await.unwrap()), animals);
    assert_eq!(records::count_live(&mut tx, table).await.unwrap(), MANY);
    assert!(records::load(&mut tx, table, &[]).await.unwrap().is_empty());
    assert!(records::load(&mut tx, table, &[Uuid::now_v7().into()]).await.unwrap().is_empty());
}

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_key(|record| record.id);
    records
}

async fn an_update_keeps_who_made_the_row_and_when(store: TestStore) {
    let show = fill(&store.db).await;
    let made = show.exhibitor(1, "Joy", "Reed");
    commit(store.db.begin_write(Seat::Owner).await.unwrap(), &[&made]).await;
    let mut changed = made.clone();
    changed.version = changed.version.next();
    changed.created_at = at(500);
    changed.updated_at = at(500);
    changed.values[made.table.index("county")] = text("Grady");
    commit(store.db.begin_write(Seat::Owner).await.unwrap(), &[&changed]).await;
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let found = records::load(&mut tx, made.table, &[made.id]).await.unwrap();
    assert_eq!(found, [Record { created_at: made.created_at, ..changed }]);
}

async fn a_tag_is_taken_once_among_live_rows(store: TestStore) {
    let show = fill(&store.db).await;
    let owner = show.exhibitor(1, "Joy", "Reed");
    let holder = show.animal(&owner, "0412");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&owner]).await.unwrap();
    records::save(&mut tx, &[&holder]).await.unwrap();
    tx.savepoint().await.unwrap();
    let taken = records::save(&mut tx, &[&show.animal(&owner, "0412")]).await;
    assert!(
        matches!(&taken, Err(StoreError::Duplicate { constraint: Some(name) }) if name == "animals_tag"),
        "{taken:?}"
    );
    tx.rollback_to_savepoint().await.unwrap();
    let mut gone = holder.clone();
    gone.deleted_at = Some(at(2));
    let heir = show.animal(&owner, "0412");
    records::save(&mut tx, &[&heir, &gone]).await.expect("the row that gives the tag back is written first");
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_read(Seat::Owner).await.unwrap();
    let key = [vec![text("swine"), text("0412")]];
    let found = records::load_by_unique(&mut tx, holder.table, 0, show.id, &key).await.unwrap();
    assert_eq!(found, [heir]);
    assert!(records::load_by_unique(&mut tx, holder.table, 0, Uuid::now_v7(), &key).await.unwrap().is_empty());
    assert_eq!(records::count_live(&mut tx, holder.table).await.unwrap(), 1);
}

async fn the_first_page_counts_live_rows(store: TestStore) {
    let show = fill(&store.db).await;
    let owner = show.exhibitor(1, "Joy", "Reed");
    let class = show.class("14", "Market Hog");
    let mut arrived = show.animal(&owner, "1");
    arrived.values[arrived.table.index("arrived_at")] = Value::Instant(at(3));
    let mut weighed = show.animal(&owner, "2");
    weighed.values[weighed.table.index("official_weight_x10")] = Value::Int(2_650);
    let mut gone = show.animal(&owner, "3");
    gone.deleted_at = Some(at(2));
    let values = [
        ("exhibitor_id", Value::Id(owner.id.0)),
        ("animal_id", Value::Id(arrived.id.0)),
        ("family_id", Value::Id(class.id.0)),
    ];
    let entry = show.record("entries", Uuid::now_v7(), &values);
    let ring = show.record("rings", Uuid::now_v7(), &[("name", text("Ring 1"))]);
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    for rows in [&[&owner][..], &[&class], &[&arrived, &weighed, &gone], &[&entry], &[&ring]] {
        records::save(&mut tx, rows).await.unwrap();
    }
    let counts = records::overview_counts(&mut tx).await.unwrap();
    let expected =
        OverviewCounts { exhibitors: 1, animals: 2, entries: 1, classes: 1, rings: 1, checked_in: 1, weighed: 1 };
    assert_eq!(counts, expected);
    tx.commit().await.unwrap();
}

on_both_engines![TestStore::open =>
    every_kind_of_value_comes_back,
    values_are_saved_and_what_a_row_is_found_by_stays,
    fields_without_a_value_are_null,
    many_rows_are_written_and_found_in_few_statements,
    an_update_keeps_who_made_the_row_and_when,
    a_tag_is_taken_once_among_live_rows,
    the_first_page_counts_live_rows,
];
