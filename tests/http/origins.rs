//! P15: a malicious page gets nothing (SECURITY.md §4). Every host, origin, method and type with one another, on both
//! listeners, with a good token where the page could only wish it had one.
//!
//! What must come back follows from three rules, and the table is their product: a name that is not ours is 421 before
//! anything else, an origin that is not ours is 403 and is told nothing, and a write in a form's types is 415.

use crate::desk::Desk;
use crate::hostile::{Row, form_faults, tables_on_both_engines};
use crate::on_both_engines;
use crate::wire::{Answer, Door, Request};

tables_on_both_engines!(a_page_of_another_origin_or_name_gets_nothing);

on_both_engines!(
    an_answer_is_for_its_own_origin_only,
    a_page_of_ours_may_ask_before_it_writes,
    every_answer_has_the_headers_that_browsers_obey,
);

/// How a listener is called in a request.
struct Host {
    name: String,
    verdict: Named,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Ours,
    Foreign,
    Missing,
}

/// Where a page says it comes from; without a value it says nothing.
struct Origin {
    value: Option<String>,
    is_ours: bool,
}

/// What a page sends: a method, a path, a body's type.
const REQUESTS: [(&str, &str, Option<&str>); 9] = [
    ("GET", "/api/v1/ping", None),
    ("HEAD", "/api/v1/ping", None),
    ("GET", "/api/v1/sync/hello", None),
    ("POST", "/api/v1/sync/push", Some("application/json")),
    ("POST", "/api/v1/sync/push", Some("text/plain")),
    ("POST", "/api/v1/sync/push", Some("application/x-www-form-urlencoded")),
    ("POST", "/api/v1/sync/push", Some("multipart/form-data; boundary=x")),
    ("POST", "/api/v1/sync/push", None),
    ("DELETE", "/api/v1/ping", None),
];

fn url(desk: &Desk, door: Door) -> &str {
    if door == Door::Phone { &desk.program.http } else { &desk.program.admin }
}

fn hosts(desk: &Desk, door: Door) -> Vec<Host> {
    let authority = url(desk, door).trim_start_matches("http://").to_owned();
    let port = authority.rsplit_once(':').expect("a port").1.to_owned();
    let ours = [authority.clone(), format!("localhost:{port}"), format!("LocalHost:{port}")];
    let foreign = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("192.0.2.7:{port}"),
        format!("localhost.evil:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("2130706433:{port}"),
        format!("[::ffff:127.0.0.1]:{port}x"),
        format!("127.0.0.1:{port}, evil.example"),
        "\u{131}ocalhost".to_owned(),
    ];
    let of = |verdict| move |name: String| Host { name, verdict };
    let missing = [Host { name: "none".to_owned(), verdict: Named::Missing }];
    ours.into_iter().map(of(Named::Ours)).chain(foreign.into_iter().map(of(Named::Foreign))).chain(missing).collect()
}

fn origins(desk: &Desk, door: Door) -> Vec<Origin> {
    let own = url(desk, door).to_owned();
    let other_door = url(desk, if door == Door::Phone { Door::Admin } else { Door::Phone }).to_owned();
    let port = own.rsplit_once(':').expect("a port").1.to_owned();
    let mut origins = vec![Origin { value: None, is_ours: true }, Origin { value: Some(own.clone()), is_ours: true }];
    let mut foreign = vec![
        "null".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://evil.example:{port}"),
        own.replacen("http://", "https://", 1),
        format!("{own}.evil.example"),
        format!("{own}/"),
        format!("{own}, http://evil.example"),
        own.replacen("127.0.0.1", "127.0.0.1.nip.example", 1),
        format!("http://127.0.0.1:{}", port.parse::<u16>().expect("a port").wrapping_add(1).max(1)),
        "http://127.0.0.1".to_owned(),
        "file://".to_owned(),
        "chrome-extension://abcdefghijklmnop".to_owned(),
        "*".to_owned(),
        String::new(),
    ];
    if door == Door::Admin {
        foreign.push(other_door);
    }
    origins.extend(foreign.into_iter().map(|value| Origin { value: Some(value), is_ours: false }));
    origins
}

/// The whole product, as requests with what must come back.
fn product(desk: &Desk) -> Vec<Row> {
    let envelope = desk.envelope(&[]).to_string();
    let mut rows = Vec::new();
    for door in [Door::Phone, Door::Admin] {
        for host in hosts(desk, door) {
            for origin in origins(desk, door) {
                for (method, path, kind) in REQUESTS {
                    let mut request = Request::new(door, method, path).bearer(desk.token());
                    request = match kind {
                        Some(kind) => request.carrying(kind, envelope.as_bytes()),
                        None if method == "POST" => request.json(envelope.as_bytes()).without("content-type"),
                        None => request,
                    };
                    request = request.without("host");
                    if host.verdict != Named::Missing {
                        request = request.with("host", &host.name);
                    }
                    if let Some(value) = &origin.value {
                        request = request.with("origin", value);
                    }
                    let name = format!("{door:?} {method} {path} as {kind:?} to {} from {:?}", host.name, origin.value);
                    rows.push(expected(name, request, (method, kind), host.verdict, origin.is_ours));
                }
            }
        }
    }
    rows
}

fn expected(name: String, request: Request, (method, kind): (&str, Option<&str>), host: Named, is_ours: bool) -> Row {
    let row = match (host, is_ours) {
        (Named::Missing, _) => Row::refused(name, request, 400, "host_missing"),
        (Named::Foreign, _) => Row::refused(name, request, 421, "wrong_host"),
        (Named::Ours, false) => Row::refused(name, request, 403, "foreign_origin"),
        (Named::Ours, true) if method == "DELETE" => Row::refused(name, request, 405, "method_not_allowed"),
        (Named::Ours, true) if method == "POST" && kind != Some("application/json") => {
            Row::refused(name, request, 415, "unsupported_media_type")
        }
        (Named::Ours, true) => Row::taken(name, request, 200),
    };
    if method == "HEAD" { row.without_body() } else { row }
}

async fn a_page_of_another_origin_or_name_gets_nothing(desk: &Desk) -> Vec<Row> {
    product(desk)
}

/// What an answer tells a browser about other origins.
fn shared_with(answer: &Answer) -> Vec<String> {
    let named = answer.headers.iter().filter(|(name, _)| name.starts_with("access-control-"));
    named.map(|(name, value)| format!("{name}: {value}")).collect()
}

/// The desk's page asks its own listener only: there nobody is told anything.
async fn an_answer_is_for_its_own_origin_only(desk: Desk) {
    let mut wrong = Vec::new();
    for door in [Door::Phone, Door::Admin] {
        for origin in origins(&desk, door) {
            for method in ["GET", "OPTIONS", "POST"] {
                let mut request = Request::new(door, method, "/api/v1/ping");
                if let Some(value) = &origin.value {
                    request = request.with("origin", value);
                }
                if method == "OPTIONS" {
                    request = request.with("access-control-request-method", "POST");
                    request = request.with("access-control-request-headers", "authorization,content-type");
                }
                let answer = request.send(&desk).await;
                let name = format!("{door:?} {method} from {:?}", origin.value);
                let is_shared = origin.is_ours && door == Door::Phone;
                let wanted = origin.value.as_deref().filter(|_| is_shared);
                let allowed = answer.header("access-control-allow-origin");
                if allowed != wanted {
                    wrong.push(format!("{name} is shared with {allowed:?}"));
                }
                if !is_shared && !shared_with(&answer).is_empty() {
                    wrong.push(format!("{name} is told {:?}", shared_with(&answer)));
                }
                if answer.header("access-control-allow-credentials").is_some() {
                    wrong.push(format!("{name} may bring cookies"));
                }
                if is_shared && !varies_by_origin(&answer) {
                    wrong.push(format!("{name} may be kept for another origin"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn varies_by_origin(answer: &Answer) -> bool {
    let values = answer.headers.iter().filter(|(name, _)| name == "vary").flat_map(|(_, value)| value.split(','));
    values.into_iter().any(|word| word.trim().eq_ignore_ascii_case("origin"))
}

async fn a_page_of_ours_may_ask_before_it_writes(desk: Desk) {
    let own = desk.program.http.clone();
    let ask = |path: &str, headers: &str| {
        let ask = Request::new(Door::Phone, "OPTIONS", path).with("origin", &own);
        ask.with("access-control-request-method", "POST").with("access-control-request-headers", headers)
    };
    for path in ["/api/v1/sync/push", "/api/v1/me/token", "/api/v1/nothing"] {
        let answer = ask(path, "authorization,content-type,x-client-pending").send(&desk).await;
        assert_eq!(answer.status, 204, "{path}: {}", answer.text);
        let words = |name: &str| {
            let text = answer.header(name).unwrap_or_default().to_lowercase();
            text.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>()
        };
        assert!(words("access-control-allow-methods").contains(&"post".to_owned()), "{:?}", answer.headers);
        for header in ["authorization", "content-type", "x-client-pending"] {
            assert!(words("access-control-allow-headers").contains(&header.to_owned()), "{:?}", answer.headers);
        }
    }
    let answer = ask("/api/v1/ping", "x-evil, cookie").send(&desk).await;
    let allowed = answer.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
    assert!(!allowed.contains("x-evil") && !allowed.contains("cookie") && !allowed.contains('*'), "{allowed}");
}

async fn every_answer_has_the_headers_that_browsers_obey(desk: Desk) {
    for door in [Door::Phone, Door::Admin] {
        for (path, data) in [("/", false), ("/api/v1/ping", true), ("/api/v1/nothing", true), ("/nothing.js", true)] {
            let answer = Request::new(door, "GET", path).send(&desk).await;
            let header = |name: &str| answer.header(name).unwrap_or_default();
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
            let policy = header("content-security-policy");
            for word in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
                assert!(policy.contains(word), "{path}: {policy}");
            }
            let scripts =
                policy.split(';').map(str::trim).find(|part| part.starts_with("script-src")).unwrap_or_default();
            assert!(!scripts.contains("unsafe") && !scripts.contains('*') && !scripts.contains("data:"), "{scripts}");
            if data {
                assert_eq!(header("cache-control"), "no-store", "{path}");
                assert_eq!(form_faults(&answer), Vec::<String>::new(), "{path}");
            }
        }
    }
}
