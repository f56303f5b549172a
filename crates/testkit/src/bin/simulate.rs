//! Plays seeds of the simulator and prints what they did; `cargo xtask simulate` builds and calls it.

use std::process::ExitCode;

use showdesk_testkit::sim::{Engines, Plan, Report, simulate, simulate_all};

const USAGE: &str = "simulate [--seeds N] [--seed FIRST] [--edits N] [--restores] [--postgres DESKS] [--trace]";

/// Many seeds take long: somebody waits.
const TOLD_EVERY: u64 = 500;

struct Choices {
    seeds: u64,
    first: u64,
    plan: Plan,
}

fn main() -> ExitCode {
    let choices = match read_choices(std::env::args().skip(1)) {
        Ok(choices) => choices,
        Err(what) => {
            eprintln!("{what}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if choices.plan.trace {
        let report = simulate(choices.first, choices.plan);
        report.trace.iter().for_each(|line| println!("{line}"));
        println!("{}", Report { trace: Vec::new(), ..report }.story());
        return ExitCode::SUCCESS;
    }
    let seeds: Vec<u64> = (choices.first..choices.first + choices.seeds).collect();
    let summary = simulate_all(&seeds, choices.plan, |done, report| {
        if !report.violations.is_empty() {
            eprintln!("seed {} fails", report.seed);
        }
        if done % TOLD_EVERY == 0 {
            eprintln!("{done} seeds played");
        }
    });
    summary.failed.iter().for_each(|report| println!("{}", report.story()));
    println!("{summary}");
    if summary.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read_choices(mut words: impl Iterator<Item = String>) -> Result<Choices, String> {
    let mut choices = Choices { seeds: 500, first: 1, plan: Plan::default() };
    while let Some(word) = words.next() {
        let mut number = || {
            let text = words.next().ok_or_else(|| format!("{word} needs a number"))?;
            text.parse::<u64>().map_err(|error| format!("{word} {text}: {error}"))
        };
        match word.as_str() {
            "--seeds" => choices.seeds = number()?,
            "--seed" => (choices.first, choices.seeds) = (number()?, choices.seeds.min(1)),
            "--edits" => choices.plan.edits = usize::try_from(number()?).map_err(|error| error.to_string())?,
            "--postgres" => {
                let desks = usize::try_from(number()?).map_err(|error| error.to_string())?;
                choices.plan.engines = Engines::Postgres { desks };
            }
            "--restores" => choices.plan.restores = true,
            "--trace" => choices.plan.trace = true,
            _ => return Err(format!("{word} is not known here")),
        }
    }
    Ok(choices)
}
