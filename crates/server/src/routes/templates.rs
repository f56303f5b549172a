//! Messages that are ready to be filled in, and those that the desk sends by itself.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use showdesk_engine::api::notifications::{AutomaticInput, AutomaticView, Template, TemplateInput, TemplateList};

use super::Id;
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

impl Input for TemplateInput {}

impl Input for AutomaticInput {}

/// All templates, in their order.
#[utoipa::path(
    get, path = "/api/v1/admin/notification-templates", tag = "messages", security(("token" = [])),
    responses((status = 200, body = TemplateList)),
)]
pub(crate) async fn list(State(app): State<App>, Desk(actor): Desk) -> Result<Json<TemplateList>, Problem> {
    Ok(Json(app.engine().message_templates(&actor).await?))
}

/// Adds a template.
#[utoipa::path(
    post, path = "/api/v1/admin/notification-templates", tag = "messages", security(("token" = [])),
    request_body = TemplateInput, responses((status = 201, body = Template)),
)]
pub(crate) async fn add(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<TemplateInput>,
) -> Result<(StatusCode, Json<Template>), Problem> {
    Ok((StatusCode::CREATED, Json(app.engine().add_message_template(&actor, input).await?)))
}

/// Writes a template anew.
#[utoipa::path(
    put, path = "/api/v1/admin/notification-templates/{id}", tag = "messages", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = TemplateInput, responses((status = 200, body = Template)),
)]
pub(crate) async fn change(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<TemplateInput>,
) -> Result<Json<Template>, Problem> {
    Ok(Json(app.engine().change_message_template(&actor, id, input).await?))
}

/// Removes a template; messages that were made from it stay.
#[utoipa::path(
    delete, path = "/api/v1/admin/notification-templates/{id}", tag = "messages", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 204)),
)]
pub(crate) async fn remove(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<StatusCode, Problem> {
    app.engine().remove_message_template(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the desk sends by itself, and the quiet hours.
#[utoipa::path(
    get, path = "/api/v1/admin/notifications/automatic", tag = "messages", security(("token" = [])),
    responses((status = 200, body = AutomaticView)),
)]
pub(crate) async fn automatic(State(app): State<App>, Desk(actor): Desk) -> Result<Json<AutomaticView>, Problem> {
    Ok(Json(app.engine().automatic_messages(&actor).await?))
}

/// Chooses what the desk sends by itself, and the quiet hours. What is not named stays.
#[utoipa::path(
    put, path = "/api/v1/admin/notifications/automatic", tag = "messages", security(("token" = [])),
    request_body = AutomaticInput, responses((status = 200, body = AutomaticView)),
)]
pub(crate) async fn choose_automatic(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<AutomaticInput>,
) -> Result<Json<AutomaticView>, Problem> {
    Ok(Json(app.engine().choose_automatic_messages(&actor, input).await?))
}
