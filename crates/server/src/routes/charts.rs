//! The desk's charts: all of them for the page, and each as a file.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use showdesk_engine::api::charts::{Charts, ChartsAsked};
use utoipa::IntoParams;

use super::Asked;
use crate::app::App;
use crate::auth::Desk;
use crate::error::Problem;
use crate::etag::is_known;

/// A browser keeps it and asks each time whether it is still so.
const KEPT_AND_ASKED: &str = "private, no-cache";

/// Which time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChartsParams {
    /// `1h`, `today` or `show`; today if absent.
    range: Option<String>,
    /// Beside the same time a day earlier; a whole show has none.
    compare: Option<bool>,
    /// Pixels of a tile, 280 to 1,400; 504 if absent.
    width: Option<u16>,
}

/// Which time, and for which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChartFileParams {
    /// `1h`, `today` or `show`; today if absent.
    range: Option<String>,
    /// Beside the same time a day earlier; a whole show has none.
    compare: Option<bool>,
    /// `light` or `dark`; light if absent.
    theme: Option<String>,
}

/// All charts of a time: drawings whose colours are the page's, and their values in words. The same for all who ask
/// within a few seconds.
#[utoipa::path(
    get, path = "/api/v1/admin/charts", tag = "health", security(("token" = [])), params(ChartsParams),
    responses(
        (status = 200, body = Charts),
        (status = 304, description = "`If-None-Match` names the newest drawing."),
    ),
)]
pub(crate) async fn all(
    State(app): State<App>,
    Desk(actor): Desk,
    headers: HeaderMap,
    Asked(params): Asked<ChartsParams>,
) -> Result<Response, Problem> {
    let ChartsParams { range, compare, width } = params;
    let asked = ChartsAsked { range, compare: compare.unwrap_or(false), width };
    let (json, etag) = app.engine().charts(&actor, &asked).await?;
    let kept = [(CACHE_CONTROL, KEPT_AND_ASKED.to_owned()), (ETAG, etag.clone())];
    if is_known(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    Ok((kept, [(CONTENT_TYPE, "application/json")], json).into_response())
}

/// One chart as a file: its name and `.svg`, `.png` (twice as large as it is printed) or `.csv`.
#[utoipa::path(
    get, path = "/api/v1/admin/charts/{file}", tag = "health", security(("token" = [])),
    params(("file" = String, Path, description = "`response-time.svg`, `requests.png`, `storage.csv`, …"), ChartFileParams),
    responses(
        (status = 200, description = "The file.", content(
            (String = "image/svg+xml"), (Vec<u8> = "image/png"), (String = "text/csv"),
        )),
        (status = 304, description = "`If-None-Match` names the newest drawing."),
    ),
)]
pub(crate) async fn file(
    State(app): State<App>,
    Desk(actor): Desk,
    Path(name): Path<String>,
    headers: HeaderMap,
    Asked(params): Asked<ChartFileParams>,
) -> Result<Response, Problem> {
    let ChartFileParams { range, compare, theme } = params;
    let is_dark = match theme.as_deref() {
        None | Some("light") => false,
        Some("dark") => true,
        Some(_) => return Err(Problem::bad_query("invalid_query", "theme is light or dark")),
    };
    let asked = ChartsAsked { range, compare: compare.unwrap_or(false), width: None };
    let file = app.engine().chart_file(&actor, &name, &asked, is_dark).await?;
    let kept = [(CACHE_CONTROL, KEPT_AND_ASKED.to_owned()), (ETAG, file.etag.clone())];
    if is_known(&headers, &file.etag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let named = format!("attachment; filename=\"{}\"", file.file_name);
    let named = [(CONTENT_TYPE, file.media_type.to_owned()), (CONTENT_DISPOSITION, named)];
    Ok((kept, named, file.bytes).into_response())
}
