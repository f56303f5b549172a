//! `recorders`: one row for each desk that records, and `markers`: what happened.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::DeviceId;
use uuid::Uuid;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

/// What a desk left behind when it was last open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRun {
    /// When it was last heard of.
    pub heartbeat_at: DateTime<Utc>,
    /// Whether it was closed, and did not just end.
    pub closed: bool,
}

/// When a clean-up ended, and what it removed.
#[derive(Debug, Clone, PartialEq)]
pub struct LastCleanUp {
    /// When.
    pub at: DateTime<Utc>,
    /// How many rows of what.
    pub removed: Json,
}

/// What explains a bend in a line.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkerRow {
    /// Its id.
    pub id: Uuid,
    /// Where it happened.
    pub desk: DeviceId,
    /// `start`, `restore`, ….
    pub kind: String,
    /// More about it.
    pub detail: Json,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// How the desk was left; none if it has never recorded anything here.
pub async fn last_run(tx: &mut Tx, desk: DeviceId) -> Result<Option<LastRun>> {
    let row = tx.row("SELECT heartbeat_at, closed FROM recorders WHERE desk_id = $1", values![desk]).await?;
    let Some(row) = row else { return Ok(None) };
    let mut cells = Cells::new(&row, "recorders", &["heartbeat_at", "closed"]);
    Ok(Some(LastRun { heartbeat_at: cells.instant()?, closed: cells.flag()? }))
}

/// The desk is open from now on.
pub async fn begin(tx: &mut Tx, desk: DeviceId, at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO recorders (desk_id, started_at, heartbeat_at, closed) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (desk_id) DO UPDATE SET started_at = excluded.started_at, \
               heartbeat_at = excluded.heartbeat_at, closed = excluded.closed";
    tx.execute(sql, values![desk, at, at, false]).await?;
    Ok(())
}

/// The desk lives, or has just been closed.
pub async fn beat(tx: &mut Tx, desk: DeviceId, at: DateTime<Utc>, closed: bool) -> Result<()> {
    let sql = "UPDATE recorders SET heartbeat_at = $1, closed = $2 WHERE desk_id = $3";
    tx.execute(sql, values![at, closed, desk]).await?;
    Ok(())
}

/// Keeps what a clean-up of this desk removed.
pub async fn keep_clean_up(tx: &mut Tx, desk: DeviceId, done: &LastCleanUp) -> Result<()> {
    let sql = "UPDATE recorders SET cleaned_at = $1, removed = $2 WHERE desk_id = $3";
    tx.execute(sql, values![done.at, done.removed.clone(), desk]).await?;
    Ok(())
}

/// The newest clean-up, by whichever desk.
pub async fn last_clean_up(tx: &mut Tx) -> Result<Option<LastCleanUp>> {
    let sql = "SELECT cleaned_at, removed FROM recorders WHERE cleaned_at IS NOT NULL AND removed IS NOT NULL \
               ORDER BY cleaned_at DESC LIMIT 1";
    let Some(row) = tx.row(sql, Vec::new()).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "recorders", &["cleaned_at", "removed"]);
    Ok(Some(LastCleanUp { at: cells.instant()?, removed: cells.json()? }))
}

/// Adds a marker.
pub async fn add_marker(tx: &mut Tx, marker: &MarkerRow) -> Result<()> {
    let sql = "INSERT INTO markers (id, desk_id, kind, detail, created_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (id) DO NOTHING";
    let MarkerRow { id, desk, kind, detail, created_at } = marker.clone();
    tx.execute(sql, values![id, desk, kind, detail, created_at]).await?;
    Ok(())
}

/// The newest markers from a moment to before another, in the order of time.
pub async fn markers_between(
    tx: &mut Tx,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> Result<Vec<MarkerRow>> {
    let sql = "SELECT id, desk_id, kind, detail, created_at FROM markers WHERE created_at >= $1 AND created_at < $2 \
               ORDER BY created_at DESC, id DESC LIMIT $3";
    let mut found = Vec::new();
    for row in tx.rows(sql, values![from, to, limit]).await? {
        let mut cells = Cells::new(&row, "markers", &["id", "desk_id", "kind", "detail", "created_at"]);
        found.push(MarkerRow {
            id: cells.uuid()?,
            desk: DeviceId(cells.uuid()?),
            kind: cells.text()?,
            detail: cells.json()?,
            created_at: cells.instant()?,
        });
    }
    found.reverse();
    Ok(found)
}
