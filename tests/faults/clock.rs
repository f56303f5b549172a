//! P12: the machine's clock jumps, also while the program runs. Nothing is put in another order, lost, doubled or
//! expired by it, and nobody is locked out.
//!
//! libfaketime gives the program the time of a file that the case writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::ledger::Ledger;
use crate::phone::{Phone, send, update};
use crate::program::Engine;
use crate::seed::seed;
use crate::{Size, Tally};

/// Where to; the last one is our time.
const JUMPS: [&str; 5] = ["@1970-01-02 00:10:00", FAR_AHEAD, "+1d", "-1d", "+0"];
/// A desk that was off for years lets nobody in with an old pass, so it is not started anew here.
const FAR_AHEAD: &str = "@2038-01-19 03:14:00";
const DEADLINE: Duration = Duration::from_secs(20);

/// The clock of one program.
struct FakeClock {
    file: PathBuf,
}

impl FakeClock {
    fn new(folder: &Path) -> Self {
        let clock = Self { file: folder.join("time") };
        clock.set("+0");
        clock
    }

    /// The program reads a whole file or the one before.
    fn set(&self, time: &str) {
        let beside = self.file.with_extension("new");
        fs::write(&beside, time).expect("the time is written");
        fs::rename(&beside, &self.file).expect("the time is set");
    }

    fn variables(&self) -> Vec<(String, String)> {
        let (file, library) = (self.file.to_str().expect("paths of ours are text"), library());
        let pairs = [
            ("LD_PRELOAD", library.to_str().expect("a path of Debian's")),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1"),
            // Waiting goes on as before: only the time of day jumps, as when somebody sets the clock.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
            ("TZ", "UTC"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }
}

/// Where Debian puts it depends on the processor.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("there is a /usr/lib").filter_map(Result::ok);
    let mut found = folders.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).filter(|path| path.is_file());
    found.next().expect("libfaketime is installed: apt-get install libfaketime")
}

pub(crate) async fn jumps(size: Size, engine: Engine) -> Tally {
    let runs = size.pick(10, 250);
    let mut desk = Desk::start(engine).await;
    let clock = FakeClock::new(desk.program.scratch());
    desk.program.kill().await;
    desk.program.launch.variables = clock.variables();
    desk.start_again().await;
    let seed = seed(&desk).await;
    let mut phone = desk.phone("Barn 1", &["superintendent"]).await;
    let clash = open_clash(&desk, &phone, &seed.steer).await;
    let waiting = wait_for_nothing(&phone, &seed.steer).await;
    let ledger = Ledger::new();
    let mut cursor = phone.pull_after(None, 500, &mut std::collections::BTreeMap::new()).await;
    let mut joined = Vec::new();
    for run in 0..runs {
        let jump = JUMPS[run % JUMPS.len()];
        clock.set(jump);
        has_jumped(&desk, jump).await;
        if run % 2 == 1 && jump != FAR_AHEAD {
            start_anew(&mut desk, &mut phone).await;
        }
        let pushing = ledger.push_on(&desk);
        ledger.more_answers(2).await;
        ledger.stop();
        pushing.await.expect("the pushing ends");
        cursor = work_a_little(&phone, &seed.hog, run, cursor).await;
        joined.push(desk.phone(&format!("Joins after jump {run}"), &["viewer"]).await);
        assert_eq!(desk.conflict(&clash).await["status"], "open", "after {jump}");
        assert_eq!(phone.status_of(&waiting["op_id"]).await["verdict"], waiting["verdict"], "after {jump}");
    }
    clock.set("+0");
    has_jumped(&desk, "+0").await;
    start_anew(&mut desk, &mut phone).await;
    for phone in &mut joined {
        phone.moved_to(&desk.program.http).await;
        phone.pull("").await.expect_status(200);
    }
    ledger.check(&desk).await;
    let (told, joined) = (ledger.told().answered, joined.len());
    Tally { runs, seen: format!("{told} ops in order and once, {joined} phones joined meanwhile, none was locked out") }
}

async fn start_anew(desk: &mut Desk, phone: &mut Phone) {
    desk.program.kill().await;
    desk.start_again().await;
    phone.moved_to(&desk.program.http).await;
}

/// Waits until the desk itself says the time.
async fn has_jumped(desk: &Desk, jump: &str) {
    let wanted = |server: DateTime<Utc>| {
        let off = server - Utc::now();
        match jump.split_once('-') {
            Some((year, _)) if jump.starts_with('@') => server.format("@%Y").to_string() == year,
            _ if jump == "+0" => off.num_minutes() == 0,
            _ => (off.num_minutes().abs() - 24 * 60).abs() <= 1 && (off.num_minutes() > 0) == jump.starts_with('+'),
        }
    };
    let jumped = async {
        loop {
            let hello = send(desk.request(Method::GET, "/sync/hello")).await.expect_status(200);
            let server = hello["server_time"].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
            if wanted(server.expect("an instant").to_utc()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, jumped)
        .await
        .unwrap_or_else(|_| panic!("the program's clock does not jump to {jump}"));
}

/// A phone with a token from before the jump edits a row, sends it twice, and pulls on from where it was.
async fn work_a_little(phone: &Phone, hog: &str, run: usize, cursor: String) -> String {
    let (version, pen) = (1 + i64::try_from(run).expect("few runs"), |run: usize| json!({"pen": format!("P{run}")}));
    let before = if run == 0 { json!({"pen": null}) } else { pen(run - 1) };
    let edit = update("animals", hog, version, pen(run), before);
    let applied = phone.push_one(&edit).await;
    assert_eq!((&applied["verdict"], &applied["version"]), (&json!("applied"), &json!(version + 1)), "{applied}");
    let again = phone.push_one(&edit).await;
    assert_eq!((&again["replayed"], &again["version"]), (&json!(true), &json!(version + 1)), "{again}");
    let mut rows = std::collections::BTreeMap::new();
    let cursor = phone.pull_after(Some(cursor), 500, &mut rows).await;
    let row = &rows[&("animals".to_owned(), hog.to_owned())];
    let newest = rows.values().filter_map(|row| row["seq"].as_i64()).max();
    assert_eq!(row["seq"].as_i64(), newest, "the newest change comes last, whatever the clock says");
    assert_eq!(row["data"]["pen"], pen(run)["pen"]);
    cursor
}

/// Two values for one tag: a person must decide, however late it seems to be.
async fn open_clash(desk: &Desk, phone: &Phone, steer: &str) -> Json {
    desk.apply(&[update("animals", steer, 1, json!({"tag": "9011"}), json!({"tag": "9001"}))]).await;
    let edit = update("animals", steer, 1, json!({"tag": "9012"}), json!({"tag": "9001"}));
    let result = phone.push_one(&edit).await;
    assert_eq!(result["verdict"], "conflict", "{result}");
    result["conflict_id"].clone()
}

/// An op on top of the clash waits for the same person; it must not run out either.
async fn wait_for_nothing(phone: &Phone, steer: &str) -> Json {
    let edit = update("animals", steer, 1, json!({"tag": "9013"}), json!({"tag": "9012"}));
    let result = phone.push_one(&edit).await;
    assert_eq!(result["verdict"], "held", "{result}");
    result
}
