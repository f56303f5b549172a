//! `push_tokens`: the addresses of phones at push providers. One address belongs to one phone and its person.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::deliveries::Channel;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const TABLE: &str = "push_tokens";
const COLUMNS: &[&str] = &[
    "id",
    "user_id",
    "device_id",
    "token",
    "platform",
    "environment",
    "fid",
    "app_id",
    "p256dh",
    "auth",
    "strikes",
    "strike_times",
    "disabled_at",
    "disabled_code",
    "created_at",
    "registered_at",
    "last_used",
];

static REGISTER: LazyLock<&str> = LazyLock::new(|| {
    let insert = sql::insert(TABLE, COLUMNS, 1);
    let fresh =
        COLUMNS.iter().copied().filter(|column| !matches!(*column, "id" | "token" | "created_at" | "last_used"));
    sql::keep(format!("{insert} ON CONFLICT (token) DO UPDATE SET {}", sql::excluded(fresh)))
});
static BY_TOKEN: LazyLock<&str> =
    LazyLock::new(|| sql::keep(format!("{} WHERE token = $1", sql::select(TABLE, COLUMNS))));
static BY_ID: LazyChunked =
    LazyChunked::new(|| Chunked::new(|count| sql::select_by_keys(TABLE, COLUMNS, &["id"], 1, count)));
static OF_DEVICES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let select = sql::select_by_keys(TABLE, COLUMNS, &["device_id"], 1, count);
        format!("{select} AND t.disabled_at IS NULL")
    })
});

/// A row of the table. Its address lets anybody send, so it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id.
    pub id: Uuid,
    /// Whose phone it is.
    pub person: PersonId,
    /// The phone that gave it.
    pub device: DeviceId,
    /// The address itself; for a page its endpoint.
    pub token: String,
    /// ios, android, web.
    pub platform: String,
    /// production or sandbox, as far as we know.
    pub environment: Option<String>,
    /// A Firebase installation id, in the place of the token.
    pub fid: Option<String>,
    /// The app's bundle id.
    pub app_id: Option<String>,
    /// A page's public key.
    pub p256dh: Option<String>,
    /// A page's secret.
    pub auth: Option<String>,
    /// When it was refused in a way that may pass.
    pub strike_times: Vec<DateTime<Utc>>,
    /// When it was found to lead nowhere.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why.
    pub disabled_code: Option<String>,
    /// When it was told to us first.
    pub created_at: DateTime<Utc>,
    /// When it was told to us last.
    pub registered_at: DateTime<Utc>,
    /// When a provider took something for it last.
    pub last_used: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for TokenRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenRow").field("id", &self.id).field("platform", &self.platform).finish_non_exhaustive()
    }
}

impl TokenRow {
    /// The provider that it is an address of.
    pub fn channel(&self) -> Channel {
        channel_of(&self.platform, self.fid.is_none())
    }
}

/// Firebase passes messages on to Apple for an app that registered there.
fn channel_of(platform: &str, by_token: bool) -> Channel {
    match platform {
        "web" => Channel::Web,
        "ios" if by_token => Channel::Apns,
        _ => Channel::Fcm,
    }
}

/// How many addresses there are for a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TokenCounts {
    /// That are used.
    pub active: i64,
    /// That lead nowhere.
    pub disabled: i64,
}

/// The row of an address.
pub async fn by_token(tx: &mut Tx, token: &str) -> Result<Option<TokenRow>> {
    tx.row(*BY_TOKEN, values![token]).await?.as_ref().map(read).transpose()
}

/// Adds an address, or gives it to the phone that told it last; what was held against it is forgotten.
pub async fn register(tx: &mut Tx, row: &TokenRow) -> Result<()> {
    let strikes = i64::try_from(row.strike_times.len()).unwrap_or(i64::MAX);
    let values = values![
        row.id,
        row.person,
        row.device,
        row.token.as_str(),
        row.platform.as_str(),
        row.environment.clone(),
        row.fid.clone(),
        row.app_id.clone(),
        row.p256dh.clone(),
        row.auth.clone(),
        strikes,
        times_json(&row.strike_times),
        row.disabled_at,
        row.disabled_code.clone(),
        row.created_at,
        row.registered_at,
        row.last_used,
    ];
    tx.execute(*REGISTER, values).await?;
    Ok(())
}

/// Keeps only the newest addresses of a phone.
pub async fn keep_newest(tx: &mut Tx, device: DeviceId, count: i64) -> Result<()> {
    let sql = "DELETE FROM push_tokens WHERE device_id = $1 AND id NOT IN \
               (SELECT id FROM push_tokens WHERE device_id = $1 ORDER BY registered_at DESC, id DESC LIMIT $2)";
    tx.execute(sql, values![device, count]).await?;
    Ok(())
}

/// Removes an address of this phone; false if it has none of that id.
pub async fn remove(tx: &mut Tx, id: Uuid, device: DeviceId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM push_tokens WHERE id = $1 AND device_id = $2", values![id, device]).await? == 1)
}

/// Addresses by their ids, in no order.
pub async fn load(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<TokenRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in BY_ID.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// The addresses of these phones that lead somewhere, in no order.
pub async fn active_of_devices(tx: &mut Tx, devices: &[DeviceId]) -> Result<Vec<TokenRow>> {
    let mut found = Vec::new();
    for (sql, chunk) in OF_DEVICES.cut(devices) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// Disables an address, unless the phone told it again after `registered_until`. Tells whether it did.
pub async fn disable(
    tx: &mut Tx,
    id: Uuid,
    code: &str,
    registered_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let sql = "UPDATE push_tokens SET disabled_at = $4, disabled_code = $2 \
               WHERE id = $1 AND registered_at <= $3 AND disabled_at IS NULL";
    Ok(tx.execute(sql, values![id, code, registered_until, now]).await? == 1)
}

/// Disables all addresses of a removed phone.
pub async fn disable_of_device(tx: &mut Tx, device: DeviceId, code: &str, now: DateTime<Utc>) -> Result<u64> {
    let sql =
        "UPDATE push_tokens SET disabled_at = $3, disabled_code = $2 WHERE device_id = $1 AND disabled_at IS NULL";
    tx.execute(sql, values![device, code, now]).await
}

/// Writes the refusals that count, unless the phone told the address again since it was read.
pub async fn strike(tx: &mut Tx, row: &TokenRow, times: &[DateTime<Utc>]) -> Result<()> {
    let sql = "UPDATE push_tokens SET strikes = $2, strike_times = $3 WHERE id = $1 AND registered_at = $4";
    let count = i64::try_from(times.len()).unwrap_or(i64::MAX);
    tx.execute(sql, values![row.id, count, times_json(times), row.registered_at]).await?;
    Ok(())
}

/// A provider took something for this address: nothing is held against it any more.
pub async fn used(tx: &mut Tx, id: Uuid, environment: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE push_tokens SET last_used = $3, strikes = 0, strike_times = $4, \
               environment = COALESCE($2, environment) WHERE id = $1";
    tx.execute(sql, values![id, environment, now, times_json(&[])]).await?;
    Ok(())
}

/// How many addresses there are for each provider.
pub async fn counts(tx: &mut Tx) -> Result<[(Channel, TokenCounts); 3]> {
    let sql = "SELECT platform, fid IS NULL, disabled_at IS NULL, COUNT(*) FROM push_tokens GROUP BY 1, 2, 3";
    let mut counts = Channel::PROVIDERS.map(|channel| (channel, TokenCounts::default()));
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, TABLE, &["platform", "fid", "disabled_at", "count"]);
        let (platform, by_token, active, count) = (cells.text()?, cells.flag()?, cells.flag()?, cells.int()?);
        let channel = channel_of(&platform, by_token);
        for (_, of_channel) in counts.iter_mut().filter(|(known, _)| *known == channel) {
            let place = if active { &mut of_channel.active } else { &mut of_channel.disabled };
            *place += count;
        }
    }
    Ok(counts)
}

fn times_json(times: &[DateTime<Utc>]) -> serde_json::Value {
    times.iter().map(DateTime::timestamp_millis).collect()
}

fn read(row: &Row) -> Result<TokenRow> {
    let mut cells = Cells::new(row, TABLE, COLUMNS);
    Ok(TokenRow {
        id: cells.uuid()?,
        person: cells.uuid()?.into(),
        device: cells.uuid()?.into(),
        token: cells.text()?,
        platform: cells.text()?,
        environment: cells.text_option()?,
        fid: cells.text_option()?,
        app_id: cells.text_option()?,
        p256dh: cells.text_option()?,
        auth: cells.text_option()?,
        strike_times: {
            // Only for people who look into the table.
            cells.int()?;
            let times: Vec<i64> = cells.parsed()?;
            times.into_iter().filter_map(DateTime::from_timestamp_millis).collect()
        },
        disabled_at: cells.instant_option()?,
        disabled_code: cells.text_option()?,
        created_at: cells.instant()?,
        registered_at: cells.instant()?,
        last_used: cells.instant_option()?,
    })
}
