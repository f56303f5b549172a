//! One desk in this process, asked over HTTP: what only this crate decides. The contract as a whole is
//! tested in `tests/http`.

mod moving;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

/// How long anything may take here.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Desk {
    folder: TempDir,
    pub(crate) server: RunningServer,
    client: Client,
}

fn options(folder: &TempDir) -> ServerOptions {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    ServerOptions { http: free, admin: free, ..ServerOptions::new(folder.path()) }
}

impl Desk {
    pub(crate) async fn start() -> Self {
        Self::noting(showdesk_engine::Faults::default()).await
    }

    /// One that writes down what is noted there.
    pub(crate) async fn noting(faults: showdesk_engine::Faults) -> Self {
        // Another crate of the workspace has the client speak TLS, and then a client needs a provider, also for plain HTTP.
        // It is there already if another case of this process was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = options(&folder);
        options.engine.faults = faults;
        let server = Server::start(options).await.expect("it starts");
        Self { folder, server, client: Client::new() }
    }

    fn phone(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.server.http))
    }

    fn stranger_at_desk(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.server.admin))
    }

    pub(crate) fn desk(&self, method: Method, path: &str) -> RequestBuilder {
        self.stranger_at_desk(method, path).bearer_auth(&self.server.admin_token)
    }

    async fn claim(&self, code: &str) -> Response {
        let body = json!({"code": code, "device_name": "Scale 1"});
        self.phone(Method::POST, "/api/v1/pairing/claim").json(&body).send().await.expect("an answer")
    }

    async fn new_code(&self) -> String {
        let body = json!({"functions": ["scale"]});
        let answer = json_of(self.desk(Method::POST, "/api/v1/admin/pairings").json(&body), 201).await;
        answer["code"].as_str().expect("a code").to_owned()
    }

    /// A phone that joined: its token and its device.
    pub(crate) async fn joined(&self) -> (String, String) {
        let claimed: Value = self.claim(&self.new_code().await).await.json().await.expect("JSON");
        let waiting = json_of(self.desk(Method::GET, "/api/v1/admin/pairings"), 200).await;
        let id = waiting["items"][0]["pairing_id"].as_str().expect("an id");
        json_of(self.desk(Method::POST, &format!("/api/v1/admin/pairings/{id}/approve")), 200).await;
        let id = claimed["pairing_id"].as_str().expect("an id");
        let approved = json_of(self.phone(Method::GET, &format!("/api/v1/pairing/{id}")), 200).await;
        let text = |name: &str| approved[name].as_str().expect("a text").to_owned();
        (text("token"), text("device_id"))
    }
}

pub(crate) async fn json_of(request: RequestBuilder, status: u16) -> Value {
    let response = request.send().await.expect("an answer");
    let answered = response.status().as_u16();
    let text = response.text().await.expect("a text");
    assert_eq!(answered, status, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Reads a stream until it says that.
async fn wait_for(stream: &mut Response, wanted: &str) -> String {
    let mut text = String::new();
    let read = timeout(DEADLINE, async {
        while !text.contains(wanted) {
            let piece = stream.chunk().await.expect("it goes on").expect("it has not ended");
            text.push_str(std::str::from_utf8(&piece).expect("text"));
        }
    });
    read.await.unwrap_or_else(|_| panic!("{wanted} never came"));
    text
}

#[tokio::test]
async fn a_desk_link_opens_the_desk_once() {
    let desk = Desk::start().await;
    let link = desk.server.desk_link();
    let (page, code) = link.split_once("/#/open/").expect("a link");
    assert_eq!(page, format!("http://{}", desk.server.admin));
    let session = || desk.stranger_at_desk(Method::POST, "/api/v1/admin/session").json(&json!({"code": code}));
    let opened = json_of(session(), 200).await;
    assert_eq!(opened["token"], desk.server.admin_token);
    assert_eq!(json_of(session(), 404).await["code"], "unknown_code");
    let elsewhere = desk.phone(Method::POST, "/api/v1/admin/session").json(&json!({"code": code}));
    json_of(elsewhere, 404).await;
}

#[tokio::test]
async fn wrong_codes_are_slowed_and_a_right_one_is_not() {
    let desk = Desk::start().await;
    let code = desk.new_code().await;
    let mut answered = Vec::new();
    for _ in 0..12 {
        answered.push(desk.claim("AAAAAAAAAAAAAAAAAAAAAA").await);
    }
    let statuses: Vec<u16> = answered.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!(statuses, [[404; 10].as_slice(), &[429; 2]].concat());
    assert!(answered[11].headers().contains_key("retry-after"));
    assert_eq!(desk.claim(&code).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn strangers_are_slowed_and_tokens_are_not() {
    let desk = Desk::start().await;
    let mut statuses = Vec::new();
    for _ in 0..60 {
        statuses.push(desk.phone(Method::GET, "/api/v1/ping").send().await.expect("an answer").status().as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    json_of(desk.desk(Method::GET, "/api/v1/sync/hello"), 200).await;
}

#[tokio::test]
async fn a_third_stream_of_a_device_is_refused_and_a_removed_device_hears_it_at_once() {
    let desk = Desk::start().await;
    let (token, device) = desk.joined().await;
    let live = || desk.phone(Method::GET, "/api/v1/live").bearer_auth(&token).send();
    let mut first = live().await.expect("a stream");
    let second = live().await.expect("a stream");
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
    assert_eq!(live().await.expect("an answer").status(), StatusCode::TOO_MANY_REQUESTS);
    wait_for(&mut first, "event: poke").await;

    json_of(desk.desk(Method::POST, &format!("/api/v1/admin/devices/{device}/revoke")), 200).await;
    let text = wait_for(&mut first, "event: bye").await;
    assert!(text.contains(r#"{"reason":"removed"}"#), "{text}");
    assert_eq!(live().await.expect("an answer").status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_desk_hears_of_phones_that_want_to_join() {
    let desk = Desk::start().await;
    let mut stream = desk.desk(Method::GET, "/api/v1/live").send().await.expect("a stream");
    wait_for(&mut stream, "event: poke").await;
    desk.claim(&desk.new_code().await).await;
    wait_for(&mut stream, "event: pairings\ndata: {}").await;
}

#[tokio::test]
async fn a_stop_says_bye_and_takes_no_connection_any_more() {
    let desk = Desk::start().await;
    let mut stream = desk.desk(Method::GET, "/api/v1/live").send().await.expect("a stream");
    wait_for(&mut stream, "event: poke").await;
    let http = desk.server.http;
    let reading = tokio::spawn(async move { wait_for(&mut stream, "event: bye").await });
    desk.server.stop().await;
    assert!(reading.await.expect("no panic").contains("stopping"));
    assert!(tokio::net::TcpStream::connect(http).await.is_err());
}

#[tokio::test]
async fn a_kept_token_outlives_a_restart_and_another_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = ServerOptions { token_folder: Some(folder.path().to_owned()), ..options(&folder) };
    let mut tokens = Vec::new();
    for options in [kept.clone(), kept.clone(), options(&folder), kept] {
        let server = Server::start(options).await.expect("it starts");
        tokens.push(server.admin_token.clone());
        server.stop().await;
    }
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[1], tokens[2], "a window has its own");
    assert!(!tokens[..3].contains(&tokens[3]), "the window's launch ended the kept one");
}

#[tokio::test]
async fn the_desk_names_the_person_in_front_of_it() {
    let desk = Desk::start().await;
    let overview = || desk.desk(Method::GET, "/api/v1/admin/overview");
    let person = json_of(overview(), 200).await["person"]["id"].as_str().expect("an id").to_owned();
    json_of(overview().header("x-desk-person", &person), 200).await;
    json_of(overview().header("x-desk-person", "Ana"), 400).await;
    let nobody = uuid::Uuid::new_v4().to_string();
    let refused = overview().header("x-desk-person", nobody).send().await.expect("an answer");
    assert!(refused.status().is_client_error(), "{}", refused.status());
}

#[tokio::test]
async fn commands_are_strict_and_may_come_without_a_body_only_where_nothing_is_needed() {
    let desk = Desk::start().await;
    let pairings = || desk.desk(Method::POST, "/api/v1/admin/pairings");
    json_of(pairings().json(&json!({"functions": ["scale"], "role": "admin"})), 422).await;
    json_of(pairings().json(&json!({"functions": ["king"]})), 422).await;
    json_of(pairings().header("content-type", "application/json").body("[]"), 400).await;
    json_of(pairings(), 415).await;
    json_of(desk.desk(Method::POST, "/api/v1/me/token"), 200).await;
    json_of(desk.desk(Method::POST, "/api/v1/me/token").body("{}"), 415).await;
}

#[tokio::test]
async fn a_wifi_is_a_picture_and_is_not_stored() {
    let desk = Desk::start().await;
    let wifi = |body: Value| desk.desk(Method::POST, "/api/v1/admin/wifi-qr").json(&body);
    let picture = json_of(wifi(json!({"ssid": "Barn", "password": "hay & straw"})), 200).await;
    assert!(picture["qr_svg"].as_str().expect("a text").contains("<svg"));
    json_of(wifi(json!({"ssid": ""})), 422).await;
    json_of(wifi(json!({"ssid": "Barn", "password": "x".repeat(64)})), 422).await;
}

#[tokio::test]
async fn pages_are_there_or_say_how_to_build_them() {
    let desk = Desk::start().await;
    for request in [desk.phone(Method::GET, "/"), desk.stranger_at_desk(Method::GET, "/")] {
        let response = request.send().await.expect("an answer");
        assert!(response.headers()["content-type"].to_str().expect("a text").starts_with("text/html"));
        let (status, text) = (response.status(), response.text().await.expect("a text"));
        let says_how = status == StatusCode::SERVICE_UNAVAILABLE && text.contains("cargo xtask run");
        assert!(status == StatusCode::OK || says_how, "{status} {text}");
    }
    json_of(desk.phone(Method::GET, "/assets/nothing.js"), 404).await;
    json_of(desk.phone(Method::POST, "/"), 405).await;
}

#[tokio::test]
async fn one_folder_is_served_once() {
    let desk = Desk::start().await;
    let second = Server::start(options(&desk.folder)).await;
    assert!(matches!(second, Err(StartError::Engine(_))));
}

#[tokio::test]
async fn an_https_port_that_was_asked_for_and_is_taken_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let folder = tempfile::tempdir().expect("a folder");
    let wanted = ServerOptions { https: Https::At(address), ..options(&folder) };
    let refused = Server::start(wanted).await.err();
    assert!(matches!(refused, Some(StartError::Bind { address: named, .. }) if named == address), "{refused:?}");
}
