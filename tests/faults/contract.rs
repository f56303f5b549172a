//! P9: requests made from the contract, sensible and senseless ones, are answered as the contract says, and never with
//! a fault of ours. Schemathesis makes them from the document that the program serves.
//!
//! The same seed makes the same requests. Streams have no end and are left out.

use std::path::PathBuf;
use std::process::Stdio;

use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use crate::desk::Desk;
use crate::phone::send;
use crate::program::Engine;
use crate::{Size, Tally};

const SEED: &str = "1";
/// What must hold for each answer. That the contract's types say all that is refused is not asked: a text is also
/// refused for what it means.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth";
/// Fewer prove nothing.
const REQUESTS_MIN: usize = 200;
/// Lines that are shown where something was found.
const LINES_SHOWN: usize = 150;

/// Which listener is tried, and by whom.
struct Door<'a> {
    name: &'static str,
    url: &'a str,
    token: &'a str,
    /// Paths that this listener has.
    paths: &'static str,
}

pub(crate) async fn generated(size: Size, engine: Engine) -> Tally {
    let desk = Desk::start(engine).await;
    desk.post("/admin/demo", &json!({"size": "small"})).await.expect_status(200);
    let phone = desk.phone("Scale 1", &["superintendent", "scale", "checkin"]).await;
    let doors = [
        Door { name: "phone", url: &desk.program.http, token: phone.token(), paths: "^/api/v1/(?!admin/)" },
        Door { name: "desk", url: &desk.program.admin, token: desk.token(), paths: "^/api/v1/" },
    ];
    let (mut requests, mut seen) = (0, Vec::new());
    for door in doors {
        let made = try_all(&desk, &door, size).await;
        assert!(made >= REQUESTS_MIN, "{made} requests at the {} prove nothing", door.name);
        requests += made;
        seen.push(format!("{made} requests at the {}'s door", door.name));
    }
    let after = send(desk.request(Method::GET, "/sync/hello")).await;
    after.expect_status(200);
    desk.program.check_log();
    Tally {
        runs: requests,
        seen: format!("{}, none answered with a fault of ours or in another form", seen.join(", ")),
    }
}

/// Runs schemathesis to its end; answers how many requests it made.
async fn try_all(desk: &Desk, door: &Door<'_>, size: Size) -> usize {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/schemathesis/bin/st");
    assert!(program.is_file(), "`cargo xtask faults` installs {}", program.display());
    let mut command = Command::new(program);
    command.arg("run").arg(format!("{}/api/v1/openapi.json", door.url));
    command.args(["--header", &format!("Authorization: Bearer {}", door.token)]);
    command.args(["--include-path-regex", door.paths, "--exclude-path", "/api/v1/live", "--checks", CHECKS]);
    command.args(["--max-examples", &size.pick(20, 500).to_string(), "--seed", SEED, "--generation-database", "none"]);
    command.args(["--suppress-health-check", "all", "--continue-on-failure", "--workers", "1", "--no-color"]);
    command.args(["--request-timeout", "30", "--warnings", "off"]);
    // It writes beside where it is started.
    command.current_dir(desk.program.scratch()).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("schemathesis starts");
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let from = report.find("= FAILURES =").or_else(|| report.find("= ERRORS =")).unwrap_or(0);
        let lines: Vec<&str> = report[from..].lines().take(LINES_SHOWN).collect();
        panic!("at the {}'s door: {}\n{}", door.name, output.status, lines.join("\n"));
    }
    let generated =
        report.lines().find_map(|line| line.split_once(" generated").map(|(count, _)| count.trim().parse()));
    generated.and_then(Result::ok).unwrap_or_else(|| panic!("it does not say what it did:\n{report}"))
}
