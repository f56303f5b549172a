//! APNs: one connection, passes, the other environment, and the actions of its errors.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::json;
use showdesk_push::apns::{Apns, ApnsEndpoints, ApnsTarget, AppleKey, Environment};
use showdesk_push::{Network, Outcome, Outgoing, Secret, Trial, Wait};

use crate::stand_in::apple::{Apple, Mood, Phone, TOPIC};
use crate::stand_in::keys::{self, APPLE_KEY_ID, APPLE_TEAM_ID};
use crate::stand_in::{Reply, nobody};
use crate::{call, network, noon, retry};

fn phone(token: &str) -> ApnsTarget {
    ApnsTarget {
        token: Secret::new(token),
        environment: Environment::Production,
        topic: TOPIC.to_owned(),
        registered_at: noon() - TimeDelta::hours(1),
    }
}

fn sender_on(network: &Network, key_id: &str, production: String, sandbox: String) -> Apns {
    let key = AppleKey::parse(&keys::apple(), key_id, APPLE_TEAM_ID).unwrap();
    Apns::new(network, key, &ApnsEndpoints { production, sandbox }).unwrap()
}

/// Both environments with their phones, and a sender.
async fn apples(production: &[&str], sandbox: &[&str]) -> (Apple, Apple, Apns) {
    let production = Apple::start(None, Mood::with(Some(noon()), production)).await;
    let sandbox = Apple::start(None, Mood::with(Some(noon()), sandbox)).await;
    let sender = sender_on(&network(), APPLE_KEY_ID, production.server.url(), sandbox.server.url());
    (production, sandbox, sender)
}

fn refused(status: u16, reason: &str) -> Reply {
    Reply::of(status, &json!({"reason": reason}))
}

fn accepted() -> Outcome {
    Outcome::Accepted { provider_message_id: Some(call().id.to_string()) }
}

#[tokio::test]
async fn three_hundred_messages_at_once_take_one_connection() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    let (message, target) = (call(), phone("ab12"));
    let outcomes = join_all((0..300).map(|_| sender.send(noon(), &target, &message))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == accepted()));
    assert_eq!(production.server.asked().len(), 300);
    assert_eq!(production.server.connections(), 1);
}

#[tokio::test]
async fn behind_a_certificate_it_is_one_connection_too() {
    let (tls, authority) = {
        network();
        keys::certificate()
    };
    let apple = Apple::start(Some(tls), Mood::with(Some(noon()), &["ab12"])).await;
    let trusting = network().trusting(authority.as_bytes()).unwrap();
    let sender = sender_on(&trusting, APPLE_KEY_ID, apple.server.url(), apple.server.url());
    let (message, target) = (call(), phone("ab12"));
    let outcomes = join_all((0..300).map(|_| sender.send(noon(), &target, &message))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == accepted()));
    assert_eq!(apple.server.connections(), 1);
}

#[tokio::test]
async fn somebody_else_in_apples_place_is_told_nothing() {
    network();
    let (tls, _authority) = keys::certificate();
    let impostor = Apple::start(Some(tls), Mood::with(Some(noon()), &[])).await;
    let sender = sender_on(&network(), APPLE_KEY_ID, impostor.server.url(), impostor.server.url());
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert_eq!(retry(&outcome), ("not_trusted", Wait::Provider, false));
    assert!(impostor.server.asked().is_empty());
}

#[tokio::test]
async fn a_phone_of_the_other_environment_is_found_there() {
    let (production, sandbox, sender) = apples(&[], &["ab12"]).await;
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    let provider_message_id = Some(call().id.to_string());
    assert_eq!(outcome, Outcome::OtherEnvironment { environment: Environment::Sandbox, provider_message_id });
    assert_eq!((production.server.asked().len(), sandbox.server.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_phone_of_neither_environment_is_dead() {
    let (production, sandbox, sender) = apples(&[], &[]).await;
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert!(matches!(&outcome, Outcome::Dead { code, .. } if code.as_str() == "BadDeviceToken"), "{outcome:?}");
    assert_eq!((production.server.asked().len(), sandbox.server.asked().len()), (1, 1));
}

#[tokio::test]
async fn an_environment_that_could_not_be_asked_buries_no_phone() {
    let (_production, sandbox, sender) = apples(&[], &[]).await;
    sandbox.change(|mood| mood.all = Some(refused(503, "ServiceUnavailable")));
    assert_eq!(retry(&sender.send(noon(), &phone("ab12"), &call()).await).0, "ServiceUnavailable");
    sandbox.change(|mood| mood.all = Some(Reply::HangUp));
    assert_eq!(retry(&sender.send(noon(), &phone("ab12"), &call()).await).0, "connection_lost");
    // The key may be good for one environment only.
    sandbox.change(|mood| mood.all = Some(refused(403, "BadEnvironmentKeyInToken")));
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert!(matches!(&outcome, Outcome::Strike { code } if code.as_str() == "BadDeviceToken"), "{outcome:?}");
}

#[tokio::test]
async fn a_stale_pass_is_made_anew_once() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    production.change(|mood| mood.next.push(refused(403, "ExpiredProviderToken")));
    let later = noon() + TimeDelta::seconds(5);
    assert_eq!(sender.send(noon(), &phone("ab12"), &call()).await, accepted());
    assert_eq!(production.server.asked().len(), 2);
    production.change(|mood| mood.all = Some(refused(403, "ExpiredProviderToken")));
    let outcome = sender.send(later, &phone("ab12"), &call()).await;
    assert!(matches!(&outcome, Outcome::Config { code } if code.as_str() == "ExpiredProviderToken"), "{outcome:?}");
    let asked = production.server.asked();
    assert_eq!(asked.len(), 4);
    assert_ne!(asked[3].header("authorization"), asked[2].header("authorization"));
}

#[tokio::test]
async fn a_pass_lives_fifty_minutes() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    let mut message = call();
    message.expires_at = noon() + TimeDelta::hours(3);
    for minutes in [0, 49, 50, 51] {
        let now = noon() + TimeDelta::minutes(minutes);
        production.change(|mood| mood.now = Some(now));
        assert_eq!(sender.send(now, &phone("ab12"), &message).await, accepted());
    }
    let asked = production.server.asked();
    let passes: Vec<&str> = asked.iter().map(|asked| asked.header("authorization")).collect();
    assert!(passes[0] == passes[1] && passes[1] != passes[2] && passes[2] == passes[3]);
}

#[tokio::test]
async fn a_message_that_apple_finds_too_long_is_shortened_once() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    let long = Outgoing { body: "🐄".repeat(3_000), ..call() };
    production.change(|mood| mood.next.push(refused(413, "PayloadTooLarge")));
    assert_eq!(sender.send(noon(), &phone("ab12"), &long).await, accepted());
    let sizes: Vec<usize> = production.server.asked().iter().map(|asked| asked.body.len()).collect();
    assert!(sizes[0] > 4_000 && sizes[1] <= 2_048, "{sizes:?}");
    production.change(|mood| mood.all = Some(refused(413, "PayloadTooLarge")));
    let outcome = sender.send(noon(), &phone("ab12"), &long).await;
    assert!(matches!(&outcome, Outcome::Drop { code } if code.as_str() == "PayloadTooLarge"), "{outcome:?}");
    assert_eq!(production.server.asked().len(), 4);
}

#[tokio::test]
async fn an_app_that_was_removed_is_dead_unless_it_came_back() {
    let (production, _sandbox, sender) = apples(&[], &[]).await;
    let gone_at = |at: DateTime<Utc>| {
        production.change(|mood| mood.set("ab12", Phone::GoneSince(at)));
    };
    let since = noon() - TimeDelta::minutes(5);
    gone_at(since);
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert!(matches!(&outcome, Outcome::Dead { since: Some(at), .. } if *at == since), "{outcome:?}");
    gone_at(noon() - TimeDelta::hours(2));
    assert_eq!(retry(&sender.send(noon(), &phone("ab12"), &call()).await).0, "Unregistered");
    production.change(|mood| mood.set("ab12", Phone::WithAnotherApp));
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert!(matches!(&outcome, Outcome::Dead { code, since: None } if code.as_str() == "DeviceTokenNotForTopic"));
}

#[tokio::test]
async fn a_broken_service_is_asked_next_time_on_a_new_connection() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    production.change(|mood| mood.next.push(refused(503, "Shutdown")));
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert_eq!(retry(&outcome), ("Shutdown", Wait::Provider, true));
    assert_eq!(sender.send(noon(), &phone("ab12"), &call()).await, accepted());
    assert_eq!(production.server.connections(), 2);
}

#[tokio::test]
async fn a_service_that_says_goodbye_is_asked_on_a_new_connection() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    assert_eq!(sender.send(noon(), &phone("ab12"), &call()).await, accepted());
    production.server.say_goodbye();
    // What is under way while it says so is still answered there, or lost and tried again.
    for _ in 0..100 {
        let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
        if production.server.connections() == 2 {
            assert_eq!(outcome, accepted());
            return;
        }
        assert!(outcome == accepted() || retry(&outcome).0 == "connection_lost", "{outcome:?}");
    }
    panic!("the connection it left is still in use");
}

#[tokio::test]
async fn a_network_that_fails_is_no_news_about_a_phone() {
    let offline = sender_on(&network(), APPLE_KEY_ID, nobody().await, nobody().await);
    let outcome = offline.send(noon(), &phone("ab12"), &call()).await;
    assert_eq!(retry(&outcome), ("unreachable", Wait::Provider, false));
    let (production, _sandbox, sender) = apples(&[], &[]).await;
    production.change(|mood| mood.all = Some(Reply::Never));
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert_eq!(retry(&outcome), ("timed_out", Wait::Provider, true));
}

#[tokio::test]
async fn a_line_that_died_in_silence_is_left_and_counts_as_no_attempt() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    assert_eq!(sender.send(noon(), &phone("ab12"), &call()).await, accepted());
    production.change(|mood| mood.all = Some(Reply::Dead));
    let outcome = sender.send(noon(), &phone("ab12"), &call()).await;
    assert_eq!(retry(&outcome), ("unreachable", Wait::Provider, false));
    production.change(|mood| mood.all = None);
    assert_eq!(sender.send(noon(), &phone("ab12"), &call()).await, accepted());
    assert_eq!(production.server.connections(), 2);
}

#[tokio::test]
async fn a_test_of_the_settings_reaches_no_phone_and_says_what_is_wrong() {
    let (production, _sandbox, sender) = apples(&["ab12"], &[]).await;
    let trial = sender.test(noon(), Environment::Production, TOPIC).await;
    assert!(trial.works && trial.says.contains(TOPIC), "{}", trial.says);
    let says = |trial: Trial| {
        assert!(!trial.works);
        trial.says
    };
    assert!(says(sender.test(noon(), Environment::Production, "org.example.other").await).contains("bundle id"));
    assert!(says(sender.test(noon(), Environment::Production, "not a topic").await).contains("bundle id"));
    let clock = sender.test(noon() + TimeDelta::days(2), Environment::Production, TOPIC).await;
    assert!(says(clock).contains("the time of this laptop is wrong"));
    let wrong = sender_on(&network(), "ZZZ7654321", production.server.url(), production.server.url());
    assert!(says(wrong.test(noon(), Environment::Production, TOPIC).await).contains("key id and the team id"));
    let offline = sender_on(&network(), APPLE_KEY_ID, nobody().await, nobody().await);
    assert!(says(offline.test(noon(), Environment::Sandbox, TOPIC).await).contains("on the internet"));
}
