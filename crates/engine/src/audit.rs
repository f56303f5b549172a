//! The record of what was decided and done beside the synced rows: by whom, about whose entry, when, why.
//! It is only added to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::queue::QueuedOp;
use showdesk_store::audit::{AuditFilter, AuditRow};
use showdesk_store::{Result as StoreResult, Tx, audit, people};
use uuid::Uuid;

use crate::api::attention::{AuditItem, AuditPage, AuditQuery, NamedRef};
use crate::people::require_admin;
use crate::{Engine, EngineError, Result};

impl Engine {
    /// The record of decisions, newest first.
    pub async fn audit(&self, actor: &Actor, query: AuditQuery) -> Result<AuditPage> {
        require_admin(actor)?;
        let bad_cursor = || EngineError::BadQuery { code: "bad_filter", detail: "cursor is not known here".to_owned() };
        let before = match &query.cursor {
            Some(text) => Some(text.parse::<i64>().map_err(|_| bad_cursor())?),
            None => None,
        };
        let filter = AuditFilter {
            action: query.action.map(|text| text.replace('\0', "")),
            actor: query.person.map(PersonId),
            table_name: query.table.map(|text| text.replace('\0', "")),
            record_id: query.record,
            before,
            limit: query.limit + 1,
        };
        let mut tx = self.db().begin_read().await?;
        let mut rows = audit::page(&mut tx, &filter).await?;
        let has_more = i64::try_from(rows.len()).is_ok_and(|count| count > query.limit);
        if has_more {
            rows.pop();
        }
        let cursor = rows.last().filter(|_| has_more).map(|(id, _)| id.to_string());
        let people = rows.iter().flat_map(|(_, row)| [row.actor, row.asked_by]).flatten().collect();
        let names = Names::load(&mut tx, people, rows.iter().filter_map(|(_, row)| row.device).collect()).await?;
        let items = rows.into_iter().map(|(id, row)| AuditItem {
            id,
            at: row.at,
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
        });
        Ok(AuditPage { items: items.collect(), cursor })
    }
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

/// What an admin did about an op.
pub(crate) fn about_op(actor: &Actor, action: &str, was: &QueuedOp, op: &QueuedOp, at: DateTime<Utc>) -> AuditRow {
    let state = |op: &QueuedOp| {
        json!({
            "status": op.status.as_str(), "verdict": op.verdict, "error": op.error, "waiting_for": op.waiting_for,
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

fn by(actor: &Actor, action: &str, at: DateTime<Utc>) -> AuditRow {
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
