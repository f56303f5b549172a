//! Requests as bytes on a connection, for what no HTTP library would send.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::desk::Desk;

/// The desk answers or closes sooner than this, whatever is said.
const DEADLINE: Duration = Duration::from_secs(45);

/// Which listener is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Phone,
    Admin,
}

/// A request that has every part of it in the open.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) door: Door,
    start: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    raw: Option<Vec<u8>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// 0 if not even a status came.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
    /// Null if the body is no JSON.
    pub(crate) json: Json,
}

impl Request {
    /// A request line with this path as it is, a `Host`, and an end of the connection after the answer.
    pub(crate) fn new(door: Door, method: &str, path: &str) -> Self {
        let headers = vec![("host".to_owned(), String::new()), ("connection".to_owned(), "close".to_owned())];
        Self { door, start: format!("{method} {path} HTTP/1.1"), headers, body: Vec::new(), raw: None }
    }

    /// The same with a body of this type and length.
    pub(crate) fn carrying(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        let mut request = self.with("content-type", content_type).with("content-length", &length);
        request.body = body;
        request
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.carrying("application/json", body)
    }

    /// Bytes and nothing else.
    pub(crate) fn raw(door: Door, bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(bytes.into()), ..Self::new(door, "GET", "/") }
    }

    /// One more header; the same name may stand twice.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the headers of that name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// What goes over the wire to a listener of that name and port.
    fn bytes(&self, authority: &str) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            let value = if name == "host" && value.is_empty() { authority } else { value };
            write!(head, "{name}: {value}\r\n").expect("a String takes every text");
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    /// Sends it and reads until its answer is whole or the desk has closed the connection.
    pub(crate) async fn send(&self, desk: &Desk) -> Answer {
        let url = if self.door == Door::Phone { &desk.program.http } else { &desk.program.admin };
        let authority = url.trim_start_matches("http://");
        let stream = TcpStream::connect(authority).await.expect("the desk listens");
        let (mut reading, mut writing) = stream.into_split();
        let bytes = self.bytes(authority);
        // An early answer may end the connection before all is sent; what counts is the answer.
        let sending = tokio::spawn(async move {
            let _ = writing.write_all(&bytes).await;
            // Handed on and not dropped: that would end our side, and some desks hang up then.
            writing
        });
        let mut read = Vec::new();
        let is_head = self.start.starts_with("HEAD ");
        let answered = timeout(DEADLINE, async {
            // How a connection ends does not matter, only what was said before.
            while reading.read_buf(&mut read).await.is_ok_and(|count| count > 0) {
                if !is_head && is_whole(&read) {
                    return;
                }
            }
        });
        assert!(answered.await.is_ok(), "the desk does not end {}: {}", self.start, String::from_utf8_lossy(&read));
        sending.abort();
        Answer::read(&read)
    }
}

/// Whether an answer is there as long as it says it is.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let length = Answer::read(&bytes[..end]).header("content-length").and_then(|length| length.parse().ok());
    length.is_some_and(|length: usize| bytes.len() - end - 4 >= length)
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers = lines.filter_map(header).collect();
        let json = serde_json::from_str(body).unwrap_or(Json::Null);
        Self { status, headers, text: body.to_owned(), json }
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
