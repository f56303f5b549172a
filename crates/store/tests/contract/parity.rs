//! Both migrations of a step make the same tables, and those that the descriptors describe.

use std::collections::BTreeSet;

use showdesk_domain::schema::{Table, tables};
use showdesk_domain::value::{Kind, Target, TextForm};
use showdesk_testkit::{TestStore, fresh_database_url, on_both_engines, run_plain};

use crate::catalogue::{self, Catalogue};

/// Columns of every synced table, and whether they must have a value.
const COMMON: [(&str, Form, bool); 9] = [
    ("id", Form::Id, true),
    ("show_id", Form::Id, true),
    ("version", Form::Int, true),
    ("created_at", Form::Instant, true),
    ("updated_at", Form::Instant, true),
    ("updated_by", Form::Id, false),
    ("device_id", Form::Id, false),
    ("deleted_at", Form::Instant, false),
    ("provenance", Form::Json, true),
];

#[derive(Debug, Clone, Copy)]
enum Form {
    Id,
    Text,
    Int,
    Bool,
    Instant,
    Date,
    Json,
}

impl Form {
    fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Text { .. } | Kind::Choice(_) => Self::Text,
            Kind::Int { .. } => Self::Int,
            Kind::Bool => Self::Bool,
            Kind::Instant => Self::Instant,
            Kind::Date => Self::Date,
            Kind::Id(_) => Self::Id,
            Kind::List(_) => Self::Json,
        }
    }

    fn name(self, is_postgres: bool) -> &'static str {
        match (self, is_postgres) {
            (Self::Int | Self::Bool | Self::Instant, false) => "INTEGER",
            (_, false) => "TEXT",
            (Self::Id, true) => "uuid",
            (Self::Text, true) => "text",
            (Self::Int, true) => "bigint",
            (Self::Bool, true) => "boolean",
            (Self::Instant, true) => "timestamp with time zone",
            (Self::Date, true) => "date",
            (Self::Json, true) => "jsonb",
        }
    }
}

async fn synced_tables_are_as_the_descriptors_say(store: TestStore) {
    let found = catalogue::of(&store).await;
    for table in tables() {
        columns_match(&found, table, store.database_url().is_some());
        references_match(&found, table);
        indexes_match(&found, table);
    }
}

fn columns_match(found: &Catalogue, table: &Table, is_postgres: bool) {
    let own = table.columns.iter().map(|column| {
        let field = &table.fields[column.fields[0]];
        if column.is_object {
            (column.name, Form::Json, true)
        } else {
            (column.name, Form::of(&field.kind), field.required)
        }
    });
    let expected: Vec<_> = COMMON.into_iter().chain(own).collect();
    for (name, form, required) in &expected {
        let column = found.columns.get(&(table.name.to_owned(), (*name).to_owned()));
        let column = column.unwrap_or_else(|| panic!("{}.{name} is missing", table.name));
        assert_eq!(column.kind, form.name(is_postgres), "{}.{name}", table.name);
        assert_eq!(column.required, *required, "{}.{name}", table.name);
    }
    let count = found.columns.keys().filter(|(name, _)| name == table.name).count();
    assert_eq!(count, expected.len(), "{} has a column that no descriptor knows", table.name);
    for field in table.fields.iter().filter(|field| field.key.is_none()) {
        if let Kind::Text { form: TextForm::Code, .. } | Kind::Choice(_) = field.kind {
            let column = &found.columns[&(table.name.to_owned(), field.path.to_owned())];
            assert!(column.by_bytes, "{}.{} is not COLLATE \"C\"", table.name, field.path);
        }
    }
}

fn references_match(found: &Catalogue, table: &Table) {
    let own = table.fields.iter().filter_map(|field| match field.kind {
        Kind::Id(Target::Table(target)) => Some((field.path, target)),
        Kind::Id(Target::Person) => Some((field.path, "profiles")),
        _ => None,
    });
    let expected: BTreeSet<(&str, &str)> =
        [("show_id", "shows"), ("updated_by", "profiles"), ("device_id", "devices")].into_iter().chain(own).collect();
    let references = found.references.iter().filter(|(name, _, _)| name == table.name);
    let references: BTreeSet<(&str, &str)> = references.map(|(_, column, to)| (column.as_str(), to.as_str())).collect();
    assert_eq!(references, expected, "{}", table.name);
}

fn indexes_match(found: &Catalogue, table: &Table) {
    for unique in &table.uniques {
        let index = found.indexes.get(unique.name).unwrap_or_else(|| panic!("{} is missing", unique.name));
        let fields = unique.fields.iter().map(|field| table.fields[*field].path);
        let columns: Vec<&str> = std::iter::once("show_id").chain(fields).collect();
        assert_eq!(index.columns, columns, "{}", unique.name);
        assert_eq!((index.table.as_str(), index.unique, index.partial), (table.name, true, true), "{}", unique.name);
    }
    let uniques = found.indexes.values().filter(|index| index.table == table.name && index.unique).count();
    assert_eq!(uniques, table.uniques.len(), "{} has a uniqueness rule that no descriptor knows", table.name);
    for (field, _) in table.references() {
        let path = table.fields[field].path;
        let has = found.indexes.values().any(|index| index.table == table.name && index.columns == [path]);
        assert!(has, "{}.{path} has no index", table.name);
    }
}

#[test]
fn both_engines_have_the_same_tables() {
    run_plain(async {
        let sqlite = TestStore::open(None).await;
        let postgres = TestStore::open(Some(fresh_database_url().await)).await;
        let (left, right) = (catalogue::of(&sqlite).await, catalogue::of(&postgres).await);
        let required = |catalogue: &Catalogue| -> Vec<_> {
            catalogue.columns.iter().map(|(name, column)| (name.clone(), column.required)).collect()
        };
        assert_eq!(required(&left), required(&right));
        assert_eq!(left.references, right.references);
        assert_eq!(left.indexes, right.indexes);
    });
}

async fn opening_again_changes_nothing(store: TestStore) {
    let before = catalogue::of(&store).await;
    store.open_again().await.close().await;
    assert_eq!(catalogue::of(&store).await, before);
}

async fn several_desks_may_start_at_once(store: TestStore) {
    let (first, second) = tokio::join!(store.open_again(), store.open_again());
    first.close().await;
    second.close().await;
}

on_both_engines![TestStore::open =>
    synced_tables_are_as_the_descriptors_say,
    opening_again_changes_nothing,
    several_desks_may_start_at_once,
];
