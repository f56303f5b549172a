//! The report of the show as a file.

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth::Desk;
use crate::error::Problem;

/// The report of the show: one page for the manager's file, whole in itself, that prints well. Exhibitors stand in it by
/// their numbers only.
#[utoipa::path(
    get, path = "/api/v1/admin/report", tag = "health", security(("token" = [])),
    responses((status = 200, content_type = "text/html", body = String)),
)]
pub(crate) async fn report(State(app): State<App>, Desk(actor): Desk) -> Result<Response, Problem> {
    let file = app.engine().report(&actor).await?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.file_name)),
    ];
    Ok((headers, file.html).into_response())
}
