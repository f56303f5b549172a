//! The program's log, and the errors among it: panics and whatever is logged as an error are handed to the engine's
//! record of problems, also what happens before a show is open. Handing over never waits.
//!
//! Requests have a number that is told to people; an error that happens within one is noted with it.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};
use showdesk_engine::{Fault, Faults, is_writing_faults};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use crate::config;

/// Members of an event that are kept.
const MEMBERS_MAX: usize = 12;
/// Places of the code whose stacks are known. A place that panics again has the same stack: making it takes long.
const PLACES_MAX: usize = 64;
/// The function that all panics come out of: what lies above it is the machinery of panicking.
const BEGINS_UNWINDING: &str = "rust_begin_unwind";

tokio::task_local! {
    static REQUEST: Asked;
}

/// The request that is being carried out.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its number.
    pub(crate) id: Uuid,
    /// Its method and its matched path; none for a file of the pages.
    pub(crate) route: Option<String>,
}

impl Asked {
    /// What goes wrong in the meantime is noted with the request.
    pub(crate) async fn during<T>(self, work: impl Future<Output = T>) -> T {
        REQUEST.scope(self, work).await
    }

    /// The same for what waits for nothing.
    pub(crate) fn while_doing<T>(self, work: impl FnOnce() -> T) -> T {
        REQUEST.sync_scope(self, work)
    }
}

/// Logs to standard error from now on, and notes errors and panics. What is noted waits until a show is opened with
/// what this answers.
pub fn begin(is_coloured: bool) -> Faults {
    let faults = Faults::default();
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_coloured);
    // One filter for both: a filter of each layer's own forgets events where a library asks whether it may log and then
    // does not, as the database's does.
    let all = tracing_subscriber::registry().with(config::log_filter()).with(log).with(Witness(faults.clone()));
    all.init();
    note_panics(faults.clone());
    faults
}

/// Notes what is logged as an error.
struct Witness(Faults);

impl<S: Subscriber> Layer<S> for Witness {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR || is_writing_faults() {
            return;
        }
        let mut said = Said::default();
        event.record(&mut said);
        if !said.is_noted {
            self.0.note(said.fault(event.metadata().target()));
        }
    }
}

/// What stands in an event.
#[derive(Default)]
struct Said {
    message: String,
    cause: Option<String>,
    kind: Option<String>,
    number: Option<Uuid>,
    is_noted: bool,
    members: Map<String, Json>,
}

impl Said {
    fn take(&mut self, name: &str, value: String) {
        match name {
            "message" => self.message = value,
            "error" | "cause" if value == "none" => {}
            "error" | "cause" => self.cause = Some(value),
            "code" => self.kind = Some(value),
            "error_id" | "request_id" => self.number = Uuid::try_parse(&value).ok(),
            "noted" => self.is_noted = value == "true",
            name if self.members.len() < MEMBERS_MAX => {
                self.members.insert(name.to_owned(), Json::String(value));
            }
            _ => {}
        }
    }

    fn fault(self, target: &str) -> Fault {
        let asked = REQUEST.try_with(Asked::clone).ok();
        Fault {
            kind: self.kind.unwrap_or_else(|| target.trim_start_matches("showdesk_").to_owned()),
            message: match self.cause {
                Some(cause) => format!("{}: {cause}", self.message),
                None => self.message,
            },
            route: asked.as_ref().and_then(|asked| asked.route.clone()),
            request_id: self.number.or(asked.map(|asked| asked.id)),
            context: self.members,
            ..Fault::default()
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field.name(), value.to_owned());
    }
}

/// Notes panics, beside what was done about them before.
fn note_panics(faults: Faults) {
    let before = std::panic::take_hook();
    let stacks = Stacks::default();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        if !is_writing_faults() {
            faults.note(fault_of(panic, &stacks));
        }
    }));
}

fn fault_of(panic: &PanicHookInfo<'_>, stacks: &Stacks) -> Fault {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let asked = REQUEST.try_with(Asked::clone).ok();
    let thread = std::thread::current();
    let context = json!({ "location": place, "thread": thread.name() });
    Fault {
        kind: "panic".to_owned(),
        message: text.unwrap_or("a panic without a text").to_owned(),
        stack: stacks.of(&place),
        route: asked.as_ref().and_then(|asked| asked.route.clone()),
        request_id: asked.map(|asked| asked.id),
        context: context.as_object().cloned().unwrap_or_default(),
        ..Fault::default()
    }
}

/// Stacks of the places that panicked.
#[derive(Default)]
struct Stacks(Mutex<HashMap<String, String>>);

impl Stacks {
    fn of(&self, place: &str) -> Option<String> {
        thread_local! {
            static MAKING: Cell<bool> = const { Cell::new(false) };
        }
        // A panic while a stack is made has none itself.
        if MAKING.with(|making| making.replace(true)) {
            return None;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stack = known.get(place).cloned().unwrap_or_else(|| {
            let stack = below_panicking(&Backtrace::force_capture().to_string());
            if known.len() < PLACES_MAX {
                known.insert(place.to_owned(), stack.clone());
            }
            stack
        });
        drop(known);
        MAKING.with(|making| making.set(false));
        Some(stack)
    }
}

/// The stack without the frames of panicking itself, and of what notes it.
fn below_panicking(stack: &str) -> String {
    let lines: Vec<&str> = stack.lines().collect();
    let last = lines.iter().rposition(|line| line.contains(BEGINS_UNWINDING) || line.contains("core::panicking::"));
    let end = last.map_or(0, |last| last + 1);
    // Where the machinery's last frame was called from stands in a line of its own.
    let rest = lines[end..].iter().skip_while(|line| line.trim_start().starts_with("at "));
    rest.copied().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use reqwest::Method;
    use tower::ServiceExt;

    use super::*;
    use crate::server::tests::{Desk, json_of};

    #[test]
    fn a_stack_begins_where_the_panic_was() {
        let stack = "   0: showdesk_server::witness::note_panics::{{closure}}\n   1: std::panicking::rust_panic_with_hook\n   \
             2: __rustc::rust_begin_unwind\n             at /rustc/1/library/std/src/panicking.rs:689:5\n   \
             3: core::panicking::panic_fmt\n             at /rustc/1/library/core/src/panicking.rs:80:14\n   \
             4: showdesk_engine::push::apply\n             at ./crates/engine/src/push.rs:1:1\n   5: main";
        let rest = below_panicking(stack);
        assert!(rest.starts_with("   4: showdesk_engine::push::apply"), "{rest}");
        assert_eq!(below_panicking("nothing known"), "nothing known");
    }

    #[tokio::test]
    async fn a_panic_in_a_handler_is_one_problem_with_the_number_that_was_told() {
        let faults = Faults::default();
        note_panics(faults.clone());
        let routes = Router::new()
            .route("/fails", get(async || -> String { panic!("the scale says {}", Uuid::new_v4()) }))
            .layer(from_fn(crate::guard::finish));
        let mut numbers = Vec::new();
        for _ in 0..3 {
            let request = Request::builder().uri("/fails").body(Body::empty()).expect("a request");
            let answer = routes.clone().oneshot(request).await.expect("infallible");
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            numbers.push(answer.headers()["x-request-id"].to_str().expect("text").to_owned());
        }
        let desk = Desk::noting(faults).await;
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        let found = loop {
            let page = json_of(desk.desk(Method::GET, "/api/v1/admin/errors"), 200).await;
            let own = page["items"].as_array().expect("items").iter().filter(|item| item["route"] == "GET /fails");
            let own: Vec<Json> = own.cloned().collect();
            if !own.is_empty() {
                break own;
            }
            assert!(tokio::time::Instant::now() < until, "{page}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        assert_eq!((found.len(), &found[0]["count"]), (1, &json!(3)), "{found:?}");
        assert_eq!(found[0]["kind"], "panic");
        assert!(found[0]["title"].as_str().is_some_and(|title| title.starts_with("the scale says ")), "{found:?}");
        let path = format!("/api/v1/admin/errors/{}", found[0]["fingerprint"].as_str().expect("a name"));
        let samples = json_of(desk.desk(Method::GET, &path), 200).await["samples"].clone();
        let told: Vec<&str> =
            samples.as_array().expect("samples").iter().filter_map(|one| one["request_id"].as_str()).collect();
        numbers.reverse();
        assert_eq!(told, numbers);
        let stack = samples[0]["stack"].as_str().expect("a stack");
        assert!(!stack.contains("note_panics") && stack.contains("witness::tests"), "{stack}");
        assert!(samples[0]["context"]["location"].as_str().is_some_and(|place| place.contains("witness.rs")));
    }

    #[test]
    fn an_event_is_a_fault_with_the_requests_number_and_one_that_was_noted_is_none() {
        let faults = Faults::default();
        let subscriber = tracing_subscriber::registry().with(Witness(faults.clone()));
        let asked = Asked { id: Uuid::from_u128(7), route: Some("GET /x".to_owned()) };
        let noted: Vec<Fault> = tracing::subscriber::with_default(subscriber, || {
            asked.while_doing(|| {
                tracing::error!(code = "internal", cause = "the disk", table = 3, "a request was not carried out");
                tracing::error!(noted = true, "a panic");
                tracing::warn!("no error");
            });
            let number = Uuid::from_u128(9);
            tracing::error!(error_id = %number, error = ?"x", "an entry failed");
            faults.take_waiting()
        });
        assert_eq!(noted.len(), 2);
        assert_eq!((noted[0].kind.as_str(), noted[0].route.as_deref()), ("internal", Some("GET /x")));
        assert_eq!(noted[0].message, "a request was not carried out: the disk");
        assert_eq!((noted[0].request_id, &noted[0].context["table"]), (Some(Uuid::from_u128(7)), &json!("3")));
        assert_eq!((noted[1].kind.as_str(), noted[1].request_id), ("server::witness::tests", Some(Uuid::from_u128(9))));
    }
}
