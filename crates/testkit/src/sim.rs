//! The seeded simulator: phones, a bad network, a desk, and a checker that trusts none of them.
//!
//! It drives the real engine on a real database with a clock and a chance of its own. Same seed, same run: ids of ops,
//! times, order and losses come from the seed. Ids that the engine makes up itself (devices, clashes) differ from run
//! to run, and nothing here depends on them. After each run the seven invariants of PROTOCOL.md §8 are checked against
//! a ledger of what every author had on the screen.
//!
//! It never reads how the engine merges: the checker knows the contract, the database and the ledger.

mod admin;
mod attention;
mod chance;
mod check;
mod desk;
mod fields;
mod hostile;
mod ledger;
mod mutant;
mod people;
mod phone;
mod run;
mod template;
mod wire;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use showdesk_engine::api::sync::VerdictName;

pub use self::mutant::Mutant;
pub use self::run::Violation;
use self::wire::Reply;

/// The database of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engines {
    /// One desk on a SQLite file.
    Sqlite,
    /// That many desks on one Postgres.
    Postgres {
        /// How many.
        desks: usize,
    },
}

/// What is played.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Ops that people enter until the show ends.
    pub edits: usize,
    /// How often, in a hundred edits, an op is one that no client makes.
    pub poison_percent: usize,
    /// Whether old copies of the database are put back.
    pub restores: bool,
    /// A mistake in every phone.
    pub mutant: Option<Mutant>,
    /// The database.
    pub engines: Engines,
    /// Whether a trace is kept.
    pub trace: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { edits: 60, poison_percent: 3, restores: false, mutant: None, engines: Engines::Sqlite, trace: false }
    }
}

/// What a run did and what was wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// What the contract forbids.
    pub violations: Vec<Violation>,
    /// Ops that people entered.
    pub edits: usize,
    /// Ops that no client makes.
    pub poison: usize,
    /// Requests that reached the desk.
    pub requests: usize,
    /// Verdicts by name, those given again left out.
    pub verdicts: BTreeMap<String, usize>,
    /// Codes of rejections.
    pub rejections: BTreeMap<String, usize>,
    /// Kinds of clashes, as the database has them at the end.
    pub clashes: BTreeMap<String, usize>,
    /// Decisions taken, by kind and resolution.
    pub decisions: BTreeMap<String, usize>,
    /// Decisions taken back.
    pub undone: usize,
    /// Decisions about several clashes at once.
    pub bulk: usize,
    /// Refused ops that the desk looked after.
    pub attended: usize,
    /// Phones that were set back to an old copy of their store.
    pub set_back: usize,
    /// Verdicts given again.
    pub replayed: usize,
    /// Answers 409, 410, 401, 403.
    pub refused_requests: BTreeMap<String, usize>,
    /// Times the desk was stopped and started.
    pub restarts: usize,
    /// Times an old copy was put back.
    pub restores: usize,
    /// Times a device got other functions.
    pub role_changes: usize,
    /// Devices removed.
    pub removals: usize,
    /// Phones that lost their store.
    pub lost_stores: usize,
    /// What happened, line by line, if it was asked for.
    pub trace: Vec<String>,
}

impl Report {
    fn count(&mut self, reply: &Reply) {
        match reply {
            Reply::Push(answer) => {
                for result in &answer.results {
                    if result.replayed {
                        self.replayed += 1;
                        continue;
                    }
                    let mut name = format!("{:?}", result.verdict).to_lowercase();
                    if result.verdict == VerdictName::Held && result.waiting_for.is_some() {
                        name.push_str(" (waits)");
                    }
                    *self.verdicts.entry(name).or_default() += 1;
                    if let Some(error) = &result.error {
                        *self.rejections.entry(error.code.clone()).or_default() += 1;
                    }
                }
            }
            Reply::Failed(failure) => {
                let name = format!("{failure:?}").split('(').next().unwrap_or_default().to_owned();
                *self.refused_requests.entry(name).or_default() += 1;
            }
            Reply::Pull(_) | Reply::Status(_) => {}
        }
    }

    /// Adds another run's numbers; its violations and trace stay with it.
    fn add(&mut self, other: &Self) {
        let counts = [
            (&mut self.edits, other.edits),
            (&mut self.poison, other.poison),
            (&mut self.requests, other.requests),
            (&mut self.undone, other.undone),
            (&mut self.bulk, other.bulk),
            (&mut self.attended, other.attended),
            (&mut self.set_back, other.set_back),
            (&mut self.replayed, other.replayed),
            (&mut self.restarts, other.restarts),
            (&mut self.restores, other.restores),
            (&mut self.role_changes, other.role_changes),
            (&mut self.removals, other.removals),
            (&mut self.lost_stores, other.lost_stores),
        ];
        for (sum, count) in counts {
            *sum += count;
        }
        let maps = [
            (&mut self.verdicts, &other.verdicts),
            (&mut self.rejections, &other.rejections),
            (&mut self.clashes, &other.clashes),
            (&mut self.decisions, &other.decisions),
            (&mut self.refused_requests, &other.refused_requests),
        ];
        for (sums, counts) in maps {
            for (name, count) in counts {
                *sums.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// The violations and the lines of the trace that have to do with them, for a person who looks for the reason.
    pub fn story(&self) -> String {
        let mut text = format!("seed {} after {} edits\n", self.seed, self.edits);
        for violation in &self.violations {
            let record = violation.record.as_deref().unwrap_or("");
            let _ = writeln!(text, "  invariant {}: {record} {}", violation.invariant, violation.what);
        }
        let mut words: Vec<&str> =
            self.violations.iter().filter_map(|violation| violation.record.as_deref()?.split('/').nth(1)).collect();
        let about = |line: &&String, words: &[&str]| words.is_empty() || words.iter().any(|word| line.contains(word));
        let entered = self.trace.iter().filter(|line| line.contains(" enters ") && about(line, &words));
        let ops: Vec<&str> = entered.filter_map(|line| line.split(" enters ").nth(1)?.split(' ').next()).collect();
        words.extend(ops);
        for line in self.trace.iter().filter(|line| about(line, &words)) {
            let _ = writeln!(text, "  {line}");
        }
        text
    }
}

/// What many runs did together.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// How many seeds were played.
    pub seeds: u64,
    /// The numbers of all of them.
    pub total: Report,
    /// Runs with violations, by seed, each shortened and with its trace.
    pub failed: Vec<Report>,
    /// How long it took.
    pub took: Duration,
}

/// Plays one seed.
pub fn simulate(seed: u64, plan: Plan) -> Report {
    runtime().block_on(async { run::Run::begin(seed, plan).await.play().await })
}

/// Plays many seeds on all cores. `watch` hears of each that was played how many are done and what it did.
pub fn simulate_all(seeds: &[u64], plan: Plan, watch: impl Fn(u64, &Report) + Sync) -> Summary {
    let began = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(seeds.len().max(1));
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let (total, failed) = (Mutex::new(Report::default()), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok().and_then(|at| seeds.get(at)) {
            let report = simulate(*seed, plan);
            total.lock().expect("no run panics while it counts").add(&report);
            if !report.violations.is_empty() {
                failed.lock().expect("no run panics while it counts").push(*seed);
            }
            watch(done.fetch_add(1, Ordering::Relaxed) + 1, &report);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().expect("no run panics while it counts");
    failed.sort_unstable();
    Summary {
        seeds: u64::try_from(seeds.len()).expect("a usize has at most 64 bits"),
        total: total.into_inner().expect("no run panics while it counts"),
        failed: failed.into_iter().map(|seed| shorten(seed, plan)).collect(),
        took: began.elapsed(),
    }
}

/// Plays a failing seed with fewer and fewer edits and keeps the shortest run that still fails, with its trace.
fn shorten(seed: u64, plan: Plan) -> Report {
    let (mut low, mut high) = (0, plan.edits);
    while low + 1 < high {
        let middle = usize::midpoint(low, high);
        if simulate(seed, Plan { edits: middle, ..plan }).violations.is_empty() {
            low = middle;
        } else {
            high = middle;
        }
    }
    simulate(seed, Plan { edits: high, trace: true, ..plan })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime for the run")
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = &self.total;
        let seconds = self.took.as_secs_f64();
        writeln!(f, "{} seeds in {seconds:.1} s, {} failed", self.seeds, self.failed.len())?;
        let each = |count: usize| format!("{count} ({:.1} a seed)", per(count, self.seeds));
        writeln!(f, "  ops {}, hostile {}, requests {}", each(total.edits), total.poison, each(total.requests))?;
        let decided: usize = total.verdicts.values().sum();
        let shares = |counts: &BTreeMap<String, usize>| {
            let one = |(name, count): (&String, &usize)| format!("{name} {count}");
            counts.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "  verdicts of {decided}: {}; given again {}", shares(&total.verdicts), total.replayed)?;
        writeln!(f, "  rejected: {}", shares(&total.rejections))?;
        writeln!(f, "  clashes: {}", shares(&total.clashes))?;
        writeln!(f, "  decisions: {}; taken back {}; at once {}", shares(&total.decisions), total.undone, total.bulk)?;
        writeln!(f, "  requests refused: {}", shares(&total.refused_requests))?;
        write!(
            f,
            "  restarts {}, restores {}, new functions {}, removals {}, lost stores {}, phones set back {}, refused ops \
             looked after {}",
            total.restarts,
            total.restores,
            total.role_changes,
            total.removals,
            total.lost_stores,
            total.set_back,
            total.attended
        )
    }
}

fn per(count: usize, seeds: u64) -> f64 {
    let (count, seeds) = (u32::try_from(count).unwrap_or(u32::MAX), u32::try_from(seeds).unwrap_or(u32::MAX));
    f64::from(count) / f64::from(seeds.max(1))
}
