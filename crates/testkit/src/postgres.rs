//! One real Postgres for a test run, and a schema of its own in it for each test.
//!
//! `SHOWDESK_TEST_POSTGRES` names a server where schemas may be made: `cargo xtask test` starts one
//! for all test processes. Without it each test process starts its own. Its texts are sorted by ICU
//! rules, so that a missing `COLLATE "C"` shows.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// Where a server to use is named.
const SERVER_VARIABLE: &str = "SHOWDESK_TEST_POSTGRES";
/// What a developer is told who has no Postgres.
pub(crate) const HOW_TO_INSTALL: &str = "Postgres is needed for this test: install the package `postgresql` \
     (Debian: apt-get install postgresql), or name a server where schemas may be made in SHOWDESK_TEST_POSTGRES";

/// Makes a database folder in memory where there is one, starts a server that listens on a socket in it, says where,
/// and waits. When the test process ends, however it ends, standard input closes: the server stops and the folder goes.
const SERVER_SCRIPT: &str = r#"
exec 2>&1
folder=$(mktemp -d "$2/showdesk-postgres-XXXXXX") || exit 1
trap : INT TERM HUP
trap '"$1/pg_ctl" -D "$folder/data" -m immediate stop >"$folder/stop.log" 2>&1; rm -rf "$folder"' EXIT
"$1/initdb" -D "$folder/data" -U showdesk -A trust -E UTF8 --locale-provider=icu --icu-locale=en --no-sync \
    >"$folder/init.log" || { cat "$folder/init.log"; exit 1; }
"$1/pg_ctl" -D "$folder/data" -w -l "$folder/server.log" \
    -o "-c listen_addresses='' -c max_connections=300 -k $folder" start >"$folder/start.log" \
    || { cat "$folder/start.log" "$folder/server.log"; exit 1; }
echo "ready $folder"
cat
"#;

/// The URL of a new, empty schema.
pub async fn fresh_database_url() -> String {
    let server = postgres_server_url();
    let schema = format!("test_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(server).await.expect("the test's Postgres answers");
    let create = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::query(create).execute(&mut connection).await.expect("a schema for the test");
    connection.close().await.expect("the connection closes");
    let separator = if server.contains('?') { '&' } else { '?' };
    format!("{server}{separator}options=-csearch_path%3D{schema}")
}

/// The URL of the server: the one that was named, or one that runs as long as this process.
pub fn postgres_server_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| env::var(SERVER_VARIABLE).unwrap_or_else(|_| start_server()))
}

fn start_server() -> String {
    /// Holds the pipe whose end stops the server.
    static SERVER: OnceLock<Child> = OnceLock::new();
    let programs = postgres_programs().unwrap_or_else(|| panic!("{HOW_TO_INSTALL}"));
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
    let mut command = shell_as_other_user();
    command.arg("-c").arg(SERVER_SCRIPT).arg("server").arg(programs).arg(base);
    let child = command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.expect("a shell starts");
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().expect("standard output is a pipe")).lines() {
        let line = line.expect("the script speaks UTF-8");
        if let Some(folder) = line.strip_prefix("ready ") {
            SERVER.set(child).expect("one server a process");
            return format!("postgres://showdesk@localhost/postgres?host={folder}");
        }
        said.push_str(&line);
        said.push('\n');
    }
    let ended = child.wait();
    panic!("the test's Postgres does not start ({ended:?}):\n{said}");
}

/// The user to start Postgres as, which refuses to run as root; none if we are somebody else already.
pub fn postgres_user() -> Option<&'static str> {
    let is_root = user_id(None) == Some("0".to_owned());
    is_root.then(|| if user_id(Some("postgres")).is_some() { "postgres" } else { "nobody" })
}

fn shell_as_other_user() -> Command {
    let Some(user) = postgres_user() else { return Command::new("sh") };
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--", "sh"]);
    command
}

fn user_id(user: Option<&str>) -> Option<String> {
    let answer = Command::new("id").arg("-u").args(user).stderr(Stdio::null()).output().ok()?;
    answer.status.success().then(|| String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

/// The newest folder with the server's programs.
pub fn postgres_programs() -> Option<PathBuf> {
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let by_version = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"].iter().flat_map(|base| {
        let mut folders: Vec<PathBuf> = std::fs::read_dir(base)
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect())
            .unwrap_or_default();
        folders.sort();
        folders.into_iter().rev()
    });
    on_path
        .into_iter()
        .chain(by_version)
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}
