//! Faults from outside, promise by promise: power cuts, kills, lost answers, full and failing disks, jumping clocks.
//!
//! The program under test is the one that ships, spoken to over HTTP; nothing in it knows of these cases.
//! They need root (loop mounts, strace) and Debian's strace, libfaketime, xfsprogs and postgresql, so
//! `cargo test` does not build them: `cargo xtask faults` does, and what cannot run here fails.

mod claim;
mod clock;
mod contract;
#[path = "../http/desk.rs"]
#[expect(dead_code, reason = "the black-box tests use more of it")]
mod desk;
mod eio;
mod full;
mod guessing;
mod image;
mod kill;
mod ledger;
mod lost;
#[path = "../http/phone.rs"]
#[expect(dead_code, reason = "the black-box tests use more of it")]
mod phone;
mod postgres;
mod power;
mod program;
mod proxy;
mod removal;
#[path = "../http/seed.rs"]
mod seed;
mod shell;
mod slow_peers;

use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use program::Engine::{self, Postgres, Sqlite};

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// What every change must pass: a few minutes.
    Ci,
    /// Before a release: hours.
    Full,
}

impl Size {
    fn pick(self, ci: usize, full: usize) -> usize {
        if self == Self::Ci { ci } else { full }
    }
}

/// What a case did and saw. That nothing went wrong is not in it: a case that finds something panics.
#[derive(Debug)]
pub(crate) struct Tally {
    /// How often the fault was put in.
    pub(crate) runs: usize,
    /// The figures that show it was really there.
    pub(crate) seen: String,
}

type Running = Pin<Box<dyn Future<Output = Tally> + Send>>;

struct Case {
    promise: &'static str,
    fact: &'static str,
    run: fn(Size) -> Running,
}

/// A case's function, made one that can stand in a list.
macro_rules! case {
    ($promise:literal, $fact:literal, $run:path $(, $engine:expr)?) => {
        Case { promise: $promise, fact: $fact, run: |size| Box::pin($run(size $(, $engine)?)) }
    };
}

const CASES: &[Case] = &[
    case!("P1", "a power cut loses nothing acknowledged, SQLite", power::cuts, Sqlite),
    case!("P1", "a power cut loses nothing acknowledged, Postgres", power::cuts, Postgres),
    case!("P1", "control: without fsync the loss is found, SQLite", power::control, Sqlite),
    case!("P1", "control: without fsync the loss is found, Postgres", power::control, Postgres),
    case!("P2", "kill -9 loses nothing acknowledged, SQLite", kill::kills, Sqlite),
    case!("P2", "kill -9 loses nothing acknowledged, Postgres", kill::kills, Postgres),
    case!("P3", "lost answers double nothing, SQLite", lost::answers, Sqlite),
    case!("P3", "lost answers double nothing, Postgres", lost::answers, Postgres),
    case!("P7", "a worker killed mid-claim leaves nothing stuck or doubled, SQLite", claim::kills, Sqlite),
    case!("P7", "a worker killed mid-claim leaves nothing stuck or doubled, Postgres", claim::kills, Postgres),
    case!("P9", "generated requests are answered as the contract says, SQLite", contract::generated, Sqlite),
    case!("P9", "generated requests are answered as the contract says, Postgres", contract::generated, Postgres),
    case!("P10", "a full disk is 507 and room mends it, SQLite", full::sqlite),
    case!("P10", "a full disk is 507 and room mends it, Postgres", full::postgres),
    case!("P10", "the reserve stays free", full::reserve),
    case!("P11", "a failed fsync is not acknowledged, nor asked again", eio::running),
    case!("P11", "a failed fsync at the first start harms nothing", eio::first_start),
    case!("P12", "a jumping clock changes nothing, SQLite", clock::jumps, Sqlite),
    case!("P12", "a jumping clock changes nothing, Postgres", clock::jumps, Postgres),
    case!("P13", "guessing a joining code fails, SQLite", guessing::codes, Sqlite),
    case!("P13", "guessing a joining code fails, Postgres", guessing::codes, Postgres),
    case!("P14", "a removed phone is out within a second, SQLite", removal::of_phones, Sqlite),
    case!("P14", "a removed phone is out within a second, Postgres", removal::of_phones, Postgres),
    case!("P16", "slow peers do not slow honest phones", slow_peers::peers, Sqlite),
];

/// How a case ended.
struct Ended {
    case: &'static Case,
    took: Duration,
    tally: Option<Tally>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = match arguments.first().map(String::as_str) {
        Some("--ci") => Size::Ci,
        Some("--full") => Size::Full,
        _ => {
            eprintln!("usage: faults --ci|--full [P1 P2 …]; `cargo xtask faults` calls it");
            return ExitCode::FAILURE;
        }
    };
    let wanted = |case: &&Case| arguments.len() == 1 || arguments[1..].iter().any(|name| name == case.promise);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime.expect("a runtime").block_on(run(size, CASES.iter().filter(wanted).collect()));
    report(&ended)
}

async fn run(size: Size, cases: Vec<&'static Case>) -> Vec<Ended> {
    let mut ended = Vec::new();
    for case in cases {
        eprintln!("{} · {} …", case.promise, case.fact);
        let began = Instant::now();
        // A task of its own: a panic ends the case and not the others.
        let tally = tokio::spawn((case.run)(size)).await.ok();
        ended.push(Ended { case, took: began.elapsed(), tally });
    }
    ended
}

/// Prints the table. A run without cases has proven nothing and fails, too.
fn report(ended: &[Ended]) -> ExitCode {
    println!("{:<7} {:>5} {:>6}  {:<6}  what", "promise", "runs", "s", "result");
    for Ended { case, took, tally } in ended {
        let (runs, result, seen) = match tally {
            Some(tally) => (tally.runs.to_string(), "held", tally.seen.as_str()),
            None => ("–".to_owned(), "BROKEN", "see above"),
        };
        let seconds = took.as_secs_f32();
        println!("{:<7} {runs:>5} {seconds:>6.1}  {result:<6}  {}: {seen}", case.promise, case.fact);
    }
    let failed = ended.iter().filter(|ended| ended.tally.is_none()).count();
    println!("faults: {} passed, {failed} failed", ended.len() - failed);
    if failed == 0 && !ended.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The engine's name, for figures.
pub(crate) fn name(engine: Engine) -> &'static str {
    if engine == Sqlite { "SQLite" } else { "Postgres" }
}
