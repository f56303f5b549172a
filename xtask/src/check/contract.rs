//! Every public query of the store is called by the contract suite, which runs on both database engines.
//!
//! SQL is not checked while compiling, so a query that the suite does not call has never been seen to work.

use std::collections::BTreeMap;

use super::Violation;
use super::tree::Tree;

const STORE: &str = "crates/store/src/";
const SUITE: &str = "crates/store/tests/";

/// Finds public queries that no file of the suite calls.
pub(super) fn calls_every_query(tree: &Tree) -> Vec<Violation> {
    let suite: Vec<&str> = tree.files(SUITE, &[".rs"]).map(|source| source.text.as_str()).collect();
    let store: Vec<_> = tree.files(STORE, &[".rs"]).collect();
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for source in &store {
        for query in queries(&source.text) {
            *named.entry(format!("{}::{query}(", part_name(&source.path))).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    for source in store {
        for query in queries(&source.text) {
            let call = format!("{}::{query}(", module_name(&source.path));
            let in_full = format!("{}::{query}(", full_name(&source.path));
            // A part may be called by its own name, if no other part has one of that name.
            let by_part = format!("{}::{query}(", part_name(&source.path));
            let is_named = |text: &&str| {
                text.contains(&call)
                    || text.contains(&in_full)
                    || named.get(&by_part) == Some(&1) && text.contains(&by_part)
            };
            if !suite.iter().any(is_named) {
                let says = format!("`{call}…)` is called by no case of the contract suite");
                found.push(Violation::new(&source.path, says));
            }
        }
    }
    found
}

/// `notifications::desk` for `notifications/desk.rs`.
fn full_name(path: &str) -> String {
    path.trim_start_matches(STORE).trim_end_matches(".rs").replace('/', "::")
}

/// `desk` for `notifications/desk.rs`.
fn part_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_end_matches(".rs")
}

/// The names of public async functions that take a transaction.
fn queries(text: &str) -> Vec<&str> {
    let starts = text.match_indices("pub async fn ").map(|(at, words)| &text[at + words.len()..]);
    starts
        .filter_map(|rest| {
            let name = &rest[..rest.find(['(', '<'])?];
            let parameters = &rest[..rest.find('{')?];
            parameters.contains("&mut Tx").then_some(name)
        })
        .collect()
}

/// `records` for `records.rs` and for all in `records/`: a module names what is in its parts.
fn module_name(path: &str) -> &str {
    let path = path.trim_start_matches(STORE).trim_end_matches(".rs");
    path.split('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_the_suite_does_not_call_is_found() {
        let store = "
            pub async fn read(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {}
            pub async fn write(
                tx: &mut Tx,
            ) -> Result<()> {}
            pub async fn open(path: &Path) -> Result<()> {}
            async fn inner(tx: &mut Tx) {}
        ";
        let suite = "records::read(&mut tx, id).await; other::write(&mut tx)";
        let tree = Tree::of(&[("crates/store/src/records.rs", store), ("crates/store/tests/contract/main.rs", suite)]);
        let says: Vec<_> = calls_every_query(&tree).into_iter().map(|found| found.says).collect();
        assert_eq!(says, ["`records::write(…)` is called by no case of the contract suite"]);
    }

    #[test]
    fn a_part_is_called_by_its_own_name_only_where_no_other_has_it() {
        let query = "pub async fn of(tx: &mut Tx) {}";
        let suite = ("crates/store/tests/contract/main.rs", "desk::of(&mut tx)");
        let one = Tree::of(&[("crates/store/src/notifications/desk.rs", query), suite]);
        assert!(calls_every_query(&one).is_empty());
        let two =
            [("crates/store/src/notifications/desk.rs", query), ("crates/store/src/people/desk.rs", query), suite];
        assert_eq!(calls_every_query(&Tree::of(&two)).len(), 2);
        let in_full = ("crates/store/tests/contract/main.rs", "notifications::desk::of(&mut tx)");
        let left = calls_every_query(&Tree::of(&[two[0], two[1], in_full]));
        assert_eq!(left.iter().map(|found| found.place.as_str()).collect::<Vec<_>>(), [two[1].0]);
    }

    #[test]
    fn a_module_is_named_by_its_file() {
        assert_eq!(module_name("crates/store/src/records.rs"), "records");
        assert_eq!(module_name("crates/store/src/records/mod.rs"), "records");
    }
}
