//! Clashes as the desk and their authors read them: who, when, which values, in which order.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::conflict::{Conflict, ConflictKind, ConflictStatus, Part};
use showdesk_domain::ids::{ConflictId, DeviceId, OpId, PersonId, RecordId, Version};
use showdesk_domain::queue::QueuedOp;
use showdesk_domain::record::{HistoryRow, Record};
use showdesk_domain::schema::{Access, Table, known_table, table};
use showdesk_domain::world::Key;
use showdesk_store::conflicts::ConflictFilter;
use showdesk_store::people::DeviceRow;
use showdesk_store::{Tx, conflicts, history, people, queue, records};
use uuid::Uuid;

use crate::api::conflicts::{ConflictPage, ConflictQuery, ConflictView, GroupRecord, MyConflicts, TimelinePoint};
use crate::people::require_admin;
use crate::result::without_before;
use crate::{Engine, EngineError, Result};

/// Clashes of one page.
const PAGE: usize = 200;

impl Engine {
    /// Clashes, for the desk.
    pub async fn conflicts(&self, actor: &Actor, query: ConflictQuery) -> Result<ConflictPage> {
        require_admin(actor)?;
        let mut filter = filter_of(&query)?;
        filter.limit = i64::try_from(PAGE + 1).expect("a small number");
        let mut tx = self.db().begin_read().await?;
        let mut found = conflicts::list(&mut tx, &filter).await?;
        let has_more = found.len() > PAGE;
        found.truncate(PAGE);
        let cursor = found.last().filter(|_| has_more).map(|last| page_cursor(last.created_at, last.id));
        Ok(ConflictPage { items: views(&mut tx, found, actor).await?, cursor })
    }

    /// One clash, for the desk.
    pub async fn conflict(&self, actor: &Actor, id: Uuid) -> Result<ConflictView> {
        require_admin(actor)?;
        self.conflict_view(actor, ConflictId(id)).await
    }

    /// Clashes about the actor's own entries: those its device sent, and those whose desk value it wrote.
    pub async fn my_conflicts(&self, actor: &Actor) -> Result<MyConflicts> {
        let mut tx = self.db().begin_read().await?;
        let limit = i64::try_from(PAGE).expect("a small number");
        let mut found = conflicts::of_author(&mut tx, actor.device, actor.person, limit).await?;
        found.retain(|conflict| conflict.status != ConflictStatus::MergedAutomatically);
        found.sort_by_key(|conflict| conflict.status != ConflictStatus::Open);
        Ok(MyConflicts { items: views(&mut tx, found, actor).await? })
    }

    pub(crate) async fn conflict_view(&self, actor: &Actor, id: ConflictId) -> Result<ConflictView> {
        let mut tx = self.db().begin_read().await?;
        let found = conflicts::load(&mut tx, &[id]).await?;
        views(&mut tx, found, actor).await?.pop().ok_or(EngineError::NotFound("the clash"))
    }
}

pub(crate) fn filter_of(query: &ConflictQuery) -> Result<ConflictFilter> {
    let bad = |name: &str| EngineError::BadQuery { code: "bad_filter", detail: format!("{name} is not known here") };
    let status = match &query.status {
        Some(word) => Some(ConflictStatus::parse(word).ok_or_else(|| bad("status"))?),
        None => None,
    };
    let kind = match &query.kind {
        Some(word) => Some(ConflictKind::parse(word).ok_or_else(|| bad("kind"))?),
        None => None,
    };
    let in_table = match &query.table {
        Some(name) => Some(table(name).ok_or_else(|| bad("table"))?),
        None => None,
    };
    let before = match &query.cursor {
        Some(text) => Some(read_page_cursor(text).ok_or_else(|| bad("cursor"))?),
        None => None,
    };
    Ok(ConflictFilter { status, kind, table: in_table, device: query.device.map(DeviceId), before, limit: 0 })
}

fn page_cursor(at: DateTime<Utc>, id: ConflictId) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{id}", at.timestamp_millis()))
}

fn read_page_cursor(text: &str) -> Option<(DateTime<Utc>, ConflictId)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (at, id) = text.split_once('.')?;
    Some((DateTime::from_timestamp_millis(at.parse().ok()?)?, ConflictId(Uuid::try_parse(id).ok()?)))
}

/// Everything that is read to show some clashes.
struct Context {
    ops: HashMap<OpId, QueuedOp>,
    records: HashMap<Key, Record>,
    versions: HashMap<(Key, Version), HistoryRow>,
    names: HashMap<PersonId, String>,
    devices: HashMap<DeviceId, DeviceRow>,
}

async fn views(tx: &mut Tx, found: Vec<Conflict>, actor: &Actor) -> Result<Vec<ConflictView>> {
    let context = Context::load(tx, &found).await?;
    Ok(found.into_iter().map(|conflict| context.view(conflict, actor)).collect())
}

impl Context {
    async fn load(tx: &mut Tx, found: &[Conflict]) -> Result<Self> {
        let ops: Vec<OpId> = found.iter().map(|conflict| conflict.queue_id).collect();
        let ops = queue::load(tx, &ops).await?.into_iter().map(|op| (op.id, op)).collect();
        let mut context = Self {
            ops,
            records: HashMap::new(),
            versions: HashMap::new(),
            names: HashMap::new(),
            devices: HashMap::new(),
        };
        context.load_records(tx, found).await?;
        context.load_versions(tx, found).await?;
        let people: Vec<PersonId> = found
            .iter()
            .map(|conflict| conflict.user_id)
            .chain(context.versions.values().filter_map(|version| version.actor))
            .collect();
        let devices: Vec<DeviceId> = found
            .iter()
            .map(|conflict| conflict.device_id)
            .chain(context.versions.values().filter_map(|version| version.device_id))
            .collect();
        let people = people::profiles(tx, &unique(people)).await?;
        context.names = people.into_iter().map(|person| (person.id, person.name)).collect();
        let devices = people::devices_by_id(tx, &unique(devices)).await?;
        context.devices = devices.into_iter().map(|device| (device.id, device)).collect();
        Ok(context)
    }

    async fn load_records(&mut self, tx: &mut Tx, found: &[Conflict]) -> Result<()> {
        let mut wanted: BTreeMap<&'static str, Vec<RecordId>> = BTreeMap::new();
        for conflict in found {
            wanted.entry(conflict.table.name).or_default().push(conflict.record_id);
        }
        self.load_rows(tx, wanted).await?;
        // What a row is about: an animal's exhibitor, a weigh-in's animal.
        let mut around: BTreeMap<&'static str, Vec<RecordId>> = BTreeMap::new();
        for record in self.records.values() {
            for (field, target) in record.table.references().filter(|(_, name)| SUBJECT_TABLES.contains(name)) {
                if let Some(id) = record.values[field].as_id() {
                    around.entry(target).or_default().push(RecordId(id));
                }
            }
        }
        self.load_rows(tx, around).await
    }

    async fn load_rows(&mut self, tx: &mut Tx, wanted: BTreeMap<&'static str, Vec<RecordId>>) -> Result<()> {
        for (name, ids) in wanted {
            for row in records::load(tx, known_table(name), &unique(ids)).await? {
                self.records.insert((name, row.id), row);
            }
        }
        Ok(())
    }

    /// The versions that tell who wrote the desk's values and when both sides had the same.
    async fn load_versions(&mut self, tx: &mut Tx, found: &[Conflict]) -> Result<()> {
        let mut wanted = Vec::new();
        for conflict in found {
            let key = (conflict.table.name, conflict.record_id);
            wanted
                .extend(self.server_version_of(conflict).map(|version| (conflict.table, conflict.record_id, version)));
            let base = self.ops.get(&conflict.queue_id).map(|op| op.version).filter(|version| version.0 > 0);
            wanted.extend(base.map(|version| (conflict.table, key.1, version)));
        }
        for row in history::snapshots(tx, &wanted).await? {
            self.versions.insert(((row.table.name, row.record_id), row.version), row);
        }
        Ok(())
    }

    /// The version that wrote the contested fields last, as far as that is kept.
    fn server_version_of(&self, conflict: &Conflict) -> Option<Version> {
        let record = self.records.get(&(conflict.table.name, conflict.record_id))?;
        let marks = conflict.contested.iter().filter_map(|path| record.provenance.get(path));
        marks.map(|mark| mark.version).max().or(Some(record.version))
    }

    fn person(&self, id: PersonId) -> Json {
        json!({ "id": id, "name": self.names.get(&id) })
    }

    fn view(&self, conflict: Conflict, actor: &Actor) -> ConflictView {
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
            subject: self.subject(&conflict),
            server_version: conflict.server_version.0,
            records: group_records(&conflict, actor),
            device: json!({
                "id": conflict.device_id, "name": self.devices.get(&conflict.device_id).map(|device| &device.name),
            }),
            author: self.person(conflict.user_id),
            server_author: self.server_author(&conflict),
            opened_at: conflict.created_at,
            resolved_at: conflict.resolved_at,
            timeline: self.timeline(&conflict),
            decisions: conflict.decisions.iter().map(|decision| Json::Object(without_before(decision))).collect(),
            disagreement: conflict.disagreement.clone(),
            base_data: shown(conflict.base_data),
            server_data: shown(conflict.server_data),
            client_data: shown(conflict.client_data),
            contested: conflict.contested,
            clean: conflict.clean,
        }
    }

    fn server_author(&self, conflict: &Conflict) -> Json {
        let key = (conflict.table.name, conflict.record_id);
        let version = self.server_version_of(conflict).and_then(|version| self.versions.get(&(key, version)));
        let Some(version) = version else { return Json::Null };
        let device = version.device_id.and_then(|id| self.devices.get(&id));
        json!({
            "id": version.actor,
            "name": version.actor.and_then(|id| self.names.get(&id)),
            "device": device.map(|device| &device.name),
            "device_kind": device.map(|device| if device.kind == DeviceKind::Desk { "desk" } else { "phone" }),
            "at": showdesk_domain::value::instant_text(version.at),
        })
    }

    /// What the record is, in the words a list shows.
    fn subject(&self, conflict: &Conflict) -> Json {
        let own = self.records.get(&(conflict.table.name, conflict.record_id));
        let row = |table: &'static str, id: Option<Uuid>| id.and_then(|id| self.records.get(&(table, RecordId(id))));
        let reference = |path: &str| {
            own.filter(|record| record.table.field(path).is_some()).and_then(|record| record.value(path).as_id())
        };
        let animal = if conflict.table.name == "animals" { own } else { row("animals", reference("animal_id")) };
        let exhibitor = match conflict.table.name {
            "exhibitors" => own,
            _ => row("exhibitors", reference("exhibitor_id")),
        };
        let class = if conflict.table.name == "classes" { own } else { row("classes", reference("class_id")) };
        let mut subject = Map::new();
        let mut show = |name: &str, record: Option<&Record>, path: &str| {
            if let Some(record) = record {
                subject.insert(name.to_owned(), record.value(path).to_json());
            }
        };
        for path in ["tag", "species", "sex", "breed", "name"] {
            show(path, animal, path);
        }
        show("back_number", exhibitor, "back_number");
        show("class", class, "name");
        if let Some(exhibitor) = exhibitor {
            let part = |path: &str| exhibitor.value(path).as_text().unwrap_or_default().to_owned();
            subject.insert("exhibitor".to_owned(), Json::from(format!("{} {}", part("first_name"), part("last_name"))));
        }
        Json::Object(subject)
    }

    fn timeline(&self, conflict: &Conflict) -> Vec<TimelinePoint> {
        let values = |data: Option<&Map<String, Json>>| {
            let data = data.cloned().unwrap_or_default();
            conflict.contested.iter().map(|path| (path.clone(), value_at(&data, path))).collect::<BTreeMap<_, _>>()
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
        let server = self.server_version_of(conflict).and_then(|version| self.versions.get(&(key, version)));
        if let Some(server) = server {
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

/// Tables whose rows tell what another row is about.
const SUBJECT_TABLES: &[&str] = &["animals", "exhibitors", "classes"];

/// Columns the reader may not see.
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

fn hidden_columns(table: &Table, actor: &Actor) -> Vec<&'static str> {
    use showdesk_domain::actor::ReadClass;
    let class = actor.read_class();
    let is_hidden = |access: Access| match access {
        Access::Public => false,
        Access::Staff => class < ReadClass::Staff,
        Access::Office => class < ReadClass::Office,
    };
    let columns = table.columns.iter().filter(|column| is_hidden(table.fields[column.fields[0]].access));
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
