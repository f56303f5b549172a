//! One kept-alive HTTP connection, as lean as can be: the load must not eat what is measured.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value as Json;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::RehearseError;

/// How long an answer may take on a busy machine.
const ANSWER_TIME: Duration = Duration::from_mins(1);
/// An empty body.
const NOTHING: &[u8] = b"";

/// A connection to one of the desk's listeners.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    token: Option<String>,
    line: Option<Line>,
}

/// What stands as long as neither side hangs up.
#[derive(Debug)]
struct Line {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
}

impl Drop for Line {
    /// Hangs up, in the middle of an answer if need be.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// A connection that is made with its first request. With a token, every request carries it.
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { address, token, line: None }
    }

    /// Another connection of the same device.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self::new(self.address, self.token.clone())
    }

    /// Connects again with the next request: the desk does not keep a connection that says nothing for long.
    pub fn hang_up(&mut self) {
        self.line = None;
    }

    /// Connects now, so that the next request does not have to.
    pub async fn connect(&mut self) -> Result<(), RehearseError> {
        self.line().await.map(|_| ())
    }

    /// Asks for something; answers the body.
    pub async fn get(&mut self, path: &str) -> Result<Bytes, RehearseError> {
        self.ask(Method::GET, path, NOTHING.into()).await
    }

    /// Asks for something as JSON.
    pub async fn get_json(&mut self, path: &str) -> Result<Json, RehearseError> {
        read(path, &self.get(path).await?)
    }

    /// Sends something; answers the body.
    pub async fn post(&mut self, path: &str, body: &impl Serialize) -> Result<Bytes, RehearseError> {
        self.ask(Method::POST, path, text(body)).await
    }

    /// Sends something; answers JSON.
    pub async fn post_json(&mut self, path: &str, body: &impl Serialize) -> Result<Json, RehearseError> {
        read(path, &self.post(path, body).await?)
    }

    /// Puts something in its place; answers the body.
    pub async fn put(&mut self, path: &str, body: &impl Serialize) -> Result<Bytes, RehearseError> {
        self.ask(Method::PUT, path, text(body)).await
    }

    /// Sends something and hangs up after that time, whether the answer has come or not. Nobody reads it.
    pub async fn post_and_hang_up(&mut self, path: &str, body: &impl Serialize, after: Duration) {
        let asked = self.ask(Method::POST, path, text(body));
        // Neither an answer nor an error would be known to a phone whose line broke.
        let _ = tokio::time::timeout(after, asked).await;
        self.line = None;
    }

    /// Begins to read an answer that does not end, such as an event stream. The connection is given up for it.
    pub async fn listen(mut self, path: &str) -> Result<Listening, RehearseError> {
        let response = self.send(Method::GET, path, NOTHING.into()).await?;
        if !response.status().is_success() {
            return Err(refused(path, response).await);
        }
        let line = self.line.take().ok_or(RehearseError::HungUp)?;
        Ok(Listening { body: response.into_body(), _line: line })
    }

    async fn ask(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes, RehearseError> {
        let response = self.send(method, path, body).await?;
        if !response.status().is_success() {
            return Err(refused(path, response).await);
        }
        let body = tokio::time::timeout(ANSWER_TIME, response.into_body().collect()).await;
        Ok(body.map_err(|_| RehearseError::Silent(path.to_owned()))??.to_bytes())
    }

    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>, RehearseError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body)).expect("paths and tokens are plain ASCII");
        let sending = self.line().await?.sender.send_request(request);
        let answer = tokio::time::timeout(ANSWER_TIME, sending).await;
        let answer = answer.map_err(|_| RehearseError::Silent(path.to_owned())).and_then(|answer| Ok(answer?));
        if answer.is_err() {
            self.line = None;
        }
        answer
    }

    async fn line(&mut self) -> Result<&mut Line, RehearseError> {
        let stands = match &mut self.line {
            Some(line) => line.sender.ready().await.is_ok(),
            None => false,
        };
        if !stands {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let (sender, driver) = handshake(TokioIo::new(stream)).await?;
            self.line = Some(Line { sender, driver: tokio::spawn(driver).abort_handle() });
        }
        self.line.as_mut().ok_or(RehearseError::HungUp)
    }
}

/// An answer that does not end.
#[derive(Debug)]
pub struct Listening {
    body: Incoming,
    _line: Line,
}

impl Listening {
    /// The next piece; none when the desk has ended it.
    pub async fn next(&mut self) -> Result<Option<Bytes>, RehearseError> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(piece) = frame?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

fn text(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("plain data is JSON").into()
}

fn read(path: &str, body: &[u8]) -> Result<Json, RehearseError> {
    serde_json::from_slice(body).map_err(|_| RehearseError::Strange(format!("{path} did not answer JSON")))
}

async fn refused(path: &str, response: Response<Incoming>) -> RehearseError {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
    RehearseError::Refused { path: path.to_owned(), status, body: String::from_utf8_lossy(&body).into_owned() }
}
