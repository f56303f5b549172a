//! P10: a full disk. Writes are answered 507, reads go on, nothing is damaged, and room alone mends it.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;
use rusqlite::config::DbConfig;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::image::{SmallDisk, scratch};
use crate::ledger::{End, Ledger};
use crate::phone::{fresh, insert, send};
use crate::postgres::Server;
use crate::program::{Launch, Program};
use crate::shell::run;
use crate::{Size, Tally};

const MIB: usize = 1024 * 1024;
/// A disk that a few dozen pushes fill.
const SMALL_DISK_MIB: u64 = 8;
/// One for the rows of a Postgres, which begins with eight MiB of its own.
const POSTGRES_DISK_MIB: u64 = 48;
/// How often the disk fills up under one show.
const FILLINGS: usize = 2;
/// A push that needs more than the last pages of a disk.
const LARGE_PUSH_OPS: usize = 300;
const NAME_CHARS: usize = 190;
/// A disk with room for a reserve.
const ROOMY_DISK_MIB: u64 = 64;
const RESERVE_MIB: usize = 24;

async fn desk_on(volume: &SmallDisk, reserve_mib: usize) -> Desk {
    let mut program = Program::new(Launch { folder: volume.folder().join("show"), reserve_mib, ..Launch::default() });
    program.start_again().await;
    Desk::of(program).await
}

pub(crate) async fn sqlite(size: Size) -> Tally {
    let runs = size.pick(2, 66);
    let mut seen = Seen::default();
    for _ in 0..runs {
        let volume = SmallDisk::new(SMALL_DISK_MIB);
        let ballast = Ballast::on(volume.folder());
        let mut desk = desk_on(&volume, 0).await;
        fill_and_mend(&mut desk, &ballast, &mut seen).await;
        desk.program.kill().await;
        check_integrity(desk.program.folder());
    }
    seen.tally(runs)
}

pub(crate) async fn postgres(size: Size) -> Tally {
    let runs = size.pick(1, 33);
    let mut seen = Seen::default();
    for _ in 0..runs {
        let home = scratch();
        let data = home.path().join("data");
        Server::make(&data);
        let server = Server::start(&data, &[]);
        let volume = SmallDisk::new(POSTGRES_DISK_MIB);
        server.database_in(&volume.folder().join("rows"), "show");
        let (folder, database_url) = (home.path().join("show"), Some(server.url_of("show")));
        let mut program = Program::new(Launch { folder, database_url, ..Launch::default() });
        program.start_again().await;
        let mut desk = Desk::of(program).await;
        let ballast = Ballast::on(volume.folder());
        ballast.leave(2 * MIB);
        fill_and_mend(&mut desk, &ballast, &mut seen).await;
        desk.program.kill().await;
    }
    seen.tally(runs)
}

/// What filled disks came to.
#[derive(Default)]
struct Seen {
    refused: usize,
    acknowledged: usize,
}

impl Seen {
    fn tally(&self, runs: usize) -> Tally {
        let Self { refused, acknowledged } = self;
        Tally {
            runs, seen: format!("{refused} × 507, {acknowledged} acknowledged ops all there, recovered each time")
        }
    }
}

/// Files in the way, which are taken away one after the other.
struct Ballast {
    folder: PathBuf,
}

impl Ballast {
    fn on(disk: &Path) -> Self {
        let ballast = Self { folder: disk.to_owned() };
        (0..FILLINGS).for_each(|number| fs::write(ballast.file(number), vec![7; MIB]).expect("there is room yet"));
        ballast
    }

    /// Fills the disk up to so much room, for good.
    fn leave(&self, bytes: usize) {
        let size = free_bytes(&self.folder).checked_sub(bytes).expect("there is room yet");
        fs::write(self.folder.join("filling"), vec![7; size]).expect("there is room for it");
    }

    fn take_away(&self, number: usize) {
        fs::remove_file(self.file(number)).expect("room is made");
    }

    fn file(&self, number: usize) -> PathBuf {
        self.folder.join(format!("ballast-{number}"))
    }
}

async fn fill_and_mend(desk: &mut Desk, ballast: &Ballast, seen: &mut Seen) {
    let ledger = Ledger::new();
    for filling in 0..FILLINGS {
        let end = ledger.push_on(desk).await.expect("the pushing ends");
        let End::Refused(507, problem) = end else { panic!("the disk is full: {end:?}") };
        assert_eq!((&problem["code"], &problem["retry"]), (&json!("disk_full"), &json!("later")));
        seen.refused += 1;
        reads_go_on(desk, &ledger).await;
        writes_are_refused(desk).await;
        desk.program.kill().await;
        desk.start_again().await;
        reads_go_on(desk, &ledger).await;
        ballast.take_away(filling);
        ledger.settle(desk).await;
        ledger.check(desk).await;
    }
    desk.program.kill().await;
    desk.start_again().await;
    ledger.check(desk).await;
    seen.acknowledged += ledger.told().answered;
}

pub(crate) async fn reserve(_size: Size) -> Tally {
    let volume = SmallDisk::new(ROOMY_DISK_MIB);
    let mut desk = desk_on(&volume, RESERVE_MIB).await;
    let ledger = Ledger::new();
    let pushing = ledger.push_on(&desk);
    ledger.more_answers(3).await;
    ledger.stop();
    pushing.await.expect("the pushing ends");
    let ballast = volume.folder().join("ballast");
    let left = free_bytes(volume.folder()) - RESERVE_MIB * MIB;
    fs::write(&ballast, vec![7; left + MIB]).expect("there is room for it");
    writes_are_refused(&desk).await;
    assert!(free_bytes(volume.folder()) > MIB, "the disk itself still has room");
    reads_go_on(&desk, &ledger).await;
    desk.program.kill().await;
    desk.start_again().await;
    reads_go_on(&desk, &ledger).await;
    fs::remove_file(&ballast).expect("room is made");
    let pushing = ledger.push_on(&desk);
    ledger.more_answers(3).await;
    ledger.stop();
    pushing.await.expect("the pushing ends");
    ledger.check(&desk).await;
    Tally { runs: 1, seen: format!("507 below {RESERVE_MIB} MiB, writes again above") }
}

async fn reads_go_on(desk: &Desk, ledger: &Ledger) {
    let told = ledger.told();
    let wrong = told.compare(&desk.pull_all().await);
    assert!(wrong.is_empty(), "{wrong:#?}");
    told.check_verdicts(desk).await;
    desk.get("/admin/overview").await.expect_status(200);
}

/// Synced rows and everything else alike; often enough that something would give way.
async fn writes_are_refused(desk: &Desk) {
    for _ in 0..3 {
        let name = json!({"name": "x".repeat(NAME_CHARS)});
        let ops: Vec<Json> = (0..LARGE_PUSH_OPS).map(|_| insert("rings", &fresh(), name.clone())).collect();
        let push = desk.push_envelope(&desk.envelope(&ops)).await.expect_problem(507);
        assert_eq!(push["code"], "disk_full");
    }
    let scope = json!({"ring_ids": [], "departments": [], "exhibitor_ids": []});
    let request = json!({"functions": ["checkin"], "scope": scope, "mode": "single"});
    for _ in 0..20 {
        let answer = send(desk.request(Method::POST, "/admin/pairings").json(&request)).await;
        if answer.status == 201 {
            // A row of a page may still fit where a push does not.
            continue;
        }
        let problem: Json = answer.expect_problem(507);
        assert_eq!(problem["code"], "disk_full");
        return;
    }
    panic!("a code needs room, too");
}

/// The database says itself that nothing of it is damaged. Looking changes nothing, such as moving the log into it.
pub(crate) fn check_integrity(folder: &Path) {
    let file = rusqlite::Connection::open(folder.join("showdesk.sqlite")).expect("the database opens");
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("it is left as it is");
    let said: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(said, "ok");
    let dangling = file.prepare("PRAGMA foreign_key_check").and_then(|mut check| check.exists([]));
    assert!(!dangling.expect("an answer"), "a reference points nowhere");
}

fn free_bytes(folder: &Path) -> usize {
    let folder = folder.to_str().expect("paths of ours are text");
    let said = run("df", &["--output=avail", "--block-size=1", folder]);
    said.lines().last().and_then(|line| line.trim().parse().ok()).expect("a number")
}
