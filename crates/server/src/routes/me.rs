//! What a device asks about itself: its token, its disputed entries.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use showdesk_domain::value::instant_text;
use showdesk_engine::api::conflicts::{AnswerWords, ConflictView, Disagree, MyConflicts};
use showdesk_engine::api::devices::{BackNumberLease, Me};
use utoipa::ToSchema;

use super::Id;
use crate::app::App;
use crate::auth::{Caller, Onlooker};
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

impl Input for AnswerWords {}

impl Input for Disagree {
    const MAY_BE_EMPTY: bool = true;
}

/// What the device may know about itself. To ask this is no first use of a new token: the others of the device live on.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "me", security(("token" = [])), responses((status = 200, body = Me)),
)]
pub(crate) async fn me(State(app): State<App>, Onlooker(actor): Onlooker) -> Result<Json<Me>, Problem> {
    Ok(Json(app.engine().me(&actor).await?))
}

/// A new token; the old one dies at its first use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewToken {
    token: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Renews the device's token.
#[utoipa::path(
    post, path = "/api/v1/me/token", tag = "me", security(("token" = [])),
    responses((status = 200, body = NewToken)),
)]
pub(crate) async fn renew_token(
    State(app): State<App>,
    caller: Caller,
    _: Read<Nothing>,
) -> Result<Json<NewToken>, Problem> {
    let (token, expires_at) = app.engine().renew_token(&caller.actor).await?;
    Ok(Json(NewToken { token, expires_at: instant_text(expires_at) }))
}

/// Numbers for new exhibitors, for this device alone: a block of 20. It is the same one until half of it is in use, so an
/// answer that was lost costs none. 403 for whose job does not include new exhibitors; 422 `out_of_range` when none is
/// left.
#[utoipa::path(
    post, path = "/api/v1/me/back-numbers/lease", tag = "me", security(("token" = [])),
    responses((status = 200, body = BackNumberLease)),
)]
pub(crate) async fn lease_back_numbers(
    State(app): State<App>,
    caller: Caller,
    _: Read<Nothing>,
) -> Result<Json<BackNumberLease>, Problem> {
    Ok(Json(app.engine().lease_back_numbers(&caller.actor).await?))
}

/// The device's own disputed entries.
#[utoipa::path(
    get, path = "/api/v1/me/conflicts", tag = "me", security(("token" = [])),
    responses((status = 200, body = MyConflicts)),
)]
pub(crate) async fn my_conflicts(State(app): State<App>, caller: Caller) -> Result<Json<MyConflicts>, Problem> {
    Ok(Json(app.engine().my_conflicts(&caller.actor).await?))
}

/// Takes an own entry back that waits for a decision.
#[utoipa::path(
    post, path = "/api/v1/me/conflicts/{id}/withdraw", tag = "me", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().withdraw(&caller.actor, id).await?))
}

/// Answers what the desk asked about an own entry. 409 `wrong_state` if nobody asked or it is decided,
/// `question_moved` with the clash as `fresh` if something else was asked meanwhile.
#[utoipa::path(
    post, path = "/api/v1/me/conflicts/{id}/answer", tag = "me", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = AnswerWords, responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn answer(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Read { input, .. }: Read<AnswerWords>,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().answer_question(&caller.actor, id, input).await?))
}

/// Disagrees with a decision: it is open again, the decided value stays in force.
#[utoipa::path(
    post, path = "/api/v1/me/conflicts/{id}/disagree", tag = "me", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = Disagree, responses((status = 200, body = ConflictView)),
)]
pub(crate) async fn disagree(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Read { input, .. }: Read<Disagree>,
) -> Result<Json<ConflictView>, Problem> {
    Ok(Json(app.engine().disagree(&caller.actor, id, input).await?))
}
