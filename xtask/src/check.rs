//! `cargo xtask check`: everything that can be said about the sources without running the product.
//!
//! Each architecture rule is a pure function from the sources to what it found, with tests that show it can fail.

mod contract;
mod crates;
mod documents;
mod generated;
mod licences;
mod migrations;
mod pages;
mod rust_sources;
mod tree;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{command, run as run_command, run_in_pairs};
use crate::plan::Plan;
use crate::{codegen, root, setup, system};
use tree::Tree;

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    /// The file, seen from the project's folder, or what else it is about.
    place: String,
    /// What is wrong and what would be right.
    says: String,
}

impl Violation {
    fn new(place: impl Into<String>, says: impl Into<String>) -> Self {
        Self { place: place.into(), says: says.into() }
    }
}

/// Runs every check.
pub(crate) fn run() -> Result<()> {
    let root = root();
    let cargo = |words: &[&str]| run_command(command("cargo", &root).args(words));
    let npm = |words: &[&str]| run_command(command("npm", &root.join("ui")).args(words));
    Plan::new()
        .step("Format of the Rust sources", || cargo(&["fmt", "--all", "--check"]))
        .step("Format of the fuzz targets", || cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))
        .step("The fuzz targets' own lock file is current", || {
            cargo(&["fetch", "--locked", "--manifest-path", "fuzz/Cargo.toml"])
        })
        .step("Architecture rules", || hold(&architecture(&Tree::read(&root)?)))
        .step("Debian packages to build with", || system::install(system::TO_BUILD))
        .step("npm packages", setup::npm_packages)
        .step("Who may use whom, and licences", || {
            let metadata = crates::Metadata::read(&root)?;
            let mut found = crates::dependencies(&metadata);
            found.extend(licences::of_crates(&metadata));
            found.extend(licences::of_npm(&Tree::read(&root)?)?);
            hold(&found)
        })
        .step("Types, lints and format of the pages and the browser tests", || run_in_pairs(of_the_pages(&root)))
        .step("Pages for phones and desk", setup::pages)
        .step("Size of the pages", || npm(&["run", "size"]))
        .step("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]))
        .step("clippy, the fault cases", || {
            cargo(&["clippy", "--workspace", "--test", "faults", "--locked", "--", "--deny", "warnings"])
        })
        .step("clippy, the programs of others", || {
            cargo(&["clippy", "--workspace", "--test", "peers", "--locked", "--", "--deny", "warnings"])
        })
        .step("Programs and tests are built", setup::programs)
        .step("docs/openapi.json is current", || hold(generated::openapi(&root)?.as_slice()))
        .step("ui/packages/api/src/schema.ts is current", || codegen::types(&root, &["--check"]))
        .run_all()
}

/// What looks at the sources of the pages and of the browser tests, the longest first.
fn of_the_pages(root: &Path) -> Vec<Command> {
    let npm = |words: &[&str]| {
        let mut npm = command("npm", &root.join("ui"));
        npm.args(words);
        npm
    };
    let mut types = command(root.join("ui/node_modules/.bin/tsc"), root);
    types.args(["--project", "tests/e2e"]);
    let format =
        ["exec", "--", "prettier", "--config", ".prettierrc.json", "--check", "../tests/e2e", "../src-tauri/pages"];
    vec![npm(&["run", "check"]), npm(&["run", "lint"]), npm(&["run", "format:check"]), types, npm(&format)]
}

/// The rules that need only the sources.
fn architecture(tree: &Tree) -> Vec<Violation> {
    let rules: [fn(&Tree) -> Vec<Violation>; 13] = [
        rust_sources::begins_with_its_purpose,
        rust_sources::pure_crates_do_no_io,
        rust_sources::senders_are_told_the_time,
        rust_sources::engines_only_in_the_seam,
        rust_sources::settings_only_in_config,
        tree::at_most_600_lines,
        tree::no_test_is_skipped,
        migrations::stand_in_pairs,
        contract::calls_every_query,
        documents::what_is_cited_exists,
        pages::tauri_only_in_platform,
        pages::network_only_in_api,
        pages::imports_follow_the_layers,
    ];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}

/// Prints what was found; an error if it is anything.
fn hold(found: &[Violation]) -> Result<()> {
    for violation in found {
        eprintln!("  {}: {}", violation.place, violation.says);
    }
    match found.len() {
        0 => Ok(()),
        1 => bail!("one rule is broken"),
        count => bail!("{count} rules are broken"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_rule_fails_the_check() {
        assert!(hold(&[]).is_ok());
        assert!(hold(&[Violation::new("a.rs", "is wrong")]).is_err());
    }
}
