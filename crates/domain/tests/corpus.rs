//! The fuzzer's kept inputs for the op decoder and for entries files, as ordinary tests.

use std::path::Path;

#[path = "../../../fuzz/checks/import.rs"]
mod import;
#[path = "../../../fuzz/checks/op.rs"]
mod op;

/// Asks of each kept input of a target what the fuzzer asks of every input.
fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(corpus).expect("a corpus").map(|file| file.expect("a file")).collect();
    assert!(files.len() > 10, "a corpus worth the name");
    for file in files {
        check(&std::fs::read(file.path()).expect("an input"));
    }
}

#[test]
fn every_kept_op_of_the_fuzzer_holds() {
    replay("op", op::check);
}

#[test]
fn every_kept_file_of_the_fuzzer_holds() {
    replay("import", import::check);
}
