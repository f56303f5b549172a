//! Tokens of devices; only their hashes are stored.

use chrono::{DateTime, Utc};
use showdesk_domain::actor::{DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use super::parse_word;
use crate::db::routines::Routine;
use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

/// A token to be stored; only its hash is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// SHA-256 of the token.
    pub sha256: [u8; 32],
    /// Whose it is.
    pub device_id: DeviceId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it dies; none for the desk's, which lasts until it is replaced.
    pub expires_at: Option<DateTime<Utc>>,
    /// The claim it was made for, if a phone joins by it.
    pub claim_id: Option<Uuid>,
}

/// A token with all that is asked about it at each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Whose it is.
    pub device_id: DeviceId,
    /// The device's name.
    pub name: String,
    /// Phone or desk.
    pub kind: DeviceKind,
    /// When the device was removed.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Its person.
    pub person: PersonId,
    /// The person's name.
    pub person_name: String,
    /// The person's role.
    pub role: Role,
    /// What the person does.
    pub functions: Vec<Function>,
    /// Where the person may write.
    pub scope: Scope,
    /// Switches beside the functions.
    pub permissions: Permissions,
    /// When the token was made.
    pub created_at: DateTime<Utc>,
    /// When it dies.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the device's time is over, whatever its token says.
    pub device_expires_at: Option<DateTime<Utc>>,
    /// When it was first shown.
    pub first_used_at: Option<DateTime<Utc>>,
    /// When the device was last seen.
    pub last_seen: Option<DateTime<Utc>>,
}

const TOKEN: &str = "SELECT d.id, d.name, d.kind, d.revoked_at, p.id, p.name, m.role, m.functions, m.scope, m.permissions, \
     t.created_at, t.expires_at, d.expires_at, t.first_used_at, d.last_seen \
     FROM device_tokens t JOIN devices d ON d.id = t.device_id \
     JOIN profiles p ON p.id = d.profile_id JOIN team_members m ON m.profile_id = p.id \
     WHERE t.sha256 = $1 AND t.killed_at IS NULL ORDER BY m.created_at, m.team_id LIMIT 1";

/// What is run for somebody whose pass is not known yet.
pub(crate) fn routines_for_anyone() -> Vec<Routine> {
    vec![Routine { name: "anyone_shows_pass", sql: TOKEN }]
}

/// Whose token has this SHA-256. A token that was killed has no row; a removed device's has.
pub async fn token(tx: &mut Tx, sha256: &[u8; 32]) -> Result<Option<TokenRow>> {
    let columns = &[
        "device_id",
        "name",
        "kind",
        "revoked_at",
        "profile_id",
        "person_name",
        "role",
        "functions",
        "scope",
        "permissions",
        "created_at",
        "expires_at",
        "device_expires_at",
        "first_used_at",
        "last_seen",
    ];
    let Some(row) = tx.row(TOKEN, values![sha256]).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "device_tokens", columns);
    Ok(Some(TokenRow {
        device_id: cells.uuid()?.into(),
        name: cells.text()?,
        kind: cells.word(parse_word)?,
        revoked_at: cells.instant_option()?,
        person: cells.uuid()?.into(),
        person_name: cells.text()?,
        role: cells.word(parse_word)?,
        functions: cells.parsed()?,
        scope: cells.parsed()?,
        permissions: cells.parsed()?,
        created_at: cells.instant()?,
        expires_at: cells.instant_option()?,
        device_expires_at: cells.instant_option()?,
        first_used_at: cells.instant_option()?,
        last_seen: cells.instant_option()?,
    }))
}

/// Adds a token.
pub async fn add_token(tx: &mut Tx, token: &NewToken) -> Result<()> {
    let sql =
        "INSERT INTO device_tokens (sha256, device_id, created_at, expires_at, claim_id) VALUES ($1, $2, $3, $4, $5)";
    let values = values![&token.sha256, token.device_id, token.created_at, token.expires_at, token.claim_id];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Kills all tokens of the device but this one.
pub async fn kill_other_tokens(tx: &mut Tx, device: DeviceId, keep: &[u8; 32], at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE device_tokens SET killed_at = $3 WHERE device_id = $1 AND sha256 <> $2 AND killed_at IS NULL";
    Ok(tx.execute(sql, values![device, keep, at]).await? > 0)
}

/// Kills all tokens of the device that were never shown: each fetch of a new token kills the last.
pub async fn kill_unused_tokens(tx: &mut Tx, device: DeviceId, at: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE device_tokens SET killed_at = $2 \
               WHERE device_id = $1 AND first_used_at IS NULL AND killed_at IS NULL";
    tx.execute(sql, values![device, at]).await?;
    Ok(())
}

/// Marks the first use of a token; false if it was used before.
pub async fn mark_token_used(tx: &mut Tx, sha256: &[u8; 32], at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE device_tokens SET first_used_at = $2 WHERE sha256 = $1 AND first_used_at IS NULL";
    Ok(tx.execute(sql, values![sha256, at]).await? == 1)
}

/// Kills all tokens of the desk and adds a new one.
pub async fn replace_desk_token(tx: &mut Tx, token: &NewToken) -> Result<()> {
    let sql = "UPDATE device_tokens SET killed_at = $2 WHERE device_id = $1 AND killed_at IS NULL";
    tx.execute(sql, values![token.device_id, token.created_at]).await?;
    add_token(tx, token).await
}

/// Whether a token that the device got for this claim was used.
pub async fn used_token_of(tx: &mut Tx, device: DeviceId, claim: Uuid) -> Result<bool> {
    let sql =
        "SELECT 1 FROM device_tokens WHERE device_id = $1 AND claim_id = $2 AND first_used_at IS NOT NULL LIMIT 1";
    Ok(tx.row(sql, values![device, claim]).await?.is_some())
}
