//! Reads request bodies: type, size, time, gzip, one scan, then strict structs.

use std::io::Read as _;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use showdesk_engine::push::{DESK_BYTES_MAX, PHONE_BYTES_MAX};
use utoipa::ToSchema;

use crate::app::{App, Listener};
use crate::bodies::{Arriving, Full};
use crate::error::Problem;
use crate::guard::Turn;
use crate::scan::scan;

/// A body has so long to arrive.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(30);
/// What phones tell of themselves.
pub(crate) const TELEMETRY_BYTES_MAX: usize = 64 * 1024;
/// Requests that need no token.
pub(crate) const PAIRING_BYTES_MAX: usize = 8 * 1024;
/// Everything else that is JSON.
pub(crate) const COMMAND_BYTES_MAX: usize = 1024 * 1024;
/// A phone's copy of its unsent entries: what a desk takes in one push.
pub(crate) const COPY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Entries files.
pub(crate) const CSV_BYTES_MAX: usize = 20 * 1024 * 1024;
/// A compressed body holds at most so many bytes for each that was sent.
pub(crate) const INFLATION_MAX: usize = 20;

/// A struct that a request body is read into. Unknown fields must be an error of its `Deserialize`.
pub(crate) trait Input: DeserializeOwned {
    /// What kind of request it comes in.
    const CLASS: Class = Class::Command;
    /// Whether no body at all means `{}`.
    const MAY_BE_EMPTY: bool = false;
}

/// Kinds of requests, with their own limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Push and ops status: another shape is a 400.
    Sync,
    /// Before there is a token.
    Pairing,
    /// What phones tell of themselves.
    Telemetry,
    /// A phone's copy of its unsent entries, brought to the desk.
    Copy,
    /// Everything else: another shape is a 422.
    Command,
}

impl Class {
    fn bytes_max(self, listener: Listener) -> usize {
        match (self, listener) {
            (Self::Sync, Listener::Phone) => PHONE_BYTES_MAX,
            (Self::Sync, Listener::Admin) => DESK_BYTES_MAX,
            (Self::Pairing, _) => PAIRING_BYTES_MAX,
            (Self::Telemetry, _) => TELEMETRY_BYTES_MAX,
            (Self::Copy, _) => COPY_BYTES_MAX,
            (Self::Command, _) => COMMAND_BYTES_MAX,
        }
    }
}

/// No input: the body is empty or `{}`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl Input for Nothing {
    const MAY_BE_EMPTY: bool = true;
}

/// A JSON body and its size.
pub(crate) struct Read<T> {
    pub(crate) input: T,
    pub(crate) body_bytes: usize,
}

impl<T: Input> FromRequest<App> for Read<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let no_body = request.body().is_end_stream();
        if !(T::MAY_BE_EMPTY && no_body) && media_type(request.headers()).as_deref() != Some("application/json") {
            return Err(Problem::unsupported_type("Content-Type: application/json is expected"));
        }
        let bytes_max = T::CLASS.bytes_max(app.listener);
        let encoding = Encoding::of(request.headers(), T::CLASS)?;
        let bytes = read(request, app, bytes_max).await?;
        let bytes = match encoding {
            Encoding::Identity => bytes,
            Encoding::Gzip => inflate(&bytes, bytes_max)?,
        };
        if T::MAY_BE_EMPTY && bytes.is_empty() {
            return decode("{}", T::CLASS).map(|input| Self { input, body_bytes: 0 });
        }
        let text = scan(&bytes).map_err(Problem::unreadable)?;
        decode(text, T::CLASS).map(|input| Self { input, body_bytes: bytes.len() })
    }
}

/// A CSV file.
pub(crate) struct Csv(pub(crate) Vec<u8>);

impl FromRequest<App> for Csv {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if media_type(request.headers()).as_deref() != Some("text/csv") {
            return Err(Problem::unsupported_type("Content-Type: text/csv is expected"));
        }
        Encoding::of(request.headers(), Class::Command)?;
        read(request, app, CSV_BYTES_MAX).await.map(|bytes| Self(bytes.into()))
    }
}

fn decode<T: Input>(text: &str, class: Class) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| match class {
        Class::Sync => Problem::bad_envelope(without_value(&error.to_string())),
        Class::Pairing | Class::Telemetry | Class::Copy | Class::Command => {
            Problem::bad_command(without_value(&error.to_string()))
        }
    })
}

/// What is wrong with a body, without the value that is wrong: it may be a secret, or words of people.
fn without_value(error: &str) -> String {
    // The value itself may have this in it; what was expected does not.
    let Some((found, expected)) = error.rsplit_once(", expected ") else { return error.to_owned() };
    if found.starts_with("unknown field ") {
        return error.to_owned();
    }
    let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
    format!("{kind}, expected {expected}")
}

/// The media type in lower case, if its charset is UTF-8 or not given.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let text = values.next()?.to_str().ok()?.to_ascii_lowercase();
    if values.next().is_some() {
        return None;
    }
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next()?.to_owned();
    let utf8 = parts.filter_map(|part| part.strip_prefix("charset=")).all(|name| name.trim_matches('"') == "utf-8");
    utf8.then_some(media_type)
}

/// How a body was packed for its way here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// Only a phone's queue is worth packing: everything else comes as it is.
    fn of(headers: &HeaderMap, class: Class) -> Result<Self, Problem> {
        let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
        let encoding = encodings.next().map_or(&b"identity"[..], |value| value.as_bytes());
        if encodings.next().is_none() {
            if encoding.eq_ignore_ascii_case(b"identity") {
                return Ok(Self::Identity);
            }
            let is_gzip = encoding.eq_ignore_ascii_case(b"gzip") || encoding.eq_ignore_ascii_case(b"x-gzip");
            if is_gzip && class == Class::Sync {
                return Ok(Self::Gzip);
            }
        }
        Err(Problem::unsupported_type(match class {
            Class::Sync => "send the body as it is, or with Content-Encoding: gzip",
            Class::Pairing | Class::Telemetry | Class::Copy | Class::Command => {
                "send the body without a Content-Encoding"
            }
        }))
    }
}

/// Unpacks a whole body, and never more of it than is allowed.
fn inflate(packed: &[u8], bytes_max: usize) -> Result<Bytes, Problem> {
    let most = bytes_max.min(packed.len().saturating_mul(INFLATION_MAX));
    let mut bytes = Vec::new();
    let mut unpacked = MultiGzDecoder::new(packed).take(most as u64 + 1);
    unpacked.read_to_end(&mut bytes).map_err(|_| Problem::packed_badly())?;
    if bytes.len() <= most {
        Ok(bytes.into())
    } else if most == bytes_max {
        Err(Problem::body_too_large(bytes_max))
    } else {
        Err(Problem::inflates_too_much(INFLATION_MAX))
    }
}

async fn read(request: Request, app: &App, bytes_max: usize) -> Result<Bytes, Problem> {
    let turn = request.extensions().get::<Turn>().cloned();
    let turn = turn.ok_or_else(|| Problem::internal("a body is read outside of a turn"))?;
    let body = request.into_body();
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Problem::body_too_large(bytes_max));
    }
    // The desk is one page on this laptop, and it sends files.
    let arriving = (app.listener == Listener::Phone).then(|| turn.body_begins());
    let bytes = turn.wait_for_client(BODY_TIME, collect(body, bytes_max, arriving)).await?;
    if let Some(acting) = turn.acting() {
        acting.look_again(app).await?;
    }
    Ok(bytes)
}

async fn collect(mut body: Body, bytes_max: usize, mut arriving: Option<Arriving>) -> Result<Bytes, Problem> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(expected);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Problem::body_broken)?.into_data() else { continue };
        if bytes.len() + data.len() > bytes_max {
            return Err(Problem::body_too_large(bytes_max));
        }
        if let Some(arriving) = &mut arriving {
            arriving.take(data.len()).map_err(|Full| Problem::too_much_arrives())?;
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use axum::http::HeaderValue;
    use axum::response::IntoResponse as _;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn type_of(values: &[&'static str]) -> Option<String> {
        media_type(&values.iter().map(|value| (CONTENT_TYPE, HeaderValue::from_static(value))).collect())
    }

    #[test]
    fn a_media_type_is_read_without_its_parameters() {
        assert_eq!(type_of(&["application/json"]).as_deref(), Some("application/json"));
        assert_eq!(type_of(&["Application/JSON; charset=UTF-8"]).as_deref(), Some("application/json"));
        assert_eq!(type_of(&["text/csv; charset=\"utf-8\"; header=present"]).as_deref(), Some("text/csv"));
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[expect(dead_code, reason = "it is only read")]
        count: Option<u8>,
        #[expect(dead_code, reason = "it is only read")]
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Other,
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        for (body, told) in [
            (r#"{"count": "my secret, expected \" `x`"}"#, "invalid type: string, expected u8"),
            (r#"{"count": 300}"#, "invalid value: integer, expected u8"),
            (r#"{"count": {}}"#, "invalid type: map, expected u8"),
            (r#"{"kind": "my secret"}"#, "unknown variant, expected `one` or `other`"),
            (r#"{"cuont": 1}"#, "unknown field `cuont`, expected `count` or `kind`"),
            (r#"{"count": 1"#, "EOF while parsing an object"),
        ] {
            let error = serde_json::from_str::<Asked>(body).expect_err("it is wrong").to_string();
            assert_eq!(without_value(&error).split(" at line").next(), Some(told), "{error}");
        }
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).expect("packed in memory");
        packer.finish().expect("packed in memory")
    }

    fn status_of(inflated: Result<Bytes, Problem>) -> Result<Bytes, u16> {
        inflated.map_err(|problem| problem.into_response().status().as_u16())
    }

    #[test]
    fn a_packed_body_is_unpacked_whole() {
        let text = b"{\"ops\":[]}";
        assert_eq!(status_of(inflate(&packed(text), 100)).as_deref(), Ok(&text[..]));
        let twice = [packed(text), packed(b" ")].concat();
        assert_eq!(status_of(inflate(&twice, 100)).as_deref(), Ok(&b"{\"ops\":[]} "[..]), "two members are one body");
        assert_eq!(
            status_of(inflate(&packed(text), text.len())).as_deref(),
            Ok(&text[..]),
            "the limit itself is allowed"
        );
    }

    #[test]
    fn a_body_that_inflates_too_far_is_413() {
        assert_eq!(status_of(inflate(&packed(&[b'x'; 200]), 199)), Err(413), "too large");
        assert_eq!(status_of(inflate(&packed(&vec![0; 20 << 20]), usize::MAX)), Err(413), "a thousand times its size");
    }

    #[test]
    fn a_broken_stream_is_400() {
        let whole = packed(b"{\"ops\":[]}");
        let mut damaged = whole.clone();
        let end = damaged.len() - 6;
        damaged[end] ^= 1;
        for broken in
            [&[][..], b"{}", &whole[..whole.len() - 1], &whole[..5], &[&whole[..], b"rest"].concat(), &damaged]
        {
            assert_eq!(status_of(inflate(broken, 1_000)), Err(400), "{broken:?}");
        }
    }

    #[test]
    fn only_a_queue_may_come_packed() {
        let of = |values: &[&'static str], class| {
            let headers = values.iter().map(|value| (CONTENT_ENCODING, HeaderValue::from_static(value))).collect();
            Encoding::of(&headers, class).ok()
        };
        assert_eq!(of(&[], Class::Sync), Some(Encoding::Identity));
        assert_eq!(of(&["Identity"], Class::Pairing), Some(Encoding::Identity));
        assert_eq!(of(&["gzip"], Class::Sync), Some(Encoding::Gzip));
        assert_eq!(of(&["X-GZIP"], Class::Sync), Some(Encoding::Gzip));
        for wrong in [&["br"][..], &["deflate"], &["gzip, gzip"], &["gzip", "gzip"], &["identity", "gzip"], &[""]] {
            assert_eq!(of(wrong, Class::Sync), None, "{wrong:?}");
        }
        assert_eq!(of(&["gzip"], Class::Pairing), None);
        assert_eq!(of(&["gzip"], Class::Command), None);
    }

    #[test]
    fn other_charsets_and_two_types_are_none() {
        assert_eq!(type_of(&["application/json; charset=utf-16"]), None);
        assert_eq!(type_of(&["application/json", "application/json"]), None);
        assert_eq!(type_of(&[]), None);
    }
}
