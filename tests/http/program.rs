//! The program under test: started, killed, started again on the same folder and database.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a start or a stop may take on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Where the show is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A data folder with its database, and the program if it runs.
pub(crate) struct Program {
    folder: TempDir,
    database_url: Option<String>,
    running: Option<Child>,
    pub(crate) http: String,
    pub(crate) admin: String,
}

impl Program {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::start_on(match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(showdesk_testkit::fresh_database_url().await),
        })
        .await
    }

    /// With a new data folder; on this database, which other desks may use, or on a new one in the folder.
    pub(crate) async fn start_on(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the show");
        let mut program = Self { folder, database_url, running: None, http: String::new(), admin: String::new() };
        program.start_again().await;
        program
    }

    /// Starts the program on what is there.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let mut child = self
            .command("serve")
            .args(["--http", "127.0.0.1:0", "--https", "off", "--admin", "127.0.0.1:0", "--limits", "off"])
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("its output is read");
        let mut line = String::new();
        let read = timeout(DEADLINE, BufReader::new(output).read_line(&mut line)).await;
        read.expect("it is ready in time").expect("its output can be read");
        let ready: Json = serde_json::from_str(&line).unwrap_or_else(|_| panic!("one line of JSON, not {line:?}"));
        assert_eq!(ready["ready"], true);
        assert_eq!(ready["https"], Json::Null);
        ready["http"].as_str().expect("the phones' address").clone_into(&mut self.http);
        ready["admin"].as_str().expect("the desk's address").clone_into(&mut self.admin);
        self.running = Some(child);
    }

    /// A command of the program on this show, killed with its handle.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_showdesk-server"));
        command.arg(name).arg("--data-dir").arg(self.folder());
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        command.env("RUST_LOG", "warn");
        command
    }

    /// kill -9, in the middle of whatever it does.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.running.take().expect("it runs");
        child.kill().await.expect("it can be killed");
    }

    /// SIGTERM; answers how it ended and how long that took.
    pub(crate) async fn terminate(&mut self) -> (ExitStatus, Duration) {
        let mut child = self.running.take().expect("it runs");
        let id = child.id().expect("it has not ended").to_string();
        let asked = std::time::Instant::now();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await.expect("kill is there");
        assert!(sent.success());
        let ended = timeout(DEADLINE, child.wait()).await.expect("it ends").expect("its end can be read");
        (ended, asked.elapsed())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn admin_token_file(&self) -> PathBuf {
        self.folder().join("admin.token")
    }
}
