//! The desk's charts: drawings and tables of the same figures, and files; and the report of the show.

use reqwest::Method;
use reqwest::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{fresh, insert, update};
use crate::seed::seed;

on_both_engines!(
    each_chart_says_in_its_table_what_it_draws,
    a_chart_is_saved_as_a_drawing_a_picture_and_a_table,
    the_report_is_one_page_that_names_nobody_under_age,
);

/// The charts in the order of the page.
const KEYS: [&str; 9] = [
    "response-time",
    "entries-in",
    "phones",
    "slow-spots",
    "requests",
    "needs-checking",
    "deliveries",
    "cache",
    "storage",
];

/// A desk that has measured something.
async fn measured(desk: &Desk) {
    let phone = desk.phone("Scale 1", &["scale"]).await;
    for _ in 0..30 {
        phone.pull("").await.expect_status(200);
    }
    // Measurements are written every few seconds; each look that found nothing yet is kept for a while.
    for tries in 0.. {
        assert!(tries < 240, "nothing is measured");
        let to = chrono::Utc::now() + chrono::TimeDelta::minutes(2);
        let (from, to) = (to - chrono::TimeDelta::hours(1), to);
        let moment = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let path = format!("/admin/metrics/series?metric=requests&step=60&from={}&to={}", moment(from), moment(to));
        let series = desk.get(&path).await.expect_status(200);
        let counts = series["series"].as_array().into_iter().flatten().find(|one| one["key"] == "count").cloned();
        let values = counts.map_or(Json::Null, |counts| counts["values"].clone());
        if values.as_array().into_iter().flatten().filter_map(Json::as_f64).sum::<f64>() >= 30.0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn each_chart_says_in_its_table_what_it_draws(desk: Desk) {
    measured(&desk).await;
    let ask = || desk.request(Method::GET, "/admin/charts?range=1h&compare=true&width=600");
    let answer = ask().send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()[CACHE_CONTROL]),
        (200, &"private, no-cache".parse().expect("a value"))
    );
    let charts: Json = answer.json().await.expect("charts");
    assert_eq!((&charts["range"], &charts["step_seconds"]), (&json!("1h"), &json!(60)));
    let items = charts["charts"].as_array().expect("charts");
    assert_eq!(items.iter().map(|chart| chart["key"].as_str().unwrap_or_default()).collect::<Vec<_>>(), KEYS);
    for chart in items {
        agrees(chart);
    }
    let of = |key: &str| items.iter().find(|chart| chart["key"] == key).expect("it is there");
    assert_eq!(of("response-time")["measured"], true);
    // Which six of the tasks were the slowest differs from run to run.
    let slow = of("slow-spots")["table"]["rows"].as_array().expect("rows");
    assert_eq!(slow.len(), 6, "{slow:?}");
    assert!(slow.iter().all(|row| row[0].as_str().is_some_and(|task| !task.contains('/'))), "plain names: {slow:?}");
    let requests = of("requests")["table"]["rows"].as_array().expect("rows").clone();
    assert_eq!(of("requests")["table"]["columns"], json!(["Time", "Requests", "Day before"]));
    let most =
        requests.iter().filter_map(|row| row[1].as_str()?.replace(',', "").parse::<f64>().ok()).fold(0.0, f64::max);
    assert!(most >= 15.0, "thirty requests in one minute or two: {requests:?}");
    // The same drawing is given for a while; a new one may fall between two questions, not between each two.
    let mut known = 0;
    for _ in 0..4 {
        let etag = ask().send().await.expect("an answer").headers()[ETAG].clone();
        known += usize::from(ask().header(IF_NONE_MATCH, etag).send().await.expect("an answer").status() == 304);
    }
    assert!(known >= 2, "{known} of 4");
    for hostile in [
        "range=2h",
        "range=",
        "range=1h%00",
        "range=Today",
        "width=279",
        "width=1401",
        "width=-1",
        "width=1e3",
        "width=",
        "compare=yes",
        "compare=",
        "theme=dark",
        "range=1h&range=show",
    ] {
        let refused = desk.get(&format!("/admin/charts?{hostile}")).await;
        assert_eq!(refused.status.as_u16(), 400, "{hostile}: {}", refused.text);
    }
}

/// The table has a line for each step, and its words are those of the drawing's read-out.
fn agrees(chart: &Json) {
    let key = chart["key"].as_str().expect("a key");
    let svg = chart["svg"].as_str().expect("a drawing");
    assert!(svg.starts_with("<svg") && svg.contains("role=\"img\"") && !svg.contains("<script"), "{key}");
    let (_, points) = svg.split_once("data-points=\"").expect("points");
    let (points, _) = points.split_once('"').expect("their end");
    let points = points.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let points: Json = serde_json::from_str(&points).expect("JSON");
    let rows = chart["table"]["rows"].as_array().expect("rows");
    let columns = chart["table"]["columns"].as_array().expect("columns");
    let starts = chart["starts"].as_array().expect("starts");
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let of_heat = key == "slow-spots";
    if of_heat {
        assert_eq!(columns.len(), starts.len() + 1);
    } else {
        assert_eq!((rows.len(), points["times"].as_array().map(Vec::len)), (starts.len(), Some(starts.len())), "{key}");
    }
    for (place, series) in points["series"].as_array().expect("series").iter().enumerate() {
        let values: Vec<String> = series["values"].as_array().expect("values").iter().map(text).collect();
        let told: Vec<String> = if of_heat {
            rows[place].as_array().expect("cells")[1..].iter().map(text).collect()
        } else {
            assert_eq!(columns[place + 1], series["name"], "{key}");
            rows.iter().map(|row| text(&row[place + 1])).collect()
        };
        assert_eq!(told, values, "{key}: {}", series["name"]);
    }
    let any = rows.iter().any(|row| row.as_array().expect("cells")[1..].iter().any(|cell| cell != ""));
    assert_eq!(chart["measured"], json!(any), "{key}");
}

async fn a_chart_is_saved_as_a_drawing_a_picture_and_a_table(desk: Desk) {
    measured(&desk).await;
    let get =
        async |path: &str| desk.request(Method::GET, &format!("/admin/charts/{path}")).send().await.expect("an answer");
    for (file, media_type, begins) in [
        ("requests.svg?range=1h", "image/svg+xml", &b"<svg"[..]),
        ("requests.png?range=1h&theme=dark", "image/png", &b"\x89PNG\r\n\x1a\n"[..]),
        (
            "requests.csv?range=1h&compare=true",
            "text/csv; charset=utf-8",
            "\u{feff}Time,Requests,Day before\r\n".as_bytes(),
        ),
        ("slow-spots.csv?range=show", "text/csv; charset=utf-8", "\u{feff}Task,".as_bytes()),
    ] {
        let answer = get(file).await;
        assert_eq!(answer.status(), 200, "{file}");
        assert_eq!(answer.headers()[CONTENT_TYPE], media_type);
        let named = answer.headers()[CONTENT_DISPOSITION].to_str().expect("text").to_owned();
        assert!(named.starts_with("attachment; filename=\"showdesk-"), "{named}");
        let bytes = answer.bytes().await.expect("a file");
        assert!(bytes.starts_with(begins), "{file}: {:?}", &bytes[..bytes.len().min(60)]);
        assert!(!String::from_utf8_lossy(&bytes).contains("var(--"), "{file} has colours of its own");
    }
    for missing in
        ["requests", "requests.pdf", ".svg", "..%2Fstorage.svg", "storage.svg%00", "Requests.svg", "storage.svg.png"]
    {
        let refused = get(missing).await;
        assert!([400, 404].contains(&refused.status().as_u16()), "{missing}: {}", refused.status());
        assert!(refused.headers()[CONTENT_TYPE].to_str().expect("text").starts_with("application/problem+json"));
    }
    assert_eq!(get("requests.svg?theme=sun").await.status(), 400);
    assert_eq!(get("requests.svg?width=504").await.status(), 400);
}

async fn the_report_is_one_page_that_names_nobody_under_age(desk: Desk) {
    let seed = seed(&desk).await;
    let phone = desk.phone("Nora's phone", &["superintendent", "checkin"]).await;
    let edit = |tag: &str| update("animals", &seed.steer, 1, json!({"tag": tag}), json!({"tag": "9001"}));
    desk.apply(&[edit("9011")]).await;
    let clash = phone.push_one(&edit("9012")).await;
    let shown = desk.conflict(&clash["conflict_id"]).await;
    let decision = json!({
        "resolution": "client_wins", "expected_server_version": shown["server_version"], "rev": shown["rev"],
        "reason": "Wilhelmina read it out", "idempotency_key": fresh(),
    });
    let path = format!("/admin/conflicts/{}/resolve", shown["id"].as_str().expect("an id"));
    desk.post(&path, &decision).await.expect_status(200);
    let child =
        json!({"back_number": 77, "first_name": "Wilhelmina", "last_name": "Birch", "guardian_phone": "555-0177"});
    desk.apply(&[insert("exhibitors", &fresh(), child)]).await;
    let answer = desk.request(Method::GET, "/admin/report").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
    let named = answer.headers()[CONTENT_DISPOSITION].to_str().expect("text").to_owned();
    assert!(named.starts_with("attachment; filename=\"new-show-report-20") && named.ends_with(".html\""), "{named}");
    let page = answer.text().await.expect("a page");
    assert!(page.starts_with("<!doctype html>") && page.contains("<h1>New show</h1>") && page.ends_with("</html>\n"));
    let (_, told) = page.split_once("</style>").expect("letters, then words");
    assert!(told.contains("Tag 9012, Angus steer") && told.contains("the phone&#39;s entry was taken"), "{told}");
    for personal in ["Wilhelmina", "Birch", "555-0177", "Nora", "read it out", "9011"] {
        assert!(!told.contains(personal), "{personal}");
    }
    for outside in ["<script", "src=", "<link", "@import", "var(--p50"] {
        assert!(!page.contains(outside), "{outside}");
    }
}
