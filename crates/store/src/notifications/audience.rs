//! Who could be told something, and whose animals are where.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use showdesk_domain::actor::DeviceKind;
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::notices::audience::{Hearer, Roll};
use uuid::Uuid;

use crate::db::Value;
use crate::db::row::Cells;
use crate::db::value::values;
use crate::people::parse_word;
use crate::sql::{self, Chunked, LazyChunked};
use crate::{Result, Tx};

static BY_CLASS: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        let rows = sql::rows(count, 1);
        // An entry counts in its class; while classes are not broken, in the one that was entered.
        format!(
            "SELECT DISTINCT wanted.column1, e.exhibitor_id FROM (VALUES {rows}) AS wanted CROSS JOIN entries e \
             WHERE e.deleted_at IS NULL AND e.out_reason IS NULL AND (e.class_id = wanted.column1 \
             OR (e.family_id = wanted.column1 AND e.class_id IS NULL))"
        )
    })
});
static BY_DEPARTMENT: LazyChunked = LazyChunked::new(|| {
    Chunked::new(|count| {
        format!(
            "SELECT DISTINCT a.species, a.exhibitor_id FROM animals a \
             WHERE a.deleted_at IS NULL AND a.species IN ({})",
            sql::placeholders(1, count)
        )
    })
});

/// A device of somebody who may be told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HearingDevice {
    /// The device.
    pub device: DeviceId,
    /// Whose.
    pub person: PersonId,
    /// Phone or desk.
    pub kind: DeviceKind,
    /// When it joined.
    pub joined_at: DateTime<Utc>,
    /// Its last request.
    pub last_seen: Option<DateTime<Utc>>,
    /// When its time is over.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Everybody who has a device that was not removed, each once, and the devices.
pub async fn hearers(tx: &mut Tx) -> Result<(Vec<Hearer>, Vec<HearingDevice>)> {
    let columns = &["profile_id", "role", "functions", "scope", "id", "kind", "joined_at", "last_seen", "expires_at"];
    let sql = "SELECT m.profile_id, m.role, m.functions, m.scope, d.id, d.kind, d.joined_at, d.last_seen, \
               d.expires_at FROM team_members m JOIN devices d ON d.profile_id = m.profile_id \
               WHERE d.revoked_at IS NULL ORDER BY m.profile_id, m.created_at, m.team_id, d.id";
    let (mut hearers, mut devices): (Vec<Hearer>, Vec<HearingDevice>) = (Vec::new(), Vec::new());
    let mut known = HashSet::new();
    for row in tx.rows(sql, Vec::new()).await? {
        let mut cells = Cells::new(&row, "team_members", columns);
        let person = PersonId(cells.uuid()?);
        let hearer =
            Hearer { person, role: cells.word(parse_word)?, functions: cells.parsed()?, scope: cells.parsed()? };
        let device = HearingDevice {
            device: cells.uuid()?.into(),
            person,
            kind: cells.word(parse_word)?,
            joined_at: cells.instant()?,
            last_seen: cells.instant_option()?,
            expires_at: cells.instant_option()?,
        };
        // Of several memberships the oldest counts.
        if known.insert(device.device) {
            devices.push(device);
        }
        if hearers.last().is_none_or(|last| last.person != person) {
            hearers.push(hearer);
        }
    }
    Ok((hearers, devices))
}

/// Phones that a provider can wake. The writer's, and no request's.
pub async fn devices_with_tokens(tx: &mut Tx) -> Result<HashSet<DeviceId>> {
    let sql = "SELECT DISTINCT device_id FROM push_tokens WHERE disabled_at IS NULL";
    let rows = tx.rows(sql, Vec::new()).await?;
    rows.iter().map(|row| Ok(Cells::new(row, "push_tokens", &["device_id"]).uuid()?.into())).collect()
}

/// Whose animals are in these classes and departments.
pub async fn roll(tx: &mut Tx, classes: &[Uuid], departments: &[String]) -> Result<Roll> {
    let mut roll = Roll::default();
    for (sql, chunk) in BY_CLASS.cut(classes) {
        for row in tx.rows(sql, chunk.iter().map(|id| Value::from(*id)).collect()).await? {
            let mut cells = Cells::new(&row, "entries", &["class_id", "exhibitor_id"]);
            let (class, exhibitor) = (cells.uuid()?, cells.uuid()?);
            roll.by_class.entry(class).or_default().insert(exhibitor);
        }
    }
    for (sql, chunk) in BY_DEPARTMENT.cut(departments) {
        for row in tx.rows(sql, chunk.iter().map(|name| Value::from(name.as_str())).collect()).await? {
            let mut cells = Cells::new(&row, "animals", &["species", "exhibitor_id"]);
            let (department, exhibitor) = (cells.text()?, cells.uuid()?);
            roll.by_department.entry(department).or_default().insert(exhibitor);
        }
    }
    Ok(roll)
}

/// How many animals of each department are entered and not weighed, and not out.
pub async fn not_weighed(tx: &mut Tx) -> Result<HashMap<String, i64>> {
    let sql = "SELECT a.species, COUNT(*) FROM animals a WHERE a.deleted_at IS NULL \
               AND a.official_weight_x10 IS NULL AND EXISTS (SELECT 1 FROM entries e WHERE e.animal_id = a.id \
               AND e.deleted_at IS NULL AND e.out_reason IS NULL) GROUP BY a.species";
    let rows = tx.rows(sql, Vec::new()).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "animals", &["species", "count"]);
        Ok((cells.text()?, cells.int()?))
    };
    rows.iter().map(read).collect()
}

/// A phone that holds work which has not been sent for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentRow {
    /// The phone.
    pub device: DeviceId,
    /// Its name.
    pub name: String,
    /// Entries it holds.
    pub unsent: i64,
    /// Since when the oldest waits.
    pub since: DateTime<Utc>,
}

/// Phones whose oldest unsent entry waits since before that moment, the longest first; `after` is the last one's time
/// and phone.
pub async fn unsent_since(
    tx: &mut Tx,
    before: DateTime<Utc>,
    after: Option<(DateTime<Utc>, DeviceId)>,
    limit: i64,
) -> Result<Vec<UnsentRow>> {
    let sql = "SELECT id, name, unsent, oldest_unsent_at FROM devices WHERE kind = 'phone' AND revoked_at IS NULL \
               AND unsent > 0 AND oldest_unsent_at <= $1 AND (oldest_unsent_at, id) > ($2, $3) \
               ORDER BY oldest_unsent_at, id LIMIT $4";
    let (since, device) = after.unwrap_or((DateTime::UNIX_EPOCH, DeviceId(Uuid::nil())));
    let rows = tx.rows(sql, values![before, since, device, limit]).await?;
    let read = |row| {
        let mut cells = Cells::new(row, "devices", &["id", "name", "unsent", "oldest_unsent_at"]);
        Ok(UnsentRow {
            device: cells.uuid()?.into(),
            name: cells.text()?,
            unsent: cells.int()?,
            since: cells.instant()?,
        })
    };
    rows.iter().map(read).collect()
}
