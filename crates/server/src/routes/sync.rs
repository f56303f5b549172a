//! Push, pull and what surrounds them (PROTOCOL.md §2, §3, §6).

use std::borrow::Cow;

use axum::Extension;
use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use showdesk_domain::value::{decode_id, parse_instant};
use showdesk_engine::api::sync::{
    Changes, Hello, HelloLimits, OpsStatusAnswer, PackedPage, PullQuery, Pulled, Push, PushAnswer,
};
use showdesk_engine::push::{DESK_BYTES_MAX, DESK_OPS_MAX, PHONE_BYTES_MAX, PHONE_OPS_MAX, STATUS_OPS_MAX};
use utoipa::openapi::schema::{ArrayBuilder, Ref, Schema};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Asked, count};
use crate::app::{App, Listener};
use crate::auth::Caller;
use crate::body::{Class, Input, Read};
use crate::error::Problem;
use crate::guard::Turn;
use crate::packed::{Gzip, takes_gzip};

/// The one protocol spoken.
const PROTOCOL: i64 = 1;
/// Changes of a page, if nothing is said.
const PAGE_DEFAULT: u32 = 500;
/// Changes of a page at most.
pub(crate) const PAGE_MAX: u32 = 1_000;
/// How every page begins.
const PAGE_BEGINS: &str = "{\"changes\":[";
/// How many entries the phone still holds, for the desk's list of devices.
const PENDING: &str = "x-client-pending";

/// Changes on their way to the desk. Each op is read and answered on its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushBody {
    /// 1.
    protocol: i64,
    /// The epoch the phone believes in; another is a 409.
    #[serde(deserialize_with = "id")]
    epoch: Uuid,
    /// Made when the phone's store was created.
    #[serde(deserialize_with = "id")]
    incarnation: Uuid,
    /// Version of the synced tables that the ops are written in: 0 to `hello.schema.current`. Ops of an older one are
    /// rewritten; one below is 426, one above 400 `unsupported_schema`.
    schema: i64,
    /// The phone's clock when it sent.
    #[serde(default)]
    #[schema(format = DateTime)]
    client_time: Option<String>,
    /// The epoch whose acknowledged ops the phone gives back after the desk was restored. Any but the present one
    /// (400): a desk cannot know the epochs between a backup and the loss of its laptop.
    #[serde(default, deserialize_with = "optional_id")]
    recovered_from: Option<Uuid>,
    /// At most 500 (20,000 on the admin listener), in the order of their `device_seq`.
    #[schema(schema_with = ops_schema)]
    ops: Vec<Box<RawValue>>,
}

impl Input for PushBody {
    const CLASS: Class = Class::Sync;
}

/// Ops asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpsStatusBody {
    /// At most 500.
    #[schema(value_type = Vec<Uuid>)]
    op_ids: Vec<Value>,
}

impl Input for OpsStatusBody {
    const CLASS: Class = Class::Sync;
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PullParams {
    /// Where the last page ended; none for the first sync.
    cursor: Option<String>,
    /// Most changes in the page: 1 to 1,000, 500 if absent.
    #[param(value_type = Option<i64>)]
    limit: Option<String>,
    /// Only these tables, separated by commas; all if absent.
    tables: Option<String>,
    /// The client's version of the synced tables; if absent that of the cursor, else the desk's own. Below
    /// `hello.schema.min_pull` is 426, above `hello.schema.current` 400 `unsupported_schema`. A cursor continues in its
    /// own version only.
    #[param(value_type = Option<i64>)]
    schema: Option<String>,
}

/// What a client learns before it syncs.
#[utoipa::path(
    get, path = "/api/v1/sync/hello", tag = "sync", security(("token" = [])),
    responses((status = 200, body = Hello)),
)]
pub(crate) async fn hello(State(app): State<App>, caller: Caller) -> Result<Json<Hello>, Problem> {
    let mut hello = app.engine().hello(&caller.actor).await?;
    let (ops, bytes) = match app.listener {
        Listener::Phone => (PHONE_OPS_MAX, PHONE_BYTES_MAX),
        Listener::Admin => (DESK_OPS_MAX, DESK_BYTES_MAX),
    };
    hello.limits = HelloLimits { ops, bytes };
    Ok(Json(hello))
}

/// Applies changes. A verdict in a 200 is on disk.
#[utoipa::path(
    post, path = "/api/v1/sync/push", tag = "sync", security(("token" = [])), request_body = PushBody,
    params(
        ("X-Client-Pending" = Option<i64>, Header, description = "How many entries the phone still holds. It may stand \
            beside any request with a token, as the two below."),
        ("X-Client-Waiting-Ms" = Option<i64>, Header, description = "For how long the oldest of these has waited."),
        ("X-Client-Took-Ms" = Option<i64>, Header, description = "How long the phone's last request took until its \
            answer was there."),
        (
            "Content-Encoding" = Option<String>, Header,
            description = "identity or gzip; another is a 415. Limits count inflated bytes, at most 20 for each that was \
                sent (413)."
        ),
    ),
    responses((status = 200, body = PushAnswer)),
)]
pub(crate) async fn push(
    State(app): State<App>,
    caller: Caller,
    Extension(turn): Extension<Turn>,
    headers: HeaderMap,
    Read { input, body_bytes }: Read<PushBody>,
) -> Result<Json<PushAnswer>, Problem> {
    let ops_max = if app.listener == Listener::Admin { DESK_OPS_MAX } else { PHONE_OPS_MAX };
    let push = input.into_push(ops_max, pending(&headers), body_bytes)?;
    // The writer's queue has its own limit; a push that waits there keeps nobody out.
    turn.give_place_up();
    Ok(Json(app.engine().push(&caller.actor, push).await?))
}

/// The current verdicts of the device's own ops.
#[utoipa::path(
    post, path = "/api/v1/sync/ops/status", tag = "sync", security(("token" = [])), request_body = OpsStatusBody,
    responses((status = 200, body = OpsStatusAnswer)),
)]
pub(crate) async fn ops_status(
    State(app): State<App>,
    caller: Caller,
    Read { input, .. }: Read<OpsStatusBody>,
) -> Result<Json<OpsStatusAnswer>, Problem> {
    if input.op_ids.len() > STATUS_OPS_MAX {
        return Err(Problem::too_many_ops(STATUS_OPS_MAX));
    }
    Ok(Json(app.engine().ops_status(&caller.actor, input.op_ids).await?))
}

/// A page of changes the device may see.
#[utoipa::path(
    get, path = "/api/v1/sync/pull", tag = "sync", security(("token" = [])), params(PullParams),
    responses(
        (
            status = 200, body = ref("#/components/schemas/PullAnswer"),
            description = "A page; gzip where `Accept-Encoding` takes it and the page has more than 1 KiB. Another \
                epoch's cursor is 409 with `epoch`. One that cannot be read, of another device or scope, or older than a \
                removed tombstone is 410 with `mode: reconcile`: pull without a cursor into a fresh store. `ETag` \
                changes with the show; a page may have fewer changes than `limit` though there are more.",
        ),
        (status = 304, description = "`If-None-Match` names the answer to this question, and nothing has changed."),
    ),
)]
pub(crate) async fn pull(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Asked(params): Asked<PullParams>,
) -> Result<Response, Problem> {
    let limit = count("limit", params.limit.as_deref(), PAGE_DEFAULT, (1, PAGE_MAX))?;
    let tables = params.tables.as_deref().unwrap_or_default();
    let query = PullQuery {
        cursor: params.cursor,
        limit: limit as usize,
        tables: tables.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        schema: params.schema.map(|text| text.parse().map_err(|_| invalid_schema())).transpose()?,
        known: headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok()).map(str::to_owned),
    };
    let page = match app.engine().pull_packed(&caller.actor, query).await? {
        Pulled::Page(page) => page,
        Pulled::Unchanged(etag) => return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response()),
    };
    let named = [(CONTENT_TYPE, "application/json".to_owned()), (ETAG, page.etag.clone())];
    let is_packed = page.changes.iter().any(|changes| matches!(changes, Changes::Packed(_)));
    if is_packed && takes_gzip(&headers) {
        let packed = [(CONTENT_ENCODING, "gzip"), (VARY, "accept-encoding")];
        return Ok((named, packed, packed_page(&page)).into_response());
    }
    // What is not packed yet is packed on its way out, where that is worth it.
    Ok((named, page_text(&page)).into_response())
}

impl PushBody {
    fn into_push(self, ops_max: usize, pending: Option<i64>, body_bytes: usize) -> Result<Push, Problem> {
        if self.protocol != PROTOCOL {
            return Err(Problem::unsupported_protocol(self.protocol));
        }
        if self.ops.len() > ops_max {
            return Err(Problem::too_many_ops(ops_max));
        }
        let client_time = self
            .client_time
            .map(|text| parse_instant(&text).ok_or_else(|| Problem::bad_envelope("client_time is not a time")))
            .transpose()?;
        Ok(Push {
            epoch: self.epoch,
            incarnation: self.incarnation,
            schema: self.schema,
            client_time,
            recovered_from: self.recovered_from,
            ops: self.ops,
            pending,
            body_bytes,
        })
    }
}

fn invalid_schema() -> Problem {
    Problem::bad_query("invalid_query", "schema is a whole number")
}

/// Puts the page's changes together as they are; parsing and writing them again would be half of a pull's time.
fn page_text(page: &PackedPage) -> String {
    let parts: Vec<Cow<'_, str>> = page.changes.iter().flat_map(texts_of).collect();
    let changes: usize = parts.iter().map(|part| part.len() + 1).sum();
    let rest = rest_of(page);
    let mut text = String::with_capacity(changes + rest.len() + PAGE_BEGINS.len());
    text.push_str(PAGE_BEGINS);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(part);
    }
    text.push_str(&rest);
    text
}

/// The same as gzip: what is kept packed stays as it is.
fn packed_page(page: &PackedPage) -> Vec<u8> {
    let bytes = page.changes.iter().map(|changes| match changes {
        Changes::Each(each) => each.iter().map(String::len).sum::<usize>() / 4,
        Changes::Packed(packed) => packed.deflated().len(),
    });
    let mut gzip = Gzip::new(bytes.sum());
    // Small texts between packed ones are joined: each part costs a few bytes.
    let mut text = PAGE_BEGINS.to_owned();
    let mut is_first = true;
    for changes in &page.changes {
        let parts = match changes {
            Changes::Each(each) if each.is_empty() => continue,
            Changes::Each(each) => Some(each.join(",")),
            Changes::Packed(_) => None,
        };
        if !is_first {
            text.push(',');
        }
        is_first = false;
        match (changes, parts) {
            (Changes::Packed(packed), _) => {
                gzip.text(&std::mem::take(&mut text));
                gzip.packed(packed.deflated(), packed.crc32(), packed.text_bytes());
            }
            (Changes::Each(_), joined) => text.push_str(&joined.unwrap_or_default()),
        }
    }
    text.push_str(&rest_of(page));
    gzip.text(&text);
    gzip.finish()
}

fn texts_of(changes: &Changes) -> Vec<Cow<'_, str>> {
    match changes {
        Changes::Each(each) => each.iter().map(|change| Cow::Borrowed(change.as_str())).collect(),
        Changes::Packed(packed) => vec![Cow::Owned(packed.text())],
    }
}

/// What follows the changes.
fn rest_of(page: &PackedPage) -> String {
    let rest = serde_json::json!({
        "epoch": page.epoch, "cursor": page.cursor, "has_more": page.has_more, "clock": page.clock,
    });
    format!("],{}", &rest.to_string()[1..])
}

/// A number in a header that helps the desk and decides nothing; nonsense is as good as none.
fn pending(headers: &HeaderMap) -> Option<i64> {
    headers.get(PENDING)?.to_str().ok()?.parse().ok().filter(|pending| *pending >= 0)
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    decode_id(&text).map_err(|error| serde::de::Error::custom(error.detail))
}

fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| decode_id(&text).map_err(|error| serde::de::Error::custom(error.detail))).transpose()
}

fn ops_schema() -> Schema {
    ArrayBuilder::new().items(Ref::from_schema_name("Op")).max_items(Some(DESK_OPS_MAX)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_put_together_without_parsing() {
        let epoch = Uuid::from_u128(3);
        let (cursor, etag) = ("c\"1".to_owned(), String::new());
        let mut page = PackedPage { epoch, changes: vec![], cursor, has_more: false, clock: 7, etag };
        let empty: Value = serde_json::from_str(&page_text(&page)).expect("JSON");
        assert_eq!(
            empty,
            serde_json::json!({"epoch": epoch, "changes": [], "cursor": "c\"1", "has_more": false, "clock": 7})
        );
        page.changes = vec![
            Changes::Each(Vec::new()),
            Changes::Each(vec![r#"{"seq":1}"#.into()]),
            Changes::Each(vec![r#"{"seq":2}"#.into()]),
        ];
        let full: Value = serde_json::from_str(&page_text(&page)).expect("JSON");
        let opened: Value = serde_json::from_reader(flate2::read::GzDecoder::new(&*packed_page(&page))).expect("gzip");
        assert_eq!(opened, full);
        assert_eq!(full["changes"], serde_json::json!([{"seq": 1}, {"seq": 2}]));
    }

    fn envelope(change: impl FnOnce(&mut Value)) -> Result<Push, String> {
        let mut json = serde_json::json!({
            "protocol": 1, "epoch": Uuid::from_u128(1), "incarnation": Uuid::from_u128(2), "schema": 1,
            "client_time": "2026-08-07T09:14:03.120+02:00", "recovered_from": null, "ops": [{"op_id": 5}, 7],
        });
        change(&mut json);
        let body: PushBody = serde_json::from_str(&json.to_string()).map_err(|error| error.to_string())?;
        body.into_push(2, None, 0).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn ops_are_handed_on_as_they_are() {
        let push = envelope(|_| ()).expect("a push");
        let texts: Vec<&str> = push.ops.iter().map(|op| op.get()).collect();
        assert_eq!(texts, [r#"{"op_id":5}"#, "7"]);
    }

    #[test]
    fn what_may_be_null_may_be_absent() {
        let push = envelope(|json| {
            let object = json.as_object_mut().expect("an object");
            object.remove("client_time");
            object.remove("recovered_from");
        });
        assert!(push.is_ok());
    }

    #[test]
    fn a_wrong_envelope_is_refused_whole() {
        for (path, value) in [
            ("/epoch", serde_json::json!("X")),
            ("/incarnation", serde_json::json!(null)),
            ("/client_time", serde_json::json!("yesterday")),
            ("/protocol", serde_json::json!(2)),
            ("/schema", serde_json::json!("1")),
            ("/ops", serde_json::json!([1, 2, 3])),
            ("/ops", serde_json::json!({})),
        ] {
            let push = envelope(|json| *json.pointer_mut(path).expect("a member") = value.clone());
            assert!(push.is_err(), "{path} {value}");
        }
        assert!(envelope(|json| json["user_id"] = serde_json::json!("x")).is_err());
    }
}
