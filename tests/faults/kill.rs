//! P2: kill -9. What was acknowledged is there exactly once, and the start needs no repair.
//!
//! A third of the kills come at any instant. The others come at a place: strace kills the program as it enters the
//! nth call of a kind, in the middle of writing a transaction, or with the transaction committed and its answer not yet
//! gone. A program that dies loses nothing that it gave to the system, so only the places around a commit matter.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::desk::Desk;
use crate::ledger::{End, Ledger, Settled};
use crate::program::Engine;
use crate::{Size, Tally, name};

/// The kills come at the same places in each run, as far as the machine lets them.
const SEED: u64 = 0x05ee_dde5;
/// A kill at any instant comes so long after an answer, at most; a push takes about as long.
const INSTANT_US_MAX: u64 = 20_000;

/// When the program dies.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after an answer.
    After(Duration),
    /// As it enters this call for the nth time in a thread.
    At { calls: &'static str, nth: u32 },
}

impl Moment {
    /// `before_commit`: SQLite writes a page, or a question goes to Postgres. `after_commit_before_ack`: the answer goes.
    fn of(round: usize, engine: Engine, random: &mut StdRng) -> Self {
        let at = |calls, nth| Self::At { calls, nth };
        match (round % 3, engine) {
            (0, _) => Self::After(Duration::from_micros(random.random_range(0..INSTANT_US_MAX))),
            (1, Engine::Sqlite) => at("pwrite64", random.random_range(20..120)),
            (1, Engine::Postgres) => at("sendto", random.random_range(20..120)),
            (_, _) => at("writev", random.random_range(2..12)),
        }
    }

    fn tool(self) -> Vec<String> {
        let Self::At { calls, nth } = self else { return Vec::new() };
        let trace = format!("trace={calls}");
        let inject = format!("inject={calls}:signal=KILL:when={nth}");
        ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject].map(str::to_owned).to_vec()
    }
}

pub(crate) async fn kills(size: Size, engine: Engine) -> Tally {
    let runs = size.pick(25, 500);
    let mut random = StdRng::seed_from_u64(SEED);
    let mut desk = Desk::start(engine).await;
    let ledger = Ledger::new();
    let (mut open, mut slowest) = (Settled::default(), Duration::ZERO);
    let mut starts_killed = 0;
    for round in 0..runs {
        desk.program.kill().await;
        let moment = Moment::of(round, engine, &mut random);
        desk.program.launch.under = moment.tool();
        if desk.program.try_start().await.is_ok() {
            // It may die before it has answered anything, even what epoch it lives in: that is the one from before.
            desk.office.sends_to(&desk.program.admin);
            push_until_dead(&mut desk, &ledger, moment).await;
        } else {
            starts_killed += 1;
        }
        desk.program.launch.under.clear();
        desk.start_again().await;
        slowest = slowest.max(desk.program.start_took);
        let settled = ledger.settle(&desk).await;
        open.replayed += settled.replayed;
        open.applied += settled.applied;
        ledger.check(&desk).await;
    }
    assert!(open.replayed > 0, "some kill came after a commit and before its answer");
    assert!(open.applied > 0, "some kill came before a commit");
    let Settled { replayed, applied } = open;
    let told = ledger.told().answered;
    Tally {
        runs,
        seen: format!(
            "{told} ops on {}, none lost or doubled; of those without an answer {replayed} were committed and {applied} \
             not; {starts_killed} kills hit a start; slowest start {slowest:.1?}",
            name(engine)
        ),
    }
}

/// Pushes on and on, until the program dies under it.
async fn push_until_dead(desk: &mut Desk, ledger: &Ledger, moment: Moment) {
    let pushing = ledger.push_on(desk);
    if let Moment::After(instant) = moment {
        ledger.more_answers(1).await;
        // The instant is the fault: there is no condition to wait for.
        tokio::time::sleep(instant).await;
        desk.program.kill().await;
    } else {
        desk.program.ended().await;
    }
    let end = pushing.await.expect("the pushing ends with the program");
    assert!(matches!(end, End::Gone), "{end:?}");
}
