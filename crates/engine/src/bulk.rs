//! Several clashes decided at once, tried without writing, and taken back together (PROTOCOL.md §5).
//!
//! Each clash is a request of its own at the writer, which commits them together: one that fails takes no other down.
//! What was decided knows its bulk decision, so a request that was cut off is simply asked again.

use std::any::Any;

use serde_json::Map;
use showdesk_domain::actor::Actor;
use showdesk_domain::conflict::{Conflict, ConflictStatus};
use showdesk_domain::ids::{ConflictId, Seq, Version};
use showdesk_domain::permit::Action;
use showdesk_domain::world::{BulkPart, Needs, SettleError, World, Written};
use showdesk_store::audit::AuditRow;
use showdesk_store::bulk::BulkRow;
use showdesk_store::conflicts::ConflictFilter;
use showdesk_store::{StoreError, Tx, audit, bulk, conflicts, meta};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::api::bulk::{BulkAnswer, BulkFilter, BulkResolve, BulkResult, BulkUndone, WrittenRow};
use crate::api::conflicts::{ConflictQuery, Reason, Resolution};
use crate::api::sync::OpError;
use crate::audit::about_clash;
use crate::ids::{fresh_ids, sha256};
use crate::rights::require;
use crate::settle::{KEY_CHARS_MAX, clean_reason, engine_error};
use crate::writer::{BesideFuture, Job, load};
use crate::{Engine, EngineError, Result};

/// Clashes that are decided at once.
const PARTS_MAX: usize = 500;

/// What is asked for, checked.
struct Plan {
    parts: Vec<(ConflictId, PlannedPart)>,
    has_more: bool,
}

/// What is to be done about one clash; an error if the request itself rules it out.
type PlannedPart = std::result::Result<BulkPart, OpError>;

impl Engine {
    /// Decides several clashes, each for itself; a dry run writes nothing and shows what would be written.
    pub async fn resolve_bulk(&self, actor: &Actor, request: BulkResolve) -> Result<BulkAnswer> {
        require(actor, Action::Decide)?;
        let key = request.idempotency_key.clone();
        let is_bad = |key: &String| key.is_empty() || key.chars().count() > KEY_CHARS_MAX || key.contains('\0');
        if key.as_ref().is_some_and(is_bad) {
            return Err(EngineError::invalid("idempotency_key", "a key has 1 to 200 characters"));
        }
        if request.dry_run {
            let plan = self.plan(actor, &request, None).await?;
            return self.try_bulk(actor, plan).await;
        }
        let request_text = serde_json::to_vec(&request).expect("a request is plain data");
        let (row, has_more) = self.begin_bulk(actor, &request, sha256(&request_text)).await?;
        if let Some(done) = row.results {
            let corrupt = || StoreError::Corrupt {
                table: "bulk_decisions".to_owned(),
                column: "results".to_owned(),
                id: row.id.to_string(),
            };
            return serde_json::from_value(done).map_err(|_| corrupt().into());
        }
        let plan = self.plan(actor, &request, Some(&row)).await?;
        let results = self.decide_parts(actor, row.id, plan.parts).await;
        let answer = BulkAnswer { bulk_id: Some(row.id), dry_run: false, results, has_more };
        let kept = serde_json::to_value(&answer).expect("an answer is plain data");
        let mut tx = self.begin_write_as(actor).await?;
        bulk::finish(&mut tx, row.id, &kept).await?;
        self.commit(tx).await?;
        Ok(answer)
    }

    /// Takes back what a bulk decision has decided, as far as that still can be.
    pub async fn undo_bulk(&self, actor: &Actor, bulk_id: Uuid, request: Reason) -> Result<BulkUndone> {
        require(actor, Action::Decide)?;
        let reason = clean_reason(request.reason)?;
        let mut tx = self.begin_read_as(actor).await?;
        let row = bulk::load(&mut tx, bulk_id).await?.ok_or(EngineError::NotFound("the bulk decision"))?;
        drop(tx);
        // The newest one is the first one taken back: what it made may belong to what an older one made.
        let undo = |id: &ConflictId| (*id, Work::Undo { bulk_id, reason: reason.clone() });
        let mut work: Vec<(ConflictId, Work)> = row.conflict_ids.iter().map(undo).collect();
        work.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        let mut results = self.carry_out(actor, work).await;
        let place = |id: Uuid| row.conflict_ids.iter().position(|known| known.0 == id);
        results.sort_by_key(|result| place(result.id));
        Ok(BulkUndone { bulk_id, results })
    }

    /// The row of this decision, a new one or the one that its key has made before, and whether more clashes match.
    async fn begin_bulk(
        &self,
        actor: &Actor,
        request: &BulkResolve,
        request_sha256: [u8; 32],
    ) -> Result<(BulkRow, bool)> {
        let known = |row: BulkRow| {
            if row.request_sha256 == request_sha256 {
                let may_be_more = request.filter.is_some() && row.conflict_ids.len() >= PARTS_MAX;
                Ok((row, may_be_more))
            } else {
                Err(EngineError::invalid("idempotency_key", "this key was used for another decision"))
            }
        };
        if let Some(row) = self.bulk_by_key(actor, request.idempotency_key.as_deref()).await? {
            return known(row);
        }
        let plan = self.plan(actor, request, None).await?;
        let row = BulkRow {
            id: self.fresh_id(),
            idempotency_key: request.idempotency_key.clone(),
            request_sha256,
            conflict_ids: plan.parts.iter().map(|(id, _)| *id).collect(),
            results: None,
            decided_by: actor.person,
            decided_at: self.now(),
        };
        let mut tx = self.begin_write_as(actor).await?;
        match bulk::add(&mut tx, &row).await {
            Ok(()) => {}
            // The same request at once: both are one decision.
            Err(StoreError::Duplicate { .. }) => {
                tx.rollback().await?;
                let row = self.bulk_by_key(actor, request.idempotency_key.as_deref()).await?;
                return known(row.ok_or(EngineError::Busy { retry_after_ms: 1_000 })?);
            }
            Err(error) => return Err(error.into()),
        }
        self.commit(tx).await?;
        Ok((row, plan.has_more))
    }

    async fn bulk_by_key(&self, actor: &Actor, key: Option<&str>) -> Result<Option<BulkRow>> {
        let Some(key) = key else { return Ok(None) };
        let mut tx = self.begin_read_as(actor).await?;
        Ok(bulk::by_key(&mut tx, key).await?)
    }

    /// Which clashes, and what is to be done about each. A decision that has begun keeps to the clashes it began with.
    async fn plan(&self, actor: &Actor, request: &BulkResolve, begun: Option<&BulkRow>) -> Result<Plan> {
        let resolution = side(request.resolution)?;
        request.choices.values().try_for_each(|choice| side(*choice).map(drop))?;
        let reason = clean_reason(request.reason.clone())?;
        let (ids, has_more) = match (begun, &request.ids, &request.filter) {
            (Some(row), ..) => (row.conflict_ids.clone(), false),
            (None, Some(ids), None) => (named(ids)?, false),
            (None, None, Some(filter)) => self.filtered(actor, filter).await?,
            _ => return Err(EngineError::invalid("invalid_request", "either ids or a filter says which clashes")),
        };
        if let Some(id) = request.choices.keys().find(|id| !ids.contains(&ConflictId(**id))) {
            return Err(EngineError::invalid(
                "invalid_request",
                format!("choices names {id}, which is not decided here"),
            ));
        }
        let expected = request.expected.as_ref().filter(|expected| !expected.is_empty());
        let part = |id: &ConflictId| {
            let seen = expected.map(|expected| expected.get(&id.0).copied().map(Version));
            if seen == Some(None) {
                return Err(problem("not_expected", "the version that was seen of it is not told"));
            }
            let (expected, reason) = (seen.flatten(), reason.clone());
            let resolution = request.choices.get(&id.0).map_or(Ok(resolution), |choice| side(*choice));
            let resolution = resolution.map_err(|error| problem_of(&error))?;
            Ok(BulkPart { bulk_id: begun.map(|row| row.id), resolution, expected, reason })
        };
        Ok(Plan { parts: ids.iter().map(|id| (*id, part(id))).collect(), has_more })
    }

    async fn filtered(&self, actor: &Actor, filter: &BulkFilter) -> Result<(Vec<ConflictId>, bool)> {
        if filter.status.as_deref().is_some_and(|status| status != ConflictStatus::Open.as_str()) {
            return Err(EngineError::invalid("invalid_filter", "only open clashes are decided"));
        }
        let query = ConflictQuery {
            status: Some(ConflictStatus::Open.as_str().to_owned()),
            kind: filter.kind.clone(),
            table: filter.table.clone(),
            device: filter.device,
            ..ConflictQuery::default()
        };
        let filter: ConflictFilter = crate::conflicts::filter_of(&query)
            .map_err(|error| EngineError::invalid("invalid_filter", error.to_string()))?;
        let limit = i64::try_from(PARTS_MAX + 1).expect("a small number");
        let mut tx = self.begin_read_as(actor).await?;
        let mut found = conflicts::list(&mut tx, &ConflictFilter { limit, ..filter }).await?;
        let has_more = found.len() > PARTS_MAX;
        found.truncate(PARTS_MAX);
        found.reverse();
        Ok((found.into_iter().map(|clash| clash.id).collect(), has_more))
    }

    /// Decides in memory what a decision would write, and forgets it.
    async fn try_bulk(&self, actor: &Actor, plan: Plan) -> Result<BulkAnswer> {
        let mut tx = self.begin_read_as(actor).await?;
        let meta = meta::read(&mut tx).await?;
        let now = self.now();
        let mut world = World::new(now, meta.epoch, self.inner.show_id, meta.clock, Box::new(fresh_ids(now)));
        let planned = |world: &World| {
            let mut needs = Needs::default();
            for (id, part) in &plan.parts {
                if let Ok(part) = part {
                    needs.extend(&world.missing_for_decision(*id, &Map::new(), part.expected));
                }
            }
            needs
        };
        load::rounds(&mut tx, &mut world, planned).await?;
        drop(tx);
        let Plan { parts, has_more } = plan;
        let (mut todo, ruled_out) = in_order(&parts);
        let mut results = ruled_out;
        while !todo.is_empty() {
            let mut tried = Vec::with_capacity(todo.len());
            for (id, part) in &todo {
                let present = world.conflict(*id).cloned();
                let written = world.resolve_part(actor, *id, part);
                tried.push(standing(outcome(&world, *id, "would_resolve", written), present.as_ref()));
            }
            let again = worth_another_pass(&tried);
            todo.retain(|(id, _)| again.contains(id));
            results.extend(tried.into_iter().filter(|result| !again.contains(&ConflictId(result.id))));
        }
        sort_as_asked(&mut results, &parts);
        Ok(BulkAnswer { bulk_id: None, dry_run: true, results, has_more })
    }

    async fn decide_parts(
        &self,
        actor: &Actor,
        bulk_id: Uuid,
        parts: Vec<(ConflictId, PlannedPart)>,
    ) -> Vec<BulkResult> {
        let (todo, ruled_out) = in_order(&parts);
        let work = todo.into_iter().map(|(id, part)| (id, Work::Resolve { bulk_id, part })).collect();
        let mut results = self.carry_out(actor, work).await;
        results.extend(ruled_out);
        sort_as_asked(&mut results, &parts);
        results
    }

    /// Carries each part out, and those that needed another part to come first again, until a pass helps none of them.
    async fn carry_out(&self, actor: &Actor, mut work: Vec<(ConflictId, Work)>) -> Vec<BulkResult> {
        let mut results = Vec::with_capacity(work.len());
        while !work.is_empty() {
            let tried: Vec<BulkResult> = self.carry_out_once(actor, work.clone()).await.into_iter().flatten().collect();
            let again = worth_another_pass(&tried);
            work.retain(|(id, _)| again.contains(id));
            results.extend(tried.into_iter().filter(|result| !again.contains(&ConflictId(result.id))));
        }
        results
    }

    /// Hands each part to the writer and waits for all of them.
    async fn carry_out_once(&self, actor: &Actor, work: Vec<(ConflictId, Work)>) -> Vec<Option<BulkResult>> {
        let mut waiting = Vec::with_capacity(work.len());
        for (id, work) in work {
            let (answer, answered) = oneshot::channel();
            let job = PartJob { actor: actor.clone(), id, work, result: None, record: None, answer };
            let submitted = self.inner.writer.submit(Box::new(job), 0);
            waiting.push((id, submitted.map(|()| answered)));
        }
        let busy = || EngineError::Busy { retry_after_ms: 1_000 };
        let mut results = Vec::with_capacity(waiting.len());
        for (id, answered) in waiting {
            let result = match answered {
                Ok(answered) => answered.await.unwrap_or_else(|_| Err(busy())),
                Err(error) => Err(error),
            };
            results.push(result.unwrap_or_else(|error| Some(failed(id, problem_of(&error)))));
        }
        results
    }
}

#[derive(Clone)]
enum Work {
    Resolve { bulk_id: Uuid, part: BulkPart },
    Undo { bulk_id: Uuid, reason: Option<String> },
}

/// One clash of a bulk decision at the writer. That it fails is its result and no error of the transaction.
struct PartJob {
    actor: Actor,
    id: ConflictId,
    work: Work,
    result: Option<BulkResult>,
    record: Option<AuditRow>,
    answer: oneshot::Sender<Result<Option<BulkResult>>>,
}

impl PartJob {
    fn carry_out(&self, world: &mut World) -> Option<BulkResult> {
        let id = self.id;
        match &self.work {
            Work::Resolve { bulk_id, .. } if self.is_in_force(world, *bulk_id) => {
                Some(outcome(world, id, "resolved", Ok(Vec::new())))
            }
            Work::Resolve { part, .. } => {
                let written = world.resolve_part(&self.actor, id, part);
                Some(outcome(world, id, "resolved", written))
            }
            Work::Undo { bulk_id, reason } if world.is_part_of(id, *bulk_id) => {
                let written = world.undo_part(&self.actor, id, *bulk_id, reason.as_deref());
                Some(outcome(world, id, "undone", written))
            }
            Work::Undo { .. } => None,
        }
    }

    fn is_in_force(&self, world: &World, bulk_id: Uuid) -> bool {
        let is_this = |clash: &Conflict| clash.bulk_id == Some(bulk_id) && clash.status == ConflictStatus::Resolved;
        world.conflict(self.id).is_some_and(is_this)
    }
}

impl Job for PartJob {
    fn missing(&self, world: &World) -> Needs {
        match &self.work {
            Work::Resolve { part, .. } => world.missing_for_decision(self.id, &Map::new(), part.expected),
            Work::Undo { .. } => world.missing_for_settling(self.id, &Map::new()),
        }
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        self.record = None;
        let was = world.conflict(self.id).map(|clash| clash.status);
        self.result = self.carry_out(world);
        if let (Some(was), Some(clash)) = (was, world.conflict(self.id).filter(|clash| Some(clash.status) != was)) {
            let (action, bulk_id, reason) = match &self.work {
                Work::Resolve { bulk_id, part } => ("conflict_resolved", *bulk_id, part.reason.clone()),
                Work::Undo { bulk_id, reason } => ("conflict_undone", *bulk_id, reason.clone()),
            };
            let record = about_clash(&self.actor, action, was, clash, world.now);
            self.record = Some(AuditRow { bulk_id: Some(bulk_id), reason, ..record });
        }
        Ok(())
    }

    fn write_beside<'a>(&'a self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(audit::add(tx, self.record.as_slice()))
    }

    fn answer(self: Box<Self>, committed: Result<Seq>) {
        let Self { answer, result, .. } = *self;
        // The requester may have gone; what was decided stands all the same.
        let _ = answer.send(committed.map(|_| result));
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Several clashes are decided by whose values stand; typing is for one.
fn side(resolution: Resolution) -> Result<&'static str> {
    match resolution {
        Resolution::ClientWins => Ok("client_wins"),
        Resolution::ServerWins => Ok("server_wins"),
        Resolution::Manual => {
            let detail = "several clashes are decided by client_wins or server_wins";
            Err(EngineError::invalid("invalid_resolution", detail))
        }
    }
}

/// The parts that can be tried, the oldest clash first: a row that is missed comes before those that belong to it. And
/// those that the request itself rules out.
fn in_order(parts: &[(ConflictId, PlannedPart)]) -> (Vec<(ConflictId, BulkPart)>, Vec<BulkResult>) {
    let (mut todo, mut ruled_out) = (Vec::new(), Vec::new());
    for (id, part) in parts {
        match part {
            Ok(part) => todo.push((*id, part.clone())),
            Err(error) => ruled_out.push(failed(*id, error.clone())),
        }
    }
    todo.sort_by_key(|(id, _)| *id);
    (todo, ruled_out)
}

/// Parts that failed because another one must come first; none if this pass has carried nothing out. That others belong
/// to a row by now is `server_moved` to an undo, until they have gone themselves.
fn worth_another_pass(tried: &[BulkResult]) -> Vec<ConflictId> {
    let code = |result: &BulkResult| result.error.as_ref().map(|error| error.code.clone());
    if tried.iter().all(|result| result.error.is_some()) {
        return Vec::new();
    }
    let waits = |result: &&BulkResult| {
        matches!(code(result).as_deref(), Some("missing_reference" | "has_children" | "server_moved"))
    };
    tried.iter().filter(waits).map(|result| ConflictId(result.id)).collect()
}

/// Results stand in the order in which their clashes were asked for.
fn sort_as_asked(results: &mut [BulkResult], parts: &[(ConflictId, PlannedPart)]) {
    let place = |id: Uuid| parts.iter().position(|(part, _)| part.0 == id);
    results.sort_by_key(|result| place(result.id));
}

/// Each of them once.
fn named(ids: &[Uuid]) -> Result<Vec<ConflictId>> {
    if ids.len() > PARTS_MAX {
        return Err(EngineError::TooLarge(format!("at most {PARTS_MAX} clashes are decided at once")));
    }
    let mut once = Vec::with_capacity(ids.len());
    for id in ids.iter().copied().map(ConflictId) {
        if !once.contains(&id) {
            once.push(id);
        }
    }
    Ok(once)
}

fn outcome(
    world: &World,
    id: ConflictId,
    done: &str,
    written: std::result::Result<Vec<Written>, SettleError>,
) -> BulkResult {
    let (outcome, error, writes) = match written {
        Ok(written) => (done, None, written),
        Err(error) => ("failed", Some(problem_of(&engine_error(error))), Vec::new()),
    };
    let clash = world.conflict(id);
    let record = clash.and_then(|clash| world.record((clash.table.name, clash.record_id)));
    let stands = |path: &String| {
        let value = record?.table.field(path).map(|field| record.map(|record| record.values[field].to_json()))??;
        Some((path.clone(), value))
    };
    let values = clash.map(|clash| clash.contested.iter().chain(&clash.clean).filter_map(stands).collect());
    let result = BulkResult {
        outcome: outcome.to_owned(),
        error,
        values,
        writes: writes.into_iter().map(written_row).collect(),
        ..unheard(id)
    };
    standing(result, clash)
}

/// The result with where the clash stands.
fn standing(result: BulkResult, clash: Option<&Conflict>) -> BulkResult {
    BulkResult {
        status: clash.map(|clash| clash.status.as_str().to_owned()),
        rev: clash.map(|clash| clash.rev),
        server_version: clash.map(|clash| clash.server_version.0),
        ..result
    }
}

fn written_row(written: Written) -> WrittenRow {
    WrittenRow {
        table_name: written.key.0.to_owned(),
        record_id: written.key.1.0,
        version: written.version.0,
        deleted: written.deleted,
        values: written.values,
    }
}

fn failed(id: ConflictId, error: OpError) -> BulkResult {
    BulkResult { error: Some(error), ..unheard(id) }
}

fn unheard(id: ConflictId) -> BulkResult {
    BulkResult {
        id: id.0,
        outcome: "failed".to_owned(),
        error: None,
        status: None,
        rev: None,
        server_version: None,
        values: None,
        writes: Vec::new(),
    }
}

fn problem(code: &str, detail: &str) -> OpError {
    OpError { code: code.to_owned(), detail: detail.to_owned(), fields: std::collections::BTreeMap::new() }
}

/// Why a part failed, in the words of a single decision.
fn problem_of(error: &EngineError) -> OpError {
    let detail = error.to_string();
    match error {
        EngineError::NotFound(_) => problem("not_found", &detail),
        EngineError::Stale { code, .. } => problem(code, &detail),
        EngineError::Invalid { code, fields, .. } => OpError { fields: fields.clone(), ..problem(code, &detail) },
        EngineError::Busy { .. } => problem("busy", &detail),
        EngineError::DiskFull => problem("disk_full", &detail),
        _ => problem("internal", "the desk could not do this"),
    }
}
