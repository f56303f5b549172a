//! Local first, quiet hours, emergencies, ends: what goes to a provider, and what does not.

use showdesk_domain::notices::Receipt;

use super::*;
use crate::api::notifications::Ack;

on_both_engines!(Stand::open =>
    a_phone_that_has_it_is_not_asked_for_elsewhere,
    only_phones_with_an_address_are_asked_for,
    an_emergency_is_repeated_until_it_is_confirmed,
    quiet_hours_hold_pushes_but_no_emergency,
    what_is_over_is_not_sent,
    a_removed_phone_gets_nothing,
    two_messages_go_to_one_phone_at_once,
    a_provider_that_is_open_keeps_messages_to_their_end,
    an_address_that_moves_takes_no_message_of_its_former_person,
    a_page_gets_the_message_as_its_stream_would_tell_it,
);

impl Stand {
    async fn acknowledge(&self, phone: &Actor, message: Uuid, state: &str) {
        let ack: Ack = serde_json::from_value(json!({"ids": [message], "state": state})).expect("an ack");
        self.engine.acknowledge(phone, ack).await.expect("it is taken");
    }

    async fn accepted(&self, message: Uuid) -> usize {
        let rows = self.by_provider(message).await;
        rows.iter().filter(|row| row.status == DeliveryStatus::Accepted).count()
    }
}

async fn a_phone_that_has_it_is_not_asked_for_elsewhere(stand: Stand) {
    let (here, _) = stand.phone_at("web", &stand.page("s/here")).await;
    stand.phone_at("web", &stand.page("s/away")).await;
    let message = stand.send(json!({})).await;
    assert_eq!(stand.engine.send_push_notification().await.expect("a run"), 0, "ten seconds are not over");
    stand.acknowledge(&here, message, "delivered").await;
    stand.later(TimeDelta::seconds(9));
    stand.deliver().await;
    assert!(stand.service.server.asked().is_empty());
    stand.later(TimeDelta::seconds(2));
    stand.deliver().await;
    let asked: Vec<String> = stand.service.server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(asked, ["/s/away"]);
    assert_eq!((stand.by_provider(message).await.len(), stand.accepted(message).await), (1, 1));
    let local: Vec<DeliveryStatus> =
        stand.rows(message).await.iter().filter(|row| row.channel == Channel::Local).map(|row| row.status).collect();
    assert!(local.contains(&DeliveryStatus::Delivered) && local.contains(&DeliveryStatus::Waiting), "{local:?}");
    stand.close().await;
}

async fn only_phones_with_an_address_are_asked_for(stand: Stand) {
    stand.phone("Ana").await;
    let message = stand.send_and_deliver(json!({})).await;
    assert!(stand.by_provider(message).await.is_empty());
    assert_eq!(stand.status(message).await, "pending", "nobody has it");
    stand.later(TimeDelta::hours(2));
    stand.deliver().await;
    assert!(stand.rows(message).await.iter().all(|row| row.status == DeliveryStatus::Expired));
    assert_eq!(stand.status(message).await, "failed");
    stand.close().await;
}

async fn an_emergency_is_repeated_until_it_is_confirmed(stand: Stand) {
    let (phone, _) = stand.phone_at("web", &stand.page("s/1")).await;
    let message = stand.send_and_deliver(json!({"priority": "urgent"})).await;
    assert_eq!(stand.service.server.asked().len(), 1);
    stand.later(TimeDelta::minutes(2));
    stand.deliver().await;
    assert_eq!(stand.service.server.asked().len(), 2);
    let topics: Vec<String> =
        stand.service.server.asked().iter().map(|asked| asked.header("topic").to_owned()).collect();
    assert!(!topics[0].is_empty() && topics[0] == topics[1], "one message on the phone");
    stand.acknowledge(&phone, message, "delivered").await;
    stand.later(TimeDelta::minutes(2));
    stand.deliver().await;
    assert_eq!(stand.service.server.asked().len(), 3, "having it is not enough");
    stand.acknowledge(&phone, message, "confirmed").await;
    stand.later(TimeDelta::minutes(2));
    stand.deliver().await;
    stand.later(TimeDelta::minutes(2));
    stand.deliver().await;
    assert_eq!(stand.service.server.asked().len(), 3);
    assert_eq!(stand.by_provider(message).await[0].repeats, 2);
    stand.close().await;
}

async fn quiet_hours_hold_pushes_but_no_emergency(stand: Stand) {
    stand.phone_at("web", &stand.page("s/1")).await;
    let zone = {
        let mut tx = stand.engine.begin_read_desk().await.expect("a transaction");
        stand.engine.zone(&mut tx).await.expect("a zone")
    };
    let hour = |by: i64| (stand.clock.now() + TimeDelta::hours(by)).with_timezone(&zone).format("%H:%M").to_string();
    let quiet = json!({"quiet": {"from": hour(-1), "to": hour(1)}});
    let quiet = serde_json::from_value(quiet).expect("quiet hours");
    stand.engine.choose_automatic_messages(&stand.desk, quiet).await.expect("chosen");
    let message = stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.accepted(message).await, 0);
    let urgent = stand.send_and_deliver(json!({"priority": "urgent", "needs_ack": false})).await;
    assert_eq!(stand.accepted(urgent).await, 1);
    stand.later(TimeDelta::hours(1));
    stand.deliver().await;
    assert_eq!(stand.accepted(message).await, 1);
    stand.close().await;
}

async fn what_is_over_is_not_sent(stand: Stand) {
    stand.phone_at("web", &stand.page("s/1")).await;
    let over = stand.send(json!({"expires_at": stand.clock.now() + TimeDelta::minutes(5)})).await;
    stand.later(TimeDelta::minutes(5));
    stand.deliver().await;
    assert!(stand.by_provider(over).await.is_empty());
    stand.service.answer(&[Reply::empty(503)]);
    let late = stand.send_and_deliver(json!({"expires_at": stand.clock.now() + TimeDelta::minutes(5)})).await;
    stand.later(TimeDelta::minutes(5));
    stand.deliver().await;
    assert_eq!(stand.by_provider(late).await[0].status, DeliveryStatus::Expired);
    stand.service.answer(&[]);
    stand.later(TimeDelta::minutes(30));
    let taken_back = stand.send(json!({})).await;
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    stand.engine.retract_message(&stand.desk, taken_back).await.expect("taken back");
    let before = stand.service.server.asked().len();
    stand.deliver().await;
    assert_eq!(stand.service.server.asked().len(), before);
    stand.close().await;
}

async fn a_removed_phone_gets_nothing(stand: Stand) {
    let (phone, token) = stand.phone_at("web", &stand.page("s/1")).await;
    let message = stand.send(json!({})).await;
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    stand.engine.revoke_device(&stand.desk, phone.device.0).await.expect("removed");
    assert_eq!(claimed.errands.len(), 1);
    stand.engine.deliver(&ready, claimed).await.expect("delivered");
    assert!(stand.service.server.asked().is_empty(), "it was claimed, and is not sent");
    let rows = stand.by_provider(message).await;
    assert_eq!((rows[0].status, rows[0].error_code.as_deref()), (DeliveryStatus::Failed, Some("no_address")));
    assert_eq!(stand.token(token).await.disabled_code.as_deref(), Some("removed"));
    stand.close().await;
}

async fn two_messages_go_to_one_phone_at_once(stand: Stand) {
    stand.phone_at("web", &stand.page("s/1")).await;
    let messages = [stand.send(json!({})).await, stand.send(json!({"title": "Class 13 to ring 1"})).await];
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    assert_eq!(claimed.errands.len(), 2);
    stand.engine.deliver(&ready, claimed).await.expect("delivered");
    assert_eq!(stand.service.server.asked().len(), 2);
    for message in messages {
        assert_eq!(stand.by_provider(message).await[0].status, DeliveryStatus::Accepted);
    }
    stand.close().await;
}

async fn a_provider_that_is_open_keeps_messages_to_their_end(stand: Stand) {
    stand.phone_at("fcm", "token").await;
    stand
        .google
        .change(|mood| mood.messages = Some(Reply::of(403, &json!({"error": {"status": "PERMISSION_DENIED"}}))));
    let message = stand.send_and_deliver(json!({})).await;
    let asked = stand.google.asked().1;
    stand.later(TimeDelta::minutes(1));
    stand.deliver().await;
    assert_eq!(stand.google.asked().1, asked, "it is left alone");
    stand.later(TimeDelta::minutes(10));
    stand.deliver().await;
    assert_eq!(stand.google.asked().1, asked + 1, "one message tries");
    assert_eq!(stand.by_provider(message).await[0].attempts, 0);
    stand.later(TimeDelta::hours(2));
    stand.deliver().await;
    assert_eq!(stand.by_provider(message).await[0].status, DeliveryStatus::Expired, "also while nothing goes out");
    stand.close().await;
}

async fn an_address_that_moves_takes_no_message_of_its_former_person(stand: Stand) {
    let page = stand.page("s/1");
    let (_, first) = stand.phone_at("web", &page).await;
    let message = stand.send(json!({})).await;
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    let other = stand.phone("Bo").await;
    assert_eq!(stand.register(&other, "web", &page).await, first, "it is the same address");
    assert_eq!(stand.token(first).await.person, other.person);
    stand.deliver().await;
    assert!(stand.service.server.asked().is_empty(), "Bo does not get what was for somebody else");
    assert_eq!(stand.by_provider(message).await[0].status, DeliveryStatus::Failed);
    stand.close().await;
}

async fn a_page_gets_the_message_as_its_stream_would_tell_it(stand: Stand) {
    let (phone, _) = stand.phone_at("web", &stand.page("s/1")).await;
    let message = stand.send_and_deliver(json!({})).await;
    let private = p256::SecretKey::from_slice(&[9; 32]).expect("a key");
    let auth = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, AUTH).expect("base64");
    let auth: [u8; 16] = auth.try_into().expect("16 bytes");
    let asked = stand.service.server.asked();
    let opened = showdesk_push::web::content::opened(&private, &auth, &asked[0].body).expect("the browser opens it");
    let mut told: Json = serde_json::from_slice(&opened).expect("JSON");
    let page = stand.engine.my_notices(&phone, 0, 10).await.expect("a page");
    let notice = page.items.into_iter().find(|notice| notice.id == message).expect("it is there");
    assert_eq!(notice.state, Receipt::Waiting);
    let mut expected = serde_json::to_value(notice).expect("JSON");
    expected.as_object_mut().expect("an object").remove("state");
    assert!(told["tag"].is_string());
    told.as_object_mut().expect("an object").remove("tag");
    assert_eq!(told, expected);
    stand.close().await;
}
