//! What is kept in memory and on disk: the pages of a first pull, never across classes, and clearing it.

use std::collections::BTreeMap;
use std::io::Read as _;

use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};
use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send};

on_both_engines!(
    phones_of_a_class_share_what_they_are_told_and_no_other_class_does,
    clearing_is_on_record_and_takes_only_what_is_named,
);

/// More than a desk keeps pages for.
async fn many_rings(desk: &Desk) {
    let ops: Vec<Json> = (0..700).map(|n| insert("rings", &fresh(), json!({"name": format!("Ring {n}")}))).collect();
    let called = json!({"first_name": "Nora", "last_name": "Birch", "guardian_phone": "555-0100"});
    desk.apply(&ops).await;
    desk.apply(&[insert("exhibitors", &fresh(), called)]).await;
}

async fn view(desk: &Desk) -> Json {
    desk.get("/admin/cache").await.expect_status(200)
}

/// A page as it goes over the wire: whether it was packed, and what it says.
async fn page(phone: &Phone, query: &str, packed: bool) -> (bool, Json) {
    let request = phone.request(Method::GET, &format!("/sync/pull{query}"));
    let request = if packed { request.header(ACCEPT_ENCODING, "gzip") } else { request };
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let is_packed = answer.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
    let bytes = answer.bytes().await.expect("a body");
    let mut text = String::new();
    if is_packed {
        flate2::read::MultiGzDecoder::new(&*bytes).read_to_string(&mut text).expect("gzip");
    } else {
        text = String::from_utf8(bytes.to_vec()).expect("text");
    }
    (is_packed, serde_json::from_str(&text).expect("JSON"))
}

async fn phones_of_a_class_share_what_they_are_told_and_no_other_class_does(desk: Desk) {
    many_rings(&desk).await;
    let mut told = BTreeMap::new();
    for function in ["checkin", "scale", "viewer"] {
        let phones = [desk.phone("One", &[function]).await, desk.phone("Two", &[function]).await];
        let before = view(&desk).await;
        let (is_packed, first) = page(&phones[0], "?limit=500", true).await;
        assert!(is_packed);
        let (is_packed, second) = page(&phones[1], "?limit=500", false).await;
        assert!(!is_packed);
        assert_eq!(first["changes"], second["changes"], "{function}");
        assert_ne!(first["cursor"], second["cursor"], "a cursor is one phone's");
        assert_eq!(first["has_more"], true);
        let after = view(&desk).await;
        assert_eq!(after["misses"].as_i64(), before["misses"].as_i64().map(|misses| misses + 1), "{function}: {after}");
        let cursor = first["cursor"].as_str().expect("a cursor");
        let (_, rest) = page(&phones[0], &format!("?limit=1000&cursor={cursor}"), true).await;
        assert_eq!((&rest["has_more"], &rest["clock"]), (&json!(false), &first["clock"]));
        let changes = [first["changes"].as_array(), rest["changes"].as_array()].into_iter().flatten().flatten();
        told.insert(function, changes.cloned().collect::<Vec<Json>>());
    }
    let contacts = |function: &str| {
        told[function]
            .iter()
            .filter(|change| change["data"].as_object().is_some_and(|data| data.contains_key("guardian_phone")))
            .count()
    };
    assert_eq!([contacts("checkin"), contacts("scale"), contacts("viewer")], [1, 0, 0]);
    assert!(told["checkin"].len() >= 702);
    let kept = view(&desk).await;
    let scopes: Vec<&str> =
        kept["top"].as_array().expect("items").iter().filter_map(|top| top["scope"].as_str()).collect();
    assert!(["office", "staff", "public"].iter().all(|scope| scopes.contains(scope)), "{scopes:?}");
    assert_eq!(kept["kinds"][0]["tag"], "first-pull");
    assert!(kept["hit_percent"].as_i64().is_some_and(|percent| percent >= 50), "{kept}");
}

async fn clearing_is_on_record_and_takes_only_what_is_named(desk: Desk) {
    many_rings(&desk).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let answer = phone.request(Method::GET, "/sync/pull").send().await.expect("an answer");
    let etag = answer.headers()[ETAG].to_str().expect("a tag").to_owned();
    let first: Json = answer.json().await.expect("a page");
    let known = send(phone.request(Method::GET, "/sync/pull").header(IF_NONE_MATCH, &etag)).await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    desk.get("/admin/charts?range=1h").await.expect_status(200);
    assert_eq!(view(&desk).await["entries"], 2);
    let clear = async |query: &str| send(desk.request(Method::DELETE, &format!("/admin/cache{query}"))).await;
    for hostile in ["?tag=", "?tag=Charts", "?tag=%25", "?tag=charts%27%20OR%201%3D1", "?tag=%00", "?tags=charts"] {
        let refused = clear(hostile).await;
        assert_eq!(refused.status.as_u16(), 400, "{hostile}: {}", refused.text);
    }
    assert_eq!(clear("?tag=first-pull").await.expect_status(200)["removed"], 1);
    let kept = view(&desk).await;
    assert_eq!((&kept["entries"], &kept["on_disk"]["entries"]), (&json!(1), &json!(0)), "{kept}");
    assert_eq!(kept["top"][0]["scope"], "admins");
    assert_eq!(desk.get("/admin/cache?tag=first-pull").await.expect_status(200)["top"], json!([]));
    let again = phone.pull("").await.expect_status(200);
    assert_eq!(again["changes"], first["changes"], "nothing is lost by it");
    clear("").await.expect_status(200);
    assert_eq!(view(&desk).await["entries"], 0);
    let record = desk.get("/admin/audit?action=cache_cleared").await.expect_status(200);
    let done: Vec<&Json> =
        record["items"].as_array().expect("items").iter().map(|item| &item["after"]["tag"]).collect();
    assert_eq!(done, [&json!("all"), &json!("first-pull")]);
}
