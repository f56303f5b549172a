//! Stand-ins for the providers: servers on loopback that look at each request as the real ones do.
//!
//! Whether they are right is not for our own senders to say: `peers.rs` lets the programs of others talk to them.

pub(crate) mod apple;
pub(crate) mod google;
pub(crate) mod keys;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a sender asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// A header; empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// How a stand-in answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// With this.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Not at all; and as nobody waits in a test, time jumps to where the sender gives up.
    Never,
    /// Not at all, and nothing comes from this connection any more: the way to it is broken, and nobody says so. Time
    /// jumps as for `Never`.
    Dead,
    /// By hanging up.
    HangUp,
}

impl Reply {
    pub(crate) fn of(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Answer { status, headers, body: body.to_string() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

type Respond = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// A running stand-in. It ends with its value.
pub(crate) struct StandIn {
    address: SocketAddr,
    tls: bool,
    connections: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<Asked>>>,
    goodbye: Arc<Notify>,
    accepting: JoinHandle<()>,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl StandIn {
    /// Answers plain HTTP, 1.1 or 2.
    pub(crate) async fn start(respond: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(respond)).await
    }

    /// Answers behind a certificate.
    pub(crate) async fn start_tls(tls: TlsAcceptor, respond: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(Some(tls), Arc::new(respond)).await
    }

    async fn listen(tls: Option<TlsAcceptor>, respond: Respond) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, asked, goodbye) = (Arc::default(), Arc::default(), Arc::default());
        let line = Line { respond, asked: Arc::clone(&asked), goodbye: Arc::clone(&goodbye), dead: Arc::default() };
        let (count, safe) = (Arc::clone(&connections), tls.is_some());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let line = Line { dead: Arc::default(), ..line.clone() };
                let stream = Mortal { stream, dead: Arc::clone(&line.dead) };
                let (tls, count) = (tls.clone(), Arc::<AtomicUsize>::clone(&count));
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        count.fetch_add(1, Ordering::SeqCst);
                        return line.serve(stream).await;
                    };
                    // Who does not trust the certificate hangs up: that is not counted as a connection.
                    if let Ok(stream) = tls.accept(stream).await {
                        count.fetch_add(1, Ordering::SeqCst);
                        line.serve(stream).await;
                    }
                });
            }
        });
        Self { address, tls: safe, connections, asked, goodbye, accepting }
    }

    /// Where it is, by the name that its certificate has.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.address.port())
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Tells all who are connected to go away (GOAWAY in HTTP/2).
    pub(crate) fn say_goodbye(&self) {
        self.goodbye.notify_waiters();
    }
}

/// What each connection needs.
#[derive(Clone)]
struct Line {
    respond: Respond,
    asked: Arc<Mutex<Vec<Asked>>>,
    goodbye: Arc<Notify>,
    /// Whether nothing comes from this connection any more.
    dead: Arc<AtomicBool>,
}

/// A stream that can die without a word.
struct Mortal {
    stream: TcpStream,
    dead: Arc<AtomicBool>,
}

impl Mortal {
    /// The stream; nothing, for ever, when it is dead.
    fn alive(self: Pin<&mut Self>) -> Poll<Pin<&mut TcpStream>> {
        if self.dead.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(Pin::new(&mut self.get_mut().stream)) }
    }
}

impl AsyncRead for Mortal {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.alive()).poll_read(context, into)
    }
}

impl AsyncWrite for Mortal {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.alive()).poll_write(context, from)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.alive()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.alive()).poll_shutdown(context)
    }
}

impl Line {
    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let goodbye = Arc::clone(&self.goodbye);
        let service = service_fn(move |request| self.clone().answer(request));
        let builder = auto::Builder::new(TokioExecutor::new());
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let broken = tokio::select! {
            ended = connection.as_mut() => ended.err(),
            () = goodbye.notified() => {
                connection.as_mut().graceful_shutdown();
                connection.await.err()
            }
        };
        // A sender that gives up or is hung up on breaks its connection: that is what some tests are about.
        drop(broken);
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, io::Error> {
        let (head, body) = request.into_parts();
        let asked = Asked {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            headers: head.headers,
            body: body.collect().await.map_err(io::Error::other)?.to_bytes(),
        };
        let reply = (self.respond)(&asked);
        self.asked.lock().unwrap().push(asked);
        match reply {
            Reply::Answer { status, headers, body } => Ok(answer(status, headers, body)),
            Reply::HangUp => Err(io::Error::other("hung up")),
            Reply::Never => never().await,
            Reply::Dead => {
                self.dead.store(true, Ordering::SeqCst);
                never().await
            }
        }
    }
}

/// Waits for ever, in a time that jumps to what is due next.
async fn never<T>() -> T {
    tokio::time::pause();
    match std::future::pending::<Infallible>().await {}
}

fn answer(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status.try_into().unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    response
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://localhost:{}", listener.local_addr().unwrap().port())
}
