//! The fuzzer's kept inputs for the op decoder, as an ordinary test.

use std::path::Path;

#[path = "../../../fuzz/checks/op.rs"]
mod check;

#[test]
fn every_kept_input_of_the_fuzzer_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/op");
    let files: Vec<_> = std::fs::read_dir(corpus).expect("a corpus").map(|file| file.expect("a file")).collect();
    assert!(files.len() > 10, "a corpus worth the name");
    for file in files {
        check::check(&std::fs::read(file.path()).expect("an input"));
    }
}
