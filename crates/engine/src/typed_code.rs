//! The short form of a joining code: eight characters that a person reads from one screen and types on another.
//!
//! Crockford's base32: no I, L, O and U, so that nothing looks like something else. Pure: randomness is an argument.

/// Characters of a code: 40 bits, which live for two minutes and forgive a few wrong tries.
const CHARS: usize = 8;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code out of random bytes, of which five bits each count.
pub(crate) fn from_random(random: [u8; CHARS]) -> String {
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// What somebody typed as it was made: any case, I and L for 1, O for 0, dashes and spaces between. None if it is no
/// such code.
pub(crate) fn normalised(text: &str) -> Option<String> {
    let mut code = String::with_capacity(CHARS);
    for letter in text.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
        let letter = match letter.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            other => other,
        };
        let is_known = u8::try_from(letter).is_ok_and(|letter| ALPHABET.contains(&letter));
        if !is_known || code.len() == CHARS {
            return None;
        }
        code.push(letter);
    }
    (code.len() == CHARS).then_some(code)
}

#[cfg(test)]
#[path = "../../../fuzz/checks/pairing.rs"]
mod check;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kept_input_of_the_fuzzer_holds() {
        crate::corpus::replay("pairing", check::check);
    }

    #[test]
    fn what_is_typed_is_what_was_shown() {
        for text in ["0G1K7ZM2", "0g1k7zm2", "0G1K-7ZM2", " og lk 7z-m2 ", "OGIK7ZM2"] {
            assert_eq!(normalised(text).as_deref(), Some("0G1K7ZM2"), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_typed_code() {
        for text in
            ["", "0G1K7ZM", "0G1K7ZM22", "0G1K7ZMU", "0G1K_7ZM", "0G1K7ZMé", "AAAAAAAAAAAAAAAAAAAAAA", "\u{30}\u{200b}"]
        {
            assert_eq!(normalised(text), None, "{text}");
        }
    }

    #[test]
    fn every_made_code_can_be_typed() {
        for byte in 0..=u8::MAX {
            let code = from_random([byte, byte.wrapping_add(1), 0, 31, 32, 255, byte / 2, byte / 3]);
            assert_eq!(normalised(&code), Some(code));
        }
    }
}
