//! What happens beside editing and syncing: decisions, stages, new functions, removals, deaths, restarts, restores.

use serde_json::{Value as Json, json};
use showdesk_domain::actor::Scope;
use showdesk_engine::api::sync::{Push, VerdictName};

use super::{Event, OTHER_FUNCTIONS, Run};
use crate::sim::fields::{in_words, short, tail};
use crate::sim::hostile;
use crate::sim::ledger::Edit;
use crate::sim::people::{self, Hand};

/// Phones go silent for up to that long.
const SILENCE_MS: i64 = 60_000;

impl Run {
    /// A person makes an edit, or somebody tampers with the queue.
    pub(super) fn make_edit(&mut self, phone: usize) {
        let soon = self.chance.between(200, 9_000);
        self.schedule(soon, Event::Edit(phone));
        if self.phones[phone].removed || self.phones[phone].pulled_clock.is_none() {
            return;
        }
        if self.chance.percent(self.plan.poison_percent) {
            return self.slip_poison(phone);
        }
        let now_ms = self.clock.now_ms();
        let mut hand = Hand { chance: &mut self.chance, made: &mut self.made, now_ms };
        let Some(doing) = people::act(&self.phones[phone], self.stage, &mut hand) else { return };
        let op_ids: Vec<_> = doing.drafts.iter().map(|_| self.chance.id(now_ms)).collect();
        let txn = (doing.together && doing.drafts.len() > 1).then(|| self.chance.id(now_ms));
        for (draft, op_id) in doing.drafts.iter().zip(&op_ids) {
            let name = &self.phones[phone].name;
            let line = format!(
                "{name} enters {} {:?} {} {}{}",
                tail(*op_id),
                draft.operation,
                short(draft.key),
                in_words(draft.key.0, &draft.set),
                if txn.is_some() { " (group)" } else { "" },
            );
            self.note(|| line);
        }
        self.edits_left = self.edits_left.saturating_sub(op_ids.len());
        self.report.edits += op_ids.len();
        self.phones[phone].edit(doing.drafts, &op_ids, txn, now_ms, &mut self.ledger);
    }

    fn slip_poison(&mut self, phone: usize) {
        let now_ms = self.clock.now_ms();
        let animals = self.phones[phone].rows_of("animals");
        let Some((key, _)) = animals.first() else { return };
        let op_id = self.chance.id(now_ms);
        let other = self.ledger.edits().find(|(_, edit)| edit.phone != phone && !edit.hostile).map(|(id, _)| id);
        let text = {
            let seq = self.chance.between(1, 40);
            hostile::poison(&mut self.chance, op_id, *key, seq, other)
        };
        self.note(|| format!("poison {} {text}", tail(op_id)));
        let edit = Edit {
            phone,
            key: *key,
            operation: showdesk_domain::op::Operation::Update,
            set: std::collections::BTreeMap::new(),
            seen: std::collections::BTreeMap::new(),
            hostile: true,
            group: None,
            repeats: None,
        };
        self.ledger.write(op_id, edit);
        self.phones[phone].swallow(*key, op_id, text, now_ms);
        self.report.poison += 1;
    }

    pub(super) async fn something_happens(&mut self) {
        if self.plan.restores && self.chance.percent(15) {
            return self.the_desk_is_restored().await;
        }
        match self.chance.below(100) {
            0..=38 => self.decide_something().await,
            39..=44 => self.decide_in_bulk().await,
            45..=49 => self.look_after_refused().await,
            50..=57 => {
                let phone = self.chance.below(self.phones.len());
                self.author_speaks(phone).await;
            }
            58..=68 => {
                let phone = self.chance.below(self.phones.len());
                let silence = self.chance.between(5_000, SILENCE_MS);
                self.offline_until_ms[phone] = self.clock.now_ms() + silence;
                self.note(|| format!("phone {phone} is out of reach"));
            }
            72..=78 => {
                let phone = self.chance.below(self.phones.len());
                self.note(|| format!("phone {phone} dies and comes back"));
                self.phones[phone].die();
            }
            69..=71 => self.a_phone_is_set_back(),
            79..=80 => self.a_store_is_lost().await,
            81..=84 => {
                let stage = *self.chance.pick(&['B', 'C', 'D']);
                self.set_stage(stage).await;
            }
            85..=88 => self.functions_change().await,
            89 => self.a_phone_is_removed().await,
            90..=92 => self.set_visibility().await,
            93..=95 => {
                self.note(|| "the desk restarts".to_owned());
                self.desk.restart().await;
                self.report.restarts += 1;
            }
            _ => {}
        }
    }

    async fn a_store_is_lost(&mut self) {
        let phone = self.chance.below(self.phones.len());
        let incarnation = self.chance.id(self.clock.now_ms());
        let epoch = self.desk.engine().installation().await.expect("an installation").epoch;
        self.note(|| format!("phone {phone} loses its store"));
        self.phones[phone].lose_store(incarnation, epoch);
        self.report.lost_stores += 1;
    }

    /// A phone is restored from its own backup: it has forgotten what it did since, and counts from there again.
    fn a_phone_is_set_back(&mut self) {
        let phone = self.chance.below(self.phones.len());
        let Some(copy) = self.copies.insert(phone, self.phones[phone].clone()) else { return };
        self.note(|| format!("phone {phone} is set back"));
        self.phones[phone].set_back_to(copy);
        self.report.set_back += 1;
    }

    async fn functions_change(&mut self) {
        let phone = self.chance.below(self.phones.len());
        if self.phones[phone].removed || self.phones[phone].device == self.desk_device {
            return;
        }
        let functions = *self.chance.pick(OTHER_FUNCTIONS);
        let departments = if self.chance.percent(30) { vec!["cattle".to_owned()] } else { Vec::new() };
        let scope = Scope { departments, ..Scope::default() };
        let (name, token) = (self.phones[phone].name.clone(), self.phones[phone].token.clone());
        self.note(|| format!("{name} is now {functions:?} {:?}", scope.departments));
        let pass = self.desk.pair(&name, functions, scope, Some(token)).await;
        let phone = &mut self.phones[phone];
        (phone.token, phone.device, phone.functions) = (pass.token, pass.device, functions.to_vec());
        self.report.role_changes += 1;
    }

    async fn a_phone_is_removed(&mut self) {
        let phone = self.chance.below(self.phones.len());
        let left = self.phones.iter().filter(|phone| !phone.removed).count();
        let device = self.phones[phone].device;
        if device == self.desk_device || left < 3 {
            return;
        }
        self.note(|| format!("phone {phone} is removed"));
        let judge = self.desk.judge().await;
        if let Err(error) = self.desk.engine().revoke_device(&judge, device).await {
            self.violation(0, None, format!("a device cannot be removed: {error}"));
        }
        self.report.removals += 1;
    }

    /// The desk does not know the phone's token any more: its person joins again.
    pub(super) async fn let_in_again(&mut self, phone: usize) {
        let (name, functions) = (self.phones[phone].name.clone(), self.phones[phone].functions.clone());
        let known = self.phones[phone].token.clone();
        let pass = if self.phones[phone].device == self.desk_device {
            let token = self.desk.engine().issue_desk_token().await.expect("the desk's token");
            crate::Pass { token, device: self.desk_device }
        } else {
            self.desk.pair(&name, &functions, Scope::default(), Some(known)).await
        };
        self.note(|| format!("{name} joins again"));
        let phone = &mut self.phones[phone];
        (phone.token, phone.device, phone.unknown) = (pass.token, pass.device, false);
    }

    /// A copy is put aside at one time and put back at another.
    async fn the_desk_is_restored(&mut self) {
        if !self.backed_up {
            self.note(|| "a copy of the database is put aside".to_owned());
            self.desk.back_up().await;
            self.backed_up = true;
            return;
        }
        let before = self.desk.engine().installation().await.expect("an installation").epoch;
        let clock_before = self.desk.engine().clock().await.expect("a clock");
        self.desk.roll_back().await;
        let after = self.desk.engine().installation().await.expect("an installation").epoch;
        let clock_after = self.desk.engine().clock().await.expect("a clock");
        self.note(|| format!("the old copy is put back; epoch {} -> {}", tail(before), tail(after)));
        if before == after && clock_after < clock_before {
            self.violation(6, None, "the desk has not noticed that its database is an old copy".to_owned());
        }
        self.backed_up = false;
        // Decisions after the copy are gone with it.
        self.decided.clear();
        self.restores += 1;
        self.report.restores += 1;
        self.stage = self.stage_now().await;
    }

    /// The desk moves the show to another stage.
    pub(super) async fn set_stage(&mut self, stage: char) {
        let before = self.stage_now().await.to_string();
        let data = json!({ "stage": stage.to_string() });
        if self.desk_sets("stage", json!(before), json!(stage.to_string()), data).await {
            self.stage = stage;
        }
    }

    /// The desk shows results to everybody, or keeps them until they are official.
    async fn set_visibility(&mut self) {
        let Some(show) = self.show_fields().await else { return };
        let before = show["rules"]["results_visibility"].clone();
        let after = json!(if before == "posted" { "official" } else { "posted" });
        let data = json!({ "rules": { "results_visibility": after } });
        self.desk_sets("rules.results_visibility", before, after, data).await;
    }

    /// The desk's own page changes one field of the show; it sees what it changes.
    async fn desk_sets(&mut self, path: &str, before: Json, after: Json, data: Json) -> bool {
        let installation = self.desk.engine().installation().await.expect("an installation");
        let actor = self.desk.judge().await;
        let Some((show, version)) = self.show_row().await else { return false };
        let op_id = self.chance.id(self.clock.now_ms());
        let edit = Edit {
            phone: usize::MAX,
            key: ("shows", uuid::Uuid::try_parse(&show).expect("the show's id")),
            operation: showdesk_domain::op::Operation::Update,
            set: [(path.to_owned(), after)].into(),
            seen: [(path.to_owned(), vec![before])].into(),
            hostile: false,
            group: None,
            repeats: None,
        };
        self.ledger.write(op_id, edit);
        let op = json!({
            "op_id": op_id.to_string(), "device_seq": 1, "table_name": "shows", "record_id": show,
            "operation": "update", "base_version": version, "data": data, "reason": "the show goes on",
        });
        let ops = vec![serde_json::value::to_raw_value(&op).expect("JSON")];
        let push = Push::of(installation.epoch, uuid::Uuid::from_u128(2), ops);
        let answer = self.desk.engine().push(&actor, push).await.expect("the desk's own change is processed");
        let verdict = answer.results[0].verdict;
        self.note(|| format!("the desk sets {data}: {verdict:?}"));
        matches!(verdict, VerdictName::Applied | VerdictName::Merged)
    }

    async fn stage_now(&self) -> char {
        let db = self.show_fields().await;
        db.and_then(|row| row["stage"].as_str().and_then(|stage| stage.chars().next())).unwrap_or('A')
    }

    async fn show_row(&self) -> Option<(String, i64)> {
        let row = self.show_fields().await?;
        Some((row["id"].as_str()?.to_owned(), row["version"].as_i64()?))
    }

    async fn show_fields(&self) -> Option<Json> {
        let actor = self.desk.judge().await;
        self.desk.engine().overview(&actor).await.ok().map(|overview| overview.show)
    }
}
