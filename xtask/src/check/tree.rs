//! The sources as git sees them, and the rules that hold for all of them alike.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::Violation;
use crate::command::{command, read};

/// A text file of the project.
pub(super) struct Source {
    /// Where it is, seen from the project's folder.
    pub(super) path: String,
    /// What it says.
    pub(super) text: String,
}

/// All text files that are in git or would be added to it.
pub(super) struct Tree {
    pub(super) sources: Vec<Source>,
}

impl Tree {
    /// Reads the files below the folder.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let listing =
            read(command("git", root).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]))?;
        let paths = listing.split('\0').filter(|path| !path.is_empty());
        // A file that was removed but is still in the index, or that is no text, is none of our business.
        let sources = paths.filter_map(|path| {
            let text = fs::read_to_string(root.join(path)).ok()?;
            Some(Source { path: path.to_owned(), text })
        });
        Ok(Self { sources: sources.collect() })
    }

    /// The files below a folder whose names end so.
    pub(super) fn files<'a>(&'a self, folder: &'a str, endings: &'a [&str]) -> impl Iterator<Item = &'a Source> {
        self.sources.iter().filter(move |source| {
            source.path.starts_with(folder) && endings.iter().any(|ending| source.path.ends_with(ending))
        })
    }

    /// The file with this path.
    pub(super) fn file(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| Source { path: (*path).to_owned(), text: (*text).to_owned() };
        Self { sources: files.iter().map(source).collect() }
    }
}

const LINES_MAX: usize = 600;

/// What people write. Lock files, the OpenAPI document and its types are made by programs.
const HAND_WRITTEN: &[&str] = &[".rs", ".ts", ".js", ".mjs", ".svelte", ".css", ".html", ".sql", ".toml", ".md", "run"];
const GENERATED: &[&str] = &["ui/packages/api/src/schema.ts"];

/// Nothing hand-written is over 600 lines.
pub(super) fn at_most_600_lines(tree: &Tree) -> Vec<Violation> {
    let long = tree.files("", HAND_WRITTEN).filter(|source| !GENERATED.contains(&source.path.as_str()));
    long.filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > LINES_MAX)
            .then(|| Violation::new(&source.path, format!("has {lines} lines; at most {LINES_MAX}: split it")))
    })
    .collect()
}

/// No test is switched off.
pub(super) fn no_test_is_skipped(tree: &Tree) -> Vec<Violation> {
    let switches: [(&[&str], &[&str]); 2] = [
        (&[".rs"], &[concat!("#[", "ignore")]),
        (&[".test.ts", ".test.mjs", ".spec.ts"], &[".skip(", ".only(", ".todo(", "skip: true", "only: true"]),
    ];
    let mut found = Vec::new();
    for (endings, words) in switches {
        for source in tree.files("", endings) {
            for (line, word) in lines_with(&source.text, words) {
                found.push(Violation::new(format!("{}:{line}", source.path), format!("`{word}`: a test runs or goes")));
            }
        }
    }
    found
}

/// The numbers of the lines that hold one of the words, with the word. Comments do not count.
pub(super) fn lines_with<'a>(text: &'a str, words: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")).filter_map(|(at, line)| {
        let word = words.iter().find(|word| line.contains(**word))?;
        Some((at + 1, *word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_601_lines_is_too_long_unless_a_program_wrote_it() {
        let long = "x\n".repeat(601);
        let fits = "x\n".repeat(600);
        let tree = Tree::of(&[
            ("a.rs", &long),
            ("b.rs", &fits),
            ("ui/packages/api/src/schema.ts", &long),
            ("Cargo.lock", &long),
        ]);
        let places: Vec<_> = at_most_600_lines(&tree).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["a.rs"]);
    }

    #[test]
    fn a_skipped_test_is_found() {
        let rust = concat!("#[test]\n#[", "ignore = \"slow\"]\nfn a() {}");
        let tree = Tree::of(&[("a.rs", rust), ("a.test.ts", "it.skip('b', () => {})"), ("c.ts", "list.skip(2)")]);
        let places: Vec<_> = no_test_is_skipped(&tree).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["a.rs:2", "a.test.ts:1"]);
    }

    #[test]
    fn files_are_found_by_folder_and_ending() {
        let tree = Tree::of(&[("ui/a.ts", ""), ("ui/a.css", ""), ("crates/a.ts", "")]);
        let paths: Vec<_> = tree.files("ui/", &[".ts"]).map(|source| source.path.as_str()).collect();
        assert_eq!(paths, ["ui/a.ts"]);
        assert!(tree.file("ui/a.css").is_some());
    }
}
