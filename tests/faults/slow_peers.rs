//! P16: peers that are slow or silent on purpose do not take the desk down: while thousands of connections drip
//! headers, drip bodies, or never read, honest phones are answered within a second.
//!
//! Every loopback address is another peer to the desk, so one machine plays a whole Wi-Fi. Honest phones open a
//! connection for each request: that is what an attacker would starve first.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::desk::Desk;
use crate::phone::{Phone, fresh, insert};
use crate::program::{Engine, Launch, Program};
use crate::shell::run;
use crate::{Size, Tally};

/// Connections of each kind at once.
const CONNECTIONS: usize = 1_000;
/// Addresses of many attackers.
const ADDRESSES: usize = 40;
/// Honest phones at work at once, each with an open stream besides.
const PHONES: usize = 12;
/// Ninety-nine of a hundred requests of honest phones take less.
const PROMISED: Duration = Duration::from_secs(1);
/// Fewer prove nothing.
const REQUESTS_MIN: usize = 100;
/// A desktop session's usual number of open files; the program may ask for more.
const FILES: &str = "--nofile=1024:";
/// An attacker who was thrown out comes again after this.
const COMES_AGAIN: Duration = Duration::from_secs(3);
/// The attackers come within this, while honest phones are at work.
const COME_WITHIN: Duration = Duration::from_secs(6);
/// A connection that is not even taken in this time is none.
const CONNECTED: Duration = Duration::from_secs(20);
/// A stream that is still open hears of a change.
const HEARD: Duration = Duration::from_secs(20);

/// How a peer holds its connection.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A byte of a header every nine seconds: one before the desk's patience ends.
    Head,
    /// A byte of a body a second, to a path that needs no token.
    Body,
    /// Asks for much and reads nothing.
    Deaf,
    /// Asks for much over HTTP/2, answers every ping, and makes no room for an answer.
    Shut,
}

const KINDS: [Kind; 4] = [Kind::Head, Kind::Body, Kind::Deaf, Kind::Shut];
/// Requests of one that is deaf or shut.
const ASKED: usize = 50;

/// Where attackers come from.
#[derive(Debug, Clone, Copy)]
enum From {
    /// All from one address.
    One,
    /// From many.
    Many,
}

impl From {
    fn address(self, number: usize) -> Ipv4Addr {
        match self {
            Self::One => Ipv4Addr::new(127, 0, 0, 2),
            Self::Many => Ipv4Addr::new(127, 0, 1, u8::try_from(1 + number % ADDRESSES).expect("few addresses")),
        }
    }
}

pub(crate) async fn peers(size: Size, engine: Engine) -> Tally {
    let runs: &[(From, Duration)] = if size == Size::Ci {
        &[(From::One, Duration::from_secs(12)), (From::Many, Duration::from_secs(12))]
    } else {
        &[(From::One, MINUTE), (From::Many, MINUTE), (From::Many, MINUTE)]
    };
    run("prlimit", &["--pid", &std::process::id().to_string(), "--nofile=16384:"]);
    let desk = start(engine).await;
    let mut phones = Vec::new();
    for number in 0..PHONES {
        phones.push(desk.phone(&format!("Scale {number}"), &["scale", "superintendent"]).await);
    }
    let phones = Arc::new(phones);
    let mut seen = Vec::new();
    for (from, time) in runs {
        let mut streams = Vec::new();
        for phone in phones.iter() {
            streams.push(phone.request(Method::GET, "/live").send().await.expect("a stream"));
        }
        // The same work in peace says what this machine can do at all.
        let in_peace = slow(&work(&phones, *time / 4).await);
        let attack = Attack::begin(&desk, *from);
        let took = work(&phones, *time).await;
        let figures = attack.end();
        let (p99, all) = (slow(&took), took.len());
        let seen_now = format!("{from:?}: {figures}; {all} honest requests, p99 {p99:.0?}, in peace {in_peace:.0?}");
        assert!(all >= REQUESTS_MIN, "nothing is proven: {seen_now}");
        assert!(p99 < PROMISED, "honest phones wait: {seen_now}");
        desk.apply(&[insert("rings", &fresh(), json!({"name": "After the attack"}))]).await;
        for stream in &mut streams {
            hears_a_change(stream).await;
        }
        seen.push(seen_now);
    }
    Tally { runs: runs.len(), seen: seen.join("; ") }
}

const MINUTE: Duration = Duration::from_mins(1);

/// With the limits of a real show, and no more files than a desktop session gives.
async fn start(engine: Engine) -> Desk {
    let database_url = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(showdesk_testkit::fresh_database_url().await),
    };
    let under = ["prlimit", FILES].map(str::to_owned).to_vec();
    let launch = Launch { database_url, under, is_limited: true, ..Launch::default() };
    let mut program = Program::new(launch);
    program.launch.folder = program.scratch().join("show");
    program.start_again().await;
    Desk::of(program).await
}

/// What ninety-nine of a hundred took at most.
fn slow(took: &[Duration]) -> Duration {
    took[(took.len() * 99 / 100).saturating_sub(1)]
}

/// The connections of all kinds.
struct Attack {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
    thrown_out: Arc<AtomicUsize>,
}

impl Attack {
    /// Begins; the attackers come one after the other, so that they hold connections and do not flood the desk with new ones.
    fn begin(desk: &Desk, from: From) -> Self {
        let target: SocketAddr = desk.program.http.trim_start_matches("http://").parse().expect("an address");
        let mut attack =
            Self { tasks: JoinSet::new(), stop: Arc::default(), open: Arc::default(), thrown_out: Arc::default() };
        for kind in KINDS {
            for number in 0..CONNECTIONS {
                let (stop, open, out) = (attack.stop.clone(), attack.open.clone(), attack.thrown_out.clone());
                let (address, comes) = (
                    from.address(number),
                    COME_WITHIN * u32::try_from(number).expect("few") / u32::try_from(CONNECTIONS).expect("few"),
                );
                attack.tasks.spawn(async move {
                    sleep(comes).await;
                    while !stop.load(Ordering::Relaxed) {
                        let connection = connect(address, target).await;
                        if let Some(connection) = connection {
                            open.fetch_add(1, Ordering::Relaxed);
                            match kind {
                                Kind::Shut => hold_shut(connection, target).await,
                                _ => hold(connection, kind, target).await,
                            }
                            open.fetch_sub(1, Ordering::Relaxed);
                            out.fetch_add(1, Ordering::Relaxed);
                        }
                        sleep(COMES_AGAIN + Duration::from_millis((number % 1_000) as u64)).await;
                    }
                });
            }
        }
        attack
    }

    fn end(mut self) -> String {
        self.stop.store(true, Ordering::Relaxed);
        let open = self.open.load(Ordering::Relaxed);
        self.tasks.abort_all();
        assert!(open > CONNECTIONS / 4, "{open} connections were open at the end: that is no attack");
        format!("{open} slow connections open, {} thrown out", self.thrown_out.load(Ordering::Relaxed))
    }
}

async fn connect(from: Ipv4Addr, target: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    // Small, so that what nobody reads fills it at once.
    socket.set_recv_buffer_size(4_096).ok()?;
    socket.bind(SocketAddr::from((from, 0))).ok()?;
    timeout(CONNECTED, socket.connect(target)).await.ok()?.ok()
}

/// Holds the connection for as long as the desk lets it.
async fn hold(mut connection: TcpStream, kind: Kind, target: SocketAddr) {
    let (opening, byte, pause) = match kind {
        Kind::Head => (format!("GET /api/v1/ping HTTP/1.1\r\nHost: {target}\r\nX-Slow: "), "x", Duration::from_secs(9)),
        Kind::Body => {
            let head = "POST /api/v1/pairing/claim HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 8000";
            (format!("{head}\r\nHost: {target}\r\n\r\n{{"), " ", Duration::from_secs(1))
        }
        Kind::Deaf | Kind::Shut => {
            let ask = format!("GET /api/v1/openapi.json HTTP/1.1\r\nHost: {target}\r\n\r\n");
            (ask.repeat(ASKED), "", Duration::from_secs(1))
        }
    };
    if connection.write_all(opening.as_bytes()).await.is_err() {
        return;
    }
    let mut read = [0; 1];
    loop {
        sleep(pause).await;
        if connection.write_all(byte.as_bytes()).await.is_err() {
            return;
        }
        // The deaf one must not read to learn that it was thrown out: it looks at the socket.
        let ended = match kind {
            Kind::Deaf | Kind::Shut => matches!(connection.take_error(), Ok(Some(_)) | Err(_)),
            Kind::Head | Kind::Body => {
                matches!(timeout(Duration::from_millis(1), connection.read(&mut read)).await, Ok(Ok(0) | Err(_)))
            }
        };
        if ended {
            return;
        }
    }
}

/// The same over HTTP/2: it reads what the protocol says, and no byte of an answer is let out.
async fn hold_shut(connection: TcpStream, target: SocketAddr) {
    let client = h2::client::Builder::new().initial_window_size(0).handshake::<_, &[u8]>(connection).await;
    let Ok((client, connection)) = client else { return };
    let asking = async move {
        let mut answers = Vec::new();
        for _ in 0..ASKED {
            let request = http_request(target);
            let Ok(mut client) = client.clone().ready().await else { break };
            let Ok((answer, _)) = client.send_request(request, true) else { break };
            answers.push(answer.await);
        }
        // They are held until the connection ends.
        std::future::pending::<()>().await;
        drop(answers);
    };
    tokio::select! {
        _ = connection => {}
        () = asking => {}
    }
}

fn http_request(target: SocketAddr) -> hyper::Request<()> {
    let request = hyper::Request::get(format!("http://{target}/api/v1/openapi.json"));
    request.body(()).expect("a request without a body")
}

/// Honest phones at work for so long; how long each request took, shortest first.
async fn work(phones: &Arc<Vec<Phone>>, time: Duration) -> Vec<Duration> {
    let mut workers = JoinSet::new();
    for number in 0..PHONES {
        let phones = Arc::clone(phones);
        workers.spawn(async move {
            let (phone, began) = (&phones[number], Instant::now());
            let mut took = Vec::new();
            while began.elapsed() < time {
                let op = insert("rings", &fresh(), json!({"name": format!("Ring of {number}")}));
                let envelope = phone.envelope(&[op]);
                took.push(timed(phone.request(Method::POST, "/sync/push").json(&envelope)).await);
                took.push(timed(phone.request(Method::GET, "/sync/pull?limit=50")).await);
                took.push(timed(phone.request(Method::GET, "/sync/hello")).await);
                sleep(Duration::from_millis(100)).await;
            }
            took
        });
    }
    let mut took = workers.join_all().await.concat();
    took.sort();
    took
}

async fn timed(request: reqwest::RequestBuilder) -> Duration {
    let began = Instant::now();
    let answer = request.timeout(Duration::from_secs(20)).send().await;
    let answer =
        answer.unwrap_or_else(|error| panic!("an honest request fails after {:?}: {error:?}", began.elapsed()));
    assert_eq!(answer.status(), 200, "an honest request is refused");
    answer.bytes().await.expect("its answer comes whole");
    began.elapsed()
}

async fn hears_a_change(stream: &mut Response) {
    let heard = async {
        let mut text = String::new();
        while text.matches("event: poke").count() < 2 {
            let chunk = stream.chunk().await.expect("the stream goes on").expect("the stream was not ended");
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    timeout(HEARD, heard).await.expect("a stream of an honest phone is still fed");
}
