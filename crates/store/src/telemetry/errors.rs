//! `error_groups`, `error_logs`, `error_subjects`: problems, some errors of each, and whom they met.
//!
//! Everything that comes in was scrubbed before: this module stores it as it is.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const GROUPS: &str = "error_groups";
const GROUP: &[&str] = &[
    "fingerprint",
    "title",
    "kind",
    "route",
    "source",
    "first_seen",
    "last_seen",
    "count",
    "users",
    "devices",
    "status",
    "resolved_at",
];
const LOGS: &str = "error_logs";
const LOG: &[&str] = &[
    "id",
    "error_type",
    "message",
    "stack_trace",
    "context",
    "user_id",
    "created_at",
    "fingerprint",
    "number",
    "device_id",
    "request_id",
];
const SUBJECT: &[&str] = &["fingerprint", "kind", "subject"];

/// Counts, and holds the group until the transaction ends: desks of one database take turns.
const SEE: &str = "INSERT INTO error_groups (fingerprint, title, kind, route, source, first_seen, last_seen, count, status, \
     status_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9) \
     ON CONFLICT (fingerprint) DO UPDATE SET count = error_groups.count + excluded.count, \
     first_seen = CASE WHEN excluded.first_seen < error_groups.first_seen THEN excluded.first_seen \
     ELSE error_groups.first_seen END, \
     last_seen = CASE WHEN excluded.last_seen > error_groups.last_seen THEN excluded.last_seen \
     ELSE error_groups.last_seen END \
     RETURNING first_seen, last_seen, count, status, resolved_at";

static ADD_SAMPLES: LazyChunked = LazyChunked::new(|| Chunked::new(|count| sql::insert(LOGS, LOG, count)));
static ADD_SUBJECTS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| format!("{} ON CONFLICT DO NOTHING", sql::insert("error_subjects", SUBJECT, count)))
});
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "{} WHERE (status = $1 OR status = $2 OR $1 IS NULL) AND ($3 IS NULL OR last_seen >= $3) \
         AND ($4 IS NULL OR first_seen < $4) \
         AND ($5 IS NULL OR last_seen < $5 OR last_seen = $5 AND fingerprint < $6) \
         ORDER BY last_seen DESC, fingerprint DESC LIMIT $7",
        sql::select(GROUPS, GROUP)
    ))
});
static ONE: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} WHERE fingerprint = $1", sql::select(GROUPS, GROUP))));
static REGRESSED: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(GROUPS, GROUP);
    sql::keep(format!("{select} WHERE status = 'regressed' ORDER BY last_seen DESC, fingerprint LIMIT $1"))
});
static FREQUENT: LazyLock<&str> = LazyLock::new(|| {
    sql::keep(format!(
        "{} WHERE last_seen >= $1 AND first_seen < $2 ORDER BY count DESC, fingerprint LIMIT $3",
        sql::select(GROUPS, GROUP)
    ))
});
static SAMPLES: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} WHERE fingerprint = $1 ORDER BY number DESC", sql::select(LOGS, LOG))));

static REMOVE_GROUPS: LazyLock<[&str; 3]> = LazyLock::new(|| {
    let old = "SELECT fingerprint FROM error_groups WHERE last_seen < $1 ORDER BY last_seen, fingerprint LIMIT $2";
    [LOGS, "error_subjects", GROUPS].map(|table| sql::keep(format!("DELETE FROM {table} WHERE fingerprint IN ({old})")))
});

/// A row of `error_groups`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// What is equal for all its errors.
    pub fingerprint: String,
    /// One line for the list.
    pub title: String,
    /// What kind of error it is.
    pub kind: String,
    /// The route or the page of its first error.
    pub route: Option<String>,
    /// `desk` or `phone`: where it happens.
    pub source: String,
    /// When it was first seen.
    pub first_seen: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen: DateTime<Utc>,
    /// How often.
    pub count: i64,
    /// How many people it met.
    pub users: i64,
    /// How many devices.
    pub devices: i64,
    /// open, resolved, ignored, regressed.
    pub status: String,
    /// When somebody said that it is solved.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Errors of one group that came together.
#[derive(Debug, Clone)]
pub struct Sighting<'a> {
    /// Their group.
    pub fingerprint: &'a str,
    /// For a group that is not there yet.
    pub title: &'a str,
    /// The same.
    pub kind: &'a str,
    /// The same.
    pub route: Option<&'a str>,
    /// The same.
    pub source: &'static str,
    /// The earliest of them.
    pub first_seen: DateTime<Utc>,
    /// The latest.
    pub last_seen: DateTime<Utc>,
    /// How many.
    pub count: i64,
}

/// How a group stands after errors were counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// When it was first seen.
    pub first_seen: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen: DateTime<Utc>,
    /// How often, these included.
    pub count: i64,
    /// As it stood before them.
    pub status: String,
    /// When somebody said that it is solved.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// A row of `error_logs`.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRow {
    /// The row.
    pub id: Uuid,
    /// What kind of error it is.
    pub error_type: String,
    /// Its text.
    pub message: String,
    /// Its stack.
    pub stack_trace: Option<String>,
    /// What was told around it.
    pub context: Json,
    /// Whom it met.
    pub user: Option<PersonId>,
    /// When it happened, by the laptop's clock.
    pub created_at: DateTime<Utc>,
    /// Its group.
    pub fingerprint: String,
    /// Its number in the group, from 1.
    pub number: i64,
    /// On which device.
    pub device: Option<DeviceId>,
    /// The number that a person was shown.
    pub request_id: Option<Uuid>,
}

/// Which groups to list; none means all.
#[derive(Debug, Clone, Default)]
pub struct GroupFilter {
    /// Those that stand so, or so.
    pub status: Option<[&'static str; 2]>,
    /// Seen at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Seen before this moment.
    pub to: Option<DateTime<Utc>>,
    /// Only those after this place of the list.
    pub after: Option<(DateTime<Utc>, String)>,
    /// At most so many.
    pub limit: i64,
}

/// Counts errors of one group, making the group if there is none.
pub async fn see(tx: &mut Tx, sighting: &Sighting<'_>, now: DateTime<Utc>) -> Result<Counted> {
    let Sighting { fingerprint, title, kind, route, source, first_seen, last_seen, count } = *sighting;
    let values = values![fingerprint, title, kind, route, source, first_seen, last_seen, count, now];
    let row = tx.row(SEE, values).await?;
    let row = row.ok_or_else(|| crate::StoreError::Corrupt {
        table: GROUPS.to_owned(),
        column: "count".to_owned(),
        id: fingerprint.to_owned(),
    })?;
    let mut cells = Cells::new(&row, GROUPS, &["first_seen", "last_seen", "count", "status", "resolved_at"]);
    Ok(Counted {
        first_seen: cells.instant()?,
        last_seen: cells.instant()?,
        count: cells.int()?,
        status: cells.text()?,
        resolved_at: cells.instant_option()?,
    })
}

/// Notes how a group stands from now on. False if there is no such group.
pub async fn set_status(
    tx: &mut Tx,
    fingerprint: &str,
    status: &str,
    resolved_at: Option<DateTime<Utc>>,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let sql =
        "UPDATE error_groups SET status = $2, resolved_at = $3, status_by = $4, status_at = $5 WHERE fingerprint = $1";
    Ok(tx.execute(sql, values![fingerprint, status, resolved_at, by, now]).await? == 1)
}

/// Keeps errors with their texts.
pub async fn add_samples(tx: &mut Tx, rows: &[SampleRow]) -> Result<()> {
    for (sql, chunk) in ADD_SAMPLES.cut(rows) {
        let values = chunk.iter().flat_map(|row| {
            values![
                row.id,
                row.error_type.as_str(),
                row.message.as_str(),
                row.stack_trace.clone(),
                row.context.clone(),
                row.user,
                row.created_at,
                row.fingerprint.as_str(),
                row.number,
                row.device,
                row.request_id,
            ]
        });
        tx.execute(sql, values.collect()).await?;
    }
    Ok(())
}

/// Removes the samples of a group whose numbers lie between the first ones and the last ones, these included.
pub async fn drop_samples(tx: &mut Tx, fingerprint: &str, from: i64, to: i64) -> Result<()> {
    let sql = "DELETE FROM error_logs WHERE fingerprint = $1 AND number >= $2 AND number <= $3";
    tx.execute(sql, values![fingerprint, from, to]).await?;
    Ok(())
}

/// Notes whom a group met; who is known already counts no second time.
pub async fn add_subjects(tx: &mut Tx, fingerprint: &str, people: &[PersonId], devices: &[DeviceId]) -> Result<()> {
    let new_people =
        add_subjects_of(tx, fingerprint, "user", &people.iter().map(|id| id.0).collect::<Vec<_>>()).await?;
    let new_devices =
        add_subjects_of(tx, fingerprint, "device", &devices.iter().map(|id| id.0).collect::<Vec<_>>()).await?;
    if new_people + new_devices > 0 {
        let sql = "UPDATE error_groups SET users = users + $2, devices = devices + $3 WHERE fingerprint = $1";
        tx.execute(sql, values![fingerprint, new_people, new_devices]).await?;
    }
    Ok(())
}

async fn add_subjects_of(tx: &mut Tx, fingerprint: &str, kind: &'static str, ids: &[Uuid]) -> Result<i64> {
    let mut added = 0;
    for (sql, chunk) in ADD_SUBJECTS.cut(ids) {
        let values = chunk.iter().flat_map(|id| values![fingerprint, kind, *id]);
        added += tx.execute(sql, values.collect()).await?;
    }
    Ok(i64::try_from(added).unwrap_or(i64::MAX))
}

/// Groups, those last seen first.
pub async fn page(tx: &mut Tx, filter: &GroupFilter) -> Result<Vec<GroupRow>> {
    let [one, other] = filter.status.map_or([None, None], |words| words.map(Some));
    let (at, fingerprint) = filter.after.clone().map_or((None, None), |(at, text)| (Some(at), Some(text)));
    let values = values![one, other, filter.from, filter.to, at, fingerprint, filter.limit];
    tx.rows(*PAGE, values).await?.iter().map(read_group).collect()
}

/// How many problems there are.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.count("SELECT count(*) FROM error_groups").await
}

/// How many problems phones brought.
pub async fn count_of_phones(tx: &mut Tx) -> Result<i64> {
    tx.count("SELECT count(*) FROM error_groups WHERE source = 'phone'").await
}

/// How many problems of phones this one has met.
pub async fn count_of_phone(tx: &mut Tx, device: DeviceId) -> Result<i64> {
    let sql = "SELECT count(*) FROM error_subjects s JOIN error_groups g ON g.fingerprint = s.fingerprint \
               WHERE s.subject = $1 AND s.kind = 'device' AND g.source = 'phone'";
    let row = tx.row(sql, values![device]).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, "COUNT", &["count"]).int())
}

/// How many problems somebody should look at: the open ones and those that came back.
pub async fn count_open(tx: &mut Tx) -> Result<i64> {
    tx.count("SELECT count(*) FROM error_groups WHERE status IN ('open', 'regressed')").await
}

/// The problems that were seen most often, of those seen within a span.
pub async fn most_frequent(tx: &mut Tx, from: DateTime<Utc>, to: DateTime<Utc>, limit: i64) -> Result<Vec<GroupRow>> {
    tx.rows(*FREQUENT, values![from, to, limit]).await?.iter().map(read_group).collect()
}

/// One group.
pub async fn group(tx: &mut Tx, fingerprint: &str) -> Result<Option<GroupRow>> {
    tx.row(*ONE, values![fingerprint]).await?.as_ref().map(read_group).transpose()
}

/// Groups that were solved and came back, the newest first.
pub async fn regressed(tx: &mut Tx, limit: i64) -> Result<Vec<GroupRow>> {
    tx.rows(*REGRESSED, values![limit]).await?.iter().map(read_group).collect()
}

/// The errors of a group that are kept, the newest first.
pub async fn samples(tx: &mut Tx, fingerprint: &str) -> Result<Vec<SampleRow>> {
    tx.rows(*SAMPLES, values![fingerprint]).await?.iter().map(read_sample).collect()
}

/// The group of the error whose number a person was shown.
pub async fn group_of_request(tx: &mut Tx, request_id: Uuid) -> Result<Option<String>> {
    let sql = "SELECT fingerprint FROM error_logs WHERE request_id = $1 ORDER BY created_at DESC LIMIT 1";
    let row = tx.row(sql, values![request_id]).await?;
    row.map(|row| Cells::new(&row, LOGS, &["fingerprint"]).text()).transpose()
}

/// Removes single errors of before that moment, at most so many; answers how many.
pub async fn remove_old_samples(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let sql = "DELETE FROM error_logs WHERE id IN (SELECT id FROM error_logs WHERE created_at < $1 LIMIT $2)";
    tx.execute(sql, values![before, limit]).await
}

/// Removes groups that were not seen since that moment, at most so many, with all that belongs to them; answers how many
/// groups.
pub async fn remove_old_groups(tx: &mut Tx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let mut removed = 0;
    // The groups themselves last: they say which they are.
    for sql in *REMOVE_GROUPS {
        removed = tx.execute(sql, values![before, limit]).await?;
    }
    Ok(removed)
}

fn read_group(row: &Row) -> Result<GroupRow> {
    let mut cells = Cells::new(row, GROUPS, GROUP);
    Ok(GroupRow {
        fingerprint: cells.text()?,
        title: cells.text()?,
        kind: cells.text()?,
        route: cells.text_option()?,
        source: cells.text()?,
        first_seen: cells.instant()?,
        last_seen: cells.instant()?,
        count: cells.int()?,
        users: cells.int()?,
        devices: cells.int()?,
        status: cells.text()?,
        resolved_at: cells.instant_option()?,
    })
}

fn read_sample(row: &Row) -> Result<SampleRow> {
    let mut cells = Cells::new(row, LOGS, LOG);
    Ok(SampleRow {
        id: cells.uuid()?,
        error_type: cells.text()?,
        message: cells.text()?,
        stack_trace: cells.text_option()?,
        context: cells.json()?,
        user: cells.uuid_option()?.map(Into::into),
        created_at: cells.instant()?,
        fingerprint: cells.text()?,
        number: cells.int()?,
        device: cells.uuid_option()?.map(Into::into),
        request_id: cells.uuid_option()?,
    })
}
