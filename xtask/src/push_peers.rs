//! Programs of others that the push senders are tried with: installed once below `target`.
//!
//! What is installed stands with each of its parts in `tests/push/programs`, so that a later one changes nothing here.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::command::{command, run as run_command};
use crate::root;

/// What is installed, and the programs that use it.
const PROGRAMS: &str = "tests/push/programs";
/// Where.
const FOLDER: &str = "target/push-peers";
/// How the tests find them.
const PLACE: &str = "SHOWDESK_PUSH_PEERS";

/// Installs what is missing and runs the tests.
pub(crate) fn run() -> Result<()> {
    let (root, folder) = (root(), root().join(FOLDER));
    fs::create_dir_all(&folder).with_context(|| format!("{FOLDER} could not be made"))?;
    install_npm(&root, &folder)?;
    install_python(&root, &folder)?;
    let words = ["test", "--workspace", "--test", "peers", "--locked"];
    run_command(command("cargo", &root).args(words).env(PLACE, &folder))
}

fn install_npm(root: &Path, folder: &Path) -> Result<()> {
    unless_installed(root, folder, "package-lock.json", || {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(root.join(PROGRAMS).join(file), folder.join(file))
                .with_context(|| format!("{PROGRAMS}/{file} could not be copied"))?;
        }
        run_command(command("npm", folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
    })
}

fn install_python(root: &Path, folder: &Path) -> Result<()> {
    unless_installed(root, folder, "requirements.txt", || {
        let python = folder.join("python");
        run_command(command("python3", root).args(["-m", "venv", "--clear"]).arg(&python))?;
        let words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
        let list = root.join(PROGRAMS).join("requirements.txt");
        run_command(command(python.join("bin/python"), root).args(words).arg(list))
    })
}

/// Installs what the list names, unless it was installed from the very same list.
fn unless_installed(root: &Path, folder: &Path, list: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = root.join(PROGRAMS).join(list);
    let wanted = fs::read(&wanted).with_context(|| format!("{} could not be read", wanted.display()))?;
    let installed = folder.join(format!("installed-{list}"));
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        eprintln!("the packages of {PROGRAMS}/{list} are there");
        return Ok(());
    }
    install()?;
    fs::write(&installed, wanted).with_context(|| format!("{} could not be written", installed.display()))
}
