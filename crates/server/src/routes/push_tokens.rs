//! The addresses by which a phone can be reached when it is not on the show's Wi-Fi.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use showdesk_engine::api::delivery::{PushKey, TokenInput, TokenKept};

use super::Id;
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

impl Input for TokenInput {}

/// What a page needs to subscribe at its browser's message service; null while the desk sends nothing that way.
#[utoipa::path(
    get, path = "/api/v1/me/push-key", tag = "me", security(("token" = [])),
    responses((status = 200, body = PushKey)),
)]
pub(crate) async fn key(State(app): State<App>, caller: Caller) -> Result<Json<PushKey>, Problem> {
    Ok(Json(app.engine().push_key_for(&caller.actor).await?))
}

/// Keeps an address of this phone: 201 if it is new, 200 if it was known. It belongs to the phone that told it last.
/// 422 `invalid_push_token` for what is no address, or leads into the show's own network.
#[utoipa::path(
    put, path = "/api/v1/me/push-tokens", tag = "me", security(("token" = [])),
    request_body = TokenInput,
    responses((status = 200, body = TokenKept), (status = 201, body = TokenKept)),
)]
pub(crate) async fn register(
    State(app): State<App>,
    caller: Caller,
    Read { input, .. }: Read<TokenInput>,
) -> Result<(StatusCode, Json<TokenKept>), Problem> {
    let (kept, is_new) = app.engine().register_push_token(&caller.actor, input).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(kept)))
}

/// Removes an address of this phone.
#[utoipa::path(
    delete, path = "/api/v1/me/push-tokens/{id}", tag = "me", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 204)),
)]
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<StatusCode, Problem> {
    app.engine().remove_push_token(&caller.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
