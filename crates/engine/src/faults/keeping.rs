//! Writes errors that came together: scrubbed, grouped, counted, the first and the last of each group with their text.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_store::Tx;
use showdesk_store::telemetry::errors::{self, Counted, SampleRow, Sighting};
use showdesk_telemetry::errors::{
    Group, Occurrence, Report, SAMPLES_FIRST, Seen, Status, sample_to_drop, scrub, scrub_context,
};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{Fault, WRITING, met};
use crate::{Engine, EngineError, Result, Wake};

/// Problems that are kept at once …
const GROUPS_MAX: i64 = 5_000;
/// … of them such as phones brought: the desk's own are never shut out by them …
const OF_PHONES_MAX: i64 = 4_000;
/// … and such as one phone met: a page that makes up a new one each time fills nothing.
const OF_PHONE_MAX: i64 = 200;

/// What writing came to.
pub(super) struct Kept {
    /// Something of the list of problems has changed.
    pub(super) is_news: bool,
    /// A problem that was solved is back.
    pub(super) has_regressed: bool,
}

/// An error as it may be stored.
struct Clean {
    message: String,
    stack: Option<String>,
    context: Map<String, Json>,
    person: Option<PersonId>,
    device: Option<DeviceId>,
    is_phones: bool,
    request_id: Option<Uuid>,
    at: DateTime<Utc>,
}

/// How many problems there may still be.
struct Room {
    all: i64,
    of_phones: i64,
    of_phone: HashMap<DeviceId, i64>,
}

impl Room {
    async fn read(tx: &mut Tx) -> Result<Self> {
        Ok(Self {
            all: GROUPS_MAX - errors::count(tx).await?,
            of_phones: OF_PHONES_MAX - errors::count_of_phones(tx).await?,
            of_phone: HashMap::new(),
        })
    }

    /// Takes a place for a new problem, on the account of all phones that met it; false if there is none.
    async fn take(&mut self, tx: &mut Tx, group: &Gathered) -> Result<bool> {
        if self.all <= 0 || group.is_phones && self.of_phones <= 0 {
            return Ok(false);
        }
        if group.is_phones {
            let devices = unique(group.errors.iter().filter_map(|error| error.device));
            for device in &devices {
                if !self.of_phone.contains_key(device) {
                    self.of_phone.insert(*device, OF_PHONE_MAX - errors::count_of_phone(tx, *device).await?);
                }
            }
            // What several phones met was not made up by one.
            if !devices.is_empty()
                && devices.iter().all(|device| self.of_phone.get(device).is_none_or(|room| *room <= 0))
            {
                return Ok(false);
            }
            for device in devices {
                self.of_phone.entry(device).and_modify(|room| *room -= 1);
            }
            self.of_phones -= 1;
        }
        self.all -= 1;
        Ok(true)
    }
}

/// Errors of one group.
struct Gathered {
    title: String,
    kind: String,
    route: Option<String>,
    is_phones: bool,
    errors: Vec<Clean>,
}

impl Engine {
    pub(super) async fn write_faults(&self, batch: Vec<Fault>) -> Result<Kept> {
        let (now, count) = (self.now(), batch.len());
        // Looking through long texts takes its time; nobody else waits for it.
        let gathered = spawn_blocking(move || WRITING.sync_scope((), || gather(batch, now))).await;
        let gathered = gathered.map_err(|_| EngineError::Busy { retry_after_ms: 1_000 })?;
        let mut tx = self.begin_write_telemetry().await?;
        let mut room = Room::read(&mut tx).await?;
        let mut kept = Kept { is_news: false, has_regressed: false };
        let mut written = 0;
        for (fingerprint, group) in gathered {
            let is_known = errors::group(&mut tx, &fingerprint).await?.is_some();
            if !is_known && !room.take(&mut tx, &group).await? {
                continue;
            }
            written += group.errors.len();
            kept.is_news = true;
            kept.has_regressed |= self.write_group(&mut tx, &fingerprint, group, now).await?;
        }
        if kept.is_news {
            self.tell_neighbours(&mut tx, &[Wake::Problems]).await?;
        }
        tx.commit().await.map_err(EngineError::from)?;
        self.inner.faults.drop_some(count - written);
        Ok(kept)
    }

    /// Writes the errors of one group; answers whether it was solved and is back.
    async fn write_group(&self, tx: &mut Tx, fingerprint: &str, group: Gathered, now: DateTime<Utc>) -> Result<bool> {
        let Gathered { title, kind, route, is_phones, mut errors } = group;
        errors.sort_by_key(|error| error.at);
        let (Some(first), Some(last)) = (errors.first(), errors.last()) else { return Ok(false) };
        let sighting = Sighting {
            fingerprint,
            title: &title,
            kind: &kind,
            route: route.as_deref(),
            source: if is_phones { "phone" } else { "desk" },
            first_seen: first.at,
            last_seen: last.at,
            count: i64::try_from(errors.len()).unwrap_or(i64::MAX),
        };
        let counted = errors::see(tx, &sighting, now).await?;
        let people = unique(errors.iter().filter_map(|error| error.person));
        // The laptop itself is no phone that the problem met.
        let devices = unique(errors.iter().filter(|error| error.is_phones).filter_map(|error| error.device));
        errors::add_subjects(tx, fingerprint, &people, &devices).await?;
        let has_regressed = regresses(&counted, &errors);
        if has_regressed {
            let status = Status::Regressed.as_str();
            errors::set_status(tx, fingerprint, status, counted.resolved_at, None, now).await?;
        }
        let (dropped, rows) = self.samples(fingerprint, &kind, counted.count, errors);
        if let Some(last) = dropped {
            let first = i64::try_from(SAMPLES_FIRST + 1).unwrap_or(i64::MAX);
            errors::drop_samples(tx, fingerprint, first, last).await?;
        }
        errors::add_samples(tx, &rows).await?;
        Ok(has_regressed)
    }

    /// The highest number of a sample that goes, and the errors of these that stay, when the group has `count` errors.
    fn samples(&self, fingerprint: &str, kind: &str, count: i64, errors: Vec<Clean>) -> (Option<i64>, Vec<SampleRow>) {
        let total = u64::try_from(count).unwrap_or(0);
        let dropped = sample_to_drop(total);
        let before = total.saturating_sub(errors.len() as u64);
        let stays = |number: &u64| *number <= SAMPLES_FIRST || dropped.is_none_or(|dropped| *number > dropped);
        let row = |(number, error): (u64, Clean)| SampleRow {
            id: self.fresh_id(),
            error_type: kind.to_owned(),
            message: error.message,
            stack_trace: error.stack,
            context: Json::Object(error.context),
            user: error.person,
            created_at: error.at,
            fingerprint: fingerprint.to_owned(),
            number: i64::try_from(number).unwrap_or(i64::MAX),
            device: error.device,
            request_id: error.request_id,
        };
        let numbered = (before + 1..).zip(errors).filter(|(number, _)| stays(number));
        (dropped.and_then(|dropped| i64::try_from(dropped).ok()), numbered.map(row).collect())
    }
}

/// Whether these errors mean that a solved problem is back.
fn regresses(counted: &Counted, errors: &[Clean]) -> bool {
    let new = errors.len() as u64;
    let count = u64::try_from(counted.count).unwrap_or(0);
    let mut known = (count > new).then(|| Group {
        first_seen: counted.first_seen,
        last_seen: counted.last_seen,
        count: count - new,
        status: Status::parse(&counted.status).unwrap_or(Status::Open),
        resolved_at: counted.resolved_at,
    });
    let mut regresses = false;
    for error in errors {
        let (group, seen) = Group::see(known, Occurrence { at: error.at });
        regresses |= seen == Seen::Regressed;
        known = Some(group);
    }
    regresses
}

/// Groups by fingerprint, in its order: desks that write at the same time take the same groups in the same order.
fn gather(batch: Vec<Fault>, now: DateTime<Utc>) -> BTreeMap<String, Gathered> {
    let mut groups: BTreeMap<String, Gathered> = BTreeMap::new();
    for fault in batch.into_iter().map(readable) {
        let report = Report {
            key: fault.key.as_deref(),
            kind: &fault.kind,
            message: &fault.message,
            stack: fault.stack.as_deref(),
            route: fault.route.as_deref(),
        };
        let fingerprint = report.fingerprint().as_str().to_owned();
        let group = groups.entry(fingerprint).or_insert_with(|| Gathered {
            title: report.title(),
            kind: scrub(&fault.kind),
            route: fault.route.as_deref().map(scrub),
            is_phones: fault.is_phones,
            errors: Vec::new(),
        });
        let (person, device) = met(&fault);
        group.errors.push(Clean {
            message: scrub(&fault.message),
            stack: fault.stack.as_deref().map(scrub),
            context: scrub_context(&Json::Object(fault.context)),
            person,
            device,
            is_phones: fault.is_phones,
            request_id: fault.request_id,
            at: fault.at.unwrap_or(now).min(now),
        });
    }
    groups
}

/// Without what no database keeps and what nobody sees: a NUL within a word must not hide it from who looks for secrets.
fn readable(mut fault: Fault) -> Fault {
    for text in [Some(&mut fault.kind), Some(&mut fault.message), fault.stack.as_mut(), fault.route.as_mut()]
        .into_iter()
        .flatten()
    {
        text.retain(|sign| sign != '\0');
    }
    fault.context = readable_members(fault.context);
    fault
}

fn readable_members(members: Map<String, Json>) -> Map<String, Json> {
    fn readable(value: Json) -> Json {
        match value {
            Json::String(text) => Json::String(text.replace('\0', "")),
            Json::Array(items) => items.into_iter().map(readable).collect(),
            Json::Object(members) => Json::Object(readable_members(members)),
            plain => plain,
        }
    }
    members.into_iter().map(|(name, value)| (name.replace('\0', ""), readable(value))).collect()
}

fn unique<T: Ord>(ids: impl Iterator<Item = T>) -> Vec<T> {
    let mut ids: Vec<T> = ids.collect();
    ids.sort();
    ids.dedup();
    ids
}
