//! A phone joins: it shows a code, waits for the desk, fetches its token.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use showdesk_engine::api::pairing::{Claim, Claimed, PairingStatus};

use super::Id;
use crate::app::App;
use crate::auth::{Anyone, Peer};
use crate::body::{Class, Input, Read};
use crate::error::Problem;

impl Input for Claim {
    const CLASS: Class = Class::Pairing;
}

/// Shows a code. 404 unknown, 410 used or expired, 429 after too many wrong ones.
#[utoipa::path(
    post, path = "/api/v1/pairing/claim", tag = "pairing", request_body = Claim,
    responses((status = 201, body = Claimed)),
)]
pub(crate) async fn claim(
    State(app): State<App>,
    Peer(address): Peer,
    Read { input, .. }: Read<Claim>,
) -> Result<(StatusCode, Json<Claimed>), Problem> {
    match app.engine().claim_pairing(input).await.map_err(Problem::from) {
        Ok(claimed) => Ok((StatusCode::CREATED, Json(claimed))),
        // Counted only now: a code that is right is never refused for what others tried.
        Err(problem) if problem.is_wrong_secret() => {
            app.shared.limiter.wrong_code(address, Instant::now()).map_err(Problem::too_many_failures)?;
            Err(problem)
        }
        Err(problem) => Err(problem),
    }
}

/// How a claim stands. Once approved it carries the token, a new one each time, until the token's first use.
#[utoipa::path(
    get, path = "/api/v1/pairing/{pairing_id}", tag = "pairing", params(("pairing_id" = Uuid, Path)),
    responses((status = 200, body = PairingStatus)),
)]
pub(crate) async fn status(State(app): State<App>, _: Anyone, Id(id): Id) -> Result<Json<PairingStatus>, Problem> {
    Ok(Json(app.engine().pairing_status(id).await?))
}
