//! The one way a row changes: a new version with its history, its feed number and all that follows from it.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Cause, Extent, FeedMark, Key, World};
use crate::actor::ReadClass;
use crate::derive;
use crate::ids::{RecordId, Seq, Version};
use crate::record::{HistoryRow, Mark, Record};
use crate::schema::{Policy, Table, known_table};
use crate::value::Value;

/// A row as it is to be.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub table: &'static Table,
    pub id: RecordId,
    pub values: Vec<Value>,
    pub deleted: bool,
}

/// What happened to a class's card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CardChange {
    /// Nothing.
    Same,
    /// One of its placings was written.
    Changed,
    /// A second person posted the same.
    Verified,
}

impl World {
    /// Writes a new version of a row, the values derived from it, and looks at the clashes about it.
    pub(super) fn put(&mut self, draft: Draft, cause: &Cause) -> (Version, Seq) {
        let key = (draft.table.name, draft.id);
        let before = self.records.get(&key).cloned();
        let mut record = self.next_version(draft, before.as_ref(), cause);
        self.derive_own(before.as_ref(), &mut record);
        let written = self.store(record, before.as_ref(), cause);
        for affected in self.affected_by(key, before.as_ref()) {
            let card = if key.0 == "placings" { CardChange::Changed } else { CardChange::Same };
            self.derive_card(affected, cause, card);
        }
        match key.0 {
            "classes" => self.touch_results_of(key, before.as_ref(), cause),
            "shows" => self.touch_all_results(before.as_ref(), cause),
            "animals" => self.touch_belongings(key, ("weigh_ins", "animal_id"), before.as_ref(), cause),
            "entries" => self.touch_belongings(key, ("placings", "entry_id"), before.as_ref(), cause),
            _ => {}
        }
        self.review(key, cause);
        if key.0 == "weigh_ins" {
            self.review_weights(key.1, before.as_ref(), cause);
        }
        written
    }

    /// Gives a row a new place in the feed without a new version. A row that was never made has none.
    pub(super) fn touch(&mut self, key: Key, cause: &Cause) -> Option<Seq> {
        self.records.get(&key)?;
        let seq = self.next_seq();
        self.journal.feed.insert(key, FeedMark { seq, by: cause.person, op_id: cause.op_id });
        Some(seq)
    }

    fn next_version(&self, draft: Draft, before: Option<&Record>, cause: &Cause) -> Record {
        let version = before.map_or(Version(1), |before| before.version.next());
        let mut provenance = before.map(|before| before.provenance.clone()).unwrap_or_default();
        for (index, field) in draft.table.fields.iter().enumerate() {
            let is_marked = matches!(
                field.policy,
                Policy::Role | Policy::RoleLatest | Policy::Inbox | Policy::FirstWriter | Policy::StageMark
            );
            let old = before.map_or(&Value::Null, |before| &before.values[index]);
            if is_marked && *old != draft.values[index] {
                provenance.insert(field.path.to_owned(), Mark { version, rank: cause.rank, by: cause.person });
            }
        }
        Record {
            table: draft.table,
            id: draft.id,
            show_id: self.show_id,
            version,
            created_at: before.map_or_else(|| self.accepted_at(&draft), |before| before.created_at),
            updated_at: self.now,
            updated_by: cause.person,
            device_id: cause.device,
            deleted_at: draft.deleted.then(|| before.and_then(|before| before.deleted_at).unwrap_or(self.now)),
            values: draft.values,
            provenance,
        }
    }

    /// When a new row was accepted. Of weigh-ins of one animal and calls of one class each later one is later, also
    /// within one transaction: the desk's order decides what is official, never a phone's clock (rule C18).
    fn accepted_at(&self, draft: &Draft) -> DateTime<Utc> {
        let parents: &[&str] = match draft.table.name {
            "weigh_ins" => &["animal_id"],
            "class_calls" => &["class_id", "ring_id"],
            _ => &[],
        };
        let siblings = parents.iter().filter_map(|field| {
            let parent = draft.values[draft.table.index(field)].as_id()?;
            self.children_of(draft.table.name, field, parent).iter().map(|sibling| sibling.created_at).max()
        });
        siblings.max().map_or(self.now, |last| self.now.max(last + TimeDelta::milliseconds(1)))
    }

    fn store(&mut self, record: Record, before: Option<&Record>, cause: &Cause) -> (Version, Seq) {
        let key = (record.table.name, record.id);
        let seq = self.next_seq();
        self.journal.history.push(HistoryRow {
            table: record.table,
            record_id: record.id,
            version: record.version,
            snapshot: record.data_text(ReadClass::Office),
            deleted: !record.is_live(),
            seq,
            actor: cause.person,
            device_id: cause.device,
            op_id: cause.op_id,
            at: self.now,
            reason: cause.reason.clone(),
        });
        self.journal.feed.insert(key, FeedMark { seq, by: cause.person, op_id: cause.op_id });
        let extent = before.map_or(Extent::Row, |before| extent(before, &record));
        let written = self.journal.records.entry(key).or_insert(extent);
        *written = extent.max(*written);
        if let Some(before) = before {
            self.snapshots.insert((key, before.version), before.values.clone());
            self.unindex(before);
        }
        self.index(&record);
        if before.is_none() {
            self.waiters.come(record.id.0);
        }
        let version = record.version;
        self.records.insert(key, record);
        (version, seq)
    }

    /// Values of the row itself that follow from its other values.
    fn derive_own(&self, before: Option<&Record>, record: &mut Record) {
        match record.table.name {
            "animals" => {
                let (tag, tags) = (record.table.index("tag"), record.table.index("prev_tags"));
                if let Some(before) = before.filter(|before| before.values[tag] != record.values[tag]) {
                    record.values[tags] =
                        derive::previous_tags(&before.values[tags], &before.values[tag], &record.values[tag]);
                }
                self.derive_weight(record);
            }
            "classes" => self.derive_class(record, CardChange::Same),
            _ => {}
        }
    }

    fn derive_weight(&self, animal: &mut Record) {
        let declared = self.show().is_some_and(|show| *show.value("rules.declared_weights") == Value::Bool(true));
        let weigh_ins = self.children_of("weigh_ins", "animal_id", animal.id.0);
        let official = derive::official_weigh_in(&weigh_ins, declared);
        let weight = official.and_then(|record| record.value("weight_x10").as_int());
        let weighed_on = official
            .map(|record| record.value("weighed_at").as_instant().unwrap_or(record.created_at))
            .map(|at| derive::local_day(at, self.timezone()));
        let gain = derive::rate_of_gain_x1000(
            animal.value("init_weight_x10").as_int(),
            animal.value("init_weighed_on").as_date(),
            weight,
            weighed_on,
        );
        let int = |value: Option<i64>| value.map_or(Value::Null, Value::Int);
        let table = animal.table;
        animal.values[table.index("official_weight_x10")] = int(weight);
        animal.values[table.index("adg_x1000")] = int(gain);
    }

    fn derive_class(&self, class: &mut Record, change: CardChange) {
        let calls = self.children_of("class_calls", "class_id", class.id.0);
        let placings = self.children_of("placings", "class_id", class.id.0);
        let has_card = placings.iter().any(|placing| placing.is_live());
        let status = derive::class_status(class, &calls, has_card);
        let is_disputed = self.open_on(("classes", class.id)).any(|conflict| {
            conflict.table == class.table && conflict.parts.iter().any(|part| part.table.name == "placings")
        });
        let was_verified = class.value("card_state").as_text() == Some("verified");
        let card = match (is_disputed, has_card, change) {
            (true, ..) => "conflict",
            (false, false, _) => "none",
            (false, true, CardChange::Verified) => "verified",
            (false, true, CardChange::Same) if was_verified => "verified",
            (false, true, _) => "posted",
        };
        let table = class.table;
        class.values[table.index("status")] = Value::Text(status.to_owned());
        class.values[table.index("card_state")] = Value::Text(card.to_owned());
    }

    /// Other rows whose derived values follow from this one, as it was and as it is.
    fn affected_by(&self, key: Key, before: Option<&Record>) -> Vec<Key> {
        let fields: &[(&str, &str)] = match key.0 {
            "weigh_ins" => &[("animal_id", "animals")],
            "class_calls" => &[("class_id", "classes"), ("ring_id", "rings")],
            "placings" => &[("class_id", "classes")],
            _ => &[],
        };
        let mut affected = Vec::new();
        for (field, table) in fields {
            let rows = [before, self.records.get(&key)];
            let ids = rows.into_iter().flatten().filter_map(|row| row.value(field).as_id());
            for id in ids {
                let target = (*table, RecordId(id));
                if !affected.contains(&target) {
                    affected.push(target);
                }
            }
        }
        affected
    }

    /// Works a row's derived values out again; only a change is a write. `updated_by` stays.
    pub(super) fn derive_row(&mut self, key: Key, cause: &Cause) {
        self.derive_card(key, cause, CardChange::Same);
    }

    /// The same where a class's card may have changed.
    pub(super) fn derive_card(&mut self, key: Key, cause: &Cause, card: CardChange) {
        let Some(before) = self.records.get(&key).cloned() else { return };
        let mut record = before.clone();
        match key.0 {
            "animals" => self.derive_weight(&mut record),
            "classes" => self.derive_class(&mut record, card),
            "rings" => {
                let calls = self.children_of("class_calls", "ring_id", key.1.0);
                let now = derive::ring_now(&calls);
                record.values[known_table("rings").index("now_class_id")] = now;
            }
            _ => {}
        }
        if record.values == before.values {
            return;
        }
        record.version = before.version.next();
        record.updated_at = self.now;
        self.store(record, Some(&before), cause);
        self.review(key, cause);
    }

    /// Results become visible or hidden with their class: its placings get a new place in the feed.
    fn touch_results_of(&mut self, key: Key, before: Option<&Record>, cause: &Cause) {
        let official = |record: Option<&Record>| record.is_some_and(|record| !record.value("official_at").is_null());
        if official(before) == official(self.records.get(&key)) {
            return;
        }
        let placings: Vec<RecordId> =
            self.children_of("placings", "class_id", key.1.0).iter().map(|placing| placing.id).collect();
        for placing in placings {
            self.touch(("placings", placing), cause);
        }
    }

    /// An animal or entry changed hands: what belongs to it gets a new place in the feed, because another exhibitor's
    /// people may see it now, and the former ones no more.
    fn touch_belongings(
        &mut self,
        key: Key,
        (table, field): (&'static str, &str),
        before: Option<&Record>,
        cause: &Cause,
    ) {
        let owner = |record: &Record| record.value("exhibitor_id").as_id();
        if before.is_none_or(|before| self.records.get(&key).map(owner) == Some(owner(before))) {
            return;
        }
        let belongings: Vec<RecordId> = self.children_of(table, field, key.1.0).iter().map(|row| row.id).collect();
        for id in belongings {
            self.touch((table, id), cause);
        }
    }

    /// The show's rule about who sees results has changed: every placing gets a new place in the feed.
    fn touch_all_results(&mut self, before: Option<&Record>, cause: &Cause) {
        let rule = |record: &Record| record.value("rules.results_visibility").clone();
        if before.is_none_or(|before| self.show().map(rule) == Some(rule(before))) {
            return;
        }
        let mut placings: Vec<Key> = self.records.keys().filter(|key| key.0 == "placings").copied().collect();
        placings.sort();
        for key in placings {
            self.touch(key, cause);
        }
    }

    /// Whether viewers may see a row (DOMAIN.md §4, Reading).
    pub fn is_public(&self, key: Key) -> bool {
        let Some(record) = self.records.get(&key) else { return false };
        match key.0 {
            "weigh_ins" => false,
            "placings" => {
                let posted =
                    self.show().is_some_and(|show| show.value("rules.results_visibility").as_text() == Some("posted"));
                let class =
                    record.value("class_id").as_id().and_then(|id| self.records.get(&("classes", RecordId(id))));
                posted || class.is_some_and(|class| !class.value("official_at").is_null())
            }
            "announcements" => ["functions", "rings", "departments", "class_ids", "exhibitor_ids"]
                .iter()
                .all(|list| record.value(&format!("audience.{list}")).is_null()),
            _ => true,
        }
    }
}

/// How much of a row a new version changes.
fn extent(before: &Record, after: &Record) -> Extent {
    let is_found_as_before = before.table.keys().all(|field| before.values[field] == after.values[field]);
    if is_found_as_before && before.deleted_at == after.deleted_at { Extent::Values } else { Extent::Row }
}
