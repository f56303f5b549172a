//! Cursors, and first pulls from kept pages as their readers find them, on both engines.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::value::to_raw_value;
use serde_json::{Value as Json, json};
use showdesk_testkit::{SetClock, on_both_engines};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::*;
use crate::api::sync::{Push, VerdictName};
use crate::{DemoSize, Options};

on_both_engines![
    who_began_earlier_is_not_told_what_was_withdrawn_either,
    a_phone_does_not_wait_long_for_pages,
    an_answer_without_a_page_leaves_the_cursor_that_a_device_holds,
];

fn cursor(seq: i64, floor: i64) -> Cursor {
    let (epoch, device) = (Uuid::from_u128(1), Uuid::from_u128(2));
    Cursor { epoch, seq, scope: "staff".to_owned(), schema: 1, device, tables: Vec::new(), floor }
}

#[test]
fn a_cursor_goes_on_if_its_reader_missed_no_removed_tombstone() {
    for (seq, floor, oldest, goes_on) in [
        (900, 0, 0, true),
        (900, 0, 900, true),
        (899, 0, 900, false),
        // It began after the removal and is still paging through older rows.
        (100, 900, 900, true),
        (100, 900, 901, false),
        (1_000, 900, 901, true),
    ] {
        let mut next = cursor(0, oldest);
        let continued = continue_from(&mut next, &cursor(seq, floor), Seq(oldest));
        assert_eq!(continued.is_ok(), goes_on, "{seq} {floor} {oldest}");
        if goes_on {
            assert_eq!((next.seq, next.floor), (seq, floor));
        } else {
            assert!(matches!(continued, Err(EngineError::CursorGone(_))));
        }
    }
}

async fn show(database_url: Option<String>) -> (Engine, Actor, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::new();
    let options = Options { database_url, clock, pages_kept_from: 1, ..Options::new(folder.path()) };
    let engine = Engine::open(options).await.expect("a show");
    let desk = engine.desk_actor().await.expect("the desk");
    (engine, desk, folder)
}

fn first_page() -> PullQuery {
    PullQuery { limit: PAGE_CHANGES_MAX, ..PullQuery::default() }
}

async fn page(engine: &Engine, actor: &Actor, query: PullQuery) -> PackedPage {
    match engine.pull_packed(actor, query).await.expect("an answer") {
        Pulled::Page(page) => page,
        Pulled::Unchanged(_) => panic!("nothing was known"),
    }
}

/// Names a ring, which is made if it has no version yet.
async fn name_ring(engine: &Engine, desk: &Actor, ring: Uuid, version: i64, name: &str) {
    let op = to_raw_value(&json!({
        "op_id": Uuid::now_v7(), "device_seq": version + 1, "table_name": "rings", "record_id": ring,
        "operation": if version == 0 { "insert" } else { "update" }, "base_version": version, "data": {"name": name},
    }));
    let epoch = engine.epoch().await.expect("an epoch");
    let push = Push::of(epoch, Uuid::now_v7(), vec![op.expect("JSON")]);
    let answer = engine.push(desk, push).await.expect("an answer");
    assert_eq!(answer.results[0].verdict, VerdictName::Applied);
}

/// The names of the rings that kept pages tell to a reader of that moment.
async fn rings_told(pages: &BasePages, tx: &mut Tx, clock: Seq) -> Vec<String> {
    assert!(pages.follow(tx, clock).await.expect("numbers"), "few rows have moved");
    let rings = [showdesk_domain::schema::known_table("rings")];
    let taken = pages.take(Seq(0), clock, &rings, PAGE_CHANGES_MAX).expect("pages");
    let each = taken.changes.into_iter().flat_map(|changes| match changes {
        Changes::Each(each) => each,
        Changes::Packed(packed) => packed.each(),
    });
    let name = |change: String| {
        let change: Json = serde_json::from_str(&change).expect("JSON");
        change["data"]["name"].as_str().expect("a name").to_owned()
    };
    each.map(name).collect()
}

async fn who_began_earlier_is_not_told_what_was_withdrawn_either(database_url: Option<String>) {
    let (engine, desk, _folder) = show(database_url).await;
    let [twice, late, never] = [(); 3].map(|()| Uuid::now_v7());
    for (ring, name) in [(twice, "Twice"), (late, "Late"), (never, "Never")] {
        name_ring(&engine, &desk, ring, 0, name).await;
    }
    let begin = async || {
        let (tx, pulling) = engine.begin_pull(&desk, &first_page()).await.expect("it begins");
        let (want, clock) = (pulling.want(&desk).expect("a class of many"), pulling.clock);
        (tx, want, clock)
    };
    let (tx, want, _) = begin().await;
    drop(tx);
    let pack = |engine: Engine| async move { engine.pack_pages(ReadClass::Office).await };
    let pages = BasePages::of(engine.kept_or_made(&want, &pack).await.expect("pages")).expect("they can be read");
    name_ring(&engine, &desk, twice, 1, "Withdrawn").await;
    let (mut early_tx, _, early) = begin().await;
    name_ring(&engine, &desk, twice, 2, "Withdrawn, and moved again").await;
    name_ring(&engine, &desk, late, 1, "Moved").await;
    let (mut later_tx, _, later) = begin().await;
    assert_eq!(rings_told(&pages, &mut later_tx, later).await, ["Never"]);
    // For this reader the second ring stands where it stood, and the first one comes with its newer number.
    for _ in 0..2 {
        assert_eq!(rings_told(&pages, &mut early_tx, early).await, ["Late", "Never"]);
    }
    assert_eq!(rings_told(&pages, &mut later_tx, later).await, ["Never"]);
}

async fn a_phone_does_not_wait_long_for_pages(database_url: Option<String>) {
    let (engine, desk, _folder) = show(database_url).await;
    engine.fill_demo(&desk, DemoSize::Small, "B").await.expect("a demo show");
    let (tx, pulling) = engine.begin_pull(&desk, &first_page()).await.expect("it begins");
    let want = pulling.want(&desk).expect("a class of many");
    drop(tx);
    let (begun, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let pack = {
        let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
        move |engine: Engine| {
            let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                gate.acquire().await.expect("it is open").forget();
                engine.pack_pages(ReadClass::Office).await
            }
        }
    };
    let at_once = Want { patience: Duration::ZERO, ..want.clone() };
    assert!(matches!(engine.kept_or_made(&at_once, &pack).await, Err(EngineError::Busy { .. })));
    // The laptop is slow: the pages are not there in time, and the phone is told all the same.
    let live = page(&engine, &desk, first_page()).await;
    assert!(live.changes.iter().all(|changes| matches!(changes, Changes::Each(_))));
    gate.add_permits(1);
    let entry = engine.kept_or_made(&Want { patience: Duration::from_secs(20), ..want }, &pack).await;
    entry.expect("what was begun serves who comes next");
    let kept = page(&engine, &desk, first_page()).await;
    assert!(kept.changes.iter().any(|changes| matches!(changes, Changes::Packed(_))));
    assert!(!live.has_more && !kept.has_more && live.clock == kept.clock);
    let told = [live, kept].map(|page| page.unpacked().changes);
    assert!(told[0].len() > 100 && told[0] == told[1], "{} and {} changes", told[0].len(), told[1].len());
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

async fn an_answer_without_a_page_leaves_the_cursor_that_a_device_holds(database_url: Option<String>) {
    let (engine, desk, _folder) = show(database_url).await;
    name_ring(&engine, &desk, Uuid::now_v7(), 0, "Ring 1").await;
    let written = async || {
        engine.inner.writer.flush();
        let waiting = async {
            while !engine.inner.seen.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it is written");
        let mut tx = engine.begin_read_desk().await.expect("a transaction");
        people::oldest_cursor(&mut tx).await.expect("a number")
    };
    let first = page(&engine, &desk, first_page()).await;
    let (clock, etag) = (first.clock, first.etag);
    let ask = |cursor, known| PullQuery { cursor, known, ..first_page() };
    let second = page(&engine, &desk, ask(Some(first.cursor), None)).await;
    assert_eq!(written().await, Some(Seq(clock)));
    for known in [(None, etag), (Some(second.cursor), second.etag)] {
        let answer = engine.pull_packed(&desk, ask(known.0, Some(known.1))).await.expect("an answer");
        assert!(matches!(answer, Pulled::Unchanged(_)));
        assert_eq!(written().await, Some(Seq(clock)), "tombstones since then must stay for this device");
    }
}
