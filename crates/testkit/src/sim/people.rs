//! What people at a show do on their phones: which edit comes next, by their function and what they see.
//!
//! Few rows and few words, so that people get in each other's way; fresh values for free text, so that a lost one
//! is noticed.

mod ring;

use serde_json::{Value as Json, json};
use showdesk_domain::actor::Function;
use showdesk_domain::ids::natural_id;
use showdesk_domain::op::Operation;
use showdesk_domain::value::instant_text;
use uuid::Uuid;

use super::chance::Chance;
use super::fields::{Fields, Key};
use super::phone::{Draft, Phone};
use crate::clock::instant;

/// What check-in may change of an exhibitor at any time.
const CONTACT: &[&str] = &["club_chapter", "back_number", "first_name", "county"];

/// What a person is about to enter.
#[derive(Debug, Default)]
pub(super) struct Doing {
    pub drafts: Vec<Draft>,
    /// All or nothing.
    pub together: bool,
}

/// Makes fresh values; counts so that no two are alike.
#[derive(Debug)]
pub(super) struct Hand<'a> {
    pub chance: &'a mut Chance,
    pub made: &'a mut u64,
    pub now_ms: i64,
}

impl Hand<'_> {
    fn fresh(&mut self, letter: &str) -> Json {
        *self.made += 1;
        Json::from(format!("{letter}{}", self.made))
    }

    fn number(&mut self, from: i64) -> Json {
        *self.made += 1;
        Json::from(from + i64::try_from(*self.made).expect("a small number"))
    }

    fn word(&mut self, words: &[&str]) -> Json {
        Json::from(*self.chance.pick(words))
    }

    fn now(&self) -> Json {
        Json::from(instant_text(instant(self.now_ms)))
    }

    /// One of the items, the first ones more often: everybody looks at the same animals.
    fn one<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let picks = [self.chance.below(items.len().max(1)), self.chance.below(items.len().max(1))];
        items.get(picks[0].min(picks[1]))
    }

    /// A value that a person might give a field; none for fields that nobody types.
    pub(super) fn value(&mut self, table: &str, path: &str) -> Option<Json> {
        Some(match (table, path) {
            (_, "tag") if self.chance.percent(35) => self.word(&["T1", "T2", "T3"]),
            (_, "tag") => self.fresh("T9"),
            (_, "official_id") => self.fresh("8400031234567"),
            (_, "breed") => self.word(&["Angus", "Hereford", "Boer", "Crossbred"]),
            (_, "sex") => self.word(&["steer", "heifer", "wether"]),
            ("animals", "name") => self.fresh("Star "),
            (_, "pen") => self.fresh("P"),
            (_, "note") => self.fresh("note "),
            (_, "init_weight_x10") => self.number(5_000),
            (_, "init_weighed_on") => self.word(&["2026-02-01", "2026-02-02", "2026-02-03"]),
            (_, "id_check") => self.word(&["match", "mismatch", "dna_pending"]),
            (_, "health_check") => self.word(&["ok", "hold", "rejected"]),
            (_, "arrived_at" | "released_at") if self.chance.percent(75) => self.now(),
            (_, "arrived_at" | "released_at") => Json::Null,
            (_, "back_number") if self.chance.percent(40) => json!(self.chance.between(101, 103)),
            (_, "back_number") => self.number(1_000),
            (_, "first_name" | "last_name" | "club_chapter" | "county" | "judge_name" | "venue") => self.fresh("N"),
            (_, "age_division") => self.word(&["junior", "intermediate", "senior"]),
            ("entries", "status") => self.word(&["entered", "checked_in", "ready", "shown"]),
            (_, "out_reason") => self.word(&["no_show", "scratch", "vet"]),
            (_, "catalogue_no") => self.number(1),
            ("classes", "seq") => json!(self.chance.between(1, 9)),
            (_, "min_x10") => json!(self.chance.between(100, 900)),
            ("rings", "status") => self.word(&["open", "closed", "break", "hold"]),
            ("shows" | "rings", "name") => self.fresh("Show "),
            (_, "rules.class_cap") => json!(self.chance.between(10, 30)),
            (_, "rules.min_breed_head") => json!(self.chance.between(1, 6)),
            (_, "rules.results_visibility") => self.word(&["posted", "official"]),
            (_, "place") => json!(self.chance.between(1, 4)),
            (_, "ribbon") => self.word(&["blue", "red", "white"]),
            _ => return None,
        })
    }
}

/// What the person with this phone enters now. Most know what the stage of the show allows.
pub(super) fn act(phone: &Phone, stage: char, hand: &mut Hand<'_>) -> Option<Doing> {
    let function = *hand.one(&phone.functions)?;
    let stage = if hand.chance.percent(8) { 'B' } else { stage };
    match (function, stage) {
        (Function::Admin, _) => office(phone, hand, true, true),
        (Function::Superintendent, 'D') => ring::runs_classes(phone, hand),
        (Function::Superintendent, _) => office(phone, hand, false, stage == 'B'),
        (Function::Checkin, 'D') => update(phone, hand, "exhibitors", CONTACT, 2),
        (Function::Checkin, _) => checks_in(phone, hand, stage == 'B'),
        (Function::Scale, _) => weighs(phone, stage, hand),
        (Function::Gate, 'D') => ring::gate(phone, hand),
        (Function::Gate, 'C') => update(phone, hand, "entries", &["status"], 1),
        (Function::Gate, _) => update(phone, hand, "animals", &["arrived_at"], 1),
        (Function::Clerk, 'D') => ring::clerk(phone, hand),
        (Function::Announcer, _) => ring::announces(phone, hand, stage == 'D'),
        (Function::Vet, _) => update(phone, hand, "animals", &["health_check", "note"], 2),
        (Function::Clerk | Function::Viewer, _) => None,
    }
}

fn office(phone: &Phone, hand: &mut Hand<'_>, admin: bool, adds: bool) -> Option<Doing> {
    const ANIMAL: &[&str] = &["tag", "tag", "breed", "sex", "pen", "name", "note", "init_weight_x10", "id_check"];
    match hand.chance.below(20) {
        0..=7 => update(phone, hand, "animals", ANIMAL, 3),
        8 => changes_owner(phone, hand),
        9 | 10 => update(phone, hand, "exhibitors", &["back_number", "age_division", "club_chapter"], 2),
        11 => update(phone, hand, "classes", &["judge_name", "seq", "min_x10"], 2),
        12 => update(phone, hand, "entries", &["catalogue_no", "status"], 2),
        13 if adds => adds_exhibitor(phone, hand),
        14 if adds => adds_entry(phone, hand),
        15 if admin => update(phone, hand, "shows", &["venue", "rules.class_cap", "rules.min_breed_head"], 2),
        16 if admin => update(phone, hand, "shows", &["rules.results_visibility"], 1),
        17 | 18 if admin => deletes(phone, hand),
        19 if admin => ring::runs_classes(phone, hand),
        _ if adds => adds_animal(phone, hand),
        _ => update(phone, hand, "animals", ANIMAL, 2),
    }
}

fn checks_in(phone: &Phone, hand: &mut Hand<'_>, adds: bool) -> Option<Doing> {
    match hand.chance.below(10) {
        0..=4 => update(phone, hand, "animals", &["arrived_at", "pen", "note", "id_check", "official_id"], 3),
        5 => update(phone, hand, "entries", &["status"], 1),
        8 if adds => adds_exhibitor(phone, hand),
        9 if adds => adds_entry(phone, hand),
        _ => update(phone, hand, "exhibitors", CONTACT, 2),
    }
}

fn weighs(phone: &Phone, stage: char, hand: &mut Hand<'_>) -> Option<Doing> {
    if hand.chance.percent(20) {
        let weighings = phone.rows_of("weigh_ins");
        let (key, _) = hand.one(&weighings)?;
        let set = Fields::from([("voided_at".to_owned(), hand.now()), ("voided_reason".to_owned(), hand.fresh("V"))]);
        return Some(one(*key, Operation::Update, set, Some("wrong animal")));
    }
    let animals = phone.rows_of("animals");
    let (animal, _) = hand.one(&animals)?;
    let kind = match stage {
        'C' => "reweigh",
        'D' => "weigh_back",
        _ => "arrival",
    };
    let mut set = Fields::from([
        ("animal_id".to_owned(), id(animal.1)),
        ("kind".to_owned(), json!(kind)),
        ("weight_x10".to_owned(), hand.number(9_000)),
    ]);
    let before: Vec<Uuid> = phone
        .rows_of("weigh_ins")
        .into_iter()
        .filter(|(_, row)| row.get("animal_id") == Some(&id(animal.1)))
        .map(|(key, _)| key.1)
        .collect();
    if let Some(before) = hand.one(&before)
        && hand.chance.percent(70)
    {
        set.insert("replaces_id".to_owned(), id(*before));
        if stage != 'D' {
            set.insert("kind".to_owned(), json!("reweigh"));
        }
    }
    let key = ("weigh_ins", hand.chance.id(hand.now_ms));
    Some(one(key, Operation::Insert, set, None))
}

/// Edits one to three fields of one row.
pub(super) fn update(
    phone: &Phone,
    hand: &mut Hand<'_>,
    table: &'static str,
    fields: &[&str],
    most: usize,
) -> Option<Doing> {
    let rows = phone.rows_of(table);
    let (key, row) = hand.one(&rows)?;
    let mut set = Fields::new();
    for _ in 0..=hand.chance.below(most) {
        let path = *hand.chance.pick(fields);
        set.insert(path.to_owned(), hand.value(table, path)?);
    }
    // Nobody enters what stands there already, or what the phone does not show.
    set.retain(|path, value| row.get(path).is_some_and(|shown| shown != value));
    let reason = hand.chance.percent(25).then_some("as the family says");
    if set.is_empty() { None } else { Some(one(*key, Operation::Update, set, reason)) }
}

fn changes_owner(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let (animals, exhibitors) = (phone.rows_of("animals"), phone.rows_of("exhibitors"));
    let (animal, row) = hand.one(&animals)?;
    let (exhibitor, _) = hand.one(&exhibitors)?;
    let set = Fields::from([("exhibitor_id".to_owned(), id(exhibitor.1))]);
    if row.get("exhibitor_id") == set.get("exhibitor_id") {
        return None;
    }
    Some(one(*animal, Operation::Update, set, None))
}

/// A new exhibitor, most often with an animal that belongs to it.
fn adds_exhibitor(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let key = ("exhibitors", hand.chance.id(hand.now_ms));
    let mut set = Fields::new();
    for path in ["first_name", "last_name", "back_number"] {
        set.insert(path.to_owned(), hand.value("exhibitors", path)?);
    }
    let mut drafts = vec![Draft { key, operation: Operation::Insert, set, reason: None }];
    if hand.chance.percent(60) {
        drafts.push(new_animal(key.1, hand)?);
    }
    let together = drafts.len() > 1 && hand.chance.percent(30) && !phone.functions.is_empty();
    Some(Doing { drafts, together })
}

fn adds_animal(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let exhibitors = phone.rows_of("exhibitors");
    let (exhibitor, _) = hand.one(&exhibitors)?;
    let draft = new_animal(exhibitor.1, hand)?;
    let edit = Draft {
        key: draft.key,
        operation: Operation::Update,
        set: Fields::from([("pen".to_owned(), hand.value("animals", "pen")?)]),
        reason: None,
    };
    Some(Doing { drafts: vec![draft, edit], together: false })
}

fn new_animal(exhibitor: Uuid, hand: &mut Hand<'_>) -> Option<Draft> {
    let set = Fields::from([
        ("exhibitor_id".to_owned(), id(exhibitor)),
        ("species".to_owned(), hand.word(&["cattle", "goat"])),
        ("tag".to_owned(), hand.value("animals", "tag")?),
    ]);
    Some(Draft { key: ("animals", hand.chance.id(hand.now_ms)), operation: Operation::Insert, set, reason: None })
}

/// Two phones that enter the same animal in the same class make the same row.
fn adds_entry(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let (animals, classes) = (phone.rows_of("animals"), phone.rows_of("classes"));
    let (animal, row) = hand.one(&animals)?;
    let (class, _) = hand.one(&classes)?;
    let key = ("entries", natural_id(class.1, animal.1));
    let mut set = Fields::from([
        ("exhibitor_id".to_owned(), row.get("exhibitor_id")?.clone()),
        ("animal_id".to_owned(), id(animal.1)),
        ("family_id".to_owned(), id(class.1)),
    ]);
    if hand.chance.percent(40) {
        set.insert("status".to_owned(), hand.word(&["checked_in", "ready"]));
    }
    if phone.view(key).is_some() {
        return None;
    }
    Some(one(key, Operation::Insert, set, None))
}

fn deletes(phone: &Phone, hand: &mut Hand<'_>) -> Option<Doing> {
    let table = *hand.chance.pick(&["animals", "entries", "entries", "exhibitors", "weigh_ins"]);
    let rows = phone.rows_of(table);
    let (key, _) = hand.one(&rows)?;
    Some(one(*key, Operation::Delete, Fields::new(), None))
}

/// One edit of one row.
pub(super) fn one(key: Key, operation: Operation, set: Fields, reason: Option<&str>) -> Doing {
    let reason = reason.map(str::to_owned);
    Doing { drafts: vec![Draft { key, operation, set, reason }], together: false }
}

pub(super) fn id(id: Uuid) -> Json {
    Json::from(id.to_string())
}
