//! What must hold for anything that a phone says it has heard. The fuzzer and an ordinary test both ask it.

use super::last_event;

/// Panics unless a number is read exactly where a person would read one, and never another.
pub(crate) fn check(bytes: &[u8]) {
    let expected = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() <= 19 && text.chars().all(|letter| letter.is_ascii_digit()))
        .and_then(|text| text.parse::<i64>().ok());
    assert_eq!(last_event(bytes), expected);
}
