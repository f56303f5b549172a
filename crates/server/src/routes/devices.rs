//! The desk lets phones in: codes, the phones that show them, Allow.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use showdesk_domain::value::instant_text;
use showdesk_engine::api::pairing::{Approve, NewPairing, OpenPairings, PairingCode, TypedCode, WaitingPairings};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Asked, Done, Id};
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;
use crate::joining::{qr_svg, wifi_text};

impl Input for NewPairing {}

impl Input for Approve {
    const MAY_BE_EMPTY: bool = true;
}

/// A code for phones, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JoinCode {
    /// What the desk calls it: to close it, and for a fresh short form.
    pairing_id: Uuid,
    code: String,
    #[schema(format = DateTime)]
    code_expires_at: String,
    /// What a phone opens; the code stands in the fragment and reaches no log.
    url: String,
    /// The same as a picture.
    qr_svg: String,
    #[serde(flatten)]
    typed: TypedCode,
}

/// Which claims.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PairingParams {
    /// `waiting`, which is also meant if it is absent.
    status: Option<String>,
}

/// Where phones reach the desk.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JoiningAddresses {
    /// Best first; loopback only if the machine has no network.
    addresses: Vec<String>,
}

/// A Wi-Fi that phones shall join. Nothing of it is stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wifi {
    /// Its name, 1 to 32 bytes.
    ssid: String,
    /// Its password; none for an open one.
    #[serde(default)]
    password: Option<String>,
}

impl Input for Wifi {}

/// A picture.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QrPicture {
    qr_svg: String,
}

/// Opens joining.
#[utoipa::path(
    post, path = "/api/v1/admin/pairings", tag = "devices", security(("token" = [])), request_body = NewPairing,
    responses((status = 201, body = JoinCode)),
)]
pub(crate) async fn open_joining(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<NewPairing>,
) -> Result<(StatusCode, Json<JoinCode>), Problem> {
    let code = app.engine().open_pairing(&actor, input).await?;
    let url = app.shared.joining.join_url(&code.code);
    let qr_svg = qr_svg(&url)?;
    let code_expires_at = instant_text(code.code_expires_at);
    let PairingCode { pairing_id, code, typed, .. } = code;
    Ok((StatusCode::CREATED, Json(JoinCode { pairing_id, code, code_expires_at, url, qr_svg, typed })))
}

/// Phones that ask to join.
#[utoipa::path(
    get, path = "/api/v1/admin/pairings", tag = "devices", security(("token" = [])), params(PairingParams),
    responses((status = 200, body = WaitingPairings)),
)]
pub(crate) async fn waiting(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<PairingParams>,
) -> Result<Json<WaitingPairings>, Problem> {
    if params.status.is_some_and(|status| status != "waiting") {
        return Err(Problem::bad_query("invalid_query", "only status=waiting is listed"));
    }
    Ok(Json(app.engine().waiting_pairings(&actor).await?))
}

/// Allows a phone. Allowing twice is the same as once.
#[utoipa::path(
    post, path = "/api/v1/admin/pairings/{id}/approve", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), request_body = Approve, responses((status = 200, body = Done)),
)]
pub(crate) async fn approve(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    Read { input, .. }: Read<Approve>,
) -> Result<Json<Done>, Problem> {
    app.engine().approve_pairing(&actor, id, input).await?;
    Ok(Json(Done {}))
}

/// Refuses a phone.
#[utoipa::path(
    post, path = "/api/v1/admin/pairings/{id}/refuse", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = Done)),
)]
pub(crate) async fn refuse(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<Done>, Problem> {
    app.engine().refuse_pairing(&actor, id).await?;
    Ok(Json(Done {}))
}

/// Codes that let phones in now. The codes themselves are not known any more.
#[utoipa::path(
    get, path = "/api/v1/admin/pairings/open", tag = "devices", security(("token" = [])),
    responses((status = 200, body = OpenPairings)),
)]
pub(crate) async fn open_codes(State(app): State<App>, Desk(actor): Desk) -> Result<Json<OpenPairings>, Problem> {
    Ok(Json(app.engine().open_pairings(&actor).await?))
}

/// A fresh short form of an open code, for typing; the one before is dead. 410 if the code is not open any more.
#[utoipa::path(
    post, path = "/api/v1/admin/pairings/{id}/typed-code", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = TypedCode)),
)]
pub(crate) async fn typed_code(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<TypedCode>, Problem> {
    Ok(Json(app.engine().renew_typed_code(&actor, id).await?))
}

/// Takes a code back: nobody joins by it any more. Twice is the same as once.
#[utoipa::path(
    post, path = "/api/v1/admin/pairings/{id}/close", tag = "devices", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = Done)),
)]
pub(crate) async fn close(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
    _: Read<Nothing>,
) -> Result<Json<Done>, Problem> {
    app.engine().close_pairing(&actor, id).await?;
    Ok(Json(Done {}))
}

/// Where phones reach the desk.
#[utoipa::path(
    get, path = "/api/v1/admin/joining", tag = "devices", security(("token" = [])),
    responses((status = 200, body = JoiningAddresses)),
)]
pub(crate) async fn joining(State(app): State<App>, _: Desk) -> Json<JoiningAddresses> {
    Json(JoiningAddresses { addresses: app.shared.joining.addresses() })
}

/// The QR code that lets phones join the show's Wi-Fi.
#[utoipa::path(
    post, path = "/api/v1/admin/wifi-qr", tag = "devices", security(("token" = [])), request_body = Wifi,
    responses((status = 200, body = QrPicture)),
)]
pub(crate) async fn wifi_qr(_: Desk, Read { input, .. }: Read<Wifi>) -> Result<Json<QrPicture>, Problem> {
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    let password = input.password.as_deref().unwrap_or_default();
    if !(1..=32).contains(&input.ssid.len()) || !is_plain(&input.ssid) {
        return Err(Problem::invalid("out_of_range", "the name of a Wi-Fi has 1 to 32 bytes"));
    }
    if password.len() > 63 || !is_plain(password) {
        return Err(Problem::invalid("out_of_range", "the password of a Wi-Fi has at most 63 characters"));
    }
    Ok(Json(QrPicture { qr_svg: qr_svg(&wifi_text(&input.ssid, input.password.as_deref()))? }))
}
