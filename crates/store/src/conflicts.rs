//! `sync_conflicts`: clashes, and the keys of decisions already taken.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use showdesk_domain::conflict::{Conflict, ConflictKind, ConflictStatus};
use showdesk_domain::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Version};
use showdesk_domain::schema::{self, Table};

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "sync_conflicts";
const COLUMNS: &[&str] = &[
    "id",
    "queue_id",
    "table_name",
    "record_id",
    "other_record_id",
    "kind",
    "rule",
    "status",
    "rev",
    "device_id",
    "user_id",
    "server_user_id",
    "op_ids",
    "base_data",
    "server_data",
    "client_data",
    "server_version",
    "contested",
    "clean",
    "records",
    "resolution",
    "resolved_data",
    "resolved_by",
    "resolved_at",
    "result_version",
    "bulk_id",
    "reason",
    "decisions",
    "disagreement",
    "created_at",
];

static BY_ID: LazyChunked =
    LazyChunked::new(|| Chunked::new(|count| sql::select_by_keys(TABLE, COLUMNS, &["id"], 1, count)));
static OPEN_ON: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let [first, second] = ["record_id", "other_record_id"]
            .map(|key| format!("{} AND t.status = 'open'", sql::select_by_keys(TABLE, COLUMNS, &[key], 1, count)));
        // A clash about a group is found by each of its rows.
        let columns: Vec<String> = COLUMNS.iter().map(|column| format!("t.\"{column}\"")).collect();
        let grouped = format!(
            "SELECT {} FROM (VALUES {}) AS wanted CROSS JOIN sync_conflict_records r \
             JOIN {TABLE} t ON t.id = r.conflict_id AND t.status = 'open' WHERE r.record_id = wanted.column1",
            columns.join(", "),
            sql::rows(count, 1)
        );
        format!("{first} UNION ALL {second} UNION ALL {grouped}")
    })
});
static GROUPED: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let insert = sql::insert("sync_conflict_records", &["record_id", "conflict_id"], count);
        format!("{insert} ON CONFLICT DO NOTHING")
    })
});
static SAVE: LazyChunked = LazyChunked::new(|| {
    let changed = COLUMNS.iter().copied().filter(|column| !["id", "queue_id", "created_at"].contains(column));
    let update = sql::excluded(changed);
    Chunked::new(|count| format!("{} ON CONFLICT (id) DO UPDATE SET {update}", sql::insert(TABLE, COLUMNS, count)))
});
static LIST: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, COLUMNS);
    sql::keep(format!(
        "{select} WHERE ($1 IS NULL OR status = $1 OR ($1 = 'decided' AND status IN ({DECIDED}))) AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR table_name = $3) \
         AND ($4 IS NULL OR device_id = $4) AND ($5 IS NULL OR user_id = $5) \
         AND ($6 IS NULL OR (created_at, id) < ($6, $7)) \
         ORDER BY created_at DESC, id DESC LIMIT $8"
    ))
});
/// What a person or a change has closed.
const DECIDED: &str = "'resolved', 'superseded', 'withdrawn'";
static COUNTS: LazyLock<&str> = LazyLock::new(|| {
    let decided = format!("status IN ({DECIDED})");
    let (open, merged) = ("status = 'open'", "status = 'merged_automatically'");
    let (decided_since, merged_since) =
        (format!("{decided} AND resolved_at >= $1"), format!("{merged} AND created_at >= $1"));
    let counts = [open, &decided, merged, &decided_since, &merged_since]
        .map(|condition| format!("COUNT(CASE WHEN {condition} THEN 1 END)"));
    sql::keep(format!("SELECT {} FROM {TABLE}", counts.join(", ")))
});
static OF_AUTHOR: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, COLUMNS);
    sql::keep(format!(
        "{select} WHERE device_id = $1 OR server_user_id = $2 \
         ORDER BY CASE WHEN status = 'open' THEN 0 ELSE 1 END, created_at DESC, id DESC LIMIT $3"
    ))
});

/// Where clashes stand that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// At this.
    Status(ConflictStatus),
    /// Resolved, superseded or withdrawn.
    Decided,
}

/// How many clashes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConflictCounts {
    /// They wait for a person.
    pub open: i64,
    /// Resolved, superseded or withdrawn.
    pub decided: i64,
    /// A policy chose.
    pub merged_automatically: i64,
    /// Of the decided ones those since the moment.
    pub decided_since: i64,
    /// A policy chose since the moment.
    pub merged_since: i64,
}

/// Which clashes to list; none means all.
#[derive(Debug, Clone, Default)]
pub struct ConflictFilter {
    /// Where they stand.
    pub status: Option<Standing>,
    /// What clashes.
    pub kind: Option<ConflictKind>,
    /// The record's table.
    pub table: Option<&'static Table>,
    /// The device of the clashing entry.
    pub device: Option<DeviceId>,
    /// The author of the clashing entry.
    pub author: Option<PersonId>,
    /// Only those older than this one.
    pub before: Option<(DateTime<Utc>, ConflictId)>,
    /// At most so many.
    pub limit: i64,
}

/// Clashes by their ids, in no order.
pub async fn load(tx: &mut Tx, ids: &[ConflictId]) -> Result<Vec<Conflict>> {
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in BY_ID.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Open clashes about these records, as their first or their second record or one of their group, oldest first.
pub async fn open_on(tx: &mut Tx, ids: &[RecordId]) -> Result<Vec<Conflict>> {
    let mut found = HashMap::new();
    for (sql, chunk) in OPEN_ON.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let conflict = read(&row)?;
            found.insert(conflict.id, conflict);
        }
    }
    let mut found: Vec<Conflict> = found.into_values().collect();
    found.sort_by_key(|conflict| (conflict.created_at, conflict.id));
    Ok(found)
}

/// Inserts or updates clashes.
pub async fn save(tx: &mut Tx, conflicts: &[Conflict]) -> Result<()> {
    for (sql, chunk) in SAVE.cut(conflicts) {
        tx.execute(sql, chunk.iter().flat_map(write).collect()).await?;
    }
    let grouped = conflicts.iter().filter(|conflict| !conflict.parts.is_empty());
    let rows: Vec<(RecordId, ConflictId)> =
        grouped.flat_map(|conflict| conflict.record_ids().into_iter().map(|id| (id, conflict.id))).collect();
    for (sql, chunk) in GROUPED.cut(&rows) {
        tx.execute(sql, chunk.iter().flat_map(|(record, conflict)| values![*record, *conflict]).collect()).await?;
    }
    Ok(())
}

/// Clashes, newest first.
pub async fn list(tx: &mut Tx, filter: &ConflictFilter) -> Result<Vec<Conflict>> {
    let values = values![
        filter.status.map(|standing| match standing {
            Standing::Status(status) => status.as_str(),
            Standing::Decided => "decided",
        }),
        filter.kind.map(ConflictKind::as_str),
        filter.table.map(|table| table.name),
        filter.device,
        filter.author,
        filter.before.map(|(at, _)| at),
        filter.before.map(|(_, id)| id),
        filter.limit,
    ];
    tx.rows(*LIST, values).await?.iter().map(read).collect()
}

/// Clashes that the device sent, or whose desk value the person wrote; open ones first, then the newest.
pub async fn of_author(tx: &mut Tx, device: DeviceId, person: PersonId, limit: i64) -> Result<Vec<Conflict>> {
    tx.rows(*OF_AUTHOR, values![device, person, limit]).await?.iter().map(read).collect()
}

/// How many clashes there are, by where they stand; some of them since a moment.
pub async fn counts(tx: &mut Tx, since: DateTime<Utc>) -> Result<ConflictCounts> {
    let columns = &["open", "decided", "merged_automatically", "decided_since", "merged_since"];
    let row = tx.row(*COUNTS, values![since]).await?.expect("a SELECT of sums gives one row");
    let mut cells = Cells::new(&row, TABLE, columns);
    Ok(ConflictCounts {
        open: cells.int()?,
        decided: cells.int()?,
        merged_automatically: cells.int()?,
        decided_since: cells.int()?,
        merged_since: cells.int()?,
    })
}

/// How many clashes are open.
pub async fn count_open(tx: &mut Tx) -> Result<i64> {
    tx.count("SELECT COUNT(*) FROM sync_conflicts WHERE status = 'open'").await
}

/// The open clashes of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOfKind {
    /// Their kind.
    pub kind: ConflictKind,
    /// How many there are.
    pub count: i64,
    /// When the oldest was found.
    pub oldest: DateTime<Utc>,
}

/// Open clashes by their kind; a kind without any is absent.
pub async fn open_by_kind(tx: &mut Tx) -> Result<Vec<OpenOfKind>> {
    let sql = "SELECT kind, COUNT(*), MIN(created_at) FROM sync_conflicts WHERE status = 'open' \
               GROUP BY kind ORDER BY kind";
    let mut found = Vec::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, TABLE, &["kind", "count", "oldest"]);
        found.push(OpenOfKind {
            kind: cells.word(ConflictKind::parse)?,
            count: cells.int()?,
            oldest: cells.instant()?,
        });
    }
    Ok(found)
}

/// The clash that a decision with this idempotency key was taken about.
pub async fn decision(tx: &mut Tx, key: &str) -> Result<Option<ConflictId>> {
    let row = tx.row("SELECT conflict_id FROM decision_keys WHERE idempotency_key = $1", values![key]).await?;
    row.map(|row| Cells::new(&row, "decision_keys", &["conflict_id"]).uuid().map(Into::into)).transpose()
}

/// Remembers a decision's idempotency key; `Duplicate` if it is known.
pub async fn add_decision(tx: &mut Tx, key: &str, conflict: ConflictId, at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO decision_keys (idempotency_key, conflict_id, decided_at) VALUES ($1, $2, $3)";
    tx.execute(sql, values![key, conflict, at]).await?;
    Ok(())
}

fn write(conflict: &Conflict) -> Vec<Value> {
    let object = |data: &Option<Map<String, Json>>| data.clone().map(Json::Object);
    values![
        conflict.id,
        conflict.queue_id,
        conflict.table.name,
        conflict.record_id,
        conflict.other_record_id,
        conflict.kind.as_str(),
        conflict.rule.clone(),
        conflict.status.as_str(),
        conflict.rev,
        conflict.device_id,
        conflict.user_id,
        conflict.server_user_id,
        conflict.op_ids.iter().map(|id| Json::from(id.to_string())).collect::<Json>(),
        object(&conflict.base_data),
        object(&conflict.server_data),
        object(&conflict.client_data),
        conflict.server_version,
        Json::from(conflict.contested.clone()),
        Json::from(conflict.clean.clone()),
        (!conflict.parts.is_empty()).then(|| serde_json::to_value(&conflict.parts).expect("parts are plain data")),
        conflict.resolution.clone(),
        object(&conflict.resolved_data),
        conflict.resolved_by,
        conflict.resolved_at,
        conflict.result_version,
        conflict.bulk_id,
        conflict.reason.clone(),
        Json::from(conflict.decisions.clone()),
        conflict.disagreement.clone(),
        conflict.created_at,
    ]
}

fn read(row: &Row) -> Result<Conflict> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    Ok(Conflict {
        id: cells.uuid()?.into(),
        queue_id: cells.uuid()?.into(),
        table: cells.word(schema::table)?,
        record_id: cells.uuid()?.into(),
        other_record_id: cells.uuid_option()?.map(Into::into),
        kind: cells.word(ConflictKind::parse)?,
        rule: cells.text_option()?,
        status: cells.word(ConflictStatus::parse)?,
        rev: cells.int()?,
        device_id: cells.uuid()?.into(),
        user_id: cells.uuid()?.into(),
        server_user_id: cells.uuid_option()?.map(Into::into),
        op_ids: cells.parsed::<Vec<OpId>>()?,
        base_data: cells.parsed_option()?,
        server_data: cells.parsed_option()?,
        client_data: cells.parsed_option()?,
        server_version: Version(cells.int()?),
        contested: cells.parsed()?,
        clean: cells.parsed()?,
        parts: cells.parsed_option()?.unwrap_or_default(),
        resolution: cells.text_option()?,
        resolved_data: cells.parsed_option()?,
        resolved_by: cells.uuid_option()?.map(Into::into),
        resolved_at: cells.instant_option()?,
        result_version: cells.int_option()?.map(Version),
        bulk_id: cells.uuid_option()?,
        reason: cells.text_option()?,
        decisions: cells.parsed()?,
        disagreement: cells.json_option()?,
        created_at: cells.instant()?,
    })
}
