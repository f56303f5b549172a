//! Phones with a known mistake: the checker must notice each of them, by the invariant that it breaks.

use showdesk_testkit::sim::{Mutant, Plan, simulate};

/// Seeds that are tried until one is caught.
const SEEDS_MAX: u64 = 60;

/// The first seed whose run breaks that invariant because of the mistake.
fn caught(mutant: Mutant, invariant: u8, plan: Plan) {
    let plan = Plan { mutant: Some(mutant), ..plan };
    let breaks = |seed: &u64| {
        let report = simulate(*seed, plan);
        report.violations.iter().any(|violation| violation.invariant == invariant)
    };
    let seed = (1..=SEEDS_MAX).find(breaks);
    assert!(seed.is_some(), "{mutant:?} was not noticed in {SEEDS_MAX} seeds");
}

#[test]
fn the_checker_catches_a_merge_against_the_version_of_the_last_op() {
    caught(Mutant::RebasesOnAnswer, 2, Plan::default());
}

#[test]
fn the_checker_catches_an_edit_that_is_sent_again_under_a_new_id() {
    caught(Mutant::ResendsUnderNewId, 1, Plan::default());
}

#[test]
fn the_checker_catches_a_phone_that_keeps_what_was_revoked() {
    caught(Mutant::IgnoresRevoke, 3, Plan::default());
}

#[test]
fn the_checker_catches_a_queue_that_stops_at_a_refused_entry() {
    caught(Mutant::StopsAtPoison, 5, Plan { poison_percent: 20, ..Plan::default() });
}

#[test]
fn the_checker_catches_a_phone_that_does_not_give_back_what_a_restore_lost() {
    caught(Mutant::ForgetsAcknowledged, 6, Plan { restores: true, ..Plan::default() });
}
