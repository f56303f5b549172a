//! The database of measurements while the desk is open: damaged, begun anew, and a show that was put back.

use std::path::PathBuf;

use showdesk_domain::ids::Seq;
use showdesk_testkit::{SetClock, on_both_engines, run_plain};
use tempfile::TempDir;

use super::*;
use crate::faults::tests::open;

on_both_engines![a_restore_that_is_noticed_while_the_desk_is_open_is_marked];

#[test]
fn a_file_that_is_found_damaged_makes_room_for_a_new_one() {
    run_plain(async {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
        let engine = open(&folder, None, &clock).await;
        let telemetry = &engine.inner.telemetry;
        let first = telemetry.opening();
        telemetry.db().expect("it is open").note_damage();
        assert!(matches!(telemetry.db(), Err(EngineError::RecordingOff)));
        assert!(telemetry.why_off().is_some_and(|why| why.contains("damaged")));
        engine.look_at_alerts().await.expect("rules are followed all the same");
        engine.open_telemetry_again().await;
        assert_eq!(telemetry.why_off(), None);
        assert_eq!(telemetry.opening().count, first.count + 1);
        assert!(folder.path().join(ASIDE).exists() && !folder.path().join(DAMAGED).exists());
        engine.open_telemetry_again().await;
        assert_eq!(telemetry.opening().count, first.count + 1, "one that is well is left alone");
        engine.close().await;
    });
}

/// A folder in which the measures' database can neither be opened nor moved aside, and both names.
fn blocked() -> (TempDir, [PathBuf; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let names = [TELEMETRY_FILE, ASIDE].map(|name| folder.path().join(name));
    for in_the_way in &names {
        std::fs::create_dir_all(in_the_way.join("more")).expect("made");
    }
    (folder, names)
}

#[test]
fn what_could_not_be_opened_is_opened_later() {
    run_plain(async {
        let (folder, blocks) = blocked();
        let engine = open(&folder, None, &SetClock::new()).await;
        let telemetry = &engine.inner.telemetry;
        assert!(telemetry.why_off().is_some());
        engine.open_telemetry_again().await;
        assert!(telemetry.why_off().is_some(), "it is still in the way");
        for block in blocks {
            std::fs::remove_dir_all(block).expect("removed");
        }
        engine.open_telemetry_again().await;
        assert_eq!((telemetry.why_off(), telemetry.opening().count), (None, 1));
        engine.close().await;
    });
}

#[test]
fn a_missing_handle_is_no_damage() {
    run_plain(async {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
        let engine = open(&folder, None, &clock).await;
        let telemetry = &engine.inner.telemetry;
        let elsewhere = tempfile::tempdir().expect("a folder");
        let refused = |name: &str| {
            let file = elsewhere.path().join(name);
            async move { Db::open_sqlite(&file).await.expect_err("it cannot be opened") }
        };
        std::fs::create_dir(elsewhere.path().join("folder")).expect("made");
        std::fs::write(elsewhere.path().join("text"), [0xa5; 8_192]).expect("written");
        let no_handle = refused("folder").await;
        assert!(no_handle.is_damage() && !no_handle.is_corruption(), "{no_handle:?}");
        let unread = StoreError::Corrupt { table: "a".to_owned(), column: "b".to_owned(), id: "1".to_owned() };
        for harmless in [no_handle, unread] {
            telemetry.heed(&harmless);
            telemetry.remember_damage();
            assert_eq!(telemetry.why_off(), None, "{harmless:?}");
            assert!(telemetry.db().is_ok() && !folder.path().join(DAMAGED).exists());
        }
        telemetry.heed(&refused("text").await);
        telemetry.remember_damage();
        assert!(telemetry.db().is_err() && folder.path().join(DAMAGED).exists());
        engine.close().await;
    });
}

#[test]
fn what_cannot_be_opened_while_the_desk_runs_is_not_moved_aside() {
    run_plain(async {
        let (folder, [file, aside]) = blocked();
        let engine = open(&folder, None, &SetClock::new()).await;
        std::fs::remove_dir_all(&aside).expect("removed");
        let telemetry = &engine.inner.telemetry;
        engine.open_telemetry_again().await;
        assert!(telemetry.why_off().is_some() && file.is_dir() && !aside.exists());
        std::fs::remove_dir_all(&file).expect("removed");
        std::fs::write(&file, [0xa5; 8_192]).expect("written");
        engine.open_telemetry_again().await;
        assert_eq!(telemetry.why_off(), None);
        assert!(aside.is_file(), "what is no database makes room");
        engine.close().await;
    });
}

#[test]
fn an_empty_file_takes_no_earlier_ones_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let [file, aside] = [TELEMETRY_FILE, ASIDE].map(|name| folder.path().join(name));
    for (found, kept) in [("rules", "rules"), ("", "rules"), ("others", "others")] {
        std::fs::write(&file, found).expect("written");
        move_aside(folder.path()).expect("it is moved");
        assert!(!file.exists());
        assert_eq!(std::fs::read_to_string(&aside).expect("it is read"), kept, "{found:?}");
    }
    move_aside(folder.path()).expect("there is nothing to move");
    assert!(aside.exists());
}

#[test]
fn what_is_being_opened_lets_the_file_go_when_the_desk_is_closed() {
    run_plain(async {
        let (folder, [file, aside]) = blocked();
        let engine = open(&folder, None, &SetClock::new()).await;
        for in_the_way in [&file, &aside] {
            std::fs::remove_dir_all(in_the_way).expect("removed");
        }
        let telemetry = &engine.inner.telemetry;
        // Somebody writes to the file: whoever opens it waits.
        let other = engine.db().open_telemetry().await.expect("it is opened");
        let mut writing = other.begin_write(Seat::Worker).await.expect("it begins");
        assert_eq!(recorders::last_run(&mut writing, telemetry.desk).await.expect("it is read"), None);
        let opening = tokio::spawn({
            let engine = engine.clone();
            async move { engine.open_telemetry_again().await }
        });
        engine.background().push(opening.abort_handle());
        let begun = async {
            while telemetry.being_opened.try_lock().is_ok() {
                tokio::task::yield_now().await;
            }
        };
        timeout(OPEN_TIME, begun).await.expect("it begins");
        engine.close().await;
        drop(writing);
        drop(timeout(OPEN_TIME, telemetry.being_opened.lock()).await.expect("it comes to its end"));
        let mut reading = other.begin_read(Seat::Worker).await.expect("it begins");
        assert_eq!(recorders::last_run(&mut reading, telemetry.desk).await.expect("it is read"), None);
        drop(reading);
        other.close().await;
        std::fs::write(&file, [0xa5; 8_192]).expect("written");
        engine.open_telemetry_again().await;
        assert!(telemetry.db().is_err() && !aside.exists(), "a closed desk touches nothing");
    });
}

async fn a_restore_that_is_noticed_while_the_desk_is_open_is_marked(database_url: Option<String>) {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), SetClock::new());
    let engine = open(&folder, database_url.clone(), &clock).await;
    engine.take_readings().await.expect("readings");
    // A number that this database has never reached was acknowledged.
    let before = engine.epoch().await.expect("an epoch");
    engine.inner.epoch.saw(before, Seq(1_000_000));
    assert_ne!(engine.compare_epoch().await.expect("it is compared"), before);
    for _ in 0..2 {
        engine.take_readings().await.expect("readings");
    }
    engine.close().await;
    drop(engine);
    let engine = open(&folder, database_url, &clock).await;
    let mut tx = engine.begin_read_telemetry().await.expect("it is read");
    let span = (engine.now() - TimeDelta::hours(1), engine.now() + TimeDelta::hours(1));
    let markers = recorders::markers_between(&mut tx, span, 10).await.expect("markers");
    let restores = markers.iter().filter(|marker| marker.kind == "restore").count();
    assert_eq!(restores, 1, "{markers:?}");
    drop(tx);
    engine.close().await;
}
