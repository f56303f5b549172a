//! A phone's copy of its unsent entries, brought to the desk without Wi-Fi.
//!
//! A copy is what a stranger could have written: its checksum only tells whether it arrived whole. Its phone and its
//! author must be known here, and every entry is decided like a pushed one, with the author's present rights. A phone
//! that was removed brings its entries in by this review and by no other way: what it had sent before and still waits
//! is given to a person, unless the review lets it in, too.

mod left;

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use showdesk_domain::actor::{Actor, DeviceKind};
use showdesk_domain::ids::{DeviceId, PersonId};
use showdesk_domain::op::{self, Op, Refused, Sent};
use showdesk_domain::permit::Action;
use showdesk_domain::schema::SCHEMA_VERSION;
use showdesk_domain::schema::upcast::SCHEMA_OLDEST;
use showdesk_domain::value::{decode_id, parse_instant};
use showdesk_domain::world::Author;
use showdesk_store::people::DeviceRow;
use showdesk_store::{Tx, people};
use uuid::Uuid;

use crate::api::attention::NamedRef;
use crate::api::rescue::{TakeIn, TakenIn, TakenInItem};
use crate::api::sync::OpResult;
use crate::ids::sha256;
use crate::rights::require;
use crate::subjects::Subjects;
use crate::{Engine, EngineError, Result, Wake};

/// What a copy says that it is.
const FORMAT: &str = "showdesk-rescue";
/// The newest form that is read.
const VERSION: i64 = 1;
/// Entries of a copy; more than a phone ever holds.
const OPS_MAX: usize = 20_000;
/// Rounds in which what depends on what is left out is found.
const LEFT_ROUNDS_MAX: usize = 100;
/// Stores that one phone's entries come from.
const PUSHES_MAX: usize = 100;

type Decoded = std::result::Result<Op, Box<Refused>>;

/// The file, as `ui/packages/sync` writes it.
#[derive(Debug, Deserialize)]
struct Copy {
    made_at: String,
    installation_id: Uuid,
    device_id: Uuid,
    person: CopyPerson,
    epoch: Uuid,
    schema: i64,
    pushes: Vec<CopyPush>,
}

#[derive(Debug, Deserialize)]
struct CopyPerson {
    id: Uuid,
}

#[derive(Debug, Deserialize)]
struct CopyPush {
    incarnation: Uuid,
    recovered_from: Option<Uuid>,
    ops: Vec<Json>,
}

/// Who stands behind a copy, as the desk knows them.
struct Behind {
    device: DeviceRow,
    actor: Actor,
}

/// A push of the copy, and which of its entries are taken.
struct Part {
    author: Author,
    ops: Vec<(Decoded, bool)>,
    bytes: usize,
}

impl Engine {
    /// Reviews a copy, or takes its entries in, each for its author. Taking in twice changes nothing.
    pub async fn take_in(&self, actor: &Actor, request: TakeIn) -> Result<TakenIn> {
        require(actor, Action::Attend)?;
        let (copy, copy_sha256) = read_copy(request.copy)?;
        if copy.installation_id != self.inner.installation_id {
            return Err(EngineError::invalid("other_show", "this copy belongs to another show; nothing was taken in"));
        }
        let mut tx = self.begin_read_as(actor).await?;
        let behind = behind(&mut tx, &copy).await?;
        let epoch = showdesk_store::meta::read(&mut tx).await?.epoch;
        drop(tx);
        let parts = parts_of(&copy, &behind, epoch, &request.leave_out)?;
        let results = if request.dry_run {
            let pushes = parts.iter().map(|part| (part.author.clone(), part.taken())).collect();
            self.try_pushes(actor, pushes).await?
        } else {
            self.take_parts(actor, &behind, &parts, &copy_sha256).await?
        };
        let items = self.items(actor, &parts, results).await?;
        Ok(TakenIn {
            dry_run: request.dry_run,
            device: NamedRef { id: behind.device.id.0, name: behind.device.name },
            device_removed: behind.device.revoked_at.is_some(),
            author: NamedRef { id: behind.actor.person.0, name: behind.actor.person_name },
            made_at: parse_instant(&copy.made_at),
            items,
        })
    }

    /// Takes in part by part. That it was begun is on record before the first entry is, whatever happens then.
    async fn take_parts(
        &self,
        actor: &Actor,
        behind: &Behind,
        parts: &[Part],
        copy_sha256: &str,
    ) -> Result<Vec<Vec<OpResult>>> {
        let count = |taken: bool| parts.iter().flat_map(|part| &part.ops).filter(|(_, is)| *is == taken).count();
        let (taken, left_out) = (count(true), count(false));
        let what = json!({ "copy": copy_sha256, "author": behind.actor.person, "taken": taken, "left_out": left_out });
        let device = Some(behind.device.id.0);
        self.note(actor, "rescue_taken_in", device, Some(what)).await?;
        if behind.device.revoked_at.is_some() && behind.device.reviewed_at.is_none() {
            let let_in = parts.iter().flat_map(Part::ids_taken).collect();
            self.give_up_unseen(behind.device.id, &let_in).await?;
        }
        // What of the copy must wait is decided later with the author's rights, though the phone was removed.
        let mut tx = self.begin_write_as(actor).await?;
        people::note_copy_taken(&mut tx, behind.device.id, self.now()).await?;
        let told = Wake::DeviceChanged { device: behind.device.id.0, person: behind.device.person.0 };
        self.commit_and_wake(tx, vec![told]).await?;
        let mut results = Vec::with_capacity(parts.len());
        for part in parts {
            results.push(self.push_for(part.author.clone(), part.taken(), part.bytes).await?);
        }
        Ok(results)
    }

    async fn items(&self, actor: &Actor, parts: &[Part], results: Vec<Vec<OpResult>>) -> Result<Vec<TakenInItem>> {
        let mut tx = self.begin_read_as(actor).await?;
        let all = || parts.iter().flat_map(|part| &part.ops).map(|(op, _)| sent(op));
        let rows = all().map(|sent| (sent.table_name.as_str(), sent.record_id, Some(&sent.data)));
        let subjects = Subjects::load(&mut tx, rows).await?;
        let mut items = Vec::new();
        for (part, results) in parts.iter().zip(results) {
            let mut results = results.into_iter();
            for (op, taken) in &part.ops {
                let sent = sent(op);
                items.push(TakenInItem {
                    op_id: sent.echo.clone(),
                    table_name: sent.table_name.clone(),
                    record_id: sent.record_id.map(|id| id.0),
                    operation: sent.operation.clone(),
                    subject: subjects.of(&sent.table_name, sent.record_id, Some(&sent.data)),
                    data: sent.data.clone(),
                    reason: sent.reason.clone(),
                    made_at: sent.client_time,
                    left_out: !taken,
                    result: if *taken { results.next() } else { None },
                });
            }
        }
        Ok(items)
    }
}

impl Part {
    fn taken(&self) -> Vec<Decoded> {
        self.ops.iter().filter(|(_, taken)| *taken).map(|(op, _)| op.clone()).collect()
    }

    fn ids_taken(&self) -> impl Iterator<Item = Uuid> {
        self.ops.iter().filter(|(_, taken)| *taken).filter_map(|(op, _)| id_of(op))
    }
}

fn sent(op: &Decoded) -> &Sent {
    match op {
        Ok(op) => &op.sent,
        Err(refused) => &refused.sent,
    }
}

/// Reads a copy, and nothing that its checksum does not cover.
fn read_copy(copy: Json) -> Result<(Copy, String)> {
    let fault = |code, detail: &str| EngineError::invalid(code, detail);
    let not_a_copy = || fault("not_a_copy", "this is no copy of a phone's entries");
    let Json::Object(mut members) = copy else { return Err(not_a_copy()) };
    let told = members.remove("sha256");
    if members.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return Err(not_a_copy());
    }
    match members.get("version").and_then(Json::as_i64) {
        Some(VERSION) => {}
        Some(newer) if newer > VERSION => {
            return Err(fault("newer_copy", "this copy is of a newer program; update the desk first"));
        }
        _ => return Err(not_a_copy()),
    }
    let copy = Json::Object(members);
    let canonical = serde_json_canonicalizer::to_vec(&copy).map_err(|_| not_a_copy())?;
    let sum = sha256(&canonical).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    if told.as_ref().and_then(Json::as_str) != Some(sum.as_str()) {
        return Err(fault("damaged_copy", "this copy is damaged; make a new one on the phone"));
    }
    let copy: Copy = serde_json::from_value(copy).map_err(|_| not_a_copy())?;
    if copy.schema > SCHEMA_VERSION {
        return Err(fault("newer_copy", "this copy is of a newer program; update the desk first"));
    }
    if copy.schema < SCHEMA_OLDEST {
        return Err(fault("older_copy", "this copy is of a program that is too old"));
    }
    let ops: usize = copy.pushes.iter().map(|push| push.ops.len()).sum();
    if ops > OPS_MAX || copy.pushes.len() > PUSHES_MAX {
        return Err(EngineError::TooLarge(format!("a copy holds at most {OPS_MAX} entries of {PUSHES_MAX} stores")));
    }
    Ok((copy, sum))
}

/// The phone and the author of a copy, with the author's present rights. Two people who turned out to be one are one
/// here, too: a copy that was made before speaks of the other.
async fn behind(tx: &mut Tx, copy: &Copy) -> Result<Behind> {
    let unknown = |what: &str| {
        EngineError::invalid("unknown_phone", format!("{what} of this copy is not known here; nothing was taken in"))
    };
    let device = people::device(tx, DeviceId(copy.device_id)).await?;
    let device = device.filter(|device| device.kind == DeviceKind::Phone).ok_or_else(|| unknown("the phone"))?;
    // Whose phone it is, and was, the desk knows; a copy may not say otherwise.
    let (person, told) = (device.person, PersonId(copy.person.id));
    if told != person && !people::former_people(tx, device.id).await?.contains(&told) {
        return Err(unknown("the person"));
    }
    let profile = people::profile(tx, person).await?.ok_or_else(|| unknown("the person"))?;
    let member = people::member(tx, person).await?.ok_or_else(|| unknown("the person"))?;
    let actor = Actor {
        person,
        person_name: profile.name,
        device: device.id,
        device_kind: device.kind,
        role: member.role,
        functions: member.functions,
        scope: member.scope,
        permissions: member.permissions,
    };
    Ok(Behind { device, actor })
}

fn parts_of(copy: &Copy, behind: &Behind, epoch: Uuid, leave_out: &[Uuid]) -> Result<Vec<Part>> {
    let left_out: HashSet<Uuid> = leave_out.iter().copied().collect();
    let mut known = HashSet::new();
    let mut parts = Vec::with_capacity(copy.pushes.len());
    for push in &copy.pushes {
        if push.recovered_from == Some(epoch) {
            return Err(EngineError::invalid("not_a_copy", "this copy gives back what was never lost"));
        }
        let mut bytes = 0;
        let mut ops = Vec::with_capacity(push.ops.len());
        for op in &push.ops {
            let text = stamped(op.clone(), copy.epoch, epoch).to_string();
            bytes += text.len();
            let raw = serde_json::value::RawValue::from_string(text).expect("a JSON value is written as JSON");
            ops.push(op::decode_from(copy.schema, &raw));
        }
        known.extend(ops.iter().filter_map(id_of));
        let left = Left::of(&ops, &left_out);
        parts.push(Part {
            author: Author {
                actor: behind.actor.clone(),
                incarnation: push.incarnation,
                skew_ms: behind.device.skew_ms,
                recovered_from: push.recovered_from,
            },
            ops: ops.into_iter().map(|op| (!left.holds(&op), op)).map(|(taken, op)| (op, taken)).collect(),
            bytes,
        });
    }
    match left_out.iter().find(|id| !known.contains(id)) {
        Some(id) => Err(EngineError::invalid("unknown_op", format!("leave_out names {id}, which is not in the copy"))),
        None => Ok(parts),
    }
}

/// What is left out: what was named, and all that would wait for it in vain.
#[derive(Default)]
struct Left {
    ops: HashSet<Uuid>,
    groups: HashSet<Uuid>,
    /// Rows that will not be made.
    rows: HashSet<Uuid>,
}

impl Left {
    fn of(ops: &[Decoded], named: &HashSet<Uuid>) -> Self {
        let mut left = Self { ops: named.clone(), ..Self::default() };
        // A phone writes its entries in their order: one round finds nearly all, a group may need another.
        for _ in 0..LEFT_ROUNDS_MAX {
            let before = left.ops.len() + left.groups.len() + left.rows.len();
            for op in ops.iter().filter(|op| left.holds(op)).collect::<Vec<_>>() {
                left.ops.extend(id_of(op));
                left.groups.extend(group_of(op));
                if sent(op).operation == "insert" {
                    left.rows.extend(sent(op).record_id.map(|id| id.0));
                }
            }
            if left.ops.len() + left.groups.len() + left.rows.len() == before {
                break;
            }
        }
        left
    }

    fn holds(&self, op: &Decoded) -> bool {
        let sent = sent(op);
        let data = sent.data.as_object().into_iter().flat_map(|data| data.values());
        let mut refers = data.filter_map(|value| decode_id(value.as_str()?).ok());
        id_of(op).is_some_and(|id| self.ops.contains(&id))
            || group_of(op).is_some_and(|group| self.groups.contains(&group))
            || sent.prev_op_id.is_some_and(|previous| self.ops.contains(&previous.0))
            || sent.record_id.is_some_and(|id| self.rows.contains(&id.0))
            || refers.any(|id| self.rows.contains(&id))
    }
}

/// An entry of an epoch that is over says so: its versions mean nothing any more, and its `base` alone tells what its
/// author had seen.
fn stamped(mut op: Json, made_in: Uuid, present: Uuid) -> Json {
    if let Some(op) = op.as_object_mut()
        && made_in != present
        && op.get("epoch").is_none_or(Json::is_null)
    {
        op.insert("epoch".to_owned(), json!(made_in));
    }
    op
}

fn id_of(op: &Decoded) -> Option<Uuid> {
    sent(op).echo.as_str().and_then(|text| decode_id(text).ok())
}

fn group_of(op: &Decoded) -> Option<Uuid> {
    sent(op).txn.as_ref()?.get("id")?.as_str().and_then(|text| Uuid::try_parse(text).ok())
}
