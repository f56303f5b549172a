//! The three senders side by side: each message takes the way of its address, and no secret is printed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use showdesk_push::apns::{Apns, ApnsEndpoints, ApnsTarget, AppleKey, Environment};
use showdesk_push::fcm::{Fcm, FcmEndpoints, FcmTarget, ServiceAccount};
use showdesk_push::web::{VapidKey, WebPush, WebTarget};
use showdesk_push::{Outcome, Reach, Secret, Senders, Target};

use crate::stand_in::apple::{Apple, Mood, TOPIC};
use crate::stand_in::google::Google;
use crate::stand_in::{Reply, StandIn, keys};
use crate::{call, fresh, network, noon};

const AUTH: [u8; 16] = [4; 16];

/// One address of each kind; the web page's at this push service.
fn targets(service: &str) -> [Target; 3] {
    let apns = ApnsTarget {
        token: Secret::new("abcd1234"),
        environment: Environment::Production,
        topic: TOPIC.to_owned(),
        registered_at: noon(),
    };
    let page = VapidKey::parse(&URL_SAFE_NO_PAD.encode([9; 32])).unwrap();
    let auth = URL_SAFE_NO_PAD.encode(AUTH);
    let endpoint = format!("{service}/hidden-path");
    let web = WebTarget::parse(&endpoint, page.public(), &auth, Reach::PublicAndLoopback).unwrap();
    [Target::Fcm(FcmTarget::Token(Secret::new("phone-token"))), Target::Apns(apns), Target::Web(web)]
}

#[tokio::test]
async fn each_message_takes_the_way_of_its_address() {
    let (google, apple) =
        (Google::start(Some(noon())).await, Apple::start(None, Mood::with(Some(noon()), &["abcd1234"])).await);
    let service = StandIn::start(|_| Reply::empty(201)).await;
    let network = network();
    let account = ServiceAccount::parse(&keys::service_account(keys::PROJECT, "").to_string()).unwrap();
    let endpoints = FcmEndpoints { messages: google.server.url(), passes: google.passes_url() };
    let apple_key = AppleKey::parse(&keys::apple(), keys::APPLE_KEY_ID, keys::APPLE_TEAM_ID).unwrap();
    let apples = ApnsEndpoints { production: apple.server.url(), sandbox: apple.server.url() };
    let vapid = VapidKey::parse(&URL_SAFE_NO_PAD.encode([5; 32])).unwrap();
    let private = vapid.private();
    let senders = Senders {
        fcm: Some(Fcm::new(&network, account, &endpoints).unwrap()),
        apns: Some(Apns::new(&network, apple_key, &apples).unwrap()),
        web: Some(WebPush::new(&network, vapid, "mailto:show@example.org").unwrap()),
    };
    let targets = targets(&service.url());
    for (number, target) in targets.iter().enumerate() {
        let outcome = senders.send(noon(), fresh(1), target, &call()).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        let taken = [google.asked().1, apple.server.asked().len(), service.asked().len()];
        assert_eq!(taken.iter().sum::<usize>(), number + 1);
        assert_eq!(taken[number], 1);
    }

    let printed = format!("{senders:?} {targets:?}");
    let rsa: String = keys::RSA.lines().nth(1).unwrap().to_owned();
    for secret in ["phone-token", "abcd1234", "hidden-path", "ya29", "eyJ", &rsa, private.reveal()] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn a_sender_without_settings_is_a_matter_of_the_settings() {
    let senders = Senders::default();
    for target in targets("http://localhost:1") {
        let outcome = senders.send(noon(), fresh(1), &target, &call()).await;
        assert!(matches!(&outcome, Outcome::Config { code } if code.as_str() == "not_set_up"), "{outcome:?}");
    }
}
