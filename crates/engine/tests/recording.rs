//! What the desk measures of itself, through a whole show on both engines.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use serde_json::value::to_raw_value;
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::DeviceId;
use showdesk_engine::api::sync::{Push, VerdictName};
use showdesk_engine::api::telemetry::{Only, RequestsAsked, SeriesAsked};
use showdesk_engine::{Engine, EngineError, Options, Taken};
use showdesk_store::Db;
use showdesk_store::db::Seat;
use showdesk_store::telemetry::alerts::{self, EventRow};
use showdesk_store::telemetry::errors::{self, GroupFilter, SampleRow, Sighting};
use showdesk_store::telemetry::measures::{self, MeasureRow};
use showdesk_store::telemetry::requests::{self, RequestFilter, RequestRow};
use showdesk_store::telemetry::rollups::{self, Bucket, RollupRow};
use showdesk_telemetry::histogram::Histogram;
use showdesk_testkit::{OwnDatabase, SetClock, on_both_engines};
use tempfile::TempDir;
use uuid::Uuid;

const PUSH: &str = "/api/v1/sync/push";
const PULL: &str = "/api/v1/sync/pull";

on_both_engines!(
    percentiles_of_what_is_kept_are_those_of_all_requests,
    a_hundred_days_leave_exactly_what_is_kept_while_pushes_go_on,
    no_step_of_a_clean_up_takes_more_than_a_thousand_rows,
    a_desk_that_was_not_closed_was_down,
);

/// A show that is opened and closed.
struct Show {
    folder: TempDir,
    database_url: Option<String>,
    clock: Arc<SetClock>,
}

impl Show {
    fn new(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Ten past a whole hour.
        Self { folder, database_url, clock: SetClock::at_ms(1_786_082_400_000 + 600_000) }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn pass(&self, time: TimeDelta) {
        self.clock.pass(time);
    }

    fn options(&self) -> Options {
        let clock = Arc::<SetClock>::clone(&self.clock);
        Options { database_url: self.database_url.clone(), clock, ..Options::new(self.folder.path()) }
    }

    async fn open(&self) -> (Engine, Actor) {
        let engine = Engine::open(self.options()).await.expect("the show opens");
        let desk = engine.desk_actor().await.expect("the desk");
        (engine, desk)
    }

    /// The store, while no desk has it open.
    async fn store(&self) -> (Db, Db) {
        let show = match &self.database_url {
            Some(url) => Db::open_postgres(url).await,
            None => Db::open_sqlite(&self.folder.path().join("showdesk.sqlite")).await,
        };
        let show = show.expect("the show's database");
        let telemetry = show.open_telemetry().await.expect("its measurements");
        (show, telemetry)
    }
}

/// Closes a desk and lets its folder go.
async fn shut(engine: Engine) {
    engine.close().await;
    drop(engine);
}

/// Numbers without end, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

fn asked(from: DateTime<Utc>, to: DateTime<Utc>, step: i64, endpoint: &str) -> SeriesAsked {
    let endpoint = Some(endpoint.to_owned());
    SeriesAsked { metric: "requests".to_owned(), from, to, step_seconds: Some(step), endpoint }
}

/// The value at a rank, as everybody counts it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small counts"
)]
fn raw_quantile(micros: &[u64], share: f64) -> f64 {
    let mut sorted = micros.to_vec();
    sorted.sort_unstable();
    let rank = ((share * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
    sorted[rank - 1] as f64 / 1_000.0
}

async fn percentiles_of_what_is_kept_are_those_of_all_requests(database_url: Option<String>) {
    let show = Show::new(database_url);
    let began = show.now();
    let mut dice = Dice(7);
    let mut raw: BTreeMap<(i64, &str), Vec<u64>> = BTreeMap::new();
    // The desk is restarted in the middle of each minute's requests: the minutes are merged.
    for run in 0..2 {
        let (engine, _) = show.open().await;
        for number in 0..6_000_u64 {
            let minute = i64::try_from(number % 3).expect("small");
            let endpoint = if number % 2 == 0 { PUSH } else { PULL };
            let micros = 200 + (dice.roll() % 13_000) * (1 + dice.roll() % 30);
            raw.entry((minute, endpoint)).or_default().push(micros);
            engine.note_request(Taken {
                at: began + TimeDelta::seconds(minute * 60 + 5 + run),
                endpoint,
                method: "POST",
                status: if number % 100 == 0 { 500 } else { 200 },
                took: Duration::from_micros(micros),
                person: None,
            });
        }
        shut(engine).await;
    }
    show.pass(TimeDelta::hours(2));
    let (engine, desk) = show.open().await;
    let hour = began - TimeDelta::minutes(10);
    for endpoint in [PUSH, PULL] {
        let minutes =
            engine.series(&desk, asked(began, began + TimeDelta::minutes(3), 60, endpoint)).await.expect("minutes");
        let hours =
            engine.series(&desk, asked(hour, hour + TimeDelta::hours(1), 3_600, endpoint)).await.expect("hours");
        let of_hour: Vec<u64> = (0..3).flat_map(|minute| raw[&(minute, endpoint)].clone()).collect();
        for (key, share) in [("p50", 0.50), ("p95", 0.95), ("p99", 0.99)] {
            let line = |answer: &showdesk_engine::api::telemetry::SeriesAnswer| {
                answer.series.iter().find(|line| line.key == key).expect("a line").values.clone()
            };
            let near = |told: Option<f64>, raw: f64| told.is_some_and(|told| (told / raw - 1.0).abs() <= 0.025);
            for (minute, told) in (0_i64..).zip(line(&minutes)) {
                let raw = raw_quantile(&raw[&(minute, endpoint)], share);
                assert!(near(told, raw), "{endpoint} {minute} {key}: {told:?} of {raw}");
            }
            let raw = raw_quantile(&of_hour, share);
            assert!(near(line(&hours)[0], raw), "{endpoint} {key}: {:?} of {raw}", line(&hours));
        }
        let counts = |key: &str| {
            let line = hours.series.iter().find(|line| line.key == key).expect("a line");
            line.values.iter().flatten().sum::<f64>()
        };
        assert!(
            (counts("count") - 6_000.0).abs() < 0.5
                && (counts("errors") - if endpoint == PUSH { 120.0 } else { 0.0 }).abs() < 0.5
        );
    }
    let (mut cursor, mut weights, mut rows) = (None, 0, 0);
    loop {
        let (from, to) = (began, began + TimeDelta::minutes(3));
        let asked = RequestsAsked { from, to, endpoint: None, task: None, only: None, cursor, limit: 200 };
        let page = engine.requests(&desk, asked).await.expect("requests");
        weights += page.items.iter().map(|item| item.weight).sum::<i64>();
        rows += page.items.len();
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    // Each of the two runs ends within a block of at most 300: 6,000 a minute over 20 rows a minute.
    assert!((weights - 12_000).abs() <= 600, "{weights} of 12,000 in {rows} rows");
    assert!(rows < 4_000, "{rows}: not all are kept");
    let failed = |task: &str| RequestsAsked {
        from: began,
        to: began + TimeDelta::minutes(3),
        endpoint: None,
        task: Some(task.to_owned()),
        only: Some(Only::Failed),
        cursor: None,
        limit: 200,
    };
    let page = engine.requests(&desk, failed("Send entries")).await.expect("requests");
    assert!(
        page.items.iter().all(|item| item.task == "Send entries" && item.status_code == 500) && page.items.len() > 60
    );
    assert!(matches!(engine.requests(&desk, failed("Nothing")).await, Err(EngineError::BadQuery { .. })));
    shut(engine).await;
}

/// One row of everything for each two hours of a hundred days.
async fn fill(telemetry: &Db, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let moments: Vec<DateTime<Utc>> = (0..100 * 12).map(|step| now - TimeDelta::hours(2 * step)).collect();
    let desk = DeviceId(Uuid::from_u128(9));
    let mut histogram = Histogram::new();
    histogram.record(1_000, 1);
    let request = |at: &DateTime<Utc>| RequestRow {
        id: Uuid::new_v4(),
        endpoint: PUSH.to_owned(),
        method: "POST".to_owned(),
        duration_ms: 1.0,
        status_code: 200,
        person: None,
        created_at: *at,
        weight: 1,
    };
    let mut tx = telemetry.begin_write(Seat::Worker).await.expect("a transaction");
    requests::add(&mut tx, &moments.iter().map(request).collect::<Vec<_>>()).await.expect("requests");
    for bucket in [Bucket::Minute, Bucket::Hour] {
        let rollup = |at: &DateTime<Utc>| RollupRow {
            start: *at,
            endpoint: PUSH.to_owned(),
            method: "POST".to_owned(),
            status_class: 2,
            count: 1,
            errors: 0,
            sum_ms: 1.0,
            max_ms: 1.0,
            histogram: histogram.encode(),
        };
        rollups::save(&mut tx, bucket, desk, &moments.iter().map(rollup).collect::<Vec<_>>()).await.expect("rollups");
        let measure = |at: &DateTime<Utc>| MeasureRow {
            start: *at,
            metric: "memory".to_owned(),
            labels: "{}".to_owned(),
            samples: 1,
            sum: 1.0,
            min: 1.0,
            max: 1.0,
            last: 1.0,
        };
        measures::add(&mut tx, bucket, desk, &moments.iter().map(measure).collect::<Vec<_>>()).await.expect("measures");
    }
    tx.commit().await.expect("kept");
    moments
}

/// The problem of all samples: it is seen to this day.
const STILL_SEEN: &str = "still-seen";
/// The rule of all alert events.
const RULE: &str = "filled";
/// The text of the row that comes after the thousand oldest.
const AFTER_A_THOUSAND: &str = "after a thousand";

/// A problem that was seen once.
fn problem<'a>(
    fingerprint: &'a str,
    title: &'a str,
    first_seen: DateTime<Utc>,
    last_seen: DateTime<Utc>,
) -> Sighting<'a> {
    Sighting { fingerprint, title, kind: "filled", route: None, source: "desk", first_seen, last_seen, count: 1 }
}

/// An error, a problem and an alert event for each two hours of ninety days, and for each ten minutes of the ten days
/// before. Answers their moments, the newest first, and how many of them are kept.
async fn fill_long_kept(telemetry: &Db, now: DateTime<Utc>) -> (Vec<DateTime<Utc>>, usize) {
    let limit = now - TimeDelta::days(90);
    let kept = (0..=90 * 12).map(|step| now - TimeDelta::hours(2 * step));
    let old = (0..10 * 144).map(|step| limit - TimeDelta::milliseconds(1) - TimeDelta::minutes(10 * step));
    let moments: Vec<DateTime<Utc>> = kept.clone().chain(old).collect();
    let oldest_first = || (0_i64..).zip(moments.iter().rev().copied());
    let text = |number: i64| if number == 1_000 { AFTER_A_THOUSAND } else { "filled" };
    let mut tx = telemetry.begin_write(Seat::Worker).await.expect("a transaction");
    let sample = |(number, created_at): (i64, DateTime<Utc>)| SampleRow {
        id: Uuid::new_v4(),
        error_type: "filled".to_owned(),
        message: text(number).to_owned(),
        stack_trace: None,
        context: json!({}),
        user: None,
        created_at,
        fingerprint: STILL_SEEN.to_owned(),
        number: number + 1,
        device: None,
        request_id: None,
    };
    errors::add_samples(&mut tx, &oldest_first().map(sample).collect::<Vec<_>>()).await.expect("samples");
    let first = *moments.last().expect("a moment");
    errors::see(&mut tx, &problem(STILL_SEEN, "filled", first, now), now).await.expect("seen");
    for (number, at) in oldest_first() {
        let fingerprint = format!("problem-{number}");
        // How long it is known does not matter.
        errors::see(&mut tx, &problem(&fingerprint, text(number), first, at), now).await.expect("seen");
        let event = EventRow {
            id: Uuid::new_v4(),
            desk: DeviceId(Uuid::from_u128(9)),
            rule_id: RULE.to_owned(),
            kind: "firing".to_owned(),
            severity: "notice".to_owned(),
            headline: text(number).to_owned(),
            detail: None,
            subjects: json!([]),
            quiet: true,
            desktop: false,
            push: None,
            webhook: None,
            attempts: 0,
            next_attempt_at: None,
            at,
            outside: None,
            number: 0,
        };
        alerts::add_event(&mut tx, &event).await.expect("said");
    }
    tx.commit().await.expect("kept");
    (moments, kept.count())
}

/// When the errors, the problems and the alert events were that are there, each the newest first.
async fn long_kept(telemetry: &Db) -> [Vec<DateTime<Utc>>; 3] {
    let mut tx = telemetry.begin_read(Seat::Worker).await.expect("a transaction");
    let samples = errors::samples(&mut tx, STILL_SEEN).await.expect("samples");
    let all = GroupFilter { limit: 10_000, ..GroupFilter::default() };
    let problems = errors::page(&mut tx, &all).await.expect("problems");
    let events = alerts::events(&mut tx, None, 10_000).await.expect("events");
    [
        samples.iter().map(|row| row.created_at).collect(),
        problems.iter().filter(|row| row.fingerprint.starts_with("problem-")).map(|row| row.last_seen).collect(),
        events.iter().filter(|row| row.rule_id == RULE).map(|row| row.at).collect(),
    ]
}

async fn push_one(engine: &Engine, desk: &Actor, number: i64) -> VerdictName {
    let op = json!({
        "op_id": Uuid::now_v7().to_string(), "device_seq": number, "table_name": "rings",
        "record_id": Uuid::now_v7().to_string(), "operation": "insert", "base_version": 0,
        "data": {"name": format!("Ring {number}")},
    });
    let epoch = engine.installation().await.expect("an installation").epoch;
    let push = Push::of(epoch, Uuid::from_u128(7), vec![to_raw_value(&op).expect("JSON")]);
    engine.push(desk, push).await.expect("an answer").results[0].verdict
}

async fn a_hundred_days_leave_exactly_what_is_kept_while_pushes_go_on(database_url: Option<String>) {
    let show = Show::new(database_url);
    let (engine, _) = show.open().await;
    shut(engine).await;
    let now = show.now();
    let (opened, telemetry) = show.store().await;
    let moments = fill(&telemetry, now).await;
    let (long, long_left) = fill_long_kept(&telemetry, now).await;
    telemetry.close().await;
    opened.close().await;
    let (engine, desk) = show.open().await;
    let cleaning = {
        let (engine, desk) = (engine.clone(), desk.clone());
        tokio::spawn(async move { engine.run_worker(&desk, "cleanup").await })
    };
    let mut pushed = 0;
    while !cleaning.is_finished() || pushed < 5 {
        pushed += 1;
        assert_eq!(push_one(&engine, &desk, pushed).await, VerdictName::Applied);
    }
    let gone = cleaning.await.expect("no panic").expect("a clean-up").processed;
    let kept =
        |days: i64, length: TimeDelta| moments.iter().filter(|at| **at >= now - TimeDelta::days(days) - length).count();
    let status = engine.recording(&desk).await.expect("a status");
    let done = status.last_clean_up.expect("a clean-up");
    let (minute, hour) = (TimeDelta::minutes(1), TimeDelta::hours(1));
    let sums_gone = 2 * (2 * moments.len() - kept(7, minute) - kept(30, hour));
    assert_eq!(done.requests, (moments.len() - kept(30, TimeDelta::zero())) as u64);
    assert_eq!(done.rollups, sums_gone as u64);
    let long_gone = (long.len() - long_left) as u64;
    assert_eq!((done.errors, done.error_groups, done.alert_events), (long_gone, long_gone, long_gone));
    assert_eq!(gone as u64, done.requests + done.rollups + 3 * long_gone);
    let days = status.kept_days;
    assert_eq!((days.requests, days.minutes, days.errors, days.alerts), (30, 7, 90, 90));
    shut(engine).await;

    let (opened, telemetry) = show.store().await;
    let mut tx = telemetry.begin_read(Seat::Worker).await.expect("a transaction");
    let all = RequestFilter {
        from: now - TimeDelta::days(101),
        to: now + TimeDelta::seconds(1),
        endpoint: Some(PUSH.to_owned()),
        method: None,
        slow_ms: None,
        status_min: None,
        before: None,
        limit: 10_000,
    };
    let left: Vec<DateTime<Utc>> =
        requests::page(&mut tx, &all).await.expect("requests").iter().map(|row| row.created_at).collect();
    assert_eq!(left, moments[..kept(30, TimeDelta::zero())], "the newest first");
    let range = (all.from, all.to);
    for (bucket, days, length) in [(Bucket::Minute, 7, minute), (Bucket::Hour, 30, hour)] {
        let rows = rollups::between(&mut tx, bucket, range, Some(PUSH), None).await.expect("rollups");
        assert_eq!(rows.len(), kept(days, length), "{bucket:?}");
        let parts = measures::between(&mut tx, bucket, "memory", range).await.expect("measures");
        let own = parts.iter().filter(|part| part.desk == Uuid::from_u128(9)).count();
        assert_eq!(own, kept(days, length), "{bucket:?}");
    }
    drop(tx);
    for left in long_kept(&telemetry).await {
        assert!(left == long[..long_left], "the newest first: {} of {long_left}", left.len());
    }
    telemetry.close().await;
    opened.close().await;
}

/// Refuses to delete the row with that text; nobody else is refused anything.
async fn hold(show: &Show, database: Option<&OwnDatabase>, table: &str, column: &str) {
    if let Some(database) = database {
        let refuse = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                      $$ BEGIN RAISE EXCEPTION 'it is held'; END $$";
        let trigger = format!(
            "CREATE TRIGGER held BEFORE DELETE ON telemetry.{table} FOR EACH ROW \
             WHEN (OLD.{column} = '{AFTER_A_THOUSAND}') EXECUTE FUNCTION refuse()"
        );
        return database.execute(&format!("{refuse}; {trigger}")).await;
    }
    in_file(
        show,
        &format!(
            "CREATE TRIGGER held BEFORE DELETE ON {table} WHEN OLD.{column} = '{AFTER_A_THOUSAND}' \
             BEGIN SELECT RAISE(ABORT, 'it is held'); END"
        ),
    );
}

async fn let_go(show: &Show, database: Option<&OwnDatabase>, table: &str) {
    match database {
        Some(database) => database.execute(&format!("DROP TRIGGER held ON telemetry.{table}")).await,
        None => in_file(show, "DROP TRIGGER held"),
    }
}

fn in_file(show: &Show, sql: &str) {
    let file = rusqlite::Connection::open(show.folder.path().join("telemetry.db")).expect("the file");
    file.execute_batch(sql).expect("done");
}

/// A row that cannot be deleted undoes the step that it is in, and no other: what is left tells how far the steps go.
async fn no_step_of_a_clean_up_takes_more_than_a_thousand_rows(database_url: Option<String>) {
    let database = if database_url.is_some() { Some(OwnDatabase::new().await) } else { None };
    let database = database.as_ref();
    let show = Show::new(database.map(OwnDatabase::url));
    let (engine, desk) = show.open().await;
    let (opened, telemetry) = show.store().await;
    let (all, kept) = fill_long_kept(&telemetry, show.now()).await;
    let held = [("error_logs", "message"), ("error_groups", "title"), ("alert_events", "headline")];
    for (place, (table, column)) in held.into_iter().enumerate() {
        hold(&show, database, table, column).await;
        let cleaned = engine.run_worker(&desk, "cleanup").await;
        assert!(cleaned.is_err(), "{table}: {cleaned:?}");
        let left = long_kept(&telemetry).await;
        for (other, left) in left.iter().enumerate() {
            let rows = match other.cmp(&place) {
                Ordering::Less => kept,
                Ordering::Equal => all.len() - 1_000,
                Ordering::Greater => all.len(),
            };
            assert!(*left == all[..rows], "{table}: {} of {rows} in list {other}", left.len());
        }
        let_go(&show, database, table).await;
    }
    assert_eq!(engine.run_worker(&desk, "cleanup").await.expect("a clean-up").processed, all.len() - kept - 1_000);
    assert_eq!(long_kept(&telemetry).await[2], all[..kept]);
    telemetry.close().await;
    opened.close().await;
    shut(engine).await;
}

async fn a_desk_that_was_not_closed_was_down(database_url: Option<String>) {
    let show = Show::new(database_url);
    let down = async |engine: &Engine, desk: &Actor| {
        engine.run_worker(desk, "look-at-alerts").await.expect("it looks");
        let text = engine.scraped(desk).expect("figures");
        let line = text.lines().find_map(|line| line.strip_prefix("showdesk_downtime_seconds "));
        line.expect("a line").parse::<f64>().expect("a number")
    };
    let (engine, desk) = show.open().await;
    assert!(down(&engine, &desk).await.abs() < 0.001, "the first start");
    shut(engine).await;
    show.pass(TimeDelta::minutes(5));
    let (engine, desk) = show.open().await;
    assert!(down(&engine, &desk).await.abs() < 0.001, "it was closed");
    drop(engine);
    show.pass(TimeDelta::minutes(5));
    let reopened = async {
        loop {
            // What runs beside the requests may hold the folder for a moment longer.
            if let Ok(engine) = Engine::open(show.options()).await {
                return engine;
            }
            tokio::task::yield_now().await;
        }
    };
    let engine = tokio::time::timeout(Duration::from_secs(20), reopened).await.expect("the folder is free");
    assert!((down(&engine, &desk).await - 300.0).abs() < 1.0);
    show.pass(TimeDelta::minutes(11));
    assert!(down(&engine, &desk).await.abs() < 0.001, "it is not told for ever");
    shut(engine).await;
}

/// Opens a desk on a folder in which the file of measurements is broken; answers why nothing is recorded, if so.
async fn opened_beside(spoil: impl FnOnce(&Path)) -> (Option<String>, TempDir) {
    let show = Show::new(None);
    let (engine, _) = show.open().await;
    shut(engine).await;
    spoil(show.folder.path());
    let (engine, desk) = show.open().await;
    assert_eq!(push_one(&engine, &desk, 1).await, VerdictName::Applied, "the desk works");
    let off = engine.recording(&desk).await.expect("a status").off;
    let (from, to) = (show.now() - TimeDelta::hours(1), show.now());
    let asked = RequestsAsked { from, to, endpoint: None, task: None, only: None, cursor: None, limit: 10 };
    let answered = engine.requests(&desk, asked).await;
    assert_eq!(off.is_some(), matches!(answered, Err(EngineError::RecordingOff)), "{answered:?}");
    engine.run_worker(&desk, "cleanup").await.expect("the clean-up of the show goes on");
    shut(engine).await;
    (off, show.folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_file_of_measurements_is_moved_aside_and_the_desk_opens() {
    let file = |folder: &Path| folder.join("telemetry.db");
    let spoils: [fn(&Path); 3] = [
        |folder| std::fs::write(folder.join("telemetry.db"), vec![b'x'; 20_000]).expect("written"),
        |folder| {
            std::fs::remove_file(folder.join("telemetry.db")).expect("removed");
            std::fs::create_dir(folder.join("telemetry.db")).expect("made");
        },
        // It was found damaged while the desk was open.
        |folder| std::fs::write(folder.join("telemetry.damaged"), []).expect("written"),
    ];
    for spoil in spoils {
        let (off, folder) = opened_beside(spoil).await;
        assert_eq!(off, None);
        assert!(file(folder.path()).is_file() && folder.path().join("telemetry.db.damaged").exists());
        assert!(!folder.path().join("telemetry.damaged").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_moved_aside_is_done_without() {
    let (off, _folder) = opened_beside(|folder| {
        std::fs::remove_file(folder.join("telemetry.db")).expect("removed");
        for name in ["telemetry.db", "telemetry.db.damaged"] {
            std::fs::create_dir_all(folder.join(name).join("more")).expect("made");
        }
    })
    .await;
    assert!(off.is_some_and(|why| !why.is_empty()));
}
