//! What is kept in memory: how much, how well it serves, and clearing it.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use showdesk_engine::api::cache::{CacheCleared, CacheView};
use utoipa::IntoParams;

use super::Asked;
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Nothing, Read};
use crate::error::Problem;

/// Which kind.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CacheParams {
    /// `first-pull` or `charts`; all if absent.
    tag: Option<String>,
}

/// What is kept in memory, and what is asked for most. With a tag only that kind's values are listed.
#[utoipa::path(
    get, path = "/api/v1/admin/cache", tag = "health", security(("token" = [])), params(CacheParams),
    responses((status = 200, body = CacheView)),
)]
pub(crate) async fn view(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<CacheParams>,
) -> Result<Json<CacheView>, Problem> {
    Ok(Json(app.engine().cache_view(&actor, params.tag.as_deref()).await?))
}

/// Clears what is kept, in memory and on disk. Nothing is lost by it: who asks next waits a little longer.
#[utoipa::path(
    delete, path = "/api/v1/admin/cache", tag = "health", security(("token" = [])), params(CacheParams),
    responses((status = 200, body = CacheCleared)),
)]
pub(crate) async fn clear(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<CacheParams>,
    _: Read<Nothing>,
) -> Result<Json<CacheCleared>, Problem> {
    Ok(Json(app.engine().clear_cache(&actor, params.tag.as_deref()).await?))
}
