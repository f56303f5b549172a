//! The desk looks at devices and their people, changes what they may do, and removes them.

use axum::Json;
use axum::extract::State;
use showdesk_engine::api::devices::{DeviceChange, DeviceList, DeviceView, MergeDevice, PermissionList};

use super::Id;
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;

impl Input for DeviceChange {}
impl Input for MergeDevice {}

/// All devices that ever joined.
#[utoipa::path(
    get, path = "/api/v1/admin/devices", tag = "devices", security(("token" = [])),
    responses((status = 200, body = DeviceList)),
)]
pub(crate) async fn list(State(app): State<App>, Desk(actor): Desk) -> Result<Json<DeviceList>, Problem> {
    Ok(Json(app.engine().devices(&actor).await?))
}

/// The switches of what a person may do, and the functions that bring them.
#[utoipa::path(
    get, path = "/api/v1/admin/permissions", tag = "devices", security(("token" = [])),
    responses((status = 200, body = PermissionList)),
)]
pub(crate) async fn permissions(State(app): State<App>, Desk(actor): Desk) -> Result<Json<PermissionList>, Problem> {
    Ok(Json(app.engine().permissions(&actor)?))
}

/// Changes a device and its person; what is absent stays. It holds from the next request on, and streams are told.
/// 422 `own_device` for rights of the laptop, 409 `wrong_state` for a removed device.
#[utoipa::path(
    put, path = "/api/v1/admin/devices/{id}", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = DeviceChange, responses((status = 200, body = DeviceView)),
)]
pub(crate) async fn change(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<DeviceChange>,
) -> Result<Json<DeviceView>, Problem> {
    Ok(Json(app.engine().change_device(&actor, id, input).await?))
}

/// A phone that joined twice is one person again: the device gets the person and the rights of `into`.
#[utoipa::path(
    post, path = "/api/v1/admin/devices/{id}/merge", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = MergeDevice, responses((status = 200, body = DeviceView)),
)]
pub(crate) async fn merge(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<MergeDevice>,
) -> Result<Json<DeviceView>, Problem> {
    Ok(Json(app.engine().merge_device(&actor, id, input).await?))
}

/// Asks a phone for a copy of what it holds: `file_asked_at` is told to it until a copy is taken in.
#[utoipa::path(
    post, path = "/api/v1/admin/devices/{id}/ask-file", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = DeviceView)),
)]
pub(crate) async fn ask_file(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<DeviceView>, Problem> {
    Ok(Json(app.engine().ask_file(&actor, id).await?))
}

/// Removes a device; its token is dead when this is answered, and its streams end.
#[utoipa::path(
    post, path = "/api/v1/admin/devices/{id}/revoke", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = DeviceView)),
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<DeviceView>, Problem> {
    Ok(Json(app.engine().revoke_device(&actor, id).await?))
}
