//! Entries files that were previewed, confirmed, taken back.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::{OpId, PersonId, Seq};
use uuid::Uuid;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

const COLUMNS: &[&str] = &[
    "id",
    "file_sha256",
    "clock",
    "plan",
    "status",
    "counts",
    "op_ids",
    "created_by",
    "created_at",
    "confirmed_at",
    "undone_at",
];

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportStatus {
    /// Nothing is written.
    Previewed,
    /// Written.
    Confirmed,
    /// Taken back.
    Undone,
}

/// A row of `imports`.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportRow {
    /// Its id.
    pub id: Uuid,
    /// SHA-256 of the file.
    pub file_sha256: [u8; 32],
    /// The newest change number when it was previewed.
    pub clock: Seq,
    /// What it would do, as JSON text.
    pub plan: String,
    /// Where it stands.
    pub status: ImportStatus,
    /// How many rows are new, changed, the same, wrong.
    pub counts: Json,
    /// The ops that wrote it.
    pub op_ids: Vec<OpId>,
    /// Who previewed it.
    pub created_by: PersonId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was written.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub undone_at: Option<DateTime<Utc>>,
}

/// Keeps a preview.
pub async fn add(tx: &mut Tx, row: &ImportRow) -> Result<()> {
    let sql = "INSERT INTO imports (id, file_sha256, clock, plan, status, counts, op_ids, created_by, created_at, \
               confirmed_at, undone_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let values = values![
        row.id,
        &row.file_sha256,
        row.clock,
        row.plan.as_str(),
        row.status.as_str(),
        row.counts.clone(),
        id_list(&row.op_ids),
        row.created_by,
        row.created_at,
        row.confirmed_at,
        row.undone_at,
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// An import.
pub async fn load(tx: &mut Tx, id: Uuid) -> Result<Option<ImportRow>> {
    let sql = "SELECT id, file_sha256, clock, plan, status, counts, op_ids, created_by, created_at, confirmed_at, \
               undone_at FROM imports WHERE id = $1";
    let Some(row) = tx.row(sql, values![id]).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "imports", COLUMNS);
    Ok(Some(ImportRow {
        id: cells.uuid()?,
        file_sha256: cells.sha256()?,
        clock: Seq(cells.int()?),
        plan: cells.text()?,
        status: cells.word(ImportStatus::parse)?,
        counts: cells.json()?,
        op_ids: cells.parsed()?,
        created_by: cells.uuid()?.into(),
        created_at: cells.instant()?,
        confirmed_at: cells.instant_option()?,
        undone_at: cells.instant_option()?,
    }))
}

/// What a list tells of an import, without its file.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportListRow {
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    pub status: ImportStatus,
    /// How many rows are new, changed, the same, wrong; the file's name.
    pub counts: Json,
    /// Who previewed it.
    pub created_by: PersonId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was written.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub undone_at: Option<DateTime<Utc>>,
}

/// The newest imports, newest first.
pub async fn recent(tx: &mut Tx, limit: i64) -> Result<Vec<ImportListRow>> {
    let columns = &["id", "status", "counts", "created_by", "created_at", "confirmed_at", "undone_at"];
    let sql = "SELECT id, status, counts, created_by, created_at, confirmed_at, undone_at FROM imports \
               ORDER BY created_at DESC, id DESC LIMIT $1";
    let mut found = Vec::new();
    for row in tx.rows(sql, values![limit]).await? {
        let mut cells = Cells::new(&row, "imports", columns);
        found.push(ImportListRow {
            id: cells.uuid()?,
            status: cells.word(ImportStatus::parse)?,
            counts: cells.json()?,
            created_by: cells.uuid()?.into(),
            created_at: cells.instant()?,
            confirmed_at: cells.instant_option()?,
            undone_at: cells.instant_option()?,
        });
    }
    Ok(found)
}

/// Keeps another plan of a preview; false if it is not a preview any more.
pub async fn plan_again(tx: &mut Tx, id: Uuid, clock: Seq, plan: &str, counts: &Json) -> Result<bool> {
    let sql = "UPDATE imports SET clock = $2, plan = $3, counts = $4 WHERE id = $1 AND status = 'previewed'";
    Ok(tx.execute(sql, values![id, clock, plan, counts.clone()]).await? == 1)
}

/// Marks a preview as written by these ops; false if it was not a preview any more.
pub async fn mark_confirmed(tx: &mut Tx, id: Uuid, op_ids: &[OpId], counts: &Json, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE imports SET status = 'confirmed', op_ids = $2, counts = $3, confirmed_at = $4 \
               WHERE id = $1 AND status = 'previewed'";
    Ok(tx.execute(sql, values![id, id_list(op_ids), counts.clone(), at]).await? == 1)
}

/// Marks a written import as taken back; false if it was not written.
pub async fn mark_undone(tx: &mut Tx, id: Uuid, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE imports SET status = 'undone', undone_at = $2 WHERE id = $1 AND status = 'confirmed'";
    Ok(tx.execute(sql, values![id, at]).await? == 1)
}

impl ImportStatus {
    /// The word in answers and in both databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Previewed => "previewed",
            Self::Confirmed => "confirmed",
            Self::Undone => "undone",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Previewed, Self::Confirmed, Self::Undone].into_iter().find(|status| status.as_str() == word)
    }
}

fn id_list(ids: &[OpId]) -> Json {
    ids.iter().map(|id| Json::from(id.to_string())).collect()
}
