//! Notes each request for what the desk measures of itself: its route, how it ended, how long it took, who asked.
//!
//! Never the address itself, and never longer than a letter takes to be dropped into a box.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use showdesk_domain::ids::PersonId;
use showdesk_engine::{Engine, Taken, tasks};

use crate::app::App;

/// What a handler's turn knows of its request when it is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worked {
    /// Who asked, if a valid pass was shown.
    pub(crate) person: Option<PersonId>,
    /// How long its body was on its way: that says something about the Wi-Fi and nothing about the laptop.
    pub(crate) waited: Duration,
}

/// Takes the time around a request.
pub(crate) async fn note(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut noted = Noted::begin(app.engine(), &request);
    let response = next.run(request).await;
    noted.end(&response);
    response
}

/// A request that is being answered.
struct Noted<'a> {
    engine: &'a Engine,
    endpoint: &'static str,
    method: &'static str,
    began: Instant,
    is_over: bool,
}

impl<'a> Noted<'a> {
    fn begin(engine: &'a Engine, request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        Self {
            engine,
            endpoint: tasks::endpoint_of(matched),
            method: word_of(request.method()),
            began: Instant::now(),
            is_over: false,
        }
    }

    fn end(&mut self, response: &Response) {
        let worked = response.extensions().get::<Worked>();
        let waited = worked.map_or(Duration::ZERO, |worked| worked.waited);
        let took = self.began.elapsed().saturating_sub(waited);
        self.tell(response.status().as_u16(), took, worked.and_then(|worked| worked.person));
    }

    fn tell(&mut self, status: u16, took: Duration, person: Option<PersonId>) {
        self.is_over = true;
        let (endpoint, method) = (self.endpoint, self.method);
        self.engine.note_request(Taken { at: self.engine.now(), endpoint, method, status, took, person });
    }
}

impl Drop for Noted<'_> {
    /// A client that went away was answered nothing; a panic is answered further out.
    fn drop(&mut self) {
        if !self.is_over && std::thread::panicking() {
            self.tell(500, self.began.elapsed(), None);
        }
    }
}

/// The method as one of a few words: strangers can invent others.
fn word_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
