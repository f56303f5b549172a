//! Messages that wait for their time, on a clock that is set: before a class that is moved, and over the night in which
//! clocks are put back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use serde_json::value::to_raw_value;
use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, Function};
use showdesk_engine::api::attention::AuditQuery;
use showdesk_engine::api::notifications::{MessageItem, NewMessage};
use showdesk_engine::api::sync::{PullQuery, Push, VerdictName};
use showdesk_engine::{Engine, MessageState, Options};
use showdesk_testkit::{Joining, SetClock, on_both_engines};
use tempfile::TempDir;
use uuid::Uuid;

on_both_engines!(Show::in_summer =>
    a_message_waits_for_a_class_that_is_put_off,
    a_message_goes_out_at_once_if_its_class_is_brought_forward_over_it,
    a_message_before_a_class_that_is_cancelled_never_goes_out,
    a_message_that_was_over_before_the_desk_came_back_is_told_of,
    a_message_whose_class_moves_behind_its_end_says_so_and_is_told_of,
    a_message_that_reaches_nobody_does_not_wait_for_ever,
);
on_both_engines!(Show::in_the_night_before_winter_time =>
    a_message_goes_out_once_at_its_own_moment_when_clocks_are_put_back,
);
on_both_engines!(Show::in_the_night_before_summer_time =>
    a_message_goes_out_once_at_its_own_moment_when_clocks_are_put_forward,
);

/// A show with one class, and a phone at the gate.
struct Show {
    engine: Engine,
    desk: Actor,
    gate: Actor,
    clock: Arc<SetClock>,
    class: Uuid,
    class_version: AtomicI64,
    next_seq: AtomicI64,
    _folder: TempDir,
}

impl Show {
    /// Class 15 is at ten, and it is eight.
    async fn in_summer(database_url: Option<String>) -> Self {
        Self::open(database_url, "UTC", "2026-08-07T08:00:00Z", "2026-08-07T10:00:00.000Z").await
    }

    /// At noon of the day before; at two in the night it is one again. Class 15 is at half past two.
    async fn in_the_night_before_winter_time(database_url: Option<String>) -> Self {
        Self::open(database_url, "America/Chicago", "2026-10-31T17:00:00Z", "2026-11-01T08:30:00.000Z").await
    }

    /// At noon of the day before; at two in the night it is three. Class 15 is at half past three.
    async fn in_the_night_before_summer_time(database_url: Option<String>) -> Self {
        Self::open(database_url, "America/Chicago", "2026-03-07T18:00:00Z", "2026-03-08T08:30:00.000Z").await
    }

    async fn open(database_url: Option<String>, timezone: &str, now: &str, class_at: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = SetClock::at_ms(moment(now).timestamp_millis());
        let options = Options { database_url, clock: Arc::<SetClock>::clone(&clock), ..Options::new(folder.path()) };
        let engine = Engine::open(options).await.expect("a show");
        let desk = engine.desk_actor().await.expect("the desk");
        let pass = Joining::to(&[Function::Gate]).let_in(&engine, "Gate").await;
        let gate = engine.authenticate(&pass.token).await.expect("a phone");
        let (class, class_version, next_seq) = (Uuid::now_v7(), AtomicI64::new(1), AtomicI64::new(1));
        let show = Self { engine, desk, gate, clock, class, class_version, next_seq, _folder: folder };
        show.set_timezone(timezone).await;
        let data = json!({
            "name": "Open Steer", "code": "15", "department": "cattle", "kind": "market", "planned_at": class_at,
        });
        show.push("insert", "classes", class, 0, &data).await;
        show
    }

    async fn set_timezone(&self, timezone: &str) {
        let query = PullQuery { limit: 10, tables: vec!["shows".to_owned()], ..PullQuery::default() };
        let page = self.engine.pull(&self.desk, query).await.expect("a page");
        let row: Json = serde_json::from_str(&page.changes[0]).expect("JSON");
        let id = row["record_id"].as_str().expect("an id").parse().expect("an id");
        let version = row["version"].as_i64().expect("a version");
        self.push("update", "shows", id, version, &json!({"timezone": timezone})).await;
    }

    async fn push(&self, operation: &str, table: &str, id: Uuid, version: i64, data: &Json) {
        let op = to_raw_value(&json!({
            "op_id": Uuid::now_v7(), "device_seq": self.next_seq.fetch_add(1, Ordering::SeqCst), "table_name": table,
            "record_id": id, "operation": operation, "base_version": version, "data": data,
        }))
        .expect("JSON");
        let epoch = self.engine.installation().await.expect("an installation").epoch;
        let push = Push::of(epoch, Uuid::from_u128(7), vec![op]);
        let answer = self.engine.push(&self.desk, push).await.expect("an answer");
        assert_eq!(answer.results[0].verdict, VerdictName::Applied, "{:?}", answer.results);
    }

    async fn change_class(&self, data: Json) {
        let version = self.class_version.fetch_add(1, Ordering::SeqCst);
        self.push("update", "classes", self.class, version, &data).await;
    }

    /// A message for the gate at that moment.
    async fn schedule(&self, send_at: &str) -> Uuid {
        self.send(json!({"title": "Get ready", "audience": {"functions": ["gate"]}, "send_at": send_at})).await
    }

    /// A message for the gate, so long before the class.
    async fn before_class(&self, minutes: i64) -> Uuid {
        self.send(json!({
            "title": "{class} at {time}", "audience": {"functions": ["gate"]},
            "before_class": {"class_id": self.class, "minutes": minutes},
        }))
        .await
    }

    async fn send(&self, asked: Json) -> Uuid {
        let asked: NewMessage = serde_json::from_value(asked).expect("a message");
        self.engine.send_message(&self.desk, asked).await.expect("it is scheduled").id
    }

    /// It is that moment, and what is due goes out; never mind whether the desk's own look was the first.
    async fn go_to(&self, now: &str) {
        self.clock.set_ms(moment(now).timestamp_millis());
        self.engine.release_due().await.expect("a look");
    }

    async fn message(&self, id: Uuid) -> MessageItem {
        self.engine.message(&self.desk, id).await.expect("the message").message
    }

    /// When it went out, and how it reads on the phone at the gate: once, or not at all.
    async fn told(&self, id: Uuid) -> Option<(DateTime<Utc>, String)> {
        let page = self.engine.my_notices(&self.gate, 0, 50).await.expect("the phone's messages");
        let mut found = page.items.into_iter().filter(|item| item.id == id);
        let first = found.next().map(|item| (item.sent_at, item.title));
        assert!(found.next().is_none(), "it was told twice");
        assert_eq!(self.message(id).await.released_at, first.as_ref().map(|(at, _)| *at));
        first
    }

    /// A message for the gate, so long before the class, that is over at that moment.
    async fn before_class_until(&self, minutes: i64, expires_at: &str) -> Uuid {
        self.send(json!({
            "title": "Get ready", "audience": {"functions": ["gate"]}, "expires_at": expires_at,
            "before_class": {"class_id": self.class, "minutes": minutes},
        }))
        .await
    }

    async fn listed(&self, state: MessageState) -> Vec<MessageItem> {
        self.engine.messages(&self.desk, state, None, 50).await.expect("a page").items
    }

    /// It was over before its time came: nobody has it, it stands under Sent with the reason, in the record, and the
    /// office is told.
    async fn assert_missed(&self, id: Uuid) {
        let page = self.engine.my_notices(&self.gate, 0, 50).await.expect("the phone's messages");
        assert!(page.items.iter().all(|item| item.id != id), "{page:?}");
        assert!(self.listed(MessageState::Scheduled).await.iter().all(|item| item.id != id));
        let sent = self.listed(MessageState::Sent).await;
        let missed = sent.iter().find(|item| item.id == id).expect("it stands under Sent");
        let why = (missed.status.as_str(), missed.reason.as_deref(), missed.sent_at, missed.cancelled_at);
        assert_eq!(why, ("failed", Some("It was over before it could go out."), None, None));
        let query = AuditQuery { action: Some("message_missed".to_owned()), limit: 10, ..AuditQuery::default() };
        let record = self.engine.audit(&self.desk, query).await.expect("the record").items;
        assert_eq!(record.iter().map(|row| row.record_id).collect::<Vec<_>>(), [Some(id)]);
        let told: Vec<_> = sent.iter().filter(|item| item.kind == "message_missed").collect();
        assert_eq!(told.len(), 1, "{sent:?}");
        let body = told[0].body.as_deref().expect("a body");
        assert!(body.starts_with("Get ready. It was over before it could go out."), "{body}");
    }

    async fn assert_silent(&self, id: Uuid, moments: &[&str]) {
        for now in moments {
            self.go_to(now).await;
            assert_eq!(self.told(id).await, None, "{now}");
        }
    }
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

fn out(at: &str, title: &str) -> (DateTime<Utc>, String) {
    (moment(at), title.to_owned())
}

async fn a_message_waits_for_a_class_that_is_put_off(show: Show) {
    let message = show.before_class(15).await;
    show.assert_silent(message, &["2026-08-07T09:44:59.999Z"]).await;
    show.change_class(json!({"planned_at": "2026-08-07T11:00:00.000Z"})).await;
    let before = ["2026-08-07T09:45:00Z", "2026-08-07T10:00:00Z", "2026-08-07T10:44:59.999Z"];
    show.assert_silent(message, &before).await;
    for now in ["2026-08-07T10:45:00Z", "2026-08-07T11:00:00Z"] {
        show.go_to(now).await;
        assert_eq!(show.told(message).await, Some(out("2026-08-07T10:45:00Z", "Class 15 at 11:00")), "{now}");
    }
    // What has gone out does not go out again before a later time.
    show.change_class(json!({"planned_at": "2026-08-07T12:00:00.000Z"})).await;
    show.go_to("2026-08-07T11:45:00Z").await;
    assert_eq!(show.told(message).await, Some(out("2026-08-07T10:45:00Z", "Class 15 at 11:00")));
    show.engine.close().await;
}

async fn a_message_goes_out_at_once_if_its_class_is_brought_forward_over_it(show: Show) {
    let [early, late] = [show.before_class(60).await, show.before_class(15).await];
    show.change_class(json!({"planned_at": "2026-08-07T09:30:00.000Z"})).await;
    show.assert_silent(early, &["2026-08-07T08:29:59.999Z"]).await;
    show.go_to("2026-08-07T08:30:00Z").await;
    assert_eq!(
        show.told(early).await,
        Some(out("2026-08-07T08:30:00Z", "Class 15 at 9:30")),
        "its new moment was to come"
    );
    show.assert_silent(late, &["2026-08-07T08:30:00Z", "2026-08-07T09:10:00Z"]).await;
    // It should have gone out five minutes ago.
    show.change_class(json!({"planned_at": "2026-08-07T09:20:00.000Z"})).await;
    show.go_to("2026-08-07T09:10:00Z").await;
    assert_eq!(show.told(late).await, Some(out("2026-08-07T09:10:00Z", "Class 15 at 9:20")));
    show.go_to("2026-08-07T09:45:00Z").await;
    assert_eq!(show.told(late).await, Some(out("2026-08-07T09:10:00Z", "Class 15 at 9:20")));
    show.engine.close().await;
}

async fn a_message_before_a_class_that_is_cancelled_never_goes_out(show: Show) {
    let message = show.before_class(15).await;
    show.go_to("2026-08-07T09:44:00Z").await;
    show.change_class(json!({"side_state": "cancelled"})).await;
    show.assert_silent(message, &["2026-08-07T09:45:00Z", "2026-08-07T10:00:00Z"]).await;
    // Another time alone does not bring it back.
    show.change_class(json!({"planned_at": "2026-08-07T11:00:00.000Z"})).await;
    show.assert_silent(message, &["2026-08-07T10:45:00Z", "2026-08-07T11:00:00Z", "2026-08-08T10:00:00Z"]).await;
    assert_eq!(show.message(message).await.send_at, None);
    show.engine.close().await;
}

async fn a_message_that_was_over_before_the_desk_came_back_is_told_of(show: Show) {
    let asked = json!({
        "title": "Get ready", "audience": {"functions": ["gate"]},
        "send_at": "2026-08-07T09:00:00.000Z", "expires_at": "2026-08-07T09:30:00.000Z",
    });
    let message = show.send(asked).await;
    assert_eq!(show.message(message).await.reason, None, "nothing is wrong");
    // The laptop sleeps from eight to ten.
    for now in ["2026-08-07T10:00:00Z", "2026-08-07T11:00:00Z"] {
        show.go_to(now).await;
        show.assert_missed(message).await;
    }
    show.engine.close().await;
}

async fn a_message_whose_class_moves_behind_its_end_says_so_and_is_told_of(show: Show) {
    let message = show.before_class_until(15, "2026-08-07T10:00:00.000Z").await;
    let at_eleven = json!({"planned_at": "2026-08-07T11:00:00.000Z"});
    show.change_class(at_eleven).await;
    let waits = show.listed(MessageState::Scheduled).await;
    let says = waits.iter().find(|item| item.id == message).expect("it waits").reason.clone();
    assert_eq!(says.as_deref(), Some("It will be over before it goes out. Change its end, or send it now."));
    // Back at its old time there is nothing to say.
    show.change_class(json!({"planned_at": "2026-08-07T10:00:00.000Z"})).await;
    assert_eq!(show.message(message).await.reason, None);
    show.change_class(json!({"planned_at": "2026-08-07T11:00:00.000Z"})).await;
    show.assert_silent(message, &["2026-08-07T10:44:59Z"]).await;
    show.go_to("2026-08-07T10:45:00Z").await;
    show.assert_missed(message).await;
    show.engine.close().await;
}

async fn a_message_that_reaches_nobody_does_not_wait_for_ever(show: Show) {
    let asked = |send_at: Json| json!({"title": "Vets", "audience": {"functions": ["vet"]}, "send_at": send_at});
    let [now, later] = [show.send(asked(Json::Null)).await, show.send(asked(json!("2026-08-07T09:00:00.000Z"))).await];
    show.go_to("2026-08-07T09:00:00Z").await;
    for message in [now, later] {
        let item = show.message(message).await;
        let says = (item.status.as_str(), item.reason.as_deref(), item.people);
        assert_eq!(says, ("failed", Some("It reaches nobody."), 0));
    }
    // The office has a desk and no phone: a message for its phones reaches nobody either.
    let asked = json!({"title": "Office", "audience": {"functions": ["admin"]}});
    let office = show.message(show.send(asked).await).await;
    assert_eq!((office.status.as_str(), office.reason.as_deref()), ("failed", Some("It reaches nobody.")));
    show.engine.close().await;
}

async fn a_message_goes_out_once_at_its_own_moment_when_clocks_are_put_forward(show: Show) {
    // Two hours before half past three it is half past midnight.
    let before_class = show.before_class(120).await;
    let half_past_one = show.schedule("2026-03-08T07:30:00.000Z").await;
    let at_three = show.schedule("2026-03-08T08:00:00.000Z").await;
    let all = [before_class, half_past_one, at_three];
    let outs = [
        out("2026-03-08T06:30:00Z", "Class 15 at 3:30"),
        out("2026-03-08T07:30:00Z", "Get ready"),
        out("2026-03-08T08:00:00Z", "Get ready"),
    ];
    for (now, told) in [
        ("2026-03-08T05:30:00Z", 0),
        ("2026-03-08T06:29:59.999Z", 0),
        ("2026-03-08T06:30:00Z", 1),
        ("2026-03-08T07:29:59.999Z", 1),
        ("2026-03-08T07:30:00Z", 2),
        // The last moment before two, and three, which follows it.
        ("2026-03-08T07:59:59.999Z", 2),
        ("2026-03-08T08:00:00Z", 3),
        ("2026-03-08T08:30:00Z", 3),
        ("2026-03-09T08:00:00Z", 3),
    ] {
        show.go_to(now).await;
        for (place, message) in all.into_iter().enumerate() {
            let expected = (place < told).then(|| outs[place].clone());
            assert_eq!(show.told(message).await, expected, "{now}: {place}");
        }
    }
    show.engine.close().await;
}

async fn a_message_goes_out_once_at_its_own_moment_when_clocks_are_put_back(show: Show) {
    // Two hours before half past two it is half past one, and not half past twelve.
    let before_class = show.before_class(120).await;
    let second_half_past_one = show.schedule("2026-11-01T07:30:00.000Z").await;
    let at_ten = show.schedule("2026-11-01T16:00:00.000Z").await;
    let all = [before_class, second_half_past_one, at_ten];
    let outs = [
        out("2026-11-01T06:30:00Z", "Class 15 at 2:30"),
        out("2026-11-01T07:30:00Z", "Get ready"),
        out("2026-11-01T16:00:00Z", "Get ready"),
    ];
    for (now, told) in [
        // Half past twelve.
        ("2026-11-01T05:30:00Z", 0),
        ("2026-11-01T06:29:59.999Z", 0),
        // Half past one, for the first time and for the second.
        ("2026-11-01T06:30:00Z", 1),
        ("2026-11-01T07:29:59.999Z", 1),
        ("2026-11-01T07:30:00Z", 2),
        // Half past two.
        ("2026-11-01T08:30:00Z", 2),
        // Ten by the time of the day before, and ten.
        ("2026-11-01T15:00:00Z", 2),
        ("2026-11-01T15:59:59.999Z", 2),
        ("2026-11-01T16:00:00Z", 3),
        ("2026-11-01T17:00:00Z", 3),
        ("2026-11-02T16:00:00Z", 3),
    ] {
        show.go_to(now).await;
        for (place, message) in all.into_iter().enumerate() {
            let expected = (place < told).then(|| outs[place].clone());
            assert_eq!(show.told(message).await, expected, "{now}: {place}");
        }
    }
    show.engine.close().await;
}
