//! `audit_log`: what people decided, and what they did beside changing records. It is only added to.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{ConflictId, DeviceId, OpId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

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
static PAGE: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, &WITH_ID);
    sql::keep(format!(
        "{select} WHERE ($1 IS NULL OR action = $1) AND ($2 IS NULL OR actor = $2) \
         AND ($3 IS NULL OR table_name = $3) AND ($4 IS NULL OR record_id = $4) AND ($5 IS NULL OR id < $5) \
         ORDER BY id DESC LIMIT $6"
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
    /// What was done.
    pub action: Option<String>,
    /// Who did it.
    pub actor: Option<PersonId>,
    /// To a row of this table.
    pub table_name: Option<String>,
    /// To this row.
    pub record_id: Option<Uuid>,
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
    let values = values![
        filter.action.clone(),
        filter.actor,
        filter.table_name.clone(),
        filter.record_id,
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
