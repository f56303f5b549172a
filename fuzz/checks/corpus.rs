//! The fuzzer's kept inputs, as ordinary tests ask them.

use std::path::Path;

/// Asks of each kept input of a target what the fuzzer asks of every input.
pub(crate) fn replay(target: &str, check: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<_> = std::fs::read_dir(corpus).expect("a corpus").map(|file| file.expect("a file")).collect();
    assert!(files.len() > 10, "a corpus worth the name");
    for file in files {
        check(&std::fs::read(file.path()).expect("an input"));
    }
}
