//! Connections to Postgres that break: in a commit, after it, and where a desk listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::{Value as Json, json};
use showdesk_testkit::OwnDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::desk::Desk;
use crate::live::Events;
use crate::phone::{Phone, fresh, insert, send};
use crate::program::Program;

/// More than enough tries to meet the commit of a push and not that of something beside.
const TRIES_MAX: usize = 100;

async fn desk_on(url: String) -> Desk {
    Desk::of(Program::start_on(Some(url)).await).await
}

fn rings(count: usize) -> Vec<Json> {
    (0..count).map(|n| insert("rings", &fresh(), json!({"name": format!("Ring {n}")}))).collect()
}

/// The commit fails and the connection with it: the group is applied on another one, and nobody notices.
#[tokio::test]
async fn a_connection_that_breaks_in_a_commit_is_made_up_for() {
    let database = OwnDatabase::new().await;
    let desk = desk_on(database.url()).await;
    // A sequence counts also where the transaction is taken back.
    let cut = "CREATE SEQUENCE cuts; \
               CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
               IF nextval('cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; \
               RETURN NULL; END; $$; \
               CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON sync_queue DEFERRABLE INITIALLY DEFERRED \
               FOR EACH ROW EXECUTE FUNCTION cut()";
    database.execute(cut).await;
    let ops = rings(3);
    for result in desk.apply(&ops).await {
        assert!(result["replayed"].is_null(), "it was not committed before: {result}");
    }
    for op in &ops {
        assert_eq!(desk.change("rings", op["record_id"].as_str().expect("an id")).await["version"], 1);
    }
}

/// The commit stands and its answer is lost: what is there is found by the ops' ids and answered.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_looked_up() {
    let database = OwnDatabase::new().await;
    let proxy = Proxy::before(&database.url(), Listening::Passed).await;
    let desk = desk_on(proxy.url.clone()).await;
    let mut acknowledged = Vec::new();
    for _ in 0..TRIES_MAX {
        let ops = rings(3);
        proxy.cut_next_commit.store(true, Ordering::SeqCst);
        let results = desk.apply(&ops).await;
        acknowledged.extend(ops);
        let replayed = results.iter().filter(|result| result["replayed"] == true).count();
        assert!(replayed == 0 || replayed == results.len(), "half of a group was committed: {results:?}");
        if replayed > 0 {
            break;
        }
    }
    let last = desk.status_of(&acknowledged[acknowledged.len() - 1]["op_id"]).await;
    assert!(!proxy.cut_next_commit.load(Ordering::SeqCst), "no commit was cut: {last}");
    let rows = desk.pull_all().await;
    assert_eq!(rows.keys().filter(|(table, _)| table == "rings").count(), acknowledged.len());
    for op in &acknowledged {
        let id = op["record_id"].as_str().expect("an id");
        assert_eq!(rows[&("rings".to_owned(), id.to_owned())]["version"], 1, "{op} was applied twice");
        assert_eq!(desk.history("rings", id).await.len(), 1);
    }
}

#[tokio::test]
async fn a_message_that_is_lost_with_its_connection_loses_no_row() {
    let database = OwnDatabase::new().await;
    let (first, second) = (desk_on(database.url()).await, desk_on(database.url()).await);
    let phone = second.phone("Scale 1", &["scale"]).await;
    let mut events = Events::of(&phone).await;
    for _ in 0..3 {
        let deafen = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()";
        database.execute(deafen).await;
        let applied = first.apply(&rings(1)).await.remove(0);
        events.wait_for("poke", |data| data["clock"].as_i64() >= applied["seq"].as_i64()).await;
    }
}

/// Some servers are reached through a pool that keeps no connection for a listener: the desk looks instead.
#[tokio::test]
async fn a_desk_that_cannot_listen_looks_for_itself() {
    let database = OwnDatabase::new().await;
    let proxy = Proxy::before(&database.url(), Listening::Refused).await;
    let (first, deaf) = (desk_on(database.url()).await, desk_on(proxy.url.clone()).await);
    let joined = first.phone("Scale 1", &["scale"]).await;
    let phone = Phone::with_token(&deaf.program.http, joined.token()).await;
    let mut events = Events::of(&phone).await;
    let mut at_desk = Events::of(&deaf).await;
    at_desk.wait_for("poke", |_| true).await;
    let applied = first.apply(&rings(1)).await.remove(0);
    events.wait_for("poke", |data| data["clock"].as_i64() >= applied["seq"].as_i64()).await;
    let code = first.pairing_code(&["scale"], "single").await;
    let claim = json!({"code": code, "device_name": "Scale 2", "platform": "web"});
    send(first.stranger(Method::POST, "/pairing/claim").json(&claim)).await.expect_status(201);
    at_desk.wait_for("pairings", |_| true).await;
    let devices = first.get("/admin/devices").await.expect_status(200);
    let scale = devices["items"].as_array().expect("items").iter().find(|device| device["name"] == "Scale 1");
    let id = scale.and_then(|scale| scale["id"].as_str()).expect("an id");
    first.post(&format!("/admin/devices/{id}/revoke"), &json!({})).await.expect_status(200);
    assert_eq!(events.wait_for("bye", |_| true).await["reason"], "removed");
}

/// What a proxy does with a desk that wants to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listening {
    Passed,
    Refused,
}

/// Stands between the desk and its server, passes everything on, and once loses the answer to a commit.
struct Proxy {
    url: String,
    cut_next_commit: Arc<AtomicBool>,
}

impl Proxy {
    async fn before(url: &str, listening: Listening) -> Self {
        let (address, folder) = url.split_once("?host=").expect("the test's server is reached by a socket in a folder");
        let name = address.rsplit_once('/').expect("a database").1.to_owned();
        let socket = format!("{folder}/.s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let cut_next_commit = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&cut_next_commit);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.expect("the server answers");
                tokio::spawn(pass(client, server, Arc::clone(&cut), listening));
            }
        });
        Self { url: format!("postgres://showdesk@127.0.0.1:{port}/{name}?sslmode=disable"), cut_next_commit }
    }
}

/// Ends when one of the two hangs up, or when the answer to a commit was swallowed.
async fn pass(mut client: TcpStream, mut server: UnixStream, cut: Arc<AtomicBool>, listening: Listening) {
    let says = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut swallow = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(count) if count > 0 => {
                    if listening == Listening::Refused && says(&asked[..count], b"LISTEN ") {
                        return;
                    }
                    swallow = says(&asked[..count], b"COMMIT\0") && cut.swap(false, Ordering::SeqCst);
                    if server.write_all(&asked[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(count) if count > 0 && !swallow => {
                    if client.write_all(&answered[..count]).await.is_err() {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}
