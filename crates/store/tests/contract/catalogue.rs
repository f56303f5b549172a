//! Reads what tables a database has, in the same words for both engines.

use std::collections::{BTreeMap, BTreeSet};

use showdesk_testkit::TestStore;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};

/// The form of a database.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// By table and column.
    pub(crate) columns: BTreeMap<(String, String), Column>,
    /// Table, column, and the table it points to.
    pub(crate) references: BTreeSet<(String, String, String)>,
    /// By name, without those that primary keys make.
    pub(crate) indexes: BTreeMap<String, Index>,
}

/// A column.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) kind: String,
    pub(crate) required: bool,
    /// Whether texts compare by their bytes; SQLite's always do.
    pub(crate) by_bytes: bool,
}

/// An index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) table: String,
    pub(crate) unique: bool,
    pub(crate) columns: Vec<String>,
    pub(crate) partial: bool,
}

/// Reads the catalogue of a store.
pub(crate) async fn of(store: &TestStore) -> Catalogue {
    match store.database_url() {
        None => of_sqlite(&format!("sqlite://{}", store.folder().join("show.db").display())).await,
        Some(url) => of_postgres(url).await,
    }
}

pub(crate) async fn of_sqlite(url: &str) -> Catalogue {
    let mut db = SqliteConnection::connect(url).await.unwrap();
    let mut catalogue = Catalogue::default();
    let tables = "FROM sqlite_schema m JOIN";
    let only = "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    let columns = format!("SELECT m.name, c.name, c.type, c.\"notnull\" {tables} pragma_table_info(m.name) c {only}");
    for row in sqlx::query(sqlx::AssertSqlSafe(columns)).fetch_all(&mut db).await.unwrap() {
        let column = Column { kind: row.get(2), required: row.get::<i64, _>(3) == 1, by_bytes: true };
        catalogue.columns.insert((row.get(0), row.get(1)), column);
    }
    let references =
        format!("SELECT m.name, f.\"from\", f.\"table\" {tables} pragma_foreign_key_list(m.name) f {only}");
    for row in sqlx::query(sqlx::AssertSqlSafe(references)).fetch_all(&mut db).await.unwrap() {
        catalogue.references.insert((row.get(0), row.get(1), row.get(2)));
    }
    let indexes = format!(
        "SELECT m.name, i.name, i.\"unique\", i.partial, \
         (SELECT group_concat(x.name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) x) \
         {tables} pragma_index_list(m.name) i {only} AND i.origin = 'c'"
    );
    for row in sqlx::query(sqlx::AssertSqlSafe(indexes)).fetch_all(&mut db).await.unwrap() {
        let index = Index {
            table: row.get(0),
            unique: row.get::<i64, _>(2) == 1,
            partial: row.get::<i64, _>(3) == 1,
            columns: row.get::<String, _>(4).split(',').map(str::to_owned).collect(),
        };
        catalogue.indexes.insert(row.get(1), index);
    }
    catalogue
}

async fn of_postgres(url: &str) -> Catalogue {
    of_postgres_at(&mut PgConnection::connect(url).await.unwrap()).await
}

/// Reads the catalogue of the schema that this connection looks into first.
pub(crate) async fn of_postgres_at(db: &mut PgConnection) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, collation_name::text \
                   FROM information_schema.columns \
                   WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_sqlx%'";
    for row in sqlx::query(columns).fetch_all(&mut *db).await.unwrap() {
        let by_bytes = row.get::<Option<String>, _>(4).as_deref() == Some("C");
        let column = Column { kind: row.get(2), required: row.get::<String, _>(3) == "NO", by_bytes };
        catalogue.columns.insert((row.get(0), row.get(1)), column);
    }
    let references = "SELECT c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text FROM pg_constraint c \
                      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
                      WHERE c.contype = 'f' AND c.condeferred AND c.connamespace = current_schema()::regnamespace";
    for row in sqlx::query(references).fetch_all(&mut *db).await.unwrap() {
        catalogue.references.insert((row.get(0), row.get(1), row.get(2)));
    }
    let indexes = "SELECT i.indrelid::regclass::text, c.relname::text, i.indisunique, i.indpred IS NOT NULL, \
                   ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int[]) WITH ORDINALITY k (number, place) \
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.place) \
                   FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                   WHERE NOT i.indisprimary AND c.relnamespace = current_schema()::regnamespace";
    for row in sqlx::query(indexes).fetch_all(&mut *db).await.unwrap() {
        let index = Index { table: row.get(0), unique: row.get(2), partial: row.get(3), columns: row.get(4) };
        catalogue.indexes.insert(row.get(1), index);
    }
    catalogue
}
