//! What every task needs before it starts: Node and its packages, the pages, the programs.
//!
//! Each part is skipped when it is current, so that a second run begins at once.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::command::{command, read, run};
use crate::root;

/// The oldest Node that the pages' tools run on.
const NODE_MIN: (u32, u32) = (20, 19);

/// A copy of the lock file that the installed packages came from.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// Installs the npm packages of the lock file.
pub(crate) fn npm_packages() -> Result<()> {
    check_node()?;
    let ui = root().join("ui");
    let lock = fs::read(ui.join("package-lock.json")).context("ui/package-lock.json could not be read")?;
    if fs::read(ui.join(INSTALLED)).is_ok_and(|installed| installed == lock) {
        eprintln!("the packages of ui/package-lock.json are there");
        return Ok(());
    }
    run(command("npm", &ui).args(["ci", "--no-audit", "--no-fund"]))?;
    fs::write(ui.join(INSTALLED), lock).context("ui/node_modules could not be written")
}

fn check_node() -> Result<()> {
    let (major, minor) = NODE_MIN;
    let wanted = format!("install Node.js {major}.{minor} or newer, with npm");
    let version = read(command("node", &root()).arg("--version")).with_context(|| wanted.clone())?;
    if !node_is_new_enough(&version) {
        bail!("Node.js here is {}: {wanted}", version.trim());
    }
    Ok(())
}

fn node_is_new_enough(version: &str) -> bool {
    let mut numbers =
        version.trim().trim_start_matches('v').split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= NODE_MIN
}

/// Builds the pages for phones and desk, which the server carries inside itself.
pub(crate) fn pages() -> Result<()> {
    let ui = root().join("ui");
    let built = ["apps/phone/dist/index.html", "apps/desk/dist/index.html"].map(|page| changed_at(&ui.join(page)));
    let oldest_page = built.into_iter().min().flatten();
    if oldest_page.is_some_and(|page| newest_source(&ui).is_some_and(|source| source < page)) {
        eprintln!("the pages are newer than their sources");
        return Ok(());
    }
    run(command("npm", &ui).args(["run", "build"]))
}

/// When the newest file that the pages are made from was changed.
fn newest_source(ui: &Path) -> Option<SystemTime> {
    let mut newest = changed_at(&ui.join("package-lock.json"));
    let mut folders = vec![ui.join("packages"), ui.join("apps")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.filter_map(Result::ok) {
            let path = entry.path();
            let made = path.ends_with("dist") || path.ends_with("node_modules");
            if path.is_dir() && !made {
                folders.push(path);
            } else if path.is_file() {
                newest = newest.max(changed_at(&path));
            }
        }
    }
    newest
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Builds all programs and all tests once, the same way for every task, so that nothing is built twice.
pub(crate) fn programs() -> Result<()> {
    run(command("cargo", &root()).args(["build", "--workspace", "--bins", "--tests", "--locked"]))
}

/// Where cargo put a program of ours: beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let own = env::current_exe().context("where xtask itself is")?;
    let path = own.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
    if !path.is_file() {
        bail!("{} is not built", path.display());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_refused() {
        for (version, enough) in
            [("v20.19.0\n", true), ("v22.1.0", true), ("v20.18.9", false), ("v18.20.1", false), ("", false)]
        {
            assert_eq!(node_is_new_enough(version), enough, "{version}");
        }
    }

    #[test]
    fn the_newest_source_is_not_older_than_any_other() {
        let ui = root().join("ui");
        assert!(newest_source(&ui) >= changed_at(&ui.join("package-lock.json")));
        assert_eq!(newest_source(&ui.join("no such folder")), None);
    }
}
