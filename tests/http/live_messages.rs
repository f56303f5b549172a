//! Messages on a phone's stream: each once, in order, whatever happens to the connection.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::delivery::message;
use crate::desk::Desk;
use crate::messages::{ack, acked};
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send};

on_both_engines!(
    messages_come_once_and_in_order_through_reconnects,
    a_stream_without_a_number_tells_only_what_is_new,
    a_phone_that_was_away_gets_what_it_missed_and_not_what_is_over,
    a_confirmation_on_one_phone_comes_to_the_other,
    a_removed_phone_gets_nothing_more,
    what_is_no_number_of_a_stream_is_as_good_as_none,
    a_reader_that_does_not_read_gets_everything_later,
);

const DEADLINE: Duration = Duration::from_mins(1);

/// A stream as the standard reads it: events with their ids.
pub(crate) struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    pub(crate) async fn of(phone: &Phone, heard: Option<i64>) -> Self {
        let mut request = phone.request(Method::GET, "/live");
        if let Some(heard) = heard {
            request = request.header("last-event-id", heard.to_string());
        }
        Self::from(request.send().await.expect("the stream opens")).await
    }

    /// Of a stream that is open.
    async fn from(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        let mut stream = Self { response, text: String::new() };
        let (event, ..) = stream.next().await.expect("it begins");
        assert_eq!(event, "poke");
        stream
    }

    /// The next event: its name, id and data. None when the stream has ended.
    async fn next(&mut self) -> Option<(String, Option<i64>, Json)> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |key: &str| block.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
                let Some(event) = field("event:") else { continue };
                let data = field("data:").and_then(|data| serde_json::from_str(data).ok()).unwrap_or(Json::Null);
                return Some((event.to_owned(), field("id:").map(|id| id.parse().expect("a number")), data));
            }
            let chunk = timeout(DEADLINE, self.response.chunk()).await.expect("the stream says something");
            match chunk {
                Ok(Some(chunk)) => self.text.push_str(std::str::from_utf8(&chunk).expect("text")),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// The next message; its number is its id.
    pub(crate) async fn notice(&mut self) -> Json {
        loop {
            let (event, id, data) = self.next().await.expect("the stream goes on");
            if event == "notification" {
                assert_eq!(id, data["seq"].as_i64(), "the id is the message's number");
                return data;
            }
            assert_eq!(id, None, "only messages have an id");
        }
    }
}

async fn listed(phone: &Phone, after: i64) -> Vec<Json> {
    let path = format!("/me/notifications?after={after}&limit=500");
    let page = send(phone.request(Method::GET, &path)).await.expect_status(200);
    page["items"].as_array().expect("items").clone()
}

async fn messages_come_once_and_in_order_through_reconnects(desk: Desk) {
    const MESSAGES: usize = 120;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let sending = async {
        for number in 0..MESSAGES / 4 {
            let one = |part: usize| message(&desk, json!({"title": format!("Message {number} {part}")}));
            tokio::join!(one(0), one(1), one(2), one(3));
        }
    };
    let reading = async {
        let mut heard: Vec<Json> = Vec::new();
        let mut last = 0;
        let mut patience = [7, 1, 13, 2, 5, 29, 3].into_iter().cycle();
        while heard.len() < MESSAGES {
            let mut stream = Stream::of(&phone, Some(last)).await;
            for _ in 0..patience.next().expect("it goes round") {
                if heard.len() == MESSAGES {
                    break;
                }
                let notice = stream.notice().await;
                last = notice["seq"].as_i64().expect("a number");
                heard.push(notice);
            }
        }
        heard
    };
    let (heard, ()) = tokio::join!(reading, sending);
    let kept = listed(&phone, 0).await;
    assert_eq!(kept.len(), MESSAGES);
    assert_eq!(heard, kept, "what was heard is what is kept: in order, no gap, no double");
}

async fn a_stream_without_a_number_tells_only_what_is_new(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    message(&desk, json!({"title": "Before"})).await;
    let mut stream = Stream::of(&phone, None).await;
    message(&desk, json!({"title": "After"})).await;
    assert_eq!(stream.notice().await["title"], "After");
    // A phone has two streams at most, and the desk notices only after a while that one was left.
    drop(stream);
    let mut all = Stream::of(&phone, Some(0)).await;
    assert_eq!(all.notice().await["title"], "Before");
    let latest = all.notice().await;
    assert_eq!(latest["title"], "After");
    drop(all);
    // A number that this stream never had is another stream's.
    let mut again = Stream::of(&phone, Some(latest["seq"].as_i64().expect("a number") + 1_000)).await;
    assert_eq!(again.notice().await["title"], "Before");
}

async fn a_phone_that_was_away_gets_what_it_missed_and_not_what_is_over(desk: Desk) {
    let seed = crate::seed::seed(&desk).await;
    crate::seed::set_stage(&desk, "D").await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut stream = Stream::of(&phone, Some(0)).await;
    message(&desk, json!({"title": "Heard"})).await;
    let last = stream.notice().await["seq"].as_i64();
    drop(stream);
    message(&desk, json!({"title": "Over", "ends": {"class_starts": seed.class}})).await;
    message(&desk, json!({"title": "Missed"})).await;
    let in_ring = json!({"class_id": seed.class, "ring_id": seed.ring, "kind": "in_ring"});
    desk.apply(&[insert("class_calls", &fresh(), in_ring)]).await;
    let mut stream = Stream::of(&phone, last).await;
    let missed = stream.notice().await;
    assert_eq!(missed["title"], "Missed");
    assert_eq!(vec![missed], listed(&phone, last.expect("a number")).await);
}

async fn a_confirmation_on_one_phone_comes_to_the_other(desk: Desk) {
    let first = desk.phone("Ana", &["scale"]).await;
    let second = desk.phone("Ana's other", &["scale"]).await;
    let id_of = async |phone: &Phone| {
        let me = send(phone.request(Method::GET, "/me")).await.expect_status(200);
        me["device_id"].as_str().expect("an id").to_owned()
    };
    let path = format!("/admin/devices/{}/merge", id_of(&second).await);
    desk.post(&path, &json!({"into": id_of(&first).await})).await.expect_status(200);
    let mut stream = Stream::of(&second, Some(0)).await;
    let id = json!(message(&desk, json!({"title": "Hold in barns", "priority": "urgent"})).await);
    let before = stream.notice().await;
    assert_eq!((&before["id"], &before["state"]), (&id, &json!("waiting")));
    assert_eq!(acked(&first, &id, "confirmed").await, 1);
    let after = stream.notice().await;
    assert_eq!((&after["id"], &after["state"]), (&id, &json!("confirmed")));
    assert!(after["seq"].as_i64() > before["seq"].as_i64());
}

async fn a_removed_phone_gets_nothing_more(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let me = send(phone.request(Method::GET, "/me")).await.expect_status(200);
    let mut stream = Stream::of(&phone, Some(0)).await;
    let path = format!("/admin/devices/{}/revoke", me["device_id"].as_str().expect("an id"));
    desk.post(&path, &json!({})).await.expect_status(200);
    let id = json!(message(&desk, json!({"title": "For those who are here"})).await);
    let mut ended = false;
    while let Some((event, _, data)) = stream.next().await {
        assert_ne!(event, "notification", "{data}");
        ended |= event == "bye" && data["reason"] == "removed";
    }
    assert!(ended, "it was told why");
    ack(&phone, &[&id], "delivered").await.expect_problem(403);
}

async fn what_is_no_number_of_a_stream_is_as_good_as_none(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    message(&desk, json!({"title": "Before"})).await;
    let response = phone.request(Method::GET, "/live").header("last-event-id", "1;drop").send().await;
    let mut stream = Stream::from(response.expect("the stream opens")).await;
    message(&desk, json!({"title": "After"})).await;
    assert_eq!(stream.notice().await["title"], "After");
}

async fn a_reader_that_does_not_read_gets_everything_later(desk: Desk) {
    const MESSAGES: usize = 100;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut stream = Stream::of(&phone, Some(0)).await;
    for number in 0..MESSAGES {
        message(&desk, json!({"title": format!("Message {number}"), "body": "b".repeat(390)})).await;
    }
    for number in 0..MESSAGES {
        assert_eq!(stream.notice().await["title"], format!("Message {number}"));
    }
}
