//! Alert rules, what they said, and what was chosen for all of them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use showdesk_engine::api::alerts::{
    AlertEventPage, AlertRule, AlertRuleList, AlertRuleView, AlertSettings, AlertSettingsInput, AlertTrial,
};
use utoipa::IntoParams;

use super::queue::{ITEMS_DEFAULT, ITEMS_MAX};
use super::{Asked, count};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

impl Input for AlertRule {}

impl Input for AlertSettingsInput {}

/// All rules, how they are said, and where they stand.
#[utoipa::path(
    get, path = "/api/v1/admin/alerts/rules", tag = "health", security(("token" = [])),
    responses((status = 200, body = AlertRuleList)),
)]
pub(crate) async fn rules(State(app): State<App>, Desk(actor): Desk) -> Result<Json<AlertRuleList>, Problem> {
    Ok(Json(app.engine().alert_rules(&actor).await?))
}

/// Adds a rule, or puts it in the place of the one of its name, also of a built-in one. 400 `bad_rule` if it cannot be
/// followed.
#[utoipa::path(
    put, path = "/api/v1/admin/alerts/rules", tag = "health", security(("token" = [])), request_body = AlertRule,
    responses((status = 200, body = AlertRuleView)),
)]
pub(crate) async fn set_rule(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<AlertRule>,
) -> Result<Json<AlertRuleView>, Problem> {
    Ok(Json(app.engine().set_alert_rule(&actor, input).await?))
}

/// Removes a rule that people made; puts a built-in one back to how it came.
#[utoipa::path(
    delete, path = "/api/v1/admin/alerts/rules/{id}", tag = "health", security(("token" = [])),
    params(("id" = String, Path)), responses((status = 204)),
)]
pub(crate) async fn remove_rule(
    State(app): State<App>,
    Desk(actor): Desk,
    Path(id): Path<String>,
    _: Read<Nothing>,
) -> Result<StatusCode, Problem> {
    app.engine().remove_alert_rule(&actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which page of what was said.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// Where the last page ended.
    cursor: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// What was said, and what happened while a rule was silenced: the newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/alerts/events", tag = "health", security(("token" = [])), params(EventParams),
    responses((status = 200, body = AlertEventPage)),
)]
pub(crate) async fn events(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<EventParams>,
) -> Result<Json<AlertEventPage>, Problem> {
    let limit = count("limit", params.limit.as_deref(), ITEMS_DEFAULT, (1, ITEMS_MAX))?.into();
    Ok(Json(app.engine().alert_events(&actor, params.cursor, limit).await?))
}

/// What was chosen for all rules. Of a webhook only where it is: its address is never told.
#[utoipa::path(
    get, path = "/api/v1/admin/alerts/settings", tag = "health", security(("token" = [])),
    responses((status = 200, body = AlertSettings)),
)]
pub(crate) async fn settings(State(app): State<App>, Desk(actor): Desk) -> Result<Json<AlertSettings>, Problem> {
    Ok(Json(app.engine().alert_settings(&actor).await?))
}

/// Chooses for all rules; what is not named stays.
#[utoipa::path(
    put, path = "/api/v1/admin/alerts/settings", tag = "health", security(("token" = [])),
    request_body = AlertSettingsInput, responses((status = 200, body = AlertSettings)),
)]
pub(crate) async fn choose_settings(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<AlertSettingsInput>,
) -> Result<Json<AlertSettings>, Problem> {
    Ok(Json(app.engine().choose_alert_settings(&actor, input).await?))
}

/// Sends a line of test to the webhook. Answers in words.
#[utoipa::path(
    post, path = "/api/v1/admin/alerts/settings/test", tag = "health", security(("token" = [])),
    responses((status = 200, body = AlertTrial)),
)]
pub(crate) async fn test_webhook(
    State(app): State<App>,
    Desk(actor): Desk,
    _: Read<Nothing>,
) -> Result<Json<AlertTrial>, Problem> {
    Ok(Json(app.engine().test_alert_webhook(&actor).await?))
}
