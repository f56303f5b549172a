//! One clash as it is shown: who, when, which values, what it holds up, what was asked about it.

mod timeline;
mod versions;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind, ReadClass};
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
use showdesk_store::{Tx, absences, people, questions, queue, records};
use uuid::Uuid;

use crate::Result;
use crate::api::conflicts::{
    Answered, Asked, ConflictView, GroupRecord, Outage, TouchedClass, TwoWeighIns, WeighInView,
};
use crate::api::pairing::PersonRef;
use crate::programme::Touched;
use crate::result::told_decision;
use crate::rights::{may_with_clash, require};
use crate::subjects::Subjects;
use crate::urgency::Urgency;

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

    /// To a viewer only what is the viewer's own is told beside the values: who else wrote what, and from where, a viewer
    /// may not know, and on Postgres cannot.
    pub(super) fn seen_by(mut self, actor: &Actor) -> Self {
        if actor.read_class() == ReadClass::Public {
            self.versions.clear();
            self.absences.clear();
            self.ops.retain(|_, op| op.user_id == actor.person);
            self.names.retain(|id, _| *id == actor.person);
            self.devices.retain(|_, device| device.person == actor.person);
        }
        self
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

    fn person(&self, id: PersonId) -> Json {
        json!({ "id": id, "name": self.names.get(&id) })
    }

    /// The clash as the actor may see it.
    pub(super) fn view(&self, conflict: Conflict, actor: &Actor) -> ConflictView {
        let hidden = hidden_columns(conflict.table, actor);
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
            subject: self.subject(&conflict, actor),
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
            decisions: conflict
                .decisions
                .iter()
                .map(|decision| Json::Object(told_decision(&conflict, decision, actor)))
                .collect(),
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
            base_data: without(&hidden, conflict.base_data.as_ref()),
            server_data: without(&hidden, conflict.server_data.as_ref()),
            client_data: without(&hidden, conflict.client_data.as_ref()),
            contested: conflict.contested,
            clean: conflict.clean,
        }
    }

    /// What it is about, in the words that the actor may read of an animal.
    fn subject(&self, conflict: &Conflict, actor: &Actor) -> Json {
        let sent = conflict.client_data.clone().map(Json::Object);
        let mut subject = self.subjects.of(conflict.table.name, Some(conflict.record_id), sent.as_ref());
        let hidden = hidden_columns(known_table("animals"), actor);
        if let Some(words) = subject.as_object_mut() {
            words.retain(|name, _| !hidden.contains(&name.as_str()));
        }
        subject
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
        let written = self.joined_version(conflict).and_then(|version| self.versions.get(&(key, version)));
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
        let record = GroupRecord {
            table_name: part.table.name.to_owned(),
            operation: part.operation.as_str().to_owned(),
            base: without(&hidden, part.base.as_ref()),
            server: without(&hidden, part.server.as_ref()),
            client: without(&hidden, part.client.as_ref()),
            version: part.version.0,
            other_record_id: part.other_record_id.map(|id| id.0),
            contested: part.contested.clone(),
            clean: part.clean.clone(),
        };
        (part.record_id.0, record)
    };
    (!conflict.parts.is_empty()).then(|| conflict.parts.iter().map(one).collect())
}

/// Columns the reader may not see.
fn hidden_columns(table: &Table, actor: &Actor) -> Vec<&'static str> {
    let class = actor.read_class();
    let columns = table.columns.iter().filter(|column| !may_see(table.fields[column.fields[0]].access, class));
    columns.map(|column| column.name).collect()
}

/// A row without the columns that are hidden.
fn without(hidden: &[&str], data: Option<&Map<String, Json>>) -> Option<Json> {
    let mut data = data?.clone();
    data.retain(|name, _| !hidden.contains(&name.as_str()));
    Some(Json::Object(data))
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
