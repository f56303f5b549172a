//! What goes wrong with one phone, one service or one key holds up nobody else.

use showdesk_store::people::Sighting;

use super::*;

on_both_engines!(Stand::open =>
    stale_pages_keep_no_good_one_from_its_messages,
    a_key_for_one_of_apples_worlds_holds_up_only_the_other,
    iphones_that_firebase_cannot_reach_hold_up_no_android,
    every_service_has_hands_of_its_own_and_emergencies_come_first,
    trouble_is_told_again_when_it_comes_back,
    our_own_fault_disables_no_page_that_is_new,
    the_trouble_of_a_phone_that_is_gone_hides_no_other,
    trouble_of_both_of_apples_worlds_is_told_for_each,
    more_phones_with_unsent_work_than_are_read_together_are_all_told_of,
);

impl Stand {
    async fn register_as(&self, phone: &Actor, input: Json) -> Uuid {
        let input = serde_json::from_value(input).expect("an input");
        self.engine.register_push_token(phone, input).await.expect("it is kept").0.id
    }

    /// What became of a message by the provider of one phone.
    async fn status_for(&self, message: Uuid, phone: &Actor) -> Vec<DeliveryStatus> {
        let rows = self.by_provider(message).await;
        rows.into_iter().filter(|row| row.device == Some(phone.device)).map(|row| row.status).collect()
    }
}

/// Pages that subscribed with the show's former key are refused for ever.
async fn stale_pages_keep_no_good_one_from_its_messages(stand: Stand) {
    for number in 0..3 {
        stand.phone_at("web", &stand.page(&format!("old/{number}"))).await;
        stand.service.refuse(&format!("/old/{number}"));
    }
    stand.send_and_deliver(json!({})).await;
    assert!(stand.is_open(Channel::Web).await, "three are refused and none was taken");
    let (good, _) = stand.phone_at("web", &stand.page("new")).await;
    let message = stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.status_for(message, &good).await, [DeliveryStatus::Waiting]);
    stand.later(TimeDelta::minutes(10));
    stand.deliver().await;
    assert_eq!(stand.status_for(message, &good).await, [DeliveryStatus::Accepted], "it is the one that tries");
    assert_eq!(stand.provider(Channel::Web).await.problem, None);
    stand.close().await;
}

async fn a_key_for_one_of_apples_worlds_holds_up_only_the_other(stand: Stand) {
    let developer = stand.phone("Dev").await;
    let address = json!({"platform": "ios", "token": "cd34", "environment": "sandbox"});
    stand.register_as(&developer, address).await;
    let refusal = Reply::of(403, &json!({"reason": "BadEnvironmentKeyInToken"}));
    stand.apple.change(|mood| mood.next = vec![refusal]);
    let first = stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.status_for(first, &developer).await, [DeliveryStatus::Waiting]);
    assert!(stand.provider(Channel::Apns).await.problem.is_some());
    stand.apple.change(|mood| mood.set("ab12", apple::Phone::Here));
    let (own, _) = stand.phone_at("apns", "ab12").await;
    let second = stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.status_for(second, &own).await, [DeliveryStatus::Accepted]);
    assert_eq!(stand.status_for(second, &developer).await, [DeliveryStatus::Waiting]);
    assert!(stand.provider(Channel::Apns).await.problem.is_some(), "the other world takes nothing yet");
    stand.close().await;
}

async fn iphones_that_firebase_cannot_reach_hold_up_no_android(stand: Stand) {
    let iphone = stand.phone("iPhone").await;
    stand.register_as(&iphone, json!({"platform": "ios", "token": "cd34", "fid": "an-installation"})).await;
    let refusal = json!({"error": {"code": 401, "status": "UNAUTHENTICATED", "details": [{
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "THIRD_PARTY_AUTH_ERROR",
    }]}});
    stand.google.change(|mood| mood.messages = Some(Reply::of(401, &refusal)));
    stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.provider(Channel::Fcm).await.problem.as_deref(), Some("THIRD_PARTY_AUTH_ERROR"));
    stand.google.change(|mood| mood.messages = None);
    let (android, _) = stand.phone_at("fcm", "token").await;
    let message = stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.status_for(message, &android).await, [DeliveryStatus::Accepted]);
    assert_eq!(stand.status_for(message, &iphone).await, [DeliveryStatus::Waiting]);
    assert_eq!(stand.provider(Channel::Fcm).await.problem.as_deref(), Some("THIRD_PARTY_AUTH_ERROR"));
    // Somebody gave Firebase the key: the one that tries is taken, and then nothing stands in the way.
    stand.later(TimeDelta::minutes(10));
    stand.deliver().await;
    assert_eq!(stand.status_for(message, &iphone).await, [DeliveryStatus::Accepted]);
    assert_eq!(stand.provider(Channel::Fcm).await.problem, None);
    stand.close().await;
}

async fn every_service_has_hands_of_its_own_and_emergencies_come_first(stand: Stand) {
    for number in 0..40 {
        stand.phone_at("web", &stand.page(&format!("s/{number}"))).await;
    }
    for _ in 0..3 {
        stand.send(json!({})).await;
    }
    stand.later(TimeDelta::seconds(11));
    assert_eq!(stand.engine.look_for_phones().await.expect("a look"), 120);
    stand.phone_at("apns", "ab12").await;
    stand.later(TimeDelta::seconds(1));
    let urgent = stand.send(json!({"priority": "urgent"})).await;
    stand.later(TimeDelta::seconds(11));
    assert_eq!(stand.engine.look_for_phones().await.expect("a look"), 41);
    let ready = stand.engine.ready().await.expect("the senders");
    let mut hands = Hands::default();
    let claimed = stand.engine.claim_deliveries(&ready, &mut hands).await.expect("a claim");
    let of = |claimed: &[Claimed], channel| -> Vec<Uuid> {
        let errands = claimed.iter().flat_map(|claimed| &claimed.errands);
        errands.filter(|errand| errand.row.channel == channel).map(|errand| errand.row.notification).collect()
    };
    assert_eq!(of(&claimed, Channel::Apns), [urgent], "120 older ones for browsers are not before it");
    let by_web = of(&claimed, Channel::Web);
    assert!(by_web.len() == 32 && by_web.iter().all(|message| *message == urgent), "{by_web:?}");
    let more = stand.engine.claim_deliveries(&ready, &mut hands).await.expect("a claim");
    assert!(more.is_empty(), "a slow service fills its own hands only");
    let by_web = claimed.into_iter().find(|claimed| claimed.errands.len() == 32).expect("those for browsers");
    let (_, mut parcels) = stand.engine.pack(&ready, by_web).await.expect("parcels");
    parcels.truncate(31);
    let more = stand.engine.claim_deliveries(&ready, &mut hands).await.expect("a claim");
    assert_eq!(of(&more, Channel::Web).len(), 1, "whose answer has come makes room for the next");
    stand.close().await;
}

async fn trouble_is_told_again_when_it_comes_back(stand: Stand) {
    stand.phone_at("fcm", "token").await;
    let refusal = Reply::of(403, &json!({"error": {"status": "PERMISSION_DENIED"}}));
    for outage in 1..=2 {
        stand.google.change(|mood| mood.messages = Some(refusal.clone()));
        stand.send_and_deliver(json!({})).await;
        assert_eq!(stand.told_of_providers().await, outage, "each outage of a day is told");
        stand.later(TimeDelta::minutes(10));
        stand.deliver().await;
        assert_eq!(stand.told_of_providers().await, outage, "each once");
        stand.google.change(|mood| mood.messages = None);
        stand.later(TimeDelta::minutes(10));
        stand.deliver().await;
        assert_eq!(stand.provider(Channel::Fcm).await.problem, None);
        stand.later(TimeDelta::minutes(30));
    }
    stand.close().await;
}

/// Pages were taken yesterday; since this morning every pass is refused, because the laptop's clock is wrong.
async fn our_own_fault_disables_no_page_that_is_new(stand: Stand) {
    let (phone, _) = stand.phone_at("web", &stand.page("s/yesterday")).await;
    stand.send_and_deliver(json!({})).await;
    stand.engine.revoke_device(&stand.desk, phone.device.0).await.expect("removed");
    stand.later(TimeDelta::hours(24));
    let mut tokens = Vec::new();
    for number in 0..3 {
        tokens.push(stand.phone_at("web", &stand.page(&format!("s/{number}"))).await.1);
    }
    stand.service.answer(&[Reply::empty(403)]);
    let message = stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.told_of_providers().await, 1, "at once");
    for _ in 0..6 {
        stand.later(TimeDelta::minutes(11));
        stand.deliver().await;
    }
    for token in &tokens {
        assert_eq!(stand.token(*token).await.disabled_at, None);
    }
    assert!(stand.provider(Channel::Web).await.problem.is_some() && stand.is_open(Channel::Web).await);
    assert_eq!(stand.told_of_providers().await, 1);
    stand.service.answer(&[]);
    stand.later(TimeDelta::minutes(11));
    stand.deliver().await;
    let rows = stand.by_provider(message).await;
    assert!(rows.len() == 3 && rows.iter().all(|row| row.status == DeliveryStatus::Accepted), "{rows:?}");
    assert_eq!(stand.provider(Channel::Web).await.problem, None);
    stand.close().await;
}

async fn the_trouble_of_a_phone_that_is_gone_hides_no_other(stand: Stand) {
    let developer = stand.phone("Dev").await;
    stand.register_as(&developer, json!({"platform": "ios", "token": "cd34", "environment": "sandbox"})).await;
    let refusal = Reply::of(403, &json!({"reason": "InvalidProviderToken"}));
    stand.apple.change(|mood| mood.next = vec![refusal.clone()]);
    stand.send_and_deliver(json!({})).await;
    stand.engine.revoke_device(&stand.desk, developer.device.0).await.expect("removed");
    stand.later(TimeDelta::minutes(20));
    stand.apple.change(|mood| mood.set("ab12", apple::Phone::Here));
    stand.phone_at("apns", "ab12").await;
    stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.provider(Channel::Apns).await.problem, None, "nothing stands in the way of anybody");
    stand.apple.change(|mood| mood.next = vec![refusal]);
    stand.send_and_deliver(json!({})).await;
    assert!(stand.provider(Channel::Apns).await.problem.is_some());
    assert_eq!(stand.told_of_providers().await, 2);
    stand.close().await;
}

async fn trouble_of_both_of_apples_worlds_is_told_for_each(stand: Stand) {
    let refusal = Reply::of(403, &json!({"reason": "InvalidProviderToken"}));
    for (world, token, told) in [("sandbox", "cd34", 1), ("production", "ab12", 2)] {
        let phone = stand.phone(world).await;
        stand.register_as(&phone, json!({"platform": "ios", "token": token, "environment": world})).await;
        stand.apple.change(|mood| mood.next = vec![refusal.clone()]);
        stand.send_and_deliver(json!({})).await;
        assert_eq!(stand.told_of_providers().await, told, "{world}");
    }
    stand.close().await;
}

async fn more_phones_with_unsent_work_than_are_read_together_are_all_told_of(stand: Stand) {
    let mut phones = Vec::new();
    for number in 0..55 {
        phones.push(stand.phone(&format!("Phone {number}")).await);
    }
    let since = stand.clock.now() - TimeDelta::minutes(60);
    let seen = |phones: &[Actor], since, unsent| -> Vec<Sighting> {
        let one = |phone: &Actor| Sighting {
            device: phone.device,
            at: stand.clock.now(),
            unsent: Some(unsent),
            skew_ms: None,
            pulled_seq: None,
            cursor_seq: None,
            oldest_unsent_at: Some(since),
            level: None,
        };
        phones.iter().map(one).collect()
    };
    let note = async |sightings: Vec<Sighting>| {
        let mut tx = stand.engine.db().begin_write(Seat::Owner).await.expect("a transaction");
        people::note_seen(&mut tx, &sightings).await.expect("noted");
        tx.commit().await.expect("committed");
    };
    note(seen(&phones, since, 3)).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(stand.engine.tell_timed().await.expect("told"));
        stand.later(TimeDelta::seconds(10));
    }
    assert_eq!(told, [50, 5, 0], "each once");
    // One sends its work, and soon holds other work.
    note(seen(&phones[..1], stand.clock.now() + TimeDelta::seconds(30), 1)).await;
    stand.later(TimeDelta::minutes(60));
    assert_eq!(stand.engine.tell_timed().await.expect("told"), 1, "it waits for another reason");
    stand.close().await;
}
