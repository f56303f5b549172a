//! The person at the desk decides clashes, takes decisions back, and looks whether an undo gives everything back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use showdesk_domain::actor::Actor;
use showdesk_domain::schema::{known_table, table};
use showdesk_engine::EngineError;
use showdesk_engine::api::conflicts::{ConflictQuery, ConflictView, Disagree, Reason, Resolution, Resolve};
use uuid::Uuid;

use super::fields::{Fields, Key, is_derived, short, spread};
use super::people::Hand;
use super::run::{Run, Violation};

/// A row as it stood: its version, whether it is live, its values without derived ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stood {
    pub version: i64,
    pub live: bool,
    pub values: Fields,
}

impl Stood {
    /// Whether the row stays after an undo of what made it because others belong to it by now: without what was disputed.
    pub(super) fn stays_for_others(&self, contested: &[String]) -> bool {
        let is_blank = |path: &String| self.values.get(path).is_none_or(Json::is_null);
        self.live && !contested.is_empty() && contested.iter().all(is_blank)
    }
}

/// A decision that may be taken back.
#[derive(Debug)]
pub(super) struct Decided {
    pub conflict: Uuid,
    key: Key,
    contested: Vec<String>,
    before: BTreeMap<Key, Option<Stood>>,
    /// The versions that the decision made.
    versions: BTreeMap<Key, i64>,
}

impl Run {
    /// Open clashes in an order that does not depend on their ids, which the engine makes up.
    pub(super) async fn open_clashes(&self, judge: &Actor) -> Vec<ConflictView> {
        let query = ConflictQuery { status: Some("open".to_owned()), ..ConflictQuery::default() };
        let mut items = self.desk.engine().conflicts(judge, query).await.expect("a list").items;
        items.sort_by(|one, other| (one.record_id, &one.op_ids).cmp(&(other.record_id, &other.op_ids)));
        items
    }

    /// The person at the desk decides one clash, or takes a decision back.
    pub(super) async fn decide_something(&mut self) {
        let judge = self.desk.judge().await;
        if !self.decided.is_empty() && self.chance.percent(35) {
            let place = self.chance.below(self.decided.len());
            let decided = self.decided.swap_remove(place);
            self.undo(&judge, &decided, false).await;
            return;
        }
        let open = self.open_clashes(&judge).await;
        if open.is_empty() {
            return;
        }
        let clash = self.chance.pick(&open).clone();
        let resolution = *self.chance.pick(&[Resolution::ClientWins, Resolution::ServerWins, Resolution::Manual]);
        if let Some(decided) = self.resolve(&judge, &clash, resolution).await {
            if self.chance.percent(30) {
                self.undo(&judge, &decided, true).await;
            } else {
                self.decided.push(decided);
            }
        }
    }

    /// Decides what is left, so that every queue can drain. True if there was anything.
    pub(super) async fn decide_everything(&mut self) -> bool {
        let judge = self.desk.judge().await;
        let open = self.open_clashes(&judge).await;
        for clash in &open {
            let mut done = false;
            for resolution in [Resolution::ServerWins, Resolution::ClientWins, Resolution::Manual] {
                done = done || self.resolve(&judge, clash, resolution).await.is_some();
            }
            if !done {
                self.withdraw(clash.id).await;
            }
        }
        !open.is_empty()
    }

    /// One decision. None if it was not accepted.
    async fn resolve(&mut self, judge: &Actor, clash: &ConflictView, resolution: Resolution) -> Option<Decided> {
        let key: Key = (table(&clash.table_name)?.name, clash.record_id);
        let before = self.rows_around(judge, clash, key).await;
        let data = (resolution == Resolution::Manual).then(|| self.manual_values(clash));
        self.decisions += 1;
        let request = Resolve {
            resolution,
            data,
            expected_server_version: clash.server_version,
            rev: clash.rev,
            reason: self.chance.percent(30).then(|| "both were asked".to_owned()),
            idempotency_key: format!("decision {}", self.decisions),
        };
        let answer = self.desk.engine().resolve(judge, clash.id, request.clone()).await;
        self.note(|| {
            let outcome = answer.as_ref().map(|view| view.status.clone()).map_err(ToString::to_string);
            format!(
                "the desk decides {} of {} {:?}: {resolution:?} {outcome:?}",
                clash.kind,
                short(key),
                clash.contested
            )
        });
        match answer {
            Ok(view) => {
                // An older decision about the same clash can no longer be taken back.
                self.decided.retain(|decided| decided.conflict != clash.id);
                *self.report.decisions.entry(format!("{} {resolution:?}", clash.kind)).or_default() += 1;
                if self.chance.percent(10) {
                    let again = self.desk.engine().resolve(judge, clash.id, request).await;
                    if again.as_ref().map_or(true, |again| again.rev != view.rev || again.status != view.status) {
                        self.violation(7, Some(key), "the same idempotency key gave another answer".to_owned());
                    }
                }
                let after = self.rows_around(judge, clash, key).await;
                let made = |(key, row): (Key, Option<Stood>)| {
                    let was = before.get(&key).and_then(|row| row.as_ref()).map_or(0, |row| row.version);
                    let is = row.map_or(0, |row| row.version);
                    (is > was).then_some((key, is))
                };
                let versions = after.into_iter().filter_map(made).collect();
                Some(Decided { conflict: clash.id, key, contested: clash.contested.clone(), before, versions })
            }
            Err(error) => {
                self.expect_refusal("a decision", key, &error);
                None
            }
        }
    }

    pub(super) fn expect_refusal(&mut self, what: &str, key: Key, error: &EngineError) {
        let is_refusal = matches!(
            error,
            EngineError::Stale { .. }
                | EngineError::Invalid { .. }
                | EngineError::Forbidden(_)
                | EngineError::NotFound(_)
        );
        if !is_refusal {
            self.violation(0, Some(key), format!("{what} failed: {error}: {error:?}"));
        }
    }

    /// Values for a decision by hand: the phone's, the desk's, or others; or that both rows are the same thing.
    fn manual_values(&mut self, clash: &ConflictView) -> Map<String, Json> {
        if let Some(other) = clash.other_record_id.filter(|_| clash.kind == "unique_violation")
            && self.chance.percent(50)
        {
            return Map::from_iter([("same_as".to_owned(), Json::from(other.to_string()))]);
        }
        let table = known_table(&clash.table_name);
        let side = |data: &Option<Json>| {
            data.as_ref().and_then(Json::as_object).map(|data| spread(table, data)).unwrap_or_default()
        };
        let (client, server) = (side(&clash.client_data), side(&clash.server_data));
        let mut values = Map::new();
        for path in &clash.contested {
            let now_ms = self.clock.now_ms();
            let mut hand = Hand { chance: &mut self.chance, made: &mut self.made, now_ms };
            let fresh = hand.value(table.name, path);
            let sides = [fresh.as_ref(), client.get(path), server.get(path)];
            let value = sides[hand.chance.below(3)].or(client.get(path)).cloned().unwrap_or(Json::Null);
            values.insert(path.clone(), value);
        }
        values
    }

    /// Takes a decision back and compares (invariant 7). With `at_once` nobody has written in between.
    async fn undo(&mut self, judge: &Actor, decided: &Decided, at_once: bool) {
        let reason = Reason { reason: Some("too quick".to_owned()) };
        let answer = self.desk.engine().undo(judge, decided.conflict, reason).await;
        self.note(|| {
            let outcome = answer.as_ref().map(|view| view.status.clone()).map_err(ToString::to_string);
            format!("the desk takes the decision about {} back: {outcome:?}", short(decided.key))
        });
        let view = match answer {
            Ok(view) => view,
            Err(error) => return self.expect_refusal("an undo", decided.key, &error),
        };
        self.report.undone += 1;
        if view.status != "open" {
            self.violation(7, Some(decided.key), format!("after an undo the clash is {}", view.status));
        }
        let mut rises = false;
        for (key, before) in &decided.before {
            let after = self.stood(judge, *key).await;
            let beside = self.with_beside(judge, *key, before.as_ref(), &view.op_ids).await;
            let before = if at_once { &beside } else { before };
            let compared = |row: &Option<Stood>| {
                let row = row.as_ref().filter(|row| row.live)?;
                let mut values = row.values.clone();
                if !at_once {
                    values.retain(|path, _| *key == decided.key && decided.contested.contains(path));
                }
                Some(values)
            };
            // Somebody may have changed, made or deleted another row meanwhile.
            let is_judged = at_once || *key == decided.key;
            let made_it = *key == decided.key && compared(before).is_none();
            let stays = made_it && after.as_ref().is_some_and(|row| row.stays_for_others(&decided.contested));
            if is_judged && !stays && compared(before) != compared(&after) {
                let text = format!("undo gave {:?} and not {:?}", compared(&after), compared(before));
                self.violation(7, Some(*key), text);
            }
            rises |= after.as_ref().map_or(0, |row| row.version) > decided.versions.get(key).copied().unwrap_or(0);
        }
        if !rises && decided.versions.values().any(|version| *version > 0) {
            self.violation(7, Some(decided.key), format!("undo made no version after {:?}", decided.versions));
        }
    }

    /// The rows that a decision may touch, as they stand.
    pub(super) async fn rows_around(
        &self,
        judge: &Actor,
        clash: &ConflictView,
        key: Key,
    ) -> BTreeMap<Key, Option<Stood>> {
        let other = clash.other_record_id.map(|id| (key.0, id));
        let of_ops = clash.op_ids.iter().filter_map(|id| self.ledger.get(*id)).map(|edit| edit.key);
        let keys: BTreeSet<Key> = of_ops.chain([key]).chain(other).collect();
        let mut rows = BTreeMap::new();
        for key in keys {
            rows.insert(key, self.stood(judge, key).await);
        }
        rows
    }

    /// The row with what other entries have written to it since: in the transaction of a decision those are decided that
    /// waited for it, and a clash whose values it makes equal closes and joins what waited beside them.
    pub(super) async fn with_beside(
        &self,
        judge: &Actor,
        key: Key,
        before: Option<&Stood>,
        op_ids: &[Uuid],
    ) -> Option<Stood> {
        let mut stood = before.cloned();
        let Ok(history) = self.desk.engine().record_history(judge, key.0, key.1).await else { return stood };
        let mut versions = history.items;
        versions.sort_by_key(|item| item.version);
        let table = known_table(key.0);
        let spread = |snapshot: &Json| snapshot.as_object().map(|data| spread(table, data)).unwrap_or_default();
        let since = before.map_or(0, |row| row.version);
        for (place, item) in versions.iter().enumerate().filter(|(_, item)| item.version > since) {
            if item.op_id.is_none_or(|id| op_ids.contains(&id)) {
                continue;
            }
            let was = place.checked_sub(1).map(|place| &versions[place]);
            let was_values = was.map(|was| spread(&was.snapshot)).unwrap_or_default();
            let row = stood.get_or_insert_with(|| Stood { version: 0, live: false, values: Fields::new() });
            if was.is_none_or(|was| was.deleted != item.deleted) {
                row.live = !item.deleted;
            }
            let mut values = spread(&item.snapshot);
            values.retain(|path, value| !is_derived(table, path) && was_values.get(path) != Some(value));
            row.values.extend(values);
        }
        stood
    }

    async fn stood(&self, judge: &Actor, key: Key) -> Option<Stood> {
        let history = self.desk.engine().record_history(judge, key.0, key.1).await.ok()?;
        let newest = history.items.into_iter().max_by_key(|item| item.version)?;
        let table = known_table(key.0);
        let mut values = newest.snapshot.as_object().map(|data| spread(table, data)).unwrap_or_default();
        values.retain(|path, _| !is_derived(table, path));
        Some(Stood { version: newest.version, live: !newest.deleted, values })
    }

    /// An author takes an entry back, or disagrees with what was decided about it.
    pub(super) async fn author_speaks(&mut self, phone: usize) {
        let Ok(actor) = self.desk.engine().authenticate(&self.phones[phone].token).await else { return };
        let Ok(own) = self.desk.engine().my_conflicts(&actor).await else { return };
        let mut items = own.items;
        items.sort_by(|one, other| (one.record_id, &one.op_ids).cmp(&(other.record_id, &other.op_ids)));
        if items.is_empty() {
            return;
        }
        let clash = self.chance.pick(&items).clone();
        let answer = match clash.status.as_str() {
            "open" => self.desk.engine().withdraw(&actor, clash.id).await,
            "resolved" => self.desk.engine().disagree(&actor, clash.id, Disagree::default()).await,
            _ => return,
        };
        self.note(|| {
            let outcome = answer.as_ref().map(|view| view.status.clone()).map_err(ToString::to_string);
            format!("{} speaks about {} clash on {}: {outcome:?}", actor.person_name, clash.status, clash.table_name)
        });
        let key = (known_table(&clash.table_name).name, clash.record_id);
        if let Err(error) = answer {
            self.expect_refusal("an author's word", key, &error);
        }
    }

    async fn withdraw(&mut self, conflict: Uuid) {
        for phone in 0..self.phones.len() {
            let Ok(actor) = self.desk.engine().authenticate(&self.phones[phone].token).await else { continue };
            if self.desk.engine().withdraw(&actor, conflict).await.is_ok() {
                return;
            }
        }
    }

    pub(super) fn violation(&mut self, invariant: u8, key: Option<Key>, what: String) {
        self.report.violations.push(Violation { invariant, record: key.map(short), what });
    }
}
