//! What must hold for any code and name that a person types to join. The fuzzer and an ordinary test both ask it.

use showdesk_domain::visible::visible_name;

use super::{from_random, normalised};

/// The letters of a code, and what people may put between them.
const LETTERS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Panics if the bytes make the reading of codes and names do what it never may.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    check_code(&text);
    check_name(&text);
    let Ok(random) = <[u8; 8]>::try_from(bytes) else { return };
    let made = from_random(random);
    assert_eq!(normalised(&made).as_ref(), Some(&made), "what is shown can be typed");
}

fn check_code(text: &str) {
    let Some(code) = normalised(text) else { return };
    assert!(code.len() == 8 && code.chars().all(|letter| LETTERS.contains(letter)), "{code:?}");
    assert_eq!(normalised(&code).as_ref(), Some(&code), "read once, it stays the same");
    for other in
        [code.to_lowercase(), format!(" {}-{} ", &code[..4], &code[4..]), code.replace('1', "l").replace('0', "o")]
    {
        assert_eq!(normalised(&other).as_ref(), Some(&code), "{other:?} is the same code");
    }
    assert_eq!(normalised(&format!("{code}0")), None, "no code is longer");
    assert_eq!(normalised(&code[..7]), None, "or shorter");
    // Nothing but its own letters, what looks like them, dashes and blanks makes a code.
    let odd = text.chars().find(|letter| !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | ' '));
    assert_eq!(odd, None, "{text:?}");
}

fn check_name(text: &str) {
    let Some(name) = visible_name(text) else { return };
    assert!(!name.is_empty() && name.trim() == name, "{name:?}");
    assert!(!name.chars().any(char::is_control), "one line, and nothing that cannot be stored: {name:?}");
    let turns =
        |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    assert!(!name.chars().any(turns), "nothing turns it around: {name:?}");
    assert_eq!(visible_name(&name).as_ref(), Some(&name), "cleaned once, it stays the same");
}
