//! `bulk_decisions`: one decision about several clashes, kept so that it is taken once and can be taken back as one.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{ConflictId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::{Result, Tx};

const TABLE: &str = "bulk_decisions";
const COLUMNS: &[&str] =
    &["id", "idempotency_key", "request_sha256", "conflict_ids", "results", "decided_by", "decided_at"];

/// A row of `bulk_decisions`.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRow {
    /// Names the decision.
    pub id: Uuid,
    /// The same key gives the same answer.
    pub idempotency_key: Option<String>,
    /// What was asked, so that a key is not used for something else.
    pub request_sha256: [u8; 32],
    /// The clashes, in the order in which they are decided.
    pub conflict_ids: Vec<ConflictId>,
    /// What became of each; none until all are decided.
    pub results: Option<Json>,
    /// Who decided.
    pub decided_by: PersonId,
    /// When.
    pub decided_at: DateTime<Utc>,
}

/// Adds a bulk decision that begins; `Duplicate` if its key is known.
pub async fn add(tx: &mut Tx, row: &BulkRow) -> Result<()> {
    let sql = "INSERT INTO bulk_decisions (id, idempotency_key, request_sha256, conflict_ids, results, decided_by, \
               decided_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let ids: Json = row.conflict_ids.iter().map(|id| Json::from(id.to_string())).collect();
    let values = values![
        row.id,
        row.idempotency_key.clone(),
        &row.request_sha256,
        ids,
        row.results.clone(),
        row.decided_by,
        row.decided_at,
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Says what became of each clash.
pub async fn finish(tx: &mut Tx, id: Uuid, results: &Json) -> Result<()> {
    tx.execute("UPDATE bulk_decisions SET results = $1 WHERE id = $2", values![results, id]).await?;
    Ok(())
}

/// A bulk decision by its id.
pub async fn load(tx: &mut Tx, id: Uuid) -> Result<Option<BulkRow>> {
    let sql = "SELECT id, idempotency_key, request_sha256, conflict_ids, results, decided_by, decided_at \
               FROM bulk_decisions WHERE id = $1";
    tx.row(sql, values![id]).await?.map(|row| read(&row)).transpose()
}

/// A bulk decision by its idempotency key.
pub async fn by_key(tx: &mut Tx, key: &str) -> Result<Option<BulkRow>> {
    let sql = "SELECT id, idempotency_key, request_sha256, conflict_ids, results, decided_by, decided_at \
               FROM bulk_decisions WHERE idempotency_key = $1";
    tx.row(sql, values![key]).await?.map(|row| read(&row)).transpose()
}

fn read(row: &Row) -> Result<BulkRow> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    Ok(BulkRow {
        id: cells.uuid()?,
        idempotency_key: cells.text_option()?,
        request_sha256: cells.sha256()?,
        conflict_ids: cells.parsed()?,
        results: cells.json_option()?,
        decided_by: cells.uuid()?.into(),
        decided_at: cells.instant()?,
    })
}
