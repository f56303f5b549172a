//! Problems: errors of the desk and of phones' pages, grouped, with some of each.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use showdesk_domain::value::parse_instant;
use showdesk_engine::api::errors::{ErrorChange, ErrorDetail, ErrorItem, ErrorPage, ErrorQuery, ErrorWish};
use utoipa::IntoParams;
use uuid::Uuid;

use super::queue::{ITEMS_DEFAULT, ITEMS_MAX};
use super::{Asked, count};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Read};
use crate::error::Problem;

impl Input for ErrorChange {}

/// Which problems.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ErrorParams {
    /// `open`, with those that came back; `solved`; `ignored`. All if absent.
    status: Option<String>,
    /// Seen at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Seen before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// Only the problem of the number that a person was shown.
    number: Option<Uuid>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// Problems, those seen last first.
#[utoipa::path(
    get, path = "/api/v1/admin/errors", tag = "health", security(("token" = [])), params(ErrorParams),
    responses((status = 200, body = ErrorPage)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<ErrorParams>,
) -> Result<Json<ErrorPage>, Problem> {
    let limit = count("limit", params.limit.as_deref(), ITEMS_DEFAULT, (1, ITEMS_MAX))?.into();
    let standing = match params.status.as_deref() {
        None => None,
        Some("open") => Some(ErrorWish::Open),
        Some("solved") => Some(ErrorWish::Resolved),
        Some("ignored") => Some(ErrorWish::Ignored),
        Some(_) => return Err(Problem::bad_query("bad_filter", "status is open, solved or ignored")),
    };
    let moment = |name: &str, text: Option<String>| match text {
        Some(text) => parse_instant(&text)
            .map(Some)
            .ok_or_else(|| Problem::bad_query("invalid_query", format!("{name} is a time like 2026-08-07T09:14:03Z"))),
        None => Ok(None),
    };
    let (from, to) = (moment("from", params.from)?, moment("to", params.to)?);
    let query = ErrorQuery { standing, from, to, number: params.number, cursor: params.cursor, limit };
    Ok(Json(app.engine().problems(&actor, query).await?))
}

/// A problem with its first five and its last twenty errors.
#[utoipa::path(
    get, path = "/api/v1/admin/errors/{fingerprint}", tag = "health", security(("token" = [])),
    params(("fingerprint" = String, Path)), responses((status = 200, body = ErrorDetail)),
)]
pub(crate) async fn one(
    State(app): State<App>,
    Desk(actor): Desk,
    Path(fingerprint): Path<String>,
) -> Result<Json<ErrorDetail>, Problem> {
    Ok(Json(app.engine().problem(&actor, &fingerprint).await?))
}

/// Says how a problem stands. One that was solved and is seen again is told as an alert.
#[utoipa::path(
    put, path = "/api/v1/admin/errors/{fingerprint}", tag = "health", security(("token" = [])),
    params(("fingerprint" = String, Path)), request_body = ErrorChange, responses((status = 200, body = ErrorItem)),
)]
pub(crate) async fn change(
    State(app): State<App>,
    Desk(actor): Desk,
    Path(fingerprint): Path<String>,
    Read { input, .. }: Read<ErrorChange>,
) -> Result<Json<ErrorItem>, Problem> {
    Ok(Json(app.engine().change_problem(&actor, &fingerprint, input).await?))
}
