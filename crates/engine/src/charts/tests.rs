//! Drawings from what was measured, on both engines.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::DeviceId;
use showdesk_store::absences::{self, AbsenceRow};
use showdesk_store::people::{self, DeviceRow};
use showdesk_store::telemetry::measures::{self, MeasureRow};
use showdesk_store::telemetry::rollups::Bucket;
use showdesk_testkit::{SetClock, on_both_engines};
use tempfile::TempDir;
use tokio::time::timeout;
use uuid::Uuid;

use super::*;
use crate::Options;

on_both_engines![
    drawings_at_once_are_the_same_and_none_waits_for_another,
    a_phone_that_came_back_is_named_on_the_desk_only,
];

/// A show with half an hour of figures.
async fn show(database_url: Option<String>) -> (Engine, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::new();
    let options = Options { database_url, clock: Arc::<SetClock>::clone(&clock), ..Options::new(folder.path()) };
    let engine = Engine::open(options).await.expect("a show");
    clock.pass(TimeDelta::hours(2));
    let measured = |minute: i32, metric: &str, value: f64| MeasureRow {
        start: engine.now() - TimeDelta::minutes(30 - i64::from(minute)),
        metric: metric.to_owned(),
        labels: "{}".to_owned(),
        samples: 1,
        sum: value,
        min: value,
        max: value,
        last: value,
    };
    let of_minute = |minute: i32| {
        let value = f64::from(minute);
        [measured(minute, "phones_connected", value), measured(minute, "disk_free", value * 268_435_456.0)]
    };
    let rows: Vec<MeasureRow> = (0..30).flat_map(of_minute).collect();
    let mut tx = engine.begin_write_telemetry().await.expect("a transaction");
    measures::add(&mut tx, Bucket::Minute, engine.inner.desk_device, &rows).await.expect("figures");
    tx.commit().await.expect("kept");
    (engine, folder)
}

async fn draw(engine: &Engine, phone_names: PhoneNames) -> Drawn {
    engine.draw(Range::Hour, false, Frame::tile(chrono_tz::UTC), phone_names).await.expect("drawings")
}

async fn drawings_at_once_are_the_same_and_none_waits_for_another(database_url: Option<String>) {
    // More than the connections that read figures: were one held while another is asked for, all would stand still.
    const AT_ONCE: usize = 8;
    let (engine, _folder) = show(database_url).await;
    let pictures = |drawn: &Drawn| -> Vec<String> {
        drawn.charts.iter().map(|chart| chart.svg(&drawn.frame, Ink::Variables)).collect()
    };
    let alone = pictures(&draw(&engine, PhoneNames::Said).await);
    assert!(alone.iter().any(|svg| svg.contains("Alert at")), "limits of rules are drawn");
    let drawing = join_all((0..AT_ONCE).map(|_| {
        let engine = engine.clone();
        tokio::spawn(async move { draw(&engine, PhoneNames::Said).await })
    }));
    // Who waits for a connection in vain is drawn without limits, or not at all.
    for drawn in timeout(Duration::from_mins(1), drawing).await.expect("none waits for another") {
        assert!(pictures(&drawn.expect("no panic")) == alone, "the same moment has the same pictures");
    }
}

async fn a_phone_that_came_back_is_named_on_the_desk_only(database_url: Option<String>) {
    let (engine, _folder) = show(database_url).await;
    let (phone, now) = (DeviceId(Uuid::now_v7()), engine.now());
    let row = DeviceRow::joining(phone, engine.inner.desk_person, DeviceKind::Phone, "Birch family".to_owned(), now);
    let absence =
        AbsenceRow { device: phone, away_from: now - TimeDelta::minutes(25), back_at: now - TimeDelta::minutes(5) };
    let mut tx = engine.begin_write_desk().await.expect("a transaction");
    people::add_device(&mut tx, &row).await.expect("a phone");
    engine.commit(tx).await.expect("kept");
    let mut tx = engine.begin_write_claims().await.expect("a transaction");
    absences::add(&mut tx, &absence).await.expect("an absence");
    engine.commit(tx).await.expect("kept");
    for (phone_names, expected) in [(PhoneNames::Said, "Birch family back"), (PhoneNames::LeftOut, "A phone back")] {
        let drawn = draw(&engine, phone_names).await;
        let words: Vec<String> = drawn.frame.events.iter().map(showdesk_charts::Event::said).collect();
        assert_eq!(words, [expected]);
    }
    let report = engine.report(&engine.desk_actor().await.expect("the desk")).await.expect("the report");
    let (_, told) = report.html.split_once("</style>").expect("letters, then words");
    assert!(told.contains("A phone back") && !told.contains("Birch"), "{told}");
}
