//! Every row of the providers' tables, from the stand-in's answer to what stands in the database afterwards.

use super::*;

on_both_engines!(Stand::open =>
    every_answer_of_firebase_has_its_action,
    every_answer_of_apple_has_its_action,
    every_answer_of_a_push_service_has_its_action,
    settings_for_another_app_disable_nobody,
    a_push_service_that_refuses_everybody_disables_nobody,
    the_third_refusal_within_a_day_disables_an_address,
    a_network_that_fails_counts_nothing_and_disables_nobody,
);

/// What became of one message to one phone.
#[derive(Debug, PartialEq, Eq)]
enum Became {
    Accepted,
    /// Waits, and was counted.
    Retried,
    Dropped,
    Disabled,
    Struck,
    /// Waits, was not counted, nothing goes out by this provider and somebody was told.
    Opened,
}

impl Stand {
    /// Sends one message to the one phone and looks at what became of it. Everything is as before afterwards.
    async fn one(&self, provider: &str, phone: &Actor, token: &str) -> (Became, DeliveryRow) {
        let id = self.register(phone, provider, token).await;
        let message = self.send(json!({})).await;
        self.later(TimeDelta::seconds(11));
        // Once: chance may make the pause so short that another run would try again at the same moment.
        self.engine.send_push_notification().await.expect("a run");
        let mut rows = self.by_provider(message).await;
        let is_alone = rows.len() == 1;
        rows.retain(|row| row.device == Some(phone.device));
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = rows.into_iter().next().expect("one");
        let token = self.token(id).await;
        let is_open = self.is_open(row.channel).await;
        let problem = self.provider(row.channel).await.problem;
        let became = match row.status {
            DeliveryStatus::Accepted => Became::Accepted,
            DeliveryStatus::Failed if token.disabled_at.is_some() => Became::Disabled,
            DeliveryStatus::Failed => Became::Dropped,
            DeliveryStatus::Waiting if problem.is_some() => {
                assert!(is_open && row.attempts == 0 && token.disabled_at.is_none(), "{row:?}");
                Became::Opened
            }
            DeliveryStatus::Waiting if !token.strike_times.is_empty() => Became::Struck,
            DeliveryStatus::Waiting => {
                assert!(row.attempts == 1 && token.disabled_at.is_none() && problem.is_none(), "{row:?}");
                Became::Retried
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(row.status == DeliveryStatus::Accepted, row.accepted_at.is_some());
        assert!(!is_alone || (self.status(message).await == "sent") == (row.status == DeliveryStatus::Accepted));
        // The circuit is closed as a person closes it, and the message ends.
        self.engine.retract_message(&self.desk, message).await.expect("taken back");
        self.engine.inner.delivery.circuits.forget(row.channel);
        let since = self.provider(row.channel).await.updated_at;
        let mut tx = self.engine.db().begin_write(Seat::Owner).await.expect("a transaction");
        push_providers::note_problem(&mut tx, row.channel, since, None, self.clock.now()).await.expect("noted");
        tx.commit().await.expect("committed");
        (became, row)
    }

    /// When the row is tried again, in seconds from now.
    fn seconds_to(&self, row: &DeliveryRow) -> i64 {
        row.next_attempt_at.map_or(-1, |at| (at - self.clock.now()).num_seconds())
    }
}

fn fault(status: u16, word: &str, code: Option<&str>, fields: &[&str]) -> Reply {
    let mut details = Vec::new();
    if let Some(code) = code {
        details.push(json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}));
    }
    if !fields.is_empty() {
        let violations: Vec<Json> = fields.iter().map(|field| json!({"field": field, "description": "x"})).collect();
        details.push(json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}));
    }
    Reply::of(status, &json!({"error": {"code": status, "status": word, "message": "Refused.", "details": details}}))
}

async fn every_answer_of_firebase_has_its_action(stand: Stand) {
    let phone = stand.phone("Ana").await;
    let argument = |fields: &[&str]| fault(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), fields);
    let (became, row) = stand.one("fcm", &phone, "token").await;
    assert_eq!(became, Became::Accepted);
    assert!(row.provider_message_id.is_some_and(|id| id.starts_with("projects/")));
    for (reply, expected) in [
        (fault(404, "NOT_FOUND", Some("UNREGISTERED"), &[]), Became::Disabled),
        (fault(403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), &[]), Became::Disabled),
        (argument(&["message.token"]), Became::Disabled),
        (fault(404, "NOT_FOUND", None, &[]), Became::Opened),
        (fault(401, "UNAUTHENTICATED", Some("THIRD_PARTY_AUTH_ERROR"), &[]), Became::Opened),
        (fault(403, "PERMISSION_DENIED", None, &[]), Became::Opened),
        (argument(&["message.android.ttl"]), Became::Dropped),
        (fault(401, "UNAUTHENTICATED", None, &[]), Became::Opened),
        (fault(429, "RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"), &[]), Became::Retried),
        (fault(500, "INTERNAL", Some("INTERNAL"), &[]), Became::Retried),
        (fault(503, "UNAVAILABLE", Some("UNAVAILABLE"), &[]).with("retry-after", "300"), Became::Retried),
        (Reply::HangUp, Became::Retried),
    ] {
        stand.google.change(|mood| mood.messages = Some(reply.clone()));
        let (became, row) = stand.one("fcm", &phone, "token").await;
        assert_eq!(became, expected, "{reply:?} {row:?}");
        match row.error_code.as_deref() {
            Some("QUOTA_EXCEEDED") => assert!(stand.seconds_to(&row) >= 60, "{row:?}"),
            Some("UNAVAILABLE") => assert!(stand.seconds_to(&row) >= 300, "{row:?}"),
            _ => {}
        }
        assert!(row.reason.is_some(), "it is said why: {row:?}");
    }
    assert!(stand.told_of_providers().await >= 4, "each kind of trouble is told");
    stand.close().await;
}

async fn every_answer_of_apple_has_its_action(stand: Stand) {
    let phone = stand.phone("Ana").await;
    stand.apple.change(|mood| mood.set("ab12", apple::Phone::Here));
    let (became, row) = stand.one("apns", &phone, "ab12").await;
    assert_eq!(became, Became::Accepted);
    assert_eq!(row.provider_message_id, Some(row.notification.to_string()));
    let reason = |status, reason: &str| Reply::of(status, &json!({"reason": reason}));
    let gone =
        |at: DateTime<Utc>| Reply::of(410, &json!({"reason": "Unregistered", "timestamp": at.timestamp_millis()}));
    let now = stand.clock.now();
    for (replies, expected) in [
        (vec![reason(400, "BadDeviceToken"); 2], Became::Disabled),
        (vec![reason(400, "BadDeviceToken")], Became::Accepted),
        (vec![reason(400, "DeviceTokenNotForTopic")], Became::Disabled),
        (vec![reason(400, "BadPriority")], Became::Dropped),
        (vec![reason(400, "MissingTopic")], Became::Dropped),
        (vec![reason(400, "PayloadEmpty")], Became::Dropped),
        (vec![reason(400, "TopicDisallowed")], Became::Dropped),
        (vec![reason(404, "BadPath")], Became::Dropped),
        (vec![reason(405, "MethodNotAllowed")], Became::Dropped),
        (vec![reason(403, "ExpiredProviderToken")], Became::Accepted),
        (vec![reason(403, "ExpiredProviderToken"); 2], Became::Opened),
        (vec![reason(403, "InvalidProviderToken")], Became::Opened),
        (vec![reason(403, "MissingProviderToken")], Became::Opened),
        (vec![reason(403, "Forbidden")], Became::Opened),
        (vec![reason(403, "BadCertificateEnvironment")], Became::Opened),
        (vec![gone(now + TimeDelta::days(1))], Became::Disabled),
        (vec![reason(410, "ExpiredToken")], Became::Disabled),
        (vec![gone(now - TimeDelta::days(1))], Became::Retried),
        (vec![reason(413, "PayloadTooLarge")], Became::Accepted),
        (vec![reason(413, "PayloadTooLarge"); 2], Became::Dropped),
        (vec![reason(429, "TooManyProviderTokenUpdates")], Became::Retried),
        (vec![reason(429, "TooManyRequests")], Became::Retried),
        (vec![reason(500, "InternalServerError")], Became::Retried),
        (vec![reason(503, "ServiceUnavailable")], Became::Retried),
        (vec![Reply::HangUp; 2], Became::Retried),
    ] {
        stand.apple.change(|mood| mood.next.clone_from(&replies));
        let (became, row) = stand.one("apns", &phone, "ab12").await;
        assert_eq!(became, expected, "{replies:?} {row:?}");
        if row.error_code.as_deref() == Some("TooManyProviderTokenUpdates") {
            assert!(stand.seconds_to(&row) >= 20 * 60, "{row:?}");
        }
        stand.apple.change(|mood| mood.next.clear());
    }
    stand.close().await;
}

async fn every_answer_of_a_push_service_has_its_action(stand: Stand) {
    let phone = stand.phone("Ana").await;
    let page = stand.page("s/1");
    let (became, row) = stand.one("web", &phone, &page).await;
    assert_eq!(became, Became::Accepted);
    assert_eq!(row.provider_message_id.as_deref(), Some("https://push.example.org/m/s/1"));
    for (replies, expected) in [
        (vec![Reply::empty(200)], Became::Accepted),
        (vec![Reply::empty(202)], Became::Accepted),
        (vec![Reply::empty(404)], Became::Disabled),
        (vec![Reply::empty(410)], Became::Disabled),
        (vec![Reply::empty(400)], Became::Struck),
        (vec![Reply::empty(401)], Became::Struck),
        (vec![Reply::empty(403)], Became::Struck),
        (vec![Reply::empty(413), Reply::empty(201)], Became::Accepted),
        (vec![Reply::empty(413)], Became::Dropped),
        (vec![Reply::empty(429).with("retry-after", "240")], Became::Retried),
        (vec![Reply::empty(500)], Became::Retried),
        (vec![Reply::empty(503).with("retry-after", "240")], Became::Retried),
        (vec![Reply::HangUp], Became::Retried),
    ] {
        stand.service.answer(&replies);
        let (became, row) = stand.one("web", &phone, &page).await;
        assert_eq!(became, expected, "{replies:?} {row:?}");
        if row.error_code.as_deref().is_some_and(|code| matches!(code, "status 429" | "status 503")) {
            assert!(stand.seconds_to(&row) >= 240, "{row:?}");
        }
    }
    stand.service.answer(&[]);
    let (became, _) = stand.one("web", &stand.phone("Bo").await, "https://removed.invalid/s/1").await;
    assert_eq!(became, Became::Disabled);
    stand.close().await;
}

/// The key file of another project: every phone's address is refused, and none is disabled.
async fn settings_for_another_app_disable_nobody(stand: Stand) {
    let mut tokens = Vec::new();
    for number in 0..4 {
        tokens.push(stand.phone_at("fcm", &format!("token-{number}")).await.1);
    }
    let mismatch = fault(403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), &[]);
    stand.google.change(|mood| mood.messages = Some(mismatch));
    let message = stand.send_and_deliver(json!({})).await;
    for token in &tokens {
        assert_eq!(stand.token(*token).await.disabled_at, None);
    }
    let rows = stand.by_provider(message).await;
    assert!(rows.len() == 4 && rows.iter().all(|row| row.status == DeliveryStatus::Waiting), "{rows:?}");
    assert_eq!(stand.provider(Channel::Fcm).await.problem.as_deref(), Some("SENDER_ID_MISMATCH"));
    assert_eq!(stand.told_of_providers().await, 1, "those who run the show hear of it, once");
    // The right key file: everything goes out at once, also what was left alone.
    stand.google.change(|mood| mood.messages = None);
    stand.later(TimeDelta::seconds(1));
    stand.set_up_all().await;
    stand.deliver().await;
    assert!(stand.by_provider(message).await.iter().all(|row| row.status == DeliveryStatus::Accepted));
    assert_eq!(stand.provider(Channel::Fcm).await.problem, None);
    stand.close().await;
}

async fn a_push_service_that_refuses_everybody_disables_nobody(stand: Stand) {
    let mut tokens = Vec::new();
    for number in 0..4 {
        tokens.push(stand.phone_at("web", &stand.page(&format!("s/{number}"))).await.1);
    }
    stand.service.answer(&[Reply::empty(403)]);
    let message = stand.send_and_deliver(json!({})).await;
    for _ in 0..6 {
        stand.later(TimeDelta::minutes(11));
        stand.deliver().await;
    }
    for token in &tokens {
        assert_eq!(stand.token(*token).await.disabled_at, None);
    }
    assert!(stand.by_provider(message).await.iter().all(|row| row.status == DeliveryStatus::Waiting));
    assert!(stand.provider(Channel::Web).await.problem.is_some());
    assert_eq!(stand.told_of_providers().await, 1);
    stand.close().await;
}

async fn the_third_refusal_within_a_day_disables_an_address(stand: Stand) {
    let (_, good) = stand.phone_at("web", &stand.page("s/good")).await;
    stand.send_and_deliver(json!({})).await;
    let (_, bad) = stand.phone_at("web", &stand.page("s/bad")).await;
    let mut states = Vec::new();
    for _ in 0..3 {
        // Only the bad one is asked; that others were taken before is what tells the two apart.
        stand.service.answer(&[Reply::empty(403)]);
        let mut tx = stand.engine.db().begin_write(Seat::Owner).await.expect("a transaction");
        push_tokens::disable(&mut tx, good, "away", stand.clock.now(), stand.clock.now()).await.expect("disabled");
        tx.commit().await.expect("committed");
        let message = stand.send_and_deliver(json!({})).await;
        stand.engine.retract_message(&stand.desk, message).await.expect("taken back");
        states.push(stand.token(bad).await.disabled_at.is_some());
        stand.later(TimeDelta::hours(1));
    }
    assert_eq!(states, [false, false, true]);
    assert_eq!(stand.token(bad).await.disabled_code.as_deref(), Some("status 403"));
    stand.close().await;
}

async fn a_network_that_fails_counts_nothing_and_disables_nobody(stand: Stand) {
    let nobody = stand_in::nobody().await;
    let account = keys::service_account(keys::PROJECT, "").to_string();
    stand.set_up("fcm", json!({"service_account": account, "endpoint": nobody.clone()})).await;
    stand.set_up("apns", json!({"endpoint": nobody.clone()})).await;
    stand.set_up("web", json!({"endpoint": nobody.clone()})).await;
    let tokens = [
        stand.phone_at("fcm", "token").await.1,
        stand.phone_at("apns", "ab12").await.1,
        stand.phone_at("web", &format!("{nobody}/s/1")).await.1,
    ];
    let message = stand.send_and_deliver(json!({})).await;
    for _ in 0..8 {
        stand.later(TimeDelta::minutes(2));
        stand.deliver().await;
    }
    let rows = stand.by_provider(message).await;
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!((row.status, row.attempts), (DeliveryStatus::Waiting, 0), "{row:?}");
        assert!(row.next_attempt_at.is_some_and(|at| at <= stand.clock.now() + TimeDelta::seconds(31)), "{row:?}");
    }
    for token in tokens {
        let token = stand.token(token).await;
        assert!(token.disabled_at.is_none() && token.strike_times.is_empty());
    }
    assert_eq!(stand.told_of_providers().await, 0, "nobody is called because the laptop is offline");
    // The internet is back.
    stand.set_up_all().await;
    stand.apple.change(|mood| mood.set("ab12", apple::Phone::Here));
    stand.later(TimeDelta::seconds(31));
    stand.deliver().await;
    let by_channel = |channel| rows.iter().any(|row| row.channel == channel);
    assert!(by_channel(Channel::Fcm) && by_channel(Channel::Apns) && by_channel(Channel::Web));
    let rows = stand.by_provider(message).await;
    let accepted = rows.iter().filter(|row| row.status == DeliveryStatus::Accepted).count();
    assert_eq!(accepted, 2, "the page's own service is still away: {rows:?}");
    stand.close().await;
}
