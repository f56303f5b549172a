//! `cargo xtask screenshots`: a picture of every screen and state, from the running program with the county show.

use anyhow::Result;

use crate::command::{command, run as run_command};
use crate::plan::Plan;
use crate::{root, setup, system};

/// Takes the pictures and writes their list; look at them before they are committed.
pub(crate) fn run() -> Result<()> {
    Plan::new()
        .step("Debian packages to take pictures with", || system::install(system::TO_PICTURE))
        .step("npm packages", setup::npm_packages)
        .step("Pages for phones and desk", setup::pages)
        .step("Programs and tests are built", setup::programs)
        .step("docs/screens", || {
            let mut node = command("node", &root());
            node.arg("tests/e2e/screenshots.mjs").env("SHOWDESK_SERVER", setup::program("showdesk-server")?);
            run_command(&mut node)
        })
        .run()
}
