//! Nothing that was taken up is lost, no phone takes the others' room, and its clock is known.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::timeout;

use super::*;
use crate::seen::SeenNote;

on_both_engines![
    what_was_taken_up_is_written_when_the_show_is_closed,
    a_phone_has_its_share_of_problems,
    a_phones_clock_is_known_after_it_was_written_down,
];

async fn until(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("it becomes so");
}

async fn what_was_taken_up_is_written_when_the_show_is_closed(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let own: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let options = Options { database_url: database_url.clone(), clock: own, ..Options::new(folder.path()) };
    let engine = Engine::open(options).await.expect("a show");
    engine.note_fault(Fault { kind: "internal".to_owned(), message: "the last words".to_owned(), ..Fault::default() });
    // It is out of the channel, and more is waited for before it is written.
    until(|| !engine.inner.intake.held().is_empty()).await;
    engine.close().await;
    assert_eq!(engine.faults_dropped(), 0);
    drop(engine);
    let engine = open(&folder, database_url, &clock).await;
    let kept = listed(&engine, None).await;
    assert_eq!(kept.iter().map(|item| (item.title.as_str(), item.count)).collect::<Vec<_>>(), [("the last words", 1)]);
    engine.close().await;
}

fn of_phone(name: impl std::fmt::Display, phone: u128) -> Fault {
    Fault {
        key: Some(name.to_string()),
        kind: "TypeError".to_owned(),
        message: "it broke".to_owned(),
        device: Some(Uuid::from_u128(phone)),
        is_phones: true,
        ..Fault::default()
    }
}

async fn a_phone_has_its_share_of_problems(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url, &clock).await;
    let count = async || {
        let mut tx = engine.begin_read_telemetry().await.expect("it is read");
        rows::count(&mut tx).await.expect("a count")
    };
    for batch in 0..2 {
        (0..150).for_each(|n| engine.note_fault(of_phone(batch * 150 + n, 1)));
        write(&engine).await;
    }
    assert_eq!((count().await, engine.faults_dropped()), (200, 100), "one page made 300 problems up");
    engine.note_fault(of_phone(7, 1));
    engine.note_fault(of_phone("of another phone", 2));
    engine.note_fault(of_phone("of both", 1));
    engine.note_fault(of_phone("of both", 2));
    engine.note_fault(Fault { is_phones: false, ..of_phone("of the desk", 1) });
    write(&engine).await;
    assert_eq!((count().await, engine.faults_dropped()), (203, 100), "others have room, and what is known is counted");
    engine.close().await;
}

async fn a_phones_clock_is_known_after_it_was_written_down(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url, &clock).await;
    let actor = engine.desk_actor().await.expect("the desk");
    let ahead = TimeDelta::minutes(2);
    let skew_ms = Some(ahead.num_milliseconds());
    engine.inner.seen.note(actor.device, SeenNote { skew_ms, ..SeenNote::at(engine.now()) });
    engine.inner.writer.flush();
    until(|| engine.inner.seen.is_empty()).await;
    let at = engine.now() - TimeDelta::seconds(30);
    let told = serde_json::json!({"error_type": "TypeError", "message": "it broke", "at": (at + ahead).to_rfc3339()});
    engine.take_errors(&actor, vec![serde_json::from_value(told).expect("a report")]).await;
    write(&engine).await;
    let group = listed(&engine, None).await.remove(0);
    assert_eq!(group.last_seen, at, "by the laptop's clock");
    engine.close().await;
}
