//! The person at the desk decides several clashes at once, and looks after ops that were refused.

use serde_json::Map;
use showdesk_domain::schema::table;
use showdesk_engine::api::attention::{Apply, QueueQuery};
use showdesk_engine::api::bulk::BulkResolve;
use showdesk_engine::api::conflicts::{ConflictView, Reason, Resolution};
use uuid::Uuid;

use super::admin::Stood;
use super::fields::{Key, tail};
use super::run::Run;

/// Most clashes that one bulk decision takes here.
const BULK_CLASHES: usize = 3;
/// Ops of the list that is looked at.
const LIST_OPS: i64 = 20;

impl Run {
    /// One decision about several clashes: first on trial, then for good, often taken back at once.
    pub(super) async fn decide_in_bulk(&mut self) {
        let judge = self.desk.judge().await;
        let mut open: Vec<ConflictView> = self.open_clashes(&judge).await;
        self.chance.shuffle(&mut open);
        open.truncate(BULK_CLASHES);
        let Some(first) = open.first() else { return };
        let Some(first_key) = table(&first.table_name).map(|table| (table.name, first.record_id)) else { return };
        self.decisions += 1;
        let request = BulkResolve {
            ids: Some(open.iter().map(|clash| clash.id).collect()),
            filter: None,
            choices: std::collections::BTreeMap::new(),
            resolution: *self.chance.pick(&[Resolution::ClientWins, Resolution::ServerWins]),
            expected: None,
            dry_run: true,
            reason: None,
            idempotency_key: Some(format!("decision {}", self.decisions)),
        };
        let clock = self.desk.engine().clock().await.expect("a clock");
        let tried = self.desk.engine().resolve_bulk(&judge, request.clone()).await;
        if self.desk.engine().clock().await.expect("a clock") != clock {
            self.violation(7, Some(first_key), "a dry run has changed something".to_owned());
        }
        let before = self.stood_around(&judge, &open).await;
        let done = self.desk.engine().resolve_bulk(&judge, BulkResolve { dry_run: false, ..request }).await;
        let (Ok(tried), Ok(done)) = (&tried, &done) else {
            return self.violation(0, Some(first_key), format!("a bulk decision failed: {tried:?} {done:?}"));
        };
        self.note(|| format!("the desk decides {} clashes at once", open.len()));
        let promised: Vec<bool> = tried.results.iter().map(|result| result.outcome == "would_resolve").collect();
        let kept: Vec<bool> = done.results.iter().map(|result| result.outcome == "resolved").collect();
        if promised != kept {
            self.violation(7, Some(first_key), format!("the dry run promised {promised:?}, it was {kept:?}"));
        }
        self.decided.retain(|decided| !open.iter().any(|clash| clash.id == decided.conflict));
        self.report.bulk += 1;
        if let Some(bulk_id) = done.bulk_id
            && self.chance.percent(60)
        {
            self.undo_in_bulk(&judge, bulk_id, &open, &before, first_key).await;
        }
    }

    async fn undo_in_bulk(
        &mut self,
        judge: &showdesk_domain::actor::Actor,
        bulk_id: Uuid,
        open: &[ConflictView],
        before: &[(Key, Option<Stood>)],
        first_key: Key,
    ) {
        let undone = match self.desk.engine().undo_bulk(judge, bulk_id, Reason::default()).await {
            Ok(undone) => undone,
            Err(error) => return self.violation(0, Some(first_key), format!("a bulk undo failed: {error}")),
        };
        if undone.results.iter().any(|result| result.outcome != "undone") {
            // Two of its clashes were about one row: the later decision stands in the way.
            return;
        }
        let undone = |clash: &&ConflictView| undone.results.iter().any(|result| result.id == clash.id);
        let op_ids: Vec<Uuid> = open.iter().filter(undone).flat_map(|clash| clash.op_ids.iter().copied()).collect();
        let after = self.stood_around(judge, open).await;
        for ((key, was), (_, is)) in before.iter().zip(&after) {
            let was = &self.with_beside(judge, *key, was.as_ref(), &op_ids).await;
            let shown = |row: &Option<Stood>| row.as_ref().filter(|row| row.live).map(|row| row.values.clone());
            let of_row = |clash: &&ConflictView| (clash.table_name.as_str(), clash.record_id) == *key;
            let contested: Vec<String> = open.iter().filter(of_row).flat_map(|clash| clash.contested.clone()).collect();
            let stays = shown(was).is_none() && is.as_ref().is_some_and(|row| row.stays_for_others(&contested));
            if !stays && shown(was) != shown(is) {
                let what = format!("a bulk undo gave {:?} and not {:?}", shown(is), shown(was));
                self.violation(7, Some(*key), what);
            }
        }
    }

    async fn stood_around(
        &self,
        judge: &showdesk_domain::actor::Actor,
        clashes: &[ConflictView],
    ) -> Vec<(Key, Option<Stood>)> {
        let mut rows = Vec::new();
        for clash in clashes {
            let Some(table) = table(&clash.table_name) else { continue };
            rows.extend(self.rows_around(judge, clash, (table.name, clash.record_id)).await);
        }
        rows
    }

    /// An op that was refused is tried again, given up, or applied for its author.
    pub(super) async fn look_after_refused(&mut self) {
        let judge = self.desk.judge().await;
        let query = QueueQuery { status: None, cursor: None, limit: LIST_OPS };
        let Ok(page) = self.desk.engine().queue(&judge, query).await else {
            return self.violation(0, None, "the list of refused ops failed".to_owned());
        };
        let mut ops: Vec<Uuid> = page.items.iter().map(|item| item.op_id).collect();
        ops.retain(|id| self.ledger.get(*id).is_some_and(|edit| !edit.hostile));
        ops.sort_unstable();
        if ops.is_empty() {
            return;
        }
        let op_id = *self.chance.pick(&ops);
        let engine = self.desk.engine();
        let answer = match self.chance.below(3) {
            0 => engine.retry_op(&judge, op_id).await,
            1 => engine.drop_op(&judge, op_id, Reason::default()).await,
            _ => {
                let request = Apply { data: None::<Map<_, _>>, reason: "honestly entered, came too late".to_owned() };
                engine.apply_op(&judge, op_id, request).await
            }
        };
        self.note(|| {
            let verdict = answer.as_ref().map(|item| item.verdict.clone()).map_err(ToString::to_string);
            format!("the desk looks after {}: {verdict:?}", tail(op_id))
        });
        self.report.attended += 1;
        self.looked_after.insert(op_id);
        let key = self.ledger.get(op_id).map(|edit| edit.key);
        if let (Err(error), Some(key)) = (answer, key) {
            self.expect_refusal("looking after an op", key, &error);
        }
    }
}
