//! P11: the disk reports an error at the nth fsync. Nothing that was in it is acknowledged, the desk saves nothing
//! more and never asks the disk again, reads go on, and a new start finds everything that was acknowledged.
//!
//! The error comes once: a desk that went on, or asked again, would be told that all is well.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::desk::Desk;
use crate::full::check_integrity;
use crate::ledger::{End, Ledger};
use crate::phone::{fresh, insert};
use crate::program::{Engine, Launch, Program};
use crate::shell::run;
use crate::{Size, Tally};

/// How strace marks a call that it let fail.
const INJECTED: &str = "(INJECTED)";
/// How the names begin of the files that an answer waits for: the database's, and the mark of the epoch beside it.
const AWAITED: [&str; 2] = ["/showdesk.sqlite", "/epoch.mark"];

/// What the program is started under, with its report. `only`: other files' syncs go through and are not counted.
fn failing_at(nth: usize, report: &Path, only: Option<&Path>) -> Vec<String> {
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}");
    let words = ["strace", "-f", "-y", "-o", shown(report), "-e", "trace=fsync,fdatasync", "-e", &inject];
    let only = only.map_or(vec!["--seccomp-bpf"], |path| vec!["-P", shown(path)]);
    words.into_iter().chain(only).map(str::to_owned).collect()
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("paths of ours are text")
}

/// What a run came to.
#[derive(Debug, Default)]
struct Seen {
    starts_refused: usize,
    pushes_refused: usize,
    /// Errors of syncs that only repeated one of ours.
    harmless: usize,
    /// Of the ops in the failed push, how many a new start found.
    found_later: usize,
    acknowledged: usize,
    /// The files that met the error first, and how often.
    files: BTreeMap<String, usize>,
}

impl Seen {
    fn tally(&self, runs: usize) -> Tally {
        let Self { starts_refused, pushes_refused, harmless, found_later, acknowledged, files } = self;
        let seen = format!(
            "{pushes_refused} pushes and {starts_refused} starts refused, no fsync after it; {harmless} harmless; \
             {acknowledged} acknowledged ops all there, and {found_later} of the others; it came in {files:?}"
        );
        Tally { runs, seen }
    }
}

/// On a show that is under way.
pub(crate) async fn running(size: Size) -> Tally {
    let runs = size.pick(30, 300);
    let marks = size.pick(5, 50);
    let mut first = Desk::start(Engine::Sqlite).await;
    first.program.kill().await;
    let mut seen = Seen::default();
    for run_number in 1..=runs {
        let mut program = Program::new(Launch::default());
        program.launch.folder = program.scratch().join("show");
        run("cp", &["-r", shown(first.program.folder()), shown(program.folder())]);
        // The mark's syncs come later than the database's, so it is failed by itself in some runs.
        let mark = program.folder().join("epoch.mark");
        let (nth, only) = if run_number <= marks { (run_number, Some(mark)) } else { (run_number - marks, None) };
        fail_once(program, nth, only.as_deref(), &mut seen).await;
    }
    assert!(seen.pushes_refused > runs / 2, "most errors hit a push: {seen:?}");
    seen.tally(runs)
}

/// On an empty folder: half a show must not be left behind.
pub(crate) async fn first_start(size: Size) -> Tally {
    let runs = size.pick(10, 100);
    let mut seen = Seen::default();
    for nth in 1..=runs {
        let mut program = Program::new(Launch::default());
        program.launch.folder = program.scratch().join("show");
        fail_once(program, nth, None, &mut seen).await;
    }
    assert!(seen.starts_refused > 0, "an error hit a start: {seen:?}");
    seen.tally(runs)
}

async fn fail_once(mut program: Program, nth: usize, only: Option<&Path>, seen: &mut Seen) {
    let report = program.scratch().join("strace.txt");
    program.launch.under = failing_at(nth, &report, only);
    let ledger = Ledger::new();
    let mut desk = if program.try_start().await.is_ok() {
        let mut desk = Desk::of(program).await;
        if push_until_refused(&desk, &ledger, nth).await {
            never_asked_again(&report);
            seen.pushes_refused += 1;
        } else {
            only_a_repetition(&report, desk.program.folder());
            seen.harmless += 1;
        }
        desk.program.kill().await;
        desk.program.launch.under.clear();
        desk.start_again().await;
        desk
    } else {
        seen.starts_refused += 1;
        program.launch.under.clear();
        program.start_again().await;
        Desk::of(program).await
    };
    *seen.files.entry(first_failed(&report)).or_default() += 1;
    seen.acknowledged += ledger.told().answered;
    seen.found_later += ledger.settle(&desk).await.replayed;
    ledger.check(&desk).await;
    desk.program.kill().await;
    check_integrity(desk.program.folder());
}

/// Answers whether the desk refuses by the time when its database must have met the error.
async fn push_until_refused(desk: &Desk, ledger: &Ledger, nth: usize) -> bool {
    let mut pushing = ledger.push_on(desk);
    let end = tokio::select! {
        end = &mut pushing => end,
        () = ledger.more_answers(nth + 3) => {
            ledger.stop();
            pushing.await
        }
    };
    let problem = match end.expect("the pushing ends") {
        End::Refused(503, problem) => problem,
        End::Stopped => return false,
        end => panic!("the disk failed: {end:?}"),
    };
    assert_eq!((&problem["code"], &problem["retry"]), (&json!("read_only"), &json!("later")));
    let told = ledger.told();
    let wrong = told.compare(&desk.pull_all().await);
    assert!(wrong.is_empty(), "reads go on: {wrong:#?}");
    for _ in 0..3 {
        let op = insert("rings", &fresh(), json!({"name": "One more"}));
        let answer = desk.push_envelope(&desk.envelope(&[op])).await.expect_problem(503);
        assert_eq!(answer["code"], "read_only");
    }
    let scope = json!({"ring_ids": [], "departments": [], "exhibitor_ids": []});
    let pairing = json!({"functions": ["checkin"], "scope": scope, "mode": "single"});
    assert_eq!(desk.post("/admin/pairings", &pairing).await.expect_problem(503)["code"], "read_only");
    true
}

/// The file whose sync failed first.
fn first_failed(report: &Path) -> String {
    let report = fs::read_to_string(report).expect("strace's report");
    let line = report.lines().find(|line| line.contains(INJECTED)).expect("the error came");
    let path = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("strace names the file").0;
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// SQLite syncs the folder when it syncs its log for the first time, and keeps to itself that it could not. By then the
/// program has done so itself, with the log's name in it.
fn only_a_repetition(report: &Path, folder: &Path) {
    let report = fs::read_to_string(report).expect("strace's report");
    let of_folder = format!("<{}>)", folder.display());
    let (before, after) = report.split_once(INJECTED).expect("the error came");
    assert!(before.lines().last().is_some_and(|line| line.contains(&of_folder)), "an error was overlooked: {before}");
    assert!(before.lines().any(|line| line.contains(&of_folder) && line.ends_with("= 0")), "ours came first: {before}");
    assert!(!after.contains(INJECTED), "and no other error: {after}");
}

/// After an error in what an answer waits for nothing of that is synced any more.
fn never_asked_again(report: &Path) {
    let report = fs::read_to_string(report).expect("strace's report");
    assert!(report.contains(INJECTED), "the error came: {report}");
    let is_awaited = |line: &&str| line.contains("sync(") && AWAITED.iter().any(|name| line.contains(name));
    let mut syncs = report.lines().filter(is_awaited).skip_while(|line| !line.contains(INJECTED)).skip(1);
    assert_eq!(syncs.next(), None, "the disk is not asked again");
}
