//! `cargo xtask codegen`: the files that programs write, from the code they follow from.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::command::{command, read, run as run_command};
use crate::plan::Plan;
use crate::setup;
use crate::{root, system};

/// Where the contract stands.
pub(crate) const OPENAPI: &str = "docs/openapi.json";

/// Writes the contract from the server's code, and the pages' types from the contract.
pub(crate) fn run() -> Result<()> {
    let root = root();
    Plan::new()
        .step("Debian packages to build with", || system::install(system::TO_BUILD))
        .step("npm packages", setup::npm_packages)
        .step("Programs and tests are built", setup::programs)
        .step(OPENAPI, || {
            fs::write(root.join(OPENAPI), openapi(&root)?).with_context(|| format!("{OPENAPI} could not be written"))
        })
        .step("ui/packages/api/src/schema.ts", || types(&root, &[]))
        .run()
}

/// The contract as the server's code says it now.
pub(crate) fn openapi(root: &Path) -> Result<String> {
    read(command(setup::program("showdesk-server")?, root).arg("openapi"))
}

/// Makes the pages' types from the contract; with `--check` among the words, only compares.
pub(crate) fn types(root: &Path, words: &[&str]) -> Result<()> {
    // Named with its workspace: npm passes words on to a script, but not to the script that it calls.
    let script = ["run", "generate", "--workspace", "packages/api", "--"];
    run_command(command("npm", &root.join("ui")).args(script).args(words))
}
