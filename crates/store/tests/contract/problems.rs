//! Problems, alert rules and what was said, in the database of what the program measures of itself.

use chrono::TimeDelta;
use serde_json::json;
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_store::Tx;
use showdesk_store::db::{Db, Seat};
use showdesk_store::telemetry::alerts::{self, EventRow, Outgoing, Ready, RuleRow, StateRow};
use showdesk_store::telemetry::errors::{self, GroupFilter, SampleRow, Sighting};
use showdesk_testkit::{TestStore, fresh_database_url, on_both_engines, run_plain};
use uuid::Uuid;

use crate::fixture::{at, fill};

async fn write(db: &Db) -> Tx {
    db.begin_write(Seat::Worker).await.unwrap()
}

fn sighting(fingerprint: &str, first: i64, last: i64, count: i64) -> Sighting<'_> {
    Sighting {
        fingerprint,
        title: "row ‹id› is gone",
        kind: "internal",
        route: Some("POST /api/v1/sync/push"),
        source: "desk",
        first_seen: at(first),
        last_seen: at(last),
        count,
    }
}

fn sample(fingerprint: &str, number: i64) -> SampleRow {
    SampleRow {
        id: Uuid::now_v7(),
        error_type: "internal".to_owned(),
        message: format!("number {number}"),
        stack_trace: (number == 1).then(|| "1: showdesk".to_owned()),
        context: json!({ "number": number }),
        user: (number == 1).then(|| PersonId(Uuid::from_u128(5))),
        created_at: at(number),
        fingerprint: fingerprint.to_owned(),
        number,
        device: (number == 1).then(|| DeviceId(Uuid::from_u128(6))),
        request_id: (number == 1).then(|| Uuid::from_u128(7)),
    }
}

async fn errors_are_counted_into_their_group(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    let first = errors::see(&mut tx, &sighting("a", 10, 20, 3), at(20)).await.unwrap();
    assert_eq!((first.count, first.status.as_str(), first.resolved_at), (3, "open", None));
    let more = errors::see(&mut tx, &sighting("a", 5, 15, 2), at(21)).await.unwrap();
    assert_eq!((more.count, more.first_seen, more.last_seen), (5, at(5), at(20)), "an earlier one may come later");
    let (people, devices) =
        ([PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2))], [DeviceId(Uuid::from_u128(1))]);
    errors::add_subjects(&mut tx, "a", &people, &devices).await.unwrap();
    errors::add_subjects(&mut tx, "a", &people[..1], &devices).await.unwrap();
    errors::add_subjects(&mut tx, "a", &[], &[]).await.unwrap();
    let group = errors::group(&mut tx, "a").await.unwrap().unwrap();
    assert_eq!((group.users, group.devices), (2, 1), "each counts once, and a person is no phone");
    assert_eq!((group.title.as_str(), group.route.as_deref()), ("row ‹id› is gone", Some("POST /api/v1/sync/push")));
    assert!(errors::set_status(&mut tx, "a", "resolved", Some(at(30)), Some(people[0]), at(30)).await.unwrap());
    assert!(!errors::set_status(&mut tx, "x", "resolved", None, None, at(30)).await.unwrap());
    let solved = errors::see(&mut tx, &sighting("a", 40, 40, 1), at(40)).await.unwrap();
    assert_eq!((solved.status.as_str(), solved.resolved_at), ("resolved", Some(at(30))), "as it stood before");
    errors::set_status(&mut tx, "a", "regressed", Some(at(30)), None, at(40)).await.unwrap();
    errors::see(&mut tx, &sighting("b", 50, 50, 1), at(50)).await.unwrap();
    assert_eq!((errors::count(&mut tx).await.unwrap(), errors::count_open(&mut tx).await.unwrap()), (2, 2));
    let back = errors::regressed(&mut tx, 10).await.unwrap();
    assert_eq!(back.iter().map(|group| group.fingerprint.as_str()).collect::<Vec<_>>(), ["a"]);
    let often = errors::most_frequent(&mut tx, at(0), at(60), 1).await.unwrap();
    assert_eq!(often[0].fingerprint, "a");
    tx.commit().await.unwrap();
}

async fn problems_of_phones_are_counted_for_all_and_for_each(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    let phone = DeviceId(Uuid::from_u128(1));
    for (fingerprint, source) in [("a", "phone"), ("b", "phone"), ("c", "desk")] {
        let seen = Sighting { source, ..sighting(fingerprint, 1, 1, 3) };
        errors::see(&mut tx, &seen, at(1)).await.unwrap();
    }
    for fingerprint in ["a", "c"] {
        errors::add_subjects(&mut tx, fingerprint, &[PersonId(phone.0)], &[phone]).await.unwrap();
    }
    assert_eq!((errors::count(&mut tx).await.unwrap(), errors::count_of_phones(&mut tx).await.unwrap()), (3, 2));
    assert_eq!(errors::count_of_phone(&mut tx, phone).await.unwrap(), 1, "neither the desk's nor a person's");
    assert_eq!(errors::count_of_phone(&mut tx, DeviceId(Uuid::nil())).await.unwrap(), 0);
}

async fn groups_are_listed_by_when_they_were_seen(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    for (name, first, last) in [("a", 0, 10), ("b", 5, 30), ("c", 20, 30), ("d", 40, 40)] {
        errors::see(&mut tx, &sighting(name, first, last, 1), at(last)).await.unwrap();
    }
    errors::set_status(&mut tx, "d", "ignored", None, None, at(41)).await.unwrap();
    let mut listed = async |filter: GroupFilter| {
        let found = errors::page(&mut tx, &GroupFilter { limit: filter.limit.max(1), ..filter }).await.unwrap();
        found.into_iter().map(|group| group.fingerprint).collect::<Vec<_>>()
    };
    let all = || GroupFilter { limit: 10, ..GroupFilter::default() };
    assert_eq!(listed(all()).await, ["d", "c", "b", "a"]);
    assert_eq!(listed(GroupFilter { status: Some(["open", "regressed"]), ..all() }).await, ["c", "b", "a"]);
    assert_eq!(listed(GroupFilter { from: Some(at(15)), to: Some(at(20)), ..all() }).await, ["b"], "seen within");
    assert_eq!(listed(GroupFilter { limit: 2, ..all() }).await, ["d", "c"]);
    assert_eq!(listed(GroupFilter { after: Some((at(30), "c".to_owned())), ..all() }).await, ["b", "a"]);
}

async fn samples_between_the_first_and_the_last_go_and_old_ones_are_removed(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    errors::see(&mut tx, &sighting("a", 1, 40, 40), at(40)).await.unwrap();
    let rows: Vec<SampleRow> = (1..=40).map(|number| sample("a", number)).collect();
    errors::add_samples(&mut tx, &rows).await.unwrap();
    errors::drop_samples(&mut tx, "a", 6, 20).await.unwrap();
    let kept = errors::samples(&mut tx, "a").await.unwrap();
    assert_eq!(
        kept.iter().map(|row| row.number).collect::<Vec<_>>(),
        [(21..=40).rev().collect::<Vec<_>>(), vec![5, 4, 3, 2, 1]].concat()
    );
    assert_eq!(kept[24], rows[0]);
    assert_eq!(errors::group_of_request(&mut tx, Uuid::from_u128(7)).await.unwrap().as_deref(), Some("a"));
    assert_eq!(errors::group_of_request(&mut tx, Uuid::nil()).await.unwrap(), None);
    assert_eq!(errors::remove_old_samples(&mut tx, at(3), 1).await.unwrap(), 1, "a bounded step");
    assert_eq!(errors::remove_old_samples(&mut tx, at(3), 100).await.unwrap(), 1);
    assert_eq!(errors::remove_old_samples(&mut tx, at(3), 100).await.unwrap(), 0);

    errors::see(&mut tx, &sighting("b", 50, 50, 1), at(50)).await.unwrap();
    errors::add_samples(&mut tx, &[sample("b", 1)]).await.unwrap();
    errors::add_subjects(&mut tx, "a", &[PersonId(Uuid::nil())], &[]).await.unwrap();
    assert_eq!(errors::remove_old_groups(&mut tx, at(41), 10).await.unwrap(), 1);
    assert!(errors::group(&mut tx, "a").await.unwrap().is_none());
    assert!(errors::samples(&mut tx, "a").await.unwrap().is_empty());
    assert_eq!(errors::samples(&mut tx, "b").await.unwrap().len(), 1, "the other one stays whole");
    let again = errors::see(&mut tx, &sighting("a", 60, 60, 1), at(60)).await.unwrap();
    assert_eq!(again.count, 1);
    errors::add_subjects(&mut tx, "a", &[PersonId(Uuid::nil())], &[]).await.unwrap();
    assert_eq!(errors::group(&mut tx, "a").await.unwrap().unwrap().users, 1, "nobody was left over");
}

async fn rules_states_and_settings_take_the_place_of_what_was_there(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    let rule = |id: &str, threshold: i64| RuleRow { id: id.to_owned(), rule: json!({ "threshold": threshold }) };
    for row in [rule("b", 1), rule("a", 2), rule("b", 3)] {
        alerts::set_rule(&mut tx, &row, Some(PersonId(Uuid::nil())), at(0)).await.unwrap();
    }
    assert_eq!(alerts::rules(&mut tx).await.unwrap(), [rule("a", 2), rule("b", 3)]);
    assert!(alerts::remove_rule(&mut tx, "a").await.unwrap() && !alerts::remove_rule(&mut tx, "a").await.unwrap());

    let (own, nobody, other) = (DeviceId(Uuid::from_u128(1)), DeviceId(Uuid::nil()), DeviceId(Uuid::from_u128(2)));
    let state = |desk, told: i64| StateRow {
        desk,
        rule_id: "a".to_owned(),
        states: json!({ "": { "phase": "firing" } }),
        told: json!({ "at": told }),
    };
    for row in [state(own, 1), state(nobody, 2), state(other, 3), state(own, 4)] {
        alerts::set_state(&mut tx, &row, at(1)).await.unwrap();
    }
    assert_eq!(alerts::states(&mut tx, [own, nobody]).await.unwrap(), [state(nobody, 2), state(own, 4)]);
    alerts::remove_states(&mut tx, "a").await.unwrap();
    assert!(alerts::states(&mut tx, [own, other]).await.unwrap().is_empty());

    assert_eq!(alerts::setting(&mut tx, "settings").await.unwrap(), None);
    for value in [json!({ "push": true }), json!({ "push": false })] {
        alerts::set_setting(&mut tx, "settings", &value, None, at(2)).await.unwrap();
        assert_eq!(alerts::setting(&mut tx, "settings").await.unwrap(), Some(value));
    }
}

async fn one_desk_has_the_turn(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    let (one, other) = (DeviceId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)));
    let mut takes = async |desk, now: i64| alerts::take_turn(&mut tx, desk, at(now + 45), at(now)).await.unwrap();
    assert!(takes(one, 0).await && !takes(other, 10).await);
    assert!(takes(one, 10).await, "who has it keeps it");
    assert!(!takes(other, 54).await && takes(other, 55).await, "its time is over");
    assert!(!takes(one, 56).await);
    alerts::give_turn_up(&mut tx, one).await.unwrap();
    assert!(!alerts::take_turn(&mut tx, one, at(100), at(57)).await.unwrap(), "it was not its own to give");
    alerts::give_turn_up(&mut tx, other).await.unwrap();
    assert!(alerts::take_turn(&mut tx, one, at(100), at(57)).await.unwrap());
}

fn event(number: u128, second: i64) -> EventRow {
    EventRow {
        id: Uuid::from_u128(number),
        desk: DeviceId(Uuid::nil()),
        rule_id: "phone_away_unsent".to_owned(),
        kind: "firing".to_owned(),
        severity: "warning".to_owned(),
        headline: "A phone is away with unsent work".to_owned(),
        detail: Some("Maria's phone: 12 min".to_owned()),
        subjects: json!([{ "subject": "x" }]),
        quiet: false,
        desktop: true,
        push: None,
        webhook: None,
        attempts: 0,
        next_attempt_at: None,
        at: at(second),
        outside: Some("A phone: 12 min".to_owned()),
        number: 0,
    }
}

fn numbers(rows: &[EventRow]) -> Vec<u128> {
    rows.iter().map(|row| row.id.as_u128()).collect()
}

async fn what_was_said_is_listed_and_taken_up_once(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    let due = EventRow { webhook: Some(Outgoing::Waiting), next_attempt_at: Some(at(5)), ..event(2, 5) };
    let silent = EventRow { quiet: true, detail: None, ..event(3, 6) };
    let elsewhere = EventRow { desktop: false, push: Some(Outgoing::Sent), ..event(4, 6) };
    // One that is noted a second time was noted after all.
    for row in [&event(1, 5), &due, &due, &silent, &elsewhere] {
        alerts::add_event(&mut tx, row).await.unwrap();
    }
    let all = alerts::events(&mut tx, None, 10).await.unwrap();
    assert_eq!(numbers(&all), [4, 3, 2, 1]);
    assert_eq!(all[2], EventRow { number: 2, ..due.clone() });
    assert_eq!(numbers(&alerts::events(&mut tx, Some((at(6), Uuid::from_u128(3))), 1).await.unwrap()), [2]);
    assert_eq!(numbers(&alerts::events_between(&mut tx, at(5), at(6), 10).await.unwrap()), [1, 2]);
    let newest = alerts::events_between(&mut tx, at(5), at(6), 1).await.unwrap();
    assert_eq!(numbers(&newest), [2], "the newest, if there are too many");

    let ready = Ready { webhook: true, over_before: at(0) };
    let mut due_at =
        async |second: i64, ready: Ready| numbers(&alerts::due_events(&mut tx, at(second), ready, 10).await.unwrap());
    assert!(due_at(4, ready).await.is_empty());
    assert_eq!(due_at(5, ready).await, [2]);
    let without_key = Ready { webhook: false, ..ready };
    assert!(due_at(5, without_key).await.is_empty(), "another desk can open the address");
    assert_eq!(due_at(5, Ready { over_before: at(6), ..without_key }).await, [2], "giving up takes no key");
    let taken = alerts::claim_event(&mut tx, due.id, at(5), at(65)).await.unwrap().unwrap();
    assert_eq!(taken, EventRow { next_attempt_at: Some(at(65)), number: 2, ..due.clone() });
    assert_eq!(alerts::claim_event(&mut tx, due.id, at(6), at(66)).await.unwrap(), None, "it is somebody's");
    let settled = EventRow { webhook: Some(Outgoing::Sent), attempts: 1, next_attempt_at: None, ..taken };
    assert!(!alerts::settle_event(&mut tx, &settled, at(64)).await.unwrap(), "that lease is another one");
    assert!(alerts::settle_event(&mut tx, &settled, at(65)).await.unwrap());
    alerts::end_waits(&mut tx, at(70)).await.unwrap();
    assert!(
        alerts::due_events(&mut tx, at(100), ready, 10).await.unwrap().is_empty(),
        "what is done waits for nothing"
    );
    assert_eq!(alerts::events(&mut tx, None, 10).await.unwrap()[2], settled);
    let before = at(6) + TimeDelta::milliseconds(0);
    assert_eq!(alerts::remove_old_events(&mut tx, before, 1).await.unwrap(), 1);
    assert_eq!(alerts::remove_old_events(&mut tx, before, 10).await.unwrap(), 1);
    assert_eq!(numbers(&alerts::events(&mut tx, None, 10).await.unwrap()), [4, 3]);
}

/// Laptops do not agree on the time, and it is set back: what is said later has the greater number all the same.
async fn desktops_go_on_by_a_number(store: TestStore) {
    let db = store.db.open_telemetry().await.unwrap();
    let mut tx = write(&db).await;
    assert_eq!(alerts::last_number(&mut tx).await.unwrap(), 0);
    let elsewhere = EventRow { desktop: false, ..event(3, 50) };
    let silent = EventRow { quiet: true, ..event(4, 50) };
    for row in [&event(1, 7_200), &event(9, 5), &elsewhere, &silent, &event(2, 5)] {
        alerts::add_event(&mut tx, row).await.unwrap();
    }
    let all = alerts::events_for_desktop(&mut tx, 0, 10).await.unwrap();
    assert_eq!(numbers(&all), [1, 9, 2]);
    assert_eq!(all.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 5]);
    assert_eq!(numbers(&alerts::events_for_desktop(&mut tx, 1, 1).await.unwrap()), [9]);
    assert_eq!(alerts::last_number(&mut tx).await.unwrap(), 5);
    tx.commit().await.unwrap();
}

/// Two desks say something at the same time: the second one waits for its number until the first one's is there to be
/// read, so nobody goes on past a number that is still to come.
#[test]
fn a_later_number_is_never_seen_before_an_earlier_one() {
    run_plain(async {
        let store = TestStore::open(Some(fresh_database_url().await)).await;
        let db = store.db.open_telemetry().await.unwrap();
        let (mut one, mut other) = (write(&db).await, write(&db).await);
        alerts::add_event(&mut one, &event(1, 5)).await.unwrap();
        let waiting = async {
            alerts::add_event(&mut other, &event(2, 1)).await.unwrap();
            other.commit().await.unwrap();
        };
        let telling = async {
            // The other desk's attempt begins before this one ends.
            tokio::task::yield_now().await;
            one.commit().await.unwrap();
        };
        tokio::join!(biased; waiting, telling);
        let mut tx = write(&db).await;
        let all = alerts::events_for_desktop(&mut tx, 0, 10).await.unwrap();
        assert_eq!(all.iter().map(|row| (row.id.as_u128(), row.number)).collect::<Vec<_>>(), [(1, 1), (2, 2)]);
    });
}

/// Row-level security alone: the program's own housekeeping writes, and only those who run the show read.
#[test]
fn only_who_runs_the_show_sees_problems_and_alerts() {
    run_plain(async {
        let store = TestStore::open(Some(fresh_database_url().await)).await;
        let known = fill(&store.db).await;
        let db = store.db.open_telemetry().await.unwrap();
        let mut tx = write(&db).await;
        errors::see(&mut tx, &sighting("a", 1, 1, 1), at(1)).await.unwrap();
        errors::add_samples(&mut tx, &[sample("a", 1)]).await.unwrap();
        let rule = RuleRow { id: "a".to_owned(), rule: json!({}) };
        alerts::set_rule(&mut tx, &rule, None, at(1)).await.unwrap();
        alerts::add_event(&mut tx, &event(1, 5)).await.unwrap();
        alerts::set_setting(&mut tx, "settings", &json!({}), None, at(1)).await.unwrap();
        let state = StateRow { desk: known.device, rule_id: "a".to_owned(), states: json!({}), told: json!({}) };
        alerts::set_state(&mut tx, &state, at(1)).await.unwrap();
        tx.commit().await.unwrap();
        for (who, expected) in [(Seat::Person(known.person), 1), (Seat::Person(PersonId(Uuid::now_v7())), 0)] {
            let mut tx = db.begin_read(who).await.unwrap();
            let all = GroupFilter { limit: 10, ..GroupFilter::default() };
            let seen = [
                errors::page(&mut tx, &all).await.unwrap().len(),
                errors::samples(&mut tx, "a").await.unwrap().len(),
                alerts::rules(&mut tx).await.unwrap().len(),
                alerts::events(&mut tx, None, 10).await.unwrap().len(),
                alerts::states(&mut tx, [known.device; 2]).await.unwrap().len(),
                usize::from(alerts::setting(&mut tx, "settings").await.unwrap().is_some()),
            ];
            assert_eq!(seen, [expected; 6], "{who:?}");
            drop(tx);
            let mut tx = db.begin_write(who).await.unwrap();
            assert!(alerts::set_rule(&mut tx, &rule, None, at(2)).await.is_err(), "{who:?}");
        }
    });
}

on_both_engines![TestStore::open =>
    errors_are_counted_into_their_group,
    problems_of_phones_are_counted_for_all_and_for_each,
    groups_are_listed_by_when_they_were_seen,
    samples_between_the_first_and_the_last_go_and_old_ones_are_removed,
    rules_states_and_settings_take_the_place_of_what_was_there,
    one_desk_has_the_turn,
    what_was_said_is_listed_and_taken_up_once,
    desktops_go_on_by_a_number,
];
