//! The accept loop: one task a listener, one a connection, each step with a time.
//!
//! `axum::serve` installs no timer, so a client that sends half a header would hold its connection
//! for ever. It knows nothing of routes.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::{Layer, Service};

use crate::places::{Place, Places};

/// A request's head has so long to arrive; an idle connection lives as long.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// A TLS handshake has so long to end.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);
/// HTTP/2: how often a silent client is asked whether it is there, and how long it may take to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// A client that does not read what it asked for is cut off.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// More headers are a 431.
const HEADERS_MAX: usize = 64;
/// Bytes of all headers of an HTTP/2 request.
const HEADER_BYTES_MAX: u32 = 32 * 1024;
/// Bytes of a head, or of a body not yet taken, on an HTTP/1 connection.
const BUFFER_BYTES: usize = 128 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_OF_CONNECTION_MAX: u32 = 64;
/// After this many bytes it is known whether a connection speaks HTTP/1 or HTTP/2.
const OPENING_BYTES: usize = 24;
/// Pause after a failed accept, which mostly means that the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound socket and what is served on it.
pub(crate) struct Accepting {
    pub(crate) socket: TcpListener,
    /// None is plain HTTP.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) router: Router,
    pub(crate) places: Arc<Places>,
    /// After the stop, requests and streams have this long to end.
    pub(crate) drain_time: Duration,
}

/// Accepts until `stop` turns true, then lets what runs end, then cuts.
pub(crate) async fn run(accepting: Accepting, mut stop: watch::Receiver<bool>) {
    let Accepting { socket, tls, router, places, drain_time } = accepting;
    let tls = tls.map(TlsAcceptor::from);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut has_room = false;
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            // While nobody can be sent away, connections wait in the system's backlog.
            () = places.have_room(), if !has_room => has_room = true,
            accepted = socket.accept(), if has_room => match accepted {
                Ok((stream, peer)) => {
                    has_room = false;
                    let place = places.enter(peer.ip());
                    let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
                    connections.spawn(hold(place, peer, stream, tls, router, watcher, stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(socket);
    if timeout(drain_time, graceful.shutdown()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections are cut off");
    }
    connections.shutdown().await;
}

/// Waits until the desk is told to stop. A teller that is gone counts as well.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopping| *stopping).await;
}

/// Serves a connection until it ends or its place is taken.
async fn hold(
    mut place: Place,
    peer: SocketAddr,
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    watcher: Watcher,
    mut stop: watch::Receiver<bool>,
) {
    // Small answers should leave at once; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let service = Extension(ConnectInfo(peer)).layer(Extension(place.standing()).layer(router));
    let serving = async {
        match tls {
            None => serve(stream, service, watcher).await,
            Some(tls) => {
                let shaken = tokio::select! {
                    () = stopped(&mut stop) => return,
                    shaken = timeout(HANDSHAKE_TIME, tls.accept(stream)) => shaken,
                };
                match shaken {
                    Ok(Ok(stream)) => serve(stream, service, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }
        }
    };
    tokio::select! {
        () = serving => {}
        () = place.closed() => tracing::debug!("a connection gave way to a new one"),
    }
}

async fn serve<S, R>(stream: S, service: R, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    R: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    let builder = builder();
    let service = TowerToHyperService::new(service);
    let connection = builder.serve_connection(TokioIo::new(TimedStream::new(stream)), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .max_concurrent_streams(STREAMS_OF_CONNECTION_MAX)
        .max_header_list_size(HEADER_BYTES_MAX);
    builder
}

/// A connection whose first bytes must come in time, and whose client must read in time.
///
/// hyper's own timer begins only when the protocol is known, and it has none for writing.
struct TimedStream<S> {
    stream: S,
    opening: Option<Pin<Box<Sleep>>>,
    opening_bytes: usize,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> TimedStream<S> {
    fn new(stream: S) -> Self {
        Self { stream, opening: Some(Box::pin(sleep(HEADER_TIME))), opening_bytes: 0, stalled: None }
    }

    /// Passes a write's progress on; an error if there was none for too long.
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE_TIME)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(opening) = &mut self.opening {
            if read.is_pending() {
                return opening.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()));
            }
            self.opening_bytes += buffer.filled().len() - before;
            if self.opening_bytes >= OPENING_BYTES {
                self.opening = None;
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch_write(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch_write(cx, shut)
    }
}

#[cfg(test)]
mod tests {
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
}
