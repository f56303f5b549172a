//! What holds after a decision, each made on no more than a transaction reads.

use proptest::prelude::*;
use serde_json::{Map, json};
use uuid::Uuid;

use super::SettleError;
use super::shelf::{CLASSES, OTHER_ANIMAL, RINGS, Shelf, on_phone};
use super::tests::{ANIMAL, EXHIBITOR, SHOW, admin};
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{ConflictId, RecordId, Version, natural_id};

/// A row that comes back by a decision is not there to say what belongs to it: its own values do.
#[test]
fn a_weigh_in_that_a_decision_brings_back_leaves_the_later_one_official() {
    for resolution in ["client_wins", "manual"] {
        let mut show = Shelf::new();
        show.weigh(1, false, 2700);
        show.weigh(2, true, 2500);
        let lost = show.open_clash();
        assert_eq!(show.decide(lost, resolution, &json!({})), Ok(()));
        assert_eq!(show.official(), 2700, "{resolution}");
    }
}

#[test]
fn a_call_that_a_decision_brings_back_leaves_card_and_ring_as_they_are() {
    let mut show = Shelf::new();
    let call =
        |class: Uuid, kind: &str| json!({"class_id": class.to_string(), "ring_id": RINGS[0].to_string(), "kind": kind});
    let in_ring = call(CLASSES[0], "in_ring");
    assert_eq!(show.insert(1, false, "class_calls", Uuid::from_u128(0xc1), &in_ring), "applied");
    let entry = natural_id(CLASSES[0], ANIMAL);
    let placing = json!({"class_id": CLASSES[0].to_string(), "entry_id": entry.to_string(), "place": 1});
    assert_eq!(show.insert(2, false, "placings", natural_id(CLASSES[0], entry), &placing), "applied");
    let held = call(CLASSES[0], "call_1");
    assert_eq!(show.insert(3, true, "class_calls", Uuid::from_u128(0xc2), &held), "conflict");
    let lost = show.open_clash();
    assert_eq!(show.decide(lost, "client_wins", &json!({})), Ok(()));
    assert_eq!(show.value("classes", CLASSES[0], "card_state"), "posted");
    assert_eq!(show.value("classes", CLASSES[0], "status"), "judged");
    assert_eq!(show.value("rings", RINGS[0], "now_class_id"), json!(CLASSES[0].to_string()));
}

/// Its animal was deleted, so the decider names another: that one's weights are read, too.
#[test]
fn a_weigh_in_given_to_another_animal_leaves_the_later_one_official() {
    let mut show = Shelf::new();
    show.weigh(1, false, 2700);
    for (number, class) in CLASSES.iter().enumerate() {
        let number = 10 + u128::try_from(number).expect("small");
        assert_eq!(show.delete(number, "entries", natural_id(*class, OTHER_ANIMAL), 1), "applied");
    }
    assert_eq!(show.delete(2, "animals", OTHER_ANIMAL, 1), "applied");
    let data = json!({"animal_id": OTHER_ANIMAL.to_string(), "kind": "arrival", "weight_x10": 2500});
    assert_eq!(show.insert(3, false, "weigh_ins", Uuid::from_u128(0xe3), &data), "conflict");
    let clash = show.open_clash();
    assert_eq!(show.conflicts[&clash].kind, ConflictKind::MissingReference);
    assert_eq!(show.decide(clash, "manual", &json!({"animal_id": ANIMAL.to_string()})), Ok(()));
    assert_eq!(show.official(), 2700);
    assert_eq!(show.wrongly_derived(), Vec::<String>::new());
}

/// One thing that happens in a show.
#[derive(Debug, Clone)]
enum Step {
    Weigh { animal: usize, weight_x10: i64, lost: bool },
    Call { class: usize, ring: usize, kind: &'static str, lost: bool },
    Place { class: usize, animal: usize, place: i64, lost: bool },
    Decide { nth: usize, client_wins: bool },
    Undo { nth: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = prop::sample::select(&["call_1", "in_ring", "hold", "judged"][..]);
    prop_oneof![
        (0_usize..2, 1_i64..4, any::<bool>()).prop_map(|(animal, weight, lost)| Step::Weigh {
            animal,
            weight_x10: weight * 1000,
            lost
        }),
        (0_usize..2, 0_usize..2, kinds, any::<bool>()).prop_map(|(class, ring, kind, lost)| Step::Call {
            class,
            ring,
            kind,
            lost
        }),
        (0_usize..2, 0_usize..2, 1_i64..3, any::<bool>()).prop_map(|(class, animal, place, lost)| Step::Place {
            class,
            animal,
            place,
            lost
        }),
        (0_usize..4, any::<bool>()).prop_map(|(nth, client_wins)| Step::Decide { nth, client_wins }),
        (0_usize..4).prop_map(|nth| Step::Undo { nth }),
    ]
}

fn take_step(show: &mut Shelf, number: u128, step: &Step) {
    let animals = [ANIMAL, OTHER_ANIMAL];
    let id = Uuid::from_u128(0xe000 + number);
    match step {
        Step::Weigh { animal, weight_x10, lost } => {
            let data = json!({"animal_id": animals[*animal].to_string(), "kind": "arrival", "weight_x10": weight_x10});
            show.insert(number, *lost, "weigh_ins", id, &data);
        }
        Step::Call { class, ring, kind, lost } => {
            let (class, ring) = (CLASSES[*class].to_string(), RINGS[*ring].to_string());
            show.insert(number, *lost, "class_calls", id, &json!({"class_id": class, "ring_id": ring, "kind": kind}));
        }
        Step::Place { class, animal, place, lost } => {
            let entry = natural_id(CLASSES[*class], animals[*animal]);
            let data = json!({"class_id": CLASSES[*class].to_string(), "entry_id": entry.to_string(), "place": place});
            show.insert(number, *lost, "placings", natural_id(CLASSES[*class], entry), &data);
        }
        Step::Decide { nth, client_wins } => {
            if let Some(id) = show.open_clashes().get(*nth).copied() {
                let resolution = if *client_wins { "client_wins" } else { "server_wins" };
                // What the rules refuse changes nothing.
                let _ = show.decide(id, resolution, &json!({}));
            }
        }
        Step::Undo { nth } => {
            let resolved = |conflict: &&Conflict| conflict.status == ConflictStatus::Resolved;
            let id = show.conflicts.values().filter(resolved).nth(*nth).map(|conflict| conflict.id);
            if let Some(id) = id {
                let _ = show.transact(
                    |world| world.missing_for_settling(id, &Map::new()),
                    |world| world.undo(&admin(), id, None),
                );
            }
        }
    }
}

proptest! {
    /// Whatever is given back, decided and taken back: what the desk works out is what the whole show tells.
    #[test]
    fn what_a_decision_derives_is_what_the_whole_show_tells(steps in prop::collection::vec(step(), 1..14)) {
        let mut show = Shelf::new();
        for (number, step) in (1_u128..).zip(&steps) {
            take_step(&mut show, number, step);
            prop_assert_eq!(show.wrongly_derived(), Vec::<String>::new(), "after {:?}", step);
        }
    }
}

/// Rule C1 looks at a weigh-in whoever wrote it: a phone, or a decision about what a restore took.
#[test]
fn a_weigh_in_that_a_decision_makes_may_contradict_the_official_one() {
    let mut show = Shelf::new();
    show.weigh(1, false, 2700);
    let second = show.weigh(2, true, 2500);
    let lost = show.open_clash();
    assert_eq!(show.decide(lost, "client_wins", &json!({})), Ok(()));
    let asked = show.conflicts[&show.open_clash()].clone();
    assert_eq!((asked.rule.as_deref(), asked.record_id), (Some("C1"), RecordId(ANIMAL)));
    assert_eq!(asked.user_id, on_phone(2, true).actor.person, "its author may speak up");
    assert_eq!(show.official(), 2700);
    assert_eq!(show.decide(asked.id, "client_wins", &json!({})), Ok(()));
    assert_eq!(show.official(), 2500);
    show.undo(asked.id);
    show.undo(lost);
    assert!(!show.row("weigh_ins", second).is_live());
    assert_eq!(show.conflicts[&asked.id].status, ConflictStatus::Superseded, "one weight is no dispute");
    assert_eq!(show.official(), 2700);
}

#[test]
fn a_weigh_in_that_a_decision_makes_within_the_tolerance_counts() {
    let mut show = Shelf::new();
    show.add("shows", SHOW, &json!({"name": "Fair", "timezone": "UTC", "stage": "D", "rules.weigh_tolerance_x10": 50}));
    let first = show.weigh(1, false, 2700);
    let second = show.weigh(2, true, 2680);
    let lost = show.open_clash();
    assert_eq!(show.decide(lost, "client_wins", &json!({})), Ok(()));
    assert_eq!(show.official(), 2680);
    assert_eq!(show.value("weigh_ins", second, "replaces_id"), json!(first.to_string()));
    let noted = show.conflicts.values().filter(|clash| clash.status == ConflictStatus::MergedAutomatically);
    assert_eq!(noted.map(|clash| clash.rule.as_deref()).collect::<Vec<_>>(), [Some("C1")]);
    show.undo(lost);
    assert_eq!(show.official(), 2700);
}

/// Rule C8 holds for a single placing as it does for a card.
#[test]
fn a_decision_gives_no_place_twice() {
    let mut show = Shelf::new();
    let placing = |animal: Uuid, place: i64| {
        let entry = natural_id(CLASSES[0], animal);
        (
            natural_id(CLASSES[0], entry),
            json!({"class_id": CLASSES[0].to_string(), "entry_id": entry.to_string(), "place": place}),
        )
    };
    let (first, data) = placing(ANIMAL, 1);
    assert_eq!(show.insert(1, false, "placings", first, &data), "applied");
    let (second, data) = placing(OTHER_ANIMAL, 1);
    assert_eq!(show.insert(2, true, "placings", second, &data), "conflict");
    let lost = show.open_clash();
    let Err(SettleError::Invalid(rejection)) = show.decide(lost, "client_wins", &json!({})) else {
        panic!("a place given twice")
    };
    assert_eq!((rejection.code, rejection.fields.contains_key("place")), ("out_of_range", true));
    assert_eq!(show.conflicts[&lost].status, ConflictStatus::Open, "nothing was changed");
    assert_eq!(show.decide(lost, "manual", &json!({"place": 2})), Ok(()));
    assert_eq!(show.value("placings", second, "place"), 2);
}

/// Two tags of one animal, decided for the phone.
fn decided_tags() -> (Shelf, ConflictId) {
    let mut show = Shelf::new();
    assert_eq!(show.update(1, "animals", ANIMAL, 1, &json!({"tag": "11"})), "applied");
    assert_eq!(show.update(2, "animals", ANIMAL, 1, &json!({"tag": "12"})), "conflict");
    let clash = show.open_clash();
    assert_eq!(show.decide(clash, "client_wins", &json!({})), Ok(()));
    (show, clash)
}

/// The decided value is in force, so both sides look alike: only a write of what is disputed can end such a dispute.
#[test]
fn what_is_asked_again_waits_for_a_person() {
    for again in [Shelf::disagree, Shelf::reopen] {
        let (mut show, clash) = decided_tags();
        again(&mut show, clash);
        let rev = show.conflicts[&clash].rev;
        assert_eq!(show.update(3, "animals", ANIMAL, 3, &json!({"pen": "B1"})), "applied");
        assert_eq!((show.conflicts[&clash].status, show.conflicts[&clash].rev), (ConflictStatus::Open, rev));
        assert_eq!(show.update(4, "animals", ANIMAL, 4, &json!({"tag": "11"})), "applied");
        assert_eq!((show.conflicts[&clash].status, show.conflicts[&clash].rev), (ConflictStatus::Open, rev + 1));
        assert_eq!(show.update(5, "animals", ANIMAL, 5, &json!({"tag": "12"})), "applied");
        assert_eq!(show.conflicts[&clash].status, ConflictStatus::Superseded);
    }
}

#[test]
fn a_group_that_is_asked_about_again_waits_for_a_person() {
    let mut show = Shelf::new();
    assert_eq!(show.update(1, "animals", ANIMAL, 1, &json!({"tag": "11"})), "applied");
    let edit = |animal: Uuid, data| {
        json!({"table_name": "animals", "record_id": animal.to_string(), "operation": "update", "base_version": 1,
            "data": data})
    };
    let group = [edit(ANIMAL, json!({"tag": "12"})), edit(OTHER_ANIMAL, json!({"pen": "B7"}))];
    assert_eq!(show.send_group(2, &group), ["conflict", "conflict"]);
    let clash = show.open_clash();
    assert_eq!(show.decide(clash, "client_wins", &json!({})), Ok(()));
    show.disagree(clash);
    let version = show.row("animals", ANIMAL).version.0;
    assert_eq!(show.update(4, "animals", ANIMAL, version, &json!({"breed": "Angus"})), "applied");
    assert_eq!(show.conflicts[&clash].status, ConflictStatus::Open);
    assert_eq!(show.update(5, "animals", ANIMAL, version + 1, &json!({"tag": "11"})), "applied");
    assert_eq!(show.update(6, "animals", ANIMAL, version + 2, &json!({"tag": "12"})), "applied");
    assert_eq!(show.conflicts[&clash].status, ConflictStatus::Superseded);
}

/// Two weights, 2700 first.
fn two_weights() -> (Shelf, ConflictId, [Uuid; 2]) {
    let mut show = Shelf::new();
    let weights = [show.weigh(1, false, 2700), show.weigh(2, false, 2500)];
    let clash = show.open_clash();
    (show, clash, weights)
}

#[test]
fn weights_that_are_asked_about_again_wait_for_a_person() {
    let (mut show, clash, _) = two_weights();
    assert_eq!(show.decide(clash, "client_wins", &json!({})), Ok(()));
    show.disagree(clash);
    let data = json!({"animal_id": ANIMAL.to_string(), "kind": "weigh_back", "weight_x10": 2510});
    assert_eq!(show.insert(3, false, "weigh_ins", Uuid::from_u128(0xe3), &data), "applied");
    assert_eq!(show.conflicts[&clash].status, ConflictStatus::Open);
    assert_eq!(show.decide(clash, "server_wins", &json!({})), Ok(()));
    assert_eq!(show.official(), 2700);
    show.undo(clash);
    assert_eq!(show.official(), 2500, "as it was decided before");
}

/// A weight that was taken back counts again if a person says so.
#[test]
fn the_weight_that_wins_counts_again() {
    let (mut show, clash, [first, second]) = two_weights();
    show.withdraw(clash);
    assert!(show.is_void(second));
    show.reopen(clash);
    let marks = show.value("weigh_ins", second, "voided_reason");
    assert_eq!(show.decide(clash, "client_wins", &json!({})), Ok(()));
    assert_eq!((show.official(), show.is_void(first), show.is_void(second)), (json!(2500), true, false));
    show.undo(clash);
    assert_eq!((show.official(), show.is_void(first), show.is_void(second)), (json!(2700), false, true));
    assert_eq!(show.value("weigh_ins", second, "voided_reason"), marks);

    let (mut show, clash, [first, second]) = two_weights();
    show.void(3, first);
    show.reopen(clash);
    assert_eq!(show.decide(clash, "server_wins", &json!({})), Ok(()));
    assert_eq!((show.official(), show.is_void(first), show.is_void(second)), (json!(2700), false, true));
    show.undo(clash);
    assert_eq!((show.official(), show.is_void(first), show.is_void(second)), (json!(2500), true, false));
}

/// Of several later weights the newest that nobody took back is the phone's; where the earlier one was, the next stands
/// for the desk.
#[test]
fn a_weight_taken_back_meanwhile_is_not_the_one_decided_for() {
    for (voided, resolution, official) in [(2, "client_wins", 2500), (0, "server_wins", 2500), (0, "client_wins", 2300)]
    {
        let (mut show, clash, [first, second]) = two_weights();
        let third = show.weigh(3, false, 2300);
        let rev = show.conflicts[&clash].rev;
        show.void(4, [first, second, third][voided]);
        assert_eq!(show.conflicts[&clash].rev, rev + 1);
        let client = &show.conflicts[&clash].client_data.as_ref().expect("a row")["official_weight_x10"];
        assert_eq!(*client, if voided == 2 { 2500 } else { 2300 });
        let before = show.official();
        assert_eq!(show.decide(clash, resolution, &json!({})), Ok(()));
        assert_eq!(show.official(), official, "{voided}, {resolution}");
        show.undo(clash);
        assert_eq!(show.official(), before, "{voided}, {resolution}");
    }
}

#[test]
fn a_weight_that_was_deleted_cannot_be_decided_for() {
    for (gone, resolution) in [(1, "client_wins"), (0, "server_wins")] {
        let (mut show, clash, weights) = two_weights();
        assert_eq!(show.delete(3, "weigh_ins", weights[gone], 1), "applied");
        show.reopen(clash);
        let Err(SettleError::Invalid(rejection)) = show.decide(clash, resolution, &json!({})) else {
            panic!("nothing would be left")
        };
        assert_eq!(rejection.code, "needs_manual");
        assert_eq!(show.decide(clash, "manual", &json!({"official_weight_x10": 2600})), Ok(()));
        assert_eq!(show.official(), 2600);
    }
}

/// A weight that a person typed, and that somebody disagrees with, gives way to the next decision.
#[test]
fn a_typed_weight_yields_to_the_next_decision() {
    for (resolution, official) in [("client_wins", 2500), ("server_wins", 2700)] {
        let (mut show, clash, _) = two_weights();
        assert_eq!(show.decide(clash, "manual", &json!({"official_weight_x10": 2600})), Ok(()));
        show.disagree(clash);
        assert_eq!(show.official(), 2600, "it stays in force");
        assert_eq!(show.decide(clash, resolution, &json!({})), Ok(()));
        assert_eq!(show.official(), official);
        show.undo(clash);
        assert_eq!(show.official(), 2600);
    }
}

/// Nobody deletes a row by a decision without having seen what is in it.
#[test]
fn a_row_that_has_changed_is_not_deleted_by_a_decision() {
    let mut show = Shelf::new();
    let animal = Uuid::from_u128(0xa2);
    let data = json!({"exhibitor_id": EXHIBITOR.to_string(), "species": "cattle", "tag": "77"});
    assert_eq!(show.insert(1, false, "animals", animal, &data), "applied");
    assert_eq!(show.update(2, "animals", animal, 1, &json!({"tag": "78"})), "applied");
    assert_eq!(show.delete(3, "animals", animal, 1), "conflict");
    let clash = show.open_clash();
    assert_eq!(show.conflicts[&clash].kind, ConflictKind::DeleteUpdated);
    assert_eq!(show.update(4, "animals", animal, 2, &json!({"pen": "B1"})), "applied");
    assert_eq!(show.decide_in_bulk(clash, Version(2), "client_wins"), Err(SettleError::Moved));
    assert_eq!(show.decide_at(clash, Version(2), "client_wins", &json!({})), Err(SettleError::Moved));
    assert!(show.row("animals", animal).is_live());
    assert_eq!(show.conflicts[&clash].server_version, Version(3), "what is shown now");
    assert_eq!(show.decide_at(clash, Version(2), "server_wins", &json!({})), Ok(()), "it keeps what it had not seen");
    show.undo(clash);
    assert_eq!(show.decide(clash, "client_wins", &json!({})), Ok(()));
    assert!(!show.row("animals", animal).is_live());
}

/// A decision that leaves a row deleted is a version of it as well, and so is taking it back.
#[test]
fn a_decision_about_a_deleted_row_is_a_version_of_it() {
    let mut show = Shelf::new();
    let animal = Uuid::from_u128(0xa2);
    let data = json!({"exhibitor_id": EXHIBITOR.to_string(), "species": "cattle", "tag": "77"});
    assert_eq!(show.insert(1, false, "animals", animal, &data), "applied");
    assert_eq!(show.delete(2, "animals", animal, 1), "applied");
    let deleted_at = show.row("animals", animal).deleted_at;
    assert_eq!(show.update(3, "animals", animal, 1, &json!({"pen": "B1"})), "conflict");
    assert_eq!(show.update(4, "animals", animal, 1, &json!({"pen": "B2"})), "conflict");
    let [clash, beside] = show.open_clashes()[..] else { panic!("two clashes") };
    assert_eq!(show.decide(clash, "server_wins", &json!({})), Ok(()));
    let row = show.row("animals", animal);
    assert_eq!((row.version, row.is_live(), row.deleted_at), (Version(3), false, deleted_at));
    assert_eq!(row.updated_by, Some(admin().person));
    let version = show.history.last().expect("a version");
    assert_eq!((version.version, version.deleted, version.actor), (Version(3), true, Some(admin().person)));
    assert_eq!(show.conflicts[&clash].result_version, Some(Version(3)));
    show.undo(clash);
    let row = show.row("animals", animal);
    assert_eq!((row.version, row.is_live(), row.deleted_at), (Version(4), false, deleted_at));
    assert_eq!(show.decide_in_bulk(beside, Version(2), "server_wins"), Ok(()), "it is as deleted as it was seen");
    assert_eq!(show.decide(clash, "client_wins", &json!({})), Ok(()));
    assert!(show.row("animals", animal).is_live());
}

/// A row that the desk never had stays without a version.
#[test]
fn a_decision_against_a_lost_row_makes_none() {
    let mut show = Shelf::new();
    let weigh_in = show.weigh(1, true, 2700);
    let lost = show.open_clash();
    assert_eq!(show.decide(lost, "server_wins", &json!({})), Ok(()));
    assert!(!show.rows.contains_key(&("weigh_ins", RecordId(weigh_in))));
    assert_eq!(show.conflicts[&lost].result_version, None);
}
