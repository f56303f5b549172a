//! `secrets` and `vault_requests`: what is kept sealed, and how one desk hands another the key to it.
//!
//! Only sealed bytes come by here; the engine's vault seals and opens them.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::DeviceId;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

/// A sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Which vault key opens it.
    pub key_id: Vec<u8>,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
}

/// A desk that asks the others for the vault key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    /// Its device.
    pub device_id: DeviceId,
    /// What the answer is sealed for.
    pub public_key: Vec<u8>,
}

/// The answer to a desk's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// Which request it answers: a desk that was started anew asks with another key.
    pub public_key: Vec<u8>,
    /// The public key of the desk that answered.
    pub answer_key: Vec<u8>,
    /// The vault key, sealed.
    pub sealed: Vec<u8>,
}

/// A secret by its name.
pub async fn read(tx: &mut Tx, name: &str) -> Result<Option<SealedRow>> {
    let row = tx.row("SELECT key_id, sealed FROM secrets WHERE name = $1", values![name]).await?;
    row.map(|row| {
        let mut cells = Cells::new(&row, "secrets", &["key_id", "sealed"]);
        Ok(SealedRow { key_id: cells.bytes()?, sealed: cells.bytes()? })
    })
    .transpose()
}

/// Adds a secret; `Duplicate` if there is one of that name.
pub async fn add(tx: &mut Tx, name: &str, row: &SealedRow, at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO secrets (name, key_id, sealed, updated_at) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, values![name, row.key_id.as_slice(), row.sealed.as_slice(), at]).await?;
    Ok(())
}

/// Adds a secret or replaces it.
pub async fn set(tx: &mut Tx, name: &str, row: &SealedRow, at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO secrets (name, key_id, sealed, updated_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (name) DO UPDATE \
               SET key_id = excluded.key_id, sealed = excluded.sealed, updated_at = excluded.updated_at";
    tx.execute(sql, values![name, row.key_id.as_slice(), row.sealed.as_slice(), at]).await?;
    Ok(())
}

/// Forgets a secret.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<()> {
    tx.execute("DELETE FROM secrets WHERE name = $1", values![name]).await?;
    Ok(())
}

/// Forgets every secret.
pub async fn remove_all(tx: &mut Tx) -> Result<()> {
    tx.execute("DELETE FROM secrets", Vec::new()).await?;
    Ok(())
}

/// A desk asks for the vault key; what it asked before counts no more.
pub async fn ask(tx: &mut Tx, request: &RequestRow, at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO vault_requests (device_id, public_key, asked_at) VALUES ($1, $2, $3) \
               ON CONFLICT (device_id) DO UPDATE SET public_key = excluded.public_key, asked_at = excluded.asked_at, \
               answer_key = NULL, sealed = NULL, answered_at = NULL";
    tx.execute(sql, values![request.device_id, request.public_key.as_slice(), at]).await?;
    Ok(())
}

/// Requests that nobody has answered, oldest first.
pub async fn unanswered(tx: &mut Tx) -> Result<Vec<RequestRow>> {
    let sql =
        "SELECT device_id, public_key FROM vault_requests WHERE sealed IS NULL ORDER BY asked_at, device_id LIMIT 20";
    let rows = tx.rows(sql, Vec::new()).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "vault_requests", &["device_id", "public_key"]);
        Ok(RequestRow { device_id: cells.uuid()?.into(), public_key: cells.bytes()? })
    };
    rows.iter().map(read).collect()
}

/// Answers a request, if it is still the one that was read.
pub async fn answer(tx: &mut Tx, device: DeviceId, answer: &AnswerRow, at: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE vault_requests SET answer_key = $3, sealed = $4, answered_at = $5 \
               WHERE device_id = $1 AND public_key = $2";
    let (public, answer_key) = (answer.public_key.as_slice(), answer.answer_key.as_slice());
    tx.execute(sql, values![device, public, answer_key, answer.sealed.as_slice(), at]).await?;
    Ok(())
}

/// The answer to this desk's request, if it has come.
pub async fn answered(tx: &mut Tx, device: DeviceId) -> Result<Option<AnswerRow>> {
    let columns = &["public_key", "answer_key", "sealed"];
    let sql = "SELECT public_key, answer_key, sealed FROM vault_requests WHERE device_id = $1 AND sealed IS NOT NULL";
    let Some(row) = tx.row(sql, values![device]).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "vault_requests", columns);
    Ok(Some(AnswerRow { public_key: cells.bytes()?, answer_key: cells.bytes()?, sealed: cells.bytes()? }))
}

/// A desk asks no more.
pub async fn withdraw(tx: &mut Tx, device: DeviceId) -> Result<()> {
    tx.execute("DELETE FROM vault_requests WHERE device_id = $1", values![device]).await?;
    Ok(())
}
