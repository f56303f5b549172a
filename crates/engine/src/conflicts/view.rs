//! One clash as it is shown: who, when, which values, what it holds up, what was asked about it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::conflict::{Conflict, ConflictKind, ConflictStatus, Part};
use showdesk_domain::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Version};
use showdesk_domain::permit::Action;
use showdesk_domain::queue::QueuedOp;
use showdesk_domain::record::{HistoryRow, may_see};
use showdesk_domain::schema::{Table, known_table};
use showdesk_domain::world::Key;
use showdesk_store::absences::AbsenceRow;
use showdesk_store::people::DeviceRow;
use showdesk_store::programme::ClassRow;
use showdesk_store::questions::QuestionRow;
use showdesk_store::{Tx, absences, history, people, questions, queue, records};
use uuid::Uuid;

use crate::Result;
use crate::api::conflicts::{
    Answered, Asked, ConflictView, GroupRecord, Outage, TimelinePoint, TouchedClass, TwoWeighIns, WeighInView,
};
use crate::api::pairing::PersonRef;
use crate::programme::Touched;
use crate::result::without_before;
use crate::rights::{may_with_clash, require};
use crate::subjects::Subjects;
use crate::urgency::Urgency;

/// Versions before a decision among which the one is looked for that wrote the desk's value.
const VERSIONS_BACK: i64 = 8;
/// So far apart may be what a phone and the desk call one moment.
const CLOCKS_DIFFER: chrono::TimeDelta = chrono::TimeDelta::seconds(5);

/// Everything that is read to show some clashes.
pub(super) struct Context {
    now: DateTime<Utc>,
    zone: chrono_tz::Tz,
    touched: Touched,
    absences: HashMap<DeviceId, Vec<AbsenceRow>>,
    questions: HashMap<ConflictId, QuestionRow>,
    ops: HashMap<OpId, QueuedOp>,
    subjects: Subjects,
    versions: HashMap<(Key, Version), HistoryRow>,
    names: HashMap<PersonId, String>,
    devices: HashMap<DeviceId, DeviceRow>,
}

impl Context {
    /// Reads what these clashes are about. The moment and the show's time zone tell what is shown today.
    pub(super) async fn load(
        tx: &mut Tx,
        found: &[Conflict],
        (now, zone): (DateTime<Utc>, chrono_tz::Tz),
    ) -> Result<Self> {
        let ops: Vec<OpId> = found.iter().map(|conflict| conflict.queue_id).collect();
        let ops = queue::load(tx, &ops).await?.into_iter().map(|op| (op.id, op)).collect();
        let mut context = Self {
            now,
            zone,
            touched: Touched::by(tx, found).await?,
            absences: HashMap::new(),
            questions: HashMap::new(),
            ops,
            subjects: Subjects::default(),
            versions: HashMap::new(),
            names: HashMap::new(),
            devices: HashMap::new(),
        };
        context.load_records(tx, found).await?;
        context.load_versions(tx, found).await?;
        let ids: Vec<ConflictId> = found.iter().map(|conflict| conflict.id).collect();
        // The last one asked about each clash is what counts.
        let asked = questions::of_conflicts(tx, &ids).await?;
        context.questions = asked.into_iter().map(|question| (question.conflict_id, question)).collect();
        let asked = context.questions.values();
        let speakers =
            asked.flat_map(|one| [Some(one.asked_by), one.answer.as_ref().map(|answer| answer.by)]).flatten();
        let people: Vec<PersonId> = found
            .iter()
            .map(|conflict| conflict.user_id)
            .chain(speakers)
            .chain(context.versions.values().filter_map(|version| version.actor))
            .collect();
        let devices: Vec<DeviceId> = found
            .iter()
            .map(|conflict| conflict.device_id)
            .chain(context.versions.values().filter_map(|version| version.device_id))
            .collect();
        let people = people::profiles(tx, &unique(people)).await?;
        context.names = people.into_iter().map(|person| (person.id, person.name)).collect();
        let authors = unique(found.iter().map(|conflict| conflict.device_id).collect());
        for absence in absences::of_devices(tx, &authors).await? {
            context.absences.entry(absence.device).or_default().push(absence);
        }
        let devices = people::devices_by_id(tx, &unique(devices)).await?;
        context.devices = devices.into_iter().map(|device| (device.id, device)).collect();
        Ok(context)
    }

    async fn load_records(&mut self, tx: &mut Tx, found: &[Conflict]) -> Result<()> {
        let own = found.iter().map(|conflict| (conflict.table.name, Some(conflict.record_id), None));
        let weighed = found.iter().filter(|conflict| conflict.is_about_weights()).flat_map(|conflict| {
            let both = [self.later_weigh_in(conflict), conflict.other_record_id];
            both.map(|id| ("weigh_ins", id, None))
        });
        self.subjects = Subjects::load(tx, own.chain(weighed).collect::<Vec<_>>().into_iter()).await?;
        let before = found.iter().filter_map(|conflict| self.replaced_by(conflict.other_record_id)).collect::<Vec<_>>();
        for row in records::load(tx, known_table("weigh_ins"), &before).await? {
            self.subjects.records.insert(("weigh_ins", row.id), row);
        }
        Ok(())
    }

    /// The versions that tell who wrote the desk's values and when both sides had the same.
    async fn load_versions(&mut self, tx: &mut Tx, found: &[Conflict]) -> Result<()> {
        let mut wanted = Vec::new();
        for conflict in found {
            let key = (conflict.table.name, conflict.record_id);
            let written = self.server_versions_of(conflict).into_iter();
            wanted.extend(written.filter(|version| version.0 > 0).map(|version| (conflict.table, key.1, version)));
            let parts = conflict.parts.iter().filter(|part| part.version.0 > 0);
            wanted.extend(parts.map(|part| (part.table, part.record_id, part.version)));
            let base = self.ops.get(&conflict.queue_id).map(|op| op.version).filter(|version| version.0 > 0);
            wanted.extend(self.joined_version(conflict).map(|version| (conflict.table, key.1, version)));
            wanted.extend(base.map(|version| (conflict.table, key.1, version)));
        }
        for row in history::snapshots(tx, &wanted).await? {
            self.versions.insert(((row.table.name, row.record_id), row.version), row);
        }
        Ok(())
    }

    /// The versions that may have written the desk's value of the contested fields, the newest first. Of a clash that was
    /// decided, or joined by a rule, these are the ones before that write, which may have written the fields itself.
    fn server_versions_of(&self, conflict: &Conflict) -> Vec<Version> {
        if let Some(decided) = decided_version(conflict) {
            return (1..=VERSIONS_BACK).map(|back| Version(decided.0 - back)).collect();
        }
        if let Some(joined) = self.joined_version(conflict) {
            return (0..=VERSIONS_BACK).map(|back| Version(joined.0 - back)).collect();
        }
        let record = self.subjects.records.get(&(conflict.table.name, conflict.record_id));
        let Some(record) = record else { return Vec::new() };
        let marks = conflict.contested.iter().filter_map(|path| record.provenance.get(path));
        vec![marks.map(|mark| mark.version).max().unwrap_or(record.version)]
    }

    /// The version that a rule made of both sides, if one did.
    fn joined_version(&self, conflict: &Conflict) -> Option<Version> {
        let joined = conflict.status == ConflictStatus::MergedAutomatically;
        self.ops.get(&conflict.queue_id).filter(|_| joined)?.result_version
    }

    /// The write that made the desk's value, as far as that is kept. Of a group it is the last one of its rows.
    fn server_write(&self, conflict: &Conflict) -> Option<&HistoryRow> {
        let version = |key: Key, version: Version| self.versions.get(&(key, version));
        if !conflict.parts.is_empty() {
            let parts = conflict.parts.iter();
            let writes = parts.filter_map(|part| version((part.table.name, part.record_id), part.version));
            return writes.max_by_key(|row| row.seq);
        }
        let key = (conflict.table.name, conflict.record_id);
        let rows = self.server_versions_of(conflict).into_iter().filter_map(|number| version(key, number));
        let joined = self.joined_version(conflict).is_some();
        let rows: Vec<&HistoryRow> = rows.filter(|row| !joined || row.op_id != Some(conflict.queue_id)).collect();
        let contested = |row: &HistoryRow| -> Vec<Json> {
            let data: Map<String, Json> = serde_json::from_str(&row.snapshot).unwrap_or_default();
            conflict.contested.iter().map(|path| value_at(&data, path)).collect()
        };
        let wrote = rows.windows(2).find(|pair| contested(pair[0]) != contested(pair[1])).map(|pair| pair[0]);
        wrote.or(rows.last().copied())
    }

    fn person(&self, id: PersonId) -> Json {
        json!({ "id": id, "name": self.names.get(&id) })
    }

    /// The clash as the actor may see it.
    pub(super) fn view(&self, conflict: Conflict, actor: &Actor) -> ConflictView {
        let hidden = hidden_columns(conflict.table, actor);
        let shown = |data: Option<Map<String, Json>>| {
            data.map(|mut data| {
                data.retain(|name, _| !hidden.contains(&name.as_str()));
                Json::Object(data)
            })
        };
        ConflictView {
            id: conflict.id.0,
            kind: conflict.kind.as_str().to_owned(),
            rule: conflict.rule.clone(),
            status: conflict.status.as_str().to_owned(),
            rev: conflict.rev,
            table_name: conflict.table.name.to_owned(),
            record_id: conflict.record_id.0,
            other_record_id: conflict.other_record_id.map(|id| id.0),
            op_ids: conflict.op_ids.iter().map(|id| id.0).collect(),
            subject: self.subjects.of(
                conflict.table.name,
                Some(conflict.record_id),
                conflict.client_data.clone().map(Json::Object).as_ref(),
            ),
            server_version: conflict.server_version.0,
            records: group_records(&conflict, actor),
            device: json!({
                "id": conflict.device_id, "name": self.devices.get(&conflict.device_id).map(|device| &device.name),
            }),
            author: self.person(conflict.user_id),
            server_author: self.server_author(&conflict),
            opened_at: conflict.created_at,
            resolved_at: conflict.resolved_at,
            timeline: self.timeline(&conflict, actor),
            decisions: conflict.decisions.iter().map(|decision| told_decision(&conflict, decision, actor)).collect(),
            disagreement: conflict.disagreement.clone(),
            bulk_id: conflict.bulk_id,
            weigh_ins: self.weigh_ins(&conflict),
            kept: self.kept(&conflict),
            class: self.touched.class_of(&conflict).map(touched_class),
            severity: Urgency::of(&conflict, self.touched.class_of(&conflict), self.now, self.zone)
                .severity
                .as_str()
                .to_owned(),
            outage: self.outage(&conflict),
            asked: self.asked(&conflict, actor),
            base_data: shown(conflict.base_data),
            server_data: shown(conflict.server_data),
            client_data: shown(conflict.client_data),
            contested: conflict.contested,
            clean: conflict.clean,
        }
    }

    fn server_author(&self, conflict: &Conflict) -> Json {
        let Some(version) = self.server_write(conflict) else { return Json::Null };
        let device = version.device_id.and_then(|id| self.devices.get(&id));
        json!({
            "id": version.actor,
            "name": version.actor.and_then(|id| self.names.get(&id)),
            "device": device.map(|device| &device.name),
            "device_kind": device.map(|device| if device.kind == DeviceKind::Desk { "desk" } else { "phone" }),
            "at": showdesk_domain::value::instant_text(version.at),
        })
    }

    /// The weigh-ins that contradict each other, by rule C1.
    fn weigh_ins(&self, conflict: &Conflict) -> Option<TwoWeighIns> {
        let view = |id: Option<RecordId>| {
            let row = self.subjects.records.get(&("weigh_ins", id?))?;
            let text = |path: &str| row.value(path).as_text().map(str::to_owned);
            Some(WeighInView {
                record_id: row.id.0,
                weight_x10: row.value("weight_x10").as_int(),
                source: text("source"),
                scale: text("scale"),
                tag_read: text("tag_read"),
                weighed_at: row.value("weighed_at").as_instant(),
            })
        };
        conflict.is_about_weights().then(|| TwoWeighIns {
            base: view(self.replaced_by(conflict.other_record_id)),
            client: view(self.later_weigh_in(conflict)),
            server: view(conflict.other_record_id),
        })
    }

    fn replaced_by(&self, weigh_in: Option<RecordId>) -> Option<RecordId> {
        let row = self.subjects.records.get(&("weigh_ins", weigh_in?))?;
        row.value("replaces_id").as_id().map(RecordId)
    }

    /// Which side a policy kept. A rule's merge is always for what came later.
    fn kept(&self, conflict: &Conflict) -> Option<BTreeMap<String, String>> {
        if conflict.status != ConflictStatus::MergedAutomatically {
            return None;
        }
        let key = (conflict.table.name, conflict.record_id);
        let result = self.ops.get(&conflict.queue_id).and_then(|op| op.result_version);
        let written = result.and_then(|version| self.versions.get(&(key, version)));
        let written: Option<Json> = written.and_then(|row| serde_json::from_str(&row.snapshot).ok());
        let nothing = Map::new();
        let side = |path: &str| {
            let in_row = |data: &Option<Map<String, Json>>| value_at(data.as_ref().unwrap_or(&nothing), path);
            let (client, server) = (in_row(&conflict.client_data), in_row(&conflict.server_data));
            let stands = match written.as_ref().and_then(Json::as_object) {
                _ if conflict.kind == ConflictKind::Rule => client.clone(),
                Some(row) => value_at(row, path),
                None => server.clone(),
            };
            match (stands == client, stands == server) {
                (true, true) => "both",
                (true, false) => "client",
                _ => "server",
            }
        };
        Some(conflict.contested.iter().map(|path| (path.clone(), side(path).to_owned())).collect())
    }

    fn later_weigh_in(&self, conflict: &Conflict) -> Option<RecordId> {
        self.ops.get(&conflict.queue_id).filter(|op| op.table_name == "weigh_ins").and_then(|op| op.record_id)
    }

    /// The absence in which the entry was made: it came when the device was back.
    fn outage(&self, conflict: &Conflict) -> Option<Outage> {
        let op = self.ops.get(&conflict.queue_id)?;
        let made_at = op.client_time? - chrono::Duration::milliseconds(op.skew_ms);
        let meanwhile = |absence: &&AbsenceRow| {
            let (from, to) = (absence.away_from - CLOCKS_DIFFER, absence.back_at + CLOCKS_DIFFER);
            (from..=to).contains(&made_at) && op.created_at >= absence.back_at - CLOCKS_DIFFER
        };
        let absence = self.absences.get(&conflict.device_id)?.iter().rfind(meanwhile)?;
        Some(Outage {
            device_id: conflict.device_id.0,
            device_name: self.devices.get(&conflict.device_id).map(|device| device.name.clone()).unwrap_or_default(),
            away_from: absence.away_from,
            back_at: absence.back_at,
        })
    }

    /// What the author was asked last, for the desk and the author.
    fn asked(&self, conflict: &Conflict, actor: &Actor) -> Option<Asked> {
        let may_see =
            require(actor, Action::SeeClashes).is_ok() || may_with_clash(actor, Action::AnswerClash, conflict);
        let question = self.questions.get(&conflict.id).filter(|_| may_see)?;
        let person = |id: PersonId| PersonRef { id: id.0, name: self.names.get(&id).cloned().unwrap_or_default() };
        Some(Asked {
            id: question.id,
            at: question.asked_at,
            by: person(question.asked_by),
            text: question.question.clone(),
            answer: question.answer.as_ref().map(|answer| Answered {
                at: answer.at,
                by: person(answer.by),
                text: answer.text.clone(),
            }),
        })
    }

    fn timeline(&self, conflict: &Conflict, actor: &Actor) -> Vec<TimelinePoint> {
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

/// The version that a decision in force has written.
fn decided_version(conflict: &Conflict) -> Option<Version> {
    let decision = conflict.decisions.last().filter(|_| conflict.status == ConflictStatus::Resolved)?;
    decision.get("result_version").and_then(Json::as_i64).map(Version)
}

fn touched_class(class: &ClassRow) -> TouchedClass {
    TouchedClass {
        id: class.id,
        code: class.code.clone(),
        name: class.name.clone(),
        ring: class.ring.clone(),
        planned_at: class.planned_at,
        status: class.status.clone(),
    }
}

/// The rows of a group as the reader may see them; none for a single change.
fn group_records(conflict: &Conflict, actor: &Actor) -> Option<BTreeMap<Uuid, GroupRecord>> {
    let one = |part: &Part| {
        let hidden = hidden_columns(part.table, actor);
        let shown = |data: &Option<Map<String, Json>>| {
            data.clone().map(|mut data| {
                data.retain(|name, _| !hidden.contains(&name.as_str()));
                Json::Object(data)
            })
        };
        let record = GroupRecord {
            table_name: part.table.name.to_owned(),
            operation: part.operation.as_str().to_owned(),
            base: shown(&part.base),
            server: shown(&part.server),
            client: shown(&part.client),
            version: part.version.0,
            other_record_id: part.other_record_id.map(|id| id.0),
            contested: part.contested.clone(),
            clean: part.clean.clone(),
        };
        (part.record_id.0, record)
    };
    (!conflict.parts.is_empty()).then(|| conflict.parts.iter().map(one).collect())
}

/// A decision as the reader may see it.
fn told_decision(conflict: &Conflict, decision: &Json, actor: &Actor) -> Json {
    let mut told = without_before(decision);
    let class = actor.read_class();
    let is_seen =
        |path: &str| conflict.table.field(path).is_none_or(|field| may_see(conflict.table.fields[field].access, class));
    if let Some(Json::Object(values)) = told.get_mut("values") {
        values.retain(|path, _| is_seen(path));
    }
    Json::Object(told)
}

/// Columns the reader may not see.
fn hidden_columns(table: &Table, actor: &Actor) -> Vec<&'static str> {
    let class = actor.read_class();
    let columns = table.columns.iter().filter(|column| !may_see(table.fields[column.fields[0]].access, class));
    columns.map(|column| column.name).collect()
}

fn value_at(data: &Map<String, Json>, path: &str) -> Json {
    let value = match path.split_once('.') {
        Some((column, key)) => data.get(column).and_then(|column| column.get(key)),
        None => data.get(path),
    };
    value.cloned().unwrap_or(Json::Null)
}

fn unique<T: Ord + Copy>(mut ids: Vec<T>) -> Vec<T> {
    ids.sort();
    ids.dedup();
    ids
}
