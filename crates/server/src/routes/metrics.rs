//! What the desk measured of itself: for its own pages, and as text for a scraper.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use showdesk_domain::value::parse_instant;
use showdesk_engine::Engine;
use showdesk_engine::api::telemetry::{Only, RecordingStatus, RequestPage, RequestsAsked, SeriesAnswer, SeriesAsked};
use utoipa::IntoParams;

use super::queue::{ITEMS_DEFAULT, ITEMS_MAX};
use super::{Asked, count};
use crate::app::App;
use crate::auth::Desk;
use crate::error::Problem;

/// What is told where nobody said from when.
const RANGE_USUAL: TimeDelta = TimeDelta::hours(1);

/// Which measurement, and of which time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SeriesParams {
    /// Its name: requests, `sync_ops`, `queue_depth`, ….
    metric: String,
    /// Not before this moment; an hour before `to` if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Before this moment; now if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// Seconds of a step: 60, 300, 900, 1800, 3600 or 86400; the finest that suits if absent.
    step: Option<i64>,
    /// Of requests: of this route only. Without it that are the laptop's own answers, and neither pages' files nor what
    /// phones tell.
    endpoint: Option<String>,
}

/// One measurement over a time, step by step. Steps in which nothing was measured are null.
#[utoipa::path(
    get, path = "/api/v1/admin/metrics/series", tag = "health", security(("token" = [])), params(SeriesParams),
    responses((status = 200, body = SeriesAnswer)),
)]
pub(crate) async fn series(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<SeriesParams>,
) -> Result<Json<SeriesAnswer>, Problem> {
    let (from, to) = range(params.from.as_deref(), params.to.as_deref(), app.engine().now())?;
    let SeriesParams { metric, step, endpoint, .. } = params;
    let asked = SeriesAsked { metric, from, to, step_seconds: step, endpoint };
    Ok(Json(app.engine().series(&actor, asked).await?))
}

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RequestsParams {
    /// Not before this moment; an hour before `to` if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Before this moment; now if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// Of this route only.
    endpoint: Option<String>,
    /// Of this plain name only: `Send entries`.
    task: Option<String>,
    /// Only those that were slow, or that were refused or failed.
    #[param(inline)]
    only: Option<Only>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// Single requests, newest first: all that failed or were slow, and a few of the rest, each with how many it stands for.
#[utoipa::path(
    get, path = "/api/v1/admin/requests", tag = "health", security(("token" = [])), params(RequestsParams),
    responses((status = 200, body = RequestPage)),
)]
pub(crate) async fn requests(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<RequestsParams>,
) -> Result<Json<RequestPage>, Problem> {
    let (from, to) = range(params.from.as_deref(), params.to.as_deref(), app.engine().now())?;
    let limit = count("limit", params.limit.as_deref(), ITEMS_DEFAULT, (1, ITEMS_MAX))?.into();
    let RequestsParams { endpoint, task, only, cursor, .. } = params;
    let asked = RequestsAsked { from, to, endpoint, task, only, cursor, limit };
    Ok(Json(app.engine().requests(&actor, asked).await?))
}

/// What is recorded, for how long it is kept, and what the last clean-up removed.
#[utoipa::path(
    get, path = "/api/v1/admin/recording", tag = "health", security(("token" = [])),
    responses((status = 200, body = RecordingStatus)),
)]
pub(crate) async fn recording(State(app): State<App>, Desk(actor): Desk) -> Result<Json<RecordingStatus>, Problem> {
    Ok(Json(app.engine().recording(&actor).await?))
}

/// All figures as text for a scraper, on the admin listener, outside of the API's paths as scrapers expect it.
pub(crate) async fn scrape(State(app): State<App>, Desk(actor): Desk) -> Result<Response, Problem> {
    let text = app.engine().scraped(&actor)?;
    Ok(([(CONTENT_TYPE, Engine::SCRAPED_TYPE)], text).into_response())
}

fn range(from: Option<&str>, to: Option<&str>, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
    let moment = |name: &str, text: Option<&str>| match text {
        Some(text) => parse_instant(text)
            .map(Some)
            .ok_or_else(|| Problem::bad_query("invalid_query", format!("{name} is a time like 2026-08-07T09:14:03Z"))),
        None => Ok(None),
    };
    let to = moment("to", to)?.unwrap_or(now);
    Ok((moment("from", from)?.unwrap_or(to - RANGE_USUAL), to))
}
