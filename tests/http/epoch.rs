//! A database that is older than what was acknowledged begins a new epoch, and phones hear of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use showdesk_testkit::{DatabaseCopy, OwnDatabase, ShowCopy, remove_show_files};

use crate::desk::Desk;
use crate::live::Events;
use crate::on_both_engines;
use crate::phone::{Phone, fresh, insert, send, update, with};
use crate::program::{Engine, Program};
use crate::seed::seed;

/// The mark beside the database.
const MARK: &str = "epoch.mark";

/// A show whose database can be put back to an earlier state.
pub(crate) struct Show {
    pub(crate) desk: Desk,
    database: Option<OwnDatabase>,
}

impl Show {
    pub(crate) async fn start(engine: Engine) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(OwnDatabase::new().await),
        };
        let url = database.as_ref().map(OwnDatabase::url);
        Self { desk: Desk::of(Program::start_on(url).await).await, database }
    }

    pub(crate) async fn stop(&mut self) {
        let (ended, _) = self.desk.program.terminate().await;
        assert!(ended.success(), "{ended}");
    }

    pub(crate) async fn start_again(&mut self) {
        self.desk.start_again().await;
    }

    /// Copies the database of the stopped desk; the mark beside it is no part of it.
    pub(crate) async fn copy(&self) -> ShowCopy {
        ShowCopy::of(self.folder(), self.database.as_ref()).await
    }

    /// Puts the copy in the place of the stopped desk's database.
    pub(crate) async fn put_back(&self, copy: &ShowCopy) {
        copy.put_back(self.folder(), self.database.as_ref()).await;
    }

    fn folder(&self) -> &Path {
        self.desk.program.folder()
    }

    pub(crate) fn epoch(&self) -> Json {
        self.desk.epoch.clone()
    }

    async fn phone(&self) -> Phone {
        self.desk.phone("Office phone", &["admin"]).await
    }

    /// Adds rings, so that the clock moves on.
    async fn work(&self, rings: usize) -> Vec<Json> {
        let ops: Vec<Json> = (0..rings).map(|n| insert("rings", &fresh(), json!({"name": format!("R{n}")}))).collect();
        self.desk.apply(&ops).await;
        ops
    }
}

on_both_engines!(Show::start =>
    a_restart_keeps_the_epoch,
    a_database_that_was_put_back_has_a_new_epoch,
    an_epoch_that_was_left_is_never_taken_up_again,
    one_torn_slot_changes_nothing,
    a_lost_mark_is_believed_on_a_server_only,
    what_is_given_back_comes_from_another_epoch,
    phones_give_back_what_a_restore_took,
    a_new_database_in_an_old_folder_is_another_show,
    a_whole_folder_that_was_put_back_is_proven_by_the_first_cursor,
);

async fn a_restart_keeps_the_epoch(mut show: Show) {
    let epoch = show.epoch();
    for round in 0..3 {
        show.work(3).await;
        if round == 1 {
            show.desk.program.kill().await;
        } else {
            show.stop().await;
        }
        show.start_again().await;
        assert_eq!(show.epoch(), epoch, "round {round}");
    }
}

async fn a_database_that_was_put_back_has_a_new_epoch(mut show: Show) {
    let mut phone = show.phone().await;
    let kept = show.work(2).await;
    show.stop().await;
    let copy = show.copy().await;
    show.start_again().await;
    phone.moved_to(&show.desk.program.http).await;
    let old = show.epoch();
    let exhibitor = insert("exhibitors", &fresh(), json!({"first_name": "Nora", "last_name": "Birch"}));
    let acknowledged = phone.apply(std::slice::from_ref(&exhibitor)).await;
    let mut rows = BTreeMap::new();
    let cursor = phone.pull_after(None, 500, &mut rows).await;
    let before = phone.envelope(&[insert("exhibitors", &fresh(), json!({"first_name": "Ida", "last_name": "Reed"}))]);
    show.stop().await;
    show.put_back(&copy).await;
    show.start_again().await;
    let epoch = show.epoch();
    assert_ne!(epoch, old, "{} was acknowledged and is gone", acknowledged[0]);

    phone.moved_to(&show.desk.program.http).await;
    let refused = phone.push_envelope(&before).await.expect_problem(409);
    assert_eq!((&refused["code"], &refused["epoch"]), (&json!("epoch_mismatch"), &epoch));
    let refused = phone.pull(&format!("?cursor={cursor}")).await.expect_problem(409);
    assert_eq!((&refused["code"], &refused["epoch"]), (&json!("epoch_mismatch"), &epoch));
    assert_eq!(phone.status_of(&exhibitor["op_id"]).await["verdict"], "unknown");
    assert_eq!(phone.status_of(&before["ops"][0]["op_id"]).await["verdict"], "unknown", "nothing was written");
    let rows = phone.pull_all().await;
    let ids: Vec<&str> = rows.keys().map(|(_, id)| id.as_str()).collect();
    for op in &kept {
        assert!(ids.contains(&op["record_id"].as_str().expect("an id")), "the backup's own rows are there");
    }
    assert!(!ids.contains(&exhibitor["record_id"].as_str().expect("an id")));
    let ping = send(show.desk.stranger(reqwest::Method::GET, "/ping")).await.expect_status(200);
    assert_eq!(ping["epoch"], epoch);
    show.stop().await;
    show.start_again().await;
    assert_eq!(show.epoch(), epoch, "one restore is one new epoch");
}

async fn an_epoch_that_was_left_is_never_taken_up_again(mut show: Show) {
    let first = show.epoch();
    show.stop().await;
    let early = show.copy().await;
    show.start_again().await;
    show.work(40).await;
    show.stop().await;
    let late = show.copy().await;
    show.put_back(&early).await;
    show.start_again().await;
    let second = show.epoch();
    assert_ne!(second, first);
    show.stop().await;
    // It is further on than anything the second epoch has seen.
    show.put_back(&late).await;
    show.start_again().await;
    let third = show.epoch();
    assert!(third != first && third != second, "{first} {second} {third}");
}

async fn one_torn_slot_changes_nothing(mut show: Show) {
    show.work(2).await;
    let epoch = show.epoch();
    for page in [0, 4_096] {
        show.stop().await;
        let mark = show.folder().join(MARK);
        let mut bytes = fs::read(&mark).expect("the mark");
        bytes[page..page + 40].fill(0xff);
        fs::write(&mark, &bytes).expect("written");
        show.start_again().await;
        assert_eq!(show.epoch(), epoch, "page {page}");
        show.work(2).await;
    }
}

async fn a_lost_mark_is_believed_on_a_server_only(mut show: Show) {
    show.work(2).await;
    let epoch = show.epoch();
    show.stop().await;
    fs::remove_file(show.folder().join(MARK)).expect("removed");
    show.start_again().await;
    let now = show.epoch();
    // A file without a mark may be any copy of itself; a server is asked by desks that come new.
    assert_eq!(now == epoch, show.database.is_some(), "{epoch} {now}");
    show.stop().await;
    show.start_again().await;
    assert_eq!(show.epoch(), now);
}

async fn what_is_given_back_comes_from_another_epoch(show: Show) {
    let phone = show.phone().await;
    let op = insert("exhibitors", &fresh(), json!({"first_name": "Nora", "last_name": "Birch"}));
    let from_here = with(phone.envelope(std::slice::from_ref(&op)), "recovered_from", phone.epoch.clone());
    let refused = phone.push_envelope(&from_here).await.expect_problem(400);
    assert_eq!(refused["code"], "invalid_envelope");
    assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "unknown");
    // The epochs between a backup and the loss of its laptop are known to nobody but the phones.
    let from_elsewhere = with(phone.envelope(std::slice::from_ref(&op)), "recovered_from", json!(uuid::Uuid::new_v4()));
    phone.push_envelope(&from_elsewhere).await.expect_status(200);
    assert_ne!(phone.status_of(&op["op_id"]).await["verdict"], "unknown");
}

/// Whoever copies the mark along leaves nothing on the laptop that knows better; phones do.
async fn a_whole_folder_that_was_put_back_is_proven_by_the_first_cursor(mut show: Show) {
    let mut phone = show.phone().await;
    show.stop().await;
    let (copy, mark) = (show.copy().await, fs::read(show.folder().join(MARK)).expect("the mark"));
    show.start_again().await;
    phone.moved_to(&show.desk.program.http).await;
    let old = show.epoch();
    show.work(10).await;
    let cursor = phone.pull_after(None, 500, &mut BTreeMap::new()).await;
    show.stop().await;
    show.put_back(&copy).await;
    fs::write(show.folder().join(MARK), mark).expect("written");
    show.start_again().await;
    phone.moved_to(&show.desk.program.http).await;
    assert_eq!(phone.epoch, old, "nothing here tells");
    let refused = phone.pull(&format!("?cursor={cursor}")).await.expect_problem(409);
    assert_eq!(refused["code"], "epoch_mismatch");
    assert_ne!(refused["epoch"], old);
    let stale = phone.envelope(&[insert("rings", &fresh(), json!({"name": "Ring 1"}))]);
    assert_eq!(phone.push_envelope(&stale).await.expect_problem(409)["epoch"], refused["epoch"]);
    show.stop().await;
    show.start_again().await;
    assert_eq!(show.epoch(), refused["epoch"], "and it is remembered");
}

async fn phones_give_back_what_a_restore_took(mut show: Show) {
    let seed = seed(&show.desk).await;
    let mut phone = show.phone().await;
    show.stop().await;
    let copy = show.copy().await;
    show.start_again().await;
    phone.moved_to(&show.desk.program.http).await;
    let old = phone.epoch.clone();
    let exhibitor = fresh();
    let first = update("animals", &seed.steer, 1, json!({"pen": "D1"}), json!({"pen": "C1"}));
    let second = update("animals", &seed.steer, 2, json!({"pen": "D2"}), json!({"pen": "D1"}));
    let added = insert("exhibitors", &exhibitor, json!({"first_name": "Ida", "last_name": "Reed"}));
    let same = update("animals", &seed.hog, 1, json!({"pen": "E5"}), json!({"pen": null}));
    let ops = [first, second, added, same];
    phone.apply(&ops).await;

    show.stop().await;
    show.put_back(&copy).await;
    show.start_again().await;
    phone.moved_to(&show.desk.program.http).await;
    assert_ne!(phone.epoch, old);
    for op in &ops {
        assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "unknown");
    }
    // The office has typed one of them in again.
    show.desk.apply(&[update("animals", &seed.hog, 1, json!({"pen": "E5"}), json!({"pen": null}))]).await;

    let given_back = with(phone.envelope(&ops), "recovered_from", old);
    let answer = phone.push_envelope(&given_back).await.expect_status(200);
    let results = answer["results"].as_array().expect("results");
    let verdicts: Vec<&str> = results.iter().filter_map(|result| result["verdict"].as_str()).collect();
    assert_eq!(verdicts, ["conflict", "held", "conflict", "noop"], "{results:?}");
    assert_eq!(results[0]["kind"], "restored_server");
    assert_eq!(results[1]["conflict_id"], results[0]["conflict_id"], "a record's chain is one clash");
    assert_eq!(show.desk.data("animals", &seed.steer).await["pen"], "C1", "nothing is written before somebody decides");
    assert!(show.desk.change("exhibitors", &exhibitor).await.is_null());

    let open = show.desk.conflicts("open").await;
    assert_eq!(open.len(), 2);
    assert!(open.iter().all(|clash| clash["kind"] == "restored_server"), "{open:?}");
    for clash in &open {
        let shown = show.desk.conflict(&clash["id"]).await;
        show.desk.resolve(&shown, "client_wins", None).await.expect_status(200);
    }
    assert_eq!(show.desk.data("animals", &seed.steer).await["pen"], "D2");
    assert_eq!(show.desk.data("exhibitors", &exhibitor).await["last_name"], "Reed");
    for op in &ops {
        let now = phone.status_of(&op["op_id"]).await;
        assert!(["merged", "noop"].contains(&now["verdict"].as_str().expect("a verdict")), "{now}");
    }
    let again = phone.push_envelope(&given_back).await.expect_status(200);
    for result in again["results"].as_array().expect("results") {
        assert_eq!(result["replayed"], true, "{result}");
    }
    assert!(show.desk.conflicts("open").await.is_empty());
}

async fn a_new_database_in_an_old_folder_is_another_show(mut show: Show) {
    let phone = show.phone().await;
    let epoch = show.epoch();
    show.work(2).await;
    show.stop().await;
    match &show.database {
        Some(database) => database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await,
        None => remove_show_files(show.folder()),
    }
    let desk = Desk::of_restarted(show.desk).await;
    assert_ne!(desk.epoch, epoch);
    let request = desk.stranger(reqwest::Method::GET, "/sync/hello").bearer_auth(phone.token());
    send(request).await.expect_problem(401);
    desk.apply(&[insert("rings", &fresh(), json!({"name": "Ring 1"}))]).await;
}

/// A database on a server is put back while the desk runs; a file is held open and cannot be.
mod a_server_put_back_under_a_running_desk {
    use super::*;

    #[tokio::test]
    async fn is_noticed_by_the_next_push() {
        let (show, phone, copy) = before().await;
        let old = show.epoch();
        show.database.as_ref().expect("a server").put_back(&copy).await;
        let op = insert("exhibitors", &fresh(), json!({"first_name": "Ida", "last_name": "Reed"}));
        let refused = phone.push_envelope(&phone.envelope(std::slice::from_ref(&op))).await.expect_problem(409);
        assert_eq!(refused["code"], "epoch_mismatch");
        assert_ne!(refused["epoch"], old);
        assert_eq!(phone.status_of(&op["op_id"]).await["verdict"], "unknown", "nothing was written");
        let hello = send(phone.request(reqwest::Method::GET, "/sync/hello")).await.expect_status(200);
        assert_eq!(hello["epoch"], refused["epoch"], "and it stays so");
    }

    #[tokio::test]
    async fn is_proven_by_a_cursor_and_told_to_the_streams() {
        let (show, phone, copy) = before().await;
        let mut events = Events::of(&phone).await;
        events.wait_for("poke", |_| true).await;
        let mut rows = BTreeMap::new();
        let cursor = phone.pull_after(None, 500, &mut rows).await;
        show.database.as_ref().expect("a server").put_back(&copy).await;
        let refused = phone.pull(&format!("?cursor={cursor}")).await.expect_problem(409);
        assert_eq!(refused["code"], "epoch_mismatch");
        assert_ne!(refused["epoch"], show.epoch());
        assert_eq!(events.wait_for("bye", |_| true).await["reason"], "epoch");
    }

    async fn before() -> (Show, Phone, DatabaseCopy) {
        let mut show = Show::start(Engine::Postgres).await;
        let mut phone = show.phone().await;
        show.stop().await;
        let ShowCopy::Database(copy) = show.copy().await else { unreachable!("it is a server") };
        show.start_again().await;
        phone.moved_to(&show.desk.program.http).await;
        show.work(20).await;
        (show, phone, copy)
    }
}

/// The clock of a file is turned back under the running desk, as a copy of an older file over it would.
mod a_file_turned_back_under_a_running_desk {
    use super::*;

    #[tokio::test]
    async fn is_proven_by_a_cursor_and_told_to_the_streams() {
        let show = Show::start(Engine::Sqlite).await;
        let phone = show.phone().await;
        show.work(20).await;
        let mut events = Events::of(&phone).await;
        events.wait_for("poke", |_| true).await;
        let mut rows = BTreeMap::new();
        let cursor = phone.pull_after(None, 500, &mut rows).await;
        let file = rusqlite::Connection::open(show.folder().join("showdesk.sqlite")).expect("the file");
        let back = "UPDATE sync_meta SET clock = clock - 10; \
                    DELETE FROM sync_changes WHERE seq > (SELECT clock FROM sync_meta); \
                    DELETE FROM record_history WHERE seq > (SELECT clock FROM sync_meta);";
        file.execute_batch(back).expect("turned back");
        let refused = phone.pull(&format!("?cursor={cursor}")).await.expect_problem(409);
        assert_eq!(refused["code"], "epoch_mismatch");
        assert_ne!(refused["epoch"], show.epoch());
        assert_eq!(events.wait_for("bye", |_| true).await["reason"], "epoch");
    }
}
