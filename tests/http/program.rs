//! The program under test: started, killed, started again on the same folder and database.

use std::fs::File;
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

/// What a person logs who looks for a fault.
const OWN_CODE_TRACED: &str = "info,showdesk=trace,showdesk_server=trace,showdesk_engine=trace,showdesk_store=trace";

/// Where the show is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A data folder with its database, and the program if it runs.
pub(crate) struct Program {
    folder: TempDir,
    pub(crate) database_url: Option<String>,
    running: Option<Child>,
    /// Whether the next start has limits of rate.
    pub(crate) is_limited: bool,
    /// Where the next start writes everything that its own code can say.
    pub(crate) trace: Option<PathBuf>,
    /// Where the next start serves HTTPS, or `off`.
    pub(crate) https_at: &'static str,
    /// Whether the next start finds the key of the show's secrets: without it there is no HTTPS at first.
    pub(crate) has_key: bool,
    pub(crate) http: String,
    /// Null without HTTPS.
    pub(crate) https: Json,
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
        let mut program = Self::new(database_url);
        program.start_again().await;
        program
    }

    /// Everything that its own code can say goes to this file, from the first moment of the show.
    pub(crate) async fn traced(engine: Engine, log: &Path) -> Self {
        let mut program = Self::new(match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(showdesk_testkit::fresh_database_url().await),
        });
        program.trace = Some(log.to_owned());
        program.start_again().await;
        program
    }

    /// Not started yet.
    fn new(database_url: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the show");
        let (http, admin) = (String::new(), String::new());
        let (is_limited, trace, https_at, has_key, https) = (false, None, "off", true, Json::Null);
        Self { folder, database_url, running: None, is_limited, trace, https_at, has_key, http, https, admin }
    }

    /// Starts the program on what is there.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let mut child = self
            .command("serve")
            .args(["--http", "127.0.0.1:0", "--https", self.https_at, "--admin", "127.0.0.1:0", "--secrets", "file"])
            .args(["--limits", if self.is_limited { "on" } else { "off" }])
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("its output is read");
        let mut line = String::new();
        let read = timeout(DEADLINE, BufReader::new(output).read_line(&mut line)).await;
        read.expect("it is ready in time").expect("its output can be read");
        let ready: Json = serde_json::from_str(&line).unwrap_or_else(|_| panic!("one line of JSON, not {line:?}"));
        assert_eq!(ready["ready"], true);
        self.https = ready["https"].clone();
        assert_eq!(self.https.is_null(), self.https_at == "off" || !self.has_key);
        ready["http"].as_str().expect("the phones' address").clone_into(&mut self.http);
        ready["admin"].as_str().expect("the desk's address").clone_into(&mut self.admin);
        self.running = Some(child);
    }

    /// A command of the program on this show, killed with its handle.
    pub(crate) fn command(&self, name: &str) -> Command {
        // Another crate of the workspace has the client speak TLS, and then a client needs a provider, also for plain HTTP.
        // It is there already if another case of this process was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_showdesk-server"));
        command.arg(name).arg("--data-dir").arg(self.folder());
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        command.env("RUST_LOG", "warn");
        if let Some(path) = &self.trace {
            let log = File::options().create(true).append(true).open(path).expect("a log");
            command.stderr(log).env("RUST_LOG", OWN_CODE_TRACED).env("NO_COLOR", "1");
        }
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

    /// What a copy of the Postgres database holds.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        [self.dump_of("").await, self.dump_of("_telemetry").await].concat()
    }

    /// The same of the show's schema, or of the one with this behind its name.
    pub(crate) async fn dump_of(&self, behind: &str) -> Vec<u8> {
        let url = self.database_url.as_ref().expect("the show is on a Postgres");
        // The schema of this show stands among the options of its connections.
        let (server, schema) = url.split_once("&options=-csearch_path%3D").expect("a schema of its own");
        let programs = showdesk_testkit::postgres_programs().expect("Postgres is installed");
        // Where the path has links to some of its programs only, the others stand beside what they point to.
        let server_program = programs.join("initdb").canonicalize().expect("a program of Postgres");
        let dump = Command::new(server_program.with_file_name("pg_dump"))
            .args(["--schema", &format!("{schema}{behind}"), "--dbname", server])
            .output()
            .await;
        let dump = dump.expect("pg_dump runs");
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        dump.stdout
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn admin_token_file(&self) -> PathBuf {
        self.folder().join("admin.token")
    }
}
