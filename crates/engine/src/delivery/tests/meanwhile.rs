//! What happens while messages are on their way: they are taken back, phones are removed, settings are changed, the
//! database cannot be written.

use showdesk_store::notifications::settings;

use super::*;

on_both_engines!(Stand::open =>
    what_is_taken_back_while_it_waits_for_its_turn_is_not_sent,
    a_phone_that_is_removed_while_it_waits_for_its_turn_is_not_asked_for,
    an_answer_under_old_settings_says_nothing_of_the_new_ones,
    an_answer_is_kept_until_it_can_be_written,
    trouble_that_nobody_can_be_told_of_loses_no_answer,
    one_message_tries_whether_a_service_works_again_and_the_others_stay_as_they_are,
    what_cannot_be_told_by_the_clock_holds_up_nothing_else,
    a_message_is_counted_once_as_on_the_phone_and_what_is_taken_back_is_no_failure,
);

/// How often deliveries came to a result, by way and result.
fn counted(stand: &Stand, way: &str, result: &str) -> u64 {
    use showdesk_telemetry::metric::Metric;
    let read = stand.engine.inner.telemetry.counters.read();
    let own = read.into_iter().filter(|(metric, labels, _)| {
        *metric == Metric::Deliveries && labels["channel"] == way && labels["result"] == result
    });
    own.map(|(.., count)| count).sum()
}

async fn a_message_is_counted_once_as_on_the_phone_and_what_is_taken_back_is_no_failure(stand: Stand) {
    use crate::api::notifications::{Ack, AckState};
    let ana = stand.phone("Ana").await;
    stand.phone("Bo").await;
    let message = stand.send(json!({})).await;
    // A phone tells how far it has come, and no steps before.
    for state in [AckState::Seen, AckState::Confirmed, AckState::Confirmed] {
        stand.engine.acknowledge(&ana, Ack { ids: vec![message], state }).await.expect("it is taken");
    }
    let of_here = ["delivered", "seen", "confirmed"].map(|result| counted(&stand, "local", result));
    assert_eq!(of_here, [1, 1, 1]);
    stand.engine.retract_message(&stand.desk, message).await.expect("taken back");
    let ends = ["failed", "expired", "needless"].map(|result| counted(&stand, "local", result));
    assert_eq!(ends, [0, 0, 1], "Bo's phone waited");
    let back: Vec<_> = stand.rows(message).await.into_iter().filter_map(|row| row.error_code.zip(row.reason)).collect();
    assert_eq!(back, [("retracted".to_owned(), "It was taken back first.".to_owned())]);
    stand.close().await;
}

async fn what_is_taken_back_while_it_waits_for_its_turn_is_not_sent(stand: Stand) {
    let message = stand.due().await;
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    let until = claimed.until;
    let (_, parcels) = stand.engine.pack(&ready, claimed).await.expect("parcels");
    assert_eq!(parcels.len(), 3);
    stand.engine.retract_message(&stand.desk, message).await.expect("taken back");
    assert_eq!(stand.status(message).await, "failed", "nobody has it");
    for parcel in parcels {
        drop(stand.engine.send(&ready, parcel, until).await);
    }
    assert_eq!(stand.asked(), [(0, 0); 3]);
    stand.assert_all(message, DeliveryStatus::Expired).await;
    stand.close().await;
}

async fn a_phone_that_is_removed_while_it_waits_for_its_turn_is_not_asked_for(stand: Stand) {
    let (phone, _) = stand.phone_at("web", &stand.page("s/1")).await;
    let plain = stand.phone("Ana").await;
    let endless = stand.send(json!({"expires_at": null})).await;
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    let until = claimed.until;
    let (_, mut parcels) = stand.engine.pack(&ready, claimed).await.expect("parcels");
    for device in [phone.device, plain.device] {
        stand.engine.revoke_device(&stand.desk, device.0).await.expect("removed");
    }
    let settled = stand.engine.send(&ready, parcels.remove(0), until).await;
    assert!(stand.service.server.asked().is_empty());
    let mut tx = stand.engine.begin_write_work().await.expect("a transaction");
    sending::write_down(&mut tx, &ready, &stand.engine.inner.delivery.circuits, &[settled], stand.clock.now())
        .await
        .expect("written");
    tx.commit().await.expect("committed");
    stand.deliver().await;
    let rows = stand.rows(endless).await;
    assert_eq!(rows.len(), 3, "{rows:?}");
    for row in rows {
        let found = (row.status, row.error_code.as_deref());
        assert_eq!(found, (DeliveryStatus::Failed, Some("removed")), "nothing waits for a phone that is gone");
    }
    stand.close().await;
}

async fn an_answer_under_old_settings_says_nothing_of_the_new_ones(stand: Stand) {
    stand.phone_at("fcm", "token-1").await;
    stand.phone_at("fcm", "token-2").await;
    let message = stand.send(json!({})).await;
    stand.later(TimeDelta::seconds(11));
    stand.engine.look_for_phones().await.expect("a look");
    let (old, claimed) = stand.claimed(&stand.engine).await;
    let until = claimed.until;
    let (_, mut parcels) = stand.engine.pack(&old, claimed).await.expect("parcels");
    let refusal = Reply::of(403, &json!({"error": {"status": "PERMISSION_DENIED"}}));
    stand.google.change(|mood| mood.messages = Some(refusal));
    let refused = stand.engine.send(&old, parcels.remove(0), until).await;
    // Somebody enters the right key before the answer is written down.
    stand.google.change(|mood| mood.messages = None);
    stand.later(TimeDelta::seconds(1));
    stand.set_up_all().await;
    let asked = stand.google.asked().1;
    let late = stand.engine.send(&old, parcels.remove(0), until).await;
    assert_eq!(stand.google.asked().1, asked, "by the old key nobody is asked any more");
    let mut tx = stand.engine.begin_write_work().await.expect("a transaction");
    sending::write_down(&mut tx, &old, &stand.engine.inner.delivery.circuits, &[refused, late], stand.clock.now())
        .await
        .expect("written");
    tx.commit().await.expect("committed");
    assert_eq!(stand.provider(Channel::Fcm).await.problem, None);
    assert!(!stand.is_open(Channel::Fcm).await);
    stand.deliver().await;
    assert!(stand.by_provider(message).await.iter().all(|row| row.status == DeliveryStatus::Accepted));
    // Another desk wrote down what stands in the way; what is taken here says that nothing does.
    let since = stand.provider(Channel::Fcm).await.updated_at;
    let mut tx = stand.other.begin_write_work().await.expect("a transaction");
    let now = stand.clock.now();
    push_providers::note_problem(&mut tx, Channel::Fcm, since, Some("NOT_FOUND"), now).await.expect("noted");
    tx.commit().await.expect("committed");
    stand.send_and_deliver(json!({})).await;
    assert_eq!(stand.provider(Channel::Fcm).await.problem, None);
    stand.close().await;
}

async fn an_answer_is_kept_until_it_can_be_written(stand: Stand) {
    let message = stand.due().await;
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    stand.engine.inner.disk.fail(&std::io::Error::other("for a moment"));
    let engine = stand.engine.clone();
    let sending = tokio::spawn(async move { engine.deliver(&ready, claimed).await });
    while stand.asked() != [(1, 1); 3] {
        tokio::task::yield_now().await;
    }
    stand.engine.inner.disk.mend();
    sending.await.expect("no panic").expect("it is sent");
    stand.assert_all(message, DeliveryStatus::Accepted).await;
    stand.deliver().await;
    assert_eq!(stand.asked(), [(1, 1); 3], "each once");
    stand.close().await;
}

async fn trouble_that_nobody_can_be_told_of_loses_no_answer(stand: Stand) {
    for number in 0..24 {
        stand.phone_at("web", &stand.page(&format!("s/{number}"))).await;
    }
    stand.phone_at("fcm", "token").await;
    let refusal = Reply::of(403, &json!({"error": {"status": "PERMISSION_DENIED"}}));
    stand.google.change(|mood| mood.messages = Some(refusal));
    let message = stand.send(json!({})).await;
    stand.later(TimeDelta::seconds(11));
    // The writer takes nothing more: no message about the trouble can be made.
    stand.engine.inner.writer.stop().await;
    stand.deliver().await;
    let rows = stand.by_provider(message).await;
    let accepted = rows.iter().filter(|row| row.status == DeliveryStatus::Accepted).count();
    assert_eq!(accepted, 24, "{rows:?}");
    assert_eq!(stand.provider(Channel::Fcm).await.problem.as_deref(), Some("PERMISSION_DENIED"));
    stand.close().await;
}

async fn one_message_tries_whether_a_service_works_again_and_the_others_stay_as_they_are(stand: Stand) {
    for number in 0..10 {
        stand.phone_at("web", &stand.page(&format!("s/{number}"))).await;
    }
    stand.service.answer(&[Reply::empty(503)]);
    let message = stand.send_and_deliver(json!({})).await;
    assert!(stand.is_open(Channel::Web).await);
    let asked = stand.service.server.asked().len();
    stand.later(TimeDelta::minutes(16));
    let before = stand.by_provider(message).await;
    assert!(before.iter().all(|row| row.next_attempt_at <= Some(stand.clock.now())), "all are due");
    // One run: chance may make the pause after it so short that another would try again at the same moment.
    stand.engine.send_push_notification().await.expect("a run");
    assert_eq!(stand.service.server.asked().len(), asked + 1, "one tries");
    let after = stand.by_provider(message).await;
    let unchanged = after.iter().filter(|row| before.contains(row)).count();
    assert_eq!(unchanged, 9, "nothing is written for what waits: {after:?}");
    stand.service.answer(&[]);
    stand.later(TimeDelta::minutes(16));
    stand.deliver().await;
    assert!(stand.by_provider(message).await.iter().all(|row| row.status == DeliveryStatus::Accepted));
    stand.close().await;
}

async fn what_cannot_be_told_by_the_clock_holds_up_nothing_else(stand: Stand) {
    stand.phone_at("web", &stand.page("s/1")).await;
    let mut tx = stand.engine.db().begin_write(Seat::Owner).await.expect("a transaction");
    let now = stand.clock.now();
    settings::write(&mut tx, settings::AUTOMATIC, &json!("of another kind"), None, now).await.expect("written");
    tx.commit().await.expect("committed");
    let message = stand.send(json!({"send_at": now + TimeDelta::minutes(1)})).await;
    stand.later(TimeDelta::minutes(1));
    assert!(stand.engine.send_push_notification().await.is_err(), "it is said that something cannot be read");
    stand.later(TimeDelta::seconds(11));
    assert!(stand.engine.send_push_notification().await.is_err());
    assert_eq!(stand.status(message).await, "sent", "what was scheduled goes out, and further");
    stand.close().await;
}
