//! What the desk measures of itself, and what phones tell, as a stranger would ask for it.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send};

on_both_engines!(
    requests_are_counted_by_route_and_name_who_asked,
    what_phones_tell_is_kept_apart_and_holds_no_id,
    a_body_that_is_not_what_phones_tell_is_refused,
    figures_are_for_the_desk_only,
);

/// How long what was measured may take until it is kept.
const DEADLINE: Duration = Duration::from_secs(40);

/// Asks until the answer is as wanted.
async fn wait_for(desk: &Desk, path: &str, is_there: impl Fn(&Json) -> bool) -> Json {
    let began = Instant::now();
    loop {
        let answer = desk.get(path).await.expect_status(200);
        if is_there(&answer) {
            return answer;
        }
        assert!(began.elapsed() < DEADLINE, "{path}: {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn items(page: &Json) -> &[Json] {
    page["items"].as_array().expect("items")
}

fn value_of(series: &Json, key: &str) -> f64 {
    let lines = series["series"].as_array().expect("lines");
    let line = lines.iter().find(|line| line["key"] == key);
    line.map_or(0.0, |line| line["values"].as_array().expect("values").iter().filter_map(Json::as_f64).sum())
}

async fn tell(phone: &Phone, body: &Json) -> crate::phone::Answer {
    send(phone.request(Method::POST, "/telemetry").json(body)).await
}

async fn requests_are_counted_by_route_and_name_who_asked(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let rings: Vec<Json> = (0..3)
        .map(|n| insert("exhibitors", &fresh(), json!({"first_name": format!("P{n}"), "last_name": "Reed"})))
        .collect();
    desk.apply(&rings).await;
    for number in 0..4 {
        let op = insert("rings", &fresh(), json!({"name": format!("Ring {number}")}));
        phone.push_one(&op).await;
    }
    let (nothing, elsewhere) = (fresh(), format!("/{}", fresh()));
    send(phone.request(Method::GET, &format!("/admin/entries/{nothing}"))).await.expect_status(404);
    send(desk.stranger(Method::GET, &elsewhere)).await.expect_status(404);

    let sent = "/admin/requests?task=Send%20entries&limit=200";
    let by_phone = |page: &Json| items(page).iter().filter(|item| item["person"]["name"] == "Scale 1").count();
    let page = wait_for(&desk, sent, |page| by_phone(page) == 4).await;
    let item = items(&page).iter().find(|item| item["person"]["name"] == "Scale 1").expect("one of them");
    assert_eq!(
        (&item["task"], &item["endpoint"], &item["method"]),
        (&json!("Send entries"), &json!("/api/v1/sync/push"), &json!("POST"))
    );
    assert_eq!((&item["status_code"], &item["weight"]), (&json!(200), &json!(1)));
    assert!(item["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0));
    let page = desk.get("/admin/requests?only=failed&limit=200").await.expect_status(200);
    assert!(items(&page).iter().any(|item| item["endpoint"] == "unmatched" && item["status_code"] == 404));
    let text = page.to_string();
    assert!(
        !text.contains(&nothing) && !text.contains(elsewhere.trim_start_matches('/')),
        "no address is kept: {text}"
    );
    let first = desk.get("/admin/requests?limit=2").await.expect_status(200);
    let second = desk.get(&format!("/admin/requests?limit=2&cursor={}", first["cursor"].as_str().expect("more"))).await;
    let second = second.expect_status(200);
    assert!(items(&second).iter().all(|item| !items(&first).iter().any(|other| other["id"] == item["id"])));

    let series = "/admin/metrics/series?metric=requests&step=60&endpoint=/api/v1/sync/push";
    let answer = desk.get(series).await.expect_status(200);
    assert!(value_of(&answer, "count") >= 5.0 && value_of(&answer, "p95") > 0.0, "{answer}");
    assert_eq!((&answer["unit"], &answer["step_seconds"]), (&json!("milliseconds"), &json!(60)));
    desk.post("/admin/workers/look-at-alerts/run", &json!({})).await.expect_status(200);
    let verdicts = "/admin/metrics/series?metric=sync_ops";
    let answer = wait_for(&desk, verdicts, |answer| value_of(answer, "rejected") > 3.5).await;
    assert!(value_of(&answer, "applied") < 0.5, "the desk's own entries are no phone's: {answer}");
    let status = desk.get("/admin/recording").await.expect_status(200);
    assert!(status["recorded"].as_u64().is_some_and(|count| count > 5) && status["dropped"] == 0, "{status}");
    assert!(status["bytes"].as_u64().is_some_and(|bytes| bytes > 1_000) && status["off"].is_null(), "{status}");
    let kept = json!({"requests": 30, "minutes": 7, "rollups": 30, "errors": 90, "alerts": 90});
    assert_eq!(status["kept_days"], kept);
    desk.post("/admin/workers/cleanup/run", &json!({})).await.expect_status(200);
    let status = desk.get("/admin/recording").await.expect_status(200);
    assert_eq!(status["last_clean_up"]["requests"], 0, "{status}");
}

async fn what_phones_tell_is_kept_apart_and_holds_no_id(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let secret = fresh();
    let figure = |endpoint: &str, method: &str, status: u16| json!({"endpoint": endpoint, "method": method, "duration": 12.5, "status_code": status, "at": null});
    let list = json!([
        figure("/api/v1/sync/push", "POST", 0),
        figure(&format!("/api/v1/me/conflicts/{secret}/withdraw?x={secret}"), "POST", 200),
        figure("save", "DO", 200),
        figure(&secret, "GET", 200),
    ]);
    assert_eq!(tell(&phone, &json!({"type": "performance", "data": list})).await.expect_status(202)["taken"], 4);
    let one = figure("/api/v1/sync/pull", "GET", 503);
    tell(&phone, &json!({"type": "performance", "data": one})).await.expect_status(202);
    let old =
        json!({"endpoint": "save", "method": "DO", "duration": 1, "status_code": 200, "at": "2020-01-01T00:00:00Z"});
    tell(&phone, &json!({"type": "performance", "data": old})).await.expect_status(202);
    let error = json!({"error_type": "TypeError", "message": "it broke", "stack_trace": null, "context": {}});
    tell(&phone, &json!({"type": "error", "data": [error]})).await.expect_status(202);
    // The desk's own page tells by the same path.
    desk.post("/telemetry", &json!({"type": "performance", "data": []})).await.expect_status(202);

    let failed = "/admin/requests?only=failed&limit=200";
    let is_there = |page: &Json| items(page).iter().any(|item| item["endpoint"] == "phone:/api/v1/sync/pull");
    wait_for(&desk, failed, is_there).await;
    let page = desk.get("/admin/requests?limit=200").await.expect_status(200);
    let told: Vec<&str> = items(&page)
        .iter()
        .filter_map(|item| item["endpoint"].as_str())
        .filter(|name| name.starts_with("phone:"))
        .collect();
    for endpoint in ["phone:/api/v1/sync/push", "phone:/api/v1/me/conflicts/{id}/withdraw", "phone:save", "phone:other"]
    {
        assert!(told.contains(&endpoint), "{endpoint}: {told:?}");
    }
    assert_eq!(told.len(), 5, "what is old is not kept: {told:?}");
    assert!(!page.to_string().contains(&secret));
    let series = desk.get("/admin/metrics/series?metric=requests&endpoint=/api/v1/sync/push").await.expect_status(200);
    assert!(value_of(&series, "count") < 0.5, "no phone pretends to be the laptop: {series}");
    let many: Vec<Json> = (0..100).map(|_| figure("save", "DO", 200)).collect();
    for _ in 0..7 {
        tell(&phone, &json!({"type": "performance", "data": many})).await.expect_status(202);
    }
    let status = desk.get("/admin/recording").await.expect_status(200);
    assert!(status["dropped"].as_u64().is_some_and(|count| count >= 100), "{status}");
}

async fn a_body_that_is_not_what_phones_tell_is_refused(desk: Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let good = || json!({"endpoint": "save", "method": "DO", "duration": 1.5, "status_code": 200});
    let with = |key: &str, value: Json| {
        let mut figure = good();
        figure[key] = value;
        json!({"type": "performance", "data": [figure]})
    };
    for body in [
        json!({}),
        json!({"type": "performance"}),
        json!({"type": "other", "data": []}),
        json!({"type": "performance", "data": "x"}),
        json!({"type": "performance", "data": [1]}),
        json!({"type": "performance", "data": [good()], "user_id": fresh()}),
        json!({"type": "performance", "data": [{"endpoint": "save"}]}),
        json!({"type": "error", "data": [{"message": "x", "user_id": fresh()}]}),
        json!({"type": "error", "data": [{"error_type": "x", "message": "y", "at": "+262142-12-31T23:59:59.999Z"}]}),
        json!({"type": "error", "data": [{"error_type": "x", "message": "y", "at": "-200000-01-01T00:00:00Z"}]}),
        with("user_id", json!(fresh())),
        with("duration", json!(-1)),
        with("duration", json!("12")),
        with("duration", json!(1e300)),
        with("status_code", json!(99)),
        with("status_code", json!(70_000)),
        with("method", json!("STEAL")),
        with("at", json!("2026-02-30T00:00:00Z")),
        with("endpoint", json!(7)),
    ] {
        let problem = tell(&phone, &body).await.expect_problem(422);
        assert!(!problem.to_string().contains("panicked"), "{body}: {problem}");
    }
    let long_ago = json!({"error_type": "x", "message": "y", "at": "0001-01-01T00:00:00Z"});
    tell(&phone, &json!({"type": "error", "data": [long_ago]})).await.expect_status(202);
    let many: Vec<Json> = (0..101).map(|_| good()).collect();
    tell(&phone, &json!({"type": "performance", "data": many})).await.expect_problem(413);
    let long = json!({"type": "error", "data": {"error_type": "x", "message": "y".repeat(70_000)}});
    tell(&phone, &long).await.expect_problem(413);
    let request = || phone.request(Method::POST, "/telemetry");
    send(request().body("{}")).await.expect_problem(415);
    send(request().header("content-type", "application/json").body("[{]")).await.expect_problem(400);
    let twice = r#"{"type": "performance", "type": "error", "data": []}"#;
    send(request().header("content-type", "application/json").body(twice)).await.expect_problem(400);
    let packed = request().header("content-type", "application/json").header("content-encoding", "gzip").body("x");
    send(packed).await.expect_problem(415);
    send(desk.stranger(Method::POST, "/telemetry").json(&json!({"type": "error", "data": []})))
        .await
        .expect_problem(401);
}

async fn figures_are_for_the_desk_only(desk: Desk) {
    let admin = desk.phone("Boss", &["admin"]).await;
    let scrape = async |base: &str, token: Option<&str>| {
        let request = Client::new().get(format!("{base}/metrics"));
        send(token.map_or(request.try_clone().expect("no body"), |token| request.bearer_auth(token))).await
    };
    let (http, listener) = (&desk.program.http, &desk.program.admin);
    scrape(listener, None).await.expect_problem(401);
    scrape(listener, Some(admin.token())).await.expect_problem(403);
    scrape(http, Some(desk.token())).await.expect_problem(404);
    scrape(http, Some(admin.token())).await.expect_problem(404);
    desk.post("/admin/workers/look-at-alerts/run", &json!({})).await.expect_status(200);
    let text = scrape(listener, Some(desk.token())).await;
    assert_eq!(text.status.as_u16(), 200, "{}", text.text);
    for line in ["# TYPE showdesk_requests_seconds histogram\n", "showdesk_memory_bytes ", "showdesk_phones_connected "]
    {
        assert!(text.text.contains(line), "{line}: {}", text.text);
    }
    assert!(!text.text.contains("Boss") && !text.text.contains(desk.token()), "no name and no pass");
    assert!(!text.text.contains("showdesk_backup_age"), "what nobody measures is not told");
    for query in [
        "metric=weather",
        "metric=requests&step=7",
        "metric=requests&from=2026-08-07T10:00:00Z&to=2026-08-07T09:00:00Z",
        "metric=requests&from=x",
        "",
    ] {
        desk.get(&format!("/admin/metrics/series?{query}")).await.expect_problem(400);
    }
    for query in ["only=some", "cursor=x", "limit=0", "task=Nothing", "colour=red"] {
        desk.get(&format!("/admin/requests?{query}")).await.expect_problem(400);
    }
}
