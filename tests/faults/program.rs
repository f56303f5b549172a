//! The program under test, started bare or under a tool that makes its world go wrong.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::shell;

/// How long a start or an end may take on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);
/// Lines of the program's log that are shown when its case fails.
const LOG_LINES_SHOWN: usize = 15;

/// Where the show is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// How the program is started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Launch {
    /// The show's folder.
    pub(crate) folder: PathBuf,
    /// Where the database is, if it is a server.
    pub(crate) database_url: Option<String>,
    /// The tool that starts it, with its arguments; none starts it bare.
    pub(crate) under: Vec<String>,
    /// Variables for it.
    pub(crate) variables: Vec<(String, String)>,
    /// Whether requests are limited by rate, as at a show.
    pub(crate) is_limited: bool,
    /// `--disk-reserve-mib`.
    pub(crate) reserve_mib: usize,
}

/// A data folder with its database, and the program if it runs.
pub(crate) struct Program {
    pub(crate) launch: Launch,
    /// Where phones reach it.
    pub(crate) http: String,
    /// Where the desk reaches it.
    pub(crate) admin: String,
    /// From being started to being ready, the last time.
    pub(crate) start_took: Duration,
    running: Option<Child>,
    log: PathBuf,
    own_folder: TempDir,
}

impl Program {
    /// A new show in a folder of its own.
    pub(crate) async fn start(engine: Engine) -> Self {
        let database_url = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(showdesk_testkit::fresh_database_url().await),
        };
        let mut program = Self::new(Launch { database_url, ..Launch::default() });
        program.launch.folder = program.own_folder.path().join("show");
        program.start_again().await;
        program
    }

    /// Not started yet.
    pub(crate) fn new(launch: Launch) -> Self {
        let own_folder = tempfile::tempdir().expect("a folder");
        let log = own_folder.path().join("server.log");
        let (http, admin) = (String::new(), String::new());
        Self { launch, http, admin, start_took: Duration::ZERO, running: None, log, own_folder }
    }

    /// Starts the program on what is there.
    pub(crate) async fn start_again(&mut self) {
        if let Err(status) = self.try_start().await {
            panic!("the program does not start: {status}");
        }
    }

    /// Starts the program; answers how it ended if it never became ready.
    pub(crate) async fn try_start(&mut self) -> Result<(), ExitStatus> {
        assert!(self.running.is_none(), "it runs already");
        let began = Instant::now();
        let mut child = self.command().spawn().expect("the program starts");
        let output = child.stdout.take().expect("its output is read");
        let mut line = String::new();
        let read = timeout(DEADLINE, BufReader::new(output).read_line(&mut line)).await;
        read.expect("it is ready in time").expect("its output can be read");
        if line.is_empty() {
            return Err(timeout(DEADLINE, child.wait()).await.expect("it ends").expect("its end can be read"));
        }
        self.start_took = began.elapsed();
        let ready: Json = serde_json::from_str(&line).unwrap_or_else(|_| panic!("one line of JSON, not {line:?}"));
        ready["http"].as_str().expect("the phones' address").clone_into(&mut self.http);
        ready["admin"].as_str().expect("the desk's address").clone_into(&mut self.admin);
        self.running = Some(child);
        Ok(())
    }

    fn command(&self) -> Command {
        let server = env!("CARGO_BIN_EXE_showdesk-server");
        let (tool, words) = match self.launch.under.split_first() {
            Some((tool, words)) => (tool.as_str(), [words, &[server.to_owned()]].concat()),
            None => (server, Vec::new()),
        };
        // Another crate of the workspace has the client speak TLS, and then a client needs a provider, also for plain HTTP.
        // It is there already if another case of this process was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut command = Command::new(tool);
        command.args(words).arg("serve").arg("--data-dir").arg(&self.launch.folder);
        command.args(["--http", "127.0.0.1:0", "--https", "off", "--admin", "127.0.0.1:0"]);
        command.args(["--limits", if self.launch.is_limited { "on" } else { "off" }]);
        command.args(["--disk-reserve-mib", &self.launch.reserve_mib.to_string()]);
        if let Some(url) = &self.launch.database_url {
            command.args(["--database-url", url]);
        }
        let log = File::options().create(true).append(true).open(&self.log).expect("a log");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        // A group of its own, so that the tool and the program die together.
        command.process_group(0);
        command.env("RUST_LOG", "warn").env("NO_COLOR", "1").env("RUST_BACKTRACE", "0");
        command.envs(self.launch.variables.iter().cloned());
        command
    }

    /// kill -9, in the middle of whatever it does.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.running.take().expect("it runs");
        kill_group(&child);
        self.wait_for_end(&mut child).await;
    }

    /// Waits for an end that something else brings about.
    pub(crate) async fn ended(&mut self) {
        let mut child = self.running.take().expect("it runs");
        self.wait_for_end(&mut child).await;
    }

    /// The tool may end before the program under it: that has ended when it holds its folder no more.
    async fn wait_for_end(&self, child: &mut Child) {
        timeout(DEADLINE, child.wait()).await.expect("it ends").expect("its end can be read");
        let lock = self.folder().join("showdesk.lock");
        let freed = async {
            while File::open(&lock).is_ok_and(|lock| lock.try_lock().is_err()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, freed).await.expect("the program ends with its tool");
    }

    /// The program noted no fault of its own.
    #[track_caller]
    pub(crate) fn check_log(&self) {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let faults: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(" ERROR ") || line.contains("panicked"))
            .take(LOG_LINES_SHOWN)
            .collect();
        assert!(faults.is_empty(), "the program notes faults of its own: {faults:#?}");
    }

    /// The number of its process, if no tool stands before it.
    pub(crate) fn id(&self) -> u32 {
        self.running.as_ref().and_then(Child::id).expect("it runs")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.launch.folder
    }

    pub(crate) fn admin_token_file(&self) -> PathBuf {
        self.folder().join("admin.token")
    }

    /// A place for what the case writes beside the show.
    pub(crate) fn scratch(&self) -> &Path {
        self.own_folder.path()
    }
}

fn kill_group(child: &Child) {
    if let Some(id) = child.id() {
        shell::run("kill", &["-KILL", "--", &format!("-{id}")]);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(child) = &self.running {
            kill_group(child);
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the program's last words:");
            lines.iter().skip(lines.len().saturating_sub(LOG_LINES_SHOWN)).for_each(|line| eprintln!("  {line}"));
        }
    }
}
