//! Push providers: the desk sets them up, tests them, and sees whether messages go out by them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use showdesk_domain::actor::Actor;
use showdesk_engine::PushChannel;
use showdesk_engine::api::delivery::{ApnsInput, FcmInput, ProvidersView, TrialView, WebInput};

use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

impl Input for FcmInput {}
impl Input for ApnsInput {}
impl Input for WebInput {}

/// The push providers, and whether messages go out by them. No key is ever told.
#[utoipa::path(
    get, path = "/api/v1/admin/push", tag = "push", security(("token" = [])),
    responses((status = 200, body = ProvidersView)),
)]
pub(crate) async fn list(State(app): State<App>, Desk(actor): Desk) -> Result<Json<ProvidersView>, Problem> {
    Ok(Json(app.engine().push_providers(&actor).await?))
}

/// Sets Firebase up; what is absent stays. The key file is looked at and sealed. 422 says what is wrong with it.
#[utoipa::path(
    put, path = "/api/v1/admin/push/fcm", tag = "push", security(("token" = [])),
    request_body = FcmInput, responses((status = 200, body = ProvidersView)),
)]
pub(crate) async fn set_fcm(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<FcmInput>,
) -> Result<Json<ProvidersView>, Problem> {
    Ok(Json(app.engine().set_fcm(&actor, input).await?))
}

/// Sets Apple up; what is absent stays. The key file is looked at and sealed. 422 says what is wrong with it.
#[utoipa::path(
    put, path = "/api/v1/admin/push/apns", tag = "push", security(("token" = [])),
    request_body = ApnsInput, responses((status = 200, body = ProvidersView)),
)]
pub(crate) async fn set_apns(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<ApnsInput>,
) -> Result<Json<ProvidersView>, Problem> {
    Ok(Json(app.engine().set_apns(&actor, input).await?))
}

/// Sets the message services of browsers up; what is absent stays. The show's own key is made at the first time.
#[utoipa::path(
    put, path = "/api/v1/admin/push/web", tag = "push", security(("token" = [])),
    request_body = WebInput, responses((status = 200, body = ProvidersView)),
)]
pub(crate) async fn set_web(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<WebInput>,
) -> Result<Json<ProvidersView>, Problem> {
    Ok(Json(app.engine().set_web(&actor, input).await?))
}

/// Forgets Firebase and its key.
#[utoipa::path(
    delete, path = "/api/v1/admin/push/fcm", tag = "push", security(("token" = [])),
    responses((status = 204)),
)]
pub(crate) async fn remove_fcm(
    State(app): State<App>,
    Desk(actor): Desk,
    _: Read<Nothing>,
) -> Result<StatusCode, Problem> {
    remove(&app, &actor, PushChannel::Fcm).await
}

/// Forgets Apple and its key.
#[utoipa::path(
    delete, path = "/api/v1/admin/push/apns", tag = "push", security(("token" = [])),
    responses((status = 204)),
)]
pub(crate) async fn remove_apns(
    State(app): State<App>,
    Desk(actor): Desk,
    _: Read<Nothing>,
) -> Result<StatusCode, Problem> {
    remove(&app, &actor, PushChannel::Apns).await
}

/// Forgets the message services of browsers; the show's own key for them stays.
#[utoipa::path(
    delete, path = "/api/v1/admin/push/web", tag = "push", security(("token" = [])),
    responses((status = 204)),
)]
pub(crate) async fn remove_web(
    State(app): State<App>,
    Desk(actor): Desk,
    _: Read<Nothing>,
) -> Result<StatusCode, Problem> {
    remove(&app, &actor, PushChannel::Web).await
}

async fn remove(app: &App, actor: &Actor, provider: PushChannel) -> Result<StatusCode, Problem> {
    app.engine().remove_provider(actor, provider).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks a provider whether messages would go out, without sending one. Answers in words.
#[utoipa::path(
    post, path = "/api/v1/admin/push/{provider}/test", tag = "push", security(("token" = [])),
    params(("provider" = String, Path)), responses((status = 200, body = TrialView)),
)]
pub(crate) async fn test(
    State(app): State<App>,
    Desk(actor): Desk,
    Path(provider): Path<String>,
    _: Read<Nothing>,
) -> Result<Json<TrialView>, Problem> {
    Ok(Json(app.engine().test_provider(&actor, channel(&provider)?).await?))
}

fn channel(word: &str) -> Result<PushChannel, Problem> {
    PushChannel::PROVIDERS.into_iter().find(|channel| channel.as_str() == word).ok_or_else(Problem::no_such_path)
}
