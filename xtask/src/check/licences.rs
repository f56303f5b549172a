//! Licences: everything we build with is under terms that a program under MIT or Apache-2.0 may be shipped with.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Violation;
use super::crates::Metadata;
use super::tree::Tree;

/// What may be linked into the desk or stand in its pages, unchanged.
const MAY_SHIP: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Tools that build and never ship, under terms of their own.
const TOOLS: [(&str, &str); 1] = [("argparse", "Python-2.0")];

/// Every crate of `cargo metadata`, on any platform.
pub(super) fn of_crates(metadata: &Metadata) -> Vec<Violation> {
    let packages = metadata.packages.iter();
    packages
        .filter_map(|package| {
            let place = format!("{} {}", package.name, package.version);
            judge(&place, package.license.as_deref())
        })
        .collect()
}

/// Every package of the pages' lock file.
pub(super) fn of_npm(tree: &Tree) -> Result<Vec<Violation>> {
    let lock = tree.file("ui/package-lock.json").context("ui/package-lock.json is not there")?;
    let lock: Value = serde_json::from_str(&lock.text).context("ui/package-lock.json")?;
    let packages = lock["packages"].as_object().context("ui/package-lock.json has no packages")?;
    let found = packages.iter().filter_map(|(path, package)| {
        let (_, name) = path.rsplit_once("node_modules/")?;
        // A link leads to one of our own packages, which has an entry of its own.
        if package["link"] == true {
            return None;
        }
        let licence = package["license"].as_str();
        let tool = TOOLS.iter().any(|(tool, terms)| *tool == name && Some(*terms) == licence) && package["dev"] == true;
        if tool { None } else { judge(&format!("npm {name}"), licence) }
    });
    Ok(found.collect())
}

fn judge(place: &str, licence: Option<&str>) -> Option<Violation> {
    match licence {
        None => Some(Violation::new(place, "states no licence")),
        Some(terms) if allowed(terms) => None,
        Some(terms) => Some(Violation::new(place, format!("is under {terms}, which is not on the list"))),
    }
}

/// Whether an SPDX expression can be met with licences of the list. An old `/` means `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Expression { words: &words };
    reader.any() && reader.words.is_empty()
}

/// What is left to read of an SPDX expression. `AND` binds closer than `OR`.
struct Expression<'a> {
    words: &'a [&'a str],
}

impl Expression<'_> {
    fn any(&mut self) -> bool {
        let mut met = self.all();
        while self.take("OR") {
            met |= self.all();
        }
        met
    }

    fn all(&mut self) -> bool {
        let mut met = self.one();
        while self.take("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.take("(") {
            let met = self.any();
            return self.take(")") && met;
        }
        let [name, rest @ ..] = self.words else { return false };
        self.words = rest;
        let [exception, rest @ ..] = rest else { return MAY_SHIP.contains(name) };
        if *exception != "WITH" {
            return MAY_SHIP.contains(name);
        }
        let [exception, rest @ ..] = rest else { return false };
        self.words = rest;
        MAY_SHIP.contains(&format!("{name} WITH {exception}").as_str())
    }

    fn take(&mut self, word: &str) -> bool {
        let taken = self.words.first() == Some(&word);
        if taken {
            self.words = &self.words[1..];
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_met_by_one_side_of_or_and_both_sides_of_and() {
        let table = [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT/Apache-2.0", true),
            ("MIT OR GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("GPL-3.0 OR MIT AND ISC", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH unknown-exception", false),
            ("(MIT", false),
            ("MIT MIT", false),
            ("", false),
        ];
        for (expression, expected) in table {
            assert_eq!(allowed(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_package_without_or_with_an_unknown_licence_is_found() {
        let lock = r#"{"packages": {
            "": {"license": "MIT"},
            "node_modules/good": {"license": "MIT"},
            "node_modules/bad": {"license": "SSPL-1.0"},
            "node_modules/good/node_modules/silent": {},
            "node_modules/@showdesk/api": {"link": true},
            "node_modules/argparse": {"license": "Python-2.0", "dev": true}
        }}"#;
        let found = of_npm(&Tree::of(&[("ui/package-lock.json", lock)])).unwrap();
        let places: Vec<_> = found.into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["npm bad", "npm silent"]);
    }

    #[test]
    fn a_missing_lock_file_is_an_error() {
        assert!(of_npm(&Tree::of(&[])).is_err());
    }
}
