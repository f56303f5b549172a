//! An older database is put back: what it knows is not sent again, what it does not know is not called sent, and what
//! goes out once more takes the first one's place on the phone.

use showdesk_testkit::{OwnDatabase, ShowCopy, run_plain};

use super::*;

#[test]
fn sqlite() {
    run_plain(what_a_restore_took_goes_out_once_more_under_its_key(None));
}

#[test]
fn postgres() {
    run_plain(async {
        what_a_restore_took_goes_out_once_more_under_its_key(Some(OwnDatabase::new().await)).await;
    });
}

/// Stops the desk, does something to what it left, and starts it again; providers and the clock go on.
async fn restarted(stand: Stand, database: Option<&OwnDatabase>, meanwhile: impl AsyncFnOnce(&TempDir)) -> Stand {
    let Stand { clock, engine, other, google, apple, service, desk, mut folders } = stand;
    engine.close().await;
    drop((engine, other));
    let folder = folders.remove(0);
    meanwhile(&folder).await;
    let engine = open(&folder, database.map(OwnDatabase::url), &clock).await;
    Stand { clock, other: engine.clone(), engine, google, apple, service, desk, folders: vec![folder] }
}

async fn what_a_restore_took_goes_out_once_more_under_its_key(database: Option<OwnDatabase>) {
    let database = database.as_ref();
    let (clock, folder) = (SetClock::at_ms(1_795_348_800_000), tempfile::tempdir().expect("a folder"));
    let engine = open(&folder, database.map(OwnDatabase::url), &clock).await;
    let stand = Stand::around(clock, engine.clone(), engine, vec![folder]).await;
    let taken = stand.due().await;
    stand.deliver().await;
    let waiting = stand.send(json!({})).await;
    let at = stand.clock.now() + TimeDelta::minutes(5);
    let planned = stand.send(json!({"send_at": at})).await;
    let mut copy = None;
    let stand =
        restarted(stand, database, async |folder| copy = Some(ShowCopy::of(folder.path(), database).await)).await;
    let epoch = stand.engine.epoch().await.expect("an epoch");

    stand.later(TimeDelta::seconds(11));
    stand.deliver().await;
    stand.later(TimeDelta::minutes(5));
    stand.deliver().await;
    stand.later(TimeDelta::seconds(11));
    stand.deliver().await;
    let lost = stand.send_and_deliver(json!({})).await;
    for message in [taken, waiting, planned, lost] {
        stand.assert_all(message, DeliveryStatus::Accepted).await;
    }
    assert_eq!(stand.asked(), [(4, 4); 3]);

    let copy = copy.expect("it was copied");
    let stand = restarted(stand, database, async |folder| copy.put_back(folder.path(), database).await).await;
    assert_ne!(stand.engine.epoch().await.expect("an epoch"), epoch, "it is noticed");
    stand.assert_all(taken, DeliveryStatus::Accepted).await;
    assert!(stand.by_provider(waiting).await.is_empty() && stand.rows(planned).await.is_empty());
    let told = [stand.status(taken).await, stand.status(waiting).await, stand.status(planned).await];
    assert_eq!(told, ["sent", "pending", "pending"], "what nobody knows here is not called sent");
    let found = stand.engine.message(&stand.desk, lost).await;
    assert!(matches!(found, Err(EngineError::NotFound(_))), "{found:?}");

    stand.deliver().await;
    stand.later(TimeDelta::seconds(11));
    stand.deliver().await;
    for message in [taken, waiting, planned] {
        stand.assert_all(message, DeliveryStatus::Accepted).await;
    }
    assert_eq!(stand.asked(), [(6, 4); 3], "two went out once more, each under the key it had; a phone shows one");
    stand.close().await;
}
