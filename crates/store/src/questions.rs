//! `conflict_questions`: what the author of a disputed entry was asked about it, and the answer.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{ConflictId, DeviceId, PersonId};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "conflict_questions";
const COLUMNS: &[&str] =
    &["id", "conflict_id", "asked_by", "asked_at", "question", "answered_by", "answered_at", "answer"];

static OF_CONFLICTS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let select = sql::select_by_keys(TABLE, COLUMNS, &["conflict_id"], 1, count);
        format!("{select} ORDER BY t.asked_at, t.id")
    })
});

/// A question and, once it was given, its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRow {
    /// Its id.
    pub id: Uuid,
    /// The clash it is about.
    pub conflict_id: ConflictId,
    /// Who asks.
    pub asked_by: PersonId,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// What.
    pub question: String,
    /// Who answered, when, what.
    pub answer: Option<AnswerRow>,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// Who answered.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub text: String,
}

/// Adds a question that has no answer yet.
pub async fn add(tx: &mut Tx, row: &QuestionRow) -> Result<()> {
    let sql = "INSERT INTO conflict_questions (id, conflict_id, asked_by, asked_at, question) \
               VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, values![row.id, row.conflict_id, row.asked_by, row.asked_at, row.question.as_str()]).await?;
    Ok(())
}

/// How often one was asked about a clash.
pub async fn count_about(tx: &mut Tx, conflict: ConflictId) -> Result<i64> {
    let row = tx.row("SELECT COUNT(*) FROM conflict_questions WHERE conflict_id = $1", values![conflict]).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, TABLE, &["count"]).int())
}

/// How many questions wait for an answer from a device, about clashes that are open. Of a clash the last one counts.
pub async fn count_waiting(tx: &mut Tx, device: DeviceId) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM sync_conflicts c WHERE c.device_id = $1 AND c.status = 'open' \
               AND EXISTS (SELECT 1 FROM conflict_questions q WHERE q.conflict_id = c.id AND q.answered_at IS NULL)";
    let row = tx.row(sql, values![device]).await?;
    row.map_or(Ok(0), |row| Cells::new(&row, TABLE, &["count"]).int())
}

/// Keeps the answer to a question; a later one takes its place. False if there is no such question.
pub async fn answer(tx: &mut Tx, id: Uuid, answer: &AnswerRow) -> Result<bool> {
    let sql = "UPDATE conflict_questions SET answered_by = $2, answered_at = $3, answer = $4 WHERE id = $1";
    Ok(tx.execute(sql, values![id, answer.by, answer.at, answer.text.as_str()]).await? == 1)
}

/// The questions about clashes; those about one clash in their order.
pub async fn of_conflicts(tx: &mut Tx, conflicts: &[ConflictId]) -> Result<Vec<QuestionRow>> {
    let mut found = Vec::new();
    for (sql, chunk) in OF_CONFLICTS.cut(conflicts) {
        let rows = tx.rows(sql, chunk.iter().flat_map(|id| values![*id]).collect()).await?;
        found.extend(rows.iter().map(read).collect::<Result<Vec<_>>>()?);
    }
    Ok(found)
}

fn read(row: &Row) -> Result<QuestionRow> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    let (id, conflict_id) = (cells.uuid()?, cells.uuid()?.into());
    let (asked_by, asked_at, question) = (cells.uuid()?.into(), cells.instant()?, cells.text()?);
    let (by, at, text) = (cells.uuid_option()?, cells.instant_option()?, cells.text_option()?);
    let answer = by.zip(at).zip(text).map(|((by, at), text)| AnswerRow { by: by.into(), at, text });
    Ok(QuestionRow { id, conflict_id, asked_by, asked_at, question, answer })
}
