//! Entries from a CSV file: preview, confirm, undo. Nothing is written before confirm.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use showdesk_engine::api::import::{ImportChoices, ImportList, ImportPreview, ImportResult, ImportRows, ImportWish};
use utoipa::IntoParams;

use super::{Asked, Id, count};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Csv, Input, Nothing, Read};
use crate::error::Problem;
use crate::guard::{FILE_TIME, Turn};

/// Rows of a page at most.
const ROWS_MAX: u32 = 1_000;
/// A preview is not paged further than a file is long.
const OFFSET_MAX: u32 = 1_000_000;

impl Input for ImportChoices {}

/// How a file is previewed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParams {
    /// The file's name, for the list of imports.
    name: Option<String>,
    /// true: a file that lacks columns is kept and answered with `missing`, so that a person can match them. Otherwise it
    /// is a 422.
    #[serde(rename = "match", default)]
    match_columns: bool,
    /// Rows shown, 1 to 1,000; all if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// Which rows of a preview.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowParams {
    /// new, changed, same, error, `left_out`, check (imported with a warning); all if absent.
    state: Option<String>,
    /// How many to pass over, 0 if absent.
    #[param(value_type = Option<i64>)]
    offset: Option<String>,
    /// Rows shown, 1 to 1,000; all if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

impl RowParams {
    /// The page that is asked for; none means every row.
    fn read(self) -> Result<Option<ImportRows>, Problem> {
        let offset = count("offset", self.offset.as_deref(), 0, (0, OFFSET_MAX))? as usize;
        let limit = match &self.limit {
            Some(text) => count("limit", Some(text), ROWS_MAX, (1, ROWS_MAX))? as usize,
            None => usize::MAX,
        };
        let is_whole = self.state.is_none() && offset == 0 && self.limit.is_none();
        Ok((!is_whole).then_some(ImportRows { state: self.state, offset, limit }))
    }
}

/// What an entries file would do.
#[utoipa::path(
    post, path = "/api/v1/admin/import/entries", tag = "import", security(("token" = [])), params(ImportParams),
    request_body(content = String, content_type = "text/csv"), responses((status = 200, body = ImportPreview)),
)]
pub(crate) async fn preview(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<ImportParams>,
    Csv(file): Csv,
) -> Result<Json<ImportPreview>, Problem> {
    let page = RowParams { state: None, offset: None, limit: params.limit }.read()?;
    let wish = ImportWish { name: params.name, may_lack_columns: params.match_columns, page };
    Ok(Json(app.engine().preview_import(&actor, file, wish).await?))
}

/// Files that were previewed, imported or taken back, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/imports", tag = "import", security(("token" = [])),
    responses((status = 200, body = ImportList)),
)]
pub(crate) async fn list(State(app): State<App>, Desk(actor): Desk) -> Result<Json<ImportList>, Problem> {
    Ok(Json(app.engine().imports(&actor).await?))
}

/// What a file would do on the show as it is now.
#[utoipa::path(
    get, path = "/api/v1/admin/import/{import_id}", tag = "import", security(("token" = [])),
    params(("import_id" = Uuid, Path), RowParams), responses((status = 200, body = ImportPreview)),
)]
pub(crate) async fn detail(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Asked(params): Asked<RowParams>,
) -> Result<Json<ImportPreview>, Problem> {
    Ok(Json(app.engine().import_preview(&actor, id, params.read()?.as_ref()).await?))
}

/// Matches the file's columns, puts cells right and leaves rows out; confirming writes the plan that follows. Each time
/// the whole of the choices. 409 `import_confirmed` once it is written.
#[utoipa::path(
    put, path = "/api/v1/admin/import/{import_id}/plan", tag = "import", security(("token" = [])),
    params(("import_id" = Uuid, Path), RowParams), request_body = ImportChoices,
    responses((status = 200, body = ImportPreview)),
)]
pub(crate) async fn choose(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Asked(params): Asked<RowParams>,
    Read { input, .. }: Read<ImportChoices>,
) -> Result<Json<ImportPreview>, Problem> {
    Ok(Json(app.engine().choose_for_import(&actor, id, input, params.read()?.as_ref()).await?))
}

/// Writes every row of a preview that has no error. Confirming twice writes once.
#[utoipa::path(
    post, path = "/api/v1/admin/import/{import_id}/confirm", tag = "import", security(("token" = [])),
    params(("import_id" = Uuid, Path)), responses((status = 200, body = ImportResult)),
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    Extension(turn): Extension<Turn>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<ImportResult>, Problem> {
    turn.may_take(FILE_TIME);
    // A task of its own: what is written is also noted as written, whether or not the page waits for it.
    let engine = app.engine().clone();
    let written = tokio::spawn(async move { engine.confirm_import(&actor, id).await });
    Ok(Json(written.await.map_err(Problem::internal)??))
}

/// Takes an import back as one step.
#[utoipa::path(
    post, path = "/api/v1/admin/import/{import_id}/undo", tag = "import", security(("token" = [])),
    params(("import_id" = Uuid, Path)), responses((status = 200, body = ImportResult)),
)]
pub(crate) async fn undo(
    State(app): State<App>,
    Extension(turn): Extension<Turn>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<ImportResult>, Problem> {
    turn.may_take(FILE_TIME);
    let engine = app.engine().clone();
    let undone = tokio::spawn(async move { engine.undo_import(&actor, id).await });
    Ok(Json(undone.await.map_err(Problem::internal)??))
}
