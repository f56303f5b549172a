//! FCM: passes, the actions of its errors, and what its test of the settings says.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use showdesk_push::fcm::{Fcm, FcmEndpoints, FcmTarget, ServiceAccount};
use showdesk_push::{Outcome, Secret, Wait};

use crate::stand_in::google::Google;
use crate::stand_in::keys::{PROJECT, service_account};
use crate::stand_in::{Reply, nobody};
use crate::{call, network, noon, retry};

fn phone(token: &str) -> FcmTarget {
    FcmTarget::Token(Secret::new(token))
}

fn sender_of(project: &str, messages: String, passes: String) -> Fcm {
    let account = ServiceAccount::parse(&service_account(project, "http://nowhere.invalid").to_string()).unwrap();
    Fcm::new(&network(), account, &FcmEndpoints { messages, passes }).unwrap()
}

async fn google() -> (Google, Fcm) {
    let google = Google::start(Some(noon())).await;
    let sender = sender_of(PROJECT, google.server.url(), google.passes_url());
    (google, sender)
}

fn is_taken(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { provider_message_id: Some(name) } if name.starts_with("projects/county-show/"))
}

#[tokio::test]
async fn a_message_is_taken_and_has_googles_name() {
    let (google, sender) = google().await;
    assert!(is_taken(&sender.send(noon(), &phone("a"), &call()).await));
    assert_eq!(google.last_message()["message"]["token"], "a");
    assert!(is_taken(&sender.send(noon(), &FcmTarget::Fid(Secret::new("f")), &call()).await));
    assert_eq!(google.last_message()["message"]["fid"], "f");
    assert_eq!(google.last_message().get("validateOnly"), None);
}

#[tokio::test]
async fn many_messages_at_once_ask_for_one_pass() {
    let (google, sender) = google().await;
    let (message, target) = (call(), phone("a"));
    let outcomes = join_all((0..20).map(|_| sender.send(noon(), &target, &message))).await;
    assert!(outcomes.iter().all(is_taken));
    assert_eq!(google.asked(), (1, 20));
}

#[tokio::test]
async fn a_pass_is_renewed_five_minutes_before_its_end() {
    let (google, sender) = google().await;
    let mut message = call();
    message.expires_at = noon() + TimeDelta::hours(3);
    // The pass is good for 3,599 s.
    for (seconds, passes) in [(0, 1), (3298, 1), (3299, 2), (3300, 2)] {
        let now = noon() + TimeDelta::seconds(seconds);
        google.change(|mood| mood.now = Some(now));
        assert!(is_taken(&sender.send(now, &phone("a"), &message).await));
        assert_eq!(google.asked().0, passes, "after {seconds} s");
    }
}

#[tokio::test]
async fn a_renewal_that_fails_costs_no_pass_that_is_still_good() {
    let (google, sender) = google().await;
    let mut message = call();
    message.expires_at = noon() + TimeDelta::hours(3);
    assert!(is_taken(&sender.send(noon(), &phone("a"), &message).await));
    google.change(|mood| mood.passes = Some(Reply::empty(503)));
    for (seconds, passes) in [(3299, 2), (3300, 2), (3329, 3), (3598, 4)] {
        let now = noon() + TimeDelta::seconds(seconds);
        assert!(is_taken(&sender.send(now, &phone("a"), &message).await), "after {seconds} s");
        assert_eq!(google.asked().0, passes, "after {seconds} s");
    }
    let over = sender.send(noon() + TimeDelta::seconds(3_700), &phone("a"), &message).await;
    assert_eq!(retry(&over).0, "oauth 503", "now it is none any more");
}

#[tokio::test]
async fn a_pass_that_google_forgot_is_renewed_once() {
    let (google, sender) = google().await;
    assert!(is_taken(&sender.send(noon(), &phone("a"), &call()).await));
    google.change(|mood| mood.good.clear());
    let (message, target) = (call(), phone("a"));
    let outcomes = join_all((0..20).map(|_| sender.send(noon(), &target, &message))).await;
    assert!(outcomes.iter().all(is_taken));
    assert_eq!(google.asked(), (2, 1 + 40), "one renewal for all of them");
}

#[tokio::test]
async fn a_pass_refused_twice_is_a_matter_of_the_settings() {
    let (google, sender) = google().await;
    let refused = json!({"error": {"status": "UNAUTHENTICATED", "message": "x"}});
    google.change(|mood| mood.messages = Some(Reply::of(401, &refused)));
    let outcome = sender.send(noon(), &phone("a"), &call()).await;
    assert!(matches!(&outcome, Outcome::Config { code } if code.as_str() == "UNAUTHENTICATED"), "{outcome:?}");
    assert_eq!(google.asked(), (2, 2));
}

#[tokio::test]
async fn each_error_of_google_has_its_action() {
    let (_google, sender) = google().await;
    let word = |outcome: &Outcome| match outcome {
        Outcome::Dead { code, since: None } => format!("dead {code}"),
        Outcome::Drop { code } => format!("drop {code}"),
        Outcome::Config { code } => format!("config {code}"),
        Outcome::Retry { code, after, wait: Wait::Provider, reached: true } => format!("retry {code} {after:?}"),
        other => format!("{other:?}"),
    };
    for (target, expected) in [
        ("gone", "dead UNREGISTERED"),
        ("of-another-project", "dead SENDER_ID_MISMATCH"),
        ("misspelt", "dead INVALID_ARGUMENT"),
        ("named-as-wrong", "dead INVALID_ARGUMENT message.token"),
        ("behind-apple", "config THIRD_PARTY_AUTH_ERROR"),
        ("forbidden", "config PERMISSION_DENIED"),
        ("too-often", "retry QUOTA_EXCEEDED Some(60s)"),
        ("broken", "retry INTERNAL None"),
        ("busy", "retry UNAVAILABLE Some(7s)"),
    ] {
        assert_eq!(word(&sender.send(noon(), &phone(target), &call()).await), expected);
    }
    let mut reserved = call();
    reserved.data.insert("from".to_owned(), "x".to_owned());
    let outcome = sender.send(noon(), &phone("a"), &reserved).await;
    assert_eq!(word(&outcome), "drop INVALID_ARGUMENT message.data.from");
}

#[tokio::test]
async fn a_project_that_google_does_not_know_disables_no_phone() {
    let google = Google::start(Some(noon())).await;
    let sender = sender_of("other-show", google.server.url(), google.passes_url());
    let outcome = sender.send(noon(), &phone("gone"), &call()).await;
    assert!(matches!(&outcome, Outcome::Config { code } if code.as_str() == "NOT_FOUND"), "{outcome:?}");
}

#[tokio::test]
async fn a_failing_address_for_passes_is_asked_once_by_all_who_wait() {
    let (google, sender) = google().await;
    google.change(|mood| mood.passes = Some(Reply::empty(503).with("retry-after", "20")));
    let (message, target) = (call(), phone("a"));
    let outcomes = join_all((0..20).map(|_| sender.send(noon(), &target, &message))).await;
    for outcome in &outcomes {
        assert_eq!(retry(outcome), ("oauth 503", Wait::Provider, true));
        assert!(matches!(outcome, Outcome::Retry { after: Some(after), .. } if *after == Duration::from_secs(20)));
    }
    assert_eq!(google.asked(), (1, 0));
    google.change(|mood| mood.passes = None);
    assert!(is_taken(&sender.send(noon(), &phone("a"), &call()).await));
}

#[tokio::test]
async fn a_network_that_fails_is_no_news_about_a_phone() {
    let (google, sender) = google().await;
    google.change(|mood| mood.messages = Some(Reply::HangUp));
    assert_eq!(retry(&sender.send(noon(), &phone("gone"), &call()).await), ("connection_lost", Wait::Provider, true));
    google.change(|mood| mood.messages = Some(Reply::of(200, &json!({"welcome": "please sign in"}))));
    assert_eq!(retry(&sender.send(noon(), &phone("gone"), &call()).await).0, "strange_answer");
    google.change(|mood| mood.messages = Some(Reply::empty(302).with("location", "http://portal.invalid/")));
    assert_eq!(retry(&sender.send(noon(), &phone("gone"), &call()).await).0, "strange_answer");

    let offline = sender_of(PROJECT, nobody().await, nobody().await);
    assert_eq!(retry(&offline.send(noon(), &phone("gone"), &call()).await), ("unreachable", Wait::Provider, false));
    let half = sender_of(PROJECT, nobody().await, google.passes_url());
    assert_eq!(retry(&half.send(noon(), &phone("gone"), &call()).await), ("unreachable", Wait::Provider, false));
}

#[tokio::test]
async fn an_answer_that_never_comes_is_given_up() {
    let (google, sender) = google().await;
    google.change(|mood| mood.messages = Some(Reply::Never));
    assert_eq!(retry(&sender.send(noon(), &phone("a"), &call()).await), ("timed_out", Wait::Provider, true));
}

#[tokio::test]
async fn a_test_of_the_settings_reaches_no_phone_and_says_what_is_wrong() {
    let (google, sender) = google().await;
    let trial = sender.test(noon()).await;
    assert!(trial.works && trial.says.contains("county-show"), "{}", trial.says);
    assert_eq!(google.last_message()["validateOnly"], true);

    let says = |trial: showdesk_push::Trial| {
        assert!(!trial.works);
        trial.says
    };
    let late = noon() + TimeDelta::days(1);
    let other = sender_of("other-show", google.server.url(), google.passes_url());
    assert!(says(other.test(noon()).await).contains("no project “other-show”"));
    let of_tomorrow = sender_of(PROJECT, google.server.url(), google.passes_url());
    assert!(says(of_tomorrow.test(late).await).contains("the time of this laptop is wrong"));
    let refused = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    google.change(|mood| mood.passes = Some(Reply::of(400, &refused)));
    let revoked = sender_of(PROJECT, google.server.url(), google.passes_url());
    assert!(says(revoked.test(noon()).await).contains("make a new one"));
    let offline = sender_of(PROJECT, nobody().await, nobody().await);
    assert!(says(offline.test(noon()).await).contains("on the internet"));
}
