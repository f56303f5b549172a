//! `cargo xtask faults`: the promises that only a machine that fails can test, and the fuzzer.
//!
//! As root: it mounts disks, traces and kills programs. What cannot be done here is an error that says so, never a skip.

mod fuzz;

use anyhow::{Result, bail};
use clap::Args;

use crate::command::{command, run as run_command};
use crate::plan::Plan;
use crate::postgres::Postgres;
use crate::{root, schemathesis, setup, system};

/// Where the cases find the real database.
const POSTGRES: &str = "SHOWDESK_TEST_POSTGRES";
/// The cases are a test that nothing else runs; with the workspace's features, so that nothing is built twice.
const CASES: [&str; 5] = ["test", "--workspace", "--locked", "--test", "faults"];

/// How much is tried.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Size {
    /// A few minutes: what every change must pass.
    #[arg(long)]
    ci: bool,
    /// Hours: before a release.
    #[arg(long)]
    full: bool,
}

/// What may be chosen.
#[derive(Args)]
pub(crate) struct Choices {
    #[command(flatten)]
    size: Size,
    /// Only these promises, as P1 or P9; without any, all.
    promises: Vec<String>,
}

impl Choices {
    fn wants(&self, promise: &str) -> bool {
        self.promises.is_empty() || self.promises.iter().any(|name| name == promise)
    }
}

/// Sets up, runs the cases, and fuzzes.
pub(crate) fn run(choices: &Choices) -> Result<()> {
    if !system::is_root() {
        bail!("the fault cases mount disks and trace the programs they kill: run this as root");
    }
    let root = root();
    let mut plan = Plan::new().step("Debian packages to break things with", || system::install(system::TO_BREAK));
    if choices.wants(fuzz::PROMISE) {
        plan = plan.step("Schemathesis", schemathesis::install);
    }
    plan = plan
        .step("npm packages", setup::npm_packages)
        .step("Pages for phones and desk", setup::pages)
        .step("Programs and tests are built", setup::programs)
        .step("The cases are built", || run_command(command("cargo", &root).args(CASES).arg("--no-run")))
        .step("The cases", || cases(choices));
    if choices.wants(fuzz::PROMISE) {
        plan = plan
            .step("The fuzz targets are built", || fuzz::build(&root))
            .step("The fuzz targets, side by side", || fuzz::run(&root, choices.size.full));
    }
    plan.run()
}

fn cases(choices: &Choices) -> Result<()> {
    let postgres = Postgres::start()?;
    let mut cases = command("cargo", &root());
    cases.args(CASES).args(["--", if choices.size.full { "--full" } else { "--ci" }]);
    cases.args(&choices.promises);
    run_command(cases.env(POSTGRES, postgres.url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(promises: &[&str]) -> Choices {
        let promises = promises.iter().map(|&name| name.to_owned()).collect();
        Choices { size: Size { ci: true, full: false }, promises }
    }

    #[test]
    fn without_a_choice_everything_runs() {
        assert!(choices(&[]).wants("P1") && choices(&[]).wants(fuzz::PROMISE));
        assert!(choices(&["P9"]).wants("P9") && !choices(&["P9"]).wants("P1"));
    }
}
