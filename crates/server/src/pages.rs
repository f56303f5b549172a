//! The phone app and the desk app, built into the program.
//!
//! Pages use hash routes: `/` is the only document. How long it may be kept is UI.md §1: a phone that
//! has the page opens it again while the desk is away, so the phone's page is kept for days and asks
//! `/api/v1/ping` for the version; the desk's page is always asked for.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::app::{App, Listener};
use crate::error::Problem;

/// The phone's page: a show's week.
const PHONE_PAGE_CACHE: &str = "max-age=604800";
/// The desk's page, which is never away from its desk.
const DESK_PAGE_CACHE: &str = ASKED_CACHE;
/// Always asked for: what decides which files a phone keeps.
const ASKED_CACHE: &str = "no-cache";
/// The phone's worker, which keeps its page for when the laptop is away.
const WORKER: &str = "sw.js";
/// Files with a hash of their content in the name.
const HASHED_CACHE: &str = "max-age=31536000, immutable";
/// Icons and the like.
const OTHER_CACHE: &str = "max-age=86400";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Showdesk</title>\
    <p>The pages are not built yet. Type this in the project's folder, then start again:</p>\
    <pre>cargo xtask run</pre>\
    <p>or, with Node alone:</p>\
    <pre>npm --prefix ui ci &amp;&amp; npm --prefix ui run build</pre></html>\n";

#[derive(Embed)]
#[folder = "../../ui/apps/phone/dist"]
#[allow_missing = true]
struct PhonePages;

#[derive(Embed)]
#[folder = "../../ui/apps/desk/dist"]
#[allow_missing = true]
struct DeskPages;

/// Answers every path that is no route: a file of the listener's app, or nothing.
pub(crate) async fn serve(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return Problem::no_such_path().into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    let (name, is_page) = match path.trim_start_matches('/') {
        "" | "index.html" => ("index.html", true),
        name => (name, false),
    };
    match (file(app.listener, name), is_page) {
        (Some(file), _) => {
            let cache = cache_of(app.listener, name, is_page);
            embedded(file.data, file.metadata.sha256_hash(), name, cache, request.headers())
        }
        (None, true) => not_built(),
        (None, false) => Problem::no_such_path().into_response(),
    }
}

fn file(listener: Listener, name: &str) -> Option<EmbeddedFile> {
    match listener {
        Listener::Phone => PhonePages::get(name),
        Listener::Admin => DeskPages::get(name),
    }
}

fn cache_of(listener: Listener, name: &str, is_page: bool) -> &'static str {
    match (is_page, listener) {
        (true, Listener::Phone) => PHONE_PAGE_CACHE,
        (true, Listener::Admin) => DESK_PAGE_CACHE,
        (false, _) if name == WORKER => ASKED_CACHE,
        (false, _) if name.starts_with("assets/") => HASHED_CACHE,
        (false, _) => OTHER_CACHE,
    }
}

fn embedded(data: Cow<'static, [u8]>, hash: [u8; 32], name: &str, cache: &'static str, asked: &HeaderMap) -> Response {
    let tag = etag(&hash);
    let known = asked.get_all(IF_NONE_MATCH).iter().any(|value| value.as_bytes() == tag.as_bytes());
    let headers = [(CACHE_CONTROL, cache.to_owned()), (ETAG, tag), (CONTENT_TYPE, content_type(name))];
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let bytes = match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    };
    (headers, bytes).into_response()
}

fn etag(hash: &[u8; 32]) -> String {
    use std::fmt::Write;
    let mut tag = String::from("\"");
    for byte in &hash[..16] {
        // Writing to a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn content_type(name: &str) -> String {
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let is_text = mime.type_() == "text" || mime.subtype() == "javascript" || mime.subtype() == "json";
    if is_text { format!("{mime}; charset=utf-8") } else { mime.to_string() }
}

fn not_built() -> Response {
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, NOT_BUILT).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_their_types() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("assets/app-4f2a.js", "text/javascript; charset=utf-8"),
            ("assets/app-4f2a.css", "text/css; charset=utf-8"),
            ("icon.svg", "image/svg+xml"),
            ("font.woff2", "font/woff2"),
            ("manifest.webmanifest", "application/manifest+json"),
            ("strange", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert_eq!(cache_of(Listener::Phone, "index.html", true), PHONE_PAGE_CACHE);
        assert_eq!(cache_of(Listener::Admin, "index.html", true), DESK_PAGE_CACHE);
        assert_eq!(cache_of(Listener::Phone, "assets/a-1.js", false), HASHED_CACHE);
        assert_eq!(cache_of(Listener::Phone, "icon.svg", false), OTHER_CACHE);
        assert_eq!(cache_of(Listener::Phone, "sw.js", false), ASKED_CACHE);
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let ask = |asked: &HeaderMap| embedded(Cow::Borrowed(b"hello"), [7; 32], "a.css", OTHER_CACHE, asked);
        let first = ask(&HeaderMap::new());
        let again = ask(&HeaderMap::from_iter([(IF_NONE_MATCH, first.headers()[ETAG].clone())]));
        assert_eq!((first.status(), again.status()), (StatusCode::OK, StatusCode::NOT_MODIFIED));
    }
}
