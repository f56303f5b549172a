//! The first steps of a show: who sits at the desk, and an invented show to look around in.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use showdesk_engine::DemoSize;
use showdesk_engine::api::pairing::PersonRef;
use utoipa::ToSchema;

use super::Done;
use crate::app::App;
use crate::auth::Desk;
use crate::body::{Input, Read};
use crate::error::Problem;
use crate::guard::{FILE_TIME, Turn};

/// The stage of an invented show: animals arrive and are weighed.
const DEMO_STAGE: &str = "B";

/// The name of the person at the desk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonName {
    /// 1 to 200 characters.
    name: String,
}

impl Input for PersonName {}

/// An invented show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Demo {
    size: DemoName,
}

impl Input for Demo {}

/// How large an invented show is. The largest is made by the command line: it takes longer than a request may.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DemoName {
    /// About 60 animals.
    Small,
    /// 240 exhibitors, 520 animals, 70 classes.
    County,
}

/// Gives the person at the desk a name, in history and on the phones.
#[utoipa::path(
    put, path = "/api/v1/admin/person", tag = "desk", security(("token" = [])), request_body = PersonName,
    responses((status = 200, body = PersonRef)),
)]
pub(crate) async fn name_person(
    State(app): State<App>,
    Desk(actor): Desk,
    Read { input, .. }: Read<PersonName>,
) -> Result<Json<PersonRef>, Problem> {
    Ok(Json(app.engine().name_person(&actor, &input.name).await?))
}

/// Fills an empty show with invented people and animals, in stage B. 422 `not_empty` if it has rows.
#[utoipa::path(
    post, path = "/api/v1/admin/demo", tag = "desk", security(("token" = [])), request_body = Demo,
    responses((status = 200, body = Done)),
)]
pub(crate) async fn fill_demo(
    State(app): State<App>,
    Extension(turn): Extension<Turn>,
    Desk(actor): Desk,
    Read { input, .. }: Read<Demo>,
) -> Result<Json<Done>, Problem> {
    let size = match input.size {
        DemoName::Small => DemoSize::Small,
        DemoName::County => DemoSize::County,
    };
    turn.may_take(FILE_TIME);
    // A task of its own: a show must not stay half filled because somebody closed the page.
    let engine = app.engine().clone();
    let filled = tokio::spawn(async move { engine.fill_demo(&actor, size, DEMO_STAGE).await });
    filled.await.map_err(Problem::internal)??;
    Ok(Json(Done {}))
}
