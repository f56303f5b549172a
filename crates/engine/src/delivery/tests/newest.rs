//! What people have is the newest, and what could not go then goes when it can.

use super::*;
use crate::api::notifications::Ack;
use crate::notifications::StaffNews;

on_both_engines!(Stand::open =>
    the_older_of_two_messages_about_one_thing_does_not_come_last,
    a_reminder_goes_out_where_the_first_push_was_not_needed_or_not_taken,
    a_message_sent_before_its_provider_is_ready_goes_out_once_it_is,
    a_page_that_was_registered_anew_while_it_waited_gets_its_message,
);

impl Stand {
    /// Something about one thing, for who runs the show; a later one takes its place.
    async fn tell_news(&self, key: &str) -> Uuid {
        let collapse = "one-thing";
        let news = StaffNews { kind: "news", key, collapse, title: key, body: None, outside: None, open: "#/" };
        self.engine.tell_staff_news(news).await.expect("it is told");
        Uuid::new_v5(&self.engine.inner.show_id, format!("news:{key}").as_bytes())
    }

    /// The one delivery of a message by a provider.
    async fn only(&self, message: Uuid) -> (DeliveryStatus, Option<String>) {
        let mut rows = self.by_provider(message).await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = rows.remove(0);
        (row.status, row.error_code)
    }

    async fn has_it(&self, phone: &Actor, message: Uuid) {
        let ack: Ack = serde_json::from_value(json!({"ids": [message], "state": "delivered"})).expect("an ack");
        self.engine.acknowledge(phone, ack).await.expect("it is taken");
    }
}

async fn the_older_of_two_messages_about_one_thing_does_not_come_last(stand: Stand) {
    let phone = stand.phone_of("Office", &[Function::Admin]).await;
    stand.register(&phone, "web", &stand.page("s/1")).await;
    let first = stand.tell_news("first").await;
    stand.later(TimeDelta::seconds(11));
    stand.service.answer(&[Reply::empty(503)]);
    stand.deliver().await;
    assert_eq!(stand.only(first).await.0, DeliveryStatus::Waiting, "it is tried again");
    let asked = stand.service.server.asked().len();
    stand.service.answer(&[]);
    let second = stand.tell_news("second").await;
    stand.later(TimeDelta::minutes(1));
    stand.deliver().await;
    assert_eq!(stand.only(first).await, (DeliveryStatus::Expired, Some("superseded".to_owned())));
    assert_eq!(stand.only(second).await.0, DeliveryStatus::Accepted);
    assert_eq!(stand.service.server.asked().len(), asked + 1, "the older one did not come after the newer one");
    // One that waits for its turn while the newer one is told is not sent either.
    let third = stand.tell_news("third").await;
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    let until = claimed.until;
    let (_, mut parcels) = stand.engine.pack(&ready, claimed).await.expect("parcels");
    let fourth = stand.tell_news("fourth").await;
    assert_eq!(parcels.len(), 1);
    drop(stand.engine.send(&ready, parcels.remove(0), until).await);
    assert_eq!(stand.service.server.asked().len(), asked + 1);
    // What took its place was taken back: then the older one is what people should have.
    stand.engine.retract_message(&stand.desk, fourth).await.expect("taken back");
    stand.after_the_lease().await;
    stand.deliver().await;
    assert_eq!(stand.only(third).await.0, DeliveryStatus::Accepted);
    stand.close().await;
}

async fn a_reminder_goes_out_where_the_first_push_was_not_needed_or_not_taken(stand: Stand) {
    let page = stand.page("s/1");
    let (phone, _) = stand.phone_at("web", &page).await;
    stand.service.answer(&[Reply::empty(503)]);
    let message = stand.send_and_deliver(json!({"needs_ack": true})).await;
    stand.has_it(&phone, message).await;
    stand.later(TimeDelta::minutes(1));
    stand.deliver().await;
    assert_eq!(stand.only(message).await, (DeliveryStatus::Expired, Some("not_needed".to_owned())));
    stand.service.answer(&[Reply::empty(410)]);
    stand.engine.remind_of_message(&stand.desk, message).await.expect("reminded");
    stand.deliver().await;
    assert_eq!(stand.only(message).await, (DeliveryStatus::Failed, Some("status 410".to_owned())), "it was tried");
    stand.service.answer(&[]);
    stand.register(&phone, "web", &page).await;
    stand.later(TimeDelta::minutes(1));
    stand.engine.remind_of_message(&stand.desk, message).await.expect("reminded");
    stand.deliver().await;
    assert_eq!(stand.only(message).await, (DeliveryStatus::Accepted, None), "the address is back");
    stand.close().await;
}

async fn a_message_sent_before_its_provider_is_ready_goes_out_once_it_is(stand: Stand) {
    let (phone, _) = stand.phone_at("fcm", "token").await;
    stand.engine.remove_provider(&stand.desk, Channel::Fcm).await.expect("removed");
    let message = stand.send_and_deliver(json!({})).await;
    let unseen = stand.send_and_deliver(json!({"title": "Another"})).await;
    assert_eq!(stand.only(message).await, (DeliveryStatus::Waiting, None));
    stand.has_it(&phone, message).await;
    stand.later(TimeDelta::minutes(20));
    stand.set_up_all().await;
    stand.deliver().await;
    assert_eq!(stand.only(unseen).await.0, DeliveryStatus::Accepted);
    assert!(stand.by_provider(message).await.is_empty(), "the phone has that one by now");
    stand.close().await;
}

async fn a_page_that_was_registered_anew_while_it_waited_gets_its_message(stand: Stand) {
    let page = stand.page("s/1");
    let (phone, _) = stand.phone_at("web", &page).await;
    stand.send(json!({})).await;
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    let until = claimed.until;
    let (_, mut parcels) = stand.engine.pack(&ready, claimed).await.expect("parcels");
    let key = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, [8; 32]);
    let key = VapidKey::parse(&key).expect("a key").public().to_owned();
    let anew = json!({"platform": "web", "token": page, "p256dh": key, "auth": AUTH});
    let anew = serde_json::from_value(anew).expect("an input");
    stand.engine.register_push_token(&phone, anew).await.expect("it is kept");
    drop(stand.engine.send(&ready, parcels.remove(0), until).await);
    let private = p256::SecretKey::from_slice(&[8; 32]).expect("a key");
    let auth = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, AUTH).expect("base64");
    let auth: [u8; 16] = auth.try_into().expect("16 bytes");
    let asked = stand.service.server.asked();
    assert!(showdesk_push::web::content::opened(&private, &auth, &asked[0].body).is_some(), "by the page's new key");
    stand.close().await;
}
