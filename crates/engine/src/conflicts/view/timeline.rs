//! What happened to a clash, in its order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::record::may_see;

use super::{Context, value_at};
use crate::api::conflicts::TimelinePoint;

impl Context {
    pub(super) fn timeline(&self, conflict: &Conflict, actor: &Actor) -> Vec<TimelinePoint> {
        let class = actor.read_class();
        let is_seen = |path: &&String| {
            conflict.table.field(path).is_some_and(|field| may_see(conflict.table.fields[field].access, class))
        };
        let values = |data: Option<&Map<String, Json>>| {
            let data = data.cloned().unwrap_or_default();
            let seen = conflict.contested.iter().filter(is_seen);
            seen.map(|path| (path.clone(), value_at(&data, path))).collect::<BTreeMap<_, _>>()
        };
        let point = |what: &str, at: DateTime<Utc>| TimelinePoint {
            what: what.to_owned(),
            at,
            who: None,
            device: None,
            values: BTreeMap::new(),
            skew_ms: None,
        };
        let mut points = Vec::new();
        let key = (conflict.table.name, conflict.record_id);
        let op = self.ops.get(&conflict.queue_id);
        if let Some(base) = op.and_then(|op| self.versions.get(&(key, op.version))) {
            points.push(TimelinePoint { values: values(conflict.base_data.as_ref()), ..point("base", base.at) });
        }
        if let Some(server) = self.server_write(conflict) {
            points.push(TimelinePoint {
                who: server.actor.and_then(|id| self.names.get(&id).cloned()),
                device: server.device_id.and_then(|id| self.devices.get(&id)).map(|device| device.name.clone()),
                values: values(conflict.server_data.as_ref()),
                ..point("server", server.at)
            });
        }
        if let Some(op) = op {
            let author = self.names.get(&conflict.user_id).cloned();
            let device = self.devices.get(&conflict.device_id).map(|device| device.name.clone());
            if let Some(time) = op.client_time {
                points.push(TimelinePoint {
                    who: author.clone(),
                    device: device.clone(),
                    values: values(conflict.client_data.as_ref()),
                    skew_ms: Some(op.skew_ms),
                    ..point("client", time - chrono::Duration::milliseconds(op.skew_ms))
                });
            }
            points.push(TimelinePoint { who: author, device, ..point("arrived", op.created_at) });
        }
        points.sort_by_key(|point| point.at);
        points.extend(decided_points(conflict, &point));
        points
    }
}

fn decided_points(conflict: &Conflict, point: &dyn Fn(&str, DateTime<Utc>) -> TimelinePoint) -> Vec<TimelinePoint> {
    let text = |json: &Json, key: &str| json.get(key).and_then(Json::as_str).map(str::to_owned);
    let time = |json: &Json, key: &str| text(json, key).and_then(|at| showdesk_domain::value::parse_instant(&at));
    let mut points = Vec::new();
    for decision in &conflict.decisions {
        if let Some(at) = time(decision, "at") {
            points.push(TimelinePoint { who: text(decision, "by_name"), ..point("decided", at) });
        }
        if let Some(at) = time(decision, "undone_at") {
            let who = decision.get("undone_by").and_then(|by| text(by, "name"));
            points.push(TimelinePoint { who, ..point("undone", at) });
        }
    }
    if let Some(said) = &conflict.disagreement
        && let Some(at) = time(said, "at")
    {
        let who = said.get("by").and_then(|by| text(by, "name"));
        points.push(TimelinePoint { who, ..point("disagreed", at) });
    }
    if let (ConflictStatus::Withdrawn, Some(at)) = (conflict.status, conflict.resolved_at) {
        points.push(point("withdrawn", at));
    }
    points
}
