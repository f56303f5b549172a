//! What the desk's pages read beside sync: a record's history.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::{DeviceId, PersonId, RecordId};
use showdesk_domain::permit::Action;
use showdesk_domain::record::HistoryRow;
use showdesk_domain::schema::table;
use showdesk_store::{Tx, history, people};
use uuid::Uuid;

use crate::api::desk::{History, HistoryItem};
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// Versions of a record that are listed.
const HISTORY_ITEMS_MAX: i64 = 1_000;

impl Engine {
    /// Every version of a record.
    pub async fn record_history(&self, actor: &Actor, table_name: &str, id: Uuid) -> Result<History> {
        require(actor, Action::SeeDesk)?;
        let table = table(table_name).ok_or(EngineError::NotFound("the table"))?;
        let mut tx = self.begin_read_as(actor).await?;
        let rows = history::versions(&mut tx, table, RecordId(id), HISTORY_ITEMS_MAX).await?;
        if rows.is_empty() {
            return Err(EngineError::NotFound("the record"));
        }
        let names = Names::of(&mut tx, &rows).await?;
        let items = rows.into_iter().map(|row| HistoryItem {
            version: row.version.0,
            seq: row.seq.0,
            actor: row.actor.map_or(Json::Null, |id| json!({ "id": id, "name": names.person(id) })),
            device: row.device_id.map_or(Json::Null, |id| names.device(id)),
            deleted: row.deleted,
            op_id: row.op_id.map(|id| id.0),
            at: row.at,
            reason: row.reason,
            snapshot: serde_json::from_str(&row.snapshot).unwrap_or(Json::Null),
        });
        Ok(History { items: items.collect() })
    }
}

/// Names of the people and devices behind some versions.
pub(crate) struct Names {
    people: HashMap<PersonId, String>,
    devices: HashMap<DeviceId, (String, DeviceKind)>,
}

impl Names {
    pub(crate) async fn of(tx: &mut Tx, rows: &[HistoryRow]) -> Result<Self> {
        let mut ids: Vec<PersonId> = rows.iter().filter_map(|row| row.actor).collect();
        ids.sort();
        ids.dedup();
        let people = people::profiles(tx, &ids).await?.into_iter().map(|person| (person.id, person.name)).collect();
        let mut ids: Vec<DeviceId> = rows.iter().filter_map(|row| row.device_id).collect();
        ids.sort();
        ids.dedup();
        let devices = people::devices_by_id(tx, &ids).await?;
        Ok(Self {
            people,
            devices: devices.into_iter().map(|device| (device.id, (device.name, device.kind))).collect(),
        })
    }

    pub(crate) fn person(&self, id: PersonId) -> Option<&str> {
        self.people.get(&id).map(String::as_str)
    }

    pub(crate) fn device(&self, id: DeviceId) -> Json {
        let known = self.devices.get(&id);
        json!({
            "id": id,
            "name": known.map(|(name, _)| name),
            "kind": known.map(|(_, kind)| if *kind == DeviceKind::Desk { "desk" } else { "phone" }),
        })
    }
}
