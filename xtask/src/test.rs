//! `cargo xtask test`: sets up and runs every test there is. What cannot run is an error, never a skip.

use std::{fs, io};

use anyhow::Result;

use crate::command::{command, find, run as run_command};
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::{bench, push_peers, root, setup, system};

/// Where the tests of the store find the real database.
const POSTGRES: &str = "SHOWDESK_TEST_POSTGRES";
/// The tests of the real window.
const WINDOW_TEST: &str = "window.test.mjs";

/// Runs all tests.
pub(crate) fn run() -> Result<()> {
    let root = root();
    let cargo = |words: &[&str]| run_command(command("cargo", &root).args(words));
    Plan::new()
        .step("Debian packages to build and test with", || system::install(system::TO_TEST))
        .step("npm packages", setup::npm_packages)
        .step("Pages for phones and desk", setup::pages)
        .step("Programs and tests are built", setup::programs)
        .step("Rust tests, on SQLite and on a real Postgres", || {
            let postgres = Postgres::start()?;
            let words: &[&str] = if find("cargo-nextest").is_some() {
                &["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "--status-level", "fail"]
            } else {
                &["test", "--workspace", "--bins", "--lib", "--tests", "--locked", "--no-fail-fast"]
            };
            run_command(command("cargo", &root).args(words).env(POSTGRES, postgres.url()))
        })
        .step("The push senders and the programs of others", push_peers::run)
        .step("Benchmarks run, small", || bench::quick(&[]))
        .step("Examples in the documentation", || cargo(&["test", "--workspace", "--doc", "--locked", "--quiet"]))
        .step("Unit tests of the pages", || run_command(command("npm", &root.join("ui")).args(["test"])))
        .step("Browser tests", || drive(&["node"], &browser_tests()?))
        // With a session bus of its own, for the desktop's messages.
        .step("Window test", || drive(&["dbus-run-session", "--", "node"], &[WINDOW_TEST.to_owned()]))
        .run()
}

/// Every file of tests in the folder but the window's, so that none is forgotten.
fn browser_tests() -> Result<Vec<String>> {
    let entries = fs::read_dir(root().join("tests/e2e"))?.collect::<io::Result<Vec<_>>>()?;
    let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut files: Vec<String> = names.filter(|name| name.ends_with(".test.mjs") && name != WINDOW_TEST).collect();
    files.sort();
    Ok(files)
}

/// Tests that drive the real programs, two files at a time, as two cores hold: each has a browser and a desk of its own.
fn drive(node: &[&str], files: &[String]) -> Result<()> {
    let (program, words) = node.split_first().expect("a program to start");
    let mut tests = command(program, &root().join("tests/e2e"));
    tests.args(words).args(["--test", "--test-concurrency=2", "--test-reporter=spec"]).args(files);
    tests.env("SHOWDESK_SERVER", setup::program("showdesk-server")?);
    tests.env("SHOWDESK_WINDOW", setup::program("showdesk")?);
    run_command(&mut tests)
}
