//! P1: a power cut. What was acknowledged before is there exactly once, and the start needs no repair.
//!
//! The cut is a copy of the show's disk at one instant, in the middle of pushes; the program is then started on the
//! copy. What still waits in memory anywhere above the block device is not in it. A disk's own cache, which can lose
//! what it was told to keep, is not played here.

use std::path::Path;
use std::time::Duration;

use crate::desk::Desk;
use crate::image::Disk;
use crate::ledger::{End, Ledger, Told};
use crate::postgres::Server;
use crate::program::{Engine, Launch, Program};
use crate::{Size, Tally};

/// Holds a Postgres; nothing of it is taken before it is written.
const DISK_MIB: u64 = 768;
/// A start may take so long (RELIABILITY P2); slower ones are told, not failed: the machine may be busy.
const SLOW_START: Duration = Duration::from_secs(3);
/// What makes every fsync of the program succeed without doing anything.
const NO_FSYNC: [&str; 9] = [
    "strace",
    "-f",
    "--seccomp-bpf",
    "-o",
    "/dev/null",
    "-e",
    "trace=fsync,fdatasync",
    "-e",
    "inject=fsync,fdatasync:retval=0",
];

/// A show on a disk, with the database beside it if that is a server.
struct Show {
    desk: Desk,
    server: Option<Server>,
}

impl Show {
    /// Starts on what is in the folder, or makes a new show there.
    async fn on(engine: Engine, disk: &Path, under: &[&str], settings: &[&str]) -> Result<Self, String> {
        let data = disk.join("postgres");
        let server = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                if !data.exists() {
                    Server::make(&data);
                }
                Some(Server::start(&data, settings))
            }
        };
        let mut program = Program::new(Launch {
            folder: disk.join("show"),
            database_url: server.as_ref().map(Server::url),
            under: under.iter().map(|&word| word.to_owned()).collect(),
            ..Launch::default()
        });
        program.try_start().await.map_err(|status| format!("the program does not start: {status}"))?;
        Ok(Self { desk: Desk::of(program).await, server })
    }

    /// Ends it without asking.
    async fn end(mut self) {
        self.desk.program.kill().await;
        drop(self.server);
    }
}

/// What the program says about its disk after a cut.
struct Found {
    wrong: Vec<String>,
    start_took: Duration,
}

/// Starts the program on a disk whose power was cut.
async fn look(engine: Engine, disk: &Path, told: &Told, epoch: &serde_json::Value) -> Result<Found, String> {
    let show = Show::on(engine, disk, &[], &[]).await?;
    let mut wrong = told.compare(&show.desk.pull_all().await);
    if show.desk.epoch != *epoch {
        wrong.push("the desk takes itself for one restored from a backup".to_owned());
    }
    if wrong.is_empty() {
        told.check_verdicts(&show.desk).await;
    }
    let start_took = show.desk.program.start_took;
    show.end().await;
    Ok(Found { wrong, start_took })
}

/// Cuts the power while a phone pushes; answers what was told before, which is what must be on the copy.
async fn cut_while_pushing(disk: &Disk, show: &Show, ledger: &Ledger, answers: usize) -> (crate::image::Cut, Told) {
    let pushing = ledger.push_on(&show.desk);
    ledger.more_answers(answers).await;
    let answered = ledger.told().answered;
    let cut = disk.cut();
    // What was sent meanwhile may be on the copy or not.
    let told = Told { answered, ..ledger.told() };
    ledger.stop();
    let end = pushing.await.expect("the pushing ends");
    assert!(matches!(end, End::Stopped), "{end:?}");
    (cut, told)
}

pub(crate) async fn cuts(size: Size, engine: Engine) -> Tally {
    let runs = size.pick(5, 100);
    let disk = Disk::new(DISK_MIB);
    let show = Show::on(engine, disk.folder(), &[], &[]).await.expect("a new show");
    let ledger = Ledger::new();
    let (mut slowest, mut acknowledged) = (Duration::ZERO, 0);
    for run in 0..runs {
        let (cut, told) = cut_while_pushing(&disk, &show, &ledger, 3 + run % 5).await;
        let found = look(engine, cut.folder(), &told, &show.desk.epoch).await.expect("it starts without repair");
        assert!(found.wrong.is_empty(), "cut {run}: {:#?}", found.wrong);
        slowest = slowest.max(found.start_took);
        acknowledged = told.answered;
    }
    ledger.check(&show.desk).await;
    show.end().await;
    let remark = if slowest > SLOW_START { ", SLOW" } else { "" };
    Tally {
        runs,
        seen: format!(
            "{acknowledged} ops acknowledged before the last cut, none lost; slowest start {slowest:.1?}{remark}"
        ),
    }
}

/// The same cut with a database that only believes that it writes to the disk: what is lost must be found.
pub(crate) async fn control(_size: Size, engine: Engine) -> Tally {
    let disk = Disk::new(DISK_MIB);
    let show = Show::on(engine, disk.folder(), &[], &[]).await.expect("a new show");
    show.end().await;
    disk.sync();
    let under = if engine == Engine::Sqlite { NO_FSYNC.as_slice() } else { &[] };
    let show = Show::on(engine, disk.folder(), under, &["fsync=off"]).await.expect("it starts");
    let ledger = Ledger::new();
    let (cut, told) = cut_while_pushing(&disk, &show, &ledger, 20).await;
    let found = look(engine, cut.folder(), &told, &show.desk.epoch).await;
    show.end().await;
    let seen = match found {
        Ok(found) => {
            assert!(!found.wrong.is_empty(), "nothing reached the disk on purpose, and nothing is missed");
            format!("{} of {} acknowledged ops are missed", found.wrong.len(), told.answered)
        }
        Err(error) => error,
    };
    Tally { runs: 1, seen }
}
