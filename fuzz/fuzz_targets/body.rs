//! Fuzzes the scan of bodies: `cargo fuzz run -s none body`, or `cargo xtask faults`.
#![no_main]

#[path = "../checks/body.rs"]
mod check;
// The server's own file and not the server: a fuzz build of it takes minutes.
#[path = "../../crates/server/src/scan.rs"]
mod scan;

use scan::{DEPTH_MAX, ScanError, scan};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
