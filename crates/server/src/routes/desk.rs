//! What the desk page asks for beside sync: its token, the overview, history.

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use showdesk_engine::api::desk::{ActivityPage, History, Overview};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Asked, count};
use crate::app::App;
use crate::auth::{Desk, Peer};
use crate::body::{Class, Input, Read};
use crate::error::Problem;

/// Changes of a page, if nothing is said.
const ACTIVITY_DEFAULT: u32 = 50;
/// Changes of a page at most.
const ACTIVITY_MAX: u32 = 200;

/// The code of a printed desk link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkCode {
    code: String,
}

impl Input for LinkCode {
    const CLASS: Class = Class::Pairing;
}

/// The desk's token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeskToken {
    token: String,
}

/// Exchanges the one-time code of a printed desk link for the desk's token.
#[utoipa::path(
    post, path = "/api/v1/admin/session", tag = "desk", request_body = LinkCode,
    responses((status = 200, body = DeskToken)),
)]
pub(crate) async fn session(
    State(app): State<App>,
    Peer(address): Peer,
    Read { input, .. }: Read<LinkCode>,
) -> Result<Json<DeskToken>, Problem> {
    let now = Instant::now();
    if app.shared.desk_links.redeem(&input.code, now) {
        // A desk that cannot write can still be looked at.
        if let Err(error) = app.engine().note_desk_opened().await {
            tracing::warn!(%error, "that the desk was opened by a link is not on record");
        }
        return Ok(Json(DeskToken { token: app.shared.admin_token.clone() }));
    }
    app.shared.limiter.wrong_code(address, now).map_err(Problem::too_many_failures)?;
    Err(Problem::unknown_link())
}

/// The numbers of the desk's first page.
#[utoipa::path(
    get, path = "/api/v1/admin/overview", tag = "desk", security(("token" = [])),
    responses((status = 200, body = Overview)),
)]
pub(crate) async fn overview(State(app): State<App>, Desk(actor): Desk) -> Result<Json<Overview>, Problem> {
    Ok(Json(app.engine().overview(&actor).await?))
}

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityParams {
    /// Only changes before this feed number.
    #[param(value_type = Option<i64>)]
    before: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// What people did, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/activity", tag = "desk", security(("token" = [])), params(ActivityParams),
    responses((status = 200, body = ActivityPage)),
)]
pub(crate) async fn activity(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<ActivityParams>,
) -> Result<Json<ActivityPage>, Problem> {
    let limit = count("limit", params.limit.as_deref(), ACTIVITY_DEFAULT, (1, ACTIVITY_MAX))?;
    let invalid = |_| Problem::bad_query("invalid_query", "before is a whole number");
    let before = params.before.map(|text| text.parse::<i64>().map_err(invalid)).transpose()?;
    Ok(Json(app.engine().activity(&actor, before, limit.into()).await?))
}

/// Every version of a record, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/records/{table_name}/{id}/history", tag = "desk", security(("token" = [])),
    params(("table_name" = String, Path), ("id" = Uuid, Path)), responses((status = 200, body = History)),
)]
pub(crate) async fn history(
    State(app): State<App>,
    Desk(actor): Desk,
    Path((table_name, id)): Path<(String, String)>,
) -> Result<Json<History>, Problem> {
    let id = Uuid::try_parse(&id).map_err(|_| Problem::no_such_path())?;
    Ok(Json(app.engine().record_history(&actor, &table_name, id).await?))
}
