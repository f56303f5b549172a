//! A message to a phone that is away, by the program as it runs: local first, then through the phone's browser.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, send};
use crate::push_tokens::{page, register, set_up};

on_both_engines!(a_phone_that_is_away_is_reached_through_its_browser, a_worker_runs_when_it_is_told,);

const DEADLINE: Duration = Duration::from_secs(40);

/// A service that is asked to send messages on.
pub(crate) struct PushService {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What it answers to a request: a status, and a text.
type Answering = fn(&str) -> (u16, String);

impl PushService {
    /// That of a browser, which takes everything.
    pub(crate) async fn start() -> Self {
        Self::answering(|_| (201, String::new())).await
    }

    /// One that answers so.
    pub(crate) async fn answering(answering: Answering) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&heard), answering));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests by which messages came.
    pub(crate) fn messages(&self) -> Vec<String> {
        let asked = self.asked.lock().expect("nobody panics while holding it");
        asked.iter().filter(|asked| asked.starts_with("POST")).cloned().collect()
    }

    async fn wait_for(&self, count: usize) -> Vec<String> {
        let came = async {
            while self.messages().len() < count {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            self.messages()
        };
        timeout(DEADLINE, came).await.unwrap_or_else(|_| panic!("{count} messages did not come"))
    }
}

/// One request a connection.
async fn answer(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, answering: Answering) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break String::from_utf8_lossy(&bytes[..end]).into_owned();
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok();
    let whole = head.len() + 4 + head.lines().find_map(length).unwrap_or(0);
    while bytes.len() < whole {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    let request = String::from_utf8_lossy(&bytes).into_owned();
    let (status, text) = answering(&request);
    asked.lock().expect("nobody panics while holding it").push(request);
    let length = text.len();
    let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}");
    // Whoever has gone away meanwhile needs no answer.
    let _ = stream.write_all(answer.as_bytes()).await;
}

pub(crate) async fn message(desk: &Desk, change: Json) -> String {
    let mut asked = json!({"title": "Class 12 to ring 2", "priority": "high", "audience": {"everybody": true}});
    asked.as_object_mut().expect("an object").extend(change.as_object().cloned().unwrap_or_default());
    let sent = desk.post("/admin/notifications", &asked).await.expect_status(201);
    sent["id"].as_str().expect("an id").to_owned()
}

async fn detail(desk: &Desk, id: &str) -> Json {
    desk.get(&format!("/admin/notifications/{id}")).await.expect_status(200)
}

async fn away(desk: &Desk, service: &PushService) -> Phone {
    let settings = json!({"subject": "mailto:show@example.org", "endpoint": service.url()});
    set_up(desk, "web", &settings).await.expect_status(200);
    let phone = desk.phone("Scale 1", &["scale"]).await;
    register(&phone, &page(&format!("{}/s/1", service.url()))).await.expect_status(201);
    phone
}

async fn a_phone_that_is_away_is_reached_through_its_browser(desk: Desk) {
    let service = PushService::start().await;
    let phone = away(&desk, &service).await;
    let first = message(&desk, json!({"title": "First"})).await;
    let ack = json!({"ids": [first], "state": "delivered"});
    send(phone.request(Method::POST, "/me/notifications/ack").json(&ack)).await.expect_status(200);
    let second = message(&desk, json!({"title": "Second"})).await;
    assert!(service.messages().is_empty(), "local first");
    let heads = service.wait_for(1).await;
    assert!(heads[0].starts_with("POST /s/1 ") && heads[0].to_lowercase().contains("urgency: high"), "{}", heads[0]);
    let accepted = async {
        loop {
            let shown = detail(&desk, &second).await;
            let web =
                shown["deliveries"].as_array().expect("deliveries").iter().find(|row| row["channel"] == "web").cloned();
            if let Some(web) = web.filter(|web| web["status"] == "accepted") {
                return (shown, web);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (shown, web) = timeout(DEADLINE, accepted).await.expect("it is accepted");
    assert_eq!((&shown["status"], &web["error_code"]), (&json!("sent"), &Json::Null));
    let shown = detail(&desk, &first).await;
    assert!(shown["deliveries"].as_array().expect("deliveries").iter().all(|row| row["channel"] == "local"), "{shown}");
    assert_eq!(service.messages().len(), 1, "the phone that had it was not asked for");
}

async fn a_worker_runs_when_it_is_told(desk: Desk) {
    let run = desk.post("/admin/workers/send-push-notification/run", &json!({})).await.expect_status(200);
    assert_eq!(run, json!({"processed": 0}));
    desk.post("/admin/workers/send-telegram/run", &json!({})).await.expect_problem(404);
}
