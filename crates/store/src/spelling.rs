//! A typed text as LIKE patterns, the same for both engines.
//!
//! SQLite's `lower` knows ASCII letters only, so a name's other letters stay as they were written there:
//! small, capital at the beginning of a word, or all capital. A text has the first three placeholders.

/// Placeholders of a text's spellings.
pub(crate) const SPELLINGS: [&str; 3] = ["$1", "$2", "$3"];

/// What comes after is not looked at.
const TEXT_CHARS: usize = 200;

/// The text in small letters, as it is compared; none if there is none.
pub(crate) fn lowered(text: &str) -> Option<String> {
    let text: String = text.trim().to_lowercase().chars().filter(|letter| *letter != '\0').take(TEXT_CHARS).collect();
    (!text.is_empty()).then_some(text)
}

/// A text whose signs mean nothing to LIKE.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

/// What stands anywhere in a text, in its three spellings.
pub(crate) fn spellings(lowered: &str) -> [Option<String>; 3] {
    let small = escaped(lowered);
    let spelled = [small.clone(), with_capitals(&small, true), with_capitals(&small, false)];
    spelled.map(|text| Some(format!("%{text}%")))
}

/// Whether a column's text matches a placeholder.
pub(crate) fn like(text: &str, placeholder: &str) -> String {
    format!(r"lower({text}) LIKE {placeholder} ESCAPE '\'")
}

/// Whether a column's text matches one of the spellings.
pub(crate) fn like_spelled(text: &str) -> String {
    SPELLINGS.map(|placeholder| like(text, placeholder)).join(" OR ")
}

/// Makes the letters capital that `lower` leaves alone: all of them, or only those that begin a word.
fn with_capitals(text: &str, only_first: bool) -> String {
    let mut capital = String::with_capacity(text.len());
    let mut begins_word = true;
    for letter in text.chars() {
        if letter.is_ascii() || (only_first && !begins_word) {
            capital.push(letter);
        } else {
            capital.extend(letter.to_uppercase());
        }
        begins_word = !letter.is_alphanumeric();
    }
    capital
}
