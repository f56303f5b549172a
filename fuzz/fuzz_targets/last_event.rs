//! Fuzzes the number a phone comes back to its stream with: `cargo fuzz run -s none last_event`, or `cargo xtask faults`.
#![no_main]

#[path = "../checks/last_event.rs"]
mod check;
// The server's own file and not the server: a fuzz build of it takes minutes.
#[path = "../../crates/server/src/last_event.rs"]
mod last_event;

use last_event::last_event;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
