//! What each kind of answer does to a delivery, an address and a provider.

use std::time::Duration;

use proptest::prelude::*;
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_push::Code;
use uuid::Uuid;

use super::*;
use crate::delivery::fixtures::{self, noon};

fn after(minutes: i64) -> DateTime<Utc> {
    noon() + TimeDelta::minutes(minutes)
}

/// A message for an hour that went out at noon and was claimed.
fn errand(channel: Channel) -> Errand {
    let mut errand = fixtures::errand(channel);
    errand.row.next_attempt_at = Some(noon());
    errand.row.lease_until = Some(after(3));
    errand
}

fn token() -> TokenRow {
    TokenRow {
        id: Uuid::from_u128(4),
        person: PersonId(Uuid::from_u128(1)),
        device: DeviceId(Uuid::from_u128(4)),
        token: "address".to_owned(),
        platform: "web".to_owned(),
        environment: None,
        fid: None,
        app_id: None,
        p256dh: None,
        auth: None,
        strike_times: Vec::new(),
        disabled_at: None,
        disabled_code: None,
        created_at: after(-600),
        registered_at: after(-600),
        last_used: None,
    }
}

const PROVEN: Known = Known { since: DateTime::UNIX_EPOCH, proven: true, others_taken: None, suspects: 1 };
const UNPROVEN: Known = Known { proven: false, ..PROVEN };

fn ruled(outcome: &Outcome, known: Known) -> Ruling {
    rule(&errand(Channel::Fcm), &token(), outcome, known, noon(), u32::MAX)
}

fn code(word: &str) -> Code {
    Code::new(word)
}

fn dead(word: &str) -> Outcome {
    Outcome::Dead { code: code(word), since: None }
}

fn strike(word: &str) -> Outcome {
    Outcome::Strike { code: code(word) }
}

fn retry(wait: Wait, reached: bool, after: Option<u64>) -> Outcome {
    Outcome::Retry { code: code("UNAVAILABLE"), after: after.map(Duration::from_secs), wait, reached }
}

#[test]
fn only_an_acceptance_is_called_accepted() {
    let taken = ruled(&Outcome::Accepted { provider_message_id: Some("m1".to_owned()) }, UNPROVEN);
    assert_eq!(taken.change.status, DeliveryStatus::Accepted);
    assert_eq!((taken.change.accepted_at, taken.change.next_attempt_at), (Some(noon()), None));
    assert_eq!(taken.change.provider_message_id.as_deref(), Some("m1"));
    assert_eq!((taken.token, taken.heard), (TokenNews::Works(None), Heard::Answer));
    let moved = Outcome::OtherEnvironment { environment: Environment::Sandbox, provider_message_id: None };
    assert_eq!(ruled(&moved, PROVEN).token, TokenNews::Works(Some("sandbox")));
}

#[test]
fn an_attempt_counts_only_if_somebody_was_reached() {
    let reached = ruled(&retry(Wait::Provider, true, None), PROVEN);
    assert_eq!((reached.change.attempts, reached.heard), (1, Heard::Busy(None)));
    let offline = ruled(&retry(Wait::Target, false, None), PROVEN);
    assert_eq!((offline.change.attempts, offline.heard), (0, Heard::Silence));
    for ruling in [reached, offline] {
        assert_eq!((ruling.change.status, ruling.token), (DeliveryStatus::Waiting, TokenNews::None));
        assert!(ruling.change.next_attempt_at.is_some_and(|at| at > noon()));
    }
}

#[test]
fn a_wish_to_wait_is_kept_and_the_end_of_the_message_too() {
    let wish = ruled(&retry(Wait::Provider, true, Some(600)), PROVEN);
    assert_eq!(wish.change.next_attempt_at, Some(after(10)));
    assert_eq!(wish.heard, Heard::Busy(Some(TimeDelta::minutes(10))));
    let long = ruled(&retry(Wait::Target, true, Some(90_000)), PROVEN);
    assert_eq!(long.change.next_attempt_at, Some(after(60)), "then it is over");
    assert_eq!(long.heard, Heard::Answer, "only this phone is left alone");
}

#[test]
fn trouble_of_a_push_service_is_told_by_its_numbers() {
    let heard = |word: &str| {
        let outcome = Outcome::Retry { code: code(word), after: None, wait: Wait::Target, reached: true };
        rule(&errand(Channel::Web), &token(), &outcome, PROVEN, noon(), 0).heard
    };
    assert_eq!(heard("status 503"), Heard::Busy(None));
    assert_eq!(heard("timed_out"), Heard::Busy(None));
    assert_eq!(heard("status 429"), Heard::Answer);
}

#[test]
fn a_message_that_is_refused_is_given_up_and_its_address_stays() {
    let ruling = ruled(&Outcome::Drop { code: code("PAYLOAD") }, PROVEN);
    assert_eq!((ruling.change.status, ruling.change.next_attempt_at), (DeliveryStatus::Failed, None));
    assert_eq!((ruling.token, ruling.heard), (TokenNews::None, Heard::Answer));
    assert!(ruling.change.reason.is_some());
}

#[test]
fn a_phone_that_is_gone_is_disabled_unless_it_came_back_since() {
    let gone = ruled(&dead("UNREGISTERED"), UNPROVEN);
    assert_eq!(gone.change.status, DeliveryStatus::Failed);
    let expected = TokenNews::Dead { code: "UNREGISTERED".to_owned(), registered_until: after(-600) };
    assert_eq!(gone.token, expected);
    let since = |at| Outcome::Dead { code: code("Unregistered"), since: Some(at) };
    let seen_gone = ruled(&since(after(-5)), UNPROVEN);
    let until = TokenNews::Dead { code: "Unregistered".to_owned(), registered_until: after(-5) };
    assert_eq!(seen_gone.token, until);
    let came_back = ruled(&since(after(-700)), UNPROVEN);
    assert_eq!((came_back.change.status, came_back.token), (DeliveryStatus::Waiting, TokenNews::None));
}

#[test]
fn what_may_be_our_settings_disables_nothing_before_anything_was_taken_under_them() {
    for outcome in [dead("SENDER_ID_MISMATCH"), dead("DeviceTokenNotForTopic")] {
        assert!(is_suspect(&outcome));
        let doubted = ruled(&outcome, UNPROVEN);
        assert_eq!((doubted.change.status, &doubted.token), (DeliveryStatus::Waiting, &TokenNews::None));
        let many = ruled(&outcome, Known { suspects: SUSPECTS_MAX, ..UNPROVEN });
        assert_eq!((many.heard, &many.token), (Heard::Refusal, &TokenNews::None));
        assert!(many.problem.is_some());
        assert!(matches!(ruled(&outcome, PROVEN).token, TokenNews::Dead { .. }));
    }
    assert!(!is_suspect(&dead("UNREGISTERED")) && is_suspect(&strike("status 403")));
}

#[test]
fn the_third_refusal_within_a_day_disables_an_address() {
    let struck = |times: &[i64], known| {
        let token = TokenRow { strike_times: times.iter().map(|minutes| after(*minutes)).collect(), ..token() };
        rule(&errand(Channel::Web), &token, &strike("status 403"), known, noon(), 0)
    };
    let first = struck(&[], PROVEN);
    assert_eq!(first.token, TokenNews::Struck(vec![noon()]));
    assert_eq!(first.change.status, DeliveryStatus::Waiting);
    assert!(first.change.next_attempt_at >= Some(after(5)));
    assert_eq!(struck(&[-30], PROVEN).token, TokenNews::Struck(vec![after(-30), noon()]));
    let third = struck(&[-60, -30], PROVEN);
    assert!(matches!(third.token, TokenNews::Dead { .. }));
    assert_eq!(third.change.status, DeliveryStatus::Failed);
    let old = struck(&[-25 * 60, -30], PROVEN);
    assert_eq!(old.token, TokenNews::Struck(vec![after(-30), noon()]), "yesterday's is forgiven");
    let burst = TokenRow { strike_times: vec![after(-30), noon() - TimeDelta::seconds(20)], ..token() };
    let ruling = rule(&errand(Channel::Web), &burst, &strike("status 403"), PROVEN, noon(), 0);
    assert_eq!(ruling.token, TokenNews::Struck(burst.strike_times), "what failed together is one refusal");
    let others = Known { since: after(-10), ..PROVEN };
    assert_eq!(struck(&[-60, -30], others).token, TokenNews::Struck(vec![noon()]), "those were other settings");
    assert!(matches!(struck(&[-60, -30], UNPROVEN).token, TokenNews::Struck(_)), "nothing proves that it is not us");
}

#[test]
fn many_pages_of_another_key_are_no_trouble_where_others_are_taken() {
    let refused = Outcome::Config { code: code("status 403") };
    let page = |last_used| TokenRow { last_used, ..token() };
    let settings = Known { since: after(-100), others_taken: Some(noon()), ..PROVEN };
    let of = |page: &TokenRow, known| rule(&errand(Channel::Web), page, &refused, known, noon(), 0);
    for stale in [page(None), page(Some(after(-200)))] {
        let ruling = of(&stale, settings);
        assert_eq!((ruling.heard, ruling.problem), (Heard::Answer, None), "it is that page's");
        assert_eq!(ruling.token, TokenNews::Struck(vec![noon()]));
        let nobody_taken = of(&stale, Known { proven: false, ..settings });
        assert_eq!((nobody_taken.heard, nobody_taken.problem.as_deref()), (Heard::Refusal, Some("status 403")));
        assert_eq!(nobody_taken.token, TokenNews::Struck(vec![noon()]), "another page tries next");
    }
    let good = of(&page(Some(after(-50))), settings);
    assert_eq!((good.heard, good.token), (Heard::Refusal, TokenNews::None), "its messages were taken before");
}

#[test]
fn many_pages_are_held_to_be_of_another_key_only_if_others_are_taken_since_they_are_refused() {
    let refused = Outcome::Config { code: code("status 403") };
    let of = |strikes: &[i64], others_taken: Option<i64>| {
        let token = TokenRow { strike_times: strikes.iter().map(|minutes| after(*minutes)).collect(), ..token() };
        let known = Known { others_taken: others_taken.map(after), ..PROVEN };
        let ruling = rule(&errand(Channel::Web), &token, &refused, known, noon(), 0);
        (ruling.token, ruling.heard)
    };
    let struck = |minutes: &[i64]| TokenNews::Struck(minutes.iter().map(|minutes| after(*minutes)).collect());
    for others_taken in [None, Some(-24 * 60), Some(-61)] {
        assert_eq!(of(&[], others_taken), (struck(&[0]), Heard::Refusal), "it began now");
        assert_eq!(of(&[-60, -30], others_taken), (struck(&[-60, -30]), Heard::Refusal), "no more is held against it");
    }
    assert_eq!(of(&[-30], Some(-30)), (struck(&[-30, 0]), Heard::Answer), "another was taken in the same minute");
    assert_eq!(of(&[-60, -30], Some(-60)), (struck(&[-60, -30]), Heard::Refusal), "that disables nobody");
    assert!(matches!(of(&[-60, -30], Some(-59)), (TokenNews::Dead { .. }, Heard::Answer)));
}

#[test]
fn settings_that_are_refused_keep_the_message_as_it_is() {
    let ruling = ruled(&Outcome::Config { code: code("PERMISSION_DENIED") }, PROVEN);
    let before = errand(Channel::Fcm).row;
    assert_eq!((ruling.change.status, ruling.change.attempts), (before.status, before.attempts));
    assert_eq!(ruling.change.next_attempt_at, Some(after(10)), "others try before it");
    assert_eq!((ruling.token, ruling.heard), (TokenNews::None, Heard::Refusal));
    assert_eq!(ruling.problem.as_deref(), Some("PERMISSION_DENIED"));
}

#[test]
fn an_emergency_is_sent_again_until_its_end() {
    let taken = |change: fn(&mut Errand)| {
        let mut errand = errand(Channel::Web);
        errand.priority = Priority::Urgent;
        change(&mut errand);
        let outcome = Outcome::Accepted { provider_message_id: None };
        rule(&errand, &token(), &outcome, PROVEN, noon(), 0).change
    };
    assert_eq!(taken(|_| ()).next_attempt_at, Some(after(2)));
    let again = taken(|errand| errand.row.status = DeliveryStatus::Accepted);
    assert_eq!((again.repeats, again.next_attempt_at), (1, Some(after(2))));
    assert_eq!(taken(|errand| errand.needs_ack = false).next_attempt_at, None);
    assert_eq!(taken(|errand| errand.expires_at = Some(after(1))).next_attempt_at, None);
    let often = taken(|errand| {
        errand.row.status = DeliveryStatus::Accepted;
        errand.row.repeats = 5_000;
    });
    assert_eq!((often.repeats, often.next_attempt_at), (5_001, Some(after(10))), "until somebody confirms it");
}

#[test]
fn what_was_taken_stays_taken() {
    let mut errand = errand(Channel::Web);
    errand.row.status = DeliveryStatus::Accepted;
    for outcome in [dead("status 410"), Outcome::Drop { code: code("x") }, retry(Wait::Target, true, None)] {
        let ruling = rule(&errand, &token(), &outcome, PROVEN, noon(), 0);
        assert_eq!(ruling.change.status, DeliveryStatus::Accepted, "{outcome:?}");
    }
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    let word = "[A-Za-z_ 0-9]{0,20}";
    prop_oneof![
        Just(Outcome::Accepted { provider_message_id: None }),
        (word, prop::option::of(0_u64..100_000), any::<bool>(), any::<bool>()).prop_map(
            |(word, after, provider, reached)| Outcome::Retry {
                code: Code::new(&word),
                after: after.map(Duration::from_secs),
                wait: if provider { Wait::Provider } else { Wait::Target },
                reached,
            }
        ),
        word.prop_map(|word| Outcome::Drop { code: Code::new(&word) }),
        word.prop_map(|word| Outcome::Dead { code: Code::new(&word), since: None }),
        word.prop_map(|word| Outcome::Strike { code: Code::new(&word) }),
        word.prop_map(|word| Outcome::Config { code: Code::new(&word) }),
    ]
}

proptest! {
    /// Whatever a provider says: only an acceptance makes it accepted, a delivery that waits is looked at again, a
    /// network that fails and settings that are refused say nothing about an address.
    #[test]
    fn no_answer_loses_a_message_or_an_address(
        outcome in any_outcome(), dice in any::<u32>(), proven in any::<bool>(), suspects in 1_usize..5,
    ) {
        let known = Known { proven, suspects, ..PROVEN };
        let ruling = rule(&errand(Channel::Apns), &token(), &outcome, known, noon(), dice);
        let is_accepted = matches!(outcome, Outcome::Accepted { .. });
        prop_assert_eq!(ruling.change.status == DeliveryStatus::Accepted, is_accepted);
        prop_assert_eq!(ruling.change.accepted_at.is_some(), is_accepted);
        if ruling.change.status == DeliveryStatus::Waiting {
            prop_assert!(ruling.change.next_attempt_at.is_some_and(|at| at >= noon() && at <= after(60)));
        } else {
            prop_assert_eq!(ruling.change.next_attempt_at, None);
        }
        if matches!(outcome, Outcome::Retry { .. } | Outcome::Config { .. }) {
            prop_assert_eq!(&ruling.token, &TokenNews::None);
        }
        prop_assert_eq!(ruling.change.lease_until, Some(after(3)), "it is written under its lease");
    }
}
