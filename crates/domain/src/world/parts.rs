//! One decision about a whole group of rows, and what other writes mean for it while it is open (PROTOCOL.md §3, §5).

use serde_json::{Map, Value as Json, json};

use super::settle::{Decision, SettleError};
use super::{Cause, Key, World};
use crate::actor::Actor;
use crate::conflict::{Conflict, ConflictKind, ConflictStatus, Part};
use crate::ids::ConflictId;
use crate::op::{Operation, Rejection};
use crate::queue::Verdict;
use crate::record::{Record, values_of};
use crate::value::Value;

impl World {
    /// Writes what was decided about each row of a group. Answers what an undo must bring back, by row.
    ///
    /// `client_wins` writes the group as it came; `server_wins` leaves what is disputed as the desk has it and joins the
    /// rest; `manual` names values by row.
    pub(super) fn settle_parts(
        &mut self,
        conflict: &Conflict,
        decider: &Actor,
        decision: &Decision,
        cause: &Cause,
    ) -> Result<Json, SettleError> {
        let is_named = |id: &String| conflict.parts.iter().any(|part| part.record_id.to_string() == *id);
        if let Some(id) = decision.data.keys().find(|id| !is_named(id)) {
            return Err(Rejection::of_field("unknown_field", id, "the decision names no row of this group").into());
        }
        let mut before = Map::new();
        for part in &conflict.parts {
            let was = match part_decision(conflict, part, decision)? {
                Some(own) => {
                    let part = of_part(conflict, part);
                    self.settle_row(&part, decider, &own, decision.is_for_desk(), cause)?
                }
                None => Json::Null,
            };
            before.insert(part.record_id.to_string(), was);
        }
        self.check_cards(conflict)?;
        Ok(json!({ "records": before }))
    }

    /// A row of the group that nobody had tried, because an earlier one clashed, may want a value that another row has.
    pub(super) fn with_holder(&self, part: &Part) -> Part {
        let mut part = part.clone();
        let Some(client) = part.client.as_ref().and_then(|data| values_of(part.table, data).ok()) else { return part };
        for key in super::unique_keys(part.table, &client) {
            let Some(holder) = self.holders.get(&key).filter(|holder| **holder != part.record_id) else { continue };
            let fields = &part.table.uniques[key.1].fields;
            let paths = fields.iter().filter(|field| !part.table.fields[**field].required);
            let paths: Vec<&str> = paths.map(|field| part.table.fields[*field].path).collect();
            let (taken, clean) = part.clean.iter().cloned().partition(|path| paths.contains(&path.as_str()));
            part.clean = clean;
            part.contested.extend::<Vec<String>>(taken);
            part.other_record_id = Some(*holder);
        }
        part
    }

    /// A decided card obeys the same rule as any: no place twice, no animal twice (rule C8).
    fn check_cards(&self, conflict: &Conflict) -> Result<(), SettleError> {
        let placings = conflict.parts.iter().filter(|part| part.table.name == "placings");
        let classes = placings
            .filter_map(|part| self.record(("placings", part.record_id)).and_then(|row| row.value("class_id").as_id()));
        for class in classes {
            if self.card_is_impossible(class) {
                return Err(impossible_card().into());
            }
        }
        Ok(())
    }

    /// The same for a placing that is decided alone, if the decision changes it; `was` is what it was while it was live.
    pub(super) fn check_placing(&self, conflict: &Conflict, was: Option<&[Value]>) -> Result<(), SettleError> {
        if conflict.table.name != "placings" {
            return Ok(());
        }
        let row = self.record(("placings", conflict.record_id)).filter(|row| row.is_live());
        match row.filter(|row| was != Some(row.values.as_slice())) {
            Some(row) if self.contradicts_card(row) => Err(impossible_card().into()),
            _ => Ok(()),
        }
    }

    /// Takes a group's decision back, the last row first.
    pub(super) fn unsettle_parts(
        &mut self,
        conflict: &Conflict,
        before: &Json,
        decided: &Map<String, Json>,
        cause: &Cause,
    ) -> Result<(), SettleError> {
        for part in conflict.parts.iter().rev() {
            let id = part.record_id.to_string();
            let was = before.get("records").and_then(|records| records.get(&id)).filter(|was| !was.is_null());
            let Some(was) = was else { continue };
            let values = decided.get(&id).and_then(Json::as_object).cloned().unwrap_or_default();
            self.unsettle_row(&of_part(conflict, part), was, &values, cause)?;
        }
        Ok(())
    }

    /// A row of an open group was written: who decides must look again, unless the desk now shows the whole group.
    pub(super) fn review_part(&mut self, key: Key, id: ConflictId, cause: &Cause) {
        let Some(mut conflict) = self.conflicts.get(&id).cloned() else { return };
        let Some(at) = conflict.parts.iter().position(|part| (part.table.name, part.record_id) == key) else {
            // The class of a card: only its derived state follows from the clash itself.
            if let Some(record) = self.record(key) {
                conflict.server_version = record.version;
                conflict.server_data = Some(record.data(crate::actor::ReadClass::Office));
                self.journal.conflicts.insert(id);
                self.keep_conflict(conflict);
            }
            return;
        };
        let fresh = self.as_it_is(&conflict.parts[at]);
        if fresh.version == conflict.parts[at].version {
            return;
        }
        let moved = moved_fields(&conflict.parts[at], &fresh);
        let is_touched = asked_has_moved(&conflict.parts[at], &fresh);
        let part = &mut conflict.parts[at];
        part.contested.extend(moved.iter().filter(|path| part.clean.contains(path)).cloned());
        part.clean.retain(|path| !moved.contains(path));
        part.server = fresh.server;
        part.version = fresh.version;
        let is_main = (conflict.table.name, conflict.record_id) == key;
        if is_main {
            conflict.server_data.clone_from(&conflict.parts[at].server);
            conflict.server_version = conflict.parts[at].version;
            conflict.contested.clone_from(&conflict.parts[at].contested);
            conflict.clean.clone_from(&conflict.parts[at].clean);
        }
        if is_touched && conflict.parts.iter().all(|part| shows(part, self.record((part.table.name, part.record_id)))) {
            self.supersede_group(conflict, cause);
            return;
        }
        conflict.rev += 1;
        self.change_conflict(conflict, cause);
    }

    fn supersede_group(&mut self, mut conflict: Conflict, cause: &Cause) {
        conflict.status = ConflictStatus::Superseded;
        conflict.resolved_at = Some(self.now);
        let (id, op_ids) = (conflict.id, conflict.op_ids.clone());
        self.change_conflict(conflict, cause);
        for op_id in op_ids {
            let (_, version) = self.verdict_after(op_id);
            self.finish_op(op_id, Verdict::Noop, id, version);
        }
    }
}

fn impossible_card() -> Rejection {
    Rejection::of_field("out_of_range", "place", "two animals have the same place, or one animal has two")
}

/// What the group's decision means for one of its rows; none if that row stays as it is.
fn part_decision(conflict: &Conflict, part: &Part, decision: &Decision) -> Result<Option<Decision>, SettleError> {
    let own = decision.data.get(&part.record_id.to_string());
    let with = |resolution, data| Decision { resolution, data, ..decision.clone() };
    let is_clean = part.contested.is_empty() && part.operation != Operation::Delete;
    let is_card = conflict.parts.iter().any(|part| part.table.name == "placings");
    Ok(match (decision.resolution, own) {
        (_, None) if is_clean => Some(with("client_wins", Map::new())),
        ("client_wins", None) => Some(with("client_wins", Map::new())),
        ("server_wins", None) if part.server.is_none() && part.other_record_id.is_none() => None,
        ("server_wins", None) => Some(with("server_wins", Map::new())),
        ("manual", None) if is_card => None,
        ("manual", Some(Json::Object(values))) => Some(with("manual", with_client(part, values))),
        _ => {
            let path = part.record_id.to_string();
            let detail = "values by field are needed for this row, and go with the resolution manual only";
            return Err(Rejection::of_field("required", &path, detail).into());
        }
    })
}

/// The values decided for a row; what is disputed and not named is as the phone has it.
fn with_client(part: &Part, values: &Map<String, Json>) -> Map<String, Json> {
    let mut all = values.clone();
    for path in &part.contested {
        let Some(field) = part.table.field(path) else { continue };
        let client = part.client.as_ref().and_then(|data| values_of(part.table, data).ok());
        if let Some(client) = client {
            all.entry(path.clone()).or_insert_with(|| client[field].to_json());
        }
    }
    all
}

/// One row of the group as a clash of its own kind.
fn of_part(conflict: &Conflict, part: &Part) -> Conflict {
    let kind = match (part.operation, part.other_record_id) {
        (Operation::Delete, _) => ConflictKind::DeleteUpdated,
        (_, Some(_)) => ConflictKind::UniqueViolation,
        (Operation::Update, None) if part.server.is_none() => ConflictKind::UpdateDeleted,
        _ => ConflictKind::UpdateUpdate,
    };
    Conflict { kind, ..conflict.of_part(part) }
}

/// Fields of the group's wish that the desk has changed since, and not to that wish.
fn moved_fields(known: &Part, fresh: &Part) -> Vec<String> {
    let values = |data: &Option<Map<String, Json>>| data.as_ref().and_then(|data| values_of(known.table, data).ok());
    let (Some(before), Some(now), Some(client)) = (values(&known.server), values(&fresh.server), values(&known.client))
    else {
        return Vec::new();
    };
    let asked = known.contested.iter().chain(&known.clean);
    let moved = asked.filter(|path| {
        known.table.field(path).is_some_and(|field| before[field] != now[field] && now[field] != client[field])
    });
    moved.cloned().collect()
}

/// Whether this write changed what the group asks of the row: a group that is asked about again may look alike on both
/// sides, and other fields do not end that.
fn asked_has_moved(known: &Part, fresh: &Part) -> bool {
    let values = |part: &Part| part.server.as_ref().and_then(|data| values_of(part.table, data).ok());
    let (Some(before), Some(now)) = (values(known), values(fresh)) else {
        return known.server.is_some() != fresh.server.is_some();
    };
    let mut asked = known.contested.iter().chain(&known.clean).filter_map(|path| known.table.field(path));
    asked.any(|field| before[field] != now[field])
}

/// Whether the desk's row is what the group wanted it to be.
fn shows(part: &Part, record: Option<&Record>) -> bool {
    let live = record.filter(|record| record.is_live());
    let (Some(client), Some(record)) = (&part.client, live) else { return part.client.is_none() && live.is_none() };
    let Ok(client) = values_of(part.table, client) else { return false };
    let asked = part.contested.iter().chain(&part.clean).filter_map(|path| part.table.field(path));
    asked.into_iter().all(|field| client[field] == record.values[field])
}
