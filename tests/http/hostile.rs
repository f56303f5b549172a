//! Hostile inputs as tables (SECURITY.md §8): each row is a name, a request, and what must come back.
//!
//! Every row of a table is sent to the program as it ships. For each: the status, the code and the advice whether to
//! try again are what the row says; the answer is problem+json, but for what the HTTP parser refuses; it tells nothing
//! of the inside; nothing has changed; and Postgres answers as `SQLite` does, to the letter.
//!
//! The tables: `hostile_requests`, `hostile_auth`, `hostile_ops`, `hostile_sync`, `hostile_files`, `hostile_push`,
//! `hostile_contract`.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::phone::send;
use crate::program::Engine;
use crate::wire::{Answer, Request};

/// What an answer never says: SQL, stacks, the libraries we are made of.
pub(crate) const INSIDE: [&str; 18] = [
    "SELECT",
    "INSERT INTO",
    "UPDATE ",
    "sqlx",
    "rusqlite",
    "SQLSTATE",
    "constraint",
    "jsonb",
    "no such table:",
    "no such column:",
    "syntax error",
    "panicked",
    "backtrace",
    "RUST_",
    ".rs:",
    "thread '",
    "unwrap",
    "src/",
];

/// After so many rows everything is looked at: what none of them changed, each of them left alone.
const ROWS_BETWEEN_LOOKS: usize = 32;
/// Rows that are shown where many are wrong.
const ROWS_SHOWN: usize = 20;

/// What must come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A problem of ours: status, code, retry.
    Problem(u16, &'static str, &'static str),
    /// The HTTP parser's own answer.
    Bare(u16),
    /// A problem of ours to a request that wants no body.
    Bodiless(u16),
    /// It is taken, and still changes nothing.
    Taken(u16),
    /// Whatever it is, it is no fault of ours, and the same on both engines.
    Unharmed,
}

/// One hostile request.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) expected: Expected,
}

impl Row {
    /// Refused with a problem. Whether to try again follows from the status, but where a row says otherwise.
    pub(crate) fn refused(name: impl Into<String>, request: Request, status: u16, code: &'static str) -> Self {
        Self { name: name.into(), request, expected: Expected::Problem(status, code, retry_of(status)) }
    }

    /// Refused by the HTTP parser.
    pub(crate) fn unparsed(name: impl Into<String>, request: Request, status: u16) -> Self {
        Self { name: name.into(), request, expected: Expected::Bare(status) }
    }

    pub(crate) fn taken(name: impl Into<String>, request: Request, status: u16) -> Self {
        Self { name: name.into(), request, expected: Expected::Taken(status) }
    }

    /// Answered somehow, without harm.
    pub(crate) fn unharmed(name: impl Into<String>, request: Request) -> Self {
        Self { name: name.into(), request, expected: Expected::Unharmed }
    }

    /// An answer to HEAD has no body to look at.
    pub(crate) fn without_body(mut self) -> Self {
        if let Expected::Problem(status, ..) = self.expected {
            self.expected = Expected::Bodiless(status);
        }
        self
    }

    /// Another advice than the status usually means.
    pub(crate) fn with_retry(mut self, retry: &'static str) -> Self {
        if let Expected::Problem(_, _, advice) = &mut self.expected {
            *advice = retry;
        }
        self
    }

    /// What is wrong with an answer.
    fn faults(&self, answer: &Answer) -> Vec<String> {
        let mut faults = Vec::new();
        let got = match self.expected {
            Expected::Problem(..) => format!(
                "{} {} {}",
                answer.status,
                answer.json["code"].as_str().unwrap_or("no code"),
                answer.json["retry"].as_str().unwrap_or("no advice")
            ),
            Expected::Bare(_) | Expected::Bodiless(_) | Expected::Taken(_) => answer.status.to_string(),
            Expected::Unharmed => String::new(),
        };
        let wanted = match self.expected {
            Expected::Problem(status, code, retry) => format!("{status} {code} {retry}"),
            Expected::Bare(status) | Expected::Bodiless(status) | Expected::Taken(status) => status.to_string(),
            Expected::Unharmed => String::new(),
        };
        if got != wanted {
            faults.push(format!("{}: {wanted} was expected, {got} came: {}", self.name, shown(&answer.text)));
        }
        if !matches!(self.expected, Expected::Bodiless(_)) {
            faults.extend(form_faults(answer).into_iter().map(|fault| format!("{}: {fault}", self.name)));
        }
        faults
    }
}

/// What PROTOCOL.md says each status means for who wants to try again.
pub(crate) fn retry_of(status: u16) -> &'static str {
    match status {
        401 | 409 | 410 | 413 | 422 | 426 => "after_fix",
        408 | 429 | 500.. => "later",
        _ => "never",
    }
}

/// What is wrong with an answer, whatever was asked.
pub(crate) fn form_faults(answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    if answer.status == 0 || answer.status >= 500 {
        faults.push(format!("status {}: {}", answer.status, shown(&answer.text)));
    }
    let is_problem = answer.header("content-type") == Some("application/problem+json");
    let is_parsers = [400, 408, 431].contains(&answer.status) && answer.text.is_empty();
    if answer.status >= 400 && !is_parsers {
        if !is_problem {
            faults.push(format!("{:?} is no problem+json", answer.header("content-type")));
        }
        for (member, is_there) in [
            ("type", answer.json["type"].as_str().is_some_and(|kind| kind.starts_with("urn:showdesk:problem:"))),
            ("title", answer.json["title"].is_string()),
            ("status", answer.json["status"] == json!(answer.status)),
            ("detail", answer.json["detail"].as_str().is_some_and(|detail| !detail.is_empty())),
            ("request_id", answer.json["request_id"].as_str() == answer.header("x-request-id")),
        ] {
            if !is_there {
                faults.push(format!("its {member} is wrong: {}", shown(&answer.text)));
            }
        }
        let inside = INSIDE.iter().filter(|word| answer.text.contains(**word));
        faults.extend(inside.map(|word| format!("it tells of the inside ({word}): {}", shown(&answer.text))));
    }
    if answer.header("set-cookie").is_some() {
        faults.push("it sets a cookie".to_owned());
    }
    faults
}

fn shown(text: &str) -> String {
    text.chars().take(300).collect()
}

/// Everything a hostile request could have changed, as the desk tells it.
pub(crate) async fn state(desk: &Desk) -> Json {
    let list = async |path: &str, keys: &[&str]| {
        let page = desk.get(path).await.expect_status(200);
        let items = page["items"].as_array().expect("items").clone();
        items.iter().map(|item| keys.iter().map(|key| item[*key].clone()).collect()).collect::<Vec<Vec<Json>>>()
    };
    let hello = send(desk.request(Method::GET, "/sync/hello")).await.expect_status(200);
    let overview = desk.get("/admin/overview").await.expect_status(200);
    json!({
        "clock": hello["clock"],
        "epoch": hello["epoch"],
        "animals": overview["animals"],
        "person": overview["person"],
        "devices": list("/admin/devices", DEVICE).await,
        "codes": list("/admin/pairings/open", CODE).await,
        "waiting": list("/admin/pairings?status=waiting", &["pairing_id"]).await,
        "clashes": list("/admin/conflicts?limit=200", &["id", "rev", "status"]).await,
        "queue": list("/admin/queue?limit=200", &["op_id", "verdict"]).await,
        "imports": list("/admin/imports", &["import_id", "status"]).await,
        "messages": sent_by_people(desk).await,
        "templates": list("/admin/notification-templates", &["id", "name", "title", "body", "audience"]).await,
        "rules": list("/admin/alerts/rules", &["rule", "changed"]).await,
        "alerts": desk.get("/admin/alerts/settings").await.expect_status(200),
        "automatic": desk.get("/admin/notifications/automatic").await.expect_status(200),
        "providers": desk.get("/admin/push").await.expect_status(200),
        "audit": written_down(desk).await,
    })
}

/// What is somebody's doing about a device, and not the passing of time.
const DEVICE: &[&str] = &["id", "name", "user", "functions", "scope", "permissions", "expires_at", "revoked_at"];
const CODE: &[&str] =
    &["pairing_id", "functions", "scope", "code_expires_at", "device_expires_at", "typed_code_expires_at", "joined"];

/// Messages that people wrote, in every state. The desk makes others by itself when it is time for them.
async fn sent_by_people(desk: &Desk) -> Vec<Json> {
    let page = desk.get("/admin/notifications?limit=200").await.expect_status(200);
    let items = page["items"].as_array().expect("items").iter().filter(|item| item["source"] == "person");
    let told = ["id", "title", "send_at", "cancelled_at", "retracted_at"];
    items.map(|item| told.iter().map(|key| item[*key].clone()).collect()).collect()
}

/// What the desk wrote down. That somebody looked at all of it is written down, too, and no harm.
async fn written_down(desk: &Desk) -> Vec<Json> {
    let page = desk.get("/admin/audit?limit=200").await.expect_status(200);
    let items = page["items"].as_array().expect("items").iter();
    items.filter(|item| item["action"] != "audit_exported").map(|item| item["id"].clone()).collect()
}

/// Sends each row, and finds everything that is wrong before it fails. Answers what was said, without what is of one
/// show only.
pub(crate) async fn hold(desk: &Desk, rows: Vec<Row>) -> Vec<(String, String)> {
    assert!(!rows.is_empty(), "an empty table proves nothing");
    let (mut wrong, mut said) = (Vec::new(), Vec::new());
    let count = rows.len();
    let mut before = state(desk).await;
    let mut since = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        let answer = row.request.send(desk).await;
        wrong.extend(row.faults(&answer));
        said.push((without_ids(&row.name), of_any_show(&answer)));
        since.push(row.name);
        if since.len() == ROWS_BETWEEN_LOOKS || at + 1 == count {
            let after = state(desk).await;
            if after != before {
                wrong.push(format!("one of {since:?} changed {}", difference(&before, &after)));
            }
            (before, since) = (after, Vec::new());
        }
    }
    let shown = &wrong[..wrong.len().min(ROWS_SHOWN)];
    assert!(wrong.is_empty(), "{} faults in {count} rows:\n{}", wrong.len(), shown.join("\n"));
    said
}

/// The parts of the show that are not what they were.
fn difference(before: &Json, after: &Json) -> String {
    let parts = before.as_object().expect("an object").keys().filter(|part| before[*part] != after[*part]);
    let told =
        |part: &String| format!("{part}: {} to {}", shown(&before[part].to_string()), shown(&after[part].to_string()));
    parts.map(told).collect::<Vec<_>>().join("; ")
}

/// An answer without ids, addresses and times: what both engines must say in the same words.
pub(crate) fn of_any_show(answer: &Answer) -> String {
    if answer.status < 400 {
        return answer.status.to_string();
    }
    let mut problem = answer.json.clone();
    if let Some(problem) = problem.as_object_mut() {
        problem.remove("request_id");
        problem.remove("epoch");
        problem.remove("fresh");
    }
    format!("{} {}", answer.status, without_ids(&problem.to_string()))
}

fn without_ids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.get(..36).is_some_and(|id| uuid::Uuid::try_parse(id).is_ok()) {
            out.push_str("<id>");
            rest = &rest[36..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Holds a table on a desk of its own.
pub(crate) async fn on(engine: Engine, table: impl AsyncFn(&Desk) -> Vec<Row>) -> Vec<(String, String)> {
    let desk = Desk::start(engine).await;
    let rows = table(&desk).await;
    hold(&desk, rows).await
}

/// Fails with the rows to which the engines answer differently. Names differ where ids and ports stand in them.
pub(crate) fn compare(one: &[(String, String)], other: &[(String, String)]) {
    assert_eq!(one.len(), other.len(), "the tables differ");
    let differ = one.iter().zip(other).filter(|(one, other)| one.1 != other.1);
    let differ: Vec<String> = differ.map(|(one, other)| format!("SQLite {one:?}\nPostgres {other:?}")).collect();
    let shown = &differ[..differ.len().min(ROWS_SHOWN)];
    assert!(differ.is_empty(), "the engines answer {} rows differently:\n{}", differ.len(), shown.join("\n"));
}

/// Makes two tests of each table. The second holds it on both engines and compares what they say.
macro_rules! tables_on_both_engines {
    ($($table:ident),+ $(,)?) => {$(
        mod $table {
            use crate::program::Engine;

            #[tokio::test]
            async fn sqlite() {
                crate::hostile::on(Engine::Sqlite, super::$table).await;
            }

            #[tokio::test]
            async fn postgres() {
                let one = crate::hostile::on(Engine::Sqlite, super::$table).await;
                let other = crate::hostile::on(Engine::Postgres, super::$table).await;
                crate::hostile::compare(&one, &other);
            }
        }
    )+};
}
pub(crate) use tables_on_both_engines;
