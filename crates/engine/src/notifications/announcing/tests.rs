//! What changes between a request and its transaction.

use showdesk_store::db::Seat;

use super::*;
use crate::api::notifications::NewMessage;
use crate::{DemoSize, Options};

/// A class is moved after somebody's message before it was looked at, and before it is written.
#[tokio::test]
async fn a_message_goes_out_before_its_class_wherever_that_was_moved_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(Options::new(folder.path())).await.expect("a show");
    engine.background().drain(..).for_each(|task| task.abort());
    let desk = engine.desk_actor().await.expect("the desk");
    engine.fill_demo(&desk, DemoSize::Small, "D").await.expect("a show with classes");
    let mut tx = engine.db().begin_read(Seat::Owner).await.expect("a transaction");
    let classes = records::load_all(&mut tx, known_table("classes")).await.expect("classes");
    drop(tx);
    let planned = |class: &showdesk_domain::record::Record| class.value("planned_at").as_instant();
    let far = classes.iter().filter_map(planned).max().expect("a class with a time");
    let class = classes.iter().find(|class| planned(class) == Some(far)).expect("that class");
    let asked = json!({
        "title": "Get ready", "before_class": {"class_id": class.id.0, "minutes": 15}, "undo_seconds": 8,
        "audience": {"everybody": true}, "send_at": null,
    });
    let asked: NewMessage = serde_json::from_value(asked).expect("a message");
    let id = Uuid::now_v7();
    let looked_at = engine.message_row(&desk, asked, id).await.expect("it can be sent");
    // What the request saw is an hour old when it is written.
    let row = NotificationRow { send_at: Some(far - TimeDelta::minutes(75)), ..looked_at };
    let note = note(&desk, "message_scheduled", id, engine.now(), Some(json!({})));
    let author = engine.author_of(desk.clone());
    let send = Send { author, row: row.clone(), undo_until: None, op: None, note: note.clone() };
    let due = Some(far - TimeDelta::minutes(15));
    assert_eq!(engine.do_message_work(send).await.expect("written"), due);
    let change = |undo_until| Change { row: row.clone(), undo_until, was: None, note: note.clone() };
    assert_eq!(engine.do_message_work(change(None)).await.expect("written"), due);
    let mut tx = engine.db().begin_read(Seat::Owner).await.expect("a transaction");
    assert_eq!(rows::load(&mut tx, &[id]).await.expect("the message")[0].send_at, due);
    drop(tx);
    let undo_until = Some(far + TimeDelta::seconds(8));
    assert_eq!(engine.do_message_work(change(undo_until)).await.expect("written"), undo_until, "it can be undone");
    engine.close().await;
}
