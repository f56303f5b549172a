//! `cargo xtask simulate`: plays seeds of the simulator, more than a test run does.

use anyhow::Result;
use clap::Args;

use crate::command::{command, run as run_command};
use crate::root;

/// What is played.
#[derive(Debug, Args)]
pub(crate) struct Choices {
    /// How many seeds.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them; alone it is the only one.
    #[arg(long)]
    seed: Option<u64>,
    /// Put old copies of the database back in the middle of a run.
    #[arg(long)]
    restores: bool,
    /// Play on a real Postgres with so many desks.
    #[arg(long, value_name = "DESKS")]
    postgres: Option<u32>,
    /// Print everything that happens in one seed.
    #[arg(long, requires = "seed")]
    trace: bool,
}

/// Builds the simulator with optimisation and plays.
pub(crate) fn run(choices: &Choices) -> Result<()> {
    let mut simulate = command("cargo", &root());
    simulate.args(["run", "--locked", "--release", "--package", "showdesk-testkit", "--bin", "simulate", "--"]);
    match choices.seed {
        Some(seed) => simulate.args(["--seed", &seed.to_string()]),
        None => simulate.args(["--seeds", &choices.seeds.to_string()]),
    };
    if choices.restores {
        simulate.arg("--restores");
    }
    if let Some(desks) = choices.postgres {
        simulate.args(["--postgres", &desks.to_string()]);
    }
    if choices.trace {
        simulate.arg("--trace");
    }
    run_command(&mut simulate)
}
