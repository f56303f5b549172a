//! Deliveries, phones' addresses and push providers.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;
use showdesk_domain::actor::Function;
use showdesk_domain::notices::Receipt;
use showdesk_store::db::Seat;
use showdesk_store::deliveries::claims::{self, Change, Claim, Moment};
use showdesk_store::deliveries::phones::{self, LocalTarget, Rise};
use showdesk_store::deliveries::{self, Channel, DeliveryRow, DeliveryStatus, Errand};
use showdesk_store::notifications;
use showdesk_store::push_tokens::{self, TokenCounts, TokenRow};
use showdesk_store::{Tx, push_providers};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, fill};
use crate::notifications::{add_person, send};

const LEASE: TimeDelta = TimeDelta::minutes(3);
const SERVICE: &str = "https://push.example.org";

fn token(of: &LocalTarget, address: &str) -> TokenRow {
    TokenRow {
        id: Uuid::now_v7(),
        person: of.person,
        device: of.device,
        token: address.to_owned(),
        platform: "web".to_owned(),
        environment: None,
        fid: None,
        app_id: None,
        p256dh: Some("key".to_owned()),
        auth: Some("secret".to_owned()),
        strike_times: Vec::new(),
        disabled_at: None,
        disabled_code: None,
        created_at: at(1),
        registered_at: at(1),
        last_used: None,
    }
}

/// A way through a provider that is due at that second.
fn way(notification: Uuid, token: &TokenRow, due: i64) -> DeliveryRow {
    DeliveryRow {
        id: Uuid::now_v7(),
        notification,
        person: token.person,
        target: token.id,
        channel: token.channel(),
        service: SERVICE.to_owned(),
        device: Some(token.device),
        status: DeliveryStatus::Waiting,
        attempts: 0,
        repeats: 0,
        next_attempt_at: Some(at(due)),
        lease_until: None,
        provider_message_id: None,
        error_code: None,
        reason: None,
        created_at: at(due),
        accepted_at: None,
        updated_at: at(due),
    }
}

fn moment(seconds: i64) -> Moment {
    Moment { now: at(seconds), steady: at(seconds) }
}

async fn claim(tx: &mut Tx, at: Moment, service: &str, limit: i64) -> Claim {
    deliveries::claims::claim(tx, at, LEASE, service, limit).await.unwrap()
}

/// The deliveries of a message as they are, by their channels.
async fn rows(tx: &mut Tx, message: Uuid) -> Vec<DeliveryRow> {
    let lines = notifications::desk::deliveries(tx, message).await.unwrap();
    let ids: Vec<Uuid> = lines.iter().map(|line| line.id).collect();
    let mut rows: Vec<DeliveryRow> =
        deliveries::load(tx, &ids).await.unwrap().into_iter().map(|errand| errand.row).collect();
    rows.sort_by_key(|row| row.channel);
    rows
}

async fn status_of(tx: &mut Tx, message: Uuid) -> String {
    notifications::load(tx, &[message]).await.unwrap().remove(0).status
}

fn change(errand: &Errand, status: DeliveryStatus) -> Change {
    Change {
        id: errand.row.id,
        lease_until: errand.row.lease_until,
        status,
        attempts: errand.row.attempts + 1,
        repeats: 0,
        next_attempt_at: None,
        provider_message_id: Some("theirs".to_owned()),
        error_code: None,
        reason: None,
        accepted_at: Some(at(30)),
    }
}

/// A phone with an address, and a message to it.
async fn sent(tx: &mut Tx, show: Show, name: &str) -> (LocalTarget, TokenRow, Uuid) {
    let phone = add_person(tx, show, name, vec![Function::Gate]).await;
    let token = token(&phone, &format!("https://push.example.org/{name}"));
    push_tokens::register(tx, &token).await.unwrap();
    let message = send(tx, show, name, std::slice::from_ref(&phone)).await.id;
    (phone, token, message)
}

async fn a_delivery_is_claimed_once_and_written_by_whoever_holds_it(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (phone, token, message) = sent(&mut tx, show, "Ana").await;
    deliveries::add(&mut tx, &[way(message, &token, 20)]).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    assert!(claims::due_services(&mut tx, moment(19)).await.unwrap().is_empty());
    assert_eq!(claims::due_services(&mut tx, moment(20)).await.unwrap(), [SERVICE]);
    assert!(claim(&mut tx, moment(20), "fcm", 10).await.ids.is_empty());
    assert!(claim(&mut tx, moment(20), "local", 10).await.ids.is_empty());
    let claimed = claim(&mut tx, moment(20), SERVICE, 10).await;
    let errands = deliveries::load(&mut tx, &claimed.ids).await.unwrap();
    let errand = &errands[0];
    assert_eq!((errand.row.lease_until, errand.state), (Some(claimed.lease_until), Receipt::Waiting));
    assert_eq!((errand.local_status, errand.device_person), (Some(DeliveryStatus::Waiting), Some(phone.person)));
    assert!(claim(&mut tx, moment(21), SERVICE, 10).await.ids.is_empty());
    assert!(claims::due_services(&mut tx, moment(21)).await.unwrap().is_empty(), "somebody is at it");
    tx.commit().await.unwrap();

    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    claims::end_leases(&mut tx).await.unwrap();
    let again = claim(&mut tx, moment(400), SERVICE, 10).await;
    assert_eq!(again.ids, claimed.ids);
    claims::settle(&mut tx, &[change(errand, DeliveryStatus::Failed)], at(210)).await.unwrap();
    let own = deliveries::load(&mut tx, &again.ids).await.unwrap();
    assert_eq!(own[0].row.status, DeliveryStatus::Waiting, "who lost it writes nothing");
    claims::settle(&mut tx, &[change(&own[0], DeliveryStatus::Accepted)], at(211)).await.unwrap();
    deliveries::roll_up(&mut tx, &[message], at(211)).await.unwrap();
    assert_eq!(status_of(&mut tx, message).await, "sent");
    let by_web = deliveries::load(&mut tx, &again.ids).await.unwrap().remove(0).row;
    assert_eq!((by_web.status, by_web.lease_until), (DeliveryStatus::Accepted, None));
    assert_eq!(by_web.provider_message_id.as_deref(), Some("theirs"));
    claims::add_or_repeat(&mut tx, &[way(message, &token, 300)]).await.unwrap();
    let repeated = deliveries::load(&mut tx, &again.ids).await.unwrap().remove(0).row;
    assert_eq!((repeated.repeats, repeated.next_attempt_at), (0, Some(at(300))), "it counts when it is taken again");
}

/// Two desks never agree on the time, and one desk does not always agree with itself.
async fn a_lease_holds_whatever_a_desks_clock_shows(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (_, token, message) = sent(&mut tx, show, "Ana").await;
    deliveries::add(&mut tx, &[way(message, &token, 20)]).await.unwrap();
    assert_eq!(claim(&mut tx, moment(30), SERVICE, 10).await.ids.len(), 1);
    assert!(claim(&mut tx, moment(25), SERVICE, 10).await.ids.is_empty(), "a clock that is behind");
    assert!(claims::due_services(&mut tx, moment(25)).await.unwrap().is_empty());
    let set = Moment { now: at(100_000), steady: at(31) };
    assert!(claim(&mut tx, set, SERVICE, 10).await.ids.is_empty(), "a clock that was set");
    if store.db.is_shared() {
        assert!(claim(&mut tx, moment(100_000), SERVICE, 10).await.ids.is_empty(), "the database's clock counts");
    } else {
        assert_eq!(claim(&mut tx, moment(30 + 180), SERVICE, 10).await.ids.len(), 1, "it ends by its time");
    }
    let over = deliveries::claims::claim(&mut tx, moment(400), TimeDelta::zero(), SERVICE, 10).await.unwrap();
    assert_eq!(over.ids.len(), usize::from(!store.db.is_shared()));
    assert_eq!(claims::end_leases(&mut tx).await.unwrap(), 1);
    assert_eq!(claim(&mut tx, moment(31), SERVICE, 10).await.ids.len(), 1);
}

async fn a_service_is_tried_with_what_is_most_likely_to_be_taken(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let mut messages = BTreeMap::new();
    for name in ["Struck", "Refused", "Fresh", "Known"] {
        let (_, token, message) = sent(&mut tx, show, name).await;
        let error_code = (name == "Refused").then(|| "unavailable".to_owned());
        deliveries::add(&mut tx, &[DeliveryRow { error_code, ..way(message, &token, 20) }]).await.unwrap();
        match name {
            "Struck" => push_tokens::strike(&mut tx, &token, &[at(5)]).await.unwrap(),
            "Known" => push_tokens::used(&mut tx, token.id, None, at(10)).await.unwrap(),
            _ => {}
        }
        messages.insert(message, name);
    }
    assert!(claims::claim_try(&mut tx, moment(19), LEASE, SERVICE).await.unwrap().ids.is_empty(), "nothing is due");
    assert!(claims::claim_try(&mut tx, moment(20), LEASE, "fcm").await.unwrap().ids.is_empty(), "another service's");
    let mut tried = Vec::new();
    for _ in 0..4 {
        let one = claims::claim_try(&mut tx, moment(20), LEASE, SERVICE).await.unwrap();
        let errand = deliveries::load(&mut tx, &one.ids).await.unwrap().remove(0);
        assert_eq!((one.ids.len(), errand.row.lease_until), (1, Some(one.lease_until)));
        tried.push(messages[&errand.row.notification]);
    }
    assert_eq!(tried, ["Known", "Fresh", "Refused", "Struck"]);
}

async fn what_a_provider_took_is_said_although_it_was_taken_back_meanwhile(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (_, token, message) = sent(&mut tx, show, "Ana").await;
    deliveries::add(&mut tx, &[way(message, &token, 20)]).await.unwrap();
    let claimed = claim(&mut tx, moment(20), SERVICE, 10).await;
    let errand = deliveries::load(&mut tx, &claimed.ids).await.unwrap().remove(0);
    assert!(notifications::retract(&mut tx, message, at(21)).await.unwrap());
    phones::take_back(&mut tx, message, "Taken back.", at(21)).await.unwrap();
    assert!(rows(&mut tx, message).await.iter().all(|row| row.status == DeliveryStatus::Expired));
    assert_eq!(status_of(&mut tx, message).await, "failed", "nobody can have it any more");
    claims::settle(&mut tx, &[Change { accepted_at: None, ..change(&errand, DeliveryStatus::Failed) }], at(22))
        .await
        .unwrap();
    assert_eq!(rows(&mut tx, message).await[1].status, DeliveryStatus::Expired);
    claims::settle(&mut tx, &[change(&errand, DeliveryStatus::Accepted)], at(23)).await.unwrap();
    let sent = rows(&mut tx, message).await.remove(1);
    assert_eq!((sent.status, sent.accepted_at, sent.next_attempt_at), (DeliveryStatus::Accepted, Some(at(30)), None));
    assert_eq!((sent.error_code, sent.provider_message_id.as_deref()), (None, Some("theirs")));
    deliveries::roll_up(&mut tx, &[message], at(23)).await.unwrap();
    assert_eq!(status_of(&mut tx, message).await, "sent");
}

async fn only_what_no_provider_was_asked_for_is_forgotten(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (_, token, message) = sent(&mut tx, show, "Ana").await;
    deliveries::add(&mut tx, &[DeliveryRow { attempts: 1, ..way(message, &token, 20) }]).await.unwrap();
    let asked = claim(&mut tx, moment(20), SERVICE, 10).await;
    claims::forget(&mut tx, &asked.ids, asked.lease_until).await.unwrap();
    assert_eq!(rows(&mut tx, message).await.len(), 2, "perhaps it took the message");
    let (_, token, message) = sent(&mut tx, show, "Bo").await;
    deliveries::add(&mut tx, &[way(message, &token, 20)]).await.unwrap();
    let fresh = claim(&mut tx, moment(20), SERVICE, 10).await;
    claims::forget(&mut tx, &fresh.ids, fresh.lease_until - LEASE).await.unwrap();
    assert_eq!(rows(&mut tx, message).await.len(), 2, "it is somebody else's by now");
    claims::forget(&mut tx, &fresh.ids, fresh.lease_until).await.unwrap();
    assert_eq!(rows(&mut tx, message).await.len(), 1);
}

async fn what_waits_without_an_end_is_looked_at_when_it_gets_one(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let phone = add_person(&mut tx, show, "Ana", vec![Function::Gate]).await;
    let message = send(&mut tx, show, "Ana", &[phone]).await;
    let endless = send(&mut tx, show, "Endless", &[]).await;
    let to = (endless.id, 2);
    notifications::streams::add_recipients(&mut tx, to, &[phone.person], Receipt::Waiting, at(10)).await.unwrap();
    phones::add_local(&mut tx, endless.id, &[LocalTarget { id: Uuid::now_v7(), ..phone }], None, at(10)).await.unwrap();
    assert!(claims::hold_due_local(&mut tx, at(99), 10).await.unwrap().is_empty());
    phones::look_again(&mut tx, endless.id, at(30)).await.unwrap();
    let due = claims::hold_due_local(&mut tx, at(30), 10).await.unwrap();
    assert_eq!(due, [rows(&mut tx, endless.id).await[0].id], "only that message's");
    phones::look_again_at(&mut tx, phone.device, at(40)).await.unwrap();
    let due = claims::hold_due_local(&mut tx, at(40), 10).await.unwrap();
    assert_eq!(due.len(), 2, "all that waits for that phone, {} too", message.title);
}

async fn each_person_of_a_phone_has_a_line_of_their_own(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let before = add_person(&mut tx, show, "Ana", vec![Function::Gate]).await;
    let now = add_person(&mut tx, show, "Bo", vec![Function::Gate]).await;
    let message = send(&mut tx, show, "Both", &[before]).await.id;
    // Ana's phone is Bo's now, who has the message, too.
    let phone = LocalTarget { id: Uuid::now_v7(), device: before.device, ..now };
    assert_eq!(phones::rise_on_phone(&mut tx, message, phone, Receipt::Seen, at(20)).await.unwrap(), Rise::Arrived);
    let lines = notifications::desk::deliveries(&mut tx, message).await.unwrap();
    let told: Vec<(&str, &str)> = lines.iter().map(|line| (line.person_name.as_str(), line.status.as_str())).collect();
    assert_eq!(told, [("Ana", "waiting"), ("Bo", "seen")]);
    let mut standings = deliveries::standings(&mut tx, &[message, Uuid::now_v7()]).await.unwrap();
    standings.sort_by_key(|(_, status)| status.as_str());
    assert_eq!(standings, [(message, DeliveryStatus::Seen), (message, DeliveryStatus::Waiting)]);
}

async fn local_rows_are_held_and_what_is_over_is_found(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let phone = add_person(&mut tx, show, "Ana", vec![Function::Gate]).await;
    let address = token(&phone, "https://push.example.org/Ana");
    push_tokens::register(&mut tx, &address).await.unwrap();
    let waiting = LocalTarget { has_token: true, ..phone };
    let message = send(&mut tx, show, "Ana", &[waiting]).await;
    assert!(claims::hold_due_local(&mut tx, at(19), 10).await.unwrap().is_empty(), "ten seconds");
    assert_eq!(claims::hold_due_local(&mut tx, at(20), 10).await.unwrap().len(), 1);
    assert_eq!(claims::due_services(&mut tx, moment(20)).await.unwrap(), ["local"]);
    deliveries::add(&mut tx, &[way(message.id, &address, 20)]).await.unwrap();
    let over = async |tx: &mut Tx, seconds| {
        claims::hold_over(tx, moment(seconds), at(seconds) - TimeDelta::hours(12), 10).await.unwrap().len()
    };
    assert_eq!(over(&mut tx, 99).await, 0);
    assert_eq!(over(&mut tx, 100).await, 1);
    deliveries::roll_up(&mut tx, &[message.id], at(100)).await.unwrap();
    assert_eq!(status_of(&mut tx, message.id).await, "pending");
    let all: Vec<Uuid> = rows(&mut tx, message.id).await.iter().map(|row| row.id).collect();
    let errands = deliveries::load(&mut tx, &all).await.unwrap();
    let expired = |errand: &Errand| Change { accepted_at: None, ..change(errand, DeliveryStatus::Expired) };
    let changes: Vec<Change> = errands.iter().map(expired).collect();
    claims::settle(&mut tx, &changes, at(101)).await.unwrap();
    deliveries::roll_up(&mut tx, &[message.id], at(101)).await.unwrap();
    assert_eq!(status_of(&mut tx, message.id).await, "failed");
}

async fn settings_that_change_hurry_what_waits(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (_, token, message) = sent(&mut tx, show, "Ana").await;
    deliveries::add(&mut tx, &[way(message, &token, 900)]).await.unwrap();
    assert_eq!(claims::hurry(&mut tx, Channel::Fcm, at(20)).await.unwrap(), 0);
    assert_eq!(claims::hurry(&mut tx, Channel::Web, at(20)).await.unwrap(), 1);
    assert_eq!(claims::due_services(&mut tx, moment(20)).await.unwrap(), [SERVICE]);
}

async fn an_address_moves_is_struck_and_dies(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (first, second) = (
        add_person(&mut tx, show, "Ana", vec![Function::Gate]).await,
        add_person(&mut tx, show, "Bo", vec![Function::Gate]).await,
    );
    tx.commit().await.unwrap();
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    let address = token(&first, "https://push.example.org/a");
    push_tokens::register(&mut tx, &address).await.unwrap();
    push_tokens::strike(&mut tx, &address, &[at(5), at(9)]).await.unwrap();
    let struck = push_tokens::by_token(&mut tx, &address.token).await.unwrap().unwrap();
    assert_eq!(struck.strike_times, [at(5), at(9)]);
    push_tokens::used(&mut tx, address.id, Some("sandbox"), at(10)).await.unwrap();
    let used = push_tokens::load(&mut tx, &[address.id]).await.unwrap().remove(0);
    assert_eq!((used.strike_times.len(), used.last_used), (0, Some(at(10))));
    assert_eq!(used.environment.as_deref(), Some("sandbox"));
    assert!(!push_tokens::disable(&mut tx, address.id, "gone", at(0), at(11)).await.unwrap(), "told again since");
    assert!(push_tokens::disable(&mut tx, address.id, "gone", at(1), at(11)).await.unwrap());
    assert!(push_tokens::active_of_devices(&mut tx, &[first.device]).await.unwrap().is_empty());
    let counts = push_tokens::counts(&mut tx).await.unwrap();
    assert!(counts.contains(&(Channel::Web, TokenCounts { active: 0, disabled: 1 })), "{counts:?}");

    let moved = TokenRow { id: Uuid::now_v7(), registered_at: at(12), ..token(&second, &address.token) };
    push_tokens::register(&mut tx, &moved).await.unwrap();
    let kept = push_tokens::by_token(&mut tx, &address.token).await.unwrap().unwrap();
    assert_eq!((kept.id, kept.person, kept.device), (address.id, second.person, second.device));
    assert_eq!((kept.disabled_at, kept.disabled_code), (None, None));
    for number in 0..4 {
        let more = TokenRow { registered_at: at(20 + number), ..token(&second, &format!("https://x/{number}")) };
        push_tokens::register(&mut tx, &more).await.unwrap();
    }
    push_tokens::keep_newest(&mut tx, second.device, 3).await.unwrap();
    assert_eq!(push_tokens::active_of_devices(&mut tx, &[second.device]).await.unwrap().len(), 3);
    assert!(push_tokens::by_token(&mut tx, &address.token).await.unwrap().is_none(), "the oldest goes");
    let newest = push_tokens::by_token(&mut tx, "https://x/3").await.unwrap().unwrap();
    assert!(!push_tokens::remove(&mut tx, newest.id, first.device).await.unwrap(), "another phone's");
    assert!(push_tokens::remove(&mut tx, newest.id, second.device).await.unwrap());
    assert_eq!(push_tokens::disable_of_device(&mut tx, second.device, "removed", at(30)).await.unwrap(), 2);
    let native = TokenRow { platform: "ios".to_owned(), ..token(&first, "ab12") };
    assert_eq!(native.channel(), Channel::Apns);
    assert_eq!(TokenRow { fid: Some("f".to_owned()), ..native.clone() }.channel(), Channel::Fcm);
    assert!(!format!("{native:?}").contains("ab12"), "an address is not printed");
}

async fn a_provider_keeps_what_is_true_of_its_settings(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Worker).await.unwrap();
    let fcm = Channel::Fcm;
    push_providers::set(&mut tx, fcm, &json!({"project_id": "a"}), Some(show.person), at(1)).await.unwrap();
    let found = async |tx: &mut Tx, since, problem| {
        push_providers::note_problem(tx, fcm, at(since), problem, at(2)).await.unwrap()
    };
    assert!(!found(&mut tx, 0, Some("NOT_FOUND")).await, "of other settings");
    assert!(found(&mut tx, 1, Some("NOT_FOUND")).await);
    assert!(!found(&mut tx, 1, Some("NOT_FOUND")).await, "no news");
    assert!(!found(&mut tx, 0, None).await, "of other settings");
    let accepted = BTreeMap::from([("fcm".to_owned(), at(4).timestamp_millis())]);
    push_providers::note_accepted(&mut tx, fcm, at(0), &accepted).await.unwrap();
    assert!(push_providers::all(&mut tx).await.unwrap()[0].accepted.is_empty(), "of other settings");
    push_providers::note_accepted(&mut tx, fcm, at(1), &accepted).await.unwrap();
    let row = push_providers::all(&mut tx).await.unwrap().remove(0);
    assert_eq!((row.accepted, row.problem.as_deref()), (accepted, Some("NOT_FOUND")));
    assert_eq!((row.problem_at, row.updated_by), (Some(at(2)), Some(show.person)));
    push_providers::note_tested(&mut tx, fcm, at(5)).await.unwrap();
    let row = push_providers::all(&mut tx).await.unwrap().remove(0);
    assert_eq!((row.problem, row.tested_at), (None, Some(at(5))));
    push_providers::set(&mut tx, fcm, &json!({"project_id": "b"}), None, at(6)).await.unwrap();
    let row = push_providers::all(&mut tx).await.unwrap().remove(0);
    assert!(row.accepted.is_empty() && row.tested_at.is_none() && row.settings == json!({"project_id": "b"}));
    assert!(push_providers::remove(&mut tx, fcm).await.unwrap());
    assert!(!push_providers::remove(&mut tx, fcm).await.unwrap());
}

on_both_engines![TestStore::open =>
    a_delivery_is_claimed_once_and_written_by_whoever_holds_it,
    a_lease_holds_whatever_a_desks_clock_shows,
    a_service_is_tried_with_what_is_most_likely_to_be_taken,
    what_a_provider_took_is_said_although_it_was_taken_back_meanwhile,
    only_what_no_provider_was_asked_for_is_forgotten,
    what_waits_without_an_end_is_looked_at_when_it_gets_one,
    each_person_of_a_phone_has_a_line_of_their_own,
    local_rows_are_held_and_what_is_over_is_found,
    settings_that_change_hurry_what_waits,
    an_address_moves_is_struck_and_dies,
    a_provider_keeps_what_is_true_of_its_settings,
];
