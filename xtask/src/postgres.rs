//! One real Postgres for all test processes, instead of one for each. The testkit knows how to start it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::command::command;
use crate::{root, setup};

/// A running server. Dropping it stops it and removes its data.
pub(crate) struct Postgres {
    server: Child,
    url: String,
}

impl Postgres {
    /// Starts the server and waits until it can be used.
    pub(crate) fn start() -> Result<Self> {
        let mut program = command(setup::program("test-postgres")?, &root());
        let mut server = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("test-postgres")?;
        let output = server.stdout.take().expect("its output was asked for");
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url).context("what test-postgres printed")?;
        if url.is_empty() {
            bail!("Postgres did not start: {}", server.wait().context("test-postgres")?);
        }
        url.truncate(url.trim_end().len());
        Ok(Self { server, url })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It stops when its input closes, however this process ends.
        drop(self.server.stdin.take());
        if let Err(error) = self.server.wait() {
            eprintln!("Postgres may still run: {error}");
        }
    }
}
