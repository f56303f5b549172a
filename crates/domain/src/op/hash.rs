//! What identifies an op's content, so that one that is sent again is known: its payload hash (PROTOCOL.md §3).

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::decode::Parts;

/// The members that are content, in their canonical order.
const CONTENT: [&str; 9] =
    ["base", "base_version", "data", "operation", "prev_op_id", "reason", "record_id", "table_name", "txn"];
/// Numbers of so many digits are the same in every JSON.
const PLAIN_DIGITS_MAX: usize = 15;
/// How deep texts are looked at before a parser does, which has a limit of its own.
const PLAIN_DEPTH_MAX: usize = 16;

/// SHA-256 of the RFC 8785 JSON of an op's content, in hex, or of its text where it has none.
pub(super) fn payload_sha256(raw: &RawValue, parts: &Parts<'_>) -> String {
    match plain_content(parts).map(String::into_bytes).or_else(|| canonical_content(parts)) {
        Some(canonical) => hex(&Sha256::digest(canonical)),
        None => hex(&Sha256::digest(raw.get())),
    }
}

/// The canonical JSON of content as nearly every phone writes it: put together from its pieces, without a tree. None
/// where only a parser can tell.
fn plain_content(parts: &Parts<'_>) -> Option<String> {
    let mut canonical = String::with_capacity(512);
    for (index, key) in CONTENT.into_iter().enumerate() {
        canonical.push(if index == 0 { '{' } else { ',' });
        push_key(&mut canonical, key);
        push_plain(&mut canonical, parts.get(key).map_or("null", |raw| raw.get()), PLAIN_DEPTH_MAX)?;
    }
    canonical.push('}');
    Some(canonical)
}

/// Adds a valid JSON text in its canonical form, if that is the same letters in another order and without white space.
fn push_plain(canonical: &mut String, text: &str, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match text.as_bytes().first()? {
        b'n' | b't' | b'f' => canonical.push_str(text),
        b'"' if !text.contains('\\') => canonical.push_str(text),
        b'-' | b'0'..=b'9' if is_plain_number(text) => canonical.push_str(text),
        b'{' => {
            // Without escapes, so that a name is found as it is written; ASCII has one order in all encodings.
            let members: BTreeMap<&str, &RawValue> = serde_json::from_str(text).ok()?;
            canonical.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    canonical.push(',');
                }
                push_key(canonical, Some(key).filter(|key| key.is_ascii())?);
                push_plain(canonical, member.get(), depth)?;
            }
            canonical.push('}');
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            canonical.push('[');
            for (index, item) in items.into_iter().enumerate() {
                if index > 0 {
                    canonical.push(',');
                }
                push_plain(canonical, item.get(), depth)?;
            }
            canonical.push(']');
        }
        _ => return None,
    }
    Some(())
}

fn push_key(canonical: &mut String, key: &str) {
    canonical.push('"');
    canonical.push_str(key);
    canonical.push_str("\":");
}

/// A whole number that every reader takes for the same one; -0 is 0.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.len() <= PLAIN_DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit()) && text != "-0"
}

/// The same by the standard's own way, from a tree. None where a part cannot be read.
fn canonical_content(parts: &Parts<'_>) -> Option<Vec<u8>> {
    let mut content = Map::new();
    for key in CONTENT {
        let json = parts.get(key).map_or(Ok(Json::Null), |raw| serde_json::from_str(raw.get()));
        content.insert(key.to_owned(), json.ok()?);
    }
    serde_json_canonicalizer::to_vec(&Json::Object(content)).ok()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str) -> Option<String> {
        let mut canonical = String::new();
        push_plain(&mut canonical, text, PLAIN_DEPTH_MAX).map(|()| canonical)
    }

    fn by_the_standard(text: &str) -> Option<String> {
        let json: Json = serde_json::from_str(text).ok()?;
        serde_json_canonicalizer::to_string(&json).ok()
    }

    #[test]
    fn what_phones_write_needs_no_tree() {
        for text in [
            r#"{"pen":"B12","breed":"Zoë","note":null}"#,
            r#"{ "b" : [ 1, -20, true ], "a" : {"d":false, "c":"x"} }"#,
            "123456789012345",
            "[]",
            "{}",
        ] {
            assert_eq!(plain(text), by_the_standard(text), "{text}");
            assert!(plain(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_only_a_parser_can_tell_is_left_to_it() {
        for text in [
            "-0",
            "1.0",
            "1e3",
            "1234567890123456",
            r#""a\u0041""#,
            r#"{"\u0061":1}"#,
            r#"{"ü":1}"#,
            &format!("{}1{}", "[".repeat(40), "]".repeat(40)),
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            (-20_i64..20).prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
            "[ -~]{0,12}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::vec(("[a-z_]{1,6}|\\PC{0,3}", inner), 0..5)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Where the short way answers, it answers what the long one does, however the text is spaced.
        #[test]
        fn both_ways_give_the_same_text(json in json(), is_spaced: bool) {
            let text = if is_spaced { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
            let text = text.expect("JSON");
            if let Some(canonical) = plain(&text) {
                prop_assert_eq!(Some(canonical), by_the_standard(&text));
            }
        }
    }
}
