//! Hostile whole requests (SECURITY.md §8, "Request"): what cannot be read as HTTP, as JSON or as a push.

use serde_json::json;

use crate::desk::Desk;
use crate::hostile::{Row, tables_on_both_engines};
use crate::hostile_sync::gzip;
use crate::phone::{fresh, insert};
use crate::wire::{Door, Request};

tables_on_both_engines!(
    a_body_that_is_no_json_is_400,
    a_body_that_is_no_push_is_refused,
    a_body_of_another_size_or_type_is_refused,
    a_path_or_method_that_is_not_there_is_404_or_405,
    a_request_that_is_no_http_is_400,
    what_surrounds_a_request_is_bounded,
);

const PUSH: &str = "/api/v1/sync/push";
const MIB: usize = 1024 * 1024;

/// A push with this body, from a phone that has joined.
struct Pushes {
    token: String,
    good: String,
}

impl Pushes {
    async fn of(desk: &Desk) -> Self {
        let phone = desk.phone("Scale 1", &["scale"]).await;
        Self { token: phone.token().to_owned(), good: phone.envelope(&[]).to_string() }
    }

    fn json(&self, body: impl Into<Vec<u8>>) -> Request {
        self.bare().json(body)
    }

    fn bare(&self) -> Request {
        Request::new(Door::Phone, "POST", PUSH).bearer(&self.token)
    }

    /// The good envelope with another member in front.
    fn beside(&self, member: &str) -> String {
        self.good.replacen('{', &format!("{{{member},"), 1)
    }

    /// The good envelope with these ops.
    fn ops(&self, ops: &str) -> String {
        let body = self.good.replacen("\"ops\":[]", &format!("\"ops\":[{ops}]"), 1);
        assert_ne!(body, self.good, "the ops are in the envelope");
        body
    }
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

async fn a_body_that_is_no_json_is_400(desk: &Desk) -> Vec<Row> {
    let push = Pushes::of(desk).await;
    let good = &push.good;
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let bodies: Vec<(&str, Vec<u8>, &'static str)> = vec![
        ("an empty body", Vec::new(), "invalid_json"),
        ("blanks", b" \r\n\t ".to_vec(), "invalid_json"),
        ("an open brace", b"{".to_vec(), "invalid_json"),
        ("a push without its last byte", good.as_bytes()[..good.len() - 1].to_vec(), "invalid_json"),
        ("a push and a word", format!("{good} trailing").into_bytes(), "invalid_json"),
        ("two pushes", format!("{good}{good}").into_bytes(), "invalid_json"),
        ("a byte order mark", format!("\u{feff}{good}").into_bytes(), "invalid_json"),
        ("a byte that is no UTF-8", b"{\"protocol\": \xff}".to_vec(), "invalid_json"),
        ("an overlong slash", b"{\"protocol\": \"\xc0\xaf\"}".to_vec(), "invalid_json"),
        ("a surrogate in UTF-8", b"{\"protocol\": \"\xed\xa0\x80\"}".to_vec(), "invalid_json"),
        ("UTF-16", utf16(good), "invalid_json"),
        ("UTF-16 with its mark", [b"\xff\xfe".to_vec(), utf16(good)].concat(), "invalid_json"),
        ("half a surrogate pair", push.ops(r#"{"op_id":"\ud800"}"#).into_bytes(), "invalid_json"),
        ("the other half", push.ops(r#"{"op_id":"\udc00"}"#).into_bytes(), "invalid_json"),
        ("half a pair as a key", push.beside(r#""\ud83d":1"#).into_bytes(), "invalid_json"),
        ("a raw line break in a text", push.beside("\"a\":\"\n\"").into_bytes(), "invalid_json"),
        ("a comment", push.beside("/* hello */ \"a\":1").into_bytes(), "invalid_json"),
        ("a comma too many", good.replacen("\"ops\":[]", "\"ops\":[],", 1).into_bytes(), "invalid_json"),
        ("single quotes", b"{'protocol': 1}".to_vec(), "invalid_json"),
        ("NaN", push.beside("\"a\":NaN").into_bytes(), "invalid_json"),
        ("a list", format!("[{good}]").into_bytes(), "invalid_json"),
        ("null", b"null".to_vec(), "invalid_json"),
        ("a number", b"1".to_vec(), "invalid_json"),
        ("a text", b"\"{}\"".to_vec(), "invalid_json"),
        ("17 levels in an op", push.ops(&format!("{{\"data\":{}}}", nested(14))).into_bytes(), "too_deep"),
        ("17 levels in a field nobody knows", push.beside(&format!("\"x\":{}", nested(16))).into_bytes(), "too_deep"),
        ("100,000 levels", push.beside(&format!("\"x\":{}", nested(100_000))).into_bytes(), "too_deep"),
        ("100,000 levels that never end", format!("{{\"x\":{}", "[".repeat(100_000)).into_bytes(), "too_deep"),
        ("a key twice", push.beside("\"protocol\":1").into_bytes(), "duplicate_key"),
        ("a key twice, escaped", push.beside(r#""\u0070rotocol":1"#).into_bytes(), "duplicate_key"),
        ("a key twice in an op", push.ops(r#"{"op_id":1,"op_id":2}"#).into_bytes(), "duplicate_key"),
        ("a key twice in its data", push.ops(r#"{"data":{"pen":"A","pen":"B"}}"#).into_bytes(), "duplicate_key"),
    ];
    bodies.into_iter().map(|(name, body, code)| Row::refused(name, push.json(body), 400, code)).collect()
}

async fn a_body_that_is_no_push_is_refused(desk: &Desk) -> Vec<Row> {
    let push = Pushes::of(desk).await;
    let good = &push.good;
    let swap = |from: &str, to: &str| {
        let body = good.replacen(from, to, 1);
        assert_ne!(&body, good, "{from} is in a push");
        body
    };
    let without = |key: &str| {
        let mut body: serde_json::Value = serde_json::from_str(good).expect("JSON");
        body.as_object_mut().expect("an object").remove(key).expect("it was there");
        body.to_string()
    };
    let envelope = |name: &str, body: String| Row::refused(name, push.json(body), 400, "invalid_envelope");
    let mut rows = vec![
        envelope("nothing in it", "{}".to_owned()),
        envelope("a member nobody knows", push.beside("\"extra\":1")),
        envelope("a member of the prototype", push.beside("\"__proto__\":{\"role\":\"admin\"}")),
        envelope("whose it is", push.beside("\"user_id\":\"0198b2c0-0000-7000-8000-000000000001\"")),
        envelope("a role", push.beside("\"role\":\"admin\"")),
        envelope("a device", push.beside("\"device_id\":\"0198b2c0-0000-7000-8000-000000000001\"")),
        envelope("the protocol as a text", swap("\"protocol\":1", "\"protocol\":\"1\"")),
        envelope("the protocol as 1.0", swap("\"protocol\":1", "\"protocol\":1.0")),
        envelope("the protocol as 1e400", swap("\"protocol\":1", "\"protocol\":1e400")),
        envelope("ops as an object", swap("\"ops\":[]", "\"ops\":{}")),
        envelope("ops as null", swap("\"ops\":[]", "\"ops\":null")),
        envelope("the schema as a text", swap("\"schema\":1", "\"schema\":\"1\"")),
        envelope(
            "a time that never was",
            push.beside("\"client_time\":\"x\"").replacen(",\"client_time\":\"2", ",\"x\":\"2", 1),
        ),
        Row::refused(
            "another protocol",
            push.json(swap("\"protocol\":1", "\"protocol\":2")),
            400,
            "unsupported_protocol",
        ),
        Row::refused(
            "a protocol below all",
            push.json(swap("\"protocol\":1", "\"protocol\":-1")),
            400,
            "unsupported_protocol",
        ),
        Row::refused(
            "a schema above all",
            push.json(swap("\"schema\":1", "\"schema\":9223372036854775807")),
            400,
            "unsupported_schema",
        )
        .with_retry("after_fix"),
        Row::refused("a schema below all", push.json(swap("\"schema\":1", "\"schema\":-1")), 426, "client_too_old"),
        Row::taken("no ops at all", push.json(good.clone()), 200),
    ];
    for key in ["protocol", "epoch", "incarnation", "schema", "ops"] {
        rows.push(envelope(&format!("no {key}"), without(key)));
    }
    let epoch =
        serde_json::from_str::<serde_json::Value>(good).expect("JSON")["epoch"].as_str().expect("an id").to_owned();
    for (name, id) in [("of another desk", fresh()), ("of nobody", "00000000-0000-0000-0000-000000000000".to_owned())] {
        let body = good.replacen(&epoch, &id, 1);
        let (status, code) = if name == "of nobody" { (400, "invalid_envelope") } else { (409, "epoch_mismatch") };
        rows.push(Row::refused(format!("an epoch {name}"), push.json(body), status, code));
    }
    let many: Vec<String> = (0..501).map(|_| insert("rings", &fresh(), json!({"name": "Ring"})).to_string()).collect();
    rows.push(Row::refused("501 ops", push.json(push.ops(&many.join(","))), 413, "too_many_ops"));
    rows.push(Row::refused("501 numbers as ops", push.json(push.ops(&vec!["1"; 501].join(","))), 413, "too_many_ops"));
    rows
}

async fn a_body_of_another_size_or_type_is_refused(desk: &Desk) -> Vec<Row> {
    let push = Pushes::of(desk).await;
    let good = push.good.as_bytes();
    let long = push.beside(&format!("\"x\":\"{}\"", "x".repeat(10 * MIB)));
    let bomb = gzip(&vec![b' '; 64 * MIB]);
    let packed = |body: Vec<u8>, how: &str| push.json(body).with("content-encoding", how);
    let mut rows = vec![
        Row::refused("a text of 10 MB", push.json(long), 413, "body_too_large"),
        Row::refused("a byte more than 1 MiB", push.json(vec![b' '; MIB + 1]), 413, "body_too_large"),
        Row::refused(
            "a length of 10 GB and no body",
            push.bare().with("content-type", "application/json").with("content-length", "10737418240"),
            413,
            "body_too_large",
        ),
        Row::refused("64 MB packed into little", packed(bomb.clone(), "gzip"), 413, "body_too_large"),
        Row::refused("the same twice in a row", packed([bomb.clone(), bomb].concat(), "gzip"), 413, "body_too_large"),
        Row::refused("packed into itself", packed(gzip(&gzip(good)), "gzip"), 400, "invalid_json"),
        Row::refused("called packed", packed(good.to_vec(), "gzip"), 400, "body_broken"),
        Row::refused("packed and cut off", packed(gzip(good)[..40].to_vec(), "gzip"), 400, "body_broken"),
        Row::refused(
            "packed, with more behind",
            packed([gzip(good), good.to_vec()].concat(), "gzip"),
            400,
            "body_broken",
        ),
        Row::taken("packed well", packed(gzip(good), "gzip"), 200),
        Row::taken("with a charset", push.bare().carrying("Application/JSON; charset=UTF-8", good), 200),
        Row::refused("without a type", push.json(good).without("content-type"), 415, "unsupported_media_type"),
        Row::refused(
            "with two types",
            push.json(good).with("content-type", "application/json"),
            415,
            "unsupported_media_type",
        ),
    ];
    for how in ["br", "deflate", "zstd", "gzip, gzip", "gzip;q=1", "compress", "x"] {
        rows.push(Row::refused(format!("packed as {how}"), packed(good.to_vec(), how), 415, "unsupported_media_type"));
    }
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json, text/plain",
        "application/problem+json",
        "text/json",
        "application/jsonx",
        "",
    ] {
        let request = push.bare().carrying(kind, good);
        rows.push(Row::refused(format!("as {kind:?}"), request, 415, "unsupported_media_type"));
    }
    rows
}

async fn a_path_or_method_that_is_not_there_is_404_or_405(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut rows = Vec::new();
    for path in [
        "/nothing",
        "/admin.token",
        "/showdesk.sqlite",
        "/..%2f..%2fadmin.token",
        "/%2e%2e/%2e%2e/admin.token",
        "/../../admin.token",
        "/assets/..%2f..%2fadmin.token",
        "/%00",
        "/index.html%00.js",
        "/%ff",
        "//etc/passwd",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/ping",
        "/API/V1/PING",
        "/api/v1/ping/",
        "/api/v1//ping",
        "/api/v1/ping%2f",
        "/api/v1/p%00ing",
        "/api/v1/sync",
        "/api/v1/sync/pull/more",
        "/api/v1/pairing/..%2f..%2fadmin.token",
        "/api/v1/pairing/x",
        "/api/v1/pairing/%00",
        "/api/v1/pairing/%ff",
        "/api/v1/me/conflicts/%27%20or%201=1",
        "/api/v1/admin",
        "/api/v1/admin/devices",
        "/api/v1/admin/..%2fping",
        "/api/v1/admin%2fdevices",
    ] {
        for door in [Door::Phone, Door::Admin] {
            if door == Door::Admin && path == "/api/v1/admin/devices" {
                continue;
            }
            let request = Request::new(door, "GET", path).bearer(desk.token());
            rows.push(Row::refused(format!("{door:?} GET {path}"), request, 404, "not_found"));
        }
    }
    for (method, path) in [
        ("TRACE", "/api/v1/ping"),
        ("TRACE", "/"),
        ("DELETE", "/api/v1/ping"),
        ("PATCH", "/api/v1/sync/push"),
        ("GET", "/api/v1/sync/push"),
        ("POST", "/api/v1/sync/pull"),
        ("PUT", "/"),
        ("DELETE", "/index.html"),
        ("BREW", "/api/v1/ping"),
        ("PROPFIND", "/"),
    ] {
        for door in [Door::Phone, Door::Admin] {
            let request = Request::new(door, method, path).bearer(phone.token());
            rows.push(Row::refused(format!("{door:?} {method} {path}"), request, 405, "method_not_allowed"));
        }
    }
    rows
}

/// What the HTTP parser refuses before there is a request.
async fn a_request_that_is_no_http_is_400(desk: &Desk) -> Vec<Row> {
    let head = |lines: &str| {
        let host = desk.program.http.trim_start_matches("http://");
        format!("GET /api/v1/ping HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n")
    };
    let post = |lines: &str, body: &str| {
        let host = desk.program.http.trim_start_matches("http://");
        let start = "POST /api/v1/pairing/claim HTTP/1.1\r\ncontent-type: application/json\r\nconnection: close";
        format!("{start}\r\nhost: {host}\r\n{lines}\r\n\r\n{body}")
    };
    let bytes: Vec<(&str, Vec<u8>)> = vec![
        ("a word", b"GARBAGE\r\n\r\n".to_vec()),
        ("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec()),
        ("HTTP/3.7", b"GET / HTTP/3.7\r\n\r\n".to_vec()),
        ("a method with a NUL", b"G\0T / HTTP/1.1\r\n\r\n".to_vec()),
        ("a path with a blank", b"GET /a b HTTP/1.1\r\n\r\n".to_vec()),
        ("a NUL in a header", head("x-a: a\0b\r\n").into_bytes()),
        ("a header without a name", head(": x\r\n").into_bytes()),
        ("a blank in a header's name", head("x a: b\r\n").into_bytes()),
        ("a length that is no number", post("content-length: x", "{}").into_bytes()),
        ("a negative length", post("content-length: -2", "{}").into_bytes()),
        ("two lengths", post("content-length: 2\r\ncontent-length: 3", "{}").into_bytes()),
        ("a length beyond all numbers", post("content-length: 99999999999999999999999", "{}").into_bytes()),
        ("pieces named oddly", post("transfer-encoding: xchunked", "2\r\n{}\r\n0\r\n\r\n").into_bytes()),
    ];
    let mut rows: Vec<Row> =
        bytes.into_iter().map(|(name, bytes)| Row::unparsed(name, Request::raw(Door::Phone, bytes), 400)).collect();
    let broken = post("transfer-encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n");
    rows.push(Row::refused("a piece without a size", Request::raw(Door::Phone, broken), 400, "body_broken"));
    let endless = post("transfer-encoding: chunked", "fffffffffffffffff\r\n{}");
    rows.push(Row::refused("a piece beyond all numbers", Request::raw(Door::Phone, endless), 400, "body_broken"));
    rows
}

async fn what_surrounds_a_request_is_bounded(desk: &Desk) -> Vec<Row> {
    let ping = |path: &str| Request::new(Door::Phone, "GET", path);
    let long = format!("/api/v1/ping?{}", "x".repeat(8 * 1024));
    let longest = format!("/api/v1/ping?{}", "x".repeat(200 * 1024));
    let mut many = ping("/api/v1/ping");
    for number in 0..65 {
        many = many.with(&format!("x-{number}"), "1");
    }
    let wide = ping("/api/v1/ping").with("x-wide", &"x".repeat(200 * 1024));
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let mut told = Vec::new();
    for value in ["-1", "x", "1e9", "99999999999999999999", "\u{7f}", ""] {
        let hello = ping("/api/v1/sync/hello").bearer(phone.token());
        let hello = hello.with("x-client-pending", value).with("x-client-waiting-ms", value);
        let hello = hello.with("x-client-took-ms", value).with("x-client-level", value).with("range", value);
        if value == "\u{7f}" {
            told.push(Row::unparsed("a DEL in a header", hello, 400));
        } else {
            told.push(Row::taken(format!("numbers told as {value:?}"), hello, 200));
        }
    }
    let mut rows = vec![
        Row::refused("an address of 8 KiB", ping(&long), 414, "uri_too_long"),
        Row::unparsed("65 headers more", many, 431),
        Row::unparsed("a header of 200 KiB", wide, 431),
        Row::unparsed("an address of 200 KiB", ping(&longest), 431),
        Row::taken(
            "an odd wish for a language",
            ping("/api/v1/ping").with("accept", "\";;,q=9").with("accept-encoding", "x;q=z"),
            200,
        ),
        Row::taken("an upgrade nobody offers", ping("/api/v1/ping").with("upgrade", "h2c, websocket"), 200),
    ];
    rows.append(&mut told);
    rows
}
