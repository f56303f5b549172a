//! `notification_settings`: what an admin chose for all messages.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use showdesk_domain::ids::PersonId;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::{Result, Tx};

/// The key under which the choices about the desk's own messages stand.
pub const AUTOMATIC: &str = "automatic";
/// The key of the quiet hours; JSON null means that there are none.
pub const QUIET: &str = "quiet";
/// The key that is there once the first templates were made.
pub const TEMPLATES: &str = "templates";

/// What was chosen under a key.
pub async fn read<T: DeserializeOwned>(tx: &mut Tx, key: &str) -> Result<Option<T>> {
    let sql = "SELECT value FROM notification_settings WHERE key = $1";
    let Some(row) = tx.row(sql, values![key]).await? else { return Ok(None) };
    Cells::new(&row, "notification_settings", &["value"]).parsed().map(Some)
}

/// Chooses something.
pub async fn write(tx: &mut Tx, key: &str, value: &Json, by: Option<PersonId>, now: DateTime<Utc>) -> Result<()> {
    let sql = "INSERT INTO notification_settings (key, value, updated_at, updated_by) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at, \
               updated_by = excluded.updated_by";
    tx.execute(sql, values![key, value, now, by]).await?;
    Ok(())
}
