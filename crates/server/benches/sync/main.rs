//! Measures the headless program in a process of its own, over HTTP on loopback, against the project's targets.
//!
//! Every scene checks that nothing was lost and nothing happened twice, and none checks how fast it was: the table on
//! standard output says what was aimed at. `--quick` makes everything small, which shows that it runs and no more.
//! Words name the scenes to run; without any, all run.

mod checkin;
mod entry;
mod history;
mod kept;
mod memory;
mod messages;
mod program;
mod pull;
mod push;
mod reference;
mod storm;
mod table;
mod telemetry;

use std::time::Duration;

use crate::table::{Line, table};

/// As in the program: what the phones cost is taken from what is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How large the scenes are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// How often everything is measured; the table shows medians.
    rounds: usize,
    /// Ops of one measurement.
    ops: usize,
    /// Phones that push at the same time, in turn; the first and the last have targets.
    crowds: [usize; 2],
    /// Phones that come back at once.
    storm_phones: usize,
    /// Phones that listen while one enters.
    listeners: usize,
    /// Entries they hear of.
    entries: usize,
    /// Messages to all phones, one after the other: fewer than a hundred have no slowest hundredth.
    messages: usize,
    /// Phones whose memory is counted.
    memory_phones: usize,
    /// How long they are quiet before: the desk closes what has been idle for ten seconds, and a phone that is connected
    /// has its stream and nothing else then.
    idle_time: Duration,
    /// Versions in the two histories that are compared.
    histories: [usize; 2],
    /// Phones that are away, and messages for each.
    pushes: [usize; 2],
}

const FULL: Scale = Scale {
    rounds: 3,
    ops: 40_000,
    crowds: [50, 200],
    storm_phones: 1_000,
    listeners: 100,
    entries: 40,
    messages: 100,
    memory_phones: 1_000,
    idle_time: Duration::from_secs(15),
    histories: [10_000, 1_000_000],
    pushes: [1_000, 10],
};
const QUICK: Scale = Scale {
    rounds: 1,
    ops: 1_000,
    crowds: [5, 10],
    storm_phones: 10,
    listeners: 5,
    entries: 3,
    messages: 3,
    memory_phones: 10,
    idle_time: Duration::ZERO,
    histories: [500, 2_000],
    pushes: [5, 2],
};

#[tokio::main]
async fn main() {
    // cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let scale = if words.iter().any(|word| word == "--quick") { QUICK } else { FULL };
    let wanted: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    let is_wanted = |scene: &str| wanted.is_empty() || wanted.contains(&scene);
    let mut lines = Vec::new();
    // What is measured is told at once too: it takes long, and a later scene may end it.
    let mut keep = |measured: Vec<Line>| {
        for line in &measured {
            tell(&line.to_string());
        }
        lines.extend(measured);
    };
    if is_wanted("push") {
        keep(push::measure(scale).await);
    }
    if is_wanted("storm") {
        keep(storm::measure(scale).await);
    }
    if is_wanted("pull") {
        keep(pull::measure(scale).await);
    }
    if is_wanted("entry") {
        keep(entry::measure(scale).await);
    }
    if is_wanted("messages") {
        keep(messages::here(scale).await);
    }
    if is_wanted("pushes") {
        keep(messages::away(scale).await);
    }
    if is_wanted("memory") {
        keep(memory::measure(scale).await);
    }
    if is_wanted("history") {
        keep(history::measure(scale).await);
    }
    if is_wanted("telemetry") {
        keep(telemetry::measure(scale).await);
    }
    println!("{}", table(&lines));
}

/// Says how far it is; the table alone goes to standard output.
pub(crate) fn tell(text: &str) {
    eprintln!("bench: {text}");
}

/// How many a second.
pub(crate) fn per_second(count: usize, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(count).expect("few")) / elapsed.as_secs_f64()
}

/// The one in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
