//! Fuzzes the op decoder: `cargo fuzz run -s none op`, or `cargo xtask faults`.
#![no_main]

#[path = "../checks/op.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
