//! A long show: does an op cost more when a million versions are kept, and how soon is the desk ready then?

use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::checkin::{BATCH_OPS, CheckIn, crowd, push_all};
use crate::program::{Program, county_folder, database};
use crate::table::{Line, Target};
use crate::{Scale, median, tell};

/// Records that have the long history.
const RECORDS: usize = 2_000;
/// Phones that push.
const PHONES: usize = 50;

pub(crate) async fn measure(scale: Scale) -> Vec<Line> {
    let ready_county = ready_county(scale).await;
    let mut shows = Vec::new();
    for versions in scale.histories {
        tell(&format!("history: {versions} versions are laid down"));
        let folder = with_records(scale).await;
        lay_down(folder.path(), versions);
        shows.push(folder);
    }
    let mut running: Vec<(Program, Vec<CheckIn>)> = Vec::new();
    let mut ready_s = Vec::new();
    for folder in shows {
        let program = Program::start(folder).await;
        ready_s.push(program.ready_after.as_secs_f64());
        let phones = crowd(&program.desk, PHONES.min(scale.ops / BATCH_OPS)).await;
        running.push((program, phones));
    }
    let mut micros: Vec<Vec<f64>> = vec![Vec::new(); running.len()];
    // One more round than counted: the first one reads the file into memory.
    for round in 0..=scale.rounds {
        tell(&format!("history: round {round} of {}", scale.rounds));
        for ((_, phones), micros) in running.iter_mut().zip(&mut micros) {
            let count = phones.len();
            let batches = (scale.ops / 2 / count / BATCH_OPS).max(1);
            let load = push_all(phones, count, batches).await;
            if round > 0 {
                let ops = u32::try_from(batches * count * BATCH_OPS).expect("few ops");
                micros.push(load.elapsed.as_secs_f64() * 1e6 / f64::from(ops));
            }
        }
    }
    for (program, _) in running {
        program.stop().await;
    }
    let [few, many] = scale.histories;
    let ratio = median(micros[0].iter().zip(&micros[1]).map(|(short, long)| long / short));
    let [short, long] = [0, 1].map(|show| median(micros[show].iter().copied()));
    vec![
        Line::new(format!("cost of an op at {many} versions against {few}"), Target::AtMost(1.5), ratio, "×"),
        Line::beside("cost of an op, both", format!("{long:.0} µs against {short:.0} µs")),
        Line::new("ready after start, county show", Target::AtMost(0.5), ready_county, "s"),
        Line::new(format!("ready after start, {many} versions"), Target::AtMost(1.0), ready_s[1], "s"),
    ]
}

async fn ready_county(scale: Scale) -> f64 {
    let mut folder = county_folder().await;
    let mut seconds = Vec::new();
    for _ in 0..scale.rounds {
        let program = Program::start(folder).await;
        seconds.push(program.ready_after.as_secs_f64());
        folder = program.stop().await;
    }
    median(seconds)
}

/// A county show with more exhibitors than phones can count, all of them pushed.
async fn with_records(scale: Scale) -> TempDir {
    let program = Program::county().await;
    let count = scale.crowds[0];
    let mut phones = crowd(&program.desk, count).await;
    push_all(&mut phones, count, (RECORDS.min(scale.ops) / count / (BATCH_OPS / 2)).max(1)).await;
    program.stop().await
}

/// Gives the show's exhibitors so many versions in all, each with its op in the queue: copies of what is there.
fn lay_down(folder: &Path, versions: usize) {
    let sqlite = Connection::open(database(folder)).expect("the show opens");
    let count = |sql: &str| sqlite.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    let records = count("SELECT COUNT(*) FROM exhibitors WHERE version = 1");
    let copies = i64::try_from(versions).expect("few") / records;
    let clock = count("SELECT clock FROM sync_meta");
    // Times and ids go on from the highest there are, as they do in a real show.
    let seq = format!("{clock} + row_number() OVER (ORDER BY k, e.id)");
    let op_id = |seq: &str| format!("printf('%08x-0000-7000-8000-%012x', 4000000000, {seq})");
    let history = [("seq", "n.seq"), ("version", "n.k + 1"), ("op_id", "n.op_id")];
    let queue = [("id", "n.op_id"), ("version", "n.k"), ("result_version", "n.k + 1"), ("result_seq", "n.seq")];
    let laid = format!(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; PRAGMA foreign_keys = OFF; BEGIN;
         CREATE TEMP TABLE new AS WITH RECURSIVE counted(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM counted
             WHERE k < {copies}) SELECT e.id AS record_id, k, {seq} AS seq FROM counted CROSS JOIN exhibitors e
             WHERE e.version = 1;
         CREATE TEMP VIEW numbered AS SELECT *, {op} AS op_id FROM new;
         {add_history};
         {add_queue};
         UPDATE exhibitors SET version = {copies} + 1 WHERE version = 1;
         UPDATE sync_changes SET version = {copies} + 1 WHERE table_name = 'exhibitors' AND version = 1;
         UPDATE sync_meta SET clock = (SELECT MAX(seq) FROM record_history);
         COMMIT; PRAGMA wal_checkpoint(TRUNCATE);",
        op = op_id("seq"),
        add_history = copy(&sqlite, "record_history", &history, "t.version = 1"),
        add_queue = copy(&sqlite, "sync_queue", &queue, "t.operation = 'insert'"),
    );
    sqlite.execute_batch(&laid).expect("the history is laid down");
    assert!(count("SELECT COUNT(*) FROM record_history") > i64::try_from(versions).expect("few") / 2);
    assert_eq!(count("SELECT COUNT(*) FROM record_history"), count("SELECT COUNT(DISTINCT seq) FROM record_history"));
}

/// Copies each exhibitor's first row of a table under the new numbers, all other columns as they are.
fn copy(sqlite: &Connection, table: &str, changed: &[(&str, &str)], first: &str) -> String {
    let mut columns = sqlite.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).expect("a table");
    let columns = columns.query_map([], |row| row.get(0)).expect("columns").collect::<Result<Vec<String>, _>>();
    let columns = columns.expect("names of columns");
    let value = |column: &String| {
        let changed = changed.iter().find(|(name, _)| name == column).map(|(_, value)| (*value).to_owned());
        changed.unwrap_or_else(|| format!("t.\"{column}\""))
    };
    let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let values: Vec<String> = columns.iter().map(value).collect();
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM numbered n JOIN {table} t ON t.record_id = n.record_id
         WHERE t.table_name = 'exhibitors' AND {first} ORDER BY n.seq",
        names.join(", "),
        values.join(", ")
    )
}
