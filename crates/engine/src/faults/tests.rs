//! Errors through the intake, on both engines.

mod share;

use serde_json::json;
use showdesk_store::telemetry::errors as rows;
use showdesk_testkit::{SetClock, on_both_engines, run_plain};
use tempfile::TempDir;

use super::*;
use crate::api::errors::{ErrorChange, ErrorItem, ErrorQuery, ErrorWish};
use crate::{Clock, Options};

/// A show whose background work the test does itself.
pub(crate) async fn open(folder: &TempDir, database_url: Option<String>, clock: &Arc<SetClock>) -> Engine {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let engine = Engine::open(Options { database_url, clock, ..Options::new(folder.path()) }).await.expect("a show");
    engine.background().drain(..).for_each(|task| task.abort());
    // The intake ends, too.
    engine.flush_faults().await;
    engine
}

on_both_engines![
    ten_thousand_errors_of_twelve_kinds_are_twelve_problems,
    a_solved_problem_that_is_seen_again_has_come_back,
    no_secret_is_kept,
];

/// What waits, once the show's own intake has let it go.
async fn waiting(engine: &Engine) -> Vec<Fault> {
    let mut waiting = engine.inner.faults.0.receiver.lock().await;
    std::iter::from_fn(|| waiting.try_recv().ok()).collect()
}

/// Writes what waits.
async fn write(engine: &Engine) {
    let waiting = waiting(engine).await;
    assert!(engine.keep_faults(&waiting).await, "it is written");
}

pub(crate) async fn note(engine: &Engine, message: &str) {
    engine.note_fault(Fault { kind: "internal".to_owned(), message: message.to_owned(), ..Fault::default() });
    write(engine).await;
}

async fn listed(engine: &Engine, standing: Option<ErrorWish>) -> Vec<ErrorItem> {
    let actor = engine.desk_actor().await.expect("the desk");
    let query = ErrorQuery { standing, limit: 100, ..ErrorQuery::default() };
    engine.problems(&actor, query).await.expect("a list").items
}

pub(crate) async fn say(engine: &Engine, fingerprint: &str, status: ErrorWish) -> ErrorItem {
    let actor = engine.desk_actor().await.expect("the desk");
    engine.change_problem(&actor, fingerprint, ErrorChange { status }).await.expect("it is there")
}

/// The error of that number, of one of twelve problems; nearly every text of it is another one each time.
fn one_of_twelve(n: u64) -> Fault {
    let id = format!("{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}", n * 7 + 1, n % 9_999, n % 4_000, n % 1_000, n * 31);
    let frame = |name: &str| format!("   {}: showdesk_engine::{name}\n             at ./src/{n}.rs:{n}:5\n", n % 9);
    let (kind, message, stack) = match n % 12 {
        0 => ("internal", format!("row {id} is gone"), None),
        1 => ("time_over", format!("took {} ms, more than {}", n * 3, n % 7), None),
        2 => ("internal", format!("cannot open /home/user{n}/show-{n}/show.db: locked"), None),
        3 => ("lookup", format!("no exhibitor named \"Maria {n}\""), None),
        4 => ("lookup", format!("unknown animals {:?}", (0..=n % 9).collect::<Vec<_>>()), None),
        5 => ("checksum", format!("checksum 0x{n:x} differs from 0x{:x}", n * 13), None),
        6 => ("TypeError", format!("GET http://192.168.{}.{}:7420/pull?after={n} failed", n % 5, n % 250), None),
        7 => ("mail", format!("mail to judge{n}@example.org was refused"), None),
        8 => ("call", format!("called (515) 555-{:04} without an answer", n % 10_000), None),
        9 => ("pass", format!("bad token=abc{n}xyz of phone {n}"), None),
        10 => ("panic", format!("value {n}"), Some(frame("pull::page"))),
        _ => ("panic", format!("index {n} out of bounds"), Some(frame("writer::save"))),
    };
    Fault {
        kind: kind.to_owned(),
        message,
        stack,
        person: Some(Uuid::from_u128(u128::from(n % 7))),
        device: Some(Uuid::from_u128(u128::from(n % 5))),
        is_phones: n % 12 < 6,
        ..Fault::default()
    }
}

async fn ten_thousand_errors_of_twelve_kinds_are_twelve_problems(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url, &clock).await;
    for batch in 0..20 {
        (0..500).for_each(|n| engine.note_fault(one_of_twelve(batch * 500 + n)));
        clock.pass_seconds(1);
        write(&engine).await;
    }
    let groups = listed(&engine, None).await;
    assert_eq!(groups.len(), 12, "{groups:#?}");
    assert_eq!(groups.iter().map(|group| group.count).sum::<i64>(), 10_000);
    for group in &groups {
        assert!((833..=834).contains(&group.count), "{group:?}");
        assert_eq!(group.people, 7, "each person counts once: {group:?}");
        assert_eq!(group.phones, if group.source == "phone" { 5 } else { 0 }, "{group:?}");
        let actor = engine.desk_actor().await.expect("the desk");
        let samples = engine.problem(&actor, &group.fingerprint).await.expect("it is there").samples;
        let numbers: Vec<i64> = samples.iter().map(|sample| sample.number).collect();
        let expected: Vec<i64> = (group.count - 19..=group.count).rev().chain([5, 4, 3, 2, 1]).collect();
        assert_eq!(numbers, expected);
    }
    assert_eq!(engine.faults_dropped(), 0);
    engine.close().await;
}

async fn a_solved_problem_that_is_seen_again_has_come_back(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url, &clock).await;
    note(&engine, "the scale says 17").await;
    let found = listed(&engine, Some(ErrorWish::Open)).await.remove(0);
    clock.pass_seconds(10);
    assert_eq!(say(&engine, &found.fingerprint, ErrorWish::Resolved).await.status, "resolved");
    assert!(listed(&engine, Some(ErrorWish::Open)).await.is_empty());
    // A phone that was away tells of something that happened before.
    let late = Fault {
        kind: "internal".to_owned(),
        message: "the scale says 18".to_owned(),
        at: Some(engine.now() - chrono::TimeDelta::seconds(5)),
        ..Fault::default()
    };
    engine.note_fault(late);
    write(&engine).await;
    assert_eq!(listed(&engine, Some(ErrorWish::Resolved)).await[0].count, 2, "it is counted and stays solved");
    clock.pass_seconds(10);
    note(&engine, "the scale says 19").await;
    let back = listed(&engine, Some(ErrorWish::Open)).await.remove(0);
    assert_eq!((back.status.as_str(), back.count, back.fingerprint), ("regressed", 3, found.fingerprint.clone()));
    say(&engine, &found.fingerprint, ErrorWish::Ignored).await;
    clock.pass_seconds(10);
    note(&engine, "the scale says 20").await;
    let ignored = listed(&engine, Some(ErrorWish::Ignored)).await.remove(0);
    assert_eq!(ignored.count, 4, "it is counted, and nobody hears of it");
    engine.close().await;
}

async fn no_secret_is_kept(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url, &clock).await;
    let canary = "CANARY-7431-secret-word";
    let context = json!({
        "page": format!("#/join/{canary}"), "token": canary, "pass\0word": canary, "note": format!("Bearer {canary}"),
        "deep": {"api_key": [canary]},
    });
    engine.note_fault(Fault {
        kind: "TypeError".to_owned(),
        message: format!("token={canary}\0 was refused at https://show.example/x?key={canary}"),
        stack: Some(format!("at f (http://10.0.0.1/a.js?pass={canary}:1:1)\npassword: {canary}")),
        route: Some(format!("https://show.example/#{canary}")),
        context: context.as_object().expect("members").clone(),
        ..Fault::default()
    });
    write(&engine).await;
    let actor = engine.desk_actor().await.expect("the desk");
    let group = listed(&engine, None).await.remove(0);
    let detail = engine.problem(&actor, &group.fingerprint).await.expect("it is there");
    let told = serde_json::to_string(&detail).expect("JSON");
    assert!(told.contains("‹secret›") && !told.contains("CANARY"), "{told}");
    let mut tx = engine.begin_read_telemetry().await.expect("it is read");
    let kept = format!("{:?}", rows::samples(&mut tx, &group.fingerprint).await.expect("samples"));
    assert!(kept.contains("was refused at") && !kept.contains("CANARY"), "{kept}");
    drop(tx);
    engine.close().await;
}

#[test]
fn a_full_channel_drops_and_counts() {
    let faults = Faults::default();
    (0..WAITING_MAX + 76).for_each(|_| faults.note(Fault::default()));
    assert_eq!((faults.dropped(), faults.take_waiting().len()), (76, WAITING_MAX));
    let long = Fault { message: "é".repeat(TEXT_BYTES_MAX), kind: "k".repeat(500), ..Fault::default() };
    faults.note(long);
    let kept = faults.take_waiting().remove(0);
    assert!(kept.message.len() <= TEXT_BYTES_MAX && kept.kind.len() == WORD_CHARS_MAX);
}

#[test]
fn a_page_that_fails_in_a_circle_is_heard_a_hundred_times_a_minute() {
    let faults = Faults::default();
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let at = |second: i64| DateTime::from_timestamp(1_790_000_000 + second, 0).expect("a moment");
    let heard = |device, second| (0..150).filter(|_| faults.may_tell(device, at(second))).count();
    assert_eq!((heard(one, 0), heard(one, 1), heard(other, 1)), (100, 0, 100));
    assert_eq!(heard(one, 61), 100);
}

#[test]
fn what_fails_while_errors_are_written_is_none_itself() {
    run_plain(async {
        let faults = Faults::default();
        WRITING.scope((), async { faults.note(Fault::default()) }).await;
        assert!(faults.take_waiting().is_empty());
        faults.note(Fault::default());
        assert_eq!(faults.take_waiting().len(), 1);
    });
}

#[test]
fn what_cannot_be_written_is_counted_and_the_desk_goes_on() {
    run_plain(async {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
        let engine = open(&folder, None, &clock).await;
        engine.inner.telemetry.db().expect("it is open").close().await;
        engine.note_fault(Fault { message: "x".to_owned(), ..Fault::default() });
        engine.flush_faults().await;
        assert_eq!(engine.faults_dropped(), 1);
        assert!(waiting(&engine).await.is_empty(), "the failure is no error to write");
        engine.close().await;
    });
}
