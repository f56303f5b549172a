//! Hostile requests beside single ops (SECURITY.md §8): packed bodies, old and unborn schemas, cursors, streams, decisions.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::live::Events;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, fresh, insert, send, update, with};
use crate::seed::seed;

on_both_engines!(
    a_packed_push_is_read,
    a_packed_push_that_grows_too_far_is_413,
    a_packed_push_that_is_broken_is_400,
    another_encoding_is_415,
    an_old_apps_queue_is_accepted,
    a_schema_the_desk_does_not_know_is_told_plainly,
    an_app_too_old_to_pull_is_426,
    a_pull_that_cannot_be_meant_is_refused_the_same,
    a_third_stream_is_429_until_one_ends,
    a_decision_that_cannot_be_read_decides_nothing,
);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).expect("packed in memory");
    packer.finish().expect("packed in memory")
}

async fn push_packed(phone: &Phone, encoding: &str, body: Vec<u8>) -> Answer {
    let request = phone.request(Method::POST, "/sync/push").header("content-type", "application/json");
    send(request.header("content-encoding", encoding).body(body)).await
}

fn rings(count: usize) -> Vec<Json> {
    (0..count).map(|number| insert("rings", &fresh(), json!({"name": format!("Ring {number}")}))).collect()
}

async fn a_packed_push_is_read(desk: Desk) {
    let ops = rings(200);
    let body = desk.envelope(&ops).to_string();
    let packed = gzip(body.as_bytes());
    assert!(packed.len() * 3 < body.len(), "a queue is worth packing: {} of {}", packed.len(), body.len());
    let answer = push_packed(&desk, "gzip", packed.clone()).await.expect_status(200);
    let results = answer["results"].as_array().expect("results");
    assert!(results.len() == 200 && results.iter().all(|result| result["verdict"] == "applied"), "{answer}");
    let again = push_packed(&desk, "GZIP", packed).await.expect_status(200);
    assert_eq!(again["results"][0]["replayed"], true);
    let plain = desk.push(&ops[..1]).await;
    assert_eq!(plain[0]["replayed"], true, "packed or not, it is the same op");
}

async fn a_packed_push_that_grows_too_far_is_413(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 100_000);
    for body in [bomb.clone(), [bomb.clone(), bomb.clone()].concat()] {
        let problem = push_packed(&phone, "gzip", body).await.expect_problem(413);
        assert_eq!((&problem["code"], &problem["retry"]), (&json!("body_too_large"), &json!("after_fix")));
    }
    push_packed(&desk, "gzip", bomb).await.expect_problem(413);
    // Below the ratio, above the limit of a phone and far below that of the desk.
    let mut long = phone.envelope(&[]).to_string().into_bytes();
    let mut state = 0x9e37_79b9_u32;
    long.extend((0..1_200_000).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        if state.is_multiple_of(2) { b' ' } else { b'\n' }
    }));
    let packed = gzip(&long);
    assert!(packed.len() * 20 > long.len());
    push_packed(&phone, "gzip", packed.clone()).await.expect_problem(413);
    push_packed(&desk, "gzip", packed).await.expect_status(200);
    assert_eq!(phone.push(&[]).await.len(), 0, "and it goes on");
}

async fn a_packed_push_that_is_broken_is_400(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let text = phone.envelope(&[]).to_string();
    let whole = gzip(text.as_bytes());
    let mut damaged = whole.clone();
    let end = damaged.len() - 5;
    damaged[end] ^= 0x40;
    let bodies = [
        Vec::new(),
        text.clone().into_bytes(),
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"trailing"].concat(),
        damaged,
        gzip(&text.as_bytes()[1..]),
        gzip(b"\xff"),
        gzip(&whole),
    ];
    for body in bodies {
        push_packed(&phone, "gzip", body).await.expect_problem(400);
    }
    push_packed(&phone, "gzip", whole).await.expect_status(200);
}

async fn another_encoding_is_415(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let text = phone.envelope(&[]).to_string().into_bytes();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&text).expect("packed in memory");
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(&text).expect("packed in memory");
    let zlib = zlib.finish().expect("packed in memory");
    let deflate = deflate.finish().expect("packed in memory");
    for (encoding, body) in [
        ("deflate", zlib),
        ("deflate", deflate),
        ("br", text.clone()),
        ("gzip, gzip", gzip(&gzip(&text))),
        ("x", text.clone()),
    ] {
        let problem = push_packed(&phone, encoding, body).await.expect_problem(415);
        assert_eq!(problem["code"], "unsupported_media_type", "{encoding}");
    }
    push_packed(&phone, "identity", text).await.expect_status(200);
    let claim = gzip(b"{\"code\":\"x\",\"device_name\":\"x\",\"platform\":\"web\"}");
    let claim = desk.stranger(Method::POST, "/pairing/claim").header("content-type", "application/json").body(claim);
    send(claim.header("content-encoding", "gzip")).await.expect_problem(415);
}

/// An envelope in another version of the tables.
fn envelope_of(phone: &Phone, schema: &Json, ops: &[Json]) -> Json {
    with(phone.envelope(ops), "schema", schema.clone())
}

async fn an_old_apps_queue_is_accepted(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Check-in", &["checkin"]).await;
    let edit = update("animals", &seed.steer, 1, json!({"pen_no": "B12"}), json!({"pen_no": "C1"}));
    let next = update("animals", &seed.steer, 1, json!({"pen_no": "B13"}), json!({"pen_no": "B12"}));
    let next = with(next, "prev_op_id", edit["op_id"].clone());
    let goat = json!({"exhibitor_id": seed.exhibitor, "species": "goat", "tag": "77", "pen_no": "G1"});
    let goat = insert("animals", &fresh(), goat);
    let ops = [edit.clone(), next, goat.clone()];
    let old = envelope_of(&phone, &json!(0), &ops);
    let answer = phone.push_envelope(&old).await.expect_status(200);
    for result in answer["results"].as_array().expect("results") {
        assert_eq!(result["verdict"], "applied", "{answer}");
    }
    assert_eq!(desk.data("animals", &seed.steer).await["pen"], "B13");
    let made = desk.data("animals", goat["record_id"].as_str().expect("an id")).await;
    assert_eq!((&made["pen"], &made["pen_no"]), (&json!("G1"), &Json::Null));
    let again = phone.push_envelope(&old).await.expect_status(200);
    for result in again["results"].as_array().expect("results") {
        assert_eq!(
            (&result["verdict"], &result["replayed"]),
            (&json!("applied"), &json!(true)),
            "known by what was sent"
        );
    }
    let renamed = with(with(edit, "data", json!({"pen": "B12"})), "base", json!({"pen": "C1"}));
    assert_eq!(phone.push_one(&renamed).await["error"]["code"], "op_id_reused", "another content is another op");

    let of_today = update("animals", &seed.steer, 3, json!({"pen_no": "B14"}), json!({"pen_no": "B13"}));
    assert_eq!(phone.push_one(&of_today).await["error"]["code"], "unknown_field", "of today it has another name");
    let of_old = update("animals", &seed.steer, 3, json!({"pen": "B14"}), json!({"pen": "B13"}));
    let answer = phone.push_envelope(&envelope_of(&phone, &json!(0), &[of_old])).await.expect_status(200);
    assert_eq!(answer["results"][0]["error"]["code"], "unknown_field", "and then it had not");
    assert_eq!(desk.change("animals", &seed.steer).await["version"], 3);
}

async fn a_schema_the_desk_does_not_know_is_told_plainly(desk: Desk) {
    let current = send(desk.request(Method::GET, "/sync/hello")).await.expect_status(200)["schema"]["current"].clone();
    let next = json!(current.as_i64().expect("a number") + 1);
    for schema in [&next, &json!(i64::MAX)] {
        let envelope = envelope_of(&desk, schema, &rings(1));
        let problem = desk.push_envelope(&envelope).await.expect_problem(400);
        assert_eq!((&problem["code"], &problem["retry"]), (&json!("unsupported_schema"), &json!("after_fix")));
        let problem = desk.pull(&format!("?schema={schema}")).await.expect_problem(400);
        assert_eq!(problem["code"], "unsupported_schema");
    }
    for schema in [json!(-1), json!(i64::MIN)] {
        let envelope = envelope_of(&desk, &schema, &rings(1));
        assert_eq!(desk.push_envelope(&envelope).await.expect_problem(426)["code"], "client_too_old");
    }
    for schema in [json!("1"), json!(1.0), json!(true), Json::Null] {
        desk.push_envelope(&envelope_of(&desk, &schema, &rings(1))).await.expect_problem(400);
    }
    assert!(desk.pull_all().await.keys().all(|(table, _)| table != "rings"), "nothing was written");
}

async fn an_app_too_old_to_pull_is_426(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let hello = send(phone.request(Method::GET, "/sync/hello")).await.expect_status(200);
    let oldest = hello["schema"]["min_pull"].as_i64().expect("a number");
    let page = phone.pull(&format!("?schema={oldest}")).await.expect_status(200);
    let cursor = page["cursor"].as_str().expect("a cursor");
    for query in
        [format!("?schema={}", oldest - 1), format!("?schema={}&cursor={cursor}", oldest - 1), "?schema=-9".into()]
    {
        let problem = phone.pull(&query).await.expect_problem(426);
        assert_eq!((&problem["code"], &problem["retry"]), (&json!("client_too_old"), &json!("after_fix")), "{query}");
    }
    for query in ["?schema=x", "?schema=", "?schema=1.0", "?schema=99999999999999999999"] {
        assert_eq!(phone.pull(query).await.expect_problem(400)["code"], "invalid_query", "{query}");
    }
    phone.pull(&format!("?cursor={cursor}")).await.expect_status(200);
    phone.pull(&format!("?cursor={cursor}&schema={oldest}")).await.expect_status(200);
}

async fn a_pull_that_cannot_be_meant_is_refused_the_same(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let cursor = phone.pull("").await.expect_status(200)["cursor"].as_str().expect("a cursor").to_owned();
    let (body, tag) = cursor.split_once('.').expect("a signed cursor");
    let (long, wrong) = ("A".repeat(7_000), "A".repeat(tag.len()));
    for garbage in [
        "%00",
        "%ff",
        "null",
        ".",
        "..",
        &long,
        body,
        &format!("{body}."),
        &format!("{body}.{wrong}"),
        &format!("{cursor}="),
    ] {
        let problem = phone.pull(&format!("?cursor={garbage}")).await.expect_problem(410);
        assert_eq!((&problem["mode"], &problem["retry"]), (&json!("reconcile"), &json!("after_fix")), "{garbage}");
    }
    for query in ["?limit=1&limit=2", "?limit=%00", "?limit=1%20", "?limit=1e400", "?limit=0x10", "?limit=-1e9"] {
        phone.pull(query).await.expect_problem(400);
    }
    for tables in ["profiles", "Animals", "animals;", "\u{430}nimals", "animals%00", "sync_queue,animals"] {
        assert_eq!(
            phone.pull(&format!("?tables={tables}")).await.expect_problem(400)["code"],
            "unknown_table",
            "{tables}"
        );
    }
    phone.pull(&format!("?limit=1e9&cursor={cursor}")).await.expect_status(200);
}

async fn a_third_stream_is_429_until_one_ends(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let other = desk.phone("Scale 2", &["scale"]).await;
    let first = Events::of(&phone).await;
    let mut second = Events::of(&phone).await;
    let refused = phone.request(Method::GET, "/live").send().await.expect("an answer");
    assert!(refused.headers().contains_key("retry-after"));
    let problem = send(phone.request(Method::GET, "/live")).await.expect_problem(429);
    assert_eq!((&problem["code"], &problem["retry"]), (&json!("too_many_streams"), &json!("later")));
    let mut theirs = Events::of(&other).await;
    theirs.wait_for("poke", |_| true).await;
    second.wait_for("poke", |_| true).await;
    drop(first);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    // The desk notices the end when it next looks at the connection.
    while phone.request(Method::GET, "/live").send().await.expect("an answer").status() != 200 {
        assert!(tokio::time::Instant::now() < deadline, "the place of an ended stream stays taken");
        tokio::task::yield_now().await;
    }
}

async fn a_decision_that_cannot_be_read_decides_nothing(desk: Desk) {
    let seed = seed(&desk).await;
    let (_, _, _, result) = clash(&desk, &seed).await;
    let shown = desk.conflict(&result["conflict_id"]).await;
    let good = json!({
        "resolution": "client_wins", "expected_server_version": shown["server_version"], "rev": shown["rev"],
        "idempotency_key": fresh(),
    });
    let path = format!("/admin/conflicts/{}/resolve", shown["id"].as_str().expect("an id"));
    for (key, value) in [
        ("resolution", json!("coin_toss")),
        ("resolution", json!(null)),
        ("rev", json!("1")),
        ("rev", json!(1.0)),
        ("expected_server_version", json!(null)),
        ("idempotency_key", json!("")),
        ("idempotency_key", json!("a\u{0}b")),
        ("idempotency_key", json!("k".repeat(201))),
        ("reason", json!("a\u{0}b")),
        ("reason", json!("x".repeat(10_001))),
        ("data", json!([])),
        ("data", json!({"tag": "9012"})),
        ("resolved_by", json!(fresh())),
        ("__proto__", json!({})),
    ] {
        desk.post(&path, &with(good.clone(), key, value)).await.expect_problem(422);
    }
    for data in [
        json!({}),
        json!({"tag": null, "pen": "B7"}),
        json!({"tag": "\u{0}"}),
        json!({"tag": 1e300}),
        json!({"TAG": "9012"}),
        json!({"tag": "9002", "species": "swine"}),
        json!({"other_data": {"tag": "1"}}),
        json!({"same_as": fresh()}),
    ] {
        let manual = with(with(good.clone(), "resolution", json!("manual")), "data", data);
        desk.post(&path, &manual).await.expect_problem(422);
    }
    for (rev, version) in [(0, 2), (-1, 2), (i64::MAX, 2), (1, i64::MAX)] {
        let stale = with(with(good.clone(), "rev", json!(rev)), "expected_server_version", json!(version));
        let problem = desk.post(&path, &stale).await.expect_problem(409);
        assert_eq!(problem["code"], "server_moved", "{problem}");
        assert_eq!(problem["fresh"]["rev"], shown["rev"], "what it is now is shown with it");
    }
    for id in ["x", "00000000-0000-0000-0000-000000000000", &fresh(), "%00", "..%2f"] {
        let answer = desk.post(&format!("/admin/conflicts/{id}/resolve"), &good).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{id}: {}", answer.text);
    }
    assert_eq!(desk.conflict(&shown["id"]).await, shown, "nothing was decided");
    desk.post(&path, &good).await.expect_status(200);
    let other_key = with(good, "idempotency_key", json!(fresh()));
    assert_eq!(desk.post(&path, &other_key).await.expect_problem(409)["code"], "already_resolved");
}

/// The oldest schema that may pull stands in the database: another desk of the show, of a later version, raises it.
mod the_oldest_schema_is_the_databases_own {
    use reqwest::Method;
    use serde_json::json;
    use showdesk_testkit::OwnDatabase;

    use super::rings;
    use crate::desk::Desk;
    use crate::phone::send;
    use crate::program::{Engine, Program};

    const RAISE: &str = "UPDATE sync_meta SET min_schema = 2";

    async fn case(desk: Desk, raise: impl AsyncFnOnce()) {
        let phone = desk.phone("Scale 1", &["scale"]).await;
        let cursor = phone.pull("").await.expect_status(200)["cursor"].as_str().expect("a cursor").to_owned();
        raise().await;
        let hello = send(phone.request(Method::GET, "/sync/hello")).await.expect_status(200);
        assert_eq!(hello["schema"]["min_pull"], 2);
        for query in [String::new(), "?schema=1".into(), format!("?cursor={cursor}")] {
            let problem = phone.pull(&query).await.expect_problem(426);
            assert_eq!(problem["code"], "client_too_old", "{query}");
        }
        let pushed = desk.push(&rings(1)).await;
        assert_eq!(pushed[0]["verdict"], json!("applied"), "what it still holds is taken");
    }

    #[tokio::test]
    async fn sqlite() {
        let desk = Desk::start(Engine::Sqlite).await;
        let file = desk.program.folder().join("showdesk.sqlite");
        case(desk, async || {
            rusqlite::Connection::open(&file).expect("the file").execute(RAISE, []).expect("raised");
        })
        .await;
    }

    #[tokio::test]
    async fn postgres() {
        let database = OwnDatabase::new().await;
        let desk = Desk::of(Program::start_on(Some(database.url())).await).await;
        case(desk, async || database.execute(RAISE).await).await;
    }
}
