//! "Needs attention" at the desk: ops that were refused or wait, and what an admin does about them.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use showdesk_engine::api::attention::{Apply, QueueItem, QueuePage, QueueQuery};
use showdesk_engine::api::conflicts::Reason;
use utoipa::IntoParams;

use super::{Asked, Id, count};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

/// Items of a page, if nothing is said.
pub(super) const ITEMS_DEFAULT: u32 = 50;
/// Items of a page at most.
pub(super) const ITEMS_MAX: u32 = 200;

impl Input for Apply {}

/// Which ops.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueueParams {
    /// pending, processing, completed, failed or conflict. If absent: failed ones that no admin has given up.
    status: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// Ops that need attention, or those of a status, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/queue", tag = "queue", security(("token" = [])), params(QueueParams),
    responses((status = 200, body = QueuePage)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<QueueParams>,
) -> Result<Json<QueuePage>, Problem> {
    let limit = count("limit", params.limit.as_deref(), ITEMS_DEFAULT, (1, ITEMS_MAX))?.into();
    let query = QueueQuery { status: params.status, cursor: params.cursor, limit };
    Ok(Json(app.engine().queue(&actor, query).await?))
}

/// Decides a refused or waiting op again, as its author and with the author's present rights. 409 `wrong_state`, with
/// the op as `fresh`, if its verdict is final or it waits for a decision among the clashes.
#[utoipa::path(
    post, path = "/api/v1/admin/queue/{op_id}/retry", tag = "queue", security(("token" = [])),
    params(("op_id" = Uuid, Path)), responses((status = 200, body = QueueItem)),
)]
pub(crate) async fn retry(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<QueueItem>, Problem> {
    Ok(Json(app.engine().retry_op(&actor, id).await?))
}

/// Gives a refused or waiting op up: it stays `rejected`, with the error `dropped`, and needs no attention any more.
#[utoipa::path(
    post, path = "/api/v1/admin/queue/{op_id}/drop", tag = "queue", security(("token" = [])),
    params(("op_id" = Uuid, Path)), request_body = Reason, responses((status = 200, body = QueueItem)),
)]
pub(crate) async fn give_up(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Reason>,
) -> Result<Json<QueueItem>, Problem> {
    Ok(Json(app.engine().drop_op(&actor, id, input).await?))
}

/// Applies a refused or waiting op on its author's behalf. The stage of the show does not lock it; uniqueness,
/// references and values are checked as for any write: 422 if they do not hold. What clashes becomes a clash.
#[utoipa::path(
    post, path = "/api/v1/admin/queue/{op_id}/apply", tag = "queue", security(("token" = [])),
    params(("op_id" = Uuid, Path)), request_body = Apply, responses((status = 200, body = QueueItem)),
)]
pub(crate) async fn apply(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Apply>,
) -> Result<Json<QueueItem>, Problem> {
    Ok(Json(app.engine().apply_op(&actor, id, input).await?))
}
