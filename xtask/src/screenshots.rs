//! `cargo xtask screenshots`: the pictures of the README, from the real window and from a phone page in a browser.

use anyhow::Result;

use crate::command::{command, run as run_command};
use crate::plan::Plan;
use crate::{root, setup, system};

/// Takes the pictures; look at them before they are committed.
pub(crate) fn run() -> Result<()> {
    Plan::new()
        .step("Debian packages to build and test with", || system::install(system::TO_TEST))
        .step("npm packages", setup::npm_packages)
        .step("Pages for phones and desk", setup::pages)
        .step("Programs and tests are built", setup::programs)
        .step("docs/screens", || {
            let mut node = command("node", &root());
            node.arg("tests/e2e/screenshots.mjs");
            node.env("SHOWDESK_SERVER", setup::program("showdesk-server")?)
                .env("SHOWDESK_WINDOW", setup::program("showdesk")?);
            run_command(&mut node)
        })
        .run()
}
