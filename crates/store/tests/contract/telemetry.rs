//! What the program measures of itself, on both engines: every query, the two catalogues, and who reaches it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_store::db::{Db, Seat, TELEMETRY_FILE};
use showdesk_store::telemetry::cleanup;
use showdesk_store::telemetry::measures::{self, MeasureRow};
use showdesk_store::telemetry::recorders::{self, LastCleanUp, LastRun, MarkerRow};
use showdesk_store::telemetry::requests::{self, RequestFilter, RequestRow};
use showdesk_store::telemetry::rollups::{self, Bucket, RollupRow};
use showdesk_testkit::{TestStore, fresh_database_url, on_both_engines, run_plain};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _};
use uuid::Uuid;

use crate::catalogue;
use crate::fixture::{at, fill};

const DESK: DeviceId = DeviceId(Uuid::from_u128(0xd1));
const OTHER_DESK: DeviceId = DeviceId(Uuid::from_u128(0xd2));

fn request(number: u128, second: i64, endpoint: &str, duration_ms: f64, status_code: i64) -> RequestRow {
    RequestRow {
        id: Uuid::from_u128(number),
        endpoint: endpoint.to_owned(),
        method: "POST".to_owned(),
        duration_ms,
        status_code,
        person: number.is_multiple_of(2).then(|| PersonId(Uuid::from_u128(5))),
        created_at: at(second),
        weight: 3,
    }
}

fn all() -> RequestFilter {
    RequestFilter {
        from: at(0),
        to: at(1_000),
        endpoint: None,
        method: None,
        slow_ms: None,
        status_min: None,
        before: None,
        limit: 100,
    }
}

async fn requests_are_found_by_time_route_and_what_became_of_them(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let rows = [
        request(1, 10, "/push", 0.125, 200),
        request(2, 20, "/push", 512.5, 200),
        request(3, 20, "/pull", 3.0, 503),
        request(4, 999, "/pull", 3.0, 404),
        request(5, 1_000, "/pull", 3.0, 404),
    ];
    let mut tx = db.begin_write(Seat::Worker).await.unwrap();
    requests::add(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin_read(Seat::Worker).await.unwrap();
    let mut found = async |filter: RequestFilter| {
        let rows = requests::page(&mut tx, &filter).await.unwrap();
        rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(found(all()).await, [4, 3, 2, 1], "the end of the range is not in it");
    assert_eq!(found(RequestFilter { from: at(20), limit: 2, ..all() }).await, [4, 3]);
    assert_eq!(found(RequestFilter { before: Some((at(20), Uuid::from_u128(3))), ..all() }).await, [2, 1]);
    assert_eq!(found(RequestFilter { endpoint: Some("/pull".to_owned()), ..all() }).await, [4, 3]);
    assert_eq!(found(RequestFilter { method: Some("GET".to_owned()), ..all() }).await, [] as [u128; 0]);
    assert_eq!(found(RequestFilter { slow_ms: Some(500.0), ..all() }).await, [2]);
    assert_eq!(found(RequestFilter { status_min: Some(400), ..all() }).await, [4, 3]);
    assert_eq!(requests::page(&mut tx, &RequestFilter { to: at(20), ..all() }).await.unwrap(), rows[..1]);
}

fn rollup(start: DateTime<Utc>, endpoint: &str, count: i64) -> RollupRow {
    RollupRow {
        start,
        endpoint: endpoint.to_owned(),
        method: "GET".to_owned(),
        status_class: 2,
        count,
        errors: 0,
        sum_ms: 12.25,
        max_ms: 7.5,
        histogram: vec![0, 255, 1],
    }
}

async fn a_desk_writes_over_its_own_rollups_and_all_desks_are_read(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = db.begin_write(Seat::Worker).await.unwrap();
    rollups::save(&mut tx, Bucket::Minute, DESK, &[rollup(at(0), "/a", 1), rollup(at(60), "/b", 2)]).await.unwrap();
    rollups::save(&mut tx, Bucket::Minute, DESK, &[rollup(at(0), "/a", 5)]).await.unwrap();
    rollups::save(&mut tx, Bucket::Minute, OTHER_DESK, &[rollup(at(0), "/a", 7)]).await.unwrap();
    rollups::save(&mut tx, Bucket::Hour, DESK, &[rollup(at(0), "/a", 9)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin_read(Seat::Worker).await.unwrap();
    assert_eq!(rollups::of_desk(&mut tx, Bucket::Minute, at(0), DESK).await.unwrap(), [rollup(at(0), "/a", 5)]);
    let mut counts = async |until: i64, endpoint: Option<&str>, method: Option<&str>| {
        let found = rollups::between(&mut tx, Bucket::Minute, (at(0), at(until)), endpoint, method).await.unwrap();
        found.iter().map(|row| row.count).collect::<Vec<_>>()
    };
    assert_eq!(counts(61, None, None).await, [5, 7, 2]);
    assert_eq!(counts(60, None, None).await, [5, 7]);
    assert_eq!(counts(61, Some("/b"), Some("GET")).await, [2]);
    assert_eq!(counts(61, None, Some("PUT")).await, [] as [i64; 0]);
}

fn measure(labels: &str, (samples, sum, min, max, last): (i64, f64, f64, f64, f64)) -> MeasureRow {
    let (metric, labels) = ("queue_depth".to_owned(), labels.to_owned());
    MeasureRow { start: at(0), metric, labels, samples, sum, min, max, last }
}

async fn measures_are_added_up_where_they_stand(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = db.begin_write(Seat::Worker).await.unwrap();
    for row in [(2, 5.0, 1.0, 4.0, 4.0), (1, 9.5, 9.5, 9.5, 9.5), (1, 0.5, 0.5, 0.5, 0.5)] {
        measures::add(&mut tx, Bucket::Day, DESK, &[measure("{}", row)]).await.unwrap();
    }
    assert_eq!(measures::first(&mut tx, (at(0), at(7_200))).await.unwrap(), None, "a day is no hour");
    measures::add(
        &mut tx,
        Bucket::Hour,
        DESK,
        &[MeasureRow { start: at(3_600), ..measure("{}", (1, 1.0, 1.0, 1.0, 1.0)) }],
    )
    .await
    .unwrap();
    assert_eq!(measures::first(&mut tx, (at(0), at(7_200))).await.unwrap(), Some(at(3_600)));
    assert_eq!(measures::first(&mut tx, (at(3_700), at(7_200))).await.unwrap(), Some(at(3_600)), "it lasts an hour");
    assert_eq!(measures::first(&mut tx, (at(0), at(3_600))).await.unwrap(), None);
    measures::add(&mut tx, Bucket::Day, OTHER_DESK, &[measure(r#"{"kind":"rule"}"#, (1, 1.0, 1.0, 1.0, 1.0))])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin_read(Seat::Worker).await.unwrap();
    let found = measures::between(&mut tx, Bucket::Day, "queue_depth", (at(0), at(1))).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((found[1].desk, &found[1].row), (DESK.0, &measure("{}", (4, 15.0, 0.5, 9.5, 0.5))));
    assert_eq!(measures::between(&mut tx, Bucket::Day, "memory", (at(0), at(1))).await.unwrap(), []);
    assert_eq!(measures::between(&mut tx, Bucket::Hour, "queue_depth", (at(0), at(1))).await.unwrap(), []);
}

async fn a_desk_leaves_behind_whether_it_was_closed_and_what_it_cleaned_up(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = db.begin_write(Seat::Worker).await.unwrap();
    assert_eq!(recorders::last_run(&mut tx, DESK).await.unwrap(), None);
    recorders::begin(&mut tx, DESK, at(0)).await.unwrap();
    assert_eq!(recorders::last_run(&mut tx, DESK).await.unwrap(), Some(LastRun { heartbeat_at: at(0), closed: false }));
    recorders::beat(&mut tx, DESK, at(9), true).await.unwrap();
    assert_eq!(recorders::last_run(&mut tx, DESK).await.unwrap(), Some(LastRun { heartbeat_at: at(9), closed: true }));
    recorders::begin(&mut tx, DESK, at(20)).await.unwrap();
    assert_eq!(recorders::last_run(&mut tx, DESK).await.unwrap().map(|run| run.closed), Some(false));
    assert_eq!(recorders::last_clean_up(&mut tx).await.unwrap(), None);
    recorders::begin(&mut tx, OTHER_DESK, at(0)).await.unwrap();
    for (desk, second) in [(DESK, 5), (OTHER_DESK, 7), (DESK, 6)] {
        let done = LastCleanUp { at: at(second), removed: json!({ "requests": second }) };
        recorders::keep_clean_up(&mut tx, desk, &done).await.unwrap();
    }
    let newest = LastCleanUp { at: at(7), removed: json!({ "requests": 7 }) };
    assert_eq!(recorders::last_clean_up(&mut tx).await.unwrap(), Some(newest));
    let marker = |second: i64| MarkerRow {
        id: Uuid::from_u128(second.unsigned_abs().into()),
        desk: DESK,
        kind: "start".to_owned(),
        detail: json!({ "down_s": second }),
        created_at: at(second),
    };
    for second in [3, 1, 2] {
        recorders::add_marker(&mut tx, &marker(second)).await.unwrap();
    }
    let found = recorders::markers_between(&mut tx, (at(1), at(3)), 10).await.unwrap();
    assert_eq!(found, [marker(1), marker(2)]);
    assert_eq!(recorders::markers_between(&mut tx, (at(0), at(9)), 2).await.unwrap(), [marker(2), marker(3)]);
}

async fn what_is_too_old_goes_the_oldest_first_and_never_more_than_a_step(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = db.begin_write(Seat::Worker).await.unwrap();
    let rows: Vec<RequestRow> =
        (0..10).map(|number| request(number, 100 - i64::try_from(number).unwrap(), "/a", 1.0, 200)).collect();
    requests::add(&mut tx, &rows).await.unwrap();
    // Several rows of one minute: a step may end in the middle of it.
    for minute in 0..4 {
        let start = at(0) + TimeDelta::minutes(minute);
        for desk in [DESK, OTHER_DESK] {
            let of_desk: Vec<RollupRow> = ["/a", "/b"].map(|endpoint| rollup(start, endpoint, 1)).into();
            rollups::save(&mut tx, Bucket::Minute, desk, &of_desk).await.unwrap();
            let row = MeasureRow { start, ..measure("{}", (1, 1.0, 1.0, 1.0, 1.0)) };
            measures::add(&mut tx, Bucket::Minute, desk, &[row]).await.unwrap();
        }
        rollups::save(&mut tx, Bucket::Hour, DESK, &[rollup(start, "/a", 1)]).await.unwrap();
    }
    let before = at(0) + TimeDelta::minutes(2);
    let mut removed = Vec::new();
    for _ in 0..3 {
        removed.push(cleanup::remove_requests(&mut tx, at(97), 4).await.unwrap());
    }
    assert_eq!(removed, [4, 2, 0]);
    let left = requests::page(&mut tx, &all()).await.unwrap();
    assert_eq!(left.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let mut removed = Vec::new();
    for _ in 0..4 {
        removed.push(cleanup::remove_rollups(&mut tx, Bucket::Minute, before, 3).await.unwrap());
    }
    assert_eq!(removed, [3, 3, 2, 0]);
    let range = (at(0), at(1_000));
    let left = rollups::between(&mut tx, Bucket::Minute, range, None, None).await.unwrap();
    assert!(left.len() == 8 && left.iter().all(|row| row.start >= before));
    assert_eq!(rollups::between(&mut tx, Bucket::Hour, range, None, None).await.unwrap().len(), 4, "hours stay");
    assert_eq!(cleanup::remove_measures(&mut tx, Bucket::Minute, before, 3).await.unwrap(), 3);
    assert_eq!(cleanup::remove_measures(&mut tx, Bucket::Minute, before, 3).await.unwrap(), 1);
    assert_eq!(measures::between(&mut tx, Bucket::Minute, "queue_depth", range).await.unwrap().len(), 4);
    assert_eq!(cleanup::remove_markers(&mut tx, before, 3).await.unwrap(), 0);
}

async fn it_takes_room_of_its_own_and_neither_waits_for_the_other(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let (own, log) = db.sizes().await.unwrap();
    assert!(own > 0, "{own}");
    let (show, show_log) = store.db.sizes().await.unwrap();
    assert!(show > 0 && log.is_some() == show_log.is_some() && log.is_some() != store.db.is_shared());
    // Both are being written at the same time.
    let show = store.db.begin_write(Seat::Owner).await.unwrap();
    let mut tx = db.begin_write(Seat::Worker).await.unwrap();
    recorders::begin(&mut tx, DESK, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    show.commit().await.unwrap();
    let again = store.db.open_telemetry().await.unwrap();
    let mut tx = again.begin_read(Seat::Worker).await.unwrap();
    assert!(recorders::last_run(&mut tx, DESK).await.unwrap().is_some(), "it is found again");
}

on_both_engines![TestStore::open =>
    requests_are_found_by_time_route_and_what_became_of_them,
    a_desk_writes_over_its_own_rollups_and_all_desks_are_read,
    measures_are_added_up_where_they_stand,
    a_desk_leaves_behind_whether_it_was_closed_and_what_it_cleaned_up,
    what_is_too_old_goes_the_oldest_first_and_never_more_than_a_step,
    it_takes_room_of_its_own_and_neither_waits_for_the_other,
];

/// The schema of telemetry beside the one that the URL leads to.
async fn schema_of(owner: &mut PgConnection) -> String {
    let sql = "SELECT quote_ident(current_schema() || '_telemetry')";
    sqlx::query(sql).fetch_one(owner).await.unwrap().get(0)
}

#[test]
fn both_engines_keep_the_same() {
    run_plain(async {
        let (file, server) = (TestStore::open(None).await, TestStore::open(Some(fresh_database_url().await)).await);
        for store in [&file, &server] {
            store.db.open_telemetry().await.unwrap().close().await;
        }
        let sqlite = catalogue::of_sqlite(&format!("sqlite://{}", file.folder().join(TELEMETRY_FILE).display())).await;
        let mut owner = PgConnection::connect(server.database_url().unwrap()).await.unwrap();
        let schema = schema_of(&mut owner).await;
        sqlx::raw_sql(AssertSqlSafe(format!("SET search_path = {schema}"))).execute(&mut owner).await.unwrap();
        let postgres = catalogue::of_postgres_at(&mut owner).await;
        let same_kind = |kind: &str| match kind {
            "uuid" | "text" | "jsonb" => "TEXT",
            "double precision" => "REAL",
            "bytea" => "BLOB",
            _ => "INTEGER",
        };
        let forms = |catalogue: &catalogue::Catalogue, kind: &dyn Fn(&str) -> String| {
            let form = |(place, column): (&(String, String), &catalogue::Column)| {
                (place.clone(), (kind(&column.kind), column.required))
            };
            catalogue.columns.iter().map(form).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(forms(&sqlite, &str::to_owned), forms(&postgres, &|kind| same_kind(kind).to_owned()));
        assert_eq!(sqlite.indexes, postgres.indexes);
        let compared = postgres.columns.values().filter(|column| column.kind == "text");
        assert!(compared.clone().count() > 5 && sqlite.columns.len() > 40);
    });
}

#[test]
fn only_who_runs_the_show_reads_it_and_only_the_program_writes_it() {
    run_plain(async {
        let url = fresh_database_url().await;
        let show = Db::open_postgres(&url).await.unwrap();
        let known = fill(&show).await;
        show.open_telemetry().await.unwrap().close().await;
        let mut owner = PgConnection::connect(&url).await.unwrap();
        let schema = schema_of(&mut owner).await;
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() || '_telemetry'";
        let tables: Vec<String> =
            sqlx::query(sql).fetch_all(&mut owner).await.unwrap().iter().map(|row| row.get(0)).collect();
        assert!(tables.len() >= 6, "{tables:?}");
        let sql = "SELECT count(*) FROM pg_class WHERE relnamespace = (current_schema() || '_telemetry')::regnamespace \
                   AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)";
        let open: i64 = sqlx::query(sql).fetch_one(&mut owner).await.unwrap().get(0);
        assert_eq!(open, 0, "every table is guarded, also against its owner");
        sqlx::raw_sql(AssertSqlSafe(format!("SET search_path = {schema}; SET session_replication_role = replica")))
            .execute(&mut owner)
            .await
            .unwrap();
        let marker = "INSERT INTO markers VALUES (gen_random_uuid(), gen_random_uuid(), 'start', '{}', now())";
        sqlx::raw_sql(marker).execute(&mut owner).await.unwrap();

        let mut app = PgConnection::connect(&url).await.unwrap();
        let path = format!("SET ROLE showdesk_app; SET search_path = {schema}");
        sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut app).await.unwrap();
        let sees = async |app: &mut PgConnection, user: &str| {
            let user = format!("SELECT set_config('app.user_id', '{user}', false)");
            sqlx::raw_sql(AssertSqlSafe(user)).execute(&mut *app).await.unwrap();
            let count = sqlx::query("SELECT count(*) FROM markers").fetch_one(app).await.unwrap();
            count.get::<i64, _>(0)
        };
        assert_eq!(sees(&mut app, &known.person.0.to_string()).await, 1, "the owner of the show");
        let viewer = "UPDATE team_members SET role = 'editor', functions = '[\"superintendent\"]'";
        let mut show_owner = PgConnection::connect(&url).await.unwrap();
        for (user, demoted) in
            [("", false), (Uuid::new_v4().to_string().as_str(), false), (known.person.0.to_string().as_str(), true)]
        {
            if demoted {
                sqlx::raw_sql(viewer).execute(&mut show_owner).await.unwrap();
            }
            assert_eq!(sees(&mut app, user).await, 0, "{user}");
        }
        for table in tables.iter().filter(|table| *table != "_sqlx_migrations") {
            for verb in [format!("DELETE FROM {table}"), format!("INSERT INTO {table} SELECT * FROM {table}")] {
                let refused = sqlx::raw_sql(AssertSqlSafe(verb.clone())).execute(&mut app).await;
                assert!(refused.is_err_and(|error| is_denied(&error)), "{verb}");
            }
        }
        for (role, sql) in [
            ("showdesk_app", "SELECT * FROM _sqlx_migrations"),
            ("showdesk_writer", "SELECT * FROM markers"),
            ("showdesk_worker", "SELECT * FROM _sqlx_migrations"),
            ("showdesk_worker", "CREATE TABLE mine (id int)"),
        ] {
            let mut other = PgConnection::connect(&url).await.unwrap();
            let path = format!("SET ROLE {role}; SET search_path = {schema}");
            sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut other).await.unwrap();
            let refused = sqlx::raw_sql(sql).execute(&mut other).await;
            assert!(refused.is_err(), "{role}: {sql}");
        }
    });
}

fn is_denied(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    code.as_deref() == Some("42501")
}

#[test]
fn a_schema_of_another_program_is_left_alone() {
    run_plain(async {
        let url = fresh_database_url().await;
        let show = Db::open_postgres(&url).await.unwrap();
        let mut owner = PgConnection::connect(&url).await.unwrap();
        let schema = schema_of(&mut owner).await;
        let strange = format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.theirs (id int)");
        sqlx::raw_sql(AssertSqlSafe(strange)).execute(&mut owner).await.unwrap();
        let refused = show.open_telemetry().await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("holds tables of another program: theirs"), "{refused}");
        show.begin_read(Seat::Owner).await.unwrap();
    });
}

/// Whoever hears of the error: the desk asks the file before it goes on with it.
#[test]
fn damage_that_a_statement_finds_is_remembered() {
    run_plain(async {
        let store = TestStore::open(None).await;
        let db = store.db.open_telemetry().await.unwrap();
        let mut tx = db.begin_write(Seat::Worker).await.unwrap();
        let rows: Vec<RequestRow> = (0..2_000).map(|number| request(number, 1, "/a", 1.0, 200)).collect();
        requests::add(&mut tx, &rows).await.unwrap();
        tx.commit().await.unwrap();
        db.close().await;
        let file = store.folder().join(TELEMETRY_FILE);
        let mut bytes = std::fs::read(&file).unwrap();
        // The form of the tables stands at its beginning, the rows behind.
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        let db = store.db.open_telemetry().await.unwrap();
        assert!(!db.is_damaged());
        let mut tx = db.begin_read(Seat::Worker).await.unwrap();
        assert!(requests::page(&mut tx, &all()).await.is_err());
        assert!(db.is_damaged());
    });
}
