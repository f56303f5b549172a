//! `cargo xtask test`: sets up and runs every test there is. What cannot run is an error, never a skip.

use anyhow::Result;

use crate::command::{command, find, run as run_command};
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::{bench, root, setup, system};

/// Where the tests of the store find the real database.
const POSTGRES: &str = "SHOWDESK_TEST_POSTGRES";

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
        .step("Benchmarks run, small", || bench::quick(&[]))
        .step("Examples in the documentation", || cargo(&["test", "--workspace", "--doc", "--locked", "--quiet"]))
        .step("Unit tests of the pages", || run_command(command("npm", &root.join("ui")).args(["test"])))
        .step("Browser tests", || drive(&["node"], &["sync.test.mjs", "restore.test.mjs", "screens.test.mjs"]))
        // With a session bus of its own, for the desktop's messages.
        .step("Window test", || drive(&["dbus-run-session", "--", "node"], &["window.test.mjs"]))
        .run()
}

/// Tests that drive the real programs, one file after the other: two cores hold one browser and one server well.
fn drive(node: &[&str], files: &[&str]) -> Result<()> {
    let (program, words) = node.split_first().expect("a program to start");
    let mut tests = command(program, &root().join("tests/e2e"));
    tests.args(words).args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).args(files);
    tests.env("SHOWDESK_SERVER", setup::program("showdesk-server")?);
    tests.env("SHOWDESK_WINDOW", setup::program("showdesk")?);
    run_command(&mut tests)
}
