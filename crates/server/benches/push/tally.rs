//! What was measured, and the table it is shown in.

use std::fmt::Write as _;
use std::time::Duration;

/// The rounds of one crowd of phones.
pub(crate) struct Tally {
    pub(crate) phones: usize,
    rounds: Vec<Round>,
}

struct Round {
    reference_per_s: f64,
    pushed_per_s: f64,
    median_ms: f64,
    slowest_ms: f64,
}

impl Tally {
    pub(crate) fn new(phones: usize) -> Self {
        Self { phones, rounds: Vec::new() }
    }

    /// Adds a round: how long the reference and the phones took for the same number of ops, and each push.
    pub(crate) fn add(&mut self, ops: usize, reference: Duration, pushing: Duration, mut pushes: Vec<Duration>) {
        pushes.sort_unstable();
        let per_second = |elapsed: Duration| f64::from(u32::try_from(ops).expect("few ops")) / elapsed.as_secs_f64();
        self.rounds.push(Round {
            reference_per_s: per_second(reference),
            pushed_per_s: per_second(pushing),
            median_ms: percentile_ms(&pushes, 50),
            slowest_ms: percentile_ms(&pushes, 99),
        });
    }

    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}

/// Medians over the rounds. A ratio compares the two sides of one round.
pub(crate) fn table(tallies: &[Tally]) -> String {
    let mut text = format!(
        "{:>7} {:>16} {:>14} {:>7} {:>8} {:>8}\n",
        "phones", "row by row /s", "pushed /s", "ratio", "p50 ms", "p99 ms"
    );
    for tally in tallies {
        let ratio = tally.median(|round| round.pushed_per_s / round.reference_per_s);
        writeln!(
            text,
            "{:>7} {:>16.0} {:>14.0} {ratio:>7.2} {:>8.0} {:>8.0}",
            tally.phones,
            tally.median(|round| round.reference_per_s),
            tally.median(|round| round.pushed_per_s),
            tally.median(|round| round.median_ms),
            tally.median(|round| round.slowest_ms),
        )
        .expect("a String takes every text");
    }
    text.push_str("targets: ratio at least 0.50 with 50 phones, p99 at most 300 ms with 200");
    text
}

/// The duration that so many in a hundred do not exceed; of sorted ones.
fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted[index].as_secs_f64() * 1_000.0
}
