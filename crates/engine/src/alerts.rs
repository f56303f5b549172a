//! Alerts: rules are followed, people are told once, and told again when it is over.
//!
//! Every few seconds the newest readings are held against each rule ([`round`], pure but for what it is given); where a
//! rule stands, and what was said, is on disk before anybody hears it, so a restart says nothing twice. A rule about the
//! show is followed by one desk of a database at a time, one about a laptop by each desk for itself. What cannot be
//! written down for the moment is said from [`memory`].
//! What was said goes out on four ways: the [`desktop`] and the open desks ([`said`]) read it, [`outgoing`] carries it
//! to the phones of admins and to the webhook.

mod desktop;
mod memory;
mod names;
mod outgoing;
mod readings;
mod round;
mod rules;
mod said;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use showdesk_domain::ids::DeviceId;
use showdesk_store::telemetry::alerts::{self, EventRow, StateRow};
use showdesk_telemetry::alerts::{Moment, Rule};
use showdesk_telemetry::metric::Metric;
use tokio::time::timeout;
use uuid::Uuid;

use crate::{Engine, EngineError, Result, Wake};
pub(crate) use memory::Alerts;
use memory::{Following, Remembered};
use round::{Followed, Stand, follow};

/// How often the rules are looked at, if nothing hurries it.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long a desk that does not come back keeps the turn.
const TURN: TimeDelta = TimeDelta::seconds(45);
/// Whose laptop a rule about the show is about.
const NO_DESK: DeviceId = DeviceId(Uuid::nil());

/// What there is to look with.
struct Known {
    following: Following,
    /// Problems that came back.
    back: Vec<String>,
    /// Where rules stand on disk; none if that cannot be read.
    states: Option<Vec<StateRow>>,
    /// Whether this desk looks after the rules about the show.
    has_turn: bool,
}

/// A rule that was followed.
struct Outcome {
    rule: Rule,
    /// Whose laptop it is about.
    desk: DeviceId,
    followed: Followed,
    /// Where the rule stood is not on disk.
    is_behind: bool,
}

impl Outcome {
    fn is_news(&self) -> bool {
        self.followed.has_changed || self.is_behind || !self.followed.messages.is_empty()
    }
}

impl Engine {
    /// Looks at the rules from now on, and carries out what is said.
    pub(crate) fn look_at_alerts_regularly(&self) {
        let inner = Arc::downgrade(&self.inner);
        let hurry = Arc::clone(&self.inner.alerts.hurry);
        let looking = tokio::spawn(async move {
            loop {
                // Missing a call is fine: the next look is near.
                let _ = timeout(LOOK_EVERY, hurry.notified()).await;
                let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
                match engine.look_at_alerts().await {
                    Ok(_) | Err(EngineError::RecordingOff) => {}
                    Err(error) => tracing::warn!(%error, "the alert rules could not be looked at"),
                }
            }
        });
        let going_out = self.carry_alerts_out_regularly();
        self.background().extend([looking.abort_handle(), going_out]);
    }

    /// Holds the newest readings against every rule; answers how many messages were made.
    pub(crate) async fn look_at_alerts(&self) -> Result<usize> {
        let _alone = self.inner.alerts.looking.lock().await;
        let moment = self.moment_at_show().await?;
        let known = match self.known_for_look(moment.now).await {
            Ok(known) => known,
            Err(EngineError::RecordingOff) if !self.inner.telemetry.is_wanted() => {
                return Err(EngineError::RecordingOff);
            }
            // This laptop's rules are followed by what is remembered: that its disk is full may be just the news.
            Err(error) => {
                tracing::debug!(%error, "the alert rules are followed from memory");
                let following = self.inner.alerts.following();
                Known { following, back: Vec::new(), states: None, has_turn: !self.db().is_shared() }
            }
        };
        let mut outcomes = Vec::new();
        for rule in &known.following.rules {
            let rule = known.following.settings.applied(&rule.rule);
            let is_of_show = readings::is_of_show(rule.metric);
            // Which problems came back stands on disk alone.
            let is_unknown = known.states.is_none() && rule.metric == Metric::ProblemBack;
            if is_unknown || is_of_show && !known.has_turn {
                continue;
            }
            let desk = if is_of_show { NO_DESK } else { self.inner.desk_device };
            let before = self.stand_before(desk, &rule, known.states.as_deref(), moment.now);
            let readings = self.readings_of(&rule, &known.back, moment.now);
            let followed = follow(&rule, &before.stand, &readings, moment);
            outcomes.push(Outcome { rule, desk, followed, is_behind: !before.is_written });
        }
        self.settle_outcomes(outcomes, moment.now).await
    }

    async fn known_for_look(&self, now: DateTime<Utc>) -> Result<Known> {
        let has_turn = self.take_alert_turn(now).await?;
        let mut tx = self.begin_read_telemetry().await?;
        let following = rules::following(&mut tx).await?;
        let states = alerts::states(&mut tx, [self.inner.desk_device, NO_DESK]).await?;
        let back = readings::problems_back(&mut tx).await?;
        self.inner.alerts.follow(&following);
        Ok(Known { following, back, states: Some(states), has_turn })
    }

    /// How a rule stood: as it is stored, with what this program remembers of it.
    fn stand_before(&self, desk: DeviceId, rule: &Rule, stored: Option<&[StateRow]>, now: DateTime<Utc>) -> Remembered {
        let remembered = self.inner.alerts.stand(desk, &rule.id);
        let Some(stored) = stored else {
            return remembered
                .unwrap_or_else(|| Remembered { stand: Stand::default().read_now(now), is_written: true });
        };
        let row = stored.iter().find(|row| row.desk == desk && row.rule_id == rule.id);
        let stored = row.map(Stand::of_row).unwrap_or_default();
        match remembered {
            Some(remembered) if remembered.counts_beside(&stored) => remembered,
            // Another desk had the turn, or the program was started: what was read before is not missed now.
            _ => Remembered { stand: stored.read_now(now), is_written: true },
        }
    }

    /// Writes down where rules stand and what is said, then has it said; answers how many messages there were. What
    /// cannot be written and is this laptop's alone to say is said all the same, and held until it can be written.
    async fn settle_outcomes(&self, outcomes: Vec<Outcome>, now: DateTime<Utc>) -> Result<usize> {
        let news: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.is_news()).collect();
        let unwritten = self.inner.alerts.unwritten();
        let mut said = Vec::new();
        let mut written = Ok(());
        if !news.is_empty() || !unwritten.is_empty() {
            let names = self.alert_names().await?;
            let events = news.iter().flat_map(|outcome| {
                let event = |said| said::event(self.fresh_id(), &outcome.rule, outcome.desk, said, &names, now);
                outcome.followed.messages.iter().map(event)
            });
            said = events.collect();
            let all: Vec<EventRow> = unwritten.into_iter().chain(said.iter().cloned()).collect();
            written = self.write_outcomes(&news, &all, now).await;
            if written.is_ok() {
                self.inner.alerts.let_go(&all);
            }
        }
        let is_own = |desk: DeviceId| desk != NO_DESK || !self.db().is_shared();
        if let Err(error) = &written {
            let count = said.len();
            if count > 0 {
                tracing::warn!(%error, count, "what alerts say could not be written");
            }
            said.retain(|row| is_own(row.desk));
            self.inner.alerts.hold(said.iter().cloned());
            self.wake(Wake::Alerts);
        }
        for Outcome { rule, desk, followed, is_behind } in outcomes {
            let is_news = followed.has_changed || is_behind;
            // What another desk may take over is looked at again.
            if written.is_ok() || is_own(desk) {
                self.inner.alerts.keep(desk, &rule.id, followed.stand, written.is_ok() || !is_news);
            }
        }
        Ok(said.iter().filter(|row| !row.quiet).count())
    }

    async fn write_outcomes(&self, news: &[&Outcome], said: &[EventRow], now: DateTime<Utc>) -> Result<()> {
        let mut tx = self.begin_write_telemetry().await?;
        let due = tx.shared_clock(now).await?;
        // A laptop that slept since it took the turn may have lost it: the other desk has told the same.
        if self.db().is_shared()
            && news.iter().any(|outcome| outcome.desk == NO_DESK)
            && !alerts::take_turn(&mut tx, self.inner.desk_device, due + TURN, due).await?
        {
            return Err(EngineError::Busy { retry_after_ms: 1_000 });
        }
        for Outcome { rule, desk, followed, is_behind } in news {
            if followed.has_changed || *is_behind {
                alerts::set_state(&mut tx, &followed.stand.to_row(*desk, &rule.id), now).await?;
            }
        }
        // After the states: who takes a number keeps other desks from theirs until the end.
        for row in said {
            let next_attempt_at = row.next_attempt_at.map(|_| due);
            alerts::add_event(&mut tx, &EventRow { next_attempt_at, ..row.clone() }).await?;
        }
        self.tell_neighbours(&mut tx, &[Wake::Alerts]).await?;
        tx.commit().await.map_err(EngineError::from)?;
        self.wake(Wake::Alerts);
        self.inner.alerts.goes_out.notify_one();
        Ok(())
    }

    /// Whether this desk looks after the rules about the show. One that has its database for itself always does.
    async fn take_alert_turn(&self, now: DateTime<Utc>) -> Result<bool> {
        if !self.db().is_shared() {
            return Ok(true);
        }
        let mut tx = self.begin_write_telemetry().await?;
        // The clock of the database: laptops do not agree on the time.
        let now = tx.shared_clock(now).await?;
        let has_turn = alerts::take_turn(&mut tx, self.inner.desk_device, now + TURN, now).await?;
        tx.commit().await.map_err(EngineError::from)?;
        Ok(has_turn)
    }

    /// Lets another desk look after the rules about the show at once.
    pub(crate) async fn give_alert_turn_up(&self) -> Result<()> {
        let mut tx = self.begin_write_telemetry().await?;
        alerts::give_turn_up(&mut tx, self.inner.desk_device).await?;
        tx.commit().await.map_err(EngineError::from)
    }

    /// The moment, also on the show's clock.
    async fn moment_at_show(&self) -> Result<Moment> {
        let mut tx = self.begin_read_desk().await?;
        let zone = self.zone(&mut tx).await?;
        let now = self.now();
        Ok(Moment { now, local: now.with_timezone(&zone).time() })
    }
}

#[cfg(test)]
mod tests;
