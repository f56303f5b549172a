//! Goes through the lines and decides what each does to the show.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::animals::{Animals, Known};
use super::choices::Choices;
use super::existing::ExistingShow;
use super::line::{self, EntryLine};
use super::report::{contradiction, shown_weight};
use super::sheet::{self, Column, Sheet};
use super::slot::{Clash, Slot, insert};
use super::weighing::{self, Weighing};
use super::{Counts, FileError, ImportPlan, Issue, PlannedRow, RowState, Severity, text};
use crate::ids::natural_id;
use crate::op::OpDraft;
use crate::record::Record;
use crate::value::{Value, instant_text};

/// Plans what an entries file would change. `ids` gives fresh `UUIDv7` ids; the same file, show, ids and time give the
/// same plan.
pub fn plan(
    file: &[u8],
    show: &ExistingShow<'_>,
    ids: &mut dyn FnMut() -> Uuid,
    now: DateTime<Utc>,
) -> Result<ImportPlan, FileError> {
    plan_chosen(file, &Choices::default(), show, ids, now)
}

/// The same after somebody has matched columns, put cells right or left rows out.
pub fn plan_chosen(
    file: &[u8],
    choices: &Choices,
    show: &ExistingShow<'_>,
    ids: &mut dyn FnMut() -> Uuid,
    now: DateTime<Utc>,
) -> Result<ImportPlan, FileError> {
    let mut sheet = sheet::read(&text::decode(file)?, choices.columns.as_deref())?;
    if !sheet.missing.is_empty() {
        return unmatched(sheet, choices.may_lack_columns);
    }
    let mut planner = Planner::new(show, ids, now);
    planner.issues.append(&mut sheet.issues);
    let mut rows = Vec::with_capacity(sheet.lines.len());
    for mut raw in std::mem::take(&mut sheet.lines) {
        choices.mend(&sheet, &mut raw);
        let (state, changes) = if choices.left_out.contains(&raw.line) {
            (RowState::LeftOut, Map::new())
        } else {
            let outcome = line::read(&sheet, &raw).and_then(|line| planner.take(&line));
            outcome.unwrap_or_else(|issues| {
                planner.issues.extend(issues);
                (RowState::Error, Map::new())
            })
        };
        rows.push(PlannedRow { row: raw.line, state, data: line::shown(&sheet, &raw), changes });
    }
    let issues = std::mem::take(&mut planner.issues);
    let counts = count(&rows, &issues);
    Ok(ImportPlan { rows, issues, ops: planner.into_ops(), counts, header: sheet.header, missing: Vec::new() })
}

/// A file of which no more than the header is understood.
fn unmatched(sheet: Sheet, may_lack_columns: bool) -> Result<ImportPlan, FileError> {
    if !may_lack_columns {
        return Err(FileError::MissingColumns(sheet.missing.iter().map(|column| column.name()).collect()));
    }
    Ok(ImportPlan {
        rows: Vec::new(),
        issues: sheet.issues,
        ops: Vec::new(),
        counts: Counts::default(),
        header: sheet.header,
        missing: sheet.missing,
    })
}

fn count(rows: &[PlannedRow], issues: &[Issue]) -> Counts {
    let with = |state: RowState| rows.iter().filter(|row| row.state == state).count();
    let warned: HashSet<usize> =
        issues.iter().filter(|issue| issue.severity == Severity::Warning).map(|issue| issue.row).collect();
    let is_taken = |row: &&PlannedRow| !matches!(row.state, RowState::Error | RowState::LeftOut);
    let check = rows.iter().filter(is_taken).filter(|row| warned.contains(&row.row)).count();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Counts {
        new: number(with(RowState::New)),
        changed: number(with(RowState::Changed)),
        same: number(with(RowState::Same)),
        error: number(with(RowState::Error)),
        left_out: number(with(RowState::LeftOut)),
        check: number(check),
    }
}

struct Planner<'a, 'i> {
    show: &'a ExistingShow<'a>,
    ids: &'i mut dyn FnMut() -> Uuid,
    now: DateTime<Utc>,
    exhibitors: Vec<Slot<'a>>,
    exhibitors_by_number: HashMap<i64, usize>,
    classes: Vec<Slot<'a>>,
    classes_by_name: HashMap<(String, String), usize>,
    animals: Animals<'a>,
    entries: Vec<OpDraft>,
    entry_lines: HashMap<Uuid, usize>,
    weigh_ins: Vec<OpDraft>,
    weights: HashMap<Uuid, (i64, usize)>,
    issues: Vec<Issue>,
}

/// What a line turned out to be about, before anything is taken from it.
struct Subject<'a> {
    number: i64,
    exhibitor: Option<Known<'a>>,
    animal: Option<Known<'a>>,
}

impl<'a, 'i> Planner<'a, 'i> {
    fn new(show: &'a ExistingShow<'a>, ids: &'i mut dyn FnMut() -> Uuid, now: DateTime<Utc>) -> Self {
        Self {
            show,
            ids,
            now,
            exhibitors: Vec::new(),
            exhibitors_by_number: HashMap::new(),
            classes: Vec::new(),
            classes_by_name: HashMap::new(),
            animals: Animals::new(show),
            entries: Vec::new(),
            entry_lines: HashMap::new(),
            weigh_ins: Vec::new(),
            weights: HashMap::new(),
            issues: Vec::new(),
        }
    }

    /// Takes a line whole or not at all.
    fn take(&mut self, line: &EntryLine) -> Result<(RowState, Map<String, Json>), Vec<Issue>> {
        let subject = self.check(line)?;
        let is_new = match subject.animal {
            None => true,
            Some(Known::Slot(index)) => self.animals.slots[index].existing.is_none(),
            Some(Known::Row(_)) => false,
        };
        let mut changes = Map::new();
        let exhibitor_id = self.take_exhibitor(line, &subject, &mut changes);
        let class_id = self.take_class(line);
        let animal_id = self.take_animal(line, &subject, exhibitor_id, &mut changes);
        self.take_entry(line, [exhibitor_id, animal_id, class_id], &mut changes);
        self.take_weight(line, animal_id, &mut changes);
        let state = match (is_new, changes.is_empty()) {
            (true, _) => RowState::New,
            (false, false) => RowState::Changed,
            (false, true) => RowState::Same,
        };
        Ok((state, if is_new { Map::new() } else { changes }))
    }

    /// Everything that can keep a line out. Changes nothing.
    fn check(&self, line: &EntryLine) -> Result<Subject<'a>, Vec<Issue>> {
        let number = line.back_number.as_int().unwrap_or_default();
        let in_file = self.exhibitors_by_number.get(&number).copied().map(Known::Slot);
        let exhibitor = in_file.or_else(|| self.show.exhibitors.get(&number).copied().map(Known::Row));
        let mut issues = self.check_exhibitor(line, exhibitor);
        match self.animals.resolve(line) {
            Err(issue) => issues.push(issue),
            Ok(animal) => {
                issues.extend(animal.and_then(|animal| self.check_animal(line, number, animal)));
                if issues.is_empty() {
                    return Ok(Subject { number, exhibitor, animal });
                }
            }
        }
        Err(issues)
    }

    fn check_exhibitor(&self, line: &EntryLine, exhibitor: Option<Known<'a>>) -> Vec<Issue> {
        match exhibitor {
            None => [(Column::FirstName, &line.first_name), (Column::LastName, &line.last_name)]
                .into_iter()
                .filter(|(_, value)| value.is_null())
                .map(|(column, _)| {
                    Issue::error(
                        line.row,
                        Some(column.name()),
                        "required",
                        "A new exhibitor needs a first and a last name.",
                    )
                })
                .collect(),
            Some(Known::Slot(index)) => self.exhibitors[index]
                .clash(&exhibitor_values(line))
                .map(|clash| contradiction(line, &clash))
                .into_iter()
                .collect(),
            Some(Known::Row(_)) => Vec::new(),
        }
    }

    fn check_animal(&self, line: &EntryLine, number: i64, animal: Known<'a>) -> Option<Issue> {
        let animal_id = self.animals.id(animal);
        let owner = match animal {
            Known::Slot(index) => self.animals.slots[index].value("exhibitor_id"),
            Known::Row(record) => record.value("exhibitor_id").clone(),
        };
        let owner_number = owner.as_id().and_then(|id| self.number_of(id));
        if owner_number != Some(number) {
            let whose = owner_number.map_or("another exhibitor".to_owned(), |number| format!("exhibitor {number}"));
            let message = format!("This animal belongs to {whose}; a change of owner is made at the desk.");
            return Some(Issue::error(line.row, Some(Column::BackNumber.name()), "other_exhibitor", message));
        }
        if let Known::Slot(index) = animal
            && let Some(clash) = self.animals.slots[index].clash(&animal_values(line))
        {
            return Some(contradiction(line, &clash));
        }
        if let (Some((earlier, at)), Some(weight)) = (self.weights.get(&animal_id), line.weight_x10.as_int())
            && *earlier != weight
        {
            let clash = Clash { field: "weight_x10", line: *at, value: Value::Int(*earlier) };
            return Some(contradiction(line, &clash));
        }
        let earlier = self.entry_lines.get(&natural_id(self.known_class(line)?, animal_id))?;
        let message = format!("Line {earlier} already enters this animal in this class.");
        Some(Issue::error(line.row, None, "duplicate_row", message))
    }

    /// The number of an exhibitor of the show or of this file.
    fn number_of(&self, exhibitor_id: Uuid) -> Option<i64> {
        let in_show = self.show.exhibitor_numbers.get(&exhibitor_id).copied();
        let in_file = || self.exhibitors.iter().find(|slot| slot.id == exhibitor_id)?.value("back_number").as_int();
        in_show.or_else(in_file)
    }

    fn known_class(&self, line: &EntryLine) -> Option<Uuid> {
        let in_file = self.classes_by_name.get(&class_key(line)).map(|index| self.classes[*index].id);
        in_file.or_else(|| self.existing_class(line).map(|class| class.id.0))
    }

    fn existing_class(&self, line: &EntryLine) -> Option<&'a Record> {
        self.show.class(line.species.as_text()?, line.class_name.as_text()?)
    }

    fn take_exhibitor(&mut self, line: &EntryLine, subject: &Subject<'a>, changes: &mut Map<String, Json>) -> Uuid {
        let index = match subject.exhibitor {
            Some(Known::Slot(index)) => index,
            known => {
                let slot = match known {
                    Some(Known::Row(record)) => Slot::existing(record),
                    _ => Slot::new("exhibitors", (self.ids)()),
                };
                self.exhibitors.push(slot);
                self.exhibitors_by_number.insert(subject.number, self.exhibitors.len() - 1);
                self.exhibitors.len() - 1
            }
        };
        let made = self.exhibitors[index].want(&exhibitor_values(line), line.row);
        if made.contains_key("first_name") || made.contains_key("last_name") {
            let message =
                format!("Exhibitor {} has another name in the show; the file's name will be taken.", subject.number);
            self.issues.push(Issue::warning(line.row, Some(Column::FirstName.name()), "exhibitor_renamed", message));
        }
        changes.extend(made);
        self.exhibitors[index].id
    }

    fn take_class(&mut self, line: &EntryLine) -> Uuid {
        let key = class_key(line);
        if let Some(index) = self.classes_by_name.get(&key) {
            return self.classes[*index].id;
        }
        let slot = if let Some(record) = self.existing_class(line) {
            Slot::existing(record)
        } else {
            let mut slot = Slot::new("classes", (self.ids)());
            let kind = Value::Text(class_kind(line).to_owned());
            slot.want(&[("department", &line.species), ("name", &line.class_name), ("kind", &kind)], line.row);
            slot
        };
        let id = slot.id;
        self.classes_by_name.insert(key, self.classes.len());
        self.classes.push(slot);
        id
    }

    fn take_animal(
        &mut self,
        line: &EntryLine,
        subject: &Subject<'a>,
        owner: Uuid,
        changes: &mut Map<String, Json>,
    ) -> Uuid {
        let index = self.animals.slot_of(subject.animal, &mut *self.ids);
        let owner = Value::Id(owner);
        let mut values = animal_values(line);
        values.push(("exhibitor_id", &owner));
        changes.extend(self.animals.slots[index].want(&values, line.row));
        self.animals.index(index, line);
        let slot = &self.animals.slots[index];
        let lacks = |field: &str| slot.value(field).is_null();
        if lacks("official_id") {
            let message = "No official identification number.";
            self.issues.push(Issue::warning(line.row, Some(Column::OfficialId.name()), "missing_official_id", message));
        }
        if lacks("init_weight_x10") {
            let message = "No start weight: the rate of gain cannot be told.";
            self.issues.push(Issue::warning(
                line.row,
                Some(Column::InitWeight.name()),
                "missing_start_weight",
                message,
            ));
        }
        slot.id
    }

    fn take_entry(&mut self, line: &EntryLine, [exhibitor, animal, class]: [Uuid; 3], changes: &mut Map<String, Json>) {
        let entry_id = natural_id(class, animal);
        self.entry_lines.insert(entry_id, line.row);
        if self.show.entries.contains(&entry_id) {
            return;
        }
        if self.show.deleted_entries.contains(&entry_id) {
            let message = "This entry was deleted at the desk and is not made again.";
            self.issues.push(Issue::warning(line.row, Some(Column::Class.name()), "entry_deleted", message));
            return;
        }
        changes.insert("class".to_owned(), json!([null, line.class_name.to_json()]));
        let data = json!({"exhibitor_id": exhibitor, "animal_id": animal, "family_id": class});
        self.entries.push(insert((self.ids)(), "entries", entry_id, object(data)));
    }

    fn take_weight(&mut self, line: &EntryLine, animal_id: Uuid, changes: &mut Map<String, Json>) {
        let Some(weight_x10) = line.weight_x10.as_int() else { return };
        self.check_bounds(line, weight_x10);
        if self.weights.insert(animal_id, (weight_x10, line.row)).is_some() {
            return;
        }
        let known = self.show.weigh_ins.get(&animal_id).map_or(&[][..], Vec::as_slice);
        let (kind, replaces) = match weighing::decide(known, weight_x10) {
            Weighing::Same => return,
            Weighing::WeighedAtShow(standing) => {
                let message =
                    format!("Weighed {} at the show; the file's weight is not taken.", shown_weight(standing));
                self.issues.push(Issue::warning(line.row, Some(Column::Weight.name()), "already_weighed", message));
                return;
            }
            Weighing::Arrival => ("arrival", None),
            Weighing::Reweigh(replaced) => ("reweigh", Some(replaced)),
        };
        let old = known
            .iter()
            .find(|record| Some(record.id.0) == replaces)
            .map(|record| record.value("weight_x10").to_json());
        changes.insert("weight_x10".to_owned(), json!([old, weight_x10]));
        let mut data = object(json!({
            "animal_id": animal_id,
            "kind": kind,
            "weight_x10": weight_x10,
            "unit": self.show.weight_unit,
            "weighed_at": instant_text(self.now),
            "source": "csv",
        }));
        data.extend(replaces.map(|id| ("replaces_id".to_owned(), json!(id))));
        let (op_id, record_id) = ((self.ids)(), (self.ids)());
        self.weigh_ins.push(insert(op_id, "weigh_ins", record_id, data));
    }

    fn check_bounds(&mut self, line: &EntryLine, weight_x10: i64) {
        let Some(class) = self.existing_class(line) else { return };
        let name = class.value("name").as_text().unwrap_or_default();
        let (min, max) = (class.value("min_x10").as_int(), class.value("max_x10").as_int());
        let found = match (min, max) {
            (Some(min), _) if weight_x10 < min => Some(("below_minimum", "under the minimum", min)),
            (_, Some(max)) if weight_x10 > max => Some(("above_maximum", "over the maximum", max)),
            _ => None,
        };
        if let Some((code, place, bound)) = found {
            let unit = &self.show.weight_unit;
            let message =
                format!("{} {unit} is {place} of {name}, {} {unit}.", shown_weight(weight_x10), shown_weight(bound));
            self.issues.push(Issue::warning(line.row, Some(Column::Weight.name()), code, message));
        }
    }

    fn into_ops(self) -> Vec<OpDraft> {
        let ids = self.ids;
        let slots = self.classes.into_iter().chain(self.exhibitors).chain(self.animals.slots);
        let mut ops: Vec<OpDraft> = slots.filter_map(|slot| slot.into_op(ids)).collect();
        ops.extend(self.entries);
        ops.extend(self.weigh_ins);
        debug_assert_eq!(ops.iter().map(|op| op.record_id).collect::<HashSet<_>>().len(), ops.len(), "one op a record");
        ops
    }
}

fn exhibitor_values(line: &EntryLine) -> Vec<(&'static str, &Value)> {
    vec![
        ("back_number", &line.back_number),
        ("first_name", &line.first_name),
        ("last_name", &line.last_name),
        ("club_chapter", &line.club_chapter),
        ("county", &line.county),
        ("program", &line.program),
    ]
}

fn animal_values(line: &EntryLine) -> Vec<(&'static str, &Value)> {
    vec![
        ("species", &line.species),
        ("sex", &line.sex),
        ("breed", &line.breed),
        ("tag", &line.tag),
        ("official_id", &line.official_id),
        ("pen", &line.pen),
        ("init_weight_x10", &line.init_weight_x10),
        ("init_weighed_on", &line.init_weighed_on),
    ]
}

fn class_key(line: &EntryLine) -> (String, String) {
    let text = |value: &Value| value.as_text().unwrap_or_default().trim().to_lowercase();
    (text(&line.species), text(&line.class_name))
}

/// What kind of class a new one is: its name says it, else the animal's sex.
fn class_kind(line: &EntryLine) -> &'static str {
    let (_, name) = class_key(line);
    let sex = line.sex.as_text().unwrap_or_default().to_lowercase();
    if name.contains("showmanship") {
        "showmanship"
    } else if name.contains("market") {
        "market"
    } else if name.contains("breeding") {
        "breeding"
    } else if matches!(sex.as_str(), "steer" | "barrow" | "wether") {
        "market"
    } else {
        "breeding"
    }
}

fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
