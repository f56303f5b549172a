//! Files that a program wrote say the same as when it writes them again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Violation;
use crate::codegen::{self, OPENAPI};

/// Compares the contract with what the server's code says.
pub(super) fn openapi(root: &Path) -> Result<Option<Violation>> {
    let stands = fs::read_to_string(root.join(OPENAPI)).with_context(|| format!("{OPENAPI} could not be read"))?;
    Ok(differs(OPENAPI, &stands, &codegen::openapi(root)?))
}

fn differs(path: &str, stands: &str, made: &str) -> Option<Violation> {
    if stands == made {
        return None;
    }
    let common = stands.lines().zip(made.lines()).take_while(|(old, new)| old == new).count();
    Some(Violation::new(format!("{path}:{}", common + 1), "is not current: type `cargo xtask codegen`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_would_be_written_differently_is_found() {
        assert_eq!(differs("a", "one\ntwo\n", "one\ntwo\n"), None);
        assert_eq!(differs("a", "one\ntwo\n", "one\n2\n").unwrap().place, "a:2");
        assert_eq!(differs("a", "one\n", "one\ntwo\n").unwrap().place, "a:2");
    }
}
