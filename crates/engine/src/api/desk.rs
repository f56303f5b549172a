//! What the desk's own pages read beside sync: overview, activity, entries, history.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;
use uuid::Uuid;

/// The numbers of the desk's first page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    /// The show row: all its columns.
    pub show: Json,
    /// Live rows.
    pub exhibitors: i64,
    /// Live rows.
    pub animals: i64,
    /// Live rows.
    pub entries: i64,
    /// Live rows.
    pub classes: i64,
    /// Live rows.
    pub rings: i64,
    /// Animals with `arrived_at`.
    pub checked_in: i64,
    /// Animals with an official weight.
    pub weighed: i64,
    /// Open clashes.
    pub needs_checking: i64,
    /// Ops that came from phones since midnight at the show.
    pub entries_today: i64,
    /// Ops that failed and need attention.
    pub needs_attention: i64,
    /// Entries that phones said they still hold.
    pub waiting_on_phones: i64,
    /// Phones that hold some.
    pub unsent_phones: i64,
    /// Since when the oldest of these entries waits.
    #[serde(with = "crate::api::sync::instant_option")]
    pub oldest_unsent_at: Option<DateTime<Utc>>,
    /// Phones of the show that are connected.
    pub phones_connected: i64,
    /// Phones of the show that are not.
    pub phones_away: i64,
    /// Rings in their order, each with the class in it and the next one.
    pub now_and_next: Vec<RingNow>,
    /// When the first class is planned that an open clash touches and that is not over.
    #[serde(with = "crate::api::sync::instant_option")]
    pub first_class_at: Option<DateTime<Utc>>,
    /// Whether nothing was done yet: no rows, and the show has no name of its own.
    pub first_run: bool,
    /// The program's version.
    pub version: String,
    /// Where the show is kept: `SQLite` or `Postgres`.
    pub database: String,
    /// The data folder on the desk's machine.
    pub data_dir: String,
    /// The newest change number.
    pub clock: i64,
    /// The person at the desk (`{id, name}`).
    pub person: Json,
    /// The newest 20 changes people made, newest first.
    pub activity: Vec<ActivityItem>,
}

/// A ring with what happens in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RingNow {
    /// The ring.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// open, closed, break, hold.
    pub status: String,
    /// The class in it.
    pub now: Option<ClassNow>,
    /// The class that comes next: one that was told to make ready, else the first in the ring's order.
    pub next: Option<ClassNext>,
}

/// The class in a ring.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClassNow {
    /// The class.
    pub class_id: Uuid,
    /// Its number.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// When it was called into the ring.
    #[serde(with = "crate::api::sync::instant_option")]
    pub since: Option<DateTime<Utc>>,
}

/// The class that comes next.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClassNext {
    /// The class.
    pub class_id: Uuid,
    /// Its number.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// When it is planned.
    #[serde(with = "crate::api::sync::instant_option")]
    pub planned_at: Option<DateTime<Utc>>,
}

/// Changes that people made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivityPage {
    /// Newest first.
    pub items: Vec<ActivityItem>,
    /// What to ask for as `before` for the next page, if there is one.
    pub next: Option<i64>,
}

/// One change that a person made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActivityItem {
    /// Its feed number.
    pub seq: i64,
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    pub at: DateTime<Utc>,
    /// Who.
    pub who: Option<String>,
    /// From which device: `{id, name, kind}`.
    pub device: Option<Json>,
    /// The record's table.
    pub table_name: String,
    /// The record.
    pub record_id: Uuid,
    /// added, changed, deleted.
    pub what: String,
    /// The fields that are other than before, by path; of an added row those that have a value. Derived ones are not told.
    pub fields: Vec<String>,
    /// What the record is: tag, species, sex, breed of the animal it is about, its own name, a weight.
    pub subject: Json,
}

/// Every version of a record, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct History {
    /// At most 1,000.
    pub items: Vec<HistoryItem>,
}

/// One version of a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HistoryItem {
    /// Its version.
    pub version: i64,
    /// Its feed number.
    pub seq: i64,
    /// The whole row then.
    pub snapshot: Json,
    /// Whether the row was deleted then.
    pub deleted: bool,
    /// Who wrote it: `{id, name}`.
    pub actor: Json,
    /// From which device: `{id, name, kind}`.
    pub device: Json,
    /// The op that caused it.
    pub op_id: Option<Uuid>,
    /// When.
    #[serde(with = "crate::api::sync::instant")]
    pub at: DateTime<Utc>,
    /// Why, if a reason was given.
    pub reason: Option<String>,
}
