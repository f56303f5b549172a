//! What the desk is told from outside: command line, environment, defaults.
//!
//! The only file that reads the environment. It checks what can be checked without opening anything.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use showdesk_engine::{DISK_RESERVE_BYTES, DemoSize, KeysIn, Options};
use tracing_subscriber::EnvFilter;

use crate::rehearse::Plan;
use crate::server::StartError;

/// Where phones connect if nothing else is said.
const HTTP_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7420);
/// Where the desk page is served if nothing else is said.
const ADMIN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7421);
/// Where phones connect with TLS if nothing else is said.
const HTTPS_PORT: u16 = 7443;
/// What is logged if `RUST_LOG` does not say otherwise.
const LOG_DEFAULT: &str = "info";
const MIB: u64 = 1024 * 1024;

/// How a desk is started.
#[derive(Clone)]
pub struct ServerOptions {
    /// Which show, and how it is opened.
    pub engine: Options,
    /// The phone listener's address; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where phones that trust the laptop connect.
    pub https: Https,
    /// Where the key of the show's secrets lies.
    pub keys_in: KeysIn,
    /// The admin listener's address; loopback only, port 0 takes a free one.
    pub admin: SocketAddr,
    /// Whether requests are limited by rate. May be off only if both listeners are loopback.
    pub limits: bool,
    /// Where the desk's token is kept for programs of the same user, so that it outlives a restart.
    /// None makes a new one that nobody else learns, which is what a window wants.
    pub token_folder: Option<PathBuf>,
}

impl ServerOptions {
    /// The show in this folder, on SQLite, at the usual addresses, with the machine's clock.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            engine: engine_options(data_dir.into(), None),
            http: HTTP_DEFAULT,
            https: Https::Usual,
            keys_in: KeysIn::Auto,
            admin: ADMIN_DEFAULT,
            limits: true,
            token_folder: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        if !self.admin.ip().is_loopback() {
            return Err(StartError::AdminNotLoopback(self.admin));
        }
        let listeners = [Some(self.http), self.https_address()];
        let public = listeners.into_iter().flatten().find(|address| !address.ip().is_loopback());
        match public {
            Some(address) if !self.limits => Err(StartError::LimitsOffInPublic(address)),
            _ => Ok(()),
        }
    }

    /// Where the HTTPS listener shall be; none if there shall be none. Nobody outside can reach a desk on loopback, so
    /// there it is only made where it was asked for.
    pub(crate) fn https_address(&self) -> Option<SocketAddr> {
        match self.https {
            Https::Off => None,
            Https::Usual if self.http.ip().is_loopback() => None,
            Https::Usual => Some(SocketAddr::new(self.http.ip(), HTTPS_PORT)),
            Https::At(address) => Some(address),
        }
    }
}

/// The desk of a livestock show, without a window.
#[derive(Debug, Parser)]
#[command(name = "showdesk-server", version)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve phones and the desk page until SIGTERM.
    Serve(Serve),
    /// Fill an empty folder with an invented show.
    Demo(Demo),
    /// Read an entries file; write it only with --confirm.
    Import(Import),
    /// Play an invented show with many phones against a desk of its own, and count what was kept.
    ///
    /// The desk runs on loopback in a folder that is thrown away: no show of yours is touched. Phones join, enter,
    /// lose answers, send again and pull. Then every entry is looked up in the desk's queue and in the history of its
    /// record: the program ends with an error unless each is there exactly once. Figures for people go to standard
    /// error, the report as JSON to standard output.
    Rehearse(Rehearse),
    /// Print the contract as JSON.
    Openapi,
}

/// Which show.
#[derive(Debug, Args)]
pub struct Show {
    /// The data folder; an empty one becomes a new show.
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
    /// A Postgres URL; without one the show is kept in the data folder.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Which show.
    #[command(flatten)]
    pub show: Show,
    /// Where phones connect; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value_t = HTTP_DEFAULT)]
    pub http: SocketAddr,
    /// Where phones connect with TLS, or off. Without it: port 7443 beside --http, and none if that is loopback.
    #[arg(long, value_name = "ADDR|off")]
    pub https: Option<Https>,
    /// Where the key of the show's secrets lies.
    #[arg(long, value_enum, default_value_t = Secrets::Auto)]
    pub secrets: Secrets,
    /// Where the desk page is served; loopback only.
    #[arg(long, value_name = "ADDR", default_value_t = ADMIN_DEFAULT)]
    pub admin: SocketAddr,
    /// Off lifts rate limits; refused unless all listeners are loopback.
    #[arg(long, value_enum, default_value_t = Limits::On)]
    pub limits: Limits,
    /// Off measures nothing and keeps nothing of it: Charts & health stays empty, and no alert comes.
    #[arg(long, value_enum, default_value = "on")]
    pub recording: Switch,
    /// Below so much free room on the data folder's disk nothing is written (answered 507); reads go on.
    #[arg(long, value_name = "MIB", default_value_t = DISK_RESERVE_BYTES / MIB)]
    pub disk_reserve_mib: u64,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Which show.
    #[command(flatten)]
    pub show: Show,
    /// How large.
    #[arg(long, value_enum, default_value_t = Size::County)]
    pub size: Size,
    /// How far the show has come.
    #[arg(long, default_value = "B", value_parser = ["A", "B", "C", "D", "E"])]
    pub stage: String,
}

/// Arguments of `rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// How many phones take part.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(1..=1_000))]
    pub phones: u32,
    /// How many entries each phone makes.
    #[arg(long, value_name = "M", default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    pub ops: u32,
    /// How many entries a phone sends at once.
    #[arg(long, value_name = "OPS", default_value_t = 20, value_parser = value_parser!(u32).range(1..=500))]
    pub batch: u32,
    /// How many pushes in a hundred lose their answer on the way and are sent again.
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = value_parser!(u8).range(0..=100))]
    pub lost: u8,
    /// The same number makes the same entries.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

impl Rehearse {
    /// What is played.
    pub fn plan(&self) -> Plan {
        Plan {
            phones: self.phones as usize,
            ops: self.ops as usize,
            batch_ops: self.batch as usize,
            lost_percent: self.lost,
            seed: self.seed,
        }
    }
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Which show.
    #[command(flatten)]
    pub show: Show,
    /// The CSV file.
    pub file: PathBuf,
    /// Write the rows that have no error.
    #[arg(long)]
    pub confirm: bool,
}

/// A TLS address, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Https {
    /// No TLS listener.
    Off,
    /// The usual port beside plain HTTP; if another program has it the desk serves without.
    Usual,
    /// At this address and nowhere else.
    At(SocketAddr),
}

/// Where the key of the show's secrets lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Secrets {
    /// In the keychain if there is one, else in a file of the data folder.
    Auto,
    /// In a file of the data folder, which only its owner reads.
    File,
    /// In the keychain, or the desk does without secrets.
    Keychain,
}

impl From<Secrets> for KeysIn {
    fn from(secrets: Secrets) -> Self {
        match secrets {
            Secrets::Auto => Self::Auto,
            Secrets::File => Self::File,
            Secrets::Keychain => Self::Keychain,
        }
    }
}

impl std::str::FromStr for Https {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" { Ok(Self::Off) } else { text.parse().map(Self::At) }
    }
}

/// Whether requests are limited by rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Limits {
    /// The limits of the contract.
    On,
    /// None, for benches on loopback.
    Off,
}

/// How large a demo show is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// About 60 animals.
    Small,
    /// 520 animals.
    County,
    /// 21,000 animals.
    Expo,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl From<Size> for DemoSize {
    fn from(size: Size) -> Self {
        match size {
            Size::Small => DemoSize::Small,
            Size::County => DemoSize::County,
            Size::Expo => DemoSize::Expo,
        }
    }
}

impl Show {
    /// How the engine opens it.
    pub fn engine_options(&self) -> Options {
        engine_options(self.data_dir.clone(), self.database_url.clone())
    }
}

impl Serve {
    /// How the desk is started.
    pub fn server_options(&self) -> ServerOptions {
        let disk_reserve_bytes = self.disk_reserve_mib.saturating_mul(MIB);
        ServerOptions {
            engine: Options {
                disk_reserve_bytes,
                recording: self.recording == Switch::On,
                ..self.show.engine_options()
            },
            http: self.http,
            https: self.https.unwrap_or(Https::Usual),
            keys_in: self.secrets.into(),
            admin: self.admin,
            limits: self.limits == Limits::On,
            token_folder: Some(self.show.data_dir.clone()),
        }
    }
}

/// What to log: `RUST_LOG`, or the usual.
pub fn log_filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT))
}

/// Whether the log may be coloured: not where `NO_COLOR` says otherwise.
pub fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn engine_options(data_dir: PathBuf, database_url: Option<String>) -> Options {
    Options { database_url, ..Options::new(data_dir) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arguments: &[&str]) -> Result<ServerOptions, String> {
        let line = ["showdesk-server", "serve", "--data-dir", "show"].iter().chain(arguments);
        let line = CommandLine::try_parse_from(line).map_err(|error| error.to_string())?;
        let Command::Serve(serve) = line.command else { return Err("another command".to_owned()) };
        let options = serve.server_options();
        options.check().map_err(|error| error.to_string())?;
        Ok(options)
    }

    #[test]
    fn the_usual_addresses_need_no_flag() {
        let options = serve(&[]).expect("options");
        assert_eq!(options.http.to_string(), "0.0.0.0:7420");
        assert_eq!(options.admin.to_string(), "127.0.0.1:7421");
        assert!(options.limits);
        assert_eq!(options.https_address(), Some("0.0.0.0:7443".parse().expect("an address")));
        assert!(serve(&["--https", "on"]).is_err());
    }

    #[test]
    fn https_is_beside_http_unless_somebody_says_otherwise() {
        let https = |arguments: &[&str]| serve(arguments).expect("options").https_address().map(|at| at.to_string());
        assert_eq!(https(&["--https", "off"]), None);
        assert_eq!(https(&["--https", "10.0.0.5:8443"]).as_deref(), Some("10.0.0.5:8443"));
        assert_eq!(https(&["--http", "10.0.0.5:8000"]).as_deref(), Some("10.0.0.5:7443"));
        assert_eq!(https(&["--http", "127.0.0.1:0"]), None, "nobody outside can connect");
        assert_eq!(https(&["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]).as_deref(), Some("127.0.0.1:0"));
    }

    #[test]
    fn the_secrets_key_lies_where_it_is_wanted() {
        assert_eq!(serve(&[]).expect("options").keys_in, KeysIn::Auto);
        assert_eq!(serve(&["--secrets", "file"]).expect("options").keys_in, KeysIn::File);
        assert!(serve(&["--secrets", "clear"]).is_err());
    }

    #[test]
    fn the_disks_reserve_can_be_chosen() {
        assert_eq!(serve(&[]).expect("options").engine.disk_reserve_bytes, 200 * 1024 * 1024);
        assert_eq!(serve(&["--disk-reserve-mib", "0"]).expect("options").engine.disk_reserve_bytes, 0);
    }

    #[test]
    fn limits_are_lifted_on_loopback_only() {
        assert!(serve(&["--limits", "off"]).is_err());
        let options = serve(&["--limits", "off", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        assert!(!options.expect("options").limits);
        let https = ["--limits", "off", "--http", "127.0.0.1:0", "--https", "0.0.0.0:0"];
        assert!(serve(&https).is_err(), "all listeners count");
    }

    #[test]
    fn the_admin_listener_stays_on_loopback() {
        assert!(serve(&["--admin", "0.0.0.0:7421"]).is_err());
        assert!(serve(&["--admin", "[::1]:0"]).is_ok());
    }
}
