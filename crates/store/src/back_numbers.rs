//! `back_number_leases`: blocks of exhibitors' numbers that devices may give out.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, PersonId};

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx, sql};

/// Numbers of a block. The first is one more than a multiple of it.
pub const BLOCK: i64 = 20;

const TABLE: &str = "back_number_leases";
const COLUMNS: &[&str] = &["first_number", "user_id", "device_id", "created_at", "expires_at"];

static ADD: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} ON CONFLICT DO NOTHING", sql::insert(TABLE, COLUMNS, 1))));
static NEWEST_OF: LazyLock<&str> = LazyLock::new(|| {
    let select = sql::select(TABLE, COLUMNS);
    sql::keep(format!("{select} WHERE device_id = $1 ORDER BY created_at DESC, first_number DESC LIMIT 1"))
});

/// A block that was given to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRow {
    /// Its first number.
    pub first: i64,
    /// Whose device it is.
    pub person: PersonId,
    /// The device that may give the numbers out.
    pub device: DeviceId,
    /// When it was given.
    pub created_at: DateTime<Utc>,
    /// When its time is over.
    pub expires_at: DateTime<Utc>,
}

/// The block that a device got last.
pub async fn newest_of(tx: &mut Tx, device: DeviceId) -> Result<Option<LeaseRow>> {
    let rows = tx.rows(*NEWEST_OF, values![device]).await?;
    let read = |row| {
        let mut cells = Cells::new(row, TABLE, COLUMNS);
        Ok(LeaseRow {
            first: cells.int()?,
            person: cells.uuid()?.into(),
            device: cells.uuid()?.into(),
            created_at: cells.instant()?,
            expires_at: cells.instant()?,
        })
    };
    rows.first().map(read).transpose()
}

/// The first numbers of all blocks that were given, or of which an exhibitor, here or deleted, has a number.
pub async fn taken(tx: &mut Tx) -> Result<BTreeSet<i64>> {
    let sql = "SELECT first_number FROM back_number_leases UNION \
               SELECT (back_number - 1) / $1 * $1 + 1 FROM exhibitors WHERE back_number IS NOT NULL";
    let rows = tx.rows(sql, values![BLOCK]).await?;
    rows.iter().map(|row| Cells::new(row, TABLE, &["first_number"]).int()).collect()
}

/// How many numbers of a block exhibitors have.
pub async fn used_of(tx: &mut Tx, first: i64) -> Result<i64> {
    let sql = "SELECT COUNT(DISTINCT back_number) FROM exhibitors WHERE back_number BETWEEN $1 AND $2";
    let rows = tx.rows(sql, values![first, first + BLOCK - 1]).await?;
    rows.first().map_or(Ok(0), |row| Cells::new(row, "exhibitors", &["count"]).int())
}

/// Gives a block; false if another device got it in the same moment.
pub async fn add(tx: &mut Tx, row: &LeaseRow) -> Result<bool> {
    let values = values![row.first, row.person, row.device, row.created_at, row.expires_at];
    Ok(tx.execute(*ADD, values).await? == 1)
}

/// Lets a block last longer.
pub async fn renew(tx: &mut Tx, first: i64, expires_at: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE back_number_leases SET expires_at = $2 WHERE first_number = $1";
    tx.execute(sql, values![first, expires_at]).await?;
    Ok(())
}
