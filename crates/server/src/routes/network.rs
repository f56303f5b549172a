//! Settings › Network & security: what the laptop is on the network, renewing its certificate, testing the way to it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use showdesk_domain::value::instant_text;
use showdesk_engine::KeptIn;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Id;
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Nothing, Read};
use crate::error::Problem;
use crate::joining::qr_svg;
use crate::network::{RenewError, Test, Warning, groups, secrets_in_file};

/// How phones can reach the laptop.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Plain HTTP only.
    Plain,
    /// HTTPS as well: phones can be made field-ready.
    Https,
}

/// Where secrets of the show are kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretsKept {
    /// `keychain`, `file` or `nowhere`.
    kept_in: &'static str,
    /// What is worse than it could be, as a sentence.
    warning: Option<&'static str>,
}

/// Something that is not as it should be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NetworkWarning {
    /// Stable, for programs.
    code: &'static str,
    /// A sentence for people.
    detail: String,
}

/// What the laptop is on the network.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NetworkState {
    level: Level,
    /// Addresses of plain HTTP, best first; the name is last.
    http: Vec<String>,
    /// The same of HTTPS.
    https: Vec<String>,
    /// `showdesk-1a2b3c.local`; none where nobody outside can connect.
    name: Option<String>,
    /// Whether the network knows the name, as far as one can tell.
    mdns: bool,
    /// SHA-256 of what phones trust, in groups of four.
    fingerprint: Option<String>,
    /// Until when phones trust it.
    #[schema(format = DateTime)]
    ca_expires_at: Option<String>,
    /// Until when the laptop's own certificate lasts; it is renewed by itself.
    #[schema(format = DateTime)]
    leaf_expires_at: Option<String>,
    /// Names and addresses in the laptop's own certificate.
    leaf_names: Vec<String>,
    secrets: SecretsKept,
    warnings: Vec<NetworkWarning>,
}

/// What to renew.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renewal {
    /// Also what phones trust: each phone has to trust the laptop again.
    #[serde(default)]
    authority: bool,
}

impl Input for Renewal {
    const MAY_BE_EMPTY: bool = true;
}

/// A test of the way to the laptop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NetworkTest {
    id: Uuid,
    /// What a phone opens.
    url: String,
    /// The same as a picture.
    qr_svg: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A phone that came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NetworkArrival {
    #[schema(format = DateTime)]
    at: String,
    /// From where.
    address: String,
    /// What its browser says of itself.
    agent: String,
    /// It was this laptop's own browser, which proves nothing about the Wi-Fi.
    this_laptop: bool,
}

/// How a test stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TestStatus {
    /// Nobody has come yet.
    Waiting,
    /// Somebody came.
    Arrived,
    /// Nobody came in its time.
    Over,
}

/// Who came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NetworkTestState {
    status: TestStatus,
    #[schema(format = DateTime)]
    expires_at: String,
    /// The first ones.
    arrivals: Vec<NetworkArrival>,
}

/// What the laptop is on the network, and what is not as it should be.
#[utoipa::path(
    get, path = "/api/v1/admin/network", tag = "network", security(("token" = [])),
    responses((status = 200, body = NetworkState)),
)]
pub(crate) async fn network(State(app): State<App>, Desk(actor): Desk) -> Result<Json<NetworkState>, Problem> {
    app.engine().may_manage_network(&actor)?;
    Ok(Json(state(&app)))
}

/// Renews the laptop's certificate, and if wanted what phones trust.
#[utoipa::path(
    post, path = "/api/v1/admin/network/renew", tag = "network", security(("token" = [])), request_body = Renewal,
    responses((status = 200, body = NetworkState)),
)]
pub(crate) async fn renew(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<Renewal>,
) -> Result<Json<NetworkState>, Problem> {
    app.engine().may_manage_network(&actor)?;
    app.shared.network.renew(app.engine(), &actor, input.authority).await.map_err(|error| match error {
        RenewError::NoHttps => Problem::no_https(),
        RenewError::Engine(error) => error.into(),
        RenewError::Certificate(error) => Problem::internal(error),
    })?;
    app.shared.network.tell_name();
    Ok(Json(state(&app)))
}

/// Begins a test: a phone opens the address, and the laptop sees who comes.
#[utoipa::path(
    post, path = "/api/v1/admin/network/tests", tag = "network", security(("token" = [])),
    responses((status = 201, body = NetworkTest)),
)]
pub(crate) async fn begin_test(
    State(app): State<App>,
    Desk(actor): Desk,
    _: Read<Nothing>,
) -> Result<(StatusCode, Json<NetworkTest>), Problem> {
    app.engine().may_manage_network(&actor)?;
    let test = app.shared.network.tests.begin(app.engine().now());
    let url = app.shared.joining.test_url(&test.code);
    let qr_svg = qr_svg(&url)?;
    let expires_at = instant_text(test.expires_at);
    Ok((StatusCode::CREATED, Json(NetworkTest { id: test.id, url, qr_svg, expires_at })))
}

/// Who came.
#[utoipa::path(
    get, path = "/api/v1/admin/network/tests/{id}", tag = "network", security(("token" = [])),
    params(("id" = Uuid, Path)), responses((status = 200, body = NetworkTestState)),
)]
pub(crate) async fn test(
    State(app): State<App>,
    Desk(actor): Desk,
    Id(id): Id,
) -> Result<Json<NetworkTestState>, Problem> {
    app.engine().may_manage_network(&actor)?;
    let Test { arrivals, expires_at, .. } = app.shared.network.tests.get(id).ok_or_else(Problem::no_such_path)?;
    let status = match (arrivals.is_empty(), expires_at > app.engine().now()) {
        (false, _) => TestStatus::Arrived,
        (true, true) => TestStatus::Waiting,
        (true, false) => TestStatus::Over,
    };
    let arrivals = arrivals.into_iter().map(|arrival| NetworkArrival {
        at: instant_text(arrival.at),
        address: arrival.address.to_string(),
        this_laptop: app.shared.network.is_own(arrival.address),
        agent: arrival.agent,
    });
    Ok(Json(NetworkTestState { status, expires_at: instant_text(expires_at), arrivals: arrivals.collect() }))
}

fn state(app: &App) -> NetworkState {
    let network = &app.shared.network;
    let (trusted, leaf) = (network.trusted(), network.shown());
    let warnings = network.warnings(app.engine());
    let kept_in = app.engine().vault().kept_in;
    let warning = (kept_in == KeptIn::File).then(secrets_in_file);
    NetworkState {
        level: if trusted.is_some() { Level::Https } else { Level::Plain },
        http: network.http_urls(),
        https: network.https_urls(),
        name: network.local_name(),
        mdns: network.local_name().is_some() && network.name_fault().is_none(),
        fingerprint: trusted.as_ref().map(|trust| groups(&trust.fingerprint)),
        ca_expires_at: trusted.as_ref().map(|trust| instant_text(trust.authority.expires_at)),
        leaf_expires_at: leaf.as_ref().map(|leaf| instant_text(leaf.expires_at)),
        leaf_names: leaf.map(|leaf| leaf.names).unwrap_or_default(),
        secrets: SecretsKept { kept_in: kept_in.as_str(), warning },
        warnings: warnings.into_iter().map(|Warning { code, detail }| NetworkWarning { code, detail }).collect(),
    }
}
