//! Messages from end to end: written at the desk or on a phone, kept for each person, confirmed, taken back.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::people::id_of;
use crate::phone::{Answer, Phone, fresh, insert, send, update};
use crate::seed::{seed, set_stage};

on_both_engines!(
    a_message_reaches_its_people_and_counts_follow_honestly,
    an_announcement_of_a_phone_is_one_message_however_often_it_is_sent,
    acknowledging_only_rises_and_tells_nothing_about_others,
    a_confirmation_on_one_phone_is_told_again,
    what_is_taken_back_comes_again_at_the_end,
    who_has_not_seen_it_is_reminded,
    an_expired_one_is_skipped_and_told_as_missed,
    viewers_get_what_is_addressed_to_them,
    pages_have_no_gap_while_others_send,
    a_message_that_can_be_undone_waits_and_is_cancelled,
    a_scheduled_message_goes_out_when_its_time_has_come,
    a_scheduled_message_is_changed_until_it_is_out,
    a_test_goes_to_nobody_else,
    messages_survive_a_restart,
);

/// Longest wait for something that the desk does by itself.
const DEADLINE: Duration = Duration::from_secs(30);

/// A person's messages after a number.
pub(crate) async fn notices(phone: &Phone, after: i64) -> Json {
    let path = format!("/me/notifications?after={after}");
    send(phone.request(Method::GET, &path)).await.expect_status(200)
}

pub(crate) fn titles(page: &Json) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().map(|item| item["title"].as_str().expect("a title")).collect()
}

pub(crate) async fn ack(phone: &Phone, ids: &[&Json], state: &str) -> Answer {
    send(phone.request(Method::POST, "/me/notifications/ack").json(&json!({"ids": ids, "state": state}))).await
}

pub(crate) async fn acked(phone: &Phone, id: &Json, state: &str) -> i64 {
    ack(phone, &[id], state).await.expect_status(200)["updated"].as_i64().expect("a number")
}

pub(crate) async fn message(desk: &Desk, id: &Json) -> Json {
    desk.get(&format!("/admin/notifications/{}", id.as_str().expect("an id"))).await.expect_status(200)
}

pub(crate) async fn act(desk: &Desk, id: &Json, deed: &str) -> Answer {
    desk.post(&format!("/admin/notifications/{}/{deed}", id.as_str().expect("an id")), &json!({})).await
}

pub(crate) async fn sent(desk: &Desk, body: Json) -> Json {
    desk.post("/admin/notifications", &body).await.expect_status(201)
}

/// Waits until the person has a message of that title.
pub(crate) async fn wait_for(phone: &Phone, title: &str) -> Json {
    let until = Instant::now() + DEADLINE;
    loop {
        let page = notices(phone, 0).await;
        let found = page["items"].as_array().expect("items").iter().find(|item| item["title"] == title).cloned();
        if let Some(found) = found {
            return found;
        }
        assert!(Instant::now() < until, "{title} did not come: {page}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until so many deliveries of the message are in that state, and answers the message: the desk's own worker may
/// hold them just then.
pub(crate) async fn wait_for_count(desk: &Desk, id: &Json, state: &str, count: usize) -> Json {
    let until = Instant::now() + DEADLINE;
    loop {
        let item = message(desk, id).await;
        if item["counts"][state] == json!(count) {
            return item;
        }
        assert!(Instant::now() < until, "not {count} {state}: {item}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn a_message_reaches_its_people_and_counts_follow_honestly(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let scale = desk.phone("Scale", &["scale"]).await;
    let reach = desk.post("/admin/notifications/reach", &json!({"audience": {"functions": ["gate", "scale"]}})).await;
    let reach = reach.expect_status(200);
    assert_eq!((&reach["people"], &reach["devices"], &reach["away"]), (&json!(2), &json!(2), &json!(0)), "{reach}");
    let part = |key: &str, label: &str| json!({"key": key, "label": label, "people": 1});
    assert_eq!(reach["parts"], json!([part("function:gate", "Gate crew"), part("function:scale", "Scale crew")]));

    let body =
        json!({"title": "Gates open", "body": "West first.", "priority": "high", "audience": {"functions": ["gate"]}});
    let made = sent(&desk, body).await;
    assert_eq!(made["reach"], json!({"people": 1, "devices": 1, "away": 0}));
    assert_eq!(made["undo_until"], Json::Null);
    let page = notices(&gate, 0).await;
    let notice = &page["items"][0];
    assert_eq!((&notice["seq"], &notice["id"], &notice["title"]), (&json!(1), &made["id"], &json!("Gates open")));
    assert_eq!((&notice["type"], &notice["body"]), (&json!("message"), &json!("West first.")));
    assert_eq!((&notice["priority"], &notice["needs_ack"]), (&json!("high"), &json!(true)), "Important is confirmed");
    assert_eq!((&notice["state"], &page["latest"], &page["more"]), (&json!("waiting"), &json!(1), &json!(false)));
    assert!(notice["from"].as_str().is_some_and(|from| from.contains("desk")), "{notice}");
    assert_eq!(notices(&scale, 0).await["items"], json!([]), "it is not for the scale");

    let seen = message(&desk, &made["id"]).await;
    assert_eq!(
        (&seen["status"], &seen["sent_at"], &seen["people"]),
        (&json!("pending"), &Json::Null, &json!(1)),
        "{seen}"
    );
    assert_eq!((&seen["counts"]["waiting"], &seen["audience_text"]), (&json!(1), &json!("Gate crew")));
    assert_eq!(acked(&gate, &made["id"], "delivered").await, 1);
    let seen = message(&desk, &made["id"]).await;
    assert_eq!((&seen["status"], &seen["counts"]["delivered"]), (&json!("sent"), &json!(1)));
    assert!(seen["sent_at"].is_string(), "a phone has it now");
    assert_eq!(acked(&gate, &made["id"], "confirmed").await, 1);
    let seen = message(&desk, &made["id"]).await;
    assert_eq!((&seen["counts"]["confirmed"], &seen["counts"]["delivered"]), (&json!(1), &json!(0)));
    let line = &seen["deliveries"][0];
    assert_eq!(
        (&line["channel"], &line["status"], &line["device"]["name"]),
        (&json!("local"), &json!("confirmed"), &json!("Gate"))
    );
    let list = desk.get("/admin/notifications?state=sent").await.expect_status(200);
    assert_eq!((&list["items"][0]["id"], &list["cursor"]), (&made["id"], &Json::Null));
    let kept = desk.data("announcements", made["id"].as_str().expect("an id")).await;
    assert_eq!((&kept["title"], &kept["audience"]), (&json!("Gates open"), &json!({"functions": ["gate"]})));
}

async fn an_announcement_of_a_phone_is_one_message_however_often_it_is_sent(desk: Desk) {
    set_stage(&desk, "B").await;
    let maria = desk.phone("Maria Lopez", &["announcer"]).await;
    let scale = desk.phone("Scale", &["scale"]).await;
    let id = fresh();
    let op = insert("announcements", &id, json!({"type": "weather", "title": "Lightning", "priority": "urgent"}));
    for replay in 0..3 {
        let result = maria.push_one(&op).await;
        assert_eq!((&result["verdict"], result["replayed"].is_null()), (&json!("applied"), replay == 0), "{result}");
    }
    let page = notices(&scale, 0).await;
    assert_eq!(titles(&page), ["Lightning"]);
    let notice = &page["items"][0];
    assert_eq!((&notice["id"], &notice["from"]), (&json!(id), &json!("Maria Lopez")));
    assert_eq!((&notice["priority"], &notice["state"]), (&json!("urgent"), &json!("waiting")));
    let own = notices(&maria, 0).await;
    assert_eq!(
        (titles(&own), &own["items"][0]["state"]),
        (vec!["Lightning"], &json!("seen")),
        "she knows what she wrote"
    );
    let list = desk.get("/admin/notifications").await.expect_status(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!((&list["items"][0]["people"], &list["items"][0]["source"]), (&json!(1), &json!("person")), "{list}");
    // Taking it back is an update of the announcement.
    let back =
        update("announcements", &id, 1, json!({"retracted_at": "2026-08-07T10:00:00Z"}), json!({"retracted_at": null}));
    assert_eq!(maria.push_one(&back).await["verdict"], "applied");
    let page = notices(&scale, 1).await;
    assert_eq!((&page["items"][0]["id"], &page["items"][0]["seq"]), (&json!(id), &json!(2)));
    assert!(page["items"][0]["retracted_at"].is_string(), "{page}");
    // What was refused tells nobody anything.
    let refused = scale.push_one(&insert("announcements", &fresh(), json!({"type": "message", "title": "No"}))).await;
    assert_eq!(refused["verdict"], "rejected");
    assert_eq!(notices(&maria, 1).await["items"].as_array().map(Vec::len), Some(1), "only the one taken back");
}

async fn acknowledging_only_rises_and_tells_nothing_about_others(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let scale = desk.phone("Scale", &["scale"]).await;
    let made = sent(&desk, json!({"title": "For the gate", "audience": {"functions": ["gate"]}})).await;
    let id = &made["id"];
    assert_eq!(acked(&scale, id, "confirmed").await, 0, "somebody else's");
    assert_eq!(acked(&gate, &json!(fresh()), "seen").await, 0, "nobody's");
    assert_eq!(message(&desk, id).await["counts"]["waiting"], 1, "others change nothing");
    for (state, updated, stands) in [
        ("seen", 1, "seen"),
        ("delivered", 0, "seen"),
        ("seen", 0, "seen"),
        ("confirmed", 1, "confirmed"),
        ("seen", 0, "confirmed"),
    ] {
        assert_eq!(acked(&gate, id, state).await, updated, "{state}");
        let page = notices(&gate, 0).await;
        assert_eq!(page["items"][0]["state"], stands, "after {state}");
    }
    let twice = ack(&gate, &[id, id], "seen").await.expect_status(200);
    assert_eq!(twice["updated"], 0);
    assert_eq!(ack(&gate, &[], "seen").await.expect_status(200)["updated"], 0);
    for (body, status) in [
        (json!({"ids": [id], "state": "waiting"}), 422),
        (json!({"ids": [id], "state": "read"}), 422),
        (json!({"ids": ["x"], "state": "seen"}), 422),
        (json!({"ids": id, "state": "seen"}), 422),
        (json!({"state": "seen"}), 422),
        (json!({"ids": [id], "state": "seen", "user_id": fresh()}), 422),
        (json!({"ids": (0..501).map(|_| fresh()).collect::<Vec<_>>(), "state": "seen"}), 422),
    ] {
        send(gate.request(Method::POST, "/me/notifications/ack").json(&body)).await.expect_problem(status);
    }
    for query in ["after=-1", "after=x", "after=1.5", "limit=0", "limit=-1", "since=1"] {
        send(gate.request(Method::GET, &format!("/me/notifications?{query}"))).await.expect_problem(400);
    }
}

async fn a_confirmation_on_one_phone_is_told_again(desk: Desk) {
    let first = desk.phone("Barn", &["gate"]).await;
    let second = desk.phone("Ring", &["gate"]).await;
    // Two phones of one person.
    let (barn, ring) = (id_of(&desk, "Barn").await, id_of(&desk, "Ring").await);
    desk.post(&format!("/admin/devices/{ring}/merge"), &json!({"into": barn})).await.expect_status(200);
    let made = sent(&desk, json!({"title": "Confirm", "priority": "high", "audience": {"functions": ["gate"]}})).await;
    assert_eq!(made["reach"], json!({"people": 1, "devices": 2, "away": 0}));
    let before = notices(&second, 0).await["latest"].as_i64().expect("a number");
    assert_eq!(acked(&first, &made["id"], "confirmed").await, 1);
    let again = notices(&second, before).await;
    assert_eq!((titles(&again), &again["items"][0]["state"]), (vec!["Confirm"], &json!("confirmed")), "{again}");
    let seen = message(&desk, &made["id"]).await;
    assert_eq!((&seen["counts"]["confirmed"], &seen["people"]), (&json!(1), &json!(1)), "a person counts once: {seen}");
}

async fn what_is_taken_back_comes_again_at_the_end(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let first = sent(&desk, json!({"title": "First", "audience": {"everybody": true}})).await;
    sent(&desk, json!({"title": "Second", "audience": {"everybody": true}})).await;
    let item = act(&desk, &first["id"], "retract").await.expect_status(200);
    assert!(item["retracted_at"].is_string(), "{item}");
    let page = notices(&gate, 0).await;
    assert_eq!(titles(&page), ["Second", "First"], "a phone that was away learns of it in order");
    assert!(page["items"][1]["retracted_at"].is_string() && page["items"][0]["retracted_at"].is_null());
    act(&desk, &first["id"], "retract").await.expect_status(200);
    assert_eq!(notices(&gate, 0).await["latest"], page["latest"], "twice is once");
    assert!(desk.data("announcements", first["id"].as_str().expect("an id")).await["retracted_at"].is_string());
    assert_eq!(act(&desk, &first["id"], "remind").await.expect_problem(409)["code"], "retracted");
    for deed in ["retract", "remind", "cancel"] {
        act(&desk, &json!(fresh()), deed).await.expect_problem(404);
    }
    assert_eq!(act(&desk, &first["id"], "cancel").await.expect_problem(409)["code"], "already_sent");
}

async fn who_has_not_seen_it_is_reminded(desk: Desk) {
    let saw = desk.phone("Saw", &["gate"]).await;
    let away = desk.phone("Away", &["gate"]).await;
    let to = json!({"functions": ["gate"]});
    let info = sent(&desk, json!({"title": "Info", "audience": to})).await;
    acked(&saw, &info["id"], "seen").await;
    assert_eq!(act(&desk, &info["id"], "remind").await.expect_status(200)["reminded"], 1, "one has not seen it");
    let again = notices(&away, 1).await;
    assert_eq!(titles(&again), ["Info"]);
    assert!(again["items"][0]["reminded_at"].is_string(), "{again}");
    assert_eq!(notices(&saw, 1).await["items"], json!([]), "who saw it is left alone");
    let important = sent(&desk, json!({"title": "Important", "priority": "high", "audience": to})).await;
    acked(&saw, &important["id"], "seen").await;
    assert_eq!(act(&desk, &important["id"], "remind").await.expect_status(200)["reminded"], 2, "seen is not confirmed");
    acked(&saw, &important["id"], "confirmed").await;
    acked(&away, &important["id"], "confirmed").await;
    assert_eq!(act(&desk, &important["id"], "remind").await.expect_status(200)["reminded"], 0);
}

async fn an_expired_one_is_skipped_and_told_as_missed(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let soon = (chrono::Utc::now() + chrono::TimeDelta::milliseconds(1_500)).to_rfc3339();
    sent(&desk, json!({"title": "Short", "expires_at": soon, "audience": {"everybody": true}})).await;
    sent(&desk, json!({"title": "Long", "audience": {"everybody": true}})).await;
    assert_eq!(titles(&notices(&gate, 0).await), ["Short", "Long"]);
    let until = Instant::now() + DEADLINE;
    let page = loop {
        let page = notices(&gate, 0).await;
        if titles(&page) == ["Long"] {
            break page;
        }
        assert!(Instant::now() < until, "{page}");
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&page["latest"], &page["items"][0]["seq"]), (&json!(2), &json!(2)), "its number is skipped");
    assert_eq!(page["missed"][0]["title"], "Short");
    assert_eq!(notices(&gate, 2).await["missed"], json!([]), "it is told once");
}

async fn viewers_get_what_is_addressed_to_them(desk: Desk) {
    let seed = seed(&desk).await;
    let parent = desk.phone_in("Parent", &["viewer"], json!({"exhibitor_ids": [seed.exhibitor]})).await;
    let guest = desk.phone("Guest", &["viewer"]).await;
    let gate = desk.phone("Gate", &["gate"]).await;
    let entry = crate::phone::v5(&seed.class, &seed.steer);
    let entered = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, entered)]).await;
    for (title, audience) in [
        ("To the gate", json!({"functions": ["gate"]})),
        ("To their class", json!({"class_ids": [seed.class]})),
        ("To cattle", json!({"departments": ["cattle"]})),
        ("To them", json!({"exhibitor_ids": [seed.exhibitor]})),
        ("To sheep", json!({"departments": ["sheep"]})),
        ("To viewers", json!({"functions": ["viewer"]})),
        ("To all", json!({"everybody": true})),
        ("To all, too", json!({})),
    ] {
        sent(&desk, json!({"title": title, "audience": audience})).await;
    }
    let of = async |phone: &Phone| titles(&notices(phone, 0).await).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let parents = ["To their class", "To cattle", "To them", "To viewers", "To all", "To all, too"];
    assert_eq!(of(&parent).await, parents);
    assert_eq!(of(&guest).await, ["To viewers", "To all", "To all, too"]);
    assert_eq!(of(&gate).await, ["To the gate", "To cattle", "To sheep", "To all", "To all, too"]);
}

async fn pages_have_no_gap_while_others_send(desk: Desk) {
    const EACH: usize = 20;
    let reader = desk.phone("Reader", &["gate"]).await;
    let sending = (0..3).map(|sender| {
        let desk = &desk;
        async move {
            for number in 0..EACH {
                let title = format!("{sender} {number}");
                sent(desk, json!({"title": title, "audience": {"functions": ["gate"]}})).await;
            }
        }
    });
    let reading = async {
        let (mut after, mut read, until) = (0, Vec::new(), Instant::now() + DEADLINE);
        while read.len() < 3 * EACH {
            let path = format!("/me/notifications?after={after}&limit=7");
            let page = send(reader.request(Method::GET, &path)).await.expect_status(200);
            for item in page["items"].as_array().expect("items") {
                let seq = item["seq"].as_i64().expect("a number");
                assert_eq!(seq, after + 1, "no gap and no double: {page}");
                after = seq;
                read.push(item["title"].as_str().expect("a title").to_owned());
            }
            assert!(page["latest"].as_i64() >= Some(after), "{page}");
            assert!(Instant::now() < until, "{read:?}");
        }
        read
    };
    let (_, read) = tokio::join!(futures_util::future::join_all(sending), reading);
    let different: BTreeSet<&String> = read.iter().collect();
    assert_eq!((read.len(), different.len()), (3 * EACH, 3 * EACH));
    for sender in 0..3 {
        let own: Vec<&String> = read.iter().filter(|title| title.starts_with(&format!("{sender} "))).collect();
        let in_order: Vec<String> = (0..EACH).map(|number| format!("{sender} {number}")).collect();
        assert!(own.iter().copied().eq(in_order.iter()), "{own:?}");
    }
}

async fn a_message_that_can_be_undone_waits_and_is_cancelled(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let made = sent(&desk, json!({"title": "Oh no", "undo_seconds": 60, "audience": {"everybody": true}})).await;
    assert!(made["undo_until"].is_string() && made["send_at"] == made["undo_until"], "{made}");
    let list = desk.get("/admin/notifications?state=scheduled").await.expect_status(200);
    assert_eq!(list["items"][0]["id"], made["id"]);
    let item = act(&desk, &made["id"], "cancel").await.expect_status(200);
    assert!(item["cancelled_at"].is_string() && item["released_at"].is_null(), "{item}");
    act(&desk, &made["id"], "cancel").await.expect_status(200);
    assert_eq!(act(&desk, &made["id"], "retract").await.expect_problem(409)["code"], "not_sent");
    let list = desk.get("/admin/notifications?state=scheduled").await.expect_status(200);
    assert_eq!(list["items"], json!([]));
    let rows = gate.pull_all().await;
    assert!(!rows.keys().any(|(table, _)| table == "announcements"), "nobody ever had it");
    assert_eq!(notices(&gate, 0).await["latest"], 0);
}

async fn a_scheduled_message_goes_out_when_its_time_has_come(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let at = (chrono::Utc::now() + chrono::TimeDelta::milliseconds(1_200)).to_rfc3339();
    let made = sent(&desk, json!({"title": "Lunch", "send_at": at, "audience": {"everybody": true}})).await;
    assert_eq!(notices(&gate, 0).await["items"], json!([]), "not yet");
    let notice = wait_for(&gate, "Lunch").await;
    assert_eq!(notice["id"], made["id"]);
    let item = message(&desk, &made["id"]).await;
    assert!(item["released_at"].as_str() >= item["send_at"].as_str(), "{item}");
    assert_eq!(desk.data("announcements", made["id"].as_str().expect("an id")).await["title"], "Lunch");
    assert_eq!(act(&desk, &made["id"], "cancel").await.expect_problem(409)["code"], "already_sent");
    let changed = desk.request(Method::PUT, &format!("/admin/notifications/{}", made["id"].as_str().expect("an id")));
    let changed = send(changed.json(&json!({"title": "Dinner", "audience": {"everybody": true}}))).await;
    assert_eq!(changed.expect_problem(409)["code"], "already_sent");
}

async fn a_scheduled_message_is_changed_until_it_is_out(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let at = (chrono::Utc::now() + chrono::TimeDelta::hours(2)).to_rfc3339();
    let made = sent(&desk, json!({"title": "Lunch", "send_at": at, "audience": {"functions": ["scale"]}})).await;
    let path = format!("/admin/notifications/{}", made["id"].as_str().expect("an id"));
    let mut change = json!({"title": "Dinner", "priority": "high", "test": true, "audience": {"functions": ["gate"]}});
    send(desk.request(Method::PUT, &path).json(&change)).await.expect_problem(422);
    change["test"] = json!(false);
    send(desk.request(Method::PUT, &path).json(&change)).await.expect_status(200);
    let notice = wait_for(&gate, "Dinner").await;
    assert_eq!((&notice["id"], &notice["needs_ack"]), (&made["id"], &json!(true)));
    let unknown = format!("/admin/notifications/{}", fresh());
    send(desk.request(Method::PUT, &unknown).json(&change)).await.expect_problem(404);
}

async fn a_test_goes_to_nobody_else(desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let made = sent(&desk, json!({"title": "Only me", "test": true, "audience": {"everybody": true}})).await;
    assert_eq!(made["reach"]["devices"], 0, "the one at the desk has no phone: {made}");
    assert_eq!(notices(&gate, 0).await["items"], json!([]));
    let rows = gate.pull_all().await;
    assert!(!rows.keys().any(|(table, _)| table == "announcements"), "it is no announcement");
    let own = send(desk.request(Method::GET, "/me/notifications")).await.expect_status(200);
    assert_eq!(titles(&own), ["Only me"], "whoever asked reads it at the desk");
}

async fn messages_survive_a_restart(mut desk: Desk) {
    let gate = desk.phone("Gate", &["gate"]).await;
    let first = sent(&desk, json!({"title": "Before", "audience": {"everybody": true}})).await;
    let at = (chrono::Utc::now() + chrono::TimeDelta::milliseconds(500)).to_rfc3339();
    sent(&desk, json!({"title": "While it was off", "send_at": at, "audience": {"everybody": true}})).await;
    acked(&gate, &first["id"], "seen").await;
    desk.program.terminate().await;
    desk.start_again().await;
    let gate = Phone::with_token(&desk.program.http, gate.token()).await;
    wait_for(&gate, "While it was off").await;
    let page = notices(&gate, 0).await;
    assert_eq!((titles(&page), &page["items"][0]["state"]), (vec!["Before", "While it was off"], &json!("seen")));
}
