//! Renders an op's current verdict for its author: the same for a push and for a later question.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};
use showdesk_domain::actor::{Actor, ReadClass};
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::ids::{ConflictId, RecordId};
use showdesk_domain::op::Rejection;
use showdesk_domain::queue::{QueuedOp, Verdict};
use showdesk_domain::record::{Record, may_see};
use showdesk_domain::schema::{Table, table};
use showdesk_domain::world::{Key, Name, World, true_name};
use uuid::Uuid;

use crate::api::sync::{OpError, OpResult, VerdictName};

/// Where the rows around an op are looked up.
pub(crate) trait Rows {
    fn row(&self, table: &str, id: RecordId) -> Option<&Record>;
    fn clash(&self, id: ConflictId) -> Option<&Conflict>;
    /// The row that an id is another name of.
    fn alias(&self, table: &str, id: RecordId) -> Option<RecordId>;
    /// Whether everybody may see the row.
    fn is_public(&self, record: &Record) -> bool;
}

impl Rows for World {
    fn row(&self, table: &str, id: RecordId) -> Option<&Record> {
        self.record((known(table)?, id))
    }

    fn clash(&self, id: ConflictId) -> Option<&Conflict> {
        self.conflict(id)
    }

    fn alias(&self, table: &str, id: RecordId) -> Option<RecordId> {
        self.alias((known(table)?, id))
    }

    fn is_public(&self, record: &Record) -> bool {
        self.is_public((record.table.name, record.id))
    }
}

/// Rows that were read for rendering.
#[derive(Default)]
pub(crate) struct Around {
    pub records: HashMap<Key, Record>,
    pub conflicts: HashMap<ConflictId, Conflict>,
    pub names: HashMap<Key, Name>,
    /// Those of the rows that everybody may see.
    pub public: HashSet<Key>,
}

impl Rows for Around {
    fn row(&self, table: &str, id: RecordId) -> Option<&Record> {
        self.records.get(&(known(table)?, id))
    }

    fn clash(&self, id: ConflictId) -> Option<&Conflict> {
        self.conflicts.get(&id)
    }

    fn alias(&self, table: &str, id: RecordId) -> Option<RecordId> {
        let key = (known(table)?, id);
        true_name(key, |key| self.names.get(&key).map(|name| name.record_id))
    }

    fn is_public(&self, record: &Record) -> bool {
        self.public.contains(&(record.table.name, record.id))
    }
}

/// The name of a table, if there is one of that name.
fn known(name: &str) -> Option<&'static str> {
    Some(table(name)?.name)
}

/// An op's current verdict.
pub(crate) fn of_op(op: &QueuedOp, echo: Json, replayed: bool, rows: &impl Rows, actor: &Actor) -> OpResult {
    let mut result = OpResult { replayed, verdict: verdict_of(op), ..unknown(echo) };
    // An id that is another name of a row, unless a decision has made it a row of its own again.
    let is_own = |id: &RecordId| rows.row(&op.table_name, *id).is_some_and(Record::is_live);
    let alias = |id| rows.alias(&op.table_name, id).filter(|_| !is_own(&id));
    let named = op.record_id.map(|id| alias(id).unwrap_or(id));
    let record = named.and_then(|id| rows.row(&op.table_name, id)).filter(|record| record.is_live());
    let conflict = op.conflict_id.and_then(|id| rows.clash(id));
    match result.verdict {
        VerdictName::Applied => {
            result.version = op.result_version.map(|version| version.0);
            result.seq = op.result_seq.map(|seq| seq.0);
        }
        VerdictName::Merged | VerdictName::Noop => {
            let version = record.map(|record| record.version).or(op.result_version);
            result.version = version.map(|version| version.0);
            result.seq = op.result_seq.map(|seq| seq.0);
            (result.record, result.record_id) = shown(op, record, rows, actor);
            result.decision = conflict.and_then(|conflict| decision_of(conflict, actor));
        }
        VerdictName::Conflict => {
            result.conflict_id = op.conflict_id.map(|id| id.0);
            result.kind = conflict.map(|conflict| conflict.kind.as_str().to_owned());
            // Of a group's clash each op is told its own row's part.
            let part = conflict.and_then(|conflict| conflict.parts.iter().find(|part| Some(part.record_id) == named));
            result.contested = part.map(|part| part.contested.clone());
            let whole = || conflict.map(|conflict| conflict.contested.clone());
            result.contested = result.contested.or_else(whole);
            // Where two rows want one value, the answer shows the row that has it.
            let other = match part {
                Some(part) => part.other_record_id,
                None => conflict.filter(|conflict| !conflict.is_about_facts()).and_then(|clash| clash.other_record_id),
            };
            let holder = other.map_or(record, |id| rows.row(&op.table_name, id).filter(|other| other.is_live()));
            (result.record, result.record_id) = shown(op, holder, rows, actor);
            // The version is that of the row that is shown.
            let told = if result.record_id.is_some() { holder } else { record };
            result.version = told.map(|record| record.version.0);
        }
        VerdictName::Held => {
            result.conflict_id = op.conflict_id.map(|id| id.0);
            result.waiting_for.clone_from(&op.waiting_for);
        }
        VerdictName::Rejected => {
            result.error = op.error.clone().and_then(|error| serde_json::from_value(error).ok());
        }
        VerdictName::Retry | VerdictName::Unknown => {}
    }
    // What an admin did about it, outside a clash.
    result.decision = result.decision.or_else(|| seen_decision(op, actor));
    result
}

/// The answer to an op of another device, or none.
pub(crate) fn unknown(echo: Json) -> OpResult {
    OpResult {
        op_id: echo,
        verdict: VerdictName::Unknown,
        version: None,
        seq: None,
        record: None,
        record_id: None,
        conflict_id: None,
        kind: None,
        contested: None,
        waiting_for: None,
        error: None,
        after_ms: None,
        decision: None,
        replayed: false,
    }
}

/// The answer to an op that was not even filed.
pub(crate) fn not_kept(echo: Json, rejection: &Rejection) -> OpResult {
    let error =
        OpError { code: rejection.code.to_owned(), detail: rejection.detail.clone(), fields: rejection.fields.clone() };
    OpResult { verdict: VerdictName::Rejected, error: Some(error), ..unknown(echo) }
}

fn verdict_of(op: &QueuedOp) -> VerdictName {
    match op.verdict {
        Some(Verdict::Applied) => VerdictName::Applied,
        Some(Verdict::Merged) => VerdictName::Merged,
        Some(Verdict::Noop) => VerdictName::Noop,
        Some(Verdict::Conflict) => VerdictName::Conflict,
        Some(Verdict::Rejected) => VerdictName::Rejected,
        // Before the first verdict it waits to be looked at.
        Some(Verdict::Held) | None => VerdictName::Held,
    }
}

/// A row as the author may see it, and its id where it is not the op's own row.
fn shown(op: &QueuedOp, record: Option<&Record>, rows: &impl Rows, actor: &Actor) -> (Option<Json>, Option<Uuid>) {
    // Who has become a viewer keeps the answers to its entries, and sees of rows what viewers see.
    let record = record.filter(|record| actor.read_class() > ReadClass::Public || rows.is_public(record));
    let data = record.map(|record| Json::Object(record.pulled(actor.read_class())));
    let other = record.filter(|record| op.record_id != Some(record.id));
    (data, other.map(|record| record.id.0))
}

/// What a person decided about an op's clash: PROTOCOL.md §5.
fn decision_of(conflict: &Conflict, actor: &Actor) -> Option<Json> {
    match conflict.status {
        ConflictStatus::Resolved => {
            let mut decision = told_decision(conflict, conflict.decisions.last()?, actor);
            decision.insert("conflict_id".to_owned(), Json::from(conflict.id.to_string()));
            Some(Json::Object(decision))
        }
        ConflictStatus::Superseded | ConflictStatus::Withdrawn => {
            Some(serde_json::json!({ "conflict_id": conflict.id, "resolution": conflict.status.as_str() }))
        }
        ConflictStatus::Open | ConflictStatus::MergedAutomatically => None,
    }
}

/// What an admin did about an op outside a clash, as its author may see it.
fn seen_decision(op: &QueuedOp, actor: &Actor) -> Option<Json> {
    let mut decision = op.decision.clone()?;
    if let (Some(Json::Object(values)), Some(table)) = (decision.get_mut("values"), table(&op.table_name)) {
        only_seen(values, table, actor);
    }
    Some(decision)
}

/// A filed decision as the reader may see it: without what only an undo needs, and without hidden fields.
pub(crate) fn told_decision(conflict: &Conflict, decision: &Json, actor: &Actor) -> Map<String, Json> {
    let mut decision = decision.as_object().cloned().unwrap_or_default();
    decision.remove("before");
    if let Some(Json::Object(values)) = decision.get_mut("values") {
        let row = |id: &str| conflict.parts.iter().find(|part| part.record_id.to_string() == id);
        if conflict.parts.is_empty() {
            only_seen(values, conflict.table, actor);
        }
        // Of a group the values stand by row.
        for (part, values) in values.iter_mut().filter_map(|(id, values)| Some((row(id)?, values.as_object_mut()?))) {
            only_seen(values, part.table, actor);
        }
    }
    decision
}

/// Takes out the fields that the reader may not see. A path that is no field of the table tells nothing of a row.
fn only_seen(values: &mut Map<String, Json>, table: &Table, actor: &Actor) {
    let class = actor.read_class();
    values.retain(|path, _| table.field(path).is_none_or(|field| may_see(table.fields[field].access, class)));
}
