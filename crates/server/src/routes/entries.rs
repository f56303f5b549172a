//! The list of entries, and everything about one animal.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use showdesk_engine::ListAsked;
use showdesk_engine::api::entries::{EntryPage, EntryRecord};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Asked, Id, count};
use crate::app::App;
use crate::auth::Desk;
use crate::error::Problem;

/// Entries of a page, if nothing is said.
const ENTRIES_DEFAULT: u32 = 50;
/// Entries of a page at most.
const ENTRIES_MAX: u32 = 200;
/// A list is not paged further.
const OFFSET_MAX: u32 = 1_000_000;

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntryParams {
    /// Any number or name; all if absent.
    query: Option<String>,
    /// `not_arrived`, `not_weighed`, `being_checked`, `out_of_range`, scratched; all if absent.
    stage: Option<String>,
    /// One species; all if absent.
    species: Option<String>,
    /// One exhibitor's.
    exhibitor_id: Option<Uuid>,
    /// Those in one class.
    class_id: Option<Uuid>,
    /// `back_number`, tag, exhibitor, animal, class, weight, stage. Without it: the best match first, then by tag.
    sort: Option<String>,
    /// asc, or desc: from the last to the first. What is missing comes last both ways.
    dir: Option<String>,
    /// How many to pass over, 0 if absent.
    #[param(value_type = Option<i64>)]
    offset: Option<String>,
    /// 1 to 200, 50 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
    /// false leaves the lists' numbers out: a page further down needs them no second time.
    counts: Option<bool>,
}

/// Animals by any number or name.
#[utoipa::path(
    get, path = "/api/v1/admin/entries", tag = "desk", security(("token" = [])), params(EntryParams),
    responses((status = 200, body = EntryPage)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Desk(actor): Desk,
    Asked(params): Asked<EntryParams>,
) -> Result<Json<EntryPage>, Problem> {
    let down = match params.dir.as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(Problem::bad_query("invalid_query", "dir is asc or desc")),
    };
    let asked = ListAsked {
        offset: count("offset", params.offset.as_deref(), 0, (0, OFFSET_MAX))?.into(),
        limit: count("limit", params.limit.as_deref(), ENTRIES_DEFAULT, (1, ENTRIES_MAX))?.into(),
        text: params.query.unwrap_or_default(),
        stage: params.stage,
        species: params.species,
        exhibitor_id: params.exhibitor_id,
        class_id: params.class_id,
        sort: params.sort,
        down,
        counts: params.counts.unwrap_or(true),
    };
    Ok(Json(app.engine().search_entries(&actor, asked).await?))
}

/// Everything about one animal.
#[utoipa::path(
    get, path = "/api/v1/admin/entries/{animal_id}", tag = "desk", security(("token" = [])),
    params(("animal_id" = Uuid, Path)), responses((status = 200, body = EntryRecord)),
)]
pub(crate) async fn one(State(app): State<App>, Desk(actor): Desk, Id(id): Id) -> Result<Json<EntryRecord>, Problem> {
    Ok(Json(app.engine().entry(&actor, id).await?))
}
