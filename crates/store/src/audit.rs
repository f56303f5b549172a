//! `audit_log`: what people did beside changing records.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const COLUMNS: &[&str] =
    &["done_at", "actor", "device_id", "action", "table_name", "record_id", "before", "after", "reason"];

static INSERT: LazyChunked = LazyChunked::new(|| Chunked::new(|count| sql::insert("audit_log", COLUMNS, count)));
static NEWEST: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} ORDER BY id DESC LIMIT $1", sql::select("audit_log", COLUMNS))));

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
    /// To a row of this table.
    pub table_name: Option<String>,
    /// To this row.
    pub record_id: Option<Uuid>,
    /// How it was.
    pub before: Option<Json>,
    /// How it is.
    pub after: Option<Json>,
    /// Why.
    pub reason: Option<String>,
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
                row.table_name.clone(),
                row.record_id,
                row.before.clone(),
                row.after.clone(),
                row.reason.clone(),
            ]
        });
        tx.execute(sql, values.collect()).await?;
    }
    Ok(())
}

/// The newest rows, newest first.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<AuditRow>> {
    tx.rows(*NEWEST, values![limit]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<AuditRow> {
    let mut cells = Cells::new(row, "audit_log", COLUMNS);
    Ok(AuditRow {
        at: cells.instant()?,
        actor: cells.uuid_option()?.map(Into::into),
        device: cells.uuid_option()?.map(Into::into),
        action: cells.text()?,
        table_name: cells.text_option()?,
        record_id: cells.uuid_option()?,
        before: cells.json_option()?,
        after: cells.json_option()?,
        reason: cells.text_option()?,
    })
}
