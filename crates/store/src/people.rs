//! Profiles, teams and what their members may do. Devices and tokens stand in modules of their own.

mod devices;
mod tokens;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use showdesk_domain::actor::{DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, PersonId};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::Cells;
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

pub use devices::{
    DeviceListRow, DeviceRow, Sighting, add_device, ask_file, count_desks, device, devices, devices_by_id,
    devices_of_person, former_people, give_device, listed, note_copy_taken, note_seen, oldest_cursor, revoke,
    update_device, waiting_ops,
};
pub(crate) use tokens::routines_for_anyone;
pub use tokens::{
    NewToken, TokenRow, add_token, kill_other_tokens, kill_unused_tokens, mark_token_used, replace_desk_token, token,
    used_token_of,
};

const AUTHOR: &[&str] =
    &["id", "name", "role", "functions", "scope", "permissions", "device_id", "kind", "revoked_at", "reviewed_at"];

static AUTHORS: LazyChunked = LazyChunked::new(|| Chunked::new(authors_of));

/// What a phone's earlier person entered counts with the rights of the present one: nobody can take any from the earlier
/// one any more. At a desk several people work. The oldest membership comes first.
///
/// Crossed in this order SQLite looks each up by an index: whose membership counts is known only from the device.
pub(crate) fn authors_of(count: usize) -> String {
    format!(
        "SELECT p.id, p.name, m.role, m.functions, m.scope, m.permissions, d.id, d.kind, d.revoked_at, d.reviewed_at \
         FROM (VALUES {}) AS wanted CROSS JOIN profiles p CROSS JOIN devices d CROSS JOIN team_members m \
         WHERE p.id = wanted.column1 AND d.id = wanted.column2 \
         AND m.profile_id = CASE WHEN d.kind = 'phone' THEN d.profile_id ELSE p.id END \
         ORDER BY m.created_at, m.team_id",
        sql::rows(count, 2)
    )
}

const PROFILE: &[&str] = &["id", "name", "created_at"];

static PROFILES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| format!("{} WHERE id IN ({})", sql::select("profiles", PROFILE), sql::placeholders(1, count)))
});

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

/// A person with a device, and what the person may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorRow {
    /// The person.
    pub person: PersonId,
    /// The person's name.
    pub name: String,
    /// The role in the team: the person's, or that of the phone's present person.
    pub role: Role,
    /// What that person does.
    pub functions: Vec<Function>,
    /// Where.
    pub scope: Scope,
    /// Which switches stand otherwise than the functions put them.
    pub permissions: Permissions,
    /// The device.
    pub device: DeviceId,
    /// Its kind.
    pub kind: DeviceKind,
    /// Whether it was removed and nobody has looked at what it held since.
    pub removed: bool,
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
    /// Switches beside the functions.
    pub permissions: Permissions,
    /// When the person joined.
    pub created_at: DateTime<Utc>,
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
    let sql = "INSERT INTO team_members (team_id, profile_id, role, functions, scope, permissions, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (team_id, profile_id) DO UPDATE SET \
               role = excluded.role, functions = excluded.functions, scope = excluded.scope, \
               permissions = excluded.permissions";
    let values = values![
        row.team_id,
        row.person,
        word(row.role),
        json(&row.functions),
        json(&row.scope),
        json(&row.permissions),
        row.created_at,
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// A person's membership, that of the oldest team if there are several.
pub async fn member(tx: &mut Tx, person: PersonId) -> Result<Option<MemberRow>> {
    let sql = "SELECT team_id, profile_id, role, functions, scope, permissions, created_at FROM team_members \
               WHERE profile_id = $1 ORDER BY created_at, team_id LIMIT 1";
    let columns = &["team_id", "profile_id", "role", "functions", "scope", "permissions", "created_at"];
    let Some(row) = tx.row(sql, values![person]).await? else { return Ok(None) };
    let mut cells = Cells::new(&row, "team_members", columns);
    Ok(Some(MemberRow {
        team_id: cells.uuid()?,
        person: cells.uuid()?.into(),
        role: cells.word(parse_word)?,
        functions: cells.parsed()?,
        scope: cells.parsed()?,
        permissions: cells.parsed()?,
        created_at: cells.instant()?,
    }))
}

/// People with their devices, in no order. Somebody who is not in the team, or whose device is not known, has no row.
pub async fn authors(tx: &mut Tx, wanted: &[(PersonId, DeviceId)]) -> Result<Vec<AuthorRow>> {
    let mut found: Vec<AuthorRow> = Vec::with_capacity(wanted.len());
    for (sql, chunk) in AUTHORS.cut(wanted) {
        let values = chunk.iter().flat_map(|(person, device)| values![*person, *device]).collect();
        for row in tx.rows(sql, values).await? {
            let mut cells = Cells::new(&row, "team_members", AUTHOR);
            found.push(AuthorRow {
                person: cells.uuid()?.into(),
                name: cells.text()?,
                role: cells.word(parse_word)?,
                functions: cells.parsed()?,
                scope: cells.parsed()?,
                permissions: cells.parsed()?,
                device: cells.uuid()?.into(),
                kind: cells.word(parse_word)?,
                removed: cells.instant_option()?.is_some() && cells.instant_option()?.is_none(),
            });
        }
    }
    Ok(found)
}

/// Holds everybody's rights until the transaction ends: two who change them take turns, and each sees what the other
/// has made of them. There is always an owner, so the rows of those who run the show are enough.
pub async fn hold_members(tx: &mut Tx) -> Result<()> {
    tx.execute("UPDATE team_members SET role = role WHERE role IN ('admin', 'owner')", Vec::new()).await?;
    Ok(())
}

/// The word that a role or a kind has in the protocol, and so in the database.
fn word<T: Serialize>(value: T) -> String {
    match json(&value) {
        Json::String(word) => word,
        other => other.to_string(),
    }
}

pub(crate) fn parse_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Json::from(word)).ok()
}

/// Functions and scopes are stored in their protocol form.
pub(crate) fn json<T: Serialize>(value: &T) -> Json {
    serde_json::to_value(value).expect("a plain value is JSON")
}
