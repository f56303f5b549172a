//! Which path is answered by which handler, on which listener.
//!
//! A handler's path and method stand in its `OpenAPI` annotation and nowhere else: the router is
//! built from them. Every path that is not in these two lists is a file of the embedded app or a 404.

pub(crate) mod alerts;
pub(crate) mod audience;
pub(crate) mod audit;
pub(crate) mod cache;
pub(crate) mod charts;
pub(crate) mod conflicts;
pub(crate) mod desk;
pub(crate) mod devices;
pub(crate) mod entries;
pub(crate) mod errors;
pub(crate) mod first_run;
pub(crate) mod import;
pub(crate) mod me;
pub(crate) mod metrics;
pub(crate) mod network;
pub(crate) mod notifications;
pub(crate) mod pairing;
pub(crate) mod people;
pub(crate) mod ping;
pub(crate) mod push;
pub(crate) mod push_tokens;
pub(crate) mod queue;
pub(crate) mod report;
pub(crate) mod rescue;
pub(crate) mod sync;
pub(crate) mod telemetry;
pub(crate) mod templates;
pub(crate) mod trust;

use axum::Router;
use axum::extract::{FromRequestParts, Path, Query};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, get, on};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use utoipa::ToSchema;
use utoipa::openapi::HttpMethod;
use uuid::Uuid;

use crate::app::{App, Listener};
use crate::error::Problem;
use crate::{gate, guard, live, pages, recording};

/// Where scrapers look for figures, on the admin listener.
const METRICS: &str = "/metrics";
/// Smaller answers are sent as they are, also to clients that read gzip.
const GZIP_BYTES_MIN: u16 = 1_024;

/// The whole of one listener.
pub(crate) fn router(app: App) -> Router {
    let mut routes = phone_routes();
    match app.listener {
        Listener::Phone => routes.router = beside_the_app(routes.router),
        Listener::Admin => {
            routes = admin_routes(routes);
            routes.router = routes.router.route(METRICS, get(metrics::scrape));
        }
    }
    routes
        .router
        .layer(compression())
        .layer(from_fn_with_state(app.clone(), guard::take_turn))
        .fallback(pages::serve)
        .layer(from_fn_with_state(app.clone(), recording::note))
        .layer(from_fn(guard::finish))
        .layer(from_fn_with_state(app.clone(), gate::pass))
        .with_state(app)
}

/// Pages of a pull are mostly repeated names: a tenth is left of them. The fastest level, because the laptop also decides.
fn compression() -> CompressionLayer<impl Predicate> {
    let worth_it = SizeAbove::new(GZIP_BYTES_MIN).and(NotForContentType::SSE);
    CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest).compress_when(worth_it)
}

/// What is served on both listeners.
fn phone_routes() -> Routes {
    Routes::default()
        .serve(ping::__path_ping, ping::ping)
        .serve(ping::__path_openapi, ping::openapi)
        .serve(pairing::__path_claim, pairing::claim)
        .serve(pairing::__path_status, pairing::status)
        .serve(sync::__path_hello, sync::hello)
        .serve(sync::__path_push, sync::push)
        .serve(sync::__path_pull, sync::pull)
        .serve(sync::__path_ops_status, sync::ops_status)
        .serve(live::__path_live, live::live)
        .serve(me::__path_me, me::me)
        .serve(me::__path_renew_token, me::renew_token)
        .serve(me::__path_lease_back_numbers, me::lease_back_numbers)
        .serve(me::__path_my_conflicts, me::my_conflicts)
        .serve(me::__path_withdraw, me::withdraw)
        .serve(me::__path_answer, me::answer)
        .serve(me::__path_disagree, me::disagree)
        .serve(notifications::__path_mine, notifications::mine)
        .serve(notifications::__path_ack, notifications::ack)
        .serve(push_tokens::__path_key, push_tokens::key)
        .serve(push_tokens::__path_register, push_tokens::register)
        .serve(push_tokens::__path_remove, push_tokens::remove)
        .serve(telemetry::__path_tell, telemetry::tell)
}

/// What phones fetch without the app, on the phone listeners only.
fn beside_the_app(router: Router<App>) -> Router<App> {
    router
        .route("/ca.crt", get(trust::certificate))
        .route("/ca.mobileconfig", get(trust::apple_profile))
        .route("/test/{code}", get(trust::arrive))
}

/// What is served on the admin listener only.
fn admin_routes(routes: Routes) -> Routes {
    routes
        .serve(desk::__path_session, desk::session)
        .serve(desk::__path_overview, desk::overview)
        .serve(desk::__path_activity, desk::activity)
        .serve(entries::__path_list, entries::list)
        .serve(entries::__path_one, entries::one)
        .serve(desk::__path_history, desk::history)
        .serve(devices::__path_open_joining, devices::open_joining)
        .serve(devices::__path_waiting, devices::waiting)
        .serve(devices::__path_approve, devices::approve)
        .serve(devices::__path_refuse, devices::refuse)
        .serve(devices::__path_open_codes, devices::open_codes)
        .serve(devices::__path_typed_code, devices::typed_code)
        .serve(devices::__path_close, devices::close)
        .serve(people::__path_list, people::list)
        .serve(people::__path_permissions, people::permissions)
        .serve(people::__path_change, people::change)
        .serve(people::__path_merge, people::merge)
        .serve(people::__path_ask_file, people::ask_file)
        .serve(people::__path_revoke, people::revoke)
        .serve(devices::__path_joining, devices::joining)
        .serve(devices::__path_wifi_qr, devices::wifi_qr)
        .serve(conflicts::__path_list, conflicts::list)
        .serve(conflicts::__path_detail, conflicts::detail)
        .serve(conflicts::__path_resolve, conflicts::resolve)
        .serve(conflicts::__path_ask, conflicts::ask)
        .serve(conflicts::__path_undo, conflicts::undo)
        .serve(conflicts::__path_reopen, conflicts::reopen)
        .serve(conflicts::__path_resolve_bulk, conflicts::resolve_bulk)
        .serve(conflicts::__path_undo_bulk, conflicts::undo_bulk)
        .serve(first_run::__path_name_person, first_run::name_person)
        .serve(first_run::__path_fill_demo, first_run::fill_demo)
        .serve(rescue::__path_take_in, rescue::take_in)
        .serve(queue::__path_list, queue::list)
        .serve(queue::__path_retry, queue::retry)
        .serve(queue::__path_give_up, queue::give_up)
        .serve(queue::__path_apply, queue::apply)
        .serve(audit::__path_list, audit::list)
        .serve(audit::__path_export, audit::export)
        .serve(audit::__path_run_worker, audit::run_worker)
        .serve(network::__path_network, network::network)
        .serve(network::__path_renew, network::renew)
        .serve(network::__path_begin_test, network::begin_test)
        .serve(network::__path_test, network::test)
        .serve(push::__path_list, push::list)
        .serve(push::__path_set_fcm, push::set_fcm)
        .serve(push::__path_set_apns, push::set_apns)
        .serve(push::__path_set_web, push::set_web)
        .serve(push::__path_remove_fcm, push::remove_fcm)
        .serve(push::__path_remove_apns, push::remove_apns)
        .serve(push::__path_remove_web, push::remove_web)
        .serve(push::__path_test, push::test)
        .serve(notifications::__path_list, notifications::list)
        .serve(notifications::__path_send, notifications::send)
        .serve(audience::__path_choices, audience::choices)
        .serve(notifications::__path_reach, notifications::reach)
        .serve(notifications::__path_preview, notifications::preview)
        .serve(templates::__path_automatic, templates::automatic)
        .serve(templates::__path_choose_automatic, templates::choose_automatic)
        .serve(notifications::__path_one, notifications::one)
        .serve(notifications::__path_change, notifications::change)
        .serve(notifications::__path_cancel, notifications::cancel)
        .serve(notifications::__path_retract, notifications::retract)
        .serve(notifications::__path_remind, notifications::remind)
        .serve(templates::__path_list, templates::list)
        .serve(templates::__path_add, templates::add)
        .serve(templates::__path_change, templates::change)
        .serve(templates::__path_remove, templates::remove)
        .serve(cache::__path_view, cache::view)
        .serve(cache::__path_clear, cache::clear)
        .serve(charts::__path_all, charts::all)
        .serve(charts::__path_file, charts::file)
        .serve(report::__path_report, report::report)
        .serve(errors::__path_list, errors::list)
        .serve(errors::__path_one, errors::one)
        .serve(errors::__path_change, errors::change)
        .serve(alerts::__path_rules, alerts::rules)
        .serve(alerts::__path_set_rule, alerts::set_rule)
        .serve(alerts::__path_remove_rule, alerts::remove_rule)
        .serve(alerts::__path_events, alerts::events)
        .serve(alerts::__path_settings, alerts::settings)
        .serve(alerts::__path_choose_settings, alerts::choose_settings)
        .serve(alerts::__path_test_webhook, alerts::test_webhook)
        .serve(import::__path_preview, import::preview)
        .serve(import::__path_list, import::list)
        .serve(import::__path_detail, import::detail)
        .serve(import::__path_choose, import::choose)
        .serve(import::__path_confirm, import::confirm)
        .serve(import::__path_undo, import::undo)
        .serve(metrics::__path_series, metrics::series)
        .serve(metrics::__path_requests, metrics::requests)
        .serve(metrics::__path_recording, metrics::recording)
}

/// A router and what was put into it.
#[derive(Default)]
struct Routes {
    router: Router<App>,
    served: Vec<(String, MethodFilter)>,
}

impl Routes {
    /// Adds a handler at the path and method of its annotation.
    fn serve<P: utoipa::Path, H: Handler<T, App>, T: 'static>(mut self, _: P, handler: H) -> Self {
        let filter = P::methods().iter().map(method_filter).reduce(MethodFilter::or);
        let filter = filter.expect("an annotation has a method");
        self.router = self.router.route(&P::path(), on(filter, handler));
        self.served.push((P::path(), filter));
        self
    }
}

fn method_filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// Done; there is nothing to say about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {}

/// An id in the path. One that is none is a path that does not exist.
pub(crate) struct Id(pub(crate) Uuid);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let id = path.ok().and_then(|Path(text)| Uuid::try_parse(&text).ok());
        id.map(Self).ok_or_else(Problem::no_such_path)
    }
}

/// A query string read into a struct.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query.map(|Query(asked)| Self(asked)).map_err(|error| Problem::bad_query("invalid_query", error.body_text()))
    }
}

/// Reads a count from a query: a whole number from `min`; what is above `max` means `max`.
pub(crate) fn count(name: &str, text: Option<&str>, default: u32, (min, max): (u32, u32)) -> Result<u32, Problem> {
    let Some(text) = text else { return Ok(default) };
    let invalid = || Problem::bad_query("invalid_query", format!("{name} is a whole number from {min}"));
    let number: f64 = text.parse().map_err(|_| invalid())?;
    if !number.is_finite() || number.fract() != 0.0 || number < f64::from(min) {
        return Err(invalid());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and within 0 and max")]
    Ok(number.min(f64::from(max)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_served_path_is_documented_and_every_documented_path_is_served() {
        let document = crate::openapi::document();
        let mut documented: Vec<(String, MethodFilter)> = Vec::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for method in item.as_object().expect("methods").keys() {
                let filter = match method.as_str() {
                    "get" => MethodFilter::GET,
                    "post" => MethodFilter::POST,
                    "put" => MethodFilter::PUT,
                    "delete" => MethodFilter::DELETE,
                    other => panic!("{other} is not used yet"),
                };
                documented.push((path.clone(), filter));
            }
        }
        let served = admin_routes(phone_routes()).served;
        assert!(documented.iter().all(|route| served.contains(route)), "documented but not served: {documented:?}");
        assert!(served.iter().all(|route| documented.contains(route)), "served but not documented: {served:?}");
    }

    #[test]
    fn every_served_path_has_a_plain_name_and_every_name_a_path() {
        let served = admin_routes(phone_routes()).served;
        let beside = [METRICS, "/ca.crt", "/ca.mobileconfig", "/test/{code}"].map(|path| (path, MethodFilter::GET));
        let mut known: Vec<(&str, MethodFilter)> =
            served.iter().map(|(path, filter)| (path.as_str(), *filter)).collect();
        known.extend(beside);
        let methods = [
            ("GET", MethodFilter::GET),
            ("POST", MethodFilter::POST),
            ("PUT", MethodFilter::PUT),
            ("DELETE", MethodFilter::DELETE),
        ];
        let filter_of = |method: &str| methods.iter().find(|(word, _)| *word == method).map(|(_, filter)| *filter);
        for (path, filter) in &known {
            let named = showdesk_engine::tasks::all()
                .any(|(method, named)| named == *path && filter_of(method) == Some(*filter));
            assert!(named, "{path} has no name in the engine's tasks");
        }
        for (method, path) in showdesk_engine::tasks::all() {
            assert!(
                known.iter().any(|(known, filter)| *known == path && filter_of(method) == Some(*filter)),
                "{method} {path} is not served"
            );
        }
    }

    #[test]
    fn only_the_admin_list_has_admin_paths() {
        let is_admin = |path: &str| path.starts_with("/api/v1/admin/");
        let phone = phone_routes().served;
        assert!(phone.iter().all(|(path, _)| !is_admin(path)));
        assert!(admin_routes(phone_routes()).served[phone.len()..].iter().all(|(path, _)| is_admin(path)));
    }

    #[test]
    fn counts_have_bounds() {
        let limit = |text| count("limit", text, 500, (1, 1_000)).ok();
        assert_eq!(limit(None), Some(500));
        assert_eq!(limit(Some("1")), Some(1));
        assert_eq!(limit(Some("1001")), Some(1_000));
        assert_eq!(limit(Some("1e9")), Some(1_000));
        assert_eq!(limit(Some("99999999999999999999999999")), Some(1_000));
        for text in ["0", "-1", "", "x", "1.5", "NaN", "inf", " 1"] {
            assert_eq!(limit(Some(text)), None, "{text}");
        }
    }
}
