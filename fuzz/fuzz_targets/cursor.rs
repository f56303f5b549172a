//! Fuzzes the reading of cursors: `cargo fuzz run -s none cursor`, or `cargo xtask faults`.
#![no_main]

#[path = "../checks/cursor.rs"]
mod check;
// The engine's own file and not the engine: a fuzz build of its databases takes minutes.
#[path = "../../crates/engine/src/cursor.rs"]
mod cursor;

use cursor::Cursor;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
