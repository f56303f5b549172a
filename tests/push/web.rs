//! Web Push: what a browser can open, where a sender does not go, and the actions of its errors.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use serde_json::Value;
use showdesk_push::web::{VapidKey, WebPush, WebTarget, content};
use showdesk_push::{Network, Outcome, Outgoing, Priority, Reach, Wait};

use crate::stand_in::{Asked, Reply, StandIn, keys, nobody};
use crate::{call, fresh, network, noon, retry};

const AUTH: [u8; 16] = [4; 16];

fn browser() -> SecretKey {
    SecretKey::from_slice(&[9; 32]).unwrap()
}

fn subscribed(endpoint: &str) -> WebTarget {
    let key = URL_SAFE_NO_PAD.encode(browser().public_key().to_encoded_point(false).as_bytes());
    WebTarget::parse(endpoint, &key, &URL_SAFE_NO_PAD.encode(AUTH), Reach::PublicAndLoopback).unwrap()
}

fn sender_on(network: &Network) -> WebPush {
    let key = VapidKey::generate(&fresh(1)).unwrap();
    WebPush::new(network, key, "mailto:show@example.org").unwrap()
}

/// A push service that gives these answers in turn, then takes everything.
async fn service(answers: &[Reply]) -> (StandIn, WebTarget, WebPush) {
    let answers = Arc::new(Mutex::new(answers.to_vec()));
    let server = StandIn::start(move |asked: &Asked| {
        let mut answers = answers.lock().unwrap();
        if answers.is_empty() {
            return Reply::empty(201).with("location", format!("https://push.example.org/m{}", asked.path));
        }
        answers.remove(0)
    })
    .await;
    let target = subscribed(&format!("{}/s/1", server.url()));
    (server, target, sender_on(&network()))
}

fn opened(asked: &Asked) -> Value {
    serde_json::from_slice(&content::opened(&browser(), &AUTH, &asked.body).unwrap()).unwrap()
}

#[tokio::test]
async fn the_browser_opens_what_was_sent_and_nobody_else_needs_to() {
    let (server, target, sender) = service(&[]).await;
    let outcome = sender.send(noon(), fresh(2), &target, &call()).await;
    let place = Some("https://push.example.org/m/s/1".to_owned());
    assert_eq!(outcome, Outcome::Accepted { provider_message_id: place });
    let asked = &server.asked()[0];
    let message = opened(asked);
    assert_eq!(message["title"], "Class 12 to ring 2");
    assert_eq!(message["data"]["open"], "#/classes/12");
    assert_eq!(message["id"], call().id.to_string());
    assert_eq!(message["priority"], "high");
    assert_eq!(asked.method, "POST");
    let expected = [
        ("content-encoding", "aes128gcm"),
        ("content-type", "application/octet-stream"),
        ("ttl", "600"),
        ("urgency", "high"),
    ];
    for (name, value) in expected {
        assert_eq!(asked.header(name), value, "{name}");
    }
    assert_eq!(asked.header("topic").len(), 32);
    assert!(asked.header("authorization").starts_with("vapid t="));
    assert!(!String::from_utf8_lossy(&asked.body).contains("ring"));
}

#[tokio::test]
async fn messages_of_like_length_look_alike() {
    let (server, target, sender) = service(&[]).await;
    for body in ["", "Please be there in 10 minutes."] {
        let message = Outgoing { body: body.to_owned(), priority: Priority::Normal, collapse_key: None, ..call() };
        sender.send(noon(), fresh(3), &target, &message).await;
    }
    let asked = server.asked();
    assert_eq!(asked[0].body.len(), asked[1].body.len());
    assert_eq!(asked[0].header("urgency"), "normal");
    assert_eq!(asked[0].header("topic"), "");
}

#[tokio::test]
async fn the_longest_message_fits_what_every_service_takes() {
    let (server, target, sender) = service(&[]).await;
    let long = Outgoing { body: "🐑".repeat(5_000), ..call() };
    sender.send(noon(), fresh(4), &target, &long).await;
    assert_eq!(server.asked()[0].body.len(), 4096);
}

#[tokio::test]
async fn a_message_too_large_for_its_service_is_shortened_once() {
    let (server, target, sender) = service(&[Reply::empty(413)]).await;
    let long = Outgoing { body: "🐑".repeat(5_000), ..call() };
    assert!(matches!(sender.send(noon(), fresh(5), &target, &long).await, Outcome::Accepted { .. }));
    let asked = server.asked();
    assert!(asked[1].body.len() < 1_200, "{}", asked[1].body.len());
    assert_ne!(asked[0].body[..16], asked[1].body[..16], "another salt, or the second gives the first away");
    assert!(opened(&asked[1])["body"].as_str().unwrap().ends_with('…'));

    let (server, target, sender) = service(&[Reply::empty(413), Reply::empty(413)]).await;
    let outcome = sender.send(noon(), fresh(6), &target, &long).await;
    assert!(matches!(&outcome, Outcome::Drop { code } if code.as_str() == "too_large"), "{outcome:?}");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn each_error_of_a_service_has_its_action() {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Dead { code, since: None } => format!("dead {code}"),
        Outcome::Strike { code } => format!("strike {code}"),
        Outcome::Drop { code } => format!("drop {code}"),
        Outcome::Retry { code, after, wait: Wait::Target, reached: true } => format!("retry {code} {after:?}"),
        other => format!("{other:?}"),
    };
    for (reply, expected) in [
        (Reply::empty(404), "dead status 404"),
        (Reply::empty(410), "dead status 410"),
        (Reply::empty(400), "strike status 400"),
        (Reply::empty(401), "strike status 401"),
        (Reply::empty(403), "strike status 403"),
        (Reply::empty(405), "drop status 405"),
        (Reply::empty(429).with("retry-after", "9"), "retry status 429 Some(9s)"),
        (Reply::empty(503).with("retry-after", "Sun, 22 Nov 2026 12:01:00 GMT"), "retry status 503 Some(60s)"),
        (Reply::empty(500), "retry status 500 None"),
        (Reply::HangUp, "retry connection_lost None"),
    ] {
        let (_server, target, sender) = service(&[reply]).await;
        assert_eq!(word(&sender.send(noon(), fresh(7), &target, &call()).await), expected);
    }
}

#[tokio::test]
async fn many_subscriptions_refused_are_our_fault() {
    let (server, _target, sender) = service(&vec![Reply::empty(403); 5]).await;
    let mut outcomes = Vec::new();
    for number in [1, 1, 2, 3, 4, 5] {
        let target = subscribed(&format!("{}/s/{number}", server.url()));
        outcomes.push(match sender.send(noon(), fresh(8), &target, &call()).await {
            Outcome::Strike { .. } => "strike",
            Outcome::Config { .. } => "config",
            Outcome::Accepted { .. } => "accepted",
            _ => "other",
        });
    }
    assert_eq!(outcomes, ["strike", "strike", "strike", "config", "config", "accepted"]);
}

#[tokio::test]
async fn nobody_is_followed_elsewhere() {
    let elsewhere = StandIn::start(|_| Reply::empty(201)).await;
    let moved = Reply::empty(307).with("location", format!("{}/inside", elsewhere.url()));
    let (_server, target, sender) = service(&[moved]).await;
    let outcome = sender.send(noon(), fresh(9), &target, &call()).await;
    assert!(matches!(&outcome, Outcome::Strike { code } if code.as_str() == "status 307"), "{outcome:?}");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
    let server = StandIn::start(|_| Reply::empty(201)).await;
    network();
    let sender = sender_on(&Network::new(Reach::Public));
    // A name of the internet that leads here looks like this one to the sender: a name is only looked up to send.
    let target = subscribed(&server.url().replace("http://", "https://"));
    let outcome = sender.send(noon(), fresh(10), &target, &call()).await;
    assert_eq!(retry(&outcome), ("not_public", Wait::Target, false));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_address_taken_back_is_not_asked() {
    let (_server, _target, sender) = service(&[]).await;
    let target = subscribed("https://permanently-removed.invalid/fcm/send/a");
    let outcome = sender.send(noon(), fresh(11), &target, &call()).await;
    assert!(matches!(&outcome, Outcome::Dead { code, .. } if code.as_str() == "invalid_host"), "{outcome:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_asked() {
    let (server, target, sender) = service(&[]).await;
    let late = Outgoing { expires_at: noon(), ..call() };
    let heavy = Outgoing { title: "x".repeat(4_000), ..call() };
    for (message, word) in [(late, "expired"), (heavy, "too_large")] {
        let outcome = sender.send(noon(), fresh(12), &target, &message).await;
        assert!(matches!(&outcome, Outcome::Drop { code } if code.as_str() == word), "{outcome:?}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_network_that_fails_is_no_news_about_a_phone() {
    let sender = sender_on(&network());
    let target = subscribed(&nobody().await);
    let outcome = sender.send(noon(), fresh(13), &target, &call()).await;
    assert_eq!(retry(&outcome), ("unreachable", Wait::Target, false));
    let (_server, target, sender) = service(&[Reply::Never]).await;
    let outcome = sender.send(noon(), fresh(14), &target, &call()).await;
    assert_eq!(retry(&outcome), ("timed_out", Wait::Target, true));
}

#[tokio::test]
async fn a_line_that_died_in_silence_is_left_and_counts_as_no_attempt() {
    let network = network();
    let (tls, authority) = keys::certificate();
    let answers = Mutex::new(vec![Reply::empty(201), Reply::Dead, Reply::empty(201)].into_iter());
    let server = StandIn::start_tls(tls, move |_| answers.lock().unwrap().next().unwrap()).await;
    let sender = sender_on(&network.trusting(authority.as_bytes()).unwrap());
    let target = subscribed(&format!("{}/s/1", server.url()));
    let send = async || sender.send(noon(), fresh(15), &target, &call()).await;
    assert!(matches!(send().await, Outcome::Accepted { .. }));
    assert_eq!(retry(&send().await), ("unreachable", Wait::Target, false));
    assert!(matches!(send().await, Outcome::Accepted { .. }));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_pass_is_made_for_each_service_and_kept() {
    let (server, target, sender) = service(&[]).await;
    let (other, other_target, _) = service(&[]).await;
    let mut message = call();
    message.expires_at = noon() + TimeDelta::hours(3);
    for minutes in [0, 59, 60] {
        sender.send(noon() + TimeDelta::minutes(minutes), fresh(15), &target, &message).await;
    }
    sender.send(noon(), fresh(16), &other_target, &message).await;
    let passes: Vec<String> = server.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert!(passes[0] == passes[1] && passes[1] != passes[2]);
    assert_ne!(other.asked()[0].header("authorization"), passes[0]);
    assert_eq!(server.asked()[2].header("ttl"), "7200");
}

#[tokio::test]
async fn a_test_of_the_settings_reaches_no_phone_and_says_what_is_wrong() {
    let (server, _target, sender) = service(&[]).await;
    let sender = sender.knocking_at(vec![server.url()]);
    let trial = sender.test(noon(), &fresh(17)).await;
    assert!(trial.works, "{}", trial.says);
    assert_eq!(server.asked()[0].method, "GET");
    let sender = sender.knocking_at(vec![server.url(), nobody().await]);
    let trial = sender.test(noon(), &fresh(18)).await;
    assert!(!trial.works && trial.says.contains("on the internet"), "{}", trial.says);
}
