//! Rules as people see and change them. A built-in rule that nobody changed stands in the program alone.

use std::collections::BTreeSet;

use serde_json::json;
use showdesk_domain::actor::Actor;
use showdesk_domain::permit::Action;
use showdesk_store::Tx;
use showdesk_store::telemetry::alerts::{self, RuleRow, StateRow};
use showdesk_telemetry::alerts::{Message, MessageKind, Part, Phase, Rule, built_in, headline, limit_unit, sentence};
use showdesk_telemetry::metric::Metric;

use super::memory::Following;
use super::names::AlertNames;
use super::round::Stand;
use super::{NO_DESK, readings, said, settings};
use crate::api::alerts::{AlertPart, AlertRule, AlertRuleList, AlertRuleView, AlertState, AlertUnits};
use crate::rights::require;
use crate::{Engine, EngineError, Result, Wake};

/// Rules that people make.
const OWN_MAX: usize = 100;

/// A rule as it stands, and where it came from.
#[derive(Clone)]
pub(super) struct KnownRule {
    pub(super) rule: Rule,
    pub(super) is_built_in: bool,
    pub(super) is_changed: bool,
}

/// The built-in rules in their order, as they stand, then those that people made.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<KnownRule>> {
    let stored = alerts::rules(tx).await?;
    let mut own = Vec::new();
    let mut changed: Vec<Rule> = Vec::new();
    let built_in = built_in();
    for row in stored {
        // What an older or a newer program stored and this one cannot read is left alone.
        let Ok(rule) = serde_json::from_value::<Rule>(row.rule) else { continue };
        if built_in.iter().any(|known| known.id == rule.id) {
            changed.push(rule);
        } else {
            own.push(KnownRule { rule, is_built_in: false, is_changed: false });
        }
    }
    let known = built_in.into_iter().filter(has_measure).map(|rule| {
        match changed.iter().find(|changed| changed.id == rule.id) {
            Some(changed) => KnownRule { is_changed: *changed != rule, rule: changed.clone(), is_built_in: true },
            None => KnownRule { rule, is_built_in: true, is_changed: false },
        }
    });
    Ok(known.chain(own).collect())
}

/// The built-in rules as nobody has changed them.
pub(super) fn as_they_came() -> Vec<KnownRule> {
    built_in()
        .into_iter()
        .filter(has_measure)
        .map(|rule| KnownRule { rule, is_built_in: true, is_changed: false })
        .collect()
}

/// Whether anything of what a rule is about is measured by this program at all: it makes no copies yet.
fn has_measure(rule: &Rule) -> bool {
    !matches!(rule.metric, Metric::BackupAge | Metric::BackupStickMissing)
}

/// All rules and what was chosen for them.
pub(super) async fn following(tx: &mut Tx) -> Result<Following> {
    Ok(Following { rules: all(tx).await?, settings: settings::read(tx).await? })
}

/// What a page of rules is made of.
struct Seen {
    rules: Vec<KnownRule>,
    /// None if nothing can be read: then what is remembered counts.
    states: Option<Vec<StateRow>>,
    names: AlertNames,
    /// What this laptop measures.
    measured: BTreeSet<Metric>,
}

impl Engine {
    /// All rules, how they are said, and where they stand.
    pub async fn alert_rules(&self, actor: &Actor) -> Result<AlertRuleList> {
        require(actor, Action::SeeHealth)?;
        let (rules, states) = match self.begin_read_telemetry_as(actor).await {
            Ok(mut tx) => {
                let rules = all(&mut tx).await?;
                (rules, Some(alerts::states(&mut tx, [self.inner.desk_device, NO_DESK]).await?))
            }
            // They are followed all the same.
            Err(EngineError::RecordingOff) if self.inner.telemetry.is_wanted() => {
                (self.inner.alerts.following().rules, None)
            }
            Err(error) => return Err(error),
        };
        let measured = self.measured().into_iter().map(|one| one.metric).collect();
        let seen = Seen { rules, states, names: self.alert_names().await?, measured };
        Ok(AlertRuleList { items: seen.rules.iter().map(|known| self.rule_view(known, &seen)).collect() })
    }

    /// The limit of a rule as it stands; none if it is switched off or not there.
    pub(crate) async fn alert_limit(&self, id: &str) -> Option<f64> {
        let mut tx = self.begin_read_telemetry().await.ok()?;
        let rules = all(&mut tx).await.ok()?;
        let found = rules.into_iter().find(|known| known.rule.id == id && known.rule.enabled);
        found.map(|known| known.rule.threshold)
    }

    /// Adds a rule, or puts it in the place of the one of its name.
    pub async fn set_alert_rule(&self, actor: &Actor, wanted: AlertRule) -> Result<AlertRuleView> {
        require(actor, Action::ManageHealth)?;
        let mut rule = Rule::from(wanted);
        rule.sinks.sort_unstable();
        rule.sinks.dedup();
        let refused = |detail: String| EngineError::BadQuery { code: "bad_rule", detail };
        rule.check().map_err(|error| refused(error.to_string()))?;
        let now = self.now();
        let mut tx = self.begin_write_telemetry().await?;
        let known = all(&mut tx).await?;
        let before = known.iter().find(|known| known.rule.id == rule.id);
        if before.is_none() && known.iter().filter(|known| !known.is_built_in).count() >= OWN_MAX {
            return Err(refused(format!("there are {OWN_MAX} rules already; remove one first")));
        }
        let row = RuleRow { id: rule.id.clone(), rule: json!(rule) };
        alerts::set_rule(&mut tx, &row, Some(actor.person), now).await?;
        // What is measured is another thing: where the rule stood says nothing about it.
        let is_about_else = before.is_some_and(|before| is_about_else(&before.rule, &rule));
        if is_about_else {
            alerts::remove_states(&mut tx, &rule.id).await?;
        }
        tx.commit().await.map_err(EngineError::from)?;
        if is_about_else {
            self.inner.alerts.forget(&rule.id);
        }
        let what = json!({
            "rule": rule.id, "sentence": in_words(&rule), "enabled": rule.enabled, "silenced_until": rule.silenced_until,
            "before": before.map(|before| &before.rule), "after": rule,
        });
        self.note(actor, "alert_rule_changed", None, Some(what)).await?;
        self.rules_changed().await;
        let list = self.alert_rules(actor).await?;
        list.items.into_iter().find(|item| item.rule.id == rule.id).ok_or(NOT_FOUND)
    }

    /// Removes a rule that people made, or puts a built-in one back to how it came.
    pub async fn remove_alert_rule(&self, actor: &Actor, id: &str) -> Result<()> {
        require(actor, Action::ManageHealth)?;
        let mut tx = self.begin_write_telemetry().await?;
        let known = all(&mut tx).await?;
        let before = known.into_iter().find(|known| known.rule.id == id).ok_or(NOT_FOUND)?;
        let was_stored = alerts::remove_rule(&mut tx, id).await?;
        let as_it_came = built_in().into_iter().find(|rule| rule.id == id);
        let is_about_else = as_it_came.as_ref().is_none_or(|rule| is_about_else(&before.rule, rule));
        if is_about_else {
            alerts::remove_states(&mut tx, id).await?;
        }
        tx.commit().await.map_err(EngineError::from)?;
        if is_about_else {
            self.inner.alerts.forget(id);
        }
        if was_stored {
            let sentence = in_words(&before.rule);
            let what = json!({ "rule": id, "sentence": sentence, "before": before.rule, "after": as_it_came });
            self.note(actor, "alert_rule_removed", None, Some(what)).await?;
            self.rules_changed().await;
        }
        Ok(())
    }

    /// Where a rule stands now.
    fn stand_now(&self, rule: &Rule, states: Option<&[StateRow]>) -> Stand {
        let desk = if readings::is_of_show(rule.metric) { NO_DESK } else { self.inner.desk_device };
        let remembered = self.inner.alerts.stand(desk, &rule.id);
        let Some(states) = states else {
            return remembered.map(|remembered| remembered.stand).unwrap_or_default();
        };
        let row = states.iter().find(|row| row.desk == desk && row.rule_id == rule.id);
        let stored = row.map(Stand::of_row).unwrap_or_default();
        remembered.filter(|known| known.counts_beside(&stored)).map_or(stored, |known| known.stand)
    }

    async fn rules_changed(&self) {
        self.forget_charts().await;
        self.wake(Wake::Alerts);
        self.inner.alerts.hurry();
    }

    fn rule_view(&self, known: &KnownRule, seen: &Seen) -> AlertRuleView {
        let (rule, names) = (&known.rule, &seen.names);
        let stand = self.stand_now(rule, seen.states.as_deref());
        let firing = stand.firing(rule);
        let phase = if !rule.enabled {
            Phase::Normal
        } else if firing.is_empty() && readings::is_unmeasured(rule.metric, &seen.measured) {
            // Nobody may take for well what is never looked at.
            Phase::NoData
        } else {
            stand.phase()
        };
        let message = Message {
            rule: rule.id.clone(),
            kind: MessageKind::Firing,
            subjects: firing.clone(),
            severity: rule.severity,
            sinks: Vec::new(),
        };
        let state = AlertState {
            phase: word_of_phase(phase).to_owned(),
            firing: firing.iter().map(|firing| said::subject(rule, firing, names)).collect(),
            silenced_until: rule.silenced_until.filter(|until| *until > self.now()),
            headline: (!firing.is_empty()).then(|| headline(rule, &message)),
        };
        AlertRuleView {
            rule: rule.clone().into(),
            built_in: known.is_built_in,
            changed: known.is_changed,
            sentence: sentence(rule).into_iter().map(part).collect(),
            units: AlertUnits { threshold: limit_unit(rule).to_owned() },
            state,
        }
    }
}

const NOT_FOUND: EngineError = EngineError::NotFound("the rule");

fn is_about_else(before: &Rule, after: &Rule) -> bool {
    (before.metric, before.aggregate, &before.filter) != (after.metric, after.aggregate, &after.filter)
}

/// The sentence that follows "Tell me when", in one piece.
fn in_words(rule: &Rule) -> String {
    sentence(rule).into_iter().map(Part::into_text).collect()
}

fn part(part: Part) -> AlertPart {
    let (kind, text) = match part {
        Part::Words(text) => ("words", text),
        Part::Limit(text) => ("limit", text),
        Part::Wait(text) => ("wait", text),
    };
    AlertPart { kind: kind.to_owned(), text }
}

fn word_of_phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Normal => "normal",
        Phase::Pending => "pending",
        Phase::Firing => "firing",
        Phase::Recovering => "recovering",
        Phase::NoData => "no_data",
    }
}
