//! What the sources cite is there: every document is a file of the project, every `§` a section of the design.

use super::Violation;
use super::tree::Tree;

const DESIGN: &str = "docs/design/";

/// Finds citations of documents and sections that do not exist.
pub(super) fn what_is_cited_exists(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for (at, line) in source.text.lines().enumerate() {
            for Citation { name, section } in citations(line) {
                let place = || format!("{}:{}", source.path, at + 1);
                match section {
                    Some(section) if !has_section(tree, name, section) => {
                        let says = format!("{DESIGN}{name} has no section {section}");
                        found.push(Violation::new(place(), says));
                    }
                    None if !is_a_file(tree, name) => {
                        found.push(Violation::new(place(), format!("{name} is no file of the project")));
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

/// `PROTOCOL.md §4`, or `PROTOCOL.md` alone.
#[derive(Debug, PartialEq)]
struct Citation<'a> {
    name: &'a str,
    section: Option<u32>,
}

/// Documents are named in capitals; other Markdown files are linked by their paths.
fn citations(line: &str) -> impl Iterator<Item = Citation<'_>> {
    line.match_indices(".md").filter_map(|(end, ending)| {
        let before = &line[..end];
        let capitals = before.bytes().rev().take_while(u8::is_ascii_uppercase).count();
        let start = end - capitals;
        let is_whole = !before[..start].ends_with(|sign: char| sign.is_alphanumeric() || "_-*".contains(sign));
        let after = &line[end + ending.len()..];
        let section = after.strip_prefix(" §").map(|rest| {
            let digits = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(rest.len());
            rest[..digits].parse().unwrap_or(0)
        });
        (capitals > 1 && is_whole).then_some(Citation { name: &line[start..end + ending.len()], section })
    })
}

fn has_section(tree: &Tree, name: &str, section: u32) -> bool {
    let heading = format!("## {section}. ");
    let document = tree.file(&format!("{DESIGN}{name}"));
    document.is_some_and(|source| source.text.lines().any(|line| line.starts_with(&heading)))
}

fn is_a_file(tree: &Tree, name: &str) -> bool {
    tree.sources.iter().any(|source| source.path.rsplit('/').next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_read_with_their_sections() {
        let read = |line| citations(line).map(|Citation { name, section }| (name, section)).collect::<Vec<_>>();
        assert_eq!(
            read("(PROTOCOL.md §4, SECURITY.md §8 and docs/SYNC.md)"),
            [("PROTOCOL.md", Some(4)), ("SECURITY.md", Some(8)), ("SYNC.md", None)]
        );
        assert_eq!(read("decisions/0001-working-set.md, lowercase.md, `*.md` and A.md"), []);
    }

    #[test]
    fn a_section_that_is_not_there_is_found() {
        // In pieces, since this file is looked through as well.
        let gone = "GONE";
        let sources = format!("// PROTOCOL.md §1\n// PROTOCOL.md §2\n// {gone}.md\n// {gone}.md §1\n// README.md\n");
        let tree = Tree::of(&[
            ("docs/design/PROTOCOL.md", "# Protocol\n\n## 1. Tables\n"),
            ("README.md", "# Ours\n"),
            ("a.rs", &sources),
        ]);
        let places: Vec<_> = what_is_cited_exists(&tree).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["a.rs:2", "a.rs:3", "a.rs:4"]);
    }
}
