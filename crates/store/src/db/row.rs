//! Values on their way out of a row, each checked against what its column promises.

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json as PgJson;
use sqlx::types::JsonRawValue;
use uuid::Uuid;

use crate::{Result, StoreError};

/// A row of an answer.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// Reads the cells of a row one after the other, in the order of the columns.
///
/// What cannot be read is [`StoreError::Corrupt`] with the names given here.
#[derive(Debug)]
pub(crate) struct Cells<'r> {
    row: &'r Row,
    table: &'static str,
    columns: &'r [&'static str],
    next: usize,
}

/// Reads the next cell by its form in each engine: `$sqlite` as it is stored, then converted.
macro_rules! read {
    ($cells:ident, $sqlite:ty => $convert:expr, $postgres:ty => $unwrap:expr) => {{
        let index = $cells.advance();
        match $cells.row {
            Row::Sqlite(row) => match row.try_get::<Option<$sqlite>, _>(index) {
                Ok(None) => Ok(None),
                Ok(Some(stored)) => $convert(stored).map(Some).ok_or_else(|| $cells.corrupt(index)),
                Err(_) => Err($cells.corrupt(index)),
            },
            Row::Postgres(row) => match row.try_get::<Option<$postgres>, _>(index) {
                Ok(value) => Ok(value.map($unwrap)),
                Err(_) => Err($cells.corrupt(index)),
            },
        }
    }};
}

/// A pair of readers for a column that must have a value and for one that may be null.
macro_rules! readers {
    ($($name:ident, $optional:ident: $type:ty = $sqlite:ty => $convert:expr, $postgres:ty => $unwrap:expr;)*) => {$(
        pub(crate) fn $optional(&mut self) -> Result<Option<$type>> {
            read!(self, $sqlite => $convert, $postgres => $unwrap)
        }

        pub(crate) fn $name(&mut self) -> Result<$type> {
            let value = self.$optional()?;
            value.ok_or_else(|| self.corrupt(self.next - 1))
        }
    )*};
}

impl<'r> Cells<'r> {
    /// Starts at the first column. `columns` are their names, for errors.
    pub(crate) fn new(row: &'r Row, table: &'static str, columns: &'r [&'static str]) -> Self {
        Self { row, table, columns, next: 0 }
    }

    readers! {
        uuid, uuid_option: Uuid = &str => |text| Uuid::try_parse(text).ok(), Uuid => |id| id;
        text, text_option: String = String => Some, String => |text| text;
        int, int_option: i64 = i64 => Some, i64 => |number| number;
        real, real_option: f64 = f64 => Some, f64 => |number| number;
        flag, flag_option: bool = i64 => |number| match number { 0 => Some(false), 1 => Some(true), _ => None }, bool => |flag| flag;
        instant, instant_option: DateTime<Utc> = i64 => |ms| Utc.timestamp_millis_opt(ms).single(), DateTime<Utc> => |at| at;
        json, json_option: Json = &str => |text| serde_json::from_str(text).ok(), PgJson<Json> => |json| json.0;
        json_text, json_text_option: String = String => Some, &JsonRawValue => |json| json.get().to_owned();
        bytes, bytes_option: Vec<u8> = Vec<u8> => Some, Vec<u8> => |bytes| bytes;
    }

    pub(crate) fn date_option(&mut self) -> Result<Option<NaiveDate>> {
        read!(self, &str => |text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(), NaiveDate => |day| day)
    }

    /// A SHA-256.
    pub(crate) fn sha256(&mut self) -> Result<[u8; 32]> {
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| self.corrupt_last())
    }

    /// The same where there may be none.
    pub(crate) fn sha256_option(&mut self) -> Result<Option<[u8; 32]>> {
        let bytes = self.bytes_option()?;
        bytes.map(TryInto::try_into).transpose().map_err(|_| self.corrupt_last())
    }

    /// A JSON value of a known form.
    pub(crate) fn parsed<T: DeserializeOwned>(&mut self) -> Result<T> {
        let text = self.json_text()?;
        serde_json::from_str(&text).map_err(|_| self.corrupt_last())
    }

    /// The same where there may be none.
    pub(crate) fn parsed_option<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let text = self.json_text_option()?;
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| self.corrupt_last())
    }

    /// The text in a later column.
    #[cfg(test)]
    pub(crate) fn nth_text(mut self, index: usize) -> String {
        self.next = index;
        self.text().unwrap()
    }

    /// A word out of a fixed set.
    pub(crate) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        let word = self.text()?;
        parse(&word).ok_or_else(|| self.corrupt_last())
    }

    /// The same where there may be none.
    pub(crate) fn word_option<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let word = self.text_option()?;
        word.map(|word| parse(&word).ok_or_else(|| self.corrupt_last())).transpose()
    }

    /// The error for the cell that was read last.
    pub(crate) fn corrupt_last(&self) -> StoreError {
        self.corrupt(self.next - 1)
    }

    fn advance(&mut self) -> usize {
        let index = self.next;
        self.next += 1;
        index
    }

    fn corrupt(&self, index: usize) -> StoreError {
        let column = self.columns.get(index).map_or_else(|| index.to_string(), ToString::to_string);
        StoreError::Corrupt { table: self.table.to_owned(), column, id: self.row.first_cell() }
    }
}

impl Row {
    /// The first cell as a text, which is the row's key in most queries.
    fn first_cell(&self) -> String {
        match self {
            Self::Sqlite(row) => {
                row.try_get::<String, _>(0).or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string()))
            }
            Self::Postgres(row) => row
                .try_get::<Uuid, _>(0)
                .map(|id| id.to_string())
                .or_else(|_| row.try_get::<String, _>(0))
                .or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string())),
        }
        .unwrap_or_default()
    }
}
