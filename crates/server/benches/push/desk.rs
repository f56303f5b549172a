//! The measured side: a county show on `SQLite`, served on loopback from a folder of its own.

use std::path::PathBuf;

use hyper::Method;
use rusqlite::{Connection as Sqlite, OpenFlags};
use serde_json::{Value as Json, json};
use showdesk_server::engine::{DemoSize, Engine};
use showdesk_server::{RunningServer, Server, ServerOptions};
use tempfile::TempDir;

use crate::connection::Connection;
use crate::phone::Phone;

/// The running desk.
pub(crate) struct Desk {
    folder: TempDir,
    server: RunningServer,
}

/// What a database holds that a push adds to.
pub(crate) struct Kept {
    ops: usize,
    applied: usize,
    versions: usize,
    clock: usize,
    /// Versions of all exhibitors and animals together.
    written: usize,
    exhibitors: usize,
}

impl Desk {
    /// Serves a county show in stage B, where check-in writes.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temp folder");
        let loopback = "127.0.0.1:0".parse().expect("an address");
        let options =
            ServerOptions { http: loopback, admin: loopback, limits: false, ..ServerOptions::new(folder.path()) };
        let server = Server::start(options).await.expect("the desk starts");
        fill(&server.engine).await;
        Self { folder, server }
    }

    /// Phones that joined as people do: a code, a claim, Allow.
    pub(crate) async fn phones(&self, count: usize) -> Vec<Phone> {
        let mut office = Connection::open(self.server.admin, Some(self.server.admin_token.clone())).await;
        let mut stranger = Connection::open(self.server.http, None).await;
        let opened = json!({"functions": ["superintendent", "checkin"], "mode": "open"});
        let opened = office.json(Method::POST, "/admin/pairings", &opened).await;
        let mut phones = Vec::with_capacity(count);
        for number in 0..count {
            let claim = json!({"code": opened["code"], "device_name": format!("Phone {number}"), "platform": "web"});
            let claimed = stranger.json(Method::POST, "/pairing/claim", &claim).await;
            let waiting = office.json(Method::GET, "/admin/pairings?status=waiting", &json!({})).await;
            let allow = format!("/admin/pairings/{}/approve", text(&waiting["items"][0]["pairing_id"]));
            office.json(Method::POST, &allow, &json!({})).await;
            let path = format!("/pairing/{}", text(&claimed["pairing_id"]));
            let approved = stranger.json(Method::GET, &path, &json!({})).await;
            let token = text(&approved["token"]).to_owned();
            phones.push(Phone::join(number, Connection::open(self.server.http, Some(token)).await).await);
        }
        phones
    }

    /// The folder of a second, untouched county show with the very same schema.
    pub(crate) async fn seed(&self) -> TempDir {
        let folder = tempfile::tempdir().expect("a temp folder");
        let options = ServerOptions::new(folder.path()).engine;
        let engine = Engine::open(options).await.expect("a second show");
        fill(&engine).await;
        engine.close().await;
        folder
    }

    /// What is on disk now.
    pub(crate) fn kept(&self) -> Kept {
        Kept::read(&self.folder)
    }

    /// Stops serving; answers what is on disk then.
    pub(crate) async fn stop(self) -> Kept {
        self.server.stop().await;
        Kept::read(&self.folder)
    }
}

impl Kept {
    fn read(folder: &TempDir) -> Self {
        let sqlite = Sqlite::open_with_flags(database(folder), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the show");
        let count = |sql: &str| {
            let number: i64 = sqlite.query_row(sql, [], |row| row.get(0)).expect("a number");
            usize::try_from(number).expect("a count")
        };
        let sum = |table: &str| count(&format!("SELECT SUM(version) FROM {table}"));
        Self {
            ops: count("SELECT COUNT(*) FROM sync_queue"),
            applied: count("SELECT COUNT(*) FROM sync_queue WHERE verdict = 'applied'"),
            versions: count("SELECT COUNT(*) FROM record_history"),
            clock: count("SELECT clock FROM sync_meta"),
            written: sum("exhibitors") + sum("animals"),
            exhibitors: count("SELECT COUNT(*) FROM exhibitors"),
        }
    }

    /// Every pushed op is there once, with its version, its history and its number.
    pub(crate) fn check_grown(&self, later: &Self, pushed: usize) {
        for (what, before, after) in [
            ("ops", self.ops, later.ops),
            ("applied ops", self.applied, later.applied),
            ("versions in the history", self.versions, later.versions),
            ("changes counted by the clock", self.clock, later.clock),
            ("versions of exhibitors and animals", self.written, later.written),
        ] {
            assert_eq!(after - before, pushed, "{what}");
        }
        assert_eq!(later.exhibitors - self.exhibitors, pushed / 2, "new exhibitors");
    }
}

/// The database file in a show's folder.
pub(crate) fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("showdesk.sqlite")
}

async fn fill(engine: &Engine) {
    let actor = engine.desk_actor().await.expect("the desk itself");
    engine.fill_demo(&actor, DemoSize::County, "B").await.expect("the invented show");
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_else(|| panic!("a text is expected, not {json}"))
}
