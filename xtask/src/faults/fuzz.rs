//! The fuzz targets of `fuzz/`: built by the stable compiler with coverage and without a sanitizer, as
//! `cargo fuzz run -s none` does it, and run side by side. What they find lands in `fuzz/artifacts`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::command::{command, run as run_command};

/// What fuzzing keeps.
pub(super) const PROMISE: &str = "P9";
/// What is fuzzed: a program and a folder of `fuzz/corpus` each.
const TARGETS: [&str; 6] = ["op", "cursor", "body", "pairing", "import", "last_event"];
/// How libFuzzer learns which ways an input took.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1";
/// When a run ends: after seconds in CI, after inputs before a release.
const CI: &str = "-max_total_time=60";
const FULL: &str = "-runs=1000000";
/// No input is longer; the server takes 64 KiB for an op.
const LONGEST: &str = "-max_len=8192";
/// An input that takes so many seconds hangs.
const HANGS: &str = "-timeout=10";

/// Builds the targets in a folder of their own: nothing of it fits the other builds.
pub(super) fn build(root: &Path) -> Result<()> {
    let mut build = command("cargo", root);
    // A target must be named, so that build scripts are not instrumented, too.
    build.args(["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", &host()?]);
    run_command(build.arg("--target-dir").arg(folder(root)).env("RUSTFLAGS", COVERAGE))
}

/// Runs all targets at once and fails if one found something.
pub(super) fn run(root: &Path, full: bool) -> Result<()> {
    let mut running = TARGETS.map(|name| (name, start(root, name, full)));
    let mut found = Vec::new();
    for (name, target) in &mut running {
        let status = match target {
            Ok(target) => target.wait().with_context(|| format!("fuzz target {name}"))?,
            Err(error) => bail!("fuzz target {name}: {error:#}"),
        };
        eprintln!("{}", last_words(&report(root, name)));
        if !status.success() {
            found.push(*name);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("{} found an input, kept in fuzz/artifacts: move it to fuzz/corpus once it is mended", found.join(" and "));
}

fn start(root: &Path, name: &str, full: bool) -> Result<Child> {
    let artifacts = root.join("fuzz/artifacts").join(name);
    // What is found on the way is kept beside the build; only what proves a fault belongs to the committed corpus.
    let grown = folder(root).join("corpus").join(name);
    fs::create_dir_all(&artifacts).and_then(|()| fs::create_dir_all(&grown)).context("folders for the fuzzer")?;
    let report = fs::File::create(report(root, name)).context("a report")?;
    let program = folder(root).join(host()?).join("release").join(name);
    let mut target = command(program, root);
    target.args([if full { FULL } else { CI }, LONGEST, HANGS, "-print_final_stats=1"]);
    target.arg(format!("-artifact_prefix={}/", artifacts.display()));
    target.arg(grown).arg(root.join("fuzz/corpus").join(name));
    target.stdout(Stdio::null()).stderr(report).spawn().context("it does not start")
}

fn folder(root: &Path) -> PathBuf {
    root.join("target/fuzz")
}

fn report(root: &Path, name: &str) -> PathBuf {
    folder(root).join(format!("{name}.txt"))
}

/// What people want to know: how much was tried, and what was found.
fn last_words(report: &Path) -> String {
    let text = fs::read_to_string(report).unwrap_or_default();
    let name = report.file_stem().unwrap_or_default().to_string_lossy();
    let words = ["stat::number_of_executed_units", "stat::new_units_added", "panicked at", "ERROR:", "assertion"];
    let lines = text.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    lines.map(|line| format!("{name}: {line}")).collect::<Vec<_>>().join("\n")
}

/// The machine's target, as the compiler names it.
fn host() -> Result<String> {
    let said = crate::command::read(command("rustc", Path::new("/")).arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for which machine it compiles")
}
