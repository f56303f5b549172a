//! Schemathesis, which makes requests from the contract: installed once into a Python environment below `target`.
//!
//! What is installed stands in `schemathesis.txt` with each of its packages, so that a later one changes nothing here.

use std::fs;

use anyhow::{Context, Result};

use crate::command::{command, run};
use crate::root;

/// What is installed.
const PACKAGES: &str = "xtask/schemathesis.txt";
/// Where; `tests/faults/contract.rs` starts it from there.
const FOLDER: &str = "target/schemathesis";

/// Installs it where it is missing or another one.
pub(crate) fn install() -> Result<()> {
    let (root, folder) = (root(), root().join(FOLDER));
    let wanted = fs::read(root.join(PACKAGES)).with_context(|| format!("{PACKAGES} could not be read"))?;
    let installed = folder.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        eprintln!("the packages of {PACKAGES} are there");
        return Ok(());
    }
    run(command("python3", &root).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
    run(command(folder.join("bin/python"), &root).args(words).arg(PACKAGES))?;
    fs::write(installed, wanted).with_context(|| format!("{FOLDER} could not be written"))
}
