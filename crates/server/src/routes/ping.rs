//! What anyone may ask: who this desk is, and how it is spoken to.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::Serialize;
use showdesk_domain::value::instant_text;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::auth::Anyone;
use crate::error::Problem;

/// Who this desk is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ping {
    /// Made with the database.
    installation_id: Uuid,
    /// The show's name.
    name: String,
    /// The program's version.
    version: &'static str,
    /// The epoch of the database.
    epoch: Uuid,
    /// The desk's clock.
    #[schema(format = DateTime)]
    server_time: String,
    /// Where phones reach the show: this desk, best first, then the other live desks of its database. Plain HTTP.
    addresses: Vec<String>,
    /// The same for phones that trust the show; empty if there is no HTTPS.
    https: Vec<String>,
    /// The first 8 hexadecimal digits of the SHA-256 of what phones trust; none if there is no HTTPS.
    fingerprint_prefix: Option<String>,
}

/// Who this desk is; needs no token.
#[utoipa::path(get, path = "/api/v1/ping", tag = "desk", responses((status = 200, body = Ping)))]
pub(crate) async fn ping(State(app): State<App>, _: Anyone) -> Result<Json<Ping>, Problem> {
    let installation = app.engine().installation().await?;
    let network = &app.shared.network;
    let (mut addresses, mut https) = (network.http_urls(), network.https_urls());
    for other in app.engine().neighbour_addresses() {
        let list = if other.starts_with("https:") { &mut https } else { &mut addresses };
        if !list.contains(&other) {
            list.push(other);
        }
    }
    Ok(Json(Ping {
        installation_id: installation.installation_id,
        name: installation.name,
        version: env!("CARGO_PKG_VERSION"),
        epoch: installation.epoch,
        server_time: instant_text(app.engine().now()),
        addresses,
        https,
        fingerprint_prefix: network.fingerprint_prefix(),
    }))
}

/// The contract, `OpenAPI` 3.1; needs no token.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "desk", responses((status = 200, body = Object)))]
pub(crate) async fn openapi(_: Anyone) -> impl IntoResponse {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| crate::openapi::document().to_string());
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
