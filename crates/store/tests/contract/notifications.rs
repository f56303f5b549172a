//! Messages, whose they are, how far they came, and what the desk lists of them.

use chrono::{DateTime, Utc};
use serde_json::json;
use showdesk_domain::actor::{DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::notices::audience::Audience;
use showdesk_domain::notices::{Priority, Receipt};
use showdesk_domain::value::Value;
use showdesk_store::db::Seat;
use showdesk_store::deliveries::phones::{self, LocalTarget, Rise};
use showdesk_store::deliveries::{Channel, roll_up};
use showdesk_store::notifications::templates::TemplateRow;
use showdesk_store::notifications::{self, NotificationRow, Source, Told};
use showdesk_store::notifications::{audience, desk, find, notices, settings, streams, templates};
use showdesk_store::people::{self, MemberRow, ProfileRow};
use showdesk_store::{Tx, records};
use showdesk_testkit::{TestStore, on_both_engines};
use uuid::Uuid;

use crate::fixture::{Show, at, device, fill};

/// Somebody with a phone.
pub(crate) async fn add_person(tx: &mut Tx, show: Show, name: &str, functions: Vec<Function>) -> LocalTarget {
    let person = PersonId(Uuid::now_v7());
    people::add_profile(tx, &ProfileRow { id: person, name: name.to_owned(), created_at: at(1) }).await.unwrap();
    let member = MemberRow {
        team_id: show.team,
        person,
        role: Role::Editor,
        functions,
        scope: Scope::default(),
        permissions: Permissions::default(),
        created_at: at(1),
    };
    people::add_member(tx, &member).await.unwrap();
    let phone = DeviceId(Uuid::now_v7());
    people::add_device(tx, &device(phone, person, DeviceKind::Phone, name)).await.unwrap();
    LocalTarget { id: Uuid::now_v7(), person, device: phone, has_token: false }
}

fn row(show: Show, title: &str) -> NotificationRow {
    NotificationRow {
        id: Uuid::now_v7(),
        user: None,
        kind: "message".to_owned(),
        title: title.to_owned(),
        body: Some("Body".to_owned()),
        data: json!({"open": "#/messages"}),
        status: "pending".to_owned(),
        audience: Audience::of_functions(&[Function::Gate]),
        priority: Priority::High,
        needs_ack: true,
        send_at: Some(at(10)),
        expires_at: Some(at(100)),
        collapse_key: Some("key".to_owned()),
        dedupe_key: Some(title.to_owned()),
        template_id: Some(Uuid::now_v7()),
        created_by: Some(show.person),
        created_at: at(5),
        sent_at: None,
        source: Source::Person,
        announcement_id: None,
        before_class_id: None,
        before_minutes: Some(15),
        ends_class_id: None,
        ends_after_minutes: Some(30),
        sender: Some("Ana at the desk".to_owned()),
        raw: Some(json!({"title": "{class}", "body": null})),
        released_at: None,
        cancelled_at: None,
        retracted_at: None,
        reminded_at: None,
    }
}

/// Sends a message to these people.
pub(crate) async fn send(tx: &mut Tx, show: Show, title: &str, to: &[LocalTarget]) -> NotificationRow {
    let row = NotificationRow { released_at: Some(at(10)), ..row(show, title) };
    assert!(notifications::add(tx, &row).await.unwrap());
    let event = streams::next_event(tx).await.unwrap();
    let people: Vec<PersonId> = to.iter().map(|target| target.person).collect();
    streams::add_recipients(tx, (row.id, event), &people, Receipt::Waiting, at(10)).await.unwrap();
    let targets: Vec<LocalTarget> = to.iter().map(|target| LocalTarget { id: Uuid::now_v7(), ..*target }).collect();
    phones::add_local(tx, row.id, &targets, row.expires_at, at(10)).await.unwrap();
    row
}

async fn seqs(tx: &mut Tx, person: PersonId) -> Vec<(i64, String)> {
    let found = notices::of_person(tx, person, 0, at(20), 100).await.unwrap();
    found.into_iter().map(|notice| (notice.seq, notice.title)).collect()
}

async fn a_message_is_kept_whole_and_told_once(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let first = row(show, "First");
    assert!(notifications::add(&mut tx, &first).await.unwrap());
    assert_eq!(notifications::load(&mut tx, &[first.id, Uuid::now_v7()]).await.unwrap(), std::slice::from_ref(&first));
    assert!(!notifications::add(&mut tx, &first).await.unwrap(), "the same id");
    let same = NotificationRow { id: Uuid::now_v7(), ..first.clone() };
    assert!(!notifications::add(&mut tx, &same).await.unwrap(), "the same thing");
    let keys = ["First".to_owned(), "Second".to_owned()];
    let told = |is_retracted| Told { id: first.id, dedupe_key: "First".to_owned(), is_retracted };
    assert_eq!(notifications::of_dedupe_keys(&mut tx, &keys).await.unwrap(), [told(false)]);
    assert!(notifications::due(&mut tx, at(9), None, 10).await.unwrap().is_empty());
    let due = notifications::due(&mut tx, at(10), None, 10).await.unwrap();
    assert_eq!(due, [(at(10), first.id)]);
    assert!(notifications::due(&mut tx, at(10), Some(due[0]), 10).await.unwrap().is_empty(), "after the last one");
    let changed =
        NotificationRow { title: "Changed".to_owned(), send_at: None, user: Some(show.person), ..first.clone() };
    notifications::rewrite(&mut tx, &changed).await.unwrap();
    assert_eq!(notifications::load(&mut tx, &[first.id]).await.unwrap(), std::slice::from_ref(&changed));
    notifications::release(&mut tx, &changed, at(12)).await.unwrap();
    notifications::rewrite(&mut tx, &first).await.unwrap();
    let out = notifications::load(&mut tx, &[first.id]).await.unwrap().remove(0);
    assert_eq!((out.title.as_str(), out.released_at), ("Changed", Some(at(12))), "what is out is not written anew");
    assert!(!notifications::cancel(&mut tx, first.id, at(13)).await.unwrap());
    assert!(notifications::retract(&mut tx, first.id, at(14)).await.unwrap());
    assert!(!notifications::retract(&mut tx, first.id, at(15)).await.unwrap());
    assert_eq!(notifications::of_dedupe_keys(&mut tx, &keys).await.unwrap(), [told(true)]);
    roll_up(&mut tx, &[first.id], at(16)).await.unwrap();
    let out = notifications::load(&mut tx, &[first.id]).await.unwrap().remove(0);
    assert_eq!((out.status.as_str(), out.sent_at), ("failed", None), "it was taken back before anybody had it");
    let second = row(show, "Second");
    notifications::add(&mut tx, &second).await.unwrap();
    assert!(notifications::cancel(&mut tx, second.id, at(13)).await.unwrap());
    assert!(notifications::due(&mut tx, at(99), None, 10).await.unwrap().is_empty());
    assert!(!notifications::miss(&mut tx, &second, at(14)).await.unwrap(), "it was taken back");
    tx.commit().await.unwrap();
}

async fn a_message_to_no_phone_has_an_end(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let missed = row(show, "Missed");
    assert!(notifications::add(&mut tx, &missed).await.unwrap());
    assert!(notifications::miss(&mut tx, &missed, at(200)).await.unwrap());
    assert!(!notifications::miss(&mut tx, &missed, at(201)).await.unwrap());
    let [nobody, desks] = [send(&mut tx, show, "Nobody", &[]).await, send(&mut tx, show, "Desks", &[]).await];
    notifications::end_without_phones(&mut tx, nobody.id, false, at(11)).await.unwrap();
    notifications::end_without_phones(&mut tx, desks.id, true, at(12)).await.unwrap();
    notifications::end_without_phones(&mut tx, desks.id, false, at(13)).await.unwrap();
    let mut told = Vec::new();
    for id in [missed.id, nobody.id, desks.id] {
        roll_up(&mut tx, &[id], at(300)).await.unwrap();
        let row = notifications::load(&mut tx, &[id]).await.unwrap().remove(0);
        told.push((row.status, row.released_at, row.sent_at));
    }
    let failed = |at| ("failed".to_owned(), Some(at), None);
    let sent = ("sent".to_owned(), Some(at(10)), Some(at(12)));
    assert_eq!(told, [failed(at(200)), failed(at(10)), sent], "none of them waits for ever");
    let out = desk::sent(&mut tx, None, 10).await.unwrap();
    assert_eq!(out[0].id, missed.id, "it stands with what went out");
    assert!(desk::scheduled(&mut tx, None, 10).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

async fn each_person_has_numbers_of_their_own_without_a_gap(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let ana = add_person(&mut tx, show, "Ana", vec![Function::Gate]).await;
    let ben = add_person(&mut tx, show, "Ben", vec![Function::Gate]).await;
    let first = send(&mut tx, show, "First", &[ana, ben]).await;
    send(&mut tx, show, "For Ana", &[ana]).await;
    let third = send(&mut tx, show, "Third", &[ana, ben]).await;
    let of = |titles: &[(i64, &str)]| titles.iter().map(|(seq, title)| (*seq, (*title).to_owned())).collect::<Vec<_>>();
    assert_eq!(seqs(&mut tx, ana.person).await, of(&[(1, "First"), (2, "For Ana"), (3, "Third")]));
    assert_eq!(seqs(&mut tx, ben.person).await, of(&[(1, "First"), (2, "Third")]));
    let event = streams::next_event(&mut tx).await.unwrap();
    assert_eq!(streams::tell_again(&mut tx, first.id, event).await.unwrap(), 2);
    assert_eq!(seqs(&mut tx, ana.person).await, of(&[(2, "For Ana"), (3, "Third"), (4, "First")]));
    assert_eq!(seqs(&mut tx, ben.person).await, of(&[(2, "Third"), (3, "First")]));
    assert_eq!(notices::latest(&mut tx, ben.person).await.unwrap(), 3);
    assert_eq!(notices::latest(&mut tx, show.person).await.unwrap(), 0);
    assert_eq!(notices::latest_event(&mut tx).await.unwrap(), event);
    let since = notices::since_event(&mut tx, 1, 2).await.unwrap();
    let of_events: Vec<(i64, &str)> = since.iter().map(|row| (row.event, row.title.as_str())).collect();
    assert_eq!(of_events, [(2, "For Ana"), (3, "Third"), (3, "Third")], "the first message has moved on to event 4");
    let keys = [(third.id, ben.person), (third.id, show.person)];
    let found = notices::of_recipients(&mut tx, &keys).await.unwrap();
    assert_eq!(found.iter().map(|row| (row.notification, row.seq)).collect::<Vec<_>>(), [(third.id, 2)]);
    let notice = &found[0];
    assert_eq!((notice.sender.as_deref(), notice.released_at), (Some("Ana at the desk"), Some(at(10))));
    assert_eq!((notice.state, notice.priority, notice.needs_ack), (Receipt::Waiting, Priority::High, true));
    assert!(notices::of_person(&mut tx, ben.person, 0, at(100), 10).await.unwrap().is_empty(), "all are over");
    let missed = notices::missed(&mut tx, ben.person, 0, at(100), 10).await.unwrap();
    assert_eq!(missed.iter().map(|row| row.seq).collect::<Vec<_>>(), [3, 2], "newest first");
    tx.commit().await.unwrap();
}

async fn what_came_how_far_only_rises(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let ana = add_person(&mut tx, show, "Ana", vec![Function::Gate]).await;
    let ben = add_person(&mut tx, show, "Ben", vec![Function::Gate]).await;
    let id = send(&mut tx, show, "First", &[ana, ben]).await.id;
    let rise = async |tx: &mut Tx, state| streams::rise(tx, id, ana.person, state, at(11)).await.unwrap();
    let on_phone = async |tx: &mut Tx, state| phones::rise_on_phone(tx, id, ana, state, at(11)).await.unwrap();
    for (state, rises) in [
        (Receipt::Waiting, Rise::None),
        (Receipt::Seen, Rise::Arrived),
        (Receipt::Delivered, Rise::None),
        (Receipt::Seen, Rise::None),
        (Receipt::Confirmed, Rise::Further),
        (Receipt::Seen, Rise::None),
    ] {
        assert_eq!(rise(&mut tx, state).await, rises != Rise::None, "{state:?}");
        assert_eq!(on_phone(&mut tx, state).await, rises, "{state:?} on the phone");
    }
    let own = streams::own(&mut tx, ana.person, &[id, Uuid::now_v7()]).await.unwrap();
    assert_eq!(own, [(id, Receipt::Confirmed)]);
    assert!(streams::own(&mut tx, show.person, &[id]).await.unwrap().is_empty());
    // A phone of the person that joined since has a line of its own.
    let second = LocalTarget { id: Uuid::now_v7(), device: show.device, ..ana };
    assert_eq!(phones::rise_on_phone(&mut tx, id, second, Receipt::Seen, at(12)).await.unwrap(), Rise::Arrived);
    assert_eq!(phones::rise_on_phone(&mut tx, id, second, Receipt::Seen, at(12)).await.unwrap(), Rise::None);
    let lines = desk::deliveries(&mut tx, id).await.unwrap();
    let told: Vec<(&str, &str)> = lines.iter().map(|line| (line.person_name.as_str(), line.status.as_str())).collect();
    assert_eq!(told, [("Ana", "confirmed"), ("Ana", "seen"), ("Ben", "waiting")]);
    let mut counts = desk::counts(&mut tx, &[id]).await.unwrap();
    counts.sort();
    assert_eq!(counts, [(id, "confirmed".to_owned(), 1), (id, "waiting".to_owned(), 1)], "a person counts once");
    let event = streams::next_event(&mut tx).await.unwrap();
    assert_eq!(streams::remind(&mut tx, id, event, true, at(13)).await.unwrap(), 1, "only Ben has not confirmed");
    let again = notices::of_person(&mut tx, ben.person, 1, at(20), 10).await.unwrap();
    assert_eq!(again.iter().map(|row| (row.seq, row.reminded_at)).collect::<Vec<_>>(), [(2, Some(at(13)))]);
    phones::wake_again(&mut tx, id, at(13)).await.unwrap();
    roll_up(&mut tx, &[id], at(13)).await.unwrap();
    roll_up(&mut tx, &[id], at(14)).await.unwrap();
    let out = notifications::load(&mut tx, &[id]).await.unwrap().remove(0);
    assert_eq!((out.status.as_str(), out.sent_at), ("sent", Some(at(13))), "the first counts");
    notifications::retract(&mut tx, id, at(14)).await.unwrap();
    let ended = phones::take_back(&mut tx, id, "Taken back.", at(14)).await.unwrap();
    assert_eq!(ended, [Channel::Local], "only Ben's waited");
    let lines = desk::deliveries(&mut tx, id).await.unwrap();
    let why = |line: &desk::DeliveryLine| (line.error_code.clone(), line.reason.clone());
    assert_eq!(why(&lines[2]), (Some("retracted".to_owned()), Some("Taken back.".to_owned())));
    assert_eq!(why(&lines[0]), (None, None), "Ana has it");
    assert_eq!(notifications::load(&mut tx, &[id]).await.unwrap()[0].status, "sent", "somebody has it");
    let counts = desk::counts(&mut tx, &[id]).await.unwrap();
    assert!(counts.contains(&(id, "expired".to_owned(), 1)), "nobody waits for what was taken back: {counts:?}");
    tx.commit().await.unwrap();
}

async fn who_hears_is_known_with_their_devices_and_animals(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let ana = add_person(&mut tx, show, "Ana", vec![Function::Gate]).await;
    let removed = add_person(&mut tx, show, "Removed", vec![Function::Gate]).await;
    people::revoke(&mut tx, removed.device, at(3)).await.unwrap();
    let (hearers, devices) = audience::hearers(&mut tx).await.unwrap();
    let mut people: Vec<PersonId> = hearers.iter().map(|hearer| hearer.person).collect();
    people.sort();
    assert_eq!(people, [show.person, ana.person]);
    assert_eq!(devices.len(), 2);
    assert!(audience::devices_with_tokens(&mut tx).await.unwrap().is_empty());
    let exhibitor = show.exhibitor(1, "Nora", "Birch");
    let (hog, other) = (show.animal(&exhibitor, "1"), show.animal(&exhibitor, "2"));
    let (family, class) = (show.class("1", "Hogs"), show.class("2", "Light hogs"));
    records::save(&mut tx, &[&exhibitor]).await.unwrap();
    records::save(&mut tx, &[&hog, &other]).await.unwrap();
    records::save(&mut tx, &[&family, &class]).await.unwrap();
    let entry = |animal: Uuid, more: &[(&'static str, Value)]| {
        let mut values = vec![
            ("exhibitor_id", Value::Id(exhibitor.id.0)),
            ("animal_id", Value::Id(animal)),
            ("family_id", Value::Id(family.id.0)),
        ];
        values.extend(more.iter().cloned());
        show.record("entries", Uuid::now_v7(), &values)
    };
    let placed = entry(hog.id.0, &[("class_id", Value::Id(class.id.0))]);
    let out = entry(other.id.0, &[("out_reason", Value::Text("scratch".to_owned()))]);
    records::save(&mut tx, &[&placed, &out]).await.unwrap();
    let roll =
        audience::roll(&mut tx, &[family.id.0, class.id.0], &["swine".to_owned(), "sheep".to_owned()]).await.unwrap();
    assert_eq!(roll.by_class.get(&class.id.0).map(std::collections::HashSet::len), Some(1));
    assert_eq!(roll.by_class.get(&family.id.0), None, "one is in its own class now, the other is out");
    assert_eq!(roll.by_department.keys().collect::<Vec<_>>(), ["swine"]);
    assert_eq!(audience::not_weighed(&mut tx).await.unwrap(), [("swine".to_owned(), 1)].into());
    assert!(audience::unsent_since(&mut tx, at(99), None, 10).await.unwrap().is_empty());
    tx.commit().await.unwrap();
}

async fn lists_go_on_where_they_ended(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let waiting = |title: &str, send_at: Option<DateTime<Utc>>| NotificationRow { send_at, ..row(show, title) };
    for (title, send_at) in [("B", Some(at(20))), ("A", Some(at(20))), ("C", Some(at(30))), ("No time", None)] {
        notifications::add(&mut tx, &waiting(title, send_at)).await.unwrap();
    }
    let (mut after, mut read) = (None, Vec::new());
    while let Some(row) = desk::scheduled(&mut tx, after, 1).await.unwrap().pop() {
        after = Some((row.send_at.is_none(), row.send_at.unwrap_or(row.created_at), row.id));
        read.push(row.title);
    }
    assert_eq!(read, ["B", "A", "C", "No time"]);
    for (title, second) in [("Old", 11), ("New", 12), ("New too", 12)] {
        let row = NotificationRow { released_at: Some(at(second)), ..row(show, title) };
        notifications::add(&mut tx, &row).await.unwrap();
    }
    let (mut after, mut read) = (None, Vec::new());
    while let Some(row) = desk::sent(&mut tx, after, 1).await.unwrap().pop() {
        after = row.released_at.map(|at| (at, row.id));
        read.push(row.title);
    }
    assert_eq!(read, ["New too", "New", "Old"]);
    assert_eq!(desk::made_since(&mut tx, "message", at(4)).await.unwrap(), 7);
    assert_eq!(desk::made_since(&mut tx, "message", at(5)).await.unwrap(), 0);
    let keys = ["key".to_owned(), "none".to_owned()];
    assert_eq!(desk::newest_of(&mut tx, &keys).await.unwrap(), [("key".to_owned(), at(5))].into());
    tx.commit().await.unwrap();
}

async fn a_message_follows_its_class(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let class = show.class("1", "Hogs");
    records::save(&mut tx, &[&class]).await.unwrap();
    let before = NotificationRow { before_class_id: Some(class.id.0), ..row(show, "Before") };
    let ends = NotificationRow {
        ends_class_id: Some(class.id.0),
        expires_at: None,
        released_at: Some(at(10)),
        ..row(show, "Ends")
    };
    notifications::add(&mut tx, &before).await.unwrap();
    notifications::add(&mut tx, &ends).await.unwrap();
    assert_eq!(notifications::before_classes(&mut tx, &[class.id.0, Uuid::now_v7()]).await.unwrap(), [before]);
    assert_eq!(notifications::end_with_classes(&mut tx, &[class.id.0], at(11)).await.unwrap(), [ends.id]);
    assert!(notifications::end_with_classes(&mut tx, &[class.id.0], at(12)).await.unwrap().is_empty());
    assert_eq!(notifications::load(&mut tx, &[ends.id]).await.unwrap()[0].expires_at, Some(at(11)));
    tx.commit().await.unwrap();
}

async fn templates_and_choices_are_kept(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let template = |place: i64, name: &str| TemplateRow {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        kind: "weather".to_owned(),
        priority: Priority::Urgent,
        title: "Lightning".to_owned(),
        body: None,
        audience: Audience::everybody(),
        needs_ack: true,
        place,
        created_at: at(1),
        updated_at: at(1),
    };
    let (second, first) = (template(2, "Second"), template(1, "First"));
    templates::add(&mut tx, &second).await.unwrap();
    templates::add(&mut tx, &first).await.unwrap();
    assert_eq!(templates::all(&mut tx).await.unwrap(), [first.clone(), second.clone()]);
    let changed = TemplateRow { name: "Changed".to_owned(), updated_at: at(2), ..first.clone() };
    assert!(templates::change(&mut tx, &changed).await.unwrap());
    assert!(!templates::change(&mut tx, &template(3, "Nobody's")).await.unwrap());
    assert!(templates::remove(&mut tx, second.id).await.unwrap());
    assert!(!templates::remove(&mut tx, second.id).await.unwrap());
    assert_eq!(templates::all(&mut tx).await.unwrap(), [changed]);
    let never: Option<bool> = settings::read(&mut tx, settings::TEMPLATES).await.unwrap();
    assert_eq!(never, None);
    settings::write(&mut tx, settings::QUIET, &json!({"from": "21:00"}), Some(show.person), at(1)).await.unwrap();
    settings::write(&mut tx, settings::QUIET, &json!(null), None, at(2)).await.unwrap();
    assert_eq!(settings::read::<Option<bool>>(&mut tx, settings::QUIET).await.unwrap(), Some(None));
    tx.commit().await.unwrap();
}

async fn what_was_chosen_is_kept_and_what_can_be_named_is_found(store: TestStore) {
    let show = fill(&store.db).await;
    let mut tx = store.db.begin_write(Seat::Owner).await.unwrap();
    let one = add_person(&mut tx, show, "Ada", vec![Function::Gate]).await;
    let sent = send(&mut tx, show, "Chosen", std::slice::from_ref(&one)).await;
    let mut chosen = sent.clone();
    (chosen.ends_after_minutes, chosen.data) = (Some(20), json!({"open": "#/checks"}));
    notifications::add_choices(&mut tx, &chosen).await.unwrap();
    let kept = notifications::load(&mut tx, &[sent.id]).await.unwrap();
    assert_eq!((kept[0].ends_after_minutes, &kept[0].data), (Some(20), &json!({"open": "#/checks"})));
    let before = seqs(&mut tx, one.person).await;
    let event = streams::next_event(&mut tx).await.unwrap();
    streams::tell_person_again(&mut tx, sent.id, one.person, event).await.unwrap();
    let after = seqs(&mut tx, one.person).await;
    assert_eq!(after.len(), before.len());
    assert!(after[0].0 > before[0].0, "it stands at the end again");
    let names = find::rings(&mut tx).await.unwrap();
    let departments = find::departments(&mut tx).await.unwrap();
    let classes = find::classes(&mut tx, "no class is called so", 20).await.unwrap();
    let exhibitors = find::exhibitors(&mut tx, "nobody is called so", 20).await.unwrap();
    assert!(classes.is_empty() && exhibitors.is_empty());
    assert!(departments.is_sorted() && names.iter().all(|(_, name)| !name.is_empty()));
}

on_both_engines![TestStore::open =>
    a_message_is_kept_whole_and_told_once,
    a_message_to_no_phone_has_an_end,
    each_person_has_numbers_of_their_own_without_a_gap,
    what_came_how_far_only_rises,
    who_hears_is_known_with_their_devices_and_animals,
    lists_go_on_where_they_ended,
    a_message_follows_its_class,
    templates_and_choices_are_kept,
    what_was_chosen_is_kept_and_what_can_be_named_is_found,
];
