//! Which of our crates may use which, and which outside crates belong to one of ours alone.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Violation;
use crate::command::{command, read};

/// What `cargo metadata` says, as far as we ask.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
}

/// A package of ours (no source) or of others.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// None is a normal dependency; else `dev` or `build`.
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo, for all platforms.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let text = read(command("cargo", root).args(["metadata", "--format-version", "1", "--locked"]))?;
        serde_json::from_str(&text).context("what cargo metadata printed")
    }

    fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }
}

/// What each of our crates may use of ours in the product itself.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("showdesk-domain", &[]),
    ("showdesk-store", &["showdesk-domain"]),
    ("showdesk-telemetry", &[]),
    ("showdesk-charts", &[]),
    ("showdesk-push", &["showdesk-domain"]),
    (
        "showdesk-engine",
        &["showdesk-domain", "showdesk-store", "showdesk-push", "showdesk-telemetry", "showdesk-charts"],
    ),
    ("showdesk-server", &["showdesk-domain", "showdesk-engine"]),
    ("showdesk", &["showdesk-engine", "showdesk-server"]),
    ("showdesk-testkit", &["showdesk-domain", "showdesk-store", "showdesk-engine", "showdesk-server"]),
    ("xtask", &[]),
];

/// Outside crates that one of ours keeps to itself, and where else they may appear in tests.
const BELONGS_TO: [(&str, &[&str]); 10] = [
    ("sqlx", &["showdesk-store", "showdesk-testkit"]),
    ("axum", &["showdesk-server"]),
    ("hyper", &["showdesk-server", "showdesk-push"]),
    ("reqwest", &["showdesk-push"]),
    ("p256", &["showdesk-push"]),
    ("utoipa", &["showdesk-server", "showdesk-engine"]),
    ("plotters", &["showdesk-charts"]),
    ("resvg", &["showdesk-charts"]),
    ("tauri", &["showdesk"]),
    ("notify-rust", &["showdesk"]),
];

/// `domain ← store ← engine ← server ← src-tauri`, testkit for tests, and the outside crates where they belong.
pub(super) fn dependencies(metadata: &Metadata) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in metadata.ours() {
        let Some((_, may)) = MAY_USE.iter().find(|(name, _)| *name == package.name) else {
            found.push(Violation::new(&package.name, "is a crate that the layers do not know"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind.is_none()) {
            let name = dependency.name.as_str();
            let ours = name.starts_with("showdesk") || name == "xtask";
            if ours && !may.contains(&name) {
                found.push(Violation::new(&package.name, format!("may not use {name}")));
            }
            let owner = BELONGS_TO.iter().find(|(outside, _)| *outside == name);
            if owner.is_some_and(|(_, owners)| !owners.contains(&package.name.as_str())) {
                found.push(Violation::new(&package.name, format!("may not use {name}: it belongs to another layer")));
            }
        }
    }
    found
}

#[cfg(test)]
impl Metadata {
    /// Our packages with their normal dependencies.
    fn of(packages: &[(&str, &[&str])]) -> Self {
        let package = |(name, uses): &(&str, &[&str])| Package {
            name: (*name).to_owned(),
            version: "0.1.0".to_owned(),
            license: Some("MIT".to_owned()),
            source: None,
            dependencies: uses.iter().map(|name| Dependency { name: (*name).to_owned(), kind: None }).collect(),
        };
        Self { packages: packages.iter().map(package).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_looks_up_is_found() {
        let metadata = Metadata::of(&[
            ("showdesk-domain", &["showdesk-store", "serde"]),
            ("showdesk-store", &["showdesk-domain"]),
        ]);
        assert_eq!(dependencies(&metadata), [Violation::new("showdesk-domain", "may not use showdesk-store")]);
    }

    #[test]
    fn what_measures_and_draws_is_for_the_engine_alone() {
        let uses: &[&str] = &["showdesk-push", "showdesk-telemetry", "showdesk-charts"];
        let metadata = Metadata::of(&[("showdesk-engine", uses), ("showdesk-server", uses)]);
        let found = dependencies(&metadata);
        assert!(found.len() == 3 && found.iter().all(|violation| violation.place == "showdesk-server"), "{found:?}");
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        let metadata = Metadata::of(&[("showdesk-engine", &["sqlx"]), ("showdesk-store", &["sqlx"])]);
        let places: Vec<_> = dependencies(&metadata).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["showdesk-engine"]);
    }

    #[test]
    fn tests_may_use_what_the_product_may_not() {
        let mut metadata = Metadata::of(&[("showdesk-store", &["showdesk-testkit"])]);
        assert_eq!(dependencies(&metadata).len(), 1);
        metadata.packages[0].dependencies[0].kind = Some("dev".to_owned());
        assert_eq!(dependencies(&metadata), []);
    }

    #[test]
    fn a_new_crate_must_find_its_layer() {
        assert_eq!(dependencies(&Metadata::of(&[("showdesk-extra", &[])])).len(), 1);
    }
}
