//! Values on their way into a statement. Each variant holds an `Option`: Postgres needs typed nulls.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Seq, Version};
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::types::Json as PgJson;
use sqlx::{Arguments as _, Postgres};
use uuid::Uuid;

/// A value for a placeholder.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An id: `uuid`, or its text.
    Uuid(Option<Uuid>),
    /// A text.
    Text(Option<String>),
    /// A text of ours.
    Word(&'static str),
    /// A whole number.
    Int(Option<i64>),
    /// A number with a fraction: `double precision`, or `REAL`.
    Real(Option<f64>),
    /// True or false: `boolean`, or 1 and 0.
    Bool(Option<bool>),
    /// A moment, cut to milliseconds: `timestamptz(3)`, or milliseconds since 1970.
    Instant(Option<DateTime<Utc>>),
    /// A day: `date`, or `YYYY-MM-DD`.
    Date(Option<NaiveDate>),
    /// JSON: `jsonb`, or its text.
    Json(Option<Json>),
    /// JSON that is a text already, and valid.
    JsonText(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

macro_rules! from {
    ($($variant:ident: $($source:ty => $convert:expr),+;)*) => {$($(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                let convert: fn($source) -> _ = $convert;
                Self::$variant(Some(convert(value)))
            }
        }

        impl From<Option<$source>> for Value {
            fn from(value: Option<$source>) -> Self {
                Self::$variant(value.map($convert))
            }
        }
    )+)*};
}

from! {
    Uuid: Uuid => |id| id, RecordId => |id| id.0, OpId => |id| id.0, DeviceId => |id| id.0, PersonId => |id| id.0, ConflictId => |id| id.0;
    Text: String => |text| text, &str => str::to_owned;
    Int: i64 => |number| number, Seq => |seq| seq.0, Version => |version| version.0;
    Real: f64 => |number| number;
    Bool: bool => |flag| flag;
    Instant: DateTime<Utc> => |at| at.trunc_subsecs(3);
    Date: NaiveDate => |day| day;
    Json: Json => |json| json;
    JsonText: &Json => Json::to_string;
    Bytes: Vec<u8> => |bytes| bytes, &[u8] => <[u8]>::to_vec, &[u8; 32] => |bytes| bytes.to_vec();
}

/// The values of a statement's placeholders, in their order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Value::from($value)),*] };
}
pub(crate) use values;

/// The values in the order of their placeholders. A bulk statement has thousands: each is one piece of memory or two.
pub(super) fn for_sqlite(values: Vec<Value>) -> std::result::Result<SqliteArguments, BoxDynError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        match value {
            Value::Uuid(Some(id)) => arguments.add(text_of(id))?,
            Value::Uuid(None) => arguments.add(None::<String>)?,
            Value::Text(text) | Value::JsonText(text) => arguments.add(text)?,
            Value::Word(word) => arguments.add(Arc::<str>::from(word))?,
            Value::Int(number) => arguments.add(number)?,
            Value::Real(number) => arguments.add(number)?,
            Value::Bool(flag) => arguments.add(flag)?,
            Value::Instant(at) => arguments.add(at.map(|at| at.timestamp_millis()))?,
            Value::Date(day) => arguments.add(day.map(|day| day.format("%Y-%m-%d").to_string()))?,
            Value::Json(json) => arguments.add(json.map(|json| json.to_string()))?,
            Value::Bytes(bytes) => arguments.add(bytes)?,
        }
    }
    Ok(arguments)
}

fn text_of(id: Uuid) -> Arc<str> {
    Arc::from(&*id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

pub(super) fn bind_postgres(
    query: Query<'_, Postgres, PgArguments>,
    values: Vec<Value>,
) -> Query<'_, Postgres, PgArguments> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Uuid(id) => query.bind(id),
        Value::Text(text) => query.bind(text),
        Value::Word(word) => query.bind(word),
        Value::Int(number) => query.bind(number),
        Value::Real(number) => query.bind(number),
        Value::Bool(flag) => query.bind(flag),
        Value::Instant(at) => query.bind(at),
        Value::Date(day) => query.bind(day),
        Value::Json(json) => query.bind(json.map(PgJson)),
        Value::JsonText(text) => query.bind(text.map(JsonText)),
        Value::Bytes(bytes) => query.bind(bytes),
    })
}

/// A JSON text that Postgres stores as `jsonb` without our reading it.
struct JsonText(String);

impl sqlx::Type<Postgres> for JsonText {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <PgJson<Json> as sqlx::Type<Postgres>>::type_info()
    }
}

impl sqlx::Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(
        &self,
        buffer: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> std::result::Result<sqlx::encode::IsNull, BoxDynError> {
        /// The version byte that comes before the text in the wire form of `jsonb`.
        const JSONB_VERSION: u8 = 1;
        buffer.push(JSONB_VERSION);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(sqlx::encode::IsNull::No)
    }
}
