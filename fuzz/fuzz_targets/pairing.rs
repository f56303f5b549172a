//! Fuzzes what a person types to join: `cargo fuzz run -s none pairing`, or `cargo xtask faults`.
#![no_main]

#[path = "../checks/pairing.rs"]
mod check;
// The engine's own file and not the engine: a fuzz build of its databases takes minutes.
#[path = "../../crates/engine/src/typed_code.rs"]
mod typed_code;

use typed_code::{from_random, normalised};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
