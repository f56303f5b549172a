//! Texts as people see them: without characters that hide, reorder or pretend to be nothing.
//!
//! A name is read by a tired person on a small screen. What cannot be seen must not make two names differ, turn one
//! around (U+202E), or make one of nothing.

/// The text without control characters but tab and line breaks, and without invisible ones.
///
/// Joiners and variation selectors stay where a script or an emoji needs them: between visible letters beyond ASCII.
pub fn visible(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')) {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let mut letters = text.chars().filter(|letter| !is_hidden(*letter)).peekable();
    while let Some(letter) = letters.next() {
        let after_letter = kept.chars().next_back().is_some_and(is_joined);
        let stays = match letter {
            // A selector behind it would go, and leave it before nothing.
            JOINER | NON_JOINER => {
                after_letter && letters.peek().copied().is_some_and(|next| is_joined(next) && !is_joiner(next))
            }
            '\u{fe00}'..='\u{fe0f}' => after_letter,
            _ => true,
        };
        if stays {
            kept.push(letter);
        }
    }
    kept
}

/// A name on one line: visible characters, no white space around it, one space for each gap. None if nothing is left.
pub fn visible_name(text: &str) -> Option<String> {
    let name = visible(text).split(|letter: char| letter.is_whitespace() || is_blank(letter)).fold(
        String::new(),
        |mut name, word| {
            if !name.is_empty() && !word.is_empty() {
                name.push(' ');
            }
            name.push_str(word);
            name
        },
    );
    (!name.is_empty()).then_some(name)
}

/// Whether nothing of the text can be seen.
pub fn is_unseen(text: &str) -> bool {
    text.chars().all(|letter| letter.is_whitespace() || is_blank(letter) || is_hidden(letter) || is_joiner(letter))
}

const JOINER: char = '\u{200d}';
const NON_JOINER: char = '\u{200c}';

fn is_joiner(letter: char) -> bool {
    matches!(letter, JOINER | NON_JOINER | '\u{fe00}'..='\u{fe0f}')
}

/// A visible character beyond ASCII: a script that joins, or an emoji.
fn is_joined(letter: char) -> bool {
    !letter.is_ascii() && !letter.is_whitespace() && !is_blank(letter) && !matches!(letter, JOINER | NON_JOINER)
}

/// Letters that are drawn as nothing.
fn is_blank(letter: char) -> bool {
    matches!(letter, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Characters that show nothing and change what others show: controls, directions, marks of width zero.
fn is_hidden(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_makes_no_name() {
        for text in ["", " ", "\u{200b}", "\u{2800}", "\u{3164}\u{3164}", "\u{202e}", "\u{feff} \u{ad}", "\t\u{ffa0}\n"]
        {
            assert!(is_unseen(text), "{text:?}");
            assert_eq!(visible_name(text), None, "{text:?}");
        }
        for text in ["\u{200d}", "\u{fe0f}", "\u{200c}\u{200d}"] {
            assert!(is_unseen(text), "{text:?}");
            assert_eq!(visible_name(text), None, "{text:?}");
        }
        assert!(!is_unseen("a"));
    }

    #[test]
    fn what_hides_or_reorders_is_taken_out() {
        for (text, name) in [
            ("Ana \u{202e}llib", "Ana llib"),
            ("\u{2066}Ben\u{2069}", "Ben"),
            ("A\u{200d}na", "Ana"),
            ("A\u{200b}n\u{ad}a", "Ana"),
            ("  Lena \n Ostrow\u{3164} ", "Lena Ostrow"),
            ("Ga\u{e0041}te", "Gate"),
            ("Scale\u{0}\u{7}\u{9d} 1", "Scale 1"),
        ] {
            assert_eq!(visible_name(text).as_deref(), Some(name), "{text:?}");
        }
    }

    #[test]
    fn scripts_and_emoji_keep_what_they_need() {
        for text in ["می\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}🌾", "❤\u{fe0f}", "Zoë Őry", "李 小龙"]
        {
            assert_eq!(visible(text), text);
        }
        assert_eq!(visible("👩\u{200d}"), "👩", "a joiner that joins nothing hides");
    }

    #[test]
    fn lines_stay_in_a_text_and_not_in_a_name() {
        assert_eq!(visible("wet coat\n\tlame"), "wet coat\n\tlame");
        assert_eq!(visible_name("wet coat\n\tlame").as_deref(), Some("wet coat lame"));
    }
}
