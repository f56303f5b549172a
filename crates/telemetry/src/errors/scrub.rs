//! Takes secrets and people out of a text before it is stored.
//!
//! One pattern finds all of them in one pass, the first alternative first: what is known to be harmless (an id, a date,
//! an address in the network) is matched before what looks like it (a phone number), and stays.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Longer texts are cut before anything else.
pub const TEXT_CHARS_MAX: usize = 8_000;

/// From this length on, a word of letters and digits is taken for a secret.
const SECRET_CHARS_MIN: usize = 24;

/// What stands in place of what was taken out.
const SECRET: &str = "‹secret›";
const EMAIL: &str = "‹email›";
const PHONE: &str = "‹phone›";
const TEXT: &str = "‹text›";
const PERSON: &str = "‹person›";

/// Digits of a phone number with its area, at most: E.164.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 10..=15;

static FOUND: LazyLock<Regex> = LazyLock::new(|| {
    let alternatives = [
        // What was taken out before stays as it is.
        r"(?P<done>‹[a-z]+›)",
        // What a browser says of its page's own code: `(reading 'unit')`. Too short for a secret.
        r"(?P<own_code>\((?:reading|setting|evaluating) '[\w$.?]{1,23}'\))",
        r"(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)",
        r"(?P<date>\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?)",
        r"(?P<ip>\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b)",
        r"(?P<pem>(?s:-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\z)))",
        r#"(?P<header>(?i:\b(?:authorization|(?:set-)?cookie)["']?\s*[:=]\s*))[^\r\n]+"#,
        r"(?P<scheme>(?i:\b(?:bearer|basic))\s+)(?P<credential>[^\s,;]+)",
        r#"(?P<secret_key>(?i:\b[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|(?:join|pairing|typed)[_-]?code)\w*)["']?\s*[:=]\s*)(?P<secret_value>‹[a-z]+›|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^\s,;&)\]}]+)"#,
        r#"(?P<person_key>(?i:\b(?:first_|last_|full_|person_|guardian_|exhibitor_)?name|\bguardian\w*|\baddress|\bstreet)["']?\s*[:=]\s*)(?P<person_value>‹[a-z]+›|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|[^\s,;&)\]}]+)"#,
        r"(?P<url>\b[a-z][a-z0-9+.-]*://)(?P<url_rest>[^\s<>)\]}]+)",
        // A place of a page: what stands behind its name is an id, or a code for joining.
        r#"(?P<place>#/\w+/)(?P<place_rest>[^\s"'<>)\]}]+)"#,
        r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
        r"(?P<home>(?:/home/|/Users/|\b[A-Za-z]:\\Users\\))(?P<home_of>[^/\\\n:]+)",
        r"(?P<jwt>\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?)",
        r#"(?P<quoted>"(?:[^"\\\n]|\\.)*\\?(?:"|$)|“[^”\n]*(?:”|$)|‘[^’\n]*(?:’|$)|«[^»\n]*(?:»|$))"#,
        r"(?P<before>^|[\s(\[{=:,])'(?:[^'\n]|'\w)*(?:'|$)",
        r"(?P<ticked>`[^`\n]*`)",
        r"(?P<base64>[A-Za-z0-9+/]{32,}={0,2})",
        r"(?P<word>\b[A-Za-z0-9_-]{24,})",
        r"(?P<phone>\+?\(?\d[\d\s().-]{6,}\d)",
    ];
    Regex::new(&format!("(?m){}", alternatives.join("|"))).expect("the pattern is a constant, and tests use it")
});

/// The text without secrets, names, phone numbers and e-mail addresses. Doing it twice changes nothing.
pub fn scrub(text: &str) -> String {
    FOUND.replace_all(&cut(text), |found: &Captures<'_>| replaced(found).into_owned()).into_owned()
}

/// At most [`TEXT_CHARS_MAX`] of it.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Borrowed(&text[..end]),
    }
}

fn replaced<'a>(found: &'a Captures<'_>) -> Cow<'a, str> {
    let all = &found[0];
    let group = |name: &str| found.name(name).map(|part| part.as_str());
    let keyed =
        [("header", SECRET), ("scheme", SECRET), ("secret_key", SECRET), ("person_key", PERSON), ("home", "‹user›")];
    if let Some((key, stands)) = keyed.iter().find_map(|(name, stands)| Some((group(name)?, stands))) {
        return Cow::Owned(format!("{key}{stands}"));
    }
    if let (Some(scheme), Some(rest)) = (group("url"), group("url_rest")) {
        return Cow::Owned(format!("{scheme}{}", url(rest)));
    }
    if let (Some(place), Some(rest)) = (group("place"), group("place_rest")) {
        let is_known = rest.starts_with('‹') || is_id(rest);
        return if is_known { Cow::Borrowed(all) } else { Cow::Owned(format!("{place}{SECRET}")) };
    }
    if let Some(before) = group("before") {
        return Cow::Owned(format!("{before}{TEXT}"));
    }
    let whole = [("pem", SECRET), ("jwt", SECRET), ("email", EMAIL), ("quoted", TEXT)];
    if let Some((_, stands)) = whole.iter().find(|(name, _)| group(name).is_some()) {
        return Cow::Borrowed(stands);
    }
    let judged = [
        ("ticked", is_code as fn(&str) -> bool, TEXT),
        ("base64", |word| !is_secret(word), SECRET),
        ("word", |word| !is_secret(word), SECRET),
        ("phone", |number| !is_phone(number), PHONE),
    ];
    let stands = judged.iter().find(|(name, harmless, _)| group(name).is_some_and(|part| !harmless(part)));
    stands.map_or(Cow::Borrowed(all), |(_, _, stands)| Cow::Borrowed(stands))
}

/// An address without who asks, what is asked and what stands behind `#`; its path is scrubbed like any text.
fn url(rest: &str) -> String {
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, asked) = rest.split_at(end);
    let path = path.rsplit_once('@').map_or(path, |(_, host)| host);
    let asked = match asked.chars().next() {
        Some(sign) => format!("{sign}{SECRET}"),
        None => String::new(),
    };
    format!("{}{asked}", FOUND.replace_all(path, |found: &Captures<'_>| replaced(found).into_owned()))
}

/// A row's id, as it stands in an address.
fn is_id(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|sign| sign.is_ascii_hexdigit() || sign == '-')
}

/// What Rust's own messages put between backticks; anything else may be what somebody typed.
fn is_code(ticked: &str) -> bool {
    let inner = ticked.trim_matches('`');
    matches!(inner, "None" | "Some" | "Ok" | "Err" | "true" | "false" | "null")
        || inner.contains("::")
        || inner.contains("()")
        || inner.contains('_') && inner.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_')
}

/// Long, of letters and digits, and no path or name: keys, tokens, hashes.
fn is_secret(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|sign| kind(&sign));
    word.chars().count() >= SECRET_CHARS_MIN && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
}

/// As many digits as a phone number has, or the short form 555-0142.
fn is_phone(number: &str) -> bool {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let short = number.split_once('-').is_some_and(|(exchange, line)| exchange.len() == 3 && line.len() == 4);
    PHONE_DIGITS.contains(&digits) || short && digits == 7
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_and_people_are_taken_out() {
        let table = [
            ("sent Bearer sdt_CANARY-0Zq9, refused", "sent Bearer ‹secret›, refused"),
            ("password=hunter2&next=1", "password=‹secret›&next=1"),
            (r#"{"api_key": "k 1", "n": 5}"#, r"{‹text›: ‹text›, ‹text›: 5}"),
            ("join_code: 7KQ2M9XR", "join_code: ‹secret›"),
            ("unknown 4f9c1b2aa0e84d7c91aa3e5f7712bcd0 here", "unknown ‹secret› here"),
            ("eyJhbGciOiJI.eyJzdWIi.sig-1 bad", "‹secret› bad"),
            ("mail maria.lopez@example.org now", "mail ‹email› now"),
            ("call (515) 555-0142 or 5155550142", "call ‹phone› or ‹phone›"),
            ("call +49 30 123456-78 or 555-0142", "call ‹phone› or ‹phone›"),
            ("no exhibitor named \"Maria Lopez\"", "no exhibitor named ‹text›"),
            ("no exhibitor named 'Pat O'Brien'.", "no exhibitor named ‹text›."),
            ("“Maria” and ‘Dan’ clash", "‹text› and ‹text› clash"),
            ("cut off: \"Maria Lop", "cut off: ‹text›"),
            ("first_name=Maria, tag=42", "first_name=‹person›, tag=42"),
            ("unknown variant `Maria`", "unknown variant ‹text›"),
            ("/home/maria/show.db is locked", "/home/‹user›/show.db is locked"),
            (r"C:\Users\Maria Lopez\show.db", r"C:\Users\‹user›\show.db"),
            ("http://me:pw@host/a?key=1", "http://host/a?‹secret›"),
            ("http://192.168.1.20:7420/#/join/7KQ2M9XR", "http://192.168.1.20:7420/#‹secret›"),
            ("at #/join/7KQ2M9XR now", "at #/join/‹secret› now"),
            ("-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----", "‹secret›"),
        ];
        for (text, expected) in table {
            assert_eq!(scrub(text), expected);
        }
    }

    #[test]
    fn a_header_of_the_two_kinds_is_taken_out_whole() {
        assert_eq!(scrub("Authorization: Bearer sdt_CANARY-0Zq9"), "Authorization: ‹secret›");
        assert_eq!(scrub("cookie: a=1; theme=dark"), "cookie: ‹secret›");
    }

    #[test]
    fn what_an_engineer_needs_stays() {
        for text in [
            "row 018f3c1e-7d2a-7c3b-9a41-0123456789ab at 2026-08-14 09:41:07.123 from 192.168.100.200:52114",
            "called `Option::unwrap()` on a `None` value",
            "unknown field `guardian_phone` at line 1 column 204",
            "Maria's phone isn't there",
            "index out of bounds: the len is 3 but the index is 17",
            "showdesk_engine::writer::save::rows_of_the_transaction failed after 1200 ms",
            "database disk image is malformed (code: 11)",
            "Cannot read properties of undefined (reading 'unit')",
            "at #/weigh, then #/entries/018f3c1e-7d2a-7c3b-9a41-0123456789ab",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let scrubbed = scrub(&"é ".repeat(TEXT_CHARS_MAX));
        assert_eq!(scrubbed.chars().count(), TEXT_CHARS_MAX);
    }

    /// The places in a message where a secret or a person was once seen.
    const AROUND: [(&str, &str); 8] = [
        ("Bearer ", ""),
        ("token=", ""),
        ("{\"password\":\"", "\"}"),
        ("https://host/x?key=", ""),
        ("http://192.168.1.20:7420/#/join/", ""),
        ("said \"", "\""),
        ("value '", "'"),
        ("name: ", ""),
    ];

    proptest! {
        #[test]
        fn a_canary_is_never_stored(
            canary in "CANARY[A-Za-z0-9_-]{4,40}", around in 0..8_usize, before in "[a-z ]{0,20}", after in "[a-z ]{0,20}",
        ) {
            let (open, close) = AROUND[around];
            let scrubbed = scrub(&format!("{before} {open}{canary}{close} {after}"));
            prop_assert!(!scrubbed.contains("CANARY"), "{}", scrubbed);
        }

        #[test]
        fn a_token_is_found_without_any_word_before_it(token in "sdt_[A-Za-z0-9_-]{20}[0-9][A-Za-z0-9_-]{22}") {
            let scrubbed = scrub(&format!("got {token} there"));
            prop_assert!(!scrubbed.contains(&token[6..16]), "{}", scrubbed);
        }

        #[test]
        fn scrubbing_twice_is_scrubbing_once(text in r#"([a-z0-9 "'`=:/@.+()\\-]|token=|name: |Bearer |http://|‹text›){0,60}"#) {
            let once = scrub(&text);
            prop_assert_eq!(scrub(&once), once);
        }
    }
}
