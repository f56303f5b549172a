//! `cargo xtask bench`: the release build against its targets, each beside a yardstick of the same run.
//!
//! A benchmark is no test: it fails when something was lost or happened twice, and never because it was slow.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::command::{command, read, run as run_command};
use crate::root;

/// What a person has written about the figures; it stays when they are measured again.
const BY_HAND: &str = "## What they say";

/// What may be chosen.
#[derive(Args)]
pub(crate) struct Choices {
    /// Scenes: push, storm, pull, entry, messages, pushes, memory, history, telemetry. All of them, and
    /// docs/benchmarks.md, if none is named.
    scenes: Vec<String>,
    /// Make everything small and use the debug build: shows that it runs, and measures nothing.
    #[arg(long)]
    quick: bool,
}

/// Measures, prints the table, and keeps it if it is whole.
pub(crate) fn run(choices: &Choices) -> Result<()> {
    if choices.quick {
        return quick(&choices.scenes);
    }
    let machine = Machine::look()?;
    let mut bench = command("cargo", &root());
    bench.args(["bench", "--locked", "--package", "showdesk-server", "--bench", "sync", "--"]).args(&choices.scenes);
    let table = read(&mut bench)?;
    println!("{table}");
    if choices.scenes.is_empty() { keep(&machine, table.trim()) } else { Ok(()) }
}

/// Shows that the benchmarks run.
pub(crate) fn quick(scenes: &[String]) -> Result<()> {
    let words = ["bench", "--workspace", "--bench", "sync", "--profile", "dev", "--locked", "--", "--quick"];
    run_command(command("cargo", &root()).args(words).args(scenes))
}

/// Where it was measured.
struct Machine {
    day: String,
    commit: String,
    compiler: String,
    processor: String,
    memory_gib: u64,
    load: String,
}

impl Machine {
    fn look() -> Result<Self> {
        let root = root();
        let said = |program: &str, words: &[&str]| -> Result<String> {
            Ok(read(command(program, &root).args(words))?.trim().to_owned())
        };
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cores = std::thread::available_parallelism().context("the cores cannot be counted")?;
        let model = value_of(&file("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown processor".to_owned());
        let memory = value_of(&file("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let memory_kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        let load: Vec<String> = file("/proc/loadavg").split_whitespace().take(1).map(str::to_owned).collect();
        Ok(Self {
            day: said("date", &["--utc", "+%F"])?,
            commit: said("git", &["describe", "--always", "--dirty"])?,
            compiler: said("rustc", &["--version"])?,
            processor: format!("{cores} cores of {model}"),
            memory_gib: memory_kib / (1024 * 1024),
            load: load.join(""),
        })
    }
}

fn value_of(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn path() -> PathBuf {
    root().join("docs/benchmarks.md")
}

fn keep(machine: &Machine, table: &str) -> Result<()> {
    let path = path();
    fs::write(&path, document(machine, table, &by_hand(&path)))
        .with_context(|| format!("{} cannot be written", path.display()))?;
    eprintln!("written: {}", path.display());
    Ok(())
}

/// What a person wrote below the figures.
fn by_hand(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.find(BY_HAND).map_or_else(String::new, |at| text[at..].trim_end().to_owned())
}

fn document(machine: &Machine, table: &str, by_hand: &str) -> String {
    let Machine { day, commit, compiler, processor, memory_gib, load } = machine;
    let missed = table.lines().filter(|line| line.contains("**missed**")).count();
    let mut text = format!(
        "# Benchmarks\n\n\
         Measured on {day} at {commit} by `cargo xtask bench`: {processor}, {memory_gib} GiB, {compiler}.\n\
         The machine's load before it began was {load}.\n\n\
         The desk is the release build of `showdesk-server` in a process of its own, on SQLite with \
         `synchronous=FULL`, spoken to over HTTP on loopback, with tokens, checks, history, feed and clashes on.\n\
         The phones run on the same machine and take their share of it.\n\
         Push, storm, pull and history are the median of three rounds, the other figures are of one; a ratio compares the two sides of one round.\n\
         Every scene counts in the end that each op is there exactly once.\n\n\
         {table}\n"
    );
    write!(text, "\nTargets missed: {missed}.\n").expect("a String takes every text");
    if !by_hand.is_empty() {
        write!(text, "\n{by_hand}\n").expect("a String takes every text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        let text = |text: &str| text.to_owned();
        Machine {
            day: text("2026-11-22"),
            commit: text("abc"),
            compiler: text("rustc 1"),
            processor: text("2 cores of X"),
            memory_gib: 8,
            load: text("0.1"),
        }
    }

    #[test]
    fn misses_are_counted_and_what_a_person_wrote_stays() {
        let table = "| a | ≤ 1 | 2 | **missed** |\n| b | ≤ 1 | 1 | met |";
        let text = document(&machine(), table, "## What they say\n\nSlow disk.");
        assert!(text.contains("Targets missed: 1.") && text.contains(table), "{text}");
        assert!(text.ends_with("\n## What they say\n\nSlow disk.\n"), "{text}");
        let folder = std::env::temp_dir().join(format!("showdesk-bench-{}", std::process::id()));
        fs::write(&folder, &text).unwrap();
        assert_eq!(by_hand(&folder), "## What they say\n\nSlow disk.");
        fs::remove_file(&folder).unwrap();
    }

    #[test]
    fn values_are_read_from_the_systems_files() {
        assert_eq!(value_of("processor\t: 0\nmodel name\t: X 1\n", "model name").as_deref(), Some("X 1"));
        assert_eq!(value_of("", "model name"), None);
    }
}
