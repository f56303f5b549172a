//! The measured side: the headless program itself, in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use showdesk_server::rehearse::Desk;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running desk on `SQLite`.
pub(crate) struct Program {
    pub(crate) desk: Desk,
    /// From its start to the line that says it is ready.
    pub(crate) ready_after: Duration,
    folder: TempDir,
    child: Child,
}

impl Program {
    /// Serves a new county show in stage B, where check-in writes.
    pub(crate) async fn county() -> Self {
        Self::start(county_folder().await).await
    }

    /// Serves the show in this folder.
    pub(crate) async fn start(folder: TempDir) -> Self {
        Self::start_with(folder, &[]).await
    }

    /// The same with more words on its command line.
    pub(crate) async fn start_with(folder: TempDir, more: &[&str]) -> Self {
        let began = Instant::now();
        let mut child = program("serve", folder.path())
            .args(["--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--limits", "off", "--disk-reserve-mib", "0"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output is read");
        BufReader::new(output).read_line(&mut line).await.expect("its output can be read");
        let ready_after = began.elapsed();
        let ready: Json = serde_json::from_str(&line).expect("it says where it listens");
        let address = |key: &str| {
            let url = ready[key].as_str().expect("an address");
            url.trim_start_matches("http://").parse().expect("an address")
        };
        let token = std::fs::read_to_string(folder.path().join("admin.token")).expect("the desk's token");
        let desk = Desk { http: address("http"), admin: address("admin"), token: token.trim().to_owned() };
        Self { desk, ready_after, folder, child }
    }

    /// Ends it as a person would; answers what it leaves.
    pub(crate) async fn stop(mut self) -> TempDir {
        let id = self.child.id().expect("it runs").to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().await.expect("kill is there");
        assert!(asked.success(), "it can be asked to end");
        let ended = self.child.wait().await.expect("it ends");
        assert!(ended.success(), "it ends well: {ended}");
        self.folder
    }

    /// Where its show is kept.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How much of the processors' time its threads have taken, their own and the system's for them; none where the
    /// system does not tell as Linux does.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id()?)).ok()?;
        let of_thread = |thread: std::io::Result<std::fs::DirEntry>| {
            let told = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
        };
        let times: Vec<Duration> = threads.filter_map(of_thread).collect();
        (!times.is_empty()).then(|| times.iter().sum())
    }

    /// What of its memory is in use, in MB; none where the system does not tell as Linux does.
    pub(crate) fn resident_mb(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024.0 / 1_000_000.0)
    }
}

/// A folder with an invented county show.
pub(crate) async fn county_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temp folder");
    let filled = program("demo", folder.path()).args(["--size", "county", "--stage", "B"]).status().await;
    assert!(filled.expect("the program starts").success(), "the show is filled");
    folder
}

/// The database file in a show's folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("showdesk.sqlite")
}

fn program(command: &str, folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_showdesk-server"));
    program.arg(command).arg("--data-dir").arg(folder).env("RUST_LOG", "warn").kill_on_drop(true);
    program
}
