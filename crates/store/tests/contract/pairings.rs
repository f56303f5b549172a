//! Codes and the phones that show them.

use showdesk_domain::actor::{Function, Scope};
use showdesk_store::StoreError;
use showdesk_store::db::Seat;
use showdesk_store::pairings::{self, ClaimRow, ClaimStatus, Decision, PairingRow, TriesMax, TypedRow, WaitingCounts};
use showdesk_testkit::{TestStore, on_both_engines};
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
        closed_at: None,
        device_expires_at: Some(at(9_000)),
        typed: Some(typed(sha256 + 100, 120)),
    }
}

fn typed(sha256: u8, second: i64) -> TypedRow {
    TypedRow { sha256: [sha256; 32], expires_at: at(second), tries: 0 }
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
        address: Some("10.0.0.5".to_owned()),
        status: ClaimStatus::Waiting,
        device_id: None,
        decided_by: None,
        decided_at: None,
        token_delivered_until: None,
    }
}

async fn a_single_code_is_used_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
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
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    pairings::open(&mut tx, &code(show, 1, true)).await.unwrap();
    for second in [1, 2, 599] {
        let row = pairings::use_code(&mut tx, &[1; 32], at(second)).await.unwrap().unwrap();
        assert_eq!(row.used_at, Some(at(1)), "its first use is kept");
    }
    assert_eq!(pairings::use_code(&mut tx, &[1; 32], at(600)).await.unwrap(), None);
    assert!(pairings::find_code(&mut tx, &[1; 32]).await.unwrap().is_some(), "so that the answer can be 410");
}

const MAX: TriesMax = TriesMax { of_address: 2, in_all: 5 };

async fn a_typed_code_is_another_name_of_its_code(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let single = code(show, 1, false);
    pairings::open(&mut tx, &single).await.unwrap();
    assert_eq!(pairings::find_typed(&mut tx, &[101; 32]).await.unwrap(), Some(single.clone()));
    assert_eq!(pairings::find_typed(&mut tx, &[1; 32]).await.unwrap(), None);
    assert_eq!(pairings::use_typed(&mut tx, &[101; 32], "10.0.0.5", MAX, at(120)).await.unwrap(), None, "it is over");
    assert_eq!(pairings::use_typed(&mut tx, &[99; 32], "10.0.0.5", MAX, at(1)).await.unwrap(), None);
    let used = pairings::use_typed(&mut tx, &[101; 32], "10.0.0.5", MAX, at(1)).await.unwrap().unwrap();
    assert_eq!((used.id, used.used_at), (single.id, Some(at(1))));
    assert_eq!(pairings::use_typed(&mut tx, &[101; 32], "10.0.0.5", MAX, at(1)).await.unwrap(), None);
    assert_eq!(
        pairings::use_code(&mut tx, &[1; 32], at(1)).await.unwrap(),
        None,
        "one phone, whichever form it showed"
    );
    assert!(!pairings::renew_typed(&mut tx, single.id, &typed(7, 240), at(1)).await.unwrap());
    let open = code(show, 2, true);
    pairings::open(&mut tx, &open).await.unwrap();
    assert!(pairings::use_typed(&mut tx, &[102; 32], "10.0.0.5", MAX, at(1)).await.unwrap().is_some());
    assert!(pairings::use_typed(&mut tx, &[102; 32], "10.0.0.5", MAX, at(2)).await.unwrap().is_some());
    assert!(pairings::renew_typed(&mut tx, open.id, &typed(7, 240), at(130)).await.unwrap());
    assert!(pairings::use_typed(&mut tx, &[102; 32], "10.0.0.5", MAX, at(131)).await.unwrap().is_none());
    assert!(pairings::use_typed(&mut tx, &[7; 32], "10.0.0.5", MAX, at(131)).await.unwrap().is_some());
}

async fn wrong_tries_kill_a_typed_code_for_one_address_and_then_for_all(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let open = code(show, 1, true);
    pairings::open(&mut tx, &open).await.unwrap();
    let (ana, ben) = ("10.0.0.5", "10.0.0.6");
    for tries in [0, 1] {
        assert_eq!(pairings::wrong_tries(&mut tx, ana, MAX, at(1)).await.unwrap(), [(open.id, tries)].into());
        assert!(!pairings::note_wrong_typed(&mut tx, ana, MAX, at(1)).await.unwrap(), "{tries}");
    }
    assert_eq!(pairings::wrong_tries(&mut tx, ana, MAX, at(1)).await.unwrap(), [(open.id, 2)].into());
    assert_eq!(pairings::wrong_tries(&mut tx, ben, MAX, at(1)).await.unwrap(), [(open.id, 0)].into());
    assert_eq!(pairings::wrong_tries(&mut tx, ana, MAX, at(120)).await.unwrap(), [].into(), "its time is over");
    pairings::note_wrong_typed(&mut tx, ana, MAX, at(1)).await.unwrap();
    assert_eq!(
        pairings::find(&mut tx, open.id).await.unwrap().unwrap().typed.unwrap().tries,
        2,
        "one address counts twice"
    );
    assert!(pairings::use_typed(&mut tx, &[101; 32], ana, MAX, at(1)).await.unwrap().is_none());
    assert!(pairings::use_typed(&mut tx, &[101; 32], ben, MAX, at(1)).await.unwrap().is_some());
    for number in 3..=5 {
        let dead = pairings::note_wrong_typed(&mut tx, &format!("10.0.1.{number}"), MAX, at(2)).await.unwrap();
        assert_eq!(dead, number == 5);
    }
    assert!(pairings::use_typed(&mut tx, &[101; 32], ben, MAX, at(3)).await.unwrap().is_none(), "dead for all");
    assert!(!pairings::note_wrong_typed(&mut tx, ana, MAX, at(3)).await.unwrap(), "it died before");
    assert!(pairings::use_code(&mut tx, &[1; 32], at(3)).await.unwrap().is_some(), "the long form lives");
    assert_eq!(pairings::find(&mut tx, open.id).await.unwrap().unwrap().typed.unwrap().tries, 5);
    assert!(pairings::renew_typed(&mut tx, open.id, &typed(8, 240), at(4)).await.unwrap());
    assert_eq!(pairings::wrong_tries(&mut tx, ana, MAX, at(5)).await.unwrap(), [(open.id, 0)].into());
    assert!(pairings::use_typed(&mut tx, &[8; 32], ana, MAX, at(5)).await.unwrap().is_some());
    pairings::note_wrong_typed(&mut tx, ana, MAX, at(6)).await.unwrap();
    pairings::forget_tries(&mut tx, at(500)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn codes_are_listed_until_they_are_used_closed_or_over(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (single, open) = (code(show, 1, false), PairingRow { created_at: at(1), ..code(show, 2, true) });
    for row in [&single, &open] {
        pairings::open(&mut tx, row).await.unwrap();
    }
    let listed = pairings::opened(&mut tx, at(2), 10).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.pairing.clone()).collect::<Vec<_>>(), [open.clone(), single.clone()]);
    assert_eq!(pairings::opened(&mut tx, at(2), 1).await.unwrap().len(), 1);
    pairings::use_code(&mut tx, &[1; 32], at(3)).await.unwrap();
    pairings::use_code(&mut tx, &[2; 32], at(3)).await.unwrap();
    let phone = claim(&open, 5, 4);
    pairings::add_claim(&mut tx, &phone).await.unwrap();
    let decision = Decision {
        status: ClaimStatus::Approved,
        device_id: Some(show.device),
        decided_by: show.person,
        decided_at: at(5),
        token_delivered_until: None,
    };
    pairings::decide(&mut tx, phone.id, &decision).await.unwrap();
    let listed = pairings::opened(&mut tx, at(5), 10).await.unwrap();
    assert_eq!(listed.iter().map(|row| (row.pairing.id, row.joined)).collect::<Vec<_>>(), [(open.id, 1)]);
    assert!(pairings::opened(&mut tx, at(600), 10).await.unwrap().is_empty(), "its time is over");
    assert!(pairings::close(&mut tx, open.id, at(6)).await.unwrap());
    assert!(!pairings::close(&mut tx, open.id, at(7)).await.unwrap(), "it was closed before");
    assert!(pairings::opened(&mut tx, at(8), 10).await.unwrap().is_empty());
    assert_eq!(pairings::use_code(&mut tx, &[2; 32], at(8)).await.unwrap(), None);
    assert_eq!(pairings::use_typed(&mut tx, &[102; 32], "10.0.0.5", MAX, at(8)).await.unwrap(), None);
    assert!(!pairings::renew_typed(&mut tx, open.id, &typed(9, 240), at(8)).await.unwrap());
}

async fn two_phones_cannot_use_one_code_at_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    pairings::open(&mut tx, &code(show, 1, false)).await.unwrap();
    tx.commit().await.unwrap();
    let tries = (0..8).map(|_| {
        let db = store.db.clone();
        tokio::spawn(async move {
            let mut tx = db.begin_write(Seat::Owner).await.unwrap();
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
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let pairing = code(show, 1, true);
    pairings::open(&mut tx, &pairing).await.unwrap();
    let (later, first) = (claim(&pairing, 2, 20), claim(&pairing, 3, 10));
    for row in [&later, &first] {
        pairings::add_claim(&mut tx, row).await.unwrap();
    }
    let waiting = pairings::waiting(&mut tx, 10).await.unwrap();
    assert_eq!(waiting.iter().map(|row| row.claim.id).collect::<Vec<_>>(), [first.id, later.id]);
    assert_eq!(waiting[0].claim, first);
    let newest = pairings::waiting(&mut tx, 1).await.unwrap();
    assert_eq!(newest.iter().map(|row| row.claim.id).collect::<Vec<_>>(), [later.id]);
    assert_eq!((&waiting[0].functions, &waiting[0].scope), (&pairing.functions, &pairing.scope));
    assert_eq!(waiting[0].device_expires_at, pairing.device_expires_at);
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
    assert_eq!(pairings::waiting(&mut tx, 10).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
}

async fn phones_that_wait_are_counted_by_their_age_code_and_address(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let (one, other) = (code(show, 1, true), code(show, 2, true));
    for row in [&one, &other] {
        pairings::open(&mut tx, row).await.unwrap();
    }
    let elsewhere = ClaimRow { address: Some("10.0.0.6".to_owned()), ..claim(&one, 3, 20) };
    let of_older_program = ClaimRow { address: None, ..claim(&other, 4, 30) };
    for row in [&claim(&one, 1, 10), &claim(&other, 2, 10), &elsewhere, &of_older_program] {
        pairings::add_claim(&mut tx, row).await.unwrap();
    }
    for (after, in_all, of_code, of_address) in [(9, 4, 2, 2), (10, 2, 1, 0), (20, 1, 0, 0), (30, 0, 0, 0)] {
        let counted = pairings::count_waiting(&mut tx, at(after), one.id, "10.0.0.5").await.unwrap();
        assert_eq!(counted, WaitingCounts { in_all, of_code, of_address }, "after {after}");
    }
    assert_eq!(pairings::refuse_all_of(&mut tx, one.id, show.person, at(40)).await.unwrap(), 2);
    assert_eq!(pairings::refuse_all_of(&mut tx, one.id, show.person, at(40)).await.unwrap(), 0);
    let refused = pairings::find_claim(&mut tx, &[1; 32]).await.unwrap().unwrap().claim;
    assert_eq!((refused.status, refused.decided_by), (ClaimStatus::Refused, Some(show.person)));
    assert_eq!(pairings::refuse_forgotten(&mut tx, at(599), show.person, at(40)).await.unwrap(), 0);
    assert_eq!(pairings::refuse_forgotten(&mut tx, at(600), show.person, at(40)).await.unwrap(), 2);
    assert!(pairings::waiting(&mut tx, 10).await.unwrap().is_empty());
}

async fn a_single_code_serves_again_once_its_phone_was_refused(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let single = code(show, 1, false);
    pairings::open(&mut tx, &single).await.unwrap();
    pairings::use_code(&mut tx, &[1; 32], at(1)).await.unwrap();
    let phone = claim(&single, 1, 1);
    pairings::add_claim(&mut tx, &phone).await.unwrap();
    assert!(!pairings::give_back(&mut tx, single.id, at(2)).await.unwrap(), "its phone waits");
    pairings::refuse_all_of(&mut tx, single.id, show.person, at(2)).await.unwrap();
    assert!(!pairings::give_back(&mut tx, single.id, at(600)).await.unwrap(), "its time is over");
    assert!(pairings::give_back(&mut tx, single.id, at(3)).await.unwrap());
    assert!(pairings::use_code(&mut tx, &[1; 32], at(3)).await.unwrap().is_some());
    assert!(pairings::use_code(&mut tx, &[1; 32], at(3)).await.unwrap().is_none(), "one phone at a time");
    pairings::close(&mut tx, single.id, at(4)).await.unwrap();
    assert!(!pairings::give_back(&mut tx, single.id, at(5)).await.unwrap(), "it was taken back");
}

on_both_engines![TestStore::open =>
    phones_that_wait_are_counted_by_their_age_code_and_address,
    a_single_code_serves_again_once_its_phone_was_refused,
    a_single_code_is_used_once,
    an_open_code_serves_until_it_expires,
    a_typed_code_is_another_name_of_its_code,
    wrong_tries_kill_a_typed_code_for_one_address_and_then_for_all,
    codes_are_listed_until_they_are_used_closed_or_over,
    two_phones_cannot_use_one_code_at_once,
    a_claim_is_answered_once,
];
