//! The show as an import sees it: rows found by their numbers, never by names of people.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::record::Record;

/// The rows of a show that an entries file can touch.
#[derive(Debug)]
pub struct ExistingShow<'a> {
    pub(super) weight_unit: String,
    pub(super) exhibitors: HashMap<i64, &'a Record>,
    pub(super) exhibitor_numbers: HashMap<Uuid, i64>,
    pub(super) animals_by_official_id: HashMap<String, &'a Record>,
    pub(super) animals_by_tag: HashMap<(String, String), &'a Record>,
    pub(super) classes: Vec<&'a Record>,
    pub(super) entries: HashSet<Uuid>,
    pub(super) deleted_entries: HashSet<Uuid>,
    pub(super) weigh_ins: HashMap<Uuid, Vec<&'a Record>>,
}

impl<'a> ExistingShow<'a> {
    /// Sorts a show's rows; tables that an import does not touch are passed over.
    pub fn new(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut show = Self {
            weight_unit: "lb".to_owned(),
            exhibitors: HashMap::new(),
            exhibitor_numbers: HashMap::new(),
            animals_by_official_id: HashMap::new(),
            animals_by_tag: HashMap::new(),
            classes: Vec::new(),
            entries: HashSet::new(),
            deleted_entries: HashSet::new(),
            weigh_ins: HashMap::new(),
        };
        for record in records {
            show.take(record);
        }
        show.classes.sort_by_key(|class| (class.created_at, class.id));
        show
    }

    fn take(&mut self, record: &'a Record) {
        let text = |path: &str| record.value(path).as_text().map(str::to_owned);
        match (record.table.name, record.is_live()) {
            ("entries", false) => {
                self.deleted_entries.insert(record.id.0);
            }
            (_, false) => {}
            ("shows", _) => self.weight_unit = text("weight_unit").unwrap_or_else(|| "lb".to_owned()),
            ("exhibitors", _) => {
                if let Some(number) = record.value("back_number").as_int() {
                    self.exhibitors.insert(number, record);
                    self.exhibitor_numbers.insert(record.id.0, number);
                }
            }
            ("classes", _) => self.classes.push(record),
            ("animals", _) => {
                if let Some(official_id) = text("official_id") {
                    self.animals_by_official_id.insert(official_id, record);
                }
                if let (Some(species), Some(tag)) = (text("species"), text("tag")) {
                    self.animals_by_tag.insert((species, tag), record);
                }
            }
            ("entries", _) => {
                self.entries.insert(record.id.0);
            }
            ("weigh_ins", _) => {
                if let Some(animal) = record.value("animal_id").as_id() {
                    self.weigh_ins.entry(animal).or_default().push(record);
                }
            }
            _ => {}
        }
    }

    /// The class people enter by that name or code: of the species first, then of no department.
    pub(super) fn class(&self, species: &str, name: &str) -> Option<&'a Record> {
        let wanted = name.trim().to_lowercase();
        let is = |class: &Record, path: &str| {
            class.value(path).as_text().is_some_and(|text| text.trim().to_lowercase() == wanted)
        };
        let in_department =
            |class: &Record, department: Option<&str>| class.value("department").as_text() == department;
        let is_family = |class: &Record| class.value("family_id").is_null();
        ["name", "code"].into_iter().find_map(|path| {
            [Some(species), None].into_iter().find_map(|department| {
                let mut named = self.classes.iter().filter(|class| is(class, path) && in_department(class, department));
                named.clone().find(|class| is_family(class)).or_else(|| named.next()).copied()
            })
        })
    }
}
