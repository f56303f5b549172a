//! A Postgres database, or a whole server, of a test's own: to be put back to an earlier state, stopped and started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::postgres::{HOW_TO_INSTALL, postgres_programs, postgres_server_url, postgres_user};

/// A database of its own in the run's server, with the copies that were made of it.
#[derive(Debug)]
pub struct OwnDatabase {
    name: String,
}

/// A copy of a database as it was.
#[derive(Debug)]
pub struct DatabaseCopy(String);

impl OwnDatabase {
    /// A new, empty one.
    pub async fn new() -> Self {
        let name = format!("own_{}", Uuid::new_v4().simple());
        execute(postgres_server_url(), &format!("CREATE DATABASE {name}")).await;
        Self { name }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let server = postgres_server_url();
        let (address, options) = server.split_once('?').map_or((server, None), |(url, rest)| (url, Some(rest)));
        let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
        let options = options.map_or(String::new(), |options| format!("?{options}"));
        format!("{base}/{}{options}", self.name)
    }

    /// Runs a statement in it.
    pub async fn execute(&self, sql: &str) {
        execute(&self.url(), sql).await;
    }

    /// Copies it as it is. Nobody may be connected.
    pub async fn copy(&self) -> DatabaseCopy {
        let copy = format!("copy_{}", Uuid::new_v4().simple());
        execute(postgres_server_url(), &format!("CREATE DATABASE {copy} TEMPLATE {}", self.name)).await;
        DatabaseCopy(copy)
    }

    /// Puts a copy in its place. Whoever is connected is thrown out.
    pub async fn put_back(&self, copy: &DatabaseCopy) {
        execute(postgres_server_url(), &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        execute(postgres_server_url(), &format!("CREATE DATABASE {} TEMPLATE {}", self.name, copy.0)).await;
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.expect("the test's Postgres answers");
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.expect("the connection closes");
}

/// A show's database as it was.
#[derive(Debug)]
pub enum ShowCopy {
    /// Its files.
    Files(TempDir),
    /// A copy in the run's server.
    Database(DatabaseCopy),
}

impl ShowCopy {
    /// Copies the database of a stopped desk: SQLite's in its folder, or that one. The mark beside it is no part of it.
    pub async fn of(folder: &Path, database: Option<&OwnDatabase>) -> Self {
        if let Some(database) = database {
            return Self::Database(database.copy().await);
        }
        let copy = tempfile::tempdir().expect("a folder for the copy");
        copy_files(folder, copy.path());
        Self::Files(copy)
    }

    /// Puts it in the place of the stopped desk's database.
    pub async fn put_back(&self, folder: &Path, database: Option<&OwnDatabase>) {
        match (self, database) {
            (Self::Database(copy), Some(database)) => database.put_back(copy).await,
            (Self::Files(copy), None) => {
                remove_show_files(folder);
                copy_files(copy.path(), folder);
            }
            _ => unreachable!("a copy is put back where it was made"),
        }
    }
}

/// Removes SQLite's files of a show from its folder.
pub fn remove_show_files(folder: &Path) {
    for file in show_files(folder) {
        fs::remove_file(file).expect("removed");
    }
}

fn copy_files(from: &Path, to: &Path) {
    for file in show_files(from) {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copied");
    }
}

fn show_files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let is_database = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("showdesk.sqlite"))
    };
    files.filter(is_database).collect()
}

/// A server of its own that can be stopped and started. Dropping the last handle stops it and removes its data.
#[derive(Debug, Clone)]
pub struct OwnServer(Arc<Server>);

#[derive(Debug)]
struct Server {
    programs: PathBuf,
    folder: PathBuf,
}

impl OwnServer {
    /// A new server that runs.
    pub fn start_new() -> Self {
        let programs = postgres_programs().unwrap_or_else(|| panic!("{HOW_TO_INSTALL}"));
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = base.join(format!("showdesk-own-{}", Uuid::new_v4().simple()));
        let server = Server { programs, folder };
        let data = server.data();
        server.run(Path::new("mkdir"), &["-p", &path(&server.folder)]);
        let locale = ["--locale-provider=icu", "--icu-locale=en"];
        let who = ["-D", &data, "-U", "showdesk", "-A", "trust", "-E", "UTF8", "--no-sync"];
        server.run(&server.programs.join("initdb"), &[&who[..], &locale[..]].concat());
        server.start();
        Self(Arc::new(server))
    }

    /// Where its database is, with a socket in a folder.
    pub fn url(&self) -> String {
        format!("postgres://showdesk@localhost/postgres?host={}", path(&self.0.folder))
    }

    /// Starts it again; it answers when this returns.
    pub fn start(&self) {
        self.0.start();
    }

    /// Stops it as a crash would: connections break, transactions that were not committed are lost.
    pub fn crash(&self) {
        let pg_ctl = self.0.programs.join("pg_ctl");
        self.0.run(&pg_ctl, &["-D", &self.0.data(), "-w", "-m", "immediate", "stop"]);
    }
}

impl Server {
    fn start(&self) {
        let options = format!("-c listen_addresses='' -k {}", path(&self.folder));
        let log = path(&self.folder.join("server.log"));
        self.run(&self.programs.join("pg_ctl"), &["-D", &self.data(), "-w", "-l", &log, "-o", &options, "start"]);
    }

    fn data(&self) -> String {
        path(&self.folder.join("data"))
    }

    fn run(&self, program: &Path, arguments: &[&str]) {
        let ended = as_other_user(program)
            .args(arguments)
            .status()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        assert!(ended.success(), "{} {arguments:?}: {ended}; {}", program.display(), path(&self.folder));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = as_other_user(&self.programs.join("pg_ctl"));
        // It may be stopped already; the folder goes in any case.
        let _ = stop.args(["-D", &self.data(), "-m", "immediate", "stop"]).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Postgres refuses to run as root.
fn as_other_user(program: &Path) -> Command {
    let mut command = match postgres_user() {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]).arg(program);
            command
        }
    };
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
