//! What must hold for any bytes that a stranger sends as a body. The fuzzer and an ordinary test both ask it.

use std::cell::Cell;
use std::collections::HashSet;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{DEPTH_MAX, ScanError, scan};

/// Panics if the bytes make the scan of bodies do what it never may.
pub(crate) fn check(bytes: &[u8]) {
    let scanned = scan(bytes);
    assert_eq!(scanned, scan(bytes), "the same twice");
    let parsed = serde_json::from_slice::<IgnoredAny>(bytes);
    match scanned {
        Ok(text) => {
            assert_eq!(text.as_bytes(), bytes, "it is handed on as it came");
            assert!(parsed.is_ok(), "what passes the scan is JSON: {parsed:?}");
            assert!(text.trim_start().starts_with('{'), "and an object");
            serde_json::from_str::<Box<RawValue>>(text).expect("it can be handed on in pieces");
            let strict = Walk::telling(&promised).deserialize(&mut serde_json::Deserializer::from_str(text));
            // Numbers keep their text; whether one fits is judged where it is read.
            let fits = strict.map_or_else(|error| error.to_string().starts_with("number out of range"), |()| true);
            assert!(fits, "every text is whole");
        }
        Err(ScanError::Syntax(at)) => {
            assert!(at <= bytes.len(), "a place in the body");
            assert!(parsed.is_err(), "only what is no JSON is called that");
        }
        Err(ScanError::NotUtf8) => assert!(std::str::from_utf8(bytes).is_err()),
        Err(ScanError::ByteOrderMark) => assert!(bytes.starts_with(b"\xef\xbb\xbf") && parsed.is_err()),
        Err(ScanError::TrailingText) => {
            let first = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>().next();
            assert!(parsed.is_err() && matches!(first, Some(Ok(_))), "one whole value, and then something");
        }
        Err(ScanError::NotAnObject) => {
            let first = bytes.iter().find(|byte| !b" \t\n\r".contains(byte));
            assert_ne!(first, Some(&b'{'), "what begins as an object is not called that");
        }
        Err(ScanError::Depth) => assert!(deepest(bytes) > DEPTH_MAX, "only what is deep is called that"),
        Err(ScanError::DuplicateKey) => assert!(has_a_key_twice(bytes), "only where a key stands twice"),
        Err(ScanError::LoneSurrogate) => assert!(has_half_a_pair(bytes), "only where half of a pair stands"),
    }
}

/// What passes the scan is as it promises.
fn promised(met: Met) {
    match met {
        Met::Opened(level) => assert!(level <= DEPTH_MAX, "deeper than it may be"),
        Met::KeyTwice => panic!("a key stands twice"),
    }
}

/// The deepest level of brackets outside texts, counted without looking whether they fit.
fn deepest(bytes: &[u8]) -> usize {
    let (mut level, mut deepest) = (0_usize, 0);
    outside_texts(bytes, |byte| match byte {
        b'{' | b'[' => {
            level += 1;
            deepest = deepest.max(level);
        }
        b'}' | b']' => level = level.saturating_sub(1),
        _ => {}
    });
    deepest
}

/// Calls with each byte that stands in no text.
fn outside_texts(bytes: &[u8], mut look: impl FnMut(u8)) {
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in bytes {
        match (in_text, *byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_text = !in_text,
            (true, _) => {}
            (false, byte) => look(byte),
        }
    }
}

/// Whether a reader that believes everything else meets a key twice, before or where it gives up.
fn has_a_key_twice(bytes: &[u8]) -> bool {
    let is_met = Cell::new(false);
    let note = |met: Met| {
        if matches!(met, Met::KeyTwice) {
            is_met.set(true);
        }
    };
    let text = without_numbers(bytes);
    // How it ends does not matter: behind the second key anything may stand.
    let _ = Walk::telling(&note).deserialize(&mut serde_json::Deserializer::from_slice(&text));
    is_met.get()
}

/// The same with a 0 for each number: this reader would refuse some that the scan lets through.
fn without_numbers(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut in_text, mut is_escaped, mut in_number) = (Vec::with_capacity(bytes.len()), false, false, false);
    for byte in bytes {
        let goes_on = in_number && matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        in_number = !in_text && (goes_on || matches!(byte, b'-' | b'0'..=b'9'));
        match (in_number, goes_on) {
            (true, true) => {}
            (true, false) => out.push(b'0'),
            (false, _) => out.push(*byte),
        }
        match (in_text, *byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_text = !in_text,
            _ => {}
        }
    }
    out
}

/// Whether some `\u` escape is half of a pair whose other half does not stand beside it.
fn has_half_a_pair(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match escape(bytes, at) {
            Some(0xd800..=0xdbff) if matches!(escape(bytes, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => return true,
            _ => at += 2,
        }
    }
    false
}

/// The number of the `\u` escape that stands there.
fn escape(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u16::from_str_radix(text, 16).ok()
}

/// What a reader of a value meets.
#[derive(Clone, Copy)]
enum Met {
    /// An object or a list on this level.
    Opened(usize),
    /// A key that its object has already.
    KeyTwice,
}

/// Reads a value and tells what it meets.
#[derive(Clone, Copy)]
struct Walk<'a> {
    level: usize,
    tell: &'a dyn Fn(Met),
}

impl<'a> Walk<'a> {
    fn telling(tell: &'a dyn Fn(Met)) -> Self {
        Self { level: 1, tell }
    }

    /// The reader of what stands inside.
    fn open(self) -> Self {
        (self.tell)(Met::Opened(self.level));
        Self { level: self.level + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inside = self.open();
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                (self.tell)(Met::KeyTwice);
            }
            map.next_value_seed(inside)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inside = self.open();
        while list.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
