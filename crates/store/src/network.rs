//! `authority` and `known_origins`: what this installation is on the network.

use chrono::{DateTime, Utc};

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

/// The certificate that phones trust. Its key is a secret of the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRow {
    /// DER.
    pub certificate: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When phones trust it no longer.
    pub expires_at: DateTime<Utc>,
}

/// The installation's authority; none before it served HTTPS for the first time.
pub async fn authority(tx: &mut Tx) -> Result<Option<AuthorityRow>> {
    let columns = &["certificate", "created_at", "expires_at"];
    let sql = "SELECT certificate, created_at, expires_at FROM authority";
    let Some(row) = tx.row(sql, Vec::new()).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "authority", columns);
    Ok(Some(AuthorityRow { certificate: cells.bytes()?, created_at: cells.instant()?, expires_at: cells.instant()? }))
}

/// Adds the authority; `Duplicate` if there is one.
pub async fn add_authority(tx: &mut Tx, row: &AuthorityRow) -> Result<()> {
    let sql = "INSERT INTO authority (only_row, certificate, created_at, expires_at) VALUES (1, $1, $2, $3)";
    tx.execute(sql, values![row.certificate.as_slice(), row.created_at, row.expires_at]).await?;
    Ok(())
}

/// Forgets the authority.
pub async fn remove_authority(tx: &mut Tx) -> Result<()> {
    tx.execute("DELETE FROM authority", Vec::new()).await?;
    Ok(())
}

/// Notes that pages came from these origins at this moment.
pub async fn note_origins(tx: &mut Tx, origins: &[String], at: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO known_origins (origin, last_seen) VALUES ($1, $2) \
               ON CONFLICT (origin) DO UPDATE SET last_seen = excluded.last_seen \
               WHERE known_origins.last_seen < excluded.last_seen";
    for origin in origins {
        tx.execute(sql, values![origin.as_str(), at]).await?;
    }
    Ok(())
}

/// Forgets origins that were not seen since.
pub async fn forget_origins(tx: &mut Tx, before: DateTime<Utc>) -> Result<()> {
    tx.execute("DELETE FROM known_origins WHERE last_seen < $1", values![before]).await?;
    Ok(())
}

/// Origins that were seen since, the newest first, at most so many.
pub async fn origins(tx: &mut Tx, since: DateTime<Utc>, limit: i64) -> Result<Vec<String>> {
    let sql = "SELECT origin FROM known_origins WHERE last_seen >= $1 ORDER BY last_seen DESC, origin LIMIT $2";
    let rows = tx.rows(sql, values![since, limit]).await?;
    rows.iter().map(|row| Cells::new(row, "known_origins", &["origin"]).text()).collect()
}
