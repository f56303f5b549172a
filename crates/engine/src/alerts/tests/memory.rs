//! What can be written nowhere is said all the same, once, and each desktop shows it once.

use super::*;
use crate::api::alerts::{AlertPlace, DesktopAlert};

on_both_engines![
    a_full_disk_is_told_from_memory_and_written_when_there_is_room,
    desktops_show_each_event_once_whatever_the_clock_says,
];

/// A disk that counts as low, after so many seconds.
async fn low_disk(engine: &Engine, wait: u32) {
    let actor = engine.desk_actor().await.expect("the desk");
    let rule = AlertRule { threshold: 1e18, recovery: 1e18, wait, ..rule_of(engine, "disk_low").await };
    engine.set_alert_rule(&actor, rule).await.expect("it can be followed");
    read(engine).await;
    look(engine).await;
}

async fn read(engine: &Engine) {
    engine.take_readings().await.expect("readings");
}

async fn shown(engine: &Engine, place: &mut Option<AlertPlace>) -> Vec<DesktopAlert> {
    let (after, found) = engine.alerts_for_desktop(place.take()).await.expect("it is told");
    *place = Some(after);
    found
}

fn headlines(found: &[DesktopAlert]) -> Vec<&str> {
    found.iter().map(|alert| alert.headline.as_str()).collect()
}

async fn a_full_disk_is_told_from_memory_and_written_when_there_is_room(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let mut engine = open(&folder, database_url.clone(), &clock).await;
    let mut place = None;
    low_disk(&engine, 60).await;
    assert!(shown(&engine, &mut place).await.is_empty());
    engine.inner.disk.reserve(u64::MAX);
    clock.pass_seconds(61);
    for _ in 0..3 {
        read(&engine).await;
        look(&engine).await;
        clock.pass_seconds(10);
    }
    assert_eq!(kinds(&engine, "disk_low").await, ["firing"], "the page hears of it once");
    let actor = engine.desk_actor().await.expect("the desk");
    let rules = engine.alert_rules(&actor).await.expect("rules").items;
    let rule = rules.iter().find(|item| item.rule.id == "disk_low").expect("it is built in");
    assert_eq!((rule.state.phase.as_str(), rule.state.firing.len()), ("firing", 1));
    assert_eq!(headlines(&shown(&engine, &mut place).await), ["The disk is almost full"]);
    assert!(shown(&engine, &mut place).await.is_empty());
    assert_eq!(engine.inner.alerts.unwritten().len(), 1);

    engine.inner.disk.reserve(0);
    look(&engine).await;
    assert!(engine.inner.alerts.unwritten().is_empty(), "it is written");
    assert_eq!(kinds(&engine, "disk_low").await, ["firing"]);
    assert!(shown(&engine, &mut place).await.is_empty(), "it was shown before it had a number");
    engine.close().await;
    drop(engine);
    engine = open(&folder, database_url, &clock).await;
    read(&engine).await;
    look(&engine).await;
    assert_eq!(kinds(&engine, "disk_low").await, ["firing"], "a restart says nothing twice");
    assert!(shown(&engine, &mut None).await.is_empty(), "what was said before the start is no news");
    engine.close().await;
}

async fn desktops_show_each_event_once_whatever_the_clock_says(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url, &clock).await;
    let mut place = None;
    low_disk(&engine, 0).await;
    assert_eq!(headlines(&shown(&engine, &mut place).await), ["The disk is almost full"], "since the start");
    // The clock was two hours ahead.
    clock.pass_seconds(-7_200);
    let actor = engine.desk_actor().await.expect("the desk");
    let rule = AlertRule { threshold: 0.0, recovery: 0.0, keep: 0, ..rule_of(&engine, "disk_low").await };
    engine.set_alert_rule(&actor, rule).await.expect("it can be followed");
    read(&engine).await;
    look(&engine).await;
    assert_eq!(headlines(&shown(&engine, &mut place).await), ["The disk has room again"]);
    assert!(shown(&engine, &mut place).await.is_empty());
    engine.close().await;
}

#[test]
fn a_rule_about_what_is_never_measured_is_not_listed() {
    run_plain(async {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = open(&folder, None, &SetClock::new()).await;
        read(&engine).await;
        let actor = engine.desk_actor().await.expect("the desk");
        let rules = engine.alert_rules(&actor).await.expect("rules").items;
        let phase = |id: &str| rules.iter().find(|item| item.rule.id == id).map(|item| item.state.phase.as_str());
        assert_eq!([phase("backup_old"), phase("stick_missing")], [None; 2], "nothing of them is measured yet");
        assert_eq!([phase("disk_low"), phase("queue_age"), phase("error_rate")], [Some("normal"); 3]);
        engine.close().await;
    });
}
