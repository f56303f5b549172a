//! The gate before everything: which host was asked, and by a page of which origin (SECURITY.md §4).
//!
//! There are no cookies, so an origin alone gives nobody a right: this keeps foreign pages from reading what anyone may
//! read, from joining, and from guessing codes in a visitor's browser.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_SECURITY_POLICY, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::{App, Listener};
use crate::error::Problem;
use crate::network::Host;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
/// What pages send beside those that begin with [`CLIENT_HEADERS`].
const HEADERS: [&str; 5] = ["accept", "authorization", "content-encoding", "content-type", "last-event-id"];
/// What pages tell of themselves.
const CLIENT_HEADERS: &str = "x-client-";
/// What pages may read beside what all may.
const EXPOSED: HeaderValue = HeaderValue::from_static("date, retry-after, x-request-id");
/// How long a browser may keep the leave it was given, seconds.
const LEAVE_SECONDS: HeaderValue = HeaderValue::from_static("600");
const ASKS_FOR_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// What is answered in the place of what was asked for. `guard::finish` writes it out.
#[derive(Clone)]
pub(crate) enum Instead {
    /// It is refused.
    Refusal(Problem),
    /// A browser asked for leave before the request itself; the headers say what it may.
    Leave,
}

/// Lets a request through, or tells `guard::finish` what to answer instead.
pub(crate) async fn pass(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let judged = match look(&app, &request) {
        Ok((host, origin)) => judge(&app, host, origin).await,
        Err(problem) => Err(problem),
    };
    let leave = judged.as_ref().is_ok_and(Option::is_some).then(|| leave_of(&request)).flatten();
    match (&judged, &leave) {
        (Err(problem), _) => drop(request.extensions_mut().insert(Instead::Refusal(problem.clone()))),
        (Ok(_), Some(_)) => drop(request.extensions_mut().insert(Instead::Leave)),
        (Ok(_), None) => {}
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if app.listener == Listener::Phone {
        headers.insert(CONTENT_SECURITY_POLICY, app.shared.network.phone_policy());
        headers.append(VARY, HeaderValue::from_static("origin"));
        if let Ok(Some(origin)) = judged {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            headers.extend(leave.into_iter().flatten());
        }
    }
    response
}

/// Whether the host is ours; if a page asks, its origin.
fn look(app: &App, request: &Request) -> Result<(Host, Option<HeaderValue>), Problem> {
    let host = Host::of(request)?;
    if !app.shared.network.answers_to(&host, app.scheme, app.listener == Listener::Admin) {
        return Err(Problem::wrong_host());
    }
    let mut origins = request.headers().get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (origin, None) => Ok((host, origin.cloned())),
        (_, Some(_)) => Err(Problem::foreign_origin()),
    }
}

/// The page's origin, if a page asks that may; none if no page asks.
async fn judge(app: &App, host: Host, origin: Option<HeaderValue>) -> Result<Option<HeaderValue>, Problem> {
    let Some(value) = origin else { return Ok(None) };
    let network = &app.shared.network;
    let origin = value.to_str().map_err(|_| Problem::foreign_origin())?;
    let is_known = match app.listener {
        Listener::Admin => network.is_known_to_desk(origin, &host),
        Listener::Phone => network.is_known_to_phones(origin, app.scheme, &host, app.engine()).await,
    };
    if is_known { Ok(Some(value)) } else { Err(Problem::foreign_origin()) }
}

/// What a browser that asks beforehand is told, beside the origin. None if the request is meant itself.
fn leave_of(request: &Request) -> Option<HeaderMap> {
    let asked = request.headers();
    if request.method() != Method::OPTIONS || !asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut leave = HeaderMap::new();
    leave.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    leave.insert(ACCESS_CONTROL_MAX_AGE, LEAVE_SECONDS);
    let wanted = asked.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().filter_map(|value| value.to_str().ok());
    let names = wanted.flat_map(|names| names.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let allowed: Vec<String> =
        names.filter(|name| HEADERS.contains(&name.as_str()) || name.starts_with(CLIENT_HEADERS)).collect();
    if let Ok(allowed) = HeaderValue::try_from(allowed.join(", "))
        && !allowed.is_empty()
    {
        leave.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    if asked.contains_key(ASKS_FOR_PRIVATE) {
        leave.insert(ALLOWS_PRIVATE, HeaderValue::from_static("true"));
    }
    Some(leave)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asked(method: Method, headers: &[(HeaderName, &'static str)]) -> Option<HeaderMap> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        leave_of(&request.body(Body::empty()).expect("a request"))
    }

    #[test]
    fn only_a_browser_that_asks_beforehand_is_given_leave() {
        assert_eq!(asked(Method::OPTIONS, &[]), None);
        assert_eq!(asked(Method::GET, &[(ACCESS_CONTROL_REQUEST_METHOD, "GET")]), None);
        let leave = asked(Method::OPTIONS, &[(ACCESS_CONTROL_REQUEST_METHOD, "PUT")]).expect("leave");
        assert_eq!(leave[ACCESS_CONTROL_ALLOW_METHODS], METHODS);
        assert!(!leave.contains_key(ACCESS_CONTROL_ALLOW_HEADERS) && !leave.contains_key(ALLOWS_PRIVATE));
    }

    #[test]
    fn only_headers_that_our_pages_send_are_allowed() {
        let wanted = "Authorization, content-type,x-client-pending, X-Desk-Person, x-evil, cookie";
        let headers = [
            (ACCESS_CONTROL_REQUEST_METHOD, "POST"),
            (ACCESS_CONTROL_REQUEST_HEADERS, wanted),
            (ASKS_FOR_PRIVATE, "true"),
        ];
        let leave = asked(Method::OPTIONS, &headers).expect("leave");
        assert_eq!(leave[ACCESS_CONTROL_ALLOW_HEADERS], "authorization, content-type, x-client-pending");
        assert_eq!(leave[ALLOWS_PRIVATE], "true");
    }
}
