//! The record of decisions, and workers that are run by hand.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use showdesk_domain::actor::Actor;
use showdesk_domain::value::{instant_text, parse_instant};
use showdesk_engine::api::attention::{AuditItem, AuditPage, AuditQuery, NamedRef, WorkerRun};
use showdesk_engine::{Engine, EngineError};
use utoipa::IntoParams;
use uuid::Uuid;

use super::queue::{ITEMS_DEFAULT, ITEMS_MAX};
use super::{Asked, count};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Nothing, Read};
use crate::csv::line as csv_line;
use crate::error::Problem;

/// Rows that are read at once for an export.
const EXPORT_ROWS: i64 = 500;
const HEADINGS: [&str; 12] =
    ["at", "who", "device", "action", "about", "of", "before", "after", "reason", "table", "record", "number"];

/// Which decisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// Anywhere in what was done, to what, by whom, from where, why.
    q: Option<String>,
    /// What was done: `conflict_resolved`, `op_applied`, ….
    action: Option<String>,
    /// Who did it.
    person: Option<Uuid>,
    /// From this device, or about it.
    device: Option<Uuid>,
    /// To a row of this table.
    table: Option<String>,
    /// To this row.
    record: Option<Uuid>,
    /// Not before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
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
    Ok(Json(app.engine().audit(&actor, query_of(params)?).await?))
}

/// The same as a table for a spreadsheet, all of it: UTF-8, with a line of headings.
#[utoipa::path(
    get, path = "/api/v1/admin/audit.csv", tag = "audit", security(("token" = [])), params(AuditParams),
    responses((status = 200, content_type = "text/csv", body = String)),
)]
pub(crate) async fn export(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<AuditParams>,
) -> Result<Response, Problem> {
    let query = AuditQuery { cursor: None, limit: EXPORT_ROWS, ..query_of(params)? };
    app.engine().note_audit_export(&actor).await?;
    let export = Export { engine: app.engine().clone(), actor, query, part: Part::Headings };
    // Fused: what packs an answer asks once more after its end.
    let lines = stream::unfold(export, |mut export| async move {
        let text = export.next().await?;
        Some((text.map(Bytes::from), export))
    })
    .fuse();
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"showdesk-record.csv\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// A record on its way out: one page of it is in memory at a time.
struct Export {
    engine: Engine,
    actor: Actor,
    query: AuditQuery,
    part: Part,
}

enum Part {
    Headings,
    Rows,
    End,
}

impl Export {
    async fn next(&mut self) -> Option<Result<String, EngineError>> {
        match self.part {
            Part::Headings => {
                self.part = Part::Rows;
                // The mark tells a spreadsheet that this is UTF-8.
                return Some(Ok(format!("\u{feff}{}", csv_line(HEADINGS.map(str::to_owned)))));
            }
            Part::Rows => {}
            Part::End => return None,
        }
        self.part = Part::End;
        match self.engine.audit(&self.actor, self.query.clone()).await {
            Ok(page) => {
                if page.cursor.is_some() {
                    self.part = Part::Rows;
                }
                self.query.cursor = page.cursor;
                Some(Ok(page.items.into_iter().map(|item| csv_line(cells_of(item))).collect()))
            }
            Err(error) => {
                tracing::warn!(%error, "the record could not be read to its end");
                Some(Err(error))
            }
        }
    }
}

fn cells_of(item: AuditItem) -> [String; HEADINGS.len()] {
    let name = |named: Option<NamedRef>| named.map(|named| named.name).unwrap_or_default();
    let json = |json: Option<serde_json::Value>| json.map(|json| json.to_string()).unwrap_or_default();
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    [
        instant_text(item.at),
        name(item.actor),
        name(item.device),
        item.action,
        item.subject_text.unwrap_or_default(),
        name(item.asked_by),
        json(item.before),
        json(item.after),
        item.reason.unwrap_or_default(),
        item.table_name.unwrap_or_default(),
        id(item.record_id),
        item.id.to_string(),
    ]
}

fn query_of(params: AuditParams) -> Result<AuditQuery, Problem> {
    let limit = count("limit", params.limit.as_deref(), ITEMS_DEFAULT, (1, ITEMS_MAX))?.into();
    let AuditParams { q, action, person, device, table, record, from, to, cursor, .. } = params;
    let moment = |name: &str, text: Option<String>| match text {
        Some(text) => parse_instant(&text)
            .map(Some)
            .ok_or_else(|| Problem::bad_query("invalid_query", format!("{name} is a time like 2026-08-07T09:14:03Z"))),
        None => Ok(None),
    };
    let (from, to) = (moment("from", from)?, moment("to", to)?);
    Ok(AuditQuery { q, action, person, device, table, record, from, to, cursor, limit })
}

/// Runs a worker once: `process-sync-queue` takes up to 100 waiting ops up, `send-push-notification` sends up to
/// 100 messages that are due, `cleanup` removes what may go.
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
