//! Entries from a CSV file: preview, confirm, undo. Nothing is written before confirm.

use axum::Json;
use axum::extract::State;
use showdesk_engine::api::desk::{ImportPreview, ImportResult};

use super::Id;
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Csv, Nothing, Read};
use crate::error::Problem;

/// What an entries file would do.
#[utoipa::path(
    post, path = "/api/v1/admin/import/entries", tag = "import", security(("token" = [])),
    request_body(content = String, content_type = "text/csv"), responses((status = 200, body = ImportPreview)),
)]
pub(crate) async fn preview(
    State(app): State<App>,
    Desk(actor): Desk,
    Csv(file): Csv,
) -> Result<Json<ImportPreview>, Problem> {
    Ok(Json(app.engine().preview_import(&actor, file).await?))
}

/// Writes every row of a preview that has no error. Confirming twice writes once.
#[utoipa::path(
    post, path = "/api/v1/admin/import/{import_id}/confirm", tag = "import", security(("token" = [])),
    params(("import_id" = Uuid, Path)), responses((status = 200, body = ImportResult)),
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<ImportResult>, Problem> {
    Ok(Json(app.engine().confirm_import(&actor, id).await?))
}

/// Takes an import back as one step.
#[utoipa::path(
    post, path = "/api/v1/admin/import/{import_id}/undo", tag = "import", security(("token" = [])),
    params(("import_id" = Uuid, Path)), responses((status = 200, body = ImportResult)),
)]
pub(crate) async fn undo(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<ImportResult>, Problem> {
    Ok(Json(app.engine().undo_import(&actor, id).await?))
}
