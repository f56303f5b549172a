//! Alerts with a clock that stands still, on both engines. Through the program and over HTTP: `tests/http/alerts.rs`.

mod memory;
mod outgoing;

use showdesk_testkit::{SetClock, on_both_engines, run_plain};

use super::*;
use crate::api::alerts::{AlertEvent, AlertRule};
use crate::api::errors::ErrorWish;
use crate::faults::tests::{note, open, say};

on_both_engines![a_problem_that_came_back_is_told_once_and_so_is_its_end, a_restart_says_nothing_twice];

async fn events(engine: &Engine) -> Vec<AlertEvent> {
    let actor = engine.desk_actor().await.expect("the desk");
    engine.alert_events(&actor, None, 100).await.expect("a page").items
}

async fn kinds(engine: &Engine, rule: &str) -> Vec<String> {
    let found = events(engine).await.into_iter().filter(|event| event.rule == rule);
    found.map(|event| event.kind).rev().collect()
}

async fn look(engine: &Engine) {
    engine.look_at_alerts().await.expect("the rules are looked at");
}

async fn a_problem_that_came_back_is_told_once_and_so_is_its_end(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url, &clock).await;
    note(&engine, "the scale says 17").await;
    look(&engine).await;
    assert!(kinds(&engine, "problem_back").await.is_empty(), "a new problem is none that came back");
    let actor = engine.desk_actor().await.expect("the desk");
    let query = crate::api::errors::ErrorQuery { limit: 1, ..Default::default() };
    let problem = engine.problems(&actor, query).await.expect("a list").items.remove(0);
    say(&engine, &problem.fingerprint, ErrorWish::Resolved).await;
    clock.pass_seconds(60);
    note(&engine, "the scale says 18").await;
    for _ in 0..3 {
        look(&engine).await;
        clock.pass_seconds(10);
    }
    assert_eq!(kinds(&engine, "problem_back").await, ["firing"]);
    let told = events(&engine).await.remove(0);
    assert_eq!(told.headline, "A problem that was solved is back");
    assert_eq!((told.detail.as_deref(), told.subjects.len()), (Some("the scale says 17"), 1));
    let rules = engine.alert_rules(&actor).await.expect("rules").items;
    let rule = rules.iter().find(|item| item.rule.id == "problem_back").expect("it is built in");
    assert_eq!((rule.state.phase.as_str(), rule.state.firing.len()), ("firing", 1));
    say(&engine, &problem.fingerprint, ErrorWish::Resolved).await;
    for _ in 0..2 {
        look(&engine).await;
    }
    assert_eq!(kinds(&engine, "problem_back").await, ["firing", "resolved"]);
    engine.close().await;
}

async fn a_restart_says_nothing_twice(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let mut engine = open(&folder, database_url.clone(), &clock).await;
    let actor = engine.desk_actor().await.expect("the desk");
    let mut rule = rule_of(&engine, "disk_low").await;
    // Every disk has less room than that.
    (rule.threshold, rule.recovery) = (1e18, 1e18);
    engine.set_alert_rule(&actor, rule.clone()).await.expect("it can be followed");
    for _ in 0..2 {
        engine.take_readings().await.expect("readings");
        look(&engine).await;
        assert_eq!(kinds(&engine, "disk_low").await, ["firing"]);
        engine.close().await;
        drop(engine);
        clock.pass_seconds(60);
        engine = open(&folder, database_url.clone(), &clock).await;
    }
    (rule.threshold, rule.recovery) = (0.0, 0.0);
    engine.set_alert_rule(&actor, rule).await.expect("it can be followed");
    for _ in 0..10 {
        engine.take_readings().await.expect("readings");
        look(&engine).await;
        clock.pass_seconds(30);
    }
    assert_eq!(kinds(&engine, "disk_low").await, ["firing", "resolved"]);
    engine.close().await;
}

async fn rule_of(engine: &Engine, id: &str) -> AlertRule {
    let actor = engine.desk_actor().await.expect("the desk");
    let rules = engine.alert_rules(&actor).await.expect("rules").items;
    rules.into_iter().find(|item| item.rule.id == id).expect("it is built in").rule
}

#[test]
fn of_two_desks_one_tells_of_the_show_and_each_of_its_own_laptop() {
    run_plain(async {
        let url = Some(showdesk_testkit::fresh_database_url().await);
        let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
        let clock = SetClock::new();
        let one = open(&folders[0], url.clone(), &clock).await;
        let other = open(&folders[1], url, &clock).await;
        let actor = one.desk_actor().await.expect("the desk");
        let mut disk = rule_of(&one, "disk_low").await;
        (disk.threshold, disk.recovery) = (1e18, 1e18);
        one.set_alert_rule(&actor, disk).await.expect("it can be followed");
        note(&one, "the scale says 17").await;
        let query = crate::api::errors::ErrorQuery { limit: 1, ..Default::default() };
        let problem = one.problems(&actor, query).await.expect("a list").items.remove(0);
        say(&one, &problem.fingerprint, ErrorWish::Resolved).await;
        clock.pass_seconds(60);
        note(&other, "the scale says 18").await;
        for engine in [&one, &other, &one, &other] {
            engine.take_readings().await.expect("readings");
            look(engine).await;
        }
        assert_eq!(kinds(&one, "problem_back").await, ["firing"]);
        assert_eq!(kinds(&one, "disk_low").await, ["firing", "firing"], "each desk has a disk of its own");
        let names: Vec<_> = events(&one).await.into_iter().filter_map(|event| event.subjects[0].name.clone()).collect();
        assert!(names.contains(&"Laptop".to_owned()) && names.len() == 3, "{names:?}");
        // The one that had the turn is gone; its time passes, and the other one goes on.
        one.close().await;
        clock.pass_seconds(60);
        say(&other, &problem.fingerprint, ErrorWish::Resolved).await;
        look(&other).await;
        assert_eq!(kinds(&other, "problem_back").await, ["firing", "resolved"]);
        other.close().await;
    });
}
