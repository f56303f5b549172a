//! What must hold for any bytes that a stranger sends as a body. The fuzzer and an ordinary test both ask it.

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
            let strict = Strict { level: 1 }.deserialize(&mut serde_json::Deserializer::from_str(text));
            // Numbers keep their text; whether one fits is judged where it is read.
            let fits = strict.map_or_else(|error| error.to_string().starts_with("number out of range"), |()| true);
            assert!(fits, "every text is whole");
        }
        Err(ScanError::Syntax(at)) => {
            assert!(at <= bytes.len(), "a place in the body");
            assert!(parsed.is_err(), "only what is no JSON is called that");
        }
        Err(ScanError::NotUtf8) => assert!(std::str::from_utf8(bytes).is_err()),
        Err(_) => {}
    }
}

/// Reads a value as the scan promises it to be.
struct Strict {
    level: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("strict JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        assert!(self.level <= DEPTH_MAX, "deeper than it may be");
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            assert!(keys.insert(key), "a key stands twice");
            map.next_value_seed(Self { level: self.level + 1 })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        assert!(self.level <= DEPTH_MAX, "deeper than it may be");
        while list.next_element_seed(Self { level: self.level + 1 })?.is_some() {}
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
