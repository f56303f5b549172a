//! Recorded concurrent histories: each animal's tag is a compare-and-set register.
//!
//! An op says "I saw this tag and want that one"; `applied` means that it was so, `conflict` that somebody else was
//! first. Whatever the desks do at the same time, there must be one order of all ops in which every answer is right.

use std::sync::{Arc, Mutex};

use serde_json::json;
use showdesk_engine::api::sync::VerdictName;
use showdesk_testkit::{fresh_database_url, run_plain};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use crate::show::{Phone, Show, op};

/// Phones that race for one animal.
const PHONES: usize = 3;
/// What each of them does in a history. The tester tries orders, so histories are short and many.
const STEPS: usize = 6;
/// Histories of a test.
const HISTORIES: usize = 15;

/// A tag that is changed only by somebody who knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Register(String);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    Read,
    CompareAndSet { base: String, value: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Value(String),
    Applied,
    Conflict,
}

impl SequentialSpec for Register {
    type Op = Ask;
    type Ret = Answer;

    fn invoke(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::Read => Answer::Value(self.0.clone()),
            Ask::CompareAndSet { base, value } if *base == self.0 => {
                self.0.clone_from(value);
                Answer::Applied
            }
            Ask::CompareAndSet { .. } => Answer::Conflict,
        }
    }
}

type History = LinearizabilityTester<usize, Register>;
/// What a phone asked and heard, in order.
type Spoken = Vec<(usize, Ask, Answer)>;

fn empty_history() -> History {
    LinearizabilityTester::new(Register("T0".to_owned()))
}

/// Plays one race and records it.
async fn race(show: &Arc<Show>, phones: &Arc<Vec<Phone>>, number: usize) -> (History, Spoken) {
    let animal = show.animal(json!({"tag": "T0", "name": format!("Star {number}")})).await;
    // The tag is unique in the show: the register's first value is given up so that the next race can begin with it.
    let record = Arc::new(Mutex::new((empty_history(), Spoken::new())));
    let racers = (0..PHONES).map(|racer| {
        let (show, phones, record) = (Arc::clone(show), Arc::clone(phones), Arc::clone(&record));
        tokio::spawn(async move {
            let desk = racer % show.desks.len();
            let phone = &phones[racer];
            for step in 0..STEPS / 2 {
                invoke(&record, racer, Ask::Read);
                let seen = show.read(desk, phone, animal).await;
                let base = seen.data["tag"].as_str().expect("the animal has a tag").to_owned();
                answer(&record, racer, Ask::Read, Answer::Value(base.clone()));
                let value = format!("R{number}P{racer}S{step}");
                let mut edit = op("animals", animal, "update", seen.version, &json!({"tag": value}));
                edit["base"] = json!({"tag": base});
                let ask = Ask::CompareAndSet { base, value };
                invoke(&record, racer, ask.clone());
                let result = show.push(desk, phone, &[edit]).await.remove(0);
                let heard = match result.verdict {
                    VerdictName::Applied => Answer::Applied,
                    VerdictName::Conflict => Answer::Conflict,
                    other => panic!("{other:?} is no answer to a race: {result:?}"),
                };
                answer(&record, racer, ask, heard.clone());
                if heard == Answer::Conflict {
                    let clash = result.conflict_id.expect("a clash has an id");
                    // Its next edit would join the clash and not race.
                    show.desks[desk].withdraw(&phone.actor, clash).await.expect("the author takes it back");
                }
            }
        })
    });
    for racer in racers.collect::<Vec<_>>() {
        racer.await.expect("no racer fails");
    }
    let desk = show.desk().await;
    let last = show.read(0, &desk, animal).await;
    let give_up = op("animals", animal, "update", last.version, &json!({"tag": null}));
    assert_eq!(show.push(0, &desk, &[give_up]).await[0].verdict, VerdictName::Applied);
    Arc::into_inner(record).expect("all racers are done").into_inner().expect("no racer panicked")
}

fn invoke(record: &Mutex<(History, Spoken)>, racer: usize, ask: Ask) {
    record.lock().expect("no racer panicked").0.on_invoke(racer, ask).expect("one ask at a time");
}

fn answer(record: &Mutex<(History, Spoken)>, racer: usize, ask: Ask, answer: Answer) {
    let mut record = record.lock().expect("no racer panicked");
    record.0.on_return(racer, answer.clone()).expect("it was asked");
    record.1.push((racer, ask, answer));
}

async fn histories_are_linearizable(database_url: Option<String>, desks: usize) {
    let show = Arc::new(Show::open(database_url, desks).await);
    let mut phones = Vec::new();
    for racer in 0..PHONES {
        phones.push(show.phone(&format!("Phone {racer}")).await);
    }
    let phones = Arc::new(phones);
    let (mut won, mut lost) = (0, 0);
    for number in 0..HISTORIES {
        let (history, spoken) = race(&show, &phones, number).await;
        assert!(history.is_consistent(), "no order explains these answers: {spoken:?}");
        won += spoken.iter().filter(|(_, _, answer)| *answer == Answer::Applied).count();
        lost += spoken.iter().filter(|(_, _, answer)| *answer == Answer::Conflict).count();
    }
    println!("{HISTORIES} histories of {PHONES} phones on {desks} desks: {won} won, {lost} lost");
    assert!(won > 0 && lost > 0, "nobody was ever in anybody's way");
    Arc::into_inner(show).expect("all races are over").close().await;
}

#[test]
fn answers_have_one_order_on_sqlite() {
    run_plain(histories_are_linearizable(None, 1));
}

#[test]
fn answers_have_one_order_on_postgres() {
    run_plain(async { histories_are_linearizable(Some(fresh_database_url().await), 1).await });
}

#[test]
fn answers_have_one_order_over_two_desks() {
    run_plain(async { histories_are_linearizable(Some(fresh_database_url().await), 2).await });
}

#[test]
fn two_winners_from_one_base_are_noticed() {
    let win = |base: &str, value: &str| Ask::CompareAndSet { base: base.to_owned(), value: value.to_owned() };
    let mut history = empty_history();
    history.on_invoke(0, win("T0", "A")).expect("asked").on_invoke(1, win("T0", "B")).expect("asked");
    history.on_return(0, Answer::Applied).expect("answered").on_return(1, Answer::Applied).expect("answered");
    assert!(!history.is_consistent());
}

#[test]
fn a_read_that_is_behind_is_noticed() {
    let mut history = empty_history();
    let set = Ask::CompareAndSet { base: "T0".to_owned(), value: "A".to_owned() };
    history.on_invret(0, set, Answer::Applied).expect("answered");
    history.on_invret(1, Ask::Read, Answer::Value("T0".to_owned())).expect("answered");
    assert!(!history.is_consistent());
}

#[test]
fn a_recorded_history_with_one_false_answer_is_noticed() {
    run_plain(async {
        let show = Arc::new(Show::open(None, 1).await);
        let phones = Arc::new(vec![show.phone("A").await, show.phone("B").await, show.phone("C").await]);
        let (mut seen, mut number) = (false, 0);
        while !seen {
            assert!(number < HISTORIES, "no race had a loser");
            let (_, spoken) = race(&show, &phones, number).await;
            number += 1;
            // The same answers one after the other, as they came, with one loser called a winner.
            let Some(liar) = spoken.iter().position(|(_, _, answer)| *answer == Answer::Conflict) else { continue };
            let mut history = empty_history();
            for (place, (racer, ask, answer)) in spoken.into_iter().enumerate() {
                let answer = if place == liar { Answer::Applied } else { answer };
                history.on_invret(racer, ask, answer).expect("answered");
            }
            assert!(!history.is_consistent());
            seen = true;
        }
        Arc::into_inner(show).expect("all races are over").close().await;
    });
}
