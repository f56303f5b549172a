//! Profiles, team members, devices and their tokens.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use showdesk_domain::actor::{DeviceKind, Function, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId, Seq};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

const PROFILE: &[&str] = &["id", "name", "created_at"];
const DEVICE: &[&str] = &[
    "id",
    "profile_id",
    "kind",
    "name",
    "platform",
    "joined_at",
    "last_seen",
    "unsent",
    "skew_ms",
    "pulled_seq",
    "revoked_at",
    "oldest_unsent_at",
];

static PROFILES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| format!("{} WHERE id IN ({})", sql::select("profiles", PROFILE), sql::placeholders(1, count)))
});
static DEVICES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| format!("{} WHERE id IN ({})", sql::select("devices", DEVICE), sql::placeholders(1, count)))
});
static ADD_DEVICE: LazyLock<&str> = LazyLock::new(|| sql::keep(sql::insert("devices", DEVICE, 1)));

/// A row of `profiles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// The person.
    pub id: PersonId,
    /// As phones and the desk show it.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A row of `teams`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRow {
    /// The team.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A row of `team_members`: a person's rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The team.
    pub team_id: Uuid,
    /// The person.
    pub person: PersonId,
    /// The role.
    pub role: Role,
    /// What the person does; rights are the union.
    pub functions: Vec<Function>,
    /// Where the person may write.
    pub scope: Scope,
    /// When the person joined.
    pub created_at: DateTime<Utc>,
}

/// A row of `devices`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// The device.
    pub id: DeviceId,
    /// Its person.
    pub person: PersonId,
    /// Phone or desk.
    pub kind: DeviceKind,
    /// Its name.
    pub name: String,
    /// ios, android, web, ….
    pub platform: Option<String>,
    /// When it joined.
    pub joined_at: DateTime<Utc>,
    /// Its last request.
    pub last_seen: Option<DateTime<Utc>>,
    /// Entries it said it still holds.
    pub unsent: i64,
    /// How far its clock is ahead of the desk's.
    pub skew_ms: i64,
    /// Up to which change it has pulled.
    pub pulled_seq: Seq,
    /// When it was removed.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Since when the oldest of those entries waits; none if there are none.
    pub oldest_unsent_at: Option<DateTime<Utc>>,
}

/// A device with its person's name and rights, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceListRow {
    /// The device.
    pub device: DeviceRow,
    /// The person's name.
    pub person_name: String,
    /// The person's role.
    pub role: Role,
    /// What the person does.
    pub functions: Vec<Function>,
    /// Where the person may write.
    pub scope: Scope,
}

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
    /// When the token was made.
    pub created_at: DateTime<Utc>,
    /// When it dies.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was first shown.
    pub first_used_at: Option<DateTime<Utc>>,
    /// When the device was last seen.
    pub last_seen: Option<DateTime<Utc>>,
}

/// Adds a person.
pub async fn add_profile(tx: &mut Tx, row: &ProfileRow) -> Result<()> {
    let sql = "INSERT INTO profiles (id, name, created_at) VALUES ($1, $2, $3)";
    tx.execute(sql, values![row.id, row.name.as_str(), row.created_at]).await?;
    Ok(())
}

/// Gives a person another name.
pub async fn rename_profile(tx: &mut Tx, id: PersonId, name: &str) -> Result<()> {
    tx.execute("UPDATE profiles SET name = $2 WHERE id = $1", values![id, name]).await?;
    Ok(())
}

/// A person.
pub async fn profile(tx: &mut Tx, id: PersonId) -> Result<Option<ProfileRow>> {
    Ok(profiles(tx, &[id]).await?.pop())
}

/// People by their ids, in no order.
pub async fn profiles(tx: &mut Tx, ids: &[PersonId]) -> Result<Vec<ProfileRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in PROFILES.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let mut cells = Cells::new(&row, "profiles", PROFILE);
            found.push(ProfileRow { id: cells.uuid()?.into(), name: cells.text()?, created_at: cells.instant()? });
        }
    }
    Ok(found)
}

/// Adds a team.
pub async fn add_team(tx: &mut Tx, row: &TeamRow) -> Result<()> {
    let sql = "INSERT INTO teams (id, name, created_at) VALUES ($1, $2, $3)";
    tx.execute(sql, values![row.id, row.name.as_str(), row.created_at]).await?;
    Ok(())
}

/// The show's team, the oldest if there are several; none in an empty database.
pub async fn team(tx: &mut Tx) -> Result<Option<TeamRow>> {
    let sql = "SELECT id, name, created_at FROM teams ORDER BY created_at, id LIMIT 1";
    let Some(row) = tx.row(sql, Vec::new()).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "teams", PROFILE);
    Ok(Some(TeamRow { id: cells.uuid()?, name: cells.text()?, created_at: cells.instant()? }))
}

/// Adds a person to a team, or gives a member other rights.
pub async fn add_member(tx: &mut Tx, row: &MemberRow) -> Result<()> {
    let sql = "INSERT INTO team_members (team_id, profile_id, role, functions, scope, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (team_id, profile_id) DO UPDATE \
               SET role = excluded.role, functions = excluded.functions, scope = excluded.scope";
    let values =
        values![row.team_id, row.person, word(row.role), json(&row.functions), json(&row.scope), row.created_at];
    tx.execute(sql, values).await?;
    Ok(())
}

/// A person's membership, that of the oldest team if there are several.
pub async fn member(tx: &mut Tx, person: PersonId) -> Result<Option<MemberRow>> {
    let sql = "SELECT team_id, profile_id, role, functions, scope, created_at FROM team_members \
               WHERE profile_id = $1 ORDER BY created_at, team_id LIMIT 1";
    let columns = &["team_id", "profile_id", "role", "functions", "scope", "created_at"];
    let Some(row) = tx.row(sql, values![person]).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "team_members", columns);
    Ok(Some(MemberRow {
        team_id: cells.uuid()?,
        person: cells.uuid()?.into(),
        role: cells.word(parse_word)?,
        functions: cells.parsed()?,
        scope: cells.parsed()?,
        created_at: cells.instant()?,
    }))
}

/// Adds a device.
pub async fn add_device(tx: &mut Tx, row: &DeviceRow) -> Result<()> {
    let values = values![
        row.id,
        row.person,
        word(row.kind),
        row.name.as_str(),
        row.platform.clone(),
        row.joined_at,
        row.last_seen,
        row.unsent,
        row.skew_ms,
        row.pulled_seq,
        row.revoked_at,
        row.oldest_unsent_at,
    ];
    tx.execute(*ADD_DEVICE, values).await?;
    Ok(())
}

/// Writes a device's person, name and platform anew, when it joins again.
pub async fn update_device(
    tx: &mut Tx,
    id: DeviceId,
    person: PersonId,
    name: &str,
    platform: Option<&str>,
) -> Result<()> {
    let sql = "UPDATE devices SET profile_id = $2, name = $3, platform = $4 WHERE id = $1";
    tx.execute(sql, values![id, person, name, platform]).await?;
    Ok(())
}

/// A device.
pub async fn device(tx: &mut Tx, id: DeviceId) -> Result<Option<DeviceRow>> {
    Ok(devices_by_id(tx, &[id]).await?.pop())
}

/// Devices by their ids, in no order.
pub async fn devices_by_id(tx: &mut Tx, ids: &[DeviceId]) -> Result<Vec<DeviceRow>> {
    let mut found = Vec::with_capacity(ids.len());
    for (sql, chunk) in DEVICES.cut(ids) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            found.push(read_device(&mut Cells::new(&row, "devices", DEVICE))?);
        }
    }
    Ok(found)
}

/// All devices with their people, by name.
pub async fn devices(tx: &mut Tx) -> Result<Vec<DeviceListRow>> {
    let columns: Vec<&str> = DEVICE.iter().copied().chain(["person_name", "role", "functions", "scope"]).collect();
    let sql = "SELECT d.id, d.profile_id, d.kind, d.name, d.platform, d.joined_at, d.last_seen, d.unsent, d.skew_ms, \
               d.pulled_seq, d.revoked_at, d.oldest_unsent_at, p.name, m.role, m.functions, m.scope FROM devices d \
               JOIN profiles p ON p.id = d.profile_id JOIN team_members m ON m.profile_id = p.id \
               ORDER BY lower(d.name), d.id";
    let mut found = Vec::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, "devices", &columns);
        found.push(DeviceListRow {
            device: read_device(&mut cells)?,
            person_name: cells.text()?,
            role: cells.word(parse_word)?,
            functions: cells.parsed()?,
            scope: cells.parsed()?,
        });
    }
    Ok(found)
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
        "created_at",
        "expires_at",
        "first_used_at",
        "last_seen",
    ];
    let sql = "SELECT d.id, d.name, d.kind, d.revoked_at, p.id, p.name, m.role, m.functions, m.scope, t.created_at, \
               t.expires_at, t.first_used_at, d.last_seen FROM device_tokens t JOIN devices d ON d.id = t.device_id \
               JOIN profiles p ON p.id = d.profile_id JOIN team_members m ON m.profile_id = p.id \
               WHERE t.sha256 = $1 AND t.killed_at IS NULL ORDER BY m.created_at, m.team_id LIMIT 1";
    let Some(row) = tx.row(sql, values![sha256]).await? else { return Ok(None) };
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
        created_at: cells.instant()?,
        expires_at: cells.instant_option()?,
        first_used_at: cells.instant_option()?,
        last_seen: cells.instant_option()?,
    }))
}

/// Adds a token.
pub async fn add_token(tx: &mut Tx, token: &NewToken) -> Result<()> {
    let sql = "INSERT INTO device_tokens (sha256, device_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, values![&token.sha256, token.device_id, token.created_at, token.expires_at]).await?;
    Ok(())
}

/// Kills all tokens of the device but this one.
pub async fn kill_other_tokens(tx: &mut Tx, device: DeviceId, keep: &[u8; 32], at: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE device_tokens SET killed_at = $3 WHERE device_id = $1 AND sha256 <> $2 AND killed_at IS NULL";
    tx.execute(sql, values![device, keep, at]).await?;
    Ok(())
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

/// Whether a token the device got since then was used.
pub async fn used_token_since(tx: &mut Tx, device: DeviceId, since: DateTime<Utc>) -> Result<bool> {
    let sql =
        "SELECT 1 FROM device_tokens WHERE device_id = $1 AND created_at >= $2 AND first_used_at IS NOT NULL LIMIT 1";
    Ok(tx.row(sql, values![device, since]).await?.is_some())
}

/// What a device was seen doing; what is none stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sighting {
    /// Which device.
    pub device: DeviceId,
    /// Its newest request.
    pub at: DateTime<Utc>,
    /// Entries it still holds.
    pub unsent: Option<i64>,
    /// How far its clock is ahead.
    pub skew_ms: Option<i64>,
    /// Up to where it has pulled.
    pub pulled_seq: Option<Seq>,
    /// The oldest cursor it may still hold.
    pub cursor_seq: Option<Seq>,
    /// Since when the oldest entry that it holds waits. It is none of its own accord once it holds none.
    pub oldest_unsent_at: Option<DateTime<Utc>>,
}

static NOTE_SEEN: LazyChunked = LazyChunked::new(|| {
    let told = ["unsent", "skew_ms", "pulled_seq", "cursor_seq"];
    let told = (3..).zip(told).map(|(index, column)| format!("{column} = COALESCE(new.column{index}, {column})"));
    let told = told.collect::<Vec<_>>().join(", ");
    // Who tells that entries wait, but not since when, is believed from then on.
    let oldest = "oldest_unsent_at = CASE WHEN COALESCE(new.column3, unsent) = 0 THEN NULL \
                  ELSE COALESCE(new.column7, oldest_unsent_at, new.column2) END";
    Chunked::new(|count| {
        let new = sql::rows(count, 7);
        let set = format!("SET last_seen = new.column2, {told}, {oldest}");
        format!("UPDATE devices {set} FROM (VALUES {new}) AS new WHERE id = new.column1")
    })
});

/// Notes the requests of devices, each device once.
pub async fn note_seen(tx: &mut Tx, sightings: &[Sighting]) -> Result<()> {
    for (sql, chunk) in NOTE_SEEN.cut(sightings) {
        let row = |seen: &Sighting| {
            values![
                seen.device,
                seen.at,
                seen.unsent,
                seen.skew_ms,
                seen.pulled_seq,
                seen.cursor_seq,
                seen.oldest_unsent_at,
            ]
        };
        tx.execute(sql, chunk.iter().flat_map(row).collect()).await?;
    }
    Ok(())
}

/// The oldest cursor that a device of the show may still come with; none if no device has one.
pub async fn oldest_cursor(tx: &mut Tx) -> Result<Option<Seq>> {
    let sql = "SELECT MIN(cursor_seq) FROM devices WHERE revoked_at IS NULL AND cursor_seq > 0";
    let Some(row) = tx.row(sql, Vec::new()).await? else { return Ok(None) };
    Ok(Cells::new(&row, "devices", &["cursor_seq"]).int_option()?.map(Seq))
}

/// Devices that were removed.
pub async fn removed_devices(tx: &mut Tx) -> Result<Vec<DeviceId>> {
    let rows = tx.rows("SELECT id FROM devices WHERE revoked_at IS NOT NULL", Vec::new()).await?;
    rows.iter().map(|row| Ok(Cells::new(row, "devices", &["id"]).uuid()?.into())).collect()
}

/// How many desks the database has, removed ones included.
pub async fn count_desks(tx: &mut Tx) -> Result<i64> {
    tx.count("SELECT COUNT(*) FROM devices WHERE kind = 'desk'").await
}

/// Removes a device; false if it was removed before or never was.
pub async fn revoke(tx: &mut Tx, device: DeviceId, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE devices SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(tx.execute(sql, values![device, at]).await? == 1)
}

fn read_device(cells: &mut Cells<'_>) -> Result<DeviceRow> {
    Ok(DeviceRow {
        id: cells.uuid()?.into(),
        person: cells.uuid()?.into(),
        kind: cells.word(parse_word)?,
        name: cells.text()?,
        platform: cells.text_option()?,
        joined_at: cells.instant()?,
        last_seen: cells.instant_option()?,
        unsent: cells.int()?,
        skew_ms: cells.int()?,
        pulled_seq: Seq(cells.int()?),
        revoked_at: cells.instant_option()?,
        oldest_unsent_at: cells.instant_option()?,
    })
}

/// The word that a role or a kind has in the protocol, and so in the database.
fn word<T: Serialize>(value: T) -> String {
    match json(&value) {
        Json::String(word) => word,
        other => other.to_string(),
    }
}

fn parse_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Json::from(word)).ok()
}

/// Functions and scopes are stored in their protocol form.
pub(crate) fn json<T: Serialize>(value: &T) -> Json {
    serde_json::to_value(value).expect("a plain value is JSON")
}
