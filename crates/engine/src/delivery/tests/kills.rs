//! The desk dies in the middle: nothing is stuck past its lease, nothing is called sent that was not, and what is sent
//! twice goes under the same key.

use super::*;

on_both_engines!(Stand::open =>
    killed_after_the_claim,
    killed_after_the_provider_took_it,
    killed_before_the_commit,
    no_message_is_claimed_by_two_desks,
    a_late_worker_changes_nothing_that_another_has_taken_over,
);

async fn killed_after_the_claim(stand: Stand) {
    let message = stand.due().await;
    let (_, claimed) = stand.claimed(&stand.engine).await;
    assert_eq!(claimed.errands.len(), 3);
    drop(claimed);
    stand.assert_all(message, DeliveryStatus::Waiting).await;
    let (_, nothing) = stand.claimed(&stand.other).await;
    assert!(nothing.errands.is_empty(), "the lease holds");
    assert_eq!(stand.asked(), [(0, 0); 3]);
    stand.after_the_lease().await;
    stand.deliver().await;
    stand.assert_all(message, DeliveryStatus::Accepted).await;
    assert_eq!(stand.asked(), [(1, 1); 3], "each once");
    stand.close().await;
}

async fn killed_after_the_provider_took_it(stand: Stand) {
    let message = stand.due().await;
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    let until = claimed.until;
    let (settled, parcels) = stand.engine.pack(&ready, claimed).await.expect("parcels");
    assert!(settled.is_empty() && parcels.len() == 3);
    for parcel in parcels {
        // What came of it dies with the desk.
        drop(stand.engine.send(&ready, parcel, until).await);
    }
    assert_eq!(stand.asked(), [(1, 1); 3]);
    stand.assert_all(message, DeliveryStatus::Waiting).await;
    assert_eq!(stand.status(message).await, "pending", "nobody has written down that it was taken");
    stand.after_the_lease().await;
    stand.deliver().await;
    stand.assert_all(message, DeliveryStatus::Accepted).await;
    assert_eq!(stand.asked(), [(2, 1); 3], "sent twice, under one key each: a phone shows one");
    assert_eq!(stand.status(message).await, "sent");
    stand.close().await;
}

async fn killed_before_the_commit(stand: Stand) {
    let message = stand.due().await;
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    let until = claimed.until;
    let (_, parcels) = stand.engine.pack(&ready, claimed).await.expect("parcels");
    let mut settled = Vec::new();
    for parcel in parcels {
        settled.push(stand.engine.send(&ready, parcel, until).await);
    }
    let mut tx = stand.engine.begin_write_work().await.expect("a transaction");
    let written =
        sending::write_down(&mut tx, &ready, &stand.engine.inner.delivery.circuits, &settled, stand.clock.now())
            .await
            .expect("written");
    assert_eq!(written.changes.len(), 3);
    drop(tx);
    stand.assert_all(message, DeliveryStatus::Waiting).await;
    assert_eq!(stand.status(message).await, "pending");
    stand.after_the_lease().await;
    stand.deliver().await;
    stand.assert_all(message, DeliveryStatus::Accepted).await;
    assert_eq!(stand.asked(), [(2, 1); 3]);
    stand.close().await;
}

async fn no_message_is_claimed_by_two_desks(stand: Stand) {
    for number in 0..150 {
        stand.phone_at("fcm", &format!("token-{number}")).await;
    }
    stand.send(json!({})).await;
    stand.later(TimeDelta::seconds(11));
    assert_eq!(stand.engine.look_for_phones().await.expect("a look"), 150);
    let (one, other) = tokio::join!(stand.claimed(&stand.engine), stand.claimed(&stand.other));
    let (_, rest) = stand.claimed(&stand.engine).await;
    let claims = [one.1, other.1, rest];
    assert!(claims.iter().all(|claimed| claimed.errands.len() <= 100), "a claim is bounded");
    let mut ids: Vec<Uuid> = claims.iter().flat_map(|claimed| &claimed.errands).map(|errand| errand.row.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), claims.iter().map(|claimed| claimed.errands.len()).sum::<usize>()), (150, 150));
    stand.close().await;
}

async fn a_late_worker_changes_nothing_that_another_has_taken_over(stand: Stand) {
    let message = stand.due().await;
    let (ready, claimed) = stand.claimed(&stand.engine).await;
    stand.after_the_lease().await;
    stand.deliver().await;
    stand.assert_all(message, DeliveryStatus::Accepted).await;
    stand.service.answer(&[Reply::empty(410)]);
    // Its lease is over, so it does not even ask.
    stand.engine.deliver(&ready, claimed).await.expect("it is left alone");
    stand.assert_all(message, DeliveryStatus::Accepted).await;
    assert_eq!(stand.asked(), [(1, 1); 3]);
    stand.close().await;
}
