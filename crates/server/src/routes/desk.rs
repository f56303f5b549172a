//! What the desk page asks for beside sync: its token, the overview, entries, history.

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use showdesk_engine::api::desk::{EntryPage, History, Overview};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Asked, count};
use crate::app::App;
use crate::auth::{Desk, Peer};
use crate::body::{Class, Input, Read};
use crate::error::Problem;

/// Entries of a page, if nothing is said.
const ENTRIES_DEFAULT: u32 = 50;
/// Entries of a page at most.
const ENTRIES_MAX: u32 = 200;
/// A list is not paged further.
const OFFSET_MAX: u32 = 1_000_000;

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

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntryParams {
    /// Any number or name; all if absent.
    query: Option<String>,
    /// How many to pass over, 0 if absent.
    #[param(value_type = Option<i64>)]
    offset: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
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

/// Animals by any number or name.
#[utoipa::path(
    get, path = "/api/v1/admin/entries", tag = "desk", security(("token" = [])), params(EntryParams),
    responses((status = 200, body = EntryPage)),
)]
pub(crate) async fn entries(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<EntryParams>,
) -> Result<Json<EntryPage>, Problem> {
    let offset = count("offset", params.offset.as_deref(), 0, (0, OFFSET_MAX))?;
    let limit = count("limit", params.limit.as_deref(), ENTRIES_DEFAULT, (1, ENTRIES_MAX))?;
    let text = params.query.as_deref().unwrap_or_default();
    Ok(Json(app.engine().search_entries(&actor, text, offset.into(), limit.into()).await?))
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
