//! Clients that are honest, slow, deaf or too many, against a router of the tests' own.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::guard;

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn running() -> Running {
    running_with(None).await
}

async fn running_with(tls: Option<Arc<ServerConfig>>) -> Running {
    let endless = || stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 16_384])));
    let router = Router::new()
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()))
        .route("/endless", get(async move || Body::from_stream(endless())))
        .route("/large", get(async || vec![b'x'; 300_000]))
        .route("/small", get(async || "hello"))
        .route("/never", get(async || std::future::pending::<()>().await))
        .route("/refuse", post(async |_: axum::extract::Request| StatusCode::PAYLOAD_TOO_LARGE))
        .layer(from_fn(guard::finish));
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("bound");
    let (stop, stopping) = watch::channel(false);
    let places = Places::new(2);
    let accepting = Accepting { socket, tls, router, places, drain_time: Duration::from_secs(3) };
    Running { address, stop, task: tokio::spawn(run(accepting, stopping)) }
}

impl Running {
    async fn connect(&self, sent: &[u8]) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.expect("connected");
        client.write_all(sent).await.expect("sent");
        client
    }
}

/// Everything up to the end of the connection, also if it was cut.
async fn rest(client: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(WRITE_TIME * 4, client.read_to_end(&mut bytes));
    // How it ended does not matter, only that it did.
    let _ = read.await.expect("the connection ends");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn it_is_heard_what_a_connection_speaks() {
    for first in [&b""[..], b"P", b"PRI", &PREFACE[..23]] {
        assert_eq!(Spoken::heard(first), Spoken::Unknown, "{first:?}");
    }
    for first in [&b"G"[..], b"PO", b"PRI * HTTP/1.1", &[0; 24]] {
        assert_eq!(Spoken::heard(first), Spoken::Http1, "{first:?}");
    }
    assert_eq!(Spoken::heard(PREFACE), Spoken::Http2);
    assert_eq!(Spoken::agreed(Some(b"h2")), Spoken::Http2);
    assert_eq!(Spoken::agreed(Some(b"http/1.1")), Spoken::Http1);
    assert_eq!(Spoken::agreed(None), Spoken::Unknown);
}

#[tokio::test]
async fn a_request_is_answered_and_knows_its_peer() {
    let running = running().await;
    let mut client = running.connect(b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_sends_nothing_or_half_a_head_is_closed() {
    let running = running().await;
    for half in [&b""[..], b"PRI * HT", b"GET /peer HTTP/1.1\r\nHost: localhost\r\nX-Half"] {
        let started = Instant::now();
        let mut client = running.connect(half).await;
        rest(&mut client).await;
        let waited = started.elapsed();
        assert!(waited >= HEADER_TIME && waited < HEADER_TIME * 2, "{half:?} {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_finish_a_handshake_is_closed_in_five_seconds() {
    let running = running_with(Some(crate::network::server_config(Arc::default()))).await;
    for half in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let started = Instant::now();
        let mut client = running.connect(half).await;
        rest(&mut client).await;
        let waited = started.elapsed();
        assert!(waited >= HANDSHAKE_TIME && waited < HEADER_TIME, "{half:?} {waited:?}");
    }
}

#[tokio::test]
async fn a_stranger_gives_way_when_the_house_is_full() {
    let running = running().await;
    let mut first = running.connect(b"").await;
    let _second = running.connect(b"").await;
    let mut third = running.connect(b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(rest(&mut third).await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(&mut first).await, "", "the oldest was closed long before its time");
}

#[tokio::test(start_paused = true)]
async fn who_never_reads_is_cut_off() {
    let running = running().await;
    let started = Instant::now();
    let mut client = running.connect(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let sent_head = running.connect(b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    drop(sent_head);
    tokio::time::sleep(WRITE_TIME * 2).await;
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 200"));
    assert!(started.elapsed() < WRITE_TIME * 3);
}

/// How long a client over HTTP/2 is served that answers every ping and makes room for so many bytes and no more.
async fn served_deaf(window: u32, path: &str) -> Duration {
    let running = running().await;
    let started = Instant::now();
    let stream = TcpStream::connect(running.address).await.expect("connected");
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window).initial_connection_window_size(1_000_000);
    let client = builder.handshake::<_, Bytes>(stream).await;
    let (mut client, connection) = client.expect("it speaks HTTP/2");
    let connection = tokio::spawn(connection);
    let request = Request::get(format!("http://x{path}")).body(()).expect("a request");
    let answer = client.send_request(request, true).expect("sent").0.await.expect("a head");
    assert_eq!(answer.status(), StatusCode::OK);
    // How it ended does not matter, only that it did.
    let _ = timeout(READ_TIME * 4, connection).await.expect("the connection ends");
    drop(answer);
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_over_http_2_is_cut_off() {
    for (window, path) in
        [(0, "/endless"), (0, "/large"), (0, "/small"), (1, "/large"), (4, "/small"), (299_999, "/large")]
    {
        let served = served_deaf(window, path).await;
        assert!(served >= READ_TIME && served < READ_TIME * 2, "{window} bytes of {path}: {served:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_over_http_2_is_served_to_the_end() {
    let running = running().await;
    let stream = TcpStream::connect(running.address).await.expect("connected");
    let client = h2::client::Builder::new().initial_window_size(16_384).handshake::<_, Bytes>(stream).await;
    let (mut client, connection) = client.expect("it speaks HTTP/2");
    let connection = tokio::spawn(connection);
    let request = Request::get("http://x/large").body(()).expect("a request");
    let answer = client.send_request(request, true).expect("sent").0.await.expect("a head");
    let (mut body, mut read, started) = (answer.into_body(), 0, Instant::now());
    while let Some(data) = body.data().await {
        read += data.as_ref().expect("it goes on").len();
        sleep(READ_TIME / 3).await;
        body.flow_control().release_capacity(data.expect("it goes on").len()).expect("it was taken");
    }
    assert!(read == 300_000 && started.elapsed() > READ_TIME * 3, "{read} in {:?}", started.elapsed());
    // An idle connection may stay.
    assert!(timeout(READ_TIME * 4, connection).await.is_err());
}

#[tokio::test]
async fn sixty_five_headers_are_too_many() {
    let running = running().await;
    let headers = "X-Same: 1\r\n".repeat(65);
    let mut client = running.connect(format!("GET /peer HTTP/1.1\r\n{headers}\r\n").as_bytes()).await;
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let running = running().await;
    let head = b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\nConnection: close\r\n\r\n";
    let mut client = running.connect(head).await;
    client.write_all(&vec![b'x'; 10_000_000]).await.expect("all of it is taken");
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_idle_connections_at_once_and_cuts_the_others_in_time() {
    let running = running().await;
    let _idle = running.connect(b"").await;
    let mut busy = running.connect(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    tokio::task::yield_now().await;
    running.stop.send(true).expect("it runs");
    let started = Instant::now();
    running.task.await.expect("no panic");
    assert!(started.elapsed() <= Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(rest(&mut busy).await, "");
    assert!(TcpStream::connect(running.address).await.is_err());
}
