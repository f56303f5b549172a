//! What the desk measures of itself, and what phones tell.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::attention::NamedRef;

/// One request as a phone saw it, or something that the phone did by itself.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PhoneFigure {
    /// The address that was asked, or `start`, `save`, `search`, `open`, `sync`. Ids in it are not kept.
    pub endpoint: String,
    /// The HTTP method, or `DO`.
    pub method: String,
    /// Milliseconds.
    pub duration: f64,
    /// The status of the answer; 0 if none came.
    pub status_code: u16,
    /// When, by the phone's clock.
    pub at: Option<String>,
}

/// How many were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Told {
    /// How many.
    pub taken: usize,
}

/// What is recorded, and what the last clean-up removed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecordingStatus {
    /// Why nothing is kept; null if all is well.
    pub off: Option<String>,
    /// Requests that were counted since the program was started.
    pub recorded: u64,
    /// Requests that were not, because too many came at once or nothing could be written.
    pub dropped: u64,
    /// How large all is that is kept.
    pub bytes: Option<u64>,
    /// The last clean-up.
    pub last_clean_up: Option<CleanUp>,
    /// For how many days what is kept.
    pub kept_days: KeptDays,
}

/// What a clean-up removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CleanUp {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Rows of single requests.
    pub requests: u64,
    /// Sums of minutes, hours and days.
    pub rollups: u64,
    /// Samples of problems.
    pub errors: u64,
    /// Problems.
    pub error_groups: u64,
    /// What alerts said.
    pub alert_events: u64,
}

/// For how many days what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeptDays {
    /// Single requests.
    pub requests: i64,
    /// Sums of minutes.
    pub minutes: i64,
    /// Sums of hours and days.
    pub rollups: i64,
    /// Problems.
    pub errors: i64,
    /// What alerts said.
    pub alerts: i64,
}

/// What one measurement was over a time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SeriesAnswer {
    /// What was measured.
    pub metric: String,
    /// milliseconds, seconds, count, percent, bytes or flag.
    #[schema(value_type = String)]
    pub unit: showdesk_telemetry::metric::Unit,
    /// Where the first step begins.
    pub from: DateTime<Utc>,
    /// Where the last step ends.
    pub to: DateTime<Utc>,
    /// How long a step is; a day may be an hour longer or shorter.
    pub step_seconds: i64,
    /// One line for each part of it.
    pub series: Vec<Series>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Series {
    /// Of requests p50, p95, p99, count or errors; else the labels' words, or `value`.
    pub key: String,
    /// What it is of.
    pub labels: BTreeMap<String, String>,
    /// A value for each step; null where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// Single requests.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestPage {
    /// Newest first.
    pub items: Vec<RequestItem>,
    /// Where the next page begins; null after the last.
    pub cursor: Option<String>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestItem {
    /// Its id.
    pub id: Uuid,
    /// What it is for, in plain words.
    pub task: String,
    /// The matched route.
    pub endpoint: String,
    /// The HTTP method.
    pub method: String,
    /// How it was answered; 0 if a phone got no answer.
    pub status_code: i64,
    /// How long it took.
    pub duration_ms: f64,
    /// How many requests like it this one stands for.
    pub weight: i64,
    /// Who asked.
    pub person: Option<NamedRef>,
    /// When it was answered.
    pub at: DateTime<Utc>,
}

/// Which requests are asked for.
#[derive(Debug, Clone)]
pub struct RequestsAsked {
    /// From then on.
    pub from: DateTime<Utc>,
    /// To before then.
    pub to: DateTime<Utc>,
    /// Of this route.
    pub endpoint: Option<String>,
    /// Of this plain name.
    pub task: Option<String>,
    /// Only those that were slow, or that failed.
    pub only: Option<Only>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// Which of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// That took longer than half a second.
    Slow,
    /// That were refused or failed.
    Failed,
}

/// Which measurement is asked for.
#[derive(Debug, Clone)]
pub struct SeriesAsked {
    /// What was measured.
    pub metric: String,
    /// From then on.
    pub from: DateTime<Utc>,
    /// To before then.
    pub to: DateTime<Utc>,
    /// How long a step is, in seconds; none chooses one.
    pub step_seconds: Option<i64>,
    /// Of requests: of this route only.
    pub endpoint: Option<String>,
}
