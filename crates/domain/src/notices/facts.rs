//! What of a transaction somebody should be told: a pass over what was written, before it is committed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::conflict::ConflictStatus;
use crate::ids::{ConflictId, DeviceId, PersonId, RecordId, Seq, Version};
use crate::record::{HistoryRow, Record};
use crate::value::Value;
use crate::world::{Journal, World};

/// Who wrote a row, from where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Author {
    /// The person; none for the program itself.
    pub person: Option<PersonId>,
    /// The device.
    pub device: Option<DeviceId>,
}

/// A class was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The row that says so.
    pub call: RecordId,
    /// The class.
    pub class: Uuid,
    /// The ring it is called to, if the call names one.
    pub ring: Option<Uuid>,
    /// `up_next`, `call_1`, `in_ring`, ….
    pub kind: String,
    /// Who called.
    pub by: Author,
}

/// A class has another ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The class.
    pub class: Uuid,
    /// Where it was to be.
    pub from: Uuid,
    /// Where it is now.
    pub to: Uuid,
    /// The class's version that says so.
    pub version: Version,
}

/// A class has another time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed {
    /// The class.
    pub class: Uuid,
    /// Its department.
    pub department: Option<String>,
    /// When it was to be.
    pub from: Option<DateTime<Utc>>,
    /// When it is now.
    pub to: Option<DateTime<Utc>>,
}

/// What happened in one transaction that people are told of.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Messages that people wrote.
    pub announced: Vec<(RecordId, Author)>,
    /// Messages that were taken back.
    pub taken_back: Vec<RecordId>,
    /// Classes that were called, in their order.
    pub called: Vec<Called>,
    /// Classes that have another ring, while people know of the old one.
    pub moved: Vec<Moved>,
    /// Classes that have another time, however early.
    pub timed: Vec<Timed>,
    /// Classes that have another time, take place no more, or do so again.
    pub followed: Vec<Uuid>,
    /// Classes that take place no more.
    pub gone: Vec<Uuid>,
    /// The show's version with which its classes were published.
    pub posted: Option<Version>,
    /// Classes whose results are official, with the version that says so.
    pub official: Vec<(Uuid, Version)>,
    /// Clashes that wait for a person.
    pub clashes: Vec<ConflictId>,
    /// Clashes that wait no more.
    pub decided: Vec<ConflictId>,
    /// The last number of the feed: it tells one transaction from another.
    pub clock: Seq,
    /// Whether the programme is known to people: classes are published, or the show goes on.
    pub is_public: bool,
}

impl Facts {
    /// What there is to tell of a transaction; none for nearly all of them.
    pub fn of(world: &World) -> Option<Self> {
        let journal = world.journal();
        let is_told =
            |row: &HistoryRow| matches!(row.table.name, "class_calls" | "classes" | "announcements" | "shows");
        if journal.conflicts.is_empty() && !journal.history.iter().any(is_told) {
            return None;
        }
        let mut facts = Self { clock: world.clock, is_public: matches!(world.stage(), 'C' | 'D'), ..Self::default() };
        facts.read_rows(world, journal);
        for id in &journal.conflicts {
            let Some(clash) = world.conflict(*id) else { continue };
            let is_new = clash.created_at == world.now;
            match clash.status {
                ConflictStatus::Open if is_new => facts.clashes.push(*id),
                ConflictStatus::Open => {}
                _ if is_new => {}
                _ => facts.decided.push(*id),
            }
        }
        let is_empty = Self { clock: facts.clock, is_public: facts.is_public, ..Self::default() } == facts;
        (!is_empty).then_some(facts)
    }

    fn read_rows(&mut self, world: &World, journal: &Journal) {
        // Several versions of a row in one transaction are one change: from before the first to the last.
        let mut firsts: HashMap<(&'static str, RecordId), &HistoryRow> = HashMap::new();
        let mut order = Vec::new();
        for row in &journal.history {
            let key = (row.table.name, row.record_id);
            if let Entry::Vacant(first) = firsts.entry(key) {
                first.insert(row);
                order.push(key);
            }
        }
        for key in order {
            let first = firsts[&key];
            let Some(now) = world.record(key) else { continue };
            let before = match first.version {
                Version(1) => None,
                Version(version) => world.values_at(key, Version(version - 1)),
            };
            let by = Author { person: first.actor, device: first.device_id };
            match key.0 {
                "announcements" => self.announcement(now, before, first.version, by),
                "class_calls" if first.version == Version(1) && now.is_live() => self.call(now, by),
                "classes" => self.class(now, before, !journal.conflicts.is_empty()),
                "shows" => self.show(now, before),
                _ => {}
            }
        }
    }

    fn announcement(&mut self, now: &Record, before: Option<&[Value]>, first: Version, by: Author) {
        let is_over = |values: &[Value]| !values[now.table.index("retracted_at")].is_null();
        let is_gone = !now.is_live() || is_over(&now.values);
        if first == Version(1) && !is_gone {
            self.announced.push((now.id, by));
        } else if is_gone && before.is_some_and(|before| !is_over(before)) {
            self.taken_back.push(now.id);
        }
    }

    fn call(&mut self, call: &Record, by: Author) {
        let Some(class) = call.value("class_id").as_id() else { return };
        self.called.push(Called {
            call: call.id,
            class,
            ring: call.value("ring_id").as_id(),
            kind: call.value("kind").as_text().unwrap_or_default().to_owned(),
            by,
        });
    }

    /// A class that was deleted comes back by a decision only: `is_decision` says that there was one.
    fn class(&mut self, now: &Record, before: Option<&[Value]>, is_decision: bool) {
        let Some(before) = before else { return };
        let was = |path: &str| &before[now.table.index(path)];
        let class = now.id.0;
        let took_place = takes_place(was("status"));
        let is_on = now.is_live() && takes_place(now.value("status"));
        if !is_on && (took_place || !now.is_live()) {
            self.gone.push(class);
        }
        if was("planned_at") != now.value("planned_at") || took_place != is_on || is_decision {
            self.followed.push(class);
        }
        if was("planned_at") != now.value("planned_at") {
            self.timed.push(Timed {
                class,
                department: now.value("department").as_text().map(str::to_owned),
                from: was("planned_at").as_instant(),
                to: now.value("planned_at").as_instant(),
            });
        }
        if !now.is_live() {
            return;
        }
        let is_over = ["judged", "official", "cancelled", "combined_into"]
            .contains(&now.value("status").as_text().unwrap_or_default());
        if let (Some(from), Some(to)) = (was("ring_id").as_id(), now.value("ring_id").as_id())
            && from != to
            && self.is_public
            && !is_over
        {
            self.moved.push(Moved { class, from, to, version: now.version });
        }
        if was("official_at").is_null() && !now.value("official_at").is_null() {
            self.official.push((class, now.version));
        }
    }

    fn show(&mut self, now: &Record, before: Option<&[Value]>) {
        let was = before.and_then(|before| before[now.table.index("stage")].as_text());
        if was.is_some_and(|was| was < "C") && now.value("stage").as_text() == Some("C") {
            self.posted = Some(now.version);
        }
    }
}

/// Whether a class of this status is judged, or was.
pub fn takes_place(status: &Value) -> bool {
    !matches!(status.as_text(), Some("cancelled" | "combined_into"))
}
