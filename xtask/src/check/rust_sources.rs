//! Rules for Rust files: purpose first, the pure domain, the one seam for two database engines, the one reader of settings.

use super::Violation;
use super::tree::{Source, Tree, lines_with};

/// `//!` is the first thing in each file.
pub(super) fn begins_with_its_purpose(tree: &Tree) -> Vec<Violation> {
    let silent = tree.files("", &[".rs"]).filter(|source| !source.text.starts_with("//!"));
    silent.map(|source| Violation::new(&source.path, "does not begin with `//!`: say what it is for")).collect()
}

/// What would let the outside world into the domain.
const IO_AND_CLOCKS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "rand::",
    "tokio::",
    "sqlx::",
];

/// The crates that do no I/O, read no clock and throw no dice.
const PURE: [&str; 3] = ["crates/domain/src/", "crates/telemetry/src/", "crates/charts/src/"];

/// The same input gives the same answer: the domain, what is measured, and how it is drawn.
pub(super) fn pure_crates_do_no_io(tree: &Tree) -> Vec<Violation> {
    let sources = PURE.into_iter().flat_map(|folder| tree.files(folder, &[".rs"]));
    forbid(sources, IO_AND_CLOCKS, "this crate is pure: take it as an argument")
}

/// What the senders are told as arguments.
const CLOCKS_AND_DICE: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "rand::rng",
    "OsRng",
];

/// The senders talk to the internet, but the time and random bytes are told to them.
pub(super) fn senders_are_told_the_time(tree: &Tree) -> Vec<Violation> {
    forbid(tree.files("crates/push/src/", &[".rs"]), CLOCKS_AND_DICE, "a sender is told this: take it as an argument")
}

/// Names that say which database engine is meant.
const ENGINES: &[&str] = &[
    "sqlx::sqlite",
    "sqlx::postgres",
    "sqlx::Sqlite",
    "sqlx::Postgres",
    "Db::Sqlite",
    "Db::Postgres",
    "Tx::Sqlite",
    "Tx::Postgres",
    "Row::Sqlite",
    "Row::Postgres",
    "PgPool",
    "SqlitePool",
    "rusqlite::",
];

/// Only the store's db module knows that there are two database engines.
pub(super) fn engines_only_in_the_seam(tree: &Tree) -> Vec<Violation> {
    let outside = product(tree).filter(|source| !source.path.starts_with("crates/store/src/db"));
    forbid(outside, ENGINES, "only crates/store/src/db knows the database engines")
}

/// Only `server/src/config.rs` reads the environment.
pub(super) fn settings_only_in_config(tree: &Tree) -> Vec<Violation> {
    let outside = product(tree).filter(|source| source.path != "crates/server/src/config.rs");
    forbid(outside, &["env::var", "env::vars"], "only crates/server/src/config.rs reads the environment")
}

/// The sources of the product: not tests, not benches, not tools.
fn product(tree: &Tree) -> impl Iterator<Item = &Source> {
    let folders = [
        "crates/domain/src/",
        "crates/store/src/",
        "crates/push/src/",
        "crates/engine/src/",
        "crates/server/src/",
        "src-tauri/src/",
    ];
    folders.into_iter().flat_map(|folder| tree.files(folder, &[".rs"]))
}

fn forbid<'a>(sources: impl Iterator<Item = &'a Source>, words: &[&str], says: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in sources {
        for (line, word) in lines_with(&source.text, words) {
            found.push(Violation::new(format!("{}:{line}", source.path), format!("`{word}`: {says}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(found: Vec<Violation>) -> Vec<String> {
        found.into_iter().map(|violation| violation.place).collect()
    }

    #[test]
    fn a_file_without_its_purpose_is_found() {
        let tree = Tree::of(&[("a.rs", "//! Purpose.\n"), ("b.rs", "use std::fs;\n//! Late.\n")]);
        assert_eq!(places(begins_with_its_purpose(&tree)), ["b.rs"]);
    }

    #[test]
    fn a_clock_in_a_pure_crate_is_found_and_a_comment_about_one_is_not() {
        let text = "//! x\n// Utc::now is banned\nlet now = Utc::now();\n";
        for folder in PURE {
            let path = format!("{folder}a.rs");
            let tree = Tree::of(&[(&path, text), ("crates/engine/src/a.rs", text)]);
            assert_eq!(places(pure_crates_do_no_io(&tree)), [format!("{path}:3")]);
        }
    }

    #[test]
    fn a_clock_in_a_sender_is_found() {
        let text = "//! x\nlet now = Utc::now();\n";
        let tree = Tree::of(&[("crates/push/src/a.rs", text), ("crates/engine/src/a.rs", text)]);
        assert_eq!(places(senders_are_told_the_time(&tree)), ["crates/push/src/a.rs:2"]);
    }

    #[test]
    fn an_engine_named_outside_the_seam_is_found() {
        let text = "let pool: SqlitePool;\n";
        let tree = Tree::of(&[
            ("crates/engine/src/a.rs", text),
            ("crates/store/src/db.rs", text),
            ("crates/store/src/db/tx.rs", text),
        ]);
        assert_eq!(places(engines_only_in_the_seam(&tree)), ["crates/engine/src/a.rs:1"]);
    }

    #[test]
    fn the_environment_is_read_in_one_place() {
        let text = "std::env::var(\"HOME\")\n";
        let tree = Tree::of(&[("crates/server/src/config.rs", text), ("crates/server/src/listen.rs", text)]);
        assert_eq!(places(settings_only_in_config(&tree)), ["crates/server/src/listen.rs:1"]);
    }
}
