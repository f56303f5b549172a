//! `desks`: the desks that share this database, and what they tell each other.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::DeviceId;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

const COLUMNS: &[&str] = &["device_id", "addresses", "beat", "last_seen"];

/// A desk that serves phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskRow {
    /// Its device.
    pub device_id: DeviceId,
    /// Where phones reach it, best first.
    pub addresses: Vec<String>,
    /// Moves on as long as it lives.
    pub beat: i64,
    /// When it wrote this, by its own clock.
    pub last_seen: DateTime<Utc>,
}

/// Says that a desk lives, and where.
pub async fn note_beat(tx: &mut Tx, device: DeviceId, addresses: &[String], at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO desks (device_id, addresses, beat, last_seen) VALUES ($1, $2, 1, $3) \
               ON CONFLICT (device_id) DO UPDATE \
               SET addresses = excluded.addresses, beat = desks.beat + 1, last_seen = excluded.last_seen";
    tx.execute(sql, values![device, Json::from(addresses.to_vec()), at]).await?;
    Ok(())
}

/// Every desk that did not say goodbye, those that died included, in the order of their ids.
pub async fn list(tx: &mut Tx) -> Result<Vec<DeskRow>> {
    let sql = "SELECT device_id, addresses, beat, last_seen FROM desks ORDER BY device_id";
    let rows = tx.rows(sql, Vec::new()).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "desks", COLUMNS);
        Ok(DeskRow {
            device_id: cells.uuid()?.into(),
            addresses: cells.parsed()?,
            beat: cells.int()?,
            last_seen: cells.instant()?,
        })
    };
    rows.iter().map(read).collect()
}

/// A desk says goodbye.
pub async fn remove(tx: &mut Tx, device: DeviceId) -> Result<()> {
    tx.execute("DELETE FROM desks WHERE device_id = $1", values![device]).await?;
    Ok(())
}
