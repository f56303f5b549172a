//! Which errors are one problem.

use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use sha2::{Digest, Sha256};

use super::frames;
use super::scrub::scrub;

/// Our frames that a fingerprint looks at.
const FRAMES_MAX: usize = 5;

/// Characters of a group's title at most.
const TITLE_CHARS_MAX: usize = 120;

/// An error as it was reported, before anything is taken out of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Report<'a> {
    /// Said by who reports it, where one place of the code is one problem.
    pub key: Option<&'a str>,
    /// `panic`, `TypeError`, `disk_full`: what kind of error it is.
    pub kind: &'a str,
    /// Its text.
    pub message: &'a str,
    /// Its stack, as the runtime wrote it.
    pub stack: Option<&'a str>,
    /// The matched route or the page.
    pub route: Option<&'a str>,
}

impl Report<'_> {
    /// What is equal for all errors of one problem.
    ///
    /// An explicit key; else kind and our topmost frames; else kind, normalised message and route.
    pub fn fingerprint(&self) -> Fingerprint {
        if let Some(key) = self.key {
            return Fingerprint::of(&["key", self.kind, key]);
        }
        let frames = self.stack.map_or_else(Vec::new, |stack| frames::ours(stack, FRAMES_MAX));
        if frames.is_empty() {
            let message = normalise(&scrub(self.message));
            return Fingerprint::of(&["message", self.kind, &message, self.route.unwrap_or_default()]);
        }
        let mut parts = vec!["frames", self.kind];
        parts.extend(frames.iter().map(String::as_str));
        Fingerprint::of(&parts)
    }

    /// One line for the list of problems: the first line of the message with nothing of people in it.
    pub fn title(&self) -> String {
        let message = scrub(self.message);
        let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(self.kind);
        if line.chars().count() <= TITLE_CHARS_MAX {
            return line.to_owned();
        }
        line.chars().take(TITLE_CHARS_MAX - 1).chain(['…']).collect()
    }
}

/// 64 hex characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Each part with its length, so that no two lists of parts are the same text.
    fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self(format!("{:x}", hash.finalize()))
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What stands for a hex number.
const HEX: &str = "‹hex›";

/// What differs between errors of one problem, in the order in which it is looked for.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "‹id›"),
        (r"\b\w[\w+.-]*://[^\s,;)]+", "‹path›"),
        (r"(?:\b[A-Za-z]:)?(?:\\[^\s\\:,;]+)+", "‹path›"),
        (r"(?:\.{0,2}/[\w.@%+~‹›-]+){2,}/?", "‹path›"),
        (r"`[^`\n]*`", "‹text›"),
        (r"\b(?:0x[0-9a-fA-F]+|[0-9a-fA-F]{8,})\b", HEX),
        (r"[-+]?\d+(?:[.,:]\d+)*", "‹n›"),
        (r"‹n›(?:,? ‹n›)+", "‹n›"),
        (r"\s+", " "),
    ]
    .into_iter()
    .map(|(text, stands)| (Regex::new(text).expect("the pattern is a constant, and tests use it"), stands))
    .collect()
});

/// A scrubbed message with placeholders for what differs from time to time: ids, paths, hex, numbers.
pub fn normalise(message: &str) -> String {
    let mut text = message.trim().to_owned();
    for (pattern, stands) in VARYING.iter() {
        let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
            let is_word = *stands == HEX && !is_hex(&found[0]);
            if is_word { found[0].to_owned() } else { (*stands).to_owned() }
        });
        text = replaced.into_owned();
    }
    text
}

/// A word such as `facade` has no figure; a number has no letter.
fn is_hex(word: &str) -> bool {
    word.starts_with("0x")
        || (word.contains(|sign: char| sign.is_ascii_digit()) && word.contains(|sign: char| sign.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn report(message: &str) -> Report<'_> {
        Report { kind: "error", message, ..Report::default() }
    }

    #[test]
    fn what_varies_has_a_placeholder() {
        let table = [
            ("row 018f3c1e-7d2a-7c3b-9a41-0123456789ab is gone", "row ‹id› is gone"),
            ("took 1,204.5 ms of 500", "took ‹n› ms of ‹n›"),
            ("lost 1, 2, 3, 17", "lost ‹n›"),
            ("at 0x7f3a and deadbeef01", "at ‹hex› and ‹hex›"),
            ("cannot open ./data/show-3/show.db", "cannot open ‹path›"),
            (r"cannot open C:\Users\‹user›\show.db now", "cannot open ‹path› now"),
            ("GET http://192.168.1.20:7420/x failed", "GET ‹path› failed"),
            ("a  b\n\tc", "a b c"),
            ("either/or stays", "either/or stays"),
            ("the facade decided", "the facade decided"),
        ];
        for (message, expected) in table {
            assert_eq!(normalise(message), expected, "{message}");
        }
    }

    #[test]
    fn a_key_wins_over_frames_and_frames_over_the_message() {
        let stack = "   1: showdesk_engine::push::apply\n             at ./a.rs:1:1\n";
        let moved = "   7: showdesk_engine::push::apply\n             at ./a.rs:99:1\n";
        let one = Report { stack: Some(stack), ..report("a") };
        let other = Report { stack: Some(moved), ..report("b") };
        assert_eq!(one.fingerprint(), other.fingerprint());
        assert_ne!(one.fingerprint(), report("a").fingerprint());
        let keyed = Report { key: Some("push"), ..one };
        assert_eq!(keyed.fingerprint(), Report { key: Some("push"), ..report("c") }.fingerprint());
        assert_ne!(keyed.fingerprint(), one.fingerprint());
        assert_ne!(report("a").fingerprint(), Report { route: Some("/pull"), ..report("a") }.fingerprint());
        assert_ne!(report("a").fingerprint(), Report { kind: "panic", ..report("a") }.fingerprint());
    }

    #[test]
    fn a_title_is_one_scrubbed_line() {
        assert_eq!(report("\n no \"Maria\" \nmore").title(), "no ‹text›");
        assert_eq!(report("").title(), "error");
        assert_eq!(report(&"é".repeat(500)).title().chars().count(), TITLE_CHARS_MAX);
    }

    /// Twelve problems; `n` is another one each time.
    fn twelve(kind: usize, n: u64) -> (String, Option<String>) {
        let id = format!("{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}", n * 7 + 1, n % 9_999, n % 4_000, n % 1_000, n * 31);
        let address = format!("http://192.168.{}.{}:7420", n % 5, n % 250);
        let message = match kind {
            0 => format!("row {id} is gone"),
            1 => format!("took {} ms, more than {}", n * 3, n % 7),
            2 => format!("cannot open /home/user{n}/show-{n}/show.db: locked"),
            3 => format!("no exhibitor named \"Maria {n}\""),
            4 => format!("unknown animals {:?}", (0..=n % 9).collect::<Vec<_>>()),
            5 => format!("checksum 0x{n:x} differs from 0x{:x}", n * 13),
            6 => format!("GET {address}/api/v1/pull?after={n} failed"),
            7 => format!("mail to judge{n}@example.org was refused"),
            8 => format!("called (515) 555-{:04} without an answer", n % 10_000),
            9 => format!("bad token=abc{n}xyz of phone {n}"),
            10 => return (format!("value {n}"), Some(format!("  {n}: showdesk_engine::pull::page\n   at a.rs:{n}:1"))),
            _ => {
                let stack = format!("at save ({address}/assets/work-{:08x}.js:{n}:{n})", n * 5);
                return (format!("x{n} is undefined"), Some(stack));
            }
        };
        (message, None)
    }

    #[test]
    fn ten_thousand_errors_of_twelve_kinds_are_twelve_groups() {
        let mut groups: BTreeMap<Fingerprint, std::collections::BTreeSet<usize>> = BTreeMap::new();
        for n in 0..10_000_u64 {
            let kind = usize::try_from(n % 12).unwrap();
            let (message, stack) = twelve(kind, n);
            let report = Report { stack: stack.as_deref(), ..report(&message) };
            groups.entry(report.fingerprint()).or_default().insert(kind);
        }
        let kinds: Vec<_> = groups.values().collect();
        assert_eq!(kinds.len(), 12, "{groups:?}");
        assert!(kinds.iter().all(|kinds| kinds.len() == 1), "{kinds:?}");
    }
}
