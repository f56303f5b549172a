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
use crate::readers::{READ_TIME, Readers};

/// A request's head has so long to arrive; an idle connection lives as long.
pub(crate) const HEADER_TIME: Duration = Duration::from_secs(10);
/// A TLS handshake has so long to end.
pub(crate) const HANDSHAKE_TIME: Duration = Duration::from_secs(5);
/// HTTP/2: how often a silent client is asked whether it is there, and how long it may take to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// A client whose socket takes nothing more is cut off; `readers` sees the others that do not read.
const WRITE_TIME: Duration = READ_TIME;
/// More headers are a 431.
pub(crate) const HEADERS_MAX: usize = 64;
/// Bytes of all headers of an HTTP/2 request.
pub(crate) const HEADER_BYTES_MAX: u32 = 32 * 1024;
/// Bytes of a head, or of a body not yet taken, on an HTTP/1 connection.
const BUFFER_BYTES: usize = 128 * 1024;
/// Requests at once on one HTTP/2 connection.
pub(crate) const STREAMS_OF_CONNECTION_MAX: u32 = 64;
/// What a client says first that speaks HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
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
    let readers = Arc::new(Readers::default());
    let service = Extension(Arc::clone(&readers)).layer(router);
    let service = Extension(ConnectInfo(peer)).layer(Extension(place.standing()).layer(service));
    let serving = async {
        match tls {
            None => {
                let spoken = tokio::select! {
                    () = stopped(&mut stop) => return,
                    spoken = timeout(HEADER_TIME, spoken(&stream)) => spoken,
                };
                match spoken {
                    Ok(Ok(spoken)) => serve(stream, spoken, service, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a connection broke before it said anything"),
                    Err(_) => tracing::debug!("a connection said nothing"),
                }
            }
            Some(tls) => {
                let shaken = tokio::select! {
                    () = stopped(&mut stop) => return,
                    shaken = timeout(HANDSHAKE_TIME, tls.accept(stream)) => shaken,
                };
                match shaken {
                    Ok(Ok(stream)) => {
                        let spoken = Spoken::agreed(stream.get_ref().1.alpn_protocol());
                        serve(stream, spoken, service, watcher).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                }
            }
        }
    };
    tokio::select! {
        () = serving => {}
        () = place.closed() => tracing::debug!("a connection gave way to a new one"),
        () = readers.stalled() => tracing::debug!("a connection was not read from"),
    }
}

/// What a connection speaks.
///
/// It is known before a byte is read. hyper can find it out by reading, and begins with too small a piece then: its
/// buffer grows to 16 KB, twice as much as it needs, and stays so with every phone that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Http1,
    Http2,
    /// It has said too little.
    Unknown,
}

impl Spoken {
    /// What a TLS handshake came to.
    fn agreed(protocol: Option<&[u8]>) -> Self {
        match protocol {
            Some(b"h2") => Self::Http2,
            Some(_) => Self::Http1,
            None => Self::Unknown,
        }
    }

    /// What these first bytes are.
    fn heard(first: &[u8]) -> Self {
        match first.len() {
            length if length < PREFACE.len() && PREFACE.starts_with(first) => Self::Unknown,
            _ if first.starts_with(PREFACE) => Self::Http2,
            _ => Self::Http1,
        }
    }
}

/// Waits for a connection's first bytes and leaves them where they are.
async fn spoken(stream: &TcpStream) -> io::Result<Spoken> {
    let mut first = [0; PREFACE.len()];
    let length = stream.peek(&mut first).await?;
    Ok(Spoken::heard(&first[..length]))
}

async fn serve<S, R>(stream: S, spoken: Spoken, service: R, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    R: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    R::Future: Send,
{
    let builder = match spoken {
        Spoken::Http1 => builder().http1_only(),
        Spoken::Http2 => builder().http2_only(),
        Spoken::Unknown => builder(),
    };
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
            if self.opening_bytes >= PREFACE.len() {
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
mod tests;
