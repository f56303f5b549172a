//! The fuzzer's kept inputs for the op decoder and for entries files, as ordinary tests.

#[path = "../../../fuzz/checks/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/checks/import.rs"]
mod import;
#[path = "../../../fuzz/checks/op.rs"]
mod op;

#[test]
fn every_kept_op_of_the_fuzzer_holds() {
    corpus::replay("op", op::check);
}

#[test]
fn every_kept_file_of_the_fuzzer_holds() {
    corpus::replay("import", import::check);
}
