//! Building blocks of SQL texts. A text made here is made once and lives as long as the program.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// How many rows one statement carries: few sizes, so that few statements are prepared; each half of the next, so that
/// what is left of many rows is cut into few statements. To each the two threads of SQLite's driver wake each other.
const CHUNKS: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

/// One statement's text in each chunk size.
#[derive(Debug)]
pub(crate) struct Chunked([&'static str; CHUNKS.len()]);

/// A chunked text that is made at its first use.
pub(crate) type LazyChunked = LazyLock<Chunked>;

impl Chunked {
    /// Makes the texts; `text` is told for how many rows.
    pub(crate) fn new(text: impl Fn(usize) -> String) -> Self {
        Self(CHUNKS.map(|rows| keep(text(rows))))
    }

    /// Cuts items into chunks, each with its text.
    pub(crate) fn cut<'i, T>(&self, items: &'i [T]) -> impl Iterator<Item = (&'static str, &'i [T])> + use<'i, T> {
        let texts = self.0;
        let mut rest = items;
        std::iter::from_fn(move || {
            let size = CHUNKS.iter().position(|size| *size <= rest.len())?;
            let (chunk, later) = rest.split_at(CHUNKS[size]);
            rest = later;
            Some((texts[size], chunk))
        })
    }
}

/// Keeps a generated text for the life of the program; there are a few hundred of them.
pub(crate) fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// `$1, $2, $3`, beginning with `first`.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 6);
    for number in first..first + count {
        let comma = if number == first { "" } else { ", " };
        write!(text, "{comma}${number}").expect("a String takes every text");
    }
    text
}

/// `($1, $2), ($3, $4)`: rows of a VALUES list.
pub(crate) fn rows(count: usize, width: usize) -> String {
    rows_from(1, count, width)
}

/// The same where other placeholders come before.
pub(crate) fn rows_from(first: usize, count: usize, width: usize) -> String {
    let rows: Vec<String> = (0..count).map(|row| format!("({})", placeholders(first + row * width, width))).collect();
    rows.join(", ")
}

/// `"id", "by"`: names that can be words of SQL.
pub(crate) fn names<'n>(columns: impl IntoIterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = columns.into_iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// `"a" = excluded."a", "b" = excluded."b"`.
pub(crate) fn excluded<'n>(columns: impl IntoIterator<Item = &'n str>) -> String {
    let assignments: Vec<String> =
        columns.into_iter().map(|name| format!("\"{name}\" = excluded.\"{name}\"")).collect();
    assignments.join(", ")
}

/// `INSERT INTO "table" (columns) VALUES (…), (…)`.
pub(crate) fn insert(table: &str, columns: &[&str], count: usize) -> String {
    format!("INSERT INTO \"{table}\" ({}) VALUES {}", names(columns.iter().copied()), rows(count, columns.len()))
}

/// `SELECT columns FROM "table"`.
pub(crate) fn select(table: &str, columns: &[&str]) -> String {
    format!("SELECT {} FROM \"{table}\"", names(columns.iter().copied()))
}

/// `SELECT columns` of the rows whose keys are in a VALUES list. `first` is its first placeholder.
///
/// A join, because for `IN` lists of placeholders Postgres, and for lists of pairs SQLite, reads the whole table;
/// crossed, so that SQLite begins with the list.
/// Both engines call the list's columns column1, column2, ….
pub(crate) fn select_by_keys(table: &str, columns: &[&str], keys: &[&str], first: usize, count: usize) -> String {
    let columns: Vec<String> = columns.iter().map(|column| format!("t.\"{column}\"")).collect();
    let equal = keys.iter().enumerate().map(|(index, key)| format!("t.\"{key}\" = wanted.column{}", index + 1));
    format!(
        "SELECT {} FROM (VALUES {}) AS wanted CROSS JOIN \"{table}\" t WHERE {}",
        columns.join(", "),
        rows_from(first, count, keys.len()),
        equal.collect::<Vec<_>>().join(" AND ")
    )
}

#[cfg(test)]
mod tests {
    use showdesk_domain::schema::tables;

    use super::*;
    use crate::db::row::Cells;

    #[test]
    fn items_are_cut_into_few_sizes() {
        let texts = Chunked::new(|rows| rows.to_string());
        let items: Vec<usize> = (0..300).collect();
        let chunks: Vec<(&str, usize)> = texts.cut(&items).map(|(text, chunk)| (text, chunk.len())).collect();
        assert_eq!(chunks, [("128", 128), ("128", 128), ("32", 32), ("8", 8), ("4", 4)]);
        assert_eq!(texts.cut(&items).flat_map(|(_, chunk)| chunk.to_vec()).collect::<Vec<_>>(), items);
        assert_eq!(texts.cut::<usize>(&[]).count(), 0);
    }

    #[test]
    fn placeholders_count_through_all_rows() {
        assert_eq!(rows(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(insert("t", &["id", "by"], 1), "INSERT INTO \"t\" (\"id\", \"by\") VALUES ($1, $2)");
    }

    #[tokio::test]
    async fn sqlite_finds_keys_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::Db::open_sqlite(&folder.path().join("show.db")).await.unwrap();
        let mut tx = db.begin_read(crate::db::Seat::Owner).await.unwrap();
        let mut cases: Vec<(&str, Vec<&str>, &str)> = vec![
            ("record_history", vec!["record_id", "version", "table_name"], ""),
            ("sync_changes", vec!["record_id", "table_name"], ""),
            ("sync_queue", vec!["id"], ""),
            ("sync_queue", vec!["record_id", "device_id"], ""),
            ("sync_conflicts", vec!["id"], ""),
            ("sync_conflicts", vec!["record_id"], " AND t.status = 'open'"),
            ("sync_conflicts", vec!["other_record_id"], " AND t.status = 'open'"),
        ];
        for table in tables() {
            let path = |field: usize| table.fields[field].path;
            cases.push((table.name, vec!["id"], ""));
            cases.extend(table.references().map(|(field, _)| (table.name, vec![path(field)], "")));
            let uniques = table.uniques.iter().map(|unique| unique.fields.iter().map(|field| path(*field)).collect());
            cases.extend(uniques.map(|paths| (table.name, paths, " AND t.deleted_at IS NULL AND t.show_id = $1")));
        }
        for (table, keys, more) in cases {
            let sql = format!("EXPLAIN QUERY PLAN {}{more}", select_by_keys(table, &[keys[0]], &keys, 2, 8));
            let steps = tx.rows(keep(sql), Vec::new()).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|row| Cells::new(row, table, &[]).nth_text(3)).collect();
            assert!(steps.iter().any(|step| step.starts_with("SEARCH t USING")), "{table} by {keys:?}: {steps:?}");
        }
    }

    #[tokio::test]
    async fn the_first_page_goes_through_animals_in_their_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::Db::open_sqlite(&folder.path().join("show.db")).await.unwrap();
        let mut tx = db.begin_read(crate::db::Seat::Owner).await.unwrap();
        let sql = keep(format!("EXPLAIN QUERY PLAN {}", crate::records::OVERVIEW));
        let steps = tx.rows(sql, Vec::new()).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|row| Cells::new(row, "animals", &[]).nth_text(3)).collect();
        let of_animals: Vec<&String> = steps.iter().filter(|step| step.contains("animals")).collect();
        assert_eq!(of_animals, ["SCAN animals USING INDEX animals_progress"], "{steps:?}");
    }

    /// Each push asks who its author is now: a thousand people of the team are not gone through for it.
    #[tokio::test]
    async fn an_author_is_found_by_indexes() {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::Db::open_sqlite(&folder.path().join("show.db")).await.unwrap();
        let mut tx = db.begin_read(crate::db::Seat::Owner).await.unwrap();
        let sql = keep(format!("EXPLAIN QUERY PLAN {}", crate::people::authors_of(8)));
        let steps = tx.rows(sql, Vec::new()).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|row| Cells::new(row, "plan", &[]).nth_text(3)).collect();
        for found in ["SEARCH p USING", "SEARCH d USING", "SEARCH m USING"] {
            assert!(steps.iter().any(|step| step.starts_with(found)), "{found}: {steps:?}");
        }
    }

    /// What is asked again and again while people work is found by an index.
    #[tokio::test]
    async fn what_the_worker_of_messages_asks_is_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::Db::open_sqlite(&folder.path().join("show.db")).await.unwrap();
        let mut tx = db.begin_read(crate::db::Seat::Owner).await.unwrap();
        let newest_of = crate::notifications::desk::newest_of_keys(8);
        for (sql, index) in [
            (crate::deliveries::claims::DUE_SERVICES, "COVERING INDEX notification_deliveries_due"),
            (crate::notifications::desk::MADE_SINCE, "COVERING INDEX notifications_kind"),
            (newest_of.as_str(), "COVERING INDEX notifications_collapse"),
        ] {
            let steps = tx.rows(keep(format!("EXPLAIN QUERY PLAN {sql}")), Vec::new()).await.unwrap();
            let steps: Vec<String> = steps.iter().map(|row| Cells::new(row, "plan", &[]).nth_text(3)).collect();
            assert!(steps.iter().any(|step| step.starts_with("SEARCH") && step.contains(index)), "{sql}: {steps:?}");
        }
    }
}
