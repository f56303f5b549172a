//! Devices: who has them, what they were last seen doing, how long they may stay.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use showdesk_domain::actor::{DeviceKind, Function, Permissions, Role, Scope};
use showdesk_domain::ids::{DeviceId, OpId, PersonId, Seq};

use super::{json, parse_word, word};
use crate::db::Value;
use crate::db::row::{Cells, Row};
use crate::db::value::values;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

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
    "expires_at",
    "level",
    "file_asked_at",
    "reviewed_at",
];

static DEVICES: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| format!("{} WHERE id IN ({})", sql::select("devices", DEVICE), sql::placeholders(1, count)))
});
static ADD_DEVICE: LazyLock<&str> = LazyLock::new(|| sql::keep(sql::insert("devices", DEVICE, 1)));
static LISTED: LazyLock<Vec<&str>> =
    LazyLock::new(|| [DEVICE, &["person_name", "role", "functions", "scope", "permissions"]].concat());
static LISTED_ALL: LazyLock<&str> = LazyLock::new(|| listed_where("TRUE ORDER BY lower(d.name), d.id"));
static LISTED_ONE: LazyLock<&str> =
    LazyLock::new(|| listed_where("d.id = $1 ORDER BY m.created_at, m.team_id LIMIT 1"));

fn listed_where(condition: &str) -> &'static str {
    let columns: Vec<String> = DEVICE.iter().map(|column| format!("d.{column}")).collect();
    sql::keep(format!(
        "SELECT {}, p.name, m.role, m.functions, m.scope, m.permissions FROM devices d \
         JOIN profiles p ON p.id = d.profile_id JOIN team_members m ON m.profile_id = p.id WHERE {condition}",
        columns.join(", ")
    ))
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
    /// When its time is over; none if it may stay.
    pub expires_at: Option<DateTime<Utc>>,
    /// How it says that it shows its page: `quick` or `field_ready`.
    pub level: Option<String>,
    /// Since when the desk wants a copy of what it holds.
    pub file_asked_at: Option<DateTime<Utc>>,
    /// When, after its removal, somebody at the desk let entries of a copy of it in.
    pub reviewed_at: Option<DateTime<Utc>>,
}

impl DeviceRow {
    /// A device that joins: it has not been seen and may stay.
    pub fn joining(id: DeviceId, person: PersonId, kind: DeviceKind, name: String, joined_at: DateTime<Utc>) -> Self {
        Self {
            id,
            person,
            kind,
            name,
            platform: None,
            joined_at,
            last_seen: None,
            unsent: 0,
            skew_ms: 0,
            pulled_seq: Seq(0),
            revoked_at: None,
            oldest_unsent_at: None,
            expires_at: None,
            level: None,
            file_asked_at: None,
            reviewed_at: None,
        }
    }
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
    /// Switches beside the functions.
    pub permissions: Permissions,
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
        row.expires_at,
        row.level.clone(),
        row.file_asked_at,
        row.reviewed_at,
    ];
    tx.execute(*ADD_DEVICE, values).await?;
    Ok(())
}

/// Writes anew whose a device is, what it is called and how long it may stay.
pub async fn update_device(tx: &mut Tx, row: &DeviceRow) -> Result<()> {
    let sql = "UPDATE devices SET profile_id = $2, name = $3, platform = $4, expires_at = $5 WHERE id = $1";
    tx.execute(sql, values![row.id, row.person, row.name.as_str(), row.platform.clone(), row.expires_at]).await?;
    Ok(())
}

/// Gives a device to another person; whose it was before is remembered.
pub async fn give_device(tx: &mut Tx, id: DeviceId, person: PersonId) -> Result<()> {
    let mut former = former_people(tx, id).await?;
    let Some(device) = device(tx, id).await? else { return Ok(()) };
    former.retain(|known| *known != person && *known != device.person);
    former.push(device.person);
    let sql = "UPDATE devices SET profile_id = $2, former_people = $3 WHERE id = $1";
    tx.execute(sql, values![id, person, json(&former)]).await?;
    Ok(())
}

/// What a device has sent and still waits for something.
pub async fn waiting_ops(tx: &mut Tx, id: DeviceId) -> Result<Vec<OpId>> {
    let sql = "SELECT id FROM sync_queue WHERE status <> 'completed' AND status IN ('pending', 'processing') \
               AND device_id = $1 ORDER BY device_seq, id";
    let rows = tx.rows(sql, values![id]).await?;
    rows.iter().map(|row| Ok(Cells::new(row, "sync_queue", &["id"]).uuid()?.into())).collect()
}

/// Whose a device was before, oldest first.
pub async fn former_people(tx: &mut Tx, id: DeviceId) -> Result<Vec<PersonId>> {
    let Some(row) = tx.row("SELECT former_people FROM devices WHERE id = $1", values![id]).await? else {
        return Ok(Vec::new());
    };
    Cells::new(&row, "devices", &["former_people"]).parsed()
}

/// The desk wants a copy of what a device holds.
pub async fn ask_file(tx: &mut Tx, id: DeviceId, at: DateTime<Utc>) -> Result<()> {
    tx.execute("UPDATE devices SET file_asked_at = $2 WHERE id = $1", values![id, at]).await?;
    Ok(())
}

/// Somebody at the desk let a copy of a device in: none is asked for any more, and what a removed one left behind was
/// reviewed.
pub async fn note_copy_taken(tx: &mut Tx, id: DeviceId, at: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE devices SET file_asked_at = NULL, \
               reviewed_at = CASE WHEN revoked_at IS NULL THEN reviewed_at ELSE $2 END WHERE id = $1";
    tx.execute(sql, values![id, at]).await?;
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

/// Devices of a person that were not removed.
pub async fn devices_of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<DeviceId>> {
    let sql = "SELECT id FROM devices WHERE profile_id = $1 AND revoked_at IS NULL";
    let rows = tx.rows(sql, values![person]).await?;
    rows.iter().map(|row| Ok(Cells::new(row, "devices", &["id"]).uuid()?.into())).collect()
}

/// All devices with their people, by name.
pub async fn devices(tx: &mut Tx) -> Result<Vec<DeviceListRow>> {
    tx.rows(*LISTED_ALL, Vec::new()).await?.iter().map(read_listed).collect()
}

/// A device with its person.
pub async fn listed(tx: &mut Tx, id: DeviceId) -> Result<Option<DeviceListRow>> {
    tx.row(*LISTED_ONE, values![id]).await?.as_ref().map(read_listed).transpose()
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
    /// How it shows its page: `quick` or `field_ready`.
    pub level: Option<&'static str>,
}

static NOTE_SEEN: LazyChunked = LazyChunked::new(|| {
    let told = ["unsent", "skew_ms", "pulled_seq", "cursor_seq"];
    let told = (3..).zip(told).map(|(index, column)| format!("{column} = COALESCE(new.column{index}, {column})"));
    let told = told.collect::<Vec<_>>().join(", ");
    // Who tells that entries wait, but not since when, is believed from then on.
    let oldest = "oldest_unsent_at = CASE WHEN COALESCE(new.column3, unsent) = 0 THEN NULL \
                  ELSE COALESCE(new.column7, oldest_unsent_at, new.column2) END";
    Chunked::new(|count| {
        let new = sql::rows(count, 8);
        let level = "level = COALESCE(new.column8, level)";
        let set = format!("SET last_seen = new.column2, {told}, {oldest}, {level}");
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
                seen.level,
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
        expires_at: cells.instant_option()?,
        level: cells.text_option()?,
        file_asked_at: cells.instant_option()?,
        reviewed_at: cells.instant_option()?,
    })
}

fn read_listed(row: &Row) -> Result<DeviceListRow> {
    let mut cells = Cells::new(row, "devices", &LISTED);
    Ok(DeviceListRow {
        device: read_device(&mut cells)?,
        person_name: cells.text()?,
        role: cells.word(parse_word)?,
        functions: cells.parsed()?,
        scope: cells.parsed()?,
        permissions: cells.parsed()?,
    })
}
