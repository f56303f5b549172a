//! `cargo xtask bench`: measurements, each against a yardstick of the same run.

use anyhow::Result;
use clap::ValueEnum;

use crate::command::{command, run as run_command};
use crate::root;

/// What can be measured.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Subject {
    /// Pushes through the one writer, against SQLite row by row.
    Push,
}

/// Measures; the bench prints what it found.
pub(crate) fn run(subject: Subject) -> Result<()> {
    let words = match subject {
        Subject::Push => ["--package", "showdesk-server", "--bench", "push"],
    };
    run_command(command("cargo", &root()).args(["bench", "--locked"]).args(words))
}
