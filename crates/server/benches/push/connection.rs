//! One kept-alive HTTP connection, as lean as can be: the load must not eat what is measured.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value as Json;
use tokio::net::TcpStream;

/// A connection to one of the two listeners.
pub(crate) struct Connection {
    address: SocketAddr,
    token: Option<String>,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects; with a token, every request carries it.
    pub(crate) async fn open(address: SocketAddr, token: Option<String>) -> Self {
        Self { address, token, sender: connect(address).await }
    }

    /// Connects again: the desk does not keep a connection that says nothing for long.
    pub(crate) async fn open_again(&mut self) {
        self.sender = connect(self.address).await;
    }

    /// Sends a request that must succeed; answers the body.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, body: &impl Serialize) -> Bytes {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = serde_json::to_vec(body).expect("plain data is JSON");
        let request = request.body(Full::new(body.into())).expect("a request");
        self.sender.ready().await.expect("the connection stands");
        let response = self.sender.send_request(request).await.expect("the desk answers");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole answer").to_bytes();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        body
    }

    /// The same, with the answer read as JSON.
    pub(crate) async fn json(&mut self, method: Method, path: &str, body: &Json) -> Json {
        serde_json::from_slice(&self.ask(method, path, body).await).expect("JSON")
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the desk listens");
    stream.set_nodelay(true).expect("a fresh socket takes its options");
    let (sender, driver) = handshake(TokioIo::new(stream)).await.expect("the desk speaks HTTP");
    // It ends when the sender is dropped.
    tokio::spawn(driver);
    sender
}
