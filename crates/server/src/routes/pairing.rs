//! A phone joins: it shows a code, waits for the desk, fetches its token.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use showdesk_engine::api::pairing::{Claim, Claimed, PairingStatus};
use showdesk_engine::is_typed_code;

use super::Id;
use crate::app::App;
use crate::auth::{Anyone, Peer};
use crate::body::{Class, Input, Read};
use crate::error::Problem;

impl Input for Claim {
    const CLASS: Class = Class::Pairing;
}

/// Shows a code, or its short form. 404 unknown, 410 used or expired, 429 after too many wrong ones: 10 a minute from
/// an address and 30 in all; a short form is dead for an address after 5 and for everybody after 30. Codes that let
/// nobody in any more count as requests without a pass.
#[utoipa::path(
    post, path = "/api/v1/pairing/claim", tag = "pairing", request_body = Claim,
    responses((status = 201, body = Claimed)),
)]
pub(crate) async fn claim(
    State(app): State<App>,
    Peer(address): Peer,
    Read { input, .. }: Read<Claim>,
) -> Result<(StatusCode, Json<Claimed>), Problem> {
    let (limiter, now) = (&app.shared.limiter, Instant::now());
    let is_typed = is_typed_code(&input.code);
    // A short code can be guessed at: who was wrong too often is refused before it is looked up. A long one is looked
    // up first, so that nobody is refused for what others tried.
    let tried =
        if is_typed { Some(limiter.wrong_code(address, now).map_err(Problem::too_many_failures)?) } else { None };
    let in_doubt =
        if limiter.has_been_wrong_too_often(address, now) { app.handlers().look_up_in_doubt().await } else { None };
    let answer = app.engine().claim_pairing(input, address).await.map_err(Problem::from);
    drop(in_doubt);
    let is_wrong = answer.as_ref().is_err_and(Problem::is_wrong_secret);
    match tried {
        Some(()) if !is_wrong => limiter.was_right(address, now),
        None if is_wrong => limiter.wrong_code(address, now).map_err(Problem::too_many_failures)?,
        _ => {}
    }
    if answer.as_ref().is_err_and(Problem::is_gone) {
        // A code that is over is known, and no guess; whoever shows it again and again is slowed all the same.
        limiter.dead_code(address, now).map_err(Problem::too_many_strangers)?;
    }
    let claimed = answer?;
    if claimed.unknown_previous {
        // It joins all the same: a phone that was away for long shows what it has.
        let _ = limiter.wrong_code(address, now);
    }
    Ok((StatusCode::CREATED, Json(claimed)))
}

/// How a claim stands. Once approved it carries the token, a new one each time, until the token's first use.
#[utoipa::path(
    get, path = "/api/v1/pairing/{pairing_id}", tag = "pairing", params(("pairing_id" = Uuid, Path)),
    responses((status = 200, body = PairingStatus)),
)]
pub(crate) async fn status(
    State(app): State<App>,
    Peer(address): Peer,
    _: Anyone,
    Id(id): Id,
) -> Result<Json<PairingStatus>, Problem> {
    let answer = app.engine().pairing_status(id).await.map_err(Problem::from);
    if answer.as_ref().is_err_and(Problem::is_wrong_secret) {
        app.shared.limiter.wrong_code(address, Instant::now()).map_err(Problem::too_many_failures)?;
    }
    Ok(Json(answer?))
}
