//! Whom a message can be for, while somebody types at the desk.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use showdesk_engine::api::audience::AudienceChoices;
use utoipa::IntoParams;

use super::Asked;
use crate::app::App;
use crate::auth::Desk;
use crate::error::Problem;

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChoiceParams {
    /// Any part of a name, or a number; if absent, what is usual.
    q: Option<String>,
}

/// Classes, rings, jobs, departments and exhibitors that a message can be for, with the people behind each.
#[utoipa::path(
    get, path = "/api/v1/admin/notifications/audience", tag = "messages", security(("token" = [])),
    params(ChoiceParams), responses((status = 200, body = AudienceChoices)),
)]
pub(crate) async fn choices(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<ChoiceParams>,
) -> Result<Json<AudienceChoices>, Problem> {
    let text = params.q.unwrap_or_default();
    Ok(Json(app.engine().audience_choices(&actor, &text).await?))
}
