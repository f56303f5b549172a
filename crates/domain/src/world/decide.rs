//! Decides one op after the other: checks 9 to 12 of PROTOCOL.md §4 and the table of verdicts.

use serde_json::Value as Json;

use super::card::{OutOfPlaced, is_card_mark};
use super::filing::is_same_op;
use super::review::Clash;
use super::ruling::{Ruling, Stop};
use super::view::told_view;
use super::weights::WeighIn;
use super::write::Draft;
use super::{Author, World};
use crate::actor::ReadClass;
use crate::conflict::{Conflict, ConflictKind, ConflictStatus};
use crate::ids::{OpId, RecordId};
use crate::merge::{AuthorView, DeskRow, Merged, merge};
use crate::op::{Op, Operation, Refused, Rejection};
use crate::queue::{QueueStatus, Verdict};
use crate::record::Record;
use crate::schema::{Policy, crossed_range};
use crate::value::Value;

/// How one op of a push was answered. The verdict itself stands in the op's queue row.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `op_id` as it was sent.
    pub echo: Json,
    /// What to tell.
    pub kind: AnswerKind,
}

/// See [`Answer`].
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerKind {
    /// The queue row of this op tells the verdict; `replayed` if it was seen before.
    Queued {
        /// The op.
        op_id: OpId,
        /// Whether the desk had already answered it.
        replayed: bool,
    },
    /// Rejected, and not kept: its id is unreadable or belongs to another op.
    Rejected(Rejection),
}

impl World {
    /// Decides an op that passed checks 1 to 8.
    pub fn decide(&mut self, author: &Author, op: &Op) -> Answer {
        if let Some(answer) = self.replay(author, op.id, &op.sent) {
            return answer;
        }
        self.decide_filed(author, op);
        self.decide_waiters();
        Answer { echo: op.sent.echo.clone(), kind: AnswerKind::Queued { op_id: op.id, replayed: false } }
    }

    /// Decides an op and files what became of it. A placing is a card of one row.
    pub(super) fn decide_filed(&mut self, author: &Author, op: &Op) {
        if op.table.name == "placings" && op.operation != Operation::Delete {
            self.decide_group(author, std::slice::from_ref(op));
        } else {
            self.decide_alone(author, op);
        }
    }

    pub(super) fn decide_alone(&mut self, author: &Author, op: &Op) {
        let ruling = match self.ruling(author, op) {
            Ok(ruling) => ruling,
            Err(Stop::Rejected(rejection)) => rejection.into(),
            Err(Stop::Waits(waiting)) => Ruling::waits(waiting),
        };
        self.file(author, op.id, &op.sent, &ruling);
    }

    /// Files an op that failed one of the checks 1 to 8.
    pub fn refuse(&mut self, author: &Author, refused: &Refused) -> Answer {
        let Some(id) = refused.id else {
            return Answer { echo: refused.sent.echo.clone(), kind: AnswerKind::Rejected(refused.rejection.clone()) };
        };
        match self.ops.get(&id) {
            None => {
                self.file(author, id, &refused.sent, &refused.rejection.clone().into());
                self.decide_waiters();
                Answer { echo: refused.sent.echo.clone(), kind: AnswerKind::Queued { op_id: id, replayed: false } }
            }
            Some(known) if is_same_op(known, author, &refused.sent) => {
                Answer { echo: refused.sent.echo.clone(), kind: AnswerKind::Queued { op_id: id, replayed: true } }
            }
            Some(_) => {
                Answer { echo: refused.sent.echo.clone(), kind: AnswerKind::Rejected(refused.rejection.clone()) }
            }
        }
    }

    /// Checks 10 to 12 of PROTOCOL.md §4.
    pub(super) fn ruling(&mut self, author: &Author, sent: &Op) -> Result<Ruling, Stop> {
        let op = &*self.under_true_names(sent);
        let ruling = self.ruling_on_true(author, op)?;
        // Only what stands, or waits for a person, gives a row another name.
        if op.record_id != sent.record_id && op.operation == Operation::Insert {
            self.name_alias((op.table.name, sent.record_id), op.record_id);
        }
        if ruling.verdict != Verdict::Noop {
            self.note_names(sent);
        }
        Ok(ruling)
    }

    /// The same for an op under the true names of its rows.
    fn ruling_on_true(&mut self, author: &Author, op: &Op) -> Result<Ruling, Stop> {
        let key = (op.table.name, op.record_id);
        let record = self.records.get(&key).cloned();
        let is_visible = author.actor.read_class() > ReadClass::Public || self.is_public(key);
        if record.is_none() && op.operation == Operation::Update {
            return self.update_of_absent(author, op);
        }
        if op.operation != Operation::Insert && !is_visible {
            return Err(not_found().into());
        }
        if is_given_back(author) {
            return self.recover(author, op, record.as_ref());
        }
        self.authorize(&author.actor, op, record.as_ref())?;
        if author.recovered_from.is_some() {
            return self.recover(author, op, record.as_ref());
        }
        if let Some(record) = &record
            && op.base_version > record.version
            && !self.is_strange(op)
        {
            return Err(Rejection::new("invalid_version", "base_version is above the desk's version").into());
        }
        self.check_prev(author, op)?;
        if let Some(conflict) = self.folds_into(author, op) {
            self.check_references(author, op)?;
            return Ok(self.fold(author, op, conflict)?);
        }
        match op.operation {
            Operation::Insert => self.insert(author, op, record),
            Operation::Update => self.update(author, op, &record.ok_or_else(not_found)?),
            Operation::Delete => self.delete(author, op, record),
        }
    }

    /// An update of a row that is not there: of one's own insert that has not come or waits, of a row that a restore took
    /// away, or of nothing.
    fn update_of_absent(&mut self, author: &Author, op: &Op) -> Result<Ruling, Stop> {
        if op.prev_op_id.is_none() && !self.is_from_before(op) && author.recovered_from.is_none() {
            return Err(not_found().into());
        }
        if author.actor.read_class() == ReadClass::Public {
            // To somebody who may see only some rows, one that never existed answers as one that is hidden.
            return Err(not_found().into());
        }
        if is_given_back(author) {
            return self.recover(author, op, None);
        }
        self.authorize_absent(author, op)?;
        self.check_prev(author, op)?;
        let prev = op.prev_op_id.and_then(|id| self.ops.get(&id));
        match prev.map(|queued| (queued.status, queued.conflict_id)) {
            Some((QueueStatus::Failed, _)) => {
                let detail = "the entry that makes this row was not accepted".to_owned();
                let detail = op.prev_op_id.map_or(detail.clone(), |prev| format!("{detail}: {prev}"));
                Err(Rejection::of_field("missing_reference", "prev_op_id", detail).into())
            }
            Some((QueueStatus::Conflict, Some(conflict))) => {
                self.check_references(author, op)?;
                Ok(self.fold(author, op, conflict)?)
            }
            _ if self.is_from_before(op) => {
                let view = told_view(op);
                let contested = op.patch.keys().copied().collect();
                Ok(self.clash(author, op, ConflictKind::UpdateMissing, &view, contested, Vec::new()))
            }
            _ => Err(not_found().into()),
        }
    }

    /// An op that the desk had acknowledged before it was restored: what it changed is shown to a person, unless the row
    /// shows it already (PROTOCOL.md §7).
    fn recover(&mut self, author: &Author, op: &Op, record: Option<&Record>) -> Result<Ruling, Stop> {
        let shows = match (op.operation, record.filter(|record| record.is_live())) {
            (Operation::Delete, record) => record.is_none(),
            (_, None) => false,
            (_, Some(record)) => op.patch.iter().all(|(field, value)| record.values[*field] == *value),
        };
        if let Some(conflict) = self.folds_into(author, op)
            && let Ok(folded) = self.fold(author, op, conflict)
        {
            return Ok(folded);
        }
        if shows && record.is_none() {
            // The entry that makes the row may be on its way back too: it would stay though it was deleted.
            self.check_prev(author, op)?;
            self.check_own_insert(author, op)?;
            self.check_lost_insert(op)?;
        }
        if shows {
            return Ok(Ruling::noop(record.map(|record| record.version)));
        }
        let view = told_view(op);
        let contested = op.patch.keys().copied().collect();
        Ok(self.clash(author, op, ConflictKind::RestoredServer, &view, contested, Vec::new()))
    }

    fn insert(&mut self, author: &Author, op: &Op, record: Option<Record>) -> Result<Ruling, Stop> {
        check_ranges(op, |field| op.patch.get(&field).cloned())?;
        self.check_references(author, op)?;
        let Some(record) = record else {
            if self.points_to_deleted(op, |_| true) {
                return Ok(self.ask_about_reference(author, op, &AuthorView::empty(op.table)));
            }
            let values = self.new_values(author, op);
            return Ok(self.write_or_clash(author, op, &AuthorView::empty(op.table), values, Verdict::Applied));
        };
        let view = AuthorView::empty(op.table);
        let differs: Vec<usize> = op
            .patch
            .iter()
            .filter(|(field, value)| record.values[**field] != **value && !is_card_mark(op.table, **field))
            .map(|(field, _)| *field)
            .collect();
        if !record.is_live() {
            let fields = op.patch.keys().copied().collect();
            return Ok(self.clash(author, op, ConflictKind::InsertDeleted, &view, fields, Vec::new()));
        }
        if differs.is_empty() {
            return Ok(Ruling::noop(Some(record.version)));
        }
        let unset = |field: &usize| {
            let value = &record.values[*field];
            value.is_null() || (op.table.natural_key.is_some() && *value == op.table.fields[*field].default)
        };
        let (clean, contested): (Vec<usize>, Vec<usize>) = differs.into_iter().partition(unset);
        if op.table.natural_key.is_none() || !contested.is_empty() {
            let contested = if contested.is_empty() { clean.clone() } else { contested };
            let clean = clean.into_iter().filter(|field| !contested.contains(field)).collect();
            return Ok(self.clash(author, op, ConflictKind::InsertInsert, &view, contested, clean));
        }
        if self.points_to_deleted(op, |field| clean.contains(&field)) {
            return Ok(self.ask_about_reference(author, op, &view));
        }
        let patch = clean.iter().map(|field| (*field, op.patch[field].clone())).collect();
        let as_update = Op { operation: Operation::Update, patch, ..op.clone() };
        self.authorize(&author.actor, &as_update, Some(&record))?;
        Ok(self.write_fields(author, op, &view, &record, &clean, Verdict::Merged))
    }

    /// The values of a new row: those sent, then the defaults, then what the desk fills in.
    fn new_values(&self, author: &Author, op: &Op) -> Vec<Value> {
        let defaults = op.table.fields.iter().map(|field| field.default.clone());
        let mut values: Vec<Value> = defaults.collect();
        for (field, value) in &op.patch {
            values[*field] = value.clone();
        }
        let mut fill = |path: &str, value: Value| {
            let field = op.table.index(path);
            if values[field].is_null() {
                values[field] = value;
            }
        };
        let made_at = Value::Instant(op.client_time.unwrap_or(self.now));
        let person = Value::Id(author.actor.person.0);
        match op.table.name {
            "weigh_ins" => {
                fill("unit", self.show().map_or(Value::Null, |show| show.value("weight_unit").clone()));
                fill("weighed_at", made_at);
            }
            "class_calls" => {
                fill("at", made_at);
                fill("by", person);
            }
            "placings" => fill("posted_by", person),
            _ => {}
        }
        values
    }

    fn update(&mut self, author: &Author, op: &Op, record: &Record) -> Result<Ruling, Stop> {
        let sight = self.sight(author, op, record)?;
        if !record.is_live() {
            let fields = op.patch.keys().copied().collect();
            return Ok(self.clash(author, op, ConflictKind::UpdateDeleted, &sight.view, fields, Vec::new()));
        }
        self.check_references(author, op)?;
        check_ranges(op, |field| op.patch.get(&field).or(sight.view.values[field].as_ref()).cloned())?;
        if self.points_to_deleted(op, |field| op.patch[&field] != record.values[field]) {
            return Ok(self.ask_about_reference(author, op, &sight.view));
        }
        if op.table.append.is_some() {
            return self.append_update(author, op, &sight.view, record);
        }
        let reason = op.reason.is_some();
        let mut merged = merge(op.table, &author.actor, &sight.view, DeskRow::from(record), &op.patch, reason)?;
        let placed = self.heed_placing(op, &mut merged);
        if !merged.contested.is_empty() {
            return Ok(self.clash(author, op, ConflictKind::UpdateUpdate, &sight.view, merged.contested, merged.take));
        }
        let is_alone = sight.is_current && sight.view.doubted.is_empty();
        let verdict = if is_alone { Verdict::Applied } else { Verdict::Merged };
        if merged.take.is_empty() {
            self.file_choice(author, op, &sight.view, &merged);
            return Ok(Ruling::noop(Some(record.version)));
        }
        // Before the row is written: the value that is passed over is shown.
        self.file_choice(author, op, &sight.view, &merged);
        let ruling = self.write_fields(author, op, &sight.view, record, &merged.take, verdict);
        if let OutOfPlaced::Suspends(placing) = placed {
            self.suspend_placing(author, op, placing);
        }
        Ok(ruling)
    }

    /// A no-show or scratch of an entry that is placed is a choice of the rules: the placing stays (rule C6).
    fn heed_placing(&self, op: &Op, merged: &mut Merged) -> OutOfPlaced {
        let out =
            op.table.field("out_reason").filter(|field| op.table.name == "entries" && merged.take.contains(field));
        let Some(out) = out else { return OutOfPlaced::Stands };
        let placed = self.out_of_placed(op.record_id, &op.patch[&out]);
        if placed == OutOfPlaced::Yields {
            merged.take.retain(|field| *field != out);
            merged.chosen.push(out);
        }
        placed
    }

    /// APPEND rows take exactly one later update.
    fn append_update(&mut self, author: &Author, op: &Op, view: &AuthorView, record: &Record) -> Result<Ruling, Stop> {
        if op.patch.iter().all(|(field, value)| record.values[*field] == *value) {
            return Ok(Ruling::noop(Some(record.version)));
        }
        let later = op.table.append.as_deref().unwrap_or_default();
        if later.iter().any(|field| !record.values[*field].is_null()) {
            return Err(Rejection::new("locked", "this was already taken back once").into());
        }
        let fields: Vec<usize> = op.patch.keys().copied().collect();
        Ok(self.write_fields(author, op, view, record, &fields, Verdict::Applied))
    }

    fn delete(&mut self, author: &Author, op: &Op, record: Option<Record>) -> Result<Ruling, Stop> {
        if record.is_none() {
            self.check_own_insert(author, op)?;
            if self.is_from_before(op) {
                self.check_lost_insert(op)?;
            }
        }
        let Some(record) = record.filter(Record::is_live) else {
            return Ok(Ruling::noop(self.records.get(&(op.table.name, op.record_id)).map(|record| record.version)));
        };
        if self.has_live_children(op.table, op.record_id) {
            return Err(Rejection::new("has_children", "other rows still belong to it").into());
        }
        let sight = self.sight(author, op, &record)?;
        // A derived value follows its sources: that it moved is nobody's edit.
        let is_edit = |field: &usize| op.table.fields[*field].policy != Policy::Derived;
        let moved = |field: &usize| {
            let differs = sight.view.values[*field].as_ref() != Some(&record.values[*field]);
            (differs && !sight.is_current) || sight.view.doubted.contains(field)
        };
        let contested: Vec<usize> = (0..record.values.len()).filter(is_edit).filter(moved).collect();
        if !contested.is_empty() {
            return Ok(self.clash(author, op, ConflictKind::DeleteUpdated, &sight.view, contested, Vec::new()));
        }
        let draft = Draft { table: op.table, id: op.record_id, values: record.values, deleted: true };
        let written = self.put(draft, &self.cause_of(author, op));
        Ok(Ruling::written(Verdict::Applied, written))
    }

    fn write_fields(
        &mut self,
        author: &Author,
        op: &Op,
        view: &AuthorView,
        record: &Record,
        fields: &[usize],
        verdict: Verdict,
    ) -> Ruling {
        let mut values = record.values.clone();
        for field in fields {
            values[*field] = op.patch[field].clone();
        }
        if let Some(by) = op.table.field("arrived_by")
            && fields.contains(&op.table.index("arrived_at"))
            && !op.patch.contains_key(&by)
        {
            let arrived = !values[op.table.index("arrived_at")].is_null();
            values[by] = if arrived { Value::Id(author.actor.person.0) } else { Value::Null };
        }
        self.write_or_clash(author, op, view, values, verdict)
    }

    /// Writes the row, or opens a clash where another live row holds one of its unique values.
    fn write_or_clash(
        &mut self,
        author: &Author,
        op: &Op,
        view: &AuthorView,
        values: Vec<Value>,
        verdict: Verdict,
    ) -> Ruling {
        let mut values = values;
        let meaning = if op.table.name == "weigh_ins" && op.operation == Operation::Insert {
            self.weigh_in(op, &values)
        } else {
            WeighIn::Plain
        };
        if let WeighIn::Close { replaced } = &meaning {
            values[op.table.index("replaces_id")] = Value::Id(replaced.0);
        }
        if let Some((from, to)) = crossed_range(op.table, &values) {
            let contested = [from, to].into_iter().filter(|field| op.patch.contains_key(field)).collect();
            let clean = op.patch.keys().copied().filter(|field| ![from, to].contains(field)).collect();
            return self.clash(author, op, ConflictKind::MergedInvalid, view, contested, clean);
        }
        if let Some((rule, holder)) = self.holder_of_another(op, &values) {
            let unique = &op.table.uniques[rule].fields;
            let sent = |field: &usize| op.patch.contains_key(field) && !op.table.fields[*field].required;
            let mut contested: Vec<usize> = unique.iter().copied().filter(sent).collect();
            if contested.is_empty() {
                contested = unique.iter().copied().filter(|field| op.patch.contains_key(field)).collect();
            }
            let clean = op.patch.keys().copied().filter(|field| !contested.contains(field)).collect();
            let ruling = self.clash(author, op, ConflictKind::UniqueViolation, view, contested, clean);
            self.name_holder(&ruling, op, holder);
            return ruling;
        }
        let draft = Draft { table: op.table, id: op.record_id, values, deleted: false };
        let written = self.put(draft, &self.cause_of(author, op));
        if op.table.name == "weigh_ins" && op.operation == Operation::Insert {
            self.note_weigh_in(author, op, &meaning);
        }
        Ruling::written(verdict, written)
    }

    fn holder_of_another(&self, op: &Op, values: &[Value]) -> Option<(usize, RecordId)> {
        super::unique_keys(op.table, values).into_iter().find_map(|key| {
            let holder = self.holders.get(&key).copied().filter(|holder| *holder != op.record_id)?;
            Some((key.1, holder))
        })
    }

    fn name_holder(&mut self, ruling: &Ruling, op: &Op, holder: RecordId) {
        let data = self.records.get(&(op.table.name, holder)).map(|row| row.data(ReadClass::Office));
        if let Some(conflict) = ruling.conflict.and_then(|id| self.conflicts.get(&id)).cloned() {
            self.keep_conflict(Conflict { other_record_id: Some(holder), server_data: data, ..conflict });
        }
    }

    fn clash(
        &mut self,
        author: &Author,
        op: &Op,
        kind: ConflictKind,
        view: &AuthorView,
        contested: Vec<usize>,
        clean: Vec<usize>,
    ) -> Ruling {
        let status = ConflictStatus::Open;
        Ruling::conflict(self.open_conflict(author, op, &Clash { kind, status, view, contested, clean }))
    }

    /// Asks a person about a row that would point to a deleted one (rule C17).
    fn ask_about_reference(&mut self, author: &Author, op: &Op, view: &AuthorView) -> Ruling {
        let contested = op.patch.keys().copied().collect();
        self.clash(author, op, ConflictKind::MissingReference, view, contested, Vec::new())
    }

    /// Files a merge in which a policy chose between two different values, so that nothing is lost silently.
    fn file_choice(&mut self, author: &Author, op: &Op, view: &AuthorView, merged: &Merged) {
        let chosen: Vec<usize> = merged
            .chosen
            .iter()
            .copied()
            // A later intent that the first value stands against needs no word; one that takes its place does.
            .filter(|field| op.table.fields[*field].policy != Policy::FirstWriter || merged.take.contains(field))
            .collect();
        if chosen.is_empty() {
            return;
        }
        let clean = merged.take.iter().copied().filter(|field| !chosen.contains(field)).collect();
        let (kind, status) = (ConflictKind::UpdateUpdate, ConflictStatus::MergedAutomatically);
        self.open_conflict(author, op, &Clash { kind, status, view, contested: chosen, clean });
    }
}

/// An op that crosses a range by itself, as its author saw the row, is refused: nobody else is to blame.
fn check_ranges(op: &Op, seen: impl Fn(usize) -> Option<Value>) -> Result<(), Rejection> {
    let values: Vec<Value> = (0..op.table.fields.len()).map(|field| seen(field).unwrap_or(Value::Null)).collect();
    match crossed_range(op.table, &values) {
        Some((from, to)) if op.patch.contains_key(&from) || op.patch.contains_key(&to) => {
            let (from, to) = (op.table.fields[from].path, op.table.fields[to].path);
            Err(Rejection::of_field("out_of_range", to, format!("it must not lie before {from}")))
        }
        _ => Ok(()),
    }
}

/// Whether the author gives back what a restored desk has forgotten. It was accepted once, so what its author may do now
/// does not decide whether a person is asked; a viewer, who never writes, gives nothing back.
fn is_given_back(author: &Author) -> bool {
    author.recovered_from.is_some() && author.actor.read_class() > ReadClass::Public
}

fn not_found() -> Rejection {
    Rejection::new("not_found", "there is no such row")
}
