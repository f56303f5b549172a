//! Text that must not stand in a log: keys, passes, and the addresses of phones.

use std::fmt;

/// A text whose `Debug` says nothing, so that it cannot slip into a log by way of what holds it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: only for the provider it belongs to, or the store that keeps it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_printed_structure_is_not_seen() {
        let printed = format!("{:?}", Some(Secret::new("hunter2")));
        assert_eq!(printed, "Some(Secret(…))");
    }
}
