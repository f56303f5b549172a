//! What people do at the ring: calls, whole-class cards, who is out, official results.

use serde_json::json;
use showdesk_domain::ids::natural_id;
use showdesk_domain::op::Operation;

use super::{Doing, Hand, id, one, update};
use crate::sim::fields::{Fields, Key};
use crate::sim::phone::{Draft, Phone};

/// A superintendent or admin while classes are shown.
pub(super) fn runs_classes(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    if hand.chance.percent(60) {
        return update(phone, hand, "classes", &["seq", "judge_name"], 2);
    }
    let classes = phone.rows_of("classes");
    let (class, row) = hand.one(&classes)?;
    let is_official = row.get("official_at").is_some_and(|at| !at.is_null());
    let at = if is_official { serde_json::Value::Null } else { hand.now() };
    Some(one(*class, Operation::Update, Fields::from([("official_at".to_owned(), at)]), Some("checked with the judge")))
}

/// The gate: who is ready, who is not coming, what is called.
pub(super) fn gate(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    match hand.chance.below(3) {
        0 => update(phone, hand, "entries", &["status"], 1),
        1 => out(phone, hand),
        _ => calls(phone, hand),
    }
}

/// The clerk: most often the judge's card of a whole class.
pub(super) fn clerk(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    match hand.chance.below(6) {
        0 => calls(phone, hand),
        1 => out(phone, hand),
        _ => posts_card(phone, hand),
    }
}

/// The announcer: messages and calls.
pub(super) fn announces(phone: &Phone, hand: &mut Hand<'_>, may_call: bool) -> Option<Doing> {
    match hand.chance.below(4) {
        0 if may_call => calls(phone, hand),
        1 => {
            let messages = phone.rows_of("announcements");
            let (key, _) = hand.one(&messages)?;
            Some(one(*key, Operation::Update, Fields::from([("retracted_at".to_owned(), hand.now())]), None))
        }
        _ => {
            let key = ("announcements", hand.chance.id(hand.now_ms));
            let mut set =
                Fields::from([("type".to_owned(), json!("schedule")), ("title".to_owned(), hand.fresh("Title "))]);
            if hand.chance.percent(30) {
                set.insert("audience.functions".to_owned(), json!(["gate"]));
            }
            Some(one(key, Operation::Insert, set, None))
        }
    }
}

fn out(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let entries = phone.rows_of("entries");
    let (key, _) = hand.one(&entries)?;
    let set = Fields::from([("out_reason".to_owned(), hand.word(&["no_show", "scratch"]))]);
    Some(one(*key, Operation::Update, set, None))
}

fn calls(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let (classes, rings) = (phone.rows_of("classes"), phone.rows_of("rings"));
    let (class, _) = hand.one(&classes)?;
    let (ring, _) = hand.one(&rings)?;
    let set = Fields::from([
        ("class_id".to_owned(), id(class.1)),
        ("ring_id".to_owned(), id(ring.1)),
        ("kind".to_owned(), hand.word(&["up_next", "call_1", "final_call", "in_ring", "judged"])),
    ]);
    Some(one(("class_calls", hand.chance.id(hand.now_ms)), Operation::Insert, set, None))
}

/// The judge's order of a whole class: new places, or the ones that changed, as one group.
fn posts_card(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let classes = phone.rows_of("classes");
    let (class, _) = hand.one(&classes)?;
    let entries: Vec<Key> = phone
        .rows_of("entries")
        .into_iter()
        .filter(|(_, row)| row.get("family_id") == Some(&id(class.1)))
        .map(|(key, _)| key)
        .collect();
    let mut places: Vec<usize> = (1..=entries.len()).collect();
    hand.chance.shuffle(&mut places);
    let card = id(hand.chance.id(hand.now_ms));
    let mut drafts = Vec::new();
    for (entry, place) in entries.iter().zip(places) {
        let key = ("placings", natural_id(class.1, entry.1));
        let mut set = Fields::from([("place".to_owned(), json!(place)), ("card_id".to_owned(), card.clone())]);
        let known = phone.view(key);
        let operation = if known.is_some() { Operation::Update } else { Operation::Insert };
        if known.is_none() {
            set.insert("class_id".to_owned(), id(class.1));
            set.insert("entry_id".to_owned(), id(entry.1));
        }
        drafts.push(Draft { key, operation, set, reason: None });
    }
    if drafts.is_empty() { None } else { Some(Doing { drafts, together: true }) }
}
