//! What the desk is told on the command line. A click on the icon says nothing, and that is fine.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use showdesk_server::engine::DemoSize;

/// The desk of a livestock show.
#[derive(Debug, Parser)]
#[command(name = "showdesk", version)]
pub(crate) struct Options {
    /// Where the show is kept; without it, the platform's folder for the data of applications.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where phones connect; without it, port 7420 on every network of the laptop.
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<SocketAddr>,
    /// Fill an empty folder with an invented show.
    #[arg(long, value_name = "SIZE")]
    pub(crate) demo: Option<Demo>,
    /// What a Wayland desktop gives a program it starts, so that its window may come to the front.
    #[arg(long, env = "XDG_ACTIVATION_TOKEN", hide = true)]
    pub(crate) activation: Option<String>,
}

impl Options {
    /// Where the show is kept: the folder that was named, or the platform's, under this program's own name.
    pub(crate) fn folder(&self, identifier: &str) -> Option<PathBuf> {
        self.data_dir.clone().or_else(|| Some(dirs::data_local_dir()?.join(identifier)))
    }
}

/// How large the invented show is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Demo {
    /// About 60 animals.
    Small,
    /// 520 animals.
    County,
    /// 21,000 animals.
    Expo,
}

impl From<Demo> for DemoSize {
    fn from(demo: Demo) -> Self {
        match demo {
            Demo::Small => Self::Small,
            Demo::County => Self::County,
            Demo::Expo => Self::Expo,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_icon_says_nothing() {
        let options = Options::try_parse_from(["showdesk"]).unwrap();
        assert!(options.data_dir.is_none() && options.http.is_none() && options.demo.is_none());
        assert!(options.folder("app.showdesk.desk").unwrap().ends_with("app.showdesk.desk"));
    }

    #[test]
    fn a_demo_is_named_by_its_size() {
        let options = Options::try_parse_from(["showdesk", "--data-dir", "/show", "--demo", "county"]).unwrap();
        assert!(matches!(options.demo, Some(Demo::County)));
        assert_eq!(options.folder("app.showdesk.desk").unwrap(), Path::new("/show"));
        assert!(Options::try_parse_from(["showdesk", "--demo", "village"]).is_err());
    }
}
