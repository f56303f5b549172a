//! Typed values of fields: read from JSON, written to JSON, compared.
//!
//! Everything the desk compares is a decoded value: text in NFC, instants in UTC
//! milliseconds, whole numbers. Nothing compares JSON texts.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::visible::{is_unseen, visible};

/// What a field can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most `max_chars` characters.
    Text {
        /// Characters, not bytes.
        max_chars: usize,
        /// How the text is brought into its one form.
        form: TextForm,
    },
    /// A whole number within the bounds, both included.
    Int {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// True or false.
    Bool,
    /// A moment in UTC, in milliseconds.
    Instant,
    /// A calendar day.
    Date,
    /// A row of another table.
    Id(Target),
    /// One of the words, in their order.
    Choice(&'static [&'static str]),
    /// At most 500 values of one kind.
    List(&'static Kind),
}

/// What a reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A synced table, by name.
    Table(&'static str),
    /// A person of the show.
    Person,
    /// An id that groups rows and is no row itself.
    Group,
}

/// How a text is brought into its one form before it is compared and stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// As written, in NFC.
    Plain,
    /// Trimmed and ASCII upper-cased: ear tags and official numbers (DOMAIN.md §3).
    Code,
    /// A time zone of the IANA database, by its name there.
    Zone,
}

/// Most values a list may hold.
const LIST_VALUES_MAX: usize = 500;

/// A decoded value. Lists keep their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Cleared, or never set.
    Null,
    /// See [`Kind::Text`] and [`Kind::Choice`].
    Text(String),
    /// See [`Kind::Int`].
    Int(i64),
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Instant`].
    Instant(DateTime<Utc>),
    /// See [`Kind::Date`].
    Date(NaiveDate),
    /// See [`Kind::Id`].
    Id(Uuid),
    /// See [`Kind::List`].
    List(Vec<Value>),
}

/// Why a value was refused: the code of PROTOCOL.md §4, check 8, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// Stable code.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: String,
}

impl ValueError {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Somebody sent it.
    Sent,
    /// It was accepted before, perhaps by rules that have become stricter since.
    Stored,
}

impl Kind {
    /// Reads a value that was sent. `null` is [`Value::Null`]; whether a field may be null is the caller's question.
    pub fn decode(&self, json: &Json) -> Result<Value, ValueError> {
        self.decode_from(json, Origin::Sent)
    }

    /// Reads a value that the database gave back: a text is what it was when it was accepted.
    pub fn decode_stored(&self, json: &Json) -> Result<Value, ValueError> {
        self.decode_from(json, Origin::Stored)
    }

    fn decode_from(&self, json: &Json, origin: Origin) -> Result<Value, ValueError> {
        let wrong_type = |wanted: &str| Err(ValueError::new("invalid_type", format!("{wanted} is expected")));
        match (self, json) {
            (_, Json::Null) => Ok(Value::Null),
            (Kind::Text { .. }, Json::String(text)) if origin == Origin::Stored => {
                Ok(Value::Text(text.nfc().collect()))
            }
            (Kind::Text { max_chars, form }, Json::String(text)) => decode_text(text, *max_chars, *form),
            (Kind::Text { .. }, _) => wrong_type("a text"),
            (Kind::Int { min, max }, Json::Number(number)) => decode_int(number, *min, *max),
            (Kind::Int { .. }, _) => wrong_type("a whole number"),
            (Kind::Bool, Json::Bool(flag)) => Ok(Value::Bool(*flag)),
            (Kind::Bool, _) => wrong_type("true or false"),
            (Kind::Instant, Json::String(text)) => decode_instant(text),
            (Kind::Instant, _) => wrong_type("a time"),
            (Kind::Date, Json::String(text)) => decode_date(text),
            (Kind::Date, _) => wrong_type("a date"),
            (Kind::Id(_), Json::String(text)) => decode_id(text).map(Value::Id),
            (Kind::Id(_), _) => wrong_type("an id"),
            (Kind::Choice(words), Json::String(text)) => {
                if words.contains(&text.as_str()) {
                    Ok(Value::Text(text.clone()))
                } else {
                    Err(ValueError::new("out_of_range", format!("one of {} is expected", words.join(", "))))
                }
            }
            (Kind::Choice(_), _) => wrong_type("a word"),
            (Kind::List(kind), Json::Array(items)) => decode_list(kind, items, origin),
            (Kind::List(_), _) => wrong_type("a list"),
        }
    }
}

impl Value {
    /// The value as it stands in a pulled change.
    pub fn to_json(&self) -> Json {
        serde_json::to_value(self).expect("every value is JSON")
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if this is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The id, if this is one.
    pub fn as_id(&self) -> Option<Uuid> {
        match self {
            Value::Id(id) => Some(*id),
            _ => None,
        }
    }

    /// The moment, if this is one.
    pub fn as_instant(&self) -> Option<DateTime<Utc>> {
        match self {
            Value::Instant(at) => Some(*at),
            _ => None,
        }
    }

    /// The day, if this is one.
    pub fn as_date(&self) -> Option<NaiveDate> {
        match self {
            Value::Date(day) => Some(*day),
            _ => None,
        }
    }
}

/// The value as it stands in a pulled change, written into a text without a tree between.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Instant(at) => serializer.serialize_str(&instant_text(*at)),
            Value::Date(day) => serializer.collect_str(&day.format("%Y-%m-%d")),
            Value::Id(id) => serializer.serialize_str(id.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Value::List(items) => serializer.collect_seq(items),
        }
    }
}

/// The last moment that has four digits for its year.
pub const INSTANT_MAX: DateTime<Utc> =
    DateTime::from_timestamp_millis(253_402_300_799_999).expect("a moment of the year 9999");

/// A moment as every answer writes it: `YYYY-MM-DDTHH:MM:SS.mmmZ`.
pub fn instant_text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads RFC 3339 with any offset; what is finer than a millisecond is cut.
pub fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    // What leaves the desk has four digits for the year.
    Utc.timestamp_millis_opt(at.timestamp_millis()).single().filter(|at| (1..=9999).contains(&at.year()))
}

/// Moments of JSON, as every answer writes them and every request is read: for `#[serde(with)]`.
pub mod instant {
    use chrono::{DateTime, Utc};
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    /// Writes it.
    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::instant_text(*at))
    }

    /// Reads it; years of more than four digits are none.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_instant(&text).ok_or_else(|| D::Error::custom("a time as 2026-08-07T10:00:00Z is expected"))
    }
}

/// The same for moments that may be absent.
pub mod instant_option {
    use chrono::{DateTime, Utc};
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::Serializer;

    /// Writes it.
    pub fn serialize<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::instant::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        /// A moment by itself.
        #[derive(serde::Deserialize)]
        struct Given(#[serde(with = "super::instant")] DateTime<Utc>);
        Ok(Option::<Given>::deserialize(deserializer)?.map(|given| given.0))
    }
}

/// Reads an id in the one form the protocol allows: lower-case, hyphenated, not nil.
pub fn decode_id(text: &str) -> Result<Uuid, ValueError> {
    let id = (text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase()))
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
        .filter(|id| !id.is_nil());
    id.ok_or_else(|| ValueError::new("invalid_id", "a lower-case hyphenated UUID is expected"))
}

fn decode_text(text: &str, max_chars: usize, form: TextForm) -> Result<Value, ValueError> {
    if text.contains('\0') {
        return Err(ValueError::new("invalid_character", "U+0000 cannot be stored"));
    }
    let text: String = visible(text).nfc().collect();
    let text = match form {
        TextForm::Plain | TextForm::Zone => text,
        TextForm::Code => text.trim().to_ascii_uppercase(),
    };
    if is_unseen(&text) {
        return Err(ValueError::new("required", "a text must not be blank; null clears it"));
    }
    if text.chars().count() > max_chars {
        return Err(ValueError::new("too_large", format!("at most {max_chars} characters are kept")));
    }
    if form == TextForm::Zone && text.parse::<Tz>().is_err() {
        return Err(ValueError::new("out_of_range", "a time zone as America/Chicago is expected"));
    }
    Ok(Value::Text(text))
}

fn decode_int(number: &serde_json::Number, min: i64, max: i64) -> Result<Value, ValueError> {
    let out_of_range = || ValueError::new("out_of_range", format!("a number from {min} to {max} is expected"));
    if number.is_f64() {
        return Err(ValueError::new("invalid_type", "a whole number is expected"));
    }
    match number.as_i64() {
        Some(value) if (min..=max).contains(&value) => Ok(Value::Int(value)),
        _ => Err(out_of_range()),
    }
}

fn decode_instant(text: &str) -> Result<Value, ValueError> {
    parse_instant(text)
        .map(Value::Instant)
        .ok_or_else(|| ValueError::new("invalid_time", "a time like 2026-08-07T09:14:03Z is expected"))
}

fn decode_date(text: &str) -> Result<Value, ValueError> {
    let is_plain = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(place, byte)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    is_plain
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
        .filter(|day| day.year() >= 1)
        .map(Value::Date)
        .ok_or_else(|| ValueError::new("invalid_time", "a date like 2026-08-07 is expected"))
}

fn decode_list(kind: &Kind, items: &[Json], origin: Origin) -> Result<Value, ValueError> {
    if items.len() > LIST_VALUES_MAX {
        return Err(ValueError::new("too_large", format!("at most {LIST_VALUES_MAX} values are kept")));
    }
    let values = items.iter().map(|item| match item {
        Json::Null => Err(ValueError::new("invalid_type", "a list holds no null")),
        item => kind.decode_from(item, origin),
    });
    values.collect::<Result<Vec<_>, _>>().map(Value::List)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn code(kind: &Kind, json: &Json) -> Result<Value, &'static str> {
        kind.decode(json).map_err(|error| error.code)
    }

    #[test]
    fn numbers_are_whole_and_within_bounds() {
        let weight = Kind::Int { min: 1, max: 99_999 };
        assert_eq!(code(&weight, &json!(12_620)), Ok(Value::Int(12_620)));
        assert_eq!(code(&weight, &json!(1.0)), Err("invalid_type"));
        assert_eq!(code(&weight, &json!("12")), Err("invalid_type"));
        assert_eq!(code(&weight, &json!(true)), Err("invalid_type"));
        for far in [json!(0), json!(-5), json!(1_000_000_000), json!(9_223_372_036_854_775_808_u64)] {
            assert_eq!(code(&weight, &far), Err("out_of_range"), "{far}");
        }
    }

    #[test]
    fn a_tag_has_one_form() {
        let tag = Kind::Text { max_chars: 20, form: TextForm::Code };
        assert_eq!(code(&tag, &json!(" a12 ")), Ok(Value::Text("A12".into())));
        assert_eq!(code(&tag, &json!("  ")), Err("required"));
        assert_eq!(code(&tag, &json!("a\u{0}")), Err("invalid_character"));
        assert_eq!(code(&tag, &json!("123456789012345678901")), Err("too_large"));
    }

    #[test]
    fn a_time_zone_is_one_of_the_world() {
        let zone = Kind::Text { max_chars: 200, form: TextForm::Zone };
        for known in ["UTC", "America/Chicago", "US/Central", "Asia/Kathmandu"] {
            assert_eq!(zone.decode(&json!(known)), Ok(Value::Text(known.to_owned())));
        }
        for unknown in ["Not/AZone", "=cmd|1", "america/chicago", "UTC 1"] {
            assert_eq!(zone.decode(&json!(unknown)).map_err(|error| error.code), Err("out_of_range"), "{unknown}");
            assert_eq!(
                zone.decode_stored(&json!(unknown)),
                Ok(Value::Text(unknown.to_owned())),
                "it was accepted once"
            );
        }
    }

    #[test]
    fn the_last_moment_is_written_with_four_digits_and_read_again() {
        let text = instant_text(INSTANT_MAX);
        assert_eq!((text.as_str(), parse_instant(&text)), ("9999-12-31T23:59:59.999Z", Some(INSTANT_MAX)));
    }

    #[test]
    fn texts_that_look_alike_are_equal() {
        let name = Kind::Text { max_chars: 200, form: TextForm::Plain };
        assert_eq!(code(&name, &json!("Zoe\u{301}")), code(&name, &json!("Zo\u{e9}")));
    }

    #[test]
    fn what_cannot_be_seen_is_not_kept() {
        let name = Kind::Text { max_chars: 5, form: TextForm::Plain };
        assert_eq!(code(&name, &json!("Ana\u{202e}\u{200b}\u{200b}")), Ok(Value::Text("Ana".into())));
        for blank in ["\u{202e}", "\u{200b} ", "\u{2800}", "\u{3164}"] {
            assert_eq!(code(&name, &json!(blank)), Err("required"), "{blank:?}");
        }
        let tag = Kind::Text { max_chars: 20, form: TextForm::Code };
        assert_eq!(code(&tag, &json!("\u{feff} a12\u{200e}")), Ok(Value::Text("A12".into())));
    }

    #[test]
    fn what_was_accepted_before_is_read_as_it_was() {
        let name = Kind::Text { max_chars: 5, form: TextForm::Plain };
        for older in ["Ana\u{202e}", "\u{200b}", " ", "longer than five"] {
            let read = name.decode_stored(&json!(older)).map_err(|error| error.code);
            assert_eq!(read, Ok(Value::Text(older.to_owned())), "{older:?}");
        }
        let tag = Kind::Text { max_chars: 20, form: TextForm::Code };
        let tags = Kind::List(&Kind::Text { max_chars: 20, form: TextForm::Code });
        assert_eq!(tag.decode_stored(&json!("a12\u{200e}")), Ok(Value::Text("a12\u{200e}".to_owned())));
        assert_eq!(tags.decode_stored(&json!(["\u{200e}"])), Ok(Value::List(vec![Value::Text("\u{200e}".to_owned())])));
        assert_eq!(code(&tags, &json!(["\u{200e}"])), Err("required"));
        assert_eq!(name.decode_stored(&json!(5)).map_err(|error| error.code), Err("invalid_type"));
    }

    #[test]
    fn instants_come_in_with_any_offset_and_leave_in_utc() {
        let at = Kind::Instant.decode(&json!("2026-08-07T09:14:03.1239+02:00")).expect("a time");
        assert_eq!(at.to_json(), json!("2026-08-07T07:14:03.123Z"));
        assert_eq!(code(&Kind::Instant, &json!("2026-02-30T00:00:00Z")), Err("invalid_time"));
        assert_eq!(code(&Kind::Date, &json!("2026-02-30")), Err("invalid_time"));
        assert_eq!(code(&Kind::Date, &json!("2026-2-3")), Err("invalid_time"));
        for beyond in ["9999-12-31T23:00:00-05:00", "0000-01-01T00:00:00Z"] {
            assert_eq!(code(&Kind::Instant, &json!(beyond)), Err("invalid_time"), "{beyond}");
        }
        for beyond in ["-999-01-01", "0000-01-01", "+999-01-01"] {
            assert_eq!(code(&Kind::Date, &json!(beyond)), Err("invalid_time"), "{beyond}");
        }
    }

    #[test]
    fn ids_have_one_form() {
        for text in [
            "0198B2C0-0000-7000-8000-000000000001",
            "0198b2c0000070008000000000000001",
            "00000000-0000-0000-0000-000000000000",
            "x",
        ] {
            assert_eq!(decode_id(text).map_err(|e| e.code), Err("invalid_id"), "{text}");
        }
        assert!(decode_id("0198b2c0-0000-7000-8000-000000000001").is_ok());
    }
}
