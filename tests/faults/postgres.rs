//! A Postgres of the case's own, whose data lie where the case wants them.

use std::fs;
use std::path::{Path, PathBuf};

use showdesk_testkit::{postgres_programs, postgres_user};
use tempfile::TempDir;

use crate::image::scratch;
use crate::shell::{run, try_run};

/// A running server, stopped with its handle.
#[derive(Debug)]
pub(crate) struct Server {
    data: PathBuf,
    sockets: TempDir,
}

impl Server {
    /// Makes the files of a new server in the folder.
    pub(crate) fn make(data: &Path) {
        fs::create_dir_all(data).expect("a folder for the data");
        run("chown", &[user(), shown(data)]);
        as_user("initdb", &["-D", shown(data), "-U", "showdesk", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
    }

    /// Starts the server on them, with further settings.
    pub(crate) fn start(data: &Path, settings: &[&str]) -> Self {
        let sockets = scratch();
        run("chown", &[user(), shown(sockets.path())]);
        // Left by a server whose power went; its process is no more, but the number may be another's here.
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let mut options = format!("-c listen_addresses='' -k {}", shown(sockets.path()));
        for setting in settings {
            options += " -c ";
            options += setting;
        }
        let log = sockets.path().join("server.log");
        as_user("pg_ctl", &["-D", shown(data), "-w", "-s", "-l", shown(&log), "-o", &options, "start"]);
        Self { data: data.to_owned(), sockets }
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    pub(crate) fn url_of(&self, database: &str) -> String {
        format!("postgres://showdesk@localhost/{database}?host={}", shown(self.sockets.path()))
    }

    /// Makes a database whose rows lie in a folder of another disk; the server's log stays where it is.
    pub(crate) fn database_in(&self, folder: &Path, database: &str) {
        fs::create_dir_all(folder).expect("a folder for the rows");
        run("chown", &[user(), shown(folder)]);
        for sql in [
            format!("CREATE TABLESPACE {database} LOCATION '{}'", shown(folder)),
            format!("CREATE DATABASE {database} TABLESPACE {database}"),
        ] {
            run("runuser", &["-u", user(), "--", "psql", "-q", "-d", &self.url(), "-c", &sql]);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (tool, mut words) = command("pg_ctl");
        words.extend(["-D", shown(&self.data), "-m", "immediate", "-s", "stop"].map(str::to_owned));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if !try_run(tool, &words) {
            eprintln!("a Postgres on {} may still run", self.data.display());
        }
    }
}

fn as_user(program: &str, words: &[&str]) {
    let (tool, first) = command(program);
    let words: Vec<&str> = first.iter().map(String::as_str).chain(words.iter().copied()).collect();
    run(tool, &words);
}

fn command(program: &str) -> (&'static str, Vec<String>) {
    let programs = postgres_programs().expect("Postgres is installed: apt-get install postgresql");
    let program = programs.join(program);
    ("runuser", ["-u", user(), "--", shown(&program)].map(str::to_owned).to_vec())
}

/// Postgres refuses to run as root, who is the one to mount disks.
fn user() -> &'static str {
    postgres_user().expect("fault cases run as root")
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("paths of ours are text")
}
