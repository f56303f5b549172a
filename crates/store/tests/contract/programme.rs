//! Rings, what comes next, the classes of animals; absences of phones; questions about clashes.

use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::{ConflictId, DeviceId};
use showdesk_domain::record::Record;
use showdesk_domain::value::Value;
use showdesk_store::absences::{self, AbsenceRow};
use showdesk_store::back_numbers::{self, LeaseRow};
use showdesk_store::db::Seat;
use showdesk_store::questions::{self, AnswerRow, QuestionRow};
use showdesk_store::{conflicts, people, programme, queue, records};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::entries::open_clash;
use crate::fixture::{Show, at, device, fill, text};

fn set(mut record: Record, values: &[(&str, Value)]) -> Record {
    for (path, value) in values {
        record.values[record.table.index(path)] = value.clone();
    }
    record
}

fn id_of(record: &Record) -> Value {
    Value::Id(record.id.0)
}

fn call(show: Show, class: &Record, kind: &str, seconds: i64) -> Record {
    let values = [("class_id", id_of(class)), ("kind", text(kind)), ("at", Value::Instant(at(seconds)))];
    show.record("class_calls", Uuid::now_v7(), &values)
}

async fn a_ring_tells_what_is_in_it_and_what_comes(store: TestStore) {
    let show = fill(&store.db).await;
    let ring =
        |name: &str, seq| show.record("rings", Uuid::now_v7(), &[("name", text(name)), ("seq", Value::Int(seq))]);
    let (mut second, first) = (ring("Ring 2", 2), ring("Ring 1", 1));
    let in_ring = |class: Record, ring: &Record, seq| set(class, &[("ring_id", id_of(ring)), ("seq", Value::Int(seq))]);
    let now = set(in_ring(show.class("5", "Heifers"), &second, 1), &[("status", text("in_ring"))]);
    second.values[second.table.index("now_class_id")] = id_of(&now);
    let family = in_ring(show.class("6", "Steers"), &second, 2);
    let light = set(in_ring(show.class("6A", "Steers, light"), &second, 3), &[("family_id", id_of(&family))]);
    let heavy = set(in_ring(show.class("6B", "Steers, heavy"), &second, 4), &[("status", text("make_ready"))]);
    let planned = set(show.class("7", "Hogs"), &[("ring_id", id_of(&first)), ("planned_at", Value::Instant(at(90)))]);
    let over = set(in_ring(show.class("4", "Goats"), &first, 1), &[("status", text("judged"))]);
    let nowhere = show.class("8", "Lambs");
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&second, &first]).await.unwrap();
    records::save(&mut tx, &[&now, &family, &light, &heavy, &planned, &over, &nowhere]).await.unwrap();
    let calls = [call(show, &now, "in_ring", 50), call(show, &now, "in_ring", 60), call(show, &now, "hold", 70)];
    records::save(&mut tx, &calls.iter().collect::<Vec<_>>()).await.unwrap();

    let rings = programme::rings(&mut tx).await.unwrap();
    assert_eq!(rings.iter().map(|ring| ring.name.as_str()).collect::<Vec<_>>(), ["Ring 1", "Ring 2"]);
    assert_eq!((rings[0].status.as_str(), &rings[0].now), ("open", &None));
    let shown = rings[1].now.clone().unwrap();
    assert_eq!((shown.class_id, shown.code.as_deref()), (now.id.0, Some("5")));
    assert_eq!((shown.name.as_str(), shown.since), ("Heifers", Some(at(60))));
    let coming = programme::coming(&mut tx).await.unwrap();
    let codes: Vec<&str> = coming.iter().filter_map(|class| class.code.as_deref()).collect();
    assert_eq!(codes, ["6B", "6A", "7"], "made ready first; neither a broken class nor one that is over");
    assert_eq!((coming[2].planned_at, coming[2].ring.as_deref()), (Some(at(90)), Some("Ring 1")));
    assert_eq!((coming[0].ring_id, coming[0].seq), (Some(second.id.0), Some(4)));
    let known = programme::classes(&mut tx, &[nowhere.id.0, Uuid::now_v7()]).await.unwrap();
    assert_eq!(known.iter().map(|class| (class.id, class.ring.clone())).collect::<Vec<_>>(), [(nowhere.id.0, None)]);
}

async fn the_classes_of_animals_and_exhibitors_are_those_they_show_in(store: TestStore) {
    let show = fill(&store.db).await;
    let (ana, ben) = (show.exhibitor(1, "Ana", "Stone"), show.exhibitor(2, "Ben", "Hill"));
    let (hog, gilt) = (show.animal(&ana, "0412"), show.animal(&ana, "0413"));
    let (family, broken) = (show.class("10", "Market Hog"), show.class("11", "Market Hog, light"));
    let entry = |animal: &Record, class: Option<&Record>| {
        let values = [
            ("exhibitor_id", animal.value("exhibitor_id").clone()),
            ("animal_id", id_of(animal)),
            ("family_id", id_of(&family)),
            ("class_id", class.map_or(Value::Null, id_of)),
        ];
        show.record("entries", Uuid::now_v7(), &values)
    };
    let mut gone = entry(&hog, None);
    gone.deleted_at = Some(at(3));
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    records::save(&mut tx, &[&ana, &ben]).await.unwrap();
    records::save(&mut tx, &[&hog, &gilt]).await.unwrap();
    records::save(&mut tx, &[&family, &broken]).await.unwrap();
    records::save(&mut tx, &[&entry(&hog, Some(&broken)), &entry(&gilt, None), &gone]).await.unwrap();

    let found = programme::of_animals(&mut tx, &[hog.id.0, gilt.id.0, Uuid::now_v7()]).await.unwrap();
    let mut found: Vec<_> = found.iter().map(|(animal, class)| (*animal, class.id)).collect();
    found.sort_unstable();
    let mut expected = vec![(hog.id.0, broken.id.0), (gilt.id.0, family.id.0)];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let found = programme::of_exhibitors(&mut tx, &[ana.id.0, ben.id.0]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|(exhibitor, _)| *exhibitor == ana.id.0));
}

async fn the_newest_absences_of_a_device_are_kept(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let absence =
        |number: i64| AbsenceRow { device: show.device, away_from: at(number * 100), back_at: at(number * 100 + 90) };
    for number in 1..=203 {
        absences::add(&mut tx, &absence(number)).await.unwrap();
    }
    absences::add(&mut tx, &absence(203)).await.unwrap();
    let found = absences::of_devices(&mut tx, &[show.device, DeviceId(Uuid::now_v7())]).await.unwrap();
    assert_eq!((found.len(), found[0], found[199]), (200, absence(4), absence(203)));
}

async fn a_block_of_back_numbers_is_given_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let block = |first, seconds| LeaseRow {
        first,
        person: show.person,
        device: show.device,
        created_at: at(seconds),
        expires_at: at(seconds + 60),
    };
    assert_eq!(back_numbers::newest_of(&mut tx, show.device).await.unwrap(), None);
    assert!(back_numbers::add(&mut tx, &block(41, 1)).await.unwrap());
    assert!(!back_numbers::add(&mut tx, &block(41, 2)).await.unwrap());
    assert!(back_numbers::add(&mut tx, &block(61, 3)).await.unwrap());
    assert_eq!(back_numbers::newest_of(&mut tx, show.device).await.unwrap(), Some(block(61, 3)));
    assert_eq!(back_numbers::newest_of(&mut tx, DeviceId(Uuid::now_v7())).await.unwrap(), None);
    back_numbers::renew(&mut tx, 61, at(900)).await.unwrap();
    let newest = back_numbers::newest_of(&mut tx, show.device).await.unwrap();
    assert_eq!(newest.map(|row| row.expires_at), Some(at(900)));

    let rows = [20, 21, 60, 999_999].map(|number| show.exhibitor(number, "Ana", "Stone"));
    records::save(&mut tx, &rows.iter().collect::<Vec<_>>()).await.unwrap();
    let taken: Vec<i64> = back_numbers::taken(&mut tx).await.unwrap().into_iter().collect();
    assert_eq!(taken, [1, 21, 41, 61, 999_981]);
    for (first, used) in [(1, 1), (21, 1), (41, 1), (61, 0)] {
        assert_eq!(back_numbers::used_of(&mut tx, first).await.unwrap(), used, "{first}");
    }
}

async fn entries_of_phones_are_counted_since_a_moment(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let phone = device(DeviceId(Uuid::now_v7()), show.person, DeviceKind::Phone, "Scale 1");
    people::add_device(&mut tx, &phone).await.unwrap();
    let mut ops: Vec<_> = (1..=6).map(|second| show.op(Uuid::now_v7(), second)).collect();
    ops[1..].iter_mut().for_each(|op| op.device_id = phone.id);
    queue::add(&mut tx, &ops).await.unwrap();
    for (since, expected) in [(0, 5), (3, 4), (6, 1), (7, 0)] {
        assert_eq!(queue::count_from_phones(&mut tx, at(since)).await.unwrap(), expected, "{since}");
    }
}

async fn a_question_is_kept_with_its_answer(store: TestStore) {
    let show = fill(&store.db).await;
    let (exhibitor, mut tx) = (show.exhibitor(1, "Ana", "Stone"), store.db.begin_write(Seat::Owner).await.unwrap());
    let animal = show.animal(&exhibitor, "0412");
    let op = show.op(animal.id.0, 1);
    let clash = open_clash(show, &animal, op.id);
    conflicts::save(&mut tx, std::slice::from_ref(&clash)).await.unwrap();
    queue::add(&mut tx, &[op]).await.unwrap();
    let question = |seconds: i64, text: &str| QuestionRow {
        id: Uuid::now_v7(),
        conflict_id: clash.id,
        asked_by: show.person,
        asked_at: at(seconds),
        question: text.to_owned(),
        answer: None,
    };
    let (later, mut first) = (question(9, "And the tag?"), question(5, "Which weight?"));
    questions::add(&mut tx, &later).await.unwrap();
    questions::add(&mut tx, &first).await.unwrap();
    assert_eq!(questions::count_about(&mut tx, clash.id).await.unwrap(), 2);
    assert_eq!(questions::count_about(&mut tx, ConflictId(Uuid::now_v7())).await.unwrap(), 0);
    assert_eq!(questions::count_waiting(&mut tx, clash.device_id).await.unwrap(), 1, "of a clash the last one counts");
    for text in ["621", "612"] {
        first.answer = Some(AnswerRow { by: show.person, at: at(7), text: text.to_owned() });
        assert!(questions::answer(&mut tx, first.id, first.answer.as_ref().unwrap()).await.unwrap());
    }
    assert!(!questions::answer(&mut tx, Uuid::now_v7(), first.answer.as_ref().unwrap()).await.unwrap());
    let found = questions::of_conflicts(&mut tx, &[clash.id, ConflictId(Uuid::now_v7())]).await.unwrap();
    assert_eq!(found, [first, later]);
}

on_both_engines![TestStore::open =>
    a_ring_tells_what_is_in_it_and_what_comes,
    the_classes_of_animals_and_exhibitors_are_those_they_show_in,
    the_newest_absences_of_a_device_are_kept,
    a_block_of_back_numbers_is_given_once,
    entries_of_phones_are_counted_since_a_moment,
    a_question_is_kept_with_its_answer,
];
