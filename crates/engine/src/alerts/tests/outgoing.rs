//! The webhook: tried with pauses, given up, and left to the desk that has the key.

use std::net::TcpListener;

use showdesk_store::telemetry::alerts::Outgoing;

use super::*;
use crate::api::alerts::{AlertSettings, AlertSettingsInput, AlertWebhookInput};
use crate::{KeysIn, SystemKeychain};

on_both_engines![
    a_webhook_that_is_busy_is_tried_with_pauses_until_it_is_no_news,
    a_webhook_that_is_not_reached_loses_no_tries,
];

/// A show with a webhook that nobody answers, and an event that is to go there.
async fn said(engine: &Engine, push: bool) {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    said_to(engine, push, format!("http://{closed}/hook")).await;
}

/// An event that is to go to a webhook at that address.
async fn said_to(engine: &Engine, push: bool, url: String) {
    // Another test of this process may have been faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    engine.open_vault(KeysIn::File, Arc::new(SystemKeychain)).await.expect("a vault");
    let wanted = AlertSettingsInput {
        push: Some(push),
        webhook: Some(Some(AlertWebhookInput { url })),
        ..AlertSettingsInput::default()
    };
    let actor = engine.desk_actor().await.expect("the desk");
    engine.choose_alert_settings(&actor, wanted).await.expect("they are chosen");
    let rule = AlertRule { threshold: 1e18, recovery: 1e18, ..rule_of(engine, "disk_low").await };
    engine.set_alert_rule(&actor, rule).await.expect("it can be followed");
    engine.take_readings().await.expect("readings");
    look(engine).await;
}

async fn chosen(engine: &Engine) -> AlertSettings {
    let actor = engine.desk_actor().await.expect("the desk");
    engine.alert_settings(&actor).await.expect("settings")
}

async fn event(engine: &Engine) -> EventRow {
    let mut tx = engine.begin_read_telemetry().await.expect("it is read");
    alerts::events(&mut tx, None, 10).await.expect("events").remove(0)
}

/// The clock that leases and pauses go by.
async fn shared_clock(engine: &Engine) -> DateTime<Utc> {
    let mut tx = engine.begin_read_telemetry().await.expect("it is read");
    tx.shared_clock(engine.now()).await.expect("a moment")
}

/// The pause is over, also on the database's clock, which no test can move.
async fn after_the_pause(engine: &Engine) {
    let mut tx = engine.begin_write_telemetry().await.expect("it is written");
    let now = tx.shared_clock(engine.now()).await.expect("a moment");
    alerts::end_waits(&mut tx, now).await.expect("it is due");
    tx.commit().await.expect("committed");
}

async fn carry(engine: &Engine) -> usize {
    engine.carry_alerts_out().await.expect("it is carried out")
}

/// A page that answers all that it is busy.
async fn busy_page() -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
    });
    format!("http://{address}/hook")
}

/// Six hours have passed: the alert goes nowhere any more.
async fn assert_given_up(engine: &Engine, clock: &SetClock, attempts: i64) {
    clock.pass(TimeDelta::hours(6) + TimeDelta::milliseconds(1));
    after_the_pause(engine).await;
    assert_eq!(carry(engine).await, 1);
    let given_up = event(engine).await;
    let ends = (given_up.attempts, given_up.webhook, given_up.next_attempt_at);
    assert_eq!(ends, (attempts, Some(Outgoing::Failed), None));
}

async fn tried_after(engine: &Engine, attempts: i64, seconds: i64) {
    let before = shared_clock(engine).await;
    assert_eq!(carry(engine).await, 1);
    let after = shared_clock(engine).await;
    let tried = event(engine).await;
    assert_eq!((tried.attempts, tried.webhook), (attempts, Some(Outgoing::Waiting)));
    let pause = TimeDelta::seconds(seconds);
    let next = tried.next_attempt_at.expect("it is tried again");
    assert!((before + pause..=after + pause).contains(&next), "{next} after {before}, and {seconds} s");
    // The first pause is so short that a busy server's clock may have passed it.
    assert!(seconds == 1 || carry(engine).await == 0, "not before its time");
    after_the_pause(engine).await;
}

async fn a_webhook_that_is_busy_is_tried_with_pauses_until_it_is_no_news(database_url: Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::new();
    let engine = open(&folder, database_url, &clock).await;
    said_to(&engine, false, busy_page().await).await;
    for (attempts, seconds) in [(1, 1), (2, 15), (3, 120), (4, 600), (5, 1_800), (6, 1_800), (7, 1_800)] {
        tried_after(&engine, attempts, seconds).await;
    }
    let last = chosen(&engine).await.webhook.and_then(|webhook| webhook.last).expect("it is told");
    assert!(!last.ok && last.sentence.starts_with("It answered 503"), "{last:?}");
    assert_given_up(&engine, &clock, 7).await;
    engine.close().await;
}

async fn a_webhook_that_is_not_reached_loses_no_tries(database_url: Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::new();
    let engine = open(&folder, database_url, &clock).await;
    said(&engine, false).await;
    for _ in 0..7 {
        tried_after(&engine, 0, 60).await;
    }
    let last = chosen(&engine).await.webhook.and_then(|webhook| webhook.last).expect("it is told");
    assert!(!last.ok && last.sentence.starts_with("Nobody answered"), "{last:?}");
    assert_given_up(&engine, &clock, 0).await;
    engine.close().await;
}

#[test]
fn a_desk_without_the_key_leaves_webhooks_to_the_one_that_has_it() {
    run_plain(async {
        let url = Some(showdesk_testkit::fresh_database_url().await);
        let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
        let clock = SetClock::new();
        let one = open(&folders[0], url.clone(), &clock).await;
        said(&one, true).await;
        let other = open(&folders[1], url, &clock).await;
        let facts = other.open_vault(KeysIn::File, Arc::new(SystemKeychain)).await.expect("it does without");
        assert!(facts.is_locked);
        assert_eq!(carry(&other).await, 1, "the push takes no key");
        assert_eq!(carry(&other).await, 0);
        let actor = one.desk_actor().await.expect("the desk");
        let told = one.alert_events(&actor, None, 10).await.expect("events").items.remove(0);
        assert_eq!(told.push.as_deref(), Some("failed"), "nobody of the office has a phone");
        let left = event(&one).await;
        let ways = (left.push, left.webhook, left.attempts);
        assert_eq!(ways, (Some(Outgoing::Sent), Some(Outgoing::Waiting), 0), "no try is used up");
        let told = chosen(&other).await.webhook.and_then(|webhook| webhook.last).expect("it is told");
        assert!(!told.ok && told.sentence.contains("not on this laptop"), "{told:?}");
        assert_eq!(carry(&one).await, 1);
        assert!(!chosen(&one).await.webhook.and_then(|webhook| webhook.last).expect("it is told").ok, "it tried");
        other.close().await;
        one.close().await;
    });
}
