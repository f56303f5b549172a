//! Invariants 3 and 4: phones that have read everything show the same, and what they show is the table, cut by role.

use std::collections::{BTreeMap, BTreeSet};

use showdesk_domain::actor::{Actor, ReadClass};
use showdesk_domain::record::Record;
use showdesk_domain::schema::{Access, known_table};
use showdesk_engine::api::sync::PullQuery;

use super::Book;
use crate::sim::fields::{Fields, Key, Rows, is_derived, short};
use crate::sim::phone::read_change;
use crate::sim::run::Run;

/// Changes of a page while the whole table is pulled: few, so that there are many pages.
const PAGE: usize = 7;

/// A full pull in small pages gives each row once and no number twice.
pub(super) async fn pages_are_the_table(run: &mut Run) {
    let mut done = BTreeSet::new();
    for place in 0..run.phones.len() {
        let Ok(actor) = run.desk.engine().authenticate(&run.phones[place].token).await else { continue };
        if run.phones[place].removed || !done.insert(actor.read_class()) {
            continue;
        }
        let (mut rows, mut numbers, mut cursor) = (BTreeMap::new(), BTreeSet::new(), None);
        loop {
            let query = PullQuery { cursor, limit: PAGE, tables: Vec::new(), schema: None, ..PullQuery::default() };
            let page = match run.desk.engine().pull(&actor, query).await {
                Ok(page) => page,
                Err(error) => return run.violation(4, None, format!("a full pull failed: {error}")),
            };
            for change in page.changes.iter().filter_map(|text| read_change(text)) {
                if !numbers.insert(change.seq) {
                    run.violation(4, Some(change.key), format!("number {} stands on two pages", change.seq));
                }
                if let Some(row) = change.state.row {
                    rows.insert(change.key, (change.state.version, own_columns(change.key, row)));
                } else {
                    rows.remove(&change.key);
                }
            }
            if !page.has_more {
                break;
            }
            cursor = Some(page.cursor);
        }
        run.pulled.push((actor, rows));
    }
}

/// Every phone's store and every full pull hold what the table holds.
pub(super) fn phones_show_the_table(run: &mut Run, book: &Book) {
    let mut found = Vec::new();
    let mut by_class: BTreeMap<ReadClass, Rows> = BTreeMap::new();
    for (actor, rows) in std::mem::take(&mut run.pulled) {
        let expected = table_of(book, &actor);
        compare(4, &format!("a full pull as {:?}", actor.read_class()), &expected, &rows, &mut found);
        by_class.insert(actor.read_class(), expected);
    }
    let classes: Vec<(usize, ReadClass)> = run
        .phones
        .iter()
        .filter(|phone| !phone.removed && phone.pulled_clock == Some(book.clock))
        .map(|phone| (phone.index, read_class(phone.functions.as_slice())))
        .collect();
    for (index, class) in classes {
        if let Some(expected) = by_class.get(&class) {
            let phone = &run.phones[index];
            compare(3, &phone.name, expected, &phone.live_rows(), &mut found);
        }
    }
    for (invariant, key, what) in found {
        run.violation(invariant, Some(key), what);
    }
}

fn compare(invariant: u8, who: &str, expected: &Rows, shown: &Rows, found: &mut Vec<(u8, Key, String)>) {
    let keys: BTreeSet<&Key> = expected.keys().chain(shown.keys()).collect();
    for key in keys {
        let what = match (expected.get(key), shown.get(key)) {
            (Some(expected), Some(shown)) if expected == shown => continue,
            (Some(expected), Some(shown)) => {
                let differs = |(path, value): (&String, &serde_json::Value)| {
                    (expected.1.get(path) != Some(value))
                        .then(|| format!("{path} {value} not {:?}", expected.1.get(path)))
                };
                let fields: Vec<String> = shown.1.iter().filter_map(differs).collect();
                let missing: Vec<&String> = expected.1.keys().filter(|path| !shown.1.contains_key(*path)).collect();
                format!("version {} not {}: {fields:?}, without {missing:?}", shown.0, expected.0)
            }
            (Some(_), None) => "the row is missing".to_owned(),
            (None, _) => "a row that is not in the table, or not for this reader".to_owned(),
        };
        found.push((invariant, *key, format!("{who} shows {}: {what}", short(*key))));
    }
}

/// The table as this reader may see it (DOMAIN.md §4, Reading).
fn table_of(book: &Book, actor: &Actor) -> Rows {
    let class = actor.read_class();
    let visible = |(key, record): (&Key, &Record)| {
        let may = record.is_live() && (class > ReadClass::Public || is_public(book, *key, record));
        may.then(|| (*key, (record.version.0, fields_for(record, class))))
    };
    book.rows.iter().filter_map(visible).collect()
}

fn is_public(book: &Book, key: Key, record: &Record) -> bool {
    match key.0 {
        "weigh_ins" => false,
        "placings" => {
            let rule = |show: &Record| show.value("rules.results_visibility").as_text() == Some("posted");
            let posted = book.rows.iter().any(|(key, row)| key.0 == "shows" && rule(row));
            let class = record.value("class_id").as_id().and_then(|id| book.rows.get(&("classes", id)));
            posted || class.is_some_and(|class| !class.value("official_at").is_null())
        }
        "announcements" => record.value("audience.functions").is_null(),
        _ => true,
    }
}

fn fields_for(record: &Record, class: ReadClass) -> Fields {
    let may = |access: Access| match access {
        Access::Public => true,
        Access::Staff => class >= ReadClass::Staff,
        Access::Office => class == ReadClass::Office,
    };
    let fields = record.table.fields.iter().zip(&record.values).filter(|(field, _)| may(field.access));
    fields.map(|(field, value)| (field.path.to_owned(), value.to_json())).collect()
}

/// Which columns these functions may see: written out once more, as the contract says it.
fn read_class(functions: &[showdesk_domain::actor::Function]) -> ReadClass {
    use showdesk_domain::actor::Function;
    let has = |function: &Function| functions.contains(function);
    if [Function::Admin, Function::Checkin, Function::Superintendent].iter().any(has) {
        ReadClass::Office
    } else if functions.iter().any(|function| *function != Function::Viewer) {
        ReadClass::Staff
    } else {
        ReadClass::Public
    }
}

fn own_columns(key: Key, mut row: Fields) -> Fields {
    let table = known_table(key.0);
    row.retain(|path, _| table.field(path).is_some() || is_derived(table, path));
    row
}
