//! The project's own tasks: `cargo xtask run`, `test`, `check` and the smaller ones.
//!
//! Together with cargo and npm it is the only tool. It links nothing of the product, so that it is built in seconds
//! and can say what it does while the long steps run.

mod bench;
mod check;
mod codegen;
mod command;
mod faults;
mod icons;
mod plan;
mod postgres;
mod push_peers;
mod run;
mod schemathesis;
mod screenshots;
mod setup;
mod simulate;
mod system;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything the project does beside `cargo` and `npm`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and open the desk on the county demo.
    Run(run::Choices),
    /// Install what is missing and run every test; nothing is skipped.
    Test,
    /// Format, lints, types, licences, architecture rules, generated files.
    Check,
    /// Write docs/openapi.json and the TypeScript types that follow from it.
    Codegen,
    /// Measure the release build against its targets, and write docs/benchmarks.md.
    Bench(bench::Choices),
    /// Cut the power, kill, fill and fail disks, lose answers, set clocks, fuzz: as root.
    Faults(faults::Choices),
    /// Play the seeded simulator: 10,000 shows, or the seeds that are named.
    Simulate(simulate::Choices),
    /// Render icons/showdesk.svg to the sizes that the bundles need.
    Icons,
    /// Take a picture of every screen and state into docs/screens, in Chromium.
    Screenshots,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Run(choices) => run::run(&choices),
        Task::Test => test::run(),
        Task::Check => check::run(),
        Task::Codegen => codegen::run(),
        Task::Bench(choices) => bench::run(&choices),
        Task::Faults(choices) => faults::run(&choices),
        Task::Simulate(choices) => simulate::run(&choices),
        Task::Icons => icons::run(),
        Task::Screenshots => screenshots::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The project's folder: the one above this package.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands inside the workspace").to_path_buf()
}
