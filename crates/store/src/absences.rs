//! `device_absences`: when a phone was not heard of, so that entries made meanwhile can be told by it.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::DeviceId;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const COLUMNS: &[&str] = &["device_id", "away_from", "back_at"];
/// Absences of one device that are kept, the newest.
const KEPT: i64 = 200;

static OF_DEVICES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!("{} ORDER BY t.back_at", sql::select_by_keys("device_absences", COLUMNS, &["device_id"], 1, count))
    })
});

/// A time in which a device was not heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbsenceRow {
    /// Which device.
    pub device: DeviceId,
    /// When it was heard of before.
    pub away_from: DateTime<Utc>,
    /// When it was heard of again.
    pub back_at: DateTime<Utc>,
}

/// Adds an absence that has ended; the device's oldest ones beyond 200 go.
pub async fn add(tx: &mut Tx, row: &AbsenceRow) -> Result<()> {
    let sql = "INSERT INTO device_absences (device_id, away_from, back_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(sql, values![row.device, row.away_from, row.back_at]).await?;
    let sql = "DELETE FROM device_absences WHERE device_id = $1 AND back_at < (SELECT back_at FROM device_absences \
               WHERE device_id = $1 ORDER BY back_at DESC LIMIT 1 OFFSET $2)";
    tx.execute(sql, values![row.device, KEPT - 1]).await?;
    Ok(())
}

/// The absences of these devices; each device's in their order.
pub async fn of_devices(tx: &mut Tx, devices: &[DeviceId]) -> Result<Vec<AbsenceRow>> {
    let mut found = Vec::new();
    for (sql, chunk) in OF_DEVICES.cut(devices) {
        for row in tx.rows(sql, chunk.iter().flat_map(|id| values![*id]).collect()).await? {
            let mut cells = Cells::new(&row, "device_absences", COLUMNS);
            let device = cells.uuid()?.into();
            found.push(AbsenceRow { device, away_from: cells.instant()?, back_at: cells.instant()? });
        }
    }
    Ok(found)
}
