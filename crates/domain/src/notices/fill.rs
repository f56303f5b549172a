//! Fills `{class}`, `{ring}` and `{time}` into a message.

use super::TITLE_CHARS_MAX;

/// What can be filled in; none where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filling {
    /// `Class 15`.
    pub class: Option<String>,
    /// `Ring 1`.
    pub ring: Option<String>,
    /// `10:20`.
    pub time: Option<String>,
}

/// The text with its placeholders filled; else the first one that nothing is known for.
pub fn fill(text: &str, filling: &Filling) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}') {
            Some((name, later)) if is_name(name) => {
                let value = match name {
                    "class" => &filling.class,
                    "ring" => &filling.ring,
                    "time" => &filling.time,
                    _ => &None,
                };
                filled.push_str(value.as_ref().ok_or_else(|| name.to_owned())?);
                rest = later;
            }
            _ => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Title and text as they fit: what the title has too much goes in front of the text, cut at a word.
pub fn fit(title: &str, body: Option<&str>) -> (String, Option<String>) {
    if title.chars().count() <= TITLE_CHARS_MAX {
        return (title.to_owned(), body.map(str::to_owned));
    }
    let end = title.char_indices().nth(TITLE_CHARS_MAX).map_or(title.len(), |(index, _)| index);
    // The letter after the last that fits tells whether a word ends there.
    let after = title[end..].chars().next().map_or(0, char::len_utf8);
    let cut = title[..end + after].rfind(char::is_whitespace).filter(|at| *at > 0).unwrap_or(end);
    let (kept, rest) = (title[..cut].trim_end(), title[cut..].trim_start());
    let body = [Some(rest), body].into_iter().flatten().filter(|part| !part.is_empty());
    (kept.to_owned(), Some(body.collect::<Vec<_>>().join(" ")))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_is_too_long_goes_on_in_the_text() {
        let word = "abcd ".repeat(16);
        let full = word.trim_end();
        assert_eq!(full.len(), 79);
        assert_eq!(fit(full, Some("x")), (full.to_owned(), Some("x".to_owned())));
        assert_eq!(fit(&format!("{full}e"), None), (format!("{full}e"), None));
        assert_eq!(fit(&format!("{full} efgh"), Some("x")), (full.to_owned(), Some("efgh x".to_owned())));
        assert_eq!(fit(&format!("{full}e f"), None), (format!("{full}e"), Some("f".to_owned())));
        let (title, body) = fit(&"🐖".repeat(81), None);
        assert_eq!((title.chars().count(), body.as_deref()), (80, Some("🐖")));
    }

    #[test]
    fn placeholders_are_filled_or_named() {
        let filling = Filling { class: Some("Class 15".to_owned()), ring: Some("Ring 1".to_owned()), time: None };
        let filled = |text: &str| fill(text, &filling);
        assert_eq!(filled("{class} to make-ready, {ring}").as_deref(), Ok("Class 15 to make-ready, Ring 1"));
        assert_eq!(filled("{class} at {time}"), Err("time".to_owned()));
        assert_eq!(filled("{judge} is late"), Err("judge".to_owned()));
        for text in ["", "no braces", "a { b", "a } b", "{}", "{Not one}", "{{", "5 {€} 🐖"] {
            assert_eq!(filled(text).as_deref(), Ok(text));
        }
        assert_eq!(filled("{{class}}").as_deref(), Ok("{Class 15}"));
        // What is filled in is not read again.
        let odd = Filling { class: Some("{time}".to_owned()), ..Filling::default() };
        assert_eq!(fill("{class}", &odd).as_deref(), Ok("{time}"));
    }
}
