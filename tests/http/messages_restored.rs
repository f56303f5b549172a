//! Messages after an older database was put back: what it knows is believed and nothing more; phones tell the rest again,
//! and what comes again is the message that it was.

use serde_json::{Value as Json, json};

use crate::desk::Desk;
use crate::epoch::Show;
use crate::live_messages::Stream;
use crate::messages::{acked, message, notices, sent, titles};
use crate::on_both_engines;
use crate::phone::{fresh, insert, with};
use crate::seed::set_stage;

on_both_engines!(Show::start => what_a_restore_took_is_not_called_confirmed_and_comes_again_as_itself);

async fn counted(desk: &Desk, id: &Json) -> (i64, i64, i64) {
    let counts = message(desk, id).await["counts"].clone();
    let count = |name: &str| counts[name].as_i64().expect("a number");
    (count("waiting"), count("seen"), count("confirmed"))
}

async fn what_a_restore_took_is_not_called_confirmed_and_comes_again_as_itself(mut show: Show) {
    set_stage(&show.desk, "B").await;
    let mut gate = show.desk.phone("Gate", &["gate"]).await;
    let mut maria = show.desk.phone("Maria Lopez", &["announcer"]).await;
    let everybody = |title: &str| json!({"title": title, "priority": "high", "audience": {"functions": ["gate"]}});
    let known = sent(&show.desk, everybody("Known")).await["id"].clone();
    assert_eq!(acked(&gate, &known, "seen").await, 1);
    show.stop().await;
    let copy = show.copy().await;
    show.start_again().await;
    gate.moved_to(&show.desk.program.http).await;
    maria.moved_to(&show.desk.program.http).await;
    let old = show.epoch();

    let lost = sent(&show.desk, everybody("Lost")).await["id"].clone();
    for id in [&known, &lost] {
        assert_eq!(acked(&gate, id, "confirmed").await, 1);
        assert_eq!(counted(&show.desk, id).await, (0, 0, 1));
    }
    let storm =
        insert("announcements", &fresh(), json!({"type": "weather", "title": "Lightning", "priority": "urgent"}));
    maria.apply(std::slice::from_ref(&storm)).await;
    let before = notices(&gate, 0).await;
    let first_storm = before["items"].as_array().expect("items").last().expect("a message").clone();
    assert_eq!(first_storm["title"], "Lightning");
    let heard = before["latest"].as_i64().expect("a number");

    show.stop().await;
    show.put_back(&copy).await;
    show.start_again().await;
    gate.moved_to(&show.desk.program.http).await;
    maria.moved_to(&show.desk.program.http).await;
    assert_ne!(show.epoch(), old);
    let page = notices(&gate, heard).await;
    assert!(titles(&page).is_empty() && page["latest"].as_i64() < Some(heard), "the phone begins anew: {page}");
    let page = notices(&gate, 0).await;
    assert_eq!((titles(&page), &page["items"][0]["state"]), (vec!["Known"], &json!("seen")));
    assert_eq!(counted(&show.desk, &known).await, (0, 1, 0), "nobody knows here that it was confirmed");
    show.desk.get(&format!("/admin/notifications/{}", lost.as_str().expect("an id"))).await.expect_problem(404);
    assert_eq!(Stream::of(&gate, Some(heard)).await.notice().await["id"], known, "the stream begins anew, too");
    // The phone tells again what became of everything.
    assert_eq!(acked(&gate, &lost, "confirmed").await, 0, "what is not known here changes nothing");
    assert_eq!(acked(&gate, &known, "confirmed").await, 1);
    assert_eq!(counted(&show.desk, &known).await, (0, 0, 1));

    let given_back = with(maria.envelope(std::slice::from_ref(&storm)), "recovered_from", old);
    let result = maria.push_envelope(&given_back).await.expect_status(200)["results"][0].clone();
    assert_eq!((&result["verdict"], &result["kind"]), (&json!("conflict"), &json!("restored_server")), "{result}");
    assert_eq!(titles(&notices(&gate, 0).await), ["Known"], "nobody is told before somebody has decided");
    let clash = show.desk.conflict(&result["conflict_id"]).await;
    show.desk.resolve(&clash, "client_wins", None).await.expect_status(200);
    let page = notices(&gate, 0).await;
    assert_eq!(titles(&page), ["Known", "Lightning"], "each once");
    assert_eq!(page["items"][1]["id"], first_storm["id"], "a phone knows it again");
}
