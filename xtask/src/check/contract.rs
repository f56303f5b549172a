//! Every public query of the store is called by the contract suite, which runs on both database engines.
//!
//! SQL is not checked while compiling, so a query that the suite does not call has never been seen to work.

use super::Violation;
use super::tree::Tree;

const STORE: &str = "crates/store/src/";
const SUITE: &str = "crates/store/tests/";

/// Finds public queries that no file of the suite calls.
pub(super) fn calls_every_query(tree: &Tree) -> Vec<Violation> {
    let suite: Vec<&str> = tree.files(SUITE, &[".rs"]).map(|source| source.text.as_str()).collect();
    let mut found = Vec::new();
    for source in tree.files(STORE, &[".rs"]) {
        let module = module_name(&source.path);
        for query in queries(&source.text) {
            let call = format!("{module}::{query}(");
            if !suite.iter().any(|text| text.contains(&call)) {
                found.push(Violation::new(
                    &source.path,
                    format!("`{call}…)` is called by no case of the contract suite"),
                ));
            }
        }
    }
    found
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
    fn a_module_is_named_by_its_file() {
        assert_eq!(module_name("crates/store/src/records.rs"), "records");
        assert_eq!(module_name("crates/store/src/records/mod.rs"), "records");
    }
}
