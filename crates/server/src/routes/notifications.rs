//! Messages: what a person reads and confirms; at the desk, what is written, scheduled, taken back and followed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use showdesk_engine::MessageState;
use showdesk_engine::api::notifications::{
    Ack, Acked, AskPreview, AskReach, MessageDetail, MessageItem, MessagePage, NewMessage, NoticePage, Preview,
    ReachParts, Reminded, SentMessage,
};
use utoipa::IntoParams;

use super::queue::{ITEMS_DEFAULT, ITEMS_MAX};
use super::{Asked, Id, count};
use crate::app::App;
use crate::auth::{Caller, Desk};
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

/// Messages of a page of a person's, if nothing is said.
const NOTICES_DEFAULT: u32 = 200;
/// Messages of a page of a person's at most.
const NOTICES_MAX: u32 = 500;

impl Input for Ack {}

impl Input for NewMessage {}

impl Input for AskReach {}

impl Input for AskPreview {}

/// Which of one's own messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NoticeParams {
    /// The last number that the phone has; 0 if absent: all of them.
    #[param(value_type = Option<i64>)]
    after: Option<String>,
    /// 1 to 500, 200 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// The person's messages after a number, ascending. What is over is left out.
#[utoipa::path(
    get, path = "/api/v1/me/notifications", tag = "me", security(("token" = [])), params(NoticeParams),
    responses((status = 200, body = NoticePage)),
)]
pub(crate) async fn mine(
    State(app): State<App>,
    caller: Caller,
    Asked(params): Asked<NoticeParams>,
) -> Result<Json<NoticePage>, Problem> {
    let after = match params.after.as_deref() {
        None => 0,
        Some(text) => {
            let number = text.parse::<i64>().ok().filter(|number| *number >= 0);
            number.ok_or_else(|| Problem::bad_query("invalid_query", "after is a whole number from 0"))?
        }
    };
    let limit = count("limit", params.limit.as_deref(), NOTICES_DEFAULT, (1, NOTICES_MAX))?.into();
    Ok(Json(app.engine().my_notices(&caller.actor, after, limit).await?))
}

/// How far messages came on this phone. It only rises; ids that are not the person's are passed over.
#[utoipa::path(
    post, path = "/api/v1/me/notifications/ack", tag = "me", security(("token" = [])), request_body = Ack,
    responses((status = 200, body = Acked)),
)]
pub(crate) async fn ack(
    State(app): State<App>,
    caller: Caller,
    Read { input, .. }: Read<Ack>,
) -> Result<Json<Acked>, Problem> {
    Ok(Json(app.engine().acknowledge(&caller.actor, input).await?))
}

/// Which messages of the desk's.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageParams {
    /// scheduled: the next first; sent, which is also meant if it is absent: the newest first.
    state: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
}

/// Messages that wait, or went out.
#[utoipa::path(
    get, path = "/api/v1/admin/notifications", tag = "messages", security(("token" = [])), params(MessageParams),
    responses((status = 200, body = MessagePage)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<MessageParams>,
) -> Result<Json<MessagePage>, Problem> {
    let limit = count("limit", params.limit.as_deref(), ITEMS_DEFAULT, (1, ITEMS_MAX))?.into();
    let state = match params.state.as_deref() {
        Some("scheduled") => MessageState::Scheduled,
        None | Some("sent") => MessageState::Sent,
        Some(_) => return Err(Problem::bad_query("bad_filter", "state is scheduled or sent")),
    };
    Ok(Json(app.engine().messages(&actor, state, params.cursor, limit).await?))
}

/// Sends a message, or schedules it. 400 `placeholder_unfilled` if `{class}`, `{ring}` or `{time}` is not known.
#[utoipa::path(
    post, path = "/api/v1/admin/notifications", tag = "messages", security(("token" = [])),
    request_body = NewMessage, responses((status = 201, body = SentMessage)),
)]
pub(crate) async fn send(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<NewMessage>,
) -> Result<(StatusCode, Json<SentMessage>), Problem> {
    Ok((StatusCode::CREATED, Json(app.engine().send_message(&actor, input).await?)))
}

/// Whom a message would reach now.
#[utoipa::path(
    post, path = "/api/v1/admin/notifications/reach", tag = "messages", security(("token" = [])),
    request_body = AskReach, responses((status = 200, body = ReachParts)),
)]
pub(crate) async fn reach(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<AskReach>,
) -> Result<Json<ReachParts>, Problem> {
    Ok(Json(app.engine().message_reach(&actor, input).await?))
}

/// A message as phones will show it. 400 `placeholder_unfilled` if something in it is not known.
#[utoipa::path(
    post, path = "/api/v1/admin/notifications/preview", tag = "messages", security(("token" = [])),
    request_body = AskPreview, responses((status = 200, body = Preview)),
)]
pub(crate) async fn preview(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<AskPreview>,
) -> Result<Json<Preview>, Problem> {
    Ok(Json(app.engine().message_preview(&actor, input).await?))
}

/// One message, with what became of it on each phone.
#[utoipa::path(
    get, path = "/api/v1/admin/notifications/{id}", tag = "messages", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = MessageDetail)),
)]
pub(crate) async fn one(State(app): State<App>, Desk(actor): Desk, Id(id): Id) -> Result<Json<MessageDetail>, Problem> {
    Ok(Json(app.engine().message(&actor, id).await?))
}

/// Writes a scheduled message anew. 409 `already_sent` or `already_cancelled`.
#[utoipa::path(
    put, path = "/api/v1/admin/notifications/{id}", tag = "messages", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = NewMessage, responses((status = 200, body = SentMessage)),
)]
pub(crate) async fn change(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<NewMessage>,
) -> Result<Json<SentMessage>, Problem> {
    Ok(Json(app.engine().change_message(&actor, id, input).await?))
}

/// Takes a message back that has not gone out: a scheduled one, or one that can be undone. 409 `already_sent`.
#[utoipa::path(
    post, path = "/api/v1/admin/notifications/{id}/cancel", tag = "messages", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = MessageItem)),
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<MessageItem>, Problem> {
    Ok(Json(app.engine().cancel_message(&actor, id).await?))
}

/// Takes a message back that went out: phones show that it was taken back. 409 `not_sent`.
#[utoipa::path(
    post, path = "/api/v1/admin/notifications/{id}/retract", tag = "messages", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = MessageItem)),
)]
pub(crate) async fn retract(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<MessageItem>, Problem> {
    Ok(Json(app.engine().retract_message(&actor, id).await?))
}

/// Tells a message again to who has not seen it, or, where that is wanted, not confirmed it. 409 `not_sent`,
/// `retracted` or `expired`.
#[utoipa::path(
    post, path = "/api/v1/admin/notifications/{id}/remind", tag = "messages", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = Reminded)),
)]
pub(crate) async fn remind(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<Reminded>, Problem> {
    Ok(Json(app.engine().remind_of_message(&actor, id).await?))
}
