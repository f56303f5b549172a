//! What the desk's pages read beside sync: the numbers, the entries, a record's history.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind, ReadClass};
use showdesk_domain::ids::{DeviceId, PersonId, RecordId};
use showdesk_domain::record::{HistoryRow, Record};
use showdesk_domain::schema::{known_table, table};
use showdesk_domain::value::instant_text;
use showdesk_store::{Tx, conflicts, entries, history, meta, people, queue, records};
use uuid::Uuid;

use crate::api::desk::{EntryPage, EntryRow, History, HistoryItem, Overview};
use crate::people::require_admin;
use crate::{Engine, EngineError, Result};

/// Versions of a record that are listed.
const HISTORY_ITEMS_MAX: i64 = 1_000;
/// Changes on the first page.
const ACTIVITY_ITEMS: i64 = 20;
/// Entries of one page.
const ENTRIES_MAX: i64 = 200;

impl Engine {
    /// The desk's first page.
    pub async fn overview(&self, actor: &Actor) -> Result<Overview> {
        require_admin(actor)?;
        let mut tx = self.db().begin_read().await?;
        let counts = records::overview_counts(&mut tx).await?;
        let show_id = RecordId(self.inner.show_id);
        let show = records::load(&mut tx, known_table("shows"), &[show_id]).await?.pop();
        let recent = history::recent(&mut tx, ACTIVITY_ITEMS).await?;
        let names = Names::of(&mut tx, &recent).await?;
        let subjects = subjects_of(&mut tx, &recent).await?;
        Ok(Overview {
            show: show.map_or(Json::Null, |show| show_json(&show)),
            exhibitors: counts.exhibitors,
            animals: counts.animals,
            entries: counts.entries,
            classes: counts.classes,
            rings: counts.rings,
            checked_in: counts.checked_in,
            weighed: counts.weighed,
            needs_checking: conflicts::count_open(&mut tx).await?,
            needs_attention: queue::count_needing_attention(&mut tx).await?,
            waiting_on_phones: people::count_unsent(&mut tx).await?,
            clock: meta::read(&mut tx).await?.clock.0,
            person: json!({ "id": actor.person, "name": actor.person_name }),
            activity: recent.iter().map(|row| activity(row, &names, &subjects)).collect(),
        })
    }

    /// Animals by any number or name: tag, earlier tag, last digits, official id, back number, names, class.
    pub async fn search_entries(&self, actor: &Actor, text: &str, offset: i64, limit: i64) -> Result<EntryPage> {
        require_admin(actor)?;
        let text: String = text.chars().filter(|c| *c != '\0').take(200).collect();
        let mut tx = self.db().begin_read().await?;
        let (rows, total) = entries::search(&mut tx, text.trim(), offset.max(0), limit.clamp(1, ENTRIES_MAX)).await?;
        let ids: Vec<RecordId> = rows.iter().map(|row| RecordId(row.animal_id)).collect();
        let open = conflicts::open_on(&mut tx, &ids).await?;
        let disputed = |id: Uuid| open.iter().any(|conflict| conflict.record_id.0 == id);
        let items = rows.into_iter().map(|row| EntryRow {
            disputed: disputed(row.animal_id),
            animal_id: row.animal_id,
            version: row.version,
            tag: row.tag,
            official_id: row.official_id,
            prev_tags: row.prev_tags,
            species: row.species,
            sex: row.sex,
            breed: row.breed,
            pen: row.pen,
            official_weight_x10: row.official_weight_x10,
            adg_x1000: row.adg_x1000,
            arrived_at: row.arrived_at,
            exhibitor_id: row.exhibitor_id,
            back_number: row.back_number,
            exhibitor: row.exhibitor,
            club_chapter: row.club_chapter,
            classes: row.classes,
        });
        Ok(EntryPage { items: items.collect(), total })
    }

    /// Every version of a record.
    pub async fn record_history(&self, actor: &Actor, table_name: &str, id: Uuid) -> Result<History> {
        require_admin(actor)?;
        let table = table(table_name).ok_or(EngineError::NotFound("the table"))?;
        let mut tx = self.db().begin_read().await?;
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

fn show_json(show: &Record) -> Json {
    let mut data = show.data(ReadClass::Office);
    data.insert("id".to_owned(), json!(show.id));
    data.insert("version".to_owned(), json!(show.version));
    Json::Object(data)
}

/// Names of the people and devices behind some versions.
struct Names {
    people: HashMap<PersonId, String>,
    devices: HashMap<DeviceId, (String, DeviceKind)>,
}

impl Names {
    async fn of(tx: &mut Tx, rows: &[HistoryRow]) -> Result<Self> {
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

    fn person(&self, id: PersonId) -> Option<&str> {
        self.people.get(&id).map(String::as_str)
    }

    fn device(&self, id: DeviceId) -> Json {
        let known = self.devices.get(&id);
        json!({
            "id": id,
            "name": known.map(|(name, _)| name),
            "kind": known.map(|(_, kind)| if *kind == DeviceKind::Desk { "desk" } else { "phone" }),
        })
    }
}

/// Animals that the newest changes are about, for their numbers.
async fn subjects_of(tx: &mut Tx, rows: &[HistoryRow]) -> Result<HashMap<Uuid, Json>> {
    let mut ids: Vec<RecordId> = rows.iter().filter_map(animal_of).collect();
    ids.sort();
    ids.dedup();
    let animals = records::load(tx, known_table("animals"), &ids).await?;
    let subject = |animal: &Record| {
        let part = |path: &str| (path.to_owned(), animal.value(path).to_json());
        Json::Object(["tag", "species", "sex", "breed"].into_iter().map(part).collect())
    };
    Ok(animals.iter().map(|animal| (animal.id.0, subject(animal))).collect())
}

fn animal_of(row: &HistoryRow) -> Option<RecordId> {
    if row.table.name == "animals" {
        return Some(row.record_id);
    }
    let snapshot: Json = serde_json::from_str(&row.snapshot).ok()?;
    let id = snapshot.get("animal_id")?.as_str()?;
    Uuid::try_parse(id).ok().map(RecordId)
}

fn activity(row: &HistoryRow, names: &Names, subjects: &HashMap<Uuid, Json>) -> Json {
    let what = match (row.deleted, row.version.0) {
        (true, _) => "deleted",
        (false, 1) => "added",
        (false, _) => "changed",
    };
    let subject = animal_of(row).and_then(|id| subjects.get(&id.0)).cloned();
    let snapshot: Json = serde_json::from_str(&row.snapshot).unwrap_or(Json::Null);
    let name = snapshot.get("name").or_else(|| snapshot.get("last_name")).cloned().unwrap_or(Json::Null);
    let mut about = subject.and_then(|subject| subject.as_object().cloned()).unwrap_or_default();
    about.insert("name".to_owned(), name);
    if let Some(weight) = snapshot.get("weight_x10") {
        about.insert("weight_x10".to_owned(), weight.clone());
    }
    json!({
        "at": instant_text(row.at),
        "who": row.actor.and_then(|id| names.person(id)),
        "device": row.device_id.map(|id| names.device(id)),
        "table_name": row.table.name,
        "record_id": row.record_id,
        "what": what,
        "subject": about,
    })
}
