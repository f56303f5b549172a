//! Problems: errors of the desk and of phones' pages, grouped.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::attention::NamedRef;

/// An error that a page met, as it tells it. Secrets and people are taken out of it before it is kept.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorReport {
    /// `TypeError`, `unhandledrejection`, ….
    pub error_type: String,
    /// Its text.
    pub message: String,
    /// Its stack, as the browser wrote it.
    #[serde(default)]
    pub stack_trace: Option<String>,
    /// What was around it: `{page, version, …}`; `page` or `route` says where it was.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub context: Option<Map<String, Json>>,
    /// When, by the page's clock; now if absent.
    #[serde(default, deserialize_with = "showdesk_domain::value::instant_option::deserialize")]
    pub at: Option<DateTime<Utc>>,
}

/// A page of problems.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorPage {
    /// How many problems nobody has looked after: open ones, and those that came back.
    pub open: i64,
    /// Those seen last first.
    pub items: Vec<ErrorItem>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// A problem: errors that are the same but for what varies.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorItem {
    /// Its name: 64 hexadecimal letters.
    pub fingerprint: String,
    /// Its text in one line as it was said first, without people and secrets.
    pub title: String,
    /// What kind of error it is: `panic`, `TypeError`, `internal`, ….
    pub kind: String,
    /// The path or the page it happens at, if there is one.
    pub route: Option<String>,
    /// The path in people's words.
    pub task: Option<String>,
    /// `desk` or `phone`: where it happens.
    pub source: String,
    /// `open`, `resolved`, `ignored`, or `regressed`: it was solved and came back.
    pub status: String,
    /// How often it happened.
    pub count: i64,
    /// How many people it met.
    pub people: i64,
    /// How many phones.
    pub phones: i64,
    /// When it was first seen.
    #[serde(with = "super::sync::instant")]
    pub first_seen: DateTime<Utc>,
    /// When it was last seen.
    #[serde(with = "super::sync::instant")]
    pub last_seen: DateTime<Utc>,
}

/// A problem with some of its errors.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// The problem.
    #[serde(flatten)]
    pub item: ErrorItem,
    /// The first five and the last twenty, the newest first.
    pub samples: Vec<ErrorSample>,
}

/// One error.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorSample {
    /// The row.
    pub id: Uuid,
    /// Its number among the errors of this problem, from 1.
    pub number: i64,
    /// When it happened, by the laptop's clock.
    #[serde(with = "super::sync::instant")]
    pub at: DateTime<Utc>,
    /// Its text.
    pub message: String,
    /// Its stack.
    pub stack: Option<String>,
    /// What was around it.
    pub context: Json,
    /// Whom it met.
    pub person: Option<NamedRef>,
    /// On which phone.
    pub device: Option<NamedRef>,
    /// The number that the person was shown.
    pub request_id: Option<Uuid>,
}

/// How a problem stands, as somebody says.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorChange {
    /// `open`, `resolved` or `ignored`.
    pub status: ErrorWish,
}

/// What can be said of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorWish {
    /// It is to be looked at.
    Open,
    /// It is solved. If it is seen again, that is told.
    Resolved,
    /// It is counted, and nobody wants to hear of it.
    Ignored,
}

/// Which problems to list; none means all.
#[derive(Debug, Clone, Default)]
pub struct ErrorQuery {
    /// open, with those that came back; solved; ignored.
    pub standing: Option<ErrorWish>,
    /// Seen at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Seen before this moment.
    pub to: Option<DateTime<Utc>>,
    /// Only the one of this number that a person was shown.
    pub number: Option<Uuid>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most so many.
    pub limit: i64,
}
