//! Migrations come in pairs: the same number and name for both database engines, without a gap.

use std::collections::BTreeSet;

use super::Violation;
use super::tree::Tree;

/// Those of the show.
const SHOW: [&str; 2] = ["migrations/sqlite/", "migrations/postgres/"];
/// Those of what the program measures of itself.
const TELEMETRY: [&str; 2] = ["migrations/telemetry/sqlite/", "migrations/telemetry/postgres/"];

/// Every migration stands in both folders of its database, and they are numbered from 0001 on.
pub(super) fn stand_in_pairs(tree: &Tree) -> Vec<Violation> {
    [SHOW, TELEMETRY].into_iter().flat_map(|folders| pairs_of(tree, folders)).collect()
}

fn pairs_of(tree: &Tree, folders: [&'static str; 2]) -> Vec<Violation> {
    let [sqlite, postgres] = folders.map(|folder| names(tree, folder));
    let mut found = Vec::new();
    for (folder, missing) in [(folders[1], sqlite.difference(&postgres)), (folders[0], postgres.difference(&sqlite))] {
        found.extend(missing.map(|name| Violation::new(format!("{folder}{name}"), "is missing: its pair is there")));
    }
    for (at, name) in sqlite.union(&postgres).enumerate() {
        let number = format!("{:04}_", at + 1);
        if !name.starts_with(&number) {
            found.push(Violation::new(
                *name,
                format!("should be called {number}….sql: numbers have no gap and no twin"),
            ));
        }
    }
    found
}

fn names<'a>(tree: &'a Tree, folder: &'a str) -> BTreeSet<&'a str> {
    tree.files(folder, &[".sql"]).filter_map(|source| source.path.strip_prefix(folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_for_one_engine_only_is_found() {
        let tree = Tree::of(&[
            ("migrations/sqlite/0001_show.sql", ""),
            ("migrations/postgres/0001_show.sql", ""),
            ("migrations/sqlite/0002_more.sql", ""),
            ("migrations/telemetry/postgres/0001_recording.sql", ""),
        ]);
        let missing = |place: &str| Violation::new(place, "is missing: its pair is there");
        let places = ["migrations/postgres/0002_more.sql", "migrations/telemetry/sqlite/0001_recording.sql"];
        assert_eq!(stand_in_pairs(&tree), places.map(missing));
    }

    #[test]
    fn a_gap_and_a_twin_number_are_found() {
        let both = |name: &str| SHOW.map(|folder| format!("{folder}{name}"));
        let paths = [both("0001_a.sql"), both("0003_b.sql"), both("0003_c.sql")].concat();
        let files: Vec<_> = paths.iter().map(|path| (path.as_str(), "")).collect();
        let places: Vec<_> = stand_in_pairs(&Tree::of(&files)).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["0003_b.sql"]);
    }
}
