//! The system's own tools, run to the end.

use std::process::{Command, Output};

/// Runs a tool that must succeed.
#[track_caller]
pub(crate) fn run(tool: &str, words: &[&str]) -> String {
    let output = output(tool, words);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool} {}: {}: {errors}", words.join(" "), output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a tool that may fail.
pub(crate) fn try_run(tool: &str, words: &[&str]) -> bool {
    output(tool, words).status.success()
}

#[track_caller]
fn output(tool: &str, words: &[&str]) -> Output {
    let output = Command::new(tool).args(words).output();
    output.unwrap_or_else(|error| panic!("{tool} could not be started, so this cannot be tested here: {error}"))
}
