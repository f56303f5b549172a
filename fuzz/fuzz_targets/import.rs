//! Fuzzes the reading and planning of entries files: `cargo fuzz run -s none import`, or `cargo xtask faults`.
#![no_main]

#[path = "../checks/import.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
