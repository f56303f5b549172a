//! Reads a JSON text once before it is parsed, to refuse what parsers let through.
//!
//! `serde_json` keeps the last of two equal keys, lets raw values hold lone surrogates and has no depth
//! limit of ours. After this scan a text is one JSON object in UTF-8, not deeper than [`DEPTH_MAX`],
//! without equal keys anywhere. It builds nothing and judges no value.

use std::borrow::Cow;
use std::collections::HashSet;

/// Deepest nesting of objects and lists; the outermost object is level 1.
pub(crate) const DEPTH_MAX: usize = 16;
/// Up to so many keys an object is searched key by key, which is faster than hashing.
const FEW_KEYS: usize = 24;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body begins with a byte order mark")]
    ByteOrderMark,
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("the JSON is nested deeper than {DEPTH_MAX} levels")]
    Depth,
    #[error("a key stands twice in one object")]
    DuplicateKey,
    #[error("a text has half of a surrogate pair")]
    LoneSurrogate,
    #[error("the body is not valid JSON at byte {0}")]
    Syntax(usize),
    #[error("something stands after the JSON object")]
    TrailingText,
}

/// Checks a whole body and gives it back as text.
pub(crate) fn scan(body: &[u8]) -> Result<&str, ScanError> {
    if body.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Err(ScanError::ByteOrderMark);
    }
    let text = std::str::from_utf8(body).map_err(|_| ScanError::NotUtf8)?;
    let mut scanner = Scanner { text, at: 0, open: Vec::with_capacity(DEPTH_MAX) };
    scanner.skip_space();
    if scanner.peek() != Some(b'{') {
        return Err(ScanError::NotAnObject);
    }
    scanner.run()?;
    Ok(text)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open<'a>>,
}

/// A list or object that has begun and not ended.
enum Open<'a> {
    List,
    Object(Keys<'a>),
}

#[derive(Default)]
struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    /// Whether the key was new.
    fn add(&mut self, key: Cow<'a, str>) -> bool {
        if self.many.is_empty() && self.few.len() < FEW_KEYS {
            let new = !self.few.contains(&key);
            self.few.push(key);
            return new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key)
    }
}

impl<'a> Scanner<'a> {
    /// Walks values until the outermost has ended.
    fn run(&mut self) -> Result<(), ScanError> {
        loop {
            let opened = self.value()?;
            if opened && !self.close_if_empty()? {
                continue;
            }
            if !self.next_member()? {
                break;
            }
        }
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(ScanError::TrailingText) }
    }

    /// Reads one value, or the beginning of a list or object: then the answer is true.
    fn value(&mut self) -> Result<bool, ScanError> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.enter(Open::Object(Keys::default())).map(|()| true),
            Some(b'[') => self.enter(Open::List).map(|()| true),
            Some(b'"') => self.string().map(|_| false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.word("true").map(|()| false),
            Some(b'f') => self.word("false").map(|()| false),
            Some(b'n') => self.word("null").map(|()| false),
            _ => Err(self.syntax()),
        }
    }

    fn enter(&mut self, open: Open<'a>) -> Result<(), ScanError> {
        if self.open.len() == DEPTH_MAX {
            return Err(ScanError::Depth);
        }
        self.at += 1;
        self.open.push(open);
        Ok(())
    }

    /// After `{` or `[`: whether it ended at once. If not, an object's first key has been read.
    fn close_if_empty(&mut self) -> Result<bool, ScanError> {
        self.skip_space();
        match (self.open.last(), self.peek()) {
            (Some(Open::List), Some(b']')) | (Some(Open::Object(_)), Some(b'}')) => {
                self.at += 1;
                self.open.pop();
                Ok(true)
            }
            (Some(Open::Object(_)), _) => self.key().map(|()| false),
            _ => Ok(false),
        }
    }

    /// After a value: closes what ends here. Whether another value follows.
    fn next_member(&mut self) -> Result<bool, ScanError> {
        while let Some(is_object) = self.open.last().map(|open| matches!(open, Open::Object(_))) {
            self.skip_space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    if is_object {
                        self.key()?;
                    }
                    return Ok(true);
                }
                Some(b'}') if is_object => self.at += 1,
                Some(b']') if !is_object => self.at += 1,
                _ => return Err(self.syntax()),
            }
            self.open.pop();
        }
        Ok(false)
    }

    fn key(&mut self) -> Result<(), ScanError> {
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err(self.syntax());
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.syntax());
        }
        self.at += 1;
        let is_new = match self.open.last_mut() {
            Some(Open::Object(keys)) => keys.add(key),
            _ => true,
        };
        if is_new { Ok(()) } else { Err(ScanError::DuplicateKey) }
    }

    /// Reads a string; it is copied only if it holds an escape.
    fn string(&mut self) -> Result<Cow<'a, str>, ScanError> {
        self.at += 1;
        let mut from = self.at;
        let mut decoded: Option<String> = None;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = &self.text[from..self.at];
                    self.at += 1;
                    return Ok(match decoded {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = decoded.get_or_insert_default();
                    text.push_str(&self.text[from..self.at]);
                    let character = self.escape()?;
                    decoded.get_or_insert_default().push(character);
                    from = self.at;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.syntax()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ScanError> {
        self.at += 1;
        let escaped = self.peek().ok_or_else(|| self.syntax())?;
        self.at += 1;
        Ok(match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.syntax()),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, ScanError> {
        let first = self.hex4()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first).ok_or(ScanError::LoneSurrogate);
        }
        if first >= 0xDC00 || !self.text[self.at..].starts_with("\\u") {
            return Err(ScanError::LoneSurrogate);
        }
        self.at += 2;
        let second = self.hex4()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(ScanError::LoneSurrogate);
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(ScanError::LoneSurrogate)
    }

    fn hex4(&mut self) -> Result<u32, ScanError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or_else(|| self.syntax())?;
        let mut number = 0;
        for digit in digits {
            number = number * 16 + char::from(*digit).to_digit(16).ok_or_else(|| self.syntax())?;
        }
        self.at += 4;
        Ok(number)
    }

    fn number(&mut self) -> Result<(), ScanError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), ScanError> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > from { Ok(()) } else { Err(self.syntax()) }
    }

    fn word(&mut self, word: &str) -> Result<(), ScanError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax(&self) -> ScanError {
        ScanError::Syntax(self.at)
    }
}

#[cfg(test)]
#[path = "../../../fuzz/checks/body.rs"]
mod check;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kept_input_of_the_fuzzer_holds() {
        crate::corpus::replay("body", check::check);
    }

    /// The fuzzer's own readers, which know nothing of the scan, must agree with each refusal.
    #[test]
    fn each_refusal_is_proven_by_another_reader() {
        let deep = nested(17);
        for (text, refusal) in [
            (&b"{} x"[..], ScanError::TrailingText),
            (b"\xef\xbb\xbf{}", ScanError::ByteOrderMark),
            (b"\x0c{}", ScanError::NotAnObject),
            (b"[{}]", ScanError::NotAnObject),
            (b"{\"a\":\"\xff\"}", ScanError::NotUtf8),
            (deep.as_bytes(), ScanError::Depth),
            (br#"{"x":["]]]\"",1e400,-0.5e-3,{"k":"\\","j":[],"\u006b":!"#, ScanError::DuplicateKey),
            (br#"{"a":"\\ud800 \ud83d\ude00","b":"\udc00"}"#, ScanError::LoneSurrogate),
            (br#"{"\ud800\u0041":1}"#, ScanError::LoneSurrogate),
        ] {
            assert_eq!(scan(text), Err(refusal), "{}", String::from_utf8_lossy(text));
            check::check(text);
        }
    }

    fn nested(levels: usize) -> String {
        format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1))
    }

    #[test]
    fn ordinary_json_passes() {
        for text in [
            "{}",
            " {\n} ",
            r#"{"a":[],"b":{},"c":[1,-2.5e+3,0,1e400,true,false,null,"x"],"d":{"a":{"a":1}}}"#,
            r#"{"\u00e9":"\ud83d\ude00","é2":"\"\\\/\b\f\n\r\t"}"#,
            r#"{"ops":[{"a":1},{"a":1}]}"#,
        ] {
            assert_eq!(scan(text.as_bytes()), Ok(text), "{text}");
        }
    }

    #[test]
    fn equal_keys_are_refused_anywhere() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"x":[{"y":{"k":1,"j":2,"k":3}}]}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"é":1,"\u00e9":2}"#,
        ] {
            assert_eq!(scan(text.as_bytes()), Err(ScanError::DuplicateKey), "{text}");
        }
        let many: Vec<String> = (0..100).map(|number| format!("\"k{number}\":0")).collect();
        assert!(scan(format!("{{{}}}", many.join(",")).as_bytes()).is_ok());
        let twice = format!("{{{},\"k3\":1}}", many.join(","));
        assert_eq!(scan(twice.as_bytes()), Err(ScanError::DuplicateKey));
    }

    #[test]
    fn sixteen_levels_pass_and_seventeen_do_not() {
        assert!(scan(nested(16).as_bytes()).is_ok());
        assert_eq!(scan(nested(17).as_bytes()), Err(ScanError::Depth));
        assert_eq!(scan(nested(100_000).as_bytes()), Err(ScanError::Depth));
    }

    #[test]
    fn half_pairs_are_refused_in_keys_and_texts() {
        for text in [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00\ud800"}"#, r#"{"\ud800":1}"#, r#"{"a":"\ud800\u0041"}"#] {
            assert_eq!(scan(text.as_bytes()), Err(ScanError::LoneSurrogate), "{text}");
        }
    }

    #[test]
    fn other_encodings_are_refused() {
        assert_eq!(scan(b"\xEF\xBB\xBF{}"), Err(ScanError::ByteOrderMark));
        assert_eq!(scan(b"{\"a\":\"\xFF\"}"), Err(ScanError::NotUtf8));
        assert_eq!(scan(b"\xFF\xFE{\0}\0"), Err(ScanError::NotUtf8));
        assert_eq!(
            scan("{}".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>().as_slice()),
            Err(ScanError::NotAnObject)
        );
    }

    #[test]
    fn only_one_object_is_a_body() {
        for text in ["", "  ", "[]", "[{}]", "1", "\"x\"", "null"] {
            assert_eq!(scan(text.as_bytes()), Err(ScanError::NotAnObject), "{text}");
        }
        for text in ["{} x", "{}{}", "{},"] {
            assert_eq!(scan(text.as_bytes()), Err(ScanError::TrailingText), "{text}");
        }
    }

    #[test]
    fn broken_json_is_refused() {
        for text in [
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":+1}",
            "{\"a\":NaN}",
            "{\"a\":[1,]}",
            "{\"a\":[1}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\\u12",
            "{\"a\":tru}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":\"x",
        ] {
            assert!(matches!(scan(text.as_bytes()), Err(ScanError::Syntax(_))), "{text}");
        }
    }

    #[test]
    fn whatever_passes_is_json_to_the_parser_too() {
        for text in ["{\"a\":1e5}", "{\"a\":-0}", "{\"a\":[[],{}]}", "{\"a\":\"\\u0000\"}"] {
            scan(text.as_bytes()).expect("it passes");
            serde_json::from_str::<serde_json::Value>(text).expect("it parses");
        }
    }
}
