//! `cargo xtask run`: from a fresh clone to the desk on the county demo.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::command::{command, run as run_command};
use crate::plan::Plan;
use crate::{root, setup, system};

/// What may be chosen.
#[derive(Args)]
pub(crate) struct Choices {
    /// Where the show is kept; an empty folder is filled with the county demo.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Sets up, builds, and becomes the desk: in its window, or without a display as the headless program.
pub(crate) fn run(choices: &Choices) -> Result<()> {
    let folder = choices.data_dir.clone().unwrap_or_else(|| root().join("target/county-show"));
    if has_display() { with_window(&folder) } else { headless(&folder) }
}

fn with_window(folder: &Path) -> Result<()> {
    Plan::new()
        .step("Debian packages to build with", || system::install(system::TO_BUILD))
        .step("npm packages", setup::npm_packages)
        .step("Pages for phones and desk", setup::pages)
        .step("The desk (the first time takes about ten minutes)", || build(&["--workspace"]))
        .run()?;
    eprintln!("\nThe show is kept in {}. Close the window to end the desk.", folder.display());
    let mut desk = command(setup::program("showdesk")?, &root());
    become_program(desk.arg("--data-dir").arg(folder).args(["--demo", "county"]))
}

fn headless(folder: &Path) -> Result<()> {
    eprintln!("There is no display here: the desk runs without a window, for a browser of this machine.");
    Plan::new()
        .step("npm packages", setup::npm_packages)
        .step("Pages for phones and desk", setup::pages)
        .step("The server (the first time takes about five minutes)", || build(&["--package", "showdesk-server"]))
        .step("The county demo", || fill(folder))
        .run()?;
    eprintln!("\nThe show is kept in {}. Ctrl-C ends the desk.", folder.display());
    let mut server = command(setup::program("showdesk-server")?, &root());
    become_program(server.arg("serve").arg("--data-dir").arg(folder))
}

/// The window is built as part of the whole, with the same features as for the tests, so that neither builds the
/// other's crates again. The server alone needs no package of Debian's.
fn build(what: &[&str]) -> Result<()> {
    run_command(command("cargo", &root()).args(["build", "--bins", "--locked"]).args(what))
}

/// Fills the folder, unless there is a show in it already.
fn fill(folder: &Path) -> Result<()> {
    let has_files = folder.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if has_files {
        eprintln!("there is a show in it");
        return Ok(());
    }
    let server = setup::program("showdesk-server")?;
    run_command(command(server, &root()).args(["demo", "--size", "county", "--data-dir"]).arg(folder))
}

/// Whether a window can be opened here.
fn has_display() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Gives this process to the program, so that Ctrl-C and SIGTERM reach it and nothing stands between.
#[cfg(unix)]
fn become_program(program: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;

    Err(program.exec()).with_context(|| format!("{} could not be started", program.get_program().display()))
}

#[cfg(not(unix))]
fn become_program(program: &mut Command) -> Result<()> {
    run_command(program)
}
