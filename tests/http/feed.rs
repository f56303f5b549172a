//! The feed under load and behind a viewer's eyes: nothing is lost, and what may not be seen any more is revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::desk::Desk;
use crate::on_both_engines;
use crate::phone::{Phone, delete, fresh, insert, update, v5};
use crate::seed::{Seed, seed, set_stage};

on_both_engines!(
    twelve_writers_lose_no_row_of_a_fast_reader,
    a_large_page_is_sent_as_gzip_to_who_reads_it,
    a_viewer_sees_all_of_its_own_exhibitors_and_no_more,
    what_is_no_longer_a_viewers_own_is_revoked,
    a_deleted_row_is_told_only_to_who_could_see_it,
    a_message_reaches_whom_it_is_addressed_to_and_no_other_viewer,
);

/// Pushes of one writer, and rows of one push.
const PUSHES: usize = 12;
const ROWS: usize = 5;

/// Writers at work; each pushes rings of its own.
#[derive(Default)]
pub(crate) struct Writing(JoinSet<Vec<String>>);

impl Writing {
    /// One more writer, with the desk's token and an incarnation of its own.
    pub(crate) fn start(&mut self, desk: &Desk, number: usize) {
        let url = format!("{}/api/v1/sync/push", desk.program.admin);
        let (token, envelope) = (desk.token().to_owned(), desk.envelope(&[]));
        self.0.spawn(async move {
            let client = reqwest::Client::new();
            let mut written = Vec::new();
            for push in 0..PUSHES {
                let rows: Vec<String> = (0..ROWS).map(|_| fresh()).collect();
                let ops = rows.iter().enumerate().map(|(row, id)| {
                    let ring = insert("rings", id, json!({"name": format!("Ring {number}/{push}/{row}")}));
                    crate::phone::with(ring, "device_seq", json!(number * 10_000 + push * ROWS + row))
                });
                let mut envelope = envelope.clone();
                envelope["ops"] = ops.collect();
                let sent = client.post(&url).bearer_auth(&token).json(&envelope).send().await.expect("an answer");
                let answer: Json = sent.json().await.expect("JSON");
                for result in answer["results"].as_array().expect("results") {
                    assert_eq!(result["verdict"], "applied", "{result}");
                }
                written.extend(rows);
            }
            written
        });
    }

    /// The ids of all rows written.
    pub(crate) async fn finish(self) -> BTreeSet<String> {
        self.0.join_all().await.into_iter().flatten().collect()
    }
}

/// A reader that asks for what is new every millisecond, always with the cursor of its last page.
pub(crate) struct Reader {
    done: Arc<AtomicBool>,
    reading: JoinHandle<BTreeSet<String>>,
}

impl Reader {
    pub(crate) async fn start(desk: &Desk) -> Self {
        let phone = desk.phone("Reader", &["announcer"]).await;
        let done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&done);
        let reading = tokio::spawn(async move {
            let (mut seen, mut cursor) = (BTreeSet::new(), None);
            loop {
                // The last pull begins after the last writer was answered.
                let last = stop.load(Ordering::SeqCst);
                let mut rows = BTreeMap::new();
                cursor = Some(phone.pull_after(cursor, 50, &mut rows).await);
                seen.extend(rows.into_keys().map(|(_, id)| id));
                if last {
                    return seen;
                }
                sleep(Duration::from_millis(1)).await;
            }
        });
        Self { done, reading }
    }

    /// What it has seen, the rows that were written by now included.
    pub(crate) async fn finish(self, written: &BTreeSet<String>) -> BTreeSet<String> {
        assert!(!written.is_empty());
        self.done.store(true, Ordering::SeqCst);
        self.reading.await.expect("the reader goes on")
    }
}

async fn twelve_writers_lose_no_row_of_a_fast_reader(desk: Desk) {
    let reader = Reader::start(&desk).await;
    let mut writing = Writing::default();
    (0..12).for_each(|number| writing.start(&desk, number));
    let written = writing.finish().await;
    assert_eq!(written.len(), 12 * PUSHES * ROWS);
    let seen = reader.finish(&written).await;
    assert!(seen.is_superset(&written), "lost: {:?}", written.difference(&seen).collect::<Vec<_>>());
}

async fn a_large_page_is_sent_as_gzip_to_who_reads_it(desk: Desk) {
    let rings: Vec<Json> = (0..40).map(|n| insert("rings", &fresh(), json!({"name": format!("Ring {n}")}))).collect();
    desk.apply(&rings).await;
    let phone = desk.phone("Scale 1", &["scale"]).await;
    let pull = async |encoding: Option<&str>, query: &str| {
        let mut request = phone.request(Method::GET, &format!("/sync/pull{query}"));
        if let Some(encoding) = encoding {
            request = request.header("accept-encoding", encoding);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        let header = response.headers().get("content-encoding").map(|value| value.to_str().expect("text").to_owned());
        (header, response.bytes().await.expect("a body"))
    };
    let (plain_encoding, plain) = pull(None, "").await;
    assert_eq!(plain_encoding, None);
    let (encoding, packed) = pull(Some("gzip"), "").await;
    assert_eq!(encoding.as_deref(), Some("gzip"));
    assert!(packed.len() * 3 < plain.len(), "{} of {}", packed.len(), plain.len());
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
    let (unpacked, plain): (Json, Json) =
        (serde_json::from_str(&text).expect("JSON"), serde_json::from_slice(&plain).expect("JSON"));
    assert_eq!(unpacked["changes"], plain["changes"]);
    let cursor = plain["cursor"].as_str().expect("a cursor");
    let (small, _) = pull(Some("gzip"), &format!("?cursor={cursor}")).await;
    assert_eq!(small, None, "a page without changes is small");
    let (other, _) = pull(Some("identity"), "").await;
    assert_eq!(other, None);
}

/// Another exhibitor with a hog, and a weight of the seed's steer.
struct Stall {
    seed: Seed,
    other: String,
    weight: String,
}

async fn stall(desk: &Desk) -> Stall {
    let seed = seed(desk).await;
    let (other, weight) = (fresh(), fresh());
    let row = json!({"back_number": 502, "first_name": "Ida", "last_name": "Reed", "program": "4h", "county": "Oak"});
    desk.apply(&[insert("exhibitors", &other, row)]).await;
    let scale = desk.phone("Scale 1", &["scale"]).await;
    let weighed = json!({"animal_id": seed.steer, "kind": "arrival", "weight_x10": 12_620});
    scale.apply(&[insert("weigh_ins", &weight, weighed)]).await;
    Stall { seed, other, weight }
}

async fn parent_of(desk: &Desk, exhibitor: &str) -> Phone {
    desk.phone_in("Parent", &["viewer"], json!({"exhibitor_ids": [exhibitor]})).await
}

async fn a_viewer_sees_all_of_its_own_exhibitors_and_no_more(desk: Desk) {
    let stall = stall(&desk).await;
    let parent = parent_of(&desk, &stall.seed.exhibitor).await;
    let stranger = parent_of(&desk, &stall.other).await;
    assert_eq!(parent.data("animals", &stall.seed.steer).await["tag"], "9001");
    assert!(stranger.data("animals", &stall.seed.steer).await.get("tag").is_none(), "absent, not null");
    assert_eq!(stranger.data("animals", &stall.seed.steer).await["breed"], "Angus");
    assert_eq!(parent.data("weigh_ins", &stall.weight).await["weight_x10"], 12_620);
    assert!(stranger.change("weigh_ins", &stall.weight).await.is_null());
    let own = parent.data("exhibitors", &stall.seed.exhibitor).await;
    for field in ["guardian_phone", "county", "advisor_id"] {
        assert!(own.get(field).is_none(), "{field} is for the office: {own}");
    }
    assert!(own.get("program").is_some(), "{own}");
    assert!(stranger.data("exhibitors", &stall.seed.exhibitor).await.get("program").is_none());
}

async fn what_is_no_longer_a_viewers_own_is_revoked(desk: Desk) {
    let stall = stall(&desk).await;
    let (seed, other) = (&stall.seed, &stall.other);
    let parent = parent_of(&desk, &seed.exhibitor).await;
    let buyer = parent_of(&desk, other).await;
    let mut rows = BTreeMap::new();
    let cursor = parent.pull_after(None, 500, &mut rows).await;
    let mut at_buyer = BTreeMap::new();
    let buyers = buyer.pull_after(None, 500, &mut at_buyer).await;
    let weight = ("weigh_ins".to_owned(), stall.weight.clone());
    assert!(rows.contains_key(&weight) && !at_buyer.contains_key(&weight));
    let version = desk.change("animals", &seed.steer).await["version"].as_i64().expect("a version");
    let sold = json!({"exhibitor_id": other});
    desk.apply(&[update("animals", &seed.steer, version, sold, json!({"exhibitor_id": seed.exhibitor}))]).await;
    rows.clear();
    parent.pull_after(Some(cursor), 500, &mut rows).await;
    assert_eq!(rows[&weight]["op"], "revoke", "{rows:?}");
    assert!(rows[&weight]["data"].is_null());
    let steer = &rows[&("animals".to_owned(), seed.steer.clone())];
    assert_eq!((&steer["op"], steer["data"].get("tag")), (&json!("upsert"), None));
    at_buyer.clear();
    buyer.pull_after(Some(buyers), 500, &mut at_buyer).await;
    assert_eq!(at_buyer[&weight]["data"]["weight_x10"], 12_620, "it is the buyer's now");
}

async fn a_deleted_row_is_told_only_to_who_could_see_it(desk: Desk) {
    let seed = seed(&desk).await;
    let entry = v5(&seed.class, &seed.steer);
    let row = json!({"exhibitor_id": seed.exhibitor, "animal_id": seed.steer, "family_id": seed.class});
    desk.apply(&[insert("entries", &entry, row)]).await;
    set_stage(&desk, "C").await;
    set_stage(&desk, "D").await;
    let placing = v5(&seed.class, &entry);
    desk.apply(&[insert("placings", &placing, json!({"class_id": seed.class, "entry_id": entry, "place": 1}))]).await;
    let stranger = desk.phone("Neighbour", &["viewer"]).await;
    let parent = parent_of(&desk, &seed.exhibitor).await;
    assert!(stranger.change("placings", &placing).await.is_null());
    assert_eq!(parent.change("placings", &placing).await["op"], "upsert");
    let version = desk.change("placings", &placing).await["version"].as_i64().expect("a version");
    desk.apply(&[delete("placings", &placing, version)]).await;
    assert!(stranger.change("placings", &placing).await.is_null());
    assert_eq!(parent.change("placings", &placing).await["op"], "delete");
    assert_eq!(desk.change("placings", &placing).await["op"], "delete");
}

async fn a_message_reaches_whom_it_is_addressed_to_and_no_other_viewer(desk: Desk) {
    let stall = stall(&desk).await;
    let parent = parent_of(&desk, &stall.seed.exhibitor).await;
    let other = parent_of(&desk, &stall.other).await;
    let public = desk.phone("Guest", &["viewer"]).await;
    let message = async |audience: Json| {
        let id = fresh();
        let data = json!({"type": "see_super", "title": "Come to the office", "audience": audience});
        desk.apply(&[insert("announcements", &id, data)]).await;
        id
    };
    let (all, viewers) = (message(json!({})).await, message(json!({"functions": ["viewer"]})).await);
    for phone in [&parent, &other, &public] {
        for id in [&all, &viewers] {
            assert_eq!(phone.change("announcements", id).await["op"], "upsert");
        }
    }
    let one = message(json!({"exhibitor_ids": [stall.seed.exhibitor]})).await;
    assert_eq!(parent.data("announcements", &one).await["title"], "Come to the office");
    for phone in [&other, &public] {
        assert!(phone.change("announcements", &one).await.is_null());
    }
}
