//! `audit_log`: what people decided, and what they did beside changing records. It is only added to.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{ConflictId, DeviceId, OpId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::spelling::{self, SPELLINGS, like, like_spelled};
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

/// The placeholder of the whole text, after its spellings.
const EXACT: &str = "$4";
const TABLE: &str = "audit_log";
const COLUMNS: &[&str] = &[
    "done_at",
    "actor",
    "device_id",
    "action",
    "asked_by",
    "table_name",
    "record_id",
    "op_id",
    "conflict_id",
    "bulk_id",
    "before",
    "after",
    "reason",
];

static WITH_ID: LazyLock<Vec<&str>> = LazyLock::new(|| [&["id"], COLUMNS].concat());
static INSERT: LazyChunked = LazyChunked::new(|| Chunked::new(|count| sql::insert(TABLE, COLUMNS, count)));

/// What is named by a text: people, devices, and rows of the show with what hangs on them.
static NAMED: LazyLock<String> = LazyLock::new(|| {
    let [tag, official_id] = ["a.tag", "a.official_id"].map(|column| like(column, SPELLINGS[0]));
    let [person, animal, exhibitor] = ["name", "a.name", "x.first_name || ' ' || x.last_name"].map(like_spelled);
    let of_animals = "animal_id IN (SELECT id FROM hit)";
    format!(
        "hit AS (SELECT a.id FROM animals a JOIN exhibitors x ON x.id = a.exhibitor_id \
         WHERE {tag} OR {official_id} OR {animal} OR {exhibitor} OR CAST(x.back_number AS TEXT) = {EXACT}), \
         people AS (SELECT id FROM profiles WHERE {person}), phones AS (SELECT id FROM devices WHERE {person}), \
         named AS (SELECT id FROM hit UNION ALL SELECT id FROM people UNION ALL SELECT id FROM phones \
         UNION ALL SELECT x.id FROM exhibitors x WHERE {exhibitor} OR CAST(x.back_number AS TEXT) = {EXACT} \
         UNION ALL SELECT id FROM classes WHERE {person} UNION ALL SELECT id FROM entries WHERE {of_animals} \
         UNION ALL SELECT id FROM weigh_ins WHERE {of_animals} \
         UNION ALL SELECT p.id FROM placings p JOIN entries e ON e.id = p.entry_id WHERE e.{of_animals})"
    )
});
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    let written = ["action", "replace(action, '_', ' ')"].map(|column| like(column, SPELLINGS[0])).join(" OR ");
    let told = ["reason", "CAST(\"before\" AS TEXT)", "CAST(\"after\" AS TEXT)"].map(like_spelled).join(" OR ");
    sql::keep(format!(
        "WITH {} {} WHERE ($1 IS NULL OR {written} OR {told} OR actor IN (SELECT id FROM people) \
         OR asked_by IN (SELECT id FROM people) OR device_id IN (SELECT id FROM phones) \
         OR record_id IN (SELECT id FROM named)) \
         AND ($5 IS NULL OR action = $5) AND ($6 IS NULL OR actor = $6) \
         AND ($7 IS NULL OR device_id = $7 OR (record_id = $7 AND table_name IS NULL)) \
         AND ($8 IS NULL OR table_name = $8) AND ($9 IS NULL OR record_id = $9) AND ($10 IS NULL OR done_at >= $10) \
         AND ($11 IS NULL OR done_at < $11) AND ($12 IS NULL OR id < $12) ORDER BY id DESC LIMIT $13",
        *NAMED,
        sql::select(TABLE, &WITH_ID)
    ))
});
static LAST_ABOUT_OP: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, &WITH_ID);
    sql::keep(format!("{select} WHERE op_id = $1 AND conflict_id IS NULL ORDER BY id DESC LIMIT 1"))
});

/// A row of `audit_log`.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// When.
    pub at: DateTime<Utc>,
    /// Who; none for the program itself.
    pub actor: Option<PersonId>,
    /// From which device.
    pub device: Option<DeviceId>,
    /// What was done.
    pub action: String,
    /// Whose entry was decided about.
    pub asked_by: Option<PersonId>,
    /// To a row of this table.
    pub table_name: Option<String>,
    /// To this row.
    pub record_id: Option<Uuid>,
    /// About this op.
    pub op_id: Option<OpId>,
    /// About this clash.
    pub conflict_id: Option<ConflictId>,
    /// As a part of this bulk decision.
    pub bulk_id: Option<Uuid>,
    /// How it was.
    pub before: Option<Json>,
    /// How it is.
    pub after: Option<Json>,
    /// Why.
    pub reason: Option<String>,
}

/// Which rows to list; none means all.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Anywhere in what was done, to what, by whom, from where, why; a blank text is all.
    pub text: String,
    /// What was done.
    pub action: Option<String>,
    /// Who did it.
    pub actor: Option<PersonId>,
    /// From this device, or about it.
    pub device: Option<DeviceId>,
    /// To a row of this table.
    pub table_name: Option<String>,
    /// To this row.
    pub record_id: Option<Uuid>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
    /// Only those older than the row of this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

/// Adds rows.
pub async fn add(tx: &mut Tx, rows: &[AuditRow]) -> Result<()> {
    for (sql, chunk) in INSERT.cut(rows) {
        let values = chunk.iter().flat_map(|row| {
            values![
                row.at,
                row.actor,
                row.device,
                row.action.as_str(),
                row.asked_by,
                row.table_name.clone(),
                row.record_id,
                row.op_id,
                row.conflict_id,
                row.bulk_id,
                row.before.clone(),
                row.after.clone(),
                row.reason.clone(),
            ]
        });
        tx.execute(sql, values.collect()).await?;
    }
    Ok(())
}

/// Rows with their numbers, newest first.
pub async fn page(tx: &mut Tx, filter: &AuditFilter) -> Result<Vec<(i64, AuditRow)>> {
    let text = spelling::lowered(&filter.text);
    let [small, words, capitals] = text.as_deref().map_or([const { None }; 3], spelling::spellings);
    let values = values![
        small,
        words,
        capitals,
        text,
        filter.action.clone(),
        filter.actor,
        filter.device,
        filter.table_name.clone(),
        filter.record_id,
        filter.from,
        filter.to,
        filter.before,
        filter.limit,
    ];
    tx.rows(*PAGE, values).await?.iter().map(read).collect()
}

/// The newest row about an op that was decided outside a clash.
pub async fn last_about_op(tx: &mut Tx, id: OpId) -> Result<Option<AuditRow>> {
    let row = tx.row(*LAST_ABOUT_OP, values![id]).await?;
    row.map(|row| read(&row).map(|(_, row)| row)).transpose()
}

fn read(row: &Row) -> Result<(i64, AuditRow)> {
    let mut cells = Cells::new(row, TABLE, &WITH_ID);
    let id = cells.int()?;
    let row = AuditRow {
        at: cells.instant()?,
        actor: cells.uuid_option()?.map(Into::into),
        device: cells.uuid_option()?.map(Into::into),
        action: cells.text()?,
        asked_by: cells.uuid_option()?.map(Into::into),
        table_name: cells.text_option()?,
        record_id: cells.uuid_option()?,
        op_id: cells.uuid_option()?.map(Into::into),
        conflict_id: cells.uuid_option()?.map(Into::into),
        bulk_id: cells.uuid_option()?,
        before: cells.json_option()?,
        after: cells.json_option()?,
        reason: cells.text_option()?,
    };
    Ok((id, row))
}
