//! What surrounds every handler: its id, its time, its place among the others, the headers of its answer.
//!
//! [`finish`] sees everything, pages included, and `gate` stands before it; [`take_turn`] limits the API's handlers.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use showdesk_domain::ids::PersonId;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use crate::accept::HEADERS_MAX;
use crate::app::App;
use crate::auth::{self, Acting};
use crate::bodies::Arriving;
use crate::error::Problem;
use crate::gate::Instead;
use crate::handlers::{AtWork, Full, Handlers};
use crate::places::{Served, Standing};
use crate::readers::Readers;
use crate::recording::Worked;
use crate::witness::Asked;

/// A handler's time, without reading the body.
pub(crate) const HANDLER_TIME: Duration = Duration::from_secs(15);
/// The time of a handler that takes in a whole file, or makes a show: 20,000 entries on a slow laptop. The desk's page
/// waits as long.
pub(crate) const FILE_TIME: Duration = Duration::from_mins(1);
/// Longer addresses are refused.
pub(crate) const URI_BYTES_MAX: usize = 8 * 1024;
/// A body that takes so long to arrive tells of a weak connection.
const SLOW: Duration = Duration::from_millis(showdesk_engine::SLOW_MS.unsigned_abs());
/// What is left of a body after its answer is read and dropped, for at most so long …
const LINGER_TIME: Duration = Duration::from_secs(2);
/// … and so many bytes, so that the client reads the answer instead of a reset.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// No script but our own files; styles may be inline, because components set them. `gate` has another one for phones.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// Gives a request its id, catches panics, writes problems out and sets the headers of every answer.
pub(crate) async fn finish(mut request: Request, next: Next) -> Response {
    let request_id = Uuid::now_v7();
    let started = Instant::now();
    let method = request.method().clone();
    let readers = request.extensions().get::<Arc<Readers>>().cloned();
    let lets_through = request.version() < Version::HTTP_2;
    // Never the address itself: it can hold a pairing's secret id.
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());

    let route = path.as_ref().map(|path| format!("{method} {path}"));
    let asked = Asked { id: request_id, route };
    let uri_bytes = request.uri().path_and_query().map_or(0, |text| text.as_str().len());
    let instead = request.extensions_mut().remove::<Instead>();
    let request = request.map(|body| Body::new(Lingering(Some(body))));
    let response = match instead {
        Some(Instead::Refusal(problem)) => problem.into_response(),
        Some(Instead::Leave) => StatusCode::NO_CONTENT.into_response(),
        None if uri_bytes >= URI_BYTES_MAX => Problem::uri_too_long().into_response(),
        // The parser of HTTP/1 has counted its own; that of HTTP/2 counts bytes only.
        None if request.headers().len() > HEADERS_MAX => Problem::too_many_headers(HEADERS_MAX).into_response(),
        None => match asked.clone().during(AssertUnwindSafe(next.run(request)).catch_unwind()).await {
            Ok(response) => response,
            Err(panic) => Problem::panicked(panic_text(panic.as_ref())).into_response(),
        },
    };

    let mut response = asked.while_doing(|| with_problem(response, request_id));
    let path = path.as_deref().unwrap_or("none");
    tracing::debug!(%request_id, %method, path, status = response.status().as_u16(), elapsed = ?started.elapsed());
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, CSP);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(value) = HeaderValue::try_from(request_id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    match readers {
        Some(readers) => response.map(|body| readers.watch(body, lets_through)),
        None => response,
    }
}

/// Writes the problem out that a handler answered, or one for an empty answer of the router.
fn with_problem(mut response: Response, request_id: Uuid) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return problem.answer(request_id);
    }
    let status = response.status();
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if is_page || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let allowed = response.headers_mut().remove(ALLOW);
    let mut answer = Problem::from_status(status).answer(request_id);
    if let Some(allowed) = allowed {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

/// Runs a handler within its time and within the number of handlers at once.
pub(crate) async fn take_turn(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let standing = request.extensions().get::<Standing>().cloned();
    let stranger = match auth::stranger(&request, &app) {
        Ok(stranger) => stranger,
        Err(problem) => return problem.into_response(),
    };
    let turn = Turn::new(Arc::clone(app.handlers()), standing, stranger);
    if turn.take_place().await.is_err() {
        return Problem::too_many_handlers().into_response();
    }
    request.extensions_mut().insert(turn.clone());
    let mut handled = std::pin::pin!(next.run(request));
    loop {
        tokio::select! {
            mut response = &mut handled => {
                if let Some(worked) = turn.worked() {
                    response.extensions_mut().insert(worked);
                }
                if let Some(device) = turn.slow_device() {
                    app.engine().note_slow(device);
                }
                return response;
            }
            () = sleep_until(turn.deadline()) => {
                if turn.deadline() <= Instant::now() {
                    return Problem::handler_time_over().into_response();
                }
            }
        }
    }
}

/// A request's place among the handlers and the end of its time.
#[derive(Clone)]
pub(crate) struct Turn {
    handlers: Arc<Handlers>,
    /// The connection it came by.
    standing: Option<Standing>,
    state: Arc<Mutex<TurnState>>,
}

/// A handler at work: its connection does not give way meanwhile.
struct HandlerPlace {
    at_work: AtWork,
    _served: Option<Served>,
}

struct TurnState {
    deadline: Instant,
    place: Option<HandlerPlace>,
    /// From where, until its pass was looked up.
    stranger: Option<IpAddr>,
    acting: Option<Acting>,
    device: Option<Uuid>,
    person: Option<PersonId>,
    waited: Duration,
}

impl Turn {
    fn new(handlers: Arc<Handlers>, standing: Option<Standing>, stranger: Option<IpAddr>) -> Self {
        let state = TurnState {
            deadline: Instant::now() + HANDLER_TIME,
            place: None,
            stranger,
            acting: None,
            device: None,
            person: None,
            waited: Duration::ZERO,
        };
        Self { handlers, standing, state: Arc::new(Mutex::new(state)) }
    }

    /// Says whose request it is: its pass was looked up and is valid.
    pub(crate) fn is_of(&self, device: Uuid) {
        if let Some(standing) = &self.standing {
            standing.is_of(device);
        }
        self.with(|state| {
            state.device = Some(device);
            state.stranger = None;
            if let Some(place) = &mut state.place {
                place.at_work.is_no_stranger();
            }
        });
    }

    /// Says in whose name it is asked, and by which pass.
    pub(crate) fn is_by(&self, acting: Acting) {
        self.with(|state| {
            state.person = Some(acting.actor.person);
            state.acting = Some(acting);
        });
    }

    /// Its body, of which nothing has come yet.
    pub(crate) fn body_begins(&self) -> Arriving {
        self.handlers.bodies().begin(self.with(|state| state.device))
    }

    /// In whose name it was asked when its head had come.
    pub(crate) fn acting(&self) -> Option<Acting> {
        self.with(|state| state.acting.clone())
    }

    /// What the desk's measurements want to know of it; none if there is nothing to tell.
    fn worked(&self) -> Option<Worked> {
        let worked = self.with(|state| Worked { person: state.person, waited: state.waited });
        (worked.person.is_some() || !worked.waited.is_zero()).then_some(worked)
    }

    /// Whose request it is, if its body took long to arrive.
    fn slow_device(&self) -> Option<Uuid> {
        self.with(|state| state.device.filter(|_| state.waited >= SLOW))
    }

    /// Lets another handler in, while this one waits for something that is limited elsewhere.
    pub(crate) fn give_place_up(&self) {
        self.with(|state| state.place = None);
    }

    /// Gives the handler so much time from now on: what it was asked for is more than a page's or a phone's usual question.
    pub(crate) fn may_take(&self, time: Duration) {
        self.with(|state| state.deadline = Instant::now() + time);
    }

    /// Waits for the client, at most `time`: neither the handler's place nor its time is used meanwhile.
    pub(crate) async fn wait_for_client<T>(
        &self,
        time: Duration,
        client: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        self.with(|state| {
            state.place = None;
            state.deadline = Instant::now() + time + HANDLER_TIME;
        });
        let began = Instant::now();
        let read = timeout(time, client).await;
        self.with(|state| state.waited += began.elapsed());
        let read = read.map_err(|_| Problem::body_time_over())??;
        self.take_place().await.map_err(|Full| Problem::too_many_handlers())?;
        Ok(read)
    }

    async fn take_place(&self) -> Result<(), Full> {
        let at_work = match self.with(|state| state.stranger) {
            Some(address) => self.handlers.take_for_stranger(address).await?,
            None => self.handlers.take()?,
        };
        // Not while it stands in line: those who flood the line would fill the house with connections that cannot go.
        let served = self.standing.as_ref().map(Standing::serve);
        self.with(|state| {
            state.place = Some(HandlerPlace { at_work, _served: served });
            state.deadline = Instant::now() + HANDLER_TIME;
        });
        Ok(())
    }

    fn deadline(&self) -> Instant {
        self.with(|state| state.deadline)
    }

    fn with<T>(&self, change: impl FnOnce(&mut TurnState) -> T) -> T {
        change(&mut self.state.lock().expect("nobody panics while holding it"))
    }
}

/// A request body. If nobody reads it to its end, the rest is read and dropped within bounds, so that
/// an early answer reaches a client that is still sending.
struct Lingering(Option<Body>);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) {
            tokio::spawn(timeout(LINGER_TIME, drop_rest(body)));
        }
    }
}

async fn drop_rest(mut body: Body) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > LINGER_BYTES_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::Method;
    use axum::routing::{get, post};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn ask(method: Method, uri: &str) -> (Response, Value) {
        let routes = Router::new()
            .route("/fine", get(async || "fine"))
            .route("/panic", get(async || -> String { panic!("a secret of the program") }))
            .route("/refuse", post(async || Problem::body_too_large(5)))
            .route("/page", get(async || (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "text/html")], "<p>")))
            .layer(axum::middleware::from_fn(finish));
        let request = Request::builder().method(method).uri(uri).body(Body::empty()).expect("a request");
        let (parts, body) = routes.oneshot(request).await.expect("infallible").into_parts();
        let bytes = body.collect().await.expect("a body in memory").to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (Response::from_parts(parts, Body::empty()), json)
    }

    #[tokio::test]
    async fn every_answer_has_its_id_and_its_headers() {
        let (response, _) = ask(Method::GET, "/fine").await;
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers();
        assert!(headers[REQUEST_ID].len() == 36);
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[REFERRER_POLICY], "no-referrer");
        assert!(headers[CONTENT_SECURITY_POLICY].to_str().expect("text").contains("script-src 'self';"));
    }

    #[tokio::test]
    async fn the_routers_own_answers_become_problems() {
        let (response, problem) = ask(Method::GET, "/nowhere").await;
        assert_eq!((response.status(), &problem["code"]), (StatusCode::NOT_FOUND, &"not_found".into()));
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        for method in [Method::TRACE, Method::DELETE] {
            let (response, problem) = ask(method, "/fine").await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
            assert_eq!(problem["code"], "method_not_allowed");
            assert_eq!(response.headers()[ALLOW], "GET,HEAD");
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_500_with_the_id_of_the_log_and_nothing_else() {
        let (response, problem) = ask(Method::GET, "/panic").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(problem["code"], "internal");
        assert_eq!(problem["request_id"], response.headers()[REQUEST_ID].to_str().expect("text"));
        assert!(!problem.to_string().contains("secret"));
    }

    #[tokio::test]
    async fn a_refusal_of_ours_keeps_its_code() {
        let (response, problem) = ask(Method::POST, "/refuse").await;
        assert_eq!((response.status().as_u16(), &problem["code"]), (413, &"body_too_large".into()));
    }

    #[tokio::test]
    async fn a_page_for_people_stays_a_page() {
        let (response, _) = ask(Method::GET, "/page").await;
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html");
    }

    #[tokio::test]
    async fn a_long_address_is_refused() {
        let (response, problem) = ask(Method::GET, &format!("/fine?{}", "x".repeat(URI_BYTES_MAX))).await;
        assert_eq!((response.status(), &problem["code"]), (StatusCode::URI_TOO_LONG, &"uri_too_long".into()));
    }

    #[tokio::test]
    async fn sixty_five_headers_are_too_many_however_they_came() {
        let routes = Router::new().route("/fine", get(async || "fine")).layer(axum::middleware::from_fn(finish));
        for (count, status) in [(HEADERS_MAX, 200), (HEADERS_MAX + 1, 431)] {
            let mut request = Request::builder().uri("/fine");
            for number in 0..count {
                request = request.header("x-same", number);
            }
            let request = request.body(Body::empty()).expect("a request");
            let answer = routes.clone().oneshot(request).await.expect("infallible");
            assert_eq!(answer.status().as_u16(), status, "{count} headers");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_waits_uses_no_place_and_no_handler_time() {
        let handlers = Arc::new(Handlers::new(1, 1));
        let turn = Turn::new(Arc::clone(&handlers), None, None);
        turn.take_place().await.expect("a free place");
        let before = turn.deadline();
        let read = turn.wait_for_client(Duration::from_secs(30), async {
            drop(handlers.take().expect("its place is free"));
            tokio::time::sleep(Duration::from_secs(29)).await;
            Ok(())
        });
        read.await.expect("in time");
        assert!(handlers.take().is_err(), "it works again");
        assert_eq!(turn.deadline(), before + Duration::from_secs(29));
        let late = turn.wait_for_client(Duration::from_secs(30), std::future::pending::<Result<(), Problem>>());
        assert!(late.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_of_a_whole_file_has_more_time() {
        let turn = Turn::new(Arc::default(), None, None);
        assert_eq!(turn.deadline(), Instant::now() + HANDLER_TIME);
        turn.may_take(FILE_TIME);
        assert_eq!(turn.deadline(), Instant::now() + FILE_TIME);
    }

    #[tokio::test]
    async fn handlers_are_bounded() {
        let handlers = Arc::new(Handlers::new(1, 1));
        let (first, second) = (Turn::new(Arc::clone(&handlers), None, None), Turn::new(handlers, None, None));
        first.take_place().await.expect("a free place");
        assert!(second.take_place().await.is_err());
        first.give_place_up();
        assert!(second.take_place().await.is_ok());
    }

    #[tokio::test]
    async fn who_shows_a_good_pass_takes_no_place_from_strangers_any_more() {
        let here = Some(IpAddr::from([10, 0, 0, 1]));
        let handlers = Arc::new(Handlers::new(2, 1));
        let (first, second) = (Turn::new(Arc::clone(&handlers), None, here), Turn::new(handlers, None, here));
        first.take_place().await.expect("a free place");
        assert!(second.take_place().now_or_never().is_none(), "one stranger at a time");
        first.is_of(Uuid::from_u128(1));
        second.take_place().await.expect("the first one is known now");
        first.give_place_up();
        first.take_place().await.expect("and stays known");
    }
}
