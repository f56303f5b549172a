//! Codes and the phones that show them.

use showdesk_domain::actor::{Function, Scope};
use showdesk_store::StoreError;
use showdesk_store::pairings::{self, ClaimRow, ClaimStatus, Decision, PairingRow};
use showdesk_testkit::{TestStore, both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, fill};

fn code(show: Show, sha256: u8, open: bool) -> PairingRow {
    PairingRow {
        id: Uuid::now_v7(),
        code_sha256: [sha256; 32],
        open,
        functions: vec![Function::Scale],
        scope: Scope { ring_ids: vec![Uuid::now_v7()], ..Scope::default() },
        created_by: show.person,
        created_at: at(0),
        code_expires_at: at(600),
        used_at: None,
    }
}

fn claim(pairing: &PairingRow, secret: u8, second: i64) -> ClaimRow {
    ClaimRow {
        id: Uuid::now_v7(),
        pairing_id: pairing.id,
        secret_sha256: [secret; 32],
        check_number: "0417".to_owned(),
        device_name: "Ben's phone".to_owned(),
        platform: Some("ios".to_owned()),
        previous_device_id: None,
        claimed_at: at(second),
        status: ClaimStatus::Waiting,
        device_id: None,
        decided_by: None,
        decided_at: None,
        token_delivered_until: None,
    }
}

async fn a_single_code_is_used_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write().await.unwrap();
    let single = code(show, 1, false);
    pairings::open(&mut tx, &single).await.unwrap();
    assert_eq!(pairings::find_code(&mut tx, &[1; 32]).await.unwrap(), Some(single.clone()));
    assert_eq!(pairings::use_code(&mut tx, &[2; 32], at(1)).await.unwrap(), None, "there is no such code");
    let used = PairingRow { used_at: Some(at(1)), ..single.clone() };
    assert_eq!(pairings::use_code(&mut tx, &[1; 32], at(1)).await.unwrap(), Some(used.clone()));
    assert_eq!(pairings::use_code(&mut tx, &[1; 32], at(2)).await.unwrap(), None, "it was used");
    assert_eq!(pairings::find(&mut tx, single.id).await.unwrap(), Some(used));
    assert_eq!(pairings::find(&mut tx, Uuid::now_v7()).await.unwrap(), None);
    assert!(matches!(pairings::open(&mut tx, &code(show, 1, true)).await, Err(StoreError::Duplicate { .. })));
}

async fn an_open_code_serves_until_it_expires(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write().await.unwrap();
    pairings::open(&mut tx, &code(show, 1, true)).await.unwrap();
    for second in [1, 2, 599] {
        let row = pairings::use_code(&mut tx, &[1; 32], at(second)).await.unwrap().unwrap();
        assert_eq!(row.used_at, Some(at(1)), "its first use is kept");
    }
    assert_eq!(pairings::use_code(&mut tx, &[1; 32], at(600)).await.unwrap(), None);
    assert!(pairings::find_code(&mut tx, &[1; 32]).await.unwrap().is_some(), "so that the answer can be 410");
}

async fn two_phones_cannot_use_one_code_at_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write().await.unwrap();
    pairings::open(&mut tx, &code(show, 1, false)).await.unwrap();
    tx.commit().await.unwrap();
    let tries = (0..8).map(|_| {
        let db = store.db.clone();
        tokio::spawn(async move {
            let mut tx = db.begin_write().await.unwrap();
            let used = pairings::use_code(&mut tx, &[1; 32], at(1)).await.unwrap();
            tx.commit().await.unwrap();
            used.is_some()
        })
    });
    let mut uses = 0;
    for attempt in tries.collect::<Vec<_>>() {
        uses += usize::from(attempt.await.unwrap());
    }
    assert_eq!(uses, 1);
}

async fn a_claim_is_answered_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write().await.unwrap();
    let pairing = code(show, 1, true);
    pairings::open(&mut tx, &pairing).await.unwrap();
    let (later, first) = (claim(&pairing, 2, 20), claim(&pairing, 3, 10));
    for row in [&later, &first] {
        pairings::add_claim(&mut tx, row).await.unwrap();
    }
    let waiting = pairings::waiting(&mut tx).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.claim.id).collect::<Vec<_>>(), [first.id, later.id]);
    assert_eq!(waiting[0].claim, first);
    assert_eq!((&waiting[0].functions, &waiting[0].scope), (&pairing.functions, &pairing.scope));
    let decision = Decision {
        status: ClaimStatus::Approved,
        device_id: Some(show.device),
        decided_by: show.person,
        decided_at: at(30),
        token_delivered_until: Some(at(150)),
    };
    pairings::hold(&mut tx, first.id).await.unwrap();
    assert!(pairings::decide(&mut tx, first.id, &decision).await.unwrap());
    let refusal =
        Decision { status: ClaimStatus::Refused, device_id: None, token_delivered_until: None, ..decision.clone() };
    assert!(!pairings::decide(&mut tx, first.id, &refusal).await.unwrap(), "it was answered before");
    let expected = ClaimRow {
        status: ClaimStatus::Approved,
        device_id: Some(show.device),
        decided_by: Some(show.person),
        decided_at: Some(at(30)),
        token_delivered_until: Some(at(150)),
        ..first
    };
    assert_eq!(pairings::find_claim(&mut tx, &[3; 32]).await.unwrap().unwrap().claim, expected);
    assert_eq!(pairings::claim(&mut tx, expected.id).await.unwrap().unwrap().claim, expected);
    assert_eq!(pairings::find_claim(&mut tx, &[9; 32]).await.unwrap(), None);
    assert_eq!(pairings::claim(&mut tx, Uuid::now_v7()).await.unwrap(), None);
    assert_eq!(pairings::waiting(&mut tx).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
}

both_engines![
    a_single_code_is_used_once,
    an_open_code_serves_until_it_expires,
    two_phones_cannot_use_one_code_at_once,
    a_claim_is_answered_once,
];
