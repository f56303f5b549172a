//! Hostile pulls, streams and decisions (SECURITY.md §8, "Pull and live" and "Resolve"), packed pushes, and apps of
//! another age than the desk.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::conflicts::clash;
use crate::desk::Desk;
use crate::hostile::{Row, tables_on_both_engines};
use crate::live::Events;
use crate::on_both_engines;
use crate::phone::{Answer, Phone, fresh, insert, send, update, with};
use crate::program::Engine;
use crate::seed::seed;
use crate::wire::{Door, Request};

tables_on_both_engines!(
    a_pull_that_cannot_be_meant_is_refused,
    a_decision_that_cannot_be_meant_decides_nothing,
    a_question_about_ops_that_cannot_be_meant_is_refused,
);

on_both_engines!(
    a_packed_push_is_read,
    a_packed_push_is_limited_by_what_it_inflates_to,
    an_old_apps_queue_is_accepted,
    a_schema_the_desk_does_not_know_is_told_plainly,
    an_app_too_old_to_pull_is_426,
    a_third_stream_is_429_until_one_ends,
    a_stream_takes_any_last_event_id,
);

/// Packs as tightly as it can be.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
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

async fn a_packed_push_is_limited_by_what_it_inflates_to(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
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

async fn a_pull_that_cannot_be_meant_is_refused(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let other = desk.phone("Scale 2", &["scale"]).await;
    let elsewhere = Desk::start(Engine::Sqlite).await;
    let cursor_of =
        async |phone: &Phone| phone.pull("").await.expect_status(200)["cursor"].as_str().expect("a cursor").to_owned();
    let (cursor, of_other, of_show) = (cursor_of(&phone).await, cursor_of(&other).await, cursor_of(&elsewhere).await);
    let (body, tag) = cursor.split_once('.').expect("a signed cursor");
    let pull =
        |query: &str| Request::new(Door::Phone, "GET", &format!("/api/v1/sync/pull?{query}")).bearer(phone.token());
    let mut rows = Vec::new();
    let (long, wrong, swapped) = ("A".repeat(7_000), "A".repeat(tag.len()), format!("{tag}.{body}"));
    for (name, text) in [
        ("nothing", ""),
        ("a NUL", "%00"),
        ("no UTF-8", "%ff"),
        ("null", "null"),
        ("a dot", "."),
        ("two dots", ".."),
        ("7,000 letters", &long),
        ("its first half", body),
        ("its first half and a dot", &format!("{body}.")),
        ("its first half, signed by nobody", &format!("{body}.{wrong}")),
        ("its halves swapped", &swapped),
        ("with a mark of equality", &format!("{cursor}=")),
        ("with a blank", &format!("{cursor}%20")),
        ("a number", "0"),
        ("SQL", "%27%20OR%201=1--"),
        ("of another phone", &of_other),
        ("of another show", &of_show),
    ] {
        rows.push(Row::refused(format!("a cursor: {name}"), pull(&format!("cursor={text}")), 410, "cursor_gone"));
    }
    for limit in ["0", "-1", "", "x", "%00", "1%20", "%201", "1e400", "0x10", "-1e9", "1.5", "NaN", "inf", "1_000", "+"]
    {
        let request = pull(&format!("limit={limit}"));
        rows.push(Row::refused(format!("a limit of {limit:?}"), request, 400, "invalid_query"));
    }
    rows.push(Row::refused("two limits", pull("limit=1&limit=2"), 400, "invalid_query"));
    for tables in
        ["profiles", "Animals", "animals;", "%D0%B0nimals", "animals%00", "sync_queue,animals", "*", "sqlite_master"]
    {
        let request = pull(&format!("tables={tables}"));
        rows.push(Row::refused(format!("the tables {tables}"), request, 400, "unknown_table"));
    }
    for schema in ["x", "", "1.0", "%00", "99999999999999999999"] {
        let request = pull(&format!("schema={schema}"));
        rows.push(Row::refused(format!("a schema of {schema:?}"), request, 400, "invalid_query"));
    }
    for (name, query) in [
        ("a limit above all", "limit=1e9".to_owned()),
        ("a limit with a cursor", format!("limit=1e9&cursor={cursor}")),
        ("no table at all", "tables=".to_owned()),
    ] {
        rows.push(Row::taken(name, pull(&query), 200));
    }
    rows
}

async fn a_question_about_ops_that_cannot_be_meant_is_refused(desk: &Desk) -> Vec<Row> {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let ask = |body: Json| {
        let request = Request::new(Door::Phone, "POST", "/api/v1/sync/ops/status").bearer(phone.token());
        request.json(body.to_string())
    };
    let none: [&str; 0] = [];
    let mut rows = vec![
        Row::refused("no list", ask(json!({})), 400, "invalid_envelope"),
        Row::refused("null", ask(json!({"op_ids": null})), 400, "invalid_envelope"),
        Row::refused("an object", ask(json!({"op_ids": {}})), 400, "invalid_envelope"),
        Row::refused("another device", ask(json!({"op_ids": none, "device_id": fresh()})), 400, "invalid_envelope"),
        Row::refused("501 of them", ask(json!({"op_ids": vec![1; 501]})), 413, "too_many_ops"),
        Row::taken("none of them", ask(json!({"op_ids": none})), 200),
    ];
    for id in [json!(5), json!(null), json!({}), json!("x"), json!("\u{0}"), json!(fresh()), json!("x".repeat(5_000))] {
        let shown: String = id.to_string().chars().take(40).collect();
        rows.push(Row::taken(format!("the op {shown}"), ask(json!({"op_ids": [id]})), 200));
    }
    rows
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
    wait_for_a_place(&phone).await;
}

/// The desk notices the end of a stream when it next looks at the connection.
async fn wait_for_a_place(phone: &Phone) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while phone.request(Method::GET, "/live").send().await.expect("an answer").status() != 200 {
        assert!(tokio::time::Instant::now() < deadline, "the place of an ended stream stays taken");
        tokio::task::yield_now().await;
    }
}

/// Events are not replayed yet, so an id means nothing; it must not matter what it is.
async fn a_stream_takes_any_last_event_id(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    for id in ["", "0", "-1", "x", "1e400", "18446744073709551616", "%00", "' OR 1=1--", &"9".repeat(5_000)] {
        let stream = phone.request(Method::GET, "/live").header("last-event-id", id).send().await.expect("an answer");
        assert_eq!(stream.status(), 200, "{id:?}");
        let mut events = Events::from(stream);
        events.wait_for("poke", |data| data["clock"].is_i64()).await;
        drop(events);
        wait_for_a_place(&phone).await;
    }
}

/// A clash that is open, and another that was decided.
struct Clashes {
    open: Json,
    decided: Json,
}

async fn clashes(desk: &Desk) -> Clashes {
    let seed = seed(desk).await;
    let (first, second, _, result) = clash(desk, &seed).await;
    first.apply(&[update("animals", &seed.hog, 1, json!({"tag": "9021"}), json!({"tag": "9002"}))]).await;
    let edit = update("animals", &seed.hog, 1, json!({"tag": "9022"}), json!({"tag": "9002"}));
    let decided = second.push_one(&edit).await;
    let shown = desk.conflict(&decided["conflict_id"]).await;
    desk.resolve(&shown, "server_wins", None).await.expect_status(200);
    Clashes { open: desk.conflict(&result["conflict_id"]).await, decided: desk.conflict(&decided["conflict_id"]).await }
}

async fn a_decision_that_cannot_be_meant_decides_nothing(desk: &Desk) -> Vec<Row> {
    let Clashes { open, decided } = clashes(desk).await;
    let decision = |clash: &Json| {
        json!({
            "resolution": "client_wins", "expected_server_version": clash["server_version"], "rev": clash["rev"],
            "idempotency_key": fresh(),
        })
    };
    let good = decision(&open);
    let to = |id: &str, body: &Json| {
        let path = format!("/api/v1/admin/conflicts/{id}/resolve");
        Request::new(Door::Admin, "POST", &path).bearer(desk.token()).json(body.to_string())
    };
    let of = |clash: &Json, body: &Json| to(clash["id"].as_str().expect("an id"), body);
    let mut rows = Vec::new();
    for (key, value, code) in [
        ("resolution", json!("coin_toss"), "invalid_body"),
        ("resolution", json!(null), "invalid_body"),
        ("rev", json!("1"), "invalid_body"),
        ("rev", json!(1.0), "invalid_body"),
        ("expected_server_version", json!(null), "invalid_body"),
        ("idempotency_key", json!(""), "idempotency_key"),
        ("idempotency_key", json!("a\u{0}b"), "idempotency_key"),
        ("idempotency_key", json!("k".repeat(201)), "idempotency_key"),
        ("reason", json!("a\u{0}b"), "invalid_character"),
        ("reason", json!("x".repeat(10_001)), "too_large"),
        ("data", json!([]), "invalid_body"),
        ("data", json!({"tag": "9012"}), "unknown_field"),
        ("resolved_by", json!(fresh()), "invalid_body"),
        ("__proto__", json!({}), "invalid_body"),
    ] {
        let body = with(good.clone(), key, value.clone());
        let shown: String = value.to_string().chars().take(30).collect();
        rows.push(Row::refused(format!("{key}: {shown}"), of(&open, &body), 422, code));
    }
    for (data, code) in [
        (json!({}), "required"),
        (json!({"tag": null, "pen": "B7"}), "unknown_field"),
        (json!({"tag": "\u{0}"}), "invalid_character"),
        (json!({"tag": 1e300}), "invalid_type"),
        (json!({"TAG": "9012"}), "unknown_field"),
        (json!({"tag": "9002", "species": "swine"}), "unknown_field"),
        (json!({"other_data": {"tag": "1"}}), "unknown_field"),
        (json!({"same_as": fresh()}), "unknown_field"),
    ] {
        let manual = with(with(good.clone(), "resolution", json!("manual")), "data", data.clone());
        rows.push(Row::refused(format!("by hand: {data}"), of(&open, &manual), 422, code));
    }
    for (rev, version) in [(0, 2), (-1, 2), (i64::MAX, 2), (1, i64::MAX)] {
        let stale = with(with(good.clone(), "rev", json!(rev)), "expected_server_version", json!(version));
        rows.push(Row::refused(format!("seen as {rev} of {version}"), of(&open, &stale), 409, "server_moved"));
    }
    rows.push(Row::refused("decided before", of(&decided, &decision(&decided)), 409, "already_resolved"));
    for id in ["x", "00000000-0000-0000-0000-000000000000", &fresh(), "%00", "..%2f"] {
        rows.push(Row::refused(format!("the clash {id}"), to(id, &good), 404, "not_found"));
    }
    rows
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
