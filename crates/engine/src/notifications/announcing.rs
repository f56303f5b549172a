//! Messages of the desk: sent, scheduled, changed, cancelled, taken back, reminded of.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};
use showdesk_domain::actor::Actor;
use showdesk_domain::ids::{OpId, RecordId};
use showdesk_domain::notices::facts;
use showdesk_domain::op::{Op, OpDraft, Operation};
use showdesk_domain::permit::Action;
use showdesk_domain::queue::QueueStatus;
use showdesk_domain::schema::known_table;
use showdesk_domain::value::instant_text;
use showdesk_domain::world::{Author, Needs, World};
use showdesk_store::audit::AuditRow;
use showdesk_store::notifications::NotificationRow;
use showdesk_store::{Tx, audit, notifications as rows, records};
use uuid::Uuid;

use super::job::Work;
use super::outbox::Outbox;
use super::scheduling::time_now;
use super::texts::invalid;
use super::writing::{already_sent, undo};
use crate::api::notifications::{MessageItem, NewMessage, Reminded, SentMessage};
use crate::rights::require;
use crate::writer::BesideFuture;
use crate::{Engine, EngineError, Result};

/// A message that goes out so soon is waited for by a timer of its own.
const SOON: TimeDelta = TimeDelta::seconds(90);

impl Engine {
    /// Sends a message, or schedules it.
    pub async fn send_message(&self, actor: &Actor, asked: NewMessage) -> Result<SentMessage> {
        require(actor, Action::Message)?;
        let now = self.now();
        let id = crate::ids::fresh_id(now);
        let (row, undo_until) = self.drafted(actor, asked, id).await?;
        let goes_now = row.released_at.is_some();
        let op = (goes_now && row.user.is_none()).then(|| self.announcement_op(&row)).transpose()?;
        let action = if goes_now { "message_sent" } else { "message_scheduled" };
        let reach = self.message_reach_of(actor, &row).await?;
        let told = json!({ "title": row.title, "people": reach.people });
        let note = note(actor, action, id, self.now(), Some(told));
        let author = self.author_of(actor.clone());
        let send_at = self.do_message_work(Send { author, row, undo_until, op, note }).await?;
        self.release_soon(send_at.filter(|_| !goes_now));
        Ok(SentMessage { id, reach, send_at, undo_until: held_back(send_at, undo_until) })
    }

    /// Writes a scheduled message anew.
    pub async fn change_message(&self, actor: &Actor, id: Uuid, asked: NewMessage) -> Result<SentMessage> {
        require(actor, Action::Message)?;
        if asked.test == Some(true) {
            return Err(invalid("invalid_value", "test", "a scheduled message does not become a test"));
        }
        let (mut row, undo_until) = self.drafted(actor, asked, id).await?;
        // It stays a scheduled one: the worker lets it go when its time has come.
        row.released_at = None;
        let reach = self.message_reach_of(actor, &row).await?;
        let note = note(actor, "message_changed", id, self.now(), Some(json!({ "title": row.title })));
        let send_at = self.do_message_work(Change { row, undo_until, was: None, note }).await?;
        self.release_soon(send_at);
        Ok(SentMessage { id, reach, send_at, undo_until: held_back(send_at, undo_until) })
    }

    /// Takes a message back that has not gone out.
    pub async fn cancel_message(&self, actor: &Actor, id: Uuid) -> Result<MessageItem> {
        self.act_on_message(actor, id, Deed::Cancel).await?;
        self.message_item(actor, id).await
    }

    /// Takes a message back that went out: phones that have it show that it was taken back.
    pub async fn retract_message(&self, actor: &Actor, id: Uuid) -> Result<MessageItem> {
        self.act_on_message(actor, id, Deed::Retract).await?;
        self.message_item(actor, id).await
    }

    /// Tells a message again to who has not seen it, or not confirmed it.
    pub async fn remind_of_message(&self, actor: &Actor, id: Uuid) -> Result<Reminded> {
        let reminded = self.act_on_message(actor, id, Deed::Remind).await?;
        Ok(Reminded { reminded: i64::try_from(reminded).unwrap_or(i64::MAX) })
    }

    /// The row of what was asked, and until when it can be taken back unseen.
    async fn drafted(
        &self,
        actor: &Actor,
        asked: NewMessage,
        id: Uuid,
    ) -> Result<(NotificationRow, Option<DateTime<Utc>>)> {
        let undo = undo(&asked)?;
        let row = self.message_row(actor, asked, id).await?;
        Ok((row, undo.map(|undo| self.now() + undo)))
    }

    async fn act_on_message(&self, actor: &Actor, id: Uuid, deed: Deed) -> Result<u64> {
        require(actor, Action::Message)?;
        let author = self.author_of(actor.clone());
        let now = self.now();
        self.do_message_work(Act { author, id, deed, now, found: None, op: None, reminded: AtomicU64::new(0) }).await
    }

    /// Wakes when a message goes out that can still be taken back.
    fn release_soon(&self, send_at: Option<DateTime<Utc>>) {
        let Some(wait) = send_at.map(|at| at - self.now()).filter(|wait| *wait <= SOON) else { return };
        let inner = std::sync::Arc::downgrade(&self.inner);
        let waiting = tokio::spawn(async move {
            tokio::time::sleep(wait.to_std().unwrap_or_default()).await;
            let Some(engine) = inner.upgrade().map(|inner| Self { inner }) else { return };
            if let Err(error) = engine.release_due().await {
                // The worker tries again.
                tracing::debug!(%error, "a message could not go out yet");
            }
        });
        let mut background = self.background();
        background.retain(|task| !task.is_finished());
        background.push(waiting.abort_handle());
    }

    pub(super) fn author_of(&self, actor: Actor) -> Author {
        Author { actor, incarnation: self.inner.installation_id, skew_ms: 0, recovered_from: None }
    }

    /// The op that makes a message's announcement.
    pub(super) fn announcement_op(&self, row: &NotificationRow) -> Result<Op> {
        let mut data = Map::new();
        let mut set = |name: &str, value: Json| data.insert(name.to_owned(), value);
        set("type", json!(row.kind));
        set("title", json!(row.title));
        if let Some(body) = &row.body {
            set("body", json!(body));
        }
        set("priority", json!(row.priority.as_str()));
        set("needs_ack", json!(row.needs_ack));
        set("audience", row.audience.to_announcement());
        if let Some(at) = row.expires_at {
            set("expires_at", json!(instant_text(at)));
        }
        op_about(self.now(), row.id, Operation::Insert, 0, data, None)
    }
}

/// Until when a message is held back only so that it can be taken back; none if it goes out at a time of its own.
fn held_back(send_at: Option<DateTime<Utc>>, undo_until: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    send_at.filter(|at| undo_until.is_some_and(|until| *at <= until))
}

fn op_about(
    now: DateTime<Utc>,
    id: Uuid,
    operation: Operation,
    base_version: i64,
    data: Map<String, Json>,
    base: Option<Map<String, Json>>,
) -> Result<Op> {
    let op_id = crate::ids::fresh_id(now);
    let draft = OpDraft {
        op_id,
        table_name: "announcements",
        record_id: id,
        operation,
        base_version,
        data,
        base,
        reason: None,
    };
    draft.decode(0).map_err(|refused| EngineError::Invalid {
        code: refused.rejection.code,
        detail: refused.rejection.detail.clone(),
        fields: refused.rejection.fields.clone(),
    })
}

pub(super) fn note(actor: &Actor, action: &str, about: Uuid, at: DateTime<Utc>, after: Option<Json>) -> AuditRow {
    AuditRow { record_id: Some(about), after, ..crate::audit::by(actor, action, at) }
}

/// What an op about an announcement needs.
pub(super) fn missing_for<'a>(world: &World, author: &Author, ops: impl Iterator<Item = &'a Op> + Clone) -> Needs {
    let mut needs = world.missing(ops.clone().map(|op| (author.actor.device, op)));
    needs.ops.extend(ops.map(|op| op.id).filter(|id| !world.was_loaded(*id)));
    needs
}

/// Whether an op that was decided stands.
pub(super) fn stands(world: &World, id: OpId) -> bool {
    world.op(id).is_some_and(|op| op.status == QueueStatus::Completed)
}

/// A message that goes out now, or waits.
struct Send {
    author: Author,
    row: NotificationRow,
    undo_until: Option<DateTime<Utc>>,
    op: Option<Op>,
    note: AuditRow,
}

impl Work for Send {
    /// When it goes out.
    type Answer = Option<DateTime<Utc>>;
    const ALONE: bool = true;

    fn look<'a>(&'a mut self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(async move {
            self.row.send_at = time_now(tx, &self.row, self.undo_until).await?;
            Ok(())
        })
    }

    fn missing(&self, world: &World) -> Needs {
        self.op.as_ref().map_or_else(Needs::default, |op| missing_for(world, &self.author, std::iter::once(op)))
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        let Some(op) = &self.op else { return Ok(()) };
        world.decide(&self.author, op);
        if stands(world, op.id) {
            return Ok(());
        }
        let detail = "what the message names has changed meanwhile; look at it again".to_owned();
        Err(EngineError::Stale { code: "rows_moved", detail, fresh: None })
    }

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        Box::pin(async move {
            let Self { row, op, author, note, .. } = self;
            match (row.released_at, op) {
                // Its announcement has made it.
                (Some(_), Some(_)) => rows::add_choices(tx, row).await?,
                (Some(_), None) => {
                    let by = facts::Author { person: None, device: Some(author.actor.device) };
                    outbox.send(tx, row, by).await?;
                }
                (None, _) => {
                    rows::add(tx, row).await?;
                    outbox.changed();
                }
            }
            audit::add(tx, std::slice::from_ref(note)).await
        })
    }

    fn done(self) -> Self::Answer {
        self.row.send_at
    }
}

/// A scheduled message that is to be another one.
struct Change {
    row: NotificationRow,
    undo_until: Option<DateTime<Utc>>,
    was: Option<NotificationRow>,
    note: AuditRow,
}

impl Work for Change {
    /// When it goes out.
    type Answer = Option<DateTime<Utc>>;
    const ALONE: bool = true;

    fn look<'a>(&'a mut self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(async move {
            self.row.send_at = time_now(tx, &self.row, self.undo_until).await?;
            self.was = rows::load(tx, &[self.row.id]).await?.pop();
            Ok(())
        })
    }

    fn apply(&mut self, _world: &mut World) -> Result<()> {
        check_waits(self.was.as_ref())
    }

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        Box::pin(async move {
            rows::rewrite(tx, &self.row).await?;
            outbox.changed();
            audit::add(tx, std::slice::from_ref(&self.note)).await
        })
    }

    fn done(self) -> Self::Answer {
        self.row.send_at
    }
}

fn check_waits(row: Option<&NotificationRow>) -> Result<()> {
    match row {
        None => Err(EngineError::NotFound("the message")),
        Some(row) if row.released_at.is_some() => Err(already_sent()),
        Some(row) if row.cancelled_at.is_some() => {
            let detail = "this message was cancelled".to_owned();
            Err(EngineError::Stale { code: "already_cancelled", detail, fresh: None })
        }
        Some(_) => Ok(()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Cancel,
    Retract,
    Remind,
}

/// Something that is done about a message as it is.
struct Act {
    author: Author,
    id: Uuid,
    deed: Deed,
    now: DateTime<Utc>,
    found: Option<NotificationRow>,
    op: Option<Op>,
    reminded: AtomicU64,
}

impl Act {
    fn check(&self) -> Result<()> {
        let Some(row) = &self.found else { return Err(EngineError::NotFound("the message")) };
        let stale = |code, detail: &str| Err(EngineError::Stale { code, detail: detail.to_owned(), fresh: None });
        match self.deed {
            // What is cancelled already stays so.
            Deed::Cancel if row.cancelled_at.is_some() => Ok(()),
            Deed::Cancel => check_waits(Some(row)),
            Deed::Retract | Deed::Remind if row.released_at.is_none() => {
                stale("not_sent", "this message has not gone out; cancel it instead")
            }
            Deed::Remind if row.retracted_at.is_some() => stale("retracted", "this message was taken back"),
            Deed::Remind if row.expires_at.is_some_and(|at| at <= self.now) => stale("expired", "this message is over"),
            Deed::Retract | Deed::Remind => Ok(()),
        }
    }

    /// Whether there is something to do.
    fn is_new(&self, row: &NotificationRow) -> bool {
        match self.deed {
            Deed::Cancel => row.cancelled_at.is_none(),
            Deed::Retract => row.retracted_at.is_none(),
            Deed::Remind => true,
        }
    }
}

impl Work for Act {
    type Answer = u64;
    const ALONE: bool = true;

    fn look<'a>(&'a mut self, tx: &'a mut Tx) -> BesideFuture<'a> {
        Box::pin(async move {
            (self.found, self.op) = (rows::load(tx, &[self.id]).await?.pop(), None);
            let announcement = self.found.as_ref().and_then(|row| row.announcement_id);
            if let Some(id) = announcement.filter(|_| self.deed == Deed::Retract) {
                let record = records::load(tx, known_table("announcements"), &[RecordId(id)]).await?;
                let open = |row: &showdesk_domain::record::Record| row.is_live() && row.value("retracted_at").is_null();
                if let Some(record) = record.into_iter().find(open) {
                    let set = |value: Json| Map::from_iter([("retracted_at".to_owned(), value)]);
                    let (data, base) = (set(json!(instant_text(self.now))), set(Json::Null));
                    let version = record.version.0;
                    self.op = op_about(self.now, id, Operation::Update, version, data, Some(base)).ok();
                }
            }
            Ok(())
        })
    }

    fn missing(&self, world: &World) -> Needs {
        self.op.as_ref().map_or_else(Needs::default, |op| missing_for(world, &self.author, std::iter::once(op)))
    }

    fn apply(&mut self, world: &mut World) -> Result<()> {
        self.check()?;
        if let Some(op) = &self.op {
            world.decide(&self.author, op);
        }
        Ok(())
    }

    fn tell<'a>(&'a self, tx: &'a mut Tx, outbox: &'a mut Outbox) -> BesideFuture<'a> {
        Box::pin(async move {
            let Some(row) = self.found.as_ref().filter(|row| self.is_new(row)) else { return Ok(()) };
            let action = match self.deed {
                Deed::Cancel => {
                    rows::cancel(tx, self.id, outbox.now).await?;
                    outbox.changed();
                    "message_cancelled"
                }
                Deed::Retract => {
                    // Nothing, if its announcement has done it.
                    outbox.retract(tx, self.id).await?;
                    "message_retracted"
                }
                Deed::Remind => {
                    self.reminded.store(outbox.remind(tx, row).await?, Ordering::Relaxed);
                    "message_reminded"
                }
            };
            let after = json!({ "title": row.title });
            let note = note(&self.author.actor, action, self.id, outbox.now, Some(after));
            audit::add(tx, &[note]).await
        })
    }

    fn done(self) -> u64 {
        self.reminded.into_inner()
    }
}

#[cfg(test)]
mod tests;
