//! `push_providers`: how each push provider is reached, and what stands in the way. No secret: those are sealed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use showdesk_domain::ids::PersonId;

use crate::db::row::Cells;
use crate::db::value::values;
use crate::deliveries::Channel;
use crate::{Result, Tx};

const TABLE: &str = "push_providers";
const COLUMNS: &[&str] =
    &["provider", "settings", "accepted", "problem", "problem_at", "tested_at", "updated_at", "updated_by"];

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderRow {
    /// Which one.
    pub provider: Channel,
    /// What was entered, without what is secret.
    pub settings: Json,
    /// When each service took something under these settings, last, in milliseconds since 1970.
    pub accepted: BTreeMap<String, i64>,
    /// Why nothing goes out.
    pub problem: Option<String>,
    /// Since when.
    pub problem_at: Option<DateTime<Utc>>,
    /// When a test of these settings succeeded, last.
    pub tested_at: Option<DateTime<Utc>>,
    /// When they were entered.
    pub updated_at: DateTime<Utc>,
    /// By whom.
    pub updated_by: Option<PersonId>,
}

/// The providers that are set up.
pub async fn all(tx: &mut Tx) -> Result<Vec<ProviderRow>> {
    let sql = "SELECT provider, settings, accepted, problem, problem_at, tested_at, updated_at, updated_by \
               FROM push_providers ORDER BY provider";
    let rows = tx.rows(sql, Vec::new()).await?;
    let read = |row| {
        let mut cells = Cells::new(row, TABLE, COLUMNS);
        Ok(ProviderRow {
            provider: cells.word(Channel::parse)?,
            settings: cells.json()?,
            accepted: cells.parsed()?,
            problem: cells.text_option()?,
            problem_at: cells.instant_option()?,
            tested_at: cells.instant_option()?,
            updated_at: cells.instant()?,
            updated_by: cells.uuid_option()?.map(Into::into),
        })
    };
    rows.iter().map(read).collect()
}

/// Sets a provider up, or anew: what was known about the former settings is forgotten.
pub async fn set(
    tx: &mut Tx,
    provider: Channel,
    settings: &Json,
    by: Option<PersonId>,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "INSERT INTO push_providers (provider, settings, accepted, updated_at, updated_by) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (provider) DO UPDATE SET settings = excluded.settings, \
               accepted = excluded.accepted, problem = NULL, problem_at = NULL, tested_at = NULL, \
               updated_at = excluded.updated_at, updated_by = excluded.updated_by";
    let none = Json::Object(serde_json::Map::new());
    tx.execute(sql, values![provider.as_str(), settings, none, now, by]).await?;
    Ok(())
}

/// Forgets a provider.
pub async fn remove(tx: &mut Tx, provider: Channel) -> Result<bool> {
    Ok(tx.execute("DELETE FROM push_providers WHERE provider = $1", values![provider.as_str()]).await? == 1)
}

/// Notes when services took something. `updated_at` names the settings that is true of.
pub async fn note_accepted(
    tx: &mut Tx,
    provider: Channel,
    updated_at: DateTime<Utc>,
    accepted: &BTreeMap<String, i64>,
) -> Result<()> {
    let sql = "UPDATE push_providers SET accepted = $3 WHERE provider = $1 AND updated_at = $2";
    let accepted: Json = accepted.iter().map(|(service, at)| (service.clone(), Json::from(*at))).collect();
    tx.execute(sql, values![provider.as_str(), updated_at, accepted]).await?;
    Ok(())
}

/// Notes why nothing goes out, or that nothing stands in the way; tells whether that is news. `updated_at` names the
/// settings that is true of.
pub async fn note_problem(
    tx: &mut Tx,
    provider: Channel,
    updated_at: DateTime<Utc>,
    problem: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let written = if let Some(problem) = problem {
        let sql = "UPDATE push_providers SET problem = $3, problem_at = $4 \
                   WHERE provider = $1 AND updated_at = $2 AND (problem IS NULL OR problem <> $3)";
        tx.execute(sql, values![provider.as_str(), updated_at, problem, now]).await?
    } else {
        let sql = "UPDATE push_providers SET problem = NULL, problem_at = NULL \
                   WHERE provider = $1 AND updated_at = $2 AND problem IS NOT NULL";
        tx.execute(sql, values![provider.as_str(), updated_at]).await?
    };
    Ok(written == 1)
}

/// Notes that a test of the settings succeeded.
pub async fn note_tested(tx: &mut Tx, provider: Channel, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE push_providers SET tested_at = $2, problem = NULL, problem_at = NULL WHERE provider = $1";
    tx.execute(sql, values![provider.as_str(), now]).await?;
    Ok(())
}
