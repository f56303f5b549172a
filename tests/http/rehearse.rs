//! `showdesk-server rehearse`: a show that is played and thrown away, and counted.

use std::path::Path;
use std::process::Output;

use serde_json::Value as Json;
use tokio::process::Command;

async fn rehearse(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_showdesk-server"));
    // Its folder for what is thrown away is ours, so that we see what is left there.
    program.arg("rehearse").args(arguments).env("TMPDIR", folder).env("RUST_LOG", "warn").current_dir(folder);
    program.kill_on_drop(true).output().await.expect("the program runs")
}

#[tokio::test]
async fn a_rehearsal_counts_every_entry_exactly_once_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = rehearse(folder.path(), &["--phones", "6", "--ops", "55", "--batch", "10", "--lost", "50"]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("every entry is on the desk exactly once"), "{said}");
    let report: Json = serde_json::from_slice(&output.stdout).expect("one JSON report");
    assert_eq!((&report["phones"], &report["ops"], &report["proof"]["ops"]), (&6.into(), &330.into(), &330.into()));
    assert!(report["answers_lost"].as_u64() > Some(0), "half of the answers are lost: {report}");
    assert_eq!(report["proof"]["faults"], serde_json::json!([]));
    assert_eq!(report["proof"]["phones_compared"], 6);
    let verdicts = report["proof"]["verdicts"].as_object().expect("verdicts");
    assert_eq!(verdicts.values().filter_map(Json::as_u64).sum::<u64>(), 330, "{verdicts:?}");
    let written = ["applied", "merged"].map(|verdict| report["proof"]["verdicts"][verdict].as_u64().unwrap_or(0));
    assert_eq!(report["proof"]["versions"].as_u64(), Some(written.iter().sum()), "one version an op that wrote");
    assert!(written[0] > 250, "walk-ins are nobody else's: {verdicts:?}");
    for figures in [&report["push_ms"], &report["pull_ms"]] {
        let figure = |name: &str| figures[name].as_f64().expect("a number");
        assert!(figure("p50") > 0.0 && figure("p50") <= figure("p95") && figure("p99") <= figure("max"), "{figures}");
    }
    let left = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 0, "the show is thrown away");
}

#[tokio::test]
async fn a_rehearsal_takes_no_folder_of_a_real_show_and_no_senseless_number() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [&["--data-dir", "show"][..], &["--phones", "0"], &["--phones", "1001"], &["--batch", "501"]] {
        let output = rehearse(folder.path(), arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}
