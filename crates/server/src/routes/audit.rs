//! The record of decisions, and workers that are run by hand.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use showdesk_engine::api::attention::{AuditPage, AuditQuery, WorkerRun};
use utoipa::IntoParams;
use uuid::Uuid;

use super::queue::{ITEMS_DEFAULT, ITEMS_MAX};
use super::{Asked, count};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Nothing, Read};
use crate::error::Problem;

/// Which decisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// What was done: `conflict_resolved`, `op_applied`, ….
    action: Option<String>,
    /// Who did it.
    person: Option<Uuid>,
    /// To a row of this table.
    table: Option<String>,
    /// To this row.
    record: Option<Uuid>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// What was decided and done: by whom, about whose entry, when, why. Newest first; it is only added to.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "audit", security(("token" = [])), params(AuditParams),
    responses((status = 200, body = AuditPage)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<AuditParams>,
) -> Result<Json<AuditPage>, Problem> {
    let limit = count("limit", params.limit.as_deref(), ITEMS_DEFAULT, (1, ITEMS_MAX))?.into();
    let AuditParams { action, person, table, record, cursor, .. } = params;
    Ok(Json(app.engine().audit(&actor, AuditQuery { action, person, table, record, cursor, limit }).await?))
}

/// Runs a worker once: `process-sync-queue` takes up to 100 waiting ops up, `cleanup` removes what may go.
#[utoipa::path(
    post, path = "/api/v1/admin/workers/{name}/run", tag = "audit", security(("token" = [])),
    params(("name" = String, Path)), responses((status = 200, body = WorkerRun)),
)]
pub(crate) async fn run_worker(
    State(app): State<App>,
    Desk(actor): Desk,
    Path(name): Path<String>,
    _: Read<Nothing>,
) -> Result<Json<WorkerRun>, Problem> {
    Ok(Json(app.engine().run_worker(&actor, &name).await?))
}
