//! Which animal a line means: by official identity, else by species and tag.

use std::collections::HashMap;

use uuid::Uuid;

use super::Issue;
use super::existing::ExistingShow;
use super::line::EntryLine;
use super::sheet::Column;
use super::slot::Slot;
use crate::record::Record;

/// The animals of a file, over those of the show.
#[derive(Debug)]
pub(super) struct Animals<'a> {
    show: &'a ExistingShow<'a>,
    pub(super) slots: Vec<Slot<'a>>,
    by_id: HashMap<Uuid, usize>,
    by_official_id: HashMap<String, usize>,
    by_tag: HashMap<(String, String), usize>,
}

/// An animal that an earlier line or the show knows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<'a> {
    /// Index into the slots.
    Slot(usize),
    /// Not talked about in this file so far.
    Row(&'a Record),
}

impl<'a> Animals<'a> {
    pub(super) fn new(show: &'a ExistingShow<'a>) -> Self {
        let (by_id, by_official_id, by_tag) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { show, slots: Vec::new(), by_id, by_official_id, by_tag }
    }

    /// The animal a line means; none if it is a new one. A tag that belongs to another animal is an error.
    pub(super) fn resolve(&self, line: &EntryLine) -> Result<Option<Known<'a>>, Issue> {
        let official_id = line.official_id.as_text();
        let same_identity = official_id.and_then(|official_id| self.with_official_id(official_id));
        let same_tag = tag_of(line).and_then(|tag| self.with_tag(&tag));
        match (same_identity, same_tag) {
            (Some(animal), Some(holder)) if self.id(animal) != self.id(holder) => Err(self.duplicate_tag(line, holder)),
            (Some(animal), _) => Ok(Some(animal)),
            (None, Some(holder)) if official_id.is_some() && self.has_official_id(holder) => {
                Err(self.duplicate_tag(line, holder))
            }
            (None, holder) => Ok(holder),
        }
    }

    pub(super) fn id(&self, animal: Known<'a>) -> Uuid {
        match animal {
            Known::Slot(index) => self.slots[index].id,
            Known::Row(record) => record.id.0,
        }
    }

    /// The slot of an animal, made if the file has not talked about it so far.
    pub(super) fn slot_of(&mut self, animal: Option<Known<'a>>, fresh_id: impl FnOnce() -> Uuid) -> usize {
        let slot = match animal {
            Some(Known::Slot(index)) => return index,
            Some(Known::Row(record)) => Slot::existing(record),
            None => Slot::new("animals", fresh_id()),
        };
        self.by_id.insert(slot.id, self.slots.len());
        self.slots.push(slot);
        self.slots.len() - 1
    }

    /// Makes the animal findable by the numbers of this line.
    pub(super) fn index(&mut self, slot: usize, line: &EntryLine) {
        if let Some(official_id) = line.official_id.as_text() {
            self.by_official_id.insert(official_id.to_owned(), slot);
        }
        if let Some(tag) = tag_of(line) {
            self.by_tag.insert(tag, slot);
        }
    }

    fn with_official_id(&self, official_id: &str) -> Option<Known<'a>> {
        let in_file = self.by_official_id.get(official_id).copied().map(Known::Slot);
        in_file.or_else(|| self.show.animals_by_official_id.get(official_id).map(|record| self.known(record)))
    }

    fn with_tag(&self, tag: &(String, String)) -> Option<Known<'a>> {
        if let Some(index) = self.by_tag.get(tag) {
            return Some(Known::Slot(*index));
        }
        let known = self.known(self.show.animals_by_tag.get(tag)?);
        // An earlier line may have given that animal another tag.
        let keeps_it = |slot: &Slot| {
            slot.value("tag").as_text() == Some(&tag.1) && slot.value("species").as_text() == Some(&tag.0)
        };
        match known {
            Known::Slot(index) if !keeps_it(&self.slots[index]) => None,
            known => Some(known),
        }
    }

    fn known(&self, record: &'a Record) -> Known<'a> {
        self.by_id.get(&record.id.0).map_or(Known::Row(record), |index| Known::Slot(*index))
    }

    fn has_official_id(&self, animal: Known<'a>) -> bool {
        match animal {
            Known::Slot(index) => !self.slots[index].value("official_id").is_null(),
            Known::Row(record) => !record.value("official_id").is_null(),
        }
    }

    fn duplicate_tag(&self, line: &EntryLine, holder: Known<'a>) -> Issue {
        let tag = line.tag.as_text().unwrap_or_default();
        let earlier_line = match holder {
            Known::Slot(index) => self.slots[index].line_of("tag"),
            Known::Row(_) => None,
        };
        let message = match earlier_line {
            Some(earlier) => format!("Tag {tag} is already on another animal in line {earlier}."),
            None => format!("Tag {tag} is already on another animal of the show."),
        };
        Issue::error(line.row, Some(Column::Tag.name()), "duplicate_tag", message)
    }
}

fn tag_of(line: &EntryLine) -> Option<(String, String)> {
    Some((line.species.as_text()?.to_owned(), line.tag.as_text()?.to_owned()))
}
