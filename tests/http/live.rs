//! The live stream: pokes without data, clashes, a word at the end.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert};
use crate::seed::seed;

on_both_engines!(
    a_change_pokes_every_phone_without_data,
    a_clash_reaches_its_author_and_the_desk,
    a_stop_says_goodbye_within_five_seconds
);

const DEADLINE: Duration = Duration::from_secs(20);

/// Events of a stream as they come.
pub(crate) struct Events {
    response: Response,
    text: String,
}

impl Events {
    pub(crate) async fn of(phone: &Phone) -> Self {
        let response = phone.request(Method::GET, "/live").send().await.expect("the stream opens");
        assert_eq!(response.status(), 200);
        let content_type = response.headers()["content-type"].to_str().expect("a type").to_owned();
        assert!(content_type.starts_with("text/event-stream"), "{content_type}");
        Self::from(response)
    }

    /// Of a stream that is open.
    pub(crate) fn from(response: Response) -> Self {
        Self { response, text: String::new() }
    }

    /// The next event of that name for which `wanted` holds; others are passed over.
    pub(crate) async fn wait_for(&mut self, name: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let found = timeout(DEADLINE, async {
            loop {
                let (event, data) = self.next().await;
                if event == name && wanted(&data) {
                    return data;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("no such {name} came"))
    }

    async fn next(&mut self) -> (String, Json) {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |key: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(key));
                    line.map(|value| value.trim().to_owned())
                };
                let event = field("event:");
                let data = field("data:").and_then(|data| serde_json::from_str(&data).ok()).unwrap_or(Json::Null);
                if let Some(event) = event {
                    return (event, data);
                }
                continue;
            }
            let chunk = self.response.chunk().await.expect("the stream goes on").expect("the stream has not ended");
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

async fn a_change_pokes_every_phone_without_data(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut events = Events::of(&phone).await;
    let (event, first) = events.next().await;
    assert_eq!(event, "poke", "on connect the server says where it is");
    let before = first["clock"].as_i64().expect("a number");
    desk.apply(&[insert("rings", &fresh(), json!({"name": "Ring 7"}))]).await;
    let poke = events.wait_for("poke", |data| data["clock"].as_i64() > Some(before)).await;
    assert_eq!(poke.as_object().map(serde_json::Map::len), Some(1), "a poke carries no data: {poke}");
}

async fn a_clash_reaches_its_author_and_the_desk(desk: Desk) {
    let seed = seed(&desk).await;
    let mut at_desk = Events::of(&desk).await;
    let (_, second, _, result) = clash(&desk, &seed).await;
    let told = at_desk.wait_for("conflict", |data| data["id"] == result["conflict_id"]).await;
    assert_eq!(told["status"], "open");
    let mut at_author = Events::of(&second).await;
    at_author.wait_for("poke", |_| true).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    at_author.wait_for("conflict", |data| data["id"] == result["conflict_id"] && data["status"] == "resolved").await;
}

async fn a_stop_says_goodbye_within_five_seconds(mut desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut events = Events::of(&phone).await;
    events.wait_for("poke", |_| true).await;
    let (ended, took) = desk.program.terminate().await;
    assert!(ended.success(), "{ended}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let bye = events.wait_for("bye", |_| true).await;
    assert!(bye["reason"].is_string());
    desk.start_again().await;
    assert_eq!(desk.pull("").await.status, 200);
}
