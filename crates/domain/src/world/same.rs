//! Two ids for one thing: what came under the second belongs to the first (PROTOCOL.md §4, `unique_violation`).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::card::is_card_mark;
use super::needs::referrers;
use super::review::paths;
use super::settle::{Decision, SettleError};
use super::write::Draft;
use super::{Cause, FeedMark, Key, Needs, World};
use crate::actor::ReadClass;
use crate::conflict::{Conflict, ConflictKind};
use crate::ids::{ConflictId, RecordId, Version};
use crate::op::{Rejection, natural_id_of};
use crate::record::{Record, data_of, values_of};
use crate::schema::{Policy, Table, known_table};
use crate::value::{Value, decode_id};

impl World {
    /// The record is the same thing as another row: its id becomes that row's other name, its children go there.
    /// Values that row lacks are filled in; it loses none.
    pub(super) fn settle_same(
        &mut self,
        conflict: &Conflict,
        decision: &Decision,
        same: &Json,
        cause: &Cause,
    ) -> Result<Json, SettleError> {
        let alone = decision.resolution == "manual" && decision.data.len() == 1;
        if !alone || conflict.kind != ConflictKind::UniqueViolation {
            let detail = "same_as stands alone, with the resolution manual, for two rows that want one value";
            return Err(Rejection::of_field("unknown_field", "same_as", detail).into());
        }
        let table = conflict.table;
        let key = (table.name, conflict.record_id);
        let holder = self.live_row(table, same).filter(|row| row.id != conflict.record_id).cloned();
        let Some(holder) = holder else {
            let detail = "there is no such row in the same table";
            return Err(Rejection::of_field("missing_reference", "same_as", detail).into());
        };
        let waiting = self.waiters.count_on(conflict.record_id.0);
        let moved = waiting + self.move_children(conflict, (table, conflict.record_id), holder.id, cause)?;
        let own = self.record(key).filter(|row| row.is_live()).cloned();
        self.move_clashes(key, holder.id, cause);
        if let Some(own) = &own {
            self.put(Draft { table, id: own.id, values: own.values.clone(), deleted: true }, cause);
        }
        let filled = self.fill_in(conflict, &holder, cause);
        self.name_alias(key, holder.id);
        if own.is_none() {
            self.revoke_name(key, cause);
        }
        Ok(json!({ "same_as": holder.id, "moved": moved, "deleted": own.is_none(), "deleted_after": true,
            "filled": filled }))
    }

    fn live_row(&self, table: &Table, id: &Json) -> Option<&Record> {
        let id = id.as_str().and_then(|text| decode_id(text).ok())?;
        self.record((table.name, RecordId(id))).filter(|row| row.is_live())
    }

    /// Values of the entry that the other row lacks, as far as no uniqueness is touched.
    fn fill_in(&mut self, conflict: &Conflict, holder: &Record, cause: &Cause) -> Map<String, Json> {
        let mut filled = Map::new();
        let table = conflict.table;
        let client = conflict.client_data.as_ref().and_then(|data| values_of(table, data).ok());
        let Some(client) = client else { return filled };
        let is_free = |field: &usize| {
            let policy = &table.fields[*field].policy;
            !table.uniques.iter().any(|unique| unique.fields.contains(field))
                && !matches!(policy, Policy::Derived | Policy::Fixed)
        };
        let asked = conflict.contested.iter().chain(&conflict.clean).filter_map(|path| table.field(path));
        let mut values = holder.values.clone();
        for field in asked.filter(is_free) {
            if values[field].is_null() && !client[field].is_null() {
                values[field] = client[field].clone();
                filled.insert(table.fields[field].path.to_owned(), values[field].to_json());
            }
        }
        if values != holder.values {
            self.put(Draft { table, id: holder.id, values, deleted: false }, cause);
        }
        filled
    }

    /// Takes back what was filled in, while it still stands.
    fn empty_again(&mut self, table: &'static Table, before: &Json, cause: &Cause) -> Result<(), SettleError> {
        let filled = before.get("filled").and_then(Json::as_object).filter(|filled| !filled.is_empty());
        let Some(filled) = filled else { return Ok(()) };
        let holder = before.get("same_as").and_then(|id| self.live_row(table, id)).cloned();
        let holder = holder.ok_or(SettleError::Moved)?;
        let mut values = holder.values.clone();
        for (path, json) in filled {
            let Some(field) = table.field(path) else { continue };
            if values[field].to_json() != *json {
                return Err(SettleError::Moved);
            }
            values[field] = Value::Null;
        }
        self.put(Draft { table, id: holder.id, values, deleted: false }, cause);
        Ok(())
    }

    /// The other clashes of a row that has another name now are about that row.
    fn move_clashes(&mut self, from: Key, to: RecordId, cause: &Cause) {
        let moved: Vec<Conflict> = self.open_on(from).cloned().collect();
        for mut conflict in moved {
            for part in &mut conflict.parts {
                if (part.table.name, part.record_id) == from {
                    part.record_id = to;
                }
            }
            if (conflict.table.name, conflict.record_id) == from {
                conflict.record_id = to;
                conflict.server_version = Version(0);
            }
            conflict.parts = conflict.parts.iter().map(|part| self.as_it_is(part)).collect();
            if let Some(row) = self.record((from.0, to)).filter(|_| conflict.record_id == to) {
                conflict.server_version = row.version;
                if conflict.kind != ConflictKind::UniqueViolation {
                    conflict.server_data = row.is_live().then(|| row.data(ReadClass::Office));
                }
            }
            conflict.rev += 1;
            self.change_conflict(conflict, cause);
        }
    }

    /// A name that never was a row is taken from the phones that know it.
    fn revoke_name(&mut self, key: Key, cause: &Cause) {
        let seq = self.next_seq();
        self.journal.feed.insert(key, FeedMark { seq, by: cause.person, op_id: cause.op_id });
    }

    /// Points the rows that belong to one row at another. A natural-key row moves to its new id; the old one is its
    /// other name. Answers how many were moved.
    fn move_children(
        &mut self,
        conflict: &Conflict,
        (table, from): (&'static Table, RecordId),
        to: RecordId,
        cause: &Cause,
    ) -> Result<usize, SettleError> {
        let mut moved = 0;
        for (child_table, field) in referrers(table.name).collect::<Vec<_>>() {
            let child_table = known_table(child_table);
            let path = child_table.fields[field].path;
            let rows: Vec<Record> = self
                .children_of(child_table.name, path, from.0)
                .into_iter()
                .filter(|row| row.is_live() && row.id != from)
                .cloned()
                .collect();
            for row in rows {
                moved += 1;
                let mut values = row.values.clone();
                values[field] = Value::Id(to.0);
                self.check_official(child_table, &row.values)?;
                self.check_official(child_table, &values)?;
                match natural_id_of(child_table, &by_field(&values)).map(RecordId).filter(|id| *id != row.id) {
                    None => {
                        self.put(Draft { table: child_table, id: row.id, values, deleted: false }, cause);
                    }
                    Some(id) => moved += self.move_row(conflict, &row, (id, values), cause)?,
                }
            }
        }
        Ok(moved)
    }

    /// A natural-key row under its new id. Where that row exists already it is as an insert on it: what the row lacks is
    /// filled in, and what it has otherwise, or that it was deleted, is for a person.
    fn move_row(
        &mut self,
        conflict: &Conflict,
        row: &Record,
        (id, mut values): (RecordId, Vec<Value>),
        cause: &Cause,
    ) -> Result<usize, SettleError> {
        let table = row.table;
        let present = self.record((table.name, id)).cloned();
        let is_gone = present.as_ref().is_some_and(|present| !present.is_live());
        if is_gone && self.has_live_children(table, row.id) {
            let detail = format!(
                "what belongs to it would move to a row in {} that was deleted: restore that first",
                table.name
            );
            return Err(Rejection::new("needs_manual", detail).into());
        }
        let moved = self.move_children(conflict, (table, row.id), id, cause)?;
        self.move_clashes((table.name, row.id), id, cause);
        self.put(Draft { table, id: row.id, values: row.values.clone(), deleted: true }, cause);
        self.name_alias((table.name, row.id), id);
        let Some(present) = present else {
            self.put(Draft { table, id, values, deleted: false }, cause);
            return Ok(moved);
        };
        let wanted = values.clone();
        let is_asked = |field: &usize| {
            let policy = &table.fields[*field].policy;
            !matches!(policy, Policy::Derived)
                && !is_card_mark(table, *field)
                && wanted[*field] != present.values[*field]
        };
        let is_set = |row: &[Value], field: usize| !row[field].is_null() && row[field] != table.fields[field].default;
        let is_in_dispute = |field: &usize| is_gone || is_set(&wanted, *field) && is_set(&present.values, *field);
        let differs: Vec<usize> = (0..values.len()).filter(is_asked).filter(is_in_dispute).collect();
        if !is_gone {
            for (field, kept) in present.values.iter().enumerate() {
                if is_set(&present.values, field) || values[field].is_null() {
                    values[field] = kept.clone();
                }
            }
            if values != present.values {
                self.put(Draft { table, id, values, deleted: false }, cause);
            }
        }
        if !differs.is_empty() || is_gone {
            let kind = if is_gone { ConflictKind::InsertDeleted } else { ConflictKind::InsertInsert };
            self.ask_about_moved(conflict, (kind, row, id), (&differs, &wanted), cause);
        }
        Ok(moved)
    }

    /// Asks which of two rows under one key stands, as for an insert on a row that is there.
    fn ask_about_moved(
        &mut self,
        conflict: &Conflict,
        (kind, row, id): (ConflictKind, &Record, RecordId),
        (contested, wanted): (&[usize], &[Value]),
        cause: &Cause,
    ) {
        let (fresh, table) = (ConflictId(self.fresh_id()), row.table);
        let present = self.record((table.name, id));
        let author = (row.device_id.unwrap_or(conflict.device_id), row.updated_by.unwrap_or(conflict.user_id));
        let asked = Conflict {
            server_user_id: present.and_then(|present| present.updated_by),
            server_data: present.filter(|row| row.is_live()).map(|row| row.data(ReadClass::Office)),
            client_data: Some(data_of(table, wanted, ReadClass::Office)),
            server_version: present.map_or(Version(0), |row| row.version),
            contested: paths(table, contested),
            ..Conflict::opened(fresh, conflict.queue_id, (table, id), kind, author, self.now)
        };
        self.change_conflict(asked, cause);
    }

    /// Takes `same_as` back, as long as nothing has come to the other row by it.
    pub(super) fn unsettle_same(
        &mut self,
        conflict: &Conflict,
        before: &Json,
        cause: &Cause,
    ) -> Result<(), SettleError> {
        let key = (conflict.table.name, conflict.record_id);
        let is_used = self.name(key).is_some_and(|name| name.is_used);
        if is_used || before.get("moved").and_then(Json::as_u64) != Some(0) {
            return Err(SettleError::NotPossible("entries have been moved to the other row; move them back by hand"));
        }
        self.empty_again(conflict.table, before, cause)?;
        self.names.remove(&key);
        self.journal.aliases.insert(key);
        let was_live = before.get("deleted").and_then(Json::as_bool) == Some(false);
        if let Some(row) = self.record(key).filter(|_| was_live).cloned() {
            let wanted = super::unique_keys(row.table, &row.values);
            if wanted.iter().any(|key| self.holders.get(key).is_some_and(|holder| *holder != row.id)) {
                return Err(SettleError::Moved);
            }
            self.put(Draft { table: row.table, id: row.id, values: row.values, deleted: false }, cause);
        }
        Ok(())
    }

    /// `other_data` gives the row that holds the value others; this record takes what it asked for, unless values are
    /// given for it too. Answers the rest of the decision, and what the other row had.
    pub(super) fn with_other_data(
        &mut self,
        conflict: &Conflict,
        decision: &Decision,
        cause: &Cause,
    ) -> Result<(Decision, Option<Json>), SettleError> {
        let mut decision = decision.clone();
        let Some(other) = decision.data.remove("other_data") else { return Ok((decision, None)) };
        let invalid = |detail: &str| SettleError::Invalid(Rejection::of_field("unknown_field", "other_data", detail));
        let holder = conflict.other_record_id.filter(|_| conflict.kind == ConflictKind::UniqueViolation);
        let holder = holder.and_then(|id| self.record((conflict.table.name, id))).filter(|row| row.is_live()).cloned();
        let holder = holder.ok_or_else(|| invalid("there is no other row in this clash"))?;
        let (Json::Object(other), "manual") = (other, decision.resolution) else {
            return Err(invalid("values by field, with the resolution manual"));
        };
        let table = conflict.table;
        let mut values = holder.values.clone();
        let (mut was, mut now) = (Map::new(), Map::new());
        for (path, json) in &other {
            let is_unique = |field: &usize| table.uniques.iter().any(|unique| unique.fields.contains(field));
            let field = table.field(path).filter(is_unique).ok_or_else(|| {
                SettleError::Invalid(Rejection::of_field("unknown_field", path, "only what must be unique"))
            })?;
            let value = table.fields[field].kind.decode(json);
            let value = value.map_err(|error| Rejection::of_field(error.code, path, error.detail))?;
            if value.is_null() && table.fields[field].required {
                return Err(Rejection::of_field("required", path, "a value is needed").into());
            }
            was.insert(path.clone(), values[field].to_json());
            now.insert(path.clone(), value.to_json());
            values[field] = value;
        }
        let taken = |key: &super::UniqueKey| self.holders.get(key).is_some_and(|id| *id != holder.id);
        if super::unique_keys(table, &values).iter().any(taken) {
            return Err(Rejection::of_field("needs_manual", "other_data", "a third row has this value").into());
        }
        let client = conflict.client_data.as_ref();
        for path in &conflict.contested {
            if let Some(asked) = client.and_then(|client| client.get(path)) {
                decision.data.entry(path.clone()).or_insert_with(|| asked.clone());
            }
        }
        self.put(Draft { table, id: holder.id, values, deleted: false }, cause);
        Ok((decision, Some(json!({ "was": was, "now": now }))))
    }

    /// What making one row the same as another needs: both, and all that belongs to either.
    pub(super) fn need_same(&self, conflict: &Conflict, same: &Json, needs: &mut Needs) {
        let Some(holder) = same.as_str().and_then(|text| decode_id(text).ok()) else { return };
        let table = conflict.table;
        needs.records.insert((table.name, RecordId(holder)));
        self.need_around(table, (table.name, RecordId(holder)), &|_| None, needs);
        self.need_moved(table, conflict.record_id, RecordId(holder), needs);
        self.need_renamed((table.name, conflict.record_id), RecordId(holder), needs);
    }

    fn need_moved(&self, table: &'static Table, from: RecordId, to: RecordId, needs: &mut Needs) {
        for (child, field) in referrers(table.name) {
            needs.children.insert((child, field, from.0));
            let child = known_table(child);
            let path = child.fields[field].path;
            for row in self.children_of(child.name, path, from.0) {
                needs.open_conflicts.insert(row.id);
                self.need_around(child, (child.name, row.id), &|_| None, needs);
                let mut values = row.values.clone();
                values[field] = Value::Id(to.0);
                let Some(id) = natural_id_of(child, &by_field(&values)).map(RecordId) else { continue };
                if id != row.id {
                    needs.records.insert((child.name, id));
                    needs.open_conflicts.insert(id);
                    self.need_moved(child, row.id, id, needs);
                }
            }
        }
    }
}

fn by_field(values: &[Value]) -> BTreeMap<usize, Value> {
    values.iter().cloned().enumerate().collect()
}
