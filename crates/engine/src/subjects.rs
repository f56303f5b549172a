//! What a row is, in the words a list shows: an animal's tag and breed, its exhibitor, a class.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json};
use showdesk_domain::ids::RecordId;
use showdesk_domain::record::Record;
use showdesk_domain::schema::{known_table, table};
use showdesk_domain::world::Key;
use showdesk_store::{Tx, records};
use uuid::Uuid;

use crate::Result;

/// Tables whose rows tell what another row is about.
const TOLD_BY: &[&str] = &["animals", "exhibitors", "classes", "entries"];
/// Steps from a row to what it is about: a placing's entry, the entry's animal, the animal's exhibitor.
const STEPS: usize = 3;

/// A subject in one line: `0412, Angus steer, Nora Birch`; none if nothing is known of it.
pub(crate) fn words_of(subject: &Json) -> Option<String> {
    let part = |name: &str| match subject.get(name)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let join = |parts: [Option<String>; 2]| {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let kind = join([part("breed"), part("sex").or_else(|| part("species"))]);
    let exhibitor = part("exhibitor").or_else(|| part("back_number"));
    let words: Vec<String> =
        [part("tag"), part("name"), kind, exhibitor, part("class")].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Rows, and the rows that tell what they are.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    pub records: HashMap<Key, Record>,
}

impl Subjects {
    /// Reads these rows and what they are about. `data` stands in for a row that is not there.
    pub(crate) async fn load<'d>(
        tx: &mut Tx,
        rows: impl Iterator<Item = (&str, Option<RecordId>, Option<&'d Json>)>,
    ) -> Result<Self> {
        let mut wanted: BTreeMap<&'static str, Vec<RecordId>> = BTreeMap::new();
        for (name, id, data) in rows {
            let Some(known) = table(name) else { continue };
            wanted.entry(known.name).or_default().extend(id);
            for (field, target) in known.references().filter(|(_, target)| TOLD_BY.contains(target)) {
                let named = data.and_then(|data| data.get(known.fields[field].path)).and_then(Json::as_str);
                let named = named.and_then(|text| Uuid::try_parse(text).ok());
                wanted.entry(target).or_default().extend(named.map(RecordId));
            }
        }
        let mut subjects = Self::default();
        for _ in 0..=STEPS {
            let found = subjects.add(tx, wanted).await?;
            wanted = subjects.around(&found);
            if wanted.is_empty() {
                break;
            }
        }
        Ok(subjects)
    }

    async fn add(&mut self, tx: &mut Tx, wanted: BTreeMap<&'static str, Vec<RecordId>>) -> Result<Vec<Key>> {
        let mut found = Vec::new();
        for (name, ids) in wanted {
            for row in records::load(tx, known_table(name), &ids).await? {
                found.push((name, row.id));
                self.records.insert((name, row.id), row);
            }
        }
        Ok(found)
    }

    /// What these rows point to and what is not read yet.
    fn around(&self, rows: &[Key]) -> BTreeMap<&'static str, Vec<RecordId>> {
        let mut wanted: BTreeMap<&'static str, Vec<RecordId>> = BTreeMap::new();
        for record in rows.iter().filter_map(|key| self.records.get(key)) {
            for (field, target) in record.table.references().filter(|(_, target)| TOLD_BY.contains(target)) {
                let id = record.values[field].as_id().map(RecordId);
                let id = id.filter(|id| !self.records.contains_key(&(target, *id)));
                if let Some(id) = id {
                    wanted.entry(target).or_default().push(id);
                }
            }
        }
        wanted
    }

    /// What the row is; `data` stands in for a row that is not there.
    pub(crate) fn of(&self, name: &str, id: Option<RecordId>, data: Option<&Json>) -> Json {
        let Some(known) = table(name) else { return Json::Object(Map::new()) };
        let own = id.and_then(|id| self.records.get(&(known.name, id)));
        let sent = |path: &str| data?.get(path)?.as_str().and_then(|text| Uuid::try_parse(text).ok());
        let stored = |record: Option<&Record>, path: &str| {
            record.filter(|record| record.table.field(path).is_some()).and_then(|record| record.value(path).as_id())
        };
        let row = |table: &'static str, id: Option<Uuid>| id.and_then(|id| self.records.get(&(table, RecordId(id))));
        let entry = match known.name {
            "entries" => own,
            _ => row("entries", stored(own, "entry_id").or_else(|| sent("entry_id"))),
        };
        let reference = |path: &str| stored(own, path).or_else(|| sent(path)).or_else(|| stored(entry, path));
        let pick =
            |table: &'static str, path: &str| if known.name == table { own } else { row(table, reference(path)) };
        let animal = pick("animals", "animal_id");
        let of_animal = row("exhibitors", stored(animal, "exhibitor_id"));
        let exhibitor = pick("exhibitors", "exhibitor_id").or(of_animal);
        let class = pick("classes", "class_id").or_else(|| row("classes", reference("family_id")));
        let mut subject = Map::new();
        let mut show = |name: &str, record: Option<&Record>, path: &str| {
            if let Some(record) = record {
                subject.insert(name.to_owned(), record.value(path).to_json());
            }
        };
        for path in ["tag", "species", "sex", "breed", "name"] {
            show(path, animal, path);
        }
        show("back_number", exhibitor, "back_number");
        show("class", class, "name");
        if let Some(exhibitor) = exhibitor {
            let part = |path: &str| exhibitor.value(path).as_text().unwrap_or_default().to_owned();
            subject.insert("exhibitor".to_owned(), Json::from(format!("{} {}", part("first_name"), part("last_name"))));
        }
        Json::Object(subject)
    }
}
