//! What the desk asks about entries: the list by any number or name, and everything about one animal.

use std::collections::{BTreeMap, HashMap};

use showdesk_domain::actor::Actor;
use showdesk_domain::derive;
use showdesk_domain::ids::RecordId;
use showdesk_domain::permit::Action;
use showdesk_domain::record::{HistoryRow, Record};
use showdesk_domain::schema::known_table;
use showdesk_domain::value::Value;
use showdesk_store::conflicts;
use showdesk_store::entries::{self, Narrow, Sort, SpeciesCount, Wanted};
use showdesk_store::{Tx, history, records};
use uuid::Uuid;

use crate::api::entries::{
    EntryClass, EntryInClass, EntryPage, EntryPlacing, EntryRecord, EntryRow, OpenClash, Weighing,
};
use crate::desk::Names;
use crate::rights::require;
use crate::{Engine, EngineError, Result};

/// Entries of one page.
const ENTRIES_MAX: i64 = 200;
/// Letters of a search that are looked at.
const TEXT_CHARS: usize = 200;

/// What of the list is asked for.
#[derive(Debug, Clone, Default)]
pub struct ListAsked {
    /// Any number or name; a blank text is all.
    pub text: String,
    /// Only those that stand so: a word of [`Narrow`].
    pub stage: Option<String>,
    /// Only this species.
    pub species: Option<String>,
    /// Only this exhibitor's.
    pub exhibitor_id: Option<Uuid>,
    /// Only those in this class.
    pub class_id: Option<Uuid>,
    /// What they are ordered by: a word of [`Sort`].
    pub sort: Option<String>,
    /// From the last to the first.
    pub down: bool,
    /// How many to pass over.
    pub offset: i64,
    /// At most so many.
    pub limit: i64,
    /// Whether the lists' numbers are wanted as well.
    pub counts: bool,
}

impl Engine {
    /// Animals by any number or name: tag, earlier tag, last digits, official id, back number, names, class.
    pub async fn search_entries(&self, actor: &Actor, asked: ListAsked) -> Result<EntryPage> {
        require(actor, Action::SeeDesk)?;
        let sort = word(asked.sort.as_deref(), "sort", &Sort::ALL, Sort::as_str)?;
        let wanted = Wanted {
            narrow: word(asked.stage.as_deref(), "stage", &Narrow::ALL, Narrow::as_str)?,
            text: asked.text.chars().filter(|c| *c != '\0').take(TEXT_CHARS).collect(),
            species: asked.species.map(|species| species.replace('\0', "")),
            exhibitor: asked.exhibitor_id,
            class: asked.class_id,
        };
        let mut tx = self.begin_read_as(actor).await?;
        let (offset, limit) = (asked.offset.max(0), asked.limit.clamp(1, ENTRIES_MAX));
        let rows = entries::search(&mut tx, &wanted, (sort, asked.down), offset, limit).await?;
        let items = rows.into_iter().map(row_view).collect();
        let mut page = EntryPage { items, total: 0, counts: None, species: None, hits: None };
        if !asked.counts {
            page.total = entries::total(&mut tx, &wanted).await?;
            return Ok(page);
        }
        let counted = entries::counts(&mut tx, &wanted).await?;
        page.species = Some(counted.iter().map(|count| (count.species.clone(), count.all)).collect());
        let counts = lists(&counted, wanted.species.as_deref());
        page.total = counts[wanted.narrow.map_or(ALL, Narrow::as_str)];
        page.counts = Some(counts);
        if !wanted.text.trim().is_empty() {
            let hits = entries::hits(&mut tx, &wanted).await?;
            page.hits = Some(hits.into_iter().map(|(hit, count)| (hit.to_owned(), count)).collect());
        }
        Ok(page)
    }

    /// Everything about one animal.
    pub async fn entry(&self, actor: &Actor, animal: Uuid) -> Result<EntryRecord> {
        require(actor, Action::SeeDesk)?;
        let mut tx = self.begin_read_as(actor).await?;
        let row = entries::one(&mut tx, animal).await?.ok_or(EngineError::NotFound("the animal"))?;
        let [entries, weigh_ins] = ["entries", "weigh_ins"].map(known_table);
        let entries = records::load_by(&mut tx, entries, entries.index("animal_id"), &[animal]).await?;
        let entries: Vec<Record> = entries.into_iter().filter(Record::is_live).collect();
        let weighed = records::load_by(&mut tx, weigh_ins, weigh_ins.index("animal_id"), &[animal]).await?;
        let weighed: Vec<Record> = weighed.into_iter().filter(Record::is_live).collect();
        let placings = known_table("placings");
        let entry_ids: Vec<Uuid> = entries.iter().map(|entry| entry.id.0).collect();
        let placed = records::load_by(&mut tx, placings, placings.index("entry_id"), &entry_ids).await?;
        let about = [&entries, &weighed, &placed].into_iter().flatten().map(|record| record.id);
        let about: Vec<RecordId> = about.chain([RecordId(animal)]).collect();
        let open = conflicts::open_on(&mut tx, &about).await?;
        let entries = entered(&mut tx, entries, &placed).await?;
        let weigh_ins = self.weighings(&mut tx, weighed).await?;
        let clashes = open.into_iter().map(|clash| OpenClash {
            id: clash.id.0,
            table_name: clash.table.name.to_owned(),
            contested: clash.contested,
            client_data: clash.client_data.map(Into::into),
            server_data: clash.server_data.map(Into::into),
        });
        Ok(EntryRecord { animal: row_view(row), entries, weigh_ins, clashes: clashes.collect() })
    }

    /// Weighings newest first, each with who first saved it.
    async fn weighings(&self, tx: &mut Tx, mut weighed: Vec<Record>) -> Result<Vec<Weighing>> {
        let show = records::load(tx, known_table("shows"), &[RecordId(self.inner.show_id)]).await?.pop();
        let declared = show.is_some_and(|show| *show.value("rules.declared_weights") == Value::Bool(true));
        weighed.sort_by_key(|record| std::cmp::Reverse((record.created_at, record.id)));
        let official = derive::official_weigh_in(&weighed.iter().collect::<Vec<_>>(), declared).map(|record| record.id);
        let mut first: HashMap<RecordId, HistoryRow> = HashMap::new();
        for record in &weighed {
            let versions = history::versions(tx, record.table, record.id, VERSIONS_MAX).await?;
            first.extend(versions.into_iter().last().map(|version| (record.id, version)));
        }
        let names = Names::of(tx, &first.values().cloned().collect::<Vec<_>>()).await?;
        let is_valid = |record: &&Record| record.value("voided_at").is_null();
        let replaced_by = |id: RecordId| {
            let mut later = weighed.iter().filter(is_valid);
            later.find(|record| record.value("replaces_id").as_id() == Some(id.0)).map(|record| record.id.0)
        };
        let views = weighed.iter().map(|record| {
            let version = first.get(&record.id);
            let device = version.and_then(|version| version.device_id).map(|id| names.device(id));
            let told = |key: &str| device.as_ref().and_then(|device| device[key].as_str());
            Weighing {
                id: record.id.0,
                version: record.version.0,
                kind: text(record, "kind").unwrap_or_default(),
                weight_x10: record.value("weight_x10").as_int().unwrap_or_default(),
                weighed_at: record.value("weighed_at").as_instant().or(Some(record.created_at)),
                by: version.and_then(|version| names.person(version.actor?)).map(str::to_owned),
                device: told("name").map(str::to_owned),
                from_phone: told("kind") == Some("phone"),
                official: official == Some(record.id),
                replaced_by: replaced_by(record.id),
                voided_at: record.value("voided_at").as_instant(),
                voided_reason: text(record, "voided_reason"),
            }
        });
        Ok(views.collect())
    }
}

/// A weigh-in is written once and taken back at most once.
const VERSIONS_MAX: i64 = 10;
/// The list of all.
const ALL: &str = "all";

/// The lists' numbers of one species, or of all.
fn lists(counted: &[SpeciesCount], species: Option<&str>) -> BTreeMap<String, i64> {
    let chosen = || counted.iter().filter(|count| species.is_none_or(|species| count.species == species));
    let narrowed = Narrow::ALL.iter().enumerate();
    let lists = narrowed.map(|(place, narrow)| (narrow.as_str(), chosen().map(|count| count.narrowed[place]).sum()));
    let all = (ALL, chosen().map(|count| count.all).sum());
    lists.chain([all]).map(|(list, count)| (list.to_owned(), count)).collect()
}

/// The one of `all` that a word names.
fn word<T: Copy>(
    asked: Option<&str>,
    name: &'static str,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<Option<T>> {
    let Some(asked) = asked else { return Ok(None) };
    let found = all.iter().copied().find(|known| as_str(*known) == asked);
    let known = || all.iter().map(|known| as_str(*known)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| EngineError::invalid("invalid_query", format!("{name} is one of {}", known())))
}

/// Entries with their classes and placings, by the classes' codes.
async fn entered(tx: &mut Tx, entries: Vec<Record>, placed: &[Record]) -> Result<Vec<EntryInClass>> {
    let class_of = |entry: &Record| entry.value("class_id").as_id().or(entry.value("family_id").as_id());
    let class_ids: Vec<RecordId> = entries.iter().filter_map(class_of).map(RecordId).collect();
    let classes = records::load(tx, known_table("classes"), &class_ids).await?;
    let ring_ids: Vec<RecordId> =
        classes.iter().filter_map(|class| class.value("ring_id").as_id()).map(RecordId).collect();
    let rings = records::load(tx, known_table("rings"), &ring_ids).await?;
    let views = entries.iter().filter_map(|entry| {
        let class = classes.iter().find(|class| Some(class.id.0) == class_of(entry))?;
        let ring = rings.iter().find(|ring| Some(ring.id.0) == class.value("ring_id").as_id());
        let placing = placed.iter().find(|placing| {
            placing.is_live()
                && placing.value("entry_id").as_id() == Some(entry.id.0)
                && placing.value("class_id").as_id() == Some(class.id.0)
        });
        Some(EntryInClass {
            id: entry.id.0,
            version: entry.version.0,
            status: text(entry, "status").unwrap_or_default(),
            out_reason: text(entry, "out_reason"),
            class: EntryClass {
                id: class.id.0,
                code: text(class, "code"),
                name: text(class, "name").unwrap_or_default(),
                ring: ring.and_then(|ring| text(ring, "name")),
                planned_at: class.value("planned_at").as_instant(),
                min_x10: class.value("min_x10").as_int(),
                max_x10: class.value("max_x10").as_int(),
            },
            placing: placing.map(|placing| EntryPlacing {
                id: placing.id.0,
                place: placing.value("place").as_int(),
                ribbon: text(placing, "ribbon"),
                award: text(placing, "award"),
                code: text(placing, "code"),
            }),
        })
    });
    let mut views: Vec<EntryInClass> = views.collect();
    views.sort_by_key(|entry| {
        let code = entry.class.code.clone();
        (code.is_none(), code.as_ref().map_or(0, String::len), code, entry.class.name.clone())
    });
    Ok(views)
}

fn text(record: &Record, field: &str) -> Option<String> {
    record.value(field).as_text().map(str::to_owned)
}

fn row_view(row: entries::EntryRow) -> EntryRow {
    EntryRow {
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
        class_code: row.class_code,
        disputed: row.disputed,
        stage: row.stage.as_str().to_owned(),
    }
}
