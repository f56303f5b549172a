//! What phones fetch without the app: the certificate to trust, and the page of a network test.
//!
//! Not a part of the protocol: phones' own browsers and settings read these, so they are no JSON and stand in no document.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth::{Anyone, Peer};
use crate::error::Problem;
use crate::network::profile;

/// The one form that iPhones and Androids both take.
const CERTIFICATE_TYPE: &str = "application/x-x509-ca-cert";
const PROFILE_TYPE: &str = "application/x-apple-aspen-config";
const PAGE_TYPE: &str = "text/html; charset=utf-8";

/// The certificate to trust, as it is.
pub(crate) async fn certificate(State(app): State<App>, _: Anyone) -> Result<Response, Problem> {
    let trust = app.shared.network.trusted().ok_or_else(Problem::no_such_path)?;
    Ok(([(CONTENT_TYPE, CERTIFICATE_TYPE)], trust.authority.certificate.clone()).into_response())
}

/// The same in a profile for iPhones, with the show's name.
pub(crate) async fn apple_profile(State(app): State<App>, _: Anyone) -> Result<Response, Problem> {
    let trust = app.shared.network.trusted().ok_or_else(Problem::no_such_path)?;
    let show = app.engine().installation().await?;
    let text = profile(&show.name, show.installation_id, &trust.authority.certificate, &trust.fingerprint);
    Ok(([(CONTENT_TYPE, PROFILE_TYPE)], text).into_response())
}

/// A phone shows that it reaches the laptop.
pub(crate) async fn arrive(
    State(app): State<App>,
    _: Anyone,
    Peer(address): Peer,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Response {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, title, text) = if app.shared.network.tests.arrive(&code, address, agent, app.engine().now()) {
        (StatusCode::OK, "This phone reaches the laptop", "You can close this page. The laptop shows it, too.")
    } else {
        (StatusCode::NOT_FOUND, "This test is over", "Start it again on the laptop, then scan the new picture.")
    };
    (status, [(CONTENT_TYPE, PAGE_TYPE)], page(title, text)).into_response()
}

/// A page without script, readable in the sun.
fn page(title: &str, text: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>:root{{color-scheme:light dark}}body{{font:1.25rem/1.5 system-ui,sans-serif;max-width:32rem;\
         margin:20vh auto 0;padding:0 1.5rem}}h1{{font-size:1.75rem;line-height:1.25;margin:0 0 .5rem}}\
         p{{margin:0}}</style>\n<main><h1>{title}</h1>\n<p>{text}</p></main>\n</html>\n"
    )
}
