//! Every answer of ours from 400 up, as `application/problem+json` (RFC 9457).
//!
//! The only file that knows HTTP status codes of failures and what an [`EngineError`] is over HTTP.
//! `code` is stable and made for programs, `detail` is a sentence for people; causes go to the log
//! and never into an answer. `guard::finish` adds the request's id and writes the body.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use showdesk_engine::EngineError;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::scan::ScanError;

/// Whether sending the same again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Retry {
    /// It will be refused again.
    Never,
    /// The same request can succeed later; `Retry-After` says when, if it is known.
    Later,
    /// It can succeed after something else was done: pull, join again, send less.
    AfterFix,
}

/// Why a request is not carried out, on its way to the answer.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    body: Box<ProblemBody>,
    retry_after: Option<Duration>,
    closes: bool,
    cause: Option<String>,
    /// Whether its cause was noted where it happened.
    is_noted: bool,
    /// Whether it was turned away before anything was done for it: that is the doing of all who ask, and to write each
    /// down would cost more than to refuse it.
    is_shed: bool,
}

/// Why a request was not carried out (RFC 9457). Further members depend on `code`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `urn:showdesk:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// One sentence for people.
    detail: String,
    /// Stable, for programs.
    code: &'static str,
    /// Whether sending the same again can help.
    retry: Retry,
    /// Names this request in the desk's log.
    request_id: Uuid,
    /// The desk's epoch, with `epoch_mismatch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Uuid>,
    /// `reconcile`, with a cursor that cannot be continued: pull without one into a fresh store.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    /// A sentence for single fields, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, String>,
    /// The present state, where what the decider saw has moved on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    fresh: Option<Value>,
}

impl Problem {
    /// A problem with nothing but a code and a sentence; `retry` follows from the status.
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let body = ProblemBody {
            kind: format!("urn:showdesk:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            retry: retry_of(status),
            request_id: Uuid::nil(),
            epoch: None,
            mode: None,
            fields: BTreeMap::new(),
            fresh: None,
        };
        Self { body: Box::new(body), retry_after: None, closes: false, cause: None, is_noted: false, is_shed: false }
    }

    /// Adds a member that only some problems have.
    fn with(mut self, add: impl FnOnce(&mut ProblemBody)) -> Self {
        add(&mut self.body);
        self
    }

    fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The cause for the log.
    pub(crate) fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// What the router, a method fall-back or a library answered without a body of ours.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::no_such_path(),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "method_not_allowed", "this path does not take this method")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "body_too_large", "the request is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported_type("this content type is not read here"),
            status if status.is_client_error() => Self::new(status, "bad_request", "the request cannot be read"),
            StatusCode::SERVICE_UNAVAILABLE => {
                Self::new(status, "busy", "the desk is busy").after(Duration::from_secs(1))
            }
            status => Self::new(status, "internal", "the desk could not do this"),
        }
    }

    pub(crate) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path")
    }

    pub(crate) fn host_missing() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "host_missing", "a request names one host")
    }

    pub(crate) fn wrong_host() -> Self {
        let status = StatusCode::MISDIRECTED_REQUEST;
        Self::new(status, "wrong_host", "this laptop is not called that; open the address that the laptop shows")
    }

    pub(crate) fn foreign_origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "foreign_origin", "pages of other sites may not ask here")
    }

    pub(crate) fn no_https() -> Self {
        Self::new(StatusCode::CONFLICT, "https_off", "this laptop does not use HTTPS, so there is nothing to renew")
    }

    pub(crate) fn uri_too_long() -> Self {
        Self::new(StatusCode::URI_TOO_LONG, "uri_too_long", "the address is too long")
    }

    pub(crate) fn too_many_headers(headers_max: usize) -> Self {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Self::new(status, "too_many_headers", format!("a request has at most {headers_max} headers"))
    }

    /// A panic, which was noted with its stack when it happened.
    pub(crate) fn panicked(cause: impl std::fmt::Display) -> Self {
        Self { is_noted: true, ..Self::internal(cause) }
    }

    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the desk could not do this").because(cause)
    }

    pub(crate) fn handler_time_over() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "time_over", "the desk did not finish in time")
            .after(Duration::from_secs(2))
    }

    pub(crate) fn too_many_handlers() -> Self {
        let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "the desk is busy");
        Self { is_shed: true, ..busy.after(Duration::from_secs(1)) }
    }

    pub(crate) fn too_much_arrives() -> Self {
        let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too much is sent at once");
        Self { is_shed: true, ..busy.after(Duration::from_secs(1)) }
    }

    pub(crate) fn rights_changed() -> Self {
        let detail = "what this device may do was changed while the request arrived; send it again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "rights_changed", detail).after(Duration::from_secs(1))
    }

    pub(crate) fn no_token(detail: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "token_required", detail)
    }

    pub(crate) fn desk_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "desk_only", "only the desk may do this")
    }

    pub(crate) fn too_many_requests(wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "too many requests, slow down").after(wait)
    }

    /// The same for somebody without a pass: what else waits on the connection goes with it, unanswered.
    pub(crate) fn too_many_strangers(wait: Duration) -> Self {
        Self { closes: true, ..Self::too_many_requests(wait) }
    }

    pub(crate) fn too_many_failures(wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", "too many wrong tries, wait a little").after(wait)
    }

    pub(crate) fn too_many_streams() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", "too many event streams are open")
            .after(Duration::from_secs(15))
    }

    pub(crate) fn bad_query(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A packed body that cannot be unpacked: the client's fault, nothing for the log.
    pub(crate) fn packed_badly() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "body_broken", "the packed body is broken or not gzip")
    }

    pub(crate) fn inflates_too_much(ratio_max: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body inflates to more than {ratio_max} times its size"),
        )
    }

    pub(crate) fn body_too_large(bytes_max: usize) -> Self {
        let mut problem = Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("at most {bytes_max} bytes are read here"),
        );
        problem.closes = true;
        problem
    }

    pub(crate) fn too_many_ops(ops_max: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_ops", format!("at most {ops_max} ops are taken at once"))
    }

    pub(crate) fn too_many_told(items_max: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("at most {items_max} are told at once"))
    }

    pub(crate) fn body_time_over() -> Self {
        let mut problem = Self::new(StatusCode::REQUEST_TIMEOUT, "body_time_over", "the request came too slowly");
        problem.closes = true;
        problem
    }

    pub(crate) fn body_broken(cause: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "body_broken", "the request broke off").because(cause)
    }

    pub(crate) fn unsupported_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    pub(crate) fn unreadable(error: ScanError) -> Self {
        let code = match error {
            ScanError::Depth => "too_deep",
            ScanError::DuplicateKey => "duplicate_key",
            _ => "invalid_json",
        };
        Self::new(StatusCode::BAD_REQUEST, code, error.to_string())
    }

    /// JSON that is not the envelope of the protocol.
    pub(crate) fn bad_envelope(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_envelope", detail)
    }

    /// JSON that is not what a command takes.
    pub(crate) fn bad_command(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail)
    }

    pub(crate) fn unsupported_protocol(protocol: i64) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unsupported_protocol", format!("protocol {protocol} is not spoken here"))
    }

    pub(crate) fn unknown_link() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_code",
            "this link is not valid any more; start the desk again for a new one",
        )
    }

    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// Whether the caller showed something that is not known here: what the failure limits count.
    pub(crate) fn is_wrong_secret(&self) -> bool {
        let status = self.body.status;
        status == StatusCode::NOT_FOUND.as_u16() || status == StatusCode::UNAUTHORIZED.as_u16()
    }

    /// Whether what was asked for was there and is over.
    pub(crate) fn is_gone(&self) -> bool {
        self.body.status == StatusCode::GONE.as_u16()
    }

    /// The finished answer. Causes are logged here, under the id that the client sees.
    pub(crate) fn answer(self, request_id: Uuid) -> Response {
        let Self { mut body, retry_after, closes, cause, is_noted, is_shed } = self;
        body.request_id = request_id;
        let cause = cause.as_deref().unwrap_or("none");
        if is_shed {
            tracing::debug!(%request_id, status = body.status, code = body.code, "a request was turned away");
        } else if body.status >= 500 {
            let (status, code) = (body.status, body.code);
            tracing::error!(%request_id, status, code, cause, noted = is_noted, "a request was not carried out");
        } else if cause != "none" {
            // The client's own fault, which anyone can cause as often as he likes.
            tracing::debug!(%request_id, status = body.status, code = body.code, cause, "a request was refused");
        }
        let status = body.status();
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl ProblemBody {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).expect("it was made from a status code")
    }
}

/// Carries the problem to `guard::finish`, which knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.body.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::UnknownToken => Self::new(StatusCode::UNAUTHORIZED, "unknown_token", detail),
            EngineError::DeviceExpired => Self::new(StatusCode::UNAUTHORIZED, "device_expired", detail),
            EngineError::DeviceRemoved => Self::new(StatusCode::FORBIDDEN, "device_removed", detail),
            EngineError::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "forbidden", detail),
            EngineError::SecretsLocked => Self::new(StatusCode::CONFLICT, "secrets_locked", detail),
            EngineError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            EngineError::Gone(_) => Self::new(StatusCode::GONE, "gone", detail),
            EngineError::Invalid { code, fields, .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).with(|body| body.fields = fields)
            }
            EngineError::BadQuery { code, .. } => Self::new(StatusCode::BAD_REQUEST, code, detail),
            EngineError::ClientTooOld { .. } => Self::new(StatusCode::UPGRADE_REQUIRED, "client_too_old", detail),
            EngineError::ClientTooNew { .. } => Self::new(StatusCode::BAD_REQUEST, "unsupported_schema", detail)
                .with(|body| body.retry = Retry::AfterFix),
            EngineError::EpochMismatch { epoch } => {
                Self::new(StatusCode::CONFLICT, "epoch_mismatch", detail).with(|body| body.epoch = Some(epoch))
            }
            EngineError::CursorGone(_) => {
                Self::new(StatusCode::GONE, "cursor_gone", detail).with(|body| body.mode = Some("reconcile"))
            }
            EngineError::Stale { code, fresh, .. } => {
                Self::new(StatusCode::CONFLICT, code, detail).with(|body| body.fresh = fresh)
            }
            EngineError::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail),
            EngineError::Busy { retry_after_ms } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).after(milliseconds(retry_after_ms))
            }
            EngineError::TooMany { retry_after_ms } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", detail)
                    .after(milliseconds(retry_after_ms))
            }
            EngineError::DiskFull => Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail),
            EngineError::ReadOnly => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "read_only", detail).after(Duration::from_secs(30))
            }
            EngineError::RecordingOff => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "recording_off", detail).after(Duration::from_secs(30))
            }
            EngineError::Unavailable(cause) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", detail)
                    .after(Duration::from_secs(2))
                    .because(format_args!("{cause:?}"))
            }
            EngineError::Store(cause) => Self::internal(format_args!("{cause:?}")),
            EngineError::Broken => Self::panicked(detail),
            EngineError::Folder(_) => Self::internal(detail),
        }
    }
}

fn retry_of(status: StatusCode) -> Retry {
    match status {
        StatusCode::UNAUTHORIZED
        | StatusCode::CONFLICT
        | StatusCode::GONE
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::UPGRADE_REQUIRED => Retry::AfterFix,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Retry::Later,
        status if status.is_server_error() => Retry::Later,
        _ => Retry::Never,
    }
}

fn milliseconds(wait_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
}

/// `Retry-After` has whole seconds; a fraction is rounded up so that nobody comes too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;

    async fn answered(problem: impl Into<Problem>) -> (StatusCode, Response, Value) {
        let response = problem.into().answer(Uuid::from_u128(7));
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body in memory").to_bytes();
        let value = serde_json::from_slice(&bytes).expect("JSON");
        (parts.status, Response::from_parts(parts, axum::body::Body::empty()), value)
    }

    #[tokio::test]
    async fn a_foreign_epoch_is_told_the_present_one() {
        let epoch = Uuid::from_u128(5);
        let (status, response, body) = answered(EngineError::EpochMismatch { epoch }).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(body["code"], "epoch_mismatch");
        assert_eq!(body["type"], "urn:showdesk:problem:epoch_mismatch");
        assert_eq!(body["epoch"], json!(epoch));
        assert_eq!(body["retry"], "after_fix");
        assert_eq!(body["request_id"], json!(Uuid::from_u128(7)));
        assert_eq!(body["status"], 409);
        assert!(body.get("fresh").is_none() && body.get("fields").is_none());
    }

    #[tokio::test]
    async fn a_dead_cursor_says_how_to_go_on() {
        let (status, _, body) = answered(EngineError::CursorGone("below the floor")).await;
        assert_eq!((status, &body["mode"]), (StatusCode::GONE, &json!("reconcile")));
    }

    #[tokio::test]
    async fn each_fact_has_its_status() {
        let invalid = EngineError::Invalid {
            code: "out_of_range",
            detail: "x".into(),
            fields: BTreeMap::from([("weight_x10".into(), "too heavy".into())]),
        };
        let stale = EngineError::Stale { code: "server_moved", detail: "x".into(), fresh: Some(json!({"rev": 2})) };
        for (error, status, code) in [
            (EngineError::UnknownToken, 401, "unknown_token"),
            (EngineError::DeviceExpired, 401, "device_expired"),
            (EngineError::DeviceRemoved, 403, "device_removed"),
            (EngineError::Forbidden("x".into()), 403, "forbidden"),
            (EngineError::NotFound("the clash"), 404, "not_found"),
            (EngineError::Gone("x".into()), 410, "gone"),
            (invalid, 422, "out_of_range"),
            (EngineError::BadQuery { code: "cursor_tables", detail: "x".into() }, 400, "cursor_tables"),
            (EngineError::ClientTooOld { schema: 0, oldest: 1 }, 426, "client_too_old"),
            (EngineError::ClientTooNew { schema: 2, newest: 1 }, 400, "unsupported_schema"),
            (stale, 409, "server_moved"),
            (EngineError::TooLarge("x".into()), 413, "too_large"),
            (EngineError::Busy { retry_after_ms: 1_200 }, 503, "busy"),
            (EngineError::TooMany { retry_after_ms: 1_200 }, 429, "too_many_failures"),
            (EngineError::DiskFull, 507, "disk_full"),
            (EngineError::ReadOnly, 503, "read_only"),
            (EngineError::RecordingOff, 503, "recording_off"),
        ] {
            let (answered_status, _, body) = answered(error).await;
            assert_eq!((answered_status.as_u16(), body["code"].as_str()), (status, Some(code)));
        }
    }

    #[tokio::test]
    async fn a_cause_stays_out_of_the_answer() {
        let (status, _, body) = answered(EngineError::Folder("/home/ana/secret".into())).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!body.to_string().contains("secret"), "{body}");
    }

    #[tokio::test]
    async fn waiting_is_rounded_up_to_whole_seconds() {
        let (_, response, _) = answered(EngineError::Busy { retry_after_ms: 1_200 }).await;
        assert_eq!(response.headers()[RETRY_AFTER], "2");
    }

    #[tokio::test]
    async fn a_missing_token_is_asked_for() {
        let (_, response, _) = answered(Problem::no_token("no token")).await;
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
