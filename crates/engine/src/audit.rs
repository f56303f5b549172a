//! The record of what was decided and done beside the synced rows: by whom, about whose entry, when, why.
//! It is only added to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::ids::{DeviceId, OpId, PersonId, RecordId};
use showdesk_domain::permit::Action;
use showdesk_domain::queue::{QueuedOp, Verdict};
use showdesk_store::audit::{AuditFilter, AuditRow};
use showdesk_store::people::DeviceListRow;
use showdesk_store::{Result as StoreResult, Tx, audit, people};
use uuid::Uuid;

use crate::api::attention::{AuditItem, AuditPage, AuditQuery, NamedRef};
use crate::rights::require;
use crate::subjects::{Subjects, words_of};
use crate::{Engine, EngineError, Result};

impl Engine {
    /// The record of decisions, newest first.
    pub async fn audit(&self, actor: &Actor, query: AuditQuery) -> Result<AuditPage> {
        require(actor, Action::SeeAudit)?;
        let bad_cursor = || EngineError::BadQuery { code: "bad_filter", detail: "cursor is not known here".to_owned() };
        let before = match &query.cursor {
            Some(text) => Some(text.parse::<i64>().map_err(|_| bad_cursor())?),
            None => None,
        };
        let filter = AuditFilter {
            text: query.q.unwrap_or_default(),
            action: query.action.map(|text| text.replace('\0', "")),
            actor: query.person.map(PersonId),
            device: query.device.map(DeviceId),
            table_name: query.table.map(|text| text.replace('\0', "")),
            record_id: query.record,
            from: query.from,
            to: query.to,
            before,
            limit: query.limit + 1,
        };
        let mut tx = self.begin_read_as(actor).await?;
        let mut rows = audit::page(&mut tx, &filter).await?;
        let has_more = i64::try_from(rows.len()).is_ok_and(|count| count > query.limit);
        if has_more {
            rows.pop();
        }
        let cursor = rows.last().filter(|_| has_more).map(|(id, _)| id.to_string());
        Ok(AuditPage { items: items(&mut tx, rows).await?, cursor })
    }

    /// That the record was taken out of the program is a part of it.
    pub async fn note_audit_export(&self, actor: &Actor) -> Result<()> {
        require(actor, Action::SeeAudit)?;
        self.note(actor, "audit_exported", None, None).await
    }

    /// Somebody opened the desk's page by a printed link.
    pub async fn note_desk_opened(&self) -> Result<()> {
        let actor = self.desk_actor().await?;
        self.note(&actor, "desk_opened", Some(actor.device.0), None).await
    }

    /// Adds one row in a transaction of its own.
    pub(crate) async fn note(
        &self,
        actor: &Actor,
        action: &str,
        about: Option<Uuid>,
        after: Option<Json>,
    ) -> Result<()> {
        let mut tx = self.begin_write_as(actor).await?;
        note(&mut tx, actor, action, self.now(), about, after).await?;
        self.commit(tx).await
    }

    /// Adds one row as the last thing in a transaction of the program's own: what was done and by whom commit together.
    pub(crate) async fn note_within(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        action: &str,
        about: Option<Uuid>,
        after: Option<Json>,
    ) -> Result<()> {
        tx.go_on_as(actor.person).await?;
        Ok(note(tx, actor, action, self.now(), about, after).await?)
    }
}

/// Rows with names and with words for what they are about.
async fn items(tx: &mut Tx, rows: Vec<(i64, AuditRow)>) -> Result<Vec<AuditItem>> {
    let people = rows.iter().flat_map(|(_, row)| [row.actor, row.asked_by, beside(row).map(PersonId)]).flatten();
    let devices = rows.iter().flat_map(|(_, row)| [row.device, beside(row).map(DeviceId)]).flatten();
    let names = Names::load(tx, people.collect(), devices.collect()).await?;
    let about =
        rows.iter().filter_map(|(_, row)| Some((row.table_name.as_deref()?, row.record_id.map(RecordId), None)));
    let subjects = Subjects::load(tx, about).await?;
    let item = |(id, row): (i64, AuditRow)| {
        let subject = match &row.table_name {
            Some(table) => subjects.of(table, row.record_id.map(RecordId), None),
            None => Json::Object(Map::new()),
        };
        let called = || beside(&row).and_then(|id| names.of(id));
        AuditItem {
            id,
            at: row.at,
            subject_text: words_of(&subject).or_else(called),
            subject,
            action: row.action,
            actor: row.actor.map(|id| names.person(id)),
            device: row.device.map(|id| names.device(id)),
            asked_by: row.asked_by.map(|id| names.person(id)),
            table_name: row.table_name,
            record_id: row.record_id,
            op_id: row.op_id.map(|id| id.0),
            conflict_id: row.conflict_id.map(|id| id.0),
            bulk_id: row.bulk_id,
            before: row.before,
            after: row.after,
            reason: row.reason,
        }
    };
    Ok(rows.into_iter().map(item).collect())
}

/// What a row is about that is none of the show's tables: perhaps a device or a person.
fn beside(row: &AuditRow) -> Option<Uuid> {
    row.record_id.filter(|_| row.table_name.is_none())
}

/// Names of people and devices.
pub(crate) struct Names {
    people: HashMap<PersonId, String>,
    devices: HashMap<DeviceId, String>,
}

impl Names {
    pub(crate) async fn load(tx: &mut Tx, people: Vec<PersonId>, devices: Vec<DeviceId>) -> StoreResult<Self> {
        let people = people::profiles(tx, &unique(people)).await?;
        let devices = people::devices_by_id(tx, &unique(devices)).await?;
        Ok(Self {
            people: people.into_iter().map(|person| (person.id, person.name)).collect(),
            devices: devices.into_iter().map(|device| (device.id, device.name)).collect(),
        })
    }

    pub(crate) fn person(&self, id: PersonId) -> NamedRef {
        NamedRef { id: id.0, name: self.people.get(&id).cloned().unwrap_or_default() }
    }

    /// The name of a device or a person with that id.
    fn of(&self, id: Uuid) -> Option<String> {
        self.devices.get(&DeviceId(id)).or_else(|| self.people.get(&PersonId(id))).cloned()
    }

    pub(crate) fn device(&self, id: DeviceId) -> NamedRef {
        NamedRef { id: id.0, name: self.devices.get(&id).cloned().unwrap_or_default() }
    }
}

fn unique<T: Ord>(mut ids: Vec<T>) -> Vec<T> {
    ids.sort();
    ids.dedup();
    ids
}

/// Adds one row about something the actor did.
pub(crate) async fn note(
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    at: DateTime<Utc>,
    about: Option<Uuid>,
    after: Option<Json>,
) -> StoreResult<()> {
    let row = AuditRow { record_id: about, after, ..by(actor, action, at) };
    audit::add(tx, &[row]).await
}

/// A decision about a clash, as it is after it: whose entry, what was in force before, what is now.
pub(crate) fn about_clash(
    actor: &Actor,
    action: &str,
    was: ConflictStatus,
    clash: &Conflict,
    at: DateTime<Utc>,
) -> AuditRow {
    let decision = clash.decisions.last();
    let part = |key: &str| decision.and_then(|decision| decision.get(key)).cloned().unwrap_or_default();
    let values_before = part("before").get("values").cloned().unwrap_or_default();
    let mut before = json!({ "status": was.as_str() });
    let mut after = json!({ "status": clash.status.as_str() });
    match (was, clash.status) {
        (ConflictStatus::Open, ConflictStatus::Resolved) => {
            before["values"] = values_before;
            after["values"] = part("values");
            after["resolution"] = part("resolution");
        }
        (ConflictStatus::Resolved, ConflictStatus::Open) if !part("undone_at").is_null() => {
            before["values"] = part("values");
            before["resolution"] = part("resolution");
            after["values"] = values_before;
        }
        _ => {}
    }
    AuditRow {
        asked_by: Some(clash.user_id),
        table_name: Some(clash.table.name.to_owned()),
        record_id: Some(clash.record_id.0),
        op_id: Some(clash.queue_id),
        conflict_id: Some(clash.id),
        before: Some(before),
        after: Some(after),
        ..by(actor, action, at)
    }
}

/// What an admin did to a device: whose it is stands beside.
pub(crate) fn about_device(actor: &Actor, action: &str, row: &DeviceListRow, at: DateTime<Utc>) -> AuditRow {
    AuditRow { record_id: Some(row.device.id.0), asked_by: Some(row.device.person), ..by(actor, action, at) }
}

/// A write of the desk that changes what everybody may do: the show's stage.
pub(crate) fn about_stage(
    actor: &Actor,
    (show, op): (RecordId, OpId),
    (before, after): (&str, &str),
    reason: Option<&str>,
    at: DateTime<Utc>,
) -> AuditRow {
    AuditRow {
        table_name: Some("shows".to_owned()),
        record_id: Some(show.0),
        op_id: Some(op),
        before: Some(json!({ "stage": before })),
        after: Some(json!({ "stage": after })),
        reason: reason.map(str::to_owned),
        ..by(actor, "stage_changed", at)
    }
}

/// What an admin did about an op.
pub(crate) fn about_op(actor: &Actor, action: &str, was: &QueuedOp, op: &QueuedOp, at: DateTime<Utc>) -> AuditRow {
    let state = |op: &QueuedOp| {
        json!({
            "status": op.status.as_str(), "verdict": op.verdict.map(Verdict::as_str), "error": op.error,
            "waiting_for": op.waiting_for,
        })
    };
    AuditRow {
        asked_by: Some(op.user_id),
        table_name: Some(op.table_name.clone()),
        record_id: op.record_id.map(|id| id.0),
        op_id: Some(op.id),
        before: Some(state(was)),
        after: Some(state(op)),
        ..by(actor, action, at)
    }
}

/// A question about a clash, or its answer.
pub(crate) fn about_question(actor: &Actor, action: &str, clash: &Conflict, text: &str, at: DateTime<Utc>) -> AuditRow {
    AuditRow {
        asked_by: Some(clash.user_id),
        table_name: Some(clash.table.name.to_owned()),
        record_id: Some(clash.record_id.0),
        op_id: Some(clash.queue_id),
        conflict_id: Some(clash.id),
        after: Some(json!({ "text": text })),
        ..by(actor, action, at)
    }
}

pub(crate) fn by(actor: &Actor, action: &str, at: DateTime<Utc>) -> AuditRow {
    AuditRow {
        at,
        actor: Some(actor.person),
        device: Some(actor.device),
        action: action.to_owned(),
        asked_by: None,
        table_name: None,
        record_id: None,
        op_id: None,
        conflict_id: None,
        bulk_id: None,
        before: None,
        after: None,
        reason: None,
    }
}
