//! What there is once in a database: clock, epoch, installation, signing keys.

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, Seq};
use uuid::Uuid;

use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::{Result, StoreError, Tx};

const META: &[&str] = &["epoch", "clock", "oldest_seq", "schema", "min_schema"];
const SELECT_META: &str = "SELECT epoch, clock, oldest_seq, schema, min_schema FROM sync_meta";

/// The row of `sync_meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Changes when the database was restored from a backup.
    pub epoch: Uuid,
    /// The newest change number.
    pub clock: Seq,
    /// Cursors below this can no longer be continued.
    pub oldest_seq: Seq,
    /// Version of the synced tables.
    pub schema: i64,
    /// The oldest version that may still pull.
    pub min_schema: i64,
}

/// The row of `installation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationRow {
    /// Made with the database.
    pub installation_id: Uuid,
    /// When that was.
    pub created_at: DateTime<Utc>,
    /// The desk itself, as a device.
    pub desk_device_id: DeviceId,
    /// The one show of this database.
    pub show_id: Uuid,
}

/// Reads the row and holds it until the transaction ends: writers of all desks take turns.
/// `Corrupt` before [`init`].
pub async fn lock(tx: &mut Tx) -> Result<Meta> {
    let row = tx.row_for_update(SELECT_META).await?;
    read_meta(row.as_ref())
}

/// Reads the row. `Corrupt` before [`init`]; [`installation`] tells whether the database is empty.
pub async fn read(tx: &mut Tx) -> Result<Meta> {
    let row = tx.row(SELECT_META, Vec::new()).await?;
    read_meta(row.as_ref())
}

/// Writes the row of a new database.
pub async fn init(tx: &mut Tx, meta: &Meta) -> Result<()> {
    let sql =
        "INSERT INTO sync_meta (only_row, epoch, clock, oldest_seq, schema, min_schema) VALUES (1, $1, $2, $3, $4, $5)";
    let values = values![meta.epoch, meta.clock, meta.oldest_seq, meta.schema, meta.min_schema];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Sets the newest change number.
pub async fn set_clock(tx: &mut Tx, clock: Seq) -> Result<()> {
    tx.execute("UPDATE sync_meta SET clock = $1", values![clock]).await?;
    Ok(())
}

/// Raises the number below which cursors can no longer be continued.
pub async fn raise_oldest_seq(tx: &mut Tx, oldest: Seq) -> Result<()> {
    tx.execute("UPDATE sync_meta SET oldest_seq = $1 WHERE oldest_seq < $1", values![oldest]).await?;
    Ok(())
}

/// Sets a new epoch, after the database was found to be rolled back.
pub async fn set_epoch(tx: &mut Tx, epoch: Uuid) -> Result<()> {
    tx.execute("UPDATE sync_meta SET epoch = $1", values![epoch]).await?;
    Ok(())
}

/// Who this database is; none while it is empty.
pub async fn installation(tx: &mut Tx) -> Result<Option<InstallationRow>> {
    let columns = &["installation_id", "created_at", "desk_device_id", "show_id"];
    let sql = "SELECT installation_id, created_at, desk_device_id, show_id FROM installation";
    let Some(row) = tx.row(sql, Vec::new()).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "installation", columns);
    Ok(Some(InstallationRow {
        installation_id: cells.uuid()?,
        created_at: cells.instant()?,
        desk_device_id: cells.uuid()?.into(),
        show_id: cells.uuid()?,
    }))
}

/// Says who this database is. Once.
pub async fn set_installation(tx: &mut Tx, row: &InstallationRow) -> Result<()> {
    let sql = "INSERT INTO installation (only_row, installation_id, created_at, desk_device_id, show_id) \
               VALUES (1, $1, $2, $3, $4)";
    tx.execute(sql, values![row.installation_id, row.created_at, row.desk_device_id, row.show_id]).await?;
    Ok(())
}

/// A signing key.
pub async fn signing_key(tx: &mut Tx, name: &str) -> Result<Option<Vec<u8>>> {
    let row = tx.row("SELECT secret FROM server_keys WHERE name = $1", values![name]).await?;
    row.map(|row| Cells::new(&row, "server_keys", &["secret"]).bytes()).transpose()
}

/// Adds a signing key; `Duplicate` if there is one of that name.
pub async fn add_signing_key(tx: &mut Tx, name: &str, key: &[u8], at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO server_keys (name, secret, created_at) VALUES ($1, $2, $3)";
    tx.execute(sql, values![name, key, at]).await?;
    Ok(())
}

fn read_meta(row: Option<&Row>) -> Result<Meta> {
    let missing =
        || StoreError::Corrupt { table: "sync_meta".to_owned(), column: "only_row".to_owned(), id: "1".to_owned() };
    let mut cells = Cells::new(row.ok_or_else(missing)?, "sync_meta", META);
    Ok(Meta {
        epoch: cells.uuid()?,
        clock: Seq(cells.int()?),
        oldest_seq: Seq(cells.int()?),
        schema: cells.int()?,
        min_schema: cells.int()?,
    })
}
