//! A phone's copy of its unsent entries, reviewed and taken in at the desk.

use axum::extract::State;
use axum::{Extension, Json};
use showdesk_engine::api::rescue::{TakeIn, TakenIn};

use crate::app::App;
use crate::auth::Desk;
use crate::body::{Class, Input, Read};
use crate::error::Problem;
use crate::guard::{FILE_TIME, Turn};

impl Input for TakeIn {
    const CLASS: Class = Class::Copy;
}

/// Reviews a copy (`dry_run`) or takes its entries in, each for its author and with the author's present rights, also
/// where the phone was removed. The phone and its person must be known here. Taking in twice changes nothing. 422:
/// `not_a_copy`, `damaged_copy`, `newer_copy`, `older_copy`, `other_show`, `unknown_phone`, `unknown_op`.
#[utoipa::path(
    post, path = "/api/v1/admin/rescue", tag = "rescue", security(("token" = [])), request_body = TakeIn,
    responses((status = 200, body = TakenIn)),
)]
pub(crate) async fn take_in(
    State(app): State<App>,
    Extension(turn): Extension<Turn>,
    Desk(actor): Desk,
    Read { input, .. }: Read<TakeIn>,
) -> Result<Json<TakenIn>, Problem> {
    turn.may_take(FILE_TIME);
    // A task of its own: what was begun is finished, whether or not the page waits for it.
    let engine = app.engine().clone();
    let taken = tokio::spawn(async move { engine.take_in(&actor, input).await });
    Ok(Json(taken.await.map_err(Problem::internal)??))
}
