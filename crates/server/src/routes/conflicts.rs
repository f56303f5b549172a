//! Clashes at the desk: listed, shown, decided alone or together, undone, reopened (PROTOCOL.md §5).

use axum::Json;
use axum::extract::State;
use showdesk_engine::api::bulk::{BulkAnswer, BulkResolve, BulkUndone};
use showdesk_engine::api::conflicts::{ConflictPage, ConflictQuery, ConflictView, Reason, Resolve, Words};

use super::{Asked, Id};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Read};
use crate::error::Problem;

impl Input for Resolve {}

impl Input for BulkResolve {}

impl Input for Words {}

impl Input for Reason {
    const MAY_BE_EMPTY: bool = true;
}

/// Clashes, newest first or the most urgent first.
#[utoipa::path(
    get, path = "/api/v1/admin/conflicts", tag = "conflicts", security(("token" = [])),
    params(
        ("status" = Option<String>, Query, description = "open, resolved, superseded, withdrawn or merged_automatically; decided: resolved, superseded or withdrawn."),
        ("order" = Option<String>, Query, description = "newest, or urgent: what holds up results first, then how soon the class begins, then age."),
        ("severity" = Option<String>, Query, description = "results, placing, identity or notes; in the urgent order."),
        ("class" = Option<Uuid>, Query, description = "The class that the clash touches; in the urgent order."),
        ("author" = Option<Uuid>, Query, description = "The author of the clashing entry; in the urgent order."),
        ("kind" = Option<String>, Query, description = "update_update, ….",),
        ("table" = Option<String>, Query, description = "A synced table."),
        ("device" = Option<Uuid>, Query, description = "The device that sent the clashing entry."),
        ("cursor" = Option<String>, Query, description = "Where the last page ended."),
        ("limit" = Option<i64>, Query, description = "1 to 200, which is also meant if it is absent."),
    ),
    responses((status = 200, body = ConflictPage)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(query): Asked<ConflictQuery>,
) -> Result<Json<ConflictPage>, Problem> {
    Ok(Json(app.engine().conflicts(&actor, query).await?))
}

/// One clash.
#[utoipa::path(
    get, path = "/api/v1/admin/conflicts/{id}", tag = "conflicts", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn detail(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().conflict(&actor, id).await?))
}

/// Decides a clash; answers it as it is now. 409 with `fresh` if what the decider saw has moved on.
#[utoipa::path(
    post, path = "/api/v1/admin/conflicts/{id}/resolve", tag = "conflicts", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = Resolve, responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn resolve(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Resolve>,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().resolve(&actor, id, input).await?))
}

/// Asks the author of an entry that waits for a decision; the phone shows it under `/me/conflicts`. 409 `wrong_state` if
/// it is decided, was entered at the laptop, or the phone was removed.
#[utoipa::path(
    post, path = "/api/v1/admin/conflicts/{id}/ask", tag = "conflicts", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = Words, responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn ask(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Words>,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().ask_author(&actor, id, input).await?))
}

/// Takes a decision back; the clash is open again.
#[utoipa::path(
    post, path = "/api/v1/admin/conflicts/{id}/undo", tag = "conflicts", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = Reason, responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn undo(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Reason>,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().undo(&actor, id, input).await?))
}

/// Opens a clash again that is resolved, superseded, withdrawn or was merged automatically. What is in force stays so.
#[utoipa::path(
    post, path = "/api/v1/admin/conflicts/{id}/reopen", tag = "conflicts", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = Reason, responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn reopen(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Reason>,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().reopen(&actor, id, input).await?))
}

/// Decides several clashes at once. Each stands or falls alone; a dry run writes nothing and shows every value that
/// would be written.
#[utoipa::path(
    post, path = "/api/v1/admin/conflicts/resolve-bulk", tag = "conflicts", security(("token" = [])),
    request_body = BulkResolve, responses((status = 200, body = BulkAnswer)),
)]
pub(crate) async fn resolve_bulk(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<BulkResolve>,
) -> Result<Json<BulkAnswer>, Problem> {
    Ok(Json(app.engine().resolve_bulk(&actor, input).await?))
}

/// Takes a bulk decision back, as far as that still can be; each clash tells whether it was.
#[utoipa::path(
    post, path = "/api/v1/admin/bulk/{bulk_id}/undo", tag = "conflicts", security(("token" = [])),
    params(("bulk_id" = Uuid, Path)), request_body = Reason, responses((status = 200, body = BulkUndone)),
)]
pub(crate) async fn undo_bulk(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Reason>,
) -> Result<Json<BulkUndone>, Problem> {
    Ok(Json(app.engine().undo_bulk(&actor, id, input).await?))
}
