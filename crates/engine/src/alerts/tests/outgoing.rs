//! The webhook: tried with pauses, given up, and left to the desk that has the key.

use std::net::TcpListener;

use showdesk_store::telemetry::alerts::Outgoing;

use super::*;
use crate::api::alerts::{AlertSettings, AlertSettingsInput, AlertWebhookInput};
use crate::{KeysIn, SystemKeychain};

on_both_engines![a_webhook_that_does_not_answer_is_tried_with_pauses_until_it_is_given_up];

/// A show with a webhook that nobody answers, and an event that is to go there.
async fn said(engine: &Engine, push: bool) {
    // Another test of this process may have been faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    engine.open_vault(KeysIn::File, Arc::new(SystemKeychain)).await.expect("a vault");
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let url = format!("http://{closed}/hook");
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

async fn a_webhook_that_does_not_answer_is_tried_with_pauses_until_it_is_given_up(database_url: Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = open(&folder, database_url, &SetClock::new()).await;
    said(&engine, false).await;
    for (attempts, seconds) in [(1, 1), (2, 15), (3, 120), (4, 600), (5, 1_800)] {
        let before = shared_clock(&engine).await;
        assert_eq!(carry(&engine).await, 1);
        let after = shared_clock(&engine).await;
        let tried = event(&engine).await;
        assert_eq!((tried.attempts, tried.webhook), (attempts, Some(Outgoing::Waiting)));
        let pause = TimeDelta::seconds(seconds);
        let next = tried.next_attempt_at.expect("it is tried again");
        assert!((before + pause..=after + pause).contains(&next), "{next} after {before}, and {seconds} s");
        // The first pause is so short that a busy server's clock may have passed it.
        assert!(attempts == 1 || carry(&engine).await == 0, "not before its time");
        after_the_pause(&engine).await;
    }
    assert_eq!(carry(&engine).await, 1);
    let given_up = event(&engine).await;
    assert_eq!((given_up.attempts, given_up.webhook, given_up.next_attempt_at), (6, Some(Outgoing::Failed), None));
    let last = chosen(&engine).await.webhook.and_then(|webhook| webhook.last).expect("it is told");
    assert!(!last.ok && last.sentence.starts_with("Nobody answered"), "{last:?}");
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
        let left = event(&one).await;
        let ways = (left.push, left.webhook, left.attempts);
        assert_eq!(ways, (Some(Outgoing::Sent), Some(Outgoing::Waiting), 0), "no try is used up");
        let told = chosen(&other).await.webhook.and_then(|webhook| webhook.last).expect("it is told");
        assert!(!told.ok && told.sentence.contains("not on this laptop"), "{told:?}");
        assert_eq!(carry(&one).await, 1);
        assert_eq!(event(&one).await.attempts, 1);
        other.close().await;
        one.close().await;
    });
}
