//! The desk's first page: the numbers, phones, rings, and what people did last.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::actor::{Actor, ReadClass};
use showdesk_domain::conflict::ConflictStatus;
use showdesk_domain::ids::{RecordId, Seq, Version};
use showdesk_domain::permit::Action;
use showdesk_domain::record::{HistoryRow, Record};
use showdesk_domain::schema::{Policy, known_table};
use showdesk_store::conflicts::{ConflictFilter, Standing};
use showdesk_store::programme::{ClassRow, RingRow};
use showdesk_store::records::OverviewCounts;
use showdesk_store::{Tx, conflicts, history, meta, programme, queue, records};
use uuid::Uuid;

use crate::api::desk::{ActivityItem, ActivityPage, ClassNext, ClassNow, Overview, RingNow};
use crate::api::devices::DeviceView;
use crate::desk::Names;
use crate::open::NEW_SHOW_NAME;
use crate::programme::Touched;
use crate::rights::require;
use crate::{Engine, Result};

/// Changes on the first page.
const ACTIVITY_ITEMS: i64 = 20;
/// Changes of a page at most.
const ACTIVITY_MAX: i64 = 200;
/// Open clashes that are looked at for the first class they touch, the newest.
const CLASHES_MAX: i64 = 1_000;

/// The phones of the show; removed ones do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhonesNow {
    /// Phones that are connected.
    pub connected: i64,
    /// Phones that are not.
    pub away: i64,
    /// Phones that said they hold entries.
    pub unsent_phones: i64,
    /// How many entries these are.
    pub unsent: i64,
    /// Since when the oldest of them waits.
    pub oldest_unsent_at: Option<DateTime<Utc>>,
}

impl PhonesNow {
    fn of(devices: &[DeviceView]) -> Self {
        let phones = || devices.iter().filter(|device| device.kind == "phone" && device.revoked_at.is_none());
        let holding = || phones().filter(|phone| phone.unsent > 0);
        Self {
            connected: count(phones().filter(|phone| phone.connected).count()),
            away: count(phones().filter(|phone| !phone.connected).count()),
            unsent_phones: count(holding().count()),
            unsent: holding().map(|phone| phone.unsent).fold(0, i64::saturating_add),
            oldest_unsent_at: holding().filter_map(|phone| phone.oldest_unsent_at).min(),
        }
    }
}

impl Engine {
    /// Which phones are there and what they hold, for the program's own windows.
    pub async fn phones_now(&self) -> Result<PhonesNow> {
        let mut tx = self.begin_read_desk().await?;
        Ok(PhonesNow::of(&self.device_views(&mut tx).await?))
    }

    /// The desk's first page.
    pub async fn overview(&self, actor: &Actor) -> Result<Overview> {
        require(actor, Action::SeeDesk)?;
        let mut tx = self.begin_read_as(actor).await?;
        let counts = records::overview_counts(&mut tx).await?;
        let show_id = RecordId(self.inner.show_id);
        let show = records::load(&mut tx, known_table("shows"), &[show_id]).await?.pop();
        let phones = PhonesNow::of(&self.device_views(&mut tx).await?);
        let filter = ConflictFilter {
            status: Some(Standing::Status(ConflictStatus::Open)),
            limit: CLASHES_MAX,
            ..Default::default()
        };
        let open = conflicts::list(&mut tx, &filter).await?;
        let touched = Touched::by(&mut tx, &open).await?;
        let midnight = self.midnight(&mut tx).await?;
        let (rings, coming) = (programme::rings(&mut tx).await?, programme::coming(&mut tx).await?);
        Ok(Overview {
            first_run: is_untouched(&counts, show.as_ref()),
            show: show.map_or(Json::Null, |show| show_json(&show)),
            exhibitors: counts.exhibitors,
            animals: counts.animals,
            entries: counts.entries,
            classes: counts.classes,
            rings: counts.rings,
            checked_in: counts.checked_in,
            weighed: counts.weighed,
            needs_checking: conflicts::count_open(&mut tx).await?,
            entries_today: queue::count_from_phones(&mut tx, midnight).await?,
            needs_attention: queue::count_needing_attention(&mut tx).await?,
            waiting_on_phones: phones.unsent,
            unsent_phones: phones.unsent_phones,
            oldest_unsent_at: phones.oldest_unsent_at,
            phones_connected: phones.connected,
            phones_away: phones.away,
            now_and_next: rings.into_iter().map(|ring| now_and_next(ring, &coming)).collect(),
            first_class_at: touched.first_planned(&open),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database: if self.db().is_shared() { "Postgres" } else { "SQLite" }.to_owned(),
            data_dir: self.inner.data_dir.display().to_string(),
            clock: meta::read(&mut tx).await?.clock.0,
            person: json!({ "id": actor.person, "name": actor.person_name }),
            activity: activity_page(&mut tx, None, ACTIVITY_ITEMS).await?.items,
        })
    }

    /// Whether nobody has set this show up: nothing is in it, and it has no name yet.
    pub async fn is_untouched(&self) -> Result<bool> {
        let mut tx = self.begin_read_desk().await?;
        let counts = records::overview_counts(&mut tx).await?;
        let show = records::load(&mut tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?.pop();
        Ok(is_untouched(&counts, show.as_ref()))
    }

    /// What people did, newest first; only what came before that number, if one is given.
    pub async fn activity(&self, actor: &Actor, before: Option<i64>, limit: i64) -> Result<ActivityPage> {
        require(actor, Action::SeeDesk)?;
        let mut tx = self.begin_read_as(actor).await?;
        activity_page(&mut tx, before.map(Seq), limit.clamp(1, ACTIVITY_MAX)).await
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn is_untouched(counts: &OverviewCounts, show: Option<&Record>) -> bool {
    let rows = counts.exhibitors + counts.animals + counts.entries + counts.classes + counts.rings;
    rows == 0 && show.is_some_and(|show| show.value("name").as_text() == Some(NEW_SHOW_NAME))
}

fn show_json(show: &Record) -> Json {
    let mut data = show.data(ReadClass::Office);
    data.insert("id".to_owned(), json!(show.id));
    data.insert("version".to_owned(), json!(show.version));
    Json::Object(data)
}

fn now_and_next(ring: RingRow, coming: &[ClassRow]) -> RingNow {
    let next = coming.iter().find(|class| class.ring_id == Some(ring.id));
    RingNow {
        id: ring.id,
        name: ring.name,
        status: ring.status,
        now: ring.now.map(|now| ClassNow { class_id: now.class_id, code: now.code, name: now.name, since: now.since }),
        next: next.cloned().map(|class| ClassNext {
            class_id: class.id,
            code: class.code,
            name: class.name,
            planned_at: class.planned_at,
        }),
    }
}

async fn activity_page(tx: &mut Tx, before: Option<Seq>, limit: i64) -> Result<ActivityPage> {
    let mut recent = history::recent(tx, before, limit + 1).await?;
    let has_more = count(recent.len()) > limit;
    if has_more {
        recent.pop();
    }
    let names = Names::of(tx, &recent).await?;
    let subjects = subjects_of(tx, &recent).await?;
    let before = befores_of(tx, &recent).await?;
    let next = recent.last().filter(|_| has_more).map(|row| row.seq.0);
    Ok(ActivityPage { items: recent.iter().map(|row| activity(row, &names, &subjects, &before)).collect(), next })
}

/// Animals that the newest changes are about, for their numbers.
async fn subjects_of(tx: &mut Tx, rows: &[HistoryRow]) -> Result<HashMap<Uuid, Map<String, Json>>> {
    let ids: Vec<RecordId> = rows.iter().filter_map(animal_of).collect();
    let animals = records::load(tx, known_table("animals"), &ids).await?;
    let subject = |animal: &Record| {
        let part = |path: &str| (path.to_owned(), animal.value(path).to_json());
        ["tag", "species", "sex", "breed"].into_iter().map(part).collect()
    };
    Ok(animals.iter().map(|animal| (animal.id.0, subject(animal))).collect())
}

/// The snapshots before these versions, by the record and the version that came after.
async fn befores_of(tx: &mut Tx, rows: &[HistoryRow]) -> Result<HashMap<(RecordId, Version), Json>> {
    let before = |row: &HistoryRow| (row.version.0 > 1).then(|| (row.table, row.record_id, Version(row.version.0 - 1)));
    let keys: Vec<_> = rows.iter().filter_map(before).collect();
    let found = history::snapshots(tx, &keys).await?;
    Ok(found.into_iter().map(|row| ((row.record_id, Version(row.version.0 + 1)), snapshot(&row))).collect())
}

fn snapshot(row: &HistoryRow) -> Json {
    serde_json::from_str(&row.snapshot).unwrap_or(Json::Null)
}

fn animal_of(row: &HistoryRow) -> Option<RecordId> {
    if row.table.name == "animals" {
        return Some(row.record_id);
    }
    let id = snapshot(row).get("animal_id")?.as_str().map(str::to_owned)?;
    Uuid::try_parse(&id).ok().map(RecordId)
}

fn activity(
    row: &HistoryRow,
    names: &Names,
    subjects: &HashMap<Uuid, Map<String, Json>>,
    before: &HashMap<(RecordId, Version), Json>,
) -> ActivityItem {
    let what = match (row.deleted, row.version.0) {
        (true, _) => "deleted",
        (false, 1) => "added",
        (false, _) => "changed",
    };
    let snapshot = snapshot(row);
    let mut about = animal_of(row).and_then(|id| subjects.get(&id.0)).cloned().unwrap_or_default();
    let name = snapshot.get("name").or_else(|| snapshot.get("last_name")).cloned().unwrap_or(Json::Null);
    about.insert("name".to_owned(), name);
    if let Some(weight) = snapshot.get("weight_x10") {
        about.insert("weight_x10".to_owned(), weight.clone());
    }
    ActivityItem {
        seq: row.seq.0,
        at: row.at,
        who: row.actor.and_then(|id| names.person(id)).map(str::to_owned),
        device: row.device_id.map(|id| names.device(id)),
        table_name: row.table.name.to_owned(),
        record_id: row.record_id.0,
        what: what.to_owned(),
        fields: changed_fields(row, &snapshot, before.get(&(row.record_id, row.version)).unwrap_or(&Json::Null)),
        subject: Json::Object(about),
    }
}

fn changed_fields(row: &HistoryRow, after: &Json, before: &Json) -> Vec<String> {
    let value = |data: &Json, path: &str| {
        let found = path.split('.').try_fold(data, |data, part| data.get(part));
        found.cloned().unwrap_or(Json::Null)
    };
    let own = row.table.fields.iter().filter(|field| field.policy != Policy::Derived);
    own.map(|field| field.path).filter(|path| value(after, path) != value(before, path)).map(str::to_owned).collect()
}
